// Numbers, escapes and words as text: round trips over all bytes, and nothing half written.
#include "base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/slices.h"

namespace {

// SipHash-2-4 of the first 0, 1, 2 ... 63 of the bytes 0, 1, 2 ... under the key 0, 1 ... 15: the
// table of the reference implementation, as numbers.
constexpr uint64_t siphash_vectors[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; i++) bytes.push_back(static_cast<char>(i));
    return bytes;
}

std::string escaped(const std::string& bytes) {
    return written([&](Writer& w) { put_escaped(w, slice_of(bytes)); });
}

std::string printable(const std::string& bytes, uint32_t size_max = 1000) {
    const uint32_t room = 4 * static_cast<uint32_t>(bytes.size()) + 3;
    return written([&](Writer& w) { put_printable(w, slice_of(bytes), size_max); }, room);
}

// The status's name in front, so that refusals can be compared as well.
std::string unescaped(const std::string& text, uint32_t capacity = 4096) {
    std::vector<uint8_t> memory(capacity + 1, 0xee);
    Writer writer = writer_of(memory.data(), capacity);
    const Status status = text_unescape(slice_of(text), writer);
    EXPECT_EQ(memory[capacity], 0xee);
    if (status != Status::ok) {
        EXPECT_EQ(writer.size, 0u) << "a refusal leaves the output as it was";
        EXPECT_FALSE(writer.overflow);
    }
    if (status == Status::full) return "<full>";
    if (status == Status::invalid) return "<invalid>";
    EXPECT_EQ(status, Status::ok);
    return string_of(writer_slice(writer));
}

std::vector<std::string> words_of(const std::string& text, char separator) {
    std::vector<std::string> words;
    Reader rest = reader_of(slice_of(text));
    Slice word = {};
    while (cut_word(rest, separator, word) == Status::ok) words.push_back(string_of(word));
    EXPECT_EQ(cut_word(rest, separator, word), Status::end);
    return words;
}

using Words = std::vector<std::string>;

// Every Unicode scalar's encoding, made by another rule than the one under test: from the number.
std::string utf8_of(uint32_t scalar) {
    std::string out;
    if (scalar < 0x80) return std::string(1, static_cast<char>(scalar));
    if (scalar < 0x800) {
        out.push_back(static_cast<char>(0xc0 | scalar >> 6));
    } else {
        if (scalar < 0x10000) {
            out.push_back(static_cast<char>(0xe0 | scalar >> 12));
        } else {
            out.push_back(static_cast<char>(0xf0 | scalar >> 18));
            out.push_back(static_cast<char>(0x80 | (scalar >> 12 & 63)));
        }
        out.push_back(static_cast<char>(0x80 | (scalar >> 6 & 63)));
    }
    out.push_back(static_cast<char>(0x80 | (scalar & 63)));
    return out;
}

bool is_printable_ascii(const std::string& text) {
    for (const char letter : text) {
        if (letter < 0x20 || letter > 0x7e) return false;
    }
    return true;
}

}  // namespace

TEST(Text, NumbersAreFormatted) {
    EXPECT_EQ(written([](Writer& w) { put_decimal(w, 0); }), "0");
    EXPECT_EQ(written([](Writer& w) { put_decimal(w, UINT64_MAX); }), "18446744073709551615");
    EXPECT_EQ(written([](Writer& w) { put_signed(w, INT64_MIN); }), "-9223372036854775808");
    EXPECT_EQ(written([](Writer& w) { put_signed(w, INT64_MAX); }), "9223372036854775807");
    EXPECT_EQ(written([](Writer& w) { put_signed(w, -1); }), "-1");
    EXPECT_EQ(written([](Writer& w) { put_signed(w, 0); }), "0");
    EXPECT_EQ(written([](Writer& w) { put_hex(w, slice_of(std::string("\0\x1f\xa0\xff", 4))); }),
              "001fa0ff");
}

TEST(Text, NothingIsHalfWritten) {
    const std::string bytes = "a b\x1b\xff";
    const std::vector<void (*)(Writer&, Slice)> formats = {
        [](Writer& w, Slice) { put_text(w, "text"); },
        [](Writer& w, Slice) { put_decimal(w, 12345); },
        [](Writer& w, Slice) { put_signed(w, -12345); },
        [](Writer& w, Slice) { put_minor(w, -12345, 2); },
        [](Writer& w, Slice s) { put_hex(w, s); },
        [](Writer& w, Slice s) { put_escaped(w, s); },
        [](Writer& w, Slice s) { put_printable(w, s, 4); },
    };
    for (auto* const format : formats) {
        const std::string whole = written([&](Writer& w) { format(w, slice_of(bytes)); });
        for (uint32_t room = 0; room < whole.size(); room++) {
            std::vector<uint8_t> memory(room + 3);
            Writer writer = writer_of(memory.data(), room + 3);
            put_text(writer, "abc");
            format(writer, slice_of(bytes));
            EXPECT_TRUE(writer.overflow) << whole << room;
            EXPECT_EQ(string_of(writer_slice(writer)), "abc") << whole << room;  // B2
        }
    }
}

TEST(Text, DecimalsComeBackAsTheyWere) {
    std::vector<uint64_t> values = {0, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 10};
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        for (const uint64_t near : {power - 1, power, power + 1, 9 * power}) values.push_back(near);
    }
    for (const uint64_t value : values) {
        uint64_t parsed = 77;
        EXPECT_EQ(parse_decimal(slice_of(std::to_string(value)), parsed), Status::ok);
        EXPECT_EQ(parsed, value);
        if (value > static_cast<uint64_t>(INT64_MAX)) continue;
        const int64_t positive = static_cast<int64_t>(value);
        for (const int64_t number : {positive, -positive}) {
            int64_t parsed_signed = 77;
            EXPECT_EQ(parse_signed(slice_of(std::to_string(number)), parsed_signed), Status::ok);
            EXPECT_EQ(parsed_signed, number);
        }
    }
}

TEST(Text, WhatIsNoDecimalIsRefused) {
    for (const char* text : {"", "-", "+1", "01", "00", " 1", "1 ", "1.0", "1e3", "0x1", "a", "1a",
                             "18446744073709551616", "99999999999999999999",
                             "100000000000000000000", "--1", "1-"}) {
        uint64_t decimal = 77;
        EXPECT_EQ(parse_decimal(slice_of(text), decimal), Status::invalid) << text;
        EXPECT_EQ(decimal, 77u);
        int64_t number = 77;
        EXPECT_EQ(parse_signed(slice_of(text), number), Status::invalid) << text;
        EXPECT_EQ(number, 77);
    }
    uint64_t decimal = 77;
    EXPECT_EQ(parse_decimal(slice_of("-1"), decimal), Status::invalid);
    int64_t number = 77;
    EXPECT_EQ(parse_signed(slice_of("9223372036854775808"), number), Status::invalid);
    EXPECT_EQ(parse_signed(slice_of("-9223372036854775808"), number), Status::invalid);
}

TEST(Text, EveryByteMayBeADigitOrNot) {
    for (int value = 0; value < 256; value++) {
        const char text[2] = {'1', static_cast<char>(value)};
        uint64_t decimal = 0;
        const bool is_digit = value >= '0' && value <= '9';
        EXPECT_EQ(parse_decimal(slice_of(std::string(text, 2)), decimal) == Status::ok, is_digit);
        uint8_t byte = 0x77;
        const bool is_hex = is_digit || (value >= 'a' && value <= 'f') ||
                            (value >= 'A' && value <= 'F');
        EXPECT_EQ(parse_hex(slice_of(std::string(text, 2)), &byte, 1) == Status::ok, is_hex);
        EXPECT_EQ(byte, is_hex ? 0x10 + std::stoi(std::string(1, text[1]), nullptr, 16) : 0x77);
    }
}

TEST(Text, HexOfAnotherSizeIsRefused) {
    uint8_t out[3] = {1, 2, 3};
    for (const char* text : {"", "0", "00", "000", "0000", "00000", "0000000", "00000g"}) {
        EXPECT_EQ(parse_hex(slice_of(text), out, 3), Status::invalid) << text;
    }
    EXPECT_EQ(out[0] * 100 + out[1] * 10 + out[2], 123);
    EXPECT_EQ(parse_hex(slice_of("0a1Bff"), out, 3), Status::ok);
    EXPECT_EQ(string_of({out, 3}), "\x0a\x1b\xff");
}

TEST(Text, AnEscapedTextIsOneWordAndComesBack) {
    EXPECT_EQ(escaped("two words"), "two%20words");
    EXPECT_EQ(escaped("50%:\n"), "50%25:%0a");
    for (const std::string& bytes : {all_bytes(), std::string(), std::string("%"),
                                     std::string("\xc3\xa4 \xf0\x9f\x8d\xba")}) {
        EXPECT_EQ(unescaped(escaped(bytes)), bytes);
        EXPECT_EQ(escaped(bytes).find_first_of(" \t\r\n\"\\'#;\x7f"), std::string::npos);
        EXPECT_TRUE(is_printable_ascii(escaped(bytes)));
    }
    for (int value = 0; value < 256; value++) {
        const std::string byte(1, static_cast<char>(value));
        EXPECT_EQ(unescaped(escaped(byte)), byte);
        const bool plain = std::string("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                                       "WXYZ._:@/+=,$-").find(byte) != std::string::npos;
        EXPECT_EQ(escaped(byte).size(), plain ? 1u : 3u) << value;
    }
}

TEST(Text, ABrokenEscapeIsRefused) {
    for (const char* text : {"%", "%1", "a%", "a%2", "%g0", "%0g", "%%20", "%-1", "abc%2"}) {
        EXPECT_EQ(unescaped(text), "<invalid>") << text;
    }
    EXPECT_EQ(unescaped("%4A%4a"), "JJ");
    EXPECT_EQ(unescaped("abcd", 4), "abcd");
    EXPECT_EQ(unescaped("abcd", 3), "<full>");
    EXPECT_EQ(unescaped("a%20", 1), "<full>");
    EXPECT_EQ(unescaped("", 0), "");
}

TEST(Text, WhatIsPrintedCannotSteerATerminal) {
    EXPECT_EQ(printable("\x1b[2J\r\n"), "\\x1b[2J\\x0d\\x0a");
    EXPECT_EQ(printable("say \"\\\""), "say \\x22\\x5c\\x22");
    EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\xc2\\x9b" "31m") << "CSI as one C1 control";
    EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8d\xba"),
              "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8d\xba");
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const std::string text = printable({static_cast<char>(a), static_cast<char>(b)});
            for (size_t i = 0; i < text.size(); i++) {
                const uint8_t byte = static_cast<uint8_t>(text[i]);
                ASSERT_TRUE(byte >= 0x20 && byte != 0x7f) << a << " " << b;
                if (byte != 0xc2) continue;
                ASSERT_GE(static_cast<uint8_t>(text[i + 1]), 0xa0) << "a C1 control";
            }
        }
    }
}

TEST(Text, EveryScalarIsPrintedAsItIsAndNothingElse) {
    for (uint32_t scalar = 0; scalar <= 0x11ffff; scalar++) {
        const bool is_scalar = scalar <= 0x10ffff && (scalar < 0xd800 || scalar > 0xdfff);
        const bool is_control = scalar < 0x20 || (scalar >= 0x7f && scalar < 0xa0);
        const bool is_quote = scalar == '"' || scalar == '\\';
        const std::string bytes = utf8_of(scalar);
        const bool kept = is_scalar && !is_control && !is_quote;
        ASSERT_EQ(printable(bytes) == bytes, kept) << std::hex << scalar;
        if (kept) continue;
        ASSERT_EQ(printable(bytes).size(), 4 * bytes.size()) << std::hex << scalar;
    }
}

TEST(Text, BrokenUtf8IsPrintedByteByByte) {
    EXPECT_EQ(printable("\x80"), "\\x80");
    EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "a slash that is longer than it may be";
    EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
    EXPECT_EQ(printable("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
    EXPECT_EQ(printable("\xe2\x82" "a"), "\\xe2\\x82" "a");
    EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
}

TEST(Text, ATimeComesBackAsItWasWritten) {
    const uint64_t times[] = {0,
                              1,
                              951'782'399'999,    // 2000-02-28
                              951'782'400'000,    // 2000-02-29
                              4'107'542'399'999,  // 2100-02-28, followed by no 29th
                              4'107'542'400'000,
                              1'790'000'000'123,
                              253'402'300'799'999};
    for (const uint64_t time : times) {
        const std::string text = written([&](Writer& out) { put_utc(out, time); });
        uint64_t back = 1;
        EXPECT_EQ(parse_utc(slice_of(text), back), Status::ok) << text;
        EXPECT_EQ(back, time) << text;
    }
}

TEST(Text, ATimeToTheSecondIsReadAsItIsWritten) {
    const auto seconds = [](uint64_t ms) {
        return written([&](Writer& out) { put_utc_seconds(out, ms); });
    };
    EXPECT_EQ(seconds(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(seconds(1'796'137'200'999), "2026-12-01T15:00:00Z");
    EXPECT_EQ(seconds(253'402'300'799'000), "9999-12-31T23:59:59Z");
    uint64_t back = 1;
    EXPECT_EQ(parse_utc_seconds(slice_of("2026-12-01T15:00:00Z"), back), Status::ok);
    EXPECT_EQ(back, 1'796'137'200'000u);
    const std::string sound = "2026-12-01T15:00:00Z";
    for (size_t size = 0; size < sound.size(); size++) {
        EXPECT_EQ(parse_utc_seconds(slice_of(sound.substr(0, size)), back), Status::invalid);
    }
    for (const char* other : {"2026-12-01T15:00:00.000Z", "2026-12-01T24:00:00Z",
                              "2026-02-30T15:00:00Z", "2026-12-01 15:00:00Z",
                              "2026-12-01T15:00:00z", "1969-12-31T23:59:59Z"}) {
        EXPECT_EQ(parse_utc_seconds(slice_of(other), back), Status::invalid) << other;
    }
    EXPECT_EQ(back, 1'796'137'200'000u);
}

TEST(Text, ALocalTimeIsUtcAndItsOffset) {
    const struct {
        uint64_t unix_us;
        int32_t utc_offset_s;
        const char* text;
    } rows[] = {
        {0, 0, "1970-01-01T00:00:00.000000+00:00"},
        {999'999, 3600, "1970-01-01T01:00:00.999999+01:00"},
        {0, -1, "1969-12-31T23:59:59.000000-00:00:01"},
        {0, -18'000, "1969-12-31T19:00:00.000000-05:00"},
        {1, -86'399, "1969-12-31T00:00:01.000001-23:59:59"},
        {18'000'000'000, -18'000, "1970-01-01T00:00:00.000000-05:00"},
        {1'774'745'999'000'001, 3600, "2026-03-29T01:59:59.000001+01:00"},
        {1'774'746'000'000'000, 7200, "2026-03-29T03:00:00.000000+02:00"},
        {1'792'888'200'500'000, 7200, "2026-10-25T02:30:00.500000+02:00"},
        {1'792'891'800'500'000, 3600, "2026-10-25T02:30:00.500000+01:00"},
        {1'798'761'599'000'000, 20'700, "2027-01-01T05:44:59.000000+05:45"},
        {951'782'400'000'000, -1, "2000-02-28T23:59:59.000000-00:00:01"},
        {951'782'400'000'000, 86'399, "2000-02-29T23:59:59.000000+23:59:59"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(written([&](Writer& out) { put_local(out, row.unix_us, row.utc_offset_s); }),
                  row.text);
        EXPECT_EQ(written([&](Writer& out) { put_local_date(out, row.unix_us, row.utc_offset_s); }),
                  std::string(row.text).substr(0, 10));
    }
}

TEST(Text, ATimeThatIsNoneOrIsSpeltOtherwiseIsRefused) {
    const std::string sound = "2026-11-20T13:55:11.284Z";
    uint64_t time = 7;
    ASSERT_EQ(parse_utc(slice_of(sound), time), Status::ok);
    for (size_t size = 0; size < sound.size(); size++) {
        EXPECT_EQ(parse_utc(slice_of(sound.substr(0, size)), time), Status::invalid) << size;
    }
    for (size_t i = 0; i < sound.size(); i++) {
        std::string other = sound;
        other[i] = 'x';
        EXPECT_EQ(parse_utc(slice_of(other), time), Status::invalid) << other;
    }
    for (const std::string text :
         {"2026-02-29T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
          "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
          "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "1969-12-31T23:59:59.999Z",
          "1970-00-00T00:00:00.000Z", "2026-11-20T13:55:11.284Z ", "2026-11-20 13:55:11.284Z",
          "0000-00-00T00:00:00.000Z", "9999-99-99T99:99:99.999Z"}) {
        EXPECT_EQ(parse_utc(slice_of(text), time), Status::invalid) << text;
    }
    EXPECT_EQ(time, 1'795'182'911'284u) << "unchanged by refusals";
}

TEST(Text, ALongTextIsCutAndSaysSo) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdef", 5), "abcde...");
    EXPECT_EQ(printable("abcdef", 0), "...");
    EXPECT_EQ(printable("", 0), "");
    EXPECT_EQ(printable("a\xc3\xa4", 2), "a\\xc3...") << "no half of a letter";
}

TEST(Text, WordsAreCutAtEverySeparator) {
    EXPECT_EQ(words_of("a b c", ' '), (Words{"a", "b", "c"}));
    EXPECT_EQ(words_of("a::b:", ':'), (Words{"a", "", "b", ""}));
    EXPECT_EQ(words_of(":", ':'), (Words{"", ""}));
    EXPECT_EQ(words_of("abc", ':'), Words{"abc"});
    EXPECT_EQ(words_of("", ':'), Words{""});
    EXPECT_EQ(words_of(std::string("a\0b", 3), '\0'), (Words{"a", "b"}));
    EXPECT_EQ(words_of("a\xff" "b", '\xff'), (Words{"a", "b"}));
}

TEST(Text, SipHashIsTheOneOfTheReference) {
    uint8_t key[16];
    uint8_t bytes[64];
    for (uint8_t i = 0; i < 16; i++) key[i] = i;
    for (uint8_t i = 0; i < 64; i++) bytes[i] = i;
    for (uint32_t size = 0; size < 64; size++) {
        EXPECT_EQ(siphash(key, {bytes, size}), siphash_vectors[size]) << size;
    }
    EXPECT_EQ(siphash(key, {nullptr, 0}), siphash_vectors[0]);
}

TEST(Text, PutsAWordForAShell) {
    const auto word = [](const char* text) {
        return written([&](Writer& writer) { put_shell_word(writer, text); });
    };
    EXPECT_EQ(word("data/bank-1_a.b"), "data/bank-1_a.b");
    EXPECT_EQ(word("my bank"), "'my bank'");
    EXPECT_EQ(word("it's"), "'it'\\''s'");
    EXPECT_EQ(word("$HOME;x"), "'$HOME;x'");
    EXPECT_EQ(word(""), "''");
}
