#include "penny/lab_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "posix/system.h"
#include "wire/value.h"

namespace {

constexpr uint64_t ready_ms_max = 60000;   // for a server to make its keys, or a bank
constexpr uint64_t answer_ms_max = 20000;  // for a handshake, or an answer
constexpr uint32_t values_max = 64;        // of one reply
constexpr int exit_not_found = 127;        // of a program that is none; as shells have it
constexpr int folders_open_max = 16;       // while a folder is removed
constexpr char user[] = "alice";           // of a demo bank
constexpr char passphrase[] = "a laboratory 16b";
static_assert(sizeof passphrase - 1 == lab_passphrase_size);

[[gnu::format(printf, 2, 3)]] Status refuse(LabStage& stage, const char* format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(stage.reason, sizeof stage.reason, format, values);
    va_end(values);
    return Status::failed;
}

// --- The folder ---

Status make_folder(LabStage& stage) {
    const char* base = getenv("TMPDIR");
    const char* name = "penny-lab-XXXXXX";
    if (base == nullptr || base[0] != '/') base = "/tmp";
    const int size = snprintf(stage.folder, sizeof stage.folder, "%s/%s", base, name);
    const bool fits = size > 0 && static_cast<size_t>(size) < sizeof stage.folder / 2;
    if (fits && mkdtemp(stage.folder) != nullptr) return Status::ok;
    stage.folder[0] = '\0';
    return refuse(stage, "no folder can be made in %.200s: %s", base,
                  fits ? strerror(errno) : "its name is too long");
}

int remove_one(const char* path, const struct stat*, int, FTW*) {
    remove(path);  // What cannot be removed is met again when its folder cannot.
    return 0;
}

void remove_folder(LabStage& stage) {
    if (stage.folder[0] == '\0') return;
    nftw(stage.folder, remove_one, folders_open_max, FTW_DEPTH | FTW_PHYS);
    stage.folder[0] = '\0';
}

void put_path(const LabStage& stage, const char* name, char out[lab_folder_size_max]) {
    snprintf(out, lab_folder_size_max, "%.*s/%s", static_cast<int>(lab_folder_size_max / 2),
             stage.folder, name);
}

Status write_passphrase(LabStage& stage, char path[lab_folder_size_max]) {
    put_path(stage, "passphrase", path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return refuse(stage, "%.200s: %s", path, strerror(errno));
    system_print_text(fd, passphrase);
    close(fd);
    return Status::ok;
}

// --- Servers ---

// Says why a child is of no use: what it said last, as far as it is fit for a terminal.
Status refuse_child(LabStage& stage, const char* name, Status status) {
    if (lab_is_interrupted()) return refuse(stage, "interrupted");
    if (status == Status::expired) return refuse(stage, "%s took too long", name);
    if (stage.server.code == exit_not_found) {
        return refuse(stage, "%s is neither beside penny nor along $PATH", name);
    }
    Slice last = {};
    for (uint32_t at = 0; lab_child_line(stage.server, at, last);) continue;
    uint8_t text[256];
    Writer out = writer_of(text, sizeof text);
    put_printable(out, last, 60);
    return refuse(stage, "%s ended with %d: %.*s", name, stage.server.code,
                  static_cast<int>(out.size), reinterpret_cast<const char*>(text));
}

// Starts pennyd and waits until it says where it listens: "ready CHANNEL 127.0.0.1:PORT".
Status start_server(LabStage& stage, const char* const* words) {
    if (lab_child_start(stage.server, words) != Status::ok) {
        return refuse(stage, "%s cannot be started: %s", words[0], strerror(errno));
    }
    Slice line = {};
    const uint64_t deadline_ms = system_now_ms() + ready_ms_max;
    Status status = lab_child_wait_line(stage.server, "ready ", deadline_ms, line);
    if (status != Status::ok) {
        lab_child_end(stage.server);
        return refuse_child(stage, words[0], status);
    }
    uint32_t at = line.size;
    while (at > 0 && line.data[at - 1] != ':') at--;
    const Slice port = slice_part(line, at, line.size - at);
    uint64_t number = 0;
    status = parse_decimal(port, number);
    if (status != Status::ok || number == 0 || number > UINT16_MAX) {
        return refuse(stage, "%s named no port", words[0]);
    }
    snprintf(stage.port, sizeof stage.port, "%u", static_cast<unsigned>(number));
    return Status::ok;
}

Status start_lab(LabStage& stage) {
    const bool is_psk = lab_needs(*stage.lab).passphrase;
    char path[lab_folder_size_max] = "";
    Status status = is_psk ? make_folder(stage) : Status::ok;
    if (is_psk && status == Status::ok) status = write_passphrase(stage, path);
    if (status != Status::ok) return status;
    const char* words[] = {"pennyd", "--lab",   stage.channel,
                           "--port", "0",       is_psk ? "--passphrase-file" : nullptr,
                           path,     nullptr};
    return start_server(stage, words);
}

// Makes a bank, and keeps alice's password out of what is said about it.
Status make_bank(LabStage& stage, const char* folder) {
    const char* words[] = {"pennyctl", "init", folder, "--demo", "--no-message-key", nullptr};
    if (lab_child_start(stage.server, words) != Status::ok) {
        return refuse(stage, "pennyctl cannot be started: %s", strerror(errno));
    }
    Slice password = {};
    Status status = lab_child_wait(stage.server, system_now_ms() + ready_ms_max);
    lab_child_end(stage.server);
    if (status == Status::ok && stage.server.code != 0) status = Status::invalid;
    if (status == Status::ok) {
        status = lab_child_wait_line(stage.server, "login alice ", 0, password);
    }
    if (status != Status::ok) return refuse_child(stage, "pennyctl", status);
    snprintf(stage.password, sizeof stage.password, "%.*s", static_cast<int>(password.size),
             reinterpret_cast<const char*>(password.data));
    wipe(stage.server.said, stage.server.said_size);
    return Status::ok;
}

Status start_tls(LabStage& stage) {
    Status status = make_folder(stage);
    if (status != Status::ok) return status;
    char path[lab_folder_size_max];
    put_path(stage, "bank", path);
    status = make_bank(stage, path);
    if (status != Status::ok) return status;
    put_path(stage, "bank/pennyd.conf", path);
    const char* words[] = {"pennyd", path, "--port", "0", nullptr};
    return start_server(stage, words);
}

// --- The client ---

Status load_lab(LabStage& stage, const Hash* pin) {
    LabFiles files = {};
    files.pin = pin;
    if (lab_needs(*stage.lab).passphrase) files.passphrase = slice_of(passphrase);
    const char* reason = "";
    const Status status =
        lab_config_load(stage.client, *stage.lab, LabEnd::client, files, reason);
    return status == Status::ok ? status : refuse(stage, "the client's keys: %s", reason);
}

Status read_pem(LabStage& stage, const char* name, uint8_t* out, Slice& slice) {
    char path[lab_folder_size_max];
    put_path(stage, name, path);
    slice = {out, 0};
    const Status status = system_read_file(path, out, lab_pem_size_max, slice.size);
    return status == Status::ok ? status : refuse(stage, "%.200s: %s", path, strerror(errno));
}

Status load_tls(LabStage& stage) {
    static uint8_t pem[3][lab_pem_size_max];
    TlsFiles files = {};
    Status status = read_pem(stage, "bank/certs/ca.crt", pem[0], files.ca);
    if (status == Status::ok) {
        status = read_pem(stage, "bank/certs/clients/alice.crt", pem[1], files.certificate);
    }
    if (status == Status::ok) {
        status = read_pem(stage, "bank/certs/clients/alice.key", pem[2], files.key);
    }
    if (status != Status::ok) return status;
    const char* reason = "";
    status = tls_config_load(stage.tls, TlsEnd::client, TlsVersion::tls13, files, reason);
    wipe(pem[2], sizeof pem[2]);
    return status == Status::ok ? status : refuse(stage, "the client's keys: %s", reason);
}

void put_request(Writer& out, const char* const* words) {
    uint32_t count = 0;
    while (words[count] != nullptr) count++;
    put_u8(out, '*');
    put_decimal(out, count);
    put_text(out, "\r\n");
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, '$');
        put_decimal(out, slice_of(words[i]).size);
        put_text(out, "\r\n");
        put_text(out, words[i]);
        put_text(out, "\r\n");
    }
}

Status log_in(LabStage& stage) {
    const char* words[] = {"HELLO", "3", "AUTH", user, stage.password, nullptr};
    uint8_t text[lab_answer_size_max];
    Writer answer = writer_of(text, sizeof text);
    const Status status = lab_stage_ask(stage, words, answer);
    if (status != Status::ok || answer.size == 0) return status;
    return refuse(stage, "alice cannot log in: %.*s", static_cast<int>(answer.size),
                  reinterpret_cast<const char*>(text));
}

}  // namespace

LabStage* lab_stage() {
    static uint8_t* memory = nullptr;
    if (memory == nullptr) memory = system_reserve(sizeof(LabStage));
    return reinterpret_cast<LabStage*>(memory);
}

bool lab_stage_has(const char* channel) {
    return strcmp(channel, "tls") == 0 || lab_find(slice_of(channel)) != nullptr;
}

const LabProperties* lab_stage_properties(const char* channel) {
    for (uint32_t i = 0; i < lab_property_count(); i++) {
        if (strcmp(lab_properties(i).name, channel) == 0) return &lab_properties(i);
    }
    return nullptr;
}

Status lab_stage_open(LabStage& stage, const char* channel) {
    stage.channel = channel;
    stage.lab = lab_find(slice_of(channel));
    stage.folder[0] = '\0';
    stage.reason[0] = '\0';
    stage.server.pid = 0;
    stage.server.fd = -1;
    stage.connection.fd = -1;
    lab_catch_signals();
    if (crypto_init(nullptr) != Status::ok) {
        return refuse(stage, "the cryptography library does not start");
    }
    if (lab_is_interrupted()) return refuse(stage, "interrupted");
    const bool is_tls = stage.lab == nullptr;
    Status status = is_tls ? start_tls(stage) : start_lab(stage);
    if (status == Status::ok) status = is_tls ? load_tls(stage) : load_lab(stage, nullptr);
    return status;
}

Status lab_stage_pin(LabStage& stage, const Hash& pin) {
    lab_stage_hang_up(stage);
    lab_config_free(stage.client);
    return load_lab(stage, &pin);
}

Status lab_stage_connect(LabStage& stage, const ConnectionTap* tap) {
    Connection& connection = stage.connection;
    if (stage.lab != nullptr) {
        connection_init_lab(connection, stage.client, stage.memory, "127.0.0.1", stage.port);
    } else {
        connection_init(connection, stage.tls, "127.0.0.1", stage.port);
    }
    connection.tap = tap;
    const Status status = connection_open(connection, system_now_ms() + answer_ms_max);
    if (status != Status::ok) {
        return refuse(stage, "%s", lab_is_interrupted() ? "interrupted" : connection.reason);
    }
    return stage.lab == nullptr ? log_in(stage) : Status::ok;
}

Status lab_stage_ask(LabStage& stage, const char* const* words, Writer& answer) {
    Connection& connection = stage.connection;
    const uint64_t deadline_ms = system_now_ms() + answer_ms_max;
    uint8_t bytes[lab_answer_size_max];
    Writer out = writer_of(bytes, sizeof bytes);
    put_request(out, words);
    if (out.overflow) return refuse(stage, "the request is too long");
    Status status = connection_send(connection, writer_slice(out), deadline_ms);
    while (status == Status::ok) {
        Value values[values_max];
        uint32_t count = 0;
        uint32_t size = 0;
        status = value_parse({connection.plain, connection.plain_size}, values, values_max, count,
                             size);
        if (status == Status::ok) {
            put_bytes(answer, slice_part(values[0].text, 0, writer_room(answer)));
            connection_consume(connection, size);
            return Status::ok;
        }
        if (status != Status::more) return refuse(stage, "the answer is no reply of RESP");
        status = connection_receive(connection, deadline_ms);
    }
    return refuse(stage, "%s", lab_is_interrupted() ? "interrupted" : connection.reason);
}

void lab_stage_hang_up(LabStage& stage) { connection_close(stage.connection); }

void lab_stage_end_server(LabStage& stage) { lab_child_end(stage.server); }

void lab_stage_close(LabStage& stage) {
    if (stage.connection.fd >= 0) connection_close(stage.connection);
    lab_child_end(stage.server);
    if (stage.client.loaded) lab_config_free(stage.client);
    tls_config_free(stage.tls);
    wipe(stage.password, sizeof stage.password);
    remove_folder(stage);
}
