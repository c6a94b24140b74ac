// request_checks.h - what request.h promises (Q1 to Q4), CHECKed for the bytes of one input.
#pragma once

#include "wire/request.h"

// Parses request after request as a session does, until the bytes are used up or refused, with the
// limits before login or after it. Calls `seen` for each request; `before` holds the bytes that it
// came from, as they were sent.
using RequestSeen = void (*)(const Request& request, Slice before);
void request_checks_run(Slice bytes, bool is_ready, RequestSeen seen);
