#include "unit/test_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <atomic>
#include <mutex>

namespace {

std::atomic<uint32_t> random_calls = 0;
std::atomic<int64_t> random_calls_left = -1;  // negative: no end
std::atomic<bool (*)(uint8_t*, uint32_t)> random_source = nullptr;
std::mutex log_mutex;
std::vector<TestLogLine> log_lines;

}  // namespace

void port_panic(const char* file, uint32_t line, const char* condition) {
    fprintf(stderr, "%s:%u: CHECK(%s)\n", file, line, condition);
    abort();
}

void port_log(LogLevel level, const char* text, uint32_t size) {
    const std::lock_guard<std::mutex> hold(log_mutex);
    log_lines.push_back({level, std::string(text, size)});
}

bool port_random(uint8_t* out, uint32_t size) {
    random_calls++;
    if (random_calls_left == 0) return false;
    if (random_calls_left > 0) random_calls_left--;
    const auto source = random_source.load();
    if (source != nullptr) return source(out, size);
    while (size > 0) {
        const ssize_t got = getrandom(out, size, 0);
        if (got <= 0) return false;
        out += got;
        size -= static_cast<uint32_t>(got);
    }
    return true;
}

void test_random_fail_after(uint32_t calls) { random_calls_left = calls; }
void test_random_from(bool (*source)(uint8_t* out, uint32_t size)) { random_source = source; }
void test_random_mend() { random_calls_left = -1; }
uint32_t test_random_calls() { return random_calls; }

std::vector<TestLogLine> test_log_take() {
    const std::lock_guard<std::mutex> hold(log_mutex);
    std::vector<TestLogLine> taken;
    taken.swap(log_lines);
    return taken;
}
