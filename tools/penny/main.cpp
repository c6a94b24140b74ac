// main.cpp - penny, the client of Pennybank: one command, lines, a prompt, a menu, or raw bytes.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "penny/client.h"
#include "penny/conf.h"
#include "penny/enrol.h"
#include "penny/connection.h"
#include "penny/explain.h"
#include "penny/help.h"
#include "penny/ids.h"
#include "penny/lab_break.h"
#include "penny/lab_client.h"
#include "penny/login.h"
#include "penny/menu.h"
#include "penny/messages.h"
#include "penny/options.h"
#include "penny/pair.h"
#include "penny/prompt.h"
#include "penny/raw.h"
#include "penny/renew.h"
#include "posix/system.h"

namespace {

constexpr uint32_t pem_size_max = 65536;  // bytes of one file of certificates

struct Penny {
    Options options;
    ClientConf conf;
    TlsConfig tls;
    Connection connection;
    Client client;
    uint8_t cacert[pem_size_max];
    uint8_t cert[pem_size_max];
    uint8_t key[pem_size_max];
};

Penny penny;

ExitCode read_pem(const char* path, uint8_t* out, Slice& slice) {
    slice = {out, 0};
    if (path == nullptr) return exit_go_on;
    const Status status = system_read_file(path, out, pem_size_max, slice.size);
    if (status == Status::ok) return exit_go_on;
    say("%s: %s", path, status == Status::full ? "the file is too large" : strerror(errno));
    return exit_refused;
}

// Returns absent for a key that does not fit its certificate. `code` is set for a file that cannot
// be read.
Status load_files(const Options& options, const char*& reason, ExitCode& code) {
    TlsFiles files = {};
    code = read_pem(options.cacert, penny.cacert, files.ca);
    if (code == exit_go_on) code = read_pem(options.cert, penny.cert, files.certificate);
    if (code == exit_go_on) code = read_pem(options.key, penny.key, files.key);
    Status status = Status::failed;
    if (code == exit_go_on) {
        status = tls_config_load(penny.tls, TlsEnd::client, TlsVersion::tls13, files, reason);
    }
    wipe(penny.key, sizeof penny.key);
    return status;
}

ExitCode load_tls(const Options& options) {
    if (options.cacert == nullptr) {
        say("no CA certificate to know the server by; give --cacert FILE or a client.conf");
        return exit_usage;
    }
    const char* reason = "";
    ExitCode code = exit_go_on;
    const bool has_pair = options.cert != nullptr && options.key != nullptr;
    // What a renewal was cut off in is put right first; another penny may be at it just now.
    if (has_pair) (void)pair_heal(options.cert, options.key, false);
    Status status = load_files(options, reason, code);
    if (status == Status::absent && has_pair &&
        pair_heal(options.cert, options.key, true) == Status::ok) {
        status = load_files(options, reason, code);
    }
    if (status == Status::ok || code != exit_go_on) return code;
    say("%s (--cacert %s --cert %s --key %s)", reason, options.cacert,
        options.cert == nullptr ? "none" : options.cert,
        options.key == nullptr ? "none" : options.key);
    return exit_refused;
}

ExitCode exit_code_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::reply: return exit_done;
        case Outcome::misused: return exit_usage;
        case Outcome::error_reply:
        case Outcome::none: return exit_refused;
    }
    return exit_refused;
}

// Sealed messages are of people, who are not on a channel of the laboratory.
bool is_verb(Slice word) { return penny.options.lab == nullptr && messages_has(word); }

Outcome run_command(Client& client, const Slice* words, uint32_t count, bool seals) {
    return seals ? messages_run(client, penny.options.messages, words, count)
                   : client_run(client, words, count);
}

ExitCode run_words(Client& client, char** words, int count) {
    Slice slices[request_words_max];
    if (count > static_cast<int>(request_words_max)) {
        say("a command has at most %u words", request_words_max);
        return exit_usage;
    }
    for (int i = 0; i < count; i++) slices[i] = slice_of(words[i]);
    client.errors = stderr;
    const bool seals = !penny.options.typed && is_verb(slices[0]);
    return exit_code_of(run_command(client, slices, static_cast<uint32_t>(count), seals));
}

// Lines with a password or a PIN in them are not kept for the arrow keys.
bool is_secret(const Request& request) {
    const Slice name = request.words[0];
    for (uint32_t i = 1; i < request.count; i++) {
        if (slice_equal_nocase(request.words[i], "PIN")) return true;
    }
    constexpr const char* words[] = {"AUTH", "HELLO", "REGISTER", "PASSWD", "PIN", "USER"};
    for (const char* word : words) {
        if (slice_equal_nocase(name, word)) return true;
    }
    return false;
}

// Cuts a line into words with the server's own rules. Returns invalid with the reason printed.
Status cut_line(char* line, uint32_t number, Request& out) {
    uint8_t text[128];
    Writer error = writer_of(text, sizeof text);
    const size_t size = strlen(line);
    memcpy(line + size, "\r\n", 3);
    Status status = Status::invalid;
    if (line[0] == '*') {
        put_text(error, "a line cannot begin with '*'");
    } else {
        status = request_parse(reinterpret_cast<uint8_t*>(line), static_cast<uint32_t>(size + 2),
                               request_limits_ready(), out, error);
    }
    if (status == Status::ok) return status;
    say("line %u: %.*s", number, static_cast<int>(error.size), reinterpret_cast<char*>(text));
    return Status::invalid;
}

// Returns false when there is nothing to do after it.
bool run_own_word(const Request& request, bool& leave) {
    leave = slice_equal_text(request.words[0], "exit");
    if (leave) return true;
    if (!slice_equal_text(request.words[0], "help")) return false;
    const Slice name = request.count > 1 ? request.words[1] : Slice{nullptr, 0};
    if (help_print(name) != Status::ok) puts("There is no such command.");
    return true;
}

// Standard input, line by line. A script ends at the first command without an answer; a person is
// asked on.
ExitCode run_lines(Client& client) {
    static char line[inline_size_max + 1];
    const bool person = isatty(STDIN_FILENO) != 0;
    char prompt[256];
    snprintf(prompt, sizeof prompt, "%s:%s> ", client.connection->host, client.connection->port);
    ExitCode code = exit_done;
    client.errors = stdout;  // In its place among the other replies.
    for (uint32_t number = 1;; number++) {
        Status status = prompt_line(prompt, line, inline_size_max - 2);
        if (status == Status::end) return code;
        if (status == Status::full) say("line %u: too long, or not text", number);
        Request request = {};
        if (status == Status::ok) {
            char kept[sizeof line];
            memcpy(kept, line, sizeof kept);
            status = cut_line(line, number, request);
            if (status == Status::ok && request.count == 0) continue;
            if (status == Status::ok && !is_secret(request)) prompt_remember(kept);
            wipe(kept, sizeof kept);
        }
        if (status != Status::ok) {
            code = exit_refused;
            continue;
        }
        bool leave = false;
        if (run_own_word(request, leave)) {
            if (leave) return code;
            continue;
        }
        const Outcome outcome = run_command(client, request.words, request.count,
                                            is_verb(request.words[0]));
        wipe(line, sizeof line);
        if (outcome != Outcome::reply) code = exit_refused;
        if (outcome == Outcome::none && !person) return code;
    }
}

ExitCode run_raw(Connection& connection, uint32_t timeout_s) {
    const uint64_t deadline_ms = system_now_ms() + uint64_t{timeout_s} * 1000;
    if (connection_open(connection, deadline_ms) != Status::ok) {
        say("%s port %s: %s", connection.host, connection.port, connection.reason);
        return exit_refused;
    }
    connection.reason[0] = '\0';
    return raw_copy(connection);
}

// Behind a renewal.
Status reload(Connection& connection) {
    tls_config_free(penny.tls);
    if (load_tls(penny.options) == exit_go_on) return Status::ok;
    snprintf(connection.reason, sizeof connection.reason, "certificate and key cannot be used");
    return Status::failed;
}

ExitCode init_connection(const Options& options) {
    if (options.lab != nullptr) return lab_client_init(penny.connection, options);
    const ExitCode code = load_tls(options);
    if (code != exit_go_on) return code;
    const char* port = options.port != nullptr ? options.port : port_default;
    connection_init(penny.connection, penny.tls, options.host, port);
    return code;
}

ExitCode run(Options& options) {
    if (options.explain) explain_start();
    if (crypto_init(nullptr) != Status::ok) {
        say("the cryptography library does not start");
        return exit_refused;
    }
    Client& client = penny.client;
    client.connection = &penny.connection;
    client.timeout_s = options.timeout_s;
    client.reload = reload;
    if (options.verb == Verb::enrol) return enrol_run(client, options);
    ExitCode code = init_connection(options);
    if (code != exit_go_on) return code;
    if (options.lab == nullptr && !options.raw) renew_prepare(client, options);
    client.ask_pin = isatty(STDIN_FILENO) != 0 ? prompt_pin : nullptr;
    client.style = options.json ? Style::json : Style::text;
    if (options.raw) return run_raw(penny.connection, options.timeout_s);
    if (options.verb == Verb::renew) return renew_run(client, options);
    if (options.verb == Verb::ping) return exit_code_of(client_ping(client));
    if (options.menu) {
        const bool is_lab = lab_is_built && options.lab != nullptr;
        return menu_run(client, options, is_lab ? menu_lab : menu_bank);
    }
    if (options.lab == nullptr) code = login_find(options, client, client.login);
    if (code != exit_go_on) return code;
    return options.word_count > 0 ? run_words(client, options.words, options.word_count)
                                  : run_lines(client);
}

}  // namespace

int main(int argc, char** argv) {
    Options& options = penny.options;
    ExitCode code = options_parse(argc, argv, options);
    if (code != exit_go_on) return code;
    if (options.verb == Verb::help) {
        const Slice name = options.word_count > 1 ? slice_of(options.words[1]) : Slice{nullptr, 0};
        if (help_print(name) == Status::ok) return exit_done;
        say("there is no command '%s'", options.words[1]);
        return exit_refused;
    }
    if (options.verb == Verb::lab) return lab_run(options.words + 1, options.word_count - 1);
    if (options.verb != Verb::enrol) {
        code = conf_read(penny.conf, options);
        if (code != exit_go_on) return code;
    }
    if (options.host == nullptr) options.host = host_default;
    code = run(options);
    const bool talked = penny.connection.established;
    connection_close(penny.connection);
    if (options.explain && talked) lab_client_tell_worth(options);
    tls_config_free(penny.tls);
    lab_client_free();
    wipe(&penny.client.login, sizeof penny.client.login);
    return code;
}
