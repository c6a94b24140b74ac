// check.h - what the parts of `pennyctl check` share: a walk over the whole journal, told twice.
// The verbs of paper.h take the first walk as their proof and print from one of their own.
//
// The first walk proves the chain and adds up every account in arrays of its own, without the
// ledger's code. The second gives every entry to a ledger that stands just before it, lets it
// decide again, and compares byte by byte. Nothing is written, and a server may run meanwhile.
//
//   V1. Whatever disagrees is named by segment, offset and entry, and ends the walk.
//   V2. The second walk ends where the first did, however far the server has come.
//   V3. Where segments were archived the walks begin at the anchor (journal/archived.h); up to the
//       oldest sound checkpoint they prove the chain, from there everything. What was not seen is
//       said. When all that was archived is there too, they begin at batch 1.
#pragma once

#include "pennyctl/book_memory.h"
#include "port/posix/store.h"

// Why the journal ends before its end, for `repair`.
struct CheckDamage {
    bool is_there;         // the bytes at check.recovery's place are to blame
    bool is_missing;       // that segment is not there, or has no length that a segment has
    RecoveryFound found;
    bool later;            // a sound batch stands behind it
    bool marked;           // a checkpoint vouches for it
};

struct Check {
    Store store;
    uint8_t* window;         // batch_size_max bytes
    Writer error;            // one sentence; the memory is the caller's
    Recovery recovery;       // where the walk stands
    uint32_t segment_first;
    uint32_t segment_last;
    uint64_t batch_last;     // V2; UINT64_MAX in the first walk
    bool has_torn_tail;
    CheckDamage damage;
    Archived archived;       // segment is 0 when nothing was
    uint32_t base;           // V3: index in `list` of the oldest checkpoint; list.count for none

    StoreCheckpoints list;   // sound ones only
    Manifest manifests[store_checkpoints_max];
    bool is_met[store_checkpoints_max];
};

// One sound entry and where it stands.
struct CheckEntry {
    Entry entry;
    Slice bytes;
    Position position;
};

// What a walk does with each entry, and behind each batch.
struct CheckVisitor {
    Status (*entry)(Check& check, void* context, const CheckEntry& entry);
    Status (*batch)(Check& check, void* context);  // check.recovery stands behind it
    void* context;
};

// Opens a data folder for reading, through these calls; a server may have it open. The window and
// the sentence are static, so one folder is open at a time. Returns ok, or another status with
// check.error.
Status check_open(Check& check, const StoreCalls& calls, const char* data);
void check_close(Check& check);

// Finds where the walks begin and end; the anchor is known. Archived segments count when all of
// them are there, in journal/ or in what was given: some alone are what a power cut left of
// removing them, or a person of copying them back. Returns ok, or failed with check.error.
Status check_find_segments(Check& check);

// True when the walks begin at the anchor.
bool check_is_anchored(const Check& check);

// Says which archives are needed; the folder is open. Returns damaged.
Status check_refuse_archived(Check& check);

// Walks from batch 1, or from the anchor, to the end. Returns ok, or damaged with check.error.
Status check_walk(Check& check, const CheckVisitor& visitor);

// Behind a first walk: no segment after the one in which the journal ends may hold a batch, or a
// start would refuse it. Looks only while no server runs, which would go on writing. Returns ok, or
// damaged with check.error.
Status check_ahead(Check& check);

// Puts where and which entry, then what is wrong. Returns damaged.
Status check_wrong(Check& check, const CheckEntry& entry, const char* what);
// As above, for the place where the walk stands.
Status check_wrong_here(Check& check, const char* what);

// check_sums.cpp: the first walk.
struct CheckAccount {
    int64_t balance;
    int64_t floor;
    int64_t ceiling;
    Position last;
    bool is_open;
    int64_t held;
};

// One hold, at its number - 1.
struct CheckHold {
    uint32_t debit;
    uint32_t credit;
    int64_t amount;
    uint64_t expiry_ms;
    bool is_open;
};

// What one entry moved, at its sequence - 1 - moved_before; amount 0 for nothing that can be moved
// back.
struct CheckMoved {
    uint32_t debit;
    uint32_t credit;
    int64_t amount;  // minor units
};

// One order, in the order of numbers.
struct CheckOrder {
    uint64_t number;
    int64_t amount;     // minor units
    uint32_t account;
    uint32_t item;
    uint32_t quantity;
    bool is_open;
    bool is_kept;       // in the table of the book, which bounds it
};

struct CheckSums {
    CheckAccount* accounts;  // from malloc
    uint32_t account_count;
    uint32_t account_room;
    CheckHold* holds;        // from malloc; all that were ever made
    uint64_t hold_count;
    uint64_t hold_room;
    uint32_t holds_open;
    uint32_t holds_open_max;
    CheckOrder* orders;      // from malloc; all that were made, and those of the base
    uint64_t order_count;
    uint64_t order_room;
    uint32_t orders_kept;
    uint32_t orders_kept_max;
    uint32_t item_count;
    CheckMoved* moved;       // from malloc
    uint64_t moved_before;   // entries that are not in it, since they were archived (V3)
    uint64_t moved_room;
    uint8_t group_size;      // of the group that the walk is in; 0 for none
    uint8_t group_place;
    bool group_booked;
    uint32_t person_count;
    uint32_t terminal_count;
    uint64_t entries;
    uint64_t entries_before; // of the base (V3), which holds their sum; 0 for none
    uint64_t batches;
    int64_t total;           // over all accounts, added up anew
    LedgerLimits limits_max; // the greatest that the journal names, and at least what is in use
    uint8_t bank_id[bank_id_size];
    uint8_t scale;
    char currency[currency_size_max + 1];
};

// Adds everything up; with a book, which holds the base (V3), from there on. What agrees so far is
// told to `also`, when there is one, entry by entry: the rows that an entry names are there. Its
// `batch` is not asked.
Status check_sums(Check& check, const Book* base, CheckSums& sums, const CheckVisitor* also);
void check_note_limits(CheckSums& sums, const LimitsEntry& limits);
void check_sums_free(CheckSums& sums);

// check_again.cpp: the second walk, and the checkpoints on its way. `digest` is the book's at the
// end. With a base (V3) the book holds it already.
Status check_again(Check& check, const CheckSums& sums, BookMemory& memory, Hash& digest);

// check_book.cpp: all of it, over the calls given; nothing is printed. Afterwards check.recovery
// stands where the journal ends, check.list names the checkpoints that agree with it, and
// check_sums_free follows, whatever came of it. Returns ok, or damaged or failed with `error`; its
// memory is check_open's from then on.
Status check_book(Check& check, const StoreCalls& calls, const char* data, Writer& error,
                  CheckSums& sums, Hash& digest);
