#include "journal/seek.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr uint32_t segment_end_unknown = 1u << 30;  // bytes; no segment is larger
constexpr uint32_t blocks_back_max = batch_size_max / block_size;

void want(Seek& seek, uint32_t segment, uint32_t offset, uint32_t size) {
    seek.want = position_of(segment, offset);
    seek.want_size = size < seek_window_size ? size : seek_window_size;
}

// The batch that begins just where `want` is. Its hash is not looked at.
bool take_header(const Seek& seek, Slice bytes, BatchHeader& out) {
    return batch_peek(bytes, seek.bank_id, out) == Status::ok &&
           out.segment == position_segment(seek.want) && out.offset == position_offset(seek.want);
}

uint32_t bytes_to_hash(const Seek& seek) {
    return batch_header_size + seek.header.entries_size;
}

Status begin_entries(Seek& seek) {
    if (seek.seq - seek.header.entry_first >= seek.header.entry_count) return Status::damaged;
    seek.step = SeekStep::entries;
    seek.offset = seek.batch + batch_header_size;
    seek.offset_seq = seek.header.entry_first;
    want(seek, seek.segment, seek.offset, seek.header.entries_size);
    return Status::more;
}

Status next_probe(Seek& seek) {
    if (seek.low >= seek.high) return begin_entries(seek);
    const uint32_t half = (seek.high - seek.low) / 2;
    seek.middle = seek.low + half / block_size * block_size;
    seek.probe = seek.middle;
    want(seek, seek.segment, seek.probe, batch_header_size);
    return Status::more;
}

Status next_segment(Seek& seek) {
    if (seek.low_segment <= seek.high_segment) {
        const uint32_t half = (seek.high_segment - seek.low_segment) / 2;
        want(seek, seek.low_segment + half, 0, batch_header_size);
        return Status::more;
    }
    if (seek.segment == 0) return Status::absent;
    seek.step = SeekStep::batches;
    seek.batch = 0;
    seek.low = batch_size_of(seek.header.entries_size);
    seek.high = seek.segment == position_segment(seek.journal_end)
                    ? position_offset(seek.journal_end)
                    : segment_end_unknown;
    return next_probe(seek);
}

Status feed_segment(Seek& seek, Status outcome, Slice bytes) {
    const uint32_t segment = position_segment(seek.want);
    if (outcome == Status::absent) {  // Only the oldest ones may be gone.
        if (seek.segment != 0) return Status::damaged;
        seek.low_segment = segment + 1;
        return next_segment(seek);
    }
    BatchHeader header;
    if (!take_header(seek, bytes, header)) return Status::damaged;
    if (header.entry_first > seek.seq) {
        seek.high_segment = segment - 1;
    } else {
        seek.segment = segment;
        seek.header = header;
        seek.low_segment = segment + 1;
    }
    return next_segment(seek);
}

Status feed_batch(Seek& seek, Slice bytes) {
    BatchHeader header;
    if (bytes.size == 0) {  // Behind the end of the segment.
        seek.high = seek.middle;
        return next_probe(seek);
    }
    if (take_header(seek, bytes, header)) {
        if (header.entry_first > seek.seq) {
            seek.high = seek.probe;
        } else {
            seek.header = header;
            seek.batch = seek.probe;
            seek.low = seek.probe + batch_size_of(header.entries_size);
        }
        return next_probe(seek);
    }
    if (seek.probe == seek.low) {  // No batch begins from here up to the middle.
        seek.low = seek.middle + block_size;
        return next_probe(seek);
    }
    if ((seek.middle - seek.probe) / block_size == blocks_back_max) return Status::damaged;  // X2
    seek.probe -= block_size;
    want(seek, seek.segment, seek.probe, batch_header_size);
    return Status::more;
}

Status feed_entries(Seek& seek, Slice bytes) {
    const uint32_t entries_end = seek.batch + bytes_to_hash(seek);
    Reader reader = reader_of(bytes);
    for (;;) {
        Reader ahead = reader;
        const uint16_t size = get_u16(ahead);
        if (!ahead.short_read && (size < 2 || size > entry_size_max)) return Status::damaged;
        const bool is_whole = !ahead.short_read && size <= reader_left(reader);
        if (!is_whole) {
            if (reader.offset == 0) return Status::damaged;
            want(seek, seek.segment, seek.offset, entries_end - seek.offset);
            return Status::more;
        }
        const Slice entry = get_bytes(reader, size);
        if (seek.offset_seq == seek.seq) {
            seek.position = position_of(seek.segment, seek.offset);
            seek.entry_size = size;
            memcpy(seek.entry, entry.data, size);
            break;
        }
        seek.offset += size;
        seek.offset_seq++;
    }
    seek.step = SeekStep::hashed;
    seek.offset = seek.batch;
    hasher_init(seek.hasher);
    want(seek, seek.segment, seek.offset, bytes_to_hash(seek));
    return Status::more;
}

Status feed_hashed(Seek& seek, Slice bytes) {
    const uint32_t end = seek.batch + bytes_to_hash(seek);
    if (bytes.size != seek.want_size) return Status::damaged;
    hasher_feed(seek.hasher, bytes);
    seek.offset += bytes.size;
    if (seek.offset < end) {
        want(seek, seek.segment, seek.offset, end - seek.offset);
        return Status::more;
    }
    seek.step = SeekStep::hash;
    seek.hash = hasher_finish(seek.hasher);
    want(seek, seek.segment, end, hash_size);
    return Status::more;
}

}  // namespace

void seek_begin(Seek& seek, const uint8_t bank_id[bank_id_size], uint64_t seq,
                Position journal_end) {
    CHECK(seq > 0 && position_segment(journal_end) > 0);
    memset(&seek, 0, sizeof seek);
    seek.seq = seq;
    memcpy(seek.bank_id, bank_id, bank_id_size);
    seek.step = SeekStep::segments;
    seek.low_segment = 1;
    seek.high_segment = position_segment(journal_end);
    seek.journal_end = journal_end;
    CHECK(next_segment(seek) == Status::more);
}

Status seek_feed(Seek& seek, Status outcome, Slice bytes) {
    const bool may_be_absent = seek.step == SeekStep::segments;
    if (outcome != Status::ok && !(outcome == Status::absent && may_be_absent)) {
        return outcome == Status::absent ? Status::damaged : Status::failed;
    }
    CHECK(bytes.size <= seek.want_size);
    switch (seek.step) {
        case SeekStep::segments: return feed_segment(seek, outcome, bytes);
        case SeekStep::batches: return feed_batch(seek, bytes);
        case SeekStep::entries: return feed_entries(seek, bytes);
        case SeekStep::hashed: return feed_hashed(seek, bytes);
        case SeekStep::hash:
            return slice_equal(bytes, hash_slice(seek.hash)) ? Status::end : Status::damaged;
    }
    return Status::damaged;
}
