#include "pennyctl/book_seed.h"

#include "base/text.h"
#include "pennyctl/book_memory.h"

Status book_seed(const char* data_dir, const SeedBook& seed, Hash& digest, Writer& error) {
    BookMemory memory;
    if (book_memory_take(memory, seed.limits) != Status::ok) {
        error.size = 0;
        put_text(error, "not enough memory for a book of these limits");
        return Status::failed;
    }
    Store store;
    Status status = store_open(store, store_calls_posix, data_dir, StoreMode::create, error);
    if (status == Status::ok) {
        status = store_seed(store, seed, {&memory.book, memory.window}, digest, error);
        store_close(store);
    }
    book_memory_give(memory);
    return status == Status::ok ? status : Status::failed;
}
