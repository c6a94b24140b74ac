#include "port/posix/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t number_digits = 8;

Writer writer_of_path(StorePath& path) {
    path = {};
    return writer_of(reinterpret_cast<uint8_t*>(path.text), sizeof path.text - 1);
}

void put_number(Writer& out, uint32_t number) {
    uint32_t power = 10;
    for (uint32_t digits = 1; digits < number_digits; digits++, power *= 10) {
        if (number < power) put_u8(out, '0');
    }
    put_decimal(out, number);
}

StorePath path_of_segment(uint32_t segment, const char* ending) {
    StorePath path;
    Writer out = writer_of_path(path);
    put_text(out, "journal/");
    put_number(out, segment);
    put_text(out, ending);
    CHECK(!out.overflow);
    return path;
}

// The names in what getdents64 gave; see its manual page for the layout.
void each_name(Slice entries, StoreEach each, void* context) {
    Reader reader = reader_of(entries);
    while (reader_left(reader) > 0) {
        get_u64(reader);  // inode
        get_u64(reader);  // offset
        const uint32_t size = get_u16(reader);
        get_u8(reader);   // type
        const uint32_t head = 8 + 8 + 2 + 1;
        const Slice name = get_bytes(reader, size < head ? 0 : size - head);
        if (reader.short_read || size <= head) return;
        uint32_t length = 0;
        while (length < name.size && name.data[length] != '\0') length++;
        each(context, {name.data, length});
    }
}

}  // namespace

StorePath store_path_of(const char* name) {
    StorePath path;
    Writer out = writer_of_path(path);
    put_text(out, name);
    CHECK(!out.overflow);
    return path;
}

StorePath store_path_segment(uint32_t segment) { return path_of_segment(segment, ".journal"); }

StorePath store_path_making(uint32_t segment) { return path_of_segment(segment, ".making"); }

StorePath store_path_checkpoint(uint32_t number) {
    StorePath path;
    Writer out = writer_of_path(path);
    put_text(out, "checkpoint.");
    put_number(out, number);
    return path;
}

StorePath store_path_in_checkpoint(uint32_t number, const char* file) {
    StorePath path;
    Writer out = writer_of_path(path);
    put_text(out, "checkpoint.");
    put_number(out, number);
    put_text(out, "/");
    put_text(out, file);
    CHECK(!out.overflow);
    return path;
}

uint32_t store_number_of(Slice name, const char* before, const char* behind) {
    const Slice front = slice_of(before);
    const Slice back = slice_of(behind);
    if (name.size != front.size + number_digits + back.size) return 0;
    if (!slice_equal(slice_part(name, 0, front.size), front)) return 0;
    if (!slice_equal(slice_part(name, front.size + number_digits, back.size), back)) return 0;
    uint32_t number = 0;
    for (uint32_t i = 0; i < number_digits; i++) {
        const uint8_t digit = name.data[front.size + i];
        if (digit < '0' || digit > '9') return 0;
        number = number * 10 + (digit - '0');
    }
    return number;
}

Status store_list(const StoreCalls& calls, int dir_fd, const char* path, StoreEach each,
                  void* context) {
    const int fd = calls.open(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return Status::failed;
    alignas(8) uint8_t entries[2048];
    for (;;) {
        const int64_t got = calls.list(fd, entries, sizeof entries);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            const int code = errno;
            calls.close(fd);
            errno = code;
            return got == 0 ? Status::ok : Status::failed;
        }
        each_name({entries, static_cast<uint32_t>(got)}, each, context);
    }
}

Status store_read_all(const StoreCalls& calls, int fd, uint8_t* out, uint32_t size, uint64_t offset,
                      uint32_t& got) {
    got = 0;
    while (got < size) {
        const int64_t count = calls.pread(fd, out + got, size - got, offset + got);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return Status::failed;
        if (count == 0) return Status::ok;
        got += static_cast<uint32_t>(count);
    }
    return Status::ok;
}

Status store_write_all(const StoreCalls& calls, int fd, Slice bytes, uint64_t offset) {
    uint32_t done = 0;
    while (done < bytes.size) {
        const int64_t count =
            calls.pwrite(fd, bytes.data + done, bytes.size - done, offset + done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return store_status_of_errno();
        if (count == 0) {
            errno = EIO;  // Nothing written and no reason given: not to be asked for ever.
            return Status::failed;
        }
        done += static_cast<uint32_t>(count);
    }
    return Status::ok;
}

Status store_sync_directory(const StoreCalls& calls, int dir_fd, const char* path) {
    const int fd = calls.open(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return Status::failed;
    const Status status = calls.fsync(fd) == 0 ? Status::ok : store_status_of_errno();
    const int code = errno;
    calls.close(fd);
    errno = code;
    return status;
}

Status store_status_of_errno() {
    return errno == ENOSPC || errno == EDQUOT ? Status::full : Status::failed;
}

void store_put_place(const Store& store, Writer& out, const char* path) {
    put_text(out, store.dir);
    if (path[0] != '\0') put_u8(out, '/');
    put_text(out, path);
    put_text(out, ": ");
}

void store_say(const Store& store, Writer& error, const char* path, const char* what) {
    error.size = 0;
    store_put_place(store, error, path);
    put_text(error, what);
}

// The C libraries do not agree on what strerror_r returns: the reason, or a number and the reason
// in the caller's text. One of these two fits.
[[maybe_unused]] static const char* reason_of(const char* reason, const char*) { return reason; }
[[maybe_unused]] static const char* reason_of(int code, const char* text) {
    return code == 0 ? text : "unknown error";
}

void store_say_errno(const Store& store, Writer& error, const char* path, const char* what) {
    char text[96];
    const char* reason = reason_of(strerror_r(errno, text, sizeof text), text);
    store_say(store, error, path, what);
    put_text(error, ": ");
    put_text(error, reason);
}

void store_log(LogLevel level, const Writer& line) {
    port_log(level, reinterpret_cast<const char*>(line.data), line.size);
}
