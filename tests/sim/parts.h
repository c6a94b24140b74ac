// parts.h - the kinds of work that the simulator does, each cut into pieces that any number of
// processes can share. A part does the pieces `first`, `first + step`, ... `count` of them.
//
//     seeds    a whole-server run per piece: run.cpp
//     images   pieces are distinct crash images: images.cpp
//     damage   pieces are days whose disk is damaged in many ways: damage.cpp
//     faults   pieces are calls that fail: faults.cpp
//
// A part returns false at the first piece in which something that was promised did not hold; `why`
// then says what, and how to see it again.
#pragma once

#include "sim/tally.h"

struct Share {
    uint64_t first;
    uint64_t step;
    uint64_t count;  // UINT64_MAX: as many as there are
};

using PartRun = bool (*)(const Share& share, Tally& tally, std::string& why);

struct Part {
    const char* name;
    PartRun run;
    uint64_t portion;   // pieces that take about a second, for --long
};

// The table stands in main.cpp; a part appears there as soon as it exists.
bool run_seeds(const Share& share, Tally& tally, std::string& why);
bool run_images(const Share& share, Tally& tally, std::string& why);
bool run_damage(const Share& share, Tally& tally, std::string& why);
bool run_faults(const Share& share, Tally& tally, std::string& why);

// One whole-server run. `digest` is of every byte that was delivered and of the disk.
bool run_seed(uint64_t seed, Tally& tally, uint8_t digest[32], std::string& why);

// Where a run leaves its bank when it has ended (dump.h).
void run_dump_into(const char* folder);

// Prints the newest lines of the simulated server's log.
void print_log();
