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
//   M1. One thread, one queue ordered by (time, number of insertion), one seed: the same seed and
//       the same players give the same run, byte for byte (world_digest).
//   M2. When the power goes (disk.h, K3) nothing leaves any more: every reply that a player has
//       seen was sent before the cut. Then the server's memory is thrown away whole, the disk says
//       what survived, and the server starts again through the same start as pennyd.
//   M3. A start that is refused keeps its sentence in `refusal`; the disk is as it was before.
//   M4. Channels: a plain one that exists only here (its first line names the terminal), or real
//       TLS over certificates made for the run.
#pragma once

#include "port/posix/store.h"
#include "port/sim/disk.h"
#include "port/sim/random.h"
#include "server.h"

inline constexpr uint32_t sim_links_max = 64;
inline constexpr uint32_t sim_events_max = 8192;

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
    uint64_t wall_us;         // the clock at the start, since 1970 UTC
};

// Makes an empty bank on an empty disk, as `pennyctl init` would.
Status sim_world_init(const SimWorldPlan& plan, const Config& config);
void sim_world_free();

// Starts the server from what is on the disk. Returns failed when it refuses (M3).
Status sim_world_start();
const char* sim_world_refusal();

// Runs events until the time is reached, nothing is left to do, or the power went. Returns false
// when the power went.
bool sim_world_run(uint64_t until_us);
uint64_t sim_world_now_us();

// A clean stop (SIGTERM): runs until the server has stopped.
void sim_world_stop();

// The power goes between two events; or the disk's plan lets it go within one.
void sim_world_cut();

// After a cut or a stop: throws the server away and mounts the disk as `loss` has it.
void sim_world_mount(SimLoss loss);

// The clock on the wall jumps by so much; time itself does not.
void sim_world_jump(int64_t wall_us);

// For players. A link that was closed is never used again under its number within a start.
uint32_t sim_connect(const SimPlayer& player, const char* terminal);  // UINT32_MAX: refused
void sim_send(uint32_t link, Slice bytes);
void sim_hang_up(uint32_t link);   // as a peer that went away
void sim_after(uint64_t delay_us, void (*call)(void* context, uint64_t value), void* context,
               uint64_t value);    // a timer of a player; lost at a cut

Server& sim_world_server();

// SHA-256 over every byte that was delivered to anybody and every digest of the disk at a mount.
void sim_world_digest(uint8_t out[32]);
