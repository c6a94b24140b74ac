#include "ledger/ids.h"

#include <gtest/gtest.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "unit/test_bank.h"

namespace {

struct TestIds {
    explicit TestIds(uint32_t window_max) {
        Arena measure = {};
        ids_layout(ids, measure, window_max);
        memory.resize(measure.used + arena_align);
        Arena arena = {};
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = measure.used;
        ids_layout(ids, arena, window_max);
        const uint8_t key[16] = {4};
        ids_init(ids, key);
    }

    void add(uint64_t seq) {
        IdRecord record = {};
        record.seq = seq;
        record.person = static_cast<uint32_t>(seq % 3);
        const std::string text = "id" + std::to_string(seq);
        memcpy(record.id.text, text.data(), text.size());
        record.id.size = static_cast<uint8_t>(text.size());
        ids_add(ids, record);
    }

    bool has(uint64_t seq) const {
        const std::string text = "id" + std::to_string(seq);
        const IdRecord* record = ids_find(ids, static_cast<uint32_t>(seq % 3), slice_of(text));
        EXPECT_TRUE(record == nullptr || record->seq == seq);
        EXPECT_EQ(ids_find(ids, static_cast<uint32_t>((seq + 1) % 3), slice_of(text)), nullptr);
        return record != nullptr;
    }

    // Exactly the records after `first` and up to `last` are found.
    void expect_window(uint64_t first, uint64_t last) const {
        for (uint64_t seq = 1; seq <= last + 3; seq++) {
            ASSERT_EQ(has(seq), seq > first && seq <= last) << seq;
        }
    }

    std::vector<uint8_t> memory;
    Ids ids = {};
};

}  // namespace

TEST(Ids, RemembersExactlyTheNewest) {
    for (uint32_t window : {1u, 2u, 7u, 64u}) {
        TestIds one(window);
        for (uint64_t seq = 1; seq <= 3 * window + ids_slack / 16; seq++) {
            one.add(seq);
            one.expect_window(seq > window ? seq - window : 0, seq);
        }
    }
}

TEST(Ids, TakesBackWhatNeverBecameDurable) {
    for (uint32_t window : {1u, 5u, 64u}) {
        for (uint64_t dropped : {uint64_t{1}, uint64_t{4}, uint64_t{100}}) {
            TestIds one(window);
            const uint64_t kept = 200;
            for (uint64_t seq = 1; seq <= kept + dropped; seq++) one.add(seq);
            ids_drop_after(one.ids, kept);
            EXPECT_EQ(one.ids.head, kept);
            one.expect_window(kept - window, kept);
            for (uint64_t seq = kept + 1; seq <= kept + 90; seq++) one.add(seq);
            one.expect_window(kept + 90 - window, kept + 90);
        }
    }
}

TEST(Ids, DropsNothingWhenAllIsDurable) {
    TestIds one(5);
    for (uint64_t seq = 1; seq <= 9; seq++) one.add(seq);
    ids_drop_after(one.ids, 9);
    one.expect_window(4, 9);
    ids_drop_after(one.ids, 0);
    one.expect_window(0, 0);
}

TEST(Ids, NeverFindsAgainWhatLeftTheWindow) {
    TestIds one(64);
    ids_set_window(one.ids, 10);
    for (uint64_t seq = 1; seq <= 30; seq++) one.add(seq);
    one.expect_window(20, 30);
    ids_set_window(one.ids, 40);
    one.expect_window(20, 30);
    for (uint64_t seq = 31; seq <= 60; seq++) one.add(seq);
    one.expect_window(20, 60);
    one.add(61);
    one.expect_window(21, 61);
    ids_set_window(one.ids, 3);
    one.expect_window(58, 61);
    ids_set_window(one.ids, 1000);  // As far as there is room.
    EXPECT_EQ(one.ids.window, 64u);
    one.expect_window(58, 61);
}

TEST(Ids, FollowsAnyMixOfAddingDroppingAndResizing) {
    TestRandom random(7);
    TestIds one(50);
    uint64_t last = 0;     // records so far
    uint64_t durable = 0;
    uint64_t gone = 0;     // records up to here left when the window was made anew
    uint32_t window = 50;
    const auto first = [&] { return std::max(gone, last > window ? last - window : 0); };
    for (uint32_t step = 0; step < 3000; step++) {
        const uint32_t choice = random.below(20);
        if (choice < 17) {
            one.add(++last);
            if (choice < 10) durable = last;
        } else if (choice == 17) {
            durable = last;
            gone = first();
            window = 1 + random.below(50);
            gone = first();
            ids_set_window(one.ids, window);
        } else {
            ids_drop_after(one.ids, durable);
            last = durable;
        }
        ASSERT_EQ(one.ids.head, last);
        ASSERT_EQ(ids_first(one.ids), first());
        if (step % 20 == 0) one.expect_window(first(), last);
    }
}
