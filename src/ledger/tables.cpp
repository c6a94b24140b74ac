#include "ledger/tables.h"

#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "ledger/tables_parts.h"

namespace {

constexpr const char* names[table_count] = {
#define TABLE(name, since, columns) #name,
#include "ledger/tables.def"
#undef TABLE
};

constexpr const char* columns_of[table_count] = {
#define TABLE(name, since, columns) columns,
#include "ledger/tables.def"
#undef TABLE
};

constexpr uint32_t since_of[table_count] = {
#define TABLE(name, since, columns) since,
#include "ledger/tables.def"
#undef TABLE
};

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

// As the snapshot shows them.
const PersonValues& values_of(const Ledger& ledger, const Person& person) {
    return person.saved_epoch == ledger.epoch ? person.saved : person.installed;
}

void format_person(const Ledger& ledger, uint64_t row, Writer& out) {
    const Person& person = ledger.people[row];
    const bool saved = person.saved_epoch == ledger.epoch;
    const PersonValues& values = values_of(ledger, person);
    const PasswordRecord& password = (saved ? person.texts_saved : person.texts).password;
    put_bytes(out, name_slice(person.name));
    put_separator(out);
    put_text(out, role_name(values.role));
    put_separator(out);
    put_text(out, person_state_name(values.state, values.term));
    put_separator(out);
    put_column(out, slice_of_chars(password.text, password.size));
}

// Writes nothing for a person of whom there is no more to say than `passwd` does.
void format_texts(const Ledger& ledger, uint64_t row, Writer& out) {
    const Person& person = ledger.people[row];
    const bool saved = person.saved_epoch == ledger.epoch;
    const PersonValues& values = values_of(ledger, person);
    const PersonTexts& texts = saved ? person.texts_saved : person.texts;
    if (!tables_has_texts(values, texts)) return;
    put_bytes(out, name_slice(person.name));
    put_separator(out);
    put_column(out, slice_of_chars(texts.title.text, texts.title.size));
    put_separator(out);
    put_text(out, pin_state_name(values.pin));
    put_separator(out);
    put_column(out, slice_of_chars(texts.pin.text, texts.pin.size));
}

// Writes nothing for a terminal from which nothing has counted yet.
void format_day(const Ledger& ledger, uint64_t row, Writer& out) {
    const TerminalRow& terminal = ledger.days[row];
    const TerminalDay& day =
        terminal.saved_epoch == ledger.epoch ? terminal.saved : terminal.installed;
    if (day.day == 0) return;
    put_bytes(out, name_slice(ledger.terminals[row]));
    put_separator(out);
    put_decimal(out, day.day);
    put_separator(out);
    put_minor(out, day.total, ledger.scale);
    put_separator(out);
    put_decimal(out, day.registered);
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
    put_text(out, values.state == AccountState::open ? "open" : "closed");
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
    constexpr uint8_t no_memo[sizeof record.memo_hash] = {};
    const bool of_order = operation_is_of_order(record.operation);  // Which has no memo.
    put_hex(out, {of_order ? no_memo : record.memo_hash, sizeof record.memo_hash});
    put_separator(out);
    put_decimal(out, record.hold);
    put_separator(out);
    put_decimal(out, record.expires_s);
    put_separator(out);
    put_text(out, record.beyond_day ? (record.whole ? "whole/day" : "day")
                                    : (record.whole ? "whole" : "-"));
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

void put_item_name(const Ledger& ledger, uint32_t row, Writer& out) {
    put_name_or_none(out, row == row_none ? Name{} : ledger.items[row].name);
}

void format_item(const Ledger& ledger, uint64_t row, Writer& out) {
    const Item& item = ledger.items[row];
    const ItemValues& values = item.saved_epoch == ledger.epoch ? item.saved : item.installed;
    put_bytes(out, name_slice(item.name));
    put_separator(out);
    put_column(out, slice_of_chars(values.title.text, values.title.size));
    put_separator(out);
    put_minor(out, values.price, ledger.scale);
    put_separator(out);
    if (values.counted) {
        put_decimal(out, values.stock);
    } else {
        put_u8(out, '-');
    }
    put_separator(out);
    put_text(out, values.listed ? "listed" : "deleted");
}

void format_order(const Ledger& ledger, const Order& order, Writer& out) {
    put_decimal(out, order.number);
    put_separator(out);
    put_item_name(ledger, order.item, out);
    put_separator(out);
    put_decimal(out, order.quantity);
    put_separator(out);
    put_minor(out, order.price, ledger.scale);
    put_separator(out);
    put_account_name(ledger, order.account, out);
    put_separator(out);
    put_name_or_none(out, order.person == row_none ? Name{} : ledger.people[order.person].name);
    put_separator(out);
    put_name_or_none(out, order.terminal == row_none ? Name{} : ledger.terminals[order.terminal]);
    put_separator(out);
    put_decimal(out, order.time_ms);
    put_separator(out);
    put_text(out, order_state_name(order.installed));
}

// Writes nothing for an id that was not used for an order.
void format_ordered(const Ledger& ledger, uint64_t number, Writer& out) {
    const IdRecord& record = ids_at(ledger.ids, number);
    if (!operation_is_of_order(record.operation)) return;
    put_decimal(out, record.seq);
    put_separator(out);
    put_item_name(ledger, record.item, out);
    put_separator(out);
    put_decimal(out, record.quantity);
    put_separator(out);
    put_minor(out, record.asked.price, ledger.scale);
    put_separator(out);
    put_decimal(out, record.order);
    put_separator(out);
    put_text(out, order_reason_name(record.reason));
    put_separator(out);
    put_decimal(out, static_cast<uint64_t>(record.asked.number));
}

// The order in which tables are formatted: theirs, but `ordered` goes before `ids`, which lets go
// of the records that both are made of.
uint32_t table_at(uint32_t step) {
    constexpr uint32_t ids = static_cast<uint32_t>(TableName::ids);
    constexpr uint32_t ordered = static_cast<uint32_t>(TableName::ordered);
    static_assert(ids < ordered);
    if (step < ids || step > ordered) return step;
    return step == ids ? ordered : step - 1;
}

// Records that a row of `ordered` looks at and that have nothing to say cost little.
constexpr uint32_t ordered_looks_per_row = 8;

void format_key(const Ledger& ledger, const MailKey& key, Writer& out) {
    put_bytes(out, name_slice(ledger.people[key.person].name));
    put_separator(out);
    put_base64url(out, {key.modulus, mail_modulus_size});
}

void format_message(const Ledger& ledger, const MailSlot& message, Writer& out) {
    put_decimal(out, message.number);
    put_separator(out);
    put_bytes(out, name_slice(ledger.people[message.from].name));
    put_separator(out);
    put_bytes(out, name_slice(ledger.people[message.to].name));
    put_separator(out);
    put_column(out, slice_of_chars(message.id.text, message.id.size));
    put_separator(out);
    put_decimal(out, message.time_ms);
    put_separator(out);
    put_decimal(out, message.size);
    put_separator(out);
    put_position(out, message.position);
}

// The first version of a checkpoint that may say what this row does.
uint32_t since_of_row(const Ledger& ledger, TableName table, uint64_t row) {
    if (table == TableName::passwd) {
        return tables_since_term(values_of(ledger, ledger.people[row]).term);
    }
    if (table != TableName::ids) return 1;
    return tables_since_operation(ids_at(ledger.ids, row).operation);
}

}  // namespace

bool tables_has_texts(const PersonValues& values, const PersonTexts& texts) {
    return values.pin != PinState::none || texts.title.size > 0 ||
           values.state == PersonState::removed;
}

void tables_put_row(const Ledger& ledger, TableName table, uint64_t row, Writer& out) {
    const uint32_t start = out.size;
    switch (table) {
        case TableName::passwd: format_person(ledger, row, out); break;
        case TableName::balance: format_account(ledger, row, out); break;
        case TableName::terminals: put_bytes(out, name_slice(ledger.terminals[row])); break;
        case TableName::asked: format_asked(ledger, row, out); break;
        case TableName::reversed: put_decimal(out, row); break;
        case TableName::holds: format_hold(ledger, ledger.holds.saved[row], out); break;
        case TableName::ids: format_id(ledger, row, out); break;
        case TableName::people: format_texts(ledger, row, out); break;
        case TableName::days: format_day(ledger, row, out); break;
        case TableName::items: format_item(ledger, row, out); break;
        case TableName::orders: format_order(ledger, ledger.orders.saved[row], out); break;
        case TableName::ordered: format_ordered(ledger, row, out); break;
        case TableName::keys: format_key(ledger, ledger.mail.keys_saved[row], out); break;
        case TableName::mail: format_message(ledger, ledger.mail.saved[row], out); break;
    }
    if (out.size > start) put_u8(out, '\n');
}

const char* table_name(TableName table) { return names[static_cast<uint32_t>(table)]; }

const char* table_columns(TableName table) { return columns_of[static_cast<uint32_t>(table)]; }

uint32_t table_since(TableName table) { return since_of[static_cast<uint32_t>(table)]; }

void snapshot_begin(Snapshot& snapshot, Ledger& ledger, const SnapshotMark& mark) {
    CHECK(!snapshot.active);
    CHECK(mark.entry == ledger.seq_installed);
    snapshot = {};
    snapshot.active = true;
    snapshot.version_least = 1;
    snapshot.mark = mark;
    snapshot.limits = ledger.limits_known;
    ledger.epoch++;
    const uint64_t ids_end = ledger.ids_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::passwd)] = ledger.people_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::balance)] = ledger.accounts_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::terminals)] = ledger.terminals_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::ids)] = ids_end;
    snapshot.row_end[static_cast<uint32_t>(TableName::asked)] = ledger.people_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::people)] = ledger.people_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::days)] = ledger.terminals_installed;
    mail_save(ledger.mail);
    snapshot.row_end[static_cast<uint32_t>(TableName::keys)] = ledger.mail.keys_saved_count;
    snapshot.row_end[static_cast<uint32_t>(TableName::mail)] = ledger.mail.saved_count;
    reversals_save(ledger.reversals);
    snapshot.row_end[static_cast<uint32_t>(TableName::reversed)] = ledger.seq_installed + 1;
    snapshot.reversible_from = reversals_from(ledger.reversals, ledger.seq_installed);
    holds_save(ledger.holds);
    snapshot.row_end[static_cast<uint32_t>(TableName::holds)] = ledger.holds.saved_count;
    snapshot.holds_given = ledger.holds.given_installed;
    orders_save(ledger.orders);
    snapshot.row_end[static_cast<uint32_t>(TableName::items)] = ledger.items_installed;
    snapshot.row_end[static_cast<uint32_t>(TableName::orders)] = ledger.orders.saved_count;
    snapshot.row_end[static_cast<uint32_t>(TableName::ordered)] = ids_end;
    ledger.ids_kept_from = ids_first_at(ledger.ids, ids_end);
    snapshot.ids_from = ledger.ids_kept_from;
    snapshot.ids_forgotten = ledger.ids.before + ledger.ids_kept_from;
    hasher_init(snapshot.hasher);
}

Status snapshot_step(Snapshot& snapshot, Ledger& ledger, Writer& out, uint32_t rows_max) {
    CHECK(snapshot.active && snapshot.table < table_count);
    const TableName table = static_cast<TableName>(snapshot.table);
    const bool is_of_ids = table == TableName::ids || table == TableName::ordered;
    if (is_of_ids && snapshot.row < snapshot.ids_from) snapshot.row = snapshot.ids_from;
    if (table == TableName::ordered) rows_max *= ordered_looks_per_row;
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
        tables_put_row(ledger, table, snapshot.row, out);
        const uint32_t since = since_of_row(ledger, table, snapshot.row);
        if (since > snapshot.version_least) snapshot.version_least = since;
        if (table == TableName::ids) ledger.ids_kept_from = snapshot.row + 1;
    }
    CHECK(!out.overflow);
    hasher_feed(snapshot.hasher, {out.data + start, out.size - start});
    snapshot.tables[snapshot.table].size += out.size - start;
    if (snapshot.row < end) return Status::ok;
    snapshot.tables[snapshot.table].hash = hasher_finish(snapshot.hasher);
    snapshot.step++;
    snapshot.table = table_at(snapshot.step);
    snapshot.row = 0;
    hasher_init(snapshot.hasher);
    return Status::end;
}

bool snapshot_is_done(const Snapshot& snapshot) { return snapshot.table == table_count; }

void snapshot_end(Snapshot& snapshot, Ledger& ledger) {
    snapshot.active = false;
    ledger.ids_kept_from = UINT64_MAX;
}
