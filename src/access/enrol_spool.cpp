#include "access/enrol_spool.h"

#include <string.h>

#include "base/check.h"
#include "base/lines.h"

namespace {

constexpr char renew[] = "renew-";

Writer writer_of_base(EnrolBase& base) {
    base = {};
    return writer_of(reinterpret_cast<uint8_t*>(base.text), enrol_base_size_max);
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

void put_enrol_grant(Writer& out, const EnrolGrant& grant) {
    put_text(out, "name ");
    put_bytes(out, name_slice(grant.name));
    put_text(out, "\nexpires ");
    put_utc_seconds(out, grant.expires_ms);
    put_text(out, "\n");
}

Status enrol_grant_parse(Slice text, EnrolGrant& out) {
    Reader reader = reader_of(text);
    Reader line = {};
    EnrolGrant found = {};
    if (take_line(reader, "name", line) != Status::ok) return Status::damaged;
    if (parse_name(reader_rest(line), found.name) != Status::ok) return Status::damaged;
    if (take_line(reader, "expires", line) != Status::ok) return Status::damaged;
    const Status status = parse_utc_seconds(reader_rest(line), found.expires_ms);
    uint8_t memory[enrol_grant_size_max];
    Writer again = writer_of(memory, sizeof memory);
    if (status == Status::ok) put_enrol_grant(again, found);
    if (!slice_equal(writer_slice(again), text)) return Status::damaged;
    out = found;
    return Status::ok;
}
