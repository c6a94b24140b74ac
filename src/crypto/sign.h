// sign.h - signs a text with a private key, and tells whether a certificate's owner signed it.
//
// The signature is over the SHA-256 of the text: ECDSA (its two numbers in DER, RFC 3279) where the
// key is on a curve, RSASSA-PSS (MGF1 with SHA-256, a salt of 32 bytes, RFC 8017) where it is RSA.
// Keys and certificates are PEM here, read for one call; whoever holds them open uses sign_key.h.
// What is signed must begin with words that no other use of the same key signs: the caller's duty.
//
//   G1. Public-key steps take milliseconds, so these are for workers and tools, never for the loop.
//   G2. Without randomness nothing is signed (P11), although ECDSA's nonce follows from key and
//       text: it also blinds the calculation.
#pragma once

#include "crypto/hash.h"

inline constexpr uint32_t signature_size_max = 512;  // bytes; of RSA-4096, the longest that is read

// Puts a signature. Returns ok; invalid for a text that is no private key; failed without
// randomness or memory; full when `signature` has less room than this key needs.
Status sign_text(Slice key_pem, Slice text, Writer& signature);

// Judges a signature by the first certificate of a text, whatever its dates and issuer are. Returns
// ok; damaged when it is not the signature of this text by this key; invalid for a text that is no
// certificate; failed without memory.
Status sign_verify(Slice certificate_pem, Slice text, Slice signature);

// The SHA-256 of the first certificate's DER form, as other programs name it. Returns as above.
Status sign_fingerprint(Slice certificate_pem, Hash& out);
