#include "crypto/message.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/crypto.h"
#include "unit/jose_keys.h"
#include "unit/slices.h"
#include "unit/test_port.h"

namespace {

constexpr uint64_t time_ms = 1'795'262'137'426;  // 2026-11-21T11:55:37.426Z
const std::string golden = R"({"from":"alice","to":"bob","id":"m-1","time":)"
                           R"("2026-11-21T11:55:37.426Z","text":"hi \"bob\""})";

struct Parts {
    std::string from = "alice", to = "bob", id = "m-1", content = "hi \"bob\"";
    MessageKind kind = MessageKind::text;
    uint64_t time = time_ms;

    Message message() const {
        return {slice_of(from), slice_of(to), slice_of(id), time, kind, slice_of(content)};
    }
};

std::string put(const Parts& parts, Status expected = Status::ok, uint32_t capacity = 4096) {
    return written(
        [&](Writer& out) { EXPECT_EQ(message_put(out, parts.message()), expected); }, capacity);
}

Status parse(const std::string& text, Parts& out) {
    uint8_t bytes[4096];
    Writer content = writer_of(bytes, sizeof bytes);
    Message message = {};
    const Status status = message_parse(slice_of(text), content, message);
    if (status != Status::ok) return status;
    out = {string_of(message.from), string_of(message.to), string_of(message.id),
           string_of(message.content), message.kind, message.time_ms};
    return status;
}

Status parse(const std::string& text) {
    Parts parts;
    return parse(text, parts);
}

struct MessageTest : testing::Test {
    MessageScratch scratch = {};

    static void SetUpTestSuite() {
        crypto_free();
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
    }
    static void TearDownTestSuite() { crypto_free(); }
    void TearDown() override { test_random_mend(); }

    std::string seal(const Parts& parts, Status expected = Status::ok) {
        return written(
            [&](Writer& out) {
                EXPECT_EQ(message_seal(slice_of(jose_test_pem("alice")), jose_test_key("bob"),
                                       parts.message(), scratch, out),
                          expected);
            },
            message_sealed_size_max);
    }
    std::string open(const std::string& sealed, const std::string& who = "bob",
                     Status expected = Status::ok) {
        Slice inner = {nullptr, 0};
        EXPECT_EQ(message_open(slice_of(jose_test_pem(who)), slice_of(sealed), scratch, inner),
                  expected);
        return string_of(inner);
    }
    Status verify(const std::string& inner, const Parts& asked, Parts& out,
                  const std::string& sender = "alice") {
        Message found = {};
        const Status status = message_verify(jose_test_key(sender), asked.message(),
                                             slice_of(inner), scratch, found);
        if (status == Status::ok) {
            out = {string_of(found.from), string_of(found.to), string_of(found.id),
                   string_of(found.content), found.kind, found.time_ms};
        }
        return status;
    }
};

}  // namespace

TEST(MessageText, is_one_line_of_json) {
    EXPECT_EQ(put({}), golden);
    Parts file;
    file.kind = MessageKind::bytes;
    file.content = std::string("\0\xff\n", 3);
    file.to = "@server";
    const std::string text = put(file);
    EXPECT_EQ(text, R"({"from":"alice","to":"@server","id":"m-1","time":)"
                    R"("2026-11-21T11:55:37.426Z","bytes":"AP8K"})");
    Parts back;
    ASSERT_EQ(parse(text, back), Status::ok);
    EXPECT_EQ(back.content, file.content);
    EXPECT_EQ(back.kind, MessageKind::bytes);
    EXPECT_EQ(back.to, "@server");
}

TEST(MessageText, comes_back_in_any_order) {
    Parts back;
    ASSERT_EQ(parse(golden, back), Status::ok);
    EXPECT_EQ(put(back), golden);
    EXPECT_EQ(back.time, time_ms);
    ASSERT_EQ(parse(R"( {"text":"hi \u0022bob\"", "time":"2026-11-21T11:55:37.426Z","id":"m-1",)"
                    R"("to":"bob","from":"alice"})", back), Status::ok);
    EXPECT_EQ(put(back), golden);
}

TEST(MessageText, is_refused_when_anything_is_missing_more_or_spelled_otherwise) {
    for (size_t size = 0; size < golden.size(); size++) {
        ASSERT_EQ(parse(golden.substr(0, size)), Status::invalid) << size;
    }
    const auto with = [](const std::string& from, const std::string& to) {
        std::string text = golden;
        return text.replace(text.find(from), from.size(), to);
    };
    for (const std::string& text :
         {with("\"from\":\"alice\",", ""), with("\"to\":\"bob\",", ""), with("\"id\":\"m-1\",", ""),
          with(",\"text\":\"hi \\\"bob\\\"\"", ""), with("\"text\"", "\"texts\""),
          with("{", "{\"more\":1,"), with("{", "{\"bytes\":\"\","), with("{", "{\"from\":\"bob\","),
          with("alice", "Alice"), with("alice", ""), with("alice", "a\\u006cice"),
          with("alice", "@alice"), with("bob", "@servers"), with("bob", std::string(32, 'b')),
          with("m-1", ""), with("m-1", "m 1"), with("m-1", "m/1"), with("m-1", std::string(33, 'm')),
          with("\"m-1\"", "1"), with("11:55", "25:55"), with(".426Z", "Z"), with("Z", "+00:00"),
          with("\"2026-11-21T11:55:37.426Z\"", "1795262937"), with("\"hi \\\"bob\\\"\"", "7"),
          with("\"text\":\"hi \\\"bob\\\"\"", "\"bytes\":\"AP8\\u004b\""),
          with("\"text\":\"hi \\\"bob\\\"\"", "\"bytes\":\"AP8=\""),
          with("\"text\":\"hi \\\"bob\\\"\"", "\"bytes\":\"AP9\""),
          with("\"text\":\"hi \\\"bob\\\"\"", "\"bytes\":7")}) {
        EXPECT_EQ(parse(text), Status::invalid) << text;
    }
}

TEST(MessageText, is_not_put_of_parts_that_would_not_come_back) {
    for (const char* name : {"", "Alice", "a b", "alice\"", "@alice", "alice."}) {
        Parts parts;
        parts.from = name;
        EXPECT_EQ(put(parts, Status::invalid), "") << name;
        parts = {};
        parts.to = name;
        EXPECT_EQ(put(parts, Status::invalid), "") << name;
    }
    for (const std::string& id : {std::string(), std::string("a b"), std::string("\"")}) {
        Parts parts;
        parts.id = id;
        EXPECT_EQ(put(parts, Status::invalid), "");
    }
    Parts parts;
    parts.content = "\xff";
    EXPECT_EQ(put(parts, Status::invalid), "");
    parts.kind = MessageKind::bytes;
    EXPECT_NE(put(parts), "");
    parts.time = 253'402'300'799'999;  // the end of the year 9999
    EXPECT_NE(put(parts), "");
    parts.time++;
    EXPECT_EQ(put(parts, Status::invalid), "");
    parts.time = UINT64_MAX;
    EXPECT_EQ(put(parts, Status::invalid), "");
}

TEST(MessageText, has_room_for_what_the_header_promises_and_no_more_than_an_envelope) {
    Parts parts;
    parts.from = std::string(name_size_max, 'a');
    parts.to = std::string(name_size_max, 'b');
    parts.id = std::string(id_size_max, 'c');
    parts.kind = MessageKind::bytes;
    parts.content = std::string(message_file_size_max, '\xff');
    EXPECT_LE(put(parts).size(), message_payload_size_max);
    parts.kind = MessageKind::text;
    parts.content = std::string(1024, 'x');
    EXPECT_LE(put(parts).size(), message_payload_size_max);
    parts.content = std::string(message_payload_size_max, 'x');
    EXPECT_EQ(put(parts, Status::full), "");
    parts.content = std::string(400, '\1');  // six bytes each
    EXPECT_EQ(put(parts, Status::full), "");
    EXPECT_EQ(put({}, Status::full, static_cast<uint32_t>(golden.size()) - 1), "");
}

TEST_F(MessageTest, reaches_its_recipient_with_all_that_was_signed) {
    Parts parts, back;
    const std::string inner = open(seal(parts));
    ASSERT_EQ(verify(inner, parts, back), Status::ok);
    EXPECT_EQ(put(back), golden);
    parts.kind = MessageKind::bytes;
    parts.content = std::string(message_file_size_max, '\xff');
    parts.from = std::string(name_size_max, 'a');
    parts.to = std::string(name_size_max, 'b');
    parts.id = std::string(id_size_max, 'c');
    const std::string sealed = seal(parts);
    ASSERT_LE(sealed.size(), message_sealed_size_max);
    ASSERT_EQ(verify(open(sealed), parts, back), Status::ok);
    EXPECT_EQ(back.content, parts.content);
}

TEST_F(MessageTest, is_not_taken_from_or_for_somebody_else_or_under_another_id) {
    Parts parts, back, asked;
    const std::string inner = open(seal(parts));
    EXPECT_EQ(verify(inner, parts, back, "bob"), Status::damaged);
    asked.from = "carol";
    EXPECT_EQ(verify(inner, asked, back), Status::state);
    asked = {};
    asked.to = "carol";
    EXPECT_EQ(verify(inner, asked, back), Status::state);
    asked = {};
    asked.id = "m-2";
    EXPECT_EQ(verify(inner, asked, back), Status::state);
}

TEST_F(MessageTest, that_was_forwarded_by_its_recipient_is_not_one_to_the_third) {
    // bob seals to himself what alice signed for bob, as if it were for the next one.
    const std::string inner = open(seal({}));
    const std::string forwarded = written([&](Writer& out) {
        ASSERT_EQ(jwe_seal(jose_test_key("alice"), slice_of(inner), out), Status::ok);
    });
    Parts asked, back;
    asked.to = "carol";
    EXPECT_EQ(verify(open(forwarded, "alice"), asked, back), Status::state);
}

TEST_F(MessageTest, an_envelope_that_holds_something_else_is_refused) {
    Parts back;
    const auto sealed = [&](const std::string& plain) {
        return written([&](Writer& out) {
            ASSERT_EQ(jwe_seal(jose_test_key("bob"), slice_of(plain), out), Status::ok);
        });
    };
    const auto signature = [&](const std::string& payload) {
        return written([&](Writer& out) {
            ASSERT_EQ(jws_sign(slice_of(jose_test_pem("alice")), slice_of(payload), out), Status::ok);
        });
    };
    EXPECT_EQ(verify(open(sealed("hello")), {}, back), Status::invalid);
    EXPECT_EQ(verify(open(sealed(golden)), {}, back), Status::invalid);
    EXPECT_EQ(verify(open(sealed(signature("{}"))), {}, back), Status::invalid);
    EXPECT_EQ(verify(open(sealed(signature(golden))), {}, back), Status::ok);
    EXPECT_EQ(verify(open(sealed(signature(std::string(1500, ' ') + golden))), {}, back),
              Status::ok);
    open(std::string(message_sealed_size_max + 1, 'x'), "bob", Status::invalid);
    open(signature(golden), "bob", Status::invalid);
    open(seal({}), "alice", Status::damaged);
}

TEST_F(MessageTest, is_not_sealed_without_randomness) {
    (void)jose_test_pem("alice");
    const JoseKey bob = jose_test_key("bob");
    const Parts parts;
    for (uint32_t calls = 0; calls < 4; calls++) {
        test_random_fail_after(calls);
        EXPECT_EQ(written([&](Writer& out) {
                      EXPECT_EQ(message_seal(slice_of(jose_test_pem("alice")), bob, parts.message(),
                                             scratch, out),
                                Status::failed);
                  }),
                  "");
        test_random_mend();
    }
}
