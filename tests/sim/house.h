// house.h - a book on the simulated disk that is started as pennyd starts it, with nobody
// connected: for crash images and damage, where thousands of starts a second matter more than
// sessions.
//
// One house per process, as there is one disk. Its server is laid out anew for each start, over the
// same memory.
#pragma once

#include <string>

#include "port/posix/start.h"
#include "port/sim/disk.h"
#include "port/sim/random.h"

inline constexpr char house_dir[] = "data";
inline constexpr uint32_t house_segment_size = segment_size_min;
inline constexpr uint64_t house_wall_ms = 2'000'000'000'000;

struct HousePerson {
    const char* name;
    int64_t deposit;  // minor units
};

// Makes an empty disk and a new book on it, as `pennyctl init` does. Seeds disk and secrets.
bool house_make(uint64_t seed, const HousePerson* people, uint32_t count, std::string& why);

// Starts from what is on the disk. Returns false with the sentence of the refusal.
bool house_start(uint64_t wall_ms, std::string& why);
Server& house_server();
Book& house_book();
Store& house_store();
uint8_t* house_window();          // batch_size_max bytes

// The process is gone; nothing was closed.
void house_leave();

// Everything is closed in order, but no checkpoint is taken.
void house_close();

// Makes the next segment when the log wants one.
bool house_make_segment(std::string& why);

// Writes the batch that fills and takes its entries in. `each` may be nullptr. Returns false when
// nothing was written.
using HouseEach = void (*)(void* context, const BookDone& done);
bool house_commit(HouseEach each, void* context);

Name house_name(const std::string& text);
PasswordRecord house_password();  // of nobody's password
Hash house_digest(Book& book);    // of its installed state

// A second book over memory of its own, to replay into.
Book& house_other_book();
