// crypto.h - brings the library of cryptography up on our memory, our clock and our randomness.
//
// Mbed TLS gets one fixed heap cut from the arena (P5), one source of random bytes, port_random
// (P11), and the wall clock that the server was last told. Nothing of the library shows here.
#pragma once

#include "base/arena.h"
#include "base/heap.h"
#include "base/status.h"

// Takes the library's heap from `arena`: room for `sessions` established TLS sessions, of which
// `handshakes` may be in their handshake at once, for one signature at a time that is made or
// judged, for `message_keys` (0 or 1) messages at a time that are opened and answered, for what
// `lab_listeners` of the laboratory have loaded and one step of its sessions at a time, and for
// two generations of what `tls_listeners` have loaded, at least one.
void crypto_layout(Heap& heap, Arena& arena, uint32_t sessions, uint32_t handshakes,
                   uint32_t message_keys, uint32_t lab_listeners, uint32_t tls_listeners);

// Must be called once, before anything else of crypto/ or channel/, from the only thread there is.
// `heap`, laid out over real memory, is initialised here and becomes the library's only memory;
// nullptr leaves it on the C library's (tools and tests). A further call with the same `heap` does
// nothing. Returns failed when the library's self-set-up does.
Status crypto_init(Heap* heap);

// Ends it, for tests that bring the library up on several heaps one after the other: everything
// of the library must have been given back, and only crypto_init may follow.
void crypto_free();

// Tells the library the time that certificates are judged by, in ms since 1970 UTC.
void crypto_clock_set(uint64_t wall_ms);

// Fills `out` with random bytes. Returns failed, with `out` zeroed, when the source does.
Status crypto_random(uint8_t* out, uint32_t size);
