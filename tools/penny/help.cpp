#include "penny/help.h"

#include <stdio.h>

namespace {

struct CommandRow {
    const char* name;
    const char* usage;
    const char* summary;
};

constexpr CommandRow rows[] = {
#define COMMAND(symbol, name, least, most, phase, roles, flags, group, usage, summary) \
    {name, usage, summary},
#include "service/commands.def"
#undef COMMAND
};

}  // namespace

uint32_t help_name_count() { return sizeof rows / sizeof rows[0]; }

const char* help_name(uint32_t index) { return rows[index].name; }

Status help_print(Slice name) {
    Status status = Status::absent;
    for (const CommandRow& row : rows) {
        if (name.size > 0 && !slice_equal_nocase(name, row.name)) continue;
        printf("%s %s\n    %s\n", row.name, row.usage, row.summary);
        status = Status::ok;
    }
    return status;
}
