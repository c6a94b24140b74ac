// run.h - the beginning of a whole-server run, watched: for crash images of what it writes.
#pragma once

#include "sim/players.h"

struct RunWatch {
    void (*begun)();                            // the bank is made and the server is up
    void (*answered)(const sim::Party& party);  // after each time that a player got bytes
    void (*ended)();                            // before the power goes
};

// Lets the players of a seed work for some seconds in which nothing goes wrong; then the power
// goes. Returns false with `why`.
bool run_day(uint64_t seed, const RunWatch& watch, Tally& tally, std::string& why);
