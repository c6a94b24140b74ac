#include "penny/pins.h"

#include "base/lines.h"

namespace {

constexpr uint32_t line_size_max = 1280;  // bytes of one pin: a name, a fingerprint and a key

uint8_t pin_bytes[pins_size_max];
uint8_t seen_bytes[seen_size_max];
uint32_t pins_size;

struct Pin {
    Slice name;
    JoseKey key;
};

void put_pin(Writer& out, Slice name, const JoseKey& key) {
    const JoseKid kid = jose_kid_of(key);
    put_bytes(out, name);
    put_text(out, " ");
    put_bytes(out, jose_kid_slice(kid));
    put_text(out, " ");
    put_jwk(out, key);
}

// A pin has one spelling, so it is written again and compared.
Status take_pin(Slice line, Pin& out) {
    Reader rest = reader_of(line);
    Slice kid;
    const char* reason = "";
    if (cut_word(rest, ' ', out.name) != Status::ok) return Status::invalid;
    if (cut_word(rest, ' ', kid) != Status::ok) return Status::invalid;
    if (!message_party_is_valid(out.name)) return Status::invalid;
    if (jwk_parse(reader_rest(rest), out.key, reason) != Status::ok) return Status::invalid;
    uint8_t bytes[line_size_max];
    Writer again = writer_of(bytes, sizeof bytes);
    put_pin(again, out.name, out.key);
    return slice_equal(writer_slice(again), line) ? Status::ok : Status::invalid;
}

// Cuts the next whole line. Returns end when there is none.
Status next_line(Reader& text, Slice& out) {
    return reader_left(text) == 0 ? Status::end : cut_word(text, '\n', out);
}

struct SeenRow {
    Slice from;
    Slice id;
    uint64_t number;
    Hash hash;
};

Status take_seen(Slice line, SeenRow& out) {
    Reader rest = reader_of(line);
    if (cut_word(rest, ' ', out.from) != Status::ok) return Status::invalid;
    if (cut_word(rest, ' ', out.id) != Status::ok) return Status::invalid;
    Status status = take_number(rest, UINT64_MAX, out.number);
    if (status == Status::ok) status = take_hex(rest, out.hash.bytes, hash_size);
    if (status == Status::ok) status = take_end(rest);
    return status == Status::ok ? Status::ok : Status::invalid;
}

}  // namespace

Status pins_load(const KeyFolder& folder) {
    Writer out = writer_of(pin_bytes, sizeof pin_bytes);
    Status status = folder_lines(folder, "pins", out);
    pins_size = 0;
    if (status != Status::ok) return status;
    Reader text = reader_of(writer_slice(out));
    Slice line;
    while (next_line(text, line) == Status::ok) {
        Pin pin = {};
        status = take_pin(line, pin);
        if (status != Status::ok) return status;
    }
    pins_size = out.size;
    return Status::ok;
}

Status pins_find(Slice name, uint32_t back, JoseKey& out) {
    uint32_t count = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        Reader text = reader_of({pin_bytes, pins_size});
        Slice line;
        uint32_t at = 0;
        while (next_line(text, line) == Status::ok) {
            Reader words = reader_of(line);
            Slice word;
            if (cut_word(words, ' ', word) != Status::ok || !slice_equal(word, name)) continue;
            at++;
            Pin pin = {};
            if (pass == 0 || at != count - back) continue;
            const Status status = take_pin(line, pin);
            if (status == Status::ok) out = pin.key;
            return status;
        }
        count = at;
        if (count <= back) return Status::absent;
    }
    return Status::absent;
}

Status pins_add(const KeyFolder& folder, Slice name, const JoseKey& key) {
    uint8_t bytes[line_size_max];
    Writer line = writer_of(bytes, sizeof bytes);
    put_pin(line, name, key);
    put_text(line, "\n");
    if (line.size >= sizeof pin_bytes - pins_size) return Status::full;
    const Status status = folder_add_line(folder, "pins", pins_size, writer_slice(line));
    if (status != Status::ok) return status;
    Writer pins = writer_of(pin_bytes + pins_size, sizeof pin_bytes - pins_size);
    put_bytes(pins, writer_slice(line));
    pins_size += pins.size;
    return Status::ok;
}

Status seen_note(const KeyFolder& folder, Slice from, Slice id, uint64_t number, const Hash& hash,
                 uint64_t& out_first) {
    Writer out = writer_of(seen_bytes, sizeof seen_bytes);
    Status status = folder_lines(folder, "seen", out);
    if (status != Status::ok) return status;
    Reader text = reader_of(writer_slice(out));
    Slice line;
    while (next_line(text, line) == Status::ok) {
        SeenRow row = {};
        status = take_seen(line, row);
        if (status != Status::ok) return status;
        if (!slice_equal(row.from, from) || !slice_equal(row.id, id)) continue;
        out_first = row.number;
        const bool same = row.number == number && hash_equal(row.hash, hash);
        return same ? Status::ok : Status::exists;
    }
    uint8_t bytes[256];
    Writer added = writer_of(bytes, sizeof bytes);
    put_bytes(added, from);
    put_text(added, " ");
    put_bytes(added, id);
    put_text(added, " ");
    put_decimal(added, number);
    put_text(added, " ");
    put_hex(added, hash_slice(hash));
    put_text(added, "\n");
    if (added.size >= sizeof seen_bytes - out.size) return Status::full;
    return folder_add_line(folder, "seen", out.size, writer_slice(added));
}
