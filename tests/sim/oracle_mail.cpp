#include "sim/oracle_mail.h"

#include <algorithm>

namespace sim {

namespace {

using std::string;
using Kept = MailOracle::Kept;

bool begins_with(const string& text, const string& part) {
    return text.compare(0, part.size(), part) == 0;
}

struct MailJudge {
    MailOracle& oracle;
    const PeopleOracle& people;
    uint64_t head;
    string& why;

    bool fail(const string& what) {
        if (why.empty()) why = what;
        return false;
    }
    bool is_removed_surely(const string& person, uint64_t sent, uint64_t answered) const;
    bool is_removed_perhaps(const string& person, uint64_t sent, uint64_t answered) const;
    bool has_key_surely(const string& person, uint64_t sent, uint64_t answered) const;
    bool has_key_perhaps(const string& person, uint64_t sent, uint64_t answered) const;
    bool is_there_surely(const Kept& kept, uint64_t sent, uint64_t answered) const;
    bool is_there_perhaps(const Kept& kept, uint64_t sent, uint64_t answered) const;
    uint64_t count_surely(const string& to, uint64_t sent, uint64_t answered) const;
    uint64_t count_perhaps(const string& to, uint64_t sent, uint64_t answered) const;

    bool take_letters();
    bool keep(const Letter& letter);
    void find_maybe(const ShownLetter& row, const string& to, uint64_t answered);
    void find_all_maybe();
    void take_forgotten();
    bool numbers();
    bool booked(const Letter& letter);
    bool refused(const Letter& letter);
    bool full(const Letter& letter);
    bool answers();
    bool shown(const ShownLetter& row, const string& to, uint64_t sent, uint64_t answered);
    bool inbox(const ShownInbox& inbox);
    bool read(const ShownRead& read);
    bool key(const ShownKey& shown);
    bool keys_refused();
    void begin_anew();
};

string letter_name(const Letter& letter) {
    return "the message '" + letter.id + "' of " + letter.from + " to " + letter.to;
}

// --- What may hold ------------------------------------------------------------------------------

bool MailJudge::is_removed_surely(const string& person, uint64_t sent, uint64_t answered) const {
    if (!people.knows(person)) return false;
    const std::vector<Facts> all = people.possible(person, sent, answered);
    return std::all_of(all.begin(), all.end(), [](const Facts& facts) { return facts.removed; });
}

bool MailJudge::is_removed_perhaps(const string& person, uint64_t sent, uint64_t answered) const {
    if (!people.knows(person)) return false;
    const std::vector<Facts> all = people.possible(person, sent, answered);
    return std::any_of(all.begin(), all.end(), [](const Facts& facts) { return facts.removed; });
}

bool MailJudge::has_key_surely(const string& person, uint64_t sent, uint64_t answered) const {
    const auto found = oracle.keys.find(person);
    if (found == oracle.keys.end() || is_removed_perhaps(person, sent, answered)) return false;
    for (const PublishedKey& key : found->second) {
        if (key.refusal.empty() && key.answered < sent) return true;
    }
    return false;
}

bool MailJudge::has_key_perhaps(const string& person, uint64_t sent, uint64_t answered) const {
    const auto found = oracle.keys.find(person);
    if (found == oracle.keys.end() || is_removed_surely(person, sent, answered)) return false;
    for (const PublishedKey& key : found->second) {
        if (key.refusal.empty() && key.sent <= answered) return true;
    }
    return false;
}

bool MailJudge::is_there_surely(const Kept& kept, uint64_t sent, uint64_t answered) const {
    return kept.letter.answered < sent && kept.forget_sent > answered &&
           !is_removed_perhaps(kept.letter.to, sent, answered);
}

bool MailJudge::is_there_perhaps(const Kept& kept, uint64_t sent, uint64_t answered) const {
    return kept.letter.sent <= answered && kept.forget_answered >= sent &&
           !is_removed_surely(kept.letter.to, sent, answered);
}

// Of one person, or of all.
uint64_t MailJudge::count_surely(const string& to, uint64_t sent, uint64_t answered) const {
    uint64_t count = 0;
    for (const auto& [number, kept] : oracle.kept) {
        const bool counts = to.empty() || kept.letter.to == to;
        if (counts && is_there_surely(kept, sent, answered)) count++;
    }
    return count;
}

uint64_t MailJudge::count_perhaps(const string& to, uint64_t sent, uint64_t answered) const {
    uint64_t count = 0;
    for (const auto& [number, kept] : oracle.kept) {
        const bool counts = to.empty() || kept.letter.to == to;
        if (counts && is_there_perhaps(kept, sent, answered)) count++;
    }
    for (const Letter& letter : oracle.maybe) {
        if ((to.empty() || letter.to == to) && letter.sent <= answered) count++;
    }
    return count;
}

// --- What was sent ------------------------------------------------------------------------------

bool MailJudge::keep(const Letter& letter) {
    const string whose = letter_name(letter);
    const string number = std::to_string(letter.number);
    if (letter.number <= oracle.judged || letter.number > head) {
        return fail(whose + " got the number " + number + ", but the book went from entry " +
                    std::to_string(oracle.judged + 1) + " to " + std::to_string(head));
    }
    const auto [at, is_new] = oracle.kept.insert({letter.number, {.letter = letter, .time = ""}});
    oracle.kept_ever++;
    return is_new || fail(whose + " got the number " + number + " of " +
                          letter_name(at->second.letter));
}

bool MailJudge::take_letters() {
    for (const Letter& letter : oracle.letters) {
        if (letter.number != 0 && !keep(letter)) return false;
    }
    return true;
}

// Somebody was shown a message that nobody was answered with: it is one whose answer was lost. Of
// those that fit, the one that was sent first can have come to be whenever another can.
void MailJudge::find_maybe(const ShownLetter& row, const string& to, uint64_t answered) {
    if (oracle.kept.count(row.number) > 0) return;
    Letter* best = nullptr;
    for (Letter& letter : oracle.maybe) {
        const bool same = row.envelope.empty() ? letter.envelope.size() == row.size
                                               : letter.envelope == row.envelope;
        if (!same || letter.from != row.from || letter.to != to || letter.sent > answered) continue;
        if (best == nullptr || letter.sent < best->sent) best = &letter;
    }
    if (best == nullptr) return;
    Letter found = *best;
    found.number = row.number;
    found.id = row.id;
    found.answered = answered;  // It was surely there by then.
    *best = oracle.maybe.back();
    oracle.maybe.pop_back();
    oracle.kept.insert({row.number, {.letter = found, .time = ""}});
    oracle.kept_ever++;
}

// First where the envelope tells which it is.
void MailJudge::find_all_maybe() {
    for (const ShownRead& read : oracle.reads) {
        if (read.refusal.empty()) find_maybe(read.letter, read.person, read.answered);
    }
    for (const ShownInbox& inbox : oracle.inboxes) {
        for (const ShownLetter& row : inbox.rows) find_maybe(row, inbox.person, inbox.answered);
    }
    // What is seen earlier than where it was recognised was there by then as well.
    for (const ShownInbox& inbox : oracle.inboxes) {
        for (const ShownLetter& row : inbox.rows) {
            const auto found = oracle.kept.find(row.number);
            if (found == oracle.kept.end()) continue;
            Letter& letter = found->second.letter;
            letter.answered = std::min(letter.answered, inbox.answered);
        }
    }
}

void MailJudge::take_forgotten() {
    for (const Forgotten& forgotten : oracle.forgotten) {
        const auto found = oracle.kept.find(forgotten.number);
        if (found == oracle.kept.end() || found->second.letter.to != forgotten.person) continue;
        Kept& kept = found->second;
        kept.forget_sent = std::min(kept.forget_sent, forgotten.sent);
        kept.forget_answered = std::min(kept.forget_answered, forgotten.answered);
    }
}

// L3.
bool MailJudge::numbers() {
    uint64_t sent_latest = 0;  // of those with lower numbers
    const Letter* latest = nullptr;
    for (const auto& [number, kept] : oracle.kept) {
        const Letter& letter = kept.letter;
        if (letter.answered < sent_latest) {
            return fail(letter_name(*latest) + " was sent after " + letter_name(letter) +
                        " was answered, but has the lower number " +
                        std::to_string(latest->number));
        }
        if (letter.sent <= sent_latest) continue;
        sent_latest = letter.sent;
        latest = &letter;
    }
    return true;
}

bool MailJudge::booked(const Letter& letter) {
    const string whose = letter_name(letter);
    if (!people.knows(letter.to)) return fail(whose + " was taken, but there is no such person");
    if (is_removed_surely(letter.to, letter.sent, letter.answered)) {
        return fail(whose + " was taken, but its recipient was removed");
    }
    if (!has_key_perhaps(letter.to, letter.sent, letter.answered)) {
        return fail(whose + " was taken, but its recipient has no key");
    }
    if (count_surely(letter.to, letter.sent, letter.answered) >= oracle.rules.mailbox) {
        return fail(whose + " was taken, but the mailbox was full");
    }
    if (count_surely("", letter.sent, letter.answered) >= oracle.rules.messages) {
        return fail(whose + " was taken, but the table of messages was full");
    }
    return true;
}

// L4.
bool MailJudge::full(const Letter& letter) {
    const string mailbox = "OOM the mailbox of " + letter.to + " is full: " +
                           std::to_string(oracle.rules.mailbox) + " messages wait there; ";
    uint64_t room = 0;
    uint64_t most = 0;
    if (begins_with(letter.refusal, mailbox)) {
        room = oracle.rules.mailbox;
        most = count_perhaps(letter.to, letter.sent, letter.answered);
    } else if (begins_with(letter.refusal, "OOM the server keeps no more messages ")) {
        room = oracle.rules.messages;
        most = count_perhaps("", letter.sent, letter.answered);
    }
    if (most >= room) return true;
    return fail(letter_name(letter) + " was refused with '" + letter.refusal + "', but at most " +
                std::to_string(most) + " were there");
}

bool MailJudge::refused(const Letter& letter) {
    const uint64_t sent = letter.sent;
    const uint64_t answered = letter.answered;
    const string& text = letter.refusal;
    if (begins_with(text, "BUSY ")) return true;  // No rule of the contract says when.
    if (begins_with(text, "OOM ")) return full(letter);
    bool right = false;
    if (text == "NOACCT no person '" + letter.to + "'") {
        right = !people.knows(letter.to);
    } else if (text == "CLOSED " + letter.to + " was removed and gets no messages") {
        right = is_removed_perhaps(letter.to, sent, answered);
    } else if (text == "STATE " + letter.to +
                           " has published no key, so nothing can be sealed for them") {
        right = people.knows(letter.to) && !has_key_surely(letter.to, sent, answered) &&
                !is_removed_surely(letter.to, sent, answered);
    }
    return right || fail(letter_name(letter) + " was refused with '" + text + "'");
}

bool MailJudge::answers() {
    for (const Letter& letter : oracle.letters) {
        if (letter.number == 0 ? !refused(letter) : !booked(letter)) return false;
    }
    return true;
}

// --- What was shown -----------------------------------------------------------------------------

// L1, L2: one message as INBOX or READ has it.
bool MailJudge::shown(const ShownLetter& row, const string& to, uint64_t sent, uint64_t answered) {
    const string what = to + " was shown message " + std::to_string(row.number) + " of " + row.from;
    const auto found = oracle.kept.find(row.number);
    if (found == oracle.kept.end()) return fail(what + ", which is none that waits");
    Kept& kept = found->second;
    const Letter& letter = kept.letter;
    if (letter.to != to) return fail(what + ", which is for " + letter.to);
    if (letter.from != row.from) return fail(what + ", but " + letter.from + " sent it");
    const bool same_id = letter.id == "+" ? begins_with(row.id, "+") : letter.id == row.id;
    if (!same_id) return fail(what + " with the id '" + row.id + "', not '" + letter.id + "'");
    const bool same = row.envelope.empty() ? letter.envelope.size() == row.size
                                           : letter.envelope == row.envelope;
    if (!same) return fail(what + ", but its envelope is not the one that was sent");
    if (kept.time.empty()) kept.time = row.time;
    if (row.time != kept.time) return fail(what + " of " + row.time + ", not of " + kept.time);
    if (is_there_perhaps(kept, sent, answered)) return true;
    return fail(what + (kept.forget_answered < sent ? ", which was forgotten"
                                                    : ", before it was sent"));
}

bool MailJudge::inbox(const ShownInbox& inbox) {
    uint64_t above = 0;
    string time;
    for (const ShownLetter& row : inbox.rows) {
        if (!shown(row, inbox.person, inbox.sent, inbox.answered)) return false;
        if (row.number <= above || row.time < time) {
            return fail("INBOX of " + inbox.person + " is not in order at message " +
                        std::to_string(row.number));
        }
        above = row.number;
        time = row.time;
    }
    for (const auto& [number, kept] : oracle.kept) {
        if (kept.letter.to != inbox.person) continue;
        if (!is_there_surely(kept, inbox.sent, inbox.answered)) continue;
        const uint64_t wanted = number;
        const auto is_it = [wanted](const ShownLetter& row) { return row.number == wanted; };
        if (std::any_of(inbox.rows.begin(), inbox.rows.end(), is_it)) continue;
        return fail("INBOX of " + inbox.person + " does not show message " +
                    std::to_string(number) + ", " + letter_name(kept.letter));
    }
    if (inbox.rows.size() <= oracle.rules.mailbox) return true;
    return fail("INBOX of " + inbox.person + " has more than its bound");
}

bool MailJudge::read(const ShownRead& read) {
    const string number = std::to_string(read.number);
    const string what = "READ " + number + " by " + read.person;
    const bool is_archived = read.number <= read.archived;
    const auto found = oracle.kept.find(read.number);
    const bool mine = found != oracle.kept.end() && found->second.letter.to == read.person;
    const bool surely = mine && is_there_surely(found->second, read.sent, read.answered);
    const bool perhaps = mine && is_there_perhaps(found->second, read.sent, read.answered);
    if (read.refusal.empty()) {
        if (read.letter.number != read.number) return fail(what + " was answered with another");
        if (is_archived) return fail(what + " was answered, but it is archived");
        return shown(read.letter, read.person, read.sent, read.answered);
    }
    if (read.refusal == "ERR there is no message " + number + " in your mailbox") {
        return !surely || fail(what + " found nothing, but it is there");
    }
    const string place = "STATE message " + number + " lies in the archive ";
    const string advice =
        "; ask the operator for a bank restored with it, or FORGET the message";
    const bool is_named = begins_with(read.refusal, place) &&
                          read.refusal.size() > place.size() + advice.size() &&
                          read.refusal.compare(read.refusal.size() - advice.size(),
                                               advice.size(), advice) == 0;
    if (is_named && perhaps && is_archived) return true;  // L7
    return fail(what + " was refused with '" + read.refusal + "'");
}

// L6.
bool MailJudge::key(const ShownKey& shown) {
    const string what = "KEY " + shown.person;
    if (shown.jwk.empty()) {
        return !has_key_surely(shown.person, shown.sent, shown.answered) ||
               fail(what + " shows none, but one was published");
    }
    if (is_removed_surely(shown.person, shown.sent, shown.answered)) {
        return fail(what + " shows one of somebody who was removed");
    }
    bool right = false;
    for (const PublishedKey& key : oracle.keys[shown.person]) {
        if (!key.refusal.empty()) continue;
        if (key.answered < shown.sent) right = false;  // Nothing older can hold any more.
        if (key.sent <= shown.answered && key.jwk == shown.jwk) right = true;
    }
    return right || fail(what + " shows one that is not the newest");
}

// A key was refused for want of room: others must have filled it.
bool MailJudge::keys_refused() {
    for (const auto& [person, all] : oracle.keys) {
        for (const PublishedKey& refused : all) {
            if (refused.refusal.empty()) continue;
            uint64_t others = 0;
            for (const auto& [other, keys] : oracle.keys) {
                if (has_key_perhaps(other, refused.sent, refused.answered)) others++;
            }
            if (others >= oracle.rules.keys) continue;
            return fail("a key of " + person + " was refused with '" + refused.refusal +
                        "', but at most " + std::to_string(others) + " were there");
        }
    }
    return true;
}

void MailJudge::begin_anew() {
    oracle.letters.clear();
    std::erase_if(oracle.maybe, [this](const Letter& letter) {
        for (const ShownInbox& inbox : oracle.inboxes) {
            if (inbox.at_rest && inbox.person == letter.to) return true;
        }
        return !people.knows(letter.to) || people.now(letter.to).removed;
    });
    oracle.forgotten.clear();
    oracle.shown_keys.clear();
    oracle.inboxes.clear();
    oracle.reads.clear();
    std::erase_if(oracle.kept, [this](const auto& row) {
        const Kept& kept = row.second;
        if (kept.forget_answered != UINT64_MAX) return true;
        return people.now(kept.letter.to).removed;
    });
    for (auto& [person, all] : oracle.keys) {
        std::erase_if(all, [](const PublishedKey& key) { return !key.refusal.empty(); });
        if (all.size() > 1) all = {all.back()};
    }
    oracle.judged = head;
}

}  // namespace

bool MailOracle::judge(const PeopleOracle& people, uint64_t head, string& why) {
    MailJudge judge = {*this, people, head, why};
    if (!judge.take_letters()) return false;
    judge.find_all_maybe();
    judge.take_forgotten();
    if (!judge.numbers() || !judge.answers() || !judge.keys_refused()) return false;
    for (const ShownInbox& inbox : inboxes) {
        if (!judge.inbox(inbox)) return false;
    }
    for (const ShownRead& read : reads) {
        if (!judge.read(read)) return false;
    }
    for (const ShownKey& shown : shown_keys) {
        if (!judge.key(shown)) return false;
    }
    judge.begin_anew();
    return true;
}

}  // namespace sim
