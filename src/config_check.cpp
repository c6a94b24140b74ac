// Whether the options of one configuration fit together (O3).

#include <string.h>

#include "base/text.h"
#include "config_parts.h"

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

// P9: nobody gets a laboratory channel by the slip of a pen.
Status check_channel(const ListenerConfig& listener, Writer& error) {
    const bool is_of_bank = !config_has_lab || config_is_channel(listener, "tls") ||
                            config_is_channel(listener, "enrol");
    if (is_of_bank != listener.lab) return Status::ok;
    if (is_of_bank) {
        return refuse_listener(error, listener, ": it takes no lab = yes, as it is of channel ",
                               listener.channel);
    }
    return refuse_listener(error, listener, ": it needs lab = yes, as nothing of worth goes over "
                           "channel ", listener.channel);
}

Status refuse_key(Writer& error, const ListenerConfig& listener, const char* what,
                  const char* key) {
    const Status status = refuse_listener(error, listener, ": channel ", listener.channel);
    put_text(error, what);
    put_text(error, key);
    return status;
}

// P9: a laboratory channel has no part in what makes a terminal or a person; nor has one to enrol,
// which is of TLS 1.3 and asks for no certificate.
Status check_keys(const ListenerConfig& listener, Writer& error) {
    enum class For : uint8_t { tls, tls_always, lab, psk };
    const bool enrols = config_is_channel(listener, "enrol");
    const bool is_usual_folder = slice_equal_text(slice_of(listener.lab_keys), config_lab_keys);
    const struct {
        const char* key;
        bool given;
        For whom;
    } rows[] = {{"certificate", listener.certificate[0] != 0, For::tls_always},
                {"key", listener.key[0] != 0, For::tls_always},
                {"ca", listener.ca[0] != 0, For::tls_always},
                {"crl", listener.crl[0] != 0, For::tls},
                {"tls-min", listener.tls_min != 13, For::tls},
                {"certificate-is-user", listener.certificate_is_user, For::tls},
                {"lab-keys", !is_usual_folder, For::lab},
                {"passphrase-file", listener.passphrase_file[0] != 0, For::psk},
                {"explain", listener.explain, For::lab}};
    for (const auto& row : rows) {
        const bool is_for_tls = row.whom == For::tls || row.whom == For::tls_always;
        if (listener.lab && is_for_tls && row.given) {
            return refuse_listener(error, listener, ": a laboratory channel takes no ", row.key);
        }
        const bool is_for_other = !is_for_tls || (enrols && row.whom == For::tls);
        if (!listener.lab && is_for_other && row.given) {
            return refuse_key(error, listener, " takes no ", row.key);
        }
        if (row.whom == For::psk && row.given && !config_is_channel(listener, "psk")) {
            return refuse_listener(error, listener, ": only channel psk takes a ", row.key);
        }
        if (!listener.lab && row.whom == For::tls_always && !row.given) {
            return refuse_key(error, listener, " needs a file as its ", row.key);
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

// Receipts are signed with the key of a listener of TLS, and nobody gets at money without one.
Status check_bank(const Config& config, Writer& error) {
    bool has_lab_alone = true;
    bool has_bank = false;
    for (uint32_t i = 0; i < config.listener_count; i++) {
        has_lab_alone = has_lab_alone && config.listeners[i].lab;
        has_bank = has_bank || config_is_channel(config.listeners[i], "tls");
    }
    if (config.lab_only && (!has_lab_alone || config.issue)) {
        put_text(error, "--lab has no bank behind it, and so no listener of channel tls");
        return Status::invalid;
    }
    if (!config.lab_only && !has_bank) {
        put_text(error, "there is no listener of channel tls, which a bank needs");
        if (config_has_lab) {
            put_text(error, "; pennyd --lab CHANNEL runs a laboratory channel without a bank");
        }
        return Status::invalid;
    }
    return Status::ok;
}

Status check_listeners(const Config& config, Writer& error) {
    for (uint32_t i = 0; i < config.listener_count; i++) {
        Status status = check_channel(config.listeners[i], error);
        if (status == Status::ok) status = check_keys(config.listeners[i], error);
        if (status != Status::ok) return status;
        status = check_place(config, i, error);
        if (status != Status::ok) return status;
    }
    return check_bank(config, error);
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

// The laboratory beside a bank leaves it at least half of the sessions.
Status check_lab_sessions(const Config& config, Writer& error) {
    bool has_lab = false;
    for (uint32_t i = 0; i < config.listener_count; i++) has_lab |= config.listeners[i].lab;
    if (!has_lab || config.lab_only) return Status::ok;
    return check_not_more("lab-sessions", config.lab_sessions, "half of sessions",
                          config.sessions / 2, error);
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
    status = check_lab_sessions(config, error);
    if (status != Status::ok) return status;
    status = check_amounts(config, error);
    if (status != Status::ok) return status;
    return check_listeners(config, error);
}

Status config_check_reload(const Config& running, const Config& fresh, Writer& error) {
    const bool is_same = slice_equal_text(slice_of(running.currency), fresh.currency);
    if (!is_same || running.scale != fresh.scale) {
        put_text(error, "[ledger] never changes");
        return Status::invalid;
    }
    for (uint32_t i = 0; i < running.listener_count; i++) {
        const ListenerConfig& listener = running.listeners[i];
        const ListenerConfig* found = config_find_listener(fresh, slice_of(listener.name));
        if (found == nullptr || !config_is_channel(*found, listener.channel)) {
            return refuse_listener(error, listener, ": it is gone or has another channel, which "
                                   "takes a restart", "");
        }
    }
    return Status::ok;
}
