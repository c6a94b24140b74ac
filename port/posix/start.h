// start.h - from a data folder to a server that can take clients: the part of a start that every
// port with a file system shares.
//
//     store_open ─► store_recover ─► currency compared ─► book_open ─► memory for passwords
//     ─► penalties ─► server_start, which notes the limits
//
// pennyd runs it over the board's own files, the simulator over a disk of its own (port/sim). The
// server was laid out and readied, its certificates are loaded. Nothing here waits for a peer or
// reads a clock of its own.
//
// A laboratory without a bank has an empty book in memory, and no store.
//
//   X1. A refused start has changed no byte of the book, and says why in one sentence.
//   X2. Where the disk may not be written, or shall not be, the book is opened to be read, and no
//       money moves.
#pragma once

#include "server.h"
#include "store.h"

// What a start takes of its port. All of it is the port's, and used during the start only.
struct StartPlan {
    const StoreCalls* calls;
    const char* dir;                            // the data folder
    bool read_only;                             // it shall not be written (X2)
    uint8_t* window;                            // batch_size_max bytes
    StoreProgress progress;
    uint8_t* (*reserve)(uint64_t size);         // memory for passwords; nullptr when there is none
    void (*tell_time)(Server& server);          // server_clock
};

// Fills and opens the server's book from what lies in the folder, and starts the server. On ok the
// store is open, the caller's to close. Returns failed with `error`, and nothing open (X1).
Status start_book(Server& server, Store& store, const StartPlan& plan, Writer& error);

// Starts the server over an empty book that stays empty: its log is forbidden, so that nothing asks
// for a write, a segment, a checkpoint or the text of penalties. Nobody can log in, and so there is
// no memory for passwords either.
void start_without_book(Server& server, void (*tell_time)(Server& server));
