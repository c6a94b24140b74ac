// The code that a person types to enrol a terminal: its text, and what is taken for it.

#include <gtest/gtest.h>

#include <string>

#include "access/enrol_code.h"
#include "slices.h"

namespace {

EnrolCode counted(uint8_t first, uint8_t step) {
    EnrolCode code = {};
    for (uint32_t i = 0; i < enrol_half_size; i++) {
        code.secret[i] = static_cast<uint8_t>(first + i * step);
        code.anchor[i] = static_cast<uint8_t>(first + (i + enrol_half_size) * step);
    }
    return code;
}

std::string text_of(const EnrolCode& code) {
    uint8_t bytes[enrol_code_text_size];
    Writer out = writer_of(bytes, sizeof bytes);
    put_enrol_code(out, code);
    EXPECT_FALSE(out.overflow);
    return std::string(reinterpret_cast<char*>(bytes), out.size);
}

bool same(const EnrolCode& a, const EnrolCode& b) { return memcmp(&a, &b, sizeof a) == 0; }

Status parse(const std::string& text, EnrolCode& out) {
    return enrol_code_parse(slice_of_chars(text.data(), static_cast<uint32_t>(text.size())), out);
}

TEST(EnrolCode, HasEightGroupsOfFour) {
    EXPECT_EQ(text_of({}), "0000-0000-0000-0000-0000-0000-0000-0000");
    EnrolCode code = {};
    memset(&code, 0xff, sizeof code);
    EXPECT_EQ(text_of(code), "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ");
    memset(&code, 0, sizeof code);
    code.secret[0] = 0x08;  // 00001 000: the second character begins behind five bits.
    code.anchor[enrol_half_size - 1] = 0x1f;
    EXPECT_EQ(text_of(code), "1000-0000-0000-0000-0000-0000-0000-000Z");
}

TEST(EnrolCode, ComesBackFromItsText) {
    for (uint32_t first = 0; first < 256; first += 5) {
        for (const uint8_t step : {uint8_t{1}, uint8_t{7}, uint8_t{77}, uint8_t{251}}) {
            const EnrolCode code = counted(static_cast<uint8_t>(first), step);
            EnrolCode found = {};
            ASSERT_EQ(parse(text_of(code), found), Status::ok);
            EXPECT_TRUE(same(code, found));
        }
    }
}

TEST(EnrolCode, IsUnderstoodInSmallLettersAndWithoutHyphens) {
    const EnrolCode code = counted(3, 77);
    std::string plain;
    std::string spread;
    for (const char c : text_of(code)) {
        if (c == '-') continue;
        plain += static_cast<char>(tolower(c));
        spread += std::string("-") + c;
    }
    for (const std::string& text : {plain, spread + "-"}) {
        EnrolCode found = {};
        ASSERT_EQ(parse(text, found), Status::ok) << text;
        EXPECT_TRUE(same(code, found));
    }
}

TEST(EnrolCode, TakesLettersForTheDigitsThatTheyLookLike) {
    EnrolCode code = {};
    EnrolCode found = {};
    ASSERT_EQ(parse("0011-0101-0000-0000-0000-0000-0000-1111", code), Status::ok);
    ASSERT_EQ(parse("OoIi-oLol-oooO-0000-0000-0000-0000-IiLl", found), Status::ok);
    EXPECT_TRUE(same(code, found));
}

TEST(EnrolCode, IsNothingElse) {
    const std::string right = text_of(counted(1, 77));
    const EnrolCode before = counted(9, 9);
    EnrolCode out = before;
    for (size_t size = 0; size < right.size(); size++) {
        EXPECT_EQ(parse(right.substr(0, size), out), Status::invalid) << size;
    }
    EXPECT_EQ(parse(right + "0", out), Status::invalid);
    EXPECT_EQ(parse(right + " ", out), Status::invalid);
    EXPECT_EQ(parse(right + std::string(100, '-'), out), Status::invalid);
    for (int byte = 0; byte < 256; byte++) {
        const bool is_one = isalnum(byte) != 0 && byte != 'U' && byte != 'u';
        if (is_one || byte == '-') continue;
        std::string text = right;
        text[7] = static_cast<char>(byte);
        EXPECT_EQ(parse(text, out), Status::invalid) << byte;
    }
    EXPECT_TRUE(same(out, before));
}

TEST(EnrolCode, FitsTheCertificateItWasMadeForAlone) {
    EnrolCode code = counted(1, 3);
    const EnrolCode before = code;
    const Hash ca = hash_of(slice_of("the certificate of a CA"));
    enrol_code_set_anchor(code, ca);
    EXPECT_EQ(memcmp(code.secret, before.secret, enrol_half_size), 0);
    EXPECT_TRUE(enrol_code_fits(code, ca));
    EXPECT_FALSE(enrol_code_fits(code, hash_of(slice_of("the certificate of another CA"))));
    for (uint32_t bit = 0; bit < enrol_half_size * 8; bit++) {
        EnrolCode other = code;
        other.anchor[bit / 8] = static_cast<uint8_t>(other.anchor[bit / 8] ^ 1u << bit % 8);
        EXPECT_FALSE(enrol_code_fits(other, ca)) << bit;
    }
}

// SHA-256 over ten bytes 0 is 01d448afd928065458cf670b60f5a594d735af0172c8d67f22a81680132681ca.
TEST(EnrolCode, IsFoundByAHashOfItsFirstHalf) {
    uint8_t bytes[enrol_hash_text_size];
    Writer out = writer_of(bytes, sizeof bytes);
    EnrolCode code = {};
    memset(code.anchor, 7, sizeof code.anchor);
    put_enrol_hash(out, code);
    EXPECT_EQ(std::string(reinterpret_cast<char*>(bytes), out.size),
              "01d448afd928065458cf670b60f5a594");
}

}  // namespace
