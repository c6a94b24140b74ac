// What the simulator's oracle knows of people and terminals: a right answer is taken, others are not.

#include "sim/oracle_people.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/oracle.h"

namespace {

using sim::Bounds;
using sim::Facts;
using sim::PeopleOracle;
using sim::Side;

TEST(OraclePeople, BetweenTheQuestionAndTheAnswerBothMayHold) {
    PeopleOracle people;
    people.begin("bob", {.role = "customer"}, 10);
    people.change("bob", {.role = "till"}, 20);
    EXPECT_EQ(people.possible("bob", 12, 19).size(), 1u);
    EXPECT_EQ(people.possible("bob", 12, 20).size(), 2u);
    EXPECT_EQ(people.possible("bob", 30, 40).size(), 2u);
    EXPECT_EQ(people.now("bob").role, "customer");
    people.changed("bob", 30);
    EXPECT_EQ(people.possible("bob", 25, 40).size(), 2u);
    ASSERT_EQ(people.possible("bob", 31, 40).size(), 1u);
    EXPECT_EQ(people.possible("bob", 31, 40)[0].role, "till");
    EXPECT_EQ(people.at("bob", 29).role, "customer");
    EXPECT_EQ(people.at("bob", 30).role, "till");
    people.change("bob", {.role = "auditor"}, 50);
    people.forget("bob");
    EXPECT_EQ(people.possible("bob", 60, 70).size(), 1u);
}

TEST(OraclePeople, ATerminalTakesWhatItsSectionNames) {
    Bounds bounds;
    EXPECT_TRUE(sim::bounds_take(bounds, "till"));
    EXPECT_EQ(sim::bounds_refusal(bounds, {"alice", false}, {"bob", false}, 1'000'000), "");
    bounds.roles = {"customer"};
    EXPECT_FALSE(sim::bounds_take(bounds, "till"));
    bounds.accounts = {"shop"};
    EXPECT_EQ(sim::bounds_refusal(bounds, {"alice", true}, {"shop", false}, 1), "");
    EXPECT_NE(sim::bounds_refusal(bounds, {"alice", true}, {"bob", false}, 1), "");
    EXPECT_NE(sim::bounds_refusal(bounds, {"alice", false}, {"shop", false}, 1), "");
    bounds.amount_max = 500;
    EXPECT_EQ(sim::bounds_refusal(bounds, {"alice", true}, {"shop", false}, 500), "");
    EXPECT_EQ(sim::bounds_refusal(bounds, {"alice", true}, {"shop", false}, 501),
              "NOPERM this terminal moves at most 5.00 at once");
}

TEST(OraclePeople, APinIsWantedAboveItsAmountOnly) {
    Bounds bounds;
    Facts facts = {.role = "customer"};
    EXPECT_EQ(sim::pin_refusal(bounds, facts, "", 1'000'000), "");
    bounds.pin_above = 2000;
    EXPECT_EQ(sim::pin_refusal(bounds, facts, "", 2000), "");
    EXPECT_EQ(sim::pin_refusal(bounds, facts, "", 2001),
              "NOPERM a PIN is needed above 20.00: end the command with PIN and the PIN");
    EXPECT_NE(sim::pin_refusal(bounds, facts, "1234", 2001), "");
    facts.has_pin = true;
    EXPECT_EQ(sim::pin_refusal(bounds, facts, "1234", 2001), "");
    facts.pin_locked = true;
    EXPECT_EQ(sim::pin_refusal(bounds, facts, "1234", 2001), sim::pin_locked_text);
    EXPECT_EQ(sim::pin_refusal(bounds, facts, "1234", 2000), "");
}

// A book of alice and a shop at a kiosk that may move 10.00 a day.
struct Kiosk {
    sim::Oracle oracle;
    sim::Seen seen;
    uint64_t tick = 0;

    Kiosk() {
        oracle.people.begin("alice", {.role = "customer"}, 0);
        oracle.bounds["kiosk"].day_max = 1000;
        oracle.open("alice", "alice", -sim::oracle_unbounded, sim::oracle_unbounded);
        oracle.open("shop", "", -sim::oracle_unbounded, sim::oracle_unbounded);
        seen.accounts = {{"alice", "alice", 0, 0, -sim::oracle_unbounded, sim::oracle_unbounded},
                         {"shop", "", 0, 0, -sim::oracle_unbounded, sim::oracle_unbounded}};
    }
    sim::Ask& ask(int64_t amount) {
        sim::Ask made;
        made.person = "alice";
        made.terminal = "kiosk";
        made.moves = {{"transfer", "i" + std::to_string(tick), "alice", "shop", amount}};
        made.sent = ++tick;
        made.answered = ++tick;
        oracle.asks.push_back(made);
        return oracle.asks.back();
    }
    void pay(int64_t amount, uint64_t time_ms) {
        seen.accounts[0].balance -= amount;
        seen.accounts[1].balance += amount;
        ask(amount).booked = {{++seen.head, seen.accounts[0].balance, 0, ""}};
        add_line("alice", "shop", -amount, seen.accounts[0].balance, time_ms);
        add_line("shop", "alice", amount, seen.accounts[1].balance, time_ms);
    }
    void add_line(const char* account, const char* other, int64_t amount, int64_t balance,
                  uint64_t time_ms) {
        auto& lines = seen.lines[account];
        lines.insert(lines.begin(), {seen.head, time_ms, "transfer", amount, balance, other});
    }
    void refuse(int64_t amount) {
        ask(amount).refusal =
            "LIMIT this terminal cannot move " + sim::oracle_amount(amount) + " more today";
        seen.head++;
        seen.refused++;
    }
    std::string judge() {
        std::string why;
        return oracle.judge(seen, why) ? "" : why;
    }
};

constexpr uint64_t day_ms = 86'400'000;

TEST(OraclePeople, ATerminalsDayHasABoundAndAnEnd) {
    Kiosk fine;
    fine.pay(1000, day_ms - 1);
    fine.refuse(1);
    fine.pay(1000, day_ms);
    EXPECT_EQ(fine.judge(), "");
    Kiosk beyond;
    beyond.pay(600, 5);
    beyond.pay(401, day_ms - 1);
    EXPECT_NE(beyond.judge().find("that should have been refused: LIMIT"), std::string::npos);
    Kiosk early;
    early.pay(600, 5);
    early.refuse(400);
    EXPECT_NE(early.judge().find("was refused with 'LIMIT this terminal"), std::string::npos);
}

// By the clock, which only the bank can read, the hold may have expired.
TEST(OraclePeople, APayersCaptureMayBeRefusedForWhatIsJudgedBehindTheRight) {
    const auto judge = [](const char* debit, const char* refusal) {
        Kiosk kiosk;
        kiosk.oracle.bounds["kiosk"] = {};
        kiosk.oracle.bounds["kiosk"].pin_above = 100;
        kiosk.oracle.open("bob", "bob", 0, sim::oracle_unbounded);
        kiosk.seen.accounts.push_back({"bob", "bob", 0, 0, 0, sim::oracle_unbounded});
        kiosk.oracle.holds[17] = {debit, "shop", 500, 1000, 0, 0, false};
        sim::Ask& ask = kiosk.ask(500);
        ask.moves[0] = {.operation = "capture", .id = "c", .debit = "", .credit = "", .hold = 17,
                        .memo = "", .pin = "", .envelope = ""};
        ask.refusal = refusal;
        return kiosk.judge();
    };
    const char* const no_pin =
        "NOPERM a PIN is needed above 1.00: end the command with PIN and the PIN";
    const char* const not_yours = "NOPERM this hold is for the payee or a till to end";
    EXPECT_EQ(judge("alice", no_pin), "");
    EXPECT_EQ(judge("alice", not_yours), "");
    EXPECT_EQ(judge("bob", not_yours), "");
    EXPECT_NE(judge("bob", no_pin).find(not_yours), std::string::npos);
    EXPECT_NE(judge("alice", "FUNDS there is too little").find(no_pin), std::string::npos);
}

TEST(OraclePeople, AMovementWithoutItsPinIsNoEntry) {
    Kiosk one;
    one.oracle.bounds["kiosk"].pin_above = 100;
    one.pay(101, 5);
    EXPECT_NE(one.judge().find("a PIN is needed above 1.00"), std::string::npos);
}

}  // namespace
