// store.h - everything that touches the data directory: journal segments, checkpoints, the lock.
//
// All calls block. pennyd makes them at start, on the journal's thread and on workers, never on the
// loop; the tools make them wherever they like. Nothing here allocates: memory is the caller's. A
// refusal is told in one sentence, put into `error`.
//
//     data/                       0700; files 0600
//       lock                      held by whoever may write; holds the pid as text
//       journal/NNNNNNNN.journal  segments from 1; NNNNNNNN.making until it is whole and synced
//       journal/ARCHIVED          which of them were moved elsewhere (journal/archived.h), if any
//       checkpoint.NNNNNNNN/      one file per table of tables.def, and MANIFEST, written last
//       current -> checkpoint.N   passwd -> current/passwd   balance -> current/balance
//       penalties                 who guessed passwords (access/penalties.h); may be deleted
//
//   Threads: store_write belongs to one thread; so does a checkpoint from begin to finish; each may
//   run beside the other and beside store_segment_make and store_read.
//
//   F1. A name ending in .journal appears only when its zeros are written and synced, file and
//       directory. No segment is ever replaced or shortened, but one that is blank: by its like, or
//       by one that store_segment_publish names. store_journal_drop, for `pennyctl repair` alone,
//       puts zeros in the place of a named end of the journal.
//   F2. A write or a sync that failed is never tried again on the same pages: store_write keeps
//       saying failed (P8).
//   F3. `current` names a checkpoint only when every file of it was synced, read back and found to
//       be what its manifest says; the one before is kept.
//   F4. A start believes nothing that it has not synced, and reads from the device rather than from
//       what a failed sync may have left in the page cache (J7).
//   F5. Mode `read` takes no lock and changes no byte.
#pragma once

#include "access/penalties.h"
#include "book.h"
#include "journal/archived.h"

// Every call that store makes of the system, so that tests can let any of them fail. As with the
// system's own, a negative answer is a failure and errno says why.
struct StoreCalls {
    int (*open)(int dir, const char* path, int flags, uint32_t mode);
    int (*close)(int fd);
    int64_t (*pread)(int fd, void* out, uint64_t size, uint64_t offset);
    int64_t (*pwrite)(int fd, const void* data, uint64_t size, uint64_t offset);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*rename)(int dir, const char* from, const char* to);
    int (*unlink)(int dir, const char* path, int flags);
    int (*mkdir)(int dir, const char* path, uint32_t mode);
    int (*symlink)(const char* target, int dir, const char* path);
    int64_t (*readlink)(int dir, const char* path, char* out, uint64_t size);
    int64_t (*list)(int fd, void* out, uint64_t size);  // getdents64
    int64_t (*size)(int fd);                            // bytes of the file
    int (*truncate)(int fd, uint64_t size);
    int (*forget)(int fd);      // drops clean pages of the file from the page cache
    int (*lock)(int fd);        // takes the lock of the file without waiting
    int (*lock_test)(int fd);   // 1 when somebody else holds it, 0 when nobody does
    int (*pid)();               // of this process; never fails
};

extern const StoreCalls store_calls_posix;

inline constexpr uint32_t store_dir_size_max = 4095;  // bytes; what the system takes as a path

enum class StoreMode : uint8_t {
    read,    // for tools beside a running server
    write,   // takes the lock
    create,  // as write; makes the directories, and refuses a journal that is already there
};

struct Store {
    const StoreCalls* calls;
    StoreMode mode;
    char dir[store_dir_size_max + 1];  // as it was given, for messages
    int dir_fd;
    int journal_fd;               // the directory journal/
    int lock_fd;

    int write_fd;                 // of the journal's thread: the segment it wrote last
    uint32_t write_segment;       // 0 for none
    bool write_failed;            // F2

    uint32_t checkpoint_newest;   // highest number in use; 0 for none
    uint32_t checkpoint_good;     // newest one loaded or finished; 0 for none
    bool checkpoint_open;         // one is being written
    int checkpoint_fd;            // its directory
    int table_fd[table_count];
    uint64_t table_size[table_count];
};

// Told now and then while the journal is read; `call` may be nullptr.
struct StoreProgress {
    void (*call)(void* context, uint64_t bytes_done, uint64_t bytes_total);
    void* context;
};

// What a start found.
struct StoreStart {
    LogStart log;             // for book_open
    uint32_t next_segment;    // the one after log.segment when it was made ahead; 0 when it was not
    uint32_t next_size;       // bytes of it; its salt is drawn anew for log_segment_made
    uint32_t checkpoint;      // the one that was loaded; 0 for none
    uint64_t batches;         // installed after it
    uint64_t entries;
    uint64_t dropped_batch;   // torn and dropped; 0 for none
};

// Opens the data directory. Returns failed with `error`, and nothing held, when it cannot be opened
// or another process holds the lock (its pid is named); misconf in the same way when it is to be
// written and its file system is read-only.
Status store_open(Store& store, const StoreCalls& calls, const char* dir, StoreMode mode,
                  Writer& error);
void store_close(Store& store);

// The pid that holds the lock of a data directory; 0 for nobody, or when there is no directory.
uint32_t store_lock_holder(const StoreCalls& calls, const char* dir);

// Fills the book: the current checkpoint if it is good, else the one before, else none; then the
// journal behind it. `window` has batch_size_max bytes. The book was laid out and needs no init. A
// torn last batch is zeroed and synced (not in mode read). Returns ok; failed with `error` when the
// start is refused; then no byte of the disk was changed.
Status store_recover(Store& store, Book& book, uint8_t* window, const StoreProgress& progress,
                     StoreStart& out, Writer& error);

// The checkpoints there are, the one that `current` names first, then newest first.
inline constexpr uint32_t store_checkpoints_max = 4;

struct StoreCheckpoints {
    uint32_t count;
    uint32_t numbers[store_checkpoints_max];
};

Status store_checkpoint_list(const Store& store, StoreCheckpoints& out, Writer& error);

// Compares a checkpoint's tables with its manifest, and counts their rows. `window` has
// batch_size_max bytes. Returns ok; damaged with `error` when it is not what was once written
// (`sound` tells whether the manifest itself is); failed when a newer version wrote it.
Status store_checkpoint_verify(const Store& store, uint32_t number, uint8_t* window, Manifest& out,
                               bool& sound, uint64_t rows[table_count], Writer& error);

// Fills the book's ledger from one checkpoint. The book was laid out and needs no init. Returns
// damaged with `error` when it is no good, failed when the limits of the book are too small.
Status store_checkpoint_load(const Store& store, uint32_t number, Book& book, uint8_t* window,
                             Writer& error);

// The lowest and the highest number of a segment; 0 for none.
Status store_segment_range(const Store& store, uint32_t& first, uint32_t& last, Writer& error);

// Looks for a sound batch behind the place where `recovery` stands, block by block, in the rest of
// its segment and in all up to `segment_last`. `window` has batch_size_max bytes.
Status store_scan_later(const Store& store, const Recovery& recovery, uint32_t segment_last,
                        uint8_t* window, bool& later, Writer& error);

// What a segment holds in which no batch of the journal stands.
enum class StoreBlank : uint8_t {
    blank,
    junk,     // something, but no sound batch
    batches,  // a sound batch, of whatever bank, or one of a newer format
};

Status store_scan_blank(const Store& store, uint32_t segment, uint8_t* window, StoreBlank& out,
                        Writer& error);

// Makes a segment of written zeros: `size` is a multiple of block_size, segment_size_min or more.
// One that is there already and blank is made anew. Returns full when there is no room (nothing is
// left behind), failed for anything else.
Status store_segment_make(Store& store, uint32_t segment, uint32_t size, Writer& error);

// A segment that begins to count only as a whole, for `pennyctl import`: what store_write puts into
// it is in NNNNNNNN.making until store_segment_publish has synced and renamed it. Cut off before
// that, the journal is as it was. A blank segment of that number that was made ahead gives way.
// Return full or failed with `error`; then store_segment_abandon follows.
Status store_segment_begin(Store& store, uint32_t segment, uint32_t size, Writer& error);
Status store_segment_publish(Store& store, uint32_t segment, Writer& error);
void store_segment_abandon(Store& store, uint32_t segment);

// Takes back a segment of a book that was never finished, and so never told to anybody.
void store_segment_discard(Store& store, uint32_t segment);

// Writes and syncs one batch. Returns failed, now and ever after, when any of it fails (F2).
Status store_write(Store& store, const LogWrite& write);

// Reads from a segment. Returns ok with `got` bytes, fewer than `size` only at the segment's end;
// absent when there is no such segment; failed when it cannot be read.
Status store_read(const Store& store, uint32_t segment, uint32_t offset, uint8_t* out,
                  uint32_t size, uint32_t& got);

// Bytes of a segment. Returns absent or failed as store_read.
Status store_segment_size(const Store& store, uint32_t segment, uint64_t& out);

// A checkpoint, piece by piece, in the order of snapshot_step. They return full or failed with
// `error`; then store_checkpoint_cancel follows, after which another may begin.
Status store_checkpoint_begin(Store& store, Writer& error);
Status store_checkpoint_append(Store& store, TableName table, Slice bytes, Writer& error);
Status store_checkpoint_finish(Store& store, Slice manifest, Writer& error);
void store_checkpoint_cancel(Store& store);

// A whole checkpoint of a book in which nothing waits for a commit. `buffer` holds at least
// manifest_size_max and some rows. Returns full or failed with `error`.
Status store_checkpoint_now(Store& store, Book& book, uint8_t* buffer, uint32_t size, Hash& digest,
                            Writer& error);

// Removes a checkpoint, its manifest first. What cannot be removed stays and does no harm.
void store_checkpoint_remove(const Store& store, uint32_t number);

// Lets `current` name this checkpoint; 0 for none.
Status store_checkpoint_switch(const Store& store, uint32_t number, Writer& error);

// Ends the journal at this place: removes the segments behind it, the highest first, then puts
// zeros over the rest of this one. Ended anywhere, the damage that was there still is. Returns
// failed with `error`.
Status store_journal_drop(const Store& store, uint32_t segment, uint32_t offset,
                          uint32_t segment_last, Writer& error);

// Reads journal/ARCHIVED. Returns ok, also when there is none (out.segment is 0 then); failed with
// `error` when it is not what was once written.
Status store_archived(const Store& store, Archived& out, Writer& error);

// Writes it anew: beside the old one, synced, then renamed. Returns full or failed with `error`.
Status store_archived_write(const Store& store, const Archived& archived, Writer& error);

// Removes a segment that was archived. Returns failed with errno.
Status store_segment_remove(const Store& store, uint32_t segment);

// Puts a piece of the text of penalties beside the one there is; the first one begins it anew, and
// behind the last one it is synced and takes the other's name. One thread at a time. Returns full
// or failed with `error`.
Status store_penalties_put(Store& store, uint32_t offset, Slice bytes, bool is_last,
                           Writer& error);

// Reads that text, piece by piece through `window`, into penalties that were just readied. Returns
// ok; absent when there is none; damaged or failed with `error`, and no row left, when it cannot be
// taken.
Status store_penalties_load(const Store& store, uint64_t now_ms, uint64_t wall_ms, uint8_t* window,
                            uint32_t window_size, const Ledger& ledger, Penalties& penalties,
                            Writer& error);
