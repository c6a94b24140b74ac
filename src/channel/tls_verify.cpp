#include <string.h>

#include <mbedtls/oid.h>

#include "base/check.h"
#include "channel/tls_state.h"
#include "crypto/hash.h"
#include "crypto/x509_parts.h"

namespace {

struct FlagRow {
    uint32_t flag;
    TlsFailure failure;
};

// The first row that matches is what both ends are told; what makes the others pointless is first.
constexpr FlagRow flag_rows[] = {
    {MBEDTLS_X509_BADCERT_MISSING, {MBEDTLS_SSL_ALERT_MSG_CERT_REQUIRED, "no certificate"}},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED,
     {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, "certificate not signed by our CA"}},
    {MBEDTLS_X509_BADCERT_REVOKED, {MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, "certificate revoked"}},
    {MBEDTLS_X509_BADCERT_EXPIRED, {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "certificate expired"}},
    {MBEDTLS_X509_BADCERT_FUTURE,
     {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "certificate not yet valid"}},
    {MBEDTLS_X509_BADCERT_CN_MISMATCH,
     {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "certificate is for another name"}},
    {MBEDTLS_X509_BADCERT_KEY_USAGE,
     {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "certificate not meant for this use"}},
    {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
     {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "certificate not meant for this use"}},
    {MBEDTLS_X509_BADCERT_BAD_PK,
     {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "certificate has a kind of key that is refused"}},
    {MBEDTLS_X509_BADCERT_BAD_KEY,
     {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "certificate has a key that is too weak"}},
    {MBEDTLS_X509_BADCERT_BAD_MD,
     {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "certificate is signed with a hash that is too weak"}},
    {MBEDTLS_X509_BADCRL_EXPIRED,
     {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "revocation list expired"}},
    {MBEDTLS_X509_BADCRL_FUTURE,
     {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "revocation list not yet valid"}},
    {MBEDTLS_X509_BADCRL_NOT_TRUSTED,
     {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "revocation list not signed by our CA"}},
    {MBEDTLS_X509_BADCRL_BAD_MD,
     {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN,
      "revocation list is signed with a hash that is too weak"}},
};

// A certificate with two common names belongs to nobody.
Status find_name(const mbedtls_x509_crt& certificate, Name& out) {
    const mbedtls_x509_name* found = nullptr;
    for (const mbedtls_x509_name* at = &certificate.subject; at != nullptr; at = at->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &at->oid) != 0) continue;
        if (found != nullptr) return Status::invalid;
        found = at;
    }
    if (found == nullptr) return Status::absent;
    return parse_name(tls_slice(found->val), out);
}

// The library passes a certificate that names no purpose, and one that names every purpose. Neither
// was made for this one, so both are refused (V1, V2).
bool has_purpose(const mbedtls_x509_crt& certificate, const char* oid, size_t size) {
    const bool is_there =
        mbedtls_x509_crt_has_ext_type(&certificate, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
    const mbedtls_x509_sequence* at = is_there ? &certificate.ext_key_usage : nullptr;
    for (; at != nullptr; at = at->next) {
        if (at->buf.len == size && memcmp(at->buf.p, oid, size) == 0) return true;
    }
    return false;
}

// What the library has found already, but for a purpose that is another: has_purpose says which.
bool has_other_flags(uint32_t flags) {
    return (flags & ~static_cast<uint32_t>(MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)) != 0;
}

// The library passes over an extension that it does not know, unless that is critical.
bool has_extension(const mbedtls_x509_crt& certificate, Slice oid) {
    uint8_t* at = certificate.v3_ext.p;
    const uint8_t* const end = at + certificate.v3_ext.len;
    constexpr int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    size_t size = 0;
    if (at == nullptr || mbedtls_asn1_get_tag(&at, end, &size, sequence) != 0) return false;
    while (mbedtls_asn1_get_tag(&at, end, &size, sequence) == 0) {
        uint8_t* inside = at;
        at += size;
        if (mbedtls_asn1_get_tag(&inside, at, &size, MBEDTLS_ASN1_OID) != 0) continue;
        if (slice_equal({inside, static_cast<uint32_t>(size)}, oid)) return true;
    }
    return false;
}

// Certificates below an authority of ours: a terminal's, and one authority's between them.
constexpr int links_max = 2;

// A serial number that is too long is none; the handshake is refused for it where it matters.
void copy_id(const mbedtls_x509_crt& certificate, CertificateId& out) {
    out = {};
    const Slice serial = tls_slice(certificate.serial);
    if (serial.size <= sizeof out.serial) {
        memcpy(out.serial, serial.data, serial.size);
        out.serial_size = static_cast<uint8_t>(serial.size);
    }
    const Hash issuer = hash_of(tls_slice(certificate.issuer_raw));
    memcpy(out.issuer_hash, issuer.bytes, sizeof out.issuer_hash);
}

Hash anchor_hash_of(const mbedtls_x509_crt& certificate) {
    Hasher hasher;
    hasher_init(hasher);
    hasher_feed(hasher, tls_slice(certificate.subject_raw));
    hasher_feed(hasher, tls_slice(certificate.pk_raw));
    return hasher_finish(hasher);
}

void note_end(ChannelPeer& peer, const mbedtls_x509_crt& certificate) {
    const uint64_t end_ms = civil_time_ms(certificate.valid_to);
    if (peer.not_after_ms == 0 || end_ms < peer.not_after_ms) peer.not_after_ms = end_ms;
}

// The authority comes first, whatever its depth, and what comes behind it stands below it.
void note_link(ChannelPeer& peer, const mbedtls_x509_crt& certificate, int depth) {
    const bool is_first = peer.not_after_ms == 0;
    note_end(peer, certificate);
    if (is_first) {
        const Hash hash = anchor_hash_of(certificate);
        memcpy(peer.anchor_hash, hash.bytes, sizeof peer.anchor_hash);
    } else if (depth == 1) {
        copy_id(certificate, peer.via);
    }
}

bool is_in_grace(const TlsSession& session, const mbedtls_x509_crt& certificate) {
    const uint64_t now_ms = static_cast<uint64_t>(mbedtls_time(nullptr)) * 1000;
    return now_ms - civil_time_ms(certificate.valid_to) < session.generation->grace_ms;
}

bool is_revoked(const TlsGeneration& generation, const CertificateId& id) {
    for (const mbedtls_x509_crl* crl = &generation.crl; crl != nullptr; crl = crl->next) {
        if (crl->issuer_raw.len == 0) continue;
        const Hash issuer = hash_of(tls_slice(crl->issuer_raw));
        if (memcmp(issuer.bytes, id.issuer_hash, sizeof id.issuer_hash) != 0) continue;
        const Slice serial = {id.serial, id.serial_size};
        for (const mbedtls_x509_crl_entry* row = &crl->entry; row != nullptr; row = row->next) {
            if (row->serial.len > 0 && slice_equal(tls_slice(row->serial), serial)) return true;
        }
    }
    return false;
}

constexpr uint8_t oid_name_constraints[] = {0x55, 0x1d, 0x1e};  // 2.5.29.30

}  // namespace

int tls_verify(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
    Channel& channel = *static_cast<Channel*>(context);
    TlsSession& session = tls_session(channel);
    note_link(channel.peer, *certificate, depth);
    if (depth > links_max) {
        session.refused = tls_failure_chain;
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
    }
    if (session.refused.reason != nullptr) return 0;
    const bool only_expired = depth == 0 && *flags == MBEDTLS_X509_BADCERT_EXPIRED;
    if (only_expired && is_in_grace(session, *certificate)) {
        channel.peer.is_expired = true;
        *flags = 0;
    }
    if (has_other_flags(*flags)) return 0;  // The library has found fault with it already.
    Name name = {};
    if (depth > 0) {
        // Whoever cannot judge by them may not pass over them (RFC 5280, section 4.2.1.10).
        const Slice constraints = {oid_name_constraints, sizeof oid_name_constraints};
        if (has_extension(*certificate, constraints)) {
            session.refused = {MBEDTLS_SSL_ALERT_MSG_BAD_CERT,
                               "an authority's certificate has name constraints"};
        }
    } else if (mbedtls_x509_crt_get_ca_istrue(certificate) > 0) {
        session.refused = {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT,
                           "certificate is a CA's, not a terminal's"};
    } else if (!has_purpose(*certificate, MBEDTLS_OID_CLIENT_AUTH,
                            MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH))) {
        session.refused = {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT,
                           "certificate lacks the extended key usage clientAuth"};
    } else if (find_name(*certificate, name) != Status::ok) {
        session.refused = {MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED,
                           "certificate's common name is not the name of a terminal"};
    } else if (certificate->serial.len > sizeof(CertificateId::serial)) {
        session.refused = {MBEDTLS_SSL_ALERT_MSG_BAD_CERT,
                           "certificate's serial number is too long"};
    } else if (certificate->serial.len == 0) {
        session.refused = {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "certificate has no serial number"};
    }
    if (session.refused.reason != nullptr) *flags |= MBEDTLS_X509_BADCERT_OTHER;
    return 0;
}

int tls_verify_server(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
    TlsSession& session = *static_cast<TlsSession*>(context);
    if (depth > 0 || has_other_flags(*flags)) return 0;
    if (has_purpose(*certificate, MBEDTLS_OID_SERVER_AUTH,
                    MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH))) {
        return 0;
    }
    session.refused = {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT,
                       "certificate lacks the extended key usage serverAuth"};
    *flags |= MBEDTLS_X509_BADCERT_OTHER;
    return 0;
}

void tls_copy_peer(const mbedtls_x509_crt& certificate, ChannelPeer& out) {
    Name name = {};
    if (find_name(certificate, name) == Status::ok) memcpy(out.name, name.text, name.size);
    copy_id(certificate, out.own);
    note_end(out, certificate);
}

Status tls_config_judge(const TlsConfig& config, const ChannelPeer& peer, const char*& reason) {
    CHECK(config.loaded && peer.authenticated);
    const TlsGeneration& generation = tls_generation(config);
    bool is_known = false;
    for (const mbedtls_x509_crt* ca = &generation.ca; ca != nullptr; ca = ca->next) {
        const Hash hash = anchor_hash_of(*ca);
        is_known = is_known || memcmp(hash.bytes, peer.anchor_hash, hash_size) == 0;
    }
    reason = !is_known                                ? "its authority was removed"
             : is_revoked(generation, peer.own)       ? "certificate revoked"
             : is_revoked(generation, peer.via)       ? "its authority's certificate was revoked"
                                                      : nullptr;
    return reason == nullptr ? Status::ok : Status::failed;
}

TlsFailure tls_verify_failure(uint32_t flags) {
    CHECK(flags != 0);
    for (const FlagRow& row : flag_rows) {
        if ((flags & row.flag) != 0) return row.failure;
    }
    return {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "certificate could not be verified"};
}
