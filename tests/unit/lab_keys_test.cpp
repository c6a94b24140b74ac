// What an end loads: which texts are taken, and what is said of the others.
#include "crypto/certificate.h"
#include "unit/jose_keys.h"
#include "unit/lab_kit.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

struct LabKeysTest : LabTest {};

// Loads, and gives the reason where that fails.
std::string load(const std::string& name, const LabWish& wish, Status expected,
                 LabEnd end = LabEnd::server) {
    LabHome home;
    EXPECT_EQ(lab_test_load(home, name, end, wish), expected);
    EXPECT_EQ(home.config.loaded, expected == Status::ok);
    EXPECT_EQ(home.reason == nullptr, expected == Status::ok);
    if (expected != Status::ok) {
        for (const uint8_t byte : home.config.state) EXPECT_EQ(byte, 0);
    }
    return home.reason == nullptr ? "" : home.reason;
}

LabWish with_key(const std::string& pem) {
    LabWish wish;
    wish.key = pem;
    return wish;
}

TEST_F(LabKeysTest, a_made_key_can_be_read_again) {
    const std::string& pem = lab_test_key("server");
    EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    EXPECT_TRUE(pem.ends_with("-----END PRIVATE KEY-----\n"));
    for (const std::string& name : LabNames{"rsa", "hybrid", "dhe"}) {
        load(name, with_key(pem), Status::ok);
    }
}

TEST_F(LabKeysTest, a_key_is_made_where_none_is_given) {
    LabHome first;
    LabHome second;
    ASSERT_EQ(lab_test_load(first, "dhe", LabEnd::client, {}), Status::ok);
    ASSERT_EQ(lab_test_load(second, "rsa", LabEnd::client, {}), Status::ok);
    EXPECT_FALSE(hash_equal(lab_config_fingerprint(first.config),
                            lab_config_fingerprint(second.config)));
    const LabKeys& keys = lab_keys(first.config);
    EXPECT_EQ(mbedtls_x509_crt_get_ca_istrue(&keys.certificate), 1);
    EXPECT_GT(keys.certificate.raw.len, 0u);
}

TEST_F(LabKeysTest, the_fingerprint_is_that_of_the_public_key) {
    LabHome home;
    ASSERT_EQ(lab_test_load(home, "rsa", LabEnd::server, with_key(lab_test_key("server"))),
              Status::ok);
    const LabKeys& keys = lab_keys(home.config);
    EXPECT_EQ(keys.spki_size, 294u);
    EXPECT_TRUE(hash_equal(hash_of({keys.spki, keys.spki_size}),
                           lab_config_fingerprint(home.config)));
    LabHome without;
    ASSERT_EQ(lab_test_load(without, "psk", LabEnd::server, {}), Status::ok);
    EXPECT_TRUE(hash_equal(lab_config_fingerprint(without.config), Hash{}));
}

TEST_F(LabKeysTest, a_passphrase_has_exactly_16_bytes_and_perhaps_a_line_end) {
    LabWish wish;
    for (const char* text : {"0123456789abcdef", "0123456789abcdef\n", "0123456789abcdef\r\n"}) {
        wish.passphrase = text;
        LabHome home;
        ASSERT_EQ(lab_test_load(home, "psk", LabEnd::server, wish), Status::ok);
        EXPECT_EQ(string_of({lab_keys(home.config).passphrase, lab_passphrase_size}),
                  "0123456789abcdef");
    }
    for (const char* text : {"", "\n", "0123456789abcde", "0123456789abcdefg", "0123456789abcdef\r",
                             "0123456789abcdef\n\n", "0123456789abcd\r\n"}) {
        wish.passphrase = text;
        EXPECT_EQ(load("psk", wish, Status::invalid), "the passphrase has not exactly 16 bytes");
    }
}

TEST_F(LabKeysTest, a_channel_looks_only_at_what_it_needs) {
    LabWish wish;
    wish.key = wish.certificate = wish.ca = wish.passphrase = "nothing of the kind";
    load("xor", wish, Status::ok);
    wish.passphrase = "0123456789abcdef";
    load("psk", wish, Status::ok);
    wish.key = lab_test_key("server");
    wish.passphrase.clear();
    load("rsa", wish, Status::ok);
}

TEST_F(LabKeysTest, only_rsa_keys_of_2048_bits_are_taken) {
    constexpr char reason[] = "the key file holds no private key of RSA with 2048 bits";
    const std::string& good = lab_test_key("server");
    for (const std::string& pem :
         {std::string("nonsense"), jose_test_pem("alice"), tls_file("server.key"),
          good.substr(0, good.size() / 2), std::string(5000, 'x')}) {
        EXPECT_EQ(load("rsa", with_key(pem), Status::invalid), reason);
    }
}

TEST_F(LabKeysTest, a_certificate_belongs_to_the_key) {
    LabWish wish = with_key(lab_test_key("server"));
    wish.certificate = lab_test_certificate("lab", "server");
    load("dhe", wish, Status::ok);
    wish.certificate = lab_test_certificate("lab", "client");
    EXPECT_EQ(load("dhe", wish, Status::absent), "the key does not belong to the certificate");
    wish.certificate = tls_file("server.crt");
    EXPECT_EQ(load("dhe", wish, Status::absent), "the key does not belong to the certificate");
    wish.certificate = "nonsense";
    EXPECT_EQ(load("dhe", wish, Status::invalid),
              "the certificate file holds no readable certificate");
    wish.key.clear();
    EXPECT_EQ(load("dhe", wish, Status::absent),
              "there is a certificate, and no key that belongs to it");
}

TEST_F(LabKeysTest, a_ca_is_readable) {
    LabWish wish = with_key(lab_test_key("server"));
    wish.ca = lab_test_ca("lab");
    load("dhe", wish, Status::ok);
    wish.ca = "nonsense";
    EXPECT_EQ(load("dhe", wish, Status::invalid), "the CA file holds no readable certificate");
}

TEST_F(LabKeysTest, without_randomness_nothing_is_made) {
    for (const uint32_t calls : {0u, 1u, 10u}) {
        test_random_fail_after(calls);
        EXPECT_EQ(load("rsa", {}, Status::failed), "no memory, or no random bytes");
        uint8_t bytes[4096];
        Writer pem = writer_of(bytes, sizeof bytes);
        test_random_fail_after(calls);
        EXPECT_EQ(lab_key_make(pem), Status::failed);
        EXPECT_EQ(pem.size, 0u);
        test_random_mend();
    }
    test_random_fail_after(0);  // The certificate has a random number.
    EXPECT_EQ(load("dhe", with_key(lab_test_key("server")), Status::failed),
              "no memory, or no random bytes");
}

TEST_F(LabKeysTest, a_key_without_room_is_not_there) {
    uint8_t bytes[1000];
    Writer pem = writer_of(bytes, sizeof bytes);
    EXPECT_EQ(lab_key_make(pem), Status::full);
    EXPECT_EQ(pem.size, 0u);
    EXPECT_EQ(string_of({bytes, sizeof bytes}).find("BEGIN"), std::string::npos);
}

TEST_F(LabKeysTest, only_the_built_channels_are_found) {
    for (const std::string& name : lab_names) {
        const LabOps* ops = lab_find(slice_of(name));
        ASSERT_NE(ops, nullptr);
        EXPECT_EQ(lab_properties_of(*ops).name, name);
    }
    for (const char* name : {"tls", "", "rs", "rsaa", "RSA"}) {
        EXPECT_EQ(lab_find(slice_of(name)), nullptr);
    }
}

}  // namespace
