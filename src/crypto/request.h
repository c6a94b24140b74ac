// request.h - certificate requests (PKCS #10, RFC 2986): made for a key, and judged.
//
// A request proves that whoever made it has the private key, and says a name. It asks for nothing
// here: what else it says (extensions, other parts of its subject) is passed over, and
// certificate_sign takes its public key alone. Texts are PEM; the caller owns all memory. Every
// byte of a request is untrusted. Public-key steps take milliseconds: for workers and tools.
//
//   R1. What request_read accepts is signed by its own key, with SHA-256 or more, and that key is
//       on P-256 or P-384, or RSA with 2048 to 4096 bits.
#pragma once

#include "crypto/certificate.h"

inline constexpr uint32_t request_pem_size_max = 4096;  // bytes

struct RequestFacts {
    char name[certificate_name_size_max + 1];  // the CN, NUL-terminated; empty where there is none
    uint8_t key_hash[hash_size];  // SHA-256 of the public key (SubjectPublicKeyInfo in DER)
};

// Makes a request for the key `key_pem`. Its subject is the CN `name`, a name as in base/text.h, or
// nothing when that is empty. Returns ok; invalid for a name or a key that is none; failed without
// randomness or memory; full without room, and then `pem` is as it was.
Status request_make(Slice key_pem, Slice name, Writer& pem);

// Judges the first request of a text. Returns ok; invalid when it is refused, with `reason` a part
// of a sentence ("its key is too weak"); failed without memory, with a `reason` too. On anything
// but ok `out` is as it was.
Status request_read(Slice pem, RequestFacts& out, const char*& reason);
