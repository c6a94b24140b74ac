// Keys, signatures and envelopes, by keys that the openssl program made and judged by it as well.
// What other JOSE libraries say is in tests/wire.
#include "crypto/jose.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <vector>

#include "crypto/crypto.h"
#include "unit/jose_keys.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

struct JoseTest : testing::Test {
    static void SetUpTestSuite() {
        crypto_free();
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
    }
    static void TearDownTestSuite() { crypto_free(); }
    void TearDown() override { test_random_mend(); }
};

std::string url(const std::string& bytes) {
    return written([&](Writer& out) { put_base64url(out, slice_of(bytes)); });
}

std::string unurl(const std::string& text) {
    return written(
        [&](Writer& out) { EXPECT_EQ(parse_base64url(slice_of(text), out), Status::ok) << text; });
}

std::vector<std::string> parts_of(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '.') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text = parts[0];
    for (size_t i = 1; i < parts.size(); i++) text += "." + parts[i];
    return text;
}

// The same with another header.
std::string reheaded(const std::string& text, const std::string& header) {
    std::vector<std::string> parts = parts_of(text);
    parts[0] = url(header);
    return joined(parts);
}

std::string signed_by(const std::string& name, const std::string& payload,
                      Status expected = Status::ok, uint32_t capacity = 65536) {
    return written(
        [&](Writer& out) {
            EXPECT_EQ(jws_sign(slice_of(jose_test_pem(name)), slice_of(payload), out), expected);
        },
        capacity);
}

Status verify(const std::string& name, const std::string& text, std::string& payload) {
    Status status = Status::ok;
    payload = written([&](Writer& out) {
        status = jws_verify(jose_test_key(name), slice_of(text), out);
    });
    return status;
}

Status verify(const std::string& name, const std::string& text) {
    std::string payload;
    const Status status = verify(name, text, payload);
    if (status != Status::ok) {
        EXPECT_EQ(payload, "");
    }
    return status;
}

std::string sealed_to(const std::string& name, const std::string& plain,
                      Status expected = Status::ok, uint32_t capacity = 65536) {
    return written(
        [&](Writer& out) {
            EXPECT_EQ(jwe_seal(jose_test_key(name), slice_of(plain), out), expected);
        },
        capacity);
}

Status open(const std::string& name, const std::string& text, std::string& plain,
            uint32_t capacity = 65536) {
    Status status = Status::ok;
    plain = written(
        [&](Writer& out) { status = jwe_open(slice_of(jose_test_pem(name)), slice_of(text), out); },
        capacity);
    return status;
}

Status open(const std::string& name, const std::string& text) {
    std::string plain;
    const Status status = open(name, text, plain);
    if (status != Status::ok) {
        EXPECT_EQ(plain, "");
    }
    return status;
}

std::string jwk_of(const JoseKey& key) {
    return written([&](Writer& out) { put_jwk(out, key); });
}

const char* jwk_refused(const std::string& text) {
    JoseKey key = {};
    const char* reason = "";
    EXPECT_EQ(jwk_parse(slice_of(text), key, reason), Status::invalid) << text;
    EXPECT_EQ(key.exponent, 0u);
    return reason;
}

// --- Keys ---

TEST_F(JoseTest, the_thumbprint_is_that_of_the_rfc) {
    // RFC 7638, section 3.1.
    const std::string modulus = unurl(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC"
        "PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz"
        "qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZ"
        "u0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw");
    const Hash hash = jwk_thumbprint(slice_of(modulus), slice_of(std::string("\1\0\1", 3)));
    EXPECT_EQ(url(string_of(hash_slice(hash))), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST_F(JoseTest, a_key_written_is_read_again_and_is_its_own_thumbprint_text) {
    const JoseKey key = jose_test_key("alice");
    const std::string text = jwk_of(key);
    EXPECT_EQ(text.rfind("{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"", 0), 0u) << text;
    JoseKey again = {};
    const char* reason = "";
    ASSERT_EQ(jwk_parse(slice_of(text), again, reason), Status::ok) << reason;
    EXPECT_TRUE(jose_key_equal(key, again));
    const JoseKid kid = jose_kid_of(key);
    EXPECT_EQ(string_of(jose_kid_slice(kid)), url(string_of(hash_slice(hash_of(slice_of(text))))));
    EXPECT_EQ(written([&](Writer& out) { put_jwk(out, key); },
                      static_cast<uint32_t>(text.size()) - 1),
              "<overflow>");
}

TEST_F(JoseTest, a_key_may_come_with_blanks_and_with_members_that_mean_nothing_here) {
    const JoseKey key = jose_test_key("alice");
    std::string text = jwk_of(key);
    text.insert(text.size() - 1, " , \"kid\" : \"alice's\", \"x\": 1 ");
    JoseKey again = {};
    const char* reason = "";
    ASSERT_EQ(jwk_parse(slice_of(text), again, reason), Status::ok) << reason;
    EXPECT_TRUE(jose_key_equal(key, again));
}

TEST_F(JoseTest, a_key_that_is_none_or_not_ours_is_refused_with_a_reason) {
    JoseKey key = jose_test_key("alice");
    const std::string text = jwk_of(key);
    for (size_t size = 0; size < text.size(); size++) jwk_refused(text.substr(0, size));
    const auto with = [&](const std::string& member) {
        return text.substr(0, text.size() - 1) + "," + member + "}";
    };
    EXPECT_STREQ(jwk_refused(with("\"n\":\"AQAB\"")), jwk_refused("no key"));  // a name twice
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
        EXPECT_NE(strstr(jwk_refused(with("\"" + std::string(name) + "\":\"AQAB\"")), "private"),
                  nullptr);
    }
    EXPECT_NE(strstr(jwk_refused(with("\"use\":\"sig\"")), "use"), nullptr);
    EXPECT_NE(strstr(jwk_refused(with("\"alg\":\"RS256\"")), "use"), nullptr);
    jwk_refused(with("\"key_ops\":[\"verify\"]"));
    const auto rsa = [](const std::string& n, const std::string& e) {
        return "{\"kty\":\"RSA\",\"n\":\"" + n + "\",\"e\":\"" + e + "\"}";
    };
    const std::string bytes(reinterpret_cast<const char*>(key.modulus), sizeof key.modulus);
    const std::string good = url(bytes);
    JoseKey out = {};
    const char* reason = "";
    ASSERT_EQ(jwk_parse(slice_of(rsa(good, "AQAB")), out, reason), Status::ok);
    ASSERT_EQ(jwk_parse(slice_of(rsa(good, url("\xff\xff\xff\xff"))), out, reason), Status::ok);
    for (const std::string& e : {std::string(""), std::string("\3"), std::string("\xff\xff"),
                                 std::string("\1\0\0", 3), std::string("\0\1\0\1", 4),
                                 std::string("\1\0\0\0\1", 5), std::string("\1\0\2", 3)}) {
        EXPECT_NE(strstr(jwk_refused(rsa(good, url(e))), "exponent"), nullptr);
    }
    EXPECT_NE(strstr(jwk_refused(rsa(good, "AQAB=")), "exponent"), nullptr);
    std::string even = bytes, low = bytes;
    even.back() = static_cast<char>(even.back() ^ 1);
    low[0] = static_cast<char>(low[0] & 0x7f);
    EXPECT_NE(strstr(jwk_refused(rsa(url(even), "AQAB")), "even"), nullptr);
    for (const std::string& n : {low, bytes.substr(1), bytes + "x", std::string(1, '\0') + bytes,
                                 bytes.substr(0, 256), std::string("")}) {
        EXPECT_NE(strstr(jwk_refused(rsa(url(n), "AQAB")), "3072"), nullptr);
    }
    EXPECT_NE(strstr(jwk_refused(rsa(good + "=", "AQAB")), "3072"), nullptr);
    EXPECT_NE(strstr(jwk_refused(R"({"kty":"EC","crv":"P-256","x":"","y":""})"), "RSA"), nullptr);
    EXPECT_NE(strstr(jwk_refused(R"({"kty":"oct","k":"AAAA"})"), "RSA"), nullptr);
    jwk_refused(text + std::string(jwk_size_max, ' '));
}

TEST_F(JoseTest, only_private_keys_of_rsa_3072_with_a_sound_exponent_are_taken) {
    JoseKey key = {};
    EXPECT_EQ(jose_key_read(slice_of(jose_test_pem("alice")), key), Status::ok);
    EXPECT_EQ(key.exponent, 65537u);
    const JoseKey before = key;
    for (const char* name : {"short", "long", "small-exponent", "curve"}) {
        EXPECT_EQ(jose_key_read(slice_of(jose_test_pem(name)), key), Status::invalid) << name;
        EXPECT_TRUE(jose_key_equal(key, before));
        signed_by(name, "x", Status::invalid);
        EXPECT_EQ(open(name, sealed_to("bob", "x")), Status::invalid);
    }
    EXPECT_EQ(jose_key_read(slice_of(tls_file("server.crt")), key), Status::invalid);
    EXPECT_EQ(jose_key_read({nullptr, 0}, key), Status::invalid);
}

#ifdef __x86_64__  // An emulated board would take minutes for it; penny's tests make keys as well.
TEST_F(JoseTest, a_fresh_key_is_pkcs8_that_openssl_takes_for_sound) {
    const std::string pem =
        written([](Writer& out) { EXPECT_EQ(jose_key_make(out), Status::ok); }, 4096);
    EXPECT_EQ(pem.rfind("-----BEGIN PRIVATE KEY-----\n", 0), 0u);
    ASSERT_LE(pem.size(), jose_key_pem_size_max);
    JoseKey key = {};
    ASSERT_EQ(jose_key_read(slice_of(pem), key), Status::ok);
    const std::string path = tls_files_dir() + "/fresh.pem";
    std::ofstream(path) << pem;
    const std::string line = "openssl pkey -in '" + path + "' -check -noout >/dev/null 2>&1 && "
                             "openssl pkey -in '" + path + "' | cmp -s - '" + path + "'";
    EXPECT_EQ(system(line.c_str()), 0) << line;
}
#endif

TEST_F(JoseTest, without_randomness_there_is_no_key) {
    test_random_fail_after(0);
    EXPECT_EQ(written([](Writer& out) { EXPECT_EQ(jose_key_make(out), Status::failed); }), "");
}

// --- Signatures ---

TEST_F(JoseTest, what_is_signed_verifies_and_openssl_agrees) {
    for (const std::string& payload : {std::string(""), std::string("{}"), std::string(3000, 'x')}) {
        const std::string text = signed_by("alice", payload);
        ASSERT_EQ(text.size(), jws_size(static_cast<uint32_t>(payload.size())));
        std::string back;
        EXPECT_EQ(verify("alice", text, back), Status::ok);
        EXPECT_EQ(back, payload);
        const std::vector<std::string> parts = parts_of(text);
        ASSERT_EQ(parts.size(), 3u);
        const JoseKid kid = jose_kid_of(jose_test_key("alice"));
        EXPECT_EQ(unurl(parts[0]),
                  "{\"alg\":\"PS256\",\"kid\":\"" + string_of(jose_kid_slice(kid)) + "\"}");
        const std::string dir = tls_files_dir();
        (void)jose_test_pem("alice");
        std::ofstream(dir + "/jws.txt") << parts[0] + "." + parts[1];
        std::ofstream(dir + "/jws.sig", std::ios::binary) << unurl(parts[2]);
        const std::string line =
            "cd '" + dir + "' && openssl dgst -sha256 -prverify jose-alice.pem -sigopt "
            "rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -signature jws.sig jws.txt >/dev/null";
        EXPECT_EQ(system(line.c_str()), 0) << line;
    }
}

TEST_F(JoseTest, a_signature_by_openssl_verifies) {
    const std::string dir = tls_files_dir();
    (void)jose_test_pem("bob");
    const std::string text = url(R"({ "typ":"JWT", "alg":"PS256" })") + "." + url("{\"a\":1}");
    std::ofstream(dir + "/jws.txt") << text;
    const auto sign = [&](const std::string& hash, const std::string& options) {
        const std::string line = "cd '" + dir + "' && openssl dgst -" + hash + " -sign jose-bob.pem " +
                                 options + " -out jws.sig jws.txt";
        EXPECT_EQ(system(line.c_str()), 0) << line;
        std::ifstream in(dir + "/jws.sig", std::ios::binary);
        return text + "." + url(std::string(std::istreambuf_iterator<char>(in), {}));
    };
    const std::string pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:";
    std::string payload;
    EXPECT_EQ(verify("bob", sign("sha256", pss + "32"), payload), Status::ok);
    EXPECT_EQ(payload, "{\"a\":1}");
    // Signatures by the right key that are not PS256.
    EXPECT_EQ(verify("bob", sign("sha256", pss + "20")), Status::damaged);
    EXPECT_EQ(verify("bob", sign("sha256", pss + "0")), Status::damaged);
    EXPECT_EQ(verify("bob", sign("sha384", pss + "48")), Status::damaged);
    EXPECT_EQ(verify("bob", sign("sha256", "")), Status::damaged);  // RS256
}

TEST_F(JoseTest, no_changed_signature_verifies) {
    const std::string text = signed_by("alice", "{\"from\":\"alice\"}");
    EXPECT_EQ(verify("bob", text), Status::damaged);
    for (size_t i = 0; i < text.size(); i++) {
        std::string other = text;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        if (other == text) continue;
        const Status status = verify("alice", other);
        ASSERT_TRUE(status == Status::damaged || status == Status::invalid) << i;
    }
    for (size_t size = 0; size < text.size(); size += 7) {
        ASSERT_EQ(verify("alice", text.substr(0, size)), Status::invalid) << size;
    }
    const std::vector<std::string> parts = parts_of(text);
    const std::vector<std::string> bob = parts_of(signed_by("bob", "{\"from\":\"alice\"}"));
    EXPECT_EQ(verify("alice", joined({parts[0], parts[1], bob[2]})), Status::damaged);
    EXPECT_EQ(verify("alice", joined({bob[0], parts[1], parts[2]})), Status::damaged);
    EXPECT_EQ(verify("alice", joined({parts[0], "", parts[2]})), Status::damaged);
    for (const std::string& other :
         {text + ".", text + "=", text + "\n", " " + text, "." + text, joined({parts[0], parts[1]}),
          joined({parts[0], parts[1], ""}), joined({parts[0], parts[1], parts[2] + "AAAA"}),
          joined({parts[0], parts[1], parts[2], parts[2]}), std::string("")}) {
        EXPECT_EQ(verify("alice", other), Status::invalid) << other;
    }
}

TEST_F(JoseTest, a_header_with_anything_but_ps256_is_no_signature_of_ours) {
    const std::string text = signed_by("alice", "{}");
    for (const char* header :
         {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":""})", R"({"alg":"HS256"})",
          R"({"alg":"RS256"})", R"({"alg":"PS384"})", R"({"alg":"PS512"})", R"({"alg":"ps256"})",
          R"({"alg":"\u0050S256"})", R"({"alg":256})", R"({"alg":null})", R"({})", "",
          R"({"alg":"PS256","alg":"PS256"})", R"({"alg":"PS256","alg":"none"})",
          R"({"alg":"PS256","crit":["exp"],"exp":1})", R"({"alg":"PS256","crit":"b64","b64":false})",
          R"({"alg":"PS256","crit":null})", R"({"alg":"PS256","jwk":{"kty":"RSA"}})",
          R"({"alg":"PS256","x5c":["MII"]})", R"({"alg":"PS256","zip":"DEF"})",
          R"({"alg":"PS256","enc":"A256GCM"})", R"({"alg":"PS256","kid":7})", R"(["PS256"])",
          R"({"alg":"PS256"}})", R"({"alg":"PS256"} x)"}) {
        EXPECT_EQ(verify("alice", reheaded(text, header)), Status::invalid) << header;
    }
    // A sound one that was not signed, and parts that are not of one spelling.
    EXPECT_EQ(verify("alice", reheaded(text, R"({"alg":"PS256"})")), Status::damaged);
    EXPECT_EQ(verify("alice", reheaded(text, R"({"alg":"PS256","jku":"https://example"})")),
              Status::damaged);
    std::string long_header = R"({"alg":"PS256","x":")" + std::string(jose_header_size_max, 'x');
    EXPECT_EQ(verify("alice", reheaded(text, long_header + "\"}")), Status::invalid);
    std::vector<std::string> parts = parts_of(text);
    parts[1] = "e31";  // "{}" with left-over bits
    EXPECT_EQ(verify("alice", joined(parts)), Status::invalid);
}

TEST_F(JoseTest, signatures_of_the_rfcs_with_other_algorithms_are_refused) {
    // RFC 7515, A.1 (HS256) and A.5 (none).
    for (const char* text :
         {"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
          "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
          "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
          "NvbS9pc19yb290Ijp0cnVlfQ."}) {
        EXPECT_EQ(verify("alice", text), Status::invalid);
    }
}

TEST_F(JoseTest, nothing_is_signed_without_randomness_or_room) {
    (void)jose_test_pem("alice");
    const uint32_t room = jws_size(5);
    EXPECT_EQ(signed_by("alice", "hello", Status::ok, room).size(), room);
    EXPECT_EQ(signed_by("alice", "hello", Status::full, room - 1), "");
    test_random_fail_after(0);
    EXPECT_EQ(signed_by("alice", "hello", Status::failed), "");
}

// --- Envelopes ---

TEST_F(JoseTest, what_is_sealed_is_opened_by_its_key_alone) {
    for (uint32_t size : {0u, 1u, 15u, 16u, 47u, 48u, 49u, 96u, 3000u}) {
        const std::string plain(size, 'p');
        const std::string text = sealed_to("bob", plain);
        ASSERT_EQ(text.size(), jwe_size(size));
        std::string back;
        ASSERT_EQ(open("bob", text, back), Status::ok) << size;
        EXPECT_EQ(back, plain);
        EXPECT_EQ(open("alice", text), Status::damaged);
    }
    const std::string text = sealed_to("bob", "hello");
    const JoseKid kid = jose_kid_of(jose_test_key("bob"));
    EXPECT_EQ(unurl(parts_of(text)[0]),
              "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"cty\":\"JWT\",\"kid\":\"" +
                  string_of(jose_kid_slice(kid)) + "\"}");
    EXPECT_NE(text, sealed_to("bob", "hello"));
}

TEST_F(JoseTest, openssl_unwraps_the_key_of_an_envelope) {
    const std::string text = sealed_to("bob", "hello");
    const std::string dir = tls_files_dir();
    std::ofstream(dir + "/wrapped", std::ios::binary) << unurl(parts_of(text)[1]);
    const std::string line =
        "cd '" + dir + "' && test \"$(openssl pkeyutl -decrypt -inkey jose-bob.pem -in wrapped "
        "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256 | "
        "wc -c)\" -eq 32";
    EXPECT_EQ(system(line.c_str()), 0) << line;
}

TEST_F(JoseTest, no_changed_envelope_is_opened) {
    const std::string text = sealed_to("bob", "hello");
    const std::vector<std::string> parts = parts_of(text);
    ASSERT_EQ(parts.size(), 5u);
    for (size_t part = 0; part < parts.size(); part++) {
        // Each digit of the short parts, some of the wrapped key.
        for (size_t i = 0; i < parts[part].size(); i += part == 1 ? 31 : 1) {
            std::vector<std::string> other = parts;
            other[part][i] = other[part][i] == 'A' ? 'B' : 'A';
            const Status status = open("bob", joined(other));
            ASSERT_TRUE(status == Status::damaged || status == Status::invalid) << part << " " << i;
        }
        std::vector<std::string> other = parts;
        other[part] = "";
        ASSERT_NE(open("bob", joined(other)), Status::ok) << part;
    }
    const std::vector<std::string> two = parts_of(sealed_to("bob", "hello"));
    for (size_t part = 1; part < parts.size(); part++) {
        std::vector<std::string> other = parts;
        other[part] = two[part];
        EXPECT_EQ(open("bob", joined(other)), Status::damaged) << part;
    }
    for (const std::string& other :
         {text + ".", text + "=", "." + text, joined({parts[0], parts[1], parts[2], parts[3]}),
          std::string(""), std::string("....")}) {
        EXPECT_EQ(open("bob", other), Status::invalid) << other;
    }
}

TEST_F(JoseTest, a_wrapped_key_that_is_no_number_of_the_key_or_none_of_256_bits_is_damaged) {
    std::vector<std::string> parts = parts_of(sealed_to("bob", "hello"));
    parts[1] = url(std::string(jose_modulus_size, '\xff'));  // more than the modulus
    EXPECT_EQ(open("bob", joined(parts)), Status::damaged);
    parts[1] = url(std::string(jose_modulus_size, '\0'));
    EXPECT_EQ(open("bob", joined(parts)), Status::damaged);
    const std::string dir = tls_files_dir();
    std::ofstream(dir + "/short-key") << "0123456789abcdef";
    const std::string line =
        "cd '" + dir + "' && openssl pkeyutl -encrypt -inkey jose-bob.pem -in short-key -out wrapped "
        "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256";
    ASSERT_EQ(system(line.c_str()), 0);
    std::ifstream in(dir + "/wrapped", std::ios::binary);
    parts[1] = url(std::string(std::istreambuf_iterator<char>(in), {}));
    EXPECT_EQ(open("bob", joined(parts)), Status::damaged);
}

TEST_F(JoseTest, a_header_with_another_algorithm_is_no_envelope_of_ours) {
    const std::string text = sealed_to("bob", "hello");
    for (const char* header :
         {R"({"alg":"RSA-OAEP","enc":"A256GCM"})", R"({"alg":"RSA1_5","enc":"A256GCM"})",
          R"({"alg":"dir","enc":"A256GCM"})", R"({"alg":"none","enc":"A256GCM"})",
          R"({"alg":"RSA-OAEP-256","enc":"A128GCM"})", R"({"alg":"RSA-OAEP-256","enc":"A256CBC-HS512"})",
          R"({"alg":"RSA-OAEP-256"})", R"({"enc":"A256GCM"})",
          R"({"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"})",
          R"({"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["zip"]})",
          R"({"alg":"RSA-OAEP-256","enc":"A256GCM","crit":"x"})",
          R"({"alg":"RSA-OAEP-256","enc":"A256GCM","enc":"A256GCM"})",
          R"({"alg":"RSA-OAEP-256","enc":"A256GCM","epk":{}})"}) {
        EXPECT_EQ(open("bob", reheaded(text, header)), Status::invalid) << header;
    }
    EXPECT_EQ(open("bob", reheaded(text, R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})")),
              Status::damaged);
}

TEST_F(JoseTest, an_envelope_says_whether_a_signature_is_in_it) {
    const std::string text = sealed_to("bob", "hello");
    Jwe jwe = {};
    ASSERT_EQ(jwe_split(slice_of(text), jwe), Status::ok);
    EXPECT_TRUE(jwe.header.is_nested);
    EXPECT_TRUE(jwe.header.has_kid);
    for (const auto& [cty, nested] : {std::pair{"jwt", true}, {"text/plain", false}, {"", false}}) {
        const std::string other = reheaded(
            text, R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"b","cty":")" + std::string(cty) +
                      "\"}");
        ASSERT_EQ(jwe_split(slice_of(other), jwe), Status::ok);
        EXPECT_EQ(jwe.header.is_nested, nested) << cty;
        EXPECT_FALSE(jwe.header.has_kid);
    }
}

TEST_F(JoseTest, the_envelope_of_the_rfc_with_another_algorithm_is_refused) {
    // RFC 7516, A.1: RSA-OAEP with SHA-1 and a key of 2048 bits; its header, iv, content and tag.
    EXPECT_EQ(open("bob", "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ." +
                              url(std::string(jose_modulus_size, 'k')) +
                              ".48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_"
                              "EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ"),
              Status::invalid);
}

TEST_F(JoseTest, nothing_is_sealed_or_opened_without_randomness_or_room) {
    const std::string text = sealed_to("bob", "hello");
    const uint32_t room = jwe_size(5);
    EXPECT_EQ(sealed_to("bob", "hello", Status::ok, room).size(), room);
    EXPECT_EQ(sealed_to("bob", "hello", Status::full, room - 1), "");
    std::string plain;
    EXPECT_EQ(open("bob", text, plain, 5), Status::ok);
    EXPECT_EQ(open("bob", text, plain, 4), Status::full);
    for (uint32_t calls = 0; calls < 3; calls++) {
        const JoseKey key = jose_test_key("bob");
        test_random_fail_after(calls);
        EXPECT_EQ(written([&](Writer& out) {
                      EXPECT_EQ(jwe_seal(key, slice_of(std::string("x")), out), Status::failed);
                  }),
                  "")
            << calls;
        test_random_mend();
    }
    test_random_fail_after(0);
    EXPECT_EQ(open("bob", text), Status::failed);
}

TEST_F(JoseTest, nothing_is_sealed_to_or_verified_by_a_key_that_is_not_sound) {
    const std::string text = signed_by("alice", "{}");
    for (const uint32_t exponent : {0u, 1u, 3u, 65536u, 65538u}) {
        JoseKey key = jose_test_key("alice");
        key.exponent = exponent;
        EXPECT_FALSE(jose_key_is_sound(key));
        written([&](Writer& out) {
            EXPECT_EQ(jwe_seal(key, slice_of(std::string("x")), out), Status::invalid);
            EXPECT_EQ(jws_verify(key, slice_of(text), out), Status::invalid);
            EXPECT_EQ(out.size, 0u);
        });
    }
}

}  // namespace
