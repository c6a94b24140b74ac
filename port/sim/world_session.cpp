// The server's side of a link: what port/posix/loop_sockets.cpp does with a socket, in its order.

#include "base/check.h"
#include "port/sim/world_parts.h"

namespace {

constexpr uint32_t sends_per_turn = 32;  // as the board's loop has it

Server& server() { return *sim_world.server; }

SimLink& link_of(uint32_t session) { return sim_world.links[sim_world.link_of[session]]; }

uint64_t bit_of(const SimLink& link) { return uint64_t{1} << (link.number % sim_links_max); }

void accept_waiting() {
    for (SimLink& link : sim_world.links) {
        if (link.used && link.waits) sim_session_accept(link);
    }
}

// The socket is closed. A kernel that still has unread bytes resets the connection, and the peer
// may lose what it has not read.
void close_link(SimLink& link) {
    const uint32_t session = link.session;
    link.session = pool_none;
    sim_world.with_session &= ~bit_of(link);
    link.is_done = true;
    link.writing = {nullptr, 0};
    if (link.in.size > 0 && !link.player_left) sim_net_lose(link);
    sim_net_end_of_server(link);
    sim_net_release(link);
    server_closed(server(), session);
    accept_waiting();
}

void peer_closed(SimLink& link, const char* reason) {
    if (link.peer_closed || link.session == pool_none) return;
    link.peer_closed = true;
    link.reading = false;
    if (link.lingering) {
        close_link(link);
        return;
    }
    server_peer_closed(server(), link.session, reason);
}

constexpr char reset_said[] = "connection reset by peer";

// Returns true when the plan should be asked for again.
bool send_out(SimLink& link, Slice out) {
    if (out.size == 0 || link.writing.size > 0) return false;
    const uint32_t session = link.session;
    if (link.peer == SimPeer::reset) {
        peer_closed(link, "broken pipe");
        server_sent(server(), session, out.size);
        return true;
    }
    if (link.player_left) {  // Taken by the kernel; what comes back is a reset.
        link.peer = SimPeer::reset;
        server_sent(server(), session, out.size);
        return true;
    }
    const uint32_t sent = sim_net_send(link, SimEventKind::to_player, out);
    if (sent > 0) {
        server_sent(server(), session, sent);
        return true;
    }
    link.writing = out;
    link.written = 0;
    return false;
}

// Goes on with what did not fit into the socket at once. Returns true when something happened.
bool go_on_writing(SimLink& link) {
    if (link.writing.size == 0) return false;
    const bool is_gone = link.peer == SimPeer::reset || link.player_left;
    const uint32_t left = link.writing.size - link.written;
    const uint32_t sent =
        is_gone ? left
                : sim_net_send(link, SimEventKind::to_player,
                               {link.writing.data + link.written, left});
    link.written += sent;
    if (link.written < link.writing.size) return sent > 0;
    const uint32_t size = link.writing.size;
    const uint32_t session = link.session;
    link.writing = {nullptr, 0};
    if (is_gone) peer_closed(link, reset_said);
    if (link.session == session) server_sent(server(), session, size);
    return true;
}

// All is sent: half-close, then let the peer read to the end.
void begin_lingering(SimLink& link) {
    link.lingering = true;
    link.linger_until_us = sim_world.now_us + linger_ms * 1000;
    if (link.peer_closed) {
        close_link(link);
        return;
    }
    sim_net_end_of_server(link);
    link.reading = true;
}

void apply_plan(uint32_t session) {
    SimLink& link = link_of(session);
    if (link.session != session || link.lingering) return;
    SessionPlan plan = server_plan(server(), session);
    for (uint32_t i = 0; i < sends_per_turn && send_out(link, plan.out); i++) {
        plan = server_plan(server(), session);
    }
    if (plan.cut) {
        close_link(link);
        return;
    }
    if (plan.close && link.writing.size == 0) {
        begin_lingering(link);
        return;
    }
    link.reading = plan.read && !link.peer_closed;
}

// One read of a socket. Returns true when something was read.
bool read_once(SimLink& link) {
    if (link.session == pool_none || !link.reading) return false;
    if (link.peer == SimPeer::reset) {
        sim_pipe_take(link.in, link.in.arrived);
        peer_closed(link, reset_said);
        return true;
    }
    if (link.in.arrived == 0) {
        if (link.peer != SimPeer::closed) return false;
        peer_closed(link, nullptr);
        return true;
    }
    if (link.lingering) {
        sim_pipe_take(link.in, link.in.arrived);
        return true;
    }
    uint32_t size = 0;
    uint8_t* room = server_read_room(server(), link.session, size);
    if (room == nullptr || size == 0) {  // server_plan says when to go on.
        link.reading = false;
        return false;
    }
    if (size > link.in.arrived) size = link.in.arrived;
    const uint8_t* bytes = link.in.bytes + link.in.first;
    for (uint32_t i = 0; i < size; i++) room[i] = bytes[i];
    sim_pipe_take(link.in, size);
    server_received(server(), link.session, size);
    return true;
}

// The listener is closed: who waits at the door is turned away.
void close_door() {
    for (SimLink& link : sim_world.links) {
        if (!link.used || !link.waits) continue;
        link.waits = false;
        link.is_done = true;
        sim_net_lose(link);
        sim_net_release(link);
    }
}

void put_address(const SimLink& link, Writer& out) {
    uint32_t print = 0;
    for (const char* at = link.terminal; *at != '\0'; at++) {
        print = print * 31 + static_cast<uint8_t>(*at);
    }
    put_text(out, "10.0.0.");
    put_decimal(out, 1 + print % 250);
    put_u8(out, ':');
    put_decimal(out, 1024 + link.number % 60000);
}

}  // namespace

void sim_session_accept(SimLink& link) {
    if (server().phase != ServerPhase::running) {
        link.waits = true;
        close_door();
        return;
    }
    const uint32_t session = server_accept(server(), 0);
    link.waits = session == pool_none;
    if (link.waits) return;
    CHECK(session < sim_links_max);
    link.session = session;
    sim_world.with_session |= bit_of(link);
    sim_world.link_of[session] = link.number % sim_links_max;
    if (!sim_world.plan.tls) sim_plain_open(pool_at(server().sessions, session).channel);
    uint8_t text[address_size_max] = {};
    Writer address = writer_of(text, sizeof text - 1);
    put_address(link, address);
    server_set_address(server(), session, reinterpret_cast<const char*>(text));
}

void sim_session_drain() {
    for (bool again = true; again;) {
        again = false;
        uint32_t session = 0;
        while (server_next_dirty(server(), session)) apply_plan(session);
        sim_work_take();
        if (server().phase != ServerPhase::running) close_door();
        for (uint64_t left = sim_world.with_session; left != 0; left &= left - 1) {
            SimLink& link = sim_world.links[__builtin_ctzll(left)];
            if (link.session == pool_none) continue;  // Closed by one before it.
            if (go_on_writing(link)) again = true;
            if (read_once(link)) again = true;
        }
    }
}

void sim_session_tick() {
    for (SimLink& link : sim_world.links) {
        if (!link.used || link.session == pool_none || !link.lingering) continue;
        if (sim_world.now_us >= link.linger_until_us) close_link(link);
    }
    accept_waiting();
}

uint64_t sim_session_linger_us() {
    uint64_t first_us = UINT64_MAX;
    for (const SimLink& link : sim_world.links) {
        if (!link.used) continue;
        if (link.waits) return sim_world.now_us;
        const bool lingers = link.session != pool_none && link.lingering;
        if (lingers && link.linger_until_us < first_us) first_us = link.linger_until_us;
    }
    return first_us;
}
