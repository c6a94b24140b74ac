#include "penny/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "penny/lab_break.h"
#include "penny/lab_client.h"
#include "penny/menu.h"
#include "version.h"

namespace {

enum class Option : uint8_t {
#define OPTION(field, letter, name, value, help) field,
#include "penny/options.def"
#undef OPTION
};

struct OptionRow {
    Option option;
    const char* letter;
    const char* name;
    const char* value;
    const char* help;
};

constexpr OptionRow rows[] = {
#define OPTION(field, letter, name, value, help) {Option::field, letter, name, value, help},
#include "penny/options.def"
#undef OPTION
};

struct VerbRow {
    Verb verb;
    const char* word;
    const char* usage;
    const char* help;
};

constexpr VerbRow verbs[] = {
#define VERB(word, usage, help) {Verb::word, #word, usage, help},
#include "penny/verbs.def"
#undef VERB
};

// Verbs of sealed messages, which messages.cpp carries out.
struct MailRow {
    const char* usage;
    const char* help;
};

constexpr MailRow mail_rows[] = {
#define MAIL(name, least, most, usage, help) {usage, help},
#include "penny/mail.def"
#undef MAIL
};

constexpr char head[] =
    "penny - the client of Pennybank\n"
    "\n"
    "    penny [options] [HOST:PORT] COMMAND ...   send one command, print its reply\n"
    "    penny [options] [HOST:PORT]               send lines: standard input's, or a person's\n"
    "    penny [options] --menu [HOST:PORT]        choices by number, asked for one by one\n"
    "\n";

constexpr char tail[] =
    "\n"
    "Everything else, and everything behind --, goes to the server as typed. At the prompt `help`\n"
    "and `exit` are penny's own too.\n"
    "\n"
    "A '+' where a command has its id is replaced by a fresh one, which is printed before it is\n"
    "sent. When the connection is lost, commands with an id and commands that only read are sent\n"
    "again by themselves until --timeout; the server books an id once.\n"
    "\n"
    "Without -c the first of $PENNY_CONF, ./client.conf, ~/.config/penny/client.conf and\n"
    "/etc/pennyd/client.conf is read: [client] with host port cacert cert key user, and for\n"
    "channels of the laboratory lab-key lab-cert lab-ca passphrase-file.\n"
    "\n"
    "Exit status: 0 done, 1 refused, failed or any reply was an error, 2 wrong usage.\n";

void print_help() {
    fputs(head, stdout);
    for (const OptionRow& row : rows) {
        char left[64];
        const bool both = row.letter[0] != '\0' && row.name[0] != '\0';
        snprintf(left, sizeof left, "%s%s%s %s", row.letter, both ? ", " : "", row.name, row.value);
        printf("    %-22s %s\n", left, row.help);
    }
    fputs("\nWords of its own:\n", stdout);
    for (const VerbRow& row : verbs) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", row.word, row.usage);
        printf("    %-22s %s\n", left, row.help);
    }
    lab_describe();
    fputs("\nThe choices of --menu, and what each sends:\n", stdout);
    menu_describe(menu_bank, MenuDetail::commands);
    if (lab_is_built) {
        fputs("\nThe same on a channel of the laboratory:\n", stdout);
        menu_describe(menu_lab, MenuDetail::commands);
    }
    fputs("\nSealed messages, which the server cannot read:\n", stdout);
    for (const MailRow& row : mail_rows) printf("    %s\n        %s\n", row.usage, row.help);
    fputs(tail, stdout);
}

// Where the words of an option are: "--name VALUE" or "--name=VALUE".
struct Words {
    int count;
    char** words;
    int at;
};

const OptionRow* find_row(const char* word, char*& out_value) {
    out_value = nullptr;
    char* equals = strncmp(word, "--", 2) == 0 ? strchr(const_cast<char*>(word), '=') : nullptr;
    const size_t size = equals != nullptr ? static_cast<size_t>(equals - word) : strlen(word);
    for (const OptionRow& row : rows) {
        const bool is_long = row.name[0] != '\0' && strlen(row.name) == size &&
                             strncmp(row.name, word, size) == 0;
        const bool is_letter = row.letter[0] != '\0' && strcmp(row.letter, word) == 0;
        if (!is_long && !is_letter) continue;
        if (equals != nullptr) out_value = equals + 1;
        return &row;
    }
    return nullptr;
}

// Keeps the password and takes it off the command line or out of the environment.
ExitCode keep_password(char* text, const char* from, Password& out) {
    const size_t size = strlen(text);
    if (size > sizeof out.bytes) {
        wipe(text, size);
        say("%s: a password has at most %u bytes", from, password_size_max);
        return exit_usage;
    }
    memcpy(out.bytes, text, size);
    out.size = static_cast<uint32_t>(size);
    out.given = true;
    wipe(text, size);
    return exit_go_on;
}

ExitCode take_timeout(const char* text, uint32_t& out) {
    uint64_t seconds = 0;
    const Status status = parse_decimal(slice_of(text), seconds);
    if (status != Status::ok || seconds == 0 || seconds > timeout_s_max) {
        say("--timeout takes 1 to %u seconds, not '%s'", timeout_s_max, text);
        return exit_usage;
    }
    out = static_cast<uint32_t>(seconds);
    return exit_go_on;
}

ExitCode take_option(const OptionRow& row, char* value, Options& out) {
    switch (row.option) {
        case Option::host: out.host = value; return exit_go_on;
        case Option::port: out.port = value; return exit_go_on;
        case Option::cert: out.cert = value; return exit_go_on;
        case Option::key: out.key = value; return exit_go_on;
        case Option::cacert: out.cacert = value; return exit_go_on;
        case Option::user: out.user = value; return exit_go_on;
        case Option::channel: out.channel = value; return exit_go_on;
        case Option::pin: out.pin = value; return exit_go_on;
        case Option::passphrase_file: out.passphrase_file = value; return exit_go_on;
        case Option::conf: out.conf = value; return exit_go_on;
        case Option::pass: return keep_password(value, "--pass", out.password);
        case Option::timeout: return take_timeout(value, out.timeout_s);
        case Option::askpass: out.askpass = true; return exit_go_on;
        case Option::explain: out.explain = true; return exit_go_on;
        case Option::raw: out.raw = true; return exit_go_on;
        case Option::menu: out.menu = true; return exit_go_on;
        case Option::json: out.json = true; return exit_go_on;
        case Option::help: print_help(); return exit_done;
        case Option::version: puts("penny " PENNY_VERSION); return exit_done;
    }
    return exit_usage;
}

// Takes the option at the front of `in`, with its value.
ExitCode take_next(Words& in, Options& out) {
    const char* word = in.words[in.at++];
    char* value = nullptr;
    const OptionRow* row = find_row(word, value);
    if (row == nullptr) {
        say("there is no option '%s'; see penny --help", word);
        return exit_usage;
    }
    if (row->value[0] == '\0' && value != nullptr) {
        say("%s takes no value", row->name);
        return exit_usage;
    }
    if (row->value[0] != '\0' && value == nullptr) {
        if (in.at == in.count) {
            say("%s takes a %s", word, row->value);
            return exit_usage;
        }
        value = in.words[in.at++];
    }
    return take_option(*row, value, out);
}

bool is_port(const char* text) {
    uint64_t port = 0;
    return parse_decimal(slice_of(text), port) == Status::ok && port > 0 && port <= UINT16_MAX;
}

// Cuts "HOST:PORT" or "[V6]:PORT" in two. The text is written over.
ExitCode take_address(char* text, Options& out) {
    char* colon = strrchr(text, ':');
    const bool bracketed = text[0] == '[';
    if (bracketed && (colon == text || colon[-1] != ']')) colon = nullptr;
    if (!bracketed && colon != nullptr && strchr(text, ':') != colon) {
        say("write an IPv6 address as [%s]", text);
        return exit_usage;
    }
    if (colon == nullptr || colon == text || !is_port(colon + 1)) {
        say("'%s' is not HOST:PORT", text);
        return exit_usage;
    }
    *colon = '\0';
    out.port = colon + 1;
    out.host = text;
    if (bracketed) {
        colon[-1] = '\0';
        out.host = text + 1;
    }
    return exit_go_on;
}

ExitCode take_environment(Options& out) {
    char* text = getenv("PENNY_PASS");
    if (text == nullptr) return exit_go_on;
    const bool logs_in = out.lab == nullptr;
    if (logs_in && !out.password.given) return keep_password(text, "$PENNY_PASS", out.password);
    wipe(text, strlen(text));
    return exit_go_on;
}

// Attacks are on servers of their own, and say all that there is to say.
bool is_about_a_server(const Options& options) {
    const char* const given[] = {options.host,    options.port, options.cert, options.key,
                                 options.cacert,  options.user, options.conf, options.pin,
                                 options.channel, options.passphrase_file};
    for (const char* text : given) {
        if (text != nullptr) return true;
    }
    return options.askpass || options.explain || options.raw || options.json || options.menu;
}

ExitCode check_together(const Options& options) {
    if (options.verb == Verb::lab && is_about_a_server(options)) {
        say("lab break takes no options: it starts its own servers");
        return exit_usage;
    }
    if (options.port != nullptr && !is_port(options.port)) {
        say("'%s' is not a port", options.port);
        return exit_usage;
    }
    if ((options.cert == nullptr) != (options.key == nullptr)) {
        say("--cert and --key go together");
        return exit_usage;
    }
    if ((options.verb == Verb::enrol || options.verb == Verb::renew) && options.lab != nullptr) {
        say("%s is for channel tls, not for one of the laboratory", options.words[0]);
        return exit_usage;
    }
    if (options.verb == Verb::renew && options.word_count > 1) {
        say("renew takes no words but --due and -c FILE");
        return exit_usage;
    }
    if (options.raw && options.word_count > 0) {
        say("--raw takes its bytes from standard input, not from the command line");
        return exit_usage;
    }
    if (options.menu && (options.word_count > 0 || options.raw || options.json)) {
        say("--menu goes with no command, --raw or --json");
        return exit_usage;
    }
    if (options.verb == Verb::ping && options.word_count > 1) {
        say("ping takes no words; `-- PING TEXT` asks the server as a person who logs in");
        return exit_usage;
    }
    return exit_go_on;
}

// What may stand behind the word; people look for -c there, too. Any other word stays.
void take_renewal(Options& out) {
    int at = 1;
    for (; at < out.word_count; at++) {
        if (strcmp(out.words[at], "--due") == 0) {
            out.due = true;
        } else if (strcmp(out.words[at], "-c") == 0 && at + 1 < out.word_count) {
            out.conf = out.words[++at];
        } else {
            return;
        }
    }
    out.word_count = 1;
}

}  // namespace

ExitCode options_parse(int argc, char** argv, Options& out) {
    out = {};
    out.timeout_s = timeout_s_default;
    Words in = {argc, argv, 1};
    // Options end where the command begins, whose words may look like options.
    while (in.at < in.count && in.words[in.at][0] == '-' && in.words[in.at][1] != '\0') {
        if (strcmp(in.words[in.at], "--") == 0) break;
        const ExitCode code = take_next(in, out);
        if (code != exit_go_on) return code;
    }
    if (in.at < in.count && strchr(in.words[in.at], ':') != nullptr) {
        const ExitCode code = take_address(in.words[in.at++], out);
        if (code != exit_go_on) return code;
    }
    out.typed = in.at < in.count && strcmp(in.words[in.at], "--") == 0;
    if (out.typed) in.at++;
    out.words = in.words + in.at;
    out.word_count = in.count - in.at;
    for (const VerbRow& row : verbs) {
        if (out.word_count == 0 || out.typed) break;
        if (strcmp(out.words[0], row.word) == 0) out.verb = row.verb;
    }
    if (out.verb == Verb::renew) take_renewal(out);
    ExitCode code = lab_client_check(out);
    if (code == exit_go_on) code = take_environment(out);
    return code == exit_go_on ? check_together(out) : code;
}

void say(const char* format, ...) {
    va_list values;
    va_start(values, format);
    fputs("penny: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
}
