// certificate.h - makes the keys and certificates of a bank, and tells what a certificate says.
//
// Keys are ECDSA on P-256, signatures ECDSA with SHA-256. What each kind of certificate contains is
// one file in certs/ (ca.def, issuing.def, server.def, client.def). Texts are PEM; the caller owns
// all memory. Private keys are wiped wherever this file or the library held them; the caller wipes
// its own.
//
//   E1. Serial numbers are 128 bits with 126 random ones, positive (RFC 5280, section 4.1.2.2).
//   E2. A certificate is only written when its issuer's name in it is byte by byte the issuer's.
//   E3. Validity begins an hour ago, so that a slow clock next door still takes it. It ends with
//       the signer's at the latest, and nothing is made by a signer that has ended.
//   E4. Of a certificate request nothing but the public key gets into a certificate.
//   E5. An authority signs no other authority unless its own certificate allows for one below it.
#pragma once

#include "crypto/hash.h"

inline constexpr uint32_t certificate_pem_size_max = 6144;      // bytes of one that is made here
inline constexpr uint32_t certificate_key_pem_size_max = 4096;  // bytes of a key that is read
inline constexpr uint32_t certificate_serial_size_max = 20;     // RFC 5280
inline constexpr uint32_t certificate_hosts_max = 16;
inline constexpr uint32_t certificate_host_size_max = 253;  // bytes; RFC 1035
inline constexpr uint32_t certificate_name_size_max = 64;   // bytes of a CN; RFC 5280

enum class CertificateKind : uint8_t { authority, issuing, server, client };
inline constexpr uint32_t certificate_kind_count = 4;

struct CertificateRequest {
    CertificateKind kind;
    Slice name;          // the CN; a name as in base/text.h for a client
    const Slice* hosts;  // DNS names and IP addresses as text; a server's only, and at least one
    uint32_t host_count;
    uint64_t wall_ms;    // now, ms since 1970 UTC
    uint32_t days;       // of validity from now on; 0 for what its kind has
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
    bool is_client;          // extKeyUsage names clientAuth
    bool is_server;          // extKeyUsage names serverAuth
    uint32_t authorities_below;  // that an authority allows for; UINT32_MAX where it sets no bound
    uint8_t key_hash[hash_size];      // SHA-256 of the public key (SubjectPublicKeyInfo in DER)
    uint8_t subject_hash[hash_size];  // SHA-256 of the subject's name in DER
    uint8_t issuer_hash[hash_size];   // and of the issuer's: equal to subject_hash of who signed it
};

// The names that a server's certificate is for, as text.
struct CertificateHosts {
    Slice rows[certificate_hosts_max];
    uint32_t count;
    uint8_t text[certificate_hosts_max * certificate_host_size_max];
};

// Makes a private key. Returns ok; failed without randomness (P11); full without room.
Status certificate_make_key(Writer& key_pem);

// Makes a certificate for the key `key_pem`. Returns ok; invalid for a name, host or time out of
// bounds or texts that are not what they should be, and by E3 and E5; failed without randomness or
// memory; full when `pem` has no room: certificate_pem_size_max is enough for hosts of common
// lengths.
Status certificate_make(const CertificateRequest& request, Slice key_pem,
                        const CertificateIssuer& issuer, Writer& pem);

// Makes a certificate for the public key of the request `csr_pem` (request.h). Returns as above,
// and invalid for a request that request_read refuses; on anything but ok `reason` is a literal.
Status certificate_sign(const CertificateRequest& request, Slice csr_pem,
                        const CertificateIssuer& issuer, Writer& pem, const char*& reason);

// Puts a certificate that came as DER. Returns ok; full without room.
Status certificate_put_pem(Slice der, Writer& pem);

// Makes a certificate for the public key of another one, the first of `old_pem`. Returns as
// certificate_make does.
Status certificate_renew(const CertificateRequest& request, Slice old_pem,
                         const CertificateIssuer& issuer, Writer& pem);

// Reads the first certificate of a text. Returns invalid for anything else.
Status certificate_read(Slice pem, CertificateFacts& out);

// Tells whether a key and the first certificate of a text belong together. Returns ok, absent, or
// invalid for texts that are not what they should be.
Status certificate_match(Slice pem, Slice key_pem);

// The DNS names and IP addresses that the first certificate of a text is for; `out.rows` point into
// `out`. Returns ok, also for none; invalid for what is no certificate; full for more than there is
// room for.
Status certificate_hosts(Slice pem, CertificateHosts& out);

// The first certificate of a text as text of its own: where it stands in `pem`. Returns absent when
// there is none.
Status certificate_first(Slice pem, Slice& out);

// "authority", "issuing", "server", "client".
const char* certificate_kind_name(CertificateKind kind);

// How long a certificate of this kind is valid where nobody asks for less or more.
uint32_t certificate_days(CertificateKind kind);

// True for a text that is a private key, of whatever kind.
bool certificate_key_is_readable(Slice key_pem);

// True for a DNS name (RFC 1123) or an IPv4 or IPv6 address.
bool certificate_host_is_valid(Slice host);
