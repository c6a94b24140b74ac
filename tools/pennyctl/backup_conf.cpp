#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "pennyctl/backup.h"

namespace {

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

Slice trimmed(Slice text) {
    uint32_t begin = 0;
    uint32_t end = text.size;
    while (begin < end && is_blank(text.data[begin])) begin++;
    while (end > begin && is_blank(text.data[end - 1])) end--;
    return slice_part(text, begin, end - begin);
}

// Splits "key = value ; comment" as inih does. Returns false for a line without a key.
bool split(Slice line, Slice& key, Slice& value) {
    uint32_t at = 0;
    while (at < line.size && line.data[at] != '=' && line.data[at] != ':') at++;
    if (at == line.size) return false;
    key = trimmed(slice_part(line, 0, at));
    uint32_t end = at + 1;
    while (end < line.size && !(line.data[end] == ';' && is_blank(line.data[end - 1]))) end++;
    value = trimmed(slice_part(line, at + 1, end - at - 1));
    return key.size > 0 && key.data[0] != '#' && key.data[0] != ';' && key.data[0] != '[';
}

constexpr const char* elsewhere = "certs/elsewhere/";
constexpr uint32_t led_size_max = 80;  // bytes; what lies in a folder's place has the rest
constexpr uint32_t led_mark_size = 8;  // bytes of a long name's hash, so that no two become one
static_assert(led_size_max < tar_name_size_max);

bool names_a_path(Slice key) {
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
        if (row.type == ConfigType::path && slice_equal_text(key, row.key)) return true;
    }
    return false;
}

void put_led_line(Writer& out, Slice line) {
    Slice key;
    Slice value;
    char text[path_size_max + 1] = {};
    const bool is_path = split(line, key, value) && names_a_path(key) && value.size > 0 &&
                         value.size < sizeof text;
    if (is_path) memcpy(text, value.data, value.size);
    const bool is_data = is_path && slice_equal_text(key, "data");
    const BackupName led = is_path ? backup_name_of(text) : BackupName{};
    const char* inside = is_data ? "data" : led.text;
    if (!is_path || strcmp(inside, text) == 0) {
        put_bytes(out, line);
        return;
    }
    put_bytes(out, key);
    put_text(out, " = ");
    put_text(out, inside);
}

bool is_led(const char* was, const char* is) {
    return was[0] == '\0' ? is[0] == '\0' : strcmp(backup_name_of(was).text, is) == 0;
}

// At most the last `size` bytes of a text, with no character cut.
Slice end_of_text(Slice text, uint32_t size) {
    uint32_t begin = text.size > size ? text.size - size : 0;
    while (begin < text.size && (text.data[begin] & 0xc0) == 0x80) begin++;
    return slice_part(text, begin, text.size - begin);
}

// Reads the new text as a start would, and looks whether it means what was meant.
bool all_are_led(const Config& was, Slice text) {
    static Config is;
    uint8_t unsaid[config_error_size_max];
    Writer error = writer_of(unsaid, sizeof unsaid);
    config_defaults(is);
    if (config_parse(is, "pennyd.conf", text, error) != Status::ok) return false;
    if (!is_led(was.message_key, is.message_key)) return false;
    if (strcmp(is.data, "data") != 0 || is.listener_count != was.listener_count) return false;
    for (uint32_t i = 0; i < is.listener_count; i++) {
        const ListenerConfig& a = was.listeners[i];
        const ListenerConfig& b = is.listeners[i];
        if (!is_led(a.certificate, b.certificate) || !is_led(a.key, b.key) ||
            !is_led(a.ca, b.ca) || !is_led(a.crl, b.crl) || !is_led(a.lab_keys, b.lab_keys) ||
            !is_led(a.passphrase_file, b.passphrase_file)) {
            return false;
        }
    }
    return true;
}

}  // namespace

BackupName backup_name_of(const char* value) {
    const bool is_lab = strcmp(value, "lab") == 0 || strncmp(value, "lab/", 4) == 0;
    const Slice whole = slice_of(value);
    const bool is_inside = (strncmp(value, "certs/", 6) == 0 || is_lab) &&
                           whole.size <= led_size_max && tar_name_is_safe(whole);
    BackupName name = {};
    Writer out = writer_of(reinterpret_cast<uint8_t*>(name.text), led_size_max);
    if (is_inside) {
        put_bytes(out, whole);
        return name;
    }
    put_text(out, elsewhere);
    Slice rest = slice_part(whole, value[0] == '/' ? 1 : 0, whole.size - (value[0] == '/' ? 1 : 0));
    if (rest.size > writer_room(out)) {
        put_hex(out, {hash_of(whole).bytes, led_mark_size});
        put_u8(out, '_');
        rest = end_of_text(rest, writer_room(out));
    }
    for (uint32_t i = 0; i < rest.size; i++) {
        put_u8(out, rest.data[i] == '/' ? '_' : rest.data[i]);
    }
    CHECK(!out.overflow);
    return name;
}

Status backup_conf(const BankPlace& place, Slice text, Writer& out, Writer& error) {
    Reader lines = reader_of(text);
    Slice line;
    bool is_first = true;
    while (cut_word(lines, '\n', line) == Status::ok) {
        if (!is_first) put_u8(out, '\n');
        put_led_line(out, line);
        is_first = false;
    }
    if (!out.overflow && all_are_led(place.config, writer_slice(out))) return Status::ok;
    error.size = 0;
    put_text(error, place.conf.text);
    put_text(error, ": a path in it is too long, or not written as `key = value`, and cannot be "
                    "led into a backup");
    return Status::failed;
}
