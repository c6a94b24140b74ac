// penalties_parts.h - what the files of the penalties share. Private to src/access/penalties*.cpp.
//
//     penalties.cpp       rows, points, waits
//     penalties_text.cpp  what survives a restart, as text
#pragma once

#include "access/penalties.h"

// The points at which the wait has reached its bound (G5).
uint32_t guilt_points_max(const PenaltyRules& rules, const PenaltyScale& scale);

// Halves the points as often as time demands.
void guilt_settle(Guilt& guilt, uint64_t now_ms, const PenaltyRules& rules);

// The row of a pair, which is made where there is none; and what a row is about.
PenaltyRow& penalty_pair(Penalties& penalties, uint32_t person, const Name& terminal);
void penalty_pair_of(const PenaltyRow& row, uint32_t& person, Name& terminal);

// Empties what survives a restart.
void penalties_forget_people(Penalties& penalties);
