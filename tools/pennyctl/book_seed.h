// book_seed.h - makes the first book of a new data directory (store_seed.h) in memory of its own.
#pragma once

#include "port/posix/store_seed.h"

// Makes the book in `data_dir`, which is made if it is not there; its parent must be. Returns ok
// with its digest; failed with one sentence in `error`, and no journal left behind, when the
// directory holds a book already or cannot be written, or a person cannot be.
Status book_seed(const char* data_dir, const SeedBook& seed, Hash& digest, Writer& error);
