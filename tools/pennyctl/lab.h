// lab.h - the part of `pennyctl lab` that reads client.conf.
#pragma once

#include "base/bytes.h"

// Puts what a client.conf lacks to find the laboratory's keys, to be appended to it; nothing where
// it names them all. Returns ok; invalid for a text that does not end in its section [client], so
// that nothing can be appended to that.
Status lab_put_client_lines(Slice conf, Writer& out);
