// real_heap.h - a heap for the library as the server would lay it out, over memory of its own.
#pragma once

#include <vector>

#include "crypto/crypto.h"

struct RealHeap {
    Heap heap = {};
    std::vector<uint8_t> memory;

    RealHeap(uint32_t sessions, uint32_t handshakes, uint32_t message_keys = 0,
             uint32_t lab_listeners = 0) {
        Arena measured = {};
        crypto_layout(heap, measured, sessions, handshakes, message_keys, lab_listeners, 1);
        memory.resize(measured.used + arena_align);
        uint8_t* base = memory.data();
        while (reinterpret_cast<uintptr_t>(base) % arena_align != 0) base++;
        Arena arena = {};
        arena.base = base;
        arena.size = measured.used;
        crypto_layout(heap, arena, sessions, handshakes, message_keys, lab_listeners, 1);
    }
};
