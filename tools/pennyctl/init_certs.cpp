#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/jose.h"
#include "pennyctl/authority.h"
#include "pennyctl/init.h"

namespace {

constexpr const char* folder = "certs";

// All of one run; wiped before the program goes on.
struct InitCertificates {
    Signer ca;
    Pem key;
    Pem certificate;
    Pem list;
    HostList hosts;
};

ExitCode refuse_folder(const Made& made, const char* path) {
    return tool_refuse("%s/%s: %s", made.folder, path, strerror(errno));
}

ExitCode make_authority(Made& made, uint64_t wall_ms, Signer& ca) {
    ExitCode code =
        signer_make("Pennybank CA", CertificateKind::authority, nullptr, wall_ms, 0, ca);
    if (code == exit_done) {
        code = authority_enter(made, folder, pem_slice(ca.certificate), CertificateKind::authority,
                               IssuedSigner::self);
    }
    if (code == exit_done) {
        code = authority_write(made, "certs/ca.key", key_mode, pem_slice(ca.key));
    }
    if (code != exit_done) return code;
    return authority_write(made, "certs/ca.crt", public_mode, pem_slice(ca.certificate));
}

ExitCode make_pair(Made& made, InitCertificates& all, const CertificateRequest& request,
                   const char* certificate_path, const char* key_path) {
    pem_clear(all.key);
    ExitCode code = signer_sign(all.ca, request, {}, all.key, all.certificate);
    if (code == exit_done) {
        code = authority_enter(made, folder, pem_slice(all.certificate), request.kind,
                               IssuedSigner::ca);
    }
    if (code == exit_done) code = authority_write(made, key_path, key_mode, pem_slice(all.key));
    if (code != exit_done) return code;
    return authority_write(made, certificate_path, public_mode, pem_slice(all.certificate));
}

ExitCode make_server(Made& made, const InitOptions& options, InitCertificates& all,
                     uint64_t wall_ms) {
    static_assert(6 + init_hosts_max <= certificate_hosts_max);
    host_list_fill(all.hosts, options.address, options.hosts, options.host_count);
    const CertificateRequest request = {CertificateKind::server, all.hosts.rows[0], all.hosts.rows,
                                        all.hosts.count, wall_ms};
    return make_pair(made, all, request, "certs/server.crt", "certs/server.key");
}

ExitCode make_list(Made& made, InitCertificates& all, uint64_t wall_ms) {
    pem_clear(all.list);
    const CertificateIssuer issuer = {pem_slice(all.ca.certificate), pem_slice(all.ca.key)};
    const Status status = revocation_make(issuer, wall_ms, 0, nullptr, 0, all.list.text);
    if (status != Status::ok) {
        return tool_refuse("certs/crl.pem cannot be made: %s", status_meaning(status));
    }
    return authority_write(made, "certs/crl.pem", public_mode, pem_slice(all.list));
}

ExitCode make_all(Made& made, const InitOptions& options, const char* const* clients,
                  uint32_t client_count, uint64_t wall_ms, InitCertificates& all) {
    ExitCode code = make_authority(made, wall_ms, all.ca);
    if (code == exit_done) code = make_server(made, options, all, wall_ms);
    if (code == exit_done) code = make_list(made, all, wall_ms);
    for (uint32_t i = 0; i < client_count && code == exit_done; i++) {
        const CertificateRequest request = {CertificateKind::client, tool_slice(clients[i]),
                                            nullptr, 0, wall_ms};
        code = make_pair(made, all, request, init_client_path(clients[i], "crt").text,
                         init_client_path(clients[i], "key").text);
    }
    return code;
}

}  // namespace

MadePath init_client_path(const char* name, const char* ending) {
    MadePath path = {};
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
    const ExitCode code =
        status == Status::ok
            ? authority_write(made, "certs/message.key", key_mode, pem_slice(key))
            : tool_refuse("certs/message.key cannot be made: %s", status_meaning(status));
    wipe(&key, sizeof key);
    return code;
}

ExitCode init_make_certificates(Made& made, const InitOptions& options, const char* const* clients,
                                uint32_t client_count, uint64_t wall_ms) {
    if (made_folder(made, "certs", 0755) != Status::ok) return refuse_folder(made, "certs");
    if (made_folder(made, "certs/clients", 0755) != Status::ok) {
        return refuse_folder(made, "certs/clients");
    }
    static InitCertificates all;
    const ExitCode code = make_all(made, options, clients, client_count, wall_ms, all);
    wipe(&all, sizeof all);
    return code;
}
