// The second secret of a person: PIN SET, PIN UNLOCK, and what follows when one was verified.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

// In front of the digits when they are hashed, so that no PIN is ever anybody's password.
constexpr char pin_start[] = "PIN ";
constexpr uint32_t pin_start_size = sizeof pin_start - 1;
static_assert(pin_start_size + pin_size_min >= password_size_min);
static_assert(pin_start_size + pin_size_max <= password_size_max);

ServiceNext set_pin(Service& service, ServiceCall& call) {
    if (call_words(call) != 4) return refuse_syntax(call);
    if (!pin_is_fine(call_word(call, 3))) return refuse_pin_text(call);
    if (pin_is_locked(service, call.caller->person)) return refuse_locked_pin(call);
    const Person& person = call_person(service, call);
    const Attempt attempt = attempt_of(service, call, name_slice(person.name), call.caller->person);
    if (!may_try(service, call, attempt)) return refuse_try(service, call, attempt);
    if (call.hash == nullptr) return ServiceNext::waiting;
    const Slice password = call_word(call, 2);
    HashJob& job = *call.hash;
    job.purpose = HashPurpose::set_pin;
    job.person = call.caller->person;
    job.version = person.installed.version;
    job.guesses = true;
    job.attempt = attempt;
    job.has_known = true;
    job.known = person.texts.password;
    job.known_pin = person.texts.pin;
    put_pin(call_word(call, 3), job.fresh);
    const bool fits = password.size > 0 && password.size <= password_size_max;
    job.password.size = static_cast<uint8_t>(fits ? password.size : 0);
    if (fits) memcpy(job.password.bytes, password.data, password.size);
    return ServiceNext::hashing;
}

ServiceNext unlock_pin(Service& service, ServiceCall& call) {
    uint32_t person = row_none;
    if (call_words(call) != 3) return refuse_syntax(call);
    const Role role = call_person(service, call).installed.role;
    if (role != Role::till && role != Role::admin) {
        return refuse(call, Status::noperm, "a PIN is unlocked by a till or an admin");
    }
    if (find_person(service, call, call_word(call, 2), person) != Status::ok) {
        return ServiceNext::replied;
    }
    // Else whoever may unlock could guess for ever.
    if (person == call.caller->person) {
        return refuse(call, Status::noperm, "somebody else unlocks your PIN");
    }
    // Tries that were spent while the journal could not take the lock count no more either.
    const bool is_spent = access_pin_is_spent(*service.access, person);
    const bool is_set = service.book->ledger.people[person].decided.pin == PinState::set;
    if (is_spent && is_set) access_clear_pin(*service.access, person);
    BookChange change = {};
    change.operation = PersonOperation::pin_unlock;
    change.person = person;
    return change_person(service, call, change);
}

// The third wrong one in a row is an entry of the book.
ServiceNext lock_pin(Service& service, ServiceCall& call) {
    BookChange change = {};
    const char* why = nullptr;
    change.operation = PersonOperation::pin_lock;
    change.person = change.asked_by = call.caller->person;
    change.terminal = call.caller->terminal;
    if (call.caller->in_group) call.group->broken = true;  // S4
    const Status status =
        book_change_person(*service.book, call.wall_ms, change, call.tag, why);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    return refuse_locked_pin(call);
}

}  // namespace

bool pin_is_fine(Slice text) {
    if (text.size < pin_size_min || text.size > pin_size_max) return false;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return true;
}

void put_pin(Slice text, Password& out) {
    CHECK(pin_is_fine(text));
    memcpy(out.bytes, pin_start, pin_start_size);
    memcpy(out.bytes + pin_start_size, text.data, text.size);
    out.size = static_cast<uint8_t>(pin_start_size + text.size);
}

bool pin_is_locked(const Service& service, uint32_t person) {
    const bool is_locked = service.book->ledger.people[person].decided.pin == PinState::locked;
    return is_locked || access_pin_is_spent(*service.access, person);
}

ServiceNext refuse_pin_text(ServiceCall& call) {
    return refuse_size(call, "a PIN", pin_size_min, pin_size_max, "digits");
}

ServiceNext refuse_locked_pin(ServiceCall& call) {
    return refuse(call, Status::noperm, locked_pin_text);
}

ServiceNext command_pin(Service& service, ServiceCall& call) {
    const Slice verb = call_word(call, 1);
    if (slice_equal_nocase(verb, "SET")) return set_pin(service, call);
    if (slice_equal_nocase(verb, "UNLOCK")) return unlock_pin(service, call);
    return refuse(call, Status::err, "unknown subcommand; try SET or UNLOCK");
}

ServiceNext pin_set_hashed(Service& service, ServiceCall& call) {
    const HashJob& job = *call.hash;
    if (job.outcome == Status::busy) return refuse_try(service, call, job.attempt);
    if (job.outcome == Status::wrongpass) return fail_try(service, call, job.attempt);
    if (job.outcome == Status::replayed) {  // P10
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    if (job.outcome != Status::ok) return refuse_hash(call);
    penalties_succeed(*service.penalties, job.attempt, call.wall_ms);
    BookChange change = {};
    change.operation = PersonOperation::pin_set;
    change.person = job.person;
    change.version = job.version;
    change.record = job.made;
    return change_person(service, call, change);
}

ServiceNext move_hashed(Service& service, ServiceCall& call) {
    HashJob& job = *call.hash;
    const uint32_t person = call.caller->person;
    if (job.outcome == Status::wrongpass && !job.is_counted) {
        job.is_counted = true;
        if (!pin_is_locked(service, person)) {
            access_note_wrong_pin(*service.access, person);
            if (!access_pin_is_spent(*service.access, person)) {
                return refuse(call, Status::wrongpass, "the PIN is wrong");
            }
        }
    }
    // Others may have used up the tries while this one was looked at.
    if (pin_is_locked(service, person)) return lock_pin(service, call);
    if (job.outcome != Status::ok) return refuse_hash(call);
    access_clear_pin(*service.access, person);
    call.pin_verified = true;
    BookMove move = job.move;
    const bool reverses = move.operation == Operation::reverse;
    return reverses ? reverse_money(service, call, move) : move_money(service, call, move);
}
