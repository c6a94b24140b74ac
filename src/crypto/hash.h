// hash.h - SHA-256 (FIPS 180-4), whole or in pieces.
//
// The journal's chain, the checkpoint's manifest and the digest of the book all use it. The library
// behind it stays inside hash.cpp. A Hasher is plain memory of the caller and holds no resource.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

struct Hash {
    uint8_t bytes[hash_size];
};

struct Hasher {
    alignas(8) uint8_t state[128];
};

void hasher_init(Hasher& hasher);
void hasher_feed(Hasher& hasher, Slice bytes);
Hash hasher_finish(Hasher& hasher);  // the hasher is wiped

Hash hash_of(Slice bytes);
bool hash_equal(const Hash& a, const Hash& b);
Slice hash_slice(const Hash& hash);
