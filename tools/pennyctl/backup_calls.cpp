// The members of an archive as a data directory that can be read and nothing else (U3).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pennyctl/backup.h"

namespace {

constexpr int fd_data = 1 << 24;           // no descriptor of the system is that high
constexpr int fd_journal = fd_data + 1;
constexpr int fd_file_first = fd_data + 2;

constexpr const char* data_prefix = "data/";
constexpr const char* journal_prefix = "data/journal/";

// What is mounted, and how far the one folder that is being listed was told.
struct Mount {
    const BackupArchive* archive;
    uint32_t list_at;
    char list_last[64];  // the name told last; what lies in one folder stands together
};

Mount mount = {};

int fail(int code) {
    errno = code;
    return -1;
}

int open_folder(int fd) {
    mount.list_at = 0;
    mount.list_last[0] = '\0';
    return fd;
}

int call_open(int dir, const char* path, int flags, uint32_t) {
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0) return fail(EROFS);
    if (dir == AT_FDCWD) return open_folder(fd_data);
    if (strcmp(path, ".") == 0) return open_folder(dir);
    if (dir == fd_data && strcmp(path, "journal") == 0) return open_folder(fd_journal);
    char name[tar_name_size_max + 1];
    const char* prefix = dir == fd_journal ? journal_prefix : data_prefix;
    const int size = snprintf(name, sizeof name, "%s%s", prefix, path);
    if (size < 0 || static_cast<uint32_t>(size) >= sizeof name) return fail(ENOENT);
    for (uint32_t i = 0; i < mount.archive->file_count; i++) {
        if (strcmp(mount.archive->files[i].name, name) == 0) {
            return fd_file_first + static_cast<int>(i);
        }
    }
    return fail(ENOENT);
}

// Two of the calls ask for a file.
const BackupFile* file_of(int fd) {
    if (fd < fd_file_first) return nullptr;
    const uint32_t index = static_cast<uint32_t>(fd - fd_file_first);
    return index < mount.archive->file_count ? &mount.archive->files[index] : nullptr;
}

int64_t call_pread(int fd, void* out, uint64_t size, uint64_t offset) {
    const BackupFile* file = file_of(fd);
    if (file == nullptr) return fail(EBADF);
    if (offset >= file->whole) return 0;
    if (size > file->whole - offset) size = file->whole - offset;
    if (offset >= file->size) {
        memset(out, 0, static_cast<size_t>(size));
        return static_cast<int64_t>(size);
    }
    if (size > file->size - offset) size = file->size - offset;
    const uint64_t begin = mount.archive->offsets[fd - fd_file_first];
    return pread(mount.archive->fd, out, static_cast<size_t>(size),
                 static_cast<off_t>(begin + offset));
}

int64_t call_size(int fd) {
    const BackupFile* file = file_of(fd);
    return file == nullptr ? fail(EINVAL) : static_cast<int64_t>(file->whole);
}

// The next name in a folder that differs from the one before; empty at the end.
Slice next_name(const char* prefix) {
    const uint32_t prefix_size = static_cast<uint32_t>(strlen(prefix));
    while (mount.list_at < mount.archive->file_count) {
        const char* name = mount.archive->files[mount.list_at++].name;
        if (strncmp(name, prefix, prefix_size) != 0) continue;
        const char* behind = name + prefix_size;
        const uint32_t size = static_cast<uint32_t>(strcspn(behind, "/"));
        if (size >= sizeof mount.list_last) continue;  // No name of ours is that long.
        if (strncmp(mount.list_last, behind, size) == 0 && mount.list_last[size] == '\0') continue;
        memcpy(mount.list_last, behind, size);
        mount.list_last[size] = '\0';
        return {reinterpret_cast<const uint8_t*>(behind), size};
    }
    return {nullptr, 0};
}

// One entry at a time, laid out as getdents64 does.
int64_t call_list(int fd, void* out, uint64_t size) {
    if (fd != fd_data && fd != fd_journal) return fail(ENOTDIR);
    const Slice name = next_name(fd == fd_journal ? journal_prefix : data_prefix);
    if (name.size == 0) return 0;
    Writer entry = writer_of(static_cast<uint8_t*>(out), static_cast<uint32_t>(size));
    const uint32_t whole = (8 + 8 + 2 + 1 + name.size + 1 + 7) / 8 * 8;
    put_u64(entry, 1);
    put_u64(entry, mount.list_at);
    put_u16(entry, static_cast<uint16_t>(whole));
    put_u8(entry, 0);
    put_bytes(entry, name);
    put_zeros(entry, whole - entry.size);
    return entry.overflow ? fail(EINVAL) : static_cast<int64_t>(entry.size);
}

int call_refuse(int) { return fail(EROFS); }

}  // namespace

const StoreCalls backup_calls = {
    .open = call_open,
    .close = [](int) { return 0; },
    .pread = call_pread,
    .pwrite = [](int, const void*, uint64_t, uint64_t) -> int64_t { return fail(EROFS); },
    .fdatasync = call_refuse,
    .fsync = call_refuse,
    .rename = [](int, const char*, const char*) { return fail(EROFS); },
    .unlink = [](int, const char*, int) { return fail(EROFS); },
    .mkdir = [](int, const char*, uint32_t) { return fail(EROFS); },
    .symlink = [](const char*, int, const char*) { return fail(EROFS); },
    .readlink = [](int, const char*, char*, uint64_t) -> int64_t { return fail(ENOENT); },
    .list = call_list,
    .size = call_size,
    .truncate = [](int, uint64_t) { return fail(EROFS); },
    .forget = [](int) { return 0; },
    .lock = call_refuse,
    .lock_test = call_refuse,
    .pid = getpid,
};

void backup_mount(const BackupArchive& archive) { mount = {&archive, 0, {}}; }

Status backup_check(const BackupArchive& archive, Check& check, CheckSums& sums, Writer& error) {
    Hash digest = {};
    backup_mount(archive);
    const Status status = check_book(check, backup_calls, archive.path, error, sums, digest);
    if (status != Status::ok) return status;
    const BackupBook& book = archive.book;
    const Recovery& end = check.recovery;
    const bool is_same = end.batch_seq == book.batch && end.entry_seq == book.entry &&
                         position_of(end.segment, end.offset) == book.end &&
                         hash_equal(end.chain, book.chain) && hash_equal(digest, book.digest);
    if (is_same) return status;
    error.size = 0;
    put_text(error, archive.path);
    put_text(error, ": its journal does not end as its MANIFEST says; take another backup");
    return Status::damaged;
}
