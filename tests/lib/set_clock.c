// Loaded before all others into a program under test: the time of day stands where the file
// $SET_CLOCK says, one 64-bit number of milliseconds since 1970, which a test may change at any
// time. All other clocks go on as they do.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const uint64_t *now_ms;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SET_CLOCK");
    if (path == NULL) return;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) abort();
    const void *shared = mmap(NULL, sizeof *now_ms, PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) abort();
    now_ms = shared;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    if (now_ms == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) {
        return (int)syscall(SYS_clock_gettime, clock, out);
    }
    const uint64_t ms = __atomic_load_n(now_ms, __ATOMIC_RELAXED);
    out->tv_sec = (time_t)(ms / 1000);
    out->tv_nsec = (long)(ms % 1000 * 1000000);
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    const int code = clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return code;
}

time_t time(time_t *out) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (out != NULL) *out = now.tv_sec;
    return now.tv_sec;
}
