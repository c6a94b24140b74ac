// bytes.h - the one checked way to look at bytes and to lay them out.
//
// Slice and Reader look at memory that somebody else owns and keeps alive; Writer fills memory that
// somebody else owns. None of them allocates. Numbers on disk are little-endian on every machine.
//
//   B1. No function reads or writes outside the given memory, whatever the bytes are.
//   B2. A get_ past the end returns 0 and sets `short_read`; a put_ without room writes nothing and
//       sets `overflow`. Both flags stay set, so a whole record is judged once, at its end.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct Slice {
    const uint8_t* data;
    uint32_t size;  // bytes
};

struct Reader {
    const uint8_t* data;
    uint32_t size;    // bytes
    uint32_t offset;  // bytes taken so far; <= size
    bool short_read;  // B2
};

struct Writer {
    uint8_t* data;
    uint32_t capacity;  // bytes
    uint32_t size;      // bytes put so far; <= capacity
    bool overflow;      // B2
};

// Slices.
Slice slice_of(const char* text);              // up to the NUL, which is left out
Slice slice_of_chars(const char* chars, uint32_t size);
Slice slice_part(Slice slice, uint32_t from, uint32_t size);  // clipped to what there is
bool slice_equal(Slice a, Slice b);
bool slice_equal_text(Slice a, const char* text);
bool slice_equal_nocase(Slice a, const char* text);  // ASCII letters only
int slice_compare(Slice a, Slice b);                 // byte order, shorter first

// Compares secrets in a time that depends on the sizes only.
bool slice_equal_secret(Slice a, Slice b);

// Overwrites secrets so that the compiler cannot leave it out.
void wipe(void* data, size_t size);

// Readers.
Reader reader_of(Slice slice);
uint32_t reader_left(const Reader& reader);
Slice reader_rest(const Reader& reader);
uint8_t get_u8(Reader& reader);
uint16_t get_u16(Reader& reader);
uint32_t get_u32(Reader& reader);
uint64_t get_u64(Reader& reader);
int64_t get_i64(Reader& reader);
Slice get_bytes(Reader& reader, uint32_t size);  // empty and short_read when fewer are left

// Writers.
Writer writer_of(uint8_t* data, uint32_t capacity);
uint32_t writer_room(const Writer& writer);
Slice writer_slice(const Writer& writer);
void put_u8(Writer& writer, uint8_t value);
void put_u16(Writer& writer, uint16_t value);
void put_u32(Writer& writer, uint32_t value);
void put_u64(Writer& writer, uint64_t value);
void put_i64(Writer& writer, int64_t value);
void put_bytes(Writer& writer, Slice bytes);
void put_zeros(Writer& writer, uint32_t count);

// Removes the first `count` bytes and moves the rest to the front.
void writer_drop(Writer& writer, uint32_t count);
