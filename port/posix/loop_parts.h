// loop_parts.h - what the files of the loop share. Private to port/posix/loop*.cpp.
//
//     loop.cpp          start, timers, signals, the end of a turn
//     loop_sockets.cpp  listeners and clients: accept, read, write, close
//     loop_work.cpp     other threads: the pool's work and the journal's writes
#pragma once

#include <string.h>
#include <uv.h>

#include "loop.h"
#include "system.h"

inline constexpr uint32_t scratch_size = 4096;  // bytes of a closing peer that nobody reads

struct Client {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    uint32_t session;
    uint32_t writing;  // bytes handed to uv_write and not yet reported; 0 for none
    bool reading;
    bool lingering;    // all is sent; waits for the peer to close
    bool closing;      // uv_close was called
    bool peer_closed;
    uint64_t linger_until_ms;
};

struct Work {
    uv_work_t request;
    Wish wish;
};

struct Listener {
    uv_tcp_t tcp;
    uint32_t number;  // in the configuration
    uint32_t port;    // that the kernel chose, or that was asked for
    bool open;
    bool waiting;     // a connection waits for a free session
};

// The journal's thread: one write at a time, handed over by a pair of semaphores.
struct Journal {
    uv_thread_t thread;
    uv_sem_t wanted;
    uv_async_t done;
    LogWrite write;
    Status outcome;
    bool busy;
    bool stop;
};

struct Loop {
    uv_loop_t uv;
    Server* server;
    Store* store;
    Heap heap;
    uv_mutex_t heap_mutex;
    Client* clients;   // by session
    Pool<Work> works;
    Listener listeners[listeners_max];
    Journal journal;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_signal_t signals[3];
    LoopPlan plan;
    bool hurried;
    bool password_arena_used;
    uint32_t random_failures;  // that were said
    uint8_t scratch[scratch_size];
};

inline Loop& loop_of(const uv_loop_t* uv) { return *static_cast<Loop*>(uv->data); }

// Why a call of libuv failed, in the words that the system has for everything else, too. The end of
// a stream is no failure, and other numbers that are not the system's do not occur here.
inline const char* loop_reason(int status) { return strerror(-status); }

inline void tell_time(Loop& loop) {
    const uint64_t wall_us = system_wall_us();
    server_clock(*loop.server, system_now_ms(), wall_us, system_utc_offset_s(wall_us));
}

// One line for the operator; `detail` may be anybody's bytes.
void loop_log(LogLevel level, const char* text, Slice detail);

// Binds one listener of the configuration. Returns failed with `error`.
Status bind_listener(Loop& loop, Listener& listener, Writer& error);
void close_listeners(Loop& loop);

// Carries out what the server plans for one session now.
void apply_plan(Loop& loop, uint32_t session);

// Closes those whose peers had their time to read.
void end_lingering(Loop& loop);

// Starts the threads, so that none is made after `ready`. Returns what libuv says.
int start_threads(Loop& loop);
void stop_threads(Loop& loop);

// Hand out what the server wishes, and the journal's next write.
void take_wishes(Loop& loop);
void take_write(Loop& loop);
