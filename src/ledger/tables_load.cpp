// Reading rows: columns separated by ':'.

#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "ledger/tables_parts.h"

namespace {

Status take_column(Reader& line, Slice& out) {
    return cut_word(line, ':', out) == Status::ok ? Status::ok : Status::damaged;
}

Status take_choice(Reader& line, const char* const* choices, uint32_t count, uint8_t& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    for (uint32_t i = 0; i < count; i++) {
        if (!slice_equal_text(word, choices[i])) continue;
        out = static_cast<uint8_t>(i);
        return Status::ok;
    }
    return Status::damaged;
}

Status take_name_or_none(Reader& line, Name& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    out = {};
    if (slice_equal_text(word, "-")) return Status::ok;
    return parse_name(word, out) == Status::ok ? Status::ok : Status::damaged;
}

Status take_minor(Reader& line, uint32_t scale, int64_t& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    return parse_minor(word, scale, out) == Status::ok ? Status::ok : Status::damaged;
}

Status take_bound(Reader& line, uint32_t scale, int64_t none, int64_t& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (slice_equal_text(word, "-")) {
        out = none;
        return Status::ok;
    }
    return parse_minor(word, scale, out) == Status::ok ? Status::ok : Status::damaged;
}

Status take_decimal(Reader& line, uint64_t& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    return parse_decimal(word, out) == Status::ok ? Status::ok : Status::damaged;
}

// Two numbers in one column, and what stands between them.
Status take_two(Reader& line, char between, uint64_t& first, uint64_t& second) {
    Slice word;
    Slice part;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    Reader reader = reader_of(word);
    if (cut_word(reader, between, part) != Status::ok) return Status::damaged;
    if (parse_decimal(part, first) != Status::ok) return Status::damaged;
    if (cut_word(reader, between, part) != Status::ok) return Status::damaged;
    return parse_decimal(part, second) == Status::ok ? Status::ok : Status::damaged;
}

Status take_position(Reader& line, Position& out) {
    uint64_t segment = 0;
    uint64_t offset = 0;
    if (take_two(line, '.', segment, offset) != Status::ok) return Status::damaged;
    if (segment > UINT32_MAX || offset > UINT32_MAX) return Status::damaged;
    out = position_of(static_cast<uint32_t>(segment), static_cast<uint32_t>(offset));
    return Status::ok;
}

Status take_last_column(const Reader& line) {
    return line.short_read ? Status::ok : Status::damaged;
}

// An escaped text in a column of its own.
Status take_record(Reader& line, PasswordRecord& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    Writer record = writer_of(reinterpret_cast<uint8_t*>(out.text), phc_size_max);
    if (text_unescape(word, record) != Status::ok) return Status::damaged;
    out.size = static_cast<uint8_t>(record.size);
    return Status::ok;
}

void note_version(Ledger& ledger, uint32_t since) {
    if (since > ledger.version_loaded) ledger.version_loaded = since;
}

Status load_person(Ledger& ledger, Reader& line) {
    Name name;
    Slice role_text;
    PasswordRecord password = {};
    Slice state;
    PersonValues values = {};
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_column(line, role_text) != Status::ok) return Status::damaged;
    if (parse_role(role_text, values.role) != Status::ok) return Status::damaged;
    if (take_column(line, state) != Status::ok) return Status::damaged;
    if (parse_person_state(state, values.state, values.term) != Status::ok) return Status::damaged;
    if (take_record(line, password) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    if (values.state == PersonState::removed && password.size > 0) return Status::damaged;
    if (values.term == PasswordTerm::first && password.size == 0) return Status::damaged;
    note_version(ledger, tables_since_term(values.term));
    values.version = 1;
    values.changes = 1;
    return ledger_load_person(ledger, name, values, password);
}

Status load_texts(Ledger& ledger, Reader& line, uint64_t& row) {
    constexpr const char* pins[] = {"none", "set", "locked"};
    Name name;
    Slice word;
    uint8_t pin = 0;
    uint8_t text[title_size_max];
    Writer bytes = writer_of(text, sizeof text);
    Title title = {};
    PasswordRecord record = {};
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (text_unescape(word, bytes) != Status::ok) return Status::damaged;
    if (parse_title(writer_slice(bytes), title) != Status::ok) return Status::damaged;
    if (take_choice(line, pins, 3, pin) != Status::ok) return Status::damaged;
    if (take_record(line, record) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    row = ledger_find_person(ledger, name);
    return ledger_load_texts(ledger, name, static_cast<PinState>(pin), record, title);
}

Status load_day(Ledger& ledger, Reader& line, uint64_t& row) {
    Name name;
    uint64_t number = 0;
    uint64_t registered = 0;
    TerminalDay day = {};
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_decimal(line, number) != Status::ok || number > UINT32_MAX) return Status::damaged;
    if (take_minor(line, ledger.scale, day.total) != Status::ok) return Status::damaged;
    if (take_decimal(line, registered) != Status::ok) return Status::damaged;
    if (registered > UINT32_MAX) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    day.day = static_cast<uint32_t>(number);
    day.registered = static_cast<uint32_t>(registered);
    row = ledger_find_terminal(ledger, name);
    return ledger_load_day(ledger, name, day);
}

Status load_account(Ledger& ledger, Reader& line) {
    constexpr const char* states[] = {"open", "closed"};
    Name name;
    Name owner;
    uint8_t state = 0;
    AccountValues values = {};
    const uint32_t scale = ledger.scale;
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_minor(line, scale, values.balance) != Status::ok) return Status::damaged;
    if (take_minor(line, scale, values.held) != Status::ok) return Status::damaged;
    if (take_bound(line, scale, -balance_minor_max, values.floor) != Status::ok) {
        return Status::damaged;
    }
    if (take_bound(line, scale, balance_minor_max, values.ceiling) != Status::ok) {
        return Status::damaged;
    }
    if (take_name_or_none(line, owner) != Status::ok) return Status::damaged;
    if (take_choice(line, states, 2, state) != Status::ok) return Status::damaged;
    if (take_position(line, values.last) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    if (values.held < 0 || values.floor > values.ceiling) return Status::damaged;
    values.state = static_cast<AccountState>(state);
    return ledger_load_account(ledger, name, owner, values);
}

Status load_terminal(Ledger& ledger, Slice text) {
    Name name;
    if (parse_name(text, name) != Status::ok) return Status::damaged;
    return ledger_load_terminal(ledger, name);
}

// T2 from the other side: a row that was understood must also be the text that it is written as.
bool is_as_written(const Ledger& ledger, TableName table, uint64_t row, Slice text) {
    uint8_t bytes[table_line_size_max];
    Writer out = writer_of(bytes, sizeof bytes);
    tables_put_row(ledger, table, row, out);
    if (out.overflow || out.size == 0) return false;
    return slice_equal(slice_part(writer_slice(out), 0, out.size - 1), text);
}

// A name column that must be a row's, or "-".
Status take_account(const Ledger& ledger, Reader& line, uint32_t& out) {
    Name name;
    if (take_name_or_none(line, name) != Status::ok) return Status::damaged;
    out = name.size == 0 ? row_none : ledger_find_account(ledger, name);
    return name.size > 0 && out == row_none ? Status::damaged : Status::ok;
}

Status take_outcome(Reader& line, Status& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    for (uint32_t i = 0; i < status_count; i++) {
        const Status status = static_cast<Status>(i);
        const bool is_ok = status == Status::ok;
        if (!is_ok && !status_is_remembered(status)) continue;
        if (!slice_equal_text(word, is_ok ? "OK" : status_word(status))) continue;
        out = status;
        return Status::ok;
    }
    return Status::damaged;
}

// PLACE/SIZE of a group, 0/0 for a request that was alone.
Status take_group(Reader& line, IdRecord& record) {
    uint64_t place = 0;
    uint64_t size = 0;
    if (take_two(line, '/', place, size) != Status::ok) return Status::damaged;
    if (size > group_moves_max || place > size) return Status::damaged;
    if ((place == 0) != (size == 0)) return Status::damaged;
    if (record.status == Status::execabort && size == 0) return Status::damaged;
    record.group_place = static_cast<uint8_t>(place);
    record.group_size = static_cast<uint8_t>(size);
    return Status::ok;
}

Status take_operation(Reader& line, Operation& out) {
    Slice word;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (slice_equal_text(word, operation_name(Operation::message))) {
        out = Operation::message;
        return Status::ok;
    }
    return parse_operation(word, out) == Status::ok ? Status::ok : Status::damaged;
}

// What an id can have been used for; the rest is as in an entry.
bool message_id_fits(const IdRecord& record) {
    const bool is_missing = record.status == Status::noacct;
    if (record.debit != row_none || is_missing != (record.credit == row_none)) return false;
    if (is_missing != (record.missing.size > 0)) return false;
    return record.amount == 0 && record.balance == 0 && record.hold == 0 &&
           record.expires_s == 0 && !record.whole && record.group_size == 0;
}

Status load_id(Ledger& ledger, Reader& line) {
    IdRecord record = {};
    Name person;
    Slice word;
    uint64_t expires_s = 0;
    if (take_decimal(line, record.seq) != Status::ok) return Status::damaged;
    if (take_decimal(line, record.time_ms) != Status::ok) return Status::damaged;
    if (take_name_or_none(line, person) != Status::ok) return Status::damaged;
    if (take_operation(line, record.operation) != Status::ok) return Status::damaged;
    if (take_outcome(line, record.status) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok || word.size == 0) return Status::damaged;
    Writer id = writer_of(reinterpret_cast<uint8_t*>(record.id.text), id_size_max);
    if (text_unescape(word, id) != Status::ok) return Status::damaged;
    record.id.size = static_cast<uint8_t>(id.size);
    if (take_account(ledger, line, record.debit) != Status::ok) return Status::damaged;
    if (take_account(ledger, line, record.credit) != Status::ok) return Status::damaged;
    if (take_name_or_none(line, record.missing) != Status::ok) return Status::damaged;
    if (take_minor(line, ledger.scale, record.amount) != Status::ok) return Status::damaged;
    if (record.amount < 0 || record.amount > amount_minor_max) return Status::damaged;
    if (take_minor(line, ledger.scale, record.balance) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (parse_hex(word, record.memo_hash, sizeof record.memo_hash) != Status::ok) {
        return Status::damaged;
    }
    if (take_decimal(line, record.hold) != Status::ok) return Status::damaged;
    if (take_decimal(line, expires_s) != Status::ok) return Status::damaged;
    if (expires_s > hold_expires_s_max) return Status::damaged;
    record.expires_s = static_cast<uint32_t>(expires_s);
    if (take_column(line, word) != Status::ok) return Status::damaged;
    const bool whole_day = slice_equal_text(word, "whole/day");
    record.whole = slice_equal_text(word, "whole") || whole_day;
    record.beyond_day = slice_equal_text(word, "day") || whole_day;
    if (record.beyond_day && record.status != Status::limit) return Status::damaged;
    if (take_decimal(line, record.reversed) != Status::ok) return Status::damaged;
    if ((record.reversed != 0) != (record.operation == Operation::reverse)) return Status::damaged;
    if (take_group(line, record) != Status::ok) return Status::damaged;
    const bool of_order = operation_is_of_order(record.operation);
    if (of_order && (record.hold != 0 || record.expires_s != 0 || record.whole)) {
        return Status::damaged;
    }
    const bool is_message = record.operation == Operation::message;
    if (is_message && !message_id_fits(record)) return Status::damaged;
    // Only who asked for the whole of what is not there named no amount, or for an order.
    const bool may_be_none =
        is_message || ((record.whole || of_order) && record.status != Status::ok);
    const bool is_none = record.amount == 0;
    if (record.operation == Operation::order_done ? !is_none : is_none && !may_be_none) {
        return Status::damaged;
    }
    if (take_last_column(line) != Status::ok) return Status::damaged;
    record.person = person.size == 0 ? row_none : ledger_find_person(ledger, person);
    if (person.size > 0 && record.person == row_none) return Status::damaged;
    note_version(ledger, tables_since_operation(record.operation));
    return ledger_load_id(ledger, record);
}

Status load_asked(Ledger& ledger, Reader& line) {
    Name name;
    Slice word;
    Asked asked = {};
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_decimal(line, asked.count) != Status::ok) return Status::damaged;
    if (take_position(line, asked.last) != Status::ok) return Status::damaged;
    if (take_decimal(line, asked.turned_ms) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    const uint32_t known = asked.count < asked_max ? static_cast<uint32_t>(asked.count) : asked_max;
    if (word.size != known * 4) return Status::damaged;
    for (uint32_t i = 0; i < known; i++) {
        uint8_t bytes[2];
        if (parse_hex(slice_part(word, i * 4, 4), bytes, sizeof bytes) != Status::ok) {
            return Status::damaged;
        }
        asked.prints[i] = static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
    }
    return ledger_load_asked(ledger, name, asked);
}

Status load_reversed(Ledger& ledger, Slice text, uint64_t& seq) {
    if (parse_decimal(text, seq) != Status::ok) return Status::damaged;
    return ledger_load_reversed(ledger, seq);
}

Status load_hold(Ledger& ledger, Reader& line) {
    Hold hold = {};
    if (take_decimal(line, hold.number) != Status::ok) return Status::damaged;
    if (take_account(ledger, line, hold.debit) != Status::ok) return Status::damaged;
    if (take_account(ledger, line, hold.credit) != Status::ok) return Status::damaged;
    if (take_minor(line, ledger.scale, hold.amount) != Status::ok) return Status::damaged;
    if (take_decimal(line, hold.expiry_ms) != Status::ok) return Status::damaged;
    if (take_decimal(line, hold.entry) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    if (hold.debit == row_none || hold.credit == row_none) return Status::damaged;
    if (hold.amount <= 0 || hold.amount > amount_minor_max) return Status::damaged;
    hold.decided = true;
    hold.installed = true;
    return ledger_load_hold(ledger, hold);
}

// The number of free pieces, or "-" where nobody counts them.
Status take_stock(Reader& line, ItemValues& out) {
    Slice word;
    uint64_t stock = 0;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    out.counted = !slice_equal_text(word, "-");
    if (out.counted && parse_decimal(word, stock) != Status::ok) return Status::damaged;
    if (stock > stock_max) return Status::damaged;
    out.stock = static_cast<uint32_t>(stock);
    return Status::ok;
}

Status take_title(Reader& line, Title& out) {
    Slice word;
    uint8_t text[title_size_max];
    Writer bytes = writer_of(text, sizeof text);
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (text_unescape(word, bytes) != Status::ok) return Status::damaged;
    return parse_title(writer_slice(bytes), out) == Status::ok ? Status::ok : Status::damaged;
}

// A column with the name of an item, or "-".
Status take_item(const Ledger& ledger, Reader& line, uint32_t& out) {
    Name name;
    if (take_name_or_none(line, name) != Status::ok) return Status::damaged;
    out = name.size == 0 ? row_none : ledger_find_item(ledger, name);
    return name.size > 0 && out == row_none ? Status::damaged : Status::ok;
}

Status take_quantity(Reader& line, uint32_t& out) {
    uint64_t quantity = 0;
    if (take_decimal(line, quantity) != Status::ok) return Status::damaged;
    if (quantity > quantity_max) return Status::damaged;
    out = static_cast<uint32_t>(quantity);
    return Status::ok;
}

Status load_item(Ledger& ledger, Reader& line) {
    constexpr const char* states[] = {"deleted", "listed"};
    Name name;
    ItemValues values = {};
    uint8_t state = 0;
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_title(line, values.title) != Status::ok) return Status::damaged;
    if (take_minor(line, ledger.scale, values.price) != Status::ok) return Status::damaged;
    if (take_stock(line, values) != Status::ok) return Status::damaged;
    if (take_choice(line, states, 2, state) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    values.listed = state == 1;
    return ledger_load_item(ledger, name, values);
}

Status load_order(Ledger& ledger, Reader& line) {
    Order order = {};
    Name person;
    Name terminal;
    Slice word;
    if (take_decimal(line, order.number) != Status::ok) return Status::damaged;
    if (take_item(ledger, line, order.item) != Status::ok) return Status::damaged;
    if (take_quantity(line, order.quantity) != Status::ok) return Status::damaged;
    if (take_minor(line, ledger.scale, order.price) != Status::ok) return Status::damaged;
    if (take_account(ledger, line, order.account) != Status::ok) return Status::damaged;
    if (take_name_or_none(line, person) != Status::ok) return Status::damaged;
    if (take_name_or_none(line, terminal) != Status::ok) return Status::damaged;
    if (take_decimal(line, order.time_ms) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (parse_order_state(word, order.installed) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    order.decided = order.installed;
    order.person = person.size == 0 ? row_none : ledger_find_person(ledger, person);
    order.terminal = terminal.size == 0 ? row_none : ledger_find_terminal(ledger, terminal);
    if (order.account == row_none || order.account == account_shop) return Status::damaged;
    if (person.size > 0 && order.person == row_none) return Status::damaged;
    if (terminal.size > 0 && order.terminal == row_none) return Status::damaged;
    return ledger_load_order(ledger, order);
}

// `row` is none for an id that the ring, having become smaller, no longer has.
Status load_ordered(Ledger& ledger, Reader& line, uint64_t& row) {
    uint64_t seq = 0;
    uint64_t number = 0;
    uint32_t reason = 0;
    Slice word;
    IdRecord rest = {};
    if (take_decimal(line, seq) != Status::ok) return Status::damaged;
    if (take_item(ledger, line, rest.item) != Status::ok) return Status::damaged;
    if (take_quantity(line, rest.quantity) != Status::ok) return Status::damaged;
    if (take_minor(line, ledger.scale, rest.asked.price) != Status::ok) return Status::damaged;
    if (rest.asked.price < 0 || rest.asked.price > amount_minor_max) return Status::damaged;
    if (take_decimal(line, rest.order) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    while (reason < order_reason_count &&
           !slice_equal_text(word, order_reason_name(static_cast<OrderReason>(reason)))) {
        reason++;
    }
    if (reason == order_reason_count) return Status::damaged;
    rest.reason = static_cast<OrderReason>(reason);
    if (take_decimal(line, number) != Status::ok || number > INT64_MAX) return Status::damaged;
    rest.asked.number = static_cast<int64_t>(number);
    if (take_last_column(line) != Status::ok) return Status::damaged;
    const Status status = ledger_load_ordered(ledger, seq, rest);
    row = status == Status::absent ? UINT64_MAX : ledger.ordered_loaded - 1;
    return status == Status::absent ? Status::ok : status;
}

// Every id that was used for an order has its row in `ordered`.
bool ordered_is_whole(const Ledger& ledger) {
    const Ids& ids = ledger.ids;
    uint64_t number = ids_first(ids);
    if (number < ledger.ordered_loaded) number = ledger.ordered_loaded;
    for (; number < ids.head; number++) {
        if (operation_is_of_order(ids_at(ids, number).operation)) return false;
    }
    return true;
}

Status load_key(Ledger& ledger, Reader& line) {
    Name name;
    Slice word;
    uint8_t modulus[mail_modulus_size];
    Writer bytes = writer_of(modulus, sizeof modulus);
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (parse_base64url(word, bytes) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    if (bytes.size != sizeof modulus) return Status::damaged;
    const bool has_all_bits = (modulus[0] & 0x80) != 0;
    const bool is_odd = (modulus[sizeof modulus - 1] & 1) != 0;
    if (!has_all_bits || !is_odd) return Status::damaged;
    return ledger_load_key(ledger, name, modulus);
}

Status take_person(const Ledger& ledger, Reader& line, uint32_t& out) {
    Name name;
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    out = ledger_find_person(ledger, name);
    return out == row_none ? Status::damaged : Status::ok;
}

Status load_message(Ledger& ledger, Reader& line) {
    MailSlot message = {};
    Slice word;
    uint64_t size = 0;
    if (take_decimal(line, message.number) != Status::ok) return Status::damaged;
    if (take_person(ledger, line, message.from) != Status::ok) return Status::damaged;
    if (take_person(ledger, line, message.to) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok || word.size == 0) return Status::damaged;
    Writer id = writer_of(reinterpret_cast<uint8_t*>(message.id.text), id_size_max);
    if (text_unescape(word, id) != Status::ok) return Status::damaged;
    message.id.size = static_cast<uint8_t>(id.size);
    if (take_decimal(line, message.time_ms) != Status::ok) return Status::damaged;
    if (take_decimal(line, size) != Status::ok) return Status::damaged;
    if (size == 0 || size > message_sealed_size_max) return Status::damaged;
    if (take_position(line, message.position) != Status::ok) return Status::damaged;
    if (message.position == 0) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    message.size = static_cast<uint32_t>(size);
    message.decided = true;
    message.installed = true;
    return ledger_load_message(ledger, message);
}

// T4: a version that no table of its own has made necessary was made so by a row.
bool version_is_needed(const Ledger& ledger, const Manifest& manifest) {
    uint32_t least = 1;
    for (uint32_t i = 0; i < table_count; i++) {
        const uint32_t since = table_since(static_cast<TableName>(i));
        if (manifest.tables[i].size > 0 && since > least) least = since;
    }
    if (ledger.version_loaded > least) least = ledger.version_loaded;
    return least == manifest.version;
}

// Every open hold is reserved on its payer's account, and nothing else is.
bool holds_match_accounts(Ledger& ledger) {
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        ledger.accounts[row].saved.held = 0;
    }
    for (uint32_t i = 0; i < ledger.holds.saved_count; i++) {
        const Hold& hold = ledger.holds.saved[i];
        AccountValues& saved = ledger.accounts[hold.debit].saved;
        if (saved.held > balance_minor_max - hold.amount) return false;
        saved.held += hold.amount;
    }
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        const Account& account = ledger.accounts[row];
        if (account.saved.held != account.installed.held) return false;
    }
    return true;
}

// Everybody of whom there is more to say has a row in `people`. L2: no day is still to come.
bool people_and_days_match(const Ledger& ledger, const Manifest& manifest) {
    uint32_t texts = 0;
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        if (tables_has_texts(ledger.people[row].installed, ledger.people[row].texts)) texts++;
    }
    if (texts != ledger.texts_loaded) return false;
    for (uint32_t row = 0; row < ledger.terminals_installed; row++) {
        const uint32_t day = ledger.days[row].installed.day;
        if (day != 0 && !days_is_past(day, manifest.mark.time_ms)) return false;
    }
    return true;
}

}  // namespace

void tables_begin(Ledger& ledger, const Manifest& manifest) {
    ledger_init(ledger, manifest.bank_id);
    memcpy(ledger.currency, manifest.currency, sizeof ledger.currency);
    ledger.scale = manifest.scale;
    ledger.limits_known = manifest.limits;
    ids_set_window(ledger.ids, manifest.limits.ids);
    ledger.ids.before = manifest.ids_forgotten;
    reversals_set_window(ledger.reversals, manifest.limits.reversible);
    ledger.reversals.floor = manifest.reversible_from;
    ledger.reversals.head = manifest.mark.entry;
    ledger.holds.given_decided = manifest.holds_given;
    ledger.holds.given_installed = manifest.holds_given;
}

Status tables_load(Ledger& ledger, TableName table, Slice text) {
    Reader line = reader_of(text);
    Status status = Status::damaged;
    uint64_t row = 0;
    switch (table) {
        case TableName::passwd:
            row = ledger.people_installed;
            status = load_person(ledger, line);
            break;
        case TableName::balance:
            row = ledger.accounts_installed;
            status = load_account(ledger, line);
            break;
        case TableName::terminals:
            row = ledger.terminals_installed;
            status = load_terminal(ledger, text);
            break;
        case TableName::asked:
            row = ledger.asked_loaded;
            status = load_asked(ledger, line);
            break;
        case TableName::reversed: status = load_reversed(ledger, text, row); break;
        case TableName::holds:
            row = ledger.holds.saved_count;
            status = load_hold(ledger, line);
            break;
        case TableName::ids:
            row = ledger.ids.head;
            status = load_id(ledger, line);
            break;
        case TableName::people: status = load_texts(ledger, line, row); break;
        case TableName::days: status = load_day(ledger, line, row); break;
        case TableName::items:
            row = ledger.items_installed;
            status = load_item(ledger, line);
            break;
        case TableName::orders:
            row = ledger.orders.saved_count;
            status = load_order(ledger, line);
            break;
        case TableName::ordered: status = load_ordered(ledger, line, row); break;
        case TableName::keys:
            row = ledger.mail.keys_saved_count;
            status = load_key(ledger, line);
            break;
        case TableName::mail:
            row = ledger.mail.saved_count;
            status = load_message(ledger, line);
            break;
    }
    if (status != Status::ok) return status;
    if (row == UINT64_MAX) return Status::ok;
    return is_as_written(ledger, table, row, text) ? Status::ok : Status::damaged;
}

Status tables_end(Ledger& ledger, const Manifest& manifest) {
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        if (ledger.people[row].account == row_none) return Status::damaged;
    }
    if (ledger.asked_loaded != ledger.people_installed) return Status::damaged;
    if (ledger.accounts_installed <= account_shop) return Status::damaged;
    if (ledger_sum(ledger) != 0 || !holds_match_accounts(ledger)) return Status::damaged;
    if (!people_and_days_match(ledger, manifest)) return Status::damaged;
    if (!ordered_is_whole(ledger)) return Status::damaged;
    if (!version_is_needed(ledger, manifest)) return Status::damaged;
    const Ids& ids = ledger.ids;
    if (ids.head > 0 && ids_at(ids, ids.head - 1).seq > manifest.mark.entry) return Status::damaged;
    ledger.seq_installed = manifest.mark.entry;
    return Status::ok;
}
