#include "penny/lab_print.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "penny/print.h"

namespace {

constexpr uint32_t piece_size_max = 256;  // bytes made safe at a time
constexpr int what_width = 80;            // of a column, where that suffices

// The size of the line at the front, its end included if it has one.
uint32_t line_size(Slice bytes) {
    const void* end = memmem(bytes.data, bytes.size, "\r\n", 2);
    if (end == nullptr) return bytes.size;
    return static_cast<uint32_t>(static_cast<const uint8_t*>(end) - bytes.data) + 2;
}

void print_pass(const char* name, const uint8_t* bytes) {
    uint8_t hex[2 * xor_key_size];
    Writer out = writer_of(hex, sizeof hex);
    put_hex(out, {bytes, xor_key_size});
    printf("    %-22s %.*s\n", name, static_cast<int>(out.size),
           reinterpret_cast<const char*>(hex));
}

}  // namespace

void lab_print_part(Slice bytes) {
    uint8_t text[4 * piece_size_max];
    for (uint32_t at = 0; at < bytes.size; at += piece_size_max) {
        Writer out = writer_of(text, sizeof text);
        print_put_safe(out, slice_part(bytes, at, piece_size_max));
        CHECK(!out.overflow);
        fwrite(text, 1, out.size, stdout);
    }
}

void lab_print_bytes(const char* head, Slice bytes) {
    const int indent = static_cast<int>(strlen(head));
    for (uint32_t at = 0; at < bytes.size;) {
        const Slice rest = slice_part(bytes, at, bytes.size - at);
        const Slice line = slice_part(rest, 0, line_size(rest));
        const bool ends = line.size >= 2 && memcmp(line.data + line.size - 2, "\r\n", 2) == 0;
        if (at == 0) fputs(head, stdout);
        if (at > 0) printf("%*s", indent, "");
        lab_print_part(slice_part(line, 0, line.size - (ends ? 2 : 0)));
        puts(ends ? "\\r\\n" : "");
        at += line.size;
    }
}

void lab_print_spoils(const XorSpoils& spoils) {
    print_pass("first pass   X^C", spoils.passes[0]);
    print_pass("second pass  X^C^S", spoils.passes[1]);
    print_pass("third pass   X^S", spoils.passes[2]);
    print_pass("XORed        X", spoils.key);
    lab_print_bytes("    client said            ", spoils.requests);
    lab_print_bytes("    server said            ", spoils.replies);
}

void lab_print_head() {
    printf("%-8s %-*s %s\n", "channel", what_width, "what happened", "verdict");
}

void lab_print_row(const char* channel, const char* what, const char* verdict) {
    printf("%-8s ", channel);
    const Slice bytes = slice_of(what);
    lab_print_part(bytes);
    const int left = what_width - static_cast<int>(bytes.size);
    printf("%*s %s\n", left > 0 ? left : 0, "", verdict);
    fflush(stdout);  // The next row may take seconds.
}
