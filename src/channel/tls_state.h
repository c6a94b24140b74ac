// tls_state.h - what the halves of the TLS channel share: tls_config.cpp, tls_verify.cpp, tls.cpp.
//
// Nobody else includes it. It lays the library's structs into the plain bytes of TlsConfig and
// Channel, so that their owners need not know the library. Both hold pointers into themselves:
// neither may be moved while it is in use.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "channel/tls.h"

struct TlsGeneration {
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate;  // own, then intermediates
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    mbedtls_pk_context key;
    uint64_t not_before_ms;
    uint64_t not_after_ms;
    uint64_t ca_not_after_ms;
    uint64_t crl_not_after_ms;
    uint64_t grace_ms;
    TlsEnd end;
};
static_assert(sizeof(TlsGeneration) <= sizeof(TlsConfig::state), "a generation fits its place");

enum class TlsPhase : uint8_t { handshake, established, failed };

// How far the bytes of the peer are into a record: five bytes of header, then what they announce.
struct TlsRecord {
    uint8_t header[5];
    uint8_t header_size;  // bytes of the header that have passed; 0 between records
    uint16_t body_left;   // bytes of the body that have not
    uint16_t body_size;   // of the newest header
};

// Why a session ends: what the peer is told, and what the operator reads.
struct TlsFailure {
    int alert;  // RFC 8446, section 6.2; or tls_alert_none
    const char* reason;
};

inline constexpr int tls_alert_none = -1;

inline constexpr TlsFailure tls_failure_chain = {MBEDTLS_SSL_ALERT_MSG_BAD_CERT,
                                                 "certificate chain is too long"};

struct TlsSession {
    mbedtls_ssl_context ssl;
    TlsGeneration* generation;
    TlsFailure refused;   // by tls_verify; its reason is nullptr where nothing was wrong
    TlsRecord in;
    uint32_t out_left;    // bytes of an outgoing record that have not found room yet
    TlsPhase phase;
    bool alert_offered;   // the library put an alert on its way since the last call began
    bool closed;          // our closing message has left, so nothing may follow it
    bool ended;           // the peer's closing message has come, so nothing follows it
};
static_assert(sizeof(TlsSession) <= channel_state_size, "a session fits its place");

inline TlsGeneration& tls_generation(TlsConfig& config) {
    return *reinterpret_cast<TlsGeneration*>(config.state);
}

inline TlsSession& tls_session(Channel& channel) {
    return *reinterpret_cast<TlsSession*>(channel.state);
}

inline const TlsSession& tls_session(const Channel& channel) {
    return *reinterpret_cast<const TlsSession*>(channel.state);
}

inline bool tls_is_server(TlsEnd end) { return end == TlsEnd::server || end == TlsEnd::enrol; }

inline Slice tls_slice(const mbedtls_x509_buf& buf) {
    return {buf.p, static_cast<uint32_t>(buf.len)};
}

inline const TlsGeneration& tls_generation(const TlsConfig& config) {
    return *reinterpret_cast<const TlsGeneration*>(config.state);
}

// What the library asks about each certificate of a client's chain, the authority first; `context`
// is the Channel, whose peer is filled with what the chain says.
int tls_verify(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);

// The same about a server's chain; `context` is the TlsSession.
int tls_verify_server(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);

// Copies what a certificate says about its owner; the name stays empty where it is no name.
void tls_copy_peer(const mbedtls_x509_crt& certificate, ChannelPeer& out);

// Says why a certificate with these flags of the library, never 0, is refused.
TlsFailure tls_verify_failure(uint32_t flags);

// A suite's IANA name, "" for one that we do not offer.
const char* tls_suite_name(int suite);
