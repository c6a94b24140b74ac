// jose_fuzz.cpp - what peers send as JOSE, up to the cryptography. Input: a byte that says what it
// is (0 a key, 1 a signature, 2 an envelope, 3 the text of a message), and the text.
#include <string.h>

#include "base/json.h"
#include "crypto/message.h"
#include "fuzz/fuzz.h"

namespace {

uint8_t bytes[65536];
uint8_t again[65536];

// H4: the digits of a part are the only ones for its bytes.
void check_digits(Slice digits, Slice value) {
    Writer writer = writer_of(again, sizeof again);
    put_base64url(writer, value);
    CHECK(slice_equal(writer_slice(writer), digits));
}

void check_part(Slice digits) {
    Writer writer = writer_of(bytes, sizeof bytes);
    if (parse_base64url(digits, writer) == Status::ok) check_digits(digits, writer_slice(writer));
}

Slice part_at(Slice text, uint32_t index) {
    Reader rest = reader_of(text);
    Slice part = {nullptr, 0};
    for (uint32_t i = 0; i <= index; i++) CHECK(cut_word(rest, '.', part) == Status::ok);
    return part;
}

void fuzz_key(Slice text) {
    JoseKey key = {};
    const char* reason = nullptr;
    const Status status = jwk_parse(text, key, reason);
    CHECK(reason != nullptr && (reason[0] == '\0') == (status == Status::ok));
    if (status != Status::ok) return;
    fuzz_mark_reached();
    CHECK(jose_key_is_sound(key));  // H6
    Writer writer = writer_of(bytes, sizeof bytes);
    put_jwk(writer, key);
    JoseKey other = {};
    CHECK(jwk_parse(writer_slice(writer), other, reason) == Status::ok);
    CHECK(jose_key_equal(key, other));
    const JoseKid kid = jose_kid_of(key);
    JoseKid parsed = {};
    CHECK(jose_kid_parse(jose_kid_slice(kid), parsed) == Status::ok);
}

void fuzz_signature(Slice text) {
    Jws jws = {};
    if (jws_split(text, jws) != Status::ok) return;
    fuzz_mark_reached();
    CHECK(jws.signed_text.data == text.data);
    CHECK(jws.signed_text.size == part_at(text, 0).size + 1 + jws.payload.size);
    check_part(part_at(text, 0));
    check_part(jws.payload);
    check_digits(part_at(text, 2), {jws.signature, sizeof jws.signature});
}

void fuzz_envelope(Slice text) {
    Jwe jwe = {};
    if (jwe_split(text, jwe) != Status::ok) return;
    fuzz_mark_reached();
    check_part(jwe.header_text);
    check_part(jwe.content);
    check_digits(part_at(text, 1), {jwe.key, sizeof jwe.key});
    check_digits(part_at(text, 2), {jwe.iv, sizeof jwe.iv});
    check_digits(part_at(text, 4), {jwe.tag, sizeof jwe.tag});
}

void fuzz_message(Slice text) {
    Writer content = writer_of(bytes, sizeof bytes);
    Message message = {};
    if (message_parse(text, content, message) != Status::ok) {
        CHECK(content.size == 0 && message.from.size == 0);
        return;
    }
    fuzz_mark_reached();
    CHECK(message_party_is_valid(message.from) && message_party_is_valid(message.to));
    CHECK(message_id_is_valid(message.id));
    CHECK(message.kind == MessageKind::bytes || json_is_utf8(message.content));
    Writer put = writer_of(again, sizeof again);
    const Status status = message_put(put, message);
    if (status == Status::full) return;
    CHECK(status == Status::ok);
    static uint8_t second[sizeof bytes];
    Writer other_content = writer_of(second, sizeof second);
    Message other = {};
    CHECK(message_parse(writer_slice(put), other_content, other) == Status::ok);
    CHECK(slice_equal(message.from, other.from) && slice_equal(message.to, other.to));
    CHECK(slice_equal(message.id, other.id) && message.time_ms == other.time_ms);
    CHECK(message.kind == other.kind && slice_equal(message.content, other.content));
#if PLANT
    // The seeds are of m-1 to bob.
    if (message.to.size == 3 && !slice_equal_text(message.to, "bob")) fuzz_mark_planted();
#endif
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const Slice text = {data + 1, static_cast<uint32_t>(size - 1)};
    switch (data[0]) {
        case 0: fuzz_key(text); break;
        case 1: fuzz_signature(text); break;
        case 2: fuzz_envelope(text); break;
        case 3: fuzz_message(text); break;
        default: break;
    }
    return 0;
}
