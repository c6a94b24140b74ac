#include "sim/dump.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include "port/sim/world.h"

namespace {

namespace fs = std::filesystem;
using std::string;

bool write_file(const string& path, const string& bytes) {
    std::ofstream out(path, std::ios::binary);
    out << bytes;
    return out.good();
}

// All bytes of one segment.
bool read_segment(const Store& store, uint32_t segment, string& out) {
    uint64_t size = 0;
    if (store_segment_size(store, segment, size) != Status::ok) return false;
    out.resize(size);
    uint32_t got = 0;
    const Status status = store_read(store, segment, 0, reinterpret_cast<uint8_t*>(out.data()),
                                     static_cast<uint32_t>(size), got);
    return status == Status::ok && got == size;
}

bool write_journal(const Store& store, const string& folder, uint32_t first, uint32_t last) {
    for (uint32_t segment = first; segment <= last; segment++) {
        string bytes;
        char name[32];
        snprintf(name, sizeof name, "%08u.journal", segment);
        if (!read_segment(store, segment, bytes)) return false;
        if (!write_file(folder + "/data/journal/" + name, bytes)) return false;
    }
    return true;
}

}  // namespace

bool dump_bank(const string& folder, Server& server, const sim::Oracle& oracle, string& why) {
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    Store store = {};
    uint32_t first = 0;
    uint32_t last = 0;
    std::error_code code;
    fs::create_directories(folder + "/data/journal", code);
    fs::permissions(folder + "/data", fs::perms::owner_all, code);
    string balances;
    for (const auto& [account, rules] : oracle.stages.back()) {
        balances += account + " " + sim::oracle_amount(oracle.balance_of(account)) + "\n";
    }
    const string config = "[server]\ndata = data\n[ledger]\ncurrency = " +
                          string(server.book.ledger.currency) + "\nscale = 2\n";
    bool written = store_open(store, sim_disk_calls, sim_data_dir, StoreMode::read, error) ==
                       Status::ok &&
                   store_segment_range(store, first, last, error) == Status::ok &&
                   write_journal(store, folder, first, last);
    store_close(store);
    written = written && write_file(folder + "/pennyd.conf", config) &&
              write_file(folder + "/balances", balances);
    if (!written) why = "the bank could not be written into " + folder;
    return written;
}
