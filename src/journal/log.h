// log.h - the order of entries and when they are durable: propose, committed, what lies between.
//
// Entries that arrive together fill one batch; the batch is written and synced once (group commit)
// while the next one fills. The log owns two batch buffers and knows where in which segment each
// will stand. It opens no file: log_seal hands out a write, the port carries it to the disk on the
// journal's own thread and reports back with log_committed.
//
//     log_reserve, log_propose           log_seal          log_committed(ok)       log_release
//     ────────────────────────► filling ─────────► in flight ──────────────► durable ───────────►
//                                                      │ log_committed(not ok)
//                                                      ▼
//                                                   failed: nothing is written any more (P8)
//
//   G1. At most one batch is in flight; its place and hash were fixed when it was sealed.
//   G2. The place of an entry is known when it is reserved: a batch opens behind the one in flight,
//       or at the start of the next segment when the rest of this one might not hold it.
//   G3. A batch's time is fixed when it opens and is never less than the time of the one before.
//   G4. After a failed write or sync the log stays failed for the life of the process; the same
//       pages are never written again. So does one whose disk may not be written at all.
#pragma once

#include "base/arena.h"
#include "journal/batch.h"

// Where an entry is: segment number in the upper half, byte offset in the segment in the lower; 0
// is nowhere (every batch begins with its header, so no entry is at offset 0).
using Position = uint64_t;

inline Position position_of(uint32_t segment, uint32_t offset) {
    return static_cast<uint64_t>(segment) << 32 | offset;
}
inline uint32_t position_segment(Position position) {
    return static_cast<uint32_t>(position >> 32);
}
inline uint32_t position_offset(Position position) { return static_cast<uint32_t>(position); }

struct LogBatch {
    uint8_t* memory;  // batch_size_max bytes
    bool open;
    uint32_t entry_count;
    uint32_t entries_size;  // bytes
    BatchHeader header;     // place, sequences and time are set when it opens
};

// Why no entry can be taken at present; `none` when it can.
enum class LogBlock : uint8_t {
    none,
    failed,     // a write or a sync failed (G4)
    read_only,  // the disk may not be written, or shall not be (G4)
    no_room,    // the next segment could not be made yet
    clock,      // the clock stands more than clock_step_max_ms ahead of the last batch
};

struct Log {
    uint8_t bank_id[bank_id_size];
    LogBatch batches[2];
    uint32_t filling;         // index of the batch that fills; the other is in flight or free
    bool in_flight;
    LogBlock blocked;
    uint64_t clock_step_max_ms;

    uint32_t segment;         // where the next batch opens
    uint32_t offset;
    uint32_t segment_size;    // bytes of the present segment
    uint64_t salt;
    uint32_t next_segment;    // made, synced and waiting; 0 when it is not there yet
    uint32_t next_segment_size;
    uint64_t next_salt;
    bool next_failed;         // the last try to make it did

    uint64_t seq_sealed;      // newest batch sealed
    uint64_t entry_proposed;  // newest entry sequence given out
    uint64_t entry_durable;   // newest entry that survives power loss
    uint64_t batch_durable;
    uint64_t time_ms;         // of the newest batch opened
    Hash chain;               // of the newest batch sealed
    Hash chain_durable;
    Position end_durable;     // end of the newest durable batch
    uint64_t salt_durable;    // of the segment it stands in
    uint64_t time_durable_ms;
};

// What an entry must know before it is laid out.
struct LogStamp {
    uint64_t seq;
    uint64_t time_ms;
    Position position;
};

// Where the log stands after recovery, or at the start of a new book.
struct LogStart {
    uint8_t bank_id[bank_id_size];
    uint32_t segment;
    uint32_t offset;
    uint32_t segment_size;
    uint64_t salt;
    uint64_t batch_seq;
    uint64_t entry_seq;
    uint64_t time_ms;
    Hash chain;
};

// One write for the journal's thread: pwrite the bytes, then fdatasync. The bytes stay until
// log_release.
struct LogWrite {
    uint32_t segment;
    uint32_t offset;
    Slice bytes;
};

void log_layout(Log& log, Arena& arena);
void log_start(Log& log, const LogStart& start, uint64_t clock_step_max_ms);

// Takes nothing from now on: the disk may not be written. Nothing fills or flies.
void log_forbid(Log& log);

// True when nothing is written any more until a restart (G4).
bool log_is_stopped(const Log& log);

// Says where and when the next entry will be, opening a batch if none fills; `entry_count` entries
// of at most entry_size_max each then fit. Returns ok; pending when the batch is full or the next
// segment is not there yet (ask again after the next commit, or when the segment was made or could
// not be); misconf when log.blocked says why nothing can be written.
Status log_reserve(Log& log, uint64_t wall_ms, uint32_t entry_count, LogStamp& out);

// Takes one entry, which must be the one that was reserved; returns the stamp of the one after it.
LogStamp log_propose(Log& log, Slice entry);

// Opens and seals an empty closing batch (it vouches for the one before). Returns pending when a
// batch fills or flies, misconf as log_reserve.
Status log_close(Log& log, uint64_t wall_ms);

// Seals the filling batch and hands out its write. Returns false when there is nothing to write or
// a batch is still in flight (G1).
bool log_seal(Log& log, LogWrite& out);

// Takes the outcome of the write. Returns ok with the durable entries; failed after G4.
Status log_committed(Log& log, Status outcome, Slice& entries);

// Ends the use of the batch that log_committed handed out.
void log_release(Log& log);

// True when another segment should be made: the next one is not there and not blocked by G4.
bool log_wants_segment(const Log& log);

// The next segment could not be made: until one is, nothing waits for it.
void log_segment_failed(Log& log);

// The next segment is there, synced in file and directory.
void log_segment_made(Log& log, uint32_t segment, uint32_t size, uint64_t salt);

// True when no batch fills or flies.
bool log_is_idle(const Log& log);
