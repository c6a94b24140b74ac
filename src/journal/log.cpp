#include "journal/log.h"

#include <string.h>

#include "base/check.h"

namespace {

LogBatch& filling_batch(Log& log) { return log.batches[log.filling]; }
LogBatch& flying_batch(Log& log) { return log.batches[1 - log.filling]; }

bool needs_next_segment(const Log& log) {
    return log.segment_size - log.offset < batch_size_max;  // G2
}

// Moves the log to the segment that was made ahead.
void roll_segment(Log& log) {
    CHECK(log.next_segment == log.segment + 1);
    log.segment = log.next_segment;
    log.offset = 0;
    log.segment_size = log.next_segment_size;
    log.salt = log.next_salt;
    log.next_segment = 0;
}

Status open_batch(Log& log, uint64_t wall_ms) {
    if (wall_ms > log.time_ms && log.seq_sealed > 0 &&
        wall_ms - log.time_ms > log.clock_step_max_ms) {
        log.blocked = LogBlock::clock;
        return Status::misconf;
    }
    if (needs_next_segment(log)) {
        if (log.next_segment == 0) {
            log.blocked = log.next_failed ? LogBlock::no_room : LogBlock::none;
            return log.next_failed ? Status::misconf : Status::pending;
        }
        roll_segment(log);
    }
    log.blocked = LogBlock::none;
    LogBatch& batch = filling_batch(log);
    CHECK(!batch.open);
    if (wall_ms > log.time_ms) log.time_ms = wall_ms;  // G3
    batch.open = true;
    batch.entry_count = 0;
    batch.entries_size = 0;
    batch.header = {};
    memcpy(batch.header.bank_id, log.bank_id, bank_id_size);
    batch.header.salt = log.salt;
    batch.header.segment = log.segment;
    batch.header.offset = log.offset;
    batch.header.segment_size = log.segment_size;
    batch.header.seq = log.seq_sealed + 1;
    batch.header.entry_first = log.entry_proposed + 1;
    batch.header.time_ms = log.time_ms;
    return Status::ok;
}

LogStamp stamp_of_next(Log& log) {
    const LogBatch& batch = filling_batch(log);
    const uint32_t offset = batch.header.offset + batch_header_size + batch.entries_size;
    return {log.entry_proposed + 1, batch.header.time_ms,
            position_of(batch.header.segment, offset)};
}

bool has_room(const LogBatch& batch, uint32_t entry_count) {
    return batch.entry_count + entry_count <= batch_entries_max &&
           batch.entries_size + entry_count * entry_size_max <= batch_entries_size_max;
}

}  // namespace

void log_layout(Log& log, Arena& arena) {
    for (LogBatch& batch : log.batches) {
        batch.memory = arena_array<uint8_t>(arena, "journal batches", batch_size_max);
    }
}

void log_start(Log& log, const LogStart& start, uint64_t clock_step_max_ms) {
    CHECK(start.segment_size >= segment_size_min);
    CHECK(start.offset % block_size == 0);
    memcpy(log.bank_id, start.bank_id, bank_id_size);
    log.filling = 0;
    log.in_flight = false;
    log.blocked = LogBlock::none;
    log.clock_step_max_ms = clock_step_max_ms;
    log.segment = start.segment;
    log.offset = start.offset;
    log.segment_size = start.segment_size;
    log.salt = start.salt;
    log.next_segment = 0;
    log.next_failed = false;
    log.seq_sealed = start.batch_seq;
    log.batch_durable = start.batch_seq;
    log.entry_proposed = start.entry_seq;
    log.entry_durable = start.entry_seq;
    log.time_ms = start.time_ms;
    log.chain = start.chain;
    log.chain_durable = start.chain;
    log.end_durable = position_of(start.segment, start.offset);
    log.salt_durable = start.salt;
    log.time_durable_ms = start.time_ms;
    for (LogBatch& batch : log.batches) batch.open = false;
}

void log_forbid(Log& log) {
    CHECK(log_is_idle(log));
    log.blocked = LogBlock::read_only;
}

bool log_is_stopped(const Log& log) {
    return log.blocked == LogBlock::failed || log.blocked == LogBlock::read_only;
}

Status log_reserve(Log& log, uint64_t wall_ms, uint32_t entry_count, LogStamp& out) {
    if (log_is_stopped(log)) return Status::misconf;
    if (!filling_batch(log).open) {
        const Status status = open_batch(log, wall_ms);
        if (status != Status::ok) return status;
    }
    if (!has_room(filling_batch(log), entry_count)) return Status::pending;
    out = stamp_of_next(log);
    return Status::ok;
}

LogStamp log_propose(Log& log, Slice entry) {
    LogBatch& batch = filling_batch(log);
    CHECK(batch.open);
    CHECK(entry.size <= entry_size_max && has_room(batch, 1));
    memcpy(batch.memory + batch_header_size + batch.entries_size, entry.data, entry.size);
    batch.entries_size += entry.size;
    batch.entry_count++;
    log.entry_proposed++;
    return stamp_of_next(log);
}

Status log_close(Log& log, uint64_t wall_ms) {
    if (log_is_stopped(log)) return Status::misconf;
    if (log.in_flight || filling_batch(log).open) return Status::pending;
    const Status status = open_batch(log, wall_ms);
    if (status == Status::ok) filling_batch(log).header.flags = batch_flag_closing;
    return status;
}

bool log_seal(Log& log, LogWrite& out) {
    LogBatch& batch = filling_batch(log);
    if (log.in_flight || log_is_stopped(log) || !batch.open) return false;
    if (batch.entry_count == 0 && batch.header.flags == 0) {
        batch.open = false;  // Reserved and then not used; the next one gets a fresh time.
        return false;
    }
    batch.header.entry_count = batch.entry_count;
    batch.header.entries_size = batch.entries_size;
    batch.header.previous = log.chain;
    log.chain = batch_seal(batch.memory, batch.header);
    log.seq_sealed = batch.header.seq;
    const uint32_t size = batch_size_of(batch.entries_size);
    log.offset += size;
    CHECK(log.offset <= log.segment_size);
    log.in_flight = true;
    log.filling = 1 - log.filling;
    out = {batch.header.segment, batch.header.offset, {batch.memory, size}};
    return true;
}

Status log_committed(Log& log, Status outcome, Slice& entries) {
    CHECK(log.in_flight);
    LogBatch& batch = flying_batch(log);
    if (outcome != Status::ok) {
        log.blocked = LogBlock::failed;  // G4
        entries = {nullptr, 0};
        return Status::failed;
    }
    log.entry_durable = batch.header.entry_first + batch.entry_count - 1;
    log.batch_durable = batch.header.seq;
    log.chain_durable = log.chain;
    log.salt_durable = batch.header.salt;
    log.time_durable_ms = batch.header.time_ms;
    log.end_durable = position_of(batch.header.segment,
                                  batch.header.offset + batch_size_of(batch.entries_size));
    entries = {batch.memory + batch_header_size, batch.entries_size};
    return Status::ok;
}

void log_release(Log& log) {
    CHECK(log.in_flight);
    flying_batch(log).open = false;
    log.in_flight = false;
}

bool log_wants_segment(const Log& log) {
    return log.next_segment == 0 && !log_is_stopped(log);
}

void log_segment_failed(Log& log) { log.next_failed = true; }

void log_segment_made(Log& log, uint32_t segment, uint32_t size, uint64_t salt) {
    CHECK(log.next_segment == 0 && segment == log.segment + 1);
    CHECK(size >= segment_size_min);
    log.next_segment = segment;
    log.next_segment_size = size;
    log.next_salt = salt;
    log.next_failed = false;
}

bool log_is_idle(const Log& log) {
    return !log.in_flight && !log.batches[log.filling].open;
}
