// oracle_orders.h - what an outsider knows of the shop: what it sells and who ordered what. The
// part of the oracle (oracle.h) that is about items and orders; it too shares no line with the
// server.
//
// An order is an entry whose place in the book is known. A change of an item was made at some
// moment between the question and the answer, before some of the orders and after others. So an
// item is several things at once until the orders, or a quiet point, tell which of them it was:
//
//      SET sent                      answered
//         │ ◄───── made in here ─────► │
//     ────┴──── order ──── order ──────┴────►   entries
//      old     old or new  ...            new
//
// A change that was sent and whose answer got lost is one that may have been made, or not.
//
//   I1. An order costs what its item cost at one of those moments, times its quantity, for good.
//   I2. No more is sold than there is; what is cancelled goes back.
//   I3. An order is handed over or cancelled once, while it is open.
//   I4. The table keeps so many orders. One more pushes out the oldest closed one, never an open
//       one.
//   I5. At a quiet point the lists are exactly what this comes to.
#pragma once

#include <stdint.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sim {

struct ItemFacts {
    bool exists = false;  // it was set once
    bool listed = false;
    int64_t price = 0;
    bool counted = false;
    uint32_t stock = 0;
    std::string title;

    bool operator==(const ItemFacts& other) const = default;
};

// One copy of an ITEM SET or ITEM DEL.
struct ItemChange {
    std::string item;
    bool deletes = false;
    int64_t price = 0;
    bool names_title = false;
    std::string title;
    bool names_stock = false;
    bool counted = false;
    uint32_t stock = 0;
    bool is_sure = true;    // it was answered OK
    uint64_t sent = 0;      // ticks
    uint64_t answered = 0;  // or when it could no longer be made
    uint64_t low = 0;       // its entry is above this one
    uint64_t high = 0;      // and not above this one
};

ItemFacts item_after(const ItemFacts& before, const ItemChange& change);

// One thing that an item may be.
struct ItemState {
    ItemFacts facts;
    size_t changes = 0;  // of the item that are behind it

    bool operator==(const ItemState& other) const = default;
};

struct OrderRow {
    std::string item;
    uint32_t quantity = 0;
    int64_t price = 0;
    std::string account;
    std::string person;
    std::string terminal;
    uint64_t time_ms = 0;
    std::string state = "open";  // at last: "open", "done", "cancelled"
    uint64_t ended = 0;          // entry; 0: open
    uint64_t evicted = 0;        // entry that pushed it out; 0: none
};

// A group that was not booked because of a price.
struct PriceRise {
    std::vector<std::string> items;
    uint64_t sent = 0;
    uint64_t answered = 0;
};

// Rows of ITEMS and ORDERS.
struct ItemSeen {
    std::string item;
    ItemFacts facts;
};
struct OrderSeen {
    uint64_t number = 0;
    OrderRow row;
    int64_t amount = 0;
};

struct OrdersOracle {
    // --- what it is told ---
    uint64_t limit = UINT64_MAX;        // orders in the table
    std::vector<ItemChange> changes;    // since the last quiet point, one after the other
    std::vector<std::string> names;     // in the order in which they were set first
    std::vector<PriceRise> rises;

    // --- what it says ---
    // All that an item may be after entry `at`.
    std::vector<ItemState> states_at(const std::string& item, uint64_t at) const;
    // The order as it is after entry `at`: nullptr when it is not in the table.
    const OrderRow* find(uint64_t number, uint64_t at) const;
    std::string state_at(uint64_t number, uint64_t at) const;
    // The closed order that one more order after entry `at` pushes out; 0 for none. Those in `gone`
    // are out already, those in `closed` closed, and `made` are in besides. Returns false when
    // there is no room at all.
    bool place_for_one(uint64_t at, const std::map<uint64_t, std::string>& closed,
                       const std::map<uint64_t, bool>& gone, uint64_t made,
                       uint64_t& evicted) const;

    // An entry of the book, judged fine: an order, with what its item was before, or the end of
    // one. The first returns false when there is no room.
    bool book_order(uint64_t entry, const OrderRow& row, const std::vector<ItemState>& before);
    void book_end(uint64_t entry, uint64_t number, const std::string& state);

    // The windows of all changes, by what was answered and asked.
    void place_changes(const std::function<uint64_t(uint64_t)>& low,
                       const std::function<uint64_t(uint64_t)>& high);

    // I5, and all that is certain from here on. Returns false with `why`.
    bool judge_lists(const std::vector<ItemSeen>& items, const std::vector<OrderSeen>& orders,
                     uint64_t head, std::string& why);
    bool judge_rises(std::string& why) const;

    // --- what it keeps ---
    struct ItemPoint {
        uint64_t entry;
        std::vector<ItemState> states;
    };
    std::map<std::string, std::vector<ItemPoint>> points;
    std::map<uint64_t, OrderRow> rows;
};

}  // namespace sim
