// prompt.h - asks for a new password: twice on the terminal without echo, or from a file.
#pragma once

#include "base/limits.h"
#include "pennyctl/tool.h"

struct Password {
    uint8_t bytes[password_size_max];
    uint32_t size;
};

// Takes the first lines of a file, or of standard input for "-", one for each password. Returns
// exit_done, or exit_refused with the reason printed and nothing in `out`.
ExitCode password_read_file(const char* path, Password* out, uint32_t count);

// Asks twice at the terminal. `who` is whose password it is.
ExitCode password_ask(const char* who, Password& out);
