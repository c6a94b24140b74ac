// lab.h - the laboratory: five classic ways of securing a connection, as channels like TLS.
//
// Each really works and carries RESP, and none of them is fit for money: a session on one never has
// a person or a terminal, and reaches only the commands marked `lab` (P9). README.md beside this
// file says byte by byte what is sent and what each channel lacks; lab.def is the short of it. All
// cryptography but XOR is Mbed TLS's.
//
//     lab_config_load ─► lab_open ─► channel_advance … channel_read, channel_write … channel_free
//
// A LabConfig holds what one end has for all its sessions: key, certificate, CA, passphrase. It
// outlives them and is not moved. A LabMemory is one session's, lent by whoever opens the channel
// and wiped by channel_free; it holds no memory of the library between two calls.
//
//   K1. Nothing of the laboratory reads, holds or sends what makes a terminal or a person.
//   K2. Keys, passphrases and secrets are wiped when their config or session ends, and are no part
//       of what is explained.
//   K3. Every length that a peer sends is bounded before a byte of it is kept.
//   K4. A failure is a row of failures.def; the peer gets its number, and no more than that.
#pragma once

#include "channel/channel.h"
#include "crypto/hash.h"

inline constexpr uint32_t lab_plain_size_max = 1024;   // bytes of one message before it is sealed
inline constexpr uint32_t lab_body_size_max = 2304;    // bytes of one message behind its header
inline constexpr uint32_t lab_header_size = 3;         // bytes: type, size of the body
inline constexpr uint32_t lab_key_bits = 2048;         // of RSA
inline constexpr uint32_t lab_passphrase_size = 16;    // bytes, exactly
inline constexpr uint32_t lab_line_size_max = 160;     // bytes of one explained line

// Whether this build has any channel of the laboratory (CHANNELS=). Where it has none, whoever
// asks first leaves the rest of the laboratory out of the program.
inline constexpr bool lab_is_built = false
#define LAB_BUILT(symbol) || true
#include "lab_built.def"
#undef LAB_BUILT
    ;

// What a channel is worth: a row of lab.def.
struct LabProperties {
    const char* name;
    uint32_t port;
    const char* confidentiality;
    const char* integrity;
    const char* authenticated;
    const char* forward_secrecy;
    const char* replay_protection;
    const char* reviewed;
};

// All rows, TLS as the last one.
uint32_t lab_property_count();
const LabProperties& lab_properties(uint32_t index);

// One channel, as its own file makes it. Opaque here.
struct LabOps;

// The channel of that name, nullptr when there is none or this build leaves it out (CHANNELS=).
const LabOps* lab_find(Slice name);
const LabProperties& lab_properties_of(const LabOps& ops);

// Which parts of LabFiles a channel looks at, for whoever reads or asks for them.
struct LabNeeds {
    bool key;
    bool certificate;  // and the CA
    bool passphrase;
};
LabNeeds lab_needs(const LabOps& ops);

enum class LabEnd : uint8_t { server, client };

// What an end has. Texts are PEM; each may be empty, and then a key is made, with a certificate of
// its own, and nobody is compared with any CA. The bytes are the caller's and are not kept.
struct LabFiles {
    Slice key;          // RSA of 2048 bits
    Slice certificate;  // that belongs to it; dhe only
    Slice ca;           // who must have signed the other end's certificate; dhe only
    Slice passphrase;   // lab_passphrase_size bytes, perhaps a line's end; psk only, needed there
    const Hash* pin;    // SHA-256 of the server's SubjectPublicKeyInfo; nullptr: any key will do
};

struct LabConfig {
    bool loaded;
    alignas(16) uint8_t state[2048];
};

// Loads what `ops` needs of the files. Making a key takes up to seconds: not for the loop; and the
// certificate that goes with it wants the library's clock to be set. Returns ok; invalid for a text
// that is not what it should be, absent when key and certificate do not belong together, failed
// without memory or randomness (P11): then nothing is held, and `reason` points to a literal that
// says which part is at fault.
Status lab_config_load(LabConfig& config, const LabOps& ops, LabEnd end, const LabFiles& files,
                       const char*& reason);
void lab_config_free(LabConfig& config);

// The own public key's fingerprint, which the other side may pin; zeros where there is no key.
Hash lab_config_fingerprint(const LabConfig& config);

// Makes a private key, PKCS#8 PEM. Returns ok; failed without memory or randomness; full.
Status lab_key_make(Writer& pem);

// Where the steps of an exchange are told, line by line; no line has an end of its own.
struct LabExplain {
    void (*line)(void* context, const char* text, uint32_t size);  // nullptr: nowhere
    void* context;
};

struct LabMemory {
    alignas(16) uint8_t state[4608];
};

// Opens a channel. `memory` is the session's until channel_free.
void lab_open(Channel& channel, LabMemory& memory, LabConfig& config, const LabExplain& explain);

// Whether the other side's hanging up is an end in order, as its channel has no other. False while
// hands are shaken, within a message, and where an end is a message.
bool lab_ends_by_socket(const Channel& channel);
