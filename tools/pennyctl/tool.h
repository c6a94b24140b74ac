// tool.h - what the verbs of pennyctl share: exit codes, sentences, the clock, options.
#pragma once

#include <stdint.h>

#include "crypto/hash.h"

enum ExitCode : int {
    exit_done = 0,
    exit_refused = 1,  // refused or failed, with one line on standard error
    exit_usage = 2,    // the command line is not one that the verb takes
};

// Print "pennyctl: ..." as one line on standard error and return the exit code.
[[gnu::format(printf, 1, 2)]] ExitCode tool_refuse(const char* format, ...);
[[gnu::format(printf, 1, 2)]] ExitCode tool_misused(const char* format, ...);

// As tool_refuse, with a sentence that was put together before.
ExitCode tool_refuse_said(const Writer& error);

// As tool_misused, for a word of a verb: names the verb and ends with its usage.
[[gnu::format(printf, 2, 3)]] ExitCode tool_misused_verb(const char* verb, const char* format, ...);

// The code, or exit_refused with a sentence when standard output could not be written.
ExitCode tool_flushed(ExitCode code);

// Prints the 64 digits of a hash.
void tool_print_hash(const char* label, const Hash& hash);

// The words of a verb, taken one by one. An option is "--name VALUE" or "--name=VALUE".
struct ToolWords {
    int count;
    char** words;
    int at;             // the next one
    const char* value;  // what stood behind '=', until it is asked for
    bool only_words;    // "--" has been seen
};

// Takes the next word. Returns nullptr at the end. What begins with "--" is an option, without its
// "=VALUE".
const char* tool_next(ToolWords& words, bool& is_option);

// The value of the option just taken, or nullptr when there is none.
const char* tool_value(ToolWords& words);

// False, with nothing printed, for a value that was given to an option that takes none.
bool tool_value_is_absent(const ToolWords& words);

uint64_t tool_wall_ms();

// Refuses a clock that is behind the time this program was made at; certificates are dated.
ExitCode tool_check_clock(uint64_t wall_ms);

// A text of a command line or a file as a Slice.
Slice tool_slice(const char* text);


int verb_init(int argc, char** argv);
int verb_check(int argc, char** argv);
int verb_export(int argc, char** argv);
int verb_statement(int argc, char** argv);
int verb_report(int argc, char** argv);
int verb_clock(int argc, char** argv);
int verb_receipt(int argc, char** argv);
int verb_backup(int argc, char** argv);
int verb_restore(int argc, char** argv);
int verb_repair(int argc, char** argv);
int verb_archive(int argc, char** argv);
int verb_user_list(int argc, char** argv);
int verb_user_add(int argc, char** argv);
int verb_user_del(int argc, char** argv);
int verb_user_role(int argc, char** argv);
int verb_user_passwd(int argc, char** argv);
int verb_user_lock(int argc, char** argv);
int verb_user_unlock(int argc, char** argv);
int verb_user_name(int argc, char** argv);
int verb_import(int argc, char** argv);
int verb_audit(int argc, char** argv);
int verb_lab(int argc, char** argv);
int verb_class(int argc, char** argv);
int verb_enrol(int argc, char** argv);
int verb_cert_client(int argc, char** argv);
int verb_cert_server(int argc, char** argv);
int verb_cert_issuing(int argc, char** argv);
int verb_cert_sign(int argc, char** argv);
int verb_cert_renew(int argc, char** argv);
int verb_cert_revoke(int argc, char** argv);
int verb_cert_list(int argc, char** argv);
