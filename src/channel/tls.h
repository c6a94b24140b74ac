// tls.h - mutual TLS 1.3 (RFC 8446) as a channel; the door to money.
//
// A TlsConfig holds one generation of certificate, key, CA, CRL and settings; every session of that
// generation uses it for each record, so it must outlive them, and it is not moved once loaded.
// Certificates are signed with SHA-256 or more; their keys are P-256, P-384, or RSA of 2048 bits or
// more. TLS 1.2 (ECDHE with AEAD only) is compiled in and off unless `version_min` says otherwise.
// No tickets, no early data, no renegotiation. Groups: X25519, P-256. A post-handshake KeyUpdate is
// not supported by the library and ends the session.
//
//   V1. A server session is established only with a client certificate that the CA signed, that is
//       inside its dates, meant for client authentication by name (extKeyUsage has clientAuth; none
//       at all, or anyExtendedKeyUsage, is not enough), not a CA's own, not on the CRL, and whose
//       one common name is a name as parse_name has it. A CRL that is out of date lets nobody in.
//       Between the CA and the certificate is at most one more authority, and neither of the two
//       has name constraints, by which nobody here could judge. Where there is a time of grace, a
//       certificate that has expired and is right in all else is let in for as long, and marked
//       (is_expired).
//   V2. A client session is established only with a server whose certificate names the host asked,
//       and serverAuth in the same way.
//   V3. Nothing but TLS records is ever put into cipher_out.
//   V4. Behind its handshake a session needs no key, CA or CRL of its generation. It can be judged
//       by another one and go over to it (tls_config_judge, tls_move), so that the old one can go.
//   V5. A session of `enrol` has no terminal: the peer is not authenticated and has no name. One of
//       `stranger` proves that the other end has the key of the certificate it shows, and no more;
//       tls_peer_certificate tells which ones those are.
//   V6. A client that is refused can read the alert: it is sealed with the keys that it has then.
#pragma once

#include "channel/channel.h"
#include "crypto/sign.h"

// `enrol` is a server that asks for no certificate, since its clients come to get one, and shows
// its CA behind its own chain; `stranger` is a client that knows no CA yet, and believes nothing.
enum class TlsEnd : uint8_t { server, client, enrol, stranger };
enum class TlsVersion : uint8_t { tls12, tls13 };

// Where each PEM text is; the bytes are the caller's and are not kept. `crl` may be empty, and on a
// client also `certificate` and `key`. One PEM block is at most 32 KiB long. Each list in `crl` is
// a CA's, or that of an authority whose certificate, signed by a CA, stands in `crl` too.
struct TlsFiles {
    Slice certificate;  // own certificate, then intermediates
    Slice key;
    Slice ca;
    Slice crl;
};

struct TlsConfig {
    bool loaded;
    alignas(16) uint8_t state[4096];
};

// Loads one generation. On anything but ok nothing is held and `reason` points to a literal that
// says which part is at fault. Returns invalid for texts that are not certificates, keys or CRLs,
// absent when key and certificate do not belong together, full without memory.
Status tls_config_load(TlsConfig& config, TlsEnd end, TlsVersion version_min, const TlsFiles& files,
                       const char*& reason);
void tls_config_free(TlsConfig& config);

// When the own certificate begins and ends to hold, ms since 1970 UTC; 0 when none is loaded.
uint64_t tls_config_not_before_ms(const TlsConfig& config);
uint64_t tls_config_not_after_ms(const TlsConfig& config);

// When the first of the CAs ends, and the first CRL is out of date; 0 where there is none.
uint64_t tls_config_ca_not_after_ms(const TlsConfig& config);
uint64_t tls_config_crl_not_after_ms(const TlsConfig& config);

// For how long after its end a client's certificate is let in to be renewed (V1); 0 at first.
void tls_config_set_grace(TlsConfig& config, uint64_t grace_ms);

// Says whether whoever another generation let in would be let in by this one's CAs and CRLs (V4).
// Returns ok, or failed with `reason`, a literal.
Status tls_config_judge(const TlsConfig& config, const ChannelPeer& peer, const char*& reason);

// What sign.h does, with the own key and certificate of a loaded configuration. Public-key steps
// take time: on a worker, beside handshakes if need be. Sign returns ok, failed or full, verify
// ok, damaged or failed.
Status tls_config_sign(TlsConfig& config, Slice text, Writer& signature);
Status tls_config_verify(TlsConfig& config, Slice text, Slice signature);
Hash tls_config_fingerprint(const TlsConfig& config);

// Puts the CA's certificate as PEM, and whether one of the CAs has a subject of this SHA-256.
void tls_config_put_ca(const TlsConfig& config, Writer& out);
bool tls_config_has_ca(const TlsConfig& config, const uint8_t subject_hash[hash_size]);

// Certificate `index` of the chain that an established channel's peer has shown, as DER, from its
// own on. Returns absent behind the last one.
Status tls_peer_certificate(const Channel& channel, uint32_t index, Slice& der);

// Opens a channel. `host` is the name or address that a client asks for (V2), also as a
// stranger; nullptr for a server.
// Returns full when the library's heap has no room, invalid for a `host` that cannot be one.
Status tls_open(Channel& channel, TlsConfig& config, const char* host);

// Whether a channel that was opened is of this type.
bool tls_is(const Channel& channel);

// Takes an established channel over to another generation, of the same end (V4).
void tls_move(Channel& channel, TlsConfig& config);
