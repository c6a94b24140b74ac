#include "service/reading.h"

#include <string.h>

#include "base/check.h"

namespace {

void begin(ReadJob& job, ReadUse use, Position next) {
    job.use = use;
    job.done = false;
    job.outcome = Status::ok;
    job.next = next;
    job.seq_below = UINT64_MAX;
    job.window_start = 0;
    job.window_size = 0;
}

// True when the next entry begins inside the window, with room for a whole one.
bool window_holds_next(const ReadJob& job) {
    if (job.window_size == 0) return false;
    if (position_segment(job.next) != position_segment(job.window_start)) return false;
    const uint32_t offset = position_offset(job.next);
    const uint32_t start = position_offset(job.window_start);
    return offset >= start && offset - start + entry_size_max <= job.window_size;
}

// Asks for bytes that end behind the next entry, so that those before it come along.
void want_window(ReadJob& job) {
    const uint32_t offset = position_offset(job.next);
    const uint32_t back = read_window_size - entry_size_max;
    const uint32_t start = offset > back ? offset - back : 0;
    job.want = position_of(position_segment(job.next), start);
    job.want_size = read_window_size;
}

// Takes the entry at `next` out of the window (R1, R2).
Status take_next(ReadJob& job, Entry& out) {
    const uint32_t offset = position_offset(job.next) - position_offset(job.window_start);
    const Slice rest = {job.window + offset, job.window_size - offset};
    Reader size_reader = reader_of(rest);
    const uint16_t size = get_u16(size_reader);
    if (entry_decode(slice_part(rest, 0, size), out) != Status::ok) return Status::damaged;
    if (out.seq >= job.seq_below) return Status::damaged;
    job.seq_below = out.seq;
    return Status::ok;
}

// The number of the order that an entry makes or ends.
uint64_t order_of(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    return movement.operation == Operation::order ? entry.seq : movement.order.order;
}

Status take_statement_entry(ReadJob& job) {
    StatementWalk& walk = job.statement;
    Entry entry;
    if (take_next(job, entry) != Status::ok || entry.status != Status::ok) return Status::damaged;
    if (entry.kind != EntryKind::movement) return Status::damaged;
    const MovementEntry& movement = entry.movement;
    const bool gave = movement.debit == walk.account;
    if (!gave && movement.credit != walk.account) return Status::damaged;
    const int64_t amount = operation_moves_money(movement.operation) ? movement.amount : 0;
    if (entry.seq < walk.before) {
        walk.rows[walk.row_count++] = {
            .entry = entry.seq,
            .time_ms = entry.time_ms,
            .amount = gave ? -amount : amount,
            .balance = gave ? movement.debit_after : movement.credit_after,
            .other = gave ? movement.credit : movement.debit,
            .person = entry.person,
            .hold = movement.hold,
            .reversed = movement.reversed,
            .order = order_of(entry),
            .item = movement.order.item,
            .quantity = movement.order.quantity,
            .operation = movement.operation,
            .id = movement.id,
            .memo = movement.memo,
        };
    }
    job.next = gave ? movement.debit_previous : movement.credit_previous;
    return Status::ok;
}

Status take_request(ReadJob& job) {
    IdWalk& walk = job.walk;
    Entry entry;
    if (take_next(job, entry) != Status::ok) return Status::damaged;
    if (entry.person != walk.person || !entry_is_request(entry)) return Status::damaged;
    const Id& id = entry_request_id(entry);
    walk.steps--;
    walk.found = id.size == walk.id.size && memcmp(id.text, walk.id.text, id.size) == 0;
    if (walk.found) walk.record = id_record_of(entry);
    job.next = entry_asker_previous(entry);
    return Status::ok;
}

bool is_key_step(ReadUse use) {
    return use == ReadUse::receipt_sign || use == ReadUse::receipt_judge ||
           use == ReadUse::server_message;
}

// By halves to one entry, or back along a chain.
bool is_seek(ReadUse use) {
    return use != ReadUse::statement && use != ReadUse::id && use != ReadUse::message &&
           !is_key_step(use);
}

bool chain_is_done(const ReadJob& job) {
    if (job.next == 0 || job.outcome != Status::ok) return true;
    if (job.use == ReadUse::statement) return job.statement.row_count >= job.statement.rows_wanted;
    return job.walk.found || job.walk.steps == 0;
}

Status feed_chain(ReadJob& job) {
    while (!chain_is_done(job)) {
        if (!window_holds_next(job)) {
            want_window(job);
            return Status::more;
        }
        job.outcome =
            job.use == ReadUse::statement ? take_statement_entry(job) : take_request(job);
    }
    return Status::end;
}

// Takes the parts of a message out of the window (R1), and puts its envelope together.
Status take_message(ReadJob& job) {
    MailJob& mail = job.mail;
    Reader rest = reader_of({job.window, job.window_size});
    const uint32_t parts = message_parts_of(mail.slot.size);
    Hash hash = {};
    mail.size = 0;
    for (uint32_t place = 1; place <= parts; place++) {
        Slice bytes;
        Entry entry;
        if (batch_next_entry(rest, bytes) != Status::ok) return Status::damaged;
        if (entry_decode(bytes, entry) != Status::ok) return Status::damaged;
        if (entry.kind != EntryKind::message || entry.person != mail.slot.from) {
            return Status::damaged;
        }
        const MessageEntry& part = entry.message;
        if (entry.seq != mail.slot.number + place - 1 || part.place != place ||
            part.parts != parts || part.bytes.size > sizeof mail.envelope - mail.size) {
            return Status::damaged;
        }
        if (place == 1) hash = part.hash;
        memcpy(mail.envelope + mail.size, part.bytes.data, part.bytes.size);
        mail.size += part.bytes.size;
    }
    const Slice envelope = {mail.envelope, mail.size};
    const bool fits = mail.size == mail.slot.size && hash_equal(hash_of(envelope), hash);
    return fits ? Status::ok : Status::damaged;
}

Status feed_message(ReadJob& job) {
    if (job.window_size == 0 && job.outcome == Status::ok) {
        job.want = job.mail.slot.position;
        job.want_size = read_window_size;
        return Status::more;
    }
    job.done = true;
    if (job.outcome == Status::ok) job.outcome = take_message(job);
    return Status::end;
}

// What `seek` found must be the entry that was asked for.
Status finish_seek(ReadJob& job, Status found) {
    job.done = true;
    job.outcome = found;
    if (found != Status::end) return Status::end;
    job.outcome = entry_decode({job.seek.entry, job.seek.entry_size}, job.entry);
    if (job.outcome != Status::ok) job.outcome = Status::damaged;
    if (job.outcome == Status::ok && job.entry.seq != job.seek.seq) job.outcome = Status::damaged;
    return Status::end;
}

}  // namespace

void read_statement(ReadJob& job, uint32_t account, Position last, uint32_t rows,
                    uint64_t before) {
    CHECK(rows <= statement_rows_max);
    begin(job, ReadUse::statement, last);
    job.statement.account = account;
    job.statement.rows_wanted = rows;
    job.statement.before = before;
    job.statement.row_count = 0;
}

void read_id(ReadJob& job, uint32_t person, const Asked& asked, uint32_t steps, const Id& id) {
    begin(job, ReadUse::id, asked.last);
    job.walk.person = person;
    job.walk.steps = steps;
    job.walk.looked = asked.count;
    job.walk.id = id;
    job.walk.found = false;
}

void read_entry(ReadJob& job, ReadUse use, const uint8_t bank_id[bank_id_size], uint64_t seq,
                Position journal_end) {
    CHECK(is_seek(use));
    begin(job, use, 0);
    seek_begin(job.seek, bank_id, seq, journal_end);
    job.want = job.seek.want;
    job.want_size = job.seek.want_size;
}

void read_message(ReadJob& job, const MailSlot& slot) {
    begin(job, ReadUse::message, 0);
    job.mail.slot = slot;
}

void read_end(ReadJob& job) { wipe(job.mail.told, sizeof job.mail.told); }

void read_key(ReadJob& job, ReadUse use) {
    CHECK(is_key_step(use));
    begin(job, use, 0);
}

void read_key_done(ReadJob& job, Status outcome) {
    CHECK(is_key_step(job.use) && !job.done);
    job.done = true;
    job.outcome = outcome;
}

Status read_feed(ReadJob& job) {
    if (job.done) return Status::end;
    if (is_key_step(job.use)) return Status::pending;
    if (job.use == ReadUse::message) return feed_message(job);
    if (!is_seek(job.use)) return feed_chain(job);
    if (job.window_start == 0) {  // Nothing was read yet.
        job.window_start = job.want;
        return Status::more;
    }
    const Status status = seek_feed(job.seek, job.outcome, {job.window, job.window_size});
    if (status != Status::more) return finish_seek(job, status);
    job.outcome = Status::ok;
    job.want = job.seek.want;
    job.want_size = job.seek.want_size;
    return Status::more;
}

void read_take(ReadJob& job, Status outcome, uint32_t size) {
    CHECK(size <= job.want_size);
    job.outcome = outcome;
    job.window_start = job.want;
    job.window_size = size;
    if (is_seek(job.use)) return;
    // What is missing reads as zeros, which no entry is; so the same bytes are never asked for
    // twice.
    job.window_size = read_window_size;
    memset(job.window + size, 0, read_window_size - size);
}
