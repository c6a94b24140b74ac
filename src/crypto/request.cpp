#include "crypto/request.h"

#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform.h>
#include <mbedtls/x509_csr.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/random.h"
#include "crypto/x509_parts.h"

// The library's own reading of requests refuses an empty subject and looks into extensions that
// nobody here wants, so the few tags that count are taken by hand:
//
//     CertificationRequest ::= SEQUENCE { info, signatureAlgorithm, signature BIT STRING }
//     info ::= SEQUENCE { version 0, subject, subjectPublicKeyInfo, [0] attributes }

namespace {

constexpr uint32_t der_size_max = 2048;  // bytes of a request that is made here
constexpr uint32_t rsa_bits_min = 2048;
static_assert(MBEDTLS_MPI_MAX_SIZE * 8 == 4096, "the library reads no longer key of RSA (R1)");

constexpr const char* not_a_request = "it is not a certificate request";
constexpr const char* refused_kind =
    "its key is of a kind that is refused; P-256, P-384 and RSA of 2048 to 4096 bits are taken";
constexpr const char* no_memory = "there is no memory for it";

// One request while it is judged. What points points into the DER text.
struct Parts {
    Slice info;
    Slice signature;
    mbedtls_md_type_t md;
    mbedtls_pk_type_t algorithm;
    char name[certificate_name_size_max + 1];
    uint32_t name_count;
};

Status refuse(const char*& reason, const char* why) {
    reason = why;
    return Status::invalid;
}

// Opens what is inside a tag: `inner_end` is where that ends. False for another tag.
bool open_tag(unsigned char** at, const unsigned char* end, int tag,
              const unsigned char*& inner_end) {
    size_t size = 0;
    if (mbedtls_asn1_get_tag(at, end, &size, tag) != 0) return false;
    inner_end = *at + size;
    return true;
}

constexpr int tag_sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
constexpr int tag_set = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET;
constexpr int tag_attributes = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_CONTEXT_SPECIFIC;

// One type and value of a name. False for what is none.
bool take_part(unsigned char** at, const unsigned char* end, Parts& parts, const char*& reason) {
    const unsigned char* part_end = nullptr;
    if (!open_tag(at, end, tag_sequence, part_end)) return false;
    mbedtls_asn1_buf oid = {};
    if (mbedtls_asn1_get_tag(at, part_end, &oid.len, MBEDTLS_ASN1_OID) != 0) return false;
    oid.p = *at;
    *at += oid.len;
    if (*at == part_end) return false;
    (*at)++;  // Whatever type of text it is: names are bytes here.
    size_t size = 0;
    if (mbedtls_asn1_get_len(at, part_end, &size) != 0) return false;
    if (*at + size != part_end) return false;
    const unsigned char* value = *at;
    *at += size;
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &oid) != 0) return true;
    parts.name_count++;
    if (size == 0 || size > certificate_name_size_max || memchr(value, 0, size) != nullptr) {
        reason = "its common name is no name";
        return false;
    }
    memcpy(parts.name, value, size);
    return true;
}

Status take_subject(unsigned char** at, const unsigned char* end, Parts& parts,
                    const char*& reason) {
    reason = not_a_request;
    while (*at < end) {
        const unsigned char* set_end = nullptr;
        if (!open_tag(at, end, tag_set, set_end)) return Status::invalid;
        while (*at < set_end) {
            if (!take_part(at, set_end, parts, reason)) return Status::invalid;
        }
    }
    if (parts.name_count > 1) return refuse(reason, "it has more than one common name");
    return Status::ok;
}

// Whether a key is one that certificates may be for (R1).
Status judge_key(const mbedtls_pk_context& key, const char*& reason) {
    if (mbedtls_pk_can_do(&key, MBEDTLS_PK_ECDSA) == 1) return Status::ok;  // No other parses.
    if (mbedtls_pk_can_do(&key, MBEDTLS_PK_RSA) != 1) return refuse(reason, refused_kind);
    if (mbedtls_pk_get_bitlen(&key) >= rsa_bits_min) return Status::ok;
    return refuse(reason, "its key is too weak");
}

Status take_key(unsigned char** at, const unsigned char* end, mbedtls_pk_context& key,
                const char*& reason) {
    unsigned char* rest = *at;
    const unsigned char* key_end = nullptr;
    if (!open_tag(&rest, end, tag_sequence, key_end)) return refuse(reason, not_a_request);
    const int answer = mbedtls_pk_parse_subpubkey(at, key_end, &key);
    if (status_of_library(answer) == Status::failed) {
        reason = no_memory;
        return Status::failed;
    }
    if (answer != 0) return refuse(reason, refused_kind);
    if (*at != key_end) return refuse(reason, not_a_request);
    return judge_key(key, reason);
}

// Which hash and which kind of key the signature was made with. PSS has parameters of its own and
// no need here.
Status take_algorithm(unsigned char** at, const unsigned char* end, Parts& parts,
                      const char*& reason) {
    mbedtls_asn1_buf oid = {};
    mbedtls_asn1_buf parameters = {};
    if (mbedtls_asn1_get_alg(at, end, &oid, &parameters) != 0) {
        return refuse(reason, not_a_request);
    }
    const bool is_known = mbedtls_oid_get_sig_alg(&oid, &parts.md, &parts.algorithm) == 0 &&
                          parts.algorithm != MBEDTLS_PK_RSASSA_PSS;
    const bool is_strong = parts.md == MBEDTLS_MD_SHA256 || parts.md == MBEDTLS_MD_SHA384 ||
                           parts.md == MBEDTLS_MD_SHA512;
    if (is_known && is_strong) return Status::ok;
    return refuse(reason, "its signature is of a kind that is refused; ECDSA and RSA (PKCS #1 "
                          "v1.5) with SHA-256 or more are taken");
}

// Takes a whole request apart, the key into `key`.
Status take_parts(Slice der, mbedtls_pk_context& key, Parts& parts, const char*& reason) {
    unsigned char* at = const_cast<unsigned char*>(der.data);  // The library writes to none of it.
    const unsigned char* end = at + der.size;
    const unsigned char* inner_end = nullptr;
    const unsigned char* info_end = nullptr;
    const unsigned char* subject_end = nullptr;
    int version = 0;
    reason = not_a_request;
    if (!open_tag(&at, end, tag_sequence, inner_end) || inner_end != end) return Status::invalid;
    const unsigned char* info = at;
    if (!open_tag(&at, end, tag_sequence, info_end)) return Status::invalid;
    parts.info = {info, static_cast<uint32_t>(info_end - info)};
    if (mbedtls_asn1_get_int(&at, info_end, &version) != 0 || version != 0) return Status::invalid;
    if (!open_tag(&at, info_end, tag_sequence, subject_end)) return Status::invalid;
    Status status = take_subject(&at, subject_end, parts, reason);
    if (status != Status::ok) return status;
    status = take_key(&at, info_end, key, reason);
    if (status != Status::ok) return status;
    const unsigned char* attributes_end = info_end;
    reason = not_a_request;
    if (at != info_end && !open_tag(&at, info_end, tag_attributes, attributes_end)) {
        return Status::invalid;
    }
    if (attributes_end != info_end) return Status::invalid;
    at += info_end - at;
    status = take_algorithm(&at, end, parts, reason);
    if (status != Status::ok) return status;
    size_t size = 0;
    reason = not_a_request;
    if (mbedtls_asn1_get_bitstring_null(&at, end, &size) != 0) return Status::invalid;
    if (at + size != end) return Status::invalid;
    parts.signature = {at, static_cast<uint32_t>(size)};
    return Status::ok;
}

Status verify(mbedtls_pk_context& key, const Parts& parts, const char*& reason) {
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    const mbedtls_md_info_t* md = mbedtls_md_info_from_type(parts.md);
    CHECK(md != nullptr);
    int answer = mbedtls_md(md, parts.info.data, parts.info.size, hash);
    const bool fits = mbedtls_pk_can_do(&key, parts.algorithm) == 1;
    if (answer == 0 && fits) {
        answer = mbedtls_pk_verify(&key, parts.md, hash, mbedtls_md_get_size(md),
                                   parts.signature.data, parts.signature.size);
    }
    if (status_of_library(answer) == Status::failed) {
        reason = no_memory;
        return Status::failed;
    }
    if (answer != 0 || !fits) return refuse(reason, "its signature is forged");
    return Status::ok;
}

Status judge(Slice der, mbedtls_pk_context& key, RequestFacts& out, const char*& reason) {
    Parts parts = {};
    Status status = take_parts(der, key, parts, reason);
    if (status == Status::ok) status = verify(key, parts, reason);
    if (status != Status::ok) return status;
    Hash hash = {};
    status = key_hash_of(key, hash);
    reason = no_memory;
    if (status != Status::ok) return Status::failed;
    reason = nullptr;
    memcpy(out.name, parts.name, sizeof out.name);
    memcpy(out.key_hash, hash.bytes, sizeof out.key_hash);
    return Status::ok;
}

// Some old programs name it otherwise.
constexpr const char* edges[][2] = {
    {"-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"},
    {"-----BEGIN NEW CERTIFICATE REQUEST-----", "-----END NEW CERTIFICATE REQUEST-----"},
};

// Both are in the library's memory, since its heap is all that a server has beside its stack.
int read_pem(Slice pem, mbedtls_pem_context& out) {
    unsigned char* text = static_cast<unsigned char*>(mbedtls_calloc(1, size_t{pem.size} + 1));
    if (text == nullptr) return MBEDTLS_ERR_PEM_ALLOC_FAILED;
    memcpy(text, pem.data, pem.size);
    int answer = 0;
    for (const auto& edge : edges) {
        size_t used = 0;
        answer = mbedtls_pem_read_buffer(&out, edge[0], edge[1], text, nullptr, 0, &used);
        if (answer != MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT) break;
    }
    mbedtls_free(text);
    return answer;
}

}  // namespace

Status request_open(Slice pem, mbedtls_pk_context& key, RequestFacts& out, const char*& reason) {
    if (pem.size == 0) return refuse(reason, not_a_request);
    if (pem.size > request_pem_size_max) return refuse(reason, "it is too long");
    mbedtls_pem_context der;
    mbedtls_pem_init(&der);
    const int answer = read_pem(pem, der);
    Status status = Status::invalid;
    if (status_of_library(answer) == Status::failed) {
        reason = no_memory;
        status = Status::failed;
    } else if (answer != 0) {
        reason = not_a_request;
    } else {
        size_t size = 0;
        const unsigned char* bytes = mbedtls_pem_get_buffer(&der, &size);
        status = judge({bytes, static_cast<uint32_t>(size)}, key, out, reason);
    }
    mbedtls_pem_free(&der);
    return status;
}

Status request_read(Slice pem, RequestFacts& out, const char*& reason) {
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    const Status status = request_open(pem, key, out, reason);
    mbedtls_pk_free(&key);
    return status;
}

Status request_make(Slice key_pem, Slice name, Writer& pem) {
    Name parsed = {};
    if (name.size > 0 && parse_name(name, parsed) != Status::ok) return Status::invalid;
    mbedtls_x509write_csr csr;
    mbedtls_pk_context key;
    mbedtls_x509write_csr_init(&csr);
    mbedtls_pk_init(&key);
    Status status = parse_key(key_pem, key);
    if (status == Status::ok) {
        const char* reason = nullptr;
        status = judge_key(key, reason);
    }
    int answer = 0;
    if (status == Status::ok && name.size > 0) {
        uint8_t text[certificate_name_size_max + 4];
        Writer subject = writer_of(text, sizeof text);
        put_text(subject, "CN=");
        put_bytes(subject, name);
        put_u8(subject, 0);
        CHECK(!subject.overflow);
        answer = mbedtls_x509write_csr_set_subject_name(&csr, reinterpret_cast<char*>(text));
    }
    unsigned char der[der_size_max];  // The library fills it from its end.
    if (status == Status::ok && answer == 0) {
        mbedtls_x509write_csr_set_key(&csr, &key);
        mbedtls_x509write_csr_set_md_alg(&csr, MBEDTLS_MD_SHA256);
        answer = mbedtls_x509write_csr_der(&csr, der, sizeof der, crypto_rng, nullptr);
    }
    mbedtls_x509write_csr_free(&csr);
    mbedtls_pk_free(&key);
    if (status != Status::ok) return status;
    if (answer < 0) return Status::failed;  // With sound input only memory and randomness can miss.
    Writer text = pem;  // A copy, so that a refusal moves nothing.
    put_pem(text, "CERTIFICATE REQUEST",
            {der + sizeof der - answer, static_cast<uint32_t>(answer)});
    if (text.overflow) return Status::full;
    pem = text;
    return Status::ok;
}
