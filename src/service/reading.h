// reading.h - what a request must read from the journal before it can be answered.
//
// A ReadJob is one walk over bytes that somebody else reads, on a worker: it says what it wants, is
// fed, and ends. Three walks share one window: back through an account's entries (STATEMENT), back
// through a person's requests (an id that may be older than the ring remembers), and by halves to
// one entry (a number that somebody names). A message that is read is one look at a known place.
// The job also carries what the request goes on with.
//
//     read_statement ┐
//     read_message   │
//     read_id        ├─► read_feed ──more──► [worker reads `want`] ──► read_take ──► read_feed …
//     read_entry     ┘       └──end──► outcome, and what was found
//
// For a receipt a step with a public key comes before or after its walk. That is work for a worker
// too, so it is asked for in the same way; and so is what opens a message to the server itself:
//
//     read_key ─► read_feed ──pending──► [worker signs or judges `receipt`] ──► read_key_done …
//
//   R1. Every byte comes from a disk: an entry is believed when it decodes and stands where its
//       chain or its batch says; otherwise the outcome is damaged.
//   R2. Sequences fall along a chain, so a walk back ends.
#pragma once

#include "book.h"
#include "journal/seek.h"
#include "crypto/jose_text.h"
#include "service/receipt.h"

inline constexpr uint32_t statement_rows_max = 64;
inline constexpr uint32_t statement_rows_default = 10;
inline constexpr uint32_t read_window_size = 16384;  // bytes read at once
static_assert(read_window_size >= seek_window_size);

// One entry of a statement.
struct StatementRow {
    uint64_t entry;
    uint64_t time_ms;
    int64_t amount;      // minor units; negative when it left the account
    int64_t balance;
    uint32_t other;      // the other account
    uint32_t person;
    uint64_t hold;       // 0 for none
    uint64_t reversed;   // the entry that this one reverses; 0 for none
    uint64_t order;      // number of the order; 0 for none
    uint32_t item;       // of that order, row, and how many
    uint32_t quantity;
    Operation operation;
    Id id;
    Memo memo;
};

// A walk back through an account's entries.
struct StatementWalk {
    uint32_t account;
    uint32_t rows_wanted;
    uint64_t before;       // only entries older than this one
    uint32_t row_count;
    StatementRow rows[statement_rows_max];
};

// A walk back through a person's requests.
struct IdWalk {
    uint32_t person;
    uint32_t steps;        // requests still to be looked at
    uint64_t looked;       // requests of this person that then have been looked at
    Id id;
    bool found;
    IdRecord record;       // of the request that has the id
};

// What is read for; the rest of the request is in `move` where it needs one.
enum class ReadUse : uint8_t {
    statement,
    id,
    reverse,
    receipt,          // the entry that a receipt is asked of
    receipt_sign,     // the server's signature under `receipt`
    receipt_judge,    // whether the signature under `receipt` is the server's
    receipt_compare,  // the entry of a receipt that was presented
    message,          // the parts of one message
    server_message,   // a message to the server is opened, and its answer sealed
};

// How far a message to the server got on its worker.
enum class MailStep : uint8_t { opening, judging, telling, answering, done };

// One envelope on its way: asked for with an id that must be looked for, or to be opened, or read.
struct MailJob {
    MailSlot slot;         // message: what is read
    Name from;             // server_message: who asked
    Name to;               // id: of a person
    Id id;                 // server_message
    JoseKey sender;        // server_message: the key of who asked
    uint64_t time_ms;      // server_message: of the answer
    MailStep step;
    uint32_t size;         // bytes of `envelope`
    uint32_t told_size;    // bytes of the clear text, which may be more than `told` has
    uint32_t answer_size;  // bytes of the answer's envelope, which stands in `window`
    uint8_t told[told_size_max];
    uint8_t envelope[message_sealed_size_max];
};
static_assert(read_window_size >= message_sealed_size_max);
static_assert(read_window_size >= (message_parts_max + 1) * entry_size_max);

struct ReadJob {
    ReadUse use;
    bool done;
    Status outcome;        // ok; absent when the journal no longer has it; damaged; failed
    StatementWalk statement;
    IdWalk walk;
    Seek seek;
    Entry entry;           // what `seek` found

    // The request goes on with this.
    BookMove move;
    bool pin_verified;
    Receipt receipt;
    MailJob mail;

    Position next;         // of the next entry of a walk back; 0 when the chain ends
    uint64_t seq_below;    // that entry must be older than this
    Position want;         // what to read into `window`
    uint32_t want_size;    // bytes
    Position window_start; // what is in it
    uint32_t window_size;
    uint8_t window[read_window_size];
};

// Begin a walk. The positions and numbers are of durable entries.
void read_statement(ReadJob& job, uint32_t account, Position last, uint32_t rows, uint64_t before);
void read_id(ReadJob& job, uint32_t person, const Asked& asked, uint32_t steps, const Id& id);
void read_entry(ReadJob& job, ReadUse use, const uint8_t bank_id[bank_id_size], uint64_t seq,
                Position journal_end);

void read_message(ReadJob& job, const MailSlot& slot);

// Asks for a step with the server's key.
void read_key(ReadJob& job, ReadUse use);

// Goes on with the bytes there are. Returns more when `want` is to be read, pending when the step
// with the key is to be taken, end when the job is complete.
Status read_feed(ReadJob& job);

// Takes the outcome of the read that was wanted: ok, and `size` bytes are in `window`, fewer than
// were asked for only at the segment's end; absent when there is no such segment; failed.
void read_take(ReadJob& job, Status outcome, uint32_t size);

// Takes the outcome of the step with the key: ok, with the certificate and the signature in
// `receipt`; absent when that is of another certificate, damaged when its signature is not good,
// failed without randomness or memory. Of a message `mail` says more.
void read_key_done(ReadJob& job, Status outcome);

// What was asked for has been answered, or nobody waits for it any more: wipes clear texts.
void read_end(ReadJob& job);
