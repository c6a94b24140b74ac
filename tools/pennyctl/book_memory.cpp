#include "pennyctl/book_memory.h"

#include <sys/mman.h>

namespace {

void lay_out(BookMemory& memory, const LedgerLimits& limits) {
    memory.book = {};
    book_layout(memory.book, memory.arena, limits);
    memory.window = arena_array<uint8_t>(memory.arena, "window", batch_size_max);
}

}  // namespace

Status book_memory_take(BookMemory& memory, const LedgerLimits& limits) {
    memory.arena = {};
    lay_out(memory, limits);
    const uint64_t size = memory.arena.used;
    if (size > PTRDIFF_MAX) return Status::oom;  // More than a 32-bit process can ever have.
    void* base = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return Status::oom;
    memory.arena = {};
    memory.arena.base = static_cast<uint8_t*>(base);
    memory.arena.size = size;
    lay_out(memory, limits);
    arena_seal(memory.arena);
    return Status::ok;
}

void book_memory_give(BookMemory& memory) {
    if (memory.arena.base != nullptr) {
        munmap(memory.arena.base, static_cast<size_t>(memory.arena.size));
    }
    memory.arena.base = nullptr;
}
