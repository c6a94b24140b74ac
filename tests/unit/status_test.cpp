// The table of outcomes: what reaches a peer, and what is remembered under an id.
#include "base/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

std::set<std::string> words(bool remembered) {
    std::set<std::string> found;
    for (uint32_t i = 0; i < status_count; i++) {
        const Status status = static_cast<Status>(i);
        if (status_is_remembered(status) == remembered) found.insert(status_word(status));
    }
    found.erase("");
    return found;
}

}  // namespace

TEST(Status, OnlyOutcomesOfTheBookAreRemembered) {
    // P3's list, what a group is remembered by, and `ok`.
    EXPECT_EQ(words(true),
              (std::set<std::string>{"FUNDS", "LIMIT", "NOACCT", "CLOSED", "EXPIRED", "STATE",
                                     "EXECABORT"}));
    EXPECT_TRUE(status_is_remembered(Status::ok));
    for (const char* word : {"ERR", "NOAUTH", "NOPERM", "AMOUNT", "EXISTS", "OOM", "BUSY",
                             "LOADING", "MISCONF"}) {
        EXPECT_EQ(words(false).count(word), 1u) << word;
    }
}

TEST(Status, AWordIsWhatAClientCanSwitchOn) {
    std::set<std::string> seen;
    for (uint32_t i = 0; i < status_count; i++) {
        const std::string word = status_word(static_cast<Status>(i));
        if (word.empty()) continue;
        EXPECT_EQ(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos) << word;
        EXPECT_TRUE(seen.insert(word).second) << word << " has two meanings";
    }
}

TEST(Status, MoneyNeverUsesAWordThatClientsResendBy) {
    for (const std::string& word : words(true)) {
        for (const char* resent : {"LOADING", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN",
                                   "MOVED", "ASK", "BUSY"}) {
            EXPECT_NE(word.rfind(resent, 0), 0u) << word;
        }
    }
}

TEST(Status, AMeaningIsOnePlainSentence) {
    for (uint32_t i = 0; i < status_count; i++) {
        const std::string meaning = status_meaning(static_cast<Status>(i));
        ASSERT_FALSE(meaning.empty());
        EXPECT_NE(meaning.back(), '.') << meaning;
        EXPECT_EQ(meaning.find_first_of("\r\n\""), std::string::npos) << meaning;
    }
}

TEST(Status, EveryByteIsAStatusOrDamage) {
    for (uint32_t value = 0; value < 256; value++) {
        Status status = Status::more;
        const Status found = status_from_byte(static_cast<uint8_t>(value), status);
        if (value < status_count) {
            EXPECT_EQ(found, Status::ok);
            EXPECT_EQ(static_cast<uint32_t>(status), value);
        } else {
            EXPECT_EQ(found, Status::damaged);
            EXPECT_EQ(status, Status::more);
        }
    }
}

TEST(Status, NumbersOnDiskNeverMove) {
    // Journal entries hold these. A new row goes to the end of status.def.
    EXPECT_EQ(static_cast<int>(Status::ok), 0);
    EXPECT_EQ(static_cast<int>(Status::funds), 22);
    EXPECT_EQ(static_cast<int>(Status::limit), 23);
    EXPECT_EQ(static_cast<int>(Status::noacct), 24);
    EXPECT_EQ(static_cast<int>(Status::closed), 25);
    EXPECT_EQ(static_cast<int>(Status::expired), 26);
    EXPECT_EQ(static_cast<int>(Status::state), 27);
}
