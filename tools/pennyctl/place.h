// place.h - where a bank is: its folder, its configuration, its data, from what was typed.
//
// DIR|CONFIG names a bank as a folder that `init` made, as a configuration file, or as a data
// folder alone. Paths in a configuration are relative to the folder in which it lies.
#pragma once

#include "pennyctl/data.h"

struct BankPlace {
    ToolPath folder;     // in which the configuration is; "." for the present one
    ToolPath conf;       // empty when a data folder alone was named
    ToolPath data;
    Config config;        // as the file has it; defaults without one
};

// The folder in which a file lies: "." where its name has none.
ToolPath place_folder_of(const char* file);

// The path that a value of the configuration means.
ToolPath place_resolve(const BankPlace& place, const char* value);

// Finds the bank. `error` has PATH_MAX + config_error_size_max of room. Prints why not.
ExitCode place_find(const char* given, BankPlace& place, Writer& error);

// Refuses, with its pid and `instead`, when a process keeps the data folder to itself.
ExitCode place_refuse_beside_server(const BankPlace& place, const char* instead);
