// Judging and deciding what is done to people.

#include "base/check.h"
#include "crypto/password.h"
#include "ledger/rows.h"

Status ledger_judge_person(const Ledger& ledger, const Name& name) {
    if (name_is_reserved(name)) return Status::err;
    if (ledger_find_person(ledger, name) != row_none) return Status::exists;
    if (ledger_find_account(ledger, name) != row_none) return Status::exists;
    if (ledger.people_decided >= ledger.limits.accounts) return Status::oom;
    if (ledger.accounts_decided >= ledger.limits.accounts) return Status::oom;
    return Status::ok;
}

Status ledger_judge_registration(const Ledger& ledger, uint32_t terminal, uint32_t day,
                                 uint32_t registered_max) {
    const bool is_known = terminal != row_none;
    const TerminalDay now = is_known ? ledger.days[terminal].decided : TerminalDay{};
    return days_on(now, day).registered < registered_max ? Status::ok : Status::limit;
}

void ledger_add_person(Ledger& ledger, const PersonToAdd& asked, const LogStamp& stamp,
                       Entry& out) {
    const uint32_t person = ledger.people_decided;
    const uint32_t account = ledger.accounts_decided;
    out = rows_entry(EntryKind::person, asked.asked_by, asked.terminal, stamp);
    PersonEntry& entry = out.row_person;
    entry.person = person;
    entry.account = account;
    entry.operation = PersonOperation::added;
    entry.role = asked.role;
    entry.state = PersonState::active;
    entry.name = asked.name;
    entry.record = asked.password;
    entry.term = asked.term;
    if (asked.day != 0) {
        CHECK(asked.terminal < ledger.terminals_decided);
        TerminalDay& day = ledger.days[asked.terminal].decided;
        day = days_on(day, asked.day);
        day.registered++;
        entry.day = day.day;
        entry.registered = day.registered;
        entry.registered_max = asked.registered_max;
    }
    rows_put_person(ledger, person, asked.name, account);
    rows_put_account(ledger, account, asked.name, person);
    ledger.people[person].decided = rows_change_person({}, entry);
    ledger.accounts[account].decided = rows_member_account();
}

namespace {

// Whether the person is the one active admin that there is (M7).
bool is_last_admin(const Ledger& ledger, uint32_t person) {
    const auto is_admin = [&](uint32_t row) {
        const PersonValues& values = ledger.people[row].decided;
        return values.role == Role::admin && values.state == PersonState::active;
    };
    if (!is_admin(person)) return false;
    for (uint32_t row = 0; row < ledger.people_decided; row++) {
        if (row != person && is_admin(row)) return false;
    }
    return true;
}

// What keeps an account that has no money from being closed for good: a hold, on either side.
bool has_holds(const Ledger& ledger, uint32_t account) {
    if (ledger.accounts[account].decided.held != 0) return true;
    for (uint32_t slot = 0; slot < ledger.holds.pool.count; slot++) {
        if (!pool_is_taken(ledger.holds.pool, slot)) continue;
        const Hold& hold = ledger.holds.pool.slots[slot];
        if (hold.decided && hold.credit == account) return true;
    }
    return false;
}

bool owns_another_account(const Ledger& ledger, uint32_t person) {
    for (uint32_t row = 0; row < ledger.accounts_decided; row++) {
        const Account& account = ledger.accounts[row];
        const bool is_other = account.owner == person && row != ledger.people[person].account;
        if (is_other && account.decided.state == AccountState::open) return true;
    }
    return false;
}

Status judge_removal(const Ledger& ledger, uint32_t person, const char*& why) {
    const uint32_t account = ledger.people[person].account;
    why = "the account still has money";
    if (ledger.accounts[account].decided.balance != 0) return Status::state;
    why = "the account still has holds";
    if (has_holds(ledger, account)) return Status::state;
    why = "this person owns other accounts; close them first";
    return owns_another_account(ledger, person) ? Status::state : Status::ok;
}

// Whether the values already are what the change would make of them.
bool holds_in(const PersonValues& values, const PersonTexts& texts, const PersonChange& change) {
    switch (change.operation) {
        case PersonOperation::role: return values.role == change.role;
        case PersonOperation::lock: return values.state == PersonState::locked;
        case PersonOperation::unlock: return values.state == PersonState::active;
        case PersonOperation::remove: return values.state == PersonState::removed;
        case PersonOperation::pin_lock: return values.pin == PinState::locked;
        case PersonOperation::pin_unlock: return values.pin == PinState::set;
        case PersonOperation::title:
            return slice_equal(slice_of_chars(texts.title.text, texts.title.size),
                               slice_of_chars(change.title.text, change.title.size));
        case PersonOperation::rehash:
            return !password_is_wrapped(slice_of_chars(texts.password.text, texts.password.size));
        case PersonOperation::added:
        case PersonOperation::password:
        case PersonOperation::pin_set: return false;
    }
    CHECK(false);
    return false;
}

bool takes_an_admin(const PersonChange& change) {
    const bool demotes = change.operation == PersonOperation::role && change.role != Role::admin;
    return demotes || change.operation == PersonOperation::lock ||
           change.operation == PersonOperation::remove;
}

// What cannot be changed in this state; `why` says so.
Status judge_state(const Ledger& ledger, const PersonChange& change, const char*& why) {
    const PersonValues& decided = ledger.people[change.person].decided;
    const bool is_of_pin = change.operation == PersonOperation::pin_lock ||
                           change.operation == PersonOperation::pin_unlock;
    why = "this person was removed";
    if (decided.state == PersonState::removed) return Status::state;
    why = "the last active admin stays; make another one first";
    if (takes_an_admin(change) && is_last_admin(ledger, change.person)) return Status::state;
    why = "no PIN is set";
    if (is_of_pin && decided.pin == PinState::none) return Status::state;
    why = "the PIN is locked; a till or an admin unlocks it";
    const bool sets_pin = change.operation == PersonOperation::pin_set;
    if (sets_pin && decided.pin == PinState::locked) return Status::state;
    if (change.operation != PersonOperation::remove) return Status::ok;
    return judge_removal(ledger, change.person, why);
}

}  // namespace

Status ledger_judge_change(const Ledger& ledger, const PersonChange& change, const char*& why) {
    CHECK(change.operation != PersonOperation::added);
    CHECK(change.person < ledger.people_decided);
    const Person& person = ledger.people[change.person];
    const bool in_flight = change.person >= ledger.people_installed ||
                           person.decided.changes != person.installed.changes;
    why = nullptr;
    const bool is_about_texts = change.operation == PersonOperation::title ||
                                change.operation == PersonOperation::rehash;
    if (is_about_texts && in_flight) return Status::pending;
    if (holds_in(person.decided, person.texts, change)) {
        return in_flight ? Status::pending : Status::replayed;
    }
    const Status status = judge_state(ledger, change, why);
    if (status == Status::ok) why = nullptr;
    return status;
}

void ledger_change_person(Ledger& ledger, const PersonChange& change, const LogStamp& stamp,
                          Entry& out) {
    Person& person = ledger.people[change.person];
    out = rows_entry(EntryKind::person, change.asked_by, change.terminal, stamp);
    PersonEntry& entry = out.row_person;
    entry.person = change.person;
    entry.account = person.account;
    entry.operation = change.operation;
    entry.role = person.decided.role;
    entry.state = person.decided.state;
    entry.name = person.name;
    switch (change.operation) {
        case PersonOperation::role: entry.role = change.role; break;
        case PersonOperation::lock: entry.state = PersonState::locked; break;
        case PersonOperation::unlock: entry.state = PersonState::active; break;
        case PersonOperation::remove:
            entry.state = PersonState::removed;
            ledger.accounts[person.account].decided.state = AccountState::closed;
            mail_remove_decided(ledger.mail, change.person);
            break;
        case PersonOperation::title: entry.title = change.title; break;
        case PersonOperation::password:
            entry.term = change.term;
            entry.record = change.record;
            break;
        case PersonOperation::rehash:
        case PersonOperation::pin_set: entry.record = change.record; break;
        case PersonOperation::pin_lock:
        case PersonOperation::pin_unlock: break;
        case PersonOperation::added: CHECK(false);
    }
    person.decided = rows_change_person(person.decided, entry);
}
