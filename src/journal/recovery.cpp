#include "journal/recovery.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr RecoveryRow rows[] = {
#define RECOVERY(found, later, marked, action, said)                                       \
    {RecoveryFound::found, RecoveryWhen::later, RecoveryWhen::marked, RecoveryAction::action, said},
#include "journal/recovery.def"
#undef RECOVERY
};

constexpr uint32_t row_count = sizeof rows / sizeof rows[0];

bool matches(RecoveryWhen when, bool fact) {
    return when == RecoveryWhen::any || (when == RecoveryWhen::yes) == fact;
}

bool is_zero(Slice bytes) {
    for (uint32_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != 0) return false;
    }
    return true;
}

// K1, for a batch whose own bytes are sound.
bool continues(const Recovery& recovery, const RecoveryBatch& batch) {
    const BatchHeader& header = batch.header;
    if (header.segment != recovery.segment || header.offset != recovery.offset) return false;
    if (recovery.offset > 0) {
        if (header.salt != recovery.salt) return false;
        if (header.segment_size != recovery.segment_size) return false;
    }
    if (header.time_ms < recovery.time_ms) return false;
    if (!recovery.anchored) return true;
    if (header.seq != recovery.batch_seq + 1) return false;
    if (header.entry_first != recovery.entry_seq + 1) return false;
    return hash_equal(header.previous, recovery.chain);
}

}  // namespace

const RecoveryRow* recovery_rows(uint32_t& out_count) {
    out_count = row_count;
    return rows;
}

const RecoveryRow& recovery_decide(RecoveryFound found, bool later, bool marked) {
    for (const RecoveryRow& row : rows) {
        if (row.found == found && matches(row.later, later) && matches(row.marked, marked)) {
            return row;
        }
    }
    CHECK(false);
    return rows[0];
}

void recovery_start(Recovery& recovery, const uint8_t* bank_id, uint32_t segment, Position mark) {
    recovery = {};
    recovery.segment = segment;
    recovery.mark = mark;
    recovery.anchored = segment == 1;  // Batch 1 has no predecessor: zero is its hash.
    if (bank_id == nullptr) return;
    recovery.bank_known = true;
    memcpy(recovery.bank_id, bank_id, bank_id_size);
}

RecoveryFound recovery_judge(const Recovery& recovery, Slice window, uint32_t size,
                             RecoveryBatch& out) {
    CHECK(size >= recovery.offset);
    const uint8_t* bank_id = recovery.bank_known ? recovery.bank_id : nullptr;
    if (recovery.segment_size != 0 && size != recovery.segment_size) {
        return size < recovery.segment_size ? RecoveryFound::cut : RecoveryFound::grown;
    }
    const bool is_short = size - recovery.offset < batch_size_max;  // No batch begins here (G2).
    const RecoveryFound junk = is_short ? RecoveryFound::cut : RecoveryFound::junk;
    switch (batch_find(window, bank_id, out.header, out.entries, out.hash)) {
        case BatchFind::blank:
            // A torn batch may lack just its first block: the rest must be blank as well.
            if (!is_zero(window)) return junk;
            return is_short ? RecoveryFound::tail : RecoveryFound::blank;
        case BatchFind::junk: return junk;
        case BatchFind::foreign: return RecoveryFound::foreign;
        case BatchFind::newer: return RecoveryFound::newer;
        case BatchFind::whole:
            if (!continues(recovery, out)) return RecoveryFound::misfit;
            if (out.header.segment_size > size) return RecoveryFound::cut;  // J4
            return out.header.segment_size < size ? RecoveryFound::grown : RecoveryFound::fits;
    }
    CHECK(false);
    return RecoveryFound::junk;
}

bool recovery_is_later(const Recovery& recovery, Slice window) {
    RecoveryBatch batch;
    const uint8_t* bank_id = recovery.bank_known ? recovery.bank_id : nullptr;
    const BatchFind find =
        batch_find(window, bank_id, batch.header, batch.entries, batch.hash);
    if (find == BatchFind::newer) return true;  // It cannot be read, so it may vouch for anything.
    return find == BatchFind::whole && batch.header.seq > recovery.batch_seq;
}

void recovery_install(Recovery& recovery, const RecoveryBatch& batch) {
    const BatchHeader& header = batch.header;
    memcpy(recovery.bank_id, header.bank_id, bank_id_size);
    recovery.bank_known = true;
    recovery.anchored = true;
    recovery.salt = header.salt;
    recovery.segment_size = header.segment_size;
    recovery.batch_seq = header.seq;
    recovery.entry_seq = header.entry_first + header.entry_count - 1;
    recovery.time_ms = header.time_ms;
    recovery.chain = batch.hash;
    recovery.offset += batch_size_of(header.entries_size);
}

void recovery_advance(Recovery& recovery) {
    recovery.segment++;
    recovery.offset = 0;
    recovery.salt = 0;
    recovery.segment_size = 0;
}

bool recovery_is_marked(const Recovery& recovery) {
    return position_of(recovery.segment, recovery.offset) < recovery.mark;
}
