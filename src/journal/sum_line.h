// sum_line.h - the last line of a text that must not change: the SHA-256 of all above it.
#pragma once

#include "base/lines.h"
#include "crypto/hash.h"

inline constexpr uint32_t sum_line_size = 4 + 2 * hash_size + 1;

// Returns damaged when the whole text is not what its last line sums up.
inline Status sum_line_check(Slice text) {
    if (text.size < sum_line_size || text.data[text.size - 1] != '\n') return Status::damaged;
    const uint32_t above = text.size - sum_line_size;
    Reader last = reader_of(slice_part(text, above, sum_line_size));
    Hash said;
    if (take_line_hex(last, "sum", said.bytes, hash_size) != Status::ok) return Status::damaged;
    return hash_equal(said, hash_of({text.data, above})) ? Status::ok : Status::damaged;
}
