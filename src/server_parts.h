// server_parts.h - what the files of the server share. Private to src/server*.cpp.
//
//     server.cpp           pools, start, time, stop: the calls that are not about one session
//     server_sessions.cpp  accept to close: buffers, handshake slots, steps, queues
//     server_jobs.cpp      work for other threads: hashes, statements, segments, snapshots
//     server_door.cpp      who is let in: penalties, sources, strangers
//     server_reload.cpp    who is still let in: reloads, ends of certificates
#pragma once

#include "server.h"

// Lines for the operator: one event, one line, `key value` pairs in reading order.
struct LogLine {
    uint8_t text[512];
    Writer writer;
};

void log_begin(LogLine& line, const char* event);
void log_text(LogLine& line, const char* name, Slice value);
void log_number(LogLine& line, const char* name, uint64_t value);
void log_end(LogLine& line, LogLevel level);

// One line about a session, with who it is and, at its end, why.
void log_session(Server& server, const Session& session, const char* event);
void log_established(const Session& session);

// The same, where the listener's channel is of the laboratory; and each step of its exchange,
// as far as a session's exchange may fill the log.
inline constexpr uint32_t explained_lines_max = 500;
void log_received(const Session& session);
void log_explained(void* session, const char* text, uint32_t size);

// A receipt that this session presented does not fit the book.
void log_receipt_alarm(const Server& server, const Session& session);

// The sensor has begun to answer, or to fail, or fails in another way.
void log_sensor(const Server& server);

Session& session_at(Server& server, uint32_t index);
// With its own group, and no job.
SessionTools session_tools(Server& server, const Session& session);

// The port is to look at this session's plan.
void mark_dirty(Server& server, uint32_t index);

// The session is stepped by serve_commit_queue, when server.wake is set.
void wait_for_commit(Server& server, uint32_t index);
void serve_commit_queue(Server& server);

// Lets a session do all it can, with free jobs at hand.
void step_session(Server& server, uint32_t index);

// Returns false when none are free.
bool lend_buffers(Server& server, uint32_t index);
void leave_handshake(Server& server);
void finish_channel(Server& server, const Wish& wish);

// Jobs that a session asked for.
void begin_hash(Server& server, Session& session, uint32_t job);
void finish_hash(Server& server, uint32_t job);
void begin_read(Server& server, Session& session, uint32_t job);

void begin_enrol(Server& server, Session& session);

// Feeds a read until it wants bytes or a commit. Returns true when its request is answered.
bool advance_read(Server& server, uint32_t job);

// Takes back the slot of a group that has ended.
void settle_group(Server& server, Session& session);

// Returns false when another snapshot is being made.
bool begin_snapshot(Server& server, SnapshotUse use, BookTag asker);
void advance_snapshot(Server& server);

void door_layout(Server& server, Arena& arena);
void door_init(Server& server);

// Takes note of where a session comes from, and turns it away when its source has too many (Z5).
void door_set_address(Server& server, Session& session, const char* address);

// Answers jobs at the front of the password queue that a penalty has come upon (S7).
void door_refuse_hashes(Server& server);

// How many logins came to nothing, before something that may add to them; and what to log after.
struct DoorCounts {
    uint64_t failed;
    uint64_t refused;
};
DoorCounts door_counts(const Server& server);
void door_log(Server& server, const Session& session, const DoorCounts& before);

// The writing of penalties: what time demands, the next piece, and its end.
void door_tick(Server& server);
bool door_take_wish(Server& server, Wish& out);
void door_finish_wish(Server& server, const Wish& wish);
bool door_is_saved(const Server& server);

// The certificates in use.
TlsConfig& tls_of(Server& server, uint32_t listener);

// Begins one, behind the one that is under way. Returns false when another one waits already.
bool begin_reload(Server& server, BookTag asker);
bool take_reload_wish(Server& server, Wish& out);
void finish_reload(Server& server, const Wish& wish);
void advance_reload(Server& server);

// A handshake is through: goes over to the generation in use if it began before that one, or ends.
void note_established(Server& server, Session& session);

// Ends sessions whose certificate has, and warns of those that are about to.
void tick_expiry(Server& server);
void note_own_ends(Server& server);

// The time by which certificates are judged, ms since 1970 UTC.
uint64_t judging_ms(const Server& server);

// Takes the terminals' rights from a configuration.
void take_terminals(Server& server, const Config& config);

// Ends a session in any phase, from outside of its steps.
void end_from_outside(Server& server, uint32_t index, const char* reason);

// Begins to stop; the sessions are stepped by serve_commit_queue.
void begin_stop(Server& server, const char* reason);
