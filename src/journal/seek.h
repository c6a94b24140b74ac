// seek.h - finds one entry of the journal by its sequence.
//
// A walk told bytes: it says which part of which segment it wants, the caller reads it, on a worker
// or wherever it likes, and feeds it back. It owns no memory but itself and needs no index, since
// segments begin with a batch and every batch says which entries it has:
//
//     seek_begin ──► segments, by halves ──► batches of one segment, by halves ──► entries of one
//                                                                                   batch
//                    read `want`, feed …                                              │
//                                       end ◄── the whole batch against its hash ◄────┘
//
//   X1. What is found lies in a batch whose SHA-256 was computed again: header, entries and hash
//       are what was once sealed. The caller still decodes the entry and looks at its sequence.
//   X2. Bounded: a search by halves over segments and blocks, at most batch_size_max / block_size
//       blocks back from each place looked at, and one batch read twice.
#pragma once

#include "journal/log.h"

inline constexpr uint32_t seek_window_size = 16384;  // bytes; the most that is wanted at once

enum class SeekStep : uint8_t { segments, batches, entries, hashed, hash };

struct Seek {
    uint64_t seq;
    uint8_t bank_id[bank_id_size];
    SeekStep step;

    // What to read next. Fewer bytes are there only where the segment ends.
    Position want;
    uint32_t want_size;

    // By halves over segments: those from low_segment to high_segment are still to be looked at.
    uint32_t segment;       // the newest one known to begin at `seq` or before; 0 for none
    uint32_t low_segment;
    uint32_t high_segment;
    Position journal_end;

    // By halves over the blocks of `segment`: batches that begin from `low` up to `high`, which is
    // left out, are still to be looked at.
    uint32_t low;
    uint32_t high;
    uint32_t middle;
    uint32_t probe;         // going back from `middle` to where a batch begins
    BatchHeader header;     // of the newest batch known to begin at `seq` or before
    uint32_t batch;         // its offset

    // In that batch.
    uint32_t offset;        // of the next entry, or of the next byte to hash
    uint64_t offset_seq;    // of that entry
    Hasher hasher;

    // What was found.
    Position position;
    uint32_t entry_size;    // bytes
    uint8_t entry[entry_size_max];
    Hash hash;              // of the batch, which is header.seq
};

// Begins to look for an entry among those that end at `journal_end`, the end of a durable batch.
void seek_begin(Seek& seek, const uint8_t bank_id[bank_id_size], uint64_t seq,
                Position journal_end);

// Takes what was read: ok with the bytes, absent when there is no such segment, failed when it
// cannot be read. Returns
//   more     `want` says what to read next
//   end      found: position, entry, header and hash are set
//   absent   it is older than every segment there is
//   damaged  the journal is not what was once written
//   failed   as it was told
Status seek_feed(Seek& seek, Status outcome, Slice bytes);
