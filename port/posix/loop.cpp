#include "loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/text.h"
#include "system.h"

namespace {

constexpr uint32_t backlog = 1024;
constexpr uint32_t sends_per_turn = 32;   // of one session, before others have their turn
constexpr uint32_t scratch_size = 4096;  // bytes of a closing peer that nobody reads

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

}  // namespace

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
    uint32_t threads;
    bool hurried;
    bool password_arena_used;
    uint32_t random_failures;  // that were said
    uint8_t scratch[scratch_size];
};

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

void log_line(LogLevel level, const char* text, Slice detail) {
    uint8_t line[512];
    Writer writer = writer_of(line, sizeof line);
    put_text(writer, text);
    put_printable(writer, detail, 400);
    port_log(level, reinterpret_cast<const char*>(line), writer.size);
}

void tell_time(Loop& loop) { server_clock(*loop.server, system_now_ms(), system_wall_us()); }

void drain(Loop& loop);

// Sockets.

Client& client_of(const uv_handle_t* handle) { return *static_cast<Client*>(handle->data); }

void on_client_closed(uv_handle_t* handle);

void close_client(Client& client) {
    if (client.closing) return;
    client.closing = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&client.tcp), on_client_closed);
}

void peer_closed(Loop& loop, Client& client, const char* reason) {
    if (client.peer_closed || client.closing) return;
    client.peer_closed = true;
    uv_read_stop(reinterpret_cast<uv_stream_t*>(&client.tcp));
    client.reading = false;
    if (client.lingering) {
        close_client(client);
        return;
    }
    server_peer_closed(*loop.server, client.session, reason);
}

void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* out) {
    (void)suggested;
    Loop& loop = *the_loop;
    Client& client = client_of(handle);
    if (client.lingering) {
        *out = uv_buf_init(reinterpret_cast<char*>(loop.scratch), scratch_size);
        return;
    }
    uint32_t size = 0;
    uint8_t* room = server_read_room(*loop.server, client.session, size);
    *out = uv_buf_init(reinterpret_cast<char*>(room), size);
}

void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
    (void)buffer;
    Loop& loop = *the_loop;
    Client& client = client_of(reinterpret_cast<uv_handle_t*>(stream));
    tell_time(loop);
    if (size == UV_ENOBUFS) {  // Nothing can be taken now; server_plan says when to go on.
        uv_read_stop(stream);
        client.reading = false;
        return;
    }
    if (size == 0) return;
    if (size == UV_EOF) {
        peer_closed(loop, client, nullptr);
        return;
    }
    if (size < 0) {
        peer_closed(loop, client, uv_strerror(static_cast<int>(size)));
        return;
    }
    if (!client.lingering) {
        server_received(*loop.server, client.session, static_cast<uint32_t>(size));
    }
}

void on_written(uv_write_t* request, int status) {
    Loop& loop = *the_loop;
    Client& client = *static_cast<Client*>(request->data);
    const uint32_t size = client.writing;
    client.writing = 0;
    tell_time(loop);
    if (status < 0) {
        peer_closed(loop, client, uv_strerror(status));
        // What could not be sent is nobody's any more.
    }
    if (!client.closing || status >= 0) server_sent(*loop.server, client.session, size);
}

// Sends what the session has. Returns true when the plan should be asked for again.
bool send_out(Loop& loop, Client& client, Slice out) {
    if (out.size == 0 || client.writing > 0 || client.closing) return false;
    uv_stream_t* stream = reinterpret_cast<uv_stream_t*>(&client.tcp);
    char* data = reinterpret_cast<char*>(const_cast<uint8_t*>(out.data));  // Only read.
    uv_buf_t buffer = uv_buf_init(data, out.size);
    const int sent = uv_try_write(stream, &buffer, 1);
    if (sent > 0) {
        server_sent(*loop.server, client.session, static_cast<uint32_t>(sent));
        return true;
    }
    if (sent != UV_EAGAIN) {
        peer_closed(loop, client, uv_strerror(sent));
        server_sent(*loop.server, client.session, out.size);
        return true;
    }
    client.write.data = &client;
    client.writing = out.size;
    const int status = uv_write(&client.write, stream, &buffer, 1, on_written);
    if (status < 0) {
        client.writing = 0;
        peer_closed(loop, client, uv_strerror(status));
        server_sent(*loop.server, client.session, out.size);
    }
    return false;
}

void on_shutdown(uv_shutdown_t* request, int status) {
    Client& client = *static_cast<Client*>(request->data);
    if (status < 0 || client.peer_closed) close_client(client);
}

// All is sent: half-close, then let the peer read to the end. A reset would eat the last bytes.
void linger(Loop& loop, Client& client) {
    client.lingering = true;
    client.linger_until_ms = system_now_ms() + linger_ms;
    if (client.peer_closed) {
        close_client(client);
        return;
    }
    uv_stream_t* stream = reinterpret_cast<uv_stream_t*>(&client.tcp);
    client.shutdown.data = &client;
    if (uv_shutdown(&client.shutdown, stream, on_shutdown) < 0 ||
        uv_read_start(stream, on_alloc, on_read) < 0) {
        close_client(client);
        return;
    }
    client.reading = true;
    (void)loop;
}

void apply_plan(Loop& loop, uint32_t session) {
    Client& client = loop.clients[session];
    if (client.closing || client.lingering) return;
    SessionPlan plan = server_plan(*loop.server, session);
    for (uint32_t i = 0; i < sends_per_turn && send_out(loop, client, plan.out); i++) {
        plan = server_plan(*loop.server, session);
    }
    if (client.closing || client.lingering) return;
    uv_stream_t* stream = reinterpret_cast<uv_stream_t*>(&client.tcp);
    if (plan.cut) {
        close_client(client);
        return;
    }
    if (plan.close && client.writing == 0) {
        linger(loop, client);
        return;
    }
    const bool read = plan.read && !client.peer_closed;
    if (read && !client.reading) client.reading = uv_read_start(stream, on_alloc, on_read) == 0;
    if (!read && client.reading) {
        uv_read_stop(stream);
        client.reading = false;
    }
}

void put_address(const sockaddr_storage& address, Writer& out) {
    char text[64] = "";
    const bool v6 = address.ss_family == AF_INET6;
    uint32_t port = 0;
    if (v6) {
        const sockaddr_in6* in6 = reinterpret_cast<const sockaddr_in6*>(&address);
        uv_ip6_name(in6, text, sizeof text);
        port = ntohs(in6->sin6_port);
    } else {
        const sockaddr_in* in4 = reinterpret_cast<const sockaddr_in*>(&address);
        uv_ip4_name(in4, text, sizeof text);
        port = ntohs(in4->sin_port);
    }
    if (v6) put_u8(out, '[');
    put_text(out, text);
    if (v6) put_u8(out, ']');
    put_u8(out, ':');
    put_decimal(out, port);
}

void name_client(Loop& loop, Client& client) {
    sockaddr_storage address = {};
    int size = sizeof address;
    uint8_t text[address_size_max] = {};
    Writer writer = writer_of(text, sizeof text - 1);
    if (uv_tcp_getpeername(&client.tcp, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
        put_address(address, writer);
    } else {
        put_text(writer, "unknown:0");
    }
    server_set_address(*loop.server, client.session, reinterpret_cast<const char*>(text));
}

// Takes the connection that waits at a listener, if a session is free.
void accept_one(Loop& loop, Listener& listener) {
    const uint32_t session = server_accept(*loop.server, listener.number);
    listener.waiting = session == pool_none;
    if (listener.waiting) return;
    Client& client = loop.clients[session];
    memset(&client, 0, sizeof client);
    client.session = session;
    CHECK(uv_tcp_init(&loop.uv, &client.tcp) == 0);
    client.tcp.data = &client;
    uv_stream_t* stream = reinterpret_cast<uv_stream_t*>(&client.tcp);
    if (uv_accept(reinterpret_cast<uv_stream_t*>(&listener.tcp), stream) != 0) {
        server_set_address(*loop.server, session, "unknown:0");
        peer_closed(loop, client, "the connection was gone before it was accepted");
        return;
    }
    uv_tcp_nodelay(&client.tcp, 1);
    name_client(loop, client);
}

void on_connection(uv_stream_t* stream, int status) {
    if (status < 0) return;
    Loop& loop = *the_loop;
    tell_time(loop);
    accept_one(loop, *static_cast<Listener*>(stream->data));
}

void on_client_closed(uv_handle_t* handle) {
    Loop& loop = *the_loop;
    Client& client = client_of(handle);
    tell_time(loop);
    server_closed(*loop.server, client.session);
    for (Listener& listener : loop.listeners) {
        if (listener.open && listener.waiting) accept_one(loop, listener);
    }
}

void close_listeners(Loop& loop) {
    for (Listener& listener : loop.listeners) {
        if (!listener.open) continue;
        listener.open = false;
        uv_close(reinterpret_cast<uv_handle_t*>(&listener.tcp), nullptr);
    }
}

// Work on the pool.

void run_file_wish(Loop& loop, Wish& wish) {
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    switch (wish.kind) {
        case WishKind::read: {
            uint32_t got = 0;
            wish.outcome = store_read(*loop.store, position_segment(wish.position),
                                      position_offset(wish.position), wish.memory, wish.size, got);
            wish.size = got;
            return;
        }
        case WishKind::segment: {
            uint8_t salt[8];
            if (!port_random(salt, sizeof salt)) {
                put_text(error, "no random bytes for the salt of a segment");
                wish.outcome = Status::failed;
                break;
            }
            wish.outcome = store_segment_make(*loop.store, wish.number, wish.size, error);
            Reader reader = reader_of({salt, sizeof salt});
            wish.salt = get_u64(reader);
            break;
        }
        case WishKind::checkpoint_begin:
            wish.outcome = store_checkpoint_begin(*loop.store, error);
            break;
        case WishKind::checkpoint_append:
            wish.outcome = store_checkpoint_append(*loop.store,
                                                   static_cast<TableName>(wish.table),
                                                   {wish.memory, wish.size}, error);
            break;
        case WishKind::checkpoint_finish:
            wish.outcome = store_checkpoint_finish(*loop.store, {wish.memory, wish.size}, error);
            break;
        case WishKind::handshake:
        case WishKind::hash:
        case WishKind::key: CHECK(false);
    }
    if (wish.outcome == Status::ok) return;
    if (wish.kind != WishKind::segment) store_checkpoint_cancel(*loop.store);
    log_line(LogLevel::error, "", writer_slice(error));
}

void on_work(uv_work_t* request) {
    Loop& loop = *the_loop;
    Wish& wish = static_cast<Work*>(request->data)->wish;
    switch (wish.kind) {
        case WishKind::handshake:
        case WishKind::hash:
        case WishKind::key: server_wish_run(*loop.server, wish); return;
        case WishKind::read:
        case WishKind::segment:
        case WishKind::checkpoint_begin:
        case WishKind::checkpoint_append:
        case WishKind::checkpoint_finish: run_file_wish(loop, wish); return;
    }
}

void on_work_done(uv_work_t* request, int status) {
    CHECK(status == 0);
    Loop& loop = *the_loop;
    Work& work = *static_cast<Work*>(request->data);
    const Wish wish = work.wish;
    pool_give(loop.works, static_cast<uint32_t>(&work - loop.works.slots));
    tell_time(loop);
    if (wish.kind == WishKind::hash) loop.password_arena_used = true;
    server_wish_done(*loop.server, wish);
}

void take_wishes(Loop& loop) {
    Wish wish;
    while (loop.works.taken < loop.works.count && server_wish_take(*loop.server, wish)) {
        Work& work = loop.works.slots[pool_take(loop.works)];
        work.wish = wish;
        work.request.data = &work;
        CHECK(uv_queue_work(&loop.uv, &work.request, on_work, on_work_done) == 0);
    }
    const bool idle = server_password_arena_is_idle(*loop.server);
    if (loop.password_arena_used && idle) {
        const PasswordArena& arena = loop.server->password_arena;
        system_give_back(arena.memory, arena.size);
        loop.password_arena_used = false;
    }
}

// The journal's thread.

void journal_thread(void* context) {
    Loop& loop = *static_cast<Loop*>(context);
    Journal& journal = loop.journal;
    for (;;) {
        uv_sem_wait(&journal.wanted);
        if (journal.stop) return;
        journal.outcome = store_write(*loop.store, journal.write);
        uv_async_send(&journal.done);
    }
}

void on_journal_done(uv_async_t* async) {
    Loop& loop = *static_cast<Loop*>(async->data);
    if (!loop.journal.busy) return;
    loop.journal.busy = false;
    tell_time(loop);
    server_write_done(*loop.server, loop.journal.outcome);
}

void take_write(Loop& loop) {
    Journal& journal = loop.journal;
    if (journal.busy || !server_write_take(*loop.server, journal.write)) return;
    journal.busy = true;
    uv_sem_post(&journal.wanted);
}

// The end of a turn.

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
    const uint64_t now_ms = system_now_ms();
    for (uint32_t i = 0; i < loop.server->sessions.count; i++) {
        Client& client = loop.clients[i];
        if (client.lingering && !client.closing && now_ms >= client.linger_until_ms) {
            close_client(client);
        }
    }
}

void on_signal(uv_signal_t* handle, int number) {
    Loop& loop = *static_cast<Loop*>(handle->data);
    tell_time(loop);
    if (number == SIGHUP) {
        log_line(LogLevel::warning, "SIGHUP: certificates are read at start only; restart instead",
                 {nullptr, 0});
        return;
    }
    server_stop(*loop.server, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

// Start.

void on_warm(uv_work_t* request) { (void)request; }
void on_warmed(uv_work_t* request, int status) {
    (void)status;
    Work& work = *static_cast<Work*>(request->data);
    pool_give(the_loop->works, static_cast<uint32_t>(&work - the_loop->works.slots));
}

// Starts the pool's threads now, so that none is made after `ready`.
void warm_pool(Loop& loop) {
    Work& work = loop.works.slots[pool_take(loop.works)];
    work.request.data = &work;
    CHECK(uv_queue_work(&loop.uv, &work.request, on_warm, on_warmed) == 0);
    while (loop.works.taken > 0) uv_run(&loop.uv, UV_RUN_ONCE);
}

Status bind_listener(Loop& loop, Listener& listener, Writer& error) {
    const ListenerConfig& config = loop.server->config.listeners[listener.number];
    sockaddr_storage address = {};
    const int port = static_cast<int>(config.port);
    int status = uv_ip4_addr(config.address, port, reinterpret_cast<sockaddr_in*>(&address));
    if (status != 0) {
        status = uv_ip6_addr(config.address, port, reinterpret_cast<sockaddr_in6*>(&address));
    }
    uv_stream_t* stream = reinterpret_cast<uv_stream_t*>(&listener.tcp);
    if (status == 0) status = uv_tcp_init(&loop.uv, &listener.tcp);
    listener.tcp.data = &listener;
    if (status == 0) {
        status = uv_tcp_bind(&listener.tcp, reinterpret_cast<const sockaddr*>(&address), 0);
    }
    if (status == 0) status = uv_listen(stream, backlog, on_connection);
    if (status != 0) {
        put_text(error, "listener ");
        put_text(error, config.name);
        put_text(error, ": ");
        put_text(error, config.address);
        put_u8(error, ':');
        put_decimal(error, config.port);
        put_text(error, ": ");
        put_text(error, uv_strerror(status));
        return Status::failed;
    }
    int size = sizeof address;
    uv_tcp_getsockname(&listener.tcp, reinterpret_cast<sockaddr*>(&address), &size);
    const bool v6 = address.ss_family == AF_INET6;
    listener.port = v6 ? ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port)
                       : ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
    listener.open = true;
    return Status::ok;
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

void loop_layout(Loop*& loop, Arena& arena, const Config& config) {
    const uint32_t sessions = config.sessions + config.handshakes;
    loop = arena_array<Loop>(arena, "event loop", 1);
    Client* clients = arena_array<Client>(arena, "sockets", sessions);
    // A work slot for everything that can be on the pool at once.
    Pool<Work> works = {};
    pool_layout(works, arena, "work items", config.handshakes + config.reads + 4);
    Heap measure = {};
    layout_uv_heap(loop, arena, measure, sessions);
    if (loop == nullptr) return;
    loop->clients = clients;
    loop->works = works;
}

Status loop_init(Loop& loop, Server& server, Store& store, uint32_t threads) {
    the_loop = &loop;
    loop.server = &server;
    loop.store = &store;
    loop.threads = threads;
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
    put_decimal(writer, threads);
    setenv("UV_THREADPOOL_SIZE", reinterpret_cast<const char*>(text), 1);
    return uv_loop_init(&loop.uv) == 0 ? Status::ok : Status::failed;
}

Status loop_start(Loop& loop, Writer& error) {
    uv_loop_t* uv = &loop.uv;
    for (uint32_t i = 0; i < loop.server->config.listener_count; i++) {
        loop.listeners[i].number = i;
        const Status status = bind_listener(loop, loop.listeners[i], error);
        if (status != Status::ok) return status;
    }
    warm_pool(loop);
    Journal& journal = loop.journal;
    uv_timer_init(uv, &loop.timer);
    uv_prepare_init(uv, &loop.prepare);
    uv_check_init(uv, &loop.check);
    uv_idle_init(uv, &loop.idle);
    loop.timer.data = loop.prepare.data = loop.check.data = loop.idle.data = &loop;
    journal.done.data = &loop;
    const int numbers[3] = {SIGTERM, SIGINT, SIGHUP};
    int status = uv_async_init(uv, &journal.done, on_journal_done);
    journal.done.data = &loop;
    if (status == 0) status = uv_sem_init(&journal.wanted, 0);
    if (status == 0) status = uv_thread_create(&journal.thread, journal_thread, &loop);
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
        put_text(error, uv_strerror(status));
        return Status::failed;
    }
    loop.server->service.stats.port = loop.listeners[0].port;
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
    loop.journal.stop = true;
    uv_sem_post(&loop.journal.wanted);
    uv_thread_join(&loop.journal.thread);
}
