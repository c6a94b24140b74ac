#include <limits.h>

#include "config.h"
#include "pennyctl/check.h"

namespace {

// True for a checkpoint that a running server had not finished when it was looked at, or is just
// removing, its manifest first. One that was unfinished may be the current one by now.
bool is_passing(Check& check, uint32_t number) {
    StoreCheckpoints now;
    uint8_t said[PATH_MAX];
    Writer unsaid = writer_of(said, sizeof said);
    if (store_checkpoint_list(check.store, now, unsaid) != Status::ok) return false;
    const bool is_current = now.count > 0 && now.numbers[0] == number;
    bool is_sound = false;
    uint64_t rows[table_count];
    Manifest manifest;
    const Status status = store_checkpoint_verify(check.store, number, check.window, manifest,
                                                  is_sound, rows, unsaid);
    return status == Status::ok || (status == Status::damaged && !is_sound && !is_current);
}

// Takes the manifests before the journal is read, so that none can be ahead of it.
Status read_checkpoints(Check& check) {
    StoreCheckpoints found;
    Status status = store_checkpoint_list(check.store, found, check.error);
    for (uint32_t i = 0; i < found.count && status == Status::ok; i++) {
        bool is_sound = false;
        uint64_t rows[table_count];
        Manifest manifest;
        status = store_checkpoint_verify(check.store, found.numbers[i], check.window, manifest,
                                         is_sound, rows, check.error);
        if (status == Status::ok) {
            check.manifests[check.list.count] = manifest;
            check.list.numbers[check.list.count++] = found.numbers[i];
            continue;
        }
        if (is_passing(check, found.numbers[i])) status = Status::ok;
    }
    return status;
}

}  // namespace

Status check_find_segments(Check& check) {
    Status status = store_segment_range(check.store, check.segment_first, check.segment_last,
                                        check.error);
    if (status != Status::ok || check.archived.segment <= 1) return status;
    check.segment_first = 1;
    for (uint32_t segment = 1; segment < check.archived.segment; segment++) {
        uint64_t size = 0;
        if (store_segment_size(check.store, segment, size) != Status::absent) continue;
        check.segment_first = check.archived.segment;
        return Status::ok;
    }
    return Status::ok;
}

Status check_open(Check& check, const StoreCalls& calls, const char* data) {
    static uint8_t window[batch_size_max];
    static uint8_t said[PATH_MAX + config_error_size_max];
    check = {};
    check.window = window;
    check.error = writer_of(said, sizeof said);
    check.batch_last = UINT64_MAX;
    Status status = store_open(check.store, calls, data, StoreMode::read, check.error);
    if (status != Status::ok) return status;
    status = read_checkpoints(check);
    if (status == Status::ok) status = store_archived(check.store, check.archived, check.error);
    if (status == Status::ok) status = check_find_segments(check);
    if (status != Status::ok) check_close(check);
    return status;
}

void check_close(Check& check) { store_close(check.store); }
