#include "base/bytes.h"

#include <string.h>

#include "base/check.h"

namespace {

uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + ('a' - 'A')) : byte;
}

uint64_t get_number(Reader& reader, uint32_t size) {
    const Slice bytes = get_bytes(reader, size);
    uint64_t value = 0;
    for (uint32_t i = bytes.size; i > 0; i--) value = value << 8 | bytes.data[i - 1];
    return value;
}

void put_number(Writer& writer, uint64_t value, uint32_t size) {
    uint8_t bytes[8];
    for (uint32_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    put_bytes(writer, {bytes, size});
}

}  // namespace

Slice slice_of(const char* text) {
    uint32_t size = 0;
    while (text[size] != '\0') size++;
    return {reinterpret_cast<const uint8_t*>(text), size};
}

Slice slice_of_chars(const char* chars, uint32_t size) {
    return {reinterpret_cast<const uint8_t*>(chars), size};
}

Slice slice_part(Slice slice, uint32_t from, uint32_t size) {
    if (from > slice.size) from = slice.size;
    if (size > slice.size - from) size = slice.size - from;
    return {slice.data + from, size};
}

bool slice_equal(Slice a, Slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool slice_equal_text(Slice a, const char* text) { return slice_equal(a, slice_of(text)); }

bool slice_equal_nocase(Slice a, const char* text) {
    const Slice b = slice_of(text);
    if (a.size != b.size) return false;
    for (uint32_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    }
    return true;
}

int slice_compare(Slice a, Slice b) {
    const uint32_t shared = a.size < b.size ? a.size : b.size;
    const int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0) return order;
    return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

bool slice_equal_secret(Slice a, Slice b) {
    if (a.size != b.size) return false;
    uint8_t difference = 0;
    for (uint32_t i = 0; i < a.size; i++) {
        difference = static_cast<uint8_t>(difference | (a.data[i] ^ b.data[i]));
    }
    return difference == 0;
}

void wipe(void* data, size_t size) {
    if (size == 0) return;
    memset(data, 0, size);
    __asm__ __volatile__("" : : "r"(data) : "memory");  // The bytes are "used" after the memset.
}

Reader reader_of(Slice slice) { return {slice.data, slice.size, 0, false}; }

uint32_t reader_left(const Reader& reader) { return reader.size - reader.offset; }

Slice reader_rest(const Reader& reader) {
    return {reader.data + reader.offset, reader_left(reader)};
}

Slice get_bytes(Reader& reader, uint32_t size) {
    if (size > reader_left(reader)) {
        reader.short_read = true;
        reader.offset = reader.size;
        return {nullptr, 0};
    }
    const Slice taken = {reader.data + reader.offset, size};
    reader.offset += size;
    return taken;
}

uint8_t get_u8(Reader& reader) { return static_cast<uint8_t>(get_number(reader, 1)); }
uint16_t get_u16(Reader& reader) { return static_cast<uint16_t>(get_number(reader, 2)); }
uint32_t get_u32(Reader& reader) { return static_cast<uint32_t>(get_number(reader, 4)); }
uint64_t get_u64(Reader& reader) { return get_number(reader, 8); }
int64_t get_i64(Reader& reader) { return static_cast<int64_t>(get_number(reader, 8)); }

Writer writer_of(uint8_t* data, uint32_t capacity) { return {data, capacity, 0, false}; }

uint32_t writer_room(const Writer& writer) { return writer.capacity - writer.size; }

Slice writer_slice(const Writer& writer) { return {writer.data, writer.size}; }

void put_bytes(Writer& writer, Slice bytes) {
    if (writer.overflow || bytes.size > writer_room(writer)) {
        writer.overflow = true;
        return;
    }
    if (bytes.size > 0) memcpy(writer.data + writer.size, bytes.data, bytes.size);
    writer.size += bytes.size;
}

void put_zeros(Writer& writer, uint32_t count) {
    if (writer.overflow || count > writer_room(writer)) {
        writer.overflow = true;
        return;
    }
    if (count > 0) memset(writer.data + writer.size, 0, count);
    writer.size += count;
}

void put_u8(Writer& writer, uint8_t value) { put_number(writer, value, 1); }
void put_u16(Writer& writer, uint16_t value) { put_number(writer, value, 2); }
void put_u32(Writer& writer, uint32_t value) { put_number(writer, value, 4); }
void put_u64(Writer& writer, uint64_t value) { put_number(writer, value, 8); }
void put_i64(Writer& writer, int64_t value) { put_number(writer, static_cast<uint64_t>(value), 8); }

void writer_drop(Writer& writer, uint32_t count) {
    CHECK(count <= writer.size);
    if (count == 0) return;
    if (count < writer.size) memmove(writer.data, writer.data + count, writer.size - count);
    writer.size -= count;
}
