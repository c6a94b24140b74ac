// config_fuzz.cpp - what an operator wrote down. Input: the text of a configuration; its first line
// is taken as an assignment of the command line as well.
#include "config.h"

#include <string.h>

#include "base/temperature.h"
#include "fuzz/fuzz.h"

namespace {

// Too large for the stack of a fuzzer, and compared as bytes.
Config start;
Config config;
Config again;
uint8_t error_memory[config_error_size_max];

bool is_of_terminal(const ConfigRow& row) {
    return slice_equal_text(slice_of(row.section), "terminal");
}

const uint8_t* fields_of(const ConfigRow& row, const Config& owner, uint32_t listener) {
    const bool is_listener = slice_equal_text(slice_of(row.section), "listener");
    const void* fields = &owner;
    if (is_listener) fields = &owner.listeners[listener];
    if (is_of_terminal(row)) fields = &owner.terminal_sections[listener];
    return static_cast<const uint8_t*>(fields);
}

void check_number(const ConfigRow& row, const uint8_t* field) {
    uint32_t value = 0;
    memcpy(&value, field, sizeof value);
    CHECK(value >= row.min && value <= row.max);
}

void check_text(const ConfigRow& row, const uint8_t* field) {
    uint32_t size = 0;
    while (size <= row.max && field[size] != 0) size++;
    CHECK(size >= row.min && size <= row.max);  // The NUL is inside.
    for (uint32_t i = 0; i < size; i++) CHECK(field[i] >= ' ' && field[i] != 0x7f);
}

// Names with one blank between them, not too many.
void check_names(const uint8_t* field) {
    const Slice text = slice_of(reinterpret_cast<const char*>(field));
    Reader reader = reader_of(text);
    uint32_t count = 0;
    for (Slice word; text.size > 0 && cut_word(reader, ' ', word) == Status::ok; count++) {
        Name name = {};
        CHECK(parse_name(word, name) == Status::ok);
    }
    CHECK(count <= terminal_accounts_max);
}

void check_roles(const uint8_t* field) {
    uint32_t roles = 0;
    memcpy(&roles, field, sizeof roles);
    CHECK(roles > 0 && roles < 1u << config_role_count);
}

void check_amount(const ConfigRow& row, const uint8_t* field) {
    const Slice text = slice_of(reinterpret_cast<const char*>(field));
    int64_t minor = 0;
    CHECK(text.size <= row.max);
    if (text.size == 0) return;
    CHECK(parse_minor(text, scale_max, minor) == Status::ok && minor >= row.min);
}

// O1 for one option.
void check_row(const ConfigRow& row, const uint8_t* fields) {
    const uint8_t* field = fields + row.offset;
    uint32_t version = 0;
    SensorSource sensor = {};
    switch (row.type) {
        case ConfigType::number: check_number(row, field); break;
        case ConfigType::flag: CHECK(*field <= 1); break;
        case ConfigType::registration:
            CHECK(*field <= static_cast<uint8_t>(Registration::open));
            break;
        case ConfigType::tls_version:
            memcpy(&version, field, sizeof version);
            CHECK(version == 12 || version == 13);
            break;
        case ConfigType::text:
        case ConfigType::path:
        case ConfigType::address:
        case ConfigType::prefixes:
        case ConfigType::currency:
        case ConfigType::zone:
        case ConfigType::channel: check_text(row, field); break;
        case ConfigType::roles: check_roles(field); break;
        case ConfigType::names: check_names(field); break;
        case ConfigType::amount: check_amount(row, field); break;
        case ConfigType::root:
            check_text(row, field);
            CHECK(*field == '/');
            break;
        case ConfigType::sensor:
            check_text(row, field);
            CHECK(sensor_parse(slice_of(reinterpret_cast<const char*>(field)), sensor) ==
                  Status::ok);
            break;
    }
}

void check_config(const Config& found) {
    CHECK(found.listener_count <= listeners_max);
    CHECK(found.terminal_section_count <= terminals_config_max);
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
        const bool is_listener = slice_equal_text(slice_of(row.section), "listener");
        const uint32_t count = is_listener           ? found.listener_count
                               : is_of_terminal(row) ? found.terminal_section_count
                                                     : 1;
        for (uint32_t j = 0; j < count; j++) check_row(row, fields_of(row, found, j));
    }
    for (uint32_t i = 0; i < found.listener_count; i++) {
        Name name = {};
        CHECK(parse_name(slice_of(found.listeners[i].name), name) == Status::ok);
        CHECK(config_find_listener(found, name_slice(name)) == &found.listeners[i]);
    }
}

// O2: one sentence, and nothing else changed.
void check_refusal(const Config& before, const Config& after, const Writer& error) {
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK(error.size > 0 && !error.overflow);
    for (uint32_t i = 0; i < error.size; i++) {
        CHECK(error.data[i] >= ' ' && error.data[i] != 0x7f);
    }
}

void set_first_line(Slice text) {
    Reader reader = reader_of(text);
    Slice line;
    if (cut_word(reader, '\n', line) != Status::ok) return;
    memcpy(&again, &config, sizeof again);
    Writer error = writer_of(error_memory, sizeof error_memory);
    const Status status = config_set(again, line, error);
    CHECK(status == Status::ok || status == Status::invalid);
    if (status == Status::invalid) check_refusal(config, again, error);
    if (status == Status::ok) check_config(again);
}

// What fits together has amounts that the ledger can have (the server takes them without asking).
void check_money() {
    for (uint32_t i = 0; i < config_row_count(); i++) {
        const ConfigRow& row = config_row(i);
        if (row.type != ConfigType::amount) continue;
        const uint32_t count = is_of_terminal(row) ? config.terminal_section_count : 1;
        for (uint32_t j = 0; j < count; j++) {
            const uint8_t* field = fields_of(row, config, j) + row.offset;
            const Slice text = slice_of(reinterpret_cast<const char*>(field));
            int64_t minor = 0;
            if (text.size == 0) continue;
            CHECK(parse_minor(text, config.scale, minor) == Status::ok);
            CHECK(minor >= 0 && minor <= amount_minor_max);
        }
    }
}

// P9: a channel of the laboratory says that it is one, names nothing that makes a terminal or a
// person, and never stands alone.
void check_laboratory() {
    uint32_t tls_count = 0;
    for (uint32_t i = 0; i < config.listener_count; i++) {
        const ListenerConfig& listener = config.listeners[i];
        const bool is_tls = slice_equal_text(slice_of(listener.channel), "tls");
        CHECK(listener.lab == !is_tls);
        if (is_tls) tls_count++;
        if (is_tls) continue;
        CHECK(listener.certificate[0] == 0 && listener.key[0] == 0 && listener.ca[0] == 0);
        CHECK(!listener.certificate_is_user);
    }
    CHECK(tls_count > 0);
}

void check_together() {
    memcpy(&again, &config, sizeof again);
    Writer error = writer_of(error_memory, sizeof error_memory);
    const Status status = config_check(config, error);
    CHECK(status == Status::ok || status == Status::invalid);
    if (status == Status::invalid) check_refusal(config, again, error);
    if (status == Status::ok) check_money();
    if (status == Status::ok) check_laboratory();
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Slice text = {data, static_cast<uint32_t>(size)};
    config_defaults(start);
    memcpy(&config, &start, sizeof config);
    Writer error = writer_of(error_memory, sizeof error_memory);
    const Status status = config_parse(config, "pennyd.conf", text, error);
    CHECK(status == Status::ok || status == Status::invalid);
    if (status == Status::invalid) check_refusal(start, config, error);
    check_config(config);
    set_first_line(text);
    if (status != Status::ok) return 0;
    CHECK(error.size == 0);
    memcpy(&again, &config, sizeof again);
    CHECK(config_parse(again, "pennyd.conf", text, error) == Status::ok);
    CHECK(memcmp(&again, &config, sizeof again) == 0);
    check_together();
    if (config.listener_count == 0) return 0;
    if (!slice_equal_text(slice_of(config.listeners[0].address), "127.0.0.1")) fuzz_mark_reached();
#if PLANT
    const uint32_t port = config.listeners[0].port;
    if (port != 6226 && port / 1000 == 6) fuzz_mark_planted();
#endif
    return 0;
}
