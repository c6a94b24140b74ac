#include "pennyctl/data.h"

#include <stdio.h>
#include <string.h>

#include "pennyctl/place.h"

ToolPath tool_path(const char* folder, const char* name) {
    ToolPath path;
    const int size = snprintf(path.text, sizeof path.text, "%s%s%s", folder,
                              folder[0] == '\0' ? "" : "/", name);
    if (size < 0 || static_cast<uint32_t>(size) >= sizeof path.text) path.text[0] = '\0';
    return path;
}

ExitCode data_find(const char* given, ToolData& out) {
    static BankPlace place;
    static uint8_t said[PATH_MAX + config_error_size_max];
    Writer error = writer_of(said, sizeof said);
    out = {};
    const ExitCode code = place_find(given, place, error);
    if (code != exit_done) return code;
    out.folder = place.data;
    memcpy(out.time_zone, place.config.time_zone, sizeof out.time_zone);
    return exit_done;
}
