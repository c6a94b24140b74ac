#include "base/base64.h"

#include <string.h>

namespace {

constexpr uint32_t digit_count = 64;
constexpr char plain_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static_assert(sizeof plain_digits == digit_count + 1 && sizeof url_digits == digit_count + 1);

// Takes the padding off. Returns invalid when it is not the one that belongs there.
Status take_padding(Slice& text) {
    uint32_t count = 0;
    if (text.size % 4 != 0) return Status::invalid;
    while (count < 2 && count < text.size && text.data[text.size - 1 - count] == '=') count++;
    text.size -= count;
    return Status::ok;
}

void put_digits(Writer& writer, Slice bytes, const char* digits) {
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    for (uint32_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | bytes.data[i];
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            put_u8(writer, static_cast<uint8_t>(digits[bits >> bit_count & 63]));
        }
        bits &= (1u << bit_count) - 1;
    }
    if (bit_count > 0) put_u8(writer, static_cast<uint8_t>(digits[bits << (6 - bit_count) & 63]));
}

Status parse_digits(Slice text, const char* digits, Writer& out) {
    if (text.size % 4 == 1) return Status::invalid;
    Writer bytes = out;  // A copy, so that a refusal moves nothing.
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        const void* digit = memchr(digits, text.data[i], digit_count);
        if (digit == nullptr) return Status::invalid;
        bits = bits << 6 | static_cast<uint32_t>(static_cast<const char*>(digit) - digits);
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        put_u8(bytes, static_cast<uint8_t>(bits >> bit_count));
        bits &= (1u << bit_count) - 1;
    }
    if (bits != 0) return Status::invalid;  // Left-over bits would make a second spelling.
    if (bytes.overflow) return Status::full;
    out = bytes;
    return Status::ok;
}

void put(Writer& writer, Slice bytes, const char* digits, Base64End end) {
    const uint32_t start = writer.size;
    put_digits(writer, bytes, digits);
    if (end == Base64End::padded) {
        for (uint32_t i = bytes.size; i % 3 != 0; i++) put_u8(writer, '=');
    }
    if (writer.overflow) writer.size = start;
}

Status parse(Slice text, const char* digits, Base64End end, Writer& out) {
    if (end == Base64End::padded && take_padding(text) != Status::ok) return Status::invalid;
    return parse_digits(text, digits, out);
}

}  // namespace

void put_base64(Writer& writer, Slice bytes, Base64End end) {
    put(writer, bytes, plain_digits, end);
}

Status parse_base64(Slice text, Base64End end, Writer& out) {
    return parse(text, plain_digits, end, out);
}

void put_base64url(Writer& writer, Slice bytes) {
    put(writer, bytes, url_digits, Base64End::bare);
}

void put_base64url(Writer& writer, Slice bytes, Base64End end) {
    put(writer, bytes, url_digits, end);
}

Status parse_base64url(Slice text, Writer& out) {
    return parse(text, url_digits, Base64End::bare, out);
}

Status parse_base64url(Slice text, Base64End end, Writer& out) {
    return parse(text, url_digits, end, out);
}
