#include "unit/lab_kit.h"

#include <string.h>

#include <map>
#include <memory>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "unit/slices.h"
#include "unit/test_port.h"
#include "unit/tls_files.h"

namespace {

struct Authority {
    std::string key;
    std::string certificate;
};

uint64_t now_ms() { return static_cast<uint64_t>(time(nullptr)) * 1000; }

std::string make_certificate(CertificateKind kind, const std::string& key,
                             const CertificateIssuer& issuer) {
    CertificateRequest request = {};
    request.kind = kind;
    request.name = slice_of("lab");
    request.wall_ms = now_ms();
    const Slice host = slice_of("127.0.0.1");
    if (kind == CertificateKind::server) {
        request.hosts = &host;
        request.host_count = 1;
    }
    return written([&](Writer& out) {
        EXPECT_EQ(certificate_make(request, slice_of(key), issuer, out), Status::ok);
    });
}

const Authority& authority(const std::string& name) {
    static std::map<std::string, Authority> made;
    Authority& found = made[name];
    if (!found.key.empty()) return found;
    found.key = written([](Writer& out) { EXPECT_EQ(certificate_make_key(out), Status::ok); });
    found.certificate = make_certificate(CertificateKind::authority, found.key, {});
    return found;
}

void keep_line(void* context, const char* text, uint32_t size) {
    static_cast<std::vector<std::string>*>(context)->push_back(std::string(text, size));
}

// Bytes of just their size on the heap, so that the sanitizer sees whoever reads behind them.
std::unique_ptr<uint8_t[]> exactly(const std::string& bytes) {
    std::unique_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
    if (!bytes.empty()) memcpy(copy.get(), bytes.data(), bytes.size());
    return copy;
}

}  // namespace

const std::string& lab_test_key(const std::string& name) {
    static std::map<std::string, std::string> made;
    std::string& found = made[name];
    if (found.empty()) {
        found = written([](Writer& out) { EXPECT_EQ(lab_key_make(out), Status::ok); });
    }
    return found;
}

const std::string& lab_test_ca(const std::string& name) { return authority(name).certificate; }

std::string lab_test_certificate(const std::string& ca, const std::string& key) {
    const Authority& by = authority(ca);
    const CertificateKind kind =
        key == "client" ? CertificateKind::client : CertificateKind::server;
    return make_certificate(kind, lab_test_key(key),
                            {slice_of(by.certificate), slice_of(by.key)});
}

void LabTest::SetUpTestSuite() {
    crypto_free();
    ASSERT_EQ(crypto_init(nullptr), Status::ok);
    tls_files_clock(0);
}

void LabTest::TearDownTestSuite() { crypto_free(); }

void LabTest::TearDown() {
    test_random_mend();
    tls_files_clock(0);
}

Status lab_test_load(LabHome& home, const std::string& name, LabEnd end, const LabWish& wish) {
    const LabOps* ops = lab_find(slice_of(name));
    if (ops == nullptr) return Status::absent;
    const LabFiles files = {slice_of(wish.key), slice_of(wish.certificate), slice_of(wish.ca),
                            slice_of(wish.passphrase), wish.pin};
    return lab_config_load(home.config, *ops, end, files, home.reason);
}

void LabSide::open(LabHome& home, std::vector<std::string>* lines) {
    LabExplain explain = {};
    if (lines != nullptr) explain = {keep_line, lines};
    lab_open(channel, memory, home.config, explain);
    status = Status::more;
    established = false;
    out_size = 0;
    plain_size = 0;
}

Status LabSide::feed(const std::string& bytes) {
    const auto copy = exactly(bytes);
    Reader in = reader_of({copy.get(), static_cast<uint32_t>(bytes.size())});
    Writer cipher = writer_of(out, sizeof out);
    cipher.size = out_size;
    Writer read = writer_of(plain, sizeof plain);
    read.size = plain_size;
    if (!established) status = channel_advance(channel, in, cipher);
    established = established || status == Status::ok;
    if (established && reader_left(in) > 0) {
        status = channel_read(channel, in, read);
        if (status == Status::failed) channel_close(channel, cipher);
    }
    EXPECT_NE(status, Status::full);
    out_size = cipher.size;
    plain_size = read.size;
    return status;
}

Status LabSide::write(const std::string& bytes) {
    Reader in = reader_of(slice_of(bytes));
    Writer cipher = writer_of(out, sizeof out);
    cipher.size = out_size;
    status = channel_write(channel, in, cipher);
    out_size = cipher.size;
    return status;
}

void LabSide::close() {
    Writer cipher = writer_of(out, sizeof out);
    cipher.size = out_size;
    channel_close(channel, cipher);
    out_size = cipher.size;
}

std::string LabSide::take_out() {
    const std::string taken(reinterpret_cast<const char*>(out), out_size);
    out_size = 0;
    return taken;
}

std::string LabSide::take_plain() {
    const std::string taken(reinterpret_cast<const char*>(plain), plain_size);
    plain_size = 0;
    return taken;
}

LabPair::LabPair(const std::string& name, const LabWish& client_wish, const LabWish& server_wish) {
    LabWish wish = client_wish;
    if (wish.key.empty()) wish.key = lab_test_key("client");
    EXPECT_EQ(lab_test_load(client_home, name, LabEnd::client, wish), Status::ok);
    wish = server_wish;
    if (wish.key.empty()) wish.key = lab_test_key("server");
    EXPECT_EQ(lab_test_load(server_home, name, LabEnd::server, wish), Status::ok);
    client.open(client_home, &client_lines);
    server.open(server_home, &server_lines);
}

void LabPair::pump(uint32_t piece_size) {
    if (!client.established) client.give("");
    for (;;) {
        const std::string to_server = client.take_out();
        const std::string to_client = server.take_out();
        if (to_server.empty() && to_client.empty()) return;
        for (size_t at = 0; at < to_server.size(); at += piece_size) {
            server.give(to_server.substr(at, piece_size));
        }
        for (size_t at = 0; at < to_client.size(); at += piece_size) {
            client.give(to_client.substr(at, piece_size));
        }
    }
}

bool lab_is_reason(const std::string& reason) {
    for (uint32_t i = 0; i < 256; i++) {
        const LabFailure failure = static_cast<LabFailure>(i);
        if (failure == LabFailure::none) continue;
        if (reason == lab_failure_told_text(failure)) return true;
        if (reason == lab_failure_text(failure) && reason != "the channel failed") return true;
    }
    return false;
}

std::vector<std::string> lab_messages(const std::string& flight) {
    std::vector<std::string> found;
    for (size_t at = 0; at + lab_header_size <= flight.size();) {
        const size_t size = static_cast<size_t>(static_cast<uint8_t>(flight[at + 1]) << 8 |
                                                static_cast<uint8_t>(flight[at + 2]));
        found.push_back(flight.substr(at, lab_header_size + size));
        at += lab_header_size + size;
    }
    return found;
}

std::string lab_alert(LabFailure failure) {
    return {'\x15', '\0', '\x01', static_cast<char>(failure)};
}
