#include "ledger/ledger.h"

#include <gtest/gtest.h>
#include <string.h>

#include <map>

#include "unit/test_bank.h"

namespace {

// What a person would keep on paper.
struct Model {
    std::map<std::string, int64_t> balances;

    Status judge(const TestMove& move) const {
        const auto debit = balances.find(move.debit);
        const auto credit = balances.find(move.credit);
        if (debit == balances.end() || credit == balances.end()) return Status::noacct;
        const bool is_open_ended = move.debit == "cash" || move.debit == "shop";
        if (!is_open_ended && debit->second < move.amount) return Status::funds;
        if (credit->second > balance_minor_max - move.amount) return Status::limit;
        return Status::ok;
    }

    void book(const TestMove& move) {
        balances[move.debit] -= move.amount;
        balances[move.credit] += move.amount;
    }
};

void expect_same(const Book& book, const Model& model) {
    int64_t sum = 0;
    for (const auto& [name, balance] : model.balances) {
        ASSERT_EQ(test_balance(book, name), balance) << name;
        sum += balance;
    }
    EXPECT_EQ(sum, 0);
    EXPECT_EQ(ledger_sum(book.ledger), 0);
}

void expect_decided_is_installed(const Ledger& ledger) {
    EXPECT_EQ(ledger.people_decided, ledger.people_installed);
    EXPECT_EQ(ledger.accounts_decided, ledger.accounts_installed);
    EXPECT_EQ(ledger.terminals_decided, ledger.terminals_installed);
    EXPECT_EQ(ledger.ids.head, ledger.ids_installed);
    for (uint32_t row = 0; row < ledger.accounts_installed; row++) {
        const Account& account = ledger.accounts[row];
        EXPECT_EQ(account.decided.balance, account.installed.balance) << row;
        EXPECT_EQ(account.decided.last, account.installed.last) << row;
    }
    for (uint32_t row = 0; row < ledger.people_installed; row++) {
        EXPECT_EQ(ledger.people[row].decided.version, ledger.people[row].installed.version);
    }
}

// A book with five people, `model` beside it.
struct TestLedger {
    TestLedger() {
        test_create(bank.book);
        model.balances = {{"cash", 0}, {"shop", 0}};
        for (const char* name : {"alice", "bob", "carol", "dave", "eve"}) {
            EXPECT_EQ(test_add(bank.book, name), Status::ok);
            model.balances[name] = 0;
        }
        test_commit(bank.book);
    }
    Book& book() { return bank.book; }
    Ledger& ledger() { return bank.book.ledger; }
    TestBook bank;
    Model model;
};

TestMove random_move(TestRandom& random, uint64_t number) {
    const char* names[] = {"cash", "shop", "alice", "bob", "carol", "dave", "eve", "nobody"};
    TestMove move;
    move.operation = static_cast<Operation>(1 + random.below(3));
    const uint32_t debit = random.below(8);
    move.debit = names[debit];
    move.credit = names[(debit + 1 + random.below(7)) % 8];
    move.amount = random.below(50) == 0 ? amount_minor_max : 1 + random.below(1000);
    move.id = "m" + std::to_string(number);
    if (random.below(3) == 0) move.memo = "for " + std::to_string(number);
    if (random.below(4) == 0) move.person = "alice";
    if (random.below(5) == 0) move.terminal = "till" + std::to_string(random.below(3));
    return move;
}

}  // namespace

TEST(Ledger, AgreesWithPaperOverARandomWalk) {
    for (uint32_t seed = 1; seed <= 8; seed++) {
        TestRandom random(seed);
        TestLedger one;
        uint32_t booked = 0;
        for (uint64_t i = 0; i < 1500; i++) {
            const TestMove move = random_move(random, i);
            const Status expected = one.model.judge(move);
            const Status status = test_move(one.book(), move);
            ASSERT_EQ(status, Status::ok) << "seed " << seed << " move " << i;
            if (expected == Status::ok) one.model.book(move);
            if (random.below(6) != 0) continue;
            for (const BookDone& done : test_commit(one.book())) {
                if (done.entry.kind == EntryKind::movement && done.entry.status == Status::ok) {
                    booked++;
                }
            }
            expect_same(one.book(), one.model);
        }
        test_commit(one.book());
        expect_same(one.book(), one.model);
        expect_decided_is_installed(one.ledger());
        EXPECT_GT(booked, 100u);
    }
}

TEST(Ledger, JournalsARefusalWithItsStatus) {
    TestLedger one;
    struct Row {
        TestMove move;
        Status status;
    };
    const Row rows[] = {
        {{.operation = Operation::transfer, .debit = "alice", .credit = "bob", .amount = 1, .id = "a"},
         Status::funds},
        {{.operation = Operation::transfer, .debit = "alice", .credit = "nobody", .amount = 1,
          .id = "b"},
         Status::noacct},
        {{.operation = Operation::withdraw, .debit = "nobody", .credit = "cash", .amount = 1,
          .id = "c"},
         Status::noacct},
    };
    for (const Row& row : rows) {
        ASSERT_EQ(test_move(one.book(), row.move), Status::ok);
        const std::vector<BookDone> done = test_commit(one.book());
        ASSERT_EQ(done.size(), 1u);
        EXPECT_EQ(done[0].entry.status, row.status);
        EXPECT_EQ(done[0].entry.movement.debit_previous, 0u);
        EXPECT_EQ(done[0].entry.movement.credit_previous, 0u);
    }
    expect_same(one.book(), one.model);
    EXPECT_EQ(one.ledger().accounts[2].installed.last, 0u);
}

TEST(Ledger, StopsAtFloorAndCeilingToTheCent) {
    TestLedger one;
    const auto move = [&](Operation operation, const char* debit, const char* credit,
                          int64_t amount, const char* id) {
        EXPECT_EQ(test_move(one.book(), {.operation = operation,
                                         .debit = debit,
                                         .credit = credit,
                                         .amount = amount,
                                         .id = id}),
                  Status::ok);
        return test_commit(one.book()).back().entry.status;
    };
    EXPECT_EQ(move(Operation::deposit, "cash", "alice", 100, "a"), Status::ok);
    EXPECT_EQ(move(Operation::transfer, "alice", "bob", 101, "b"), Status::funds);
    EXPECT_EQ(move(Operation::transfer, "alice", "bob", 100, "c"), Status::ok);
    EXPECT_EQ(move(Operation::transfer, "alice", "bob", 1, "d"), Status::funds);
    // At the ceiling: 4000 deposits of the largest amount, less what bob has.
    one.ledger().accounts[3].installed.balance = balance_minor_max - 5;
    one.ledger().accounts[3].decided.balance = balance_minor_max - 5;
    EXPECT_EQ(move(Operation::deposit, "cash", "bob", 6, "e"), Status::limit);
    EXPECT_EQ(move(Operation::deposit, "cash", "bob", 5, "f"), Status::ok);
    EXPECT_EQ(move(Operation::deposit, "cash", "bob", 1, "g"), Status::limit);
}

TEST(Ledger, CountsHeldMoneyAsSpent) {
    TestLedger one;
    AccountValues& alice = one.ledger().accounts[2].decided;
    alice.balance = 100;
    alice.held = 30;
    Movement movement = {};
    movement.operation = Operation::transfer;
    movement.person = row_none;
    movement.debit = 2;
    movement.credit = 3;
    movement.id = {1, {'x'}};
    const IdRecord* known = nullptr;
    Refusal refusal = {};
    movement.amount = 71;
    EXPECT_EQ(ledger_judge(one.ledger(), movement, known, refusal), Status::funds);
    movement.amount = 70;
    EXPECT_EQ(ledger_judge(one.ledger(), movement, known, refusal), Status::ok);
}

TEST(Ledger, AnswersAResendWithTheFirstAnswer) {
    TestLedger one;
    TestMove move = {.operation = Operation::deposit,
                     .debit = "cash",
                     .credit = "alice",
                     .amount = 700,
                     .id = "once",
                     .person = "bob",
                     .memo = "rent"};
    EXPECT_EQ(test_move(one.book(), move), Status::ok);
    IdRecord answer;
    EXPECT_EQ(test_move(one.book(), move, &answer), Status::pending);
    const BookDone done = test_commit(one.book()).back();
    EXPECT_EQ(test_move(one.book(), move, &answer), Status::replayed);
    EXPECT_EQ(answer.seq, done.entry.seq);
    EXPECT_EQ(answer.balance, 700);
    EXPECT_EQ(answer.status, Status::ok);
    EXPECT_EQ(answer.time_ms, done.entry.time_ms);
    EXPECT_TRUE(log_is_idle(one.book().log));
    // The same id of somebody else is another request.
    move.person = "alice";
    EXPECT_EQ(test_move(one.book(), move), Status::ok);
}

TEST(Ledger, AnswersAResendOfARefusalWithTheRefusal) {
    TestLedger one;
    const TestMove refused = {.operation = Operation::transfer,
                              .debit = "alice",
                              .credit = "bob",
                              .amount = 5,
                              .id = "poor"};
    const TestMove lost = {.operation = Operation::transfer,
                           .debit = "alice",
                           .credit = "frank",
                           .amount = 5,
                           .id = "lost"};
    EXPECT_EQ(test_move(one.book(), refused), Status::ok);
    EXPECT_EQ(test_move(one.book(), lost), Status::ok);
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit,
                                     .debit = "cash",
                                     .credit = "alice",
                                     .amount = 50,
                                     .id = "rich"}),
              Status::ok);
    EXPECT_EQ(test_add(one.book(), "frank"), Status::ok);
    test_commit(one.book());
    IdRecord answer;
    EXPECT_EQ(test_move(one.book(), refused, &answer), Status::replayed);
    EXPECT_EQ(answer.status, Status::funds);
    // The account that was missing has been opened since; the first answer holds.
    EXPECT_EQ(test_move(one.book(), lost, &answer), Status::replayed);
    EXPECT_EQ(answer.status, Status::noacct);
}

TEST(Ledger, NamesTheFieldInWhichAnIdDiffers) {
    TestLedger one;
    const TestMove first = {.operation = Operation::deposit,
                            .debit = "cash",
                            .credit = "alice",
                            .amount = 700,
                            .id = "x"};
    EXPECT_EQ(test_move(one.book(), first), Status::ok);
    test_commit(one.book());
    const auto differs = [&](auto change) {
        TestMove move = first;
        change(move);
        std::string field;
        EXPECT_EQ(test_move(one.book(), move, nullptr, &field), Status::exists);
        return field;
    };
    EXPECT_EQ(differs([](TestMove& move) { move.amount = 701; }), "amount");
    EXPECT_EQ(differs([](TestMove& move) { move.credit = "bob"; }), "account");
    EXPECT_EQ(differs([](TestMove& move) { move.credit = "nobody"; }), "account");
    EXPECT_EQ(differs([](TestMove& move) { move.memo = "m"; }), "memo");
    EXPECT_EQ(differs([](TestMove& move) { move.operation = Operation::transfer; }), "command");
    EXPECT_EQ(differs([](TestMove& move) { move.debit = "shop"; }), "account");
}

TEST(Ledger, FallsBackToWhatIsInstalledWhenABatchFails) {
    for (uint32_t seed = 1; seed <= 20; seed++) {
        TestRandom random(seed);
        TestLedger one;
        for (uint64_t i = 0; i < 100; i++) {
            EXPECT_EQ(test_move(one.book(), random_move(random, i)), Status::ok);
            if (i % 10 == 9) test_commit(one.book());
        }
        const TestTables before = test_tables(one.book());
        // One batch flies, the next one fills; then the disk says no.
        for (uint64_t i = 100; i < 120; i++) {
            EXPECT_EQ(test_move(one.book(), random_move(random, i)), Status::ok);
        }
        EXPECT_EQ(test_add(one.book(), "late"), Status::ok);
        LogWrite write;
        ASSERT_TRUE(book_write_next(one.book(), write));
        for (uint64_t i = 120; i < 140; i++) {
            EXPECT_EQ(test_move(one.book(), random_move(random, i)), Status::ok);
        }
        book_write_done(one.book(), Status::failed);
        BookDone done;
        while (book_commit_next(one.book(), done)) EXPECT_FALSE(done.durable);
        expect_decided_is_installed(one.ledger());
        EXPECT_EQ(ledger_find_person(one.ledger(), test_name("late")), row_none);
        EXPECT_EQ(ledger_find_account(one.ledger(), test_name("late")), row_none);
        const TestTables after = test_tables(one.book());
        EXPECT_EQ(after.manifest, before.manifest);
        EXPECT_EQ(after.tables, before.tables);
    }
}

TEST(Ledger, InstallsNothingThatDoesNotFitItsRows) {
    TestLedger one;
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit,
                                     .debit = "cash",
                                     .credit = "alice",
                                     .amount = 500,
                                     .id = "a"}),
              Status::ok);
    test_commit(one.book());
    Entry good;
    memset(&good, 0, sizeof good);
    good.kind = EntryKind::movement;
    good.person = 0;
    good.terminal = row_none;
    good.seq = one.ledger().seq_installed + 1;
    good.movement.operation = Operation::transfer;
    good.movement.debit = 2;
    good.movement.credit = 3;
    good.movement.amount = 100;
    good.movement.debit_after = 400;
    good.movement.credit_after = 100;
    good.movement.debit_previous = one.ledger().accounts[2].installed.last;
    good.movement.id = {1, {'q'}};
    const auto installs = [&](auto change) {
        Entry entry = good;
        change(entry);
        return ledger_install(one.ledger(), entry, position_of(1, 9000), InstallMode::replay);
    };
    EXPECT_EQ(installs([](Entry& entry) { entry.seq++; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.seq--; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.person = 5; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.debit = 7; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.credit = 7; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.credit = row_none; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.credit = 2; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.debit_after++; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.credit_after--; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.debit_previous = 0; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.movement.credit_previous = 1; }), Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) {
                  entry.movement.amount = 501;
                  entry.movement.debit_after = -1;
                  entry.movement.credit_after = 501;
              }),
              Status::damaged);
    EXPECT_EQ(installs([](Entry& entry) { entry.status = Status::funds; }), Status::damaged);
    EXPECT_EQ(installs([](Entry&) {}), Status::ok);
    EXPECT_EQ(test_balance(one.book(), "bob"), 100);
}

TEST(Ledger, AnswersOomWhenARowTableIsFull) {
    const LedgerLimits few = {.accounts = 4, .ids = 16, .terminals = 1, .holds = 1, .reversible = 64,
    .message_keys = 8, .messages = 16, .mailbox = 4};
    TestBook bank(few);
    test_create(bank.book);
    EXPECT_EQ(test_add(bank.book, "alice"), Status::ok);
    EXPECT_EQ(test_add(bank.book, "alice"), Status::exists);
    EXPECT_EQ(test_add(bank.book, "cash"), Status::err);
    EXPECT_EQ(test_add(bank.book, "bob"), Status::ok);
    EXPECT_EQ(test_add(bank.book, "carol"), Status::oom);
    TestMove move = {.operation = Operation::deposit,
                     .debit = "cash",
                     .credit = "bob",
                     .amount = 1,
                     .id = "1",
                     .terminal = "one"};
    EXPECT_EQ(test_move(bank.book, move), Status::ok);
    move.id = "2";
    move.terminal = "two";
    EXPECT_EQ(test_move(bank.book, move), Status::oom);
    move.terminal = "one";
    EXPECT_EQ(test_move(bank.book, move), Status::ok);
    test_commit(bank.book);
    EXPECT_EQ(test_balance(bank.book, "bob"), 2);
}
