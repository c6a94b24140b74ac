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

// How long a row makes others wait once it has that many failures.
uint64_t until_of(uint64_t failures, const DoorScale& scale, const Door& door, uint64_t now_us) {
    const uint64_t wait_us = wait_of(failures, scale, door.rules.first_us);
    return wait_us > 0 ? now_us + wait_us + slack_us : 0;
}

void count_most(DoorRow& row, const DoorScale& scale, const Door& door, const Guess& guess,
                uint64_t now_us) {
    row.most++;
    row.most_ever = std::max(row.most_ever, row.most);
    row.most_number = door.sent;
    row.most_until_us = std::max(row.most_until_us, until_of(row.most, scale, door, now_us));
    if (guess.number > row.gone_number) return;
    row.gone_most++;  // It may have been counted before the login that ended the others.
    row.gone_until_us = std::max(row.gone_until_us, until_of(row.gone_most, scale, door, now_us));
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
    count_most(door.terminals[guess.terminal], rules.shared, door, guess, now_us);
    count_most(door.people[guess.name], rules.own, door, guess, now_us);
    // A login that is not answered yet may have made them familiar already.
    count_most(pair.row, rules.own, door, guess, now_us);
    if (!surely) return;
    count_least(door.terminals[guess.terminal], rules.shared, door, guess.sent_us);
    count_least(door.people[guess.name], rules.own, door, guess.sent_us);
    // A login that was answered already may have been looked at behind it.
    if (!pair.surely_familiar || guess.number <= pair.anew_number) return;
    count_least(pair.row, rules.own, door, guess.sent_us);
}

void begin_anew(Door& door, const Guess& guess, bool surely) {
    DoorPair& pair = door.pairs[{guess.name, guess.terminal}];
    pair.maybe_familiar = true;
    pair.anew_number = door.sent;
    pair.row.least = pair.row.least_until_us = 0;
    if (!surely) return;
    if (!pair.surely_familiar) pair.sure_number = door.sent;
    pair.surely_familiar = guess.number > door.jumped_at;  // Or it was before the calendar's jump.
    DoorRow& row = pair.row;
    if (row.most_number >= guess.number) return;
    row.gone_until_us = std::max(row.gone_until_us, row.most_until_us);
    row.gone_most = std::max(row.gone_most, row.most);
    row.gone_number = door.sent;
    row.most = row.most_until_us = 0;
}

// What was lost and can no longer be looked at may have been counted, or begun anew.
void expire(Door& door, uint64_t now_us) {
    for (auto at = door.guesses.begin(); at != door.guesses.end();) {
        if (at->until_us >= now_us) {
            ++at;
            continue;
        }
        const Guess guess = *at;
        at = door.guesses.erase(at);
        if (guess.kind != GuessKind::right) count(door, guess, guess.until_us, false);
        if (guess.kind != GuessKind::wrong) begin_anew(door, guess, false);
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
    if (unknown > 0 && row.most + unknown > scale.free) return true;
    if (guess.number > row.gone_number) return false;
    return row.gone_until_us > guess.sent_us ||
           (unknown > 0 && row.gone_most + unknown > scale.free);
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
    const bool is_sure = pair.surely_familiar && guess.number > pair.sure_number;
    return !is_sure &&  // V3
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

// A right password may have been found to be so before the answer became another.
void Door::came_to_nothing(uint64_t number) {
    const Guess guess = take(*this, number, 0);
    if (guess.number != 0 && guess.kind != GuessKind::wrong) begin_anew(*this, guess, false);
}

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
