#include "journal/log.h"

#include <gtest/gtest.h>
#include <string.h>

#include <vector>

#include "unit/slices.h"

namespace {

constexpr uint64_t day_ms = 86'400'000;

struct TestLog {
    explicit TestLog(uint32_t segment_size = segment_size_min, uint64_t clock_step_max_ms = day_ms) {
        Arena measure = {};
        log_layout(log, measure);
        memory.resize(measure.used + arena_align);
        Arena arena = {};
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = measure.used;
        log = {};
        log_layout(log, arena);
        LogStart start = {};
        start.segment = 1;
        start.segment_size = segment_size;
        start.salt = 5;
        log_start(log, start, clock_step_max_ms);
    }

    Status reserve(uint64_t wall_ms = 1000) { return log_reserve(log, wall_ms, 1, stamp); }

    // Proposes one entry of `size` bytes that was reserved.
    void propose(uint16_t size = 100) {
        std::vector<uint8_t> entry(size, 0x11);
        entry[0] = static_cast<uint8_t>(size & 0xff);
        entry[1] = static_cast<uint8_t>(size >> 8);
        stamp = log_propose(log, {entry.data(), size});
    }

    void write_one(uint64_t wall_ms = 1000) {
        ASSERT_EQ(reserve(wall_ms), Status::ok);
        propose();
        ASSERT_TRUE(log_seal(log, write));
        Slice entries;
        ASSERT_EQ(log_committed(log, Status::ok, entries), Status::ok);
        log_release(log);
    }

    std::vector<uint8_t> memory;
    Log log = {};
    LogStamp stamp = {};
    LogWrite write = {};
};

}  // namespace

TEST(Log, SaysWhereAndWhenAnEntryWillBeBeforeItIsMade) {
    TestLog one;
    ASSERT_EQ(one.reserve(), Status::ok);
    EXPECT_EQ(one.stamp.seq, 1u);
    EXPECT_EQ(one.stamp.time_ms, 1000u);
    EXPECT_EQ(one.stamp.position, position_of(1, batch_header_size));
    one.propose(60);
    EXPECT_EQ(one.stamp.seq, 2u);
    EXPECT_EQ(one.stamp.position, position_of(1, batch_header_size + 60));
    ASSERT_TRUE(log_seal(one.log, one.write));
    EXPECT_EQ(one.write.segment, 1u);
    EXPECT_EQ(one.write.offset, 0u);
    EXPECT_EQ(one.write.bytes.size, block_size);
    // The next batch opens behind the one in flight.
    ASSERT_EQ(one.reserve(), Status::ok);
    EXPECT_EQ(one.stamp.seq, 2u);
    EXPECT_EQ(one.stamp.position, position_of(1, block_size + batch_header_size));
    EXPECT_FALSE(log_seal(one.log, one.write));  // G1
}

TEST(Log, ChainsItsBatches) {
    TestLog one;
    Hash previous = {};
    for (uint64_t seq = 1; seq <= 5; seq++) {
        one.write_one();
        BatchHeader header;
        Slice entries;
        Hash hash;
        ASSERT_EQ(batch_find(one.write.bytes, nullptr, header, entries, hash), BatchFind::whole);
        EXPECT_EQ(header.seq, seq);
        EXPECT_EQ(header.entry_first, seq);
        EXPECT_TRUE(hash_equal(header.previous, previous));
        EXPECT_TRUE(hash_equal(one.log.chain_durable, hash));
        EXPECT_EQ(one.log.end_durable, position_of(1, static_cast<uint32_t>(seq) * block_size));
        previous = hash;
    }
}

TEST(Log, NeverGoesBackInTime) {
    TestLog one;
    one.write_one(5000);
    ASSERT_EQ(one.reserve(4000), Status::ok);
    EXPECT_EQ(one.stamp.time_ms, 5000u);
    ASSERT_EQ(one.reserve(9000), Status::ok);  // A batch keeps the time it opened with.
    EXPECT_EQ(one.stamp.time_ms, 5000u);
}

TEST(Log, StopsAtAClockThatLeaptAndGoesOnWhenItIsRight) {
    TestLog one(segment_size_min, day_ms);
    one.write_one(1000);
    EXPECT_EQ(one.reserve(1000 + day_ms + 1), Status::misconf);
    EXPECT_EQ(one.log.blocked, LogBlock::clock);
    EXPECT_EQ(one.reserve(1000 + day_ms), Status::ok);
    EXPECT_EQ(one.log.blocked, LogBlock::none);
}

TEST(Log, AcceptsAnyClockForTheFirstBatch) {
    TestLog one(segment_size_min, day_ms);
    EXPECT_EQ(one.reserve(1'700'000'000'000), Status::ok);
}

TEST(Log, RollsBeforeABatchMightNotFit) {
    TestLog one;
    const uint32_t batches = (segment_size_min - batch_size_max) / block_size + 1;
    for (uint32_t i = 0; i < batches; i++) one.write_one();
    EXPECT_EQ(one.log.segment_size - one.log.offset, batch_size_max - block_size);
    EXPECT_EQ(one.reserve(), Status::pending) << "the next segment may be on its way";
    EXPECT_EQ(one.log.blocked, LogBlock::none);
    EXPECT_TRUE(log_wants_segment(one.log));
    log_segment_failed(one.log);
    EXPECT_EQ(one.reserve(), Status::misconf);
    EXPECT_EQ(one.log.blocked, LogBlock::no_room);
    EXPECT_TRUE(log_wants_segment(one.log));
    log_segment_made(one.log, 2, segment_size_min, 99);
    EXPECT_FALSE(log_wants_segment(one.log));
    one.write_one();
    EXPECT_EQ(one.log.blocked, LogBlock::none);
    EXPECT_EQ(one.write.segment, 2u);
    EXPECT_EQ(one.write.offset, 0u);
    EXPECT_EQ(one.log.salt_durable, 99u);
    EXPECT_TRUE(log_wants_segment(one.log));
}

TEST(Log, AnswersPendingWhenABatchIsFullAndNeverOverflows) {
    for (uint16_t size : {uint16_t{60}, uint16_t{entry_size_max}}) {
        TestLog one;
        uint32_t count = 0;
        for (; one.reserve() == Status::ok; count++) one.propose(size);
        const uint32_t fits = batch_entries_size_max / entry_size_max;
        EXPECT_EQ(count, size == 60 ? batch_entries_max : fits);
        EXPECT_EQ(one.log.blocked, LogBlock::none);
        ASSERT_TRUE(log_seal(one.log, one.write));
        EXPECT_LE(one.write.bytes.size, batch_size_max);
        EXPECT_EQ(one.reserve(), Status::ok);
    }
}

TEST(Log, WritesNoBatchForWhatWasOnlyReserved) {
    TestLog one;
    ASSERT_EQ(one.reserve(), Status::ok);
    EXPECT_FALSE(log_seal(one.log, one.write));
    EXPECT_TRUE(log_is_idle(one.log));
    EXPECT_EQ(one.log.seq_sealed, 0u);
}

TEST(Log, ClosesWithAnEmptyBatchThatCountsNoEntry) {
    TestLog one;
    one.write_one();
    ASSERT_EQ(log_close(one.log, 2000), Status::ok);
    ASSERT_TRUE(log_seal(one.log, one.write));
    EXPECT_EQ(log_close(one.log, 2000), Status::pending);
    BatchHeader header;
    Slice entries;
    Hash hash;
    ASSERT_EQ(batch_find(one.write.bytes, nullptr, header, entries, hash), BatchFind::whole);
    EXPECT_EQ(header.flags, batch_flag_closing);
    EXPECT_EQ(header.entry_first, 2u);
    EXPECT_EQ(header.entry_count, 0u);
    Slice durable;
    ASSERT_EQ(log_committed(one.log, Status::ok, durable), Status::ok);
    EXPECT_EQ(durable.size, 0u);
    EXPECT_EQ(one.log.entry_durable, 1u);
    EXPECT_EQ(one.log.batch_durable, 2u);
}

TEST(Log, TakesNothingWhereTheDiskMayNotBeWritten) {
    TestLog one;
    one.write_one();
    log_forbid(one.log);
    EXPECT_TRUE(log_is_stopped(one.log));
    EXPECT_EQ(one.reserve(), Status::misconf);
    EXPECT_EQ(log_close(one.log, 1000), Status::misconf);
    EXPECT_FALSE(log_seal(one.log, one.write));
    EXPECT_FALSE(log_wants_segment(one.log));
    EXPECT_EQ(one.log.blocked, LogBlock::read_only);
}

TEST(Log, StaysFailedAfterAFailedWrite) {
    TestLog one;
    one.write_one();
    ASSERT_EQ(one.reserve(), Status::ok);
    one.propose();
    ASSERT_TRUE(log_seal(one.log, one.write));
    ASSERT_EQ(one.reserve(), Status::ok);
    one.propose();
    Slice entries;
    EXPECT_EQ(log_committed(one.log, Status::failed, entries), Status::failed);
    log_release(one.log);
    EXPECT_EQ(one.log.blocked, LogBlock::failed);
    EXPECT_EQ(one.log.entry_durable, 1u);
    EXPECT_EQ(one.log.batch_durable, 1u);
    EXPECT_EQ(one.reserve(), Status::misconf);
    EXPECT_EQ(log_close(one.log, 1000), Status::misconf);
    EXPECT_FALSE(log_seal(one.log, one.write));
    EXPECT_FALSE(log_wants_segment(one.log));
}
