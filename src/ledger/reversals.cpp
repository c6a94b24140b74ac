#include "ledger/reversals.h"

#include <string.h>

#include "base/check.h"

namespace {

uint64_t& word_of(const Reversals& reversals, uint64_t* bits, uint64_t seq) {
    return bits[seq % reversals.capacity / 64];
}

uint64_t bit_of(uint64_t seq) { return uint64_t{1} << seq % 64; }

size_t bytes_of(const Reversals& reversals) {
    return static_cast<size_t>(reversals.capacity / 8);
}

bool has_bit(const Reversals& reversals, uint64_t* bits, uint64_t seq) {
    return (word_of(reversals, bits, seq) & bit_of(seq)) != 0;
}

// A window of earlier times may have reached back further than there is room for now.
bool is_kept(const Reversals& reversals, uint64_t seq, uint64_t reversed) {
    return seq - reversed < reversals.capacity;
}

}  // namespace

void reversals_layout(Reversals& reversals, Arena& arena, uint32_t window_max) {
    CHECK(window_max > 0);
    reversals.window_max = window_max;
    reversals.capacity = (window_max + reversals_slack + 63) / 64 * 64;
    reversals.bits = arena_array<uint64_t>(arena, "reversed entries", reversals.capacity / 64);
    reversals.saved = arena_array<uint64_t>(arena, "  of a snapshot", reversals.capacity / 64);
    reversals.pending = arena_array<uint64_t>(arena, "  not durable", reversals_pending_max);
}

void reversals_init(Reversals& reversals) {
    memset(reversals.bits, 0, bytes_of(reversals));
    reversals.window = reversals.window_max;
    reversals.floor = 1;
    reversals.head = 0;
    reversals.pending_count = 0;
}

void reversals_set_window(Reversals& reversals, uint32_t window) {
    reversals.floor = reversals_from(reversals, reversals.head);
    reversals.window = window < reversals.window_max ? window : reversals.window_max;
    if (reversals.window == 0) reversals.window = 1;
    reversals.floor = reversals_from(reversals, reversals.head);
}

uint64_t reversals_from(const Reversals& reversals, uint64_t head) {
    const uint64_t first = head > reversals.window ? head - reversals.window + 1 : 1;
    return first > reversals.floor ? first : reversals.floor;
}

bool reversals_is_set(const Reversals& reversals, uint64_t seq) {
    for (uint32_t i = 0; i < reversals.pending_count; i++) {
        if (reversals.pending[i] == seq) return true;
    }
    return seq <= reversals.head && has_bit(reversals, reversals.bits, seq);
}

void reversals_decide(Reversals& reversals, uint64_t seq) {
    CHECK(reversals.pending_count < reversals_pending_max);
    reversals.pending[reversals.pending_count++] = seq;
}

void reversals_undo(Reversals& reversals) {
    CHECK(reversals.pending_count > 0);
    reversals.pending_count--;
}

void reversals_drop(Reversals& reversals) { reversals.pending_count = 0; }

Status reversals_judge(const Reversals& reversals, uint64_t seq, uint64_t reversed) {
    if (reversed == 0) return Status::ok;
    if (reversed >= seq) return Status::damaged;
    if (!is_kept(reversals, seq, reversed)) return Status::ok;
    return has_bit(reversals, reversals.bits, reversed) ? Status::damaged : Status::ok;
}

void reversals_install(Reversals& reversals, uint64_t seq, uint64_t reversed) {
    CHECK(seq == reversals.head + 1 && reversed < seq);
    word_of(reversals, reversals.bits, seq) &= ~bit_of(seq);
    reversals.head = seq;
    if (reversed == 0) return;
    if (is_kept(reversals, seq, reversed)) {
        word_of(reversals, reversals.bits, reversed) |= bit_of(reversed);
    }
    if (reversals.pending_count == 0) return;  // A replay: it was decided long ago.
    CHECK(reversals.pending[0] == reversed);
    reversals.pending_count--;
    memmove(reversals.pending, reversals.pending + 1,
            reversals.pending_count * sizeof *reversals.pending);
}

void reversals_save(Reversals& reversals) {
    memcpy(reversals.saved, reversals.bits, bytes_of(reversals));
}

uint64_t reversals_next_saved(const Reversals& reversals, uint64_t seq, uint64_t end) {
    while (seq < end) {
        // Shifted so that the bit of `seq` comes first; a word never spans the end of the ring.
        const uint64_t rest = word_of(reversals, reversals.saved, seq) >> seq % 64;
        const uint64_t step =
            rest == 0 ? 64 - seq % 64 : static_cast<uint64_t>(__builtin_ctzll(rest));
        if (step >= end - seq) return end;
        seq += step;
        if (rest != 0) return seq;
    }
    return end;
}

void reversals_load(Reversals& reversals, uint64_t seq) {
    word_of(reversals, reversals.bits, seq) |= bit_of(seq);
}
