// A fixed number of slots: a full pool is an answer, and a slot's tenants can be told apart.
#include "base/pool.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace {

struct PoolOfInts {
    explicit PoolOfInts(uint32_t count) : memory(3 * (count * 8 / arena_align + 1) * arena_align) {
        arena.base = memory.data();
        arena.size = memory.size();
        pool_layout(pool, arena, "ints", count);
        pool_init(pool);
    }

    std::vector<uint8_t> memory;
    Arena arena = {};
    Pool<int> pool = {};
};

}  // namespace

TEST(Pool, EverySlotIsTakenOnceAndThenItIsFull) {
    for (uint32_t count = 0; count < 20; count++) {
        PoolOfInts ints(count);
        std::set<uint32_t> taken;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t index = pool_take(ints.pool);
            EXPECT_LT(index, count);
            EXPECT_TRUE(taken.insert(index).second);
            EXPECT_EQ(ints.pool.taken, i + 1);
        }
        for (int turn = 0; turn < 3; turn++) EXPECT_EQ(pool_take(ints.pool), pool_none);
        EXPECT_EQ(ints.pool.taken, count);
        EXPECT_EQ(ints.pool.taken_max, count);
    }
}

TEST(Pool, TakingAndGivingAgreesWithANaiveModel) {
    constexpr uint32_t count = 13;
    PoolOfInts ints(count);
    std::set<uint32_t> model;
    uint32_t most = 0;
    uint32_t seed = 12345;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525 + 1013904223;
        if (seed >> 31 == 0) {
            const uint32_t index = pool_take(ints.pool);
            ASSERT_EQ(index == pool_none, model.size() == count);
            if (index == pool_none) continue;
            ASSERT_TRUE(model.insert(index).second);
            pool_at(ints.pool, index) = static_cast<int>(index);
        } else if (!model.empty()) {
            auto chosen = model.begin();
            for (uint32_t i = 0; i < (seed >> 8) % model.size(); i++) ++chosen;
            ASSERT_EQ(pool_at(ints.pool, *chosen), static_cast<int>(*chosen));
            pool_give(ints.pool, *chosen);
            model.erase(chosen);
        }
        most = model.size() > most ? static_cast<uint32_t>(model.size()) : most;
        ASSERT_EQ(ints.pool.taken, model.size());
        ASSERT_EQ(ints.pool.taken_max, most);  // L2
        for (uint32_t i = 0; i < count; i++) {
            ASSERT_EQ(pool_is_taken(ints.pool, i), model.count(i) == 1);  // L1
        }
    }
}

TEST(Pool, TheNextTenantHasAnotherGeneration) {
    PoolOfInts ints(1);
    std::set<uint32_t> seen;
    for (int turn = 0; turn < 10; turn++) {
        const uint32_t index = pool_take(ints.pool);
        ASSERT_EQ(index, 0u);
        EXPECT_TRUE(seen.insert(ints.pool.generation[index]).second);
        pool_give(ints.pool, index);
        EXPECT_TRUE(seen.insert(ints.pool.generation[index]).second);
    }
}

TEST(Pool, RefusesTheOneTakeThatATestNames) {
    for (uint64_t at = 0; at < 4; at++) {
        PoolOfInts ints(3);
        ints.pool.refuse_at = at;
        uint32_t given = 0;
        for (uint64_t take = 0; take < 4; take++) {
            const bool is_refused = take == at || given == 3;
            EXPECT_EQ(pool_has_room(ints.pool), !is_refused) << at << take;
            EXPECT_EQ(pool_take(ints.pool) == pool_none, is_refused) << at << take;
            if (!is_refused) given++;
        }
        EXPECT_EQ(ints.pool.takes, 4u);
        EXPECT_EQ(ints.pool.taken, given);
    }
}

TEST(Pool, MixingUpSlotsIsOurOwnMistake) {
    PoolOfInts ints(2);
    const uint32_t index = pool_take(ints.pool);
    EXPECT_DEATH(pool_give(ints.pool, 2), "");
    EXPECT_DEATH(pool_give(ints.pool, pool_none), "");
    EXPECT_DEATH(pool_give(ints.pool, 1 - index), "") << "never taken";
    pool_give(ints.pool, index);
    EXPECT_DEATH(pool_give(ints.pool, index), "") << "given twice";
    EXPECT_DEATH(pool_at(ints.pool, index), "") << "used after it was given";
}
