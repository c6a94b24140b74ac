// ring.h - a first-in first-out queue of fixed size, from an Arena.
#pragma once

#include "base/arena.h"

template <typename Type>
struct Ring {
    Type* items;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
};

template <typename Type>
void ring_layout(Ring<Type>& ring, Arena& arena, const char* name, uint32_t capacity) {
    ring.capacity = capacity;
    ring.items = arena_array<Type>(arena, name, capacity);
}

template <typename Type>
void ring_clear(Ring<Type>& ring) {
    ring.first = 0;
    ring.count = 0;
}

template <typename Type>
void ring_push(Ring<Type>& ring, Type item) {
    CHECK(ring.count < ring.capacity);
    ring.items[(ring.first + ring.count) % ring.capacity] = item;
    ring.count++;
}

// Returns false when the ring is empty.
template <typename Type>
bool ring_pop(Ring<Type>& ring, Type& out) {
    if (ring.count == 0) return false;
    out = ring.items[ring.first];
    ring.first = (ring.first + 1) % ring.capacity;
    ring.count--;
    return true;
}

// The item that ring_pop would take next. Returns false when the ring is empty.
template <typename Type>
bool ring_peek(const Ring<Type>& ring, Type& out) {
    if (ring.count == 0) return false;
    out = ring.items[ring.first];
    return true;
}
