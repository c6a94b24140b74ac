#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pennyctl/check.h"

namespace {

Status grow(Check& check, CheckSums& sums, const CheckEntry& at) {
    if (sums.account_count < sums.account_room) return Status::ok;
    const uint32_t room = sums.account_room == 0 ? 1024 : 2 * sums.account_room;
    void* grown = realloc(sums.accounts, room * sizeof(CheckAccount));
    if (grown == nullptr) return check_wrong(check, at, "there is no memory for more accounts");
    sums.accounts = static_cast<CheckAccount*>(grown);
    sums.account_room = room;
    return Status::ok;
}

Status add_account(Check& check, CheckSums& sums, const CheckEntry& at, uint32_t row,
                   const CheckAccount& account) {
    if (row != sums.account_count) return check_wrong(check, at, "its account is not the next one");
    const Status status = grow(check, sums, at);
    if (status == Status::ok) sums.accounts[sums.account_count++] = account;
    return status;
}

Status note_genesis(Check& check, CheckSums& sums, const CheckEntry& at) {
    const GenesisEntry& genesis = at.entry.genesis;
    if (at.entry.seq != 1) return check_wrong(check, at, "a book begins a second time");
    memcpy(sums.bank_id, genesis.bank_id, bank_id_size);
    memcpy(sums.currency, genesis.currency, genesis.currency_size);
    sums.scale = genesis.scale;
    return Status::ok;
}

// Who is removed takes the account along, which must be empty.
Status note_removed(Check& check, CheckSums& sums, const CheckEntry& at) {
    const PersonEntry& person = at.entry.row_person;
    if (person.operation != PersonOperation::remove) return Status::ok;
    if (person.account >= sums.account_count) {
        return check_wrong(check, at, "it removes a person whose account is not there");
    }
    CheckAccount& account = sums.accounts[person.account];
    if (account.balance != 0 || account.held != 0) {
        return check_wrong(check, at, "it removes a person whose account is not empty");
    }
    account.is_open = false;
    return Status::ok;
}

Status note_person(Check& check, CheckSums& sums, const CheckEntry& at) {
    const PersonEntry& person = at.entry.row_person;
    if (person.operation != PersonOperation::added) {
        if (person.person >= sums.person_count) {
            return check_wrong(check, at, "it changes a person who is not there");
        }
        return note_removed(check, sums, at);
    }
    if (person.person != sums.person_count) {
        return check_wrong(check, at, "its person is not the next one");
    }
    sums.person_count++;
    return add_account(check, sums, at, person.account, {0, 0, balance_minor_max, 0, true, 0});
}

Status note_account(Check& check, CheckSums& sums, const CheckEntry& at) {
    const AccountEntry& account = at.entry.account;
    const bool is_open = account.state == AccountState::open;
    if (account.operation == AccountOperation::open) {
        return add_account(check, sums, at, account.account,
                           {0, account.floor, account.ceiling, 0, is_open, 0});
    }
    if (account.account >= sums.account_count) {
        return check_wrong(check, at, "it changes an account that is not there");
    }
    CheckAccount& row = sums.accounts[account.account];
    if (!is_open && (row.balance != 0 || row.held != 0)) {
        return check_wrong(check, at, "it closes an account that is not empty");
    }
    row.floor = account.floor;
    row.ceiling = account.ceiling;
    row.is_open = is_open;
    return Status::ok;
}

// A refused movement says what was there and changes nothing.
Status note_refusal(Check& check, const CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    if (movement.debit_previous != 0 || movement.credit_previous != 0) {
        return check_wrong(check, at, "refused, and yet in the chain of an account");
    }
    const uint32_t rows[] = {movement.debit, movement.credit};
    const int64_t after[] = {movement.debit_after, movement.credit_after};
    for (uint32_t i = 0; i < 2; i++) {
        if (rows[i] != row_none && rows[i] >= sums.account_count) {
            return check_wrong(check, at, "it names an account that is not there");
        }
        const int64_t balance = rows[i] == row_none ? 0 : sums.accounts[rows[i]].balance;
        if (after[i] != balance) return check_wrong(check, at, "refused, and yet a balance moved");
    }
    return Status::ok;
}

// Money is reserved: the account must have it beside what is reserved already.
Status note_hold(Check& check, CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    CheckAccount& debit = sums.accounts[movement.debit];
    if (movement.hold != sums.hold_count + 1) {
        return check_wrong(check, at, "its hold is not the next one");
    }
    if (sums.hold_count == sums.hold_room) {
        const uint64_t room = sums.hold_room == 0 ? 1024 : 2 * sums.hold_room;
        void* grown = reallocarray(sums.holds, static_cast<size_t>(room), sizeof(CheckHold));
        if (grown == nullptr) return check_wrong(check, at, "there is no memory for more holds");
        sums.holds = static_cast<CheckHold*>(grown);
        sums.hold_room = room;
    }
    const uint64_t expiry_ms = at.entry.time_ms + movement.expires_s * 1000ull;
    sums.holds[sums.hold_count++] = {movement.debit, movement.credit, movement.amount, expiry_ms,
                                     true};
    if (++sums.holds_open > sums.holds_open_max) sums.holds_open_max = sums.holds_open;
    debit.held += movement.amount;
    return Status::ok;
}

// A hold ends; a captured amount moves.
Status note_hold_end(Check& check, CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    if (movement.hold == 0 || movement.hold > sums.hold_count) {
        return check_wrong(check, at, "it ends a hold that was never made");
    }
    CheckHold& hold = sums.holds[movement.hold - 1];
    if (!hold.is_open) return check_wrong(check, at, "it ends a hold that is not open");
    if (hold.debit != movement.debit || hold.credit != movement.credit) {
        return check_wrong(check, at, "its accounts are not those of the hold");
    }
    const bool expired = at.entry.time_ms >= hold.expiry_ms;
    if (expired != (movement.operation == Operation::release)) {
        return check_wrong(check, at, "a hold is released when it has expired, and only then");
    }
    const bool part = movement.operation == Operation::capture;
    if (part ? movement.amount > hold.amount : movement.amount != hold.amount) {
        return check_wrong(check, at, "its amount is not that of the hold");
    }
    hold.is_open = false;
    sums.holds_open--;
    sums.accounts[hold.debit].held -= hold.amount;
    return Status::ok;
}

CheckOrder* find_order(CheckSums& sums, uint64_t number) {
    uint64_t low = 0;
    for (uint64_t high = sums.order_count; low < high;) {
        const uint64_t middle = low + (high - low) / 2;
        if (sums.orders[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool is_found = low < sums.order_count && sums.orders[low].number == number;
    return is_found ? &sums.orders[low] : nullptr;
}

Status add_order(CheckSums& sums, const CheckOrder& order) {
    if (sums.order_count == sums.order_room) {
        const uint64_t room = sums.order_room == 0 ? 1024 : 2 * sums.order_room;
        void* grown = reallocarray(sums.orders, static_cast<size_t>(room), sizeof(CheckOrder));
        if (grown == nullptr) return Status::oom;
        sums.orders = static_cast<CheckOrder*>(grown);
        sums.order_room = room;
    }
    sums.orders[sums.order_count++] = order;
    if (order.is_kept) sums.orders_kept++;
    if (sums.orders_kept > sums.orders_kept_max) sums.orders_kept_max = sums.orders_kept;
    return Status::ok;
}

// An order pays what it costs, and pushes nothing out that is open.
Status note_order(Check& check, CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    const OrderPart& part = movement.order;
    if (part.item >= sums.item_count) {
        return check_wrong(check, at, "it orders an item that is not there");
    }
    if (part.price > amount_minor_max / part.quantity ||
        movement.amount != part.price * part.quantity) {
        return check_wrong(check, at, "its amount is not its price times its quantity");
    }
    if (movement.credit != account_shop) return check_wrong(check, at, "it does not pay the shop");
    if (part.evicted != 0) {
        CheckOrder* old = find_order(sums, part.evicted);
        if (old == nullptr || !old->is_kept || old->is_open) {
            return check_wrong(check, at, "it pushes out an order that is not closed");
        }
        old->is_kept = false;
        sums.orders_kept--;
    }
    const CheckOrder order = {at.entry.seq, movement.amount, movement.debit, part.item,
                              part.quantity, true, true};
    if (add_order(sums, order) == Status::ok) return Status::ok;
    return check_wrong(check, at, "there is no memory for more orders");
}

// An order ends once, and gives back just what it cost.
Status note_order_end(Check& check, CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    CheckOrder* order = find_order(sums, movement.order.order);
    if (order == nullptr || !order->is_kept || !order->is_open) {
        return check_wrong(check, at, "it ends an order that is not open");
    }
    if (order->item != movement.order.item || order->quantity != movement.order.quantity) {
        return check_wrong(check, at, "its item is not that of the order");
    }
    order->is_open = false;
    if (movement.operation == Operation::order_done) return Status::ok;
    const bool fits = movement.debit == account_shop && movement.credit == order->account &&
                      movement.amount == order->amount;
    return fits ? Status::ok : check_wrong(check, at, "it gives back something else than was paid");
}

Status note_item(Check& check, CheckSums& sums, const CheckEntry& at) {
    if (at.entry.item.item > sums.item_count) {
        return check_wrong(check, at, "its item is not the next one");
    }
    if (at.entry.item.item == sums.item_count) sums.item_count++;
    return Status::ok;
}

// What was moved back is just what an earlier entry moved, and was moved back once.
Status note_reversal(Check& check, CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    if (movement.reversed >= at.entry.seq) {
        return check_wrong(check, at, "it reverses an entry that is not older");
    }
    if (movement.reversed <= sums.moved_before) return Status::ok;  // What it was is not seen (V3).
    CheckMoved& moved = sums.moved[movement.reversed - 1 - sums.moved_before];
    if (moved.amount == 0) {
        return check_wrong(check, at, "it reverses what cannot be, or was reversed before");
    }
    const bool fits = moved.amount == movement.amount && moved.debit == movement.credit &&
                      moved.credit == movement.debit;
    moved.amount = 0;
    if (fits) return Status::ok;
    return check_wrong(check, at, "it moves back something else than was moved");
}

// Room for what this entry moves; nothing so far.
Status note_moved(Check& check, CheckSums& sums, const CheckEntry& at) {
    const uint64_t index = at.entry.seq - 1 - sums.moved_before;
    if (index >= sums.moved_room) {
        const uint64_t room = sums.moved_room == 0 ? 4096 : 2 * sums.moved_room;
        void* grown = reallocarray(sums.moved, static_cast<size_t>(room), sizeof(CheckMoved));
        if (grown == nullptr) return check_wrong(check, at, "there is no memory for more entries");
        sums.moved = static_cast<CheckMoved*>(grown);
        sums.moved_room = room;
    }
    CheckMoved& moved = sums.moved[index];
    moved = {};
    const bool is_booked =
        at.entry.kind == EntryKind::movement && at.entry.status == Status::ok;
    const MovementEntry& movement = at.entry.movement;
    if (is_booked && operation_moves_money(movement.operation) &&
        movement.operation != Operation::reverse &&
        !operation_is_of_order(movement.operation)) {
        moved = {movement.debit, movement.credit, movement.amount};
    }
    return Status::ok;
}

// A group stands in one piece and is booked or refused as a whole.
Status note_group(Check& check, CheckSums& sums, const CheckEntry& at) {
    const bool in_group = at.entry.kind == EntryKind::movement && at.entry.movement.group_size > 0;
    if (sums.group_size == 0 && !in_group) return Status::ok;
    if (!in_group) return check_wrong(check, at, "it stands in the middle of a group");
    const MovementEntry& movement = at.entry.movement;
    const bool is_booked = at.entry.status == Status::ok;
    if (sums.group_size == 0) {
        sums.group_size = movement.group_size;
        sums.group_place = 0;
        sums.group_booked = is_booked;
    }
    sums.group_place++;
    if (movement.group_size != sums.group_size || movement.group_place != sums.group_place) {
        return check_wrong(check, at, "it does not continue its group");
    }
    if (is_booked != sums.group_booked) {
        return check_wrong(check, at, "of its group a part is booked and a part refused");
    }
    if (sums.group_place == sums.group_size) sums.group_size = 0;
    return Status::ok;
}

Status note_movement(Check& check, CheckSums& sums, const CheckEntry& at) {
    const MovementEntry& movement = at.entry.movement;
    if (at.entry.status != Status::ok) return note_refusal(check, sums, at);
    if (movement.operation == Operation::order_done) return note_order_end(check, sums, at);
    if (movement.debit >= sums.account_count || movement.credit >= sums.account_count) {
        return check_wrong(check, at, "it names an account that is not there");
    }
    if (movement.debit == movement.credit) return check_wrong(check, at, "both accounts are one");
    CheckAccount& debit = sums.accounts[movement.debit];
    CheckAccount& credit = sums.accounts[movement.credit];
    const bool gives_free = movement.operation == Operation::cancel ||
                            movement.operation == Operation::release;
    const bool moves = !gives_free && movement.operation != Operation::hold;
    if (!gives_free && (!debit.is_open || !credit.is_open)) {
        return check_wrong(check, at, "an account is closed");
    }
    if (movement.debit_previous != debit.last ||
        movement.credit_previous != (moves ? credit.last : 0)) {
        return check_wrong(check, at, "it does not point at the entry before of its accounts");
    }
    Status status = Status::ok;
    if (movement.operation == Operation::reverse) status = note_reversal(check, sums, at);
    if (movement.operation == Operation::hold) status = note_hold(check, sums, at);
    if (movement.operation == Operation::order) status = note_order(check, sums, at);
    if (movement.operation == Operation::cancel_order) status = note_order_end(check, sums, at);
    if (gives_free || movement.operation == Operation::capture) {
        status = note_hold_end(check, sums, at);
    }
    if (status != Status::ok) return status;
    // Balances stay within their bounds and so far from the ends of int64.
    if (moves) {
        debit.balance -= movement.amount;
        credit.balance += movement.amount;
    }
    const bool bounded = !gives_free && movement.operation != Operation::capture;
    if (bounded && debit.balance - debit.held < debit.floor) {
        return check_wrong(check, at, "an account is below its floor");
    }
    if (moves && credit.balance > credit.ceiling) {
        return check_wrong(check, at, "an account is above its ceiling");
    }
    if (debit.balance != movement.debit_after || credit.balance != movement.credit_after) {
        return check_wrong(check, at, "a balance is not what the movements before it add up to");
    }
    debit.last = at.position;
    if (moves) credit.last = at.position;
    return Status::ok;
}

// An entry that the base holds: it is only known by what may be reversed later.
Status note_before(Check& check, CheckSums& sums, const CheckEntry& at) {
    const Status status = note_moved(check, sums, at);
    if (status != Status::ok) return status;
    const MovementEntry& movement = at.entry.movement;
    const bool is_reversal = at.entry.kind == EntryKind::movement &&
                             at.entry.status == Status::ok &&
                             movement.operation == Operation::reverse;
    return is_reversal ? note_reversal(check, sums, at) : status;
}

Status note_entry(Check& check, CheckSums& sums, const CheckEntry& at) {
    if (at.entry.seq <= sums.entries_before) return note_before(check, sums, at);
    sums.entries++;
    if (at.entry.seq != sums.entries) return check_wrong(check, at, "it is not the next entry");
    if (at.entry.seq == 1 && at.entry.kind != EntryKind::genesis) {
        return check_wrong(check, at, "a book that does not begin with its bank");
    }
    if (at.entry.person != row_none && at.entry.person >= sums.person_count) {
        return check_wrong(check, at, "it was asked for by a person who is not there");
    }
    if (at.entry.terminal != row_none && at.entry.terminal >= sums.terminal_count) {
        return check_wrong(check, at, "it came from a terminal that is not there");
    }
    Status status = note_moved(check, sums, at);
    if (status == Status::ok) status = note_group(check, sums, at);
    if (status != Status::ok) return status;
    switch (at.entry.kind) {
        case EntryKind::genesis: return note_genesis(check, sums, at);
        case EntryKind::limits: check_note_limits(sums, at.entry.limits); return Status::ok;
        case EntryKind::person: return note_person(check, sums, at);
        case EntryKind::account: return note_account(check, sums, at);
        case EntryKind::movement: return note_movement(check, sums, at);
        case EntryKind::terminal: sums.terminal_count++; return Status::ok;
        case EntryKind::item: return note_item(check, sums, at);
        case EntryKind::key:
        case EntryKind::message:
        case EntryKind::forget: return Status::ok;  // No money: the ledger decides them again.
    }
    return Status::damaged;
}

struct Adding {
    CheckSums& sums;
    const CheckVisitor* also;
};

Status visit_entry(Check& check, void* context, const CheckEntry& at) {
    Adding& adding = *static_cast<Adding*>(context);
    const Status status = note_entry(check, adding.sums, at);
    if (status != Status::ok || adding.also == nullptr) return status;
    return adding.also->entry(check, adding.also->context, at);
}

Status visit_batch(Check& check, void* context) {
    CheckSums& sums = static_cast<Adding*>(context)->sums;
    if (check.recovery.batch_seq <= sums.batches) return Status::ok;  // Before the base.
    sums.batches++;
    if (sums.group_size > 0) {
        return check_wrong_here(check, "before it a group stands in two batches");
    }
    if (memcmp(sums.bank_id, check.recovery.bank_id, bank_id_size) != 0) {
        return check_wrong_here(check, "before it the first entry names another bank");
    }
    // Wraps around, so that no journal can make it overflow.
    uint64_t total = 0;
    for (uint32_t i = 0; i < sums.account_count; i++) {
        total += static_cast<uint64_t>(sums.accounts[i].balance);
    }
    sums.total = static_cast<int64_t>(total);
    if (sums.total == 0) return Status::ok;
    return check_wrong_here(check, "before it the books do not sum to zero");
}

// The holds that are open in the base; the others ended before it.
Status take_base_holds(Check& check, const Holds& holds, CheckSums& sums) {
    for (uint32_t slot = 0; slot < holds.pool.count; slot++) {
        const Hold& hold = holds.pool.slots[slot];
        if (!pool_is_taken(holds.pool, slot) || !hold.installed) continue;
        if (hold.number == 0 || hold.number > sums.hold_count) {
            return check_wrong_here(check, "a checkpoint has a hold that was never made");
        }
        sums.holds[hold.number - 1] = {hold.debit, hold.credit, hold.amount, hold.expiry_ms, true};
        if (++sums.holds_open > sums.holds_open_max) sums.holds_open_max = sums.holds_open;
    }
    return Status::ok;
}

// The orders that the base still knows.
Status take_base_orders(const Orders& orders, CheckSums& sums) {
    for (uint32_t slot = orders.oldest; slot != pool_none; slot = orders.pool.slots[slot].newer) {
        const Order& order = orders.pool.slots[slot];
        const Status status = add_order(sums, {order.number, order.price * order.quantity,
                                               order.account, order.item, order.quantity,
                                               order.installed == OrderState::open, true});
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

// The sums go on from what a checkpoint holds.
Status take_base(Check& check, const Book& book, CheckSums& sums) {
    const Ledger& ledger = book.ledger;
    const Manifest& manifest = check.manifests[check.base];
    if (manifest.holds_given > manifest.mark.entry) {
        return check_wrong_here(check, "a checkpoint has more holds than entries");
    }
    memcpy(sums.bank_id, manifest.bank_id, bank_id_size);
    memcpy(sums.currency, manifest.currency, sizeof sums.currency);
    sums.scale = manifest.scale;
    sums.entries = sums.entries_before = manifest.mark.entry;
    sums.moved_before = check.archived.entry - 1;
    sums.batches = manifest.mark.batch;
    sums.person_count = ledger.people_installed;
    sums.terminal_count = ledger.terminals_installed;
    sums.account_room = sums.account_count = ledger.accounts_installed;
    sums.hold_room = sums.hold_count = manifest.holds_given;
    sums.accounts = static_cast<CheckAccount*>(calloc(sums.account_room + 1, sizeof(CheckAccount)));
    // A word of 32 bits must not keep the lower half of what the manifest says.
    const bool fits = sums.hold_room < PTRDIFF_MAX / sizeof(CheckHold);
    const size_t hold_room = fits ? static_cast<size_t>(sums.hold_room) : PTRDIFF_MAX - 1;
    sums.holds = static_cast<CheckHold*>(calloc(hold_room + 1, sizeof(CheckHold)));
    if (sums.accounts == nullptr || sums.holds == nullptr) {
        return check_wrong_here(check, "there is no memory for its accounts and holds");
    }
    for (uint32_t row = 0; row < sums.account_count; row++) {
        const AccountValues& values = ledger.accounts[row].installed;
        sums.accounts[row] = {values.balance, values.floor, values.ceiling, values.last,
                              values.state == AccountState::open, values.held};
    }
    check_note_limits(sums, manifest.limits);
    sums.item_count = ledger.items_installed;
    if (take_base_orders(ledger.orders, sums) != Status::ok) {
        return check_wrong_here(check, "there is no memory for its orders");
    }
    return take_base_holds(check, ledger.holds, sums);
}

}  // namespace

void check_note_limits(CheckSums& sums, const LimitsEntry& limits) {
    LedgerLimits& most = sums.limits_max;
    if (limits.accounts > most.accounts) most.accounts = limits.accounts;
    if (limits.ids > most.ids) most.ids = limits.ids;
    if (limits.terminals > most.terminals) most.terminals = limits.terminals;
    if (limits.holds > most.holds) most.holds = limits.holds;
    if (limits.reversible > most.reversible) most.reversible = limits.reversible;
}

Status check_sums(Check& check, const Book* base, CheckSums& sums, const CheckVisitor* also) {
    sums = {};
    if (base != nullptr) {
        const Status status = take_base(check, *base, sums);
        if (status != Status::ok) return status;
    } else if (check_is_anchored(check)) {
        return check_refuse_archived(check);
    }
    Adding adding = {sums, also};
    const CheckVisitor visitor = {visit_entry, visit_batch, &adding};
    const Status status = check_walk(check, visitor);
    if (status != Status::ok) return status;
    if (sums.entries == 0) return check_wrong_here(check, "there is no book");
    // No entry says how much mail a bank may keep, so there is room for any.
    sums.limits_max.message_keys = message_keys_max;
    sums.limits_max.messages = messages_max;
    sums.limits_max.mailbox = mailbox_max;
    check_note_limits(sums,
                      {.accounts = sums.account_count,
                       .ids = 1,
                       .terminals = sums.terminal_count == 0 ? 1 : sums.terminal_count,
                       .holds = sums.holds_open_max == 0 ? 1 : sums.holds_open_max,
                       .reversible = 1});
    sums.limits_max.items = sums.item_count == 0 ? 1 : sums.item_count;
    sums.limits_max.orders = sums.orders_kept_max == 0 ? 1 : sums.orders_kept_max;
    return status;
}

void check_sums_free(CheckSums& sums) {
    free(sums.accounts);
    free(sums.holds);
    free(sums.orders);
    sums.orders = nullptr;
    free(sums.moved);
    sums.accounts = nullptr;
    sums.holds = nullptr;
    sums.moved = nullptr;
}
