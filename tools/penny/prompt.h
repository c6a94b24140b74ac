// prompt.h - lines from a person or from standard input; the only room of penny that knows libedit.
#pragma once

#include "penny/client.h"

// Takes one line of standard input without its end; at a terminal with `prompt`, editing, history
// and completion where libedit is there. Returns ok; end; full, with nothing in `out`, for a line
// that does not fit or holds a NUL.
Status prompt_line(const char* prompt, char* out, uint32_t capacity);

// Asks one question. Returns as prompt_line does.
Status prompt_answer(const char* question, char* out, uint32_t capacity);

// What is below asks at the terminal, or after prompt_from_input takes lines of standard input as
// the answers, for scripts.
void prompt_from_input();

// True when somebody is there to answer, or the lines are.
bool prompt_has_person();

// Remembers a line for the arrow keys. Lines that hold a password must not come here.
void prompt_remember(const char* line);

// These return exit_go_on, or exit_refused with the reason printed; prompt_account exit_usage where
// no name was given at all.
//
//     prompt_user ─ a name ─► prompt_password         to sign in
//               └── "+" ───► prompt_account          a name and a password, twice, for a new one
//                            prompt_fresh            another password, twice
ExitCode prompt_user(Login& login, bool& creates);
ExitCode prompt_password(Login& login);
ExitCode prompt_account(Login& login);
ExitCode prompt_fresh(Password& out);

// Asks for exactly `size` bytes without echo. Returns exit_go_on, or exit_refused with the reason
// printed.
ExitCode prompt_passphrase(uint8_t* out, uint32_t size);

// Asks for a PIN without echo. Returns ok, or failed without a terminal or for what is no PIN.
Status prompt_pin(Pin& out);
