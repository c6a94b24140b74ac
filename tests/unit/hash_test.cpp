// SHA-256 against the examples of FIPS 180-4 and of NIST's validation suite.
#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "unit/slices.h"

namespace {

std::string hex_of(const Hash& hash) {
    return written([&](Writer& writer) { put_hex(writer, hash_slice(hash)); });
}

struct Example {
    std::string text;
    const char* hex;
};

const Example examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
     "lmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
    {"\x11\xaf", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
    {"\xb4\x19\x0e", "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"},
};

TEST(Hash, gives_the_published_values) {
    for (const Example& example : examples) {
        EXPECT_EQ(hex_of(hash_of(slice_of(example.text))), example.hex);
    }
    EXPECT_EQ(hex_of(hash_of(slice_of(std::string(1000000, 'a')))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, is_the_same_in_any_pieces) {
    std::string text;
    for (uint32_t i = 0; i < 200; i++) text.push_back(static_cast<char>(i * 7));
    const Hash whole = hash_of(slice_of(text));
    for (uint32_t cut = 0; cut <= text.size(); cut++) {
        Hasher hasher;
        hasher_init(hasher);
        hasher_feed(hasher, slice_part(slice_of(text), 0, cut));
        hasher_feed(hasher, {nullptr, 0});
        hasher_feed(hasher, slice_part(slice_of(text), cut, UINT32_MAX));
        EXPECT_TRUE(hash_equal(hasher_finish(hasher), whole)) << cut;
    }
}

TEST(Hash, leaves_nothing_of_the_text_in_the_hasher) {
    Hasher hasher;
    hasher_init(hasher);
    hasher_feed(hasher, slice_of("a secret of 15 b"));
    (void)hasher_finish(hasher);
    for (const uint8_t byte : hasher.state) EXPECT_EQ(byte, 0);
}

TEST(Hash, differs_when_any_bit_does) {
    uint8_t bytes[16] = {};
    const Hash before = hash_of({bytes, sizeof bytes});
    for (uint32_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        EXPECT_FALSE(hash_equal(hash_of({bytes, sizeof bytes}), before)) << bit;
        bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
}

}  // namespace
