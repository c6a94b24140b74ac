// The five channels, both ends in memory: that they carry what they are given, however the bytes
// come, and what each does about a repeated, a cut and a changed message.
#include <mbedtls/platform.h>
#include <stdlib.h>

#include "base/text.h"
#include "unit/lab_kit.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

struct LabExchangeTest : LabTest {
    void TearDown() override {
        mbedtls_platform_set_calloc_free(calloc, free);
        LabTest::TearDown();
    }
};

bool has_messages(const std::string& name) { return name != "xor"; }
bool counts_records(const std::string& name) { return name == "dhe" || name == "psk"; }

std::string long_text() {
    std::string text;
    for (uint32_t i = 0; text.size() < 5000; i++) text += std::to_string(i) + " ";
    return text;
}

void expect_carried(LabPair& pair, const std::string& text, uint32_t piece_size) {
    EXPECT_EQ(pair.client.write(text), Status::ok);
    pair.pump(piece_size);
    EXPECT_EQ(pair.server.take_plain(), text);
    EXPECT_EQ(pair.server.write(text), Status::ok);
    pair.pump(piece_size);
    EXPECT_EQ(pair.client.take_plain(), text);
    EXPECT_TRUE(channel_is_idle(pair.client.channel));
    EXPECT_TRUE(channel_is_idle(pair.server.channel));
}

TEST_F(LabExchangeTest, every_channel_carries_both_ways) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        ASSERT_TRUE(pair.client.established && pair.server.established);
        expect_carried(pair, "PING\r\n", 65536);
        expect_carried(pair, long_text(), 65536);
        EXPECT_EQ(pair.client.channel.type->name, name);
        EXPECT_TRUE(pair.client.channel.type->lab);
        EXPECT_EQ(pair.client.channel.type->slow, name == "rsa" || name == "hybrid");
        EXPECT_FALSE(pair.client.channel.peer.authenticated);
        EXPECT_FALSE(pair.server.channel.peer.authenticated);
    }
}

TEST_F(LabExchangeTest, bytes_may_come_one_at_a_time) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump(1);
        ASSERT_TRUE(pair.client.established && pair.server.established);
        expect_carried(pair, long_text(), 1);
    }
}

TEST_F(LabExchangeTest, a_message_of_every_size_is_carried) {
    for (const std::string& name : LabNames{"dhe", "psk", "xor"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        for (uint32_t size = 1; size <= lab_plain_size_max + 1; size++) {
            const std::string text(size, static_cast<char>(size));
            ASSERT_EQ(pair.client.write(text), Status::ok);
            pair.pump();
            ASSERT_EQ(pair.server.take_plain(), text);
        }
    }
    for (const std::string& name : LabNames{"rsa", "hybrid"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        for (const uint32_t size : {1u, 15u, 16u, 189u, 190u, 191u, 380u, 950u, 951u, 1024u}) {
            const std::string text(size, 'y');
            ASSERT_EQ(pair.client.write(text), Status::ok);
            const std::string sent = pair.client.take_out();
            EXPECT_EQ(lab_messages(sent).size(), 1u);
            ASSERT_EQ(pair.server.feed(sent), Status::ok);
            ASSERT_EQ(pair.server.take_plain(), text);
        }
    }
}

TEST_F(LabExchangeTest, the_client_speaks_first) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        EXPECT_EQ(pair.server.feed(""), Status::more);
        EXPECT_EQ(pair.server.out_size, 0u);
        EXPECT_EQ(pair.client.feed(""), Status::more);
        EXPECT_GT(pair.client.out_size, 0u);
    }
}

TEST_F(LabExchangeTest, an_end_is_told_where_it_is_sealed) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        pair.client.close();
        const std::string end = pair.client.take_out();
        EXPECT_EQ(!end.empty(), counts_records(name));
        if (end.empty()) continue;
        EXPECT_EQ(pair.server.feed(end), Status::end);
        EXPECT_EQ(pair.client.write("x"), Status::failed);
        // Half-closed: the other direction goes on.
        EXPECT_EQ(pair.server.write("bye"), Status::ok);
        EXPECT_EQ(pair.client.feed(pair.server.take_out()), Status::ok);
        EXPECT_EQ(pair.client.take_plain(), "bye");
        pair.client.close();
        EXPECT_EQ(pair.client.out_size, 0u);
    }
}

TEST_F(LabExchangeTest, an_end_fits_behind_as_many_messages_as_fit) {
    for (const std::string name : {"dhe", "psk"}) {
        SCOPED_TRACE(name);
        for (uint32_t size = 1; size <= lab_plain_size_max; size += 93) {
            LabPair pair(name);
            pair.pump();
            while (pair.client.write(std::string(size, 'x')) == Status::ok) {
            }
            EXPECT_EQ(pair.client.status, Status::full);
            const uint32_t before = pair.client.out_size;
            pair.client.close();
            EXPECT_GT(pair.client.out_size, before);
        }
    }
}

TEST_F(LabExchangeTest, a_socket_ends_what_has_no_end_of_its_own) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        EXPECT_FALSE(lab_ends_by_socket(pair.client.channel));
        pair.pump();
        EXPECT_EQ(lab_ends_by_socket(pair.client.channel), !counts_records(name));
        if (!has_messages(name)) continue;
        EXPECT_EQ(pair.server.write("cut"), Status::ok);
        const std::string message = pair.server.take_out();
        EXPECT_EQ(pair.client.feed(message.substr(0, message.size() - 1)), Status::ok);
        EXPECT_FALSE(lab_ends_by_socket(pair.client.channel));
    }
}

TEST_F(LabExchangeTest, a_repeated_record_is_found_where_records_are_counted) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        if (name == "xor") continue;  // It has no records.
        for (const bool from_client : {true, false}) {
            LabPair pair(name);
            pair.pump();
            LabSide& from = from_client ? pair.client : pair.server;
            LabSide& to = from_client ? pair.server : pair.client;
            EXPECT_EQ(from.write("once"), Status::ok);
            const std::string record = from.take_out();
            EXPECT_EQ(to.feed(record), Status::ok);
            EXPECT_EQ(to.take_plain(), "once");
            const Status again = to.feed(record);
            EXPECT_EQ(again, counts_records(name) ? Status::failed : Status::ok);
            EXPECT_EQ(to.take_plain(), counts_records(name) ? "" : "once");
            if (!counts_records(name)) continue;
            EXPECT_EQ(to.reason(), lab_failure_text(LabFailure::record));
            EXPECT_EQ(to.take_out(), lab_alert(LabFailure::record));
            EXPECT_EQ(from.feed(lab_alert(LabFailure::record)), Status::failed);
            EXPECT_EQ(from.reason(), lab_failure_told_text(LabFailure::record));
        }
    }
}

TEST_F(LabExchangeTest, a_lost_a_moved_and_a_mirrored_record_are_found_where_they_are_counted) {
    for (const std::string& name : LabNames{"dhe", "psk"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        pair.client.say("one");
        const std::string first = pair.client.take_out();
        pair.client.say("two");
        const std::string second = pair.client.take_out();
        const LabSide server = pair.server;
        EXPECT_EQ(pair.server.feed(second), Status::failed);
        pair.server = server;
        EXPECT_EQ(pair.server.feed(first + second), Status::ok);
        EXPECT_EQ(pair.server.take_plain(), "onetwo");
        EXPECT_EQ(pair.client.feed(first), Status::failed);  // Its own, sent back.
        EXPECT_EQ(pair.client.reason(), lab_failure_text(LabFailure::record));
    }
}

TEST_F(LabExchangeTest, a_record_of_another_session_is_taken_only_where_keys_last) {
    for (const std::string& name : LabNames{"rsa", "hybrid", "dhe", "psk"}) {
        SCOPED_TRACE(name);
        LabPair old(name);
        old.pump();
        old.client.say("again");
        const std::string record = old.client.take_out();
        LabPair pair(name);
        pair.pump();
        const Status status = pair.server.feed(record);
        EXPECT_EQ(status, counts_records(name) ? Status::failed : Status::ok);
        EXPECT_EQ(pair.server.take_plain(), counts_records(name) ? "" : "again");
    }
}

// Every cut of `flight` waits; at some of them the rest is given as well, and must do.
void expect_waits(LabSide& side, const std::string& flight, uint32_t whole_every, Status expected) {
    const LabSide before = side;
    for (size_t cut = 0; cut < flight.size(); cut++) {
        side = before;
        const Status status = side.feed(flight.substr(0, cut));
        ASSERT_EQ(status, side.established ? Status::ok : Status::more) << cut;
        ASSERT_EQ(side.channel.reason, nullptr);
        if (cut % whole_every != 0) continue;
        ASSERT_EQ(side.feed(flight.substr(cut)), expected) << cut;
    }
    side = before;
    ASSERT_EQ(side.feed(flight), expected);
}

TEST_F(LabExchangeTest, every_cut_of_the_bytes_waits) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.client.give("");
        const bool two_flights = name != "rsa" && name != "hybrid";
        expect_waits(pair.server, pair.client.take_out(), 97,
                     two_flights ? Status::more : Status::ok);
        expect_waits(pair.client, pair.server.take_out(), 97,
                     name == "dhe" ? Status::more : Status::ok);
        if (pair.client.out_size > 0) {
            expect_waits(pair.server, pair.client.take_out(), 97, Status::ok);
        }
        pair.pump();
        ASSERT_TRUE(pair.client.established && pair.server.established);
        if (!has_messages(name)) continue;
        pair.client.say("a message that is cut");
        expect_waits(pair.server, pair.client.take_out(), 97, Status::ok);
        EXPECT_EQ(pair.server.take_plain(), "a message that is cut");
    }
}

TEST_F(LabExchangeTest, without_randomness_an_end_fails_and_sends_no_more_than_an_alert) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        const std::string alert = has_messages(name) ? lab_alert(LabFailure::memory) : "";
        LabPair pair(name);
        // What each end does with a flight, at every call of the source of randomness.
        std::string flight;
        uint32_t failed = 0;
        for (LabSide* side : {&pair.client, &pair.server, &pair.client, &pair.server}) {
            const LabSide before = *side;
            for (uint32_t calls = 0;; calls++) {
                *side = before;
                test_random_fail_after(calls);
                const Status status = side->feed(flight);
                test_random_mend();
                if (status != Status::failed) break;
                failed++;
                ASSERT_EQ(side->reason(), lab_failure_text(LabFailure::memory));
                ASSERT_EQ(side->take_out(), alert);
                ASSERT_EQ(side->feed(flight), Status::failed);
                ASSERT_EQ(side->out_size, 0u);
            }
            flight = side->take_out();
        }
        pair.client.give(flight);
        EXPECT_EQ(failed > 0, name != "rsa" && name != "hybrid");
        ASSERT_TRUE(pair.client.established && pair.server.established);
        // And when a message is sealed: psk and xor need no more.
        const LabSide before = pair.client;
        test_random_fail_after(0);
        const Status status = pair.client.write("x");
        test_random_mend();
        EXPECT_EQ(status, name == "psk" || name == "xor" ? Status::ok : Status::failed);
        if (status == Status::failed) {
            EXPECT_EQ(pair.client.take_out(), alert);
            EXPECT_EQ(pair.client.write("x"), Status::failed);
        }
        pair.client = before;
        EXPECT_EQ(pair.client.write("x"), Status::ok);
        pair.pump();
        EXPECT_EQ(pair.server.take_plain(), "x");
    }
}

int64_t memory_calls_left = -1;
int64_t memory_live = 0;

void* scarce_calloc(size_t count, size_t size) {
    if (memory_calls_left == 0) return nullptr;
    if (memory_calls_left > 0) memory_calls_left--;
    memory_live++;
    return calloc(count, size);
}

void scarce_free(void* block) {
    if (block != nullptr) memory_live--;
    free(block);
}

// Does a step again and again, with one more block of memory each time, until it succeeds.
template <typename Step>
void expect_survives(LabSide& side, Step step) {
    const LabSide before = side;
    for (int64_t calls = 0; calls < 10000; calls++) {
        side = before;
        memory_calls_left = calls;
        const Status status = step();
        memory_calls_left = -1;
        if (status != Status::failed) return;
        ASSERT_TRUE(lab_is_reason(side.reason())) << side.reason();
    }
    FAIL();
}

TEST_F(LabExchangeTest, without_memory_an_end_fails_and_goes_on_when_there_is_some_again) {
    mbedtls_platform_set_calloc_free(scarce_calloc, scarce_free);
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        std::string flight;
        for (LabSide* side : {&pair.client, &pair.server, &pair.client, &pair.server}) {
            expect_survives(*side, [&] { return side->feed(flight); });
            flight = side->take_out();
        }
        pair.client.give(flight);
        ASSERT_TRUE(pair.client.established && pair.server.established);
        expect_survives(pair.client, [&] { return pair.client.write("memory"); });
        flight = pair.client.take_out();
        expect_survives(pair.server, [&] { return pair.server.feed(flight); });
        EXPECT_EQ(pair.server.take_plain(), "memory");
    }
    EXPECT_EQ(memory_live, 0);
}

TEST_F(LabExchangeTest, another_passphrase_is_found_by_the_client) {
    LabWish wish;
    wish.passphrase = "open sesame 1235";
    LabPair pair("psk", wish);
    pair.pump();
    EXPECT_FALSE(pair.client.established || pair.server.established);
    EXPECT_EQ(pair.client.reason(), lab_failure_text(LabFailure::passphrase));
    EXPECT_EQ(pair.server.reason(), lab_failure_told_text(LabFailure::passphrase));
}

TEST_F(LabExchangeTest, a_client_knows_the_server_by_the_pin) {
    for (const std::string& name : LabNames{"rsa", "hybrid", "dhe"}) {
        SCOPED_TRACE(name);
        LabHome home;
        LabWish wish;
        wish.key = lab_test_key("server");
        ASSERT_EQ(lab_test_load(home, name, LabEnd::server, wish), Status::ok);
        Hash pin = lab_config_fingerprint(home.config);
        LabWish pinning;
        pinning.pin = &pin;
        LabPair right(name, pinning);
        right.pump();
        EXPECT_TRUE(right.client.established && right.server.established);
        pin.bytes[31] = static_cast<uint8_t>(pin.bytes[31] ^ 1);
        LabPair wrong(name, pinning);
        wrong.pump();
        EXPECT_FALSE(wrong.client.established);
        EXPECT_EQ(wrong.client.reason(), lab_failure_text(LabFailure::pin));
        EXPECT_EQ(wrong.server.reason(), lab_failure_told_text(LabFailure::pin));
        // A server pins nobody.
        LabPair server_pins(name, {}, pinning);
        server_pins.pump();
        EXPECT_TRUE(server_pins.client.established && server_pins.server.established);
    }
}

LabWish signed_by(const std::string& ca, const std::string& key) {
    LabWish wish;
    wish.key = lab_test_key(key);
    wish.certificate = lab_test_certificate(ca, key);
    wish.ca = lab_test_ca("lab");
    return wish;
}

TEST_F(LabExchangeTest, where_there_is_a_ca_it_must_have_signed_the_other_end) {
    struct {
        LabWish client;
        LabWish server;
        const char* client_reason;
        const char* server_reason;
    } rows[] = {
        {signed_by("lab", "client"), signed_by("lab", "server"), "", ""},
        {signed_by("lab", "client"), signed_by("other", "server"),
         lab_failure_text(LabFailure::certificate), lab_failure_told_text(LabFailure::certificate)},
        {signed_by("other", "client"), signed_by("lab", "server"),
         lab_failure_told_text(LabFailure::certificate), lab_failure_text(LabFailure::certificate)},
        {signed_by("lab", "client"), signed_by("lab", "client"),  // For clients only.
         lab_failure_text(LabFailure::certificate), lab_failure_told_text(LabFailure::certificate)},
        {signed_by("lab", "server"), signed_by("lab", "server"),
         lab_failure_told_text(LabFailure::certificate), lab_failure_text(LabFailure::certificate)},
        {{}, signed_by("lab", "server"), lab_failure_told_text(LabFailure::certificate),
         lab_failure_text(LabFailure::certificate)},
        {signed_by("lab", "client"), {}, lab_failure_text(LabFailure::certificate),
         lab_failure_told_text(LabFailure::certificate)},
    };
    for (const auto& row : rows) {
        LabPair pair("dhe", row.client, row.server);
        pair.pump();
        EXPECT_EQ(pair.client.reason(), row.client_reason);
        EXPECT_EQ(pair.server.reason(), row.server_reason);
    }
}

TEST_F(LabExchangeTest, a_certificate_is_judged_by_its_dates_where_there_is_a_ca) {
    LabPair pair("dhe", signed_by("lab", "client"), signed_by("lab", "server"));
    for (const int days : {-2, 20000}) {
        pair.client.open(pair.client_home);
        pair.server.open(pair.server_home);
        tls_files_clock(days);
        pair.pump();
        EXPECT_EQ(pair.client.reason(), lab_failure_text(LabFailure::certificate)) << days;
    }
    LabPair trusting("dhe");
    tls_files_clock(20000);
    trusting.pump();
    EXPECT_TRUE(trusting.client.established);
}

TEST_F(LabExchangeTest, what_is_told_fits_its_line_and_has_no_secret_in_it) {
    for (const std::string& name : lab_names) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        pair.client.say("SECRET WORD");
        pair.pump();
        pair.server.say("SECRET WORD");
        pair.pump();
        std::vector<std::string> lines = pair.client_lines;
        lines.insert(lines.end(), pair.server_lines.begin(), pair.server_lines.end());
        EXPECT_GT(lines.size(), 8u);
        std::string all;
        for (const std::string& line : lines) {
            EXPECT_LT(line.size(), lab_line_size_max - 10) << line;
            EXPECT_FALSE(line.ends_with(": ")) << line;
            all += line + "\n";
        }
        EXPECT_EQ(all.find("SECRET"), std::string::npos);
        // Of what the session keeps only nonces and the peer's key may be seen.
        const LabSession& session = lab_session(pair.client.channel);
        const size_t open_size = name == "dhe" || name == "psk" ? 64 : sizeof(LabPeerKey);
        for (size_t at = name == "xor" ? 0 : open_size; at + 16 <= 1024; at += 16) {
            const std::string hex = written([&](Writer& out) {
                put_hex(out, {session.secret + at, 12});
            });
            if (hex == std::string(24, '0')) continue;
            const bool is_peer_key = name == "dhe" && at < 64 + 32 + sizeof(LabPeerKey);
            EXPECT_TRUE(is_peer_key || all.find(hex) == std::string::npos) << at;
        }
    }
}

}  // namespace
