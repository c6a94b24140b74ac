// Tokens against the vectors of the Fernet specification, and against everything near them.
#include <string.h>

#include "base/base64.h"
#include "unit/lab_kit.h"
#include "unit/slices.h"

namespace {

struct LabFernetTest : LabTest {};

constexpr char key_text[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
constexpr char token_text[] =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU"
    "4IwqDA==";
constexpr uint64_t token_time_s = 499162800;
constexpr uint8_t token_iv[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

struct Key {
    uint8_t bytes[lab_fernet_key_size];
};

Key vector_key() {
    Key key = {};
    EXPECT_EQ(lab_fernet_parse_key(slice_of(key_text), key.bytes), Status::ok);
    return key;
}

std::string sealed(const Key& key, const std::string& plain) {
    return written([&](Writer& out) {
        EXPECT_EQ(lab_fernet_seal(key.bytes, token_time_s, token_iv, slice_of(plain), out),
                  Status::ok);
    });
}

Status open(const Key& key, const std::string& token, std::string& plain) {
    Status status = Status::ok;
    uint64_t time_s = 0;
    plain = written([&](Writer& out) {
        status = lab_fernet_open(key.bytes, slice_of(token), time_s, out);
    });
    EXPECT_TRUE(status != Status::ok || time_s == token_time_s);
    return status;
}

std::string raw_of(const std::string& token) {
    return written([&](Writer& out) {
        EXPECT_EQ(parse_base64url(slice_of(token), Base64End::padded, out), Status::ok);
    });
}

// The token of these bytes, with an HMAC that fits.
std::string vouched(const Key& key, const std::string& bytes) {
    Hash mac = {};
    EXPECT_EQ(lab_hmac({key.bytes, 16}, slice_of(bytes), mac), Status::ok);
    const std::string whole = bytes + string_of(hash_slice(mac));
    return written(
        [&](Writer& out) { put_base64url(out, slice_of(whole), Base64End::padded); });
}

TEST_F(LabFernetTest, makes_the_token_of_the_specification) {
    EXPECT_EQ(sealed(vector_key(), "hello"), token_text);
}

TEST_F(LabFernetTest, opens_the_token_of_the_specification) {
    std::string plain;
    EXPECT_EQ(open(vector_key(), token_text, plain), Status::ok);
    EXPECT_EQ(plain, "hello");
}

TEST_F(LabFernetTest, opens_what_it_makes_at_every_size) {
    const Key key = vector_key();
    for (uint32_t size = 0; size <= lab_plain_size_max; size++) {
        const std::string message(size, 'x');
        const std::string token = sealed(key, message);
        EXPECT_LE(token.size(), lab_fernet_text_size_max);
        std::string plain;
        ASSERT_EQ(open(key, token, plain), Status::ok) << size;
        ASSERT_EQ(plain, message);
    }
}

TEST_F(LabFernetTest, refuses_every_changed_character) {
    const Key key = vector_key();
    const std::string token = token_text;
    for (size_t at = 0; at < token.size(); at++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            std::string other = token;
            other[at] = static_cast<char>(byte);
            if (other == token) continue;
            std::string plain;
            const Status status = open(key, other, plain);
            ASSERT_TRUE(status == Status::invalid || status == Status::damaged) << at;
            ASSERT_EQ(plain, "");
        }
    }
}

TEST_F(LabFernetTest, refuses_every_cut_and_every_addition) {
    const Key key = vector_key();
    const std::string token = token_text;
    std::string plain;
    for (size_t size = 0; size < token.size(); size++) {
        ASSERT_EQ(open(key, token.substr(0, size), plain),
                  size % 4 == 0 && size >= 100 ? Status::damaged : Status::invalid);
    }
    for (const char* more : {"=", "====", "AAAA", "\n", " "}) {
        EXPECT_NE(open(key, token + more, plain), Status::ok);
        EXPECT_NE(open(key, more + token, plain), Status::ok);
    }
    EXPECT_EQ(open(key, token.substr(0, token.size() - 2), plain), Status::invalid);
    EXPECT_EQ(open(key, std::string(4000, 'A'), plain), Status::invalid);
}

TEST_F(LabFernetTest, refuses_another_version_though_its_hmac_fits) {
    const Key key = vector_key();
    const std::string raw = raw_of(token_text);
    std::string bytes = raw.substr(0, raw.size() - hash_size);
    std::string plain;
    EXPECT_EQ(open(key, vouched(key, bytes), plain), Status::ok);
    bytes[0] = '\x81';
    EXPECT_EQ(open(key, vouched(key, bytes), plain), Status::invalid);
}

TEST_F(LabFernetTest, refuses_a_padding_that_is_none_though_its_hmac_fits) {
    const Key key = vector_key();
    const std::string raw = raw_of(token_text);
    const std::string bytes = raw.substr(0, raw.size() - hash_size);
    uint32_t opened = 0;
    for (uint32_t i = 1; i < 256; i++) {
        // A changed IV changes the one block: here its last byte, the padding's count.
        std::string other = bytes;
        other[24] = static_cast<char>(static_cast<uint8_t>(other[24]) ^ i);
        std::string plain;
        const Status status = open(key, vouched(key, other), plain);
        if (status == Status::ok) {
            opened++;
            EXPECT_EQ((i ^ 11), 1u);  // A count of 1 is a padding as well.
        } else {
            EXPECT_EQ(status, Status::invalid);
            EXPECT_EQ(plain, "");
        }
    }
    EXPECT_EQ(opened, 1u);
}

TEST_F(LabFernetTest, refuses_a_message_that_is_cut_inside_its_blocks) {
    const Key key = vector_key();
    const std::string raw = raw_of(token_text);
    const std::string bytes = raw.substr(0, raw.size() - hash_size);
    std::string plain;
    for (size_t size = 0; size < bytes.size(); size++) {
        EXPECT_EQ(open(key, vouched(key, bytes.substr(0, size)), plain), Status::invalid) << size;
    }
    EXPECT_EQ(open(key, vouched(key, bytes + "x"), plain), Status::invalid);
}

TEST_F(LabFernetTest, does_not_open_with_another_key) {
    Key key = vector_key();
    std::string plain;
    for (uint32_t bit = 0; bit < 8 * 16; bit++) {
        key.bytes[bit / 8] = static_cast<uint8_t>(key.bytes[bit / 8] ^ 1 << bit % 8);
        EXPECT_EQ(open(key, token_text, plain), Status::damaged);
        key.bytes[bit / 8] = static_cast<uint8_t>(key.bytes[bit / 8] ^ 1 << bit % 8);
    }
}

TEST_F(LabFernetTest, puts_nothing_where_there_is_no_room) {
    const Key key = vector_key();
    uint8_t bytes[4];
    Writer small = writer_of(bytes, sizeof bytes);
    uint64_t time_s = 0;
    EXPECT_EQ(lab_fernet_open(key.bytes, slice_of(token_text), time_s, small), Status::full);
    EXPECT_EQ(small.size, 0u);
}

TEST_F(LabFernetTest, reads_a_key_in_its_one_spelling_only) {
    uint8_t key[lab_fernet_key_size];
    const std::string text = key_text;
    EXPECT_EQ(lab_fernet_parse_key(slice_of(text.substr(0, 43)), key), Status::invalid);
    EXPECT_EQ(lab_fernet_parse_key(slice_of(text.substr(0, 40)), key), Status::invalid);
    EXPECT_EQ(lab_fernet_parse_key(slice_of(text + "===="), key), Status::invalid);
    EXPECT_EQ(lab_fernet_parse_key(slice_of(text.substr(0, 42) + "5="), key), Status::invalid);
    EXPECT_EQ(lab_fernet_parse_key(slice_of(text.substr(0, 43) + "A"), key), Status::invalid);
    EXPECT_EQ(written([](Writer& out) { lab_fernet_put_key(vector_key().bytes, out); }), text);
}

}  // namespace
