#include "sim/book_text.h"

#include <algorithm>

#include "server.h"

namespace {

constexpr uint32_t chunk_size = 65536;
constexpr uint32_t rows_per_step = 64;

void add_lines(const std::string& table, const std::string& text, std::vector<std::string>& out) {
    for (size_t at = 0; at < text.size();) {
        const size_t end = text.find('\n', at);
        out.push_back(table + " " + text.substr(at, end - at));
        at = end + 1;
    }
}

}  // namespace

std::vector<std::string> book_text(Server& server) {
    std::vector<std::string> lines;
    if (server.book.snapshot.active) return lines;
    Snapshot snapshot = {};
    Ledger& ledger = server.book.ledger;
    SnapshotMark mark = {};
    mark.entry = ledger.seq_installed;
    snapshot_begin(snapshot, ledger, mark);
    std::vector<uint8_t> bytes(chunk_size);
    while (!snapshot_is_done(snapshot)) {
        const uint32_t table = snapshot.table;
        Writer out = writer_of(bytes.data(), chunk_size);
        const Status status = snapshot_step(snapshot, ledger, out, rows_per_step);
        if (status != Status::ok && status != Status::end) break;
        add_lines(table_name(static_cast<TableName>(table)),
                  std::string(reinterpret_cast<char*>(out.data), out.size), lines);
    }
    Writer out = writer_of(bytes.data(), chunk_size);
    manifest_format(snapshot, ledger, out);
    add_lines("manifest", std::string(reinterpret_cast<char*>(out.data), out.size), lines);
    snapshot_end(snapshot, ledger);
    return lines;
}

std::string book_difference(const std::vector<std::string>& before,
                            const std::vector<std::string>& after) {
    const size_t count = std::max(before.size(), after.size());
    for (size_t i = 0; i < count; i++) {
        const std::string a = i < before.size() ? before[i] : "nothing";
        const std::string b = i < after.size() ? after[i] : "nothing";
        if (a != b) return "'" + a + "' became '" + b + "'";
    }
    return "no line differs";
}
