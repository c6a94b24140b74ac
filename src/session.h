// session.h - one client from accept to close: cipher bytes, requests, replies, cipher bytes.
//
// A session joins channel, wire and service; it knows no socket, no pool and no other session. The
// server lends it buffers while bytes are in flight and takes them back when it is idle.
//
//   cipher_in ─channel_read─► plain_in ─request_parse─► service_execute
//   cipher_out ◄─channel_write─ plain_out ◄────────────────────┘
//
// A worker runs the handshake, and the records of a channel that is slow (channel.h).
//
//                 first bytes            channel_advance ok        AUTH ok, or none is wanted
//      waiting ───────────────► handshake ────────────────► login ─────────► ready
//         │                         │                         │                │
//         └─────────────────────────┴────── session_end ──────┴────────────────┘
//                                                │
//                                                ▼
//                      ending (flush, closing message) ──► ended (the port lets go)
//
//   N1. Replies leave in the order of requests; a request that must wait is not taken from
//       plain_in.
//   N2. At most pipeline_max money requests wait for their commit; every other command waits until
//       none does, so clients read their own writes.
//   N3. A command runs only when its largest reply fits into plain_out: a peer that does not read
//       is soon not read either.
//   N4. While a worker has the session (`lent`), nothing here is touched; a close only marks it.
//   N5. A session of a laboratory channel has neither terminal nor person, from accept on (P9); nor
//       has one that comes to enrol (service/enrol.h, M1), which stays in its login for good.
#pragma once

#include "channel/channel.h"
#include "service/service.h"

inline constexpr uint32_t cipher_in_size = 8192;    // bytes; records in part stay in the library
inline constexpr uint32_t cipher_out_size = 20480;  // bytes; more than the largest record
inline constexpr uint32_t plain_out_size = reply_size_max + pipeline_max * reply_money_size_max;
inline constexpr uint32_t address_size_max = 64;    // bytes of "[v6]:port"

enum class SessionPhase : uint8_t { waiting, handshake, login, ready, ending, ended };

// What a session waits for before it takes the next request.
enum class SessionBlock : uint8_t {
    none,
    commit,     // the next commit, a free job, or the sensor
    hash,       // its own HashJob
    read,       // its own ReadJob
    enrol,      // the EnrolJob
    snapshot,   // a checkpoint, digest or reload
};

// What the server must do next for a session. `channel`: a worker is to take its channel on.
enum class SessionNeed : uint8_t {
    none,
    channel,
    hash,
    read,
    enrol,
    checkpoint,
    digest,
    reload,
    shutdown,
};

// Lent from a pool while the session is active. All four are empty when it is given back.
struct SessionBuffers {
    uint8_t cipher_in[cipher_in_size];
    uint8_t plain_in[request_size_max];
    uint8_t plain_out[plain_out_size];
    uint8_t cipher_out[cipher_out_size];
};

struct Session {
    SessionPhase phase;
    SessionBlock block;
    bool lent;          // N4
    bool lent_to_shake;  // for a handshake; workers do not look at `phase`, which may still change
    bool surplus;       // beyond the limit: told so after the handshake, then closed
    bool peer_closed;   // no more bytes will come
    bool end_sent;      // the closing message is in cipher_out
    bool peer_gone;     // nobody is left to read what is sent
    bool wants_commit;  // waits for the next commit or a free job
    bool job_waits;     // its job goes on after the next commit
    bool wants_slot;    // its bytes wait for a handshake slot or for buffers
    bool wants_room;    // its handshake stopped for want of room in cipher_out
    bool turned_away;   // its source has too many sessions that nobody logged in on
    const char* end_reason;  // a literal, for the log; nullptr before
    uint32_t pending;   // proposals not yet answered
    uint32_t buffers;   // index of what is lent, pool_none otherwise
    uint32_t job;       // index of the hash or read job
    uint32_t group;     // index of the group being queued, pool_none otherwise
    uint32_t lab;       // index of a laboratory channel's memory, pool_none otherwise
    uint32_t listener;
    uint32_t generation;  // of the certificates that a channel of TLS uses
    BookTag tag;        // this slot and its tenant
    Caller caller;
    Writer cipher_in;
    Writer plain_in;
    Writer plain_out;
    Writer cipher_out;
    uint64_t deadline_ms;       // of the present phase; UINT64_MAX while a worker decides
    uint64_t active_ms;         // last request
    uint64_t request_since_ms;  // when the unfinished request began; 0 for none
    uint64_t commands;
    uint32_t explained;         // lines of the log about this session's exchange
    char address[address_size_max];  // of the peer, NUL-terminated
    Channel channel;
};

// What the server hands in with every call.
struct SessionTools {
    Service* service;
    uint64_t now_ms;
    uint64_t wall_us;
    HashJob* hash;            // a free job or nullptr
    ReadJob* read;            // a free job or nullptr
    EnrolJob* enrol;          // the job where it is free, or nullptr
    Group* group;             // its own one, or a free one, or nullptr
    bool certificate_is_user; // of the session's listener
    uint32_t login_ms;
    uint32_t idle_ms;
};

void session_lend(Session& session, uint32_t index, SessionBuffers& buffers);

// True when nothing is in flight and the buffers can go back to the pool.
bool session_is_idle(const Session& session);

// Does all that can be done with the bytes there are. Call after bytes came, room was made, a
// commit or a job ended.
SessionNeed session_step(Session& session, SessionTools& tools);

// On a worker: takes the handshake as far as the bytes allow; behind it, opens what has come and
// seals what is to go. Returns what channel.h says of these calls, failed before end before ok.
Status session_channel_run(Session& session);

// Back on the loop: goes on after it.
void session_channel_done(Session& session, SessionTools& tools, Status status);

// What may be done from its terminal may have changed.
void session_rights_changed(Session& session, const SessionTools& tools);

// The reload that it asked for is over; `why` is empty unless it failed.
void session_reload_done(Session& session, SessionTools& tools, Status outcome, Slice why);

// The session's job was run; `tools.hash` or `tools.read` is that job. Returns false while the
// job is still needed: call again after the next commit if `job_waits`, else run it once more.
// Behind a hash a read may be needed, for which `tools.read` is a free job or nullptr.
bool session_hash_done(Session& session, SessionTools& tools, SessionNeed& need);
bool session_read_done(Session& session, SessionTools& tools);

// The job of ENROL or RENEW was run; `tools.enrol` is that job.
void session_enrol_done(Session& session, SessionTools& tools);
void session_snapshot_done(Session& session, SessionTools& tools, bool was_checkpoint,
                           Status outcome, const Hash& digest, uint64_t entry);

// One of its proposals is decided.
void session_committed(Session& session, SessionTools& tools, const BookDone& done);

// True between its handshake and its end.
bool session_is_established(const Session& session);

// Begins to end: what is owed is flushed, then the closing message. `reason` is a literal.
void session_end(Session& session, const char* reason);

// True when all cipher bytes are out and the port may close.
bool session_is_over(const Session& session);

// The port should read from the peer.
bool session_wants_bytes(const Session& session);

// Ends the session when its time is up.
void session_tick(Session& session, uint64_t now_ms, uint32_t request_ms);
