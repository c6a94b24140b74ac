#include <errno.h>
#include <fcntl.h>

#include "base/check.h"
#include "port/posix/store_file.h"

namespace {

constexpr const char* penalties_name = "penalties";
constexpr const char* penalties_making = "penalties.making";

int open_making(const Store& store, uint32_t offset) {
    const StoreCalls& calls = *store.calls;
    if (offset > 0) return calls.open(store.dir_fd, penalties_making, O_WRONLY | O_CLOEXEC, 0);
    calls.unlink(store.dir_fd, penalties_making, 0);  // Left by a crash, or not there.
    return calls.open(store.dir_fd, penalties_making, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                      store_file_mode);
}

Status switch_names(const Store& store, int fd) {
    const StoreCalls& calls = *store.calls;
    if (calls.fsync(fd) != 0) return store_status_of_errno();
    if (calls.rename(store.dir_fd, penalties_making, penalties_name) != 0) {
        return store_status_of_errno();
    }
    return calls.fsync(store.dir_fd) == 0 ? Status::ok : store_status_of_errno();
}

// Returns failed with errno when the file cannot be read, and otherwise how it was taken.
Status feed_all(const Store& store, int fd, uint8_t* window, uint32_t window_size,
                Penalties& penalties, PenaltiesLoad& load, const Ledger& ledger, bool& was_read) {
    was_read = false;
    for (uint64_t offset = 0;;) {
        uint32_t got = 0;
        const Status read = store_read_all(*store.calls, fd, window, window_size, offset, got);
        if (read != Status::ok) return Status::failed;
        const Status status = penalties_load_feed(penalties, load, ledger, {window, got});
        was_read = status != Status::ok || got < window_size;
        if (was_read) return penalties_load_end(penalties, load);
        offset += got;
    }
}

}  // namespace

Status store_penalties_put(Store& store, uint32_t offset, Slice bytes, bool is_last,
                           Writer& error) {
    CHECK(store.mode != StoreMode::read);
    const int fd = open_making(store, offset);
    Status status = fd < 0 ? store_status_of_errno()
                           : store_write_all(*store.calls, fd, bytes, offset);
    if (status == Status::ok && is_last) status = switch_names(store, fd);
    if (status != Status::ok) store_say_errno(store, error, penalties_making, "cannot be written");
    if (fd >= 0) store.calls->close(fd);
    return status;
}

Status store_penalties_load(const Store& store, uint64_t now_ms, uint64_t wall_ms, uint8_t* window,
                            uint32_t window_size, const Ledger& ledger, Penalties& penalties,
                            Writer& error) {
    const StoreCalls& calls = *store.calls;
    PenaltiesLoad load;
    penalties_load_begin(penalties, load, now_ms, wall_ms);
    // Nobody is waited for, should it be a pipe.
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
    const int fd = calls.open(store.dir_fd, penalties_name, flags, 0);
    if (fd < 0 && errno == ENOENT) return Status::absent;
    bool was_read = false;
    const Status status = fd < 0 ? Status::failed
                                 : feed_all(store, fd, window, window_size, penalties, load,
                                            ledger, was_read);
    if (status != Status::ok && !was_read) {
        store_say_errno(store, error, penalties_name, "cannot be read");
        penalties_load_drop(penalties);
    } else if (status != Status::ok) {
        store_say(store, error, penalties_name,
                  status == Status::failed ? "written by a newer version"
                                           : "is not what the server wrote");
    }
    if (fd >= 0) calls.close(fd);
    return status;
}
