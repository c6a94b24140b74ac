#include "ledger/holds.h"

#include "base/check.h"

namespace {

// Spreads numbers over the table's slots (Fibonacci hashing, Knuth vol. 3, 6.4).
uint64_t hash_of_number(uint64_t number) { return number * 0x9e3779b97f4a7c15; }

}  // namespace

void holds_layout(Holds& holds, Arena& arena, uint32_t count) {
    pool_layout(holds.pool, arena, "holds", count);
    table_layout(holds.by_number, arena, "  by number", count);
    holds.saved = arena_array<Hold>(arena, "  of a snapshot", count);
}

void holds_init(Holds& holds) {
    pool_init(holds.pool);
    table_clear(holds.by_number);
    holds.given_decided = 0;
    holds.given_installed = 0;
    holds.saved_count = 0;
}

uint32_t holds_find(const Holds& holds, uint64_t number) {
    TableCursor cursor = table_find(holds.by_number, hash_of_number(number));
    uint32_t slot = 0;
    while (table_next(holds.by_number, cursor, slot)) {
        if (holds.pool.slots[slot].number == number) return slot;
    }
    return pool_none;
}

bool holds_has_room(const Holds& holds) { return pool_has_room(holds.pool); }

void holds_open(Holds& holds, const Hold& hold) {
    const uint32_t slot = pool_take(holds.pool);
    CHECK(slot != pool_none);
    holds.pool.slots[slot] = hold;
    table_put(holds.by_number, hash_of_number(hold.number), slot);
}

void holds_undo(Holds& holds) {
    const uint32_t slot = holds_find(holds, holds.given_decided);
    CHECK(slot != pool_none && !holds.pool.slots[slot].installed);
    holds.pool.slots[slot].decided = false;
    holds_settle(holds, slot);
    holds.pool.takes--;  // It is asked for once, when it is booked (pool.h, L3).
    holds.given_decided--;
}

void holds_settle(Holds& holds, uint32_t slot) {
    const Hold& hold = pool_at(holds.pool, slot);
    if (hold.decided || hold.installed) return;
    table_remove(holds.by_number, hash_of_number(hold.number), slot);
    pool_give(holds.pool, slot);
}

void holds_drop(Holds& holds) {
    for (uint32_t slot = 0; slot < holds.pool.count; slot++) {
        if (!pool_is_taken(holds.pool, slot)) continue;
        holds.pool.slots[slot].decided = holds.pool.slots[slot].installed;
        holds_settle(holds, slot);
    }
    holds.given_decided = holds.given_installed;
}

uint32_t holds_find_expired(const Holds& holds, uint32_t debit, uint64_t time_ms) {
    uint32_t oldest = pool_none;
    for (uint32_t slot = 0; slot < holds.pool.count; slot++) {
        if (!pool_is_taken(holds.pool, slot)) continue;
        const Hold& hold = holds.pool.slots[slot];
        if (!hold.decided || hold.debit != debit || hold.expiry_ms > time_ms) continue;
        // The lowest number, so that the choice does not depend on slots (P4).
        if (oldest == pool_none || hold.number < holds.pool.slots[oldest].number) oldest = slot;
    }
    return oldest;
}

void holds_save(Holds& holds) {
    holds.saved_count = 0;
    for (uint32_t slot = 0; slot < holds.pool.count; slot++) {
        if (!pool_is_taken(holds.pool, slot) || !holds.pool.slots[slot].installed) continue;
        // Insertion keeps them ordered; slots are taken nearly in order, so few are moved.
        const Hold& hold = holds.pool.slots[slot];
        uint32_t at = holds.saved_count++;
        for (; at > 0 && holds.saved[at - 1].number > hold.number; at--) {
            holds.saved[at] = holds.saved[at - 1];
        }
        holds.saved[at] = hold;
    }
}
