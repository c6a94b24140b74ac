// offline.h - the book of a stopped bank, open to be changed: for the verbs that write entries.
//
// What pennyd does for its clients is done here for the operator, through the same book: a change
// is judged, becomes an entry, and is told of when it is on the disk (P1). While a server has the
// data folder these verbs refuse, and name what to type instead.
//
//     offline_open ─► book_… proposes ─► offline_write ─► … ─► offline_close
//     lock, recovery                     written, synced       closing batch, checkpoint
//
// An entry made here has neither person nor terminal: it was the operator, at the machine itself.
// Whoever runs it must be the user to whom the data belongs, or the files made here would be out of
// the server's reach.
//
//   W1. A refusal before the first offline_write has changed no byte of the book.
//   W2. What offline_write has answered ok for is durable, whatever follows.
#pragma once

#include "pennyctl/book_memory.h"
#include "pennyctl/place.h"
#include "port/posix/store.h"

struct Offline {
    BankPlace place;
    Store store;
    BookMemory memory;
    StoreStart start;
    Writer error;         // one sentence
    uint64_t wall_ms;
    bool has_written;     // something that a checkpoint does not know of
};

// The bank that is meant where none is named: ./pennyd.conf, then /etc/pennyd/pennyd.conf, as
// pennyd has it; nullptr when neither is there.
const char* offline_default();

// Opens the bank that was named, or the usual one for nullptr; `instead` says what to do beside a
// running server. Returns exit_done, or exit_refused with the sentence printed and nothing open.
ExitCode offline_open(Offline& offline, const char* given, const char* instead);

// Sees to it that the next batch has a segment to stand in, and that the limits in force are known
// to the book; before the first proposal. Returns failed with `error`.
Status offline_begin(Offline& offline);

// Writes what was proposed. Returns ok, also when there is nothing; failed with `error`.
Status offline_write(Offline& offline);

// Writes an empty closing batch, which vouches for those before it. Returns failed with `error`.
Status offline_vouch(Offline& offline);

// What a status of the book means for whoever asked, with `error`: misconf says what is wrong with
// the journal. Returns failed.
Status offline_fail(Offline& offline, const char* what, Status status);

// Hands the log a segment to go on in. Returns failed with `error`.
Status offline_take_segment(Offline& offline, uint32_t segment, uint32_t size);

// Vouches for what was written, makes a checkpoint, and lets the bank go. Returns `code`; what
// could not be done is told, and done by the next start.
ExitCode offline_close(Offline& offline, ExitCode code);
