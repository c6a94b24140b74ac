// The oracle of the simulated board: it takes a right book, and no book that differs in anything.

#include "sim/oracle.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace {

using sim::Ask;
using sim::Change;
using sim::Move;
using sim::Oracle;
using sim::Seen;
using sim::StatementLine;

constexpr uint64_t first_entry = 10;  // what is before it made the bank

// A book at a quiet point, and what was asked and answered on the way to it.
struct Book {
    Oracle oracle;
    Seen seen;
    uint64_t tick = 0;
    uint64_t time_ms = 0;

    Book() {
        oracle.roles = {{"alice", "customer"}, {"bob", "customer"}, {"till", "till"},
                        {"theo", "treasurer"}};
        oracle.open("cash", "", -sim::oracle_unbounded, sim::oracle_unbounded);
        oracle.open("shop", "", -sim::oracle_unbounded, sim::oracle_unbounded);
        oracle.open("alice", "alice", 0, sim::oracle_unbounded);
        oracle.open("bob", "bob", 0, sim::oracle_unbounded);
        seen.head = first_entry - 1;
        seen.others_max = first_entry - 1;
    }
    Ask& ask(const std::string& person, const Move& move) {
        Ask made;
        made.person = person;
        made.terminal = person == "till" ? "till-1" : "kiosk";
        made.moves = {move};
        made.moves[0].id = "id-" + std::to_string(oracle.asks.size());
        made.sent = ++tick;
        made.answered = ++tick;
        oracle.asks.push_back(made);
        return oracle.asks.back();
    }
    void book(const std::string& person, const Move& move, int64_t balance, uint64_t hold = 0,
              const std::string& account = "") {
        ask(person, move).booked = {{++seen.head, balance, hold, account}};
        time_ms += 1000;
    }
    void refuse(const std::string& person, const Move& move, const std::string& text) {
        ask(person, move).refusal = text;
        seen.head++;
        seen.refused++;
    }
    // A line of the newest entry.
    StatementLine& line(const std::string& account, const std::string& operation, int64_t amount,
                        int64_t balance, const std::string& other) {
        std::vector<StatementLine>& lines = seen.lines[account];
        lines.insert(lines.begin(), {seen.head, time_ms, operation, amount, balance, other, 0, 0,
                                     ""});
        return lines.front();
    }
    void list(const std::string& account, const std::string& owner, int64_t balance,
              int64_t held = 0) {
        const int64_t floor = owner.empty() ? -sim::oracle_unbounded : 0;
        seen.accounts.push_back(
            {account, owner, balance, held, floor, sim::oracle_unbounded, false});
    }
    std::string judge() {
        std::string why;
        return oracle.judge(seen, why) ? "right" : why;
    }
};

// Money comes in, goes on, is held and captured; one movement is reversed and one refused.
Book right_book() {
    Book book;
    book.book("till", {.operation = "deposit", .debit = "cash", .credit = "alice", .amount = 10000},
              10000);
    book.line("cash", "deposit", -10000, -10000, "alice");
    book.line("alice", "deposit", 10000, 10000, "cash");
    book.book("alice",
              {.operation = "transfer", .debit = "alice", .credit = "bob", .amount = 3000,
               .memo = "beer"},
              7000);
    book.line("alice", "transfer", -3000, 7000, "bob").memo = "beer";
    book.line("bob", "transfer", 3000, 3000, "alice").memo = "beer";
    book.book("alice",
              {.operation = "hold", .debit = "alice", .credit = "bob", .amount = 2000,
               .expires_s = 60},
              7000, 1);
    book.line("alice", "hold", 0, 7000, "bob").hold = 1;
    book.book("bob", {.operation = "capture", .amount = 1500, .hold = 1}, 4500, 1);
    book.line("alice", "capture", -1500, 5500, "bob").hold = 1;
    book.line("bob", "capture", 1500, 4500, "alice").hold = 1;
    book.book("theo", {.operation = "reverse", .reversed = first_entry + 1}, 8500, 0, "alice");
    book.line("alice", "reverse", 3000, 8500, "bob").reversed = first_entry + 1;
    book.line("bob", "reverse", -3000, 1500, "alice").reversed = first_entry + 1;
    book.refuse("alice",
                {.operation = "transfer", .debit = "alice", .credit = "bob", .amount = 100000},
                "FUNDS the balance is 85.00, not enough for 1000.00");
    book.oracle.shown.push_back({"bob", 1500, book.tick + 1, book.tick + 2});
    book.list("cash", "", -10000);
    book.list("shop", "", 0);
    book.list("alice", "alice", 8500);
    book.list("bob", "bob", 1500);
    return book;
}

struct Lie {
    const char* said;  // in the oracle's sentence
    std::function<void(Book&)> tell;
};

// Entries by their place in right_book.
constexpr uint64_t transfer_entry = first_entry + 1;

StatementLine& line_of(Book& book, const std::string& account, uint64_t entry) {
    for (StatementLine& line : book.seen.lines[account]) {
        if (line.entry == entry) return line;
    }
    ADD_FAILURE() << account << " has no entry " << entry;
    return book.seen.lines[account].front();
}

void forget_line(Book& book, const std::string& account, uint64_t entry) {
    std::vector<StatementLine>& lines = book.seen.lines[account];
    std::erase_if(lines, [entry](const StatementLine& line) { return line.entry == entry; });
}

// The newest entry, which nobody asked for, is the transfer once more.
void transfer_twice(Book& book) {
    book.seen.head++;
    book.line("alice", "transfer", -3000, 5500, "bob").memo = "beer";
    book.line("bob", "transfer", 3000, 4500, "alice").memo = "beer";
    book.seen.accounts[2].balance = 5500;
    book.seen.accounts[3].balance = 4500;
}

const Lie lies[] = {
    {"is missing in the statement of", [](Book& b) { forget_line(b, "bob", transfer_entry); }},
    {"not in the book", [](Book& b) { b.seen.head = transfer_entry - 1; }},
    {"that nobody was answered about", transfer_twice},
    {"says balance", [](Book& b) { b.oracle.asks[1].booked[0].balance++; }},
    {"another hold", [](Book& b) { b.oracle.asks[2].booked[0].hold = 2; }},
    {"names account", [](Book& b) { b.oracle.asks[4].booked[0].account = "bob"; }},
    {"the answer to two requests", [](Book& b) { b.oracle.asks[2].booked[0].entry--; }},
    {"moved 30.01", [](Book& b) { line_of(b, "bob", transfer_entry).amount++; }},
    {"left 30.01", [](Book& b) { line_of(b, "bob", transfer_entry).balance++; }},
    {"names shop", [](Book& b) { line_of(b, "bob", transfer_entry).other = "shop"; }},
    {"is a deposit", [](Book& b) { line_of(b, "bob", transfer_entry).operation = "deposit"; }},
    {"another memo", [](Book& b) { line_of(b, "bob", transfer_entry).memo = ""; }},
    {"reverses another", [](Book& b) { line_of(b, "bob", first_entry + 4).reversed--; }},
    {"older than those before", [](Book& b) { line_of(b, "bob", first_entry + 4).time_ms = 1; }},
    {"after a later entry had been answered",
     [](Book& b) { b.oracle.asks[1].sent = b.oracle.asks[2].answered; }},
    {"should have been refused: FUNDS",
     [](Book& b) { b.oracle.asks[1].moves[0].amount = 10001; }},
    {"should have been refused: NOPERM", [](Book& b) { b.oracle.asks[1].person = "bob"; }},
    {"should have been refused: STATE", [](Book& b) { b.oracle.asks[3].moves[0].hold = 2; }},
    {"should have been refused: AMOUNT", [](Book& b) { b.oracle.asks[3].moves[0].amount = 2001; }},
    {"it should be ''", [](Book& b) { b.oracle.asks[5].moves[0].amount = 8500; }},
    {"it should be 'FUNDS the balance is 85.00",
     [](Book& b) { b.oracle.asks[5].refusal = "FUNDS the balance is 84.99, not enough for 1000.00"; }},
    {"which it never was", [](Book& b) { b.oracle.shown[0].balance++; }},
    {"new entries", [](Book& b) { b.seen.others_max--; }},
    {"the balance is 85.01", [](Book& b) { b.seen.accounts[2].balance++; }},
    {"is held", [](Book& b) { b.seen.accounts[2].held++; }},
    {"other bounds", [](Book& b) { b.seen.accounts[2].floor--; }},
    {"belongs to alice", [](Book& b) { b.seen.accounts[3].owner = "alice"; }},
    {"is open, or is not", [](Book& b) { b.seen.accounts[3].closed = true; }},
    {"nobody opened", [](Book& b) { b.seen.accounts[3].account = "carol"; }},
    {"accounts, not", [](Book& b) { b.seen.accounts.pop_back(); }},
    {"was closed although",
     [](Book& b) {
         b.oracle.changes.push_back({Change::Kind::close, "bob", "", 0, 0, b.tick + 1, b.tick + 2});
         b.seen.accounts[3].closed = true;
     }},
};

}  // namespace

TEST(Oracle, TakesARightBook) {
    Book book = right_book();
    EXPECT_EQ(book.judge(), "right");
    EXPECT_EQ(book.oracle.entries, 5u);
    EXPECT_EQ(book.oracle.judged, book.seen.head);
    EXPECT_EQ(book.oracle.balance_of("alice"), 8500);
}

TEST(Oracle, TakesNoBookThatDiffersInAnything) {
    for (const Lie& lie : lies) {
        Book book = right_book();
        lie.tell(book);
        EXPECT_NE(book.judge().find(lie.said), std::string::npos) << lie.said << ": "
                                                                  << book.judge();
    }
}

// A hold of 60 seconds, and what is booked after it.
Book held_book(uint64_t released_ms) {
    Book book;
    book.book("till", {.operation = "deposit", .debit = "cash", .credit = "alice", .amount = 10000},
              10000);
    book.line("cash", "deposit", -10000, -10000, "alice");
    book.line("alice", "deposit", 10000, 10000, "cash");
    book.book("alice",
              {.operation = "hold", .debit = "alice", .credit = "bob", .amount = 2000,
               .expires_s = 60},
              10000, 1);
    book.line("alice", "hold", 0, 10000, "bob").hold = 1;
    if (released_ms > 0) {
        book.seen.head++;
        book.time_ms = released_ms;
        book.line("alice", "release", 0, 10000, "bob").hold = 1;
    }
    book.time_ms = 90'000;
    book.book("alice", {.operation = "transfer", .debit = "alice", .credit = "bob", .amount = 9000},
              1000);
    book.line("alice", "transfer", -9000, 1000, "bob");
    book.line("bob", "transfer", 9000, 9000, "alice");
    book.list("cash", "", -10000);
    book.list("shop", "", 0);
    book.list("alice", "alice", 1000);
    book.list("bob", "bob", 9000);
    return book;
}

// O5.
TEST(Oracle, KnowsWhenAHoldMustBeReleased) {
    EXPECT_EQ(held_book(62'000).judge(), "right");
    EXPECT_NE(held_book(61'999).judge().find("before its time"), std::string::npos);
    EXPECT_NE(held_book(0).judge().find("should have been refused: FUNDS"), std::string::npos);
}

// What comes after a group is not there yet when its second movement is judged.
TEST(Oracle, JudgesAGroupByTheBookBeforeIt) {
    Book book;
    book.book("till", {.operation = "deposit", .debit = "cash", .credit = "alice", .amount = 10000},
              10000);
    book.line("cash", "deposit", -10000, -10000, "alice");
    book.line("alice", "deposit", 10000, 10000, "cash");
    book.book("alice",
              {.operation = "hold", .debit = "alice", .credit = "bob", .amount = 2000,
               .expires_s = 60},
              10000, 1);
    book.line("alice", "hold", 0, 10000, "bob").hold = 1;
    Ask& group = book.ask("till", {.operation = "deposit", .debit = "cash", .credit = "alice",
                                   .amount = 1});
    group.moves.push_back({.operation = "capture", .id = "second", .amount = 2001, .hold = 1});
    group.is_group = true;
    group.refusal = "EXECABORT 2 AMOUNT the hold has less than that";
    book.book("bob", {.operation = "capture", .amount = 2000, .hold = 1}, 2000, 1);
    book.line("alice", "capture", -2000, 8000, "bob").hold = 1;
    book.line("bob", "capture", 2000, 2000, "alice").hold = 1;
    book.list("cash", "", -10000);
    book.list("shop", "", 0);
    book.list("alice", "alice", 8000);
    book.list("bob", "bob", 2000);
    EXPECT_EQ(book.judge(), "right");
}

TEST(Oracle, ReadsAndWritesAmounts) {
    for (const int64_t minor : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{100}, int64_t{-12345}}) {
        int64_t again = 7;
        EXPECT_TRUE(sim::oracle_minor(sim::oracle_amount(minor), again));
        EXPECT_EQ(again, minor);
    }
    EXPECT_EQ(sim::oracle_amount(-5), "-0.05");
    int64_t out = 0;
    for (const char* text : {"", "1", "1.0", "1.000", ".50", "-.50", "1.0x", "--1.00"}) {
        EXPECT_FALSE(sim::oracle_minor(text, out)) << text;
    }
}
