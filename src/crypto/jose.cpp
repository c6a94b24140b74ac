#include "crypto/jose.h"

#include <string.h>

#include <mbedtls/gcm.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "crypto/rsa_parts.h"
#include "crypto/x509_parts.h"

namespace {

constexpr uint32_t modulus_bits = jose_modulus_size * 8;
constexpr uint32_t piece_size = 48;          // bytes sealed at a time: whole blocks, whole digits
static_assert(piece_size % 16 == 0 && piece_size % 3 == 0);
static_assert(jose_exponent_min == rsa_exponent_usual && hash_size == rsa_hash_size);

// Makes the library's form of a public key.
Status public_open(const JoseKey& key, mbedtls_rsa_context& out) {
    if (!jose_key_is_sound(key)) return Status::invalid;
    uint8_t exponent[rsa_exponent_size];
    for (uint32_t i = 0; i < sizeof exponent; i++) {
        exponent[i] = static_cast<uint8_t>(key.exponent >> (24 - 8 * i));
    }
    return rsa_open_public({key.modulus, jose_modulus_size}, exponent, out);
}

// Opens a private key into `pk`, which the caller frees whatever the answer.
Status private_open(Slice pem, mbedtls_pk_context& pk, JoseKey& out) {
    Status status = rsa_open_private(pem, modulus_bits, pk);
    if (status != Status::ok) return status;
    uint8_t exponent[rsa_exponent_size];
    JoseKey key = {};
    status = rsa_public_numbers(*mbedtls_pk_rsa(pk), key.modulus, jose_modulus_size, exponent);
    if (status != Status::ok) return status;
    for (const uint8_t byte : exponent) key.exponent = key.exponent << 8 | byte;
    if (!jose_key_is_sound(key)) return Status::invalid;
    out = key;
    return Status::ok;
}

// Content of an envelope, sealed piece by piece straight into digits; the tag at the end.
int seal_content(mbedtls_gcm_context& gcm, Slice plain, Writer& out) {
    for (uint32_t at = 0; at < plain.size; at += piece_size) {
        const Slice part = slice_part(plain, at, piece_size);
        uint8_t piece[piece_size];
        size_t size = 0;
        const int answer =
            mbedtls_gcm_update(&gcm, part.data, part.size, piece, sizeof piece, &size);
        if (answer != 0) return answer;
        CHECK(size == part.size);
        put_base64url(out, {piece, part.size});
    }
    uint8_t tag[jose_tag_size];
    size_t size = 0;
    const int answer = mbedtls_gcm_finish(&gcm, nullptr, 0, &size, tag, sizeof tag);
    if (answer != 0) return answer;
    CHECK(size == 0);
    put_u8(out, '.');
    put_base64url(out, {tag, sizeof tag});
    return 0;
}

// iv.content.tag; what `out` holds from `start` is the header, which the tag vouches for.
int put_content(const uint8_t* key, const uint8_t* iv, Slice header, Slice plain, Writer& out) {
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    put_base64url(out, {iv, jose_iv_size});
    put_u8(out, '.');
    int answer = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, jose_content_key_size * 8);
    if (answer == 0) answer = mbedtls_gcm_starts(&gcm, MBEDTLS_GCM_ENCRYPT, iv, jose_iv_size);
    if (answer == 0) answer = mbedtls_gcm_update_ad(&gcm, header.data, header.size);
    if (answer == 0) answer = seal_content(gcm, plain, out);
    mbedtls_gcm_free(&gcm);
    return answer;
}

// Fresh key and nonce for one envelope.
struct Fresh {
    uint8_t key[jose_content_key_size];
    uint8_t iv[jose_iv_size];
};

Status seal(mbedtls_rsa_context& rsa, const JoseKey& to, const Fresh& fresh, Slice plain,
            Writer& out) {
    const uint32_t start = out.size;
    put_jwe_header(out, to);
    const Slice header = {out.data + start, out.size - start};
    uint8_t wrapped[jose_modulus_size];
    int answer = rsa_seal_block(rsa, {fresh.key, sizeof fresh.key}, wrapped);
    if (answer != 0) return Status::failed;
    put_u8(out, '.');
    put_base64url(out, {wrapped, sizeof wrapped});
    put_u8(out, '.');
    answer = put_content(fresh.key, fresh.iv, header, plain, out);
    return answer == 0 ? Status::ok : Status::failed;
}

// Takes the content key out. One that does not fit becomes a random one, so that what follows is
// the same (H3).
Status open_content_key(mbedtls_rsa_context& rsa, const Jwe& jwe, uint8_t* out) {
    uint8_t found[jose_modulus_size] = {};
    uint32_t size = 0;
    Status status = crypto_random(out, jose_content_key_size);
    if (status != Status::ok) return status;
    const int answer = rsa_unseal_block(rsa, jwe.key, found, sizeof found, size);
    if (status_of_library(answer) == Status::failed) status = Status::failed;
    if (answer == 0 && size == jose_content_key_size) memcpy(out, found, jose_content_key_size);
    wipe(found, sizeof found);
    return status;
}

Status open_content(const Jwe& jwe, const uint8_t* key, uint8_t* bytes, uint32_t size) {
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    int answer = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, jose_content_key_size * 8);
    const bool ready = answer == 0;
    if (ready) {
        answer = mbedtls_gcm_auth_decrypt(&gcm, size, jwe.iv, jose_iv_size, jwe.header_text.data,
                                          jwe.header_text.size, jwe.tag, jose_tag_size, bytes,
                                          bytes);
    }
    mbedtls_gcm_free(&gcm);
    if (!ready) return Status::failed;
    return answer == 0 ? Status::ok : Status::damaged;
}

Status open(mbedtls_rsa_context& rsa, const Jwe& jwe, Writer& plain) {
    Writer bytes = plain;
    Status status = parse_base64url(jwe.content, bytes);
    if (status != Status::ok) return status;
    uint8_t key[jose_content_key_size];
    status = open_content_key(rsa, jwe, key);
    const uint32_t size = bytes.size - plain.size;
    if (status == Status::ok) status = open_content(jwe, key, plain.data + plain.size, size);
    wipe(key, sizeof key);
    if (status != Status::ok) {
        wipe(plain.data + plain.size, size);
        return status;
    }
    plain = bytes;
    return Status::ok;
}

Status sign(mbedtls_rsa_context& rsa, const JoseKey& key, Slice payload, Writer& out) {
    const uint32_t start = out.size;
    put_jws_header(out, key);
    put_u8(out, '.');
    put_base64url(out, payload);
    const Hash hash = hash_of({out.data + start, out.size - start});
    uint8_t signature[jose_modulus_size];
    if (rsa_sign(rsa, hash.bytes, signature) != 0) return Status::failed;
    put_u8(out, '.');
    put_base64url(out, {signature, sizeof signature});
    return Status::ok;
}

}  // namespace

Status jose_key_make(Writer& pem) { return rsa_make_key(modulus_bits, pem); }

Status jose_key_read(Slice key_pem, JoseKey& out) {
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    const Status status = private_open(key_pem, pk, out);
    mbedtls_pk_free(&pk);
    return status;
}

Status jws_sign(Slice key_pem, Slice payload, Writer& out) {
    if (writer_room(out) < jws_size(payload.size)) return Status::full;
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    JoseKey key = {};
    const uint32_t start = out.size;
    Status status = private_open(key_pem, pk, key);
    if (status == Status::ok) status = sign(*mbedtls_pk_rsa(pk), key, payload, out);
    mbedtls_pk_free(&pk);
    if (status != Status::ok) out.size = start;
    CHECK(!out.overflow);
    return status;
}

Status jws_verify(const JoseKey& key, Slice text, Writer& payload) {
    Jws jws = {};
    if (jws_split(text, jws) != Status::ok) return Status::invalid;
    Writer bytes = payload;
    Status status = parse_base64url(jws.payload, bytes);
    if (status != Status::ok) return status;
    mbedtls_rsa_context rsa;
    mbedtls_rsa_init(&rsa);
    status = public_open(key, rsa);
    if (status == Status::ok) {
        const Hash hash = hash_of(jws.signed_text);
        const int answer = rsa_verify(rsa, hash.bytes, jws.signature);
        if (answer != 0) status = Status::damaged;
        if (status_of_library(answer) == Status::failed) status = Status::failed;
    }
    mbedtls_rsa_free(&rsa);
    if (status == Status::ok) payload = bytes;
    return status;
}

Status jwe_seal(const JoseKey& key, Slice plain, Writer& out) {
    if (writer_room(out) < jwe_size(plain.size)) return Status::full;
    Fresh fresh = {};
    if (crypto_random(fresh.key, sizeof fresh.key) != Status::ok) return Status::failed;
    if (crypto_random(fresh.iv, sizeof fresh.iv) != Status::ok) return Status::failed;
    mbedtls_rsa_context rsa;
    mbedtls_rsa_init(&rsa);
    const uint32_t start = out.size;
    Status status = public_open(key, rsa);
    if (status == Status::ok) status = seal(rsa, key, fresh, plain, out);
    mbedtls_rsa_free(&rsa);
    wipe(&fresh, sizeof fresh);
    if (status != Status::ok) out.size = start;
    CHECK(!out.overflow);
    return status;
}

Status jwe_open(Slice key_pem, Slice text, Writer& plain) {
    Jwe jwe = {};
    if (jwe_split(text, jwe) != Status::ok) return Status::invalid;
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    JoseKey key = {};
    Status status = private_open(key_pem, pk, key);
    if (status == Status::ok) status = open(*mbedtls_pk_rsa(pk), jwe, plain);
    mbedtls_pk_free(&pk);
    return status;
}
