// server.h - the whole server as one value: every pool, every session, the book; told bytes and
// time, answering with bytes and wishes.
//
// This is the only file of src/ that knows all the rooms. It opens no socket and no file, and reads
// no clock: the port calls in, and after each call carries out what is wished.
//
//     port event                         call                            what to carry out after
//     a client connected                 server_accept                   server_next_dirty …
//     its socket can be read             server_read_room, server_received
//     bytes went out                     server_sent
//     the end of a loop's turn           server_write_take               one write for the journal
//     that write is durable, or not      server_write_done
//     anything                           server_wish_take                work for other threads
//     such work is done                  server_wish_done
//     SIGHUP came                        server_reload
//     time passed                        server_tick
//
//   Z1. Nothing here re-enters: a call does what it can and returns.
//   Z2. Everything is reserved by server_layout; after server_start nothing is taken any more (P5).
//   Z3. A session that a worker has is not touched until server_wish_done (session.h, N4).
//   Z4. At most `handshakes` sessions are in their handshake; one source holds at most half of the
//       slots while others wait.
//   Z5. At most `strangers-per-source` sessions of one source, and never more than half of all,
//       have nobody logged in; one more is closed at once. `login-ms` and `handshake-ms` bound how
//       long each stays, and a failed login makes it no longer once its penalties refuse.
//   Z6. The laboratory takes at most `lab-sessions` sessions and one worker, and that one only when
//       nobody else wants it; for as long as it takes to open what one read brought and to seal
//       what it is answered with.
//   Z7. Certificates, keys, CAs, CRLs and terminals change together or not at all. What a worker
//       reads anew is another generation than the one that is in use, until the loop takes it.
//   Z8. Behind that, whoever the new generation would not let in has begun to end; all others have
//       gone over to it, but for handshakes, which have reload_ms to be through. Then the old one
//       is given back.
//   Z9. One job of ENROL or RENEW at a time, beside no receipt and no message: whoever comes
//       meanwhile waits for it.
//
//     reload:  none ──► wished ──► reading ──┬── ok: taken ──► draining ──► none
//               ▲                            └── it cannot be ──────────────┐
//               └────────────────────────────────────────────────────────────┘
#pragma once

#include "access/expiry.h"
#include "base/heap.h"
#include "base/pool.h"
#include "base/ring.h"
#include "channel/lab/lab.h"
#include "channel/tls.h"
#include "config.h"
#include "crypto/message.h"
#include "session.h"

inline constexpr uint32_t snapshot_chunk_size = 65536;  // bytes of one write of a checkpoint
inline constexpr uint32_t snapshot_rows_per_turn = 256;
inline constexpr uint32_t linger_ms = 2000;        // to let the peer read the last bytes
inline constexpr uint32_t unfinished_ms_min = 1000;  // a request that may be given up for others
inline constexpr uint32_t closing_batch_ms = 1000;  // without requests
inline constexpr uint32_t reload_ms = 1000;  // for handshakes that a reload came upon (Z8)
inline constexpr uint32_t generation_count = 2;
inline constexpr uint32_t penalties_save_ms = 10'000;  // from one writing of them to the next
inline constexpr uint32_t penalties_text_size = 16384;  // bytes of one write of them
inline constexpr uint32_t penalties_rows_per_turn = 4096;

// Work for another thread. The port keeps the Wish until it calls server_wish_done with it.
enum class WishKind : uint8_t {
    channel,            // server_wish_run: a handshake, or the records of a slow channel
    hash,               // server_wish_run
    enrol,              // read the files of `enrol`, then server_wish_run, then write them
    key,                // server_wish_run: sign a receipt or judge its signature, answer a message
    read,               // read `size` bytes of a segment into `memory`; set `size` to what was read
    sensor,             // read all of the file `path` into `memory`, as sensor_read_done has it
    segment,            // make segment `number` of `size` bytes and set `salt`
    checkpoint_begin,   // make the folder of checkpoint `number`
    checkpoint_append,  // append `memory`, `size` to table `table`
    checkpoint_finish,  // write the manifest in `memory`, `size`, and switch
    penalties,          // put `memory`, `size` at offset `number` of the text beside the one there
                        // is; with `table` 1 that was all of it: switch
    reload,             // read the configuration into reload.config and its files into generation
                        // `number`, as before the start; `memory`, `size` is for why that failed
};

inline constexpr uint32_t wish_kind_count = static_cast<uint32_t>(WishKind::reload) + 1;

struct Wish {
    WishKind kind;
    uint32_t slot;      // of the session or job
    uint32_t number;
    uint32_t table;
    Position position;  // read
    const char* path;   // sensor
    EnrolJob* enrol;
    uint8_t* memory;
    uint32_t size;      // bytes
    uint64_t salt;
    Status outcome;
};

// One generation of what the listeners of TLS have (Z7).
struct Generation {
    TlsConfig tls[listeners_max];
};

enum class ReloadStep : uint8_t { none, wished, reading, draining };

// A reload in progress.
struct ReloadJob {
    ReloadStep step;
    BookTag asker;        // the session that waits; none for SIGHUP
    bool again;           // one more is to follow
    BookTag again_asker;
    uint32_t generation;  // to be filled; when draining, to be given back
    uint64_t taken_ms;
    Config config;        // as it was read anew
    uint8_t text[config_error_size_max];
};

enum class SnapshotUse : uint8_t { none, checkpoint, digest };
enum class SnapshotStep : uint8_t { begin, rows, append, finish };

// A checkpoint or a digest in progress.
struct SnapshotJob {
    SnapshotUse use;
    SnapshotStep step;
    bool working;          // a wish is out
    BookTag asker;         // the session that waits; none for the server's own
    uint32_t number;       // of the checkpoint
    Writer chunk;
    uint32_t chunk_table;
    Hash digest;
    uint8_t* memory;       // snapshot_chunk_size bytes
};

// The text of penalties, on its way to data/penalties. A failure is told once and tried again.
struct PenaltiesJob {
    PenaltiesSave save;
    bool begun;
    bool ready;             // `text` is to be written
    bool working;           // a wish is out
    bool last;              // the one of the stop has begun
    bool failed;            // the newest could not be written
    uint32_t offset;        // bytes written
    uint64_t begun_ms;
    uint64_t changes;       // of the penalties, that the text on disk has
    Writer text;
};

// The server's own key for messages, which a worker uses.
struct ServerMessages {
    bool is_there;
    JoseKey key;              // its public part
    uint32_t pem_size;        // bytes
    uint8_t* pem;             // jose_key_pem_size_max bytes; nullptr when no key is configured
    MessageScratch* scratch;  // clear texts, of one message at a time
};

// The authority of the server's own that signs terminals, which a worker uses.
struct ServerIssuer {
    uint64_t not_after_ms;
    uint32_t certificate_size;  // bytes; 0 where the operator signs
    uint32_t key_size;
    uint8_t certificate[certificate_pem_size_max];
    uint8_t key[certificate_key_pem_size_max];
};

// The one job of ENROL and RENEW.
enum class EnrolStep : uint8_t { none, wished, running };

struct ServerEnrol {
    EnrolStep step;
    uint32_t owner;             // session
    EnrolJob* job;
    uint32_t generation;        // whose CA and signer the job uses
    ServerIssuer* issuers;      // by generation; nullptr where the operator signs
};

enum class ServerPhase : uint8_t {
    running,
    ending_sessions,
    closing_book,
    checkpointing,
    saving_penalties,
    stopped,
};

struct Server {
    Config config;
    ServerPhase phase;
    Book book;
    Archived archived;        // set by the port before server_start
    Access access;
    Penalties penalties;             // filled by the port before server_start
    Service service;
    Heap heap;                       // of the library of cryptography
    Generation generations[generation_count];
    uint32_t generation;             // the one in use
    ReloadJob reload;
    Expiry expiry;
    uint64_t expiry_told_ms;         // when it was last asked
    LabConfig* lab;                  // by listener, where there is one of the laboratory
    ServerMessages messages;
    ServerEnrol enrol;
    PasswordArena password_arena;    // a mapping of the port's own
    Pool<Session> sessions;
    Pool<SessionBuffers> buffers;
    Pool<HashJob> hashes;
    Pool<ReadJob> reads;
    Pool<Group> groups;
    Pool<LabMemory> labs;            // of sessions of the laboratory
    Ring<uint32_t> hash_queue;       // jobs waiting for the one arena
    Ring<uint32_t> dirty;            // sessions for which the port may have something to do
    Ring<uint32_t> handshake_queue;  // sessions whose handshake step wants a worker
    Ring<uint32_t> lab_queue;        // the same of the laboratory: it waits for all others
    Ring<uint32_t> read_queue;       // jobs that want a read
    Ring<uint32_t> key_queue;        // jobs that want a step with the server's key
    Ring<uint32_t> slot_queue;       // sessions whose bytes wait for a handshake slot or buffers
    Ring<uint32_t> commit_queue;     // sessions to step after the next commit or freed job
    uint8_t* queued;                 // by session: in which of the three queues it stands
    uint32_t* hash_owner;            // session, by password job
    uint32_t* read_owner;       // session, by read
    uint32_t hash_running;           // job, or pool_none
    uint32_t key_running;            // job, or pool_none; the library has memory for one
    uint32_t key_generation;         // whose key that job uses
    uint32_t lab_running;            // session, or pool_none; likewise
    uint32_t handshakes;             // sessions in phase handshake
    bool wake;                       // commit_queue is to be served before this call returns
    bool segment_wished;
    uint64_t segment_retry_ms;       // not before
    SnapshotJob snapshot;
    PenaltiesJob penalties_job;
    uint64_t penalties_counted_ms;   // for INFO
    uint32_t checkpoint_number;      // of the newest checkpoint
    uint64_t checkpoint_ms;          // when it was made
    bool limits_noted;               // the journal has those in force, or its next batch will
    uint64_t closed_batch;           // sequence of the newest closing batch
    uint64_t commit_ms;              // when the newest batch became durable
    uint64_t session_count;          // ever
    uint64_t started_ms;
    uint64_t now_ms;                 // monotonic
    uint64_t wall_us;                // since 1970 UTC
};

// Takes every pool from the arena; measures when the arena has no memory.
void server_layout(Server& server, Arena& arena, const Config& config);

// Readies pools and rooms after layout. crypto_init has been called. The TLS files of each listener
// are loaded by server_load_tls into generation 0; the book is filled and opened by the port.
void server_init(Server& server, uint64_t memory_reserved);

// The cost of the dearest password record in the book, or of a new one if that is dearer.
PasswordCost server_password_cost(const Server& server);

// Hands in scratch memory for hashes of that cost.
void server_set_password_arena(Server& server, const PasswordArena& arena);

// Loads certificate, key, CA and CRL of a listener into a generation that is not in use, or before
// the start. Returns as tls_config_load.
Status server_load_tls(Server& server, uint32_t generation, uint32_t listener,
                       const TlsFiles& files, const char*& reason);

// Loads what a listener of the laboratory has; a key is made where there is none. Returns as
// lab_config_load.
Status server_load_lab(Server& server, uint32_t listener, const LabFiles& files,
                       const char*& reason);

// Takes the private key that [server] message-key names; the caller wipes its own copy. Returns
// invalid for a text that is no RSA key of 3072 bits, failed without memory.
Status server_load_message_key(Server& server, Slice pem);

// Takes the authority that [server] issuing-certificate and issuing-key name; the caller wipes its
// own copy of the key. The listeners of that generation have been loaded. Returns ok; invalid, with
// a literal as `reason`.
Status server_load_issuer(Server& server, uint32_t generation, Slice certificate, Slice key,
                          const char*& reason);

// The book is open and segment `next_segment` (0: none) waits behind the present one. Limits that
// the journal does not know yet are noted now, or as soon as clock and disk let it be.
void server_start(Server& server, uint32_t checkpoint_number);

// Tells the time, and how far local time is from UTC, in seconds east; before every other call of
// one turn of the loop.
void server_clock(Server& server, uint64_t now_ms, uint64_t wall_us, int32_t utc_offset_s);

// A client connected. Returns its session, or pool_none when not even one to refuse with is free.
// It speaks what its listener says, unless the port opens a channel of its own for it before its
// first bytes.
uint32_t server_accept(Server& server, uint32_t listener);

// Says where the client is: "ADDRESS:PORT", an IPv6 address in brackets. Its source follows from
// that, and it may be closed at once for that (Z5).
void server_set_address(Server& server, uint32_t session, const char* address);
bool server_can_accept(const Server& server);

// Where the next bytes of this session's peer go; nullptr when none can be taken now.
uint8_t* server_read_room(Server& server, uint32_t session, uint32_t& size);
void server_received(Server& server, uint32_t session, uint32_t size);
void server_peer_closed(Server& server, uint32_t session, const char* reason);

// What the port should do for one session now.
struct SessionPlan {
    Slice out;     // bytes to send; stay until server_sent
    bool read;     // read from the peer
    bool close;    // all is sent: half-close, linger, close, then server_closed
    bool cut;      // close at once, whatever was not sent
};

// Takes the next session that something changed for; false when there is none.
bool server_next_dirty(Server& server, uint32_t& session);
SessionPlan server_plan(const Server& server, uint32_t session);
void server_sent(Server& server, uint32_t session, uint32_t size);
void server_closed(Server& server, uint32_t session);

// The journal's write, when a batch is ready and none is out.
bool server_write_take(Server& server, LogWrite& out);
void server_write_done(Server& server, Status outcome);

// Work for worker threads.
bool server_wish_take(Server& server, Wish& out);
void server_wish_run(Server& server, Wish& wish);  // on a worker: channel, hash, key, enrol
void server_wish_done(Server& server, const Wish& wish);

// True when the password arena's pages can be given back: no hash runs or waits.
bool server_password_arena_is_idle(const Server& server);

// What passes with time alone; to be called every server_tick_ms, and in every turn of the loop
// while server_is_hurried (rows of a checkpoint are being formatted, or the server stops).
inline constexpr uint32_t server_tick_ms = 100;
void server_tick(Server& server);
bool server_is_hurried(const Server& server);

// Begins to read certificates, keys, CAs, CRLs and terminals anew; what came of it is logged.
void server_reload(Server& server);

// Begins to stop: sessions end after their pending replies, the book is closed and checkpointed.
void server_stop(Server& server, const char* reason);
bool server_is_stopped(const Server& server);
