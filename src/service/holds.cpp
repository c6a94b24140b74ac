// The commands about money that is reserved first and moved later: HOLD CAPTURE VOID.

#include "base/check.h"
#include "service/handlers.h"

namespace {

// Takes the number of a hold.
Status take_number(Slice word, uint64_t& out) {
    uint64_t number = 0;
    if (parse_decimal(word, number) != Status::ok || number == 0) return Status::invalid;
    out = number;
    return Status::ok;
}

// CAPTURE and VOID are for the payee and for a till. A hold that is not open belongs to nobody, and
// who may not touch it learns only that.
bool may_end(const Service& service, const ServiceCall& call, uint64_t number) {
    const Ledger& ledger = service.book->ledger;
    if (call_person(service, call).installed.role == Role::till) return true;
    const uint32_t slot = holds_find(ledger.holds, number);
    if (slot == pool_none) return true;
    const Hold& hold = ledger.holds.pool.slots[slot];
    const uint32_t person = call.caller->person;
    if (ledger.accounts[hold.credit].owner == person) return true;
    // The payer may have an expired one released at once.
    return hold.expiry_ms <= call.wall_ms && ledger.accounts[hold.debit].owner == person;
}

ServiceNext end_hold(Service& service, ServiceCall& call, BookMove& move) {
    if (take_id(call_word(call, 1), move.id) != Status::ok) return refuse_id(call);
    if (take_number(call_word(call, 2), move.hold) != Status::ok) {
        return refuse(call, Status::err, "a hold is named by its number, such as 17");
    }
    if (!may_end(service, call, move.hold)) {
        return refuse(call, Status::noperm, "this hold is for the payee or a till to end");
    }
    return move_money(service, call, move);
}

}  // namespace

ServiceNext command_hold(Service& service, ServiceCall& call) {
    BookMove move = {};
    uint64_t expires_s = hold_expires_s_default;
    move.operation = Operation::hold;
    move.debit = own_account(service, call);
    if (take_id(call_word(call, 1), move.id) != Status::ok) return refuse_id(call);
    if (parse_name(call_word(call, 2), move.credit) != Status::ok) {
        return refuse_no_account(call, call_word(call, 2));
    }
    if (parse_amount(call_word(call, 3), service.book->ledger.scale, move.amount) != Status::ok) {
        return refuse_amount(service, call);
    }
    if (call_words(call) > 4) {
        if (call_words(call) != 6 || !slice_equal_nocase(call_word(call, 4), "EXPIRES")) {
            return refuse_syntax(call);
        }
        const Status status = parse_decimal(call_word(call, 5), expires_s);
        if (status != Status::ok || expires_s == 0 || expires_s > hold_expires_s_max) {
            return refuse(call, Status::err, "EXPIRES is from 1 to 31622400 seconds");
        }
    }
    if (slice_equal_text(name_slice(move.credit), "cash")) {
        return refuse(call, Status::noperm, "cash is paid in and out with DEPOSIT and WITHDRAW");
    }
    move.expires_s = static_cast<uint32_t>(expires_s);
    return move_money(service, call, move);
}

ServiceNext command_capture(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::capture;
    move.whole = call_words(call) == 3;
    if (!move.whole &&
        parse_amount(call_word(call, 3), service.book->ledger.scale, move.amount) != Status::ok) {
        return refuse_amount(service, call);
    }
    return end_hold(service, call, move);
}

ServiceNext command_void(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::cancel;
    move.whole = true;
    return end_hold(service, call, move);
}
