// mail.h - the public keys of people, and the sealed messages that wait for them.
//
// What a message says nobody here can read: its envelope stays in the journal, and a slot knows
// where. Slots and keys are, like holds, there or not in two views: as decided and as installed; a
// slot is free again when both say no. Nothing here judges, and nothing keeps memory but the Mail.
//
//            decide SEND         install SEND         decide FORGET          install FORGET
//     (free) ───────────► decided ───────────► both ──────────────► installed ─────────────► (free)
//
//     in the journal         one batch
//                    ┌────────┬────────┬─   ─┬────────┐   a message's number is the sequence of
//                    │ part 1 │ part 2 │ ... │ part n │   its first part, which has all that is
//                    └────────┴────────┴─   ─┴────────┘   not the envelope (entry.h)
//
//   W1. Parts of a message follow each other in one batch, all or none; a slot is there when the
//       first one is.
//   W2. A number is the sequence of an entry, so none is ever given twice (P10).
//   W3. A mailbox has mailbox_max messages at most, whatever the configuration says; a key is there
//       for everybody who has one message.
//   W4. Who is removed has neither key nor messages from that entry on. What they sent stays.
//   W5. Slots, and so their order, never show in a digest: tables list messages by number and keys
//       by person (P4).
//   W6. One change of a person's key is in flight at a time; only its installing shows it.
#pragma once

#include "base/pool.h"
#include "base/table.h"
#include "ledger/entry.h"

struct MailKey {
    uint32_t person;
    bool decided;
    bool installed;
    bool in_flight;  // W6: a change was decided and is not installed; until then the slot stays
    uint8_t modulus[mail_modulus_size];  // as installed, high byte first
};

struct MailSlot {
    uint64_t number;
    uint64_t time_ms;   // of its batch
    Position position;  // of its first part
    uint32_t from;      // people, rows
    uint32_t to;
    uint32_t size;      // bytes of the envelope
    bool decided;
    bool installed;
    bool in_flight;     // its entries are not installed yet; until then the slot stays
    Id id;              // the sender's
};

// The message whose parts are being installed (W1); parts 0 between messages.
struct MailArriving {
    uint32_t person;
    uint32_t terminal;
    uint8_t parts;
    uint8_t place;     // of the newest part installed
    uint32_t size;     // bytes still to come
    Hash hash;         // what they must come to
    Hasher hasher;
};

struct MailLimits {
    uint32_t keys;
    uint32_t messages;
    uint32_t mailbox;  // of one person; at most mailbox_max
};

struct Mail {
    Pool<MailKey> keys;
    Table keys_by_person;
    Pool<MailSlot> messages;
    Table by_number;
    Table by_recipient;
    MailArriving arriving;
    MailKey* keys_saved;        // what the newest snapshot shows, by person
    uint32_t* keys_order;       // for sorting
    uint32_t keys_saved_count;
    MailSlot* saved;            // the same of messages, by number
    uint32_t saved_count;
};

void mail_layout(Mail& mail, Arena& arena, const MailLimits& limits);
void mail_init(Mail& mail);

// The slot of a key or of a message that is there in either view, or pool_none.
uint32_t mail_find_key(const Mail& mail, uint32_t person);
uint32_t mail_find(const Mail& mail, uint64_t number);

// Take a slot for a key or a message whose views the caller has set. There is room.
uint32_t mail_put_key(Mail& mail, const MailKey& key);
void mail_put(Mail& mail, const MailSlot& slot);

// Give the slot back when neither view has it any more.
void mail_settle_key(Mail& mail, uint32_t slot);
void mail_settle(Mail& mail, uint32_t slot);

// How many messages wait for somebody, in one view.
enum class MailView : uint8_t { decided, installed };
uint32_t mail_count(const Mail& mail, uint32_t person, MailView view);

// The installed messages of somebody, by number. Returns how many were put into `slots`.
uint32_t mail_list(const Mail& mail, uint32_t person, uint32_t slots[mailbox_max]);

// W4: takes all that somebody has out of one view, or of both.
void mail_remove_decided(Mail& mail, uint32_t person);
void mail_remove_installed(Mail& mail, uint32_t person);

// Lets the decided view fall back to the installed one.
void mail_drop(Mail& mail);

// Copies what is installed into `saved` and `keys_saved`, in their order (W5).
void mail_save(Mail& mail);
