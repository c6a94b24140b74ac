#include "sim/door.h"

#include <algorithm>

namespace sim {

namespace {

using std::string;

constexpr uint64_t slack_us = 10'000;  // the server counts in milliseconds, and writes them down

uint64_t wait_of(uint64_t failures, const DoorScale& scale, uint64_t first_us) {
    if (failures <= scale.free) return 0;
    uint64_t wait_us = first_us;
    for (uint64_t i = scale.free + 1; i < failures && wait_us < scale.us_max; i++) wait_us *= 2;
    return std::min(wait_us, scale.us_max);
}

void count_most(DoorRow& row, const DoorScale& scale, const Door& door, uint64_t now_us) {
    row.most++;
    row.most_ever = std::max(row.most_ever, row.most);
    row.most_number = door.sent;
    const uint64_t wait_us = wait_of(row.most, scale, door.rules.first_us);
    if (wait_us > 0) row.most_until_us = std::max(row.most_until_us, now_us + wait_us + slack_us);
}

void count_least(DoorRow& row, const DoorScale& scale, const Door& door, uint64_t sent_us) {
    row.least++;
    const uint64_t wait_us = wait_of(row.least, scale, door.rules.first_us);
    if (wait_us <= slack_us || sent_us + wait_us - slack_us <= row.least_until_us) return;
    row.least_until_us = sent_us + wait_us - slack_us;
    row.least_number = door.sent;
}

void count(Door& door, const Guess& guess, uint64_t now_us, bool surely) {
    const DoorRules& rules = door.rules;
    DoorPair& pair = door.pairs[{guess.name, guess.terminal}];
    count_most(door.terminals[guess.terminal], rules.shared, door, now_us);
    count_most(door.people[guess.name], rules.own, door, now_us);
    if (pair.maybe_familiar) count_most(pair.row, rules.own, door, now_us);
    if (!surely) return;
    count_least(door.terminals[guess.terminal], rules.shared, door, guess.sent_us);
    count_least(door.people[guess.name], rules.own, door, guess.sent_us);
    if (pair.surely_familiar) count_least(pair.row, rules.own, door, guess.sent_us);
}

// What was lost and can no longer be looked at may have been counted.
void expire(Door& door, uint64_t now_us) {
    for (auto at = door.guesses.begin(); at != door.guesses.end();) {
        if (at->until_us >= now_us) {
            ++at;
            continue;
        }
        const Guess guess = *at;
        at = door.guesses.erase(at);
        if (guess.kind != GuessKind::right) count(door, guess, guess.until_us, false);
    }
}

// Other tries that may have been counted without anybody having heard of it.
template <typename Concerns>
uint64_t count_unknown(const Door& door, const Guess& guess, Concerns concerns) {
    uint64_t unknown = 0;
    for (const Guess& other : door.guesses) {
        const bool is_later = other.line == guess.line && other.number >= guess.number;
        if (is_later || other.kind == GuessKind::right || !concerns(other)) continue;
        unknown++;
    }
    return unknown;
}

bool may_wait(const DoorRow& row, const DoorScale& scale, const Guess& guess, uint64_t unknown) {
    if (row.most_until_us > guess.sent_us) return true;
    if (guess.number <= row.gone_number && row.gone_until_us > guess.sent_us) return true;
    return unknown > 0 && row.most + unknown > scale.free;
}

// V1.
bool may_refuse(Door& door, const Guess& guess) {
    const DoorRules& rules = door.rules;
    const DoorPair& pair = door.pairs[{guess.name, guess.terminal}];
    const auto here = [&](const Guess& other) { return other.terminal == guess.terminal; };
    const auto same = [&](const Guess& other) { return other.name == guess.name; };
    const auto both = [&](const Guess& other) { return here(other) && same(other); };
    if (may_wait(door.terminals[guess.terminal], rules.shared, guess,
                 count_unknown(door, guess, here))) {
        return true;
    }
    if (pair.maybe_familiar &&
        may_wait(pair.row, rules.own, guess, count_unknown(door, guess, both))) {
        return true;
    }
    return !pair.surely_familiar &&  // V3
           may_wait(door.people[guess.name], rules.own, guess, count_unknown(door, guess, same));
}

bool must_wait(const DoorRow& row, const Guess& guess, uint64_t now_us) {
    return row.least_number < guess.number && row.least_until_us > now_us;
}

// V2.
bool must_refuse(Door& door, const Guess& guess, uint64_t now_us) {
    if (must_wait(door.terminals[guess.terminal], guess, now_us)) return true;
    const bool person = must_wait(door.people[guess.name], guess, now_us);
    const DoorPair& pair = door.pairs[{guess.name, guess.terminal}];
    bool may_begin_anew = false;  // Another login may just make the pair familiar.
    for (const Guess& other : door.guesses) {
        const bool is_same = other.name == guess.name && other.terminal == guess.terminal;
        if (is_same && other.number != guess.number && other.kind != GuessKind::wrong) {
            may_begin_anew = true;
        }
    }
    if (may_begin_anew) return false;
    if (!pair.maybe_familiar) return person;
    return must_wait(pair.row, guess, now_us) && (pair.surely_familiar || person);
}

Guess take(Door& door, uint64_t number, uint64_t now_us) {
    expire(door, now_us);
    for (auto at = door.guesses.begin(); at != door.guesses.end(); ++at) {
        if (at->number != number) continue;
        const Guess guess = *at;
        door.guesses.erase(at);
        return guess;
    }
    return {};
}

void begin_anew(Door& door, const Guess& guess, bool surely) {
    DoorPair& pair = door.pairs[{guess.name, guess.terminal}];
    pair.maybe_familiar = true;
    pair.row.least = pair.row.least_until_us = 0;
    if (!surely) return;
    pair.surely_familiar = guess.number > door.jumped_at;  // Or it was before the calendar's jump.
    DoorRow& row = pair.row;
    if (row.most_number >= guess.number) return;
    row.gone_until_us = std::max(row.gone_until_us, row.most_until_us);
    row.gone_number = door.sent;
    row.most = row.most_until_us = 0;
}

string looked_at(const Guess& guess) {
    return "a password of " + guess.name + " was looked at on " + guess.terminal +
           " while too many failures demand a wait";
}

}  // namespace

uint64_t Door::send(uint64_t line, const string& name, const string& terminal, GuessKind kind,
                    uint64_t now_us) {
    expire(*this, now_us);
    guesses.push_back({++sent, line, name, terminal, kind, now_us, UINT64_MAX});
    return sent;
}

string Door::refused(uint64_t number, uint64_t now_us) {
    const Guess guess = take(*this, number, now_us);
    if (must_refuse(*this, guess, now_us)) {
        certain++;
        if (guess.kind == GuessKind::right) explained++;
        return "";
    }
    const bool may = may_refuse(*this, guess);
    if (guess.kind == GuessKind::right) {
        explained++;
        return may ? "" : "the right password of " + guess.name + " was refused on " +
                              guess.terminal + " for no reason";
    }
    count(*this, guess, now_us, guess.kind == GuessKind::wrong && !may);
    return "";
}

string Door::found_wrong(uint64_t number, uint64_t now_us) {
    const Guess guess = take(*this, number, now_us);
    const bool must = must_refuse(*this, guess, now_us);
    count(*this, guess, now_us, guess.kind == GuessKind::wrong);
    return must ? looked_at(guess) : "";
}

string Door::let_in(uint64_t number, uint64_t now_us) {
    const Guess guess = take(*this, number, now_us);
    const bool must = must_refuse(*this, guess, now_us);
    begin_anew(*this, guess, true);
    return must ? looked_at(guess) : "";
}

string Door::found_right(uint64_t number, uint64_t now_us) {
    const Guess guess = take(*this, number, now_us);
    const bool must = must_refuse(*this, guess, now_us);
    begin_anew(*this, guess, false);
    return must ? looked_at(guess) : "";
}

void Door::came_to_nothing(uint64_t number) { take(*this, number, 0); }

void Door::lose(uint64_t number, uint64_t until_us) {
    for (Guess& guess : guesses) {
        if (guess.number != number) continue;
        guess.until_us = until_us;
        if (guess.kind != GuessKind::wrong) begin_anew(*this, guess, false);
    }
}

void Door::unsettle(const string& name) {
    for (Guess& guess : guesses) {
        if (guess.name == name && guess.kind == GuessKind::right) guess.kind = GuessKind::unsure;
    }
}

// V4. A wait that was written down may begin anew where the calendar was set back meanwhile.
void Door::restart(bool kept, uint64_t now_us) {
    const auto reopen = [&](DoorRow& row) {
        if (!kept) row.most = row.most_ever;
        if (row.most > rules.own.free) {
            row.most_until_us = std::max(row.most_until_us, now_us + rules.own.us_max + slack_us);
        }
        if (!kept || jumped) row.least = row.least_until_us = 0;
        if (row.least_until_us > slack_us) row.least_until_us -= slack_us;
    };
    for (Guess& guess : guesses) guess.until_us = 0;
    expire(*this, now_us);
    terminals.clear();
    std::erase_if(people, [](const auto& row) { return row.first[0] == '?'; });
    for (auto& [name, row] : people) reopen(row);
    for (auto& [key, pair] : pairs) {
        reopen(pair.row);
        if (!kept || jumped) pair.surely_familiar = false;
    }
    jumped = false;
}

void Door::jump() {
    jumped = true;
    jumped_at = sent;
    for (auto& [key, pair] : pairs) pair.surely_familiar = false;
}

}  // namespace sim
