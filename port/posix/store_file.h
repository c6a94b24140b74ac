// store_file.h - what the files of store share: paths, whole reads and writes, sentences. For
// port/posix/store*.cpp, and for the tools that copy its files.
//
// Paths are relative to the data directory's own descriptor, so none is ever cut short.
#pragma once

#include "port/posix/store.h"

struct StorePath {
    char text[64];  // NUL-terminated
};

inline constexpr const char* store_manifest_name = "MANIFEST";
inline constexpr uint32_t store_directory_mode = 0700;
inline constexpr uint32_t store_file_mode = 0600;

StorePath store_path_of(const char* name);                   // of a file in data/ itself
StorePath store_path_segment(uint32_t segment);              // journal/00000001.journal
StorePath store_path_making(uint32_t segment);               // journal/00000001.making
StorePath store_path_checkpoint(uint32_t number);            // checkpoint.00000001
StorePath store_path_in_checkpoint(uint32_t number, const char* file);

// Reads the 8 digits between two literals, as in "checkpoint.00000012". Returns 0 for other names.
uint32_t store_number_of(Slice name, const char* before, const char* behind);

// Calls `each` for every name in a directory. Returns failed with errno when it cannot be read.
using StoreEach = void (*)(void* context, Slice name);
Status store_list(const StoreCalls& calls, int dir_fd, const char* path, StoreEach each,
                  void* context);

// Reads until `size` bytes are there or the file ends. Returns ok or failed.
Status store_read_all(const StoreCalls& calls, int fd, uint8_t* out, uint32_t size, uint64_t offset,
                      uint32_t& got);

// Writes all of `bytes`. Returns full when there is no room, failed for anything else.
Status store_write_all(const StoreCalls& calls, int fd, Slice bytes, uint64_t offset);

// Syncs a directory below `dir_fd`. Returns full or failed as store_write_all.
Status store_sync_directory(const StoreCalls& calls, int dir_fd, const char* path);

// Turns errno into full (no room, no quota) or failed.
Status store_status_of_errno();

// One sentence: "DIR/PATH: WHAT". The second form adds what errno says.
void store_say(const Store& store, Writer& error, const char* path, const char* what);
void store_say_errno(const Store& store, Writer& error, const char* path, const char* what);
void store_put_place(const Store& store, Writer& out, const char* path);  // "DIR/PATH: "

// As one line of the log.
void store_log(LogLevel level, const Writer& line);

// A table that differs from what the manifest says, and was changed by a person.
struct StoreEdit {
    uint32_t number;    // of the checkpoint; 0 for none
    TableName table;
    Manifest manifest;  // that does not agree with it
    bool is_unlinked;   // it is in a file of data/ itself, in the place of the link
};

// Tables that people look up under their own names in data/.
inline constexpr TableName store_linked_tables[] = {TableName::passwd, TableName::balance};

// What the checkpoints gave; see store_load.cpp.
struct StoreLoaded {
    uint32_t number;    // 0 when none was good enough
    Manifest manifest;  // of that one
    bool bank_known;    // some manifest was sound, though its tables were not
    uint8_t bank_id[bank_id_size];
    Position mark;      // up to here some sound manifest vouches for the journal
    StoreEdit edit;
};

// Fills the book's ledger from the newest good checkpoint other than `except` (0 for none) and logs
// what was wrong with newer ones. Returns ok, also when there is none; failed when the start must
// be refused, with `error` unless `out.edit` says why.
Status store_load(Store& store, Book& book, uint8_t* window, uint32_t except, StoreLoaded& out,
                  Writer& error);
