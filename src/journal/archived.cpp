#include "journal/archived.h"

#include <string.h>

#include "base/check.h"
#include "base/lines.h"
#include "journal/sum_line.h"

namespace {

bool name_is_fine(Slice name) {
    if (name.size == 0 || name.size > archive_name_size_max) return false;
    for (uint32_t i = 0; i < name.size; i++) {
        if (name.data[i] < ' ' || name.data[i] == 0x7f) return false;
    }
    return true;
}

Status take_part(Reader& line, ArchivedPart& out) {
    uint64_t first = 0;
    uint64_t last = 0;
    Writer name = writer_of(reinterpret_cast<uint8_t*>(out.name), archive_name_size_max);
    if (take_number(line, UINT32_MAX, first) != Status::ok ||
        take_number(line, UINT32_MAX, last) != Status::ok ||
        take_number(line, UINT64_MAX, out.entry_next) != Status::ok ||
        take_text(line, name) != Status::ok || take_end(line) != Status::ok ||
        !name_is_fine(writer_slice(name))) {
        return Status::damaged;
    }
    out.first = static_cast<uint32_t>(first);
    out.last = static_cast<uint32_t>(last);
    return Status::ok;
}

// Y1, as far as this part.
bool part_follows(const Archived& archived, const ArchivedPart& part) {
    const bool is_first = archived.part_count == 0;
    const uint32_t before = is_first ? 0 : archived.parts[archived.part_count - 1].last;
    return part.first == before + 1 && part.last >= part.first && part.last < archived.segment;
}

Status take_parts(Reader& lines, Archived& archived) {
    for (;;) {
        Reader ahead = lines;
        Reader line;
        if (take_line(ahead, "part", line) != Status::ok) break;
        if (archived.part_count == archived_parts_max) return Status::damaged;
        ArchivedPart& part = archived.parts[archived.part_count];
        if (take_part(line, part) != Status::ok) return Status::damaged;
        if (!part_follows(archived, part)) return Status::damaged;
        archived.part_count++;
        lines = ahead;
    }
    const bool is_whole = archived.part_count > 0 &&
                          archived.parts[archived.part_count - 1].last + 1 == archived.segment;
    return is_whole ? Status::ok : Status::damaged;
}

}  // namespace

void archived_format(const Archived& archived, Writer& out) {
    CHECK(archived.segment > 1 && archived.part_count > 0 && out.size == 0);
    put_line_number(out, "pennybank-archived", archived_version);
    put_line_hex(out, "bank", {archived.bank_id, bank_id_size});
    put_line_number(out, "segment", archived.segment);
    put_line_number(out, "batch", archived.batch);
    put_line_number(out, "entry", archived.entry);
    put_line_number(out, "time", archived.time_ms);
    put_line_hex(out, "chain", hash_slice(archived.chain));
    for (uint32_t i = 0; i < archived.part_count; i++) {
        const ArchivedPart& part = archived.parts[i];
        put_text(out, "part ");
        put_decimal(out, part.first);
        put_u8(out, ' ');
        put_decimal(out, part.last);
        put_u8(out, ' ');
        put_decimal(out, part.entry_next);
        put_u8(out, ' ');
        put_escaped(out, slice_of(part.name));
        put_u8(out, '\n');
    }
    const Hash sum = hash_of(writer_slice(out));
    put_line_hex(out, "sum", hash_slice(sum));
    CHECK(!out.overflow);
}

Status archived_parse(Slice text, Archived& out) {
    Archived found = {};
    Reader lines = reader_of(text);
    uint64_t version = 0;
    uint64_t segment = 0;
    Hash sum;
    out = {};
    if (take_line_number(lines, "pennybank-archived", UINT32_MAX, version) != Status::ok) {
        return Status::damaged;
    }
    if (version > archived_version) return Status::failed;
    const bool fine = version == archived_version && sum_line_check(text) == Status::ok &&
                      take_line_hex(lines, "bank", found.bank_id, bank_id_size) == Status::ok &&
                      take_line_number(lines, "segment", UINT32_MAX, segment) == Status::ok &&
                      take_line_number(lines, "batch", UINT64_MAX, found.batch) == Status::ok &&
                      take_line_number(lines, "entry", UINT64_MAX, found.entry) == Status::ok &&
                      take_line_number(lines, "time", UINT64_MAX, found.time_ms) == Status::ok &&
                      take_line_hex(lines, "chain", found.chain.bytes, hash_size) == Status::ok;
    found.segment = static_cast<uint32_t>(segment);
    if (!fine || found.segment < 2 || found.batch < 2 || found.entry < 2) return Status::damaged;
    if (take_parts(lines, found) != Status::ok) return Status::damaged;
    if (take_line_hex(lines, "sum", sum.bytes, hash_size) != Status::ok) return Status::damaged;
    if (reader_left(lines) > 0) return Status::damaged;
    out = found;
    return Status::ok;
}

const ArchivedPart* archived_find(const Archived& archived, uint32_t segment) {
    for (uint32_t i = 0; i < archived.part_count; i++) {
        const ArchivedPart& part = archived.parts[i];
        if (segment >= part.first && segment <= part.last) return &part;
    }
    return nullptr;
}

Status archived_add(Archived& archived, uint32_t first, uint32_t last, uint64_t entry_next,
                    Slice name) {
    CHECK(first <= last);
    if (!name_is_fine(name)) return Status::invalid;
    ArchivedPart* newest =
        archived.part_count == 0 ? nullptr : &archived.parts[archived.part_count - 1];
    CHECK(first == (newest == nullptr ? 1 : newest->last + 1));
    if (newest == nullptr || !slice_equal_text(name, newest->name)) {
        if (archived.part_count == archived_parts_max) return Status::full;
        newest = &archived.parts[archived.part_count++];
        *newest = {};
        newest->first = first;
        memcpy(newest->name, name.data, name.size);
    }
    newest->last = last;
    newest->entry_next = entry_next;
    return Status::ok;
}

void archived_start(const Archived& archived, Recovery& recovery, Position mark) {
    CHECK(archived.segment > 1 && archived.batch > 1 && archived.entry > 1);
    recovery_start(recovery, archived.bank_id, archived.segment, mark);
    recovery.anchored = true;
    recovery.batch_seq = archived.batch - 1;
    recovery.entry_seq = archived.entry - 1;
    recovery.time_ms = archived.time_ms;
    recovery.chain = archived.chain;
}
