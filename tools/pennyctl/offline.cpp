#include "pennyctl/offline.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "server_limits.h"

namespace {

constexpr const char* usual_places[] = {"pennyd.conf", "/etc/pennyd/pennyd.conf"};

void raise(uint32_t& limit, uint32_t other) {
    if (other > limit) limit = other;
}

// The book's memory: by the configuration, and by the checkpoints where only the data was named.
LedgerLimits limits_of(const Offline& offline, uint8_t* window) {
    const Config& config = offline.place.config;
    LedgerLimits limits = server_limits_of(config);
    uint8_t unsaid[512];
    Writer error = writer_of(unsaid, sizeof unsaid);
    StoreCheckpoints list;
    if (offline.place.conf.text[0] != '\0') return limits;
    if (store_checkpoint_list(offline.store, list, error) != Status::ok) return limits;
    for (uint32_t i = 0; i < list.count; i++) {
        Manifest manifest;
        bool is_sound = false;
        uint64_t rows[table_count];
        // Whether its tables are sound is recovery's to say, not ours.
        (void)store_checkpoint_verify(offline.store, list.numbers[i], window, manifest, is_sound,
                                      rows, error);
        if (!is_sound) continue;
        raise(limits.accounts, manifest.limits.accounts);
        raise(limits.ids, manifest.limits.ids);
        raise(limits.terminals, manifest.limits.terminals);
        raise(limits.holds, manifest.limits.holds);
        raise(limits.reversible, manifest.limits.reversible);
        raise(limits.items, manifest_rows_most(manifest, TableName::items));
        raise(limits.orders, manifest_rows_most(manifest, TableName::orders));
        limits.message_keys = message_keys_max;
        limits.messages = messages_max;
    }
    return limits;
}

Status say(Offline& offline, const char* text) {
    offline.error.size = 0;
    put_text(offline.error, text);
    return Status::failed;
}

uint64_t clock_step_ms(const Offline& offline) {
    return offline.place.config.clock_step_max_days * 86'400'000ull;
}

// Fills the book and opens it where its journal ends.
ExitCode open_book(Offline& offline) {
    static uint8_t window[batch_size_max];
    if (book_memory_take(offline.memory, limits_of(offline, window)) != Status::ok) {
        return tool_refuse("there is no memory for a book of its limits");
    }
    Book& book = offline.memory.book;
    if (store_recover(offline.store, book, window, {}, offline.start, offline.error) !=
        Status::ok) {
        book_memory_give(offline.memory);
        return tool_refuse_said(offline.error);
    }
    book_open(book, offline.start.log, clock_step_ms(offline));
    return exit_done;
}

// Root could write everywhere, and pennyd could not read what it wrote.
ExitCode refuse_other_user(const Offline& offline) {
    struct stat facts;
    const char* data = offline.place.data.text;
    if (stat(data, &facts) != 0 || facts.st_uid == geteuid()) return exit_done;
    return tool_refuse("%s belongs to user %u, who must own what is written there: run this as "
                       "that user, with sudo -u '#%u'", data, facts.st_uid, facts.st_uid);
}

}  // namespace

const char* offline_default() {
    for (const char* place : usual_places) {
        if (access(place, F_OK) == 0) return place;
    }
    return nullptr;
}

ExitCode offline_open(Offline& offline, const char* given, const char* instead) {
    static uint8_t text[PATH_MAX + config_error_size_max];
    offline.error = writer_of(text, sizeof text);
    offline.has_written = false;
    offline.wall_ms = tool_wall_ms();
    if (given == nullptr) given = offline_default();
    if (given == nullptr) {
        return tool_refuse("which bank? There is no %s and no %s; name its folder or its "
                           "configuration", usual_places[0], usual_places[1]);
    }
    ExitCode code = place_find(given, offline.place, offline.error);
    if (code == exit_done) code = refuse_other_user(offline);
    if (code == exit_done) code = place_refuse_beside_server(offline.place, instead);
    if (code != exit_done) return code;
    if (store_open(offline.store, store_calls_posix, offline.place.data.text, StoreMode::write,
                   offline.error) != Status::ok) {
        return tool_refuse_said(offline.error);
    }
    code = open_book(offline);
    if (code != exit_done) store_close(offline.store);
    return code;
}

Status offline_fail(Offline& offline, const char* what, Status status) {
    const Log& log = offline.memory.book.log;
    offline.error.size = 0;
    put_text(offline.error, what);
    put_text(offline.error, ": ");
    if (status == Status::misconf && log.blocked == LogBlock::clock) {
        put_text(offline.error, "the clock is too far ahead of the last entry; set it, or run "
                                "pennyctl clock accept");
    } else if (status == Status::misconf && log.blocked == LogBlock::failed) {
        put_text(offline.error, "the journal could not be written");
    } else {
        put_text(offline.error, status_meaning(status));
    }
    return Status::failed;
}

Status offline_take_segment(Offline& offline, uint32_t segment, uint32_t size) {
    uint64_t salt = 0;
    if (!port_random(reinterpret_cast<uint8_t*>(&salt), sizeof salt)) {
        return say(offline, "the system gives no random bytes");
    }
    log_segment_made(offline.memory.book.log, segment, size, salt);
    return Status::ok;
}

namespace {

// A segment behind this one, if this one might not hold another batch and none was made ahead.
Status make_room(Offline& offline) {
    const Log& log = offline.memory.book.log;
    if (log.next_segment != 0 || log.segment_size - log.offset >= batch_size_max) {
        return Status::ok;
    }
    if (offline.start.next_segment == log.segment + 1) {
        return offline_take_segment(offline, offline.start.next_segment, offline.start.next_size);
    }
    const uint32_t size = offline.place.config.segment_size_kib * 1024;
    if (store_segment_make(offline.store, log.segment + 1, size, offline.error) != Status::ok) {
        return Status::failed;
    }
    return offline_take_segment(offline, log.segment + 1, size);
}

}  // namespace

Status offline_begin(Offline& offline) {
    offline.wall_ms = tool_wall_ms();  // Passwords may have been hashed for long.
    const Status status = make_room(offline);
    if (status != Status::ok || offline.place.conf.text[0] == '\0') return status;
    const Status noted = book_note_limits(offline.memory.book, offline.wall_ms);
    if (noted == Status::ok) return noted;
    return offline_fail(offline, "the limits in force cannot be noted", noted);
}

Status offline_write(Offline& offline) {
    Book& book = offline.memory.book;
    LogWrite write;
    if (!book_write_next(book, write)) return Status::ok;
    const Status outcome = store_write(offline.store, write);
    book_write_done(book, outcome);
    BookDone done;
    while (book_commit_next(book, done)) {
    }
    if (outcome != Status::ok) return say(offline, "the journal could not be written");
    offline.has_written = true;
    return Status::ok;
}

Status offline_vouch(Offline& offline) {
    Status status = make_room(offline);
    if (status != Status::ok) return status;
    status = log_close(offline.memory.book.log, offline.wall_ms);
    if (status != Status::ok) return offline_fail(offline, "the journal", status);
    return offline_write(offline);
}

ExitCode offline_close(Offline& offline, ExitCode code) {
    static uint8_t buffer[batch_size_max];
    Book& book = offline.memory.book;
    Hash digest = {};
    Status status = Status::ok;
    if (offline.has_written && !log_is_stopped(book.log)) {
        status = offline_vouch(offline);
        if (status == Status::ok) {
            status = store_checkpoint_now(offline.store, book, buffer, sizeof buffer, digest,
                                          offline.error);
        }
    }
    if (status != Status::ok) {
        fprintf(stderr, "pennyctl: no checkpoint was made, and the next start makes one: %.*s\n",
                static_cast<int>(offline.error.size), reinterpret_cast<char*>(offline.error.data));
    }
    store_close(offline.store);
    book_memory_give(offline.memory);
    return tool_flushed(code);
}
