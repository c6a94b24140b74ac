#include "base/text.h"
#include "pennyctl/check.h"

namespace {

// The oldest of the sound checkpoints.
uint32_t find_base(const Check& check) {
    uint32_t base = check.list.count;
    for (uint32_t i = 0; i < check.list.count; i++) {
        const bool is_older = base == check.list.count ||
                              check.manifests[i].mark.end < check.manifests[base].mark.end;
        if (is_older) base = i;
    }
    return base;
}

Status note_limits_only(Check&, void* context, const CheckEntry& at) {
    CheckSums& sums = *static_cast<CheckSums*>(context);
    if (at.entry.kind == EntryKind::limits) check_note_limits(sums, at.entry.limits);
    if (at.entry.kind == EntryKind::item) sums.limits_max.items++;
    const bool is_order = at.entry.kind == EntryKind::movement && at.entry.status == Status::ok &&
                          at.entry.movement.operation == Operation::order;
    if (is_order && at.entry.movement.order.evicted == 0) sums.limits_max.orders++;
    return Status::ok;
}

Status note_no_batch(Check&, void*) { return Status::ok; }

// The chain alone, and the greatest limits that the book ever had behind the base.
Status walk_chain(Check& check, CheckSums& sums) {
    const CheckVisitor visitor = {note_limits_only, note_no_batch, &sums};
    sums = {};
    const Manifest& base = check.manifests[check.base];
    check_note_limits(sums, base.limits);
    sums.limits_max.items = manifest_rows_most(base, TableName::items);
    sums.limits_max.orders = manifest_rows_most(base, TableName::orders);
    return check_walk(check, visitor);
}

Status check_whole(Check& check, CheckSums& sums, Hash& digest) {
    Status status = check_sums(check, nullptr, sums, nullptr);
    if (status == Status::ok) status = check_ahead(check);
    if (status != Status::ok) return status;
    BookMemory memory;
    if (book_memory_take(memory, sums.limits_max) != Status::ok) {
        return check_wrong_here(check, "there is no memory for a book of its limits");
    }
    status = check_again(check, sums, memory, digest);
    book_memory_give(memory);
    return status;
}

Status check_from_anchor(Check& check, CheckSums& sums, Hash& digest) {
    if (check.base == check.list.count) return check_refuse_archived(check);
    Status status = walk_chain(check, sums);
    if (status == Status::ok) status = check_ahead(check);
    if (status != Status::ok) return status;
    BookMemory memory;
    if (book_memory_take(memory, sums.limits_max) != Status::ok) {
        return check_wrong_here(check, "there is no memory for a book of its limits");
    }
    status = store_checkpoint_load(check.store, check.list.numbers[check.base], memory.book,
                                   check.window, check.error);
    if (status == Status::ok) status = check_sums(check, &memory.book, sums, nullptr);
    if (status == Status::ok) status = check_again(check, sums, memory, digest);
    book_memory_give(memory);
    return status;
}

bool is_part_there(const Check& check, const ArchivedPart& part) {
    for (uint32_t segment = part.first; segment <= part.last; segment++) {
        uint64_t size = 0;
        if (store_segment_size(check.store, segment, size) == Status::absent) return false;
    }
    return true;
}

Status check_all(Check& check, CheckSums& sums, Hash& digest) {
    const bool is_anchored = check_is_anchored(check);
    check.base = is_anchored ? find_base(check) : check.list.count;
    return is_anchored ? check_from_anchor(check, sums, digest)
                       : check_whole(check, sums, digest);
}

}  // namespace

Status check_refuse_archived(Check& check) {
    bool is_first = true;
    check.error.size = 0;
    for (uint32_t i = 0; i < check.archived.part_count; i++) {
        const ArchivedPart& part = check.archived.parts[i];
        if (is_part_there(check, part)) continue;
        put_text(check.error, is_first ? "segments " : " and segments ");
        put_decimal(check.error, part.first);
        put_text(check.error, " to ");
        put_decimal(check.error, part.last);
        put_text(check.error, " are in the archive ");
        put_text(check.error, part.name);
        is_first = false;
    }
    if (check.list.count == 0) put_text(check.error, ", and no checkpoint is sound");
    put_text(check.error, "; name the folder with --archive FOLDER, or copy them back into "
                          "journal/");
    return Status::damaged;
}

Status check_book(Check& check, const StoreCalls& calls, const char* data, Writer& error,
                  CheckSums& sums, Hash& digest) {
    Status status = check_open(check, calls, data);
    if (status == Status::ok) {
        status = check_all(check, sums, digest);
        check_close(check);
    }
    error = check.error;
    return status;
}
