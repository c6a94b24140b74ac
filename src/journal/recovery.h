// recovery.h - decides, from bytes alone, what a start may believe of a journal.
//
// The port reads windows of segments and asks; nothing is read or written here. All judgement is
// one table, recovery.def: what stands at a place, whether anything sound stands later, and whether
// a checkpoint vouches for the place decide together what is done.
//
//   K1. A batch is installed only when it is sound, of this bank, where it says it is, and
//       continues sequence, entries, time and hash of the one before.
//   K2. Bytes are dropped only when nothing sound follows them and no checkpoint vouches for them;
//       since one batch is in flight at a time, that can only be a write that was never answered.
//   K3. Whatever is refused is named by segment, offset and batch, and no byte of it is changed.
#pragma once

#include "journal/log.h"

enum class RecoveryFound : uint8_t {
    fits,
    tail,
    blank,
    junk,
    cut,
    grown,
    misfit,
    foreign,
    newer
};
enum class RecoveryAction : uint8_t { install, advance, finish, drop, refuse };
enum class RecoveryWhen : uint8_t { no, yes, any };

struct RecoveryRow {
    RecoveryFound found;
    RecoveryWhen later;
    RecoveryWhen marked;
    RecoveryAction action;
    const char* said;
};

inline constexpr uint32_t recovery_found_count = 9;

// The whole table, for the test of its completeness.
const RecoveryRow* recovery_rows(uint32_t& out_count);

// The one row that these three facts meet.
const RecoveryRow& recovery_decide(RecoveryFound found, bool later, bool marked);

// Where a walk over the journal stands. All of it is set by recovery_start and recovery_install.
struct Recovery {
    bool bank_known;        // before the first batch any bank is accepted when false
    bool anchored;          // the predecessor's hash and sequences are known
    uint8_t bank_id[bank_id_size];
    uint32_t segment;
    uint32_t offset;
    uint64_t salt;          // of the present segment; 0 before its first batch
    uint32_t segment_size;  // bytes it was made with, by its batches; 0 before the first
    uint64_t batch_seq;     // newest batch accepted
    uint64_t entry_seq;     // newest entry accepted
    uint64_t time_ms;
    Hash chain;
    Position mark;          // up to here a checkpoint vouches; 0 for none
};

struct RecoveryBatch {
    BatchHeader header;
    Slice entries;
    Hash hash;
};

// Begins at the first byte of `segment`. With `bank_id` nullptr the first batch names the bank. The
// first batch of a walk that does not begin at batch 1 is the anchor: its own predecessor is
// believed, everything after it is checked.
void recovery_start(Recovery& recovery, const uint8_t* bank_id, uint32_t segment, Position mark);

// Judges the window at the present place: `window` holds the segment's bytes from there, up to
// batch_size_max; `size` is how many bytes the segment has in all, at least those before the place.
RecoveryFound recovery_judge(const Recovery& recovery, Slice window, uint32_t size,
                             RecoveryBatch& out);

// True when a sound batch of this bank, later than those accepted, stands at this block boundary,
// or one of a newer format.
bool recovery_is_later(const Recovery& recovery, Slice window);

// Goes on behind a batch that fits, or to the next segment.
void recovery_install(Recovery& recovery, const RecoveryBatch& batch);
void recovery_advance(Recovery& recovery);

bool recovery_is_marked(const Recovery& recovery);
