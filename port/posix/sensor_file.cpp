#include "sensor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

Status status_of(int reason) {
    if (reason == ENOENT || reason == ENOTDIR) return Status::absent;
    if (reason == EACCES || reason == EPERM) return Status::noperm;
    return Status::failed;
}

// A device must not even be opened, since that may do something.
Status judge(const char* path) {
    struct stat facts = {};
    if (stat(path, &facts) != 0) return status_of(errno);
    return S_ISREG(facts.st_mode) ? Status::ok : Status::invalid;
}

Status read_all(int fd, uint8_t* memory, uint32_t room, uint32_t& done) {
    uint8_t beyond;
    for (;;) {
        const bool is_full = done == room;
        const ssize_t got = read(fd, is_full ? &beyond : memory + done, is_full ? 1 : room - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return status_of(errno) == Status::noperm ? Status::noperm : Status::failed;
        if (got == 0) return Status::ok;
        if (is_full) return Status::full;
        done += static_cast<uint32_t>(got);
    }
}

// The path may lead elsewhere by now, so what was opened is looked at again.
Status read_regular(int fd, uint8_t* memory, uint32_t room, uint32_t& done) {
    struct stat facts = {};
    if (fstat(fd, &facts) != 0) return Status::failed;
    if (!S_ISREG(facts.st_mode)) return Status::invalid;
    return read_all(fd, memory, room, done);
}

}  // namespace

Status sensor_file_read(const char* path, uint8_t* memory, uint32_t& size) {
    const uint32_t room = size;
    size = 0;
    Status status = judge(path);
    if (status != Status::ok) return status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return status_of(errno);
    uint32_t done = 0;
    status = read_regular(fd, memory, room, done);
    close(fd);
    if (status == Status::ok) size = done;
    return status;
}
