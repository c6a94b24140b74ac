// What a movement needs beside its row: the bounds of the terminal it comes from, and a PIN.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

// What a movement is about, as far as that is known: a hold may be gone, an entry not read yet.
struct MoveFacts {
    uint32_t debit;   // account or row_none
    uint32_t credit;
    int64_t amount;   // minor units; 0 when it is not known
};

// The first answer to the same id, as far as it is at hand.
const IdRecord* remembered(const Ledger& ledger, const BookMove& move) {
    const Slice id = slice_of_chars(move.id.text, move.id.size);
    const IdRecord* record = ids_find(ledger.ids, move.person, id);
    return record == nullptr && move.was_known ? &move.known : record;
}

void take_known(const IdRecord& record, MoveFacts& facts) {
    if (facts.debit == row_none) facts.debit = record.debit;
    if (facts.credit == row_none) facts.credit = record.credit;
    if (facts.amount == 0) facts.amount = record.amount;
}

// Whether the first answer to the id, if there is one, is still to be looked for in the journal.
bool may_be_in_journal(const Ledger& ledger, const BookMove& move) {
    const Slice id = slice_of_chars(move.id.text, move.id.size);
    uint32_t steps = 0;
    return id.size > 0 && !move.was_known &&
           ledger_look_for_id(ledger, move.person, id, move.looked, steps) != Status::ok;
}

// What an order costs by the price of now, or what one that is there did cost. Which of them it is
// may not be known yet: then nothing is, and it is judged again when the journal was looked into.
void take_order_facts(const Ledger& ledger, const BookMove& move, MoveFacts& facts) {
    Movement movement = {};
    movement.operation = move.operation;
    movement.debit = facts.debit;
    movement.credit = account_shop;
    movement.order.order = move.order;
    movement.order.quantity = move.quantity;
    movement.order.item = row_none;
    if (move.operation == Operation::order) {
        const IdRecord* record = remembered(ledger, move);
        movement.debit = ledger_find_account(ledger, move.debit);
        movement.order.item = ledger_find_item(ledger, move.item);
        if (record != nullptr) facts.amount = record->amount;  // The price of then.
        if (record != nullptr || may_be_in_journal(ledger, move)) {
            movement.order.item = row_none;
        }
    }
    ledger_resolve_order(ledger, movement);
    facts.debit = movement.debit;
    facts.credit = movement.credit;
    if (facts.amount == 0) facts.amount = movement.amount;
}

// The first answer knows what a request that is sent again does not name (P6).
MoveFacts facts_of(const Ledger& ledger, const BookMove& move) {
    MoveFacts facts = {row_none, row_none, move.amount};
    if (move.operation == Operation::reverse) {
        facts.debit = move.reversed_credit;
        facts.credit = move.reversed_debit;
    } else if (operation_is_of_order(move.operation)) {
        take_order_facts(ledger, move, facts);
    } else if (operation_ends_hold(move.operation)) {
        const uint32_t slot = holds_find(ledger.holds, move.hold);
        if (slot != pool_none) {
            const Hold& hold = ledger.holds.pool.slots[slot];
            facts.debit = hold.debit;
            facts.credit = hold.credit;
            if (facts.amount == 0) facts.amount = hold.amount;
        }
    } else {
        facts.debit = ledger_find_account(ledger, move.debit);
        facts.credit = ledger_find_account(ledger, move.credit);
        return facts;
    }
    const IdRecord* record = remembered(ledger, move);
    if (record != nullptr) take_known(*record, facts);
    return facts;
}

// Whether the terminal may touch this side of a movement; a name that no account has is judged as
// if one had it, so that nobody learns which there are.
bool may_touch(const Service& service, const ServiceCall& call, uint32_t account,
               const Name& named) {
    const Ledger& ledger = service.book->ledger;
    const TerminalRights& rights = call_rights(service, call);
    if (account == row_none) return named.size == 0 || access_may_touch(rights, named);
    if (ledger.accounts[account].owner == call.caller->person) return true;
    return access_may_touch(rights, ledger.accounts[account].name);
}

// What gives money free or back to who paid it, or moves none, is not bounded.
bool needs_amount(Operation operation) {
    return operation != Operation::cancel && !operation_ends_order(operation);
}

void put_amount_refusal(const Service& service, ServiceCall& call, const char* before,
                        int64_t amount, const char* after) {
    reply_error_begin(call.reply, status_word(Status::noperm));
    put_text(*call.reply.out, before);
    put_minor(*call.reply.out, amount, service.book->ledger.scale);
    put_text(*call.reply.out, after);
    reply_error_end(call.reply);
}

// Fills a job that verifies the PIN given. Returns as check_pin.
Status begin_pin(const Service& service, ServiceCall& call, const BookMove& move) {
    const Person& person = call_person(service, call);
    if (person.installed.pin == PinState::none) {
        refuse(call, Status::noperm, "no PIN is set; set one with PIN SET and your password");
        return Status::absent;
    }
    if (pin_is_locked(service, call.caller->person)) {
        refuse_locked_pin(call);
        return Status::absent;
    }
    // A verdict must not overtake the replies that wait for their commit.
    if (!call.alone || call.hash == nullptr) return Status::pending;
    HashJob& job = *call.hash;
    job.purpose = HashPurpose::move;
    job.person = call.caller->person;
    job.version = call.caller->version;
    job.has_known = true;
    job.known = person.texts.pin;
    job.move = move;
    put_pin(call.pin, job.password);
    return Status::more;
}

}  // namespace

const TerminalRights& call_rights(const Service& service, const ServiceCall& call) {
    CHECK(call.caller->rights < service.access->terminal_count);
    return service.access->terminals[call.caller->rights];
}

bool may_move_here(const Service& service, ServiceCall& call, const BookMove& move) {
    const TerminalRights& rights = call_rights(service, call);
    const MoveFacts facts = facts_of(service.book->ledger, move);
    // Whoever may pay from there may buy from there.
    const bool of_order = operation_is_of_order(move.operation);
    const bool is_from_shop = of_order && facts.debit == account_shop;
    const bool is_to_shop = of_order && facts.credit == account_shop;
    if ((!is_from_shop && !may_touch(service, call, facts.debit, move.debit)) ||
        (!is_to_shop && !may_touch(service, call, facts.credit, move.credit))) {
        refuse(call, Status::noperm, "this terminal does not move money of that account");
        return false;
    }
    const bool moves = needs_amount(move.operation);
    if (moves && rights.amount_max > 0 && facts.amount > rights.amount_max) {
        put_amount_refusal(service, call, "this terminal moves at most ", rights.amount_max,
                           " at once");
        return false;
    }
    return true;
}

Status check_pin(const Service& service, ServiceCall& call, const BookMove& move) {
    const int64_t above = access_pin_above(*service.access, call_rights(service, call));
    const bool moves = needs_amount(move.operation);
    if (above == pin_never || !moves || call.pin_verified) return Status::ok;
    const MoveFacts facts = facts_of(service.book->ledger, move);
    const bool is_known = facts.amount > 0;
    if (is_known && facts.amount <= above) return Status::ok;
    if (call.pin.size > 0) return begin_pin(service, call, move);
    if (!is_known) return Status::ok;  // Asked again when it was read.
    put_amount_refusal(service, call, "a PIN is needed above ", above,
                       ": end the command with PIN and the PIN");
    return Status::absent;
}
