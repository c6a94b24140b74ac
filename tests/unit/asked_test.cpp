// The newest ids of each person: prints against a list that forgets nothing.

#include "ledger/asked.h"

#include <gtest/gtest.h>

#include <vector>

#include "unit/test_bank.h"

namespace {

// Steps back to the oldest of the newest 32 with this print, as a person would count.
uint32_t steps_on_paper(const std::vector<uint16_t>& all, uint16_t print) {
    uint32_t found = 0;
    for (uint32_t steps = 1; steps <= asked_max && steps <= all.size(); steps++) {
        if (all[all.size() - steps] == print) found = steps;
    }
    return found;
}

}  // namespace

TEST(Asked, CountsStepsAsPaperDoes) {
    for (uint32_t seed = 1; seed <= 20; seed++) {
        TestRandom random(seed);
        const uint32_t prints = 1 + random.below(80);  // Few, so that many are the same.
        Asked asked = {};
        std::vector<uint16_t> all;
        for (uint32_t i = 0; i < 200; i++) {
            for (uint32_t print = 0; print <= prints; print++) {
                const uint16_t each = static_cast<uint16_t>(print);
                ASSERT_EQ(asked_steps(asked, each, 0), steps_on_paper(all, each)) << seed;
            }
            const uint16_t print = static_cast<uint16_t>(random.below(prints));
            asked_add(asked, print, position_of(1, 100 + i), 1000 + i);
            all.push_back(print);
            ASSERT_EQ(asked.count, all.size());
            ASSERT_EQ(asked.last, position_of(1, 100 + i));
            ASSERT_EQ(asked.turned_ms, 1000u + i / asked_max * asked_max);
        }
    }
}

TEST(Asked, ReachesTheThirtySecondAndNotTheOneBefore) {
    Asked asked = {};
    for (uint32_t i = 0; i < 33; i++) {
        asked_add(asked, static_cast<uint16_t>(i), position_of(1, 100 + i), 1);
    }
    EXPECT_EQ(asked_steps(asked, 0, 0), 0u);
    EXPECT_EQ(asked_steps(asked, 1, 0), 32u);
    EXPECT_EQ(asked_steps(asked, 32, 0), 1u);
    // Only those behind what was looked at.
    EXPECT_EQ(asked_steps(asked, 10, 10), 23u);
    EXPECT_EQ(asked_steps(asked, 10, 11), 0u);
    EXPECT_EQ(asked_steps(asked, 32, 33), 0u);
    EXPECT_EQ(asked_steps(asked, 32, UINT64_MAX), 0u);
}
