// Replies, byte by byte, in both protocols.
#include "wire/reply.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "unit/slices.h"

namespace {

template <typename Make>
std::string reply_bytes(uint8_t protocol, Make make, uint32_t capacity = 65536) {
    return written(
        [&](Writer& writer) {
            Reply reply = {&writer, protocol, 0};
            make(reply);
            EXPECT_EQ(reply.text_start, 0u);
        },
        capacity);
}

template <typename Make>
void expect_bytes(Make make, const std::string& resp2, const std::string& resp3) {
    EXPECT_EQ(reply_bytes(2, make), resp2);
    EXPECT_EQ(reply_bytes(3, make), resp3);
    // With every smaller capacity the reply is void as a whole, and nothing is written outside.
    for (uint32_t capacity = 0; capacity < resp3.size(); capacity++) {
        EXPECT_EQ(reply_bytes(3, make, capacity), "<overflow>") << resp3 << capacity;
    }
    for (uint32_t capacity = 0; capacity < resp2.size(); capacity++) {
        EXPECT_EQ(reply_bytes(2, make, capacity), "<overflow>") << resp2 << capacity;
    }
    EXPECT_EQ(reply_bytes(2, make, static_cast<uint32_t>(resp2.size())), resp2);
    EXPECT_EQ(reply_bytes(3, make, static_cast<uint32_t>(resp3.size())), resp3);
}

template <typename Make>
void expect_same(Make make, const std::string& bytes) {
    expect_bytes(make, bytes, bytes);
}

}  // namespace

TEST(Reply, PlainValuesAreTheSameInBothProtocols) {
    expect_same([](Reply& r) { reply_ok(r); }, "+OK\r\n");
    expect_same([](Reply& r) { reply_simple(r, "PONG"); }, "+PONG\r\n");
    expect_same([](Reply& r) { reply_integer(r, 0); }, ":0\r\n");
    expect_same([](Reply& r) { reply_integer(r, -7); }, ":-7\r\n");
    expect_same([](Reply& r) { reply_integer(r, INT64_MIN); }, ":-9223372036854775808\r\n");
    expect_same([](Reply& r) { reply_integer(r, INT64_MAX); }, ":9223372036854775807\r\n");
    expect_same([](Reply& r) { reply_bulk_text(r, "a\r\nb"); }, "$4\r\na\r\nb\r\n");
    expect_same([](Reply& r) { reply_bulk_text(r, ""); }, "$0\r\n\r\n");
    expect_same([](Reply& r) { reply_bulk(r, {nullptr, 0}); }, "$0\r\n\r\n");
    expect_same([](Reply& r) { reply_array(r, 0); }, "*0\r\n");
    expect_same([](Reply& r) { reply_array(r, 12); }, "*12\r\n");
}

TEST(Reply, NumbersAsTextAreExact) {
    expect_same([](Reply& r) { reply_decimal_bulk(r, 0); }, "$1\r\n0\r\n");
    expect_same([](Reply& r) { reply_decimal_bulk(r, UINT64_MAX); },
                "$20\r\n18446744073709551615\r\n");
    expect_same([](Reply& r) { reply_minor_bulk(r, 1250, 2); }, "$5\r\n12.50\r\n");
    expect_same([](Reply& r) { reply_minor_bulk(r, -5, 2); }, "$5\r\n-0.05\r\n");
    expect_same([](Reply& r) { reply_minor_bulk(r, 1250, 0); }, "$4\r\n1250\r\n");
    expect_same([](Reply& r) { reply_minor_bulk(r, INT64_MIN, 4); },
                "$21\r\n-922337203685477.5808\r\n");
}

TEST(Reply, ValuesThatOnlyRespThreeHasFallBack) {
    expect_bytes([](Reply& r) { reply_map(r, 7); }, "*14\r\n", "%7\r\n");
    expect_bytes([](Reply& r) { reply_map(r, UINT32_MAX); }, "*8589934590\r\n", "%4294967295\r\n");
    expect_bytes([](Reply& r) { reply_set(r, 3); }, "*3\r\n", "~3\r\n");
    expect_bytes([](Reply& r) { reply_push(r, 2); }, "*2\r\n", ">2\r\n");
    expect_bytes([](Reply& r) { reply_null(r); }, "$-1\r\n", "_\r\n");
    expect_bytes([](Reply& r) { reply_boolean(r, true); }, ":1\r\n", "#t\r\n");
    expect_bytes([](Reply& r) { reply_boolean(r, false); }, ":0\r\n", "#f\r\n");
    expect_bytes([](Reply& r) { reply_verbatim(r, slice_of("two words")); },
                 "$9\r\ntwo words\r\n", "=13\r\ntxt:two words\r\n");
    expect_bytes([](Reply& r) { reply_verbatim(r, {nullptr, 0}); }, "$0\r\n\r\n",
                 "=4\r\ntxt:\r\n");
}

TEST(Reply, AnErrorIsOneLineWhateverItsTextHolds) {
    expect_same([](Reply& r) { reply_error(r, "ERR", "syntax error"); }, "-ERR syntax error\r\n");
    expect_same([](Reply& r) { reply_error(r, "ERR", "a\r\n+OK\r\n\x1b[2J\x7f"); },
                "-ERR a  +OK   [2J \r\n");
    expect_same(
        [](Reply& r) {
            reply_error_begin(r, "FUNDS");
            put_text(*r.out, "balance ");
            put_minor(*r.out, 1250, 2);
            put_u8(*r.out, '\n');
            put_u8(*r.out, 0);
            reply_error_end(r);
        },
        "-FUNDS balance 12.50  \r\n");
    const std::string bytes = written([](Writer& writer) {
        Reply reply = {&writer, 2, 0};
        reply_error_begin(reply, "ERR");
        for (uint32_t i = 0; i < 256; i++) put_u8(writer, static_cast<uint8_t>(i));
        reply_error_end(reply);
        reply_ok(reply);
    });
    EXPECT_EQ(bytes.find('\r'), bytes.size() - 7);
    EXPECT_EQ(bytes.find('\n'), bytes.size() - 6);
    EXPECT_EQ(bytes.find("\xc3\xc4"), bytes.find("\xc2\xc3") + 1) << "UTF-8 stays";
}

TEST(Reply, ATextWrittenFirstGetsItsSizeInFront) {
    for (uint32_t size : {0u, 1u, 4u, 5u, 6u, 9u, 10u, 95u, 96u, 99u, 100u, 995u, 996u, 999u,
                          1000u, 9999u, 10000u}) {
        const std::string text(size, 'x');
        const std::string before = "+before\r\n";
        auto make = [&](Reply& r, void (*begin)(Reply&), void (*end)(Reply&)) {
            reply_simple(r, "before");
            begin(r);
            put_bytes(*r.out, slice_of(text));
            end(r);
            reply_ok(r);
        };
        const std::string bulk =
            before + "$" + std::to_string(size) + "\r\n" + text + "\r\n+OK\r\n";
        const std::string verbatim =
            before + "=" + std::to_string(size + 4) + "\r\ntxt:" + text + "\r\n+OK\r\n";
        auto make_bulk = [&](Reply& r) { make(r, reply_bulk_begin, reply_bulk_end); };
        auto make_verbatim = [&](Reply& r) { make(r, reply_verbatim_begin, reply_verbatim_end); };
        EXPECT_EQ(reply_bytes(2, make_bulk), bulk);
        EXPECT_EQ(reply_bytes(3, make_bulk), bulk);
        EXPECT_EQ(reply_bytes(2, make_verbatim), bulk);
        EXPECT_EQ(reply_bytes(3, make_verbatim), verbatim);
        if (size > 100) continue;
        expect_bytes(make_verbatim, bulk, verbatim);
    }
}

TEST(Reply, ATextWrittenFirstMayHoldAnyByte) {
    std::string text;
    for (int i = 0; i < 256; i++) text.push_back(static_cast<char>(i));
    expect_bytes(
        [&](Reply& r) {
            reply_verbatim_begin(r);
            put_bytes(*r.out, slice_of(text));
            reply_verbatim_end(r);
        },
        "$256\r\n" + text + "\r\n", "=260\r\ntxt:" + text + "\r\n");
}
