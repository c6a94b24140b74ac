// REVERSE: moves back what an earlier entry moved, at most once.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

bool can_be_moved_back(const Entry& entry) {
    return entry.kind == EntryKind::movement && entry.status == Status::ok &&
           entry.movement.operation != Operation::reverse &&
           !operation_is_of_order(entry.movement.operation) &&
           operation_moves_money(entry.movement.operation);
}

// A till takes back its own entries, soon; a treasurer any.
bool may_reverse(const Service& service, const ServiceCall& call, const Entry& entry) {
    if (call_person(service, call).installed.role == Role::treasurer) return true;
    const Ledger& ledger = service.book->ledger;
    if (entry.terminal >= ledger.terminals_installed) return false;
    if (!name_equal(ledger.terminals[entry.terminal], call.caller->terminal)) return false;
    const uint64_t limit_ms = service.access->rules.reverse_minutes * uint64_t{60'000};
    return call.wall_ms < entry.time_ms + limit_ms;
}

ServiceNext refuse_missing(ServiceCall& call, uint64_t entry, const char* what) {
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, what);
    put_decimal(*call.reply.out, entry);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// Whether the id has been used, as the newest ids or the journal tell.
bool is_known(const Book& book, const BookMove& move) {
    const Slice id = slice_of_chars(move.id.text, move.id.size);
    return move.was_known || ids_find(book.ledger.ids, move.person, id) != nullptr;
}

BookMove reverse_of(const BookMove& asked, const Entry& entry) {
    BookMove move = asked;
    move.reversed_debit = row_none;
    move.reversed_credit = row_none;
    const bool of_order = entry.kind == EntryKind::movement && entry.status == Status::ok &&
                          operation_is_of_order(entry.movement.operation);
    if (of_order) {  // Only the one side, which tells it from what moved nothing.
        const bool paid = entry.movement.operation == Operation::order;
        move.reversed_debit = paid ? entry.movement.debit : entry.movement.credit;
    }
    if (!can_be_moved_back(entry)) return move;
    move.reversed_debit = entry.movement.debit;
    move.reversed_credit = entry.movement.credit;
    move.amount = entry.movement.amount;
    return move;
}

}  // namespace

ServiceNext command_reverse(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::reverse;
    move.whole = true;
    move.reversed_debit = row_none;
    move.reversed_credit = row_none;
    if (take_id(call_word(call, 1), move.id) != Status::ok) return refuse_id(call);
    const Status number = parse_decimal(call_word(call, 2), move.reversed);
    if (number != Status::ok || move.reversed == 0) {
        return refuse(call, Status::err, "an entry is named by its number, such as 17");
    }
    return reverse_money(service, call, move);
}

ServiceNext reverse_money(Service& service, ServiceCall& call, BookMove& move) {
    const Book& book = *service.book;
    move.person = call.caller->person;
    // A PIN that was given is looked at before what it may be needed for is known.
    const Status pin = check_pin(service, call, move);
    if (pin == Status::absent) return ServiceNext::replied;
    if (pin != Status::ok) {
        return pin == Status::more ? ServiceNext::hashing : ServiceNext::waiting;
    }
    // What was answered before is answered again, whatever the entry, its reach and the till's time
    // are by now; so the id is looked for before the entry is, in the journal too.
    const ServiceNext look = look_for_id(service, call, move);
    if (look != ServiceNext::replied) return look;
    const bool is_old =
        move.reversed < reversals_from(book.ledger.reversals, book.log.entry_proposed);
    if (is_known(book, move) || is_old) return move_money(service, call, move);
    if (move.reversed > book.log.entry_durable) {
        return refuse_missing(call, move.reversed, "there is no entry ");
    }
    if (!may_read_now(call)) return ServiceNext::waiting;
    call.read->move = move;
    call.read->pin_verified = call.pin_verified;
    read_entry(*call.read, ReadUse::reverse, book.log.bank_id, move.reversed,
               book.log.end_durable);
    return ServiceNext::reading;
}

ServiceNext reverse_done(Service& service, ServiceCall& call) {
    const ReadJob& job = *call.read;
    if (job.outcome == Status::absent) {
        return refuse_missing(call, job.move.reversed, "the journal here begins behind entry ");
    }
    if (job.outcome != Status::ok) return refuse_unreadable(call);
    // A copy of it may have been booked while this one was read.
    if (!is_known(*service.book, job.move) && !may_reverse(service, call, job.entry)) {
        // Or by one whose batch could not be written: only a restart tells.
        if (log_is_stopped(service.book->log)) return refuse_misconf(service, call);
        return refuse(call, Status::noperm,
                      "a till reverses what it entered itself a short while ago; ask a treasurer");
    }
    BookMove move = reverse_of(job.move, job.entry);
    call.pin_verified = job.pin_verified;
    return move_money(service, call, move);
}
