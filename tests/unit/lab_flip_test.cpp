// Every bit of what the channels send, turned over on the way: the end that gets it notices, except
// where README.md says that nobody does.
#include "unit/lab_kit.h"
#include "unit/slices.h"

namespace {

struct LabFlipTest : LabTest {};

std::string flipped(const std::string& bytes, size_t bit) {
    std::string other = bytes;
    other[bit / 8] = static_cast<char>(static_cast<uint8_t>(other[bit / 8]) ^ 1u << bit % 8);
    return other;
}

// Bits of the fields that say how long a message is: more of it may just be waited for.
bool is_size_bit(const std::string& flight, size_t bit) {
    size_t at = 0;
    for (const std::string& message : lab_messages(flight)) {
        if (bit / 8 == at + 1 || bit / 8 == at + 2) return true;
        at += message.size();
    }
    return false;
}

// Gives `side` the bytes with each `every`th bit turned over, and asks that it fails for a reason,
// or waits where a size grew. `accepted` judges what was taken nevertheless.
template <typename Accepted>
void expect_noticed(LabSide& side, const std::string& flight, size_t every, Accepted accepted) {
    const LabSide before = side;
    for (size_t bit = 0; bit < flight.size() * 8; bit += every) {
        side = before;
        const Status status = side.feed(flipped(flight, bit));
        ASSERT_EQ(side.plain_size, 0u) << bit;
        if (status == Status::failed) {
            ASSERT_TRUE(lab_is_reason(side.reason())) << bit << side.reason();
            const std::string alert = side.take_out();
            // An end that was turned into an alert is not answered with one.
            const bool told = side.reason().starts_with("the other side gave up");
            ASSERT_EQ(alert.size(), told ? 0u : 4u) << bit;
            continue;
        }
        if (is_size_bit(flight, bit)) {
            ASSERT_FALSE(channel_is_idle(side.channel)) << bit;
            continue;
        }
        accepted(bit);
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << bit;
    }
    side = before;
}

void nothing_else(size_t bit) { FAIL() << bit; }

TEST_F(LabFlipTest, a_key_that_was_changed_fits_no_signature) {
    for (const std::string& name : LabNames{"rsa", "hybrid"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.client.give("");
        const std::string client_hello = pair.client.take_out();
        LabPair sound(name);
        sound.pump();
        sound.client.say("x");
        sound.server.say("x");
        const std::string from_client = sound.client.take_out();
        const std::string from_server = sound.server.take_out();
        // Another number may be a key as well, but it is nobody's.
        expect_noticed(pair.server, client_hello, 5, [&](size_t) {
            ASSERT_EQ(pair.server.feed(from_client), Status::failed);
            ASSERT_EQ(pair.server.reason(), lab_failure_text(LabFailure::signature));
        });
        pair.server.give(client_hello);
        expect_noticed(pair.client, pair.server.take_out(), 5, [&](size_t) {
            ASSERT_EQ(pair.client.feed(from_server), Status::failed);
            ASSERT_EQ(pair.client.reason(), lab_failure_text(LabFailure::signature));
        });
    }
}

TEST_F(LabFlipTest, a_changed_handshake_of_dhe_is_noticed) {
    LabPair pair("dhe");
    pair.client.give("");
    const std::string hello = pair.client.take_out();
    const LabSide fresh = pair.server;
    ASSERT_EQ(pair.server.feed(hello), Status::more);
    const std::string server_flight = pair.server.take_out();
    EXPECT_EQ(lab_messages(server_flight).size(), 3u);
    const LabSide client = pair.client;
    // The hello says nothing that could be wrong; the client finds that the server saw another.
    const LabSide server = pair.server;
    for (size_t bit = 8 * lab_header_size; bit < hello.size() * 8; bit += 29) {
        pair.server = fresh;
        pair.client = client;
        ASSERT_EQ(pair.server.feed(flipped(hello, bit)), Status::more);
        ASSERT_EQ(pair.client.feed(pair.server.take_out()), Status::failed);
        ASSERT_EQ(pair.client.reason(), lab_failure_text(LabFailure::signature));
    }
    pair.server = server;
    pair.client = client;
    expect_noticed(pair.client, server_flight, 7, nothing_else);
    ASSERT_EQ(pair.client.feed(server_flight), Status::more);
    const std::string client_flight = pair.client.take_out();
    EXPECT_EQ(lab_messages(client_flight).size(), 3u);
    expect_noticed(pair.server, client_flight, 7, nothing_else);
    ASSERT_EQ(pair.server.feed(client_flight), Status::ok);
    expect_noticed(pair.client, pair.server.take_out(), 1, nothing_else);
}

TEST_F(LabFlipTest, a_changed_handshake_of_psk_is_noticed) {
    LabPair pair("psk");
    pair.client.give("");
    const std::string hello = pair.client.take_out();
    const LabSide fresh = pair.server;
    const LabSide client = pair.client;
    for (size_t bit = 8 * lab_header_size; bit < hello.size() * 8; bit++) {
        pair.server = fresh;
        pair.client = client;
        ASSERT_EQ(pair.server.feed(flipped(hello, bit)), Status::more);
        ASSERT_EQ(pair.client.feed(pair.server.take_out()), Status::failed);
        ASSERT_EQ(pair.client.reason(), lab_failure_text(LabFailure::passphrase));
    }
    pair.server = fresh;
    pair.client = client;
    pair.server.give(hello);
    const std::string server_flight = pair.server.take_out();
    expect_noticed(pair.client, server_flight, 1, nothing_else);
    ASSERT_EQ(pair.client.feed(server_flight), Status::ok);
    expect_noticed(pair.server, pair.client.take_out(), 1, nothing_else);
}

TEST_F(LabFlipTest, the_header_of_a_first_message_is_judged) {
    for (const std::string& name : LabNames{"rsa", "hybrid", "dhe", "psk"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.client.give("");
        const std::string hello = pair.client.take_out();
        const LabSide fresh = pair.server;
        for (size_t bit = 0; bit < 8 * lab_header_size; bit++) {
            pair.server = fresh;
            const Status status = pair.server.feed(flipped(hello, bit));
            ASSERT_TRUE(status == Status::failed || (bit >= 8 && status == Status::more)) << bit;
            ASSERT_FALSE(pair.server.established);
        }
    }
}

TEST_F(LabFlipTest, a_changed_record_is_noticed) {
    for (const std::string& name : LabNames{"dhe", "psk", "rsa"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.pump();
        pair.client.say("carry me");
        expect_noticed(pair.server, pair.client.take_out(), name == std::string("rsa") ? 3 : 1,
                       nothing_else);
        pair.server.say("carry me");
        expect_noticed(pair.client, pair.server.take_out(), 7, nothing_else);
        pair.client.close();
        const std::string end = pair.client.take_out();
        if (!end.empty()) expect_noticed(pair.server, end, 1, nothing_else);
    }
}

TEST_F(LabFlipTest, a_changed_record_of_hybrid_is_noticed) {
    LabPair pair("hybrid");
    pair.pump();
    pair.client.say("carry me");
    const std::string record = pair.client.take_out();
    // The sealed key is opened, which takes long.
    const size_t key_bits = 8 * (lab_header_size + lab_block_size);
    const LabSide server = pair.server;
    for (size_t bit = 0; bit < record.size() * 8; bit += bit < key_bits && bit > 24 ? 37 : 1) {
        pair.server = server;
        const Status status = pair.server.feed(flipped(record, bit));
        ASSERT_EQ(pair.server.plain_size, 0u) << bit;
        if (status == Status::ok && is_size_bit(record, bit)) continue;
        ASSERT_EQ(status, Status::failed) << bit;
        if (bit < 24) continue;
        ASSERT_EQ(pair.server.reason(),
                  lab_failure_text(bit < key_bits ? LabFailure::sealing : LabFailure::signature));
    }
}

TEST_F(LabFlipTest, nobody_notices_anything_on_xor) {
    LabPair pair("xor");
    pair.pump();
    const std::string text = "PAY 10 TO BOB\r\n and all the rest";
    pair.client.say(text);
    const std::string sealed = pair.client.take_out();
    const LabSide server = pair.server;
    for (size_t bit = 0; bit < sealed.size() * 8; bit++) {
        pair.server = server;
        ASSERT_EQ(pair.server.feed(flipped(sealed, bit)), Status::ok);
        ASSERT_EQ(pair.server.take_plain(), flipped(text, bit));
    }
}

TEST_F(LabFlipTest, a_changed_pass_of_xor_changes_the_key_and_nothing_is_said) {
    LabPair pair("xor");
    pair.client.give("");
    const std::string first = pair.client.take_out();
    for (size_t bit = 0; bit < first.size() * 8; bit++) {
        LabPair other("xor");
        other.client.give("");
        ASSERT_EQ(other.server.feed(flipped(other.client.take_out(), bit)), Status::more);
        ASSERT_EQ(other.client.feed(other.server.take_out()), Status::ok);
        ASSERT_EQ(other.server.feed(other.client.take_out()), Status::ok);
        const std::string text(16, 'x');
        other.client.say(text);
        ASSERT_EQ(other.server.feed(other.client.take_out()), Status::ok);
        ASSERT_EQ(other.server.take_plain(), flipped(text, bit));
    }
}

// --- What no flipped bit makes ---

TEST_F(LabFlipTest, a_message_that_is_too_long_is_not_waited_for) {
    for (const std::string& name : LabNames{"rsa", "hybrid", "dhe", "psk"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        pair.client.give("");
        const LabSide fresh = pair.server;
        EXPECT_EQ(pair.server.feed(std::string("\x01\x09\x01", 3)), Status::failed);
        EXPECT_EQ(pair.server.reason(), lab_failure_text(LabFailure::length));
        EXPECT_EQ(pair.server.take_out(), lab_alert(LabFailure::length));
        pair.server = fresh;
        EXPECT_EQ(pair.server.feed(std::string("\x01\x09\x00", 3)), Status::more);
    }
}

TEST_F(LabFlipTest, an_alert_ends_it_whatever_is_in_it) {
    for (const std::string& name : LabNames{"rsa", "hybrid", "dhe", "psk"}) {
        SCOPED_TRACE(name);
        LabPair pair(name);
        for (const bool established : {false, true}) {
            if (established) pair.pump();
            const LabSide server = pair.server;
            for (uint32_t number = 0; number < 256; number++) {
                pair.server = server;
                const LabFailure failure = static_cast<LabFailure>(number);
                EXPECT_EQ(pair.server.feed(lab_alert(failure)), Status::failed);
                EXPECT_EQ(pair.server.reason(), lab_failure_told_text(failure));
                EXPECT_EQ(pair.server.out_size, 0u);
                EXPECT_EQ(pair.server.feed(lab_alert(failure)), Status::failed);
                EXPECT_EQ(pair.server.write("x"), Status::failed);
            }
            pair.server = server;
        }
    }
}

// Values of Y that make a shared secret which anybody knows.
TEST_F(LabFlipTest, a_value_outside_the_group_is_refused) {
    LabPair pair("dhe");
    pair.client.give("");
    pair.server.give(pair.client.take_out());
    const std::vector<std::string> messages = lab_messages(pair.server.take_out());
    const std::string before = messages[0] + messages[1];
    const std::string signature = messages[2].substr(lab_header_size + 256);
    const std::string header = messages[2].substr(0, lab_header_size);
    const std::string prime_less_one =
        std::string(8, '\xff') + "\xad\xf8\x54\x58\xa2\xbb\x4a\x9a\xaf\xdc\x56\x20\x27\x3d\x3c\xf1";
    const LabSide client = pair.client;
    for (const std::string& value :
         {std::string(256, '\0'), std::string(255, '\0') + "\x01", std::string(256, '\xff')}) {
        pair.client = client;
        EXPECT_EQ(pair.client.feed(before + header + value + signature), Status::failed);
        EXPECT_EQ(pair.client.reason(), lab_failure_text(LabFailure::group));
    }
    for (const std::string& value : {std::string(255, '\0') + "\x02",
                                     prime_less_one + std::string(232, '\0')}) {
        pair.client = client;
        EXPECT_EQ(pair.client.feed(before + header + value + signature), Status::failed);
        EXPECT_EQ(pair.client.reason(), lab_failure_text(LabFailure::signature));
    }
}

}  // namespace
