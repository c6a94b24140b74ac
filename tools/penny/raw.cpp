#include "penny/raw.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "penny/explain.h"
#include "posix/system.h"

namespace {

constexpr uint32_t piece_size_max = 16384;  // bytes of standard input sealed at a time

static_assert(piece_size_max / lab_plain_size_max * close_size_max <= sealed_size_max,
              "a piece is sealed at once on every channel");

struct Pump {
    bool input_open;
    bool ended;             // the system has taken everything, and that there is no more
    uint32_t left_at;       // sealed bytes that the system has taken
    Slice left;             // of these
    uint8_t sealed[sealed_size_max];
};

Pump pump;

bool has_left() { return pump.left_at < pump.left.size; }

// Seals the next piece of standard input, or its end.
Status take_input(Connection& connection) {
    static uint8_t piece[piece_size_max];
    const ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return Status::ok;
    Writer out = writer_of(pump.sealed, sizeof pump.sealed);
    Status status = Status::ok;
    if (got > 0) {
        Reader in = reader_of({piece, static_cast<uint32_t>(got)});
        status = channel_write(connection.channel, in, out);
    } else {
        explain("standard input has ended");
        pump.input_open = false;
        channel_close(connection.channel, out);
        connection.closed = true;
    }
    pump.left_at = 0;
    pump.left = connection_leaving(connection, writer_slice(out));
    return status;
}

Status put_left(Connection& connection) {
    const ssize_t sent = send(connection.fd, pump.left.data + pump.left_at,
                              pump.left.size - pump.left_at, MSG_NOSIGNAL);
    if (sent > 0) pump.left_at += static_cast<uint32_t>(sent);
    const bool passing = sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return passing ? Status::ok : Status::failed;
}

// Takes what the server sent. Returns ok while the session goes on.
Status take_answer(Connection& connection) {
    for (;;) {
        const Status status = connection_poll(connection);
        system_print(STDOUT_FILENO, {connection.plain, connection.plain_size});
        connection_consume(connection, connection.plain_size);
        if (status == Status::more) return Status::ok;
        if (status != Status::ok) return status;
    }
}

ExitCode finish(Connection& connection, Status status) {
    if (status == Status::end) return exit_done;
    say("%s", connection.reason[0] != '\0' ? connection.reason : strerror(errno));
    return exit_refused;
}

}  // namespace

ExitCode raw_copy(Connection& connection) {
    pump = {};
    pump.input_open = true;
    Status status = take_answer(connection);  // It may have come with the handshake.
    while (status == Status::ok) {
        const short socket_events = static_cast<short>(POLLIN | (has_left() ? POLLOUT : 0));
        pollfd ready[] = {{connection.fd, socket_events, 0},
                          {pump.input_open && !has_left() ? STDIN_FILENO : -1, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0 && errno != EINTR) return finish(connection, Status::failed);
        if ((ready[0].revents & POLLOUT) != 0) status = put_left(connection);
        if (status == Status::ok && ready[1].revents != 0) status = take_input(connection);
        if (!pump.input_open && !has_left() && !pump.ended) {
            pump.ended = true;
            connection_sent_all(connection);
        }
        if (status == Status::ok && (ready[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            status = take_answer(connection);
        }
    }
    return finish(connection, status);
}
