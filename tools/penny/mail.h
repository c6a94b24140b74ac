// mail.h - what the verbs of messages share: a person's own keys, other people's, and the server's
// replies.
//
// Each function that returns an Outcome has printed the reason for anything but reply.
#pragma once

#include "penny/client.h"
#include "penny/pins.h"

inline constexpr const char* key_file = "key.pem";
inline constexpr const char* key_file_next = "key-next.pem";

// A private key; wiped by whoever read it.
struct OwnKey {
    uint8_t pem[jose_key_pem_size_max];
    uint32_t pem_size;
    JoseKey key;
};

// Reads a private key of the folder. Returns as folder_read_secret, and invalid.
Status own_key_read(const KeyFolder& folder, const char* name, OwnKey& out);

// As own_key_read for key.pem, and says what to do where there is none.
Outcome own_key_need(const KeyFolder& folder, OwnKey& out);

Slice own_name(const Client& client);

// Asks the server for a person's key.
Outcome key_ask(Client& client, Slice name, JoseKey& out);

// Loads the pins.
Outcome pins_need(const KeyFolder& folder);

// Decides about the key that the server gives for a name (F1): takes the first one and says so,
// refuses a changed one.
Outcome key_trust(const KeyFolder& folder, Slice name, const JoseKey& key);

// Says that a name's key has changed, with both fingerprints and the verb that accepts it.
void key_say_changed(Slice name, const JoseKey& pinned, const JoseKey& given);

// Opens an envelope with whichever of the person's keys fits, and judges it with the keys of the
// sender. `asked` says which message it has to be. What `out` points to is in `scratch`; `signer`
// becomes the key that signed it.
Outcome message_take(Client& client, const KeyFolder& folder, const Message& asked, Slice sealed,
                     MessageScratch& scratch, Message& out, JoseKey& signer);

// What is printed of a verb's outcome: names and texts, as a reply would be.
struct Field {
    const char* name;
    Slice text;
};
void print_fields(const Client& client, const Field* fields, uint32_t count);
