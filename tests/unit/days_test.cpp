// What a terminal moves in a day: by the local day of the entry, over midnight and changed clocks.
#include "ledger/days.h"

#include <gtest/gtest.h>
#include <string.h>

#include "unit/test_bank.h"

namespace {

constexpr uint64_t hour_ms = 3'600'000;
constexpr uint64_t day_ms = 24 * hour_ms;
constexpr uint64_t noon_ms = 20'778 * day_ms + 12 * hour_ms;  // UTC

// A bank with a kiosk at which 10.00 a day may be moved.
struct TestDays {
    TestDays() {
        test_create(bank.book, noon_ms);
        for (const char* name : {"alice", "bob"}) {
            EXPECT_EQ(test_add(bank.book, name, Role::customer, noon_ms), Status::ok);
        }
        commit();
    }
    ~TestDays() { disk.expect_same_again(bank.book); }
    std::vector<BookDone> commit() { return disk.commit(bank.book); }
    TestMove move(Operation operation, int64_t amount) {
        TestMove made = {.operation = operation, .amount = amount};
        made.debit = operation == Operation::deposit ? "cash" : "alice";
        made.credit = operation == Operation::withdraw ? "cash"
                      : operation == Operation::deposit ? "alice" : "bob";
        made.id = "m" + std::to_string(++count);
        made.person = "alice";
        made.terminal = "kiosk";
        made.day_max = 1000;
        made.wall_ms = now_ms;
        return made;
    }
    // Proposes, commits, and gives what became of it.
    Status book(const TestMove& made) {
        const Status status = test_move(bank.book, made);
        if (status != Status::ok) return status;
        last = commit().back().entry;
        return last.status;
    }
    Status deposit(int64_t amount) { return book(move(Operation::deposit, amount)); }
    TerminalDay day(const char* terminal = "kiosk") {
        const uint32_t row = ledger_find_terminal(bank.book.ledger, test_name(terminal));
        EXPECT_NE(row, row_none);
        EXPECT_EQ(bank.book.ledger.days[row].decided.total,
                  bank.book.ledger.days[row].installed.total);
        return bank.book.ledger.days[row].installed;
    }
    TestBook bank;
    TestDisk disk;
    Entry last;
    uint32_t count = 0;
    uint64_t now_ms = noon_ms;
};

}  // namespace

TEST(Days, ALocalDayBeginsAtLocalMidnight) {
    constexpr uint64_t midnight = 20'778 * day_ms;
    EXPECT_EQ(days_at(midnight - 1, 0), 20'777u);
    EXPECT_EQ(days_at(midnight, 0), 20'778u);
    EXPECT_EQ(days_at(midnight - hour_ms, 3600), 20'778u);
    EXPECT_EQ(days_at(midnight - hour_ms - 1, 3600), 20'777u);
    EXPECT_EQ(days_at(midnight + 5 * hour_ms - 1, -5 * 3600), 20'777u);
    EXPECT_EQ(days_at(midnight + 5 * hour_ms, -5 * 3600), 20'778u);
    // A board without a clock: no day before the first.
    EXPECT_EQ(days_at(0, 0), 1u);
    EXPECT_EQ(days_at(0, -86399), 1u);
    EXPECT_EQ(days_at(UINT64_MAX, 0), UINT32_MAX);
    EXPECT_DEATH(days_at(0, 86400), "utc_offset_s");
}

// The night in which clocks are set forward has 23 hours, and back 25; each is one day.
TEST(Days, ANightOfAnotherLengthIsStillOneDay) {
    constexpr uint64_t spring = 20'541 * day_ms;  // 2026-03-29: at 01:00 UTC +1 h becomes +2 h
    for (uint64_t at = 0; at < 24 * hour_ms; at += hour_ms / 2) {
        const int32_t offset = at < 1 * hour_ms ? 3600 : 7200;
        const uint32_t expected = at < 22 * hour_ms ? 20'541 : 20'542;
        EXPECT_EQ(days_at(spring + at, offset), expected) << at;
    }
    constexpr uint64_t autumn = 20'751 * day_ms;  // 2026-10-25: and back to +1 h
    for (uint64_t at = 0; at < 24 * hour_ms; at += hour_ms / 2) {
        const int32_t offset = at < 1 * hour_ms ? 7200 : 3600;
        const uint32_t expected = at < 23 * hour_ms ? 20'751 : 20'752;
        EXPECT_EQ(days_at(autumn + at, offset), expected) << at;
    }
}

TEST(Days, FitTheirTimeWithinOneDayOfUtc) {
    EXPECT_TRUE(days_fits_time(20'777, noon_ms));
    EXPECT_TRUE(days_fits_time(20'779, noon_ms));
    EXPECT_FALSE(days_fits_time(20'776, noon_ms));
    EXPECT_FALSE(days_fits_time(20'780, noon_ms));
    EXPECT_TRUE(days_is_past(5, noon_ms));
    EXPECT_FALSE(days_is_past(20'780, noon_ms));
    EXPECT_FALSE(days_is_past(0, noon_ms));
    EXPECT_TRUE(days_fits_time(1, 0));
    for (const int32_t offset : {-86399, -3600, 0, 1, 86399}) {
        for (const uint64_t time : {uint64_t{0}, uint64_t{1000}, day_ms - 1, noon_ms}) {
            EXPECT_TRUE(days_fits_time(days_at(time, offset), time));
        }
    }
}

// L3.
TEST(Days, ATotalStopsAtItsBound) {
    EXPECT_EQ(days_add(0, 5), 5);
    EXPECT_EQ(days_add(balance_minor_max - 5, 5), balance_minor_max);
    EXPECT_EQ(days_add(balance_minor_max - 4, 5), balance_minor_max);
    EXPECT_EQ(days_add(balance_minor_max, amount_minor_max), balance_minor_max);
}

TEST(Days, TheBoundHoldsToTheCentAndTheRefusalIsRemembered) {
    TestDays one;
    EXPECT_EQ(one.deposit(999), Status::ok);
    const TestMove two = one.move(Operation::deposit, 2);
    EXPECT_EQ(one.book(two), Status::limit);
    EXPECT_TRUE(one.last.movement.beyond_day);
    EXPECT_EQ(one.last.movement.day_total, 999);
    EXPECT_EQ(one.last.movement.day_max, 1000);
    EXPECT_EQ(one.last.movement.day, 20'778u);
    EXPECT_EQ(one.deposit(1), Status::ok);
    EXPECT_EQ(one.day().total, 1000);
    EXPECT_EQ(one.deposit(1), Status::limit);
    // P3: the first answer, although there would be room by now.
    one.now_ms += 2 * day_ms;
    EXPECT_EQ(one.deposit(1), Status::ok);
    IdRecord answer;
    EXPECT_EQ(test_move(one.bank.book, two, &answer), Status::replayed);
    EXPECT_EQ(answer.status, Status::limit);
    EXPECT_TRUE(answer.beyond_day);
    EXPECT_EQ(test_balance(one.bank.book, "alice"), 1001);
}

TEST(Days, OtherTerminalsAndNoTerminalHaveTheirOwn) {
    TestDays one;
    EXPECT_EQ(one.deposit(1000), Status::ok);
    TestMove other = one.move(Operation::deposit, 1000);
    other.terminal = "till";
    EXPECT_EQ(one.book(other), Status::ok);
    TestMove nowhere = one.move(Operation::deposit, 5000);
    nowhere.terminal = "";
    EXPECT_EQ(one.book(nowhere), Status::ok);
    EXPECT_EQ(one.last.movement.day, 0u) << "it counts for none";
    EXPECT_EQ(one.day("till").total, 1000);
    EXPECT_EQ(one.deposit(1), Status::limit);
    // Counted without a bound too, so that one that is set at noon knows of the morning.
    TestMove free = one.move(Operation::deposit, 300);
    free.day_max = 0;
    EXPECT_EQ(one.book(free), Status::ok);
    EXPECT_EQ(one.day().total, 1300);
}

TEST(Days, OnlyWhatMovesMoneyCounts) {
    TestDays one;
    EXPECT_EQ(one.deposit(500), Status::ok);
    TestMove hold = one.move(Operation::hold, 400);
    hold.expires_s = 3600;
    EXPECT_EQ(one.book(hold), Status::ok);
    EXPECT_EQ(entry_version(one.last), 1u);
    EXPECT_EQ(one.day().total, 500);
    TestMove capture = {.operation = Operation::capture, .id = "c", .person = "bob",
                        .terminal = "kiosk", .wall_ms = one.now_ms, .hold = 1, .whole = true};
    capture.day_max = 1000;
    EXPECT_EQ(one.book(capture), Status::ok);
    EXPECT_EQ(one.day().total, 900);
    EXPECT_EQ(one.book(one.move(Operation::transfer, 101)), Status::funds) << "the account first";
    EXPECT_EQ(one.day().total, 900);
    EXPECT_EQ(one.book(one.move(Operation::withdraw, 100)), Status::ok);
    EXPECT_EQ(one.day().total, 1000);
    const uint64_t paid = one.last.seq;
    TestMove reverse = {.operation = Operation::reverse, .debit = "alice", .credit = "cash",
                        .amount = 100, .id = "r", .person = "alice", .terminal = "kiosk",
                        .wall_ms = one.now_ms, .reversed = paid};
    EXPECT_EQ(one.book(reverse), Status::ok);
    EXPECT_EQ(one.day().total, 1000);
}

TEST(Days, MidnightBeginsAnewAndNoClockGoesBackOverIt) {
    TestDays one;
    one.bank.book.utc_offset_s = 2 * 3600;
    one.now_ms = 20'778 * day_ms + 22 * hour_ms - 1000;  // 23:59:59 of local time
    EXPECT_EQ(one.deposit(1000), Status::ok);
    EXPECT_EQ(one.day().day, 20'778u);
    EXPECT_EQ(one.deposit(1), Status::limit);
    one.now_ms += 1000;
    EXPECT_EQ(one.deposit(600), Status::ok);
    EXPECT_EQ(one.day().day, 20'779u);
    EXPECT_EQ(one.day().total, 600);
    // L1: clocks are set back at midnight, so it is yesterday again for an hour.
    one.bank.book.utc_offset_s = 3600;
    one.now_ms += 1000;
    EXPECT_EQ(one.deposit(401), Status::limit);
    EXPECT_EQ(one.deposit(400), Status::ok);
    EXPECT_EQ(one.day().day, 20'779u);
    EXPECT_EQ(one.day().total, 1000);
}

TEST(Days, TheDayIsThatOfTheBatchNotOfTheRequest) {
    TestDays one;
    TestMove first = one.move(Operation::deposit, 1000);
    EXPECT_EQ(test_move(one.bank.book, first), Status::ok);
    one.now_ms += day_ms;
    TestMove second = one.move(Operation::deposit, 1000);  // In the batch that was opened before.
    EXPECT_EQ(test_move(one.bank.book, second), Status::ok);
    const std::vector<BookDone> done = one.commit();
    EXPECT_EQ(done[0].entry.kind, EntryKind::terminal);
    EXPECT_EQ(done[1].entry.status, Status::ok);
    EXPECT_EQ(done[2].entry.status, Status::limit);
    EXPECT_EQ(done[2].entry.movement.day, 20'778u);
}

TEST(Days, AGroupIsWithinTheBoundAsAWholeOrNotAtAll) {
    TestDays one;
    EXPECT_EQ(one.deposit(300), Status::ok);
    std::vector<TestMove> moves = {one.move(Operation::deposit, 400),
                                   one.move(Operation::transfer, 300),
                                   one.move(Operation::deposit, 1)};
    EXPECT_EQ(test_group(one.bank.book, moves), Status::ok);
    std::vector<BookDone> done = one.commit();
    ASSERT_EQ(done.size(), 3u);
    const Status expected[] = {Status::execabort, Status::execabort, Status::limit};
    for (uint32_t i = 0; i < 3; i++) {
        EXPECT_EQ(done[i].entry.status, expected[i]) << i;
        EXPECT_EQ(done[i].entry.movement.day_total, 300) << i;
        EXPECT_EQ(done[i].entry.movement.beyond_day, i == 2) << i;
    }
    EXPECT_EQ(one.day().total, 300);
    moves = {one.move(Operation::deposit, 400), one.move(Operation::transfer, 300)};
    EXPECT_EQ(test_group(one.bank.book, moves), Status::ok);
    done = one.commit();
    EXPECT_EQ(done[1].entry.status, Status::ok);
    EXPECT_EQ(one.day().total, 1000);
}

TEST(Days, WhatAFailedBatchMovedDoesNotCount) {
    TestDays one;
    EXPECT_EQ(one.deposit(300), Status::ok);
    EXPECT_EQ(test_move(one.bank.book, one.move(Operation::deposit, 600)), Status::ok);
    LogWrite write;
    ASSERT_TRUE(book_write_next(one.bank.book, write));
    book_write_done(one.bank.book, Status::failed);
    BookDone done;
    while (book_commit_next(one.bank.book, done)) EXPECT_FALSE(done.durable);
    EXPECT_EQ(one.day().total, 300);
}

TEST(Days, ASnapshotShowsTheDayAsItWas) {
    TestDays one;
    EXPECT_EQ(one.deposit(300), Status::ok);
    const TestTables before = test_tables(one.bank.book);
    EXPECT_EQ(before.tables[static_cast<uint32_t>(TableName::days)], "kiosk:20778:3.00:0\n");
    book_snapshot_begin(one.bank.book);
    EXPECT_EQ(one.deposit(300), Status::ok);
    const TestTables late = test_tables_of(one.bank.book.snapshot, one.bank.book.ledger);
    EXPECT_EQ(late.tables, before.tables);
    EXPECT_EQ(late.manifest, before.manifest);
}

TEST(Days, RegistrationsAreCountedByTerminalAndDay) {
    TestDays one;
    Book& book = one.bank.book;
    const PasswordRecord record = {1, {'x'}};
    const auto add = [&](const std::string& name, const char* terminal, uint32_t most) {
        const Status status =
            book_register(book, one.now_ms, row_none, test_name(terminal), test_name(name), record,
                          most, book_tag_none);
        one.commit();
        return status;
    };
    EXPECT_TRUE(book_may_register(book, one.now_ms, test_name("kiosk"), 2));
    EXPECT_EQ(add("p1", "kiosk", 2), Status::ok);
    EXPECT_EQ(add("p1", "kiosk", 2), Status::exists);
    EXPECT_EQ(one.deposit(700), Status::ok);
    EXPECT_EQ(add("p2", "kiosk", 2), Status::ok);
    EXPECT_EQ(one.day().registered, 2u);
    EXPECT_EQ(one.day().total, 700);
    EXPECT_FALSE(book_may_register(book, one.now_ms, test_name("kiosk"), 2));
    EXPECT_EQ(add("p3", "kiosk", 2), Status::limit);
    EXPECT_EQ(ledger_find_person(book.ledger, test_name("p3")), row_none);
    EXPECT_EQ(add("p3", "door", 2), Status::ok);
    // An admin's are not counted.
    EXPECT_EQ(book_add_person(book, one.now_ms, row_none, test_name("kiosk"), test_name("p4"),
                              Role::customer, record, PasswordTerm::lasting, book_tag_none),
              Status::ok);
    one.commit();
    EXPECT_EQ(one.day().registered, 2u);
    one.now_ms += day_ms;
    EXPECT_TRUE(book_may_register(book, one.now_ms, test_name("kiosk"), 2));
    EXPECT_EQ(add("p5", "kiosk", 2), Status::ok);
    EXPECT_EQ(one.day().registered, 1u);
    EXPECT_EQ(one.day().total, 0);
    const uint32_t days = static_cast<uint32_t>(TableName::days);
    EXPECT_EQ(test_tables(book).tables[days], "kiosk:20779:0.00:1\ndoor:20778:0.00:1\n");
}

TEST(Days, RowsThatWereNeverWrittenAreRefused) {
    TestDays one;
    EXPECT_EQ(one.deposit(300), Status::ok);
    TestMove other = one.move(Operation::deposit, 5);
    other.terminal = "till";
    EXPECT_EQ(one.book(other), Status::ok);
    const uint32_t days = static_cast<uint32_t>(TableName::days);
    const TestTables good = test_tables(one.bank.book);
    for (const char* rows :
         {"till:20778:0.05:0\nkiosk:20778:3.00:0\n",   // out of order
          "kiosk:20778:3.00:0\nkiosk:20778:3.00:0\n", "kiosk:0:3.00:0\n", "door:20778:3.00:0\n",
          "kiosk:20778:-3.00:0\n", "kiosk:20778:3:0\n", "kiosk:20778:3.00:4294967296\n",
          "kiosk:4294967296:3.00:0\n", "kiosk:20778:3.00\n", "kiosk:20778:3.00:0:\n",
          "kiosk:20778:40000000000000000.01:0\n",
          "kiosk:20780:3.00:0\n"}) {  // L2: from a day still to come
        TestTables bad = good;
        bad.tables[days] = rows;
        TestBook loaded;
        EXPECT_EQ(test_load(loaded.book, bad), Status::damaged) << rows;
    }
}

TEST(Days, InstallsNoTotalThatDoesNotFollow) {
    TestDays one;
    EXPECT_EQ(one.deposit(300), Status::ok);
    Ledger& ledger = one.bank.book.ledger;
    Entry good = one.last;
    good.seq++;
    good.movement.id = {1, {'q'}};
    good.movement.debit_after = -305;
    good.movement.credit_after = 305;
    good.movement.amount = 5;
    good.movement.debit_previous = ledger.accounts[good.movement.debit].installed.last;
    good.movement.credit_previous = ledger.accounts[good.movement.credit].installed.last;
    good.movement.asker_previous = ledger.asked[good.person].installed.last;
    good.movement.day_total = 305;
    const auto installs = [&](auto change) {
        Entry entry = good;
        change(entry);
        return ledger_install(ledger, entry, position_of(1, 90'000), InstallMode::replay);
    };
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.day_total++; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.terminal = 9; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.day--; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) {
                  entry.movement.day += 2;
                  entry.movement.day_total = 5;
              }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) {
                  entry.status = Status::limit;
                  entry.movement.beyond_day = true;
                  entry.movement.debit_after = -300;
                  entry.movement.credit_after = 300;
                  entry.movement.debit_previous = entry.movement.credit_previous = 0;
                  entry.movement.day_total = 300;
              }), Status::damaged) << "the bound would have been kept";
    EXPECT_EQ(installs([](Entry& entry) {
                  entry.movement.day++;
                  entry.movement.day_total = 5;
              }), Status::ok);
    EXPECT_EQ(one.day().total, 5);
    // What was forged here is in no batch.
    ledger.seq_installed = one.last.seq;
    one.disk.batches.clear();
    test_create(one.bank.book, noon_ms);
    one.commit();
}
