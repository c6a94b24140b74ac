// book_memory.h - one mapping of memory that holds a book, for the verbs that need one.
//
// The verbs know the limits only when they have looked, so the mapping is made then, measured by
// the same layout that pennyd uses. Given back at the end of the verb.
#pragma once

#include "book.h"

struct BookMemory {
    Book book;
    uint8_t* window;  // batch_size_max bytes, for store_recover and checkpoints
    Arena arena;
};

// Lays out `memory.book`, not initialised, for these limits. Returns oom when there is no memory.
Status book_memory_take(BookMemory& memory, const LedgerLimits& limits);
void book_memory_give(BookMemory& memory);
