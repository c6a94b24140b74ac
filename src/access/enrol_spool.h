// enrol_spool.h - the files by which pennyctl and pennyd enrol terminals together: their names and
// what is in them. Lays out text and judges text; opens no file.
//
//     data/enrol/           0700; files 0600, each written under another name, synced and renamed
//       HASH.code           who may enrol with the code of that hash, and until when
//       HASH.csr            the request that came with it (PEM): the code is bound to its key
//       HASH.crt            the answer: the terminal's certificate, and its signer's where that is
//                           not the CA
//       renew-NAME.csr      the same of a renewal, where the server does not sign by itself
//       renew-NAME.crt
//
//     pennyctl enrol NAME     HASH.code ──► ENROL ──► HASH.csr ──► HASH.crt      signed by pennyd,
//                                           RENEW ──► renew-NAME.csr ──► …       or by pennyctl
//
//   B1. A code is good for one public key: that of HASH.crt, else of HASH.csr. Whoever has that key
//       gets the same answer again, and nobody else gets any.
#pragma once

#include "access/enrol_code.h"
#include "base/text.h"

inline constexpr uint32_t enrol_codes_max = 1024;       // that wait to be used
inline constexpr uint32_t enrol_grant_size_max = 128;   // bytes of HASH.code
inline constexpr uint32_t enrol_base_size_max = 6 + name_size_max;  // of a name without its ending
inline constexpr char enrol_folder[] = "enrol";         // in the data folder
inline constexpr char enrol_register[] = "issued";      // in the data folder; see crypto/issued.h
static_assert(enrol_base_size_max >= enrol_hash_text_size);

// "HASH" or "renew-NAME", NUL-terminated.
struct EnrolBase {
    char text[enrol_base_size_max + 1];
};

EnrolBase enrol_base_of_code(const EnrolCode& code);
EnrolBase enrol_base_of_renewal(const Name& terminal);

// True for a name of that kind; `out` is the terminal's of a renewal, and size 0 for a code.
bool enrol_base_parse(Slice text, Name& out);

// What HASH.code says.
struct EnrolGrant {
    Name name;            // of the terminal
    uint64_t expires_ms;  // ms since 1970 UTC, whole seconds
};

void put_enrol_grant(Writer& out, const EnrolGrant& grant);

// Returns damaged for what put_enrol_grant would not have written.
Status enrol_grant_parse(Slice text, EnrolGrant& out);
