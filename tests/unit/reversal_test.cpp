// REVERSE: what an entry moved comes back once, as far back as the window reaches.

#include <gtest/gtest.h>
#include <string.h>

#include "unit/test_bank.h"

namespace {

struct ReversalBank {
    explicit ReversalBank(const LedgerLimits& limits = test_limits) : one(limits) {
        test_create(book());
        for (const char* name : {"alice", "bob"}) EXPECT_EQ(test_add(book(), name), Status::ok);
        commit();
    }
    Book& book() { return one.book; }
    Ledger& ledger() { return one.book.ledger; }
    std::vector<BookDone> commit() { return disk.commit(book()); }
    // Books one movement and gives its entry.
    uint64_t pay(const std::string& id, const char* debit, const char* credit, int64_t amount) {
        EXPECT_EQ(test_move(book(), {.operation = Operation::transfer,
                                     .debit = debit,
                                     .credit = credit,
                                     .amount = amount,
                                     .id = id}),
                  Status::ok);
        const std::vector<BookDone> done = commit();
        EXPECT_EQ(done.back().entry.status, Status::ok);
        return done.back().entry.seq;
    }
    Status reverse(const std::string& id, uint64_t entry, const char* debit, const char* credit,
                   int64_t amount) {
        return test_move(book(), {.operation = Operation::reverse,
                                  .debit = debit,
                                  .credit = credit,
                                  .amount = amount,
                                  .id = id,
                                  .reversed = entry});
    }
    Status outcome() { return commit().back().entry.status; }
    TestBook one;
    TestDisk disk;
};

}  // namespace

TEST(Reversal, MovesBackOnceAndStaysSoInAReplayAndACheckpoint) {
    ReversalBank bank;
    const uint64_t entry = bank.pay("a", "cash", "alice", 500);
    ASSERT_EQ(bank.reverse("r1", entry, "cash", "alice", 500), Status::ok);
    // While the first one is in flight, another is refused by what is decided.
    ASSERT_EQ(bank.reverse("r2", entry, "cash", "alice", 500), Status::ok);
    const std::vector<BookDone> done = bank.commit();
    EXPECT_EQ(done[0].entry.status, Status::ok);
    EXPECT_EQ(done[0].entry.movement.reversed, entry);
    EXPECT_EQ(done[1].entry.status, Status::state);
    EXPECT_EQ(test_balance(bank.book(), "alice"), 0);
    ASSERT_EQ(bank.reverse("r3", entry, "cash", "alice", 500), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::state);

    TestBook again;
    ASSERT_EQ(bank.disk.replay(again.book, bank.disk.batches.size()), Status::ok);
    EXPECT_TRUE(reversals_is_set(again.book.ledger.reversals, entry));
    TestBook loaded;
    ASSERT_EQ(test_load(loaded.book, test_tables(bank.book())), Status::ok);
    EXPECT_TRUE(reversals_is_set(loaded.book.ledger.reversals, entry));
    EXPECT_FALSE(reversals_is_set(loaded.book.ledger.reversals, entry + 1));
    test_open(loaded.book, bank.book().log);
    EXPECT_EQ(test_move(loaded.book, {.operation = Operation::reverse,
                                      .debit = "cash",
                                      .credit = "alice",
                                      .amount = 500,
                                      .id = "r4",
                                      .reversed = entry}),
              Status::ok);
    EXPECT_EQ(test_commit(loaded.book).back().entry.status, Status::state);
}

TEST(Reversal, IsInReachUpToTheOldestEntryOfTheWindow) {
    for (const uint32_t window : {64u, 100u}) {
        for (const bool too_late : {false, true}) {
            LedgerLimits limits = test_limits;
            limits.reversible = window;
            ReversalBank bank(limits);
            const uint64_t entry = bank.pay("a", "cash", "alice", 500);
            // The request reaches the newest `window` entries that stand before it.
            const uint64_t newest = entry + window - (too_late ? 0 : 1);
            for (uint64_t seq = entry + 1; seq <= newest; seq++) {
                bank.pay("w" + std::to_string(seq), "cash", "bob", 1);
            }
            ASSERT_EQ(bank.reverse("r", entry, "cash", "alice", 500), Status::ok);
            EXPECT_EQ(bank.outcome(), too_late ? Status::expired : Status::ok);
            EXPECT_EQ(test_balance(bank.book(), "alice"), too_late ? 500 : 0);
            // What is refused once is refused again, and so is what has no accounts by now.
            IdRecord answer = {};
            EXPECT_EQ(test_move(bank.book(), {.operation = Operation::reverse,
                                              .id = "r",
                                              .reversed = entry},
                                &answer),
                      Status::replayed);
            EXPECT_EQ(answer.status, too_late ? Status::expired : Status::ok);
        }
    }
}

// Entries in flight count, although they are not installed.
TEST(Reversal, CountsTheWindowFromTheNewestEntryProposed) {
    LedgerLimits limits = test_limits;
    limits.reversible = 64;
    ReversalBank bank(limits);
    const uint64_t entry = bank.pay("a", "cash", "alice", 500);
    for (uint32_t i = 0; i < 64; i++) {
        ASSERT_EQ(test_move(bank.book(), {.operation = Operation::deposit,
                                          .debit = "cash",
                                          .credit = "bob",
                                          .amount = 1,
                                          .id = "f" + std::to_string(i)}),
                  Status::ok);
    }
    ASSERT_EQ(bank.reverse("r", entry, "cash", "alice", 500), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::expired);
    TestBook again(limits);
    EXPECT_EQ(bank.disk.replay(again.book, bank.disk.batches.size()), Status::ok);
}

// Each movement of a group stands behind those before it.
TEST(Reversal, CountsTheWindowWithinAGroupToo) {
    for (const bool too_late : {false, true}) {
        LedgerLimits limits = test_limits;
        limits.reversible = 64;
        ReversalBank bank(limits);
        const uint64_t entry = bank.pay("a", "cash", "alice", 500);
        const uint64_t newest = entry + 63 - (too_late ? 1 : 2);
        for (uint64_t seq = entry + 1; seq <= newest; seq++) {
            bank.pay("w" + std::to_string(seq), "cash", "bob", 1);
        }
        const TestMove gift = {.operation = Operation::deposit,
                               .debit = "cash",
                               .credit = "bob",
                               .amount = 1};
        std::vector<TestMove> moves(3, gift);
        moves[0].id = "g0";
        moves[1].id = "g1";
        moves[2] = {.operation = Operation::reverse,
                    .debit = "cash",
                    .credit = "alice",
                    .amount = 500,
                    .id = "g2",
                    .reversed = entry};
        ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
        EXPECT_EQ(bank.outcome(), too_late ? Status::expired : Status::ok);
        EXPECT_EQ(test_balance(bank.book(), "alice"), too_late ? 500 : 0);
    }
}

TEST(Reversal, IsRefusedLikeAnyMovement) {
    ReversalBank bank;
    const uint64_t in = bank.pay("in", "cash", "alice", 500);
    const uint64_t out = bank.pay("out", "alice", "bob", 200);
    // Alice has 300 left of the 500.
    ASSERT_EQ(bank.reverse("r1", in, "cash", "alice", 500), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::funds);
    EXPECT_FALSE(reversals_is_set(bank.ledger().reversals, in));
    // What moved nothing that can be moved back has no accounts.
    ASSERT_EQ(bank.reverse("r2", in, "", "", 0), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::state);
    const uint32_t alice = ledger_find_account(bank.ledger(), test_name("alice"));
    AccountValues values = bank.ledger().accounts[alice].decided;
    values.ceiling = 300;
    ASSERT_EQ(book_set_account(bank.book(), 1000, row_none, {}, alice, AccountOperation::limit,
                               values, book_tag_none),
              Status::ok);
    ASSERT_EQ(bank.reverse("r3", out, "alice", "bob", 200), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::limit);
    bank.pay("rest", "alice", "bob", 300);
    values = bank.ledger().accounts[alice].decided;
    values.state = AccountState::closed;
    ASSERT_EQ(book_set_account(bank.book(), 1000, row_none, {}, alice, AccountOperation::close,
                               values, book_tag_none),
              Status::ok);
    ASSERT_EQ(bank.reverse("r4", out, "alice", "bob", 200), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::closed);
    EXPECT_FALSE(reversals_is_set(bank.ledger().reversals, out));
}

TEST(Reversal, FallsBackWhenItsBatchFails) {
    ReversalBank bank;
    const uint64_t entry = bank.pay("a", "cash", "alice", 500);
    const TestTables before = test_tables(bank.book());
    ASSERT_EQ(bank.reverse("r1", entry, "cash", "alice", 500), Status::ok);
    EXPECT_TRUE(reversals_is_set(bank.ledger().reversals, entry));
    test_commit(bank.book(), [](void*, const LogWrite&) { return Status::failed; }, nullptr);
    EXPECT_FALSE(reversals_is_set(bank.ledger().reversals, entry));
    EXPECT_EQ(bank.ledger().reversals.pending_count, 0u);
    EXPECT_EQ(test_tables(bank.book()).manifest, before.manifest);
}

// P4: a start with less room, and one with more again, and one replay over all of it.
TEST(Reversal, GivesOneDigestWhateverTheRoomWas) {
    LedgerLimits limits = test_limits;
    limits.reversible = 200;
    ReversalBank bank(limits);
    std::vector<uint64_t> entries;
    const auto book_more = [&](Book& book, const std::string& prefix, uint32_t count) {
        for (uint32_t i = 0; i < count; i++) {
            EXPECT_EQ(test_move(book, {.operation = Operation::deposit,
                                       .debit = "cash",
                                       .credit = "alice",
                                       .amount = 5,
                                       .id = prefix + std::to_string(i)}),
                      Status::ok);
            entries.push_back(book.log.entry_proposed);
            if (i % 5 == 4) bank.disk.commit(book);
            if (i % 3 != 0) continue;
            const uint64_t entry = entries[entries.size() * (i % 7 + 1) / 8];
            EXPECT_EQ(test_move(book, {.operation = Operation::reverse,
                                       .debit = "cash",
                                       .credit = "alice",
                                       .amount = 5,
                                       .id = prefix + "r" + std::to_string(i),
                                       .reversed = entry}),
                      Status::ok);
        }
        bank.disk.commit(book);
    };
    book_more(bank.book(), "a", 150);
    Log log = bank.book().log;
    std::string manifest;
    for (const uint32_t room : {70u, 300u, 64u}) {
        limits.reversible = room;
        TestBook next(limits);
        ASSERT_EQ(bank.disk.replay(next.book, bank.disk.batches.size()), Status::ok);
        test_open(next.book, log);
        ASSERT_EQ(book_note_limits(next.book, 1000), Status::ok);
        bank.disk.commit(next.book);
        book_more(next.book, "x" + std::to_string(room), 60);
        log = next.book.log;
        manifest = test_tables(next.book).manifest;
        LedgerLimits widest = limits;
        widest.reversible = 1000;
        TestBook all(widest);
        ASSERT_EQ(bank.disk.replay(all.book, bank.disk.batches.size()), Status::ok);
        test_open(all.book, log);
        EXPECT_EQ(test_tables(all.book).manifest, manifest) << room;
        TestBook loaded(limits);
        ASSERT_EQ(test_load(loaded.book, test_tables(next.book)), Status::ok);
        test_open(loaded.book, log);
        EXPECT_EQ(test_tables(loaded.book).manifest, manifest) << room;
    }
}
