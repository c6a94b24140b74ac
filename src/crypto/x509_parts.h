// x509_parts.h - what all that reads or makes keys and certificates shares: PEM, times, an issuer's
// two texts.
//
// For crypto/ and channel/ only.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "crypto/request.h"

inline constexpr uint32_t key_id_size = 20;       // bytes
inline constexpr uint32_t key_id_size_max = 32;   // bytes of one that somebody else made
inline constexpr uint32_t civil_time_size = 14;   // "20260131235959"

struct KeyId {
    uint8_t bytes[key_id_size_max];
    uint32_t size;
};

// A certificate and the private key it belongs to, as the library holds them.
struct X509Signer {
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
};

// Puts `der` as PEM (RFC 7468). `der` may lie at the far end of the writer's free room when that is
// at least twice its size and 64 bytes more.
void put_pem(Writer& writer, const char* label, Slice der);

// Cuts the first block of that label off a text: where it stands, its two edges included. Returns
// absent when there is none that is whole.
Status pem_cut(Slice text, const char* label, Slice& out);

// Parse one text each; the library wants a NUL behind it, which slices lack. `out` must be
// initialised, and is freed by the caller whatever the answer. Return ok, invalid, or failed
// without memory.
Status parse_key(Slice pem, mbedtls_pk_context& out);
Status parse_certificate(Slice pem, mbedtls_x509_crt& out);

// Opens an issuer. Returns ok; invalid unless both texts are sound, belong together and are those
// of an authority. Nothing is held on anything but ok.
Status signer_open(const CertificateIssuer& issuer, X509Signer& out);
void signer_close(X509Signer& signer);

// The key's identifier: the first 160 bits of SHA-256 over the public key (RFC 7093, method 1).
Status key_id_of(const mbedtls_pk_context& key, KeyId& out);

// SHA-256 of the public key as SubjectPublicKeyInfo in DER, in the one form that the library
// writes.
Status key_hash_of(const mbedtls_pk_context& key, Hash& out);

// As request_read, and leaves the public key in `key`, which must be initialised, and is freed by
// the caller whatever the answer.
Status request_open(Slice pem, mbedtls_pk_context& key, RequestFacts& out, const char*& reason);

// The issuer's identifier as its own certificate has it, or computed where it has none.
Status key_id_of_signer(const X509Signer& signer, KeyId& out);

// "YYYYMMDDhhmmss" of a time. Returns invalid after the year 9999.
Status format_civil_time(uint64_t wall_ms, char out[civil_time_size + 1]);
uint64_t civil_time_ms(const mbedtls_x509_time& time);

// Translates what the library answered: ok, invalid for texts, failed for memory and randomness.
Status status_of_library(int answer);
