// Slices, readers and writers: nothing outside the given memory (B1), flags that stay (B2).
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "unit/slices.h"

TEST(Bytes, NumbersAreLittleEndian) {
    EXPECT_EQ(written([](Writer& w) { put_u8(w, 0x12); }), "\x12");
    EXPECT_EQ(written([](Writer& w) { put_u16(w, 0x1234); }), "\x34\x12");
    EXPECT_EQ(written([](Writer& w) { put_u32(w, 0x12345678); }), "\x78\x56\x34\x12");
    EXPECT_EQ(written([](Writer& w) { put_u64(w, 0x123456789abcdef0); }),
              "\xf0\xde\xbc\x9a\x78\x56\x34\x12");
    EXPECT_EQ(written([](Writer& w) { put_i64(w, -2); }), "\xfe\xff\xff\xff\xff\xff\xff\xff");
}

TEST(Bytes, NumbersComeBackAsTheyWerePut) {
    std::vector<uint64_t> values = {0, 1, UINT64_MAX, INT64_MAX, uint64_t{1} << 63};
    for (int bit = 0; bit < 64; bit++) {
        values.push_back(uint64_t{1} << bit);
        values.push_back((uint64_t{1} << bit) - 1);
        values.push_back(0x0123456789abcdef >> bit);
    }
    for (const uint64_t value : values) {
        const std::string bytes = written([&](Writer& w) {
            put_u8(w, static_cast<uint8_t>(value));
            put_u16(w, static_cast<uint16_t>(value));
            put_u32(w, static_cast<uint32_t>(value));
            put_u64(w, value);
            put_i64(w, static_cast<int64_t>(value));
        });
        ASSERT_EQ(bytes.size(), 1u + 2 + 4 + 8 + 8);
        Reader reader = reader_of(slice_of(bytes));
        EXPECT_EQ(get_u8(reader), static_cast<uint8_t>(value));
        EXPECT_EQ(get_u16(reader), static_cast<uint16_t>(value));
        EXPECT_EQ(get_u32(reader), static_cast<uint32_t>(value));
        EXPECT_EQ(get_u64(reader), value);
        EXPECT_EQ(get_i64(reader), static_cast<int64_t>(value));
        EXPECT_EQ(reader_left(reader), 0u);
        EXPECT_FALSE(reader.short_read);
    }
}

TEST(Bytes, AShortReadGivesZeroAndIsRemembered) {
    for (uint32_t size = 0; size < 8; size++) {
        const std::vector<uint8_t> bytes(size, 0xff);
        Reader reader = reader_of({bytes.data(), size});
        EXPECT_EQ(get_u64(reader), 0u);
        EXPECT_TRUE(reader.short_read);
        EXPECT_EQ(reader_left(reader), 0u);
        EXPECT_EQ(get_u8(reader), 0u) << "what is left is not handed out afterwards";
        EXPECT_EQ(get_bytes(reader, 0).size, 0u);
        EXPECT_TRUE(reader.short_read);
    }
}

TEST(Bytes, EverySplitOfAReaderGivesTheSameBytes) {
    const std::string text = "0123456789";
    for (uint32_t first = 0; first <= text.size(); first++) {
        Reader reader = reader_of(slice_of(text));
        EXPECT_EQ(string_of(get_bytes(reader, first)), text.substr(0, first));
        EXPECT_EQ(string_of(reader_rest(reader)), text.substr(first));
        EXPECT_EQ(reader_left(reader), text.size() - first);
        EXPECT_EQ(get_bytes(reader, static_cast<uint32_t>(text.size()) - first + 1).size, 0u);
        EXPECT_TRUE(reader.short_read);
    }
}

TEST(Bytes, AWriterWithoutRoomWritesNothingMore) {
    for (uint32_t capacity = 0; capacity < 8; capacity++) {
        std::vector<uint8_t> memory(capacity + 1, 0xee);
        Writer writer = writer_of(memory.data(), capacity);
        EXPECT_EQ(writer_room(writer), capacity);
        put_u64(writer, 0);
        EXPECT_TRUE(writer.overflow);
        put_u8(writer, 0);
        put_zeros(writer, 1);
        put_bytes(writer, {nullptr, 0});
        EXPECT_TRUE(writer.overflow);
        EXPECT_EQ(writer.size, 0u);
        EXPECT_EQ(std::count(memory.begin(), memory.end(), 0xee), capacity + 1);
    }
}

TEST(Bytes, AWriterMayBeFilledToItsLastByte) {
    for (uint32_t capacity = 0; capacity < 20; capacity++) {
        std::vector<uint8_t> memory(capacity);
        Writer writer = writer_of(memory.data(), capacity);
        for (uint32_t i = 0; i < capacity; i++) put_u8(writer, static_cast<uint8_t>(i + 1));
        EXPECT_FALSE(writer.overflow);
        EXPECT_EQ(writer_room(writer), 0u);
        EXPECT_EQ(writer_slice(writer).size, capacity);
        put_bytes(writer, {nullptr, 0});
        put_zeros(writer, 0);
        EXPECT_FALSE(writer.overflow);
        put_u8(writer, 9);
        EXPECT_TRUE(writer.overflow);
        EXPECT_EQ(writer.size, capacity);
    }
}

TEST(Bytes, ZerosAreZeros) {
    EXPECT_EQ(written([](Writer& w) { put_zeros(w, 5); }), std::string(5, '\0'));
}

TEST(Bytes, DroppingMovesTheRestToTheFront) {
    const std::string text = "0123456789";
    for (uint32_t count = 0; count <= text.size(); count++) {
        const std::string left = written([&](Writer& w) {
            put_bytes(w, slice_of(text));
            writer_drop(w, count);
            put_u8(w, 'x');
        });
        EXPECT_EQ(left, text.substr(count) + "x");
    }
}

TEST(Bytes, DroppingMoreThanThereIsIsOurOwnMistake) {
    uint8_t memory[4];
    Writer writer = writer_of(memory, sizeof memory);
    put_u8(writer, 1);
    EXPECT_DEATH(writer_drop(writer, 2), "");
}

TEST(Bytes, APartOfASliceIsClipped) {
    const std::string text = "abcd";
    for (uint32_t from = 0; from < 7; from++) {
        for (uint32_t size = 0; size < 7; size++) {
            const std::string wanted = from < text.size() ? text.substr(from, size) : "";
            EXPECT_EQ(string_of(slice_part(slice_of(text), from, size)), wanted);
        }
        EXPECT_EQ(slice_part(slice_of(text), from, UINT32_MAX).size, from < 4 ? 4 - from : 0);
    }
    EXPECT_EQ(slice_part(slice_of(text), UINT32_MAX, UINT32_MAX).size, 0u);
}

TEST(Bytes, ComparingAgreesWithAnotherImplementation) {
    std::vector<std::string> all = {""};
    for (size_t i = 0; all[i].size() < 3; i++) {
        for (const char letter : {'\0', 'A', 'a', '\xff'}) all.push_back(all[i] + letter);
    }
    for (const std::string& a : all) {
        for (const std::string& b : all) {
            const int order = slice_compare(slice_of(a), slice_of(b));
            EXPECT_EQ(order < 0, a < b);  // std::string compares bytes as unsigned
            EXPECT_EQ(order > 0, a > b);
            EXPECT_EQ(slice_equal(slice_of(a), slice_of(b)), a == b);
            EXPECT_EQ(slice_equal_secret(slice_of(a), slice_of(b)), a == b);
            if (b.find('\0') != std::string::npos) continue;
            EXPECT_EQ(slice_equal_text(slice_of(a), b.c_str()), a == b);
        }
    }
}

TEST(Bytes, OnlyLettersAreEqualWithoutCase) {
    for (int a = 0; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            const uint8_t byte = static_cast<uint8_t>(a);
            const char text[2] = {static_cast<char>(b), '\0'};
            const bool letters = (a | 32) == (b | 32) && (a | 32) >= 'a' && (a | 32) <= 'z';
            EXPECT_EQ(slice_equal_nocase({&byte, 1}, text), a == b || letters) << a << " " << b;
        }
    }
    EXPECT_TRUE(slice_equal_nocase(slice_of("TransFER"), "tRANSfer"));
    EXPECT_FALSE(slice_equal_nocase(slice_of("transfe"), "transfer"));
    EXPECT_TRUE(slice_equal_nocase({nullptr, 0}, ""));
}

TEST(Bytes, EverySingleBitOfASecretCounts) {
    uint8_t a[16] = {};
    uint8_t b[16] = {};
    for (uint32_t bit = 0; bit < 8 * sizeof a; bit++) {
        a[bit / 8] = static_cast<uint8_t>(1 << bit % 8);
        EXPECT_FALSE(slice_equal_secret({a, 16}, {b, 16})) << bit;
        a[bit / 8] = 0;
    }
    EXPECT_TRUE(slice_equal_secret({a, 16}, {b, 16}));
    EXPECT_FALSE(slice_equal_secret({a, 15}, {b, 16}));
}

TEST(Bytes, WipingLeavesZeros) {
    uint8_t memory[5] = {1, 2, 3, 4, 5};
    wipe(memory + 1, 3);
    EXPECT_EQ(memory[0], 1);
    EXPECT_EQ(memory[1] | memory[2] | memory[3], 0);
    EXPECT_EQ(memory[4], 5);
    wipe(nullptr, 0);
}
