#include "base/heap.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr uint32_t block_align = 16;           // bytes; enough for every type of C
constexpr uint32_t block_taken = UINT32_MAX;   // in `next` while somebody holds the block

struct BlockPlace {
    HeapClass* owner;
    uint32_t index;
};

void heap_lock(Heap& heap) {
    if (heap.lock != nullptr) heap.lock(heap.lock_context);
}

void heap_unlock(Heap& heap) {
    if (heap.unlock != nullptr) heap.unlock(heap.lock_context);
}

// H1 and H4. The list lies apart from the blocks, so that writing past a block cannot bend it.
BlockPlace place_of(Heap& heap, const void* block) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(block);
    for (uint32_t i = 0; i < heap.class_count; i++) {
        HeapClass& owner = heap.classes[i];
        const uintptr_t base = reinterpret_cast<uintptr_t>(owner.base);
        if (address < base) continue;
        const uint64_t offset = address - base;
        if (offset >= uint64_t{owner.size} * owner.count) continue;
        CHECK(offset % owner.size == 0);
        const uint32_t index = static_cast<uint32_t>(offset / owner.size);
        CHECK(index < owner.fresh);
        CHECK(owner.next[index] == block_taken);
        return {&owner, index};
    }
    const bool block_is_of_this_heap = false;
    CHECK(block_is_of_this_heap);
    return {nullptr, 0};
}

bool class_has_block(const HeapClass& row) {
    return row.free_first != 0 || row.fresh < row.count;
}

void* class_take(HeapClass& row) {
    uint32_t index = 0;
    if (row.free_first != 0) {
        index = row.free_first - 1;
        row.free_first = row.next[index];
    } else {
        index = row.fresh++;
    }
    CHECK(index < row.fresh);
    CHECK(row.fresh <= row.count);
    row.next[index] = block_taken;
    row.taken++;
    if (row.taken > row.taken_max) row.taken_max = row.taken;
    return row.base + uint64_t{row.size} * index;
}

void* take_unlocked(Heap& heap, uint64_t size) {
    if (heap.takes++ == heap.refuse_at) {
        heap.refused++;
        return nullptr;  // H5
    }
    HeapClass* fitting = nullptr;  // the class that the request is counted against
    for (uint32_t i = 0; i < heap.class_count; i++) {
        HeapClass& row = heap.classes[i];
        if (row.size < size) continue;
        if (fitting == nullptr) fitting = &row;
        if (!class_has_block(row)) continue;
        if (fitting != &row) fitting->spilled++;
        return class_take(row);
    }
    heap.refused++;
    return nullptr;  // H2
}

void give_unlocked(Heap& heap, void* block) {
    const BlockPlace place = place_of(heap, block);
    HeapClass& owner = *place.owner;
    CHECK(owner.taken > 0);
    owner.next[place.index] = owner.free_first;
    owner.free_first = place.index + 1;
    owner.taken--;
}

void* resize_unlocked(Heap& heap, void* block, uint64_t size) {
    const uint32_t size_now = place_of(heap, block).owner->size;
    if (size <= size_now) return block;
    void* larger = take_unlocked(heap, size);
    if (larger == nullptr) return nullptr;
    memcpy(larger, block, size_now);
    give_unlocked(heap, block);
    return larger;
}

}  // namespace

void heap_layout(Heap& heap, Arena& arena, const char* name, const HeapClassRow* rows,
                 uint32_t row_count) {
    CHECK(row_count > 0);
    CHECK(row_count <= heap_classes_max);
    uint64_t bytes = 0;
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        CHECK(rows[i].size > 0);
        CHECK(rows[i].size % block_align == 0);
        CHECK(i == 0 || rows[i - 1].size < rows[i].size);
        CHECK(rows[i].count < block_taken);
        bytes += uint64_t{rows[i].size} * rows[i].count;
        blocks += rows[i].count;
    }
    uint8_t* base = static_cast<uint8_t*>(arena_take(arena, name, 1, bytes));
    uint32_t* next = arena_array<uint32_t>(arena, "  free list", blocks);
    heap.class_count = row_count;
    for (uint32_t i = 0; i < row_count; i++) {
        heap.classes[i] = {};
        heap.classes[i].size = rows[i].size;
        heap.classes[i].count = rows[i].count;
        if (base == nullptr) continue;
        heap.classes[i].base = base;
        heap.classes[i].next = next;
        base += uint64_t{rows[i].size} * rows[i].count;
        next += rows[i].count;
    }
}

void heap_init(Heap& heap) {
    heap.refused = 0;
    heap.takes = 0;
    heap.refuse_at = UINT64_MAX;
    for (uint32_t i = 0; i < heap.class_count; i++) {
        HeapClass& row = heap.classes[i];
        CHECK(row.base != nullptr);
        row.free_first = 0;
        row.fresh = 0;
        row.taken = 0;
        row.taken_max = 0;
        row.spilled = 0;
    }
}

void* heap_take(Heap& heap, uint64_t size) {
    heap_lock(heap);
    void* block = take_unlocked(heap, size);
    heap_unlock(heap);
    return block;
}

void* heap_take_zeroed(Heap& heap, uint64_t count, uint64_t size) {
    if (size != 0 && count > UINT64_MAX / size) return nullptr;
    void* block = heap_take(heap, count * size);
    if (block != nullptr) memset(block, 0, static_cast<size_t>(count * size));
    return block;
}

void heap_give(Heap& heap, void* block) {
    if (block == nullptr) return;
    heap_lock(heap);
    give_unlocked(heap, block);
    heap_unlock(heap);
}

void* heap_resize(Heap& heap, void* block, uint64_t size) {
    if (block == nullptr) return heap_take(heap, size);
    if (size == 0) {
        heap_give(heap, block);
        return nullptr;
    }
    heap_lock(heap);
    void* resized = resize_unlocked(heap, block, size);
    heap_unlock(heap);
    return resized;
}

uint64_t heap_bytes_taken(const Heap& heap) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < heap.class_count; i++) {
        bytes += uint64_t{heap.classes[i].size} * heap.classes[i].taken;
    }
    return bytes;
}
