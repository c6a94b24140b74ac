// Certificate requests: those that the openssl program makes, and ours judged by it.
#include "crypto/request.h"

#include <gtest/gtest.h>
#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "unit/real_heap.h"
#include "unit/slices.h"
#include "unit/test_port.h"

namespace {

constexpr uint64_t now_ms = 1'790'000'000'123;  // 2026-09-21

const char script[] = R"(
set -e
cat >req.cnf <<'END'
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[asks]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
extendedKeyUsage = serverAuth
subjectAltName = DNS:evil.example,URI:http://evil.example
nameConstraints = critical,permitted;DNS:example
1.2.3.4.5 = critical,ASN1:UTF8String:anything
END
make() {
    name=$1 key=$2 subject=$3
    shift 3
    case $key in
    P-*) set -- -newkey ec -pkeyopt "ec_paramgen_curve:$key" "$@" ;;
    rsa*) set -- -newkey "rsa:${key#rsa}" "$@" ;;
    ed25519) set -- -newkey ed25519 "$@" ;;
    esac
    openssl req -new -config req.cnf -nodes -keyout "$name.key" -out "$name.csr" \
        -subj "$subject" "$@" 2>/dev/null
}
make p256 P-256 /CN=till-1
make p384 P-384 /CN=till-1 -sha384
make rsa2048 rsa2048 /CN=till-1
make rsa4096 rsa4096 /CN=till-1 -sha512
make bare P-256 /
make full P-256 '/C=DE/O=Club/OU=Bar/CN=till-1/emailAddress=a@example.org'
make other P-256 '/CN=Till Number 1'
make asks P-256 /CN=till-1 -reqexts asks
make two P-256 /CN=till-1/CN=admin
make rsa1024 rsa1024 /CN=till-1
make rsa8192 rsa8192 /CN=till-1
make p521 P-521 /CN=till-1
make ed25519 ed25519 /CN=till-1
make sha1 P-256 /CN=till-1 -sha1
make sha224 P-256 /CN=till-1 -sha224
make md5 rsa2048 /CN=till-1 -md5
make pss rsa2048 /CN=till-1 -sigopt rsa_padding_mode:pss
openssl req -in p256.csr -outform DER -out der.csr
openssl req -in p256.csr -config req.cnf -newhdr -out newhdr.csr
openssl ecparam -name secp256k1 -genkey -noout -out k1.key
openssl req -new -config req.cnf -key k1.key -subj /CN=till-1 -out k1.csr
)";

struct RequestTest : testing::Test {
    static std::string dir;
    static std::string ca;
    static std::string ca_key;

    static std::string made_key() {
        return written([](Writer& out) { EXPECT_EQ(certificate_make_key(out), Status::ok); });
    }

    static void SetUpTestSuite() {
        crypto_free();
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
        const char* base = getenv("TMPDIR");
        dir = std::string(base != nullptr ? base : "/tmp") + "/penny-csr-XXXXXX";
        ASSERT_NE(mkdtemp(dir.data()), nullptr);
        std::ofstream(dir + "/make.sh") << script;
        ASSERT_EQ(shell("sh make.sh"), 0) << "the openssl program could not make requests";
        ca_key = made_key();
        const CertificateRequest request = {CertificateKind::authority, slice_of("Test CA"),
                                            nullptr, 0, now_ms};
        ca = written([&](Writer& out) {
            EXPECT_EQ(certificate_make(request, slice_of(ca_key), {}, out), Status::ok);
        });
    }

    static void TearDownTestSuite() {
        EXPECT_EQ(system(("rm -rf '" + dir + "'").c_str()), 0);
        crypto_free();
    }

    void SetUp() override { crypto_clock_set(now_ms); }
    void TearDown() override { test_random_mend(); }

    static int shell(const std::string& command) {
        return system(("cd '" + dir + "' && " + command).c_str());
    }

    static std::string file(const std::string& name) {
        std::ifstream in(dir + "/" + name);
        EXPECT_TRUE(in.good()) << name;
        return std::string(std::istreambuf_iterator<char>(in), {});
    }

    static std::string sign(const std::string& csr, Status expected = Status::ok,
                            const char* reason_expected = nullptr) {
        const CertificateRequest request = {CertificateKind::client, slice_of("bob"), nullptr, 0,
                                            now_ms};
        const char* reason = nullptr;
        std::string made = written([&](Writer& out) {
            const CertificateIssuer issuer = {slice_of(ca), slice_of(ca_key)};
            EXPECT_EQ(certificate_sign(request, slice_of(csr), issuer, out, reason), expected);
        });
        if (reason_expected != nullptr) {
            EXPECT_STREQ(reason, reason_expected);
        }
        EXPECT_EQ(reason != nullptr, expected != Status::ok);
        return made;
    }

    // The reason, "" when it is taken.
    static std::string judge(const std::string& csr) {
        RequestFacts facts = {};
        const char* reason = nullptr;
        const Status status = request_read(slice_of(csr), facts, reason);
        EXPECT_EQ(status == Status::ok, reason == nullptr);
        return reason == nullptr ? "" : reason;
    }

    static CertificateFacts facts_of(const std::string& pem) {
        CertificateFacts facts = {};
        EXPECT_EQ(certificate_read(slice_of(pem), facts), Status::ok);
        return facts;
    }
};

std::string RequestTest::dir;
std::string RequestTest::ca;
std::string RequestTest::ca_key;

TEST_F(RequestTest, of_the_openssl_program_are_taken) {
    for (const char* name : {"p256", "p384", "rsa2048", "rsa4096", "full", "asks", "newhdr"}) {
        RequestFacts facts = {};
        const char* reason = nullptr;
        EXPECT_EQ(request_read(slice_of(file(std::string(name) + ".csr")), facts, reason),
                  Status::ok)
            << name << ": " << (reason == nullptr ? "" : reason);
        EXPECT_STREQ(facts.name, "till-1") << name;
    }
    RequestFacts facts = {};
    const char* reason = nullptr;
    EXPECT_EQ(request_read(slice_of(file("bare.csr")), facts, reason), Status::ok);
    EXPECT_STREQ(facts.name, "");
    EXPECT_EQ(request_read(slice_of(file("other.csr")), facts, reason), Status::ok);
    EXPECT_STREQ(facts.name, "Till Number 1");
    // What stands before and behind it is passed over, and so are the ends of lines.
    EXPECT_EQ(judge("Certificate Request:\n" + file("p256.csr") + file("rsa1024.csr")), "");
    std::string lines;
    for (const char byte : file("p256.csr")) {
        if (byte == '\n') lines += '\r';
        lines += byte;
    }
    EXPECT_EQ(judge(lines), "");
}

TEST_F(RequestTest, are_refused_with_a_reason) {
    const std::string kind =
        "its key is of a kind that is refused; P-256, P-384 and RSA of 2048 to 4096 bits are taken";
    const std::string signature =
        "its signature is of a kind that is refused; ECDSA and RSA (PKCS #1 v1.5) with SHA-256 or "
        "more are taken";
    const std::string none = "it is not a certificate request";
    EXPECT_EQ(judge(file("rsa1024.csr")), "its key is too weak");
    for (const char* name : {"rsa8192", "p521", "ed25519", "k1"}) {
        EXPECT_EQ(judge(file(std::string(name) + ".csr")), kind) << name;
    }
    for (const char* name : {"sha1", "sha224", "md5", "pss"}) {
        EXPECT_EQ(judge(file(std::string(name) + ".csr")), signature) << name;
    }
    EXPECT_EQ(judge(file("two.csr")), "it has more than one common name");
    EXPECT_EQ(judge(file("der.csr")), none);
    EXPECT_EQ(judge(""), none);
    EXPECT_EQ(judge("x"), none);
    EXPECT_EQ(judge(ca), none);
    EXPECT_EQ(judge(ca_key), none);
    EXPECT_EQ(judge(std::string(request_pem_size_max + 1, 'x')), "it is too long");
    EXPECT_EQ(judge("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"),
              none);
}

std::string bytes_of_base64(const std::string& pem) {
    std::string out;
    uint32_t bits = 0;
    int count = 0;
    const std::string digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t from = pem.find('\n') + 1;
    for (size_t i = from; pem[i] != '-'; i++) {
        const size_t digit = digits.find(pem[i]);
        if (digit == std::string::npos) continue;
        bits = bits << 6 | static_cast<uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count);
    }
    return out;
}

std::string pem_of(const std::string& der) {
    const std::string digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out = "-----BEGIN CERTIFICATE REQUEST-----\n";
    for (size_t i = 0; i < der.size(); i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < der.size() ? static_cast<uint8_t>(der[i + k]) : 0);
        }
        for (size_t k = 0; k < 4; k++) {
            out += i + k <= der.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }
        if (i % 48 == 45) out += '\n';
    }
    if (out.back() != '\n') out += '\n';
    return out + "-----END CERTIFICATE REQUEST-----\n";
}

TEST_F(RequestTest, every_flipped_bit_is_noticed) {
    const std::string der = bytes_of_base64(file("p256.csr"));
    ASSERT_EQ(judge(pem_of(der)), "");
    uint32_t forged = 0;
    for (size_t at = 0; at < der.size(); at++) {
        for (int bit = 0; bit < 8; bit += 3) {
            std::string flipped = der;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            const std::string reason = judge(pem_of(flipped));
            EXPECT_NE(reason, "") << at << " " << bit;
            if (reason == "its signature is forged") forged++;
        }
    }
    EXPECT_GT(forged, 100u);
}

TEST_F(RequestTest, cut_anywhere_they_are_refused) {
    for (const char* name : {"p256.csr", "rsa2048.csr", "full.csr"}) {
        const std::string pem = file(name);
        for (size_t size = 0; size + 1 < pem.size(); size++) {
            EXPECT_NE(judge(pem.substr(0, size)), "") << name << " " << size;
        }
        const std::string der = bytes_of_base64(pem);
        for (size_t size = 0; size < der.size(); size++) {
            EXPECT_NE(judge(pem_of(der.substr(0, size))), "") << name << " " << size;
        }
        EXPECT_NE(judge(pem_of(der + '\0')), "") << name;
    }
}

TEST_F(RequestTest, names_that_are_none_are_refused) {
    const std::string der = bytes_of_base64(file("p256.csr"));
    const size_t at = der.find("till-1");
    ASSERT_NE(at, std::string::npos);
    std::string with_nul = der;
    with_nul[at + 2] = '\0';
    EXPECT_EQ(judge(pem_of(with_nul)), "its common name is no name");
}

TEST_F(RequestTest, nothing_but_the_key_gets_into_a_certificate) {
    for (const char* name : {"p256", "p384", "rsa2048", "rsa4096", "bare", "full", "asks"}) {
        const std::string csr = file(std::string(name) + ".csr");
        const std::string pem = sign(csr);
        const CertificateFacts facts = facts_of(pem);
        RequestFacts asked = {};
        const char* reason = nullptr;
        ASSERT_EQ(request_read(slice_of(csr), asked, reason), Status::ok);
        EXPECT_STREQ(facts.name, "bob");
        EXPECT_FALSE(facts.is_authority);
        EXPECT_TRUE(facts.is_client);
        EXPECT_FALSE(facts.is_server);
        EXPECT_EQ(memcmp(facts.key_hash, asked.key_hash, hash_size), 0) << name;
        EXPECT_EQ(certificate_match(slice_of(pem), slice_of(file(std::string(name) + ".key"))),
                  Status::ok)
            << name;
        CertificateHosts hosts;
        EXPECT_EQ(certificate_hosts(slice_of(pem), hosts), Status::ok);
        EXPECT_EQ(hosts.count, 0u) << name;
        std::ofstream(dir + "/leaf.crt") << pem;
        std::ofstream(dir + "/ca.crt") << ca;
        EXPECT_EQ(shell("openssl verify -x509_strict -purpose sslclient -attime 1790000000"
                        " -CAfile ca.crt leaf.crt >/dev/null"),
                  0)
            << name;
        EXPECT_NE(shell("openssl x509 -in leaf.crt -noout -text | grep -q evil"), 0) << name;
    }
}

TEST_F(RequestTest, forged_ones_are_not_signed) {
    sign(file("rsa1024.csr"), Status::invalid, "its key is too weak");
    std::string der = bytes_of_base64(file("p256.csr"));
    der[der.size() - 3] = static_cast<char>(der[der.size() - 3] ^ 1);
    sign(pem_of(der), Status::invalid, "its signature is forged");
    test_random_fail_after(0);
    const std::string csr = file("p256.csr");
    const CertificateRequest request = {CertificateKind::client, slice_of("bob"), nullptr, 0,
                                        now_ms};
    const CertificateIssuer issuer = {slice_of(ca), slice_of(ca_key)};
    const char* reason = nullptr;
    uint8_t text[certificate_pem_size_max];
    Writer out = writer_of(text, sizeof text);
    EXPECT_NE(certificate_sign(request, slice_of(csr), issuer, out, reason), Status::ok);
    EXPECT_NE(reason, nullptr);
    EXPECT_EQ(out.size, 0u);
}

TEST_F(RequestTest, ours_are_taken_by_the_openssl_program_and_by_us) {
    const std::string key = made_key();
    for (const char* name : {"till-1", ""}) {
        const std::string csr = written([&](Writer& out) {
            EXPECT_EQ(request_make(slice_of(key), slice_of(name), out), Status::ok);
        });
        RequestFacts facts = {};
        const char* reason = nullptr;
        ASSERT_EQ(request_read(slice_of(csr), facts, reason), Status::ok) << reason;
        EXPECT_STREQ(facts.name, name);
        std::ofstream(dir + "/ours.csr") << csr;
        EXPECT_EQ(shell("openssl req -in ours.csr -config req.cnf -verify -noout 2>/dev/null"), 0);
        const CertificateFacts made = facts_of(sign(csr));
        EXPECT_EQ(memcmp(made.key_hash, facts.key_hash, hash_size), 0);
    }
    for (const char* key_file : {"p384.key", "rsa4096.key"}) {
        const std::string csr = written([&](Writer& out) {
            EXPECT_EQ(request_make(slice_of(file(key_file)), slice_of("till-1"), out), Status::ok);
        });
        EXPECT_EQ(judge(csr), "") << key_file;
    }
    uint8_t text[request_pem_size_max];
    Writer out = writer_of(text, sizeof text);
    EXPECT_EQ(request_make(slice_of(key), slice_of("Till,CN=x"), out), Status::invalid);
    EXPECT_EQ(request_make(slice_of("x"), slice_of("till-1"), out), Status::invalid);
    EXPECT_EQ(request_make(slice_of(file("rsa1024.key")), slice_of("till-1"), out),
              Status::invalid);
    test_random_fail_after(0);
    EXPECT_EQ(request_make(slice_of(key), slice_of("till-1"), out), Status::failed);
    test_random_mend();
    out = writer_of(text, 200);
    EXPECT_EQ(request_make(slice_of(key), slice_of("till-1"), out), Status::full);
    EXPECT_EQ(out.size, 0u);
}

// What one job takes fits beside receipts in the server's heap, whose row "signing" is for both.
TEST_F(RequestTest, signing_one_fits_the_servers_heap) {
    crypto_free();
    RealHeap real(0, 0);
    ASSERT_EQ(crypto_init(&real.heap), Status::ok);
    for (const char* name : {"p256", "p384", "rsa2048", "rsa4096", "full", "asks"}) {
        const std::string csr = file(std::string(name) + ".csr");
        const uint64_t before = heap_bytes_taken(real.heap);
        EXPECT_EQ(judge(csr), "") << name;
        sign(csr);
        EXPECT_EQ(heap_bytes_taken(real.heap), before) << name;
    }
    const std::string key = made_key();
    const std::string csr = written([&](Writer& out) {
        EXPECT_EQ(request_make(slice_of(key), slice_of("till-1"), out), Status::ok);
    });
    EXPECT_EQ(real.heap.refused, 0u);
    for (uint32_t i = 0; i < real.heap.class_count; i++) {
        const HeapClass& row = real.heap.classes[i];
        EXPECT_EQ(row.spilled, 0u) << row.size;
    }
    crypto_free();
    mbedtls_platform_set_calloc_free(calloc, free);
    ASSERT_EQ(crypto_init(nullptr), Status::ok);
}

}  // namespace
