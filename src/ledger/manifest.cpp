#include <string.h>

#include "base/check.h"
#include "base/lines.h"
#include "ledger/tables.h"

namespace {

Status take_currency_line(Reader& text, Manifest& out) {
    Reader line;
    Slice currency;
    uint64_t scale = 0;
    if (take_line(text, "currency", line) != Status::ok) return Status::damaged;
    if (cut_word(line, ' ', currency) != Status::ok) return Status::damaged;
    if (!currency_is_valid(currency)) return Status::damaged;
    if (take_number(line, scale_max, scale) != Status::ok) return Status::damaged;
    memcpy(out.currency, currency.data, currency.size);
    out.scale = static_cast<uint8_t>(scale);
    return take_end(line);
}

Status take_limits_line(Reader& text, LimitsEntry& out) {
    Reader line;
    uint64_t values[5] = {};
    if (take_line(text, "limits", line) != Status::ok) return Status::damaged;
    for (uint64_t& value : values) {
        if (take_number(line, UINT32_MAX, value) != Status::ok) return Status::damaged;
    }
    if (values[1] == 0 || values[4] == 0) return Status::damaged;  // No limits entry says so.
    out = {.accounts = static_cast<uint32_t>(values[0]),
           .ids = static_cast<uint32_t>(values[1]),
           .terminals = static_cast<uint32_t>(values[2]),
           .holds = static_cast<uint32_t>(values[3]),
           .reversible = static_cast<uint32_t>(values[4])};
    return take_end(line);
}

Status take_table_line(Reader& text, const char* name, SnapshotTable& out) {
    Reader line;
    if (take_line(text, "table", line) != Status::ok) return Status::damaged;
    if (take_word(line, name) != Status::ok) return Status::damaged;
    if (take_number(line, UINT64_MAX, out.size) != Status::ok) return Status::damaged;
    if (take_hex(line, out.hash.bytes, hash_size) != Status::ok) return Status::damaged;
    return take_end(line);
}

// Where the journal goes on behind the checkpoint.
Status take_place(Reader& text, SnapshotMark& out) {
    uint64_t segment = 0;
    uint64_t offset = 0;
    const bool fine =
        take_line_number(text, "batch", UINT64_MAX, out.batch) == Status::ok &&
        take_line_number(text, "segment", UINT32_MAX, segment) == Status::ok &&
        take_line_number(text, "offset", UINT32_MAX, offset) == Status::ok &&
        take_line_number(text, "salt", UINT64_MAX, out.salt) == Status::ok &&
        take_line_number(text, "time", UINT64_MAX, out.time_ms) == Status::ok &&
        take_line_hex(text, "chain", out.chain.bytes, hash_size) == Status::ok;
    out.end = position_of(static_cast<uint32_t>(segment), static_cast<uint32_t>(offset));
    return fine ? Status::ok : Status::damaged;
}

// A line with the SHA-256 of all lines before it.
Status take_hash_of_above(Reader& text, const char* word, Hash& out) {
    const Hash expected = hash_of({text.data, text.offset});
    if (take_line_hex(text, word, out.bytes, hash_size) != Status::ok) return Status::damaged;
    return hash_equal(expected, out) ? Status::ok : Status::damaged;
}

// T4.
uint32_t version_of(const Snapshot& snapshot) {
    uint32_t version = snapshot.version_least;
    for (uint32_t i = 0; i < table_count; i++) {
        const uint32_t since = table_since(static_cast<TableName>(i));
        if (snapshot.tables[i].size > 0 && since > version) version = since;
    }
    return version;
}

// The first version that rows of a table of an earlier one may need.
constexpr uint32_t version_of_rows_least = 3;

// The lines of the tables that a checkpoint of this version has; one of them is why it has it, or,
// as tables_end will judge, rows of `ids` or `passwd` are.
Status take_tables(Reader& text, Manifest& out) {
    uint32_t least = 1;
    for (uint32_t i = 0; i < table_count; i++) {
        const TableName table = static_cast<TableName>(i);
        out.tables[i] = {0, hash_of({nullptr, 0})};
        if (!manifest_has(out, table)) continue;
        if (take_table_line(text, table_name(table), out.tables[i]) != Status::ok) {
            return Status::damaged;
        }
        if (out.tables[i].size > 0 && table_since(table) > least) least = table_since(table);
    }
    const bool may_be_rows = out.version >= version_of_rows_least && least < out.version;
    return least == out.version || may_be_rows ? Status::ok : Status::damaged;
}

}  // namespace

bool manifest_has(const Manifest& manifest, TableName table) {
    return table_since(table) <= manifest.version;
}

uint32_t manifest_rows_most(const Manifest& manifest, TableName table) {
    constexpr uint64_t line_size_min = 8;  // bytes, of a row of several columns
    const uint64_t rows = manifest.tables[static_cast<uint32_t>(table)].size / line_size_min + 1;
    return rows < UINT32_MAX ? static_cast<uint32_t>(rows) : UINT32_MAX;
}

Hash manifest_format(const Snapshot& snapshot, const Ledger& ledger, Writer& out) {
    CHECK(snapshot_is_done(snapshot) && out.size == 0);
    const uint32_t version = version_of(snapshot);
    put_line_number(out, "pennybank-checkpoint", version);
    put_line_hex(out, "bank", {ledger.key, bank_id_size});
    put_text(out, "currency ");
    put_text(out, ledger.currency);
    put_u8(out, ' ');
    put_decimal(out, ledger.scale);
    put_u8(out, '\n');
    put_line_number(out, "entry", snapshot.mark.entry);
    put_text(out, "limits ");
    put_decimal(out, snapshot.limits.accounts);
    put_u8(out, ' ');
    put_decimal(out, snapshot.limits.ids);
    put_u8(out, ' ');
    put_decimal(out, snapshot.limits.terminals);
    put_u8(out, ' ');
    put_decimal(out, snapshot.limits.holds);
    put_u8(out, ' ');
    put_decimal(out, snapshot.limits.reversible);
    put_u8(out, '\n');
    put_line_number(out, "holds", snapshot.holds_given);
    put_line_number(out, "reversible", snapshot.reversible_from);
    put_line_number(out, "forgotten", snapshot.ids_forgotten);
    for (uint32_t i = 0; i < table_count; i++) {
        if (table_since(static_cast<TableName>(i)) > version) continue;
        put_text(out, "table ");
        put_text(out, table_name(static_cast<TableName>(i)));
        put_u8(out, ' ');
        put_decimal(out, snapshot.tables[i].size);
        put_u8(out, ' ');
        put_hex(out, hash_slice(snapshot.tables[i].hash));
        put_u8(out, '\n');
    }
    const Hash digest = hash_of(writer_slice(out));
    put_line_hex(out, "digest", hash_slice(digest));
    put_line_number(out, "batch", snapshot.mark.batch);
    put_line_number(out, "segment", position_segment(snapshot.mark.end));
    put_line_number(out, "offset", position_offset(snapshot.mark.end));
    put_line_number(out, "salt", snapshot.mark.salt);
    put_line_number(out, "time", snapshot.mark.time_ms);
    put_line_hex(out, "chain", hash_slice(snapshot.mark.chain));
    const Hash sum = hash_of(writer_slice(out));
    put_line_hex(out, "sum", hash_slice(sum));
    CHECK(!out.overflow);
    return digest;
}

Status manifest_parse(Slice text, Manifest& out) {
    out = {};
    Reader reader = reader_of(text);
    uint64_t version = 0;
    if (take_line_number(reader, "pennybank-checkpoint", UINT32_MAX, version) != Status::ok) {
        return Status::damaged;
    }
    if (version > manifest_version_max) return Status::failed;
    if (version == 0) return Status::damaged;
    out.version = static_cast<uint32_t>(version);
    if (take_line_hex(reader, "bank", out.bank_id, bank_id_size) != Status::ok) {
        return Status::damaged;
    }
    if (take_currency_line(reader, out) != Status::ok) return Status::damaged;
    if (take_line_number(reader, "entry", UINT64_MAX, out.mark.entry) != Status::ok) {
        return Status::damaged;
    }
    if (take_limits_line(reader, out.limits) != Status::ok) return Status::damaged;
    if (take_line_number(reader, "holds", UINT64_MAX, out.holds_given) != Status::ok) {
        return Status::damaged;
    }
    const uint64_t newest = out.mark.entry + 1;
    if (take_line_number(reader, "reversible", newest, out.reversible_from) != Status::ok) {
        return Status::damaged;
    }
    if (out.reversible_from == 0) return Status::damaged;
    if (take_line_number(reader, "forgotten", newest, out.ids_forgotten) != Status::ok) {
        return Status::damaged;
    }
    if (take_tables(reader, out) != Status::ok) return Status::damaged;
    if (take_hash_of_above(reader, "digest", out.digest) != Status::ok) return Status::damaged;
    if (take_place(reader, out.mark) != Status::ok) return Status::damaged;
    Hash sum;
    if (take_hash_of_above(reader, "sum", sum) != Status::ok) return Status::damaged;
    return reader_left(reader) > 0 ? Status::damaged : Status::ok;
}
