#include "wire/value.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t number_line_size_max = 32;  // bytes of a line that holds a number of ours
constexpr uint32_t format_size = 4;            // "txt:"

// Takes a line without its end. Returns ok, more, or invalid for one that is too long or holds a
// CR or LF.
Status cut_line(Reader& in, uint32_t size_max, Slice& out) {
    const Slice rest = reader_rest(in);
    const uint32_t seen = rest.size < size_max + 2 ? rest.size : size_max + 2;
    uint32_t size = 0;
    while (size < seen && rest.data[size] != '\r') {
        if (rest.data[size] == '\n') return Status::invalid;
        size++;
    }
    if (size > size_max) return Status::invalid;
    if (size + 1 >= rest.size) return Status::more;
    if (rest.data[size + 1] != '\n') return Status::invalid;
    out = {rest.data, size};
    in.offset += size + 2;
    return Status::ok;
}

Status cut_number(Reader& in, int64_t& out) {
    Slice line = {};
    const Status status = cut_line(in, number_line_size_max, line);
    if (status != Status::ok) return status;
    if (line.size > 1 && line.data[0] == '+') line = slice_part(line, 1, line.size);
    return parse_signed(line, out);
}

// Takes the size of a text that follows, or -1 where the reply says that there is none.
Status cut_size(Reader& in, int64_t size_max, int64_t& out) {
    int64_t size = 0;
    const Status status = cut_number(in, size);
    if (status != Status::ok) return status;
    if (size < -1 || size > size_max) return Status::invalid;
    out = size;
    return Status::ok;
}

Status cut_bulk(Reader& in, Value& out) {
    int64_t size = 0;
    const Status status = cut_size(in, value_bulk_size_max, size);
    if (status != Status::ok) return status;
    if (size < 0) {
        if (out.type != ValueType::bulk) return Status::invalid;
        out.type = ValueType::null;
        return Status::ok;
    }
    const uint32_t bytes = static_cast<uint32_t>(size);
    const Slice rest = reader_rest(in);
    if (rest.size > bytes && rest.data[bytes] != '\r') return Status::invalid;
    if (rest.size < bytes + 2) return Status::more;
    if (rest.data[bytes + 1] != '\n') return Status::invalid;
    out.text = {rest.data, bytes};
    in.offset += bytes + 2;
    return Status::ok;
}

Status cut_verbatim(Reader& in, Value& out) {
    const Status status = cut_bulk(in, out);
    if (status != Status::ok) return status;
    if (out.text.size < format_size || out.text.data[format_size - 1] != ':') {
        return Status::invalid;
    }
    memcpy(out.format, out.text.data, sizeof out.format);
    out.text = slice_part(out.text, format_size, out.text.size);
    return Status::ok;
}

Status cut_holder(Reader& in, Value& out) {
    int64_t size = 0;
    const Status status = cut_size(in, UINT32_MAX / 2, size);
    if (status != Status::ok) return status;
    if (size < 0) {
        if (out.type != ValueType::array) return Status::invalid;
        out.type = ValueType::null;
        return Status::ok;
    }
    out.count = static_cast<uint32_t>(out.type == ValueType::map ? 2 * size : size);
    return Status::ok;
}

Status cut_boolean(Reader& in, Value& out) {
    Slice line = {};
    const Status status = cut_line(in, 1, line);
    if (status != Status::ok) return status;
    if (!slice_equal_text(line, "t") && !slice_equal_text(line, "f")) return Status::invalid;
    out.integer = line.data[0] == 't' ? 1 : 0;
    return Status::ok;
}

Status cut_null(Reader& in) {
    Slice line = {};
    return cut_line(in, 0, line);
}

// Numbers that are only shown: looked at byte by byte, never computed with.
Status cut_shown(Reader& in, const char* letters, Value& out) {
    Slice line = {};
    const Status status = cut_line(in, value_line_size_max, line);
    if (status != Status::ok) return status;
    if (line.size == 0) return Status::invalid;
    const Slice allowed = slice_of(letters);
    for (uint32_t i = 0; i < line.size; i++) {
        if (memchr(allowed.data, line.data[i], allowed.size) == nullptr) return Status::invalid;
    }
    out.text = line;
    return Status::ok;
}

// Finds what the first byte of a value announces.
Status type_of(uint8_t byte, ValueType& out) {
    switch (byte) {
        case '+': out = ValueType::simple; return Status::ok;
        case '-':
        case '!': out = ValueType::error; return Status::ok;
        case ':': out = ValueType::integer; return Status::ok;
        case '$': out = ValueType::bulk; return Status::ok;
        case '_': out = ValueType::null; return Status::ok;
        case '*': out = ValueType::array; return Status::ok;
        case '%': out = ValueType::map; return Status::ok;
        case '~': out = ValueType::set; return Status::ok;
        case '>': out = ValueType::push; return Status::ok;
        case ',': out = ValueType::real; return Status::ok;
        case '#': out = ValueType::boolean; return Status::ok;
        case '=': out = ValueType::verbatim; return Status::ok;
        case '(': out = ValueType::big; return Status::ok;
        default: return Status::invalid;
    }
}

// Takes one value without those that it holds.
Status cut_value(Reader& in, Value& out) {
    if (reader_left(in) == 0) return Status::more;
    const uint8_t byte = get_u8(in);
    const Status status = type_of(byte, out.type);
    if (status != Status::ok) return status;
    switch (out.type) {
        case ValueType::simple: return cut_line(in, value_line_size_max, out.text);
        case ValueType::error:
            return byte == '!' ? cut_bulk(in, out) : cut_line(in, value_line_size_max, out.text);
        case ValueType::integer: return cut_number(in, out.integer);
        case ValueType::bulk: return cut_bulk(in, out);
        case ValueType::null: return cut_null(in);
        case ValueType::array:
        case ValueType::map:
        case ValueType::set:
        case ValueType::push: return cut_holder(in, out);
        case ValueType::real: return cut_shown(in, "0123456789+-.eEinfa", out);
        case ValueType::boolean: return cut_boolean(in, out);
        case ValueType::verbatim: return cut_verbatim(in, out);
        case ValueType::big: return cut_shown(in, "0123456789-+", out);
    }
    CHECK(false);
    return Status::invalid;
}

}  // namespace

Status value_parse(Slice data, Value* values, uint32_t count_max, uint32_t& out_count,
                   uint32_t& out_size) {
    Reader in = reader_of(data);
    uint32_t missing[value_depth_max + 1] = {1};  // values still to come, per depth
    uint32_t depth = 0;
    uint32_t count = 0;
    while (missing[depth] > 0) {
        if (count == count_max) return Status::full;
        Value value = {};
        const Status status = cut_value(in, value);
        if (status != Status::ok) return status;
        value.depth = static_cast<uint8_t>(depth);
        values[count++] = value;
        missing[depth]--;
        if (value.count > count_max - count) return Status::full;
        if (value.count > 0) {
            if (depth == value_depth_max) return Status::invalid;
            missing[++depth] = value.count;
        }
        while (depth > 0 && missing[depth] == 0) depth--;
    }
    CHECK(depth == 0);
    out_count = count;
    out_size = in.offset;
    return Status::ok;
}

uint32_t value_skip(const Value* values, uint32_t count, uint32_t index) {
    CHECK(index < count);
    uint32_t next = index + 1;
    while (next < count && values[next].depth > values[index].depth) next++;
    return next;
}
