#include "server.h"

#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "port.h"
#include "server_limits.h"
#include "server_parts.h"
#include "version.h"

namespace {

// The part of a stop that follows when all sessions are gone.
void advance_stop(Server& server) {
    if (server.phase == ServerPhase::running || server.phase == ServerPhase::stopped) return;
    Log& log = server.book.log;
    const bool failed = log_is_stopped(log);
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
            server.phase = ServerPhase::saving_penalties;
        }
        return;
    }
    if (server.phase == ServerPhase::checkpointing && server.snapshot.use == SnapshotUse::none) {
        server.phase = ServerPhase::saving_penalties;
    }
    if (server.phase == ServerPhase::saving_penalties && door_is_saved(server)) {
        server.phase = ServerPhase::stopped;
    }
}

void note_limits(Server& server) {
    if (server.limits_noted) return;
    server.limits_noted = book_note_limits(server.book, server.wall_us / 1000) == Status::ok;
}

// The server's own entries: limits that a start found changed, the closing batch after a quiet
// second, the regular checkpoint.
void advance_book(Server& server) {
    if (server.phase != ServerPhase::running) return;
    Log& log = server.book.log;
    if (log_is_stopped(log)) return;
    note_limits(server);
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

// An ending session gets a while to take what it is owed; a peer that does not read cannot stay.
void tick_ending(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    if (session.deadline_ms > server.now_ms + linger_ms) {
        session.deadline_ms = server.now_ms + linger_ms;
    }
    if (server.now_ms < session.deadline_ms || session.peer_gone || session.lent) return;
    session.peer_gone = true;
    session.end_sent = true;
    step_session(server, index);
}

// While somebody waits for buffers, the oldest unfinished request gives up its own.
void tick_buffers(Server& server) {
    if (server.slot_queue.count == 0 || server.buffers.taken < server.buffers.count) return;
    uint32_t oldest = pool_none;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        const uint64_t since_ms = session.request_since_ms;
        if (since_ms == 0 || session.phase == SessionPhase::ending) continue;
        if (server.now_ms - since_ms < unfinished_ms_min) continue;
        if (oldest == pool_none || since_ms < server.sessions.slots[oldest].request_since_ms) {
            oldest = i;
        }
    }
    if (oldest == pool_none) return;
    session_end(session_at(server, oldest), "others waited while its request was unfinished");
    step_session(server, oldest);
}

// Nobody waits for ever for a file that does not answer, nor keeps buffers that others need.
void tick_sensor(Server& server) {
    if (!sensor_falls_silent(server.service.sensor, server.now_ms)) return;
    log_sensor(server);
    server.wake = true;
    serve_commit_queue(server);
}

// What follows when a session in phase `before` has begun to end.
void finish_end(Server& server, uint32_t index, SessionPhase before) {
    Session& session = session_at(server, index);
    if (before == SessionPhase::handshake) leave_handshake(server);
    // Without buffers there is no room for a closing message; the close itself must do.
    if (session.phase == SessionPhase::ending && !lend_buffers(server, index)) {
        session.end_sent = true;
    }
    step_session(server, index);
}

void tick_sessions(Server& server) {
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        Session& session = server.sessions.slots[i];
        const SessionPhase before = session.phase;
        if (before == SessionPhase::ending) {
            tick_ending(server, i);
            continue;
        }
        session_tick(session, server.now_ms, server.config.request_ms);
        if (session.phase != before) finish_end(server, i, before);
    }
}

uint32_t lab_listener_count(const Config& config) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < config.listener_count; i++) count += config.listeners[i].lab ? 1 : 0;
    return count;
}

void lab_layout(Server& server, Arena& arena, uint32_t sessions) {
    const Config& config = server.config;
    const bool wanted = lab_is_built && lab_listener_count(config) > 0;
    pool_layout(server.labs, arena, "laboratory", wanted ? config.lab_sessions : 0);
    ring_layout(server.lab_queue, arena, "  its queue", wanted ? sessions : 0);
    server.lab = arena_array<LabConfig>(arena, "  its keys", wanted ? config.listener_count : 0);
}

}  // namespace

void end_from_outside(Server& server, uint32_t index, const char* reason) {
    Session& session = session_at(server, index);
    const SessionPhase before = session.phase;
    session_end(session, reason);
    if (session.phase != before) finish_end(server, index, before);
}

void server_layout(Server& server, Arena& arena, const Config& config) {
    server.config = config;
    const LedgerLimits limits = server_limits_of(config);
    // Beyond the limit as many as can shake hands at once are let in to be told so.
    const uint32_t sessions = config.sessions + config.handshakes;
    pool_layout(server.sessions, arena, "sessions", sessions);
    pool_layout(server.buffers, arena, "session buffers", config.buffers);
    pool_layout(server.hashes, arena, "password jobs", config.hashes);
    pool_layout(server.reads, arena, "reads of the journal", config.reads);
    pool_layout(server.groups, arena, "groups", config.groups);
    ring_layout(server.hash_queue, arena, "password queue", config.hashes);
    ring_layout(server.dirty, arena, "session queue", sessions);
    ring_layout(server.slot_queue, arena, "slot queue", sessions);
    ring_layout(server.commit_queue, arena, "commit queue", sessions);
    ring_layout(server.handshake_queue, arena, "handshake queue", sessions);
    lab_layout(server, arena, sessions);
    ring_layout(server.read_queue, arena, "  read queue", config.reads);
    ring_layout(server.key_queue, arena, "  key queue", config.reads);
    server.queued = arena_array<uint8_t>(arena, "  queued", sessions);
    server.hash_owner = arena_array<uint32_t>(arena, "  password owners", config.hashes);
    server.read_owner = arena_array<uint32_t>(arena, "  read owners", config.reads);
    server.snapshot.memory = arena_array<uint8_t>(arena, "checkpoint text", snapshot_chunk_size);
    book_layout(server.book, arena, limits);
    access_layout(server.access, arena, config.accounts, terminals_config_max);
    door_layout(server, arena);
    server.enrol = {};
    if (!config.lab_only) server.enrol.job = arena_array<EnrolJob>(arena, "enrolment", 1);
    if (config.issue) {
        server.enrol.issuers = arena_array<ServerIssuer>(arena, "  its signer", generation_count);
    }
    expiry_layout(server.expiry, arena, config.terminals);
    server.messages = {};
    const uint32_t keys = config.message_key[0] == '\0' ? 0 : 1;
    if (keys > 0) {
        server.messages.pem = arena_array<uint8_t>(arena, "message key", jose_key_pem_size_max);
        server.messages.scratch = arena_array<MessageScratch>(arena, "  clear text", 1);
    }
    const uint32_t labs = lab_listener_count(config);
    const uint32_t banks = config.listener_count > labs ? config.listener_count - labs : 1;
    crypto_layout(server.heap, arena, sessions, config.handshakes, keys, labs, banks);
}

namespace {

// An amount that config_check has accepted, or `none` for an empty one.
int64_t minor_of(const char* text, uint32_t scale, int64_t none) {
    int64_t minor = none;
    if (text[0] == '\0') return none;
    CHECK(parse_minor(slice_of(text), scale, minor) == Status::ok);
    return minor;
}

TerminalRights rights_of(const TerminalConfig& terminal, uint32_t scale) {
    TerminalRights rights = {};
    // The reserved name stands for all terminals without a section of their own.
    const bool is_default = slice_equal_text(slice_of(terminal.name), "default");
    if (!is_default) CHECK(parse_name(slice_of(terminal.name), rights.name) == Status::ok);
    rights.roles = static_cast<RoleSet>(terminal.roles);
    rights.login = terminal.login;
    rights.amount_max = minor_of(terminal.amount_max, scale, 0);
    rights.day_max = minor_of(terminal.day_max, scale, 0);
    rights.pin_above = minor_of(terminal.pin_above, scale, pin_never);
    Reader names = reader_of(slice_of(terminal.accounts));
    Slice word = {};
    while (reader_left(names) > 0 && cut_word(names, ' ', word) == Status::ok) {
        CHECK(rights.account_count < rights_accounts_max);
        CHECK(parse_name(word, rights.accounts[rights.account_count++]) == Status::ok);
    }
    return rights;
}

static_assert(terminal_accounts_max == rights_accounts_max);
static_assert(config_role_count == role_count);

AccessRules rules_of(const Config& config) {
    return {.registration = static_cast<AccessRegistration>(config.registration),
            .self_service = config.self_service,
            .refused_per_minute = config.refused_per_minute,
            .reverse_minutes = config.reverse_minutes,
            .multi = config.multi,
            .register_per_day = config.register_per_day,
            .pin_above = minor_of(config.pin_above, config.scale, pin_never)};
}

}  // namespace

void take_terminals(Server& server, const Config& config) {
    access_clear_terminals(server.access);
    for (uint32_t i = 0; i < config.terminal_section_count; i++) {
        access_add_terminal(server.access, rights_of(config.terminal_sections[i], config.scale));
    }
}

void server_init(Server& server, uint64_t memory_reserved) {
    const Config& config = server.config;
    pool_init(server.sessions);
    pool_init(server.buffers);
    pool_init(server.hashes);
    pool_init(server.reads);
    pool_init(server.groups);
    pool_init(server.labs);
    ring_clear(server.hash_queue);
    ring_clear(server.dirty);
    ring_clear(server.slot_queue);
    ring_clear(server.commit_queue);
    ring_clear(server.handshake_queue);
    ring_clear(server.lab_queue);
    ring_clear(server.read_queue);
    ring_clear(server.key_queue);
    access_init(server.access, rules_of(config));
    door_init(server);
    expiry_init(server.expiry);
    take_terminals(server, config);
    server.hash_running = pool_none;
    server.key_running = pool_none;
    server.lab_running = pool_none;
    server.service.book = &server.book;
    server.service.archived = &server.archived;
    server.service.access = &server.access;
    server.service.expiry = &server.expiry;
    server.service.version = PENNY_VERSION;
    server.service.message = config.message;
    server.service.message_key = nullptr;
    sensor_init(server.service.sensor, slice_of(config.temperature), config.sensor_root);
    server.service.cost = {config.password_memory_kib, config.password_passes};
    server.service.alarms = {};
    server.service.renewals = {};
    Renewals& renewals = server.service.renewals;
    // Without chance, a terminal can be aimed at that shares another's days.
    if (!port_random(renewals.key, sizeof renewals.key)) renewals = {};
    server.service.stats = {};
    server.service.stats.memory_reserved = memory_reserved;
    server.service.stats.sessions_max = config.sessions;
}

Status server_load_tls(Server& server, uint32_t generation, uint32_t listener,
                       const TlsFiles& files, const char*& reason) {
    const Config& config = server.config;
    CHECK(listener < config.listener_count);
    TlsConfig& tls = server.generations[generation].tls[listener];
    const ListenerConfig& its = config.listeners[listener];
    const TlsEnd end = config_is_channel(its, "enrol") ? TlsEnd::enrol : TlsEnd::server;
    const bool tls12 = its.tls_min == 12;
    const Status status = tls_config_load(tls, end, tls12 ? TlsVersion::tls12 : TlsVersion::tls13,
                                          files, reason);
    if (status == Status::ok) tls_config_set_grace(tls, config.renew_grace_days * 86'400'000ull);
    return status;
}

Status server_load_lab(Server& server, uint32_t listener, const LabFiles& files,
                       const char*& reason) {
    CHECK(listener < server.config.listener_count && server.config.listeners[listener].lab);
    const LabOps* ops = lab_find(slice_of(server.config.listeners[listener].channel));
    CHECK(ops != nullptr);  // O1
    return lab_config_load(server.lab[listener], *ops, LabEnd::server, files, reason);
}

Status server_load_message_key(Server& server, Slice pem) {
    ServerMessages& messages = server.messages;
    CHECK(messages.pem != nullptr);
    if (pem.size > jose_key_pem_size_max) return Status::invalid;
    const Status status = jose_key_read(pem, messages.key);
    if (status != Status::ok) return status;
    memcpy(messages.pem, pem.data, pem.size);
    messages.pem_size = pem.size;
    messages.is_there = true;
    server.service.message_key = &messages.key;
    return Status::ok;
}

Status server_load_issuer(Server& server, uint32_t generation, Slice certificate, Slice key,
                          const char*& reason) {
    ServerIssuer& issuer = server.enrol.issuers[generation];
    CertificateFacts facts = {};
    Slice first = {};
    reason = "the issuing certificate is no certificate of an authority";
    const Status found = certificate_first(certificate, first);
    if (found != Status::ok || certificate_read(first, facts) != Status::ok) return Status::invalid;
    if (!facts.is_authority || first.size > sizeof issuer.certificate) return Status::invalid;
    reason = "the issuing key does not belong to the issuing certificate";
    if (key.size > sizeof issuer.key) return Status::invalid;
    if (certificate_match(first, key) != Status::ok) return Status::invalid;
    reason = "no listener's ca has signed the issuing certificate";
    const TlsConfig* const tls = server.generations[generation].tls;
    bool is_known = false;
    for (uint32_t i = 0; i < server.config.listener_count; i++) {
        if (!config_is_channel(server.config.listeners[i], "tls")) continue;
        is_known = is_known || tls_config_has_ca(tls[i], facts.issuer_hash);
    }
    if (!is_known) return Status::invalid;
    memcpy(issuer.certificate, first.data, first.size);
    issuer.certificate_size = first.size;
    issuer.not_after_ms = facts.not_after_ms;
    memcpy(issuer.key, key.data, key.size);
    issuer.key_size = key.size;
    return Status::ok;
}

namespace {

// When the newest of our own certificates begins to hold.
uint64_t certificate_from_ms(const Server& server) {
    uint64_t from_ms = 0;
    for (uint32_t i = 0; i < server.config.listener_count; i++) {
        const uint64_t this_ms =
            tls_config_not_before_ms(server.generations[server.generation].tls[i]);
        if (this_ms > from_ms) from_ms = this_ms;
    }
    return from_ms;
}

// No clock that is right stands before this.
uint64_t clock_floor_ms(const Server& server) {
    constexpr uint64_t built_ms = static_cast<uint64_t>(PENNY_BUILD_TIME) * 1000;
    const uint64_t from_ms = certificate_from_ms(server);
    return from_ms > built_ms ? from_ms : built_ms;
}

}  // namespace

// The time by which certificates are judged: a board without a clock of its own starts in 1970, and
// would let nobody in. It is at least as late as the last batch and our own certificate.
uint64_t judging_ms(const Server& server) {
    const uint64_t wall_ms = server.wall_us / 1000;
    if (wall_ms >= clock_floor_ms(server)) return wall_ms;
    const uint64_t from_ms = certificate_from_ms(server);
    const uint64_t last_ms = server.book.log.time_durable_ms;
    return last_ms > from_ms ? last_ms : from_ms;
}

namespace {

void take_dearer(const PasswordRecord& record, PasswordCost& most) {
    PasswordCost cost = {};
    const Slice text = slice_of_chars(record.text, record.size);
    if (password_cost_of(text, cost) != Status::ok) return;
    if (cost.memory_kib > most.memory_kib && cost.memory_kib <= password_memory_kib_max) {
        most = cost;
    }
}

}  // namespace

PasswordCost server_password_cost(const Server& server) {
    PasswordCost most = server.service.cost;
    const Ledger& ledger = server.book.ledger;
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        take_dearer(ledger.people[row].texts.password, most);
        take_dearer(ledger.people[row].texts.pin, most);
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
    server.limits_noted = false;
    note_own_ends(server);
    note_limits(server);
    if (!server.limits_noted) {
        LogLine line;
        log_begin(line, "the limits in force cannot be noted in the journal yet");
        log_end(line, LogLevel::warning);
    }
    if (server.wall_us / 1000 >= clock_floor_ms(server)) return;
    LogLine line;
    log_begin(line, "the clock is not set: certificates are judged by the time of the last batch");
    log_end(line, LogLevel::warning);
}

void server_clock(Server& server, uint64_t now_ms, uint64_t wall_us, int32_t utc_offset_s) {
    constexpr int32_t offset_max_s = 86399;  // No place is further away, whatever a TZ says.
    server.now_ms = now_ms;
    server.wall_us = wall_us;
    server.book.utc_offset_s = utc_offset_s > offset_max_s    ? offset_max_s
                               : utc_offset_s < -offset_max_s ? -offset_max_s
                                                              : utc_offset_s;
    crypto_clock_set(judging_ms(server));
    server.service.stats.uptime_s = (now_ms - server.started_ms) / 1000;
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
    BookDone done;
    while (book_commit_next(server.book, done)) {
        if (done.durable) server.service.stats.batch_entries++;
        const uint32_t index = done.tag.session;
        if (index == book_tag_none.session) continue;
        Session& session = session_at(server, index);
        CHECK(session.tag.generation == done.tag.generation);
        SessionTools tools = session_tools(server, session);
        session_committed(session, tools, done);
        wait_for_commit(server, index);
    }
    server.wake = true;
    serve_commit_queue(server);
}

void begin_stop(Server& server, const char* reason) {
    if (server.phase != ServerPhase::running) return;
    LogLine line;
    log_begin(line, "stopping");
    log_text(line, "because", slice_of(reason));
    log_end(line, LogLevel::info);
    server.phase = ServerPhase::ending_sessions;
    server.wake = true;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        Session& session = server.sessions.slots[i];
        if (session.phase == SessionPhase::handshake) leave_handshake(server);
        session_end(session, "the server stopped");
        if (!lend_buffers(server, i)) session.end_sent = true;
        wait_for_commit(server, i);
    }
}

void server_stop(Server& server, const char* reason) {
    begin_stop(server, reason);
    serve_commit_queue(server);
}

// While a worker or the disk has the next word there is nothing to hurry for: its answer is a turn.
bool server_is_hurried(const Server& server) {
    const SnapshotJob& job = server.snapshot;
    if (job.use != SnapshotUse::none) return !job.working && job.step == SnapshotStep::rows;
    if (server.phase == ServerPhase::running || server.phase == ServerPhase::stopped) return false;
    const Log& log = server.book.log;
    if (server.sessions.taken > 0 || server.penalties_job.ready) return false;
    return log_is_stopped(log) || log_is_idle(log);
}

void server_tick(Server& server) {
    tick_sessions(server);
    tick_buffers(server);
    tick_sensor(server);
    tick_expiry(server);
    advance_reload(server);
    advance_snapshot(server);
    advance_book(server);
    door_tick(server);
    advance_stop(server);
}

bool server_is_stopped(const Server& server) { return server.phase == ServerPhase::stopped; }
