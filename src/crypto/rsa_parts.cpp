#include "crypto/rsa_parts.h"

#include <mbedtls/asn1.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>

#include "crypto/random.h"
#include "crypto/x509_parts.h"

namespace {

constexpr uint32_t key_der_size_max = 2048;  // bytes of a fresh key; of RSA-3072 about 1,800

// OAEP and PSS, both with SHA-256.
int set_padding(mbedtls_rsa_context& rsa) {
    return mbedtls_rsa_set_padding(&rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
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

}  // namespace

Status rsa_make_key(uint32_t bits, Writer& pem) {
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    int answer = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (answer == 0) {
        answer = mbedtls_rsa_gen_key(mbedtls_pk_rsa(pk), crypto_rng, nullptr, bits,
                                     rsa_exponent_usual);
    }
    const Status status = answer == 0 ? put_private(pk, pem) : Status::failed;
    mbedtls_pk_free(&pk);
    return status;
}

Status rsa_open_private(Slice pem, uint32_t bits, mbedtls_pk_context& out) {
    const Status status = parse_key(pem, out);
    if (status != Status::ok) return status;
    if (mbedtls_pk_get_type(&out) != MBEDTLS_PK_RSA) return Status::invalid;
    if (mbedtls_pk_get_bitlen(&out) != bits) return Status::invalid;
    return status_of_library(set_padding(*mbedtls_pk_rsa(out)));
}

Status rsa_public_numbers(const mbedtls_rsa_context& rsa, uint8_t* modulus, uint32_t modulus_size,
                          uint8_t exponent[rsa_exponent_size]) {
    if (mbedtls_rsa_get_bitlen(&rsa) != size_t{modulus_size} * 8) return Status::invalid;
    return status_of_library(mbedtls_rsa_export_raw(&rsa, modulus, modulus_size, nullptr, 0,
                                                    nullptr, 0, nullptr, 0, exponent,
                                                    rsa_exponent_size));
}

Status rsa_open_public(Slice modulus, const uint8_t exponent[rsa_exponent_size],
                       mbedtls_rsa_context& out) {
    int answer = mbedtls_rsa_import_raw(&out, modulus.data, modulus.size, nullptr, 0, nullptr, 0,
                                        nullptr, 0, exponent, rsa_exponent_size);
    if (answer == 0) answer = mbedtls_rsa_complete(&out);
    if (answer == 0) answer = mbedtls_rsa_check_pubkey(&out);
    if (answer == 0) answer = set_padding(out);
    return status_of_library(answer);
}

int rsa_sign(mbedtls_rsa_context& rsa, const uint8_t hash[rsa_hash_size], uint8_t* signature) {
    return mbedtls_rsa_rsassa_pss_sign_ext(&rsa, crypto_rng, nullptr, MBEDTLS_MD_SHA256,
                                           rsa_hash_size, hash, rsa_hash_size, signature);
}

int rsa_verify(mbedtls_rsa_context& rsa, const uint8_t hash[rsa_hash_size],
               const uint8_t* signature) {
    return mbedtls_rsa_rsassa_pss_verify_ext(&rsa, MBEDTLS_MD_SHA256, rsa_hash_size, hash,
                                             MBEDTLS_MD_SHA256, rsa_hash_size, signature);
}

int rsa_seal_block(mbedtls_rsa_context& rsa, Slice plain, uint8_t* block) {
    return mbedtls_rsa_rsaes_oaep_encrypt(&rsa, crypto_rng, nullptr, nullptr, 0, plain.size,
                                          plain.data, block);
}

int rsa_unseal_block(mbedtls_rsa_context& rsa, const uint8_t* block, uint8_t* plain,
                     uint32_t capacity, uint32_t& size) {
    size_t found = 0;
    const int answer = mbedtls_rsa_rsaes_oaep_decrypt(&rsa, crypto_rng, nullptr, nullptr, 0,
                                                      &found, block, plain, capacity);
    size = static_cast<uint32_t>(found);
    return answer;
}
