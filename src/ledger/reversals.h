// reversals.h - which entries have been reversed: one bit for each of the newest entries.
//
// An entry is reversed at most once, and only while it is among the newest `window` entries; older
// ones are out of reach for good. What is decided and not installed yet stands in a short list.
//
//       from                                    head
//         ▼                                       ▼
//     ────┬───────────────────────────────────────┬────  one bit per entry, at seq % capacity;
//         │ 0 0 1 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 │       an entry that is installed clears its own
//     ────┴───────────────────────────────────────┴────
//
//   Y1. What is in reach depends on the journal alone (P4): on the sequence of the entry that asks
//       and on the windows the limits entries name; a window that grows reaches nothing that had
//       left it.
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "base/status.h"

inline constexpr uint32_t reversals_slack = 64;  // bits; more than one group
inline constexpr uint32_t reversals_pending_max = 2 * batch_entries_max;

struct Reversals {
    uint64_t* bits;        // as installed
    uint64_t* saved;       // what the newest snapshot shows
    uint32_t capacity;     // bits, a multiple of 64
    uint32_t window_max;   // what there is room for
    uint32_t window;       // entries in reach; <= window_max
    uint64_t floor;        // entries before this one left the window for good
    uint64_t head;         // newest entry installed
    uint64_t* pending;     // decided and not installed, oldest first
    uint32_t pending_count;
};

void reversals_layout(Reversals& reversals, Arena& arena, uint32_t window_max);
void reversals_init(Reversals& reversals);  // the window is window_max

// Makes the window `window` entries, or window_max where that is less, as of `head`.
void reversals_set_window(Reversals& reversals, uint32_t window);

// The oldest entry that a request behind entry `head` reaches.
uint64_t reversals_from(const Reversals& reversals, uint64_t head);

// True when the entry has been reversed, as decided. It is in reach.
bool reversals_is_set(const Reversals& reversals, uint64_t seq);

// Decides one, and takes back the newest one decided.
void reversals_decide(Reversals& reversals, uint64_t seq);
void reversals_undo(Reversals& reversals);
void reversals_drop(Reversals& reversals);  // all that is not installed

// Says whether entry `seq` may reverse `reversed` (0: nothing), as installed: damaged when that is
// not older, or was reversed before.
Status reversals_judge(const Reversals& reversals, uint64_t seq, uint64_t reversed);

// Installs entry `seq`, the next one, which was judged ok.
void reversals_install(Reversals& reversals, uint64_t seq, uint64_t reversed);

// Fixes what a snapshot shows; the next reversed entry of it from `seq` on, or `end` for none.
void reversals_save(Reversals& reversals);
uint64_t reversals_next_saved(const Reversals& reversals, uint64_t seq, uint64_t end);

// Takes one row of a checkpoint, behind those before it, below `head`.
void reversals_load(Reversals& reversals, uint64_t seq);
