#include "sim/house.h"

#include <stdlib.h>
#include <string.h>

#include <vector>

#include "base/check.h"
#include "port/posix/store_seed.h"
#include "port/sim/kernel.h"
#include "port/sim/world.h"
#include "server_limits.h"

namespace {

struct House {
    Server* server;
    Server measured;
    Book* other;
    uint8_t* memory;
    uint64_t memory_size;
    uint8_t* other_memory;
    uint64_t other_size;
    uint8_t* password_memory;
    uint64_t password_size;
    Store store;
    uint8_t window[batch_size_max];
    uint8_t said[512];
    uint64_t wall_ms;
};

House house;

Config house_config() {
    Config config = {};
    sim_world_config(config);  // The same limits, so that a world's book is at home here.
    config.sessions = 1;       // Nobody comes.
    config.handshakes = 1;
    config.buffers = 1;
    config.groups = 1;
    config.reads = 1;
    config.hashes = 1;
    config.listener_count = 0;
    return config;
}

LedgerLimits house_limits() {
    return server_limits_of(house_config());
}

// Zeroed memory that stays where it is from one use to the next.
uint8_t* ready(uint8_t*& memory, uint64_t& size, uint64_t wanted) {
    if (memory != nullptr && size == wanted) {
        memset(memory, 0, size);
        return memory;
    }
    free(memory);
    memory = static_cast<uint8_t*>(aligned_alloc(arena_align, (wanted + arena_align - 1) /
                                                                  arena_align * arena_align));
    CHECK(memory != nullptr);
    memset(memory, 0, wanted);
    size = wanted;
    return memory;
}

void lay_out_server(Arena& arena) {
    static const Config config = house_config();
    house.server = arena_array<Server>(arena, "server", 1);
    server_layout(house.server == nullptr ? house.measured : *house.server, arena, config);
}

void lay_out_book(Arena& arena) {
    static Book measured;
    house.other = arena_array<Book>(arena, "book", 1);
    book_layout(house.other == nullptr ? measured : *house.other, arena, house_limits());
}

void lay_out(void (*with)(Arena& arena), uint8_t*& memory, uint64_t& size) {
    Arena measured = {};
    with(measured);
    Arena arena = {};
    arena.base = ready(memory, size, measured.used);
    arena.size = measured.used;
    with(arena);
}

uint8_t* reserve_for_passwords(uint64_t size) {
    return ready(house.password_memory, house.password_size, size);
}

void tell_time(Server& server) { server_clock(server, 1000, house.wall_ms * 1000, 0); }

std::string said(const Writer& error) {
    return std::string(reinterpret_cast<const char*>(error.data), error.size);
}

}  // namespace

Name house_name(const std::string& text) {
    Name name = {};
    const Slice slice = slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
    CHECK(parse_name(slice, name) == Status::ok);
    return name;
}

PasswordRecord house_password() {
    static constexpr char phc[] = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo";
    PasswordRecord record = {};
    memcpy(record.text, phc, sizeof phc - 1);
    record.size = sizeof phc - 1;
    return record;
}

bool house_make(uint64_t seed, const HousePerson* people, uint32_t count, std::string& why) {
    house_leave();
    sim_disk_init(seed);
    sim_kernel_seed(sim_random_of(seed, SimStream::secrets));
    std::vector<SeedPerson> persons;
    for (uint32_t i = 0; i < count; i++) {
        persons.push_back(
            {house_name(people[i].name), Role::customer, house_password(), people[i].deposit});
    }
    SeedBook book = {};
    book.currency = "EUR";
    book.scale = 2;
    book.limits = house_limits();
    book.segment_size = house_segment_size;
    book.wall_ms = house_wall_ms;
    book.people = persons.data();
    book.person_count = count;
    Writer error = writer_of(house.said, sizeof house.said);
    Hash digest = {};
    Status status = store_open(house.store, sim_disk_calls, house_dir, StoreMode::create, error);
    if (status == Status::ok) {
        status = store_seed(house.store, book, {&house_other_book(), house.window}, digest, error);
        store_close(house.store);
    }
    why = said(error);
    return status == Status::ok;
}

bool house_start(uint64_t wall_ms, std::string& why) {
    house.wall_ms = wall_ms;
    lay_out(lay_out_server, house.memory, house.memory_size);
    server_init(*house.server, house.memory_size);
    const StartPlan plan = {.calls = &sim_disk_calls,
                            .dir = house_dir,
                            .window = house.window,
                            .progress = {nullptr, nullptr},
                            .reserve = reserve_for_passwords,
                            .tell_time = tell_time};
    Writer error = writer_of(house.said, sizeof house.said);
    if (start_book(*house.server, house.store, plan, error) == Status::ok) return true;
    why = said(error);
    return false;
}

Server& house_server() { return *house.server; }
Book& house_book() { return house.server->book; }
Store& house_store() { return house.store; }
uint8_t* house_window() { return house.window; }

void house_leave() { house.store = {}; }

void house_close() { store_close(house.store); }

bool house_make_segment(std::string& why) {
    Log& log = house_book().log;
    if (!log_wants_segment(log)) return true;
    Writer error = writer_of(house.said, sizeof house.said);
    const uint32_t segment = log.segment + 1;
    const Status status = store_segment_make(house.store, segment, house_segment_size, error);
    why = said(error);
    if (status != Status::ok) return false;
    uint64_t salt = 0;
    CHECK(port_random(reinterpret_cast<uint8_t*>(&salt), sizeof salt));
    log_segment_made(log, segment, house_segment_size, salt);
    return true;
}

bool house_commit(HouseEach each, void* context) {
    Book& book = house_book();
    LogWrite write;
    if (!book_write_next(book, write)) return false;
    book_write_done(book, store_write(house.store, write));
    BookDone done;
    while (book_commit_next(book, done)) {
        if (each != nullptr) each(context, done);
    }
    return true;
}

Hash house_digest(Book& book) {
    static uint8_t bytes[65536];
    book_snapshot_begin(book);
    Writer out = writer_of(bytes, sizeof bytes);
    while (!snapshot_is_done(book.snapshot)) {
        out.size = 0;
        const Status step = snapshot_step(book.snapshot, book.ledger, out, 1024);
        CHECK(step == Status::ok || step == Status::end);
    }
    out.size = 0;
    const Hash digest = manifest_format(book.snapshot, book.ledger, out);
    snapshot_end(book.snapshot, book.ledger);
    return digest;
}

Book& house_other_book() {
    lay_out(lay_out_book, house.other_memory, house.other_size);
    return *house.other;
}
