#include "access/enrol_spool.h"

#include <string.h>

#include "base/check.h"
#include "base/lines.h"

namespace {

constexpr char renew[] = "renew-";
constexpr char millis[] = ".000Z";  // that put_utc ends with and a time to the second does not
constexpr uint32_t time_size = 20;  // bytes of 2026-12-02T15:00:00Z

Writer writer_of_base(EnrolBase& base) {
    base = {};
    return writer_of(reinterpret_cast<uint8_t*>(base.text), enrol_base_size_max);
}

Status parse_time(Slice text, uint64_t& out_ms) {
    uint8_t whole[time_size + sizeof millis];
    Writer out = writer_of(whole, sizeof whole);
    if (text.size != time_size || text.data[time_size - 1] != 'Z') return Status::damaged;
    put_bytes(out, slice_part(text, 0, time_size - 1));
    put_text(out, millis);
    return parse_utc(writer_slice(out), out_ms) == Status::ok ? Status::ok : Status::damaged;
}

bool is_hash(Slice text) {
    uint8_t bytes[enrol_hash_text_size / 2];
    Reader line = reader_of(text);
    return take_hex(line, bytes, sizeof bytes) == Status::ok && take_end(line) == Status::ok;
}

}  // namespace

EnrolBase enrol_base_of_code(const EnrolCode& code) {
    EnrolBase base;
    Writer out = writer_of_base(base);
    put_enrol_hash(out, code);
    return base;
}

EnrolBase enrol_base_of_renewal(const Name& terminal) {
    EnrolBase base;
    Writer out = writer_of_base(base);
    put_text(out, renew);
    put_bytes(out, name_slice(terminal));
    CHECK(!out.overflow);
    return base;
}

bool enrol_base_parse(Slice text, Name& out) {
    const uint32_t size = slice_of(renew).size;
    Name name = {};
    if (slice_equal_text(slice_part(text, 0, size), renew)) {
        if (parse_name(slice_part(text, size, text.size), name) != Status::ok) return false;
    } else if (!is_hash(text)) {
        return false;
    }
    out = name;
    return true;
}

void put_enrol_time(Writer& out, uint64_t unix_ms) {
    uint8_t memory[32];
    Writer whole = writer_of(memory, sizeof memory);
    put_utc(whole, unix_ms - unix_ms % 1000);
    CHECK(whole.size == time_size + sizeof millis - 2);
    put_bytes(out, {memory, time_size - 1});
    put_text(out, "Z");
}

void put_enrol_grant(Writer& out, const EnrolGrant& grant) {
    put_text(out, "name ");
    put_bytes(out, name_slice(grant.name));
    put_text(out, "\nexpires ");
    put_enrol_time(out, grant.expires_ms);
    put_text(out, "\n");
}

Status enrol_grant_parse(Slice text, EnrolGrant& out) {
    Reader reader = reader_of(text);
    Reader line = {};
    EnrolGrant found = {};
    if (take_line(reader, "name", line) != Status::ok) return Status::damaged;
    if (parse_name(reader_rest(line), found.name) != Status::ok) return Status::damaged;
    if (take_line(reader, "expires", line) != Status::ok) return Status::damaged;
    const Status status = parse_time(reader_rest(line), found.expires_ms);
    uint8_t memory[enrol_grant_size_max];
    Writer again = writer_of(memory, sizeof memory);
    if (status == Status::ok) put_enrol_grant(again, found);
    if (!slice_equal(writer_slice(again), text)) return Status::damaged;
    out = found;
    return Status::ok;
}
