// bare.cpp - the example's machine where there is no system: an ARM that speaks to whoever debugs
// or emulates it (semihosting), and the four calls that compilers write by themselves.
#include <string.h>

#include "example/example.h"

namespace {

constexpr uint32_t semihosting_write0 = 0x04;  // prints a text that ends in a zero byte
constexpr uint32_t semihosting_exit = 0x20;    // ends with a reason and a code

void semihosting(uint32_t call, const void* argument) {
    register uint32_t r0 asm("r0") = call;
    register const void* r1 asm("r1") = argument;
    asm volatile("svc 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

[[noreturn]] void leave(uint32_t code) {
    const uint32_t reason[2] = {0x20026, code};  // the application has ended
    semihosting(semihosting_exit, reason);
    for (;;) {}
}

}  // namespace

void example_say(const char* text) { semihosting(semihosting_write0, text); }

void port_panic(const char* file, uint32_t, const char* condition) {
    example_say(file);
    example_say(": ");
    example_say(condition);
    example_say("\n");
    leave(1);
}

void port_log(LogLevel, const char*, uint32_t) {}

// The book draws nothing; where keys are made, a port without a generator says false here.
bool port_random(uint8_t*, uint32_t) { return false; }

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
    for (size_t i = 0; i < size; i++) {
        static_cast<uint8_t*>(to)[i] = static_cast<const uint8_t*>(from)[i];
    }
    return to;
}

void* memmove(void* to, const void* from, size_t size) {
    if (to <= from) return memcpy(to, from, size);
    for (size_t i = size; i > 0; i--) {
        static_cast<uint8_t*>(to)[i - 1] = static_cast<const uint8_t*>(from)[i - 1];
    }
    return to;
}

void* memset(void* at, int value, size_t size) {
    for (size_t i = 0; i < size; i++) static_cast<uint8_t*>(at)[i] = static_cast<uint8_t>(value);
    return at;
}

int memcmp(const void* a, const void* b, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const int left = static_cast<const uint8_t*>(a)[i];
        const int difference = left - static_cast<const uint8_t*>(b)[i];
        if (difference != 0) return difference;
    }
    return 0;
}

size_t strlen(const char* text) {
    size_t size = 0;
    while (text[size] != '\0') size++;
    return size;
}

// A real board's entry is in its vector table, and sets up memory first.
void _start() {
    example_run();
    leave(0);
}

}  // extern "C"
