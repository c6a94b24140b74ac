// What a worker does for ENROL and RENEW.

#include <string.h>

#include "base/check.h"
#include "crypto/certificate.h"
#include "service/enrol.h"

namespace {

constexpr uint64_t ms_per_day = 86'400'000;

template <uint32_t size_max>
Slice text_of(const EnrolText<size_max>& text) {
    return {text.bytes, text.size};
}

Status refuse(EnrolJob& job, Status status, const char* reason) {
    job.outcome = status;
    job.reason = reason;
    return status;
}

constexpr char own_files[] = "the server's own files of it are damaged";

// Whose code it is. `expires_ms` is for who has not used it.
Status read_grant(EnrolJob& job, uint64_t& expires_ms) {
    EnrolGrant grant = {};
    if (job.grant.size == 0) return refuse(job, Status::absent, "no such code");
    if (enrol_grant_parse(text_of(job.grant), grant) != Status::ok) {
        return refuse(job, Status::damaged, own_files);
    }
    job.name = grant.name;
    expires_ms = grant.expires_ms;
    return Status::ok;
}

// Whether the request may have a certificate of this name (M2, M5).
Status read_request(EnrolJob& job, RequestFacts& out) {
    const char* reason = nullptr;
    const Status status = request_read(text_of(job.csr), out, reason);
    if (status != Status::ok) return refuse(job, status, reason);
    if (out.name[0] == '\0' || slice_equal(slice_of(out.name), name_slice(job.name))) {
        return Status::ok;
    }
    return refuse(job, Status::invalid, "it is for another name");
}

// B1. Returns ok for this key, state for another one, absent when none is known.
Status compare_key(EnrolJob& job, const RequestFacts& asked) {
    CertificateFacts certificate = {};
    RequestFacts request = {};
    const uint8_t* known = nullptr;
    const char* reason = nullptr;
    if (job.answer.size > 0) {
        const Status status = certificate_read(text_of(job.answer), certificate);
        if (status != Status::ok) return refuse(job, Status::damaged, own_files);
        known = certificate.key_hash;
    } else if (job.known.size > 0) {
        const Status status = request_read(text_of(job.known), request, reason);
        if (status == Status::failed) return refuse(job, status, reason);
        if (status != Status::ok) return refuse(job, Status::damaged, own_files);
        known = request.key_hash;
    }
    if (known == nullptr) return Status::absent;
    const bool is_same = memcmp(known, asked.key_hash, sizeof asked.key_hash) == 0;
    return is_same ? Status::ok : Status::state;
}

// A renewal's answer that was fetched long ago is no answer.
bool has_ended(const EnrolJob& job) {
    CertificateFacts facts = {};
    return certificate_read(text_of(job.answer), facts) != Status::ok ||
           facts.not_after_ms <= job.wall_ms;
}

// Makes the certificate, and its line of the register (M3).
Status sign(EnrolJob& job, const EnrolIssuer& issuer) {
    const CertificateRequest request = {.kind = CertificateKind::client,
                                        .name = name_slice(job.name),
                                        .hosts = nullptr,
                                        .host_count = 0,
                                        .wall_ms = job.wall_ms,
                                        .days = issuer.days};
    Writer chain = writer_of(job.answer.bytes, sizeof job.answer.bytes);
    const char* reason = nullptr;
    const Status status =
        certificate_sign(request, text_of(job.csr), issuer.signer, chain, reason);
    if (status != Status::ok) return refuse(job, Status::failed, reason);
    IssuedRow row = {};
    if (issued_row_of(writer_slice(chain), CertificateKind::client, IssuedSigner::issuing, row) !=
        Status::ok) {
        return refuse(job, Status::failed, "what was made is no certificate");
    }
    put_bytes(chain, issuer.signer.certificate);
    if (chain.data[chain.size - 1] != '\n') put_text(chain, "\n");
    Writer line = writer_of(job.row.bytes, sizeof job.row.bytes);
    issued_put_line(row, line);
    CHECK(!line.overflow && !chain.overflow);
    job.row.size = line.size;
    job.answer.size = chain.size;
    job.is_issued = true;
    return Status::ok;
}

void run_ask(EnrolJob& job) {
    uint64_t expires_ms = 0;
    if (read_grant(job, expires_ms) != Status::ok) return;
    const bool is_used = job.known.size > 0 || job.answer.size > 0;
    if (is_used || expires_ms > job.wall_ms) return;
    (void)refuse(job, Status::expired, "the code has expired");
}

void run_sign(EnrolJob& job, const EnrolIssuer& issuer) {
    uint64_t expires_ms = 0;
    RequestFacts asked = {};
    if (read_grant(job, expires_ms) != Status::ok) return;
    if (read_request(job, asked) != Status::ok) return;
    const Status bound = compare_key(job, asked);
    if (job.outcome != Status::ok) return;
    if (bound == Status::state) {
        (void)refuse(job, bound, "the code was used with another key");
    } else if (job.answer.size > 0) {
        job.is_issued = true;  // M4
    } else if (bound == Status::absent && expires_ms <= job.wall_ms) {
        (void)refuse(job, Status::expired, "the code has expired");
    } else {
        job.puts_csr = bound == Status::absent;
        job.puts_answer = issuer.signer.key.size > 0 && sign(job, issuer) == Status::ok;
    }
}

void run_renew(EnrolJob& job, const EnrolIssuer& issuer) {
    RequestFacts asked = {};
    if (read_request(job, asked) != Status::ok) return;
    const Status bound = compare_key(job, asked);
    if (job.outcome != Status::ok) return;
    const bool is_ours = issuer.signer.key.size > 0;
    if (bound == Status::ok && job.answer.size > 0 && !has_ended(job)) {
        job.is_issued = true;
    } else if (bound == Status::ok && job.answer.size == 0 && !is_ours) {
        return;  // It waits.
    } else if (!job.may_spend) {
        (void)refuse(job, Status::busy, "it was renewed often enough today");
    } else {
        job.is_spent = true;
        job.drops_answer = job.answer.size > 0;
        job.drops_csr = job.known.size > 0 && is_ours;
        job.puts_csr = !is_ours;
        if (is_ours) (void)sign(job, issuer);
    }
}

}  // namespace

void enrol_run(EnrolJob& job, const EnrolIssuer& issuer) {
    job.outcome = Status::ok;
    switch (job.use) {
        case EnrolUse::ask: run_ask(job); break;
        case EnrolUse::sign: run_sign(job, issuer); break;
        case EnrolUse::renew: run_renew(job, issuer); break;
    }
    if (job.is_issued && certificate_read(text_of(job.answer), job.facts) != Status::ok) {
        (void)refuse(job, Status::damaged, own_files);
    }
    if (job.outcome == Status::ok) return;
    job.puts_csr = false;
    job.puts_answer = false;
    job.drops_answer = false;
    job.drops_csr = false;
    job.is_issued = false;
    job.is_spent = false;
    job.row.size = 0;
}

namespace {

uint8_t& count_of(Renewals& renewals, const Name& terminal) {
    return renewals.counts[siphash(renewals.key, name_slice(terminal)) % renewal_buckets];
}

}  // namespace

bool renewals_may(Renewals& renewals, const Name& terminal, uint64_t wall_ms) {
    const uint64_t day = wall_ms / ms_per_day;
    if (day != renewals.day) {
        memset(renewals.counts, 0, sizeof renewals.counts);
        renewals.day = day;
    }
    return count_of(renewals, terminal) < renewals_per_day;
}

void renewals_note(Renewals& renewals, const Name& terminal) { count_of(renewals, terminal)++; }
