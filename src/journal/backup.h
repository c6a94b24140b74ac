// backup.h - the texts of a backup: MANIFEST, its first member, and END, its last.
//
// A backup is one ustar archive (base/tar.h) of a whole bank in one folder. Reads and writes text
// only; the files are the tools' business, and so is the memory.
//
//     MANIFEST  pennyd.conf  client.conf  certs/...  data/checkpoint.N/...  data/journal/...  END
//
//     pennybank-backup 1                    version of this format
//     bank HEX                              bank id
//     made MS                               when, since 1970 UTC, and of the newest batch:
//     batch N  entry N  time MS             (a line each)
//     segment N  offset N                   where it ends
//     chain HEX                             its SHA-256
//     digest HEX                            of the book at that entry, as DIGEST gives it
//     keys 1                                0 when private keys were left out
//     file SIZE WHOLE SHA256 NAME           one line per member between MANIFEST and END, in order
//     without NAME                          one line per private key that was left out
//     sum HEX                               SHA-256 of all lines before
//
//     pennybank-backup-end 1
//     files N
//     sum HEX                               SHA-256 of all bytes of the archive before END's header
//
// A file of WHOLE bytes ends in zeros, of which those behind SIZE are not stored: the rest of the
// newest segment, into which a running server goes on to write.
//
//   L1. What is read back is only what could have been written: one spelling, the sum right.
//   L2. A newer version is told apart from damage.
#pragma once

#include "base/tar.h"
#include "journal/log.h"

inline constexpr uint32_t backup_version = 1;
inline constexpr uint32_t backup_files_max = 65536;
inline constexpr uint32_t backup_line_size_max = 448;  // bytes of one line of MANIFEST
inline constexpr uint32_t backup_head_size_max = 640;  // bytes of its lines before the first file
inline constexpr uint32_t backup_end_size_max = 160;   // bytes of END
inline constexpr const char* backup_manifest_name = "MANIFEST";
inline constexpr const char* backup_end_name = "END";

struct BackupBook {
    uint8_t bank_id[bank_id_size];
    uint64_t made_ms;
    uint64_t batch;
    uint64_t entry;
    uint64_t time_ms;
    Position end;
    Hash chain;
    Hash digest;
    bool has_keys;
};

struct BackupFile {
    char name[tar_name_size_max + 1];
    uint64_t size;   // bytes stored
    uint64_t whole;  // bytes when unpacked; the rest is zeros
    Hash hash;       // of the bytes stored
};

struct BackupName {
    char text[tar_name_size_max + 1];  // NUL-terminated
};

struct BackupEnd {
    uint32_t files;
    Hash sum;
};

// Writing MANIFEST: head, then every file, every key left out, and the sum.
void backup_put_head(Writer& out, const BackupBook& book);
void backup_put_file(Writer& out, const BackupFile& file);
void backup_put_without(Writer& out, Slice name);
void backup_put_sum(Writer& out);

// Reading it. backup_take_head checks the sum of the whole text first and leaves `lines` at the
// first file. Returns damaged, or failed for a newer version.
Status backup_take_head(Slice text, BackupBook& out, Reader& lines);

// The next file. Returns end at the first line that is no file's, damaged for a line that
// backup_put_file would not have written.
Status backup_take_file(Reader& lines, BackupFile& out);

// The next key that was left out. Returns end at the sum.
Status backup_take_without(Reader& lines, BackupName& out);

void backup_put_end(Writer& out, const BackupEnd& end);
Status backup_take_end(Slice text, BackupEnd& out);
