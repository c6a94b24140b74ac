// bank_files.h - whole files on their way into a backup, out of it, or aside: copied and proved.
//
// Nothing is ever overwritten. Content is copied in pieces and never held whole. Every function
// returns failed with errno set, and closes what it opened.
//
//   H1. What is copied is synced, and then read again from the device and compared.
#pragma once

#include <stdint.h>

#include "crypto/hash.h"

inline constexpr uint32_t copy_piece_size = 65536;  // bytes

// Takes pieces of a file, in order.
struct FileSink {
    Status (*take)(void* context, Slice piece);
    void* context;
};

// Reads `size` bytes from the front. Returns torn when the file has fewer.
Status file_read_to(int fd, uint64_t size, const FileSink& sink);

// The SHA-256 of the first `size` bytes. Returns torn when there are fewer.
Status file_hash(int fd, uint64_t size, Hash& out);
Status file_hash_at(int dir, const char* path, uint64_t& size, Hash& out);

Status file_write(int fd, Slice bytes);           // at the place where the file stands
Status file_write_zeros(int fd, uint64_t count);
Status file_sync_folder(int dir, const char* path);

// Makes a file of mode 0600 from another, and proves it (H1). The new name's folder is not synced.
Status file_copy(int from_dir, const char* from, int to_dir, const char* to);

// Calls `each` for every name in a folder, but "." and "..". Its first answer that is not ok ends
// it.
Status file_each(int dir, const char* path, Status (*each)(void* context, const char* name),
                 void* context);

// Removes a folder and what is in it, as far as that can be.
void file_remove_folder(int dir, const char* path);
