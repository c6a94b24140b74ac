// random.h - the library's door to our one source of randomness (P11).
//
// For crypto/ and channel/ only; other rooms use crypto_random.
#pragma once

#include <stddef.h>

// An `f_rng` of Mbed TLS over port_random; `context` is not used. Returns 0, or a code of the
// library, with `out` zeroed, when the source fails.
int crypto_rng(void* context, unsigned char* out, size_t size);
