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

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "loop.h"
#include "start.h"
#include "system.h"
#include "time_zone.h"
#include "version.h"

namespace {

constexpr int exit_done = 0;
constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

constexpr uint32_t config_size_max = 65536;  // bytes of the configuration file
constexpr uint32_t pem_size_max = 65536;     // bytes of one certificate, key or CRL file
constexpr uint32_t assignments_max = 32;     // options on the command line that override the file
constexpr uint32_t files_beside_sessions = 64;  // open at once: the book's, the loop's, listeners
constexpr const char* config_places[] = {"./pennyd.conf", "/etc/pennyd/pennyd.conf"};

enum class OptionKind : uint8_t { flag, value };

// One row per option of the command line.
struct OptionRow {
    const char* name;
    const char* short_name;
    OptionKind kind;
    const char* argument;
    const char* prefix;  // of the --set assignment that the option is short for; nullptr for none
    const char* help;
};

constexpr OptionRow options[] = {
    {"--help", "-h", OptionKind::flag, "", nullptr, "print this and exit"},
    {"--version", "-v", OptionKind::flag, "", nullptr, "print the version and exit"},
    {"--test", "-t", OptionKind::flag, "", nullptr, "check the configuration and exit"},
    {"--memory", "-m", OptionKind::flag, "", nullptr, "print the memory budget and exit"},
    {"--read-only", nullptr, OptionKind::flag, "", nullptr,
     "serve the book to read, and write no byte of it"},
    {"--set", "-s", OptionKind::value, "'SECTION.KEY=VALUE'", "", "override one key of the file"},
    {"--host", nullptr, OptionKind::value, "ADDRESS", "listener tls.address=",
     "address of the listener `tls`"},
    {"--port", nullptr, OptionKind::value, "PORT", "listener tls.port=", "port of that listener"},
    {"--threads", nullptr, OptionKind::value, "N", "server.threads=", "worker threads"},
};

enum class Action : uint8_t { serve, test, memory };

struct Arguments {
    Action action;
    bool read_only;
    const char* config_path;
    const char* assignments[assignments_max];
    const char* prefixes[assignments_max];
    uint32_t assignment_count;
};

// All that lives as long as the process and is not in the arena.
struct Process {
    Arena arena;
    Server* server;
    Loop* loop;
    Store store;
    Config config;
    char folder[path_size_max + 1];  // of the configuration file
    uint8_t config_text[config_size_max];
    uint8_t pem[4][pem_size_max];
    uint8_t window[batch_size_max];
};

Process process;

Writer message_writer() {
    static uint8_t text[config_error_size_max];
    return writer_of(text, sizeof text - 1);
}

// Prints `pennyd: ` and the sentence; returns the exit code.
int refuse(int code, Writer& message) {
    system_print_text(STDERR_FILENO, "pennyd: ");
    system_print(STDERR_FILENO, writer_slice(message));
    system_print_text(STDERR_FILENO, "\n");
    return code;
}

int refuse_text(int code, const char* text) {
    Writer message = message_writer();
    put_text(message, text);
    return refuse(code, message);
}

void print_help() {
    static uint8_t text[4096];
    Writer out = writer_of(text, sizeof text);
    put_text(out, "usage: pennyd [options] [CONFIG]\n\nThe bank's server. Without CONFIG it takes");
    put_text(out, " ./pennyd.conf, then /etc/pennyd/pennyd.conf.\n\n");
    for (const OptionRow& option : options) {
        const uint32_t start = out.size;
        put_text(out, "  ");
        if (option.short_name != nullptr) {
            put_text(out, option.short_name);
            put_text(out, ", ");
        }
        put_text(out, option.name);
        put_u8(out, ' ');
        put_text(out, option.argument);
        while (out.size - start < 36) put_u8(out, ' ');
        put_text(out, option.help);
        put_u8(out, '\n');
    }
    put_text(out, "\nSIGTERM ends it in order: sessions, a closing batch, a checkpoint.\n");
    system_print(STDOUT_FILENO, writer_slice(out));
}

const OptionRow* find_option(const char* word) {
    for (const OptionRow& option : options) {
        if (strcmp(word, option.name) == 0) return &option;
        if (option.short_name != nullptr && strcmp(word, option.short_name) == 0) return &option;
    }
    return nullptr;
}

// Returns a code to exit with, or -1 to go on.
int take_flag(const OptionRow& option, Arguments& out) {
    if (strcmp(option.name, "--help") == 0) {
        print_help();
        return exit_done;
    }
    if (strcmp(option.name, "--version") == 0) {
        system_print_text(STDOUT_FILENO, "pennyd " PENNY_VERSION "\n");
        return exit_done;
    }
    if (strcmp(option.name, "--read-only") == 0) {
        out.read_only = true;
        return -1;
    }
    out.action = strcmp(option.name, "--test") == 0 ? Action::test : Action::memory;
    return -1;
}

int take_arguments(int count, char** words, Arguments& out) {
    Writer message = message_writer();
    for (int i = 1; i < count; i++) {
        if (words[i][0] != '-') {
            if (out.config_path != nullptr) {
                return refuse_text(exit_usage, "one configuration file, not two; see --help");
            }
            out.config_path = words[i];
            continue;
        }
        const OptionRow* option = find_option(words[i]);
        if (option == nullptr) {
            put_text(message, "unknown option ");
            put_printable(message, slice_of(words[i]), 64);
            put_text(message, "; see pennyd --help");
            return refuse(exit_usage, message);
        }
        if (option->kind == OptionKind::flag) {
            const int code = take_flag(*option, out);
            if (code >= 0) return code;
            continue;
        }
        if (i + 1 == count || out.assignment_count == assignments_max) {
            put_text(message, option->name);
            put_text(message, i + 1 == count ? " needs a value" : " is given too often");
            return refuse(exit_usage, message);
        }
        out.prefixes[out.assignment_count] = option->prefix;
        out.assignments[out.assignment_count++] = words[++i];
    }
    return -1;
}

// The folder of the configuration file, to which relative paths in it refer.
void note_folder(const char* path) {
    const char* slash = strrchr(path, '/');
    const size_t size = slash == nullptr ? 0 : static_cast<size_t>(slash - path) + 1;
    if (size > 0 && size <= path_size_max) memcpy(process.folder, path, size);
}

// Makes a path of the configuration absolute, or relative to where the process was started.
Status resolve(const char* path, char out[2 * path_size_max + 2]) {
    Writer writer = writer_of(reinterpret_cast<uint8_t*>(out), 2 * path_size_max + 1);
    if (path[0] != '/') put_text(writer, process.folder);
    put_text(writer, path);
    out[writer.size] = '\0';
    return writer.size > path_size_max || writer.overflow ? Status::full : Status::ok;
}

const char* find_config(const Arguments& arguments) {
    if (arguments.config_path != nullptr) return arguments.config_path;
    for (const char* place : config_places) {
        if (access(place, R_OK) == 0) return place;
    }
    return nullptr;
}

int load_config(const Arguments& arguments) {
    Writer message = message_writer();
    const char* path = find_config(arguments);
    if (path == nullptr) {
        return refuse_text(exit_refused,
                           "no ./pennyd.conf and no /etc/pennyd/pennyd.conf; make a bank with "
                           "`pennyctl init DIR` and give DIR/pennyd.conf");
    }
    uint32_t size = 0;
    const Status read = system_read_file(path, process.config_text, config_size_max, size);
    if (read != Status::ok) {
        put_text(message, path);
        put_text(message, ": ");
        put_text(message, read == Status::full ? "longer than 65536 bytes" : strerror(errno));
        if (read == Status::absent) put_text(message, "; make a bank with `pennyctl init DIR`");
        return refuse(exit_refused, message);
    }
    note_folder(path);
    config_defaults(process.config);
    if (config_parse(process.config, path, {process.config_text, size}, message) != Status::ok) {
        return refuse(exit_refused, message);
    }
    for (uint32_t i = 0; i < arguments.assignment_count; i++) {
        uint8_t text[1024];
        Writer assignment = writer_of(text, sizeof text);
        put_text(assignment, arguments.prefixes[i]);
        put_text(assignment, arguments.assignments[i]);
        if (assignment.overflow) return refuse_text(exit_usage, "an option's value is too long");
        if (config_set(process.config, writer_slice(assignment), message) != Status::ok) {
            return refuse(exit_usage, message);
        }
    }
    if (config_check(process.config, message) != Status::ok) return refuse(exit_refused, message);
    return -1;
}

uint32_t thread_count() {
    if (process.config.threads > 0) return process.config.threads;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors > 64 ? 64 : static_cast<uint32_t>(processors);
}

uint64_t password_arena_bytes() {
    const Config& config = process.config;
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
    Server measured_server = {};
    Server& server = process.server == nullptr ? measured_server : *process.server;
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

// Reads one PEM file into its own buffer.
Status read_pem(const char* path, uint32_t slot, bool secret, Slice& out, Writer& message) {
    char name[2 * path_size_max + 2];
    uint32_t size = 0;
    out = {process.pem[slot], 0};
    if (path[0] == '\0') return Status::ok;
    Status status = resolve(path, name);
    errno = ENAMETOOLONG;
    if (status == Status::ok) {
        status = system_read_file(name, process.pem[slot], pem_size_max, size);
    }
    if (status != Status::ok) {
        put_text(message, name);
        put_text(message, ": ");
        put_text(message, status == Status::full && errno == 0 ? "too long" : strerror(errno));
        return Status::failed;
    }
    if (size == 0) {  // Taken for a file that is not configured, it would revoke nobody.
        put_text(message, name);
        put_text(message, ": is empty; put it back, or name another file");
        return Status::failed;
    }
    if (secret && system_is_exposed(name)) {
        put_text(message, name);
        put_text(message, ": the key can be read by others; run `chmod 600` on it");
        return Status::failed;
    }
    out.size = size;
    return Status::ok;
}

// Where a reason that names none of the files is to be looked for.
void put_files(Writer& message, const ListenerConfig& listener) {
    const char* paths[] = {listener.certificate, listener.key, listener.ca, listener.crl};
    const char* separator = "; the files are ";
    for (const char* path : paths) {
        if (path[0] == '\0') continue;
        put_text(message, separator);
        if (path[0] != '/') put_text(message, process.folder);
        put_text(message, path);
        separator = ", ";
    }
}

int load_certificates() {
    for (uint32_t i = 0; i < process.config.listener_count; i++) {
        const ListenerConfig& listener = process.config.listeners[i];
        Writer message = message_writer();
        put_text(message, "listener ");
        put_text(message, listener.name);
        put_text(message, ": ");
        TlsFiles files = {};
        const bool read =
            read_pem(listener.certificate, 0, false, files.certificate, message) == Status::ok &&
            read_pem(listener.key, 1, true, files.key, message) == Status::ok &&
            read_pem(listener.ca, 2, false, files.ca, message) == Status::ok &&
            read_pem(listener.crl, 3, false, files.crl, message) == Status::ok;
        const char* reason = nullptr;
        const Status status = read ? server_load_tls(*process.server, i, files, reason)
                                   : Status::failed;
        wipe(process.pem, sizeof process.pem);
        if (!read) return refuse(exit_refused, message);
        if (status != Status::ok) {
            put_text(message, reason == nullptr ? "the TLS files cannot be used" : reason);
            put_files(message, listener);
            return refuse(exit_refused, message);
        }
    }
    return -1;
}

// The key of messages to the server itself, where one is named.
int load_message_key() {
    const Config& config = process.config;
    if (config.message_key[0] == '\0') return -1;
    Writer message = message_writer();
    put_text(message, "[server] message-key: ");
    Slice pem = {};
    if (read_pem(config.message_key, 0, true, pem, message) != Status::ok) {
        wipe(process.pem, sizeof process.pem);
        return refuse(exit_refused, message);
    }
    const Status status = server_load_message_key(*process.server, pem);
    wipe(process.pem, sizeof process.pem);
    if (status == Status::ok) return -1;
    if (config.message_key[0] != '/') put_text(message, process.folder);
    put_text(message, config.message_key);
    put_text(message, status == Status::invalid
                          ? ": this is no private key of RSA with 3072 bits; pennyctl init makes "
                            "one, and so does penny key"
                          : ": the library of cryptography has no memory for it");
    return refuse(exit_refused, message);
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
    Writer message = message_writer();
    char dir[2 * path_size_max + 2];
    if (resolve(process.config.data, dir) != Status::ok) {
        return refuse_text(exit_refused, "the path of [server] data is too long");
    }
    Progress said = {system_now_ms(), 0};
    const StartPlan plan = {.calls = &store_calls_posix,
                            .dir = dir,
                            .read_only = read_only,
                            .window = process.window,
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

int serve(bool read_only) {
    int code = choose_zone();
    if (code < 0) code = allow_open_files();
    if (code < 0) code = reserve_memory();
    if (code < 0 && crypto_init(&process.server->heap) != Status::ok) {
        code = refuse_text(exit_refused, "the library of cryptography could not be readied");
    }
    if (code < 0) crypto_clock_set(system_wall_us() / 1000);
    if (code < 0) code = load_certificates();
    if (code < 0) code = load_message_key();
    if (code < 0) code = open_book(read_only);
    if (code >= 0) return code;
    Writer message = message_writer();
    if (loop_init(*process.loop, *process.server, process.store, thread_count()) != Status::ok) {
        return refuse_text(exit_refused, "the event loop could not be readied");
    }
    if (loop_start(*process.loop, message) != Status::ok) return refuse(exit_refused, message);
    arena_seal(process.arena);
    loop_print_ready(*process.loop);
    loop_run(*process.loop);
    store_close(process.store);
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
    if (code < 0) code = load_certificates();
    if (code < 0) code = load_message_key();
    if (code >= 0) return code;
    system_print_text(STDOUT_FILENO, "the configuration is fine\n");
    return exit_done;
}

}  // namespace

int main(int count, char** words) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is a write that fails.
    Arguments arguments = {};
    int code = take_arguments(count, words, arguments);
    if (code < 0) code = load_config(arguments);
    if (code >= 0) return code;
    switch (arguments.action) {
        case Action::serve: return serve(arguments.read_only);
        case Action::test: return test();
        case Action::memory: return print_memory();
    }
    return exit_usage;
}
