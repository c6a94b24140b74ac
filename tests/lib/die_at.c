// Loaded before all others into a program under test: ends it, or fails a call, at a chosen place.
//
// Every call that changes something on disk is counted from 1: writes, syncs, names made, changed
// and removed. $DIE_AT=N kills the process at call N, in the middle of a write; $FAIL_AT=N lets
// that call and all that follow fail for want of room. What goes to standard output and error does
// not count.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static long number_in(const char *name) {
    const char *text = getenv(name);
    return text == NULL ? -1 : atol(text);
}

static long calls = 0;

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

// True when this call is to fail. `half` does half of it before the end comes.
static int turn(void (*half)(int, const void *, size_t, off_t), int fd, const void *data,
                size_t size, off_t offset) {
    calls++;
    if (calls == number_in("DIE_AT")) {
        if (half != NULL && size > 1) half(fd, data, size / 2, offset);
        die();
    }
    const long fail_at = number_in("FAIL_AT");
    if (fail_at < 0 || calls < fail_at) return 0;
    errno = ENOSPC;
    return 1;
}

static int plain_turn(void) { return turn(NULL, -1, NULL, 0, 0); }

static void half_write(int fd, const void *data, size_t size, off_t offset) {
    (void)offset;
    syscall(SYS_write, fd, data, size);
}

static void half_pwrite(int fd, const void *data, size_t size, off_t offset) {
    syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size) {
    if (fd > 2 && turn(half_write, fd, data, size, 0)) return -1;
    return syscall(SYS_write, fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    if (turn(half_pwrite, fd, data, size, offset)) return -1;
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    return pwrite(fd, data, size, (off_t)offset);
}

int fsync(int fd) { return plain_turn() ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return plain_turn() ? -1 : (int)syscall(SYS_fdatasync, fd); }

int ftruncate(int fd, off_t size) {
    return plain_turn() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, (off_t)size); }

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    if (plain_turn()) return -1;
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int dir, const char *path, int flags) {
    return plain_turn() ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int dir, const char *path, mode_t mode) {
    return plain_turn() ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int symlinkat(const char *target, int dir, const char *path) {
    return plain_turn() ? -1 : (int)syscall(SYS_symlinkat, target, dir, path);
}

static int open_at(int dir, const char *path, int flags, mode_t mode) {
    if ((flags & O_CREAT) != 0 && plain_turn()) return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = (mode_t)va_arg(more, unsigned);
    va_end(more);
    return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = (mode_t)va_arg(more, unsigned);
    va_end(more);
    return open_at(dir, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = (mode_t)va_arg(more, unsigned);
    va_end(more);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = (mode_t)va_arg(more, unsigned);
    va_end(more);
    return open_at(AT_FDCWD, path, flags, mode);
}
