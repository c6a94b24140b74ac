#include "pennyctl/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace {

// Files may lie in folders that were there before.
constexpr const char* folders_around[] = {"certs/clients", "certs", ".", ".."};

constexpr uint32_t folder_depth_max = 4;  // of what is removed below a folder that was made here

constexpr char fresh_ending[] = ".new";
constexpr size_t fresh_path_size = made_path_size_max + sizeof fresh_ending;

void remember(Made& made, const char* path, bool is_folder) {
    CHECK(made.row_count < made_rows_max);
    CHECK(strlen(path) <= made_path_size_max);
    MadeRow& row = made.rows[made.row_count++];
    memcpy(row.path.text, path, strlen(path) + 1);
    row.is_folder = is_folder;
}

Status write_all(int fd, Slice bytes) {
    uint32_t done = 0;
    while (done < bytes.size) {
        const ssize_t wrote = write(fd, bytes.data + done, bytes.size - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return Status::failed;
        done += static_cast<uint32_t>(wrote);
    }
    return Status::ok;
}

Status sync_folder(int at_fd, const char* path) {
    const int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Status::failed;
    const int answer = fsync(fd);
    const int why = errno;
    close(fd);
    errno = why;
    return answer == 0 ? Status::ok : Status::failed;
}

MadePath folder_of(const char* path) {
    MadePath folder = {};
    const char* slash = strrchr(path, '/');
    size_t size = slash == nullptr ? 0 : static_cast<size_t>(slash - path);
    if (slash == path) size = 1;
    if (size > 0) memcpy(folder.text, path, size);
    if (size == 0) folder.text[0] = '.';
    return folder;
}

Status sync_around(const Made& made, const char* path) {
    return sync_folder(made.folder_fd, folder_of(path).text);
}

void unlink_keeping_errno(const Made& made, const char* path) {
    const int why = errno;
    unlinkat(made.folder_fd, path, 0);
    errno = why;
}

// Only root makes files that are somebody else's to read.
Status give_to_owner(const Made& made, int fd, const char* path) {
    struct stat folder = {};
    if (geteuid() != 0) return Status::ok;
    if (fstatat(made.folder_fd, folder_of(path).text, &folder, 0) != 0) return Status::failed;
    if (folder.st_uid == 0) return Status::ok;
    return fchown(fd, folder.st_uid, folder.st_gid) == 0 ? Status::ok : Status::failed;
}

// Makes PATH.new, whole and synced (F1). What a cut left of an earlier one is in nobody's use.
Status write_fresh(const Made& made, const char* path, uint32_t mode, Slice bytes,
                   char fresh[fresh_path_size]) {
    const size_t size = strlen(path);
    CHECK(size <= made_path_size_max);
    memcpy(fresh, path, size);
    memcpy(fresh + size, fresh_ending, sizeof fresh_ending);
    if (unlinkat(made.folder_fd, fresh, 0) != 0 && errno != ENOENT) return Status::failed;
    const int fd = openat(made.folder_fd, fresh,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return Status::failed;
    Status status = write_all(fd, bytes);
    if (status == Status::ok) status = give_to_owner(made, fd, path);
    if (status == Status::ok && fsync(fd) != 0) status = Status::failed;
    const int why = errno;
    if (close(fd) != 0 && status == Status::ok) status = Status::failed;
    errno = why;
    if (status != Status::ok) unlink_keeping_errno(made, fresh);
    return status;
}

// Names it where nothing has that name. Not every file system knows the first call.
Status name_fresh(const Made& made, const char* fresh, const char* path) {
    const int fd = made.folder_fd;
    if (renameat2(fd, fresh, fd, path, RENAME_NOREPLACE) == 0) return Status::ok;
    if (errno != EINVAL && errno != ENOSYS) return Status::failed;
    if (linkat(fd, fresh, fd, path, 0) != 0) return Status::failed;
    return unlinkat(fd, fresh, 0) == 0 ? Status::ok : Status::failed;
}

Status drop_torn_line(int fd) {
    const off_t end = lseek(fd, 0, SEEK_END);
    off_t keep = end;
    char byte = '\n';
    for (; keep > 0; keep--) {
        if (pread(fd, &byte, 1, keep - 1) != 1) return Status::failed;
        if (byte == '\n') break;
    }
    if (end < 0) return Status::failed;
    return keep == end || ftruncate(fd, keep) == 0 ? Status::ok : Status::failed;
}

void remove_content(int at_fd, const char* path, uint32_t depth) {
    const int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    DIR* folder = fdopendir(fd);
    if (folder == nullptr) {
        close(fd);
        return;
    }
    while (const dirent* entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || depth == 0) continue;
        remove_content(fd, entry->d_name, depth - 1);
        unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(folder);
}

}  // namespace

Status made_look(Made& made, const char* folder) {
    made = {};
    made.folder = folder;
    made.folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return made.folder_fd >= 0 || errno == ENOENT ? Status::ok : Status::failed;
}

Status made_begin(Made& made) {
    if (made.folder_fd >= 0) return Status::ok;
    if (mkdir(made.folder, 0755) != 0) return Status::failed;
    made.folder_is_ours = true;
    made.folder_fd = open(made.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return made.folder_fd >= 0 ? Status::ok : Status::failed;
}

Status made_folder(Made& made, const char* path, uint32_t mode) {
    if (mkdirat(made.folder_fd, path, mode) == 0) {
        remember(made, path, true);
        const int fd = openat(made.folder_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const Status status = fd < 0 ? Status::failed : give_to_owner(made, fd, path);
        if (fd >= 0) close(fd);
        return status;
    }
    if (errno != EEXIST) return Status::failed;
    struct stat found = {};
    if (fstatat(made.folder_fd, path, &found, AT_SYMLINK_NOFOLLOW) != 0) return Status::failed;
    if (S_ISDIR(found.st_mode)) return Status::ok;
    errno = ENOTDIR;
    return Status::failed;
}

Status made_file(Made& made, const char* path, uint32_t mode, Slice bytes) {
    char fresh[fresh_path_size];
    if (write_fresh(made, path, mode, bytes, fresh) != Status::ok) return Status::failed;
    Status status = name_fresh(made, fresh, path);
    if (status == Status::ok) {
        remember(made, path, false);
    } else {
        unlink_keeping_errno(made, fresh);
    }
    return status;
}

Status made_replace(Made& made, const char* path, uint32_t mode, Slice bytes) {
    char fresh[fresh_path_size];
    if (write_fresh(made, path, mode, bytes, fresh) != Status::ok) return Status::failed;
    if (renameat(made.folder_fd, fresh, made.folder_fd, path) != 0) {
        unlink_keeping_errno(made, fresh);
        return Status::failed;
    }
    return sync_around(made, path);
}

Status made_append(Made& made, const char* path, uint32_t mode, Slice line) {
    const bool was_there = made_is_there(made, path);
    const int fd = openat(made.folder_fd, path,
                          O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return Status::failed;
    if (!was_there) remember(made, path, false);
    Status status = was_there ? Status::ok : give_to_owner(made, fd, path);
    if (status == Status::ok) status = drop_torn_line(fd);
    if (status == Status::ok) status = write_all(fd, line);
    if (status == Status::ok && fsync(fd) != 0) status = Status::failed;
    const int why = errno;
    close(fd);
    errno = why;
    return status == Status::ok && !was_there ? sync_around(made, path) : status;
}

Status made_sync(Made& made) {
    for (uint32_t i = 0; i < made.row_count; i++) {
        if (!made.rows[i].is_folder) continue;
        const Status status = sync_folder(made.folder_fd, made.rows[i].path.text);
        if (status != Status::ok) return status;
    }
    for (const char* path : folders_around) {
        if (sync_folder(made.folder_fd, path) != Status::ok && errno != ENOENT && errno != EACCES) {
            return Status::failed;
        }
    }
    return Status::ok;
}

bool made_is_there(const Made& made, const char* path) {
    struct stat found = {};
    if (made.folder_fd < 0) return false;
    return fstatat(made.folder_fd, path, &found, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

void made_undo(Made& made) {
    for (uint32_t i = made.row_count; i > 0; i--) {
        const MadeRow& row = made.rows[i - 1];
        if (row.is_folder) remove_content(made.folder_fd, row.path.text, folder_depth_max);
        unlinkat(made.folder_fd, row.path.text, row.is_folder ? AT_REMOVEDIR : 0);
    }
    made.row_count = 0;
    if (made.folder_is_ours) rmdir(made.folder);
}

void made_close(Made& made) {
    if (made.folder_fd >= 0) close(made.folder_fd);
    made.folder_fd = -1;
}
