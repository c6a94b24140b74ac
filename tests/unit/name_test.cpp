// Names that people and accounts may have, and those that the book keeps for itself.
#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "unit/slices.h"

namespace {

bool is_name(const std::string& text) {
    Name name = {};
    name.size = 3;
    name.text[0] = '?';
    const Status status = parse_name(slice_of(text), name);
    if (status != Status::ok) {
        EXPECT_EQ(status, Status::invalid) << text;
        EXPECT_TRUE(name.size == 3 && name.text[0] == '?') << "a refusal changed the output";
        return false;
    }
    EXPECT_EQ(string_of(name_slice(name)), text);
    for (uint32_t i = name.size; i < name_size_max; i++) EXPECT_EQ(name.text[i], 0) << text;
    return true;
}

Name name_of(const char* text) {
    Name name = {};
    EXPECT_EQ(parse_name(slice_of(text), name), Status::ok) << text;
    return name;
}

const char letters[] = "abcdefghijklmnopqrstuvwxyz";
const char others[] = "0123456789._-";

}  // namespace

TEST(Name, EveryByteIsJudgedAtEveryPlace) {
    for (int value = 0; value < 256; value++) {
        const char byte = static_cast<char>(value);
        const bool letter = value != 0 && std::string(letters).find(byte) != std::string::npos;
        const bool other = value != 0 && std::string(others).find(byte) != std::string::npos;
        EXPECT_EQ(is_name(std::string(1, byte)), letter) << value;
        EXPECT_EQ(is_name(std::string(1, byte) + "b"), letter) << value;
        EXPECT_EQ(is_name(std::string("a") + byte + "b"), letter || other) << value;
        EXPECT_EQ(is_name(std::string("a") + byte), letter || (other && byte != '.')) << value;
    }
}

TEST(Name, ItsSizeIsBounded) {
    EXPECT_FALSE(is_name(""));
    for (uint32_t size = 1; size <= name_size_max; size++) {
        EXPECT_TRUE(is_name(std::string(size, 'a')));
    }
    EXPECT_FALSE(is_name(std::string(name_size_max + 1, 'a')));
    EXPECT_FALSE(is_name(std::string(300, 'a')));
}

TEST(Name, EqualMeansEveryByte) {
    EXPECT_TRUE(name_equal(name_of("alice"), name_of("alice")));
    EXPECT_FALSE(name_equal(name_of("alice"), name_of("alic")));
    EXPECT_FALSE(name_equal(name_of("alice"), name_of("alicf")));
    EXPECT_FALSE(name_equal(Name{}, name_of("a")));
    EXPECT_TRUE(name_equal(Name{}, Name{}));
}

TEST(Name, ReservedOnesAreThoseOfTheBookAndOfTheOptions) {
    for (const char* text : {"cash", "shop", "server", "default", "count", "before", "from", "memo",
                             "expires", "price", "pin"}) {
        EXPECT_TRUE(name_is_reserved(name_of(text))) << text;
    }
    for (const char* text : {"alice", "cas", "cashs", "cash-1", "a"}) {
        EXPECT_FALSE(name_is_reserved(name_of(text))) << text;
    }
    EXPECT_FALSE(name_is_reserved(Name{}));
}
