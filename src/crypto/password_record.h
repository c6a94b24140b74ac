// password_record.h - the text of a password record, apart from the hashing: see password.h.
//
// Private to the room. What lies here needs no library, so that a ledger on a board without one can
// tell what a record is.
//
//   A4. A record has one spelling: phc_put writes the very text that phc_parse took.
#pragma once

#include "crypto/password.h"

inline constexpr uint32_t phc_tag_size_min = 16;  // bytes
inline constexpr uint32_t phc_tag_size_max = 64;
inline constexpr uint32_t phc_salt_size_min = 8;  // bytes; RFC 9106, section 3.1
inline constexpr uint32_t phc_salt_size_max = 32;

struct PhcRecord {
    bool is_wrapped;
    uint32_t memory_kib;
    uint32_t passes;
    uint32_t lanes;
    uint8_t salt[phc_salt_size_max];
    uint32_t salt_size;
    uint8_t tag[phc_tag_size_max];
    uint32_t tag_size;
};

// Returns ok, or damaged with `out` as it was for text that is no record.
Status phc_parse(Slice text, PhcRecord& out);

void phc_put(Writer& writer, const PhcRecord& record);
