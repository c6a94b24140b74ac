// user: what USER does on a running server, for one that is stopped. A row per verb in verbs.def.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/password.h"
#include "pennyctl/offline.h"
#include "pennyctl/paper_text.h"
#include "pennyctl/prompt.h"

namespace {

constexpr uint32_t words_max = 2;  // beside the bank

// What was typed behind one of the verbs.
struct UserWords {
    const char* verb;          // "user add"
    const char* words[words_max];
    const char* bank;          // nullptr for the usual one
    const char* role;          // of --role
    PasswordTerm term;         // first with --first
    const char* password_file;
    Role role_found;
};

// Too large for a stack. Secrets in it are wiped at the end of the verb.
Offline offline;
Password password;

constexpr char instead[] = "stop it, or do it as an admin, with USER";

// --- The words ------------------------------------------------------------------------------

ExitCode take_role(UserWords& out, const char* value) {
    if (parse_role(tool_slice(value), out.role_found) == Status::ok) return exit_done;
    return tool_misused_verb(out.verb, "no role \"%s\"; there are customer, till, treasurer, "
                                       "auditor and admin", value);
}

ExitCode take_option(UserWords& out, const char* word, bool has_role, bool has_password,
                     ToolWords& words) {
    const bool is_role = has_role && strcmp(word, "--role") == 0;
    const bool is_file = has_password && strcmp(word, "--password-file") == 0;
    if (has_password && strcmp(word, "--first") == 0) {
        out.term = PasswordTerm::first;
        return exit_done;
    }
    if (!is_role && !is_file) return tool_misused_verb(out.verb, "no option \"%s\"", word);
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused_verb(out.verb, "%s needs a value", word);
    if (is_file) {
        out.password_file = value;
        return exit_done;
    }
    out.role = value;
    return take_role(out, value);
}

// Takes `count` words, and the bank behind them if it is named. `wanted` says what is missing.
ExitCode take_words(UserWords& out, uint32_t count, const char* wanted, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    const bool is_add = strcmp(out.verb, "user add") == 0;
    const bool is_passwd = strcmp(out.verb, "user passwd") == 0;
    bool is_option = false;
    uint32_t met = 0;
    for (const char* word = nullptr; (word = tool_next(words, is_option)) != nullptr;) {
        ExitCode code = exit_done;
        if (is_option) {
            code = take_option(out, word, is_add, is_add || is_passwd, words);
        } else if (met < count) {
            out.words[met++] = word;
        } else if (out.bank == nullptr) {
            out.bank = word;
        } else {
            code = tool_misused_verb(out.verb, "what is \"%s\"", word);
        }
        if (code != exit_done) return code;
    }
    if (met < count) return tool_misused_verb(out.verb, "%s", wanted);
    return strcmp(out.verb, "user role") == 0 ? take_role(out, out.words[1]) : exit_done;
}

// --- Passwords ------------------------------------------------------------------------------

// Never from the command line, where everybody sees them. Whoever pipes one in has no terminal.
ExitCode take_password(const UserWords& words, const char* who) {
    if (words.password_file != nullptr) {
        return password_read_file(words.password_file, &password, 1);
    }
    return isatty(STDIN_FILENO) == 1 ? password_ask(who, password)
                                     : password_read_file("-", &password, 1);
}

// Hashes what was given. Returns replayed when `known` is a record of it already, and no wrapped
// one.
Status hash_password(const PasswordRecord& known, PasswordRecord& out) {
    const Config& config = offline.place.config;
    const PasswordCost cost = {config.password_memory_kib, config.password_passes};
    const Slice phc = slice_of_chars(known.text, known.size);
    PasswordCost most = cost;
    PasswordCost its = {};
    // What a record asks for is bounded where it is read.
    const bool is_known = password_cost_of(phc, its) == Status::ok && !password_is_wrapped(phc);
    if (is_known && its.memory_kib > most.memory_kib) most = its;
    PasswordArena arena = {};
    arena.size = password_arena_size(most);
    arena.memory = static_cast<uint8_t*>(calloc(1, static_cast<size_t>(arena.size)));
    if (arena.memory == nullptr) return Status::oom;
    const Slice secret = {password.bytes, password.size};
    Status status = Status::replayed;
    if (!is_known || password_verify(arena, phc, secret) != Status::ok) {
        Writer record = writer_of(reinterpret_cast<uint8_t*>(out.text), sizeof out.text);
        status = password_hash(arena, cost, secret, record);
        out.size = static_cast<uint8_t>(record.size);
    }
    free(arena.memory);
    return status;
}

// --- The book -------------------------------------------------------------------------------

Ledger& ledger() { return offline.memory.book.ledger; }

ExitCode find_person(const char* word, uint32_t& out) {
    Name name;
    out = row_none;
    if (parse_name(tool_slice(word), name) == Status::ok) {
        out = ledger_find_person(ledger(), name);
    }
    if (out != row_none) return exit_done;
    return tool_refuse("there is no person %s", word);
}

// Writes what was proposed, and tells what was done.
ExitCode commit(const char* who, const char* done) {
    if (offline_write(offline) != Status::ok) return tool_refuse_said(offline.error);
    printf("%s: %s\n", who, done);
    return exit_done;
}

ExitCode nothing_to_do(const char* who) {
    printf("%s: it is so already\n", who);
    return exit_done;
}

ExitCode change(const char* who, BookChange& asked, const char* done) {
    const char* why = nullptr;
    asked.asked_by = row_none;
    if (offline_begin(offline) != Status::ok) return tool_refuse_said(offline.error);
    const Status status = book_change_person(offline.memory.book, offline.wall_ms, asked,
                                             book_tag_none, why);
    if (status == Status::ok) return commit(who, done);
    if (status == Status::replayed) return nothing_to_do(who);
    if (status == Status::state) return tool_refuse("%s: %s", who, why);
    const Status failed = offline_fail(offline, who, status);
    CHECK(failed == Status::failed);
    return tool_refuse_said(offline.error);
}

// A change that is said in one word.
ExitCode change_plainly(const UserWords& words, PersonOperation operation, const char* done) {
    BookChange asked = {};
    asked.operation = operation;
    const ExitCode code = find_person(words.words[0], asked.person);
    return code == exit_done ? change(words.words[0], asked, done) : code;
}

ExitCode open_bank(const UserWords& words) {
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    return offline_open(offline, words.bank, instead);
}

// --- The verbs ------------------------------------------------------------------------------

ExitCode refuse_status(const char* who, Status status) {
    if (status == Status::exists) return tool_refuse("%s: the name is taken", who);
    if (status == Status::err) return tool_refuse("%s: the name is reserved", who);
    if (status == Status::oom) {
        return tool_refuse("%s: there is no room for more people; raise [limits] accounts", who);
    }
    const Status failed = offline_fail(offline, who, status);
    CHECK(failed == Status::failed);
    return tool_refuse_said(offline.error);
}

ExitCode add(const UserWords& words) {
    const char* who = words.words[0];
    Name name;
    if (parse_name(tool_slice(who), name) != Status::ok) {
        return tool_refuse("%s is no name: a letter and up to 30 of [a-z0-9._-], not ending in '.'",
                           who);
    }
    Status status = ledger_judge_person(ledger(), name);
    if (status != Status::ok) return refuse_status(who, status);
    const ExitCode code = take_password(words, who);
    if (code != exit_done) return code;
    PasswordRecord record = {};
    status = hash_password({}, record);
    if (status != Status::ok) return tool_refuse("the password cannot be hashed: %s",
                                                 status_meaning(status));
    if (offline_begin(offline) != Status::ok) return tool_refuse_said(offline.error);
    const Role role = words.role == nullptr ? Role::customer : words.role_found;
    status = book_add_person(offline.memory.book, offline.wall_ms, row_none, {}, name, role, record,
                             words.term, book_tag_none);
    return status == Status::ok ? commit(who, "added") : refuse_status(who, status);
}

ExitCode set_password(const UserWords& words) {
    BookChange asked = {};
    asked.operation = PersonOperation::password;
    ExitCode code = find_person(words.words[0], asked.person);
    if (code != exit_done) return code;
    const Person& person = ledger().people[asked.person];
    if (person.installed.state == PersonState::removed) {
        return tool_refuse("%s: this person was removed", words.words[0]);
    }
    code = take_password(words, words.words[0]);
    if (code != exit_done) return code;
    asked.term = words.term;
    const bool is_other_term = asked.term != person.installed.term;
    const Status status =
        hash_password(is_other_term ? PasswordRecord{} : person.texts.password, asked.record);
    if (status == Status::replayed) return nothing_to_do(words.words[0]);  // P10
    if (status == Status::ok) return change(words.words[0], asked, "has a new password");
    return tool_refuse("the password cannot be hashed: %s", status_meaning(status));
}

ExitCode set_role(const UserWords& words) {
    BookChange asked = {};
    asked.operation = PersonOperation::role;
    asked.role = words.role_found;
    const ExitCode code = find_person(words.words[0], asked.person);
    return code == exit_done ? change(words.words[0], asked, role_name(asked.role)) : code;
}

ExitCode set_title(const UserWords& words) {
    BookChange asked = {};
    asked.operation = PersonOperation::title;
    if (parse_title(tool_slice(words.words[1]), asked.title) != Status::ok) {
        return tool_refuse("a name to show is at most %u bytes of UTF-8 without control characters",
                           title_size_max);
    }
    const ExitCode code = find_person(words.words[0], asked.person);
    return code == exit_done ? change(words.words[0], asked, "has a new name to show") : code;
}

ExitCode list() {
    printf("%-*s  %-9s  %-12s  %-6s  %s\n", static_cast<int>(name_size_max), "name", "role",
           "state", "pin", "name to show");
    for (uint32_t row = 0; row < ledger().people_installed; row++) {
        const Person& person = ledger().people[row];
        uint8_t text[4 * title_size_max];
        Writer title = writer_of(text, sizeof text);
        put_clean(title, slice_of_chars(person.texts.title.text, person.texts.title.size));
        printf("%-*.*s  %-9s  %-12s  ", static_cast<int>(name_size_max),
               static_cast<int>(person.name.size), person.name.text,
               role_name(person.installed.role),
               person_state_name(person.installed.state, person.installed.term));
        printf(title.size > 0 ? "%-6s  %.*s\n" : "%s%.*s\n",
               pin_state_name(person.installed.pin), static_cast<int>(title.size),
               reinterpret_cast<char*>(text));
    }
    return exit_done;
}

template <typename Act>
int run(const char* verb, uint32_t count, const char* wanted, int argc, char** argv, Act act) {
    UserWords words = {};
    words.verb = verb;
    ExitCode code = take_words(words, count, wanted, argc, argv);
    if (code == exit_done) code = open_bank(words);
    if (code != exit_done) return code;
    code = offline_close(offline, act(words));
    wipe(&password, sizeof password);
    return code;
}

}  // namespace

int verb_user_list(int argc, char** argv) {
    return run("user list", 0, "", argc, argv, [](UserWords&) { return list(); });
}

int verb_user_add(int argc, char** argv) {
    return run("user add", 1, "whom", argc, argv, [](UserWords& words) { return add(words); });
}

int verb_user_del(int argc, char** argv) {
    return run("user del", 1, "whom", argc, argv, [](UserWords& words) {
        return change_plainly(words, PersonOperation::remove, "removed for good");
    });
}

int verb_user_role(int argc, char** argv) {
    return run("user role", 2, "whom, and in which role", argc, argv,
               [](UserWords& words) { return set_role(words); });
}

int verb_user_passwd(int argc, char** argv) {
    return run("user passwd", 1, "whose", argc, argv,
               [](UserWords& words) { return set_password(words); });
}

int verb_user_lock(int argc, char** argv) {
    return run("user lock", 1, "whom", argc, argv, [](UserWords& words) {
        return change_plainly(words, PersonOperation::lock, "locked");
    });
}

int verb_user_unlock(int argc, char** argv) {
    return run("user unlock", 1, "whom", argc, argv, [](UserWords& words) {
        return change_plainly(words, PersonOperation::unlock, "active");
    });
}

int verb_user_name(int argc, char** argv) {
    return run("user name", 2, "whom, and the name to show (\"\" for none)", argc, argv,
               [](UserWords& words) { return set_title(words); });
}
