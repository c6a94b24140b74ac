// files.h - makes files that must not be there yet, remembers them, and takes them back on failure.
//
// Paths are relative to one folder, or absolute. But for made_replace nothing is ever overwritten,
// and nothing is followed through a link; what was there before stays. A file is on disk when
// made_file returns; a folder's list of names is after made_sync. What root makes in somebody
// else's folder is given to whom the folder belongs, or the server could not read it.
//
//   F1. A file gets its name when all of it is on disk (PATH.new, synced, renamed), so that no cut
//       leaves a part of one under its name.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

inline constexpr uint32_t made_rows_max = 48;
inline constexpr uint32_t made_path_size_max = 1023;  // bytes

struct MadePath {
    char text[made_path_size_max + 1];
};

struct MadeRow {
    MadePath path;
    bool is_folder;
};

struct Made {
    int folder_fd;            // -1 while it is not there
    const char* folder;       // as it was given
    bool folder_is_ours;      // it was made by made_open
    uint32_t row_count;
    MadeRow rows[made_rows_max];
};

// These return failed with errno set.
Status made_look(Made& made, const char* folder);  // opens the folder, if it is there
Status made_begin(Made& made);                     // makes it, if it was not
Status made_folder(Made& made, const char* path, uint32_t mode);  // ok when it is there already
Status made_file(Made& made, const char* path, uint32_t mode, Slice bytes);
Status made_sync(Made& made);

// Puts a file in the place of one of that name, if there is any, and syncs its folder; a cut leaves
// the one or the other whole. It is not taken back.
Status made_replace(Made& made, const char* path, uint32_t mode, Slice bytes);

// Adds a whole line to a file, which it makes if need be, and syncs both. A last line that a cut
// left without its end is taken off first. It is not taken back, but the file is that was made
// here.
Status made_append(Made& made, const char* path, uint32_t mode, Slice line);

// True when there is anything of that name.
bool made_is_there(const Made& made, const char* path);

// Removes what was made, the content of its folders included, newest first.
void made_undo(Made& made);
void made_close(Made& made);
