#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/posix/store.h"

namespace {

static_assert(sizeof(off_t) == 8, "compile with -D_FILE_OFFSET_BITS=64");

int call_open(int dir, const char* path, int flags, uint32_t mode) {
    return openat(dir, path, flags, mode);
}

int64_t call_pread(int fd, void* out, uint64_t size, uint64_t offset) {
    return pread(fd, out, static_cast<size_t>(size), static_cast<off_t>(offset));
}

int64_t call_pwrite(int fd, const void* data, uint64_t size, uint64_t offset) {
    return pwrite(fd, data, static_cast<size_t>(size), static_cast<off_t>(offset));
}

int call_rename(int dir, const char* from, const char* to) {
    return renameat(dir, from, dir, to);
}

int call_mkdir(int dir, const char* path, uint32_t mode) { return mkdirat(dir, path, mode); }

int64_t call_readlink(int dir, const char* path, char* out, uint64_t size) {
    return readlinkat(dir, path, out, static_cast<size_t>(size));
}

int64_t call_list(int fd, void* out, uint64_t size) {
    return syscall(SYS_getdents64, fd, out, static_cast<unsigned>(size));
}

int64_t call_size(int fd) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) return -1;
    if (S_ISREG(facts.st_mode)) return facts.st_size;
    errno = EINVAL;
    return -1;
}

int call_truncate(int fd, uint64_t size) { return ftruncate(fd, static_cast<off_t>(size)); }

int call_forget(int fd) {
    const int code = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (code == 0) return 0;
    errno = code;
    return -1;
}

// Locks of the open file description: they hold between two openings of one process too, and end
// with the last copy of the descriptor, however the process ends.
struct flock whole_file() {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

int call_lock(int fd) {
    struct flock lock = whole_file();
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int call_lock_test(int fd) {
    struct flock lock = whole_file();
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -1;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

}  // namespace

const StoreCalls store_calls_posix = {
    .open = call_open,
    .close = close,
    .pread = call_pread,
    .pwrite = call_pwrite,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .rename = call_rename,
    .unlink = unlinkat,
    .mkdir = call_mkdir,
    .symlink = symlinkat,
    .readlink = call_readlink,
    .list = call_list,
    .size = call_size,
    .truncate = call_truncate,
    .forget = call_forget,
    .lock = call_lock,
    .lock_test = call_lock_test,
    .pid = getpid,
};
