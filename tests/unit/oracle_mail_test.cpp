// What the simulator's oracle knows of keys and messages: it takes a right mailbox, and none that
// differs in anything.

#include "sim/oracle_mail.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using sim::Facts;
using sim::Letter;
using sim::MailOracle;
using sim::PeopleOracle;
using sim::ShownInbox;
using sim::ShownLetter;
using sim::ShownRead;

// Alice writes to Bob, who has a key. Every question and answer has a tick of its own.
struct Post {
    PeopleOracle people;
    MailOracle mail;
    uint64_t tick = 0;
    uint64_t head = 10;

    Post() {
        mail.rules = {.keys = 2, .messages = 3, .mailbox = 2};
        for (const char* name : {"alice", "bob", "carol"}) {
            people.begin(name, {.role = "customer"}, tick);
        }
        publish("bob", "key 1");
    }
    void publish(const std::string& person, const std::string& jwk) {
        const uint64_t sent = ++tick;
        mail.keys[person].push_back({.jwk = jwk, .sent = sent, .answered = ++tick, .refusal = ""});
    }
    Letter& send(const std::string& to, const std::string& envelope) {
        Letter letter;
        letter.from = "alice";
        letter.to = to;
        letter.id = "id-" + std::to_string(tick);
        letter.envelope = envelope;
        letter.sent = ++tick;
        letter.answered = ++tick;
        letter.number = head += 2;
        mail.letters.push_back(letter);
        return mail.letters.back();
    }
    void refuse(const std::string& to, const std::string& text) {
        Letter& letter = send(to, "x");
        letter.number = 0;
        letter.refusal = text;
        head -= 2;
    }
    void forget(const std::string& person, uint64_t number) {
        const uint64_t sent = ++tick;
        mail.forgotten.push_back({person, number, sent, ++tick});
    }
    static ShownLetter row(const Letter& letter) {
        return {letter.number, letter.from, letter.id, "then", letter.envelope.size(), ""};
    }
    ShownInbox& inbox(const std::string& person, const std::vector<ShownLetter>& rows) {
        const uint64_t sent = ++tick;
        mail.inboxes.push_back({person, rows, true, sent, ++tick});
        return mail.inboxes.back();
    }
    ShownRead& read(const std::string& person, const Letter& letter) {
        ShownRead made;
        made.person = person;
        made.number = letter.number;
        made.letter = row(letter);
        made.letter.size = 0;
        made.letter.envelope = letter.envelope;
        made.sent = ++tick;
        made.answered = ++tick;
        mail.reads.push_back(made);
        return mail.reads.back();
    }
    void refuse_read(const std::string& person, uint64_t number, const std::string& text,
                     uint64_t archived = 0) {
        Letter letter;
        letter.number = number;
        ShownRead& made = read(person, letter);
        made.letter = {};
        made.refusal = text;
        made.archived = archived;
    }
    void show_key(const std::string& person, const std::string& jwk) {
        const uint64_t sent = ++tick;
        mail.shown_keys.push_back({person, jwk, sent, ++tick});
    }
    void remove(const std::string& person) {
        people.change(person, {.role = "customer", .active = false, .removed = true}, ++tick);
        people.changed(person, ++tick);
    }
    std::string judge() {
        std::string why;
        return mail.judge(people, head, why) ? "right" : why;
    }
};

bool says(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

TEST(OracleMail, WhatWasSentIsThereUntilItIsForgotten) {
    Post post;
    const Letter first = post.send("bob", "one");
    const Letter second = post.send("bob", "two");
    post.inbox("bob", {Post::row(first), Post::row(second)});
    post.read("bob", first);
    post.forget("bob", first.number);
    post.forget("bob", first.number);
    post.inbox("bob", {Post::row(second)});
    post.refuse_read("bob", first.number, "ERR there is no message 12 in your mailbox");
    post.refuse_read("carol", second.number, "ERR there is no message 14 in your mailbox");
    EXPECT_EQ(post.judge(), "right");
    post.inbox("bob", {Post::row(second)});
    post.read("bob", second);
    EXPECT_EQ(post.judge(), "right");
    EXPECT_EQ(post.mail.kept.size(), 1u);
    EXPECT_EQ(post.mail.kept_ever, 2u);
}

TEST(OracleMail, AnAcknowledgedMessageThatIsGoneIsFound) {
    Post post;
    const Letter first = post.send("bob", "one");
    post.inbox("bob", {});
    EXPECT_TRUE(says(post.judge(), "does not show message 12"));

    Post reading;
    const Letter sent = reading.send("bob", "one");
    reading.refuse_read("bob", sent.number, "ERR there is no message 12 in your mailbox");
    EXPECT_TRUE(says(reading.judge(), "found nothing, but it is there"));
}

TEST(OracleMail, AForgottenMessageThatIsBackIsFound) {
    Post post;
    const Letter first = post.send("bob", "one");
    post.forget("bob", first.number);
    post.inbox("bob", {Post::row(first)});
    EXPECT_TRUE(says(post.judge(), "which was forgotten"));

    Post later;  // After the quiet point at which it was gone.
    const Letter sent = later.send("bob", "one");
    later.forget("bob", sent.number);
    EXPECT_EQ(later.judge(), "right");
    later.inbox("bob", {Post::row(sent)});
    EXPECT_TRUE(says(later.judge(), "none that waits"));
}

TEST(OracleMail, SomebodyElsesForgetTakesNothingAway) {
    Post post;
    const Letter first = post.send("bob", "one");
    post.forget("carol", first.number);
    post.inbox("bob", {Post::row(first)});
    EXPECT_EQ(post.judge(), "right");
    post.inbox("bob", {});
    EXPECT_TRUE(says(post.judge(), "does not show message 12"));
}

TEST(OracleMail, WhatNobodySentIsFound) {
    Post post;
    post.inbox("bob", {{11, "alice", "id", "then", 3, ""}});
    EXPECT_TRUE(says(post.judge(), "none that waits"));
}

TEST(OracleMail, EveryFieldOfAMessageCounts) {
    const auto judge_with = [](void (*change)(ShownLetter& row)) {
        Post post;
        const Letter sent = post.send("bob", "one");
        ShownLetter row = Post::row(sent);
        post.inbox("bob", {row});
        change(row);
        post.inbox("bob", {row});
        return post.judge();
    };
    EXPECT_EQ(judge_with([](ShownLetter&) {}), "right");
    EXPECT_TRUE(says(judge_with([](ShownLetter& row) { row.from = "carol"; }), "alice sent it"));
    EXPECT_TRUE(says(judge_with([](ShownLetter& row) { row.id = "x"; }), "with the id 'x'"));
    EXPECT_TRUE(says(judge_with([](ShownLetter& row) { row.size++; }), "its envelope is not"));
    EXPECT_TRUE(says(judge_with([](ShownLetter& row) { row.time = "now"; }), "of now, not of"));
    EXPECT_TRUE(says(judge_with([](ShownLetter& row) { row.number++; }), "none that waits"));
}

TEST(OracleMail, AMessageIsReadByteForByteByItsRecipient) {
    Post post;
    const Letter sent = post.send("bob", "one");
    post.read("bob", sent).letter.envelope = "onE";
    EXPECT_TRUE(says(post.judge(), "its envelope is not the one"));
    Post other;
    other.read("carol", other.send("bob", "one"));
    EXPECT_TRUE(says(other.judge(), "which is for bob"));
    Post number;
    Letter wrong = number.send("bob", "one");
    number.send("bob", "two");
    number.read("bob", wrong).number += 2;
    EXPECT_TRUE(says(number.judge(), "was answered with another"));
}

TEST(OracleMail, NumbersRiseAndAreNeverUsedAgain) {
    Post twice;
    const uint64_t number = twice.send("bob", "one").number;
    twice.send("bob", "two").number = number;
    EXPECT_TRUE(says(twice.judge(), "got the number 12 of"));

    Post falling;
    falling.send("bob", "one").number = 14;
    falling.send("bob", "two").number = 12;
    EXPECT_TRUE(says(falling.judge(), "has the lower number 12"));

    Post crossed;  // Both were under way at once.
    Letter& first = crossed.send("bob", "one");
    first.number = 14;
    first.answered = 100;
    crossed.send("bob", "two").number = 12;
    EXPECT_EQ(crossed.judge(), "right");

    Post old;
    EXPECT_EQ(old.judge(), "right");
    old.send("bob", "one").number = 10;
    EXPECT_TRUE(says(old.judge(), "from entry 11 to 12"));
}

TEST(OracleMail, AFullMailboxRefusesAndNoOther) {
    const char* const full = "OOM the mailbox of bob is full: 2 messages wait there; nothing was sent";
    Post post;
    const Letter first = post.send("bob", "one");
    post.send("bob", "two");
    post.refuse("bob", full);
    post.forget("bob", first.number);
    post.send("bob", "three");
    EXPECT_EQ(post.judge(), "right");

    Post half;
    half.send("bob", "one");
    half.refuse("bob", full);
    EXPECT_TRUE(says(half.judge(), "at most 1 were there"));

    Post beyond;
    for (const char* text : {"one", "two", "three"}) beyond.send("bob", text);
    EXPECT_TRUE(says(beyond.judge(), "but the mailbox was full"));

    Post table;
    table.publish("carol", "key 2");
    table.send("bob", "one");
    table.send("carol", "two");
    table.send("carol", "three");
    table.refuse("bob", "OOM the server keeps no more messages ([limits] messages) until");
    EXPECT_EQ(table.judge(), "right");
    table.send("bob", "four");
    EXPECT_TRUE(says(table.judge(), "the table of messages was full"));
}

TEST(OracleMail, WithoutAKeyOrAfterRemovalNothingIsTaken) {
    const char* const no_key = "STATE carol has published no key, so nothing can be sealed for them";
    Post post;
    post.refuse("carol", no_key);
    post.refuse("nobody", "NOACCT no person 'nobody'");
    post.publish("carol", "key 2");
    const Letter sent = post.send("carol", "one");
    post.remove("carol");
    post.refuse("carol", "CLOSED carol was removed and gets no messages");
    EXPECT_EQ(post.judge(), "right");
    EXPECT_TRUE(post.mail.kept.empty());

    Post early;
    early.send("carol", "one");
    EXPECT_TRUE(says(early.judge(), "its recipient has no key"));
    Post late;
    late.publish("carol", "key 2");
    late.refuse("carol", no_key);
    EXPECT_TRUE(says(late.judge(), "was refused with 'STATE carol"));
    Post gone;
    gone.remove("bob");
    gone.send("bob", "one");
    EXPECT_TRUE(says(gone.judge(), "its recipient was removed"));
    Post there;
    there.refuse("bob", "CLOSED bob was removed and gets no messages");
    EXPECT_TRUE(says(there.judge(), "was refused with 'CLOSED bob"));
}

TEST(OracleMail, TheNewestKeyIsShown) {
    Post post;
    post.show_key("bob", "key 1");
    post.show_key("carol", "");
    post.publish("bob", "key 2");
    post.show_key("bob", "key 2");
    EXPECT_EQ(post.judge(), "right");
    post.show_key("bob", "key 2");
    EXPECT_EQ(post.judge(), "right");
    post.show_key("bob", "key 1");
    EXPECT_TRUE(says(post.judge(), "not the newest"));

    Post none;
    none.show_key("bob", "");
    EXPECT_TRUE(says(none.judge(), "shows none, but one was published"));
    Post removed;
    removed.remove("bob");
    removed.show_key("bob", "key 1");
    EXPECT_TRUE(says(removed.judge(), "who was removed"));
}

TEST(OracleMail, AKeyIsRefusedOnlyForWantOfRoom) {
    Post post;
    post.publish("carol", "key 2");
    post.publish("alice", "key 3");
    post.mail.keys["alice"].back().refusal = "OOM there is no room";
    post.show_key("alice", "");
    EXPECT_EQ(post.judge(), "right");
    EXPECT_TRUE(post.mail.keys["alice"].empty());

    Post early;
    early.publish("alice", "key 3");
    early.mail.keys["alice"].back().refusal = "OOM there is no room";
    EXPECT_TRUE(says(early.judge(), "at most 1 were there"));
}

TEST(OracleMail, WhatIsArchivedIsNamedAndNothingElse) {
    const std::string text = "STATE message 12 lies in the archive 1-4; ask the operator for a bank "
                             "restored with it, or FORGET the message";
    Post post;
    const Letter sent = post.send("bob", "one");
    post.refuse_read("bob", sent.number, text, sent.number);
    EXPECT_EQ(post.judge(), "right");
    post.refuse_read("bob", sent.number, text, sent.number - 1);
    EXPECT_TRUE(says(post.judge(), "was refused with 'STATE"));
    Post shown;
    shown.read("bob", shown.send("bob", "one")).archived = 12;
    EXPECT_TRUE(says(shown.judge(), "but it is archived"));
}

TEST(OracleMail, AMessageWhoseAnswerWasLostIsThereOrNot) {
    const auto lose = [](Post& post, const char* envelope) {
        const Letter letter = post.send("bob", envelope);
        post.mail.letters.pop_back();
        post.mail.maybe.push_back(letter);
        post.mail.maybe.back().id = "+";
        post.mail.maybe.back().number = 0;
        return ShownLetter{letter.number, "alice", "+7", "then", letter.envelope.size(), ""};
    };
    Post absent;
    lose(absent, "one");
    absent.inbox("bob", {});
    EXPECT_EQ(absent.judge(), "right");
    EXPECT_TRUE(absent.mail.maybe.empty());

    Post there;
    const ShownLetter row = lose(there, "one");
    there.inbox("bob", {row});
    there.inbox("bob", {row});
    EXPECT_EQ(there.judge(), "right");
    there.inbox("bob", {});
    EXPECT_TRUE(says(there.judge(), "does not show message 12"));

    Post other;
    ShownLetter longer = lose(other, "one");
    longer.size = 4;
    other.inbox("bob", {longer});
    EXPECT_TRUE(says(other.judge(), "none that waits"));

    Post unread;  // Nobody looked, so it may still turn up.
    const ShownLetter later = lose(unread, "one");
    EXPECT_EQ(unread.judge(), "right");
    unread.inbox("bob", {later});
    EXPECT_EQ(unread.judge(), "right");
}

}  // namespace
