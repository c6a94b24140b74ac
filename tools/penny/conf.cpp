#include "penny/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

namespace {

struct KeyRow {
    const char* name;
    char (ClientConf::*field)[conf_text_size_max + 1];
    bool is_path;
};

constexpr char shared_folder[] = "/etc/pennyd/";

constexpr KeyRow key_rows[] = {
    {"host", &ClientConf::host, false},     {"port", &ClientConf::port, false},
    {"cacert", &ClientConf::cacert, true},  {"cert", &ClientConf::cert, true},
    {"key", &ClientConf::key, true},        {"user", &ClientConf::user, false},
    {"messages", &ClientConf::messages, true},
    {"lab-key", &ClientConf::lab_key, true},
    {"lab-cert", &ClientConf::lab_cert, true},
    {"lab-ca", &ClientConf::lab_ca, true},
    {"passphrase-file", &ClientConf::passphrase_file, true},
};

// Puts the parts of a path together. Returns full when it is too long.
Status join(char* out, const char* folder, uint32_t folder_size, const char* name) {
    Writer path = writer_of(reinterpret_cast<uint8_t*>(out), conf_text_size_max);
    put_bytes(path, slice_of_chars(folder, folder_size));
    put_text(path, name);
    if (path.overflow) return Status::full;
    out[path.size] = '\0';
    return Status::ok;
}

int take_key(void* context, const char* section, const char* name, const char* value, int line) {
    ClientConf& conf = *static_cast<ClientConf*>(context);
    if (strcmp(section, "client") != 0) {
        say("%s:%d: there is no section [%s], only [client]", conf.path, line, section);
        return 0;
    }
    for (const KeyRow& row : key_rows) {
        if (strcmp(row.name, name) != 0) continue;
        const char* slash = strrchr(conf.path, '/');
        const bool relative = row.is_path && value[0] != '/' && slash != nullptr;
        const uint32_t folder = relative ? static_cast<uint32_t>(slash + 1 - conf.path) : 0;
        if (join(conf.*row.field, conf.path, folder, value) == Status::ok) return 1;
        say("%s:%d: the value is too long", conf.path, line);
        return 0;
    }
    say("%s:%d: there is no key '%s'", conf.path, line, name);
    return 0;
}

// Returns true when the file is the one to take: the first that is there.
bool is_there(ClientConf& conf, const char* folder, const char* name) {
    return join(conf.path, folder, static_cast<uint32_t>(strlen(folder)), name) == Status::ok &&
           access(conf.path, F_OK) == 0;
}

bool find_file(ClientConf& conf) {
    const char* named = getenv("PENNY_CONF");
    if (named != nullptr && named[0] != '\0') {
        // Named but missing is an error, which opening it will tell.
        return join(conf.path, "", 0, named) == Status::ok;
    }
    if (is_there(conf, "./", "client.conf")) return true;
    const char* home = getenv("HOME");
    if (home != nullptr && is_there(conf, home, "/.config/penny/client.conf")) return true;
    return is_there(conf, shared_folder, "client.conf");
}

// The command line goes before the file.
void fill(const char*& option, const char* value) {
    if (option == nullptr && value[0] != '\0') option = value;
}

ExitCode read_file(ClientConf& conf) {
    FILE* file = fopen(conf.path, "re");
    if (file == nullptr) {
        say("%s: %s", conf.path, strerror(errno));
        return exit_refused;
    }
    // Once for each complaint: take_key has said its own already.
    const int line = ini_parse_file(file, take_key, &conf);
    const bool unread = ferror(file) != 0;
    fclose(file);
    if (unread) say("%s: it cannot be read", conf.path);
    if (line == 0 && !unread) return exit_go_on;
    if (!unread) say("%s:%d: this line is not understood", conf.path, line);
    return exit_refused;
}

void fill_lab(Options& options, const ClientConf& conf) {
    fill(options.lab_key, conf.lab_key);
    fill(options.lab_cert, conf.lab_cert);
    fill(options.lab_ca, conf.lab_ca);
    fill(options.passphrase_file, conf.passphrase_file);
}

// Beside the file; but one that is everybody's, or none, leaves a person's own folder. Returns full
// when the path is too long.
Status place_messages(ClientConf& conf, bool found) {
    const char* home = getenv("HOME");
    const bool shared = strncmp(conf.path, shared_folder, strlen(shared_folder)) == 0;
    if (found && !shared) {
        const char* slash = strrchr(conf.path, '/');
        const uint32_t folder = slash != nullptr ? static_cast<uint32_t>(slash + 1 - conf.path) : 0;
        return join(conf.messages, conf.path, folder, "messages");
    }
    if (home == nullptr || home[0] == '\0') home = ".";
    return join(conf.messages, home, static_cast<uint32_t>(strlen(home)),
                "/.config/penny/messages");
}

}  // namespace

ExitCode conf_read(ClientConf& conf, Options& options) {
    conf = {};
    bool found = true;
    if (options.conf != nullptr) {
        if (join(conf.path, "", 0, options.conf) != Status::ok) {
            say("-c: the name is too long");
            return exit_usage;
        }
    } else if (find_file(conf)) {
        say("using %s", conf.path);
    } else {
        found = false;
    }
    const ExitCode code = found ? read_file(conf) : exit_go_on;
    if (code != exit_go_on) return code;
    if (conf.messages[0] == '\0' && place_messages(conf, found) != Status::ok) {
        say("the path of the folder of messages is too long");
        return exit_refused;
    }
    options.messages = conf.messages;
    if (!found) return exit_go_on;
    fill(options.host, conf.host);
    if (options.lab != nullptr) {
        fill_lab(options, conf);
        return exit_go_on;
    }
    fill(options.port, conf.port);
    fill(options.cacert, conf.cacert);
    fill(options.user, conf.user);
    // A certificate given on the command line comes with its key.
    if (options.cert == nullptr) {
        options.cert_is_conf = conf.cert[0] != '\0' && conf.key[0] != '\0';
        fill(options.cert, conf.cert);
        fill(options.key, conf.key);
    }
    return exit_go_on;
}
