// The commands about people: WHOAMI REGISTER PASSWD, and what happens when a password was hashed.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

Status take_password(Slice text, Password& out) {
    if (text.size < password_size_min || text.size > password_size_max) return Status::invalid;
    out.size = static_cast<uint8_t>(text.size);
    memcpy(out.bytes, text.data, text.size);
    return Status::ok;
}

ServiceNext refuse_size(ServiceCall& call, const char* what, uint32_t least, uint32_t most,
                        const char* unit) {
    reply_error_begin(call.reply, "ERR");
    Writer& out = *call.reply.out;
    put_text(out, what);
    put_text(out, " has ");
    put_decimal(out, least);
    put_text(out, " to ");
    put_decimal(out, most);
    put_text(out, " ");
    put_text(out, unit);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_longer(ServiceCall& call, const char* what, uint32_t size, const char* where,
                          uint32_t most) {
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, what);
    put_text(*call.reply.out, " of ");
    put_decimal(*call.reply.out, size);
    put_text(*call.reply.out, " bytes; ");
    put_text(*call.reply.out, where);
    put_text(*call.reply.out, " at most ");
    put_decimal(*call.reply.out, most);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_password_size(ServiceCall& call) {
    return refuse_size(call, "a password", password_size_min, password_size_max, "bytes");
}

ServiceNext refuse_hash(ServiceCall& call) {
    return refuse(call, Status::busy, "the password could not be hashed; try again");
}

bool has_role(const Service& service, const ServiceCall& call, Role role) {
    if (call.caller->person == row_none) return false;
    if (call_person(service, call).installed.role != role) return false;
    return role_is_in(call_rights(service, call).roles, role);
}

namespace {

Slice password_slice(const Password& password) { return {password.bytes, password.size}; }

bool may_register(const Service& service, const ServiceCall& call) {
    const AccessRegistration rule = service.access->rules.registration;
    if (rule == AccessRegistration::open) return true;
    if (has_role(service, call, Role::admin)) return true;
    return rule == AccessRegistration::till && has_role(service, call, Role::till);
}

ServiceNext refuse_registration(const Service& service, ServiceCall& call) {
    const bool off = service.access->rules.registration == AccessRegistration::off;
    return refuse(call, Status::noperm,
                  off ? "new people are made by an admin" : "new people are made at a till");
}

ServiceNext refuse_registered(const Service& service, ServiceCall& call) {
    reply_error_begin(call.reply, status_word(Status::noperm));
    Writer& out = *call.reply.out;
    put_text(out, "this terminal registers at most ");
    put_decimal(out, service.access->rules.register_per_day);
    put_text(out, " people a day; an admin makes more");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

}  // namespace

ServiceNext after_proposal(const Service& service, ServiceCall& call, Status status) {
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::exists) return refuse(call, Status::exists, "the name is taken");
    if (status == Status::err) return refuse(call, Status::err, "the name is reserved");
    if (status == Status::oom) {
        return refuse(call, Status::oom, "there is no room for more people");
    }
    CHECK(status == Status::state);
    return refuse(call, Status::state, "the password was changed by somebody else meanwhile");
}

namespace {

// Lets a job compare its password with a person's.
void know_person(const Ledger& ledger, uint32_t row, HashJob& job) {
    job.has_known = true;
    job.guesses = true;  // The right password gets another answer than a wrong one.
    job.attempt.person = row;
    job.person = row;
    job.known = ledger.people[row].texts.password;
    job.version = ledger.people[row].installed.version;
}

// The name was taken while its password was hashed. If by a person, the right password makes this a
// resend (P10), so it is compared with that person's.
ServiceNext registration_overtaken(const Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    HashJob& job = *call.hash;
    const uint32_t row = ledger_find_person(ledger, job.name);
    if (row == row_none) return after_proposal(service, call, Status::exists);
    if (row >= ledger.people_installed) return ServiceNext::waiting;
    know_person(ledger, row, job);
    return ServiceNext::hashing;
}

ServiceNext registration_hashed(Service& service, ServiceCall& call) {
    const HashJob& job = *call.hash;
    const bool by_admin = has_role(service, call, Role::admin);
    const bool is_add = job.purpose == HashPurpose::add_user;
    if (job.has_known) {  // P10: the right password makes a resend, any other somebody else's name.
        if (job.outcome == Status::busy) return refuse_try(service, call, job.attempt);
        if (job.outcome == Status::wrongpass) note_failed_try(service, call, job.attempt);
        const PersonValues& values = service.book->ledger.people[job.person].installed;
        const bool fits = !is_add || (values.role == job.role && values.term == job.term);
        const bool same = job.outcome == Status::ok && fits;
        if (!same) return after_proposal(service, call, Status::exists);
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    if (job.outcome != Status::ok) return refuse_hash(call);
    if (!is_add && !may_register(service, call)) return refuse_registration(service, call);
    const Caller& caller = *call.caller;
    // An admin's are not counted.
    const Status status =
        is_add || by_admin
            ? book_add_person(*service.book, call.wall_ms, caller.person, caller.terminal,
                              job.name, job.role, job.made, job.term, call.tag)
            : book_register(*service.book, call.wall_ms, caller.person, caller.terminal, job.name,
                            job.made, service.access->rules.register_per_day, call.tag);
    if (status == Status::exists) return registration_overtaken(service, call);
    if (status == Status::limit) return refuse_registered(service, call);
    return after_proposal(service, call, status);
}

// S8: whether PASSWD would leave somebody the first password.
bool keeps_first(const Service& service, const HashJob& job) {
    const PersonValues& values = service.book->ledger.people[job.person].installed;
    if (values.term != PasswordTerm::first) return false;
    if (job.outcome == Status::replayed) return true;
    return job.outcome == Status::ok &&
           slice_equal(password_slice(job.password), password_slice(job.fresh));
}

ServiceNext password_hashed(Service& service, ServiceCall& call) {
    const HashJob& job = *call.hash;
    if (job.outcome == Status::busy) return refuse_try(service, call, job.attempt);
    if (keeps_first(service, job)) {
        return refuse(call, Status::err, "that is the first password; choose another one");
    }
    if (job.outcome == Status::replayed) {  // P10
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    if (job.outcome == Status::wrongpass) return fail_try(service, call, job.attempt);
    if (job.outcome != Status::ok) return refuse_hash(call);
    if (call.caller->person != job.person) {
        return refuse(call, Status::noauth, "Authentication required.");
    }
    penalties_succeed(*service.penalties, job.attempt, call.wall_ms);
    const Status status =
        book_set_password(*service.book, call.wall_ms, job.person, call.caller->terminal,
                          job.person, job.version, job.made, call.tag);
    return after_proposal(service, call, status);
}

// Hashes `password` into the job's new record.
Status make_record(HashJob& job, PasswordArena& arena, const PasswordCost& cost,
                   const Password& password) {
    Writer record = writer_of(reinterpret_cast<uint8_t*>(job.made.text), phc_size_max);
    const Status status = password_hash(arena, cost, password_slice(password), record);
    job.made.size = static_cast<uint8_t>(record.size);
    return status;
}

Status verify_known(const HashJob& job, PasswordArena& arena, const Password& password) {
    const Slice known = slice_of_chars(job.known.text, job.known.size);
    return password_verify(arena, known, password_slice(password));
}

Status run_login(const Service& service, const HashJob& job, PasswordArena& arena) {
    if (job.has_known) return verify_known(job, arena, job.password);
    return password_verify_nobody(arena, service.cost_nobody, password_slice(job.password));
}

// Whose password came from an older bank, wrapped, is known by it now: a plain record is made. Only
// who has the right password can tell that it took longer.
void run_rehash(const Service& service, HashJob& job, PasswordArena& arena) {
    if (job.outcome != Status::ok) return;
    if (!password_is_wrapped(slice_of_chars(job.known.text, job.known.size))) return;
    Writer record = writer_of(reinterpret_cast<uint8_t*>(job.made.text), phc_size_max);
    if (password_rehash(arena, service.cost, password_slice(job.password), record) != Status::ok) {
        return;  // The next login tries again.
    }
    job.made.size = static_cast<uint8_t>(record.size);
}

Status run_change(HashJob& job, PasswordArena& arena, const PasswordCost& cost) {
    const Status old = verify_known(job, arena, job.password);
    if (old == Status::ok) return make_record(job, arena, cost, job.fresh);
    const Status fresh = verify_known(job, arena, job.fresh);
    return fresh == Status::ok ? Status::replayed : old;
}

// Without an old password to know: an admin's change.
Status run_user_change(HashJob& job, PasswordArena& arena, const PasswordCost& cost) {
    const bool may_hold = job.term == job.known_term;
    if (may_hold && verify_known(job, arena, job.fresh) == Status::ok) return Status::replayed;
    return make_record(job, arena, cost, job.fresh);
}

// The password first; then whether the PIN is the present one, or a new record of it.
Status run_pin(HashJob& job, PasswordArena& arena, const PasswordCost& cost) {
    const Status password = verify_known(job, arena, job.password);
    if (password != Status::ok) return password;
    const Slice known = slice_of_chars(job.known_pin.text, job.known_pin.size);
    const bool holds = known.size > 0 && password_verify(arena, known,
                                                         password_slice(job.fresh)) == Status::ok;
    return holds ? Status::replayed : make_record(job, arena, cost, job.fresh);
}

}  // namespace

ServiceNext command_whoami(Service& service, ServiceCall& call) {
    const Person& person = call_person(service, call);
    const bool is_first = person.installed.term == PasswordTerm::first;
    reply_map(call.reply, is_first ? 4 : 3);
    reply_bulk_text(call.reply, "person");
    reply_bulk(call.reply, name_slice(person.name));
    reply_bulk_text(call.reply, "role");
    reply_bulk_text(call.reply, role_name(person.installed.role));
    reply_bulk_text(call.reply, "terminal");
    reply_bulk(call.reply, name_slice(call.caller->terminal));
    if (is_first) {
        reply_bulk_text(call.reply, "password");
        reply_bulk_text(call.reply, "first");
    }
    return ServiceNext::replied;
}

ServiceNext command_register(Service& service, ServiceCall& call) {
    if (!may_register(service, call)) return refuse_registration(service, call);
    return begin_adding(service, call, HashPurpose::add_person, 1, Role::customer,
                        PasswordTerm::lasting);
}

ServiceNext begin_adding(Service& service, ServiceCall& call, HashPurpose purpose, uint32_t at,
                         Role role, PasswordTerm term) {
    Name name;
    Password password;
    if (parse_name(call_word(call, at), name) != Status::ok) {
        return refuse(call, Status::err,
                      "a name is a letter and up to 30 of [a-z0-9._-], not ending in '.'");
    }
    if (take_password(call_word(call, at + 1), password) != Status::ok) {
        return refuse_password_size(call);
    }
    if (call.hash == nullptr) {
        wipe(&password, sizeof password);
        return ServiceNext::waiting;
    }
    const Ledger& ledger = service.book->ledger;
    const Status judged = ledger_judge_person(ledger, name);
    const uint32_t row = ledger_find_person(ledger, name);
    if (row != row_none && row >= ledger.people_installed) {
        wipe(&password, sizeof password);
        return ServiceNext::waiting;  // Somebody's registration of this name is in flight.
    }
    if (judged != Status::ok && (judged != Status::exists || row == row_none)) {
        wipe(&password, sizeof password);
        return after_proposal(service, call, judged);
    }
    const Attempt attempt = attempt_of(service, call, name_slice(name), row);
    if (row != row_none && !may_try(service, call, attempt)) {
        wipe(&password, sizeof password);
        return refuse_try(service, call, attempt);
    }
    const uint32_t most = service.access->rules.register_per_day;
    const bool counts = purpose == HashPurpose::add_person && row == row_none &&
                        !has_role(service, call, Role::admin);
    if (counts && !book_may_register(*service.book, call.wall_ms, call.caller->terminal, most)) {
        wipe(&password, sizeof password);
        return refuse_registered(service, call);
    }
    HashJob& job = *call.hash;
    job.purpose = purpose;
    job.role = role;
    job.term = term;
    job.name = name;
    job.password = password;
    wipe(&password, sizeof password);
    job.attempt = attempt;
    if (row != row_none) know_person(ledger, row, job);
    return ServiceNext::hashing;
}

ServiceNext command_passwd(Service& service, ServiceCall& call) {
    const Person& person = call_person(service, call);
    const Attempt attempt =
        attempt_of(service, call, name_slice(person.name), call.caller->person);
    if (!may_try(service, call, attempt)) return refuse_try(service, call, attempt);
    if (call.hash == nullptr) return ServiceNext::waiting;
    HashJob& job = *call.hash;
    if (take_password(call_word(call, 2), job.fresh) != Status::ok) {
        wipe(&job, sizeof job);
        return refuse_password_size(call);
    }
    const Slice old = call_word(call, 1);
    job.purpose = HashPurpose::set_password;
    job.password.size = static_cast<uint8_t>(old.size <= password_size_max ? old.size : 0);
    if (job.password.size > 0) memcpy(job.password.bytes, old.data, old.size);
    job.person = call.caller->person;
    job.name = person.name;
    job.guesses = true;
    job.attempt = attempt;
    job.has_known = true;
    job.known = person.texts.password;
    job.version = person.installed.version;
    return ServiceNext::hashing;
}

void service_hash_run(const Service& service, HashJob& job, PasswordArena& arena) {
    const PasswordCost& cost = service.cost;
    switch (job.purpose) {
        case HashPurpose::move: job.outcome = run_login(service, job, arena); return;
        case HashPurpose::login:
        case HashPurpose::hello:
            job.outcome = run_login(service, job, arena);
            run_rehash(service, job, arena);
            return;
        case HashPurpose::user_password: job.outcome = run_user_change(job, arena, cost); return;
        case HashPurpose::set_pin: job.outcome = run_pin(job, arena, cost); return;
        case HashPurpose::add_person:
        case HashPurpose::add_user:
            job.outcome = job.has_known ? run_login(service, job, arena)
                                        : make_record(job, arena, cost, job.password);
            return;
        case HashPurpose::set_password: job.outcome = run_change(job, arena, cost); return;
    }
    CHECK(false);
}

ServiceNext service_hashed(Service& service, ServiceCall& call) {
    CHECK(call.hash != nullptr);
    ServiceNext next = ServiceNext::replied;
    const GroupWatch watch = group_watch(call);
    const bool logs_in = call.hash->purpose == HashPurpose::login ||
                         call.hash->purpose == HashPurpose::hello;
    const bool has_login = call.caller->person != row_none && !logs_in;
    if (has_login && !login_holds(service, *call.caller)) {  // S2
        next = end_login(call);
        wipe(call.hash, sizeof *call.hash);
        return next;
    }
    switch (call.hash->purpose) {
        case HashPurpose::login:
        case HashPurpose::hello: next = login_hashed(service, call); break;
        case HashPurpose::add_person:
        case HashPurpose::add_user: next = registration_hashed(service, call); break;
        case HashPurpose::set_password: next = password_hashed(service, call); break;
        case HashPurpose::user_password: next = user_password_hashed(service, call); break;
        case HashPurpose::set_pin: next = pin_set_hashed(service, call); break;
        case HashPurpose::move: next = move_hashed(service, call); break;
    }
    group_note(call, watch, next);
    const bool goes_on = next == ServiceNext::waiting || next == ServiceNext::hashing;
    if (!goes_on) wipe(call.hash, sizeof *call.hash);  // S5
    return next;
}
