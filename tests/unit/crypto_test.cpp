// The library of cryptography on our memory, clock and randomness.
#include "crypto/crypto.h"

#include <gtest/gtest.h>
#include <mbedtls/ecp.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_time.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include <vector>

#include "channel/tls.h"
#include "crypto/message.h"
#include "crypto/random.h"
#include "unit/jose_keys.h"
#include "unit/real_heap.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

struct CryptoTest : testing::Test {
    void SetUp() override { crypto_free(); }  // whatever a test before this one left up

    void TearDown() override {
        test_random_mend();
        crypto_free();
        mbedtls_platform_set_calloc_free(calloc, free);
    }
};

int make_key() {
    mbedtls_ecp_keypair key;
    mbedtls_ecp_keypair_init(&key);
    const int answer = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, &key, crypto_rng, nullptr);
    mbedtls_ecp_keypair_free(&key);
    return answer;
}

TEST_F(CryptoTest, takes_all_memory_from_the_heap_and_gives_it_back) {
    RealHeap real(4, 2);
    ASSERT_EQ(crypto_init(&real.heap), Status::ok);
    ASSERT_EQ(crypto_init(&real.heap), Status::ok);
    const uint64_t before = heap_bytes_taken(real.heap);
    EXPECT_EQ(make_key(), 0);
    EXPECT_EQ(heap_bytes_taken(real.heap), before);
    EXPECT_EQ(real.heap.refused, 0u);
    EXPECT_GT(real.heap.classes[0].taken_max, 0u);
    crypto_free();
    EXPECT_EQ(heap_bytes_taken(real.heap), 0u);
}

// A server without one session still signs and judges, in rows meant for that.
TEST_F(CryptoTest, has_room_to_sign_beside_two_configurations) {
    for (const std::string name : {"server", "p384", "rsa"}) {
        RealHeap real(0, 0);
        ASSERT_EQ(crypto_init(&real.heap), Status::ok);
        TlsConfig configs[2] = {};
        for (TlsConfig& config : configs) {
            ASSERT_EQ(tls_files_load(config, TlsEnd::server, name, "ca.crt", "crl.pem"),
                      Status::ok);
        }
        // An RSA key keeps what its first uses computed.
        uint64_t before = 0;
        for (uint32_t round = 0; round < 20; round++) {
            for (TlsConfig& config : configs) {
                const std::string signature = written([&](Writer& out) {
                    EXPECT_EQ(tls_config_sign(config, slice_of("text"), out), Status::ok) << name;
                });
                EXPECT_EQ(tls_config_verify(config, slice_of("text"), slice_of(signature)),
                          Status::ok);
            }
            if (round > 3) {
                EXPECT_EQ(heap_bytes_taken(real.heap), before) << name;
            }
            before = heap_bytes_taken(real.heap);
        }
        EXPECT_EQ(real.heap.refused, 0u);
        for (uint32_t i = 0; i < real.heap.class_count; i++) {
            EXPECT_EQ(real.heap.classes[i].spilled, 0u) << name << real.heap.classes[i].size;
        }
        for (TlsConfig& config : configs) tls_config_free(config);
        crypto_free();
    }
}

// Opens what alice sealed to bob, judges it, and seals an answer, as a server with bob's key does.
void answer_message() {
    static MessageScratch scratch;
    uint8_t bytes[message_sealed_size_max];
    Message message = {.from = slice_of("alice"),
                       .to = slice_of("bob"),
                       .id = slice_of("m-1"),
                       .time_ms = 1'700'000'000'000,
                       .kind = MessageKind::text,
                       .content = slice_of("hello")};
    const Slice alice = slice_of(jose_test_pem("alice"));
    const Slice bob = slice_of(jose_test_pem("bob"));
    Writer sealed = writer_of(bytes, sizeof bytes);
    ASSERT_EQ(message_seal(alice, jose_test_key("bob"), message, scratch, sealed), Status::ok);
    Slice text;
    Message out = {};
    ASSERT_EQ(message_open(bob, writer_slice(sealed), scratch, text), Status::ok);
    ASSERT_EQ(message_verify(jose_test_key("alice"), message, text, scratch, out), Status::ok);
    message.from = slice_of("bob");
    message.to = slice_of("alice");
    sealed = writer_of(bytes, sizeof bytes);
    ASSERT_EQ(message_seal(bob, jose_test_key("alice"), message, scratch, sealed), Status::ok);
}

// What else the process holds is in rows of its own, here as with the signing of receipts.
TEST_F(CryptoTest, has_room_to_answer_a_message_beside_two_configurations) {
    jose_test_key("alice");
    jose_test_key("bob");
    RealHeap real(0, 0, 1);
    ASSERT_EQ(crypto_init(&real.heap), Status::ok);
    TlsConfig configs[2] = {};
    for (TlsConfig& config : configs) {
        ASSERT_EQ(tls_files_load(config, TlsEnd::server, "rsa", "ca.crt", "crl.pem"), Status::ok);
    }
    for (uint32_t round = 0; round < 5; round++) {
        const uint64_t before = heap_bytes_taken(real.heap);
        answer_message();
        EXPECT_EQ(heap_bytes_taken(real.heap), before);
    }
    EXPECT_EQ(real.heap.refused, 0u);
    for (uint32_t i = 0; i < real.heap.class_count; i++) {
        EXPECT_EQ(real.heap.classes[i].spilled, 0u) << real.heap.classes[i].size;
    }
    for (TlsConfig& config : configs) tls_config_free(config);
    crypto_free();
}

TEST_F(CryptoTest, grows_with_sessions_and_handshakes_and_not_otherwise) {
    Heap heap = {};
    Arena none = {};
    Arena some = {};
    Arena more = {};
    Arena lab = {};
    Arena labs = {};
    crypto_layout(heap, none, 0, 0, 0, 0, 1);
    crypto_layout(heap, some, 100, 0, 0, 0, 1);
    crypto_layout(heap, more, 100, 16, 0, 0, 1);
    crypto_layout(heap, lab, 0, 0, 0, 1, 1);
    crypto_layout(heap, labs, 0, 0, 0, 8, 1);
    EXPECT_LT(none.used, 600u * 1024);
    EXPECT_NEAR(static_cast<double>(some.used - none.used) / 100, 32300, 200);
    EXPECT_NEAR(static_cast<double>(more.used - some.used) / 16, 17800, 500);
    EXPECT_LT(lab.used - none.used, 40u * 1024);
    EXPECT_LT((labs.used - lab.used) / 7, 8u * 1024);
}

TEST_F(CryptoTest, a_full_heap_is_an_answer) {
    RealHeap real(0, 0);
    ASSERT_EQ(crypto_init(&real.heap), Status::ok);
    std::vector<void*> blocks;
    for (void* block = heap_take(real.heap, 1); block != nullptr; block = heap_take(real.heap, 1)) {
        blocks.push_back(block);
    }
    EXPECT_NE(make_key(), 0);
    for (void* block : blocks) heap_give(real.heap, block);
    EXPECT_EQ(make_key(), 0);
}

TEST_F(CryptoTest, random_bytes_come_from_the_port_alone) {
    ASSERT_EQ(crypto_init(nullptr), Status::ok);
    uint8_t bytes[32] = {};
    uint32_t calls = test_random_calls();
    EXPECT_EQ(crypto_random(bytes, sizeof bytes), Status::ok);
    EXPECT_EQ(test_random_calls(), calls + 1);
    EXPECT_EQ(crypto_rng(nullptr, bytes, sizeof bytes), 0);
    EXPECT_EQ(test_random_calls(), calls + 2);
    EXPECT_EQ(psa_generate_random(bytes, sizeof bytes), PSA_SUCCESS);
    EXPECT_EQ(test_random_calls(), calls + 3);
    EXPECT_EQ(crypto_random(bytes, 0), Status::ok);
    EXPECT_EQ(test_random_calls(), calls + 3);
}

TEST_F(CryptoTest, without_randomness_nothing_is_made) {
    ASSERT_EQ(crypto_init(nullptr), Status::ok);
    const uint8_t zeros[32] = {};
    uint8_t bytes[32];
    test_random_fail_after(0);
    memset(bytes, 0xee, sizeof bytes);
    EXPECT_EQ(crypto_random(bytes, sizeof bytes), Status::failed);
    EXPECT_EQ(memcmp(bytes, zeros, sizeof bytes), 0);
    memset(bytes, 0xee, sizeof bytes);
    EXPECT_NE(crypto_rng(nullptr, bytes, sizeof bytes), 0);
    EXPECT_EQ(memcmp(bytes, zeros, sizeof bytes), 0);
    EXPECT_NE(psa_generate_random(bytes, sizeof bytes), PSA_SUCCESS);
    // However late the source fails, the key is not made.
    test_random_mend();
    const uint32_t before = test_random_calls();
    ASSERT_EQ(make_key(), 0);
    const uint32_t needed = test_random_calls() - before;
    for (uint32_t calls = 0; calls < needed; calls++) {
        test_random_fail_after(calls);
        EXPECT_NE(make_key(), 0) << calls;
    }
}

TEST_F(CryptoTest, the_clock_is_the_one_told) {
    ASSERT_EQ(crypto_init(nullptr), Status::ok);
    crypto_clock_set(1'700'000'000'999);
    EXPECT_EQ(mbedtls_time(nullptr), 1'700'000'000);
    EXPECT_EQ(mbedtls_ms_time(), 1'700'000'000'000);
    crypto_clock_set(UINT64_MAX);
    EXPECT_EQ(mbedtls_ms_time(), 4'294'967'295'000);
    crypto_clock_set(0);
    EXPECT_EQ(mbedtls_time(nullptr), 0);
}

}  // namespace
