// archive.h - segments that lie elsewhere: how they get there, and how `check` sees them there.
//
// What may go: closed segments from the front, all of whose batches are older than a date, and
// behind which both kept checkpoints begin, so that no start reads them.
//
//     check_book ─► choose ─► copy, sync, compare ─► journal/ARCHIVED ─► remove, lowest first
//
//   D1. A segment is removed only when its copy was synced and read back, and ARCHIVED says where
//       it is. Killed anywhere, the book is whole in one place or in both.
//   D2. What is there of the same name in the folder must be the same, or nothing is done.
#pragma once

#include "pennyctl/check.h"
#include "pennyctl/place.h"

inline constexpr uint32_t archive_folders_max = archived_parts_max;

// The folders that --archive named, in order.
struct ArchiveFolders {
    const char* paths[archive_folders_max];
    uint32_t count;
};

// Takes the value of an --archive that was just met. Returns exit_done, or exit_usage with the
// sentence printed.
ExitCode archive_take(ArchiveFolders& folders, const char* verb, ToolWords& words);

// The calls for a reader of the bank: the system's, with segments that are not in journal/ looked
// for in these folders. Returns exit_done, or exit_refused with the sentence printed.
ExitCode archive_mount(const ArchiveFolders& folders, const StoreCalls*& out);
