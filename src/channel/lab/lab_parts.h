// lab_parts.h - what the files of the laboratory share. Private to src/channel/lab/.
//
//     lab.cpp      sessions: messages cut from bytes and put into them, alerts, the end
//     explain.cpp  the lines of --explain
//     keys.cpp     LabConfig; RSA: OAEP, PSS and public keys as SubjectPublicKeyInfo
//     hello.cpp    the handshake that rsa and hybrid have in common
//     cbc.cpp      AES-CBC and HMAC, for fernet.cpp and dhe
//     fernet.cpp   the tokens of hybrid
//     xor.cpp rsa.cpp hybrid.cpp dhe.cpp psk.cpp   one channel each
//
// All but xor send messages with the same header (README.md, "Messages"), and have a LabOps of
// functions that lab.cpp calls; xor has no messages and is a ChannelType by itself.
//
//                 begin (client)          take … take ok             open, seal
//      opened ──────────────────► shaking ──────────────► established ─────────► ended, failed
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "channel/lab/lab.h"

enum class LabFailure : uint8_t {
    none,
#define LAB_FAILURE(symbol, number, meaning) symbol = number,
#include "channel/lab/failures.def"
#undef LAB_FAILURE
};

// Why, as this side says it, and as it says what the other side found; literals.
const char* lab_failure_text(LabFailure failure);
const char* lab_failure_told_text(LabFailure failure);

// The types of messages. A channel uses some of them.
enum class LabType : uint8_t {
    client_hello = 1,
    server_hello = 2,
    certificate = 11,
    key_exchange = 12,
    data = 16,
    end = 17,
    finished = 20,
    alert = 21,
};

struct LabMessage {
    LabType type;
    Slice body;    // at most lab_body_size_max bytes
    Slice whole;   // header and body
};

inline constexpr uint32_t lab_spki_size_max = 320;  // bytes; of a key with exponent 65537: 294

// What one end has, in LabConfig::state.
struct LabKeys {
    const LabOps* ops;
    LabEnd end;
    bool has_key;
    bool has_ca;
    bool has_pin;
    mbedtls_pk_context key;          // RSA; OAEP and PSS with SHA-256
    mbedtls_x509_crt certificate;    // dhe only
    mbedtls_x509_crt ca;             // dhe only
    Hash fingerprint;                // of the own key
    Hash pin;
    uint8_t passphrase[lab_passphrase_size];
    uint32_t spki_size;
    uint8_t spki[lab_spki_size_max];  // the own public key, DER
};
static_assert(sizeof(LabKeys) <= sizeof(LabConfig::state), "keys fit their place");

// The other side's public RSA key. Its exponent is odd, and below 2^32.
struct LabPeerKey {
    uint8_t modulus[lab_key_bits / 8];  // high byte first
    uint8_t exponent[4];
    Hash fingerprint;
};

inline constexpr uint32_t lab_secret_size_max = 1024;  // bytes

// One session, in LabMemory::state.
struct LabSession {
    const LabOps* ops;
    LabKeys* keys;
    LabExplain explain;
    uint8_t step;          // how far the handshake is, as the channel counts
    bool begun;            // the client's first message is on its way
    bool established;
    bool closed;           // our end, or alert, has left
    bool ended;            // theirs has come
    LabFailure failure;
    bool alert_owed;
    uint64_t seq_in;       // of the next record
    uint64_t seq_out;
    Hasher transcript;     // every message of the handshake, headers included
    uint32_t in_size;
    uint8_t in[lab_header_size + lab_body_size_max];  // of a message that is not whole yet
    // The channel's own: keys, nonces, the other side's key. Wiped with the session.
    alignas(16) uint8_t secret[lab_secret_size_max];
};
static_assert(sizeof(LabSession) <= sizeof(LabMemory::state), "a session fits its place");

// What a channel does. Functions return failed after lab_fail, and then what they put into `out`
// is not sent.
struct LabOps {
    uint32_t property;     // its row of lab.def
    const ChannelType* type;
    bool needs_key;        // and which parts of LabFiles it looks at
    bool needs_certificate;
    bool needs_passphrase;

    // Puts the client's first message. Returns ok or failed.
    Status (*begin)(LabSession& session, Writer& out);

    // Takes a message of the handshake, and puts what answers it. Returns more, ok when the channel
    // is established, failed. `out` has room for a flight: lab_flight_size_max.
    Status (*take)(LabSession& session, const LabMessage& message, Writer& out);

    // Puts `plain`, at most lab_plain_size_max bytes and for an `end` none, as one message of the
    // type. Returns ok or failed. `out` has room for the largest message, or the largest `end`.
    Status (*seal)(LabSession& session, LabType type, Slice plain, Writer& out);

    // Opens a message of type data or end into `plain`, which has room. Returns ok or failed.
    Status (*open)(LabSession& session, const LabMessage& message, Writer& plain);

    bool seals_end;        // an `end` is sealed like data; otherwise only the socket tells
};

inline constexpr uint32_t lab_flight_size_max = 3 * (lab_header_size + lab_body_size_max);
inline constexpr uint32_t lab_message_size_max = lab_header_size + lab_body_size_max;

// Bytes of an `end`. Where there was room for a message of data, an `end` fits behind it, since
// such a message is smaller than the largest by more than this.
inline constexpr uint32_t lab_end_size_max = 128;

// The rows of lab.def, counted.
enum LabProperty : uint32_t {
#define LAB(symbol, ...) lab_property_##symbol,
#include "channel/lab/lab.def"
#undef LAB
};

// Each channel's, defined in its own file.
#define LAB(symbol, ...) extern const LabOps lab_ops_##symbol;
#include "channel/lab/lab.def"
#undef LAB

inline LabKeys& lab_keys(LabConfig& config) { return *reinterpret_cast<LabKeys*>(config.state); }
inline const LabKeys& lab_keys(const LabConfig& config) {
    return *reinterpret_cast<const LabKeys*>(config.state);
}
LabSession& lab_session(Channel& channel);
const LabSession& lab_session(const Channel& channel);

// The functions of a ChannelType for channels with messages.
Status lab_advance(Channel& channel, Reader& cipher_in, Writer& cipher_out);
Status lab_read(Channel& channel, Reader& cipher_in, Writer& plain_out);
Status lab_write(Channel& channel, Reader& plain_in, Writer& cipher_out);
void lab_close(Channel& channel, Writer& cipher_out);
bool lab_is_idle(const Channel& channel);
void lab_free(Channel& channel);

// The ChannelType of a channel with messages.
constexpr ChannelType lab_message_channel(const char* name, bool slow) {
    return {.name = name,
            .lab = true,
            .slow = slow,
            .advance = lab_advance,
            .read = lab_read,
            .write = lab_write,
            .close = lab_close,
            .is_idle = lab_is_idle,
            .free = lab_free};
}

// Notes why the session fails, and returns failed.
Status lab_fail(LabSession& session, LabFailure failure);

// Begins a message and ends it, with its size put in; the end tells of it, so its fields are told
// behind that. What was put between is its body; the whole message is returned.
uint32_t lab_message_begin(Writer& out, LabType type);
Slice lab_message_end(const LabSession& session, Writer& out, uint32_t start);

// Adds a message to the transcript, and gives the hash of all up to now.
void lab_note(LabSession& session, Slice whole);
Hash lab_transcript(const LabSession& session);

// Big-endian numbers, as on the wire.
void lab_put_u16(Writer& out, uint16_t value);
void lab_put_u64(Writer& out, uint64_t value);
uint16_t lab_get_u16(Reader& in);
uint64_t lab_get_u64(Reader& in);

// --- explain.cpp ---

enum class LabWay : uint8_t { sent, received };

// "--> client hello, 51 bytes". Nothing is done where nobody listens.
void lab_tell_message(const LabSession& session, LabWay way, const char* name, uint32_t size);

// "    signature 9f31... (256 bytes): ...", or all bytes where there are at most 32.
void lab_tell_field(const LabSession& session, const char* name, Slice bytes, const char* proves);

// One sentence.
void lab_tell(const LabSession& session, const char* sentence);

// --- keys.cpp ---

// Reads a SubjectPublicKeyInfo of RSA with lab_key_bits. Returns ok, or failed after lab_fail(key),
// or lab_fail(pin) on a client that has another pin.
Status lab_peer_key_parse(LabSession& session, Slice spki, LabPeerKey& out);

// Reads a certificate and the key in it, which lab_peer_key_parse judges. Where there is a CA, it
// must have signed the certificate, within its dates by the library's clock. Returns ok, or failed
// after lab_fail.
Status lab_certificate_parse(LabSession& session, Slice der, LabPeerKey& out);

// RSASSA-PSS with SHA-256, salt of 32 bytes (RFC 8017, section 8.1) over `hash`: the own key signs
// lab_key_bits / 8 bytes, the peer's judges them. Return ok, or failed after lab_fail.
Status lab_sign(LabSession& session, const Hash& hash, Writer& out);
Status lab_verify(LabSession& session, const LabPeerKey& key, const Hash& hash, Slice signature);

// RSAES-OAEP with SHA-256 (RFC 8017, section 7.1), one block. `plain` has at most
// lab_oaep_size_max bytes; what was opened and finds no room sets its overflow (B2). Return ok, or
// failed after lab_fail.
inline constexpr uint32_t lab_oaep_size_max = lab_key_bits / 8 - 2 * 32 - 2;
inline constexpr uint32_t lab_block_size = lab_key_bits / 8;  // bytes of a block or signature
Status lab_oaep_seal(LabSession& session, const LabPeerKey& key, Slice plain, Writer& out);
Status lab_oaep_open(LabSession& session, Slice block, Writer& plain);

// --- hello.cpp ---

// LabOps::begin and take of a handshake that is one public key from each side.
Status lab_hello_begin(LabSession& session, Writer& out);
Status lab_hello_take(LabSession& session, const LabMessage& message, Writer& out);

// The key that came. It is all that is in LabSession::secret.
const LabPeerKey& lab_hello_peer(const LabSession& session);

// --- cbc.cpp ---

inline constexpr uint32_t lab_cbc_block_size = 16;  // bytes, and of an IV
inline constexpr uint32_t lab_cbc_size(uint32_t plain_size) {
    return (plain_size / lab_cbc_block_size + 1) * lab_cbc_block_size;
}
inline constexpr uint32_t lab_cbc_size_max = lab_cbc_size(lab_plain_size_max);

// AES-CBC with PKCS #7, with a key of 16 or 32 bytes. `out` has room for lab_cbc_size. What is
// opened has been vouched for before. Returns ok; invalid for a size or a padding that is none;
// full when `plain` has no room, and on anything but ok it is as it was.
void lab_cbc_seal(Slice key, const uint8_t iv[lab_cbc_block_size], Slice plain, Writer& out);
Status lab_cbc_open(Slice key, const uint8_t iv[lab_cbc_block_size], Slice sealed, Writer& plain);

// HMAC with SHA-256. Returns ok, or failed without memory.
Status lab_hmac(Slice key, Slice bytes, Hash& out);

// --- fernet.cpp ---

inline constexpr uint32_t lab_fernet_key_size = 32;       // bytes
inline constexpr uint32_t lab_fernet_key_text_size = 44;  // its characters
inline constexpr uint32_t lab_fernet_head_size = 25;      // bytes: version, time, IV
inline constexpr uint32_t lab_fernet_raw_size_max = lab_fernet_head_size + lab_cbc_size_max +
                                                    hash_size;
inline constexpr uint32_t lab_fernet_text_size_max = (lab_fernet_raw_size_max + 2) / 3 * 4;

// Puts a token of at most lab_plain_size_max bytes. Returns ok, failed without memory, full.
Status lab_fernet_seal(const uint8_t key[lab_fernet_key_size], uint64_t time_s,
                       const uint8_t iv[lab_cbc_block_size], Slice plain, Writer& token);

// Puts what is in a token. Returns ok; invalid for a text that is none; damaged when its HMAC does
// not fit; failed without memory; full; on anything but ok `plain` is as it was.
Status lab_fernet_open(const uint8_t key[lab_fernet_key_size], Slice token, uint64_t& time_s,
                       Writer& plain);

// A key as text, and back. The parser returns invalid for what is no key.
void lab_fernet_put_key(const uint8_t key[lab_fernet_key_size], Writer& text);
Status lab_fernet_parse_key(Slice text, uint8_t key[lab_fernet_key_size]);
