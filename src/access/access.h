// access.h - the rules over people: which role may do what, who may register, who is slowed down.
//
// The ledger owns the rows of people; here is what those rows permit. Nothing here hashes, and
// nothing here is stored: what must survive a restart is an entry of the book.
//
//   N1. A refusal is journaled only within a budget per person and minute; beyond it the answer is
//       BUSY and nothing is written, so that a loop of refused requests cannot fill the journal.
//   N2. What people have written into the log is bounded in the same way; all who nobody knows, on
//       laboratory channels, share one budget.
#pragma once

#include "base/arena.h"
#include "ledger/ledger.h"

// A set of roles, one bit each.
using RoleSet = uint8_t;

inline constexpr RoleSet role_bit(Role role) {
    return static_cast<RoleSet>(1u << static_cast<uint32_t>(role));
}

inline constexpr RoleSet roles_all = (1u << role_count) - 1;
inline constexpr RoleSet roles_member =
    role_bit(Role::customer) | role_bit(Role::till) | role_bit(Role::treasurer);
inline constexpr RoleSet roles_reader =
    role_bit(Role::till) | role_bit(Role::treasurer) | role_bit(Role::auditor);
inline constexpr RoleSet roles_auditor = role_bit(Role::treasurer) | role_bit(Role::auditor);
inline constexpr RoleSet roles_reverser = role_bit(Role::till) | role_bit(Role::treasurer);
inline constexpr RoleSet roles_admin = role_bit(Role::admin);

bool role_is_in(RoleSet set, Role role);

enum class AccessRegistration : uint8_t { off, till, open };

struct AccessRules {
    AccessRegistration registration;  // who may make new people
    bool self_service;                // customers deposit and withdraw for themselves
    uint32_t refused_per_minute;      // N1
    uint32_t reverse_minutes;         // how long a till may reverse its own terminal's entries
    uint32_t multi;                   // commands of one group
};

// What one person had of the server in one minute.
struct MinuteBudget {
    uint32_t minute;
    uint16_t refused;  // N1
    uint16_t told;     // N2
};

struct Access {
    AccessRules rules;
    MinuteBudget* budgets;  // by person
    MinuteBudget nobody;    // of all without a login
    uint32_t people_max;
};

void access_layout(Access& access, Arena& arena, uint32_t people_max);
void access_init(Access& access, const AccessRules& rules);

// True while the person's refusals of this minute are within the budget (N1).
bool access_may_refuse(const Access& access, uint32_t person, uint64_t now_ms);

// Counts one journaled refusal.
void access_note_refusal(Access& access, uint32_t person, uint64_t now_ms);

// Counts one line of the log, of a person or of nobody (row_none). Returns false, with nothing
// counted, when the budget of this minute is used up (N2).
bool access_take_told(Access& access, uint32_t person, uint64_t now_ms);
