// xor.cpp - three passes of XOR, and then XOR with the key they carried over. Broken by anybody who
// watches, which is what it is here for.
//
//     client: X ^ C ─► server: X ^ C ^ S ─► client: X ^ S ─► both have X

#include <string.h>

#include "base/check.h"
#include "channel/lab/lab_parts.h"
#include "crypto/crypto.h"

namespace {

constexpr uint32_t key_size = 16;  // bytes, and of each pass

struct XorSecret {
    uint8_t key[key_size];    // X; while the passes go on, what the own padlock is on
    uint8_t lock[key_size];   // C or S
    uint64_t count_in;        // bytes of each direction, behind the passes
    uint64_t count_out;
};
static_assert(sizeof(XorSecret) <= lab_secret_size_max);

XorSecret& secret_of(LabSession& session) {
    return *reinterpret_cast<XorSecret*>(session.secret);
}

void mix(uint8_t* bytes, const uint8_t* with) {
    for (uint32_t i = 0; i < key_size; i++) bytes[i] = static_cast<uint8_t>(bytes[i] ^ with[i]);
}

void put_pass(LabSession& session, const char* name, const uint8_t* bytes, const char* proves,
              Writer& out) {
    put_bytes(out, {bytes, key_size});
    lab_tell_message(session, LabWay::sent, name, key_size);
    lab_tell_field(session, "bytes", {bytes, key_size}, proves);
}

// Takes one pass of the other side. Returns more until it is whole.
Status take_pass(LabSession& session, const char* name, Reader& in, uint8_t out[key_size]) {
    while (session.in_size < key_size && reader_left(in) > 0) {
        session.in[session.in_size++] = get_u8(in);
    }
    if (session.in_size < key_size) return Status::more;
    session.in_size = 0;
    memcpy(out, session.in, key_size);
    lab_tell_message(session, LabWay::received, name, key_size);
    return Status::ok;
}

Status draw(uint8_t* out) { return crypto_random(out, key_size); }

Status client_advance(LabSession& session, Reader& in, Writer& out) {
    XorSecret& secret = secret_of(session);
    uint8_t pass[key_size];
    if (!session.begun) {
        if (draw(secret.key) != Status::ok || draw(secret.lock) != Status::ok) {
            return lab_fail(session, LabFailure::memory);
        }
        session.begun = true;
        memcpy(pass, secret.key, key_size);
        mix(pass, secret.lock);
        put_pass(session, "first pass: X ^ C", pass, "the key X, with the client's padlock C on it",
                 out);
    }
    const Status status = take_pass(session, "second pass: X ^ C ^ S", in, pass);
    if (status != Status::ok) return status;
    lab_tell_field(session, "bytes", {pass, key_size}, "now with both padlocks on it");
    mix(pass, secret.lock);
    put_pass(session, "third pass: X ^ S", pass, "the client's padlock is off again", out);
    return Status::ok;
}

Status server_advance(LabSession& session, Reader& in, Writer& out) {
    XorSecret& secret = secret_of(session);
    if (session.step == 0) {
        const Status status = take_pass(session, "first pass: X ^ C", in, secret.key);
        if (status != Status::ok) return status;
        lab_tell_field(session, "bytes", {secret.key, key_size},
                       "the key X, with the client's padlock C on it");
        if (draw(secret.lock) != Status::ok) return lab_fail(session, LabFailure::memory);
        mix(secret.key, secret.lock);
        put_pass(session, "second pass: X ^ C ^ S", secret.key, "now with both padlocks on it",
                 out);
        session.step = 1;
    }
    const Status status = take_pass(session, "third pass: X ^ S", in, secret.key);
    if (status != Status::ok) return status;
    lab_tell_field(session, "bytes", {secret.key, key_size}, "the client's padlock is off again");
    mix(secret.key, secret.lock);
    return Status::ok;
}

Status xor_advance(Channel& channel, Reader& cipher_in, Writer& cipher_out) {
    LabSession& session = lab_session(channel);
    if (session.established) return Status::ok;
    if (session.failure != LabFailure::none) return Status::failed;
    if (writer_room(cipher_out) < 2 * key_size) return Status::more;
    const bool is_client = session.keys->end == LabEnd::client;
    const Status status = is_client ? client_advance(session, cipher_in, cipher_out)
                                    : server_advance(session, cipher_in, cipher_out);
    if (status == Status::failed) channel.reason = lab_failure_text(session.failure);
    if (status != Status::ok) return status;
    session.established = true;
    lab_tell(session, "both have X; so has everybody who saw the three passes, XORed");
    return Status::ok;
}

// Moves as many bytes as there is room for.
uint32_t move(const LabSession& session, const XorSecret& secret, uint64_t& count, LabWay way,
              Reader& in, Writer& out) {
    const uint32_t left = reader_left(in);
    const uint32_t size = left < writer_room(out) ? left : writer_room(out);
    const Slice bytes = get_bytes(in, size);
    for (uint32_t i = 0; i < size; i++) {
        put_u8(out, static_cast<uint8_t>(bytes.data[i] ^ secret.key[count % key_size]));
        count++;
    }
    if (size > 0) {
        const Slice sealed =
            way == LabWay::received ? bytes : Slice{out.data + out.size - size, size};
        lab_tell_message(session, way, "data", size);
        lab_tell_field(session, "bytes", sealed, "XORed with X, over and over");
    }
    return size;
}

Status xor_read(Channel& channel, Reader& cipher_in, Writer& plain_out) {
    LabSession& session = lab_session(channel);
    if (!session.established) return Status::failed;
    XorSecret& secret = secret_of(session);
    move(session, secret, secret.count_in, LabWay::received, cipher_in, plain_out);
    return reader_left(cipher_in) == 0 ? Status::ok : Status::full;
}

Status xor_write(Channel& channel, Reader& plain_in, Writer& cipher_out) {
    LabSession& session = lab_session(channel);
    if (!session.established) return Status::failed;
    XorSecret& secret = secret_of(session);
    move(session, secret, secret.count_out, LabWay::sent, plain_in, cipher_out);
    return reader_left(plain_in) == 0 ? Status::ok : Status::full;
}

void xor_close(Channel& channel, Writer& cipher_out) {
    (void)channel;
    (void)cipher_out;
}

constexpr ChannelType xor_type = {.name = "xor",
                                  .lab = true,
                                  .slow = false,
                                  .advance = xor_advance,
                                  .read = xor_read,
                                  .write = xor_write,
                                  .close = xor_close,
                                  .is_idle = lab_is_idle,
                                  .free = lab_free};

}  // namespace

constexpr LabOps lab_ops_xor = {.property = lab_property_xor,
                                .type = &xor_type,
                                .needs_key = false,
                                .needs_certificate = false,
                                .needs_passphrase = false,
                                .begin = nullptr,
                                .take = nullptr,
                                .seal = nullptr,
                                .open = nullptr,
                                .seals_end = false};
