// enrol --sign: what pennyd does where it may sign by itself, done by the operator.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypto/request.h"
#include "pennyctl/authority.h"
#include "pennyctl/enrol.h"

namespace {

struct Signing {
    EnrolSpool* spool;
    const char* name;      // nullptr for all
    bool is_issuing;
    uint32_t count;        // signed
    uint32_t met;          // that were asked for
};

Authority authority;  // Too large for a stack.

bool is_asked(const Signing& signing, const EnrolRow& row) {
    if (!row.has_request || row.has_answer) return false;
    return signing.name == nullptr || slice_equal(tool_slice(signing.name), name_slice(row.name));
}

ExitCode refuse_request(const EnrolRow& row, const char* reason) {
    return tool_refuse("%.*s: the request is refused: %s", static_cast<int>(row.name.size),
                       row.name.text, reason);
}

// The server has looked at it, but a file is a file.
ExitCode check_request(const EnrolRow& row, Slice csr) {
    RequestFacts facts = {};
    const char* reason = "";
    if (request_read(csr, facts, reason) != Status::ok) return refuse_request(row, reason);
    const bool is_own = facts.name[0] == '\0' ||
                        slice_equal(tool_slice(facts.name), name_slice(row.name));
    return is_own ? exit_done : refuse_request(row, "it is for another name");
}

// A terminal that is believed no more gets nothing new, whenever it asked.
ExitCode check_believed(const EnrolRow& row) {
    KnownList known = {};
    uint32_t good = 0;
    uint32_t revoked = 0;
    const ExitCode code = authority_find(authority, known);
    for (uint32_t i = 0; i < known.count; i++) {
        const Known& one = known.rows[i];
        if (one.row.kind != CertificateKind::client) continue;
        if (!slice_equal(tool_slice(one.row.name), name_slice(row.name))) continue;
        good += one.is_revoked ? 0 : 1;
        revoked += one.is_revoked ? 1 : 0;
    }
    known_free(known);
    if (code != exit_done || !row.is_renewal || good > 0 || revoked == 0) return code;
    return refuse_request(row, "all certificates of that name are revoked");
}

ExitCode sign_row(void* context, const EnrolRow& row) {
    static uint8_t bytes[request_pem_size_max];
    static Pem key;
    static Pem certificate;
    Signing& signing = *static_cast<Signing*>(context);
    if (!is_asked(signing, row)) return exit_done;
    EnrolSpool& spool = *signing.spool;
    uint32_t size = 0;
    signing.met++;
    ExitCode code = enrol_read(spool, row.base, ".csr", bytes, sizeof bytes, size);
    if (code == exit_done) code = check_request(row, {bytes, size});
    if (code == exit_done) code = check_believed(row);
    if (code != exit_done) return exit_done;  // It was told; the others are not to wait for it.
    const CertificateRequest request = {.kind = CertificateKind::client,
                                        .name = name_slice(row.name),
                                        .hosts = nullptr,
                                        .host_count = 0,
                                        .wall_ms = spool.wall_ms,
                                        .days = spool.place.config.issued_days};
    const Signer& signer = signing.is_issuing ? authority.issuing : authority.ca;
    pem_clear(key);
    pem_clear(certificate);
    code = signer_sign(signer, request, {bytes, size}, key, certificate);
    if (code == exit_done) {
        code = authority_enter(authority.made, authority.folder.text, pem_slice(certificate),
                               CertificateKind::client,
                               signing.is_issuing ? IssuedSigner::issuing : IssuedSigner::ca);
    }
    if (code == exit_done) {
        code = enrol_write(spool, row.base, ".crt", pem_slice(certificate));
    }
    if (code != exit_done) return code;
    signing.count++;
    printf("%.*s: signed\n", static_cast<int>(row.name.size), row.name.text);
    return exit_done;
}

ExitCode sign_all(Signing& signing) {
    ExitCode code = authority_need_signer(authority, signing.is_issuing);
    if (code == exit_done) code = enrol_each(*signing.spool, sign_row, &signing);
    if (code != exit_done) return code;
    if (signing.met > signing.count) return exit_refused;
    if (signing.count > 0) return tool_flushed(exit_done);
    if (signing.name != nullptr) return tool_refuse("nothing of %s waits", signing.name);
    puts("nothing waits");
    return tool_flushed(exit_done);
}

}  // namespace

ExitCode enrol_sign(EnrolSpool& spool, const char* name) {
    Signing signing = {&spool, name, false, 0, 0};
    ExitCode code = authority_open(authority, spool.place.conf.text);
    if (code != exit_done) return code;
    code = sign_all(signing);
    authority_close(authority);
    return code;
}
