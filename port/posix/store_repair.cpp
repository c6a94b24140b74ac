#include <errno.h>
#include <fcntl.h>

#include "base/check.h"
#include "port/posix/store_file.h"

namespace {

constexpr const char* archived_name = "journal/ARCHIVED";
constexpr const char* archived_making = "journal/ARCHIVED.making";
constexpr uint32_t slice_size = 65536;  // bytes written at once

const uint8_t zeros[slice_size] = {};

Status zero_from(const StoreCalls& calls, int fd, uint64_t offset) {
    const int64_t size = calls.size(fd);
    if (size < 0) return Status::failed;
    for (uint64_t at = offset; at < static_cast<uint64_t>(size);) {
        const uint64_t left = static_cast<uint64_t>(size) - at;
        const uint32_t part = left < slice_size ? static_cast<uint32_t>(left) : slice_size;
        const Status status = store_write_all(calls, fd, {zeros, part}, at);
        if (status != Status::ok) return Status::failed;
        at += part;
    }
    return calls.fdatasync(fd) == 0 ? Status::ok : Status::failed;
}

Status write_whole(const StoreCalls& calls, int dir_fd, const char* path, Slice bytes) {
    const int fd =
        calls.open(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, store_file_mode);
    if (fd < 0) return store_status_of_errno();
    Status status = store_write_all(calls, fd, bytes, 0);
    if (status == Status::ok && calls.fsync(fd) != 0) status = store_status_of_errno();
    const int code = errno;
    calls.close(fd);
    errno = code;
    return status;
}

}  // namespace

Status store_segment_remove(const Store& store, uint32_t segment) {
    CHECK(store.mode != StoreMode::read);
    const int answer = store.calls->unlink(store.dir_fd, store_path_segment(segment).text, 0);
    return answer == 0 || errno == ENOENT ? Status::ok : Status::failed;
}

Status store_journal_drop(const Store& store, uint32_t segment, uint32_t offset,
                          uint32_t segment_last, Writer& error) {
    CHECK(store.mode != StoreMode::read && offset % block_size == 0 && segment <= segment_last);
    const StoreCalls& calls = *store.calls;
    for (uint32_t behind = segment_last; behind > segment; behind--) {
        if (store_segment_remove(store, behind) == Status::ok) continue;
        store_say_errno(store, error, store_path_segment(behind).text, "cannot be removed");
        return Status::failed;
    }
    const StorePath path = store_path_segment(segment);
    Status status = store_sync_directory(calls, store.dir_fd, "journal");
    const int fd = status != Status::ok
                       ? -1
                       : calls.open(store.dir_fd, path.text, O_RDWR | O_CLOEXEC, 0);
    status = fd < 0 ? Status::failed : zero_from(calls, fd, offset);
    if (status != Status::ok) store_say_errno(store, error, path.text, "cannot be cleared");
    if (fd >= 0) calls.close(fd);
    return status;
}

Status store_archived(const Store& store, Archived& out, Writer& error) {
    const StoreCalls& calls = *store.calls;
    uint8_t text[archived_size_max];
    uint32_t size = 0;
    out = {};
    const int fd = calls.open(store.dir_fd, archived_name, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT) return Status::ok;
    const Status read =
        fd < 0 ? Status::failed : store_read_all(calls, fd, text, sizeof text, 0, size);
    if (read != Status::ok) store_say_errno(store, error, archived_name, "cannot be read");
    if (fd >= 0) calls.close(fd);
    if (read != Status::ok) return Status::failed;
    const Status status = archived_parse({text, size}, out);
    if (status == Status::ok) return status;
    store_say(store, error, archived_name,
              status == Status::failed
                  ? "written by a newer version; start the program that wrote it"
                  : "is not what `pennyctl archive` wrote; put it back from a backup of this book");
    return Status::failed;
}

Status store_archived_write(const Store& store, const Archived& archived, Writer& error) {
    CHECK(store.mode != StoreMode::read);
    const StoreCalls& calls = *store.calls;
    uint8_t text[archived_size_max];
    Writer out = writer_of(text, sizeof text);
    archived_format(archived, out);
    Status status = write_whole(calls, store.dir_fd, archived_making, writer_slice(out));
    if (status == Status::ok && calls.rename(store.dir_fd, archived_making, archived_name) != 0) {
        status = store_status_of_errno();
    }
    if (status == Status::ok) status = store_sync_directory(calls, store.dir_fd, "journal");
    if (status != Status::ok) store_say_errno(store, error, archived_name, "cannot be written");
    return status;
}
