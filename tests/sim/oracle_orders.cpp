#include "sim/oracle_orders.h"

#include <algorithm>

#include "sim/oracle.h"

namespace sim {

using std::map;
using std::string;
using std::vector;

namespace {

void add_state(vector<ItemState>& states, const ItemState& state) {
    if (std::find(states.begin(), states.end(), state) == states.end()) states.push_back(state);
}

bool is_closed(const string& state) { return state == "done" || state == "cancelled"; }

string described(const ItemFacts& facts) {
    if (!facts.exists) return "none";
    return oracle_amount(facts.price) + ", stock " +
           (facts.counted ? std::to_string(facts.stock) : "-") + ", '" + facts.title + "'" +
           (facts.listed ? "" : ", deleted");
}

string described(uint64_t number, const OrderRow& row) {
    return "order " + std::to_string(number) + ": " + std::to_string(row.quantity) + " " +
           row.item + " at " + oracle_amount(row.price) + " of " + row.account + " by " +
           row.person + " from " + row.terminal + ", " + row.state + ", " + std::to_string(row.time_ms);
}

}  // namespace

ItemFacts item_after(const ItemFacts& before, const ItemChange& change) {
    ItemFacts after = before;
    if (change.deletes) {
        after.listed = false;
        return after;
    }
    after.exists = true;
    after.listed = true;
    after.price = change.price;
    if (change.names_title) after.title = change.title;
    if (change.names_stock) {
        after.counted = change.counted;
        after.stock = change.counted ? change.stock : 0;
    }
    return after;
}

vector<ItemState> OrdersOracle::states_at(const string& item, uint64_t at) const {
    vector<ItemState> states = {ItemState{}};
    const auto found = points.find(item);
    if (found != points.end()) {
        for (const ItemPoint& point : found->second) {
            if (point.entry <= at) states = point.states;
        }
    }
    size_t number = 0;
    for (const ItemChange& change : changes) {
        if (change.item != item) continue;
        number++;
        const bool must = change.high <= at;
        if (change.low > at && !must) break;
        // What changes nothing has no entry, and may have been judged before the next one already.
        const bool only_nothing = change.low == at && !must;
        vector<ItemState> next;
        for (const ItemState& state : states) {
            if (state.changes + 1 != number) {
                add_state(next, state);
                continue;
            }
            if (!must) add_state(next, state);
            if (only_nothing) {
                const bool is_nothing = item_after(state.facts, change) == state.facts;
                if (is_nothing) add_state(next, {state.facts, number});
                continue;
            }
            if (!change.is_sure) add_state(next, {state.facts, number});
            add_state(next, {item_after(state.facts, change), number});
        }
        states = next;
    }
    return states;
}

const OrderRow* OrdersOracle::find(uint64_t number, uint64_t at) const {
    const auto found = rows.find(number);
    if (found == rows.end() || number > at) return nullptr;
    const uint64_t evicted = found->second.evicted;
    return evicted != 0 && evicted <= at ? nullptr : &found->second;
}

string OrdersOracle::state_at(uint64_t number, uint64_t at) const {
    const OrderRow* row = find(number, at);
    if (row == nullptr) return "";
    return row->ended != 0 && row->ended <= at ? row->state : "open";
}

// I4.
bool OrdersOracle::place_for_one(uint64_t at, const map<uint64_t, string>& closed,
                                 const map<uint64_t, bool>& gone, uint64_t made,
                                 uint64_t& evicted) const {
    uint64_t count = made;
    evicted = 0;
    for (const auto& [number, row] : rows) {
        if (gone.count(number) > 0 || find(number, at) == nullptr) continue;
        count++;
        const bool can_go = is_closed(state_at(number, at)) || closed.count(number) > 0;
        if (evicted == 0 && can_go) evicted = number;
    }
    if (count >= limit) return evicted != 0;
    evicted = 0;
    return true;
}

bool OrdersOracle::book_order(uint64_t entry, const OrderRow& row,
                              const vector<ItemState>& before) {
    uint64_t evicted = 0;
    if (!place_for_one(entry - 1, {}, {}, 0, evicted)) return false;
    if (evicted != 0) rows[evicted].evicted = entry;
    vector<ItemState> after;
    for (ItemState state : before) {
        if (state.facts.counted) state.facts.stock -= row.quantity;
        add_state(after, state);
    }
    points[row.item].push_back({entry, after});
    rows[entry] = row;
    return true;
}

void OrdersOracle::book_end(uint64_t entry, uint64_t number, const string& state) {
    OrderRow& row = rows[number];
    row.state = state;
    row.ended = entry;
    if (state != "cancelled") return;
    vector<ItemState> after;
    for (ItemState item : states_at(row.item, entry - 1)) {
        if (item.facts.counted) item.facts.stock += row.quantity;
        add_state(after, item);
    }
    points[row.item].push_back({entry, after});
}

void OrdersOracle::place_changes(const std::function<uint64_t(uint64_t)>& low,
                                 const std::function<uint64_t(uint64_t)>& high) {
    for (ItemChange& change : changes) {
        change.low = low(change.sent);
        change.high = high(change.answered);
    }
    // They were made one after the other.
    for (size_t i = changes.size(); i-- > 1;) {
        changes[i - 1].high = std::min(changes[i - 1].high, changes[i].high);
    }
}

bool OrdersOracle::judge_rises(string& why) const {
    for (const PriceRise& rise : rises) {
        const auto explains = [&rise](const ItemChange& change) {
            const bool named = std::count(rise.items.begin(), rise.items.end(), change.item) > 0;
            return named && !change.deletes && change.sent <= rise.answered &&
                   change.answered >= rise.sent;
        };
        if (std::any_of(changes.begin(), changes.end(), explains)) continue;
        why = "a group of " + rise.items[0] + " and others was told that a price has risen";
        return false;
    }
    return true;
}

bool OrdersOracle::judge_lists(const vector<ItemSeen>& items, const vector<OrderSeen>& orders,
                               uint64_t head, string& why) {
    map<string, ItemFacts> listed;
    vector<string> in_order;
    for (const ItemSeen& seen : items) {
        listed[seen.item] = seen.facts;
        in_order.push_back(seen.item);
        if (std::count(names.begin(), names.end(), seen.item) == 1) continue;
        why = "ITEMS shows " + seen.item + ", which nobody set";
        return false;
    }
    vector<string> right_order;
    for (const string& name : names) {
        if (listed.count(name) > 0) right_order.push_back(name);
        vector<ItemState> kept;
        string all;
        for (const ItemState& state : states_at(name, head)) {
            const bool fits = listed.count(name) > 0 ? state.facts == listed[name]
                                                     : !state.facts.listed;
            if (fits) add_state(kept, {state.facts, 0});
            all += (all.empty() ? "" : " or ") + described(state.facts);
        }
        if (kept.empty()) {
            why = "ITEMS shows " + name + " as " + described(listed[name]) + ", not as " + all;
            return false;
        }
        points[name] = {{head, kept}};
    }
    if (in_order != right_order) {
        why = "ITEMS is in another order than the items were set in";
        return false;
    }
    std::erase_if(rows, [](const auto& row) { return row.second.evicted != 0; });
    auto right = rows.rbegin();
    for (const OrderSeen& seen : orders) {
        const string shown = described(seen.number, seen.row);
        const string wanted =
            right == rows.rend() ? "no other" : described(right->first, right->second);
        if (shown != wanted || seen.amount != seen.row.price * seen.row.quantity) {
            why = "ORDERS shows " + shown + "; it should be " + wanted;
            return false;
        }
        ++right;
    }
    if (right != rows.rend()) {
        why = "ORDERS does not show " + described(right->first, right->second);
        return false;
    }
    changes.clear();
    rises.clear();
    return true;
}

}  // namespace sim
