#include "pennyctl/data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "port/posix/system.h"

namespace {

void take_values(const Config& config, ToolData& out) {
    memcpy(out.time_zone, config.time_zone, sizeof out.time_zone);
    out.limits = {.accounts = config.accounts,
                  .ids = config.ids,
                  .terminals = config.terminals,
                  .holds = config.holds,
                  .reversible = config.reversible};
    out.segment_size = config.segment_size_kib * 1024;
}

// The data folder that a configuration names, relative to the folder in which the file is.
ExitCode read_config(const ToolPath& file, Config& config, ToolData& out) {
    static uint8_t text[256 * 1024];
    static uint8_t said[PATH_MAX + config_error_size_max];
    Writer error = writer_of(said, sizeof said);
    uint32_t size = 0;
    if (system_read_file(file.text, text, sizeof text, size) != Status::ok) {
        return tool_refuse("%s cannot be read: %s", file.text, strerror(errno));
    }
    if (config_parse(config, file.text, {text, size}, error) != Status::ok) {
        return tool_refuse_said(error);
    }
    ToolPath folder = file;
    char* slash = strrchr(folder.text, '/');
    if (slash != nullptr) slash[slash == folder.text ? 1 : 0] = '\0';
    const bool is_absolute = config.data[0] == '/';
    out.folder = tool_path(is_absolute || slash == nullptr ? "" : folder.text, config.data);
    take_values(config, out);
    return exit_done;
}

}  // namespace

ToolPath tool_path(const char* folder, const char* name) {
    ToolPath path;
    const int size = snprintf(path.text, sizeof path.text, "%s%s%s", folder,
                              folder[0] == '\0' ? "" : "/", name);
    if (size < 0 || static_cast<uint32_t>(size) >= sizeof path.text) path.text[0] = '\0';
    return path;
}

ExitCode data_find(const char* given, ToolData& out) {
    static Config config;
    struct stat facts;
    out = {};
    config_defaults(config);
    take_values(config, out);
    if (stat(given, &facts) != 0) return tool_refuse("%s: %s", given, strerror(errno));
    if (S_ISREG(facts.st_mode)) return read_config(tool_path("", given), config, out);
    out.folder = tool_path("", given);
    if (access(tool_path(given, "journal").text, F_OK) == 0) return exit_done;
    const ToolPath file = tool_path(given, "pennyd.conf");
    if (access(file.text, F_OK) == 0) return read_config(file, config, out);
    out.folder = tool_path(given, "data");
    return exit_done;
}
