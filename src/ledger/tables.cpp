#include "ledger/tables.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr const char* names[table_count] = {
#define TABLE(name, columns) #name,
#include "ledger/tables.def"
#undef TABLE
};

constexpr const char* columns_of[table_count] = {
#define TABLE(name, columns) columns,
#include "ledger/tables.def"
#undef TABLE
};

constexpr const char* person_states[] = {"active", "locked"};
constexpr const char* account_states[] = {"open", "closed"};

void put_separator(Writer& out) { put_u8(out, ':'); }

// Free text as one column: ':' is escaped too.
void put_column(Writer& out, Slice text) {
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == ':') {
            put_text(out, "%3a");
        } else {
            put_escaped(out, slice_part(text, i, 1));
        }
    }
}

void put_name_or_none(Writer& out, const Name& name) {
    if (name.size == 0) {
        put_u8(out, '-');
    } else {
        put_bytes(out, name_slice(name));
    }
}

// `none` is what a bound is that does not bind; the other end of the range is a number.
void put_bound(Writer& out, int64_t minor, int64_t none, uint32_t scale) {
    if (minor == none) {
        put_u8(out, '-');
    } else {
        put_minor(out, minor, scale);
    }
}

void put_position(Writer& out, Position position) {
    put_decimal(out, position_segment(position));
    put_u8(out, '.');
    put_decimal(out, position_offset(position));
}

void format_person(const Ledger& ledger, uint64_t row, Writer& out) {
    const Person& person = ledger.people[row];
    const bool saved = person.saved_epoch == ledger.epoch;
    const PersonValues& values = saved ? person.saved : person.installed;
    put_bytes(out, name_slice(person.name));
    put_separator(out);
    put_text(out, role_name(values.role));
    put_separator(out);
    put_text(out, person_states[static_cast<uint32_t>(values.state)]);
    put_separator(out);
    put_column(out, slice_of_chars(values.password.text, values.password.size));
}

void format_account(const Ledger& ledger, uint64_t row, Writer& out) {
    const Account& account = ledger.accounts[row];
    const bool saved = account.saved_epoch == ledger.epoch;
    const AccountValues& values = saved ? account.saved : account.installed;
    put_bytes(out, name_slice(account.name));
    put_separator(out);
    put_minor(out, values.balance, ledger.scale);
    put_separator(out);
    put_minor(out, values.held, ledger.scale);
    put_separator(out);
    put_bound(out, values.floor, -balance_minor_max, ledger.scale);
    put_separator(out);
    put_bound(out, values.ceiling, balance_minor_max, ledger.scale);
    put_separator(out);
    put_name_or_none(out, account.owner == row_none ? Name{} : ledger.people[account.owner].name);
    put_separator(out);
    put_text(out, account_states[static_cast<uint32_t>(values.state)]);
    put_separator(out);
    put_position(out, values.last);
}

void put_account_name(const Ledger& ledger, uint32_t row, Writer& out) {
    put_name_or_none(out, row == row_none ? Name{} : ledger.accounts[row].name);
}

void format_id(const Ledger& ledger, uint64_t number, Writer& out) {
    const IdRecord& record = ids_at(ledger.ids, number);
    put_decimal(out, record.seq);
    put_separator(out);
    put_decimal(out, record.time_ms);
    put_separator(out);
    put_name_or_none(out, record.person == row_none ? Name{} : ledger.people[record.person].name);
    put_separator(out);
    put_text(out, operation_name(record.operation));
    put_separator(out);
    put_text(out, record.status == Status::ok ? "OK" : status_word(record.status));
    put_separator(out);
    put_column(out, slice_of_chars(record.id.text, record.id.size));
    put_separator(out);
    put_account_name(ledger, record.debit, out);
    put_separator(out);
    put_account_name(ledger, record.credit, out);
    put_separator(out);
    put_name_or_none(out, record.missing);
    put_separator(out);
    put_minor(out, record.amount, ledger.scale);
    put_separator(out);
    put_minor(out, record.balance, ledger.scale);
    put_separator(out);
    put_hex(out, {record.memo_hash, sizeof record.memo_hash});
    put_separator(out);
    put_decimal(out, record.hold);
    put_separator(out);
    put_decimal(out, record.expires_s);
    put_separator(out);
    put_text(out, record.whole ? "whole" : "-");
    put_separator(out);
    put_decimal(out, record.reversed);
    put_separator(out);
    put_decimal(out, record.group_place);
    put_u8(out, '/');
    put_decimal(out, record.group_size);
}

void format_asked(const Ledger& ledger, uint64_t row, Writer& out) {
    const AskedRow& asked_row = ledger.asked[row];
    const bool saved = asked_row.saved_epoch == ledger.epoch;
    const Asked& asked = saved ? asked_row.saved : asked_row.installed;
    put_bytes(out, name_slice(ledger.people[row].name));
    put_separator(out);
    put_decimal(out, asked.count);
    put_separator(out);
    put_position(out, asked.last);
    put_separator(out);
    put_decimal(out, asked.turned_ms);
    put_separator(out);
    const uint64_t known = asked.count < asked_max ? asked.count : asked_max;
    for (uint64_t i = 0; i < known; i++) {
        const uint16_t print = asked.prints[i];
        const uint8_t bytes[2] = {static_cast<uint8_t>(print >> 8), static_cast<uint8_t>(print)};
        put_hex(out, {bytes, sizeof bytes});
    }
}

void format_hold(const Ledger& ledger, const Hold& hold, Writer& out) {
    put_decimal(out, hold.number);
    put_separator(out);
    put_account_name(ledger, hold.debit, out);
    put_separator(out);
    put_account_name(ledger, hold.credit, out);
    put_separator(out);
    put_minor(out, hold.amount, ledger.scale);
    put_separator(out);
    put_decimal(out, hold.expiry_ms);
    put_separator(out);
    put_decimal(out, hold.entry);
}

void format_row(const Ledger& ledger, TableName table, uint64_t row, Writer& out) {
    switch (table) {
        case TableName::passwd: format_person(ledger, row, out); break;
        case TableName::balance: format_account(ledger, row, out); break;
        case TableName::terminals: put_bytes(out, name_slice(ledger.terminals[row])); break;
        case TableName::asked: format_asked(ledger, row, out); break;
        case TableName::reversed: put_decimal(out, row); break;
        case TableName::holds: format_hold(ledger, ledger.holds.saved[row], out); break;
        case TableName::ids: format_id(ledger, row, out); break;
    }
    put_u8(out, '\n');
}

// Reading rows: columns separated by ':'.

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

Status take_position(Reader& line, Position& out) {
    Slice word;
    Slice part;
    uint64_t segment = 0;
    uint64_t offset = 0;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    Reader reader = reader_of(word);
    if (cut_word(reader, '.', part) != Status::ok) return Status::damaged;
    if (parse_decimal(part, segment) != Status::ok) return Status::damaged;
    if (cut_word(reader, '.', part) != Status::ok) return Status::damaged;
    if (parse_decimal(part, offset) != Status::ok) return Status::damaged;
    if (segment > UINT32_MAX || offset > UINT32_MAX) return Status::damaged;
    out = position_of(static_cast<uint32_t>(segment), static_cast<uint32_t>(offset));
    return Status::ok;
}

Status take_last_column(const Reader& line) {
    return line.short_read ? Status::ok : Status::damaged;
}

Status load_person(Ledger& ledger, Reader& line) {
    Name name;
    Slice role_text;
    Slice password;
    uint8_t state = 0;
    PersonValues values = {};
    if (take_name_or_none(line, name) != Status::ok || name.size == 0) return Status::damaged;
    if (take_column(line, role_text) != Status::ok) return Status::damaged;
    if (parse_role(role_text, values.role) != Status::ok) return Status::damaged;
    if (take_choice(line, person_states, 2, state) != Status::ok) return Status::damaged;
    if (take_column(line, password) != Status::ok) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    Writer record = writer_of(reinterpret_cast<uint8_t*>(values.password.text), phc_size_max);
    if (text_unescape(password, record) != Status::ok) return Status::damaged;
    values.password.size = static_cast<uint8_t>(record.size);
    values.state = static_cast<PersonState>(state);
    values.version = 1;
    return ledger_load_person(ledger, name, values);
}

Status load_account(Ledger& ledger, Reader& line) {
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
    if (take_choice(line, account_states, 2, state) != Status::ok) return Status::damaged;
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
    format_row(ledger, table, row, out);
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
    Slice word;
    Slice part;
    uint64_t place = 0;
    uint64_t size = 0;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    Reader reader = reader_of(word);
    if (cut_word(reader, '/', part) != Status::ok) return Status::damaged;
    if (parse_decimal(part, place) != Status::ok) return Status::damaged;
    if (cut_word(reader, '/', part) != Status::ok) return Status::damaged;
    if (parse_decimal(part, size) != Status::ok) return Status::damaged;
    if (size > group_moves_max || place > size) return Status::damaged;
    if ((place == 0) != (size == 0)) return Status::damaged;
    if (record.status == Status::execabort && size == 0) return Status::damaged;
    record.group_place = static_cast<uint8_t>(place);
    record.group_size = static_cast<uint8_t>(size);
    return Status::ok;
}

Status load_id(Ledger& ledger, Reader& line) {
    IdRecord record = {};
    Name person;
    Slice word;
    uint64_t expires_s = 0;
    if (take_decimal(line, record.seq) != Status::ok) return Status::damaged;
    if (take_decimal(line, record.time_ms) != Status::ok) return Status::damaged;
    if (take_name_or_none(line, person) != Status::ok) return Status::damaged;
    if (take_column(line, word) != Status::ok) return Status::damaged;
    if (parse_operation(word, record.operation) != Status::ok) return Status::damaged;
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
    record.whole = slice_equal_text(word, "whole");
    if (take_decimal(line, record.reversed) != Status::ok) return Status::damaged;
    if ((record.reversed != 0) != (record.operation == Operation::reverse)) return Status::damaged;
    if (take_group(line, record) != Status::ok) return Status::damaged;
    // Only who asked for the whole of what is not there named no amount.
    const bool may_be_none = record.whole && record.status != Status::ok;
    if (record.amount == 0 && !may_be_none) return Status::damaged;
    if (take_last_column(line) != Status::ok) return Status::damaged;
    record.person = person.size == 0 ? row_none : ledger_find_person(ledger, person);
    if (person.size > 0 && record.person == row_none) return Status::damaged;
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

}  // namespace

const char* table_name(TableName table) { return names[static_cast<uint32_t>(table)]; }

const char* table_columns(TableName table) { return columns_of[static_cast<uint32_t>(table)]; }

void snapshot_begin(Snapshot& snapshot, Ledger& ledger, const SnapshotMark& mark) {
    CHECK(!snapshot.active);
    CHECK(mark.entry == ledger.seq_installed);
    snapshot = {};
    snapshot.active = true;
    snapshot.mark = mark;
    snapshot.limits = ledger.limits_known;
    ledger.epoch++;
    const uint64_t ids_end = ledger.ids_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::passwd)] = ledger.people_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::balance)] = ledger.accounts_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::terminals)] = ledger.terminals_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::ids)] = ids_end;
    snapshot.row_end[static_cast<uint32_t>(TableName::asked)] = ledger.people_installed;
    reversals_save(ledger.reversals);
    snapshot.row_end[static_cast<uint32_t>(TableName::reversed)] = ledger.seq_installed + 1;
    snapshot.reversible_from = reversals_from(ledger.reversals, ledger.seq_installed);
    holds_save(ledger.holds);
    snapshot.row_end[static_cast<uint32_t>(TableName::holds)] = ledger.holds.saved_count;
    snapshot.holds_given = ledger.holds.given_installed;
    ledger.ids_kept_from = ids_first_at(ledger.ids, ids_end);
    snapshot.ids_forgotten = ledger.ids.before + ledger.ids_kept_from;
    hasher_init(snapshot.hasher);
}

Status snapshot_step(Snapshot& snapshot, Ledger& ledger, Writer& out, uint32_t rows_max) {
    CHECK(snapshot.active && snapshot.table < table_count);
    const TableName table = static_cast<TableName>(snapshot.table);
    if (table == TableName::ids && snapshot.row < ledger.ids_kept_from) {
        snapshot.row = ledger.ids_kept_from;  // The first id record of the window.
    }
    if (table == TableName::reversed && snapshot.row < snapshot.reversible_from) {
        snapshot.row = snapshot.reversible_from;
    }
    const uint64_t end = snapshot.row_end[snapshot.table];
    const uint32_t start = out.size;
    for (uint32_t i = 0; i < rows_max && snapshot.row < end; i++, snapshot.row++) {
        if (table == TableName::reversed) {
            snapshot.row = reversals_next_saved(ledger.reversals, snapshot.row, end);
            if (snapshot.row == end) break;
        }
        if (writer_room(out) < table_line_size_max) break;
        format_row(ledger, table, snapshot.row, out);
        if (table == TableName::ids) ledger.ids_kept_from = snapshot.row + 1;
    }
    CHECK(!out.overflow);
    hasher_feed(snapshot.hasher, {out.data + start, out.size - start});
    snapshot.tables[snapshot.table].size += out.size - start;
    if (snapshot.row < end) return Status::ok;
    snapshot.tables[snapshot.table].hash = hasher_finish(snapshot.hasher);
    snapshot.table++;
    snapshot.row = 0;
    hasher_init(snapshot.hasher);
    return Status::end;
}

bool snapshot_is_done(const Snapshot& snapshot) { return snapshot.table == table_count; }

void snapshot_end(Snapshot& snapshot, Ledger& ledger) {
    snapshot.active = false;
    ledger.ids_kept_from = UINT64_MAX;
}

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
    }
    if (status != Status::ok) return status;
    return is_as_written(ledger, table, row, text) ? Status::ok : Status::damaged;
}

Status tables_end(Ledger& ledger, const Manifest& manifest) {
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        if (ledger.people[row].account == row_none) return Status::damaged;
    }
    if (ledger.asked_loaded != ledger.people_installed) return Status::damaged;
    if (ledger.accounts_installed <= account_shop) return Status::damaged;
    if (ledger_sum(ledger) != 0 || !holds_match_accounts(ledger)) return Status::damaged;
    const Ids& ids = ledger.ids;
    if (ids.head > 0 && ids_at(ids, ids.head - 1).seq > manifest.mark.entry) return Status::damaged;
    ledger.seq_installed = manifest.mark.entry;
    return Status::ok;
}
