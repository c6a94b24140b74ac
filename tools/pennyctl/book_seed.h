// book_seed.h - the first book of a new data directory: its people and what they begin with.
//
// Written through the same calls that pennyd makes, so nothing about a new book is special:
// genesis, limits, people, opening deposits from `cash`, a closing batch, and a checkpoint.
#pragma once

#include "ledger/ledger.h"

inline constexpr uint32_t seed_segment_size = 8 * 1024 * 1024;  // bytes

struct SeedPerson {
    Name name;
    Role role;
    PasswordRecord password;  // PHC text
    int64_t deposit;          // minor units; 0 for none
};

struct SeedBook {
    const char* data_dir;     // made if it is not there; its parent must be
    const char* currency;     // 1 to currency_size_max upper-case letters
    uint8_t scale;
    LedgerLimits limits;
    uint32_t segment_size;    // bytes; seed_segment_size
    uint64_t wall_ms;
    const SeedPerson* people;
    uint32_t person_count;
};

// Makes the book. Returns ok with its digest; failed with one sentence in `error`, and no journal
// left behind, when the directory holds a book already or cannot be written, or a person cannot be.
Status book_seed(const SeedBook& seed, Hash& digest, Writer& error);
