// oracle_people.h - what an outsider knows about people and terminals: who is what since when, and
// what may be done from where. The part of the oracle (oracle.h) that is about rights.
//
// Like the oracle it shares no line with the server. Changes to one person are asked for one after
// the other; between the question and the answer the old facts or the new ones may hold.
//
//     facts 1 ──────────────┐ sent ──────── answered │
//                           │ facts 1 or facts 2     │ facts 2 ──────
//
//   E1. What may be done is what the person's role, the command and the terminal all permit.
//   E2. No movement leaves a terminal above its amount, or above its day's total, or touches an
//       account that is neither the person's own nor on the terminal's list.
//   E3. Above the terminal's amount a movement is booked only with the PIN; three wrong ones in a
//       row lock it, whoever sent them from wherever.
//   E4. Whose password is a first one is told nothing before it is another, but what is for all.
#pragma once

#include <stdint.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sim {

inline constexpr int64_t bound_none = -1;

// A section [terminal NAME] of the configuration; what is not named bounds nothing.
struct Bounds {
    std::set<std::string> roles;
    std::set<std::string> accounts;
    int64_t amount_max = bound_none;
    int64_t day_max = bound_none;
    int64_t pin_above = bound_none;
};

struct Facts {
    std::string role;
    std::string title;
    bool active = true;
    bool removed = false;
    bool has_pin = false;
    bool pin_locked = false;
    bool first = false;  // the password is a first one

    bool operator==(const Facts& other) const = default;
};

struct PeopleOracle {
    void begin(const std::string& person, const Facts& facts, uint64_t tick);
    bool knows(const std::string& person) const { return steps.count(person) > 0; }

    // A change was asked for at this tick, answered OK, or will not come. One at a time; the newest
    // facts may be changed again while the first change is in doubt.
    void change(const std::string& person, const Facts& next, uint64_t tick);
    void changed(const std::string& person, uint64_t tick);
    void forget(const std::string& person);

    const Facts& now(const std::string& person) const;  // the newest that surely hold
    const Facts& at(const std::string& person, uint64_t tick) const;
    std::vector<Facts> possible(const std::string& person, uint64_t sent, uint64_t answered) const;

    struct Step {
        Facts facts;
        uint64_t sent;
        uint64_t answered;  // UINT64_MAX: in doubt
    };
    std::map<std::string, std::vector<Step>> steps;
};

// Whether the command is for this role at all.
bool role_has(const std::string& role, const std::string& command);

// Whether the command is for who has not changed a first password.
bool first_has(const std::string& command);

// Whether somebody of this role may act at the terminal.
bool bounds_take(const Bounds& bounds, const std::string& role);

// The refusal of a movement by the terminal's amount and list; empty for none. An empty account is
// one that nobody knows.
struct Side {
    std::string account;
    bool own;
};
std::string bounds_refusal(const Bounds& bounds, const Side& debit, const Side& credit,
                           int64_t amount);

// The refusal for want of the right PIN, which `pin` is if it is not empty.
std::string pin_refusal(const Bounds& bounds, const Facts& facts, const std::string& pin,
                        int64_t amount);

inline constexpr const char* kept_out_text = "NOPERM this terminal does not permit your role";
inline constexpr const char* first_password_text =
    "NOPERM this is a first password; change it: PASSWD old new";
inline constexpr const char* not_your_role_text = "NOPERM your role does not permit this command";
inline constexpr const char* pin_locked_text =
    "NOPERM the PIN is locked; a till or an admin unlocks it";

}  // namespace sim
