// store_seed.h - the first book of a new data directory: its people, what they begin with, and
// what the shop sells.
//
// Written through the same calls that pennyd makes, so nothing about a new book is special:
// genesis, limits, people, opening deposits from `cash`, a closing batch, and a checkpoint.
#pragma once

#include "port/posix/store.h"

inline constexpr uint32_t seed_segment_size = 8 * 1024 * 1024;  // bytes, by default

struct SeedPerson {
    Name name;
    Role role;
    PasswordRecord password;  // PHC text
    int64_t deposit;          // minor units; 0 for none
};

struct SeedItem {
    Name name;
    Title title;
    int64_t price;            // minor units
};

struct SeedBook {
    const char* currency;     // 1 to currency_size_max upper-case letters
    uint8_t scale;
    LedgerLimits limits;
    uint32_t segment_size;    // bytes; seed_segment_size
    uint64_t wall_ms;
    const SeedPerson* people;
    uint32_t person_count;
    const SeedItem* items;
    uint32_t item_count;
};

// What making it takes.
struct SeedMemory {
    Book* book;       // laid out for the limits of the seed, not initialised
    uint8_t* window;  // batch_size_max bytes
};

// Makes the book in a store that was opened in mode `create`. Returns ok with its digest; failed
// with one sentence in `error`, and no journal left behind.
Status store_seed(Store& store, const SeedBook& seed, const SeedMemory& memory, Hash& digest,
                  Writer& error);
