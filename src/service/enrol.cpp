// ENROL and RENEW, on the loop: what begins a job, and the reply when it is done. See enrol.h.

#include "service/enrol.h"

#include <string.h>

#include "base/check.h"
#include "crypto/certificate.h"
#include "port.h"
#include "service/handlers.h"

namespace {

Slice slice_of_chain(const EnrolJob& job) { return {job.answer.bytes, job.answer.size}; }

// One line for each refusal and each certificate.
void log_outcome(const ServiceCall& call, const EnrolJob& job, const char* event) {
    uint8_t text[512];
    Writer line = writer_of(text, sizeof text);
    put_text(line, event);
    put_text(line, " session ");
    put_decimal(line, call.caller->number);
    if (job.name.size > 0) {
        put_text(line, " terminal ");
        put_bytes(line, name_slice(job.name));
    }
    if (job.is_issued) {
        put_text(line, " serial ");
        put_hex(line, {job.facts.serial, job.facts.serial_size});
        put_text(line, " until ");
        put_utc_seconds(line, job.facts.not_after_ms);
    }
    if (job.reason != nullptr) {
        put_text(line, " because ");
        put_text(line, job.reason);
    }
    port_log(job.outcome == Status::ok ? LogLevel::info : LogLevel::warning,
             reinterpret_cast<const char*>(text), line.size);
}

const char* event_of(const EnrolJob& job) {
    const bool renews = job.use == EnrolUse::renew;
    if (job.outcome != Status::ok) return renews ? "renewal refused" : "enrolment refused";
    if (!job.is_issued) {
        return renews ? "renewal waits for pennyctl enrol --sign"
                      : "enrolment waits for pennyctl enrol --sign";
    }
    return renews ? "renewed" : "enrolled";
}

// A stranger has a few tries, and comes again for more.
void count_try(Caller& caller) {
    if (!caller.enrol || ++caller.enrol_tries < enrol_tries_max) return;
    caller.wants_close = true;
}

ServiceNext refuse_job(ServiceCall& call, const EnrolJob& job) {
    count_try(*call.caller);
    const Status status = job.outcome;
    if (status == Status::absent) return refuse(call, Status::noperm, job.reason);
    if (status == Status::expired || status == Status::state || status == Status::busy) {
        return refuse(call, status, job.reason);
    }
    if (status != Status::invalid) {
        return refuse(call, Status::busy, "no certificate can be given now; try later");
    }
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, "the request is refused: ");
    put_text(*call.reply.out, job.reason);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// Begins a job, where the one that there is is free.
EnrolJob* begin_job(ServiceCall& call, EnrolUse use) {
    EnrolJob* const job = call.enrol;
    if (job == nullptr) return nullptr;
    job->use = use;
    job->name = {};
    job->csr.size = 0;
    job->grant.size = 0;
    job->known.size = 0;
    job->answer.size = 0;
    job->row.size = 0;
    job->may_spend = true;
    job->drops_answer = false;
    job->drops_csr = false;
    job->puts_csr = false;
    job->puts_answer = false;
    job->is_issued = false;
    job->is_spent = false;
    job->outcome = Status::ok;
    job->reason = nullptr;
    return job;
}

// Takes the request of a word. Returns false after having refused one that is too long.
bool take_request(ServiceCall& call, EnrolJob& job, Slice csr) {
    job.outcome = Status::invalid;
    job.reason = csr.size == 0 ? "it is empty" : "it is too long";
    if (csr.size == 0 || csr.size > sizeof job.csr.bytes) {
        log_outcome(call, job, event_of(job));
        refuse_job(call, job);
        return false;
    }
    memcpy(job.csr.bytes, csr.data, csr.size);
    job.csr.size = csr.size;
    job.outcome = Status::ok;
    job.reason = nullptr;
    return true;
}

void put_facts(const Service& service, Reply& reply, const EnrolJob& job) {
    reply_map(reply, 3);
    reply_bulk_text(reply, "name");
    reply_bulk(reply, name_slice(job.name));
    reply_bulk_text(reply, "port");
    reply_decimal_bulk(reply, service.stats.port);
    reply_bulk_text(reply, "ca");
    reply_bulk(reply, slice_of_chain(job));
}

void put_certificate(Reply& reply, const EnrolJob& job) {
    reply_map(reply, job.is_issued ? 2 : 1);
    reply_bulk_text(reply, "state");
    reply_bulk_text(reply, job.is_issued ? "issued" : "waiting");
    if (!job.is_issued) return;
    reply_bulk_text(reply, "certificate");
    reply_bulk(reply, slice_of_chain(job));
}

}  // namespace

ServiceNext command_enrol(Service& service, ServiceCall& call) {
    (void)service;
    if (!call.caller->enrol) {
        return refuse(call, Status::noperm, "a code is used on a listener of channel enrol; a "
                                            "terminal with a certificate says RENEW");
    }
    const bool asks = call_words(call) == 2;
    EnrolJob* const job = begin_job(call, asks ? EnrolUse::ask : EnrolUse::sign);
    if (job == nullptr) return ServiceNext::waiting;
    EnrolCode code = {};
    if (enrol_code_parse(call_word(call, 1), code) != Status::ok) {
        job->outcome = Status::absent;
        job->reason = "no such code";
        log_outcome(call, *job, event_of(*job));
        return refuse_job(call, *job);
    }
    job->base = enrol_base_of_code(code);
    wipe(&code, sizeof code);  // M7
    if (!asks && !take_request(call, *job, call_word(call, 2))) return ServiceNext::replied;
    return ServiceNext::enrolling;
}

ServiceNext command_renew(Service& service, ServiceCall& call) {
    const Name& terminal = call.caller->terminal;
    EnrolJob* const job = begin_job(call, EnrolUse::renew);
    if (job == nullptr) return ServiceNext::waiting;
    CHECK(terminal.size > 0);  // M1: no row of strangers' leads here.
    job->name = terminal;
    job->base = enrol_base_of_renewal(terminal);
    if (!take_request(call, *job, call_word(call, 1))) return ServiceNext::replied;
    job->may_spend = renewals_may(service.renewals, terminal, call.wall_ms);
    return ServiceNext::enrolling;
}

void service_enrol_settle(Service& service, const ServiceCall& call) {
    const EnrolJob& job = *call.enrol;
    if (job.is_spent) renewals_note(service.renewals, job.name);
    const bool is_told = job.outcome != Status::ok || job.is_issued || job.puts_csr;
    if (is_told) log_outcome(call, job, event_of(job));
}

ServiceNext service_enrolled(Service& service, ServiceCall& call) {
    const EnrolJob& job = *call.enrol;
    if (job.outcome != Status::ok) return refuse_job(call, job);
    if (job.use == EnrolUse::ask) {
        put_facts(service, call.reply, job);
        return ServiceNext::replied;
    }
    put_certificate(call.reply, job);
    return ServiceNext::replied;
}
