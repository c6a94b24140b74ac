// clock.cpp - `pennyctl clock accept`: an empty batch with the present time, so that the leap that
// a server does not take by itself (`clock-step-max-days`) lies behind it.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pennyctl/book_memory.h"
#include "pennyctl/data.h"
#include "port/posix/store.h"

namespace {

struct Clock {
    ToolData data;
    Store store;
    BookMemory memory;
    StoreStart start;
    Writer error;
};

void raise(uint32_t& limit, uint32_t other) {
    if (other > limit) limit = other;
}

// The book's memory: by the configuration, and by the checkpoints where only the data was named.
LedgerLimits limits_of(const Clock& clock, uint8_t* window) {
    LedgerLimits limits = clock.data.limits;
    uint8_t unsaid[512];
    Writer error = writer_of(unsaid, sizeof unsaid);
    StoreCheckpoints list;
    if (store_checkpoint_list(clock.store, list, error) != Status::ok) return limits;
    for (uint32_t i = 0; i < list.count; i++) {
        Manifest manifest;
        bool is_sound = false;
        uint64_t rows[table_count];
        // Whether its tables are sound is the start's to say, not ours.
        (void)store_checkpoint_verify(clock.store, list.numbers[i], window, manifest, is_sound,
                                      rows, error);
        if (!is_sound) continue;
        raise(limits.accounts, manifest.limits.accounts);
        raise(limits.ids, manifest.limits.ids);
        raise(limits.terminals, manifest.limits.terminals);
        raise(limits.holds, manifest.limits.holds);
        raise(limits.reversible, manifest.limits.reversible);
    }
    return limits;
}

void say(Clock& clock, const char* text) {
    clock.error.size = 0;
    put_text(clock.error, text);
}

// Hands the log a segment to go on in. The salt keeps its batches apart from any others.
Status take_segment(Clock& clock, uint32_t segment, uint32_t size) {
    uint64_t salt = 0;
    if (!port_random(reinterpret_cast<uint8_t*>(&salt), sizeof salt)) {
        say(clock, "the system gives no random bytes");
        return Status::failed;
    }
    log_segment_made(clock.memory.book.log, segment, size, salt);
    return Status::ok;
}

// Opens the empty batch; in a new segment, if this one is full and none was made ahead.
Status open_batch(Clock& clock, uint64_t wall_ms) {
    Log& log = clock.memory.book.log;
    Status status = Status::ok;
    if (clock.start.next_segment != 0) {
        status = take_segment(clock, clock.start.next_segment, clock.start.next_size);
    }
    if (status == Status::ok) status = log_close(log, wall_ms);
    if (status != Status::pending) return status;
    const uint32_t size = clock.data.segment_size;
    status = store_segment_make(clock.store, log.segment + 1, size, clock.error);
    if (status == Status::ok) status = take_segment(clock, log.segment + 1, size);
    return status == Status::ok ? log_close(log, wall_ms) : status;
}

Status write_batch(Clock& clock) {
    LogWrite write;
    if (!book_write_next(clock.memory.book, write)) return Status::failed;
    const Status outcome = store_write(clock.store, write);
    book_write_done(clock.memory.book, outcome);
    BookDone done;
    while (book_commit_next(clock.memory.book, done)) {
    }
    if (outcome != Status::ok) say(clock, "the journal could not be written");
    return outcome;
}

// Puts `time`, for a sentence.
const char* utc(uint64_t time_ms, char text[32]) {
    Writer out = writer_of(reinterpret_cast<uint8_t*>(text), 31);
    put_utc(out, time_ms);
    text[out.size] = '\0';
    return text;
}

ExitCode accept_time(Clock& clock) {
    char now[32];
    char last[32];
    const uint64_t wall_ms = tool_wall_ms();
    const uint64_t last_ms = clock.start.log.time_ms;
    utc(wall_ms, now);
    utc(last_ms, last);
    if (wall_ms <= last_ms) {
        return tool_refuse("the clock says %s, and the last batch was written at %s: the time of a "
                           "book never goes back; set the clock",
                           now, last);
    }
    say(clock, "the journal cannot go on here");
    book_open(clock.memory.book, clock.start.log, UINT64_MAX);
    Status status = open_batch(clock, wall_ms);
    if (status == Status::ok) status = write_batch(clock);
    if (status != Status::ok) return tool_refuse_said(clock.error);
    printf("the time of the book is %s now; its last batch was from %s\n", now, last);
    return tool_flushed(exit_done);
}

ExitCode accept_in_store(Clock& clock) {
    static uint8_t window[batch_size_max];
    if (book_memory_take(clock.memory, limits_of(clock, window)) != Status::ok) {
        return tool_refuse("there is no memory for a book of its limits");
    }
    const Status status = store_recover(clock.store, clock.memory.book, window, {}, clock.start,
                                        clock.error);
    const ExitCode code =
        status == Status::ok ? accept_time(clock) : tool_refuse_said(clock.error);
    book_memory_give(clock.memory);
    return code;
}

ExitCode accept(const char* given) {
    static uint8_t text[PATH_MAX + config_error_size_max];
    static Clock clock;
    clock.error = writer_of(text, sizeof text);
    const ExitCode found = data_find(given, clock.data);
    if (found != exit_done) return found;
    if (store_open(clock.store, store_calls_posix, clock.data.folder.text, StoreMode::write,
                   clock.error) != Status::ok) {
        return tool_refuse_said(clock.error);
    }
    const ExitCode code = accept_in_store(clock);
    store_close(clock.store);
    return code;
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
