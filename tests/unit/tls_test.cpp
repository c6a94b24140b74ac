// The TLS channel: client and server over plain memory, every refusal, and every cut.
#include "channel/tls.h"

#include <gtest/gtest.h>

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

}  // namespace
