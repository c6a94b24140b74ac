// The register of what was signed: lines written, read back, and everything else refused.
#include "crypto/issued.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/crypto.h"
#include "unit/slices.h"

namespace {

IssuedRow row_of(CertificateKind kind, IssuedSigner signer, const std::string& name) {
    IssuedRow row = {};
    for (uint32_t i = 0; i < 16; i++) row.serial[i] = static_cast<uint8_t>(0x4f + i);
    row.serial_size = 16;
    row.not_before_ms = 1'790'000'000'000;
    row.not_after_ms = 1'861'280'000'000;
    row.kind = kind;
    row.signer = signer;
    name.copy(row.name, sizeof row.name - 1);
    return row;
}

std::string line_of(const IssuedRow& row) {
    return written([&](Writer& out) { issued_put_line(row, out); }, issued_line_size_max);
}

Status parse(const std::string& line) {
    IssuedRow row = {};
    return issued_parse_line(slice_of(line), row);
}

TEST(Issued, a_line_is_as_the_header_says) {
    EXPECT_EQ(line_of(row_of(CertificateKind::client, IssuedSigner::issuing, "till-1")),
              "4f505152535455565758595a5b5c5d5e 2026-09-21T14:13:20Z 2028-12-24T14:13:20Z client "
              "issuing till-1\n");
}

TEST(Issued, lines_read_back_as_they_were_written) {
    for (uint32_t kind = 0; kind < certificate_kind_count; kind++) {
        for (uint32_t signer = 0; signer < 3; signer++) {
            for (const std::string& name : {std::string("a"), std::string("Pennybank CA 0123abcd"),
                                           std::string(certificate_name_size_max, 'x')}) {
                IssuedRow row = row_of(static_cast<CertificateKind>(kind),
                                       static_cast<IssuedSigner>(signer), name);
                row.serial_size = 1 + kind * 6 + signer % 2;
                for (uint32_t i = row.serial_size; i < sizeof row.serial; i++) row.serial[i] = 0;
                const std::string line = line_of(row);
                ASSERT_EQ(line.back(), '\n');
                IssuedRow read = {};
                ASSERT_EQ(issued_parse_line(slice_of(line.substr(0, line.size() - 1)), read),
                          Status::ok)
                    << line;
                EXPECT_EQ(string_of({read.serial, read.serial_size}),
                          string_of({row.serial, row.serial_size}));
                EXPECT_EQ(read.not_before_ms, row.not_before_ms);
                EXPECT_EQ(read.not_after_ms, row.not_after_ms);
                EXPECT_EQ(read.kind, row.kind);
                EXPECT_EQ(read.signer, row.signer);
                EXPECT_STREQ(read.name, row.name);
            }
        }
    }
}

TEST(Issued, everything_else_is_refused) {
    const std::string line = line_of(row_of(CertificateKind::server, IssuedSigner::ca, "pi.local"));
    const std::string good = line.substr(0, line.size() - 1);
    ASSERT_EQ(parse(good), Status::ok);
    // Cut inside its name a line is one of another name; that it has an end tells them apart.
    for (size_t size = 0; size < good.size() - 7; size++) {
        EXPECT_EQ(parse(good.substr(0, size)), Status::invalid) << size;
    }
    for (size_t at = 0; at < good.size() - 8; at++) {
        for (const char byte : {'\0', '\n', 'G', ' ', '/'}) {
            if (good[at] == byte) continue;
            std::string other = good;
            other[at] = byte;
            EXPECT_EQ(parse(other), Status::invalid) << at << " " << byte;
        }
    }
    EXPECT_EQ(parse(line), Status::invalid);  // with its end
    EXPECT_EQ(parse(good + " "), Status::invalid);
    EXPECT_EQ(parse(good + "\x80"), Status::invalid);
    EXPECT_EQ(parse(good + std::string(certificate_name_size_max, 'x')), Status::invalid);
    EXPECT_EQ(parse("4F" + good.substr(2)), Status::invalid);
    EXPECT_EQ(parse("00" + good), Status::ok);      // Serials of others may begin so,
    EXPECT_EQ(parse("00000000" + good), Status::ok);
    EXPECT_EQ(parse("0000000000" + good), Status::invalid);  // but never with more than 20 bytes.
}

TEST(Issued, a_row_is_what_the_certificate_says) {
    crypto_free();
    ASSERT_EQ(crypto_init(nullptr), Status::ok);
    constexpr uint64_t now_ms = 1'790'000'000'123;
    const std::string key = written([](Writer& out) {
        EXPECT_EQ(certificate_make_key(out), Status::ok);
    });
    const CertificateRequest request = {CertificateKind::authority, slice_of("Test CA 1"), nullptr,
                                        0, now_ms};
    const std::string pem = written([&](Writer& out) {
        EXPECT_EQ(certificate_make(request, slice_of(key), {}, out), Status::ok);
    });
    IssuedRow row = {};
    ASSERT_EQ(issued_row_of(slice_of(pem), CertificateKind::authority, IssuedSigner::self, row),
              Status::ok);
    const std::string line = line_of(row);
    EXPECT_EQ(line.substr(32),
              " 2026-09-21T13:13:20Z 2046-09-21T14:13:20Z authority self Test CA 1\n");
    EXPECT_EQ(issued_row_of(slice_of("x"), CertificateKind::client, IssuedSigner::ca, row),
              Status::invalid);
    crypto_free();
}

}  // namespace
