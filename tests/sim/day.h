// day.h - one day at the bank, drawn from a seed and recorded: what was asked and acknowledged,
// what the disk was about to write at each sync, and every state that the book really had.
//
// A day is money moved one by one, in groups and several to a batch, holds and their ends,
// reversals, refusals, people and accounts, checkpoints while the book goes on, new segments, clean
// stops with a closing batch, processes that die, and starts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/house.h"
#include "sim/tally.h"

// The book after one batch.
struct DayState {
    uint64_t batch;
    uint64_t entry;     // newest one
    Hash digest;
    uint32_t segment;   // where the batch stands
    uint32_t offset;
    uint32_t size;      // bytes
    bool is_closing;
    std::map<std::string, int64_t> balances;  // added up here, entry by entry
};

// A movement that was acknowledged.
struct DayAsk {
    uint64_t entry;
    BookMove move;
};

// A checkpoint that was said to be taken, before this window.
struct DayCheckpoint {
    uint32_t window;
    uint32_t number;
};

struct Day {
    uint64_t seed;
    std::vector<DayState> states;  // by batch, from 1
    std::vector<DayAsk> asks;      // in the order of their entries
    uint64_t wall_ms;              // at its end
    std::vector<DayCheckpoint> checkpoints;
    uint32_t end;                  // window in which everything is durable
};

// Lives a day at the book itself; the windows are then in the disk (sim_disk_windows). Returns false
// with `why` when something in it was not as it must be.
bool day_live(uint64_t seed, Day& out, Tally& tally, std::string& why);

// Lives a day of the whole server, with players: the same, but the asks are not known.
bool day_live_server(uint64_t seed, Day& out, Tally& tally, std::string& why);

// Replays the journal on the disk from its first entry, and compares each state with what the day
// had. Returns false with `why`.
bool day_replay(Day& day, std::string& why);

// The state after this batch; nullptr when the day had none.
const DayState* day_state(const Day& day, uint64_t batch);

// Starts what is mounted, an image of this window, and judges it: everything that was acknowledged
// before is there, the state is one that the book really had, the newest checkpoint that was said
// to be taken was loaded, and one more deposit is taken and found again. Returns false with `why`.
bool day_check_image(const Day& day, uint32_t window, std::string& why);

// The book after a start, which is to hold everything up to entry `mark`. Returns false with `why`.
bool day_check_book(const Day& day, uint64_t mark, std::string& why);
