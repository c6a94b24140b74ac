#include "pennyctl/init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "config.h"
#include "crypto/crypto.h"
#include "crypto/password.h"
#include "pennyctl/authority.h"
#include "pennyctl/book_seed.h"
#include "pennyctl/prompt.h"
#include "server_limits.h"

namespace {

constexpr uint32_t people_max = 1 + init_tills_max;
constexpr uint32_t certificates_max = 5;
constexpr uint32_t data_path_size_max = 4096;
constexpr uint32_t demo_password_size = 12;  // characters of 5 random bits each

struct Person {
    const char* name;
    const char* role;
    int64_t deposit;  // whole units of the currency
};

constexpr Person demo_people[] = {
    {"alice", "customer", 50},
    {"bob", "customer", 20},
    {"till", "till", 0},
    {"admin", "admin", 0},
};
struct DemoItem {
    const char* name;
    const char* title;
    int64_t price;  // hundredths of the currency
};

constexpr DemoItem demo_items[] = {
    {"mate", "Mate, 0.5 l", 150}, {"pretzel", "Pretzel", 120}, {"coffee", "Coffee", 100}};
constexpr uint32_t demo_item_count = sizeof demo_items / sizeof demo_items[0];

constexpr uint32_t demo_count = sizeof demo_people / sizeof demo_people[0];
static_assert(demo_count <= people_max);
constexpr Person first_person = {"admin", "admin", 0};

constexpr const char* demo_certificates[] = {"alice", "bob", "till", "admin", "kiosk"};

// What a new bank consists of, beside a certificate and key for each client.
constexpr const char* paths[] = {"pennyd.conf",      "client.conf",      "certs/ca.crt",
                                 "certs/ca.key",     "certs/server.crt", "certs/server.key",
                                 "certs/crl.pem",    "certs/message.key", "certs/issued",
                                 "data"};

// All of one run. Secrets in it are wiped before the program ends.
struct Init {
    InitOptions options;
    Person people[people_max];
    uint32_t people_count;
    const char* certificates[certificates_max];
    uint32_t certificate_count;
    Password passwords[people_max];
    SeedPerson rows[people_max];
    Config config;  // all at its defaults
    uint64_t wall_ms;
    Made made;
};

uint32_t text_size(const char* text) { return static_cast<uint32_t>(strlen(text)); }

// --- The command line. ---

bool is_address(const char* text) {
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool is_currency(const char* text) {
    const uint32_t size = text_size(text);
    if (size == 0 || size > config_currency_size_max) return false;
    for (uint32_t i = 0; i < size; i++) {
        if (text[i] < 'A' || text[i] > 'Z') return false;
    }
    return true;
}

ExitCode take_host(InitOptions& options, const char* value) {
    if (!certificate_host_is_valid(tool_slice(value))) {
        return tool_misused("--name takes a host's name or address, not \"%s\"", value);
    }
    if (options.host_count == init_hosts_max) {
        return tool_misused("--name may be given %u times at most", init_hosts_max);
    }
    options.hosts[options.host_count++] = value;
    return exit_done;
}

ExitCode take_scale(InitOptions& options, const char* value) {
    uint64_t scale = 0;
    if (parse_decimal(tool_slice(value), scale) != Status::ok || scale > scale_max) {
        return tool_misused("--scale takes a number from 0 to %u, not \"%s\"", scale_max, value);
    }
    options.scale = static_cast<uint32_t>(scale);
    return exit_done;
}

ExitCode take_till(InitOptions& options, const char* value) {
    Name name = {};
    if (parse_name(tool_slice(value), name) != Status::ok || name_is_reserved(name) ||
        authority_is_word(value) || strcmp(value, first_person.name) == 0) {
        return tool_misused("--till takes a new name: a letter, then letters, digits and ._- in "
                            "lower case, not \"%s\"", value);
    }
    if (options.till_count == init_tills_max) {
        return tool_misused("--till may be given %u times at most", init_tills_max);
    }
    for (uint32_t i = 0; i < options.till_count; i++) {
        if (strcmp(options.tills[i], value) != 0) continue;
        return tool_misused("--till %s is there twice", value);
    }
    options.tills[options.till_count++] = value;
    return exit_done;
}

ExitCode take_option(InitOptions& options, const char* option, ToolWords& words) {
    if (strcmp(option, "--demo") == 0) {
        if (!tool_value_is_absent(words)) return tool_misused("--demo takes no value");
        options.demo = true;
        return exit_done;
    }
    if (strcmp(option, "--no-message-key") == 0) {
        if (!tool_value_is_absent(words)) return tool_misused("--no-message-key takes no value");
        options.no_message_key = true;
        return exit_done;
    }
    const bool is_known = strcmp(option, "--address") == 0 || strcmp(option, "--name") == 0 ||
                          strcmp(option, "--currency") == 0 || strcmp(option, "--scale") == 0 ||
                          strcmp(option, "--till") == 0 ||
                          strcmp(option, "--password-file") == 0;
    if (!is_known) return tool_misused("init has no option \"%s\"", option);
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused("%s wants a value", option);
    if (strcmp(option, "--name") == 0) return take_host(options, value);
    if (strcmp(option, "--scale") == 0) return take_scale(options, value);
    if (strcmp(option, "--till") == 0) return take_till(options, value);
    if (strcmp(option, "--password-file") == 0) {
        options.password_file = value;
    } else if (strcmp(option, "--currency") == 0) {
        if (!is_currency(value)) {
            return tool_misused("--currency takes 1 to %u letters A to Z, not \"%s\"",
                                config_currency_size_max, value);
        }
        options.currency = value;
    } else {
        if (!is_address(value)) {
            return tool_misused("--address takes an address in figures, not \"%s\"", value);
        }
        options.address = value;
    }
    return exit_done;
}

ExitCode take_options(InitOptions& options, int argc, char** argv) {
    options.address = "127.0.0.1";
    options.currency = "EUR";
    options.scale = 2;
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    while (const char* word = tool_next(words, is_option)) {
        ExitCode code = exit_done;
        if (is_option) {
            code = take_option(options, word, words);
        } else if (options.dir != nullptr) {
            code = tool_misused("init takes one DIR, and \"%s\" is a second one", word);
        } else {
            options.dir = word;
        }
        if (code != exit_done) return code;
    }
    if (options.dir == nullptr || options.dir[0] == '\0') {
        return tool_misused("init wants the DIR to make; pennyctl init --help");
    }
    if (options.demo && options.password_file != nullptr) {
        return tool_misused("--demo makes the passwords itself; leave --password-file out");
    }
    if (options.demo && options.till_count > 0) {
        return tool_misused("--demo makes a till itself; leave --till out");
    }
    return exit_done;
}

// --- What must hold before anything is made. ---

ExitCode refuse_if_there(const Init& init, const char* path) {
    if (!made_is_there(init.made, path)) return exit_done;
    return tool_refuse("%s/%s is there already; nothing was changed", init.options.dir, path);
}

ExitCode check_nothing_there(const Init& init) {
    for (const char* path : paths) {
        const ExitCode code = refuse_if_there(init, path);
        if (code != exit_done) return code;
    }
    for (uint32_t i = 0; i < init.certificate_count; i++) {
        const char* name = init.certificates[i];
        ExitCode code = refuse_if_there(init, init_client_path(name, "crt").text);
        if (code == exit_done) code = refuse_if_there(init, init_client_path(name, "key").text);
        if (code == exit_done) code = refuse_if_there(init, init_client_path(name, "conf").text);
        if (code != exit_done) return code;
    }
    return exit_done;
}

// --- Passwords. ---

ExitCode draw_password(Password& out) {
    constexpr char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";  // None is taken for another.
    static_assert(sizeof letters - 1 == 32);
    if (crypto_random(out.bytes, demo_password_size) != Status::ok) {
        return tool_refuse("the system gives no random bytes");
    }
    out.size = demo_password_size;
    for (uint32_t i = 0; i < out.size; i++) {
        out.bytes[i] = static_cast<uint8_t>(letters[out.bytes[i] & 31]);
    }
    return exit_done;
}

ExitCode choose_passwords(Init& init) {
    if (!init.options.demo) {
        const char* file = init.options.password_file;
        if (file != nullptr) return password_read_file(file, init.passwords, init.people_count);
        for (uint32_t i = 0; i < init.people_count; i++) {
            const ExitCode code = password_ask(init.people[i].name, init.passwords[i]);
            if (code != exit_done) return code;
        }
        return exit_done;
    }
    for (uint32_t i = 0; i < init.people_count; i++) {
        const ExitCode code = draw_password(init.passwords[i]);
        if (code != exit_done) return code;
    }
    return exit_done;
}

ExitCode hash_passwords(Init& init) {
    const PasswordCost cost = {init.config.password_memory_kib, init.config.password_passes};
    PasswordArena arena = {};
    arena.size = password_arena_size(cost);
    arena.memory = static_cast<uint8_t*>(malloc(static_cast<size_t>(arena.size)));
    if (arena.memory == nullptr) return tool_refuse("no memory to hash a password");
    Status status = Status::ok;
    for (uint32_t i = 0; i < init.people_count && status == Status::ok; i++) {
        PasswordRecord& record = init.rows[i].password;
        Writer phc = writer_of(reinterpret_cast<uint8_t*>(record.text), sizeof record.text);
        const Password& password = init.passwords[i];
        status = password_hash(arena, cost, {password.bytes, password.size}, phc);
        record.size = static_cast<uint8_t>(phc.size);
    }
    free(arena.memory);
    if (status == Status::ok) return exit_done;
    return tool_refuse("cannot hash a password: %s", status_meaning(status));
}

// --- Who is in it. ---

void choose_people(Init& init) {
    if (init.options.demo) {
        for (const Person& person : demo_people) init.people[init.people_count++] = person;
        for (const char* name : demo_certificates) {
            init.certificates[init.certificate_count++] = name;
        }
        return;
    }
    init.people[init.people_count++] = first_person;
    for (uint32_t i = 0; i < init.options.till_count; i++) {
        init.people[init.people_count++] = {init.options.tills[i], "till", 0};
    }
    for (uint32_t i = 0; i < init.people_count; i++) {
        init.certificates[init.certificate_count++] = init.people[i].name;
    }
}

// --- Making it. ---

ExitCode refuse_file(const Init& init, const char* path) {
    return tool_refuse("%s/%s: %s", init.options.dir, path, strerror(errno));
}

ExitCode refuse_folder(const Init& init) {
    return tool_refuse("%s: %s", init.options.dir, strerror(errno));
}

ExitCode make_conf(Init& init) {
    static uint8_t text[init_conf_size_max];
    uint8_t reason[config_error_size_max];
    Writer error = writer_of(reason, sizeof reason);
    Writer conf = writer_of(text, sizeof text);
    if (init_put_server_conf(init.options, conf, error) != Status::ok) {
        return tool_refuse_said(error);
    }
    if (made_file(init.made, "pennyd.conf", 0644, writer_slice(conf)) != Status::ok) {
        return refuse_file(init, "pennyd.conf");
    }
    conf = writer_of(text, sizeof text);
    init_put_client_conf(init.options, init.people[0].name, conf);
    CHECK(!conf.overflow);
    if (made_file(init.made, "client.conf", 0644, writer_slice(conf)) != Status::ok) {
        return refuse_file(init, "client.conf");
    }
    return exit_done;
}

ExitCode make_till_confs(Init& init) {
    static uint8_t text[init_conf_size_max];
    for (uint32_t i = 0; i < init.options.till_count; i++) {
        const MadePath path = init_client_path(init.options.tills[i], "conf");
        Writer conf = writer_of(text, sizeof text);
        init_put_till_conf(init.options, init.options.tills[i], conf);
        CHECK(!conf.overflow);
        if (made_file(init.made, path.text, 0644, writer_slice(conf)) != Status::ok) {
            return refuse_file(init, path.text);
        }
    }
    return exit_done;
}

// With fewer decimals than prices have, what is left of them.
void fill_items(int64_t unit, SeedItem* items) {
    for (uint32_t i = 0; i < demo_item_count; i++) {
        const Status named = parse_name(tool_slice(demo_items[i].name), items[i].name);
        const Status titled = parse_title(tool_slice(demo_items[i].title), items[i].title);
        CHECK(named == Status::ok);
        CHECK(titled == Status::ok);
        const int64_t price = demo_items[i].price * unit / 100;
        items[i].price = price > 0 ? price : 1;
    }
}

ExitCode make_book(Init& init) {
    if (made_folder(init.made, "data", 0700) != Status::ok) return refuse_file(init, "data");
    int64_t unit = 1;
    for (uint32_t i = 0; i < init.options.scale; i++) unit *= 10;
    for (uint32_t i = 0; i < init.people_count; i++) {
        SeedPerson& row = init.rows[i];
        const Status named = parse_name(tool_slice(init.people[i].name), row.name);
        const Status ranked = parse_role(tool_slice(init.people[i].role), row.role);
        CHECK(named == Status::ok);
        CHECK(ranked == Status::ok);
        row.deposit = init.people[i].deposit * unit;
    }
    char data[data_path_size_max];
    const int size = snprintf(data, sizeof data, "%s/data", init.options.dir);
    if (size < 0 || static_cast<uint32_t>(size) >= sizeof data) {
        return tool_refuse("the name of the folder is too long");
    }
    SeedBook seed = {};
    seed.currency = init.options.currency;
    seed.scale = static_cast<uint8_t>(init.options.scale);
    seed.limits = server_limits_of(init.config);
    seed.segment_size = seed_segment_size;
    seed.wall_ms = init.wall_ms;
    seed.people = init.rows;
    seed.person_count = init.people_count;
    SeedItem items[demo_item_count];
    if (init.options.demo) {
        fill_items(unit, items);
        seed.items = items;
        seed.item_count = demo_item_count;
    }
    Hash digest = {};
    uint8_t reason[config_error_size_max];
    Writer error = writer_of(reason, sizeof reason);
    if (book_seed(data, seed, digest, error) == Status::ok) return exit_done;
    return tool_refuse_said(error);
}

// Puts a command that begins with `start`, names a file of the bank, and goes on with `rest`.
void print_command(const Init& init, const char* start, const char* file, const char* rest) {
    char path[data_path_size_max];
    uint8_t text[4 * sizeof path];
    Writer quoted = writer_of(text, sizeof text);
    snprintf(path, sizeof path, "%s/%s", init.options.dir, file);
    put_shell_word(quoted, path);
    printf("  %s%.*s%s\n", start, static_cast<int>(quoted.size), reinterpret_cast<char*>(text),
           rest);
}

ExitCode print_outcome(const Init& init) {
    if (init.options.demo) {
        printf("A demo bank is in %s. Its passwords, shown this once:\n\n", init.options.dir);
        for (uint32_t i = 0; i < init.people_count; i++) {
            printf("login %s %.*s\n", init.people[i].name,
                   static_cast<int>(init.passwords[i].size),
                   reinterpret_cast<const char*>(init.passwords[i].bytes));
        }
        printf("\nNext:\n\n");
    } else {
        printf("A bank is in %s. Next:\n\n", init.options.dir);
    }
    print_command(init, "pennyd ", "pennyd.conf", "");
    print_command(init, "penny -c ", "client.conf", " WHOAMI");
    print_command(init, "penny -c ", "client.conf", "");
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return exit_done;
    return tool_refuse("standard output cannot be written, so nothing was made");
}

ExitCode make_all(Init& init) {
    ExitCode code = make_conf(init);
    if (code == exit_done) {
        code = init_make_certificates(init.made, init.options, init.certificates,
                                      init.certificate_count, init.wall_ms);
    }
    if (code == exit_done && !init.options.no_message_key) {
        code = init_make_message_key(init.made);
    }
    if (code == exit_done) code = make_till_confs(init);
    if (code == exit_done) code = make_book(init);
    if (code == exit_done && made_sync(init.made) != Status::ok) code = refuse_folder(init);
    return code == exit_done ? print_outcome(init) : code;
}

// Asks before it makes anything, and takes back what it made when it cannot make the rest.
ExitCode init_folder(Init& init) {
    ExitCode code = check_nothing_there(init);
    if (code == exit_done) code = choose_passwords(init);
    if (code == exit_done) code = hash_passwords(init);
    if (code != exit_done) return code;
    if (made_begin(init.made) != Status::ok) return refuse_folder(init);
    code = make_all(init);
    if (code != exit_done) made_undo(init.made);
    return code;
}

}  // namespace

int verb_init(int argc, char** argv) {
    static Init init;
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    ExitCode code = take_options(init.options, argc, argv);
    if (code != exit_done) return code;
    choose_people(init);
    config_defaults(init.config);
    init.wall_ms = tool_wall_ms();
    crypto_clock_set(init.wall_ms);
    code = tool_check_clock(init.wall_ms);
    if (code != exit_done) return code;
    if (made_look(init.made, init.options.dir) != Status::ok) return refuse_folder(init);
    code = init_folder(init);
    made_close(init.made);
    wipe(init.passwords, sizeof init.passwords);
    return code;
}
