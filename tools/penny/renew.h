// renew.h - this terminal's next certificate: RENEW, by itself when it is time, or when asked for.
//
//     KEY.next ──► request ──► RENEW ──► certificate judged ──► CERT and KEY replaced (pair.h)
//
// The name in it is that of the present one. The key is made here, and the request alone is sent.
//
//   W1. What is done by itself never stops the command that was asked for: a failure is one line on
//       standard error, and waiting for the operator none.
#pragma once

#include "penny/client.h"

// Readies what renews by itself, where the certificate came from a client.conf and has less than a
// third of its life left: the next connection that `client` opens begins with it.
void renew_prepare(Client& client, const Options& options);

// penny renew: now, whatever is left; with --due only when it is time, and without a word
// otherwise. Returns what to exit with.
ExitCode renew_run(Client& client, const Options& options);

// A certificate in the answer to ENROL or RENEW, for this key and name and from this CA. Returns
// false with the reason printed behind `what`.
bool renew_judge(const char* what, Slice certificate, Slice key_pem, Slice name, Slice ca_pem);
