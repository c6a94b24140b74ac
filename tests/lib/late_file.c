// Loaded before all others into a program under test: the first time that it opens the file whose
// path ends in $LATE_FILE it is not there yet, as one that another process is just making.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef int (*openat_call)(int folder, const char *path, int flags, ...);

static int is_late(const char *path) {
    static int opened;
    const char *late = getenv("LATE_FILE");
    const size_t size = strlen(path);
    if (late == NULL || size < strlen(late)) return 0;
    return strcmp(path + size - strlen(late), late) == 0 && opened++ == 0;
}

static int open_with(const char *name, int folder, const char *path, int flags, mode_t mode) {
    if (is_late(path)) {
        errno = ENOENT;
        return -1;
    }
    return ((openat_call)dlsym(RTLD_NEXT, name))(folder, path, flags, mode);
}

#define TAKE_MODE(mode)           \
    va_list rest;                 \
    va_start(rest, flags);        \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest)

int openat(int folder, const char *path, int flags, ...) {
    TAKE_MODE(mode);
    return open_with("openat", folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    TAKE_MODE(mode);
    return open_with("openat64", folder, path, flags, mode);
}
