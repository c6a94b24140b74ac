#include "crypto/hash.h"

#include <mbedtls/sha256.h>

#include "base/check.h"

namespace {

static_assert(sizeof(mbedtls_sha256_context) <= sizeof(Hasher::state));
static_assert(alignof(mbedtls_sha256_context) <= alignof(Hasher));

mbedtls_sha256_context* context_of(Hasher& hasher) {
    return reinterpret_cast<mbedtls_sha256_context*>(hasher.state);
}

}  // namespace

// The library's answers can only tell of a context that was not set up, which is our own mistake.

void hasher_init(Hasher& hasher) {
    mbedtls_sha256_init(context_of(hasher));
    const int answer = mbedtls_sha256_starts(context_of(hasher), 0);
    CHECK(answer == 0);
}

void hasher_feed(Hasher& hasher, Slice bytes) {
    if (bytes.size == 0) return;
    const int answer = mbedtls_sha256_update(context_of(hasher), bytes.data, bytes.size);
    CHECK(answer == 0);
}

Hash hasher_finish(Hasher& hasher) {
    Hash hash = {};
    const int answer = mbedtls_sha256_finish(context_of(hasher), hash.bytes);
    CHECK(answer == 0);
    wipe(hasher.state, sizeof hasher.state);
    return hash;
}

Hash hash_of(Slice bytes) {
    Hasher hasher;
    hasher_init(hasher);
    hasher_feed(hasher, bytes);
    return hasher_finish(hasher);
}

bool hash_equal(const Hash& a, const Hash& b) {
    return slice_equal(hash_slice(a), hash_slice(b));
}

Slice hash_slice(const Hash& hash) { return {hash.bytes, hash_size}; }
