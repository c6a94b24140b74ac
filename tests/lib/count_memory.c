// count_memory.c - a library that is loaded before all others and counts calls for memory.
//
// Each call of malloc, calloc, realloc, memalign and the like, mmap and brk by anybody in the
// process is added to a file of 64-bit numbers that a test reads: the path is in $COUNT_MEMORY.
// With $COUNT_MEMORY_PLANT set, every getpeername allocates once, so that the test can see that it
// would see it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { count_malloc, count_calloc, count_realloc, count_aligned, count_mmap, count_brk, counts };

static uint64_t none[counts];
static uint64_t* counters = none;
static int plant;

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t align, size_t size);

static void count(int which) { __atomic_add_fetch(&counters[which], 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) static void begin(void) {
    const char* path = getenv("COUNT_MEMORY");
    plant = getenv("COUNT_MEMORY_PLANT") != NULL;
    if (path == NULL) return;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    void* shared = (void*)syscall(SYS_mmap, NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED,
                                  fd, 0);
    if (shared == MAP_FAILED) abort();
    counters = shared;
    close(fd);
}

void* malloc(size_t size) {
    count(count_malloc);
    return __libc_malloc(size);
}

void* calloc(size_t number, size_t size) {
    count(count_calloc);
    return __libc_calloc(number, size);
}

void* realloc(void* block, size_t size) {
    count(count_realloc);
    return __libc_realloc(block, size);
}

void* memalign(size_t align, size_t size) {
    count(count_aligned);
    return __libc_memalign(align, size);
}

void* aligned_alloc(size_t align, size_t size) { return memalign(align, size); }

int posix_memalign(void** out, size_t align, size_t size) {
    *out = memalign(align, size);
    return *out == NULL ? 12 : 0;
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
    count(count_mmap);
    return (void*)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

void* mmap64(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
    return mmap(at, size, protection, flags, fd, offset);
}

int brk(void* end) {
    count(count_brk);
    return (void*)syscall(SYS_brk, end) < end ? -1 : 0;
}

void* sbrk(intptr_t by) {
    static void* (*next)(intptr_t);
    count(count_brk);
    if (next == NULL) next = (void* (*)(intptr_t))dlsym(RTLD_NEXT, "sbrk");
    return next(by);
}

int getpeername(int fd, struct sockaddr* address, socklen_t* size) {
    if (plant) {
        void* volatile block = malloc(16);
        free(block);
    }
    return (int)syscall(SYS_getpeername, fd, address, size);
}
