#include <string.h>

#include "base/check.h"
#include "server_parts.h"

namespace {

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

// Z4. Counts by walking: `handshakes` is small and this happens once per connection.
bool handshake_slot_is_free(const Server& server, const Session& asking) {
    if (server.handshakes >= server.config.handshakes) return false;
    uint32_t of_source = 0;
    bool others_wait = false;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        const bool same = net_address_equal(session.caller.source, asking.caller.source);
        if (session.phase == SessionPhase::handshake && same) of_source++;
        if (session.phase == SessionPhase::waiting && !same && session.wants_slot) {
            others_wait = true;
        }
    }
    return !others_wait || of_source < (server.config.handshakes + 1) / 2;
}

}  // namespace

Session& session_at(Server& server, uint32_t index) { return pool_at(server.sessions, index); }

void mark_dirty(Server& server, uint32_t index) {
    enqueue(server, server.dirty, in_dirty, index);
}

void wait_for_commit(Server& server, uint32_t index) {
    enqueue(server, server.commit_queue, in_commit_queue, index);
}

SessionTools session_tools(Server& server, const Session& session) {
    return {.service = &server.service,
            .now_ms = server.now_ms,
            .wall_us = server.wall_us,
            .hash = nullptr,
            .read = nullptr,
            .enrol = nullptr,
            .group = session.group == pool_none ? nullptr : &server.groups.slots[session.group],
            .certificate_is_user = server.config.listeners[session.listener].certificate_is_user,
            .login_ms = server.config.login_ms,
            .idle_ms = server.config.idle_s * 1000};
}

void settle_group(Server& server, Session& session) {
    if (session.group == pool_none) return;
    const bool ends = session.phase == SessionPhase::ending && session.block != SessionBlock::read;
    if (session.caller.in_group && !ends) return;
    session.caller.in_group = false;
    pool_give(server.groups, session.group);
    session.group = pool_none;
}

bool lend_buffers(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    if (session.buffers != pool_none) return true;
    const uint32_t buffers = pool_take(server.buffers);
    if (buffers == pool_none) return false;
    session_lend(session, buffers, pool_at(server.buffers, buffers));
    return true;
}

void leave_handshake(Server& server) {
    CHECK(server.handshakes > 0);
    server.handshakes--;
    wake_readers(server);
}

namespace {

// Opens the channel of the session's listener. Returns why there is none, nullptr when there is.
const char* open_channel(Server& server, Session& session) {
    if (session.channel.type != nullptr) return nullptr;  // The port's own.
    const ListenerConfig& listener = server.config.listeners[session.listener];
    if (lab_is_built && listener.lab) {
        session.lab = pool_take(server.labs);
        if (session.lab == pool_none) return "all laboratory sessions are taken";
        const LabExplain explain = {listener.explain ? log_explained : nullptr, &session};
        lab_open(session.channel, pool_at(server.labs, session.lab), server.lab[session.listener],
                 explain);
        return nullptr;
    }
    session.generation = server.generation;
    const Status status = tls_open(session.channel, tls_of(server, session.listener), nullptr);
    return status == Status::ok ? nullptr : "no memory for another handshake";
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
    const char* refusal = open_channel(server, session);
    if (refusal != nullptr) {
        session_end(session, refusal);
        mark_dirty(server, index);
        return false;
    }
    session.phase = SessionPhase::handshake;
    session.deadline_ms = server.now_ms + server.config.handshake_ms;
    server.handshakes++;
    return true;
}

// A slot for a group that the session may begin. One person holds at most half of them.
uint32_t spare_group(Server& server, const Session& session) {
    if (session.group != pool_none || session.caller.person == row_none) return pool_none;
    uint32_t of_person = 0;
    for (uint32_t i = 0; i < server.groups.count; i++) {
        if (!pool_is_taken(server.groups, i)) continue;
        if (server.groups.slots[i].person == session.caller.person) of_person++;
    }
    if (of_person >= (server.groups.count + 1) / 2) return pool_none;
    return pool_take(server.groups);
}

// What MULTI began keeps the slot.
void keep_group(Server& server, Session& session, uint32_t spare) {
    if (spare != pool_none) {
        if (session.caller.in_group) {
            session.group = spare;
        } else {
            pool_give(server.groups, spare);
        }
    }
    settle_group(server, session);
}

// Carries out what a session asked for. Returns true when it can go on at once.
bool serve_need(Server& server, Session& session, SessionNeed need, uint32_t hash,
                uint32_t read) {
    if (need == SessionNeed::hash) {
        begin_hash(server, session, hash);
    } else if (hash != pool_none) {
        pool_give(server.hashes, hash);
    }
    if (need == SessionNeed::read) {
        begin_read(server, session, read);
    } else if (read != pool_none) {
        pool_give(server.reads, read);
    }
    switch (need) {
        case SessionNeed::none:
        case SessionNeed::hash: return false;
        case SessionNeed::enrol: begin_enrol(server, session); return false;
        case SessionNeed::read: return session.block == SessionBlock::none;
        case SessionNeed::channel:
            session.lent = true;
            session.lent_to_shake = session.phase == SessionPhase::handshake;
            ring_push(session.caller.lab ? server.lab_queue : server.handshake_queue,
                      session.tag.session);
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
        case SessionNeed::reload:
            if (begin_reload(server, session.tag)) return false;
            put_text(session.plain_out, "-BUSY another reload is under way, and one waits\r\n");
            session.block = SessionBlock::none;
            return true;
        case SessionNeed::shutdown: begin_stop(server, "SHUTDOWN was asked for"); return false;
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

}  // namespace

void step_session(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    for (bool again = true; again;) {
        if (session.lent) return;
        // The slots are taken before the step, so that what is lent was wiped, and given back
        // after.
        const bool may_ask = session.block == SessionBlock::none && session.pending == 0 &&
                             session.phase != SessionPhase::handshake;
        const uint32_t hash = may_ask ? pool_take(server.hashes) : pool_none;
        const uint32_t read = may_ask ? pool_take(server.reads) : pool_none;
        const uint32_t group = may_ask ? spare_group(server, session) : pool_none;
        SessionTools tools = session_tools(server, session);
        if (hash != pool_none) {
            tools.hash = &server.hashes.slots[hash];
            wipe(tools.hash, sizeof *tools.hash);
        }
        if (read != pool_none) tools.read = &server.reads.slots[read];
        if (group != pool_none) tools.group = &server.groups.slots[group];
        if (server.enrol.step == EnrolStep::none) tools.enrol = server.enrol.job;
        const DoorCounts before = door_counts(server);
        const SessionNeed need = session_step(session, tools);
        door_log(server, session, before);
        keep_group(server, session, group);
        again = serve_need(server, session, need, hash, read);
    }
    if (session.wants_commit) wait_for_commit(server, index);
    release_if_idle(server, session);
    mark_dirty(server, index);
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
            const bool job_waits = session.job_waits;
            session.wants_commit = false;
            session.job_waits = false;
            if (session.block == SessionBlock::commit) session.block = SessionBlock::none;
            if (job_waits && session.block == SessionBlock::hash) {
                finish_hash(server, session.job);
                door_refuse_hashes(server);
            } else if (!job_waits || advance_read(server, session.job)) {
                step_session(server, index);
            }
        }
    }
}

void finish_channel(Server& server, const Wish& wish) {
    Session& session = session_at(server, wish.slot);
    session.lent = false;
    SessionTools tools = session_tools(server, session);
    const bool shook = session.phase == SessionPhase::handshake;
    session_channel_done(session, tools, wish.outcome);
    if (shook) {
        const bool established = session_is_established(session);
        if (established || session.surplus) log_established(session);
        if (established && session.caller.person != row_none) {
            log_session(server, session, "logged in by certificate");
        }
        if (session.phase == SessionPhase::ending && !session.surplus) {
            server.service.stats.handshakes_failed++;
        }
        if (established) note_established(server, session);
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

bool server_can_accept(const Server& server) {
    return server.phase == ServerPhase::running &&
           server.sessions.taken < server.sessions.count;
}

uint32_t server_accept(Server& server, uint32_t listener) {
    if (!server_can_accept(server)) return pool_none;
    const uint32_t index = pool_take(server.sessions);
    if (index == pool_none) return pool_none;
    Session& session = server.sessions.slots[index];
    memset(&session, 0, sizeof session);
    session.phase = SessionPhase::waiting;
    session.buffers = pool_none;
    session.job = pool_none;
    session.group = pool_none;
    session.lab = pool_none;
    session.listener = listener;
    session.caller.lab = server.config.listeners[listener].lab;
    session.caller.enrol = config_is_channel(server.config.listeners[listener], "enrol");
    session.tag = {index, server.sessions.generation[index]};
    session.surplus = server.sessions.taken > server.config.sessions;
    session.caller.protocol = 2;
    session.caller.person = row_none;
    session.caller.number = ++server.session_count;
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
    door_set_address(server, session, address);
    if (session.caller.lab && !session.turned_away) log_received(session);
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
    if (session_is_established(session)) {
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
    plan.cut = plan.close && session.peer_gone;
    return plan;
}

void server_sent(Server& server, uint32_t index, uint32_t size) {
    Session& session = session_at(server, index);
    if (session.buffers == pool_none) return;  // Given back when the session ended.
    CHECK(!session.lent);
    if (session.peer_gone) {
        session.cipher_out.size = 0;
    } else {
        writer_drop(session.cipher_out, size);
    }
    step_session(server, index);
    serve_commit_queue(server);
}

void server_closed(Server& server, uint32_t index) {
    Session& session = session_at(server, index);
    CHECK(!session.lent);
    if (!session.turned_away) log_session(server, session, "ended");
    session.caller.in_group = false;
    settle_group(server, session);
    return_buffers(server, session);
    channel_free(session.channel);
    if (session.lab != pool_none) pool_give(server.labs, session.lab);
    wipe(&session, sizeof session);
    pool_give(server.sessions, index);
    server.service.stats.sessions = server.sessions.taken;
    wake_readers(server);
}
