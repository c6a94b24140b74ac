#include "base/base64.h"

#include <gtest/gtest.h>

#include "unit/slices.h"

namespace {

std::string encoded(const std::string& bytes, Base64End end) {
    return written([&](Writer& out) { put_base64(out, slice_of(bytes), end); });
}

Status decode(const std::string& text, Base64End end, std::string& out, uint32_t capacity = 100) {
    Status status = Status::ok;
    out = written([&](Writer& writer) { status = parse_base64(slice_of(text), end, writer); },
                  capacity);
    return status;
}

}  // namespace

TEST(Base64, writes_the_vectors_of_the_rfc) {
    const char* rows[][3] = {{"", "", ""},
                             {"f", "Zg", "Zg=="},
                             {"fo", "Zm8", "Zm8="},
                             {"foo", "Zm9v", "Zm9v"},
                             {"foob", "Zm9vYg", "Zm9vYg=="},
                             {"fooba", "Zm9vYmE", "Zm9vYmE="},
                             {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                             {"\xfb\xff\xbf", "+/+/", "+/+/"}};
    for (const auto& row : rows) {
        std::string out;
        EXPECT_EQ(encoded(row[0], Base64End::bare), row[1]);
        EXPECT_EQ(encoded(row[0], Base64End::padded), row[2]);
        EXPECT_EQ(decode(row[1], Base64End::bare, out), Status::ok);
        EXPECT_EQ(out, row[0]);
        EXPECT_EQ(decode(row[2], Base64End::padded, out), Status::ok);
        EXPECT_EQ(out, row[0]);
        EXPECT_EQ(std::string(row[2]).size(),
                  base64_size(static_cast<uint32_t>(std::string(row[0]).size())));
    }
}

TEST(Base64, takes_no_second_spelling) {
    std::string out;
    for (const char* text : {"Z", "Zh", "Zm9", "Zg==", "Zm8=", "Zm9v=", "Zm 9v", "Zm9v\n", "Zm9-",
                             "Zm9_", "Zm9vY"}) {
        EXPECT_EQ(decode(text, Base64End::bare, out), Status::invalid) << text;
        EXPECT_EQ(out, "");
    }
    for (const char* text : {"Zg", "Zg=", "Zh==", "Zm8", "Zm9=", "Zm9v=", "Zm9v====", "====", "=",
                             "Z===", "Zg==Zg==", "Zm9v\n"}) {
        EXPECT_EQ(decode(text, Base64End::padded, out), Status::invalid) << text;
        EXPECT_EQ(out, "");
    }
}

TEST(Base64, is_told_when_there_is_no_room) {
    std::string out;
    EXPECT_EQ(decode("Zm9vYmFy", Base64End::bare, out, 6), Status::ok);
    EXPECT_EQ(decode("Zm9vYmFy", Base64End::bare, out, 5), Status::full);
    EXPECT_EQ(out, "");
    const std::string bytes = "foobar";
    EXPECT_EQ(written([&](Writer& w) { put_base64(w, slice_of(bytes), Base64End::padded); }, 7),
              "<overflow>");
}

TEST(Base64, comes_back_for_every_size_and_byte) {
    std::string bytes;
    for (int i = 0; i < 260; i++) {
        for (const Base64End end : {Base64End::bare, Base64End::padded}) {
            std::string out;
            ASSERT_EQ(decode(encoded(bytes, end), end, out, 300), Status::ok);
            ASSERT_EQ(out, bytes);
        }
        bytes += static_cast<char>(i * 7);
    }
}

TEST(Base64, has_the_alphabet_for_addresses_too) {
    const auto put = [](const std::string& bytes, uint32_t capacity = 600) {
        return written([&](Writer& out) { put_base64url(out, slice_of(bytes)); }, capacity);
    };
    const auto take = [](const std::string& text, std::string& out) {
        Status status = Status::ok;
        out = written([&](Writer& writer) { status = parse_base64url(slice_of(text), writer); });
        return status;
    };
    EXPECT_EQ(put("\x03\xec\xff\xe0\xc1"), "A-z_4ME");  // RFC 7515, appendix C
    std::string out;
    EXPECT_EQ(take("A-z_4ME", out), Status::ok);
    EXPECT_EQ(out, "\x03\xec\xff\xe0\xc1");
    for (const char* text : {"A+z/4ME", "A-z_4MF", "A-z_4ME=", "A-z_4M\n", "A", "A-z_4", "A-z.4ME"}) {
        EXPECT_EQ(take(text, out), Status::invalid) << text;
        EXPECT_EQ(out, "");
    }
    EXPECT_EQ(put("foobar", 7), "<overflow>");
    std::string bytes;
    for (int i = 0; i < 260; i++) {
        const std::string text = put(bytes);
        ASSERT_EQ(text.size(), base64url_size(static_cast<uint32_t>(bytes.size())));
        ASSERT_EQ(take(text, out), Status::ok);
        ASSERT_EQ(out, bytes);
        bytes += static_cast<char>(i * 7);
    }
}

TEST(Base64, pads_addresses_where_that_is_asked_for) {
    const auto put = [](const std::string& bytes) {
        return written(
            [&](Writer& out) { put_base64url(out, slice_of(bytes), Base64End::padded); });
    };
    const auto take = [](const std::string& text, std::string& out) {
        Status status = Status::ok;
        out = written([&](Writer& writer) {
            status = parse_base64url(slice_of(text), Base64End::padded, writer);
        });
        return status;
    };
    EXPECT_EQ(put("\x03\xec\xff\xe0\xc1"), "A-z_4ME=");
    std::string out;
    for (const char* text : {"A-z_4ME", "A-z_4ME==", "A-z_4ME=\n", "A-z_4MF=", "===="}) {
        EXPECT_EQ(take(text, out), Status::invalid) << text;
        EXPECT_EQ(out, "");
    }
    std::string bytes;
    for (int i = 0; i < 260; i++) {
        const std::string text = put(bytes);
        ASSERT_EQ(text.size(), base64_size(static_cast<uint32_t>(bytes.size())));
        ASSERT_EQ(take(text, out), Status::ok);
        ASSERT_EQ(out, bytes);
        bytes += static_cast<char>(i * 7);
    }
}
