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

// What may be done from the caller's terminal (access.h).
const TerminalRights& call_rights(const Service& service, const ServiceCall& call);

// Whether the terminal permits this movement; false after having refused it.
bool may_move_here(const Service& service, ServiceCall& call, const BookMove& move);

// Looks whether a movement needs a PIN (S6). Returns ok to go on, more when a job was filled that
// verifies it, pending when none is at hand, absent after having refused.
Status check_pin(const Service& service, ServiceCall& call, const BookMove& move);

// Whether the person is logged in and in this role, and the terminal permits it.
bool has_role(const Service& service, const ServiceCall& call, Role role);

// Finds the person of a word. Returns absent after having refused.
Status find_person(const Service& service, ServiceCall& call, Slice word, uint32_t& out);

// Proposes a change of a person by who is logged in.
ServiceNext change_person(Service& service, ServiceCall& call, BookChange& change);

// Begins to add a person: name and password are words `at` and `at` + 1.
ServiceNext begin_adding(Service& service, ServiceCall& call, HashPurpose purpose, uint32_t at,
                         Role role, PasswordTerm term);

Status take_password(Slice text, Password& out);
// "WHAT has LEAST to MOST UNIT".
ServiceNext refuse_size(ServiceCall& call, const char* what, uint32_t least, uint32_t most,
                        const char* unit);
// "WHAT of SIZE bytes; WHERE at most MOST".
ServiceNext refuse_longer(ServiceCall& call, const char* what, uint32_t size, const char* where,
                          uint32_t most);
ServiceNext refuse_password_size(ServiceCall& call);
ServiceNext refuse_hash(ServiceCall& call);

// A PIN as it was typed, and as it is hashed.
bool pin_is_fine(Slice text);
void put_pin(Slice text, Password& out);
ServiceNext refuse_pin_text(ServiceCall& call);

inline constexpr char locked_pin_text[] = "the PIN is locked; a till or an admin unlocks it";
bool pin_is_locked(const Service& service, uint32_t person);
ServiceNext refuse_locked_pin(ServiceCall& call);

// Go on behind a hash.
ServiceNext login_hashed(Service& service, ServiceCall& call);
ServiceNext pin_set_hashed(Service& service, ServiceCall& call);
ServiceNext user_password_hashed(Service& service, ServiceCall& call);
ServiceNext move_hashed(Service& service, ServiceCall& call);

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
// to a wrong password, an unknown name and a penalty (S7).
void note_failed_try(Service& service, const ServiceCall& call, const Attempt& attempt);
ServiceNext fail_try(Service& service, ServiceCall& call, const Attempt& attempt);
ServiceNext refuse_try(Service& service, ServiceCall& call, const Attempt& attempt);

// Takes a client's id; `+` and `*` become the empty one: the book is to choose.
Status take_id(Slice word, Id& out);
ServiceNext refuse_id(ServiceCall& call);
ServiceNext refuse_amount(const Service& service, ServiceCall& call);
ServiceNext refuse_no_account(ServiceCall& call, Slice name);

// Finds the item of a word. Returns absent after having refused with that status.
Status find_item(const Service& service, ServiceCall& call, Status refusal, Slice word,
                 uint32_t& out);
ServiceNext refuse_no_item(ServiceCall& call, Status status, Slice name);

// Puts why a request about an order was refused with STATE.
void put_order_refusal(const Ledger& ledger, const IdRecord& record, Writer& out);

// Whether an item costs more, as decided, than when its ORDER was queued.
bool price_has_risen(const Ledger& ledger, const BookMove& move);

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

ServiceNext receipt_done(Service& service, ServiceCall& call);
ServiceNext message_done(const Service& service, ServiceCall& call);
ServiceNext server_message_done(Service& service, ServiceCall& call);
ServiceNext mail_id_done(Service& service, ServiceCall& call);

// The answer to what was booked about keys and messages.
void committed_mail(Service& service, Reply& reply, const Entry& entry, uint64_t now_ms);

// One line of the log: who said what, with every byte that could end it or pass for something else
// escaped.
void log_told(const Service& service, const ServiceCall& call, Slice text);

// EXISTS, naming the field in which a request differs from the first one of its id.
ServiceNext refuse_other_content(ServiceCall& call, const char* field);

// The words of a list that is shown in pages: [account] [COUNT n] [BEFORE number], and [ALL] where
// `all` is given; what is not there stays as it was. Returns err for anything else.
struct PageWords {
    Slice account;
    uint64_t count;
    uint64_t before;
};
Status parse_page(const ServiceCall& call, PageWords& out, bool* all);

// Says how many rows a page of them has.
ServiceNext refuse_page(ServiceCall& call, uint32_t rows_max, const char* what);

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

// The same for a reversal, whose entry may have to be read first.
ServiceNext reverse_money(Service& service, ServiceCall& call, BookMove& move);

// What follows from the status of a proposal about a person or an account.
ServiceNext after_proposal(const Service& service, ServiceCall& call, Status status);

// The map that HELLO answers with.
void put_hello(Service& service, ServiceCall& call);
