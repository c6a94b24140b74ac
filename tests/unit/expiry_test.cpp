// Ends of certificates: who is told when, and that nobody is told twice.
#include "access/expiry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/slices.h"

namespace {

constexpr uint64_t day = 86'400'000;
constexpr uint64_t now = 1'800'000'000'000;

struct TestExpiry {
    explicit TestExpiry(uint32_t terminals = 8) {
        Arena measured = {};
        expiry_layout(expiry, measured, terminals);
        memory.resize(measured.used + arena_align);
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        Arena arena = {};
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = measured.used;
        expiry_layout(expiry, arena, terminals);
        expiry_init(expiry);
    }
    void note(const std::string& terminal, uint64_t end_ms) {
        Name name = {};
        EXPECT_EQ(parse_name(slice_of(terminal.c_str()), name), Status::ok);
        expiry_note(expiry, ExpiryKind::terminal, name, end_ms);
    }
    // All who are told now, in the order of their rows.
    std::string told(uint64_t wall_ms) {
        std::string text;
        ExpiryRow row;
        while (expiry_next(expiry, wall_ms, row)) {
            text += string_of(name_slice(row.name)) + ":" +
                    std::to_string(expiry_days_left(row, wall_ms)) + " ";
        }
        return text;
    }

    Expiry expiry = {};
    std::vector<uint8_t> memory;
};

TEST(ExpiryTest, TellsOnceAtEachThreshold) {
    TestExpiry one;
    one.note("kiosk", now + 31 * day);
    EXPECT_EQ(one.told(now), "");
    EXPECT_EQ(one.told(now + day), "kiosk:30 ");
    EXPECT_EQ(one.told(now + day), "");
    EXPECT_EQ(one.told(now + 24 * day - 1), "");
    EXPECT_EQ(one.told(now + 24 * day), "kiosk:7 ");
    EXPECT_EQ(one.told(now + 30 * day), "kiosk:1 ");
    EXPECT_EQ(one.told(now + 31 * day - 1), "");
    EXPECT_EQ(one.told(now + 31 * day), "kiosk:0 ");
    EXPECT_EQ(one.told(now + 99 * day), "");
}

TEST(ExpiryTest, TellsOnceWhatHasPassedSeveral) {
    TestExpiry one;
    one.note("kiosk", now + day / 2);
    EXPECT_EQ(one.told(now), "kiosk:0 ");
    EXPECT_EQ(one.told(now + day / 2), "kiosk:0 ");
    EXPECT_EQ(one.told(now + day), "");
}

TEST(ExpiryTest, TellsARenewedOneAnew) {
    TestExpiry one;
    one.note("kiosk", now + 2 * day);
    EXPECT_EQ(one.told(now), "kiosk:2 ");
    one.note("kiosk", now + 2 * day);
    EXPECT_EQ(one.told(now), "");
    one.note("kiosk", now + 40 * day);
    EXPECT_EQ(one.told(now + 9 * day), "");
    EXPECT_EQ(one.told(now + 10 * day), "kiosk:30 ");
    EXPECT_EQ(expiry_count(one.expiry, ExpiryKind::terminal), 1u);
}

TEST(ExpiryTest, KeepsThoseThatEndFirst) {
    TestExpiry one(4);
    for (uint32_t i = 0; i < 40; i++) {
        one.note("t" + std::to_string(i), now + (40 - i) * day);
    }
    EXPECT_EQ(expiry_first(one.expiry, ExpiryKind::terminal)->not_after_ms, now + day);
    const uint32_t count = expiry_count(one.expiry, ExpiryKind::terminal);
    EXPECT_EQ(expiry_within(one.expiry, ExpiryKind::terminal, now, count), count);
    one.note("late", now + 900 * day);
    EXPECT_EQ(expiry_within(one.expiry, ExpiryKind::terminal, now, count), count);
}

TEST(ExpiryTest, KnowsTheServersOwnByKind) {
    TestExpiry one;
    const Name none = {};
    expiry_note(one.expiry, ExpiryKind::server, none, now + 5 * day);
    expiry_note(one.expiry, ExpiryKind::authority, none, now + 500 * day);
    expiry_note(one.expiry, ExpiryKind::revocations, none, 0);
    EXPECT_EQ(expiry_days_left(*expiry_first(one.expiry, ExpiryKind::server), now), 5u);
    EXPECT_EQ(expiry_first(one.expiry, ExpiryKind::revocations), nullptr);
    EXPECT_EQ(expiry_first(one.expiry, ExpiryKind::terminal), nullptr);
    expiry_note(one.expiry, ExpiryKind::server, none, 0);
    EXPECT_EQ(expiry_first(one.expiry, ExpiryKind::server), nullptr);
    EXPECT_EQ(expiry_count(one.expiry, ExpiryKind::authority), 1u);
}

}  // namespace
