// The walk back through a person's requests: an id that the ring has lost is found, or is new.

#include "service/reading.h"

#include <gtest/gtest.h>

#include "unit/test_bank.h"

namespace {

constexpr LedgerLimits small_ring = {
    .accounts = 16, .ids = 8, .terminals = 4, .holds = 8, .reversible = 128,
    .message_keys = 8, .messages = 16, .mailbox = 4};

TestMove pay(const std::string& id, const std::string& person = "alice", int64_t amount = 10) {
    return {.operation = Operation::deposit,
            .debit = "cash",
            .credit = "bob",
            .amount = amount,
            .id = id,
            .person = person};
}

struct ReadBank {
    explicit ReadBank(const LedgerLimits& limits = small_ring) : one(limits) {
        test_create(one.book);
        for (const char* name : {"alice", "bob", "till"}) {
            EXPECT_EQ(test_add(one.book, name), Status::ok);
        }
        disk.commit(one.book);
    }
    Ledger& ledger() { return one.book.ledger; }
    void book(const TestMove& move) {
        ASSERT_EQ(test_move(one.book, move), Status::ok) << move.id;
        disk.commit(one.book);
    }
    // Other people's requests, until the ring holds nothing else.
    void make_busy() {
        for (uint32_t i = 0; i < 12; i++) book(pay("busy" + std::to_string(busy++), "till"));
    }
    TestBook one;
    TestDisk disk;
    uint32_t busy = 0;
};

// A book that a checkpoint was loaded into; `text` is the checkpoint.
struct Loaded {
    Loaded(ReadBank& bank, const LedgerLimits& limits) : one(limits) {
        EXPECT_EQ(test_load(one.book, test_tables(bank.one.book)), Status::ok);
        test_open(one.book, bank.one.book.log);
    }
    TestBook one;
};

// As a request of this id is answered: looked for, and then judged.
Status resend(Book& book, const TestDisk& disk, const TestMove& move, IdRecord& answer,
              std::string* field = nullptr) {
    static ReadJob job;
    BookMove asked = test_book_move(book, move);
    const Slice id = slice_of(move.id);
    uint32_t steps = 0;
    for (uint32_t rounds = 0; rounds < 4; rounds++) {
        const Status look =
            ledger_look_for_id(book.ledger, asked.person, id, asked.looked, steps);
        if (look != Status::more) break;
        const Asked& row = book.ledger.asked[asked.person].installed;
        read_id(job, asked.person, row, steps, asked.id);
        disk.read(job);
        EXPECT_EQ(job.outcome, Status::ok);
        asked.looked = job.walk.looked;
        asked.was_known = job.walk.found;
        asked.known = job.walk.record;
        if (asked.was_known) break;
    }
    const char* differs = nullptr;
    const Status status =
        book_move(book, 1000, asked, true, book_tag_none, answer, differs);
    if (field != nullptr) *field = differs == nullptr ? "" : differs;
    return status;
}

// Ids of alice, the newest last.
std::string id_of(uint32_t number) { return "mine" + std::to_string(number); }

// P3: the newest 32 are answered again, and the one before them is new.
void expect_newest_known(Book& book, const TestDisk& disk, uint32_t count) {
    for (uint32_t i = count - asked_max; i < count; i++) {
        IdRecord answer = {};
        std::string field;
        ASSERT_EQ(resend(book, disk, pay(id_of(i), "alice", 10 + i), answer), Status::replayed)
            << i;
        EXPECT_EQ(answer.amount, 10 + i);
        EXPECT_EQ(answer.status, Status::ok);
        EXPECT_EQ(resend(book, disk, pay(id_of(i), "alice", 7), answer, &field), Status::exists);
        EXPECT_EQ(field, "amount");
    }
    IdRecord answer = {};
    EXPECT_EQ(resend(book, disk, pay(id_of(count - asked_max - 1), "bob"), answer), Status::ok);
    EXPECT_EQ(resend(book, disk, pay(id_of(count - asked_max - 1)), answer), Status::ok);
}

}  // namespace

TEST(Reading, FindsAnIdThatLeftTheRingAmongThePersonsNewest) {
    ReadBank bank;
    for (uint32_t i = 0; i < 40; i++) {
        bank.book(pay(id_of(i), "alice", 10 + i));
        if (i % 7 == 0) bank.make_busy();
    }
    bank.make_busy();
    TestBook again(small_ring);
    ASSERT_EQ(bank.disk.replay(again.book, bank.disk.batches.size()), Status::ok);
    test_open(again.book, bank.one.book.log);
    Loaded loaded(bank, small_ring);
    expect_newest_known(again.book, bank.disk, 40);
    expect_newest_known(loaded.one.book, bank.disk, 40);
    expect_newest_known(bank.one.book, bank.disk, 40);
}

// A checkpoint holds the ring's records only; that others were lost must not be forgotten.
TEST(Reading, FindsItAfterACheckpointWhateverRoomThereIsForIds) {
    ReadBank bank;
    for (uint32_t i = 0; i < 33; i++) bank.book(pay(id_of(i), "alice", 10 + i));
    bank.make_busy();
    LedgerLimits wide = small_ring;
    wide.ids = 256;
    Loaded loaded(bank, wide);
    ASSERT_EQ(book_note_limits(loaded.one.book, 1000), Status::ok);
    bank.disk.commit(loaded.one.book);
    expect_newest_known(loaded.one.book, bank.disk, 33);
}

TEST(Reading, FindsWhatWasRefusedAndWhatWasInAGroup) {
    ReadBank bank;
    TestMove poor = pay("poor", "alice", 99);
    poor.operation = Operation::transfer;
    poor.debit = "alice";
    bank.book(poor);
    ASSERT_EQ(test_group(bank.one.book, {pay("g1", "alice", 1), pay("g2", "alice", 2)}),
              Status::ok);
    bank.disk.commit(bank.one.book);
    bank.make_busy();
    IdRecord answer = {};
    EXPECT_EQ(resend(bank.one.book, bank.disk, poor, answer), Status::replayed);
    EXPECT_EQ(answer.status, Status::funds);
    std::string field;
    EXPECT_EQ(resend(bank.one.book, bank.disk, pay("g2", "alice", 2), answer, &field),
              Status::exists);
    EXPECT_EQ(field, "group");
}

TEST(Reading, TellsIdsOfOnePrintApart) {
    ReadBank bank;
    const uint32_t alice = ledger_find_person(bank.ledger(), test_name("alice"));
    const auto [first, second] = test_collision(bank.ledger(), alice);
    bank.book(pay(first, "alice", 11));
    bank.make_busy();
    uint32_t steps = 0;
    ASSERT_EQ(ledger_look_for_id(bank.ledger(), alice, slice_of(second), 0, steps), Status::more);
    EXPECT_EQ(steps, 1u);
    IdRecord answer = {};
    EXPECT_EQ(resend(bank.one.book, bank.disk, pay(second, "alice", 12), answer), Status::ok);
    bank.disk.commit(bank.one.book);
    bank.make_busy();
    for (uint32_t i = 0; i < 20; i++) bank.book(pay(id_of(i)));
    EXPECT_EQ(resend(bank.one.book, bank.disk, pay(first, "alice", 11), answer),
              Status::replayed);
    EXPECT_EQ(answer.amount, 11);
    EXPECT_EQ(resend(bank.one.book, bank.disk, pay(second, "alice", 12), answer),
              Status::replayed);
    EXPECT_EQ(answer.amount, 12);
}

// A ring that is smaller than what is in flight: the id is in no ring and not durable either.
TEST(Reading, WaitsForAnIdThatTheRingLostBeforeItWasDurable) {
    ReadBank bank;
    ASSERT_EQ(test_move(bank.one.book, pay("early")), Status::ok);
    for (uint32_t i = 0; i < 12; i++) {
        ASSERT_EQ(test_move(bank.one.book, pay("other" + std::to_string(i), "till")), Status::ok);
    }
    const uint32_t alice = ledger_find_person(bank.ledger(), test_name("alice"));
    ASSERT_EQ(ids_find(bank.ledger().ids, alice, slice_of(std::string("early"))), nullptr);
    uint32_t steps = 0;
    EXPECT_EQ(ledger_look_for_id(bank.ledger(), alice, slice_of(std::string("early")), 0, steps),
              Status::pending);
    bank.disk.commit(bank.one.book);
    IdRecord answer = {};
    EXPECT_EQ(resend(bank.one.book, bank.disk, pay("early"), answer), Status::replayed);
}

// What was looked at is not looked at again; what came after it is.
TEST(Reading, LooksAtWhatTheSamePersonAskedMeanwhile) {
    ReadBank bank;
    const uint32_t alice = ledger_find_person(bank.ledger(), test_name("alice"));
    for (uint32_t i = 0; i < 3; i++) bank.book(pay(id_of(i)));
    const uint64_t looked = bank.ledger().asked[alice].installed.count;
    bank.book(pay("new"));
    bank.make_busy();
    uint32_t steps = 0;
    const auto look = [&](const std::string& id, uint64_t from) {
        return ledger_look_for_id(bank.ledger(), alice, slice_of(id), from, steps);
    };
    EXPECT_EQ(look("new", looked), Status::more);
    EXPECT_EQ(steps, 1u);
    EXPECT_EQ(look("new", looked + 1), Status::ok);
    EXPECT_EQ(look(id_of(0), 0), Status::more);
    EXPECT_EQ(steps, 4u);
    EXPECT_EQ(look(id_of(0), looked), Status::ok);
    EXPECT_EQ(look("busy0", 0), Status::ok);
}

TEST(Reading, BelievesNoRequestThatIsNotThePersons) {
    ReadBank bank;
    bank.book(pay("a"));
    bank.book(pay("b", "till"));
    const uint32_t alice = ledger_find_person(bank.ledger(), test_name("alice"));
    const uint32_t till = ledger_find_person(bank.ledger(), test_name("till"));
    static ReadJob job;
    Id id = {1, {'z'}};
    read_id(job, alice, bank.ledger().asked[till].installed, 1, id);
    bank.disk.read(job);
    EXPECT_EQ(job.outcome, Status::damaged);
    // The chain ends where it began, however many steps are asked for.
    read_id(job, alice, bank.ledger().asked[alice].installed, 32, id);
    bank.disk.read(job);
    EXPECT_EQ(job.outcome, Status::ok);
    EXPECT_FALSE(job.walk.found);
    // A segment that is archived.
    const TestDisk none = {};
    read_id(job, alice, bank.ledger().asked[alice].installed, 1, id);
    none.read(job);
    EXPECT_EQ(job.outcome, Status::absent);
}

TEST(Reading, FindsAnEntryByItsNumber) {
    ReadBank bank;
    std::map<uint64_t, std::string> ids;
    for (uint32_t i = 0; i < 60; i++) {
        ASSERT_EQ(test_move(bank.one.book, pay(id_of(i))), Status::ok);
        ids[bank.one.book.log.entry_proposed] = id_of(i);
        if (i % 3 == 0) bank.disk.commit(bank.one.book);
    }
    bank.disk.commit(bank.one.book);
    const Log& log = bank.one.book.log;
    static ReadJob job;
    for (uint64_t seq = 1; seq <= log.entry_durable; seq++) {
        read_entry(job, ReadUse::reverse, log.bank_id, seq, log.end_durable);
        bank.disk.read(job);
        ASSERT_EQ(job.outcome, Status::ok) << seq;
        EXPECT_EQ(job.entry.seq, seq);
        if (!ids.contains(seq)) continue;
        EXPECT_EQ(std::string(job.entry.movement.id.text, job.entry.movement.id.size), ids[seq]);
    }
}
