// What an end has, and what it does with its RSA key and with the other side's.

#include <string.h>

#include <mbedtls/oid.h>
#include <mbedtls/platform_time.h>

#include "base/check.h"
#include "channel/lab/lab_parts.h"
#include "crypto/certificate.h"
#include "crypto/random.h"
#include "crypto/rsa_parts.h"
#include "crypto/x509_parts.h"

namespace {

constexpr uint32_t key_pem_size_max = 4096;  // bytes; of a fresh key about 1,700
constexpr char certificate_name[] = "lab";

static_assert(sizeof(LabPeerKey::exponent) == rsa_exponent_size);
static_assert(hash_size == rsa_hash_size);

// Certificates that a CA of ours signs: P-256 signs with SHA-256, and so may RSA.
constexpr mbedtls_x509_crt_profile profile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSA),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1),
    lab_key_bits,
};

// Fails with `failure`, unless the library was only short of memory or randomness.
Status fail_library(LabSession& session, int answer, LabFailure failure) {
    CHECK(answer != 0);
    const bool ours = status_of_library(answer) == Status::failed;
    return lab_fail(session, ours ? LabFailure::memory : failure);
}

// What a text that could not be read means to whoever loads it.
Status refuse(Status status, const char* words, const char*& reason) {
    CHECK(status != Status::ok);
    const bool ours = status == Status::failed;
    reason = ours ? "no memory, or no random bytes" : words;
    return ours ? Status::failed : Status::invalid;
}

Status load_passphrase(LabKeys& keys, Slice text, const char*& reason) {
    if (text.size > 0 && text.data[text.size - 1] == '\n') {
        text.size--;  // The end of the file's line is no part of it.
        if (text.size > 0 && text.data[text.size - 1] == '\r') text.size--;
    }
    if (text.size != lab_passphrase_size) {
        reason = "the passphrase has not exactly 16 bytes";
        return Status::invalid;
    }
    memcpy(keys.passphrase, text.data, lab_passphrase_size);
    return Status::ok;
}

Status load_key(LabKeys& keys, Slice pem, const char*& reason) {
    const Status status = rsa_open_private(pem, lab_key_bits, keys.key);
    if (status != Status::ok) {
        return refuse(status, "the key file holds no private key of RSA with 2048 bits", reason);
    }
    unsigned char* end = keys.spki + sizeof keys.spki;
    const int size = mbedtls_pk_write_pubkey_der(&keys.key, keys.spki, sizeof keys.spki);
    if (size <= 0) return refuse(Status::invalid, "the key file's key is out of bounds", reason);
    keys.spki_size = static_cast<uint32_t>(size);
    memmove(keys.spki, end - size, keys.spki_size);  // The library fills it from its end.
    keys.fingerprint = hash_of({keys.spki, keys.spki_size});
    keys.has_key = true;
    return Status::ok;
}

// A certificate for a key that has none: it says nothing about anybody.
Status make_certificate(Slice key_pem, Writer& pem) {
    CertificateRequest request = {};
    request.kind = CertificateKind::authority;
    request.name = slice_of(certificate_name);
    request.wall_ms = static_cast<uint64_t>(mbedtls_time(nullptr)) * 1000;
    return certificate_make(request, key_pem, {{nullptr, 0}, {nullptr, 0}}, pem);
}

Status parse_own_certificate(LabKeys& keys, Slice pem, const char*& reason) {
    Status status = parse_certificate(pem, keys.certificate);
    if (status != Status::ok) {
        return refuse(status, "the certificate file holds no readable certificate", reason);
    }
    if (keys.certificate.raw.len > lab_body_size_max) {
        reason = "the certificate is larger than a message can be";
        return Status::invalid;
    }
    const int pair = mbedtls_pk_check_pair(&keys.certificate.pk, &keys.key, crypto_rng, nullptr);
    if (pair == 0) return Status::ok;
    status = status_of_library(pair);
    if (status == Status::failed) return refuse(status, "", reason);
    reason = "the key does not belong to the certificate";
    return Status::absent;
}

Status load_certificate(LabKeys& keys, Slice given, Slice key_pem, const char*& reason) {
    if (given.size > 0) return parse_own_certificate(keys, given, reason);
    uint8_t bytes[certificate_pem_size_max];
    Writer pem = writer_of(bytes, sizeof bytes);
    const Status status = make_certificate(key_pem, pem);
    if (status != Status::ok) {
        return refuse(status, "no certificate can be made: is the clock set?", reason);
    }
    return parse_own_certificate(keys, writer_slice(pem), reason);
}

Status load_ca(LabKeys& keys, Slice pem, const char*& reason) {
    if (pem.size == 0) return Status::ok;
    const Status status = parse_certificate(pem, keys.ca);
    if (status != Status::ok) {
        return refuse(status, "the CA file holds no readable certificate", reason);
    }
    keys.has_ca = true;
    return Status::ok;
}

Status load_with_key(LabKeys& keys, Slice key_pem, const LabFiles& files, const char*& reason) {
    Status status = load_key(keys, key_pem, reason);
    if (status != Status::ok || !keys.ops->needs_certificate) return status;
    status = load_certificate(keys, files.certificate, key_pem, reason);
    return status == Status::ok ? load_ca(keys, files.ca, reason) : status;
}

Status load(LabKeys& keys, const LabFiles& files, const char*& reason) {
    if (files.pin != nullptr) keys.pin = *files.pin;
    keys.has_pin = files.pin != nullptr;
    if (keys.ops->needs_passphrase) {
        const Status status = load_passphrase(keys, files.passphrase, reason);
        if (status != Status::ok) return status;
    }
    if (!keys.ops->needs_key) return Status::ok;
    if (files.key.size > 0) return load_with_key(keys, files.key, files, reason);
    if (keys.ops->needs_certificate && files.certificate.size > 0) {
        reason = "there is a certificate, and no key that belongs to it";
        return Status::absent;
    }
    uint8_t bytes[key_pem_size_max];
    Writer pem = writer_of(bytes, sizeof bytes);
    Status status = lab_key_make(pem);
    if (status != Status::ok) status = refuse(Status::failed, "", reason);
    if (status == Status::ok) status = load_with_key(keys, writer_slice(pem), files, reason);
    wipe(bytes, sizeof bytes);
    return status;
}

// Does a step with the own private key, by a copy of it. The library blinds such steps with numbers
// that it keeps in the key, and when memory or randomness ends half-way they are wrong ever after.
// Sessions on several workers do not wait for each other, either.
template <typename Step>
int with_private_key(const LabSession& session, Step step) {
    mbedtls_rsa_context rsa;
    mbedtls_rsa_init(&rsa);
    int answer = mbedtls_rsa_copy(&rsa, mbedtls_pk_rsa(session.keys->key));
    if (answer == 0) answer = step(rsa);
    mbedtls_rsa_free(&rsa);
    return answer;
}

// Keeps the numbers of a key, when its bytes are the only ones that stand for it.
Status take_numbers(mbedtls_pk_context& pk, Slice spki, LabPeerKey& out) {
    if (mbedtls_pk_get_type(&pk) != MBEDTLS_PK_RSA) return Status::invalid;
    const mbedtls_rsa_context& rsa = *mbedtls_pk_rsa(pk);
    const Status status = rsa_public_numbers(rsa, out.modulus, sizeof out.modulus, out.exponent);
    if (status != Status::ok) return status;
    if ((out.exponent[sizeof out.exponent - 1] & 1) == 0) return Status::invalid;
    uint8_t bytes[lab_spki_size_max];
    const int size = mbedtls_pk_write_pubkey_der(&pk, bytes, sizeof bytes);
    if (size < 0) return status_of_library(size);
    const Slice again = {bytes + sizeof bytes - size, static_cast<uint32_t>(size)};
    return slice_equal(again, spki) ? Status::ok : Status::invalid;
}

Status parse_numbers(Slice spki, LabPeerKey& out) {
    if (spki.size == 0 || spki.size > lab_spki_size_max) return Status::invalid;
    unsigned char* at = const_cast<unsigned char*>(spki.data);  // The library only reads it.
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    Status status = status_of_library(mbedtls_pk_parse_subpubkey(&at, spki.data + spki.size, &pk));
    if (status == Status::ok) status = take_numbers(pk, spki, out);
    mbedtls_pk_free(&pk);
    return status;
}

}  // namespace

Status lab_config_load(LabConfig& config, const LabOps& ops, LabEnd end, const LabFiles& files,
                       const char*& reason) {
    CHECK(!config.loaded);
    memset(config.state, 0, sizeof config.state);
    LabKeys& keys = lab_keys(config);
    mbedtls_pk_init(&keys.key);
    mbedtls_x509_crt_init(&keys.certificate);
    mbedtls_x509_crt_init(&keys.ca);
    keys.ops = &ops;
    keys.end = end;
    config.loaded = true;
    const Status status = load(keys, files, reason);
    if (status != Status::ok) lab_config_free(config);
    return status;
}

void lab_config_free(LabConfig& config) {
    if (!config.loaded) return;
    LabKeys& keys = lab_keys(config);
    mbedtls_pk_free(&keys.key);
    mbedtls_x509_crt_free(&keys.certificate);
    mbedtls_x509_crt_free(&keys.ca);
    wipe(&config, sizeof config);
}

Hash lab_config_fingerprint(const LabConfig& config) {
    CHECK(config.loaded);
    return lab_keys(config).fingerprint;
}

Status lab_key_make(Writer& pem) { return rsa_make_key(lab_key_bits, pem); }

Status lab_peer_key_parse(LabSession& session, Slice spki, LabPeerKey& out) {
    const Status status = parse_numbers(spki, out);
    if (status == Status::failed) return lab_fail(session, LabFailure::memory);
    if (status != Status::ok) return lab_fail(session, LabFailure::key);
    out.fingerprint = hash_of(spki);
    const LabKeys& keys = *session.keys;
    if (keys.end != LabEnd::client || !keys.has_pin) return Status::ok;
    return hash_equal(out.fingerprint, keys.pin) ? Status::ok : lab_fail(session, LabFailure::pin);
}

namespace {

// Whether a certificate that says what it is for is for the other end (RFC 5280, 4.2.1.12).
int judge_purpose(const mbedtls_x509_crt& certificate, LabEnd own_end) {
    const bool is_client = own_end == LabEnd::server;
    return is_client ? mbedtls_x509_crt_check_extended_key_usage(
                           &certificate, MBEDTLS_OID_CLIENT_AUTH,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH))
                     : mbedtls_x509_crt_check_extended_key_usage(
                           &certificate, MBEDTLS_OID_SERVER_AUTH,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
}

}  // namespace

Status lab_certificate_parse(LabSession& session, Slice der, LabPeerKey& out) {
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    LabKeys& keys = *session.keys;
    uint32_t flags = 0;
    int answer = mbedtls_x509_crt_parse_der(&certificate, der.data, der.size);
    const bool whole = answer == 0 && certificate.raw.len == der.size;
    if (whole && keys.has_ca) {
        answer = mbedtls_x509_crt_verify_with_profile(&certificate, &keys.ca, nullptr, &profile,
                                                      nullptr, &flags, nullptr, nullptr);
    }
    if (whole && answer == 0 && keys.has_ca) answer = judge_purpose(certificate, keys.end);
    Status status = Status::ok;
    if (answer != 0) {
        status = fail_library(session, answer, LabFailure::certificate);
    } else if (!whole) {
        status = lab_fail(session, LabFailure::certificate);
    } else {
        const mbedtls_x509_buf& spki = certificate.pk_raw;
        status = lab_peer_key_parse(session, {spki.p, static_cast<uint32_t>(spki.len)}, out);
    }
    mbedtls_x509_crt_free(&certificate);
    return status;
}

Status lab_sign(LabSession& session, const Hash& hash, Writer& out) {
    uint8_t signature[lab_block_size];
    const int answer = with_private_key(session, [&](mbedtls_rsa_context& rsa) {
        return rsa_sign(rsa, hash.bytes, signature);
    });
    if (answer != 0) return lab_fail(session, LabFailure::memory);
    put_bytes(out, {signature, sizeof signature});
    return Status::ok;
}

Status lab_verify(LabSession& session, const LabPeerKey& key, const Hash& hash, Slice signature) {
    if (signature.size != lab_block_size) return lab_fail(session, LabFailure::length);
    mbedtls_rsa_context rsa;
    mbedtls_rsa_init(&rsa);
    const Status opened = rsa_open_public({key.modulus, sizeof key.modulus}, key.exponent, rsa);
    int answer = 0;
    if (opened == Status::ok) answer = rsa_verify(rsa, hash.bytes, signature.data);
    mbedtls_rsa_free(&rsa);
    // The numbers were those of a key before.
    if (opened != Status::ok) return lab_fail(session, LabFailure::memory);
    return answer == 0 ? Status::ok : fail_library(session, answer, LabFailure::signature);
}

Status lab_oaep_seal(LabSession& session, const LabPeerKey& key, Slice plain, Writer& out) {
    CHECK(plain.size <= lab_oaep_size_max);
    uint8_t block[lab_block_size];
    mbedtls_rsa_context rsa;
    mbedtls_rsa_init(&rsa);
    const Status opened = rsa_open_public({key.modulus, sizeof key.modulus}, key.exponent, rsa);
    const bool sealed = opened == Status::ok && rsa_seal_block(rsa, plain, block) == 0;
    mbedtls_rsa_free(&rsa);
    if (!sealed) return lab_fail(session, LabFailure::memory);
    put_bytes(out, {block, sizeof block});
    return Status::ok;
}

Status lab_oaep_open(LabSession& session, Slice block, Writer& plain) {
    if (block.size != lab_block_size) return lab_fail(session, LabFailure::length);
    uint8_t bytes[lab_block_size];  // The library may write all of it.
    uint32_t size = 0;
    const int answer = with_private_key(session, [&](mbedtls_rsa_context& rsa) {
        return rsa_unseal_block(rsa, block.data, bytes, sizeof bytes, size);
    });
    if (answer == 0) put_bytes(plain, {bytes, size});
    wipe(bytes, sizeof bytes);
    return answer == 0 ? Status::ok : fail_library(session, answer, LabFailure::sealing);
}
