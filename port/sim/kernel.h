// kernel.h - what the simulated machine gives beside disk, network and clock: random bytes that are
// the same on every run, and a log that a failing run is explained by.
//
// port.h's three calls are in kernel_calls.cpp and lead here; a program with calls of its own (the
// unit tests) leaves that file out and asks here itself. One thread; plain static memory.
#pragma once

#include "port.h"
#include "port/sim/random.h"

// Where the random bytes come from; each world begins with its own.
void sim_kernel_seed(const SimRandom& random);
SimRandom sim_kernel_random_state();

bool sim_kernel_random(uint8_t* out, uint32_t size);

// The call with this number, from 0 since this was said, gives no bytes; UINT64_MAX: every call
// gives some.
void sim_kernel_random_refuse_at(uint64_t call);
uint64_t sim_kernel_random_calls();  // since then

// Keeps the newest lines.
void sim_kernel_log(LogLevel level, const char* text, uint32_t size);
void sim_kernel_log_forget();

// Calls `each` for every line that is kept, the oldest first. `text` is NUL-terminated.
void sim_kernel_log_each(void (*each)(void* context, const char* text), void* context);
