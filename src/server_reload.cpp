#include <string.h>

#include "base/check.h"
#include "port.h"
#include "server_parts.h"

namespace {

constexpr uint32_t expiry_tick_ms = 1000;

// Whether anybody still works with a generation: a session, or a worker with its key.
bool is_used(const Server& server, uint32_t generation) {
    if (server.key_running != pool_none && server.key_generation == generation) return true;
    const ServerEnrol& enrol = server.enrol;
    if (enrol.step == EnrolStep::running && enrol.generation == generation) return true;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        if (tls_is(session.channel) && session.generation == generation) return true;
    }
    return false;
}

void give_back(Server& server, uint32_t generation) {
    for (TlsConfig& tls : server.generations[generation].tls) tls_config_free(tls);
    ServerIssuer* const issuers = server.enrol.issuers;
    if (issuers != nullptr) wipe(&issuers[generation], sizeof issuers[generation]);
}

void begin(Server& server, BookTag asker) {
    ReloadJob& job = server.reload;
    job.step = ReloadStep::wished;
    job.asker = asker;
    job.generation = 1 - server.generation;
}

void end(Server& server) {
    ReloadJob& job = server.reload;
    job.step = ReloadStep::none;
    if (!job.again) return;
    job.again = false;
    begin(server, job.again_asker);
}

bool has_asker(const Server& server) {
    const BookTag asker = server.reload.asker;
    return asker.session != book_tag_none.session &&
           server.sessions.generation[asker.session] == asker.generation;
}

// Puts the answer; the session is to be stepped when everything is in its place.
void answer_asker(Server& server, Status outcome, Slice why) {
    if (!has_asker(server)) return;
    Session& session = session_at(server, server.reload.asker.session);
    SessionTools tools = session_tools(server, session);
    session_reload_done(session, tools, outcome, why);
}

void step_asker(Server& server) {
    if (has_asker(server)) step_session(server, server.reload.asker.session);
}

void log_failed(Slice why) {
    uint8_t text[config_error_size_max + 128];
    Writer line = writer_of(text, sizeof text);
    put_text(line, "reload failed, everything stays as it was: ");
    put_printable(line, why, why.size);
    port_log(LogLevel::error, reinterpret_cast<const char*>(text), line.size);
}

// What the file says and the running server does not follow.
void log_waiting(const Server& server) {
    uint8_t text[400];
    Writer keys = writer_of(text, sizeof text);
    config_put_waiting(server.config, server.reload.config, keys);
    if (keys.size == 0) return;
    LogLine line;
    log_begin(line, "these options were changed, and wait for a restart:");
    put_u8(line.writer, ' ');
    put_printable(line.writer, writer_slice(keys), sizeof text);
    log_end(line, LogLevel::warning);
}

// Z8, for a session that is past its handshake. Returns false where it has begun to end.
bool go_over(Server& server, Session& session) {
    if (!tls_is(session.channel) || session.generation == server.generation) return true;
    TlsConfig& tls = tls_of(server, session.listener);
    const char* reason = nullptr;
    // Who comes to enrol was let in by no authority.
    if (!session.caller.enrol &&
        tls_config_judge(tls, session.channel.peer, reason) != Status::ok) {
        end_from_outside(server, session.tag.session, reason);
        return false;
    }
    tls_move(session.channel, tls);
    session.generation = server.generation;
    return true;
}

// Returns how many sessions have begun to end.
uint32_t turn_sessions(Server& server) {
    uint32_t ended = 0;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        Session& session = server.sessions.slots[i];
        const SessionTools tools = session_tools(server, session);
        session_rights_changed(session, tools);
        if (session_is_established(session) && !go_over(server, session)) ended++;
    }
    return ended;
}

void take(Server& server) {
    ReloadJob& job = server.reload;
    Config& config = server.config;
    const uint32_t old = server.generation;
    server.generation = job.generation;
    memcpy(config.terminal_sections, job.config.terminal_sections,
           sizeof config.terminal_sections);
    config.terminal_section_count = job.config.terminal_section_count;
    take_terminals(server, config);
    note_own_ends(server);
    job.step = ReloadStep::draining;
    job.generation = old;
    job.taken_ms = server.now_ms;
    server.service.stats.reloads++;
}

// Handshakes of the old generation that have had their time.
void end_late_handshakes(Server& server) {
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        if (session.phase != SessionPhase::handshake || !tls_is(session.channel)) continue;
        if (session.generation == server.generation) continue;
        end_from_outside(server, i, "its handshake began before a reload");
    }
}

// Who waits for the reload behind this one and has begun to end waits no longer: that one begins
// only when nobody is left who came by the generation that goes.
void drop_waiting(Server& server) {
    ReloadJob& job = server.reload;
    const uint32_t index = job.again_asker.session;
    if (!job.again || index == book_tag_none.session) return;
    const bool is_there = server.sessions.generation[index] == job.again_asker.generation;
    if (is_there && session_at(server, index).phase != SessionPhase::ending) return;
    job.again_asker = book_tag_none;
    if (!is_there) return;
    session_at(server, index).block = SessionBlock::none;
    step_session(server, index);
}

void log_expiry(const ExpiryRow& row, uint64_t wall_ms) {
    const bool has_ended = row.not_after_ms <= wall_ms;
    LogLine line;
    log_begin(line, has_ended ? "ended:" : "ends soon:");
    put_u8(line.writer, ' ');
    put_text(line.writer, expiry_kind_name(row.kind));
    if (row.name.size > 0) log_text(line, "terminal", name_slice(row.name));
    if (!has_ended) log_number(line, "days", expiry_days_left(row, wall_ms));
    put_text(line.writer, " at ");
    put_utc(line.writer, row.not_after_ms);
    log_end(line, LogLevel::warning);
}

void warn(Server& server, uint64_t wall_ms) {
    if (server.now_ms - server.expiry_told_ms < expiry_tick_ms) return;
    server.expiry_told_ms = server.now_ms;
    ExpiryRow row;
    while (expiry_next(server.expiry, wall_ms, row)) log_expiry(row, wall_ms);
}

void note_first(uint64_t& first_ms, uint64_t ms) {
    if (ms != 0 && (first_ms == 0 || ms < first_ms)) first_ms = ms;
}

}  // namespace

TlsConfig& tls_of(Server& server, uint32_t listener) {
    return server.generations[server.generation].tls[listener];
}

bool begin_reload(Server& server, BookTag asker) {
    ReloadJob& job = server.reload;
    if (job.again) return false;
    if (job.step == ReloadStep::none) {
        begin(server, asker);
    } else {
        job.again = true;  // What is being read may have changed since.
        job.again_asker = asker;
    }
    return true;
}

bool take_reload_wish(Server& server, Wish& out) {
    ReloadJob& job = server.reload;
    if (job.step != ReloadStep::wished) return false;
    job.step = ReloadStep::reading;
    out = {};
    out.kind = WishKind::reload;
    out.number = job.generation;
    out.memory = job.text;
    out.size = sizeof job.text;
    return true;
}

void finish_reload(Server& server, const Wish& wish) {
    ReloadJob& job = server.reload;
    CHECK(job.step == ReloadStep::reading);
    if (wish.outcome != Status::ok) {
        give_back(server, job.generation);
        server.service.stats.reloads_failed++;
        const Slice why = {job.text, wish.size};
        log_failed(why);
        answer_asker(server, Status::failed, why);
        step_asker(server);
        end(server);
        return;
    }
    take(server);
    answer_asker(server, Status::ok, {});
    // Nobody does anything more by what held before, whoever asked among them.
    const uint32_t ended = turn_sessions(server);
    step_asker(server);
    LogLine line;
    log_begin(line, "reloaded");
    log_number(line, "terminals", server.config.terminal_section_count);
    log_number(line, "ended", ended);
    log_end(line, LogLevel::info);
    log_waiting(server);
    advance_reload(server);
}

void advance_reload(Server& server) {
    ReloadJob& job = server.reload;
    drop_waiting(server);
    if (job.step != ReloadStep::draining) return;
    if (server.now_ms - job.taken_ms >= reload_ms) end_late_handshakes(server);
    if (is_used(server, job.generation)) return;
    give_back(server, job.generation);
    end(server);
}

void note_established(Server& server, Session& session) {
    if (!tls_is(session.channel)) return;
    if (!session.caller.enrol) {
        expiry_note(server.expiry, ExpiryKind::terminal, session.caller.terminal,
                    session.channel.peer.not_after_ms);
    }
    (void)go_over(server, session);
}

void tick_expiry(Server& server) {
    const uint64_t wall_ms = judging_ms(server);
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        if (!session_is_established(session) || !tls_is(session.channel)) continue;
        const ChannelPeer& peer = session.channel.peer;
        if (session.caller.enrol || peer.is_expired || peer.not_after_ms > wall_ms) continue;
        end_from_outside(server, i, "certificate expired");
    }
    warn(server, wall_ms);
}

void note_own_ends(Server& server) {
    uint64_t own_ms = 0;
    uint64_t ca_ms = 0;
    uint64_t crl_ms = 0;
    for (uint32_t i = 0; i < server.config.listener_count; i++) {
        const TlsConfig& tls = tls_of(server, i);
        note_first(own_ms, tls_config_not_after_ms(tls));
        note_first(ca_ms, tls_config_ca_not_after_ms(tls));
        note_first(crl_ms, tls_config_crl_not_after_ms(tls));
    }
    expiry_note(server.expiry, ExpiryKind::server, {}, own_ms);
    expiry_note(server.expiry, ExpiryKind::authority, {}, ca_ms);
    const ServerIssuer* const issuers = server.enrol.issuers;
    const uint64_t issuing_ms = issuers == nullptr ? 0 : issuers[server.generation].not_after_ms;
    expiry_note(server.expiry, ExpiryKind::issuing, {}, issuing_ms);
    expiry_note(server.expiry, ExpiryKind::revocations, {}, crl_ms);
}

void server_reload(Server& server) {
    // Where one more is to come already, that one is enough.
    if (server.phase == ServerPhase::running) (void)begin_reload(server, book_tag_none);
}
