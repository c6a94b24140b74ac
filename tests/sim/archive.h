// archive.h - old segments of the simulated bank moved elsewhere and put back, in the order in which
// `pennyctl archive` and a person do it. The server is stopped; the power may go at any call.
//
//     copies made and synced ─► journal/ARCHIVED written ─► segments removed
//     segments 1 to N copied back ─► all of the journal is there again
#pragma once

#include <string>

#include "port/sim/disk.h"

struct SimArchive {
    uint32_t segments;  // moved by this call
    uint64_t entry;     // newest one that lies elsewhere; 0 for none
};

// Moves what a start from either checkpoint does not need, and what an archiving before this one was
// cut off from removing. Returns false with `why`; the power may have gone.
bool archive_old(SimArchive& out, std::string& why);

// Copies all of it back. Returns false with `why`.
bool archive_put_back(std::string& why);
