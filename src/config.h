// config.h - what the operator wrote down: the options of one server, their bounds and defaults.
//
// The file is INI text, read by inih; one row of config.def per option is the whole truth about it.
// Nothing here opens a file, and no secret is ever an option. A Config is its owner's plain memory.
//
//     config_defaults ──► config_parse (the file) ──► config_set (each --set) ──► config_check
//
//   O1. A Config holds only values that are inside the bounds of their rows, whatever was read.
//   O2. A refusal changes nothing and writes one sentence that says where, what was found, and what
//       is allowed.
//   O3. Whether options fit together is config_check's; the others look at one option at a time.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

inline constexpr uint32_t listeners_max = 8;
inline constexpr uint32_t terminals_config_max = 64;      // sections [terminal NAME]
inline constexpr uint32_t terminal_accounts_max = 16;     // names of one list
inline constexpr uint32_t config_names_size_max = 511;    // bytes of such a list, as it is kept
inline constexpr uint32_t config_amount_size_max = 20;    // bytes of a decimal amount
inline constexpr uint32_t config_channel_size_max = 15;   // bytes
inline constexpr uint32_t config_address_size_max = 63;   // bytes of an IPv6 address with its zone
inline constexpr uint32_t config_message_size_max = 255;  // bytes of UTF-8
inline constexpr uint32_t config_currency_size_max = 8;   // upper-case letters
inline constexpr uint32_t config_zone_size_max = 63;      // bytes of a time zone's name
inline constexpr uint32_t config_prefixes_size_max = 767;  // bytes of a list of addresses
inline constexpr uint32_t config_sensor_size_max = 255;   // bytes of a sensor, its path included
inline constexpr uint32_t config_enrol_port = 6228;       // of channel enrol unless told otherwise
inline constexpr char config_lab_keys[] = "lab";          // where pennyctl lab puts its keys

// What lies there for the server: key, certificate, the CA of clients, and a passphrase.
inline constexpr const char* config_lab_files[] = {"server.key", "server.crt", "ca.crt",
                                                   "passphrase"};
inline constexpr uint32_t config_lab_file_count = 4;
inline constexpr uint32_t config_line_size_max = 1022;    // bytes before the line feed; inih's
inline constexpr uint32_t config_error_size_max = 2048;   // bytes that hold every refusal in full

// Who may make new people: nobody but an admin, tills too, or anybody.
enum class Registration : uint8_t { off, till, open };

// A section [listener NAME]. Texts are NUL-terminated; an empty one means not given.
struct ListenerConfig {
    char name[name_size_max + 1];
    char channel[config_channel_size_max + 1];
    bool lab;       // as the channel must be (P9)
    bool explain;   // the messages of a laboratory channel are told in the log
    bool port_is_given;  // otherwise the port is the channel's usual one
    char address[config_address_size_max + 1];
    uint32_t port;  // 0: any that is free
    char certificate[path_size_max + 1];
    char key[path_size_max + 1];
    char ca[path_size_max + 1];
    char crl[path_size_max + 1];
    uint32_t tls_min;  // 12 or 13
    bool certificate_is_user;  // the person whom the certificate names is logged in by it
    char lab_keys[path_size_max + 1];
    char passphrase_file[path_size_max + 1];
};

// A section [terminal NAME]: what may be done from where a certificate of that name is used. The
// one of the name `default` holds for all others. Amounts are decimal text in the book's currency.
struct TerminalConfig {
    char name[name_size_max + 1];
    uint32_t roles;            // a bit for each role, as entry.h numbers them
    char accounts[config_names_size_max + 1];  // names, one blank between them; empty: any
    char amount_max[config_amount_size_max + 1];
    char day_max[config_amount_size_max + 1];
    char pin_above[config_amount_size_max + 1];
    bool login;                // a person must log in for anything at all
};

struct Config {
    // [server]
    char data[path_size_max + 1];
    uint32_t threads;       // 0: as many as processors
    Registration registration;
    bool self_service;      // customers deposit and withdraw for themselves
    char message[config_message_size_max + 1];
    bool issue;             // the server signs what terminals ask for
    char issuing_certificate[path_size_max + 1];
    char issuing_key[path_size_max + 1];
    uint32_t issued_days;   // of validity of what it signs
    char message_key[path_size_max + 1];  // empty: the server takes no messages itself
    uint32_t crl_days;      // that pennyctl makes lists for; 0: until their signer ends
    uint32_t handshake_ms;  // from accept to an established channel
    uint32_t login_ms;      // from there to a login
    uint32_t request_ms;    // from a request's first byte to its last
    uint32_t idle_s;        // without a request
    uint32_t renew_grace_days;  // for which an expired certificate may renew itself
    uint32_t password_memory_kib;
    uint32_t password_passes;
    uint32_t penalty_free;        // failed logins of one person that cost nothing
    uint32_t penalty_s;           // the longest wait for more of them
    uint32_t penalty_shared_free;  // the same for an address, and for a terminal
    uint32_t penalty_shared_s;
    uint32_t penalty_first_ms;    // the shortest wait
    uint32_t penalty_half_life_s;
    char penalty_exempt[config_prefixes_size_max + 1];
    uint32_t reverse_minutes;     // for a till's own entries
    uint32_t refused_per_minute;  // journaled refusals of one person
    uint32_t register_per_day;    // people whom one terminal registers on a local day
    char pin_above[config_amount_size_max + 1];  // empty: no amount needs a PIN
    uint32_t checkpoint_entries;
    uint32_t checkpoint_minutes;
    uint32_t segment_size_kib;    // a multiple of block_size
    uint32_t clock_step_max_days;
    char temperature[config_sensor_size_max + 1];  // as sensor_parse has it
    char sensor_root[path_size_max + 1];           // a folder's name from / on
    char time_zone[config_zone_size_max + 1];

    // [ledger]
    char currency[config_currency_size_max + 1];
    uint32_t scale;  // decimals

    // [limits]
    uint32_t sessions;
    uint32_t strangers_per_source;  // that have not logged in
    uint32_t handshakes;  // at once
    uint32_t accounts;
    uint32_t ids;         // remembered
    uint32_t terminals;
    uint32_t holds;       // open at once
    uint32_t reversible;  // entries that REVERSE reaches back
    uint32_t items;
    uint32_t orders;      // open ones and the newest closed ones
    uint32_t message_keys;  // people who have published one
    uint32_t messages;    // that wait for all
    uint32_t mailbox;     // that wait for one person
    uint32_t multi;       // commands of one group
    uint32_t groups;      // being queued at once
    uint32_t penalty_sources;
    uint32_t penalty_pairs;
    uint32_t buffers;     // sets of I/O buffers, lent to sessions while they are active
    uint32_t lab_sessions;  // of the laboratory, at once
    uint32_t hashes;      // logins waiting for a password hash
    uint32_t reads;       // of the journal, at once

    ListenerConfig listeners[listeners_max];
    uint32_t listener_count;

    TerminalConfig terminal_sections[terminals_config_max];
    uint32_t terminal_section_count;

    bool lab_only;  // no bank is behind the listeners; no option, but what pennyd --lab makes
};

// How an option is written.
enum class ConfigType : uint8_t {
    number,        // decimal; min and max bound the value
    flag,          // yes or no
    registration,  // off, till or open
    tls_version,   // 1.2 or 1.3
    text,          // printable UTF-8; min and max bound its bytes, as in all below
    path,          // a file's or folder's name, as text
    root,          // a folder of the machine, no part of the bank, from / on
    address,       // IPv4 or IPv6 in figures, never a name to look up
    prefixes,      // a list of such addresses, each perhaps with the length of a prefix
    currency,      // upper-case letters
    zone,          // the name of a time zone, as config_is_zone has it
    sensor,        // where a temperature comes from, as sensor_parse has it
    channel,       // the name of a channel that this build has
    roles,         // one or more roles, as a set; blanks and commas between them
    names,         // names of accounts, in the same way; none is allowed too
    amount,        // decimal, empty for none; min is the least one in minor units
};

// One row of config.def.
struct ConfigRow {
    const char* section;  // "listener" for each [listener NAME], "terminal" likewise
    const char* key;
    ConfigType type;
    uint32_t offset;      // bytes, in Config, ListenerConfig or TerminalConfig
    const char* value_default;
    uint32_t min;
    uint32_t max;
    const char* unit;     // "" where there is none
    const char* help;     // one sentence
};

// Every option at its default, and no listener.
void config_defaults(Config& config);

// Reads the INI text of a whole file over what `config` holds. `file_name` is for the sentence,
// which begins with "FILE:LINE: ". Returns ok, or invalid (O2).
Status config_parse(Config& config, const char* file_name, Slice text, Writer& error);

// Takes one assignment, "section.key=value" or "listener NAME.key=value", over what was there. A
// listener or terminal that is not there yet is added. Returns ok, or invalid (O2).
Status config_set(Config& config, Slice assignment, Writer& error);

// Says whether the options fit together. Returns ok, or invalid with the sentence.
Status config_check(const Config& config, Writer& error);

// True for what can be the name of a time zone: words of letters, digits and _ + - with a single /
// between them, the first of which begins with a letter. So it never leads out of a folder.
bool config_is_zone(Slice text);

// Says whether a running server can take over what a file says now: its listeners are all there, on
// the same channels, and the ledger's currency is the same. Returns ok, or invalid with the
// sentence.
Status config_check_reload(const Config& running, const Config& fresh, Writer& error);

// Puts the options that differ and wait for a restart, such as "limits accounts, listener tls
// port". [terminal NAME], and a listener's certificate, key, ca and crl, do not wait.
void config_put_waiting(const Config& running, const Config& fresh, Writer& out);

// The listener of that name, or nullptr.
const ListenerConfig* config_find_listener(const Config& config, Slice name);

// Whether a listener is of that channel, and the first one of channel tls; 0 where there is none.
bool config_is_channel(const ListenerConfig& listener, const char* channel);
uint32_t config_bank_listener(const Config& config);

// The words that `roles` may have, in the order of their bits.
inline constexpr uint32_t config_role_count = 5;
const char* config_role_word(uint32_t index);

// All rows, in the order of config.def.
uint32_t config_row_count();
const ConfigRow& config_row(uint32_t index);

// Puts what a row allows, such as "a number from 1 to 20000".
void config_put_range(Writer& writer, const ConfigRow& row);
