// tally.h - what a run of the simulator counted, by name. Names are words joined by blanks, such as
// "refused funds"; two tallies are added by name.
#pragma once

#include <stdint.h>

#include <map>
#include <string>

struct Tally {
    std::map<std::string, uint64_t> counts;

    void add(const std::string& name, uint64_t count = 1) { counts[name] += count; }
    uint64_t of(const std::string& name) const {
        const auto found = counts.find(name);
        return found == counts.end() ? 0 : found->second;
    }
    void merge(const Tally& other) {
        for (const auto& [name, count] : other.counts) counts[name] += count;
    }
};
