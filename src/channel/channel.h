// channel.h - what stands between the bytes of a socket and the bytes of a session.
//
// A channel type is one row of functions and properties; TLS is one, each laboratory channel is
// one. A channel owns no buffer that outlives a call except what its library keeps for a record in
// part; cipher bytes come from and go to buffers that the session lends.
//
//                    channel_advance              channel_read / channel_write
//     open ──► handshake ──────► established ─────────────────────────────► closed
//                  │ failed                        │ end / failed             ▲
//                  └───────────────────────────────┴────── channel_close ─────┘
//
//   C1. No function blocks, and none keeps a pointer into the lent buffers after it returns.
//   C2. channel_advance may run on a worker thread, and so may channel_read and channel_write of a
//       `slow` channel; nobody else touches the channel or the lent buffers meanwhile. All other
//       calls are the loop's.
//   C3. The alert that the peer is owed is in `cipher_out` before channel_advance or channel_write
//       returns failed. A failed channel_read has no room for it; channel_close puts it then.
//   C4. What was authenticated is in ChannelPeer before channel_advance first returns ok.
//   C5. A Channel is not moved between its open and channel_free; the library points into it.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"

inline constexpr uint32_t channel_state_size = 640;     // bytes; asserted by every type
inline constexpr uint32_t channel_cipher_size = 16645;  // bytes of the largest TLS record, all in

// What a list of revoked certificates knows one by. All zero for none.
struct CertificateId {
    uint8_t issuer_hash[32];  // SHA-256 of the issuer's DER name
    uint8_t serial[20];       // RFC 5280: at most 20 octets
    uint8_t serial_size;
};

// Whom the channel authenticated. Copied out of the certificates; nothing points back into them.
struct ChannelPeer {
    bool authenticated;
    bool is_expired;          // its own certificate is, and it is let in to renew that alone
    char name[64];            // the certificate's CN, NUL-terminated; only [a-z0-9._-] or empty
    CertificateId own;
    CertificateId via;        // of the authority between it and ours, where there is one
    uint8_t anchor_hash[32];  // SHA-256 of our authority's DER name and public key
    uint64_t not_after_ms;    // of the first of all these to end; ms since 1970 UTC
    char protocol[16];       // "TLSv1.3"
    char cipher[48];         // the suite's IANA name
};

struct Channel;

struct ChannelType {
    const char* name;
    bool lab;   // P9: carries only the rows marked lab, and never a person or a terminal
    bool slow;  // read and write take public-key steps: for workers, as advance is (C2)
    Status (*advance)(Channel& channel, Reader& cipher_in, Writer& cipher_out);
    Status (*read)(Channel& channel, Reader& cipher_in, Writer& plain_out);
    Status (*write)(Channel& channel, Reader& plain_in, Writer& cipher_out);
    void (*close)(Channel& channel, Writer& cipher_out);
    bool (*is_idle)(const Channel& channel);
    void (*free)(Channel& channel);
};

struct Channel {
    const ChannelType* type;
    const char* reason;  // a literal that says why advance or read failed; nullptr before
    ChannelPeer peer;
    alignas(16) uint8_t state[channel_state_size];
};

// Takes the handshake as far as the bytes allow. Returns ok when it is complete, more when bytes or
// room are wanting, failed (reason set) when it is over. When cipher_out came back full, drain it
// and call again without waiting for the peer. Bytes behind the handshake are left in `cipher_in`.
Status channel_advance(Channel& channel, Reader& cipher_in, Writer& cipher_out);

// Moves plain bytes to `plain_out` until its room or the cipher bytes are used up. Returns ok (all
// of cipher_in taken), full (plain_out has no room; call again), end (the peer closed in order, now
// or earlier; plain bytes may have come before it), failed.
Status channel_read(Channel& channel, Reader& cipher_in, Writer& plain_out);

// Moves plain bytes to `cipher_out` in as few records as fit. Returns ok (all taken), full (no room
// for another record), failed. A record is put whole or not at all.
Status channel_write(Channel& channel, Reader& plain_in, Writer& cipher_out);

// Puts the closing message, or the alert that a failed channel_read left behind, if one is owed and
// fits. After it nothing can be written; reading goes on until the peer closes too (half-close).
void channel_close(Channel& channel, Writer& cipher_out);

// True when the channel holds no byte of a record in part and no plain byte not yet read.
bool channel_is_idle(const Channel& channel);

// Gives back all that the channel's library holds. Safe on a zeroed Channel and when called twice.
void channel_free(Channel& channel);
