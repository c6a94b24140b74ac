// rsa.cpp - public keys in the clear, then every message in blocks of OAEP under one signature.

#include "base/check.h"
#include "channel/lab/lab_parts.h"

namespace {

constexpr uint32_t blocks_max = (lab_plain_size_max + lab_oaep_size_max - 1) / lab_oaep_size_max;
static_assert(blocks_max == 6 && (blocks_max + 1) * lab_block_size <= lab_body_size_max);

Status rsa_seal(LabSession& session, LabType type, Slice plain, Writer& out) {
    CHECK(plain.size > 0 && plain.size <= lab_plain_size_max);
    const uint32_t start = lab_message_begin(out, type);
    const uint32_t first = out.size;
    for (uint32_t at = 0; at < plain.size; at += lab_oaep_size_max) {
        const Slice piece = slice_part(plain, at, lab_oaep_size_max);
        const Status status = lab_oaep_seal(session, lab_hello_peer(session), piece, out);
        if (status != Status::ok) return status;
    }
    CHECK(!out.overflow);
    const Slice blocks = {out.data + first, out.size - first};
    const Status status = lab_sign(session, hash_of(blocks), out);
    if (status != Status::ok) return status;
    lab_message_end(session, out, start);
    lab_tell_field(session, "blocks", blocks, "only the receiver's private key opens them");
    lab_tell_field(session, "signature", {blocks.data + blocks.size, lab_block_size},
                   "the owner of our key sent just these blocks");
    return Status::ok;
}

Status open_blocks(LabSession& session, Slice blocks, Writer& plain) {
    for (uint32_t at = 0; at < blocks.size; at += lab_block_size) {
        const uint32_t before = plain.size;
        const Slice block = slice_part(blocks, at, lab_block_size);
        const Status status = lab_oaep_open(session, block, plain);
        if (status != Status::ok) return status;
        if (plain.overflow || plain.size == before) return lab_fail(session, LabFailure::length);
    }
    return Status::ok;
}

Status rsa_open(LabSession& session, const LabMessage& message, Writer& plain) {
    const uint32_t size = message.body.size;
    const uint32_t block_count = size / lab_block_size;  // the signature is one of them
    if (size % lab_block_size != 0) return lab_fail(session, LabFailure::length);
    if (block_count < 2 || block_count > blocks_max + 1) {
        return lab_fail(session, LabFailure::length);
    }
    const Slice blocks = slice_part(message.body, 0, size - lab_block_size);
    const Slice signature = slice_part(message.body, blocks.size, lab_block_size);
    Status status = lab_verify(session, lab_hello_peer(session), hash_of(blocks), signature);
    if (status != Status::ok) return status;
    lab_tell_field(session, "signature", signature,
                   "fits: the owner of the key sent these blocks, now or once before");
    // Six blocks can hold more than a message may.
    Writer found = writer_of(plain.data + plain.size, lab_plain_size_max);
    CHECK(writer_room(plain) >= lab_plain_size_max);
    status = open_blocks(session, blocks, found);
    if (status != Status::ok) {
        wipe(found.data, found.size);
        return status;
    }
    plain.size += found.size;
    lab_tell_field(session, "blocks", blocks, "opened with our private key");
    return Status::ok;
}

constexpr ChannelType rsa_type = lab_message_channel("rsa", true);

}  // namespace

constexpr LabOps lab_ops_rsa = {.property = lab_property_rsa,
                                .type = &rsa_type,
                                .needs_key = true,
                                .needs_certificate = false,
                                .needs_passphrase = false,
                                .begin = lab_hello_begin,
                                .take = lab_hello_take,
                                .seal = rsa_seal,
                                .open = rsa_open,
                                .seals_end = false};
