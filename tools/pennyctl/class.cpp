// class: many people at once, for a class or a club, with a certificate and a handout each; and the
// end of all of them. For a bank that is stopped.
//
//     people.csv ─► judged ─► OUT.unfinished/NAME/… ─► the book ─► OUT
//                             key, certificate,        accounts    one rename
//                             first password
//
//   K1. All lines are judged before anything is made.
//   K2. OUT has its name when each password in it holds, and not before. Whatever cuts a run short,
//       the same command again goes on from what it left: nobody gets a second account or a second
//       password.
//   K3. Who is in the book already belongs to the class only where the password of a handout that
//       was begun is that person's, and still the first one; else the line is refused.
//   K4. A password stands in its handout and, hashed, in the book. It is printed nowhere.
//   K5. The end locks first and revokes then, in the lists of both signers; done again, it does
//       what is left.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "crypto/password.h"
#include "pennyctl/handout.h"
#include "pennyctl/offline.h"
#include "port/posix/system.h"

namespace {

constexpr char instead[] = "stop it first: this is done to a bank at rest";
constexpr char list_name[] = "people.csv";
constexpr uint32_t list_size_max = people_list_max * (people_line_size_max + 2);
constexpr uint32_t folder_mode = 0700;
constexpr uint32_t file_mode = 0600;

// Somebody of the list on the way into the book.
struct Member {
    bool is_there;          // with the password of the handout
    Password password;
    PasswordRecord record;
};

struct Class {
    Offline offline;
    Authority authority;
    PeopleList list;
    HandoutBank handouts;
    const char* words[2];   // the list or, to end it, the list or its folder; and OUT
    const char* bank;
    const char* host;
    uint32_t days;          // 0 for as many as clients get
    bool ends;
    bool goes_on;           // with what another run has left
    bool is_made;           // OUT is there, of this list
    ToolPath out;           // without a slash behind it
    ToolPath unfinished;
    char file[PATH_MAX];    // the list, as sentences have it
    Member* members;        // from calloc, wiped
    uint8_t text[list_size_max];
    uint8_t text_there[list_size_max];
};

Class all;  // Too large for a stack.

Book& book() { return all.offline.memory.book; }
Ledger& ledger() { return book().ledger; }
ExitCode refuse() { return tool_refuse_said(all.offline.error); }
ExitCode refuse_errno(const char* path) { return tool_refuse("%s: %s", path, strerror(errno)); }

ExitCode refuse_row(uint32_t row, const char* what) {
    const Status status = people_list_refuse(all.list, row, what, all.offline.error);
    CHECK(status == Status::invalid);
    return refuse();
}

// --- The words ------------------------------------------------------------------------------

ExitCode take_days(const char* value) {
    uint64_t days = 0;
    const bool is_fine = parse_decimal(tool_slice(value), days) == Status::ok && days > 0 &&
                         days <= authority_days_max;
    all.days = is_fine ? static_cast<uint32_t>(days) : 0;
    return is_fine ? exit_done
                   : tool_misused_verb("class", "--days is a number from 1 to %u",
                                       authority_days_max);
}

ExitCode take_option(const char* word, ToolWords& words) {
    if (strcmp(word, "--end") == 0) {
        all.ends = true;
        return tool_value_is_absent(words) ? exit_done
                                           : tool_misused_verb("class", "--end takes no value");
    }
    const bool is_days = strcmp(word, "--days") == 0;
    if (!is_days && strcmp(word, "--host") != 0) {
        return tool_misused_verb("class", "no option \"%s\"", word);
    }
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused_verb("class", "%s needs a value", word);
    if (is_days) return take_days(value);
    all.host = value;
    if (certificate_host_is_valid(tool_slice(value))) return exit_done;
    return tool_misused_verb("class", "\"%s\" is no name of a host and no address", value);
}

ExitCode take_words(int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    const char* met[3] = {};
    uint32_t count = 0;
    bool is_option = false;
    for (const char* word = nullptr; (word = tool_next(words, is_option)) != nullptr;) {
        ExitCode code = exit_done;
        if (is_option) {
            code = take_option(word, words);
        } else if (count == 3) {
            code = tool_misused_verb("class", "what is \"%s\"", word);
        } else {
            met[count++] = word;
        }
        if (code != exit_done) return code;
    }
    const uint32_t needed = all.ends ? 1 : 2;
    if (all.ends && (all.days != 0 || all.host != nullptr)) {
        return tool_misused_verb("class", "--end takes neither --days nor --host");
    }
    if (count < needed) {
        return tool_misused_verb("class", count == 0 ? "whose list"
                                                     : "where to put the handouts");
    }
    if (count > needed + 1) return tool_misused_verb("class", "what is \"%s\"", met[needed + 1]);
    all.words[0] = met[0];
    all.words[1] = all.ends ? nullptr : met[1];
    all.bank = met[needed];
    return exit_done;
}

// --- The list -------------------------------------------------------------------------------

ExitCode read_list(const char* path) {
    uint32_t size = 0;
    const Status status = system_read_file(path, all.text, sizeof all.text, size);
    if (status == Status::full) return tool_refuse("%s is larger than any list", path);
    if (status == Status::absent) return tool_refuse("there is no file %s", path);
    if (status != Status::ok) return refuse_errno(path);
    static uint8_t said[PATH_MAX + 256];
    Writer error = writer_of(said, sizeof said);
    if (people_list_take(all.list, path, {all.text, size}, error) == Status::ok) return exit_done;
    return tool_refuse_said(error);
}

// To end a class its folder stands for the list in it.
ExitCode find_list() {
    struct stat facts;
    const char* given = all.words[0];
    const bool is_folder = all.ends && stat(given, &facts) == 0 && S_ISDIR(facts.st_mode);
    const ToolPath path = is_folder ? tool_path(given, list_name) : tool_path("", given);
    if (path.text[0] == '\0') return tool_refuse("the path given is too long");
    memcpy(all.file, path.text, sizeof all.file);
    return read_list(all.file);
}

// The list as it is put beside the handouts.
Writer put_list(uint8_t* memory, uint32_t size) {
    Writer out = writer_of(memory, size);
    put_text(out, "name,name to show\n");
    for (uint32_t i = 0; i < all.list.count; i++) people_list_put(all.list.rows[i], out);
    CHECK(!out.overflow);
    return out;
}
static_assert(people_put_size_max < people_line_size_max);

// --- Where the handouts go ------------------------------------------------------------------

// Whether a folder has this list beside its handouts.
bool holds_list(const ToolPath& folder) {
    const ToolPath path = tool_path(folder.text, list_name);
    uint32_t size = 0;
    if (system_read_file(path.text, all.text_there, sizeof all.text_there, size) != Status::ok) {
        return false;
    }
    return slice_equal({all.text_there, size},
                       writer_slice(put_list(all.text, sizeof all.text)));
}

ExitCode find_out() {
    all.out = tool_path("", all.words[1]);
    size_t size = strlen(all.out.text);
    while (size > 1 && all.out.text[size - 1] == '/') all.out.text[--size] = '\0';
    constexpr char ending[] = ".unfinished";
    if (size == 0 || size + sizeof ending > sizeof all.unfinished.text) {
        return tool_refuse("the path given is too long");
    }
    memcpy(all.unfinished.text, all.out.text, size);
    memcpy(all.unfinished.text + size, ending, sizeof ending);
    struct stat facts;
    if (lstat(all.out.text, &facts) != 0) {
        return errno == ENOENT ? exit_done : refuse_errno(all.out.text);
    }
    all.is_made = holds_list(all.out);
    if (all.is_made) return exit_done;
    return tool_refuse("%s is there already; name a folder that is not", all.out.text);
}

ExitCode sync_folder(const char* path) {
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return refuse_errno(path);
    const bool is_synced = fsync(fd) == 0;
    const int why = errno;
    close(fd);
    errno = why;
    return is_synced ? exit_done : refuse_errno(path);
}

// Looks what another run has left, which must be of the same list.
ExitCode look_at_unfinished() {
    all.goes_on = holds_list(all.unfinished);
    if (all.goes_on) return exit_done;
    struct stat facts;
    if (lstat(tool_path(all.unfinished.text, list_name).text, &facts) != 0) return exit_done;
    return tool_refuse("%s was begun with another list, and never finished: finish it with that "
                       "one, or take it away", all.unfinished.text);
}

// The folder with its list, from which on another run goes on.
ExitCode begin_unfinished() {
    static Made made;
    if (mkdir(all.unfinished.text, folder_mode) != 0 && errno != EEXIST) {
        return refuse_errno(all.unfinished.text);
    }
    if (made_look(made, all.unfinished.text) != Status::ok || made.folder_fd < 0) {
        return refuse_errno(all.unfinished.text);
    }
    ExitCode code = exit_done;
    if (!all.goes_on) {
        const Writer list = put_list(all.text, sizeof all.text);
        code = authority_write(made, list_name, file_mode, writer_slice(list));
    }
    if (code == exit_done && made_sync(made) != Status::ok) {
        code = refuse_errno(all.unfinished.text);
    }
    made_close(made);
    return code;
}

// K2.
ExitCode finish() {
    ExitCode code = sync_folder(all.unfinished.text);
    if (code != exit_done) return code;
    if (rename(all.unfinished.text, all.out.text) != 0) return refuse_errno(all.out.text);
    return sync_folder(place_folder_of(all.out.text).text);
}

// --- Judging --------------------------------------------------------------------------------

// K3. `known` has the cost of the person's record.
ExitCode judge_known(uint32_t row, uint32_t person, PasswordArena& arena) {
    constexpr char taken[] = "the book has a person of this name already";
    Member& member = all.members[row];
    const Person& found = ledger().people[person];
    if (!all.goes_on) return refuse_row(row, taken);
    const ExitCode code =
        handout_password(all.unfinished.text, all.list.rows[row].name, member.password);
    if (code != exit_done) return code;
    const Slice known = slice_of_chars(found.texts.password.text, found.texts.password.size);
    const Slice secret = {member.password.bytes, member.password.size};
    member.is_there = found.installed.state == PersonState::active &&
                      found.installed.term == PasswordTerm::first && secret.size > 0 &&
                      password_verify(arena, known, secret) == Status::ok;
    return member.is_there ? exit_done : refuse_row(row, taken);
}

// A certificate of this name that somebody has would come as this person.
ExitCode judge_certificates(const KnownList& known) {
    for (uint32_t row = 0; row < all.list.count; row++) {
        const Slice name = name_slice(all.list.rows[row].name);
        char text[name_size_max + 1] = {};
        memcpy(text, name.data, name.size);
        if (authority_is_word(text)) {
            return refuse_row(row, "the name stands for one of the bank's own certificates");
        }
        for (uint32_t i = 0; i < known.count && !all.goes_on; i++) {
            const Known& one = known.rows[i];
            if (one.row.kind != CertificateKind::client || one.is_revoked) continue;
            if (!slice_equal_text(name, one.row.name)) continue;
            return refuse_row(row, "there is a certificate of this name already");
        }
    }
    return exit_done;
}

ExitCode judge_people(PasswordArena& arena) {
    const Ledger& now = ledger();
    const uint32_t used = now.people_decided > now.accounts_decided ? now.people_decided
                                                                    : now.accounts_decided;
    uint32_t room = now.limits.accounts - used;
    for (uint32_t row = 0; row < all.list.count; row++) {
        const Name& name = all.list.rows[row].name;
        const uint32_t person = ledger_find_person(now, name);
        if (person != row_none) {
            const ExitCode code = judge_known(row, person, arena);
            if (code != exit_done) return code;
            continue;
        }
        if (ledger_find_account(now, name) != row_none) {
            return refuse_row(row, "the book has an account of this name already");
        }
        if (room-- > 0) continue;
        char what[96];
        snprintf(what, sizeof what, "the book has no room for more people; raise [limits] accounts "
                                    "from %u", now.limits.accounts);
        return refuse_row(row, what);
    }
    return exit_done;
}

ExitCode judge() {
    static KnownList known;
    PasswordArena arena = {};
    PasswordCost most = {all.offline.place.config.password_memory_kib,
                         all.offline.place.config.password_passes};
    for (uint32_t row = 0; row < all.list.count; row++) {
        const uint32_t person = ledger_find_person(ledger(), all.list.rows[row].name);
        PasswordCost its = {};
        if (person == row_none) continue;
        const PasswordRecord& record = ledger().people[person].texts.password;
        const Slice phc = slice_of_chars(record.text, record.size);
        if (password_cost_of(phc, its) != Status::ok) continue;
        if (its.memory_kib > most.memory_kib) most.memory_kib = its.memory_kib;
    }
    arena.size = password_arena_size(most);
    arena.memory = static_cast<uint8_t*>(calloc(1, static_cast<size_t>(arena.size)));
    if (arena.memory == nullptr) return tool_refuse("there is no memory to hash a password");
    ExitCode code = judge_people(arena);
    free(arena.memory);
    if (code == exit_done) code = authority_find(all.authority, known);
    if (code == exit_done) code = judge_certificates(known);
    known_free(known);
    return code;
}

// --- Making ---------------------------------------------------------------------------------

// A board hashes some two passwords a second.
void show_progress(const char* what, uint32_t done) {
    if (isatty(STDERR_FILENO) != 1) return;
    const bool is_last = done == all.list.count;
    if (done % 16 == 0 || is_last) fprintf(stderr, "\r%s: %u of %u", what, done, all.list.count);
    if (is_last) fprintf(stderr, "\n");
}

ExitCode make_handouts() {
    for (uint32_t row = 0; row < all.list.count; row++) {
        const ExitCode code = handout_make(all.handouts, all.unfinished.text, all.list.rows[row],
                                           all.members[row].password);
        if (code != exit_done) return code;
        show_progress("handouts", row + 1);
    }
    return exit_done;
}

ExitCode hash_passwords() {
    const Config& config = all.offline.place.config;
    const PasswordCost cost = {config.password_memory_kib, config.password_passes};
    PasswordArena arena = {};
    arena.size = password_arena_size(cost);
    arena.memory = static_cast<uint8_t*>(calloc(1, static_cast<size_t>(arena.size)));
    if (arena.memory == nullptr) return tool_refuse("there is no memory to hash a password");
    Status status = Status::ok;
    for (uint32_t row = 0; row < all.list.count && status == Status::ok; row++) {
        Member& member = all.members[row];
        Writer phc = writer_of(reinterpret_cast<uint8_t*>(member.record.text),
                               sizeof member.record.text);
        const Slice secret = {member.password.bytes, member.password.size};
        if (!member.is_there) status = password_hash(arena, cost, secret, phc);
        member.record.size = static_cast<uint8_t>(phc.size);
        show_progress("passwords", row + 1);
    }
    free(arena.memory);
    if (status == Status::ok) return exit_done;
    return tool_refuse("a password cannot be hashed: %s", status_meaning(status));
}

// --- The book -------------------------------------------------------------------------------

Status propose_person(uint32_t row, const char*&) {
    const Member& member = all.members[row];
    if (member.is_there) return Status::replayed;
    return book_add_person(book(), all.offline.wall_ms, row_none, {}, all.list.rows[row].name,
                           Role::customer, member.record, PasswordTerm::first, book_tag_none);
}

Status propose_change(uint32_t row, PersonOperation operation, const char*& why) {
    BookChange change = {};
    change.operation = operation;
    change.person = ledger_find_person(ledger(), all.list.rows[row].name);
    change.asked_by = row_none;
    change.title = all.list.rows[row].title;
    return book_change_person(book(), all.offline.wall_ms, change, book_tag_none, why);
}

Status propose_title(uint32_t row, const char*& why) {
    return propose_change(row, PersonOperation::title, why);
}

Status propose_lock(uint32_t row, const char*& why) {
    const uint32_t person = ledger_find_person(ledger(), all.list.rows[row].name);
    const bool is_gone = ledger().people[person].decided.state == PersonState::removed;
    return is_gone ? Status::replayed : propose_change(row, PersonOperation::lock, why);
}

// Proposes one thing for everybody, in as many batches as it takes, and writes it. `count` is for
// how many it was not so already.
ExitCode write_for_all(Status (*one)(uint32_t row, const char*& why), uint32_t& count) {
    count = 0;
    if (offline_begin(all.offline) != Status::ok) return refuse();
    for (uint32_t row = 0; row < all.list.count; row++) {
        const char* why = nullptr;
        Status status = one(row, why);
        if (status == Status::pending) {
            if (offline_write(all.offline) != Status::ok) return refuse();
            if (offline_begin(all.offline) != Status::ok) return refuse();
            status = one(row, why);
        }
        if (status == Status::ok) count++;
        if (status == Status::ok || status == Status::replayed) continue;
        if (status == Status::state) return refuse_row(row, why);
        const Status failed = offline_fail(all.offline, "the book", status);
        CHECK(failed == Status::failed);
        return refuse();
    }
    return offline_write(all.offline) == Status::ok ? exit_done : refuse();
}

// --- The beginning --------------------------------------------------------------------------

const ListenerConfig* first_tls() {
    const Config& config = all.offline.place.config;
    for (uint32_t i = 0; i < config.listener_count; i++) {
        if (strcmp(config.listeners[i].channel, "tls") == 0) return &config.listeners[i];
    }
    return nullptr;
}

// Where those who get the handouts find the server: where it listens, or this machine by name,
// which `init` puts into the server's certificate.
ExitCode find_server() {
    static char own[certificate_host_size_max + 1];
    const ListenerConfig* listener = first_tls();
    const char* address = listener == nullptr ? "" : listener->address;
    const bool is_any = address[0] == '\0' || strcmp(address, "0.0.0.0") == 0 ||
                        strcmp(address, "::") == 0;
    all.handouts.port = listener == nullptr ? 0 : listener->port;
    if (all.handouts.port == 0) {
        return tool_refuse("the configuration names no listener of channel tls with a port, so "
                           "nobody would find the server");
    }
    all.handouts.host = all.host != nullptr ? all.host : address;
    if (all.host != nullptr || !is_any) return exit_done;
    all.handouts.host = own;
    if (gethostname(own, sizeof own - 1) == 0 && own[0] != '\0') return exit_done;
    return tool_refuse("this machine has no name; say with --host how the server is found");
}

// K2: the run before this one may have been cut short behind its last step.
ExitCode tell_made() {
    for (uint32_t row = 0; row < all.list.count; row++) {
        if (ledger_find_person(ledger(), all.list.rows[row].name) != row_none) continue;
        return refuse_row(row, "is not in the book, but the folder is there already: was it made "
                               "for another bank?");
    }
    printf("%s: this class is made already\n", all.out.text);
    return exit_done;
}

ExitCode make() {
    uint32_t made = 0;
    uint32_t titles = 0;
    if (all.is_made) return tell_made();
    ExitCode code = find_server();
    if (code == exit_done) {
        code = authority_need_signer(all.authority, all.handouts.by_issuing);
    }
    if (code == exit_done) code = look_at_unfinished();
    if (code == exit_done) code = judge();
    if (code == exit_done) code = begin_unfinished();
    if (code == exit_done) code = make_handouts();
    if (code == exit_done) code = hash_passwords();
    if (code == exit_done) code = write_for_all(propose_person, made);
    if (code == exit_done) code = write_for_all(propose_title, titles);
    if (code == exit_done) code = finish();
    if (code != exit_done) return code;
    printf("people    %u in the book, each with a first password\n"
           "handouts  %s/NAME, to give to each; they come to %s port %u\n"
           "the end   pennyctl class --end %s%s%s\n",
           all.list.count, all.out.text, all.handouts.host, all.handouts.port, all.out.text,
           all.bank == nullptr ? "" : " ", all.bank == nullptr ? "" : all.bank);
    return exit_done;
}

// --- The end --------------------------------------------------------------------------------

ExitCode judge_end() {
    for (uint32_t row = 0; row < all.list.count; row++) {
        const Name& name = all.list.rows[row].name;
        const uint32_t person = ledger_find_person(ledger(), name);
        if (person == row_none) return refuse_row(row, "there is no person of this name");
        PersonChange change = {};
        const char* why = nullptr;
        change.operation = PersonOperation::lock;
        change.person = person;
        const bool is_gone = ledger().people[person].installed.state == PersonState::removed;
        if (is_gone) continue;
        if (ledger_judge_change(ledger(), change, why) == Status::state) {
            return refuse_row(row, why);
        }
    }
    return exit_done;
}

bool is_of_list(const char* name) {
    for (uint32_t row = 0; row < all.list.count; row++) {
        if (slice_equal_text(name_slice(all.list.rows[row].name), name)) return true;
    }
    return false;
}

// All that they have, expired ones too: those could still ask to be renewed.
ExitCode revoke_all(uint32_t& count) {
    static KnownList known;
    uint32_t met = 0;
    ExitCode code = authority_find(all.authority, known);
    IssuedRow* rows = nullptr;
    if (code == exit_done && known.count > 0) {
        rows = static_cast<IssuedRow*>(calloc(known.count, sizeof(IssuedRow)));
        if (rows == nullptr) code = tool_refuse("there is no memory for %u rows", known.count);
    }
    for (uint32_t i = 0; i < known.count && code == exit_done; i++) {
        const Known& one = known.rows[i];
        const bool is_theirs = one.row.kind == CertificateKind::client && !one.is_foreign &&
                               !one.is_revoked && is_of_list(one.row.name);
        if (is_theirs) rows[met++] = one.row;
    }
    count = 0;
    if (code == exit_done && met > 0) code = authority_revoke(all.authority, rows, met, count);
    free(rows);
    known_free(known);
    return code;
}

ExitCode end() {
    uint32_t locked = 0;
    uint32_t revoked = 0;
    ExitCode code = judge_end();
    if (code == exit_done) code = write_for_all(propose_lock, locked);
    if (code != exit_done) return code;
    printf("locked    %u people", locked);
    if (locked < all.list.count) printf(", and %u were already", all.list.count - locked);
    puts("");
    code = revoke_all(revoked);
    if (code == exit_done) printf("revoked   %u certificates\n", revoked);
    return code;
}

// --- All ------------------------------------------------------------------------------------

ExitCode run_open() {
    ExitCode code = authority_open(all.authority, all.bank);
    if (code != exit_done) return code;
    all.handouts.authority = &all.authority;
    all.handouts.days = all.days;
    code = all.ends ? end() : make();
    authority_close(all.authority);
    return code;
}

ExitCode run() {
    ExitCode code = find_list();
    if (code == exit_done && !all.ends) code = find_out();
    if (code != exit_done) return code;
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    all.members = static_cast<Member*>(calloc(all.list.count, sizeof(Member)));
    if (all.members == nullptr) return tool_refuse("there is no memory for the list");
    code = offline_open(all.offline, all.bank, instead);
    if (code == exit_done) code = offline_close(all.offline, run_open());
    wipe(all.members, all.list.count * sizeof(Member));
    free(all.members);
    return code;
}

}  // namespace

int verb_class(int argc, char** argv) {
    const ExitCode code = take_words(argc, argv);
    return code == exit_done ? run() : code;
}
