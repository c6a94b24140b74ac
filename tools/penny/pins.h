// pins.h - whose key is whose, as this person has seen it; and which messages were read.
//
//     pins    NAME KID JWK          a line for each key that was taken, the newest of a name last
//     seen    FROM ID NUMBER HASH   a line for each message that was opened, HASH of its envelope
//
//   F1. The first key that is seen of a name is taken and shown. Another one is taken only when the
//       person says its fingerprint; until then nothing is sealed to it, and nothing that it signed
//       is believed.
//   F2. Keys taken before stay: what they signed can still be read, and is said to be by an earlier
//       key.
//   F3. One sender's id is one message. The same under another number is a replay.
#pragma once

#include "crypto/message.h"
#include "penny/folder.h"

inline constexpr uint32_t pins_size_max = 1u << 20;  // bytes: about 1,700 keys
inline constexpr uint32_t seen_size_max = 4u << 20;  // bytes: about 27,000 messages

// Reads the pins of a folder; they are remembered until the next call. Returns ok, invalid for a
// file that penny did not write, or as folder_lines.
Status pins_load(const KeyFolder& folder);

// The key of a name that was taken last, or `back` keys before it. Returns absent without one.
Status pins_find(Slice name, uint32_t back, JoseKey& out);

// Takes a key as the newest of a name. Returns as folder_add_line, and full.
Status pins_add(const KeyFolder& folder, Slice name, const JoseKey& key);

// Notes a message that was opened, or finds it noted. Returns ok; exists, with the number that it
// came under first, for a replay (F3); or as folder_add_line.
Status seen_note(const KeyFolder& folder, Slice from, Slice id, uint64_t number, const Hash& hash,
                 uint64_t& out_first);
