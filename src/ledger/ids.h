// ids.h - the requests that must not happen twice (P3): one ring of the newest, found by hash.
//
// A record holds what the first answer said and what was asked, so that a resend is answered with
// the same values and other content under the same id is refused by naming the field.
//
//         oldest in the window                  newest
//              ▼                                  ▼
//     ┌──────┬──────────────────────────────────┬──────┐
//     │slack │ window: `window` records         │ head │    head counts all records ever added
//     └──────┴──────────────────────────────────┴──────┘
//
//   I1. The window is the newest `window` records in journal order; older ones are not found. It
//       depends on the journal alone (P4): a window that grows finds no record that had left it.
//   I2. Records of entries not yet durable are in the ring with their sequence; ids_drop_after
//       takes them back.
//   I3. The slack keeps a record that left the window readable until a checkpoint in progress has
//       formatted it.
#pragma once

#include "base/table.h"
#include "ledger/entry.h"

inline constexpr uint32_t ids_slack = 4 * batch_entries_max;  // records

struct OrderAsked {
    int64_t price;   // that was asked for, minor units; 0 for none
    int64_t number;  // of a refusal
};

struct IdRecord {
    uint64_t seq;          // entry that answered it
    uint64_t time_ms;
    int64_t amount;        // minor units
    int64_t balance;       // minor units; what the first answer said
    uint32_t person;       // whose id it is
    uint32_t debit;
    uint32_t credit;
    uint32_t quantity;     // of an order; 0 in all other movements
    union {
        uint8_t memo_hash[16];  // first half of the memo's SHA-256; zero without memo
        OrderAsked asked;       // of a movement about an order, which has no memo
    };
    Operation operation;
    Status status;
    Id id;
    Name missing;
    uint64_t hold;         // number of the hold it is about; 0 for none
    uint32_t expires_s;
    bool whole;            // no amount was named
    bool beyond_day;       // LIMIT is that of its terminal's day, not the account's
    uint64_t reversed;     // the entry that a REVERSE named; 0 for none
    uint8_t group_place;   // from 1 to group_size; 0 when alone
    uint8_t group_size;
    OrderReason reason;    // why a request about an order was refused with STATE
    uint32_t item;         // of the order, row; row_none when it was not found
    uint64_t order;        // its number; 0 where none was made, and in all other movements
};
static_assert(sizeof(IdRecord) <= 176, "there are as many as the configuration says, in memory");

struct Ids {
    IdRecord* records;
    uint32_t capacity;     // window_max + slack
    uint32_t window_max;   // what there is room for
    uint32_t window;       // in force; <= window_max
    uint64_t head;         // records ever added
    uint64_t floor;        // records before this one left the window for good
    uint64_t before;       // records that had left it before those that a checkpoint gave
    Table table;           // rows are places in the ring
    uint8_t key[16];       // of the hash
};

void ids_layout(Ids& ids, Arena& arena, uint32_t window_max);
void ids_init(Ids& ids, const uint8_t key[16]);  // the window is window_max

// Makes the window `window` records, or window_max where that is less.
void ids_set_window(Ids& ids, uint32_t window);

// Returns the record or nullptr. The pointer holds until the next ids_add.
const IdRecord* ids_find(const Ids& ids, uint32_t person, Slice id);

// What is kept of an id where there is no room for a record (asked.h).
uint16_t ids_print(const Ids& ids, uint32_t person, Slice id);

// How many records have ever left the window. When none has, an id that is not found is new.
uint64_t ids_forgotten(const Ids& ids);

// Adds the newest record and lets the oldest leave the window.
void ids_add(Ids& ids, const IdRecord& record);

// Takes back every record of an entry after `seq`: its batch never became durable.
void ids_drop_after(Ids& ids, uint64_t seq);

// The record with this running number, from ids_first() to head - 1.
const IdRecord& ids_at(const Ids& ids, uint64_t number);
uint64_t ids_first(const Ids& ids);

// The first record of the window when `head` was, or will be, the number of records.
uint64_t ids_first_at(const Ids& ids, uint64_t head);
