// What an order, or the end of one, comes to: what the oracle holds against the server's answers.

#include "sim/oracle_view.h"

namespace sim {

using std::map;
using std::string;
using std::vector;

namespace {

constexpr int64_t movement_max = 1'000'000'000'000'000;  // 10^15: what one movement can be

uint32_t quantity_of(const Move& move) { return move.quantity == 0 ? 1 : move.quantity; }

bool cost_fits(int64_t price, uint32_t quantity) { return price <= movement_max / quantity; }

ItemFacts item_of(const View& view, const string& name) {
    const auto found = view.items.find(name);
    return found == view.items.end() ? ItemFacts{} : found->second;
}

const OrderRow* order_of(const View& view, uint64_t number) {
    if (view.orders_evicted.count(number) > 0) return nullptr;
    return view.oracle.orders.find(number, view.at);
}

string state_of(const View& view, uint64_t number) {
    if (order_of(view, number) == nullptr) return "";
    const auto ended = view.orders_ended.find(number);
    if (ended != view.orders_ended.end()) return ended->second;
    return view.oracle.orders.state_at(number, view.at);
}

bool owns(const View& view, const Ask& ask, const string& account) {
    const Oracle::Rules* rules = view.rules(account);
    return rules != nullptr && rules->owner == ask.person;
}

// Who may order for whom, and end whose order.
string judge_order_right(const View& view, const Ask& ask, const Move& move) {
    const string refusal = judge_role(view, ask, move);
    const string role = view.oracle.role_of(ask);
    if (!refusal.empty()) return refusal;
    if (move.operation == "order") {
        if (move.debit == "cash" || move.debit == "shop") {
            return "NOPERM this account belongs to the book itself";
        }
        if (role == "till" || owns(view, ask, move.debit)) return "";
        return "NOPERM only the own account can pay";
    }
    if (role == "till" || role == "treasurer") return "";
    if (move.operation == "done") {
        return "NOPERM an order is handed over by a till or a treasurer";
    }
    // An order that is not known belongs to nobody.
    const OrderRow* order = order_of(view, move.order);
    if (order == nullptr || owns(view, ask, order->account)) return "";
    return "NOPERM this is somebody else's order";
}

// E2, E3. Whoever may pay from a terminal may buy there, whether the shop is on its list or not.
string judge_order_bounds(const View& view, const Ask& ask, const Move& move, const Pair& pair) {
    const Bounds& bounds = view.oracle.bounds_of(ask.terminal);
    const string& account = move.operation == "order" ? move.debit : pair.credit;
    const Side nobody = {"", false};
    const Side side = {account, owns(view, ask, account)};
    const int64_t amount = move.operation == "order" ? pair.amount : 0;
    const string refusal = bounds_refusal(bounds, side, nobody, amount);
    if (!refusal.empty() || move.operation != "order") return refusal;
    return pin_refusal(bounds, view.oracle.facts_of(ask), move.pin, amount);
}

string judge_item(const View& view, const Move& move) {
    const ItemFacts item = item_of(view, move.item);
    if (!item.exists) return "STATE there is no item '" + move.item + "'";
    if (!item.listed) return "STATE " + move.item + " is no longer sold";
    if (move.price != 0 && move.price != item.price) {
        return "STATE the price of " + move.item + " is " + oracle_amount(item.price) + " now";
    }
    if (!cost_fits(item.price, quantity_of(move))) {
        return "AMOUNT so many cost more than one movement can be";
    }
    if (!item.counted || item.stock >= quantity_of(move)) return "";
    if (item.stock == 0) return "STATE " + move.item + " is sold out";
    return "STATE " + move.item + ": only " + std::to_string(item.stock) + " left";
}

string judge_open_order(const View& view, const Move& move) {
    const string state = state_of(view, move.order);
    const string order = "STATE order " + std::to_string(move.order);
    if (state.empty()) return order + " is not known: there is none, or it was closed long ago";
    if (state == "done") return order + " has been handed over";
    return state == "open" ? "" : order + " has been cancelled already";
}

string judge_refund(const View& view, const Pair& pair) {
    const Oracle::Rules* shop = view.rules("shop");
    const Oracle::Rules* payee = view.rules(pair.credit);
    if (shop->closed || payee->closed) return "CLOSED the account is closed";
    if (!judge_payer(view, pair, *shop).empty()) {
        return "FUNDS the shop's account cannot give back " + oracle_amount(pair.amount);
    }
    return judge_payee(view, pair, *payee);
}

}  // namespace

bool is_of_order(const Move& move) {
    return move.operation == "order" || move.operation == "cancel" || move.operation == "done";
}

Pair pair_of_order(const View& view, const Move& move) {
    if (move.operation == "order") {
        const ItemFacts item = item_of(view, move.item);
        const bool fits = item.exists && cost_fits(item.price, quantity_of(move));
        return {move.debit, "shop", fits ? item.price * quantity_of(move) : 0};
    }
    if (move.operation == "done" || state_of(view, move.order) != "open") return {};
    const OrderRow* order = order_of(view, move.order);
    return {"shop", order->account, order->price * order->quantity};
}

string judge_order_move(const View& view, const Ask& ask, const Move& move) {
    string refusal = judge_order_right(view, ask, move);
    if (!refusal.empty()) return refusal;
    const Pair pair = pair_of_order(view, move);
    refusal = judge_order_bounds(view, ask, move, pair);
    if (!refusal.empty()) return refusal;
    if (move.operation != "order") {
        refusal = judge_open_order(view, move);
        return refusal.empty() && move.operation == "cancel" ? judge_refund(view, pair) : refusal;
    }
    refusal = judge_item(view, move);
    if (!refusal.empty()) return refusal;
    const Oracle::Rules* debit = view.rules(pair.debit);
    const Oracle::Rules* shop = view.rules("shop");
    if (debit == nullptr) return "NOACCT no account '" + pair.debit + "'";
    if (debit->closed || shop->closed) return "CLOSED the account is closed";
    refusal = judge_payer(view, pair, *debit);
    if (refusal.empty()) refusal = judge_payee(view, pair, *shop);
    return refusal.empty() ? judge_day(view, ask, pair) : refusal;
}

Booked apply_order_move(View& view, const Ask& ask, const Move& move, uint64_t number) {
    const Pair pair = pair_of_order(view, move);
    const bool makes = move.operation == "order";
    Booked booked;
    if (move.operation != "done") {
        Oracle::Point debit = view.point(pair.debit);
        Oracle::Point credit = view.point(pair.credit);
        debit.balance -= pair.amount;
        credit.balance += pair.amount;
        view.moved[pair.debit] = debit;
        view.moved[pair.credit] = credit;
        booked.balance = makes ? debit.balance : credit.balance;
    }
    if (makes) {
        booked.order = number;
        booked.item = move.item;
        booked.quantity = quantity_of(move);
        booked.price = view.items[move.item].price;
        view.moved_today[ask.terminal] += pair.amount;
        if (view.items[move.item].counted) view.items[move.item].stock -= booked.quantity;
        uint64_t evicted = 0;
        view.oracle.orders.place_for_one(view.at, view.orders_ended, view.orders_evicted,
                                         view.orders_made++, evicted);
        if (evicted != 0) view.orders_evicted[evicted] = true;
        return booked;
    }
    const OrderRow& order = *order_of(view, move.order);
    booked.order = move.order;
    booked.item = order.item;
    booked.quantity = order.quantity;
    booked.price = move.operation == "done" ? 0 : order.price;
    view.orders_ended[move.order] = move.operation == "done" ? "done" : "cancelled";
    if (move.operation == "cancel" && view.items[order.item].counted) {
        view.items[order.item].stock += order.quantity;
    }
    return booked;
}

string judge_reversed_order(const View& view, const Ask& ask, const Move& move) {
    const Oracle::Done& entry = *view.entry(move.reversed);
    const string& account = entry.operation == "order" ? entry.debit : entry.credit;
    const Bounds& bounds = view.oracle.bounds_of(ask.terminal);
    const string refusal =
        bounds_refusal(bounds, {account, owns(view, ask, account)}, {"", false}, 0);
    if (!refusal.empty()) return refusal;
    return quoted_number("STATE entry ", move.reversed,
                         " is of an order; an order is cancelled, not reversed");
}

vector<map<string, ItemFacts>> worlds_of(const Oracle& oracle, const Ask& ask, uint64_t at) {
    vector<map<string, ItemFacts>> worlds = {{}};
    for (const Move& move : ask.moves) {
        if (move.operation != "order" || worlds[0].count(move.item) > 0) continue;
        vector<map<string, ItemFacts>> next;
        for (const ItemState& state : oracle.orders.states_at(move.item, at)) {
            for (map<string, ItemFacts> world : worlds) {
                world[move.item] = state.facts;
                next.push_back(world);
            }
        }
        worlds = next;
    }
    return worlds;
}

// --- In the book ---------------------------------------------------------------------------------

// The things that the item ordered may have been, of those with which the order is right.
bool Judge::find_order_states(uint64_t entry, const Event& event, uint64_t day,
                              vector<ItemState>& kept) {
    const Ask& ask = *event.ask;
    const Move& move = ask.moves[event.index];
    const Booked& said = ask.booked[event.index];
    const bool makes = move.operation == "order";
    string refusal = "its price was not " + oracle_amount(said.price);
    const vector<ItemState> before =
        makes ? oracle.orders.states_at(move.item, entry - 1) : vector<ItemState>{{}};
    for (const ItemState& state : before) {
        for (size_t stage = stage_min(entry - 1); stage <= stage_max(entry - 1); stage++) {
            View view = {oracle, entry - 1, stage};
            view.day = day;
            if (makes) view.items[move.item] = state.facts;
            const string why_not = judge_order_move(view, ask, move);
            if (!why_not.empty()) refusal = why_not;
            if (!why_not.empty() || (makes && state.facts.price != said.price)) continue;
            kept.push_back(state);
            break;
        }
    }
    if (!kept.empty()) return true;
    return fail_at(entry, "booked " + move.id + ", a " + move.operation + " of " + ask.person +
                              ", that should have been refused: " + refusal);
}

bool Judge::walk_order(uint64_t entry, Event& event) {
    const Ask& ask = *event.ask;
    const Move& move = ask.moves[event.index];
    const bool makes = move.operation == "order";
    const uint64_t time_ms = event.lines.empty() ? oracle.time_ms : event.lines[0].second.time_ms;
    vector<ItemState> kept;
    if (!find_order_states(entry, event, time_ms / day_ms, kept)) return false;
    View view = {oracle, entry - 1, stage_max(entry - 1)};
    view.day = time_ms / day_ms;
    if (makes) view.items[move.item] = kept[0].facts;
    const Pair pair = pair_of_order(view, move);
    const int64_t total = view.total_today(ask.terminal);
    const Booked right = apply_order_move(view, ask, move, entry);
    if (!check_answer(entry, event, right)) return false;
    put_points(entry, view);
    if (makes) oracle.days[ask.terminal].push_back({entry, view.day, total + pair.amount});
    for (const auto& [account, line] : event.lines) {
        if (move.operation != "done" && line.order == right.order && line.item == right.item &&
            line.quantity == right.quantity) {
            continue;
        }
        return fail_at(entry, "is of another order in the statement of " + account);
    }
    const bool moves_money = move.operation != "done";
    if (moves_money && !check_lines(entry, event, move.operation, pair, &move, 0, true)) {
        return false;
    }
    oracle.done[entry] = {move.operation, pair.debit, pair.credit, pair.amount, ask.terminal, 0};
    oracle.entries++;
    if (!makes) {
        oracle.orders.book_end(entry, move.order, moves_money ? "cancelled" : "done");
    } else if (!oracle.orders.book_order(entry, {.item = move.item,
                                                 .quantity = right.quantity,
                                                 .price = right.price,
                                                 .account = move.debit,
                                                 .person = ask.person,
                                                 .terminal = ask.terminal,
                                                 .time_ms = time_ms}, kept)) {
        return fail_at(entry, "is an order although as many as can be are open");
    }
    return !moves_money || check_expired(entry, pair);
}

}  // namespace sim
