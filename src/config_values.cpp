// The rows of config.def, and one value at a time: what each may be, and how it is kept.

#include <stddef.h>
#include <string.h>

#include "base/address.h"
#include "base/check.h"
#include "base/temperature.h"
#include "base/text.h"
#include "config_parts.h"

namespace {

// The struct that holds a section's fields.
namespace owner {
using server = Config;
using ledger = Config;
using limits = Config;
using listener = ListenerConfig;
using terminal = TerminalConfig;
}  // namespace owner

constexpr ConfigRow rows[] = {
#define OPTION(section, key, type, field, value_default, min, max, unit, help)          \
    {#section, key, ConfigType::type, offsetof(owner::section, field), value_default, min, max, \
     unit, help},
#include "config.def"
#undef OPTION
};
constexpr uint32_t row_count = sizeof rows / sizeof rows[0];

constexpr uint32_t field_size(ConfigType type, uint32_t max) {
    const bool is_number = type == ConfigType::number || type == ConfigType::tls_version;
    if (is_number || type == ConfigType::roles) return 4;
    if (type == ConfigType::flag || type == ConfigType::registration) return 1;
    return max + 1;  // A text and its NUL.
}

#define OPTION(section, key, type, field, value_default, min, max, unit, help) \
    static_assert(sizeof(owner::section::field) == field_size(ConfigType::type, max), key);
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

// Where each channel is looked for.
struct ChannelPort {
    const char* channel;
    uint32_t port;
};

constexpr ChannelPort channel_ports[] = {
#define LAB(symbol, port, ...) {#symbol, port},
#include "channel/lab/lab.def"
#undef LAB
};

// Only a compiler runs this: a channel without a row is no program.
consteval uint32_t port_of(const char* channel) {
    uint32_t row = 0;
    for (;; row++) {
        uint32_t i = 0;
        while (channel[i] != 0 && channel[i] == channel_ports[row].channel[i]) i++;
        if (channel[i] == channel_ports[row].channel[i]) return channel_ports[row].port;
    }
}

// The channels that this build has; the value is the usual port.
constexpr Word channel_words[] = {{"tls", port_of("tls")},
                                  {"enrol", config_enrol_port},
#define LAB_BUILT(symbol) {#symbol, port_of(#symbol)},
#include "lab_built.def"
#undef LAB_BUILT
};

Words words_of(ConfigType type) {
    switch (type) {
        case ConfigType::flag: return {flag_words, 2};
        case ConfigType::registration: return {registration_words, 3};
        case ConfigType::tls_version: return {tls_version_words, 2};
        case ConfigType::channel:
            return {channel_words, sizeof channel_words / sizeof channel_words[0]};
        case ConfigType::number:
        case ConfigType::text:
        case ConfigType::path:
        case ConfigType::address:
        case ConfigType::prefixes:
        case ConfigType::currency:
        case ConfigType::zone:
        case ConfigType::root:
        case ConfigType::sensor:
        case ConfigType::roles:
        case ConfigType::names:
        case ConfigType::amount: return {nullptr, 0};
    }
    CHECK(false);
}

// As ledger/entry.h numbers and names them, which a test compares.
constexpr const char* role_words[config_role_count] = {"customer", "till", "treasurer", "auditor",
                                                       "admin"};

// Figures, and not a name that somebody would have to look up.
bool is_address(Slice text) {
    const uint32_t size = config_find_byte(text, '%');  // The zone of a link-local address follows.
    NetAddress address;
    if (size < text.size && config_find_byte(text, ':') > size) return false;
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
        const uint32_t quote = config_find_byte(text, '"');
        const Slice piece = slice_part(text, 0, config_find_byte(slice_part(text, 0, quote), '\\'));
        Writer shown = writer_of(memory, sizeof memory);
        put_printable(shown, piece, piece.size);
        if (!slice_equal(writer_slice(shown), piece)) return false;
        text = slice_part(text, piece.size + 1, text.size);
    }
    return true;
}

// Digits, then a point and at most scale_max further ones: any currency's amount. How many the
// ledger's has is config_check's.
bool is_amount(Slice text, uint32_t least) {
    int64_t minor = 0;
    return parse_minor(text, scale_max, minor) == Status::ok && minor >= least;
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
        case ConfigType::roles:
        case ConfigType::names:
        case ConfigType::amount:
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
        ListenerConfig& listener = *reinterpret_cast<ListenerConfig*>(fields);
        if (!listener.port_is_given) listener.port = word.value;
    } else if (row.type == ConfigType::tls_version) {
        store_number(fields + row.offset, word.value);
    } else {
        fields[row.offset] = static_cast<uint8_t>(word.value);
    }
}

// Cuts the next word of a list off the front: blanks and commas stand between them.
bool cut_listed(Slice& rest, Slice& word) {
    const auto is_between = [](uint8_t byte) { return config_is_blank(byte) || byte == ','; };
    while (rest.size > 0 && is_between(rest.data[0])) rest = slice_part(rest, 1, rest.size);
    uint32_t size = 0;
    while (size < rest.size && !is_between(rest.data[size])) size++;
    word = slice_part(rest, 0, size);
    rest = slice_part(rest, size, rest.size);
    return size > 0;
}

Status store_roles(const ConfigRow& row, uint8_t* fields, Slice value) {
    uint32_t bits = 0;
    Slice word = {};
    while (cut_listed(value, word)) {
        uint32_t role = 0;
        while (role < config_role_count && !slice_equal_text(word, role_words[role])) role++;
        if (role == config_role_count) return Status::invalid;
        bits |= 1u << role;
    }
    if (bits == 0) return Status::invalid;
    store_number(fields + row.offset, bits);
    return Status::ok;
}

Status store_names(const ConfigRow& row, uint8_t* fields, Slice value) {
    uint8_t memory[config_names_size_max];
    Writer kept = writer_of(memory, sizeof memory);
    Slice word = {};
    for (uint32_t count = 0; cut_listed(value, word); count++) {
        Name name = {};
        if (count == terminal_accounts_max) return Status::invalid;
        if (parse_name(word, name) != Status::ok) return Status::invalid;
        if (count > 0) put_u8(kept, ' ');
        put_bytes(kept, word);
    }
    CHECK(!kept.overflow);
    store_text(row, fields, writer_slice(kept));
    return Status::ok;
}

Status store_amount(const ConfigRow& row, uint8_t* fields, Slice value) {
    if (value.size > row.max) return Status::invalid;
    if (value.size > 0 && !is_amount(value, row.min)) return Status::invalid;
    store_text(row, fields, value);
    return Status::ok;
}

}  // namespace

Status config_store(const ConfigRow& row, uint8_t* fields, Slice value) {
    const Words words = words_of(row.type);
    for (uint32_t i = 0; i < words.count; i++) {
        if (!slice_equal_text(value, words.list[i].text)) continue;
        store_word(row, fields, words.list[i]);
        return Status::ok;
    }
    if (words.count > 0) return Status::invalid;
    if (row.type == ConfigType::roles) return store_roles(row, fields, value);
    if (row.type == ConfigType::names) return store_names(row, fields, value);
    if (row.type == ConfigType::amount) return store_amount(row, fields, value);
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

const char* config_role_word(uint32_t index) {
    CHECK(index < config_role_count);
    return role_words[index];
}

namespace {

void put_prefixes_range(Writer& writer) {
    put_text(writer, "up to ");
    put_decimal(writer, net_prefixes_max);
    put_text(writer, " addresses in figures such as 192.168.1.7, or prefixes such as "
                     "192.168.1.0/24, with commas between them, in all ");
}

}  // namespace

uint32_t config_row_count() { return row_count; }

const ConfigRow& config_row(uint32_t index) {
    CHECK(index < row_count);
    return rows[index];
}

void config_put_range(Writer& writer, const ConfigRow& row) {
    const Words words = words_of(row.type);
    for (uint32_t i = 0; i < words.count; i++) {
        if (i > 0) put_text(writer, i + 1 < words.count ? ", " : " or ");
        put_text(writer, words.list[i].text);
    }
    if (words.count > 0) return;
    if (row.type == ConfigType::roles) {
        put_text(writer, "one or more of ");
        for (uint32_t i = 0; i < config_role_count; i++) {
            if (i > 0) put_text(writer, i + 1 < config_role_count ? ", " : " and ");
            put_text(writer, role_words[i]);
        }
        return;
    }
    if (row.type == ConfigType::names) {
        put_text(writer, "up to ");
        put_decimal(writer, terminal_accounts_max);
        put_text(writer, " names of accounts, or none");
        return;
    }
    if (row.type == ConfigType::amount) {
        put_text(writer, row.min == 0 ? "a decimal amount, 0 too, or none"
                                      : "a decimal amount above 0, or none");
        return;
    }
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

bool config_is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

Slice config_trim(Slice text) {
    while (text.size > 0 && config_is_blank(text.data[0])) text = slice_part(text, 1, text.size);
    while (text.size > 0 && config_is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

uint32_t config_find_byte(Slice text, uint8_t byte) {
    uint32_t i = 0;
    while (i < text.size && text.data[i] != byte) i++;
    return i;
}

namespace {

bool waits_for_restart(const ConfigRow& row) {
    constexpr const char* at_once[] = {"certificate", "key", "ca", "crl"};
    if (slice_equal_text(slice_of(row.section), "terminal")) return false;
    bool is_at_once = false;
    for (const char* key : at_once) {
        is_at_once = is_at_once || slice_equal_text(slice_of(row.key), key);
    }
    return !is_at_once;
}

// Puts the rows of one section that differ between two structs of it.
void put_section(const char* section, const char* name, const void* running, const void* fresh,
                 Writer& out) {
    for (const ConfigRow& row : rows) {
        if (!slice_equal_text(slice_of(row.section), section)) continue;
        if (!waits_for_restart(row)) continue;
        const uint8_t* a = static_cast<const uint8_t*>(running) + row.offset;
        const uint8_t* b = static_cast<const uint8_t*>(fresh) + row.offset;
        if (memcmp(a, b, field_size(row.type, row.max)) == 0) continue;
        put_text(out, out.size > 0 ? ", " : "");
        put_text(out, section);
        put_text(out, name[0] != '\0' ? " " : "");
        put_text(out, name);
        put_u8(out, ' ');
        put_text(out, row.key);
    }
}

}  // namespace

void config_put_waiting(const Config& running, const Config& fresh, Writer& out) {
    put_section("server", "", &running, &fresh, out);
    put_section("limits", "", &running, &fresh, out);
    for (uint32_t i = 0; i < fresh.listener_count; i++) {
        const ListenerConfig& listener = fresh.listeners[i];
        const ListenerConfig* was = config_find_listener(running, slice_of(listener.name));
        if (was != nullptr) {
            put_section("listener", listener.name, was, &listener, out);
            continue;
        }
        put_text(out, out.size > 0 ? ", listener " : "listener ");
        put_text(out, listener.name);
    }
}
