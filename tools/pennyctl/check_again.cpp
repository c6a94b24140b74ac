#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/check.h"

namespace {

// Entries of a group, kept until the last one of it is there.
struct AgainGroup {
    uint32_t count;
    Entry entries[group_moves_max];
    Position positions[group_moves_max];
    uint32_t sizes[group_moves_max];
    uint8_t bytes[group_moves_max][entry_size_max];
};

struct Again {
    Book& book;
    const CheckSums& sums;
    Hash digest;
    AgainGroup group;
};

// The tables of the state as it is, whole: what a checkpoint here would have been.
Hash digest_of(Check& check, Again& again) {
    static uint8_t rows[16 * 1024];
    const Recovery& recovery = check.recovery;
    Snapshot& snapshot = again.book.snapshot;
    Ledger& ledger = again.book.ledger;
    snapshot_begin(snapshot, ledger,
                   {.entry = recovery.entry_seq,
                    .batch = recovery.batch_seq,
                    .time_ms = recovery.time_ms,
                    .end = position_of(recovery.segment, recovery.offset),
                    .salt = recovery.salt,
                    .chain = recovery.chain});
    while (!snapshot_is_done(snapshot)) {
        Writer out = writer_of(rows, sizeof rows);
        const Status status = snapshot_step(snapshot, ledger, out, 64);
        CHECK(status == Status::ok || status == Status::end);
    }
    Writer out = writer_of(rows, sizeof rows);
    const Hash digest = manifest_format(snapshot, ledger, out);
    snapshot_end(snapshot, ledger);
    return digest;
}

Movement movement_of(const Entry& entry) {
    Movement movement = {};
    movement.operation = entry.movement.operation;
    movement.person = entry.person;
    movement.terminal = entry.terminal;
    movement.id = entry.movement.id;
    movement.debit = entry.movement.debit;
    movement.credit = entry.movement.credit;
    movement.missing = entry.movement.missing;
    movement.amount = entry.movement.amount;
    movement.memo = entry.movement.memo;
    movement.expires_s = entry.movement.expires_s;
    movement.day = entry.movement.day;
    movement.day_max = entry.movement.day_max;
    movement.whole = entry.movement.whole;
    if (operation_is_of_order(movement.operation)) {
        movement.order.item = entry.movement.order.item;
        movement.order.quantity = entry.movement.order.quantity;
        movement.order.price_asked = entry.movement.order.price_asked;
        movement.order.order = entry.movement.order.order;
        if (entry.movement.order.item == row_none) movement.item_name = entry.movement.missing;
    }
    movement.reversed = entry.movement.reversed;
    movement.head = entry.seq - 1;
    movement.group_place = entry.movement.group_place;
    movement.group_size = entry.movement.group_size;
    // A HOLD is given its number when it is decided.
    movement.hold = operation_ends_hold(movement.operation) ? entry.movement.hold : 0;
    return movement;
}

Status wrong_outcome(Check& check, const CheckEntry& at, Status outcome) {
    const Status status = check_wrong(check, at, "decided again, ");
    put_text(check.error, outcome == Status::ok ? "it is booked" : status_meaning(outcome));
    return status;
}

// What was decided again must be the entry that is there, and must follow from those before it.
Status compare_made(Check& check, Again& again, const CheckEntry& at, const Entry& made) {
    Ledger& ledger = again.book.ledger;
    uint8_t bytes[entry_size_max];
    Writer writer = writer_of(bytes, sizeof bytes);
    entry_encode(made, writer);
    if (!slice_equal(writer_slice(writer), at.bytes)) {
        return check_wrong(check, at, "decided again, it comes out with other values");
    }
    if (ledger_install(ledger, at.entry, at.position, InstallMode::commit) == Status::ok) {
        return Status::ok;
    }
    return check_wrong(check, at, "it does not follow from the entries before it");
}

// What it did not find of the two that an ORDER names was not there.
bool names_no_more(const Ledger& ledger, const Movement& movement) {
    if (movement.order.item == row_none) {
        return ledger_find_item(ledger, movement.item_name) == row_none;
    }
    return movement.debit != row_none ||
           ledger_find_account(ledger, movement.missing) == row_none;
}

// An account that the entry did not find was not there. Who ends a hold or reverses names none.
bool names_what_is_there(const Ledger& ledger, const Movement& movement) {
    if (movement.operation == Operation::order) return names_no_more(ledger, movement);
    if (operation_ends_order(movement.operation)) return true;
    if (operation_ends_hold(movement.operation)) return true;
    if (movement.operation == Operation::reverse) return true;
    if (movement.debit != row_none && movement.credit != row_none) return true;
    return movement.missing.size > 0 &&
           ledger_find_account(ledger, movement.missing) == row_none;
}

// Why a refused movement was refused, as ledger_judge has it.
void note_refusal(const Refusal& refusal, Status outcome, Movement& movement) {
    movement.beyond_day = outcome == Status::limit && refusal.field != nullptr;
    movement.order.reason = refusal.reason;
    movement.order.number = refusal.number;
}

// The bound of the table of orders is not in the journal: an order that pushes one out met it, and
// one that does not was below it.
void bound_orders(Ledger& ledger, const Entry* entries, uint32_t count) {
    bool evicts = false;
    uint32_t added = 0;
    for (uint32_t i = 0; i < count; i++) {
        const MovementEntry& movement = entries[i].movement;
        if (movement.operation != Operation::order || entries[i].status != Status::ok) continue;
        if (movement.order.evicted != 0) evicts = true;
        if (movement.order.evicted == 0) added++;
    }
    ledger.orders.limit = evicts ? ledger.orders.count_decided + added
                                 : ledger.limits.orders + group_moves_max;
}

// Whether the account is the own one of somebody who is there.
bool names_recipient(const Ledger& ledger, uint32_t account) {
    if (account >= ledger.accounts_installed) return false;
    return ledger_find_recipient(ledger, ledger.accounts[account].name) == account;
}

// Decides a whole group again when its last entry is there.
Status decide_group(Check& check, Again& again) {
    Ledger& ledger = again.book.ledger;
    AgainGroup& group = again.group;
    Movement movements[group_moves_max] = {};
    const uint32_t count = group.count;
    const LogStamp first = {group.entries[0].seq, group.entries[0].time_ms, group.positions[0]};
    const CheckEntry front = {group.entries[0], {group.bytes[0], group.sizes[0]},
                              group.positions[0]};
    for (uint32_t i = 0; i < count; i++) {
        movements[i] = movement_of(group.entries[i]);
        movements[i].head = first.seq - 1;
        if (!names_what_is_there(ledger, movements[i])) {
            return check_wrong(check, front, "an account that its group did not find is there");
        }
    }
    uint32_t refused_at = 0;
    Refusal refusal = {};
    bound_orders(ledger, group.entries, count);
    Status outcome = ledger_judge_group(ledger, movements, count, first, refused_at, refusal);
    const bool is_refused = outcome != Status::ok;
    if (outcome == Status::state && group.entries[refused_at].status == Status::expired) {
        outcome = Status::expired;  // Released just before.
    }
    for (uint32_t i = 0; i < count; i++) {
        const Status its = is_refused && i != refused_at ? Status::execabort : outcome;
        const CheckEntry at = {group.entries[i], {group.bytes[i], group.sizes[i]},
                               group.positions[i]};
        if (its != at.entry.status) return wrong_outcome(check, at, its);
        Movement& movement = movements[i];
        if (operation_ends_hold(movement.operation)) ledger_resolve_hold(ledger, movement);
        if (operation_is_of_order(movement.operation)) ledger_resolve_order(ledger, movement);
        if (is_refused && i == refused_at) note_refusal(refusal, its, movement);
        Entry made;
        ledger_book(ledger, movement, its, {at.entry.seq, at.entry.time_ms, at.position}, made);
        const Status status = compare_made(check, again, at, made);
        if (status != Status::ok) return status;
    }
    group.count = 0;
    return Status::ok;
}

// The first walk has shown that groups stand in one piece.
Status keep_for_group(Check& check, Again& again, const CheckEntry& at) {
    AgainGroup& group = again.group;
    if (group.count == group_moves_max) return check_wrong(check, at, "its group is too large");
    const uint32_t i = group.count++;
    group.entries[i] = at.entry;
    group.positions[i] = at.position;
    group.sizes[i] = at.bytes.size;
    memcpy(group.bytes[i], at.bytes.data, at.bytes.size);
    if (at.entry.movement.group_place < at.entry.movement.group_size) return Status::ok;
    return decide_group(check, again);
}

// Lets the ledger decide the movement again and compares the whole entry.
Status decide_movement(Check& check, Again& again, const CheckEntry& at) {
    Ledger& ledger = again.book.ledger;
    const LogStamp stamp = {at.entry.seq, at.entry.time_ms, at.position};
    if (at.entry.movement.operation == Operation::release) {
        const uint32_t slot = holds_find_expired(ledger.holds, at.entry.movement.debit,
                                                 at.entry.time_ms);
        if (slot == pool_none) return check_wrong(check, at, "decided again, no hold has expired");
        Entry made;
        ledger_release(ledger, slot, stamp, made);
        return compare_made(check, again, at, made);
    }
    Movement movement = movement_of(at.entry);
    if (!names_what_is_there(ledger, movement)) {
        return check_wrong(check, at, "the account that it did not find is there");
    }
    const bool ends = operation_ends_hold(movement.operation);
    if (ends) ledger_resolve_hold(ledger, movement);
    if (operation_is_of_order(movement.operation)) ledger_resolve_order(ledger, movement);
    bound_orders(ledger, &at.entry, 1);
    const IdRecord* known = nullptr;
    Refusal refusal = {};
    Status outcome = ledger_judge(ledger, movement, known, refusal);
    // The hold was released just before, because it had expired.
    if (ends && outcome == Status::state && at.entry.status == Status::expired) {
        outcome = Status::expired;
    }
    if (outcome != at.entry.status) return wrong_outcome(check, at, outcome);
    note_refusal(refusal, outcome, movement);
    Entry made;
    ledger_book(ledger, movement, outcome, stamp, made);
    return compare_made(check, again, at, made);
}

// A message's first part, or a refused one; the others carry no more than bytes.
Status decide_message(Check& check, Again& again, const CheckEntry& at) {
    Ledger& ledger = again.book.ledger;
    const MessageEntry& message = at.entry.message;
    if (message.place > 1) return compare_made(check, again, at, at.entry);
    MessageAsked asked = {};
    asked.person = at.entry.person;
    asked.terminal = at.entry.terminal;
    asked.id = message.id;
    asked.to = message.to;
    asked.missing = message.missing;
    // Its first part is all that is looked at.
    asked.envelope = {message.bytes.data, message.size};
    asked.hash = message.hash;
    const bool was_missing = message.to == row_none;
    if (was_missing && ledger_find_recipient(ledger, message.missing) != row_none) {
        return check_wrong(check, at, "the person that it did not find is there");
    }
    if (!was_missing && !names_recipient(ledger, message.to)) {
        return check_wrong(check, at, "its recipient is nobody's own account");
    }
    const IdRecord* known = nullptr;
    const char* field = nullptr;
    const Status outcome = ledger_judge_message(ledger, asked, known, field);
    if (outcome != at.entry.status) return wrong_outcome(check, at, outcome);
    Entry made;
    ledger_book_message(ledger, asked, outcome, {at.entry.seq, at.entry.time_ms, at.position},
                        made);
    return compare_made(check, again, at, made);
}

Status decide_key(Check& check, Again& again, const CheckEntry& at) {
    Ledger& ledger = again.book.ledger;
    const Slice modulus = at.entry.key.modulus;
    const Status outcome = ledger_judge_key(ledger, at.entry.person, modulus.data);
    if (outcome != Status::ok) return wrong_outcome(check, at, outcome);
    Entry made;
    ledger_set_key(ledger, at.entry.person, at.entry.terminal, modulus,
                   {at.entry.seq, at.entry.time_ms, at.position}, made);
    return compare_made(check, again, at, made);
}

Status decide_forget(Check& check, Again& again, const CheckEntry& at) {
    Ledger& ledger = again.book.ledger;
    const uint64_t number = at.entry.forget.number;
    const Status outcome = ledger_judge_forget(ledger, at.entry.person, number);
    if (outcome != Status::ok) return wrong_outcome(check, at, outcome);
    Entry made;
    ledger_forget(ledger, at.entry.person, at.entry.terminal, number,
                  {at.entry.seq, at.entry.time_ms, at.position}, made);
    return compare_made(check, again, at, made);
}

// Lets the ledger decide again what was done to a person, and compares the whole entry.
Status decide_person(Check& check, Again& again, const CheckEntry& at) {
    Ledger& ledger = again.book.ledger;
    const PersonEntry& person = at.entry.row_person;
    const LogStamp stamp = {at.entry.seq, at.entry.time_ms, at.position};
    Entry made;
    if (person.operation == PersonOperation::added) {
        const PersonToAdd asked = {person.name,     person.role,       person.record,
                                   person.term,     at.entry.person,   at.entry.terminal,
                                   person.day,      person.registered_max};
        Status outcome = ledger_judge_person(ledger, person.name);
        if (outcome == Status::ok && person.day != 0) {
            outcome = ledger_judge_registration(ledger, at.entry.terminal, person.day,
                                                person.registered_max);
        }
        if (outcome != Status::ok) return wrong_outcome(check, at, outcome);
        ledger_add_person(ledger, asked, stamp, made);
        made.row_person.title = person.title;
        return compare_made(check, again, at, made);
    }
    const PersonChange change = {person.operation, person.person, at.entry.person,
                                 at.entry.terminal, person.role,  person.term,
                                 person.record,     person.title};
    const char* why = nullptr;
    const Status outcome = ledger_judge_change(ledger, change, why);
    if (outcome != Status::ok) return wrong_outcome(check, at, outcome);
    ledger_change_person(ledger, change, stamp, made);
    return compare_made(check, again, at, made);
}

Status decide_entry(Check& check, void* context, const CheckEntry& at) {
    Again& again = *static_cast<Again*>(context);
    Ledger& ledger = again.book.ledger;
    if (at.entry.seq <= again.sums.entries_before) return Status::ok;  // The base holds it.
    if (at.entry.kind == EntryKind::movement) {
        if (at.entry.movement.group_size > 0) return keep_for_group(check, again, at);
        return decide_movement(check, again, at);
    }
    if (at.entry.kind == EntryKind::person) return decide_person(check, again, at);
    if (at.entry.kind == EntryKind::message) return decide_message(check, again, at);
    if (at.entry.kind == EntryKind::key) return decide_key(check, again, at);
    if (at.entry.kind == EntryKind::forget) return decide_forget(check, again, at);
    if (ledger_install(ledger, at.entry, at.position, InstallMode::replay) == Status::ok) {
        return Status::ok;
    }
    return check_wrong(check, at, "it does not follow from the entries before it");
}

// A checkpoint that ends behind this batch must hold what the journal says.
Status compare_checkpoints(Check& check, void* context) {
    Again& again = *static_cast<Again*>(context);
    const Recovery& recovery = check.recovery;
    const Position here = position_of(recovery.segment, recovery.offset);
    for (uint32_t i = 0; i < check.list.count; i++) {
        const SnapshotMark& mark = check.manifests[i].mark;
        if (mark.end != here) continue;
        check.is_met[i] = true;
        const bool is_same = mark.batch == recovery.batch_seq && mark.entry == recovery.entry_seq &&
                             mark.salt == recovery.salt && hash_equal(mark.chain, recovery.chain) &&
                             hash_equal(check.manifests[i].digest, digest_of(check, again));
        if (is_same) continue;
        const Status status = check_wrong_here(check, "before it ends checkpoint ");
        put_decimal(check.error, check.list.numbers[i]);
        put_text(check.error, ", which does not hold what the journal says");
        return status;
    }
    return Status::ok;
}

// Both accounts of the same balances, one by one.
Status compare_sums(Check& check, const Again& again) {
    const Ledger& ledger = again.book.ledger;
    if (ledger.accounts_installed != again.sums.account_count) {
        return check_wrong_here(check, "the two walks count different accounts");
    }
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        const AccountValues& values = ledger.accounts[row].installed;
        const CheckAccount& account = again.sums.accounts[row];
        if (values.balance == account.balance && values.held == account.held &&
            values.last == account.last) {
            continue;
        }
        const Status status = check_wrong_here(check, "the two walks differ in the account ");
        put_bytes(check.error, name_slice(ledger.accounts[row].name));
        return status;
    }
    return Status::ok;
}

Status all_met(Check& check) {
    for (uint32_t i = 0; i < check.list.count; i++) {
        if (check.is_met[i]) continue;
        const Status status = check_wrong_here(check, "no batch ends where checkpoint ");
        put_decimal(check.error, check.list.numbers[i]);
        put_text(check.error, " says");
        return status;
    }
    return Status::ok;
}

}  // namespace

Status check_again(Check& check, const CheckSums& sums, BookMemory& memory, Hash& digest) {
    if (sums.entries_before == 0) book_init(memory.book, sums.bank_id);
    Again again = {memory.book, sums, {}, {}};
    const CheckVisitor visitor = {decide_entry, compare_checkpoints, &again};
    check.batch_last = check.recovery.batch_seq;
    Status status = check_walk(check, visitor);
    if (status == Status::ok) status = compare_sums(check, again);
    if (status == Status::ok) status = all_met(check);
    if (status == Status::ok) digest = digest_of(check, again);
    return status;
}
