// loop.h - carries bytes, time and wishes between the server and libuv.
//
// The loop never waits: batches are written and synced by a thread of the journal's own, everything
// else that takes time runs on libuv's pool. Handles live in arrays taken from the arena; libuv's
// own rare allocations come from a fixed heap of it (P5).
//
//     sockets ──► server_read_room, server_received ─┐
//     timer   ──► server_tick                        ├──► drain: plans, wishes, the journal's write
//     workers ──► server_wish_done                   │
//     journal ──► server_write_done ─────────────────┘
//
//   Y1. The server is called by this thread only, but for server_wish_run on a worker.
//   Y2. A session's slot is free again only when libuv has let go of its handle.
//   Y3. The journal's write is taken at the end of a turn, after all that arrived in it.
#pragma once

#include "base/heap.h"
#include "server.h"
#include "store.h"

struct Loop;

// The bytes that libuv's heap and the loop's arrays take are laid out like all others.
void loop_layout(Loop*& loop, Arena& arena, const Config& config);

struct LoopPlan {
    uint32_t threads;
    // What a worker does for WishKind::reload. Returns failed with `why`.
    Status (*reload)(Server& server, uint32_t generation, Writer& why);
};

// Makes libuv use its fixed heap. Must be called before any other use of libuv.
Status loop_init(Loop& loop, Server& server, Store& store, const LoopPlan& plan);

// Binds every listener and starts the threads. Returns failed with `error`.
Status loop_start(Loop& loop, Writer& error);

// Prints one line `ready NAME ADDRESS:PORT` per listener.
void loop_print_ready(const Loop& loop);

// Runs until the server is stopped.
void loop_run(Loop& loop);
