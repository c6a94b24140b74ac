// enrol_code.h - the code by which a terminal gets its first certificate: what a person types.
//
// It is made by `pennyctl enrol` and used once. Its first half proves to the server that the
// terminal may have a certificate; its second half proves to the terminal, before it says any of
// the first, that the server is the bank's.
//
//     SSSS-SSSS-SSSS-SSSS-AAAA-AAAA-AAAA-AAAA      32 characters of 5 bits each
//     80 random bits      80 first bits of SHA-256 over the DER of the bank's CA certificate
//
// The characters are Crockford's: digits and letters without I L O U, in any case. Who reads O for
// 0, or I or L for 1, is understood. Hyphens are passed over wherever they stand.
//
//   C1. Nothing on disk tells a code: a file of it has the name of its first half's hash.
#pragma once

#include "crypto/hash.h"

inline constexpr uint32_t enrol_half_size = 10;             // bytes
inline constexpr uint32_t enrol_code_text_size = 39;        // bytes, hyphens included
inline constexpr uint32_t enrol_code_text_size_max = 80;    // bytes of one that is looked at
inline constexpr uint32_t enrol_hash_text_size = 32;        // hex digits of half a SHA-256

struct EnrolCode {
    uint8_t secret[enrol_half_size];
    uint8_t anchor[enrol_half_size];
};

// Reads what a person typed. Returns invalid for anything but 32 such characters.
Status enrol_code_parse(Slice text, EnrolCode& out);

void put_enrol_code(Writer& out, const EnrolCode& code);

// The second half for a CA whose certificate has this SHA-256, and whether it was made for this one.
void enrol_code_set_anchor(EnrolCode& code, const Hash& ca);
bool enrol_code_fits(const EnrolCode& code, const Hash& ca);

// C1: puts 32 hex digits.
void put_enrol_hash(Writer& out, const EnrolCode& code);
