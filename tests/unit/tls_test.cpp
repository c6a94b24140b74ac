// The TLS channel: client and server over plain memory, every refusal, and every cut.
#include "channel/tls.h"

#include <gtest/gtest.h>
#include <string.h>

#include <string>

#include "crypto/crypto.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

// One end: its configuration, its channel, and what it has sent and received.
struct End {
    TlsConfig config = {};
    Channel channel = {};
    std::string sent;      // cipher bytes that have not reached the other end
    std::string received;  // plain bytes
    Status status = Status::more;
    bool ended = false;

    ~End() {
        channel_free(channel);
        tls_config_free(config);
    }
};

struct Wire {
    uint32_t step = UINT32_MAX;        // bytes given to an end at a time
    uint32_t room = 65536;             // bytes of cipher_out lent at a time
};

// Lets `to` go on with at most `wire.step` bytes of what `from` sent.
void advance_once(End& from, End& to, const Wire& wire) {
    const std::string piece = from.sent.substr(0, wire.step);
    Reader in = reader_of(slice_of(piece));
    to.sent += written(
        [&](Writer& out) { to.status = channel_advance(to.channel, in, out); }, wire.room);
    from.sent.erase(0, in.offset);
}

// A hello of TLS 1.2 and nothing newer: one suite, the groups and signatures that we have.
std::string old_hello() {
    const std::string extensions("\x00\x0a\x00\x06\x00\x04\x00\x1d\x00\x17"  // groups
                                 "\x00\x0b\x00\x02\x01\x00"                  // point formats
                                 "\x00\x0d\x00\x04\x00\x02\x04\x03"          // ECDSA, SHA-256
                                 "\x00\x17\x00\x00",                         // master secret
                                 28);
    std::string body = std::string("\x03\x03") + std::string(32, 'r') + std::string(1, '\0') +
                       std::string("\x00\x02\xc0\x2b\x01\x00", 6) + std::string(1, '\0') +
                       std::string(1, static_cast<char>(extensions.size())) + extensions;
    body = std::string("\x01\x00\x00", 3) + static_cast<char>(body.size()) + body;
    return std::string("\x16\x03\x01\x00", 4) + static_cast<char>(body.size()) + body;
}

class Tls : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        ASSERT_EQ(crypto_init(nullptr), Status::ok);
        ASSERT_FALSE(tls_files_dir().empty());
    }
    static void TearDownTestSuite() { crypto_free(); }

    void SetUp() override { tls_files_clock(0); }
    void TearDown() override { test_random_mend(); }

    void open(const std::string& client_name = "till", const std::string& crl = "",
              const char* host = "localhost") {
        ASSERT_EQ(tls_files_load(server.config, TlsEnd::server, "server", "ca.crt", crl),
                  Status::ok);
        ASSERT_EQ(tls_files_load(client.config, TlsEnd::client, client_name), Status::ok);
        ASSERT_EQ(tls_open(server.channel, server.config, nullptr), Status::ok);
        ASSERT_EQ(tls_open(client.channel, client.config, host), Status::ok);
    }

    // Goes on until both have finished or neither can move.
    void shake(const Wire& wire = {}) {
        for (uint32_t turns = 0; turns < 100000; turns++) {
            const size_t before = client.sent.size() + server.sent.size();
            if (client.status == Status::more) advance_once(server, client, wire);
            if (server.status == Status::more) advance_once(client, server, wire);
            const bool over = client.status != Status::more && server.status != Status::more;
            if (over || (before == 0 && client.sent.empty() && server.sent.empty())) return;
        }
        FAIL() << "no end of the handshake";
    }

    Status read(End& from, End& to, uint32_t step = UINT32_MAX, uint32_t room = 65536) {
        Status status = Status::ok;
        while (!from.sent.empty() && (status == Status::ok || status == Status::full)) {
            const std::string piece = from.sent.substr(0, step);
            Reader in = reader_of(slice_of(piece));
            do {
                to.received += written(
                    [&](Writer& out) { status = channel_read(to.channel, in, out); }, room);
            } while (status == Status::full);
            from.sent.erase(0, in.offset);
        }
        return status;
    }

    Status write(End& end, const std::string& text, uint32_t room = 1 << 20) {
        Status status = Status::ok;
        Reader in = reader_of(slice_of(text));
        end.sent += written(
            [&](Writer& out) { status = channel_write(end.channel, in, out); }, room);
        EXPECT_EQ(status == Status::ok, reader_left(in) == 0);
        return status;
    }

    void close(End& end, uint32_t room = 65536) {
        end.sent += written([&](Writer& out) { channel_close(end.channel, out); }, room);
    }

    // The server refuses for `reason`, and the client learns that it does.
    void expect_refused(const char* reason) {
        shake();
        EXPECT_EQ(server.status, Status::failed);
        EXPECT_STREQ(server.channel.reason, reason);
        EXPECT_FALSE(server.channel.peer.authenticated);
        EXPECT_STREQ(server.channel.peer.name, "");
        if (client.status == Status::ok) client.status = read(server, client);
        EXPECT_EQ(client.status, Status::failed);
        EXPECT_STREQ(client.channel.reason, "the peer ended the session with an alert");
    }

    End client;
    End server;
};

TEST_F(Tls, shakes_hands_and_names_both_ends) {
    open();
    shake();
    ASSERT_EQ(client.status, Status::ok) << client.channel.reason;
    ASSERT_EQ(server.status, Status::ok) << server.channel.reason;
    EXPECT_TRUE(server.channel.peer.authenticated);
    EXPECT_STREQ(server.channel.peer.name, "till-1");
    EXPECT_STREQ(server.channel.peer.protocol, "TLSv1.3");
    EXPECT_STREQ(server.channel.peer.cipher, "TLS_AES_128_GCM_SHA256");
    EXPECT_STREQ(client.channel.peer.name, "localhost");
}


TEST_F(Tls, shakes_hands_one_byte_at_a_time) {
    open();
    shake({1, 65536});
    EXPECT_EQ(client.status, Status::ok);
    EXPECT_EQ(server.status, Status::ok);
    EXPECT_TRUE(channel_is_idle(server.channel));
}

TEST_F(Tls, shakes_hands_through_any_small_buffer) {
    for (const uint32_t room : {1u, 2u, 5u, 6u, 100u, 1000u}) {
        End here;
        End there;
        ASSERT_EQ(tls_files_load(here.config, TlsEnd::server, "server"), Status::ok);
        ASSERT_EQ(tls_files_load(there.config, TlsEnd::client, "till"), Status::ok);
        ASSERT_EQ(tls_open(here.channel, here.config, nullptr), Status::ok);
        ASSERT_EQ(tls_open(there.channel, there.config, "127.0.0.1"), Status::ok);
        const Wire wire = {7, room};
        for (uint32_t turns = 0; turns < 100000; turns++) {
            if (there.status == Status::more) advance_once(here, there, wire);
            if (here.status == Status::more) advance_once(there, here, wire);
        }
        EXPECT_EQ(there.status, Status::ok) << room;
        EXPECT_EQ(here.status, Status::ok) << room;
    }
}

TEST_F(Tls, carries_bytes_both_ways_in_any_pieces) {
    open();
    shake();
    std::string text;
    for (uint32_t i = 0; i < 50000; i++) text += static_cast<char>(i * 7);
    for (const uint32_t step : {1u, 3u, 1000u, UINT32_MAX}) {
        for (const uint32_t room : {1u, 700u, 65536u}) {
            client.received = "";
            server.received = "";
            ASSERT_EQ(write(client, text), Status::ok);
            ASSERT_EQ(write(server, text), Status::ok);
            EXPECT_EQ(read(client, server, step, room), Status::ok);
            EXPECT_EQ(read(server, client, step, room), Status::ok);
            EXPECT_TRUE(server.received == text) << step << " " << room;
            EXPECT_TRUE(client.received == text) << step << " " << room;
            EXPECT_TRUE(channel_is_idle(server.channel));
        }
    }
}

TEST_F(Tls, takes_the_memory_of_a_slow_reader_into_account) {
    open();
    shake();
    ASSERT_EQ(write(client, "twelve bytes"), Status::ok);
    uint8_t plain[4];
    Reader in = reader_of(slice_of(client.sent));
    Writer out = writer_of(plain, sizeof plain);
    EXPECT_EQ(channel_read(server.channel, in, out), Status::full);
    EXPECT_EQ(reader_left(in), 0u);
    EXPECT_FALSE(channel_is_idle(server.channel));
    out.size = 0;
    EXPECT_EQ(channel_read(server.channel, in, out), Status::full);
    out.size = 0;
    EXPECT_EQ(channel_read(server.channel, in, out), Status::ok);
    EXPECT_EQ(string_of(writer_slice(out)), "ytes");
    EXPECT_TRUE(channel_is_idle(server.channel));
}

TEST_F(Tls, is_not_idle_while_a_record_is_incomplete) {
    open();
    shake();
    ASSERT_EQ(write(client, "hello"), Status::ok);
    const std::string record = client.sent;
    for (size_t i = 0; i < record.size(); i++) {
        EXPECT_EQ(channel_is_idle(server.channel), i == 0) << i;
        client.sent = record.substr(i, 1);
        EXPECT_EQ(read(client, server), Status::ok);
    }
    EXPECT_TRUE(channel_is_idle(server.channel));
    EXPECT_EQ(server.received, "hello");
}

TEST_F(Tls, never_leaves_half_a_record) {
    open();
    shake();
    const std::string text(6000, 'x');
    for (uint32_t room = 0; room < 4500; room += 13) {
        Reader in = reader_of(slice_of(text));
        Status status = Status::ok;
        client.sent = written(
            [&](Writer& out) { status = channel_write(client.channel, in, out); }, room);
        EXPECT_EQ(status, Status::full);
        EXPECT_EQ(server.received.size(), 0u);
        EXPECT_EQ(read(client, server), Status::ok);
        EXPECT_EQ(server.received.size(), in.offset) << room;
        EXPECT_TRUE(channel_is_idle(server.channel)) << room;
        EXPECT_TRUE(in.offset > 0 || room <= 100) << room;
        server.received = "";
    }
}

TEST_F(Tls, puts_another_record_only_whole) {
    open();
    shake();
    std::string first(5000, 'a');
    Reader in = reader_of(slice_of(first));
    std::string bytes(4400, '\0');
    Writer out = writer_of(reinterpret_cast<uint8_t*>(bytes.data()), 4400);
    EXPECT_EQ(channel_write(server.channel, in, out), Status::full);
    EXPECT_EQ(in.offset, 4095u);  // one record; the second would be cut short
}

TEST_F(Tls, speaks_version_13_only_unless_allowed) {
    // The other end is ours, so a client of 1.2 alone is a hello without the newer extensions.
    ASSERT_EQ(tls_files_load(server.config, TlsEnd::server, "server"), Status::ok);
    ASSERT_EQ(tls_open(server.channel, server.config, nullptr), Status::ok);
    const std::string hello = old_hello();
    Reader in = reader_of(slice_of(hello));
    const std::string answer = written(
        [&](Writer& out) { server.status = channel_advance(server.channel, in, out); });
    EXPECT_EQ(server.status, Status::failed);
    EXPECT_EQ(answer, std::string("\x15\x03\x03\x00\x02\x02\x46", 7));  // protocol_version
    EXPECT_STREQ(server.channel.reason, "no version of TLS in common");
}

TEST_F(Tls, speaks_version_12_when_allowed) {
    ASSERT_EQ(tls_files_load(server.config, TlsEnd::server, "server", "ca.crt", "",
                             TlsVersion::tls12),
              Status::ok);
    ASSERT_EQ(tls_open(server.channel, server.config, nullptr), Status::ok);
    const std::string hello = old_hello();
    Reader in = reader_of(slice_of(hello));
    const std::string answer = written(
        [&](Writer& out) { server.status = channel_advance(server.channel, in, out); });
    EXPECT_EQ(server.status, Status::more) << server.channel.reason;
    EXPECT_EQ(answer.substr(0, 3), "\x16\x03\x03");  // a handshake goes on
}

TEST_F(Tls, refuses_a_stranger) {
    open("stranger");
    expect_refused("certificate not signed by our CA");
}

TEST_F(Tls, refuses_a_client_without_a_certificate) {
    open("");
    expect_refused("no certificate");
}

TEST_F(Tls, refuses_an_expired_certificate) {
    open();
    shake();
    ASSERT_EQ(server.status, Status::ok);
    End late_client;
    End late_server;
    tls_files_clock(301);
    ASSERT_EQ(tls_open(late_server.channel, server.config, nullptr), Status::ok);
    ASSERT_EQ(tls_open(late_client.channel, client.config, "localhost"), Status::ok);
    for (uint32_t i = 0; i < 10; i++) {
        if (late_client.status == Status::more) advance_once(late_server, late_client, {});
        if (late_server.status == Status::more) advance_once(late_client, late_server, {});
    }
    EXPECT_EQ(late_client.status, Status::failed);
    EXPECT_STREQ(late_client.channel.reason, "certificate expired");
}

TEST_F(Tls, refuses_a_certificate_of_the_future) {
    open();
    tls_files_clock(-2);
    shake();
    EXPECT_EQ(client.status, Status::failed);
    EXPECT_STREQ(client.channel.reason, "certificate not yet valid");
}

TEST_F(Tls, refuses_a_revoked_certificate) {
    open("revoked", "crl.pem");
    expect_refused("certificate revoked");
}

TEST_F(Tls, lets_others_in_beside_a_revoked_one) {
    open("till", "crl.pem");
    shake();
    EXPECT_EQ(server.status, Status::ok);
}

TEST_F(Tls, lets_nobody_in_by_an_old_revocation_list) {
    open("till", "empty.pem");
    // Both certificates hold for longer than the list.
    tls_files_clock(31);
    expect_refused("revocation list expired");
}

TEST_F(Tls, takes_the_list_of_an_intermediate_that_the_ca_vouches_for) {
    open("below", "both.pem");
    shake();
    EXPECT_EQ(server.status, Status::ok) << server.channel.reason;
    EXPECT_STREQ(server.channel.peer.name, "till-11");
}

TEST_F(Tls, refuses_who_is_on_the_list_of_an_intermediate) {
    open("below", "both-revoked.pem");
    expect_refused("certificate revoked");
}

// A server with a certificate for another purpose does not get that far: its own library refuses
// it.
TEST_F(Tls, refuses_a_server_whose_certificate_names_no_purpose) {
    End there;
    ASSERT_EQ(tls_files_load(there.config, TlsEnd::server, "server-no-use"), Status::ok);
    ASSERT_EQ(tls_files_load(client.config, TlsEnd::client, "till"), Status::ok);
    ASSERT_EQ(tls_open(there.channel, there.config, nullptr), Status::ok);
    ASSERT_EQ(tls_open(client.channel, client.config, "localhost"), Status::ok);
    for (uint32_t i = 0; i < 10; i++) {
        if (client.status == Status::more) advance_once(there, client, {});
        if (there.status == Status::more) advance_once(client, there, {});
    }
    EXPECT_EQ(client.status, Status::failed);
    EXPECT_STREQ(client.channel.reason, "certificate lacks the extended key usage serverAuth");
    EXPECT_EQ(there.status, Status::failed);
}

TEST_F(Tls, refuses_the_wrong_host) {
    for (const char* host : {"example.org", "localhost.example.org", "127.0.0.2", "::1", ""}) {
        End here;
        ASSERT_EQ(tls_files_load(here.config, TlsEnd::client, "till"), Status::ok);
        End there;
        ASSERT_EQ(tls_files_load(there.config, TlsEnd::server, "server"), Status::ok);
        ASSERT_EQ(tls_open(there.channel, there.config, nullptr), Status::ok);
        ASSERT_EQ(tls_open(here.channel, here.config, host), Status::ok);
        for (uint32_t i = 0; i < 10; i++) {
            if (here.status == Status::more) advance_once(there, here, {});
            if (there.status == Status::more) advance_once(here, there, {});
        }
        EXPECT_EQ(here.status, Status::failed) << host;
        EXPECT_STREQ(here.channel.reason, "certificate is for another name") << host;
        EXPECT_EQ(there.status, Status::failed) << host;
    }
}

struct Refusal {
    const char* name;
    const char* reason;
};

class TlsRefuses : public Tls, public testing::WithParamInterface<Refusal> {};

TEST_P(TlsRefuses, a_certificate) {
    open(GetParam().name);
    expect_refused(GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, TlsRefuses,
    testing::Values(
        Refusal{"ca-leaf", "certificate is a CA's, not a terminal's"},
        Refusal{"server-use", "certificate lacks the extended key usage clientAuth"},
        Refusal{"no-use", "certificate lacks the extended key usage clientAuth"},
        Refusal{"any-use", "certificate lacks the extended key usage clientAuth"},
        Refusal{"no-name", "certificate's common name is not the name of a terminal"},
        Refusal{"two-names", "certificate's common name is not the name of a terminal"},
        Refusal{"long-name", "certificate's common name is not the name of a terminal"}));

TEST_F(Tls, refuses_a_weak_key) {
    open("weak-rsa");
    expect_refused("certificate has a key that is too weak");
}

class TlsAccepts : public Tls, public testing::WithParamInterface<const char*> {};

TEST_P(TlsAccepts, a_certificate) {
    open(GetParam());
    shake();
    EXPECT_EQ(server.status, Status::ok) << server.channel.reason;
}

INSTANTIATE_TEST_SUITE_P(Kinds, TlsAccepts,
                         testing::Values("both-uses", "no-constraints", "rsa", "p384", "twin"));

TEST_F(Tls, tells_twins_apart_by_their_serial) {
    open();
    shake();
    End other;
    End front;
    ASSERT_EQ(tls_files_load(other.config, TlsEnd::client, "twin"), Status::ok);
    ASSERT_EQ(tls_open(other.channel, other.config, "localhost"), Status::ok);
    ASSERT_EQ(tls_open(front.channel, server.config, nullptr), Status::ok);
    for (uint32_t i = 0; i < 10; i++) {
        if (other.status == Status::more) advance_once(front, other, {});
        if (front.status == Status::more) advance_once(other, front, {});
    }
    ASSERT_EQ(front.status, Status::ok);
    const ChannelPeer& a = server.channel.peer;
    const ChannelPeer& b = front.channel.peer;
    EXPECT_STREQ(a.name, b.name);
    EXPECT_EQ(0, memcmp(a.own.issuer_hash, b.own.issuer_hash, sizeof a.own.issuer_hash));
    EXPECT_NE(std::string(reinterpret_cast<const char*>(a.own.serial), a.own.serial_size),
              std::string(reinterpret_cast<const char*>(b.own.serial), b.own.serial_size));
    EXPECT_EQ(a.not_after_ms % 1000, 0u);
}

TEST_F(Tls, refuses_what_is_no_record) {
    for (const std::string& text :
         {std::string("*1\r\n$4\r\nPING\r\n"), std::string("PING\r\n"),
          std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x80\x2e\x01\x03\x01"),
          std::string("\x16\x03\x03\xff\xff hello"), std::string("\x16\x02\x00\x00\x05hello", 10),
          std::string("\x17\x03\x03\x00\x05hello", 10)}) {
        End end;
        ASSERT_EQ(tls_files_load(end.config, TlsEnd::server, "server"), Status::ok);
        ASSERT_EQ(tls_open(end.channel, end.config, nullptr), Status::ok);
        Reader in = reader_of(slice_of(text));
        const std::string answer = written(
            [&](Writer& out) { end.status = channel_advance(end.channel, in, out); });
        EXPECT_EQ(end.status, Status::failed) << text;
        ASSERT_NE(end.channel.reason, nullptr);
        EXPECT_EQ(answer.substr(0, 6), std::string("\x15\x03\x03\x00\x02\x02", 6)) << text;
        EXPECT_EQ(answer.size(), 7u) << text;
        if (text[0] == '*' || text[0] == 'P' || text[0] == 'G') {
            EXPECT_STREQ(end.channel.reason, "not a TLS record") << text;
        }
    }
}

TEST_F(Tls, refuses_records_longer_than_allowed) {
    open();
    shake();
    const std::string header("\x17\x03\x03\x41\x01", 5);  // 16384 + 257 bytes
    client.sent = header + std::string(0x4101, 'x');
    EXPECT_EQ(read(client, server), Status::failed);
    EXPECT_STREQ(server.channel.reason, "a record is longer than TLS allows");
    close(server);
    EXPECT_GT(server.sent.size(), 0u);  // the alert that reading had no room for
    EXPECT_EQ(read(server, client), Status::failed);
    EXPECT_STREQ(client.channel.reason, "the peer ended the session with an alert");
}

TEST_F(Tls, says_nothing_when_there_are_no_random_bytes) {
    ASSERT_EQ(tls_files_load(server.config, TlsEnd::server, "server"), Status::ok);
    ASSERT_EQ(tls_files_load(client.config, TlsEnd::client, "till"), Status::ok);
    ASSERT_EQ(tls_open(client.channel, client.config, "localhost"), Status::ok);
    ASSERT_EQ(tls_open(server.channel, server.config, nullptr), Status::ok);
    advance_once(server, client, {});
    ASSERT_EQ(client.status, Status::more);
    test_random_fail_after(0);
    advance_once(client, server, {});
    EXPECT_EQ(server.status, Status::failed);
    EXPECT_STREQ(server.channel.reason, "no random bytes");
    EXPECT_EQ(server.sent, "");
    End other;
    ASSERT_EQ(tls_open(other.channel, client.config, "localhost"), Status::ok);
    advance_once(server, other, {});
    EXPECT_EQ(other.status, Status::failed);
    EXPECT_EQ(other.sent, "");
}

TEST_F(Tls, never_finishes_a_handshake_without_its_random_bytes) {
    open();
    const uint32_t before = test_random_calls();
    shake();
    const uint32_t calls = test_random_calls() - before;
    ASSERT_GT(calls, 4u);
    for (uint32_t cut = 0; cut < calls; cut++) {
        End here;
        End there;
        ASSERT_EQ(tls_open(here.channel, server.config, nullptr), Status::ok);
        ASSERT_EQ(tls_open(there.channel, client.config, "localhost"), Status::ok);
        test_random_fail_after(cut);
        for (uint32_t i = 0; i < 10; i++) {
            if (there.status == Status::more) advance_once(here, there, {});
            if (here.status == Status::more) advance_once(there, here, {});
        }
        test_random_mend();
        EXPECT_FALSE(there.status == Status::ok && here.status == Status::ok) << cut;
        EXPECT_TRUE(there.status == Status::failed || here.status == Status::failed) << cut;
    }
}

TEST_F(Tls, closes_in_order_both_ways) {
    open();
    shake();
    ASSERT_EQ(write(client, "last words"), Status::ok);
    close(client);
    EXPECT_EQ(read(client, server), Status::end);
    EXPECT_EQ(server.received, "last words");
    Reader nothing = {};
    uint8_t room[16];
    Writer out = writer_of(room, sizeof room);
    EXPECT_EQ(channel_read(server.channel, nothing, out), Status::end);  // and from then on
    // Half-close: the server may still answer, and the client still reads.
    ASSERT_EQ(write(server, "heard"), Status::ok);
    close(server);
    EXPECT_EQ(read(server, client), Status::end);
    EXPECT_EQ(client.received, "heard");
    close(client);
    close(server);
    EXPECT_EQ(client.sent, "");  // once is enough
    EXPECT_EQ(server.sent, "");
    EXPECT_EQ(write(client, "more", 100), Status::failed);
}

TEST_F(Tls, puts_a_closing_message_whole_or_not_at_all) {
    open();
    shake();
    close(client, 20);
    EXPECT_EQ(client.sent, "");
    close(client);
    EXPECT_NE(client.sent, "");
}

TEST_F(Tls, refuses_every_flipped_byte_of_a_record) {
    open();
    shake();
    ASSERT_EQ(write(client, "TRANSFER a1 bob 1.00"), Status::ok);
    const std::string record = client.sent;
    for (size_t i = 0; i < record.size(); i++) {
        // A session has one counter, so each byte needs a session of its own.
        End here;
        End there;
        ASSERT_EQ(tls_open(here.channel, server.config, nullptr), Status::ok);
        ASSERT_EQ(tls_open(there.channel, client.config, "localhost"), Status::ok);
        for (uint32_t k = 0; k < 6; k++) {
            if (there.status == Status::more) advance_once(here, there, {});
            if (here.status == Status::more) advance_once(there, here, {});
        }
        ASSERT_EQ(here.status, Status::ok);
        there.sent = "";
        ASSERT_EQ(write(there, "TRANSFER a1 bob 1.00"), Status::ok);
        there.sent[i] = static_cast<char>(there.sent[i] ^ 0x10);
        const Status status = read(there, here);
        EXPECT_EQ(here.received, "") << i;
        if (i == 3 || (i == 4 && (record[4] & 0x10) == 0)) {
            EXPECT_FALSE(channel_is_idle(here.channel)) << i;  // it waits for a longer record
        } else {
            EXPECT_EQ(status, Status::failed) << i;
        }
    }
}

TEST_F(Tls, waits_for_the_rest_of_every_cut_handshake) {
    open();
    advance_once(server, client, {});
    const std::string hello = client.sent;
    for (size_t cut = 0; cut < hello.size(); cut++) {
        End end;
        ASSERT_EQ(tls_open(end.channel, server.config, nullptr), Status::ok);
        End from;
        from.sent = hello.substr(0, cut);
        advance_once(from, end, {});
        EXPECT_EQ(end.status, Status::more) << cut;
        EXPECT_EQ(end.sent, "") << cut;
    }
}

TEST_F(Tls, answers_every_flipped_byte_of_a_hello) {
    open();
    advance_once(server, client, {});
    const std::string hello = client.sent;
    for (size_t i = 0; i < hello.size(); i++) {
        End end;
        ASSERT_EQ(tls_open(end.channel, server.config, nullptr), Status::ok);
        End from;
        from.sent = hello;
        from.sent[i] = static_cast<char>(from.sent[i] ^ 0xff);
        advance_once(from, end, {});
        EXPECT_NE(end.status, Status::ok) << i;
        if (end.status == Status::failed) {
            EXPECT_NE(end.channel.reason, nullptr) << i;
            EXPECT_NE(end.sent, "") << i << " " << end.channel.reason;  // an alert at least
        }
    }
}

TEST_F(Tls, names_the_file_that_is_at_fault) {
    const std::string good = tls_file("server.crt");
    const std::string key = tls_file("server.key");
    const std::string ca = tls_file("ca.crt");
    struct {
        std::string certificate, key, ca, crl;
        Status status;
        const char* reason;
    } rows[] = {
        {"", key, ca, "", Status::invalid, "the certificate file holds no readable certificate"},
        {good, "", ca, "", Status::invalid, "the key file holds no readable private key"},
        {good, key, "", "", Status::invalid, "the CA file holds no readable certificate"},
        {good, key, ca, "x", Status::invalid, "the CRL file holds no readable revocation list"},
        {good, key, ca, tls_file("other.pem"), Status::invalid,
         "a revocation list is not from our CA"},
        {good, key, ca, tls_file("unvouched.pem"), Status::invalid,
         "a revocation list is not from our CA"},
        {good, key, ca, tls_file("misvouched.pem"), Status::invalid,
         "a revocation list is not from our CA"},
        {good, tls_file("till.key"), ca, "", Status::absent,
         "the key does not belong to the certificate"},
        {good.substr(0, good.size() - 5), key, ca, "", Status::invalid,
         "the certificate file holds no readable certificate"},
        {key, good, ca, "", Status::invalid, "the certificate file holds no readable certificate"},
    };
    for (const auto& row : rows) {
        TlsConfig config = {};
        const char* reason = nullptr;
        const TlsFiles files = {slice_of(row.certificate), slice_of(row.key), slice_of(row.ca),
                                slice_of(row.crl)};
        EXPECT_EQ(tls_config_load(config, TlsEnd::server, TlsVersion::tls13, files, reason),
                  row.status);
        EXPECT_STREQ(reason, row.reason);
        EXPECT_FALSE(config.loaded);
        EXPECT_EQ(tls_config_not_after_ms(config), 0u);
    }
}

TEST_F(Tls, reads_only_the_blocks_that_it_was_asked_for) {
    const std::string both =
        "Some words.\n" + tls_file("till.key") + "More words.\n" + tls_file("till.crt");
    TlsConfig config = {};
    const char* reason = nullptr;
    const std::string ca = tls_file("ca.crt");
    const TlsFiles files = {slice_of(both), slice_of(both), slice_of(ca), {nullptr, 0}};
    EXPECT_EQ(tls_config_load(config, TlsEnd::client, TlsVersion::tls13, files, reason),
              Status::ok);
    tls_files_clock(0);
    EXPECT_GT(tls_config_not_after_ms(config), 1700000000000u);
    tls_config_free(config);
    tls_config_free(config);
}

TEST_F(Tls, signs_with_its_own_key_and_names_its_certificate) {
    const std::string text = "words of our own";
    for (const std::string name : {"server", "rsa", "p384"}) {
        TlsConfig config = {};
        ASSERT_EQ(tls_files_load(config, TlsEnd::server, name), Status::ok);
        const std::string signature = written([&](Writer& out) {
            EXPECT_EQ(tls_config_sign(config, slice_of(text), out), Status::ok) << name;
        });
        EXPECT_EQ(tls_config_verify(config, slice_of(text), slice_of(signature)), Status::ok);
        EXPECT_EQ(tls_config_verify(config, slice_of(text + "."), slice_of(signature)),
                  Status::damaged);
        const Slice certificate = slice_of(tls_file(name + ".crt"));
        EXPECT_EQ(sign_verify(certificate, slice_of(text), slice_of(signature)), Status::ok);
        Hash expected;
        ASSERT_EQ(sign_fingerprint(certificate, expected), Status::ok);
        EXPECT_TRUE(hash_equal(tls_config_fingerprint(config), expected));
        tls_config_free(config);
    }
}

TEST_F(Tls, gives_everything_back_twice) {
    open();
    channel_free(client.channel);
    channel_free(client.channel);
    Channel never = {};
    channel_free(never);
    EXPECT_TRUE(channel_is_idle(never));
}

// V4, with the generation that `crl` and `ca` make.
Status judge(const ChannelPeer& peer, const char* ca, const char* crl, const char*& reason) {
    TlsConfig next = {};
    EXPECT_EQ(tls_files_load(next, TlsEnd::server, "server", ca, crl), Status::ok);
    const Status status = tls_config_judge(next, peer, reason);
    tls_config_free(next);
    return status;
}

TEST_F(Tls, judges_by_another_generation_who_was_let_in) {
    open("revoked");
    shake();
    ASSERT_EQ(server.status, Status::ok);
    const ChannelPeer& peer = server.channel.peer;
    const char* reason = nullptr;
    EXPECT_EQ(judge(peer, "ca.crt", "", reason), Status::ok);
    EXPECT_EQ(reason, nullptr);
    EXPECT_EQ(judge(peer, "ca.crt", "empty.pem", reason), Status::ok);
    EXPECT_EQ(judge(peer, "ca.crt", "crl.pem", reason), Status::failed);
    EXPECT_STREQ(reason, "certificate revoked");
    EXPECT_EQ(judge(peer, "other-ca.crt", "", reason), Status::failed);
    EXPECT_STREQ(reason, "its authority was removed");
}

TEST_F(Tls, judges_nobody_by_the_serial_of_another_issuer) {
    open("revoked");
    shake();
    ASSERT_EQ(server.status, Status::ok);
    ChannelPeer peer = server.channel.peer;
    peer.own.issuer_hash[0] ^= 1;
    const char* reason = nullptr;
    EXPECT_EQ(judge(peer, "ca.crt", "crl.pem", reason), Status::ok);
    peer.own.issuer_hash[0] ^= 1;
    peer.own.serial[0] ^= 1;
    EXPECT_EQ(judge(peer, "ca.crt", "crl.pem", reason), Status::ok);
    peer.own.serial_size = 0;
    EXPECT_EQ(judge(peer, "ca.crt", "crl.pem", reason), Status::ok);
}

TEST_F(Tls, goes_over_to_another_generation_in_the_middle_of_a_session) {
    open();
    shake();
    ASSERT_EQ(server.status, Status::ok);
    for (const char* own : {"server", "rsa", "server"}) {
        TlsConfig next = {};
        ASSERT_EQ(tls_files_load(next, TlsEnd::server, own), Status::ok);
        ASSERT_TRUE(tls_is(server.channel));
        ASSERT_EQ(write(client, "half of a"), Status::ok);
        const std::string sent = client.sent;
        client.sent = sent.substr(0, 7);
        ASSERT_EQ(read(client, server), Status::ok);
        tls_move(server.channel, next);
        tls_config_free(server.config);  // Every byte of it is wiped.
        client.sent = sent.substr(7);
        ASSERT_EQ(read(client, server), Status::ok);
        EXPECT_EQ(server.received, "half of a");
        server.received.clear();
        ASSERT_EQ(write(server, "an answer"), Status::ok);
        ASSERT_EQ(read(server, client), Status::ok);
        EXPECT_EQ(client.received, "an answer");
        client.received.clear();
        // Configurations are not moved, so the channel goes over once more to where End has its.
        ASSERT_EQ(tls_files_load(server.config, TlsEnd::server, own), Status::ok);
        tls_move(server.channel, server.config);
        tls_config_free(next);
    }
    close(server);
    EXPECT_EQ(read(server, client), Status::end);
}

TEST_F(Tls, lets_an_expired_certificate_in_for_its_grace) {
    constexpr uint64_t day_ms = 86'400'000;
    for (const uint64_t grace_days : {0u, 5u, 20u}) {
        End late_client;
        End late_server;
        ASSERT_EQ(tls_files_load(late_server.config, TlsEnd::server, "server"), Status::ok);
        ASSERT_EQ(tls_files_load(late_client.config, TlsEnd::client, "short"), Status::ok);
        tls_config_set_grace(late_server.config, grace_days * day_ms);
        tls_files_clock(12);  // "short" has ten days.
        ASSERT_EQ(tls_open(late_server.channel, late_server.config, nullptr), Status::ok);
        ASSERT_EQ(tls_open(late_client.channel, late_client.config, "localhost"), Status::ok);
        for (uint32_t i = 0; i < 10; i++) {
            if (late_client.status == Status::more) advance_once(late_server, late_client, {});
            if (late_server.status == Status::more) advance_once(late_client, late_server, {});
        }
        EXPECT_EQ(late_server.status == Status::ok, grace_days > 0) << grace_days;
        EXPECT_EQ(late_server.channel.peer.is_expired, grace_days > 0) << grace_days;
        if (grace_days > 0) continue;
        EXPECT_STREQ(late_server.channel.reason, "certificate expired");
    }
}

TEST_F(Tls, tells_when_authorities_and_lists_end) {
    TlsConfig config = {};
    EXPECT_EQ(tls_config_ca_not_after_ms(config), 0u);
    EXPECT_EQ(tls_config_crl_not_after_ms(config), 0u);
    ASSERT_EQ(tls_files_load(config, TlsEnd::server, "server"), Status::ok);
    EXPECT_GT(tls_config_ca_not_after_ms(config), 1'700'000'000'000u);
    EXPECT_EQ(tls_config_crl_not_after_ms(config), 0u);
    tls_config_free(config);
    ASSERT_EQ(tls_files_load(config, TlsEnd::server, "server", "ca.crt", "crl.pem"), Status::ok);
    EXPECT_GT(tls_config_crl_not_after_ms(config), 1'700'000'000'000u);
    tls_config_free(config);
}

}  // namespace
