#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "pennyctl/archive.h"

namespace {

int folder_fds[archive_folders_max];
uint32_t folder_count = 0;

int call_open(int dir, const char* path, int flags, uint32_t mode) {
    const int fd = store_calls_posix.open(dir, path, flags, mode);
    constexpr const char* prefix = "journal/";
    if (fd >= 0 || errno != ENOENT || (flags & O_CREAT) != 0) return fd;
    if (strncmp(path, prefix, strlen(prefix)) != 0) return fd;
    const char* name = path + strlen(prefix);
    const size_t size = strlen(name);
    constexpr const char* ending = ".journal";
    if (size < strlen(ending) || strcmp(name + size - strlen(ending), ending) != 0) return fd;
    for (uint32_t i = 0; i < folder_count; i++) {
        const int found = store_calls_posix.open(folder_fds[i], name, flags, mode);
        if (found >= 0 || errno != ENOENT) return found;
    }
    errno = ENOENT;
    return -1;
}

int64_t call_pread(int fd, void* out, uint64_t size, uint64_t offset) {
    return store_calls_posix.pread(fd, out, size, offset);
}

int call_refuse(int) {
    errno = EROFS;
    return -1;
}

// Only what a reader needs.
const StoreCalls archive_calls = {
    .open = call_open,
    .close = close,
    .pread = call_pread,
    .pwrite = [](int, const void*, uint64_t, uint64_t) -> int64_t { return call_refuse(0); },
    .fdatasync = call_refuse,
    .fsync = call_refuse,
    .rename = [](int, const char*, const char*) { return call_refuse(0); },
    .unlink = [](int, const char*, int) { return call_refuse(0); },
    .mkdir = [](int, const char*, uint32_t) { return call_refuse(0); },
    .symlink = [](const char*, int, const char*) { return call_refuse(0); },
    .readlink = [](int dir, const char* path, char* out, uint64_t size) {
        return store_calls_posix.readlink(dir, path, out, size);
    },
    .list = [](int fd, void* out, uint64_t size) { return store_calls_posix.list(fd, out, size); },
    .size = [](int fd) { return store_calls_posix.size(fd); },
    .truncate = [](int, uint64_t) { return call_refuse(0); },
    .forget = [](int) { return 0; },
    .lock = call_refuse,
    .lock_test = call_refuse,
    .pid = getpid,
};

}  // namespace

ExitCode archive_take(ArchiveFolders& folders, const char* verb, ToolWords& words) {
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused_verb(verb, "--archive wants a folder");
    if (folders.count == archive_folders_max) {
        return tool_misused_verb(verb, "there are at most %u archives", archive_folders_max);
    }
    folders.paths[folders.count++] = value;
    return exit_done;
}

ExitCode archive_mount(const ArchiveFolders& folders, const StoreCalls*& out) {
    CHECK(folders.count <= archive_folders_max);
    for (folder_count = 0; folder_count < folders.count; folder_count++) {
        const char* path = folders.paths[folder_count];
        const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) return tool_refuse("the archive %s: %s", path, strerror(errno));
        folder_fds[folder_count] = fd;
    }
    out = folders.count > 0 ? &archive_calls : &store_calls_posix;
    return exit_done;
}
