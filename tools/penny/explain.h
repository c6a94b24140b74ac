// explain.h - --explain: each step with its time and sizes, on standard error.
//
// Follows the TLS records of both directions as they pass and names each. Says nothing until
// explain_start; no password ever comes here.
#pragma once

#include "base/bytes.h"

enum class Direction : uint8_t { sent, received };

void explain_start();
bool explain_is_on();

// One line with the milliseconds since explain_start.
[[gnu::format(printf, 1, 2)]] void explain(const char* format, ...);

// A new connection: the records of both directions begin anew.
void explain_connection();

// Names the records that begin in these bytes of the wire.
void explain_bytes(Direction direction, Slice bytes);
