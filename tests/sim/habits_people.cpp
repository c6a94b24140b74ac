// What players do with their logins and PINs, and an admin with people: USER, PIN, mistyped words.
//
// A PIN play is a few steps of one person that leave no doubt about the PIN: it is set, it is
// mistyped, a wrong password is said. Nothing that needs the PIN is under way meanwhile (W5).

#include <algorithm>
#include <set>

#include "sim/players.h"

namespace sim {

namespace {

using std::string;

constexpr uint32_t tries_until_locked = 3;

string text_of(const Value* value) { return value == nullptr ? "" : value->text; }

// Commands that are answered to everybody, whatever the terminal permits.
bool is_for_all(const string& word) {
    static const std::set<string> words = {"HELLO", "AUTH", "QUIT",  "RESET",      "REGISTER",
                                           "TIME",  "DATE", "CLOCK", "TEMPERATURE"};
    return words.count(word) > 0;
}

bool ends_logins(const string& verb) {
    return verb == "ROLE" || verb == "LOCK" || verb == "PASSWD" || verb == "DEL";
}

bool moves_money(const string& role) { return role != "admin" && role != "auditor"; }

}  // namespace

// --- Rights -------------------------------------------------------------------------------------

// True when nothing of the terminal but its day can stand in the way, and no PIN is needed.
bool Player::is_within(const Move& move) const {
    if (is_order_move(move)) return is_order_within(move);
    const Bounds& bounds = party->oracle.bounds_of(terminal);
    const auto& rules = party->oracle.stages.back();
    Move known = move;
    for (const KnownHold& hold : party->holds) {
        if (move.hold == 0 || hold.number != move.hold) continue;
        known.debit = hold.debit;
        known.credit = hold.credit;
        if (known.amount == 0) known.amount = hold.amount;
    }
    const bool is_unbounded = bounds.accounts.empty() && bounds.amount_max == bound_none &&
                              bounds.pin_above == bound_none;
    if (move.operation == "reverse") return is_unbounded;
    for (const string& side : {known.debit, known.credit}) {
        const auto found = rules.find(side);
        const bool own = found != rules.end() && found->second.owner == person->name;
        if (!bounds.accounts.empty() && !own && bounds.accounts.count(side) == 0) return false;
    }
    if (move.operation == "void") return true;
    const bool is_small = bounds.amount_max == bound_none || known.amount <= bounds.amount_max;
    return is_small && (bounds.pin_above == bound_none || known.amount <= bounds.pin_above);
}

// Mostly as it should be.
void Player::add_pin(Move& move) {
    Chance& chance = party->chance;
    const int64_t above = party->oracle.bounds_of(terminal).pin_above;
    // What it costs, or moves back, is not known here for sure.
    const bool is_plain =
        move.hold == 0 && move.operation != "reverse" && !is_order_move(move);
    if (above == bound_none || move.operation == "void" || person->pin_busy) return;
    if (move.operation == "cancel" || move.operation == "done") return;  // They move too little.
    if (is_plain && move.amount <= above && !chance.percent(10)) return;
    if (person->pin.empty()) {
        if (is_plain && chance.percent(20)) move.pin = "1234";  // There is none.
    } else if (!person->pin_locked || is_plain) {
        if (chance.percent(90)) move.pin = person->pin;
    }
}

// Whether the present rights and the present PIN must bring the first answer again, or a refusal
// that compare knows.
bool Player::may_replay(const Request& request) const {
    if (person->frozen) return false;
    if (request.ask.is_group && party->oracle.role_of(request.ask) != person->role) return false;
    for (const Move& move : request.ask.moves) {
        if (move.pin.empty()) continue;
        if (move.pin != person->pin || person->pin_busy || person->pin_locked) return false;
    }
    return true;
}

bool Player::must_be_refused() const { return !party->oracle.people.now(person->name).active; }

// Whether the terminal may not take what this login may be.
bool Player::is_kept_out() const {
    const Bounds& bounds = party->oracle.bounds_of(terminal);
    for (const Facts& facts : party->oracle.people.possible(person->name, login_sent,
                                                            party->tick)) {
        if (!bounds_take(bounds, facts.role)) return true;
    }
    return false;
}

// Whether the password of this login may be a first one.
bool Player::is_held_back() const {
    for (const Facts& facts : party->oracle.people.possible(person->name, login_sent,
                                                            party->tick)) {
        if (facts.first) return true;
    }
    return false;
}

// E1 and E4. Who must be kept out is told nothing.
void Player::check_rights(const Expect& expect, const Value& value) {
    if (!logged_in || value.is_error() || is_for_all(expect.word)) return;
    const Bounds& bounds = party->oracle.bounds_of(terminal);
    const uint64_t since = std::min(login_sent, expect.sent);
    for (const Facts& facts : party->oracle.people.possible(person->name, since, party->tick)) {
        if (facts.first && !first_has(expect.word)) continue;
        if (bounds_take(bounds, facts.role) && role_has(facts.role, expect.word)) return;
    }
    party->fail(person->name + ", a " + person->role + ", was answered to " + expect.word +
                " at " + terminal);
}

// --- Logins and PINs ----------------------------------------------------------------------------

void Player::mistype() {
    party->tally.add("passwords mistyped");
    const Words words = {"AUTH", person->name, person->password + "x"};
    say_guess(words, person->name, GuessKind::wrong, [this](const Value& value, const string& raw) {
        if (value.is_error() && value.word() == "WRONGPASS") return;
        if (note_common(value, nullptr)) return;
        told_to_leave = value.text == "ERR max number of clients reached";
        if (!told_to_leave) party->fail("a mistyped password was answered with " + raw);
    });
}

void Player::pin_answered() {
    sent_pin = person->pin_flying = false;
    if (person->pin_steps > 0) person->pin_steps--;
}

namespace {

// The server said that it is locked; the book says so only if it could take that.
void learn_lock(Party& party, Person& person) {
    if (!person.pin_locked && person.tries_max < tries_until_locked) {
        return party.fail("the PIN of " + person.name + " was locked too early");
    }
    PeopleOracle& people = party.oracle.people;
    people.forget(person.name);
    if (person.pin_locked && person.lock_is_sure) return;
    Facts locked = people.now(person.name);
    locked.pin_locked = true;
    people.change(person.name, locked, party.tick);
    person.pin_locked = true;
    party.tally.add("PINs locked");
}

// What may have locked it leaves nothing to be begun with it.
bool is_in_doubt(const Person& person) {
    if (person.pin_locked) return !person.lock_is_sure;
    return person.tries_max >= tries_until_locked;
}

}  // namespace

void Player::set_pin() {
    Chance& chance = party->chance;
    PeopleOracle& people = party->oracle.people;
    if (person->pin_next.empty()) {
        person->pin_next = std::to_string(chance.between(1000, 99'999'999));
        Facts next = people.now(person->name);
        next.has_pin = true;
        people.change(person->name, next, ++party->tick);
    }
    sent_pin = person->pin_flying = true;
    party->may_leave(terminal, 1);
    const Words words = {"PIN", "SET", person->password, person->pin_next};
    say_guess(words, person->name, GuessKind::right, [this](const Value& value, const string&) {
        pin_answered();
        if (note_common(value, nullptr)) return;
        if (value.is_error() && value.word() == "WRONGPASS") return;  // Too often; again later.
        const string wanted = person->pin_next;
        person->pin_next.clear();
        if (value.text == pin_locked_text) return learn_lock(*party, *person);
        if (value.is_error()) return party->fail("PIN SET: " + value.text);
        if (person->pin_locked) return party->fail("PIN SET was a way around a lock");
        person->pin = wanted;
        person->tries_min = person->tries_max = 0;
        party->oracle.people.changed(person->name, ++party->tick);
        party->tally.add("PINs set");
    });
}

// E3.
void Player::try_wrong_pin() {
    const Bounds& bounds = party->oracle.bounds_of(terminal);
    const int64_t amount = bounds.pin_above + 1;
    const bool in_list = bounds.accounts.empty() || bounds.accounts.count("shop") > 0;
    const bool in_bound = bounds.amount_max == bound_none || amount <= bounds.amount_max;
    const bool asked = bounds.pin_above != bound_none && !person->pin.empty();
    if (!asked || !in_list || !in_bound || !moves_money(person->role)) return;
    const string id = "mistyped-" + std::to_string(++party->memos);
    person->tries_max++;
    if (person->tries_max >= tries_until_locked && !person->pin_locked) {
        Facts locked = party->oracle.people.now(person->name);
        locked.pin_locked = true;
        party->oracle.people.change(person->name, locked, ++party->tick);
    }
    sent_pin = person->pin_flying = true;
    party->may_leave(terminal, 1);
    const Words words = {"TRANSFER", id, "shop", oracle_amount(amount), "PIN", person->pin + "7"};
    say(words, [this](const Value& value, const string& raw) {
        pin_answered();
        if (value.text == pin_locked_text) return learn_lock(*party, *person);
        if (note_common(value, nullptr)) return;
        if (value.text != "WRONGPASS the PIN is wrong") {
            return party->fail("a wrong PIN was answered with " + raw);
        }
        if (person->pin_locked || person->tries_min + 1 >= tries_until_locked) {
            return party->fail("a third wrong PIN of " + person->name + " did not lock it");
        }
        person->tries_min++;
        if (person->tries_max >= tries_until_locked) {  // It was not the third after all.
            person->tries_max = tries_until_locked - 1;
            party->oracle.people.forget(person->name);
        }
        party->tally.add("PINs mistyped");
    });
}

// The next step of a PIN play, or the beginning of one.
void Player::play_pin() {
    Chance& chance = party->chance;
    const uint64_t now_us = party->net.now_us(party->net.context);
    const bool holds_still = person->frozen && person->pin_next.empty();
    if (!logged_in || holds_still || is_stopped() || must_be_refused()) return;
    if (!person->pin_busy) {
        const bool begins = !party->quiet && chance.percent(4) && person->doubt.empty() &&
                            !person->passwd_flying;
        if (!begins) return;
        person->pin_busy = true;
        person->pin_steps = static_cast<uint32_t>(chance.between(1, 6));
    }
    if (person->pin_flying || now_us < person->pin_wait_us) return;
    for (const LostCopy& copy : person->lost) {
        if (copy.until_us > now_us) return;
    }
    const auto needs_pin = [](const Request* request) {
        return !request->ask.moves[0].pin.empty() && (!request->settled || request->flying > 0);
    };
    if (std::any_of(person->open.begin(), person->open.end(), needs_pin)) return;
    if (std::any_of(person->settled.begin(), person->settled.end(), needs_pin)) return;
    if (!person->pin_next.empty()) return set_pin();
    if (person->frozen) return;
    if (person->pin_locked && !person->lock_is_sure) return;  // An admin will see.
    if (party->quiet || person->pin_steps == 0) {
        person->pin_busy = is_in_doubt(*person);
        if (!person->pin_busy || party->quiet) return;
    }
    const uint64_t roll = chance.below(100);
    if (is_in_doubt(*person) || (roll >= 55 && roll < 90)) return try_wrong_pin();
    if (roll < 45) return set_pin();
    if (roll < 55) {
        const bool is_locked = person->pin_locked;
        return say_guess({"PIN", "SET", "not my password", "4711"}, person->name, GuessKind::wrong,
                         [this, is_locked](const Value& value, const string& raw) {
                             if (note_common(value, nullptr)) return;
                             // A try on another connection may have locked it meanwhile.
                             const bool may_be_locked =
                                 is_locked || person->pin_locked ||
                                 person->tries_max >= tries_until_locked;
                             if (may_be_locked && value.text == pin_locked_text) return;
                             const bool is_wrong = value.is_error() && value.word() == "WRONGPASS";
                             if (!is_locked && is_wrong) return;
                             party->fail("PIN SET with a wrong password was answered with " + raw);
                         });
    }
    const bool unlocks = person->role == "till" || person->role == "admin";
    say_exactly({"PIN", "UNLOCK", person->name},
                unlocks ? "-NOPERM somebody else unlocks your PIN\r\n"
                        : "-NOPERM a PIN is unlocked by a till or an admin\r\n");
}

// --- The admin ----------------------------------------------------------------------------------

bool Party::is_calm(const Person& person) {
    const uint64_t now_us = net.now_us(net.context);
    if (!person.open.empty() || !person.doubt.empty() || person.passwd_flying) return false;
    if (person.pin_flying || !person.pin_next.empty() || now_us < person.pin_wait_us) return false;
    if (has_mail_to_do(person) || now_us < person.post.key_wait_us) return false;
    for (const LostCopy& copy : person.lost) {
        if (copy.until_us > now_us) return false;
    }
    for (const Request* request : person.settled) {
        if (request->flying > 0) return false;
    }
    for (const auto& player : players) {
        if (player->person == &person && !player->expects.empty()) return false;
    }
    return true;
}

namespace {

void plan_change(Chance& chance, AdminWork& work, Person& person, uint64_t number) {
    static const char* const roles[] = {"customer", "till", "treasurer", "auditor"};
    const uint64_t roll = chance.below(100);
    if (roll < 35) {
        work.verb = "ROLE";
        do {
            work.next.role = roles[chance.below(4)];
        } while (work.next.role == person.role);
        work.words = {"USER", "ROLE", person.name, work.next.role};
    } else if (roll < 60) {
        work.verb = work.next.active ? "LOCK" : "UNLOCK";
        work.next.active = !work.next.active;
        work.words = {"USER", work.verb, person.name};
    } else if (roll < 75) {
        work.verb = "PASSWD";
        work.person.password = "given password " + std::to_string(number);
        work.next.first = number % 2 == 0;
        work.words = {"USER", "PASSWD", person.name, work.person.password};
        if (work.next.first) work.words.push_back("FIRST");
    } else if (roll < 88) {
        work.verb = "NAME";
        work.next.title = "Guest N\xc2\xb0 " + std::to_string(number);
        work.words = {"USER", "NAME", person.name, work.next.title};
    } else {
        work.verb = "DEL";
        work.next = {.role = work.next.role, .title = "", .active = false, .removed = true};
        work.change.kind = Change::Kind::remove;
        work.words = {"USER", "DEL", person.name};
    }
}

}  // namespace

bool Party::plan_people(AdminWork& work) {
    std::vector<Person*> guests;
    std::vector<Person*> locked;
    for (Person& person : people) {
        const Facts& facts = oracle.people.now(person.name);
        if (person.is_guest && !facts.removed && !person.pin_busy) guests.push_back(&person);
        if (person.role != "admin" && is_in_doubt(person)) locked.push_back(&person);
        if (person.pin_locked && !facts.removed) locked.push_back(&person);
    }
    if (!locked.empty() && chance.percent(30)) {
        work.target = chance.of(locked);
        work.next = oracle.people.now(work.target->name);
        work.next.pin_locked = false;
        work.verb = "PIN";
        work.words = {"PIN", "UNLOCK", work.target->name};
    } else if (!guests.empty()) {
        work.target = chance.of(guests);
        work.next = oracle.people.now(work.target->name);
        plan_change(chance, work, *work.target, ++memos);
    } else {
        return false;
    }
    work.change.account = work.target->name;
    work.target->frozen = true;
    return true;
}

bool Party::may_send_work(const Player& player) {
    AdminWork& work = admin;
    const bool waited = net.now_us(net.context) > admin_waits_until_us;
    if (work.by_customer) {
        return waited && player.person->role == "customer" && !player.person->is_guest &&
               player.terminal == "kiosk";
    }
    if (player.person->role != "admin") return false;
    if (work.verb.empty()) return true;
    if (!waited || (work.change.sent == 0 && !is_calm(*work.target))) return false;
    Person& target = *work.target;
    if (work.change.sent == 0) {
        if (work.verb != "DEL") {  // A PIN may have been set since this was planned.
            const Facts& now = oracle.people.now(target.name);
            work.next.has_pin = now.has_pin;
            if (work.verb != "PIN") work.next.pin_locked = now.pin_locked;
            if (work.verb != "PASSWD") work.next.first = now.first;
        }
        oracle.people.change(target.name, work.next, ++tick);
    }
    if (work.verb == "PASSWD") target.doubt = work.person.password;
    if (ends_logins(work.verb)) {
        target.changes++;
        door.unsettle(target.name);
    }
    return true;
}

// What was asked for of a person holds.
void Party::people_changed(AdminWork& work) {
    Person& target = *work.target;
    tally.add("people changed: " + work.verb);
    oracle.people.changed(target.name, ++tick);
    target.frozen = false;
    target.role = work.next.role;
    if (work.verb == "PIN") {
        target.tries_min = 0;
        target.tries_max = target.pin_locked ? 0 : tries_until_locked - 1;
        target.pin_locked = target.lock_is_sure = false;
    }
    if (work.verb == "DEL") {
        target.pin.clear();
        target.tries_min = target.tries_max = 0;
        target.pin_locked = target.pin_busy = false;
    }
    if (work.verb == "PASSWD") {
        target.password = target.doubt;
        target.doubt.clear();
        target.changed = tick;
    }
    if (!ends_logins(work.verb)) return;
    target.changes++;
    target.endings++;
    target.ended = tick;
}

string Party::refusal_of_registration() const {
    return "NOPERM this terminal registers at most " + std::to_string(rules.register_per_day) +
           " people a day; an admin makes more";
}

void Player::list_people() {
    const uint64_t sent = ++party->tick;
    say({"USER", "LIST"}, [this, sent](const Value& value, const string&) {
        if (note_common(value, nullptr)) return;
        if (value.is_error()) return party->fail("USER LIST: " + value.text);
        judge_list(value, sent, ++party->tick);
    });
}

// Everybody is there, and is what they can be.
void Player::judge_list(const Value& value, uint64_t sent, uint64_t answered) {
    PeopleOracle& people = party->oracle.people;
    party->tally.add("lists of people");
    std::set<string> listed;
    for (const Value& row : value.items) {
        const string name = text_of(resp_field(row, "person"));
        const string state = text_of(resp_field(row, "state"));
        const string pin = text_of(resp_field(row, "pin"));
        listed.insert(name);
        if (!people.knows(name)) {
            const bool registers = party->admin.is_registration && party->admin.person.name == name;
            if (!registers) party->fail("USER LIST shows " + name + ", whom nobody made");
            continue;
        }
        Facts shown;
        shown.role = text_of(resp_field(row, "role"));
        shown.title = text_of(resp_field(row, "name"));
        shown.active = state == "active" || state == "active/first";
        shown.first = state == "active/first" || state == "locked/first";
        shown.removed = state == "removed";
        shown.has_pin = pin != "none";
        shown.pin_locked = pin == "locked";
        const std::vector<Facts> all = people.possible(name, sent, answered);
        Facts refused = shown;  // A lock that the journal could not take is none in the book.
        for (const Person& other : party->people) {
            const bool is_unsure = other.name == name && other.pin_locked && !other.lock_is_sure;
            if (is_unsure && shown.has_pin) refused.pin_locked = true;
        }
        if (std::find(all.begin(), all.end(), shown) == all.end() &&
            std::find(all.begin(), all.end(), refused) == all.end()) {
            return party->fail("USER LIST shows " + name + " as a " + shown.role + ", " + state +
                               ", '" + shown.title + "', PIN " + pin);
        }
        for (Person& other : party->people) {  // What is listed is in the book.
            const bool sure = other.name == name && shown.pin_locked && other.pin_locked;
            if (!sure || other.frozen || other.lock_is_sure) continue;
            other.lock_is_sure = true;
            people.forget(name);
            people.change(name, shown, sent);
            people.changed(name, answered);
        }
    }
    for (const Person& other : party->people) {
        if (people.steps.at(other.name)[0].answered <= sent && listed.count(other.name) == 0) {
            party->fail("USER LIST does not show " + other.name);
        }
    }
}

// --- Bounds -------------------------------------------------------------------------------------

std::map<string, Bounds> party_bounds(Chance& chance) {
    std::map<string, Bounds> out;
    const auto amount = [&](uint64_t low, uint64_t high) {
        return static_cast<int64_t>(chance.between(low, high));
    };
    if (chance.percent(60)) {
        Bounds& kiosk = out["kiosk"];
        if (chance.percent(70)) kiosk.pin_above = amount(300, 1500);
        if (chance.percent(50)) kiosk.amount_max = amount(1000, 2400);
        if (chance.percent(50)) kiosk.day_max = amount(5'000, 40'000);
        if (chance.percent(30)) kiosk.accounts = {"alice", "bob", "cash", "shop"};
        if (chance.percent(50)) kiosk.roles = {"admin", "auditor", "customer", "treasurer"};
    }
    if (chance.percent(30)) {
        Bounds& till = out["till-1"];
        till.day_max = amount(20'000, 200'000);
        if (chance.percent(50)) till.pin_above = amount(5'000, 15'000);
    }
    if (chance.percent(20)) out["office"].pin_above = amount(300, 1500);
    return out;
}

}  // namespace sim
