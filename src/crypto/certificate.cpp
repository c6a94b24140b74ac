#include "crypto/certificate.h"

#include <string.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/random.h"
#include "crypto/x509_parts.h"

namespace {

constexpr uint64_t ms_per_hour = 3'600'000;
constexpr uint64_t ms_per_day = 24 * ms_per_hour;
constexpr uint32_t serial_size = 16;    // bytes; E1
constexpr uint32_t der_size_max = 4096;  // bytes of a certificate that is made here
constexpr uint32_t key_der_size_max = 256;  // bytes of a key on P-256
constexpr uint32_t label_size_max = 63;  // bytes between two dots of a DNS name

struct CertificateProfile {
    const char* organisation;  // O of the subject
    uint32_t days;             // of validity, from now
    bool is_authority;         // basicConstraints
    int path_length;           // authorities that may follow below it; -1 when it is none
    unsigned int key_usage;    // MBEDTLS_X509_KU_...
    const char* purpose;       // the one OID of extKeyUsage in DER, "" for none
    bool has_hosts;            // subjectAltName
};

#define PROFILE(field, ...) .field = __VA_ARGS__,
constexpr CertificateProfile profiles[] = {
    {
#include "certs/ca.def"
    },
    {
#include "certs/issuing.def"
    },
    {
#include "certs/server.def"
    },
    {
#include "certs/client.def"
    },
};
#undef PROFILE
static_assert(static_cast<uint32_t>(CertificateKind::authority) == 0);
static_assert(static_cast<uint32_t>(CertificateKind::issuing) == 1);
static_assert(static_cast<uint32_t>(CertificateKind::server) == 2);
static_assert(static_cast<uint32_t>(CertificateKind::client) == 3);
static_assert(sizeof profiles / sizeof profiles[0] == certificate_kind_count);

// All that must outlive the writing of one certificate, and be freed after it.
struct Draft {
    mbedtls_x509write_cert certificate;
    mbedtls_pk_context key;  // the subject's: private, or the public one of a request
    X509Signer signer;
    bool has_signer;
    KeyId own_id;
    KeyId signer_id;
    mbedtls_x509_san_list hosts[certificate_hosts_max];
    unsigned char addresses[certificate_hosts_max][16];
};

const CertificateProfile& profile_of(CertificateKind kind) {
    return profiles[static_cast<uint32_t>(kind)];
}

unsigned char* bytes_of(Slice slice) { return const_cast<unsigned char*>(slice.data); }

// Returns 4 or 16, or 0 for what is no address.
uint32_t address_parse(Slice host, unsigned char out[16]) {
    char text[certificate_host_size_max + 1] = {};
    if (host.size == 0 || host.size > certificate_host_size_max) return 0;
    memcpy(text, host.data, host.size);
    if (strlen(text) != host.size) return 0;
    return static_cast<uint32_t>(mbedtls_x509_crt_parse_cn_inet_pton(text, out));
}

bool label_is_valid(Slice label) {
    if (label.size == 0 || label.size > label_size_max) return false;
    if (label.data[0] == '-' || label.data[label.size - 1] == '-') return false;
    for (uint32_t i = 0; i < label.size; i++) {
        const uint8_t byte = label.data[i];
        const bool fine = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
        if (!fine) return false;
    }
    return true;
}

bool label_is_number(Slice label) {
    for (uint32_t i = 0; i < label.size; i++) {
        if (label.data[i] < '0' || label.data[i] > '9') return false;
    }
    return true;
}

bool dns_name_is_valid(Slice host) {
    if (host.size == 0 || host.size > certificate_host_size_max) return false;
    Reader rest = reader_of(host);
    Slice label = {};
    while (cut_word(rest, '.', label) == Status::ok) {
        if (!label_is_valid(label)) return false;
    }
    return !label_is_number(label);  // A last label of digits is an address gone wrong.
}

bool authority_name_is_valid(Slice name) {
    if (name.size == 0 || name.size > certificate_name_size_max) return false;
    if (name.data[0] == ' ' || name.data[name.size - 1] == ' ') return false;
    for (uint32_t i = 0; i < name.size; i++) {
        const uint8_t byte = name.data[i];
        const bool fine = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == ' ' || byte == '.' ||
                          byte == '-';
        if (!fine) return false;
    }
    return true;
}

// What passes has no byte that the library's text form of names would read as syntax.
bool name_is_valid(CertificateKind kind, Slice name) {
    if (name.size > certificate_name_size_max) return false;
    Name parsed = {};
    switch (kind) {
        case CertificateKind::authority: return authority_name_is_valid(name);
        case CertificateKind::issuing: return authority_name_is_valid(name);
        case CertificateKind::server: return certificate_host_is_valid(name);
        case CertificateKind::client: return parse_name(name, parsed) == Status::ok;
    }
    CHECK(false);
    return false;
}

Status request_check(const CertificateRequest& request) {
    if (!name_is_valid(request.kind, request.name)) return Status::invalid;
    if (request.wall_ms < ms_per_hour) return Status::invalid;
    const bool has_hosts = request.host_count > 0;
    if (has_hosts != profile_of(request.kind).has_hosts) return Status::invalid;
    if (request.host_count > certificate_hosts_max) return Status::invalid;
    for (uint32_t i = 0; i < request.host_count; i++) {
        if (!certificate_host_is_valid(request.hosts[i])) return Status::invalid;
    }
    return Status::ok;
}

// How many authorities a certificate allows for below itself; the library keeps the number to
// itself. 0 for none of an authority, UINT32_MAX without a bound.
uint32_t authorities_below(const mbedtls_x509_crt& certificate) {
    if (mbedtls_x509_crt_get_ca_istrue(&certificate) != 1) return 0;
    unsigned char* at = certificate.v3_ext.p;
    const unsigned char* end = at + certificate.v3_ext.len;
    constexpr int tag_sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    size_t size = 0;
    if (mbedtls_asn1_get_tag(&at, end, &size, tag_sequence) != 0) return 0;
    while (at < end) {
        mbedtls_asn1_buf oid = {};
        int flag = 0;
        if (mbedtls_asn1_get_tag(&at, end, &size, tag_sequence) != 0) return 0;
        const unsigned char* extension_end = at + size;
        if (mbedtls_asn1_get_tag(&at, extension_end, &oid.len, MBEDTLS_ASN1_OID) != 0) return 0;
        oid.p = at;
        at += oid.len;
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_BASIC_CONSTRAINTS, &oid) != 0) {
            at += extension_end - at;
            continue;
        }
        // critical, and then SEQUENCE { cA, pathLenConstraint OPTIONAL } in an OCTET STRING.
        if (mbedtls_asn1_get_bool(&at, extension_end, &flag) != 0 &&
            (at == extension_end || *at != MBEDTLS_ASN1_OCTET_STRING)) {
            return 0;
        }
        if (mbedtls_asn1_get_tag(&at, extension_end, &size, MBEDTLS_ASN1_OCTET_STRING) != 0 ||
            mbedtls_asn1_get_tag(&at, extension_end, &size, tag_sequence) != 0 ||
            mbedtls_asn1_get_bool(&at, extension_end, &flag) != 0) {
            return 0;
        }
        if (at == extension_end) return UINT32_MAX;
        int bound = 0;
        if (mbedtls_asn1_get_int(&at, extension_end, &bound) != 0 || bound < 0) return 0;
        return static_cast<uint32_t>(bound);
    }
    return 0;
}

// Opens who signs; the subject's key is there already.
Status draft_open(Draft& draft, const CertificateIssuer& issuer) {
    draft.has_signer = issuer.certificate.size > 0;
    if (draft.has_signer) {
        const Status status = signer_open(issuer, draft.signer);
        draft.has_signer = status == Status::ok;
        if (status != Status::ok) return status;
    }
    const Status status = key_id_of(draft.key, draft.own_id);
    if (status != Status::ok) return status;
    draft.signer_id = draft.own_id;
    return draft.has_signer ? key_id_of_signer(draft.signer, draft.signer_id) : Status::ok;
}

void draft_close(Draft& draft) {
    mbedtls_x509write_crt_free(&draft.certificate);
    mbedtls_pk_free(&draft.key);
    if (draft.has_signer) signer_close(draft.signer);
    wipe(&draft, sizeof draft);
}

// Names as the library wants them, "O=...,CN=...".
Status draft_set_names(Draft& draft, const CertificateRequest& request) {
    uint8_t text[512];
    Writer subject = writer_of(text, sizeof text);
    put_text(subject, "O=");
    put_text(subject, profile_of(request.kind).organisation);
    put_text(subject, ",CN=");
    put_bytes(subject, request.name);
    put_u8(subject, 0);
    CHECK(!subject.overflow);
    const char* name = reinterpret_cast<const char*>(text);
    int answer = mbedtls_x509write_crt_set_subject_name(&draft.certificate, name);
    if (answer != 0) return status_of_library(answer);

    char issuer[512];
    if (draft.has_signer) {
        answer = mbedtls_x509_dn_gets(issuer, sizeof issuer, &draft.signer.certificate.subject);
        if (answer < 0) return Status::invalid;
        name = issuer;
    }
    return status_of_library(mbedtls_x509write_crt_set_issuer_name(&draft.certificate, name));
}

Status draft_set_times(Draft& draft, const CertificateRequest& request) {
    const uint32_t days = request.days > 0 ? request.days : profile_of(request.kind).days;
    uint64_t last_ms = request.wall_ms + days * ms_per_day;
    if (draft.has_signer) {
        const uint64_t signer_last_ms = civil_time_ms(draft.signer.certificate.valid_to);
        if (last_ms > signer_last_ms) last_ms = signer_last_ms;
    }
    char first[civil_time_size + 1];
    char last[civil_time_size + 1];
    const uint64_t first_ms = request.wall_ms - ms_per_hour;  // E3
    if (request.wall_ms >= last_ms) return Status::invalid;
    if (format_civil_time(first_ms, first) != Status::ok) return Status::invalid;
    if (format_civil_time(last_ms, last) != Status::ok) return Status::invalid;
    return status_of_library(mbedtls_x509write_crt_set_validity(&draft.certificate, first, last));
}

Status draft_set_serial(Draft& draft) {
    uint8_t serial[serial_size];
    if (crypto_random(serial, serial_size) != Status::ok) return Status::failed;
    serial[0] = static_cast<uint8_t>((serial[0] & 0x3f) | 0x40);  // E1: positive, of one length
    return status_of_library(
        mbedtls_x509write_crt_set_serial_raw(&draft.certificate, serial, serial_size));
}

// basicConstraints, keyUsage and extKeyUsage: what the certificate is good for.
int draft_set_usage(Draft& draft, const CertificateProfile& profile) {
    mbedtls_x509write_cert* out = &draft.certificate;
    int answer = 0;
    if (profile.is_authority) {
        answer = mbedtls_x509write_crt_set_basic_constraints(out, 1, profile.path_length);
    } else {
        // The library marks this one critical for authorities only.
        constexpr unsigned char no_authority[] = {MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE,
                                                  0};
        answer = mbedtls_x509write_crt_set_extension(
            out, MBEDTLS_OID_BASIC_CONSTRAINTS, MBEDTLS_OID_SIZE(MBEDTLS_OID_BASIC_CONSTRAINTS), 1,
            no_authority, sizeof no_authority);
    }
    if (answer != 0) return answer;
    answer = mbedtls_x509write_crt_set_key_usage(out, profile.key_usage);
    if (answer != 0 || profile.purpose[0] == '\0') return answer;
    mbedtls_asn1_sequence purpose = {};
    const Slice oid = slice_of(profile.purpose);
    purpose.buf.tag = MBEDTLS_ASN1_OID;
    purpose.buf.p = bytes_of(oid);
    purpose.buf.len = oid.size;
    return mbedtls_x509write_crt_set_ext_key_usage(out, &purpose);
}

// E5. The signer's own signature on itself bounds it no less than one by somebody else would.
Status chain_check(const Draft& draft, const CertificateProfile& profile) {
    if (!draft.has_signer || !profile.is_authority) return Status::ok;
    return authorities_below(draft.signer.certificate) > 0 ? Status::ok : Status::invalid;
}

// The library's own calls for these two want SHA-1, which is not compiled in.
int draft_set_key_ids(Draft& draft) {
    unsigned char own[key_id_size_max + 2];
    Writer own_id = writer_of(own, sizeof own);
    put_u8(own_id, MBEDTLS_ASN1_OCTET_STRING);
    put_u8(own_id, static_cast<uint8_t>(draft.own_id.size));
    put_bytes(own_id, {draft.own_id.bytes, draft.own_id.size});
    const int answer = mbedtls_x509write_crt_set_extension(
        &draft.certificate, MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER), 0, own, own_id.size);
    if (answer != 0) return answer;

    unsigned char issuer[key_id_size_max + 4];
    Writer issuer_id = writer_of(issuer, sizeof issuer);
    put_u8(issuer_id, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    put_u8(issuer_id, static_cast<uint8_t>(draft.signer_id.size + 2));
    put_u8(issuer_id, MBEDTLS_ASN1_CONTEXT_SPECIFIC);  // [0] keyIdentifier
    put_u8(issuer_id, static_cast<uint8_t>(draft.signer_id.size));
    put_bytes(issuer_id, {draft.signer_id.bytes, draft.signer_id.size});
    CHECK(!own_id.overflow);
    CHECK(!issuer_id.overflow);
    return mbedtls_x509write_crt_set_extension(
        &draft.certificate, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER), 0, issuer, issuer_id.size);
}

int draft_set_hosts(Draft& draft, const CertificateRequest& request) {
    if (request.host_count == 0) return 0;
    for (uint32_t i = 0; i < request.host_count; i++) {
        const Slice host = request.hosts[i];
        mbedtls_x509_san_list& entry = draft.hosts[i];
        const uint32_t address_size = address_parse(host, draft.addresses[i]);
        entry = {};
        const bool is_address = address_size > 0;
        mbedtls_x509_buf& text = entry.node.san.unstructured_name;
        entry.node.type = is_address ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
        text.p = is_address ? draft.addresses[i] : bytes_of(host);
        text.len = is_address ? address_size : host.size;
        // The library writes its list from the end, so it gets it from the end.
        if (i > 0) entry.next = &draft.hosts[i - 1];
    }
    return mbedtls_x509write_crt_set_subject_alternative_name(&draft.certificate,
                                                              &draft.hosts[request.host_count - 1]);
}

Status draft_fill(Draft& draft, const CertificateRequest& request) {
    mbedtls_x509write_crt_set_version(&draft.certificate, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&draft.certificate, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&draft.certificate, &draft.key);
    mbedtls_x509write_crt_set_issuer_key(&draft.certificate,
                                         draft.has_signer ? &draft.signer.key : &draft.key);
    Status status = chain_check(draft, profile_of(request.kind));
    if (status != Status::ok) return status;
    status = draft_set_names(draft, request);
    if (status != Status::ok) return status;
    status = draft_set_times(draft, request);
    if (status != Status::ok) return status;
    status = draft_set_serial(draft);
    if (status != Status::ok) return status;
    int answer = draft_set_usage(draft, profile_of(request.kind));
    if (answer == 0) answer = draft_set_key_ids(draft);
    if (answer == 0) answer = draft_set_hosts(draft, request);
    return status_of_library(answer);
}

// E2. Names pass through text, which may spell them otherwise than a foreign issuer did.
Status issuer_check(const Draft& draft, Slice der) {
    if (!draft.has_signer) return Status::ok;
    mbedtls_x509_crt made;
    mbedtls_x509_crt_init(&made);
    Status status = status_of_library(mbedtls_x509_crt_parse_der(&made, der.data, der.size));
    const mbedtls_x509_buf& subject = draft.signer.certificate.subject_raw;
    if (status == Status::ok &&
        !slice_equal({made.issuer_raw.p, static_cast<uint32_t>(made.issuer_raw.len)},
                     {subject.p, static_cast<uint32_t>(subject.len)})) {
        status = Status::invalid;
    }
    mbedtls_x509_crt_free(&made);
    return status;
}

Status draft_write(Draft& draft, Writer& pem) {
    unsigned char der[der_size_max];  // The library fills it from its end.
    const int size = mbedtls_x509write_crt_der(&draft.certificate, der, sizeof der, crypto_rng,
                                               nullptr);
    if (size < 0) return status_of_library(size);
    const Slice made = {der + sizeof der - size, static_cast<uint32_t>(size)};
    const Status status = issuer_check(draft, made);
    if (status != Status::ok) return status;
    Writer text = pem;  // A copy, so that a refusal moves nothing.
    put_pem(text, "CERTIFICATE", made);
    if (text.overflow) return Status::full;
    pem = text;
    return Status::ok;
}

// Makes the certificate that a draft with nothing but its key is for, and closes it.
Status make(Draft& draft, const CertificateRequest& request, const CertificateIssuer& issuer,
            Writer& pem) {
    const bool signs_itself = request.kind == CertificateKind::authority;
    CHECK(!signs_itself || (issuer.certificate.size == 0 && issuer.key.size == 0));
    mbedtls_x509write_crt_init(&draft.certificate);
    Status status = request_check(request);
    if (!signs_itself && issuer.certificate.size == 0) status = Status::invalid;
    if (status == Status::ok) status = draft_open(draft, issuer);
    if (status == Status::ok) status = draft_fill(draft, request);
    if (status == Status::ok) status = draft_write(draft, pem);
    draft_close(draft);
    return status;
}

bool has_purpose(const mbedtls_x509_crt& certificate, const char* oid, size_t size) {
    if (mbedtls_x509_crt_has_ext_type(&certificate, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) == 0) {
        return false;
    }
    const mbedtls_x509_sequence* at = &certificate.ext_key_usage;
    for (; at != nullptr; at = at->next) {
        if (at->buf.len == size && memcmp(at->buf.p, oid, size) == 0) return true;
    }
    return false;
}

// In a form that address_parse reads: four numbers, or eight in base 16.
void put_address(Writer& out, Slice bytes) {
    if (bytes.size != 4 && bytes.size != 16) return;
    for (uint32_t i = 0; i < bytes.size; i += bytes.size == 4 ? 1 : 2) {
        if (i > 0) put_u8(out, bytes.size == 4 ? '.' : ':');
        if (bytes.size == 4) {
            put_decimal(out, bytes.data[i]);
        } else {
            put_hex(out, slice_part(bytes, i, 2));
        }
    }
}

void copy_hash(const mbedtls_x509_buf& name, uint8_t out[hash_size]) {
    const Hash hash = hash_of({name.p, static_cast<uint32_t>(name.len)});
    memcpy(out, hash.bytes, hash_size);
}

void copy_name(const mbedtls_x509_name& subject, char out[certificate_name_size_max + 1]) {
    memset(out, 0, certificate_name_size_max + 1);
    for (const mbedtls_x509_name* part = &subject; part != nullptr; part = part->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid) != 0) continue;
        if (part->val.len > certificate_name_size_max) continue;
        if (memchr(part->val.p, 0, part->val.len) != nullptr) continue;
        memcpy(out, part->val.p, part->val.len);
        return;
    }
}

}  // namespace

bool certificate_host_is_valid(Slice host) {
    unsigned char address[16];
    return address_parse(host, address) > 0 || dns_name_is_valid(host);
}

Status certificate_make_key(Writer& key_pem) {
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int answer = mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (answer == 0) {
        answer = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), crypto_rng,
                                     nullptr);
    }
    unsigned char der[key_der_size_max];  // The library fills it from its end.
    int size = 0;
    if (answer == 0) size = mbedtls_pk_write_key_der(&key, der, sizeof der);
    mbedtls_pk_free(&key);
    Status status = Status::failed;  // With sound input only memory and randomness can be wanting.
    if (answer == 0 && size > 0) {
        Writer text = key_pem;  // A copy, so that a refusal moves nothing.
        put_pem(text, "EC PRIVATE KEY", {der + sizeof der - size, static_cast<uint32_t>(size)});
        status = text.overflow ? Status::full : Status::ok;
        if (text.overflow) wipe(key_pem.data + key_pem.size, writer_room(key_pem));
        if (status == Status::ok) key_pem = text;
    }
    wipe(der, sizeof der);
    return status;
}

Status certificate_make(const CertificateRequest& request, Slice key_pem,
                        const CertificateIssuer& issuer, Writer& pem) {
    Draft draft = {};
    mbedtls_pk_init(&draft.key);
    const Status status = parse_key(key_pem, draft.key);
    if (status == Status::ok) return make(draft, request, issuer, pem);
    mbedtls_pk_free(&draft.key);
    return status;
}

Status certificate_sign(const CertificateRequest& request, Slice csr_pem,
                        const CertificateIssuer& issuer, Writer& pem, const char*& reason) {
    CHECK(request.kind == CertificateKind::client || request.kind == CertificateKind::server);
    Draft draft = {};
    RequestFacts facts = {};
    mbedtls_pk_init(&draft.key);
    Status status = request_open(csr_pem, draft.key, facts, reason);
    if (status != Status::ok) {
        mbedtls_pk_free(&draft.key);
        return status;
    }
    status = make(draft, request, issuer, pem);
    if (status == Status::invalid) reason = "its name, its time or who signs it does not fit";
    if (status == Status::failed) reason = "there are no random bytes or no memory";
    if (status == Status::full) reason = "the certificate is too long";
    return status;
}

Status certificate_put_pem(Slice der, Writer& pem) {
    Writer text = pem;
    put_pem(text, "CERTIFICATE", der);
    if (text.overflow) return Status::full;
    pem = text;
    return Status::ok;
}

Status certificate_renew(const CertificateRequest& request, Slice old_pem,
                         const CertificateIssuer& issuer, Writer& pem) {
    CHECK(request.kind != CertificateKind::authority);  // It signs with that key.
    Draft draft = {};
    mbedtls_x509_crt old;
    mbedtls_x509_crt_init(&old);
    Status status = parse_certificate(old_pem, old);
    if (status == Status::ok) {
        draft.key = old.pk;  // The key changes hands, so that it is freed once.
        mbedtls_pk_init(&old.pk);
        status = make(draft, request, issuer, pem);
    }
    mbedtls_x509_crt_free(&old);
    return status;
}

Status certificate_read(Slice pem, CertificateFacts& out) {
    mbedtls_x509_crt certificate;
    Hash key_hash = {};
    mbedtls_x509_crt_init(&certificate);
    Status status = parse_certificate(pem, certificate);
    if (status == Status::ok && certificate.serial.len > certificate_serial_size_max) {
        status = Status::invalid;
    }
    if (status == Status::ok) status = key_hash_of(certificate.pk, key_hash);
    if (status == Status::ok) {
        out = {};
        copy_name(certificate.subject, out.name);
        memcpy(out.serial, certificate.serial.p, certificate.serial.len);
        out.serial_size = static_cast<uint32_t>(certificate.serial.len);
        out.not_before_ms = civil_time_ms(certificate.valid_from);
        out.not_after_ms = civil_time_ms(certificate.valid_to);
        out.is_authority = mbedtls_x509_crt_get_ca_istrue(&certificate) == 1;
        out.is_client = has_purpose(certificate, MBEDTLS_OID_CLIENT_AUTH,
                                    MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
        out.is_server = has_purpose(certificate, MBEDTLS_OID_SERVER_AUTH,
                                    MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
        out.authorities_below = authorities_below(certificate);
        memcpy(out.key_hash, key_hash.bytes, sizeof out.key_hash);
        copy_hash(certificate.subject_raw, out.subject_hash);
        copy_hash(certificate.issuer_raw, out.issuer_hash);
    }
    mbedtls_x509_crt_free(&certificate);
    return status;
}

Status certificate_hosts(Slice pem, CertificateHosts& out) {
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    Status status = parse_certificate(pem, certificate);
    out.count = 0;
    Writer text = writer_of(out.text, sizeof out.text);
    const mbedtls_x509_sequence* at = &certificate.subject_alt_names;
    for (; status == Status::ok && at != nullptr; at = at->next) {
        const uint32_t start = text.size;
        if (at->buf.p == nullptr) continue;  // There is one even where there are none.
        const int type = at->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
        const Slice value = {at->buf.p, static_cast<uint32_t>(at->buf.len)};
        if (type == MBEDTLS_X509_SAN_DNS_NAME) put_bytes(text, value);
        if (type == MBEDTLS_X509_SAN_IP_ADDRESS) put_address(text, value);
        if (text.overflow || out.count == certificate_hosts_max) {
            status = Status::full;
        } else if (text.size > start) {
            out.rows[out.count++] = {out.text + start, text.size - start};
        }
    }
    mbedtls_x509_crt_free(&certificate);
    return status;
}

bool certificate_key_is_readable(Slice key_pem) {
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    const Status status = parse_key(key_pem, key);
    mbedtls_pk_free(&key);
    return status == Status::ok;
}

Status certificate_first(Slice pem, Slice& out) {
    return pem_cut(pem, "CERTIFICATE", out);
}

const char* certificate_kind_name(CertificateKind kind) {
    switch (kind) {
        case CertificateKind::authority: return "authority";
        case CertificateKind::issuing: return "issuing";
        case CertificateKind::server: return "server";
        case CertificateKind::client: return "client";
    }
    CHECK(false);
    return "";
}

uint32_t certificate_days(CertificateKind kind) { return profile_of(kind).days; }

Status certificate_match(Slice pem, Slice key_pem) {
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    Status status = parse_certificate(pem, certificate);
    if (status == Status::ok) status = parse_key(key_pem, key);
    if (status == Status::ok &&
        mbedtls_pk_check_pair(&certificate.pk, &key, crypto_rng, nullptr) != 0) {
        status = Status::absent;
    }
    mbedtls_x509_crt_free(&certificate);
    mbedtls_pk_free(&key);
    return status;
}
