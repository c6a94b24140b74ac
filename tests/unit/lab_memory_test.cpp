// What the laboratory takes of the server's heap.
#include <mbedtls/platform.h>
#include <stdlib.h>

#include <memory>

#include "crypto/crypto.h"
#include "unit/lab_kit.h"
#include "unit/real_heap.h"
#include "unit/slices.h"
#include "unit/tls_files.h"

namespace {

constexpr uint32_t listeners = 8;

struct LabMemoryTest : testing::Test {
    std::string certificates[2];  // the server's, the client's
    std::string ca;

    void SetUp() override {
        crypto_free();
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
        tls_files_clock(0);
        certificates[0] = lab_test_certificate("lab", "server");
        certificates[1] = lab_test_certificate("lab", "client");
        ca = lab_test_ca("lab");
        crypto_free();
    }
    void TearDown() override {
        crypto_free();
        mbedtls_platform_set_calloc_free(calloc, free);
    }

    LabWish wish(uint32_t number) const {
        LabWish made;
        made.key = lab_test_key(number == 0 ? "server" : "client");
        made.certificate = certificates[number];
        made.ca = ca;
        return made;
    }

    static void expect_no_shortage(const Heap& heap) {
        EXPECT_EQ(heap.refused, 0u);
        for (uint32_t i = 0; i < heap.class_count; i++) {
            EXPECT_EQ(heap.classes[i].spilled, 0u) << heap.classes[i].size;
        }
    }
};

// The client's config is one of them here; it takes as much.
TEST_F(LabMemoryTest, has_room_for_a_step_beside_eight_listeners) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        RealHeap real(0, 0, 0, listeners);
        ASSERT_EQ(crypto_init(&real.heap), Status::ok);
        {
            std::vector<std::unique_ptr<LabHome>> others;
            for (uint32_t i = 2; i < listeners; i++) {
                others.push_back(std::make_unique<LabHome>());
                ASSERT_EQ(lab_test_load(*others.back(), "dhe", LabEnd::server, wish(0)),
                          Status::ok);
            }
            LabPair pair(name, wish(1), wish(0));
            const uint64_t before = heap_bytes_taken(real.heap);
            pair.pump();
            ASSERT_TRUE(pair.client.established && pair.server.established);
            for (const std::string& text : {std::string("PING"), std::string(3000, 'x')}) {
                EXPECT_EQ(pair.client.write(text), Status::ok);
                pair.pump();
                EXPECT_EQ(pair.server.take_plain(), text);
            }
            EXPECT_EQ(heap_bytes_taken(real.heap), before);  // Nothing is kept between steps.
        }
        expect_no_shortage(real.heap);
        crypto_free();
    }
}

TEST_F(LabMemoryTest, has_room_to_make_a_key_and_its_certificate) {
    RealHeap real(0, 0, 0, 1);
    ASSERT_EQ(crypto_init(&real.heap), Status::ok);
    {
        LabHome home;
        LabWish nothing;
        nothing.ca = ca;
        ASSERT_EQ(lab_test_load(home, "dhe", LabEnd::server, nothing), Status::ok);
    }
    expect_no_shortage(real.heap);
}

}  // namespace
