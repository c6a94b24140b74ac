// Items and orders: how they are judged, decided, installed and loaded (orders.h).

#include "base/check.h"
#include "ledger/rows.h"

namespace {

// Whether price times quantity is what one movement can be.
bool cost_fits(int64_t price, uint32_t quantity) {
    return quantity > 0 && price <= amount_minor_max / quantity;
}

const Order* order_decided(const Ledger& ledger, uint64_t number) {
    const uint32_t slot = orders_find(ledger.orders, number);
    if (slot == pool_none) return nullptr;
    const Order& order = ledger.orders.pool.slots[slot];
    return order.decided == OrderState::none ? nullptr : &order;
}

Status refuse(Refusal& refusal, OrderReason reason, int64_t number) {
    refusal.reason = reason;
    refusal.number = number;
    return Status::state;
}

// The two accounts, as of any movement.
Status judge_accounts(const Ledger& ledger, const Movement& movement) {
    if (movement.debit == row_none || movement.credit == row_none) return Status::noacct;
    const AccountValues& debit = ledger.accounts[movement.debit].decided;
    const AccountValues& credit = ledger.accounts[movement.credit].decided;
    if (debit.state == AccountState::closed) return Status::closed;
    if (credit.state == AccountState::closed) return Status::closed;
    if (!rows_fits_floor(debit, movement.amount)) return Status::funds;
    return rows_fits_ceiling(credit, movement.amount) ? Status::ok : Status::limit;
}

Status judge_new_order(const Ledger& ledger, const Movement& movement, Refusal& refusal) {
    const OrderPart& order = movement.order;
    if (order.item == row_none) return refuse(refusal, OrderReason::no_item, 0);
    const ItemValues& item = ledger.items[order.item].decided;
    if (!item.listed) return refuse(refusal, OrderReason::not_sold, 0);
    if (order.price_asked != 0 && order.price_asked != item.price) {
        return refuse(refusal, OrderReason::price, item.price);
    }
    if (!cost_fits(item.price, order.quantity)) return Status::amount;
    if (item.counted && item.stock < order.quantity) {
        return refuse(refusal, OrderReason::stock, item.stock);
    }
    const Status status = judge_accounts(ledger, movement);
    if (status != Status::ok) return status;
    uint32_t evict = pool_none;
    return orders_judge(ledger.orders, evict);
}

Status judge_end_of_order(const Ledger& ledger, const Movement& movement, Refusal& refusal) {
    const Order* order = order_decided(ledger, movement.order.order);
    if (order == nullptr) return refuse(refusal, OrderReason::unknown, 0);
    if (order->decided == OrderState::done) return refuse(refusal, OrderReason::done, 0);
    if (order->decided == OrderState::cancelled) return refuse(refusal, OrderReason::cancelled, 0);
    if (movement.operation == Operation::order_done) return Status::ok;
    return judge_accounts(ledger, movement);
}

Order order_of(const Entry& entry) {
    const OrderPart& part = entry.movement.order;
    return {.number = entry.seq,
            .time_ms = entry.time_ms,
            .price = part.price,
            .quantity = part.quantity,
            .item = part.item,
            .account = entry.movement.debit,
            .person = entry.person,
            .terminal = entry.terminal,
            .decided = OrderState::open,
            .installed = OrderState::none,
            .older = pool_none,
            .newer = pool_none};
}

OrderState state_after(Operation operation) {
    return operation == Operation::cancel_order ? OrderState::cancelled : OrderState::done;
}

// Keeps what the snapshot of this epoch must still show of an item that is about to change.
void save_item(Ledger& ledger, Item& item) {
    if (item.saved_epoch == ledger.epoch) return;
    item.saved = item.installed;
    item.saved_epoch = ledger.epoch;
}

// The item's stock behind the entry; as it is where the entry does not touch it.
uint32_t stock_after(const ItemValues& item, const MovementEntry& movement) {
    const uint32_t quantity = movement.order.quantity;
    switch (movement.operation) {
        case Operation::order: return stock_after_order(item, quantity);
        case Operation::cancel_order: return stock_after_cancel(item, quantity);
        case Operation::order_done: return item.stock;
        case Operation::deposit:
        case Operation::withdraw:
        case Operation::transfer:
        case Operation::hold:
        case Operation::capture:
        case Operation::cancel:
        case Operation::release:
        case Operation::reverse:
        case Operation::message: break;
    }
    CHECK(false);
    return 0;
}

// M4 for an order that is made.
Status new_order_fits(const Ledger& ledger, const Entry& entry, InstallMode mode) {
    const MovementEntry& movement = entry.movement;
    const OrderPart& part = movement.order;
    const Orders& orders = ledger.orders;
    if (part.item >= ledger.items_installed) return Status::damaged;
    // The table of orders keeps both, and names them.
    const bool has_terminal = entry.terminal != row_none;
    if (has_terminal && entry.terminal >= ledger.terminals_installed) return Status::damaged;
    const ItemValues& item = ledger.items[part.item].installed;
    if (!item.listed || part.price != item.price) return Status::damaged;
    if (part.price_asked != 0 && part.price_asked != part.price) return Status::damaged;
    if (item.counted && item.stock < part.quantity) return Status::damaged;
    if (movement.credit != account_shop) return Status::damaged;
    if (!cost_fits(part.price, part.quantity)) return Status::damaged;
    if (movement.amount != part.price * part.quantity) return Status::damaged;
    if (part.evicted != 0) {
        const uint32_t slot = orders_oldest_closed(orders);
        const bool fits = slot != pool_none && orders.pool.slots[slot].number == part.evicted;
        return fits ? Status::ok : Status::damaged;
    }
    const bool is_full = mode == InstallMode::replay && orders.count_decided >= orders.limit;
    return is_full ? Status::full : Status::ok;
}

// M4 for an order that ends.
bool end_of_order_fits(const Ledger& ledger, const MovementEntry& movement) {
    const OrderPart& part = movement.order;
    const uint32_t slot = orders_find(ledger.orders, part.order);
    if (slot == pool_none) return false;
    const Order& order = ledger.orders.pool.slots[slot];
    if (order.installed != OrderState::open) return false;
    if (order.item != part.item || order.quantity != part.quantity || order.price != part.price) {
        return false;
    }
    if (movement.operation == Operation::order_done) {
        return movement.debit == row_none && movement.credit == row_none &&
               movement.debit_after == 0 && movement.credit_after == 0 &&
               movement.debit_previous == 0 && movement.credit_previous == 0;
    }
    return movement.debit == account_shop && movement.credit == order.account &&
           movement.amount == order.price * order.quantity;
}

// What the rest of an id record may say, by its operation and status.
bool ordered_fits(const Ledger& ledger, const IdRecord& record, const IdRecord& rest) {
    const bool makes = record.operation == Operation::order;
    const bool is_ok = record.status == Status::ok;
    if ((rest.reason != OrderReason::none) != (record.status == Status::state)) return false;
    if (rest.item != row_none && rest.item >= ledger.items_installed) return false;
    if (rest.item == row_none && is_ok) return false;
    if (rest.asked.price < 0 || rest.asked.number < 0 || rest.quantity > quantity_max) return false;
    if (makes && rest.quantity == 0) return false;
    if (!makes && (rest.order == 0 || rest.asked.price != 0)) return false;
    if (makes && rest.order != (is_ok ? record.seq : 0)) return false;
    if (!is_ok) return true;
    if (rest.quantity == 0) return false;
    return record.amount % rest.quantity == 0;  // M8
}

}  // namespace

uint32_t ledger_find_item(const Ledger& ledger, const Name& name) {
    TableCursor cursor = table_find(ledger.items_by_name, rows_hash_of_name(ledger, name));
    uint32_t row = 0;
    while (table_next(ledger.items_by_name, cursor, row)) {
        if (name_equal(ledger.items[row].name, name)) return row;
    }
    return row_none;
}

void ledger_resolve_order(const Ledger& ledger, Movement& movement) {
    OrderPart& part = movement.order;
    movement.amount = 0;
    if (movement.operation == Operation::order) {
        if (part.item == row_none) return;
        part.price = ledger.items[part.item].decided.price;
        if (cost_fits(part.price, part.quantity)) movement.amount = part.price * part.quantity;
        return;
    }
    part.item = row_none;
    part.quantity = 0;
    part.price = 0;
    movement.debit = row_none;
    movement.credit = row_none;
    const Order* order = order_decided(ledger, part.order);
    if (order == nullptr || order->decided != OrderState::open) return;
    part.item = order->item;
    part.quantity = order->quantity;
    part.price = order->price;
    if (movement.operation == Operation::order_done) return;
    movement.debit = account_shop;
    movement.credit = order->account;
    movement.amount = order->price * order->quantity;
}

Status rows_judge_order(const Ledger& ledger, const Movement& movement, Refusal& refusal) {
    return movement.operation == Operation::order
               ? judge_new_order(ledger, movement, refusal)
               : judge_end_of_order(ledger, movement, refusal);
}

const char* rows_order_difference(const Ledger& ledger, const IdRecord& record,
                                  const Movement& movement) {
    const OrderPart& part = movement.order;
    if (movement.operation != Operation::order) {
        return record.order != part.order ? "order" : nullptr;
    }
    const bool had_item = record.item != row_none;
    if (had_item ? record.item != part.item : !name_equal(record.missing, movement.item_name)) {
        return "item";
    }
    if (record.quantity != part.quantity) return "quantity";
    if (record.asked.price != part.price_asked) return "price";
    if (record.debit != row_none) return record.debit != movement.debit ? "from" : nullptr;
    if (!had_item) return nullptr;  // Of two names that nobody had, the item's was kept.
    const Name& now = movement.debit == row_none ? movement.missing
                                                 : ledger.accounts[movement.debit].name;
    return name_equal(record.missing, now) ? nullptr : "from";
}

void rows_decide_order(Ledger& ledger, Entry& entry) {
    MovementEntry& movement = entry.movement;
    Orders& orders = ledger.orders;
    ItemValues& item = ledger.items[movement.order.item].decided;
    item.stock = stock_after(item, movement);
    if (movement.operation != Operation::order) {
        const uint32_t slot = orders_find(orders, movement.order.order);
        CHECK(pool_at(orders.pool, slot).decided == OrderState::open);
        orders_decide(orders, slot, state_after(movement.operation));
        return;
    }
    uint32_t evict = pool_none;
    const Status judged = orders_judge(orders, evict);
    CHECK(judged == Status::ok);
    if (evict != pool_none) {
        movement.order.evicted = orders.pool.slots[evict].number;
        orders_decide(orders, evict, OrderState::none);
    }
    orders_open(orders, order_of(entry));
}

OrderUndo rows_order_undo(const Ledger& ledger, const Movement& movement) {
    OrderUndo undo = {row_none, 0, pool_none, OrderState::none};
    if (!operation_is_of_order(movement.operation)) return undo;
    undo.item = movement.order.item;
    undo.stock = ledger.items[undo.item].decided.stock;
    if (movement.operation == Operation::order) {
        const Status judged = orders_judge(ledger.orders, undo.slot);
        CHECK(judged == Status::ok);
    } else {
        undo.slot = orders_find(ledger.orders, movement.order.order);
    }
    if (undo.slot != pool_none) undo.state = ledger.orders.pool.slots[undo.slot].decided;
    return undo;
}

void rows_take_back_order(Ledger& ledger, const Movement& movement, const OrderUndo& undo) {
    if (undo.item == row_none) return;
    if (movement.operation == Operation::order) orders_undo(ledger.orders);
    if (undo.slot != pool_none) orders_decide(ledger.orders, undo.slot, undo.state);
    ledger.items[undo.item].decided.stock = undo.stock;
}

Status rows_order_fits(const Ledger& ledger, const Entry& entry, InstallMode mode) {
    if (entry.movement.operation == Operation::order) return new_order_fits(ledger, entry, mode);
    return end_of_order_fits(ledger, entry.movement) ? Status::ok : Status::damaged;
}

void rows_install_order(Ledger& ledger, const Entry& entry, InstallMode mode) {
    const MovementEntry& movement = entry.movement;
    const bool replays = mode == InstallMode::replay;
    Orders& orders = ledger.orders;
    Item& item = ledger.items[movement.order.item];
    save_item(ledger, item);
    item.installed.stock = stock_after(item.installed, movement);
    if (replays) item.decided = item.installed;
    if (movement.operation != Operation::order) {
        const uint32_t slot = orders_find(orders, movement.order.order);
        pool_at(orders.pool, slot).installed = state_after(movement.operation);
        if (replays) orders_decide(orders, slot, state_after(movement.operation));
        return;
    }
    if (movement.order.evicted != 0) {
        const uint32_t slot = orders_find(orders, movement.order.evicted);
        pool_at(orders.pool, slot).installed = OrderState::none;
        if (replays) orders_decide(orders, slot, OrderState::none);
        orders_settle(orders, slot);
    }
    if (replays) orders_open(orders, order_of(entry));
    pool_at(orders.pool, orders_find(orders, entry.seq)).installed = OrderState::open;
}

bool rows_order_refusal_fits(const Ledger& ledger, const MovementEntry& movement) {
    const OrderPart& part = movement.order;
    const bool makes = movement.operation == Operation::order;
    const bool names_item = movement.missing.size > 0;
    if (part.item != row_none && part.item >= ledger.items_installed) return false;
    switch (part.reason) {
        case OrderReason::none: return !makes || part.item != row_none || names_item;
        case OrderReason::no_item:
            return makes && part.item == row_none && names_item;
        case OrderReason::not_sold:
        case OrderReason::price:
        case OrderReason::stock: return makes && part.item != row_none;
        case OrderReason::unknown:
        case OrderReason::done:
        case OrderReason::cancelled: return !makes;  // By one before it in its group, perhaps.
    }
    return false;
}

// --- Items ----------------------------------------------------------------------------------

ItemValues rows_item_values(const ItemEntry& entry) {
    return {.price = entry.price,
            .stock = entry.stock,
            .counted = entry.counted,
            .listed = entry.operation == ItemOperation::set,
            .title = entry.title};
}

void rows_put_item(Ledger& ledger, uint32_t row, const Name& name) {
    CHECK(row < ledger.limits.items);
    Item& item = ledger.items[row];
    item = {};
    item.name = name;
    table_put(ledger.items_by_name, rows_hash_of_name(ledger, name), row);
    ledger.items_decided = row + 1;
}

Status ledger_judge_item(const Ledger& ledger, const Name& name) {
    if (ledger_find_item(ledger, name) != row_none) return Status::ok;
    if (name_is_reserved(name)) return Status::err;
    return ledger.items_decided < ledger.limits.items ? Status::ok : Status::oom;
}

void ledger_set_item(Ledger& ledger, uint32_t asked_by, uint32_t terminal, const Name& name,
                     const ItemValues& values, const LogStamp& stamp, Entry& out) {
    uint32_t row = ledger_find_item(ledger, name);
    CHECK(values.price > 0 && (values.counted || values.stock == 0));
    if (row == row_none) {
        CHECK(values.listed);
        row = ledger.items_decided;
        rows_put_item(ledger, row, name);
    }
    out = rows_entry(EntryKind::item, asked_by, terminal, stamp);
    out.item = {.item = row,
                .stock = values.stock,
                .price = values.price,
                .operation = values.listed ? ItemOperation::set : ItemOperation::del,
                .counted = values.counted,
                .name = name,
                .title = values.title};
    ledger.items[row].decided = values;
}

Status rows_install_item(Ledger& ledger, const ItemEntry& entry, InstallMode mode) {
    const ItemValues values = rows_item_values(entry);
    const bool is_new = entry.item == ledger.items_installed;
    if (entry.item > ledger.items_installed) return Status::damaged;
    if (is_new && !values.listed) return Status::damaged;
    if (is_new && mode == InstallMode::replay) {
        if (entry.item >= ledger.limits.items) return Status::full;
        if (ledger_find_item(ledger, entry.name) != row_none) return Status::damaged;
        rows_put_item(ledger, entry.item, entry.name);
    }
    Item& item = ledger.items[entry.item];
    if (!name_equal(item.name, entry.name)) return Status::damaged;
    if (!values.listed) {  // What is deleted is as it was.
        ItemValues before = item.installed;
        if (!before.listed) return Status::damaged;
        before.listed = false;
        if (!item_values_equal(before, values)) return Status::damaged;
    }
    if (is_new) {
        ledger.items_installed++;
    } else {
        save_item(ledger, item);
    }
    item.installed = values;
    if (mode == InstallMode::replay) item.decided = values;
    return Status::ok;
}

void rows_drop_orders(Ledger& ledger) {
    for (uint32_t row = ledger.items_installed; row < ledger.items_decided; row++) {
        const uint64_t hash = rows_hash_of_name(ledger, ledger.items[row].name);
        table_remove(ledger.items_by_name, hash, row);
    }
    ledger.items_decided = ledger.items_installed;
    for (uint32_t row = 0; row < ledger.items_installed; row++) {
        ledger.items[row].decided = ledger.items[row].installed;
    }
    orders_drop(ledger.orders);
}

// --- Rows of a checkpoint ---------------------------------------------------------------------

Status ledger_load_item(Ledger& ledger, const Name& name, const ItemValues& values) {
    const uint32_t row = ledger.items_installed;
    if (row >= ledger.limits.items) return Status::full;
    if (ledger_find_item(ledger, name) != row_none) return Status::damaged;
    if (values.price <= 0 || values.price > amount_minor_max) return Status::damaged;
    if (values.stock > stock_max || (!values.counted && values.stock != 0)) return Status::damaged;
    rows_put_item(ledger, row, name);
    ledger.items[row].installed = values;
    ledger.items[row].decided = values;
    ledger.items_installed++;
    return Status::ok;
}

Status ledger_load_order(Ledger& ledger, const Order& order) {
    Orders& orders = ledger.orders;
    // By number, and no number that no entry has.
    if (order.number <= ledger.order_loaded || order.number > ledger.reversals.head) {
        return Status::damaged;
    }
    if (order.item >= ledger.items_installed) return Status::damaged;
    if (order.price <= 0 || !cost_fits(order.price, order.quantity)) return Status::damaged;
    if (order.quantity > quantity_max) return Status::damaged;
    if (orders.count_decided >= orders.limit) return Status::full;
    ledger.order_loaded = order.number;
    orders_open(orders, order);
    orders.saved[orders.saved_count++] = order;
    return Status::ok;
}

Status ledger_load_ordered(Ledger& ledger, uint64_t seq, const IdRecord& rest) {
    Ids& ids = ledger.ids;
    uint64_t number = ids_first(ids);
    if (number < ledger.ordered_loaded) number = ledger.ordered_loaded;
    while (number < ids.head && ids_at(ids, number).seq < seq) {
        if (operation_is_of_order(ids_at(ids, number).operation)) return Status::damaged;
        number++;
    }
    // A ring that has become smaller has let go of the oldest ones.
    const bool is_gone = number == ids_first(ids) && number > 0 && ledger.ordered_loaded == 0;
    if (number == ids.head || ids_at(ids, number).seq != seq) {
        return is_gone ? Status::absent : Status::damaged;
    }
    IdRecord& record = ids.records[number % ids.capacity];
    if (!operation_is_of_order(record.operation)) return Status::damaged;
    if (!ordered_fits(ledger, record, rest)) return Status::damaged;
    record.asked = rest.asked;
    record.reason = rest.reason;
    record.item = rest.item;
    record.quantity = rest.quantity;
    record.order = rest.order;
    ledger.ordered_loaded = number + 1;
    return Status::ok;
}
