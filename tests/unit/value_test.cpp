// The client's parser of replies: every kind of value, every cut, and every kind of nonsense.
#include "wire/value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/slices.h"

namespace {

constexpr uint32_t count_max = 64;

// One line per value: depth, type, and what it says.
std::string shown(const std::vector<Value>& values) {
    static const char* const names[] = {"simple", "error", "integer", "bulk",    "null",
                                        "array",  "map",   "set",     "push",    "real",
                                        "boolean", "verbatim", "big"};
    std::string text;
    for (const Value& value : values) {
        text += std::string(value.depth, ' ') + names[static_cast<int>(value.type)] + " " +
                std::to_string(value.count) + " " + std::to_string(value.integer) + " " +
                string_of(value.text) + "\n";
    }
    return text;
}

struct Parsed {
    Status status;
    std::vector<Value> values;  // their texts are gone
    std::string shown;
    uint32_t size = 0;
};

// The bytes are copied to a block of just their size, so that a sanitizer sees a step beyond.
Parsed parse(const std::string& bytes, uint32_t limit = count_max) {
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    std::vector<Value> values(limit);
    Parsed parsed = {};
    uint32_t count = 0;
    parsed.status = value_parse({exact.data(), static_cast<uint32_t>(exact.size())}, values.data(),
                                limit, count, parsed.size);
    values.resize(count);
    parsed.values = values;
    parsed.shown = shown(values);
    return parsed;
}

struct Example {
    std::string bytes;
    const char* values;
};

const Example examples[] = {
    {"+OK\r\n", "simple 0 0 OK\n"},
    {"+\r\n", "simple 0 0 \n"},
    {"-FUNDS too little\r\n", "error 0 0 FUNDS too little\n"},
    {":-42\r\n", "integer 0 -42 \n"},
    {":+7\r\n", "integer 0 7 \n"},
    {":9223372036854775807\r\n", "integer 0 9223372036854775807 \n"},
    {"$5\r\na\r\nbc\r\n", "bulk 0 0 a\r\nbc\n"},
    {"$0\r\n\r\n", "bulk 0 0 \n"},
    {"$-1\r\n", "null 0 0 \n"},
    {"*-1\r\n", "null 0 0 \n"},
    {"_\r\n", "null 0 0 \n"},
    {"*0\r\n", "array 0 0 \n"},
    {"*2\r\n:7\r\n%1\r\n+a\r\n#t\r\n",
     "array 2 0 \n integer 0 7 \n map 2 0 \n  simple 0 0 a\n  boolean 0 1 \n"},
    {"*2\r\n*0\r\n*1\r\n_\r\n", "array 2 0 \n array 0 0 \n array 1 0 \n  null 0 0 \n"},
    {"~2\r\n+a\r\n+b\r\n", "set 2 0 \n simple 0 0 a\n simple 0 0 b\n"},
    {">1\r\n$4\r\nmail\r\n", "push 1 0 \n bulk 0 0 mail\n"},
    {"%0\r\n", "map 0 0 \n"},
    {",3.25\r\n", "real 0 0 3.25\n"},
    {",-inf\r\n", "real 0 0 -inf\n"},
    {"#f\r\n", "boolean 0 0 \n"},
    {"=9\r\ntxt:hello\r\n", "verbatim 0 0 hello\n"},
    {"=4\r\nmkd:\r\n", "verbatim 0 0 \n"},
    {"(-123456789012345678901234567890\r\n", "big 0 0 -123456789012345678901234567890\n"},
    {"!9\r\nSYN\r\nmore\r\n", "error 0 0 SYN\r\nmore\n"},
};

TEST(Value, finds_every_kind) {
    for (const Example& example : examples) {
        const Parsed parsed = parse(example.bytes);
        EXPECT_EQ(parsed.status, Status::ok) << example.bytes;
        EXPECT_EQ(parsed.shown, example.values);
        EXPECT_EQ(parsed.size, example.bytes.size());
    }
}

TEST(Value, asks_for_more_at_every_cut) {
    for (const Example& example : examples) {
        for (size_t cut = 0; cut < example.bytes.size(); cut++) {
            EXPECT_EQ(parse(example.bytes.substr(0, cut)).status, Status::more)
                << example.bytes << " at " << cut;
        }
    }
}

TEST(Value, stops_at_the_end_of_a_reply) {
    for (const Example& example : examples) {
        for (const char* behind : {"+next\r\n", "nonsense", "\r\n"}) {
            const Parsed parsed = parse(example.bytes + behind);
            EXPECT_EQ(parsed.status, Status::ok) << example.bytes;
            EXPECT_EQ(parsed.shown, example.values);
            EXPECT_EQ(parsed.size, example.bytes.size());
        }
    }
}

TEST(Value, refuses_nonsense) {
    for (const char* bytes :
         {"OK\r\n", "\r\n", " +OK\r\n", "+O\nK\r\n", "+O\rK\r\n", ":\r\n", ":x\r\n", ":1.5\r\n",
          ":01\r\n", ":9223372036854775808\r\n", ":1 \r\n", "$\r\n", "$x\r\n", "$-2\r\n",
          "$536870913\r\n", "$?\r\n", "$3\r\nabcd\r\n", "$3\r\nabc\rx", "$3\r\nab\r\n\r\n",
          "*-2\r\n", "*x\r\n", "*?\r\n", "%-1\r\n", "~-1\r\n", ">-1\r\n", "=-1\r\n", "!-1\r\n",
          "*99999999999999999999\r\n", "_x\r\n", "#\r\n", "#x\r\n", "#tt\r\n", ",\r\n", ",one\r\n",
          "(\r\n", "(1.5\r\n", "=3\r\ntxt\r\n", "=5\r\ntext:\r\n", "|1\r\n+a\r\n+b\r\n",
          ".\r\n", ":1\n", ":                                 1\r\n"}) {
        EXPECT_EQ(parse(bytes).status, Status::invalid) << bytes;
        EXPECT_EQ(parse(std::string("*2\r\n:1\r\n") + bytes).status, Status::invalid) << bytes;
    }
}

TEST(Value, refuses_every_other_first_byte) {
    const std::string known = "+-:$_*%~>,#=(!";
    for (int byte = 0; byte < 256; byte++) {
        const std::string bytes(1, static_cast<char>(byte));
        const bool is_known = known.find(bytes) != std::string::npos;
        EXPECT_EQ(parse(bytes).status, is_known ? Status::more : Status::invalid) << byte;
    }
}

TEST(Value, refuses_deep_nesting) {
    std::string bytes;
    for (uint32_t depth = 0; depth < 40; depth++) {
        const std::string whole = bytes + ":1\r\n";
        EXPECT_EQ(parse(whole).status, depth <= value_depth_max ? Status::ok : Status::invalid)
            << depth;
        bytes += "*1\r\n";
    }
    EXPECT_EQ(parse(bytes).status, Status::invalid);  // before its end is there
}

TEST(Value, refuses_more_values_than_there_is_room_for) {
    std::string bytes = "*9\r\n";
    for (int i = 0; i < 9; i++) bytes += ":1\r\n";
    EXPECT_EQ(parse(bytes, 10).status, Status::ok);
    EXPECT_EQ(parse(bytes, 9).status, Status::full);
    EXPECT_EQ(parse("*9\r\n", 9).status, Status::full);  // as soon as it is announced
    EXPECT_EQ(parse("%2147483647\r\n").status, Status::full);
    EXPECT_EQ(parse(":1\r\n", 0).status, Status::full);
}

TEST(Value, bounds_a_line_without_an_end) {
    EXPECT_EQ(parse("+" + std::string(value_line_size_max, 'x')).status, Status::more);
    EXPECT_EQ(parse("+" + std::string(value_line_size_max, 'x') + "\r\n").status, Status::ok);
    EXPECT_EQ(parse("+" + std::string(value_line_size_max + 1, 'x')).status, Status::invalid);
    EXPECT_EQ(parse(":" + std::string(40, '1')).status, Status::invalid);
}

TEST(Value, skips_a_value_with_all_that_it_holds) {
    const Parsed parsed = parse("*3\r\n*2\r\n:1\r\n*1\r\n:2\r\n:3\r\n+x\r\n");
    ASSERT_EQ(parsed.values.size(), 7u);
    const uint32_t behind[] = {7, 5, 3, 5, 5, 6, 7};
    for (uint32_t i = 0; i < 7; i++) EXPECT_EQ(value_skip(parsed.values.data(), 7, i), behind[i]);
}

}  // namespace
