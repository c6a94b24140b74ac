// certificate.h - makes the keys and certificates of a bank, and tells what a certificate says.
//
// Keys are ECDSA on P-256, signatures ECDSA with SHA-256. What each kind of certificate contains is
// one file in certs/ (ca.def, server.def, client.def). Texts are PEM; the caller owns all memory.
// Private keys are wiped wherever this file or the library held them; the caller wipes its own.
//
//   E1. Serial numbers are 128 bits with 126 random ones, positive (RFC 5280, section 4.1.2.2).
//   E2. A certificate is only written when its issuer's name in it is byte by byte the issuer's.
//   E3. Validity begins an hour ago, so that a slow clock next door still takes it.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t certificate_pem_size_max = 6144;      // bytes of one that is made here
inline constexpr uint32_t certificate_key_pem_size_max = 4096;  // bytes of a key that is read
inline constexpr uint32_t certificate_serial_size_max = 20;     // RFC 5280
inline constexpr uint32_t certificate_hosts_max = 16;
inline constexpr uint32_t certificate_host_size_max = 253;  // bytes; RFC 1035
inline constexpr uint32_t certificate_name_size_max = 64;   // bytes of a CN; RFC 5280

enum class CertificateKind : uint8_t { authority, server, client };

struct CertificateRequest {
    CertificateKind kind;
    Slice name;          // the CN; a name as in base/text.h for a client
    const Slice* hosts;  // DNS names and IP addresses as text; a server's only, and at least one
    uint32_t host_count;
    uint64_t wall_ms;    // now, ms since 1970 UTC
};

// Whose signature it carries. Both texts are empty for an authority, which signs itself.
struct CertificateIssuer {
    Slice certificate;
    Slice key;
};

struct CertificateFacts {
    char name[certificate_name_size_max + 1];  // the CN, NUL-terminated; empty where unfit
    uint8_t serial[certificate_serial_size_max];
    uint32_t serial_size;
    uint64_t not_before_ms;  // ms since 1970 UTC
    uint64_t not_after_ms;
    bool is_authority;
};

// Makes a private key. Returns ok; failed without randomness (P11); full without room.
Status certificate_make_key(Writer& key_pem);

// Makes a certificate for the key `key_pem`. Returns ok; invalid for a name, host or time out of
// bounds or texts that are not what they should be; failed without randomness or memory; full
// when `pem` has no room: certificate_pem_size_max is enough for hosts of common lengths.
Status certificate_make(const CertificateRequest& request, Slice key_pem,
                        const CertificateIssuer& issuer, Writer& pem);

// Reads the first certificate of a text. Returns invalid for anything else.
Status certificate_read(Slice pem, CertificateFacts& out);

// Tells whether a key and the first certificate of a text belong together. Returns ok, absent, or
// invalid for texts that are not what they should be.
Status certificate_match(Slice pem, Slice key_pem);

// True for a DNS name (RFC 1123) or an IPv4 or IPv6 address.
bool certificate_host_is_valid(Slice host);
