// small_stdio.h - the little of printf and scanf that libuv and the C library ask of pennyd.
//
// Our own code formats with base/text.h. But libuv writes addresses and reads the version of the
// kernel with the C library's functions, which bring floating point and all of their own: 36 KB of
// the board's program for seven formats. On boards these stand in for them (board/stdio_names.cpp).
//
//     format   %d %i %u %x %c %s %%, with l, ll or z in front, and a width, 0 before it or not
//     scan     %u, %*s, white space (any or none), and text that must stand there
//
// Nothing here allocates, keeps state, or knows a locale.
//
//   SF1. What is written is never more than `size` bytes, the 0 at the end counted.
//   SF2. Of a format that is not listed, the rest is copied as it is, and no argument is taken.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// As vsnprintf: returns how many bytes it comes to without the 0, whatever `size` is.
int small_format(char* out, size_t size, const char* format, va_list arguments);

// As vsscanf: returns how many arguments were set; -1 when the text ends before the first one.
int small_scan(const char* text, const char* format, va_list arguments);
