#include "book.h"

#include <gtest/gtest.h>
#include <string.h>

#include <vector>

#include "unit/test_bank.h"

namespace {

// All batches that a book wrote, and replaying them into another one.
struct Written {
    std::vector<std::vector<uint8_t>> batches;

    static Status keep(void* context, const LogWrite& write) {
        Written& all = *static_cast<Written*>(context);
        all.batches.emplace_back(write.bytes.data, write.bytes.data + write.bytes.size);
        return Status::ok;
    }

    // Replays the first `count`, and opens the book behind them.
    Status replay(Book& book, size_t count) const {
        Recovery recovery;
        recovery_start(recovery, nullptr, 1, 0);
        for (size_t i = 0; i < count; i++) {
            RecoveryBatch batch;
            const Slice window = {batches[i].data(), static_cast<uint32_t>(batches[i].size())};
            const RecoveryFound found = recovery_judge(recovery, window, test_segment_size, batch);
            EXPECT_EQ(found, RecoveryFound::fits);
            if (found != RecoveryFound::fits) return Status::damaged;
            if (i == 0) book_init(book, batch.header.bank_id);
            uint64_t bad_seq = 0;
            const Status status = book_replay(book, batch, bad_seq);
            if (status != Status::ok) return status;
            recovery_install(recovery, batch);
        }
        LogStart start = {};
        memcpy(start.bank_id, recovery.bank_id, bank_id_size);
        start.segment = 1;
        start.offset = recovery.offset;
        start.segment_size = test_segment_size;
        start.salt = recovery.salt;
        start.batch_seq = recovery.batch_seq;
        start.entry_seq = recovery.entry_seq;
        start.time_ms = recovery.time_ms;
        start.chain = recovery.chain;
        book_open(book, start, UINT64_MAX);
        return Status::ok;
    }
};

struct TestBank {
    explicit TestBank(const LedgerLimits& limits = test_limits) : bank(limits) {
        test_create(bank.book);
        for (const char* name : {"alice", "bob"}) EXPECT_EQ(test_add(bank.book, name), Status::ok);
        commit();
    }
    Book& book() { return bank.book; }
    std::vector<BookDone> commit() { return test_commit(bank.book, Written::keep, &disk); }

    Status deposit(const std::string& id, uint32_t session = 0, int64_t amount = 10) {
        return test_move(bank.book, {.operation = Operation::deposit,
                                     .debit = "cash",
                                     .credit = "alice",
                                     .amount = amount,
                                     .id = id,
                                     .tag = {session, session + 1}});
    }

    TestBook bank;
    Written disk;
};

}  // namespace

TEST(Book, HandsTagsBackInTheOrderOfTheJournal) {
    TestBank one;
    for (uint32_t i = 0; i < 40; i++) EXPECT_EQ(one.deposit(std::to_string(i), i), Status::ok);
    LogWrite write;
    ASSERT_TRUE(book_write_next(one.book(), write));
    // What arrives meanwhile fills the next batch and is not mixed up with this one.
    for (uint32_t i = 40; i < 70; i++) EXPECT_EQ(one.deposit(std::to_string(i), i), Status::ok);
    EXPECT_FALSE(book_write_next(one.book(), write));
    uint32_t expected = 0;
    BookDone done;
    book_write_done(one.book(), Status::ok);
    while (book_commit_next(one.book(), done)) {
        EXPECT_TRUE(done.durable);
        EXPECT_EQ(done.tag.session, expected);
        EXPECT_EQ(done.tag.generation, expected + 1);
        EXPECT_EQ(done.entry.movement.credit_after, 10 * (expected + 1));
        expected++;
    }
    EXPECT_EQ(expected, 40u);
    EXPECT_EQ(test_balance(one.book(), "alice"), 400);
    ASSERT_TRUE(book_write_next(one.book(), write));
    book_write_done(one.book(), Status::ok);
    while (book_commit_next(one.book(), done)) EXPECT_EQ(done.tag.session, expected++);
    EXPECT_EQ(expected, 70u);
    EXPECT_EQ(test_balance(one.book(), "alice"), 700);
}

TEST(Book, HandsEveryTagBackAsNotDurableAfterAFailedWrite) {
    for (uint32_t filling : {0u, 1u, 5u}) {
        TestBank one;
        EXPECT_EQ(one.deposit("kept"), Status::ok);
        one.commit();
        for (uint32_t i = 0; i < 7; i++) {
            EXPECT_EQ(one.deposit("f" + std::to_string(i), i), Status::ok);
        }
        LogWrite write;
        ASSERT_TRUE(book_write_next(one.book(), write));
        for (uint32_t i = 7; i < 7 + filling; i++) {
            EXPECT_EQ(one.deposit("f" + std::to_string(i), i), Status::ok);
        }
        book_write_done(one.book(), Status::failed);
        BookDone done;
        uint32_t expected = 0;
        while (book_commit_next(one.book(), done)) {
            EXPECT_FALSE(done.durable);
            EXPECT_EQ(done.tag.session, expected++);
        }
        EXPECT_EQ(expected, 7 + filling);
        EXPECT_EQ(test_balance(one.book(), "alice"), 10);
        EXPECT_EQ(one.deposit("more"), Status::misconf);
        EXPECT_EQ(one.deposit("f0"), Status::misconf);
        EXPECT_FALSE(book_write_next(one.book(), write));
        IdRecord answer;
        EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit,
                                         .debit = "cash",
                                         .credit = "alice",
                                         .amount = 10,
                                         .id = "kept"},
                            &answer),
                  Status::replayed);
    }
}

TEST(Book, ShowsReadersNothingThatIsNotDurable) {
    TestBank one;
    EXPECT_EQ(one.deposit("a"), Status::ok);
    EXPECT_EQ(test_balance(one.book(), "alice"), 0);
    LogWrite write;
    ASSERT_TRUE(book_write_next(one.book(), write));
    EXPECT_EQ(test_balance(one.book(), "alice"), 0);
    book_write_done(one.book(), Status::ok);
    BookDone done;
    EXPECT_TRUE(book_commit_next(one.book(), done));
    EXPECT_EQ(test_balance(one.book(), "alice"), 10);
    EXPECT_FALSE(book_commit_next(one.book(), done));
}

TEST(Book, ReplaysToTheSameTablesAsItLived) {
    for (uint32_t seed = 1; seed <= 5; seed++) {
        TestRandom random(seed);
        TestBank one;
        const char* names[] = {"cash", "alice", "bob", "shop", "ghost"};
        for (uint32_t i = 0; i < 60; i++) {
            const uint32_t debit = random.below(5);
            ASSERT_EQ(test_move(one.book(), {.operation = static_cast<Operation>(1 + random.below(3)),
                                             .debit = names[debit],
                                             .credit = names[(debit + 1 + random.below(4)) % 5],
                                             .amount = 1 + random.below(100),
                                             .id = "i" + std::to_string(i),
                                             .person = i % 3 == 0 ? "bob" : "",
                                             .terminal = i % 4 == 0 ? "door" : "",
                                             .memo = i % 5 == 0 ? "memo" : "",
                                             .wall_ms = 1000 + i}),
                      Status::ok);
            if (random.below(5) == 0) one.commit();
        }
        one.commit();
        const TestTables lived = test_tables(one.book());
        TestBook other;
        ASSERT_EQ(one.disk.replay(other.book, one.disk.batches.size()), Status::ok);
        const TestTables replayed = test_tables(other.book);
        EXPECT_EQ(replayed.tables, lived.tables);
        EXPECT_EQ(replayed.manifest, lived.manifest);
    }
}

// P4: one journal, one digest, whatever was configured between.
TEST(Book, ReplaysToTheSameTablesWhateverTheLimitsWere) {
    const LedgerLimits small = {.accounts = 64, .ids = 8, .terminals = 8, .holds = 16, .reversible = 128,
    .message_keys = 8, .messages = 16, .mailbox = 4};
    TestBank one(small);
    for (uint32_t i = 0; i < 20; i++) EXPECT_EQ(one.deposit("s" + std::to_string(i)), Status::ok);
    one.commit();
    // The next start has room for more ids, and says so.
    TestBook wider;
    ASSERT_EQ(one.disk.replay(wider.book, one.disk.batches.size()), Status::ok);
    ASSERT_EQ(book_note_limits(wider.book, 2000), Status::ok);
    test_commit(wider.book, Written::keep, &one.disk);
    EXPECT_EQ(wider.book.ledger.ids.head - ids_first(wider.book.ledger.ids), 8u);
    for (uint32_t i = 0; i < 5; i++) {
        EXPECT_EQ(test_move(wider.book, {.operation = Operation::deposit,
                                         .debit = "cash",
                                         .credit = "bob",
                                         .amount = 1,
                                         .id = "w" + std::to_string(i)}),
                  Status::ok);
    }
    test_commit(wider.book, Written::keep, &one.disk);
    EXPECT_EQ(wider.book.ledger.ids.head - ids_first(wider.book.ledger.ids), 13u);
    const TestTables lived = test_tables(wider.book);
    TestBook again;
    ASSERT_EQ(one.disk.replay(again.book, one.disk.batches.size()), Status::ok);
    const TestTables replayed = test_tables(again.book);
    EXPECT_EQ(replayed.tables, lived.tables);
    EXPECT_EQ(replayed.manifest, lived.manifest);
}

TEST(Book, RefusesOfAnAskerWhoMayNotBeRefusedAgain) {
    TestBank one;
    TestMove move = {.operation = Operation::transfer,
                     .debit = "alice",
                     .credit = "bob",
                     .amount = 1,
                     .id = "poor",
                     .may_refuse = false};
    EXPECT_EQ(test_move(one.book(), move), Status::busy);
    EXPECT_TRUE(log_is_idle(one.book().log));
    move.may_refuse = true;
    EXPECT_EQ(test_move(one.book(), move), Status::ok);
}

TEST(Book, ChoosesAnIdThatNoClientCanSend) {
    TestBank one;
    EXPECT_EQ(one.deposit(""), Status::ok);
    EXPECT_EQ(one.deposit(""), Status::ok);
    const std::vector<BookDone> done = one.commit();
    ASSERT_EQ(done.size(), 2u);
    for (const BookDone& each : done) {
        const Id& id = each.entry.movement.id;
        EXPECT_EQ(std::string(id.text, id.size), "+" + std::to_string(each.entry.seq));
    }
}

TEST(Book, RefusesAPasswordForARecordThatMoved) {
    TestBank one;
    const uint32_t alice = ledger_find_person(one.book().ledger, test_name("alice"));
    PasswordRecord record = {3, {'n', 'e', 'w'}};
    const auto set = [&](uint32_t version) {
        return book_set_password(one.book(), 1000, alice, {}, alice, version, record,
                                 book_tag_none);
    };
    EXPECT_EQ(set(1), Status::ok);
    EXPECT_EQ(set(1), Status::state);
    one.commit();
    EXPECT_EQ(set(1), Status::state);
    EXPECT_EQ(set(2), Status::ok);
    one.commit();
    EXPECT_EQ(one.book().ledger.people[alice].texts.password.size, 3);
}

TEST(Book, KnowsATerminalByTheNumberOfItsFirstEntry) {
    TestBank one;
    const auto from = [&](const std::string& terminal, const std::string& id) {
        EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit,
                                         .debit = "cash",
                                         .credit = "alice",
                                         .amount = 1,
                                         .id = id,
                                         .terminal = terminal}),
                  Status::ok);
    };
    from("door", "1");
    from("bar", "2");
    from("door", "3");
    const std::vector<BookDone> done = one.commit();
    ASSERT_EQ(done.size(), 5u);
    EXPECT_EQ(done[0].entry.kind, EntryKind::terminal);
    EXPECT_EQ(done[1].entry.terminal, 0u);
    EXPECT_EQ(done[3].entry.terminal, 1u);
    EXPECT_EQ(done[4].entry.terminal, 0u);
}

TEST(Book, RefusesToReplayAnEntryWhoseTimeIsNotItsBatchs) {
    TestBank one;
    EXPECT_EQ(one.deposit("a"), Status::ok);
    one.commit();
    // Sealed anew with another time in the header, so that the batch itself is sound.
    std::vector<uint8_t>& bytes = one.disk.batches.back();
    BatchHeader header;
    Slice entries;
    Hash hash;
    ASSERT_EQ(batch_find({bytes.data(), static_cast<uint32_t>(bytes.size())}, nullptr, header,
                         entries, hash),
              BatchFind::whole);
    header.time_ms++;
    batch_seal(bytes.data(), header);
    TestBook other;
    EXPECT_EQ(one.disk.replay(other.book, one.disk.batches.size()), Status::damaged);
}
