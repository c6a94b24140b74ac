#include "ledger/orders.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr const char* state_names[] = {"", "open", "done", "cancelled"};
constexpr uint32_t state_count = sizeof state_names / sizeof state_names[0];

// Spreads numbers over the table's slots (Fibonacci hashing, Knuth vol. 3, 6.4).
uint64_t hash_of_number(uint64_t number) { return number * 0x9e3779b97f4a7c15; }

bool is_closed(OrderState state) {
    return state == OrderState::done || state == OrderState::cancelled;
}

void unlink(Orders& orders, const Order& order) {
    uint32_t& behind = order.older == pool_none ? orders.oldest
                                                : orders.pool.slots[order.older].newer;
    uint32_t& before = order.newer == pool_none ? orders.newest
                                                : orders.pool.slots[order.newer].older;
    behind = order.newer;
    before = order.older;
}

}  // namespace

const char* order_state_name(OrderState state) {
    CHECK(static_cast<uint32_t>(state) < state_count);
    return state_names[static_cast<uint32_t>(state)];
}

Status parse_order_state(Slice text, OrderState& out) {
    for (uint32_t i = 1; i < state_count; i++) {
        if (!slice_equal_text(text, state_names[i])) continue;
        out = static_cast<OrderState>(i);
        return Status::ok;
    }
    return Status::invalid;
}

bool item_values_equal(const ItemValues& a, const ItemValues& b) {
    return a.price == b.price && a.stock == b.stock && a.counted == b.counted &&
           a.listed == b.listed &&
           slice_equal(slice_of_chars(a.title.text, a.title.size),
                       slice_of_chars(b.title.text, b.title.size));
}

uint32_t stock_after_order(const ItemValues& item, uint32_t quantity) {
    if (!item.counted) return 0;
    CHECK(item.stock >= quantity);
    return item.stock - quantity;
}

uint32_t stock_after_cancel(const ItemValues& item, uint32_t quantity) {
    if (!item.counted) return 0;
    CHECK(item.stock <= stock_max);
    return quantity < stock_max - item.stock ? item.stock + quantity : stock_max;
}

void orders_layout(Orders& orders, Arena& arena, uint32_t limit) {
    pool_layout(orders.pool, arena, "orders", limit + orders_slack);
    table_layout(orders.by_number, arena, "  by number", limit + orders_slack);
    orders.saved = arena_array<Order>(arena, "  of a snapshot", limit);
}

void orders_init(Orders& orders, uint32_t limit) {
    pool_init(orders.pool);
    table_clear(orders.by_number);
    orders.limit = limit;
    orders.count_decided = 0;
    orders.oldest = pool_none;
    orders.newest = pool_none;
    orders.saved_count = 0;
}

uint32_t orders_find(const Orders& orders, uint64_t number) {
    TableCursor cursor = table_find(orders.by_number, hash_of_number(number));
    uint32_t slot = 0;
    while (table_next(orders.by_number, cursor, slot)) {
        if (orders.pool.slots[slot].number == number) return slot;
    }
    return pool_none;
}

Status orders_judge(const Orders& orders, uint32_t& evict) {
    evict = pool_none;
    if (orders.count_decided >= orders.limit) {
        evict = orders.oldest;
        while (evict != pool_none && !is_closed(orders.pool.slots[evict].decided)) {
            evict = orders.pool.slots[evict].newer;
        }
        if (evict == pool_none) return Status::oom;
    }
    if (pool_has_room(orders.pool)) return Status::ok;
    // Slots of orders that were pushed out come free when that is durable.
    return orders.pool.taken > orders.count_decided ? Status::pending : Status::oom;
}

uint32_t orders_oldest_closed(const Orders& orders) {
    uint32_t slot = orders.oldest;
    while (slot != pool_none && !is_closed(orders.pool.slots[slot].installed)) {
        slot = orders.pool.slots[slot].newer;
    }
    return slot;
}

void orders_open(Orders& orders, const Order& order) {
    const uint32_t slot = pool_take(orders.pool);
    CHECK(slot != pool_none);
    Order& row = orders.pool.slots[slot];
    row = order;
    row.older = orders.newest;
    row.newer = pool_none;
    if (orders.newest == pool_none) {
        orders.oldest = slot;
    } else {
        CHECK(orders.pool.slots[orders.newest].number < order.number);
        orders.pool.slots[orders.newest].newer = slot;
    }
    orders.newest = slot;
    if (order.decided != OrderState::none) orders.count_decided++;
    table_put(orders.by_number, hash_of_number(order.number), slot);
}

void orders_decide(Orders& orders, uint32_t slot, OrderState state) {
    Order& order = pool_at(orders.pool, slot);
    const bool was = order.decided != OrderState::none;
    const bool is = state != OrderState::none;
    order.decided = state;
    if (is && !was) orders.count_decided++;
    if (was && !is) orders.count_decided--;
}

void orders_undo(Orders& orders) {
    const uint32_t slot = orders.newest;
    CHECK(slot != pool_none && orders.pool.slots[slot].installed == OrderState::none);
    orders_decide(orders, slot, OrderState::none);
    orders_settle(orders, slot);
    orders.pool.takes--;  // It is asked for once, when it is booked (pool.h, L3).
}

void orders_settle(Orders& orders, uint32_t slot) {
    const Order& order = pool_at(orders.pool, slot);
    if (order.decided != OrderState::none || order.installed != OrderState::none) return;
    table_remove(orders.by_number, hash_of_number(order.number), slot);
    unlink(orders, order);
    pool_give(orders.pool, slot);
}

void orders_drop(Orders& orders) {
    for (uint32_t slot = orders.oldest; slot != pool_none;) {
        const uint32_t newer = orders.pool.slots[slot].newer;
        orders_decide(orders, slot, orders.pool.slots[slot].installed);
        orders_settle(orders, slot);
        slot = newer;
    }
}

void orders_save(Orders& orders) {
    orders.saved_count = 0;
    for (uint32_t slot = orders.oldest; slot != pool_none; slot = orders.pool.slots[slot].newer) {
        const Order& order = orders.pool.slots[slot];
        if (order.installed != OrderState::none) orders.saved[orders.saved_count++] = order;
    }
}
