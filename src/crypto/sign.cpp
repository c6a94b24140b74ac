#include "crypto/sign.h"

#include "crypto/random.h"
#include "crypto/sign_key.h"
#include "crypto/x509_parts.h"

namespace {

static_assert(signature_size_max == MBEDTLS_MPI_MAX_SIZE, "RSA's are as long as its modulus");
static_assert(MBEDTLS_PK_SIGNATURE_MAX_SIZE <= signature_size_max, "the library never needs more");

constexpr mbedtls_pk_rsassa_pss_options pss_options = {MBEDTLS_MD_SHA256, hash_size};

bool is_rsa(const mbedtls_pk_context& key) {
    return mbedtls_pk_can_do(&key, MBEDTLS_PK_RSA) == 1;
}

mbedtls_pk_type_t type_of(const mbedtls_pk_context& key) {
    return is_rsa(key) ? MBEDTLS_PK_RSASSA_PSS : MBEDTLS_PK_ECDSA;
}

}  // namespace

Status sign_with_key(mbedtls_pk_context& key, Slice text, Writer& signature) {
    const Hash hash = hash_of(text);
    unsigned char bytes[signature_size_max];
    size_t size = 0;
    const int answer = mbedtls_pk_sign_ext(type_of(key), &key, MBEDTLS_MD_SHA256, hash.bytes,
                                           hash_size, bytes, sizeof bytes, &size, crypto_rng,
                                           nullptr);
    if (answer != 0) return Status::failed;
    if (writer_room(signature) < size) return Status::full;
    put_bytes(signature, {bytes, static_cast<uint32_t>(size)});
    return Status::ok;
}

Status sign_verify_with_key(mbedtls_pk_context& key, Slice text, Slice signature) {
    const Hash hash = hash_of(text);
    const int answer = mbedtls_pk_verify_ext(type_of(key), is_rsa(key) ? &pss_options : nullptr,
                                             &key, MBEDTLS_MD_SHA256, hash.bytes, hash_size,
                                             signature.data, signature.size);
    if (answer == 0) return Status::ok;
    return status_of_library(answer) == Status::failed ? Status::failed : Status::damaged;
}

Hash sign_fingerprint_of(const mbedtls_x509_crt& certificate) {
    return hash_of({certificate.raw.p, static_cast<uint32_t>(certificate.raw.len)});
}

Status sign_text(Slice key_pem, Slice text, Writer& signature) {
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    Status status = parse_key(key_pem, key);
    if (status == Status::ok) status = sign_with_key(key, text, signature);
    mbedtls_pk_free(&key);
    return status;
}

Status sign_verify(Slice certificate_pem, Slice text, Slice signature) {
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    Status status = parse_certificate(certificate_pem, certificate);
    if (status == Status::ok) status = sign_verify_with_key(certificate.pk, text, signature);
    mbedtls_x509_crt_free(&certificate);
    return status;
}

Status sign_fingerprint(Slice certificate_pem, Hash& out) {
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    const Status status = parse_certificate(certificate_pem, certificate);
    if (status == Status::ok) out = sign_fingerprint_of(certificate);
    mbedtls_x509_crt_free(&certificate);
    return status;
}
