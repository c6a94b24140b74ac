// heap.h - a fixed heap for libraries that insist on malloc: size classes with fixed counts.
//
// The memory is taken once from an Arena. Each class is an array of blocks of one size with a free
// list; a request goes to the smallest class that fits and has a block left, so a short class
// spills upwards before anything fails. No block is ever split or joined: after any history the
// heap can serve what it could serve at first.
//
//   H1. A block's class is found from its address alone; there are no headers to overwrite.
//   H2. heap_take returns nullptr when nothing that fits is left; nobody's memory is touched.
//   H3. All calls are serialised by the lock that the owner hands in (nullptr: one thread only).
//   H4. Giving what is not a taken block, twice included, is our own mistake and ends in CHECK.
//   H5. The request with the number `refuse_at`, from 0 since heap_init, finds no block; nobody but
//       a test sets it.
#pragma once

#include <stdint.h>

#include "base/arena.h"

inline constexpr uint32_t heap_classes_max = 24;

struct HeapClassRow {
    uint32_t size;   // bytes of one block; a multiple of 16, ascending over the rows
    uint32_t count;
};

struct HeapClass {
    uint8_t* base;
    uint32_t* next;       // index + 1 of the next free block; a mark while the block is taken
    uint32_t size;
    uint32_t count;
    uint32_t free_first;  // index + 1 of the first free block, 0 when none is
    uint32_t fresh;       // blocks from here on were never taken, and their pages never touched
    uint32_t taken;
    uint32_t taken_max;
    uint64_t spilled;     // requests that fitted here and were served from a larger class
};

struct Heap {
    uint32_t class_count;
    HeapClass classes[heap_classes_max];
    uint64_t refused;     // requests that found no block
    uint64_t takes;       // requests, since heap_init
    uint64_t refuse_at;   // H5; UINT64_MAX: none is
    void (*lock)(void* context);
    void (*unlock)(void* context);
    void* lock_context;
};

// Takes the blocks and their free list from `arena`. The lock's three fields stay as they are.
void heap_layout(Heap& heap, Arena& arena, const char* name, const HeapClassRow* rows,
                 uint32_t row_count);

// Makes every block free again. What was taken before must not be used any more.
void heap_init(Heap& heap);

void* heap_take(Heap& heap, uint64_t size);          // not zeroed; aligned to 16 bytes
void* heap_take_zeroed(Heap& heap, uint64_t count, uint64_t size);
void heap_give(Heap& heap, void* block);             // nullptr is allowed

// realloc(3): a block that is large enough stays where it is; size 0 gives the block back. Returns
// nullptr, with the block as it was, when nothing that fits is left.
void* heap_resize(Heap& heap, void* block, uint64_t size);

uint64_t heap_bytes_taken(const Heap& heap);  // whole blocks
