// sign_key.h - as sign.h, for keys and certificates that the library holds open.
//
// For crypto/ and channel/ only. Several threads may use one key at the same time, as handshakes
// do.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "crypto/sign.h"

Status sign_with_key(mbedtls_pk_context& key, Slice text, Writer& signature);
Status sign_verify_with_key(mbedtls_pk_context& key, Slice text, Slice signature);
Hash sign_fingerprint_of(const mbedtls_x509_crt& certificate);
