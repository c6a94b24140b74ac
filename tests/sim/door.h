// door.h - which tries at a password the server must refuse unseen, and which it may, judged from
// outside by somebody who knows the rules of the door (README) and shares no line with the server.
//
// A wrong password, a name that nobody has and a try that comes too early all get the same answer,
// so from outside nobody knows for sure which tries have been counted. But bounds are known:
//
//     sent ──────── the server looks, or refuses unseen ──────── answered
//       │◄─────────────── at one moment in here ────────────────►│
//
//     most   failures that may have been counted, each as late as may be
//     least  failures that have been counted, each as early as may be
//
//   V1. The right password is refused only where `most` leaves a wait that had not ended when the
//       try was sent.
//   V2. No password is looked at where `least` leaves a wait that lasted from before the try was
//       sent until after it was answered.
//   V3. What happens elsewhere delays nobody who is known to be familiar with a terminal.
//   V4. A stop in order forgets no failure of a person; a cut may. What is held against terminals
//       and against names that nobody has ends with any start.
//
// Failures never come to count less here: runs are short, and their half-life is a day.
#pragma once

#include <stdint.h>

#include <list>
#include <map>
#include <string>
#include <utility>

namespace sim {

struct DoorScale {
    uint64_t free;
    uint64_t us_max;
};

struct DoorRules {
    DoorScale own;     // of a person, of a person at a terminal, of a name that nobody has
    DoorScale shared;  // of a terminal; each has an address of its own, so that is the same
    uint64_t first_us;
};

enum class GuessKind { right, wrong, unsure };

struct Guess {
    uint64_t number;  // from 1, in the order of sending
    uint64_t line;    // of one connection; what is sent on it later is looked at later
    std::string name;
    std::string terminal;
    GuessKind kind;
    uint64_t sent_us;
    uint64_t until_us;  // when nothing more can come of it; UINT64_MAX while it has an answer to get
};

struct DoorRow {
    uint64_t most;
    uint64_t most_ever;  // of a pair: what a cut may bring back
    uint64_t most_until_us;
    uint64_t most_number;  // guesses sent when `most` last grew
    uint64_t gone_until_us;  // what a login ended, for guesses sent before that was known
    uint64_t gone_number;
    uint64_t gone_most;      // the same of `most`
    uint64_t least;
    uint64_t least_until_us;
    uint64_t least_number;
};

struct DoorPair {
    DoorRow row;
    bool surely_familiar;
    bool maybe_familiar;
    uint64_t sure_number;  // guesses sent when it became surely familiar
    uint64_t anew_number;  // guesses sent when it last began, or may have begun, anew
};

struct Door {
    DoorRules rules = {};

    // A try goes out. Returns its number. `name` has a '?' in front when nobody has it.
    uint64_t send(uint64_t line, const std::string& name, const std::string& terminal,
                  GuessKind kind, uint64_t now_us);

    // Its answer came. Each returns what is wrong with that; empty: nothing.
    std::string refused(uint64_t number, uint64_t now_us);     // WRONGPASS
    std::string found_wrong(uint64_t number, uint64_t now_us);  // and said to be so
    std::string let_in(uint64_t number, uint64_t now_us);
    std::string found_right(uint64_t number, uint64_t now_us);  // without a login
    void came_to_nothing(uint64_t number);                     // it was not looked at

    // Its answer is lost. The server may come to it until then.
    void lose(uint64_t number, uint64_t until_us);

    // A password changes, so that what was right may be wrong.
    void unsettle(const std::string& name);

    // Another start of the server. `kept`: behind a stop in order, and the disk had no fault.
    void restart(bool kept, uint64_t now_us);
    void jump();  // of the calendar

    // --- what it keeps ---
    std::map<std::string, DoorRow> people;  // and names that nobody has
    std::map<std::string, DoorRow> terminals;
    std::map<std::pair<std::string, std::string>, DoorPair> pairs;
    std::list<Guess> guesses;
    uint64_t sent = 0;
    bool jumped = false;     // since the newest start
    uint64_t jumped_at = 0;  // guesses sent before the newest jump
    uint64_t explained = 0;  // V1: right passwords refused
    uint64_t certain = 0;    // V2: tries that had to be refused, and were
};

}  // namespace sim
