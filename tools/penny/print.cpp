#include "penny/print.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "penny/connection.h"

namespace {

// Every byte of a reply as \xNN or \u00NN, at the worst.
uint8_t shown[6 * plain_size_max + 16];

struct Print {
    FILE* out;
    const Value* values;
    uint32_t count;
    uint32_t at;  // the next value
    Style style;
};

void put(Print& print, const char* text) { fputs(text, print.out); }

void put_safe(Print& print, Slice bytes) {
    Writer text = writer_of(shown, sizeof shown);
    print_put_safe(text, bytes);
    CHECK(!text.overflow);
    fwrite(text.data, 1, text.size, print.out);
}

void put_indent(Print& print, uint32_t indent) {
    fprintf(print.out, "%*s", static_cast<int>(indent), "");
}

// A text of several lines keeps them; each is made safe by itself.
void put_lines(Print& print, Slice text, uint32_t indent) {
    Reader rest = reader_of(text);
    Slice line = {};
    bool first = true;
    while (cut_word(rest, '\n', line) == Status::ok) {
        if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
        // What follows the last line end is no line.
        if (rest.short_read && line.size == 0 && !first) return;
        if (!first) {
            put(print, "\n");
            put_indent(print, indent);
        }
        put_safe(print, line);
        first = false;
    }
}

bool is_holder(const Value& value) {
    switch (value.type) {
        case ValueType::array:
        case ValueType::map:
        case ValueType::set:
        case ValueType::push: return true;
        case ValueType::simple:
        case ValueType::error:
        case ValueType::integer:
        case ValueType::bulk:
        case ValueType::null:
        case ValueType::real:
        case ValueType::boolean:
        case ValueType::verbatim:
        case ValueType::big: return false;
    }
    return false;
}

void put_value(Print& print, uint32_t indent);

const char* empty_name(ValueType type) {
    if (type == ValueType::map) return "(empty map)";
    return type == ValueType::set ? "(empty set)" : "(empty array)";
}

// "1) first", and what belongs to it stands under it.
void put_list(Print& print, uint32_t count, uint32_t indent) {
    for (uint32_t i = 0; i < count; i++) {
        char number[16];
        const int width = snprintf(number, sizeof number, "%u) ", i + 1);
        if (i > 0) {
            put(print, "\n");
            put_indent(print, indent);
        }
        put(print, number);
        put_value(print, indent + static_cast<uint32_t>(width));
    }
}

// "key: value"; a value that holds others begins on a line of its own.
void put_map(Print& print, uint32_t pairs, uint32_t indent) {
    for (uint32_t i = 0; i < pairs; i++) {
        if (i > 0) {
            put(print, "\n");
            put_indent(print, indent);
        }
        put_value(print, indent);
        put(print, ":");
        const Value& value = print.values[print.at];
        const bool below = is_holder(value) && value.count > 0;
        put(print, below ? "\n" : " ");
        if (below) put_indent(print, indent + 2);
        if (value.type == ValueType::integer) {  // Its name says that it is a number.
            print.at++;
            fprintf(print.out, "%lld", static_cast<long long>(value.integer));
        } else {
            put_value(print, indent + 2);
        }
    }
}

void put_holder(Print& print, const Value& value, uint32_t indent) {
    if (value.type == ValueType::push) put(print, "(push) ");
    if (value.count == 0) return put(print, empty_name(value.type));
    if (value.type == ValueType::map) return put_map(print, value.count / 2, indent);
    put_list(print, value.count, indent);
}

// The word in front of an error is for programs.
void put_refusal(Print& print, Slice text) {
    Reader rest = reader_of(text);
    Slice word;
    const bool has_word = cut_word(rest, ' ', word) == Status::ok && reader_left(rest) > 0;
    put(print, "Refused: ");
    put_safe(print, has_word ? reader_rest(rest) : text);
    if (!has_word) return;
    put(print, " (");
    put_safe(print, word);
    put(print, ")");
}

// Recursion is as deep as value_depth_max.
void put_value(Print& print, uint32_t indent) {
    CHECK(print.at < print.count);
    const Value& value = print.values[print.at++];
    switch (value.type) {
        case ValueType::bulk:
            // Only the reply as a whole may have lines; inside one they could pass for others.
            return value.depth == 0 ? put_lines(print, value.text, indent)
                                    : put_safe(print, value.text);
        case ValueType::verbatim: return put_lines(print, value.text, indent);
        case ValueType::simple:
        case ValueType::real:
        case ValueType::big: return put_safe(print, value.text);
        case ValueType::error:
            if (print.style == Style::people) return put_refusal(print, value.text);
            put(print, "(error) ");
            return put_safe(print, value.text);
        case ValueType::integer:
            fprintf(print.out, "(integer) %lld", static_cast<long long>(value.integer));
            return;
        case ValueType::null: return put(print, "(nil)");
        case ValueType::boolean: return put(print, value.integer != 0 ? "(true)" : "(false)");
        case ValueType::array:
        case ValueType::map:
        case ValueType::set:
        case ValueType::push: return put_holder(print, value, indent);
    }
}

// --- JSON ---

// The size of the printable UTF-8 character at the front, 0 for any other byte.
uint32_t character_size(Slice rest) {
    for (uint32_t size = 1; size <= 4 && size <= rest.size; size++) {
        uint8_t bytes[16];
        Writer text = writer_of(bytes, sizeof bytes);
        put_printable(text, slice_part(rest, 0, size), size);
        if (text.size == size) return size;
    }
    return 0;
}

void json_string(Print& print, Slice bytes) {
    Writer text = writer_of(shown, sizeof shown);
    put_u8(text, '"');
    for (uint32_t i = 0; i < bytes.size;) {
        const uint8_t byte = bytes.data[i];
        const uint32_t size = character_size(slice_part(bytes, i, 4));
        if (byte == '"' || byte == '\\') {
            put_u8(text, '\\');
            put_u8(text, byte);
            i++;
        } else if (size == 0) {
            put_text(text, "\\u00");
            put_hex(text, {&bytes.data[i], 1});
            i++;
        } else {
            put_bytes(text, slice_part(bytes, i, size));
            i += size;
        }
    }
    put_u8(text, '"');
    CHECK(!text.overflow);
    fwrite(text.data, 1, text.size, print.out);
}

void json_value(Print& print);

void json_list(Print& print, uint32_t count) {
    put(print, "[");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) put(print, ", ");
        json_value(print);
    }
    put(print, "]");
}

// JSON wants texts as keys.
void json_key(Print& print) {
    const uint32_t index = print.at;
    const Value& key = print.values[index];
    print.at = value_skip(print.values, print.count, index);
    char number[24];
    switch (key.type) {
        case ValueType::integer:
        case ValueType::boolean:
            snprintf(number, sizeof number, "%lld", static_cast<long long>(key.integer));
            return json_string(print, slice_of(number));
        case ValueType::simple:
        case ValueType::error:
        case ValueType::bulk:
        case ValueType::null:
        case ValueType::array:
        case ValueType::map:
        case ValueType::set:
        case ValueType::push:
        case ValueType::real:
        case ValueType::verbatim:
        case ValueType::big: return json_string(print, key.text);
    }
}

void json_map(Print& print, uint32_t pairs) {
    put(print, "{");
    for (uint32_t i = 0; i < pairs; i++) {
        if (i > 0) put(print, ", ");
        json_key(print);
        put(print, ": ");
        json_value(print);
    }
    put(print, "}");
}

void json_wrapped(Print& print, const char* name, Slice text) {
    fprintf(print.out, "{\"%s\": ", name);
    json_string(print, text);
    put(print, "}");
}

void json_value(Print& print) {
    CHECK(print.at < print.count);
    const Value& value = print.values[print.at++];
    switch (value.type) {
        case ValueType::simple:
        case ValueType::bulk:
        case ValueType::verbatim:
        case ValueType::real:  // As text: JSON has no infinity, and nothing is rounded.
        case ValueType::big: return json_string(print, value.text);
        case ValueType::error: return json_wrapped(print, "error", value.text);
        case ValueType::integer:
            fprintf(print.out, "%lld", static_cast<long long>(value.integer));
            return;
        case ValueType::null: return put(print, "null");
        case ValueType::boolean: return put(print, value.integer != 0 ? "true" : "false");
        case ValueType::array:
        case ValueType::set: return json_list(print, value.count);
        case ValueType::map: return json_map(print, value.count / 2);
        case ValueType::push:
            put(print, "{\"push\": ");
            json_list(print, value.count);
            return put(print, "}");
    }
}

}  // namespace

void print_put_safe(Writer& out, Slice bytes) {
    // put_printable hides quotes too, which do no harm here; a backslash stays apart from "\xNN".
    uint32_t start = 0;
    for (uint32_t i = 0; i <= bytes.size; i++) {
        if (i < bytes.size && bytes.data[i] != '"' && bytes.data[i] != '\\') continue;
        put_printable(out, slice_part(bytes, start, i - start), i - start);
        if (i < bytes.size) put_text(out, bytes.data[i] == '"' ? "\"" : "\\\\");
        start = i + 1;
    }
}

void print_part(FILE* out, const Value& value) {
    Print print = {out, &value, 1, 0, Style::people};
    if (value.type == ValueType::integer) {
        fprintf(out, "%lld", static_cast<long long>(value.integer));
    } else if (is_holder(value)) {
        put(print, empty_name(value.type));
    } else {
        put_safe(print, value.text);
    }
}

void print_reply(FILE* out, const Value* values, uint32_t count, Style style) {
    Print print = {out, values, count, 0, style};
    if (style == Style::json) {
        json_value(print);
    } else {
        put_value(print, 0);
    }
    put(print, "\n");
    fflush(out);
}
