#include "port/sim/world.h"

#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "port/posix/start.h"
#include "port/posix/store_seed.h"
#include "port/sim/kernel.h"
#include "port/sim/world_parts.h"
#include "server_limits.h"

SimWorld sim_world;

namespace {

constexpr uint64_t tick_us = server_tick_ms * 1000;
constexpr uint64_t turn_us = 100;  // what a turn of a hurried loop takes
constexpr uint64_t stop_us_max = 3'600'000'000;  // simulated time that a stop may take
constexpr uint64_t run_us_max = 86'400'000'000;  // where nobody says until when
constexpr uint32_t people_max = 32;

Writer refusal_writer() {
    return writer_of(reinterpret_cast<uint8_t*>(sim_world.refusal), sizeof sim_world.refusal - 1);
}

void end_text(const Writer& text) { text.data[text.size] = 0; }

// --- Memory. ---

// Gives zeroed memory; the mapping is kept and only grows.
uint8_t* reserve(uint64_t size) {
    SimWorld& world = sim_world;
    if (size > world.memory_size) {
        if (world.memory != nullptr) munmap(world.memory, static_cast<size_t>(world.memory_size));
        void* memory = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED);
        world.memory = static_cast<uint8_t*>(memory);
        world.memory_size = size;
    } else {
        memset(world.memory, 0, static_cast<size_t>(world.memory_used));
    }
    world.memory_used = size;
    return world.memory;
}

uint8_t* reserve_for_passwords(uint64_t size) {
    return size <= sizeof sim_world.password_memory ? sim_world.password_memory : nullptr;
}

void lay_out(Arena& arena) {
    static Server measured;
    sim_world.server = arena_array<Server>(arena, "server", 1);
    Server& server = sim_world.server == nullptr ? measured : *sim_world.server;
    server_layout(server, arena, sim_world.config);
}

void reserve_server() {
    Arena measured = {};
    lay_out(measured);
    Arena arena = {};
    arena.base = reserve(measured.used);
    arena.size = measured.used;
    lay_out(arena);
    arena_seal(arena);
    server_init(*sim_world.server, measured.used);
    sim_world.server->service.version = "simulated";  // A run is the same at each commit.
}

// --- The bank at the beginning. ---

Status hash_password(const SimPerson& person, SeedPerson& out) {
    const Config& config = sim_world.config;
    const PasswordCost cost = {config.password_memory_kib, config.password_passes};
    PasswordArena arena = {sim_world.password_memory, sizeof sim_world.password_memory, 0};
    Writer phc = writer_of(reinterpret_cast<uint8_t*>(out.password.text),
                           sizeof out.password.text);
    const Status status = password_hash(arena, cost, slice_of(person.password), phc);
    out.password.size = static_cast<uint8_t>(phc.size);
    return status;
}

uint32_t choose_people(SeedPerson out[people_max]) {
    const SimWorldPlan& plan = sim_world.plan;
    const SimPerson* people = plan.people == nullptr ? &sim_admin : plan.people;
    const uint32_t count = plan.people == nullptr ? 1 : plan.person_count;
    CHECK(count <= people_max);
    for (uint32_t i = 0; i < count; i++) {
        Status status = parse_name(slice_of(people[i].name), out[i].name);
        CHECK(status == Status::ok);
        status = parse_role(slice_of(people[i].role), out[i].role);
        CHECK(status == Status::ok);
        status = hash_password(people[i], out[i]);
        CHECK(status == Status::ok);
        out[i].deposit = people[i].deposit;
    }
    return count;
}

void lay_out_book(Book& book, Arena& arena, const LedgerLimits& limits) {
    book = {};
    book_layout(book, arena, limits);
}

Status make_bank() {
    static Book book;
    const Config& config = sim_world.config;
    SeedPerson people[people_max] = {};
    SeedBook seed = {};
    seed.currency = config.currency;
    seed.scale = static_cast<uint8_t>(config.scale);
    seed.limits = server_limits_of(config);
    seed.segment_size = config.segment_size_kib * 1024;
    seed.wall_ms = sim_world_wall_us() / 1000;
    seed.people = people;
    seed.person_count = choose_people(people);
    Arena arena = {};
    lay_out_book(book, arena, seed.limits);
    const uint64_t size = arena.used;
    arena = {};
    arena.base = reserve(size);
    arena.size = size;
    lay_out_book(book, arena, seed.limits);
    Writer error = refusal_writer();
    Store& store = sim_world.store;
    Status status = store_open(store, sim_disk_calls, sim_data_dir, StoreMode::create, error);
    if (status == Status::ok) {
        Hash digest = {};
        status = store_seed(store, seed, {&book, sim_world.window}, digest, error);
        store_close(store);
    }
    end_text(error);
    return status == Status::ok ? status : Status::failed;
}

// --- Time. ---

// When the text of penalties is to be written anew; UINT64_MAX: it need not be.
uint64_t penalties_due_ms() {
    const Server& server = *sim_world.server;
    const PenaltiesJob& job = server.penalties_job;
    const bool is_old = job.changes != server.penalties.changes;
    if (!is_old || job.begun || server.book.log.blocked == LogBlock::read_only) return UINT64_MAX;
    return job.begun_ms + penalties_save_ms;
}

// What the server does with time alone must be asked for at each tick.
bool ticks_count() {
    const Server& server = *sim_world.server;
    const Log& log = server.book.log;
    const bool open_end = log_is_idle(log) && log.blocked == LogBlock::none &&
                          log.batch_durable != server.closed_batch;
    const bool wants_segment = log_wants_segment(log) && !server.segment_wished;
    const bool saves = server.penalties_job.begun && !server.penalties_job.working;
    return sim_world.stopping || server.phase != ServerPhase::running ||
           server.snapshot.use != SnapshotUse::none || server.slot_queue.count > 0 || open_end ||
           wants_segment || saves || !server.limits_noted;
}

// When time alone will matter next; UINT64_MAX: never.
uint64_t deadline_us() {
    const Server& server = *sim_world.server;
    uint64_t first_us = sim_session_linger_us();
    uint64_t first_ms = UINT64_MAX;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (!pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        if (session.phase == SessionPhase::ending) return sim_world.now_us;
        if (session.deadline_ms < first_ms) first_ms = session.deadline_ms;
        const uint64_t since_ms = session.request_since_ms;
        if (since_ms != 0 && since_ms + server.config.request_ms < first_ms) {
            first_ms = since_ms + server.config.request_ms;
        }
    }
    if (server.book.entries_since_snapshot > 0 && !log_is_stopped(server.book.log)) {
        const uint64_t due_ms =
            server.checkpoint_ms + uint64_t{server.config.checkpoint_minutes} * 60'000;
        if (due_ms < first_ms) first_ms = due_ms;
    }
    const uint64_t due_ms = penalties_due_ms();
    if (due_ms < first_ms) first_ms = due_ms;
    if (first_ms < UINT64_MAX / 1000 && first_ms * 1000 < first_us) first_us = first_ms * 1000;
    return first_us;
}

// The tick at which something can happen, on the same grid as if all of them were made.
uint64_t next_tick_us() {
    if (ticks_count()) return sim_world.tick_us;
    const uint64_t due_us = deadline_us();
    if (due_us == UINT64_MAX) return UINT64_MAX;
    if (due_us <= sim_world.tick_us) return sim_world.tick_us;
    return sim_world.tick_us + (due_us - sim_world.tick_us + tick_us - 1) / tick_us * tick_us;
}

void tick() {
    sim_world.counts.ticks++;
    sim_world.tick_us = sim_world.now_us + tick_us;
    server_tick(*sim_world.server);
    sim_session_tick();
}

void advance_time(uint64_t to_us) {
    if (to_us <= sim_world.now_us) return;
    sim_world.counts.simulated_us += to_us - sim_world.now_us;
    sim_world.now_us = to_us;
    const uint64_t behind_us = to_us > sim_world.tick_us ? to_us - sim_world.tick_us : 0;
    // Ticks that nothing depended on are not made up for.
    sim_world.tick_us += (behind_us + tick_us - 1) / tick_us * tick_us;
}

// --- The end of a server. ---

void note_leak(const char* what, uint64_t count) {
    Writer text = writer_of(reinterpret_cast<uint8_t*>(sim_world.leak), sizeof sim_world.leak - 1);
    if (sim_world.leak[0] != '\0' || count == 0) return;
    put_text(text, what);
    put_text(text, ": ");
    put_decimal(text, count);
    end_text(text);
}

// The process ends in order: everything must have come back.
void finish_stop() {
    Server& server = *sim_world.server;
    store_close(sim_world.store);
    if (sim_disk_is_cut()) {
        sim_power_gone();
        return;
    }
    sim_world.counts.stops++;
    sim_net_clear(100);
    sim_world.running = false;
    note_leak("descriptors not closed", sim_disk_descriptors());
    note_leak("sessions not given back", server.sessions.taken);
    note_leak("session buffers not given back", server.buffers.taken);
    note_leak("password jobs not given back", server.hashes.taken);
    note_leak("reads not given back", server.reads.taken);
    note_leak("groups not given back", server.groups.taken);
    sim_tls_forget(true);
    const uint64_t bytes = heap_bytes_taken(server.heap);
    note_leak("bytes of the library not given back by sessions",
              bytes > sim_world.heap_before ? bytes - sim_world.heap_before : 0);
    tls_config_free(server.generations[0].tls[0]);
    crypto_free();
    note_leak("bytes of the library not given back", heap_bytes_taken(server.heap));
    sim_world.event_count = 0;
}

// --- The loop. ---

bool is_stopped() {
    return server_is_stopped(*sim_world.server) && !sim_world.writing &&
           sim_world.works_taken == 0;
}

// After each event: what the server wishes, until it wishes nothing more.
void end_turn() {
    if (sim_disk_is_cut()) {
        sim_power_gone();
        return;
    }
    sim_session_drain();
    if (is_stopped()) {
        finish_stop();
        return;
    }
    if (!server_is_hurried(*sim_world.server) || sim_world.turn_waits) return;
    sim_world.turn_waits = true;
    sim_push({.time_us = sim_world.now_us + turn_us, .kind = SimEventKind::turn});
}

void handle(const SimEvent& event) {
    sim_world.counts.events++;
    switch (event.kind) {
        case SimEventKind::connect:
        case SimEventKind::to_server:
        case SimEventKind::to_player:
        case SimEventKind::end_of_player:
        case SimEventKind::end_of_server: sim_net_event(event); return;
        case SimEventKind::timer: event.call(event.context, event.value); return;
        case SimEventKind::turn:
            sim_world.turn_waits = false;
            server_tick(*sim_world.server);
            return;
        case SimEventKind::work_run:
        case SimEventKind::work_done:
        case SimEventKind::write_run:
        case SimEventKind::write_done: sim_work_event(event); return;
    }
}

// One event or one tick. Returns false when nothing is left to do before `until_us`.
bool step(uint64_t until_us) {
    const uint64_t due_us = next_tick_us();
    if (sim_next_us() <= due_us) {
        SimEvent event;
        if (!sim_pop(until_us, event)) return false;
        advance_time(event.time_us);
        sim_tell_time(*sim_world.server);
        handle(event);
    } else {
        if (due_us > until_us) return false;
        advance_time(due_us);
        sim_tell_time(*sim_world.server);
        tick();
    }
    if (sim_world.running) end_turn();
    return true;
}

void forget_run() {
    SimWorld& world = sim_world;
    world.event_count = 0;
    world.turn_waits = false;
    world.stopping = false;
    world.writing = false;
    world.with_session = 0;
    world.works_taken = 0;
    world.works_running = 0;
    memset(world.works, 0, sizeof world.works);
}

Status refuse_start() {
    sim_world.counts.starts_refused++;
    note_leak("descriptors not closed by a refused start",
              sim_disk_is_cut() ? 0 : sim_disk_descriptors());
    tls_config_free(sim_world.server->generations[0].tls[0]);
    crypto_free();
    note_leak("bytes of the library not given back by a refused start",
              heap_bytes_taken(sim_world.server->heap));
    return Status::failed;
}

}  // namespace

void sim_tell_time(Server& server) {
    server_clock(server, sim_world.now_us / 1000, sim_world_wall_us(), 0);
}

void sim_hash_bytes(SimEventKind kind, uint32_t link, Slice bytes) {
    uint8_t head[32];
    Writer out = writer_of(head, sizeof head);
    put_u8(out, static_cast<uint8_t>(kind));
    put_u32(out, link);
    put_u64(out, sim_world.now_us);
    put_u32(out, bytes.size);
    hasher_feed(sim_world.hasher, writer_slice(out));
    hasher_feed(sim_world.hasher, bytes);
}

void sim_power_gone() {
    if (!sim_world.running) return;
    sim_world.running = false;
    sim_world.counts.cuts++;
    forget_run();
    sim_net_clear(50);
    sim_tls_forget(false);
    crypto_free();
}

void sim_world_config(Config& out) {
    config_defaults(out);
    out.threads = 3;
    out.self_service = true;
    out.password_memory_kib = password_memory_kib_floor;
    out.password_passes = 1;
    out.checkpoint_entries = 60;
    out.segment_size_kib = segment_size_min / 1024;
    out.sessions = 16;
    out.handshakes = 4;
    out.buffers = 16;
    out.hashes = 8;
    out.reads = 2;
    out.accounts = 32;
    out.ids = 64;
    out.terminals = 16;
    out.holds = 16;
    out.reversible = 128;
    out.message_keys = 16;
    out.messages = 32;
    out.mailbox = 8;
    out.groups = 4;
    out.penalty_sources = 16;
    out.penalty_pairs = 512;
    out.listener_count = 1;
    ListenerConfig& listener = out.listeners[0];
    memcpy(listener.name, "tls", sizeof "tls");
    memcpy(listener.channel, "tls", sizeof "tls");
    listener.tls_min = 13;
}

void sim_world_set_config(const Config& config) {
    CHECK(!sim_world.running);
    CHECK(config.sessions + config.handshakes <= sim_links_max);
    CHECK(config.threads > 0);
    const uint32_t works_max = config.handshakes + config.reads + 5;
    sim_world.works_max = works_max > sim_works_max ? sim_works_max : works_max;
    sim_world.config = config;
}

void sim_world_set_tls(bool tls) {
    CHECK(!sim_world.running);
    sim_world.plan.tls = tls;
}

Status sim_world_init(const SimWorldPlan& plan, const Config& config) {
    SimWorld& world = sim_world;
    if (world.running) sim_world_cut();
    sim_tls_prepare();
    forget_run();
    world.plan = plan;
    if (world.plan.wall_us == 0) world.plan.wall_us = sim_wall_us;
    sim_world_set_config(config);
    world.counts = {};
    world.random = sim_random_of(plan.seed, SimStream::world);
    world.net = sim_random_of(plan.seed, SimStream::net);
    hasher_init(world.hasher);
    world.now_us = 1'000'000;
    world.jumped_us = 0;
    world.event_number = 0;
    world.work_number = 0;
    world.refusal[0] = world.leak[0] = '\0';
    world.scarce = SimScarce::nothing;
    for (uint32_t i = 0; i < sim_links_max; i++) {
        world.links[i].used = false;
        world.links[i].number = i;
    }
    sim_disk_init(plan.seed);
    sim_kernel_seed(sim_random_of(plan.seed, SimStream::secrets));
    sim_kernel_log_forget();
    return make_bank();
}

void sim_world_free() {
    if (sim_world.running) sim_world_cut();
    sim_disk_free();
    if (sim_world.memory != nullptr) {
        munmap(sim_world.memory, static_cast<size_t>(sim_world.memory_size));
    }
    sim_world.memory = nullptr;
    sim_world.memory_size = sim_world.memory_used = 0;
    sim_net_free();
}

Status sim_world_start() {
    SimWorld& world = sim_world;
    CHECK(!world.running);
    world.counts.starts++;
    world.refusal[0] = world.leak[0] = '\0';
    forget_run();
    reserve_server();
    Server& server = *world.server;
    const Status ready = crypto_init(&server.heap);
    CHECK(ready == Status::ok);
    sim_scarce_begin();
    crypto_clock_set(sim_world_wall_us() / 1000);
    const StartPlan plan = {.calls = &sim_disk_calls,
                            .dir = sim_data_dir,
                            .window = world.window,
                            .progress = {nullptr, nullptr},
                            .reserve = reserve_for_passwords,
                            .tell_time = sim_tell_time};
    Writer error = refusal_writer();
    const char* reason = nullptr;
    Status status = sim_tls_load(server, reason);
    if (status != Status::ok) put_text(error, reason);
    if (status == Status::ok) status = start_book(server, world.store, plan, error);
    end_text(error);
    if (status != Status::ok) return refuse_start();
    if (sim_disk_is_cut()) {
        world.counts.cuts++;
        return refuse_start();
    }
    world.refusal[0] = '\0';
    sim_scarce_book();
    world.heap_before = heap_bytes_taken(server.heap);
    world.running = true;
    world.tick_us = world.now_us + tick_us;
    end_turn();
    return Status::ok;
}

const char* sim_world_refusal() { return sim_world.refusal; }

bool sim_world_run(uint64_t until_us) {
    const uint64_t end_us = until_us == UINT64_MAX ? sim_world.now_us + run_us_max : until_us;
    while (sim_world.running && step(end_us)) continue;
    if (sim_world.running && until_us != UINT64_MAX) advance_time(until_us);
    return sim_world.running;
}

uint64_t sim_world_now_us() { return sim_world.now_us; }
bool sim_world_is_running() { return sim_world.running; }

bool sim_world_stop() {
    if (!sim_world.running) return false;
    const uint64_t stops = sim_world.counts.stops;
    sim_world.stopping = true;
    sim_tell_time(*sim_world.server);
    server_stop(*sim_world.server, "SIGTERM");
    end_turn();
    const uint64_t end_us = sim_world.now_us + stop_us_max;
    while (sim_world.running && step(end_us)) continue;
    CHECK(!sim_world.running);  // A stop that does not end is our own mistake.
    return sim_world.counts.stops > stops;
}

const char* sim_world_leak() { return sim_world.leak[0] == '\0' ? nullptr : sim_world.leak; }

void sim_world_cut() {
    sim_disk_cut();
    sim_power_gone();
}

void sim_world_mount(SimLoss loss) {
    CHECK(!sim_world.running);
    forget_run();
    if (!sim_disk_is_cut()) sim_disk_cut();
    sim_disk_mount(loss);
    uint8_t digest[hash_size];
    sim_disk_digest(digest);
    hasher_feed(sim_world.hasher, {digest, sizeof digest});
}

void sim_world_jump(int64_t wall_us) { sim_world.jumped_us += wall_us; }

uint64_t sim_world_wall_us() {
    const int64_t wall_us =
        static_cast<int64_t>(sim_world.plan.wall_us + sim_world.now_us) + sim_world.jumped_us;
    return wall_us < 0 ? 0 : static_cast<uint64_t>(wall_us);
}

void sim_after(uint64_t delay_us, void (*call)(void* context, uint64_t value), void* context,
               uint64_t value) {
    if (!sim_world.running) return;
    sim_push({.time_us = sim_world.now_us + 1 + delay_us,
              .kind = SimEventKind::timer,
              .value = value,
              .call = call,
              .context = context});
}

Server& sim_world_server() { return *sim_world.server; }
const SimWorldCounts& sim_world_counts() { return sim_world.counts; }

void sim_world_digest(uint8_t out[32]) {
    Hasher copy = sim_world.hasher;
    const Hash hash = hasher_finish(copy);
    memcpy(out, hash.bytes, sizeof hash.bytes);
}
