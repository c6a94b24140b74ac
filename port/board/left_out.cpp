// left_out.cpp - what stands in pennyd on a board in place of functions that it never comes to call
// (left_out.def), so that they and all that only they need are not linked. penny has the whole
// libraries.
//
// Callers hand in arguments, of which nothing here takes notice. Refusals are the libraries' own
// numbers. Where a function can refuse nothing, the program ends: a call would be our own bug.
#include <stdlib.h>

namespace {

int refuse_tls() { return -0x7080; }     // MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE
int refuse_psa() { return -134; }        // PSA_ERROR_NOT_SUPPORTED
int refuse_rsa() { return -0x4080; }     // MBEDTLS_ERR_RSA_BAD_INPUT_DATA
int refuse_number() { return -0x000e; }  // MBEDTLS_ERR_MPI_NOT_ACCEPTABLE
int stop() { abort(); }

}  // namespace

// The linker gives calls of `function` to this name instead.
#define LEFT_OUT(function, answer) \
    extern "C" int __wrap_##function(); \
    extern "C" int __wrap_##function() { return answer(); }
#include "board/left_out.def"
#undef LEFT_OUT
