#include "pennyctl/place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/posix/store.h"
#include "port/posix/system.h"

namespace {

// The data folder that a configuration names.
ExitCode read_config(BankPlace& place, const ToolPath& file, Writer& error) {
    static uint8_t text[256 * 1024];
    uint32_t size = 0;
    place.conf = file;
    place.folder = place_folder_of(file.text);
    if (system_read_file(file.text, text, sizeof text, size) != Status::ok) {
        return tool_refuse("%s cannot be read: %s", file.text, strerror(errno));
    }
    if (config_parse(place.config, file.text, {text, size}, error) != Status::ok) {
        return tool_refuse_said(error);
    }
    place.data = place_resolve(place, place.config.data);
    if (place.data.text[0] == '\0') return tool_refuse("%s: its data path is too long", file.text);
    return exit_done;
}

}  // namespace

ToolPath place_folder_of(const char* file) {
    ToolPath folder = tool_path("", file);
    char* slash = strrchr(folder.text, '/');
    if (slash == nullptr) return tool_path("", ".");
    slash[slash == folder.text ? 1 : 0] = '\0';
    return folder;
}

ToolPath place_resolve(const BankPlace& place, const char* value) {
    const bool is_plain = value[0] == '/' || strcmp(place.folder.text, ".") == 0;
    return tool_path(is_plain ? "" : place.folder.text, value);
}

ExitCode place_find(const char* given, BankPlace& place, Writer& error) {
    struct stat facts;
    place = {};
    config_defaults(place.config);
    if (strlen(given) >= PATH_MAX) return tool_refuse("the path given is too long");
    if (stat(given, &facts) != 0) return tool_refuse("%s: %s", given, strerror(errno));
    if (S_ISREG(facts.st_mode)) return read_config(place, tool_path("", given), error);
    place.data = tool_path("", given);
    if (access(tool_path(given, "journal").text, F_OK) == 0) return exit_done;
    const ToolPath file = tool_path(given, "pennyd.conf");
    if (access(file.text, F_OK) == 0) return read_config(place, file, error);
    place.data = tool_path(given, "data");
    return exit_done;
}

ExitCode place_refuse_beside_server(const BankPlace& place, const char* instead) {
    const uint32_t pid = store_lock_holder(store_calls_posix, place.data.text);
    if (pid == 0) return exit_done;
    return tool_refuse("%s: in use by process %u; %s", place.data.text, pid, instead);
}
