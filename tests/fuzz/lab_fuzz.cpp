// lab_fuzz.cpp - the channels of the laboratory, from both ends. Input: a byte that says which
// channel (0..4: xor, rsa, hybrid, dhe, psk), with 8 the client's end, and with 16 times a number
// what the rest is: 0 the peer's first bytes, 1 its bytes behind a sound handshake, 2 messages that
// it seals soundly (type, size of two bytes, plain), 3 a Fernet token to which its HMAC is added.
#include <string.h>

#include "base/base64.h"
#include "channel/lab/lab_parts.h"
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"

namespace {

constexpr uint32_t buffer_size = 65536;
constexpr uint32_t channel_count = 5;
constexpr const char* names[channel_count] = {"xor", "rsa", "hybrid", "dhe", "psk"};
constexpr uint64_t clock_ms = 1'800'000'000'000;
constexpr char passphrase[] = "open sesame 1234";
constexpr char seed_plain[] = "PING\r\n";
constexpr char token_key[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
constexpr uint32_t sealed_max = 4;          // messages of one input
constexpr uint32_t slow_plain_size_max = 200;  // bytes of one sealed with RSA, which takes long

// Made for this file and of no use anywhere else.
constexpr char server_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCoZxsK6dwKpvel\n"
    "CCLzIpymCzzyGJxhpFR9jC2jXnXw7fUIwCyeWZkkne8qywdER4bFyKGxDXIo74ks\n"
    "pG5AgE7+Dmx1Z5V1VwyDNb0HHi0b1l3va5IrDk3HDn+Y8lY/dRy9Rct4xDA7jlfw\n"
    "7iwgwk+G1EM/byqDQlsVo0/DgPTTRfRJEBIC2s7vvX5WKZjSbozwqL5PrqzVhY8g\n"
    "6gyJR4Bz/MvZAjwKlmejOCwuH2X8cf29RZ47THwGRHo0zCPLsRB9ZXSGqFe9tVTS\n"
    "L+lvWnl1hKAk0rf4h56QpNuhMBB/MWnUTjZkybQElSuS/ygj8qhhRbP9Fxyj6wHZ\n"
    "oN6vb6FZAgMBAAECggEACM2V/W6u5twmTSlVGWBdb7Ud7xpf/18tnv//ST9YezsX\n"
    "MGlKU89DeQVsAZDKLRSvnAJySFz3cyIdabjhPgwvBOsYWpVK++6sW+YI3vjB+ybs\n"
    "M2YsRoWphW6xtxsw7MGImnDN837O9igJWxH6Os6phVbueoALSQAEnqeSNXo14h7b\n"
    "xOJAG+1lx40sNYPEa+fR4bRBeGg/H12T8cT8/xw5WPMR6Y5b0Jc0iIQO5n0qBZ3l\n"
    "+xjLm4LyG7xRgDr9KI9J080W8m7YeA5CI9MNAnYvx1054mwcd26CD6QGWGMEuHsd\n"
    "uLNMIvi2n80cbpcXBf6IG+0OTIuEeHQF2KLZ2zrTQQKBgQDr+AFVh1Q8iuMGF/2t\n"
    "yiQUCmEoZxh7ZMwUOnEyt9FdJUU0tMLJc+9A8ZPeV8PzdyNlTcMa0SIBpLB9o3a/\n"
    "U5NeGz6/YZplVVZa7z54Dm8SvV2xN3EAuGQwLMyBhwJzvWukIhqMShZ03rBNRMYk\n"
    "dN250WIqx3GJ5uK97QAO1+FgQQKBgQC2ssc+RG8QiMf+OIzcRUIXRNpjq+mAG8ZW\n"
    "dHvDkhi0zbqBc9QwW4ZiVhioZqp3+5NHjhR0nWVEx7br9zaOzo8B9/j5zAtBOO5v\n"
    "MJ2FGuysG4IuuOy90Fd6X1Fci/n82pf1s8UG5wxP7qBWSkxI+eMcPbwLoqD8WwyO\n"
    "79E5pa57GQKBgAnmyDeMjC5WLZyN2Sk3uDfXD6igWtiirCWVJjbYm8Jq0/KYOyw0\n"
    "3y88c9X6nNBUiXmwv6UabXDgNj+vYkY4/ZAPWJyzPcVOxWbfbyGeiW6h35KWHvnG\n"
    "wv16g8JTpfixVBj5DWAho7uXtJIpdp8FAGDRtmrRH6SHua/6h+wXhu+BAoGABD13\n"
    "9FEARuD1y0eitUYCN6oIa4HE5I1AeCcx7CMK4b9YkcKPbSPipYub/OSNFkXHcESy\n"
    "4tX4ULVV4HoXUQ8oMIKBy8JZjIT2u6vkK/+o+IGW7uCp1ens7dEigURaY+zq0+/9\n"
    "JaDdH0nJfNcymAr8o14nbBm1JMY0L2kPcQgQWZkCgYEAtBm30s0XHfPi72SKURA/\n"
    "bbjd/bf5xY2eiVjA3kMiMayQ8gthCDayUch/tDvPWlTRztW1wGPUhpP118aS+3Gb\n"
    "5ZYMxr14tSWkWTETqtwJB5XpoNWjp7O7M35/aSHgjRaPwLb04eVOffOH2rp/AvFt\n"
    "ugwG5UTYgwsPSjRsrk1xo+s=\n"
    "-----END PRIVATE KEY-----\n";
constexpr char client_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC/B50vr0qK50Yu\n"
    "cvJW1O0qJCnLj4uQ6DFS9iW4GPJmS7x9XWfjWuexDFK0VwLl9bMacwvq08+07M1y\n"
    "RwnD7SFOIVa2Ki9oNAo6iL+ARK2Vf9jCNAaUNdlSvXx+X+MZdsCdrZZgCEUj5d5r\n"
    "RsfP1loNEp+JTRJtvsJk4BZHfRI7r2Ia3ISuH/xe9579Ru93R7VWie607ma2WwxJ\n"
    "4EUecmCiydrg06zSKhMVOxL70OZhqn/Vd0Z72mKY9nYsMetKMMMOrxsCVOEQoPxO\n"
    "ooR/0xtdxDsHKx8fRSvRBU7mHGmB69N4FybvCa8gZgDbEhnF10J3jx7kC4afFxwO\n"
    "MxNUpneLAgMBAAECggEAFlYelAfMEIfQVfgMzAhjnszRskKbkBsGQWwUpv0LwthS\n"
    "NtpoHlZvxuzo8rtF1HuxMIOJPjD8FWym7RjPVIByp38Qc4ZlOqrzEzsQIUBmh5eG\n"
    "Udbhegz910Xeu6wcksqm5Qj6D0qIQxVKt4J0NKIcr3ChBN3lLL3kXwUwtbUzH5VD\n"
    "gvPxqyEsrkhCn42gppKDP8ZOIt1Mm2A2i6m+nnINofEmReL6gAOAUCfCWdamtU3r\n"
    "N5n25rJ4QU29UTHmKWoa96Uo60sX3EnGj6yRL+0KVcghav22SqsxfOIDi9Sh0XT+\n"
    "i8xRZQYhE2u19AZFkhLDkMrQDun1a0dCjduosyx8cQKBgQDmCLi8+r7bvT0HssAZ\n"
    "Mdj+NBQfFPonnTF0P7w+AuCJxmJStDb9OadNmJVHy0VU7ZRYSWBejlC9o2T5oWy4\n"
    "a7+IpcYX8Ob3L74PVaWWWXgmkP5IodADZ0yBX05nNuC8/LNCWSqAyDuy/MQ2oFXS\n"
    "En9REDGFiforPZPB7a0rjcKziQKBgQDUl8l+KzdxBx83hMfXO70pYL8K81L5SbWS\n"
    "stZ65BdVCljCPCNWdyMMdJgUboyNWIm566lhTs6qWGuunyzIY7Hs4T0t8qksR4aX\n"
    "zWuuF3KzOjMul37x4UerNcPaSxsDaOXZsDebyK3G5ywETNWu4lYeHhc/j+t2RA8A\n"
    "Bg6whuAJcwKBgQCkmAb/iXb5Ke26TWdwX5+BPGhNWSgpIivZnyUlRc++JUoDHVnf\n"
    "VNpmBlCCP2sLerdTeKVQ4wnYt0ov6BYv20EAGIWmacQJiIq41DKYYso65jJcbBO3\n"
    "67jtNPGXnset0i69walM3nkA+CW5ZH4jwwKAUVLt1y0+tV+9OkBXUqbG6QKBgHYC\n"
    "J8QUgzsHpAlyeGf+bjt4y7NtbEKa6uKayToAQP9gtfJj5Y3Kpjb0xbKZxwVy/0io\n"
    "CybL0yZ13JhbHUXDKXH/ebF2wPemYI0FZ1+E/pOEnAKh78KeteTQ/H3BMSaMZQKY\n"
    "sdWU6Pm/OwzMBdWFKB6hv2/2GNNWZikyM5dD1zsHAoGAYhZByCsIhwrLQCPHQaR+\n"
    "SlczV59gFI2tiADIb0EjwnX1PA5+mvG2UXvynlSzBkfxOoHiptxtWxoZBmsxO38m\n"
    "uRJbXTPG4Q00dQWHe5+JnaQajpjNJyNxSKmrN+bnRYU0B+nMIy4aXmY9VFQ4TCuu\n"
    "WzdBfULRpzGXqu0YcRwHadQ=\n"
    "-----END PRIVATE KEY-----\n";

// One end in memory; a copy put back into its place goes on from there.
struct End {
    LabMemory memory;
    Channel channel;
    bool established;
};

struct Buffers {
    uint8_t cipher[buffer_size];
    uint8_t plain[buffer_size];
    Writer cipher_out;
    Writer plain_out;
};

// Each channel's ends, [client], as opened and after a handshake with each other.
LabConfig configs[channel_count][2];
End ends[channel_count][2];
End opened[channel_count][2];
End shaken[channel_count][2];
Buffers buffers[2];

void begin(Buffers& out) {
    out.cipher_out = writer_of(out.cipher, sizeof out.cipher);
    out.plain_out = writer_of(out.plain, sizeof out.plain);
}

bool is_reason(const char* reason) {
    if (reason == nullptr) return false;
    for (uint32_t i = 0; i < 256; i++) {
        const LabFailure failure = static_cast<LabFailure>(i);
        if (reason == lab_failure_told_text(failure)) return true;
        if (failure != LabFailure::none && reason == lab_failure_text(failure)) return true;
    }
    return false;
}

// Gives an end bytes as the session does.
Status feed(End& end, Slice bytes, Buffers& out) {
    Reader in = reader_of(bytes);
    Status status = Status::ok;
    if (!end.established) status = channel_advance(end.channel, in, out.cipher_out);
    end.established = end.established || status == Status::ok;
    if (end.established) status = channel_read(end.channel, in, out.plain_out);
    CHECK(status == Status::ok || status == Status::more || status == Status::full ||
          status == Status::end || status == Status::failed);
    CHECK(!out.cipher_out.overflow && !out.plain_out.overflow);
    CHECK((status == Status::failed) == is_reason(end.channel.reason));
    return status;
}

void load(uint32_t channel, LabEnd end, const char* key) {
    const LabFiles files = {slice_of(key), {nullptr, 0}, {nullptr, 0}, slice_of(passphrase),
                            nullptr};
    const char* reason = nullptr;
    const LabOps* ops = lab_find(slice_of(names[channel]));
    CHECK(ops != nullptr);  // All are built on the host (CHANNELS=).
    LabConfig& config = configs[channel][static_cast<uint32_t>(end)];
    CHECK(lab_config_load(config, *ops, end, files, reason) == Status::ok);
    End& place = ends[channel][static_cast<uint32_t>(end)];
    lab_open(place.channel, place.memory, config, {nullptr, nullptr});
    place.established = false;
    opened[channel][static_cast<uint32_t>(end)] = place;
}

void shake(uint32_t channel) {
    End& server = ends[channel][0];
    End& client = ends[channel][1];
    begin(buffers[1]);
    CHECK(feed(client, {nullptr, 0}, buffers[1]) == Status::more);
    for (uint32_t i = 0; i < 2; i++) {
        begin(buffers[0]);
        CHECK(feed(server, writer_slice(buffers[1].cipher_out), buffers[0]) != Status::failed);
        begin(buffers[1]);
        CHECK(feed(client, writer_slice(buffers[0].cipher_out), buffers[1]) != Status::failed);
    }
    CHECK(server.established && client.established);
    shaken[channel][0] = server;
    shaken[channel][1] = client;
}

bool set_up() {
    CHECK(crypto_init(nullptr) == Status::ok);
    crypto_clock_set(clock_ms);
    for (uint32_t channel = 0; channel < channel_count; channel++) {
        load(channel, LabEnd::server, server_key);
        load(channel, LabEnd::client, client_key);
        shake(channel);
    }
    return true;
}

// The bytes in one piece and in two, from one state: the same must come of it. A server of dhe signs
// in its first step, which takes too long to do it twice.
void fuzz_bytes(End& end, const End& from, Slice bytes) {
    const bool signs = lab_session(from.channel).ops == &lab_ops_dhe && !from.established;
    Status statuses[2] = {};
    for (uint32_t pieces = 1; pieces <= (signs ? 1 : 2); pieces++) {
        end = from;
        fuzz_random_reset();
        Buffers& out = buffers[pieces - 1];
        begin(out);
        const uint32_t first = pieces == 1 ? bytes.size : bytes.size / 2;
        Status status = feed(end, slice_part(bytes, 0, first), out);
        const bool goes_on = status == Status::ok || status == Status::more;
        if (goes_on && pieces == 2) status = feed(end, slice_part(bytes, first, bytes.size), out);
        statuses[pieces - 1] = status;
    }
    if (signs) return;
    CHECK(statuses[0] == statuses[1]);
    CHECK(slice_equal(writer_slice(buffers[0].plain_out), writer_slice(buffers[1].plain_out)));
    CHECK(slice_equal(writer_slice(buffers[0].cipher_out), writer_slice(buffers[1].cipher_out)));
    if (buffers[0].plain_out.size > 0) fuzz_mark_reached();
}

void check_plain(Slice plain) {
    fuzz_mark_reached();
    (void)plain;
#if PLANT
    const Slice seed = slice_of(seed_plain);
    if (plain.size == seed.size && !slice_equal(plain, seed)) fuzz_mark_planted();
#else
    (void)seed_plain;
#endif
}

// What a sound peer seals, however odd it is, is opened or refused for a reason.
void fuzz_sealed(End& end, End& peer, Slice bytes) {
    LabSession& session = lab_session(peer.channel);
    if (session.ops->seal == nullptr) return;
    const bool slow = session.ops->type->slow;
    Reader in = reader_of(bytes);
    for (uint32_t i = 0; i < (slow ? 1 : sealed_max) && reader_left(in) > 0; i++) {
        const LabType type = static_cast<LabType>(get_u8(in));
        const uint32_t size_max = slow ? slow_plain_size_max : lab_plain_size_max;
        const Slice plain = get_bytes(in, lab_get_u16(in) % (size_max + 1));
        if (slow && plain.size == 0) return;  // These have no message of nothing.
        begin(buffers[0]);
        begin(buffers[1]);
        CHECK(session.ops->seal(session, type, plain, buffers[1].cipher_out) == Status::ok);
        const Status status = feed(end, writer_slice(buffers[1].cipher_out), buffers[0]);
        const bool is_end = type == LabType::end && !slow && plain.size == 0;
        const Status refused = is_end ? Status::end : Status::failed;
        CHECK(status == (type == LabType::data ? Status::ok : refused));
        if (status != Status::ok) return;
        CHECK(slice_equal(writer_slice(buffers[0].plain_out), plain));
        check_plain(plain);
    }
}

void fuzz_token(Slice bytes) {
    uint8_t key[lab_fernet_key_size];
    CHECK(lab_fernet_parse_key(slice_of(token_key), key) == Status::ok);
    Hash mac = {};
    CHECK(lab_hmac({key, sizeof key / 2}, bytes, mac) == Status::ok);
    begin(buffers[0]);
    Writer raw = writer_of(buffers[1].cipher, buffer_size);
    put_bytes(raw, bytes);
    put_bytes(raw, hash_slice(mac));
    Writer& token = buffers[0].cipher_out;
    put_base64url(token, writer_slice(raw), Base64End::padded);
    uint64_t time_s = 0;
    Writer& plain = buffers[0].plain_out;
    const Status status = lab_fernet_open(key, writer_slice(token), time_s, plain);
    CHECK(status == Status::ok || status == Status::invalid || status == Status::full);
    CHECK(status == Status::ok || plain.size == 0);
    if (status != Status::ok) return;
    // The same parts make the same token.
    Writer again = writer_of(buffers[1].plain, buffer_size);
    const uint8_t* iv = bytes.data + lab_fernet_head_size - lab_cbc_block_size;
    if (plain.size > lab_plain_size_max) return;
    CHECK(lab_fernet_seal(key, time_s, iv, writer_slice(plain), again) == Status::ok);
    CHECK(slice_equal(writer_slice(again), writer_slice(token)));
    check_plain(writer_slice(plain));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const bool ready = set_up();
    if (!ready || size == 0) return 0;
    const uint32_t channel = data[0] & 7u;
    const uint32_t end = data[0] >> 3 & 1u;
    if (channel >= channel_count) return 0;
    const Slice bytes = {data + 1, static_cast<uint32_t>(size - 1)};
    End& victim = ends[channel][end];
    fuzz_random_reset();
    switch (data[0] >> 4) {
        case 0: fuzz_bytes(victim, opened[channel][end], bytes); break;
        case 1: fuzz_bytes(victim, shaken[channel][end], bytes); break;
        case 2:
            victim = shaken[channel][end];
            ends[channel][1 - end] = shaken[channel][1 - end];
            fuzz_sealed(victim, ends[channel][1 - end], bytes);
            break;
        case 3: fuzz_token(bytes); break;
        default: break;
    }
    return 0;
}
