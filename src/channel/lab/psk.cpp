// psk.cpp - a passphrase on both sides, nonces, HKDF to two keys, AES-128-GCM records.

#include <string.h>

#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>

#include "base/check.h"
#include "channel/lab/lab_parts.h"
#include "crypto/crypto.h"

namespace {

constexpr uint32_t nonce_size = 32;     // bytes
constexpr uint32_t key_size = 16;       // bytes: AES-128
constexpr uint32_t gcm_nonce_size = 12;  // bytes
constexpr uint32_t tag_size = 16;       // bytes
constexpr char info[] = "pennybank lab psk";

enum Step : uint8_t { at_hello, at_finished };

struct PskSecret {
    uint8_t nonces[2 * nonce_size];   // the client's, the server's
    uint8_t keys[2][key_size];        // the client's, the server's
};
static_assert(sizeof(PskSecret) <= lab_secret_size_max);

PskSecret& secret_of(LabSession& session) {
    return *reinterpret_cast<PskSecret*>(session.secret);
}

uint32_t index_of(LabEnd end) { return end == LabEnd::client ? 0 : 1; }
LabEnd other(LabEnd end) { return end == LabEnd::client ? LabEnd::server : LabEnd::client; }

Status put_hello(LabSession& session, LabType type, Writer& out) {
    uint8_t* nonce = secret_of(session).nonces + index_of(session.keys->end) * nonce_size;
    if (crypto_random(nonce, nonce_size) != Status::ok) {
        return lab_fail(session, LabFailure::memory);
    }
    const uint32_t start = lab_message_begin(out, type);
    put_bytes(out, {nonce, nonce_size});
    lab_message_end(session, out, start);
    lab_tell_field(session, "nonce", {nonce, nonce_size},
                   "fresh, so that no earlier session fits this one");
    return Status::ok;
}

Status take_hello(LabSession& session, const LabMessage& message) {
    if (message.body.size != nonce_size) return lab_fail(session, LabFailure::length);
    uint8_t* nonce = secret_of(session).nonces + index_of(other(session.keys->end)) * nonce_size;
    memcpy(nonce, message.body.data, nonce_size);
    lab_tell_field(session, "nonce", message.body, "fresh as well; both go into the keys");
    return Status::ok;
}

Status derive(LabSession& session) {
    PskSecret& secret = secret_of(session);
    const int answer = mbedtls_hkdf(
        mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), secret.nonces, sizeof secret.nonces,
        session.keys->passphrase, lab_passphrase_size, reinterpret_cast<const uint8_t*>(info),
        sizeof info - 1, secret.keys[0], sizeof secret.keys);
    if (answer != 0) return lab_fail(session, LabFailure::memory);
    lab_tell(session, "HKDF of passphrase and nonces: one AES-128 key for each direction");
    return Status::ok;
}

void put_gcm_nonce(uint64_t number, uint8_t out[gcm_nonce_size]) {
    Writer writer = writer_of(out, gcm_nonce_size);
    put_zeros(writer, gcm_nonce_size - 8);
    lab_put_u64(writer, number);
}

Status psk_seal(LabSession& session, LabType type, Slice plain, Writer& out) {
    uint8_t nonce[gcm_nonce_size];
    put_gcm_nonce(session.seq_out, nonce);
    const uint32_t start = lab_message_begin(out, type);
    const uint32_t body_size = plain.size + tag_size;
    uint8_t* header = out.data + start;
    uint8_t* body = out.data + out.size;
    put_zeros(out, body_size);
    CHECK(!out.overflow);
    header[1] = static_cast<uint8_t>(body_size >> 8);  // The tag vouches for it.
    header[2] = static_cast<uint8_t>(body_size);
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    const uint8_t* key = secret_of(session).keys[index_of(session.keys->end)];
    int answer = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, key_size * 8);
    if (answer == 0) {
        answer = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plain.size, nonce,
                                           sizeof nonce, header, lab_header_size, plain.data, body,
                                           tag_size, body + plain.size);
    }
    mbedtls_gcm_free(&gcm);
    if (answer != 0) return lab_fail(session, LabFailure::memory);
    session.seq_out++;
    lab_message_end(session, out, start);
    lab_tell_field(session, "tag", {body + plain.size, tag_size},
                   "vouches for message, header and number");
    return Status::ok;
}

// `failure` is what a tag that does not fit means.
Status open_sealed(LabSession& session, const LabMessage& message, LabFailure failure,
                   Writer& plain) {
    if (message.body.size < tag_size) return lab_fail(session, LabFailure::length);
    const uint32_t size = message.body.size - tag_size;
    if (size > lab_plain_size_max) return lab_fail(session, LabFailure::length);
    uint8_t nonce[gcm_nonce_size];
    put_gcm_nonce(session.seq_in, nonce);
    uint8_t* out = plain.data + plain.size;
    put_zeros(plain, size);
    CHECK(!plain.overflow);
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    const uint8_t* key = secret_of(session).keys[index_of(other(session.keys->end))];
    int answer = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, key_size * 8);
    const bool ready = answer == 0;
    if (ready) {
        answer = mbedtls_gcm_auth_decrypt(&gcm, size, nonce, sizeof nonce, message.whole.data,
                                          lab_header_size, message.body.data + size, tag_size,
                                          message.body.data, out);
    }
    mbedtls_gcm_free(&gcm);
    if (answer != 0) {
        plain.size -= size;
        return lab_fail(session, ready ? failure : LabFailure::memory);
    }
    session.seq_in++;
    lab_tell_field(session, "tag", {message.body.data + size, tag_size},
                   "fits: nothing was altered, repeated, lost or moved");
    return Status::ok;
}

Status take_finished(LabSession& session, const LabMessage& message) {
    Writer nothing = writer_of(nullptr, 0);
    if (message.body.size != tag_size) return lab_fail(session, LabFailure::length);
    return open_sealed(session, message, LabFailure::passphrase, nothing);
}

Status psk_begin(LabSession& session, Writer& out) {
    return put_hello(session, LabType::client_hello, out);
}

Status server_take(LabSession& session, const LabMessage& message, Writer& out) {
    if (session.step == at_finished) {
        if (message.type != LabType::finished) return lab_fail(session, LabFailure::order);
        return take_finished(session, message);
    }
    if (message.type != LabType::client_hello) return lab_fail(session, LabFailure::order);
    Status status = take_hello(session, message);
    if (status == Status::ok) status = put_hello(session, LabType::server_hello, out);
    if (status == Status::ok) status = derive(session);
    if (status == Status::ok) status = psk_seal(session, LabType::finished, {nullptr, 0}, out);
    session.step = at_finished;
    return status == Status::ok ? Status::more : status;
}

Status client_take(LabSession& session, const LabMessage& message, Writer& out) {
    if (session.step == at_hello) {
        if (message.type != LabType::server_hello) return lab_fail(session, LabFailure::order);
        Status status = take_hello(session, message);
        if (status == Status::ok) status = derive(session);
        session.step = at_finished;
        return status == Status::ok ? Status::more : status;
    }
    if (message.type != LabType::finished) return lab_fail(session, LabFailure::order);
    const Status status = take_finished(session, message);
    if (status != Status::ok) return status;
    return psk_seal(session, LabType::finished, {nullptr, 0}, out);
}

Status psk_take(LabSession& session, const LabMessage& message, Writer& out) {
    return session.keys->end == LabEnd::client ? client_take(session, message, out)
                                               : server_take(session, message, out);
}

Status psk_open(LabSession& session, const LabMessage& message, Writer& plain) {
    return open_sealed(session, message, LabFailure::record, plain);
}

constexpr ChannelType psk_type = lab_message_channel("psk", false);

}  // namespace

constexpr LabOps lab_ops_psk = {.property = lab_property_psk,
                                .type = &psk_type,
                                .needs_key = false,
                                .needs_certificate = false,
                                .needs_passphrase = true,
                                .begin = psk_begin,
                                .take = psk_take,
                                .seal = psk_seal,
                                .open = psk_open,
                                .seals_end = true};
