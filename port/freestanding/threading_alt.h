/* threading_alt.h - the mutex of Mbed TLS where there are no threads of a system. The port says
 * what locking is, through mbedtls_threading_set_alt. */
#pragma once

#include <stdint.h>

typedef struct {
    volatile uint32_t taken;
} mbedtls_threading_mutex_t;
