#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/message.h"

namespace {

constexpr uint32_t time_text_size = 24;  // 2026-11-21T13:08:57.426Z
constexpr uint64_t time_ms_end = 253'402'300'800'000;  // 10000-01-01

bool is_id_byte(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == ':' || byte == '-';
}

void put_member(Writer& out, const char* head, Slice text) {
    put_text(out, head);
    put_json_string(out, text);
}

// The text of a member that is written without escapes, as names, ids and times are.
Status take_plain(const JsonObject& object, const char* name, Slice& out) {
    const JsonMember* member = json_find(object, name);
    if (member == nullptr || member->kind != JsonKind::string) return Status::invalid;
    out = member->text;
    return Status::ok;
}

Status take_content(const JsonObject& object, Writer& content, Message& out) {
    const JsonMember* text = json_find(object, "text");
    const JsonMember* bytes = json_find(object, "bytes");
    if ((text == nullptr) == (bytes == nullptr)) return Status::invalid;
    const uint32_t start = content.size;
    Status status = Status::invalid;
    if (text != nullptr) {
        out.kind = MessageKind::text;
        status = json_unescape(*text, content);
    } else {
        out.kind = MessageKind::bytes;
        if (bytes->kind == JsonKind::string) status = parse_base64url(bytes->text, content);
    }
    out.content = {content.data + start, content.size - start};
    return status == Status::ok ? Status::ok : Status::invalid;
}

Status check_parts(const Message& message) {
    if (!message_party_is_valid(message.from)) return Status::invalid;
    if (!message_party_is_valid(message.to)) return Status::invalid;
    if (!message_id_is_valid(message.id)) return Status::invalid;
    if (message.time_ms >= time_ms_end) return Status::invalid;
    if (message.kind == MessageKind::text && !json_is_utf8(message.content)) {
        return Status::invalid;
    }
    return Status::ok;
}

}  // namespace

bool message_party_is_valid(Slice party) {
    Name name = {};
    return slice_equal_text(party, "@server") || parse_name(party, name) == Status::ok;
}

bool message_id_is_valid(Slice id) {
    if (id.size == 0 || id.size > id_size_max) return false;
    for (uint32_t i = 0; i < id.size; i++) {
        if (!is_id_byte(id.data[i])) return false;
    }
    return true;
}

Status message_put(Writer& out, const Message& message) {
    if (check_parts(message) != Status::ok) return Status::invalid;
    uint8_t time_bytes[time_text_size];
    Writer time = writer_of(time_bytes, sizeof time_bytes);
    put_utc(time, message.time_ms);
    CHECK(!time.overflow);
    Writer copy = out;  // So that a refusal moves nothing.
    put_member(copy, "{\"from\":", message.from);
    put_member(copy, ",\"to\":", message.to);
    put_member(copy, ",\"id\":", message.id);
    put_member(copy, ",\"time\":", writer_slice(time));
    if (message.kind == MessageKind::text) {
        put_member(copy, ",\"text\":", message.content);
    } else {
        put_text(copy, ",\"bytes\":\"");
        put_base64url(copy, message.content);
        put_text(copy, "\"");
    }
    put_text(copy, "}");
    if (copy.overflow || copy.size - out.size > message_payload_size_max) return Status::full;
    out = copy;
    return Status::ok;
}

Status message_parse(Slice text, Writer& content, Message& out) {
    JsonObject object = {};
    Message found = {};
    Slice time;
    if (json_parse(text, object) != Status::ok || object.count != 5) return Status::invalid;
    if (take_plain(object, "from", found.from) != Status::ok) return Status::invalid;
    if (take_plain(object, "to", found.to) != Status::ok) return Status::invalid;
    if (take_plain(object, "id", found.id) != Status::ok) return Status::invalid;
    if (take_plain(object, "time", time) != Status::ok) return Status::invalid;
    if (parse_utc(time, found.time_ms) != Status::ok) return Status::invalid;
    const uint32_t start = content.size;
    if (take_content(object, content, found) != Status::ok) return Status::invalid;
    if (check_parts(found) != Status::ok) {
        content.size = start;
        return Status::invalid;
    }
    out = found;
    return Status::ok;
}
