// options.h - what the command line and client.conf ask of penny.
//
// Texts point into argv or into the ClientConf, which outlive everything. The password alone is
// copied, and wiped where it came from, so that `ps` does not show it.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"
#include "channel/lab/lab.h"

enum ExitCode : int {
    exit_done = 0,
    exit_refused = 1,  // refused or failed, with one line on standard error
    exit_usage = 2,    // the command line is not one that penny takes
    exit_go_on = -1,   // nothing has been decided yet
};

struct Password {
    bool given;
    uint8_t bytes[password_size_max];
    uint32_t size;
};

// The words of penny's own; `none` for a command to the server.
enum class Verb : uint8_t {
    none,
#define VERB(word, usage, help) word,
#include "penny/verbs.def"
#undef VERB
};

struct Options {
    const char* host;
    const char* port;
    const char* cert;
    const char* key;
    const char* cacert;
    bool cert_is_conf;     // `cert` and `key` are those of client.conf
    const char* user;  // "" for nobody; nullptr when nothing was said
    const char* channel;   // nullptr for TLS
    const LabOps* lab;     // that channel, where it is one of the laboratory; else nullptr
    const char* pin;       // 64 hex digits
    const char* passphrase_file;
    const char* lab_key;   // of client.conf, for a channel of the laboratory
    const char* lab_cert;
    const char* lab_ca;
    const char* conf;
    const char* messages;  // the folder of all people's messages
    Password password;
    uint32_t timeout_s;
    bool askpass;
    bool explain;
    bool raw;
    bool json;
    bool menu;
    Verb verb;     // words[0], if it is one and no `--` was before it
    bool typed;    // behind "--": for the server, whatever its first word is
    char** words;  // the command
    int word_count;
    bool due;  // renew: only when less than a third of the time is left
};

inline constexpr const char* port_default = "6226";
inline constexpr const char* host_default = "127.0.0.1";
inline constexpr uint32_t timeout_s_default = 30;
inline constexpr uint32_t timeout_s_max = 86400;

// Reads argv, and $PENNY_PASS unless --pass was there. Returns exit_go_on, or what to exit with
// when that was all (--help, --version) or the line was wrong, with the reason printed.
ExitCode options_parse(int argc, char** argv, Options& out);

// Prints "penny: ..." as one line on standard error.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);
