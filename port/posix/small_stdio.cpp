#include "small_stdio.h"

#include <stdint.h>
#include <string.h>

namespace {

constexpr uint32_t digits_max = 20;  // of a number of 64 bits

struct Text {
    char* out;
    size_t size;
    size_t used;  // what it comes to, beyond `size` too
};

void put(Text& text, char c) {
    if (text.used + 1 < text.size) text.out[text.used] = c;
    text.used++;
}

void put_all(Text& text, const char* from) {
    for (; *from != '\0'; from++) put(text, *from);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct Form {
    bool zeros;
    size_t width;
    uint32_t longs;  // l in front; z counts as one
};

const char* read_form(const char* at, Form& form) {
    form = {};
    form.zeros = *at == '0';
    for (; is_digit(*at); at++) form.width = form.width * 10 + static_cast<size_t>(*at - '0');
    for (; *at == 'l' || *at == 'z'; at++) form.longs++;
    return at;
}

void put_number(Text& text, uint64_t value, uint32_t base, bool minus, const Form& form) {
    char digits[digits_max];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    const size_t size = count + (minus ? 1 : 0);
    if (minus && form.zeros) put(text, '-');
    for (size_t i = size; i < form.width; i++) put(text, form.zeros ? '0' : ' ');
    if (minus && !form.zeros) put(text, '-');
    while (count > 0) put(text, digits[--count]);
}

int64_t signed_of(va_list* arguments, uint32_t longs) {
    if (longs == 0) return va_arg(*arguments, int);
    return longs == 1 ? va_arg(*arguments, long) : va_arg(*arguments, long long);
}

uint64_t unsigned_of(va_list* arguments, uint32_t longs) {
    if (longs == 0) return va_arg(*arguments, unsigned);
    return longs == 1 ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned long long);
}

// Returns false when there is no such conversion.
bool put_one(Text& text, char conversion, const Form& form, va_list* arguments) {
    switch (conversion) {
        case '%': put(text, '%'); return true;
        case 'c': put(text, static_cast<char>(va_arg(*arguments, int))); return true;
        case 's': put_all(text, va_arg(*arguments, const char*)); return true;
        case 'd':
        case 'i': {
            const int64_t value = signed_of(arguments, form.longs);
            const uint64_t size = static_cast<uint64_t>(value);
            put_number(text, value < 0 ? 0 - size : size, 10, value < 0, form);
            return true;
        }
        case 'u':
        case 'x':
            put_number(text, unsigned_of(arguments, form.longs), conversion == 'u' ? 10 : 16, false,
                       form);
            return true;
        default: return false;
    }
}

const char* skip_space(const char* at) {
    while (is_space(*at)) at++;
    return at;
}

// Returns where the number ends; `at` when there is none.
const char* read_number(const char* at, unsigned& out) {
    unsigned value = 0;
    for (; is_digit(*at); at++) value = value * 10 + static_cast<unsigned>(*at - '0');
    out = value;
    return at;
}

}  // namespace

int small_format(char* out, size_t size, const char* format, va_list arguments) {
    Text text = {out, size, 0};
    va_list rest;
    va_copy(rest, arguments);
    const char* at = format;
    for (; *at != '\0'; at++) {
        if (*at != '%') {
            put(text, *at);
            continue;
        }
        Form form;
        const char* conversion = read_form(at + 1, form);
        if (!put_one(text, *conversion, form, &rest)) break;  // SF2
        at = conversion;
    }
    put_all(text, at);
    va_end(rest);
    if (size > 0) out[text.used < size ? text.used : size - 1] = '\0';
    return static_cast<int>(text.used);
}

int small_scan(const char* text, const char* format, va_list arguments) {
    va_list rest;
    va_copy(rest, arguments);
    int count = 0;
    for (const char* at = format; *at != '\0'; at++) {
        if (is_space(*at)) {
            text = skip_space(text);
        } else if (strncmp(at, "%*s", 3) == 0) {
            at += 2;
            text = skip_space(text);
            if (*text == '\0') break;
            while (*text != '\0' && !is_space(*text)) text++;
        } else if (strncmp(at, "%u", 2) == 0) {
            at++;
            unsigned value = 0;
            text = skip_space(text);
            const char* end = read_number(text, value);
            if (end == text) break;
            *va_arg(rest, unsigned*) = value;
            text = end;
            count++;
        } else {
            if (*text != *at) break;
            text++;
        }
    }
    va_end(rest);
    return count == 0 && *text == '\0' ? -1 : count;
}
