#include "book.h"

#include <string.h>

#include "base/check.h"

namespace {

// Encodes and proposes one entry; the stamp moves on to the entry after it.
void propose(Book& book, const Entry& entry, BookTag tag, LogStamp& stamp) {
    uint8_t bytes[entry_size_max];
    Writer writer = writer_of(bytes, sizeof bytes);
    entry_encode(entry, writer);
    const LogBatch& batch = book.log.batches[book.log.filling];
    book.tags[book.log.filling][batch.entry_count] = tag;
    stamp = log_propose(book.log, writer_slice(writer));
}

// The row of a terminal's name, proposing it when it has none yet. The caller has reserved for it.
Status terminal_row(Book& book, const Name& name, LogStamp& stamp, uint32_t& out) {
    out = row_none;
    if (name.size == 0) return Status::ok;
    out = ledger_find_terminal(book.ledger, name);
    if (out != row_none) return Status::ok;
    if (book.ledger.terminals_decided >= book.ledger.limits.terminals) return Status::oom;
    out = book.ledger.terminals_decided;
    Entry entry;
    ledger_add_terminal(book.ledger, name, stamp, entry);
    propose(book, entry, book_tag_none, stamp);
    return Status::ok;
}

// Reserves for one entry that comes from a terminal, whose row goes before it when it is new.
Status reserve_entry(Book& book, uint64_t wall_ms, const Name& terminal, LogStamp& stamp,
                     uint32_t& terminal_number) {
    const Status status = log_reserve(book.log, wall_ms, 2, stamp);
    if (status != Status::ok) return status;
    return terminal_row(book, terminal, stamp, terminal_number);
}

void find_account(const Book& book, const Name& name, uint32_t& row, Name& missing) {
    row = ledger_find_account(book.ledger, name);
    if (row == row_none) missing = name;
}

// An id that no client can have sent: '+' is not one of their bytes.
Id chosen_id(uint64_t seq) {
    Id id = {};
    Writer writer = writer_of(reinterpret_cast<uint8_t*>(id.text), id_size_max);
    put_u8(writer, '+');
    put_decimal(writer, seq);
    id.size = static_cast<uint8_t>(writer.size);
    return id;
}

Name name_literal(const char* text) {
    Name name = {};
    CHECK(parse_name(slice_of(text), name) == Status::ok);
    return name;
}

}  // namespace

void book_layout(Book& book, Arena& arena, const LedgerLimits& limits) {
    ledger_layout(book.ledger, arena, limits);
    log_layout(book.log, arena);
    for (BookTag*& tags : book.tags) {
        tags = arena_array<BookTag>(arena, "waiting for a commit", batch_entries_max);
    }
}

void book_init(Book& book, const uint8_t bank_id[bank_id_size]) {
    ledger_init(book.ledger, bank_id);
    book.snapshot = {};
    book.committed = {};
    book.committed_index = 0;
    book.failed_batch = 2;
    book.committing = false;
    book.entries_since_snapshot = 0;
    book.utc_offset_s = 0;
}

Status book_replay(Book& book, const RecoveryBatch& batch, uint64_t& bad_seq) {
    Reader entries = reader_of(batch.entries);
    uint64_t seq = batch.header.entry_first;
    for (;;) {
        const uint32_t offset = batch.header.offset + batch_header_size + entries.offset;
        Slice bytes;
        Status status = batch_next_entry(entries, bytes);
        if (status == Status::end) {
            bad_seq = seq - 1;  // A group stands in one batch, and so does a message.
            const Ledger& ledger = book.ledger;
            const bool is_whole = ledger.group.size == 0 && ledger.mail.arriving.parts == 0;
            return is_whole ? Status::ok : Status::damaged;
        }
        Entry entry;
        if (status == Status::ok) status = entry_decode(bytes, entry);
        if (status == Status::ok && entry.time_ms != batch.header.time_ms) {
            status = Status::damaged;
        }
        if (status == Status::ok) {
            const Position position = position_of(batch.header.segment, offset);
            status = ledger_install(book.ledger, entry, position, InstallMode::replay);
        }
        if (status != Status::ok) {
            bad_seq = seq;
            return status;
        }
        seq++;
        book.entries_since_snapshot++;
    }
}

void book_open(Book& book, const LogStart& start, uint64_t clock_step_max_ms) {
    CHECK(start.entry_seq == book.ledger.seq_installed);
    log_start(book.log, start, clock_step_max_ms);
}

Status book_create(Book& book, uint64_t wall_ms, const GenesisEntry& genesis) {
    LogStamp stamp;
    const Status status = log_reserve(book.log, wall_ms, 4, stamp);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_genesis(book.ledger, genesis, stamp, entry);
    propose(book, entry, book_tag_none, stamp);
    ledger_set_limits(book.ledger, stamp, entry);
    propose(book, entry, book_tag_none, stamp);
    ledger_add_account(book.ledger, row_none, row_none, name_literal("cash"), row_none,
                       -balance_minor_max, balance_minor_max, stamp, entry);
    propose(book, entry, book_tag_none, stamp);
    ledger_add_account(book.ledger, row_none, row_none, name_literal("shop"), row_none,
                       -balance_minor_max, balance_minor_max, stamp, entry);
    propose(book, entry, book_tag_none, stamp);
    return Status::ok;
}

Status book_note_limits(Book& book, uint64_t wall_ms) {
    const LedgerLimits& limits = book.ledger.limits;
    const LimitsEntry& known = book.ledger.limits_known;
    if (known.accounts == limits.accounts && known.ids == limits.ids &&
        known.terminals == limits.terminals && known.holds == limits.holds &&
        known.reversible == limits.reversible) {
        return Status::ok;
    }
    LogStamp stamp;
    const Status status = log_reserve(book.log, wall_ms, 1, stamp);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_set_limits(book.ledger, stamp, entry);
    propose(book, entry, book_tag_none, stamp);
    return Status::ok;
}

namespace {

Movement movement_of(const Book& book, const BookMove& move) {
    Movement movement = {};
    movement.operation = move.operation;
    movement.person = move.person;
    movement.amount = move.amount;
    movement.memo = move.memo;
    movement.hold = move.hold;
    movement.expires_s = move.expires_s;
    movement.whole = move.whole;
    movement.id = move.id;
    movement.head = book.log.entry_proposed;
    movement.day_max = move.day_max;
    movement.remembered = move.was_known ? &move.known : nullptr;
    if (move.operation == Operation::order) {
        find_account(book, move.debit, movement.debit, movement.missing);
        movement.credit = account_shop;
        movement.item_name = move.item;
        movement.order.item = ledger_find_item(book.ledger, move.item);
        movement.order.quantity = move.quantity;
        movement.order.price_asked = move.price_asked;
        ledger_resolve_order(book.ledger, movement);
    } else if (operation_ends_order(move.operation)) {
        movement.order.order = move.order;
        ledger_resolve_order(book.ledger, movement);
    } else if (move.operation == Operation::reverse) {
        movement.reversed = move.reversed;
        movement.debit = move.reversed_credit;
        movement.credit = move.reversed_debit;
    } else if (operation_ends_hold(move.operation)) {
        ledger_resolve_hold(book.ledger, movement);
    } else {
        find_account(book, move.debit, movement.debit, movement.missing);
        find_account(book, move.credit, movement.credit, movement.missing);
    }
    return movement;
}

// Releases the expired holds of one account, as many as were reserved for. Returns pending when
// more are left, `released` true when it was the hold that is asked about.
Status release_expired(Book& book, uint32_t account, uint64_t asked_hold, uint32_t& room,
                       LogStamp& stamp, bool& released) {
    if (account == row_none || book.ledger.accounts[account].decided.held == 0) return Status::ok;
    for (;;) {
        const uint32_t slot = holds_find_expired(book.ledger.holds, account, stamp.time_ms);
        if (slot == pool_none) return Status::ok;
        if (room == 0) return Status::pending;
        room--;
        if (book.ledger.holds.pool.slots[slot].number == asked_hold) released = true;
        Entry entry;
        ledger_release(book.ledger, slot, stamp, entry);
        propose(book, entry, book_tag_none, stamp);
    }
}

// Releases what has expired on the accounts of one movement, as many as there is room for.
Status release_for(Book& book, const Movement& movement, uint32_t& room, LogStamp& stamp,
                   bool& released) {
    const Status status =
        release_expired(book, movement.debit, movement.hold, room, stamp, released);
    if (status != Status::ok) return status;
    return release_expired(book, movement.credit, movement.hold, room, stamp, released);
}

// Says where and when it comes from, as far as that is known with the batch's time.
void place_movement(const Book& book, uint32_t terminal, const LogStamp& stamp,
                    Movement& movement) {
    movement.terminal = terminal;
    const bool counts = terminal != row_none && operation_counts(movement.operation);
    movement.day = counts ? days_at(stamp.time_ms, book.utc_offset_s) : 0;
}

// What the entry of a refused movement says of why.
void note_refusal(const Refusal& refusal, Status outcome, Movement& movement) {
    movement.beyond_day = outcome == Status::limit && refusal.field != nullptr;
    movement.order.reason = refusal.reason;
    movement.order.number = refusal.number;
}

bool is_booked_or_remembered(Status outcome) {
    return outcome == Status::ok || status_is_remembered(outcome);
}

}  // namespace

Status book_move(Book& book, uint64_t wall_ms, const BookMove& move, bool may_refuse, BookTag tag,
                 IdRecord& answer, const char*& field) {
    CHECK(!book.committing);  // D1
    Movement movement = movement_of(book, move);
    const IdRecord* known = nullptr;
    Refusal refusal = {};
    Status outcome = ledger_judge(book.ledger, movement, known, refusal);
    field = refusal.field;
    if (outcome == Status::replayed) answer = *known;
    // A hold that has less than is asked for may turn out to have expired.
    if (outcome != Status::amount && !is_booked_or_remembered(outcome)) return outcome;
    if (outcome != Status::ok && !may_refuse) return Status::busy;

    LogStamp stamp;
    Status status = log_reserve(book.log, wall_ms, 2 + releases_per_request, stamp);
    if (status != Status::ok) return status;
    uint32_t room = releases_per_request;
    bool released = false;
    status = release_for(book, movement, room, stamp, released);
    if (status != Status::ok) return status;
    uint32_t terminal = row_none;
    status = terminal_row(book, move.terminal, stamp, terminal);
    if (status != Status::ok) return status;
    // What was held may be free now, and the day is that of the batch.
    movement = movement_of(book, move);
    place_movement(book, terminal, stamp, movement);
    outcome = ledger_judge(book.ledger, movement, known, refusal);
    field = refusal.field;
    if (released) outcome = Status::expired;
    if (!is_booked_or_remembered(outcome)) return outcome;
    if (outcome != Status::ok && !may_refuse) return Status::busy;
    note_refusal(refusal, outcome, movement);
    if (movement.id.size == 0) movement.id = chosen_id(stamp.seq);
    Entry entry;
    ledger_book(book.ledger, movement, outcome, stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

namespace {

// P3 for a group: all of its ids are known from this very group, or none is known at all. Returns
// ok when none is.
Status judge_group_ids(const Book& book, const Movement* movements, uint32_t count,
                       BookGroup& out) {
    uint32_t known_count = 0;
    bool pending = false;
    for (uint32_t i = 0; i < count; i++) {
        const IdRecord* known = nullptr;
        const Movement& movement = movements[i];
        const Slice id = slice_of_chars(movement.id.text, movement.id.size);
        known = ids_find(book.ledger.ids, movement.person, id);
        if (known == nullptr) known = movement.remembered;
        if (known == nullptr) continue;
        out.refused_at = i;
        if (known_count++ < i) {
            out.field = "group";
            return Status::exists;
        }
        Refusal refusal = {};
        const Status status = ledger_judge(book.ledger, movement, known, refusal);
        out.field = refusal.field;
        if (status == Status::exists) return status;
        out.records[i] = *known;
        if (known->seq != out.records[0].seq + i) {
            out.field = "group";
            return Status::exists;
        }
        pending = pending || status == Status::pending;
    }
    if (known_count == 0) return Status::ok;
    out.field = "group";
    if (known_count < count) return Status::exists;
    return pending ? Status::pending : Status::replayed;
}

void movements_of(const Book& book, const BookMove* moves, uint32_t count, Movement* out) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = movement_of(book, moves[i]);
        out[i].head += i;
        out[i].group_place = static_cast<uint8_t>(i + 1);
        out[i].group_size = static_cast<uint8_t>(count);
    }
}

// Whether a movement of a group ends a hold that was there and has just been released.
bool has_expired(const Movement& movement, const bool* was_open) {
    return operation_ends_hold(movement.operation) && movement.debit == row_none &&
           was_open[movement.group_place - 1];
}

// Ends holds as they stand when the group's turn comes: one before it may have ended the hold.
void book_one_of_group(Book& book, Movement& movement, Status outcome, BookTag tag,
                       LogStamp& stamp) {
    if (operation_ends_hold(movement.operation)) ledger_resolve_hold(book.ledger, movement);
    if (operation_is_of_order(movement.operation)) ledger_resolve_order(book.ledger, movement);
    if (movement.id.size == 0) movement.id = chosen_id(stamp.seq);
    Entry entry;
    ledger_book(book.ledger, movement, outcome, stamp, entry);
    propose(book, entry, tag, stamp);
}

}  // namespace

Status book_move_group(Book& book, uint64_t wall_ms, const BookMove* moves, uint32_t count,
                       bool may_refuse, BookTag tag, BookGroup& out) {
    CHECK(!book.committing && count > 0 && count <= group_moves_max);
    Movement movements[group_moves_max];
    movements_of(book, moves, count, movements);
    Status status = judge_group_ids(book, movements, count, out);
    if (status != Status::ok) return status;

    LogStamp stamp;
    status = log_reserve(book.log, wall_ms, 1 + releases_per_request + count, stamp);
    if (status != Status::ok) return status;
    uint32_t room = releases_per_request;
    bool was_open[group_moves_max];  // of movements that end a hold: whether there is one
    for (uint32_t i = 0; i < count; i++) was_open[i] = movements[i].debit != row_none;
    for (uint32_t i = 0; i < count; i++) {
        bool released = false;  // Which one led to it does not matter.
        status = release_for(book, movements[i], room, stamp, released);
        if (status != Status::ok) return status;
    }
    uint32_t terminal = row_none;
    status = terminal_row(book, moves[0].terminal, stamp, terminal);
    if (status != Status::ok) return status;
    movements_of(book, moves, count, movements);
    for (uint32_t i = 0; i < count; i++) place_movement(book, terminal, stamp, movements[i]);

    Refusal refusal = {};
    Status outcome =
        ledger_judge_group(book.ledger, movements, count, stamp, out.refused_at, refusal);
    out.field = refusal.field;
    if (outcome == Status::state && has_expired(movements[out.refused_at], was_open)) {
        outcome = Status::expired;
    }
    if (!is_booked_or_remembered(outcome)) {
        out.refused = outcome;
        if (outcome == Status::pending) return outcome;
        return outcome == Status::oom ? Status::oom : Status::execabort;
    }
    if (outcome != Status::ok && !may_refuse) return Status::busy;
    for (uint32_t i = 0; i < count; i++) {
        const bool is_culprit = i == out.refused_at;
        const Status its = outcome == Status::ok || is_culprit ? outcome : Status::execabort;
        if (is_culprit) note_refusal(refusal, its, movements[i]);
        book_one_of_group(book, movements[i], its, i + 1 == count ? tag : book_tag_none, stamp);
    }
    return Status::ok;
}

Status book_set_item(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                     const Name& name, const ItemValues& values, BookTag tag) {
    CHECK(!book.committing);
    Status status = ledger_judge_item(book.ledger, name);
    if (status != Status::ok) return status;
    LogStamp stamp;
    uint32_t terminal_number = row_none;
    status = reserve_entry(book, wall_ms, terminal, stamp, terminal_number);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_set_item(book.ledger, asked_by, terminal_number, name, values, stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

Status book_open_account(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                         const Name& name, uint32_t owner, BookTag tag) {
    CHECK(!book.committing);
    Status status = ledger_judge_person(book.ledger, name);
    if (status != Status::ok) return status;
    LogStamp stamp;
    uint32_t terminal_number = row_none;
    status = reserve_entry(book, wall_ms, terminal, stamp, terminal_number);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_add_account(book.ledger, asked_by, terminal_number, name, owner, 0, balance_minor_max,
                       stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

Status book_set_account(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                        uint32_t account, AccountOperation operation, const AccountValues& values,
                        BookTag tag) {
    CHECK(!book.committing);
    CHECK(account < book.ledger.accounts_decided);
    LogStamp stamp;
    Status status = log_reserve(book.log, wall_ms, 2 + releases_per_request, stamp);
    if (status != Status::ok) return status;
    uint32_t room = releases_per_request;
    bool released = false;
    status = release_expired(book, account, 0, room, stamp, released);
    if (status != Status::ok) return status;
    const AccountValues& now = book.ledger.accounts[account].decided;
    const bool empty = now.balance == 0 && now.held == 0;
    if (values.state == AccountState::closed && !empty) return Status::state;
    uint32_t terminal_number = row_none;
    status = terminal_row(book, terminal, stamp, terminal_number);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_set_account(book.ledger, asked_by, terminal_number, account, operation, values, stamp,
                       entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

namespace {

// Proposes a person who was judged by name.
Status add_person(Book& book, uint64_t wall_ms, const Name& terminal, PersonToAdd& asked,
                  BookTag tag) {
    CHECK(!book.committing);
    Status status = ledger_judge_person(book.ledger, asked.name);
    if (status != Status::ok) return status;
    LogStamp stamp;
    status = reserve_entry(book, wall_ms, terminal, stamp, asked.terminal);
    if (status != Status::ok) return status;
    const bool counts = asked.registered_max > 0 && asked.terminal != row_none;
    if (counts) {
        asked.day = days_at(stamp.time_ms, book.utc_offset_s);
        status = ledger_judge_registration(book.ledger, asked.terminal, asked.day,
                                           asked.registered_max);
        if (status != Status::ok) return status;
    }
    Entry entry;
    ledger_add_person(book.ledger, asked, stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

}  // namespace

Status book_add_person(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                       const Name& name, Role role, const PasswordRecord& password,
                       PasswordTerm term, BookTag tag) {
    PersonToAdd asked = {name, role, password, term, asked_by, row_none, 0, 0};
    return add_person(book, wall_ms, terminal, asked, tag);
}

Status book_register(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                     const Name& name, const PasswordRecord& password, uint32_t registered_max,
                     BookTag tag) {
    CHECK(registered_max > 0);
    PersonToAdd asked = {name,     Role::customer, password, PasswordTerm::lasting,
                         asked_by, row_none,       0,        registered_max};
    return add_person(book, wall_ms, terminal, asked, tag);
}

bool book_may_register(const Book& book, uint64_t wall_ms, const Name& terminal,
                       uint32_t registered_max) {
    const uint32_t row = ledger_find_terminal(book.ledger, terminal);
    // As of the batch that the proposal would be in, whose time never goes back.
    const uint64_t time_ms = wall_ms > book.log.time_ms ? wall_ms : book.log.time_ms;
    const uint32_t day = days_at(time_ms, book.utc_offset_s);
    return ledger_judge_registration(book.ledger, row, day, registered_max) == Status::ok;
}

Status book_change_person(Book& book, uint64_t wall_ms, const BookChange& change, BookTag tag,
                          const char*& why) {
    CHECK(!book.committing && change.person < book.ledger.people_decided);
    const Person& person = book.ledger.people[change.person];
    why = "the person was changed by somebody else meanwhile";
    if (change.version != 0 && person.decided.version != change.version) return Status::state;
    PersonChange asked = {change.operation, change.person, change.asked_by, row_none,
                          change.role,      change.term,   change.record,   change.title};
    Status status = ledger_judge_change(book.ledger, asked, why);
    // A hold that is left may have expired.
    const bool removes = change.operation == PersonOperation::remove;
    if (status != Status::ok && !(removes && status == Status::state)) return status;
    LogStamp stamp;
    uint32_t room = removes ? releases_per_request : 0;
    status = log_reserve(book.log, wall_ms, 2 + room, stamp);
    if (status != Status::ok) return status;
    bool released = false;
    if (removes) status = release_expired(book, person.account, 0, room, stamp, released);
    if (status != Status::ok) return status;
    status = ledger_judge_change(book.ledger, asked, why);
    if (status != Status::ok) return status;
    status = terminal_row(book, change.terminal, stamp, asked.terminal);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_change_person(book.ledger, asked, stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

Status book_set_password(Book& book, uint64_t wall_ms, uint32_t asked_by, const Name& terminal,
                         uint32_t person, uint32_t version, const PasswordRecord& password,
                         BookTag tag) {
    const char* why = nullptr;
    BookChange change = {};
    change.operation = PersonOperation::password;
    change.person = person;
    change.asked_by = asked_by;
    change.terminal = terminal;
    change.version = version;
    change.record = password;
    return book_change_person(book, wall_ms, change, tag, why);
}

namespace {

MessageAsked message_of(const Book& book, const BookMail& mail, const Hash& hash) {
    MessageAsked asked = {};
    asked.person = mail.person;
    asked.terminal = row_none;
    asked.id = mail.id;
    asked.to = ledger_find_recipient(book.ledger, mail.to);
    if (asked.to == row_none) asked.missing = mail.to;
    asked.envelope = mail.envelope;
    asked.hash = hash;
    asked.remembered = mail.was_known ? &mail.known : nullptr;
    return asked;
}

// The parts behind the first one; whoever waits is answered with the last.
void propose_message(Book& book, const MessageAsked& asked, const Entry& head, BookTag tag,
                     LogStamp& stamp) {
    const uint32_t parts = head.message.parts;
    propose(book, head, parts <= 1 ? tag : book_tag_none, stamp);
    for (uint32_t place = 2; place <= parts; place++) {
        Entry entry;
        ledger_message_part(asked, place, stamp, entry);
        propose(book, entry, place == parts ? tag : book_tag_none, stamp);
    }
}

}  // namespace

Status book_send(Book& book, uint64_t wall_ms, const BookMail& mail, bool may_refuse, BookTag tag,
                 IdRecord& answer, const char*& field) {
    CHECK(!book.committing);  // D1
    MessageAsked asked = message_of(book, mail, hash_of(mail.envelope));
    const IdRecord* known = nullptr;
    const Status outcome = ledger_judge_message(book.ledger, asked, known, field);
    if (outcome == Status::replayed) answer = *known;
    if (!is_booked_or_remembered(outcome)) return outcome;
    if (outcome != Status::ok && !may_refuse) return Status::busy;
    LogStamp stamp;
    Status status = log_reserve(book.log, wall_ms, 1 + message_parts_max, stamp);
    if (status != Status::ok) return status;
    status = terminal_row(book, mail.terminal, stamp, asked.terminal);
    if (status != Status::ok) return status;
    if (asked.id.size == 0) asked.id = chosen_id(stamp.seq);
    Entry entry;
    ledger_book_message(book.ledger, asked, outcome, stamp, entry);
    propose_message(book, asked, entry, tag, stamp);
    return Status::ok;
}

Status book_set_key(Book& book, uint64_t wall_ms, uint32_t person, const Name& terminal,
                    Slice modulus, BookTag tag) {
    CHECK(!book.committing && modulus.size == mail_modulus_size);
    Status status = ledger_judge_key(book.ledger, person, modulus.data);
    if (status != Status::ok) return status;
    LogStamp stamp;
    uint32_t row = row_none;
    status = reserve_entry(book, wall_ms, terminal, stamp, row);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_set_key(book.ledger, person, row, modulus, stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

Status book_forget(Book& book, uint64_t wall_ms, uint32_t person, const Name& terminal,
                   uint64_t number, BookTag tag) {
    CHECK(!book.committing);
    Status status = ledger_judge_forget(book.ledger, person, number);
    if (status != Status::ok) return status;
    LogStamp stamp;
    uint32_t row = row_none;
    status = reserve_entry(book, wall_ms, terminal, stamp, row);
    if (status != Status::ok) return status;
    Entry entry;
    ledger_forget(book.ledger, person, row, number, stamp, entry);
    propose(book, entry, tag, stamp);
    return Status::ok;
}

bool book_write_next(Book& book, LogWrite& out) {
    return !book.committing && log_seal(book.log, out);
}

void book_write_done(Book& book, Status outcome) {
    CHECK(!book.committing);
    Slice entries;
    const LogBatch& batch = book.log.batches[1 - book.log.filling];
    const Status status = log_committed(book.log, outcome, entries);
    book.committing = true;
    book.committed = reader_of(entries);
    book.committed_index = 0;
    book.committed_offset = batch.header.offset + batch_header_size;
    if (status == Status::ok) return;
    ledger_drop(book.ledger);  // D2
    book.failed_batch = 0;
}

namespace {

// D2: the tags of the batch in flight, then of the one that was filling.
bool next_failed(Book& book, BookDone& out) {
    while (book.failed_batch < 2) {
        const uint32_t index =
            book.failed_batch == 0 ? 1 - book.log.filling : book.log.filling;
        const LogBatch& batch = book.log.batches[index];
        if (batch.open && book.committed_index < batch.entry_count) {
            out.tag = book.tags[index][book.committed_index++];
            out.durable = false;
            return true;
        }
        book.failed_batch++;
        book.committed_index = 0;
    }
    return false;
}

}  // namespace

bool book_commit_next(Book& book, BookDone& out) {
    CHECK(book.committing);
    if (book.log.blocked == LogBlock::failed) {
        if (next_failed(book, out)) return true;
        book.committing = false;
        log_release(book.log);
        return false;
    }
    const uint32_t flying = 1 - book.log.filling;
    Slice bytes;
    const uint32_t offset = book.committed_offset + book.committed.offset;
    const Status status = batch_next_entry(book.committed, bytes);
    if (status == Status::end) {
        book.committing = false;
        log_release(book.log);
        return false;
    }
    // These bytes are our own: what was encoded must decode and fit.
    CHECK(status == Status::ok);
    CHECK(entry_decode(bytes, out.entry) == Status::ok);
    const uint32_t segment = book.log.batches[flying].header.segment;
    const Position position = position_of(segment, offset);
    CHECK(ledger_install(book.ledger, out.entry, position, InstallMode::commit) == Status::ok);
    out.tag = book.tags[flying][book.committed_index++];
    out.durable = true;
    book.entries_since_snapshot++;
    return true;
}

void book_snapshot_begin(Book& book) {
    const SnapshotMark mark = {.entry = book.log.entry_durable,
                               .batch = book.log.batch_durable,
                               .time_ms = book.log.time_durable_ms,
                               .end = book.log.end_durable,
                               .salt = book.log.salt_durable,
                               .chain = book.log.chain_durable};
    snapshot_begin(book.snapshot, book.ledger, mark);
    book.entries_since_snapshot = 0;
}
