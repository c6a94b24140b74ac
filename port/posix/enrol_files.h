// enrol_files.h - the files of data/enrol and data/issued, for pennyd's job of ENROL and RENEW and for
// pennyctl; see access/enrol_spool.h for what they are.
//
// All calls block, and make every call of the system through StoreCalls. Paths are relative to the
// data directory `dir_fd`. Names end in .code, .csr or .crt behind an EnrolBase.
//
//     job ─► grant, request, answer read ─► server_wish_run ─► register ─► old ones dropped
//            ─► .csr ─► .crt, each synced ─► job
//
//   T1. A file appears whole or not at all: it is written under another name, synced, renamed, and
//       its folder synced.
//   T2. What a cut has left of a last line of the register is taken away before the next one is put
//       there: nobody has got a certificate by it.
//   T3. A job of which anything could not be read or written ends as failed, and hands nothing out.
#pragma once

#include "server.h"
#include "store.h"

// Carries a wish of that kind out, on a worker. Nothing is written where the store may only be read.
void enrol_files_work(const Store& store, Server& server, Wish& wish);

// The rest is for pennyctl too. All return failed with errno.

// Makes data/enrol where it is missing.
Status enrol_files_make_folder(const StoreCalls& calls, int dir_fd);

// Reads a file. Returns ok; absent; full for more than `capacity` bytes.
Status enrol_files_read(const StoreCalls& calls, int dir_fd, const EnrolBase& base,
                        const char* ending, uint8_t* out, uint32_t capacity, uint32_t& size);

// Writes a file in the place of whatever is there (T1). `owner_of` is called with its descriptor
// before it gets its name, where it is not nullptr: pennyctl gives it to who owns the data.
Status enrol_files_write(const StoreCalls& calls, int dir_fd, const EnrolBase& base,
                         const char* ending, Slice bytes, int (*prepare)(int fd));

// Removes a file that may be there.
Status enrol_files_drop(const StoreCalls& calls, int dir_fd, const EnrolBase& base,
                        const char* ending);

// Appends one line to data/issued and syncs it (T2).
Status enrol_files_register(const StoreCalls& calls, int dir_fd, Slice line);
