// archived.h - journal/ARCHIVED: where a journal begins whose oldest segments lie elsewhere.
//
// Reads and writes one small text; the file is the port's. A book of which segments were archived
// begins at its first kept segment, and this text anchors it: what it says of the last archived
// batch must be what the first kept one names as its predecessor.
//
//     pennybank-archived 1
//     bank HEX
//     segment N                   the first that is kept
//     batch N                     the first in it
//     entry N                     the first in it
//     time MS                     of the last batch before it
//     chain HEX                   its SHA-256
//     part FIRST LAST ENTRY NAME  one line per archive, oldest first: its segments, the first entry
//                                 behind it, and what it is called
//     sum HEX                     SHA-256 of all lines before
//
//   Y1. The parts follow each other without a gap, from segment 1 to the last before `segment`.
//   Y2. What is read back is only what could have been written.
#pragma once

#include "journal/recovery.h"

inline constexpr uint32_t archived_version = 1;
inline constexpr uint32_t archive_name_size_max = 63;  // bytes
inline constexpr uint32_t archived_parts_max = 32;
inline constexpr uint32_t archived_size_max = 512 + archived_parts_max * 256;  // bytes

struct ArchivedPart {
    uint32_t first;       // segments
    uint32_t last;
    uint64_t entry_next;  // the first entry that is not in it
    char name[archive_name_size_max + 1];  // NUL-terminated
};

struct Archived {
    uint8_t bank_id[bank_id_size];
    uint32_t segment;  // the first that is kept; 0 when nothing was archived
    uint64_t batch;
    uint64_t entry;
    uint64_t time_ms;
    Hash chain;
    uint32_t part_count;
    ArchivedPart parts[archived_parts_max];
};

void archived_format(const Archived& archived, Writer& out);

// Returns damaged, or failed for a newer version; then `out` says that nothing was archived.
Status archived_parse(Slice text, Archived& out);

// The archive in which a segment lies, or nullptr.
const ArchivedPart* archived_find(const Archived& archived, uint32_t segment);

// Notes segments first..last as another part, or as more of the newest when it has this name.
// Returns full when there are too many parts, invalid for a name that is none.
Status archived_add(Archived& archived, uint32_t first, uint32_t last, uint64_t entry_next,
                    Slice name);

// Begins a walk at the first kept segment, tied to the last batch before it.
void archived_start(const Archived& archived, Recovery& recovery, Position mark);
