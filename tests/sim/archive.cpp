#include "sim/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <vector>

#include "port/posix/store_file.h"
#include "port/sim/world.h"

namespace {

using std::string;

constexpr char shelf[] = "shelf";  // beside the data folder, on the same disk
const StoreCalls& disk = sim_disk_calls;

struct Archiving {
    Store store = {};
    Archived archived = {};
    std::vector<uint8_t> window = std::vector<uint8_t>(batch_size_max);
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
};

bool fail(const string& what, string& why) {
    why = what + ": " + strerror(errno);
    return false;
}

bool fail_as_said(const Archiving& archiving, string& why) {
    why.assign(reinterpret_cast<const char*>(archiving.text), archiving.error.size);
    return false;
}

string shelved(uint32_t segment) {
    return string(shelf) + "/" + std::to_string(segment) + ".journal";
}

bool sync_folder(const char* path) {
    return store_sync_directory(disk, AT_FDCWD, path) == Status::ok;
}

bool read_whole(const string& path, std::vector<uint8_t>& out) {
    const int fd = disk.open(AT_FDCWD, path.c_str(), O_RDONLY, 0);
    const int64_t size = fd < 0 ? -1 : disk.size(fd);
    out.resize(size < 0 ? 0 : static_cast<size_t>(size));
    uint32_t got = 0;
    const bool is_read = size >= 0 && store_read_all(disk, fd, out.data(),
                                                     static_cast<uint32_t>(size), 0,
                                                     got) == Status::ok && got == out.size();
    if (fd >= 0) disk.close(fd);
    return is_read;
}

// A whole file under its name, or none.
bool copy_file(const string& from, const string& to) {
    std::vector<uint8_t> bytes;
    const string making = to + ".making";
    if (!read_whole(from, bytes)) return false;
    const int fd = disk.open(AT_FDCWD, making.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    const Slice all = {bytes.data(), static_cast<uint32_t>(bytes.size())};
    const bool is_written =
        fd >= 0 && store_write_all(disk, fd, all, 0) == Status::ok && disk.fsync(fd) == 0;
    if (fd >= 0) disk.close(fd);
    return is_written && disk.rename(AT_FDCWD, making.c_str(), to.c_str()) == 0;
}

string segment_path(uint32_t segment) {
    return string(sim_data_dir) + "/" + store_path_segment(segment).text;
}

// The oldest segment that a start from either checkpoint may read; 0 when there are not two.
bool find_needed(Archiving& archiving, uint32_t& needed) {
    StoreCheckpoints list = {};
    if (store_checkpoint_list(archiving.store, list, archiving.error) != Status::ok) return false;
    uint32_t sound_count = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        Manifest manifest = {};
        bool sound = false;
        uint64_t rows[table_count] = {};
        if (store_checkpoint_verify(archiving.store, list.numbers[i], archiving.window.data(),
                                    manifest, sound, rows, archiving.error) != Status::ok) {
            continue;
        }
        const uint32_t segment = position_segment(manifest.mark.end);
        if (sound_count == 0 || segment < needed) needed = segment;
        sound_count++;
    }
    archiving.error.size = 0;
    if (sound_count < 2) needed = 0;
    return true;
}

// Notes the last batch before segment `end`, from the first that is kept on.
bool walk_to(Archiving& archiving, uint32_t first, uint32_t end, Archived& out, string& why) {
    for (uint32_t segment = first; segment < end; segment++) {
        uint32_t offset = 0;
        for (;;) {
            uint32_t got = 0;
            if (store_read(archiving.store, segment, offset, archiving.window.data(),
                           batch_size_max, got) != Status::ok) {
                return fail("a segment to be archived", why);
            }
            BatchHeader header;
            Slice entries;
            Hash hash;
            if (batch_find({archiving.window.data(), got}, nullptr, header, entries, hash) !=
                BatchFind::whole) {
                break;
            }
            memcpy(out.bank_id, header.bank_id, bank_id_size);
            out.segment = segment + 1;
            out.batch = header.seq + 1;
            out.entry = header.entry_first + header.entry_count;
            out.time_ms = header.time_ms;
            out.chain = hash;
            offset += batch_size_of(header.entries_size);
        }
    }
    return true;
}

bool copy_out(uint32_t first, uint32_t end, string& why) {
    if (disk.mkdir(AT_FDCWD, shelf, 0700) != 0 && errno != EEXIST) return fail(shelf, why);
    for (uint32_t segment = first; segment < end; segment++) {
        if (!copy_file(segment_path(segment), shelved(segment))) return fail(shelf, why);
    }
    return (sync_folder(shelf) && sync_folder(".")) || fail(shelf, why);
}

// All before `end` that are still there.
bool remove_segments(Archiving& archiving, uint32_t end, uint32_t& removed, string& why) {
    for (uint32_t segment = 1; segment < end; segment++) {
        uint64_t size = 0;
        const Status found = store_segment_size(archiving.store, segment, size);
        if (found == Status::absent) continue;
        if (found != Status::ok ||
            store_segment_remove(archiving.store, segment) != Status::ok) {
            return fail(segment_path(segment), why);
        }
        removed++;
    }
    return sync_folder((string(sim_data_dir) + "/journal").c_str()) || fail("journal", why);
}

bool move_out(Archiving& archiving, uint32_t needed, string& why) {
    Archived& archived = archiving.archived;
    const uint32_t first = archived.segment > 1 ? archived.segment : 1;
    if (needed <= first) return true;
    Archived next = archived;
    if (!walk_to(archiving, first, needed, next, why)) return false;
    if (!copy_out(first, needed, why)) return false;
    const Status added = archived_add(next, first, needed - 1, next.entry, slice_of(shelf));
    if (added != Status::ok) return fail("ARCHIVED", why);
    if (store_archived_write(archiving.store, next, archiving.error) != Status::ok) {
        return fail_as_said(archiving, why);
    }
    archived = next;
    return true;
}

bool open(Archiving& archiving, string& why) {
    const bool is_open =
        store_open(archiving.store, disk, sim_data_dir, StoreMode::write, archiving.error) ==
            Status::ok &&
        store_archived(archiving.store, archiving.archived, archiving.error) == Status::ok;
    return is_open || fail_as_said(archiving, why);
}

}  // namespace

bool archive_old(SimArchive& out, string& why) {
    Archiving archiving;
    uint32_t needed = 0;
    out = {};
    bool done = open(archiving, why);
    if (done) done = find_needed(archiving, needed) || fail_as_said(archiving, why);
    if (done) done = move_out(archiving, needed, why);
    const uint32_t end = archiving.archived.segment;
    if (done && end > 1) done = remove_segments(archiving, end, out.segments, why);
    out.entry = end > 1 ? archiving.archived.entry - 1 : 0;
    store_close(archiving.store);
    return done;
}

bool archive_put_back(string& why) {
    Archiving archiving;
    bool done = open(archiving, why);
    const uint32_t end = archiving.archived.segment;
    store_close(archiving.store);
    for (uint32_t segment = 1; segment < end && done; segment++) {
        done = copy_file(shelved(segment), segment_path(segment)) || fail(shelf, why);
    }
    return done && (sync_folder((string(sim_data_dir) + "/journal").c_str()) ||
                    fail("journal", why));
}
