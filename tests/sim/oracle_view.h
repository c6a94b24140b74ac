// oracle_view.h - the book at one moment, as the oracle looks at it while it judges, and one
// judgement. For the files of the oracle only: oracle.cpp judges movements, oracle_ordering.cpp
// those of orders.
#pragma once

#include <algorithm>
#include <set>

#include "sim/oracle.h"

namespace sim {

inline constexpr uint64_t day_ms = 86'400'000;

// The book as it is after entry `at`, with the first `stage` changes made, and what a group has done
// to it so far on top.
struct View {
    const Oracle& oracle;
    uint64_t at;
    size_t stage;
    size_t before = 0;  // entries that a group would have made by now
    std::map<std::string, Oracle::Point> moved = {};
    std::map<uint64_t, Oracle::Hold> opened = {};
    std::set<uint64_t> ended = {};
    std::set<uint64_t> reversed = {};
    uint64_t day = 0;  // on which it is judged
    std::map<std::string, int64_t> moved_today = {};  // by terminal, on top
    // Of the shop: what the items named are, and what a group has done to orders so far.
    std::map<std::string, ItemFacts> items = {};
    std::map<uint64_t, std::string> orders_ended = {};
    std::map<uint64_t, bool> orders_evicted = {};
    uint64_t orders_made = 0;

    int64_t total_today(const std::string& terminal) const {
        const auto over = moved_today.find(terminal);
        int64_t total = over == moved_today.end() ? 0 : over->second;
        const auto found = oracle.days.find(terminal);
        if (found == oracle.days.end()) return total;
        for (auto point = found->second.rbegin(); point != found->second.rend(); ++point) {
            if (point->entry > at) continue;
            return total + (point->day == day ? point->total : 0);
        }
        return total;
    }
    const Oracle::Rules* rules(const std::string& account) const {
        const auto& all = oracle.stages[stage];
        const auto found = all.find(account);
        return found == all.end() ? nullptr : &found->second;
    }
    Oracle::Point point(const std::string& account) const {
        const auto over = moved.find(account);
        return over == moved.end() ? point_in_book(account) : over->second;
    }
    Oracle::Point point_in_book(const std::string& account) const {
        const auto found = oracle.accounts.find(account);
        Oracle::Point last = {0, 0, 0};
        if (found == oracle.accounts.end()) return last;
        for (auto point = found->second.points.rbegin(); point != found->second.points.rend();
             ++point) {
            if (point->entry <= at) return *point;
        }
        return last;
    }
    const Oracle::Hold* open_hold(uint64_t number) const {
        if (ended.count(number) > 0) return nullptr;
        const auto mine = opened.find(number);
        if (mine != opened.end()) return &mine->second;
        const auto found = oracle.holds.find(number);
        if (found == oracle.holds.end() || found->second.opened > at) return nullptr;
        if (found->second.ended != 0 && found->second.ended <= at) return nullptr;
        return &found->second;
    }
    const Oracle::Done* entry(uint64_t number) const {
        const auto found = oracle.done.find(number);
        return found == oracle.done.end() || number > at ? nullptr : &found->second;
    }
    bool is_reversed(uint64_t number) const {
        if (reversed.count(number) > 0) return true;
        const Oracle::Done* found = entry(number);
        return found != nullptr && found->reversed_by != 0 && found->reversed_by <= at;
    }
};

// The accounts that a request comes to move money between; empty names when there is nothing.
struct Pair {
    std::string debit;
    std::string credit;
    int64_t amount = 0;
};

inline std::string quoted_number(const char* before, uint64_t number, const char* after) {
    return before + std::to_string(number) + after;
}

// The refusals that oracle.cpp has for any movement; empty for none.
std::string judge_role(const View& view, const Ask& ask, const Move& move);
std::string judge_payer(const View& view, const Pair& pair, const Oracle::Rules& debit);
std::string judge_payee(const View& view, const Pair& pair, const Oracle::Rules& credit);
std::string judge_day(const View& view, const Ask& ask, const Pair& pair);

// Orders, their ends, and the refusal to reverse one (oracle_ordering.cpp).
bool is_of_order(const Move& move);
Pair pair_of_order(const View& view, const Move& move);
std::string judge_order_move(const View& view, const Ask& ask, const Move& move);
Booked apply_order_move(View& view, const Ask& ask, const Move& move, uint64_t number);
std::string judge_reversed_order(const View& view, const Ask& ask, const Move& move);

// All that the items of a request may be together after entry `at`; one empty world for none.
std::vector<std::map<std::string, ItemFacts>> worlds_of(const Oracle& oracle, const Ask& ask,
                                                        uint64_t at);

// One entry of the book, as the statements and the answers have it.
struct Event {
    const Ask* ask = nullptr;  // nullptr: a release
    size_t index = 0;          // of its move
    uint64_t hold = 0;         // of a release
    bool answered = true;      // false: the answer got lost for good
    std::vector<std::pair<std::string, StatementLine>> lines;  // by account
};

struct Judge {
    Oracle& oracle;
    const Seen& seen;
    std::string& why;
    std::map<uint64_t, Event> events = {};
    std::vector<std::pair<uint64_t, uint64_t>> answered = {};  // tick, greatest entry so far
    std::vector<std::pair<uint64_t, uint64_t>> sent = {};      // tick, least entry from here on
    std::vector<uint64_t> change_low = {};   // each change's entry is above this
    std::vector<uint64_t> change_high = {};  // and not above this

    bool fail(const std::string& text) {
        why = text;
        return false;
    }
    bool fail_at(uint64_t entry, const std::string& text) {
        return fail("entry " + std::to_string(entry) + ": " + text);
    }

    uint64_t low(uint64_t tick) const {  // newest entry known before the tick
        const auto found = std::lower_bound(answered.begin(), answered.end(),
                                            std::make_pair(tick, uint64_t{0}));
        return found == answered.begin() ? oracle.judged : std::prev(found)->second;
    }
    uint64_t high(uint64_t tick) const {  // oldest entry asked for after the tick, less one
        const auto found =
            std::upper_bound(sent.begin(), sent.end(), std::make_pair(tick, UINT64_MAX));
        return found == sent.end() ? seen.head : found->second - 1;
    }
    size_t stage_min(uint64_t at) const {
        size_t stage = 0;
        while (stage < change_high.size() && change_high[stage] <= at) stage++;
        return stage;
    }
    size_t stage_max(uint64_t at) const {
        size_t stage = 0;
        while (stage < change_low.size() && change_low[stage] < at) stage++;
        return std::max(stage, stage_min(at));  // What changed nothing has no entry.
    }

    bool collect_answers();
    bool collect_lines();
    bool adopt(const std::string& account, const StatementLine& line);
    void order();
    bool walk();
    bool walk_release(uint64_t entry, Event& event);
    bool walk_move(uint64_t entry, Event& event);
    bool walk_order(uint64_t entry, Event& event);
    bool find_order_states(uint64_t entry, const Event& event, uint64_t day,
                           std::vector<ItemState>& kept);
    bool check_answer(uint64_t entry, const Event& event, const Booked& right);
    bool check_lines(uint64_t entry, const Event& event, const std::string& operation,
                     const Pair& pair, const Move* move, uint64_t hold, bool joins);
    bool check_expired(uint64_t entry, const Pair& pair);
    uint64_t day_of(uint64_t entry) const;
    void put_points(uint64_t entry, const View& view);
    bool refusals();
    bool refusal(const Ask& ask);
    bool balances();
    bool closes();
    bool count();
    bool accounts();
    bool shop();
};

}  // namespace sim
