// lab_break.h - `penny lab break ATTACK`: what the channels of the laboratory do not withstand.
//
// Every attack but one on a recorded file is on a pennyd that the command starts itself, listening
// on loopback, and ends again; nobody else's server can be named. attacks.def has the attacks.
#pragma once

#include "penny/options.h"

// `words` are those behind "lab". Returns exit_done when the attack went as README.md beside
// channel/lab/lab.h says, exit_refused when it did not, exit_usage.
ExitCode lab_run(char** words, int count);

// The attacks for --help, one line each.
void lab_describe();

// One attack each; `words` are those behind its name.
#define ATTACK(symbol, usage, help) ExitCode lab_break_##symbol(char** words, int count);
#include "penny/attacks.def"
#undef ATTACK
