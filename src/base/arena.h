// arena.h - the one reservation of memory that everything is cut from (P5).
//
// Laid out twice by the same code: first over no memory, which only adds up (pennyd -m), then over
// a reservation of just that size. After arena_seal nothing can be taken any more. The port owns
// the memory; rooms own the arrays they took for the life of the process.
//
//     measure: base == nullptr ──arena_take──► sum known ──port reserves──► arena_take ──► seal
//
//   R1. arena_take returns nullptr exactly while measuring.
//   R2. The rows' bytes add up to `used`, alignment included.
#pragma once

#include <stdint.h>

#include "base/check.h"

inline constexpr uint32_t arena_rows_max = 128;
inline constexpr uint32_t arena_align = 64;  // bytes; a cache line, and enough for every type

struct ArenaRow {
    const char* name;  // what the memory is for; a literal
    uint64_t count;
    uint64_t size;     // bytes of one
    uint64_t bytes;    // count * size, rounded up to arena_align
};

struct Arena {
    uint8_t* base;    // nullptr while measuring
    uint64_t size;    // bytes reserved; 0 while measuring
    uint64_t used;    // bytes taken
    bool sealed;
    uint32_t row_count;
    ArenaRow rows[arena_rows_max];
};

// Takes zeroed memory for `count` objects of `size` bytes and notes it under `name`.
void* arena_take(Arena& arena, const char* name, uint64_t count, uint64_t size);

// From now on every arena_take is our own mistake.
void arena_seal(Arena& arena);

template <typename Type>
Type* arena_array(Arena& arena, const char* name, uint64_t count) {
    static_assert(alignof(Type) <= arena_align);
    return static_cast<Type*>(arena_take(arena, name, count, sizeof(Type)));
}
