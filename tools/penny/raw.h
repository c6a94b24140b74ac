// raw.h - --raw: standard input and output over the TLS session, byte for byte.
//
// The end of standard input is told to the server (close_notify) and receiving goes on until the
// server ends too. Nothing is interpreted, escaped or sent twice.
#pragma once

#include "penny/connection.h"
#include "penny/options.h"

// Copies over an open connection. Returns exit_done when the server ended in order.
ExitCode raw_copy(Connection& connection);
