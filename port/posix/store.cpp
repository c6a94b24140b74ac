#include "port/posix/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/text.h"
#include "port/posix/store_file.h"

namespace {

constexpr const char* lock_name = "lock";
constexpr const char* absent_said = "there is no book here; `pennyctl init` makes one";

void forget_all(Store& store, const StoreCalls& calls, const char* dir, StoreMode mode) {
    store = {};
    store.calls = &calls;
    store.mode = mode;
    store.dir_fd = store.journal_fd = store.lock_fd = store.write_fd = store.checkpoint_fd = -1;
    for (int& fd : store.table_fd) fd = -1;
    Writer text = writer_of(reinterpret_cast<uint8_t*>(store.dir), store_dir_size_max);
    put_text(text, dir);
}

void close_one(const StoreCalls& calls, int& fd) {
    if (fd >= 0) calls.close(fd);
    fd = -1;
}

// The pid that the holder left in the lock file; 0 when it cannot be told.
uint32_t read_pid(const StoreCalls& calls, int fd) {
    uint8_t text[16];
    uint32_t size = 0;
    if (store_read_all(calls, fd, text, sizeof text, 0, size) != Status::ok) return 0;
    while (size > 0 && text[size - 1] == '\n') size--;
    uint64_t pid = 0;
    if (parse_decimal({text, size}, pid) != Status::ok || pid > INT32_MAX) return 0;
    return static_cast<uint32_t>(pid);
}

Status write_pid(const StoreCalls& calls, int fd) {
    uint8_t text[16];
    Writer out = writer_of(text, sizeof text);
    put_decimal(out, static_cast<uint64_t>(calls.pid()));
    put_u8(out, '\n');
    if (calls.truncate(fd, 0) != 0) return Status::failed;
    return store_write_all(calls, fd, writer_slice(out), 0);
}

void say_locked(Store& store, Writer& error) {
    const uint32_t pid = read_pid(*store.calls, store.lock_fd);
    store_say(store, error, "", "in use by process ");
    if (pid == 0) {
        put_text(error, "(its pid cannot be read)");
    } else {
        put_decimal(error, pid);
    }
    put_text(error, "; stop it first");
}

Status take_lock(Store& store, Writer& error) {
    const StoreCalls& calls = *store.calls;
    store.lock_fd =
        calls.open(store.dir_fd, lock_name, O_RDWR | O_CREAT | O_CLOEXEC, store_file_mode);
    if (store.lock_fd < 0) {
        const bool read_only = errno == EROFS && store.mode == StoreMode::write;
        store_say_errno(store, error, lock_name, "cannot be opened");
        return read_only ? Status::misconf : Status::failed;
    }
    if (calls.lock(store.lock_fd) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            say_locked(store, error);
        } else {
            store_say_errno(store, error, lock_name, "cannot be locked");
        }
        return Status::failed;
    }
    if (write_pid(calls, store.lock_fd) != Status::ok) {
        store_say_errno(store, error, lock_name, "cannot be written");
        return Status::failed;
    }
    return Status::ok;
}

Status make_directories(Store& store, const char* dir, Writer& error) {
    const StoreCalls& calls = *store.calls;
    if (calls.mkdir(AT_FDCWD, dir, store_directory_mode) != 0 && errno != EEXIST) {
        store_say_errno(store, error, "", "cannot be made");
        return Status::failed;
    }
    const int fd = calls.open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) {
        store_say_errno(store, error, "", "cannot be opened");
        return Status::failed;
    }
    const bool made =
        calls.mkdir(fd, "journal", store_directory_mode) == 0 || errno == EEXIST;
    const bool synced = made && calls.fsync(fd) == 0 &&
                        store_sync_directory(calls, fd, "..") == Status::ok;
    if (!synced) store_say_errno(store, error, "journal", "cannot be made");
    calls.close(fd);
    return synced ? Status::ok : Status::failed;
}

Status open_directories(Store& store, const char* dir, Writer& error) {
    const StoreCalls& calls = *store.calls;
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    store.dir_fd = calls.open(AT_FDCWD, dir, flags, 0);
    if (store.dir_fd >= 0) store.journal_fd = calls.open(store.dir_fd, "journal", flags, 0);
    if (store.journal_fd >= 0) return Status::ok;
    if (errno == ENOENT) {
        store_say(store, error, "", absent_said);
    } else {
        store_say_errno(store, error, store.dir_fd < 0 ? "" : "journal", "cannot be opened");
    }
    return Status::failed;
}

void note_segment(void* context, Slice name) {
    if (store_number_of(name, "", ".journal") > 0) *static_cast<bool*>(context) = true;
}

void note_checkpoint(void* context, Slice name) {
    uint32_t& newest = *static_cast<uint32_t*>(context);
    const uint32_t number = store_number_of(name, "checkpoint.", "");
    if (number > newest) newest = number;
}

Status look_around(Store& store, Writer& error) {
    const StoreCalls& calls = *store.calls;
    if (store_list(calls, store.dir_fd, ".", note_checkpoint, &store.checkpoint_newest) !=
        Status::ok) {
        store_say_errno(store, error, "", "cannot be read");
        return Status::failed;
    }
    if (store.mode != StoreMode::create) return Status::ok;
    bool has_segment = false;
    if (store_list(calls, store.journal_fd, ".", note_segment, &has_segment) != Status::ok) {
        store_say_errno(store, error, "journal", "cannot be read");
        return Status::failed;
    }
    if (!has_segment && store.checkpoint_newest == 0) return Status::ok;
    store_say(store, error, "", "there is a book here already");
    return Status::failed;
}

Status open_all(Store& store, const char* dir, Writer& error) {
    Status status = Status::ok;
    if (store.mode == StoreMode::create) status = make_directories(store, dir, error);
    if (status == Status::ok) status = open_directories(store, dir, error);
    if (status == Status::ok && store.mode != StoreMode::read) status = take_lock(store, error);
    if (status == Status::ok) status = look_around(store, error);
    return status;
}

}  // namespace

Status store_open(Store& store, const StoreCalls& calls, const char* dir, StoreMode mode,
                  Writer& error) {
    forget_all(store, calls, dir, mode);
    if (slice_of(dir).size > store_dir_size_max) {
        error.size = 0;
        put_text(error, "the path of the data directory is too long");
        return Status::failed;
    }
    const Status status = open_all(store, dir, error);
    if (status != Status::ok) store_close(store);
    return status;
}

void store_close(Store& store) {
    if (store.checkpoint_open) store_checkpoint_cancel(store);
    close_one(*store.calls, store.write_fd);
    close_one(*store.calls, store.journal_fd);
    close_one(*store.calls, store.dir_fd);
    close_one(*store.calls, store.lock_fd);  // Last, since it ends the lock.
}

uint32_t store_lock_holder(const StoreCalls& calls, const char* dir) {
    const int dir_fd = calls.open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (dir_fd < 0) return 0;
    int fd = calls.open(dir_fd, lock_name, O_RDONLY | O_CLOEXEC, 0);
    const bool is_held = fd >= 0 && calls.lock_test(fd) == 1;
    const uint32_t pid = is_held ? read_pid(calls, fd) : 0;
    close_one(calls, fd);
    calls.close(dir_fd);
    return pid;
}
