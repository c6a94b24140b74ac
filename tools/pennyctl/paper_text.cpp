#include "pennyctl/paper_text.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

struct Range {
    uint32_t first;
    uint32_t last;
};

// Characters that nobody sees and that move others, or end a line (X1).
constexpr Range hidden[] = {
    {0x00, 0x1f},     {'\\', '\\'},     {0x7f, 0x9f},     {0xad, 0xad},         {0x61c, 0x61c},
    {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},     {0xfeff, 0xfeff},
    {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

// Marks that stand on the character before, and joiners.
constexpr Range marks[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
    {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200c, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

constexpr Range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

template <uint32_t count>
bool is_in(const Range (&ranges)[count], uint32_t point) {
    for (const Range& range : ranges) {
        if (point >= range.first && point <= range.last) return true;
    }
    return false;
}

// The code point of a well-formed sequence of that size.
uint32_t point_of(Slice text, uint32_t size) {
    if (size == 1) return text.data[0];
    uint32_t point = text.data[0] & (0x7fu >> size);
    for (uint32_t i = 1; i < size; i++) point = point << 6 | (text.data[i] & 0x3fu);
    return point;
}

void put_byte_escaped(Writer& writer, uint8_t byte) {
    put_text(writer, "\\x");
    put_hex(writer, {&byte, 1});
}

bool begins_formula(uint8_t byte) {
    return byte == '=' || byte == '+' || byte == '-' || byte == '@';
}

bool needs_quotes(Slice text) {
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == ',' || text.data[i] == ';' || text.data[i] == '"') return true;
    }
    return false;
}

uint32_t columns_of_point(uint32_t point) {
    if (is_in(marks, point)) return 0;
    return is_in(wide, point) ? 2 : 1;
}

// The size of the next character of clean text.
uint32_t next_size(Slice text, uint32_t at) {
    const uint32_t size = utf8_size(slice_part(text, at, text.size));
    return size == 0 ? 1 : size;
}

}  // namespace

void put_clean(Writer& writer, Slice text) {
    uint32_t i = 0;
    while (i < text.size) {
        const Slice rest = slice_part(text, i, text.size);
        const uint32_t size = utf8_size(rest);
        const uint32_t taken = size == 0 ? 1 : size;
        if (size == 0 || is_in(hidden, point_of(rest, size))) {
            for (uint32_t j = 0; j < taken; j++) put_byte_escaped(writer, rest.data[j]);
        } else {
            put_bytes(writer, slice_part(rest, 0, size));
        }
        i += taken;
    }
}

void put_csv_text(Writer& writer, Slice text) {
    uint8_t memory[paper_clean_size_max];
    Writer clean = writer_of(memory, sizeof memory);
    put_clean(clean, text);
    CHECK(!clean.overflow);
    const bool quoted = needs_quotes(writer_slice(clean));
    if (quoted) put_u8(writer, '"');
    uint8_t before = ';';  // X2: the front is a place where a cell begins.
    for (uint32_t i = 0; i < clean.size; i++) {
        const uint8_t byte = memory[i];
        if (before == ';' && begins_formula(byte)) put_u8(writer, '\'');
        if (byte == '"') put_u8(writer, '"');
        put_u8(writer, byte);
        before = byte;
    }
    if (quoted) put_u8(writer, '"');
}

void put_hledger_text(Writer& writer, Slice text) {
    uint8_t memory[paper_clean_size_max];
    Writer clean = writer_of(memory, sizeof memory);
    put_clean(clean, text);
    CHECK(!clean.overflow);
    bool comma = false;
    for (uint32_t i = 0; i < clean.size; i++) {
        const uint8_t byte = memory[i];
        if (byte == ';' || (byte == ':' && comma)) {
            put_byte_escaped(writer, byte);
        } else {
            put_u8(writer, byte);
        }
        comma = comma || byte == ',';
    }
}

uint32_t text_columns(Slice clean) {
    uint32_t columns = 0;
    for (uint32_t i = 0; i < clean.size;) {
        const uint32_t size = next_size(clean, i);
        columns += columns_of_point(point_of(slice_part(clean, i, size), size));
        i += size;
    }
    return columns;
}

Status cut_line(Reader& rest, uint32_t columns, Slice& out) {
    CHECK(columns >= 2);
    while (reader_left(rest) > 0 && rest.data[rest.offset] == ' ') rest.offset++;
    const Slice text = reader_rest(rest);
    if (text.size == 0) return Status::end;
    uint32_t used = 0;
    uint32_t end = 0;
    uint32_t blank = 0;  // where the last one stands; never at the front
    while (end < text.size) {
        const uint32_t size = next_size(text, end);
        used += columns_of_point(point_of(slice_part(text, end, size), size));
        if (used > columns) break;
        if (text.data[end] == ' ') blank = end;
        end += size;
    }
    const bool ends_word = end == text.size || text.data[end] == ' ' || blank == 0;
    out = slice_part(text, 0, ends_word ? end : blank);
    rest.offset += out.size;
    return Status::ok;
}
