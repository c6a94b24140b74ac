// Keys and sealed messages in the book (ledger/mail.h).

#include <gtest/gtest.h>
#include <string.h>

#include "unit/test_bank.h"

namespace {

std::string modulus_of(char letter) {
    std::string bytes(mail_modulus_size, letter);
    bytes[0] = '\xff';
    bytes[mail_modulus_size - 1] = '\x01';
    return bytes;
}

std::string envelope_of(size_t size, uint32_t seed = 1) {
    TestRandom random(seed);
    std::string text;
    while (text.size() < size) text += static_cast<char>('A' + random.below(26));
    return text;
}

struct TestSend {
    std::string from = "alice";
    std::string to = "bob";
    std::string id;
    std::string envelope;
    std::string terminal;
    bool may_refuse = true;
    uint64_t looked = 0;
};

struct MailBank {
    explicit MailBank(const LedgerLimits& limits = test_limits) : one(limits) {
        test_create(book());
        for (const char* name : {"alice", "bob", "carol"}) {
            EXPECT_EQ(test_add(book(), name), Status::ok);
        }
        disk.commit(book());
    }
    Book& book() { return one.book; }
    Ledger& ledger() { return one.book.ledger; }
    Mail& mail() { return one.book.ledger.mail; }
    std::vector<BookDone> commit() { return disk.commit(book()); }
    uint32_t person(const std::string& name) {
        return ledger_find_person(ledger(), test_name(name));
    }
    Status set_key(const std::string& name, char letter) {
        const std::string modulus = modulus_of(letter);
        return book_set_key(book(), 1000, person(name), {}, slice_of(modulus), book_tag_none);
    }
    void give_keys() {
        for (const char* name : {"alice", "bob", "carol"}) {
            EXPECT_EQ(set_key(name, 'k'), Status::ok);
        }
        commit();
    }
    Status send(const TestSend& asked, IdRecord* answer = nullptr, std::string* field = nullptr) {
        BookMail mail = {};
        mail.person = person(asked.from);
        if (!asked.terminal.empty()) mail.terminal = test_name(asked.terminal);
        memcpy(mail.id.text, asked.id.data(), asked.id.size());
        mail.id.size = static_cast<uint8_t>(asked.id.size());
        mail.to = test_name(asked.to);
        mail.envelope = slice_of(asked.envelope);
        mail.looked = asked.looked;
        IdRecord known = {};
        const char* differs = nullptr;
        const Status status = book_send(book(), 1000, mail, asked.may_refuse, {7, 9}, known,
                                        differs);
        if (answer != nullptr) *answer = known;
        if (field != nullptr) *field = differs == nullptr ? "" : differs;
        return status;
    }
    Status forget(const std::string& name, uint64_t number) {
        return book_forget(book(), 1000, person(name), {}, number, book_tag_none);
    }
    std::vector<uint64_t> inbox(const std::string& name) {
        uint32_t slots[mailbox_max];
        std::vector<uint64_t> numbers;
        const uint32_t count = mail_list(mail(), person(name), slots);
        for (uint32_t i = 0; i < count; i++) {
            numbers.push_back(mail().messages.slots[slots[i]].number);
        }
        return numbers;
    }
    // What READ finds; the outcome when that is not ok.
    Status read(uint64_t number, std::string& out) {
        static ReadJob job;
        const uint32_t slot = mail_find(mail(), number);
        if (slot == pool_none) return Status::absent;
        read_message(job, mail().messages.slots[slot]);
        EXPECT_EQ(disk.read(job), 1u);
        out.assign(reinterpret_cast<char*>(job.mail.envelope), job.mail.size);
        return job.outcome;
    }
    TestBook one;
    TestDisk disk;
};

TEST(Mail, MessageOfEverySizeComesBackWhole) {
    LedgerLimits limits = test_limits;
    limits.messages = 64;
    limits.mailbox = 64;
    MailBank bank(limits);
    bank.give_keys();
    const uint32_t part = message_part_size_max;
    for (const uint32_t size : {1u, part - 1, part, part + 1, 2 * part - 1, 2 * part, 2 * part + 1,
                                message_sealed_size_max - 1, message_sealed_size_max}) {
        const std::string envelope = envelope_of(size, size);
        ASSERT_EQ(bank.send({.id = "m" + std::to_string(size), .envelope = envelope}), Status::ok);
        const uint32_t parts = (size + part - 1) / part;
        const std::vector<BookDone> done = bank.commit();
        ASSERT_EQ(done.size(), parts) << size;
        for (uint32_t i = 0; i < parts; i++) {
            EXPECT_EQ(done[i].entry.kind, EntryKind::message);
            EXPECT_EQ(done[i].entry.message.place, i + 1);
            EXPECT_EQ(done[i].tag.session, i + 1 == parts ? 7u : book_tag_none.session);
        }
        std::string read;
        ASSERT_EQ(bank.read(done[0].entry.seq, read), Status::ok);
        EXPECT_EQ(read, envelope);
        EXPECT_EQ(bank.inbox("bob").back(), done[0].entry.seq);  // W2
    }
    EXPECT_TRUE(bank.inbox("alice").empty());
    EXPECT_EQ(ledger_sum(bank.ledger()), 0);
    MailBank other(limits);
    ASSERT_EQ(bank.disk.replay(other.book(), bank.disk.batches.size()), Status::ok);
    EXPECT_EQ(other.inbox("bob"), bank.inbox("bob"));
}

TEST(Mail, ReplayAndTablesGiveTheSameAgain) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(bank.send({.id = "a", .envelope = envelope_of(2000), .terminal = "bar"}), Status::ok);
    ASSERT_EQ(bank.send({.to = "nobody", .id = "b", .envelope = "x"}), Status::ok);
    ASSERT_EQ(bank.send({.from = "bob", .to = "alice", .id = "c", .envelope = envelope_of(10)}),
              Status::ok);
    bank.commit();
    ASSERT_EQ(bank.set_key("bob", 'n'), Status::ok);
    bank.commit();
    bank.disk.expect_same_again(bank.book());
    const uint64_t number = bank.inbox("bob")[0];
    ASSERT_EQ(bank.forget("bob", number), Status::ok);
    bank.commit();
    bank.disk.expect_same_again(bank.book());
    EXPECT_TRUE(bank.inbox("bob").empty());
}

TEST(Mail, StateWithoutMailIsACheckpointOfTheVersionThatItWas) {
    MailBank bank;
    EXPECT_NE(test_tables(bank.book()).manifest.find("pennybank-checkpoint 1\n"),
              std::string::npos);
    // A refused request is one that older programs do not know, whoever was asked for.
    ASSERT_EQ(bank.send({.to = "nobody", .id = "b", .envelope = "x"}), Status::ok);
    bank.commit();
    const TestTables tables = test_tables(bank.book());
    EXPECT_NE(tables.manifest.find("pennybank-checkpoint 3\n"), std::string::npos);
    EXPECT_TRUE(tables.tables[static_cast<uint32_t>(TableName::keys)].empty());
    bank.disk.expect_same_again(bank.book());
}

TEST(Mail, RefusalsAreRememberedAndKeepNothing) {
    MailBank bank;
    ASSERT_EQ(test_change(bank.book(), {.operation = PersonOperation::remove, .person = "carol"}),
              Status::ok);
    bank.commit();
    struct Case {
        const char* to;
        Status outcome;
    };
    for (const Case& each : {Case{"nobody", Status::noacct}, Case{"shop", Status::noacct},
                             Case{"bob", Status::state}, Case{"carol", Status::closed}}) {
        const TestSend send = {.to = each.to, .id = std::string("to-") + each.to, .envelope = "xy"};
        TestSend beyond = send;
        beyond.may_refuse = false;
        EXPECT_EQ(bank.send(beyond), Status::busy);
        ASSERT_EQ(bank.send(send), Status::ok) << each.to;
        IdRecord answer = {};
        EXPECT_EQ(bank.send(send, &answer), Status::pending);
        const std::vector<BookDone> done = bank.commit();
        ASSERT_EQ(done.size(), 1u);
        EXPECT_EQ(done[0].entry.status, each.outcome);
        EXPECT_EQ(bank.send(send, &answer), Status::replayed);
        EXPECT_EQ(answer.status, each.outcome);
        EXPECT_EQ(answer.operation, Operation::message);
        EXPECT_EQ(bank.mail().messages.taken, 0u);
    }
    // What was refused for want of a key stays so, and other ids are not.
    ASSERT_EQ(bank.set_key("bob", 'k'), Status::ok);
    bank.commit();
    IdRecord answer = {};
    EXPECT_EQ(bank.send({.id = "to-bob", .envelope = "xy"}, &answer), Status::replayed);
    EXPECT_EQ(answer.status, Status::state);
    EXPECT_EQ(bank.send({.id = "again", .envelope = "xy"}), Status::ok);
    bank.commit();
    bank.disk.expect_same_again(bank.book());
}

TEST(Mail, IdStandsForOneMessage) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(test_move(bank.book(), {.operation = Operation::deposit,
                                      .debit = "cash",
                                      .credit = "alice",
                                      .amount = 5,
                                      .id = "money",
                                      .person = "alice"}),
              Status::ok);
    const TestSend send = {.id = "m", .envelope = envelope_of(1000)};
    ASSERT_EQ(bank.send(send), Status::ok);
    EXPECT_EQ(bank.send(send), Status::pending);
    bank.commit();
    IdRecord answer = {};
    std::string field;
    ASSERT_EQ(bank.send(send, &answer), Status::replayed);
    EXPECT_EQ(answer.seq, bank.inbox("bob")[0]);
    EXPECT_EQ(bank.inbox("bob").size(), 1u);
    TestSend other = send;
    other.to = "carol";
    EXPECT_EQ(bank.send(other, nullptr, &field), Status::exists);
    EXPECT_EQ(field, "to");
    other = send;
    other.envelope[999] ^= 1;
    EXPECT_EQ(bank.send(other, nullptr, &field), Status::exists);
    EXPECT_EQ(field, "envelope");
    other = send;
    other.id = "money";
    EXPECT_EQ(bank.send(other, nullptr, &field), Status::exists);
    EXPECT_EQ(field, "command");
    EXPECT_EQ(test_move(bank.book(), {.operation = Operation::transfer,
                                      .debit = "alice",
                                      .credit = "bob",
                                      .amount = 1,
                                      .id = "m",
                                      .person = "alice"},
                        nullptr, &field),
              Status::exists);
    EXPECT_EQ(field, "command");
    // Forgotten or not, the answer stays.
    ASSERT_EQ(bank.forget("bob", answer.seq), Status::ok);
    bank.commit();
    EXPECT_EQ(bank.send(send, &answer), Status::replayed);
    EXPECT_TRUE(bank.inbox("bob").empty());
}

TEST(Mail, WhatIsFullIsNamedAndNothingIsWritten) {
    LedgerLimits limits = test_limits;
    limits.messages = 5;
    limits.mailbox = 3;
    limits.message_keys = 2;
    MailBank bank(limits);
    ASSERT_EQ(bank.set_key("bob", 'k'), Status::ok);
    ASSERT_EQ(bank.set_key("carol", 'k'), Status::ok);
    EXPECT_EQ(bank.set_key("alice", 'k'), Status::oom);
    bank.commit();
    EXPECT_EQ(bank.set_key("alice", 'k'), Status::oom);
    EXPECT_EQ(bank.set_key("bob", 'n'), Status::ok);  // Another one takes no more room.
    std::string field;
    for (const char* id : {"1", "2", "3"}) {
        ASSERT_EQ(bank.send({.id = id, .envelope = "x"}), Status::ok);
    }
    EXPECT_EQ(bank.send({.id = "4", .envelope = "x"}, nullptr, &field), Status::oom);
    EXPECT_EQ(field, "mailbox");
    bank.commit();
    EXPECT_EQ(bank.send({.id = "4", .envelope = "x"}, nullptr, &field), Status::oom);
    for (const char* id : {"5", "6"}) {
        ASSERT_EQ(bank.send({.to = "carol", .id = id, .envelope = "x"}), Status::ok);
    }
    EXPECT_EQ(bank.send({.to = "carol", .id = "7", .envelope = "x"}, nullptr, &field),
              Status::oom);
    EXPECT_EQ(field, "messages");
    bank.commit();
    const uint64_t before = bank.ledger().seq_installed;
    ASSERT_EQ(bank.forget("bob", bank.inbox("bob")[1]), Status::ok);
    // A slot that is being emptied is not empty yet, while the mailbox counts what is decided.
    EXPECT_EQ(bank.send({.id = "4", .envelope = "x"}, nullptr, &field), Status::oom);
    EXPECT_EQ(field, "messages");
    bank.commit();
    ASSERT_EQ(bank.send({.id = "4", .envelope = "x"}), Status::ok);
    bank.commit();
    EXPECT_EQ(bank.ledger().seq_installed, before + 2);
    EXPECT_EQ(bank.inbox("bob").size(), 3u);
    EXPECT_EQ(bank.inbox("bob").back(), before + 2);

    LedgerLimits few = limits;
    few.messages = 4;
    MailBank small(few);
    EXPECT_EQ(bank.disk.replay(small.book(), bank.disk.batches.size()), Status::full);
    const TestTables tables = test_tables(bank.book());
    EXPECT_EQ(test_load(small.book(), tables), Status::full);
    few = limits;
    few.message_keys = 1;
    MailBank keyless(few);
    EXPECT_EQ(bank.disk.replay(keyless.book(), bank.disk.batches.size()), Status::full);
    EXPECT_EQ(test_load(keyless.book(), tables), Status::full);
    few = limits;
    few.mailbox = 1;  // Bounds what is sent, not what was.
    MailBank narrow(few);
    EXPECT_EQ(bank.disk.replay(narrow.book(), bank.disk.batches.size()), Status::ok);
}

TEST(Mail, ForgettingIsDoneOnceAndAnsweredAgain) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(bank.send({.id = "m", .envelope = envelope_of(500)}), Status::ok);
    bank.commit();
    const uint64_t number = bank.inbox("bob")[0];
    EXPECT_EQ(bank.forget("bob", 0), Status::absent);
    EXPECT_EQ(bank.forget("bob", bank.ledger().seq_installed + 1), Status::absent);
    EXPECT_EQ(bank.forget("carol", number), Status::replayed);  // Not hers, and it stays.
    EXPECT_EQ(bank.inbox("bob").size(), 1u);
    ASSERT_EQ(bank.forget("bob", number), Status::ok);
    EXPECT_EQ(bank.forget("bob", number), Status::pending);
    EXPECT_EQ(bank.inbox("bob").size(), 1u);  // Readers see what is installed.
    bank.commit();
    EXPECT_EQ(bank.forget("bob", number), Status::replayed);
    EXPECT_TRUE(bank.inbox("bob").empty());
    EXPECT_EQ(bank.mail().messages.taken, 0u);
}

TEST(Mail, KeyIsReplacedOneChangeAtATime) {
    MailBank bank;
    ASSERT_EQ(bank.set_key("bob", 'a'), Status::ok);
    EXPECT_EQ(bank.set_key("bob", 'a'), Status::pending);
    EXPECT_EQ(bank.set_key("bob", 'b'), Status::pending);
    // A key that is on its way counts for those who seal to it, in the same batch behind it.
    EXPECT_EQ(bank.send({.id = "m", .envelope = "x"}), Status::ok);
    bank.commit();
    EXPECT_EQ(bank.set_key("bob", 'a'), Status::replayed);
    ASSERT_EQ(bank.set_key("bob", 'b'), Status::ok);
    const uint32_t slot = mail_find_key(bank.mail(), bank.person("bob"));
    EXPECT_EQ(bank.mail().keys.slots[slot].modulus[1], 'a');
    bank.commit();
    EXPECT_EQ(bank.mail().keys.slots[slot].modulus[1], 'b');
    EXPECT_EQ(bank.inbox("bob").size(), 1u);
    bank.disk.expect_same_again(bank.book());
}

TEST(Mail, RemovingSomebodyFreesKeyAndMailbox) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(bank.send({.id = "1", .envelope = envelope_of(900)}), Status::ok);
    ASSERT_EQ(bank.send({.from = "bob", .to = "alice", .id = "2", .envelope = "x"}), Status::ok);
    bank.commit();
    // In one batch: a message, another key, and the removal behind them.
    ASSERT_EQ(bank.send({.id = "3", .envelope = envelope_of(900)}), Status::ok);
    ASSERT_EQ(bank.set_key("bob", 'z'), Status::ok);
    ASSERT_EQ(test_change(bank.book(), {.operation = PersonOperation::remove, .person = "bob"}),
              Status::ok);
    EXPECT_EQ(bank.set_key("bob", 'y'), Status::state);
    ASSERT_EQ(bank.send({.id = "4", .envelope = "x"}), Status::ok);
    const std::vector<BookDone> done = bank.commit();
    EXPECT_EQ(done.back().entry.status, Status::closed);
    EXPECT_TRUE(bank.inbox("bob").empty());
    EXPECT_EQ(bank.inbox("alice").size(), 1u);  // W4: what he sent stays.
    EXPECT_EQ(bank.mail().messages.taken, 1u);
    EXPECT_EQ(bank.mail().keys.taken, 2u);
    bank.disk.expect_same_again(bank.book());
}

TEST(Mail, LockTakesNothing) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(test_change(bank.book(), {.operation = PersonOperation::lock, .person = "bob"}),
              Status::ok);
    ASSERT_EQ(bank.send({.id = "1", .envelope = "x"}), Status::ok);
    const std::vector<BookDone> done = bank.commit();
    EXPECT_EQ(done.back().entry.status, Status::ok);
    EXPECT_EQ(bank.inbox("bob").size(), 1u);
}

TEST(Mail, FailedBatchLeavesWhatWasInstalled) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(bank.send({.id = "1", .envelope = "x"}), Status::ok);
    bank.commit();
    const uint64_t number = bank.inbox("bob")[0];
    const TestTables before = test_tables(bank.book());
    ASSERT_EQ(bank.send({.id = "2", .envelope = envelope_of(2000)}), Status::ok);
    ASSERT_EQ(bank.forget("bob", number), Status::ok);
    ASSERT_EQ(bank.set_key("alice", 'n'), Status::ok);
    ASSERT_EQ(test_change(bank.book(), {.operation = PersonOperation::remove, .person = "carol"}),
              Status::ok);
    test_commit(bank.book(), [](void*, const LogWrite&) { return Status::failed; });
    EXPECT_EQ(bank.inbox("bob"), std::vector<uint64_t>{number});
    EXPECT_EQ(bank.mail().messages.taken, 1u);
    EXPECT_EQ(bank.mail().keys.taken, 3u);
    EXPECT_EQ(test_tables(bank.book()).tables, before.tables);
    EXPECT_EQ(mail_count(bank.mail(), bank.person("bob"), MailView::decided), 1u);
    EXPECT_FALSE(bank.mail().keys.slots[0].in_flight);
}

TEST(Mail, SnapshotShowsTheMomentItWasTaken) {
    MailBank bank;
    bank.give_keys();
    ASSERT_EQ(bank.send({.id = "1", .envelope = "x"}), Status::ok);
    bank.commit();
    const TestTables before = test_tables(bank.book());
    book_snapshot_begin(bank.book());
    ASSERT_EQ(bank.forget("bob", bank.inbox("bob")[0]), Status::ok);
    ASSERT_EQ(bank.set_key("carol", 'q'), Status::ok);
    ASSERT_EQ(test_change(bank.book(), {.operation = PersonOperation::remove, .person = "bob"}),
              Status::ok);
    bank.commit();
    const TestTables during = test_tables_of(bank.book().snapshot, bank.ledger());
    EXPECT_EQ(during.tables, before.tables);
    EXPECT_NE(test_tables(bank.book()).tables, before.tables);
}

TEST(Mail, PartsStandTogetherOrTheBookIsDamaged) {
    MailBank bank;
    bank.give_keys();
    const std::string envelope = envelope_of(3 * message_part_size_max);
    ASSERT_EQ(bank.send({.id = "1", .envelope = envelope}), Status::ok);
    bank.commit();
    const std::vector<uint8_t> whole = bank.disk.batches.back();
    const size_t last = bank.disk.batches.size() - 1;
    const size_t first = batch_header_size;
    const size_t size = whole[first] | size_t{whole[first + 1]} << 8;
    // Every byte of the envelope, and of what counts the parts, is vouched for by the first part.
    const auto replay_with = [&](size_t at, uint8_t flip) {
        std::vector<uint8_t> bytes = whole;
        bytes[at] ^= flip;
        BatchHeader header;
        EXPECT_EQ(batch_peek({bytes.data(), static_cast<uint32_t>(bytes.size())},
                             bank.book().log.bank_id, header),
                  Status::ok);
        batch_seal(bytes.data(), header);
        TestDisk forged = bank.disk;
        forged.batches[last] = bytes;
        TestBook other;
        return forged.replay(other.book, forged.batches.size());
    };
    EXPECT_EQ(replay_with(first + 32, 0), Status::ok);
    EXPECT_EQ(replay_with(first + size - 1, 1), Status::damaged);           // the envelope
    EXPECT_EQ(replay_with(first + size + 36 + 7, 1), Status::damaged);      // in its second part
    EXPECT_EQ(replay_with(first + size + 32, 1), Status::damaged);          // the place
    EXPECT_EQ(replay_with(first + 56, 1), Status::damaged);                 // the hash
    EXPECT_EQ(replay_with(first + 48, 1), Status::damaged);                 // the request before
    EXPECT_EQ(replay_with(first + 36, 8), Status::damaged);                 // the recipient
    EXPECT_EQ(replay_with(first + size + 4, 1), Status::damaged);           // who asked
}

TEST(Mail, IdOlderThanTheRingIsFoundThroughMessages) {
    LedgerLimits limits = test_limits;
    limits.ids = 4;
    limits.messages = 32;
    limits.mailbox = 32;
    MailBank bank(limits);
    bank.give_keys();
    const TestSend first = {.id = "first", .envelope = envelope_of(1500)};
    ASSERT_EQ(bank.send(first), Status::ok);
    bank.commit();
    const uint64_t number = bank.inbox("bob")[0];
    for (uint32_t i = 0; i < 6; i++) {
        ASSERT_EQ(bank.send({.id = "m" + std::to_string(i), .envelope = envelope_of(800)}),
                  Status::ok);
        bank.commit();
    }
    uint32_t steps = 0;
    const uint32_t alice = bank.person("alice");
    ASSERT_EQ(ledger_look_for_id(bank.ledger(), alice, slice_of("first"), 0, steps), Status::more);
    EXPECT_EQ(steps, 7u);
    Id id = {};
    memcpy(id.text, "first", 5);
    id.size = 5;
    static ReadJob job;
    read_id(job, alice, bank.ledger().asked[alice].installed, steps, id);
    bank.disk.read(job);
    ASSERT_EQ(job.outcome, Status::ok);
    ASSERT_TRUE(job.walk.found);
    EXPECT_EQ(job.walk.record.seq, number);
    EXPECT_EQ(job.walk.record.operation, Operation::message);
    EXPECT_EQ(job.walk.record.status, Status::ok);
}

}  // namespace
