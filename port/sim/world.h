// world.h - the whole server in one process and in no time: clock, network, workers and disk are
// events of one queue, drawn from one seed.
//
// This is the third port beside posix and the fuzzers'. It calls the server exactly as
// port/posix/loop.cpp does (server.h's table of events), but time passes only from one event to the
// next, so a simulated day takes as long as its events do.
//
//     players ─connect, send─► links ─bytes after a delay, in pieces─► server_received
//     server_plan ─bytes after a delay, in pieces─► links ─► players
//     wishes ─► an event later: the same code that the board's workers run
//     the journal's write ─► an event later: store_write on the simulated disk
//
//     sim_world_init ─► start ─► run … ─┬─► stop ─┬─► mount ─► start …
//                         │ refused     └─► cut ──┘
//                         └──► mount
//
//   M1. One thread, one queue ordered by (time, number of insertion), one seed: the same seed and
//       the same players give the same run, byte for byte (world_digest).
//   M2. When the power goes (disk.h, K3) nothing leaves any more: every reply that a player has
//       seen was sent before the cut. Then the server's memory is thrown away whole, the disk says
//       what survived, and the server starts again through the same start as pennyd.
//   M3. A start that is refused keeps its sentence in `refusal`; the disk is as it was before.
//   M4. Channels: a plain one that exists only here (its first line names the terminal), or real
//       TLS over certificates that the process makes once, always the same ones.
//   M5. Players are never called from within sim_connect, sim_send, sim_hang_up or sim_after, and
//       may call all four from within `received`, `closed` and a timer.
//
// Memory is one mapping, kept from one start to the next, and buffers of the links from malloc.
#pragma once

#include "port/posix/store.h"
#include "port/sim/disk.h"
#include "port/sim/random.h"
#include "server.h"

inline constexpr uint32_t sim_links_max = 64;      // at once
inline constexpr uint32_t sim_link_none = UINT32_MAX;
inline constexpr uint32_t sim_events_max = 8192;
inline constexpr uint32_t sim_socket_size = 65536;  // bytes that a socket holds, each way
inline constexpr uint64_t sim_wall_us = 2'000'000'000'000'000;  // when the certificates were made
inline constexpr char sim_data_dir[] = "data";                  // on the simulated disk

// The terminals that have a certificate (M4); over the plain channel any name does.
inline constexpr const char* sim_terminals[] = {"till-1", "till-2", "kiosk", "office"};

// Who is in the bank from the beginning.
struct SimPerson {
    const char* name;
    const char* role;
    const char* password;
    int64_t deposit;  // minor units
};

inline constexpr SimPerson sim_admin = {"admin", "admin", "a-password-of-admin", 0};

// What players are told. `context` is theirs.
struct SimPlayer {
    void* context;
    void (*received)(void* context, uint32_t link, Slice bytes);
    void (*closed)(void* context, uint32_t link);  // by the server, the network or a cut
};

struct SimNetPlan {
    uint32_t delay_us_max;    // of one piece, each way
    uint32_t split_percent;   // a piece arrives in two
    uint32_t drop_percent;    // a connection is lost with what was in flight, per piece sent
};

struct SimWorldPlan {
    uint64_t seed;
    bool tls;                 // M4
    SimNetPlan net;
    uint32_t work_us_max;     // a worker's time for one wish
    uint32_t sync_us_max;     // the journal's time for one batch
    uint64_t wall_us;         // the clock at the start, since 1970 UTC; 0: sim_wall_us
    const SimPerson* people;  // nullptr: sim_admin alone
    uint32_t person_count;
};

// What happened since sim_world_init.
struct SimWorldCounts {
    uint64_t starts, starts_refused, stops, cuts;
    uint64_t simulated_us;       // that passed, all starts together
    uint64_t events, ticks;
    uint64_t links, links_lost, links_refused;  // lost: with what was in flight
    uint64_t pieces, pieces_split;
    uint64_t bytes_in, bytes_out;               // delivered to the server, to players
    uint64_t writes;                            // of the journal
    uint64_t wishes[wish_kind_count];                       // by WishKind
};

// What can be refused although there is some: a pool's n-th acquisition, the n-th allocation of the
// library of cryptography, the n-th request for random bytes.
enum class SimScarce : uint8_t {
    nothing, sessions, buffers, hashes, reads, groups, holds, library, random,
};
inline constexpr uint32_t sim_scarce_count = 9;

// Small limits, cheap passwords (an 8 KiB Argon2 that no operator may set), small segments and
// frequent checkpoints.
void sim_world_config(Config& out);

// Makes an empty bank on an empty disk, as `pennyctl init` would. Seeds disk and all else. Returns
// failed, with the sentence in sim_world_refusal, when the disk's plan got in its way.
Status sim_world_init(const SimWorldPlan& plan, const Config& config);
void sim_world_free();

// What the operator changed between two starts.
void sim_world_set_config(const Config& config);
void sim_world_set_tls(bool tls);

// In every start to come `what` refuses once: what is asked for with the number `at`, counted from
// 0 within that start. `nothing`: no more.
void sim_world_refuse(SimScarce what, uint64_t at);

// How often it was asked for in the newest start so far.
uint64_t sim_world_takes(SimScarce what);

// Starts the server from what is on the disk. Returns failed when it refuses (M3), or when the
// power went meanwhile; then sim_world_mount follows.
Status sim_world_start();
const char* sim_world_refusal();

// Runs events until the time is reached, nothing is left to do, or the power went. Returns false
// when the power went, or the server has stopped by itself (SHUTDOWN).
bool sim_world_run(uint64_t until_us);
uint64_t sim_world_now_us();
bool sim_world_is_running();  // started, and neither cut nor stopped since

// A clean stop (SIGTERM): runs until the server has stopped. Returns false when the power went.
bool sim_world_stop();

// After a stop or a refused start: what was not given back, as a sentence; nullptr when all was.
const char* sim_world_leak();

// The power goes between two events; or the disk's plan lets it go within one.
void sim_world_cut();

// After a cut or a stop: throws the server away and mounts the disk as `loss` has it.
void sim_world_mount(SimLoss loss);

// The clock on the wall jumps by so much; time itself does not.
void sim_world_jump(int64_t wall_us);
uint64_t sim_world_wall_us();

// For players. A link that was closed is never used again under its number within a start. After
// `closed`, or sim_hang_up, nothing more is heard of it. What does not fit into a socket
// (sim_socket_size) breaks its link.
uint32_t sim_connect(const SimPlayer& player, const char* terminal);  // sim_link_none: refused
void sim_send(uint32_t link, Slice bytes);
void sim_hang_up(uint32_t link);   // as a peer that went away
void sim_read(uint32_t link, bool reads);  // false: bytes wait in the socket until it is full
void sim_after(uint64_t delay_us, void (*call)(void* context, uint64_t value), void* context,
               uint64_t value);    // a timer of a player; lost at a cut and at a mount

Server& sim_world_server();
const SimWorldCounts& sim_world_counts();

// SHA-256 over every byte that was delivered to anybody and every digest of the disk at a mount.
void sim_world_digest(uint8_t out[32]);
