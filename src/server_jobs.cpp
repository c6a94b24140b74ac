#include <string.h>

#include "base/check.h"
#include "server_parts.h"

void begin_hash(Server& server, Session& session, uint32_t job) {
    session.job = job;
    server.hash_owner[job] = session.tag.session;
    ring_push(server.hash_queue, job);
}

void begin_read(Server& server, Session& session, uint32_t job) {
    session.job = job;
    server.read_owner[job] = session.tag.session;
    advance_read(server, job);
}

void begin_enrol(Server& server, Session& session) {
    ServerEnrol& enrol = server.enrol;
    CHECK(enrol.step == EnrolStep::none);
    enrol.step = EnrolStep::wished;
    enrol.owner = session.tag.session;
    enrol.job->wall_ms = judging_ms(server);
}

bool advance_read(Server& server, uint32_t job) {
    ReadJob& read = server.reads.slots[job];
    Session& session = session_at(server, server.read_owner[job]);
    for (;;) {
        const bool goes_on = session.phase != SessionPhase::ending;
        const Status wanted = goes_on ? read_feed(read) : Status::end;
        if (wanted != Status::end) {
            ring_push(wanted == Status::more ? server.read_queue : server.key_queue, job);
            return false;
        }
        SessionTools tools = session_tools(server, session);
        tools.read = &read;
        const uint64_t alarms = server.service.alarms.count;
        const bool is_done = session_read_done(session, tools);
        if (server.service.alarms.count > alarms) log_receipt_alarm(server, session);
        if (is_done) break;
        if (!session.job_waits) continue;  // Another read has begun.
        wait_for_commit(server, session.tag.session);
        return false;
    }
    settle_group(server, session);
    read_end(read);
    pool_give(server.reads, job);
    server.wake = true;
    return true;
}

bool begin_snapshot(Server& server, SnapshotUse use, BookTag asker) {
    SnapshotJob& job = server.snapshot;
    if (job.use != SnapshotUse::none) return false;
    job.use = use;
    job.asker = asker;
    job.working = false;
    job.chunk = writer_of(job.memory, snapshot_chunk_size);
    job.number = server.checkpoint_number + 1;
    job.step = use == SnapshotUse::checkpoint ? SnapshotStep::begin : SnapshotStep::rows;
    book_snapshot_begin(server.book);
    return true;
}

void finish_hash(Server& server, uint32_t job) {
    const uint32_t index = server.hash_owner[job];
    Session& session = session_at(server, index);
    SessionTools tools = session_tools(server, session);
    tools.hash = &server.hashes.slots[job];
    const uint32_t read = pool_take(server.reads);
    if (read != pool_none) tools.read = &server.reads.slots[read];
    const uint32_t person = session.caller.person;
    const DoorCounts before = door_counts(server);
    SessionNeed need = SessionNeed::none;
    const bool is_done = session_hash_done(session, tools, need);
    if (need != SessionNeed::read && read != pool_none) pool_give(server.reads, read);
    if (!is_done) {
        if (session.job_waits) {
            wait_for_commit(server, index);
        } else {
            ring_push(server.hash_queue, job);
        }
        return;
    }
    door_log(server, session, before);
    if (session.caller.person != row_none && person == row_none) {
        log_session(server, session, "logged in");
    }
    pool_give(server.hashes, job);
    server.wake = true;
    settle_group(server, session);
    if (need == SessionNeed::read) begin_read(server, session, read);
    step_session(server, index);
}

namespace {

void finish_read(Server& server, const Wish& wish) {
    ReadJob& job = server.reads.slots[wish.slot];
    Session& session = session_at(server, server.read_owner[wish.slot]);
    read_take(job, wish.outcome, wish.size);
    if (advance_read(server, wish.slot)) step_session(server, session.tag.session);
}

void finish_key(Server& server, const Wish& wish) {
    Session& session = session_at(server, server.read_owner[wish.slot]);
    read_key_done(server.reads.slots[wish.slot], wish.outcome);
    if (advance_read(server, wish.slot)) step_session(server, session.tag.session);
}

// A failure that goes on is told once; who waited asks again.
void finish_sensor(Server& server, const Wish& wish) {
    Sensor& sensor = server.service.sensor;
    const char* why = sensor.why;
    if (!sensor_read_done(sensor, wish.outcome, wish.size, server.now_ms)) return;
    if (sensor.why != why) log_sensor(server);
    server.wake = true;
}

void finish_enrol(Server& server) {
    Session& session = session_at(server, server.enrol.owner);
    SessionTools tools = session_tools(server, session);
    tools.enrol = server.enrol.job;
    session_enrol_done(session, tools);
    server.enrol.step = EnrolStep::none;
    server.wake = true;
    step_session(server, session.tag.session);
}

// On a worker.
void run_enrol(Server& server, EnrolJob& job) {
    EnrolIssuer issuer = {};
    const uint32_t generation = server.enrol.generation;
    if (server.enrol.issuers != nullptr) {
        const ServerIssuer& own = server.enrol.issuers[generation];
        issuer.signer = {{own.certificate, own.certificate_size}, {own.key, own.key_size}};
        issuer.days = server.config.issued_days;
    }
    enrol_run(job, issuer);
    if (job.use != EnrolUse::ask || job.outcome != Status::ok) return;
    Writer ca = writer_of(job.answer.bytes, sizeof job.answer.bytes);
    const uint32_t listener = session_at(server, server.enrol.owner).listener;
    tls_config_put_ca(server.generations[generation].tls[listener], ca);
    job.answer.size = ca.size;
}

// On a worker. The certificate of the first listener that carries money signs.
Status run_key(Server& server, uint32_t generation, ReadJob& job) {
    const uint32_t listener = config_bank_listener(server.config);
    TlsConfig& config = server.generations[generation].tls[listener];
    Receipt& receipt = job.receipt;
    const Hash own = tls_config_fingerprint(config);
    const bool signs = job.use == ReadUse::receipt_sign;
    if (signs) receipt.certificate = own;
    if (!hash_equal(receipt.certificate, own)) return Status::absent;
    uint8_t text[receipt_size_max];
    Writer writer = writer_of(text, sizeof text);
    receipt_put_signed(writer, receipt);
    CHECK(!writer.overflow);
    if (!signs) {
        return tls_config_verify(config, writer_slice(writer),
                                 {receipt.signature, receipt.signature_size});
    }
    Writer signature = writer_of(receipt.signature, signature_size_max);
    const Status status = tls_config_sign(config, writer_slice(writer), signature);
    receipt.signature_size = signature.size;
    return status;
}

// On a worker: what was sealed to the server, and by whom it is signed. The clear text that is to
// be logged is copied out.
Status open_message(const ServerMessages& own, MailJob& mail) {
    Slice signed_text;
    Message message = {};
    const Slice pem = {own.pem, own.pem_size};
    mail.step = MailStep::opening;
    Status status = message_open(pem, {mail.envelope, mail.size}, *own.scratch, signed_text);
    if (status != Status::ok) return status;
    mail.step = MailStep::judging;
    const Message asked = {.from = name_slice(mail.from),
                           .to = slice_of("@server"),
                           .id = slice_of_chars(mail.id.text, mail.id.size),
                           .time_ms = 0,
                           .kind = MessageKind::text,
                           .content = {nullptr, 0}};
    status = message_verify(mail.sender, asked, signed_text, *own.scratch, message);
    if (status != Status::ok) return status;
    mail.step = MailStep::telling;
    mail.told_size = message.content.size;
    if (mail.told_size > told_size_max) return Status::full;
    if (mail.told_size > 0) memcpy(mail.told, message.content.data, mail.told_size);
    return Status::ok;
}

// On a worker: the answer, sealed to whoever signed the message.
Status seal_answer(const Server& server, ReadJob& job) {
    MailJob& mail = job.mail;
    const ServerMessages& own = server.messages;
    mail.step = MailStep::answering;
    const Message answer = {.from = slice_of("@server"),
                            .to = name_slice(mail.from),
                            .id = slice_of_chars(mail.id.text, mail.id.size),
                            .time_ms = mail.time_ms,
                            .kind = MessageKind::text,
                            .content = slice_of(server.config.message)};
    Writer out = writer_of(job.window, message_sealed_size_max);
    const Status status =
        message_seal({own.pem, own.pem_size}, mail.sender, answer, *own.scratch, out);
    mail.answer_size = out.size;
    // Key and text were judged before, so it is the randomness or the memory.
    return status == Status::ok ? status : Status::failed;
}

Status run_message(Server& server, ReadJob& job) {
    MessageScratch& scratch = *server.messages.scratch;
    Status status = open_message(server.messages, job.mail);
    wipe(&scratch, sizeof scratch);
    if (status == Status::ok) status = seal_answer(server, job);
    wipe(&scratch, sizeof scratch);
    if (status == Status::ok) job.mail.step = MailStep::done;
    return status;
}

void end_snapshot(Server& server, Status outcome) {
    SnapshotJob& job = server.snapshot;
    const bool was_checkpoint = job.use == SnapshotUse::checkpoint;
    const uint64_t entry = server.book.snapshot.mark.entry;
    snapshot_end(server.book.snapshot, server.book.ledger);
    job.use = SnapshotUse::none;
    if (was_checkpoint) {
        LogLine line;
        log_begin(line, outcome == Status::ok ? "checkpoint" : "checkpoint failed");
        log_number(line, "number", job.number);
        log_number(line, "entry", entry);
        log_end(line, outcome == Status::ok ? LogLevel::info : LogLevel::error);
        server.checkpoint_ms = server.now_ms;
        if (outcome == Status::ok) {
            server.checkpoint_number = job.number;
            server.service.stats.snapshots++;
        }
    }
    const uint32_t index = job.asker.session;
    if (index == book_tag_none.session) return;
    if (server.sessions.generation[index] != job.asker.generation) return;
    Session& session = session_at(server, index);
    SessionTools tools = session_tools(server, session);
    session_snapshot_done(session, tools, was_checkpoint, outcome, job.digest, entry);
    step_session(server, index);
}

}  // namespace

// Formats as many rows as one turn may take. A digest throws the text away.
void advance_snapshot(Server& server) {
    SnapshotJob& job = server.snapshot;
    if (job.use == SnapshotUse::none || job.working || job.step != SnapshotStep::rows) return;
    Snapshot& snapshot = server.book.snapshot;
    if (snapshot_is_done(snapshot)) {
        job.chunk.size = 0;
        job.digest = manifest_format(snapshot, server.book.ledger, job.chunk);
        if (job.use == SnapshotUse::digest) {
            end_snapshot(server, Status::ok);
        } else {
            job.step = SnapshotStep::finish;
        }
        return;
    }
    job.chunk_table = snapshot.table;
    const Status status =
        snapshot_step(snapshot, server.book.ledger, job.chunk, snapshot_rows_per_turn);
    const bool full = writer_room(job.chunk) < table_line_size_max;
    if (job.use == SnapshotUse::digest) {
        job.chunk.size = 0;
    } else if (full || status == Status::end) {
        job.step = SnapshotStep::append;
    }
}

namespace {

bool take_sensor_wish(Server& server, Wish& out) {
    SensorRead read;
    if (!sensor_read_take(server.service.sensor, read)) return false;
    out.kind = WishKind::sensor;
    out.path = read.path;
    out.memory = read.memory;
    out.size = read.size;
    return true;
}

bool take_snapshot_wish(Server& server, Wish& out) {
    SnapshotJob& job = server.snapshot;
    if (job.use != SnapshotUse::checkpoint || job.working || job.step == SnapshotStep::rows) {
        return false;
    }
    out = {};
    out.number = job.number;
    out.table = job.chunk_table;
    out.memory = job.chunk.data;
    out.size = job.chunk.size;
    out.kind = job.step == SnapshotStep::begin    ? WishKind::checkpoint_begin
               : job.step == SnapshotStep::append ? WishKind::checkpoint_append
                                                  : WishKind::checkpoint_finish;
    job.working = true;
    return true;
}

void finish_snapshot_wish(Server& server, const Wish& wish) {
    SnapshotJob& job = server.snapshot;
    job.working = false;
    job.chunk.size = 0;
    if (wish.outcome != Status::ok || wish.kind == WishKind::checkpoint_finish) {
        end_snapshot(server, wish.outcome);
        return;
    }
    job.step = SnapshotStep::rows;
}

void finish_segment(Server& server, const Wish& wish) {
    server.segment_wished = false;
    LogLine line;
    log_begin(line, wish.outcome == Status::ok ? "segment made" : "segment could not be made");
    log_number(line, "number", wish.number);
    log_end(line, wish.outcome == Status::ok ? LogLevel::info : LogLevel::error);
    server.wake = true;  // Somebody may wait for it.
    if (wish.outcome == Status::ok) {
        log_segment_made(server.book.log, wish.number, wish.size, wish.salt);
        return;
    }
    log_segment_failed(server.book.log);
    server.segment_retry_ms = server.now_ms + 1000;
}

// Z7.
bool take_enrol_wish(Server& server, Wish& out) {
    if (server.enrol.step != EnrolStep::wished || server.key_running != pool_none) return false;
    server.enrol.step = EnrolStep::running;
    server.enrol.generation = server.generation;
    out.kind = WishKind::enrol;
    out.enrol = server.enrol.job;
    return true;
}

// Z6.
bool take_lab_wish(Server& server, Wish& out) {
    if (server.lab_running != pool_none || !ring_pop(server.lab_queue, out.slot)) return false;
    server.lab_running = out.slot;
    out.kind = WishKind::channel;
    return true;
}

}  // namespace

bool server_wish_take(Server& server, Wish& out) {
    uint32_t slot = 0;
    out = {};
    if (ring_pop(server.handshake_queue, slot)) {
        out.kind = WishKind::channel;
        out.slot = slot;
        return true;
    }
    if (server.hash_running == pool_none && ring_pop(server.hash_queue, slot)) {
        server.hash_running = slot;
        out.kind = WishKind::hash;
        out.slot = slot;
        return true;
    }
    if (ring_pop(server.read_queue, slot)) {
        ReadJob& job = server.reads.slots[slot];
        out.kind = WishKind::read;
        out.slot = slot;
        out.position = job.want;
        out.memory = job.window;
        out.size = job.want_size;
        return true;
    }
    if (take_enrol_wish(server, out)) return true;
    const bool may_sign = server.key_running == pool_none &&
                          server.enrol.step != EnrolStep::running;
    if (may_sign && ring_pop(server.key_queue, slot)) {
        server.key_running = slot;
        server.key_generation = server.generation;
        out.kind = WishKind::key;
        out.number = server.generation;
        out.slot = slot;
        return true;
    }
    if (take_sensor_wish(server, out)) return true;
    if (!server.segment_wished && log_wants_segment(server.book.log) &&
        server.now_ms >= server.segment_retry_ms) {
        server.segment_wished = true;
        out.kind = WishKind::segment;
        out.number = server.book.log.segment + 1;
        out.size = server.config.segment_size_kib * 1024;
        return true;
    }
    return take_snapshot_wish(server, out) || door_take_wish(server, out) ||
           take_reload_wish(server, out) || take_lab_wish(server, out);
}

void server_wish_run(Server& server, Wish& wish) {
    if (wish.kind == WishKind::channel) {
        wish.outcome = session_channel_run(server.sessions.slots[wish.slot]);
        return;
    }
    if (wish.kind == WishKind::key) {
        ReadJob& job = server.reads.slots[wish.slot];
        const bool is_message = job.use == ReadUse::server_message;
        wish.outcome = is_message ? run_message(server, job) : run_key(server, wish.number, job);
        return;
    }
    if (wish.kind == WishKind::enrol) {
        run_enrol(server, *wish.enrol);
        wish.outcome = Status::ok;
        return;
    }
    CHECK(wish.kind == WishKind::hash);
    service_hash_run(server.service, server.hashes.slots[wish.slot], server.password_arena);
    wish.outcome = Status::ok;
}

void server_wish_done(Server& server, const Wish& wish) {
    switch (wish.kind) {
        case WishKind::channel:
            if (server.lab_running == wish.slot) server.lab_running = pool_none;
            finish_channel(server, wish);
            break;
        case WishKind::hash:
            server.hash_running = pool_none;
            finish_hash(server, wish.slot);
            door_refuse_hashes(server);
            break;
        case WishKind::key:
            server.key_running = pool_none;
            finish_key(server, wish);
            break;
        case WishKind::enrol: finish_enrol(server); break;
        case WishKind::read: finish_read(server, wish); break;
        case WishKind::sensor: finish_sensor(server, wish); break;
        case WishKind::segment: finish_segment(server, wish); break;
        case WishKind::checkpoint_begin:
        case WishKind::checkpoint_append:
        case WishKind::checkpoint_finish: finish_snapshot_wish(server, wish); break;
        case WishKind::penalties: door_finish_wish(server, wish); break;
        case WishKind::reload: finish_reload(server, wish); break;
    }
    serve_commit_queue(server);
}

bool server_password_arena_is_idle(const Server& server) {
    return server.hash_running == pool_none && server.hash_queue.count == 0;
}
