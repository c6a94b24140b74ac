#include "arguments.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "channel/lab/lab.h"
#include "refusal.h"
#include "system.h"
#include "version.h"

enum class OptionKind : uint8_t {
    flag,
    set,       // an assignment as it is typed
    server,    // short for one of a key of [server]
    listener,  // short for one of a key of the listener `tls`, or of the laboratory's
    lab,
};

struct OptionRow {
    const char* name;
    const char* short_name;
    OptionKind kind;
    const char* argument;
    const char* key;  // that it is short for
    const char* help;
};

namespace {

constexpr OptionRow options[] = {
    {"--help", "-h", OptionKind::flag, "", nullptr, "print this and exit"},
    {"--version", "-v", OptionKind::flag, "", nullptr, "print the version and exit"},
    {"--test", "-t", OptionKind::flag, "", nullptr, "check the configuration and exit"},
    {"--memory", "-m", OptionKind::flag, "", nullptr, "print the memory budget and exit"},
    {"--read-only", nullptr, OptionKind::flag, "", nullptr,
     "serve the book to read, and write no byte of it"},
    {"--set", "-s", OptionKind::set, "'SECTION.KEY=VALUE'", "", "override one key of the file"},
    {"--host", nullptr, OptionKind::listener, "ADDRESS", "address",
     "address of the listener `tls`"},
    {"--port", nullptr, OptionKind::listener, "PORT", "port", "port of that listener"},
    {"--threads", nullptr, OptionKind::server, "N", "threads", "worker threads"},
    {"--lab", nullptr, OptionKind::lab, "CHANNEL", nullptr,
     "run that laboratory channel, without bank and files"},
};

// Only a build that has the laboratory knows these.
constexpr OptionRow lab_options[] = {
    {"--message", nullptr, OptionKind::server, "TEXT", "message",
     "with --lab: what TELL is answered with"},
    {"--passphrase-file", nullptr, OptionKind::listener, "FILE", "passphrase-file",
     "with --lab psk: the 16 bytes that both sides know"},
};

void put_help_row(Writer& out, const OptionRow& option) {
    const uint32_t start = out.size;
    put_text(out, "  ");
    if (option.short_name != nullptr) {
        put_text(out, option.short_name);
        put_text(out, ", ");
    }
    put_text(out, option.name);
    put_u8(out, ' ');
    put_text(out, option.argument);
    while (out.size - start < 36) put_u8(out, ' ');
    put_text(out, option.help);
    put_u8(out, '\n');
}

void put_channels(Writer& out) {
    const char* between = " ";
    for (uint32_t i = 0; i < lab_property_count(); i++) {
        const char* name = lab_properties(i).name;
        if (lab_find(slice_of(name)) == nullptr) continue;
        put_text(out, between);
        put_text(out, name);
        between = ", ";
    }
}

void print_help() {
    static uint8_t text[4096];
    Writer out = writer_of(text, sizeof text);
    put_text(out, "usage: pennyd [options] [CONFIG]\n");
    if (lab_is_built) put_text(out, "       pennyd --lab CHANNEL [options]\n");
    put_text(out, "\nThe bank's server. Without CONFIG it takes");
    put_text(out, " ./pennyd.conf, then /etc/pennyd/pennyd.conf.\n\n");
    for (const OptionRow& option : options) put_help_row(out, option);
    if (lab_is_built) {
        for (const OptionRow& option : lab_options) put_help_row(out, option);
        put_text(out, "\n--host and --port are of --lab's listener where that is given. CHANNEL is "
                      "one of");
        put_channels(out);
        put_u8(out, '\n');
    }
    put_text(out, "\nSIGTERM ends it in order: sessions, a closing batch, a checkpoint.\n");
    system_print(STDOUT_FILENO, writer_slice(out));
}

bool is_option(const OptionRow& option, const char* word) {
    if (strcmp(word, option.name) == 0) return true;
    return option.short_name != nullptr && strcmp(word, option.short_name) == 0;
}

const OptionRow* find_lab_option(const char* word) {
    for (const OptionRow& option : lab_options) {
        if (is_option(option, word)) return &option;
    }
    return nullptr;
}

const OptionRow* find_option(const char* word) {
    for (const OptionRow& option : options) {
        if (is_option(option, word)) return &option;
    }
    return lab_is_built ? find_lab_option(word) : nullptr;
}

// Returns a code to exit with, or -1 to go on.
int take_flag(const OptionRow& option, Arguments& out) {
    if (strcmp(option.name, "--help") == 0) {
        print_help();
        return exit_done;
    }
    if (strcmp(option.name, "--version") == 0) {
        system_print_text(STDOUT_FILENO, "pennyd " PENNY_VERSION "\n");
        return exit_done;
    }
    if (strcmp(option.name, "--read-only") == 0) {
        out.read_only = true;
        return -1;
    }
    out.action = strcmp(option.name, "--test") == 0 ? Action::test : Action::memory;
    return -1;
}

int take_channel(const char* channel, Arguments& out) {
    if (out.lab != nullptr) return refuse_text(exit_usage, "one --lab, not two; see --help");
    out.lab = channel;
    if (lab_find(slice_of(channel)) != nullptr) return -1;
    Writer message = message_writer();
    put_text(message, "--lab has no channel \"");
    put_printable(message, slice_of(channel), 32);
    put_text(message, "\"; this build has");
    put_channels(message);
    return refuse(exit_usage, message);
}

int take_value(const OptionRow& option, const char* value, Arguments& out) {
    if (option.kind == OptionKind::lab) {
        if (lab_is_built) return take_channel(value, out);
        return refuse_text(exit_usage, "this build has no laboratory channel");
    }
    if (out.assignment_count == assignments_max) {
        Writer message = message_writer();
        put_text(message, option.name);
        put_text(message, " is given too often");
        return refuse(exit_usage, message);
    }
    out.assignments[out.assignment_count++] = {&option, value};
    return -1;
}

int take_words(int count, char** words, Arguments& out) {
    Writer message = message_writer();
    for (int i = 1; i < count; i++) {
        if (words[i][0] != '-') {
            if (out.config_path != nullptr) {
                return refuse_text(exit_usage, "one configuration file, not two; see --help");
            }
            out.config_path = words[i];
            continue;
        }
        const OptionRow* option = find_option(words[i]);
        if (option == nullptr) {
            put_text(message, "unknown option ");
            put_printable(message, slice_of(words[i]), 64);
            put_text(message, "; see pennyd --help");
            return refuse(exit_usage, message);
        }
        if (option->kind != OptionKind::flag && i + 1 == count) {
            put_text(message, option->name);
            put_text(message, " needs a value");
            return refuse(exit_usage, message);
        }
        const int code = option->kind == OptionKind::flag ? take_flag(*option, out)
                                                          : take_value(*option, words[++i], out);
        if (code >= 0) return code;
    }
    return -1;
}

// What belongs to a laboratory alone, and what it has not.
int check_lab(const Arguments& arguments) {
    if (arguments.lab == nullptr) {
        for (uint32_t i = 0; i < arguments.assignment_count; i++) {
            const OptionRow* option = arguments.assignments[i].option;
            if (find_lab_option(option->name) == nullptr) continue;
            Writer message = message_writer();
            put_text(message, option->name);
            put_text(message, " goes with --lab; a bank has ");
            put_text(message, option->key);
            put_text(message, " in its configuration file");
            return refuse(exit_usage, message);
        }
        return -1;
    }
    if (arguments.config_path != nullptr) {
        return refuse_text(exit_usage, "--lab takes no configuration file; a bank has a listener "
                                       "of the channel in its own, and is started without --lab");
    }
    if (arguments.read_only) {
        return refuse_text(exit_usage, "--lab takes no --read-only, as it has no book");
    }
    return -1;
}

}  // namespace

int arguments_take(int count, char** words, Arguments& out) {
    const int code = take_words(count, words, out);
    return code < 0 && lab_is_built ? check_lab(out) : code;
}

void arguments_put(const Arguments& arguments, uint32_t index, Writer& out) {
    CHECK(index < arguments.assignment_count);
    const Assignment& assignment = arguments.assignments[index];
    const OptionRow& option = *assignment.option;
    if (option.kind != OptionKind::set) {
        const bool is_of_listener = option.kind == OptionKind::listener;
        put_text(out, is_of_listener ? "listener " : "server");
        if (is_of_listener) put_text(out, arguments.lab != nullptr ? arguments.lab : "tls");
        put_u8(out, '.');
        put_text(out, option.key);
        put_u8(out, '=');
    }
    put_text(out, assignment.value);
}
