// zone_file.h - the time zone of the process, by a name whose file is there.
//
// The C library takes UTC, silently, for a name that it does not know, and opens any file that the
// name leads to; neither is let happen. Nothing here is called after the start.
#pragma once

#include "base/bytes.h"

// Sets the zone of that name for the process. Returns ok, or invalid with one sentence; `advice`
// says in it what to do on a machine that has no zones.
Status zone_set(const char* name, const char* advice, Writer& error);

// Whether the file is one of a zone (RFC 8536).
bool zone_is_file(const char* path);

// The sentence about a machine that has no zones, or not even this file. Returns invalid.
Status zone_refuse_missing(const char* name, const char* place, const char* advice, Writer& error);
