// The auditor's look at the shop: ITEMS, and ORDERS page by page.

#include <stdlib.h>

#include "sim/players.h"

namespace sim {

namespace {

using std::string;

constexpr size_t page_rows = 7;  // few, so that there are several pages

uint64_t number_of(const Value* value) {
    return value == nullptr ? 0 : strtoull(value->text.c_str(), nullptr, 10);
}

string text_of(const Value* value) { return value == nullptr ? "" : value->text; }

bool take_item(const Value& row, ItemSeen& out) {
    const Value* stock = resp_field(row, "stock");
    const Value* price = resp_field(row, "price");
    out.item = text_of(resp_field(row, "item"));
    out.facts.exists = true;
    out.facts.listed = true;
    out.facts.title = text_of(resp_field(row, "title"));
    if (stock == nullptr || price == nullptr) return false;
    out.facts.counted = stock->type != '_';
    if (out.facts.counted) out.facts.stock = static_cast<uint32_t>(number_of(stock));
    return oracle_minor(price->text, out.facts.price);
}

bool take_order(const Value& value, OrderSeen& out) {
    out.number = number_of(resp_field(value, "order"));
    out.row.item = text_of(resp_field(value, "item"));
    out.row.quantity = static_cast<uint32_t>(number_of(resp_field(value, "quantity")));
    out.row.account = text_of(resp_field(value, "account"));
    out.row.person = text_of(resp_field(value, "person"));
    out.row.terminal = text_of(resp_field(value, "terminal"));
    out.row.state = text_of(resp_field(value, "state"));
    return out.number != 0 && oracle_minor(text_of(resp_field(value, "price")), out.row.price) &&
           oracle_minor(text_of(resp_field(value, "amount")), out.amount) &&
           audit_time(text_of(resp_field(value, "time")), out.row.time_ms);
}

void take_items(Party& party, const Value& value) {
    for (const Value& row : value.items) {
        ItemSeen item;
        if (!take_item(row, item)) return party.fail("ITEMS has a strange row");
        party.audit.seen.items.push_back(item);
    }
    party.audit.has_items = true;
}

void take_orders(Party& party, const Value& value) {
    for (const Value& row : value.items) {
        OrderSeen order;
        if (!take_order(row, order)) return party.fail("ORDERS has a strange row");
        party.audit.seen.orders.push_back(order);
    }
    party.tally.add("pages of orders");
    party.audit.has_orders = value.items.size() < page_rows;
    party.audit.seen.has_shop = party.audit.has_orders;
}

}  // namespace

bool audit_shop(Party& party) {
    Audit& audit = party.audit;
    Player& player = *party.auditor;
    const auto ask = [&](const Words& words, void (*take)(Party&, const Value&)) {
        player.say(words, [&party, &player, take](const Value& value, const string&) {
            if (player.note_common(value, nullptr)) return;
            if (value.is_error()) return party.fail("the auditor was told: " + value.text);
            take(party, value);
        });
    };
    if (!audit.has_items) {
        ask({"ITEMS"}, take_items);
        return true;
    }
    if (audit.has_orders) return false;
    Words words = {"ORDERS", "ALL", "COUNT", std::to_string(page_rows)};
    if (!audit.seen.orders.empty()) {
        words.insert(words.end(), {"BEFORE", std::to_string(audit.seen.orders.back().number)});
    }
    ask(words, take_orders);
    return true;
}

}  // namespace sim
