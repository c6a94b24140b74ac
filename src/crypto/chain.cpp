#include "crypto/chain.h"

#include <mbedtls/x509_crt.h>

#include "crypto/x509_parts.h"

namespace {

const char* reason_of(uint32_t flags) {
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return "it is not signed by our CA";
    if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) return "it has expired";
    if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) return "it is not valid yet";
    return "it could not be verified";
}

}  // namespace

Status chain_verify(Slice pem, Slice ca_pem, const char*& reason) {
    mbedtls_x509_crt chain;
    mbedtls_x509_crt ca;
    uint32_t flags = 0;
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crt_init(&ca);
    reason = "it is no certificate";
    Status status = parse_certificate(pem, chain);
    if (status == Status::ok) status = parse_certificate(ca_pem, ca);
    if (status == Status::ok &&
        mbedtls_x509_crt_verify(&chain, &ca, nullptr, nullptr, &flags, nullptr, nullptr) != 0) {
        status = Status::invalid;
        reason = reason_of(flags);
    }
    mbedtls_x509_crt_free(&chain);
    mbedtls_x509_crt_free(&ca);
    return status;
}
