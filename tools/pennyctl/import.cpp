// import: the people of an older bank and what they had, into the book of a stopped server.
//
// All lines of both files are judged before anything is written. Then everything becomes durable in
// one step, however much it is, so that a power cut leaves a book with all of it or with nothing:
//
//     it fits into one batch    that batch, which counts as a whole or not at all
//     it does not               the present segment is filled up with empty batches; the import's
//                               batches are written into a segment that is not yet named as one;
//                               its name is the step (store_segment_publish)
//
// People are person entries with wrapped records (crypto/password.h), balances are deposits out of
// `cash` with the id import-NAME and the memo "import", as a till would have made them.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "pennyctl/offline.h"
#include "pennyctl/old_books.h"

namespace {

constexpr uint64_t file_size_max = 256 * 1024 * 1024;  // bytes: a million lines, and none cut
constexpr uint32_t segment_size_most = 1024 * 1024 * 1024;
constexpr char memo_text[] = "import";
constexpr char id_start[] = "import-";
constexpr char instead[] = "stop it: an import is for a bank at rest";

// What the largest entries of one person take, and what reserving asks for beside.
constexpr uint32_t reserved_entries = 2 + releases_per_request;
constexpr uint32_t reserved_size = reserved_entries * entry_size_max;

struct Import {
    Offline offline;
    const char* bank;
    OldFile passwd;
    OldFile balance;
    OldBooks books;
    Arena arena;              // of the books, from malloc
    PasswordRecord* records;  // by person of the books, from malloc
    int64_t total;            // minor units
    uint32_t deposits;
    bool whole;               // it fits into one batch
    bool is_doubtful;         // what would have made it count has failed on its way to the disk
};

Ledger& ledger(Import& import) { return import.offline.memory.book.ledger; }

ExitCode refuse(Import& import) { return tool_refuse_said(import.offline.error); }

// --- The words and the files ----------------------------------------------------------------

ExitCode take_option(Import& import, const char* word, ToolWords& words) {
    const bool is_passwd = strcmp(word, "--passwd") == 0;
    if (!is_passwd && strcmp(word, "--balance") != 0) {
        return tool_misused_verb("import", "no option \"%s\"", word);
    }
    OldFile& file = is_passwd ? import.passwd : import.balance;
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused_verb("import", "%s needs a value", word);
    if (file.name != nullptr) return tool_misused_verb("import", "%s is there twice", word);
    file.name = value;
    return exit_done;
}

ExitCode take_words(Import& import, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    for (const char* word = nullptr; (word = tool_next(words, is_option)) != nullptr;) {
        ExitCode code = exit_done;
        if (is_option) {
            code = take_option(import, word, words);
        } else if (import.bank == nullptr) {
            import.bank = word;
        } else {
            code = tool_misused_verb("import", "one bank at a time");
        }
        if (code != exit_done) return code;
    }
    if (import.passwd.name == nullptr) return tool_misused_verb("import", "--passwd is missing");
    if (import.balance.name != nullptr) return exit_done;
    return tool_misused_verb("import", "--balance is missing; an empty file is one too");
}

ExitCode read_open_file(OldFile& file, int fd) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) return tool_refuse("%s: %s", file.name, strerror(errno));
    if (!S_ISREG(facts.st_mode)) return tool_refuse("%s is no file", file.name);
    if (static_cast<uint64_t>(facts.st_size) > file_size_max) {
        return tool_refuse("%s is larger than %u MiB", file.name,
                           static_cast<uint32_t>(file_size_max >> 20));
    }
    const uint32_t size = static_cast<uint32_t>(facts.st_size);
    uint8_t* bytes = static_cast<uint8_t*>(malloc(size + 1));
    if (bytes == nullptr) return tool_refuse("there is no memory for %s", file.name);
    file.text = {bytes, 0};
    while (file.text.size < size) {
        const ssize_t got = read(fd, bytes + file.text.size, size - file.text.size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return tool_refuse("%s: %s", file.name, strerror(errno));
        if (got == 0) return tool_refuse("%s became shorter while it was read", file.name);
        file.text.size += static_cast<uint32_t>(got);
    }
    return exit_done;
}

ExitCode read_file(OldFile& file) {
    const int fd = open(file.name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return tool_refuse("%s: %s", file.name, strerror(errno));
    const ExitCode code = read_open_file(file, fd);
    close(fd);
    return code;
}

void forget_file(OldFile& file) {
    uint8_t* bytes = const_cast<uint8_t*>(file.text.data);
    if (bytes != nullptr) wipe(bytes, file.text.size);
    free(bytes);
    file.text = {};
}

// --- Judging --------------------------------------------------------------------------------

ExitCode take_memory(Import& import) {
    const uint32_t people_max = ledger(import).limits.accounts;
    import.arena = {};
    old_books_layout(import.books, import.arena, people_max);
    const uint64_t size = import.arena.used;
    void* base = aligned_alloc(arena_align, static_cast<size_t>(size));
    if (base == nullptr) return tool_refuse("there is no memory for %u people", people_max);
    memset(base, 0, static_cast<size_t>(size));
    import.arena = {};
    import.arena.base = static_cast<uint8_t*>(base);
    import.arena.size = size;
    old_books_layout(import.books, import.arena, people_max);
    arena_seal(import.arena);
    uint8_t key[16];
    if (!port_random(key, sizeof key)) return tool_refuse("the system gives no random bytes");
    old_books_init(import.books, ledger(import).scale, key);
    return exit_done;
}

ExitCode refuse_person(Import& import, const OldPerson& person, const char* what) {
    const Status status = old_books_refuse(import.passwd, person.line, person.name, what,
                                           import.offline.error);
    CHECK(status == Status::invalid);
    return refuse(import);
}

// An import that was done before is told as such.
ExitCode refuse_taken(Import& import, const OldPerson& first) {
    const OldBooks& books = import.books;
    uint32_t known = 0;
    for (uint32_t i = 0; i < books.count; i++) {
        if (ledger_find_person(ledger(import), books.people[i].name) != row_none) known++;
    }
    if (known < books.count) {
        return refuse_person(import, first,
                             "the book has a person or an account of this name already, and "
                             "nothing was imported");
    }
    return refuse_person(import, first,
                         "the book has everybody of this file already, so it was imported before; "
                         "nothing was done now");
}

ExitCode judge_people(Import& import) {
    const Ledger& book = ledger(import);
    const OldBooks& books = import.books;
    const uint32_t used = book.people_decided > book.accounts_decided ? book.people_decided
                                                                      : book.accounts_decided;
    const uint32_t room = book.limits.accounts - used;
    for (uint32_t i = 0; i < books.count; i++) {
        const OldPerson& person = books.people[i];
        const Status status = ledger_judge_person(book, person.name);
        if (status == Status::exists) return refuse_taken(import, person);
        if (status == Status::err) return refuse_person(import, person, "the name is reserved");
        if (i < room && status == Status::ok) continue;
        char what[128];
        snprintf(what, sizeof what, "the book has room for %u more people; raise [limits] accounts "
                                    "from %u", room, book.limits.accounts);
        return refuse_person(import, person, what);
    }
    return exit_done;
}

// What comes in must be able to come out of `cash`.
ExitCode judge_balances(Import& import) {
    const AccountValues& cash = ledger(import).accounts[account_cash].decided;
    for (uint32_t i = 0; i < import.books.count; i++) {
        const OldPerson& person = import.books.people[i];
        int64_t left = 0;
        if (person.balance == 0) continue;
        import.deposits++;
        const bool is_much =
            __builtin_add_overflow(import.total, person.balance, &import.total) ||
            __builtin_sub_overflow(cash.balance - cash.held, import.total, &left) ||
            left < cash.floor;
        if (!is_much) continue;
        const Status status = old_books_refuse(import.balance, person.balance_line, person.name,
                                               "with this the balances are more than cash can give",
                                               import.offline.error);
        CHECK(status == Status::invalid);
        return refuse(import);
    }
    return exit_done;
}

ExitCode judge(Import& import) {
    Writer& error = import.offline.error;
    if (old_books_take_people(import.books, import.passwd, error) != Status::ok ||
        old_books_take_balances(import.books, import.balance, error) != Status::ok) {
        return refuse(import);
    }
    if (import.books.count == 0) return tool_refuse("%s names nobody", import.passwd.name);
    const ExitCode code = judge_people(import);
    return code == exit_done ? judge_balances(import) : code;
}

// --- Hashing --------------------------------------------------------------------------------

// A board hashes some two passwords a second.
void show_progress(uint32_t done, uint32_t count) {
    if (done % 64 != 0 || isatty(STDERR_FILENO) != 1) return;
    fprintf(stderr, "\r%u of %u passwords are hashed", done, count);
    if (done + 64 > count) fprintf(stderr, "\n");
}

ExitCode wrap_all(Import& import) {
    const Config& config = import.offline.place.config;
    const PasswordCost cost = {config.password_memory_kib, config.password_passes};
    PasswordArena arena = {};
    arena.size = password_arena_size(cost);
    arena.memory = static_cast<uint8_t*>(calloc(1, static_cast<size_t>(arena.size)));
    import.records =
        static_cast<PasswordRecord*>(calloc(import.books.count, sizeof(PasswordRecord)));
    Status status = arena.memory != nullptr && import.records != nullptr ? Status::ok
                                                                         : Status::oom;
    for (uint32_t i = 0; i < import.books.count && status == Status::ok; i++) {
        PasswordRecord& record = import.records[i];
        Writer phc = writer_of(reinterpret_cast<uint8_t*>(record.text), sizeof record.text);
        const OldPerson& person = import.books.people[i];
        status = password_wrap(arena, cost, {person.md5, sizeof person.md5}, phc);
        record.size = static_cast<uint8_t>(phc.size);
        show_progress(i + 1, import.books.count);
    }
    free(arena.memory);
    if (status == Status::ok) return exit_done;
    return tool_refuse("the passwords cannot be hashed: %s", status_meaning(status));
}

// --- Writing --------------------------------------------------------------------------------

// As book_seed's; a name that is too long for an id gives way to the number of its account.
Id import_id(const Ledger& book, const Name& name) {
    Id id = {};
    Writer out = writer_of(reinterpret_cast<uint8_t*>(id.text), id_size_max);
    put_text(out, id_start);
    if (name.size <= writer_room(out)) {
        put_bytes(out, name_slice(name));
    } else {
        put_decimal(out, ledger_find_account(book, name));
    }
    id.size = static_cast<uint8_t>(out.size);
    return id;
}

Status propose_person(Import& import, uint32_t i) {
    return book_add_person(import.offline.memory.book, import.offline.wall_ms, row_none, {},
                           import.books.people[i].name, Role::customer, import.records[i],
                           PasswordTerm::lasting, book_tag_none);
}

Status propose_balance(Import& import, uint32_t i) {
    Book& book = import.offline.memory.book;
    const OldPerson& person = import.books.people[i];
    if (person.balance == 0) return Status::ok;
    BookMove move = {};
    IdRecord answer;
    const char* field = nullptr;
    move.operation = Operation::deposit;
    move.person = row_none;
    move.id = import_id(book.ledger, person.name);
    move.debit = book.ledger.accounts[account_cash].name;
    move.credit = person.name;
    move.amount = person.balance;
    move.memo.size = sizeof memo_text - 1;
    memcpy(move.memo.text, memo_text, sizeof memo_text - 1);
    return book_move(book, import.offline.wall_ms, move, false, book_tag_none, answer, field);
}

// Proposes, and goes on in another batch where this one is full.
Status propose(Import& import, uint32_t i, Status (*one)(Import&, uint32_t)) {
    Status status = one(import, i);
    if (status == Status::pending && !import.whole) {
        status = offline_write(import.offline);
        if (status != Status::ok) return status;
        status = one(import, i);
    }
    if (status == Status::ok) return status;
    const Name& name = import.books.people[i].name;
    char who[name_size_max + 1] = {};
    memcpy(who, name.text, name.size);
    return offline_fail(import.offline, who, status);
}

// A person and the balance stand side by side. What is left in the batch is written, too.
Status propose_all(Import& import) {
    Status status = Status::ok;
    for (uint32_t i = 0; i < import.books.count && status == Status::ok; i++) {
        status = propose(import, i, propose_person);
        if (status == Status::ok) status = propose(import, i, propose_balance);
    }
    return status == Status::ok ? offline_write(import.offline) : status;
}

// Bytes of all entries, an upper bound: of ids the number of an account is shorter than a name.
uint64_t entries_size(const Import& import) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < import.books.count; i++) {
        const OldPerson& person = import.books.people[i];
        size += 48u + person.name.size + import.records[i].size;
        if (person.balance > 0) size += 96u + id_size_max + sizeof memo_text - 1;
    }
    return size;
}

bool fits_one_batch(const Import& import) {
    const uint64_t count = uint64_t{import.books.count} + import.deposits;
    // One more of each kind for the limits, which may have to be noted.
    return count + reserved_entries + 1 <= batch_entries_max &&
           entries_size(import) + reserved_size + entry_size_max <= batch_entries_size_max;
}

// Fills the present segment up, so that the next batch stands in the next one. Each batch is
// synced, so a cut leaves a sound journal that is a little longer.
Status fill_segment(Import& import) {
    Log& log = import.offline.memory.book.log;
    while (log.segment_size - log.offset >= batch_size_max) {
        Status status = log_close(log, import.offline.wall_ms);
        if (status != Status::ok) return offline_fail(import.offline, "the journal", status);
        status = offline_write(import.offline);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

// A segment that holds all of it: each batch takes at least what is left when it counts as full.
Status segment_size_of(Import& import, uint32_t& out) {
    const uint64_t count = uint64_t{import.books.count} + import.deposits;
    const uint64_t batches = 3 +
                             entries_size(import) / (batch_entries_size_max - 2 * reserved_size) +
                             count / (batch_entries_max - 2 * reserved_entries);
    const uint64_t needed = batches * batch_size_max;
    const uint32_t usual = import.offline.place.config.segment_size_kib * 1024;
    if (needed > segment_size_most) {
        import.offline.error.size = 0;
        put_text(import.offline.error, "these are too many people for one import; import them in "
                                       "parts");
        return Status::failed;
    }
    out = needed > usual ? static_cast<uint32_t>(needed) : usual;
    return Status::ok;
}

Status write_apart(Import& import) {
    Offline& offline = import.offline;
    uint32_t size = 0;
    Status status = segment_size_of(import, size);
    if (status == Status::ok) status = fill_segment(import);
    if (status != Status::ok) return status;
    const uint32_t segment = offline.memory.book.log.segment + 1;
    status = store_segment_begin(offline.store, segment, size, offline.error);
    if (status == Status::ok) status = offline_take_segment(offline, segment, size);
    if (status == Status::ok) status = offline_begin(offline);
    if (status == Status::ok) status = propose_all(import);
    if (status == Status::ok) status = offline_vouch(offline);
    if (status == Status::ok) {
        status = store_segment_publish(offline.store, segment, offline.error);
        import.is_doubtful = status != Status::ok;
    }
    if (status == Status::ok) return status;
    store_segment_abandon(offline.store, segment);
    offline.memory.book.log.blocked = LogBlock::failed;  // What it wrote is no journal.
    return Status::failed;
}

Status write_whole(Import& import) {
    Status status = offline_begin(import.offline);
    if (status == Status::ok) status = propose_all(import);
    import.is_doubtful = import.offline.memory.book.log.blocked == LogBlock::failed;
    return status;
}

ExitCode write_all(Import& import) {
    import.whole = fits_one_batch(import);
    const Status status = import.whole ? write_whole(import) : write_apart(import);
    if (status != Status::ok) {
        put_text(import.offline.error,
                 import.is_doubtful ? "; all of it was imported, or nothing: once the disk is "
                                      "well, pennyctl user list tells which"
                                    : "; nothing was imported");
        return refuse(import);
    }
    uint8_t text[32];
    Writer amount = writer_of(text, sizeof text);
    put_minor(amount, import.total, ledger(import).scale);
    printf("imported  %u people, who log in with the passwords that they have\n"
           "balances  %u, %.*s %s in all\n", import.books.count, import.deposits,
           static_cast<int>(amount.size), reinterpret_cast<char*>(text), ledger(import).currency);
    return exit_done;
}

ExitCode import_into_book(Import& import) {
    ExitCode code = take_memory(import);
    if (code == exit_done) code = judge(import);
    if (code == exit_done) code = wrap_all(import);
    return code == exit_done ? write_all(import) : code;
}

void forget(Import& import) {
    forget_file(import.passwd);
    forget_file(import.balance);
    if (import.arena.base != nullptr) {
        wipe(import.arena.base, static_cast<size_t>(import.arena.size));
    }
    free(import.arena.base);
    free(import.records);
}

}  // namespace

int verb_import(int argc, char** argv) {
    static Import import;
    ExitCode code = take_words(import, argc, argv);
    if (code != exit_done) return code;
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    code = read_file(import.passwd);
    if (code == exit_done) code = read_file(import.balance);
    if (code == exit_done) code = offline_open(import.offline, import.bank, instead);
    if (code == exit_done) code = offline_close(import.offline, import_into_book(import));
    forget(import);
    return code;
}
