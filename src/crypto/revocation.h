// revocation.h - writes and reads the list of revoked certificates (CRL, RFC 5280 section 5).
//
// The list is the bank's own file beside its server, so nobody fetches it and it must not run out:
// its next update is due when the authority itself ends, unless somebody who renews it in time asks
// for less. Its number is the time it was made at, in seconds, which grows without a counter being
// kept. A file holds one list of each signer, one behind the other.
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

// What a list says beside its rows.
struct RevocationFacts {
    uint8_t issuer_hash[hash_size];  // SHA-256 of its issuer's name in DER, as in CertificateFacts
    uint64_t this_update_ms;         // ms since 1970 UTC
    uint64_t next_update_ms;         // 0 where none is named
    uint32_t row_count;
};

// Makes a list whose next update is due `days` from now, and with its issuer's end at the latest;
// at that end for 0. Returns ok; invalid for a time out of bounds, an empty serial or an issuer
// that is none or has ended; failed without randomness or memory; full when `pem` has less room
// than the size above.
Status revocation_make(const CertificateIssuer& issuer, uint64_t wall_ms, uint32_t days,
                       const RevocationRow* rows, uint32_t row_count, Writer& pem);

// Cuts the next list off a file of several: `out` is where it stands. Returns absent when there is
// no further one.
Status revocation_next(Reader& lists, Slice& out);

// Reads the first list of a text. Returns invalid for anything else, full for more than `row_max`
// rows.
Status revocation_read(Slice pem, RevocationRow* rows, uint32_t row_max, uint32_t& out_count);
Status revocation_facts(Slice pem, RevocationFacts& out);
