// tables_fuzz.cpp - a checkpoint from a disk. The hashes in a manifest would stop every mutation,
// so they are put in here. Input is text: the lines of a manifest as far as "limits", then for each
// table of its version a line "= NAME" and its rows, then "= place" and the manifest's lines from
// "batch" to "chain". The input as it is goes into manifest_parse as well.
#include <string.h>

#include <string>

#include "fuzz/fuzz.h"

namespace {

Slice slice_of_string(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

void add_hex(std::string& text, const char* before, const Hash& hash) {
    uint8_t digits[2 * hash_size];
    Writer writer = writer_of(digits, sizeof digits);
    put_hex(writer, hash_slice(hash));
    text += before;
    text.append(reinterpret_cast<const char*>(digits), sizeof digits);
    text += '\n';
}

// Cuts the text before the next line that begins with "= ", and that line, off the front.
std::string cut_part(std::string& rest) {
    size_t end = rest.compare(0, 2, "= ") == 0 ? 0 : rest.find("\n= ");
    if (end != std::string::npos && end > 0) end++;
    const std::string part = rest.substr(0, end);
    const size_t next = end == std::string::npos ? end : rest.find('\n', end);
    rest = next == std::string::npos ? "" : rest.substr(next + 1);
    return part;
}

// The version that the first line names; 1 where it names none.
uint32_t version_of(const std::string& manifest) {
    const std::string start = "pennybank-checkpoint ";
    for (uint32_t version = manifest_version_max; version > 1; version--) {
        const std::string line = start + std::to_string(version) + "\n";
        if (manifest.compare(0, line.size(), line) == 0) return version;
    }
    return 1;
}

FuzzTables compose(const std::string& input) {
    FuzzTables all;
    std::string rest = input;
    all.manifest = cut_part(rest);
    const uint32_t version = version_of(all.manifest);
    for (uint32_t i = 0; i < table_count; i++) {
        if (table_since(static_cast<TableName>(i)) > version) continue;
        all.tables[i] = cut_part(rest);
        if (!all.tables[i].empty() && all.tables[i].back() != '\n') all.tables[i] += '\n';
        all.manifest += std::string("table ") + table_name(static_cast<TableName>(i));
        all.manifest += " " + std::to_string(all.tables[i].size());
        add_hex(all.manifest, " ", hash_of(slice_of_string(all.tables[i])));
    }
    add_hex(all.manifest, "digest ", hash_of(slice_of_string(all.manifest)));
    all.manifest += rest;
    add_hex(all.manifest, "sum ", hash_of(slice_of_string(all.manifest)));
    return all;
}

// The newest rows of the table of ids, as many as the window holds.
std::string newest_rows(const std::string& table, uint32_t rows) {
    size_t start = table.size();
    while (start > 0) {
        const bool is_line_start = table[start - 1] == '\n' && start < table.size();
        if (is_line_start && --rows == 0) break;
        start--;
    }
    return table.substr(start);
}

// The rows of a table that begin with an entry, from the entry `from` on.
std::string rows_from(const std::string& table, uint64_t from) {
    size_t start = 0;
    while (start < table.size()) {
        const size_t end = table.find('\n', start);
        uint64_t seq = 0;
        const size_t number_end = table.find_first_of(":\n", start);
        const std::string number = table.substr(start, number_end - start);
        CHECK(parse_decimal(slice_of_string(number), seq) == Status::ok);
        if (seq >= from) break;
        start = end + 1;
    }
    return table.substr(start);
}

// What there was no room for is left out of what is written again.
std::string kept_of(const Ledger& ledger, TableName table, const std::string& rows) {
    const Reversals& reversals = ledger.reversals;
    if (table == TableName::ids) return newest_rows(rows, ledger.ids.window);
    if (table == TableName::ordered) {
        const Ids& ids = ledger.ids;
        return ids.head == 0 ? rows : rows_from(rows, ids_at(ids, ids_first(ids)).seq);
    }
    if (table != TableName::reversed) return rows;
    return rows_from(rows, reversals_from(reversals, reversals.head));
}

// What was loaded is what would be written (T2, T3), and nothing in it stops a request.
void check_loaded(Ledger& ledger, const FuzzTables& loaded, const Manifest& manifest) {
    CHECK(ledger_sum(ledger) == 0);
    FuzzTables written = fuzz_tables_of(ledger, manifest.mark);
    const Reversals& reversals = ledger.reversals;
    bool is_whole = reversals_from(reversals, reversals.head) == manifest.reversible_from;
    for (uint32_t i = 0; i < table_count; i++) {
        const TableName table = static_cast<TableName>(i);
        CHECK(written.tables[i] == kept_of(ledger, table, loaded.tables[i]));
        is_whole = is_whole && written.tables[i] == loaded.tables[i];
    }
    if (is_whole) CHECK(written.manifest == loaded.manifest);
    fuzz_check_tables(ledger, fuzz_book(1).ledger, manifest.mark);
    for (uint64_t number = ids_first(ledger.ids); number < ledger.ids.head; number++) {
        const IdRecord& record = ids_at(ledger.ids, number);
        CHECK(record.seq > 0 && record.seq <= manifest.mark.entry);
        CHECK(number == ids_first(ledger.ids) || record.seq > ids_at(ledger.ids, number - 1).seq);
        CHECK(record.amount >= 0 && record.amount <= amount_minor_max);
        const bool may_be_none = record.whole || operation_is_of_order(record.operation) ||
                                 record.operation == Operation::message;
        CHECK(record.amount > 0 || may_be_none);
    }
    CHECK(slice_equal_text(name_slice(ledger.accounts[account_cash].name), "cash"));
    CHECK(slice_equal_text(name_slice(ledger.accounts[account_shop].name), "shop"));
    for (uint32_t debit = 0; debit < ledger.accounts_installed; debit++) {
        Movement movement = {};
        movement.operation = Operation::transfer;
        movement.person = row_none;
        movement.id.size = 1;
        movement.debit = debit;
        movement.credit = ledger.accounts_installed - 1 - debit;
        movement.amount = amount_minor_max;
        const IdRecord* known = nullptr;
        Refusal refusal = {};
        const Status status = ledger_judge(ledger, movement, known, refusal);
        CHECK(status != Status::noacct);
    }
}

// Q2: who asked before has a newest request in the journal, and nobody asked more than there are
// entries.
void check_asked(const Ledger& ledger, const Manifest& manifest) {
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        const Asked& asked = ledger.asked[row].installed;
        CHECK((asked.count == 0) == (asked.last == 0));
        CHECK(asked.count <= manifest.mark.entry);
    }
}

#if PLANT
bool has_planted(const Ledger& ledger) {
    for (uint32_t slot = 0; slot < ledger.holds.pool.count; slot++) {
        if (!pool_is_taken(ledger.holds.pool, slot)) continue;
        if (ledger.holds.pool.slots[slot].expiry_ms != 5000) return true;  // The seeds' time.
    }
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        const uint64_t turned_ms = ledger.asked[row].installed.turned_ms;
        if (turned_ms != 0 && turned_ms != 1001 && turned_ms != 1002) return true;  // Theirs too.
    }
    return false;
}
#endif

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Manifest manifest;
    const Slice bytes = {data, static_cast<uint32_t>(size)};
    if (manifest_parse(bytes, manifest) == Status::ok) CHECK(size <= manifest_size_max);
    const FuzzTables tables = compose(std::string(reinterpret_cast<const char*>(data), size));
    Ledger& ledger = fuzz_book(0).ledger;
    const Status status = fuzz_load(ledger, tables, manifest);
    CHECK(status == Status::ok || status == Status::damaged || status == Status::full ||
          status == Status::failed);
    if (status != Status::ok) return 0;
    if (ledger.ids.head > 0) fuzz_mark_reached();
#if PLANT
    if (has_planted(ledger)) fuzz_mark_planted();
#endif
    check_asked(ledger, manifest);
    check_loaded(ledger, tables, manifest);
    return 0;
}
