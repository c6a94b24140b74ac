#include <time.h>

#include "base/text.h"
#include "pennyctl/check.h"

namespace {

void put_place(Check& check, uint32_t segment, uint32_t offset) {
    check.error.size = 0;
    put_text(check.error, "segment ");
    put_decimal(check.error, segment);
    put_text(check.error, ", offset ");
    put_decimal(check.error, offset);
}

Status read_window(Check& check, Slice& window) {
    const Recovery& recovery = check.recovery;
    uint32_t got = 0;
    const Status status = store_read(check.store, recovery.segment, recovery.offset, check.window,
                                     batch_size_max, got);
    window = {check.window, got};
    if (status == Status::ok) return status;
    check.damage = {.is_there = true, .is_missing = true};
    return check_wrong_here(check, status == Status::absent ? "the segment is missing"
                                                            : "the segment cannot be read");
}

// Judges the place where the walk stands.
Status judge(Check& check, RecoveryBatch& batch, RecoveryFound& found) {
    Slice window;
    uint64_t size = 0;
    Status status = read_window(check, window);
    if (status != Status::ok) return status;
    if (store_segment_size(check.store, check.recovery.segment, size) != Status::ok ||
        size < segment_size_min || size % block_size != 0 || size > UINT32_MAX ||
        size < check.recovery.offset) {
        check.damage = {.is_there = true, .is_missing = true};
        return check_wrong_here(check, "the segment was cut short");
    }
    found = recovery_judge(check.recovery, window, static_cast<uint32_t>(size), batch);
    return status;
}

void wait_a_moment() {
    const timespec moment = {.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&moment, nullptr);
}

// Judges again where a running server may have been writing just then.
Status judge_twice(Check& check, RecoveryBatch& batch, RecoveryFound& found, bool& later) {
    constexpr uint32_t tries = 3;
    later = false;
    for (uint32_t i = 0; i < tries; i++) {
        Status status = judge(check, batch, found);
        if (status != Status::ok) return status;
        if (found != RecoveryFound::junk && (found != RecoveryFound::blank || later)) break;
        status = store_scan_later(check.store, check.recovery, check.segment_last, check.window,
                                  later, check.error);
        if (status != Status::ok) return Status::damaged;
        if (found == RecoveryFound::blank && !later) break;
        wait_a_moment();
    }
    return Status::ok;
}

Status visit_batch(Check& check, const CheckVisitor& visitor, const RecoveryBatch& batch) {
    Reader entries = reader_of(batch.entries);
    for (;;) {
        CheckEntry entry;
        const uint32_t offset = batch.header.offset + batch_header_size + entries.offset;
        entry.position = position_of(batch.header.segment, offset);
        if (batch_next_entry(entries, entry.bytes) != Status::ok) break;
        const Status decoded = entry_decode(entry.bytes, entry.entry);
        if (decoded == Status::failed) {
            return check_wrong_here(check, "an entry of a newer format than this program knows");
        }
        if (decoded != Status::ok) {
            return check_wrong_here(check, "an entry that cannot be read");
        }
        if (entry.entry.time_ms != batch.header.time_ms) {
            return check_wrong(check, entry, "its time is not its batch's");
        }
        const Status status = visitor.entry(check, visitor.context, entry);
        if (status != Status::ok) return status;
    }
    recovery_install(check.recovery, batch);
    return visitor.batch(check, visitor.context);
}

// The end of the journal is where a start would go on.
Status advance(Check& check, bool& ended) {
    ended = check.recovery.segment == check.segment_last;
    if (!ended) recovery_advance(check.recovery);
    return Status::ok;
}

Status step(Check& check, const CheckVisitor& visitor, bool& ended) {
    RecoveryBatch batch;
    RecoveryFound found = RecoveryFound::junk;
    bool later = false;
    const Status status = judge_twice(check, batch, found, later);
    if (status != Status::ok) return status;
    const bool marked = recovery_is_marked(check.recovery);
    const RecoveryRow& row = recovery_decide(found, later, marked);
    switch (row.action) {
        case RecoveryAction::install: return visit_batch(check, visitor, batch);
        case RecoveryAction::advance: return advance(check, ended);
        case RecoveryAction::finish: ended = true; return Status::ok;
        case RecoveryAction::drop:
            check.has_torn_tail = ended = true;
            return Status::ok;
        case RecoveryAction::refuse:
            check.damage = {true, false, found, later, marked};
            return check_wrong_here(check, row.said);
    }
    return Status::damaged;
}

}  // namespace

bool check_is_anchored(const Check& check) {
    return check.archived.segment > 1 && check.segment_first > 1;
}

Status check_walk(Check& check, const CheckVisitor& visitor) {
    Position mark = 0;
    for (uint32_t i = 0; i < check.list.count; i++) {
        if (check.manifests[i].mark.end > mark) mark = check.manifests[i].mark.end;
    }
    if (check_is_anchored(check)) {
        archived_start(check.archived, check.recovery, mark);
    } else {
        const bool bank_is_known = check.list.count > 0;
        recovery_start(check.recovery, bank_is_known ? check.manifests[0].bank_id : nullptr, 1,
                       mark);
    }
    bool ended = false;
    while (!ended && check.recovery.batch_seq < check.batch_last) {
        const Status status = step(check, visitor, ended);
        if (status != Status::ok) return status;
    }
    if (recovery_is_marked(check.recovery)) {
        check.damage = {.is_there = true, .is_missing = true};
        return check_wrong_here(check, "the journal ends before a checkpoint does");
    }
    return Status::ok;
}

Status check_wrong(Check& check, const CheckEntry& entry, const char* what) {
    put_place(check, position_segment(entry.position), position_offset(entry.position));
    put_text(check.error, ", entry ");
    put_decimal(check.error, entry.entry.seq);
    put_text(check.error, ": ");
    put_text(check.error, what);
    return Status::damaged;
}

Status check_wrong_here(Check& check, const char* what) {
    put_place(check, check.recovery.segment, check.recovery.offset);
    put_text(check.error, ", batch ");
    put_decimal(check.error, check.recovery.batch_seq + 1);
    put_text(check.error, ", entry ");
    put_decimal(check.error, check.recovery.entry_seq + 1);
    put_text(check.error, ": ");
    put_text(check.error, what);
    return Status::damaged;
}

Status check_ahead(Check& check) {
    if (store_lock_holder(store_calls_posix, check.store.dir) != 0) return Status::ok;
    const uint32_t first = check.recovery.segment + 1;
    for (uint32_t segment = first; segment <= check.segment_last; segment++) {
        StoreBlank found = StoreBlank::blank;
        if (store_scan_blank(check.store, segment, check.window, found, check.error) !=
            Status::ok) {
            return Status::damaged;
        }
        if (found != StoreBlank::batches) continue;
        put_place(check, segment, 0);
        put_text(check.error, ": batches that do not follow from the journal, which ends before; "
                              "move the segment away if it is not this book's");
        return Status::damaged;
    }
    return Status::ok;
}
