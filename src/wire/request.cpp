#include "wire/request.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t word_size_min = sizeof("$0\r\n\r\n") - 1;  // bytes of the shortest word in RESP
constexpr uint32_t quoted_head_size = 2;                      // bytes
constexpr uint8_t quoted_head_max = inline_size_max / 256;    // greatest first byte of a head

Status refuse(Writer& error_text, const char* text) {
    put_text(error_text, "Protocol error: ");
    put_text(error_text, text);
    return Status::invalid;
}

bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

bool is_word_end(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool is_hex_digit(uint8_t byte) {
    uint8_t value = 0;
    const uint8_t pair[2] = {'0', byte};
    return parse_hex({pair, 2}, &value, 1) == Status::ok;
}

bool is_before_login(const RequestLimits& limits) {
    return limits.request_size_max < request_size_max;
}

// --- RESP ---

// Takes a line such as "*3\r\n" or "$-1\r\n" at the front of `rest`. Returns ok; more; invalid for
// a number that is none; full when the line is too long to be one.
Status take_header(Reader& rest, int64_t& out) {
    const Slice left = reader_rest(rest);
    const uint32_t bound = left.size < header_line_size_max ? left.size : header_line_size_max;
    uint32_t end = 1;
    while (end < bound && left.data[end] != '\r') end++;
    if (end + 1 >= header_line_size_max) return Status::full;
    if (end + 1 >= left.size) return Status::more;
    if (left.data[end + 1] != '\n') return Status::invalid;
    const Status status = parse_signed(slice_part(left, 1, end - 1), out);
    if (status == Status::ok) rest.offset += end + 2;
    return status;
}

Status take_count(Reader& rest, const RequestLimits& limits, uint32_t& out, Writer& error_text) {
    int64_t count = 0;
    const Status status = take_header(rest, count);
    if (status == Status::more) return status;
    if (status == Status::full) return refuse(error_text, "too big mbulk count string");
    if (status != Status::ok) return refuse(error_text, "invalid multibulk length");
    if (count > int64_t{limits.words_max}) {
        return refuse(error_text, is_before_login(limits) ? "unauthenticated multibulk length"
                                                          : "invalid multibulk length");
    }
    out = count > 0 ? static_cast<uint32_t>(count) : 0;
    return Status::ok;
}

// `words_left` is how many follow this one: each needs its own few bytes inside the request.
Status take_bulk(Reader& rest, const RequestLimits& limits, uint32_t words_left, Slice& out,
                 Writer& error_text) {
    if (reader_left(rest) == 0) return Status::more;
    if (rest.data[rest.offset] != '$') {
        put_text(error_text, "Protocol error: expected '$', got '");
        put_printable(error_text, {rest.data + rest.offset, 1}, 1);
        put_text(error_text, "'");
        return Status::invalid;
    }
    int64_t size = 0;
    const Status status = take_header(rest, size);
    if (status == Status::more) return status;
    if (status == Status::full) return refuse(error_text, "too big bulk count string");
    if (status != Status::ok || size < 0) return refuse(error_text, "invalid bulk length");
    const int64_t others = rest.offset + 2 + int64_t{words_left} * word_size_min;
    if (size > int64_t{limits.bulk_size_max} || size > limits.request_size_max - others) {
        return refuse(error_text, is_before_login(limits) ? "unauthenticated bulk length"
                                                          : "invalid bulk length");
    }
    const uint32_t left = reader_left(rest);
    const uint32_t bulk_size = static_cast<uint32_t>(size);
    const uint8_t* const bulk = rest.data + rest.offset;
    // Redis skips these two bytes unseen; a peer that counts wrong is better told at once.
    const bool ends_well = (left <= bulk_size || bulk[bulk_size] == '\r') &&
                           (left <= bulk_size + 1 || bulk[bulk_size + 1] == '\n');
    if (!ends_well) return refuse(error_text, "expected CRLF after a bulk");
    if (left < bulk_size + 2) return Status::more;
    out = get_bytes(rest, bulk_size);
    rest.offset += 2;
    return Status::ok;
}

Status parse_array(Slice data, const RequestLimits& limits, Request& out, Writer& error_text) {
    Reader rest = reader_of(data);
    Request found = {};
    uint32_t count = 0;
    const Status status = take_count(rest, limits, count, error_text);
    if (status != Status::ok) return status;
    while (found.count < count) {
        const uint32_t words_left = count - found.count - 1;
        const Status bulk =
            take_bulk(rest, limits, words_left, found.words[found.count], error_text);
        if (bulk != Status::ok) return bulk;
        found.count++;
    }
    found.size = rest.offset;
    out = found;
    return Status::ok;
}

// --- Inline ---

enum class Unquote : uint8_t { look, write };

// One byte of a quoted word: what it means, and how many bytes of the line say so.
struct QuotedByte {
    uint8_t value;
    uint32_t size;
};

uint8_t escape_value(uint8_t letter) {
    if (letter == 'n') return '\n';
    if (letter == 'r') return '\r';
    if (letter == 't') return '\t';
    if (letter == 'b') return '\b';
    if (letter == 'a') return '\a';
    return letter;
}

// Returns ok; more when the line ends too early to tell.
Status take_quoted_byte(Slice rest, uint8_t quote, QuotedByte& out) {
    out = {rest.data[0], 1};
    if (rest.data[0] != '\\') return Status::ok;
    if (rest.size < 2) return Status::more;
    const uint8_t letter = rest.data[1];
    if (letter == '\n') return Status::ok;
    if (quote == '\'') {
        if (letter == '\'') out = {letter, 2};
        return Status::ok;
    }
    out = {escape_value(letter), 2};
    if (letter != 'x') return Status::ok;
    if (rest.size < 3) return Status::more;
    if (!is_hex_digit(rest.data[2])) return Status::ok;
    if (rest.size < 4) return Status::more;
    if (!is_hex_digit(rest.data[3])) return Status::ok;
    out.size = 4;
    return parse_hex(slice_part(rest, 2, 2), &out.value, 1);
}

// Takes a word that an earlier parse has written over (Q4).
Status take_written_word(Reader& rest, Slice& out) {
    const Slice left = reader_rest(rest);
    if (left.size < quoted_head_size) return Status::more;
    const uint32_t size = left.data[0] * 256u + left.data[1];
    if (left.size <= quoted_head_size + size) return Status::more;
    if (!is_blank(left.data[quoted_head_size + size])) return Status::invalid;
    out = slice_part(left, quoted_head_size, size);
    rest.offset += quoted_head_size + size;
    return Status::ok;
}

// Takes the word at the front of `rest`, which is not at a blank. With Unquote::look the bytes stay
// and `out` of a word with quotes has no meaning. Returns ok, more, or invalid for quotes that do
// not match.
Status take_inline_word(Reader& rest, uint8_t* data, Unquote unquote, Slice& out) {
    const uint32_t start = rest.offset;
    if (data[start] <= quoted_head_max) return take_written_word(rest, out);
    uint32_t put = start;
    uint32_t at = start;
    uint8_t quote = 0;  // the one that is open
    bool has_quotes = false;
    for (;; put++) {
        if (at == rest.size) return Status::more;
        if (quote == 0 && is_word_end(data[at])) break;
        if (quote == 0 && (data[at] == '"' || data[at] == '\'')) {
            quote = data[at++];
            has_quotes = true;
            if (at == rest.size) return Status::more;
        }
        if (data[at] == '\n') return Status::invalid;
        if (quote != 0 && data[at] == quote) {
            at++;
            if (at == rest.size) return Status::more;
            if (!is_blank(data[at])) return Status::invalid;
            break;
        }
        QuotedByte byte = {data[at], 1};
        if (quote != 0) {
            const Status status = take_quoted_byte({data + at, rest.size - at}, quote, byte);
            if (status != Status::ok) return status;
        }
        if (unquote == Unquote::write && has_quotes) data[put] = byte.value;
        at += byte.size;
    }
    rest.offset = at;
    out = {data + start, put - start};
    if (!has_quotes || unquote == Unquote::look) return Status::ok;

    CHECK(out.size + quoted_head_size <= at - start);  // The two quotes make room for the head.
    memmove(data + start + quoted_head_size, data + start, out.size);
    data[start] = static_cast<uint8_t>(out.size / 256);
    data[start + 1] = static_cast<uint8_t>(out.size % 256);
    out.data += quoted_head_size;
    memset(data + put + quoted_head_size, ' ', at - put - quoted_head_size);
    return Status::ok;
}

// Takes the words of one line. Returns ok, more, invalid as above, full for too many words.
Status take_line(uint8_t* data, uint32_t size, uint32_t words_max, Unquote unquote, Request& out) {
    Reader rest = reader_of({data, size});
    Request found = {};
    found.is_inline = true;
    for (;;) {
        while (rest.offset < size && data[rest.offset] != '\n' && is_blank(data[rest.offset])) {
            rest.offset++;
        }
        if (rest.offset == size) return Status::more;
        if (data[rest.offset] == '\n') break;
        Slice word = {};
        const Status status = take_inline_word(rest, data, unquote, word);
        if (status != Status::ok) return status;
        if (found.count == words_max) return Status::full;
        found.words[found.count++] = word;
    }
    found.size = rest.offset + 1;
    out = found;
    return Status::ok;
}

Status parse_inline(uint8_t* data, uint32_t size, const RequestLimits& limits, Request& out,
                    Writer& error_text) {
    const uint32_t bound = size < limits.inline_size_max ? size : limits.inline_size_max;
    Request looked = {};
    const Status status = take_line(data, bound, limits.words_max, Unquote::look, looked);
    if (status == Status::invalid) return refuse(error_text, "unbalanced quotes in request");
    if (status == Status::full || (status == Status::more && size >= limits.inline_size_max)) {
        return refuse(error_text, "too big inline request");
    }
    if (status != Status::ok) return status;
    const Status written = take_line(data, bound, limits.words_max, Unquote::write, out);
    CHECK(written == Status::ok);
    CHECK(out.size == looked.size && out.count == looked.count);
    return Status::ok;
}

}  // namespace

RequestLimits request_limits_login() {
    return {login_words_max, login_bulk_size_max, inline_size_max, login_request_size_max};
}

RequestLimits request_limits_enrol() {
    return {login_words_max, enrol_bulk_size_max, inline_size_max, enrol_request_size_max};
}

RequestLimits request_limits_ready() {
    return {request_words_max, bulk_size_max, inline_size_max, request_size_max};
}

Status request_parse(uint8_t* data, uint32_t size, const RequestLimits& limits, Request& out,
                     Writer& error_text) {
    CHECK(limits.words_max <= request_words_max);
    CHECK(limits.inline_size_max <= inline_size_max);
    if (size == 0) return Status::more;
    const Status status = data[0] == '*' ? parse_array({data, size}, limits, out, error_text)
                                         : parse_inline(data, size, limits, out, error_text);
    if (status != Status::more || size < limits.request_size_max) return status;
    return refuse(error_text, "too big bulk count string");  // Q3: a last header line in part.
}

bool request_is_cross_protocol(const Request& request) {
    if (request.count == 0) return false;
    return slice_equal_nocase(request.words[0], "POST") ||
           slice_equal_nocase(request.words[0], "Host:");
}
