// service.h - from the words of one command to its reply, or to what must happen first.
//
// The service knows commands, rights and the book; it knows no socket, session or file. A session
// hands it one parsed request together with who is asking, and gets back what to do next:
//
//     service_execute ──► replied    the reply is in `reply`
//                     ──► proposed   an entry waits for its commit; service_committed answers
//                     ──► hashing    `hash` is filled; service_hashed goes on when it was run
//                     ──► reading    `read` is begun; service_read_done goes on when it has ended
//                     ──► snapshot   a checkpoint, digest or reload; the server answers when it is
//                                    made
//                     ──► waiting    ask again with the same request after the next commit, or when
//                                    the sensor has answered
//
//   S1. Every refusal is a row's or a named rule's; a command that has no row gets Redis's text.
//   S2. Rights are checked before arguments, and again when a worker returns (P6).
//   S3. A laboratory caller reaches only rows marked lab, one of a listener of channel `enrol` only
//       rows marked stranger, and one whose certificate has expired only rows marked expired; that
//       is checked before anything else (P9).
//   S4. Between MULTI and EXEC only commands that move money are queued; anything else that is
//       refused breaks the group, and EXEC then books nothing.
//   S5. Passwords and PINs live in a HashJob only, and it is wiped by service_hashed on every path.
//   S6. A movement that needs a PIN is proposed, or queued, only behind a right one; the PIN itself
//       is no part of it.
//   S7. No password is looked at while a penalty holds: neither when it comes, nor when its turn at
//       a worker has come behind others. Wrong, unknown and too often get the same answer.
//   S8. Whose password is a first one reaches only rows marked `first` or `expired`, PASSWD
//       among them, however the login came about; and another one than that must follow it.
#pragma once

#include "access/access.h"
#include "access/expiry.h"
#include "access/penalties.h"
#include "book.h"
#include "crypto/password.h"
#include "journal/archived.h"
#include "service/enrol.h"
#include "service/reading.h"
#include "service/sensor.h"
#include "wire/reply.h"
#include "wire/request.h"

// Who is asking: what the channel authenticated and who logged in.
struct Caller {
    bool lab;
    bool enrol;            // without a certificate, to get one (enrol.h)
    bool renew_only;       // the certificate has expired, and is let in to be renewed
    uint8_t enrol_tries;   // that were refused
    bool wants_close;      // set by QUIT
    bool in_group;         // between MULTI and EXEC
    bool group_refused;    // the same, of a MULTI that found no room: nothing is booked
    uint8_t protocol;      // 2 or 3
    uint32_t person;       // row, or row_none before login
    uint32_t version;      // of the person's record at login; a moved one ends the login
    uint64_t number;       // of the session, for people and logs
    Name terminal;         // from the certificate
    uint32_t rights;       // index of what may be done from there (access.h)
    Name client_name;      // from HELLO … SETNAME; size 0 for none
    NetAddress source;     // of the peer, as net_source_of has it
    bool is_exempt;        // that source is on the list
};

enum class ServiceNext : uint8_t {
    replied,
    proposed,
    hashing,
    reading,
    enrolling,
    checkpoint,
    digest,
    reload,
    shutdown,
    waiting,
};

struct Password {
    uint8_t size;
    uint8_t bytes[password_size_max];
};

enum class HashPurpose : uint8_t {
    login,
    hello,
    add_person,     // REGISTER
    add_user,       // USER ADD
    set_password,   // PASSWD
    user_password,  // USER PASSWD
    set_pin,        // PIN SET
    move,           // the PIN of a movement
};

// One password to hash or to verify, on a worker, in a slot of its own.
struct HashJob {
    HashPurpose purpose;
    uint8_t protocol;         // asked for by HELLO
    bool has_known;           // `known` is the record of an existing person
    bool guesses;             // `attempt` is set: a wrong password is held against somebody
    Attempt attempt;
    bool is_counted;          // a wrong PIN has been counted
    uint32_t person;
    uint32_t version;         // of the record that was copied into `known`
    Name name;
    Name client_name;         // asked for by HELLO
    PasswordRecord known;
    PasswordRecord known_pin;  // set_pin: the present one; size 0 for none
    Password password;        // what must match `known`, or the first password
    Password fresh;           // the new password or PIN
    PasswordRecord made;      // the new record; login, hello: size 0 unless `known` is wrapped
    Role role;                // add_user
    PasswordTerm term;        // add_user, user_password: of the new record
    PasswordTerm known_term;  // user_password: of the present one
    BookMove move;            // move: what goes on when the PIN is right
    Status outcome;           // ok, wrongpass, replayed (the new one holds already), failed, or
                              // busy: a penalty came between, and nothing was hashed
};

// Commands that are queued between MULTI and EXEC, in a slot of its own.
struct Group {
    uint32_t person;
    uint32_t count;
    bool broken;  // something was refused; EXEC books nothing
    BookMove moves[group_moves_max];
};

// Figures for INFO that only the server knows.
struct ServiceStats {
    uint64_t uptime_s;
    uint64_t connections;         // accepted since start
    uint64_t commands;
    uint64_t rejected_sessions;   // for want of a slot
    uint64_t handshakes_failed;
    uint64_t logins_failed;       // wrong passwords
    uint64_t logins_refused;      // while a penalty held
    uint64_t strangers_refused;   // connections, for want of logins from their source
    uint32_t penalties_in_force;  // rows that make somebody wait, as of the last second
    uint64_t batches;             // committed since start
    uint64_t batch_entries;
    uint64_t snapshots;
    uint32_t sessions;
    uint32_t sessions_max;
    uint32_t port;                // of the first TLS listener
    uint64_t memory_reserved;     // bytes
    uint64_t reloads;             // that were taken, since start
    uint64_t reloads_failed;
};

// Receipts of this server's own that its book does not bear out.
struct ReceiptAlarms {
    uint64_t count;         // since start
    uint64_t entry_newest;  // the highest entry that such a receipt named; 0 for none
    uint64_t entry;         // which the last one named
    const char* what;       // a literal: what became of the book, for the log
};

struct Service {
    Book* book;
    Access* access;
    Penalties* penalties;
    const Expiry* expiry;
    Attempt guess;                // the newest that failed or was refused, for the log
    ReceiptAlarms alarms;
    const Archived* archived;     // which segments lie elsewhere
    const char* version;          // of the program, for HELLO and INFO; the owner's
    const char* message;          // what TELL is answered with; the owner's
    const JoseKey* message_key;   // of the server itself; nullptr for none; the owner's
    Sensor sensor;
    Renewals renewals;
    PasswordCost cost;            // of new records
    PasswordCost cost_nobody;     // of a name that nobody has: the dearest record there is
    ServiceStats stats;           // refreshed by the server before INFO is answered
};

// One request on its way. The pointers are the caller's.
struct ServiceCall {
    const Request* request;
    Caller* caller;
    Reply reply;
    BookTag tag;
    uint64_t wall_ms;
    uint64_t wall_us;         // for TIME
    uint64_t now_ms;          // monotonic
    bool alone;               // no earlier request of this session waits for its commit
    HashJob* hash;            // nullptr when none is free
    ReadJob* read;            // nullptr when none is free
    EnrolJob* enrol;          // nullptr while it is not free
    Group* group;             // the one of this session; in MULTI, nullptr when none is free
    Slice pin;                // given behind a movement; size 0 for none
    bool pin_verified;        // and found right
};

// Which file of service/ a command belongs to.
enum class CommandGroup : uint8_t { connection, identity, bank, orders, messages, info, admin };
using CommandPhase = AccessPhase;

inline constexpr uint8_t command_none = 0;
inline constexpr uint8_t command_lab = 1;
inline constexpr uint8_t command_money = 2;
inline constexpr uint8_t command_steer = 4;
inline constexpr uint8_t command_stranger = 8;
inline constexpr uint8_t command_expired = 16;
inline constexpr uint8_t command_first = 32;
inline constexpr uint8_t command_leave =
    command_lab | command_steer | command_stranger | command_expired;
inline constexpr uint8_t command_lab_first = command_lab | command_first;
inline constexpr uint8_t command_lab_steer_first = command_lab_first | command_steer;

struct CommandRow {
    const char* name;
    uint8_t words_min;
    uint8_t words_max;
    CommandPhase phase;
    RoleSet roles;
    uint8_t flags;
    CommandGroup group;
    const char* usage;
    const char* summary;
    ServiceNext (*handler)(Service& service, ServiceCall& call);
};

uint32_t command_count();
const CommandRow& command_row(uint32_t index);
const char* command_group_name(CommandGroup group);

// The row whose name is this word in any case; nullptr when there is none.
const CommandRow* command_find(Slice word);

// Executes one request that has at least one word.
ServiceNext service_execute(Service& service, ServiceCall& call);

// Logs in the person whom the terminal's certificate names, if there is one who may log in.
void service_login_by_certificate(const Service& service, Caller& caller);

// Writes the reply to a proposal whose fate is known.
void service_committed(Service& service, Caller& caller, Reply& reply, const BookDone& done,
                       uint64_t now_ms);

// Runs a job on a worker; touches nothing but the job and the arena, and reads the costs.
void service_hash_run(const Service& service, HashJob& job, PasswordArena& arena);

// Says whether the job may still be run when its turn has come: ok, or busy (S7).
Status service_hash_judge(const Service& service, const HashJob& job, uint64_t now_ms,
                          uint64_t wall_ms);

// Nobody waits for what the job came to. A wrong password counts all the same.
void service_hash_dropped(Service& service, const HashJob& job, uint64_t now_ms, uint64_t wall_ms);

// Goes on after a job was run: replied, proposed, reading, hashing (the same job is to be run once
// more) or waiting (call again with the same job after the next commit). The job is wiped unless it
// goes on (S5).
ServiceNext service_hashed(Service& service, ServiceCall& call);

// Goes on after a read has ended: replied, proposed, reading (another read has begun in the same
// job) or waiting (call again with the same job after the next commit).
ServiceNext service_read_done(Service& service, ServiceCall& call);

// Counts and logs what the job of ENROL or RENEW came to, whether anybody waits for it or not.
void service_enrol_settle(Service& service, const ServiceCall& call);

// Goes on after that: replied.
ServiceNext service_enrolled(Service& service, ServiceCall& call);

// The replies to CHECKPOINT and DIGEST.
void service_snapshot_done(ServiceCall& call, bool was_checkpoint, Status outcome,
                           const Hash& digest, uint64_t entry);

// The reply to RELOAD. `why` says what was wrong, where the outcome is not ok.
void service_reload_done(ServiceCall& call, Status outcome, Slice why);
