// chain.h - whether a certificate that somebody hands out leads to an authority that is known.
//
// For whoever gets one and must judge it before it is used: the client's side. A channel judges its
// peer's by itself.
#pragma once

#include "crypto/certificate.h"

// Judges the first certificate of `pem`, with the others of that text between it and one of `ca_pem`:
// signatures, dates by the library's clock, what authorities may do. Returns ok; invalid, with a
// literal as `reason`.
Status chain_verify(Slice pem, Slice ca_pem, const char*& reason);
