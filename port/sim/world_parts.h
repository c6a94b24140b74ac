// world_parts.h - what the files of the world share. Private to port/sim/world*.cpp.
//
//     world.cpp          begin, start, stop, cut, mount; time and the loop
//     world_queue.cpp    events in their order
//     world_net.cpp      links: what a network and a kernel's sockets do
//     world_session.cpp  the server's side of a link, as port/posix/loop_sockets.cpp has it
//     world_scarce.cpp   what refuses although there is some
//     world_work.cpp     workers and the journal, as port/posix/loop_work.cpp has it
//     world_tls.cpp      certificates, and the players' end of TLS
#pragma once

#include "crypto/hash.h"
#include "port/sim/channel_plain.h"
#include "port/sim/world.h"

static_assert(sim_links_max == 64, "with_session has a bit for each");

inline constexpr uint32_t sim_works_max = 32;  // wishes under way or waiting for a worker

enum class SimEventKind : uint8_t {
    connect,    // a link reaches the server's door
    to_server,  // bytes arrive there
    to_player,
    end_of_player,  // the server learns that the player closed, or that the line is dead
    end_of_server,  // the player learns it
    timer,
    turn,       // of a hurried server
    work_run,
    work_done,
    write_run,
    write_done,
};

struct SimEvent {
    uint64_t time_us;
    uint64_t number;  // of insertion
    SimEventKind kind;
    uint32_t about;   // a link's number, a work's slot
    uint64_t value;   // bytes, or the player's
    void (*call)(void* context, uint64_t value);
    void* context;
};

// Bytes in flight or in a socket. From malloc, sim_socket_size of them.
struct SimPipe {
    uint8_t* bytes;
    uint32_t first;
    uint32_t size;       // from `first` on
    uint32_t arrived;    // of them
    uint64_t last_us;    // when the newest piece arrives
};

enum class SimPeer : uint8_t { open, closed, reset };  // how the player's end is, to the server

struct SimLink {
    uint32_t number;      // slot + so many turns of sim_links_max
    bool used;
    bool lost;            // by the network
    bool player_left;     // hung up, or was told that it is over
    bool player_reads;
    bool is_done;         // the server's side has let go, or never had it
    bool waits;           // at the door, for a free session
    bool end_sent;        // end_of_server was sent
    bool end_came;        // and has arrived behind all bytes
    bool end_told;        // end_of_player was sent
    SimPeer peer_next;    // what end_of_player will say
    SimPeer peer;         // as the server's socket knows it
    SimPlayer player;
    char terminal[64];
    SimPipe in;           // to the server
    SimPipe out;          // to the player
    // The server's side; see struct Client in port/posix/loop_parts.h.
    uint32_t session;     // pool_none: none
    bool reading;
    bool lingering;
    bool peer_closed;
    Slice writing;        // handed over whole and not yet all in the socket
    uint32_t written;     // bytes of it that are
    uint64_t linger_until_us;
    // The player's end of TLS.
    bool is_established;
    Channel channel;
    Writer plain;         // said before the handshake was over
};

struct SimWork {
    Wish wish;
    bool waits;       // for a free worker
    uint64_t number;  // its place in the line
};

struct SimWorld {
    SimWorldPlan plan;
    Config config;
    SimWorldCounts counts;
    SimRandom random;
    SimRandom net;
    Hasher hasher;
    uint64_t now_us;
    int64_t jumped_us;
    bool running;        // a server is there and has power
    SimScarce scarce;    // what refuses once in each start
    uint64_t scarce_at;
    uint64_t holds_before;  // acquisitions that were the recovery's
    bool stopping;       // it is to be run to its end
    char refusal[config_error_size_max];
    char leak[256];
    // The queue: a heap by (time, number).
    SimEvent events[sim_events_max];
    uint32_t event_count;
    uint64_t event_number;
    uint64_t tick_us;    // when the next tick is due
    bool turn_waits;     // a turn is in the queue
    // The server.
    uint8_t* memory;
    uint64_t memory_size;
    uint64_t memory_used;  // by the present start
    Server* server;
    Store store;
    uint64_t heap_before;  // bytes of the library's when the start was done
    SimLink links[sim_links_max];
    uint64_t with_session;  // links that have one, as bits
    uint32_t link_of[sim_links_max];  // by session
    SimWork works[sim_works_max];
    uint32_t works_max;
    uint32_t works_taken;
    uint32_t works_running;
    uint64_t work_number;
    bool writing;
    LogWrite write;
    Status write_outcome;
    uint8_t window[batch_size_max];
    alignas(arena_align) uint8_t password_memory[65536];
};

extern SimWorld sim_world;

// world_scarce.cpp
void sim_scarce_begin();  // the server's pools and the library's heap are ready
void sim_scarce_book();   // the book is open: the recovery readied the pool of holds

// world_queue.cpp
void sim_push(const SimEvent& event);  // its number is given here
bool sim_pop(uint64_t until_us, SimEvent& out);
uint64_t sim_next_us();                // UINT64_MAX when the queue is empty
uint64_t sim_later(uint32_t us_max);   // now and a bit

// world.cpp
void sim_tell_time(Server& server);
void sim_power_gone();
void sim_hash_bytes(SimEventKind kind, uint32_t link, Slice bytes);

// world_net.cpp. `drain` is what the server's side does after it.
SimLink* sim_link(uint32_t number);    // nullptr when it is over
void sim_net_event(const SimEvent& event);
uint32_t sim_net_send(SimLink& link, SimEventKind kind, Slice bytes);  // returns what fitted
void sim_net_end_of_server(SimLink& link);
void sim_net_lose(SimLink& link);
void sim_net_release(SimLink& link);   // gives its slot back when both ends have let go
void sim_net_clear(uint32_t percent);  // all links are over; of so many, what is in flight comes
void sim_net_free();                   // gives the buffers back
uint32_t sim_pipe_room(const SimPipe& pipe);
void sim_pipe_take(SimPipe& pipe, uint32_t size);

// world_session.cpp
void sim_session_accept(SimLink& link);
void sim_session_drain();              // all that the server and its sockets can do now
void sim_session_tick();               // lingering, those who wait at the door
uint64_t sim_session_linger_us();      // when the first one has lingered enough; UINT64_MAX: none

// world_work.cpp
void sim_work_take();
void sim_work_event(const SimEvent& event);

// world_tls.cpp
void sim_tls_prepare();                // once per process: the certificates
Status sim_tls_load(Server& server, const char*& reason);
bool sim_tls_open(SimLink& link);
void sim_tls_send(SimLink& link, Slice plain);
void sim_tls_received(SimLink& link, Slice cipher);
void sim_tls_close(SimLink& link);
void sim_tls_forget(bool give_back);   // the players' configurations of this start
