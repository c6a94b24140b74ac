// table.h - a fixed open-addressing hash table from a 64-bit hash to a row number.
//
// It holds no keys: the caller walks the candidates of a hash and compares the rows itself.
//
//     TableCursor at = table_find(table, hash);
//     for (uint32_t row; table_next(table, at, row);) if (is_it(rows[row])) return row;
//
// Linear probing, at most half full, with deletion by backward shift, so that no tombstone ever
// slows a search down. Row numbers are below 2^32 - 1.
//
//   T1. Every row put and not removed is met by the walk of its hash.
//   T2. The order of rows never leaves this file: no reply, digest or file depends on it (P4).
#pragma once

#include "base/arena.h"

struct TableSlot {
    uint32_t hash;  // the upper half of the caller's hash
    uint32_t row;   // row number + 1; 0 is an empty slot
};

struct Table {
    TableSlot* slots;
    uint32_t mask;   // number of slots - 1; the number is a power of two
    uint32_t used;
};

struct TableCursor {
    uint32_t hash;
    uint32_t slot;
};

// Takes room for `rows` rows at half load.
void table_layout(Table& table, Arena& arena, const char* name, uint32_t rows);
void table_clear(Table& table);
void table_put(Table& table, uint64_t hash, uint32_t row);
void table_remove(Table& table, uint64_t hash, uint32_t row);  // the row must be there

TableCursor table_find(const Table& table, uint64_t hash);
// Returns false when the walk of this hash is over.
bool table_next(const Table& table, TableCursor& cursor, uint32_t& out_row);
