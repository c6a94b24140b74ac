// handlers.h - what the files of service/ share: the handlers of commands.def and small helpers.
//
// Private to the room.
#pragma once

#include "service/service.h"

#define COMMAND(symbol, name, least, most, phase, roles, flags, group, usage, summary) \
    ServiceNext command_##symbol(Service& service, ServiceCall& call);
#include "service/commands.def"
#undef COMMAND

inline Slice call_word(const ServiceCall& call, uint32_t index) {
    return call.request->words[index];
}
inline uint32_t call_words(const ServiceCall& call) { return call.request->count; }

// The person who is logged in.
const Person& call_person(const Service& service, const ServiceCall& call);

// Puts `-WORD text` and returns replied.
ServiceNext refuse(ServiceCall& call, Status status, const char* text);

// Puts the meaning of the status as its text.
ServiceNext refuse_plainly(ServiceCall& call, Status status);

// MISCONF with what is wrong with the journal.
ServiceNext refuse_misconf(const Service& service, ServiceCall& call);

ServiceNext refuse_syntax(ServiceCall& call);

// The map that HELLO answers with.
void put_hello(Service& service, ServiceCall& call);
