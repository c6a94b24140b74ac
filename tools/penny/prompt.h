// prompt.h - lines from a person or from standard input; the only room of penny that knows libedit.
#pragma once

#include "penny/client.h"

// Takes one line of standard input without its end; at a terminal with `prompt`, editing, history
// and completion where libedit is there. Returns ok; end; full, with nothing in `out`, for a line
// that does not fit or holds a NUL.
Status prompt_line(const char* prompt, char* out, uint32_t capacity);

// Remembers a line for the arrow keys. Lines that hold a password must not come here.
void prompt_remember(const char* line);

// Asks at the terminal. These return exit_go_on, or exit_refused with the reason printed.
//
//     prompt_user ─ a name ─► prompt_password         to sign in
//               └── "+" ───► prompt_account          a name and a password, twice, for a new one
ExitCode prompt_user(Login& login, bool& creates);
ExitCode prompt_password(Login& login);
ExitCode prompt_account(Login& login);

// Asks for a PIN without echo. Returns ok, or failed without a terminal or for what is no PIN.
Status prompt_pin(Pin& out);
