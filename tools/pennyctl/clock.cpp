// clock.cpp - `pennyctl clock accept`: an empty batch with the present time, so that the leap that
// a server does not take by itself (`clock-step-max-days`) lies behind it.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pennyctl/offline.h"

namespace {

// Puts `time`, for a sentence.
const char* utc(uint64_t time_ms, char text[32]) {
    Writer out = writer_of(reinterpret_cast<uint8_t*>(text), 31);
    put_utc(out, time_ms);
    text[out.size] = '\0';
    return text;
}

ExitCode accept_time(Offline& offline) {
    char now[32];
    char last[32];
    const uint64_t last_ms = offline.start.log.time_ms;
    utc(offline.wall_ms, now);
    utc(last_ms, last);
    if (offline.wall_ms <= last_ms) {
        return tool_refuse("the clock says %s, and the last batch was written at %s: the time of a "
                           "book never goes back; set the clock",
                           now, last);
    }
    offline.memory.book.log.clock_step_max_ms = UINT64_MAX;
    if (offline_vouch(offline) != Status::ok) return tool_refuse_said(offline.error);
    offline.has_written = false;  // It has no entry, so no checkpoint is due.
    printf("the time of the book is %s now; its last batch was from %s\n", now, last);
    return exit_done;
}

ExitCode accept(const char* given) {
    static Offline offline;
    const ExitCode code = offline_open(offline, given, "stop it first");
    return code == exit_done ? offline_close(offline, accept_time(offline)) : code;
}

}  // namespace

int verb_clock(int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    const char* word = tool_next(words, is_option);
    if (word == nullptr || is_option || strcmp(word, "accept") != 0) {
        return tool_misused_verb("clock", "accept it, or set it");
    }
    const char* dir = tool_next(words, is_option);
    if (dir == nullptr) return tool_misused_verb("clock", "which bank?");
    if (is_option) return tool_misused_verb("clock", "no option \"%s\"", dir);
    if (tool_next(words, is_option) != nullptr) {
        return tool_misused_verb("clock", "one bank at a time");
    }
    return accept(dir);
}
