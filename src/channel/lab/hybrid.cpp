// hybrid.cpp - the keys of rsa, and a Fernet token of every message with a key of its own: what is
// slow seals the key, what is fast the message.

#include <mbedtls/platform_time.h>

#include "base/check.h"
#include "channel/lab/lab_parts.h"
#include "crypto/crypto.h"

namespace {

constexpr uint32_t token_at = 2 * lab_block_size;  // behind the sealed key and the signature
static_assert(token_at + lab_fernet_text_size_max <= lab_body_size_max);
static_assert(lab_fernet_key_text_size <= lab_oaep_size_max);

// What a message is sealed with; drawn for it alone.
struct Fresh {
    uint8_t key[lab_fernet_key_size];
    uint8_t iv[lab_cbc_block_size];
    uint8_t key_text[lab_fernet_key_text_size];
};

Status draw(Fresh& fresh) {
    if (crypto_random(fresh.key, sizeof fresh.key) != Status::ok) return Status::failed;
    if (crypto_random(fresh.iv, sizeof fresh.iv) != Status::ok) return Status::failed;
    Writer text = writer_of(fresh.key_text, sizeof fresh.key_text);
    lab_fernet_put_key(fresh.key, text);
    CHECK(!text.overflow && text.size == sizeof fresh.key_text);
    return Status::ok;
}

Status put_body(LabSession& session, const Fresh& fresh, Slice plain, Writer& out) {
    const uint64_t time_s = static_cast<uint64_t>(mbedtls_time(nullptr));
    uint8_t bytes[lab_fernet_text_size_max];
    Writer token = writer_of(bytes, sizeof bytes);
    Status status = lab_fernet_seal(fresh.key, time_s, fresh.iv, plain, token);
    if (status != Status::ok) return lab_fail(session, LabFailure::memory);
    status = lab_oaep_seal(session, lab_hello_peer(session),
                           {fresh.key_text, sizeof fresh.key_text}, out);
    if (status != Status::ok) return status;
    status = lab_sign(session, hash_of(writer_slice(token)), out);
    put_bytes(out, writer_slice(token));
    return status;
}

void tell_fields(const LabSession& session, Slice body, const char* key, const char* signature,
                 const char* token) {
    lab_tell_field(session, "key", slice_part(body, 0, lab_block_size), key);
    lab_tell_field(session, "signature", slice_part(body, lab_block_size, lab_block_size),
                   signature);
    lab_tell_field(session, "token", slice_part(body, token_at, body.size), token);
}

Status hybrid_seal(LabSession& session, LabType type, Slice plain, Writer& out) {
    CHECK(plain.size <= lab_plain_size_max);
    Fresh fresh = {};
    const uint32_t start = lab_message_begin(out, type);
    Status status = draw(fresh);
    if (status != Status::ok) status = lab_fail(session, LabFailure::memory);
    if (status == Status::ok) status = put_body(session, fresh, plain, out);
    wipe(&fresh, sizeof fresh);
    if (status != Status::ok) return status;
    const Slice whole = lab_message_end(session, out, start);
    tell_fields(session, slice_part(whole, lab_header_size, whole.size),
                "a fresh one for this message; only the receiver's private key opens it",
                "the owner of our key sent just this token",
                "the message under the fresh key, with the time and an HMAC");
    return Status::ok;
}

// Opens the sealed key. What is in it has to be a key as well.
Status open_key(LabSession& session, Slice block, uint8_t key[lab_fernet_key_size]) {
    uint8_t text[lab_oaep_size_max];
    Writer found = writer_of(text, sizeof text);
    Status status = lab_oaep_open(session, block, found);
    if (status == Status::ok && lab_fernet_parse_key(writer_slice(found), key) != Status::ok) {
        status = lab_fail(session, LabFailure::token);
    }
    wipe(text, sizeof text);
    return status;
}

Status open_token(LabSession& session, const uint8_t key[lab_fernet_key_size], Slice token,
                  Writer& plain) {
    uint64_t time_s = 0;  // Nobody judges it: README.md, "hybrid".
    Writer found = writer_of(plain.data + plain.size, lab_plain_size_max);
    CHECK(writer_room(plain) >= lab_plain_size_max);
    const Status status = lab_fernet_open(key, token, time_s, found);
    if (status == Status::failed) return lab_fail(session, LabFailure::memory);
    if (status == Status::full) return lab_fail(session, LabFailure::length);
    if (status != Status::ok) return lab_fail(session, LabFailure::token);
    plain.size += found.size;
    return Status::ok;
}

Status hybrid_open(LabSession& session, const LabMessage& message, Writer& plain) {
    const Slice body = message.body;
    if (body.size <= token_at) return lab_fail(session, LabFailure::length);
    const Slice token = slice_part(body, token_at, body.size);
    if (token.size > lab_fernet_text_size_max) return lab_fail(session, LabFailure::length);
    Status status = lab_verify(session, lab_hello_peer(session), hash_of(token),
                               slice_part(body, lab_block_size, lab_block_size));
    if (status != Status::ok) return status;
    uint8_t key[lab_fernet_key_size] = {};
    status = open_key(session, slice_part(body, 0, lab_block_size), key);
    if (status == Status::ok) status = open_token(session, key, token, plain);
    wipe(key, sizeof key);
    if (status != Status::ok) return status;
    tell_fields(session, body, "opened with our private key; the signature says nothing of it",
                "fits: the owner of the key sent this token, now or once before",
                "its HMAC fits: it was made with that key");
    return Status::ok;
}

constexpr ChannelType hybrid_type = lab_message_channel("hybrid", true);

}  // namespace

constexpr LabOps lab_ops_hybrid = {.property = lab_property_hybrid,
                                   .type = &hybrid_type,
                                   .needs_key = true,
                                   .needs_certificate = false,
                                   .needs_passphrase = false,
                                   .begin = lab_hello_begin,
                                   .take = lab_hello_take,
                                   .seal = hybrid_seal,
                                   .open = hybrid_open,
                                   .seals_end = false};
