// revocation.h - writes and reads the list of revoked certificates (CRL, RFC 5280 section 5).
//
// The list is the bank's own file beside its server, so nobody fetches it and it must not run out:
// its next update is due when the authority itself ends. Its number is the time it was made at, in
// seconds, which grows without a counter being kept.
#pragma once

#include "crypto/certificate.h"

inline constexpr uint32_t revocation_rows_max = 512;

struct RevocationRow {
    uint8_t serial[certificate_serial_size_max];
    uint32_t serial_size;  // bytes
    uint64_t wall_ms;      // when it was revoked, ms since 1970 UTC
};

// Bytes of room that revocation_make wants for `row_count` rows.
uint32_t revocation_pem_size(uint32_t row_count);

// Makes a list. Returns ok; invalid for a time out of bounds, an empty serial or an issuer that is
// none; failed without randomness or memory; full when `pem` has less room than the size above.
Status revocation_make(const CertificateIssuer& issuer, uint64_t wall_ms,
                       const RevocationRow* rows, uint32_t row_count, Writer& pem);

// Reads a list. Returns invalid for anything else, full for more than `row_max` rows.
Status revocation_read(Slice pem, RevocationRow* rows, uint32_t row_max, uint32_t& out_count);
