#include <string.h>

#include "base/text.h"
#include "config.h"
#include "pennyctl/init.h"

namespace {

constexpr uint32_t line_columns = 80;

// An option that a new bank sets. All others are written as comments with their defaults.
struct Setting {
    const char* section;
    const char* key;
    const char* value;
};

constexpr uint32_t settings_max = 16;

struct Settings {
    Setting rows[settings_max];
    uint32_t count;
};

void add(Settings& settings, const char* section, const char* key, const char* value) {
    settings.rows[settings.count++] = {section, key, value};
}

const char* find_value(const Settings& settings, const ConfigRow& row) {
    for (uint32_t i = 0; i < settings.count; i++) {
        const Setting& setting = settings.rows[i];
        if (strcmp(setting.section, row.section) != 0) continue;
        if (strcmp(setting.key, row.key) == 0) return setting.value;
    }
    return nullptr;
}

// Puts a sentence as comment lines.
void put_comment(Writer& out, Slice text) {
    Reader rest = reader_of(text);
    Slice word = {};
    uint32_t column = 0;
    while (cut_word(rest, ' ', word) == Status::ok) {
        if (column > 0 && column + 1 + word.size > line_columns) {
            put_text(out, "\n");
            column = 0;
        }
        put_text(out, column == 0 ? "# " : " ");
        column += (column == 0 ? 2 : 1) + word.size;
        put_bytes(out, word);
    }
    put_text(out, "\n");
}

void put_option(Writer& out, const ConfigRow& row, const char* value) {
    uint8_t text[512];
    Writer sentence = writer_of(text, sizeof text);
    put_text(sentence, row.help);
    put_text(sentence, " Allowed: ");
    config_put_range(sentence, row);
    put_text(sentence, ".");
    put_comment(out, writer_slice(sentence));
    if (value == nullptr) put_text(out, "#");
    put_text(out, row.key);
    put_text(out, " = ");
    put_text(out, value != nullptr ? value : row.value_default);
    put_text(out, "\n\n");
}

void put_head(const InitOptions& options, Writer& out) {
    put_text(out,
             "# pennyd.conf - made by pennyctl init.\n"
             "#\n"
             "# Paths are relative to the folder of this file. A line that begins with # is a\n"
             "# comment; an option written so has the value that is shown. `pennyd -t FILE`\n"
             "# checks the file, `pennyd -m FILE` prints the memory that it asks for.\n");
    if (!options.demo) return;
    put_text(out,
             "#\n"
             "# THIS IS A DEMO: anybody who can connect may register, and customers pay money in\n"
             "# and out for themselves. A real bank is made without --demo.\n");
}

// Terminals are bounded by sections of their own, of which a new bank has none.
void put_section(Writer& out, const char* section) {
    const bool is_terminal = strcmp(section, "terminal") == 0;
    if (is_terminal) {
        put_text(out,
                 "\n# What may be done from where a certificate is used: a section for each NAME\n"
                 "# in a certificate, and one of the name `default` for all others.\n");
    }
    put_text(out, is_terminal ? "#[" : "\n[");
    put_text(out, section);
    put_text(out, is_terminal                         ? " default]\n\n"
                  : strcmp(section, "listener") == 0 ? " tls]\n\n"
                                                      : "]\n\n");
}

void put_options(const Settings& settings, Writer& out) {
    const char* section = "";
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
        if (strcmp(section, row.section) != 0) {
            section = row.section;
            put_section(out, section);
        }
        put_option(out, row, find_value(settings, row));
    }
    if (out.size > 0) out.size--;  // the blank line behind the last option
}

bool is_wildcard(const char* address) {
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

// What a client.conf says. Paths are relative to it.
struct ClientConf {
    const char* user;
    const char* host;
    const char* cacert;
    const char* pair;  // certificate and key, without their endings
};

void put_client_conf(const ClientConf& conf, Writer& out) {
    put_text(out,
             "# client.conf - how `penny -c` finds the bank. Paths are relative to this folder.\n"
             "# For another person or terminal, name another certificate and key here.\n"
             "\n"
             "[client]\n"
             "\n"
             "# Where the server is; its certificate must name it.\n"
             "host = ");
    put_text(out, conf.host);
    put_text(out,
             "\n"
             "port = 6226\n"
             "\n"
             "# Whose signature the server's certificate must carry.\n"
             "cacert = ");
    put_text(out, conf.cacert);
    put_text(out,
             "\n"
             "\n"
             "# The certificate that names this terminal, and its key.\n"
             "cert = ");
    put_text(out, conf.pair);
    put_text(out, ".crt\nkey = ");
    put_text(out, conf.pair);
    put_text(out, ".key");
    put_text(out, "\n\n# Who logs in. The password is asked for.\nuser = ");
    put_text(out, conf.user);
    put_text(out, "\n");
}

// Where a client on this machine finds the server.
const char* host_here(const InitOptions& options) {
    const char* host = options.address;
    if (!is_wildcard(host)) return host;
    return strcmp(host, "::") == 0 ? "::1" : "127.0.0.1";
}

}  // namespace

Status init_put_server_conf(const InitOptions& options, Writer& out, Writer& error) {
    const char scale[2] = {static_cast<char>('0' + options.scale), '\0'};
    Settings settings = {};
    add(settings, "server", "data", "data");
    add(settings, "server", "register", options.demo ? "open" : "till");
    add(settings, "server", "self-service", options.demo ? "yes" : "no");
    if (options.demo) add(settings, "server", "temperature", "simulated");
    if (!options.no_message_key) {
        add(settings, "server", "message-key", "certs/message.key");
    }
    add(settings, "ledger", "currency", options.currency);
    add(settings, "ledger", "scale", scale);
    add(settings, "listener", "channel", "tls");
    add(settings, "listener", "address", options.address);
    add(settings, "listener", "port", "6226");
    add(settings, "listener", "certificate", "certs/server.crt");
    add(settings, "listener", "key", "certs/server.key");
    add(settings, "listener", "ca", "certs/ca.crt");
    add(settings, "listener", "crl", "certs/crl.pem");
    put_head(options, out);
    put_options(settings, out);
    if (out.overflow) return Status::full;

    static Config config;  // Too large for a stack.
    config_defaults(config);
    const Status status = config_parse(config, "pennyd.conf", writer_slice(out), error);
    return status == Status::ok ? config_check(config, error) : status;
}

void init_put_client_conf(const InitOptions& options, const char* user, Writer& out) {
    MadePath pair = init_client_path(user, "");
    pair.text[strlen(pair.text) - 1] = '\0';  // The dot of the ending.
    put_client_conf({user, host_here(options), "certs/ca.crt", pair.text}, out);
}

void init_put_till_conf(const InitOptions& options, const char* user, Writer& out) {
    const char* host = options.host_count > 0 ? options.hosts[0] : host_here(options);
    put_client_conf({user, host, "../ca.crt", user}, out);
}
