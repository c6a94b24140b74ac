#include "sim/players.h"

#include <algorithm>
#include <stdlib.h>

namespace sim {

namespace {

using std::string;

constexpr uint64_t second_us = 1'000'000;
constexpr uint64_t patience_us = 30 * second_us;   // until a client gives up on an answer
constexpr uint64_t settle_us = 20 * second_us;     // after which a lost copy has met its fate
constexpr uint64_t lost_us = 6 * second_us;        // in which the server reads what was lost
constexpr size_t ids_open_max = 12;                // W2
constexpr size_t ids_again_max = 20;               // how far back an id is sent again
constexpr size_t expects_max = 40;
const char price_risen_text[] =
    "EXECABORT a price has risen since it was queued; nothing was booked";

bool is_remembered_word(const string& word) {
    return word == "FUNDS" || word == "LIMIT" || word == "NOACCT" || word == "CLOSED" ||
           word == "EXPIRED" || word == "STATE";
}

string word_at(const string& text, size_t index) {
    size_t at = 0;
    for (size_t i = 0; i < index && at != string::npos; i++) {
        at = text.find(' ', at);
        if (at != string::npos) at++;
    }
    if (at == string::npos) return "";
    return text.substr(at, text.find(' ', at) - at);
}

// The word that says why, also of a group.
string refusal_word(const string& text) {
    const string first = word_at(text, 0);
    return first == "EXECABORT" ? word_at(text, 2) : first;
}

// A login ended meanwhile, and before one less may be said. The connection ends with it.
bool is_cut_short(const Value& value) {
    return value.text.compare(0, 35, "ERR Protocol error: unauthenticated") == 0;
}

// What says nothing about the request, but for want of something at that moment.
bool is_transient(const Value& value) {
    const string word = value.word();
    if (word == "BUSY" || word == "OOM" || word == "LOADING" || word == "MISCONF") return true;
    if (word == "NOAUTH" || is_cut_short(value)) return true;
    return value.text.find("EXECABORT Transaction discarded") == 0 ||
           value.text == price_risen_text;
}

// The bank knows the newest ids of a person by prints of 16 bits, so now and then a new one is taken
// for one whose request lies in an archive.
bool is_barred(const Value& value) {
    return value.is_error() &&
           value.text == "EXISTS this id may be one of a request that is archived; use another";
}

uint64_t number_of(const Value* value) {
    return value == nullptr ? 0 : strtoull(value->text.c_str(), nullptr, 10);
}

string text_of(const Value* value) { return value == nullptr ? "" : value->text; }

bool take_booked(const Value& value, Booked& out) {
    if (resp_field(value, "order") != nullptr) return take_ordered(value, out);
    const Value* balance = resp_field(value, "balance");
    out.entry = number_of(resp_field(value, "entry"));
    out.hold = number_of(resp_field(value, "hold"));
    out.account = text_of(resp_field(value, "account"));
    return out.entry > 0 && balance != nullptr && oracle_minor(balance->text, out.balance);
}

void received(void* context, uint32_t link, const uint8_t* bytes, uint32_t size);
void closed(void* context, uint32_t link);
void turn(void* context, uint64_t value);

}  // namespace

// --- The party ----------------------------------------------------------------------------------

void Party::fail(const string& what) {
    if (failure.empty()) failure = what;
}

void Party::may_leave(const string& terminal, size_t count) {
    others_max += count + (terminals.count(terminal) == 0 ? 1 : 0);
}

Person& Party::add_person(const string& name, const string& role, const string& password) {
    people.emplace_back();
    Person& person = people.back();
    person.name = name;
    person.role = role;
    person.password = password;
    oracle.people.begin(name, {.role = role}, tick);
    return person;
}

Player& Party::add_player(Person& person, const string& terminal) {
    players.push_back(std::make_unique<Player>());
    Player& player = *players.back();
    player.party = this;
    player.person = &person;
    player.terminal = terminal;
    player.think_us = rules.think_us * chance.between(50, 200) / 100;
    return player;
}

void Party::wake(Player& player, uint64_t delay_us) {
    net.after(net.context, delay_us, turn, &player, 0);
}

string Party::unsettled() const {
    if (admin.wanted) return "what the admin wants: " + admin.words[0] + " " + admin.words[1];
    if (item_work.wanted) return "a change of " + item_work.change.item;
    for (const Person& person : people) {
        const string whose = " of " + person.name;
        if (!person.open.empty()) return "id " + person.open[0]->ask.moves[0].id + whose;
        if (!person.doubt.empty()) return "a new password" + whose;
        if (has_mail_to_do(person)) return "a key or a message to forget" + whose;
        const bool pin_may_come = net.now_us(net.context) < person.pin_wait_us;
        if (person.pin_flying || !person.pin_next.empty() || pin_may_come) return "a PIN" + whose;
        for (const Request* request : person.settled) {
            if (request->again || request->flying > 0) {
                return "id " + request->ask.moves[0].id + whose + ", asked again";
            }
        }
    }
    return "";
}

bool Party::is_settled() const { return unsettled().empty(); }

void Party::restarted(bool in_order) {
    for (const auto& player : players) {
        if (player->link != link_none) {
            player->link = link_none;
            player->lose_expects();
        }
        // Wrong PINs are counted in memory; a lock that never came to the book is gone as well.
        Person& person = *player->person;
        person.tries_min = 0;
        if (person.pin_locked && !person.lock_is_sure) {
            person.tries_max = 3;
            person.pin_busy = true;
            Facts maybe = oracle.people.now(person.name);
            maybe.pin_locked = false;
            oracle.people.change(person.name, maybe, tick);
        }
        wake(*player, chance.between(1, player->think_us));
    }
    for (Request& request : requests) request.unknown = false;
    door.restart(in_order, net.now_us(net.context));
}

// Of what was asked before, an answer may lie in the archive now: nobody asks for it again.
void Party::archived(uint64_t entry) {
    oracle.rules.archived = entry;
    for (Person& person : people) person.settled.clear();
}

void Party::ask_again() {
    for (Person& person : people) {
        for (Request* request : person.settled) request->again = true;
    }
}

void party_begin(Party& party, const PlayerNet& net, const PartyRules& rules) {
    party.net = net;
    party.rules = rules;
    party.chance.state = rules.seed;
    party.oracle.rules.reversible = rules.reversible;
    party.oracle.rules.self_service = rules.self_service;
    party.oracle.orders.limit = rules.orders;
    party.door.rules = rules.door;
    party.oracle.bounds = rules.bounds;
    party.oracle.mail.rules = rules.mail;
    party.oracle.open("cash", "", -oracle_unbounded, oracle_unbounded);
    party.oracle.open("shop", "", -oracle_unbounded, oracle_unbounded);
    party.accounts = {"shop", "nobody"};
    party.others_max = 64;  // What the making of the bank leaves.
    uint32_t customers = 0;
    for (const PartyPerson& given : party_people) {
        const bool is_customer = string(given.role) == "customer";
        Person& person = party.add_person(given.name, given.role, given.password);
        party.oracle.open(given.name, given.name, 0, oracle_unbounded);
        party.accounts.push_back(given.name);
        if (is_customer && customers++ >= rules.customers) continue;
        const char* terminal = is_customer ? "kiosk" : "office";
        if (string(given.role) == "till") {
            party.add_player(person, "till-1");
            terminal = "till-1";
        }
        if (string(given.role) == "admin") party.add_player(person, "kiosk");
        Player& player = party.add_player(person, terminal);
        if (string(given.role) == "auditor") party.auditor = &player;
        if (is_customer && customers == 1) party.add_player(person, "kiosk");
    }
}

// --- One connection -----------------------------------------------------------------------------

void Player::connect() {
    const PlayerPeer peer = {this, received, closed};
    link = party->net.connect(party->net.context, peer, terminal.c_str());
    connection = ++party->connections;
    logged_in = false;
    logging_in = false;
    told_to_leave = false;
    deaf_until_us = 0;
    in.clear();
    out.clear();
    party->tally.add(link == link_none ? "connections refused" : "connections");
}

void Player::lose_expects() {
    const uint64_t now_us = party->net.now_us(party->net.context);
    logged_in = false;
    logging_in = false;
    in.clear();
    out.clear();
    for (Expect& expect : expects) {
        if (expect.guess != 0) party->door.lose(expect.guess, now_us + settle_us);
        if (expect.request == nullptr) continue;
        expect.request->flying--;
        expect.request->lost_us = now_us;
        person->lost.push_back({expect.request->first_id, now_us + lost_us});
        party->tally.add("answers lost");
    }
    expects.clear();
    if (sent_pin) {
        sent_pin = person->pin_flying = false;
        person->pin_wait_us = now_us + lost_us;
    }
    lose_mail(now_us + lost_us);
    if (party->admin.flying && party->admin.by == this) {
        party->admin.flying = false;
        party->admin_waits_until_us = now_us + lost_us;
    }
    if (party->item_work.flying && party->item_work.by == this) lose_item_work();
    if (sent_passwd) {
        sent_passwd = person->passwd_flying = false;
        person->changes++;
    }
    if (party->auditor == this && party->audit.running) {
        party->audit = {};
        party->audit.running = true;  // From the beginning again.
    }
}

void Player::hang_up(const char* why) {
    party->tally.add(string("hung up ") + why);
    party->net.hang_up(party->net.context, link);
    link = link_none;
    lose_expects();
}

void Player::flush() {
    if (link == link_none || out.empty()) return;
    party->net.send(party->net.context, link, reinterpret_cast<const uint8_t*>(out.data()),
                    static_cast<uint32_t>(out.size()));
    out.clear();
}

void Player::say(const Words& words, std::function<void(const Value&, const string&)> take,
                 Request* request) {
    Chance& chance = party->chance;
    const bool is_inline = chance.percent(8);
    string bytes = is_inline ? resp_inline(words, chance.percent(50) ? "\r\n" : "\n") : "";
    if (bytes.empty() || bytes.size() > 1000) bytes = resp_request(words);
    out += bytes;
    party->tally.add("asked " + words[0]);
    if (is_inline) party->tally.add("asked inline");
    if (request != nullptr) request->flying++;
    const uint64_t now_us = party->net.now_us(party->net.context);
    expects.push_back({std::move(take), request, now_us, ++party->tick, words[0]});
}

// Says what has a password in it, and lets the door judge the answer.
void Player::say_guess(const Words& words, const string& name, GuessKind kind,
                       std::function<void(const Value&, const string&)> take) {
    Door& door = party->door;
    const uint64_t guess =
        door.send(connection, name, terminal, kind, party->net.now_us(party->net.context));
    say(words, [this, guess, words, take](const Value& value, const string& raw) {
        judge_guess(guess, words, value);
        take(value, raw);
    });
    expects.back().guess = guess;
}

void Player::judge_guess(uint64_t guess, const Words& words, const Value& value) {
    Door& door = party->door;
    const uint64_t now_us = party->net.now_us(party->net.context);
    const string word = value.is_error() ? value.word() : "";
    const bool logs_in = words[0] == "AUTH" || words[0] == "HELLO";
    const bool adds = words[0] == "REGISTER" || words[0] == "USER";
    const bool registers = adds && word.empty();  // No password was looked at.
    string wrong;
    if (word == "WRONGPASS") {
        static const char right[] =
            "WRONGPASS invalid username-password pair or user is disabled, or too many tries: wait "
            "and try again";
        wrong = door.refused(guess, now_us);
        if (value.text != right) wrong = "said to a password: " + value.text;
    } else if (word == "EXISTS") {
        wrong = door.found_wrong(guess, now_us);
    } else if (word.empty() && logs_in && !registers) {
        wrong = door.let_in(guess, now_us);
    } else if ((word.empty() && !registers) || word == "STATE") {
        wrong = door.found_right(guess, now_us);
    } else {
        door.came_to_nothing(guess);
    }
    if (!wrong.empty()) party->fail(wrong);
}

void Player::say_exactly(const Words& words, const string& answer) {
    say(words, [this, words, answer](const Value& value, const string& raw) {
        if (raw == answer || note_common(value, nullptr)) return;
        if (party->oracle.rules.archived > 0 && is_barred(value)) return;
        party->fail(person->name + ": '" + words[0] + "' was answered with '" + raw + "', not '" +
                    answer + "'");
    });
}

// A group that may find no room: what is said in it is answered otherwise then.
void Player::say_multi() {
    say({"MULTI"}, [this](const Value& value, const string& raw) {
        group_refused = value.is_error() && value.word() == "BUSY";
        if (raw == "+OK\r\n" || note_common(value, nullptr)) return;
        party->fail(person->name + ": 'MULTI' was answered with '" + raw + "'");
    });
}

void Player::say_in_group(const Words& words, const string& answer, const string& refused) {
    say(words, [this, words, answer, refused](const Value& value, const string& raw) {
        if (raw == (group_refused ? refused : answer) || note_common(value, nullptr)) return;
        party->fail(person->name + ": in a group, '" + words[0] + "' was answered with '" + raw +
                    "'");
    });
}

// Answers that any command may get. Returns true when the value was one of them.
bool Player::note_common(const Value& value, Request* request) {
    if (!value.is_error()) return false;
    const string word = value.word();
    if (word == "NOAUTH") {
        // Somebody else's PASSWD ends a login; what was sent behind a failed login is lost too.
        const bool explained = !logged_in || person->changes != login_changes ||
                               !person->doubt.empty() || person->frozen;
        if (!explained) party->fail(person->name + " was logged out for no reason: " + value.text);
        logged_in = false;
    } else if (word == "MISCONF") {
        party->misconf++;
        party->misconf_text = value.text;
    } else if (value.text == kept_out_text) {
        if (!is_kept_out()) party->fail(person->name + " was kept out of " + terminal);
    } else if (value.text == first_password_text) {
        if (!is_held_back()) party->fail(person->name + " was told of a first password");
        party->tally.add("first passwords in the way");
    } else if (is_cut_short(value)) {
        told_to_leave = true;
    } else if (word != "BUSY" && word != "OOM") {
        return false;
    }
    party->tally.add("refused " + word);
    if (request != nullptr) {
        const uint64_t now_us = party->net.now_us(party->net.context);
        request->retry_us = now_us + party->chance.between(1, 8) * second_us;
    }
    return true;
}

// W4. What was said before the change was known may have been answered before it was made.
void Player::check_login(const Expect& expect, const Value& value) {
    const bool had_password = person->doubt.empty() && login_password != person->password;
    const bool was_ended = login_endings < person->endings && expect.sent > person->ended;
    const bool is_old = (had_password && expect.sent > person->changed) || was_ended;
    if (!logged_in || !is_old || expect.guess != 0) return;
    const bool is_told = value.is_error() && (value.word() == "NOAUTH" || value.word() == "ERR");
    if (!is_told) party->fail(person->name + " is still logged in after a change that ends logins");
}

void Player::login() {
    Chance& chance = party->chance;
    // While a change of the password is in doubt, either may be right.
    const bool doubt = !person->doubt.empty() && chance.percent(50);
    const string password = doubt ? person->doubt : person->password;
    logging_in = true;
    const uint64_t changes = person->changes;
    // Whoever is being changed, locked or removed may be told that the password is wrong.
    const bool is_sure = person->doubt.empty() && !person->frozen &&
                         party->oracle.people.now(person->name).active;
    const GuessKind kind = is_sure ? GuessKind::right : GuessKind::unsure;
    const uint64_t endings = person->frozen ? UINT64_MAX : person->endings;
    const uint64_t sent = party->tick;
    Words words = {"AUTH", person->name, password};
    if (chance.percent(40)) words = {"HELLO", "3", "AUTH", person->name, password};
    if (words.size() == 5 && chance.percent(30)) {
        words.push_back("SETNAME");
        words.push_back("phone");
    }
    say_guess(words, person->name, kind, [this, changes, endings, sent, password](
                                             const Value& value, const string&) {
        logging_in = false;
        const auto all = party->oracle.people.possible(person->name, sent, ++party->tick);
        const auto is_active = [](const Facts& facts) { return facts.active; };
        if (!value.is_error()) {
            if (!std::any_of(all.begin(), all.end(), is_active)) {
                return party->fail(person->name + " logged in, but is locked or removed");
            }
            logged_in = true;
            login_sent = sent;
            login_endings = endings == person->endings ? endings : UINT64_MAX;
            login_changes = changes;
            login_password = password;
            party->tally.add("logins");
            return;
        }
        party->tally.add("refused " + value.word());
        if (value.word() == "BUSY") return;
        if (value.text == "ERR max number of clients reached") {
            told_to_leave = true;
            return;
        }
        if (value.word() == "WRONGPASS") return;
        party->fail(person->name + " cannot log in: " + value.text);
    });
}

// --- Requests with ids --------------------------------------------------------------------------

bool Player::may_use_ids(size_t count) const {
    const uint64_t now_us = party->net.now_us(party->net.context);
    std::erase_if(person->lost, [now_us](const LostCopy& copy) { return copy.until_us < now_us; });
    for (const LostCopy& copy : person->lost) {
        if (person->ids_used + count - copy.first_id > ids_again_max) return false;
    }
    for (const Request* request : person->settled) {  // One that is asked again.
        const uint64_t newer = person->ids_used + count - request->first_id;
        if (request->flying > 0 && newer > ids_again_max) return false;
    }
    if (person->open.empty()) return true;
    return person->ids_used + count - person->open.front()->first_id <= ids_open_max;
}

string Player::new_id() {
    static const char* const shapes[] = {"", "x", "A.b_", "0:", "pay-"};
    const string shape = shapes[party->chance.below(5)];
    const uint64_t salt = party->chance.below(1000);
    return shape + std::to_string(person->ids_used) + "-" + std::to_string(salt);
}

Words Player::words_of(const Move& move, const string& id) {
    Words words = words_of_move(move, id);
    if (!move.pin.empty()) {
        words.push_back(party->chance.percent(20) ? "pin" : "PIN");
        words.push_back(move.pin);
    }
    return words;
}

Words Player::words_of_move(const Move& move, const string& id) {
    if (is_order_move(move)) return words_of_order(move, id);
    Chance& chance = party->chance;
    string amount = oracle_amount(move.amount);
    if (chance.percent(30) && amount.size() > 3 && amount.compare(amount.size() - 3, 3, ".00") == 0) {
        amount.resize(amount.size() - 3);
    }
    if (move.operation == "deposit" || move.operation == "withdraw") {
        const bool in_ = move.operation == "deposit";
        Words words = {in_ ? "DEPOSIT" : "WITHDRAW", id, amount};
        const string& member = in_ ? move.credit : move.debit;
        if (member != person->name || chance.percent(50)) words.push_back(member);
        return words;
    }
    if (move.operation == "transfer") {
        Words words = {chance.percent(20) ? "transfer" : "TRANSFER", id, move.credit, amount};
        const bool memo_first = chance.percent(50);
        if (!move.memo.empty() && memo_first) words.insert(words.end(), {"MEMO", move.memo});
        if (move.debit != person->name) words.insert(words.end(), {"FROM", move.debit});
        if (!move.memo.empty() && !memo_first) words.insert(words.end(), {"memo", move.memo});
        return words;
    }
    if (move.operation == "hold") {
        return {"HOLD", id, move.credit, amount, "EXPIRES", std::to_string(move.expires_s)};
    }
    if (move.operation == "capture") {
        Words words = {"CAPTURE", id, std::to_string(move.hold)};
        if (move.amount != 0) words.push_back(amount);
        return words;
    }
    if (move.operation == "message") return {"SEND", id, move.credit, move.envelope};
    if (move.operation == "void") return {"VOID", id, std::to_string(move.hold)};
    return {"REVERSE", id, std::to_string(move.reversed)};
}

Request& Player::new_request(const std::vector<Move>& moves, bool is_group) {
    party->requests.emplace_back();
    Request& request = party->requests.back();
    request.person = person;
    request.first_id = person->ids_used;
    request.ask.person = person->name;
    request.ask.terminal = terminal;
    request.ask.is_group = is_group;
    request.ask.moves = moves;
    if (is_group) request.commands.push_back({"MULTI"});
    for (Move& move : request.ask.moves) {
        if (move.id.empty()) move.id = new_id();
        person->ids_used++;
        request.commands.push_back(words_of(move, move.id));
    }
    if (is_group) request.commands.push_back({"EXEC"});
    person->open.push_back(&request);
    return request;
}

void Player::send_request(Request& request) {
    if (request.sent == 0) request.ask.sent = ++party->tick;
    if (request.sent > 0) party->tally.add(request.settled ? "asked again" : "resends");
    request.sent++;
    // A right PIN ends the count, whatever becomes of the movement.
    if (!request.ask.moves[0].pin.empty()) person->tries_min = 0;
    const auto last = [this, &request](const Value& value, const string& raw) {
        answered(request, value, raw);
    };
    for (size_t i = 0; i + 1 < request.commands.size(); i++) {
        const string right = i == 0 ? "OK" : "QUEUED";
        const Words& words = request.commands[i];
        say(words, [this, right, words, &request](const Value& value, const string&) {
            if (value.type == '+' && value.text == right) return;
            if (note_common(value, nullptr)) return;
            if (party->oracle.rules.archived > 0 && is_barred(value)) {
                request.barred = true;
                return;
            }
            party->fail(person->name + ": in a group, '" + words[0] + "' was answered with '" +
                        value.text + "'");
        });
    }
    say(request.commands.back(), last, &request);
}

void Player::answered(Request& request, const Value& value, const string& raw) {
    request.flying--;
    const bool gone = request.settled && !request.remembered;  // Nothing is known of it.
    if (value.is_error() && value.text.compare(0, 9, "EXECABORT") == 0 && !request.ask.is_group) {
        party->fail("EXECABORT for a single request");
    }
    if (party->oracle.rules.archived > 0 && is_barred(value)) request.barred = true;
    if (request.barred && !request.settled && value.is_error()) {
        request.settled = true;  // It was not booked; another id would do.
        person->open.erase(std::find(person->open.begin(), person->open.end(), &request));
        party->tally.add("ids that may be archived");
        return;
    }
    if (value.is_error() && is_transient(value)) {
        const bool aborted = value.word() == "EXECABORT";
        if (aborted) {
            party->tally.add("refused EXECABORT");
            if (value.text == price_risen_text) note_price_rise(*party, request.ask);
            request.retry_us = party->net.now_us(party->net.context) + second_us;
        } else {
            note_common(value, &request);
        }
        const uint64_t now_us = party->net.now_us(party->net.context);
        if (value.word() == "MISCONF") request.unknown = true;
        const bool full = (value.word() == "BUSY" || value.word() == "OOM") && !request.unknown;
        const bool lone = request.sent == 1 || now_us - request.lost_us > settle_us;
        if (full && lone && !request.settled && request.flying == 0) {
            settle(request, value, raw);  // It was not booked, and will not be.
        }
        return;
    }
    if (gone) {
        if (!value.is_error()) party->fail("id " + request.ask.moves[0].id + " of " + person->name +
                                           " was refused, and then booked");
        party->others_max++;
        return;
    }
    if (request.settled) {
        compare(request, value, raw);
    } else {
        settle(request, value, raw);
    }
}

void Player::compare(Request& request, const Value& value, const string& raw) {
    if (value.is_error() && refusal_word(value.text) == "EXISTS" &&
        value.text.find("archived") != string::npos) {
        return party->fail("an id of the newest is taken for an archived one");
    }
    // Rights come before the first answer (P6), and may have changed since.
    const bool has_other_role = party->oracle.role_of(request.ask) != person->role;
    if (has_other_role && value.word() == "NOPERM") return;
    if (value.text == first_password_text && is_held_back()) return;
    party->tally.add("replays");
    if (value.is_error()) party->tally.add("replays of refusals");
    const bool is_three = raw.find('%') != string::npos && !value.is_error();
    string& first = request.raw[is_three ? 1 : 0];
    if (first.empty()) first = raw;
    if (resp_same(value, request.answer) && (value.is_error() || raw == first)) return;
    party->fail("id " + request.ask.moves[0].id + " of " + person->name +
                " was first answered with '" +
                request.raw[request.raw[0].empty() ? 1 : 0] + "' and now with '" + raw + "'");
}

void Player::settle(Request& request, const Value& value, const string& raw) {
    Ask& ask = request.ask;
    const bool is_letter = ask.moves[0].operation == "message";
    request.settled = true;
    request.answer = value;
    const bool is_three = raw.find('%') != string::npos && !value.is_error();
    request.raw[is_three ? 1 : 0] = raw;
    ask.answered = ++party->tick;
    person->open.erase(std::find(person->open.begin(), person->open.end(), &request));
    if (value.is_error()) {
        const string why = refusal_word(value.text);
        request.remembered = is_remembered_word(why);
        ask.refusal = value.text;
        party->tally.add("refused " + why);
        note_order_refusal(*party, ask);
        if (is_letter) take_letter(request, value);
        if (ask.is_group) party->tally.add("groups refused");
        if (request.remembered) party->refused += ask.moves.size();
        if (why == "BUSY" || why == "OOM") return;  // No rule of the contract says when.
    } else if (is_letter) {
        request.remembered = true;
        take_letter(request, value);
    } else {
        const size_t count = ask.moves.size();
        request.remembered = true;
        ask.booked.resize(count);
        bool fine = !ask.is_group || value.items.size() == count;
        for (size_t i = 0; i < count && fine; i++) {
            fine = take_booked(ask.is_group ? value.items[i] : value, ask.booked[i]);
        }
        if (!fine) return party->fail("an answer that is none: " + raw);
        if (ask.is_group) party->tally.add("groups booked");
        for (size_t i = 0; i < count; i++) {
            const Move& move = ask.moves[i];
            party->tally.add("booked " + move.operation);
            if (!move.pin.empty()) {
                party->tally.add("booked with a PIN");
                const int64_t above = party->oracle.bounds_of(ask.terminal).pin_above;
                if (above != bound_none && move.amount > above) person->tries_max = 0;
            }
            party->entries.push_back({ask.booked[i].entry, ask.terminal});
            if (is_order_move(move)) note_order(*party, ask, i);
            if (move.operation == "hold") {
                party->holds.push_back({ask.booked[i].hold, move.debit, move.credit, move.amount});
            }
        }
    }
    if (ask.moves[0].id == "+") request.remembered = false;  // Its id is the server's.
    if (!value.is_error() || request.remembered) party->terminals.insert(ask.terminal);
    // The terminal has its entry before it is known that the request will have none.
    if (party->terminals.count(ask.terminal) == 0) party->others_max++;
    if (request.remembered) person->settled.push_back(&request);
    while (!person->settled.empty() &&
           person->ids_used - person->settled.front()->first_id > ids_again_max) {
        person->settled.pop_front();
    }
    if (!is_letter) party->oracle.asks.push_back(ask);
}

// W1.
void Player::resend() {
    const uint64_t now_us = party->net.now_us(party->net.context);
    const std::vector<Request*> open = person->open;
    for (Request* request : open) {
        if (request->flying > 0 || request->retry_us > now_us || request->sent == 0) continue;
        if (request->ask.terminal != terminal) continue;
        const bool is_letter = request->ask.moves[0].operation == "message";
        if (is_letter && !logged_in) continue;  // Too much to say before.
        if (request->ask.moves[0].id == "+") {  // Not safe to send again: the book will tell.
            person->open.erase(std::find(person->open.begin(), person->open.end(), request));
            party->tally.add("left unknown");
            request->settled = true;
            if (is_letter) {
                leave_letter_unknown(*request);
                continue;
            }
            party->oracle.maybe.push_back(request->ask);
            party->may_leave(terminal, request->ask.moves.size());
            continue;
        }
        send_request(*request);
    }
    for (Request* request : person->settled) {
        if (must_be_refused()) request->again = false;
        if (!request->again || !logged_in || expects.size() > expects_max) continue;
        request->again = false;
        const bool recent = person->ids_used - request->first_id <= ids_again_max;
        if (recent && may_replay(*request)) send_request(*request);
    }
}

// --- A turn -------------------------------------------------------------------------------------

void Player::act() {
    if (!party->failure.empty()) return;
    Chance& chance = party->chance;
    const uint64_t now_us = party->net.now_us(party->net.context);
    party->wake(*this, chance.between(think_us / 4 + 1, 2 * think_us));
    if (link == link_none) connect();
    if (link == link_none) return;
    if (deaf_until_us != 0 && (now_us >= deaf_until_us || party->quiet)) {
        deaf_until_us = 0;
        party->net.read(party->net.context, link, true);
    }
    if (!expects.empty() && now_us - expects.front().sent_us > patience_us) {
        return hang_up("after waiting");
    }
    if (told_to_leave || expects.size() > expects_max) return;
    if (!logged_in && !logging_in) {
        if (!party->quiet && chance.percent(8)) mistype();
        login();
    }
    resend();
    change_password();
    play_pin();
    play_items();
    go_on_with_mail();
    if (party->audit.running) audit_mail();
    if (party->audit.running && party->auditor == this) {
        if (expects.empty() || !logged_in) audit_step(*party);
    } else if (!party->quiet) {
        choose();
    } else {
        choose_admin();
    }
    flush();
    // Half a request, and then nothing more.
    if (link != link_none && !party->quiet && chance.percent(2)) {
        const string half = resp_request({"TRANSFER", "half", "bob", "1.00"});
        out = half.substr(0, chance.between(1, half.size() - 1));
        flush();
        return hang_up("in a request");
    }
    if (link != link_none && !party->quiet && !expects.empty() && chance.percent(3)) {
        hang_up("before the answer");
    }
}

namespace {

void turn(void* context, uint64_t) { static_cast<Player*>(context)->act(); }

void received(void* context, uint32_t link, const uint8_t* bytes, uint32_t size) {
    Player& player = *static_cast<Player*>(context);
    if (link != player.link) return;
    player.in.append(reinterpret_cast<const char*>(bytes), size);
    size_t at = 0;
    while (player.party->failure.empty() && player.link == link) {
        Value value;
        const size_t start = at;
        const RespParse parsed = resp_parse(player.in, at, value);
        if (parsed == RespParse::more) break;
        if (parsed == RespParse::broken) {
            player.party->fail("what came is no RESP: " + player.in.substr(start, 200));
            return;
        }
        const string raw = player.in.substr(start, at - start);
        if (player.expects.empty()) {
            // Only one that ends the connection comes unasked.
            if (raw.compare(0, 5, "-ERR ") == 0) continue;
            player.party->fail("an answer that nobody waits for: " + raw);
            return;
        }
        Expect expect = std::move(player.expects.front());
        player.expects.pop_front();
        player.party->tick++;
        player.check_login(expect, value);
        player.check_rights(expect, value);
        expect.take(value, raw);
    }
    if (player.link == link) player.in.erase(0, at);
    Party& party = *player.party;
    if (party.audit.running && party.auditor == &player && player.expects.empty() &&
        player.logged_in && player.link == link) {
        audit_step(party);
        player.flush();
    }
}

void closed(void* context, uint32_t link) {
    Player& player = *static_cast<Player*>(context);
    if (link != player.link) return;
    player.party->tally.add("connections ended");
    player.link = link_none;
    player.lose_expects();
}

}  // namespace

}  // namespace sim
