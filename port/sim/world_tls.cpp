// Certificates, and the players' end of TLS: the library's own client over the same channel calls
// that penny uses. The certificates are made once per process from a seed of their own, so every
// run meets the same ones.

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "port/sim/kernel.h"
#include "port/sim/world_parts.h"

namespace {

constexpr uint32_t terminal_count = sizeof sim_terminals / sizeof sim_terminals[0];
constexpr uint64_t certificates_seed = 6226;

struct SimPem {
    uint8_t bytes[certificate_pem_size_max];
    uint32_t size;
};

struct SimIdentity {
    SimPem certificate;
    SimPem key;
};

struct SimTls {
    bool made;
    SimIdentity authority;
    SimIdentity server;
    SimIdentity terminals[terminal_count];
    TlsConfig configs[terminal_count];  // of the players; of the present start
};

SimTls tls;

Slice pem_slice(const SimPem& pem) { return {pem.bytes, pem.size}; }

void make(SimIdentity& out, const CertificateRequest& request, const SimIdentity* authority) {
    Writer key = writer_of(out.key.bytes, sizeof out.key.bytes);
    Status status = certificate_make_key(key);
    out.key.size = key.size;
    CertificateIssuer issuer = {};
    if (authority != nullptr) {
        issuer = {pem_slice(authority->certificate), pem_slice(authority->key)};
    }
    Writer certificate = writer_of(out.certificate.bytes, sizeof out.certificate.bytes);
    if (status == Status::ok) {
        status = certificate_make(request, pem_slice(out.key), issuer, certificate);
    }
    out.certificate.size = certificate.size;
    CHECK(status == Status::ok);
}

void make_all() {
    const uint64_t wall_ms = sim_wall_us / 1000;
    const Slice host = slice_of("localhost");
    make(tls.authority,
         {CertificateKind::authority, slice_of("Simulated CA"), nullptr, 0, wall_ms}, nullptr);
    make(tls.server, {CertificateKind::server, host, &host, 1, wall_ms}, &tls.authority);
    for (uint32_t i = 0; i < terminal_count; i++) {
        make(tls.terminals[i],
             {CertificateKind::client, slice_of(sim_terminals[i]), nullptr, 0, wall_ms},
             &tls.authority);
    }
}

// The configuration of a terminal, loaded when the first player of a start wants it.
TlsConfig* config_of(const char* terminal) {
    for (uint32_t i = 0; i < terminal_count; i++) {
        if (strcmp(terminal, sim_terminals[i]) != 0) continue;
        TlsConfig& config = tls.configs[i];
        if (config.loaded) return &config;
        const SimIdentity& own = tls.terminals[i];
        const TlsFiles files = {pem_slice(own.certificate), pem_slice(own.key),
                                pem_slice(tls.authority.certificate), {nullptr, 0}};
        const char* reason = nullptr;
        const Status status =
            tls_config_load(config, TlsEnd::client, TlsVersion::tls13, files, reason);
        return status == Status::ok ? &config : nullptr;
    }
    return nullptr;
}

// Returns false when the link is over.
bool send_cipher(SimLink& link, const Writer& cipher) {
    if (cipher.size == 0) return true;
    const Slice bytes = writer_slice(cipher);
    if (sim_net_send(link, SimEventKind::to_server, bytes) == bytes.size) return true;
    sim_net_lose(link);
    return false;
}

void flush_plain(SimLink& link) {
    static uint8_t bytes[cipher_out_size];
    while (link.plain.size > 0) {
        Writer cipher = writer_of(bytes, sizeof bytes);
        Reader plain = reader_of(writer_slice(link.plain));
        const Status status = channel_write(link.channel, plain, cipher);
        writer_drop(link.plain, plain.offset);
        if (!send_cipher(link, cipher)) return;
        if (status == Status::failed || cipher.size == 0) {
            sim_net_lose(link);
            return;
        }
    }
}

// Returns ok when the handshake is over.
Status shake_hands(SimLink& link, Reader& in) {
    static uint8_t bytes[cipher_out_size];
    for (;;) {
        Writer cipher = writer_of(bytes, sizeof bytes);
        const Status status = channel_advance(link.channel, in, cipher);
        if (!send_cipher(link, cipher)) return Status::failed;
        if (status == Status::failed) sim_net_lose(link);
        const bool goes_on = status == Status::more && writer_room(cipher) < cipher_out_size / 2;
        if (!goes_on) return status;
    }
}

}  // namespace

void sim_tls_prepare() {
    if (tls.made) return;
    tls.made = true;
    Heap heap = {};
    Arena arena = {};
    crypto_layout(heap, arena, 4, 4, 0, 0, 1);
    const uint64_t size = arena.used;
    void* memory = aligned_alloc(arena_align, static_cast<size_t>(size));
    CHECK(memory != nullptr);
    memset(memory, 0, static_cast<size_t>(size));
    arena = {};
    arena.base = static_cast<uint8_t*>(memory);
    arena.size = size;
    crypto_layout(heap, arena, 4, 4, 0, 0, 1);
    sim_kernel_seed(sim_random_of(certificates_seed, SimStream::secrets));
    const Status status = crypto_init(&heap);
    CHECK(status == Status::ok);
    crypto_clock_set(sim_wall_us / 1000);
    make_all();
    crypto_free();
    free(memory);
}

Status sim_tls_load(Server& server, const char*& reason) {
    const TlsFiles files = {pem_slice(tls.server.certificate), pem_slice(tls.server.key),
                            pem_slice(tls.authority.certificate), {nullptr, 0}};
    return server_load_tls(server, 0, 0, files, reason);
}

bool sim_tls_open(SimLink& link) {
    TlsConfig* config = config_of(link.terminal);
    if (config == nullptr) return false;
    if (link.plain.data == nullptr) {
        link.plain = writer_of(static_cast<uint8_t*>(malloc(sim_socket_size)), sim_socket_size);
        CHECK(link.plain.data != nullptr);
    }
    link.plain.size = 0;
    return tls_open(link.channel, *config, "localhost") == Status::ok;
}

void sim_tls_send(SimLink& link, Slice plain) {
    if (link.lost) return;
    put_bytes(link.plain, plain);
    if (link.plain.overflow) {
        sim_net_lose(link);
        return;
    }
    if (link.is_established) flush_plain(link);
}

void sim_tls_received(SimLink& link, Slice cipher) {
    static uint8_t bytes[request_size_max];
    const uint32_t number = link.number;
    Reader in = reader_of(cipher);
    if (!link.is_established) {
        if (shake_hands(link, in) != Status::ok) return;
        link.is_established = true;
        flush_plain(link);
    }
    for (Status status = Status::full; status == Status::full;) {
        Writer plain = writer_of(bytes, sizeof bytes);
        status = channel_read(link.channel, in, plain);
        if (plain.size > 0) {
            link.player.received(link.player.context, number, writer_slice(plain));
        }
        const SimLink* here = sim_link(number);
        if (here == nullptr || here->player_left) return;
        if (status == Status::failed) sim_net_lose(link);
    }
}

void sim_tls_close(SimLink& link) {
    if (link.channel.type == nullptr) return;
    if (sim_world.running && link.is_established && !link.lost) {
        uint8_t bytes[256];
        Writer cipher = writer_of(bytes, sizeof bytes);
        channel_close(link.channel, cipher);
        send_cipher(link, cipher);
    }
    channel_free(link.channel);
}

void sim_tls_forget(bool give_back) {
    for (SimLink& link : sim_world.links) {
        if (give_back) channel_free(link.channel);
        memset(&link.channel, 0, sizeof link.channel);
    }
    for (TlsConfig& config : tls.configs) {
        if (give_back && config.loaded) tls_config_free(config);
        memset(&config, 0, sizeof config);
    }
}
