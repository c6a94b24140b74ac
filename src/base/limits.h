// limits.h - every compile-time bound of the project, with its unit and its reason.
//
// Limits that a configuration may change are rows of config.def; here are those that formats and
// buffers depend on. Relations between them are asserted beside them.
#pragma once

#include <stdint.h>

// Names, ids and texts that people choose.
inline constexpr uint32_t name_size_max = 31;      // bytes; a letter and up to 30 more
inline constexpr uint32_t id_size_max = 32;        // bytes of a client's id: a UUID without dashes
inline constexpr uint32_t memo_size_max = 63;      // bytes of UTF-8
inline constexpr uint32_t title_size_max = 63;     // bytes of UTF-8: a name for people to read
inline constexpr uint32_t password_size_max = 128;  // bytes; more is refused before hashing
inline constexpr uint32_t password_size_min = 8;   // bytes; NIST SP 800-63B's floor
inline constexpr uint32_t pin_size_min = 4;        // digits
inline constexpr uint32_t pin_size_max = 12;       // digits
inline constexpr uint32_t pin_tries_max = 3;       // wrong ones in a row that lock it
inline constexpr uint32_t phc_size_max = 128;      // bytes of one stored password record
inline constexpr uint32_t path_size_max = 255;     // bytes of a file name in the configuration
inline constexpr uint32_t told_size_max = 255;     // bytes of what TELL puts into the log
inline constexpr uint32_t message_sealed_size_max = 4608;  // bytes of a sealed message
inline constexpr uint32_t mailbox_max = 128;       // messages that wait for one person
inline constexpr uint32_t messages_max = 65536;    // that wait for all
inline constexpr uint32_t message_keys_max = 4096;
inline constexpr uint32_t told_per_minute = 60;    // such lines of one person, or of a laboratory

// Money.
inline constexpr uint32_t hold_expires_s_default = 7 * 86400;   // a week, as cards do
inline constexpr uint32_t hold_expires_s_max = 366 * 86400;
inline constexpr uint32_t releases_per_request = 8;  // expired holds that one request may settle
inline constexpr uint32_t group_moves_max = 16;   // movements of one group (MULTI)
inline constexpr uint32_t quantity_max = 1'000'000;    // pieces of one order
inline constexpr uint32_t stock_max = 1'000'000'000;   // pieces of one item
inline constexpr uint32_t asked_max = 32;         // newest ids of each person that are remembered
inline constexpr uint32_t scale_max = 4;                               // decimals
inline constexpr int64_t amount_minor_max = 1'000'000'000'000'000;     // 10^15: one movement
inline constexpr int64_t balance_minor_max = 4'000'000'000'000'000'000;  // keeps sums inside int64
static_assert(balance_minor_max < INT64_MAX - amount_minor_max, "a sum cannot overflow unnoticed");

// Requests. Before login smaller ones hold, so that a stranger costs little.
inline constexpr uint32_t request_words_max = 16;
inline constexpr uint32_t request_size_max = 16384;       // bytes of one whole request
inline constexpr uint32_t login_request_size_max = 1024;  // bytes of one whole request before login
inline constexpr uint32_t enrol_request_size_max = 4352;  // bytes with a certificate request in it
inline constexpr uint32_t inline_size_max = 1024;         // bytes of one inline line
inline constexpr uint32_t header_line_size_max = 32;      // bytes of a '*' or '$' line

// Replies.
inline constexpr uint32_t reply_size_max = 32768;      // bytes of the largest single reply
inline constexpr uint32_t reply_money_size_max = 512;  // bytes of the reply to one money command
inline constexpr uint32_t pipeline_max = 32;           // money requests of one session in flight

// Journal.
inline constexpr uint32_t block_size = 4096;             // bytes; batches start on this boundary
inline constexpr uint32_t batch_size_max = 32 * block_size;  // bytes, all included
inline constexpr uint32_t batch_entries_max = 1024;
inline constexpr uint32_t entry_size_max = 512;          // bytes of one entry
inline constexpr uint32_t segment_size_min = 4 * batch_size_max;
static_assert(batch_size_max % block_size == 0, "a batch is whole blocks");

inline constexpr uint32_t hash_size = 32;  // bytes of a SHA-256
inline constexpr uint32_t bank_id_size = 16;
