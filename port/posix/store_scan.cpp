#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/text.h"
#include "port/posix/store_file.h"

namespace {

struct Range {
    uint32_t first;
    uint32_t last;
};

void note_segment(void* context, Slice name) {
    Range& range = *static_cast<Range*>(context);
    const uint32_t segment = store_number_of(name, "", ".journal");
    if (segment == 0) return;
    if (range.first == 0 || segment < range.first) range.first = segment;
    if (segment > range.last) range.last = segment;
}

// One segment that is looked through.
struct Scan {
    const Store& store;
    const Recovery* recovery;  // nullptr: any sound batch is what is looked for
    uint8_t* window;
    Writer& error;
    uint32_t segment;
    int fd;
    uint64_t size;    // bytes
    bool has_junk;    // a block is not blank
};

bool is_sought(const Scan& scan, Slice window) {
    if (scan.recovery != nullptr) return recovery_is_later(*scan.recovery, window);
    BatchHeader header;
    Slice entries;
    Hash hash;
    const BatchFind find = batch_find(window, nullptr, header, entries, hash);
    return find == BatchFind::whole || find == BatchFind::newer;
}

Status say_unread(const Scan& scan) {
    store_say_errno(scan.store, scan.error, store_path_segment(scan.segment).text,
                    "cannot be read");
    return Status::failed;
}

// A block whose first byte is zero and whose every byte equals the next one. A start looks through
// whole segments with it, and memcmp compares many bytes at a time.
bool is_blank(const uint8_t* block) {
    return block[0] == 0 && memcmp(block, block + 1, block_size - 1) == 0;
}

Status scan_from(Scan& scan, uint64_t offset, bool& later) {
    const StoreCalls& calls = *scan.store.calls;
    uint8_t block[block_size];
    for (; offset < scan.size && !later; offset += block_size) {
        uint32_t got = 0;
        if (store_read_all(calls, scan.fd, block, block_size, offset, got) != Status::ok) {
            return say_unread(scan);
        }
        if (got < block_size || is_blank(block)) continue;
        scan.has_junk = true;
        if (store_read_all(calls, scan.fd, scan.window, batch_size_max, offset, got) !=
            Status::ok) {
            return say_unread(scan);
        }
        later = is_sought(scan, {scan.window, got});
    }
    return Status::ok;
}

Status scan_segment(Scan& scan, uint64_t offset, bool& later) {
    const StoreCalls& calls = *scan.store.calls;
    const StorePath path = store_path_segment(scan.segment);
    scan.fd = calls.open(scan.store.dir_fd, path.text, O_RDONLY | O_CLOEXEC, 0);
    const int64_t size = scan.fd < 0 ? -1 : calls.size(scan.fd);
    Status status = Status::ok;
    if (size < 0) {
        status = say_unread(scan);
    } else {
        scan.size = static_cast<uint64_t>(size);
        status = scan_from(scan, offset, later);
    }
    if (scan.fd >= 0) calls.close(scan.fd);
    return status;
}

}  // namespace

Status store_segment_range(const Store& store, uint32_t& first, uint32_t& last, Writer& error) {
    Range range = {};
    if (store_list(*store.calls, store.journal_fd, ".", note_segment, &range) != Status::ok) {
        store_say_errno(store, error, "journal", "cannot be read");
        return Status::failed;
    }
    first = range.first;
    last = range.last;
    return Status::ok;
}

Status store_scan_later(const Store& store, const Recovery& recovery, uint32_t segment_last,
                        uint8_t* window, bool& later, Writer& error) {
    Scan scan = {store, &recovery, window, error, recovery.segment, -1, 0, false};
    later = false;
    Status status = scan_segment(scan, recovery.offset + block_size, later);
    while (status == Status::ok && !later && scan.segment < segment_last) {
        scan.segment++;
        status = scan_segment(scan, 0, later);
    }
    return status;
}

Status store_scan_blank(const Store& store, uint32_t segment, uint8_t* window, StoreBlank& out,
                        Writer& error) {
    Scan scan = {store, nullptr, window, error, segment, -1, 0, false};
    bool is_found = false;
    const Status status = scan_segment(scan, 0, is_found);
    out = is_found        ? StoreBlank::batches
          : scan.has_junk ? StoreBlank::junk
                          : StoreBlank::blank;
    return status;
}
