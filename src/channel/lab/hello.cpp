// What rsa and hybrid begin with: each side sends its public key, and takes the other's as it is.

#include "channel/lab/lab_parts.h"

namespace {

static_assert(sizeof(LabPeerKey) <= lab_secret_size_max);

LabPeerKey& peer_of(LabSession& session) { return *reinterpret_cast<LabPeerKey*>(session.secret); }

void put_hello(LabSession& session, LabType type, Writer& out) {
    const LabKeys& keys = *session.keys;
    const uint32_t start = lab_message_begin(out, type);
    put_bytes(out, {keys.spki, keys.spki_size});
    lab_message_end(session, out, start);
    lab_tell_field(session, "key", {keys.spki, keys.spki_size},
                   "our public key, and no word whose it is");
    lab_tell_field(session, "fingerprint", hash_slice(keys.fingerprint),
                   "SHA-256 of the key, by which it can be pinned");
}

Status take_hello(LabSession& session, const LabMessage& message) {
    const Status status = lab_peer_key_parse(session, message.body, peer_of(session));
    if (status != Status::ok) return status;
    const bool pinned = session.keys->has_pin && session.keys->end == LabEnd::client;
    lab_tell_field(session, "key", message.body, "the other side's, and seals what we send");
    lab_tell_field(session, "fingerprint", hash_slice(peer_of(session).fingerprint),
                   pinned ? "is the pinned one: this is the server"
                          : "is compared with nothing: whoever sent it may be anybody");
    return Status::ok;
}

}  // namespace

const LabPeerKey& lab_hello_peer(const LabSession& session) {
    return *reinterpret_cast<const LabPeerKey*>(session.secret);
}

Status lab_hello_begin(LabSession& session, Writer& out) {
    put_hello(session, LabType::client_hello, out);
    return Status::ok;
}

Status lab_hello_take(LabSession& session, const LabMessage& message, Writer& out) {
    const bool is_client = session.keys->end == LabEnd::client;
    const LabType expected = is_client ? LabType::server_hello : LabType::client_hello;
    if (message.type != expected) return lab_fail(session, LabFailure::order);
    const Status status = take_hello(session, message);
    if (status == Status::ok && !is_client) put_hello(session, LabType::server_hello, out);
    return status;
}
