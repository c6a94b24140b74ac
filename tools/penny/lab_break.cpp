#include "penny/lab_break.h"

#include <stdio.h>
#include <string.h>

#include "channel/lab/lab.h"

namespace {

struct AttackRow {
    const char* name;
    const char* usage;
    const char* help;
    ExitCode (*run)(char** words, int count);
};

constexpr AttackRow rows[] = {
#define ATTACK(symbol, usage, help) {#symbol, usage, help, lab_break_##symbol},
#include "penny/attacks.def"
#undef ATTACK
};

ExitCode refuse_usage() {
    char names[64];
    Writer out = writer_of(reinterpret_cast<uint8_t*>(names), sizeof names);
    for (const AttackRow& row : rows) {
        if (out.size > 0) put_bytes(out, slice_of(", "));
        put_bytes(out, slice_of(row.name));
    }
    say("lab break takes one of %.*s", static_cast<int>(out.size), names);
    return exit_usage;
}

}  // namespace

ExitCode lab_run(char** words, int count) {
    // A constant, so that a build without channels has nothing of what follows, the table included.
    if (!lab_is_built) {
        say("this build has no channels of the laboratory");
        return exit_refused;
    }
    if (count < 2 || strcmp(words[0], "break") != 0) return refuse_usage();
    for (const AttackRow& row : rows) {
        if (strcmp(words[1], row.name) == 0) return row.run(words + 2, count - 2);
    }
    return refuse_usage();
}

void lab_describe() {
    if (!lab_is_built) return;
    for (const AttackRow& row : rows) {
        printf("    lab break %s%s%s\n        %s\n", row.name, row.usage[0] != '\0' ? " " : "",
               row.usage, row.help);
    }
}
