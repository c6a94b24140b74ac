// example.h - what the example asks of the machine beside port.h, and what the machine calls.
#pragma once

#include "port.h"

// Prints a text. The machine gives it.
void example_say(const char* text);

// The whole example; returns when all of it held. The machine calls it.
void example_run();
