// USER LIST, ADD, DEL, ROLE, PASSWD, LOCK, UNLOCK, NAME: an admin keeps the people of the book.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

constexpr uint32_t list_rows_max = 100;

void put_person(Reply& reply, const Person& person) {
    reply_map(reply, 5);
    reply_bulk_text(reply, "person");
    reply_bulk(reply, name_slice(person.name));
    reply_bulk_text(reply, "role");
    reply_bulk_text(reply, role_name(person.installed.role));
    reply_bulk_text(reply, "state");
    reply_bulk_text(reply, person_state_name(person.installed.state, person.installed.term));
    reply_bulk_text(reply, "name");
    reply_bulk(reply, slice_of_chars(person.texts.title.text, person.texts.title.size));
    reply_bulk_text(reply, "pin");
    reply_bulk_text(reply, pin_state_name(person.installed.pin));
}

// USER LIST [AFTER name]: in the order in which they were made, a page at a time.
ServiceNext list_people(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    uint32_t first = 0;
    if (call_words(call) != 2 && call_words(call) != 4) return refuse_syntax(call);
    if (call_words(call) == 4) {
        if (!slice_equal_nocase(call_word(call, 2), "AFTER")) return refuse_syntax(call);
        if (find_person(service, call, call_word(call, 3), first) != Status::ok) {
            return ServiceNext::replied;
        }
        first++;
    }
    const uint32_t left = ledger.people_installed - first;
    const uint32_t count = left < list_rows_max ? left : list_rows_max;
    reply_array(call.reply, count);
    for (uint32_t i = 0; i < count; i++) put_person(call.reply, ledger.people[first + i]);
    return ServiceNext::replied;
}

ServiceNext refuse_role_word(ServiceCall& call) {
    reply_error_begin(call.reply, "ERR");
    put_text(*call.reply.out, "a role is one of");
    for (uint32_t i = 0; i < role_count; i++) {
        put_u8(*call.reply.out, ' ');
        put_text(*call.reply.out, role_name(static_cast<Role>(i)));
    }
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// The word FIRST behind `count` words; a command that has it has one word more.
PasswordTerm take_term(const ServiceCall& call, uint32_t& count) {
    const bool is_first = call_words(call) == count + 1 &&
                          slice_equal_nocase(call_word(call, count), "FIRST");
    if (!is_first) return PasswordTerm::lasting;
    count++;
    return PasswordTerm::first;
}

// USER ADD name password [ROLE role] [FIRST].
ServiceNext add_user(Service& service, ServiceCall& call) {
    Role role = Role::customer;
    uint32_t count = 4;
    if (call_words(call) >= 6) {
        if (!slice_equal_nocase(call_word(call, 4), "ROLE")) return refuse_syntax(call);
        if (parse_role(call_word(call, 5), role) != Status::ok) return refuse_role_word(call);
        count = 6;
    }
    const PasswordTerm term = take_term(call, count);
    if (call_words(call) != count) return refuse_syntax(call);
    return begin_adding(service, call, HashPurpose::add_user, 2, role, term);
}

// USER PASSWD name new [FIRST].
ServiceNext set_user_password(Service& service, ServiceCall& call, uint32_t person) {
    if (call.hash == nullptr) return ServiceNext::waiting;
    const Person& row = service.book->ledger.people[person];
    HashJob& job = *call.hash;
    if (take_password(call_word(call, 3), job.fresh) != Status::ok) {
        wipe(&job, sizeof job);
        return refuse_password_size(call);
    }
    job.purpose = HashPurpose::user_password;
    uint32_t count = 4;
    job.term = take_term(call, count);
    job.known_term = row.installed.term;
    job.person = person;
    job.has_known = true;
    job.known = row.texts.password;
    job.version = row.installed.version;
    return ServiceNext::hashing;
}

// What the verbs with a name and at most one word more have in common. Returns absent after having
// refused.
Status parse_change(const Service& service, ServiceCall& call, BookChange& out) {
    const Slice verb = call_word(call, 1);
    const struct {
        const char* verb;
        PersonOperation operation;
        uint32_t words;
    } rows[] = {{"DEL", PersonOperation::remove, 3},    {"LOCK", PersonOperation::lock, 3},
                {"UNLOCK", PersonOperation::unlock, 3}, {"ROLE", PersonOperation::role, 4},
                {"NAME", PersonOperation::title, 4},    {"PASSWD", PersonOperation::password, 4}};
    out = {};
    for (const auto& row : rows) {
        if (!slice_equal_nocase(verb, row.verb)) continue;
        out.operation = row.operation;
        uint32_t words = row.words;
        if (row.operation == PersonOperation::password) (void)take_term(call, words);
        if (call_words(call) != words) {
            refuse_syntax(call);
            return Status::absent;
        }
        return find_person(service, call, call_word(call, 2), out.person);
    }
    refuse(call, Status::err,
           "unknown subcommand; try LIST, ADD, DEL, ROLE, PASSWD, LOCK, UNLOCK or NAME");
    return Status::absent;
}

}  // namespace

Status find_person(const Service& service, ServiceCall& call, Slice word, uint32_t& out) {
    Name name;
    const Ledger& ledger = service.book->ledger;
    uint32_t row = row_none;
    if (parse_name(word, name) == Status::ok) row = ledger_find_person(ledger, name);
    if (row == row_none || row >= ledger.people_installed) {
        refuse(call, Status::err, "there is no person of that name");
        return Status::absent;
    }
    out = row;
    return Status::ok;
}

ServiceNext change_person(Service& service, ServiceCall& call, BookChange& change) {
    const char* why = nullptr;
    change.asked_by = call.caller->person;
    change.terminal = call.caller->terminal;
    const Status status =
        book_change_person(*service.book, call.wall_ms, change, call.tag, why);
    if (status == Status::replayed) {  // P10
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    if (status == Status::state) return refuse(call, Status::state, why);
    return after_proposal(service, call, status);
}

ServiceNext command_user(Service& service, ServiceCall& call) {
    const Slice verb = call_word(call, 1);
    if (slice_equal_nocase(verb, "LIST")) return list_people(service, call);
    if (slice_equal_nocase(verb, "ADD")) return add_user(service, call);
    BookChange change;
    if (parse_change(service, call, change) != Status::ok) return ServiceNext::replied;
    if (change.operation == PersonOperation::password) {
        return set_user_password(service, call, change.person);
    }
    if (change.operation == PersonOperation::role &&
        parse_role(call_word(call, 3), change.role) != Status::ok) {
        return refuse_role_word(call);
    }
    if (change.operation == PersonOperation::title &&
        parse_title(call_word(call, 3), change.title) != Status::ok) {
        return refuse(call, Status::err,
                      "a name to show is at most 63 bytes of UTF-8 without control characters");
    }
    return change_person(service, call, change);
}

ServiceNext user_password_hashed(Service& service, ServiceCall& call) {
    const HashJob& job = *call.hash;
    if (job.outcome == Status::replayed) {  // P10
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    if (job.outcome != Status::ok) return refuse_hash(call);
    BookChange change = {};
    change.operation = PersonOperation::password;
    change.person = job.person;
    change.version = job.version;
    change.term = job.term;
    change.record = job.made;
    return change_person(service, call, change);
}
