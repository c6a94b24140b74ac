#include "penny/lab_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "penny/explain.h"
#include "penny/prompt.h"
#include "posix/system.h"

namespace {

constexpr uint32_t pem_size_max = 16384;  // bytes of one file
constexpr uint32_t last_row_tls = 1;      // lab_properties ends with TLS

struct Laboratory {
    LabConfig config;
    LabMemory memory;
    Hash pin;
    uint8_t key[pem_size_max];
    uint8_t certificate[pem_size_max];
    uint8_t ca[pem_size_max];
    uint8_t passphrase[lab_passphrase_size + 3];  // with the end of a line; one more is too many
};

Laboratory laboratory;

const LabProperties& tls_properties() {
    return lab_properties(lab_property_count() - last_row_tls);
}

// One line with the channels of this build.
ExitCode refuse_channel(const char* name) {
    char list[128];
    Writer out = writer_of(reinterpret_cast<uint8_t*>(list), sizeof list - 1);
    for (uint32_t i = 0; i < lab_property_count() - last_row_tls; i++) {
        const char* row = lab_properties(i).name;
        if (lab_find(slice_of(row)) == nullptr) continue;
        put_text(out, row);
        put_text(out, " ");
    }
    list[out.size] = '\0';
    say("there is no channel '%s'; there are %sand tls", name, list);
    return exit_usage;
}

// Options that one channel takes and another does not.
ExitCode check_lab_options(const Options& options) {
    const LabNeeds needs = options.lab != nullptr ? lab_needs(*options.lab) : LabNeeds{};
    if (options.pin != nullptr && !needs.key) {
        say("--pin is for a channel whose server sends a key: rsa, hybrid or dhe");
        return exit_usage;
    }
    if (options.passphrase_file != nullptr && !needs.passphrase) {
        say("--passphrase-file is for the channel psk");
        return exit_usage;
    }
    Hash pin;
    if (options.pin != nullptr &&
        parse_hex(slice_of(options.pin), pin.bytes, sizeof pin.bytes) != Status::ok) {
        say("--pin takes the 64 hex digits of a SHA-256, not '%s'", options.pin);
        return exit_usage;
    }
    return exit_go_on;
}

ExitCode read_file(const char* path, uint8_t* out, uint32_t capacity, Slice& slice) {
    slice = {out, 0};
    if (path == nullptr) return exit_go_on;
    const Status status = system_read_file(path, out, capacity, slice.size);
    if (status == Status::ok) return exit_go_on;
    say("%s: %s", path, status == Status::full ? "the file is too large" : strerror(errno));
    return exit_refused;
}

ExitCode find_passphrase(const Options& options, Slice& out) {
    const char* path = options.passphrase_file;
    out = {laboratory.passphrase, lab_passphrase_size};
    if (path == nullptr) return prompt_passphrase(laboratory.passphrase, lab_passphrase_size);
    const uint32_t capacity = sizeof laboratory.passphrase;
    const Status status = system_read_file(path, laboratory.passphrase, capacity, out.size);
    if (status == Status::full) out.size = capacity;  // Too long, as loading it will say.
    if (status == Status::ok || status == Status::full) return exit_go_on;
    say("%s: %s", path, strerror(errno));
    return exit_refused;
}

ExitCode find_files(const Options& options, LabFiles& out) {
    const LabNeeds needs = lab_needs(*options.lab);
    ExitCode code = exit_go_on;
    if (needs.key) code = read_file(options.lab_key, laboratory.key, pem_size_max, out.key);
    if (code == exit_go_on && needs.certificate) {
        code = read_file(options.lab_cert, laboratory.certificate, pem_size_max, out.certificate);
    }
    if (code == exit_go_on && needs.certificate) {
        code = read_file(options.lab_ca, laboratory.ca, pem_size_max, out.ca);
    }
    if (code == exit_go_on && needs.passphrase) code = find_passphrase(options, out.passphrase);
    if (options.pin == nullptr) return code;
    const Status status = parse_hex(slice_of(options.pin), laboratory.pin.bytes, hash_size);
    out.pin = status == Status::ok ? &laboratory.pin : nullptr;
    return code;
}

ExitCode load(const Options& options, const LabFiles& files) {
    const char* reason = "";
    const bool makes_key = lab_needs(*options.lab).key && files.key.size == 0;
    crypto_clock_set(system_wall_us() / 1000);  // Certificates have dates.
    if (makes_key) explain("making an RSA key of %u bits for this run", lab_key_bits);
    const Status status =
        lab_config_load(laboratory.config, *options.lab, LabEnd::client, files, reason);
    if (status != Status::ok) {
        const char* path = lab_needs(*options.lab).passphrase ? options.passphrase_file : nullptr;
        say("%s: %s", path != nullptr ? path : options.channel, reason);
        return exit_refused;
    }
    if (makes_key) explain("the key is made");
    return exit_go_on;
}

void tell_row(const char* property, const char* own, const char* tls) {
    fprintf(stderr, "%20s: %s\n", property, own);
    if (tls != nullptr) fprintf(stderr, "%20s: %s\n", "tls", tls);
}

}  // namespace

ExitCode lab_client_check(Options& options) {
    const char* name = options.channel;
    const bool is_tls = name == nullptr || strcmp(name, "tls") == 0;
    if (!lab_is_built) {
        if (is_tls && options.pin == nullptr && options.passphrase_file == nullptr) {
            return exit_go_on;
        }
        say("this penny was built without channels of the laboratory; it speaks tls");
        return exit_usage;
    }
    if (is_tls) return check_lab_options(options);
    options.lab = lab_find(slice_of(name));
    if (options.lab == nullptr) return refuse_channel(name);
    if (options.cert != nullptr || options.key != nullptr || options.cacert != nullptr) {
        say("--cert, --key and --cacert are for tls; a channel of the laboratory takes no "
            "terminal's certificate");
        return exit_usage;
    }
    if (options.user != nullptr || options.password.given || options.askpass) {
        say("--user, --pass and --askpass are for tls; nobody logs in on a channel of the "
            "laboratory");
        return exit_usage;
    }
    return check_lab_options(options);
}

ExitCode lab_client_init(Connection& connection, const Options& options) {
    if (!lab_is_built) return exit_refused;
    static char port[8];
    LabFiles files = {};
    ExitCode code = find_files(options, files);
    if (code == exit_go_on) code = load(options, files);
    wipe(laboratory.key, sizeof laboratory.key);
    wipe(laboratory.passphrase, sizeof laboratory.passphrase);
    if (code != exit_go_on) return code;
    snprintf(port, sizeof port, "%u", lab_properties_of(*options.lab).port);
    connection_init_lab(connection, laboratory.config, laboratory.memory, options.host,
                        options.port != nullptr ? options.port : port);
    return exit_go_on;
}

void lab_client_free() {
    if (!lab_is_built || !laboratory.config.loaded) return;
    lab_config_free(laboratory.config);
}

void lab_client_tell_worth(const Options& options) {
    if (!lab_is_built) return;
    const LabProperties& tls = tls_properties();
    const bool is_lab = options.lab != nullptr;
    const LabProperties& own = is_lab ? lab_properties_of(*options.lab) : tls;
    fprintf(stderr, "What %s is worth%s:\n", own.name, is_lab ? ", and tls beside it" : "");
    tell_row("confidentiality", own.confidentiality, is_lab ? tls.confidentiality : nullptr);
    tell_row("integrity", own.integrity, is_lab ? tls.integrity : nullptr);
    tell_row("authenticated", own.authenticated, is_lab ? tls.authenticated : nullptr);
    tell_row("forward secrecy", own.forward_secrecy, is_lab ? tls.forward_secrecy : nullptr);
    tell_row("replay protection", own.replay_protection, is_lab ? tls.replay_protection : nullptr);
    tell_row("reviewed", own.reviewed, is_lab ? tls.reviewed : nullptr);
}
