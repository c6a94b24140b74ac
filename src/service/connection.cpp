// The commands of the connection itself: HELLO AUTH PING ECHO SELECT QUIT RESET.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

// Fills a login job. A name that nobody has is verified against nothing, at the same cost.
ServiceNext begin_login(Service& service, ServiceCall& call, HashPurpose purpose, Slice name,
                        Slice password) {
    if (call.caller->lab) {
        return refuse(call, Status::noperm, "nobody logs in on a laboratory channel");
    }
    const Ledger& ledger = service.book->ledger;
    Name known = {};
    uint32_t person = row_none;
    if (parse_name(name, known) == Status::ok) {
        const uint32_t row = ledger_find_person(ledger, known);
        if (row != row_none && row < ledger.people_installed) person = row;
    }
    const Attempt attempt = attempt_of(service, call, name, person);
    if (!may_try(service, call, attempt)) return refuse_try(service, call, attempt);
    if (call.hash == nullptr) return ServiceNext::waiting;
    HashJob& job = *call.hash;
    job.purpose = purpose;
    job.name = known;
    job.person = person;
    job.guesses = true;
    job.attempt = attempt;
    if (job.person != row_none) {
        const PersonValues& values = ledger.people[job.person].installed;
        job.known = ledger.people[job.person].texts.password;
        job.has_known = job.known.size > 0;  // Who was removed has none, which costs the same.
        job.version = values.version;
    }
    // A password that is too long cannot be right; an empty one is as wrong and costs the same.
    const bool fits = password.size <= password_size_max;
    job.password.size = static_cast<uint8_t>(fits ? password.size : 0);
    if (fits && password.size > 0) memcpy(job.password.bytes, password.data, password.size);
    return ServiceNext::hashing;
}

// What HELLO asks for, before any of it is done.
struct HelloWish {
    uint8_t protocol;
    bool has_auth;
    Slice name;
    Slice password;
    bool has_client_name;
    Name client_name;
};

// Redis allows any printable name without blanks; ours is kept in a Name and cut to its size.
Status parse_client_name(Slice text, Name& out) {
    if (text.size > name_size_max) return Status::invalid;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') return Status::invalid;
    }
    out = {};
    out.size = static_cast<uint8_t>(text.size);
    if (text.size > 0) memcpy(out.text, text.data, text.size);
    return Status::ok;
}

// Returns ok with the wish complete; noproto; invalid for a version that is no number; state for a
// client name that cannot be; err for anything else.
Status parse_hello(const ServiceCall& call, HelloWish& out) {
    out = {};
    out.protocol = call.caller->protocol;
    if (call_words(call) == 1) return Status::ok;
    uint64_t protocol = 0;
    if (parse_decimal(call_word(call, 1), protocol) != Status::ok) return Status::invalid;
    if (protocol != 2 && protocol != 3) return Status::noproto;
    out.protocol = static_cast<uint8_t>(protocol);
    uint32_t i = 2;
    while (i < call_words(call)) {
        const uint32_t left = call_words(call) - i - 1;
        if (slice_equal_nocase(call_word(call, i), "AUTH") && left >= 2) {
            out.has_auth = true;
            out.name = call_word(call, i + 1);
            out.password = call_word(call, i + 2);
            i += 3;
        } else if (slice_equal_nocase(call_word(call, i), "SETNAME") && left >= 1) {
            if (parse_client_name(call_word(call, i + 1), out.client_name) != Status::ok) {
                return Status::state;
            }
            out.has_client_name = true;
            i += 2;
        } else {
            return Status::err;
        }
    }
    return Status::ok;
}

}  // namespace

void put_hello(Service& service, ServiceCall& call) {
    Reply& reply = call.reply;
    reply_map(reply, 7);
    reply_bulk_text(reply, "server");
    reply_bulk_text(reply, "pennybank");
    reply_bulk_text(reply, "version");
    reply_bulk_text(reply, service.version);
    reply_bulk_text(reply, "proto");
    reply_integer(reply, call.caller->protocol);
    reply_bulk_text(reply, "id");
    reply_integer(reply, static_cast<int64_t>(call.caller->number));
    reply_bulk_text(reply, "mode");
    reply_bulk_text(reply, "standalone");
    reply_bulk_text(reply, "role");
    reply_bulk_text(reply, "master");
    reply_bulk_text(reply, "modules");
    reply_array(reply, 0);
}

ServiceNext command_hello(Service& service, ServiceCall& call) {
    HelloWish wish;
    const Status parsed = parse_hello(call, wish);
    if (parsed == Status::noproto) {
        return refuse(call, Status::noproto, "unsupported protocol version");
    }
    if (parsed == Status::invalid) {
        return refuse(call, Status::err, "Protocol version is not an integer or out of range");
    }
    if (parsed == Status::state) {
        return refuse(call, Status::err,
                      "Client names cannot contain spaces, newlines or special characters, "
                      "and have at most 31 bytes");
    }
    if (parsed != Status::ok) return refuse(call, Status::err, "Syntax error in HELLO");
    if (wish.has_auth) {
        const ServiceNext next =
            begin_login(service, call, HashPurpose::hello, wish.name, wish.password);
        if (next != ServiceNext::hashing) return next;
        call.hash->protocol = wish.protocol;
        call.hash->client_name = wish.has_client_name ? wish.client_name : call.caller->client_name;
        return next;
    }
    if (call.caller->person == row_none && !call.caller->lab) {
        return refuse(call, Status::noauth,
                      "HELLO must be called with the client already authenticated, otherwise the "
                      "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the "
                      "client and select the RESP protocol version at the same time");
    }
    call.caller->protocol = wish.protocol;
    call.reply.protocol = wish.protocol;
    if (wish.has_client_name) call.caller->client_name = wish.client_name;
    put_hello(service, call);
    return ServiceNext::replied;
}

// With one word the person is the one the terminal is named after.
ServiceNext command_auth(Service& service, ServiceCall& call) {
    if (call_words(call) == 2) {
        return begin_login(service, call, HashPurpose::login, name_slice(call.caller->terminal),
                           call_word(call, 1));
    }
    return begin_login(service, call, HashPurpose::login, call_word(call, 1), call_word(call, 2));
}

ServiceNext command_ping(Service& service, ServiceCall& call) {
    (void)service;
    if (call_words(call) == 2) {
        reply_bulk(call.reply, call_word(call, 1));
    } else {
        reply_simple(call.reply, "PONG");
    }
    return ServiceNext::replied;
}

ServiceNext command_echo(Service& service, ServiceCall& call) {
    (void)service;
    reply_bulk(call.reply, call_word(call, 1));
    return ServiceNext::replied;
}

ServiceNext command_select(Service& service, ServiceCall& call) {
    (void)service;
    uint64_t index = 0;
    if (parse_decimal(call_word(call, 1), index) != Status::ok) {
        return refuse(call, Status::err, "value is not an integer or out of range");
    }
    if (index != 0) return refuse(call, Status::err, "DB index is out of range");
    reply_ok(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_quit(Service& service, ServiceCall& call) {
    (void)service;
    call.caller->wants_close = true;
    reply_ok(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_reset(Service& service, ServiceCall& call) {
    (void)service;
    call.caller->person = row_none;
    leave_group(call);
    call.caller->protocol = 2;
    call.caller->client_name = {};
    call.reply.protocol = 2;
    reply_simple(call.reply, "RESET");
    return ServiceNext::replied;
}

void service_login_by_certificate(const Service& service, Caller& caller) {
    const Ledger& ledger = service.book->ledger;
    const uint32_t row = ledger_find_person(ledger, caller.terminal);
    if (row == row_none || row >= ledger.people_installed) return;
    const PersonValues& values = ledger.people[row].installed;
    if (values.state != PersonState::active) return;
    caller.person = row;
    caller.version = values.version;
}

namespace {

// Proposes the plain record of a password that was wrapped. The login does not wait for it: without
// it the next one does the same again.
void propose_rehash(Service& service, const ServiceCall& call) {
    const HashJob& job = *call.hash;
    if (job.made.size == 0) return;
    const char* why = nullptr;
    BookChange change = {};
    change.operation = PersonOperation::rehash;
    change.person = change.asked_by = job.person;
    change.terminal = call.caller->terminal;
    change.version = job.version;
    change.record = job.made;
    const Status status =
        book_change_person(*service.book, call.wall_ms, change, book_tag_none, why);
    (void)status;  // Whatever stands against it, the login is as right as before.
}

}  // namespace

// Goes on when a login's password was verified. The person is looked at again: the record, the lock
// and the role may have changed while the worker ran (P6).
ServiceNext login_hashed(Service& service, ServiceCall& call) {
    const HashJob& job = *call.hash;
    if (job.outcome == Status::busy) return refuse_try(service, call, job.attempt);
    const Ledger& ledger = service.book->ledger;
    bool fine = job.outcome == Status::ok && job.person < ledger.people_installed;
    if (fine) {
        const PersonValues& values = ledger.people[job.person].installed;
        fine = values.version == job.version && values.state == PersonState::active;
    }
    if (!fine) return fail_try(service, call, job.attempt);
    penalties_succeed(*service.penalties, job.attempt, call.wall_ms);
    call.caller->person = job.person;
    call.caller->version = job.version;
    propose_rehash(service, call);
    if (job.purpose == HashPurpose::login) {
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    call.caller->protocol = job.protocol;
    call.reply.protocol = job.protocol;
    call.caller->client_name = job.client_name;
    put_hello(service, call);
    return ServiceNext::replied;
}
