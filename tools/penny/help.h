// help.h - the commands of the server as penny knows them: their names and how they are used.
//
// They come from the server's own table, so `help` works without a connection. A newer server may
// know more; everything is sent to it as typed.
#pragma once

#include "base/bytes.h"

uint32_t help_name_count();
const char* help_name(uint32_t index);

// Prints how commands are used: all, or those whose name is `name`. Returns absent when there is
// no such command.
Status help_print(Slice name);
