// stdio_names.cpp - gives small_stdio.h's functions the names of the C library's, in pennyd on a
// board. What they are asked for is listed there; anything else belongs into base/text.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix/small_stdio.h"

namespace {

constexpr size_t line_size_max = 512;

int say(const char* format, va_list arguments) {
    char line[line_size_max];
    const int count = small_format(line, sizeof line, format, arguments);
    const size_t size = static_cast<size_t>(count) < sizeof line ? static_cast<size_t>(count)
                                                                 : sizeof line - 1;
    return write(STDERR_FILENO, line, size) < 0 ? -1 : count;
}

void say_line(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)say(format, arguments);
    va_end(arguments);
}

}  // namespace

#undef stderr

extern "C" {

// Whoever names it hands it to fprintf below, which does not look at it. The library's own has a
// buffer and all the writing of files behind it.
FILE* const stderr = nullptr;

// What assert calls, in the C library's words.
[[noreturn]] void __assert_fail(const char* what, const char* file, int line, const char* function);

int vsnprintf(char* out, size_t size, const char* format, va_list arguments) {
    return small_format(out, size, format, arguments);
}

int snprintf(char* out, size_t size, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = small_format(out, size, format, arguments);
    va_end(arguments);
    return count;
}

// All who call it, assertions and libuv, have something to say on standard error.
int fprintf(FILE*, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = say(format, arguments);
    va_end(arguments);
    return count;
}

void perror(const char* what) {
    const char* reason = strerror(errno);
    say_line("%s: %s\n", what, reason);
}

void __assert_fail(const char* what, const char* file, int line, const char* function) {
    say_line("Assertion failed: %s (%s: %s: %d)\n", what, file, function, line);
    abort();
}

int sscanf(const char* text, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = small_scan(text, format, arguments);
    va_end(arguments);
    return count;
}

}  // extern "C"
