#include "ledger/ledger.h"

#include <string.h>

#include "base/check.h"
#include "ledger/rows.h"

namespace {

// The hold may be gone by now, so only what was asked is compared, not what it led to.
const char* differing_field_of_end(const IdRecord& record, const Movement& movement) {
    if (record.hold != movement.hold) return "hold";
    if (record.whole != movement.whole) return "amount";
    return !movement.whole && record.amount != movement.amount ? "amount" : nullptr;
}

// The first field in which a request differs from the one remembered; nullptr when none does.
const char* differing_field(const Ledger& ledger, const IdRecord& record,
                            const Movement& movement) {
    uint8_t memo_hash[16];
    rows_hash_memo(movement.memo, memo_hash);
    const bool to_member = movement.operation == Operation::deposit;
    const bool between = movement.operation == Operation::transfer ||
                         movement.operation == Operation::hold;
    if (record.operation != movement.operation) return "command";
    if (record.group_size != movement.group_size || record.group_place != movement.group_place) {
        return "group";
    }
    if (movement.operation == Operation::reverse) {
        return record.reversed != movement.reversed ? "entry" : nullptr;
    }
    if (operation_is_of_order(movement.operation)) {
        return rows_order_difference(ledger, record, movement);
    }
    if (operation_ends_hold(movement.operation)) return differing_field_of_end(record, movement);
    if (record.amount != movement.amount) return "amount";
    if (!rows_same_account(ledger, record, record.credit, movement.credit, movement.missing)) {
        return to_member ? "account" : "to";
    }
    if (!rows_same_account(ledger, record, record.debit, movement.debit, movement.missing)) {
        return between ? "from" : "account";
    }
    if (record.expires_s != movement.expires_s) return "expires";
    if (memcmp(record.memo_hash, memo_hash, sizeof memo_hash) != 0) return "memo";
    return nullptr;
}

// The end of a hold that is open as decided: its accounts were resolved.
Status judge_end(const Ledger& ledger, const Movement& movement) {
    if (movement.debit == row_none) return Status::state;
    if (movement.operation == Operation::cancel) return Status::ok;
    const Hold& hold = ledger.holds.pool.slots[holds_find(ledger.holds, movement.hold)];
    const AccountValues& credit = ledger.accounts[movement.credit].decided;
    if (movement.amount > hold.amount) return Status::amount;
    if (credit.state == AccountState::closed) return Status::closed;
    return rows_fits_ceiling(credit, movement.amount) ? Status::ok : Status::limit;
}

// Whether the entry may be reversed at all; the accounts are judged like any movement's.
Status judge_reversed(const Ledger& ledger, const Movement& movement) {
    const Reversals& reversals = ledger.reversals;
    if (movement.reversed < reversals_from(reversals, movement.head)) return Status::expired;
    if (movement.debit == row_none) return Status::state;
    return reversals_is_set(reversals, movement.reversed) ? Status::state : Status::ok;
}

Status judge_accounts(const Ledger& ledger, const Movement& movement, Refusal& refusal) {
    if (operation_is_of_order(movement.operation)) {
        return rows_judge_order(ledger, movement, refusal);
    }
    if (operation_ends_hold(movement.operation)) return judge_end(ledger, movement);
    if (movement.operation == Operation::reverse) {
        const Status status = judge_reversed(ledger, movement);
        if (status != Status::ok) return status;
    }
    if (movement.debit == row_none || movement.credit == row_none) return Status::noacct;
    const AccountValues& debit = ledger.accounts[movement.debit].decided;
    const AccountValues& credit = ledger.accounts[movement.credit].decided;
    if (debit.state == AccountState::closed) return Status::closed;
    if (credit.state == AccountState::closed) return Status::closed;
    if (!rows_fits_floor(debit, movement.amount)) {
        // Nobody lacks the money that is paid in: it is cash that cannot count any further.
        return movement.operation == Operation::deposit ? Status::limit : Status::funds;
    }
    if (movement.operation == Operation::hold) {
        return holds_has_room(ledger.holds) ? Status::ok : Status::oom;
    }
    return rows_fits_ceiling(credit, movement.amount) ? Status::ok : Status::limit;
}

// Whether what it moves stays within the bound of its terminal's day. A terminal that has no row
// yet has moved nothing.
Status judge_day(const Ledger& ledger, const Movement& movement) {
    if (movement.day == 0 || movement.day_max == 0) return Status::ok;
    const bool is_known = movement.terminal != row_none;
    const TerminalDay now = is_known ? ledger.days[movement.terminal].decided : TerminalDay{};
    const int64_t total = days_on(now, movement.day).total;
    return days_add(total, movement.amount) <= movement.day_max ? Status::ok : Status::limit;
}

// A movement whose id is new; the field is "day" where that is what bounds it.
Status judge_new(const Ledger& ledger, const Movement& movement, Refusal& refusal) {
    if (movement.debit == movement.credit && movement.debit != row_none) return Status::err;
    if (!rows_has_room_for_ids(ledger, 1)) return Status::oom;
    Status status = judge_accounts(ledger, movement, refusal);
    if (status != Status::ok) return status;
    status = judge_day(ledger, movement);
    if (status != Status::ok) refusal.field = "day";
    return status;
}

}  // namespace

Status ledger_judge(const Ledger& ledger, const Movement& movement, const IdRecord*& known,
                    Refusal& refusal) {
    CHECK(movement.amount >= 0 && movement.amount <= amount_minor_max);
    CHECK(movement.amount > 0 || movement.whole || operation_is_of_order(movement.operation));
    const Slice id = slice_of_chars(movement.id.text, movement.id.size);
    known = ids_find(ledger.ids, movement.person, id);
    refusal = {};
    if (known == nullptr) known = movement.remembered;
    if (known != nullptr) {
        refusal.field = differing_field(ledger, *known, movement);
        if (refusal.field != nullptr) return Status::exists;
        return known->seq > ledger.seq_installed ? Status::pending : Status::replayed;
    }
    return judge_new(ledger, movement, refusal);
}

void ledger_resolve_hold(const Ledger& ledger, Movement& movement) {
    movement.debit = row_none;
    movement.credit = row_none;
    const uint32_t slot = holds_find(ledger.holds, movement.hold);
    if (slot == pool_none || !ledger.holds.pool.slots[slot].decided) return;
    const Hold& hold = ledger.holds.pool.slots[slot];
    movement.debit = hold.debit;
    movement.credit = hold.credit;
    if (movement.whole) movement.amount = hold.amount;
}

namespace {

// Moves the decided values of a movement that is not refused.
void decide_booked(Ledger& ledger, const LogStamp& stamp, Entry& out) {
    MovementEntry& entry = out.movement;
    if (operation_is_of_order(entry.operation)) rows_decide_order(ledger, out);
    if (entry.operation == Operation::order_done) return;
    CHECK(entry.debit != row_none && entry.credit != row_none);
    AccountValues& debit = ledger.accounts[entry.debit].decided;
    AccountValues& credit = ledger.accounts[entry.credit].decided;
    int64_t hold_amount = 0;
    if (entry.operation == Operation::hold) {
        entry.hold = ++ledger.holds.given_decided;
        holds_open(ledger.holds, rows_hold_of(out));
    } else if (operation_ends_hold(entry.operation)) {
        Hold& hold = pool_at(ledger.holds.pool, holds_find(ledger.holds, entry.hold));
        CHECK(hold.decided);
        hold.decided = false;
        hold_amount = hold.amount;
    }
    if (entry.operation == Operation::reverse) reversals_decide(ledger.reversals, entry.reversed);
    entry.debit_previous = debit.last;
    const Position credit_last = credit.last;
    const bool joins = rows_apply(entry.operation, entry.amount, hold_amount, debit, credit);
    debit.last = stamp.position;
    if (!joins) return;
    entry.credit_previous = credit_last;
    credit.last = stamp.position;
}

// Moves the decided day of the terminal, of which the entry says what it is then.
void decide_day(Ledger& ledger, const Movement& movement, Entry& out) {
    CHECK(movement.terminal < ledger.terminals_decided && operation_counts(movement.operation));
    TerminalDay& decided = ledger.days[movement.terminal].decided;
    decided = rows_count_movement(decided, movement.day, movement.amount,
                                  out.status == Status::ok);
    out.movement.day = decided.day;
    out.movement.day_total = decided.total;
    out.movement.day_max = movement.day_max;
}

}  // namespace

void ledger_book(Ledger& ledger, const Movement& movement, Status outcome, const LogStamp& stamp,
                 Entry& out) {
    CHECK(outcome == Status::ok || status_is_remembered(outcome));
    out = rows_entry(EntryKind::movement, movement.person, movement.terminal, stamp);
    out.status = outcome;
    MovementEntry& entry = out.movement;
    entry.operation = movement.operation;
    entry.debit = movement.debit;
    entry.credit = movement.credit;
    entry.amount = movement.amount;
    entry.id = movement.id;
    entry.memo = movement.memo;
    entry.hold = movement.hold;
    entry.expires_s = movement.expires_s;
    entry.whole = movement.whole;
    entry.reversed = movement.reversed;
    entry.group_place = movement.group_place;
    entry.group_size = movement.group_size;
    entry.beyond_day = outcome == Status::limit && movement.beyond_day;
    if (operation_is_of_order(movement.operation)) {
        entry.order = movement.order;
        if (outcome != Status::state) entry.order.reason = OrderReason::none;
        if (outcome != Status::state) entry.order.number = 0;
    }
    const bool names_no_item =
        movement.operation == Operation::order && movement.order.item == row_none;
    const bool names_nobody = movement.debit == row_none || movement.credit == row_none;
    if (outcome != Status::ok && names_nobody) entry.missing = movement.missing;
    if (names_no_item) entry.missing = movement.item_name;
    if (outcome == Status::ok) decide_booked(ledger, stamp, out);
    if (movement.day != 0) decide_day(ledger, movement, out);
    if (entry.debit != row_none) entry.debit_after = ledger.accounts[entry.debit].decided.balance;
    if (entry.credit != row_none) {
        entry.credit_after = ledger.accounts[entry.credit].decided.balance;
    }
    ids_add(ledger.ids, id_record_of(out));
    if (movement.person == row_none) return;
    Asked& asked = ledger.asked[movement.person].decided;
    entry.asker_previous = asked.last;
    rows_add_asked(ledger, out, stamp.position, asked);
}

Status ledger_look_for_id(const Ledger& ledger, uint32_t person, Slice id, uint64_t looked,
                          uint32_t& steps) {
    CHECK(person < ledger.people_installed);
    if (ids_forgotten(ledger.ids) == 0) return Status::ok;
    if (ids_find(ledger.ids, person, id) != nullptr) return Status::ok;
    const AskedRow& row = ledger.asked[person];
    // A small ring may lose a record before it is durable, so the decided prints say what there is.
    const uint64_t in_flight = row.decided.count - row.installed.count;
    steps = asked_steps(row.decided, ids_print(ledger.ids, person, id), looked);
    if (steps == 0) return Status::ok;
    if (steps <= in_flight) return Status::pending;
    steps -= static_cast<uint32_t>(in_flight);
    return Status::more;
}

namespace {

// What one movement changed, as it was before.
struct Undo {
    uint32_t debit;
    uint32_t credit;
    AccountValues debit_values;
    AccountValues credit_values;
    Asked asked;
    TerminalDay day;
    uint32_t hold_slot;  // of the one that it ended; pool_none for none
    OrderUndo order;
};

Undo undo_of(const Ledger& ledger, const Movement& movement) {
    Undo undo = {};
    undo.debit = movement.debit;
    undo.credit = movement.credit;
    const bool has_accounts = movement.operation != Operation::order_done;
    if (has_accounts) undo.debit_values = ledger.accounts[movement.debit].decided;
    if (has_accounts) undo.credit_values = ledger.accounts[movement.credit].decided;
    undo.order = rows_order_undo(ledger, movement);
    if (movement.person != row_none) undo.asked = ledger.asked[movement.person].decided;
    if (movement.day != 0) undo.day = ledger.days[movement.terminal].decided;
    undo.hold_slot = operation_ends_hold(movement.operation)
                         ? holds_find(ledger.holds, movement.hold)
                         : pool_none;
    return undo;
}

void take_back(Ledger& ledger, const Movement& movement, const Undo& undo, uint64_t seq) {
    const bool has_accounts = movement.operation != Operation::order_done;
    if (has_accounts) ledger.accounts[undo.debit].decided = undo.debit_values;
    if (has_accounts) ledger.accounts[undo.credit].decided = undo.credit_values;
    rows_take_back_order(ledger, movement, undo.order);
    if (movement.person != row_none) ledger.asked[movement.person].decided = undo.asked;
    if (movement.day != 0) ledger.days[movement.terminal].decided = undo.day;
    if (movement.operation == Operation::hold) holds_undo(ledger.holds);
    if (undo.hold_slot != pool_none) ledger.holds.pool.slots[undo.hold_slot].decided = true;
    if (movement.operation == Operation::reverse) reversals_undo(ledger.reversals);
    ids_drop_after(ledger.ids, seq - 1);
}

}  // namespace

Status ledger_judge_group(Ledger& ledger, const Movement* movements, uint32_t count,
                          const LogStamp& first, uint32_t& refused_at, Refusal& refusal) {
    CHECK(count > 0 && count <= group_moves_max);
    refused_at = 0;
    refusal = {};
    // Refused ones are remembered too.
    if (!rows_has_room_for_ids(ledger, count)) return Status::oom;
    Undo undo[group_moves_max];
    Movement resolved[group_moves_max];
    Status status = Status::ok;
    LogStamp stamp = first;
    uint32_t booked = 0;
    for (; booked < count; booked++, stamp.seq++) {
        Movement& movement = resolved[booked];
        movement = movements[booked];
        // One before it may have ended the hold.
        if (operation_ends_hold(movement.operation)) ledger_resolve_hold(ledger, movement);
        if (operation_is_of_order(movement.operation)) ledger_resolve_order(ledger, movement);
        status = judge_new(ledger, movement, refusal);
        if (status != Status::ok) break;
        undo[booked] = undo_of(ledger, movement);
        Entry entry;
        ledger_book(ledger, movement, Status::ok, stamp, entry);
    }
    refused_at = booked;
    while (booked > 0) {
        booked--;
        take_back(ledger, resolved[booked], undo[booked], first.seq + booked);
    }
    return status;
}

void ledger_release(Ledger& ledger, uint32_t hold_slot, const LogStamp& stamp, Entry& out) {
    const Hold& hold = pool_at(ledger.holds.pool, hold_slot);
    out = rows_entry(EntryKind::movement, row_none, row_none, stamp);
    MovementEntry& entry = out.movement;
    entry.operation = Operation::release;
    entry.debit = hold.debit;
    entry.credit = hold.credit;
    entry.amount = hold.amount;
    entry.hold = hold.number;
    decide_booked(ledger, stamp, out);
    entry.debit_after = ledger.accounts[entry.debit].decided.balance;
    entry.credit_after = ledger.accounts[entry.credit].decided.balance;
}

void ledger_add_terminal(Ledger& ledger, const Name& name, const LogStamp& stamp, Entry& out) {
    const uint32_t terminal = ledger.terminals_decided;
    out = rows_entry(EntryKind::terminal, row_none, row_none, stamp);
    out.row_terminal = {.terminal = terminal, .name = name};
    rows_put_terminal(ledger, terminal, name);
}

void ledger_genesis(Ledger& ledger, const GenesisEntry& genesis, const LogStamp& stamp,
                    Entry& out) {
    CHECK(ledger.currency[0] == '\0' && stamp.seq == 1);
    out = rows_entry(EntryKind::genesis, row_none, row_none, stamp);
    out.genesis = genesis;
}

void ledger_set_limits(Ledger& ledger, const LogStamp& stamp, Entry& out) {
    out = rows_entry(EntryKind::limits, row_none, row_none, stamp);
    out.limits = {.accounts = ledger.limits.accounts,
                  .ids = ledger.limits.ids,
                  .terminals = ledger.limits.terminals,
                  .holds = ledger.limits.holds,
                  .reversible = ledger.limits.reversible};
    ids_set_window(ledger.ids, ledger.limits.ids);
    reversals_set_window(ledger.reversals, ledger.limits.reversible);
}

void ledger_add_account(Ledger& ledger, uint32_t asked_by, uint32_t terminal, const Name& name,
                        uint32_t owner, int64_t floor, int64_t ceiling, const LogStamp& stamp,
                        Entry& out) {
    const uint32_t account = ledger.accounts_decided;
    out = rows_entry(EntryKind::account, asked_by, terminal, stamp);
    out.account = {.account = account,
                   .owner = owner,
                   .floor = floor,
                   .ceiling = ceiling,
                   .state = AccountState::open,
                   .operation = AccountOperation::open,
                   .name = name};
    rows_put_account(ledger, account, name, owner);
    AccountValues values = rows_member_account();
    values.floor = floor;
    values.ceiling = ceiling;
    ledger.accounts[account].decided = values;
}

void ledger_set_account(Ledger& ledger, uint32_t asked_by, uint32_t terminal, uint32_t account,
                        AccountOperation operation, const AccountValues& values,
                        const LogStamp& stamp, Entry& out) {
    CHECK(account < ledger.accounts_decided && operation != AccountOperation::open);
    Account& row = ledger.accounts[account];
    row.decided.floor = values.floor;
    row.decided.ceiling = values.ceiling;
    row.decided.state = values.state;
    out = rows_entry(EntryKind::account, asked_by, terminal, stamp);
    out.account = {.account = account,
                   .owner = row.owner,
                   .floor = values.floor,
                   .ceiling = values.ceiling,
                   .state = values.state,
                   .operation = operation,
                   .name = row.name};
}
