#include "posix/small_stdio.h"

#include <gtest/gtest.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <string>

namespace {

__attribute__((format(printf, 2, 3))) std::string formatted(size_t size, const char* format, ...) {
    std::string out(size + 1, '#');
    va_list arguments;
    va_start(arguments, format);
    const int count = small_format(out.data(), size, format, arguments);
    va_end(arguments);
    std::string theirs(size + 1, '#');
    va_start(arguments, format);
    EXPECT_EQ(count, vsnprintf(theirs.data(), size, format, arguments)) << format;
    va_end(arguments);
    EXPECT_EQ(out, theirs) << format;
    return out.c_str();
}

int scanned(const char* text, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = small_scan(text, format, arguments);
    va_end(arguments);
    return count;
}

}  // namespace

TEST(SmallStdio, FormatsAsTheCLibraryDoes) {
    EXPECT_EQ(formatted(64, "Unknown system error %d", -4095), "Unknown system error -4095");
    EXPECT_EQ(formatted(64, "%u.%u.%u.%u", 255u, 0u, 10u, 1u), "255.0.10.1");
    EXPECT_EQ(formatted(64, "%x:%x", 0x2001u, 0xdb8u), "2001:db8");
    EXPECT_EQ(formatted(64, "/proc/self/task/%d/comm", 7), "/proc/self/task/7/comm");
    EXPECT_EQ(formatted(64, "%s (%s: %c)%%", "a", "", 'x'), "a (: x)%");
    EXPECT_EQ(formatted(64, "%i %lld", INT_MIN, LLONG_MIN), "-2147483648 -9223372036854775808");
    EXPECT_EQ(formatted(64, "%llu %llx", ULLONG_MAX, ULLONG_MAX),
              "18446744073709551615 ffffffffffffffff");
    formatted(64, "%ld %zu %lu", LONG_MIN, SIZE_MAX, ULONG_MAX);  // As wide as the machine's.
    EXPECT_EQ(formatted(64, "%5d|%05d|%02x|%1u", -42, -42, 10u, 123u), "  -42|-0042|0a|123");
}

TEST(SmallStdio, WritesNoMoreThanThereIsRoom) {  // SF1
    for (size_t size = 0; size < 12; size++) formatted(size, "%s-%d", "abcde", 4711);
}

TEST(SmallStdio, CopiesWhatItDoesNotKnow) {  // SF2
    char out[32];
    va_list none = {};
    small_format(out, sizeof out, "a %f b %d", none);
    EXPECT_STREQ(out, "a %f b %d");
}

TEST(SmallStdio, ScansTheVersionsOfKernels) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    EXPECT_EQ(scanned("Ubuntu 5.15.0-79.86-generic 5.15.111\n", "Ubuntu %*s %u.%u.%u", &a, &b, &c),
              3);
    EXPECT_TRUE(a == 5 && b == 15 && c == 111);
    EXPECT_EQ(scanned("Debian 6.1.158-1 (2025-11-09)", "Debian %u.%u.%u", &a, &b, &c), 3);
    EXPECT_TRUE(a == 6 && b == 1 && c == 158);
    EXPECT_EQ(scanned("6.12-rc3", "%u.%u.%u", &a, &b, &c), 2);
    for (const char* text : {"", "Ubuntu", "Ubuntu x", "Debian 5.1.1", "Ubuntu x 7."}) {
        unsigned d[3] = {};
        const int theirs = sscanf(text, "Ubuntu %*s %u.%u.%u", &d[0], &d[1], &d[2]);
        EXPECT_EQ(scanned(text, "Ubuntu %*s %u.%u.%u", &a, &b, &c), theirs) << text;
    }
}
