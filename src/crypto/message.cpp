#include "crypto/message.h"

#include "base/check.h"

Status message_seal(Slice sender_key_pem, const JoseKey& recipient, const Message& message,
                    MessageScratch& scratch, Writer& out) {
    static_assert(message_party_size_max >= sizeof "@server" - 1);
    CHECK(jwe_size(jws_size(message_payload_size_max)) <= message_sealed_size_max);
    Writer payload = writer_of(scratch.payload, sizeof scratch.payload);
    Writer inner = writer_of(scratch.inner, sizeof scratch.inner);
    Status status = message_put(payload, message);
    if (status == Status::ok) status = jws_sign(sender_key_pem, writer_slice(payload), inner);
    if (status == Status::ok) status = jwe_seal(recipient, writer_slice(inner), out);
    return status;
}

Status message_open(Slice key_pem, Slice sealed, MessageScratch& scratch, Slice& signed_text) {
    Jwe jwe = {};
    if (sealed.size > message_sealed_size_max) return Status::invalid;
    if (jwe_split(sealed, jwe) != Status::ok || !jwe.header.is_nested) return Status::invalid;
    Writer inner = writer_of(scratch.inner, sizeof scratch.inner);
    const Status status = jwe_open(key_pem, sealed, inner);
    if (status == Status::full) return Status::invalid;
    if (status == Status::ok) signed_text = writer_slice(inner);
    return status;
}

Status message_verify(const JoseKey& sender, const Message& asked, Slice signed_text,
                      MessageScratch& scratch, Message& out) {
    Writer payload = writer_of(scratch.payload, sizeof scratch.payload);
    Writer content = writer_of(scratch.content, sizeof scratch.content);
    Status status = jws_verify(sender, signed_text, payload);
    if (status == Status::full) return Status::invalid;
    if (status != Status::ok) return status;
    Message found = {};
    status = message_parse(writer_slice(payload), content, found);
    if (status != Status::ok) return status;
    const bool is_theirs = slice_equal(found.from, asked.from) && slice_equal(found.to, asked.to) &&
                           slice_equal(found.id, asked.id);  // L1
    if (!is_theirs) return Status::state;
    out = found;
    return Status::ok;
}
