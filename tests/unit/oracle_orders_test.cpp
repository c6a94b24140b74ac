// What the simulator's oracle knows of items and orders: a right answer is taken, others are not.

#include <gtest/gtest.h>

#include <string>

#include "sim/oracle.h"

namespace {

using sim::ItemChange;
using sim::Move;

// A shop that has sold nothing yet; tea costs 1.50 and there are three of it.
struct Shop {
    sim::Oracle oracle;
    sim::Seen seen;
    uint64_t tick = 0;
    uint64_t time_ms = 0;
    int64_t shop = 0;
    int64_t alice = 0;

    Shop() {
        oracle.roles = {{"alice", "customer"}, {"bob", "customer"}, {"till", "till"}};
        oracle.open("shop", "", -sim::oracle_unbounded, sim::oracle_unbounded);
        oracle.open("alice", "alice", -100'000, sim::oracle_unbounded);
        oracle.orders.limit = 2;
        seen.has_shop = true;
        set("tea", 150, 3);
        seen.items = {item("tea", 150, 3)};
    }
    sim::ItemSeen item(const std::string& name, int64_t price, uint32_t stock) {
        return {name, {.exists = true, .listed = true, .price = price, .counted = true,
                       .stock = stock}};
    }
    ItemChange& set(const std::string& name, int64_t price, uint32_t stock) {
        ItemChange change = {.item = name, .price = price, .names_stock = true, .counted = true,
                             .stock = stock};
        change.sent = ++tick;
        change.answered = ++tick;
        seen.head++;
        seen.others_max++;
        if (oracle.orders.names.empty()) oracle.orders.names = {name};
        oracle.orders.changes.push_back(change);
        return oracle.orders.changes.back();
    }
    sim::Ask& ask(const std::string& person, const Move& move) {
        sim::Ask made = {.person = person, .terminal = "kiosk", .moves = {move}};
        made.moves[0].id = "id-" + std::to_string(tick);
        made.sent = ++tick;
        made.answered = ++tick;
        oracle.asks.push_back(made);
        return oracle.asks.back();
    }
    void line(const std::string& account, const std::string& operation, int64_t amount,
              int64_t balance, uint64_t order, uint32_t quantity) {
        auto& lines = seen.lines[account];
        lines.insert(lines.begin(),
                     {seen.head, time_ms, operation, amount, balance,
                      account == "shop" ? "alice" : "shop", 0, 0, "", order, "tea", quantity});
    }
    // Returns its number.
    uint64_t order(uint32_t quantity, int64_t price) {
        time_ms += 1000;
        alice -= price * quantity;
        shop += price * quantity;
        seen.head++;
        ask("alice", {.operation = "order", .debit = "alice", .item = "tea", .quantity = quantity})
            .booked = {{seen.head, alice, 0, "", seen.head, "tea", quantity, price}};
        line("alice", "order", -price * quantity, alice, seen.head, quantity);
        line("shop", "order", price * quantity, shop, seen.head, quantity);
        sim::OrderSeen row = {.number = seen.head,
                              .row = {.item = "tea", .quantity = quantity, .price = price,
                                      .account = "alice", .person = "alice", .terminal = "kiosk",
                                      .time_ms = time_ms}};
        row.amount = price * quantity;
        seen.orders.insert(seen.orders.begin(), row);
        return seen.head;
    }
    void cancel(uint64_t number, uint32_t quantity, int64_t price) {
        time_ms += 1000;
        alice += price * quantity;
        shop -= price * quantity;
        seen.head++;
        ask("alice", {.operation = "cancel", .order = number}).booked = {
            {seen.head, alice, 0, "", number, "tea", quantity, price}};
        line("alice", "cancel", price * quantity, alice, number, quantity);
        line("shop", "cancel", -price * quantity, shop, number, quantity);
        for (sim::OrderSeen& row : seen.orders) {
            if (row.number == number) row.row.state = "cancelled";
        }
    }
    void refuse(const std::string& person, const Move& move, const std::string& text) {
        ask(person, move).refusal = text;
        seen.head++;
        seen.refused++;
    }
    std::string judge() {
        const int64_t unbounded = sim::oracle_unbounded;
        seen.accounts = {{"shop", "", shop, 0, -unbounded, unbounded, false},
                         {"alice", "alice", alice, 0, -100'000, unbounded, false}};
        std::string why;
        return oracle.judge(seen, why) ? "right" : why;
    }
};

TEST(OracleOrders, TakesARightDayAtTheShop) {
    Shop shop;
    const uint64_t number = shop.order(2, 150);
    shop.cancel(number, 2, 150);
    shop.refuse("alice", {.operation = "cancel", .order = number},
                "STATE order " + std::to_string(number) + " has been cancelled already");
    shop.refuse("alice", {.operation = "order", .debit = "alice", .item = "tea", .quantity = 4},
                "STATE tea: only 3 left");
    shop.refuse("alice", {.operation = "order", .debit = "alice", .item = "tea", .price = 151},
                "STATE the price of tea is 1.50 now");
    EXPECT_EQ(shop.judge(), "right");
}

TEST(OracleOrders, WantsBackInStockWhatWasCancelled) {
    Shop shop;
    shop.cancel(shop.order(2, 150), 2, 150);
    shop.seen.items = {shop.item("tea", 150, 1)};
    EXPECT_EQ(shop.judge(), "ITEMS shows tea as 1.50, stock 1, '', not as 1.50, stock 3, ''");
}

TEST(OracleOrders, NoOrderCostsWhatItsItemNeverDid) {
    Shop shop;
    shop.order(1, 140);
    shop.seen.items = {shop.item("tea", 150, 2)};
    EXPECT_NE(shop.judge().find("its price was not 1.40"), std::string::npos);
}

TEST(OracleOrders, NoMoreIsSoldThanThereIs) {
    Shop shop;
    shop.order(4, 150);
    EXPECT_NE(shop.judge().find("only 3 left"), std::string::npos);
}

// Between the question and the answer the old price and the new one are right, in this order only.
TEST(OracleOrders, AChangeIsMadeAtSomeMomentUntilItsAnswer) {
    for (const bool new_first : {false, true}) {
        Shop shop;
        ItemChange& change = shop.set("tea", 200, 9);
        shop.order(1, new_first ? 200 : 150);
        shop.order(1, new_first ? 150 : 200);
        shop.oracle.orders.changes[1].answered = ++shop.tick;
        shop.seen.items = {shop.item("tea", 200, 8)};
        EXPECT_EQ(shop.judge() == "right", !new_first);
        (void)change;
    }
}

TEST(OracleOrders, AChangeWhoseAnswerGotLostMayHaveBeenMadeOrNot) {
    for (const uint32_t stock : {3u, 9u, 5u}) {
        Shop shop;
        shop.set("tea", 150, 9).is_sure = false;
        shop.seen.items = {shop.item("tea", 150, stock)};
        EXPECT_EQ(shop.judge() == "right", stock != 5);
    }
}

TEST(OracleOrders, TheTableLosesItsOldestClosedOrderOnly) {
    Shop shop;
    shop.order(1, 150);
    shop.cancel(shop.order(1, 150), 1, 150);
    shop.order(1, 150);
    shop.seen.items = {shop.item("tea", 150, 1)};
    sim::OrderSeen gone = shop.seen.orders[1];
    shop.seen.orders.erase(shop.seen.orders.begin() + 1);
    Shop wrong = shop;
    EXPECT_EQ(shop.judge(), "right");
    wrong.seen.orders[1] = gone;
    EXPECT_NE(wrong.judge().find("ORDERS shows order"), std::string::npos);
    Shop full;
    for (uint32_t i = 0; i < 3; i++) full.order(1, 150);
    EXPECT_NE(full.judge().find("as many as can be are open"), std::string::npos);
}

TEST(OracleOrders, AGroupIsKeptOffByAPriceOnlyWhereOneWasSet) {
    for (const uint64_t sent : {1u, 20u}) {
        Shop shop;
        shop.oracle.orders.rises = {{{"tea"}, sent, sent + 1}};
        EXPECT_EQ(shop.judge() == "right", sent == 1);
    }
}

TEST(OracleOrders, WhatChangesNothingHasNoEntryAndMayHaveBeenSaidBeforeTheNextOne) {
    sim::OrdersOracle orders;
    const sim::ItemFacts tea = {.exists = true, .listed = true, .price = 150, .counted = true,
                                .stock = 3};
    orders.points["tea"] = {{10, {{tea, 0}}}};
    ItemChange change = {.item = "tea", .price = 150, .names_stock = true, .counted = true,
                         .stock = 3};
    change.low = 10;
    change.high = 12;
    orders.changes = {change};
    EXPECT_EQ(orders.states_at("tea", 10).size(), 2u);
    orders.changes[0].stock = 5;
    EXPECT_EQ(orders.states_at("tea", 10).size(), 1u);
    EXPECT_EQ(orders.states_at("tea", 11).size(), 2u);
}

}  // namespace
