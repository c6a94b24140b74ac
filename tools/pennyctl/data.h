// data.h - finds a bank's data folder from what an operator names, and how the bank shows times.
//
// What is given is a bank's folder, its configuration, or its data folder itself. Nothing is
// written and no memory is kept.
#pragma once

#include <limits.h>

#include "config.h"
#include "pennyctl/tool.h"

struct ToolPath {
    char text[PATH_MAX];
};

struct ToolData {
    ToolPath folder;                             // the journal's parent
    char time_zone[config_zone_size_max + 1];    // "" without a configuration
};

// Puts two parts together; empty when the system does not take a path of that length.
ToolPath tool_path(const char* folder, const char* name);

// Finds the data folder that is given, or that the configuration given, or in it, names. Returns
// exit_done, or exit_refused with the sentence printed.
ExitCode data_find(const char* given, ToolData& out);
