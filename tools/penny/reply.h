// reply.h - what is looked for in the reply to a command.
#pragma once

#include "wire/value.h"

// A reply as it lies in the client's memory, up to the next command. See value.h.
struct Reply {
    const Value* values;
    uint32_t count;
};

// The value behind `name` in the value at `at`, which is a map, or pairs in an array. Returns
// nullptr without.
const Value* reply_find_in(const Reply& reply, uint32_t at, const char* name);

// The same in a reply that is all of it a map.
const Value* reply_find(const Reply& reply, const char* name);

// The text of that value. Returns false, with the reason printed, when it is not there.
bool reply_text(const Reply& reply, const char* name, Slice& out);
