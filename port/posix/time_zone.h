// time_zone.h - the zone of local times: a name becomes the process's, before anything goes by it.
//
// The zone is taken once, at the start and before threads, with the C library and its zone files.
// What needs a local time asks for it afterwards, and opens no file any more.
//
//   T1. A zone is a name whose file is there. The C library takes UTC, silently, for a name that it
//       does not know, and opens any file that the name leads to; neither is let happen.
#pragma once

#include "base/bytes.h"
#include "config.h"

struct Zone {
    char name[config_zone_size_max + 1];  // for a heading; "local time" where it has no name
};

// Sets the zone of that name, or the system's for "". Returns ok, or invalid with one sentence, in
// which `option` is how a name is given here, such as "--time-zone ".
Status zone_choose(const char* name, const char* option, Zone& zone, Writer& error);
