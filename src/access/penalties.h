// penalties.h - who has to wait before the next password is looked at.
//
// A failed login leaves a point in each row that it concerns. A few are free; above them the next
// attempt waits, and each further failure doubles the wait up to a bound. Points halve with time.
//
//     row       what it is about                  how many          free, longest wait
//     source    address, or /64 of IPv6           penalty-sources   penalty-shared-free, -shared-s
//     terminal  name in the certificate           terminals         penalty-shared-free, -shared-s
//     person    row of the ledger                 accounts          penalty-free, penalty-s
//     stranger  print of a name that nobody has   penalty-sources   penalty-free, penalty-s
//     pair      person and terminal that met      penalty-pairs     penalty-free, penalty-s
//
//     attempt ──penalties_judge──► ok ───► a worker looks at the password ──► penalties_fail
//                       │                                                └───► penalties_succeed
//                       └────────► busy: refused at once, without a worker
//
// Nothing here hashes, logs, or reads a clock or a file: the caller says what time it is, in two
// ways. `now_ms` is monotonic and counts waits; `wall_ms` is the calendar's and counts the days
// since a login. Memory comes from the arena and stays the arena's. People and pairs survive a
// restart as text (penalties_save_, penalties_load_); sources and terminals do not, since their
// waits are short and one wrong guess more from each tells nobody anything.
//
//   G1. A refused attempt changes nothing: no wait grows because somebody knocks while it lasts.
//   G2. A name that nobody has is treated as a person's, so that no wait tells which names exist;
//       but for a flood of more such names than there are rows, which forgets the older ones.
//   G3. Who logged in on a terminal within penalty_familiar_days waits there for failures of that
//       pair and of that terminal only; what happens elsewhere, from whatever address, is no
//       matter.
//   G4. Memory is fixed. A full table gives up its least guilty row, of pairs the one whose login
//       is longest ago; the rows of people are never given up.
//   G5. Points stop where the wait has reached its bound, so that everything is forgotten within a
//       few half-lives whoever guessed how often.
//   G6. Sources of the exempt list have no row that could make them wait. Their people and
//       terminals have.
//   G7. Whatever a text holds, loading it ends with rows that could have been, or without any.
#pragma once

#include "base/address.h"
#include "crypto/hash.h"
#include "ledger/ledger.h"

inline constexpr uint32_t penalty_key_size = sizeof(uint32_t) + sizeof(Name);
inline constexpr uint32_t penalty_familiar_days = 30;
inline constexpr uint32_t penalty_tried_size_max = 48;   // bytes of a name, for the log
inline constexpr uint32_t penalties_version = 1;         // of the text
inline constexpr uint32_t penalties_line_size_max = 192;  // bytes

// How failures become waits, for one kind of row.
struct PenaltyScale {
    uint32_t free;     // failures that cost nothing
    uint64_t ms_max;   // the longest wait
};

struct PenaltyRules {
    PenaltyScale own;     // people, strangers, pairs
    PenaltyScale shared;  // sources, terminals
    uint64_t first_ms;    // the shortest wait; > 0
    uint64_t half_life_ms;  // > 0
    NetPrefixes exempt;   // G6
};

struct PenaltyLimits {
    uint32_t people;
    uint32_t sources;
    uint32_t terminals;
    uint32_t pairs;
};

// What was done wrong and how long that is held against somebody. All zero: nothing.
struct Guilt {
    uint32_t points;
    uint64_t since_ms;  // when they were last halved, or began
    uint64_t until_ms;  // no attempt before this
};

struct PenaltyRow {
    uint8_t key[penalty_key_size];
    Guilt guilt;
    uint64_t login_ms;             // pairs: the last login, by the calendar, to a day; > 0
    uint64_t told_ms[2];           // sources: when the log last heard of it, by PenaltyNews
};

struct PenaltyTable {
    PenaltyRow* rows;
    Table index;
    uint32_t count;  // rows there are
    uint32_t used;   // of them, from the first on
};

// What the log hears of a source now and then.
enum class PenaltyNews : uint8_t { refused, turned_away };

// Somebody's try to log in, as far as it matters here.
struct Attempt {
    NetAddress source;  // as net_source_of has it
    bool is_exempt;     // G6
    Name terminal;
    uint32_t person;    // row_none: nobody has this name
    uint64_t stranger;  // then its print
    uint8_t tried_size;
    uint8_t tried[penalty_tried_size_max];  // what was typed as the name, perhaps cut; for the log
};

// A text on its way out. All zero: none.
struct PenaltiesSave {
    bool active;
    bool ends;           // what comes next is the sum
    uint32_t person;     // next row
    uint32_t pair;       // next row
    uint64_t changes;    // of the penalties, when it began
    Hasher hasher;
};

// A text on its way in.
struct PenaltiesLoad {
    Status status;       // ok so far; damaged, or failed for a newer version
    uint32_t line;       // lines taken
    bool ended;          // the sum was there
    uint32_t size;       // bytes of a line that is not whole yet
    uint64_t lines_max;
    uint64_t away_ms;    // how long ago it was written
    uint64_t now_ms;
    uint64_t wall_ms;
    uint8_t text[penalties_line_size_max];
    Hasher hasher;
};

struct Penalties {
    PenaltyRules rules;
    PenaltyTable sources;
    PenaltyTable terminals;
    PenaltyTable strangers;
    PenaltyTable pairs;
    Guilt* people;          // by row of the ledger
    uint32_t people_max;
    uint8_t key[16];        // of the tables' hashes and of the prints
    uint64_t changes;       // of what survives a restart, counted
};

void penalties_layout(Penalties& penalties, Arena& arena, const PenaltyLimits& limits);

// Empties everything. `key` is chosen by chance, so that nobody can aim at rows of a table.
void penalties_init(Penalties& penalties, const PenaltyRules& rules, const uint8_t key[16]);

// The print of a name that nobody has, whatever its bytes are.
uint64_t penalties_print(const Penalties& penalties, Slice name);

// Says whether a password may be looked at: ok, or busy while any row makes the attempt wait.
Status penalties_judge(const Penalties& penalties, const Attempt& attempt, uint64_t now_ms,
                       uint64_t wall_ms);

// The password was wrong, or the login was refused for another reason.
void penalties_fail(Penalties& penalties, const Attempt& attempt, uint64_t now_ms,
                    uint64_t wall_ms);

// The person proved to be who they say. The pair begins anew, and is familiar (G3). Points of the
// person elsewhere, of the terminal and of the source stay: an own account washes nobody clean.
void penalties_succeed(Penalties& penalties, const Attempt& attempt, uint64_t wall_ms);

// True when the log may hear this of a source now: once in `every_ms`.
bool penalties_may_tell(Penalties& penalties, const NetAddress& source, PenaltyNews news,
                        uint64_t now_ms, uint64_t every_ms);

// How many rows make somebody wait now. Looks at all of them.
uint32_t penalties_in_force(const Penalties& penalties, uint64_t now_ms);

// The text, for `data/penalties`:
//
//     pennybank-penalties 1                        version of this format
//     time MS                                      when it was written, since 1970 UTC
//     person NAME POINTS AGE WAIT                  a line each; AGE is the ms since points were
//     pair NAME TERMINAL LOGIN POINTS AGE WAIT     last halved, WAIT the ms that are left
//     sum HEX                                      SHA-256 of all lines before
//
// Rows may change between two calls; each line is true when it is written.
void penalties_save_begin(const Penalties& penalties, PenaltiesSave& save, uint64_t wall_ms,
                          Writer& out);

// Puts lines while there is room, and looks at no more than `rows_max` rows. `save.active` ends
// with the sum.
void penalties_save_step(const Penalties& penalties, PenaltiesSave& save, const Ledger& ledger,
                         uint64_t now_ms, uint32_t rows_max, Writer& out);

// Reads such a text in pieces of any size into penalties that were just readied. People that the
// ledger does not know are left out. Returns ok; damaged for a text that is not what was once
// written; failed for one of a newer version. Anything but ok leaves no row behind (G7), and what
// follows is not looked at.
void penalties_load_begin(const Penalties& penalties, PenaltiesLoad& load, uint64_t now_ms,
                          uint64_t wall_ms);
Status penalties_load_feed(Penalties& penalties, PenaltiesLoad& load, const Ledger& ledger,
                           Slice bytes);
Status penalties_load_end(Penalties& penalties, PenaltiesLoad& load);

// Forgets what was loaded: the rest could not be read.
void penalties_load_drop(Penalties& penalties);
