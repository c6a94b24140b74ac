#include "base/table.h"

namespace {

uint32_t upper_half(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

uint32_t home_of(const Table& table, uint32_t hash) { return hash & table.mask; }

}  // namespace

void table_layout(Table& table, Arena& arena, const char* name, uint32_t rows) {
    CHECK(rows < UINT32_MAX / 4);
    uint32_t slots = 8;
    while (slots < 2 * rows) slots *= 2;
    table.mask = slots - 1;
    table.slots = arena_array<TableSlot>(arena, name, slots);
}

void table_clear(Table& table) {
    for (uint32_t i = 0; i <= table.mask; i++) {
        // Untouched pages of a fresh reservation stay untouched.
        if (table.slots[i].row != 0) table.slots[i] = {};
    }
    table.used = 0;
}

void table_put(Table& table, uint64_t hash, uint32_t row) {
    CHECK(table.used <= table.mask / 2);
    const uint32_t half = upper_half(hash);
    uint32_t slot = home_of(table, half);
    while (table.slots[slot].row != 0) slot = (slot + 1) & table.mask;
    table.slots[slot] = {half, row + 1};
    table.used++;
}

void table_remove(Table& table, uint64_t hash, uint32_t row) {
    uint32_t hole = home_of(table, upper_half(hash));
    while (table.slots[hole].row != row + 1) {
        CHECK(table.slots[hole].row != 0);
        hole = (hole + 1) & table.mask;
    }
    // Whoever probed past the hole moves back into it, unless that would put it before its home.
    for (uint32_t slot = (hole + 1) & table.mask; table.slots[slot].row != 0;
         slot = (slot + 1) & table.mask) {
        const uint32_t home = home_of(table, table.slots[slot].hash);
        const uint32_t from_home = (slot - home) & table.mask;
        const uint32_t from_hole = (slot - hole) & table.mask;
        if (from_home < from_hole) continue;
        table.slots[hole] = table.slots[slot];
        hole = slot;
    }
    table.slots[hole] = {};
    table.used--;
}

TableCursor table_find(const Table& table, uint64_t hash) {
    const uint32_t half = upper_half(hash);
    return {half, home_of(table, half)};
}

bool table_next(const Table& table, TableCursor& cursor, uint32_t& out_row) {
    while (table.slots[cursor.slot].row != 0) {
        const TableSlot found = table.slots[cursor.slot];
        cursor.slot = (cursor.slot + 1) & table.mask;
        if (found.hash != cursor.hash) continue;
        out_row = found.row - 1;
        return true;
    }
    return false;
}
