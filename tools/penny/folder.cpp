#include "penny/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t file_mode = 0600;
constexpr uint32_t names_max = 4096;  // of one folder that are looked at

Status status_of_errno() {
    if (errno == ENOENT) return Status::absent;
    return errno == EEXIST ? Status::exists : Status::failed;
}

Status status_of(int answer) { return answer == 0 ? Status::ok : status_of_errno(); }

// Closes without losing the reason of a failure before it.
Status close_with(int fd, Status status) {
    const int reason = errno;
    close(fd);
    errno = reason;
    return status;
}

Status write_at(int fd, Slice bytes, uint64_t offset) {
    while (bytes.size > 0) {
        const ssize_t got = pwrite(fd, bytes.data, bytes.size, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return Status::failed;
        offset += static_cast<uint64_t>(got);
        bytes = slice_part(bytes, static_cast<uint32_t>(got), bytes.size);
    }
    return Status::ok;
}

Status read_all(int fd, Writer& out) {
    Writer copy = out;
    for (;;) {
        const ssize_t got = read(fd, copy.data + copy.size, writer_room(copy));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Status::failed;
        if (writer_room(copy) == 0) return Status::full;
        if (got == 0) break;
        copy.size += static_cast<uint32_t>(got);
    }
    out = copy;
    return Status::ok;
}

Status read_file(const KeyFolder& folder, const char* name, Writer& out, bool secret) {
    const int fd = openat(folder.fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return status_of_errno();
    struct stat facts = {};
    Status status = status_of(fstat(fd, &facts));
    if (status == Status::ok && secret && (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        status = Status::noperm;
    }
    if (status == Status::ok) status = read_all(fd, out);
    return close_with(fd, status);
}

// Whole lines behind `size` came meanwhile and are somebody else's; a piece without an end is
// nobody's.
Status judge_tail(int fd, uint64_t size, uint64_t size_now) {
    uint8_t tail[4096];
    if (size_now < size || size_now - size > sizeof tail) return Status::state;
    const ssize_t got = pread(fd, tail, sizeof tail, static_cast<off_t>(size));
    if (got < 0) return Status::failed;
    const bool has_lines = memchr(tail, '\n', static_cast<size_t>(got)) != nullptr;
    return has_lines ? Status::state : Status::ok;
}

Status sync_folder(const KeyFolder& folder) { return status_of(fsync(folder.fd)); }

// Makes each folder of a path that is not there.
Status make_folders(char* path) {
    for (char* at = path + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        const char end = *at;
        *at = '\0';
        const bool made = mkdir(path, folder_mode) == 0 || errno == EEXIST;
        *at = end;
        if (!made) return Status::failed;
        if (end == '\0') return Status::ok;
    }
}

}  // namespace

ExitCode folder_open(KeyFolder& folder, const char* messages, Slice person) {
    char path[folder_path_size_max + 1];
    Writer out = writer_of(reinterpret_cast<uint8_t*>(path), folder_path_size_max);
    put_text(out, messages);
    put_text(out, "/");
    put_bytes(out, person);
    if (out.overflow) {
        say("%s: the path is too long", messages);
        return exit_refused;
    }
    path[out.size] = '\0';
    return folder_open_at(folder, path, true);
}

ExitCode folder_open_at(KeyFolder& folder, const char* path, bool makes) {
    folder.fd = -1;
    const size_t size = strlen(path);
    if (size > folder_path_size_max) {
        say("%s: the path is too long", path);
        return exit_refused;
    }
    memcpy(folder.path, path, size + 1);
    if (!makes || make_folders(folder.path) == Status::ok) {
        folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (folder.fd >= 0) return exit_go_on;
    say("%s: %s", folder.path, strerror(errno));
    return exit_refused;
}

Status folder_lock(const KeyFolder& folder, bool waits) {
    int answer = -1;
    do {
        answer = flock(folder.fd, waits ? LOCK_EX : LOCK_EX | LOCK_NB);
    } while (answer != 0 && errno == EINTR);
    if (answer == 0) return Status::ok;
    return errno == EWOULDBLOCK ? Status::state : Status::failed;
}

namespace {

// What folder_make names its own, and nobody else anything.
constexpr char draft_begin[] = "penny-draft-";

bool remove_draft(void* context, const char* name) {
    const char* number = name + sizeof draft_begin - 1;
    const bool is_ours = number[0] != '\0' && number[strspn(number, "0123456789")] == '\0';
    if (is_ours) (void)folder_remove(*static_cast<const KeyFolder*>(context), name);
    return true;
}

}  // namespace

void folder_sweep(const KeyFolder& folder) {
    KeyFolder copy = folder;
    (void)folder_each(folder, draft_begin, remove_draft, &copy);
}

bool folder_is_file(const KeyFolder& folder, const char* name) {
    struct stat facts = {};
    return fstatat(folder.fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode);
}

Status folder_liken(const KeyFolder& folder, const char* name, const char* other) {
    struct stat facts = {};
    if (fstatat(folder.fd, other, &facts, AT_SYMLINK_NOFOLLOW) != 0) return status_of_errno();
    CHECK(S_ISREG(facts.st_mode));  // A link's mode says nothing.
    const int fd = openat(folder.fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return status_of_errno();
    // Who may not give a file away need not: it is his own that he replaces.
    const int given = fchown(fd, facts.st_uid, facts.st_gid);
    (void)given;
    return close_with(fd, status_of(fchmod(fd, facts.st_mode & 0777)));
}

void folder_close(KeyFolder& folder) {
    if (folder.fd >= 0) close(folder.fd);
    folder.fd = -1;
}

Status folder_read(const KeyFolder& folder, const char* name, Writer& out) {
    return read_file(folder, name, out, false);
}

Status folder_read_secret(const KeyFolder& folder, const char* name, Writer& out) {
    return read_file(folder, name, out, true);
}

Status folder_make(const KeyFolder& folder, const char* name, Slice bytes) {
    char draft[folder_name_size_max + 1];
    snprintf(draft, sizeof draft, "%s%ld", draft_begin, static_cast<long>(getpid()));
    const int fd = openat(folder.fd, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                          file_mode);
    if (fd < 0) return Status::failed;
    Status status = write_at(fd, bytes, 0);
    if (status == Status::ok) status = status_of(fsync(fd));
    status = close_with(fd, status);
    if (status == Status::ok) status = folder_link(folder, draft, name);
    const int reason = errno;
    unlinkat(folder.fd, draft, 0);
    errno = reason;
    return status;
}

Status folder_link(const KeyFolder& folder, const char* from, const char* to) {
    const Status status = status_of(linkat(folder.fd, from, folder.fd, to, 0));
    return status == Status::ok ? sync_folder(folder) : status;
}

Status folder_rename(const KeyFolder& folder, const char* from, const char* to) {
    const Status status = status_of(renameat(folder.fd, from, folder.fd, to));
    return status == Status::ok ? sync_folder(folder) : status;
}

Status folder_remove(const KeyFolder& folder, const char* name) {
    return status_of(unlinkat(folder.fd, name, 0));
}

bool folder_has(const KeyFolder& folder, const char* name) {
    return faccessat(folder.fd, name, F_OK, 0) == 0;
}

Status folder_each(const KeyFolder& folder, const char* begin,
                   bool (*take)(void* context, const char* name), void* context) {
    const int fd = openat(folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* names = fd < 0 ? nullptr : fdopendir(fd);
    if (names == nullptr) return fd < 0 ? Status::failed : close_with(fd, Status::failed);
    for (uint32_t i = 0; i < names_max; i++) {
        const dirent* row = readdir(names);
        if (row == nullptr) break;
        if (strncmp(row->d_name, begin, strlen(begin)) == 0 && !take(context, row->d_name)) break;
    }
    closedir(names);
    return Status::ok;
}

Status folder_lines(const KeyFolder& folder, const char* name, Writer& out) {
    const uint32_t start = out.size;
    const Status status = folder_read(folder, name, out);
    if (status == Status::absent) return Status::ok;
    if (status != Status::ok) return status;
    while (out.size > start && out.data[out.size - 1] != '\n') out.size--;  // D3
    return Status::ok;
}

Status folder_add_line(const KeyFolder& folder, const char* name, uint32_t size, Slice line) {
    CHECK(line.size > 0 && line.data[line.size - 1] == '\n');
    const int fd = openat(folder.fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, file_mode);
    if (fd < 0) return status_of_errno();
    Status status = status_of(flock(fd, LOCK_EX));
    struct stat facts = {};
    if (status == Status::ok) status = status_of(fstat(fd, &facts));
    if (status == Status::ok) status = judge_tail(fd, size, static_cast<uint64_t>(facts.st_size));
    if (status == Status::ok) status = status_of(ftruncate(fd, static_cast<off_t>(size)));
    if (status == Status::ok) status = write_at(fd, line, size);
    if (status == Status::ok) status = status_of(fsync(fd));
    if (status == Status::ok) status = sync_folder(folder);
    return close_with(fd, status);
}

ExitCode folder_refuse(const KeyFolder& folder, const char* name, Status status) {
    const char* reason = strerror(errno);
    if (status == Status::full) reason = "the file is too large";
    if (status == Status::state) reason = "another penny wrote to it; try again";
    if (status == Status::noperm) reason = "others may read this private key; chmod 600 it";
    if (status == Status::invalid) reason = "this is not what penny wrote";
    say("%s/%s: %s", folder.path, name, reason);
    return exit_refused;
}
