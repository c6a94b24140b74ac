// fuzz.h - what the fuzz targets share: two marks, and a small bank to fuzz into.
//
// A target is one file NAME_fuzz.cpp: it takes the bytes of LLVMFuzzerTestOneInput as a peer, a
// disk or an operator would have sent them, and CHECKs what the headers promise, not only that
// nothing crashes. Each is built twice. With PLANT=1 it crashes where a decoded value is near a
// seed's and not the same: so the fuzzer gets from the seeds to the innermost decoder and beyond.
//
// Everything is a function of the input alone: port.cpp's randomness counts, its log is dropped.
#pragma once

#include <string>

#include "base/check.h"
#include "book.h"

#ifndef PLANT
#define PLANT 0
#endif

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Says that the input got through the innermost decoder. How many did is printed at the end.
void fuzz_mark_reached();

// Begins the count that stands for randomness again, where an input's outcome depends on it.
void fuzz_random_reset();

// Ends the process where PLANT=1 put a crash.
void fuzz_mark_planted();

// --- A small bank: book.cpp ---

inline constexpr LedgerLimits fuzz_limits = {
    .accounts = 8, .ids = 64, .terminals = 4, .holds = 8, .reversible = 64, .items = 4, .orders = 3,
    .message_keys = 8, .messages = 16, .mailbox = 4};
inline constexpr uint32_t fuzz_books_max = 2;

// A book laid out over memory of its own, as the input before left it.
Book& fuzz_book(uint32_t number);

// The bank id of all seeds.
const uint8_t* fuzz_bank_id();

// The amounts that the seeds move; PLANT=1 crashes at another one.
bool fuzz_is_seed_amount(int64_t amount);

// Fills in what an entry must say to follow from what `ledger` has installed: sequence, time, and
// of a movement the balances, the entries before and its place in a group. Leaves alone what it
// would have to invent.
void fuzz_fit_entry(const Ledger& ledger, uint64_t time_ms, Entry& entry);

// CHECKs what holds after every entry: M1, M5, U1, Y1, and M2 and P3 for what it touched.
void fuzz_check_entry(const Ledger& ledger, const Entry& entry);

// E1 for the bytes of an entry that was accepted.
void fuzz_check_encoding(const Entry& entry, Slice bytes);

// Where the ledger stands, as a manifest says it.
SnapshotMark fuzz_mark_of(const Ledger& ledger);

struct FuzzTables {
    std::string tables[table_count];
    std::string manifest;
};

FuzzTables fuzz_tables_of(Ledger& ledger, const SnapshotMark& mark);

// Loads tables into `ledger` as a start does. Returns what the loaders say.
Status fuzz_load(Ledger& ledger, const FuzzTables& tables, Manifest& manifest);

// CHECKs T2: the tables of `ledger` give the same rows and the same text again in `other`.
void fuzz_check_tables(Ledger& ledger, Ledger& other, const SnapshotMark& mark);
