// inline_fuzz.cpp - commands in one line, as a person types them. Input: one byte whose lowest bit
// says whether somebody has logged in, then what the peer sends; a line that is none is left out.
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/request_checks.h"

namespace {

// True when the line spells a byte in hex digits within double quotes: the innermost decoder.
bool has_hex_escape(Slice line) {
    bool quoted = false;
    for (uint32_t i = 0; i + 1 < line.size; i++) {
        if (line.data[i] == '"') quoted = !quoted;
        if (quoted && line.data[i] == '\\' && line.data[i + 1] == 'x') return true;
    }
    return false;
}

void seen(const Request& request, Slice before) {
    if (!request.is_inline || request.count < 2 || !has_hex_escape(before)) return;
    fuzz_mark_reached();
#if PLANT
    const Slice word = request.words[1];
    if (word.size > 1 && word.data[1] >= 0x80) fuzz_mark_planted();
#endif
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2 || data[1] == '*') return 0;
    request_checks_run({data + 1, static_cast<uint32_t>(size - 1)}, data[0] % 2 == 1, seen);
    return 0;
}
