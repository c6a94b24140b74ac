#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "port/posix/store_file.h"

namespace {

// A walk over the journal from the segment in which the loaded checkpoint ends.
struct Walk {
    Store& store;
    Book& book;
    uint8_t* window;
    const StoreProgress& progress;
    StoreStart& out;
    Writer& error;
    StoreLoaded loaded;
    Recovery recovery;
    uint32_t segment_first;
    uint32_t segment_last;
    int fd;               // of the present segment
    uint32_t size;        // bytes of it
    bool joined;          // the batches from here on are not in the loaded tables
    uint64_t bytes_done;
    uint64_t bytes_total;
    uint64_t batch_last;  // where to stop; UINT64_MAX reads to the end
};

Status refuse(Walk& walk, uint32_t segment, const char* said) {
    store_say(walk.store, walk.error, store_path_segment(segment).text, said);
    return Status::failed;
}

// "DIR/journal/N.journal: at offset O, batch B"; where a walk begins behind the first segment, how
// many batches lie before is known only once the first one has been read.
void say_place(Walk& walk) {
    const Recovery& recovery = walk.recovery;
    store_say(walk.store, walk.error, store_path_segment(recovery.segment).text, "at offset ");
    put_decimal(walk.error, recovery.offset);
    if (!recovery.anchored) {
        put_text(walk.error, ", its first batch");
        return;
    }
    put_text(walk.error, ", batch ");
    put_decimal(walk.error, recovery.batch_seq + 1);
}

// How long the present segment is and was, where a batch of it says so.
void say_sizes(Walk& walk, const RecoveryBatch& batch) {
    const uint32_t made = walk.recovery.segment_size != 0 ? walk.recovery.segment_size
                                                          : batch.header.segment_size;
    if (made == 0) return;
    put_text(walk.error, "; it was made with ");
    put_decimal(walk.error, made);
    put_text(walk.error, " bytes and has ");
    put_decimal(walk.error, walk.size);
}

Status refuse_here(Walk& walk, const char* said, const char* advice,
                   const RecoveryBatch* sized = nullptr) {
    say_place(walk);
    put_text(walk.error, ": ");
    put_text(walk.error, said);
    if (sized != nullptr) say_sizes(walk, *sized);
    put_text(walk.error, "; nothing was changed; ");
    put_text(walk.error, advice);
    return Status::failed;
}

const char* advice_for(RecoveryFound found) {
    switch (found) {
        case RecoveryFound::newer: return "start the program that wrote it";
        case RecoveryFound::cut:
        case RecoveryFound::grown:
        case RecoveryFound::foreign:
        case RecoveryFound::misfit:
            return "put back the segment that belongs here, from a backup of this book";
        case RecoveryFound::fits:
        case RecoveryFound::tail:
        case RecoveryFound::blank:
        case RecoveryFound::junk: break;
    }
    return "put this segment back from a backup, or let `pennyctl repair` show what can be saved";
}

Status refuse_size(Walk& walk, uint32_t segment, uint64_t size) {
    store_say(walk.store, walk.error, store_path_segment(segment).text, "is ");
    put_decimal(walk.error, size);
    put_text(walk.error, " bytes long, which no segment is; put it back from a backup");
    return Status::failed;
}

// Every segment from the first to the last must be there and be whole.
Status check_segments(Walk& walk) {
    for (uint32_t segment = walk.segment_first; segment <= walk.segment_last; segment++) {
        uint64_t size = 0;
        const Status status = store_segment_size(walk.store, segment, size);
        if (status == Status::absent) {
            return refuse(walk, segment, "is missing; put it back from a backup of this book");
        }
        if (status != Status::ok) {
            store_say_errno(walk.store, walk.error, store_path_segment(segment).text,
                            "cannot be read");
            return Status::failed;
        }
        if (size < segment_size_min || size % block_size != 0 || size > UINT32_MAX) {
            return refuse_size(walk, segment, size);
        }
        walk.bytes_total += size;
    }
    return Status::ok;
}

// No checkpoint is good, and the journal does not begin here: it may lie in an archive.
Status refuse_without_first(Walk& walk) {
    Archived archived;
    if (store_archived(walk.store, archived, walk.error) != Status::ok) return Status::failed;
    if (archived.segment == 0) {
        return refuse(walk, 1, "is missing; put it back from a backup of this book");
    }
    store_say(walk.store, walk.error, "", "no checkpoint is sound, and segments 1 to ");
    put_decimal(walk.error, archived.segment - 1);
    put_text(walk.error, " are archived; copy them back into journal/ from ");
    for (uint32_t i = 0; i < archived.part_count; i++) {
        if (i > 0) put_text(walk.error, ", ");
        put_text(walk.error, archived.parts[i].name);
    }
    put_text(walk.error, ", or restore a backup");
    return Status::failed;
}

Status find_segments(Walk& walk) {
    const Store& store = walk.store;
    uint32_t lowest = 0;
    const Status status = store_segment_range(store, lowest, walk.segment_last, walk.error);
    if (status != Status::ok) return status;
    const bool has_mark = walk.loaded.mark != 0;
    if (walk.segment_last == 0 && !has_mark) {
        store_say(store, walk.error, "", "there is no book here; `pennyctl init` makes one");
        return Status::failed;
    }
    walk.segment_first =
        walk.loaded.number == 0 ? 1 : position_segment(walk.loaded.manifest.mark.end);
    // What a checkpoint vouches for must be there, whatever else is.
    const uint32_t marked = position_segment(walk.loaded.mark);
    if (marked > walk.segment_last) walk.segment_last = marked;
    if (walk.segment_first == 0) return refuse(walk, 0, "a checkpoint ends in it");
    if (walk.loaded.number == 0 && lowest > 1) return refuse_without_first(walk);
    return check_segments(walk);
}

// Opens the present segment. What it holds is synced and then read from the device (F4).
Status open_segment(Walk& walk) {
    const StoreCalls& calls = *walk.store.calls;
    const StorePath path = store_path_segment(walk.recovery.segment);
    const bool may_write = walk.store.mode != StoreMode::read;
    if (walk.fd >= 0) calls.close(walk.fd);
    walk.fd = calls.open(walk.store.dir_fd, path.text,
                         (may_write ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
    const int64_t size = walk.fd < 0 ? -1 : calls.size(walk.fd);
    const bool is_synced = size >= 0 && (!may_write || calls.fdatasync(walk.fd) == 0);
    if (!is_synced) {
        store_say_errno(walk.store, walk.error, path.text, "cannot be read");
        return Status::failed;
    }
    if (may_write) calls.forget(walk.fd);  // A hint; a file system may not know it.
    if (size < segment_size_min || size % block_size != 0 || size > UINT32_MAX) {
        return refuse(walk, walk.recovery.segment, "changed while it was read");
    }
    walk.size = static_cast<uint32_t>(size);
    return Status::ok;
}

Status read_window(Walk& walk, uint32_t size) {
    const Recovery& recovery = walk.recovery;
    uint32_t got = 0;
    const Status status = store_read_all(*walk.store.calls, walk.fd, walk.window, size,
                                         recovery.offset, got);
    if (status == Status::ok && got == size) return status;
    if (status == Status::ok) errno = EIO;  // The file was that long a moment ago.
    store_say_errno(walk.store, walk.error, store_path_segment(recovery.segment).text,
                    "cannot be read");
    put_text(walk.error, " at offset ");
    put_decimal(walk.error, recovery.offset);
    return Status::failed;
}

uint32_t window_size(uint32_t offset, uint32_t size) {
    return size - offset < batch_size_max ? size - offset : batch_size_max;
}

// Notes where the journal ends if nothing follows.
void note_end(Walk& walk) {
    const Recovery& recovery = walk.recovery;
    LogStart& log = walk.out.log;
    memcpy(log.bank_id, recovery.bank_id, bank_id_size);
    log.segment = recovery.segment;
    log.offset = recovery.offset;
    log.segment_size = walk.size;
    log.salt = recovery.salt;
    log.batch_seq = recovery.batch_seq;
    log.entry_seq = recovery.entry_seq;
    log.time_ms = recovery.time_ms;
    log.chain = recovery.chain;
}

// At the place where the checkpoint ends the journal must be the one it was taken from.
Status join_checkpoint(Walk& walk) {
    const SnapshotMark& mark = walk.loaded.manifest.mark;
    const Recovery& recovery = walk.recovery;
    const Position here = position_of(recovery.segment, recovery.offset);
    if (here < mark.end) return Status::ok;
    walk.joined = here == mark.end && mark.batch == recovery.batch_seq &&
                  mark.entry == recovery.entry_seq && mark.salt == recovery.salt &&
                  hash_equal(mark.chain, recovery.chain);
    if (walk.joined) return Status::ok;
    store_say(walk.store, walk.error, store_path_checkpoint(walk.loaded.number).text,
              "was not taken from this journal, which differs at batch ");
    put_decimal(walk.error, mark.batch);
    put_text(walk.error, "; nothing was changed; put both back from one backup");
    return Status::failed;
}

// The same of a limit that is no part of the book: there is one more than it.
Status refuse_mail(Walk& walk, uint64_t bad_seq, const char* name, uint32_t limit) {
    say_place(walk);
    put_text(walk.error, ", entry ");
    put_decimal(walk.error, bad_seq);
    put_text(walk.error, ": the limit `");
    put_text(walk.error, name);
    put_text(walk.error, "` is ");
    put_decimal(walk.error, limit);
    put_text(walk.error, ", and this book had at least ");
    put_decimal(walk.error, limit + uint64_t{1});
    return Status::failed;
}

// Puts both numbers of a limit that is too small.
Status refuse_full(Walk& walk, const RecoveryBatch& batch, uint64_t bad_seq) {
    Reader entries = reader_of(batch.entries);
    Slice bytes;
    Entry entry = {};
    for (uint64_t seq = batch.header.entry_first; seq <= bad_seq; seq++) {
        if (batch_next_entry(entries, bytes) != Status::ok) break;
        if (entry_decode(bytes, entry) != Status::ok) break;
    }
    const LedgerLimits& limits = walk.book.ledger.limits;
    const LimitsEntry& known = walk.book.ledger.limits_known;
    const bool is_item = entry.kind == EntryKind::item;
    const bool is_order = entry.kind == EntryKind::movement &&
                          operation_is_of_order(entry.movement.operation);
    if (is_item || is_order) {  // Which no limits entry names.
        say_place(walk);
        put_text(walk.error, ", entry ");
        put_decimal(walk.error, bad_seq);
        put_text(walk.error, is_item ? ": the limit `items` is " : ": the limit `orders` is ");
        put_decimal(walk.error, is_item ? limits.items : limits.orders);
        put_text(walk.error, ", and this book needs more");
        return Status::failed;
    }
    if (entry.kind == EntryKind::key) {
        return refuse_mail(walk, bad_seq, "message-keys", limits.message_keys);
    }
    if (entry.kind == EntryKind::message) {
        return refuse_mail(walk, bad_seq, "messages", limits.messages);
    }
    const bool is_terminal = entry.kind == EntryKind::terminal;
    const bool is_hold = entry.kind == EntryKind::movement;
    say_place(walk);
    put_text(walk.error, ", entry ");
    put_decimal(walk.error, bad_seq);
    put_text(walk.error, ": the limit `");
    put_text(walk.error, is_terminal ? "terminals" : is_hold ? "holds" : "accounts");
    put_text(walk.error, "` is ");
    put_decimal(walk.error, is_terminal ? limits.terminals
                            : is_hold   ? limits.holds
                                        : limits.accounts);
    put_text(walk.error, ", and this book was kept with ");
    put_decimal(walk.error, is_terminal ? known.terminals
                            : is_hold   ? known.holds
                                        : known.accounts);
    return Status::failed;
}

Status refuse_newer(Walk& walk, uint64_t seq) {
    say_place(walk);
    put_text(walk.error, ", entry ");
    put_decimal(walk.error, seq);
    put_text(walk.error, ": an entry of a newer format than this program knows; ");
    put_text(walk.error, advice_for(RecoveryFound::newer));
    return Status::failed;
}

Status refuse_entry(Walk& walk, uint64_t bad_seq) {
    say_place(walk);
    put_text(walk.error, ", entry ");
    put_decimal(walk.error, bad_seq);
    put_text(walk.error, ": does not follow from the entries before it; nothing was changed; ");
    put_text(walk.error, advice_for(RecoveryFound::misfit));
    return Status::failed;
}

Status install(Walk& walk, const RecoveryBatch& batch) {
    if (walk.joined && walk.recovery.batch_seq == 0) {
        book_init(walk.book, batch.header.bank_id);  // The first batch, and no checkpoint.
    }
    if (walk.joined) {
        uint64_t bad_seq = 0;
        const Status status = book_replay(walk.book, batch, bad_seq);
        if (status == Status::failed) return refuse_newer(walk, bad_seq);
        if (status == Status::full) return refuse_full(walk, batch, bad_seq);
        if (status != Status::ok) return refuse_entry(walk, bad_seq);
        walk.out.batches++;
        walk.out.entries += batch.header.entry_count;
    }
    recovery_install(walk.recovery, batch);
    walk.bytes_done += batch_size_of(batch.header.entries_size);
    if (walk.progress.call != nullptr) {
        walk.progress.call(walk.progress.context, walk.bytes_done, walk.bytes_total);
    }
    note_end(walk);
    return walk.joined ? Status::ok : join_checkpoint(walk);
}

// The torn batch's own header, if it reached the disk, says how many entries it had.
uint64_t torn_entry_last(const Walk& walk) {
    const Recovery& recovery = walk.recovery;
    Reader header = reader_of({walk.window, batch_header_size});
    get_bytes(header, 48);
    if (get_u64(header) != recovery.batch_seq + 1) return 0;
    if (get_u64(header) != recovery.entry_seq + 1) return 0;
    const uint32_t count = get_u32(header);
    return count == 0 || count > batch_entries_max ? 0 : recovery.entry_seq + count;
}

void log_torn(Walk& walk, const char* said, uint64_t entry_last) {
    say_place(walk);
    if (entry_last > 0) {
        put_text(walk.error, ", entries ");
        put_decimal(walk.error, walk.recovery.entry_seq + 1);
        put_text(walk.error, " to ");
        put_decimal(walk.error, entry_last);
    }
    put_text(walk.error, ": ");
    put_text(walk.error, said);
    put_text(walk.error, walk.store.mode == StoreMode::read ? "; left as it is" : "; dropped");
    store_log(LogLevel::warning, walk.error);
    walk.error.size = 0;
}

Status drop(Walk& walk, const char* said, uint64_t entry_last) {
    log_torn(walk, said, entry_last);
    walk.out.dropped_batch = walk.recovery.batch_seq + 1;
    if (walk.store.mode == StoreMode::read) return Status::ok;
    const StoreCalls& calls = *walk.store.calls;
    const uint32_t size = window_size(walk.recovery.offset, walk.size);
    memset(walk.window, 0, size);
    const bool is_clean = store_write_all(calls, walk.fd, {walk.window, size},
                                          walk.recovery.offset) == Status::ok &&
                          calls.fdatasync(walk.fd) == 0;
    if (is_clean) return Status::ok;
    store_say_errno(walk.store, walk.error, store_path_segment(walk.recovery.segment).text,
                    "a torn batch at its end cannot be cleared");
    return Status::failed;
}

// Goes to the next segment; `ended` when there is none.
Status advance(Walk& walk, bool& ended) {
    walk.bytes_done += walk.size - walk.recovery.offset;
    ended = walk.recovery.segment == walk.segment_last;
    if (ended) return Status::ok;
    recovery_advance(walk.recovery);
    return open_segment(walk);
}

Status step(Walk& walk, bool& ended) {
    const Recovery& recovery = walk.recovery;
    const uint32_t size = window_size(recovery.offset, walk.size);
    Status status = read_window(walk, size);
    if (status != Status::ok) return status;
    RecoveryBatch batch = {};
    const RecoveryFound found =
        recovery_judge(recovery, {walk.window, size}, walk.size, batch);
    const bool marked = recovery_is_marked(recovery);
    const bool asks = found == RecoveryFound::blank || found == RecoveryFound::junk;
    const uint64_t entry_last = found == RecoveryFound::junk ? torn_entry_last(walk) : 0;
    bool later = false;
    if (asks && !marked) {
        status = store_scan_later(walk.store, recovery, walk.segment_last, walk.window, later,
                                  walk.error);
    }
    if (status != Status::ok) return status;
    const RecoveryRow& row = recovery_decide(found, later, marked);
    switch (row.action) {
        case RecoveryAction::install: return install(walk, batch);
        case RecoveryAction::advance: return advance(walk, ended);
        case RecoveryAction::finish: ended = true; return Status::ok;
        case RecoveryAction::drop: ended = true; return drop(walk, row.said, entry_last);
        case RecoveryAction::refuse: {
            const bool is_length = found == RecoveryFound::cut || found == RecoveryFound::grown;
            return refuse_here(walk, row.said, advice_for(found), is_length ? &batch : nullptr);
        }
    }
    CHECK(false);
    return Status::failed;
}

Status walk_journal(Walk& walk) {
    recovery_start(walk.recovery, walk.loaded.bank_known ? walk.loaded.bank_id : nullptr,
                   walk.segment_first, walk.loaded.mark);
    walk.joined = walk.loaded.number == 0;
    Status status = open_segment(walk);
    bool ended = false;
    while (status == Status::ok && !ended && walk.recovery.batch_seq < walk.batch_last) {
        status = step(walk, ended);
    }
    if (status != Status::ok || walk.batch_last != UINT64_MAX) return status;
    if (walk.out.log.batch_seq == 0) {
        return refuse(walk, walk.segment_first,
                      "holds no book; `pennyctl init` makes one in an empty directory");
    }
    // Every hole before the mark was refused; only a mark behind the last segment is left.
    if (!walk.joined || recovery_is_marked(walk.recovery)) {
        return refuse_here(walk, "the journal ends before the checkpoint does",
                           advice_for(RecoveryFound::blank));
    }
    return status;
}

// Writes zeros over a segment in which no batch stands.
Status clear_segment(Walk& walk, uint32_t segment, uint64_t size) {
    const StoreCalls& calls = *walk.store.calls;
    const StorePath path = store_path_segment(segment);
    const int fd = calls.open(walk.store.dir_fd, path.text, O_WRONLY | O_CLOEXEC, 0);
    bool is_clean = fd >= 0;
    memset(walk.window, 0, batch_size_max);
    for (uint64_t offset = 0; offset < size && is_clean; offset += batch_size_max) {
        const uint64_t left = size - offset;
        const uint32_t part = left < batch_size_max ? static_cast<uint32_t>(left) : batch_size_max;
        is_clean = store_write_all(calls, fd, {walk.window, part}, offset) == Status::ok;
    }
    is_clean = is_clean && calls.fdatasync(fd) == 0;
    if (!is_clean) store_say_errno(walk.store, walk.error, path.text, "cannot be cleared");
    if (fd >= 0) calls.close(fd);
    return is_clean ? Status::ok : Status::failed;
}

// The journal ends before this segment, so it must be as it was made: it will be written, and what
// it holds beside that would stand behind the next batches.
Status check_ahead(Walk& walk, uint32_t segment, uint64_t size) {
    StoreBlank found = StoreBlank::blank;
    const Status status = store_scan_blank(walk.store, segment, walk.window, found, walk.error);
    if (status != Status::ok || found == StoreBlank::blank) return status;
    const StorePath path = store_path_segment(segment);
    if (found == StoreBlank::batches) {
        return refuse(walk, segment, "holds batches that do not follow from this journal; nothing "
                                     "was changed; move it away if it is not this book's");
    }
    const bool may_write = walk.store.mode != StoreMode::read;
    store_say(walk.store, walk.error, path.text, may_write
              ? "was not blank, though the journal ends before it; cleared"
              : "is not blank, though the journal ends before it; left as it is");
    store_log(LogLevel::warning, walk.error);
    walk.error.size = 0;
    return may_write ? clear_segment(walk, segment, size) : status;
}

Status find_next(Walk& walk) {
    const uint32_t next = walk.out.log.segment + 1;
    uint64_t size = 0;
    for (uint32_t segment = walk.segment_last; segment >= next; segment--) {
        Status status = store_segment_size(walk.store, segment, size);
        if (status == Status::ok) status = check_ahead(walk, segment, size);
        if (status != Status::ok) return status;
    }
    if (next > walk.segment_last) return Status::ok;
    walk.out.next_segment = next;
    walk.out.next_size = static_cast<uint32_t>(size);
    return Status::ok;
}

StorePath path_of_edit(const StoreEdit& edit) {
    const char* name = table_name(edit.table);
    return edit.is_unlinked ? store_path_of(name) : store_path_in_checkpoint(edit.number, name);
}

// The line at which a table's file is not what the book formats; 0 when that cannot be told.
uint64_t find_changed_line(const Store& store, Book& book, const StoreEdit& edit) {
    const StoreCalls& calls = *store.calls;
    const int fd = calls.open(store.dir_fd, path_of_edit(edit).text, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    uint8_t text[table_line_size_max];
    uint8_t found[table_line_size_max];
    Snapshot& snapshot = book.snapshot;
    snapshot_begin(snapshot, book.ledger, edit.manifest.mark);
    uint64_t line = 1;
    uint64_t offset = 0;
    bool same = true;
    while (same && !snapshot_is_done(snapshot)) {
        const TableName table = static_cast<TableName>(snapshot.table);
        Writer row = writer_of(text, sizeof text);
        (void)snapshot_step(snapshot, book.ledger, row, 1);  // What it says is in the snapshot.
        if (table != edit.table || row.size == 0) continue;
        uint32_t got = 0;
        same = store_read_all(calls, fd, found, row.size, offset, got) == Status::ok &&
               slice_equal({found, got}, writer_slice(row));
        offset += row.size;
        line += same ? 1 : 0;
    }
    snapshot_end(snapshot, book.ledger);
    calls.close(fd);
    return line;
}

// Lets the journal say what the table was: from the checkpoint before it, or from its beginning.
uint64_t find_edited_line(Store& store, Book& book, uint8_t* window, const StoreEdit& edit) {
    uint8_t unsaid[512];
    Writer error = writer_of(unsaid, sizeof unsaid);
    const StoreProgress silent = {};
    StoreStart start = {};
    Walk walk = {store, book,  window, silent, start, error, {}, {},
                 0,     0,     -1,     0,      false, 0,     0,  edit.manifest.mark.batch};
    Status status = store_load(store, book, window, edit.number, walk.loaded, error);
    if (edit.manifest.mark.end > walk.loaded.mark) walk.loaded.mark = edit.manifest.mark.end;
    if (status == Status::ok) status = find_segments(walk);
    // All that is read is marked, so nothing is dropped.
    if (status == Status::ok) status = walk_journal(walk);
    if (walk.fd >= 0) store.calls->close(walk.fd);
    const bool is_there = status == Status::ok && walk.joined &&
                          book.ledger.seq_installed == edit.manifest.mark.entry;
    return is_there ? find_changed_line(store, book, edit) : 0;
}

// What to do instead of changing a table by hand.
const char* advice_for_edit(TableName table) {
    switch (table) {
        case TableName::passwd:
            return "; people and passwords are changed with USER, REGISTER and PASSWD";
        case TableName::balance:
            return "; money is moved with DEPOSIT, WITHDRAW and TRANSFER, and bounds are set with "
                   "ACCOUNT LIMIT";
        case TableName::people: return "; this is changed with USER NAME and PIN";
        case TableName::holds: return "; holds are ended with CAPTURE and VOID";
        case TableName::items: return "; this is changed with ITEM";
        case TableName::orders: return "; this is changed with ORDER, ORDER DONE and CANCEL";
        case TableName::keys: return "; keys are published with KEY SET";
        case TableName::mail: return "; messages are sent and ended with SEND and FORGET";
        case TableName::terminals:
        case TableName::asked:
        case TableName::ids:
        case TableName::ordered:
        case TableName::reversed:
        case TableName::days: break;
    }
    return "; no command changes it";
}

Status refuse_edit(Store& store, Book& book, uint8_t* window, const StoreEdit& edit,
                   Writer& error) {
    const uint64_t line = find_edited_line(store, book, window, edit);
    store_say(store, error, path_of_edit(edit).text, "");
    if (line > 0) {
        put_text(error, "line ");
        put_decimal(error, line);
        put_u8(error, ' ');
    }
    put_text(error, "was changed by hand and is not believed");
    put_text(error, advice_for_edit(edit.table));
    put_text(error, "; nothing was changed; ");
    if (edit.is_unlinked) {
        put_text(error, "to go on with what the journal says, move this file away");
        return Status::failed;
    }
    put_text(error, "`pennyctl repair ");
    put_shell_word(error, store.dir);
    put_text(error, " --forget-edits` goes on with what the journal says");
    return Status::failed;
}

}  // namespace

Status store_recover(Store& store, Book& book, uint8_t* window, const StoreProgress& progress,
                     StoreStart& out, Writer& error) {
    out = {};
    error.size = 0;
    Walk walk = {store, book,  window, progress, out, error, {}, {},
                 0,     0,     -1,     0,        false, 0,   0,  UINT64_MAX};
    Status status = store_load(store, book, window, 0, walk.loaded, error);
    if (walk.loaded.edit.number != 0) {
        return refuse_edit(store, book, window, walk.loaded.edit, error);
    }
    if (status == Status::ok) status = find_segments(walk);
    if (status == Status::ok) status = walk_journal(walk);
    if (status == Status::ok) status = find_next(walk);
    if (walk.fd >= 0) store.calls->close(walk.fd);
    out.checkpoint = walk.loaded.number;
    return status;
}
