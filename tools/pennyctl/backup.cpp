#include "pennyctl/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "pennyctl/bank_files.h"

namespace {

constexpr uint32_t attempts_max = 3;  // of a backup beside a server that takes checkpoints
constexpr uint64_t keep_max = 100'000;

struct Options {
    const char* bank;
    const char* file;  // nullptr with --into
    const char* into;
    uint32_t keep;     // 0: all
    bool no_keys;
};

struct Backup {
    Options options;
    BankPlace place;
    ToolPath file;
    ToolPath making;
    int fd;            // of `making`; -1 while it is not there
    Check check;
    BackupBook book;
    BackupSources sources;
    uint64_t size;     // bytes of the archive
    Writer error;
};

ExitCode take_option(Options& options, const char* word, ToolWords& words) {
    if (strcmp(word, "--no-keys") == 0) {
        if (!tool_value_is_absent(words)) return tool_misused("--no-keys takes no value");
        options.no_keys = true;
        return exit_done;
    }
    const bool is_into = strcmp(word, "--into") == 0;
    if (!is_into && strcmp(word, "--keep") != 0) {
        return tool_misused("backup: no option \"%s\"", word);
    }
    const char* value = tool_value(words);
    if (value == nullptr || value[0] == '\0') return tool_misused("%s wants a value", word);
    if (is_into) {
        options.into = value;
        return exit_done;
    }
    uint64_t keep = 0;
    if (parse_decimal(slice_of(value), keep) != Status::ok || keep == 0 || keep > keep_max) {
        return tool_misused("--keep takes a number from 1 to %u, not \"%s\"",
                            static_cast<unsigned>(keep_max), value);
    }
    options.keep = static_cast<uint32_t>(keep);
    return exit_done;
}

ExitCode take_options(Options& options, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    while (const char* word = tool_next(words, is_option)) {
        ExitCode code = exit_done;
        if (is_option) {
            code = take_option(options, word, words);
        } else if (options.bank == nullptr) {
            options.bank = word;
        } else if (options.file == nullptr) {
            options.file = word;
        } else {
            code = tool_misused("backup takes a bank and a FILE, and \"%s\" is one more", word);
        }
        if (code != exit_done) return code;
    }
    if (options.bank == nullptr) return tool_misused("backup: which bank? pennyctl backup --help");
    if ((options.file == nullptr) == (options.into == nullptr)) {
        return tool_misused("backup wants either the FILE to make or --into FOLDER");
    }
    if (options.keep > 0 && options.into == nullptr) {
        return tool_misused("--keep goes with --into FOLDER");
    }
    return exit_done;
}

ExitCode name_file(Backup& backup) {
    const Options& options = backup.options;
    backup.file = options.into == nullptr
                      ? tool_path("", options.file)
                      : tool_path(options.into, backup_file_name(backup.book.made_ms).text);
    const int size = snprintf(backup.making.text, sizeof backup.making.text, "%s.making",
                              backup.file.text);
    if (backup.file.text[0] == '\0' || size < 0 ||
        static_cast<uint32_t>(size) >= sizeof backup.making.text) {
        return tool_refuse("the name of the backup is too long");
    }
    struct stat facts;
    if (lstat(backup.file.text, &facts) != 0 && errno == ENOENT) return exit_done;
    return tool_refuse("%s is there already; nothing was changed", backup.file.text);
}

// Opens FILE.making; what a kill left of it is taken over, what another process writes is not.
ExitCode open_making(Backup& backup) {
    const char* path = backup.making.text;
    backup.fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (backup.fd < 0) return tool_refuse("%s: %s", path, strerror(errno));
    if (store_calls_posix.lock(backup.fd) != 0) {
        close(backup.fd);
        backup.fd = -1;
        return tool_refuse("%s: another process writes it just now", path);
    }
    if (ftruncate(backup.fd, 0) == 0) return exit_done;
    return tool_refuse("%s: %s", path, strerror(errno));
}

// Takes what the check just found as the end of what is stored.
void note_book(Backup& backup, const CheckSums& sums, const Hash& digest) {
    const Recovery& end = backup.check.recovery;
    BackupBook& book = backup.book;
    memcpy(book.bank_id, sums.bank_id, bank_id_size);
    book.batch = end.batch_seq;
    book.entry = end.entry_seq;
    book.time_ms = end.time_ms;
    book.end = position_of(end.segment, end.offset);
    book.chain = end.chain;
    book.digest = digest;
    book.has_keys = !backup.options.no_keys;
}

// Returns absent when a running server removed a checkpoint meanwhile.
Status gather(Backup& backup) {
    CheckSums sums = {};
    Hash digest = {};
    Status status = check_book(backup.check, store_calls_posix, backup.place.data.text,
                               backup.error, sums, digest);
    if (status == Status::ok) {
        note_book(backup, sums, digest);
        backup.sources.keys_left_out = backup.options.no_keys;
        status = backup_gather(backup.place, backup.check, backup.sources, backup.error);
    }
    check_sums_free(sums);
    return status;
}

Status gather_until_it_holds(Backup& backup) {
    Status status = Status::absent;
    for (uint32_t i = 0; i < attempts_max && status == Status::absent; i++) {
        backup_forget(backup.sources);
        status = gather(backup);
    }
    return status;
}

// Reads back what was written: every byte, then every entry (U1).
Status verify(Backup& backup) {
    BackupArchive archive = {};
    CheckSums sums = {};
    Status status = backup_open(archive, backup.making.text, backup.error);
    if (status == Status::ok) status = backup_check(archive, backup.check, sums, backup.error);
    check_sums_free(sums);
    backup_close(archive);
    return status;
}

// Gives it its name, which must not be anybody's by now (U4).
Status name_it(Backup& backup) {
    struct stat facts;
    if (fstat(backup.fd, &facts) == 0) backup.size = static_cast<uint64_t>(facts.st_size);
    const char* from = backup.making.text;
    const char* to = backup.file.text;
    int answer = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (answer != 0 && (errno == EINVAL || errno == ENOSYS)) {  // Not every file system knows it.
        answer = lstat(to, &facts) != 0 ? rename(from, to) : (errno = EEXIST, -1);
    }
    const bool is_named = answer == 0;
    const ToolPath folder = place_folder_of(to);
    if (is_named && file_sync_folder(AT_FDCWD, folder.text) == Status::ok) return Status::ok;
    const char* why = strerror(errno);
    backup.error.size = 0;
    put_text(backup.error, to);
    put_text(backup.error, is_named ? ": its folder cannot be synced: " : ": cannot be named: ");
    put_text(backup.error, why);
    return Status::failed;
}

Status make(Backup& backup) {
    Status status = gather_until_it_holds(backup);
    if (status == Status::ok) {
        status = backup_write(backup.fd, backup.book, backup.sources, backup.error);
    }
    if (status == Status::ok) status = verify(backup);
    return status == Status::ok ? name_it(backup) : status;
}

void print_outcome(const Backup& backup) {
    uint8_t text[64];
    Writer time = writer_of(text, sizeof text);
    put_utc(time, backup.book.time_ms);
    printf("backup   %s\n", backup.file.text);
    printf("bytes    %llu in %u files\n", static_cast<unsigned long long>(backup.size),
           backup.sources.count);
    printf("entry    %llu of %.*s\n", static_cast<unsigned long long>(backup.book.entry),
           static_cast<int>(time.size), reinterpret_cast<char*>(text));
    tool_print_hash("digest   ", backup.book.digest);
    for (uint32_t i = 0; i < backup.sources.without_count; i++) {
        printf("left out %s, a private key; keep it elsewhere\n", backup.sources.without[i]);
    }
    printf("read back and checked, entry by entry\n");
    if (backup.sources.without_count == 0) {
        printf("it holds private keys and password records: keep it where nobody finds it\n");
    }
}

ExitCode run(Backup& backup) {
    ExitCode code = place_find(backup.options.bank, backup.place, backup.error);
    if (code != exit_done) return code;
    if (backup.place.conf.text[0] == '\0') {
        return tool_refuse("%s: no configuration here; name the bank's folder, or its pennyd.conf",
                           backup.options.bank);
    }
    backup.book.made_ms = tool_wall_ms();
    code = name_file(backup);
    if (code == exit_done) code = open_making(backup);
    if (code != exit_done) return code;
    if (make(backup) != Status::ok) {
        unlink(backup.making.text);
        code = tool_refuse_said(backup.error);
    } else {
        print_outcome(backup);
    }
    close(backup.fd);
    if (code == exit_done && backup.options.keep > 0) {
        code = backup_keep(backup.options.into, backup.file.text, backup.book.bank_id,
                           backup.options.keep);
    }
    return code == exit_done ? tool_flushed(exit_done) : code;
}

}  // namespace

int verb_backup(int argc, char** argv) {
    static Backup backup;
    static uint8_t text[2 * PATH_MAX + config_error_size_max];
    backup.fd = -1;
    backup.error = writer_of(text, sizeof text);
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    const ExitCode code = take_options(backup.options, argc, argv);
    if (code != exit_done) return code;
    const ExitCode outcome = run(backup);
    backup_forget(backup.sources);
    return outcome;
}
