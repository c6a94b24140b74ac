// settings.h - from the command line and the file it names to one checked configuration: at the
// start, and again at each reload.
#pragma once

#include "arguments.h"
#include "key_files.h"

inline constexpr uint32_t config_size_max = 65536;  // bytes of the configuration file

// Fills `config`; the file's text lies in the memory for keys meanwhile, and its folder is noted
// there. Returns -1, or a code to exit with and the sentence in `message`.
int settings_load(KeyFiles& files, const Arguments& arguments, Config& config, Writer& message);

// On a worker, for WishKind::reload: settings and the files of each listener of TLS. Returns ok, or
// failed with `why`.
Status settings_reload(KeyFiles& files, const Arguments& arguments, Server& server,
                       uint32_t generation, Writer& why);
