#include "server.h"

#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

namespace {

// Lines for the operator: one event, one line, `key value` pairs in reading order.

struct LogLine {
    uint8_t text[512];
    Writer writer;
};

void log_begin(LogLine& line, const char* event) {
    line.writer = writer_of(line.text, sizeof line.text);
    put_text(line.writer, event);
}

void log_text(LogLine& line, const char* name, Slice value) {
    put_u8(line.writer, ' ');
    put_text(line.writer, name);
    put_u8(line.writer, ' ');
    put_printable(line.writer, value, 128);
}

void log_number(LogLine& line, const char* name, uint64_t value) {
    put_u8(line.writer, ' ');
    put_text(line.writer, name);
    put_u8(line.writer, ' ');
    put_decimal(line.writer, value);
}

void log_end(LogLine& line, LogLevel level) {
    port_log(level, reinterpret_cast<const char*>(line.text), line.writer.size);
}

Session& session_at(Server& server, uint32_t index) { return pool_at(server.sessions, index); }

// In which queues a session stands, as bits of Server.queued.
constexpr uint8_t in_dirty = 1;
constexpr uint8_t in_slot_queue = 2;
constexpr uint8_t in_commit_queue = 4;

void enqueue(Server& server, Ring<uint32_t>& queue, uint8_t bit, uint32_t index) {
    if ((server.queued[index] & bit) != 0) return;
    server.queued[index] = static_cast<uint8_t>(server.queued[index] | bit);
    ring_push(queue, index);
}

bool dequeue(Server& server, Ring<uint32_t>& queue, uint8_t bit, uint32_t& index) {
    if (!ring_pop(queue, index)) return false;
    server.queued[index] = static_cast<uint8_t>(server.queued[index] & ~bit);
    return true;
}

void mark_dirty(Server& server, uint32_t index) {
    enqueue(server, server.dirty, in_dirty, index);
}

SessionTools tools_of(Server& server) {
    return {.service = &server.service,
            .now_ms = server.now_ms,
            .wall_us = server.wall_us,
            .hash = nullptr,
            .statement = nullptr,
            .login_ms = server.config.login_ms,
            .idle_ms = server.config.idle_s * 1000};
}

void log_session(Server& server, const Session& session, const char* event) {
    LogLine line;
    log_begin(line, event);
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    if (session.caller.terminal.size > 0) {
        log_text(line, "terminal", name_slice(session.caller.terminal));
    }
    if (session.caller.person != row_none) {
        log_text(line, "person", name_slice(server.book.ledger.people[session.caller.person].name));
    }
    if (session.end_reason != nullptr) {
        log_number(line, "commands", session.commands);
        log_text(line, "because", slice_of(session.end_reason));
    }
    log_end(line, LogLevel::info);
}

void log_established(const Session& session) {
    const ChannelPeer& peer = session.channel.peer;
    LogLine line;
    log_begin(line, "connected");
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    log_text(line, "terminal", slice_of(peer.name));
    put_text(line.writer, " serial ");
    put_hex(line.writer, {peer.serial, peer.serial_size});
    log_text(line, "with", slice_of(peer.protocol));
    log_text(line, "cipher", slice_of(peer.cipher));
    log_end(line, LogLevel::info);
}

// Buffers.

bool lend_buffers(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    if (session.buffers != pool_none) return true;
    const uint32_t buffers = pool_take(server.buffers);
    if (buffers == pool_none) return false;
    session_lend(session, buffers, pool_at(server.buffers, buffers));
    return true;
}

void return_buffers(Server& server, Session& session) {
    if (session.buffers == pool_none) return;
    SessionBuffers& buffers = pool_at(server.buffers, session.buffers);
    wipe(buffers.plain_in, session.plain_in.size);
    wipe(buffers.plain_out, session.plain_out.size);
    pool_give(server.buffers, session.buffers);
    session.buffers = pool_none;
    session.cipher_in = {};
    session.plain_in = {};
    session.plain_out = {};
    session.cipher_out = {};
}

// Lets the sessions whose bytes wait for a slot or for buffers try again, first come first served.
void wake_readers(Server& server) {
    uint32_t index = 0;
    for (uint32_t count = server.slot_queue.count; count > 0; count--) {
        dequeue(server, server.slot_queue, in_slot_queue, index);
        if (pool_is_taken(server.sessions, index)) mark_dirty(server, index);
    }
}

void wait_for_slot(Server& server, uint32_t index) {
    enqueue(server, server.slot_queue, in_slot_queue, index);
}

bool same_source(const char* a, const char* b) {
    // Up to the last ':', which begins the port.
    uint32_t end_a = 0;
    uint32_t end_b = 0;
    for (uint32_t i = 0; a[i] != '\0'; i++) end_a = a[i] == ':' ? i : end_a;
    for (uint32_t i = 0; b[i] != '\0'; i++) end_b = b[i] == ':' ? i : end_b;
    return end_a == end_b && memcmp(a, b, end_a) == 0;
}

// Z4. Counts by walking: `handshakes` is small and this happens once per connection.
bool handshake_slot_is_free(const Server& server, const Session& asking) {
    if (server.handshakes >= server.config.handshakes) return false;
    uint32_t of_source = 0;
    bool others_wait = false;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        const bool same = same_source(session.address, asking.address);
        if (session.phase == SessionPhase::handshake && same) of_source++;
        if (session.phase == SessionPhase::waiting && !same && session.wants_slot) {
            others_wait = true;
        }
    }
    return !others_wait || of_source < (server.config.handshakes + 1) / 2;
}

// The first bytes of a peer are there: gives it a handshake slot, buffers and a channel.
bool begin_handshake(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    session.wants_slot = true;
    if (!handshake_slot_is_free(server, session) || !lend_buffers(server, index)) {
        wait_for_slot(server, index);
        return false;
    }
    session.wants_slot = false;
    if (tls_open(session.channel, server.tls[session.listener], nullptr) != Status::ok) {
        session_end(session, "no memory for another handshake");
        mark_dirty(server, index);
        return false;
    }
    session.phase = SessionPhase::handshake;
    session.deadline_ms = server.now_ms + server.config.handshake_ms;
    server.handshakes++;
    return true;
}

void leave_handshake(Server& server) {
    CHECK(server.handshakes > 0);
    server.handshakes--;
    wake_readers(server);
}

// Jobs.

void begin_hash(Server& server, Session& session, uint32_t job) {
    session.job = job;
    server.hash_owner[job] = session.tag.session;
    ring_push(server.hash_queue, job);
}

void begin_statement(Server& server, Session& session, uint32_t job) {
    session.job = job;
    server.statement_owner[job] = session.tag.session;
    if (service_statement_feed(server.statements.slots[job]) == Status::more) {
        ring_push(server.read_queue, job);
        return;
    }
    SessionTools tools = tools_of(server);
    tools.statement = &server.statements.slots[job];
    session_statement_done(session, tools);
    pool_give(server.statements, job);
    server.wake = true;
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

void step_session(Server& server, uint32_t index);

// Carries out what a session asked for. Returns true when it can go on at once.
bool serve_need(Server& server, Session& session, SessionNeed need, uint32_t hash,
                uint32_t statement) {
    if (need == SessionNeed::hash) {
        begin_hash(server, session, hash);
    } else if (hash != pool_none) {
        pool_give(server.hashes, hash);
    }
    if (need == SessionNeed::statement) {
        begin_statement(server, session, statement);
    } else if (statement != pool_none) {
        pool_give(server.statements, statement);
    }
    switch (need) {
        case SessionNeed::none:
        case SessionNeed::hash: return false;
        case SessionNeed::statement: return session.block == SessionBlock::none;
        case SessionNeed::handshake:
            session.lent = true;
            ring_push(server.handshake_queue, session.tag.session);
            return false;
        case SessionNeed::checkpoint:
        case SessionNeed::digest: {
            const SnapshotUse use = need == SessionNeed::checkpoint ? SnapshotUse::checkpoint
                                                                    : SnapshotUse::digest;
            if (begin_snapshot(server, use, session.tag)) return false;
            put_text(session.plain_out, "-BUSY another checkpoint or digest is being made\r\n");
            session.block = SessionBlock::none;
            return true;
        }
        case SessionNeed::shutdown: server_stop(server, "SHUTDOWN was asked for"); return false;
    }
    CHECK(false);
    return false;
}

void release_if_idle(Server& server, Session& session) {
    if (session.buffers == pool_none || !session_is_idle(session)) return;
    if (session.phase == SessionPhase::ending) return;
    return_buffers(server, session);
    wake_readers(server);
}

// Lets a session do all it can, with free jobs at hand.
void step_session(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    const SessionPhase phase = session.phase;
    for (bool again = true; again;) {
        if (session.lent) return;
        // The slots are taken before the step, so that what is lent was wiped, and given back after.
        const bool may_ask = session.block == SessionBlock::none && session.pending == 0 &&
                             phase != SessionPhase::handshake;
        const uint32_t hash = may_ask ? pool_take(server.hashes) : pool_none;
        const uint32_t statement = may_ask ? pool_take(server.statements) : pool_none;
        SessionTools tools = tools_of(server);
        if (hash != pool_none) {
            tools.hash = &server.hashes.slots[hash];
            wipe(tools.hash, sizeof *tools.hash);
        }
        if (statement != pool_none) tools.statement = &server.statements.slots[statement];
        const SessionNeed need = session_step(session, tools);
        again = serve_need(server, session, need, hash, statement);
    }
    if (session.phase == SessionPhase::ready && phase == SessionPhase::login) {
        log_session(server, session, "logged in");
    }
    if (session.wants_commit) enqueue(server, server.commit_queue, in_commit_queue, index);
    release_if_idle(server, session);
    mark_dirty(server, index);
}

void finish_hash(Server& server, uint32_t job) {
    const uint32_t index = server.hash_owner[job];
    Session& session = session_at(server, index);
    SessionTools tools = tools_of(server);
    tools.hash = &server.hashes.slots[job];
    const SessionPhase phase = session.phase;
    const uint64_t failed = server.service.stats.logins_failed;
    if (!session_hash_done(session, tools)) {  // Tried again after the next commit.
        enqueue(server, server.commit_queue, in_commit_queue, index);
        return;
    }
    if (server.service.stats.logins_failed > failed) log_session(server, session, "login refused");
    if (session.phase == SessionPhase::ready && phase == SessionPhase::login) {
        log_session(server, session, "logged in");
    }
    pool_give(server.hashes, job);
    server.wake = true;
    step_session(server, index);
}

// After a commit or a freed job: everybody who waited for one gets another try.
void serve_commit_queue(Server& server) {
    while (server.wake) {
        server.wake = false;
        uint32_t index = 0;
        for (uint32_t count = server.commit_queue.count; count > 0; count--) {
            dequeue(server, server.commit_queue, in_commit_queue, index);
            if (!pool_is_taken(server.sessions, index)) continue;
            Session& session = server.sessions.slots[index];
            const bool retries_hash = session.wants_commit && session.block == SessionBlock::hash;
            session.wants_commit = false;
            if (session.block == SessionBlock::commit) session.block = SessionBlock::none;
            if (retries_hash) {
                finish_hash(server, session.job);
            } else {
                step_session(server, index);
            }
        }
    }
}

void finish_statement(Server& server, const Wish& wish) {
    StatementJob& job = server.statements.slots[wish.slot];
    Session& session = session_at(server, server.statement_owner[wish.slot]);
    job.outcome = wish.outcome;
    job.window_size = wish.outcome == Status::ok ? wish.size : 0;
    if (job.outcome == Status::ok && job.window_size < entry_size_max) {
        // The segment's end: what is missing reads as zeros, which no entry is.
        memset(job.window + job.window_size, 0, statement_window_size - job.window_size);
        job.window_size = statement_window_size;
    }
    const bool go_on = session.phase != SessionPhase::ending && job.outcome == Status::ok;
    if (go_on && service_statement_feed(job) == Status::more) {
        ring_push(server.read_queue, wish.slot);
        return;
    }
    SessionTools tools = tools_of(server);
    tools.statement = &job;
    session_statement_done(session, tools);
    pool_give(server.statements, wish.slot);
    server.wake = true;
    step_session(server, session.tag.session);
}

void finish_handshake(Server& server, const Wish& wish) {
    Session& session = session_at(server, wish.slot);
    session.lent = false;
    if (session.phase == SessionPhase::handshake) {
        SessionTools tools = tools_of(server);
        session_handshake_done(session, tools, wish.outcome);
        if (session.phase == SessionPhase::login || session.surplus) log_established(session);
        if (session.phase == SessionPhase::ending && !session.surplus) {
            server.service.stats.handshakes_failed++;
        }
        if (session.phase != SessionPhase::handshake) leave_handshake(server);
        if (session.peer_closed && session.phase == SessionPhase::handshake &&
            session.cipher_in.size == 0) {
            leave_handshake(server);
            session_end(session, "the peer left during the handshake");
            server.service.stats.handshakes_failed++;
        }
    }
    step_session(server, wish.slot);
}

// Snapshots.

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
    SessionTools tools = tools_of(server);
    session_snapshot_done(session, tools, was_checkpoint, outcome, job.digest, entry);
    step_session(server, index);
}

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
    if (wish.outcome != Status::ok) {
        server.segment_retry_ms = server.now_ms + 1000;
        return;
    }
    log_segment_made(server.book.log, wish.number, wish.size, wish.salt);
    server.wake = true;
}

// The part of a stop that follows when all sessions are gone.
void advance_stop(Server& server) {
    if (server.phase == ServerPhase::running || server.phase == ServerPhase::stopped) return;
    Log& log = server.book.log;
    const bool failed = log.blocked == LogBlock::failed;
    if (server.phase == ServerPhase::ending_sessions && server.sessions.taken == 0) {
        server.phase = ServerPhase::closing_book;
    }
    if (server.phase == ServerPhase::closing_book) {
        if (!failed && !log_is_idle(log)) return;
        if (!failed && log.batch_durable != server.closed_batch) {
            if (log_close(log, server.wall_us / 1000) == Status::ok) {
                server.closed_batch = log.seq_sealed + 1;
                return;
            }
        }
        if (server.snapshot.use != SnapshotUse::none) return;
        server.phase = ServerPhase::checkpointing;
        const bool changed = server.book.entries_since_snapshot > 0 ||
                             server.closed_batch == log.batch_durable;
        if (failed || !changed ||
            !begin_snapshot(server, SnapshotUse::checkpoint, book_tag_none)) {
            server.phase = ServerPhase::stopped;
        }
        return;
    }
    if (server.phase == ServerPhase::checkpointing && server.snapshot.use == SnapshotUse::none) {
        server.phase = ServerPhase::stopped;
    }
}

// The server's own entries: the closing batch after a quiet second, the regular checkpoint.
void advance_book(Server& server) {
    if (server.phase != ServerPhase::running) return;
    Log& log = server.book.log;
    if (log.blocked == LogBlock::failed) return;
    const bool quiet = log_is_idle(log) && log.batch_durable != server.closed_batch &&
                       server.now_ms - server.commit_ms >= closing_batch_ms;
    if (quiet && log_close(log, server.wall_us / 1000) == Status::ok) {
        server.closed_batch = log.seq_sealed + 1;
    }
    const uint64_t since = server.book.entries_since_snapshot;
    const uint64_t age_ms = server.now_ms - server.checkpoint_ms;
    const bool due = since >= server.config.checkpoint_entries ||
                     (since > 0 && age_ms >= server.config.checkpoint_minutes * 60'000ull);
    if (due) begin_snapshot(server, SnapshotUse::checkpoint, book_tag_none);
}

void tick_sessions(Server& server) {
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        Session& session = server.sessions.slots[i];
        const SessionPhase before = session.phase;
        session_tick(session, server.now_ms, server.config.request_ms);
        const bool cut = server.phase != ServerPhase::running &&
                         server.now_ms - server.stop_since_ms >= stop_ms_max;
        if (cut) session_end(session, "the server stopped");
        if (session.phase == before) continue;
        if (before == SessionPhase::handshake) leave_handshake(server);
        // Without buffers there is no room for a closing message; the close itself must do.
        if (session.phase == SessionPhase::ending && !lend_buffers(server, i)) {
            session.end_sent = true;
        }
        step_session(server, i);
    }
}

}  // namespace

void server_layout(Server& server, Arena& arena, const Config& config) {
    server.config = config;
    const LedgerLimits limits = {
        .accounts = config.accounts, .ids = config.ids, .terminals = config.terminals};
    // Beyond the limit as many as can shake hands at once are let in to be told so.
    const uint32_t sessions = config.sessions + config.handshakes;
    pool_layout(server.sessions, arena, "sessions", sessions);
    pool_layout(server.buffers, arena, "session buffers", config.buffers);
    pool_layout(server.hashes, arena, "password jobs", config.hashes);
    pool_layout(server.statements, arena, "statement jobs", config.statements);
    ring_layout(server.hash_queue, arena, "password queue", config.hashes);
    ring_layout(server.dirty, arena, "session queue", sessions);
    ring_layout(server.slot_queue, arena, "slot queue", sessions);
    ring_layout(server.commit_queue, arena, "commit queue", sessions);
    ring_layout(server.handshake_queue, arena, "handshake queue", sessions);
    ring_layout(server.read_queue, arena, "statement queue", config.statements);
    server.queued = arena_array<uint8_t>(arena, "  queued", sessions);
    server.hash_owner = arena_array<uint32_t>(arena, "  password owners", config.hashes);
    server.statement_owner = arena_array<uint32_t>(arena, "  statement owners", config.statements);
    server.snapshot.memory = arena_array<uint8_t>(arena, "checkpoint text", snapshot_chunk_size);
    book_layout(server.book, arena, limits);
    access_layout(server.access, arena, config.accounts);
    crypto_layout(server.heap, arena, sessions, config.handshakes);
}

void server_init(Server& server, uint64_t memory_reserved) {
    const Config& config = server.config;
    const AccessRules rules = {
        .registration = static_cast<AccessRegistration>(config.registration),
        .self_service = config.self_service,
        .refused_per_minute = config.refused_per_minute};
    pool_init(server.sessions);
    pool_init(server.buffers);
    pool_init(server.hashes);
    pool_init(server.statements);
    ring_clear(server.hash_queue);
    ring_clear(server.dirty);
    ring_clear(server.slot_queue);
    ring_clear(server.commit_queue);
    ring_clear(server.handshake_queue);
    ring_clear(server.read_queue);
    access_init(server.access, rules);
    server.hash_running = pool_none;
    server.service.book = &server.book;
    server.service.access = &server.access;
    server.service.cost = {config.password_memory_kib, config.password_passes};
    server.service.stats = {};
    server.service.stats.memory_reserved = memory_reserved;
    server.service.stats.sessions_max = config.sessions;
    memcpy(server.service.message, config.message, sizeof config.message);
}

Status server_load_tls(Server& server, uint32_t listener, const TlsFiles& files,
                       const char*& reason) {
    CHECK(listener < server.config.listener_count);
    const bool tls12 = server.config.listeners[listener].tls_min == 12;
    return tls_config_load(server.tls[listener], TlsEnd::server,
                           tls12 ? TlsVersion::tls12 : TlsVersion::tls13, files, reason);
}

PasswordCost server_password_cost(const Server& server) {
    PasswordCost most = server.service.cost;
    const Ledger& ledger = server.book.ledger;
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        const PasswordRecord& record = ledger.people[row].installed.password;
        PasswordCost cost = {};
        const Slice text = slice_of_chars(record.text, record.size);
        if (password_cost_of(text, cost) != Status::ok) continue;
        if (cost.memory_kib > most.memory_kib && cost.memory_kib <= password_memory_kib_max) {
            most = cost;
        }
    }
    return most;
}

void server_set_password_arena(Server& server, const PasswordArena& arena) {
    server.password_arena = arena;
    server.service.cost_nobody = server_password_cost(server);
    server.service.stats.memory_reserved += arena.size;
}

void server_start(Server& server, uint32_t checkpoint_number) {
    server.phase = ServerPhase::running;
    server.checkpoint_number = checkpoint_number;
    server.checkpoint_ms = server.now_ms;
    server.started_ms = server.now_ms;
    server.commit_ms = server.now_ms;
    server.closed_batch = 0;  // The first quiet second vouches for what recovery believed last.
}

void server_clock(Server& server, uint64_t now_ms, uint64_t wall_us) {
    server.now_ms = now_ms;
    server.wall_us = wall_us;
    crypto_clock_set(wall_us / 1000);
    server.service.stats.uptime_s = (now_ms - server.started_ms) / 1000;
}

bool server_can_accept(const Server& server) {
    return server.phase == ServerPhase::running &&
           server.sessions.taken < server.sessions.count;
}

uint32_t server_accept(Server& server, uint32_t listener) {
    if (!server_can_accept(server)) return pool_none;
    const uint32_t index = pool_take(server.sessions);
    CHECK(index != pool_none);
    Session& session = server.sessions.slots[index];
    memset(&session, 0, sizeof session);
    session.phase = SessionPhase::waiting;
    session.buffers = pool_none;
    session.job = pool_none;
    session.listener = listener;
    session.tag = {index, server.sessions.generation[index]};
    session.surplus = server.sessions.taken > server.config.sessions;
    session.caller.protocol = 2;
    session.caller.person = row_none;
    session.caller.number = ++server.session_count;
    session.opened_ms = server.now_ms;
    session.deadline_ms = server.now_ms + server.config.login_ms;
    server.service.stats.connections++;
    if (session.surplus) server.service.stats.rejected_sessions++;
    server.service.stats.sessions = server.sessions.taken;
    mark_dirty(server, index);
    return index;
}

void server_set_address(Server& server, uint32_t index, const char* address) {
    Session& session = session_at(server, index);
    Writer writer = writer_of(reinterpret_cast<uint8_t*>(session.address), address_size_max - 1);
    put_text(writer, address);
}

uint8_t* server_read_room(Server& server, uint32_t index, uint32_t& size) {
    Session& session = session_at(server, index);
    size = 0;
    if (!session_wants_bytes(session)) return nullptr;
    if (session.phase == SessionPhase::waiting && !begin_handshake(server, index)) return nullptr;
    if (!lend_buffers(server, index)) {
        wait_for_slot(server, index);
        return nullptr;
    }
    size = writer_room(session.cipher_in);
    return session.cipher_in.data + session.cipher_in.size;
}

void server_received(Server& server, uint32_t index, uint32_t size) {
    Session& session = session_at(server, index);
    CHECK(session.buffers != pool_none && size <= writer_room(session.cipher_in));
    session.cipher_in.size += size;
    step_session(server, index);
    serve_commit_queue(server);
}

void server_peer_closed(Server& server, uint32_t index, const char* reason) {
    Session& session = session_at(server, index);
    session.peer_closed = true;
    if (reason != nullptr) session.peer_gone = true;
    if (session.lent) return;
    const SessionPhase before = session.phase;
    if (session.phase == SessionPhase::waiting) session_end(session, "no byte was sent");
    if (session.phase == SessionPhase::handshake) {
        session_end(session, "the peer left during the handshake");
        server.service.stats.handshakes_failed++;
        leave_handshake(server);
    }
    if (reason != nullptr) session_end(session, reason);
    if (session.phase == SessionPhase::login || session.phase == SessionPhase::ready) {
        if (!lend_buffers(server, index)) session_end(session, "the client closed");
    }
    if (session.phase == SessionPhase::ending && before != SessionPhase::ending) {
        session.end_sent = true;  // Nobody is left to read a closing message.
        session.cipher_out.size = 0;
        session.plain_out.size = 0;
    }
    step_session(server, index);
}

bool server_next_dirty(Server& server, uint32_t& session) {
    while (dequeue(server, server.dirty, in_dirty, session)) {
        if (pool_is_taken(server.sessions, session)) return true;
    }
    return false;
}

SessionPlan server_plan(const Server& server, uint32_t index) {
    CHECK(pool_is_taken(server.sessions, index));
    const Session& session = server.sessions.slots[index];
    SessionPlan plan = {};
    if (!session.lent && session.buffers != pool_none) plan.out = writer_slice(session.cipher_out);
    plan.read = session_wants_bytes(session);
    plan.close = session_is_over(session);
    return plan;
}

void server_sent(Server& server, uint32_t index, uint32_t size) {
    Session& session = session_at(server, index);
    if (session.peer_gone || session.buffers == pool_none) return;  // Dropped already.
    CHECK(!session.lent);
    writer_drop(session.cipher_out, size);
    step_session(server, index);
    serve_commit_queue(server);
}

void server_closed(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    CHECK(!session.lent);
    log_session(server, session, "ended");
    return_buffers(server, session);
    channel_free(session.channel);
    wipe(&session, sizeof session);
    pool_give(server.sessions, index);
    server.service.stats.sessions = server.sessions.taken;
    wake_readers(server);
}

bool server_write_take(Server& server, LogWrite& out) {
    return book_write_next(server.book, out);
}

void server_write_done(Server& server, Status outcome) {
    if (outcome != Status::ok) {
        LogLine line;
        log_begin(line, "the journal could not be written or synced: money stops until a restart");
        log_end(line, LogLevel::error);
    }
    book_write_done(server.book, outcome);
    server.commit_ms = server.now_ms;
    if (outcome == Status::ok) server.service.stats.batches++;
    SessionTools tools = tools_of(server);
    BookDone done;
    while (book_commit_next(server.book, done)) {
        if (done.durable) server.service.stats.batch_entries++;
        const uint32_t index = done.tag.session;
        if (index == book_tag_none.session) continue;
        Session& session = session_at(server, index);
        CHECK(session.tag.generation == done.tag.generation);
        session_committed(session, tools, done);
        enqueue(server, server.commit_queue, in_commit_queue, index);
    }
    server.wake = true;
    serve_commit_queue(server);
}

bool server_wish_take(Server& server, Wish& out) {
    uint32_t slot = 0;
    out = {};
    if (ring_pop(server.handshake_queue, slot)) {
        out.kind = WishKind::handshake;
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
        StatementJob& job = server.statements.slots[slot];
        out.kind = WishKind::read;
        out.slot = slot;
        out.position = job.window_start;
        out.memory = job.window;
        out.size = job.window_size;
        return true;
    }
    if (!server.segment_wished && log_wants_segment(server.book.log) &&
        server.now_ms >= server.segment_retry_ms) {
        server.segment_wished = true;
        out.kind = WishKind::segment;
        out.number = server.book.log.segment + 1;
        out.size = server.config.segment_size_kib * 1024;
        return true;
    }
    return take_snapshot_wish(server, out);
}

void server_wish_run(Server& server, Wish& wish) {
    if (wish.kind == WishKind::handshake) {
        wish.outcome = session_handshake_run(server.sessions.slots[wish.slot]);
        return;
    }
    CHECK(wish.kind == WishKind::hash);
    service_hash_run(server.service, server.hashes.slots[wish.slot], server.password_arena);
    wish.outcome = Status::ok;
}

void server_wish_done(Server& server, const Wish& wish) {
    switch (wish.kind) {
        case WishKind::handshake: finish_handshake(server, wish); break;
        case WishKind::hash:
            server.hash_running = pool_none;
            finish_hash(server, wish.slot);
            break;
        case WishKind::read: finish_statement(server, wish); break;
        case WishKind::segment: finish_segment(server, wish); break;
        case WishKind::checkpoint_begin:
        case WishKind::checkpoint_append:
        case WishKind::checkpoint_finish: finish_snapshot_wish(server, wish); break;
    }
    serve_commit_queue(server);
}

bool server_password_arena_is_idle(const Server& server) {
    return server.hash_running == pool_none && server.hash_queue.count == 0;
}

bool server_is_hurried(const Server& server) {
    const SnapshotJob& job = server.snapshot;
    const bool formats = job.use != SnapshotUse::none && !job.working;
    return formats || (server.phase != ServerPhase::running &&
                       server.phase != ServerPhase::stopped && server.sessions.taken == 0);
}

void server_tick(Server& server) {
    tick_sessions(server);
    advance_snapshot(server);
    advance_book(server);
    advance_stop(server);
}

void server_stop(Server& server, const char* reason) {
    if (server.phase != ServerPhase::running) return;
    LogLine line;
    log_begin(line, "stopping");
    log_text(line, "because", slice_of(reason));
    log_end(line, LogLevel::info);
    server.phase = ServerPhase::ending_sessions;
    server.stop_since_ms = server.now_ms;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        Session& session = server.sessions.slots[i];
        if (session.phase == SessionPhase::handshake) leave_handshake(server);
        session_end(session, "the server stopped");
        if (!lend_buffers(server, i)) session.end_sent = true;
        mark_dirty(server, i);
    }
}

bool server_is_stopped(const Server& server) { return server.phase == ServerPhase::stopped; }
