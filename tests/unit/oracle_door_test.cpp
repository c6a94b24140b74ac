// What the simulator knows of the door: who may be refused, and whose password may not be looked at.

#include "sim/door.h"

#include <gtest/gtest.h>

namespace {

using sim::Door;
using sim::GuessKind;

constexpr uint64_t second_us = 1'000'000;
constexpr char nothing[] = "";

struct Tries {
    Door door;
    uint64_t now_us = second_us;

    Tries() { door.rules = {{1, 60 * second_us}, {10, 60 * second_us}, 4 * second_us}; }

    uint64_t send(uint64_t line, GuessKind kind) {
        now_us += 1000;
        return door.send(line, "till", "till-1", kind, now_us);
    }

    void log_in(uint64_t line) {
        const uint64_t guess = send(line, GuessKind::right);
        now_us += 1000;
        EXPECT_EQ(door.let_in(guess, now_us), nothing);
    }

    void fail(uint64_t line) {
        const uint64_t guess = send(line, GuessKind::wrong);
        now_us += 1000;
        EXPECT_EQ(door.refused(guess, now_us), nothing);
    }
};

TEST(OracleDoor, TheRightPasswordIsRefusedBehindEnoughWrongOnesOnly) {
    Tries tries;
    tries.log_in(1);
    tries.fail(1);
    uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_NE(tries.door.refused(guess, tries.now_us + 1000), nothing);
    tries.fail(1);
    guess = tries.send(1, GuessKind::right);
    EXPECT_EQ(tries.door.refused(guess, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, NoPasswordIsLookedAtWhileAWaitIsCertain) {
    Tries tries;
    tries.log_in(1);
    tries.fail(1);
    tries.fail(1);
    const uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_NE(tries.door.let_in(guess, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, ARightPasswordWhoseAnswerIsAboutTheDiskMayHaveBegunAnew) {
    Tries tries;
    tries.log_in(1);
    tries.fail(1);
    tries.door.came_to_nothing(tries.send(1, GuessKind::right));  // MISCONF, behind the look.
    tries.fail(1);
    const uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_EQ(tries.door.let_in(guess, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, AWrongOneWhoseAnswerIsAboutTheDiskBeginsNothingAnew) {
    Tries tries;
    tries.log_in(1);
    tries.fail(1);
    tries.fail(1);
    tries.door.came_to_nothing(tries.send(1, GuessKind::wrong));
    const uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_NE(tries.door.let_in(guess, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, ALostLoginMayHaveBegunAnewAnyTimeUntilItsEnd) {
    Tries tries;
    tries.log_in(1);
    const uint64_t lost = tries.send(2, GuessKind::right);
    tries.door.lose(lost, tries.now_us + 5000);
    tries.fail(1);
    tries.fail(1);
    tries.now_us += 6000;
    const uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_EQ(tries.door.let_in(guess, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, WrongOnesSentBeforeALoginWasAnsweredMayBeForgottenByIt) {
    Tries tries;
    tries.log_in(1);
    const uint64_t first = tries.send(1, GuessKind::wrong);
    const uint64_t second = tries.send(1, GuessKind::wrong);
    tries.log_in(2);
    EXPECT_EQ(tries.door.refused(first, tries.now_us + 1000), nothing);
    EXPECT_EQ(tries.door.refused(second, tries.now_us + 1000), nothing);
    const uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_EQ(tries.door.let_in(guess, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, WrongOnesSentBeforeALoginWasAnsweredMayHaveRefusedWhatCameBeforeIt) {
    Tries tries;
    tries.log_in(1);
    const uint64_t first = tries.send(1, GuessKind::wrong);
    const uint64_t second = tries.send(1, GuessKind::wrong);
    const uint64_t early = tries.send(1, GuessKind::right);
    tries.log_in(2);
    EXPECT_EQ(tries.door.refused(first, tries.now_us + 1000), nothing);
    EXPECT_EQ(tries.door.refused(second, tries.now_us + 1000), nothing);
    EXPECT_EQ(tries.door.refused(early, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, WhatWasSentBeforeTheTerminalWasFamiliarMayWaitForThePerson) {
    Tries tries;
    Door& door = tries.door;
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t guess = door.send(9, "till", "kiosk", GuessKind::wrong, tries.now_us);
        EXPECT_EQ(door.refused(guess, tries.now_us + 1000), nothing);
    }
    const uint64_t early = tries.send(1, GuessKind::right);
    tries.now_us += 8 * second_us;  // The person's wait is over for whoever comes now.
    tries.log_in(2);
    EXPECT_EQ(door.refused(early, tries.now_us + 1000), nothing);
    const uint64_t late = tries.send(1, GuessKind::right);
    EXPECT_NE(door.refused(late, tries.now_us + 1000), nothing);
}

TEST(OracleDoor, WrongOnesAnsweredBeforeTheFirstLoginMayHaveBeenLookedAtBehindIt) {
    Tries tries;
    const uint64_t login = tries.send(2, GuessKind::right);
    tries.fail(1);
    tries.fail(1);
    EXPECT_EQ(tries.door.let_in(login, tries.now_us + 1000), nothing);
    const uint64_t guess = tries.send(1, GuessKind::right);
    EXPECT_EQ(tries.door.refused(guess, tries.now_us + 1000), nothing);
}

}  // namespace
