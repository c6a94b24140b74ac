// The hash table against a naive model, with hashes that collide as much as they can.
#include "base/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace {

struct Memory {
    explicit Memory(uint32_t rows) {
        Arena measured = {};
        table_layout(table, measured, "table", rows);
        bytes.resize(measured.used);
        Arena arena = {};
        arena.base = bytes.data();
        arena.size = bytes.size();
        table_layout(table, arena, "table", rows);
        table_clear(table);
    }

    std::vector<uint8_t> bytes;
    Table table = {};
};

std::vector<uint32_t> rows_of(const Table& table, uint64_t hash) {
    std::vector<uint32_t> rows;
    TableCursor cursor = table_find(table, hash);
    for (uint32_t row = 0; table_next(table, cursor, row);) rows.push_back(row);
    std::sort(rows.begin(), rows.end());
    return rows;
}

struct Random {
    uint64_t state;
    uint32_t next(uint32_t below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<uint32_t>(state >> 33) % below;
    }
};

// Puts and removes at random; the walk of every hash meets just the rows of the model (T1).
void play(uint32_t rows, const std::vector<uint64_t>& hashes, uint64_t seed) {
    Memory memory(rows);
    Random random = {seed};
    std::map<uint32_t, uint64_t> model;
    for (int step = 0; step < 4000; step++) {
        const uint32_t row = random.next(rows);
        if (model.count(row) == 1) {
            table_remove(memory.table, model[row], row);
            model.erase(row);
        } else {
            const uint64_t hash = hashes[random.next(static_cast<uint32_t>(hashes.size()))];
            table_put(memory.table, hash, row);
            model[row] = hash;
        }
        ASSERT_EQ(memory.table.used, model.size());
        for (const uint64_t hash : hashes) {
            std::vector<uint32_t> wanted;
            for (const auto& [other, of] : model) {
                if (of >> 32 == hash >> 32) wanted.push_back(other);
            }
            ASSERT_EQ(rows_of(memory.table, hash), wanted) << "step " << step << " seed " << seed;
        }
    }
    table_clear(memory.table);
    EXPECT_EQ(memory.table.used, 0u);
    for (const uint64_t hash : hashes) EXPECT_TRUE(rows_of(memory.table, hash).empty());
}

uint64_t upper(uint64_t hash) { return hash << 32; }

}  // namespace

TEST(Table, AFreshOneIsEmpty) {
    for (uint32_t rows = 0; rows < 40; rows++) {
        const Memory memory(rows);
        for (uint64_t hash = 0; hash < 64; hash++) {
            EXPECT_TRUE(rows_of(memory.table, upper(hash)).empty());
        }
    }
}

TEST(Table, AllRowsItWasMadeForFit) {
    for (uint32_t rows = 1; rows < 70; rows++) {
        Memory memory(rows);
        for (uint32_t row = 0; row < rows; row++) table_put(memory.table, upper(7), row);
        EXPECT_EQ(rows_of(memory.table, upper(7)).size(), rows);
        for (uint32_t row = 0; row < rows; row++) table_remove(memory.table, upper(7), row);
        EXPECT_TRUE(rows_of(memory.table, upper(7)).empty());
    }
}

TEST(Table, MoreThanHalfFullIsOurOwnMistake) {
    Memory memory(4);
    for (uint32_t row = 0; row < 4; row++) table_put(memory.table, upper(row), row);
    EXPECT_DEATH(table_put(memory.table, upper(9), 9), "");
}

TEST(Table, RemovingWhatIsNotThereIsOurOwnMistake) {
    Memory memory(4);
    EXPECT_DEATH(table_remove(memory.table, upper(1), 1), "");
    table_put(memory.table, upper(1), 1);
    EXPECT_DEATH(table_remove(memory.table, upper(1), 2), "");
}

TEST(Table, RandomHistoriesAgreeWithANaiveModel) {
    for (uint64_t seed = 1; seed <= 8; seed++) {
        Random random = {seed * 77};
        std::vector<uint64_t> spread;
        for (int i = 0; i < 24; i++) spread.push_back(upper(random.next(UINT32_MAX)));
        play(16, spread, seed);
        play(5, spread, seed);
    }
}

TEST(Table, CollisionsAgreeWithANaiveModel) {
    for (uint64_t seed = 1; seed <= 8; seed++) {
        play(16, {upper(3)}, seed);                                   // one hash for all
        play(16, {upper(30), upper(62), upper(94), upper(31)}, seed);  // one home, at the end
        play(16, {upper(29), upper(30), upper(31), upper(0), upper(1), upper(2)}, seed);
        play(4, {upper(7), upper(15), upper(6), upper(0)}, seed);     // around the end of 8 slots
    }
}

TEST(Table, OnlyTheUpperHalfOfAHashIsKept) {
    Memory memory(4);
    table_put(memory.table, 0x0000000500000001, 0);
    table_put(memory.table, 0x0000000500000002, 1);
    EXPECT_EQ(rows_of(memory.table, 0x0000000500000003), (std::vector<uint32_t>{0, 1}))
        << "the caller compares the rows itself";
    EXPECT_TRUE(rows_of(memory.table, 0x0000000600000001).empty());
}
