// orders.h - what the shop sells, and what was ordered: open orders and the newest closed ones.
//
// The number of an order is the sequence of its entry and is never used again (P10). Like holds, an
// order has a state in two views, as decided and as installed; `none` says that the view has no
// such order. The table is bounded. When it is full, a new order pushes out the oldest closed one,
// and the entry of the new one says which (P4): what is in the table follows from the journal
// alone, whatever the bound was. Open orders are never pushed out.
//
//                 ORDER            ORDER DONE              a later ORDER
//         none ──────────► open ──┬──────────► done ──────┬──────────────► none
//                                 └──────────► cancelled ─┘
//                                    CANCEL
//
//     oldest                              newest     rows in the order of numbers, a list through
//       │  open ◄─► done ◄─► open ◄─► open  │        slots; a slot is free again when both views
//       └───────────────────────────────────┘        say none
//
//   B1. An order has the price it was made at, whatever the item costs later.
//   B2. Slots, and so their order, never show in a digest: tables list orders by number (P4).
//   B3. A count of stock is never below zero nor above stock_max. What is cancelled goes back into
//       the stock of an item whose stock is counted then.
//   B4. An item keeps its row and its name for good; one that is deleted is no longer listed, and
//       is listed again when it is set again.
#pragma once

#include "base/pool.h"
#include "base/table.h"
#include "ledger/entry.h"

// More slots than the bound, for orders that are pushed out by entries which are not durable yet.
inline constexpr uint32_t orders_slack = 256;

enum class OrderState : uint8_t { none, open, done, cancelled };

// The state's name for people and in tables: "open", "done", "cancelled".
const char* order_state_name(OrderState state);
Status parse_order_state(Slice text, OrderState& out);

struct Order {
    uint64_t number;
    uint64_t time_ms;
    int64_t price;       // of one, minor units (B1)
    uint32_t quantity;
    uint32_t item;
    uint32_t account;    // that paid
    uint32_t person;     // who asked
    uint32_t terminal;   // row_none for none
    OrderState decided;
    OrderState installed;
    uint32_t older;      // slots; pool_none at the ends
    uint32_t newer;
};

struct Orders {
    Pool<Order> pool;
    Table by_number;
    uint32_t limit;          // orders in the table, as decided
    uint32_t count_decided;
    uint32_t oldest;         // slots; pool_none in an empty table
    uint32_t newest;
    Order* saved;            // what the newest snapshot shows, by number
    uint32_t saved_count;
};

struct ItemValues {
    int64_t price;   // of one, minor units; > 0
    uint32_t stock;  // 0 where it is not counted
    bool counted;
    bool listed;     // false once deleted
    Title title;     // for people to read; size 0 for none
};

struct Item {
    Name name;
    uint32_t saved_epoch;  // when equal to Ledger.epoch, `saved` is what the snapshot shows
    ItemValues installed;
    ItemValues decided;
    ItemValues saved;
};

bool item_values_equal(const ItemValues& a, const ItemValues& b);

// The stock after so many were ordered, or given back (B3). There are that many.
uint32_t stock_after_order(const ItemValues& item, uint32_t quantity);
uint32_t stock_after_cancel(const ItemValues& item, uint32_t quantity);

void orders_layout(Orders& orders, Arena& arena, uint32_t limit);
void orders_init(Orders& orders, uint32_t limit);

// The slot of an order that either view has, or pool_none.
uint32_t orders_find(const Orders& orders, uint64_t number);

// Says whether one more can be made: ok; pending when that takes the next commit; oom when all are
// open. With ok, `evict` is the slot of the closed one that it pushes out, or pool_none.
Status orders_judge(const Orders& orders, uint32_t& evict);

// The oldest order that is closed as installed; pool_none for none.
uint32_t orders_oldest_closed(const Orders& orders);

// Takes a slot for an order whose views the caller has set and whose number is the newest. There is
// a slot.
void orders_open(Orders& orders, const Order& order);

// Changes the decided view of an order, to none when it is pushed out, or back.
void orders_decide(Orders& orders, uint32_t slot, OrderState state);

// Takes back the newest order that was decided and not installed.
void orders_undo(Orders& orders);

// Gives the slot back when neither view has the order any more.
void orders_settle(Orders& orders, uint32_t slot);

// Lets the decided view fall back to the installed one.
void orders_drop(Orders& orders);

// Copies the installed orders into `saved`, ordered by number.
void orders_save(Orders& orders);
