#include "crypto/issued.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t signer_count = 3;
constexpr uint64_t time_ms_end = 253'402'300'800'000;  // 10000-01-01

bool name_is_valid(Slice name) {
    if (name.size == 0 || name.size > certificate_name_size_max) return false;
    if (name.data[0] == ' ' || name.data[name.size - 1] == ' ') return false;
    for (uint32_t i = 0; i < name.size; i++) {
        if (name.data[i] < 0x20 || name.data[i] > 0x7e) return false;
    }
    return true;
}

Status parse_kind(Slice word, CertificateKind& out) {
    for (uint32_t i = 0; i < certificate_kind_count; i++) {
        const CertificateKind kind = static_cast<CertificateKind>(i);
        if (!slice_equal_text(word, certificate_kind_name(kind))) continue;
        out = kind;
        return Status::ok;
    }
    return Status::invalid;
}

Status parse_signer(Slice word, IssuedSigner& out) {
    for (uint32_t i = 0; i < signer_count; i++) {
        const IssuedSigner signer = static_cast<IssuedSigner>(i);
        if (!slice_equal_text(word, issued_signer_name(signer))) continue;
        out = signer;
        return Status::ok;
    }
    return Status::invalid;
}

Status parse_serial(Slice word, IssuedRow& row) {
    if (word.size % 2 != 0 || word.size / 2 > certificate_serial_size_max) return Status::invalid;
    row.serial_size = word.size / 2;
    return row.serial_size == 0 ? Status::invalid : parse_hex(word, row.serial, row.serial_size);
}

Status parse_words(Slice line, IssuedRow& row) {
    Reader rest = reader_of(line);
    Slice words[5];
    for (Slice& word : words) {
        if (cut_word(rest, ' ', word) != Status::ok) return Status::invalid;
    }
    const Slice name = reader_rest(rest);
    if (!name_is_valid(name)) return Status::invalid;
    memcpy(row.name, name.data, name.size);
    Status status = parse_serial(words[0], row);
    if (status == Status::ok) status = parse_utc_seconds(words[1], row.not_before_ms);
    if (status == Status::ok) status = parse_utc_seconds(words[2], row.not_after_ms);
    if (status == Status::ok) status = parse_kind(words[3], row.kind);
    if (status == Status::ok) status = parse_signer(words[4], row.signer);
    return status;
}

}  // namespace

const char* issued_signer_name(IssuedSigner signer) {
    switch (signer) {
        case IssuedSigner::ca: return "ca";
        case IssuedSigner::issuing: return "issuing";
        case IssuedSigner::self: return "self";
    }
    CHECK(false);
    return "";
}

Status issued_row_of(Slice pem, CertificateKind kind, IssuedSigner signer, IssuedRow& out) {
    CertificateFacts facts = {};
    const Status status = certificate_read(pem, facts);
    if (status != Status::ok) return status;
    if (facts.serial_size == 0 || !name_is_valid(slice_of(facts.name))) return Status::invalid;
    if (facts.not_before_ms >= time_ms_end || facts.not_after_ms >= time_ms_end) {
        return Status::invalid;
    }
    out = {};
    memcpy(out.serial, facts.serial, facts.serial_size);
    out.serial_size = facts.serial_size;
    out.not_before_ms = facts.not_before_ms;
    out.not_after_ms = facts.not_after_ms;
    out.kind = kind;
    out.signer = signer;
    memcpy(out.name, facts.name, sizeof out.name);
    return Status::ok;
}

void issued_put_line(const IssuedRow& row, Writer& out) {
    CHECK(row.serial_size > 0);
    CHECK(row.serial_size <= certificate_serial_size_max);
    CHECK(name_is_valid(slice_of(row.name)));
    put_hex(out, {row.serial, row.serial_size});
    put_u8(out, ' ');
    put_utc_seconds(out, row.not_before_ms);
    put_u8(out, ' ');
    put_utc_seconds(out, row.not_after_ms);
    put_u8(out, ' ');
    put_text(out, certificate_kind_name(row.kind));
    put_u8(out, ' ');
    put_text(out, issued_signer_name(row.signer));
    put_u8(out, ' ');
    put_text(out, row.name);
    put_u8(out, '\n');
}

Status issued_parse_line(Slice line, IssuedRow& out) {
    IssuedRow row = {};
    const Status status = parse_words(line, row);
    if (status != Status::ok) return status;
    // Every other spelling ends here.
    uint8_t again[issued_line_size_max];
    Writer writer = writer_of(again, sizeof again);
    issued_put_line(row, writer);
    CHECK(!writer.overflow);
    if (!slice_equal(slice_part(writer_slice(writer), 0, writer.size - 1), line)) {
        return Status::invalid;
    }
    out = row;
    return Status::ok;
}
