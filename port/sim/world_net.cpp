// Links: what a network and the sockets of two kernels do. Bytes of one direction stay in their
// order; a piece takes its time, may fall in two, and may take the whole connection with it.

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "port/sim/world_parts.h"

namespace {

constexpr uint32_t events_spare = 1024;  // of the queue, for what is not a piece

uint64_t arrival_us(uint64_t after_us) {
    const uint64_t delay_us = sim_random_below(sim_world.net, sim_world.plan.net.delay_us_max + 1);
    const uint64_t at_us = sim_world.now_us + 1 + delay_us;
    return at_us > after_us ? at_us : after_us;
}

void pipe_clear(SimPipe& pipe) {
    pipe.first = 0;
    pipe.size = 0;
    pipe.arrived = 0;
    pipe.last_us = sim_world.now_us;
    if (pipe.bytes == nullptr) pipe.bytes = static_cast<uint8_t*>(malloc(sim_socket_size));
    CHECK(pipe.bytes != nullptr);
}

void pipe_put(SimPipe& pipe, Slice bytes) {
    if (pipe.first + pipe.size + bytes.size > sim_socket_size) {
        memmove(pipe.bytes, pipe.bytes + pipe.first, pipe.size);
        pipe.first = 0;
    }
    memcpy(pipe.bytes + pipe.first + pipe.size, bytes.data, bytes.size);
    pipe.size += bytes.size;
}

void push_piece(SimLink& link, SimPipe& pipe, SimEventKind kind, uint32_t size) {
    pipe.last_us = arrival_us(pipe.last_us);
    sim_push({.time_us = pipe.last_us, .kind = kind, .about = link.number, .value = size});
    sim_world.counts.pieces++;
}

void push_pieces(SimLink& link, SimPipe& pipe, SimEventKind kind, uint32_t size) {
    uint32_t first = size;
    if (size > 1 && sim_random_chance(sim_world.net, sim_world.plan.net.split_percent)) {
        first = 1 + static_cast<uint32_t>(sim_random_below(sim_world.net, size - 1));
        sim_world.counts.pieces_split++;
    }
    push_piece(link, pipe, kind, first);
    if (first < size) push_piece(link, pipe, kind, size - first);
}

// The player closes, or its line is dead: the server's socket learns it behind what is in flight.
void end_of_player(SimLink& link, SimPeer how) {
    if (link.end_told) return;
    link.end_told = true;
    link.peer_next = how;
    link.in.last_us = arrival_us(link.in.last_us);
    sim_push({.time_us = link.in.last_us,
              .kind = SimEventKind::end_of_player,
              .about = link.number});
}

// Nothing more is heard from it; what is still in flight to it goes nowhere.
void player_leaves(SimLink& link) {
    link.player_left = true;
    sim_pipe_take(link.out, link.out.arrived);
    sim_tls_close(link);
}

void tell_closed(SimLink& link) {
    if (link.player_left) return;
    const SimPlayer player = link.player;
    const uint32_t number = link.number;
    player_leaves(link);
    if (sim_world.running) end_of_player(link, SimPeer::closed);
    sim_net_release(link);
    sim_hash_bytes(SimEventKind::end_of_server, number, {nullptr, 0});
    player.closed(player.context, number);
}

// Gives the player what has come.
void deliver(SimLink& link) {
    const uint32_t number = link.number;
    const uint32_t size = link.out.arrived;
    if (size > 0 && (link.player_left || link.player_reads)) {
        const Slice bytes = {link.out.bytes + link.out.first, size};
        sim_pipe_take(link.out, size);
        if (!link.player_left) {
            sim_world.counts.bytes_out += size;
            sim_hash_bytes(SimEventKind::to_player, number, bytes);
            if (sim_world.plan.tls) {
                sim_tls_received(link, bytes);
            } else {
                link.player.received(link.player.context, number, bytes);
            }
        }
    }
    // The player may have hung up meanwhile, and its slot may have another tenant.
    SimLink* here = sim_link(number);
    if (here != nullptr && here->end_came && here->out.size == 0) tell_closed(*here);
}

SimLink* free_link() {
    for (SimLink& link : sim_world.links) {
        if (!link.used) return &link;
    }
    return nullptr;
}

void begin_link(SimLink& link, const SimPlayer& player, const char* terminal) {
    const SimPipe in = link.in;
    const SimPipe out = link.out;
    uint8_t* plain = link.plain.data;
    const uint32_t number = link.number;
    memset(&link, 0, sizeof link);
    link.in = in;
    link.out = out;
    link.plain = writer_of(plain, plain == nullptr ? 0 : sim_socket_size);
    link.number = number;
    link.used = true;
    link.player_reads = true;
    link.player = player;
    link.session = pool_none;
    Writer name = writer_of(reinterpret_cast<uint8_t*>(link.terminal), sizeof link.terminal - 2);
    put_bytes(name, slice_of(terminal));
    pipe_clear(link.in);
    pipe_clear(link.out);
}

}  // namespace

uint32_t sim_pipe_room(const SimPipe& pipe) { return sim_socket_size - pipe.size; }

void sim_pipe_take(SimPipe& pipe, uint32_t size) {
    CHECK(size <= pipe.arrived);
    pipe.first += size;
    pipe.size -= size;
    pipe.arrived -= size;
    if (pipe.size == 0) pipe.first = 0;
}

SimLink* sim_link(uint32_t number) {
    if (number == sim_link_none) return nullptr;
    SimLink& link = sim_world.links[number % sim_links_max];
    return link.used && link.number == number ? &link : nullptr;
}

uint32_t sim_net_send(SimLink& link, SimEventKind kind, Slice bytes) {
    SimPipe& pipe = kind == SimEventKind::to_server ? link.in : link.out;
    if (link.lost) return bytes.size;
    uint32_t size = sim_pipe_room(pipe);
    if (size > bytes.size) size = bytes.size;
    if (size == 0) return 0;
    if (sim_world.event_count + events_spare > sim_events_max) {
        sim_net_lose(link);
        return bytes.size;
    }
    pipe_put(pipe, {bytes.data, size});
    push_pieces(link, pipe, kind, size);
    if (sim_random_chance(sim_world.net, sim_world.plan.net.drop_percent)) sim_net_lose(link);
    return size;
}

void sim_net_end_of_server(SimLink& link) {
    if (link.end_sent) return;
    link.end_sent = true;
    link.out.last_us = arrival_us(link.out.last_us);
    sim_push({.time_us = link.out.last_us,
              .kind = SimEventKind::end_of_server,
              .about = link.number});
}

void sim_net_lose(SimLink& link) {
    if (link.lost) return;
    link.lost = true;
    link.in.size = link.in.arrived;
    link.out.size = link.out.arrived;
    sim_world.counts.links_lost++;
    sim_net_end_of_server(link);
    end_of_player(link, SimPeer::reset);
}

void sim_net_release(SimLink& link) {
    if (!link.used || !link.is_done || !link.player_left) return;
    link.used = false;
    link.number += sim_links_max;
}

void sim_net_clear(uint32_t percent) {
    for (SimLink& link : sim_world.links) {
        if (!link.used) continue;
        link.is_done = true;
        // What was sent before the power went is on its way, or lost with the switch beside us.
        if (!link.lost && sim_random_chance(sim_world.net, percent)) {
            link.out.arrived = link.out.size;
            deliver(link);
        }
        if (link.used) tell_closed(link);
        if (link.used) sim_net_release(link);
    }
}

void sim_net_free() {
    for (SimLink& link : sim_world.links) {
        free(link.in.bytes);
        free(link.out.bytes);
        free(link.plain.data);
        link = {};
    }
}

void sim_net_event(const SimEvent& event) {
    SimLink* link = sim_link(event.about);
    if (link == nullptr) return;
    const uint32_t size = static_cast<uint32_t>(event.value);
    switch (event.kind) {
        case SimEventKind::connect: sim_session_accept(*link); return;
        case SimEventKind::to_server:
            if (link->lost) return;
            sim_hash_bytes(event.kind, link->number,
                           {link->in.bytes + link->in.first + link->in.arrived, size});
            sim_world.counts.bytes_in += size;
            link->in.arrived += size;
            return;
        case SimEventKind::to_player:
            if (link->lost) return;
            link->out.arrived += size;
            deliver(*link);
            return;
        case SimEventKind::end_of_player:
            if (link->peer != SimPeer::reset) link->peer = link->peer_next;
            return;
        case SimEventKind::end_of_server:
            link->end_came = true;
            if (link->lost) sim_pipe_take(link->out, link->out.arrived);
            deliver(*link);
            return;
        case SimEventKind::timer:
        case SimEventKind::turn:
        case SimEventKind::work_run:
        case SimEventKind::work_done:
        case SimEventKind::write_run:
        case SimEventKind::write_done: CHECK(false);
    }
}

uint32_t sim_connect(const SimPlayer& player, const char* terminal) {
    const bool is_open = sim_world.running && !sim_world.stopping &&
                         sim_world.server->phase == ServerPhase::running;
    SimLink* link = is_open ? free_link() : nullptr;
    if (link == nullptr) {
        sim_world.counts.links_refused++;
        return sim_link_none;
    }
    begin_link(*link, player, terminal);
    if (sim_world.plan.tls && !sim_tls_open(*link)) {
        link->used = false;
        sim_world.counts.links_refused++;
        return sim_link_none;
    }
    sim_world.counts.links++;
    const uint32_t number = link->number;
    link->in.last_us = arrival_us(link->in.last_us);
    sim_push({.time_us = link->in.last_us, .kind = SimEventKind::connect, .about = number});
    if (sim_world.plan.tls) {
        sim_tls_received(*link, {nullptr, 0});
    } else {
        char line[sizeof link->terminal + 1];
        Writer hello = writer_of(reinterpret_cast<uint8_t*>(line), sizeof line);
        put_bytes(hello, slice_of(link->terminal));
        put_u8(hello, '\n');
        sim_net_send(*link, SimEventKind::to_server, writer_slice(hello));
    }
    return number;
}

void sim_send(uint32_t number, Slice bytes) {
    SimLink* link = sim_link(number);
    if (link == nullptr || link->player_left || !sim_world.running || bytes.size == 0) return;
    if (sim_world.plan.tls) {
        sim_tls_send(*link, bytes);
    } else if (sim_net_send(*link, SimEventKind::to_server, bytes) < bytes.size) {
        sim_net_lose(*link);
    }
}

void sim_hang_up(uint32_t number) {
    SimLink* link = sim_link(number);
    if (link == nullptr || link->player_left) return;
    const bool in_order = sim_random_chance(sim_world.net, 50);
    player_leaves(*link);
    if (sim_world.running) end_of_player(*link, in_order ? SimPeer::closed : SimPeer::reset);
    sim_net_release(*link);
}

void sim_read(uint32_t number, bool reads) {
    SimLink* link = sim_link(number);
    if (link == nullptr || link->player_left || link->player_reads == reads) return;
    link->player_reads = reads;
    if (!reads || !sim_world.running) return;
    sim_push({.time_us = sim_world.now_us + 1, .kind = SimEventKind::to_player, .about = number});
}
