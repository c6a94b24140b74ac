#include "crypto/x509_parts.h"

#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/base64.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform.h>
#include <mbedtls/x509.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace {

constexpr uint32_t pem_line_bytes = 48;      // what one line of PEM carries
constexpr uint32_t text_size_max = 131072;   // bytes of a text that is read
constexpr uint64_t ms_per_day = 86'400'000;
constexpr uint64_t civil_ms_end = 253'402'300'800'000;  // 10000-01-01

void put_pem_edge(Writer& writer, const char* edge, const char* label) {
    put_text(writer, "-----");
    put_text(writer, edge);
    put_text(writer, " ");
    put_text(writer, label);
    put_text(writer, "-----\n");
}

// Where `edge` begins in a text from `from` on; its size when it does not.
uint32_t find_text(Slice text, uint32_t from, Slice edge) {
    for (uint32_t i = from; edge.size <= text.size && i <= text.size - edge.size; i++) {
        if (text.data[i] != edge.data[0]) continue;
        if (slice_equal(slice_part(text, i, edge.size), edge)) return i;
    }
    return text.size;
}

// The library wants a NUL behind a text. Returns nullptr without memory.
unsigned char* text_copy(Slice text) {
    unsigned char* copy = static_cast<unsigned char*>(mbedtls_calloc(1, size_t{text.size} + 1));
    if (copy != nullptr && text.size > 0) memcpy(copy, text.data, text.size);
    return copy;
}

void text_free(unsigned char* copy, Slice text) {
    wipe(copy, text.size);
    mbedtls_free(copy);
}

char* put_digits(char* out, uint32_t value, uint32_t count) {
    for (uint32_t i = count; i > 0; i--) {
        out[i - 1] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    return out + count;
}

Status signer_parse(const CertificateIssuer& issuer, X509Signer& out) {
    Status status = parse_certificate(issuer.certificate, out.certificate);
    if (status != Status::ok) return status;
    status = parse_key(issuer.key, out.key);
    if (status != Status::ok) return status;
    if (mbedtls_x509_crt_get_ca_istrue(&out.certificate) != 1) return Status::invalid;
    return status_of_library(
        mbedtls_pk_check_pair(&out.certificate.pk, &out.key, crypto_rng, nullptr));
}

}  // namespace

Status status_of_library(int answer) {
    if (answer == 0) return Status::ok;
    // A code is the sum of two: the module's own and that of what it called.
    const int high = -(-answer & 0x7f80);
    const int low = -(-answer & 0x7f);
    switch (low) {
        case MBEDTLS_ERR_ASN1_BUF_TOO_SMALL: return Status::full;
        case MBEDTLS_ERR_ASN1_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_MPI_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_ENTROPY_SOURCE_FAILED: return Status::failed;
        default: break;
    }
    switch (high) {
        case MBEDTLS_ERR_X509_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_PK_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_PEM_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_MD_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_ECP_ALLOC_FAILED: return Status::failed;
        case MBEDTLS_ERR_ECP_RANDOM_FAILED: return Status::failed;
        default: return Status::invalid;
    }
}

void put_pem(Writer& writer, const char* label, Slice der) {
    put_pem_edge(writer, "BEGIN", label);
    for (uint32_t from = 0; from < der.size; from += pem_line_bytes) {
        const Slice part = slice_part(der, from, pem_line_bytes);
        unsigned char line[pem_line_bytes / 3 * 4 + 1];  // and the NUL that the library adds
        size_t size = 0;
        const int answer = mbedtls_base64_encode(line, sizeof line, &size, part.data, part.size);
        CHECK(answer == 0);
        put_bytes(writer, {line, static_cast<uint32_t>(size)});
        put_text(writer, "\n");
        wipe(line, sizeof line);
    }
    put_pem_edge(writer, "END", label);
}

Status pem_cut(Slice text, const char* label, Slice& out) {
    uint8_t first[64];
    uint8_t last[64];
    Writer begin = writer_of(first, sizeof first);
    Writer end = writer_of(last, sizeof last);
    put_pem_edge(begin, "BEGIN", label);
    put_pem_edge(end, "END", label);
    CHECK(!begin.overflow && !end.overflow);
    begin.size--;  // Others may end their lines otherwise.
    end.size--;
    const uint32_t from = find_text(text, 0, writer_slice(begin));
    const uint32_t to = find_text(text, from, writer_slice(end));
    if (to >= text.size) return Status::absent;
    uint32_t size = to + end.size - from;
    if (from + size < text.size && text.data[from + size] == '\n') size++;
    out = slice_part(text, from, size);
    return Status::ok;
}

Status parse_key(Slice pem, mbedtls_pk_context& out) {
    if (pem.size == 0 || pem.size > certificate_key_pem_size_max) return Status::invalid;
    unsigned char* text = text_copy(pem);
    if (text == nullptr) return Status::failed;
    const int answer = mbedtls_pk_parse_key(&out, text, size_t{pem.size} + 1, nullptr, 0,
                                            crypto_rng, nullptr);
    text_free(text, pem);
    return status_of_library(answer);
}

Status parse_certificate(Slice pem, mbedtls_x509_crt& out) {
    if (pem.size == 0 || pem.size > text_size_max) return Status::invalid;
    unsigned char* text = text_copy(pem);
    if (text == nullptr) return Status::failed;
    const int answer = mbedtls_x509_crt_parse(&out, text, size_t{pem.size} + 1);
    text_free(text, pem);
    if (answer > 0) return Status::invalid;  // How many of several certificates were not sound.
    return status_of_library(answer);
}

Status signer_open(const CertificateIssuer& issuer, X509Signer& out) {
    mbedtls_x509_crt_init(&out.certificate);
    mbedtls_pk_init(&out.key);
    const Status status = signer_parse(issuer, out);
    if (status != Status::ok) signer_close(out);
    return status;
}

void signer_close(X509Signer& signer) {
    mbedtls_x509_crt_free(&signer.certificate);
    mbedtls_pk_free(&signer.key);
}

Status key_id_of(const mbedtls_pk_context& key, KeyId& out) {
    unsigned char bytes[MBEDTLS_MPI_MAX_SIZE + 32];  // a public key of RSA at most
    unsigned char* at = bytes + sizeof bytes;
    const int size = mbedtls_pk_write_pubkey(&at, bytes, &key);
    if (size < 0) return status_of_library(size);
    const Hash hash = hash_of({at, static_cast<uint32_t>(size)});
    memcpy(out.bytes, hash.bytes, key_id_size);
    out.size = key_id_size;
    return Status::ok;
}

Status key_hash_of(const mbedtls_pk_context& key, Hash& out) {
    unsigned char bytes[MBEDTLS_MPI_MAX_SIZE + 64];  // a public key of RSA at most
    // The library only reads the key, and writes from the end of the buffer.
    const int size = mbedtls_pk_write_pubkey_der(&key, bytes, sizeof bytes);
    if (size < 0) return status_of_library(size);
    out = hash_of({bytes + sizeof bytes - size, static_cast<uint32_t>(size)});
    return Status::ok;
}

Status key_id_of_signer(const X509Signer& signer, KeyId& out) {
    const mbedtls_x509_buf& own = signer.certificate.subject_key_id;
    if (own.len == 0 || own.len > key_id_size_max) return key_id_of(signer.key, out);
    memcpy(out.bytes, own.p, own.len);
    out.size = static_cast<uint32_t>(own.len);
    return Status::ok;
}

Status format_civil_time(uint64_t wall_ms, char out[civil_time_size + 1]) {
    if (wall_ms >= civil_ms_end) return Status::invalid;
    const CivilTime time = civil_time_of(wall_ms / 1000);
    char* at = put_digits(out, static_cast<uint32_t>(time.year), 4);
    at = put_digits(at, time.month, 2);
    at = put_digits(at, time.day, 2);
    at = put_digits(at, time.hour, 2);
    at = put_digits(at, time.minute, 2);
    at = put_digits(at, time.second, 2);
    *at = '\0';
    CHECK(at == out + civil_time_size);
    return Status::ok;
}

uint64_t civil_time_ms(const mbedtls_x509_time& time) {
    if (time.year < 1970) return 0;
    const int64_t days = civil_days_of(time.year, time.mon, time.day);
    const int64_t second = int64_t{time.hour} * 3600 + int64_t{time.min} * 60 + time.sec;
    return static_cast<uint64_t>(days) * ms_per_day + static_cast<uint64_t>(second) * 1000;
}
