// damage.h - what a disk does to a book that lies on it: turned bits, lost and stale places, writes
// that went elsewhere, lost segments, syncs that lied.
//
// What is damaged before the durable mark must be refused by name, with no byte changed; behind it
// the start goes by the decision table (journal/recovery.def). Whatever the damage, a start that
// succeeds has a state that the book really had.
#pragma once

#include "sim/day.h"

// Damages the end of a day in some ways drawn from its seed. Returns false with `why`.
bool damage_day(const Day& day, Tally& tally, std::string& why);
