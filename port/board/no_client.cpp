// no_client.cpp - in pennyd on a board, the client's half of a TLS handshake is left out: it begins
// none. The library's one switch between both halves is at run time, so what it would call stands
// here and refuses; 15 KB are not linked then. penny has its client from the library.

struct mbedtls_ssl_context;

namespace {

constexpr int not_here = -0x7080;  // MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE

}  // namespace

extern "C" {

// As the library's ssl_misc.h declares them.
int mbedtls_ssl_write_client_hello(mbedtls_ssl_context* ssl);
int mbedtls_ssl_handshake_client_step(mbedtls_ssl_context* ssl);
int mbedtls_ssl_tls13_handshake_client_step(mbedtls_ssl_context* ssl);

int mbedtls_ssl_write_client_hello(mbedtls_ssl_context*) {
    return not_here;
}

int mbedtls_ssl_handshake_client_step(mbedtls_ssl_context*) {
    return not_here;
}

int mbedtls_ssl_tls13_handshake_client_step(mbedtls_ssl_context*) {
    return not_here;
}

}  // extern "C"
