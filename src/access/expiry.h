// expiry.h - which certificates end soon: the server's own, its authorities', and those of
// terminals that have been here.
//
// Told about each certificate when it is loaded or seen, this says when somebody should be warned.
// It judges nobody: whoever comes with a certificate that has ended is the channel's business.
// Memory is one table from the arena, a row per certificate that is told apart.
//
//     expiry_note ──► row ──(30, 7, 1 days before its end, and at it)──► expiry_next, once each
//
//   W1. A row is told once at each of expiry_days; a renewed certificate is told anew.
//   W2. There is one row for each name of each kind: that of a terminal is of the certificate that
//       was seen last. When no row is left, the one that ends last gives its place to one that ends
//       sooner.
#pragma once

#include "base/arena.h"
#include "base/text.h"

enum class ExpiryKind : uint8_t { server, authority, issuing, revocations, terminal };
inline constexpr uint32_t expiry_kind_count = 5;

inline constexpr uint32_t expiry_days[] = {30, 7, 1, 0};  // before its end
inline constexpr uint32_t expiry_days_count = sizeof expiry_days / sizeof expiry_days[0];

struct ExpiryRow {
    uint64_t not_after_ms;  // wall clock, ms since 1970 UTC
    Name name;              // of a terminal; size 0 for the others
    ExpiryKind kind;
    uint8_t told;           // of expiry_days, so many
};

struct Expiry {
    ExpiryRow* rows;
    uint32_t count;
    uint32_t capacity;
};

// `terminals` rows beside those of the server's own.
void expiry_layout(Expiry& expiry, Arena& arena, uint32_t terminals);
void expiry_init(Expiry& expiry);

// A certificate was loaded or seen. With `not_after_ms` 0 there is none any more.
void expiry_note(Expiry& expiry, ExpiryKind kind, const Name& name, uint64_t not_after_ms);

// Finds a certificate that somebody is to be warned of now, and counts it as told (W1). Returns
// false when there is none; else call again.
bool expiry_next(Expiry& expiry, uint64_t wall_ms, ExpiryRow& out);

// The one of its kind that ends first; nullptr when there is none.
const ExpiryRow* expiry_first(const Expiry& expiry, ExpiryKind kind);

uint32_t expiry_count(const Expiry& expiry, ExpiryKind kind);

// How many of a kind end within so many days; those that have ended are among them.
uint32_t expiry_within(const Expiry& expiry, ExpiryKind kind, uint64_t wall_ms, uint32_t days);

// Whole days that are left at that time; 0 for less, and for one that has ended.
uint64_t expiry_days_left(const ExpiryRow& row, uint64_t wall_ms);

// "server certificate", "certificate of terminal" and so on, for sentences.
const char* expiry_kind_name(ExpiryKind kind);
