// jose_text.h - what the texts of JOSE say, before any cryptography: jose.h's other half.
//
// Every text here comes from a peer. Nothing is believed by being read: a key is just numbers, a
// kid a hint which key to try.
//
//   H5. A header names `alg` (and in an envelope `enc`) exactly as jose.h has them: no list, no
//       `none`, no algorithm of another kind of key. `crit` and `zip` are refused. Other members
//       are passed over, as RFC 7515 section 4 asks, unless they hold objects or lists.
//   H6. A public key has exactly 3072 bits and is odd; its exponent is odd, 65537 or more, and fits
//       into 32 bits. A text with a private part, or with a word about what the key is for, is
//       refused: ours signs and seals.
#pragma once

#include "base/base64.h"
#include "crypto/hash.h"

inline constexpr uint32_t jose_modulus_size = 384;  // bytes of RSA-3072
inline constexpr uint32_t jose_exponent_min = 65537;
inline constexpr uint32_t jose_kid_size = base64url_size(hash_size);
inline constexpr uint32_t jose_content_key_size = 32;  // bytes: A256GCM
inline constexpr uint32_t jose_iv_size = 12;           // bytes; RFC 7518, section 5.3
inline constexpr uint32_t jose_tag_size = 16;          // bytes
inline constexpr uint32_t jose_header_size_max = 512;  // bytes of a header that is read
inline constexpr uint32_t jwk_size_max = 1024;         // bytes of a key that is read
static_assert(jose_kid_size == 43);

// The public part of a key.
struct JoseKey {
    uint8_t modulus[jose_modulus_size];  // high byte first
    uint32_t exponent;
};

struct JoseKid {
    uint8_t text[jose_kid_size];
};

struct JoseHeader {
    bool has_kid;    // it names a fingerprint; other words that people use for keys are no hint
    bool is_nested;  // an envelope with `cty` "JWT": a JWS is inside (RFC 7519, section 5.2)
    JoseKid kid;
};

struct Jws {
    JoseHeader header;
    Slice signed_text;  // header.payload, which the signature is over
    Slice payload;      // base64url
    uint8_t signature[jose_modulus_size];
};

struct Jwe {
    JoseHeader header;
    Slice header_text;  // base64url, which the tag vouches for too
    Slice content;      // base64url
    uint8_t key[jose_modulus_size];
    uint8_t iv[jose_iv_size];
    uint8_t tag[jose_tag_size];
};

// --- Keys ---

// True when the numbers are those of a key that is taken (H6).
bool jose_key_is_sound(const JoseKey& key);

bool jose_key_equal(const JoseKey& a, const JoseKey& b);

// Puts a key as RFC 7638 has it: its required members only, in order, without blanks (B2).
void put_jwk(Writer& writer, const JoseKey& key);

// Reads a key. Returns ok, or invalid with a sentence in `reason`.
Status jwk_parse(Slice text, JoseKey& out, const char*& reason);

// The fingerprint of any RSA key, as numbers without zeros in front, and as a kid.
Hash jwk_thumbprint(Slice modulus, Slice exponent);
JoseKid jose_kid_of(const JoseKey& key);
Slice jose_kid_slice(const JoseKid& kid);

// Takes 43 digits of base64url. Returns invalid for anything else.
Status jose_kid_parse(Slice text, JoseKid& out);

// --- Signatures and envelopes ---

// Bytes that texts of this many bytes become.
uint32_t jws_size(uint32_t payload_size);
uint32_t jwe_size(uint32_t plain_size);

// Take a text apart. Return ok; invalid where H4 or H5 does not hold, and then `out` may be
// half-way filled in. What `out` points to is in `text`.
Status jws_split(Slice text, Jws& out);
Status jwe_split(Slice text, Jwe& out);

// Put the first part of a text, its header, as base64url (B2).
void put_jws_header(Writer& writer, const JoseKey& signer);
void put_jwe_header(Writer& writer, const JoseKey& recipient);
