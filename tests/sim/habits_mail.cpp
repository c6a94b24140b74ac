// What players do with keys and sealed messages: KEY SEND INBOX READ FORGET.
//
// Nobody seals anything here: the server cannot tell, so an envelope is random digits in the shape of
// one, and a key is a random odd number of 3072 bits. What is asked and shown goes to the oracle, which
// judges it at a quiet point; only then is it known which message has which number.

#include <stdlib.h>

#include <algorithm>

#include "sim/players.h"

namespace sim {

namespace {

using std::string;

constexpr uint64_t second_us = 1'000'000;
constexpr uint32_t envelope_size_max = 4608;  // bytes, of the contract
constexpr uint32_t part_size = 384;           // bytes of it that one entry of the book takes
constexpr uint32_t content_place = 4;         // of the five parts of an envelope, the one that varies
constexpr size_t letters_known_max = 64;

constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

string line(const string& text) { return text + "\r\n"; }

string text_of(const Value* value) { return value == nullptr ? "" : value->text; }

uint64_t number_of(const Value* value) {
    return value == nullptr ? 0 : strtoull(value->text.c_str(), nullptr, 10);
}

// Random base64url; ten digits of each draw.
string some_digits(Chance& chance, size_t count) {
    string text;
    text.reserve(count + 10);
    while (text.size() < count) {
        uint64_t bits = chance.next();
        for (uint32_t i = 0; i < 10; i++, bits >>= 6) text += digits[bits & 63];
    }
    text.resize(count);
    return text;
}

string some_key(Chance& chance) {
    string modulus = some_digits(chance, 512);
    modulus[0] = digits[32 + chance.below(32)];       // 3072 bits
    modulus[511] = digits[2 * chance.below(32) + 1];  // and odd
    return "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"" + modulus + "\"}";
}

// {"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}
constexpr char header[] =
    "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIiwiY3R5IjoiSldUIn0";

// All numbers of parts occur, and sizes about their bounds more often than others.
size_t some_size(Chance& chance) {
    const uint64_t roll = chance.below(100);
    if (roll < 35) return 0;
    if (roll < 45) return envelope_size_max;
    const uint64_t edge = chance.between(2, envelope_size_max / part_size) * part_size;
    if (roll < 65) return edge + chance.below(3) - 1;
    return chance.below(envelope_size_max);
}

string some_envelope(Chance& chance) {
    // One draw after the other: compilers differ in which side of a sum they take first.
    string front = string(header) + ".";
    front += some_digits(chance, 512);
    front += ".";
    front += some_digits(chance, 16);
    front += ".";
    string tag = some_digits(chance, 21);
    tag += "AQgw"[chance.below(4)];
    const size_t least = front.size() + 1 + tag.size();
    const size_t wanted = some_size(chance);
    const size_t most = std::min<size_t>(wanted, envelope_size_max);
    const size_t content = most > least + content_place ? most - least : content_place;
    return front + some_digits(chance, content) + "." + tag;
}

uint64_t parts_of(const string& envelope) { return (envelope.size() + part_size - 1) / part_size; }

Letter letter_of(const Ask& ask) {
    Letter letter;
    letter.from = ask.person;
    letter.to = ask.moves[0].credit;
    letter.id = ask.moves[0].id;
    letter.envelope = ask.moves[0].envelope;
    letter.sent = ask.sent;
    letter.answered = ask.answered;
    return letter;
}

ShownLetter shown_of(const Value& row) {
    ShownLetter shown;
    shown.number = number_of(resp_field(row, "number"));
    shown.from = text_of(resp_field(row, "from"));
    shown.id = text_of(resp_field(row, "id"));
    shown.time = text_of(resp_field(row, "time"));
    shown.size = number_of(resp_field(row, "size"));
    shown.envelope = text_of(resp_field(row, "envelope"));
    return shown;
}

}  // namespace

// --- What must end ------------------------------------------------------------------------------

bool Party::has_mail_to_do(const Person& person) const {
    return !person.post.key_next.empty() || !person.post.forgetting.empty();
}

void Player::lose_mail(uint64_t until_us) {
    Post& post = person->post;
    if (sent_key) {
        post.key_flying = false;
        post.key_wait_us = until_us;
    }
    sent_key = sent_forget = sent_inbox = false;
}

// W7.
void Player::go_on_with_mail() {
    if (!logged_in || is_stopped() || must_be_refused()) return;
    const bool may_ask = party->net.now_us(party->net.context) >= person->post.key_again_us;
    if (!person->post.key_next.empty() && !person->post.key_flying && may_ask) send_key();
    if (!person->post.forgetting.empty() && !sent_forget) send_forget();
}

// --- Keys ---------------------------------------------------------------------------------------

void Player::begin_key() {
    Post& post = person->post;
    const uint64_t now_us = party->net.now_us(party->net.context);
    if (!post.key_next.empty() || now_us < post.key_wait_us) return;
    post.key_next = some_key(party->chance);
    party->oracle.mail.keys[person->name].push_back(
        {.jwk = post.key_next, .sent = ++party->tick, .refusal = ""});
    send_key();
}

void Player::send_key() {
    sent_key = person->post.key_flying = true;
    party->may_leave(terminal, 1);
    say({"KEY", party->chance.percent(30) ? "set" : "SET", person->post.key_next},
        [this](const Value& value, const string&) {
            Post& post = person->post;
            PublishedKey& key = party->oracle.mail.keys[person->name].back();
            sent_key = post.key_flying = false;
            const bool is_full = value.text.compare(0, 15, "OOM there is no") == 0;
            const uint64_t now_us = party->net.now_us(party->net.context);
            if (note_common(value, nullptr) && !(is_full && now_us >= post.key_wait_us)) {
                post.key_again_us = now_us + second_us;
                return;
            }
            if (value.is_error() && !is_full) return party->fail("KEY SET: " + value.text);
            key.answered = ++party->tick;
            post.key_next.clear();
            if (is_full) {
                key.refusal = value.text;
                return party->tally.add("keys refused for want of room");
            }
            party->tally.add(post.has_key ? "keys replaced" : "keys published");
            post.has_key = true;
        });
}

void Player::show_key() {
    const Person* other = person;
    const uint64_t at = party->chance.below(party->people.size() + 1);
    uint64_t place = 0;
    for (const Person& each : party->people) {
        if (place++ == at) other = &each;
    }
    const string name = other->name;
    const bool is_own = name == person->name && party->chance.percent(50);
    const uint64_t sent = ++party->tick;
    say(is_own ? Words{"KEY"} : Words{"KEY", name},
        [this, name, sent](const Value& value, const string& raw) {
            if (note_common(value, nullptr)) return;
            const Value* jwk = resp_field(value, "jwk");
            if (value.is_error() || jwk == nullptr || text_of(resp_field(value, "name")) != name) {
                return party->fail("KEY " + name + " was answered with " + raw);
            }
            party->tally.add("keys shown");
            party->oracle.mail.shown_keys.push_back({name, jwk->text, sent, ++party->tick});
        });
}

// --- Messages -----------------------------------------------------------------------------------

void Player::send_letter() {
    Chance& chance = party->chance;
    if (!may_use_ids(1)) return;
    Move move;
    move.operation = "message";
    const uint64_t at = chance.below(party->people.size());
    uint64_t place = 0;
    for (const Person& each : party->people) {
        if (place++ == at) move.credit = each.name;
    }
    // Somebody who has a mailbox more often than not, and mostly the same ones, so that they fill.
    if (chance.percent(60)) {
        for (const Person& each : party->people) {
            if (each.post.has_key && chance.percent(40)) move.credit = each.name;
        }
    }
    if (chance.percent(3)) move.credit = chance.percent(50) ? "nobody" : "shop";
    move.envelope = some_envelope(chance);
    if (chance.percent(5)) move.id = "+";
    Request& request = new_request({move}, false);
    send_request(request);
    if (chance.percent(4) && move.id != "+") {
        party->tally.add("sent twice");
        send_request(request);
    }
}

void Player::take_letter(const Request& request, const Value& value) {
    Letter letter = letter_of(request.ask);
    if (value.is_error()) {
        letter.refusal = value.text;
        party->tally.add("messages refused");
        if (value.text.compare(0, 15, "OOM the mailbox") == 0) party->tally.add("mailboxes full");
        if (value.text.compare(0, 14, "OOM the server") == 0) {
            party->tally.add("tables of messages full");
        }
    } else {
        letter.number = number_of(resp_field(value, "message"));
        if (letter.id == "+") letter.id = text_of(resp_field(value, "id"));
        if (letter.number == 0) return party->fail("SEND was answered without a number");
        party->tally.add("messages sent");
        party->others_max += parts_of(letter.envelope);
        party->letters.push_back(letter.number);
        if (party->letters.size() > letters_known_max) party->letters.erase(party->letters.begin());
    }
    party->oracle.mail.letters.push_back(letter);
}

void Player::leave_letter_unknown(const Request& request) {
    const Letter letter = letter_of(request.ask);
    party->may_leave(terminal, parts_of(letter.envelope));
    party->oracle.mail.maybe.push_back(letter);
    party->tally.add("messages left unknown");
}

// An id that stands for a message already.
void Player::send_changed_letter() {
    Chance& chance = party->chance;
    std::vector<Request*> sent;
    for (Request* request : person->settled) {
        const bool recent = person->ids_used - request->first_id <= 20;
        const bool is_letter = request->ask.moves[0].operation == "message";
        if (recent && is_letter && may_replay(*request)) sent.push_back(request);
    }
    if (sent.empty()) return;
    Request& request = *chance.of(sent);
    const Move& move = request.ask.moves[0];
    const bool to_other = chance.percent(30);
    const string other = move.credit == "alice" ? "bob" : "alice";
    const Words words = {"SEND", move.id, to_other ? other : move.credit, some_envelope(chance)};
    const string right =
        line(string("-EXISTS this id was used for another request; its ") +
             (to_other ? "to" : "envelope") + " differs");
    say(words, [this, right, &request](const Value& value, const string& raw) {
        request.flying--;
        if (raw == right || note_common(value, nullptr)) return;
        party->fail("an id of a message of " + person->name + " was used again and answered with " +
                    raw);
    }, &request);
    party->tally.add("ids of messages used for others");
}

void Player::read_inbox(bool at_rest) {
    const uint64_t sent = ++party->tick;
    if (at_rest) sent_inbox = true;
    say({"INBOX"}, [this, sent, at_rest](const Value& value, const string& raw) {
        if (at_rest) sent_inbox = false;
        if (note_common(value, nullptr)) return;
        if (value.type != '*') return party->fail("INBOX was answered with " + raw);
        ShownInbox inbox = {person->name, {}, at_rest, sent, ++party->tick};
        Post& post = person->post;
        post.numbers.clear();
        for (const Value& row : value.items) {
            inbox.rows.push_back(shown_of(row));
            post.numbers.push_back(inbox.rows.back().number);
        }
        party->oracle.mail.inboxes.push_back(inbox);
        if (!at_rest) return;
        party->tally.add("mailboxes compared");
        post.is_audited = false;
        for (const uint64_t number : post.numbers) read_letter(number);
        flush();
    });
}

void Player::read_letter(uint64_t number) {
    const uint64_t sent = ++party->tick;
    say({"READ", std::to_string(number)}, [this, number, sent](const Value& value, const string&) {
        if (note_common(value, nullptr)) return;
        ShownRead read;
        read.person = person->name;
        read.number = number;
        read.archived = party->oracle.rules.archived;
        read.sent = sent;
        read.answered = ++party->tick;
        if (value.is_error()) {
            read.refusal = value.text;
            const bool is_archived = value.word() == "STATE";
            party->tally.add(is_archived ? "messages that are archived" : "messages not found");
        } else {
            read.letter = shown_of(value);
            party->tally.add("messages read");
            if (read.letter.envelope.empty()) return party->fail("READ gave no envelope");
        }
        party->oracle.mail.reads.push_back(read);
    });
}

void Player::begin_forget() {
    Chance& chance = party->chance;
    const std::vector<uint64_t>& mine = person->post.numbers;
    const bool is_mine = !mine.empty() && chance.percent(80);
    if (!is_mine && party->letters.empty()) return;
    const uint64_t number = chance.of(is_mine ? mine : party->letters);
    std::vector<Forgotten>& all = party->oracle.mail.forgotten;
    if (!person->post.forgetting.insert({number, all.size()}).second) return;
    all.push_back({person->name, number, ++party->tick});
    if (!sent_forget) send_forget();
}

void Player::send_forget() {
    const uint64_t number = person->post.forgetting.begin()->first;
    sent_forget = true;
    party->may_leave(terminal, 1);
    say({"FORGET", std::to_string(number)}, [this, number](const Value& value, const string& raw) {
        sent_forget = false;
        if (note_common(value, nullptr)) return;
        if (raw != line("+OK")) {
            return party->fail("FORGET " + std::to_string(number) + " of " + person->name +
                               " was answered with " + raw);
        }
        const auto found = person->post.forgetting.find(number);
        if (found == person->post.forgetting.end()) return;  // Another login had the answer first.
        party->oracle.mail.forgotten[found->second].answered = ++party->tick;
        person->post.forgetting.erase(found);
        party->tally.add("messages forgotten");
    });
}

// --- A turn -------------------------------------------------------------------------------------

void Player::choose_wrong_mail() {
    Chance& chance = party->chance;
    const string id = "wrong-" + std::to_string(chance.below(1000));
    const string none =
        "-ERR this is no envelope: a JWE in its compact form is wanted, RSA-OAEP-256 with A256GCM, "
        "around a JWS (cty JWT)";
    const string envelope = some_envelope(chance);
    switch (chance.below(7)) {
        case 0: {
            const size_t more = envelope_size_max - std::min<size_t>(envelope.size(), 4608) +
                                chance.between(1, 40);
            const string size = std::to_string(envelope.size() + more);
            return say_exactly({"SEND", id, "bob", envelope + string(more, 'A')},
                               line("-ERR an envelope of " + size +
                                    " bytes; one may have at most 4608"));
        }
        case 1: return say_exactly({"SEND", id, "bob", envelope.substr(1)}, line(none));
        case 2:
            return say_exactly({"SEND", id, "bob", envelope.substr(0, envelope.size() - 1) + "="},
                               line(none));
        case 3: return say_exactly({"SEND", id, "bob", "hello bob"}, line(none));
        case 4:
            return say_exactly({"READ", "0"},
                               line("-ERR a message is named by its number, such as 17"));
        case 5:
            return say_exactly({"FORGET", "1000000000"},
                               line("-ERR there was never a message 1000000000"));
        case 6:
            return say_exactly({"KEY", "nobody"}, line("-NOACCT no person 'nobody'"));
        default: return;
    }
}

void Player::play_mail() {
    Chance& chance = party->chance;
    if (!logged_in || is_stopped()) return;
    const Post& post = person->post;
    if (!post.has_key && chance.percent(50)) return begin_key();
    const uint64_t roll = chance.below(100);
    if (roll < 38) return send_letter();
    if (roll < 44) return send_changed_letter();
    if (roll < 58) return read_inbox(false);
    if (roll < 72) {
        const bool is_mine = !post.numbers.empty() && chance.percent(80);
        if (is_mine || !party->letters.empty()) {
            read_letter(chance.of(is_mine ? post.numbers : party->letters));
        }
        return;
    }
    if (roll < 86) return begin_forget();
    if (roll < 93) return show_key();
    if (roll < 95) return begin_key();
    choose_wrong_mail();
}

// --- At a quiet point ---------------------------------------------------------------------------

// Whoever can reads their mailbox, and every message in it.
void Party::begin_mail_audit() {
    for (const auto& player : players) {
        Person& person = *player->person;
        const Facts& facts = oracle.people.now(person.name);
        person.post.is_audited |= facts.active && bounds_take(oracle.bounds_of(player->terminal),
                                                              facts.role);
    }
}

bool Party::is_mail_read() const {
    for (const auto& player : players) {
        if (player->person->post.is_audited || player->sent_inbox) return false;
        for (const Expect& expect : player->expects) {
            if (expect.word == "READ") return false;
        }
    }
    return true;
}

void Player::audit_mail() {
    if (!person->post.is_audited || !logged_in) return;
    if (is_stopped()) {  // Perhaps: the login is about as old as a change of the role.
        person->post.is_audited = false;
        return;
    }
    for (const auto& other : party->players) {
        if (other->person == person && other->sent_inbox) return;
    }
    read_inbox(true);
}

}  // namespace sim
