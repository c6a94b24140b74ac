// What players do at the shop: a treasurer or the admin keeps the items, people order, cancel and
// hand over, and all of them make mistakes.

#include <stdlib.h>

#include <algorithm>

#include "sim/players.h"

namespace sim {

namespace {

using std::string;

constexpr uint64_t second_us = 1'000'000;
constexpr uint64_t lost_us = 6 * second_us;  // in which the server reads what was lost
constexpr const char* item_names[] = {"beer", "cola", "nuts", "soup", "tea", "wurst"};
constexpr uint64_t item_count = 6;
constexpr int64_t prices[] = {50, 120, 120, 250, 250, 900, 2000, 600'000'000'000'000};
constexpr uint64_t price_count = 8;
constexpr size_t items_soon = 3;  // that are set before anything else

uint64_t number_of(const Value* value) {
    return value == nullptr ? 0 : strtoull(value->text.c_str(), nullptr, 10);
}

string line(const string& text) { return text + "\r\n"; }

bool is_shopkeeper(const string& role) { return role == "till" || role == "treasurer"; }

bool is_member(const string& role) { return role == "customer" || is_shopkeeper(role); }

bool is_reader(const string& role) { return is_shopkeeper(role) || role == "auditor"; }

bool owns(const Party& party, const Person& person, const string& account) {
    const auto& rules = party.oracle.stages.back();
    const auto found = rules.find(account);
    return found != rules.end() && found->second.owner == person.name;
}

// What the item was when that was last certain.
ItemFacts likely(const Party& party, const string& item) {
    return party.oracle.orders.states_at(item, party.oracle.judged)[0].facts;
}

// Words of the refusals, for the count.
struct Reason {
    const char* part;
    const char* name;
};
constexpr Reason reasons[] = {
    {"there is no item '", "orders refused: no item"},
    {" is no longer sold", "orders refused: not sold"},
    {"STATE the price of ", "orders refused: price"},
    {" is sold out", "orders refused: sold out"},
    {": only ", "orders refused: stock"},
    {" is not known: ", "orders refused: not known"},
    {" has been handed over", "orders refused: done"},
    {" has been cancelled already", "orders refused: cancelled"},
    {"AMOUNT so many cost", "orders refused: too much"},
    {"cannot give back", "orders refused: no refund"},
    {"somebody else's order", "orders refused: of somebody else"},
    {"OOM ", "orders refused: no room"},
    {"FUNDS the balance", "orders refused: funds"},
};

}  // namespace

bool is_order_move(const Move& move) {
    return move.operation == "order" || move.operation == "cancel" || move.operation == "done";
}

bool take_ordered(const Value& value, Booked& out) {
    const Value* balance = resp_field(value, "balance");
    const Value* price = resp_field(value, "price");
    const Value* item = resp_field(value, "item");
    out.entry = number_of(resp_field(value, "entry"));
    out.order = number_of(resp_field(value, "order"));
    out.quantity = static_cast<uint32_t>(number_of(resp_field(value, "quantity")));
    if (out.entry == 0 || item == nullptr || (price == nullptr) != (balance == nullptr)) {
        return false;
    }
    out.item = item->text;
    return price == nullptr ||
           (oracle_minor(balance->text, out.balance) && oracle_minor(price->text, out.price));
}

void note_order(Party& party, const Ask& ask, size_t index) {
    const Move& move = ask.moves[index];
    if (move.operation != "order") return;
    party.orders.push_back({ask.booked[index].order, move.debit, move.item});
}

void note_order_refusal(Party& party, const Ask& ask) {
    if (!std::any_of(ask.moves.begin(), ask.moves.end(), is_order_move)) return;
    for (const Reason& reason : reasons) {
        if (ask.refusal.find(reason.part) != string::npos) party.tally.add(reason.name);
    }
}

void note_price_rise(Party& party, const Ask& ask) {
    PriceRise rise = {{}, ask.sent, ++party.tick};
    for (const Move& move : ask.moves) {
        if (move.operation == "order") rise.items.push_back(move.item);
    }
    party.tally.add("groups kept off by a price");
    if (rise.items.empty()) return party.fail("a price has risen for a group that orders nothing");
    party.oracle.orders.rises.push_back(rise);
}

// --- Orders -------------------------------------------------------------------------------------

bool Player::choose_order(Move& move, bool sure) {
    Chance& chance = party->chance;
    // Where the table is small it is to be full of open ones now and then.
    const bool is_small = party->rules.orders < 17;
    const uint64_t ends = is_small ? 15 : is_shopkeeper(person->role) ? 55 : 30;
    return chance.percent(ends) ? choose_end_of_order(move, sure) : choose_new_order(move, sure);
}

bool Player::choose_new_order(Move& move, bool sure) {
    Chance& chance = party->chance;
    move.operation = "order";
    const auto& names = party->oracle.orders.names;
    move.item = chance.percent(3) ? "ghost" : item_names[chance.below(item_count)];
    if (!names.empty() && chance.percent(75)) move.item = chance.of(names);
    if (chance.percent(50)) move.quantity = static_cast<uint32_t>(chance.between(1, 4));
    if (chance.percent(3)) move.quantity = static_cast<uint32_t>(chance.between(5, 1'000'000));
    if (chance.percent(30)) move.price = likely(*party, move.item).price;
    if (chance.percent(3)) move.price = prices[chance.below(price_count)];
    move.debit = person->name;
    for (const auto& [name, rules] : party->oracle.stages.back()) {
        if (rules.owner == person->name && chance.percent(10)) move.debit = name;
    }
    const bool for_others = person->role == "till" ? chance.percent(80) : chance.percent(3);
    if (for_others && (!sure || person->role == "till")) move.debit = chance.of(party->accounts);
    return !sure || (move.debit != "shop" && move.debit != "cash");
}

bool Player::choose_end_of_order(Move& move, bool sure) {
    Chance& chance = party->chance;
    const bool keeps = is_shopkeeper(person->role);
    const bool hands_over = keeps ? chance.percent(60) : !sure && chance.percent(4);
    move.operation = hands_over ? "done" : "cancel";
    move.order = chance.between(900'000, 999'999);
    std::vector<uint64_t> mine;
    for (const KnownOrder& order : party->orders) {
        const bool own = owns(*party, *person, order.account);
        if (keeps || own || (!sure && chance.percent(5))) mine.push_back(order.number);
    }
    if (mine.empty() && chance.percent(90)) {
        move.order = 0;
        return choose_new_order(move, sure);
    }
    if (mine.empty() || chance.percent(3)) return true;
    // Late ones are more likely to be open still.
    const size_t from = mine.size() > 12 && chance.percent(80) ? mine.size() - 12 : 0;
    move.order = mine[from + chance.below(mine.size() - from)];
    return true;
}

// True when nothing of the terminal but its day can stand in the way, whatever it costs by then.
bool Player::is_order_within(const Move& move) const {
    const Bounds& bounds = party->oracle.bounds_of(terminal);
    if (move.operation == "done") return true;
    string account = move.debit;
    for (const KnownOrder& order : party->orders) {
        if (order.number == move.order && move.operation == "cancel") account = order.account;
    }
    const bool own = account.empty() || owns(*party, *person, account);
    if (!bounds.accounts.empty() && !own && bounds.accounts.count(account) == 0) return false;
    return move.operation == "cancel" ||
           (bounds.amount_max == bound_none && bounds.pin_above == bound_none);
}

Words Player::words_of_order(const Move& move, const string& id) {
    Chance& chance = party->chance;
    const string number = std::to_string(move.order);
    if (move.operation == "cancel") return {"CANCEL", id, number};
    if (move.operation == "done") {
        return {"ORDER", chance.percent(20) ? "done" : "DONE", id, number};
    }
    Words words = {"ORDER", id, move.item};
    if (move.quantity != 0) words.push_back(std::to_string(move.quantity));
    const bool from_first = chance.percent(50);
    if (move.debit != person->name && from_first) words.insert(words.end(), {"FROM", move.debit});
    if (move.price != 0) words.insert(words.end(), {"PRICE", oracle_amount(move.price)});
    if (move.debit != person->name && !from_first) words.insert(words.end(), {"from", move.debit});
    return words;
}

// The id of an order again, for another one.
void Player::replay_order_changed(Request& request) {
    Chance& chance = party->chance;
    Move changed = request.ask.moves[0];
    const string id = changed.id;
    const char* field = "order";
    if (changed.operation != "order") {
        changed.order++;
    } else if (chance.percent(50)) {
        changed.quantity = changed.quantity < 2 ? 2 : changed.quantity - 1;
        field = "quantity";
    } else {
        changed.price += 7;
        field = "price";
    }
    const Bounds& bounds = party->oracle.bounds_of(terminal);
    const bool is_free = bounds.accounts.empty() && bounds.amount_max == bound_none &&
                         bounds.pin_above == bound_none;
    const bool is_bound = changed.operation == "cancel" && !is_shopkeeper(person->role);
    if (!is_free || is_bound || party->oracle.role_of(request.ask) != person->role) return;
    const string right = string("-EXISTS this id was used for another request; its ") + field +
                         " differs\r\n";
    say(words_of(changed, id), [this, right, &request](const Value& value, const string& raw) {
        request.flying--;
        if (raw == right || note_common(value, nullptr)) return;
        party->fail("an id of " + person->name + " was used for another order and answered with " +
                    raw);
    }, &request);
    party->tally.add("ids used for another order");
}

// --- Reading, and mistakes ----------------------------------------------------------------------

void Player::choose_shop_reading() {
    Chance& chance = party->chance;
    const auto list = [this](const Words& words) {
        say(words, [this, words](const Value& value, const string& raw) {
            if (note_common(value, nullptr) || value.type == '*') return;
            party->fail(person->name + ": '" + words[0] + "' was answered with " + raw);
        });
    };
    const uint64_t roll = chance.below(100);
    if (roll < 40) return list({"ITEMS"});
    if (roll < 70) return list({"ORDERS"});
    if (roll < 85) return list({"ORDERS", person->name, "all", "COUNT", "3"});
    if (!is_reader(person->role) && person->name != "theo") {
        return say_exactly({"ORDERS", "theo"}, line("-NOPERM this is somebody else's account"));
    }
    list({"ORDERS", "theo", "ALL", "COUNT", "64", "BEFORE", "1000000"});
}

void Player::choose_wrong_order() {
    Chance& chance = party->chance;
    const string& role = person->role;
    const string id = "wrong-" + std::to_string(chance.below(1000));
    const string no_right = line("-NOPERM your role does not permit this command");
    const auto by_member = [&](const Words& words, const string& answer) {
        say_exactly(words, is_member(role) ? line(answer) : no_right);
    };
    switch (chance.below(8)) {
        case 0:
            return by_member({"ORDER", id, "Bad!"}, "-STATE there is no item 'Bad!'");
        case 1:
            return by_member({"ORDER", id, "tea", chance.percent(50) ? "0" : "1000001"},
                             "-ERR a quantity is a number from 1 to 1000000");
        case 2: return by_member({"ORDER", id, "tea", "1", "FROM"}, "-ERR syntax error");
        case 3:
            return by_member({"CANCEL", id, "x"},
                             "-ERR an order is named by its number, such as 17");
        case 4:
            return say_exactly({"ORDERS", "COUNT", "65"},
                               line("-ERR COUNT is from 1 to 64; go on with BEFORE the last order "
                                    "shown"));
        case 5:
            return say_exactly({"ITEMS", "AFTER", "ghost"}, line("-ERR there is no item 'ghost'"));
        case 6:
            if (role == "admin" || role == "treasurer") return;
            return say_exactly({"ITEM", "SET", "tea", "1.00"}, no_right);
        case 7:
            return by_member({"ORDER", "no blanks", "tea"},
                             "-ERR an id is 1 to 32 of [A-Za-z0-9._:-], or + to have one "
                             "chosen");
        default: return;
    }
}

// --- Items --------------------------------------------------------------------------------------

namespace {

void plan_item(Party& party, ItemWork& work) {
    Chance& chance = party.chance;
    work = {};
    work.wanted = true;
    ItemChange& change = work.change;
    change.item = item_names[chance.below(item_count)];
    const auto& names = party.oracle.orders.names;
    const bool is_there = std::count(names.begin(), names.end(), change.item) > 0;
    if (is_there && chance.percent(15)) {
        change.deletes = true;
        work.words = {"ITEM", "DEL", change.item};
        return;
    }
    const ItemFacts now = likely(party, change.item);
    const bool keeps_price = now.exists && now.price != 0 && chance.percent(50);
    change.price = keeps_price ? now.price : prices[chance.below(price_count)];
    if (change.price > 10'000 && chance.percent(70)) change.price = 100;
    work.words = {"ITEM", "SET", change.item, oracle_amount(change.price)};
    if (chance.percent(25)) {
        change.names_title = true;
        change.title = chance.percent(20) ? "" : "Best " + change.item + " N\xc2\xb0 " +
                                                     std::to_string(chance.below(3));
        work.words.insert(work.words.end(), {"TITLE", change.title});
    }
    if (chance.percent(60)) {
        change.names_stock = true;
        change.counted = chance.percent(70);
        change.stock = static_cast<uint32_t>(chance.below(15));
        const string stock = change.counted ? std::to_string(change.stock) : "-";
        work.words.insert(work.words.end(), {"STOCK", stock});
    }
}

}  // namespace

// W8. Nobody whose role changes keeps items.
void Player::play_items() {
    Chance& chance = party->chance;
    ItemWork& work = party->item_work;
    const uint64_t now_us = party->net.now_us(party->net.context);
    const bool may = logged_in && !person->is_guest && !is_stopped() &&
                     (person->role == "admin" || person->role == "treasurer");
    if (!may || work.flying || now_us <= work.waits_until_us) return;
    if (work.in_doubt) {  // The lost copy has met its fate by now.
        ItemChange lost = work.change;
        lost.is_sure = false;
        lost.answered = ++party->tick;
        party->oracle.orders.changes.push_back(lost);
        work.in_doubt = false;
    }
    const bool is_empty = party->oracle.orders.names.size() < items_soon;
    const bool begins = !party->quiet && chance.percent(is_empty ? 60 : 20);
    if (!work.wanted && begins) plan_item(*party, work);
    if (!work.wanted) return;
    work.flying = true;
    work.by = this;
    work.change.sent = ++party->tick;
    party->may_leave(terminal, 1);
    say(work.words, [this](const Value& value, const string&) { item_answered(value); });
}

void Player::lose_item_work() {
    ItemWork& work = party->item_work;
    work.flying = false;
    work.in_doubt = true;
    work.waits_until_us = party->net.now_us(party->net.context) + lost_us;
    party->tally.add("changes of items lost");
}

void Player::item_answered(const Value& value) {
    ItemWork& work = party->item_work;
    auto& names = party->oracle.orders.names;
    const bool is_there = std::count(names.begin(), names.end(), work.change.item) > 0;
    work.flying = false;
    if (note_common(value, nullptr)) {
        if (value.word() == "MISCONF") {  // It may be in the book after a restart.
            work.in_doubt = true;
        } else if (value.word() == "OOM") {
            if (is_there) {
                return party->fail("no room for " + work.change.item + ", which is there");
            }
            if (value.text == "OOM there is no room for more items") party->tally.add("items full");
            work.wanted = false;
        }
        return;
    }
    if (value.is_error()) return party->fail("ITEM: " + value.text);
    work.wanted = false;
    work.change.answered = ++party->tick;
    party->oracle.orders.changes.push_back(work.change);
    if (!is_there) names.push_back(work.change.item);
    party->tally.add(work.change.deletes ? "items deleted" : "items set");
}

}  // namespace sim
