#include "crypto/revocation.h"

#include <string.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform.h>
#include <mbedtls/x509_crl.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/x509_parts.h"

// DER is written from its end to its beginning, so each function below reads from the bottom up:
//
//     CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature BIT STRING }
//     tbsCertList ::= SEQUENCE { version 1, signature, issuer, thisUpdate, nextUpdate,
//                                revokedCertificates OPTIONAL, [0] { AKI, CRL number } }

namespace {

constexpr uint32_t row_der_size_max = 2 + 2 + certificate_serial_size_max + 1 + 17;  // bytes
constexpr uint32_t list_der_size_max = 1024;  // bytes around the rows: names, key id, signature
constexpr uint32_t pem_edges_size = 64;
constexpr uint64_t ms_per_day = 86'400'000;
constexpr uint32_t text_size_max = 131072;    // bytes of a text that is read

// Where the next part ends, and the first byte that may be used. `answer` keeps the first failure.
struct DerWriter {
    unsigned char* at;
    unsigned char* start;
    int answer;
};

uint32_t der_size(const DerWriter& der, const unsigned char* end) {
    return static_cast<uint32_t>(end - der.at);
}

bool der_take(DerWriter& der, int answer) {
    if (der.answer == 0 && answer < 0) der.answer = answer;
    return der.answer == 0;
}

void der_bytes(DerWriter& der, Slice bytes) {
    if (der.answer != 0) return;
    der_take(der, mbedtls_asn1_write_raw_buffer(&der.at, der.start, bytes.data, bytes.size));
}

// Puts length and tag in front of all that was written since `end`.
void der_wrap(DerWriter& der, const unsigned char* end, unsigned char tag) {
    if (der.answer != 0) return;
    const uint32_t size = der_size(der, end);
    if (!der_take(der, mbedtls_asn1_write_len(&der.at, der.start, size))) return;
    der_take(der, mbedtls_asn1_write_tag(&der.at, der.start, tag));
}

constexpr unsigned char tag_sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;

// RFC 5280, section 5.1.2.4: two digits of the year up to 2049, four from then on.
void der_time(DerWriter& der, const char civil[civil_time_size + 1]) {
    uint8_t text[civil_time_size + 1];
    Writer writer = writer_of(text, sizeof text);
    const Slice digits = slice_of(civil);
    const bool is_short = slice_compare(digits, slice_of("2050")) < 0;
    put_bytes(writer, slice_part(digits, is_short ? 2 : 0, civil_time_size));
    put_u8(writer, 'Z');
    CHECK(!writer.overflow);
    if (der.answer != 0) return;
    der_take(der, mbedtls_asn1_write_tagged_string(
                      &der.at, der.start,
                      is_short ? MBEDTLS_ASN1_UTC_TIME : MBEDTLS_ASN1_GENERALIZED_TIME,
                      reinterpret_cast<const char*>(text), writer.size));
}

// A positive integer in its shortest form.
void der_number(DerWriter& der, Slice bytes) {
    while (bytes.size > 1 && bytes.data[0] == 0) bytes = slice_part(bytes, 1, bytes.size);
    const unsigned char* end = der.at;
    der_bytes(der, bytes);
    constexpr uint8_t zero = 0;
    if (bytes.data[0] >= 0x80) der_bytes(der, {&zero, 1});
    der_wrap(der, end, MBEDTLS_ASN1_INTEGER);
}

void der_algorithm(DerWriter& der, const mbedtls_pk_context& key) {
    const bool is_ec = mbedtls_pk_can_do(&key, MBEDTLS_PK_ECDSA) == 1;
    const char* oid = nullptr;
    size_t size = 0;
    if (!der_take(der, mbedtls_oid_get_oid_by_sig_alg(is_ec ? MBEDTLS_PK_ECDSA : MBEDTLS_PK_RSA,
                                                      MBEDTLS_MD_SHA256, &oid, &size))) {
        return;
    }
    der_take(der, mbedtls_asn1_write_algorithm_identifier_ext(&der.at, der.start, oid, size, 0,
                                                              is_ec ? 0 : 1));
}

void der_extension(DerWriter& der, const unsigned char* end, const char* oid, size_t oid_size) {
    der_wrap(der, end, MBEDTLS_ASN1_OCTET_STRING);
    if (der.answer == 0) der_take(der, mbedtls_asn1_write_oid(&der.at, der.start, oid, oid_size));
    der_wrap(der, end, tag_sequence);
}

void der_extensions(DerWriter& der, const KeyId& key_id, uint64_t number) {
    uint8_t number_bytes[8];
    for (uint32_t i = 0; i < 8; i++) number_bytes[i] = static_cast<uint8_t>(number >> (56 - 8 * i));
    const unsigned char* all_end = der.at;
    der_number(der, {number_bytes, 8});
    der_extension(der, all_end, MBEDTLS_OID_CRL_NUMBER, MBEDTLS_OID_SIZE(MBEDTLS_OID_CRL_NUMBER));
    const unsigned char* end = der.at;
    der_bytes(der, {key_id.bytes, key_id.size});
    der_wrap(der, end, MBEDTLS_ASN1_CONTEXT_SPECIFIC);  // [0] keyIdentifier
    der_wrap(der, end, tag_sequence);
    der_extension(der, end, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER,
                  MBEDTLS_OID_SIZE(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER));
    der_wrap(der, all_end, tag_sequence);
    der_wrap(der, all_end, MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED);
}

Status der_rows(DerWriter& der, const RevocationRow* rows, uint32_t row_count) {
    const unsigned char* all_end = der.at;
    for (uint32_t i = row_count; i > 0; i--) {
        const RevocationRow& row = rows[i - 1];
        if (row.serial_size == 0) return Status::invalid;
        if (row.serial_size > certificate_serial_size_max) return Status::invalid;
        char civil[civil_time_size + 1];
        if (format_civil_time(row.wall_ms, civil) != Status::ok) return Status::invalid;
        const unsigned char* end = der.at;
        der_time(der, civil);
        der_number(der, {row.serial, row.serial_size});
        der_wrap(der, end, tag_sequence);
    }
    if (row_count > 0) der_wrap(der, all_end, tag_sequence);
    return Status::ok;
}

// Writes tbsCertList.
Status der_list(DerWriter& der, const X509Signer& signer, uint64_t wall_ms, uint32_t days,
                const RevocationRow* rows, uint32_t row_count) {
    const mbedtls_x509_crt& issuer = signer.certificate;
    KeyId key_id = {};
    Status status = key_id_of_signer(signer, key_id);
    if (status != Status::ok) return status;
    char now[civil_time_size + 1];
    char next[civil_time_size + 1];
    uint64_t next_ms = civil_time_ms(issuer.valid_to);
    const uint64_t asked_ms = wall_ms / 1000 * 1000 + days * ms_per_day;
    if (days > 0 && asked_ms < next_ms) next_ms = asked_ms;
    if (next_ms < wall_ms) return Status::invalid;
    if (format_civil_time(wall_ms, now) != Status::ok) return Status::invalid;
    if (format_civil_time(next_ms, next) != Status::ok) return Status::invalid;

    const unsigned char* end = der.at;
    der_extensions(der, key_id, wall_ms / 1000);
    status = der_rows(der, rows, row_count);
    if (status != Status::ok) return status;
    der_time(der, next);
    der_time(der, now);
    der_bytes(der, {issuer.subject_raw.p, static_cast<uint32_t>(issuer.subject_raw.len)});
    if (der.answer == 0) der_algorithm(der, signer.key);
    if (der.answer == 0) der_take(der, mbedtls_asn1_write_int(&der.at, der.start, 1));  // version 2
    der_wrap(der, end, tag_sequence);
    return status_of_library(der.answer);
}

// Signs `list` and puts the whole, `list` included, in front of der.at.
Status der_signed(DerWriter& der, X509Signer& signer, Slice list) {
    const Hash hash = hash_of(list);
    unsigned char signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t size = 0;
    const int answer = mbedtls_pk_sign(&signer.key, MBEDTLS_MD_SHA256, hash.bytes, hash_size,
                                       signature, sizeof signature, &size, crypto_rng, nullptr);
    if (answer != 0) return Status::failed;
    const unsigned char* end = der.at;
    der_take(der, mbedtls_asn1_write_bitstring(&der.at, der.start, signature, 8 * size));
    if (der.answer == 0) der_algorithm(der, signer.key);
    der_bytes(der, list);
    der_wrap(der, end, tag_sequence);
    return status_of_library(der.answer);
}

Status crl_parse(Slice pem, mbedtls_x509_crl& out) {
    if (pem.size == 0 || pem.size > text_size_max) return Status::invalid;
    const size_t size = size_t{pem.size} + 1;  // The library wants a NUL behind a text.
    unsigned char* text = static_cast<unsigned char*>(mbedtls_calloc(1, size));
    if (text == nullptr) return Status::failed;
    memcpy(text, pem.data, pem.size);
    const int answer = mbedtls_x509_crl_parse(&out, text, size);
    mbedtls_free(text);
    return status_of_library(answer);
}

Status rows_copy(const mbedtls_x509_crl& crl, RevocationRow* rows, uint32_t row_max,
                 uint32_t& out_count) {
    uint32_t count = 0;
    for (const mbedtls_x509_crl_entry* entry = &crl.entry; entry != nullptr; entry = entry->next) {
        if (entry->raw.len == 0) continue;  // The first one is there even in an empty list.
        if (count == row_max) return Status::full;
        if (entry->serial.len == 0) return Status::invalid;
        if (entry->serial.len > certificate_serial_size_max) return Status::invalid;
        RevocationRow& row = rows[count++];
        row = {};
        memcpy(row.serial, entry->serial.p, entry->serial.len);
        row.serial_size = static_cast<uint32_t>(entry->serial.len);
        row.wall_ms = civil_time_ms(entry->revocation_date);
    }
    out_count = count;
    return Status::ok;
}

}  // namespace

uint32_t revocation_pem_size(uint32_t row_count) {
    CHECK(row_count <= revocation_rows_max);
    return 2 * (list_der_size_max + row_count * row_der_size_max) + pem_edges_size;
}

Status revocation_make(const CertificateIssuer& issuer, uint64_t wall_ms, uint32_t days,
                       const RevocationRow* rows, uint32_t row_count, Writer& pem) {
    const uint32_t room = writer_room(pem);
    if (room < revocation_pem_size(row_count)) return Status::full;
    X509Signer signer;
    Status status = signer_open(issuer, signer);
    if (status != Status::ok) return status;

    // The room is scratch: the list is made at its far end and moved to its beginning, the whole is
    // made at the far end, and the PEM text overwrites it from the beginning.
    unsigned char* start = pem.data + pem.size;
    unsigned char* end = start + room;
    DerWriter der = {end, start, 0};
    status = der_list(der, signer, wall_ms, days, rows, row_count);
    if (status == Status::ok) {
        const uint32_t list_size = der_size(der, end);
        memmove(start, der.at, list_size);
        der = {end, start + list_size, 0};
        status = der_signed(der, signer, {start, list_size});
    }
    signer_close(signer);
    if (status != Status::ok) return status;
    Writer text = pem;  // A copy, so that a refusal moves nothing.
    put_pem(text, "X509 CRL", {der.at, der_size(der, end)});
    if (text.overflow) return Status::full;
    pem = text;
    return Status::ok;
}

Status revocation_next(Reader& lists, Slice& out) {
    const Slice rest = reader_rest(lists);
    Slice found = {};
    const Status status = pem_cut(rest, "X509 CRL", found);
    if (status != Status::ok) return status;
    lists.offset += static_cast<uint32_t>(found.data - rest.data) + found.size;
    out = found;
    return Status::ok;
}

Status revocation_facts(Slice pem, RevocationFacts& out) {
    mbedtls_x509_crl crl;
    mbedtls_x509_crl_init(&crl);
    const Status status = crl_parse(pem, crl);
    if (status == Status::ok) {
        out = {};
        const Hash issuer = hash_of({crl.issuer_raw.p, static_cast<uint32_t>(crl.issuer_raw.len)});
        memcpy(out.issuer_hash, issuer.bytes, sizeof out.issuer_hash);
        out.this_update_ms = civil_time_ms(crl.this_update);
        if (crl.next_update.year > 0) out.next_update_ms = civil_time_ms(crl.next_update);
        const mbedtls_x509_crl_entry* entry = &crl.entry;
        for (; entry != nullptr; entry = entry->next) {
            if (entry->raw.len > 0) out.row_count++;
        }
    }
    mbedtls_x509_crl_free(&crl);
    return status;
}

Status revocation_read(Slice pem, RevocationRow* rows, uint32_t row_max, uint32_t& out_count) {
    mbedtls_x509_crl crl;
    mbedtls_x509_crl_init(&crl);
    Status status = crl_parse(pem, crl);
    if (status == Status::ok) status = rows_copy(crl, rows, row_max, out_count);
    mbedtls_x509_crl_free(&crl);
    return status;
}
