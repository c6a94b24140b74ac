// workers.h - several processes that share the pieces of one part, and add up what they counted.
//
// The simulated disk, clock and server are one per process, so work is shared by processes, not by
// threads. Each worker tells its tally through a pipe, as lines of a name and a count, and what did
// not hold as a line that begins with `!`.
#pragma once

#include <stdio.h>

#include "sim/parts.h"

// Does the pieces `from` to `from + count - 1` of a part in `jobs` processes; with one job in this
// process. Returns false when something did not hold, which is printed.
bool workers_run(const Part& part, uint64_t from, uint64_t count, uint32_t jobs, Tally& tally);

// Takes portions of every part in turn until SIGINT or SIGTERM, or until `seconds` have passed (0:
// never), and prints what was counted so far now and then, and at the end.
bool workers_run_long(const Part* parts, uint32_t part_count, uint64_t from, uint32_t jobs,
                      uint32_t seconds, Tally& tally);

void tally_print(FILE* out, const Tally& tally);
