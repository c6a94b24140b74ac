// chance.h - what players leave to chance: a generator of their own (splitmix64, Steele, Lea and
// Flood 2014), so that tests of players need nothing of the simulator. One draw per expression: the
// language leaves the order of two to the compiler, and a seed is the same run on every board.
#pragma once

#include <stdint.h>

#include <vector>

namespace sim {

struct Chance {
    uint64_t state;

    uint64_t next() {
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    uint64_t below(uint64_t end) { return next() % end; }
    uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
    bool percent(uint64_t part) { return below(100) < part; }

    template <typename T>
    const T& of(const std::vector<T>& all) {
        return all[below(all.size())];
    }
};

}  // namespace sim
