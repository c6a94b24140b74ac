#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "channel/lab/lab_parts.h"

namespace {

constexpr LabProperties properties[] = {
#define LAB(symbol, ...) {#symbol, __VA_ARGS__},
#include "channel/lab/lab.def"
#undef LAB
};
constexpr uint32_t property_count = sizeof properties / sizeof properties[0];

constexpr const LabOps* channels[] = {
#define LAB_BUILT(symbol) &lab_ops_##symbol,
#include "lab_built.def"
#undef LAB_BUILT
    nullptr};

// The state of a Channel of the laboratory.
struct LabPlace {
    LabMemory* memory;
};
static_assert(sizeof(LabPlace) <= channel_state_size);

const char* message_name(LabType type) {
    switch (type) {
        case LabType::client_hello: return "client hello";
        case LabType::server_hello: return "server hello";
        case LabType::certificate: return "certificate";
        case LabType::key_exchange: return "key exchange";
        case LabType::data: return "data";
        case LabType::end: return "end";
        case LabType::finished: return "finished";
        case LabType::alert: return "alert";
    }
    return "message of an unknown type";  // What a peer wrote may be none of these.
}

Status fail_channel(Channel& channel) {
    LabSession& session = lab_session(channel);
    channel.reason = lab_failure_text(session.failure);
    return Status::failed;
}

// Takes bytes of one message until it is whole. Returns ok, more, or failed.
Status collect(LabSession& session, Reader& in, LabMessage& out) {
    while (session.in_size < lab_header_size && reader_left(in) > 0) {
        session.in[session.in_size++] = get_u8(in);
    }
    if (session.in_size < lab_header_size) return Status::more;
    const uint32_t body = static_cast<uint32_t>(session.in[1] << 8 | session.in[2]);
    if (body > lab_body_size_max) return lab_fail(session, LabFailure::length);  // K3
    const uint32_t whole = lab_header_size + body;
    const uint32_t wanted = whole - session.in_size;
    const uint32_t left = reader_left(in);
    const Slice bytes = get_bytes(in, wanted < left ? wanted : left);
    if (bytes.size > 0) memcpy(session.in + session.in_size, bytes.data, bytes.size);
    session.in_size += bytes.size;
    if (session.in_size < whole) return Status::more;
    out = {static_cast<LabType>(session.in[0]),
           {session.in + lab_header_size, body},
           {session.in, whole}};
    lab_tell_message(session, LabWay::received, message_name(out.type), whole);
    session.in_size = 0;
    return Status::ok;
}

// What the other side says before it goes.
Status take_alert(Channel& channel, const LabMessage& message) {
    LabSession& session = lab_session(channel);
    const uint8_t number = message.body.size == 1 ? message.body.data[0] : 0;
    // Without a number it is no alert as it must be, but its sender has gone all the same.
    session.failure = number == 0 ? LabFailure::order : static_cast<LabFailure>(number);
    session.alert_owed = false;
    channel.reason = lab_failure_told_text(static_cast<LabFailure>(number));
    lab_tell_field(session, "reason", message.body, channel.reason);
    return Status::failed;
}

void put_alert(LabSession& session, Writer& out) {
    if (!session.alert_owed || writer_room(out) <= lab_header_size) return;
    session.alert_owed = false;
    const uint32_t start = lab_message_begin(out, LabType::alert);
    put_u8(out, static_cast<uint8_t>(session.failure));
    lab_message_end(session, out, start);
}

// Ends a step of the handshake: what it put goes out, or the alert in its place.
Status end_step(Channel& channel, Status status, uint32_t start, Writer& out) {
    LabSession& session = lab_session(channel);
    CHECK(!out.overflow);
    if (status == Status::failed) {
        out.size = start;
        put_alert(session, out);
        return fail_channel(channel);
    }
    session.established = status == Status::ok;
    return status;
}

Status begin(Channel& channel, Writer& out) {
    LabSession& session = lab_session(channel);
    session.begun = true;
    const uint32_t start = out.size;
    const Status status = session.ops->begin(session, out);
    return end_step(channel, status == Status::ok ? Status::more : status, start, out);
}

Status take(Channel& channel, const LabMessage& message, Writer& out) {
    LabSession& session = lab_session(channel);
    if (message.type == LabType::alert) return take_alert(channel, message);
    const uint32_t start = out.size;
    const Status status = session.ops->take(session, message, out);
    return end_step(channel, status, start, out);
}

// Opens one whole message of an established session.
Status open(Channel& channel, const LabMessage& message, Writer& plain_out) {
    LabSession& session = lab_session(channel);
    if (message.type == LabType::alert) return take_alert(channel, message);
    const bool is_end = message.type == LabType::end && session.ops->seals_end;
    if (message.type != LabType::data && !is_end) {
        return lab_fail(session, LabFailure::order);
    }
    const uint32_t start = plain_out.size;
    const Status status = session.ops->open(session, message, plain_out);
    CHECK(!plain_out.overflow);
    if (status != Status::ok) return Status::failed;
    if (is_end && plain_out.size != start) return lab_fail(session, LabFailure::length);
    session.ended = is_end;
    return is_end ? Status::end : Status::ok;
}

}  // namespace

const char* lab_failure_text(LabFailure failure) {
    switch (failure) {
        case LabFailure::none: break;
#define LAB_FAILURE(symbol, number, meaning) \
    case LabFailure::symbol: return meaning;
#include "channel/lab/failures.def"
#undef LAB_FAILURE
    }
    return "the channel failed";
}

const char* lab_failure_told_text(LabFailure failure) {
    switch (failure) {
        case LabFailure::none: break;
#define LAB_FAILURE(symbol, number, meaning) \
    case LabFailure::symbol: return "the other side gave up: " meaning;
#include "channel/lab/failures.def"
#undef LAB_FAILURE
    }
    return "the other side gave up";
}

uint32_t lab_property_count() { return property_count; }

const LabProperties& lab_properties(uint32_t index) {
    CHECK(index < property_count);
    return properties[index];
}

const LabProperties& lab_properties_of(const LabOps& ops) {
    return lab_properties(ops.property);
}

LabNeeds lab_needs(const LabOps& ops) {
    return {ops.needs_key, ops.needs_certificate, ops.needs_passphrase};
}

const LabOps* lab_find(Slice name) {
    for (const LabOps* const* at = channels; *at != nullptr; at++) {
        if (slice_equal_text(name, lab_properties_of(**at).name)) return *at;
    }
    return nullptr;
}

LabSession& lab_session(Channel& channel) {
    LabPlace& place = *reinterpret_cast<LabPlace*>(channel.state);
    return *reinterpret_cast<LabSession*>(place.memory->state);
}

const LabSession& lab_session(const Channel& channel) {
    const LabPlace& place = *reinterpret_cast<const LabPlace*>(channel.state);
    return *reinterpret_cast<const LabSession*>(place.memory->state);
}

void lab_open(Channel& channel, LabMemory& memory, LabConfig& config, const LabExplain& explain) {
    CHECK(config.loaded);
    memset(&channel, 0, sizeof channel);
    memset(&memory, 0, sizeof memory);
    reinterpret_cast<LabPlace*>(channel.state)->memory = &memory;
    LabSession& session = lab_session(channel);
    session.keys = &lab_keys(config);
    session.ops = session.keys->ops;
    session.explain = explain;
    hasher_init(session.transcript);
    channel.type = session.ops->type;
}

bool lab_ends_by_socket(const Channel& channel) {
    const LabSession& session = lab_session(channel);
    return session.established && !session.ops->seals_end &&
           session.failure == LabFailure::none && session.in_size == 0;
}

Status lab_fail(LabSession& session, LabFailure failure) {
    CHECK(failure != LabFailure::none);
    session.failure = failure;
    session.alert_owed = true;
    lab_tell(session, lab_failure_text(failure));
    return Status::failed;
}

uint32_t lab_message_begin(Writer& out, LabType type) {
    const uint32_t start = out.size;
    put_u8(out, static_cast<uint8_t>(type));
    lab_put_u16(out, 0);
    return start;
}

Slice lab_message_end(const LabSession& session, Writer& out, uint32_t start) {
    CHECK(!out.overflow);
    const uint32_t body = out.size - start - lab_header_size;
    CHECK(body <= lab_body_size_max);
    out.data[start + 1] = static_cast<uint8_t>(body >> 8);
    out.data[start + 2] = static_cast<uint8_t>(body);
    const Slice whole = {out.data + start, out.size - start};
    lab_tell_message(session, LabWay::sent, message_name(static_cast<LabType>(whole.data[0])),
                     whole.size);
    return whole;
}

void lab_note(LabSession& session, Slice whole) { hasher_feed(session.transcript, whole); }

Hash lab_transcript(const LabSession& session) {
    Hasher copy = session.transcript;
    return hasher_finish(copy);
}

void lab_put_u16(Writer& out, uint16_t value) {
    put_u8(out, static_cast<uint8_t>(value >> 8));
    put_u8(out, static_cast<uint8_t>(value));
}

void lab_put_u64(Writer& out, uint64_t value) {
    for (uint32_t shift = 64; shift > 0; shift -= 8) {
        put_u8(out, static_cast<uint8_t>(value >> (shift - 8)));
    }
}

uint16_t lab_get_u16(Reader& in) {
    const uint8_t high = get_u8(in);
    return static_cast<uint16_t>(high << 8 | get_u8(in));
}

uint64_t lab_get_u64(Reader& in) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < 8; i++) value = value << 8 | get_u8(in);
    return value;
}

Status lab_advance(Channel& channel, Reader& cipher_in, Writer& cipher_out) {
    LabSession& session = lab_session(channel);
    if (session.established) return Status::ok;
    if (session.failure != LabFailure::none) return Status::failed;
    if (session.keys->end == LabEnd::client && !session.begun) {
        if (writer_room(cipher_out) < lab_flight_size_max) return Status::more;
        const Status status = begin(channel, cipher_out);
        if (status != Status::more) return status;
    }
    for (;;) {
        if (writer_room(cipher_out) < lab_flight_size_max) return Status::more;
        LabMessage message = {};
        Status status = collect(session, cipher_in, message);
        if (status == Status::more) return status;
        if (status == Status::failed) return end_step(channel, status, cipher_out.size, cipher_out);
        status = take(channel, message, cipher_out);
        if (status != Status::more) return status;
    }
}

Status lab_read(Channel& channel, Reader& cipher_in, Writer& plain_out) {
    LabSession& session = lab_session(channel);
    if (!session.established || session.failure != LabFailure::none) return Status::failed;
    if (session.ended) return Status::end;  // Whatever is behind it was not sent by the peer.
    while (reader_left(cipher_in) > 0) {
        if (writer_room(plain_out) < lab_plain_size_max) return Status::full;
        LabMessage message = {};
        Status status = collect(session, cipher_in, message);
        if (status == Status::more) return Status::ok;
        if (status == Status::ok) status = open(channel, message, plain_out);
        if (status == Status::failed && channel.reason == nullptr) return fail_channel(channel);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

Status lab_write(Channel& channel, Reader& plain_in, Writer& cipher_out) {
    LabSession& session = lab_session(channel);
    if (!session.established || session.closed) return Status::failed;
    if (session.failure != LabFailure::none) return Status::failed;
    while (reader_left(plain_in) > 0) {
        if (writer_room(cipher_out) < lab_message_size_max) return Status::full;
        const uint32_t left = reader_left(plain_in);
        const uint32_t size = left < lab_plain_size_max ? left : lab_plain_size_max;
        const uint32_t start = cipher_out.size;
        const Slice plain = slice_part(reader_rest(plain_in), 0, size);
        if (session.ops->seal(session, LabType::data, plain, cipher_out) != Status::ok) {
            cipher_out.size = start;
            put_alert(session, cipher_out);
            return fail_channel(channel);
        }
        plain_in.offset += size;
    }
    return Status::ok;
}

void lab_close(Channel& channel, Writer& cipher_out) {
    LabSession& session = lab_session(channel);
    if (session.failure != LabFailure::none) {
        put_alert(session, cipher_out);
        return;
    }
    if (!session.established || session.closed) return;
    if (session.ops->seals_end) {
        if (writer_room(cipher_out) < lab_end_size_max) return;
        const uint32_t start = cipher_out.size;
        if (session.ops->seal(session, LabType::end, {nullptr, 0}, cipher_out) != Status::ok) {
            cipher_out.size = start;
            return;
        }
    }
    session.closed = true;
}

bool lab_is_idle(const Channel& channel) { return lab_session(channel).in_size == 0; }

void lab_free(Channel& channel) {
    LabPlace& place = *reinterpret_cast<LabPlace*>(channel.state);
    wipe(place.memory, sizeof *place.memory);
}
