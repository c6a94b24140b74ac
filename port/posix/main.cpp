// main.cpp - pennyd: reads what the operator wrote, reserves all memory, fills the book, and runs.
//
//     options ─► configuration ─► memory ─► certificates ─► data directory, recovery ─► listeners
//     ─► ready
//
// Each step that fails ends the process with one sentence on standard error that says what, where
// and what to do.

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arguments.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "lab_start.h"
#include "loop.h"
#include "refusal.h"
#include "settings.h"
#include "start.h"
#include "system.h"
#include "time_zone.h"

namespace {

constexpr uint32_t files_beside_sessions = 64;  // open at once: the book's, the loop's, listeners

// All that lives as long as the process and is not in the arena.
struct Process {
    Arena arena;
    Server* server;
    Loop* loop;
    Store store;
    Config config;
    KeyFiles keys;
    Arguments arguments;
};

// A start takes one step after the other, and each works in the memory for keys, which is wiped
// when they have been read: first the text of the configuration, last the window on the journal.
static_assert(batch_size_max <= sizeof KeyFiles::pem);

Process process;

int load_config() {
    Writer message = message_writer();
    const int code = settings_load(process.keys, process.arguments, process.config, message);
    return code < 0 ? -1 : refuse(code, message);
}

uint32_t thread_count() {
    if (process.config.threads > 0) return process.config.threads;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors > 64 ? 64 : static_cast<uint32_t>(processors);
}

uint64_t password_arena_bytes() {
    const Config& config = process.config;
    if (config.lab_only) return 0;  // Nobody logs in.
    return password_arena_size({config.password_memory_kib, config.password_passes});
}

// The bytes of stack that each thread of the process reserves.
uint64_t thread_stack_bytes() {
    rlimit limit = {};
    const uint64_t usual = 8 * 1024 * 1024;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return usual;
    return limit.rlim_cur;
}

// Lays everything out; over no memory this only adds up.
void lay_out(Arena& arena) {
    process.server = arena_array<Server>(arena, "server", 1);
    // Too large for a stack; nobody uses the memory for keys now.
    static_assert(sizeof(Server) <= sizeof process.keys.pem);
    Server& server = process.server == nullptr ? *reinterpret_cast<Server*>(process.keys.pem)
                                               : *process.server;
    wipe(process.keys.pem, sizeof process.keys.pem);
    server_layout(server, arena, process.config);
    loop_layout(process.loop, arena, process.config);
}

void put_row(Writer& out, const char* name, uint64_t count, uint64_t size, uint64_t bytes) {
    const uint32_t start = out.size;
    put_text(out, name);
    while (out.size - start < 28) put_u8(out, ' ');
    const uint64_t numbers[3] = {count, size, bytes};
    const uint32_t ends[3] = {38, 52, 68};
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t text[24];
        Writer number = writer_of(text, sizeof text);
        put_decimal(number, numbers[i]);
        while (out.size - start + number.size < ends[i]) put_u8(out, ' ');
        put_bytes(out, writer_slice(number));
    }
    put_u8(out, '\n');
}

// The budget, row by row, and its sum: all that is taken for the life of the process.
int print_memory() {
    static uint8_t text[16384];
    Writer out = writer_of(text, sizeof text);
    Arena arena = {};
    lay_out(arena);
    put_text(out, "what                             count  bytes of one           bytes\n");
    for (uint32_t i = 0; i < arena.row_count; i++) {
        const ArenaRow& row = arena.rows[i];
        put_row(out, row.name, row.count, row.size, row.bytes);
    }
    const uint64_t threads = thread_count() + 1;
    put_row(out, "password hash", 1, password_arena_bytes(), password_arena_bytes());
    put_row(out, "thread stacks", threads, thread_stack_bytes(), threads * thread_stack_bytes());
    put_row(out, "start-up and tables", 1, sizeof process, sizeof process);
    const uint64_t sum = arena.used + password_arena_bytes() + sizeof process;
    put_text(out, "\naddress space reserved, without program text: ");
    put_decimal(out, (sum + threads * thread_stack_bytes()) / 1024);
    put_text(out, " KiB\ngreatest resident set, with 64 KiB used of each stack: ");
    put_decimal(out, (sum + threads * 64 * 1024) / 1024);
    put_text(out, " KiB\nPages are taken when first used; nothing is taken beside this.\n");
    system_print(STDOUT_FILENO, writer_slice(out));
    return exit_done;
}

// Every session needs a socket; the system lets a process allow itself more up to a bound.
int allow_open_files() {
    const Config& config = process.config;
    const rlim_t wanted = config.sessions + config.handshakes + files_beside_sessions;
    rlimit limit = {};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    const rlim_t allowed = limit.rlim_max;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted) return -1;
    limit.rlim_cur = wanted;
    if (allowed >= wanted && setrlimit(RLIMIT_NOFILE, &limit) == 0) return -1;
    Writer message = message_writer();
    put_text(message, "limits: sessions is ");
    put_decimal(message, config.sessions);
    put_text(message, ", which takes ");
    put_decimal(message, wanted);
    put_text(message, " open files in all, and the system allows ");
    put_decimal(message, allowed);
    put_text(message, "; lower [limits] sessions, or raise what is allowed (ulimit -n, or "
                      "LimitNOFILE= of systemd)");
    return refuse(exit_refused, message);
}

int reserve_memory() {
    Arena measured = {};
    lay_out(measured);
    Arena& arena = process.arena;
    arena = {};
    arena.size = measured.used;
    arena.base = system_reserve(measured.used);
    if (arena.base == nullptr) {
        Writer message = message_writer();
        put_text(message, "no memory: the limits in the configuration add up to ");
        put_decimal(message, measured.used / 1024);
        put_text(message, " KiB; lower them, or see pennyd -m");
        return refuse(exit_refused, message);
    }
    lay_out(arena);
    server_init(*process.server, measured.used);
    return -1;
}

// How far the reading of the journal was when that was last said.
struct Progress {
    uint64_t said_ms;
    uint64_t said_bytes;
};

// Says how far it is: every second, and every tenth of a journal that is worth it.
void show_progress(void* context, uint64_t done, uint64_t total) {
    constexpr uint64_t tenth_min = 4 * 1024 * 1024;  // bytes
    Progress& progress = *static_cast<Progress*>(context);
    const uint64_t now_ms = system_now_ms();
    const uint64_t tenth = total / 10 > tenth_min ? total / 10 : tenth_min;
    if (now_ms - progress.said_ms < 1000 && done - progress.said_bytes < tenth) return;
    progress = {now_ms, done};
    uint8_t text[128];
    Writer line = writer_of(text, sizeof text);
    put_text(line, "reading the journal: ");
    put_decimal(line, done >> 20);
    put_text(line, " of ");
    put_decimal(line, total >> 20);
    put_text(line, " MiB");
    port_log(LogLevel::info, reinterpret_cast<const char*>(text), line.size);
}

void tell_server_time(Server& server) {
    const uint64_t wall_us = system_wall_us();
    server_clock(server, system_now_ms(), wall_us, system_utc_offset_s(wall_us));
}

int open_book(bool read_only) {
    if (lab_is_built && process.config.lab_only) {
        start_without_book(*process.server, tell_server_time);
        return -1;
    }
    Writer message = message_writer();
    char dir[key_path_size];
    if (key_files_resolve(process.keys, process.config.data, dir) != Status::ok) {
        return refuse_text(exit_refused, "the path of [server] data is too long");
    }
    Progress said = {system_now_ms(), 0};
    const StartPlan plan = {.calls = &store_calls_posix,
                            .dir = dir,
                            .read_only = read_only,
                            .window = reinterpret_cast<uint8_t*>(process.keys.pem),
                            .progress = {show_progress, &said},
                            .reserve = system_reserve,
                            .tell_time = tell_server_time};
    if (start_book(*process.server, process.store, plan, message) == Status::ok) return -1;
    return refuse(exit_refused, message);
}

// Local times go by one zone from here on; its file is not opened again. A zone that somebody wrote
// down must be there; where the system's own cannot be had, the operator hears of it.
int choose_zone() {
    static constexpr char option[] = "[server] time-zone = ";
    Zone zone;
    Writer message = message_writer();
    const char* name = process.config.time_zone;
    if (zone_choose(name, option, zone, message) == Status::ok) return -1;
    if (name[0] != '\0') return refuse(exit_refused, message);
    put_text(message, "; until then local times are UTC");
    port_log(LogLevel::warning, reinterpret_cast<const char*>(message.data), message.size);
    const Status utc = zone_choose("UTC", option, zone, message);
    CHECK(utc == Status::ok);
    return -1;
}

int load_keys() {
    Writer message = message_writer();
    Server& server = *process.server;
    Status status = key_files_load_tls(process.keys, server, server.config, 0, message);
    if (status == Status::ok) {
        status = key_files_load_issuer(process.keys, server, server.config, 0, message);
    }
    if (status == Status::ok) status = key_files_load_lab(process.keys, server, message);
    if (status == Status::ok) status = key_files_load_message(process.keys, server, message);
    return status == Status::ok ? -1 : refuse(exit_refused, message);
}

Status reload(Server& server, uint32_t generation, Writer& why) {
    return settings_reload(process.keys, process.arguments, server, generation, why);
}

int serve(bool read_only) {
    int code = choose_zone();
    if (code < 0) code = allow_open_files();
    if (code < 0) code = reserve_memory();
    if (code < 0 && crypto_init(&process.server->heap) != Status::ok) {
        code = refuse_text(exit_refused, "the library of cryptography could not be readied");
    }
    if (code < 0) crypto_clock_set(system_wall_us() / 1000);
    if (code < 0) code = load_keys();
    if (code < 0) code = open_book(read_only);
    if (code >= 0) return code;
    Writer message = message_writer();
    const LoopPlan plan = {thread_count(), reload};
    if (loop_init(*process.loop, *process.server, process.store, plan) != Status::ok) {
        return refuse_text(exit_refused, "the event loop could not be readied");
    }
    if (loop_start(*process.loop, message) != Status::ok) return refuse(exit_refused, message);
    arena_seal(process.arena);
    loop_print_ready(*process.loop);
    loop_run(*process.loop);
    if (!process.config.lab_only) store_close(process.store);
    static constexpr char text[] = "stopped";
    port_log(LogLevel::info, text, sizeof text - 1);
    return exit_done;
}

int test() {
    int code = choose_zone();
    if (code < 0) code = reserve_memory();
    if (code < 0 && crypto_init(&process.server->heap) != Status::ok) {
        code = refuse_text(exit_refused, "the library of cryptography could not be readied");
    }
    if (code < 0) code = load_keys();
    if (code >= 0) return code;
    system_print_text(STDOUT_FILENO, "the configuration is fine\n");
    return exit_done;
}

}  // namespace

int main(int count, char** words) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is a write that fails.
    Arguments& arguments = process.arguments;
    int code = arguments_take(count, words, arguments);
    if (code < 0) code = load_config();
    if (code >= 0) return code;
    switch (arguments.action) {
        case Action::serve: return serve(arguments.read_only);
        case Action::test: return test();
        case Action::memory: return print_memory();
    }
    return exit_usage;
}
