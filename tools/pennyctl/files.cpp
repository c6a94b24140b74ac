#include "pennyctl/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace {

// Files may lie in folders that were there before.
constexpr const char* folders_around[] = {"certs/clients", "certs", ".", ".."};

constexpr uint32_t folder_depth_max = 4;  // of what is removed below a folder that was made here

void remember(Made& made, const char* path, bool is_folder) {
    CHECK(made.row_count < made_rows_max);
    CHECK(strlen(path) <= made_path_size_max);
    MadeRow& row = made.rows[made.row_count++];
    memcpy(row.path, path, strlen(path) + 1);
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
        return Status::ok;
    }
    if (errno != EEXIST) return Status::failed;
    struct stat found = {};
    if (fstatat(made.folder_fd, path, &found, AT_SYMLINK_NOFOLLOW) != 0) return Status::failed;
    if (S_ISDIR(found.st_mode)) return Status::ok;
    errno = ENOTDIR;
    return Status::failed;
}

Status made_file(Made& made, const char* path, uint32_t mode, Slice bytes) {
    const int fd =
        openat(made.folder_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return Status::failed;
    remember(made, path, false);
    Status status = write_all(fd, bytes);
    if (status == Status::ok && fsync(fd) != 0) status = Status::failed;
    const int why = errno;
    if (close(fd) != 0 && status == Status::ok) return Status::failed;
    errno = why;
    return status;
}

Status made_sync(Made& made) {
    for (uint32_t i = 0; i < made.row_count; i++) {
        if (!made.rows[i].is_folder) continue;
        const Status status = sync_folder(made.folder_fd, made.rows[i].path);
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
        if (row.is_folder) remove_content(made.folder_fd, row.path, folder_depth_max);
        unlinkat(made.folder_fd, row.path, row.is_folder ? AT_REMOVEDIR : 0);
    }
    made.row_count = 0;
    if (made.folder_is_ours) rmdir(made.folder);
}

void made_close(Made& made) {
    if (made.folder_fd >= 0) close(made.folder_fd);
    made.folder_fd = -1;
}
