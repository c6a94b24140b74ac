#include "crypto/password_record.h"

#include "base/base64.h"
#include "base/text.h"

namespace {

constexpr uint32_t lanes_max = 16;
constexpr uint32_t memory_per_lane_kib_min = password_memory_kib_floor;
constexpr char phc_start[] = "$argon2id$v=19$m=";
constexpr char phc_start_wrapped[] = "$argon2id-md5$v=19$m=";

// Base64 without padding.
Status parse_bytes(Slice text, uint32_t size_min, uint32_t size_max, uint8_t* out,
                   uint32_t& out_size) {
    Writer bytes = writer_of(out, size_max);
    if (parse_base64(text, Base64End::bare, bytes) != Status::ok) return Status::damaged;
    if (bytes.size < size_min) return Status::damaged;
    out_size = bytes.size;
    return Status::ok;
}

// Takes "m=19456" off the front of `rest`: the letter, '=' and a decimal up to `separator`.
Status parse_number(Reader& rest, const char* start, char separator, uint32_t& out) {
    const Slice expected = slice_of(start);
    if (!slice_equal(get_bytes(rest, expected.size), expected)) return Status::damaged;
    Slice word = {};
    if (cut_word(rest, separator, word) != Status::ok) return Status::damaged;
    uint64_t value = 0;
    if (parse_decimal(word, value) != Status::ok) return Status::damaged;
    if (value > UINT32_MAX) return Status::damaged;
    out = static_cast<uint32_t>(value);
    return Status::ok;
}

}  // namespace

Status phc_parse(Slice text, PhcRecord& out) {
    if (text.size > phc_size_max) return Status::damaged;
    PhcRecord record = {};
    Reader rest = reader_of(text);
    const Slice wrapped = slice_of(phc_start_wrapped);
    record.is_wrapped = slice_equal(slice_part(text, 0, wrapped.size), wrapped);
    const char* start = record.is_wrapped ? phc_start_wrapped : phc_start;
    if (parse_number(rest, start, ',', record.memory_kib) != Status::ok) return Status::damaged;
    if (parse_number(rest, "t=", ',', record.passes) != Status::ok) return Status::damaged;
    if (parse_number(rest, "p=", '$', record.lanes) != Status::ok) return Status::damaged;
    if (record.passes == 0 || record.passes > password_passes_max) return Status::damaged;
    if (record.lanes == 0 || record.lanes > lanes_max) return Status::damaged;
    if (record.memory_kib < memory_per_lane_kib_min * record.lanes) return Status::damaged;

    Slice salt = {};
    Slice tag = {};
    if (cut_word(rest, '$', salt) != Status::ok) return Status::damaged;
    if (cut_word(rest, '$', tag) != Status::ok) return Status::damaged;
    if (!rest.short_read) return Status::damaged;  // A further word follows.
    if (parse_bytes(salt, phc_salt_size_min, phc_salt_size_max, record.salt, record.salt_size) !=
        Status::ok) {
        return Status::damaged;
    }
    if (parse_bytes(tag, phc_tag_size_min, phc_tag_size_max, record.tag, record.tag_size) !=
        Status::ok) {
        return Status::damaged;
    }
    out = record;
    return Status::ok;
}

void phc_put(Writer& writer, const PhcRecord& record) {
    put_text(writer, record.is_wrapped ? phc_start_wrapped : phc_start);
    put_decimal(writer, record.memory_kib);
    put_text(writer, ",t=");
    put_decimal(writer, record.passes);
    put_text(writer, ",p=");
    put_decimal(writer, record.lanes);
    put_text(writer, "$");
    put_base64(writer, {record.salt, record.salt_size}, Base64End::bare);
    put_text(writer, "$");
    put_base64(writer, {record.tag, record.tag_size}, Base64End::bare);
}

bool password_is_wrapped(Slice phc) {
    PhcRecord record = {};
    const bool is_wrapped = phc_parse(phc, record) == Status::ok && record.is_wrapped;
    wipe(&record, sizeof record);
    return is_wrapped;
}

Status password_cost_of(Slice phc, PasswordCost& out) {
    PhcRecord record = {};
    const Status status = phc_parse(phc, record);
    if (status == Status::ok) out = {record.memory_kib, record.passes};
    wipe(&record, sizeof record);
    return status;
}
