// Signatures by the keys and certificates that the openssl program made, judged by it as well.
#include "crypto/sign.h"

#include <gtest/gtest.h>
#include <mbedtls/platform.h>
#include <stdlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

const char* const keys[] = {"server", "p384", "rsa"};
const std::string text = "Pennybank receipt 1\nentry: 7\n";

struct SignTest : testing::Test {
    static void SetUpTestSuite() {
        crypto_free();
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
    }
    static void TearDownTestSuite() { crypto_free(); }
    void TearDown() override { test_random_mend(); }

    static std::string sign(const std::string& name, const std::string& signed_text = text) {
        return written([&](Writer& out) {
            EXPECT_EQ(sign_text(slice_of(tls_file(name + ".key")), slice_of(signed_text), out),
                      Status::ok);
        });
    }
    static Status verify(const std::string& name, const std::string& signature,
                         const std::string& signed_text = text) {
        return sign_verify(slice_of(tls_file(name + ".crt")), slice_of(signed_text),
                           slice_of(signature));
    }
};

// What the openssl program says of a signature.
bool openssl_takes(const std::string& name, const std::string& signature) {
    const std::string dir = tls_files_dir();
    std::ofstream(dir + "/signed.txt") << text;
    std::ofstream(dir + "/signed.sig", std::ios::binary) << signature;
    const std::string pss = name == "rsa" ? " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"
                                          : "";
    const std::string line = "cd '" + dir + "' && openssl x509 -in " + name +
                             ".crt -pubkey -noout >signed.pub && openssl dgst -sha256 -verify "
                             "signed.pub" + pss + " -signature signed.sig signed.txt >/dev/null";
    return system(line.c_str()) == 0;
}

TEST_F(SignTest, what_is_signed_verifies_here_and_by_openssl) {
    for (const std::string name : keys) {
        const std::string signature = sign(name);
        EXPECT_EQ(verify(name, signature), Status::ok) << name;
        EXPECT_TRUE(openssl_takes(name, signature)) << name;
    }
}

TEST_F(SignTest, no_other_text_key_or_signature_does) {
    for (const std::string name : keys) {
        const std::string signature = sign(name);
        for (size_t i = 0; i < text.size(); i++) {
            std::string other = text;
            other[i] = static_cast<char>(other[i] ^ 1);
            ASSERT_EQ(verify(name, signature, other), Status::damaged) << name << i;
        }
        EXPECT_EQ(verify(name, signature, ""), Status::damaged);
        EXPECT_EQ(verify(name, signature, text + text), Status::damaged);
        for (const std::string other : keys) {
            if (other == name) continue;
            EXPECT_EQ(verify(other, signature), Status::damaged) << other;
        }
        EXPECT_EQ(verify("till", signature), Status::damaged);  // another key on the same curve
        for (size_t i = 0; i < signature.size(); i++) {
            std::string other = signature;
            other[i] = static_cast<char>(other[i] ^ 4);
            ASSERT_EQ(verify(name, other), Status::damaged) << name << i;
        }
        for (size_t size = 0; size < signature.size(); size++) {
            ASSERT_EQ(verify(name, signature.substr(0, size)), Status::damaged) << name << size;
        }
        EXPECT_EQ(verify(name, signature + "x"), Status::damaged);
    }
}

TEST_F(SignTest, nothing_is_signed_without_randomness) {
    for (const std::string name : keys) {
        const std::string key = tls_file(name + ".key");
        test_random_fail_after(0);
        const std::string made = written([&](Writer& out) {
            EXPECT_EQ(sign_text(slice_of(key), slice_of(text), out), Status::failed) << name;
        });
        EXPECT_EQ(made, "");
        test_random_mend();
    }
}

TEST_F(SignTest, a_signature_needs_its_room) {
    for (const std::string name : keys) {
        const std::string key = tls_file(name + ".key");
        const uint32_t room = name == "rsa" ? 255 : 60;
        const std::string made = written(
            [&](Writer& out) {
                EXPECT_EQ(sign_text(slice_of(key), slice_of(text), out), Status::full) << name;
            },
            room);
        EXPECT_EQ(made, "");
    }
}

TEST_F(SignTest, texts_that_are_none_are_invalid) {
    const std::string signature = sign("server");
    Hash hash;
    for (const std::string& pem : {std::string(), std::string("x"), tls_file("server.key"),
                                   tls_file("server.crt").substr(0, 200)}) {
        EXPECT_EQ(sign_verify(slice_of(pem), slice_of(text), slice_of(signature)),
                  Status::invalid);
        EXPECT_EQ(sign_fingerprint(slice_of(pem), hash), Status::invalid);
    }
    const std::string made = written([&](Writer& out) {
        EXPECT_EQ(sign_text(slice_of(tls_file("server.crt")), slice_of(text), out),
                  Status::invalid);
    });
    EXPECT_EQ(made, "");
}

TEST_F(SignTest, the_fingerprint_is_the_one_openssl_prints) {
    Hash hash;
    ASSERT_EQ(sign_fingerprint(slice_of(tls_file("server.crt")), hash), Status::ok);
    std::string said;
    for (const uint8_t byte : hash.bytes) {
        char digits[4];
        snprintf(digits, sizeof digits, "%02X:", byte);
        said += digits;
    }
    said.pop_back();
    const std::string line = "cd '" + tls_files_dir() + "' && test \"$(openssl x509 -in server.crt "
                             "-noout -fingerprint -sha256 | cut -d= -f2)\" = " + said;
    EXPECT_EQ(system(line.c_str()), 0) << line;
}

}  // namespace
