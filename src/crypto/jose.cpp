#include "crypto/jose.h"

#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/gcm.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "crypto/random.h"
#include "crypto/x509_parts.h"

namespace {

constexpr uint32_t modulus_bits = jose_modulus_size * 8;
constexpr uint32_t key_der_size_max = 2048;  // bytes of a fresh key, about 1,800
constexpr uint32_t piece_size = 48;          // bytes sealed at a time: whole blocks, whole digits
static_assert(piece_size % 16 == 0 && piece_size % 3 == 0);

// OAEP and PSS, both with SHA-256.
int set_padding(mbedtls_rsa_context& rsa) {
    return mbedtls_rsa_set_padding(&rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
}

// Makes the library's form of a public key.
Status public_open(const JoseKey& key, mbedtls_rsa_context& out) {
    if (!jose_key_is_sound(key)) return Status::invalid;
    uint8_t exponent[4];
    for (uint32_t i = 0; i < sizeof exponent; i++) {
        exponent[i] = static_cast<uint8_t>(key.exponent >> (24 - 8 * i));
    }
    int answer = mbedtls_rsa_import_raw(&out, key.modulus, jose_modulus_size, nullptr, 0, nullptr,
                                        0, nullptr, 0, exponent, sizeof exponent);
    if (answer == 0) answer = mbedtls_rsa_complete(&out);
    if (answer == 0) answer = mbedtls_rsa_check_pubkey(&out);
    if (answer == 0) answer = set_padding(out);
    return status_of_library(answer);
}

Status public_of(mbedtls_rsa_context& rsa, JoseKey& out) {
    uint8_t exponent[4];
    JoseKey key = {};
    if (mbedtls_rsa_get_bitlen(&rsa) != modulus_bits) return Status::invalid;
    const int answer = mbedtls_rsa_export_raw(&rsa, key.modulus, jose_modulus_size, nullptr, 0,
                                              nullptr, 0, nullptr, 0, exponent, sizeof exponent);
    if (answer != 0) return status_of_library(answer);
    for (const uint8_t byte : exponent) key.exponent = key.exponent << 8 | byte;
    if (!jose_key_is_sound(key)) return Status::invalid;
    out = key;
    return Status::ok;
}

// Opens a private key into `pk`, which the caller frees whatever the answer.
Status private_open(Slice pem, mbedtls_pk_context& pk, JoseKey& out) {
    Status status = parse_key(pem, pk);
    if (status != Status::ok) return status;
    if (mbedtls_pk_get_type(&pk) != MBEDTLS_PK_RSA) return Status::invalid;
    mbedtls_rsa_context& rsa = *mbedtls_pk_rsa(pk);
    status = public_of(rsa, out);
    if (status != Status::ok) return status;
    return status_of_library(set_padding(rsa));
}

// Wraps the RSAPrivateKey at the end of `der` as PKCS#8 (RFC 5958): version, algorithm, key.
int wrap_key(unsigned char* der, uint32_t& size) {
    unsigned char* at = der + key_der_size_max - size;
    size_t whole = size;
    int answer = mbedtls_asn1_write_len(&at, der, whole);
    if (answer >= 0) {
        whole += static_cast<size_t>(answer);
        answer = mbedtls_asn1_write_tag(&at, der, MBEDTLS_ASN1_OCTET_STRING);
    }
    if (answer >= 0) {
        whole += static_cast<size_t>(answer);
        answer = mbedtls_asn1_write_algorithm_identifier(
            &at, der, MBEDTLS_OID_PKCS1_RSA, MBEDTLS_OID_SIZE(MBEDTLS_OID_PKCS1_RSA), 0);
    }
    if (answer >= 0) {
        whole += static_cast<size_t>(answer);
        answer = mbedtls_asn1_write_int(&at, der, 0);
    }
    if (answer >= 0) {
        whole += static_cast<size_t>(answer);
        answer = mbedtls_asn1_write_len(&at, der, whole);
    }
    if (answer >= 0) {
        whole += static_cast<size_t>(answer);
        answer = mbedtls_asn1_write_tag(&at, der,
                                        MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    }
    if (answer < 0) return answer;
    size = static_cast<uint32_t>(whole) + static_cast<uint32_t>(answer);
    return 0;
}

Status put_private(mbedtls_pk_context& pk, Writer& pem) {
    unsigned char der[key_der_size_max];
    const uint32_t start = pem.size;
    int answer = mbedtls_pk_write_key_der(&pk, der, sizeof der);
    uint32_t size = 0;
    if (answer > 0) {
        size = static_cast<uint32_t>(answer);
        answer = wrap_key(der, size);
    }
    if (answer == 0) put_pem(pem, "PRIVATE KEY", {der + sizeof der - size, size});
    wipe(der, sizeof der);
    if (answer != 0) return Status::failed;
    if (!pem.overflow) return Status::ok;
    wipe(pem.data + start, pem.capacity - start);
    pem.size = start;
    return Status::full;
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
    int answer = mbedtls_rsa_rsaes_oaep_encrypt(&rsa, crypto_rng, nullptr, nullptr, 0,
                                                sizeof fresh.key, fresh.key, wrapped);
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
    size_t size = 0;
    Status status = crypto_random(out, jose_content_key_size);
    if (status != Status::ok) return status;
    const int answer = mbedtls_rsa_rsaes_oaep_decrypt(&rsa, crypto_rng, nullptr, nullptr, 0, &size,
                                                      jwe.key, found, sizeof found);
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
    const int answer =
        mbedtls_rsa_rsassa_pss_sign_ext(&rsa, crypto_rng, nullptr, MBEDTLS_MD_SHA256, hash_size,
                                        hash.bytes, hash_size, signature);
    if (answer != 0) return Status::failed;
    put_u8(out, '.');
    put_base64url(out, {signature, sizeof signature});
    return Status::ok;
}

}  // namespace

Status jose_key_make(Writer& pem) {
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    int answer = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (answer == 0) {
        answer = mbedtls_rsa_gen_key(mbedtls_pk_rsa(pk), crypto_rng, nullptr, modulus_bits,
                                     jose_exponent_min);
    }
    const Status status = answer == 0 ? put_private(pk, pem) : Status::failed;
    mbedtls_pk_free(&pk);
    return status;
}

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
        const int answer =
            mbedtls_rsa_rsassa_pss_verify_ext(&rsa, MBEDTLS_MD_SHA256, hash_size, hash.bytes,
                                              MBEDTLS_MD_SHA256, hash_size, jws.signature);
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
