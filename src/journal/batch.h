// batch.h - the unit that is written and synced at once: header, entries, SHA-256, padding.
//
// Lays bytes out and judges bytes; to it an entry is bytes with its size in front. It opens no
// file. On disk, little-endian, on a block boundary of a segment, padded with zeros to whole
// blocks:
//
//     offset  size  field
//          0     8  magic "PNYBATCH"
//          8     4  format version, 1
//         12     4  header size, 128
//         16    16  bank id, the same in every batch of a book
//         32     8  salt, drawn when the segment was made
//         40     4  segment number, from 1
//         44     4  offset of this batch in the segment, bytes
//         48     8  batch sequence, from 1
//         56     8  sequence of the first entry (of the next one to come, when there is none)
//         64     4  number of entries
//         68     4  size of all entries, bytes
//         72     8  time, ms since 1970 UTC; never less than the batch before
//         80     4  flags: 1 = closing batch
//         84     4  size that the segment was made with, bytes
//         88     8  zero
//         96    32  SHA-256 of the batch before (its last field), zero in the first
//        128     n  entries, each beginning with its own size as u16
//      128+n    32  SHA-256 over bytes 0 .. 128+n
//
//   J1. Batch sequences and entry sequences run without a gap, across segments.
//   J2. Each batch names the hash of the one before: the book is tamper-evident from its head.
//   J3. A batch says where it belongs, so one that the disk put elsewhere is known as misplaced.
//   J4. A batch says how long its segment was made, and begins only where a whole batch would have
//       room in it: so one that lost its end is known wherever it was cut.
#pragma once

#include "crypto/hash.h"

inline constexpr uint32_t batch_header_size = 128;
inline constexpr uint32_t batch_version = 1;
inline constexpr uint32_t batch_flag_closing = 1;
inline constexpr uint32_t batch_entries_size_max =
    batch_size_max - batch_header_size - hash_size;  // bytes

struct BatchHeader {
    uint8_t bank_id[bank_id_size];
    uint64_t salt;
    uint32_t segment;
    uint32_t offset;
    uint64_t seq;
    uint64_t entry_first;
    uint32_t entry_count;
    uint32_t entries_size;
    uint64_t time_ms;
    uint32_t flags;
    uint32_t segment_size;  // bytes
    Hash previous;
};

// What the bytes at a block boundary are. Only `whole` says that the header may be believed.
enum class BatchFind : uint8_t {
    blank,    // the first block is all zero: nothing was ever written here
    junk,     // something that is not a sound batch
    foreign,  // a sound batch of another bank
    newer,    // written by a newer format than this program knows
    whole,    // a sound batch of this bank
};

// Bytes on disk of a batch with this many bytes of entries.
uint32_t batch_size_of(uint32_t entries_size);

// Completes a batch whose entries already stand at memory + batch_header_size: writes header, hash
// and padding. `memory` has room for batch_size_of(header.entries_size). Returns its hash.
Hash batch_seal(uint8_t* memory, const BatchHeader& header);

// Judges the bytes at a block boundary; all of them are untrusted. `bytes` should hold up to
// batch_size_max; a batch that is cut off is junk. On whole, header, entries and hash are set and
// `entries` has been checked to be exactly entry_count entries. With `bank_id` nullptr any bank is
// accepted.
BatchFind batch_find(Slice bytes, const uint8_t* bank_id, BatchHeader& header, Slice& entries,
                     Hash& hash);

// Reads the header at the front of `bytes` and judges it alone: entries and hash may be anything.
// Returns damaged when it is no header of this format and this bank.
Status batch_peek(Slice bytes, const uint8_t bank_id[bank_id_size], BatchHeader& out);

// Cuts the next entry off the front. Returns end after the last, damaged when the sizes do not add
// up.
Status batch_next_entry(Reader& entries, Slice& out);
