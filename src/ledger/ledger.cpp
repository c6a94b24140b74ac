#include "ledger/ledger.h"

#include <string.h>

#include "base/check.h"

namespace {

uint64_t hash_of_name(const Ledger& ledger, const Name& name) {
    return siphash(ledger.key, name_slice(name));
}

bool fits_ceiling(const AccountValues& account, int64_t amount) {
    return account.balance <= account.ceiling - amount;
}

bool fits_floor(const AccountValues& account, int64_t amount) {
    return account.balance - account.held >= account.floor + amount;
}

void hash_memo(const Memo& memo, uint8_t out[16]) {
    memset(out, 0, 16);
    if (memo.size == 0) return;
    const Hash hash = hash_of(slice_of_chars(memo.text, memo.size));
    memcpy(out, hash.bytes, 16);
}

// True when the account that the record names is the one asked for now. An account that was missing
// then is compared by the name it was asked under, even if it has been opened since.
bool same_account(const Ledger& ledger, const IdRecord& record, uint32_t then, uint32_t now,
                  const Name& missing_now) {
    if (then != row_none) return then == now;
    if (now == row_none) return name_equal(record.missing, missing_now);
    return name_equal(record.missing, ledger.accounts[now].name);
}

// The first field in which a request differs from the one remembered; nullptr when none does.
const char* differing_field(const Ledger& ledger, const IdRecord& record,
                            const Movement& movement) {
    uint8_t memo_hash[16];
    hash_memo(movement.memo, memo_hash);
    const bool to_member = movement.operation == Operation::deposit;
    if (record.operation != movement.operation) return "command";
    if (record.amount != movement.amount) return "amount";
    if (!same_account(ledger, record, record.credit, movement.credit, movement.missing)) {
        return to_member ? "account" : "to";
    }
    if (!same_account(ledger, record, record.debit, movement.debit, movement.missing)) {
        return movement.operation == Operation::transfer ? "from" : "account";
    }
    if (memcmp(record.memo_hash, memo_hash, sizeof memo_hash) != 0) return "memo";
    return nullptr;
}

Status judge_accounts(const Ledger& ledger, const Movement& movement) {
    if (movement.debit == row_none || movement.credit == row_none) return Status::noacct;
    const AccountValues& debit = ledger.accounts[movement.debit].decided;
    const AccountValues& credit = ledger.accounts[movement.credit].decided;
    if (debit.state == AccountState::closed) return Status::closed;
    if (credit.state == AccountState::closed) return Status::closed;
    if (!fits_floor(debit, movement.amount)) {
        // Nobody lacks the money that is paid in: it is cash that cannot count any further.
        return movement.operation == Operation::deposit ? Status::limit : Status::funds;
    }
    if (!fits_ceiling(credit, movement.amount)) return Status::limit;
    return Status::ok;
}

Entry entry_begin(EntryKind kind, uint32_t person, uint32_t terminal, const LogStamp& stamp) {
    Entry entry;
    memset(&entry, 0, sizeof entry);
    entry.kind = kind;
    entry.status = Status::ok;
    entry.person = person;
    entry.terminal = terminal;
    entry.seq = stamp.seq;
    entry.time_ms = stamp.time_ms;
    return entry;
}

void put_account_row(Ledger& ledger, uint32_t row, const Name& name, uint32_t owner) {
    CHECK(row < ledger.limits.accounts);
    Account& account = ledger.accounts[row];
    account = {};
    account.name = name;
    account.owner = owner;
    table_put(ledger.accounts_by_name, hash_of_name(ledger, name), row);
    ledger.accounts_decided = row + 1;
}

void put_person_row(Ledger& ledger, uint32_t row, const Name& name, uint32_t account) {
    CHECK(row < ledger.limits.accounts);
    Person& person = ledger.people[row];
    person = {};
    person.name = name;
    person.account = account;
    table_put(ledger.people_by_name, hash_of_name(ledger, name), row);
    ledger.people_decided = row + 1;
}

void put_terminal_row(Ledger& ledger, uint32_t row, const Name& name) {
    CHECK(row < ledger.limits.terminals);
    ledger.terminals[row] = name;
    table_put(ledger.terminals_by_name, hash_of_name(ledger, name), row);
    ledger.terminals_decided = row + 1;
}

AccountValues member_account_values() {
    return {.balance = 0,
            .held = 0,
            .floor = 0,
            .ceiling = balance_minor_max,
            .last = 0,
            .state = AccountState::open};
}

// Keeps what the snapshot of this epoch must still show of a row that is about to change.
void save_account(Ledger& ledger, Account& account) {
    if (account.saved_epoch == ledger.epoch) return;
    account.saved = account.installed;
    account.saved_epoch = ledger.epoch;
}

void save_person(Ledger& ledger, Person& person) {
    if (person.saved_epoch == ledger.epoch) return;
    person.saved = person.installed;
    person.saved_epoch = ledger.epoch;
}

Status install_genesis(Ledger& ledger, const Entry& entry) {
    const GenesisEntry& genesis = entry.genesis;
    if (memcmp(genesis.bank_id, ledger.key, bank_id_size) != 0) return Status::damaged;
    memset(ledger.currency, 0, sizeof ledger.currency);
    memcpy(ledger.currency, genesis.currency, genesis.currency_size);
    ledger.scale = genesis.scale;
    return Status::ok;
}

Status install_limits(Ledger& ledger, const LimitsEntry& limits, InstallMode mode) {
    if (limits.ids == 0) return Status::damaged;
    ledger.limits_known = limits;
    if (mode == InstallMode::replay) ids_set_window(ledger.ids, limits.ids);
    return Status::ok;
}

// The accounts that every book has come first, under their names.
bool name_fits_row(uint32_t row, const Name& name) {
    if (row == account_cash) return slice_equal_text(name_slice(name), "cash");
    if (row == account_shop) return slice_equal_text(name_slice(name), "shop");
    return true;
}

Status install_account(Ledger& ledger, const AccountEntry& entry, InstallMode mode) {
    if (entry.account != ledger.accounts_installed) return Status::damaged;
    if (entry.owner != row_none && entry.owner >= ledger.people_installed) return Status::damaged;
    if (!name_fits_row(entry.account, entry.name)) return Status::damaged;
    if (mode == InstallMode::replay) {
        if (entry.account >= ledger.limits.accounts) return Status::full;
        if (ledger_find_account(ledger, entry.name) != row_none) return Status::damaged;
        put_account_row(ledger, entry.account, entry.name, entry.owner);
    }
    Account& account = ledger.accounts[entry.account];
    account.installed = member_account_values();
    account.installed.floor = entry.floor;
    account.installed.ceiling = entry.ceiling;
    account.installed.state = entry.state;
    if (mode == InstallMode::replay) account.decided = account.installed;
    ledger.accounts_installed++;
    return Status::ok;
}

PersonValues person_values_of(const PersonEntry& entry, uint32_t version) {
    return {.role = entry.role,
            .state = entry.state,
            .version = version,
            .password = entry.password};
}

Status install_new_person(Ledger& ledger, const PersonEntry& entry, InstallMode mode) {
    if (entry.person != ledger.people_installed) return Status::damaged;
    if (entry.account != ledger.accounts_installed) return Status::damaged;
    if (entry.account <= account_shop) return Status::damaged;
    if (mode == InstallMode::replay) {
        if (entry.account >= ledger.limits.accounts) return Status::full;
        if (ledger_find_account(ledger, entry.name) != row_none) return Status::damaged;
        if (ledger_find_person(ledger, entry.name) != row_none) return Status::damaged;
        put_person_row(ledger, entry.person, entry.name, entry.account);
        put_account_row(ledger, entry.account, entry.name, entry.person);
    }
    Person& person = ledger.people[entry.person];
    Account& account = ledger.accounts[entry.account];
    person.installed = person_values_of(entry, 1);
    account.installed = member_account_values();
    if (mode == InstallMode::replay) {
        person.decided = person.installed;
        account.decided = account.installed;
    }
    ledger.people_installed++;
    ledger.accounts_installed++;
    return Status::ok;
}

Status install_person(Ledger& ledger, const PersonEntry& entry, InstallMode mode) {
    if (entry.operation == PersonOperation::added) return install_new_person(ledger, entry, mode);
    if (entry.person >= ledger.people_installed) return Status::damaged;
    Person& person = ledger.people[entry.person];
    if (!name_equal(person.name, entry.name)) return Status::damaged;
    if (person.account != entry.account) return Status::damaged;
    save_person(ledger, person);
    person.installed = person_values_of(entry, person.installed.version + 1);
    if (mode == InstallMode::replay) person.decided = person.installed;
    return Status::ok;
}

// M4 for a movement that moved money.
bool movement_fits(const Ledger& ledger, const MovementEntry& movement) {
    if (movement.debit >= ledger.accounts_installed) return false;
    if (movement.credit >= ledger.accounts_installed) return false;
    if (movement.debit == movement.credit) return false;
    const AccountValues& debit = ledger.accounts[movement.debit].installed;
    const AccountValues& credit = ledger.accounts[movement.credit].installed;
    if (debit.state != AccountState::open || credit.state != AccountState::open) return false;
    if (!fits_floor(debit, movement.amount) || !fits_ceiling(credit, movement.amount)) return false;
    return movement.debit_after == debit.balance - movement.amount &&
           movement.credit_after == credit.balance + movement.amount &&
           movement.debit_previous == debit.last && movement.credit_previous == credit.last;
}

// The row is none and has no balance, or is there and has just this one.
bool is_balance_of(const Ledger& ledger, uint32_t row, int64_t balance) {
    if (row == row_none) return balance == 0;
    return row < ledger.accounts_installed && ledger.accounts[row].installed.balance == balance;
}

// M4 for a movement that was refused (E2).
bool refusal_fits(const Ledger& ledger, const MovementEntry& movement) {
    return movement.debit_previous == 0 && movement.credit_previous == 0 &&
           is_balance_of(ledger, movement.debit, movement.debit_after) &&
           is_balance_of(ledger, movement.credit, movement.credit_after);
}

Status install_movement(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    const MovementEntry& movement = entry.movement;
    if (entry.person != row_none && entry.person >= ledger.people_installed) return Status::damaged;
    if (mode == InstallMode::replay) {
        const Slice id = slice_of_chars(movement.id.text, movement.id.size);
        if (ids_find(ledger.ids, entry.person, id) != nullptr) return Status::damaged;  // P3
    }
    const bool moves = entry.status == Status::ok;
    if (!moves && !refusal_fits(ledger, movement)) return Status::damaged;
    if (moves) {
        if (!movement_fits(ledger, movement)) return Status::damaged;
        Account& debit = ledger.accounts[movement.debit];
        Account& credit = ledger.accounts[movement.credit];
        save_account(ledger, debit);
        save_account(ledger, credit);
        debit.installed.balance = movement.debit_after;
        debit.installed.last = position;
        credit.installed.balance = movement.credit_after;
        credit.installed.last = position;
        if (mode == InstallMode::replay) {
            debit.decided = debit.installed;
            credit.decided = credit.installed;
        }
        ledger.movements++;
    }
    if (mode == InstallMode::replay) ids_add(ledger.ids, id_record_of(entry));
    ledger.ids_installed++;
    return Status::ok;
}

Status install_terminal(Ledger& ledger, const TerminalEntry& entry, InstallMode mode) {
    if (entry.terminal != ledger.terminals_installed) return Status::damaged;
    if (mode == InstallMode::replay) {
        if (entry.terminal >= ledger.limits.terminals) return Status::full;
        if (ledger_find_terminal(ledger, entry.name) != row_none) return Status::damaged;
        put_terminal_row(ledger, entry.terminal, entry.name);
    }
    ledger.terminals_installed++;
    return Status::ok;
}

// A book begins with its genesis and its limits, and has one genesis.
bool kind_fits_place(const Entry& entry) {
    if (entry.seq == 2) return entry.kind == EntryKind::limits;
    return (entry.seq == 1) == (entry.kind == EntryKind::genesis);
}

Status install_body(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    switch (entry.kind) {
        case EntryKind::genesis: return install_genesis(ledger, entry);
        case EntryKind::limits: return install_limits(ledger, entry.limits, mode);
        case EntryKind::person: return install_person(ledger, entry.row_person, mode);
        case EntryKind::account: return install_account(ledger, entry.account, mode);
        case EntryKind::movement: return install_movement(ledger, entry, position, mode);
        case EntryKind::terminal: return install_terminal(ledger, entry.row_terminal, mode);
    }
    return Status::damaged;
}

}  // namespace

void ledger_layout(Ledger& ledger, Arena& arena, const LedgerLimits& limits) {
    ledger.limits = limits;
    ledger.people = arena_array<Person>(arena, "people", limits.accounts);
    table_layout(ledger.people_by_name, arena, "  by name", limits.accounts);
    ledger.accounts = arena_array<Account>(arena, "accounts", limits.accounts);
    table_layout(ledger.accounts_by_name, arena, "  by name", limits.accounts);
    ledger.terminals = arena_array<Name>(arena, "terminals", limits.terminals);
    table_layout(ledger.terminals_by_name, arena, "  by name", limits.terminals);
    ids_layout(ledger.ids, arena, limits.ids);
}

void ledger_init(Ledger& ledger, const uint8_t key[bank_id_size]) {
    memcpy(ledger.key, key, bank_id_size);
    memset(ledger.currency, 0, sizeof ledger.currency);
    ledger.scale = 0;
    table_clear(ledger.people_by_name);
    table_clear(ledger.accounts_by_name);
    table_clear(ledger.terminals_by_name);
    ids_init(ledger.ids, key);
    ledger.people_decided = ledger.people_installed = 0;
    ledger.accounts_decided = ledger.accounts_installed = 0;
    ledger.terminals_decided = ledger.terminals_installed = 0;
    ledger.ids_installed = 0;
    ledger.seq_installed = 0;
    ledger.movements = 0;
    ledger.epoch = 1;
    ledger.ids_kept_from = UINT64_MAX;
    ledger.limits_known = {};
}

uint32_t ledger_find_person(const Ledger& ledger, const Name& name) {
    TableCursor cursor = table_find(ledger.people_by_name, hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.people_by_name, cursor, row)) {
        if (name_equal(ledger.people[row].name, name)) return row;
    }
    return row_none;
}

uint32_t ledger_find_account(const Ledger& ledger, const Name& name) {
    TableCursor cursor = table_find(ledger.accounts_by_name, hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.accounts_by_name, cursor, row)) {
        if (name_equal(ledger.accounts[row].name, name)) return row;
    }
    return row_none;
}

uint32_t ledger_find_terminal(const Ledger& ledger, const Name& name) {
    TableCursor cursor = table_find(ledger.terminals_by_name, hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.terminals_by_name, cursor, row)) {
        if (name_equal(ledger.terminals[row], name)) return row;
    }
    return row_none;
}

Status ledger_judge(const Ledger& ledger, const Movement& movement, const IdRecord*& known,
                    const char*& field) {
    CHECK(movement.amount > 0 && movement.amount <= amount_minor_max);
    const Slice id = slice_of_chars(movement.id.text, movement.id.size);
    known = ids_find(ledger.ids, movement.person, id);
    field = nullptr;
    if (known != nullptr) {
        field = differing_field(ledger, *known, movement);
        if (field != nullptr) return Status::exists;
        return known->seq > ledger.seq_installed ? Status::pending : Status::replayed;
    }
    if (movement.debit == movement.credit && movement.debit != row_none) return Status::err;
    const Ids& ids = ledger.ids;
    if (ids.head >= ids.capacity && ids.head - ids.capacity >= ledger.ids_kept_from) {
        return Status::oom;  // I3: the record in this place is still to be formatted.
    }
    return judge_accounts(ledger, movement);
}

void ledger_book(Ledger& ledger, const Movement& movement, Status outcome, const LogStamp& stamp,
                 Entry& out) {
    CHECK(outcome == Status::ok || status_is_remembered(outcome));
    out = entry_begin(EntryKind::movement, movement.person, movement.terminal, stamp);
    out.status = outcome;
    MovementEntry& entry = out.movement;
    entry.operation = movement.operation;
    entry.debit = movement.debit;
    entry.credit = movement.credit;
    entry.amount = movement.amount;
    entry.id = movement.id;
    entry.memo = movement.memo;
    if (outcome == Status::noacct) entry.missing = movement.missing;
    Account* debit = movement.debit == row_none ? nullptr : &ledger.accounts[movement.debit];
    Account* credit = movement.credit == row_none ? nullptr : &ledger.accounts[movement.credit];
    if (outcome == Status::ok) {
        CHECK(debit != nullptr && credit != nullptr);
        entry.debit_previous = debit->decided.last;
        entry.credit_previous = credit->decided.last;
        debit->decided.balance -= movement.amount;
        credit->decided.balance += movement.amount;
        debit->decided.last = stamp.position;
        credit->decided.last = stamp.position;
    }
    if (debit != nullptr) entry.debit_after = debit->decided.balance;
    if (credit != nullptr) entry.credit_after = credit->decided.balance;
    ids_add(ledger.ids, id_record_of(out));
}

Status ledger_judge_person(const Ledger& ledger, const Name& name) {
    if (name_is_reserved(name)) return Status::err;
    if (ledger_find_person(ledger, name) != row_none) return Status::exists;
    if (ledger_find_account(ledger, name) != row_none) return Status::exists;
    if (ledger.people_decided >= ledger.limits.accounts) return Status::oom;
    if (ledger.accounts_decided >= ledger.limits.accounts) return Status::oom;
    return Status::ok;
}

void ledger_add_person(Ledger& ledger, uint32_t asked_by, uint32_t terminal, const Name& name,
                       Role role, const PasswordRecord& password, const LogStamp& stamp,
                       Entry& out) {
    const uint32_t person = ledger.people_decided;
    const uint32_t account = ledger.accounts_decided;
    out = entry_begin(EntryKind::person, asked_by, terminal, stamp);
    out.row_person = {.person = person,
                      .account = account,
                      .operation = PersonOperation::added,
                      .role = role,
                      .state = PersonState::active,
                      .name = name,
                      .password = password};
    put_person_row(ledger, person, name, account);
    put_account_row(ledger, account, name, person);
    ledger.people[person].decided = person_values_of(out.row_person, 1);
    ledger.accounts[account].decided = member_account_values();
}

void ledger_set_password(Ledger& ledger, uint32_t asked_by, uint32_t terminal, uint32_t person,
                         const PasswordRecord& password, const LogStamp& stamp, Entry& out) {
    CHECK(person < ledger.people_decided);
    Person& row = ledger.people[person];
    row.decided.password = password;
    row.decided.version++;
    out = entry_begin(EntryKind::person, asked_by, terminal, stamp);
    out.row_person = {.person = person,
                      .account = row.account,
                      .operation = PersonOperation::password,
                      .role = row.decided.role,
                      .state = row.decided.state,
                      .name = row.name,
                      .password = password};
}

void ledger_add_terminal(Ledger& ledger, const Name& name, const LogStamp& stamp, Entry& out) {
    const uint32_t terminal = ledger.terminals_decided;
    out = entry_begin(EntryKind::terminal, row_none, row_none, stamp);
    out.row_terminal = {.terminal = terminal, .name = name};
    put_terminal_row(ledger, terminal, name);
}

void ledger_genesis(Ledger& ledger, const GenesisEntry& genesis, const LogStamp& stamp,
                    Entry& out) {
    CHECK(ledger.currency[0] == '\0' && stamp.seq == 1);
    out = entry_begin(EntryKind::genesis, row_none, row_none, stamp);
    out.genesis = genesis;
}

void ledger_set_limits(Ledger& ledger, const LogStamp& stamp, Entry& out) {
    out = entry_begin(EntryKind::limits, row_none, row_none, stamp);
    out.limits = {.accounts = ledger.limits.accounts,
                  .ids = ledger.limits.ids,
                  .terminals = ledger.limits.terminals};
    ids_set_window(ledger.ids, ledger.limits.ids);
}

void ledger_add_account(Ledger& ledger, const Name& name, uint32_t owner, int64_t floor,
                        int64_t ceiling, const LogStamp& stamp, Entry& out) {
    const uint32_t account = ledger.accounts_decided;
    out = entry_begin(EntryKind::account, row_none, row_none, stamp);
    out.account = {.account = account,
                   .owner = owner,
                   .floor = floor,
                   .ceiling = ceiling,
                   .state = AccountState::open,
                   .name = name};
    put_account_row(ledger, account, name, owner);
    AccountValues values = member_account_values();
    values.floor = floor;
    values.ceiling = ceiling;
    ledger.accounts[account].decided = values;
}

Status ledger_install(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    if (entry.seq != ledger.seq_installed + 1) return Status::damaged;
    if (!kind_fits_place(entry)) return Status::damaged;
    const Status status = install_body(ledger, entry, position, mode);
    if (status != Status::ok) return status;
    ledger.seq_installed = entry.seq;
    return Status::ok;
}

Status ledger_load_person(Ledger& ledger, const Name& name, const PersonValues& values) {
    const uint32_t row = ledger.people_installed;
    if (row >= ledger.limits.accounts) return Status::full;
    if (ledger_find_person(ledger, name) != row_none) return Status::damaged;
    put_person_row(ledger, row, name, row_none);
    ledger.people[row].installed = values;
    ledger.people[row].decided = values;
    ledger.people_installed++;
    return Status::ok;
}

Status ledger_load_account(Ledger& ledger, const Name& name, const Name& owner,
                           const AccountValues& values) {
    const uint32_t row = ledger.accounts_installed;
    if (row >= ledger.limits.accounts) return Status::full;
    if (!name_fits_row(row, name)) return Status::damaged;
    if (ledger_find_account(ledger, name) != row_none) return Status::damaged;
    const uint32_t person = owner.size == 0 ? row_none : ledger_find_person(ledger, owner);
    if (owner.size > 0 && person == row_none) return Status::damaged;
    put_account_row(ledger, row, name, person);
    if (person != row_none && name_equal(name, owner)) ledger.people[person].account = row;
    ledger.accounts[row].installed = values;
    ledger.accounts[row].decided = values;
    ledger.accounts_installed++;
    return Status::ok;
}

Status ledger_load_terminal(Ledger& ledger, const Name& name) {
    const uint32_t row = ledger.terminals_installed;
    if (row >= ledger.limits.terminals) return Status::full;
    if (ledger_find_terminal(ledger, name) != row_none) return Status::damaged;
    put_terminal_row(ledger, row, name);
    ledger.terminals_installed++;
    return Status::ok;
}

Status ledger_load_id(Ledger& ledger, const IdRecord& record) {
    const Slice id = slice_of_chars(record.id.text, record.id.size);
    const Ids& ids = ledger.ids;
    const uint64_t newest = ids.head == 0 ? 0 : ids_at(ids, ids.head - 1).seq;
    if (record.seq <= newest) return Status::damaged;
    if (ids_find(ids, record.person, id) != nullptr) return Status::damaged;
    ids_add(ledger.ids, record);
    ledger.ids_installed++;
    return Status::ok;
}

void ledger_drop(Ledger& ledger) {
    for (uint32_t row = ledger.people_installed; row < ledger.people_decided; row++) {
        table_remove(ledger.people_by_name, hash_of_name(ledger, ledger.people[row].name), row);
    }
    for (uint32_t row = ledger.accounts_installed; row < ledger.accounts_decided; row++) {
        table_remove(ledger.accounts_by_name, hash_of_name(ledger, ledger.accounts[row].name), row);
    }
    for (uint32_t row = ledger.terminals_installed; row < ledger.terminals_decided; row++) {
        table_remove(ledger.terminals_by_name, hash_of_name(ledger, ledger.terminals[row]), row);
    }
    ledger.people_decided = ledger.people_installed;
    ledger.accounts_decided = ledger.accounts_installed;
    ledger.terminals_decided = ledger.terminals_installed;
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        ledger.people[row].decided = ledger.people[row].installed;
    }
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        ledger.accounts[row].decided = ledger.accounts[row].installed;
    }
    ids_drop_after(ledger.ids, ledger.seq_installed);
}

IdRecord id_record_of(const Entry& entry) {
    CHECK(entry.kind == EntryKind::movement);
    const MovementEntry& movement = entry.movement;
    IdRecord record = {};
    record.seq = entry.seq;
    record.time_ms = entry.time_ms;
    record.amount = movement.amount;
    record.balance = movement.operation == Operation::deposit ? movement.credit_after
                                                              : movement.debit_after;
    record.person = entry.person;
    record.debit = movement.debit;
    record.credit = movement.credit;
    hash_memo(movement.memo, record.memo_hash);
    record.operation = movement.operation;
    record.status = entry.status;
    record.id = movement.id;
    record.missing = movement.missing;
    return record;
}

int64_t ledger_sum(const Ledger& ledger) {
    uint64_t sum = 0;  // Wraps around, so that tables read from a disk cannot overflow it.
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        sum += static_cast<uint64_t>(ledger.accounts[row].installed.balance);
    }
    return static_cast<int64_t>(sum);
}
