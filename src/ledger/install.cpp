#include <string.h>

#include "base/check.h"
#include "ledger/rows.h"

namespace {

// The part of a movement that concerns the table of holds. `slot` is the hold's that ends.
void install_hold(Ledger& ledger, const Entry& entry, uint32_t slot, InstallMode mode) {
    Holds& holds = ledger.holds;
    if (entry.movement.operation == Operation::hold) {
        if (mode == InstallMode::replay) {
            holds_open(holds, rows_hold_of(entry));
            holds.given_decided = entry.movement.hold;
        }
        holds.pool.slots[holds_find(holds, entry.movement.hold)].installed = true;
        holds.given_installed = entry.movement.hold;
    } else if (slot != pool_none) {
        Hold& hold = holds.pool.slots[slot];
        hold.installed = false;
        if (mode == InstallMode::replay) hold.decided = false;
        holds_settle(holds, slot);
    }
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
    person.texts_saved = person.texts;
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
    if (limits.ids == 0 || limits.reversible == 0) return Status::damaged;
    ledger.limits_known = limits;
    if (mode == InstallMode::replay) {
        ids_set_window(ledger.ids, limits.ids);
        reversals_set_window(ledger.reversals, limits.reversible);
    }
    return Status::ok;
}

Status install_new_account(Ledger& ledger, const AccountEntry& entry, InstallMode mode) {
    if (entry.account != ledger.accounts_installed) return Status::damaged;
    if (entry.owner != row_none && entry.owner >= ledger.people_installed) return Status::damaged;
    if (entry.state != AccountState::open) return Status::damaged;
    if (!rows_name_fits(entry.account, entry.name)) return Status::damaged;
    if (mode == InstallMode::replay) {
        if (entry.account >= ledger.limits.accounts) return Status::full;
        if (ledger_find_account(ledger, entry.name) != row_none) return Status::damaged;
        rows_put_account(ledger, entry.account, entry.name, entry.owner);
    }
    Account& account = ledger.accounts[entry.account];
    account.installed = rows_member_account();
    account.installed.floor = entry.floor;
    account.installed.ceiling = entry.ceiling;
    if (mode == InstallMode::replay) account.decided = account.installed;
    ledger.accounts_installed++;
    return Status::ok;
}

Status install_account(Ledger& ledger, const AccountEntry& entry, InstallMode mode) {
    if (entry.operation == AccountOperation::open) return install_new_account(ledger, entry, mode);
    if (entry.account >= ledger.accounts_installed) return Status::damaged;
    Account& account = ledger.accounts[entry.account];
    if (!name_equal(account.name, entry.name) || account.owner != entry.owner) {
        return Status::damaged;
    }
    const AccountValues& now = account.installed;
    if (entry.state == AccountState::closed && (now.balance != 0 || now.held != 0)) {
        return Status::damaged;
    }
    save_account(ledger, account);
    account.installed.floor = entry.floor;
    account.installed.ceiling = entry.ceiling;
    account.installed.state = entry.state;
    if (mode == InstallMode::replay) account.decided = account.installed;
    return Status::ok;
}

// Keeps what the snapshot of this epoch must still show of a terminal's day, and moves it on.
void install_day(Ledger& ledger, uint32_t terminal, const TerminalDay& day, InstallMode mode) {
    TerminalRow& row = ledger.days[terminal];
    if (row.saved_epoch != ledger.epoch) {
        row.saved = row.installed;
        row.saved_epoch = ledger.epoch;
    }
    row.installed = day;
    if (mode == InstallMode::replay) row.decided = day;
}

// M4, L1, L2: a day that follows from the terminal's and is that of the entry's time.
bool day_fits(const Ledger& ledger, const Entry& entry, uint32_t day) {
    if (entry.terminal >= ledger.terminals_installed) return false;
    return day >= ledger.days[entry.terminal].installed.day && days_fits_time(day, entry.time_ms);
}

// One more person who was registered at a terminal.
bool registration_fits(const Ledger& ledger, const Entry& entry) {
    const PersonEntry& person = entry.row_person;
    if (person.day == 0) return true;
    if (!day_fits(ledger, entry, person.day)) return false;
    const TerminalDay now = days_on(ledger.days[entry.terminal].installed, person.day);
    return person.registered == now.registered + uint64_t{1};
}

Status install_new_person(Ledger& ledger, const Entry& whole, InstallMode mode) {
    const PersonEntry& entry = whole.row_person;
    if (entry.person != ledger.people_installed) return Status::damaged;
    if (entry.account != ledger.accounts_installed) return Status::damaged;
    if (entry.account <= account_shop) return Status::damaged;
    if (!registration_fits(ledger, whole)) return Status::damaged;
    if (mode == InstallMode::replay) {
        if (entry.account >= ledger.limits.accounts) return Status::full;
        if (ledger_find_account(ledger, entry.name) != row_none) return Status::damaged;
        if (ledger_find_person(ledger, entry.name) != row_none) return Status::damaged;
        rows_put_person(ledger, entry.person, entry.name, entry.account);
        rows_put_account(ledger, entry.account, entry.name, entry.person);
    }
    Person& person = ledger.people[entry.person];
    Account& account = ledger.accounts[entry.account];
    person.installed = rows_change_person({}, entry);
    rows_change_texts(person.texts, entry);
    account.installed = rows_member_account();
    if (mode == InstallMode::replay) {
        person.decided = person.installed;
        account.decided = account.installed;
    }
    if (entry.day != 0) {
        TerminalDay day = days_on(ledger.days[whole.terminal].installed, entry.day);
        day.registered = entry.registered;
        install_day(ledger, whole.terminal, day, mode);
    }
    ledger.people_installed++;
    ledger.accounts_installed++;
    return Status::ok;
}

// M4 for a change of somebody who is there: what the operation is not about is as it was.
bool change_fits(const Person& person, const AccountValues& account, const PersonEntry& entry) {
    const PersonValues& now = person.installed;
    if (!name_equal(person.name, entry.name) || person.account != entry.account) return false;
    if (now.state == PersonState::removed) return false;
    if (entry.operation != PersonOperation::role && entry.role != now.role) return false;
    switch (entry.operation) {
        case PersonOperation::lock:
        case PersonOperation::unlock: return true;
        case PersonOperation::remove: return account.balance == 0 && account.held == 0;
        case PersonOperation::pin_set:
            return entry.state == now.state && now.pin != PinState::locked;
        case PersonOperation::pin_lock:
        case PersonOperation::pin_unlock:
            return entry.state == now.state && now.pin != PinState::none;
        case PersonOperation::password:
        case PersonOperation::role:
        case PersonOperation::rehash:
        case PersonOperation::title: return entry.state == now.state;
        case PersonOperation::added: break;
    }
    return false;
}

Status install_person(Ledger& ledger, const Entry& whole, InstallMode mode) {
    const PersonEntry& entry = whole.row_person;
    if (entry.operation == PersonOperation::added) return install_new_person(ledger, whole, mode);
    if (entry.person >= ledger.people_installed) return Status::damaged;
    Person& person = ledger.people[entry.person];
    Account& account = ledger.accounts[person.account];
    if (!change_fits(person, account.installed, entry)) return Status::damaged;
    save_person(ledger, person);
    person.installed = rows_change_person(person.installed, entry);
    rows_change_texts(person.texts, entry);
    if (mode == InstallMode::replay) person.decided = person.installed;
    if (entry.operation != PersonOperation::remove) return Status::ok;
    save_account(ledger, account);
    account.installed.state = AccountState::closed;
    if (mode == InstallMode::replay) account.decided = account.installed;
    if (mode == InstallMode::replay) mail_remove_decided(ledger.mail, entry.person);
    mail_remove_installed(ledger.mail, entry.person);  // W4
    return Status::ok;
}

// M4 for a movement about an open hold; its slot and amount are given back.
bool hold_fits(const Ledger& ledger, const Entry& entry, uint32_t& slot, int64_t& amount) {
    const MovementEntry& movement = entry.movement;
    slot = holds_find(ledger.holds, movement.hold);
    if (slot == pool_none) return false;
    const Hold& hold = ledger.holds.pool.slots[slot];
    if (!hold.installed || hold.debit != movement.debit || hold.credit != movement.credit) {
        return false;
    }
    const bool expired = entry.time_ms >= hold.expiry_ms;
    if (expired != (movement.operation == Operation::release)) return false;
    amount = hold.amount;
    if (movement.operation == Operation::capture) return movement.amount <= hold.amount;
    return movement.amount == hold.amount;
}

// M4 for the rules of the two accounts.
bool accounts_fit(const MovementEntry& movement, const AccountValues& debit,
                  const AccountValues& credit) {
    if (movement.operation == Operation::cancel || movement.operation == Operation::release) {
        return true;
    }
    if (debit.state != AccountState::open || credit.state != AccountState::open) return false;
    if (movement.operation != Operation::capture && !rows_fits_floor(debit, movement.amount)) {
        return false;
    }
    return movement.operation == Operation::hold || rows_fits_ceiling(credit, movement.amount);
}

// M5: entries of a group follow each other, and are all booked or all refused.
Status install_group(Ledger& ledger, const Entry& entry) {
    GroupInstall& group = ledger.group;
    const MovementEntry& movement = entry.movement;
    const bool booked = entry.status == Status::ok;
    if (movement.group_place != group.place + 1) return Status::damaged;
    if (group.place == 0) {
        group = {.size = movement.group_size,
                 .place = 0,
                 .booked = booked,
                 .culprits = 0,
                 .person = entry.person};
    }
    if (movement.group_size != group.size || booked != group.booked ||
        entry.person != group.person) {
        return Status::damaged;
    }
    if (!booked && entry.status != Status::execabort) group.culprits++;
    group.place++;
    if (group.place < group.size) return Status::ok;
    const bool fits = group.culprits == (group.booked ? 0 : 1);
    group = {};
    return fits ? Status::ok : Status::damaged;
}

// Installs a movement that was not refused.
Status install_booked(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    const MovementEntry& movement = entry.movement;
    if (movement.debit >= ledger.accounts_installed) return Status::damaged;
    if (movement.credit >= ledger.accounts_installed) return Status::damaged;
    if (movement.debit == movement.credit) return Status::damaged;
    Account& debit = ledger.accounts[movement.debit];
    Account& credit = ledger.accounts[movement.credit];
    uint32_t slot = pool_none;
    int64_t hold_amount = 0;
    if (operation_ends_hold(movement.operation) && !hold_fits(ledger, entry, slot, hold_amount)) {
        return Status::damaged;
    }
    if (movement.operation == Operation::hold) {
        if (movement.hold != ledger.holds.given_installed + 1) return Status::damaged;
        if (movement.expires_s == 0) return Status::damaged;
        if (mode == InstallMode::replay && !holds_has_room(ledger.holds)) return Status::full;
    }
    if (movement.operation == Operation::reverse && movement.reversed >= entry.seq) {
        return Status::damaged;
    }
    if (operation_is_of_order(movement.operation)) {
        const Status status = rows_order_fits(ledger, entry, mode);
        if (status != Status::ok) return status;
    }
    if (!accounts_fit(movement, debit.installed, credit.installed)) return Status::damaged;
    AccountValues debit_after = debit.installed;
    AccountValues credit_after = credit.installed;
    const bool joins =
        rows_apply(movement.operation, movement.amount, hold_amount, debit_after, credit_after);
    const Position credit_previous = joins ? credit.installed.last : 0;
    if (movement.debit_after != debit_after.balance ||
        movement.credit_after != credit_after.balance ||
        movement.debit_previous != debit.installed.last ||
        movement.credit_previous != credit_previous) {
        return Status::damaged;
    }
    save_account(ledger, debit);
    save_account(ledger, credit);
    debit.installed = debit_after;
    credit.installed = credit_after;
    debit.installed.last = position;
    if (joins) credit.installed.last = position;
    if (mode == InstallMode::replay) {
        debit.decided = debit.installed;
        credit.decided = credit.installed;
    }
    install_hold(ledger, entry, slot, mode);
    if (operation_is_of_order(movement.operation)) rows_install_order(ledger, entry, mode);
    ledger.movements++;
    return Status::ok;
}

// An order that is handed over moves nothing and joins no account's chain.
Status install_handover(Ledger& ledger, const Entry& entry, InstallMode mode) {
    const Status status = rows_order_fits(ledger, entry, mode);
    if (status == Status::ok) rows_install_order(ledger, entry, mode);
    return status;
}

// The row is none and has no balance, or is there and has just this one.
bool is_balance_of(const Ledger& ledger, uint32_t row, int64_t balance) {
    if (row == row_none) return balance == 0;
    return row < ledger.accounts_installed && ledger.accounts[row].installed.balance == balance;
}

// M4 for a movement that was refused (E2).
bool refusal_fits(const Ledger& ledger, const MovementEntry& movement) {
    const bool of_order = operation_is_of_order(movement.operation);
    if (of_order && !rows_order_refusal_fits(ledger, movement)) return false;
    return movement.debit_previous == 0 && movement.credit_previous == 0 &&
           is_balance_of(ledger, movement.debit, movement.debit_after) &&
           is_balance_of(ledger, movement.credit, movement.credit_after);
}

// M4 for what a movement adds to its terminal's day; `after` is the day then. What refused one of a
// group was counted behind those before it, which were refused with it.
bool counted_fits(const Ledger& ledger, const Entry& entry, TerminalDay& after) {
    const MovementEntry& movement = entry.movement;
    if (movement.day == 0) return true;
    if (!day_fits(ledger, entry, movement.day)) return false;
    const bool booked = entry.status == Status::ok;
    const TerminalDay& now = ledger.days[entry.terminal].installed;
    after = rows_count_movement(now, movement.day, movement.amount, booked);
    if (movement.day_total != after.total) return false;
    if (!movement.beyond_day || movement.group_size > 0) return true;
    return days_add(after.total, movement.amount) > movement.day_max;
}

Status install_movement(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    const MovementEntry& movement = entry.movement;
    TerminalDay day = {};
    if (!counted_fits(ledger, entry, day)) return Status::damaged;
    if (entry.person != row_none && entry.person >= ledger.people_installed) return Status::damaged;
    const bool is_release = movement.operation == Operation::release;
    if (is_release && entry.person != row_none) return Status::damaged;
    const Position asked_before = rows_asked_before(ledger, entry.person);
    if (movement.asker_previous != asked_before) return Status::damaged;
    if (movement.group_size > 0 && install_group(ledger, entry) != Status::ok) {
        return Status::damaged;
    }
    if (mode == InstallMode::replay && !is_release) {
        const Slice id = slice_of_chars(movement.id.text, movement.id.size);
        if (ids_find(ledger.ids, entry.person, id) != nullptr) return Status::damaged;  // P3
    }
    if (entry.status == Status::ok) {
        const bool hands_over = movement.operation == Operation::order_done;
        const Status status = hands_over ? install_handover(ledger, entry, mode)
                                         : install_booked(ledger, entry, position, mode);
        if (status != Status::ok) return status;
    } else {
        if (is_release || !refusal_fits(ledger, movement)) return Status::damaged;
    }
    if (is_release) return Status::ok;  // The server's own, without an id.
    if (movement.day != 0) install_day(ledger, entry.terminal, day, mode);
    rows_install_asked(ledger, entry, position, mode);
    if (mode == InstallMode::replay) ids_add(ledger.ids, id_record_of(entry));
    ledger.ids_installed++;
    return Status::ok;
}

Status install_terminal(Ledger& ledger, const TerminalEntry& entry, InstallMode mode) {
    if (entry.terminal != ledger.terminals_installed) return Status::damaged;
    if (mode == InstallMode::replay) {
        if (entry.terminal >= ledger.limits.terminals) return Status::full;
        if (ledger_find_terminal(ledger, entry.name) != row_none) return Status::damaged;
        rows_put_terminal(ledger, entry.terminal, entry.name);
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
        case EntryKind::person: return install_person(ledger, entry, mode);
        case EntryKind::account: return install_account(ledger, entry.account, mode);
        case EntryKind::movement: return install_movement(ledger, entry, position, mode);
        case EntryKind::terminal: return install_terminal(ledger, entry.row_terminal, mode);
        case EntryKind::item: return rows_install_item(ledger, entry.item, mode);
        case EntryKind::key:
        case EntryKind::message:
        case EntryKind::forget: return rows_install_mail(ledger, entry, position, mode);
    }
    return Status::damaged;
}

// The entry that is reversed by this one from now on; 0 for none.
uint64_t reversed_by(const Entry& entry) {
    const bool reverses = entry.kind == EntryKind::movement && entry.status == Status::ok &&
                          entry.movement.operation == Operation::reverse;
    return reverses ? entry.movement.reversed : 0;
}

}  // namespace

Status ledger_install(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    if (entry.seq != ledger.seq_installed + 1) return Status::damaged;
    if (!kind_fits_place(entry)) return Status::damaged;
    // M5: nothing comes between the entries of a group.
    const bool goes_on = entry.kind == EntryKind::movement && entry.movement.group_size > 0;
    if (ledger.group.size > 0 && !goes_on) return Status::damaged;
    if (!rows_message_goes_on(ledger, entry)) return Status::damaged;  // W1
    const GroupInstall group = ledger.group;
    const uint64_t reversed = reversed_by(entry);
    Status status = reversals_judge(ledger.reversals, entry.seq, reversed);
    if (status != Status::ok) return status;
    status = install_body(ledger, entry, position, mode);
    if (status != Status::ok) {
        ledger.group = group;
        return status;
    }
    reversals_install(ledger.reversals, entry.seq, reversed);
    ledger.seq_installed = entry.seq;
    return Status::ok;
}
