// folder.h - the folder of one person's messages: keys, pins, and what was read.
//
//     messages/               0700   [client] messages = FOLDER
//       alice/                0700   one for each person who logs in here
//         key.pem             0600   the key, PKCS#8
//         key-next.pem        0600   a new one, until the server has its public part
//         key-KID.pem         0600   earlier ones: what was sealed to them stays readable
//         pins                0600   see pins.h
//         seen                0600   see seen.h
//         send-ID             0600   an envelope whose sending has not been answered yet
//
//   D1. A file appears whole or not at all: it is written under another name, synced and linked.
//   D2. Nothing is overwritten but by folder_rename, which the caller has reasons for.
//   D3. A file of lines only grows. What a power cut left of a last line is cut off with the next.
//
// Names are the caller's and hold no '/'. Statuses with errno set: absent, exists, failed; full for
// a file that is larger than the room for it.
#pragma once

#include "base/bytes.h"
#include "penny/options.h"

inline constexpr uint32_t folder_path_size_max = 1023;
inline constexpr uint32_t folder_name_size_max = 63;

struct KeyFolder {
    int fd;
    char path[folder_path_size_max + 1];
};

// Opens the folder of a person below `messages`, and makes what is missing on the way. Returns
// exit_go_on, or exit_refused with the reason printed.
ExitCode folder_open(KeyFolder& folder, const char* messages, Slice person);

// The same for any folder; `makes` says whether what is missing on the way is made.
ExitCode folder_open_at(KeyFolder& folder, const char* path, bool makes);
void folder_close(KeyFolder& folder);

// Keeps others out who ask for it, until folder_close. Returns state, at once, where somebody else
// is in there and `waits` is false.
Status folder_lock(const KeyFolder& folder, bool waits);

// With the lock, in a folder in which nobody works without it: removes what pennys that were killed
// have left of files that they were making.
void folder_sweep(const KeyFolder& folder);

Status folder_read(const KeyFolder& folder, const char* name, Writer& out);

// As folder_read for a file that nobody else may read. Returns noperm when others may.
Status folder_read_secret(const KeyFolder& folder, const char* name, Writer& out);

// Makes a file. Returns exists, with nothing changed, when there is one.
Status folder_make(const KeyFolder& folder, const char* name, Slice bytes);

// True for a file, false for a link to one and for what is not there.
bool folder_is_file(const KeyFolder& folder, const char* name);

// Gives a file the mode of another one, and its owner as far as the system lets us.
Status folder_liken(const KeyFolder& folder, const char* name, const char* other);
Status folder_link(const KeyFolder& folder, const char* from, const char* to);
Status folder_rename(const KeyFolder& folder, const char* from, const char* to);
Status folder_remove(const KeyFolder& folder, const char* name);
bool folder_has(const KeyFolder& folder, const char* name);

// Calls `take` for each name that begins so, until it returns false.
Status folder_each(const KeyFolder& folder, const char* begin,
                   bool (*take)(void* context, const char* name), void* context);

// Reads a file of lines, whole ones only; one that is not there has none.
Status folder_lines(const KeyFolder& folder, const char* name, Writer& out);

// Adds a line to what folder_lines gave, while nobody else does. Returns state when the file has
// changed since then.
Status folder_add_line(const KeyFolder& folder, const char* name, uint32_t size, Slice line);

// Says what went wrong with a file, and returns exit_refused.
ExitCode folder_refuse(const KeyFolder& folder, const char* name, Status status);
