#include "config.h"

#include <ini.h>
#include <stddef.h>
#include <string.h>

#include "base/address.h"
#include "base/check.h"
#include "base/temperature.h"
#include "base/text.h"

static_assert(INI_USE_STACK && !INI_ALLOW_REALLOC, "inih never allocates");
static_assert(INI_MAX_LINE == config_line_size_max + 2, "inih sees every allowed line whole");
static_assert(INI_STOP_ON_FIRST_ERROR && !INI_ALLOW_MULTILINE && !INI_ALLOW_NO_VALUE);

namespace {

// The struct that holds a section's fields.
namespace owner {
using server = Config;
using ledger = Config;
using limits = Config;
using listener = ListenerConfig;
}  // namespace owner

constexpr ConfigRow rows[] = {
#define OPTION(section, key, type, field, value_default, min, max, unit, help)          \
    {#section, key, ConfigType::type, offsetof(owner::section, field), value_default, min, max, \
     unit, help},
#include "config.def"
#undef OPTION
};
constexpr uint32_t row_count = sizeof rows / sizeof rows[0];

constexpr bool field_fits(ConfigType type, size_t size, uint32_t max) {
    if (type == ConfigType::number || type == ConfigType::tls_version) return size == 4;
    if (type == ConfigType::flag || type == ConfigType::registration) return size == 1;
    return size == max + 1;  // A text and its NUL.
}

#define OPTION(section, key, type, field, value_default, min, max, unit, help) \
    static_assert(field_fits(ConfigType::type, sizeof(owner::section::field), max), key);
#include "config.def"
#undef OPTION

// Options that are one of a few words, and what each is kept as.
struct Word {
    const char* text;
    uint32_t value;
};

struct Words {
    const Word* list;
    uint32_t count;
};

constexpr Word flag_words[] = {{"yes", 1}, {"no", 0}};
constexpr Word registration_words[] = {{"off", static_cast<uint32_t>(Registration::off)},
                                       {"till", static_cast<uint32_t>(Registration::till)},
                                       {"open", static_cast<uint32_t>(Registration::open)}};
constexpr Word tls_version_words[] = {{"1.2", 12}, {"1.3", 13}};
constexpr Word channel_words[] = {{"tls", 0}};  // The value says whether it is a lab channel.

Words words_of(ConfigType type) {
    switch (type) {
        case ConfigType::flag: return {flag_words, 2};
        case ConfigType::registration: return {registration_words, 3};
        case ConfigType::tls_version: return {tls_version_words, 2};
        case ConfigType::channel: return {channel_words, 1};
        case ConfigType::number:
        case ConfigType::text:
        case ConfigType::path:
        case ConfigType::address:
        case ConfigType::prefixes:
        case ConfigType::currency:
        case ConfigType::zone:
        case ConfigType::root:
        case ConfigType::sensor: return {nullptr, 0};
    }
    CHECK(false);
}

// The sections that a file may have, numbered: the plain ones, then one for each listener.
constexpr const char* plain_sections[] = {"server", "ledger", "limits"};
constexpr uint32_t plain_count = sizeof plain_sections / sizeof plain_sections[0];
constexpr uint32_t sections_max = plain_count + listeners_max;

struct Section {
    uint32_t number;   // below sections_max
    const char* name;  // as the rows have it
    uint8_t* fields;   // a Config or a ListenerConfig
};

constexpr const char* sections_known = "; there are server, ledger, limits and listener NAME";

// Where a value was written down, for the sentence of a refusal.
struct Source {
    const char* file_name;  // nullptr for an assignment of the command line
    uint32_t line;          // counts from 1
    Slice assignment;
    Writer* error;
};

// One file on its way into a Config.
struct Reading {
    Config* config;
    Source source;
    bool refused;
    uint32_t section_lines[sections_max];            // where each section began; 0 for not there
    uint32_t option_lines[sections_max][row_count];  // where each option was set; 0 for nowhere
};

void put_quoted(Writer& writer, Slice found) {
    put_u8(writer, '"');
    put_printable(writer, found, 64);
    put_u8(writer, '"');
}

// Begins a refusal; the caller puts the rest of the sentence.
Writer& refuse(const Source& source) {
    Writer& error = *source.error;
    if (source.file_name != nullptr) {
        put_printable(error, slice_of(source.file_name), path_size_max);
        put_u8(error, ':');
        put_decimal(error, source.line);
    } else {
        put_text(error, "--set ");
        put_printable(error, source.assignment, 64);
    }
    put_text(error, ": ");
    return error;
}

Status refuse_found(const Source& source, const char* before, Slice found, const char* after) {
    Writer& error = refuse(source);
    put_text(error, before);
    put_quoted(error, found);
    put_text(error, after);
    return Status::invalid;
}

bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

Slice trim(Slice text) {
    while (text.size > 0 && is_blank(text.data[0])) text = slice_part(text, 1, text.size);
    while (text.size > 0 && is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

// The index of the first such byte, or the size when there is none.
uint32_t find_byte(Slice text, uint8_t byte) {
    uint32_t i = 0;
    while (i < text.size && text.data[i] != byte) i++;
    return i;
}

// --- Values ---------------------------------------------------------------------------------

// Figures, and not a name that somebody would have to look up.
bool is_address(Slice text) {
    const uint32_t size = find_byte(text, '%');  // The zone of a link-local address follows.
    NetAddress address;
    if (size < text.size && find_byte(text, ':') > size) return false;
    return parse_address(slice_part(text, 0, size), address) == Status::ok;
}

bool is_list_of_prefixes(Slice text) {
    NetPrefixes prefixes;
    return parse_prefixes(text, prefixes) == Status::ok;
}

bool is_upper_case(Slice text) {
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z') return false;
    }
    return true;
}

// True when put_printable changes nothing but the quotes and backslashes, which are fine here.
bool is_printable(Slice text) {
    uint8_t memory[4 * path_size_max];
    while (text.size > 0) {
        const uint32_t quote = find_byte(text, '"');
        const Slice piece = slice_part(text, 0, find_byte(slice_part(text, 0, quote), '\\'));
        Writer shown = writer_of(memory, sizeof memory);
        put_printable(shown, piece, piece.size);
        if (!slice_equal(writer_slice(shown), piece)) return false;
        text = slice_part(text, piece.size + 1, text.size);
    }
    return true;
}

bool is_allowed_text(ConfigType type, Slice text) {
    SensorSource sensor = {};
    switch (type) {
        case ConfigType::text:
        case ConfigType::path: return is_printable(text);
        case ConfigType::root: return text.data[0] == '/' && is_printable(text);
        case ConfigType::address: return is_address(text) && is_printable(text);
        case ConfigType::prefixes: return is_list_of_prefixes(text);
        case ConfigType::currency: return is_upper_case(text);
        case ConfigType::zone: return text.size == 0 || config_is_zone(text);
        case ConfigType::sensor:
            return is_printable(text) && sensor_parse(text, sensor) == Status::ok;
        case ConfigType::number:
        case ConfigType::flag:
        case ConfigType::registration:
        case ConfigType::tls_version:
        case ConfigType::channel: break;
    }
    CHECK(false);
}

void store_text(const ConfigRow& row, uint8_t* fields, Slice text) {
    CHECK(text.size <= row.max);
    memset(fields + row.offset, 0, row.max + 1);
    memcpy(fields + row.offset, text.data, text.size);
}

void store_number(uint8_t* field, uint64_t value) {
    const uint32_t kept = static_cast<uint32_t>(value);
    memcpy(field, &kept, sizeof kept);
}

void store_word(const ConfigRow& row, uint8_t* fields, const Word& word) {
    if (row.type == ConfigType::channel) {
        store_text(row, fields, slice_of(word.text));
        reinterpret_cast<ListenerConfig*>(fields)->lab = word.value != 0;
    } else if (row.type == ConfigType::tls_version) {
        store_number(fields + row.offset, word.value);
    } else {
        fields[row.offset] = static_cast<uint8_t>(word.value);
    }
}

// Stores a value. Returns invalid, with the field as it was, for what the row does not allow.
Status store(const ConfigRow& row, uint8_t* fields, Slice value) {
    const Words words = words_of(row.type);
    for (uint32_t i = 0; i < words.count; i++) {
        if (!slice_equal_text(value, words.list[i].text)) continue;
        store_word(row, fields, words.list[i]);
        return Status::ok;
    }
    if (words.count > 0) return Status::invalid;
    if (row.type == ConfigType::number) {
        uint64_t number = 0;
        if (parse_decimal(value, number) != Status::ok) return Status::invalid;
        if (number < row.min || number > row.max) return Status::invalid;
        store_number(fields + row.offset, number);
        return Status::ok;
    }
    if (value.size < row.min || value.size > row.max) return Status::invalid;
    if (!is_allowed_text(row.type, value)) return Status::invalid;
    store_text(row, fields, value);
    return Status::ok;
}

bool is_row_of(const ConfigRow& row, const char* section) {
    return slice_equal_text(slice_of(section), row.section);
}

void store_defaults(const char* section, uint8_t* fields) {
    for (const ConfigRow& row : rows) {
        if (!is_row_of(row, section)) continue;
        const Status status = store(row, fields, slice_of(row.value_default));
        CHECK(status == Status::ok);
    }
}

// --- Sections -------------------------------------------------------------------------------

Section section_of_listener(Config& config, uint32_t index) {
    CHECK(index < config.listener_count);
    return {plain_count + index, "listener",
            reinterpret_cast<uint8_t*>(&config.listeners[index])};
}

// Returns absent for a section that the file may not have or a listener that is not there.
Status find_section(Config& config, Slice name, Section& out) {
    for (uint32_t i = 0; i < plain_count; i++) {
        if (!slice_equal_text(name, plain_sections[i])) continue;
        out = {i, plain_sections[i], reinterpret_cast<uint8_t*>(&config)};
        return Status::ok;
    }
    if (!slice_equal_text(slice_part(name, 0, 9), "listener ")) return Status::absent;
    const ListenerConfig* found = config_find_listener(config, slice_part(name, 9, name.size));
    if (found == nullptr) return Status::absent;
    out = section_of_listener(config, static_cast<uint32_t>(found - config.listeners));
    return Status::ok;
}

// As find_section, but adds a listener that is not there yet.
Status need_section(Config& config, Slice name, const Source& source, Section& out) {
    if (find_section(config, name, out) == Status::ok) return Status::ok;
    if (!slice_equal_text(slice_part(name, 0, 8), "listener")) {
        return refuse_found(source, "unknown section ", name, sections_known);
    }
    Name checked = {};
    if (parse_name(slice_part(name, 9, name.size), checked) != Status::ok ||
        name.data[8] != ' ') {
        return refuse_found(source, "", name,
                            " names no listener; it takes one blank and a name: a lower-case "
                            "letter, then up to 30 of a-z 0-9 . _ -, not ending in .");
    }
    if (config.listener_count == listeners_max) {
        Writer& error = refuse(source);
        put_text(error, "one listener too many; there can be ");
        put_decimal(error, listeners_max);
        return Status::invalid;
    }
    ListenerConfig& listener = config.listeners[config.listener_count++];
    listener = {};
    memcpy(listener.name, checked.text, checked.size);
    out = section_of_listener(config, config.listener_count - 1);
    store_defaults(out.name, out.fields);
    return Status::ok;
}

// --- Keys -----------------------------------------------------------------------------------

// How many bytes must be put in, taken out or changed to make one of the other (Levenshtein).
uint32_t distance(Slice a, Slice b) {
    constexpr uint32_t size_max = 31;
    if (a.size > size_max || b.size > size_max) return UINT32_MAX;
    uint32_t costs[size_max + 1];
    for (uint32_t j = 0; j <= b.size; j++) costs[j] = j;
    for (uint32_t i = 0; i < a.size; i++) {
        uint32_t diagonal = costs[0];
        costs[0] = i + 1;
        for (uint32_t j = 0; j < b.size; j++) {
            uint32_t cost = diagonal + (a.data[i] == b.data[j] ? 0 : 1);
            diagonal = costs[j + 1];
            if (diagonal + 1 < cost) cost = diagonal + 1;
            if (costs[j] + 1 < cost) cost = costs[j] + 1;
            costs[j + 1] = cost;
        }
    }
    return costs[b.size];
}

// The row of this section whose key is meant by a slip of the pen, or nullptr.
const ConfigRow* nearest_row(const char* section, Slice key) {
    const ConfigRow* nearest = nullptr;
    uint32_t least = 3;
    for (const ConfigRow& row : rows) {
        if (!is_row_of(row, section)) continue;
        const uint32_t steps = distance(key, slice_of(row.key));
        if (steps >= least) continue;
        least = steps;
        nearest = &row;
    }
    return nearest;
}

void put_keys(Writer& writer, const char* section) {
    const char* between = "";
    for (const ConfigRow& row : rows) {
        if (!is_row_of(row, section)) continue;
        put_text(writer, between);
        put_text(writer, row.key);
        between = ", ";
    }
}

void refuse_key(const Source& source, const char* section, Slice key) {
    Writer& error = refuse(source);
    put_text(error, "unknown key ");
    put_quoted(error, key);
    put_text(error, " in section ");
    put_text(error, section);
    for (const ConfigRow& row : rows) {
        if (!slice_equal_text(key, row.key)) continue;
        put_text(error, "; it belongs to section ");
        put_text(error, row.section);
        return;
    }
    const ConfigRow* nearest = nearest_row(section, key);
    if (nearest != nullptr) {
        put_text(error, "; did you mean ");
        put_text(error, nearest->key);
    } else {
        put_text(error, "; there are ");
        put_keys(error, section);
    }
}

// Takes one option. Sets `row_index`; returns ok or invalid.
Status take_option(const Section& section, Slice key, Slice value, const Source& source,
                   uint32_t& row_index) {
    for (uint32_t i = 0; i < row_count; i++) {
        if (!is_row_of(rows[i], section.name) || !slice_equal_text(key, rows[i].key)) continue;
        row_index = i;
        if (store(rows[i], section.fields, value) == Status::ok) return Status::ok;
        Writer& error = refuse(source);
        put_text(error, rows[i].key);
        put_text(error, " cannot be ");
        put_quoted(error, value);
        put_text(error, "; it takes ");
        config_put_range(error, rows[i]);
        return Status::invalid;
    }
    refuse_key(source, section.name, key);
    return Status::invalid;
}

// --- Files ----------------------------------------------------------------------------------

// Notes where a section or a key stands, and refuses it where it stood before.
Status note_line(const Reading& reading, Slice what, uint32_t& first_line) {
    if (first_line == 0) {
        first_line = reading.source.line;
        return Status::ok;
    }
    Writer& error = refuse(reading.source);
    put_quoted(error, what);
    put_text(error, " a second time; the first is in line ");
    put_decimal(error, first_line);
    return Status::invalid;
}

// Takes the line of a section. inih would cut a long name, pass over what follows the ']', and join
// two sections of one name, all without a word.
Status take_section(Reading& reading, Slice line) {
    const uint32_t end = find_byte(line, ']');
    const Slice name = slice_part(line, 1, end - 1);
    const Slice after = trim(slice_part(line, end + 1, line.size));
    const bool comment = after.size > 0 && (after.data[0] == ';' || after.data[0] == '#');
    if (end == line.size || (after.size > 0 && !comment)) {
        return refuse_found(reading.source, "", line,
                            " is no section; it takes [NAME] alone in its line");
    }
    Section section = {};
    const Status status = need_section(*reading.config, name, reading.source, section);
    if (status != Status::ok) return status;
    return note_line(reading, name, reading.section_lines[section.number]);
}

// Looks at a line before inih does.
Status take_line(Reading& reading, Slice line) {
    if (line.size > config_line_size_max) {
        Writer& error = refuse(reading.source);
        put_text(error, "a line of ");
        put_decimal(error, line.size);
        put_text(error, " bytes; it takes at most ");
        put_decimal(error, config_line_size_max);
        return Status::invalid;
    }
    if (find_byte(line, 0) < line.size) {
        put_text(refuse(reading.source), "a NUL byte; it takes text");
        return Status::invalid;
    }
    const bool mark = reading.source.line == 1 &&  // The byte order mark that some editors write.
                      slice_equal_text(slice_part(line, 0, 3), "\xef\xbb\xbf");
    const Slice text = trim(slice_part(line, mark ? 3 : 0, line.size));
    if (text.size == 0 || text.data[0] != '[') return Status::ok;
    return take_section(reading, text);
}

Status take_lines(Reading& reading, Slice text) {
    while (text.size > 0) {
        reading.source.line++;
        const uint32_t size = find_byte(text, '\n');
        const Status status = take_line(reading, slice_part(text, 0, size));
        if (status != Status::ok) return status;
        text = slice_part(text, size + 1, text.size);
    }
    return Status::ok;
}

Status take_key(Reading& reading, const char* section_name, const char* key, const char* value) {
    Section section = {};
    if (find_section(*reading.config, slice_of(section_name), section) != Status::ok) {
        return refuse_found(reading.source, "no section before ", slice_of(key), sections_known);
    }
    uint32_t row = 0;
    const Status status =
        take_option(section, slice_of(key), slice_of(value), reading.source, row);
    if (status != Status::ok) return status;
    return note_line(reading, slice_of(key), reading.option_lines[section.number][row]);
}

// inih's handler: returns 0 to end the reading.
int take_pair(void* user, const char* section, const char* key, const char* value, int line) {
    Reading& reading = *static_cast<Reading*>(user);
    reading.source.line = static_cast<uint32_t>(line);
    reading.refused = take_key(reading, section, key, value) != Status::ok;
    return reading.refused ? 0 : 1;
}

}  // namespace

void config_defaults(Config& config) {
    config = {};
    for (const char* section : plain_sections) {
        store_defaults(section, reinterpret_cast<uint8_t*>(&config));
    }
}

Status config_parse(Config& config, const char* file_name, Slice text, Writer& error) {
    Config next = config;  // O2
    Reading reading = {};
    reading.config = &next;
    reading.source = {file_name, 0, {}, &error};
    const Status status = take_lines(reading, text);
    if (status != Status::ok) return status;
    const int line = ini_parse_string_length(reinterpret_cast<const char*>(text.data), text.size,
                                             take_pair, &reading);
    if (reading.refused) return Status::invalid;
    if (line != 0) {
        reading.source.line = static_cast<uint32_t>(line);
        put_text(refuse(reading.source), "no '=' in this line; it takes KEY = VALUE");
        return Status::invalid;
    }
    config = next;
    return Status::ok;
}

Status config_set(Config& config, Slice assignment, Writer& error) {
    const Source source = {nullptr, 0, assignment, &error};
    const uint32_t equals = find_byte(assignment, '=');
    const Slice left = slice_part(assignment, 0, equals);
    uint32_t dot = left.size;  // The last one: a listener's name may hold others.
    while (dot > 0 && left.data[dot - 1] != '.') dot--;
    if (equals == assignment.size || dot == 0) {
        put_text(refuse(source), "it takes SECTION.KEY=VALUE or 'listener NAME.KEY=VALUE'");
        return Status::invalid;
    }
    Config next = config;  // O2
    Section section = {};
    Status status = need_section(next, trim(slice_part(left, 0, dot - 1)), source, section);
    if (status != Status::ok) return status;
    uint32_t row = 0;
    status = take_option(section, trim(slice_part(left, dot, left.size)),
                         trim(slice_part(assignment, equals + 1, assignment.size)), source, row);
    if (status != Status::ok) return status;
    config = next;
    return Status::ok;
}

bool config_is_zone(Slice text) {
    uint8_t before = '/';
    for (uint32_t i = 0; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        const uint8_t lower = byte | 0x20;
        const bool letter = lower >= 'a' && lower <= 'z';
        const bool other = (byte >= '0' && byte <= '9') || byte == '_' || byte == '+' ||
                           byte == '-';
        if (!letter && (i == 0 || !other) && (before == '/' || byte != '/')) return false;
        before = byte;
    }
    return before != '/';
}

const ListenerConfig* config_find_listener(const Config& config, Slice name) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        if (slice_equal_text(name, config.listeners[i].name)) return &config.listeners[i];
    }
    return nullptr;
}

uint32_t config_row_count() { return row_count; }

const ConfigRow& config_row(uint32_t index) {
    CHECK(index < row_count);
    return rows[index];
}

namespace {

void put_prefixes_range(Writer& writer) {
    put_text(writer, "up to ");
    put_decimal(writer, net_prefixes_max);
    put_text(writer, " addresses in figures such as 192.168.1.7, or prefixes such as "
                     "192.168.1.0/24, with commas between them, in all ");
}

}  // namespace

void config_put_range(Writer& writer, const ConfigRow& row) {
    const Words words = words_of(row.type);
    for (uint32_t i = 0; i < words.count; i++) {
        if (i > 0) put_text(writer, i + 1 < words.count ? ", " : " or ");
        put_text(writer, words.list[i].text);
    }
    if (words.count > 0) return;
    if (row.type == ConfigType::number) put_text(writer, "a number from ");
    if (row.type == ConfigType::text) put_text(writer, "printable UTF-8 text of ");
    if (row.type == ConfigType::path) put_text(writer, "a file name in printable UTF-8 of ");
    if (row.type == ConfigType::root) put_text(writer, "a folder's name from / on of ");
    if (row.type == ConfigType::address) put_text(writer, "an IPv4 or IPv6 address in figures of ");
    if (row.type == ConfigType::prefixes) put_prefixes_range(writer);
    if (row.type == ConfigType::currency) put_text(writer, "upper-case text of ");
    if (row.type == ConfigType::zone) put_text(writer, "a name such as Europe/Berlin of ");
    if (row.type == ConfigType::sensor) {
        put_text(writer, "none, thermal, thermal:N, w1:ID, file:/PATH or simulated, in ");
    }
    put_decimal(writer, row.min);
    put_text(writer, " to ");
    put_decimal(writer, row.max);
    if (row.unit[0] == 0) return;
    put_u8(writer, ' ');
    put_text(writer, row.unit);
}
