// Whether the options of one configuration fit together (O3).

#include "base/text.h"
#include "config.h"

namespace {

Status check_not_more(const char* less, uint32_t less_value, const char* more, uint32_t more_value,
                      Writer& error) {
    if (less_value <= more_value) return Status::ok;
    put_text(error, "limits: ");
    put_text(error, less);
    put_text(error, " is ");
    put_decimal(error, less_value);
    put_text(error, "; it can be at most ");
    put_text(error, more);
    put_text(error, ", which is ");
    put_decimal(error, more_value);
    return Status::invalid;
}

Status refuse_listener(Writer& error, const ListenerConfig& listener, const char* what,
                       const char* key) {
    put_text(error, "listener ");
    put_text(error, listener.name);
    put_text(error, what);
    put_text(error, key);
    return Status::invalid;
}

// P9: a laboratory channel has no part in what makes a terminal.
Status check_files(const ListenerConfig& listener, Writer& error) {
    const struct {
        const char* key;
        const char* file;
        bool needed;
    } files[] = {{"certificate", listener.certificate, true},
                 {"key", listener.key, true},
                 {"ca", listener.ca, true},
                 {"crl", listener.crl, false}};
    for (const auto& row : files) {
        const bool given = row.file[0] != 0;
        if (listener.lab && given) {
            return refuse_listener(error, listener, ": a laboratory channel takes no ", row.key);
        }
        if (!listener.lab && row.needed && !given) {
            return refuse_listener(error, listener, ": channel tls needs a file as its ", row.key);
        }
    }
    return Status::ok;
}

Status check_place(const Config& config, uint32_t index, Writer& error) {
    const ListenerConfig& listener = config.listeners[index];
    if (listener.port == 0) return Status::ok;  // Each gets another one.
    for (uint32_t i = 0; i < index; i++) {
        const ListenerConfig& other = config.listeners[i];
        if (other.port != listener.port) continue;
        if (!slice_equal_text(slice_of(other.address), listener.address)) continue;
        return refuse_listener(error, listener, ": its address and port are already those of "
                               "listener ", other.name);
    }
    return Status::ok;
}

Status check_listeners(const Config& config, Writer& error) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        Status status = check_files(config.listeners[i], error);
        if (status != Status::ok) return status;
        status = check_place(config, i, error);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

// Amounts have the decimals of the ledger's currency, and are ones that it can move.
Status check_amount(const Config& config, const char* section, const char* name, const char* key,
                    const char* text, Writer& error) {
    int64_t minor = 0;
    if (text[0] == 0) return Status::ok;
    const Status status = parse_minor(slice_of(text), config.scale, minor);
    if (status == Status::ok && minor <= amount_minor_max) return Status::ok;
    put_text(error, section);
    put_text(error, name);
    put_text(error, ": ");
    put_text(error, key);
    put_text(error, " is ");
    put_text(error, text);
    put_text(error, "; it takes at most ");
    put_minor(error, amount_minor_max, config.scale);
    put_text(error, " in steps of ");
    put_minor(error, 1, config.scale);
    put_text(error, ", as [ledger] scale says");
    return Status::invalid;
}

Status check_amounts(const Config& config, Writer& error) {
    Status status = check_amount(config, "server", "", "pin-above", config.pin_above, error);
    for (uint32_t i = 0; i < config.terminal_section_count && status == Status::ok; i++) {
        const TerminalConfig& terminal = config.terminal_sections[i];
        const struct {
            const char* key;
            const char* text;
        } rows[] = {{"amount-max", terminal.amount_max},
                    {"day-max", terminal.day_max},
                    {"pin-above", terminal.pin_above}};
        for (const auto& row : rows) {
            status = check_amount(config, "terminal ", terminal.name, row.key, row.text, error);
            if (status != Status::ok) break;
        }
    }
    return status;
}

}  // namespace

Status config_check(const Config& config, Writer& error) {
    if (config.listener_count == 0) {
        put_text(error, "there is no listener; it takes a section such as [listener tls]");
        return Status::invalid;
    }
    if (config.segment_size_kib % (block_size / 1024) != 0) {
        put_text(error, "server: segment-size-kib is ");
        put_decimal(error, config.segment_size_kib);
        put_text(error, "; it takes a multiple of ");
        put_decimal(error, block_size / 1024);
        return Status::invalid;
    }
    Status status = check_not_more("handshakes", config.handshakes, "sessions", config.sessions,
                                   error);
    if (status != Status::ok) return status;
    status = check_not_more("handshakes", config.handshakes, "buffers", config.buffers, error);
    if (status != Status::ok) return status;
    status = check_amounts(config, error);
    if (status != Status::ok) return status;
    return check_listeners(config, error);
}
