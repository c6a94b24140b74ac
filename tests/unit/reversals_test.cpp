// Which entries have been reversed, against a set kept on paper that forgets nothing.

#include "ledger/reversals.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "unit/test_bank.h"

namespace {

struct TestReversals {
    explicit TestReversals(uint32_t window_max) {
        Arena arena = {};
        reversals_layout(ring, arena, window_max);
        memory.resize(arena.used + arena_align);
        const uint64_t size = arena.used;
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena = {};
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = size;
        reversals_layout(ring, arena, window_max);
        reversals_init(ring);
    }
    void install(uint64_t seq, uint64_t reversed) {
        ASSERT_EQ(reversals_judge(ring, seq, reversed), Status::ok);
        reversals_install(ring, seq, reversed);
    }
    std::vector<uint8_t> memory;
    Reversals ring = {};
};

// Everything that was ever reversed, and the oldest entry in reach by the words of the header.
struct Paper {
    std::set<uint64_t> reversed;
    uint64_t floor = 1;
    uint32_t window;

    uint64_t from(uint64_t head) const {
        const uint64_t first = head > window ? head - window + 1 : 1;
        return first > floor ? first : floor;
    }
    void set_window(uint64_t head, uint32_t next) {
        floor = from(head);
        window = next;
        floor = from(head);
    }
};

std::vector<uint64_t> saved(const Reversals& ring, uint64_t from, uint64_t end) {
    std::vector<uint64_t> all;
    for (uint64_t seq = from;; seq++) {
        seq = reversals_next_saved(ring, seq, end);
        if (seq == end) return all;
        all.push_back(seq);
    }
}

std::vector<uint64_t> in_reach(const Paper& paper, uint64_t head) {
    return {paper.reversed.lower_bound(paper.from(head)), paper.reversed.end()};
}

}  // namespace

TEST(Reversals, AgreeWithPaperWhileWindowsShrinkAndGrow) {
    for (uint32_t seed = 1; seed <= 40; seed++) {
        TestRandom random(seed);
        const uint32_t room = 1 + random.below(300);
        TestReversals one(room);
        Paper paper = {.reversed = {}, .floor = 1, .window = room};
        for (uint64_t seq = 1; seq <= 1500; seq++) {
            const uint64_t head = seq - 1;
            if (random.below(60) == 0) {
                const uint32_t window = 1 + random.below(room);
                reversals_set_window(one.ring, window);
                paper.set_window(head, window);
            }
            const uint64_t from = reversals_from(one.ring, head);
            ASSERT_EQ(from, paper.from(head)) << seed << " " << seq;
            uint64_t reversed = 0;
            if (from <= head && random.below(3) == 0) {
                reversed = from + random.below(static_cast<uint32_t>(head - from + 1));
                if (random.below(4) == 0) reversed = from;
                ASSERT_EQ(reversals_is_set(one.ring, reversed), paper.reversed.contains(reversed));
                const Status judged = reversals_judge(one.ring, seq, reversed);
                const bool again = paper.reversed.contains(reversed);
                ASSERT_EQ(judged, again ? Status::damaged : Status::ok) << seed << " " << seq;
                if (again) reversed = 0;
            }
            // As a replay does it, and as it is done live.
            if (reversed != 0 && random.below(2) == 0) {
                reversals_decide(one.ring, reversed);
                ASSERT_TRUE(reversals_is_set(one.ring, reversed));
            }
            one.install(seq, reversed);
            if (reversed != 0) paper.reversed.insert(reversed);
            ASSERT_EQ(one.ring.pending_count, 0u);
            if (random.below(20) != 0) continue;
            for (uint64_t each = paper.from(seq); each <= seq; each++) {
                ASSERT_EQ(reversals_is_set(one.ring, each), paper.reversed.contains(each))
                    << seed << " " << seq << " " << each;
            }
            reversals_save(one.ring);
            ASSERT_EQ(saved(one.ring, paper.from(seq), seq + 1), in_reach(paper, seq));
        }
    }
}

// P4: less room forgets what its own window does not reach, and nothing else.
TEST(Reversals, ReplayWithLessRoomToTheSameBitsOfTheSmallerWindow) {
    for (uint32_t seed = 1; seed <= 20; seed++) {
        TestRandom random(seed);
        TestReversals large(500);
        TestReversals small(1 + random.below(200));
        for (uint64_t seq = 1; seq <= 2000; seq++) {
            const uint64_t from = reversals_from(large.ring, seq - 1);
            uint64_t reversed = 0;
            if (seq > 1 && random.below(2) == 0) {
                reversed = from + random.below(static_cast<uint32_t>(seq - from));
                if (reversals_is_set(large.ring, reversed)) reversed = 0;
            }
            large.install(seq, reversed);
            small.install(seq, reversed);
        }
        reversals_set_window(large.ring, small.ring.window_max);
        reversals_set_window(small.ring, small.ring.window_max);
        const uint64_t from = reversals_from(large.ring, 2000);
        ASSERT_EQ(from, reversals_from(small.ring, 2000));
        for (uint64_t seq = from; seq <= 2000; seq++) {
            ASSERT_EQ(reversals_is_set(large.ring, seq), reversals_is_set(small.ring, seq));
        }
    }
}

TEST(Reversals, AWindowThatGrowsReachesNothingThatHadLeftIt) {
    TestReversals one(100);
    for (uint64_t seq = 1; seq <= 50; seq++) one.install(seq, 0);
    reversals_set_window(one.ring, 10);
    EXPECT_EQ(reversals_from(one.ring, 50), 41u);
    reversals_set_window(one.ring, 100);
    EXPECT_EQ(reversals_from(one.ring, 50), 41u);
    EXPECT_EQ(reversals_from(one.ring, 140), 41u);
    EXPECT_EQ(reversals_from(one.ring, 141), 42u);
    // No window is none at all, and none is larger than its room.
    reversals_set_window(one.ring, 0);
    EXPECT_EQ(reversals_from(one.ring, 50), 50u);
    reversals_set_window(one.ring, UINT32_MAX);
    EXPECT_EQ(one.ring.window, 100u);
}

TEST(Reversals, WhatIsDecidedCountsUntilItIsTakenBack) {
    TestReversals one(64);
    for (uint64_t seq = 1; seq <= 5; seq++) one.install(seq, 0);
    reversals_decide(one.ring, 2);
    reversals_decide(one.ring, 3);
    EXPECT_TRUE(reversals_is_set(one.ring, 2));
    EXPECT_TRUE(reversals_is_set(one.ring, 3));
    reversals_undo(one.ring);
    EXPECT_FALSE(reversals_is_set(one.ring, 3));
    one.install(6, 2);
    EXPECT_EQ(one.ring.pending_count, 0u);
    EXPECT_TRUE(reversals_is_set(one.ring, 2));
    reversals_decide(one.ring, 4);
    reversals_drop(one.ring);
    EXPECT_FALSE(reversals_is_set(one.ring, 4));
    EXPECT_TRUE(reversals_is_set(one.ring, 2));
}

TEST(Reversals, JudgeWhatADiskSays) {
    TestReversals one(64);
    for (uint64_t seq = 1; seq <= 10; seq++) one.install(seq, 0);
    EXPECT_EQ(reversals_judge(one.ring, 11, 0), Status::ok);
    EXPECT_EQ(reversals_judge(one.ring, 11, 11), Status::damaged);
    EXPECT_EQ(reversals_judge(one.ring, 11, UINT64_MAX), Status::damaged);
    one.install(11, 10);
    EXPECT_EQ(reversals_judge(one.ring, 12, 10), Status::damaged);
    EXPECT_EQ(reversals_judge(one.ring, 12, 9), Status::ok);
}

// What a manifest may claim: a walk over the last numbers there are ends.
TEST(Reversals, EndAtTheLastNumbersThereAre) {
    TestReversals one(64);
    const uint64_t head = UINT64_MAX - 1;
    one.ring.head = head;
    for (const uint64_t seq : {head - 100, head - 60, head - 1, head}) {
        reversals_load(one.ring, seq);
    }
    reversals_save(one.ring);
    const std::vector<uint64_t> expected = {head - 60, head - 1, head};
    EXPECT_EQ(saved(one.ring, head - 63, head + 1), expected);
    EXPECT_EQ(reversals_next_saved(one.ring, head - 50, head - 5), head - 5);
    EXPECT_EQ(reversals_judge(one.ring, UINT64_MAX, head - 60), Status::damaged);
}
