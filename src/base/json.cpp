#include "base/json.h"

#include <string.h>

#include "base/text.h"

namespace {

constexpr const char* literals[] = {"true", "false", "null"};
constexpr char hex_digits[] = "0123456789abcdef";

// Pairs: what stands behind a backslash, and the byte that it means.
constexpr char short_escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

uint8_t peek(const Reader& text) {
    return reader_left(text) > 0 ? text.data[text.offset] : uint8_t{0};
}

bool take(Reader& text, char byte) {
    if (reader_left(text) == 0 || peek(text) != static_cast<uint8_t>(byte)) return false;
    text.offset++;
    return true;
}

void skip_blanks(Reader& text) {
    while (reader_left(text) > 0 && memchr(" \t\r\n", peek(text), 4) != nullptr) text.offset++;
}

bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

uint32_t skip_digits(Reader& text) {
    uint32_t count = 0;
    for (; is_digit(peek(text)); count++) text.offset++;
    return count;
}

// The four digits of a \uXXXX.
Status take_unit(Reader& text, uint32_t& out) {
    uint8_t bytes[2];
    const Status status = parse_hex(get_bytes(text, 4), bytes, 2);
    if (status == Status::ok) out = static_cast<uint32_t>(bytes[0] << 8 | bytes[1]);
    return status;
}

// A \uXXXX behind its "\u", with its second half where it is half of a pair.
Status take_code_point(Reader& text, uint32_t& out) {
    uint32_t first = 0;
    if (take_unit(text, first) != Status::ok) return Status::invalid;
    out = first;
    if (first < 0xd800 || first > 0xdfff) return Status::ok;
    uint32_t second = 0;
    if (first > 0xdbff || !take(text, '\\') || !take(text, 'u')) return Status::invalid;
    if (take_unit(text, second) != Status::ok) return Status::invalid;
    if (second < 0xdc00 || second > 0xdfff) return Status::invalid;
    out = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    return Status::ok;
}

void put_code_point(Writer& out, uint32_t code) {
    if (code < 0x80) {
        put_u8(out, static_cast<uint8_t>(code));
        return;
    }
    const uint32_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes behind the first
    constexpr uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    put_u8(out, static_cast<uint8_t>(heads[more] | code >> (6 * more)));
    for (uint32_t i = more; i > 0; i--) {
        put_u8(out, static_cast<uint8_t>(0x80 | (code >> (6 * (i - 1)) & 0x3f)));
    }
}

// An escape behind its backslash. Without `out` it is only judged.
Status take_escape(Reader& text, Writer* out) {
    if (take(text, 'u')) {
        uint32_t code = 0;
        if (take_code_point(text, code) != Status::ok) return Status::invalid;
        if (out != nullptr) put_code_point(*out, code);
        return Status::ok;
    }
    const uint8_t letter = get_u8(text);
    for (uint32_t i = 0; short_escapes[i] != '\0'; i += 2) {
        if (letter != static_cast<uint8_t>(short_escapes[i])) continue;
        if (out != nullptr) put_u8(*out, static_cast<uint8_t>(short_escapes[i + 1]));
        return Status::ok;
    }
    return Status::invalid;
}

// A string from its first quote to its last.
Status take_string(Reader& text, Slice& out) {
    if (!take(text, '"')) return Status::invalid;
    const uint32_t start = text.offset;
    while (reader_left(text) > 0) {
        if (peek(text) == '"') {
            out = {text.data + start, text.offset - start};
            text.offset++;
            return Status::ok;
        }
        if (peek(text) < ' ') return Status::invalid;
        if (take(text, '\\')) {
            if (take_escape(text, nullptr) != Status::ok) return Status::invalid;
            continue;
        }
        const uint32_t size = utf8_size(reader_rest(text));
        if (size == 0) return Status::invalid;
        text.offset += size;
    }
    return Status::invalid;
}

Status take_number(Reader& text, Slice& out) {
    const uint32_t start = text.offset;
    (void)take(text, '-');
    const bool zero = peek(text) == '0';
    const uint32_t digits = skip_digits(text);
    if (digits == 0 || (zero && digits > 1)) return Status::invalid;
    if (take(text, '.') && skip_digits(text) == 0) return Status::invalid;
    if (take(text, 'e') || take(text, 'E')) {
        if (!take(text, '+')) (void)take(text, '-');
        if (skip_digits(text) == 0) return Status::invalid;
    }
    out = {text.data + start, text.offset - start};
    return Status::ok;
}

Status take_literal(Reader& text, Slice& out) {
    for (const char* word : literals) {
        const Slice literal = slice_of(word);
        out = slice_part(reader_rest(text), 0, literal.size);
        if (!slice_equal(out, literal)) continue;
        text.offset += literal.size;
        return Status::ok;
    }
    return Status::invalid;
}

Status take_value(Reader& text, JsonMember& out) {
    const uint8_t first = peek(text);
    if (first == '"') {
        out.kind = JsonKind::string;
        return take_string(text, out.text);
    }
    if (first == '-' || is_digit(first)) {
        out.kind = JsonKind::number;
        return take_number(text, out.text);
    }
    out.kind = JsonKind::literal;
    return take_literal(text, out.text);
}

Status take_member(Reader& text, JsonMember& out) {
    skip_blanks(text);
    if (take_string(text, out.name) != Status::ok) return Status::invalid;
    if (out.name.size > 0 && memchr(out.name.data, '\\', out.name.size) != nullptr) {
        return Status::invalid;  // N2
    }
    skip_blanks(text);
    if (!take(text, ':')) return Status::invalid;
    skip_blanks(text);
    if (take_value(text, out) != Status::ok) return Status::invalid;
    skip_blanks(text);
    return Status::ok;
}

bool has_name(const JsonObject& object, Slice name) {
    for (uint32_t i = 0; i < object.count; i++) {
        if (slice_equal(object.members[i].name, name)) return true;
    }
    return false;
}

Status take_members(Reader& text, JsonObject& out) {
    skip_blanks(text);
    if (take(text, '}')) return Status::ok;
    do {
        JsonMember member = {};
        if (take_member(text, member) != Status::ok) return Status::invalid;
        if (has_name(out, member.name)) return Status::invalid;  // N2
        if (out.count == json_members_max) return Status::full;
        out.members[out.count++] = member;
    } while (take(text, ','));
    return take(text, '}') ? Status::ok : Status::invalid;
}

}  // namespace

Status json_parse(Slice text, JsonObject& out) {
    Reader reader = reader_of(text);
    JsonObject found = {};
    skip_blanks(reader);
    if (!take(reader, '{')) return Status::invalid;
    const Status status = take_members(reader, found);
    if (status != Status::ok) return status;
    skip_blanks(reader);
    if (reader_left(reader) > 0) return Status::invalid;
    out = found;
    return Status::ok;
}

const JsonMember* json_find(const JsonObject& object, const char* name) {
    for (uint32_t i = 0; i < object.count; i++) {
        if (slice_equal_text(object.members[i].name, name)) return &object.members[i];
    }
    return nullptr;
}

Status json_unescape(const JsonMember& member, Writer& out) {
    if (member.kind != JsonKind::string) return Status::invalid;
    Reader text = reader_of(member.text);
    Writer copy = out;  // So that a refusal moves nothing.
    while (reader_left(text) > 0) {
        if (!take(text, '\\')) {
            put_u8(copy, get_u8(text));
        } else if (take_escape(text, &copy) != Status::ok) {
            return Status::invalid;
        }
    }
    if (copy.overflow) return Status::full;
    out = copy;
    return Status::ok;
}

bool json_is_text(const JsonMember& member, const char* text) {
    return member.kind == JsonKind::string && slice_equal_text(member.text, text);
}

void put_json_string(Writer& writer, Slice text) {
    const uint32_t start = writer.size;
    put_u8(writer, '"');
    for (uint32_t i = 0; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        if (byte >= ' ' && byte != '"' && byte != '\\') {
            put_u8(writer, byte);
            continue;
        }
        put_u8(writer, '\\');
        uint32_t at = 0;
        while (short_escapes[at] != '\0' && static_cast<uint8_t>(short_escapes[at + 1]) != byte) {
            at += 2;
        }
        if (short_escapes[at] != '\0') {
            put_u8(writer, static_cast<uint8_t>(short_escapes[at]));
            continue;
        }
        put_text(writer, "u00");
        put_u8(writer, static_cast<uint8_t>(hex_digits[byte >> 4]));
        put_u8(writer, static_cast<uint8_t>(hex_digits[byte & 15]));
    }
    put_u8(writer, '"');
    if (writer.overflow) writer.size = start;
}

bool json_is_utf8(Slice text) {
    while (text.size > 0) {
        const uint32_t size = utf8_size(text);
        if (size == 0) return false;
        text = slice_part(text, size, text.size);
    }
    return true;
}
