// port.h's three calls, for programs that are the simulated machine and nothing else.

#include <stdio.h>
#include <stdlib.h>

#include "port/sim/kernel.h"

namespace {

void print_line(void*, const char* text) { fprintf(stderr, "    %s\n", text); }

}  // namespace

void port_panic(const char* file, uint32_t line, const char* condition) {
    sim_kernel_log_each(print_line, nullptr);
    fprintf(stderr, "a mistake of our own at %s:%u: %s\n", file, line, condition);
    abort();
}

void port_log(LogLevel level, const char* text, uint32_t size) {
    sim_kernel_log(level, text, size);
}

bool port_random(uint8_t* out, uint32_t size) { return sim_kernel_random(out, size); }
