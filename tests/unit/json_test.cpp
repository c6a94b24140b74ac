#include "base/json.h"

#include <gtest/gtest.h>

#include "unit/slices.h"

namespace {

Status parse(const std::string& text) {
    JsonObject object = {};
    object.count = 99;
    const Status status = json_parse(slice_of(text), object);
    if (status != Status::ok) {
        EXPECT_EQ(object.count, 99u) << text;
    }
    return status;
}

// What the one member of an object means.
std::string meant(const std::string& string, uint32_t capacity = 100) {
    const std::string text = "{\"a\":\"" + string + "\"}";
    JsonObject object = {};
    if (json_parse(slice_of(text), object) != Status::ok) return "<invalid>";
    Status status = Status::ok;
    std::string out = written(
        [&](Writer& writer) { status = json_unescape(object.members[0], writer); }, capacity);
    if (status == Status::full) {
        EXPECT_EQ(out, "");
    }
    return status == Status::ok ? out : "<full>";
}

}  // namespace

TEST(Json, reads_members_in_any_order_with_blanks_between) {
    const std::string text = " {\r\n\t\"b\" : 12 ,\"a\":\"x y\",\"c\":true}\n";
    JsonObject object = {};
    ASSERT_EQ(json_parse(slice_of(text), object), Status::ok);
    ASSERT_EQ(object.count, 3u);
    EXPECT_EQ(string_of(object.members[0].name), "b");
    EXPECT_EQ(json_find(object, "b")->kind, JsonKind::number);
    EXPECT_EQ(string_of(json_find(object, "b")->text), "12");
    EXPECT_EQ(json_find(object, "c")->kind, JsonKind::literal);
    EXPECT_TRUE(json_is_text(*json_find(object, "a"), "x y"));
    EXPECT_FALSE(json_is_text(*json_find(object, "b"), "12"));
    EXPECT_EQ(json_find(object, "d"), nullptr);
    EXPECT_EQ(parse("{}"), Status::ok);
}

TEST(Json, takes_every_value_of_the_rfc_that_holds_no_others) {
    for (const char* value : {"\"\"", "0", "-0", "-1.5e+10", "10E2", "0.25", "1e-3", "true", "false",
                              "null", "\"\\u00e9\"", "\"\xc3\xa9\""}) {
        EXPECT_EQ(parse("{\"a\":" + std::string(value) + "}"), Status::ok) << value;
    }
}

TEST(Json, refuses_what_is_no_flat_object) {
    for (const char* text :
         {"", " ", "{", "}", "[]", "\"a\"", "{}{}", "{} x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
          "{,}", "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}", "{\"a\":[]}", "{\"a\":{}}",
          "{\"a\":tru}", "{\"a\":nul}", "{\"a\":True}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":1.}",
          "{\"a\":.5}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":\"x}", "{\"a\":\"\\x\"}",
          "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}", "{\"a\":\"\t\"}",
          "{\"a\":\"\xff\"}", "{\"a\":\"\xc3\"}", "{\"a\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}",
          "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\u0041\"}",
          "{\"a\":\"\\ud800x\"}", "{\"a\":1/**/}", "{\"a\" 1}", "{\"a\":1"}) {
        EXPECT_EQ(parse(text), Status::invalid) << text;
    }
    EXPECT_EQ(parse(std::string("{\"a\":\"\0\"}", 9)), Status::invalid);
    EXPECT_EQ(parse(std::string("{}\0", 3)), Status::invalid);
}

TEST(Json, refuses_a_name_twice_or_with_an_escape) {
    EXPECT_EQ(parse(R"({"alg":"a","b":1,"alg":"a"})"), Status::invalid);
    EXPECT_EQ(parse(R"({"alg":"a","al\u0067":"b"})"), Status::invalid);
    EXPECT_EQ(parse(R"({"al\u0067":"b"})"), Status::invalid);
    EXPECT_EQ(parse(R"({"alg":"a","Alg":"a"})"), Status::ok);
}

TEST(Json, says_when_there_are_more_members_than_room) {
    std::string text = "{\"m0\":0";
    for (uint32_t i = 1; i < json_members_max; i++) text += ",\"m" + std::to_string(i) + "\":0";
    EXPECT_EQ(parse(text + "}"), Status::ok);
    EXPECT_EQ(parse(text + ",\"more\":0}"), Status::full);
}

TEST(Json, every_cut_of_an_object_is_refused) {
    const std::string text = R"({"a":"x\u00e9\n","b":-1.5e3,"c":null})";
    ASSERT_EQ(parse(text), Status::ok);
    for (size_t size = 0; size < text.size(); size++) {
        EXPECT_EQ(parse(text.substr(0, size)), Status::invalid) << size;
    }
}

TEST(Json, means_what_its_escapes_say) {
    EXPECT_EQ(meant(""), "");
    EXPECT_EQ(meant("a\\\"\\\\\\/\\b\\f\\n\\r\\tz"), "a\"\\/\b\f\n\r\tz");
    EXPECT_EQ(meant("\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\uFFFF"),
              "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf");
    EXPECT_EQ(meant("\\u0000"), std::string(1, '\0'));
    EXPECT_EQ(meant("\\u07ff\\u0800\\ud800\\udc00\\udbff\\udfff"),
              "\xdf\xbf\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    EXPECT_EQ(meant("abc", 3), "abc");
    EXPECT_EQ(meant("abc", 2), "<full>");
    EXPECT_EQ(meant("\\u20ac", 2), "<full>");
}

TEST(Json, a_number_means_no_text) {
    const std::string text = "{\"a\":1}";
    JsonObject object = {};
    ASSERT_EQ(json_parse(slice_of(text), object), Status::ok);
    EXPECT_EQ(written([&](Writer& out) {
                  EXPECT_EQ(json_unescape(object.members[0], out), Status::invalid);
              }),
              "");
}

TEST(Json, what_is_put_comes_back) {
    std::string all;
    for (int i = 0; i < 128; i++) all += static_cast<char>(i);
    all += "\xc3\xa9\xf0\x9f\x98\x80";
    const std::string put = written([&](Writer& out) { put_json_string(out, slice_of(all)); });
    ASSERT_GT(put.size(), 2u);
    EXPECT_EQ(meant(put.substr(1, put.size() - 2), 200), all);
    EXPECT_EQ(written([&](Writer& out) { put_json_string(out, slice_of(std::string("a\"\n\x01/"))); }),
              "\"a\\\"\\n\\u0001/\"");
    EXPECT_EQ(written([&](Writer& out) { put_json_string(out, slice_of(std::string("abc"))); }, 4),
              "<overflow>");
}

TEST(Json, tells_utf8_from_other_bytes) {
    EXPECT_TRUE(json_is_utf8(slice_of(std::string(""))));
    EXPECT_TRUE(json_is_utf8(slice_of(std::string("a\xc3\xa9"))));
    EXPECT_FALSE(json_is_utf8(slice_of(std::string("a\xc3"))));
    EXPECT_FALSE(json_is_utf8(slice_of(std::string("\xc0\x80"))));
}
