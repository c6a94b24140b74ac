#include "loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "loop_parts.h"

namespace {

Loop* the_loop = nullptr;  // libuv's allocator functions have no context argument.

void lock_heap(void* context) { uv_mutex_lock(static_cast<uv_mutex_t*>(context)); }
void unlock_heap(void* context) { uv_mutex_unlock(static_cast<uv_mutex_t*>(context)); }

void* heap_malloc(size_t size) { return heap_take(the_loop->heap, size); }
void* heap_realloc(void* block, size_t size) { return heap_resize(the_loop->heap, block, size); }
void heap_free(void* block) { heap_give(the_loop->heap, block); }
void* heap_calloc(size_t count, size_t size) {
    return heap_take_zeroed(the_loop->heap, count, size);
}

void on_idle(uv_idle_t* idle) {
    Loop& loop = *static_cast<Loop*>(idle->data);
    tell_time(loop);
    server_tick(*loop.server);
}

void drain(Loop& loop) {
    uint32_t session = 0;
    while (server_next_dirty(*loop.server, session)) apply_plan(loop, session);
    take_wishes(loop);
    take_write(loop);  // Y3
    const bool hurried = server_is_hurried(*loop.server);
    if (hurried != loop.hurried) {
        if (hurried) {
            uv_idle_start(&loop.idle, on_idle);
        } else {
            uv_idle_stop(&loop.idle);
        }
        loop.hurried = hurried;
    }
    if (loop.server->phase != ServerPhase::running) close_listeners(loop);
    if (server_is_stopped(*loop.server) && !loop.journal.busy && loop.works.taken == 0) {
        uv_stop(&loop.uv);
    }
}

void on_prepare(uv_prepare_t* prepare) { drain(*static_cast<Loop*>(prepare->data)); }
void on_check(uv_check_t* check) { drain(*static_cast<Loop*>(check->data)); }

// Whoever asked in vain, on whichever thread: the operator hears of it once per tick.
void report_random(Loop& loop) {
    const uint32_t failures = system_random_failures();
    if (failures == loop.random_failures) return;
    loop.random_failures = failures;
    static constexpr char text[] =
        "the system gives no random bytes (getrandom fails): no handshake, no password record and "
        "no segment can be made until it does";
    port_log(LogLevel::error, text, sizeof text - 1);
}

void on_timer(uv_timer_t* timer) {
    Loop& loop = *static_cast<Loop*>(timer->data);
    tell_time(loop);
    report_random(loop);
    server_tick(*loop.server);
    end_lingering(loop);
}

void on_signal(uv_signal_t* handle, int number) {
    Loop& loop = *static_cast<Loop*>(handle->data);
    tell_time(loop);
    if (number == SIGHUP) {
        server_reload(*loop.server);
        return;
    }
    server_stop(*loop.server, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

// What libuv may allocate: its loop, its table of watchers (twice while it grows), odds and ends.
void layout_uv_heap(Loop* loop, Arena& arena, Heap& measure, uint32_t sessions) {
    uint32_t watchers = 1024;
    while (watchers < 2 * (sessions + 64)) watchers *= 2;
    const uint32_t table = watchers * static_cast<uint32_t>(sizeof(void*));
    const HeapClassRow rows[] = {
        {64, 32}, {256, 16}, {1024, 8}, {4096, 4}, {table / 4, 2}, {table / 2, 2}, {2 * table, 2},
    };
    // Ascending sizes: with few sessions the quarter table is as large as its neighbour.
    HeapClassRow sorted[7];
    uint32_t count = 0;
    for (const HeapClassRow& row : rows) {
        if (count > 0 && row.size <= sorted[count - 1].size) {
            sorted[count - 1].count += row.count;
        } else {
            sorted[count++] = row;
        }
    }
    heap_layout(loop == nullptr ? measure : loop->heap, arena, "libuv", sorted, count);
}

}  // namespace

void loop_log(LogLevel level, const char* text, Slice detail) {
    uint8_t line[512];
    Writer writer = writer_of(line, sizeof line);
    put_text(writer, text);
    put_printable(writer, detail, 400);
    port_log(level, reinterpret_cast<const char*>(line), writer.size);
}

void loop_layout(Loop*& loop, Arena& arena, const Config& config) {
    const uint32_t sessions = config.sessions + config.handshakes;
    loop = arena_array<Loop>(arena, "event loop", 1);
    Client* clients = arena_array<Client>(arena, "sockets", sessions);
    // A work slot for everything that can be on the pool at once.
    Pool<Work> works = {};
    pool_layout(works, arena, "work items", config.handshakes + config.reads + 6);
    Heap measure = {};
    layout_uv_heap(loop, arena, measure, sessions);
    if (loop == nullptr) return;
    loop->clients = clients;
    loop->works = works;
}

Status loop_init(Loop& loop, Server& server, Store& store, const LoopPlan& plan) {
    the_loop = &loop;
    loop.server = &server;
    loop.store = &store;
    loop.plan = plan;
    pool_init(loop.works);
    heap_init(loop.heap);
    if (uv_mutex_init(&loop.heap_mutex) != 0) return Status::failed;
    loop.heap.lock = lock_heap;
    loop.heap.unlock = unlock_heap;
    loop.heap.lock_context = &loop.heap_mutex;
    if (uv_replace_allocator(heap_malloc, heap_realloc, heap_calloc, heap_free) != 0) {
        return Status::failed;
    }
    uint8_t text[16] = {};
    Writer writer = writer_of(text, sizeof text - 1);
    put_decimal(writer, plan.threads);
    setenv("UV_THREADPOOL_SIZE", reinterpret_cast<const char*>(text), 1);
    if (uv_loop_init(&loop.uv) != 0) return Status::failed;
    loop.uv.data = &loop;
    return Status::ok;
}

Status loop_start(Loop& loop, Writer& error) {
    uv_loop_t* uv = &loop.uv;
    for (uint32_t i = 0; i < loop.server->config.listener_count; i++) {
        loop.listeners[i].number = i;
        const Status status = bind_listener(loop, loop.listeners[i], error);
        if (status != Status::ok) return status;
    }
    uv_timer_init(uv, &loop.timer);
    uv_prepare_init(uv, &loop.prepare);
    uv_check_init(uv, &loop.check);
    uv_idle_init(uv, &loop.idle);
    loop.timer.data = loop.prepare.data = loop.check.data = loop.idle.data = &loop;
    const int numbers[3] = {SIGTERM, SIGINT, SIGHUP};
    int status = start_threads(loop);
    if (status == 0) status = uv_timer_start(&loop.timer, on_timer, server_tick_ms, server_tick_ms);
    if (status == 0) status = uv_prepare_start(&loop.prepare, on_prepare);
    if (status == 0) status = uv_check_start(&loop.check, on_check);
    for (uint32_t i = 0; i < 3 && status == 0; i++) {
        status = uv_signal_init(uv, &loop.signals[i]);
        loop.signals[i].data = &loop;
        if (status == 0) status = uv_signal_start(&loop.signals[i], on_signal, numbers[i]);
    }
    if (status != 0) {
        put_text(error, "the event loop could not be started: ");
        put_text(error, loop_reason(status));
        return Status::failed;
    }
    const uint32_t first = config_bank_listener(loop.server->config);
    loop.server->service.stats.port = loop.listeners[first].port;
    return Status::ok;
}

void loop_print_ready(const Loop& loop) {
    for (const Listener& listener : loop.listeners) {
        if (!listener.open) continue;
        const ListenerConfig& config = loop.server->config.listeners[listener.number];
        uint8_t text[256];
        Writer writer = writer_of(text, sizeof text);
        const bool v6 = strchr(config.address, ':') != nullptr;
        put_text(writer, "ready ");
        put_text(writer, config.name);
        put_text(writer, v6 ? " [" : " ");
        put_text(writer, config.address);
        put_text(writer, v6 ? "]:" : ":");
        put_decimal(writer, listener.port);
        put_u8(writer, '\n');
        system_print(STDOUT_FILENO, writer_slice(writer));
    }
}

void loop_run(Loop& loop) {
    uv_run(&loop.uv, UV_RUN_DEFAULT);
    stop_threads(loop);
}
