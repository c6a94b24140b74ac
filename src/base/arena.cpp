#include "base/arena.h"

void* arena_take(Arena& arena, const char* name, uint64_t count, uint64_t size) {
    CHECK(!arena.sealed);
    CHECK(arena.row_count < arena_rows_max);
    CHECK(size == 0 || count <= UINT64_MAX / 2 / size);
    const uint64_t bytes = (count * size + arena_align - 1) / arena_align * arena_align;
    arena.rows[arena.row_count++] = {name, count, size, bytes};
    const uint64_t offset = arena.used;
    arena.used += bytes;
    if (arena.base == nullptr) return nullptr;
    CHECK(arena.used <= arena.size);
    return arena.base + offset;
}

void arena_seal(Arena& arena) { arena.sealed = true; }
