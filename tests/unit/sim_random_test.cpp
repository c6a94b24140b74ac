#include "port/sim/random.h"

#include <gtest/gtest.h>

#include <set>

TEST(SimRandom, IsTheSameForTheSameSeedAndAnotherForEachStream) {
    std::set<uint64_t> seen;
    for (uint32_t stream = 0; stream < 6; stream++) {
        SimRandom a = sim_random_of(7, static_cast<SimStream>(stream));
        SimRandom b = sim_random_of(7, static_cast<SimStream>(stream));
        for (uint32_t i = 0; i < 100; i++) {
            const uint64_t drawn = sim_random_next(a);
            EXPECT_EQ(drawn, sim_random_next(b));
            EXPECT_TRUE(seen.insert(drawn).second);
        }
    }
    SimRandom known = {{1, 2, 3, 4}};  // The first numbers of the generator's own reference.
    EXPECT_EQ(sim_random_next(known), 11520u);
    EXPECT_EQ(sim_random_next(known), 0u);
    EXPECT_EQ(sim_random_next(known), 1509978240u);
}

TEST(SimRandom, StaysWithinItsBoundsAndReachesAllOfThem) {
    SimRandom random = sim_random_of(1, SimStream::world);
    uint32_t counts[6] = {};
    for (uint32_t i = 0; i < 6000; i++) counts[sim_random_below(random, 6)]++;
    for (const uint32_t count : counts) EXPECT_NEAR(count, 1000, 200);
    bool low = false;
    bool high = false;
    for (uint32_t i = 0; i < 1000; i++) {
        const uint64_t drawn = sim_random_between(random, 10, 12);
        ASSERT_TRUE(drawn >= 10 && drawn <= 12);
        low = low || drawn == 10;
        high = high || drawn == 12;
    }
    EXPECT_TRUE(low && high);
    EXPECT_FALSE(sim_random_chance(random, 0));
    EXPECT_TRUE(sim_random_chance(random, 100));
    sim_random_between(random, 0, UINT64_MAX);
    uint8_t bytes[17] = {};
    sim_random_fill(random, bytes, 16);
    EXPECT_EQ(bytes[16], 0);
}
