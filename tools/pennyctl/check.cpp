#include "pennyctl/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config.h"
#include "pennyctl/tool.h"
#include "port/posix/system.h"

namespace {

ExitCode refuse(const Writer& error) {
    return tool_refuse("%.*s", static_cast<int>(error.size), reinterpret_cast<char*>(error.data));
}

struct Path {
    char text[PATH_MAX];
};

// Puts two parts together, as long as the whole is one that the system takes.
Path path_of(const char* folder, const char* name) {
    Path path;
    const int size = snprintf(path.text, sizeof path.text, "%s%s%s", folder,
                              folder[0] == '\0' ? "" : "/", name);
    if (size < 0 || static_cast<uint32_t>(size) >= sizeof path.text) path.text[0] = '\0';
    return path;
}

// The data folder that a configuration names, relative to the folder in which the file is.
ExitCode read_config(const Path& file, Path& data, Writer& error) {
    static Config config;
    static uint8_t text[256 * 1024];
    uint32_t size = 0;
    config_defaults(config);
    if (system_read_file(file.text, text, sizeof text, size) != Status::ok) {
        return tool_refuse("%s cannot be read: %s", file.text, strerror(errno));
    }
    if (config_parse(config, file.text, {text, size}, error) != Status::ok) return refuse(error);
    Path folder = file;
    char* slash = strrchr(folder.text, '/');
    if (slash != nullptr) slash[slash == folder.text ? 1 : 0] = '\0';
    const bool is_absolute = config.data[0] == '/';
    data = path_of(is_absolute || slash == nullptr ? "" : folder.text, config.data);
    return exit_done;
}

// The data folder: what is given, or what the configuration that is given, or in it, names.
ExitCode find_data(const char* given, Path& data, Writer& error) {
    struct stat facts;
    if (stat(given, &facts) != 0) return tool_refuse("%s: %s", given, strerror(errno));
    if (S_ISREG(facts.st_mode)) return read_config(path_of("", given), data, error);
    data = path_of("", given);
    if (access(path_of(given, "journal").text, F_OK) == 0) return exit_done;
    const Path file = path_of(given, "pennyd.conf");
    if (access(file.text, F_OK) == 0) return read_config(file, data, error);
    data = path_of(given, "data");
    return exit_done;
}

// True for a checkpoint that a running server has not finished yet or is just removing, its
// manifest first; never for the current one.
bool is_passing(Check& check, uint32_t number) {
    StoreCheckpoints now;
    uint8_t said[PATH_MAX];
    Writer unsaid = writer_of(said, sizeof said);
    if (store_checkpoint_list(check.store, now, unsaid) != Status::ok) return false;
    if (now.count > 0 && now.numbers[0] == number) return false;
    bool is_sound = false;
    uint64_t rows[table_count];
    Manifest manifest;
    const Status status = store_checkpoint_verify(check.store, number, check.window, manifest,
                                                  is_sound, rows, unsaid);
    return status == Status::damaged && !is_sound;
}

// Takes the manifests before the journal is read, so that none can be ahead of it.
Status read_checkpoints(Check& check) {
    StoreCheckpoints found;
    Status status = store_checkpoint_list(check.store, found, check.error);
    for (uint32_t i = 0; i < found.count && status == Status::ok; i++) {
        bool is_sound = false;
        uint64_t rows[table_count];
        Manifest manifest;
        status = store_checkpoint_verify(check.store, found.numbers[i], check.window, manifest,
                                         is_sound, rows, check.error);
        if (status == Status::ok) {
            check.manifests[check.list.count] = manifest;
            check.list.numbers[check.list.count++] = found.numbers[i];
            continue;
        }
        if (is_passing(check, found.numbers[i])) status = Status::ok;
    }
    return status;
}

void print_total(const CheckSums& sums) {
    uint8_t text[64];
    Writer out = writer_of(text, sizeof text);
    put_minor(out, sums.total, sums.scale);
    printf("total    %.*s %s\n", static_cast<int>(out.size), reinterpret_cast<char*>(text),
           sums.currency);
}

void print_outcome(const Check& check, const CheckSums& sums, const Hash& digest) {
    printf("entries  %llu\n", static_cast<unsigned long long>(sums.entries));
    printf("batches  %llu\n", static_cast<unsigned long long>(sums.batches));
    printf("accounts %u\n", sums.account_count);
    print_total(sums);
    printf("digest   ");
    for (const uint8_t byte : digest.bytes) printf("%02x", byte);
    printf("\n");
    for (uint32_t i = 0; i < check.list.count; i++) {
        printf("checkpoint %u agrees with the journal\n", check.list.numbers[i]);
    }
    if (check.has_torn_tail) {
        printf("the last batch is not complete and was never acknowledged; a start drops it\n");
    }
    printf("the books sum to zero\n");
}

Status check_all(Check& check, CheckSums& sums, Hash& digest) {
    uint32_t first = 0;
    Status status = read_checkpoints(check);
    if (status == Status::ok) {
        status = store_segment_range(check.store, first, check.segment_last, check.error);
    }
    if (status == Status::ok) status = check_sums(check, sums);
    if (status != Status::ok) return status;
    BookMemory memory;
    if (book_memory_take(memory, sums.limits_max) != Status::ok) {
        return check_wrong_here(check, "there is no memory for a book of its limits");
    }
    status = check_again(check, sums, memory, digest);
    book_memory_give(memory);
    return status;
}

ExitCode check_data(const char* data, Writer& error) {
    static uint8_t window[batch_size_max];
    static Check check;
    check.window = window;
    check.error = error;
    check.batch_last = UINT64_MAX;
    if (store_open(check.store, store_calls_posix, data, StoreMode::read, error) != Status::ok) {
        return refuse(error);
    }
    CheckSums sums = {};
    Hash digest = {};
    const Status status = check_all(check, sums, digest);
    store_close(check.store);
    if (status == Status::ok) print_outcome(check, sums, digest);
    check_sums_free(sums);
    if (status != Status::ok) return refuse(check.error);
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return exit_done;
    return tool_refuse("standard output cannot be written");
}

}  // namespace

int verb_check(int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    const char* dir = tool_next(words, is_option);
    if (dir == nullptr) return tool_misused("check: which bank? pennyctl check DIR|CONFIG");
    if (is_option) return tool_misused("check: no option \"%s\"", dir);
    if (tool_next(words, is_option) != nullptr) return tool_misused("check: one bank at a time");
    Path data;
    static uint8_t text[PATH_MAX + config_error_size_max];
    Writer error = writer_of(text, sizeof text);
    const ExitCode code = find_data(dir, data, error);
    return code == exit_done ? check_data(data.text, error) : code;
}
