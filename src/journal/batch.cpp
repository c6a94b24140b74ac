#include "journal/batch.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr uint8_t magic[8] = {'P', 'N', 'Y', 'B', 'A', 'T', 'C', 'H'};
constexpr uint32_t entry_size_min = 4;  // bytes; no entry is just its size

bool is_zero(Slice bytes) {
    for (uint32_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != 0) return false;
    }
    return true;
}

void put_header(Writer& writer, const BatchHeader& header) {
    put_bytes(writer, {magic, sizeof magic});
    put_u32(writer, batch_version);
    put_u32(writer, batch_header_size);
    put_bytes(writer, {header.bank_id, bank_id_size});
    put_u64(writer, header.salt);
    put_u32(writer, header.segment);
    put_u32(writer, header.offset);
    put_u64(writer, header.seq);
    put_u64(writer, header.entry_first);
    put_u32(writer, header.entry_count);
    put_u32(writer, header.entries_size);
    put_u64(writer, header.time_ms);
    put_u32(writer, header.flags);
    put_u32(writer, header.segment_size);
    put_zeros(writer, 8);
    put_bytes(writer, hash_slice(header.previous));
}

// Reads the fields behind magic, version and header size. Returns damaged when they cannot be.
Status get_header(Reader& reader, BatchHeader& out) {
    BatchHeader header = {};
    const Slice bank_id = get_bytes(reader, bank_id_size);
    if (bank_id.size == bank_id_size) memcpy(header.bank_id, bank_id.data, bank_id_size);
    header.salt = get_u64(reader);
    header.segment = get_u32(reader);
    header.offset = get_u32(reader);
    header.seq = get_u64(reader);
    header.entry_first = get_u64(reader);
    header.entry_count = get_u32(reader);
    header.entries_size = get_u32(reader);
    header.time_ms = get_u64(reader);
    header.flags = get_u32(reader);
    header.segment_size = get_u32(reader);
    const Slice reserved = get_bytes(reader, 8);
    const Slice previous = get_bytes(reader, hash_size);
    if (reader.short_read) return Status::damaged;
    memcpy(header.previous.bytes, previous.data, hash_size);
    if (!is_zero(reserved)) return Status::damaged;
    if ((header.flags & ~batch_flag_closing) != 0) return Status::damaged;
    if (header.entries_size > batch_entries_size_max) return Status::damaged;
    if (header.entry_count > batch_entries_max) return Status::damaged;
    if (header.segment == 0 || header.seq == 0 || header.entry_first == 0) return Status::damaged;
    if (header.offset % block_size != 0 || header.segment_size % block_size != 0) {
        return Status::damaged;
    }
    if (header.segment_size < segment_size_min) return Status::damaged;
    if (header.offset > header.segment_size - batch_size_max) return Status::damaged;  // J4
    out = header;
    return Status::ok;
}

bool entries_add_up(Slice entries, uint32_t count) {
    Reader reader = reader_of(entries);
    Slice entry;
    uint32_t found = 0;
    Status status = batch_next_entry(reader, entry);
    for (; status == Status::ok; status = batch_next_entry(reader, entry)) found++;
    return status == Status::end && found == count;
}

}  // namespace

uint32_t batch_size_of(uint32_t entries_size) {
    CHECK(entries_size <= batch_entries_size_max);
    const uint32_t size = batch_header_size + entries_size + hash_size;
    return (size + block_size - 1) / block_size * block_size;
}

Hash batch_seal(uint8_t* memory, const BatchHeader& header) {
    const uint32_t hashed_size = batch_header_size + header.entries_size;
    const uint32_t size = batch_size_of(header.entries_size);
    Writer writer = writer_of(memory, batch_header_size);
    put_header(writer, header);
    CHECK(!writer.overflow && writer.size == batch_header_size);
    const Hash hash = hash_of({memory, hashed_size});
    memcpy(memory + hashed_size, hash.bytes, hash_size);
    memset(memory + hashed_size + hash_size, 0, size - hashed_size - hash_size);
    return hash;
}

BatchFind batch_find(Slice bytes, const uint8_t* bank_id, BatchHeader& header, Slice& entries,
                     Hash& hash) {
    if (is_zero(slice_part(bytes, 0, block_size))) return BatchFind::blank;
    if (bytes.size < block_size) return BatchFind::junk;
    if (memcmp(bytes.data, magic, sizeof magic) != 0) return BatchFind::junk;
    Reader reader = reader_of(bytes);
    get_bytes(reader, sizeof magic);
    const uint32_t version = get_u32(reader);
    const uint32_t header_size = get_u32(reader);
    // A newer header may be laid out otherwise, so its hash cannot be checked here.
    if (version > batch_version && version < 0x10000) return BatchFind::newer;
    if (version != batch_version || header_size != batch_header_size) return BatchFind::junk;
    BatchHeader found = {};
    if (get_header(reader, found) != Status::ok) return BatchFind::junk;
    const uint32_t size = batch_size_of(found.entries_size);
    if (size > bytes.size) return BatchFind::junk;
    const uint32_t hashed_size = batch_header_size + found.entries_size;
    const Hash computed = hash_of({bytes.data, hashed_size});
    if (!slice_equal(hash_slice(computed), {bytes.data + hashed_size, hash_size})) {
        return BatchFind::junk;
    }
    const uint32_t padded_from = hashed_size + hash_size;
    if (!is_zero({bytes.data + padded_from, size - padded_from})) return BatchFind::junk;
    const Slice found_entries = {bytes.data + batch_header_size, found.entries_size};
    if (!entries_add_up(found_entries, found.entry_count)) return BatchFind::junk;
    if (bank_id != nullptr && memcmp(bank_id, found.bank_id, bank_id_size) != 0) {
        return BatchFind::foreign;
    }
    header = found;
    entries = found_entries;
    hash = computed;
    return BatchFind::whole;
}

Status batch_peek(Slice bytes, const uint8_t bank_id[bank_id_size], BatchHeader& out) {
    Reader reader = reader_of(bytes);
    const Slice found_magic = get_bytes(reader, sizeof magic);
    const uint32_t version = get_u32(reader);
    const uint32_t header_size = get_u32(reader);
    if (!slice_equal(found_magic, {magic, sizeof magic})) return Status::damaged;
    if (version != batch_version || header_size != batch_header_size) return Status::damaged;
    if (get_header(reader, out) != Status::ok) return Status::damaged;
    return memcmp(out.bank_id, bank_id, bank_id_size) == 0 ? Status::ok : Status::damaged;
}

Status batch_next_entry(Reader& entries, Slice& out) {
    if (reader_left(entries) == 0) return Status::end;
    Reader ahead = entries;
    const uint16_t size = get_u16(ahead);
    if (ahead.short_read || size < entry_size_min || size > entry_size_max) return Status::damaged;
    const Slice entry = get_bytes(entries, size);
    if (entries.short_read) return Status::damaged;
    out = entry;
    return Status::ok;
}
