#include "settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "lab_start.h"
#include "refusal.h"
#include "system.h"

namespace {

constexpr const char* config_places[] = {"./pennyd.conf", "/etc/pennyd/pennyd.conf"};

static_assert(config_size_max <= sizeof KeyFiles::pem);

// The folder of the configuration file, to which relative paths in it refer.
void note_folder(KeyFiles& files, const char* path) {
    const char* slash = strrchr(path, '/');
    const size_t size = slash == nullptr ? 0 : static_cast<size_t>(slash - path) + 1;
    memset(files.folder, 0, sizeof files.folder);
    if (size > 0 && size <= path_size_max) memcpy(files.folder, path, size);
}

// The file that the start found is the one that each reload reads.
const char* find_config(const Arguments& arguments) {
    static const char* found = nullptr;
    if (arguments.config_path != nullptr) return arguments.config_path;
    for (const char* place : config_places) {
        if (found == nullptr && access(place, R_OK) == 0) found = place;
    }
    return found;
}

int read_config(KeyFiles& files, const Arguments& arguments, Config& config, Writer& message) {
    const char* path = find_config(arguments);
    if (path == nullptr) {
        put_text(message, "no ./pennyd.conf and no /etc/pennyd/pennyd.conf; make a bank with "
                          "`pennyctl init DIR` and give DIR/pennyd.conf");
        return exit_refused;
    }
    uint32_t size = 0;
    const Status read = system_read_file(path, files.pem[0], config_size_max, size);
    if (read != Status::ok) {
        put_text(message, path);
        put_text(message, ": ");
        put_text(message, read == Status::full ? "longer than 65536 bytes" : strerror(errno));
        if (read == Status::absent) put_text(message, "; make a bank with `pennyctl init DIR`");
        return exit_refused;
    }
    note_folder(files, path);
    config_defaults(config);
    const Status parsed = config_parse(config, path, {files.pem[0], size}, message);
    return parsed == Status::ok ? -1 : exit_refused;
}

}  // namespace

int settings_load(KeyFiles& files, const Arguments& arguments, Config& config, Writer& message) {
    if (lab_is_built && arguments.lab != nullptr) {
        lab_configure(arguments.lab, config);
    } else {
        const int code = read_config(files, arguments, config, message);
        if (code >= 0) return code;
    }
    for (uint32_t i = 0; i < arguments.assignment_count; i++) {
        uint8_t text[1024];
        Writer assignment = writer_of(text, sizeof text);
        arguments_put(arguments, i, assignment);
        if (assignment.overflow) {
            put_text(message, "an option's value is too long");
            return exit_usage;
        }
        if (config_set(config, writer_slice(assignment), message) != Status::ok) return exit_usage;
    }
    return config_check(config, message) == Status::ok ? -1 : exit_refused;
}

Status settings_reload(KeyFiles& files, const Arguments& arguments, Server& server,
                       uint32_t generation, Writer& why) {
    Config& config = server.reload.config;
    if (settings_load(files, arguments, config, why) >= 0) return Status::failed;
    Status status = config_check_reload(server.config, config, why);
    if (status == Status::ok) status = key_files_load_tls(files, server, config, generation, why);
    if (status == Status::ok) {
        status = key_files_load_issuer(files, server, config, generation, why);
    }
    return status == Status::ok ? Status::ok : Status::failed;
}
