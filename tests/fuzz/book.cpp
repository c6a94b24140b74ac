#include "book.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

namespace {

constexpr uint8_t bank_id[bank_id_size] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

Book books[fuzz_books_max];
bool is_laid_out[fuzz_books_max];

void lay_out(Book& book) {
    Arena arena = {};
    book_layout(book, arena, fuzz_limits);
    const uint64_t size = arena.used;
    arena = {};
    arena.base = static_cast<uint8_t*>(aligned_alloc(arena_align, size));
    CHECK(arena.base != nullptr);
    memset(arena.base, 0, size);
    arena.size = size;
    book_layout(book, arena, fuzz_limits);
}

Slice slice_of_string(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

// Takes from the hold that a movement ends what the movement must say of it.
void fit_hold(const Ledger& ledger, MovementEntry& movement) {
    if (movement.operation == Operation::hold) movement.hold = ledger.holds.given_installed + 1;
    if (!operation_ends_hold(movement.operation)) return;
    const uint32_t slot = holds_find(ledger.holds, movement.hold);
    if (slot == pool_none) return;
    const Hold& hold = ledger.holds.pool.slots[slot];
    movement.debit = hold.debit;
    movement.credit = hold.credit;
    if (movement.operation != Operation::capture) movement.amount = hold.amount;
}

void fit_movement(const Ledger& ledger, Entry& entry) {
    MovementEntry& movement = entry.movement;
    if (entry.status == Status::ok) fit_hold(ledger, movement);
    const bool has_debit = movement.debit < ledger.accounts_installed;
    const bool has_credit = movement.credit < ledger.accounts_installed;
    const bool booked = entry.status == Status::ok && has_debit && has_credit;
    const bool moves = booked && (!operation_is_of_hold(movement.operation) ||
                                  movement.operation == Operation::capture);
    const int64_t amount = moves ? movement.amount : 0;
    movement.debit_after = movement.credit_after = 0;
    movement.debit_previous = movement.credit_previous = 0;
    if (has_debit) {
        const AccountValues& debit = ledger.accounts[movement.debit].installed;
        movement.debit_after = debit.balance - amount;
        if (booked) movement.debit_previous = debit.last;
    }
    if (has_credit) {
        const AccountValues& credit = ledger.accounts[movement.credit].installed;
        movement.credit_after = credit.balance + amount;
        if (moves) movement.credit_previous = credit.last;
    }
}

// What happens to an account that is there keeps its name and its owner.
void fit_account(const Ledger& ledger, AccountEntry& entry) {
    if (entry.operation == AccountOperation::open) {
        entry.account = ledger.accounts_installed;
    } else if (entry.account < ledger.accounts_installed) {
        entry.name = ledger.accounts[entry.account].name;
        entry.owner = ledger.accounts[entry.account].owner;
    }
}

// U1 for every account.
void check_holds(const Ledger& ledger) {
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        int64_t held = 0;
        for (uint32_t slot = 0; slot < ledger.holds.pool.count; slot++) {
            if (!pool_is_taken(ledger.holds.pool, slot)) continue;
            const Hold& hold = ledger.holds.pool.slots[slot];
            if (hold.installed && hold.debit == row) held += hold.amount;
        }
        CHECK(ledger.accounts[row].installed.held == held);
    }
}

// M2 for both sides of a movement: the one that gave or reserved, and the one that received.
void check_movement(Operation operation, const AccountValues& debit, const AccountValues& credit) {
    if (!operation_ends_hold(operation)) CHECK(debit.floor <= debit.balance - debit.held);
    const bool receives = !operation_is_of_hold(operation) || operation == Operation::capture;
    if (receives) CHECK(credit.balance <= credit.ceiling);
}

void check_own_account(const Ledger& ledger, uint32_t row, const char* name) {
    if (row >= ledger.accounts_installed) return;
    CHECK(slice_equal_text(name_slice(ledger.accounts[row].name), name));
}

void check_same_account(const AccountValues& a, const AccountValues& b) {
    CHECK(a.balance == b.balance);
    CHECK(a.held == b.held);
    CHECK(a.floor == b.floor);
    CHECK(a.ceiling == b.ceiling);
    CHECK(a.last == b.last);
    CHECK(a.state == b.state);
}

void check_same_person(const Person& a, const Person& b) {
    CHECK(a.account == b.account);
    CHECK(a.installed.role == b.installed.role);
    CHECK(a.installed.state == b.installed.state);
    CHECK(slice_equal(slice_of_chars(a.installed.password.text, a.installed.password.size),
                      slice_of_chars(b.installed.password.text, b.installed.password.size)));
}

}  // namespace

Book& fuzz_book(uint32_t number) {
    CHECK(number < fuzz_books_max);
    if (!is_laid_out[number]) lay_out(books[number]);
    is_laid_out[number] = true;
    return books[number];
}

const uint8_t* fuzz_bank_id() { return bank_id; }

bool fuzz_is_seed_amount(int64_t amount) {
    constexpr int64_t amounts[] = {0, 5, 50, 100, 1250, 5000, 99900};
    for (const int64_t one : amounts) {
        if (amount == one) return true;
    }
    return false;
}

void fuzz_fit_entry(const Ledger& ledger, uint64_t time_ms, Entry& entry) {
    entry.seq = ledger.seq_installed + 1;
    entry.time_ms = time_ms;
    switch (entry.kind) {
        case EntryKind::movement: fit_movement(ledger, entry); break;
        case EntryKind::person:
            if (entry.row_person.operation != PersonOperation::added) break;
            entry.row_person.person = ledger.people_installed;
            entry.row_person.account = ledger.accounts_installed;
            break;
        case EntryKind::account: fit_account(ledger, entry.account); break;
        case EntryKind::terminal: entry.row_terminal.terminal = ledger.terminals_installed; break;
        case EntryKind::genesis:
        case EntryKind::limits: break;
    }
}

void fuzz_check_entry(const Ledger& ledger, const Entry& entry) {
    CHECK(ledger_sum(ledger) == 0);  // M1
    CHECK(ledger.currency[0] != 0);
    check_own_account(ledger, account_cash, "cash");
    check_own_account(ledger, account_shop, "shop");
    check_holds(ledger);
    if (entry.kind != EntryKind::movement || entry.status != Status::ok) return;
    check_movement(entry.movement.operation,
                   ledger.accounts[entry.movement.debit].installed,
                   ledger.accounts[entry.movement.credit].installed);
}

void fuzz_check_encoding(const Entry& entry, Slice bytes) {
    uint8_t memory[entry_size_max];
    Writer again = writer_of(memory, sizeof memory);
    entry_encode(entry, again);
    CHECK(slice_equal(writer_slice(again), bytes));  // E1
}

SnapshotMark fuzz_mark_of(const Ledger& ledger) {
    return {.entry = ledger.seq_installed,
            .batch = 1,
            .time_ms = 1000,
            .end = position_of(1, block_size),
            .salt = 77,
            .chain = {}};
}

FuzzTables fuzz_tables_of(Ledger& ledger, const SnapshotMark& mark) {
    FuzzTables all;
    Snapshot snapshot = {};
    snapshot_begin(snapshot, ledger, mark);
    uint8_t memory[2 * manifest_size_max];
    while (!snapshot_is_done(snapshot)) {
        const uint32_t table = snapshot.table;
        Writer out = writer_of(memory, sizeof memory);
        CHECK(snapshot_step(snapshot, ledger, out, 3) != Status::full);
        all.tables[table].append(reinterpret_cast<char*>(out.data), out.size);
    }
    Writer out = writer_of(memory, manifest_size_max);
    manifest_format(snapshot, ledger, out);
    all.manifest.assign(reinterpret_cast<char*>(out.data), out.size);
    snapshot_end(snapshot, ledger);
    return all;
}

Status fuzz_load(Ledger& ledger, const FuzzTables& tables, Manifest& manifest) {
    Status status = manifest_parse(slice_of_string(tables.manifest), manifest);
    if (status != Status::ok) return status;
    tables_begin(ledger, manifest);
    for (uint32_t i = 0; i < table_count; i++) {
        Reader reader = reader_of(slice_of_string(tables.tables[i]));
        while (reader_left(reader) > 0) {
            Slice line;
            CHECK(cut_word(reader, '\n', line) == Status::ok);
            status = tables_load(ledger, static_cast<TableName>(i), line);
            if (status != Status::ok) return status;
        }
    }
    return tables_end(ledger, manifest);
}

void fuzz_check_tables(Ledger& ledger, Ledger& other, const SnapshotMark& mark) {
    const FuzzTables first = fuzz_tables_of(ledger, mark);
    Manifest manifest;
    CHECK(fuzz_load(other, first, manifest) == Status::ok);
    const FuzzTables again = fuzz_tables_of(other, mark);
    CHECK(first.manifest == again.manifest);
    for (uint32_t i = 0; i < table_count; i++) CHECK(first.tables[i] == again.tables[i]);
    CHECK(ledger.people_installed == other.people_installed);
    CHECK(ledger.accounts_installed == other.accounts_installed);
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        check_same_person(ledger.people[row], other.people[row]);
    }
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        CHECK(ledger.accounts[row].owner == other.accounts[row].owner);
        check_same_account(ledger.accounts[row].installed, other.accounts[row].installed);
    }
}
