#include <string.h>

#include <mbedtls/entropy.h>
#include <mbedtls/pem.h>

#include "base/check.h"
#include "channel/tls_state.h"
#include "crypto/random.h"
#include "crypto/sign_key.h"
#include "crypto/x509_parts.h"

namespace {

// Bytes of one PEM block: a revocation list of some 600 certificates, a chain of any length.
constexpr uint32_t pem_block_size_max = 32768;

struct PemBlock {
    uint8_t bytes[pem_block_size_max + 1];  // the library wants a NUL behind the text
    uint32_t size;                          // NUL included
};

struct Suite {
    int id;
    const char* name;
};

constexpr Suite suites[] = {
    {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"},
    {MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
     "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
};
constexpr uint32_t suite_count = sizeof suites / sizeof suites[0];

struct SuiteIds {
    int ids[suite_count + 1];  // ends in 0, as the library wants it
};

constexpr SuiteIds suite_ids_of_table() {
    SuiteIds list = {};
    for (uint32_t i = 0; i < suite_count; i++) list.ids[i] = suites[i].id;
    return list;
}

constexpr SuiteIds suite_ids = suite_ids_of_table();

constexpr uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                               MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                               MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

constexpr mbedtls_x509_crt_profile profile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSA) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSASSA_PSS),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1),
    2048,
};

// Moves `rest` behind the next `text`. Returns absent, with `rest` used up, when there is none.
Status skip_past(Reader& rest, const char* text) {
    const Slice wanted = slice_of(text);
    while (reader_left(rest) >= wanted.size) {
        if (slice_equal(slice_part(reader_rest(rest), 0, wanted.size), wanted)) {
            rest.offset += wanted.size;
            return Status::ok;
        }
        rest.offset++;
    }
    rest.offset = rest.size;
    return Status::absent;
}

bool ends_in(Slice text, const char* end) {
    const uint32_t size = slice_of(end).size;
    if (text.size < size) return false;
    return slice_equal_text(slice_part(text, text.size - size, size), end);
}

// Copies the next PEM block whose label ends in `label` and steps over all others. Returns end when
// there is none, invalid for one without an end, full for one that is too long.
Status cut_pem(Reader& rest, const char* label, PemBlock& out) {
    while (skip_past(rest, "-----BEGIN ") == Status::ok) {
        const uint32_t start = rest.offset - slice_of("-----BEGIN ").size;
        const uint32_t label_start = rest.offset;
        if (skip_past(rest, "-----") != Status::ok) return Status::invalid;
        const Slice found = {rest.data + label_start,
                             rest.offset - slice_of("-----").size - label_start};
        if (skip_past(rest, "-----END ") != Status::ok) return Status::invalid;
        if (skip_past(rest, "-----") != Status::ok) return Status::invalid;
        if (!ends_in(found, label)) continue;
        const uint32_t size = rest.offset - start;
        if (size > pem_block_size_max) return Status::full;
        memcpy(out.bytes, rest.data + start, size);
        out.bytes[size] = '\0';
        out.size = size + 1;
        return Status::ok;
    }
    return Status::end;
}

Status status_of(int code) {
    const bool no_memory = code == MBEDTLS_ERR_X509_ALLOC_FAILED ||
                           code == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
                           code == MBEDTLS_ERR_PK_ALLOC_FAILED ||
                           code == MBEDTLS_ERR_SSL_ALLOC_FAILED;
    if (no_memory) return Status::full;
    return code == 0 ? Status::ok : Status::invalid;
}

// Hands every block with `label` to `parse`. Returns absent when there is none.
template <typename Parse>
Status parse_each(Slice text, const char* label, PemBlock& block, Parse parse) {
    Reader rest = reader_of(text);
    uint32_t count = 0;
    for (;;) {
        Status status = cut_pem(rest, label, block);
        if (status == Status::end) return count > 0 ? Status::ok : Status::absent;
        if (status == Status::ok) status = status_of(parse());
        if (status != Status::ok) return status;
        count++;
    }
}

Status parse_certificates(Slice text, PemBlock& block, mbedtls_x509_crt& out) {
    return parse_each(text, "CERTIFICATE", block, [&] {
        return mbedtls_x509_crt_parse(&out, block.bytes, block.size);
    });
}

Status parse_crls(Slice text, PemBlock& block, mbedtls_x509_crl& out) {
    return parse_each(text, "X509 CRL", block, [&] {
        return mbedtls_x509_crl_parse(&out, block.bytes, block.size);
    });
}

Status parse_key(Slice text, PemBlock& block, mbedtls_pk_context& out) {
    Reader rest = reader_of(text);
    Status status = cut_pem(rest, "PRIVATE KEY", block);
    if (status == Status::ok) {
        status = status_of(mbedtls_pk_parse_key(&out, block.bytes, block.size, nullptr, 0,
                                                crypto_rng, nullptr));
    }
    wipe(&block, sizeof block);
    return status == Status::end ? Status::absent : status;
}

bool has_subject(const mbedtls_x509_crt& certificates, const mbedtls_x509_buf& name) {
    for (const mbedtls_x509_crt* at = &certificates; at != nullptr; at = at->next) {
        if (at->raw.len == 0) continue;  // There is none.
        if (slice_equal(tls_slice(name), tls_slice(at->subject_raw))) return true;
    }
    return false;
}

// Whether our CA signed it; dates are for the handshakes to judge, and at a start the library has
// not been told the time yet.
bool is_signed(mbedtls_x509_crt& certificate, TlsGeneration& generation) {
    uint32_t flags = 0;
    // The answer is in the flags.
    mbedtls_x509_crt_verify_with_profile(&certificate, &generation.ca, nullptr, &profile, nullptr,
                                         &flags, nullptr, nullptr);
    constexpr uint32_t dates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
    return (flags & ~dates) == 0;
}

// A list of somebody else would be passed over in silence, and revoke nobody. An intermediate's
// list comes with its certificate in the same file, which our CA must have signed.
bool crls_are_ours(TlsGeneration& generation, mbedtls_x509_crt& vouched) {
    for (mbedtls_x509_crt* at = &vouched; at != nullptr; at = at->next) {
        if (at->raw.len > 0 && !is_signed(*at, generation)) return false;
    }
    for (const mbedtls_x509_crl* crl = &generation.crl; crl != nullptr; crl = crl->next) {
        if (has_subject(generation.ca, crl->issuer_raw)) continue;
        if (!has_subject(vouched, crl->issuer_raw)) return false;
    }
    return true;
}

// A refusal by the parser, with the words for the file in question. absent is kept for keys that
// do not fit their certificate.
Status refuse(Status status, const char*& reason, const char* words) {
    CHECK(status != Status::ok);
    reason = status == Status::full ? "no memory for the certificates" : words;
    return status == Status::full ? Status::full : Status::invalid;
}

Status load_own(TlsGeneration& generation, const TlsFiles& files, PemBlock& block,
                const char*& reason) {
    // A client may come without a certificate; it is the server that insists on one.
    if (!tls_is_server(generation.end) && files.certificate.size == 0) return Status::ok;
    Status status = parse_certificates(files.certificate, block, generation.certificate);
    if (status != Status::ok) {
        return refuse(status, reason, "the certificate file holds no readable certificate");
    }
    status = parse_key(files.key, block, generation.key);
    if (status != Status::ok) {
        return refuse(status, reason, "the key file holds no readable private key");
    }
    const int pair = mbedtls_pk_check_pair(&generation.certificate.pk, &generation.key, crypto_rng,
                                           nullptr);
    if (pair == MBEDTLS_ERR_ENTROPY_SOURCE_FAILED) {
        reason = "the system gives no random bytes";
        return Status::failed;
    }
    if (pair != 0) {
        reason = "the key does not belong to the certificate";
        return Status::absent;
    }
    // Who comes to enrol gets to know the CA by this.
    if (generation.end == TlsEnd::enrol) {
        status = parse_certificates(files.ca, block, generation.certificate);
        if (status != Status::ok) return refuse(status, reason, "");
    }
    if (mbedtls_ssl_conf_own_cert(&generation.config, &generation.certificate, &generation.key) !=
        0) {
        return refuse(Status::full, reason, "");
    }
    generation.not_before_ms = civil_time_ms(generation.certificate.valid_from);
    generation.not_after_ms = civil_time_ms(generation.certificate.valid_to);
    return Status::ok;
}

void note_first(uint64_t& first_ms, uint64_t ms) {
    if (first_ms == 0 || ms < first_ms) first_ms = ms;
}

void note_ends(TlsGeneration& generation) {
    for (const mbedtls_x509_crt* ca = &generation.ca; ca != nullptr; ca = ca->next) {
        note_first(generation.ca_not_after_ms, civil_time_ms(ca->valid_to));
    }
    for (const mbedtls_x509_crl* crl = &generation.crl; crl != nullptr; crl = crl->next) {
        if (crl->issuer_raw.len == 0) continue;  // There is none.
        note_first(generation.crl_not_after_ms, civil_time_ms(crl->next_update));
    }
}

Status load_trust(TlsGeneration& generation, const TlsFiles& files, PemBlock& block,
                  const char*& reason) {
    if (generation.end == TlsEnd::stranger) return Status::ok;
    Status status = parse_certificates(files.ca, block, generation.ca);
    if (status != Status::ok) {
        return refuse(status, reason, "the CA file holds no readable certificate");
    }
    if (files.crl.size > 0) {
        status = parse_crls(files.crl, block, generation.crl);
        if (status != Status::ok) {
            return refuse(status, reason, "the CRL file holds no readable revocation list");
        }
        mbedtls_x509_crt vouched;
        mbedtls_x509_crt_init(&vouched);
        status = parse_certificates(files.crl, block, vouched);
        const bool is_read = status == Status::ok || status == Status::absent;
        const bool are_ours = is_read && crls_are_ours(generation, vouched);
        mbedtls_x509_crt_free(&vouched);
        if (!is_read) {
            return refuse(status, reason, "the CRL file holds no readable revocation list");
        }
        if (!are_ours) {
            return refuse(Status::invalid, reason, "a revocation list is not from our CA");
        }
    }
    mbedtls_ssl_conf_ca_chain(&generation.config, &generation.ca,
                              files.crl.size > 0 ? &generation.crl : nullptr);
    note_ends(generation);
    return Status::ok;
}

Status load_settings(TlsGeneration& generation, TlsVersion version_min) {
    const bool server = tls_is_server(generation.end);
    mbedtls_ssl_config& config = generation.config;
    const int code = mbedtls_ssl_config_defaults(
        &config, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) return Status::full;
    const bool tls12 = version_min == TlsVersion::tls12;
    mbedtls_ssl_conf_min_tls_version(
        &config, tls12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
    // A server's library goes on whatever the certificate: tls.cpp judges it, and says why (V1).
    const bool verifies = generation.end == TlsEnd::server || generation.end == TlsEnd::client;
    mbedtls_ssl_conf_authmode(&config, !verifies ? MBEDTLS_SSL_VERIFY_NONE
                                       : server  ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                                 : MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_rng(&config, crypto_rng, nullptr);
    mbedtls_ssl_conf_ciphersuites(&config, suite_ids.ids);
    mbedtls_ssl_conf_groups(&config, groups);
    mbedtls_ssl_conf_cert_profile(&config, &profile);
    return Status::ok;
}

Status load(TlsGeneration& generation, TlsVersion version_min, const TlsFiles& files,
            const char*& reason) {
    PemBlock block;
    Status status = load_settings(generation, version_min);
    if (status != Status::ok) return refuse(status, reason, "");
    status = load_trust(generation, files, block, reason);
    if (status != Status::ok) return status;
    return load_own(generation, files, block, reason);
}

}  // namespace

Status tls_config_load(TlsConfig& config, TlsEnd end, TlsVersion version_min, const TlsFiles& files,
                       const char*& reason) {
    CHECK(!config.loaded);
    TlsGeneration& generation = tls_generation(config);
    memset(config.state, 0, sizeof config.state);
    mbedtls_ssl_config_init(&generation.config);
    mbedtls_x509_crt_init(&generation.certificate);
    mbedtls_x509_crt_init(&generation.ca);
    mbedtls_x509_crl_init(&generation.crl);
    mbedtls_pk_init(&generation.key);
    generation.end = end;
    config.loaded = true;
    const Status status = load(generation, version_min, files, reason);
    if (status != Status::ok) tls_config_free(config);
    return status;
}

void tls_config_free(TlsConfig& config) {
    if (!config.loaded) return;
    TlsGeneration& generation = tls_generation(config);
    mbedtls_ssl_config_free(&generation.config);
    mbedtls_x509_crt_free(&generation.certificate);
    mbedtls_x509_crt_free(&generation.ca);
    mbedtls_x509_crl_free(&generation.crl);
    mbedtls_pk_free(&generation.key);
    wipe(&config, sizeof config);
}

uint64_t tls_config_not_before_ms(const TlsConfig& config) {
    return config.loaded ? tls_generation(config).not_before_ms : 0;
}

uint64_t tls_config_not_after_ms(const TlsConfig& config) {
    return config.loaded ? tls_generation(config).not_after_ms : 0;
}

uint64_t tls_config_ca_not_after_ms(const TlsConfig& config) {
    return config.loaded ? tls_generation(config).ca_not_after_ms : 0;
}

uint64_t tls_config_crl_not_after_ms(const TlsConfig& config) {
    return config.loaded ? tls_generation(config).crl_not_after_ms : 0;
}

void tls_config_set_grace(TlsConfig& config, uint64_t grace_ms) {
    CHECK(config.loaded);
    tls_generation(config).grace_ms = grace_ms;
}

Status tls_config_sign(TlsConfig& config, Slice text, Writer& signature) {
    CHECK(config.loaded);
    return sign_with_key(tls_generation(config).key, text, signature);
}

Status tls_config_verify(TlsConfig& config, Slice text, Slice signature) {
    CHECK(config.loaded);
    return sign_verify_with_key(tls_generation(config).certificate.pk, text, signature);
}

Hash tls_config_fingerprint(const TlsConfig& config) {
    CHECK(config.loaded);
    return sign_fingerprint_of(tls_generation(config).certificate);
}

void tls_config_put_ca(const TlsConfig& config, Writer& out) {
    CHECK(config.loaded);
    put_pem(out, "CERTIFICATE",
            tls_slice(tls_generation(config).ca.raw));
}

bool tls_config_has_ca(const TlsConfig& config, const uint8_t subject_hash[hash_size]) {
    CHECK(config.loaded);
    const TlsGeneration& generation = tls_generation(config);
    for (const mbedtls_x509_crt* ca = &generation.ca; ca != nullptr; ca = ca->next) {
        const Hash hash = hash_of(tls_slice(ca->subject_raw));
        if (memcmp(hash.bytes, subject_hash, hash_size) == 0) return true;
    }
    return false;
}

const char* tls_suite_name(int suite) {
    for (const Suite& row : suites) {
        if (row.id == suite) return row.name;
    }
    return "";
}
