// Argon2id records: made here, made by others, and damaged.
#include "crypto/password.h"

#include <argon2.h>
#include <gtest/gtest.h>
#include <string.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "unit/slices.h"
#include "unit/test_port.h"

namespace {

constexpr PasswordCost cheap = {password_memory_kib_min, 1};
constexpr char right[] = "correct horse";

// Made by the reference program `argon2` and by argon2-cffi.
constexpr char phc_by_program[] =
    "$argon2id$v=19$m=4096,t=2,p=1$cGVubnlzYWx0MA$xs5Oon8JpBArQhzI/23IjxovloFinuA/SHorgjqnki0";
constexpr char phc_with_lanes[] =
    "$argon2id$v=19$m=4100,t=3,p=4$cGVubnlzYWx0MA$vS33e3yFiQeXXrQByIM1/yjQoUrkmsvH";
constexpr char phc_by_cffi[] =
    "$argon2id$v=19$m=4096,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1itqWR0ph2fQpuLU3XUkqdGW+of8Le3w2D7QB+"
    "J1DFU";
// What the MD5 of `right` is in digits (md5sum), and what the library's own
// argon2id_hash_raw makes of these digits.
constexpr char md5_of_right[] = "3cb4e732631f47e6eb961f34554b7cde";
constexpr char phc_wrapped[] =
    "$argon2id-md5$v=19$m=4096,t=2,p=1$cGVubnlzYWx0MA$KFaiKA5cqyD"
    "ai8+P7MXBcC1A2HAjx5s9Uy1SlKiBjQE";
constexpr char phc_argon2i[] =
    "$argon2i$v=19$m=4096,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$drwk5W3qUt8q0KVC0ZxpXDmAa6DKU/"
    "baMGhgoFkHzwQ";
constexpr char phc_version_16[] =
    "$argon2id$v=16$m=4096,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$spj982H9e1lZfDnEGL4Ci4BKSWYLt+"
    "ubnA1p002CBx8";

struct PasswordTest : testing::Test {
    std::vector<uint8_t> memory = std::vector<uint8_t>(4100 * 1024);
    PasswordArena arena = {memory.data(), memory.size(), 0};

    void TearDown() override {
        test_random_mend();
        EXPECT_EQ(arena.used, 0u);
        EXPECT_TRUE(std::all_of(memory.begin(), memory.end(), [](uint8_t b) { return b == 0; }));
    }

    std::string make(const std::string& password) {
        return written([&](Writer& phc) {
            EXPECT_EQ(password_hash(arena, cheap, slice_of(password), phc), Status::ok);
        });
    }

    std::string wrap(const std::string& digits) {
        return written([&](Writer& phc) {
            EXPECT_EQ(password_wrap(arena, cheap, slice_of(digits), phc), Status::ok);
        });
    }

    Status verify(const std::string& phc, const std::string& password) {
        return password_verify(arena, slice_of(phc), slice_of(password));
    }
};

TEST(Argon2, gives_the_tag_of_rfc_9106) {
    uint8_t password[32];
    uint8_t salt[16];
    uint8_t secret[8];
    uint8_t data[12];
    uint8_t tag[32];
    memset(password, 1, sizeof password);
    memset(salt, 2, sizeof salt);
    memset(secret, 3, sizeof secret);
    memset(data, 4, sizeof data);
    argon2_context context = {};
    context.out = tag;
    context.outlen = sizeof tag;
    context.pwd = password;
    context.pwdlen = sizeof password;
    context.salt = salt;
    context.saltlen = sizeof salt;
    context.secret = secret;
    context.secretlen = sizeof secret;
    context.ad = data;
    context.adlen = sizeof data;
    context.t_cost = 3;
    context.m_cost = 32;
    context.lanes = 4;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    ASSERT_EQ(argon2_ctx(&context, Argon2_id), ARGON2_OK);
    const uint8_t expected[32] = {0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37,
                                  0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75,
                                  0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59};
    EXPECT_EQ(memcmp(tag, expected, sizeof tag), 0);
}

TEST_F(PasswordTest, a_record_verifies_its_password_and_no_other) {
    const std::string phc = make(right);
    EXPECT_EQ(phc.substr(0, 30), "$argon2id$v=19$m=4096,t=1,p=1$");
    EXPECT_LE(phc.size(), phc_size_max);
    EXPECT_EQ(verify(phc, right), Status::ok);
    EXPECT_EQ(verify(phc, "correct horsf"), Status::wrongpass);
    EXPECT_EQ(verify(phc, "correct hors"), Status::wrongpass);
    EXPECT_EQ(verify(phc, "correct horse "), Status::wrongpass);
    EXPECT_EQ(verify(phc, ""), Status::wrongpass);
}

TEST_F(PasswordTest, any_bytes_are_a_password) {
    std::string odd("with\0zero\xff\n$,=", 14);
    EXPECT_EQ(verify(make(odd), odd), Status::ok);
    EXPECT_EQ(verify(make(odd), "with"), Status::wrongpass);
}

TEST_F(PasswordTest, salts_are_fresh) {
    EXPECT_NE(make(right), make(right));
}

TEST_F(PasswordTest, records_of_others_verify) {
    EXPECT_EQ(verify(phc_by_program, right), Status::ok);
    EXPECT_EQ(verify(phc_with_lanes, right), Status::ok);
    EXPECT_EQ(verify(phc_by_cffi, "p\xc3\xa4ssw\xc3\xb6rd \xe2\x98\x83"), Status::ok);
    EXPECT_EQ(verify(phc_by_program, "correct horsE"), Status::wrongpass);
}

TEST_F(PasswordTest, other_kinds_of_records_are_damaged) {
    EXPECT_EQ(verify(phc_argon2i, right), Status::damaged);
    EXPECT_EQ(verify(phc_version_16, right), Status::damaged);
    EXPECT_EQ(verify("", right), Status::damaged);
    EXPECT_EQ(verify("plain", right), Status::damaged);
    EXPECT_EQ(verify("$2b$12$abcdefghijklmnopqrstuv", right), Status::damaged);
}

TEST_F(PasswordTest, every_cut_and_every_addition_is_damaged) {
    const std::string phc = phc_by_program;
    for (size_t size = 0; size < phc.size(); size++) {
        const std::string cut = phc.substr(0, size);
        const Status status = verify(cut, right);
        // Cut inside the tag it may be a shorter record, which then does not match.
        EXPECT_TRUE(status == Status::damaged || status == Status::wrongpass) << cut;
    }
    for (const char* more : {"$", "=", "A", " ", "\n", "$AAAA"}) {
        EXPECT_NE(verify(phc + more, right), Status::ok) << more;
    }
}

TEST_F(PasswordTest, no_changed_byte_verifies) {
    const std::string phc = phc_by_program;
    for (size_t at = 0; at < phc.size(); at++) {
        for (const char byte : {'\0', ' ', '$', ',', '=', '0', '9', 'A', 'b', '/', '\xff'}) {
            if (phc[at] == byte) continue;
            std::string changed = phc;
            changed[at] = byte;
            EXPECT_NE(verify(changed, right), Status::ok) << at << byte;
        }
    }
}

TEST_F(PasswordTest, each_value_has_one_spelling) {
    const std::string tail = "$cGVubnlzYWx0MA$xs5Oon8JpBArQhzI/23IjxovloFinuA/SHorgjqnki0";
    EXPECT_EQ(verify("$argon2id$v=19$m=4096,t=2,p=1" + tail, right), Status::ok);
    for (const char* head :
         {"$argon2id$v=19$m=04096,t=2,p=1", "$argon2id$v=19$m=+4096,t=2,p=1",
          "$argon2id$v=19$t=2,m=4096,p=1", "$argon2id$m=4096,t=2,p=1", "$argon2id$v=19$m=4096,t=2",
          "$argon2id$v=19$m=4096,t=2,p=1,keyid=A", "$argon2id$v=19$m=4096,t=0,p=1",
          "$argon2id$v=19$m=4096,t=65,p=1", "$argon2id$v=19$m=4096,t=2,p=0",
          "$argon2id$v=19$m=4096,t=2,p=17", "$argon2id$v=19$m=7,t=2,p=1",
          "$argon2id$v=19$m=4294968,t=99999999999,p=1", "$argon2id$v=19$m=99999999999,t=2,p=1",
          "argon2id$v=19$m=4096,t=2,p=1", "$argon2id$v=19$m= 4096,t=2,p=1"}) {
        EXPECT_EQ(verify(head + tail, right), Status::damaged) << head;
    }
    const std::string head = "$argon2id$v=19$m=4096,t=2,p=1$cGVubnlzYWx0MA$";
    // The last digit of the tag carries two bits that must be zero: "0" is 52, so "1" has one set.
    EXPECT_EQ(verify(head + "xs5Oon8JpBArQhzI/23IjxovloFinuA/SHorgjqnki1", right),
              Status::damaged);
    EXPECT_EQ(verify(head + "xs5Oon8JpBArQhzI/23IjxovloFinuA/SHorgjqnki0=", right),
              Status::damaged);
    EXPECT_EQ(verify(head + "AAAAAAAAAAAAAAAAAAAA", right), Status::damaged);  // 15 bytes
}

TEST_F(PasswordTest, a_record_that_wants_more_memory_than_there_is_answers_full) {
    std::string phc = phc_by_program;
    phc.replace(phc.find("4096"), 4, "4101");
    EXPECT_EQ(verify(phc, right), Status::full);
    phc.replace(phc.find("4101"), 4, "4294967295");
    EXPECT_EQ(verify(phc, right), Status::full);
    uint8_t text[phc_size_max];
    Writer out = writer_of(text, sizeof text);
    EXPECT_EQ(password_hash(arena, {4101, 1}, slice_of(right), out), Status::full);
    EXPECT_EQ(password_verify_nobody(arena, {4101, 1}, slice_of(right)), Status::full);
    EXPECT_EQ(out.size, 0u);
}

TEST_F(PasswordTest, a_record_without_room_is_not_written_at_all) {
    const uint32_t size = static_cast<uint32_t>(make(right).size());
    uint8_t text[phc_size_max];
    for (const uint32_t capacity : {0u, 1u, 30u, size - 1}) {
        Writer out = writer_of(text, capacity);
        EXPECT_EQ(password_hash(arena, cheap, slice_of(right), out), Status::full);
        EXPECT_EQ(out.size, 0u);
        EXPECT_FALSE(out.overflow);
    }
    Writer out = writer_of(text, size);
    EXPECT_EQ(password_hash(arena, cheap, slice_of(right), out), Status::ok);
}

TEST_F(PasswordTest, sizes_out_of_bounds_are_refused_before_hashing) {
    uint8_t text[phc_size_max];
    Writer out = writer_of(text, sizeof text);
    const std::string longest(password_size_max, 'x');
    EXPECT_EQ(password_hash(arena, cheap, slice_of(longest + "x"), out), Status::invalid);
    EXPECT_EQ(password_hash(arena, cheap, slice_of("seven b"), out), Status::invalid);
    EXPECT_EQ(password_hash(arena, cheap, {nullptr, 0}, out), Status::invalid);
    EXPECT_EQ(out.size, 0u);
    EXPECT_EQ(verify(make(longest), longest), Status::ok);
    EXPECT_EQ(verify(make("eight by"), "eight by"), Status::ok);
    EXPECT_EQ(verify(phc_by_program, longest + "x"), Status::wrongpass);
}

TEST_F(PasswordTest, without_randomness_no_record_is_made) {
    uint8_t text[phc_size_max];
    Writer out = writer_of(text, sizeof text);
    test_random_fail_after(0);
    EXPECT_EQ(password_hash(arena, cheap, slice_of(right), out), Status::failed);
    EXPECT_EQ(out.size, 0u);
    EXPECT_EQ(verify(phc_by_program, right), Status::ok);  // which needs none
}

TEST_F(PasswordTest, nobody_is_always_wrong) {
    EXPECT_EQ(password_verify_nobody(arena, cheap, slice_of(right)), Status::wrongpass);
    EXPECT_EQ(password_verify_nobody(arena, cheap, {nullptr, 0}), Status::wrongpass);
}

// Records of the digits of an older bank's MD5.

TEST_F(PasswordTest, a_wrapped_record_verifies_the_password_behind_the_old_hash) {
    const std::string phc = wrap(md5_of_right);
    EXPECT_EQ(phc.substr(0, 34), "$argon2id-md5$v=19$m=4096,t=1,p=1$");
    EXPECT_LE(phc.size(), phc_size_max);
    EXPECT_TRUE(password_is_wrapped(slice_of(phc)));
    EXPECT_EQ(verify(phc, right), Status::ok);
    EXPECT_EQ(verify(phc, "correct horsf"), Status::wrongpass);
    EXPECT_EQ(verify(phc, ""), Status::wrongpass);
    EXPECT_EQ(verify(phc_wrapped, right), Status::ok);
    PasswordCost cost = {};
    EXPECT_EQ(password_cost_of(slice_of(phc), cost), Status::ok);
    EXPECT_EQ(cost.memory_kib, cheap.memory_kib);
}

TEST_F(PasswordTest, the_old_hash_itself_is_no_password) {
    const std::string phc = wrap(md5_of_right);
    EXPECT_EQ(phc.find(md5_of_right), std::string::npos);
    EXPECT_EQ(verify(phc, md5_of_right), Status::wrongpass);
    // The same tag under the plain name is the record of the digits, not of the password.
    std::string plain = phc;
    plain.replace(0, 14, "$argon2id$");
    EXPECT_FALSE(password_is_wrapped(slice_of(plain)));
    EXPECT_EQ(verify(plain, right), Status::wrongpass);
    EXPECT_EQ(verify(plain, md5_of_right), Status::ok) << "which is why the names differ";
}

TEST_F(PasswordTest, only_the_digits_of_a_hash_are_wrapped) {
    uint8_t text[phc_size_max];
    Writer out = writer_of(text, sizeof text);
    const std::string good = md5_of_right;
    std::vector<std::string> bad = {"", good + "0", "3CB4E732631F47E6EB961F34554B7CDE"};
    for (size_t size = 0; size < good.size(); size++) bad.push_back(good.substr(0, size));
    for (size_t at = 0; at < good.size(); at++) {
        for (const char byte : {'g', 'A', '/', ':', '`', ' ', '\0', '\xff'}) {
            std::string changed = good;
            changed[at] = byte;
            bad.push_back(changed);
        }
    }
    for (const std::string& digits : bad) {
        EXPECT_EQ(password_wrap(arena, cheap, slice_of(digits), out), Status::invalid) << digits;
    }
    EXPECT_EQ(out.size, 0u);
    test_random_fail_after(0);
    EXPECT_EQ(password_wrap(arena, cheap, slice_of(good), out), Status::failed);
    EXPECT_EQ(out.size, 0u);
}

TEST_F(PasswordTest, nothing_else_is_taken_for_a_wrapped_record) {
    const std::string phc = phc_wrapped;
    EXPECT_TRUE(password_is_wrapped(slice_of(phc)));
    for (const char* other : {phc_by_program, phc_argon2i, "", "$argon2id-md5$", "plain"}) {
        EXPECT_FALSE(password_is_wrapped(slice_of(other))) << other;
    }
    for (const char* name : {"$argon2id-md4$", "$argon2id-MD5$", "$argon2i-md5$", "argon2id-md5$",
                             "$argon2id-md5", "$argon2id$md5$", "$argon2id-md5-md5$"}) {
        std::string changed = phc;
        changed.replace(0, 14, name);
        EXPECT_EQ(verify(changed, right), Status::damaged) << name;
        EXPECT_FALSE(password_is_wrapped(slice_of(changed))) << name;
    }
    for (size_t size = 0; size < phc.size(); size++) {
        const Status status = verify(phc.substr(0, size), right);
        EXPECT_TRUE(status == Status::damaged || status == Status::wrongpass) << size;
    }
    for (size_t at = 0; at < phc.size(); at++) {
        for (const char byte : {'\0', ' ', '$', ',', '=', '0', '9', 'A', 'b', '/', '\xff'}) {
            if (phc[at] == byte) continue;
            std::string changed = phc;
            changed[at] = byte;
            EXPECT_NE(verify(changed, right), Status::ok) << at << byte;
        }
    }
}

TEST_F(PasswordTest, a_password_that_was_verified_is_hashed_anew_whatever_its_size) {
    for (const std::string& old : {std::string("x"), std::string("1234"), std::string(right),
                                   std::string(password_size_max, 'x')}) {
        const std::string phc = written([&](Writer& out) {
            EXPECT_EQ(password_rehash(arena, cheap, slice_of(old), out), Status::ok);
        });
        EXPECT_FALSE(password_is_wrapped(slice_of(phc)));
        EXPECT_EQ(verify(phc, old), Status::ok);
        EXPECT_EQ(verify(phc, old + "y"), Status::wrongpass);
    }
    uint8_t text[phc_size_max];
    Writer out = writer_of(text, sizeof text);
    const std::string longest(password_size_max + 1, 'x');
    EXPECT_EQ(password_rehash(arena, cheap, slice_of(longest), out), Status::invalid);
}

TEST_F(PasswordTest, workers_hash_side_by_side) {
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 3; t++) {
        threads.emplace_back([t] {
            std::vector<uint8_t> own(4096 * 1024);
            PasswordArena own_arena = {own.data(), own.size(), 0};
            for (uint32_t i = 0; i < 3; i++) {
                EXPECT_EQ(password_verify(own_arena, slice_of(phc_by_program),
                                          slice_of(t == 0 ? "wrong password" : right)),
                          t == 0 ? Status::wrongpass : Status::ok);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
