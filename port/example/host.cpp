// host.cpp - the example's machine where there is a system.
#include <stdio.h>
#include <stdlib.h>

#include "example/example.h"

void example_say(const char* text) { fputs(text, stdout); }

void port_panic(const char* file, uint32_t line, const char* condition) {
    fprintf(stderr, "%s:%u: %s\n", file, line, condition);
    exit(1);
}

void port_log(LogLevel, const char* text, uint32_t size) {
    fprintf(stderr, "%.*s\n", static_cast<int>(size), text);
}

// The book draws nothing; where keys are made, a port without a generator says false here.
bool port_random(uint8_t*, uint32_t) { return false; }

int main() { example_run(); }
