#include "penny/lab_eavesdrop.h"

#include <stdio.h>
#include <string.h>

#include "wire/request.h"
#include "wire/value.h"

namespace {

constexpr uint32_t values_max = 1024;            // of one reply
constexpr uint32_t client_passes = 2 * xor_key_size;  // bytes; the first and the third
constexpr uint32_t server_passes = xor_key_size;

// Returns ok with the size of the request at the front, else as request_parse. What a person types
// at a terminal without a client would be a line; nothing tells a line from random bytes.
Status cut_request(uint8_t* bytes, uint32_t size, uint32_t& out_size) {
    if (bytes[0] != '*') return Status::invalid;
    uint8_t text[request_error_size_max];
    Writer error = writer_of(text, sizeof text);
    Request request = {};
    const Status status = request_parse(bytes, size, request_limits_ready(), request, error);
    out_size = request.size;
    return status;
}

Status cut_reply(uint8_t* bytes, uint32_t size, uint32_t& out_size) {
    static Value values[values_max];
    uint32_t count = 0;
    return value_parse({bytes, size}, values, values_max, count, out_size);
}

using Cut = Status (*)(uint8_t* bytes, uint32_t size, uint32_t& out_size);

// Counts the messages of one direction, which must be all of it.
Status count_messages(uint8_t* bytes, uint32_t size, Cut cut, const char* whose, XorSpoils& out,
                      uint32_t& out_count) {
    uint32_t at = 0;
    for (out_count = 0; at < size; out_count++) {
        uint32_t message_size = 0;
        const Status status = cut(bytes + at, size - at, message_size);
        if (status == Status::ok) {
            at += message_size;
            continue;
        }
        const char* why = status == Status::more
                              ? "the last message is not whole: the recording ends too early, or"
                              : "the bytes are no RESP under this key:";
        snprintf(out.reason, sizeof out.reason,
                 "%s a byte of the passes or of the data was changed, at offset %u or behind it of "
                 "what the %s sent",
                 why, at, whose);
        return Status::invalid;
    }
    return Status::ok;
}

void open(const uint8_t* key, uint8_t* bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = static_cast<uint8_t>(bytes[i] ^ key[i % xor_key_size]);
    }
}

}  // namespace

bool xor_has_passes(uint32_t client_size, uint32_t server_size) {
    return client_size >= client_passes && server_size >= server_passes;
}

Status xor_break(const Overheard& overheard, XorSpoils& out) {
    out = {};
    if (!xor_has_passes(overheard.client_size, overheard.server_size)) return Status::more;
    memcpy(out.passes[0], overheard.client, xor_key_size);
    memcpy(out.passes[1], overheard.server, xor_key_size);
    memcpy(out.passes[2], overheard.client + xor_key_size, xor_key_size);
    for (uint32_t i = 0; i < xor_key_size; i++) {
        out.key[i] = static_cast<uint8_t>(out.passes[0][i] ^ out.passes[1][i] ^ out.passes[2][i]);
    }
    uint8_t* requests = overheard.client + client_passes;
    uint8_t* replies = overheard.server + server_passes;
    out.requests = {requests, overheard.client_size - client_passes};
    out.replies = {replies, overheard.server_size - server_passes};
    open(out.key, requests, out.requests.size);
    open(out.key, replies, out.replies.size);
    if (out.requests.size == 0 && out.replies.size == 0) {
        snprintf(out.reason, sizeof out.reason, "nothing was sent behind the three passes");
        return Status::invalid;
    }
    const Status status = count_messages(requests, out.requests.size, cut_request, "client", out,
                                         out.request_count);
    if (status != Status::ok) return status;
    return count_messages(replies, out.replies.size, cut_reply, "server", out, out.reply_count);
}
