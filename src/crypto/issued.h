// issued.h - the register of certificates that were signed: one line of text for each.
//
// pennyctl keeps certs/issued, pennyd data/issued; both append a line, and sync it, before they
// hand a certificate out, so that what a lost machine carries can be revoked without having it.
// Lays out text and judges text; opens no file.
//
//     SERIALHEX NOTBEFORE NOTAFTER KIND SIGNER NAME\n
//     4f0c…e1 2026-12-01T14:00:00Z 2029-03-05T15:00:00Z client ca till-1
//
// The name is last, since an authority's has blanks in it. A missing file is an empty register, and
// a last line without its end was not finished before a cut: both are the reader's to pass over.
#pragma once

#include "crypto/certificate.h"

inline constexpr uint32_t issued_line_size_max =
    2 * certificate_serial_size_max + 1 + 2 * 21 + 10 + 8 + certificate_name_size_max + 1;

enum class IssuedSigner : uint8_t { ca, issuing, self };

struct IssuedRow {
    uint8_t serial[certificate_serial_size_max];
    uint32_t serial_size;    // bytes, at least 1
    uint64_t not_before_ms;  // ms since 1970 UTC; whole seconds are kept
    uint64_t not_after_ms;
    CertificateKind kind;
    IssuedSigner signer;
    char name[certificate_name_size_max + 1];  // NUL-terminated; printable ASCII, never empty
};

// The row of a certificate. Returns invalid for a text that is no certificate, or whose name cannot
// stand in a line.
Status issued_row_of(Slice pem, CertificateKind kind, IssuedSigner signer, IssuedRow& out);

// Puts a row and its end of line.
void issued_put_line(const IssuedRow& row, Writer& out);

// Takes a line without its end. Returns ok; invalid, with `out` as it was, for anything that
// issued_put_line would not have written.
Status issued_parse_line(Slice line, IssuedRow& out);

// "ca", "issuing", "self".
const char* issued_signer_name(IssuedSigner signer);
