#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/jose.h"
#include "crypto/revocation.h"
#include "pennyctl/init.h"

namespace {

constexpr uint32_t key_mode = 0600;
constexpr uint32_t public_mode = 0644;

// A text of PEM in memory of its own.
struct Pem {
    uint8_t bytes[certificate_pem_size_max];
    Writer text;
};

// What the server's certificate names. Texts that were put together lie in `own`.
struct Hosts {
    Slice rows[certificate_hosts_max];
    uint32_t count;
    char own[2][certificate_host_size_max + 8];
};

struct Authority {
    Pem certificate;
    Pem key;
};

void pem_clear(Pem& pem) { pem.text = writer_of(pem.bytes, sizeof pem.bytes); }

Slice pem_slice(const Pem& pem) { return writer_slice(pem.text); }

void add_host(Hosts& hosts, const char* host) {
    const Slice text = tool_slice(host);
    if (!certificate_host_is_valid(text)) return;
    for (uint32_t i = 0; i < hosts.count; i++) {
        if (slice_equal_nocase(hosts.rows[i], host)) return;
    }
    CHECK(hosts.count < certificate_hosts_max);
    hosts.rows[hosts.count++] = text;
}

// localhost and its addresses, this machine's name and its name on the local network, the address
// to listen on, and the names given.
void collect_hosts(const InitOptions& options, Hosts& hosts) {
    static_assert(6 + init_hosts_max <= certificate_hosts_max);
    hosts = {};
    add_host(hosts, "localhost");
    add_host(hosts, "127.0.0.1");
    add_host(hosts, "::1");
    char* host = hosts.own[0];
    if (gethostname(host, certificate_host_size_max) == 0 && host[0] != '\0') {
        add_host(hosts, host);
        const int size = static_cast<int>(strcspn(host, "."));
        snprintf(hosts.own[1], sizeof hosts.own[1], "%.*s.local", size, host);
        add_host(hosts, hosts.own[1]);
    }
    if (strcmp(options.address, "0.0.0.0") != 0 && strcmp(options.address, "::") != 0) {
        add_host(hosts, options.address);
    }
    for (uint32_t i = 0; i < options.host_count; i++) add_host(hosts, options.hosts[i]);
}

ExitCode refuse_file(const Made& made, const char* path) {
    return tool_refuse("%s/%s: %s", made.folder, path, strerror(errno));
}

ExitCode refuse_making(const char* what, Status status) {
    return tool_refuse("cannot make %s: %s", what, status_meaning(status));
}

ExitCode write_file(Made& made, const char* path, uint32_t mode, const Pem& pem) {
    if (made_file(made, path, mode, pem_slice(pem)) != Status::ok) return refuse_file(made, path);
    return exit_done;
}

ExitCode make_authority(Made& made, uint64_t wall_ms, Authority& out) {
    uint8_t number[4];
    if (crypto_random(number, sizeof number) != Status::ok) {
        return tool_refuse("the system gives no random bytes");
    }
    // A number in the name keeps the authorities of two banks apart in one list of trusted ones.
    uint8_t text[32];
    Writer name = writer_of(text, sizeof text);
    put_text(name, "Pennybank CA ");
    put_hex(name, {number, sizeof number});

    pem_clear(out.key);
    pem_clear(out.certificate);
    Status status = certificate_make_key(out.key.text);
    if (status == Status::ok) {
        const CertificateRequest request = {CertificateKind::authority, writer_slice(name), nullptr,
                                            0, wall_ms};
        status = certificate_make(request, pem_slice(out.key), {}, out.certificate.text);
    }
    if (status != Status::ok) return refuse_making("the authority", status);
    const ExitCode code = write_file(made, "certs/ca.key", key_mode, out.key);
    if (code != exit_done) return code;
    return write_file(made, "certs/ca.crt", public_mode, out.certificate);
}

CertificateIssuer issuer_of(const Authority& authority) {
    return {pem_slice(authority.certificate), pem_slice(authority.key)};
}

ExitCode make_certificate(Made& made, const Authority& authority,
                          const CertificateRequest& request, const char* certificate_path,
                          const char* key_path) {
    static Pem certificate;
    static Pem key;
    pem_clear(certificate);
    pem_clear(key);
    Status status = certificate_make_key(key.text);
    if (status == Status::ok) {
        status = certificate_make(request, pem_slice(key), issuer_of(authority), certificate.text);
    }
    ExitCode code = exit_done;
    if (status != Status::ok) code = refuse_making(certificate_path, status);
    if (code == exit_done) code = write_file(made, key_path, key_mode, key);
    if (code == exit_done) code = write_file(made, certificate_path, public_mode, certificate);
    wipe(&key, sizeof key);
    return code;
}

ExitCode make_server(Made& made, const InitOptions& options, const Authority& authority,
                     uint64_t wall_ms) {
    static Hosts hosts;
    collect_hosts(options, hosts);
    const CertificateRequest request = {CertificateKind::server, hosts.rows[0], hosts.rows,
                                        hosts.count, wall_ms};
    return make_certificate(made, authority, request, "certs/server.crt", "certs/server.key");
}

ExitCode make_list(Made& made, const Authority& authority, uint64_t wall_ms) {
    static Pem list;
    pem_clear(list);
    const Status status =
        revocation_make(issuer_of(authority), wall_ms, 0, nullptr, 0, list.text);
    if (status != Status::ok) return refuse_making("certs/crl.pem", status);
    return write_file(made, "certs/crl.pem", public_mode, list);
}

ExitCode make_client(Made& made, const Authority& authority, const char* name, uint64_t wall_ms) {
    const CertificateRequest request = {CertificateKind::client, tool_slice(name), nullptr, 0,
                                        wall_ms};
    return make_certificate(made, authority, request, init_client_path(name, "crt").text,
                            init_client_path(name, "key").text);
}

ExitCode make_all(Made& made, const InitOptions& options, const char* const* clients,
                  uint32_t client_count, uint64_t wall_ms, Authority& authority) {
    ExitCode code = make_authority(made, wall_ms, authority);
    if (code == exit_done) code = make_server(made, options, authority, wall_ms);
    if (code == exit_done) code = make_list(made, authority, wall_ms);
    for (uint32_t i = 0; i < client_count && code == exit_done; i++) {
        code = make_client(made, authority, clients[i], wall_ms);
    }
    return code;
}

}  // namespace

InitPath init_client_path(const char* name, const char* ending) {
    InitPath path = {};
    const int size =
        snprintf(path.text, sizeof path.text, "certs/clients/%s.%s", name, ending);
    CHECK(size > 0);
    CHECK(static_cast<uint32_t>(size) < sizeof path.text);
    return path;
}

ExitCode init_make_message_key(Made& made) {
    static Pem key;
    pem_clear(key);
    const Status status = jose_key_make(key.text);
    ExitCode code = exit_done;
    if (status != Status::ok) code = refuse_making("certs/message.key", status);
    if (code == exit_done) code = write_file(made, "certs/message.key", key_mode, key);
    wipe(&key, sizeof key);
    return code;
}

ExitCode init_make_certificates(Made& made, const InitOptions& options, const char* const* clients,
                                uint32_t client_count, uint64_t wall_ms) {
    if (made_folder(made, "certs", 0755) != Status::ok) return refuse_file(made, "certs");
    if (made_folder(made, "certs/clients", 0755) != Status::ok) {
        return refuse_file(made, "certs/clients");
    }
    static Authority authority;
    const ExitCode code = make_all(made, options, clients, client_count, wall_ms, authority);
    wipe(&authority, sizeof authority);
    return code;
}
