#include "config.h"

#include <ini.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "config_parts.h"

static_assert(INI_USE_STACK && !INI_ALLOW_REALLOC, "inih never allocates");
static_assert(INI_MAX_LINE == config_line_size_max + 2, "inih sees every allowed line whole");
static_assert(INI_STOP_ON_FIRST_ERROR && !INI_ALLOW_MULTILINE && !INI_ALLOW_NO_VALUE);

namespace {

// The sections that a file may have, numbered: the plain ones, then one for each listener, then one
// for each terminal.
constexpr const char* plain_sections[] = {"server", "ledger", "limits"};
constexpr uint32_t plain_count = sizeof plain_sections / sizeof plain_sections[0];
constexpr uint32_t terminals_first = plain_count + listeners_max;
constexpr uint32_t sections_max = terminals_first + terminals_config_max;

struct Section {
    uint32_t number;   // below sections_max
    const char* name;  // as the rows have it
    uint8_t* fields;   // a Config, a ListenerConfig or a TerminalConfig
};

constexpr const char* sections_known =
    "; there are server, ledger, limits, listener NAME and terminal NAME";

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
    uint32_t section_lines[sections_max];  // where each section began; 0 for not there
    uint32_t option_lines[sections_max][config_rows_max];  // where each was set; 0 for nowhere
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

bool is_row_of(const ConfigRow& row, const char* section) {
    return slice_equal_text(slice_of(section), row.section);
}

void store_defaults(const char* section, uint8_t* fields) {
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
        if (!is_row_of(row, section)) continue;
        const Status status = config_store(row, fields, slice_of(row.value_default));
        CHECK(status == Status::ok);
    }
}

// --- Sections -------------------------------------------------------------------------------

Section section_of_listener(Config& config, uint32_t index) {
    CHECK(index < config.listener_count);
    return {plain_count + index, "listener",
            reinterpret_cast<uint8_t*>(&config.listeners[index])};
}

Section section_of_terminal(Config& config, uint32_t index) {
    CHECK(index < config.terminal_section_count);
    return {terminals_first + index, "terminal",
            reinterpret_cast<uint8_t*>(&config.terminal_sections[index])};
}

// The name of a section behind this first word and a blank.
bool has_first_word(Slice name, const char* word, Slice& rest) {
    const uint32_t size = slice_of(word).size;
    if (!slice_equal_text(slice_part(name, 0, size), word)) return false;
    rest = slice_part(name, size + 1, name.size);
    return name.size > size && name.data[size] == ' ';
}

// Returns absent for a section that the file may not have, a listener or terminal that is not
// there.
Status find_section(Config& config, Slice name, Section& out) {
    for (uint32_t i = 0; i < plain_count; i++) {
        if (!slice_equal_text(name, plain_sections[i])) continue;
        out = {i, plain_sections[i], reinterpret_cast<uint8_t*>(&config)};
        return Status::ok;
    }
    Slice rest = {};
    if (has_first_word(name, "listener", rest)) {
        const ListenerConfig* found = config_find_listener(config, rest);
        if (found == nullptr) return Status::absent;
        out = section_of_listener(config, static_cast<uint32_t>(found - config.listeners));
        return Status::ok;
    }
    if (!has_first_word(name, "terminal", rest)) return Status::absent;
    for (uint32_t i = 0; i < config.terminal_section_count; i++) {
        if (!slice_equal_text(rest, config.terminal_sections[i].name)) continue;
        out = section_of_terminal(config, i);
        return Status::ok;
    }
    return Status::absent;
}

constexpr const char* name_rule =
    "; it takes one blank and a name: a lower-case letter, then up to 30 of a-z 0-9 . _ -, not "
    "ending in .";

Status refuse_count(const Source& source, const char* what, uint32_t most) {
    Writer& error = refuse(source);
    put_text(error, "one ");
    put_text(error, what);
    put_text(error, " too many; there can be ");
    put_decimal(error, most);
    return Status::invalid;
}

// As find_section, but adds a listener or terminal that is not there yet.
Status need_section(Config& config, Slice name, const Source& source, Section& out) {
    if (find_section(config, name, out) == Status::ok) return Status::ok;
    const bool is_terminal = slice_equal_text(slice_part(name, 0, 8), "terminal");
    if (!is_terminal && !slice_equal_text(slice_part(name, 0, 8), "listener")) {
        return refuse_found(source, "unknown section ", name, sections_known);
    }
    Slice rest = {};
    Name checked = {};
    const char* const what = is_terminal ? "terminal" : "listener";
    if (!has_first_word(name, what, rest) || parse_name(rest, checked) != Status::ok) {
        const Status status = refuse_found(
            source, "", name, is_terminal ? " names no terminal" : " names no listener");
        put_text(*source.error, name_rule);
        return status;
    }
    if (is_terminal) {
        if (config.terminal_section_count == terminals_config_max) {
            return refuse_count(source, what, terminals_config_max);
        }
        TerminalConfig& terminal = config.terminal_sections[config.terminal_section_count++];
        terminal = {};
        memcpy(terminal.name, checked.text, checked.size);
        out = section_of_terminal(config, config.terminal_section_count - 1);
    } else {
        if (config.listener_count == listeners_max) {
            return refuse_count(source, what, listeners_max);
        }
        ListenerConfig& listener = config.listeners[config.listener_count++];
        listener = {};
        memcpy(listener.name, checked.text, checked.size);
        out = section_of_listener(config, config.listener_count - 1);
    }
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
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
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
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
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
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
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

// A port that somebody wrote down stays, whichever channel is named before or after it.
void note_port(const Section& section, const ConfigRow& row) {
    if (!is_row_of(row, "listener") || !slice_equal_text(slice_of(row.key), "port")) return;
    reinterpret_cast<ListenerConfig*>(section.fields)->port_is_given = true;
}

// Takes one option. Sets `row_index`; returns ok or invalid.
Status take_option(const Section& section, Slice key, Slice value, const Source& source,
                   uint32_t& row_index) {
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
        if (!is_row_of(row, section.name) || !slice_equal_text(key, row.key)) continue;
        row_index = i;
        if (config_store(row, section.fields, value) == Status::ok) {
            note_port(section, row);
            return Status::ok;
        }
        Writer& error = refuse(source);
        put_text(error, row.key);
        put_text(error, " cannot be ");
        put_quoted(error, value);
        put_text(error, "; it takes ");
        config_put_range(error, row);
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
    const uint32_t end = config_find_byte(line, ']');
    const Slice name = slice_part(line, 1, end - 1);
    const Slice after = config_trim(slice_part(line, end + 1, line.size));
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
    if (config_find_byte(line, 0) < line.size) {
        put_text(refuse(reading.source), "a NUL byte; it takes text");
        return Status::invalid;
    }
    const bool mark = reading.source.line == 1 &&  // The byte order mark that some editors write.
                      slice_equal_text(slice_part(line, 0, 3), "\xef\xbb\xbf");
    const Slice text = config_trim(slice_part(line, mark ? 3 : 0, line.size));
    if (text.size == 0 || text.data[0] != '[') return Status::ok;
    return take_section(reading, text);
}

Status take_lines(Reading& reading, Slice text) {
    while (text.size > 0) {
        reading.source.line++;
        const uint32_t size = config_find_byte(text, '\n');
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
    const uint32_t equals = config_find_byte(assignment, '=');
    const Slice left = slice_part(assignment, 0, equals);
    uint32_t dot = left.size;  // The last one: a listener's name may hold others.
    while (dot > 0 && left.data[dot - 1] != '.') dot--;
    if (equals == assignment.size || dot == 0) {
        put_text(refuse(source), "it takes SECTION.KEY=VALUE or 'listener NAME.KEY=VALUE'");
        return Status::invalid;
    }
    Config next = config;  // O2
    Section section = {};
    Status status = need_section(next, config_trim(slice_part(left, 0, dot - 1)), source, section);
    if (status != Status::ok) return status;
    uint32_t row = 0;
    const Slice value = slice_part(assignment, equals + 1, assignment.size);
    status = take_option(section, config_trim(slice_part(left, dot, left.size)),
                         config_trim(value), source, row);
    if (status != Status::ok) return status;
    config = next;
    return Status::ok;
}

bool config_is_channel(const ListenerConfig& listener, const char* channel) {
    return slice_equal_text(slice_of(listener.channel), channel);
}

uint32_t config_bank_listener(const Config& config) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        if (config_is_channel(config.listeners[i], "tls")) return i;
    }
    return 0;
}

const ListenerConfig* config_find_listener(const Config& config, Slice name) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        if (slice_equal_text(name, config.listeners[i].name)) return &config.listeners[i];
    }
    return nullptr;
}
