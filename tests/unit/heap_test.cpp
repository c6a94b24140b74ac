// The fixed heap: what it gives, what it refuses, and what it does not forgive.
#include "base/heap.h"

#include <gtest/gtest.h>
#include <string.h>

#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "unit/test_port.h"

namespace {

constexpr HeapClassRow rows[] = {{16, 4}, {64, 3}, {256, 2}, {1024, 1}};
constexpr uint32_t row_count = 4;
constexpr uint32_t block_count = 10;

struct HeapTest : testing::Test {
    Heap heap = {};
    std::vector<uint8_t> memory;

    void SetUp() override {
        Arena measured = {};
        heap_layout(heap, measured, "test", rows, row_count);
        memory.resize(measured.used + arena_align);
        uint8_t* base = memory.data();
        while (reinterpret_cast<uintptr_t>(base) % arena_align != 0) base++;
        Arena arena = {};
        arena.base = base;
        arena.size = measured.used;
        heap_layout(heap, arena, "test", rows, row_count);
        heap_init(heap);
    }

    uint64_t bytes_all() const {
        uint64_t bytes = 0;
        for (const HeapClassRow& row : rows) bytes += uint64_t{row.size} * row.count;
        return bytes;
    }

    // Takes every block there is, by size, and gives all back.
    void expect_full_capacity() {
        ASSERT_EQ(heap_bytes_taken(heap), 0u);
        std::vector<void*> blocks;
        for (const HeapClassRow& row : rows) {
            for (uint32_t i = 0; i < row.count; i++) {
                blocks.push_back(heap_take(heap, row.size));
                ASSERT_NE(blocks.back(), nullptr);
            }
        }
        EXPECT_EQ(heap_bytes_taken(heap), bytes_all());
        EXPECT_EQ(heap_take(heap, 1), nullptr);
        for (void* block : blocks) heap_give(heap, block);
        ASSERT_EQ(heap_bytes_taken(heap), 0u);
    }
};

using HeapDeathTest = HeapTest;

TEST_F(HeapTest, every_block_is_distinct_aligned_and_inside) {
    std::vector<uint8_t*> blocks;
    std::vector<uint32_t> sizes;
    for (const HeapClassRow& row : rows) {
        for (uint32_t i = 0; i < row.count; i++) {
            blocks.push_back(static_cast<uint8_t*>(heap_take(heap, row.size)));
            sizes.push_back(row.size);
        }
    }
    ASSERT_EQ(blocks.size(), block_count);
    for (uint32_t i = 0; i < block_count; i++) {
        EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks[i]) % 16, 0u);
        memset(blocks[i], static_cast<int>(i), sizes[i]);
    }
    for (uint32_t i = 0; i < block_count; i++) {
        for (uint32_t at = 0; at < sizes[i]; at++) ASSERT_EQ(blocks[i][at], i);
    }
    for (uint8_t* block : blocks) heap_give(heap, block);
    expect_full_capacity();
}

TEST_F(HeapTest, a_short_class_spills_upwards_before_anything_is_refused) {
    std::vector<void*> blocks;
    for (uint32_t i = 0; i < block_count; i++) {
        blocks.push_back(heap_take(heap, 1));
        ASSERT_NE(blocks.back(), nullptr) << i;
    }
    EXPECT_EQ(heap.classes[0].spilled, block_count - rows[0].count);
    EXPECT_EQ(heap.refused, 0u);
    for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{16}, uint64_t{1024}}) {
        EXPECT_EQ(heap_take(heap, size), nullptr);
    }
    EXPECT_EQ(heap.refused, 4u);
    heap_give(heap, blocks[9]);  // the block of 1024 bytes serves any size again
    EXPECT_EQ(heap_take(heap, 1), blocks[9]);
    for (void* block : blocks) heap_give(heap, block);
    expect_full_capacity();
}

TEST_F(HeapTest, never_spills_downwards_and_refuses_what_no_class_holds) {
    void* only = heap_take(heap, 257);
    ASSERT_NE(only, nullptr);
    EXPECT_EQ(heap_take(heap, 257), nullptr);
    EXPECT_NE(heap_take(heap, 256), nullptr);
    EXPECT_EQ(heap_take(heap, 1025), nullptr);
    EXPECT_EQ(heap_take(heap, UINT64_MAX), nullptr);
    EXPECT_EQ(heap_take_zeroed(heap, UINT64_MAX / 2, 4), nullptr);  // the product does not fit
    EXPECT_EQ(heap_take_zeroed(heap, uint64_t{1} << 32, uint64_t{1} << 32), nullptr);
    EXPECT_EQ(heap.refused, 3u);
}

TEST_F(HeapTest, refuses_the_one_request_that_a_test_names) {
    heap.refuse_at = 1;
    void* first = heap_take(heap, 1);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(heap_take(heap, 1), nullptr);
    EXPECT_EQ(heap.refused, 1u);
    void* third = heap_resize(heap, first, 40);
    ASSERT_NE(third, nullptr);
    EXPECT_EQ(heap.takes, 3u);
    heap.refuse_at = 3;
    EXPECT_EQ(heap_resize(heap, third, 200), nullptr) << "the block is as it was";
    heap_give(heap, third);
    heap.refuse_at = UINT64_MAX;
    expect_full_capacity();
}

TEST_F(HeapTest, zeroed_blocks_are_zero_after_use) {
    uint8_t* block = static_cast<uint8_t*>(heap_take(heap, 64));
    memset(block, 0xee, 64);
    heap_give(heap, block);
    uint8_t* again = static_cast<uint8_t*>(heap_take_zeroed(heap, 8, 8));
    ASSERT_EQ(again, block);
    for (uint32_t i = 0; i < 64; i++) EXPECT_EQ(again[i], 0);
}

TEST_F(HeapTest, resize_keeps_bytes_and_place_where_it_can) {
    uint8_t* block = static_cast<uint8_t*>(heap_resize(heap, nullptr, 10));
    ASSERT_NE(block, nullptr);
    for (uint8_t i = 0; i < 16; i++) block[i] = i;
    EXPECT_EQ(heap_resize(heap, block, 16), block);
    EXPECT_EQ(heap_resize(heap, block, 1), block);
    uint8_t* larger = static_cast<uint8_t*>(heap_resize(heap, block, 17));
    ASSERT_NE(larger, nullptr);
    EXPECT_NE(larger, block);
    for (uint8_t i = 0; i < 16; i++) EXPECT_EQ(larger[i], i);
    EXPECT_EQ(heap_resize(heap, larger, 1025), nullptr);  // and the block is as it was
    for (uint8_t i = 0; i < 16; i++) EXPECT_EQ(larger[i], i);
    EXPECT_EQ(heap_bytes_taken(heap), 64u);
    EXPECT_EQ(heap_resize(heap, larger, 0), nullptr);
    expect_full_capacity();
}

TEST_F(HeapTest, serves_its_full_capacity_after_any_history) {
    std::mt19937 random(4711);
    std::vector<std::pair<uint8_t*, uint64_t>> held;
    for (uint32_t step = 0; step < 20000; step++) {
        const bool give = !held.empty() && random() % 2 == 0;
        if (give) {
            const size_t at = random() % held.size();
            for (uint64_t i = 0; i < held[at].second; i++) {
                ASSERT_EQ(held[at].first[i], static_cast<uint8_t>(held[at].second));
            }
            heap_give(heap, held[at].first);
            held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        } else {
            const uint64_t size = random() % 1100;
            uint8_t* block = static_cast<uint8_t*>(heap_take(heap, size));
            if (block == nullptr) continue;
            memset(block, static_cast<uint8_t>(size), size);
            held.push_back({block, size});
        }
        std::set<uint8_t*> distinct;
        for (const auto& [block, size] : held) ASSERT_TRUE(distinct.insert(block).second);
    }
    for (const auto& [block, size] : held) heap_give(heap, block);
    heap_give(heap, nullptr);
    expect_full_capacity();
}

TEST_F(HeapTest, untouched_blocks_stay_untouched) {
    heap_give(heap, heap_take(heap, 16));
    heap_give(heap, heap_take(heap, 16));
    EXPECT_EQ(heap.classes[0].fresh, 1u);
    EXPECT_EQ(heap.classes[1].fresh, 0u);
    EXPECT_EQ(heap.classes[0].taken_max, 1u);
}

TEST_F(HeapTest, measuring_and_laying_out_take_the_same_bytes) {
    Heap other = {};
    Arena measured = {};
    heap_layout(other, measured, "test", rows, row_count);
    EXPECT_EQ(measured.row_count, 2u);
    EXPECT_EQ(measured.rows[0].size, bytes_all());
    EXPECT_EQ(other.classes[0].base, nullptr);
}

TEST_F(HeapTest, threads_are_serialised_by_the_lock) {
    static std::mutex mutex;
    heap.lock = [](void*) { mutex.lock(); };
    heap.unlock = [](void*) { mutex.unlock(); };
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 4; t++) {
        threads.emplace_back([this, t] {
            std::mt19937 random(t);
            for (uint32_t i = 0; i < 5000; i++) {
                void* a = heap_take_zeroed(heap, 1, random() % 300);
                void* b = heap_resize(heap, nullptr, random() % 60);
                heap_give(heap, a);
                heap_give(heap, b);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    expect_full_capacity();
}

TEST_F(HeapDeathTest, misuse_ends_in_check) {
    uint8_t* block = static_cast<uint8_t*>(heap_take(heap, 64));
    EXPECT_DEATH(
        {
            heap_give(heap, block);
            heap_give(heap, block);
        },
        "block_taken");
    EXPECT_DEATH(heap_give(heap, block + 16), "offset % owner.size == 0");
    EXPECT_DEATH(heap_give(heap, block + 64), "index < owner.fresh");  // never taken
    uint8_t outside = 0;
    EXPECT_DEATH(heap_give(heap, &outside), "block_is_of_this_heap");
    EXPECT_DEATH((void)heap_resize(heap, block + 1, 10), "offset % owner.size == 0");
    heap_give(heap, block);
    EXPECT_DEATH((void)heap_resize(heap, block, 10), "block_taken");
}

TEST_F(HeapDeathTest, writing_past_or_after_use_cannot_bend_the_list) {
    uint8_t* first = static_cast<uint8_t*>(heap_take(heap, 64));
    uint8_t* second = static_cast<uint8_t*>(heap_take(heap, 64));
    heap_give(heap, second);
    memset(first, 0xff, 128);  // over the end of its own block, into a free one
    EXPECT_EQ(heap_take(heap, 64), second);
    heap_give(heap, first);
    heap_give(heap, second);
    expect_full_capacity();
}

TEST_F(HeapDeathTest, rows_out_of_order_end_in_check) {
    Arena arena = {};
    constexpr HeapClassRow falling[] = {{64, 1}, {16, 1}};
    EXPECT_DEATH(heap_layout(heap, arena, "test", falling, 2), "rows");
    constexpr HeapClassRow odd[] = {{20, 1}};
    EXPECT_DEATH(heap_layout(heap, arena, "test", odd, 1), "block_align");
    EXPECT_DEATH(heap_layout(heap, arena, "test", odd, 0), "row_count > 0");
}

}  // namespace
