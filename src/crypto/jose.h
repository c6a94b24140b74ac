// jose.h - keys, signatures and envelopes that any JOSE library opens.
//
//     JWK  RFC 7517  {"e":"AQAB","kty":"RSA","n":"..."}       the public part of an RSA-3072 key
//     kid  RFC 7638  43 digits: base64url of the SHA-256 of just that text, the key's fingerprint
//     JWS  RFC 7515  header.payload.signature                 PS256, RFC 7518 section 3.5
//     JWE  RFC 7516  header.key.iv.content.tag                RSA-OAEP-256, section 4.3, around a
//                                                             fresh key of A256GCM, section 5.3
//
// One form of each, the compact one, and one algorithm: what an envelope says about algorithms is
// compared and never obeyed. It never takes a key, a certificate or an address from an envelope,
// never unpacks (`zip`), and never writes a private key anywhere but into the caller's memory.
// Private keys are PKCS#8 PEM, read for one call; copies made here and by the library are wiped,
// the caller wipes its own. Nothing here keeps memory: all texts are the caller's.
//
// jose_text.h has the half without cryptography, which judges what the texts say.
//
//   H1. Public-key steps take milliseconds, and making a key seconds: for workers and tools, never
//       for the loop.
//   H2. Without randomness no key, signature or envelope is made (P11), and none is opened: it also
//       blinds the calculation.
//   H3. Whether an envelope's key or its content does not fit is not told apart, neither by the
//       answer nor by which steps are taken (RFC 7516, section 11.5).
//   H4. A text has one spelling: base64url is bare and without left-over bits, numbers are without
//       zeros in front, members of an object are there once.
#pragma once

#include "crypto/jose_text.h"

inline constexpr uint32_t jose_key_pem_size_max = 4096;  // bytes; of a fresh one about 2,500

// Makes a private key. Returns ok; failed without randomness or memory; full without room.
Status jose_key_make(Writer& pem);

// Gives the public part of a private key. Returns ok; invalid for a text that is no private key of
// RSA with 3072 bits and a sound exponent; failed without memory.
Status jose_key_read(Slice key_pem, JoseKey& out);

// Puts `payload` signed. Returns ok; invalid as above; failed without randomness or memory; full
// when `out` has less room than jws_size needs; on anything but ok `out` is as it was.
Status jws_sign(Slice key_pem, Slice payload, Writer& out);

// Puts the payload of a JWS. Returns ok; invalid for a text that is none; damaged when it is not
// what the owner of `key` signed; failed without memory; full when `payload` has no room; on
// anything but ok `payload` is as it was.
Status jws_verify(const JoseKey& key, Slice text, Writer& payload);

// Puts `plain`, which is a JWS, sealed to the owner of `key`. Returns ok; invalid for a key that
// jwk_parse would not take; failed without randomness or memory; full when `out` has less room than
// jwe_size needs; on anything but ok `out` is as it was.
Status jwe_seal(const JoseKey& key, Slice plain, Writer& out);

// Puts what is in an envelope. Returns ok; invalid for a text that is none, or for no private key;
// damaged when it was not sealed to this key or was changed (H3); failed without randomness or
// memory; full when `plain` has no room; on anything but ok `plain` is as it was.
Status jwe_open(Slice key_pem, Slice text, Writer& plain);
