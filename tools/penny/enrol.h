// enrol.h - penny enrol: a terminal's first certificate, with a code of `pennyctl enrol`.
//
//     handshake as a stranger ──► the CA in the chain that the code was made for: the anchor
//     handshake again, by the anchor and HOST ──► ENROL code ──► name, port
//     DIR/ca.crt, DIR/NAME.key made ──► ENROL code request ──► DIR/NAME.crt, DIR/client.conf
//
//   V1. Of the code nothing is sent before the server was verified by the anchor, under the name that
//       was typed: a man in the middle learns that somebody would enrol, and no more.
//   V2. The key is made here and stays in DIR. The request alone is sent.
//   V3. A file that belongs to another bank or another terminal is not overwritten; then nothing is
//       asked for in the first place.
//   V4. Cut off anywhere, the same command goes on: the key that is there is taken, and the server
//       gives the same answer again.
#pragma once

#include "penny/client.h"

// Returns what to exit with.
ExitCode enrol_run(Client& client, const Options& options);
