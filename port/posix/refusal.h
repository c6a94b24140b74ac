// refusal.h - how pennyd ends before it serves: one sentence on standard error, and an exit code.
#pragma once

#include "base/bytes.h"

inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1;
inline constexpr int exit_usage = 2;

// For one sentence at a time; the memory is always the same.
Writer message_writer();

// Prints `pennyd: ` and the sentence; returns the exit code.
int refuse(int code, Writer& message);
int refuse_text(int code, const char* text);
