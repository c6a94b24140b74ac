#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "pennyctl/backup.h"
#include "pennyctl/bank_files.h"
#include "port/posix/store_file.h"

namespace {

constexpr uint32_t sync_depth_max = 8;

struct Restore {
    ToolPath dir;
    ToolPath making;  // DIR.restoring: nothing in it is believed until it has its name
    int fd;            // of it; -1 while it is not there
    BackupArchive archive;
    Check check;
    Writer error;
};

ExitCode refuse_errno(const char* path) { return tool_refuse("%s: %s", path, strerror(errno)); }

Status note_name(void*, const char*) { return Status::exists; }

ExitCode look_at_target(Restore& restore, const char* dir) {
    restore.dir = tool_path("", dir);
    char* text = restore.dir.text;
    for (size_t size = strlen(text); size > 1 && text[size - 1] == '/'; size--) {
        text[size - 1] = '\0';
    }
    const int size =
        snprintf(restore.making.text, sizeof restore.making.text, "%s.restoring", text);
    if (text[0] == '\0' || size < 0 || static_cast<uint32_t>(size) >= sizeof restore.making.text) {
        return tool_refuse("the name of the folder is too long");
    }
    struct stat facts;
    if (lstat(text, &facts) != 0) {
        if (errno != ENOENT) return refuse_errno(text);
    } else {
        if (!S_ISDIR(facts.st_mode)) return tool_refuse("%s is there already, and no folder", text);
        const Status status = file_each(AT_FDCWD, text, note_name, nullptr);
        if (status == Status::exists) {
            return tool_refuse("%s is not empty; nothing was changed", text);
        }
        if (status != Status::ok) return refuse_errno(text);
    }
    if (lstat(restore.making.text, &facts) != 0) return exit_done;
    return tool_refuse("%s is left of a restore that did not end, or another one is at it; remove "
                       "it first", restore.making.text);
}

// Everything is believed before the first byte is written.
Status verify_archive(Restore& restore, const char* file) {
    CheckSums sums = {};
    Status status = backup_open(restore.archive, file, restore.error);
    if (status == Status::ok) {
        status = backup_check(restore.archive, restore.check, sums, restore.error);
    }
    check_sums_free(sums);
    return status;
}

Status say(Restore& restore, const char* name, const char* what) {
    restore.error.size = 0;
    put_text(restore.error, restore.making.text);
    put_text(restore.error, "/");
    put_text(restore.error, name);
    put_text(restore.error, ": ");
    put_text(restore.error, what);
    return Status::failed;
}

// Every folder that the file lies in.
Status make_folders(Restore& restore, const char* name) {
    char path[tar_name_size_max + 1];
    for (uint32_t i = 0; name[i] != '\0'; i++) {
        if (name[i] == '/') {
            path[i] = '\0';
            if (mkdirat(restore.fd, path, 0700) != 0 && errno != EEXIST) {
                return say(restore, path, strerror(errno));
            }
        }
        path[i] = name[i];
    }
    return Status::ok;
}

// Copies one member and compares what was read with its hash once more.
Status copy_member(const BackupArchive& archive, uint32_t index, int target) {
    static uint8_t piece[copy_piece_size];
    const BackupFile& file = archive.files[index];
    Hasher hasher;
    hasher_init(hasher);
    for (uint64_t done = 0; done < file.size;) {
        const uint64_t left = file.size - done;
        const uint32_t size =
            left < copy_piece_size ? static_cast<uint32_t>(left) : copy_piece_size;
        uint32_t got = 0;
        Status status = store_read_all(store_calls_posix, archive.fd, piece, size,
                                       archive.offsets[index] + done, got);
        if (status == Status::ok && got == size) status = file_write(target, {piece, size});
        if (status != Status::ok || got < size) return Status::failed;
        hasher_feed(hasher, {piece, size});
        done += size;
    }
    errno = EIO;  // For the sentence, should the comparison fail.
    if (!hash_equal(hasher_finish(hasher), file.hash)) return Status::failed;
    const Status status = file_write_zeros(target, file.whole - file.size);
    if (status != Status::ok) return status;
    return fsync(target) == 0 ? Status::ok : Status::failed;
}

Status unpack_file(Restore& restore, uint32_t index) {
    const char* name = restore.archive.files[index].name;
    Status status = make_folders(restore, name);
    if (status != Status::ok) return status;
    const int target = openat(restore.fd, name,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (target < 0) return say(restore, name, strerror(errno));
    status = copy_member(restore.archive, index, target);
    if (status != Status::ok) status = say(restore, name, strerror(errno));
    if (close(target) != 0 && status == Status::ok) return say(restore, name, strerror(errno));
    return status;
}

// What a person looks for in data/: the same links that a checkpoint makes.
Status make_links(Restore& restore) {
    if (restore.check.list.count == 0) return Status::ok;
    const StorePath target = store_path_checkpoint(restore.check.list.numbers[0]);
    const bool are_made = symlinkat(target.text, restore.fd, "data/current") == 0 &&
                          symlinkat("current/passwd", restore.fd, "data/passwd") == 0 &&
                          symlinkat("current/balance", restore.fd, "data/balance") == 0;
    return are_made ? Status::ok : say(restore, "data/current", strerror(errno));
}

struct Folder {
    int fd;
    uint32_t depth;
};

Status sync_tree(int dir, const char* path, uint32_t depth);

Status sync_entry(void* context, const char* name) {
    Folder& folder = *static_cast<Folder*>(context);
    struct stat facts;
    if (fstatat(folder.fd, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return Status::failed;
    if (!S_ISDIR(facts.st_mode)) return Status::ok;
    return folder.depth == 0 ? Status::failed : sync_tree(folder.fd, name, folder.depth - 1);
}

// Syncs the lists of names, the deepest first.
Status sync_tree(int dir, const char* path, uint32_t depth) {
    Folder folder = {openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), depth};
    if (folder.fd < 0) return Status::failed;
    const Status status = file_each(folder.fd, ".", sync_entry, &folder);
    const bool is_synced = status == Status::ok && fsync(folder.fd) == 0;
    const int why = errno;
    close(folder.fd);
    errno = why;
    return is_synced ? Status::ok : Status::failed;
}

Status unpack(Restore& restore) {
    if (mkdir(restore.making.text, 0700) != 0) return say(restore, "", strerror(errno));
    restore.fd = open(restore.making.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (restore.fd < 0) return say(restore, "", strerror(errno));
    Status status = Status::ok;
    for (uint32_t i = 0; status == Status::ok && i < restore.archive.file_count; i++) {
        status = unpack_file(restore, i);
    }
    if (status == Status::ok) status = make_links(restore);
    if (status != Status::ok) return status;
    if (sync_tree(restore.fd, ".", sync_depth_max) == Status::ok) return status;
    return say(restore, "", strerror(errno));
}

// Reads the new bank as a check of it would.
Status verify_unpacked(Restore& restore) {
    CheckSums sums = {};
    Hash digest = {};
    const ToolPath data = tool_path(restore.making.text, "data");
    const Status status = check_book(restore.check, store_calls_posix, data.text, restore.error,
                                     sums, digest);
    check_sums_free(sums);
    if (status != Status::ok) return status;
    if (hash_equal(digest, restore.archive.book.digest)) return status;
    return say(restore, "data", "does not read back as it was written");
}

Status name_it(Restore& restore) {
    const char* to = restore.dir.text;
    restore.error.size = 0;
    if (rename(restore.making.text, to) != 0) {  // Only an empty folder gives way.
        const bool is_mount = errno == EBUSY;
        const char* why = strerror(errno);
        put_text(restore.error, to);
        put_text(restore.error, is_mount ? ": a mount point; name a new folder in it" : ": ");
        if (!is_mount) put_text(restore.error, why);
        return Status::failed;
    }
    const ToolPath folder = place_folder_of(to);
    if (file_sync_folder(AT_FDCWD, folder.text) == Status::ok) return Status::ok;
    const char* why = strerror(errno);
    put_text(restore.error, folder.text);
    put_text(restore.error, ": cannot be synced: ");
    put_text(restore.error, why);
    return Status::failed;
}

void print_keys_missing(const Restore& restore) {
    Reader lines = restore.archive.without;
    BackupName name;
    while (backup_take_without(lines, name) == Status::ok) {
        printf("missing  %s, a private key that was left out: put it back, mode 0600\n",
               name.text);
    }
}

void print_outcome(const Restore& restore) {
    const BackupBook& book = restore.archive.book;
    uint8_t text[64];
    Writer time = writer_of(text, sizeof text);
    put_utc(time, book.time_ms);
    const int size = static_cast<int>(time.size);
    const char* said = reinterpret_cast<char*>(text);
    const unsigned long long entry = book.entry;
    printf("restored %s\n", restore.dir.text);
    printf("entry    %llu of %.*s\n", entry, size, said);
    tool_print_hash("digest   ", book.digest);
    print_keys_missing(restore);
    printf("The last entry is %llu. What was acknowledged after it, since %.*s,\n"
           "is gone: it must be booked again by hand, and its numbers will be given again.\n"
           "A client that remembers a later entry, or a receipt of one, is right about it.\n"
           "The bank that was backed up must not run again beside this one.\n",
           entry, size, said);
}

ExitCode run(Restore& restore, const char* file, const char* dir) {
    const ExitCode code = look_at_target(restore, dir);
    if (code != exit_done) return code;
    Status status = verify_archive(restore, file);
    if (status == Status::ok) {
        status = unpack(restore);
        if (status == Status::ok) status = verify_unpacked(restore);
        if (status == Status::ok) status = name_it(restore);
        if (restore.fd >= 0) close(restore.fd);
        if (status != Status::ok) file_remove_folder(AT_FDCWD, restore.making.text);
    }
    if (status != Status::ok) return tool_refuse_said(restore.error);
    print_outcome(restore);
    return tool_flushed(exit_done);
}

}  // namespace

int verb_restore(int argc, char** argv) {
    static Restore restore;
    static uint8_t text[2 * PATH_MAX + config_error_size_max];
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    const char* given[2] = {};
    for (const char*& word : given) {
        word = tool_next(words, is_option);
        if (word == nullptr) return tool_misused("restore wants the FILE and the DIR to make");
        if (is_option) return tool_misused("restore: no option \"%s\"", word);
    }
    if (tool_next(words, is_option) != nullptr) return tool_misused("restore takes FILE and DIR");
    restore.fd = restore.archive.fd = -1;
    restore.error = writer_of(text, sizeof text);
    const ExitCode code = run(restore, given[0], given[1]);
    backup_close(restore.archive);
    return code;
}
