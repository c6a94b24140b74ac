// The one reservation: measured first, then cut, then sealed (P5).
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

struct Odd {
    uint8_t bytes[13];
};

// Some takes as a server would make them; gives back what they got.
std::vector<uint8_t*> lay_out(Arena& arena) {
    return {
        static_cast<uint8_t*>(arena_take(arena, "one byte", 1, 1)),
        static_cast<uint8_t*>(arena_take(arena, "none", 0, 100)),
        reinterpret_cast<uint8_t*>(arena_array<uint64_t>(arena, "numbers", 9)),
        reinterpret_cast<uint8_t*>(arena_array<Odd>(arena, "odd ones", 7)),
        static_cast<uint8_t*>(arena_take(arena, "empty ones", 5, 0)),
        static_cast<uint8_t*>(arena_take(arena, "a line", 1, arena_align)),
        static_cast<uint8_t*>(arena_take(arena, "more than a line", 1, arena_align + 1)),
    };
}

}  // namespace

TEST(Arena, MeasuringTakesNothingAndAddsUp) {
    Arena arena = {};
    for (uint8_t* const taken : lay_out(arena)) EXPECT_EQ(taken, nullptr);  // R1
    uint64_t sum = 0;
    for (uint32_t i = 0; i < arena.row_count; i++) {
        EXPECT_GE(arena.rows[i].bytes, arena.rows[i].count * arena.rows[i].size);
        EXPECT_EQ(arena.rows[i].bytes % arena_align, 0u);
        sum += arena.rows[i].bytes;
    }
    EXPECT_EQ(arena.row_count, 7u);
    EXPECT_EQ(arena.used, sum);  // R2
    EXPECT_EQ(std::string(arena.rows[2].name), "numbers");
    EXPECT_EQ(arena.rows[2].count, 9u);
    EXPECT_EQ(arena.rows[2].size, 8u);
}

TEST(Arena, TheSecondPassFitsIntoWhatTheFirstMeasured) {
    Arena measured = {};
    lay_out(measured);
    alignas(arena_align) static uint8_t memory[4096] = {};
    ASSERT_LE(measured.used, sizeof memory);
    Arena arena = {};
    arena.base = memory;
    arena.size = measured.used;
    const std::vector<uint8_t*> taken = lay_out(arena);
    EXPECT_EQ(arena.used, measured.used);
    for (size_t i = 0; i < taken.size(); i++) {
        ASSERT_NE(taken[i], nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(taken[i]) % arena_align, 0u);
        const uint64_t end = i + 1 < taken.size() ? static_cast<uint64_t>(taken[i + 1] - memory)
                                                  : arena.used;
        EXPECT_EQ(taken[i] + arena.rows[i].bytes, memory + end) << "rows do not overlap";
        for (uint64_t byte = 0; byte < arena.rows[i].bytes; byte++) EXPECT_EQ(taken[i][byte], 0);
    }
}

TEST(Arena, NothingIsTakenBeyondTheReservation) {
    alignas(arena_align) static uint8_t memory[2 * arena_align] = {};
    Arena arena = {};
    arena.base = memory;
    arena.size = sizeof memory;
    EXPECT_EQ(arena_take(arena, "a", 1, 1), memory);
    EXPECT_DEATH(arena_take(arena, "b", 1, arena_align + 1), "");
    EXPECT_EQ(arena_take(arena, "b", 1, arena_align), memory + arena_align);
    EXPECT_DEATH(arena_take(arena, "c", 1, 1), "");
}

TEST(Arena, NothingIsTakenAfterTheSeal) {
    Arena arena = {};
    arena_seal(arena);
    EXPECT_DEATH(arena_take(arena, "late", 1, 1), "");
}

TEST(Arena, CountsThatOverflowAreRefused) {
    Arena arena = {};
    EXPECT_DEATH(arena_take(arena, "huge", UINT64_MAX / 2, 4), "");
    EXPECT_DEATH(arena_take(arena, "huge", UINT64_MAX, 1), "");
}
