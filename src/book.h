// book.h - the ledger and its journal as one: propose, commit, replay.
//
// Whoever moves money or changes people goes through here: a request is judged, becomes an entry in
// the batch that fills, and is answered when that batch is durable (P1). The caller hands in a tag
// with each proposal and gets it back with the outcome. Nothing here blocks, reads a clock or opens
// a file.
//
//     book_move … ──► filling ──book_write_next──► disk ──book_write_done──► book_commit_next …
//                                                                               │ false
//                                                                               ▼
//                                                                      the next batch may fly
//
//   D1. Between book_write_done and the last book_commit_next nothing is judged.
//   D2. After a failed write every waiting tag comes back with `durable` false, the decided values
//       fall back to the installed ones, and nothing is proposed any more (P8).
#pragma once

#include "journal/recovery.h"
#include "ledger/tables.h"

// Whom an outcome belongs to; given back as it was.
struct BookTag {
    uint32_t session;
    uint32_t generation;
};

inline constexpr BookTag book_tag_none = {UINT32_MAX, 0};

// One proposal whose fate is known.
struct BookDone {
    BookTag tag;
    bool durable;
    Entry entry;  // set when durable
};

struct Book {
    Ledger ledger;
    Log log;
    Snapshot snapshot;
    BookTag* tags[2];       // by index of the entry in the log's batch
    Reader committed;       // entries of the durable batch not yet handed out
    uint32_t committed_index;
    uint32_t committed_offset;  // of the next entry in the segment
    uint32_t failed_batch;  // 0, 1: tags of this batch are being handed back; 2: none left
    bool committing;
    uint64_t entries_since_snapshot;
    int32_t utc_offset_s;   // of local time, seconds east; the owner keeps it up to date
};

void book_layout(Book& book, Arena& arena, const LedgerLimits& limits);

// Empties the book. The ledger is then filled by tables (tables_begin …) or by book_replay from the
// first batch on.
void book_init(Book& book, const uint8_t bank_id[bank_id_size]);

// Installs one batch of the journal. Returns damaged or full as ledger_install, failed for an entry
// of a newer format; `bad_seq` is then the entry that did not fit.
Status book_replay(Book& book, const RecoveryBatch& batch, uint64_t& bad_seq);

// Begins to take proposals where the journal ends.
void book_open(Book& book, const LogStart& start, uint64_t clock_step_max_ms);

// Proposes the first entries of a new book: genesis, limits, the accounts `cash` and `shop`.
Status book_create(Book& book, uint64_t wall_ms, const GenesisEntry& genesis);

// Proposes a limits entry when the limits in force are not the ones the book knows.
Status book_note_limits(Book& book, uint64_t wall_ms);

// What a movement asks for, in names; see Movement.
struct BookMove {
    Operation operation;
    uint32_t person;
    Name terminal;    // size 0 for none
    Id id;            // size 0: the book chooses one, which begins with '+'
    Name debit;       // names of accounts
    Name credit;
    int64_t amount;   // minor units; 0 with `whole`
    Memo memo;
    uint64_t hold;       // CAPTURE and VOID: which; its accounts are not named
    uint32_t expires_s;  // HOLD
    bool whole;          // no amount is named: CAPTURE of all, VOID, REVERSE
    uint64_t reversed;         // REVERSE: the entry, and the two accounts of it, rows; row_none
    uint32_t reversed_debit;   // for an entry that moved nothing which could be moved back
    uint32_t reversed_credit;
    Name item;           // ORDER: its name
    uint32_t quantity;   // ORDER
    int64_t price_asked;  // ORDER: of one, minor units; 0 for none
    int64_t price_seen;  // ORDER: the price that amounts were judged by
    uint64_t order;      // CANCEL, ORDER DONE: which
    int64_t day_max;     // bound of what the terminal moves on one local day; 0 for none
    uint64_t looked;     // ledger_look_for_id: so many of the person's requests were looked at
    bool was_known;      // and the journal has an older request of this id
    IdRecord known;      // its answer
};

// Judges a movement. Returns
//   ok        proposed; the answer comes with book_commit_next
//   replayed  `answer` holds the first answer
//   pending   ask again after the next commit (the same id is in flight, or the batch is full)
//   exists    `field` names what differs from the first request of this id
//   busy      `may_refuse` is false and it would be a refusal; nothing was written
//   oom misconf err amount   nothing was written; `amount` of an order: it costs more than one
//                            movement can be
//
// Expired holds of the accounts it touches are released first, by entries of their own.
Status book_move(Book& book, uint64_t wall_ms, const BookMove& move, bool may_refuse, BookTag tag,
                 IdRecord& answer, const char*& field);

// What a group comes to that is not proposed.
struct BookGroup {
    IdRecord records[group_moves_max];  // the first answers, when it was known
    uint32_t refused_at;  // index of the movement that `refused` or `field` is about
    Status refused;
    const char* field;
};

// Judges movements of one person that are booked all or none, in one batch (MULTI); their ids are
// not the same. Returns
//   ok         proposed, booked or refused; the one answer comes with the last entry
//   replayed   out.records hold the first answers
//   pending    ask again after the next commit
//   exists     movement out.refused_at was asked for otherwise: its out.field differs
//   execabort  movement out.refused_at cannot be, as out.refused says; nothing was written
//   busy oom misconf  nothing was written
Status book_move_group(Book& book, uint64_t wall_ms, const BookMove* moves, uint32_t count,
                       bool may_refuse, BookTag tag, BookGroup& out);

// Proposes a person. Returns ok, pending, or exists oom err misconf with nothing written.
Status book_add_person(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                       const Name& name, Role role, const PasswordRecord& password,
                       PasswordTerm term, BookTag tag);

// The same for somebody who was not made by an admin: counts for the terminal's day. Also returns
// limit, with nothing written, when that terminal has registered `registered_max` today.
Status book_register(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                     const Name& name, const PasswordRecord& password, uint32_t registered_max,
                     BookTag tag);

// Whether book_register would return limit now.
bool book_may_register(const Book& book, uint64_t wall_ms, const Name& terminal,
                       uint32_t registered_max);

// What is asked about somebody who is there, by row; fields that the operation is not about are
// left blank. An offline tool asks as nobody (row_none), from no terminal.
struct BookChange {
    PersonOperation operation;  // not added
    uint32_t person;
    uint32_t asked_by;
    Name terminal;          // size 0 for none
    uint32_t version;       // password, pin_set, rehash: what PersonValues.version must still be; 0
                            // for any
    Role role;              // role
    PasswordTerm term;      // password
    PasswordRecord record;  // password, rehash: the password's; pin_set: the PIN's
    Title title;            // title; size 0 takes it away
};

// Proposes a change of a person. Returns
//   ok        proposed
//   replayed  it holds already, durably (P10); nothing was written
//   pending   ask again after the next commit
//   state     it cannot be, and `why` is a sentence about it: the last active admin is to go, money
//             or holds are left, the person was removed, the version moved
//   oom misconf  nothing was written
Status book_change_person(Book& book, uint64_t wall_ms, const BookChange& change, BookTag tag,
                          const char*& why);

// Proposes a password for `person`, whose record must still have `version`. Returns as
// book_change_person.
Status book_set_password(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                         uint32_t person, uint32_t version, const PasswordRecord& password,
                         BookTag tag);

// Proposes an account of its own name, owned by `owner` (row_none: by the book). Returns ok,
// pending, or exists oom err misconf with nothing written.
Status book_open_account(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                         const Name& name, uint32_t owner, BookTag tag);

// Proposes an item's values; `values.listed` false deletes it. Returns ok, pending, or err for a
// reserved name that no item has, oom, misconf with nothing written.
Status book_set_item(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                     const Name& name, const ItemValues& values, BookTag tag);

// Proposes other bounds or another state of an account. Returns ok, pending, misconf, or state when
// an account with money or holds is to be closed.
Status book_set_account(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                        uint32_t account, AccountOperation operation, const AccountValues& values,
                        BookTag tag);

// What SEND asks for; see MessageAsked.
struct BookMail {
    uint32_t person;
    Name terminal;       // size 0 for none
    Id id;               // size 0: the book chooses one, which begins with '+'
    Name to;             // of a person
    Slice envelope;      // 1 to message_sealed_size_max bytes
    uint64_t looked;     // as in BookMove
    bool was_known;
    IdRecord known;
};

// Judges a message and proposes it, in as many entries as it has parts; the answer comes with the
// last one. Returns as book_move; with oom, `field` is "mailbox" or "messages" where that is full.
Status book_send(Book& book, uint64_t wall_ms, const BookMail& mail, bool may_refuse, BookTag tag,
                 IdRecord& answer, const char*& field);

// Proposes a person's own key, of mail_modulus_size bytes. Returns ok; replayed when it is that one
// already; pending; state for somebody who was removed; oom misconf with nothing written.
Status book_set_key(Book& book, uint64_t wall_ms, uint32_t person, const Name& terminal,
                    Slice modulus, BookTag tag);

// Proposes to forget one of a person's messages. Returns ok; replayed when it is not in the
// mailbox; pending; absent for a number that no entry has; oom misconf.
Status book_forget(Book& book, uint64_t wall_ms, uint32_t person, const Name& terminal,
                   uint64_t number, BookTag tag);

// Hands out the next write for the journal's thread; false when there is none.
bool book_write_next(Book& book, LogWrite& out);

// Takes its outcome; then book_commit_next is called until it returns false.
void book_write_done(Book& book, Status outcome);
bool book_commit_next(Book& book, BookDone& out);

// Fixes the installed state for a checkpoint or a digest.
void book_snapshot_begin(Book& book);
