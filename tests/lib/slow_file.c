// Loaded before all others into a program under test: whoever opens the file $SLOW_FILE waits while
// the file $SLOW_WHILE exists, as in a driver whose device does not answer.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { waits_max = 12000 };  // of 5 ms

static int open_slowly(const char *path, int flags, mode_t mode) {
    const char *slow = getenv("SLOW_FILE");
    const char *marker = getenv("SLOW_WHILE");
    const int is_slow = slow != NULL && marker != NULL && strcmp(path, slow) == 0;
    for (int i = 0; is_slow && i < waits_max && access(marker, F_OK) == 0; i++) usleep(5000);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t mode_in(int flags, va_list more) {
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? (mode_t)va_arg(more, int) : 0;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_in(flags, more);
    va_end(more);
    return open_slowly(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_in(flags, more);
    va_end(more);
    return open_slowly(path, flags | O_LARGEFILE, mode);
}
