// What every command that moves money shares: proposing, the answer, and going on behind a read.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

// Why an entry could not be reversed.
void put_reverse_refusal(const IdRecord& record, Writer& out) {
    put_text(out, "entry ");
    put_decimal(out, record.reversed);
    if (record.status == Status::expired) {
        put_text(out, " is too old to be reversed");
    } else if (record.debit == row_none && record.credit != row_none) {
        put_text(out, " is of an order; an order is cancelled, not reversed");
    } else if (record.debit == row_none) {
        put_text(out, " moved no money that could be moved back");
    } else {
        put_text(out, " has been reversed already");
    }
}

void put_hold_refusal(const IdRecord& record, Writer& out) {
    put_text(out, "hold ");
    put_decimal(out, record.hold);
    put_text(out, record.status == Status::expired ? " has expired and was released"
                                                   : " is not open");
}

void put_chosen_id(Reply& reply, const IdRecord& record) {
    if (record.id.text[0] != '+') return;
    reply_bulk_text(reply, "id");
    reply_bulk(reply, slice_of_chars(record.id.text, record.id.size));
}

// An order that is handed over moved no balance, and its price is no longer anybody's concern.
void put_ordered(const Ledger& ledger, Reply& reply, const IdRecord& record) {
    const bool moved = record.operation != Operation::order_done;
    const bool chosen = record.id.text[0] == '+';
    reply_map(reply, 4u + (moved ? 2 : 0) + (chosen ? 1 : 0));
    reply_bulk_text(reply, "entry");
    reply_integer(reply, static_cast<int64_t>(record.seq));
    if (moved) {
        reply_bulk_text(reply, "balance");
        reply_minor_bulk(reply, record.balance, ledger.scale);
    }
    reply_bulk_text(reply, "order");
    reply_integer(reply, static_cast<int64_t>(record.order));
    reply_bulk_text(reply, "item");
    reply_bulk(reply, name_slice(ledger.items[record.item].name));
    reply_bulk_text(reply, "quantity");
    reply_integer(reply, record.quantity);
    if (moved) {
        reply_bulk_text(reply, "price");
        reply_minor_bulk(reply, record.amount / record.quantity, ledger.scale);
    }
    put_chosen_id(reply, record);
}

void put_booked(const Ledger& ledger, Reply& reply, const IdRecord& record) {
    const bool chosen = record.id.text[0] == '+';
    const bool of_hold = record.hold != 0;
    const bool reverses = record.reversed != 0;
    reply_map(reply, 2u + (reverses ? 1 : 0) + (of_hold ? 1 : 0) + (chosen ? 1 : 0));
    reply_bulk_text(reply, "entry");
    reply_integer(reply, static_cast<int64_t>(record.seq));
    if (reverses) {  // Nobody named the account whose balance this is.
        const uint32_t account = record.credit == account_cash ? record.debit : record.credit;
        reply_bulk_text(reply, "account");
        reply_bulk(reply, name_slice(ledger.accounts[account].name));
    }
    reply_bulk_text(reply, "balance");
    reply_minor_bulk(reply, record.balance, ledger.scale);
    if (of_hold) {
        reply_bulk_text(reply, "hold");
        reply_integer(reply, static_cast<int64_t>(record.hold));
    }
    put_chosen_id(reply, record);
}

}  // namespace

ServiceNext refuse_other_content(ServiceCall& call, const char* field) {
    reply_error_begin(call.reply, status_word(Status::exists));
    put_text(*call.reply.out, "this id was used for another request; its ");
    put_text(*call.reply.out, field);
    put_text(*call.reply.out, " differs");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

namespace {

ServiceNext id_done(Service& service, ServiceCall& call) {
    ReadJob& job = *call.read;
    if (job.outcome == Status::absent) {
        return refuse(call, Status::exists,
                      "this id may be one of a request that is archived; use another");
    }
    if (job.outcome != Status::ok) return refuse_unreadable(call);
    if (job.move.operation == Operation::message) return mail_id_done(service, call);
    BookMove move = job.move;
    call.pin_verified = job.pin_verified;
    move.looked = job.walk.looked;
    move.was_known = job.walk.found;
    move.known = job.walk.record;
    if (move.operation == Operation::reverse) return reverse_money(service, call, move);
    return move_money(service, call, move);
}

// The records of the group whose last entry has just been installed.
void put_committed_group(const Ledger& ledger, Reply& reply, uint32_t count) {
    IdRecord records[group_moves_max];
    CHECK(count <= group_moves_max && count <= ledger.ids_installed);
    for (uint32_t i = 0; i < count; i++) {
        records[i] = ids_at(ledger.ids, ledger.ids_installed - count + i);
    }
    put_group(ledger, reply, records, count);
}

void committed_movement(const Service& service, Reply& reply, const Entry& entry,
                        uint64_t now_ms) {
    const Ledger& ledger = service.book->ledger;
    const uint32_t group_size = entry.movement.group_size;
    if (entry.status != Status::ok) {
        const uint32_t refusals = group_size == 0 ? 1 : group_size;
        for (uint32_t i = 0; i < refusals; i++) {
            access_note_refusal(*service.access, entry.person, now_ms);
        }
    }
    if (group_size == 0) {
        put_movement(ledger, reply, id_record_of(entry));
    } else {
        put_committed_group(ledger, reply, group_size);
    }
}

// Who changed the own password stays logged in; any other change that ends logins ends this one.
void committed_person(Service& service, Caller& caller, Reply& reply, const Entry& whole) {
    const PersonEntry& entry = whole.row_person;
    const bool is_own = entry.person == caller.person && whole.person == caller.person;
    if (is_own && entry.operation == PersonOperation::password) {
        caller.version = service.book->ledger.people[entry.person].installed.version;
    }
    const bool is_of_pin = entry.operation == PersonOperation::pin_set ||
                           entry.operation == PersonOperation::pin_unlock;
    if (is_of_pin) access_clear_pin(*service.access, entry.person);
    if (entry.operation == PersonOperation::pin_lock) {  // What led to it is refused.
        reply_error(reply, status_word(Status::noperm), locked_pin_text);
    } else {
        reply_ok(reply);
    }
}

}  // namespace

void put_refusal(const Ledger& ledger, const IdRecord& record, Writer& out) {
    const bool of_reverse = record.operation == Operation::reverse;
    const bool of_order = operation_is_of_order(record.operation);
    if (record.status == Status::funds && record.operation == Operation::cancel_order) {
        put_text(out, "the shop's account cannot give back ");  // Its balance is nobody's business.
        put_minor(out, record.amount, ledger.scale);
    } else if (record.status == Status::state && of_order) {
        put_order_refusal(ledger, record, out);
    } else if (record.status == Status::funds) {
        put_text(out, "the balance is ");
        put_minor(out, record.balance, ledger.scale);
        put_text(out, ", not enough for ");
        put_minor(out, record.amount, ledger.scale);
    } else if (record.status == Status::limit) {
        put_text(out, record.beyond_day ? "this terminal cannot move "
                                        : "the account cannot take ");
        put_minor(out, record.amount, ledger.scale);
        put_text(out, record.beyond_day ? " more today" : " more");
    } else if (record.status == Status::noacct) {
        put_text(out, "no account '");
        put_bytes(out, name_slice(record.missing));
        put_text(out, "'");
    } else if (record.status == Status::state || record.status == Status::expired) {
        if (of_reverse) {
            put_reverse_refusal(record, out);
        } else {
            put_hold_refusal(record, out);
        }
    } else {
        put_text(out, status_meaning(record.status));
    }
}

void put_movement(const Ledger& ledger, Reply& reply, const IdRecord& record) {
    if (record.status == Status::ok) {
        if (operation_is_of_order(record.operation)) {
            put_ordered(ledger, reply, record);
        } else {
            put_booked(ledger, reply, record);
        }
        return;
    }
    reply_error_begin(reply, status_word(record.status));
    put_refusal(ledger, record, *reply.out);
    reply_error_end(reply);
}

ServiceNext refuse_unreadable(ServiceCall& call) {
    return refuse(call, Status::misconf, "the journal could not be read back; run pennyctl check");
}

ServiceNext look_for_id(const Service& service, ServiceCall& call, const BookMove& move) {
    const Ledger& ledger = service.book->ledger;
    const Slice id = slice_of_chars(move.id.text, move.id.size);
    if (id.size == 0 || move.was_known) return ServiceNext::replied;
    uint32_t steps = 0;
    const Status look = ledger_look_for_id(ledger, move.person, id, move.looked, steps);
    if (look == Status::ok) return ServiceNext::replied;
    if (look == Status::pending || !may_read_now(call)) return ServiceNext::waiting;
    call.read->move = move;
    call.read->pin_verified = call.pin_verified;
    read_id(*call.read, move.person, ledger.asked[move.person].installed, steps, move.id);
    return ServiceNext::reading;
}

ServiceNext move_money(Service& service, ServiceCall& call, BookMove& move) {
    move.person = call.caller->person;
    move.terminal = call.caller->terminal;
    move.day_max = call_rights(service, call).day_max;
    if (!may_move_here(service, call, move)) return ServiceNext::replied;
    const Status pin = check_pin(service, call, move);
    if (pin == Status::absent) return ServiceNext::replied;
    if (pin != Status::ok) {
        return pin == Status::more ? ServiceNext::hashing : ServiceNext::waiting;
    }
    const ServiceNext look = look_for_id(service, call, move);
    if (look != ServiceNext::replied) return look;
    if (call.caller->in_group) {
        const uint32_t item = ledger_find_item(service.book->ledger, move.item);
        if (item != row_none) move.price_seen = service.book->ledger.items[item].decided.price;
        return queue_move(service, call, move);
    }
    IdRecord answer;
    const char* field = nullptr;
    const bool may_refuse = access_may_refuse(*service.access, move.person, call.now_ms);
    const Status status =
        book_move(*service.book, call.wall_ms, move, may_refuse, call.tag, answer, field);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::exists) return refuse_other_content(call, field);
    if (status == Status::replayed) {
        put_movement(service.book->ledger, call.reply, answer);
        return ServiceNext::replied;
    }
    if (status == Status::busy) {
        return refuse(call, Status::busy, "too many refused requests this minute");
    }
    if (status == Status::oom) {
        return refuse(call, Status::oom, "a table of the book is full; try later");
    }
    if (status == Status::amount) {
        return refuse(call, Status::amount,
                      move.operation == Operation::order
                          ? "so many cost more than one movement can be"
                          : "the hold has less than that");
    }
    CHECK(status == Status::err);
    return refuse(call, Status::err, "the account cannot pay itself");
}

ServiceNext service_read_done(Service& service, ServiceCall& call) {
    const Caller& caller = *call.caller;
    if (caller.person != row_none && !login_holds(service, caller)) return end_login(call);  // S2
    const GroupWatch watch = group_watch(call);
    ServiceNext next = ServiceNext::replied;
    switch (call.read->use) {
        case ReadUse::statement: return statement_done(service, call);
        case ReadUse::id: next = id_done(service, call); break;
        case ReadUse::reverse: next = reverse_done(service, call); break;
        case ReadUse::receipt:
        case ReadUse::receipt_sign:
        case ReadUse::receipt_judge:
        case ReadUse::receipt_compare: return receipt_done(service, call);
        case ReadUse::message: return message_done(service, call);
        case ReadUse::server_message: return server_message_done(service, call);
    }
    group_note(call, watch, next);
    return next;
}

void service_committed(Service& service, Caller& caller, Reply& reply, const BookDone& done,
                       uint64_t now_ms) {
    if (!done.durable) {
        reply_error(reply, status_word(Status::misconf),
                    "the journal could not be written; the outcome is unknown until a restart, "
                    "then resend the same id");
        return;
    }
    switch (done.entry.kind) {
        case EntryKind::movement: committed_movement(service, reply, done.entry, now_ms); return;
        case EntryKind::person: {
            committed_person(service, caller, reply, done.entry);
            return;
        }
        case EntryKind::account:
        case EntryKind::item: reply_ok(reply); return;
        case EntryKind::genesis:
        case EntryKind::limits:
        case EntryKind::terminal: break;
        case EntryKind::message:
        case EntryKind::key:
        case EntryKind::forget: committed_mail(service, reply, done.entry, now_ms); return;
    }
    CHECK(false);
}
