// Holds: money reserved first and moved later, against a model kept on paper.

#include "unit/test_bank.h"

#include <map>

namespace {

struct PaperHold {
    std::string debit;
    std::string credit;
    int64_t amount;
    uint64_t expiry_ms;
};

// What an obviously right bank would do with holds.
struct Paper {
    std::map<std::string, int64_t> balances;
    std::map<uint64_t, PaperHold> holds;
    uint64_t given = 0;

    int64_t held(const std::string& name) const {
        int64_t sum = 0;
        for (const auto& [number, hold] : holds) {
            if (hold.debit == name) sum += hold.amount;
        }
        return sum;
    }
    void release(const std::string& name, uint64_t now_ms) {
        std::erase_if(holds, [&](const auto& row) {
            return row.second.debit == name && row.second.expiry_ms <= now_ms;
        });
    }
};

struct Written {
    std::vector<std::string> batches;
    static Status keep(void* context, const LogWrite& write) {
        const uint8_t* data = write.bytes.data;
        static_cast<Written*>(context)->batches.emplace_back(
            reinterpret_cast<const char*>(data), write.bytes.size);
        return Status::ok;
    }
};

struct HoldBank {
    explicit HoldBank(const LedgerLimits& limits = test_limits) : one(limits) {
        test_create(one.book);
        for (const char* name : {"alice", "bob", "carol"}) {
            EXPECT_EQ(test_add(one.book, name), Status::ok);
        }
        commit();
        for (const char* name : {"alice", "bob"}) {
            EXPECT_EQ(test_move(one.book, {.operation = Operation::deposit,
                                           .debit = "cash",
                                           .credit = name,
                                           .amount = 10'000,
                                           .id = std::string("d-") + name}),
                      Status::ok);
            paper.balances[name] = 10'000;
        }
        commit();
    }
    std::vector<BookDone> commit() { return test_commit(one.book, Written::keep, &disk); }
    Status hold(const std::string& id, int64_t amount, uint32_t expires_s = 3600,
                uint64_t wall_ms = 1000) {
        return test_move(one.book, {.operation = Operation::hold,
                                    .debit = "alice",
                                    .credit = "bob",
                                    .amount = amount,
                                    .id = id,
                                    .wall_ms = wall_ms,
                                    .expires_s = expires_s});
    }
    Status end(const std::string& id, Operation operation, uint64_t number, int64_t amount = 0,
               uint64_t wall_ms = 1000) {
        return test_move(one.book, {.operation = operation,
                                    .amount = amount,
                                    .id = id,
                                    .wall_ms = wall_ms,
                                    .hold = number,
                                    .whole = amount == 0});
    }
    Status outcome() {
        const std::vector<BookDone> done = commit();
        EXPECT_FALSE(done.empty());
        return done.empty() ? Status::failed : done.back().entry.status;
    }
    int64_t held(const char* name) {
        const Ledger& ledger = one.book.ledger;
        return ledger.accounts[ledger_find_account(ledger, test_name(name))].installed.held;
    }
    TestBook one;
    Written disk;
    Paper paper;
};

}  // namespace

TEST(Holds, ReserveCaptureAndGiveFree) {
    HoldBank bank;
    ASSERT_EQ(bank.hold("h1", 4'000), Status::ok);
    ASSERT_EQ(bank.hold("h2", 6'000), Status::ok);
    ASSERT_EQ(bank.hold("h3", 1), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::funds);
    EXPECT_EQ(bank.held("alice"), 10'000);
    ASSERT_EQ(bank.end("c1", Operation::capture, 1, 2'500), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::ok);
    EXPECT_EQ(bank.held("alice"), 6'000);
    EXPECT_EQ(test_balance(bank.one.book, "alice"), 7'500);
    EXPECT_EQ(test_balance(bank.one.book, "bob"), 12'500);
    ASSERT_EQ(bank.end("v2", Operation::cancel, 2), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::ok);
    EXPECT_EQ(bank.held("alice"), 0);
    ASSERT_EQ(bank.end("v3", Operation::cancel, 2), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::state);
    EXPECT_EQ(bank.end("v4", Operation::capture, 1, 1), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::state);
    EXPECT_EQ(ledger_sum(bank.one.book.ledger), 0);
}

TEST(Holds, ExpireByTheTimeOfABatchAndByAnEntry) {
    HoldBank bank;
    ASSERT_EQ(bank.hold("h1", 10'000, 10, 1'000), Status::ok);
    bank.commit();
    // One millisecond before, it holds; at its time it does not.
    ASSERT_EQ(bank.end("c-early", Operation::capture, 1, 10'000, 10'999), Status::ok);
    EXPECT_EQ(bank.outcome(), Status::ok);
    HoldBank late;
    ASSERT_EQ(late.hold("h1", 10'000, 10, 1'000), Status::ok);
    late.commit();
    ASSERT_EQ(late.end("c-late", Operation::capture, 1, 10'000, 11'000), Status::ok);
    const std::vector<BookDone> done = late.commit();
    ASSERT_EQ(done.size(), 2u);
    EXPECT_EQ(done[0].entry.movement.operation, Operation::release);
    EXPECT_EQ(done[0].entry.person, row_none);
    EXPECT_EQ(done[1].entry.status, Status::expired);
    EXPECT_EQ(late.held("alice"), 0);
    EXPECT_EQ(test_balance(late.one.book, "alice"), 10'000);
}

TEST(Holds, FallBackWhenABatchFails) {
    HoldBank bank;
    ASSERT_EQ(bank.hold("h1", 4'000), Status::ok);
    bank.commit();
    const TestTables before = test_tables(bank.one.book);
    ASSERT_EQ(bank.hold("h2", 3'000), Status::ok);
    ASSERT_EQ(bank.end("c1", Operation::capture, 1, 1'000), Status::ok);
    test_commit(
        bank.one.book, [](void*, const LogWrite&) { return Status::failed; }, nullptr);
    const Ledger& ledger = bank.one.book.ledger;
    EXPECT_EQ(ledger.holds.pool.taken, 1u);
    EXPECT_TRUE(ledger.holds.pool.slots[holds_find(ledger.holds, 1)].decided);
    EXPECT_EQ(holds_find(ledger.holds, 2), pool_none);
    EXPECT_EQ(ledger.holds.given_decided, 1u);
    const TestTables after = test_tables(bank.one.book);
    EXPECT_EQ(after.tables, before.tables);
}

TEST(Holds, AnswerOomWhenTheTableIsFullAndRecover) {
    HoldBank bank;
    for (uint32_t i = 0; i < test_limits.holds; i++) {
        ASSERT_EQ(bank.hold("h" + std::to_string(i), 1), Status::ok);
    }
    EXPECT_EQ(bank.hold("one-more", 1), Status::oom);
    bank.commit();
    ASSERT_EQ(bank.end("v", Operation::cancel, 5), Status::ok);
    // The slot is free when the end is durable, not before.
    EXPECT_EQ(bank.hold("one-more", 1), Status::oom);
    bank.commit();
    EXPECT_EQ(bank.hold("one-more", 1), Status::ok);
}

// A group is judged and then booked: each of its holds is asked for once, and refused at no other
// time than the judgement.
TEST(Holds, OfAGroupAreAskedForOnce) {
    const auto move = [](const char* id) {
        return TestMove{.operation = Operation::hold,
                        .debit = "alice",
                        .credit = "bob",
                        .amount = 1,
                        .id = id,
                        .expires_s = 60};
    };
    for (uint64_t refused = 0; refused < 4; refused++) {
        HoldBank bank;
        Pool<Hold>& pool = bank.one.book.ledger.holds.pool;
        pool.refuse_at = refused;
        const Status expected = refused < 2 ? Status::oom : Status::ok;
        EXPECT_EQ(test_group(bank.one.book, {move("g1"), move("g2")}), expected) << refused;
        EXPECT_EQ(pool.takes, refused < 2 ? 0u : 2u) << refused;
        EXPECT_EQ(pool.taken, pool.takes);
    }
}

TEST(Holds, AgreeWithPaperAndReplayToTheSameTables) {
    for (uint32_t seed = 1; seed <= 60; seed++) {
        TestRandom random(seed);
        HoldBank bank;
        Paper& paper = bank.paper;
        uint64_t now_ms = 1000;
        const char* names[] = {"alice", "bob", "carol"};
        for (uint32_t i = 0; i < 80; i++) {
            now_ms += random.below(400);
            const std::string id = "r" + std::to_string(i);
            const std::string debit = names[random.below(3)];
            const std::string credit = names[random.below(3)];
            const int64_t amount = 1 + random.below(1500);
            const uint64_t number = 1 + random.below(static_cast<uint32_t>(paper.given + 1));
            const uint32_t choice = random.below(4);
            Status expected = Status::ok;
            TestMove move = {.amount = amount, .id = id, .wall_ms = now_ms};
            if (choice < 2) {
                if (debit == credit) continue;
                move.operation = choice == 0 ? Operation::hold : Operation::transfer;
                move.debit = debit;
                move.credit = credit;
                move.expires_s = choice == 0 ? 1 + random.below(5) : 0;
                paper.release(debit, now_ms);
                paper.release(credit, now_ms);
                if (paper.balances[debit] - paper.held(debit) < amount) expected = Status::funds;
                if (choice == 0 && expected == Status::ok &&
                    paper.holds.size() >= test_limits.holds) {
                    bank.commit();
                    continue;
                }
            } else {
                move.operation = choice == 2 ? Operation::capture : Operation::cancel;
                move.hold = number;
                move.whole = choice == 3;
                if (move.whole) move.amount = 0;
                const auto found = paper.holds.find(number);
                if (found == paper.holds.end()) {
                    expected = Status::state;
                } else {
                    const PaperHold hold = found->second;
                    if (hold.expiry_ms <= now_ms) {
                        expected = Status::expired;
                    } else if (choice == 2 && amount > hold.amount) {
                        expected = Status::amount;
                    }
                    paper.release(hold.debit, now_ms);
                    paper.release(hold.credit, now_ms);
                    if (expected == Status::ok) {
                        paper.holds.erase(number);
                        if (choice == 2) {
                            paper.balances[hold.debit] -= amount;
                            paper.balances[hold.credit] += amount;
                        }
                    }
                }
            }
            const Status status = test_move(bank.one.book, move);
            if (expected == Status::amount) {
                EXPECT_EQ(status, Status::amount) << seed << " " << i;
                bank.commit();
                continue;
            }
            ASSERT_EQ(status, Status::ok) << seed << " " << i;
            if (choice < 2 && expected == Status::ok) {
                if (choice == 0) {
                    paper.holds[++paper.given] = {debit, credit, amount,
                                                  now_ms + move.expires_s * 1000ull};
                } else {
                    paper.balances[debit] -= amount;
                    paper.balances[credit] += amount;
                }
            }
            // Each batch is committed at once, so that its time is the time of the move.
            EXPECT_EQ(bank.outcome(), expected) << seed << " " << i;
        }
        for (const char* name : names) {
            EXPECT_EQ(test_balance(bank.one.book, name), paper.balances[name]) << seed;
            EXPECT_EQ(bank.held(name), paper.held(name)) << seed;
        }
        EXPECT_EQ(ledger_sum(bank.one.book.ledger), 0);
        const TestTables lived = test_tables(bank.one.book);
        TestBook again;
        const uint8_t* first = reinterpret_cast<const uint8_t*>(bank.disk.batches[0].data());
        book_init(again.book, first + 16);  // The bank's id, as batch.h lays it out.
        for (const std::string& bytes : bank.disk.batches) {
            RecoveryBatch batch;
            ASSERT_EQ(batch_find(slice_of(bytes), nullptr, batch.header, batch.entries, batch.hash),
                      BatchFind::whole);
            uint64_t bad_seq = 0;
            ASSERT_EQ(book_replay(again.book, batch, bad_seq), Status::ok) << bad_seq;
        }
        const Ledger& ledger = again.book.ledger;
        EXPECT_EQ(ledger.holds.given_installed, paper.given);
        Snapshot snapshot = {};
        snapshot_begin(snapshot, again.book.ledger, {.entry = ledger.seq_installed});
        const TestTables replayed = test_tables_of(snapshot, again.book.ledger);
        EXPECT_EQ(replayed.tables, lived.tables) << seed;
    }
}
