#include "journal/batch.h"

#include <gtest/gtest.h>
#include <string.h>

#include <vector>

#include "unit/slices.h"

namespace {

constexpr uint8_t bank[bank_id_size] = {9, 8, 7};

BatchHeader header_of(uint32_t entries_size, uint32_t entry_count) {
    BatchHeader header = {};
    memcpy(header.bank_id, bank, sizeof bank);
    header.salt = 0x1122334455667788;
    header.segment = 3;
    header.offset = 2 * block_size;
    header.seq = 41;
    header.entry_first = 100;
    header.entry_count = entry_count;
    header.entries_size = entries_size;
    header.time_ms = 1234567;
    header.segment_size = segment_size_min;
    memset(header.previous.bytes, 0xaa, hash_size);
    return header;
}

// A batch of `count` entries of `size` bytes each.
std::vector<uint8_t> batch_of(uint32_t count, uint16_t size, uint32_t flags = 0) {
    const uint32_t entries_size = count * size;
    std::vector<uint8_t> bytes(batch_size_of(entries_size), 0xee);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t* entry = bytes.data() + batch_header_size + i * size;
        memset(entry, static_cast<int>(i + 1), size);
        entry[0] = static_cast<uint8_t>(size & 0xff);
        entry[1] = static_cast<uint8_t>(size >> 8);
    }
    BatchHeader header = header_of(entries_size, count);
    header.flags = flags;
    batch_seal(bytes.data(), header);
    return bytes;
}

BatchFind find(const std::vector<uint8_t>& bytes, const uint8_t* bank_id = bank) {
    BatchHeader header;
    Slice entries;
    Hash hash;
    return batch_find({bytes.data(), static_cast<uint32_t>(bytes.size())}, bank_id, header, entries,
                      hash);
}

}  // namespace

TEST(Batch, ComesBackAsItWasSealed) {
    for (uint32_t count : {0u, 1u, 7u, 200u}) {
        std::vector<uint8_t> bytes = batch_of(count, 300, batch_flag_closing);
        BatchHeader header;
        Slice entries;
        Hash hash;
        ASSERT_EQ(batch_find({bytes.data(), static_cast<uint32_t>(bytes.size())}, bank, header,
                             entries, hash),
                  BatchFind::whole);
        EXPECT_EQ(header.salt, 0x1122334455667788u);
        EXPECT_EQ(header.segment, 3u);
        EXPECT_EQ(header.offset, 2 * block_size);
        EXPECT_EQ(header.seq, 41u);
        EXPECT_EQ(header.entry_first, 100u);
        EXPECT_EQ(header.entry_count, count);
        EXPECT_EQ(header.time_ms, 1234567u);
        EXPECT_EQ(header.flags, batch_flag_closing);
        EXPECT_EQ(entries.size, count * 300);
        EXPECT_TRUE(hash_equal(hash, hash_of({bytes.data(), batch_header_size + count * 300})));
        Reader reader = reader_of(entries);
        Slice entry;
        for (uint32_t i = 0; i < count; i++) {
            ASSERT_EQ(batch_next_entry(reader, entry), Status::ok);
            EXPECT_EQ(entry.size, 300u);
            EXPECT_EQ(entry.data[2], static_cast<uint8_t>(i + 1));
        }
        EXPECT_EQ(batch_next_entry(reader, entry), Status::end);
    }
}

TEST(Batch, FillsWholeBlocks) {
    const uint32_t fixed = batch_header_size + hash_size;
    EXPECT_EQ(batch_size_of(0), block_size);
    EXPECT_EQ(batch_size_of(block_size - fixed), block_size);
    EXPECT_EQ(batch_size_of(block_size - fixed + 1), 2 * block_size);
    EXPECT_EQ(batch_size_of(batch_entries_size_max), batch_size_max);
}

TEST(Batch, IsJunkWithAnyBitOfItFlipped) {
    const std::vector<uint8_t> good = batch_of(9, 60);
    for (uint32_t at = 0; at < good.size(); at++) {
        const bool is_header = at < batch_header_size;
        for (uint32_t bit = 0; bit < 8; bit += is_header ? 1 : 3) {
            std::vector<uint8_t> bad = good;
            bad[at] = static_cast<uint8_t>(bad[at] ^ 1u << bit);
            // A higher version may be a newer format, of which nothing can be said.
            const bool is_version = at == 8 || at == 9;
            const BatchFind found = find(bad);
            EXPECT_TRUE(found == BatchFind::junk || (is_version && found == BatchFind::newer))
                << at << "." << bit;
        }
    }
}

TEST(Batch, IsJunkWhenCutAtAnyByte) {
    const std::vector<uint8_t> good = batch_of(20, 300);  // Two blocks.
    ASSERT_EQ(good.size(), 2 * block_size);
    for (size_t size = 0; size < good.size(); size++) {
        const BatchFind found = find(std::vector<uint8_t>(good.data(), good.data() + size));
        EXPECT_EQ(found, size == 0 ? BatchFind::blank : BatchFind::junk) << size;
    }
}

TEST(Batch, TellsBlankForeignAndNewerApart) {
    EXPECT_EQ(find(std::vector<uint8_t>(block_size)), BatchFind::blank);
    std::vector<uint8_t> bytes = batch_of(1, 60);
    const uint8_t other[bank_id_size] = {1};
    EXPECT_EQ(find(bytes, other), BatchFind::foreign);
    EXPECT_EQ(find(bytes, nullptr), BatchFind::whole);
    bytes[8] = batch_version + 1;
    EXPECT_EQ(find(bytes), BatchFind::newer);
    bytes[8] = 0;
    EXPECT_EQ(find(bytes), BatchFind::junk);
}

// Sealed with a right hash, and still not what log_seal could have made.
TEST(Batch, BelievesNoHeaderThatCannotBe) {
    const auto sealed = [](auto change) {
        std::vector<uint8_t> bytes = batch_of(2, 60);
        BatchHeader header = header_of(120, 2);
        change(header);
        batch_seal(bytes.data(), header);
        return find(bytes);
    };
    EXPECT_EQ(sealed([](BatchHeader&) {}), BatchFind::whole);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.segment = 0; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.seq = 0; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.entry_first = 0; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.offset = 5; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.flags = 2; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.segment_size = 0; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.segment_size++; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.segment_size -= block_size; }),
              BatchFind::junk);
    // J4: where the rest would be too short for a whole batch, none begins.
    EXPECT_EQ(sealed([](BatchHeader& header) { header.offset = segment_size_min - batch_size_max; }),
              BatchFind::whole);
    EXPECT_EQ(sealed([](BatchHeader& header) {
                  header.offset = segment_size_min - batch_size_max + block_size;
              }),
              BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.entry_count = 1; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.entry_count = 3; }), BatchFind::junk);
    EXPECT_EQ(sealed([](BatchHeader& header) { header.entry_count = batch_entries_max + 1; }),
              BatchFind::junk);
}

TEST(Batch, CutsNoEntryOfAWrongSize) {
    for (uint32_t size : {0u, 1u, 3u, entry_size_max + 1, 65535u}) {
        uint8_t bytes[entry_size_max + 2] = {static_cast<uint8_t>(size & 0xff),
                                             static_cast<uint8_t>(size >> 8)};
        Reader reader = reader_of({bytes, sizeof bytes});
        Slice entry;
        EXPECT_EQ(batch_next_entry(reader, entry), Status::damaged) << size;
    }
    uint8_t one = 7;
    Reader reader = reader_of({&one, 1});
    Slice entry;
    EXPECT_EQ(batch_next_entry(reader, entry), Status::damaged);
}
