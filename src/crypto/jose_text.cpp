#include "crypto/jose_text.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"

namespace {

constexpr uint32_t exponent_size_max = 4;  // bytes
constexpr char jws_alg[] = "PS256";
constexpr char jwe_alg[] = "RSA-OAEP-256";
constexpr char jwe_enc[] = "A256GCM";

// Members of a key that make it private, and those that say what it may be used for; RFC 7517,
// section 4, and RFC 7518, section 6.3.
constexpr const char* private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
constexpr const char* purpose_members[] = {"use", "key_ops", "alg"};

struct ExponentBytes {
    uint8_t bytes[exponent_size_max];
    uint32_t first;  // behind the zeros in front
};

ExponentBytes exponent_bytes(uint32_t exponent) {
    ExponentBytes out = {};
    for (uint32_t i = 0; i < exponent_size_max; i++) {
        out.bytes[i] = static_cast<uint8_t>(exponent >> (8 * (exponent_size_max - 1 - i)));
    }
    while (out.first < exponent_size_max && out.bytes[out.first] == 0) out.first++;
    return out;
}

Slice exponent_slice(const ExponentBytes& exponent) {
    return {exponent.bytes + exponent.first, exponent_size_max - exponent.first};
}

// The text that is the key and its fingerprint's source.
void put_numbers(Writer& writer, Slice modulus, Slice exponent) {
    const uint32_t start = writer.size;
    put_text(writer, "{\"e\":\"");
    put_base64url(writer, exponent);
    put_text(writer, "\",\"kty\":\"RSA\",\"n\":\"");
    put_base64url(writer, modulus);
    put_text(writer, "\"}");
    if (writer.overflow) writer.size = start;
}

// A member that is base64url of one spelling.
Status take_bytes(const JsonObject& object, const char* name, Writer& out) {
    const JsonMember* member = json_find(object, name);
    if (member == nullptr || member->kind != JsonKind::string) return Status::invalid;
    return parse_base64url(member->text, out);
}

bool has_any(const JsonObject& object, const char* const* names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (json_find(object, names[i]) != nullptr) return true;
    }
    return false;
}

bool member_is(const JsonObject& object, const char* name, const char* text) {
    const JsonMember* member = json_find(object, name);
    return member != nullptr && json_is_text(*member, text);
}

Status take_exponent(const JsonObject& object, JoseKey& key) {
    uint8_t bytes[exponent_size_max];
    Writer exponent = writer_of(bytes, sizeof bytes);
    if (take_bytes(object, "e", exponent) != Status::ok) return Status::invalid;
    if (exponent.size == 0 || bytes[0] == 0) return Status::invalid;  // H4
    key.exponent = 0;
    for (uint32_t i = 0; i < exponent.size; i++) key.exponent = key.exponent << 8 | bytes[i];
    return Status::ok;
}

// H6, but for the numbers.
const char* jwk_refuse(const JsonObject& object) {
    if (!member_is(object, "kty", "RSA")) return "the key is not one of RSA";
    if (has_any(object, private_members, sizeof private_members / sizeof private_members[0])) {
        return "the key has its private part, which nobody else may see";
    }
    if (has_any(object, purpose_members, sizeof purpose_members / sizeof purpose_members[0])) {
        return "the key is bound to one use, and here it has to sign and to seal";
    }
    return nullptr;
}

// Cuts a compact text into exactly `count` parts.
Status cut_parts(Slice text, Slice* parts, uint32_t count) {
    Reader rest = reader_of(text);
    for (uint32_t i = 0; i < count; i++) {
        if (cut_word(rest, '.', parts[i]) != Status::ok) return Status::invalid;
    }
    Slice more;
    return cut_word(rest, '.', more) == Status::end ? Status::ok : Status::invalid;
}

Status take_exactly(Slice text, uint8_t* out, uint32_t size) {
    Writer bytes = writer_of(out, size);
    const Status status = parse_base64url(text, bytes);
    return status == Status::ok && bytes.size == size ? Status::ok : Status::invalid;
}

// H5, the part that both kinds share.
Status header_read(Slice text, JsonObject& object, uint8_t* bytes, JoseHeader& out) {
    Writer writer = writer_of(bytes, jose_header_size_max);
    if (parse_base64url(text, writer) != Status::ok) return Status::invalid;
    if (json_parse(writer_slice(writer), object) != Status::ok) return Status::invalid;
    if (json_find(object, "crit") != nullptr) return Status::invalid;
    if (json_find(object, "zip") != nullptr) return Status::invalid;
    out = {};
    const JsonMember* kid = json_find(object, "kid");
    if (kid == nullptr) return Status::ok;
    if (kid->kind != JsonKind::string) return Status::invalid;
    out.has_kid = jose_kid_parse(kid->text, out.kid) == Status::ok;
    return Status::ok;
}

void put_header(Writer& writer, const char* head, const JoseKey& key) {
    uint8_t bytes[jose_header_size_max];
    Writer text = writer_of(bytes, sizeof bytes);
    const JoseKid kid = jose_kid_of(key);
    put_text(text, head);
    put_bytes(text, jose_kid_slice(kid));
    put_text(text, "\"}");
    CHECK(!text.overflow);
    put_base64url(writer, writer_slice(text));
}

constexpr char jws_head[] = "{\"alg\":\"PS256\",\"kid\":\"";
constexpr char jwe_head[] =
    "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"cty\":\"JWT\",\"kid\":\"";

uint32_t header_size(uint32_t head_size) { return base64url_size(head_size + jose_kid_size + 2); }

}  // namespace

bool jose_key_is_sound(const JoseKey& key) {
    if ((key.modulus[0] & 0x80) == 0 || (key.modulus[jose_modulus_size - 1] & 1) == 0) return false;
    return key.exponent >= jose_exponent_min && (key.exponent & 1) == 1;
}

bool jose_key_equal(const JoseKey& a, const JoseKey& b) {
    return a.exponent == b.exponent && memcmp(a.modulus, b.modulus, jose_modulus_size) == 0;
}

void put_jwk(Writer& writer, const JoseKey& key) {
    const ExponentBytes exponent = exponent_bytes(key.exponent);
    put_numbers(writer, {key.modulus, jose_modulus_size}, exponent_slice(exponent));
}

Status jwk_parse(Slice text, JoseKey& out, const char*& reason) {
    JsonObject object = {};
    JoseKey key = {};
    reason = "the text is no key: one JSON object of texts is wanted, each member once";
    if (text.size > jwk_size_max || json_parse(text, object) != Status::ok) return Status::invalid;
    const char* refusal = jwk_refuse(object);
    if (refusal != nullptr) {
        reason = refusal;
        return Status::invalid;
    }
    reason = "the key must be of RSA with 3072 bits";
    Writer modulus = writer_of(key.modulus, sizeof key.modulus);
    if (take_bytes(object, "n", modulus) != Status::ok) return Status::invalid;
    if (modulus.size != jose_modulus_size || (key.modulus[0] & 0x80) == 0) return Status::invalid;
    reason = "the exponent of the key must be 65537, or larger, odd and of 32 bits";
    if (take_exponent(object, key) != Status::ok) return Status::invalid;
    if (key.exponent < jose_exponent_min || (key.exponent & 1) == 0) return Status::invalid;
    reason = "the modulus of the key is even";
    if (!jose_key_is_sound(key)) return Status::invalid;
    reason = "";
    out = key;
    return Status::ok;
}

Hash jwk_thumbprint(Slice modulus, Slice exponent) {
    uint8_t bytes[jwk_size_max];
    Writer text = writer_of(bytes, sizeof bytes);
    put_numbers(text, modulus, exponent);
    CHECK(!text.overflow);
    return hash_of(writer_slice(text));
}

JoseKid jose_kid_of(const JoseKey& key) {
    const ExponentBytes exponent = exponent_bytes(key.exponent);
    const Hash hash = jwk_thumbprint({key.modulus, jose_modulus_size}, exponent_slice(exponent));
    JoseKid kid = {};
    Writer text = writer_of(kid.text, sizeof kid.text);
    put_base64url(text, hash_slice(hash));
    CHECK(!text.overflow && text.size == jose_kid_size);
    return kid;
}

Slice jose_kid_slice(const JoseKid& kid) { return {kid.text, jose_kid_size}; }

Status jose_kid_parse(Slice text, JoseKid& out) {
    uint8_t bytes[hash_size];
    if (text.size != jose_kid_size) return Status::invalid;
    if (take_exactly(text, bytes, sizeof bytes) != Status::ok) return Status::invalid;
    memcpy(out.text, text.data, jose_kid_size);
    return Status::ok;
}

uint32_t jws_size(uint32_t payload_size) {
    return header_size(sizeof jws_head - 1) + 1 + base64url_size(payload_size) + 1 +
           base64url_size(jose_modulus_size);
}

uint32_t jwe_size(uint32_t plain_size) {
    return header_size(sizeof jwe_head - 1) + 1 + base64url_size(jose_modulus_size) + 1 +
           base64url_size(jose_iv_size) + 1 + base64url_size(plain_size) + 1 +
           base64url_size(jose_tag_size);
}

Status jws_split(Slice text, Jws& out) {
    Slice parts[3];
    uint8_t header[jose_header_size_max];
    JsonObject object = {};
    if (cut_parts(text, parts, 3) != Status::ok) return Status::invalid;
    if (header_read(parts[0], object, header, out.header) != Status::ok) return Status::invalid;
    if (!member_is(object, "alg", jws_alg)) return Status::invalid;
    if (json_find(object, "enc") != nullptr) return Status::invalid;
    out.signed_text = slice_part(text, 0, parts[0].size + 1 + parts[1].size);
    out.payload = parts[1];
    return take_exactly(parts[2], out.signature, sizeof out.signature);
}

Status jwe_split(Slice text, Jwe& out) {
    Slice parts[5];
    uint8_t header[jose_header_size_max];
    JsonObject object = {};
    if (cut_parts(text, parts, 5) != Status::ok) return Status::invalid;
    if (header_read(parts[0], object, header, out.header) != Status::ok) return Status::invalid;
    if (!member_is(object, "alg", jwe_alg)) return Status::invalid;
    if (!member_is(object, "enc", jwe_enc)) return Status::invalid;
    const JsonMember* cty = json_find(object, "cty");
    out.header.is_nested = cty != nullptr && cty->kind == JsonKind::string &&
                           slice_equal_nocase(cty->text, "JWT");
    out.header_text = parts[0];
    out.content = parts[3];
    if (take_exactly(parts[1], out.key, sizeof out.key) != Status::ok) return Status::invalid;
    if (take_exactly(parts[2], out.iv, sizeof out.iv) != Status::ok) return Status::invalid;
    return take_exactly(parts[4], out.tag, sizeof out.tag);
}

void put_jws_header(Writer& writer, const JoseKey& signer) { put_header(writer, jws_head, signer); }

void put_jwe_header(Writer& writer, const JoseKey& recipient) {
    put_header(writer, jwe_head, recipient);
}
