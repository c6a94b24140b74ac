#include "unit/jose_keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <map>

#include "unit/slices.h"
#include "unit/tls_files.h"

namespace {

const std::map<std::string, std::string> kinds = {
    {"alice", "-algorithm RSA -pkeyopt rsa_keygen_bits:3072"},
    {"bob", "-algorithm RSA -pkeyopt rsa_keygen_bits:3072"},
    {"short", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"},
    {"long", "-algorithm RSA -pkeyopt rsa_keygen_bits:3080"},
    {"small-exponent", "-algorithm RSA -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_keygen_pubexp:3"},
    {"curve", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"},
};

std::string make(const std::string& name) {
    const std::string path = tls_files_dir() + "/jose-" + name + ".pem";
    const std::string line = "openssl genpkey " + kinds.at(name) + " -out '" + path + "' 2>/dev/null";
    EXPECT_EQ(system(line.c_str()), 0) << line;
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

const std::string& jose_test_pem(const std::string& name) {
    static std::map<std::string, std::string> made;
    const auto found = made.find(name);
    return found != made.end() ? found->second : made[name] = make(name);
}

JoseKey jose_test_key(const std::string& name) {
    JoseKey key = {};
    EXPECT_EQ(jose_key_read(slice_of(jose_test_pem(name)), key), Status::ok) << name;
    return key;
}
