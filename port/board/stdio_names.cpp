// stdio_names.cpp - gives small_stdio.h's functions the names of the C library's, in pennyd on a
// board. What they are asked for is listed there; anything else belongs into base/text.h.
#include <stdio.h>
#include <unistd.h>

#include "posix/small_stdio.h"

namespace {

constexpr size_t line_size_max = 512;

}  // namespace

extern "C" {

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

// Both who call it, an assertion and libuv, have something to say on standard error.
int fprintf(FILE*, const char* format, ...) {
    char line[line_size_max];
    va_list arguments;
    va_start(arguments, format);
    const int count = small_format(line, sizeof line, format, arguments);
    va_end(arguments);
    const size_t size = static_cast<size_t>(count) < sizeof line ? static_cast<size_t>(count)
                                                                 : sizeof line - 1;
    return write(STDERR_FILENO, line, size) < 0 ? -1 : count;
}

int sscanf(const char* text, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = small_scan(text, format, arguments);
    va_end(arguments);
    return count;
}

}  // extern "C"
