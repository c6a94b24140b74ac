// lab_eavesdrop.h - what can be made of the bytes of an xor channel by somebody who only saw them.
//
//     X ^ C   ^   X ^ C ^ S   ^   X ^ S   =   X        (src/channel/lab/README.md, "xor")
//
// Pure: no socket and no file. The bytes may come from anybody and never reach a CHECK.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t xor_key_size = 16;          // bytes, and of each pass
inline constexpr uint32_t overheard_reason_size = 200;

// What the two ends sent, passes in front. The bytes are decrypted where they lie.
struct Overheard {
    uint8_t* client;
    uint32_t client_size;
    uint8_t* server;
    uint32_t server_size;
};

struct XorSpoils {
    uint8_t passes[3][xor_key_size];
    uint8_t key[xor_key_size];
    Slice requests;  // as they were before they were sealed; they point into what was overheard
    Slice replies;
    uint32_t request_count;
    uint32_t reply_count;
    char reason[overheard_reason_size];
};

// Whether both ends sent enough for the passes.
bool xor_has_passes(uint32_t client_size, uint32_t server_size);

// Finds the key and decrypts everything. Returns ok when the requests and replies are RESP; more
// when there are not enough bytes; invalid, with a sentence in `reason`, when they are no RESP, and
// then everything but the counts holds what was found.
Status xor_break(const Overheard& overheard, XorSpoils& out);
