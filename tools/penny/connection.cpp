#include "penny/connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "penny/explain.h"
#include "posix/system.h"

namespace {

constexpr uint64_t address_ms_max = 5000;  // for one address of several

[[gnu::format(printf, 3, 4)]] Status refuse(Connection& connection, Status status,
                                            const char* format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(connection.reason, sizeof connection.reason, format, values);
    va_end(values);
    return status;
}

// Waits until the socket is ready for `events`.
Status wait_for(Connection& connection, short events, uint64_t deadline_ms) {
    for (;;) {
        const uint64_t now = system_now_ms();
        if (now >= deadline_ms) return refuse(connection, Status::expired, "no answer in time");
        pollfd socket = {connection.fd, events, 0};
        const int ready = poll(&socket, 1, static_cast<int>(deadline_ms - now));
        if (ready > 0) return Status::ok;
        if (ready < 0 && errno != EINTR) {
            return refuse(connection, Status::failed, "poll: %s", strerror(errno));
        }
    }
}

// The laboratory tells of its messages itself.
void explain_wire(const Connection& connection, Direction direction, Slice bytes) {
    if (connection.tls != nullptr) explain_bytes(direction, bytes);
}

// Hands `bytes` to the system, whatever it takes.
Status send_wire(Connection& connection, Slice bytes, uint64_t deadline_ms) {
    Reader rest = reader_of(connection_leaving(connection, bytes));
    while (reader_left(rest) > 0) {
        const Slice left = reader_rest(rest);
        const ssize_t sent = send(connection.fd, left.data, left.size, MSG_NOSIGNAL);
        if (sent > 0) {
            rest.offset += static_cast<uint32_t>(sent);
            connection.sent += static_cast<uint64_t>(sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            const Status status = wait_for(connection, POLLOUT, deadline_ms);
            if (status != Status::ok) return status;
        } else if (errno != EINTR) {
            return refuse(connection, Status::failed, "the connection is lost: %s",
                          strerror(errno));
        }
    }
    return Status::ok;
}

Status take_end(Connection& connection) {
    if (lab_is_built && connection.lab != nullptr && lab_ends_by_socket(connection.channel)) {
        return refuse(connection, Status::end, "the server ended the session");
    }
    return refuse(connection, Status::failed, "the server hung up");
}

// Adds what the socket holds to `wire`. Returns as recv does.
ssize_t receive(Connection& connection) {
    uint8_t* place = connection.wire + connection.wire_size;
    Writer out = writer_of(place, wire_size_max - connection.wire_size);
    ssize_t got = 0;
    if (connection.tap == nullptr) {
        got = recv(connection.fd, place, out.capacity, 0);
        if (got > 0) out.size = static_cast<uint32_t>(got);
    } else {
        static uint8_t bytes[wire_size_max / 2];
        got = recv(connection.fd, bytes, out.capacity / 2, 0);
        const Slice in = {bytes, got > 0 ? static_cast<uint32_t>(got) : 0};
        if (in.size > 0) connection.tap->received(connection.tap->context, in, out);
        CHECK(!out.overflow);
    }
    explain_wire(connection, Direction::received, writer_slice(out));
    connection.wire_size += out.size;
    return got;
}

// Reads what the socket holds. Returns more where that is nothing.
Status read_wire(Connection& connection) {
    memmove(connection.wire, connection.wire + connection.wire_at,
            connection.wire_size - connection.wire_at);
    connection.wire_size -= connection.wire_at;
    connection.wire_at = 0;
    for (;;) {
        const ssize_t got = receive(connection);
        if (got > 0) return Status::ok;
        if (got == 0) return take_end(connection);
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Status::more;
        if (errno != EINTR) {
            return refuse(connection, Status::failed, "the connection is lost: %s",
                          strerror(errno));
        }
    }
}

Reader wire_reader(Connection& connection) {
    return reader_of({connection.wire + connection.wire_at,
                      connection.wire_size - connection.wire_at});
}

// Lets the peer know why, if it can still be reached.
void send_last_words(Connection& connection) {
    uint8_t bytes[close_size_max];
    Writer out = writer_of(bytes, sizeof bytes);
    channel_close(connection.channel, out);
    if (out.size == 0) return;
    const Slice leaving = connection_leaving(connection, writer_slice(out));
    const ssize_t sent = send(connection.fd, leaving.data, leaving.size,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;  // There is nobody to tell.
}

// Opens what the wire brought into `plain`. Returns ok when there is something new, else more.
Status open_wire(Connection& connection) {
    Reader in = wire_reader(connection);
    Writer out = writer_of(connection.plain, plain_size_max);
    out.size = connection.plain_size;
    const Status status = channel_read(connection.channel, in, out);
    const bool is_new = out.size > connection.plain_size;
    connection.wire_at += in.offset;
    connection.plain_size = out.size;
    connection.heard = connection.heard || is_new;
    if (is_new) return Status::ok;  // The end, if it came with it, is met by the next call.
    if (status == Status::ok) return Status::more;
    if (status == Status::end) {
        return refuse(connection, Status::end, "the server ended the session");
    }
    if (status == Status::full) {
        return refuse(connection, Status::invalid, "the reply is longer than %u bytes",
                      plain_size_max);
    }
    send_last_words(connection);
    // In TLS 1.3 a server refuses a certificate only when the client thinks it is done.
    return refuse(connection, Status::invalid, "%s%s", connection.channel.reason,
                  connection.heard || connection.tls == nullptr
                      ? ""
                      : " (it did not accept our certificate)");
}

// An end of the socket as people write it.
void name_end(const sockaddr_storage& address, socklen_t size, char* out) {
    char host[NI_MAXHOST] = "?";
    char port[NI_MAXSERV] = "?";
    getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    const bool brackets = strchr(host, ':') != nullptr;
    snprintf(out, end_size_max, brackets ? "[%.48s]:%.6s" : "%.48s:%.6s", host, port);
}

void name_ends(Connection& connection) {
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    getsockname(connection.fd, reinterpret_cast<sockaddr*>(&address), &size);
    name_end(address, size, connection.own_end);
    size = sizeof address;
    getpeername(connection.fd, reinterpret_cast<sockaddr*>(&address), &size);
    name_end(address, size, connection.peer_end);
}

Status shake_hands(Connection& connection, uint64_t deadline_ms) {
    static uint8_t bytes[sealed_size_max];
    uint64_t begun_us = 0;
    for (;;) {
        Reader in = wire_reader(connection);
        Writer out = writer_of(bytes, sizeof bytes);
        const Status step = channel_advance(connection.channel, in, out);
        connection.wire_at += in.offset;
        Status status = send_wire(connection, writer_slice(out), deadline_ms);
        if (begun_us == 0) begun_us = system_now_us();
        connection.handshake_us = system_now_us() - begun_us;
        if (step == Status::failed) {
            return refuse(connection, Status::invalid, "%s", connection.channel.reason);
        }
        if (status != Status::ok || step == Status::ok) return status;
        if (out.size == out.capacity) continue;
        status = wait_for(connection, POLLIN, deadline_ms);
        if (status == Status::ok) status = read_wire(connection);
        if (status != Status::ok && status != Status::more) return status;
    }
}

Status connect_socket(Connection& connection, const addrinfo& address, uint64_t deadline_ms) {
    connection.fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.fd < 0) {
        return refuse(connection, Status::failed, "socket: %s", strerror(errno));
    }
    const int one = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int error = connect(connection.fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        const Status status = wait_for(connection, POLLOUT, deadline_ms);
        if (status != Status::ok) return status;
        socklen_t size = sizeof error;
        getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) return refuse(connection, Status::failed, "%s", strerror(error));
    return Status::ok;
}

void explain_peer(const Connection& connection) {
    if (!explain_is_on() || connection.tls == nullptr) return;
    uint8_t date[32];
    Writer out = writer_of(date, sizeof date);
    const ChannelPeer& peer = connection.channel.peer;
    put_utc(out, peer.not_after_ms);
    explain("%s with %s; the server's certificate names %s and ends %.*s", peer.protocol,
            peer.cipher, connection.host, static_cast<int>(out.size),
            reinterpret_cast<const char*>(date));
}

void explain_lab(void*, const char* text, uint32_t size) {
    explain("%.*s", static_cast<int>(size), text);
}

Status open_channel(Connection& connection) {
    if (lab_is_built && connection.lab != nullptr) {
        const LabExplain explained = {explain_is_on() ? explain_lab : nullptr, nullptr};
        lab_open(connection.channel, *connection.lab_memory, *connection.lab, explained);
        return Status::ok;
    }
    if (tls_open(connection.channel, *connection.tls, connection.host) == Status::ok) {
        return Status::ok;
    }
    return refuse(connection, Status::invalid, "'%s' cannot be a server's name", connection.host);
}

Status open_address(Connection& connection, const addrinfo& address, uint64_t deadline_ms) {
    char name[NI_MAXHOST] = "?";
    getnameinfo(address.ai_addr, address.ai_addrlen, name, sizeof name, nullptr, 0,
                NI_NUMERICHOST);
    explain("connecting to %s port %s", name, connection.port);
    Status status = connect_socket(connection, address, deadline_ms);
    if (status != Status::ok) {
        explain("%s: %s", name, connection.reason);
        return status;
    }
    name_ends(connection);
    explain("connected; shaking hands");
    explain_connection();
    crypto_clock_set(system_wall_us() / 1000);
    status = open_channel(connection);
    if (status == Status::ok) status = shake_hands(connection, deadline_ms);
    if (status != Status::ok) return status;
    connection.established = true;
    // On the laboratory's channels the server accepts us before the handshake ends.
    connection.heard = connection.lab != nullptr;
    explain_peer(connection);
    return status;
}

// A server that refuses says why before it hangs up, and that may still lie in the socket.
Status why_lost(Connection& connection) {
    char reason[sizeof connection.reason];
    memcpy(reason, connection.reason, sizeof reason);
    const Status status = connection_poll(connection);
    if (status == Status::invalid || status == Status::end) return status;
    memcpy(connection.reason, reason, sizeof reason);
    return Status::failed;
}

void drop(Connection& connection) {
    channel_free(connection.channel);
    if (connection.fd >= 0) close(connection.fd);
    connection.fd = -1;
    connection.closed = false;
    connection.heard = false;
    connection.sent = 0;
    connection.own_end[0] = '\0';
    connection.peer_end[0] = '\0';
    connection.handshake_us = 0;
    connection.wire_size = 0;
    connection.wire_at = 0;
    wipe(connection.plain, connection.plain_size);
    connection.plain_size = 0;
}

void init(Connection& connection, const char* host, const char* port) {
    memset(&connection, 0, sizeof connection);
    connection.host = host;
    connection.port = port;
    connection.fd = -1;
}

}  // namespace

void connection_init(Connection& connection, TlsConfig& config, const char* host,
                     const char* port) {
    init(connection, host, port);
    connection.tls = &config;
}

void connection_init_lab(Connection& connection, LabConfig& config, LabMemory& memory,
                         const char* host, const char* port) {
    init(connection, host, port);
    connection.lab = &config;
    connection.lab_memory = &memory;
}

Status connection_open(Connection& connection, uint64_t deadline_ms) {
    drop(connection);
    addrinfo hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* addresses = nullptr;
    explain("looking up %s", connection.host);
    const int code = getaddrinfo(connection.host, connection.port, &hints, &addresses);
    if (code != 0) {
        return refuse(connection, Status::failed, "%s: %s", connection.host, gai_strerror(code));
    }
    Status status = Status::failed;
    for (const addrinfo* at = addresses; at != nullptr; at = at->ai_next) {
        const uint64_t soon = system_now_ms() + address_ms_max;
        const bool last = at->ai_next == nullptr || deadline_ms < soon;
        status = open_address(connection, *at, last ? deadline_ms : soon);
        if (status == Status::ok || status == Status::invalid) break;
        drop(connection);
    }
    freeaddrinfo(addresses);
    if (status != Status::ok) drop(connection);
    return status;
}

Status connection_send(Connection& connection, Slice bytes, uint64_t deadline_ms) {
    static uint8_t sealed[sealed_size_max];
    Reader in = reader_of(bytes);
    while (reader_left(in) > 0) {
        Writer out = writer_of(sealed, sizeof sealed);
        const Status step = channel_write(connection.channel, in, out);
        const Status status = send_wire(connection, writer_slice(out), deadline_ms);
        if (step == Status::failed) {
            const char* reason = connection.channel.reason;
            return refuse(connection, Status::failed, "%s",
                          reason != nullptr ? reason : "the connection takes no more bytes");
        }
        if (status == Status::failed) return why_lost(connection);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

Status connection_receive(Connection& connection, uint64_t deadline_ms) {
    for (;;) {
        Status status = connection_poll(connection);
        if (status != Status::more) return status;
        status = wait_for(connection, POLLIN, deadline_ms);
        if (status != Status::ok) return status;
    }
}

Status connection_poll(Connection& connection) {
    for (;;) {
        Status status = open_wire(connection);
        if (status != Status::more) return status;
        status = read_wire(connection);
        if (status != Status::ok) return status;
    }
}

Slice connection_leaving(Connection& connection, Slice bytes) {
    static uint8_t altered[2 * sealed_size_max];
    if (connection.tap != nullptr && bytes.size > 0) {
        CHECK(bytes.size <= sealed_size_max);
        Writer out = writer_of(altered, sizeof altered);
        connection.tap->sent(connection.tap->context, bytes, out);
        CHECK(!out.overflow);
        bytes = writer_slice(out);
    }
    explain_wire(connection, Direction::sent, bytes);
    return bytes;
}

void connection_sent_all(Connection& connection) {
    // A server whose channel has no end of its own sees that of the socket.
    if (connection.lab != nullptr) shutdown(connection.fd, SHUT_WR);
}

void connection_consume(Connection& connection, uint32_t size) {
    Writer plain = writer_of(connection.plain, plain_size_max);
    plain.size = connection.plain_size;
    writer_drop(plain, size);
    wipe(connection.plain + plain.size, size);
    connection.plain_size = plain.size;
}

void connection_close(Connection& connection) {
    if (connection.fd >= 0 && connection.channel.type != nullptr && !connection.closed) {
        explain("closing");
        send_last_words(connection);
    }
    drop(connection);
}

bool connection_is_open(const Connection& connection) { return connection.fd >= 0; }
