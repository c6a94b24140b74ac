#include "penny/enrol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/enrol_code.h"
#include "base/check.h"
#include "base/text.h"
#include "config.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/request.h"
#include "penny/explain.h"
#include "penny/folder.h"
#include "penny/pair.h"
#include "penny/renew.h"
#include "posix/system.h"

namespace {

constexpr uint32_t wait_s_max = 7 * 86400;
constexpr uint32_t poll_ms = 2000;  // between two looks whether the operator has signed
constexpr uint32_t chain_certificates_max = 10;
constexpr uint32_t conf_size_max = 4096;
constexpr const char* conf_name = "client.conf";
constexpr const char* ca_name = "ca.crt";

struct FileName {
    char text[folder_name_size_max + 1];
};

// All of one run.
struct Enrolment {
    const char* host;
    char port[8];
    char dir[folder_path_size_max + 1];
    uint32_t wait_s;
    EnrolCode code;
    TlsConfig tls;
    KeyFolder folder;
    PairPem ca;            // the anchor
    Name name;
    uint64_t bank_port;
    PairPem key;
    PairPem request;
    PairPem certificate;
};

Enrolment enrolment;

// --- The words ------------------------------------------------------------------------------

ExitCode misused() {
    say("it is used so: penny enrol HOST[:PORT] CODE [--dir DIR] [--wait SECONDS]");
    return exit_usage;
}

ExitCode take_wait(const char* text) {
    uint64_t seconds = 0;
    if (parse_decimal(slice_of(text), seconds) != Status::ok || seconds > wait_s_max) {
        say("--wait takes 0 to %u seconds, not '%s'", wait_s_max, text);
        return exit_usage;
    }
    enrolment.wait_s = static_cast<uint32_t>(seconds);
    return exit_go_on;
}

bool is_port(const char* text) {
    uint64_t port = 0;
    return parse_decimal(slice_of(text), port) == Status::ok && port > 0 && port <= UINT16_MAX;
}

// HOST, HOST:PORT, [V6] or [V6]:PORT. The text is written over.
ExitCode take_host(char* text) {
    snprintf(enrolment.port, sizeof enrolment.port, "%u", config_enrol_port);
    char* colon = strrchr(text, ':');
    if (text[0] == '[') {
        char* end = strchr(text, ']');
        if (end == nullptr || (end[1] != '\0' && end + 1 != colon)) return misused();
        colon = end[1] == '\0' ? nullptr : colon;
        *end = '\0';
        text++;
    } else if (colon != nullptr && strchr(text, ':') != colon) {
        say("write an IPv6 address as [%s]", text);
        return exit_usage;
    }
    if (colon != nullptr) {
        if (!is_port(colon + 1)) return misused();
        snprintf(enrolment.port, sizeof enrolment.port, "%s", colon + 1);
        *colon = '\0';
    }
    enrolment.host = text;
    return text[0] == '\0' ? misused() : exit_go_on;
}

ExitCode take_dir(const char* given) {
    const char* home = getenv("HOME");
    const bool is_usual = given == nullptr;
    if (is_usual && (home == nullptr || home[0] == '\0')) {
        say("there is no $HOME; give --dir DIR");
        return exit_usage;
    }
    const int size = is_usual ? snprintf(enrolment.dir, sizeof enrolment.dir, "%s/.config/penny",
                                         home)
                              : snprintf(enrolment.dir, sizeof enrolment.dir, "%s", given);
    if (size > 0 && static_cast<uint32_t>(size) < sizeof enrolment.dir) return exit_go_on;
    say("--dir: the path is too long, or empty");
    return exit_usage;
}

ExitCode take_words(const Options& options) {
    char* plain[2] = {};
    int count = 0;
    const char* dir = nullptr;
    for (int i = 1; i < options.word_count; i++) {
        char* word = options.words[i];
        const bool is_dir = strcmp(word, "--dir") == 0;
        const bool is_wait = strcmp(word, "--wait") == 0;
        if (is_dir || is_wait) {
            if (++i == options.word_count) return misused();
            if (is_dir) dir = options.words[i];
            const ExitCode code = is_wait ? take_wait(options.words[i]) : exit_go_on;
            if (code != exit_go_on) return code;
        } else if (count == 2 || strncmp(word, "--", 2) == 0) {
            return misused();
        } else {
            plain[count++] = word;
        }
    }
    if (count < 2) return misused();
    if (enrol_code_parse(slice_of(plain[1]), enrolment.code) != Status::ok) {
        say("that is no code: it has 32 letters and digits, as pennyctl enrol printed them");
        return exit_usage;
    }
    ExitCode code = take_host(plain[0]);
    return code == exit_go_on ? take_dir(dir) : code;
}

// --- The server -----------------------------------------------------------------------------

ExitCode load(TlsEnd end) {
    const TlsFiles files = {{nullptr, 0}, {nullptr, 0}, writer_slice(enrolment.ca.text),
                            {nullptr, 0}};
    const char* reason = "";
    if (tls_config_load(enrolment.tls, end, TlsVersion::tls13, files, reason) == Status::ok) {
        return exit_go_on;
    }
    say("%s", reason);
    return exit_refused;
}

ExitCode refuse_connection(const Connection& connection) {
    say("%s port %s: %s", connection.host, connection.port, connection.reason);
    return exit_refused;
}

// Looks for the CA of the code among what the server shows.
ExitCode find_anchor(Client& client) {
    Connection& connection = *client.connection;
    ExitCode code = load(TlsEnd::stranger);
    if (code != exit_go_on) return code;
    connection_init(connection, enrolment.tls, enrolment.host, enrolment.port);
    const uint64_t deadline_ms = system_now_ms() + uint64_t{client.timeout_s} * 1000;
    if (connection_open(connection, deadline_ms) != Status::ok) {
        code = refuse_connection(connection);
    }
    Slice der = {};
    bool is_found = false;
    for (uint32_t i = 0; code == exit_go_on && !is_found && i < chain_certificates_max; i++) {
        if (tls_peer_certificate(connection.channel, i, der) != Status::ok) break;
        is_found = enrol_code_fits(enrolment.code, hash_of(der));
    }
    enrolment.ca.text = writer_of(enrolment.ca.bytes, sizeof enrolment.ca.bytes);
    if (is_found && certificate_put_pem(der, enrolment.ca.text) != Status::ok) is_found = false;
    connection_close(connection);
    tls_config_free(enrolment.tls);
    if (code != exit_go_on || is_found) return code;
    say("the code is not for the server at %s port %s: it is mistyped, or of another bank, or "
        "somebody stands in between; nothing of it was sent", enrolment.host, enrolment.port);
    return exit_refused;
}

// V1: from here on the server is the bank's.
ExitCode connect_verified(Client& client) {
    const ExitCode code = load(TlsEnd::client);
    if (code != exit_go_on) return code;
    connection_init(*client.connection, enrolment.tls, enrolment.host, enrolment.port);
    client.login.user_size = 0;
    client.errors = stderr;
    return client_connect(client) == Outcome::reply ? exit_go_on : exit_refused;
}

Outcome ask(Client& client, Slice request, Reply& reply) {
    uint8_t text[enrol_code_text_size];
    Writer code = writer_of(text, sizeof text);
    put_enrol_code(code, enrolment.code);
    const Slice words[] = {slice_of("ENROL"), writer_slice(code), request};
    const Outcome outcome = client_ask(client, words, request.size > 0 ? 3 : 2, reply);
    wipe(text, sizeof text);
    return outcome;
}

ExitCode ask_name(Client& client) {
    Reply reply = {};
    Slice name = {};
    Slice port = {};
    if (ask(client, {nullptr, 0}, reply) != Outcome::reply) return exit_refused;
    if (!reply_text(reply, "name", name) || !reply_text(reply, "port", port)) return exit_refused;
    const bool is_fine = parse_name(name, enrolment.name) == Status::ok &&
                         parse_decimal(port, enrolment.bank_port) == Status::ok &&
                         enrolment.bank_port > 0 && enrolment.bank_port <= UINT16_MAX;
    if (is_fine) return exit_go_on;
    say("the server's answer is not understood");
    return exit_refused;
}

// --- The folder -----------------------------------------------------------------------------

FileName file_of(const char* ending) {
    FileName name = {};
    snprintf(name.text, sizeof name.text, "%.*s%s", static_cast<int>(enrolment.name.size),
             enrolment.name.text, ending);
    return name;
}

ExitCode refuse_file(const char* name, Status status) {
    return folder_refuse(enrolment.folder, name, status);
}

// Whether a file has just this text. Returns absent where there is none, exists for another text.
Status compare(const char* name, Slice wanted) {
    static PairPem found;
    found.text = writer_of(found.bytes, sizeof found.bytes);
    const Status status = folder_read(enrolment.folder, name, found.text);
    if (status != Status::ok) return status;
    return slice_equal(writer_slice(found.text), wanted) ? Status::ok : Status::exists;
}

// Whether the CA that lies here is this one, made anew: its name and its key are the same.
bool is_renewed_ca(Slice fresh) {
    static PairPem found;
    found.text = writer_of(found.bytes, sizeof found.bytes);
    CertificateFacts was = {};
    CertificateFacts is = {};
    return folder_read(enrolment.folder, ca_name, found.text) == Status::ok &&
           certificate_read(writer_slice(found.text), was) == Status::ok &&
           certificate_read(fresh, is) == Status::ok &&
           memcmp(was.subject_hash, is.subject_hash, hash_size) == 0 &&
           memcmp(was.key_hash, is.key_hash, hash_size) == 0;
}

Status replace_ca(Slice ca) {
    constexpr char next[] = "ca.crt.next";
    const Status status = folder_remove(enrolment.folder, next);
    if (status != Status::ok && status != Status::absent) return status;
    const Status made = folder_make(enrolment.folder, next, ca);
    return made == Status::ok ? folder_rename(enrolment.folder, next, ca_name) : made;
}

// V3. The CA first: whoever has another bank's here has taken the wrong folder.
ExitCode keep_ca() {
    const Slice ca = writer_slice(enrolment.ca.text);
    Status status = compare(ca_name, ca);
    if (status == Status::absent) status = folder_make(enrolment.folder, ca_name, ca);
    if (status == Status::exists && is_renewed_ca(ca)) status = replace_ca(ca);
    if (status == Status::ok) return exit_go_on;
    if (status != Status::exists) return refuse_file(ca_name, status);
    say("%s/%s is of another bank; give another --dir", enrolment.folder.path, ca_name);
    return exit_refused;
}

void put_conf(Writer& out) {
    put_text(out, "# client.conf - made by penny enrol. Paths are relative to this folder.\n"
                  "\n[client]\nhost = ");
    put_text(out, enrolment.host);
    put_text(out, "\nport = ");
    put_decimal(out, enrolment.bank_port);
    put_text(out, "\ncacert = ");
    put_text(out, ca_name);
    put_text(out, "\ncert = ");
    put_text(out, file_of(".crt").text);
    put_text(out, "\nkey = ");
    put_text(out, file_of(".key").text);
    put_text(out, "\n");
}

bool has_line(Slice text, const char* wanted) {
    Reader lines = reader_of(text);
    Slice line = {};
    while (cut_word(lines, '\n', line) == Status::ok) {
        if (slice_equal_text(line, wanted)) return true;
    }
    return false;
}

// V3. What a person has added to the file of this terminal stays.
ExitCode check_conf(bool& is_there) {
    static uint8_t bytes[conf_size_max];
    char wanted[folder_name_size_max + 16];
    Writer text = writer_of(bytes, sizeof bytes);
    const Status status = folder_read(enrolment.folder, conf_name, text);
    is_there = status != Status::absent;
    if (!is_there) return exit_go_on;
    if (status != Status::ok) return refuse_file(conf_name, status);
    snprintf(wanted, sizeof wanted, "cert = %s", file_of(".crt").text);
    if (has_line(writer_slice(text), wanted)) return exit_go_on;
    say("%s/%s is of another terminal than %.*s; give another --dir", enrolment.folder.path,
        conf_name, static_cast<int>(enrolment.name.size), enrolment.name.text);
    return exit_refused;
}

// V2, V4.
ExitCode need_key() {
    const FileName file = file_of(".key");
    PairPem& key = enrolment.key;
    key.text = writer_of(key.bytes, sizeof key.bytes);
    if (!folder_has(enrolment.folder, file.text)) {
        Status status = certificate_make_key(key.text);
        if (status == Status::ok) {
            status = folder_make(enrolment.folder, file.text, writer_slice(key.text));
        }
        if (status != Status::ok && status != Status::exists) {
            return refuse_file(file.text, status);
        }
    }
    key.text.size = 0;
    const Status status = folder_read_secret(enrolment.folder, file.text, key.text);
    if (status != Status::ok) return refuse_file(file.text, status);
    enrolment.request.text = writer_of(enrolment.request.bytes, request_pem_size_max);
    if (request_make(writer_slice(key.text), name_slice(enrolment.name),
                     enrolment.request.text) == Status::ok) {
        return exit_go_on;
    }
    say("%s/%s: no request could be made with this key", enrolment.folder.path, file.text);
    return exit_refused;
}

// Replaces the certificate of an earlier enrolment, where there is one.
ExitCode keep_certificate(Slice certificate) {
    const FileName file = file_of(".crt");
    const FileName next = file_of(".crt.next");
    Status status = folder_remove(enrolment.folder, next.text);
    if (status == Status::ok || status == Status::absent) {
        status = folder_make(enrolment.folder, next.text, certificate);
    }
    if (status == Status::ok) status = folder_rename(enrolment.folder, next.text, file.text);
    return status == Status::ok ? exit_go_on : refuse_file(file.text, status);
}

ExitCode keep_conf(bool is_there) {
    uint8_t bytes[conf_size_max];
    Writer conf = writer_of(bytes, sizeof bytes);
    if (is_there) return exit_go_on;
    put_conf(conf);
    CHECK(!conf.overflow);
    const Status status = folder_make(enrolment.folder, conf_name, writer_slice(conf));
    return status == Status::ok ? exit_go_on : refuse_file(conf_name, status);
}

// --- All of it ------------------------------------------------------------------------------

ExitCode tell_waiting() {
    const int size = static_cast<int>(enrolment.name.size);
    const char* name = enrolment.name.text;
    say("the request waits for the operator, who types: pennyctl enrol --sign %.*s", size, name);
    say("then run the same command again; %s/%.*s.key must stay where it is",
        enrolment.folder.path, size, name);
    return exit_refused;
}

// Asks until the certificate is there, or the time for that is up.
ExitCode ask_certificate(Client& client) {
    const uint64_t deadline_ms = system_now_ms() + uint64_t{enrolment.wait_s} * 1000;
    for (;;) {
        Reply reply = {};
        Slice state = {};
        Slice certificate = {};
        const Slice request = writer_slice(enrolment.request.text);
        if (ask(client, request, reply) != Outcome::reply) return exit_refused;
        if (!reply_text(reply, "state", state)) return exit_refused;
        if (slice_equal_text(state, "issued")) {
            if (!reply_text(reply, "certificate", certificate)) return exit_refused;
            if (!renew_judge("not enrolled", certificate, writer_slice(enrolment.key.text),
                             name_slice(enrolment.name), writer_slice(enrolment.ca.text))) {
                return exit_refused;
            }
            return keep_certificate(certificate);
        }
        if (system_now_ms() >= deadline_ms) return tell_waiting();
        connection_close(*client.connection);  // It would not be kept open for so long.
        usleep(poll_ms * 1000);
    }
}

ExitCode lock_folder() {
    if (folder_lock(enrolment.folder, false) == Status::ok) {
        folder_sweep(enrolment.folder);
        return exit_go_on;
    }
    say("%s: another penny works there", enrolment.folder.path);
    return exit_refused;
}

ExitCode enrol(Client& client) {
    bool has_conf = false;
    ExitCode code = find_anchor(client);
    if (code == exit_go_on) code = folder_open_at(enrolment.folder, enrolment.dir, true);
    if (code == exit_go_on) code = lock_folder();
    if (code == exit_go_on) code = keep_ca();
    if (code == exit_go_on) code = connect_verified(client);
    if (code == exit_go_on) code = ask_name(client);
    if (code == exit_go_on) code = check_conf(has_conf);
    if (code == exit_go_on) code = need_key();
    if (code == exit_go_on) code = ask_certificate(client);
    if (code == exit_go_on) code = keep_conf(has_conf);
    if (code != exit_go_on) return code;
    const int size = static_cast<int>(enrolment.name.size);
    printf("enrolled %.*s\nuse it with: penny -c %s/%s\n", size, enrolment.name.text,
           enrolment.folder.path, conf_name);
    return exit_done;
}

}  // namespace

ExitCode enrol_run(Client& client, const Options& options) {
    enrolment.folder.fd = -1;
    ExitCode code = take_words(options);
    if (code == exit_go_on) code = enrol(client);
    connection_close(*client.connection);
    tls_config_free(enrolment.tls);
    folder_close(enrolment.folder);
    wipe(&enrolment.key, sizeof enrolment.key);
    wipe(&enrolment.code, sizeof enrolment.code);
    return code;
}
