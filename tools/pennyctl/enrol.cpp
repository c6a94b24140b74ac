// enrol: codes with which terminals get their first certificate, and what waits for a signature.
#include "pennyctl/enrol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/sign.h"
#include "pennyctl/bank_files.h"
#include "pennyctl/offline.h"
#include "port/posix/enrol_files.h"
#include "port/posix/system.h"

namespace {

constexpr const char* verb = "enrol";
constexpr uint64_t ms_per_hour = 3'600'000;
constexpr uint64_t kept_ms = 7 * 24 * ms_per_hour;  // that a code is kept behind its time
constexpr uint32_t hours_max = 24 * 90;
constexpr uint32_t rows_max = 4 * enrol_codes_max;

enum class Action : uint8_t { make, list, sign, forget };

struct EnrolWords {
    Action action;
    const char* name;   // nullptr for --sign of all, and --list
    const char* bank;   // nullptr for the usual one
    uint32_t hours;
};

EnrolSpool spool;  // Too large for a stack.

// --- The words ------------------------------------------------------------------------------

ExitCode misused(const char* what) { return tool_misused_verb(verb, "%s", what); }

ExitCode take_hours(EnrolWords& out, const char* value) {
    uint64_t hours = 0;
    const bool is_one = value != nullptr && parse_decimal(tool_slice(value), hours) == Status::ok;
    if (!is_one || hours == 0 || hours > hours_max) {
        return tool_misused_verb(verb, "--hours takes a number from 1 to %u", hours_max);
    }
    out.hours = static_cast<uint32_t>(hours);
    return exit_done;
}

ExitCode take_option(EnrolWords& out, const char* word, ToolWords& words) {
    const struct {
        const char* word;
        Action action;
    } rows[] = {{"--list", Action::list}, {"--sign", Action::sign}, {"--forget", Action::forget}};
    if (strcmp(word, "--hours") == 0) return take_hours(out, tool_value(words));
    for (const auto& row : rows) {
        if (strcmp(word, row.word) != 0) continue;
        if (!tool_value_is_absent(words)) return misused("its options take no value but --hours");
        if (out.action != Action::make) return misused("one of --list, --sign and --forget");
        out.action = row.action;
        return exit_done;
    }
    return tool_misused_verb(verb, "no option \"%s\"", word);
}

// A single word behind --sign is a terminal's name, unless there is a bank of that name.
bool is_bank(const char* word) { return access(word, F_OK) == 0; }

ExitCode take_words(EnrolWords& out, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    const char* plain[2] = {};
    uint32_t count = 0;
    bool is_option = false;
    out.hours = 24;
    for (const char* word = nullptr; (word = tool_next(words, is_option)) != nullptr;) {
        if (is_option) {
            const ExitCode code = take_option(out, word, words);
            if (code != exit_done) return code;
        } else if (count == 2) {
            return tool_misused_verb(verb, "what is \"%s\"", word);
        } else {
            plain[count++] = word;
        }
    }
    const bool wants_name = out.action == Action::make || out.action == Action::forget;
    const bool has_name = wants_name || (out.action == Action::sign && count > 0 &&
                                         (count == 2 || !is_bank(plain[0])));
    if (wants_name && count == 0) return misused("which terminal?");
    if (!has_name && count == 2) return tool_misused_verb(verb, "what is \"%s\"", plain[1]);
    if (has_name) out.name = plain[0];
    out.bank = plain[has_name ? 1 : 0];
    return exit_done;
}

ExitCode check_name(const char* text, Name& out) {
    if (parse_name(tool_slice(text), out) == Status::ok && !name_is_reserved(out)) {
        return exit_done;
    }
    return tool_refuse("\"%s\" cannot be a terminal's name; it takes a lower-case letter, then up "
                       "to 30 of a-z 0-9 . _ -, not ending in .", text);
}

// --- The spool ------------------------------------------------------------------------------

ExitCode refuse_errno(const char* what) {
    return tool_refuse("%s/%s: %s", spool.place.data.text, what, strerror(errno));
}

uint32_t find_listener(const Config& config) {
    uint32_t i = 0;
    while (i < config.listener_count && !config_is_channel(config.listeners[i], "enrol")) i++;
    return i;
}

ExitCode open_spool(const char* given) {
    static uint8_t text[PATH_MAX + config_error_size_max];
    spool.error = writer_of(text, sizeof text);
    spool.wall_ms = tool_wall_ms();
    if (given == nullptr) given = offline_default();
    if (given == nullptr) return tool_refuse("which bank? Name its folder or its configuration");
    ExitCode code = place_find(given, spool.place, spool.error);
    if (code == exit_done && spool.place.conf.text[0] == '\0') {
        code = tool_refuse("%s: there is no pennyd.conf in it", given);
    }
    if (code == exit_done) code = tool_check_clock(spool.wall_ms);
    if (code != exit_done) return code;
    if (crypto_init(nullptr) != Status::ok) {
        return tool_refuse("the library of cryptography could not be readied");
    }
    spool.listener = find_listener(spool.place.config);
    spool.dir_fd = open(spool.place.data.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return spool.dir_fd >= 0 ? exit_done : refuse_errno("");
}

// What root makes, the server must be able to read and to replace.
int give_to_owner(int fd) {
    struct stat facts;
    if (geteuid() != 0) return 0;
    if (fstat(spool.dir_fd, &facts) != 0) return -1;
    return fchown(fd, facts.st_uid, facts.st_gid);
}

ExitCode make_folder() {
    if (enrol_files_make_folder(store_calls_posix, spool.dir_fd) != Status::ok) {
        return refuse_errno(enrol_folder);
    }
    const int fd = openat(spool.dir_fd, enrol_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_given = fd >= 0 && give_to_owner(fd) == 0;
    const ExitCode code = is_given ? exit_done : refuse_errno(enrol_folder);
    if (fd >= 0) close(fd);
    return code;
}

struct Bases {
    uint32_t count;
    EnrolBase rows[rows_max];
};

Bases bases;

bool has(const EnrolBase& base, const char* ending) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s%s", enrol_folder, base.text, ending);
    return faccessat(spool.dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

// Each base once: by its .code, or by the request of a renewal, or by its answer without that.
Status note_base(void* context, const char* name) {
    (void)context;
    const char* dot = strrchr(name, '.');
    Name terminal = {};
    if (dot == nullptr) return Status::ok;
    const Slice text = slice_of_chars(name, static_cast<uint32_t>(dot - name));
    if (!enrol_base_parse(text, terminal)) return Status::ok;
    EnrolBase base = {};
    memcpy(base.text, text.data, text.size);
    const bool is_code = terminal.size == 0 && strcmp(dot, ".code") == 0;
    const bool is_renewal = terminal.size > 0 &&
                            (strcmp(dot, ".csr") == 0 ||
                             (strcmp(dot, ".crt") == 0 && !has(base, ".csr")));
    if (!is_code && !is_renewal) return Status::ok;
    if (bases.count == rows_max) return Status::full;
    bases.rows[bases.count++] = base;
    return Status::ok;
}

ExitCode list_bases() {
    bases.count = 0;
    const Status status = file_each(spool.dir_fd, enrol_folder, note_base, nullptr);
    if (status == Status::ok || errno == ENOENT) return exit_done;
    if (status == Status::full) {
        return tool_refuse("%s/%s: there are more than %u files", spool.place.data.text,
                           enrol_folder, rows_max);
    }
    return refuse_errno(enrol_folder);
}

// Returns false for a file that is damaged, or gone.
bool read_row(const EnrolBase& base, EnrolRow& out) {
    uint8_t text[enrol_grant_size_max];
    uint32_t size = 0;
    out = {};
    out.base = base;
    (void)enrol_base_parse(slice_of(base.text), out.name);
    out.is_renewal = out.name.size > 0;
    out.has_request = has(base, ".csr");
    out.has_answer = has(base, ".crt");
    if (out.is_renewal) return true;
    if (enrol_read(spool, base, ".code", text, sizeof text, size) != exit_done) return false;
    EnrolGrant grant = {};
    if (enrol_grant_parse({text, size}, grant) != Status::ok) {
        (void)tool_refuse("%s/%s/%s.code is damaged; remove it", spool.place.data.text,
                          enrol_folder, base.text);
        return false;
    }
    out.name = grant.name;
    out.expires_ms = grant.expires_ms;
    return true;
}

void drop(const EnrolRow& row) {
    constexpr const char* endings[] = {".code",     ".csr",     ".crt",
                                       ".code.new", ".csr.new", ".crt.new"};
    for (const char* ending : endings) {
        (void)enrol_files_drop(store_calls_posix, spool.dir_fd, row.base, ending);
    }
}

// Codes that nobody used, or whose answer was long there to be fetched.
ExitCode clear_old(void* context, const EnrolRow& row) {
    uint32_t& left = *static_cast<uint32_t*>(context);
    const bool waits = row.has_request && !row.has_answer;
    if (row.is_renewal) return exit_done;
    if (!waits && row.expires_ms + kept_ms < spool.wall_ms) {
        drop(row);
    } else if (!row.has_request && !row.has_answer) {
        left++;
    }
    return exit_done;
}

// --- Making a code --------------------------------------------------------------------------

// The CA that the listener shows, to which the code is bound.
ExitCode read_anchor(EnrolCode& code) {
    static uint8_t pem[65536];
    const ListenerConfig& listener = spool.place.config.listeners[spool.listener];
    const ToolPath path = place_resolve(spool.place, listener.ca);
    uint32_t size = 0;
    if (system_read_file(path.text, pem, sizeof pem, size) != Status::ok) {
        return tool_refuse("%s: %s", path.text, strerror(errno));
    }
    Hash ca = {};
    if (sign_fingerprint({pem, size}, ca) != Status::ok) {
        return tool_refuse("%s holds no certificate", path.text);
    }
    enrol_code_set_anchor(code, ca);
    return exit_done;
}

// Where the terminal finds the server, as far as the configuration tells.
void put_host(Writer& out) {
    const ListenerConfig& listener = spool.place.config.listeners[spool.listener];
    const bool is_any = strcmp(listener.address, "0.0.0.0") == 0 ||
                        strcmp(listener.address, "::") == 0;
    char host[256] = {};
    const bool v6 = !is_any && strchr(listener.address, ':') != nullptr;
    if (is_any && gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "HOST");
    if (v6) put_text(out, "[");
    put_text(out, is_any ? host : listener.address);
    if (v6) put_text(out, "]");
    const bool is_usual = listener.port == config_enrol_port || listener.port == 0;
    if (is_usual && !v6) return;
    put_text(out, ":");
    put_decimal(out, is_usual ? config_enrol_port : listener.port);
}

ExitCode print_code(const EnrolCode& code, const EnrolGrant& grant) {
    uint8_t text[1024];
    Writer out = writer_of(text, sizeof text);
    put_text(out, "code ");
    put_enrol_code(out, code);
    put_text(out, "\nexpires ");
    put_utc_seconds(out, grant.expires_ms);
    put_text(out, "\n\nOn the terminal:\n\n    penny enrol ");
    put_host(out);
    put_text(out, " ");
    put_enrol_code(out, code);
    put_text(out, "\n");
    CHECK(!out.overflow);
    fwrite(text, 1, out.size, stdout);
    return tool_flushed(exit_done);
}

ExitCode make(const EnrolWords& words) {
    EnrolGrant grant = {};
    EnrolCode code = {};
    uint32_t left = 0;
    ExitCode result = check_name(words.name, grant.name);
    if (result == exit_done && spool.listener == spool.place.config.listener_count) {
        result = tool_refuse("%s has no listener for it; add a section [listener enrol] with "
                             "channel = enrol, and certificate, key and ca as those of channel "
                             "tls, and start the server again", spool.place.conf.text);
    }
    if (result == exit_done) result = make_folder();
    if (result == exit_done) result = enrol_each(spool, clear_old, &left);
    if (result == exit_done && left >= enrol_codes_max) {
        result = tool_refuse("%u codes wait to be used; pennyctl enrol --list shows them, and "
                             "--forget NAME takes one away", left);
    }
    if (result == exit_done) result = read_anchor(code);
    if (result != exit_done) return result;
    if (crypto_random(code.secret, sizeof code.secret) != Status::ok) {
        return tool_refuse("the system gives no random bytes");
    }
    const uint64_t expires_ms = spool.wall_ms + words.hours * ms_per_hour;
    grant.expires_ms = expires_ms - expires_ms % 1000;
    uint8_t text[enrol_grant_size_max];
    Writer out = writer_of(text, sizeof text);
    put_enrol_grant(out, grant);
    result = enrol_write(spool, enrol_base_of_code(code), ".code", writer_slice(out));
    if (result == exit_done) result = print_code(code, grant);
    wipe(&code, sizeof code);
    return result;
}

// --- Listing and forgetting -----------------------------------------------------------------

ExitCode print_row(void* context, const EnrolRow& row) {
    bool& any = *static_cast<bool*>(context);
    uint8_t text[32];
    Writer time = writer_of(text, sizeof text - 1);
    if (!row.is_renewal) put_utc_seconds(time, row.expires_ms);
    text[time.size] = '\0';
    const char* expires = row.is_renewal ? "-" : reinterpret_cast<const char*>(text);
    const bool is_over = !row.is_renewal && row.expires_ms <= spool.wall_ms;
    const char* state = row.has_answer    ? "answered"
                        : row.has_request ? "waits for pennyctl enrol --sign"
                        : is_over         ? "expired"
                                          : "unused";
    printf("%-31.*s  %-9s  %-20s  %s\n", static_cast<int>(row.name.size), row.name.text,
           row.is_renewal ? "renewal" : "enrolment", expires, state);
    any = true;
    return exit_done;
}

ExitCode list() {
    bool any = false;
    const ExitCode code = enrol_each(spool, print_row, &any);
    if (code == exit_done && !any) puts("there are no codes and no requests");
    return code == exit_done ? tool_flushed(code) : code;
}

struct Forgetting {
    Name name;
    uint32_t count;
};

ExitCode forget_row(void* context, const EnrolRow& row) {
    Forgetting& forgetting = *static_cast<Forgetting*>(context);
    if (!name_equal(row.name, forgetting.name)) return exit_done;
    drop(row);
    forgetting.count++;
    return exit_done;
}

ExitCode forget(const char* name) {
    Forgetting forgetting = {};
    ExitCode code = check_name(name, forgetting.name);
    if (code == exit_done) code = enrol_each(spool, forget_row, &forgetting);
    if (code != exit_done) return code;
    if (forgetting.count == 0) return tool_refuse("nothing of %s is there", name);
    printf("%s: forgotten\n", name);
    return tool_flushed(exit_done);
}

ExitCode run(const EnrolWords& words) {
    switch (words.action) {
        case Action::make: return make(words);
        case Action::list: return list();
        case Action::sign: return enrol_sign(spool, words.name);
        case Action::forget: return forget(words.name);
    }
    CHECK(false);
    return exit_refused;
}

}  // namespace

ExitCode enrol_each(EnrolSpool& from, ExitCode (*each)(void* context, const EnrolRow& row),
                    void* context) {
    CHECK(&from == &spool);
    ExitCode code = list_bases();
    for (uint32_t i = 0; i < bases.count && code == exit_done; i++) {
        EnrolRow row = {};
        if (read_row(bases.rows[i], row)) code = each(context, row);
    }
    return code;
}

ExitCode enrol_read(const EnrolSpool& from, const EnrolBase& base, const char* ending, uint8_t* out,
                    uint32_t capacity, uint32_t& size) {
    errno = EFBIG;
    const Status status =
        enrol_files_read(store_calls_posix, from.dir_fd, base, ending, out, capacity, size);
    if (status == Status::ok) return exit_done;
    return tool_refuse("%s/%s/%s%s: %s", from.place.data.text, enrol_folder, base.text, ending,
                       status == Status::full ? "it is too long" : strerror(errno));
}

ExitCode enrol_write(const EnrolSpool& to, const EnrolBase& base, const char* ending,
                     Slice bytes) {
    const Status status = enrol_files_write(store_calls_posix, to.dir_fd, base, ending, bytes,
                                            give_to_owner);
    if (status == Status::ok) return exit_done;
    return tool_refuse("%s/%s/%s%s: %s", to.place.data.text, enrol_folder, base.text, ending,
                       strerror(errno));
}

int verb_enrol(int argc, char** argv) {
    EnrolWords words = {};
    ExitCode code = take_words(words, argc, argv);
    if (code == exit_done) code = open_spool(words.bank);
    if (code == exit_done) code = run(words);
    if (spool.dir_fd > 0) close(spool.dir_fd);
    return code;
}
