#include "pennyctl/repair.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

namespace {

struct Options {
    const char* bank;
    const char* drop_from;  // SEGMENT.OFFSET or a batch
    const char* copies;
    bool forget_edits;
};

ExitCode take_option(Options& options, const char* word, ToolWords& words) {
    if (strcmp(word, "--forget-edits") == 0) {
        if (!tool_value_is_absent(words)) return tool_misused("--forget-edits takes no value");
        options.forget_edits = true;
        return exit_done;
    }
    const bool is_drop = strcmp(word, "--drop-from") == 0;
    if (!is_drop && strcmp(word, "--copies") != 0) {
        return tool_misused("repair: no option \"%s\"", word);
    }
    const char* value = tool_value(words);
    if (value == nullptr || value[0] == '\0') return tool_misused("%s wants a value", word);
    (is_drop ? options.drop_from : options.copies) = value;
    return exit_done;
}

ExitCode take_options(Options& options, int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    while (const char* word = tool_next(words, is_option)) {
        ExitCode code = exit_done;
        if (is_option) {
            code = take_option(options, word, words);
        } else if (options.bank != nullptr) {
            code = tool_misused("repair: one bank at a time");
        } else {
            options.bank = word;
        }
        if (code != exit_done) return code;
    }
    if (options.bank == nullptr) return tool_misused("repair: which bank? pennyctl repair --help");
    if (options.drop_from != nullptr && options.forget_edits) {
        return tool_misused("--drop-from and --forget-edits are two repairs; give one");
    }
    if (options.copies != nullptr && options.drop_from == nullptr && !options.forget_edits) {
        return tool_misused("--copies goes with --drop-from or --forget-edits");
    }
    return exit_done;
}

// True when what was typed names the place of the damage and nothing else.
bool names_the_damage(const Repair& repair, const char* typed) {
    const Recovery& at = repair.check.recovery;
    char place[32];
    char batch[32];
    snprintf(place, sizeof place, "%u.%u", at.segment, at.offset);
    snprintf(batch, sizeof batch, "%llu", static_cast<unsigned long long>(at.batch_seq + 1));
    return strcmp(typed, place) == 0 || strcmp(typed, batch) == 0;
}

ExitCode refuse_sound(const Repair& repair) {
    return tool_refuse("%s: the journal is sound; %s", repair.place.data.text,
                       repair.check.has_torn_tail
                           ? "its last batch is not complete, was never acknowledged, and a start "
                             "drops it by itself"
                           : "there is nothing to repair");
}

ExitCode cut(Repair& repair, const Options& options) {
    const Recovery at = repair.check.recovery;
    if (!names_the_damage(repair, options.drop_from)) {
        return tool_refuse("%.*s; --drop-from must name that place, %u.%u, or batch %llu, not %s",
                           static_cast<int>(repair.error.size),
                           reinterpret_cast<char*>(repair.error.data), at.segment, at.offset,
                           static_cast<unsigned long long>(at.batch_seq + 1), options.drop_from);
    }
    const uint64_t last = repair.entry_last;
    if (repair_cut(repair, options.copies) != Status::ok) return tool_refuse_said(repair.error);
    printf("dropped  from %u.%u on: entries from %llu, up to %llu at least\n", at.segment,
           at.offset, static_cast<unsigned long long>(at.entry_seq + 1),
           static_cast<unsigned long long>(last));
    printf("The journal is sound again and ends with entry %llu. What was acknowledged after it\n"
           "must be booked again by hand; its numbers will be given again.\n",
           static_cast<unsigned long long>(repair.check.recovery.entry_seq));
    return exit_done;
}

ExitCode mend(Repair& repair, const Options& options) {
    const Status found = repair_look(repair);
    if (found == Status::ok) return refuse_sound(repair);
    if (found != Status::damaged) return tool_refuse_said(repair.error);
    if (!repair_can_cut(repair)) return tool_refuse_said(repair.error);
    const Writer said = repair.error;
    if (repair_count_losses(repair) != Status::ok) return tool_refuse_said(repair.error);
    repair.error = said;
    if (options.drop_from != nullptr) return cut(repair, options);
    repair_print(repair);
    return exit_done;
}

ExitCode forget_edits(Repair& repair, const Options& options) {
    if (repair_look(repair) == Status::failed) return tool_refuse_said(repair.error);
    const Status status = repair_forget_edits(repair, options.copies);
    if (status == Status::absent) {
        return tool_refuse("%s: no table was changed by anybody; there is nothing to forget",
                           repair.place.data.text);
    }
    if (status != Status::ok) return tool_refuse_said(repair.error);
    printf("The next start goes on with the checkpoint before, or with the journal.\n");
    return exit_done;
}

ExitCode run(Repair& repair, const Options& options) {
    ExitCode code = place_find(options.bank, repair.place, repair.error);
    if (code == exit_done) {
        code = place_refuse_beside_server(
            repair.place, "stop it first, with `penny SHUTDOWN`; nothing was changed");
    }
    if (code != exit_done) return code;
    const bool writes = options.drop_from != nullptr || options.forget_edits;
    const StoreMode mode = writes ? StoreMode::write : StoreMode::read;
    if (store_open(repair.check.store, store_calls_posix, repair.place.data.text, mode,
                   repair.error) != Status::ok) {
        return tool_refuse_said(repair.error);
    }
    code = options.forget_edits ? forget_edits(repair, options) : mend(repair, options);
    store_close(repair.check.store);
    return code == exit_done ? tool_flushed(exit_done) : code;
}

}  // namespace

int verb_repair(int argc, char** argv) {
    static Repair repair;
    static uint8_t window[batch_size_max];
    static uint8_t text[2 * PATH_MAX + config_error_size_max];
    Options options = {};
    repair.window = repair.check.window = window;
    repair.error = writer_of(text, sizeof text);
    const ExitCode code = take_options(options, argc, argv);
    if (code != exit_done) return code;
    repair.given = options.bank;
    const ExitCode outcome = run(repair, options);
    repair_free(repair);
    return outcome;
}
