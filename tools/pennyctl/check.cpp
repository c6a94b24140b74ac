#include "pennyctl/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "pennyctl/archive.h"
#include "pennyctl/backup.h"
#include "port/posix/store_file.h"

namespace {

void print_total(const CheckSums& sums) {
    uint8_t text[64];
    Writer out = writer_of(text, sizeof text);
    put_minor(out, sums.total, sums.scale);
    printf("total    %.*s %s\n", static_cast<int>(out.size), reinterpret_cast<char*>(text),
           sums.currency);
}

// What stands before the anchor, and between it and the oldest checkpoint.
void print_unseen(const Check& check) {
    if (!check_is_anchored(check)) return;
    const Archived& archived = check.archived;
    for (uint32_t i = 0; i < archived.part_count; i++) {
        const ArchivedPart& part = archived.parts[i];
        const uint64_t first = i == 0 ? 1 : archived.parts[i - 1].entry_next;
        printf("not seen: segments %u to %u, entries %llu to %llu, in the archive %s\n", part.first,
               part.last, static_cast<unsigned long long>(first),
               static_cast<unsigned long long>(part.entry_next - 1), part.name);
    }
    const uint64_t base = check.manifests[check.base].mark.entry;
    if (base >= archived.entry) {
        printf("entries %llu to %llu: their chain alone, up to checkpoint %u\n",
               static_cast<unsigned long long>(archived.entry),
               static_cast<unsigned long long>(base), check.list.numbers[check.base]);
    }
}

void print_outcome(const Check& check, const CheckSums& sums, const Hash& digest) {
    printf("entries  %llu\n", static_cast<unsigned long long>(sums.entries));
    printf("batches  %llu\n", static_cast<unsigned long long>(sums.batches));
    printf("accounts %u\n", sums.account_count);
    print_total(sums);
    tool_print_hash("digest   ", digest);
    for (uint32_t i = 0; i < check.list.count; i++) {
        printf("checkpoint %u agrees with the journal\n", check.list.numbers[i]);
    }
    print_unseen(check);
    if (check.has_torn_tail) {
        printf("the last batch is not complete and was never acknowledged; a start drops it\n");
    }
    printf("the books sum to zero\n");
}

struct Options {
    const char* bank;
    ArchiveFolders archives;
};

ExitCode take_options(Options& options, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    while (const char* word = tool_next(words, is_option)) {
        if (!is_option) {
            if (options.bank != nullptr) return tool_misused("check: one bank at a time");
            options.bank = word;
            continue;
        }
        if (strcmp(word, "--archive") != 0) return tool_misused("check: no option \"%s\"", word);
        const ExitCode code = archive_take(options.archives, "check", words);
        if (code != exit_done) return code;
    }
    if (options.bank != nullptr) return exit_done;
    return tool_misused("check: which bank? pennyctl check DIR|CONFIG");
}

bool is_backup(const char* path) {
    uint8_t block[tar_block_size];
    uint32_t size = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    TarMember member;
    const bool is_one =
        store_read_all(store_calls_posix, fd, block, sizeof block, 0, size) == Status::ok &&
        tar_judge({block, size}, member) == TarFind::member;
    close(fd);
    return is_one;
}

Status check_backup(Check& check, const char* path, CheckSums& sums, Hash& digest, Writer& error) {
    BackupArchive archive = {};
    Status status = backup_open(archive, path, error);
    if (status == Status::ok) status = backup_check(archive, check, sums, error);
    digest = archive.book.digest;
    backup_close(archive);
    return status;
}

ExitCode check_bank(const Options& options, Check& check, CheckSums& sums, Writer& error) {
    static BankPlace place;
    Hash digest = {};
    Status status = Status::ok;
    if (is_backup(options.bank)) {
        if (options.archives.count > 0) return tool_misused("--archive does not go with a backup");
        status = check_backup(check, options.bank, sums, digest, error);
    } else {
        const StoreCalls* calls = nullptr;
        ExitCode code = place_find(options.bank, place, error);
        if (code == exit_done) code = archive_mount(options.archives, calls);
        if (code != exit_done) return code;
        status = check_book(check, *calls, place.data.text, error, sums, digest);
    }
    if (status != Status::ok) return tool_refuse_said(error);
    print_outcome(check, sums, digest);
    return tool_flushed(exit_done);
}

}  // namespace

int verb_check(int argc, char** argv) {
    static Check check;
    static uint8_t text[PATH_MAX + config_error_size_max];
    Options options = {};
    ExitCode code = take_options(options, argc, argv);
    if (code != exit_done) return code;
    Writer error = writer_of(text, sizeof text);
    CheckSums sums = {};
    code = check_bank(options, check, sums, error);
    check_sums_free(sums);
    return code;
}
