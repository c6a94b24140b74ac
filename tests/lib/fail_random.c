// Loaded before all others into a program under test: while the file $FAIL_RANDOM exists, the
// kernel's generator fails, as it does under a sandbox that forbids it.

#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t getrandom(void *out, size_t size, unsigned flags) {
    const char *path = getenv("FAIL_RANDOM");
    if (path != NULL && access(path, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_getrandom, out, size, flags);
}

int getentropy(void *out, size_t size) {
    return getrandom(out, size, 0) == (ssize_t)size ? 0 : -1;
}
