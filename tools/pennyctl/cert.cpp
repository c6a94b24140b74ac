// cert: certificates made and signed. A row per verb in verbs.def; cert_renew.cpp and cert_list.cpp
// have the others.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/request.h"
#include "pennyctl/cert.h"
#include "port/posix/system.h"

namespace {

// --- The words ------------------------------------------------------------------------------

bool has(const char* options, char letter) { return strchr(options, letter) != nullptr; }

ExitCode take_days(CertWords& out, const char* value) {
    uint64_t days = 0;
    if (parse_decimal(tool_slice(value), days) != Status::ok || days == 0 ||
        days > authority_days_max) {
        return tool_misused_verb(out.verb, "--days takes a number from 1 to %u, not \"%s\"",
                                 authority_days_max, value);
    }
    out.days = static_cast<uint32_t>(days);
    return exit_done;
}

ExitCode take_flag(CertWords& out, const char* option, const ToolWords& words, bool& flag) {
    if (!tool_value_is_absent(words)) {
        return tool_misused_verb(out.verb, "%s takes no value", option);
    }
    flag = true;
    return exit_done;
}

ExitCode take_option(CertWords& out, const char* option, const char* options, ToolWords& words) {
    if (has(options, 'u') && strcmp(option, "--due") == 0) {
        return take_flag(out, option, words, out.due);
    }
    if (has(options, 'c') && strcmp(option, "--csv") == 0) {
        return take_flag(out, option, words, out.csv);
    }
    const bool is_days = has(options, 'd') && strcmp(option, "--days") == 0;
    const bool is_name = has(options, 'n') && strcmp(option, "--name") == 0;
    const bool is_out = has(options, 'o') && strcmp(option, "--out") == 0;
    if (!is_days && !is_name && !is_out) {
        return tool_misused_verb(out.verb, "no option \"%s\"", option);
    }
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused_verb(out.verb, "%s needs a value", option);
    if (is_days) return take_days(out, value);
    if (is_out) {
        out.out = value;
        return exit_done;
    }
    if (out.name_count == cert_names_max) {
        return tool_misused_verb(out.verb, "--name may be given %u times at most", cert_names_max);
    }
    out.names[out.name_count++] = value;
    return exit_done;
}

// A bank is a folder or a file that is there; a name of a certificate is neither.
bool is_bank(const char* word) {
    struct stat facts;
    return strchr(word, '/') != nullptr || stat(word, &facts) == 0;
}

// Takes the words of the verb, and the bank behind them if it is named.
ExitCode take_words(CertWords& out, const CertTakes& takes, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    memset(&out, 0, sizeof out);
    out.verb = takes.verb;
    while (const char* word = tool_next(words, is_option)) {
        ExitCode code = exit_done;
        const bool is_enough = out.word_count >= takes.least;
        if (is_option) {
            code = take_option(out, word, takes.options, words);
        } else if (out.bank != nullptr) {
            code = tool_misused_verb(takes.verb, "what is \"%s\"", word);
        } else if (is_enough && (out.word_count == takes.most || is_bank(word))) {
            out.bank = word;
        } else if (out.word_count == cert_words_max) {
            code = tool_misused_verb(takes.verb, "at most %u words at a time", cert_words_max);
        } else {
            out.words[out.word_count++] = word;
        }
        if (code != exit_done) return code;
    }
    if (out.due && out.word_count == 1 && out.bank == nullptr && is_bank(out.words[0])) {
        out.bank = out.words[0];
        out.word_count = 0;
    }
    if (out.word_count >= takes.least || out.due) return exit_done;
    return tool_misused_verb(takes.verb, "%s", takes.wanted);
}

}  // namespace

ExitCode cert_check_name(const char* text) {
    Name name = {};
    if (parse_name(tool_slice(text), name) != Status::ok) {
        return tool_refuse("%s is no name: a letter and up to 30 of [a-z0-9._-], not ending in '.'",
                           text);
    }
    if (!name_is_reserved(name) && !authority_is_word(text)) return exit_done;
    return tool_refuse("%s: the name is reserved", text);
}

ToolPath cert_whole(const Cert& cert, const char* path) {
    return place_resolve(cert.authority.place, path);
}

ExitCode cert_check_hosts(const Cert& cert) {
    for (uint32_t i = 0; i < cert.words.name_count; i++) {
        const char* name = cert.words.names[i];
        if (certificate_host_is_valid(tool_slice(name))) continue;
        return tool_misused_verb(cert.words.verb,
                                 "--name takes a host's name or address, not \"%s\"", name);
    }
    return exit_done;
}

ExitCode cert_enter(Cert& cert, CertificateKind kind, bool by_issuing) {
    Authority& authority = cert.authority;
    const IssuedSigner signer = kind == CertificateKind::authority ? IssuedSigner::self
                                : by_issuing                       ? IssuedSigner::issuing
                                                                   : IssuedSigner::ca;
    return authority_enter(authority.made, authority.folder.text, pem_slice(cert.certificate), kind,
                           signer);
}

ExitCode cert_folder(Cert& cert, const char* name) {
    const MadePath path = authority_path(cert.authority, name, "");
    if (made_folder(cert.authority.made, path.text, 0755) == Status::ok) return exit_done;
    return tool_refuse("%s: %s", cert_whole(cert, path.text).text, strerror(errno));
}

ExitCode cert_sync(Cert& cert) {
    if (made_sync(cert.authority.made) == Status::ok) return exit_done;
    return tool_refuse("%s: %s", cert.authority.place.folder.text, strerror(errno));
}

ExitCode cert_tell(const Cert& cert, const char* name, const char* path, const char* key_path) {
    CertificateFacts facts = {};
    const Status status = certificate_read(pem_slice(cert.certificate), facts);
    CHECK(status == Status::ok);
    printf("%s: %s", name, path);
    if (key_path != nullptr) printf(" and %s", key_path);
    printf(", until %s, serial ", day_text(facts.not_after_ms).text);
    for (uint32_t i = 0; i < facts.serial_size; i++) printf("%02x", facts.serial[i]);
    printf("\n");
    return exit_done;
}

int cert_run(const CertTakes& takes, int argc, char** argv, ExitCode (*act)(Cert& cert)) {
    static Cert cert;
    ExitCode code = take_words(cert.words, takes, argc, argv);
    if (code == exit_done) code = authority_open(cert.authority, cert.words.bank);
    if (code != exit_done) return code;
    pem_clear(cert.key);
    code = act(cert);
    if (code != exit_done) made_undo(cert.authority.made);
    authority_close(cert.authority);
    wipe(&cert.key, sizeof cert.key);
    return tool_flushed(code);
}

namespace {

CertificateRequest client_request(const Cert& cert, const char* name) {
    return {CertificateKind::client, tool_slice(name), nullptr, 0, cert.authority.wall_ms,
            cert.words.days};
}

ExitCode refuse_if_there(const Cert& cert, const char* path, const char* instead) {
    if (!made_is_there(cert.authority.made, path)) return exit_done;
    return tool_refuse("%s is there already; %s", cert_whole(cert, path).text, instead);
}

MadePath client_path(const Cert& cert, const char* name, const char* ending) {
    char text[name_size_max + 16];
    snprintf(text, sizeof text, "clients/%s", name);
    return authority_path(cert.authority, text, ending);
}

const Signer& signer_of(const Cert& cert, bool by_issuing) {
    return by_issuing ? cert.authority.issuing : cert.authority.ca;
}

// A key that a cut has left without its certificate is taken, since none is ever replaced.
ExitCode read_key(Cert& cert, const char* path) {
    uint32_t size = 0;
    const ToolPath whole = cert_whole(cert, path);
    const Status status = system_read_file(whole.text, cert.key.bytes, sizeof cert.key.bytes, size);
    if (status == Status::absent) return exit_done;
    if (status != Status::ok) {
        return tool_refuse("%s: %s", whole.text,
                           status == Status::full ? "too long" : strerror(errno));
    }
    cert.key.text.size = size;
    const Slice text = pem_slice(cert.key);
    if (certificate_key_is_readable(text)) return exit_done;
    return tool_refuse("%s holds no readable private key, and none is ever replaced; move it away "
                       "first", whole.text);
}

// --- client and sign ------------------------------------------------------------------------

// Signs for a terminal and writes what was made. `key_path` is empty where the key is elsewhere.
ExitCode write_client(Cert& cert, bool by_issuing, const char* path, const char* key_path) {
    Made& made = cert.authority.made;
    ExitCode code = cert_enter(cert, CertificateKind::client, by_issuing);
    if (code == exit_done && key_path != nullptr) {
        code = authority_write(made, key_path, key_mode, pem_slice(cert.key));
    }
    if (code == exit_done) {
        code = authority_write(made, path, public_mode, pem_slice(cert.certificate));
    }
    return code == exit_done ? cert_sync(cert) : code;
}

ExitCode make_client(Cert& cert) {
    const char* name = cert.words.words[0];
    bool by_issuing = false;
    ExitCode code = cert_check_name(name);
    if (code != exit_done) return code;
    const MadePath path = client_path(cert, name, "crt");
    const MadePath key_path = client_path(cert, name, "key");
    code = refuse_if_there(cert, path.text, "pennyctl cert renew makes a certificate anew");
    if (code == exit_done) code = authority_need_signer(cert.authority, by_issuing);
    if (code == exit_done) code = cert_folder(cert, "clients");
    if (code == exit_done) code = read_key(cert, key_path.text);
    const bool has_key = cert.key.text.size > 0;
    if (code == exit_done) {
        code = signer_sign(signer_of(cert, by_issuing), client_request(cert, name), {}, cert.key,
                           cert.certificate);
    }
    if (code == exit_done) {
        code = write_client(cert, by_issuing, path.text, has_key ? nullptr : key_path.text);
    }
    if (code != exit_done) return code;
    return cert_tell(cert, name, cert_whole(cert, path.text).text,
                     cert_whole(cert, key_path.text).text);
}

// A path that was typed is relative to where it was typed, and not to the bank's folder.
ExitCode write_elsewhere(Cert& cert, bool by_issuing, const char* path) {
    Made here = {};
    ExitCode code = cert_enter(cert, CertificateKind::client, by_issuing);
    if (code != exit_done) return code;
    if (made_look(here, ".") != Status::ok) return tool_refuse(".: %s", strerror(errno));
    code = authority_write(here, path, public_mode, pem_slice(cert.certificate));
    made_close(here);
    return code;
}

ExitCode read_request(const char* path, uint8_t* out, uint32_t capacity, Slice& csr) {
    uint32_t size = 0;
    const Status status = system_read_file(path, out, capacity, size);
    csr = {out, size};
    if (status == Status::full) return tool_refuse("%s is too long for a request", path);
    return status == Status::ok ? exit_done : tool_refuse("%s: %s", path, strerror(errno));
}

ExitCode sign(Cert& cert) {
    static uint8_t bytes[request_pem_size_max + 1];
    const CertWords& words = cert.words;
    if (words.name_count != 1) {
        return tool_misused_verb(words.verb, "it wants one --name, whom the certificate is for");
    }
    const char* name = words.names[0];
    const char* elsewhere = words.out;
    Slice csr = {};
    bool by_issuing = false;
    ExitCode code = cert_check_name(name);
    if (code == exit_done) code = read_request(words.words[0], bytes, sizeof bytes, csr);
    if (code == exit_done && csr.size == 0) code = tool_refuse("%s is empty", words.words[0]);
    if (code != exit_done) return code;
    const MadePath path = client_path(cert, name, "crt");
    if (elsewhere == nullptr) {
        code = refuse_if_there(cert, path.text, "--out FILE writes it elsewhere");
    }
    if (code == exit_done) code = authority_need_signer(cert.authority, by_issuing);
    if (code == exit_done && elsewhere == nullptr) code = cert_folder(cert, "clients");
    if (code == exit_done) {
        code = signer_sign(signer_of(cert, by_issuing), client_request(cert, name), csr, cert.key,
                           cert.certificate);
    }
    if (code != exit_done) return code;
    code = elsewhere != nullptr ? write_elsewhere(cert, by_issuing, elsewhere)
                                : write_client(cert, by_issuing, path.text, nullptr);
    if (code != exit_done) return code;
    const ToolPath whole = cert_whole(cert, path.text);
    return cert_tell(cert, name, elsewhere != nullptr ? elsewhere : whole.text, nullptr);
}

// --- server ---------------------------------------------------------------------------------

const char* listen_address(const Config& config) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        if (strcmp(config.listeners[i].channel, "tls") == 0) return config.listeners[i].address;
    }
    return "127.0.0.1";
}

ExitCode make_server(Cert& cert) {
    Authority& authority = cert.authority;
    ExitCode code = cert_check_hosts(cert);
    if (code == exit_done) {
        code = refuse_if_there(cert, authority.certificate.text,
                               "pennyctl cert renew server makes it anew, with --name HOST for "
                               "further names");
    }
    if (code == exit_done) code = authority_need_ca(authority);
    if (code == exit_done) code = read_key(cert, authority.key.text);
    if (code != exit_done) return code;
    const bool has_key = cert.key.text.size > 0;
    HostList& hosts = cert.hosts;
    host_list_fill(hosts, listen_address(authority.place.config), cert.words.names,
                   cert.words.name_count);
    const CertificateRequest request = {CertificateKind::server, hosts.rows[0], hosts.rows,
                                        hosts.count, authority.wall_ms, cert.words.days};
    code = signer_sign(authority.ca, request, {}, cert.key, cert.certificate);
    if (code == exit_done) code = cert_enter(cert, CertificateKind::server, false);
    if (code == exit_done && !has_key) {
        code = authority_write(authority.made, authority.key.text, key_mode, pem_slice(cert.key));
    }
    if (code == exit_done) {
        code = authority_write(authority.made, authority.certificate.text, public_mode,
                               pem_slice(cert.certificate));
    }
    if (code == exit_done) code = cert_sync(cert);
    if (code != exit_done) return code;
    code = cert_tell(cert, "server", cert_whole(cert, authority.certificate.text).text,
                     cert_whole(cert, authority.key.text).text);
    (void)authority_tell_server(authority);
    return code;
}

// --- issuing --------------------------------------------------------------------------------

// Whether the intermediate that is there is of no more use.
ExitCode find_out_if_over(Authority& authority, bool& is_over) {
    KnownList known = {};
    const CertificateFacts& facts = authority.issuing.facts;
    const ExitCode code = authority_find(authority, known);
    if (code != exit_done) return code;
    is_over = facts.not_after_ms <= authority.wall_ms;
    for (uint32_t i = 0; i < known.count; i++) {
        const IssuedRow& row = known.rows[i].row;
        const bool is_it = row.kind == CertificateKind::issuing &&
                           slice_equal({row.serial, row.serial_size},
                                       {facts.serial, facts.serial_size});
        if (is_it && known.rows[i].is_revoked) is_over = true;
    }
    known_free(known);
    return exit_done;
}

// Puts what is of no more use out of the way, under its serial number.
ExitCode move_issuing_away(Cert& cert) {
    Authority& authority = cert.authority;
    const CertificateFacts& facts = authority.issuing.facts;
    uint8_t hex[2 * certificate_serial_size_max];
    char text[64];
    Writer serial = writer_of(hex, sizeof hex);
    put_hex(serial, {facts.serial, facts.serial_size});
    snprintf(text, sizeof text, "old/issuing-%.*s", static_cast<int>(serial.size),
             reinterpret_cast<char*>(hex));
    const ExitCode code = cert_folder(cert, "old");
    if (code != exit_done) return code;
    constexpr const char* endings[] = {"crt", "key"};
    for (const char* ending : endings) {
        const MadePath from = authority_path(authority, "issuing", ending);
        const MadePath to = authority_path(authority, text, ending);
        const int fd = authority.made.folder_fd;
        if (renameat(fd, from.text, fd, to.text) == 0 || errno == ENOENT) continue;
        return tool_refuse("%s: %s", cert_whole(cert, from.text).text, strerror(errno));
    }
    return exit_done;
}

ExitCode judge_issuing(Cert& cert, bool& is_over) {
    Authority& authority = cert.authority;
    const MadePath path = authority_path(authority, "issuing", "crt");
    ExitCode code = authority_need_ca(authority);
    if (code != exit_done) return code;
    if (authority.ca.facts.authorities_below == 0) {
        return tool_refuse("%s allows for no authority below it, as older ones do; pennyctl cert "
                           "renew ca makes it anew with the same key",
                           cert_whole(cert, authority_path(authority, "ca", "crt").text).text);
    }
    if (authority.issuing.certificate.text.size > 0) {
        code = find_out_if_over(authority, is_over);
        if (code != exit_done || is_over) return code;
        return tool_refuse("%s is there already; pennyctl cert renew issuing makes it anew, and "
                           "pennyctl cert revoke issuing ends it",
                           cert_whole(cert, path.text).text);
    }
    return read_key(cert, authority_path(authority, "issuing", "key").text);
}

// Its list is written with it, since nobody looks for a list that is not there.
ExitCode write_issuing(Cert& cert, const Signer& made) {
    Authority& authority = cert.authority;
    uint32_t added = 0;
    ExitCode code = exit_done;
    if (cert.key.text.size == 0) {
        code = authority_write(authority.made, authority_path(authority, "issuing", "key").text,
                               key_mode, pem_slice(made.key));
    }
    if (code == exit_done) {
        code = authority_write(authority.made, authority_path(authority, "issuing", "crt").text,
                               public_mode, pem_slice(made.certificate));
    }
    if (code == exit_done) code = cert_sync(cert);
    if (code == exit_done) code = authority_look(authority);
    return code == exit_done ? authority_revoke(authority, nullptr, 0, added) : code;
}

ExitCode make_issuing(Cert& cert) {
    static Signer made;
    Authority& authority = cert.authority;
    bool is_over = false;
    ExitCode code = judge_issuing(cert, is_over);
    if (code == exit_done) {
        pem_clear(made.key);
        put_bytes(made.key.text, pem_slice(cert.key));
        code = signer_make("Pennybank issuing", CertificateKind::issuing, &authority.ca,
                           authority.wall_ms, cert.words.days, made);
    }
    if (code == exit_done) {
        pem_clear(cert.certificate);
        put_bytes(cert.certificate.text, pem_slice(made.certificate));
        code = cert_enter(cert, CertificateKind::issuing, false);
    }
    if (code == exit_done && is_over) code = move_issuing_away(cert);
    if (code == exit_done) code = write_issuing(cert, made);
    wipe(&made, sizeof made);
    if (code != exit_done) return code;
    code = cert_tell(cert, "issuing",
                     cert_whole(cert, authority_path(authority, "issuing", "crt").text).text,
                     cert_whole(cert, authority_path(authority, "issuing", "key").text).text);
    printf("Its list is on %s.\n", cert_whole(cert, authority.crl.text).text);
    (void)authority_tell_server(authority);
    return code;
}

}  // namespace

int verb_cert_client(int argc, char** argv) {
    return cert_run({"cert client", 1, 1, "whose", "d"}, argc, argv, make_client);
}

int verb_cert_server(int argc, char** argv) {
    return cert_run({"cert server", 0, 0, "", "dn"}, argc, argv, make_server);
}

int verb_cert_issuing(int argc, char** argv) {
    return cert_run({"cert issuing", 0, 0, "", "d"}, argc, argv, make_issuing);
}

int verb_cert_sign(int argc, char** argv) {
    return cert_run({"cert sign", 1, 1, "the FILE of the request", "dno"}, argc, argv, sign);
}
