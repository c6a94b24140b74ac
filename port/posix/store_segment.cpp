#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/check.h"
#include "port/posix/store_file.h"

namespace {

constexpr uint32_t slice_size = 65536;  // bytes written at once
static_assert(slice_size % block_size == 0);

uint8_t zeros[slice_size];  // Nobody writes to it; a constant would lie in the program file.

// True when every byte up to the file's end is zero.
bool is_blank(const StoreCalls& calls, int fd) {
    uint8_t block[block_size];
    for (uint64_t offset = 0;; offset += block_size) {
        uint32_t got = 0;
        if (store_read_all(calls, fd, block, block_size, offset, got) != Status::ok) return false;
        if (memcmp(block, zeros, got) != 0) return false;
        if (got < block_size) return true;
    }
}

// Whether a segment may be made: it is not there, or it is as it was made. A cut leaves such a one
// when the first batch of the segment before it is lost, and the journal has not come to it yet.
bool may_make(const Store& store, uint32_t segment) {
    const StoreCalls& calls = *store.calls;
    const int fd = calls.open(store.dir_fd, store_path_segment(segment).text,
                              O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return errno == ENOENT;
    const bool is_as_made = is_blank(calls, fd);
    calls.close(fd);
    return is_as_made;
}

Status fill_with_zeros(const StoreCalls& calls, int fd, uint32_t size) {
    for (uint32_t offset = 0; offset < size; offset += slice_size) {
        const uint32_t left = size - offset;
        const Slice slice = {zeros, left < slice_size ? left : slice_size};
        const Status status = store_write_all(calls, fd, slice, offset);
        if (status != Status::ok) return status;
    }
    return calls.fdatasync(fd) == 0 ? Status::ok : store_status_of_errno();
}

Status make_segment(const Store& store, uint32_t segment, uint32_t size) {
    const StoreCalls& calls = *store.calls;
    const StorePath making = store_path_making(segment);
    const int fd = calls.open(store.dir_fd, making.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                              store_file_mode);
    if (fd < 0) return store_status_of_errno();
    Status status = fill_with_zeros(calls, fd, size);
    const int code = errno;
    calls.close(fd);
    errno = code;
    if (status != Status::ok) return status;
    if (calls.rename(store.dir_fd, making.text, store_path_segment(segment).text) != 0) {
        return store_status_of_errno();
    }
    return store_sync_directory(calls, store.dir_fd, "journal");
}

// The descriptor of the segment that is being written, opened when the journal rolls to it.
Status open_for_writing(Store& store, uint32_t segment) {
    if (store.write_segment == segment) return Status::ok;
    const StoreCalls& calls = *store.calls;
    if (store.write_fd >= 0) calls.close(store.write_fd);
    store.write_segment = 0;
    store.write_fd =
        calls.open(store.dir_fd, store_path_segment(segment).text, O_WRONLY | O_CLOEXEC, 0);
    if (store.write_fd < 0) return Status::failed;
    store.write_segment = segment;
    return Status::ok;
}

void log_failed_write(const Store& store, const LogWrite& write) {
    uint8_t text[512];
    Writer line = writer_of(text, sizeof text);
    store_say_errno(store, line, store_path_segment(write.segment).text,
                    "cannot be written or synced");
    put_text(line, "; at offset ");
    put_decimal(line, write.offset);
    store_log(LogLevel::error, line);
}

}  // namespace

Status store_segment_make(Store& store, uint32_t segment, uint32_t size, Writer& error) {
    CHECK(store.mode != StoreMode::read);
    CHECK(size % block_size == 0 && size >= segment_size_min);
    const StorePath path = store_path_segment(segment);
    if (!may_make(store, segment)) {
        store_say(store, error, path.text, "is there already and is not made anew");
        return Status::failed;
    }
    const Status status = make_segment(store, segment, size);
    if (status == Status::ok) return status;
    store_say_errno(store, error, path.text, "cannot be made");
    // Whichever of the two names there is: it is all zeros and nobody was told of it.
    store.calls->unlink(store.dir_fd, store_path_making(segment).text, 0);
    store.calls->unlink(store.dir_fd, path.text, 0);
    return status;
}

void store_segment_discard(Store& store, uint32_t segment) {
    CHECK(store.mode == StoreMode::create);
    store.calls->unlink(store.dir_fd, store_path_segment(segment).text, 0);
}

Status store_write(Store& store, const LogWrite& write) {
    CHECK(store.mode != StoreMode::read);
    CHECK(write.offset % block_size == 0 && write.bytes.size % block_size == 0);
    if (store.write_failed) return Status::failed;  // F2
    Status status = open_for_writing(store, write.segment);
    if (status == Status::ok) {
        status = store_write_all(*store.calls, store.write_fd, write.bytes, write.offset);
    }
    if (status == Status::ok && store.calls->fdatasync(store.write_fd) == 0) return Status::ok;
    store.write_failed = true;
    log_failed_write(store, write);
    return Status::failed;
}

Status store_read(const Store& store, uint32_t segment, uint32_t offset, uint8_t* out,
                  uint32_t size, uint32_t& got) {
    const StoreCalls& calls = *store.calls;
    const int fd = calls.open(store.dir_fd, store_path_segment(segment).text,
                              O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return errno == ENOENT ? Status::absent : Status::failed;
    uint32_t count = 0;
    const Status status = store_read_all(calls, fd, out, size, offset, count);
    const int code = errno;
    calls.close(fd);
    errno = code;
    if (status == Status::ok) got = count;
    return status;
}

Status store_segment_size(const Store& store, uint32_t segment, uint64_t& out) {
    const StoreCalls& calls = *store.calls;
    const int fd = calls.open(store.dir_fd, store_path_segment(segment).text,
                              O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return errno == ENOENT ? Status::absent : Status::failed;
    const int64_t size = calls.size(fd);
    const int code = errno;
    calls.close(fd);
    errno = code;
    if (size < 0) return Status::failed;
    out = static_cast<uint64_t>(size);
    return Status::ok;
}
