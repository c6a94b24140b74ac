#include "wire/reply.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t head_size_max = 24;    // bytes; "=4294967295\r\ntxt:" is the longest head
constexpr uint32_t number_size_max = 24;  // bytes; INT64_MIN with a point is the longest number

// "txt:" before a verbatim text says that it is plain text (RESP3's specification).
constexpr char verbatim_format[] = "txt:";
constexpr uint32_t verbatim_format_size = sizeof verbatim_format - 1;

void put_line_end(Writer& out) { put_text(out, "\r\n"); }

void put_head(Writer& out, char type, uint64_t count) {
    put_u8(out, static_cast<uint8_t>(type));
    put_decimal(out, count);
    put_line_end(out);
}

void put_verbatim_head(Writer& out, uint32_t size) {
    put_head(out, '=', uint64_t{size} + verbatim_format_size);
    put_text(out, verbatim_format);
}

void text_begin(Reply& reply) {
    CHECK(reply.text_start == 0);
    reply.text_start = reply.out->size + 1;  // One more, so that 0 is none.
}

// Returns where the text that was begun starts in `out`.
uint32_t text_end(Reply& reply) {
    CHECK(reply.text_start > 0);
    CHECK(reply.text_start - 1 <= reply.out->size);
    const uint32_t start = reply.text_start - 1;
    reply.text_start = 0;
    return start;
}

// Ends a line, with blanks for all bytes since `start` that a line cannot hold (E1).
void line_end(Writer& out, uint32_t start) {
    for (uint32_t i = start; i < out.size; i++) {
        if (out.data[i] < 0x20 || out.data[i] == 0x7f) out.data[i] = ' ';
    }
    put_line_end(out);
}

// Moves the bytes since `start` away from it to put `head` there, and ends the value.
void insert_head(Writer& out, uint32_t start, Slice head) {
    const uint32_t size = out.size - start;
    put_bytes(out, head);
    put_line_end(out);
    if (out.overflow) return;
    memmove(out.data + start + head.size, out.data + start, size);
    memcpy(out.data + start, head.data, head.size);
    out.size -= 2;  // The first line end lies where the head had room; the real one goes last.
    put_line_end(out);
}

}  // namespace

void reply_ok(Reply& reply) { reply_simple(reply, "OK"); }

void reply_simple(Reply& reply, const char* text) {
    put_u8(*reply.out, '+');
    const uint32_t start = reply.out->size;
    put_text(*reply.out, text);
    line_end(*reply.out, start);
}

void reply_error(Reply& reply, const char* word, const char* text) {
    reply_error_begin(reply, word);
    put_text(*reply.out, text);
    reply_error_end(reply);
}

void reply_error_begin(Reply& reply, const char* word) {
    put_u8(*reply.out, '-');
    text_begin(reply);
    put_text(*reply.out, word);
    put_u8(*reply.out, ' ');
}

void reply_error_end(Reply& reply) { line_end(*reply.out, text_end(reply)); }

void reply_integer(Reply& reply, int64_t value) {
    put_u8(*reply.out, ':');
    put_signed(*reply.out, value);
    put_line_end(*reply.out);
}

void reply_bulk(Reply& reply, Slice bytes) {
    put_head(*reply.out, '$', bytes.size);
    put_bytes(*reply.out, bytes);
    put_line_end(*reply.out);
}

void reply_bulk_text(Reply& reply, const char* text) { reply_bulk(reply, slice_of(text)); }

void reply_decimal_bulk(Reply& reply, uint64_t value) {
    uint8_t digits[number_size_max];
    Writer text = writer_of(digits, sizeof digits);
    put_decimal(text, value);
    reply_bulk(reply, writer_slice(text));
}

void reply_minor_bulk(Reply& reply, int64_t minor, uint32_t scale) {
    uint8_t digits[number_size_max];
    Writer text = writer_of(digits, sizeof digits);
    put_minor(text, minor, scale);
    reply_bulk(reply, writer_slice(text));
}

void reply_verbatim(Reply& reply, Slice text) {
    if (reply.protocol < 3) return reply_bulk(reply, text);
    put_verbatim_head(*reply.out, text.size);
    put_bytes(*reply.out, text);
    put_line_end(*reply.out);
}

void reply_null(Reply& reply) { put_text(*reply.out, reply.protocol < 3 ? "$-1\r\n" : "_\r\n"); }

void reply_boolean(Reply& reply, bool value) {
    if (reply.protocol < 3) return reply_integer(reply, value ? 1 : 0);
    put_text(*reply.out, value ? "#t\r\n" : "#f\r\n");
}

void reply_array(Reply& reply, uint32_t count) { put_head(*reply.out, '*', count); }

void reply_set(Reply& reply, uint32_t count) {
    put_head(*reply.out, reply.protocol < 3 ? '*' : '~', count);
}

void reply_push(Reply& reply, uint32_t count) {
    put_head(*reply.out, reply.protocol < 3 ? '*' : '>', count);
}

void reply_map(Reply& reply, uint32_t pairs) {
    if (reply.protocol < 3) return put_head(*reply.out, '*', uint64_t{pairs} * 2);
    put_head(*reply.out, '%', pairs);
}

void reply_bulk_begin(Reply& reply) { text_begin(reply); }

void reply_bulk_end(Reply& reply) {
    const uint32_t start = text_end(reply);
    uint8_t bytes[head_size_max];
    Writer head = writer_of(bytes, sizeof bytes);
    put_head(head, '$', reply.out->size - start);
    insert_head(*reply.out, start, writer_slice(head));
}

void reply_verbatim_begin(Reply& reply) { text_begin(reply); }

void reply_verbatim_end(Reply& reply) {
    if (reply.protocol < 3) return reply_bulk_end(reply);
    const uint32_t start = text_end(reply);
    uint8_t bytes[head_size_max];
    Writer head = writer_of(bytes, sizeof bytes);
    put_verbatim_head(head, reply.out->size - start);
    insert_head(*reply.out, start, writer_slice(head));
}
