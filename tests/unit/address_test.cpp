// Addresses: every spelling that RFC 4291 has, refusals of all others, and prefixes bit by bit.
#include "base/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace {

Slice slice(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

// As inet_ntop writes it, with IPv4 inside as it has it.
std::string address(const std::string& text) {
    NetAddress out = {{0xab}};
    const NetAddress before = out;
    if (parse_address(slice(text), out) != Status::ok) {
        EXPECT_TRUE(net_address_equal(out, before)) << text;
        return "";
    }
    char shown[INET6_ADDRSTRLEN] = "";
    EXPECT_NE(inet_ntop(AF_INET6, out.bytes, shown, sizeof shown), nullptr);
    return shown;
}

std::string endpoint(const std::string& text) {
    NetAddress out = {};
    if (parse_endpoint(slice(text), out) != Status::ok) return "";
    char shown[INET6_ADDRSTRLEN] = "";
    EXPECT_NE(inet_ntop(AF_INET6, out.bytes, shown, sizeof shown), nullptr);
    return shown;
}

NetAddress parsed(const std::string& text) {
    NetAddress out = {};
    EXPECT_EQ(parse_address(slice(text), out), Status::ok) << text;
    return out;
}

bool has(const std::string& list, const std::string& text) {
    NetPrefixes prefixes = {};
    EXPECT_EQ(parse_prefixes(slice(list), prefixes), Status::ok) << list;
    return net_prefixes_have(prefixes, parsed(text));
}

bool is_one_source(const std::string& a, const std::string& b) {
    return net_address_equal(net_source_of(parsed(a)), net_source_of(parsed(b)));
}

}  // namespace

TEST(Address, TakesEverySpelling) {
    EXPECT_EQ(address("192.0.2.1"), "::ffff:192.0.2.1");
    EXPECT_EQ(address("0.0.0.0"), "::ffff:0.0.0.0");
    EXPECT_EQ(address("::"), "::");
    EXPECT_EQ(address("::1"), "::1");
    EXPECT_EQ(address("1::"), "1::");
    EXPECT_EQ(address("2001:DB8:0:0:8:800:200C:417A"), "2001:db8::8:800:200c:417a");
    EXPECT_EQ(address("2001:db8::8:800:200c:417a"), "2001:db8::8:800:200c:417a");
    EXPECT_EQ(address("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
    EXPECT_EQ(address("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
    EXPECT_EQ(address("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
    EXPECT_EQ(address("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
}

TEST(Address, RefusesEverythingElse) {
    for (const char* text :
         {"", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
          "1..2.3", "localhost", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
          "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "12345::", "g::", "1:", ":1",
          "::1:", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "fe80::1%eth0",
          "[::1]", "::1/64", "-1.2.3.4"}) {
        EXPECT_EQ(address(text), "") << text;
    }
}

// inet_pton is somebody else's reading of the same pages. It takes nothing that we refuse but the
// zeros in front of a number, which glibc refuses too.
TEST(Address, AgreesWithTheSystem) {
    std::mt19937 random(1);
    const std::string alphabet = "0123456789abcdefF:::...1";
    for (int i = 0; i < 200000; i++) {
        std::string text;
        const size_t size = random() % 20;
        for (size_t j = 0; j < size; j++) text += alphabet[random() % alphabet.size()];
        uint8_t theirs[net_address_size] = {};
        char shown[INET6_ADDRSTRLEN] = "";
        std::string expected;
        if (inet_pton(AF_INET6, text.c_str(), theirs) == 1) {
            expected = inet_ntop(AF_INET6, theirs, shown, sizeof shown);
        } else if (inet_pton(AF_INET, text.c_str(), theirs) == 1) {
            expected = std::string("::ffff:") + inet_ntop(AF_INET, theirs, shown, sizeof shown);
        }
        ASSERT_EQ(address(text), expected) << text;
    }
}

TEST(Address, TakesAPortBehindIt) {
    EXPECT_EQ(endpoint("192.0.2.1:5050"), "::ffff:192.0.2.1");
    EXPECT_EQ(endpoint("[2001:db8::1]:0"), "2001:db8::1");
    EXPECT_EQ(endpoint("[::ffff:192.0.2.1]:65535"), "::ffff:192.0.2.1");
    for (const char* text : {"", ":", "unknown:0", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:5",
                             "[::1]", "[::1]5", "[]:5", "[1.2.3.4]:5", "[::1:5", "[:5"}) {
        EXPECT_EQ(endpoint(text), "") << text;
    }
}

TEST(Address, PrefixesHoldWhatTheyCover) {
    EXPECT_TRUE(has("192.0.2.1", "192.0.2.1"));
    EXPECT_TRUE(has("192.0.2.1", "::ffff:192.0.2.1"));
    EXPECT_FALSE(has("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(has("192.0.2.77/24", "192.0.2.1"));
    EXPECT_FALSE(has("192.0.2.0/24", "192.0.3.1"));
    EXPECT_TRUE(has("0.0.0.0/0", "255.1.2.3"));
    EXPECT_FALSE(has("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(has("::/0", "192.0.2.1"));
    EXPECT_TRUE(has("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(has("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(has("10.0.0.0/8, ::1 192.0.2.0/31,", "192.0.2.1"));
    EXPECT_TRUE(has("10.0.0.0/8, ::1 192.0.2.0/31,", "::1"));
    EXPECT_FALSE(has("10.0.0.0/8, ::1 192.0.2.0/31,", "192.0.2.2"));
    EXPECT_FALSE(has("", "192.0.2.2"));
    for (uint32_t bits = 0; bits <= 128; bits++) {
        for (uint32_t flipped = 0; flipped < 128; flipped++) {
            NetAddress other = parsed("2001:db8:1234:5678:9abc:def0:1234:5678");
            other.bytes[flipped / 8] ^= static_cast<uint8_t>(0x80 >> flipped % 8);
            NetPrefixes list = {};
            const std::string text =
                "2001:db8:1234:5678:9abc:def0:1234:5678/" + std::to_string(bits);
            ASSERT_EQ(parse_prefixes(slice(text), list), Status::ok);
            ASSERT_EQ(net_prefixes_have(list, other), flipped >= bits) << bits << " " << flipped;
        }
    }
}

TEST(Address, ListsAreRefusedWhole) {
    for (const char* text : {"1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/08",
                             "1.2.3.4;1.2.3.5", "1.2.3.4, x", "/8", "1.2.3.4/8/8"}) {
        NetPrefixes list = {};
        EXPECT_EQ(parse_prefixes(slice(text), list), Status::invalid) << text;
        EXPECT_EQ(list.count, 0u);
    }
    std::string many;
    NetPrefixes list = {};
    for (uint32_t i = 0; i < net_prefixes_max; i++) many += "10.0.0." + std::to_string(i) + ",";
    EXPECT_EQ(parse_prefixes(slice(many), list), Status::ok);
    EXPECT_EQ(list.count, net_prefixes_max);
    EXPECT_EQ(parse_prefixes(slice(many + "10.0.1.0"), list), Status::full);
}

TEST(Address, OneSourceIsOneAddressOrSixtyFourBits) {
    EXPECT_TRUE(is_one_source("192.0.2.1", "::ffff:192.0.2.1"));
    EXPECT_FALSE(is_one_source("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(is_one_source("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"));
    EXPECT_FALSE(is_one_source("2001:db8::1", "2001:db8:0:1::1"));
    EXPECT_TRUE(is_one_source("fe80::1", "fe80::1"));
    EXPECT_FALSE(is_one_source("fe80::1", "fe80::2"));
}
