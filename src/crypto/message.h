// message.h - a message from one person to another that only the two can read.
//
//     {"from":"alice","to":"bob","id":"m-1","time":"2026-11-21T13:08:57.426Z","text":"..."}
//                                                            or, for a file,  "bytes":"base64url"
//
// This text is signed by the sender (JWS), and the whole of that is sealed to the recipient (JWE,
// with `cty` "JWT"): who carries it sees neither text nor signature, and cannot put another name,
// id or time to it. It never asks a server anything; whose key is whose is the caller's to know.
// Nothing here keeps memory; MessageScratch holds the clear text while a call runs, and the caller
// wipes it when what it points to has been used.
//
//   L1. A message is taken only when its signature is by the key that is asked for, and when it
//       names the sender, the recipient and the id under which it came: a message that somebody
//       forwards, or sends again under another number, is not one of theirs.
//   L2. Names, id and time have one spelling; the members are exactly those above, in any order.
#pragma once

#include "crypto/jose.h"

// An envelope has message_sealed_size_max bytes at most. A file of 1,024 bytes fits with names and
// id of any length, and so does a text of 1,024 bytes that is not mostly quotes and line ends,
// which take two each.
inline constexpr uint32_t message_payload_size_max = 1740;  // of the text that is signed here
inline constexpr uint32_t message_file_size_max = 1024;     // of a file that fits in any case
inline constexpr uint32_t message_party_size_max = name_size_max;

enum class MessageKind : uint8_t { text, bytes };

struct Message {
    Slice from;        // a name as in base/text.h, or "@server"
    Slice to;
    Slice id;          // 1 to id_size_max bytes of [A-Za-z0-9._:-]
    uint64_t time_ms;  // since 1970 UTC, by the sender's clock
    MessageKind kind;
    Slice content;     // UTF-8, or any bytes
};

// Room for all that can be in an envelope: three quarters of it, and again of what is in that.
struct MessageScratch {
    uint8_t inner[message_sealed_size_max / 4 * 3];
    uint8_t payload[message_sealed_size_max / 16 * 9];
    uint8_t content[message_sealed_size_max / 16 * 9];
};

// True for a name, or "@server".
bool message_party_is_valid(Slice party);
bool message_id_is_valid(Slice id);

// Puts the text that is signed. Returns ok; invalid for parts that are not as Message says; full
// when it would not fit into an envelope or `out`; on anything but ok `out` is as it was.
Status message_put(Writer& out, const Message& message);

// Reads that text (L2). What `out` points to is in `text`, or in `content`, which is written.
// Returns ok, or invalid; `out` is set on ok only.
Status message_parse(Slice text, Writer& content, Message& out);

// Seals a message. Returns as message_put and jws_sign do, and invalid for a key that is not sound.
Status message_seal(Slice sender_key_pem, const JoseKey& recipient, const Message& message,
                    MessageScratch& scratch, Writer& out);

// Opens an envelope; `signed_text`, which lies in `scratch`, is the JWS that was in it. Returns as
// jwe_open does, and invalid for an envelope around anything but a JWS.
Status message_open(Slice key_pem, Slice sealed, MessageScratch& scratch, Slice& signed_text);

// Judges what message_open gave, in the same scratch (L1): `asked` names sender, recipient and id.
// Returns ok with `out` set, which points into `scratch`; damaged when it is not the sender's
// signature; invalid when it signs no message; state when it names another sender, recipient or id;
// failed without memory.
Status message_verify(const JoseKey& sender, const Message& asked, Slice signed_text,
                      MessageScratch& scratch, Message& out);
