// repair.h - what the parts of `pennyctl repair` share: a damaged journal, looked at and cut.
//
// Looking writes nothing. Cutting takes away a named end of the journal, from the very place where
// the damage was found, and nothing else; what it takes away was copied aside before.
//
//     repair_look ─► sound: refused
//                 ─► damage that cannot be cut: refused, with what to do instead
//                 ─► damage ─► repair_count_losses ─► said, with the command to type
//                                      │ --drop-from that place
//                                      ▼
//                    copy aside ─► checkpoints ahead ─► segments behind ─► zeros ─► look again
//
//   Q1. Nothing is taken away that was not copied, synced and read back before.
//   Q2. Killed anywhere, the damage that was there is still there, or the journal is sound.
//   Q3. A journal that a start would mend by itself, or would not even read, is not cut.
#pragma once

#include "pennyctl/check.h"
#include "pennyctl/place.h"

// What one account loses.
struct RepairLoss {
    uint32_t account;
    uint64_t entries;
    int64_t amount;   // minor units, signed: what the entries moved into it
};

struct Repair {
    BankPlace place;
    const char* given;       // what was typed for the bank
    Check check;             // recovery stands at the damage
    bool tables_are_good[store_checkpoints_max];  // of check.list
    uint8_t* window;
    Writer error;

    Name* names;             // of accounts, by row; from malloc
    uint32_t name_room;
    uint8_t scale;
    char currency[currency_size_max + 1];

    uint64_t entry_last;     // the newest entry that anything tells of
    uint64_t entries_read;   // of those that are lost, how many could be read
    uint64_t people_changed; // entries about people and accounts among them
    uint64_t mail_changed;   // entries about keys and messages among them
    RepairLoss* losses;      // from malloc
    uint32_t loss_count;
    uint32_t loss_room;
};

// Reads the checkpoints and the journal up to its end or its damage. check.store is open. Returns
// ok when it is sound; damaged with `error` and check.damage; failed when it cannot be read.
Status repair_look(Repair& repair);

// Reads what still stands behind the damage. Returns ok, or failed with `error`.
Status repair_count_losses(Repair& repair);

// True when a cut helps; otherwise `error` says why not and what to do.
bool repair_can_cut(Repair& repair);

// Prints what was found, what would be lost, and what to type.
void repair_print(const Repair& repair);

// Copies aside, then cuts. Returns failed with `error`.
Status repair_cut(Repair& repair, const char* copies);

// Puts checkpoints aside whose tables somebody changed. Returns absent when there is none, failed
// with `error`.
Status repair_forget_edits(Repair& repair, const char* copies);

void repair_free(Repair& repair);
