#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "loop_parts.h"

namespace {

constexpr uint32_t backlog = 1024;
constexpr uint32_t sends_per_turn = 32;  // of one session, before others have their turn

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
    Loop& loop = loop_of(handle->loop);
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
    Loop& loop = loop_of(stream->loop);
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
        peer_closed(loop, client, loop_reason(static_cast<int>(size)));
        return;
    }
    if (!client.lingering) {
        server_received(*loop.server, client.session, static_cast<uint32_t>(size));
    }
}

void on_written(uv_write_t* request, int status) {
    Loop& loop = loop_of(request->handle->loop);
    Client& client = *static_cast<Client*>(request->data);
    const uint32_t size = client.writing;
    client.writing = 0;
    tell_time(loop);
    if (status < 0) {
        peer_closed(loop, client, loop_reason(status));
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
        peer_closed(loop, client, loop_reason(sent));
        server_sent(*loop.server, client.session, out.size);
        return true;
    }
    client.write.data = &client;
    client.writing = out.size;
    const int status = uv_write(&client.write, stream, &buffer, 1, on_written);
    if (status < 0) {
        client.writing = 0;
        peer_closed(loop, client, loop_reason(status));
        server_sent(*loop.server, client.session, out.size);
    }
    return false;
}

void on_shutdown(uv_shutdown_t* request, int status) {
    Client& client = *static_cast<Client*>(request->data);
    if (status < 0 || client.peer_closed) close_client(client);
}

// All is sent: half-close, then let the peer read to the end. A reset would eat the last bytes.
void begin_lingering(Loop& loop, Client& client) {
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
    Loop& loop = loop_of(stream->loop);
    tell_time(loop);
    accept_one(loop, *static_cast<Listener*>(stream->data));
}

void on_client_closed(uv_handle_t* handle) {
    Loop& loop = loop_of(handle->loop);
    Client& client = client_of(handle);
    tell_time(loop);
    server_closed(*loop.server, client.session);
    for (Listener& listener : loop.listeners) {
        if (listener.open && listener.waiting) accept_one(loop, listener);
    }
}

}  // namespace

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
        begin_lingering(loop, client);
        return;
    }
    const bool read = plan.read && !client.peer_closed;
    if (read && !client.reading) client.reading = uv_read_start(stream, on_alloc, on_read) == 0;
    if (!read && client.reading) {
        uv_read_stop(stream);
        client.reading = false;
    }
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
        put_text(error, loop_reason(status));
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

void close_listeners(Loop& loop) {
    for (Listener& listener : loop.listeners) {
        if (!listener.open) continue;
        listener.open = false;
        uv_close(reinterpret_cast<uv_handle_t*>(&listener.tcp), nullptr);
    }
}

void end_lingering(Loop& loop) {
    const uint64_t now_ms = system_now_ms();
    for (uint32_t i = 0; i < loop.server->sessions.count; i++) {
        Client& client = loop.clients[i];
        if (client.lingering && !client.closing && now_ms >= client.linger_until_ms) {
            close_client(client);
        }
    }
}
