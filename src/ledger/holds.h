// holds.h - money that is reserved and not yet moved: the open holds, found by number.
//
// A hold is given a number when it is decided; numbers count up from 1 and are never used again
// (P10). Like accounts, a hold is open or not in two views: as decided and as installed. Its slot
// is free again when both say that it is closed.
//
//            decide HOLD           install HOLD        decide the end           install the end
//     (free) ───────────► decided ─────────────► both ───────────────► installed ──────────► (free)
//
//   U1. The amounts of an account's open holds add up to its `held`, in either view.
//   U2. Slots, and so their order, never show in a digest: tables list holds by number (P4).
#pragma once

#include "base/pool.h"
#include "base/table.h"
#include "ledger/entry.h"

struct Hold {
    uint64_t number;
    uint64_t entry;      // that made it
    uint64_t expiry_ms;  // it has expired when a batch's time is this or later
    int64_t amount;      // minor units
    uint32_t debit;      // who pays
    uint32_t credit;     // whom it is reserved for
    bool decided;        // open as decided
    bool installed;      // open as installed
};

struct Holds {
    Pool<Hold> pool;
    Table by_number;
    uint64_t given_decided;    // newest number given
    uint64_t given_installed;
    Hold* saved;               // what the newest snapshot shows, by number
    uint32_t saved_count;
};

void holds_layout(Holds& holds, Arena& arena, uint32_t count);
void holds_init(Holds& holds);

// The slot of a hold that is open in either view, or pool_none.
uint32_t holds_find(const Holds& holds, uint64_t number);

// True when another one can be opened.
bool holds_has_room(const Holds& holds);

// Takes a slot for a hold whose views the caller has set. There is room.
void holds_open(Holds& holds, const Hold& hold);

// Takes back the newest hold that was decided and not installed.
void holds_undo(Holds& holds);

// Gives the slot back when neither view has it open any more.
void holds_settle(Holds& holds, uint32_t slot);

// Lets the decided view fall back to the installed one.
void holds_drop(Holds& holds);

// The first open hold of this payer, as decided, that has expired at `time_ms`; pool_none for none.
uint32_t holds_find_expired(const Holds& holds, uint32_t debit, uint64_t time_ms);

// Copies the installed holds into `saved`, ordered by number.
void holds_save(Holds& holds);
