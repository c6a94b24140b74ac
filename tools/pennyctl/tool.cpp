#include "pennyctl/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/text.h"
#include "version.h"

namespace {

[[gnu::format(printf, 1, 0)]] void say(const char* format, va_list values) {
    fputs("pennyctl: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
}

struct VerbUsage {
    const char* word;
    const char* usage;
};

constexpr VerbUsage usages[] = {
#define VERB(word, handler, usage, help) {word, usage},
#include "pennyctl/verbs.def"
#undef VERB
};

const char* usage_of(const char* verb) {
    for (const VerbUsage& row : usages) {
        if (strcmp(row.word, verb) == 0) return row.usage;
    }
    CHECK(false);
}

}  // namespace

ExitCode tool_refuse(const char* format, ...) {
    va_list values;
    va_start(values, format);
    say(format, values);
    va_end(values);
    return exit_refused;
}

ExitCode tool_misused(const char* format, ...) {
    va_list values;
    va_start(values, format);
    say(format, values);
    va_end(values);
    return exit_usage;
}

ExitCode tool_refuse_said(const Writer& error) {
    return tool_refuse("%.*s", static_cast<int>(error.size), reinterpret_cast<char*>(error.data));
}

ExitCode tool_misused_verb(const char* verb, const char* format, ...) {
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return tool_misused("%s: %s; usage: pennyctl %s %s", verb, text, verb, usage_of(verb));
}

ExitCode tool_flushed(ExitCode code) {
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return code;
    return tool_refuse("standard output cannot be written");
}

void tool_print_hash(const char* label, const Hash& hash) {
    printf("%s", label);
    for (const uint8_t byte : hash.bytes) printf("%02x", byte);
    printf("\n");
}

const char* tool_next(ToolWords& words, bool& is_option) {
    is_option = false;
    words.value = nullptr;
    if (words.at >= words.count) return nullptr;
    char* word = words.words[words.at++];
    if (words.only_words || strncmp(word, "--", 2) != 0) return word;
    if (word[2] == '\0') {
        words.only_words = true;
        return tool_next(words, is_option);
    }
    is_option = true;
    char* equals = strchr(word, '=');
    if (equals != nullptr) {
        *equals = '\0';
        words.value = equals + 1;
    }
    return word;
}

const char* tool_value(ToolWords& words) {
    const char* value = words.value;
    words.value = nullptr;
    if (value != nullptr) return value;
    return words.at < words.count ? words.words[words.at++] : nullptr;
}

bool tool_value_is_absent(const ToolWords& words) { return words.value == nullptr; }

uint64_t tool_wall_ms() {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec < 0) return 0;
    return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

ExitCode tool_check_clock(uint64_t wall_ms) {
    // Signed, since the time is 0 where nobody knows when the source was made.
    if (static_cast<int64_t>(wall_ms / 1000) >= PENNY_BUILD_TIME) return exit_done;
    return tool_refuse("this machine's clock is behind the time this program was made at; set it "
                       "first, because certificates are dated");
}

Slice tool_slice(const char* text) {
    return {reinterpret_cast<const uint8_t*>(text), static_cast<uint32_t>(strlen(text))};
}
