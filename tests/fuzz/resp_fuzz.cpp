// resp_fuzz.cpp - arrays of bulk strings, as clients send them. Input: one byte whose lowest bit
// says whether somebody has logged in, then what the peer sends.
#include "fuzz/fuzz.h"
#include "fuzz/request_checks.h"

namespace {

void seen(const Request& request, Slice) {
    if (request.is_inline || request.count < 2 || request.words[1].size < 4) return;
    fuzz_mark_reached();
#if PLANT
    if (request.words[1].data[3] >= 0x80) fuzz_mark_planted();
#endif
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    request_checks_run({data + 1, static_cast<uint32_t>(size - 1)}, data[0] % 2 == 1, seen);
    return 0;
}
