// handlers.h - what the files of service/ share: the handlers of commands.def and small helpers.
//
// Private to the room.
#pragma once

#include "service/service.h"

#define COMMAND(symbol, name, least, most, phase, roles, flags, group, usage, summary) \
    ServiceNext command_##symbol(Service& service, ServiceCall& call);
#include "service/commands.def"
#undef COMMAND

inline Slice call_word(const ServiceCall& call, uint32_t index) {
    return call.request->words[index];
}
inline uint32_t call_words(const ServiceCall& call) { return call.request->count; }

// The person who is logged in.
const Person& call_person(const Service& service, const ServiceCall& call);

// Whether the person who logged in is still an active row whose password nobody else has changed
// since (P6).
bool login_holds(const Service& service, const Caller& caller);

// Ends a login that does not hold, and says so.
ServiceNext end_login(ServiceCall& call);

// Puts `-WORD text` and returns replied.
ServiceNext refuse(ServiceCall& call, Status status, const char* text);

// Puts the meaning of the status as its text.
ServiceNext refuse_plainly(ServiceCall& call, Status status);

// MISCONF with what is wrong with the journal.
ServiceNext refuse_misconf(const Service& service, ServiceCall& call);

ServiceNext refuse_syntax(ServiceCall& call);

// Somebody's try at a password: `typed` is the name as it was typed, and nobody has it when
// `person` is row_none.
Attempt attempt_of(const Service& service, const ServiceCall& call, Slice typed, uint32_t person);
bool may_try(const Service& service, const ServiceCall& call, const Attempt& attempt);

// Notes a try that came to nothing. The second and the third also put the one reply that there is
// to a wrong password, an unknown name and a penalty (S6).
void note_failed_try(Service& service, const ServiceCall& call, const Attempt& attempt);
ServiceNext fail_try(Service& service, ServiceCall& call, const Attempt& attempt);
ServiceNext refuse_try(Service& service, ServiceCall& call, const Attempt& attempt);

// Takes a client's id; `+` and `*` become the empty one: the book is to choose.
Status take_id(Slice word, Id& out);
ServiceNext refuse_id(ServiceCall& call);
ServiceNext refuse_amount(const Service& service, ServiceCall& call);
ServiceNext refuse_no_account(ServiceCall& call, Slice name);

// The name of the account that belongs to the person who is logged in.
Name own_account(const Service& service, const ServiceCall& call);

// The reply to a movement, first or again: everything in it comes from the record (P3).
void put_movement(const Ledger& ledger, Reply& reply, const IdRecord& record);

// MISCONF for a journal that could not be read back.
ServiceNext refuse_unreadable(ServiceCall& call);

// Whether a job for a read is at hand, and no reply would overtake others (N1).
inline bool may_read_now(const ServiceCall& call) { return call.alone && call.read != nullptr; }

// Go on behind a read.
ServiceNext statement_done(const Service& service, ServiceCall& call);
ServiceNext reverse_done(Service& service, ServiceCall& call);

// Goes on with a REVERSE whose id has been looked for.
ServiceNext begin_reverse(Service& service, ServiceCall& call, BookMove& move);
ServiceNext receipt_done(Service& service, ServiceCall& call);

// Puts a movement into the group of this session.
ServiceNext queue_move(const Service& service, ServiceCall& call, const BookMove& move);

// The answer to EXEC, first or again: each movement's own, or why all were refused.
void put_group(const Ledger& ledger, Reply& reply, const IdRecord* records, uint32_t count);

// Puts the words behind the first one of a refused movement.
void put_refusal(const Ledger& ledger, const IdRecord& record, Writer& out);

// S4: how the group stood before a command, and whether the command broke it.
struct GroupWatch {
    bool in_group;
    uint32_t count;
};
GroupWatch group_watch(const ServiceCall& call);
void group_note(ServiceCall& call, const GroupWatch& before, ServiceNext next);

// Ends the group, whatever became of it.
void leave_group(ServiceCall& call);

// Begins to look in the journal for an id that the ring no longer remembers. Returns replied when
// there is nothing to look for.
ServiceNext look_for_id(const Service& service, ServiceCall& call, const BookMove& move);

// Proposes a movement by the person who is logged in, or answers what can be answered at once.
ServiceNext move_money(Service& service, ServiceCall& call, BookMove& move);

// What follows from the status of a proposal about a person or an account.
ServiceNext after_proposal(const Service& service, ServiceCall& call, Status status);

// The map that HELLO answers with.
void put_hello(Service& service, ServiceCall& call);
