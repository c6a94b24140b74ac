#include "port.h"

#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

namespace {

uint64_t reached_count = 0;
uint8_t random_next = 0;

void print_reached() {
    fprintf(stderr, "innermost decoder reached %llu times\n",
            static_cast<unsigned long long>(reached_count));
}

}  // namespace

void port_panic(const char* file, uint32_t line, const char* condition) {
    fprintf(stderr, "%s:%u: CHECK(%s)\n", file, line, condition);
    abort();
}

void port_log(LogLevel, const char*, uint32_t) {}

bool port_random(uint8_t* out, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) out[i] = random_next++;
    return true;
}

void fuzz_random_reset() { random_next = 0; }

void fuzz_mark_reached() {
    if (reached_count++ == 0) atexit(print_reached);
}

void fuzz_mark_planted() {
    fprintf(stderr, "planted crash\n");
    abort();
}
