#include "port/sim/kernel.h"

#include <string.h>

namespace {

constexpr uint32_t lines_max = 256;
constexpr uint32_t line_size = 200;  // bytes, with the NUL

struct Kernel {
    SimRandom random;
    uint64_t random_calls;
    uint64_t random_refuse_at;
    uint64_t line_count;  // ever; line i stands in row i % lines_max
    char lines[lines_max][line_size];
};

Kernel kernel;

char level_letter(LogLevel level) {
    switch (level) {
        case LogLevel::info: return 'i';
        case LogLevel::warning: return 'w';
        case LogLevel::error: return 'e';
    }
    return '?';
}

}  // namespace

void sim_kernel_seed(const SimRandom& random) {
    kernel.random = random;
    kernel.random_calls = 0;
    kernel.random_refuse_at = UINT64_MAX;
}

SimRandom sim_kernel_random_state() { return kernel.random; }

bool sim_kernel_random(uint8_t* out, uint32_t size) {
    if (kernel.random_calls++ == kernel.random_refuse_at) return false;
    sim_random_fill(kernel.random, out, size);
    return true;
}

void sim_kernel_random_refuse_at(uint64_t call) {
    kernel.random_calls = 0;
    kernel.random_refuse_at = call;
}

uint64_t sim_kernel_random_calls() { return kernel.random_calls; }

void sim_kernel_log(LogLevel level, const char* text, uint32_t size) {
    char* line = kernel.lines[kernel.line_count++ % lines_max];
    const uint32_t room = line_size - 3;
    const uint32_t kept = size < room ? size : room;
    line[0] = level_letter(level);
    line[1] = ' ';
    memcpy(line + 2, text, kept);
    line[2 + kept] = '\0';
}

void sim_kernel_log_forget() { kernel.line_count = 0; }

void sim_kernel_log_each(void (*each)(void* context, const char* text), void* context) {
    const uint64_t first = kernel.line_count > lines_max ? kernel.line_count - lines_max : 0;
    for (uint64_t i = first; i < kernel.line_count; i++) each(context, kernel.lines[i % lines_max]);
}
