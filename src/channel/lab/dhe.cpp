// dhe.cpp - a miniature TLS: nonces, certificates, signed Diffie-Hellman over ffdhe2048, finished
// messages over the transcript, AES-256-CBC records with a number and an HMAC.
//
//     at_hello ─► at_certificate ─► at_key_exchange ─► at_finished ─► established
//
// Both ends take the same messages in the same order. The server answers the hello with its own
// three, the client the key exchange; the client's finished comes first.

#include <string.h>

#include <mbedtls/bignum.h>
#include <mbedtls/dhm.h>
#include <mbedtls/hkdf.h>

#include "base/check.h"
#include "channel/lab/lab_parts.h"
#include "crypto/crypto.h"

namespace {

constexpr uint32_t nonce_size = 32;       // bytes
constexpr uint32_t session_id_size = 16;  // bytes
constexpr uint32_t number_size = 8;       // bytes, of a record
constexpr uint32_t key_size = 32;         // bytes: AES-256, and of each HMAC
constexpr uint32_t exponent_size = 32;    // bytes
constexpr uint32_t record_head_size = number_size + lab_cbc_block_size;
constexpr char info[] = "pennybank lab dhe";

constexpr uint8_t prime[] = MBEDTLS_DHM_RFC7919_FFDHE2048_P_BIN;  // RFC 7919, appendix A.1
constexpr uint32_t group_size = sizeof prime;                     // bytes
static_assert(group_size == 256);
static_assert(prime[group_size - 1] == 0xff, "p - 1 differs from p in its last byte only");
static_assert(record_head_size + lab_cbc_size_max + hash_size <= lab_body_size_max);

enum Step : uint8_t { at_hello, at_certificate, at_key_exchange, at_finished };

// What HKDF gives, in its order; of each pair the client's is first.
struct DheKeys {
    uint8_t seal[2][key_size];
    uint8_t record[2][key_size];
    uint8_t finished[2][key_size];
};
static_assert(sizeof(DheKeys) == 192);

struct DheSecret {
    uint8_t nonces[2 * nonce_size];   // the client's, the server's
    uint8_t exponent[exponent_size];  // x; wiped as soon as the keys are there
    LabPeerKey peer;                  // of the certificate that came
    DheKeys keys;
};
static_assert(sizeof(DheSecret) <= lab_secret_size_max);

DheSecret& secret_of(LabSession& session) {
    return *reinterpret_cast<DheSecret*>(session.secret);
}

bool is_client(const LabSession& session) { return session.keys->end == LabEnd::client; }

uint32_t own_index(const LabSession& session) { return is_client(session) ? 0 : 1; }
uint32_t peer_index(const LabSession& session) { return 1 - own_index(session); }

// --- Numbers of the group ---

// True for what is above 1 and below p - 1; the others would make a shared secret that anybody
// knows.
bool is_public_value(const uint8_t* value) {
    uint8_t last[group_size];  // p - 1
    memcpy(last, prime, group_size);
    last[group_size - 1] = 0xfe;
    if (memcmp(value, last, group_size) >= 0) return false;
    for (uint32_t i = 0; i < group_size - 1; i++) {
        if (value[i] != 0) return true;
    }
    return value[group_size - 1] > 1;
}

// Gives base^x mod p. Returns ok, or failed without memory.
Status power(Slice base, const uint8_t* exponent, uint8_t out[group_size]) {
    mbedtls_mpi p;
    mbedtls_mpi b;
    mbedtls_mpi x;
    mbedtls_mpi_init(&p);
    mbedtls_mpi_init(&b);
    mbedtls_mpi_init(&x);
    int answer = mbedtls_mpi_read_binary(&p, prime, group_size);
    if (answer == 0) answer = mbedtls_mpi_read_binary(&b, base.data, base.size);
    if (answer == 0) answer = mbedtls_mpi_read_binary(&x, exponent, exponent_size);
    if (answer == 0) answer = mbedtls_mpi_exp_mod(&b, &b, &x, &p, nullptr);
    if (answer == 0) answer = mbedtls_mpi_write_binary(&b, out, group_size);
    mbedtls_mpi_free(&p);
    mbedtls_mpi_free(&b);
    mbedtls_mpi_free(&x);
    return answer == 0 ? Status::ok : Status::failed;
}

// --- Messages of the handshake ---

void end_handshake_message(LabSession& session, Writer& out, uint32_t start) {
    lab_note(session, lab_message_end(session, out, start));
}

Status put_hello(LabSession& session, LabType type, Writer& out) {
    uint8_t* nonce = secret_of(session).nonces + own_index(session) * nonce_size;
    uint8_t session_id[session_id_size];
    if (crypto_random(nonce, nonce_size) != Status::ok ||
        crypto_random(session_id, session_id_size) != Status::ok) {
        return lab_fail(session, LabFailure::memory);
    }
    const uint32_t start = lab_message_begin(out, type);
    put_bytes(out, {nonce, nonce_size});
    put_bytes(out, {session_id, session_id_size});
    end_handshake_message(session, out, start);
    lab_tell_field(session, "nonce", {nonce, nonce_size},
                   "fresh, so that no earlier session fits this one");
    lab_tell_field(session, "session id", {session_id, session_id_size},
                   "a name for the logs, and nothing more");
    return Status::ok;
}

Status take_hello(LabSession& session, const LabMessage& message) {
    if (message.body.size != nonce_size + session_id_size) {
        return lab_fail(session, LabFailure::length);
    }
    uint8_t* nonce = secret_of(session).nonces + peer_index(session) * nonce_size;
    memcpy(nonce, message.body.data, nonce_size);
    lab_tell_field(session, "nonce", {nonce, nonce_size}, "fresh as well; both go into the keys");
    lab_tell_field(session, "session id", slice_part(message.body, nonce_size, session_id_size),
                   "a name for the logs, and nothing more");
    return Status::ok;
}

void put_certificate(LabSession& session, Writer& out) {
    const mbedtls_x509_buf& raw = session.keys->certificate.raw;
    const Slice der = {raw.p, static_cast<uint32_t>(raw.len)};
    const uint32_t start = lab_message_begin(out, LabType::certificate);
    put_bytes(out, der);
    end_handshake_message(session, out, start);
    lab_tell_field(session, "certificate", der, "our key, and who says whose it is");
}

Status take_certificate(LabSession& session, const LabMessage& message) {
    LabPeerKey& peer = secret_of(session).peer;
    const Status status = lab_certificate_parse(session, message.body, peer);
    if (status != Status::ok) return status;
    lab_tell_field(session, "certificate", message.body,
                   session.keys->has_ca ? "signed by our CA, and within its dates"
                                        : "there is no CA: it may be anybody's");
    lab_tell_field(session, "fingerprint", hash_slice(peer.fingerprint),
                   session.keys->has_pin && is_client(session)
                       ? "is the pinned one: this is the server"
                       : "SHA-256 of its key, by which it can be pinned");
    return Status::ok;
}

// What the signature of a key exchange is over.
Hash signed_hash(const LabSession& session, Slice value) {
    Hasher hasher;
    hasher_init(hasher);
    hasher_feed(hasher, hash_slice(lab_transcript(session)));
    hasher_feed(hasher, value);
    return hasher_finish(hasher);
}

Status put_key_exchange(LabSession& session, Writer& out) {
    constexpr uint8_t generator[] = {2};
    uint8_t* exponent = secret_of(session).exponent;
    uint8_t bytes[group_size];
    if (crypto_random(exponent, exponent_size) != Status::ok ||
        power({generator, sizeof generator}, exponent, bytes) != Status::ok) {
        return lab_fail(session, LabFailure::memory);
    }
    const Slice value = {bytes, group_size};
    const Hash hash = signed_hash(session, value);
    const uint32_t start = lab_message_begin(out, LabType::key_exchange);
    put_bytes(out, value);
    const Status status = lab_sign(session, hash, out);
    if (status != Status::ok) return status;
    end_handshake_message(session, out, start);
    lab_tell_field(session, "Y", value, "our half of Diffie-Hellman: g^x, and x is told to nobody");
    lab_tell_field(session, "signature", {out.data + out.size - lab_block_size, lab_block_size},
                   "the certificate's owner sent it, in just this handshake");
    return Status::ok;
}

Status take_key_exchange(LabSession& session, const LabMessage& message) {
    if (message.body.size != group_size + lab_block_size) {
        return lab_fail(session, LabFailure::length);
    }
    const Slice value = slice_part(message.body, 0, group_size);
    const Slice signature = slice_part(message.body, group_size, lab_block_size);
    if (!is_public_value(value.data)) return lab_fail(session, LabFailure::group);
    const Status status =
        lab_verify(session, secret_of(session).peer, signed_hash(session, value), signature);
    if (status != Status::ok) return status;
    lab_tell_field(session, "Y", value, "the other half; with our x it makes the shared secret");
    lab_tell_field(session, "signature", signature,
                   "fits: the certificate's owner sent it, in just this handshake");
    return Status::ok;
}

// Makes the keys of the session. x is of no more use then.
Status derive(LabSession& session, Slice peer_value) {
    DheSecret& secret = secret_of(session);
    uint8_t shared[group_size];
    Status status = power(peer_value, secret.exponent, shared);
    wipe(secret.exponent, sizeof secret.exponent);
    if (status == Status::ok) {
        const int answer = mbedtls_hkdf(
            mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), secret.nonces, sizeof secret.nonces,
            shared, sizeof shared, reinterpret_cast<const uint8_t*>(info), sizeof info - 1,
            secret.keys.seal[0], sizeof secret.keys);
        if (answer != 0) status = Status::failed;
    }
    wipe(shared, sizeof shared);
    if (status != Status::ok) return lab_fail(session, LabFailure::memory);
    lab_tell(session, "HKDF of shared secret and nonces: six keys, three for each direction");
    return Status::ok;
}

// The HMAC of the transcript up to now, under the key of one end.
Status finished_mac(LabSession& session, uint32_t index, Hash& out) {
    const Hash transcript = lab_transcript(session);
    const Slice key = {secret_of(session).keys.finished[index], key_size};
    if (lab_hmac(key, hash_slice(transcript), out) == Status::ok) return Status::ok;
    return lab_fail(session, LabFailure::memory);
}

Status put_finished(LabSession& session, Writer& out) {
    Hash mac = {};
    const Status status = finished_mac(session, own_index(session), mac);
    if (status != Status::ok) return status;
    const uint32_t start = lab_message_begin(out, LabType::finished);
    put_bytes(out, hash_slice(mac));
    end_handshake_message(session, out, start);
    lab_tell_field(session, "HMAC", hash_slice(mac),
                   "we have the keys, and saw every message as the other side did");
    return Status::ok;
}

Status take_finished(LabSession& session, const LabMessage& message) {
    if (message.body.size != hash_size) return lab_fail(session, LabFailure::length);
    Hash mac = {};
    const Status status = finished_mac(session, peer_index(session), mac);
    if (status != Status::ok) return status;
    if (!slice_equal_secret(message.body, hash_slice(mac))) {
        return lab_fail(session, LabFailure::finished);
    }
    lab_tell_field(session, "HMAC", message.body,
                   "fits: both sides saw the same handshake, and have the same keys");
    return Status::ok;
}

// --- The handshake ---

Status dhe_begin(LabSession& session, Writer& out) {
    return put_hello(session, LabType::client_hello, out);
}

Status answer_hello(LabSession& session, Writer& out) {
    const Status status = put_hello(session, LabType::server_hello, out);
    if (status != Status::ok) return status;
    put_certificate(session, out);
    return put_key_exchange(session, out);
}

// The server has put its own before, the client does now.
Status answer_key_exchange(LabSession& session, Slice peer_value, Writer& out) {
    if (!is_client(session)) return derive(session, peer_value);
    put_certificate(session, out);
    Status status = put_key_exchange(session, out);
    if (status == Status::ok) status = derive(session, peer_value);
    return status == Status::ok ? put_finished(session, out) : status;
}

LabType expected_type(const LabSession& session) {
    switch (static_cast<Step>(session.step)) {
        case at_hello: return is_client(session) ? LabType::server_hello : LabType::client_hello;
        case at_certificate: return LabType::certificate;
        case at_key_exchange: return LabType::key_exchange;
        case at_finished: return LabType::finished;
    }
    CHECK(false);
    return LabType::alert;
}

Status judge(LabSession& session, const LabMessage& message) {
    if (message.type != expected_type(session)) return lab_fail(session, LabFailure::order);
    switch (static_cast<Step>(session.step)) {
        case at_hello: return take_hello(session, message);
        case at_certificate: return take_certificate(session, message);
        case at_key_exchange: return take_key_exchange(session, message);
        case at_finished: return take_finished(session, message);
    }
    CHECK(false);
    return Status::failed;
}

Status dhe_take(LabSession& session, const LabMessage& message, Writer& out) {
    const uint8_t step = session.step;
    Status status = judge(session, message);
    if (status != Status::ok) return status;
    lab_note(session, message.whole);
    session.step++;
    if (step == at_hello && !is_client(session)) status = answer_hello(session, out);
    if (step == at_key_exchange) {
        status = answer_key_exchange(session, slice_part(message.body, 0, group_size), out);
    }
    if (step == at_finished) return is_client(session) ? Status::ok : put_finished(session, out);
    return status == Status::ok ? Status::more : status;
}

// --- Records ---

// The HMAC of a record's header and of what its body begins with.
Status record_mac(LabSession& session, uint32_t index, Slice vouched, Hash& out) {
    const Slice key = {secret_of(session).keys.record[index], key_size};
    if (lab_hmac(key, vouched, out) == Status::ok) return Status::ok;
    return lab_fail(session, LabFailure::memory);
}

Status dhe_seal(LabSession& session, LabType type, Slice plain, Writer& out) {
    const uint32_t start = lab_message_begin(out, type);
    const uint32_t body_size = record_head_size + lab_cbc_size(plain.size) + hash_size;
    uint8_t iv[lab_cbc_block_size];
    if (crypto_random(iv, sizeof iv) != Status::ok) return lab_fail(session, LabFailure::memory);
    lab_put_u64(out, session.seq_out);
    put_bytes(out, {iv, sizeof iv});
    const uint32_t index = own_index(session);
    lab_cbc_seal({secret_of(session).keys.seal[index], key_size}, iv, plain, out);
    CHECK(!out.overflow);
    uint8_t* header = out.data + start;
    header[1] = static_cast<uint8_t>(body_size >> 8);  // The HMAC vouches for it.
    header[2] = static_cast<uint8_t>(body_size);
    Hash mac = {};
    const Status status = record_mac(session, index, {header, out.size - start}, mac);
    if (status != Status::ok) return status;
    put_bytes(out, hash_slice(mac));
    session.seq_out++;
    const Slice body = slice_part(lab_message_end(session, out, start), lab_header_size, body_size);
    lab_tell_field(session, "number", slice_part(body, 0, number_size),
                   "so that a record cannot be repeated, lost or moved");
    lab_tell_field(session, "IV", {iv, sizeof iv}, "fresh, so that equal messages look different");
    lab_tell_field(session, "HMAC", hash_slice(mac), "vouches for header, number and message");
    return Status::ok;
}

Status dhe_open(LabSession& session, const LabMessage& message, Writer& plain) {
    const Slice body = message.body;
    constexpr uint32_t around = record_head_size + hash_size;
    if (body.size < around + lab_cbc_block_size) return lab_fail(session, LabFailure::length);
    const uint32_t size = body.size - around;
    if (size % lab_cbc_block_size != 0 || size > lab_cbc_size_max) {
        return lab_fail(session, LabFailure::length);
    }
    Reader reader = reader_of(body);
    const uint64_t number = lab_get_u64(reader);
    const Slice iv = get_bytes(reader, lab_cbc_block_size);
    const Slice sealed = get_bytes(reader, size);
    if (number != session.seq_in) return lab_fail(session, LabFailure::record);
    const uint32_t index = peer_index(session);
    Hash mac = {};
    const Slice vouched = slice_part(message.whole, 0, message.whole.size - hash_size);
    Status status = record_mac(session, index, vouched, mac);
    if (status != Status::ok) return status;
    if (!slice_equal_secret(hash_slice(mac), reader_rest(reader))) {
        return lab_fail(session, LabFailure::record);
    }
    Writer found = writer_of(plain.data + plain.size, lab_plain_size_max);
    CHECK(writer_room(plain) >= lab_plain_size_max);
    status = lab_cbc_open({secret_of(session).keys.seal[index], key_size}, iv.data, sealed, found);
    if (status == Status::full) return lab_fail(session, LabFailure::length);
    if (status != Status::ok) return lab_fail(session, LabFailure::record);
    plain.size += found.size;
    session.seq_in++;
    lab_tell_field(session, "number", slice_part(body, 0, number_size), "the one expected");
    lab_tell_field(session, "HMAC", hash_slice(mac),
                   "fits: nothing was altered, repeated, lost or moved");
    return Status::ok;
}

constexpr ChannelType dhe_type = lab_message_channel("dhe", false);

}  // namespace

constexpr LabOps lab_ops_dhe = {.property = lab_property_dhe,
                                .type = &dhe_type,
                                .needs_key = true,
                                .needs_certificate = true,
                                .needs_passphrase = false,
                                .begin = dhe_begin,
                                .take = dhe_take,
                                .seal = dhe_seal,
                                .open = dhe_open,
                                .seals_end = true};
