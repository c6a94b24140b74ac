// Tokens of the Fernet specification, version 0x80.
//
//      0      1           9         25              25 + 16 n
//      | 0x80 | time (8)  | IV (16) | AES-128-CBC   | HMAC (32) over all before |   as base64url

#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "channel/lab/lab_parts.h"

namespace {

constexpr uint8_t version = 0x80;
constexpr uint32_t half_size = lab_fernet_key_size / 2;  // bytes: signs, encrypts

static_assert(lab_fernet_head_size == 1 + 8 + lab_cbc_block_size);

Slice signing_half(const uint8_t* key) { return {key, half_size}; }
Slice sealing_half(const uint8_t* key) { return {key + half_size, half_size}; }

// Takes the digits off, and looks at what needs no key.
Status parse_token(Slice text, Writer& raw) {
    if (parse_base64url(text, Base64End::padded, raw) != Status::ok) return Status::invalid;
    if (raw.size < lab_fernet_head_size + lab_cbc_block_size + hash_size) return Status::invalid;
    return raw.data[0] == version ? Status::ok : Status::invalid;
}

}  // namespace

Status lab_fernet_seal(const uint8_t key[lab_fernet_key_size], uint64_t time_s,
                       const uint8_t iv[lab_cbc_block_size], Slice plain, Writer& token) {
    CHECK(plain.size <= lab_plain_size_max);
    uint8_t bytes[lab_fernet_raw_size_max];
    Writer raw = writer_of(bytes, sizeof bytes);
    put_u8(raw, version);
    lab_put_u64(raw, time_s);
    put_bytes(raw, {iv, lab_cbc_block_size});
    lab_cbc_seal(sealing_half(key), iv, plain, raw);
    Hash mac = {};
    const Status status = lab_hmac(signing_half(key), writer_slice(raw), mac);
    if (status != Status::ok) return status;
    put_bytes(raw, hash_slice(mac));
    CHECK(!raw.overflow);
    put_base64url(token, writer_slice(raw), Base64End::padded);
    return token.overflow ? Status::full : Status::ok;
}

Status lab_fernet_open(const uint8_t key[lab_fernet_key_size], Slice token, uint64_t& time_s,
                       Writer& plain) {
    uint8_t bytes[lab_fernet_raw_size_max];
    Writer raw = writer_of(bytes, sizeof bytes);
    if (parse_token(token, raw) != Status::ok) return Status::invalid;
    const Slice vouched = {raw.data, raw.size - hash_size};
    Hash mac = {};
    const Status status = lab_hmac(signing_half(key), vouched, mac);
    if (status != Status::ok) return status;
    if (!slice_equal_secret(hash_slice(mac), {raw.data + vouched.size, hash_size})) {
        return Status::damaged;
    }
    Reader reader = reader_of(vouched);
    get_u8(reader);
    time_s = lab_get_u64(reader);
    const Slice iv = get_bytes(reader, lab_cbc_block_size);
    return lab_cbc_open(sealing_half(key), iv.data, reader_rest(reader), plain);
}

void lab_fernet_put_key(const uint8_t key[lab_fernet_key_size], Writer& text) {
    put_base64url(text, {key, lab_fernet_key_size}, Base64End::padded);
}

Status lab_fernet_parse_key(Slice text, uint8_t key[lab_fernet_key_size]) {
    if (text.size != lab_fernet_key_text_size) return Status::invalid;
    Writer bytes = writer_of(key, lab_fernet_key_size);
    const Status status = parse_base64url(text, Base64End::padded, bytes);
    return status == Status::ok && bytes.size == lab_fernet_key_size ? Status::ok : Status::invalid;
}
