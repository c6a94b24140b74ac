// messages.h - what penny does by itself with more than one command to the server: sealed messages.
//
//   key, send, inbox, read      see mail.def; each needs somebody who logs in
//
// The server carries keys and envelopes and is believed about neither: pins.h says whose key is
// whose, crypto/message.h what is taken for a message.
#pragma once

#include "penny/client.h"

// True for a command that penny carries out itself.
bool messages_has(Slice name);

// Carries it out. `messages` is the folder of all people's messages.
Outcome messages_run(Client& client, const char* messages, const Slice* words, uint32_t count);

// True when who is logged in has a key of messages here.
bool messages_has_key(const Client& client, const char* messages);

// Each is one verb, with as many words as its row allows.
struct KeyFolder;
Outcome verb_key(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count);
Outcome verb_send(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count);
Outcome verb_inbox(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count);
Outcome verb_read(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count);
