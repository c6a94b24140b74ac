#include "pennyctl/lab.h"

#include "base/text.h"

namespace {

struct ClientKey {
    const char* key;
    const char* value;
};

constexpr ClientKey client_keys[] = {
    {"lab-key", "lab/client.key"},
    {"lab-cert", "lab/client.crt"},
    {"lab-ca", "lab/ca.crt"},
    {"passphrase-file", "lab/passphrase"},
};

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

Slice trimmed(Slice text) {
    while (text.size > 0 && is_blank(text.data[0])) text = slice_part(text, 1, text.size);
    while (text.size > 0 && is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

// What stands before '=' or ':'; nothing in a line without a key.
Slice key_of(Slice line) {
    uint32_t size = 0;
    while (size < line.size && line.data[size] != '=' && line.data[size] != ':') size++;
    if (size == line.size || line.data[0] == '#' || line.data[0] == ';') return {line.data, 0};
    return trimmed(slice_part(line, 0, size));
}

bool begins_client(Slice line) { return slice_equal_text(slice_part(line, 0, 8), "[client]"); }

bool has_key(Slice conf, const char* key) {
    Reader lines = reader_of(conf);
    Slice line;
    bool is_of_client = false;
    while (cut_word(lines, '\n', line) == Status::ok) {
        line = trimmed(line);
        if (line.size > 0 && line.data[0] == '[') is_of_client = begins_client(line);
        if (is_of_client && slice_equal_text(key_of(line), key)) return true;
    }
    return false;
}

bool ends_in_client(Slice conf) {
    Reader lines = reader_of(conf);
    Slice line;
    bool is_of_client = false;
    while (cut_word(lines, '\n', line) == Status::ok) {
        line = trimmed(line);
        if (line.size > 0 && line.data[0] == '[') is_of_client = begins_client(line);
    }
    return is_of_client;
}

}  // namespace

Status lab_put_client_lines(Slice conf, Writer& out) {
    if (!ends_in_client(conf)) return Status::invalid;
    bool is_first = true;
    for (const ClientKey& row : client_keys) {
        if (has_key(conf, row.key)) continue;
        if (is_first) {
            if (conf.data[conf.size - 1] != '\n') put_u8(out, '\n');
            put_text(out, "\n# Keys of the laboratory, for --channel. They have no part in "
                          "money.\n");
        }
        is_first = false;
        put_text(out, row.key);
        put_text(out, " = ");
        put_text(out, row.value);
        put_u8(out, '\n');
    }
    return Status::ok;
}
