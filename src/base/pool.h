// pool.h - a fixed number of objects of one type: an array, a free list, and counts for INFO.
//
// The array is the caller's (from an Arena). A full pool is an answer, not a crash. Each slot has a
// generation, so that a number remembered across time can be told from the slot's next tenant.
//
//   L1. A slot is either on the free list or taken; taking bumps its generation.
//   L2. taken <= taken_max <= count.
//   L3. The take with the number `refuse_at`, from 0 since pool_init, is answered as if the pool
//       were full; nobody but a test sets it.
#pragma once

#include <stdint.h>

#include "base/arena.h"

inline constexpr uint32_t pool_none = UINT32_MAX;

template <typename Type>
struct Pool {
    Type* slots;
    uint32_t* next;        // free list: index of the next free slot
    uint32_t* generation;  // counts the tenants of a slot; odd while taken
    uint32_t count;
    uint32_t free_first;
    uint32_t taken;
    uint32_t taken_max;    // high-water mark
    uint64_t takes;        // ever asked for
    uint64_t refuse_at;    // L3; UINT64_MAX: none is
};

template <typename Type>
void pool_layout(Pool<Type>& pool, Arena& arena, const char* name, uint32_t count) {
    pool.count = count;
    pool.slots = arena_array<Type>(arena, name, count);
    pool.next = arena_array<uint32_t>(arena, "  free list", count);
    pool.generation = arena_array<uint32_t>(arena, "  generations", count);
}

template <typename Type>
void pool_init(Pool<Type>& pool) {
    for (uint32_t i = 0; i < pool.count; i++) {
        pool.next[i] = i + 1 < pool.count ? i + 1 : pool_none;
        pool.generation[i] = 0;
    }
    pool.free_first = pool.count > 0 ? 0 : pool_none;
    pool.taken = 0;
    pool.taken_max = 0;
    pool.takes = 0;
    pool.refuse_at = UINT64_MAX;
}

// True when pool_take would give a slot now.
template <typename Type>
bool pool_has_room(const Pool<Type>& pool) {
    return pool.free_first != pool_none && pool.takes != pool.refuse_at;
}

// Returns the index of a slot, or pool_none when all are taken (or L3). Its bytes are as left.
template <typename Type>
uint32_t pool_take(Pool<Type>& pool) {
    const uint32_t index = pool.free_first;
    const bool is_refused = pool.takes++ == pool.refuse_at;
    if (index == pool_none || is_refused) return pool_none;
    pool.free_first = pool.next[index];
    pool.generation[index]++;
    pool.taken++;
    if (pool.taken > pool.taken_max) pool.taken_max = pool.taken;
    return index;
}

template <typename Type>
void pool_give(Pool<Type>& pool, uint32_t index) {
    CHECK(index < pool.count);
    CHECK(pool.generation[index] % 2 == 1);
    pool.generation[index]++;
    pool.next[index] = pool.free_first;
    pool.free_first = index;
    pool.taken--;
}

template <typename Type>
bool pool_is_taken(const Pool<Type>& pool, uint32_t index) {
    CHECK(index < pool.count);
    return pool.generation[index] % 2 == 1;
}

template <typename Type>
Type& pool_at(Pool<Type>& pool, uint32_t index) {
    CHECK(index < pool.count);
    CHECK(pool.generation[index] % 2 == 1);
    return pool.slots[index];
}
