// files.h - makes files that must not be there yet, remembers them, and takes them back on failure.
//
// Paths are relative to one folder. Nothing is ever overwritten or followed through a link; what
// was there before stays. A file is on disk when made_file returns; a folder's list of names is
// after made_sync.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

inline constexpr uint32_t made_rows_max = 48;
inline constexpr uint32_t made_path_size_max = 127;

struct MadeRow {
    char path[made_path_size_max + 1];
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

// True when there is anything of that name.
bool made_is_there(const Made& made, const char* path);

// Removes what was made, the content of its folders included, newest first.
void made_undo(Made& made);
void made_close(Made& made);
