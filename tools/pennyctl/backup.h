// backup.h - a bank in one file: how `backup` writes it, how `restore` and `check` believe it.
//
// The texts inside are src/journal/backup.h's, the archive is src/base/tar.h's. Prints nothing
// but through the verbs; memory is the process's own, from malloc.
//
//     gather ─► write FILE.making ─► sync ─► backup_open ─► check_book ─► rename ─► sync folder
//               (MANIFEST … END)             every byte     every entry
//
//     backup_open ─► check_book ─► unpack into DIR.making ─► sync ─► check_book ─► rename
//
//   U1. A name without `.making` stands only for what was synced, read back and checked.
//   U2. backup_open believes nothing: any flipped bit, byte or file too few or too many is damaged.
//   U3. The journal in a backup is read by the very functions that read one on disk: backup_calls
//       gives them the members of the archive as files.
//   U4. Nothing that is there is ever overwritten.
#pragma once

#include "journal/backup.h"
#include "pennyctl/check.h"
#include "pennyctl/place.h"

// One that was opened.
struct BackupArchive {
    int fd;                // -1 when closed
    const char* path;      // as it was given
    BackupBook book;
    uint8_t* manifest;     // the whole text
    uint32_t manifest_size;
    BackupFile* files;     // in the order of their names
    uint64_t* offsets;     // of their content in the archive, bytes
    uint32_t file_count;
    uint32_t without_count;
    Reader without;        // for backup_take_without
};

// Reads the archive from its first byte to its last. Returns ok; damaged with `error` for anything
// but what `backup` wrote (U2); failed when it cannot be read or a newer version wrote it.
// backup_close follows in any case.
Status backup_open(BackupArchive& archive, const char* path, Writer& error);
void backup_close(BackupArchive& archive);

// Reads MANIFEST's head alone: for telling whose backup a file is.
Status backup_peek(const char* path, BackupBook& out, Writer& error);

// The calls of a store over the archive that was mounted last; its name is the data directory's.
extern const StoreCalls backup_calls;
void backup_mount(const BackupArchive& archive);

// Checks the book in an archive, and that it ends where and as its manifest says. check_sums_free
// follows.
Status backup_check(const BackupArchive& archive, Check& check, CheckSums& sums, Writer& error);

// A file on its way into a backup.
struct BackupSource {
    BackupFile file;
    char* path;      // from malloc; nullptr when `content` is the file
    Slice content;
};

struct BackupSources {
    BackupSource* rows;  // from malloc
    uint32_t count;
    uint32_t room;
    char** without;      // names of private keys that are left out, from malloc
    uint32_t without_count;
    bool keys_left_out;  // --no-keys
};

// Finds what belongs into a backup of a bank whose book was just checked, sizes and hashes
// included. Returns absent when a checkpoint went away meanwhile: then everything is done again.
// Other answers but ok are final, with `error`. backup_forget follows.
Status backup_gather(const BankPlace& place, const Check& check, BackupSources& out,
                     Writer& error);
void backup_forget(BackupSources& sources);

// Writes the archive to an open, empty file and syncs it. Returns failed with `error`.
Status backup_write(int fd, const BackupBook& book, const BackupSources& sources, Writer& error);

// The text of a configuration with every path that leads out of its folder led into it: what a
// backup holds is one folder that stands by itself. Returns failed with `error`.
Status backup_conf(const BankPlace& place, Slice text, Writer& out, Writer& error);

// The member name of a file or folder that the configuration names: its own where it lies under
// certs/ or lab/, else one under certs/elsewhere/. A long one keeps its end, behind 16 digits of
// its hash.
BackupName backup_name_of(const char* value);

// Removes all but the newest `keep` backups of this bank, by the dates in their names; never
// `made`. Prints what was removed.
ExitCode backup_keep(const char* folder, const char* made, const uint8_t* bank_id, uint32_t keep);

// "pennybank-2026-11-21T031502Z.tar", for the folder of --into.
struct BackupFileName {
    char text[40];
};
BackupFileName backup_file_name(uint64_t wall_ms);
bool backup_file_name_is_ours(const char* name);
