#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "port.h"

namespace {

uint32_t random_failures;

const char* level_name(LogLevel level) {
    switch (level) {
        case LogLevel::info: return " info ";
        case LogLevel::warning: return " warning ";
        case LogLevel::error: return " error ";
    }
    return " ";
}

}  // namespace

void port_panic(const char* file, uint32_t line, const char* condition) {
    uint8_t text[512];
    Writer writer = writer_of(text, sizeof text);
    put_text(writer, "pennybank: a mistake of our own at ");
    put_text(writer, file);
    put_u8(writer, ':');
    put_decimal(writer, line);
    put_text(writer, ": ");
    put_text(writer, condition);
    put_u8(writer, '\n');
    system_print(STDERR_FILENO, writer_slice(writer));
    abort();
}

void port_log(LogLevel level, const char* text, uint32_t size) {
    uint8_t line[port_log_size_max + 64];  // the time, the level, and the line's end
    Writer writer = writer_of(line, sizeof line);
    put_utc(writer, system_wall_us() / 1000);
    put_text(writer, level_name(level));
    const Slice slice = slice_of_chars(text, size);
    put_bytes(writer, slice_part(slice, 0, writer_room(writer) - 1));
    put_u8(writer, '\n');
    system_print(STDERR_FILENO, writer_slice(writer));
}

bool port_random(uint8_t* out, uint32_t size) {
    uint32_t done = 0;
    while (done < size) {
        const ssize_t got = getrandom(out + done, size - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            __atomic_add_fetch(&random_failures, 1, __ATOMIC_RELAXED);
            return false;
        }
        done += static_cast<uint32_t>(got);
    }
    return true;
}

uint32_t system_random_failures() { return __atomic_load_n(&random_failures, __ATOMIC_RELAXED); }

uint64_t system_now_us() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

uint64_t system_now_ms() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

uint64_t system_wall_us() {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec < 0) return 0;
    return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

int32_t system_utc_offset_s(uint64_t wall_us) {
    static uint64_t known_s = UINT64_MAX;
    static int32_t offset_s;
    const uint64_t second = wall_us / 1'000'000;
    if (second == known_s) return offset_s;
    tm local = {};
    const time_t when = static_cast<time_t>(second);
    known_s = second;
    offset_s = localtime_r(&when, &local) == nullptr ? 0 : static_cast<int32_t>(local.tm_gmtoff);
    return offset_s;
}

void system_print(int fd, Slice text) {
    uint32_t done = 0;
    while (done < text.size) {
        const ssize_t wrote = write(fd, text.data + done, text.size - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return;
        done += static_cast<uint32_t>(wrote);
    }
}

void system_print_text(int fd, const char* text) { system_print(fd, slice_of(text)); }

uint8_t* system_reserve(uint64_t size) {
    if (size > PTRDIFF_MAX) return nullptr;  // More than a 32-bit process can ever have.
    void* memory = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<uint8_t*>(memory);
}

void system_give_back(uint8_t* memory, uint64_t size) {
    madvise(memory, static_cast<size_t>(size), MADV_DONTNEED);
}

Status system_read_file(const char* path, uint8_t* out, uint32_t capacity, uint32_t& size) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? Status::absent : Status::failed;
    uint32_t done = 0;
    Status status = Status::full;
    while (done < capacity) {
        const ssize_t got = read(fd, out + done, capacity - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            status = got == 0 ? Status::ok : Status::failed;
            break;
        }
        done += static_cast<uint32_t>(got);
    }
    const int reason = errno;
    close(fd);
    errno = reason;
    size = done;
    return status;
}

bool system_is_exposed(const char* path) {
    struct stat file = {};
    return stat(path, &file) == 0 && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}
