// lab_client.h - penny on a channel of the laboratory: its options, its keys, what it is worth.
//
// Nobody logs in there, and no terminal's certificate is used: options that ask for either are
// refused, and what client.conf says of them is passed over. A build without channels (CHANNELS=)
// has nothing of this but the sentence that says so.
#pragma once

#include "penny/connection.h"
#include "penny/options.h"

// Finds the channel that --channel names, and refuses what does not go with it. Returns exit_go_on,
// or exit_usage with the reason printed.
ExitCode lab_client_check(Options& options);

// Reads keys and passphrase, or makes the keys and asks for the passphrase, and readies the
// connection. Returns exit_go_on, or what to exit with and the reason printed.
ExitCode lab_client_init(Connection& connection, const Options& options);

// Wipes what lab_client_init loaded. Safe without it.
void lab_client_free();

// Prints on standard error what the channel is worth, with TLS beside it.
void lab_client_tell_worth(const Options& options);
