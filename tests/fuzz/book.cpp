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

// Takes from the item or the order what the movement must say of it.
void fit_order(const Ledger& ledger, MovementEntry& movement) {
    OrderPart& part = movement.order;
    const Orders& orders = ledger.orders;
    if (movement.operation == Operation::order) {
        const uint32_t closed = orders_oldest_closed(orders);
        if (part.item >= ledger.items_installed || part.quantity == 0) return;
        const int64_t price = ledger.items[part.item].installed.price;
        if (part.price_asked != 0) part.price_asked = price;
        part.price = price;
        if (price <= amount_minor_max / part.quantity) movement.amount = price * part.quantity;
        movement.credit = account_shop;
        const bool is_full = orders.count_decided >= orders.limit && closed != pool_none;
        if (is_full) part.evicted = orders.pool.slots[closed].number;
        return;
    }
    const uint32_t slot = orders_find(orders, part.order);
    if (slot == pool_none) return;
    const Order& order = orders.pool.slots[slot];
    part.item = order.item;
    part.quantity = order.quantity;
    part.price = order.price;
    const bool gives_back = movement.operation == Operation::cancel_order;
    movement.amount = gives_back ? order.price * order.quantity : 0;
    movement.debit = gives_back ? account_shop : row_none;
    movement.credit = gives_back ? order.account : row_none;
}

// What is deleted keeps what it was; what is there keeps its name.
void fit_item(const Ledger& ledger, ItemEntry& entry) {
    if (entry.item >= ledger.items_installed) {
        entry.item = ledger.items_installed;
        return;
    }
    const Item& item = ledger.items[entry.item];
    entry.name = item.name;
    if (entry.operation != ItemOperation::del) return;
    entry.price = item.installed.price;
    entry.stock = item.installed.stock;
    entry.counted = item.installed.counted;
    entry.title = item.installed.title;
}

// Goes on with the group that the ledger is in, or begins one (M5).
void fit_group(const Ledger& ledger, Entry& entry) {
    MovementEntry& movement = entry.movement;
    if (movement.group_size == 0) return;
    movement.group_place = static_cast<uint8_t>(ledger.group.place + 1);
    if (ledger.group.size == 0) return;
    movement.group_size = ledger.group.size;
    entry.person = ledger.group.person;
}

// What the terminal's day comes to.
void fit_day(const Ledger& ledger, Entry& entry) {
    MovementEntry& movement = entry.movement;
    if (movement.day == 0 || entry.terminal >= ledger.terminals_installed) return;
    TerminalDay day = days_on(ledger.days[entry.terminal].installed, movement.day);
    if (entry.status == Status::ok) day.total = days_add(day.total, movement.amount);
    movement.day = day.day;
    movement.day_total = day.total;
    const bool kept = entry.status != Status::ok || movement.day_max >= day.total;
    if (!kept) movement.day_max = 0;
}

void fit_movement(const Ledger& ledger, Entry& entry) {
    MovementEntry& movement = entry.movement;
    if (entry.status == Status::ok) fit_hold(ledger, movement);
    const bool of_order = operation_is_of_order(movement.operation);
    if (of_order && entry.status == Status::ok) fit_order(ledger, movement);
    fit_day(ledger, entry);
    fit_group(ledger, entry);
    const bool has_asker = entry.person < ledger.people_installed &&
                           movement.operation != Operation::release;
    movement.asker_previous = has_asker ? ledger.asked[entry.person].installed.last : 0;
    const bool has_debit = movement.debit < ledger.accounts_installed;
    const bool has_credit = movement.credit < ledger.accounts_installed;
    const bool booked = entry.status == Status::ok && has_debit && has_credit;
    const bool moves = booked && operation_moves_money(movement.operation);
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

// What happens to a person who is there keeps what the operation is not about.
void fit_person(const Ledger& ledger, Entry& entry) {
    PersonEntry& person = entry.row_person;
    if (person.operation == PersonOperation::added) {
        person.person = ledger.people_installed;
        person.account = ledger.accounts_installed;
        if (person.day == 0 || entry.terminal >= ledger.terminals_installed) return;
        const TerminalDay now = days_on(ledger.days[entry.terminal].installed, person.day);
        person.day = now.day;
        person.registered = now.registered + 1;
        if (person.registered_max < person.registered) person.registered_max = person.registered;
        return;
    }
    if (person.person >= ledger.people_installed) return;
    const Person& row = ledger.people[person.person];
    person.name = row.name;
    person.account = row.account;
    if (person.operation != PersonOperation::role) person.role = row.installed.role;
    const bool sets_state = person.operation == PersonOperation::lock ||
                            person.operation == PersonOperation::unlock ||
                            person.operation == PersonOperation::remove;
    const bool was_removed = row.installed.state == PersonState::removed;
    if (!sets_state && !was_removed) person.state = row.installed.state;
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

// Who asked for a message that comes in parts asked for all of them. What one part says of itself
// alone follows from its bytes; a hash over several is left as it is.
void fit_message(const Ledger& ledger, Entry& entry) {
    MessageEntry& message = entry.message;
    const MailArriving& arriving = ledger.mail.arriving;
    if (message.place > 1) {
        if (arriving.parts == 0 || message.place != message.parts) return;
        entry.person = arriving.person;
        entry.terminal = arriving.terminal;
        return;
    }
    const bool has_asker = entry.person < ledger.people_installed;
    message.asker_previous = has_asker ? ledger.asked[entry.person].installed.last : 0;
    if (message.parts != 1) return;
    message.size = message.bytes.size;
    message.hash = hash_of(message.bytes);
}

// W3 to W6, as installed.
void check_mail(const Ledger& ledger) {
    const Mail& mail = ledger.mail;
    uint32_t counts[fuzz_limits.accounts] = {};
    for (uint32_t slot = 0; slot < mail.messages.count; slot++) {
        if (!pool_is_taken(mail.messages, slot)) continue;
        const MailSlot& message = mail.messages.slots[slot];
        CHECK(message.installed && message.decided && !message.in_flight);
        CHECK(message.number > 0 && message.number <= ledger.seq_installed);
        CHECK(message.from < ledger.people_installed && message.to < ledger.people_installed);
        CHECK(mail_find(mail, message.number) == slot);
        CHECK(mail_find_key(mail, message.to) != pool_none);
        counts[message.to]++;
    }
    for (uint32_t slot = 0; slot < mail.keys.count; slot++) {
        if (!pool_is_taken(mail.keys, slot)) continue;
        const MailKey& key = mail.keys.slots[slot];
        CHECK(key.installed && key.decided && !key.in_flight);
        CHECK(mail_find_key(mail, key.person) == slot);
        CHECK(ledger.people[key.person].installed.state != PersonState::removed);
    }
    for (uint32_t person = 0; person < ledger.people_installed; person++) {
        uint32_t slots[mailbox_max];
        CHECK(mail_count(mail, person, MailView::installed) == counts[person]);
        CHECK(mail_list(mail, person, slots) == counts[person]);
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

// B3, M8, and that the list of orders is one: in the order of numbers, as many as there are.
void check_orders(const Ledger& ledger) {
    const Orders& orders = ledger.orders;
    uint32_t count = 0;
    uint64_t newest = 0;
    for (uint32_t slot = orders.oldest; slot != pool_none; slot = orders.pool.slots[slot].newer) {
        const Order& order = orders.pool.slots[slot];
        CHECK(pool_is_taken(orders.pool, slot) && order.number > newest);
        CHECK(order.number <= ledger.seq_installed && order.item < ledger.items_installed);
        CHECK(order.decided == order.installed && order.installed != OrderState::none);
        CHECK(order.price > 0 && order.quantity > 0);
        CHECK(order.price <= amount_minor_max / order.quantity);
        CHECK(orders_find(orders, order.number) == slot);
        newest = order.number;
        count++;
    }
    CHECK(count == orders.pool.taken && count == orders.count_decided && count <= orders.limit);
    for (uint32_t row = 0; row < ledger.items_installed; row++) {
        const Item& item = ledger.items[row];
        CHECK(item.installed.price > 0 && item.installed.stock <= stock_max);
        CHECK(item.installed.counted || item.installed.stock == 0);
        CHECK(item_values_equal(item.installed, item.decided));
        CHECK(ledger_find_item(ledger, item.name) == row);
    }
}

// M2 for both sides of a movement: the one that gave or reserved, and the one that received.
void check_movement(Operation operation, const AccountValues& debit, const AccountValues& credit) {
    if (!operation_ends_hold(operation)) CHECK(debit.floor <= debit.balance - debit.held);
    if (operation_moves_money(operation)) CHECK(credit.balance <= credit.ceiling);
}

bool is_reversed(const Reversals& reversals, uint64_t seq) {
    return (reversals.bits[seq % reversals.capacity / 64] >> seq % 64 & 1) != 0;
}

// Y1: bits stand for installed entries alone, and the newest entry is not reversed yet.
void check_reversals(const Ledger& ledger, const Entry& entry) {
    const Reversals& reversals = ledger.reversals;
    CHECK(reversals.head == ledger.seq_installed && reversals.pending_count == 0);
    CHECK(reversals.window > 0 && reversals.window <= reversals.window_max);
    CHECK(reversals.floor > 0 && reversals.floor <= reversals.head + 1);
    CHECK(!is_reversed(reversals, entry.seq));
    for (uint64_t seq = reversals.head + 1; seq < reversals.capacity; seq++) {
        CHECK(!is_reversed(reversals, seq));
    }
    const bool reverses = entry.kind == EntryKind::movement && entry.status == Status::ok &&
                          entry.movement.operation == Operation::reverse;
    if (!reverses) return;
    CHECK(entry.movement.reversed > 0 && entry.movement.reversed < entry.seq);
    if (entry.seq - entry.movement.reversed < reversals.capacity) {
        CHECK(is_reversed(reversals, entry.movement.reversed));
    }
}

// M7's last part, and that a terminal's day is what its newest entry says of it.
void check_people_and_days(const Ledger& ledger, const Entry& entry) {
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        const Person& person = ledger.people[row];
        const AccountValues& account = ledger.accounts[person.account].installed;
        CHECK((person.installed.pin == PinState::none) == (person.texts.pin.size == 0));
        const bool is_first = person.installed.term == PasswordTerm::first;
        CHECK(!is_first || person.texts.password.size > 0);
        if (person.installed.state != PersonState::removed) continue;
        CHECK(account.state == AccountState::closed && account.balance == 0 && account.held == 0);
        CHECK(person.texts.password.size == 0 && person.texts.title.size == 0);
    }
    for (uint32_t row = 0; row < ledger.terminals_installed; row++) {
        const TerminalDay& day = ledger.days[row].installed;
        CHECK(day.total >= 0 && day.total <= balance_minor_max);
        CHECK(day.day != 0 || (day.total == 0 && day.registered == 0));
    }
    if (entry.kind != EntryKind::movement || entry.movement.day == 0) return;
    const TerminalDay& day = ledger.days[entry.terminal].installed;
    CHECK(day.day == entry.movement.day && day.total == entry.movement.day_total);
    CHECK(days_is_past(day.day, entry.time_ms));
}

// M5 as far as it has come: the entry is the newest of a group that goes on, or there is none.
void check_group(const Ledger& ledger, const Entry& entry) {
    const GroupInstall& group = ledger.group;
    const bool in_group = entry.kind == EntryKind::movement && entry.movement.group_size > 0;
    const bool goes_on = in_group && entry.movement.group_place < entry.movement.group_size;
    CHECK((group.size > 0) == goes_on);
    if (!goes_on) return;
    CHECK(group.size == entry.movement.group_size && group.place == entry.movement.group_place);
    CHECK(group.person == entry.person && group.booked == (entry.status == Status::ok));
    CHECK(group.culprits == 0 || !group.booked);
}

// P3, Q2: a request is found by its id, and its asker's newest print is the id's.
void check_asked(const Ledger& ledger, const Entry& entry) {
    if (!entry_is_request(entry)) return;
    const Id& request = entry_request_id(entry);
    const Slice id = slice_of_chars(request.text, request.size);
    const IdRecord* record = ids_find(ledger.ids, entry.person, id);
    CHECK(record != nullptr && record->seq == entry.seq);
    if (entry.person == row_none) return;
    const AskedRow& row = ledger.asked[entry.person];
    const Asked& asked = row.installed;
    CHECK(asked.count > 0 && asked.last > entry_asker_previous(entry));
    CHECK(asked.prints[(asked.count - 1) % asked_max] == ids_print(ledger.ids, entry.person, id));
    CHECK(asked_steps(asked, ids_print(ledger.ids, entry.person, id), 0) > 0);
    CHECK(row.decided.count == asked.count && row.decided.last == asked.last);
}

void check_same_asked(const Asked& a, const Asked& b) {
    CHECK(a.last == b.last);
    CHECK(a.count == b.count);
    CHECK(a.turned_ms == b.turned_ms);
    for (uint32_t i = 0; i < asked_max && i < a.count; i++) CHECK(a.prints[i] == b.prints[i]);
}

void check_same_reversals(const Reversals& a, const Reversals& b) {
    CHECK(a.head == b.head && a.window == b.window);
    const uint64_t from = reversals_from(a, a.head);
    CHECK(from == reversals_from(b, b.head));
    for (uint64_t seq = from; seq <= a.head; seq++) {
        CHECK(reversals_is_set(a, seq) == reversals_is_set(b, seq));
    }
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

void check_same_record(const PasswordRecord& a, const PasswordRecord& b) {
    CHECK(slice_equal(slice_of_chars(a.text, a.size), slice_of_chars(b.text, b.size)));
}

void check_same_person(const Person& a, const Person& b) {
    CHECK(a.account == b.account);
    CHECK(a.installed.role == b.installed.role);
    CHECK(a.installed.state == b.installed.state);
    CHECK(a.installed.pin == b.installed.pin);
    CHECK(a.installed.term == b.installed.term);
    check_same_record(a.texts.password, b.texts.password);
    check_same_record(a.texts.pin, b.texts.pin);
    CHECK(slice_equal(slice_of_chars(a.texts.title.text, a.texts.title.size),
                      slice_of_chars(b.texts.title.text, b.texts.title.size)));
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
        case EntryKind::person: fit_person(ledger, entry); break;
        case EntryKind::account: fit_account(ledger, entry.account); break;
        case EntryKind::terminal: entry.row_terminal.terminal = ledger.terminals_installed; break;
        case EntryKind::item: fit_item(ledger, entry.item); break;
        case EntryKind::message: fit_message(ledger, entry); break;
        case EntryKind::genesis:
        case EntryKind::limits:
        case EntryKind::key:
        case EntryKind::forget: break;
    }
}

void fuzz_check_entry(const Ledger& ledger, const Entry& entry) {
    CHECK(ledger_sum(ledger) == 0);  // M1
    CHECK(ledger.currency[0] != 0);
    check_own_account(ledger, account_cash, "cash");
    check_own_account(ledger, account_shop, "shop");
    check_holds(ledger);
    check_orders(ledger);
    check_reversals(ledger, entry);
    check_group(ledger, entry);
    check_asked(ledger, entry);
    check_people_and_days(ledger, entry);
    check_mail(ledger);
    if (entry.kind != EntryKind::movement || entry.status != Status::ok) return;
    if (entry.movement.operation == Operation::order_done) return;  // Of no account.
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
        check_same_asked(ledger.asked[row].installed, other.asked[row].installed);
    }
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        CHECK(ledger.accounts[row].owner == other.accounts[row].owner);
        check_same_account(ledger.accounts[row].installed, other.accounts[row].installed);
    }
    for (uint32_t row = 0; row < ledger.terminals_installed; row++) {
        const TerminalDay& a = ledger.days[row].installed;
        const TerminalDay& b = other.days[row].installed;
        CHECK(a.day == b.day && a.total == b.total && a.registered == b.registered);
    }
    check_same_reversals(ledger.reversals, other.reversals);
}
