// Money as text: exact, never rounded, and nothing accepted that only looks like an amount.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "unit/slices.h"

namespace {

constexpr int64_t untouched = -987654321;

// `untouched` for a refusal, after making sure that it left the output alone.
int64_t amount_of(const std::string& text, uint32_t scale) {
    int64_t minor = untouched;
    const Status status = parse_amount(slice_of(text), scale, minor);
    EXPECT_EQ(status == Status::ok, minor != untouched) << text;
    EXPECT_TRUE(status == Status::ok || status == Status::amount) << text;
    return minor;
}

int64_t minor_of(const std::string& text, uint32_t scale) {
    int64_t minor = untouched;
    const Status status = parse_minor(slice_of(text), scale, minor);
    EXPECT_EQ(status == Status::ok, minor != untouched) << text;
    EXPECT_TRUE(status == Status::ok || status == Status::amount) << text;
    return minor;
}

std::string text_of_minor(int64_t minor, uint32_t scale) {
    return written([&](Writer& w) { put_minor(w, minor, scale); });
}

// An implementation that shares nothing with ours: digits are kept as text until the end.
// Sets `fits` where the value is at most `bound`, in minor units.
bool is_amount(const std::string& text, uint32_t scale, int64_t bound, int64_t& out) {
    const size_t point = text.find('.');
    const std::string whole = text.substr(0, point);
    std::string decimals = point == std::string::npos ? "" : text.substr(point + 1);
    if (whole.empty() || (point != std::string::npos && decimals.empty())) return false;
    if (decimals.size() > scale) return false;
    if ((whole + decimals).find_first_not_of("0123456789") != std::string::npos) return false;
    std::string digits = whole + decimals + std::string(scale - decimals.size(), '0');
    digits.erase(0, digits.find_first_not_of('0'));
    if (digits.empty()) digits = "0";
    const std::string most = std::to_string(bound);
    if (digits.size() > most.size()) return false;
    if (digits.size() == most.size() && digits > most) return false;
    out = std::stoll(digits);
    return true;
}

void expect_as_the_other_one(const std::string& text) {
    for (uint32_t scale = 0; scale <= scale_max; scale++) {
        int64_t wanted = untouched;
        if (!is_amount(text, scale, amount_minor_max, wanted) || wanted == 0) wanted = untouched;
        EXPECT_EQ(amount_of(text, scale), wanted) << text << " scale " << scale;
        const bool negative = !text.empty() && text[0] == '-';
        wanted = untouched;
        if (is_amount(text.substr(negative ? 1 : 0), scale, balance_minor_max, wanted)) {
            wanted = negative ? -wanted : wanted;
        }
        EXPECT_EQ(minor_of(text, scale), wanted) << text << " scale " << scale;
    }
}

}  // namespace

TEST(Amount, PlainDecimalsAreExact) {
    EXPECT_EQ(amount_of("12", 2), 1200);
    EXPECT_EQ(amount_of("12.5", 2), 1250);
    EXPECT_EQ(amount_of("12.50", 2), 1250);
    EXPECT_EQ(amount_of("0.01", 2), 1);
    EXPECT_EQ(amount_of("0.29", 2), 29) << "the classic one of floating point";
    EXPECT_EQ(amount_of("1.15", 2), 115);
    EXPECT_EQ(amount_of("007", 0), 7);
    EXPECT_EQ(amount_of("0.0001", 4), 1);
}

TEST(Amount, WhatIsNoAmountIsRefused) {
    for (const char* text : {"1e3", "-5", "0.001", "9999999999999999999", "NaN", "nan", "inf",
                             "12,50", "+1", "0x1", "", ".", "1.", ".5", "00.1?", "0", "0.00",
                             "0.0", "-0", " 1", "1 ", "1\n", "1.2.3", "1..2", "1.-2", "--1",
                             "1_000", "1'000", "\xd9\xa1"}) {
        EXPECT_EQ(amount_of(text, 2), untouched) << text;
    }
    EXPECT_EQ(amount_of(std::string("12\0", 3), 2), untouched);
    EXPECT_EQ(amount_of("1.5", 0), untouched);
    EXPECT_EQ(amount_of("1.0", 0), untouched) << "more decimals than the book has";
}

TEST(Amount, TheLargestAmountIsABound) {
    for (uint32_t scale = 0; scale <= scale_max; scale++) {
        EXPECT_EQ(amount_of(text_of_minor(amount_minor_max, scale), scale), amount_minor_max);
        EXPECT_EQ(amount_of(text_of_minor(amount_minor_max + 1, scale), scale), untouched);
        EXPECT_EQ(minor_of(text_of_minor(balance_minor_max, scale), scale), balance_minor_max);
        EXPECT_EQ(minor_of(text_of_minor(-balance_minor_max, scale), scale), -balance_minor_max);
        EXPECT_EQ(minor_of(text_of_minor(balance_minor_max + 1, scale), scale), untouched);
    }
}

TEST(Amount, NoNumberOfDigitsWrapsAround) {
    // 2^64 and its multiples, and a few more, are small numbers to arithmetic that overflows.
    std::vector<std::string> numbers = {
        "18446744073709551616",  "18446744073709551617", "18446744073709551716",
        "36893488147419103233",  "40000000000000000000", "39999999999999999999",
        "184467440737095516160", "9223372036854775808",  "4000000000000000001",
        "340282366920938463463374607431768211457"};
    for (int digit = 1; digit <= 9; digit++) {
        for (uint32_t size = 15; size <= 45; size++) {
            numbers.push_back(std::string(size, static_cast<char>('0' + digit)));
            numbers.push_back(std::to_string(digit) + std::string(size, '0'));
        }
    }
    for (const std::string& number : numbers) {
        expect_as_the_other_one(number);
        for (uint32_t decimals = 1; decimals <= scale_max; decimals++) {
            std::string text = number;
            text.insert(text.size() - decimals, ".");
            expect_as_the_other_one(text);
            expect_as_the_other_one("-" + text);
        }
    }
}

TEST(Amount, EveryShortTextIsJudgedAsByAnotherImplementation) {
    const std::string letters = "019.-+e ";
    std::vector<std::string> all = {""};
    for (size_t i = 0; i < all.size() && all[i].size() < 5; i++) {
        for (const char letter : letters) all.push_back(all[i] + letter);
    }
    for (const std::string& text : all) expect_as_the_other_one(text);
}

TEST(Amount, EveryByteInAnAmountCounts) {
    for (int value = 0; value < 256; value++) {
        for (size_t at = 0; at < 5; at++) {
            std::string text = "12.50";
            text[at] = static_cast<char>(value);
            expect_as_the_other_one(text);
        }
    }
}

TEST(Amount, FormattingAndParsingAreInverseAtEveryScale) {
    std::vector<int64_t> values = {0};
    for (int64_t power = 1; power <= balance_minor_max / 10; power *= 10) {
        for (const int64_t near : {power - 1, power, power + 1, 5 * power, 7 * power + 3}) {
            if (near <= balance_minor_max) values.push_back(near);
        }
    }
    for (int64_t value = 0; value < 2000; value++) values.push_back(value);
    for (uint32_t scale = 0; scale <= scale_max; scale++) {
        for (const int64_t value : values) {
            EXPECT_EQ(minor_of(text_of_minor(value, scale), scale), value);
            EXPECT_EQ(minor_of(text_of_minor(-value, scale), scale), -value);
            if (value == 0 || value > amount_minor_max) continue;
            EXPECT_EQ(amount_of(text_of_minor(value, scale), scale), value);
            EXPECT_EQ(amount_of(text_of_minor(-value, scale), scale), untouched);
        }
    }
}

TEST(Amount, TextIsTheOneEverybodyExpects) {
    EXPECT_EQ(text_of_minor(1250, 2), "12.50");
    EXPECT_EQ(text_of_minor(5, 2), "0.05");
    EXPECT_EQ(text_of_minor(-5, 2), "-0.05");
    EXPECT_EQ(text_of_minor(0, 2), "0.00");
    EXPECT_EQ(text_of_minor(0, 0), "0");
    EXPECT_EQ(text_of_minor(-1, 0), "-1");
    EXPECT_EQ(text_of_minor(INT64_MIN, 0), "-9223372036854775808");
    EXPECT_EQ(text_of_minor(INT64_MIN, 4), "-922337203685477.5808");
    EXPECT_EQ(text_of_minor(INT64_MAX, 1), "922337203685477580.7");
}
