// The walk back through an account's entries, by the bytes that are read for it.

#include <string.h>

#include "service/service.h"
#include "unit/test_bank.h"

TEST(Statement, TakesAnEntryThatEndsWithItsSegment) {
    Entry entry = {};
    entry.kind = EntryKind::movement;
    entry.status = Status::ok;
    entry.person = row_none;
    entry.terminal = row_none;
    entry.seq = 9;
    entry.movement.debit = 2;
    entry.movement.credit = 3;
    entry.movement.amount = 150;
    entry.movement.debit_after = 50;
    entry.movement.operation = Operation::transfer;
    entry.movement.id.size = 1;
    entry.movement.id.text[0] = 'a';
    uint8_t bytes[entry_size_max];
    Writer writer = writer_of(bytes, sizeof bytes);
    entry_encode(entry, writer);

    static ReadJob job;
    read_statement(job, 2, position_of(1, 100'000), 5, UINT64_MAX);
    ASSERT_EQ(read_feed(job), Status::more);
    const uint32_t at = position_offset(job.next) - position_offset(job.want);
    memcpy(job.window + at, bytes, writer.size);
    read_take(job, Status::ok, at + writer.size);
    ASSERT_EQ(read_feed(job), Status::end);
    EXPECT_EQ(job.outcome, Status::ok);
    ASSERT_EQ(job.statement.row_count, 1u);
    EXPECT_EQ(job.statement.rows[0].amount, -150);
    EXPECT_EQ(job.statement.rows[0].balance, 50);
}

TEST(Statement, NamesDamageWhereNothingIsLeftToRead) {
    static ReadJob job;
    read_statement(job, 2, position_of(1, 100'000), 1, UINT64_MAX);
    ASSERT_EQ(read_feed(job), Status::more);
    read_take(job, Status::ok, 0);
    EXPECT_EQ(read_feed(job), Status::end);
    EXPECT_EQ(job.outcome, Status::damaged);
}

TEST(Statement, AStepWithTheKeyIsAskedForBetweenTwoReads) {
    static ReadJob job;
    uint8_t bank_id[bank_id_size] = {};
    read_entry(job, ReadUse::receipt, bank_id, 7, position_of(1, 8192));
    EXPECT_EQ(read_feed(job), Status::more);
    for (const ReadUse use : {ReadUse::receipt_sign, ReadUse::receipt_judge}) {
        for (const Status outcome : {Status::ok, Status::damaged, Status::failed}) {
            job.receipt.entry = 7;
            read_key(job, use);
            EXPECT_EQ(read_feed(job), Status::pending);
            EXPECT_EQ(read_feed(job), Status::pending);
            read_key_done(job, outcome);
            EXPECT_EQ(read_feed(job), Status::end);
            EXPECT_EQ(job.outcome, outcome);
            EXPECT_EQ(job.use, use);
            EXPECT_EQ(job.receipt.entry, 7u) << "kept from step to step";
        }
    }
    read_entry(job, ReadUse::receipt_compare, bank_id, 7, position_of(1, 8192));
    EXPECT_EQ(read_feed(job), Status::more);
}
