#include "ledger/rows.h"

#include <string.h>

#include "base/check.h"

uint64_t rows_hash_of_name(const Ledger& ledger, const Name& name) {
    return siphash(ledger.key, name_slice(name));
}

void rows_hash_memo(const Memo& memo, uint8_t out[16]) {
    memset(out, 0, 16);
    if (memo.size == 0) return;
    const Hash hash = hash_of(slice_of_chars(memo.text, memo.size));
    memcpy(out, hash.bytes, 16);
}

bool rows_fits_ceiling(const AccountValues& account, int64_t amount) {
    return account.balance <= account.ceiling - amount;
}

bool rows_fits_floor(const AccountValues& account, int64_t amount) {
    return account.balance - account.held >= account.floor + amount;
}

bool rows_name_fits(uint32_t row, const Name& name) {
    if (row == account_cash) return slice_equal_text(name_slice(name), "cash");
    if (row == account_shop) return slice_equal_text(name_slice(name), "shop");
    return true;
}

void rows_put_account(Ledger& ledger, uint32_t row, const Name& name, uint32_t owner) {
    CHECK(row < ledger.limits.accounts);
    Account& account = ledger.accounts[row];
    account = {};
    account.name = name;
    account.owner = owner;
    table_put(ledger.accounts_by_name, rows_hash_of_name(ledger, name), row);
    ledger.accounts_decided = row + 1;
}

void rows_put_person(Ledger& ledger, uint32_t row, const Name& name, uint32_t account) {
    CHECK(row < ledger.limits.accounts);
    Person& person = ledger.people[row];
    person = {};
    person.name = name;
    person.account = account;
    ledger.asked[row] = {};
    table_put(ledger.people_by_name, rows_hash_of_name(ledger, name), row);
    ledger.people_decided = row + 1;
}

void rows_put_terminal(Ledger& ledger, uint32_t row, const Name& name) {
    CHECK(row < ledger.limits.terminals);
    ledger.terminals[row] = name;
    ledger.days[row] = {};
    table_put(ledger.terminals_by_name, rows_hash_of_name(ledger, name), row);
    ledger.terminals_decided = row + 1;
}

AccountValues rows_member_account() {
    return {.balance = 0,
            .held = 0,
            .floor = 0,
            .ceiling = balance_minor_max,
            .last = 0,
            .state = AccountState::open};
}

Hold rows_hold_of(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    return {.number = movement.hold,
            .entry = entry.seq,
            .expiry_ms = entry.time_ms + movement.expires_s * 1000ull,
            .amount = movement.amount,
            .debit = movement.debit,
            .credit = movement.credit,
            .decided = true,
            .installed = false};
}

Entry rows_entry(EntryKind kind, uint32_t person, uint32_t terminal, const LogStamp& stamp) {
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

PersonValues rows_change_person(const PersonValues& before, const PersonEntry& entry) {
    PersonValues after = before;
    after.role = entry.role;
    after.state = entry.state;
    after.changes++;
    if (person_operation_ends_logins(entry.operation)) after.version++;
    switch (entry.operation) {
        case PersonOperation::added:
            return {entry.role, entry.state, PinState::none, entry.term, 1, 1};
        case PersonOperation::password: after.term = entry.term; break;
        case PersonOperation::remove:
            after.pin = PinState::none;
            after.term = PasswordTerm::lasting;
            break;
        case PersonOperation::pin_lock: after.pin = PinState::locked; break;
        case PersonOperation::pin_set:
        case PersonOperation::pin_unlock: after.pin = PinState::set; break;
        case PersonOperation::role:
        case PersonOperation::lock:
        case PersonOperation::unlock:
        case PersonOperation::rehash:
        case PersonOperation::title: break;
    }
    return after;
}

void rows_change_texts(PersonTexts& texts, const PersonEntry& entry) {
    switch (entry.operation) {
        case PersonOperation::added: texts = {entry.record, {}, entry.title}; return;
        case PersonOperation::password:
        case PersonOperation::rehash: texts.password = entry.record; return;
        case PersonOperation::title: texts.title = entry.title; return;
        case PersonOperation::pin_set: texts.pin = entry.record; return;
        case PersonOperation::remove: texts = {}; return;
        case PersonOperation::role:
        case PersonOperation::lock:
        case PersonOperation::unlock:
        case PersonOperation::pin_lock:
        case PersonOperation::pin_unlock: return;
    }
    CHECK(false);
}

TerminalDay rows_count_movement(const TerminalDay& now, uint32_t day, int64_t amount,
                                bool booked) {
    TerminalDay after = days_on(now, day);
    if (booked) after.total = days_add(after.total, amount);
    return after;
}

void rows_add_asked(const Ledger& ledger, const Entry& entry, Position position, Asked& asked) {
    const Id& id = entry_request_id(entry);
    const Slice text = slice_of_chars(id.text, id.size);
    asked_add(asked, ids_print(ledger.ids, entry.person, text), position, entry.time_ms);
}

bool rows_same_account(const Ledger& ledger, const IdRecord& record, uint32_t then, uint32_t now,
                       const Name& missing_now) {
    if (then != row_none) return then == now;
    if (now == row_none) return name_equal(record.missing, missing_now);
    return name_equal(record.missing, ledger.accounts[now].name);
}

bool rows_has_room_for_ids(const Ledger& ledger, uint32_t count) {
    const Ids& ids = ledger.ids;
    const uint64_t newest = ids.head + count - 1;
    return newest < ids.capacity || newest - ids.capacity < ledger.ids_kept_from;
}

Position rows_asked_before(const Ledger& ledger, uint32_t person) {
    return person == row_none ? 0 : ledger.asked[person].installed.last;
}

void rows_install_asked(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    if (entry.person == row_none) return;
    AskedRow& row = ledger.asked[entry.person];
    if (row.saved_epoch != ledger.epoch) {
        row.saved = row.installed;
        row.saved_epoch = ledger.epoch;
    }
    rows_add_asked(ledger, entry, position, row.installed);
    if (mode == InstallMode::replay) row.decided = row.installed;
}

bool rows_apply(Operation operation, int64_t amount, int64_t hold_amount, AccountValues& debit,
           AccountValues& credit) {
    switch (operation) {
        case Operation::deposit:
        case Operation::withdraw:
        case Operation::transfer:
        case Operation::reverse:
        case Operation::order:
        case Operation::cancel_order:
            debit.balance -= amount;
            credit.balance += amount;
            return true;
        case Operation::hold: debit.held += amount; return false;
        case Operation::capture:
            debit.held -= hold_amount;
            debit.balance -= amount;
            credit.balance += amount;
            return true;
        case Operation::cancel:
        case Operation::release: debit.held -= hold_amount; return false;
        case Operation::order_done: break;
        case Operation::message: break;
    }
    CHECK(false);
    return false;
}

void ledger_layout(Ledger& ledger, Arena& arena, const LedgerLimits& limits) {
    ledger.limits = limits;
    ledger.people = arena_array<Person>(arena, "people", limits.accounts);
    ledger.asked = arena_array<AskedRow>(arena, "  newest ids of each", limits.accounts);
    table_layout(ledger.people_by_name, arena, "  by name", limits.accounts);
    ledger.accounts = arena_array<Account>(arena, "accounts", limits.accounts);
    table_layout(ledger.accounts_by_name, arena, "  by name", limits.accounts);
    ledger.terminals = arena_array<Name>(arena, "terminals", limits.terminals);
    ledger.days = arena_array<TerminalRow>(arena, "  day of each", limits.terminals);
    table_layout(ledger.terminals_by_name, arena, "  by name", limits.terminals);
    ledger.items = arena_array<Item>(arena, "items", limits.items);
    table_layout(ledger.items_by_name, arena, "  by name", limits.items);
    orders_layout(ledger.orders, arena, limits.orders);
    holds_layout(ledger.holds, arena, limits.holds);
    ids_layout(ledger.ids, arena, limits.ids);
    reversals_layout(ledger.reversals, arena, limits.reversible);
    mail_layout(ledger.mail, arena, {limits.message_keys, limits.messages, limits.mailbox});
}

void ledger_init(Ledger& ledger, const uint8_t key[bank_id_size]) {
    memcpy(ledger.key, key, bank_id_size);
    memset(ledger.currency, 0, sizeof ledger.currency);
    ledger.scale = 0;
    table_clear(ledger.people_by_name);
    table_clear(ledger.accounts_by_name);
    table_clear(ledger.terminals_by_name);
    table_clear(ledger.items_by_name);
    ledger.items_decided = ledger.items_installed = 0;
    orders_init(ledger.orders, ledger.limits.orders);
    ledger.ordered_loaded = ledger.order_loaded = 0;
    holds_init(ledger.holds);
    ids_init(ledger.ids, key);
    reversals_init(ledger.reversals);
    mail_init(ledger.mail);
    ledger.group = {};
    ledger.asked_loaded = 0;
    ledger.people_loaded = ledger.texts_loaded = 0;
    ledger.version_loaded = 1;
    ledger.days_loaded = 0;
    ledger.reversed_loaded = 0;
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
    TableCursor cursor = table_find(ledger.people_by_name, rows_hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.people_by_name, cursor, row)) {
        if (name_equal(ledger.people[row].name, name)) return row;
    }
    return row_none;
}

uint32_t ledger_find_account(const Ledger& ledger, const Name& name) {
    TableCursor cursor = table_find(ledger.accounts_by_name, rows_hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.accounts_by_name, cursor, row)) {
        if (name_equal(ledger.accounts[row].name, name)) return row;
    }
    return row_none;
}

uint32_t ledger_find_terminal(const Ledger& ledger, const Name& name) {
    TableCursor cursor = table_find(ledger.terminals_by_name, rows_hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.terminals_by_name, cursor, row)) {
        if (name_equal(ledger.terminals[row], name)) return row;
    }
    return row_none;
}

Status ledger_load_person(Ledger& ledger, const Name& name, const PersonValues& values,
                          const PasswordRecord& password) {
    const uint32_t row = ledger.people_installed;
    if (row >= ledger.limits.accounts) return Status::full;
    if (ledger_find_person(ledger, name) != row_none) return Status::damaged;
    rows_put_person(ledger, row, name, row_none);
    ledger.people[row].installed = values;
    ledger.people[row].decided = values;
    ledger.people[row].texts.password = password;
    ledger.people_installed++;
    return Status::ok;
}

Status ledger_load_texts(Ledger& ledger, const Name& name, PinState pin,
                         const PasswordRecord& record, const Title& title) {
    const uint32_t row = ledger_find_person(ledger, name);
    if (row == row_none || row < ledger.people_loaded) return Status::damaged;
    Person& person = ledger.people[row];
    if ((pin == PinState::none) != (record.size == 0)) return Status::damaged;
    const bool is_removed = person.installed.state == PersonState::removed;
    if (is_removed && (record.size > 0 || title.size > 0)) return Status::damaged;
    ledger.people_loaded = row + 1;
    ledger.texts_loaded++;
    person.installed.pin = pin;
    person.decided.pin = pin;
    person.texts.pin = record;
    person.texts.title = title;
    return Status::ok;
}

Status ledger_load_account(Ledger& ledger, const Name& name, const Name& owner,
                           const AccountValues& values) {
    const uint32_t row = ledger.accounts_installed;
    if (row >= ledger.limits.accounts) return Status::full;
    if (!rows_name_fits(row, name)) return Status::damaged;
    if (ledger_find_account(ledger, name) != row_none) return Status::damaged;
    const uint32_t person = owner.size == 0 ? row_none : ledger_find_person(ledger, owner);
    if (owner.size > 0 && person == row_none) return Status::damaged;
    rows_put_account(ledger, row, name, person);
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
    rows_put_terminal(ledger, row, name);
    ledger.terminals_installed++;
    return Status::ok;
}

Status ledger_load_day(Ledger& ledger, const Name& terminal, const TerminalDay& day) {
    const uint32_t row = ledger_find_terminal(ledger, terminal);
    if (row == row_none || row < ledger.days_loaded) return Status::damaged;
    if (day.day == 0 || day.total < 0 || day.total > balance_minor_max) return Status::damaged;
    ledger.days_loaded = row + 1;
    ledger.days[row].installed = day;
    ledger.days[row].decided = day;
    return Status::ok;
}

Status ledger_load_asked(Ledger& ledger, const Name& name, const Asked& asked) {
    const uint32_t person = ledger.asked_loaded;
    if (person >= ledger.people_installed) return Status::damaged;
    if (!name_equal(ledger.people[person].name, name)) return Status::damaged;
    // Who has asked has a newest request (Q2), and each was an entry.
    const bool has_asked = asked.count > 0;
    if (has_asked != (asked.last != 0) || (!has_asked && asked.turned_ms != 0)) {
        return Status::damaged;
    }
    if (asked.count > ledger.reversals.head) return Status::damaged;
    ledger.asked_loaded++;
    ledger.asked[person].installed = asked;
    ledger.asked[person].decided = asked;
    return Status::ok;
}

Status ledger_load_reversed(Ledger& ledger, uint64_t seq) {
    Reversals& reversals = ledger.reversals;
    if (seq < reversals.floor || seq > reversals.head) return Status::damaged;
    if (seq <= ledger.reversed_loaded) return Status::damaged;
    ledger.reversed_loaded = seq;
    // As when a book is replayed, what is out of reach for want of room is left out.
    if (reversals.head - seq < reversals.capacity) reversals_load(reversals, seq);
    return Status::ok;
}

Status ledger_load_key(Ledger& ledger, const Name& name, const uint8_t* modulus) {
    Mail& mail = ledger.mail;
    if (!pool_has_room(mail.keys)) return Status::full;
    const uint32_t person = ledger_find_person(ledger, name);
    if (person == row_none) return Status::damaged;
    if (ledger.people[person].installed.state == PersonState::removed) return Status::damaged;
    const uint32_t count = mail.keys_saved_count;
    if (count > 0 && person <= mail.keys_saved[count - 1].person) return Status::damaged;
    MailKey key = {};
    key.person = person;
    key.decided = key.installed = true;
    memcpy(key.modulus, modulus, mail_modulus_size);
    mail_put_key(mail, key);
    mail.keys_saved[mail.keys_saved_count++] = key;
    return Status::ok;
}

Status ledger_load_message(Ledger& ledger, const MailSlot& message) {
    Mail& mail = ledger.mail;
    if (!pool_has_room(mail.messages)) return Status::full;
    // By number, and no number that was never given (P10).
    const uint32_t count = mail.saved_count;
    if (message.number == 0 || message.number > ledger.reversals.head) return Status::damaged;
    if (count > 0 && message.number <= mail.saved[count - 1].number) return Status::damaged;
    if (mail_find_key(mail, message.to) == pool_none) return Status::damaged;  // W3
    if (mail_count(mail, message.to, MailView::installed) >= mailbox_max) return Status::damaged;
    mail_put(mail, message);
    mail.saved[mail.saved_count++] = message;
    return Status::ok;
}

Status ledger_load_hold(Ledger& ledger, const Hold& hold) {
    if (!holds_has_room(ledger.holds)) return Status::full;
    if (hold.number == 0 || holds_find(ledger.holds, hold.number) != pool_none) {
        return Status::damaged;
    }
    // By number, and no number that was never given (P10).
    const uint32_t count = ledger.holds.saved_count;
    if (hold.number > ledger.holds.given_installed) return Status::damaged;
    if (count > 0 && hold.number <= ledger.holds.saved[count - 1].number) return Status::damaged;
    holds_open(ledger.holds, hold);
    ledger.holds.saved[ledger.holds.saved_count++] = hold;
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
        const uint64_t hash = rows_hash_of_name(ledger, ledger.people[row].name);
        table_remove(ledger.people_by_name, hash, row);
    }
    for (uint32_t row = ledger.accounts_installed; row < ledger.accounts_decided; row++) {
        const uint64_t hash = rows_hash_of_name(ledger, ledger.accounts[row].name);
        table_remove(ledger.accounts_by_name, hash, row);
    }
    for (uint32_t row = ledger.terminals_installed; row < ledger.terminals_decided; row++) {
        const uint64_t hash = rows_hash_of_name(ledger, ledger.terminals[row]);
        table_remove(ledger.terminals_by_name, hash, row);
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
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        ledger.asked[row].decided = ledger.asked[row].installed;
    }
    for (uint32_t row = 0; row < ledger.terminals_installed; row++) {
        ledger.days[row].decided = ledger.days[row].installed;
    }
    rows_drop_orders(ledger);
    holds_drop(ledger.holds);
    reversals_drop(ledger.reversals);
    mail_drop(ledger.mail);
    ids_drop_after(ledger.ids, ledger.seq_installed);
}

bool entry_is_about_credit(const Entry& entry) {
    CHECK(entry.kind == EntryKind::movement);
    const MovementEntry& movement = entry.movement;
    // A reversal is about the member who gets the money back, or who has to give it back.
    const bool gives_back = movement.operation == Operation::reverse &&
                            entry.status == Status::ok && movement.credit != account_cash;
    // What a cancelled order cost came back to who paid; refused, it is about the shop.
    const bool refunds = movement.operation == Operation::cancel_order &&
                         entry.status == Status::ok;
    return movement.operation == Operation::deposit || movement.operation == Operation::capture ||
           movement.operation == Operation::cancel || gives_back || refunds;
}

namespace {

IdRecord id_record_of_message(const Entry& entry) {
    const MessageEntry& message = entry.message;
    IdRecord record = {};
    record.seq = entry.seq;
    record.time_ms = entry.time_ms;
    record.person = entry.person;
    record.debit = row_none;
    record.credit = message.to;
    memcpy(record.memo_hash, message.hash.bytes, sizeof record.memo_hash);
    record.operation = Operation::message;
    record.status = entry.status;
    record.id = message.id;
    record.missing = message.missing;
    return record;
}

}  // namespace

IdRecord id_record_of(const Entry& entry) {
    if (entry.kind == EntryKind::message) return id_record_of_message(entry);
    CHECK(entry.kind == EntryKind::movement);
    const MovementEntry& movement = entry.movement;
    IdRecord record = {};
    record.seq = entry.seq;
    record.time_ms = entry.time_ms;
    record.amount = movement.amount;
    record.balance = entry_is_about_credit(entry) ? movement.credit_after : movement.debit_after;
    record.person = entry.person;
    record.debit = movement.debit;
    record.credit = movement.credit;
    if (operation_is_of_order(movement.operation)) {
        const OrderPart& order = movement.order;
        record.asked = {order.price_asked, order.number};
        record.reason = order.reason;
        record.item = order.item;
        record.quantity = order.quantity;
        const bool is_made = movement.operation == Operation::order && entry.status == Status::ok;
        record.order = is_made ? entry.seq : order.order;
    } else {
        rows_hash_memo(movement.memo, record.memo_hash);
    }
    record.operation = movement.operation;
    record.status = entry.status;
    record.id = movement.id;
    record.missing = movement.missing;
    record.hold = movement.hold;
    record.expires_s = movement.expires_s;
    record.whole = movement.whole;
    record.beyond_day = movement.beyond_day;
    record.reversed = movement.reversed;
    record.group_place = movement.group_place;
    record.group_size = movement.group_size;
    return record;
}

int64_t ledger_sum(const Ledger& ledger) {
    uint64_t sum = 0;  // Wraps around, so that tables read from a disk cannot overflow it.
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        sum += static_cast<uint64_t>(ledger.accounts[row].installed.balance);
    }
    return static_cast<int64_t>(sum);
}
