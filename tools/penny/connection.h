// connection.h - one connection of the client, over a socket that never blocks for longer than a
// deadline: TLS, or a channel of the laboratory.
//
// Deadlines are system_now_ms times. Statuses, the same for every function that talks:
//
//     ok       done
//     end      the server closed in order
//     failed   the connection is lost or could not be made; trying again may help
//     invalid  the other end is not who or what was asked for; trying again does not help
//     expired  the deadline has passed
//
// On anything but ok `reason` holds a sentence about it.
#pragma once

#include "channel/lab/lab.h"
#include "channel/tls.h"

inline constexpr uint32_t plain_size_max = 1u << 20;  // bytes of one reply
inline constexpr uint32_t wire_size_max = 65536;      // bytes read from the socket at a time
inline constexpr uint32_t end_size_max = 64;          // "[address]:port" and a NUL
inline constexpr uint32_t sealed_size_max = 49152;    // bytes that channel_write puts at a time
inline constexpr uint32_t close_size_max = lab_header_size + lab_body_size_max;  // channel_close's

// Who stands on the way, for the attacks of the laboratory: all bytes of the wire go through these,
// in pieces as they come, and what they put into `out` goes on in their place. `out` has room for
// twice the bytes of `in`.
struct ConnectionTap {
    void (*sent)(void* context, Slice in, Writer& out);      // before they leave
    void (*received)(void* context, Slice in, Writer& out);  // after they came
    void* context;
};

struct Connection {
    const char* host;   // as asked for; a certificate of TLS must name it
    const char* port;
    TlsConfig* tls;     // one of these two is there, and says what is spoken
    LabConfig* lab;
    LabMemory* lab_memory;
    const ConnectionTap* tap;  // nullptr: nobody
    int fd;             // -1 while there is none
    bool established;   // hands were shaken on this connection or one before it
    bool closed;        // we have said that we send no more
    bool heard;         // the server has said something, so it has accepted the handshake
    Channel channel;
    uint64_t sent;      // bytes that the system took since the connection was made
    uint32_t wire_size;  // bytes in `wire`
    uint32_t wire_at;    // of those, taken by the channel
    uint32_t plain_size;
    char own_end[end_size_max];   // of the socket, as text; empty before it is connected
    char peer_end[end_size_max];
    uint64_t handshake_us;  // from ClientHello, handed to the system, to our Finished
    char reason[512];
    uint8_t wire[wire_size_max];
    uint8_t plain[plain_size_max];
};

void connection_init(Connection& connection, TlsConfig& config, const char* host, const char* port);

// The same for a channel of the laboratory. `config` and `memory` outlive the connection.
void connection_init_lab(Connection& connection, LabConfig& config, LabMemory& memory,
                         const char* host, const char* port);

// Tries every address of the name and shakes hands with the first that answers.
Status connection_open(Connection& connection, uint64_t deadline_ms);

Status connection_send(Connection& connection, Slice bytes, uint64_t deadline_ms);

// Waits for more bytes in `plain`. A full `plain` is invalid.
Status connection_receive(Connection& connection, uint64_t deadline_ms);

// Takes what the socket holds, without waiting. Returns more where it holds nothing and the
// connection stands.
Status connection_poll(Connection& connection);

// For who seals and sends by himself: what goes to the wire for these bytes that channel_write put.
// It holds until bytes of this connection are sent again.
Slice connection_leaving(Connection& connection, Slice bytes);

// After channel_close and its bytes: no more will be sent; receiving goes on.
void connection_sent_all(Connection& connection);

// Drops the first bytes of `plain`.
void connection_consume(Connection& connection, uint32_t size);

// Ends it, in order where that is still possible, and forgets what was received.
void connection_close(Connection& connection);

bool connection_is_open(const Connection& connection);
