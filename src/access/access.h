// access.h - the rules over people and terminals: who may do what from where, and who registers.
//
// The ledger owns the rows of people; here is what those rows permit, and what the operator permits
// to the terminals that certificates name (P6). Nothing here hashes, and nothing here is stored:
// what must survive a restart is an entry of the book.
//
//     row of commands.def ─┐
//     person's role ───────┼──► access_may ──► yes, or which of them forbids it
//     terminal's rights ───┘
//
//   N1. A refusal is journaled only within a budget per person and minute; beyond it the answer is
//       BUSY and nothing is written, so that a loop of refused requests cannot fill the journal.
//   N2. What may be done is the intersection of all three; a login adds nothing to its terminal.
//   N3. Wrong PINs count per person, over all sessions, until a right one or an unlocking.
//   N4. What people have written into the log is bounded as in N1; all who nobody knows, on
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
inline constexpr RoleSet roles_manager = role_bit(Role::treasurer) | role_bit(Role::admin);
inline constexpr RoleSet roles_admin = role_bit(Role::admin);

bool role_is_in(RoleSet set, Role role);

// When a command is answered at all: always; at a terminal that wants no login, or behind one; or
// behind a login.
enum class AccessPhase : uint8_t { any, terminal, person };

// Yes, or what stands against it.
enum class AccessVerdict : uint8_t { yes, needs_login, not_from_here, not_this_role };

inline constexpr uint32_t rights_accounts_max = 16;
inline constexpr uint32_t rights_default = 0;   // index of those that hold for all other terminals
inline constexpr int64_t pin_never = -1;        // as `pin_above`

// What may be done from one terminal.
struct TerminalRights {
    Name name;             // size 0 for rights_default
    RoleSet roles;
    bool login;            // a person must log in for anything at all
    int64_t amount_max;    // minor units of one movement; 0 for no bound
    int64_t day_max;       // minor units of one local day; 0 for no bound
    int64_t pin_above;     // minor units; pin_never for that of the server
    uint32_t account_count;  // 0: any account
    Name accounts[rights_accounts_max];
};

enum class AccessRegistration : uint8_t { off, till, open };

struct AccessRules {
    AccessRegistration registration;  // who may make new people
    bool self_service;                // customers deposit and withdraw for themselves
    uint32_t refused_per_minute;      // N1
    uint32_t reverse_minutes;         // how long a till may reverse its own terminal's entries
    uint32_t multi;                   // commands of one group
    uint32_t register_per_day;        // by one terminal
    int64_t pin_above;                // minor units; pin_never for none
};

// What one person had of the server in one minute.
struct MinuteBudget {
    uint32_t minute;
    uint16_t refused;  // N1
    uint16_t told;     // N4
};

struct Access {
    AccessRules rules;
    MinuteBudget* budgets;   // by person
    MinuteBudget nobody;     // of all without a login
    uint8_t* pin_tries;      // wrong ones in a row, by person
    uint32_t people_max;
    TerminalRights* terminals;
    uint32_t terminal_count;
    uint32_t terminals_max;
};

void access_layout(Access& access, Arena& arena, uint32_t people_max, uint32_t terminals_max);

// Without further rights every terminal may do everything.
void access_init(Access& access, const AccessRules& rules);
void access_clear_terminals(Access& access);

// Adds the rights of one terminal, or with size 0 as its name those of all others. There is room.
void access_add_terminal(Access& access, const TerminalRights& rights);

// The index of the rights that hold for a terminal of that name.
uint32_t access_find_terminal(const Access& access, const Name& name);

// N2. Without a login `role` is not looked at.
AccessVerdict access_may(AccessPhase phase, RoleSet row, const TerminalRights& terminal,
                         bool logged_in, Role role);

// Whether a movement from there may touch an account that is not the person's own.
bool access_may_touch(const TerminalRights& terminal, const Name& account);

// Above which amount a movement from there needs a PIN; pin_never for none.
int64_t access_pin_above(const Access& access, const TerminalRights& terminal);

// N3. A wrong PIN, and what ends the count.
void access_note_wrong_pin(Access& access, uint32_t person);
void access_clear_pin(Access& access, uint32_t person);
bool access_pin_is_spent(const Access& access, uint32_t person);

// True while the person's refusals of this minute are within the budget (N1).
bool access_may_refuse(const Access& access, uint32_t person, uint64_t now_ms);

// Counts one journaled refusal.
void access_note_refusal(Access& access, uint32_t person, uint64_t now_ms);

// Counts one line of the log, of a person or of nobody (row_none). Returns false, with nothing
// counted, when the budget of this minute is used up (N4).
bool access_take_told(Access& access, uint32_t person, uint64_t now_ms);
