// check.h - what the parts of `pennyctl check` share: a walk over the whole journal, told twice.
// The verbs of paper.h take the first walk as their proof and print from one of their own.
//
// The first walk proves the chain and adds up every account in arrays of its own, without the
// ledger's code. The second gives every entry to a ledger that stands just before it, lets it
// decide again, and compares byte by byte. Nothing is written, and a server may run meanwhile.
//
//   V1. Whatever disagrees is named by segment, offset and entry, and ends the walk.
//   V2. The second walk ends where the first did, however far the server has come.
#pragma once

#include "pennyctl/book_memory.h"
#include "port/posix/store.h"

struct Check {
    Store store;
    uint8_t* window;         // batch_size_max bytes
    Writer error;            // one sentence
    Recovery recovery;       // where the walk stands
    uint32_t segment_last;
    uint64_t batch_last;     // V2; UINT64_MAX in the first walk
    bool has_torn_tail;

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

// Opens a data folder for reading; a server may have it open. The window and the sentence are
// static, so one folder is open at a time. Returns ok, or another status with check.error.
Status check_open(Check& check, const char* data);
void check_close(Check& check);

// Walks from batch 1 to the end. Returns ok, or damaged with check.error.
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

// What one entry moved, at its sequence - 1; amount 0 for nothing that can be moved back.
struct CheckMoved {
    uint32_t debit;
    uint32_t credit;
    int64_t amount;  // minor units
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
    CheckMoved* moved;       // from malloc
    uint64_t moved_room;
    uint8_t group_size;      // of the group that the walk is in; 0 for none
    uint8_t group_place;
    bool group_booked;
    uint32_t person_count;
    uint32_t terminal_count;
    uint64_t entries;
    uint64_t batches;
    int64_t total;           // over all accounts, added up anew
    LedgerLimits limits_max; // the greatest that the journal names, and at least what is in use
    uint8_t bank_id[bank_id_size];
    uint8_t scale;
    char currency[currency_size_max + 1];
};

// Adds everything up. What agrees so far is told to `also`, when there is one, entry by entry: the
// rows that an entry names are there. Its `batch` is not asked.
Status check_sums(Check& check, CheckSums& sums, const CheckVisitor* also);
void check_sums_free(CheckSums& sums);

// check_again.cpp: the second walk, and the checkpoints on its way. `digest` is the book's at the
// end.
Status check_again(Check& check, const CheckSums& sums, BookMemory& memory, Hash& digest);
