// What players choose to do next: mostly what people at a bar do, and all that they should not.

#include "sim/players.h"

namespace sim {

namespace {

using std::string;

constexpr uint64_t second_us = 1'000'000;
constexpr uint64_t group_max = 6;
constexpr uint64_t opened_max = 12;  // accounts and people that the admin makes in one run
constexpr uint64_t guests_max = 2;   // of them with players of their own
constexpr size_t players_max = 11;   // at the beginning
constexpr uint64_t far_entry = 1'000'000'000;

bool is_member(const string& role) {
    return role == "customer" || role == "till" || role == "treasurer";
}

bool is_reader(const string& role) {
    return role == "till" || role == "treasurer" || role == "auditor";
}

string line(const string& text) { return text + "\r\n"; }

const char changed_amount[] =
    "-EXISTS this id was used for another request; its amount differs\r\n";

string bulk(const string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

int64_t some_amount(Chance& chance) {
    if (chance.percent(3)) return static_cast<int64_t>(chance.between(1, 10'000'000'000'000));
    if (chance.percent(30)) return static_cast<int64_t>(chance.between(1, 20)) * 100;
    return static_cast<int64_t>(chance.between(1, 2500));
}

uint32_t some_expiry(Chance& chance) {
    static const uint32_t all[] = {1, 2, 5, 20, 60, 600, 604'800};
    return all[chance.below(7)];
}

const char* role_refusal() { return "-NOPERM your role does not permit this command\r\n"; }

}  // namespace

void Player::choose() {
    Chance& chance = party->chance;
    choose_admin();
    if (person->frozen || must_be_refused()) {
        if (must_be_refused() || party->admin.change.sent != 0) say_exactly({"PING"}, line("+PONG"));
        return;
    }
    const uint64_t count = chance.percent(15) ? chance.between(2, 8) : 1;
    for (uint64_t i = 0; i < count && link != link_none && !told_to_leave; i++) {
        if (chance.percent(14)) {
            play_mail();
            continue;
        }
        const uint64_t roll = chance.below(100);
        if (roll < 58 && is_member(person->role)) {
            choose_moves();
        } else if (roll < 68) {
            choose_replay();
        } else if (roll < 86) {
            choose_reading();
        } else if (roll < 95) {
            choose_wrong();
        } else {
            choose_connection();
        }
    }
}

// --- Money --------------------------------------------------------------------------------------

// Chooses one movement. A sure one is refused, if at all, for what the book says, and so may stand
// in a group.
bool Player::choose_move(Move& move, bool sure) {
    Chance& chance = party->chance;
    const bool is_till = person->role == "till";
    const uint64_t roll = chance.below(100);
    const string other = chance.of(party->accounts);
    move.amount = some_amount(chance);
    if (is_till && roll < 50) {
        const bool pays_in = chance.percent(70);
        if (sure && other == "shop") return false;
        if (pays_in) move.amount *= 10;
        move.operation = pays_in ? "deposit" : "withdraw";
        move.debit = pays_in ? "cash" : other;
        move.credit = pays_in ? other : "cash";
        return true;
    }
    if (roll < 62) {
        move.operation = "transfer";
        move.debit = person->name;
        move.credit = other;
        for (const auto& [name, rules] : party->oracle.stages.back()) {
            if (rules.owner == person->name && chance.percent(20)) move.debit = name;
        }
        if (!sure && chance.percent(2)) move.debit = other;
        if (!sure && chance.percent(2)) move.credit = "cash";
        if (sure && move.debit == move.credit) return false;  // It cannot be remembered.
        if (chance.percent(30)) move.memo = "round " + std::to_string(++party->memos);
        return true;
    }
    if (roll < 76) {
        move.operation = "hold";
        move.debit = person->name;
        move.credit = other;
        move.expires_s = some_expiry(chance);
        if (sure && move.debit == move.credit) return false;
        return true;
    }
    if (roll < 90) {
        move.operation = chance.percent(70) ? "capture" : "void";
        move.hold = chance.between(900'000, 999'999);
        std::vector<KnownHold> mine;
        for (const KnownHold& hold : party->holds) {
            if (is_till || hold.credit == person->name || (!sure && chance.percent(5))) {
                mine.push_back(hold);
            }
        }
        if (mine.empty() || chance.percent(3)) {
            move.amount = 0;
            return true;
        }
        // Late ones are more likely to be open still.
        const size_t from = mine.size() > 6 && chance.percent(80) ? mine.size() - 6 : 0;
        const KnownHold& hold = mine[from + chance.below(mine.size() - from)];
        move.hold = hold.number;
        move.amount = chance.percent(60) ? 0 : hold.amount * static_cast<int64_t>(
                                                  chance.between(1, 105)) / 100;
        if (move.operation == "void") move.amount = 0;
        return move.amount >= 0;
    }
    if (person->role == "customer" || (is_till && sure) || party->entries.empty()) return false;
    move.operation = "reverse";
    move.amount = 0;
    const size_t count = party->entries.size();
    const size_t from = count > 20 && chance.percent(80) ? count - 20 : 0;
    const KnownEntry& entry = party->entries[from + chance.below(count - from)];
    move.reversed = entry.entry;
    if (sure && move.reversed <= party->oracle.rules.archived) return false;
    if (is_till && entry.terminal != terminal && chance.percent(90)) return false;
    if (!sure && chance.percent(4)) move.reversed = entry.entry + far_entry;
    if (!sure && chance.percent(4)) move.reversed = chance.between(1, 12);
    return true;
}

void Player::choose_moves() {
    Chance& chance = party->chance;
    const bool is_group = chance.percent(12) && !is_stopped();
    const uint64_t count = is_group ? chance.between(1, group_max) : 1;
    if (!may_use_ids(count)) return;
    // A second copy of what is on its way, perhaps on another connection.
    if (!person->open.empty() && chance.percent(4)) {
        Request& request = *chance.of(person->open);
        const bool mine = request.ask.terminal == terminal && request.ask.moves[0].id != "+";
        if (mine && request.sent > 0 && request.sent < 4) {
            party->tally.add("sent twice");
            return send_request(request);
        }
    }
    std::vector<Move> moves;
    for (uint64_t i = 0; i < count; i++) {
        Move move;
        const bool chosen = chance.percent(25) ? choose_order(move, is_group)
                                               : choose_move(move, is_group);
        if (chosen && (!is_group || is_within(move))) moves.push_back(move);
    }
    if (moves.empty()) return;
    if (!is_group) add_pin(moves[0]);
    if (!is_group && moves[0].operation == "transfer" && chance.percent(4)) {
        moves[0].id = "+";
        moves[0].memo = "chosen " + std::to_string(++party->memos);
    }
    Request& request = new_request(moves, is_group);
    send_request(request);
    if (chance.percent(4) && moves[0].id != "+") {
        party->tally.add("sent twice");
        send_request(request);
    }
}

void Player::choose_replay() {
    Chance& chance = party->chance;
    std::vector<Request*> again;
    for (Request* request : person->settled) {
        const bool recent = person->ids_used - request->first_id <= 20;
        if (recent && may_replay(*request)) again.push_back(request);
    }
    if (again.empty()) return;
    Request& request = *chance.of(again);
    const Move& move = request.ask.moves[0];
    if (!request.ask.is_group && is_order_move(move) && chance.percent(25)) {
        return replay_order_changed(request);
    }
    const bool names_amount = move.amount > 0 && !request.ask.is_group && move.hold == 0 &&
                              move.operation != "reverse" && !is_order_move(move);
    if (!names_amount || chance.percent(75)) return send_request(request);
    Move changed = move;
    changed.amount++;
    if (!is_within(changed) || party->oracle.role_of(request.ask) != person->role) return;
    const Words words = words_of(changed, move.id);
    say(words, [this, &request](const Value& value, const string& raw) {
        request.flying--;
        if (raw == changed_amount || note_common(value, nullptr)) return;
        party->fail("an id of " + person->name + " was used again and answered with " + raw);
    }, &request);
    party->tally.add("ids used for something else");
}

// --- Reading ------------------------------------------------------------------------------------

void Player::choose_reading() {
    Chance& chance = party->chance;
    if (chance.percent(12)) return choose_shop_reading();
    const uint64_t roll = chance.below(100);
    if (roll < 45) {
        const bool own = chance.percent(50);
        const string account = own ? person->name : chance.of(party->accounts);
        const Words words = own && chance.percent(50) ? Words{"BALANCE"} : Words{"BALANCE", account};
        const bool mine = party->oracle.stages.back().count(account) > 0 &&
                          party->oracle.stages.back().at(account).owner == person->name;
        if (!mine && !is_reader(person->role)) {
            bool fresh = false;  // The oracle has not judged yet whose account that is.
            for (const Change& change : party->oracle.changes) {
                fresh = fresh || change.account == account;
            }
            if (fresh) return;
            return say_exactly(words, line("-NOPERM this is somebody else's account"));
        }
        if (account == "nobody") {
            return say_exactly(words, line("-NOACCT no account 'nobody'"));
        }
        const uint64_t sent = ++party->tick;
        return say(words, [this, account, sent](const Value& value, const string& raw) {
            if (note_common(value, nullptr)) return;
            Shown shown = {account, 0, sent, ++party->tick};
            if (value.type != '$' || !oracle_minor(value.text, shown.balance)) {
                return party->fail("BALANCE " + account + " was answered with " + raw);
            }
            party->oracle.shown.push_back(shown);
            party->tally.add("balances shown");
        });
    }
    const auto shape = [this](const Words& words, const string& right) {
        say(words, [this, words, right](const Value& value, const string& raw) {
            if (note_common(value, nullptr)) return;
            if (right.find(value.type) != string::npos) return;
            party->fail(person->name + ": '" + words[0] + "' was answered with " + raw);
        });
    };
    if (roll < 60) {
        Words words = {"STATEMENT", "COUNT", std::to_string(chance.between(1, 64))};
        if (!party->entries.empty() && chance.percent(40)) {
            words.push_back("BEFORE");
            words.push_back(std::to_string(chance.of(party->entries).entry));
        }
        return shape(words, "*");
    }
    if (roll < 66) return shape({"WHOAMI"}, "*%");
    // Not all of INFO: the run is the same on every board and at each commit.
    if (roll < 70) return shape({"INFO", "clients", "persistence"}, "$=");
    if (roll < 74) return shape({"INFO", "book", "stats"}, "$=");
    if (roll < 78) return shape({"TIME"}, "*");
    if (roll < 80) return shape({"DIGEST"}, "$");
    if (roll < 84 && !party->entries.empty()) {
        return shape({"RECEIPT", std::to_string(chance.of(party->entries).entry)}, "$=*%-");
    }
    if (roll < 90) return say_exactly({"PING"}, line("+PONG"));
    const string text = string(chance.below(logged_in ? 2000 : 200), 'e') + "\r\n" + string(1, '\0');
    say({"ECHO", text}, [this, text](const Value& value, const string& raw) {
        if (raw == bulk(text) || note_common(value, nullptr)) return;
        // Whoever's login has ended meanwhile may say less, and is sent away.
        const bool too_long = raw == line("-ERR Protocol error: unauthenticated bulk length");
        told_to_leave = too_long;
        if (!too_long) party->fail("ECHO was answered with " + raw.substr(0, 200));
    });
}

// --- Mistakes -----------------------------------------------------------------------------------

void Player::choose_wrong() {
    Chance& chance = party->chance;
    const string& role = person->role;
    const string id = "wrong-" + std::to_string(chance.below(1000));
    if (chance.percent(12)) return choose_wrong_order();
    if (is_held_back()) return;  // A group would not even begin.
    const auto by_member = [&](const Words& words, const string& answer) {
        say_exactly(words, is_member(role) ? answer : role_refusal());
    };
    switch (chance.below(26)) {
        case 0:
            return say_exactly({"FLY"},
                               line("-ERR unknown command 'FLY', with args beginning with: "));
        case 1:
            return say_exactly({"BALANCE", "a", "b"},
                               line("-ERR wrong number of arguments for 'balance' command"));
        case 2:
            return by_member({"TRANSFER", "no blanks", "bob", "1.00"},
                             line("-ERR an id is 1 to 32 of [A-Za-z0-9._:-], or + to have one "
                                  "chosen"));
        case 3:
        case 4:
            return by_member({"TRANSFER", id, "bob", chance.percent(50) ? "1.001" : "0"},
                             line("-AMOUNT an amount is decimal text from 0.01 to "
                                  "10000000000000.00, such as 12.50"));
        case 5:
            return by_member({"TRANSFER", id, "Bad!", "1.00"}, line("-NOACCT no account 'Bad!'"));
        case 6:
            return by_member({"TRANSFER", id, "bob", "1.00", "MEMO"}, line("-ERR syntax error"));
        case 7:
            return by_member({"TRANSFER", id, "bob", "1.00", "MEMO", "a\nb"},
                             line("-ERR a memo is at most 63 bytes without control bytes"));
        case 8:
            return by_member({"HOLD", id, "bob", "1.00", "EXPIRES", "0"},
                             line("-ERR EXPIRES is from 1 to 31622400 seconds"));
        case 9:
            return by_member({"CAPTURE", id, "seven"},
                             line("-ERR a hold is named by its number, such as 17"));
        case 10:
            return say_exactly({"REVERSE", id, "x"},
                               role == "customer" || !is_member(role)
                                   ? role_refusal()
                                   : line("-ERR an entry is named by its number, such as 17"));
        case 11:
            return say_exactly({"STATEMENT", "COUNT", "0"},
                               line("-ERR COUNT is from 1 to 64; go on with BEFORE the last entry "
                                    "shown"));
        case 12: return say_exactly({"SELECT", "1"}, line("-ERR DB index is out of range"));
        case 13:
            if (role == "admin") return;
            return say_exactly({"CHECKPOINT"}, role_refusal());
        case 14:
        case 24:
        case 25: return choose_guess();
        case 15: return by_member({"EXEC"}, line("-ERR EXEC without MULTI"));
        case 16: return by_member({"DISCARD"}, line("-ERR DISCARD without MULTI"));
        case 17:
            return say_exactly({"WATCH", "alice"},
                               line("-ERR WATCH is not there: a group is judged as a whole when "
                                    "EXEC books it"));
        case 18:
            if (!is_member(role)) return;
            say_multi();
            say_exactly({"TRANSFER", id, "bob", "1.00"}, line("+QUEUED"));
            return say_exactly({"DISCARD"}, line("+OK"));
        case 19:
            if (!is_member(role)) return;
            say_multi();
            say_in_group({"PING"}, line("-ERR only commands that move money may be queued in a group"),
                         line("+PONG"));
            say_exactly({"TRANSFER", id, "bob", "1.00"}, line("+QUEUED"));
            return say_exactly({"EXEC"},
                               line("-EXECABORT Transaction discarded because of previous errors."));
        case 20:
            if (!is_member(role)) return;
            say_multi();
            return say_in_group({"EXEC"}, line("*0"),
                                line("-EXECABORT Transaction discarded because of previous errors."));
        case 21: return say_exactly({"UNWATCH"}, line("+OK"));
        case 22: {
            if (!expects.empty() || !logged_in) return;
            static const char* const broken[] = {"*2\r\n$4\r\nECHO\r\n$99999999\r\n",
                                                 "*99999\r\n", "*1\r\n:5\r\n"};
            out += broken[chance.below(3)];
            told_to_leave = true;
            party->tally.add("protocol broken");
            return;
        }
        case 23: out += chance.percent(50) ? "\r\n" : "*0\r\n"; return;
        default: return;
    }
}

// Somebody mistypes a password, or guesses at one: their own, another's, or that of a name that nobody
// has.
void Player::choose_guess() {
    Chance& chance = party->chance;
    const uint64_t count = chance.percent(60) ? 1 : chance.between(2, 6);
    const uint64_t roll = chance.below(100);
    string name = person->name;
    if (roll >= 60) name = party_people[chance.below(8)].name;
    if (roll >= 90) name = "nosuch" + std::to_string(chance.below(3));
    for (uint64_t i = 0; i < count; i++) {
        Words words = {"AUTH", name, "not the password"};
        if (chance.percent(30)) words = {"HELLO", "3", "AUTH", name, "not the password"};
        say_guess(words, roll < 90 ? name : "?" + name, GuessKind::wrong,
                  [this, name](const Value& value, const string& raw) {
                      party->tally.add("passwords mistyped");
                      if (value.is_error() && value.word() == "WRONGPASS") return;
                      if (note_common(value, nullptr)) return;
                      party->fail("a wrong password of " + name + " was answered with " + raw);
                  });
    }
}

// --- The connection itself ----------------------------------------------------------------------

void Player::choose_connection() {
    Chance& chance = party->chance;
    switch (chance.below(6)) {
        case 0:
            say({"RESET"}, [this](const Value& value, const string& raw) {
                if (raw != line("+RESET") && !note_common(value, nullptr)) {
                    party->fail("RESET was answered with " + raw);
                }
                logged_in = false;
            });
            return login();
        case 1:
            say_exactly({"QUIT"}, line("+OK"));
            told_to_leave = true;
            return;
        case 2:
            return say({"HELLO", chance.percent(50) ? "2" : "3"},
                       [this](const Value& value, const string& raw) {
                           if (note_common(value, nullptr) || !value.is_error()) return;
                           party->fail("HELLO was answered with " + raw);
                       });
        case 3: return say_exactly({"SELECT", "0"}, line("+OK"));
        case 4:
            if (!logged_in || !person->doubt.empty() || person->passwd_flying) return;
            if (person->role != "customer" || person->frozen || person->pin_busy) return;
            person->doubt = "new password " + std::to_string(++party->memos);
            return;
        case 5:
            if (deaf_until_us != 0) return;
            deaf_until_us = party->net.now_us(party->net.context) + chance.between(1, 15) * second_us;
            party->tally.add("did not read");
            return party->net.read(party->net.context, link, false);
        default: return;
    }
}

// Sends PASSWD, and again until its answer is known.
void Player::change_password() {
    const AdminWork& work = party->admin;
    const bool by_admin = person->frozen && work.target == person && work.change.sent != 0;
    // E4: there is nothing else to do.
    const bool may_begin = logged_in && !party->quiet && !person->frozen && !person->pin_busy &&
                           party->net.now_us(party->net.context) > party->admin_waits_until_us;
    if (may_begin && person->doubt.empty() && !is_kept_out() && !must_be_refused() &&
        party->oracle.people.now(person->name).first) {
        person->doubt = "password of one's own " + std::to_string(++party->memos);
    }
    if (person->doubt.empty() || person->passwd_flying || !logged_in || by_admin) return;
    sent_passwd = person->passwd_flying = true;
    Facts next = party->oracle.people.now(person->name);
    if (next.first) {
        next.first = false;
        party->oracle.people.change(person->name, next, ++party->tick);
    }
    person->changes++;
    login_changes = person->changes;
    party->may_leave(terminal, 1);
    party->door.unsettle(person->name);
    const Words words = {"PASSWD", person->password, person->doubt};
    say_guess(words, person->name, GuessKind::right, [this](const Value& value, const string&) {
        sent_passwd = person->passwd_flying = false;
        if (!value.is_error()) {
            person->password = person->doubt;
            person->doubt.clear();
            person->changed = ++party->tick;
            if (party->oracle.people.now(person->name).first) {
                party->oracle.people.changed(person->name, party->tick);
                party->tally.add("first passwords changed");
            }
            login_password = person->password;
            person->changes++;  // Ends every login, also this one when an earlier copy did it.
            party->tally.add("passwords changed");
            return;
        }
        if (note_common(value, nullptr)) return;
        party->tally.add("refused " + value.word());
        if (value.word() != "STATE" && value.word() != "WRONGPASS") {
            party->fail("PASSWD: " + value.text);
        }
    });
}

// --- The admin ----------------------------------------------------------------------------------

namespace {

string bound_text(int64_t bound) {
    const bool none = bound == oracle_unbounded || bound == -oracle_unbounded;
    return none ? "-" : oracle_amount(bound);
}

void plan_limit(Party& party, AdminWork& work) {
    Chance& chance = party.chance;
    static const int64_t floors[] = {0, 0, -1000, -50'000, -oracle_unbounded, 500};
    static const int64_t ceilings[] = {oracle_unbounded, oracle_unbounded, 100'000, 5000};
    work.change.kind = Change::Kind::limit;
    work.change.floor = floors[chance.below(6)];
    work.change.ceiling = ceilings[chance.below(4)];
    work.words = {"ACCOUNT", "LIMIT", work.change.account, bound_text(work.change.floor),
                  bound_text(work.change.ceiling)};
}

void plan(Party& party, AdminWork& work) {
    Chance& chance = party.chance;
    const AdminWork blank;
    work = blank;
    work.wanted = true;
    work.change.account = chance.of(party.accounts);
    const uint64_t roll = chance.below(100);
    if (chance.percent(40) && party.plan_people(work)) return;
    if (roll < 25 && party.opened < opened_max) {
        static const char* const roles[] = {"customer", "customer", "till", "treasurer", "auditor"};
        const string name = "guest" + std::to_string(++party.opened);
        work.is_registration = true;
        work.person.name = name;
        work.person.role = "customer";
        work.person.password = "password of " + name;
        work.change.account = name;
        work.change.owner = name;
        work.words = {"REGISTER", name, work.person.password};
        work.by_customer = party.rules.registers && chance.percent(50);
        if (!work.by_customer && chance.percent(50)) {
            work.person.role = roles[chance.below(5)];
            work.words = {"USER", "ADD", name, work.person.password};
            if (work.person.role != "customer" || chance.percent(50)) {
                work.words.insert(work.words.end(), {"ROLE", work.person.role});
            }
            if (party.opened % 2 == 0) {
                work.next.first = true;
                work.words.push_back("FIRST");
            }
        }
    } else if (roll < 45 && party.opened < opened_max) {
        work.change.account = "team" + std::to_string(++party.opened);
        work.words = {"ACCOUNT", "OPEN", work.change.account};
        if (chance.percent(70)) {
            work.change.owner = chance.percent(50) ? "alice" : "bob";
            work.words.insert(work.words.end(), {"OWNER", work.change.owner});
        }
    } else if (work.change.account == "nobody") {
        work.wanted = false;
    } else if (roll < 85) {
        plan_limit(party, work);
    } else if (work.change.account != "shop") {
        work.change.kind = Change::Kind::close;
        work.words = {"ACCOUNT", "CLOSE", work.change.account};
    } else {
        work.wanted = false;
    }
}

}  // namespace

void Player::admin_answered(const Value& value) {
    AdminWork& work = party->admin;
    work.flying = false;
    if (note_common(value, nullptr)) {
        if (value.word() == "OOM") work.wanted = false;
        return;
    }
    if (work.is_registration && value.is_error() && value.word() == "WRONGPASS") {
        return party->tally.add("refused WRONGPASS");  // The name is there, and too much was guessed.
    }
    const bool has_no_login = !logged_in && value.is_error() && value.word() == "NOPERM";
    if (work.is_registration && has_no_login) return;  // It was sent behind a login that failed.
    work.change.answered = ++party->tick;
    work.wanted = false;
    // An OK may be of a copy that came from elsewhere, so this terminal may have no entry yet.
    const bool removes = work.verb == "DEL";
    if (!work.verb.empty() && !(removes && value.word() == "STATE")) {
        if (value.is_error()) return party->fail("the admin was told: " + value.text);
        party->people_changed(work);
        if (!removes) return;
    }
    if (work.by_customer && value.text == party->refusal_of_registration()) {
        party->tally.add("registrations beyond the day's bound");
        if (party->registered < party->rules.register_per_day) {
            party->fail("refused after " + std::to_string(party->registered) + " registrations");
        }
        return;
    }
    if (value.is_error()) {
        party->tally.add("refused " + value.word());
        if (removes) {
            if (value.text.compare(0, 27, "STATE the account still has") != 0) {
                return party->fail("USER DEL: " + value.text);
            }
            work.change.kind = Change::Kind::remove_refused;
            party->oracle.people.forget(work.target->name);
            work.target->frozen = false;
            party->oracle.changes.push_back(work.change);
            return;
        }
        if (work.change.kind != Change::Kind::close || value.word() != "STATE") {
            return party->fail("the admin was told: " + value.text);
        }
        work.change.kind = Change::Kind::close_refused;
    } else {
        static const char* const names[] = {"accounts opened", "limits set", "accounts closed", "",
                                            "people removed"};
        if (work.by_customer) party->registered++;
        party->tally.add(work.by_customer       ? "people registered by themselves"
                         : work.is_registration ? work.words[0] == "USER" ? "people added"
                                                                          : "people registered"
                                                : names[static_cast<int>(work.change.kind)]);
    }
    party->oracle.changes.push_back(work.change);
    if (work.change.kind != Change::Kind::open) return;
    party->accounts.push_back(work.change.account);
    if (!work.is_registration) return;
    Person& made = party->add_person(work.person.name, work.person.role, work.person.password);
    made.is_guest = true;
    if (work.next.first) {
        party->oracle.people.begin(made.name, {.role = made.role, .first = true}, party->tick);
    }
    if (party->players.size() < players_max + guests_max) {
        party->wake(party->add_player(made, "kiosk"), second_us);
    }
}

// A name that somebody has, with another password: as good as a guess.
void Player::register_again() {
    const string name = party_people[party->chance.below(8)].name;
    const auto take = [this, name](const Value& value, const string& raw) {
        if (raw == line("-EXISTS the name is taken") || note_common(value, nullptr)) return;
        if (value.is_error() && value.word() == "WRONGPASS") return;
        if (value.is_error() && value.word() == "NOPERM" && !logged_in) return;
        party->fail("REGISTER " + name + " was answered with " + raw);
    };
    say_guess({"REGISTER", name, "not the password"}, name, GuessKind::wrong, take);
}

bool Party::has_changed(const string& name) {
    for (const Person& known : people) {
        if (known.name != name) continue;
        return known.changes > 0 || known.frozen || !oracle.people.now(name).active;
    }
    return false;
}

// The same registration from another connection, while the first is on its way: whichever is
// overtaken by the other is answered OK as well (P10).
void Player::register_too() {
    party->may_leave(terminal, 1);
    party->tally.add("registered by two at once");
    const AdminWork& work = party->admin;
    const string name = work.person.name;
    say_guess(work.words, name, GuessKind::right, [this, name](const Value& value, const string&) {
        if (note_common(value, nullptr)) return;
        // Who was made by the first may have got another password meanwhile.
        if (value.text == "EXISTS the name is taken" && party->has_changed(name)) return;
        if (value.is_error() && value.word() == "WRONGPASS") return;
        if (value.is_error() && value.word() == "NOPERM" && !logged_in) return;
        if (value.is_error()) party->fail("the admin was told again: " + value.text);
    });
}

void Player::choose_admin() {
    Chance& chance = party->chance;
    AdminWork& work = party->admin;
    if (!logged_in) return;
    const bool may_plan = person->role == "admin" &&
                          party->net.now_us(party->net.context) > party->admin_waits_until_us;
    if (!work.wanted && !party->quiet && may_plan && chance.percent(30)) plan(*party, work);
    if (work.wanted && !work.flying && party->may_send_work(*this)) {
        if (work.change.sent == 0) work.change.sent = ++party->tick;
        work.flying = true;
        work.by = this;
        party->may_leave(terminal, 1);
        if (!work.verb.empty()) party->door.unsettle(work.target->name);
        const auto take = [this](const Value& value, const string&) { admin_answered(value); };
        if (work.is_registration) {
            say_guess(work.words, work.person.name, GuessKind::right, take);
        } else {
            say(work.words, take);
        }
    } else if (work.flying && work.is_registration && work.words[0] == "REGISTER" &&
               !work.by_customer && person->role == "admin" && work.by != this && !party->quiet &&
               chance.percent(30)) {
        register_too();
    }
    if (person->role != "admin" || party->quiet) return;
    if (chance.percent(3)) register_again();
    if (chance.percent(6)) list_people();
    if (!chance.percent(6)) return;
    say({"CHECKPOINT"}, [this](const Value& value, const string&) {
        if (note_common(value, nullptr)) return;
        if (value.is_error()) return party->fail("CHECKPOINT: " + value.text);
        party->tally.add("checkpoints asked for");
    });
}

}  // namespace sim
