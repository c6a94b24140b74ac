#include "pennyctl/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "pennyctl/offline.h"
#include "port/posix/store.h"
#include "port/posix/system.h"

namespace {

constexpr const char* usual_folder = "certs";
constexpr const char* usual_crl = "certs/crl.pem";
constexpr uint32_t bundle_size_max = 65536;  // bytes of a file of CAs

MadePath made_path(const char* folder, const char* name, const char* ending) {
    MadePath path = {};
    const char* dot = ending[0] == '\0' ? "" : ".";
    const int size = snprintf(path.text, sizeof path.text, "%s/%s%s%s", folder, name, dot, ending);
    CHECK(size > 0);
    if (static_cast<uint32_t>(size) >= sizeof path.text) path.text[0] = '\0';
    return path;
}

MadePath path_of(const char* text) {
    MadePath path = {};
    CHECK(strlen(text) < sizeof path.text);
    memcpy(path.text, text, strlen(text));
    return path;
}

const ListenerConfig* first_tls(const Config& config) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        if (strcmp(config.listeners[i].channel, "tls") == 0) return &config.listeners[i];
    }
    return nullptr;
}

// Where everything is: as the configuration says, or as `init` makes it.
void find_paths(Authority& authority) {
    const bool has_conf = authority.place.conf.text[0] != '\0';
    const ListenerConfig* listener = has_conf ? first_tls(authority.place.config) : nullptr;
    authority.folder = path_of(usual_folder);
    authority.crl = path_of(usual_crl);
    if (listener != nullptr && listener->ca[0] != '\0') {
        authority.folder = path_of(listener->ca);
        char* slash = strrchr(authority.folder.text, '/');
        if (slash == nullptr) {
            authority.folder = path_of(".");
        } else {
            slash[slash == authority.folder.text ? 1 : 0] = '\0';
        }
        authority.crl = made_path(authority.folder.text, "crl", "pem");
    }
    authority.certificate = made_path(authority.folder.text, "server", "crt");
    authority.key = made_path(authority.folder.text, "server", "key");
    if (listener == nullptr) return;
    authority.crl_is_named = listener->crl[0] != '\0';
    if (authority.crl_is_named) authority.crl = path_of(listener->crl);
    if (listener->certificate[0] != '\0') authority.certificate = path_of(listener->certificate);
    if (listener->key[0] != '\0') authority.key = path_of(listener->key);
}

ExitCode find_bank(Authority& authority, const char* given) {
    static uint8_t said[PATH_MAX + config_error_size_max];
    Writer error = writer_of(said, sizeof said);
    if (given == nullptr) given = offline_default();
    if (given == nullptr) {
        return tool_refuse("which bank? There is no ./pennyd.conf and no /etc/pennyd/pennyd.conf; "
                           "name its folder or its configuration");
    }
    const ExitCode code = place_find(given, authority.place, error);
    if (code != exit_done) return code;
    // Where the CA's key is kept apart there may be no bank around it.
    if (authority.place.conf.text[0] == '\0') authority.place.folder = tool_path("", given);
    find_paths(authority);
    return exit_done;
}

ExitCode lock(Authority& authority) {
    const ToolPath folder = place_resolve(authority.place, authority.folder.text);
    authority.lock_fd = open(folder.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (authority.lock_fd < 0) {
        return tool_refuse("%s: %s; pennyctl init makes a bank with its certificates", folder.text,
                           strerror(errno));
    }
    if (flock(authority.lock_fd, LOCK_EX) == 0) return exit_done;
    return tool_refuse("%s cannot be locked: %s", folder.text, strerror(errno));
}

// Reads a file; an empty text for one that is not there.
ExitCode read_text(const Authority& authority, const char* path, uint8_t* out, uint32_t capacity,
                   uint32_t& size) {
    const ToolPath whole = place_resolve(authority.place, path);
    const Status status = system_read_file(whole.text, out, capacity, size);
    if (status == Status::ok || status == Status::absent) return exit_done;
    if (status == Status::full) return tool_refuse("%s is too long", whole.text);
    return tool_refuse("%s: %s", whole.text, strerror(errno));
}

ExitCode read_pem(const Authority& authority, const char* path, Pem& out) {
    uint32_t size = 0;
    pem_clear(out);
    const ExitCode code = read_text(authority, path, out.bytes, sizeof out.bytes, size);
    if (code == exit_done) out.text.size = size;
    return code;
}

ExitCode refuse_text(const Authority& authority, const char* path, const char* why) {
    return tool_refuse("%s %s", place_resolve(authority.place, path).text, why);
}

// The certificates of ca.crt, one by one.
bool next_ca(Slice& bundle, Slice& found) {
    if (certificate_first(bundle, found) != Status::ok) return false;
    const uint32_t used = static_cast<uint32_t>(found.data - bundle.data) + found.size;
    bundle = slice_part(bundle, used, bundle.size);
    return true;
}

// Of a file of several CAs the one that the key belongs to; the first where there is no key.
ExitCode choose_certificate(const Authority& authority, const char* path, Signer& signer,
                            Slice bundle) {
    bool has_any = false;
    Slice found = {};
    while (next_ca(bundle, found)) {
        CertificateFacts facts = {};
        const bool is_sound = certificate_read(found, facts) == Status::ok;
        const bool is_it = is_sound && found.size <= sizeof signer.certificate.bytes &&
                           (signer.key.text.size == 0 ||
                            certificate_match(found, pem_slice(signer.key)) == Status::ok);
        has_any = has_any || is_sound;
        if (!is_it) continue;
        pem_clear(signer.certificate);
        put_bytes(signer.certificate.text, found);
        signer.facts = facts;
        return exit_done;
    }
    return refuse_text(authority, path, has_any ? "and the key beside it do not belong together"
                                                : "holds no readable certificate");
}

ExitCode read_signer(Authority& authority, const char* name, Signer& signer) {
    static uint8_t bundle[bundle_size_max];
    uint32_t size = 0;
    const MadePath certificate = authority_path(authority, name, "crt");
    const MadePath key = authority_path(authority, name, "key");
    pem_clear(signer.certificate);
    ExitCode code = read_pem(authority, key.text, signer.key);
    if (code == exit_done) {
        code = read_text(authority, certificate.text, bundle, sizeof bundle, size);
    }
    if (code != exit_done || size == 0) return code;
    return choose_certificate(authority, certificate.text, signer, {bundle, size});
}

ExitCode need(const Authority& authority, const Signer& signer, const char* name,
              const char* what) {
    const ToolPath key =
        place_resolve(authority.place, authority_path(authority, name, "key").text);
    const ToolPath certificate =
        place_resolve(authority.place, authority_path(authority, name, "crt").text);
    if (signer.certificate.text.size == 0) {
        return tool_refuse("%s is not there; %s", certificate.text, what);
    }
    if (signer.key.text.size == 0) {
        return tool_refuse("%s is not there; where it is kept apart, put it back for as long as "
                           "this takes, or do this where it is", key.text);
    }
    if (system_is_exposed(key.text)) {
        return tool_refuse("%s: the key can be read by others; run `chmod 600` on it", key.text);
    }
    if (!signer.facts.is_authority) {
        return tool_refuse("%s is no authority's certificate", certificate.text);
    }
    if (signer.facts.not_after_ms > authority.wall_ms) return exit_done;
    return tool_refuse("%s ended on %s; pennyctl cert renew %s makes it anew", certificate.text,
                       day_text(signer.facts.not_after_ms).text, name);
}

ExitCode refuse_making(const char* what, Status status) {
    return tool_refuse("%s cannot be made: %s", what, status_meaning(status));
}

CertificateIssuer issuer_of(const Signer& signer) {
    return {pem_slice(signer.certificate), pem_slice(signer.key)};
}

// Behind a certificate of an intermediate stands its own, since nobody else has that.
ExitCode put_chain(const Signer& signer, Pem& certificate) {
    if (memcmp(signer.facts.subject_hash, signer.facts.issuer_hash, hash_size) != 0) {
        put_bytes(certificate.text, pem_slice(signer.certificate));
    }
    CHECK(!certificate.text.overflow);
    return exit_done;
}

}  // namespace

void pem_clear(Pem& pem) { pem.text = writer_of(pem.bytes, sizeof pem.bytes); }

Slice pem_slice(const Pem& pem) { return writer_slice(pem.text); }

MadePath authority_path(const Authority& authority, const char* name, const char* ending) {
    if (authority.place.conf.text[0] != '\0' && strcmp(name, "issuing") == 0) {
        const Config& config = authority.place.config;
        const bool is_key = strcmp(ending, "key") == 0;
        return path_of(is_key ? config.issuing_key : config.issuing_certificate);
    }
    return made_path(authority.folder.text, name, ending);
}

bool authority_is_word(const char* name) {
    constexpr const char* words[] = {"ca", "issuing", "server", "crl"};
    for (const char* word : words) {
        if (strcmp(name, word) == 0) return true;
    }
    return false;
}

ExitCode authority_open(Authority& authority, const char* given) {
    memset(&authority, 0, sizeof authority);
    authority.lock_fd = -1;
    authority.made.folder_fd = -1;
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    authority.wall_ms = tool_wall_ms();
    crypto_clock_set(authority.wall_ms);
    ExitCode code = tool_check_clock(authority.wall_ms);
    if (code == exit_done) code = find_bank(authority, given);
    if (code == exit_done) code = lock(authority);
    if (code == exit_done) {
        const char* folder = authority.place.folder.text;
        if (made_look(authority.made, folder) != Status::ok || authority.made.folder_fd < 0) {
            code = tool_refuse("%s: %s", folder, strerror(errno));
        }
    }
    if (code == exit_done) code = authority_look(authority);
    if (code != exit_done) authority_close(authority);
    return code;
}

ExitCode authority_look(Authority& authority) {
    const ExitCode code = read_signer(authority, "ca", authority.ca);
    return code == exit_done ? read_signer(authority, "issuing", authority.issuing) : code;
}

void authority_close(Authority& authority) {
    made_close(authority.made);
    if (authority.lock_fd >= 0) close(authority.lock_fd);
    authority.lock_fd = -1;
    wipe(&authority.ca, sizeof authority.ca);
    wipe(&authority.issuing, sizeof authority.issuing);
}

ExitCode authority_need_ca(const Authority& authority) {
    return need(authority, authority.ca, "ca", "pennyctl init makes a bank with its own CA");
}

ExitCode authority_need_issuing(const Authority& authority) {
    return need(authority, authority.issuing, "issuing", "pennyctl cert issuing makes it");
}

ExitCode authority_need_signer(const Authority& authority, bool& is_issuing) {
    is_issuing = authority.ca.key.text.size == 0 && authority.issuing.key.text.size > 0;
    return is_issuing ? authority_need_issuing(authority) : authority_need_ca(authority);
}

// --- Making certificates ---

ExitCode signer_make(const char* words, CertificateKind kind, const Signer* by, uint64_t wall_ms,
                     uint32_t days, Signer& out) {
    uint8_t number[4];
    if (crypto_random(number, sizeof number) != Status::ok) {
        return tool_refuse("the system gives no random bytes");
    }
    uint8_t text[certificate_name_size_max];
    Writer name = writer_of(text, sizeof text);
    put_text(name, words);
    put_u8(name, ' ');
    put_hex(name, {number, sizeof number});
    CHECK(!name.overflow);
    pem_clear(out.certificate);
    const CertificateRequest request = {kind, writer_slice(name), nullptr, 0, wall_ms, days};
    Status status = Status::ok;
    if (out.key.text.size == 0) {
        pem_clear(out.key);
        status = certificate_make_key(out.key.text);
    }
    if (status == Status::ok) {
        const CertificateIssuer issuer = by == nullptr ? CertificateIssuer{} : issuer_of(*by);
        status = certificate_make(request, pem_slice(out.key), issuer, out.certificate.text);
    }
    if (status == Status::ok) status = certificate_read(pem_slice(out.certificate), out.facts);
    return status == Status::ok ? exit_done : refuse_making("the authority", status);
}

ExitCode signer_sign(const Signer& signer, const CertificateRequest& request, Slice csr, Pem& key,
                     Pem& certificate) {
    pem_clear(certificate);
    Status status = Status::ok;
    if (csr.size > 0) {
        const char* reason = nullptr;
        status = certificate_sign(request, csr, issuer_of(signer), certificate.text, reason);
        if (status != Status::ok) return tool_refuse("the request is refused: %s", reason);
        return put_chain(signer, certificate);
    }
    if (key.text.size == 0) status = certificate_make_key(key.text);
    if (status == Status::ok) {
        status = certificate_make(request, pem_slice(key), issuer_of(signer), certificate.text);
    }
    return status == Status::ok ? put_chain(signer, certificate)
                                : refuse_making("the certificate", status);
}

ExitCode signer_sign_again(const Signer& signer, const CertificateRequest& request, Slice old_pem,
                           Pem& certificate) {
    pem_clear(certificate);
    const Status status = certificate_renew(request, old_pem, issuer_of(signer), certificate.text);
    return status == Status::ok ? put_chain(signer, certificate)
                                : refuse_making("the certificate", status);
}

void host_list_add(HostList& hosts, Slice host) {
    if (!certificate_host_is_valid(host) || hosts.count == certificate_hosts_max) return;
    for (uint32_t i = 0; i < hosts.count; i++) {
        char text[certificate_host_size_max + 1] = {};
        memcpy(text, host.data, host.size);
        if (slice_equal_nocase(hosts.rows[i], text)) return;
    }
    hosts.rows[hosts.count++] = host;
}

void host_list_fill(HostList& hosts, const char* address, const char* const* names,
                    uint32_t count) {
    host_list_add(hosts, slice_of("localhost"));
    host_list_add(hosts, slice_of("127.0.0.1"));
    host_list_add(hosts, slice_of("::1"));
    char* host = hosts.own[0];
    if (gethostname(host, certificate_host_size_max) == 0 && host[0] != '\0') {
        host_list_add(hosts, slice_of(host));
        const int size = static_cast<int>(strcspn(host, "."));
        snprintf(hosts.own[1], sizeof hosts.own[1], "%.*s.local", size, host);
        host_list_add(hosts, slice_of(hosts.own[1]));
    }
    if (strcmp(address, "0.0.0.0") != 0 && strcmp(address, "::") != 0) {
        host_list_add(hosts, slice_of(address));
    }
    for (uint32_t i = 0; i < count; i++) host_list_add(hosts, slice_of(names[i]));
}

ExitCode authority_enter(Made& made, const char* folder, Slice pem, CertificateKind kind,
                         IssuedSigner signer) {
    const MadePath path = made_path(folder, "issued", "");
    IssuedRow row = {};
    uint8_t text[issued_line_size_max];
    Writer line = writer_of(text, sizeof text);
    const Status status = issued_row_of(pem, kind, signer, row);
    if (status != Status::ok) return refuse_making("a line of the register", status);
    issued_put_line(row, line);
    CHECK(!line.overflow);
    if (made_append(made, path.text, key_mode, writer_slice(line)) == Status::ok) return exit_done;
    return tool_refuse("%s/%s: %s", made.folder, path.text, strerror(errno));
}

ExitCode authority_write(Made& made, const char* path, uint32_t mode, Slice bytes) {
    if (made_file(made, path, mode, bytes) == Status::ok) return exit_done;
    const char* folder = path[0] == '/' ? "" : made.folder;
    return tool_refuse("%s%s%s: %s", folder, folder[0] == '\0' ? "" : "/", path, strerror(errno));
}

ExitCode authority_replace(Made& made, const char* path, Slice bytes) {
    if (made_replace(made, path, public_mode, bytes) == Status::ok) return exit_done;
    const char* folder = path[0] == '/' ? "" : made.folder;
    return tool_refuse("%s%s%s: %s", folder, folder[0] == '\0' ? "" : "/", path, strerror(errno));
}

namespace {

Slice read_bundle(const Authority& authority) {
    static uint8_t bytes[bundle_size_max];
    uint32_t size = 0;
    const ToolPath path =
        place_resolve(authority.place, authority_path(authority, "ca", "crt").text);
    const Status status = system_read_file(path.text, bytes, sizeof bytes, size);
    return {bytes, status == Status::ok ? size : 0};
}

}  // namespace

ExitCode authority_replace_ca(Authority& authority, Slice pem) {
    static uint8_t bytes[bundle_size_max + certificate_pem_size_max];
    Writer out = writer_of(bytes, sizeof bytes);
    Slice bundle = read_bundle(authority);
    Slice found = {};
    while (next_ca(bundle, found)) {
        const bool is_it = slice_equal(found, pem_slice(authority.ca.certificate));
        put_bytes(out, is_it ? pem : found);
    }
    CHECK(!out.overflow);
    return authority_replace(authority.made, authority_path(authority, "ca", "crt").text,
                             writer_slice(out));
}

bool authority_has_ca(const Authority& authority, const uint8_t subject_hash[hash_size]) {
    Slice bundle = read_bundle(authority);
    Slice found = {};
    while (next_ca(bundle, found)) {
        CertificateFacts facts = {};
        if (certificate_read(found, facts) != Status::ok) continue;
        if (memcmp(facts.subject_hash, subject_hash, hash_size) == 0) return true;
    }
    return false;
}

// --- Telling ---

DayText day_text(uint64_t wall_ms) {
    uint8_t text[32];
    Writer writer = writer_of(text, sizeof text);
    put_utc(writer, wall_ms);
    DayText day = {};
    memcpy(day.text, text, sizeof day.text - 1);
    return day;
}

bool authority_tell_server(const Authority& authority) {
    const uint32_t pid = store_lock_holder(store_calls_posix, authority.place.data.text);
    if (pid == 0) return false;
    printf("The server runs as process %u: `kill -HUP %u`, or RELOAD as an admin, lets it take "
           "this up.\n", pid, pid);
    return true;
}
