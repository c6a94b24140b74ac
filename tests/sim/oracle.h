// oracle.h - a second ledger, plain enough to be right at a glance, that judges what the server
// answered and what its statements say.
//
// It shares no line with the server: it includes nothing of src/ or port/. It knows the contract
// (README, DESIGN.md §3) and three things that only an outsider can: what was asked, when in
// relation to every other request, and what came back.
//
// Time here is a tick: a number that grows with every request sent and every answer received,
// whoever sent or received it. What was answered before a request was sent stands in the book
// before it; what was sent after an answer stands behind it. Between the two the server may have
// judged a request at any moment, so a refusal must have been right at one of them.
//
//     answered before   │◄──── any state in here ────►│   sent after the answer
//     ── entry lo ──────┼── request ─────── answer ───┼────── entry hi+1 ──
//
// Requests that move money are judged together at a quiet point: every request has its answer, and
// the statements of all accounts since the last quiet point are at hand. Then every entry of a
// statement must be a request that was answered with it, or the release of a hold that expired, or
// one of those whose id the server chose and whose answer got lost.
//
//   O1. Every answer is right for the state before it, field for field.
//   O2. An entry is in the book once, in the statements of exactly its accounts, with the balances
//       that the entries before it make.
//   O3. The sum over all accounts is zero.
//   O4. Nothing is in the book that nobody asked for.
//   O5. A hold is released only when its time has passed, and before any later entry of its account.
#pragma once

#include <stdint.h>

#include <map>
#include <string>
#include <vector>

#include "sim/oracle_mail.h"
#include "sim/oracle_orders.h"
#include "sim/oracle_people.h"

namespace sim {

// What one command that moves money asks for. Amounts are in minor units, scale 2.
struct Move {
    std::string operation;  // as statements name it: deposit withdraw transfer hold capture void reverse,
                            // order cancel done
    std::string id;         // "+": the server chooses
    std::string debit;      // deposit: cash
    std::string credit;     // withdraw: cash
    int64_t amount = 0;     // 0: none was named
    uint64_t hold = 0;      // capture, void
    uint64_t reversed = 0;  // reverse
    uint32_t expires_s = 0;
    std::string memo;
    std::string pin;        // at the end of the command; empty: none
    std::string item;        // order; the account that pays is the debit
    uint32_t quantity = 0;   // 0: none was named
    int64_t price = 0;       // that was asked for; 0: none
    uint64_t order = 0;      // cancel, done
    std::string envelope;   // of a message, whose recipient is `credit`
};

// The answer to one that was booked.
struct Booked {
    uint64_t entry = 0;
    int64_t balance = 0;
    uint64_t hold = 0;
    std::string account;  // of a reversal
    uint64_t order = 0;   // and the rest of an order or its end; one handed over has no price
    std::string item = "";
    uint32_t quantity = 0;
    int64_t price = 0;
};

// A command with an id, or a group of them.
struct Ask {
    std::string person;
    std::string terminal;
    bool is_group = false;
    std::vector<Move> moves;
    uint64_t sent = 0;      // the first time
    uint64_t answered = 0;  // the first time that the answer was final
    std::vector<Booked> booked;  // as many as moves, or none
    std::string refusal;         // the text of the error; empty when booked
};

// What an admin did to the accounts, one after the other, each until it was answered OK. A close
// that was refused, because there is money, changes nothing and is judged all the same. Who is
// removed takes the account along.
struct Change {
    enum class Kind { open, limit, close, close_refused, remove, remove_refused };
    Kind kind = Kind::open;
    std::string account;
    std::string owner;  // of one that is opened; empty for none
    int64_t floor = 0;
    int64_t ceiling = 0;
    uint64_t sent = 0;
    uint64_t answered = 0;
};

// A balance that somebody was shown.
struct Shown {
    std::string account;
    int64_t balance = 0;
    uint64_t sent = 0;
    uint64_t answered = 0;
};

struct StatementLine {
    uint64_t entry = 0;
    uint64_t time_ms = 0;
    std::string operation;
    int64_t amount = 0;
    int64_t balance = 0;
    std::string other;
    uint64_t hold = 0;
    uint64_t reversed = 0;
    std::string memo;
    uint64_t order = 0;
    std::string item = "";
    uint32_t quantity = 0;
};

// A line of ACCOUNT LIST.
struct Listed {
    std::string account;
    std::string owner;  // empty: none
    int64_t balance = 0;
    int64_t held = 0;
    int64_t floor = 0;
    int64_t ceiling = 0;
    bool closed = false;
};

// What was seen at a quiet point.
struct Seen {
    std::vector<Listed> accounts;                            // all of them
    std::map<std::string, std::vector<StatementLine>> lines;  // new ones, newest first
    uint64_t head = 0;        // newest entry of the book
    uint64_t refused = 0;     // new entries that are refusals, a group's counted one by one
    uint64_t others_max = 0;  // new entries that are about people, accounts or terminals, at most
    bool has_shop = false;    // the two lists were read
    std::vector<ItemSeen> items;    // all that are listed
    std::vector<OrderSeen> orders;  // all, newest first
};

inline constexpr int64_t oracle_unbounded = 4'000'000'000'000'000'000;

struct OracleRules {
    uint64_t reversible = 1'048'576;  // entries
    bool self_service = false;
    uint64_t archived = 0;  // newest entry that lies elsewhere since the last quiet point
};

struct Oracle {
    // --- what it is told ---
    OracleRules rules;
    std::map<std::string, std::string> roles;  // by person, of those whom `people` does not know
    std::map<std::string, Bounds> bounds;      // by terminal
    PeopleOracle people;
    OrdersOracle orders;
    MailOracle mail;
    std::string role_of(const Ask& ask) const;
    Facts facts_of(const Ask& ask) const;
    const Bounds& bounds_of(const std::string& terminal) const;
    void open(const std::string& account, const std::string& owner, int64_t floor,
              int64_t ceiling);  // before anything else happened
    std::vector<Ask> asks;       // since the last quiet point, in any order
    std::vector<Ask> maybe;      // id chosen by the server, answer lost; one transfer with a memo
    std::vector<Change> changes;  // in order
    std::vector<Shown> shown;

    // --- what it says ---
    // Judges everything since the last quiet point, and begins anew. Returns false with `why`.
    bool judge(const Seen& seen, std::string& why);
    uint64_t releases = 0;   // ever
    uint64_t entries = 0;    // booked, ever
    int64_t balance_of(const std::string& account) const;

    // --- what it keeps ---
    struct Point {
        uint64_t entry;
        int64_t balance;
        int64_t held;
    };
    struct Account {
        std::vector<Point> points;  // by entry; the first is its opening
    };
    struct Rules {  // of an account, as changes make them
        std::string owner;
        int64_t floor;
        int64_t ceiling;
        bool closed;
    };
    struct Hold {
        std::string debit;
        std::string credit;
        int64_t amount;
        uint64_t expiry_ms;
        uint64_t opened;  // entry
        uint64_t ended;   // entry; 0: open
        bool released;
    };
    struct Done {  // a booked entry that can, or cannot, be reversed
        std::string operation;
        std::string debit;
        std::string credit;
        int64_t amount;
        std::string terminal;
        uint64_t reversed_by;  // entry; 0: none
    };
    struct DayPoint {  // what a terminal has moved on a day
        uint64_t entry;
        uint64_t day;
        int64_t total;
    };
    std::map<std::string, std::vector<DayPoint>> days;     // by terminal
    std::vector<std::pair<uint64_t, uint64_t>> times_ms;  // by entry, of what was seen
    std::map<std::string, Account> accounts;
    std::vector<std::map<std::string, Rules>> stages;  // stage k: after the first k changes
    std::map<uint64_t, Hold> holds;
    std::map<uint64_t, Done> done;
    uint64_t judged = 0;   // head of the last quiet point
    uint64_t time_ms = 0;  // of the newest entry seen
};

// The refusal that a request meets at a state; empty when it is booked. For tests of the oracle.
std::string oracle_amount(int64_t minor);
bool oracle_minor(const std::string& text, int64_t& out);

}  // namespace sim
