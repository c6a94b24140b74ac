#include "base/lines.h"

void put_line_number(Writer& out, const char* word, uint64_t value) {
    put_text(out, word);
    put_u8(out, ' ');
    put_decimal(out, value);
    put_u8(out, '\n');
}

void put_line_hex(Writer& out, const char* word, Slice bytes) {
    put_text(out, word);
    put_u8(out, ' ');
    put_hex(out, bytes);
    put_u8(out, '\n');
}

Status take_word(Reader& line, const char* word) {
    Slice found;
    if (cut_word(line, ' ', found) != Status::ok) return Status::damaged;
    return slice_equal_text(found, word) ? Status::ok : Status::damaged;
}

Status take_number(Reader& line, uint64_t maximum, uint64_t& out) {
    Slice found;
    uint64_t value = 0;
    if (cut_word(line, ' ', found) != Status::ok) return Status::damaged;
    if (parse_decimal(found, value) != Status::ok || value > maximum) return Status::damaged;
    out = value;
    return Status::ok;
}

Status take_hex(Reader& line, uint8_t* out, uint32_t size) {
    Slice found;
    if (cut_word(line, ' ', found) != Status::ok) return Status::damaged;
    for (uint32_t i = 0; i < found.size; i++) {
        if (found.data[i] >= 'A' && found.data[i] <= 'F') return Status::damaged;
    }
    return parse_hex(found, out, size) == Status::ok ? Status::ok : Status::damaged;
}

Status take_text(Reader& line, Writer& out) {
    Slice word;
    const uint32_t begin = out.size;
    if (cut_word(line, ' ', word) != Status::ok) return Status::damaged;
    if (text_unescape(word, out) != Status::ok) return Status::damaged;
    // Written again, byte by byte, it must be the same word.
    uint32_t at = 0;
    for (uint32_t i = begin; i < out.size; i++) {
        uint8_t escape[3];
        Writer again = writer_of(escape, sizeof escape);
        put_escaped(again, {out.data + i, 1});
        if (!slice_equal(writer_slice(again), slice_part(word, at, again.size))) {
            out.size = begin;
            return Status::damaged;
        }
        at += again.size;
    }
    return Status::ok;
}

Status take_end(Reader& line) {
    Slice found;
    return cut_word(line, ' ', found) == Status::end ? Status::ok : Status::damaged;
}

Status take_line(Reader& text, const char* word, Reader& rest) {
    Slice line;
    if (cut_word(text, '\n', line) != Status::ok) return Status::damaged;
    rest = reader_of(line);
    return take_word(rest, word);
}

Status take_line_number(Reader& text, const char* word, uint64_t maximum, uint64_t& out) {
    Reader line;
    if (take_line(text, word, line) != Status::ok) return Status::damaged;
    if (take_number(line, maximum, out) != Status::ok) return Status::damaged;
    return take_end(line);
}

Status take_line_hex(Reader& text, const char* word, uint8_t* out, uint32_t size) {
    Reader line;
    if (take_line(text, word, line) != Status::ok) return Status::damaged;
    if (take_hex(line, out, size) != Status::ok) return Status::damaged;
    return take_end(line);
}
