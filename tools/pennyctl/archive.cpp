#include "pennyctl/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "pennyctl/bank_files.h"
#include "port/posix/store_file.h"

namespace {

constexpr uint64_t day_ms = 86'400'000;
constexpr const char* instead =
    "stop it first, with `penny SHUTDOWN`; nothing was changed";

struct Options {
    const char* bank;
    const char* dest;
    const char* date;
    uint64_t before_ms;
};

// Where one segment ends.
struct SegmentEnd {
    uint32_t segment;  // 0 while nothing is known
    uint64_t batch;
    uint64_t entry;
    uint64_t time_ms;
    Hash chain;
};

struct Archive {
    Options options;
    BankPlace place;
    Store store;            // holds the lock
    Check check;
    int dest_fd;            // -1 while it is not open
    char name[archive_name_size_max + 1];
    SegmentEnd ends[2];     // of the newest segment that may go, and of the one being walked
    uint32_t first;         // what goes
    uint32_t needed;        // the oldest segment that a start may read
    const char* why_not;    // why the segment behind the last that may go stays
    bool is_closed;         // that segment was met
    Writer error;
};

// The days since 1970 of a date of the Gregorian calendar, by trying: no date has two.
Status parse_date(const char* text, uint64_t& out_ms) {
    const Slice date = slice_of(text);
    if (date.size != 10 || text[4] != '-' || text[7] != '-') return Status::invalid;
    uint64_t parts[3] = {};
    const uint32_t begins[] = {0, 5, 8, 11};
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t at = begins[i]; at + 1 < begins[i + 1]; at++) {
            if (text[at] < '0' || text[at] > '9') return Status::invalid;
            parts[i] = parts[i] * 10 + static_cast<uint64_t>(text[at] - '0');
        }
    }
    if (parts[0] < 1970) return Status::invalid;
    const uint64_t first_day = (parts[0] - 1970) * 365;  // No later than the year begins.
    for (uint64_t day = first_day; day < first_day + 2500; day++) {
        const CivilTime time = civil_time_of(day * 86400);
        if (time.year == parts[0] && time.month == parts[1] && time.day == parts[2]) {
            out_ms = day * day_ms;
            return Status::ok;
        }
    }
    return Status::invalid;
}

ExitCode take_options(Options& options, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    while (const char* word = tool_next(words, is_option)) {
        if (is_option) {
            if (strcmp(word, "--before") != 0) {
                return tool_misused("archive: no option \"%s\"", word);
            }
            options.date = tool_value(words);
            if (options.date == nullptr ||
                parse_date(options.date, options.before_ms) != Status::ok) {
                return tool_misused("--before takes a date such as 2026-01-31");
            }
        } else if (options.bank == nullptr) {
            options.bank = word;
        } else if (options.dest == nullptr) {
            options.dest = word;
        } else {
            return tool_misused("archive takes a bank and a folder, and \"%s\" is one more", word);
        }
    }
    if (options.bank == nullptr || options.dest == nullptr || options.date == nullptr) {
        return tool_misused("archive wants the bank, --before DATE and the folder; "
                            "pennyctl archive --help");
    }
    return exit_done;
}

ExitCode refuse_errno(const char* path) { return tool_refuse("%s: %s", path, strerror(errno)); }

// The folder's own name is what the archive is called.
ExitCode take_name(Archive& archive) {
    ToolPath path = tool_path("", archive.options.dest);
    for (size_t size = strlen(path.text); size > 1 && path.text[size - 1] == '/'; size--) {
        path.text[size - 1] = '\0';
    }
    const char* slash = strrchr(path.text, '/');
    const char* name = slash == nullptr ? path.text : slash + 1;
    const bool is_name = name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                         strlen(name) <= archive_name_size_max;
    if (!is_name) return tool_misused("the folder wants a name of its own, of at most 63 bytes");
    memcpy(archive.name, name, strlen(name) + 1);
    return exit_done;
}

ExitCode open_dest(Archive& archive) {
    const char* dest = archive.options.dest;
    if (mkdir(dest, 0700) != 0 && errno != EEXIST) return refuse_errno(dest);
    archive.dest_fd = open(dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (archive.dest_fd < 0) return refuse_errno(dest);
    struct stat there;
    struct stat here;
    if (fstat(archive.dest_fd, &there) != 0 || fstat(archive.store.journal_fd, &here) != 0) {
        return refuse_errno(dest);
    }
    if (there.st_dev != here.st_dev || there.st_ino != here.st_ino) return exit_done;
    return tool_refuse("%s is the journal's own folder", dest);
}

// --- What may go. ---

Status visit_entry(Check&, void*, const CheckEntry&) { return Status::ok; }

void close_segment(Archive& archive, const SegmentEnd& end) {
    if (archive.is_closed || end.segment < archive.first) return;
    if (end.segment >= archive.needed) {
        archive.why_not = "a checkpoint begins in it";
    } else if (end.time_ms >= archive.options.before_ms) {
        archive.why_not = "it is not older than that";
    } else {
        archive.ends[0] = end;
        return;
    }
    archive.is_closed = true;
}

Status visit_batch(Check& check, void* context) {
    Archive& archive = *static_cast<Archive*>(context);
    const Recovery& at = check.recovery;
    SegmentEnd& end = archive.ends[1];
    if (end.segment != 0 && end.segment != at.segment) close_segment(archive, end);
    end = {at.segment, at.batch_seq, at.entry_seq, at.time_ms, at.chain};
    return Status::ok;
}

// The oldest segment that a start from either checkpoint may read.
Status find_needed(Archive& archive) {
    const Check& check = archive.check;
    archive.needed = UINT32_MAX;
    for (uint32_t i = 0; i < check.list.count; i++) {
        const uint32_t segment = position_segment(check.manifests[i].mark.end);
        if (segment < archive.needed) archive.needed = segment;
    }
    if (check.list.count >= 2) return Status::ok;
    archive.error.size = 0;
    put_text(archive.error, archive.place.data.text);
    put_text(archive.error, ": two sound checkpoints are needed, so that a start never needs what "
                            "is archived; start the server, send CHECKPOINT, and stop it");
    return Status::failed;
}

// The whole book must be sound; then the walk is made once more to see where segments end.
Status choose(Archive& archive) {
    CheckSums sums = {};
    Hash digest = {};
    Check& check = archive.check;
    Status status = check_book(check, store_calls_posix, archive.place.data.text, archive.error,
                               sums, digest);
    check_sums_free(sums);
    if (status == Status::ok) status = find_needed(archive);
    if (status != Status::ok) return status;
    archive.first = check.archived.segment > 1 ? check.archived.segment : 1;
    archive.why_not = "it is the newest";
    status = store_open(check.store, store_calls_posix, archive.place.data.text, StoreMode::read,
                        archive.error);
    if (status != Status::ok) return status;
    const CheckVisitor visitor = {visit_entry, visit_batch, &archive};
    status = check_walk(check, visitor);
    archive.error = check.error;
    store_close(check.store);
    return status;
}

// --- Moving. ---

Status say(Archive& archive, const char* path, const char* what) {
    archive.error.size = 0;
    put_text(archive.error, path);
    put_text(archive.error, ": ");
    put_text(archive.error, what);
    return Status::failed;
}

// True when a plain file of that name is there and is not the segment itself.
bool is_copy_there(const Archive& archive, const char* path, const char* name) {
    struct stat copy;
    struct stat own;
    return fstatat(archive.dest_fd, name, &copy, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(copy.st_mode) && fstatat(archive.store.dir_fd, path, &own, 0) == 0 &&
           (copy.st_dev != own.st_dev || copy.st_ino != own.st_ino);
}

Status compare_copy(Archive& archive, const char* path, const char* name) {
    uint64_t sizes[2] = {};
    Hash hashes[2] = {};
    if (!is_copy_there(archive, path, name)) return say(archive, name, "is not a file of its own");
    if (file_hash_at(archive.store.dir_fd, path, sizes[0], hashes[0]) != Status::ok ||
        file_hash_at(archive.dest_fd, name, sizes[1], hashes[1]) != Status::ok) {
        return say(archive, path, strerror(errno));
    }
    if (sizes[0] == sizes[1] && hash_equal(hashes[0], hashes[1])) return Status::ok;
    return say(archive, name, "is in the archive already, with other content");  // D2
}

Status copy_segment(Archive& archive, uint32_t segment) {
    const StorePath path = store_path_segment(segment);
    const char* name = path.text + strlen("journal/");
    struct stat facts;
    if (fstatat(archive.dest_fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0) {
        return compare_copy(archive, path.text, name);
    }
    char making[64];
    snprintf(making, sizeof making, "%s.making", name);
    unlinkat(archive.dest_fd, making, 0);
    const bool is_copied =
        file_copy(archive.store.dir_fd, path.text, archive.dest_fd, making) == Status::ok &&
        renameat(archive.dest_fd, making, archive.dest_fd, name) == 0;
    if (is_copied) return Status::ok;
    const char* why = strerror(errno);
    unlinkat(archive.dest_fd, making, 0);
    return say(archive, name, why);
}

Status remove_segments(Archive& archive, uint32_t first, uint32_t last) {
    for (uint32_t segment = first; segment <= last; segment++) {
        if (store_segment_remove(archive.store, segment) == Status::ok) continue;
        return say(archive, store_path_segment(segment).text, strerror(errno));
    }
    if (file_sync_folder(archive.store.dir_fd, "journal") == Status::ok) return Status::ok;
    return say(archive, "journal", strerror(errno));
}

// What an earlier archiving was killed before removing.
Status remove_left_over(Archive& archive) {
    const Archived& archived = archive.check.archived;
    Status status = Status::ok;
    for (uint32_t segment = 1; segment < archived.segment && status == Status::ok; segment++) {
        const StorePath path = store_path_segment(segment);
        if (faccessat(archive.store.dir_fd, path.text, F_OK, 0) != 0) continue;
        const ArchivedPart* part = archived_find(archived, segment);
        if (part == nullptr || strcmp(part->name, archive.name) != 0) continue;
        status = copy_segment(archive, segment);
        if (status == Status::ok && fsync(archive.dest_fd) != 0) {
            status = say(archive, archive.name, strerror(errno));
        }
        if (status == Status::ok) status = remove_segments(archive, segment, segment);
    }
    return status;
}

Status copy_all(Archive& archive, uint32_t last) {
    Status status = Status::ok;
    for (uint32_t segment = archive.first; segment <= last && status == Status::ok; segment++) {
        status = copy_segment(archive, segment);
    }
    if (status != Status::ok) return status;
    const ToolPath around = place_folder_of(archive.options.dest);
    const bool is_synced = fsync(archive.dest_fd) == 0 &&
                           file_sync_folder(AT_FDCWD, around.text) == Status::ok;
    return is_synced ? status : say(archive, archive.name, strerror(errno));
}

Status write_anchor(Archive& archive) {
    const SegmentEnd& end = archive.ends[0];
    Archived archived = archive.check.archived;
    const Status added = archived_add(archived, archive.first, end.segment, end.entry + 1,
                                      slice_of(archive.name));
    if (added != Status::ok) {
        return say(archive, archive.name, added == Status::full
                                              ? "there are too many archives; use the newest again"
                                              : "not a name for an archive");
    }
    memcpy(archived.bank_id, archive.check.recovery.bank_id, bank_id_size);
    archived.segment = end.segment + 1;
    archived.batch = end.batch + 1;
    archived.entry = end.entry + 1;
    archived.time_ms = end.time_ms;
    archived.chain = end.chain;
    return store_archived_write(archive.store, archived, archive.error);
}

ExitCode print_outcome(const Archive& archive) {
    const SegmentEnd& end = archive.ends[0];
    printf("archived segments %u to %u into %s\n", archive.first, end.segment,
           archive.options.dest);
    printf("kept     from segment %u, batch %llu, entry %llu on\n", end.segment + 1,
           static_cast<unsigned long long>(end.batch + 1),
           static_cast<unsigned long long>(end.entry + 1));
    printf("copies were read back; journal/ARCHIVED names them. Keep the folder: statements end\n"
           "at it, and `pennyctl check %s --archive %s` sees all.\n",
           archive.options.bank, archive.options.dest);
    return tool_flushed(exit_done);
}

ExitCode move(Archive& archive) {
    const uint32_t last = archive.ends[0].segment;
    if (last < archive.first) {
        return tool_refuse("%s: segment %u stays: %s; nothing was changed",
                           archive.place.data.text, archive.first, archive.why_not);
    }
    Status status = copy_all(archive, last);
    if (status == Status::ok) status = write_anchor(archive);
    if (status == Status::ok) status = remove_segments(archive, archive.first, last);
    return status == Status::ok ? print_outcome(archive) : tool_refuse_said(archive.error);
}

ExitCode run(Archive& archive) {
    ExitCode code = place_find(archive.options.bank, archive.place, archive.error);
    if (code == exit_done) code = take_name(archive);
    if (code == exit_done) code = place_refuse_beside_server(archive.place, instead);
    if (code != exit_done) return code;
    if (store_open(archive.store, store_calls_posix, archive.place.data.text, StoreMode::write,
                   archive.error) != Status::ok) {
        return tool_refuse_said(archive.error);
    }
    if (choose(archive) != Status::ok) {
        code = tool_refuse_said(archive.error);
    } else {
        code = open_dest(archive);
    }
    if (code == exit_done && remove_left_over(archive) != Status::ok) {
        code = tool_refuse_said(archive.error);
    }
    if (code == exit_done) code = move(archive);
    if (archive.dest_fd >= 0) close(archive.dest_fd);
    store_close(archive.store);
    return code;
}

}  // namespace

int verb_archive(int argc, char** argv) {
    static Archive archive;
    static uint8_t text[2 * PATH_MAX + config_error_size_max];
    archive.dest_fd = -1;
    archive.error = writer_of(text, sizeof text);
    const ExitCode code = take_options(archive.options, argc, argv);
    return code == exit_done ? run(archive) : code;
}
