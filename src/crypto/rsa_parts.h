// rsa_parts.h - RSA as jose.cpp and the laboratory both use it: OAEP and PSS, both with SHA-256.
//
// For crypto/ and channel/ only. Numbers are big-endian and as long as the modulus; what the caller
// initialised he frees, whatever the answer. The `int`s are the library's codes.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include "base/bytes.h"

inline constexpr uint32_t rsa_exponent_size = 4;        // bytes, with zeros in front
inline constexpr uint32_t rsa_exponent_usual = 65537;   // of every key that is made here
inline constexpr uint32_t rsa_hash_size = 32;           // bytes; of the salt of PSS as well

// Makes a private key, PKCS#8 PEM. Returns ok; failed without randomness or memory; full without
// room, and then `pem` is as it was.
Status rsa_make_key(uint32_t bits, Writer& pem);

// Opens a private key of just so many bits, ready to sign and to open. Returns ok, invalid, or
// failed without memory.
Status rsa_open_private(Slice pem, uint32_t bits, mbedtls_pk_context& out);

// The numbers of a key. Returns ok; invalid when the modulus has not just `modulus_size` bytes or
// the exponent needs more than rsa_exponent_size.
Status rsa_public_numbers(const mbedtls_rsa_context& rsa, uint8_t* modulus, uint32_t modulus_size,
                          uint8_t exponent[rsa_exponent_size]);

// Makes the library's form of a public key, ready to judge and to seal.
Status rsa_open_public(Slice modulus, const uint8_t exponent[rsa_exponent_size],
                       mbedtls_rsa_context& out);

// RSASSA-PSS (RFC 8017, section 8.1) of the message with that hash; a signature is as long as the
// modulus.
int rsa_sign(mbedtls_rsa_context& rsa, const uint8_t hash[rsa_hash_size], uint8_t* signature);
int rsa_verify(mbedtls_rsa_context& rsa, const uint8_t hash[rsa_hash_size],
               const uint8_t* signature);

// RSAES-OAEP (section 7.1) with an empty label. A block is as long as the modulus, and `plain` of
// rsa_unseal_block has room for `capacity` bytes.
int rsa_seal_block(mbedtls_rsa_context& rsa, Slice plain, uint8_t* block);
int rsa_unseal_block(mbedtls_rsa_context& rsa, const uint8_t* block, uint8_t* plain,
                     uint32_t capacity, uint32_t& size);
