// arguments.h - pennyd's command line: one row per option, and what they come to together.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t assignments_max = 32;  // options that override the file

enum class Action : uint8_t { serve, test, memory };

struct OptionRow;

struct Assignment {
    const OptionRow* option;
    const char* value;
};

struct Arguments {
    Action action;
    bool read_only;
    const char* lab;          // the one channel to run without a bank, nullptr for a bank
    const char* config_path;  // nullptr where none was given; always with `lab`
    Assignment assignments[assignments_max];
    uint32_t assignment_count;
};

// Takes the words. Returns a code to exit with, the sentence or the help being printed, or -1 to
// go on.
int arguments_take(int count, char** words, Arguments& out);

// Puts one of them as config_set takes it.
void arguments_put(const Arguments& arguments, uint32_t index, Writer& out);
