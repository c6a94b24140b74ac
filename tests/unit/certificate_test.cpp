// Keys, certificates and revocation lists, judged by the library's own strict reading.
// tests/wire/test_certs.py has them judged by openssl.
#include "crypto/certificate.h"

#include <gtest/gtest.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "crypto/revocation.h"
#include "unit/slices.h"
#include "unit/test_port.h"

namespace {

constexpr uint64_t now_ms = 1'790'000'000'123;  // 2026-09-21
constexpr uint64_t hour_ms = 3'600'000;
constexpr uint64_t day_ms = 24 * hour_ms;

struct Made {
    std::string certificate;
    std::string key;
};

std::string make_key() {
    return written([](Writer& pem) { EXPECT_EQ(certificate_make_key(pem), Status::ok); });
}

Status make_status(CertificateKind kind, const std::string& name, const std::string& key,
                   const Made& issuer, const std::vector<std::string>& hosts, uint64_t wall_ms,
                   std::string& out) {
    std::vector<Slice> slices;
    for (const std::string& host : hosts) slices.push_back(slice_of(host));
    const CertificateRequest request = {kind, slice_of(name), slices.data(),
                                        static_cast<uint32_t>(slices.size()), wall_ms};
    Status status = Status::ok;
    out = written([&](Writer& pem) {
        status = certificate_make(request, slice_of(key),
                                  {slice_of(issuer.certificate), slice_of(issuer.key)}, pem);
    });
    return status;
}

Made make(CertificateKind kind, const std::string& name, const Made& issuer = {},
          const std::vector<std::string>& hosts = {}, uint64_t wall_ms = now_ms) {
    Made made;
    made.key = make_key();
    EXPECT_EQ(make_status(kind, name, made.key, issuer, hosts, wall_ms, made.certificate),
              Status::ok);
    return made;
}

CertificateFacts facts_of(const std::string& pem) {
    CertificateFacts facts = {};
    EXPECT_EQ(certificate_read(slice_of(pem), facts), Status::ok);
    return facts;
}

RevocationRow row_of(const CertificateFacts& facts, uint64_t wall_ms) {
    RevocationRow row = {};
    std::copy_n(facts.serial, facts.serial_size, row.serial);
    row.serial_size = facts.serial_size;
    row.wall_ms = wall_ms;
    return row;
}

std::string make_list(const Made& issuer, const std::vector<RevocationRow>& rows,
                      uint64_t wall_ms = now_ms, uint32_t days = 0) {
    return written([&](Writer& pem) {
        EXPECT_EQ(revocation_make({slice_of(issuer.certificate), slice_of(issuer.key)}, wall_ms,
                                  days, rows.data(), static_cast<uint32_t>(rows.size()), pem),
                  Status::ok);
    });
}

// One suite, one bank: making keys is what costs time.
struct CertificateTest : testing::Test {
    static Made authority;
    static Made server;
    static Made client;

    static void SetUpTestSuite() {
        crypto_free();
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
        authority = make(CertificateKind::authority, "Test CA 1");
        server = make(CertificateKind::server, "localhost", authority,
                      {"localhost", "127.0.0.1", "::1", "pi", "pi.local"});
        client = make(CertificateKind::client, "alice", authority);
    }

    static void TearDownTestSuite() { crypto_free(); }

    void SetUp() override { crypto_clock_set(now_ms); }
    void TearDown() override { test_random_mend(); }

    // The library's verification: 0, or its flags.
    static uint32_t verify(const std::string& pem, const std::string& list = "",
                           const char* host = nullptr) {
        mbedtls_x509_crt crt;
        mbedtls_x509_crt trusted;
        mbedtls_x509_crl crl;
        mbedtls_x509_crt_init(&crt);
        mbedtls_x509_crt_init(&trusted);
        mbedtls_x509_crl_init(&crl);
        EXPECT_EQ(parse(crt, pem), 0);
        EXPECT_EQ(parse(trusted, authority.certificate), 0);
        if (!list.empty()) {
            EXPECT_EQ(mbedtls_x509_crl_parse(&crl, text_of(list), list.size() + 1), 0);
        }
        uint32_t flags = 0;
        const int answer = mbedtls_x509_crt_verify(&crt, &trusted, list.empty() ? nullptr : &crl,
                                                   host, &flags, nullptr, nullptr);
        EXPECT_EQ(answer == 0, flags == 0);
        mbedtls_x509_crt_free(&crt);
        mbedtls_x509_crt_free(&trusted);
        mbedtls_x509_crl_free(&crl);
        return flags;
    }

    static const unsigned char* text_of(const std::string& pem) {
        return reinterpret_cast<const unsigned char*>(pem.c_str());
    }

    static int parse(mbedtls_x509_crt& crt, const std::string& pem) {
        return mbedtls_x509_crt_parse(&crt, text_of(pem), pem.size() + 1);
    }
};

Made CertificateTest::authority;
Made CertificateTest::server;
Made CertificateTest::client;

TEST_F(CertificateTest, what_is_made_verifies) {
    EXPECT_EQ(verify(server.certificate, make_list(authority, {})), 0u);
    EXPECT_EQ(verify(client.certificate, make_list(authority, {})), 0u);
    for (const char* host : {"localhost", "127.0.0.1", "::1", "pi", "pi.local"}) {
        EXPECT_EQ(verify(server.certificate, "", host), 0u) << host;
    }
    for (const char* host : {"example.org", "127.0.0.2", "::2", "sub.pi.local", "alice"}) {
        EXPECT_NE(verify(server.certificate, "", host), 0u) << host;
    }
    const Made other = make(CertificateKind::authority, "Test CA 1");  // of the same name
    EXPECT_NE(verify(make(CertificateKind::client, "alice", other).certificate), 0u);
}

TEST_F(CertificateTest, each_kind_is_good_for_its_purpose_only) {
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    ASSERT_EQ(parse(crt, server.certificate), 0);
    const auto purpose = [&](const char* oid) {
        return mbedtls_x509_crt_check_extended_key_usage(&crt, oid, 8) == 0;
    };
    EXPECT_TRUE(purpose(MBEDTLS_OID_SERVER_AUTH));
    EXPECT_FALSE(purpose(MBEDTLS_OID_CLIENT_AUTH));
    EXPECT_EQ(mbedtls_x509_crt_check_key_usage(&crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE), 0);
    EXPECT_NE(mbedtls_x509_crt_check_key_usage(&crt, MBEDTLS_X509_KU_KEY_CERT_SIGN), 0);
    mbedtls_x509_crt_free(&crt);

    mbedtls_x509_crt_init(&crt);
    ASSERT_EQ(parse(crt, client.certificate), 0);
    EXPECT_TRUE(purpose(MBEDTLS_OID_CLIENT_AUTH));
    EXPECT_FALSE(purpose(MBEDTLS_OID_SERVER_AUTH));
    mbedtls_x509_crt_free(&crt);

    // A client cannot act as an authority, whatever it signs.
    std::string out;
    EXPECT_EQ(make_status(CertificateKind::client, "mallory", make_key(), client, {}, now_ms, out),
              Status::invalid);
    EXPECT_EQ(out, "");
}

TEST_F(CertificateTest, facts_are_those_asked_for) {
    CertificateFacts facts = facts_of(client.certificate);
    EXPECT_STREQ(facts.name, "alice");
    EXPECT_FALSE(facts.is_authority);
    EXPECT_EQ(facts.not_before_ms, (now_ms - hour_ms) / 1000 * 1000);
    EXPECT_EQ(facts.not_after_ms, (now_ms + 825 * day_ms) / 1000 * 1000);
    facts = facts_of(authority.certificate);
    EXPECT_STREQ(facts.name, "Test CA 1");
    EXPECT_TRUE(facts.is_authority);
    EXPECT_GE(facts.not_after_ms, now_ms + 20 * 365 * day_ms);
    EXPECT_STREQ(facts_of(server.certificate).name, "localhost");
}

TEST_F(CertificateTest, dates_hold_on_both_sides) {
    EXPECT_EQ(verify(client.certificate), 0u);
    crypto_clock_set(now_ms - hour_ms - 2000);
    EXPECT_NE(verify(client.certificate), 0u);
    crypto_clock_set(now_ms - hour_ms + 2000);
    EXPECT_EQ(verify(client.certificate), 0u);
    crypto_clock_set(now_ms + 825 * day_ms + 2000);
    EXPECT_NE(verify(client.certificate), 0u);
}

TEST_F(CertificateTest, every_day_of_four_years_is_written_as_it_is) {
    const std::string key = make_key();
    for (uint64_t day = 0; day < 1461; day += 7) {
        const uint64_t wall_ms = 1'830'000'000'000 + day * day_ms + day * 61'000;
        std::string pem;
        ASSERT_EQ(make_status(CertificateKind::authority, "Days", key, {}, {}, wall_ms, pem),
                  Status::ok);
        const CertificateFacts facts = facts_of(pem);
        ASSERT_EQ(facts.not_before_ms, (wall_ms - hour_ms) / 1000 * 1000) << day;
        ASSERT_EQ(facts.not_after_ms, (wall_ms + 7305 * day_ms) / 1000 * 1000) << day;
    }
}

TEST_F(CertificateTest, nothing_outlives_its_issuer) {
    const uint64_t late_ms = now_ms + 7300 * day_ms;
    const Made late = make(CertificateKind::client, "late", authority, {}, late_ms);
    EXPECT_EQ(facts_of(late.certificate).not_after_ms,
              facts_of(authority.certificate).not_after_ms);
    std::string out;
    EXPECT_EQ(make_status(CertificateKind::client, "later", make_key(), authority, {},
                          now_ms + 8000 * day_ms, out),
              Status::invalid);
}

TEST_F(CertificateTest, serials_are_positive_long_and_fresh) {
    std::set<std::string> seen;
    for (uint32_t i = 0; i < 64; i++) {
        std::string pem;
        ASSERT_EQ(make_status(CertificateKind::authority, "S", authority.key, {}, {}, now_ms, pem),
                  Status::ok);
        const CertificateFacts facts = facts_of(pem);
        EXPECT_EQ(facts.serial_size, 16u);
        EXPECT_EQ(facts.serial[0] & 0xc0, 0x40);
        EXPECT_TRUE(seen.insert(string_of({facts.serial, facts.serial_size})).second);
    }
}

TEST_F(CertificateTest, names_that_are_syntax_are_refused) {
    std::string out;
    for (const char* name : {"", "Alice", "a,CN=admin", "a/b", "a+b=c", "\xc3\xa4", "1abc", "a.",
                             "abcdefghijabcdefghijabcdefghijab", "a b", "#0403"}) {
        EXPECT_EQ(
            make_status(CertificateKind::client, name, client.key, authority, {}, now_ms, out),
            Status::invalid)
            << name;
    }
    for (const char* name : {"", " CA", "CA ", "a,b", "a\"b", "C\\A", "a=b", "\xff"}) {
        EXPECT_EQ(make_status(CertificateKind::authority, name, client.key, {}, {}, now_ms, out),
                  Status::invalid)
            << name;
    }
    EXPECT_EQ(make_status(CertificateKind::authority, std::string(65, 'a'), client.key, {}, {},
                          now_ms, out),
              Status::invalid);
}

TEST_F(CertificateTest, hosts_are_names_or_addresses) {
    for (const char* host : {"localhost", "a", "a.b", "pi-3.local", "10.0.0.1", "255.255.255.255",
                             "::1", "fe80::1", "2001:db8::ff", "xn--bcher-kva.example", "_x.y"}) {
        EXPECT_TRUE(certificate_host_is_valid(slice_of(host))) << host;
    }
    for (const char* host : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "*.a", "a,b", "1.2.3",
                             "256.1.1.1", "1.2.3.4.5", ":::1", "[::1]", "a:1", "\xff", "a/b"}) {
        EXPECT_FALSE(certificate_host_is_valid(slice_of(host))) << host;
    }
    EXPECT_FALSE(certificate_host_is_valid(slice_of(std::string("a\0b", 3))));
    EXPECT_FALSE(certificate_host_is_valid(slice_of(std::string(64, 'a'))));
    EXPECT_TRUE(certificate_host_is_valid(slice_of(std::string(63, 'a'))));
    EXPECT_FALSE(certificate_host_is_valid(slice_of(std::string(254, 'a'))));

    std::string out;
    EXPECT_EQ(make_status(CertificateKind::server, "a", client.key, authority, {}, now_ms, out),
              Status::invalid);  // a server has hosts
    EXPECT_EQ(make_status(CertificateKind::client, "a", client.key, authority, {"a"}, now_ms, out),
              Status::invalid);  // and a client has none
    EXPECT_EQ(make_status(CertificateKind::server, "a", client.key, authority,
                          std::vector<std::string>(certificate_hosts_max + 1, "a"), now_ms, out),
              Status::invalid);
    EXPECT_EQ(make_status(CertificateKind::server, "a", client.key, authority,
                          std::vector<std::string>(certificate_hosts_max, "host.example.org"),
                          now_ms, out),
              Status::ok);
    EXPECT_LE(out.size(), certificate_pem_size_max);
}

TEST_F(CertificateTest, texts_that_are_not_what_they_should_be_are_refused) {
    std::string out;
    const auto with = [&](const std::string& key, const Made& issuer) {
        return make_status(CertificateKind::client, "bob", key, issuer, {}, now_ms, out);
    };
    EXPECT_EQ(with("", authority), Status::invalid);
    EXPECT_EQ(with("no key", authority), Status::invalid);
    EXPECT_EQ(with(client.certificate, authority), Status::invalid);
    EXPECT_EQ(with(client.key, {authority.certificate, client.key}), Status::invalid);
    EXPECT_EQ(with(client.key, {authority.certificate, ""}), Status::invalid);
    EXPECT_EQ(with(client.key, {"", authority.key}), Status::invalid);
    EXPECT_EQ(with(client.key, {"", ""}), Status::invalid);
    EXPECT_EQ(with(client.key, {authority.key, authority.certificate}), Status::invalid);
    EXPECT_EQ(with(std::string(5000, 'x'), authority), Status::invalid);
    for (size_t size = 0; size < authority.certificate.size() - 1; size += 13) {
        EXPECT_EQ(with(client.key, {authority.certificate.substr(0, size), authority.key}),
                  Status::invalid);
    }
    CertificateFacts facts = {};
    EXPECT_EQ(certificate_read(slice_of("x"), facts), Status::invalid);
    EXPECT_EQ(certificate_read({nullptr, 0}, facts), Status::invalid);
}

TEST_F(CertificateTest, keys_and_certificates_are_matched) {
    const auto match = [](const std::string& pem, const std::string& key) {
        return certificate_match(slice_of(pem), slice_of(key));
    };
    EXPECT_EQ(match(client.certificate, client.key), Status::ok);
    EXPECT_EQ(match(client.certificate, server.key), Status::absent);
    EXPECT_EQ(match(client.certificate, "x"), Status::invalid);
    EXPECT_EQ(match("x", client.key), Status::invalid);
}

TEST_F(CertificateTest, without_room_nothing_is_written) {
    uint8_t text[certificate_pem_size_max];
    const CertificateRequest request = {CertificateKind::client, slice_of("carol"), nullptr, 0,
                                        now_ms};
    const CertificateIssuer issuer = {slice_of(authority.certificate), slice_of(authority.key)};
    for (const uint32_t capacity : {0u, 1u, 500u, 600u}) {
        Writer out = writer_of(text, capacity);
        EXPECT_EQ(certificate_make(request, slice_of(client.key), issuer, out), Status::full);
        EXPECT_EQ(out.size, 0u);
        EXPECT_FALSE(out.overflow);
    }
    for (uint32_t capacity = 0; capacity < 220; capacity += 20) {
        std::fill_n(text, sizeof text, uint8_t{0});
        Writer out = writer_of(text, capacity);
        EXPECT_EQ(certificate_make_key(out), Status::full);
        EXPECT_EQ(out.size, 0u);
        // And no part of a private key stays behind.
        EXPECT_TRUE(std::all_of(text, text + sizeof text, [](uint8_t b) { return b == 0; }));
    }
}

TEST_F(CertificateTest, without_randomness_nothing_is_made) {
    uint8_t text[certificate_pem_size_max];
    Writer out = writer_of(text, sizeof text);
    uint32_t before = test_random_calls();
    make_key();
    const uint32_t key_calls = test_random_calls() - before;
    for (uint32_t calls = 0; calls < key_calls; calls++) {
        test_random_fail_after(calls);
        EXPECT_EQ(certificate_make_key(out), Status::failed) << calls;
        test_random_mend();
    }
    std::string made;
    before = test_random_calls();
    EXPECT_EQ(make_status(CertificateKind::client, "dave", client.key, authority, {}, now_ms, made),
              Status::ok);
    const uint32_t certificate_calls = test_random_calls() - before;
    for (uint32_t calls = 0; calls < certificate_calls; calls++) {
        test_random_fail_after(calls);
        EXPECT_NE(
            make_status(CertificateKind::client, "dave", client.key, authority, {}, now_ms, made),
            Status::ok)
            << calls;
        EXPECT_EQ(made, "");
        test_random_mend();
    }
}

TEST_F(CertificateTest, a_revoked_certificate_is_on_the_list_and_refused) {
    const Made bob = make(CertificateKind::client, "bob", authority);
    const std::vector<RevocationRow> rows = {row_of(facts_of(bob.certificate), now_ms)};
    const std::string list = make_list(authority, rows);
    EXPECT_NE(verify(bob.certificate, list) & MBEDTLS_X509_BADCERT_REVOKED, 0u);
    EXPECT_EQ(verify(client.certificate, list), 0u);
    // The list does not run out before the authority does.
    crypto_clock_set(now_ms + 800 * day_ms);
    EXPECT_EQ(verify(client.certificate, list), 0u);
    // A list of somebody else is no list of ours.
    crypto_clock_set(now_ms);
    const Made other = make(CertificateKind::authority, "Test CA 1");
    EXPECT_NE(verify(client.certificate, make_list(other, {})), 0u);
}

TEST_F(CertificateTest, lists_read_back_as_they_were_written) {
    for (const uint32_t count : {0u, 1u, 2u, 100u, revocation_rows_max}) {
        std::vector<RevocationRow> rows(count);
        for (uint32_t i = 0; i < count; i++) {
            rows[i].serial_size = 1 + i % certificate_serial_size_max;
            for (uint32_t at = 0; at < rows[i].serial_size; at++) {
                rows[i].serial[at] = static_cast<uint8_t>(0x11 + i + at) & 0x7f;
            }
            if (rows[i].serial[0] == 0) rows[i].serial[0] = 1;
            rows[i].wall_ms = (now_ms + i * 40 * day_ms) / 1000 * 1000;
        }
        std::string list(revocation_pem_size(count), '\0');
        Writer pem = writer_of(reinterpret_cast<uint8_t*>(list.data()),
                               static_cast<uint32_t>(list.size()));
        ASSERT_EQ(revocation_make({slice_of(authority.certificate), slice_of(authority.key)},
                                  now_ms, 0, rows.data(), count, pem),
                  Status::ok);
        std::vector<RevocationRow> read(count + 1);
        uint32_t read_count = 77;
        ASSERT_EQ(revocation_read(writer_slice(pem), read.data(), count, read_count), Status::ok);
        ASSERT_EQ(read_count, count);
        for (uint32_t i = 0; i < count; i++) {
            EXPECT_EQ(string_of({read[i].serial, read[i].serial_size}),
                      string_of({rows[i].serial, rows[i].serial_size}));
            EXPECT_EQ(read[i].wall_ms, rows[i].wall_ms) << i;
        }
        if (count > 0) {
            EXPECT_EQ(revocation_read(writer_slice(pem), read.data(), count - 1, read_count),
                      Status::full);
        }
    }
}

TEST_F(CertificateTest, lists_are_refused_without_room_rows_or_an_issuer) {
    uint8_t text[8192];
    Writer out = writer_of(text, revocation_pem_size(0) - 1);
    const CertificateIssuer issuer = {slice_of(authority.certificate), slice_of(authority.key)};
    EXPECT_EQ(revocation_make(issuer, now_ms, 0, nullptr, 0, out), Status::full);
    out = writer_of(text, sizeof text);
    RevocationRow row = {};
    row.wall_ms = now_ms;
    EXPECT_EQ(revocation_make(issuer, now_ms, 0, &row, 1, out), Status::invalid);
    row.serial_size = 21;
    EXPECT_EQ(revocation_make(issuer, now_ms, 0, &row, 1, out), Status::invalid);
    EXPECT_EQ(revocation_make({slice_of(client.certificate), slice_of(client.key)}, now_ms, 0,
                              nullptr, 0, out),
              Status::invalid);
    EXPECT_EQ(revocation_make(issuer, UINT64_MAX, 0, nullptr, 0, out), Status::invalid);
    EXPECT_EQ(out.size, 0u);
    test_random_fail_after(0);
    EXPECT_NE(revocation_make(issuer, now_ms, 0, nullptr, 0, out), Status::ok);
    uint32_t count = 0;
    EXPECT_EQ(revocation_read(slice_of("x"), &row, 1, count), Status::invalid);
    EXPECT_EQ(revocation_read({nullptr, 0}, &row, 1, count), Status::invalid);
}

TEST_F(CertificateTest, days_may_be_asked_for_but_not_beyond_the_signer) {
    const auto make_for = [&](uint32_t days, uint64_t wall_ms, Status expected) {
        const std::string key = make_key();
        const CertificateRequest request = {CertificateKind::client, slice_of("alice"), nullptr, 0,
                                            wall_ms, days};
        return written([&](Writer& pem) {
            EXPECT_EQ(certificate_make(request, slice_of(key),
                                       {slice_of(authority.certificate), slice_of(authority.key)},
                                       pem),
                      expected);
        });
    };
    const uint64_t second_ms = now_ms / 1000 * 1000;
    EXPECT_EQ(facts_of(make_for(1, now_ms, Status::ok)).not_after_ms, second_ms + day_ms);
    EXPECT_EQ(facts_of(make_for(0, now_ms, Status::ok)).not_after_ms, second_ms + 825 * day_ms);
    const uint64_t end_ms = facts_of(authority.certificate).not_after_ms;
    EXPECT_EQ(facts_of(make_for(UINT32_MAX, now_ms, Status::ok)).not_after_ms, end_ms);
    EXPECT_EQ(facts_of(make_for(0, end_ms - 1000, Status::ok)).not_after_ms, end_ms);
    // A signer that has ended, be it a second ago, makes nothing.
    make_for(0, end_ms, Status::invalid);
    make_for(0, end_ms + hour_ms / 2, Status::invalid);
}

TEST_F(CertificateTest, an_intermediate_signs_clients_and_no_authorities) {
    const Made issuing = make(CertificateKind::issuing, "Test issuing 1", authority);
    const CertificateFacts facts = facts_of(issuing.certificate);
    EXPECT_TRUE(facts.is_authority);
    EXPECT_EQ(facts.authorities_below, 0u);
    EXPECT_EQ(facts.not_after_ms, now_ms / 1000 * 1000 + 1827 * day_ms);
    const CertificateFacts above = facts_of(authority.certificate);
    EXPECT_EQ(memcmp(facts.issuer_hash, above.subject_hash, hash_size), 0);
    EXPECT_EQ(facts_of(authority.certificate).authorities_below, 1u);
    EXPECT_EQ(facts_of(client.certificate).authorities_below, 0u);

    const Made leaf = make(CertificateKind::client, "carol", issuing);
    EXPECT_NE(verify(leaf.certificate), 0u);
    const std::string chain = leaf.certificate + issuing.certificate;
    EXPECT_EQ(verify(chain), 0u);
    EXPECT_LE(facts_of(leaf.certificate).not_after_ms, facts.not_after_ms);
    // Two lists, each signed by its own; revoked is who is on the one of his signer.
    const std::string lists = make_list(authority, {}) + make_list(issuing, {});
    EXPECT_EQ(verify(chain, lists), 0u);
    const std::vector<RevocationRow> rows = {row_of(facts_of(leaf.certificate), now_ms)};
    EXPECT_NE(verify(chain, make_list(authority, {}) + make_list(issuing, rows)), 0u);
    EXPECT_EQ(verify(chain, make_list(authority, rows) + make_list(issuing, {})), 0u);

    std::string out;
    EXPECT_EQ(make_status(CertificateKind::issuing, "Test issuing 2", leaf.key, issuing, {}, now_ms,
                          out),
              Status::invalid);
    EXPECT_EQ(
        make_status(CertificateKind::issuing, "Test issuing 2", leaf.key, {}, {}, now_ms, out),
        Status::invalid);
}

TEST_F(CertificateTest, an_authority_is_made_anew_with_its_name_and_key) {
    std::string renewed;
    ASSERT_EQ(make_status(CertificateKind::authority, "Test CA 1", authority.key, {}, {},
                          now_ms + 100 * day_ms, renewed),
              Status::ok);
    const CertificateFacts before = facts_of(authority.certificate);
    const CertificateFacts after = facts_of(renewed);
    EXPECT_EQ(memcmp(before.subject_hash, after.subject_hash, hash_size), 0);
    EXPECT_EQ(memcmp(before.key_hash, after.key_hash, hash_size), 0);
    EXPECT_NE(string_of({before.serial, before.serial_size}),
              string_of({after.serial, after.serial_size}));
    const Made old = authority;
    authority.certificate = renewed;
    crypto_clock_set(now_ms + 101 * day_ms);
    EXPECT_EQ(verify(client.certificate), 0u);
    authority = old;
}

TEST_F(CertificateTest, facts_tell_what_a_certificate_is_for) {
    EXPECT_TRUE(facts_of(server.certificate).is_server);
    EXPECT_FALSE(facts_of(server.certificate).is_client);
    EXPECT_TRUE(facts_of(client.certificate).is_client);
    EXPECT_FALSE(facts_of(client.certificate).is_server);
    EXPECT_FALSE(facts_of(authority.certificate).is_client);
    EXPECT_FALSE(facts_of(authority.certificate).is_server);
}

TEST_F(CertificateTest, hosts_are_read_back_so_that_they_can_be_asked_for_again) {
    CertificateHosts hosts;
    ASSERT_EQ(certificate_hosts(slice_of(server.certificate), hosts), Status::ok);
    std::vector<std::string> found;
    for (uint32_t i = 0; i < hosts.count; i++) found.push_back(string_of(hosts.rows[i]));
    EXPECT_EQ(found, (std::vector<std::string>{"localhost", "127.0.0.1",
                                               "0000:0000:0000:0000:0000:0000:0000:0001", "pi",
                                               "pi.local"}));
    const Made again = make(CertificateKind::server, "localhost", authority, found);
    for (const char* host : {"localhost", "127.0.0.1", "::1", "pi", "pi.local"}) {
        EXPECT_EQ(verify(again.certificate, "", host), 0u) << host;
    }
    EXPECT_EQ(certificate_hosts(slice_of(client.certificate), hosts), Status::ok);
    EXPECT_EQ(hosts.count, 0u);
    EXPECT_EQ(certificate_hosts(slice_of("x"), hosts), Status::invalid);
}

TEST_F(CertificateTest, the_first_of_a_chain_is_cut_off_it) {
    Slice first = {};
    const std::string chain = "text before\n" + client.certificate + authority.certificate;
    ASSERT_EQ(certificate_first(slice_of(chain), first), Status::ok);
    EXPECT_EQ(string_of(first), client.certificate);
    EXPECT_EQ(certificate_first(slice_of(client.key), first), Status::absent);
    for (size_t size = 0; size + 1 < client.certificate.size(); size += 7) {
        EXPECT_EQ(certificate_first(slice_of(client.certificate.substr(0, size)), first),
                  Status::absent);
    }
}

TEST_F(CertificateTest, lists_are_cut_off_their_file_and_tell_their_issuer_and_dates) {
    const Made issuing = make(CertificateKind::issuing, "Test issuing 1", authority);
    const std::string one = make_list(authority, {row_of(facts_of(client.certificate), now_ms)});
    const std::string two = make_list(issuing, {}, now_ms, 30);
    const std::string lists = one + "between\n" + two;
    Reader rest = reader_of(slice_of(lists));
    Slice list = {};
    ASSERT_EQ(revocation_next(rest, list), Status::ok);
    EXPECT_EQ(string_of(list), one);
    RevocationFacts facts = {};
    ASSERT_EQ(revocation_facts(list, facts), Status::ok);
    const CertificateFacts signer = facts_of(authority.certificate);
    EXPECT_EQ(memcmp(facts.issuer_hash, signer.subject_hash, hash_size), 0);
    EXPECT_EQ(facts.this_update_ms, now_ms / 1000 * 1000);
    EXPECT_EQ(facts.next_update_ms, signer.not_after_ms);
    EXPECT_EQ(facts.row_count, 1u);
    ASSERT_EQ(revocation_next(rest, list), Status::ok);
    EXPECT_EQ(string_of(list), two);
    ASSERT_EQ(revocation_facts(list, facts), Status::ok);
    EXPECT_EQ(facts.next_update_ms, now_ms / 1000 * 1000 + 30 * day_ms);
    EXPECT_EQ(facts.row_count, 0u);
    EXPECT_EQ(revocation_next(rest, list), Status::absent);
    // Never beyond the signer.
    ASSERT_EQ(revocation_facts(slice_of(make_list(authority, {}, now_ms, UINT32_MAX)), facts),
              Status::ok);
    EXPECT_EQ(facts.next_update_ms, signer.not_after_ms);
    EXPECT_EQ(revocation_facts(slice_of("x"), facts), Status::invalid);
}

TEST_F(CertificateTest, a_renewed_certificate_is_for_the_key_of_the_old_one) {
    const CertificateIssuer issuer = {slice_of(authority.certificate), slice_of(authority.key)};
    const CertificateRequest request = {CertificateKind::client, slice_of("alice"), nullptr, 0,
                                        now_ms + 30 * day_ms};
    const std::string chain = client.certificate + authority.certificate;
    const std::string renewed = written([&](Writer& pem) {
        EXPECT_EQ(certificate_renew(request, slice_of(chain), issuer, pem), Status::ok);
    });
    EXPECT_EQ(certificate_match(slice_of(renewed), slice_of(client.key)), Status::ok);
    EXPECT_EQ(facts_of(renewed).not_after_ms, now_ms / 1000 * 1000 + 855 * day_ms);
    crypto_clock_set(now_ms + 850 * day_ms);
    EXPECT_EQ(verify(renewed), 0u);
    EXPECT_NE(verify(client.certificate), 0u);
    uint8_t text[certificate_pem_size_max];
    Writer out = writer_of(text, sizeof text);
    EXPECT_EQ(certificate_renew(request, slice_of(client.key), issuer, out), Status::invalid);
    EXPECT_EQ(certificate_renew(request, slice_of(client.certificate), {}, out), Status::invalid);
    EXPECT_EQ(out.size, 0u);
}

}  // namespace
