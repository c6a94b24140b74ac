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

    static StatementJob job;
    job.account = 2;
    job.rows_wanted = 5;
    job.before = UINT64_MAX;
    job.next = position_of(1, 100'000);
    job.seq_below = UINT64_MAX;
    ASSERT_EQ(service_statement_feed(job), Status::more);
    const uint32_t at = position_offset(job.next) - position_offset(job.window_start);
    memcpy(job.window + at, bytes, writer.size);
    service_statement_take(job, Status::ok, at + writer.size);
    ASSERT_EQ(service_statement_feed(job), Status::end);
    EXPECT_EQ(job.outcome, Status::ok);
    ASSERT_EQ(job.row_count, 1u);
    EXPECT_EQ(job.rows[0].amount, -150);
    EXPECT_EQ(job.rows[0].balance, 50);
}

TEST(Statement, NamesDamageWhereNothingIsLeftToRead) {
    static StatementJob job;
    job.rows_wanted = 1;
    job.before = UINT64_MAX;
    job.next = position_of(1, 100'000);
    job.seq_below = UINT64_MAX;
    ASSERT_EQ(service_statement_feed(job), Status::more);
    service_statement_take(job, Status::ok, 0);
    EXPECT_EQ(service_statement_feed(job), Status::end);
    EXPECT_EQ(job.outcome, Status::damaged);
}
