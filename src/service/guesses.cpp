// What all tries at a password have in common, whichever command makes them: penalties are asked
// before, told after, and there is one answer to whatever was wrong.

#include <string.h>

#include "service/handlers.h"

namespace {

// Redis's words, and behind them what else it may be.
constexpr char wrongpass_text[] =
    "invalid username-password pair or user is disabled, or too many tries: wait and try again";

void note_failure(Service& service, const Attempt& attempt, uint64_t now_ms, uint64_t wall_ms) {
    penalties_fail(*service.penalties, attempt, now_ms, wall_ms);
    service.stats.logins_failed++;
    service.guess = attempt;
}

}  // namespace

Attempt attempt_of(const Service& service, const ServiceCall& call, Slice typed, uint32_t person) {
    const Caller& caller = *call.caller;
    Attempt attempt = {};
    attempt.source = caller.source;
    attempt.is_exempt = caller.is_exempt;
    attempt.terminal = caller.terminal;
    attempt.person = person;
    if (person == row_none) attempt.stranger = penalties_print(*service.penalties, typed);
    const Slice shown = slice_part(typed, 0, penalty_tried_size_max);
    attempt.tried_size = static_cast<uint8_t>(shown.size);
    if (shown.size > 0) memcpy(attempt.tried, shown.data, shown.size);
    return attempt;
}

bool may_try(const Service& service, const ServiceCall& call, const Attempt& attempt) {
    return penalties_judge(*service.penalties, attempt, call.now_ms, call.wall_ms) == Status::ok;
}

void note_failed_try(Service& service, const ServiceCall& call, const Attempt& attempt) {
    note_failure(service, attempt, call.now_ms, call.wall_ms);
}

ServiceNext fail_try(Service& service, ServiceCall& call, const Attempt& attempt) {
    note_failed_try(service, call, attempt);
    return refuse(call, Status::wrongpass, wrongpass_text);
}

ServiceNext refuse_try(Service& service, ServiceCall& call, const Attempt& attempt) {
    service.stats.logins_refused++;
    service.guess = attempt;
    return refuse(call, Status::wrongpass, wrongpass_text);
}

Status service_hash_judge(const Service& service, const HashJob& job, uint64_t now_ms,
                          uint64_t wall_ms) {
    if (!job.guesses) return Status::ok;
    return penalties_judge(*service.penalties, job.attempt, now_ms, wall_ms);
}

void service_hash_dropped(Service& service, const HashJob& job, uint64_t now_ms,
                          uint64_t wall_ms) {
    if (!job.guesses || job.outcome != Status::wrongpass) return;
    note_failure(service, job.attempt, now_ms, wall_ms);
}
