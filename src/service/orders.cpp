// What people order of the shop: ORDER, ORDER DONE, CANCEL and ORDERS.

#include "base/check.h"
#include "service/handlers.h"

namespace {

constexpr uint32_t list_rows_max = 64;
constexpr uint32_t list_rows_default = 10;

ServiceNext refuse_quantity(ServiceCall& call) {
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, "a quantity is a number from 1 to ");
    put_decimal(*call.reply.out, quantity_max);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

bool is_option(Slice word) {
    return slice_equal_nocase(word, "FROM") || slice_equal_nocase(word, "PRICE");
}

// Reads [quantity] [FROM account] [PRICE price]. Returns absent after having refused.
Status take_options(const Service& service, ServiceCall& call, BookMove& move) {
    uint32_t i = 3;
    uint64_t quantity = 1;
    if (i < call_words(call) && !is_option(call_word(call, i))) {
        const Status status = parse_decimal(call_word(call, i), quantity);
        if (status != Status::ok || quantity == 0 || quantity > quantity_max) {
            refuse_quantity(call);
            return Status::absent;
        }
        i++;
    }
    move.quantity = static_cast<uint32_t>(quantity);
    for (; i < call_words(call); i += 2) {
        if (!is_option(call_word(call, i)) || i + 1 == call_words(call)) {
            refuse_syntax(call);
            return Status::absent;
        }
        const Slice word = call_word(call, i + 1);
        if (slice_equal_nocase(call_word(call, i), "PRICE")) {
            if (parse_amount(word, service.book->ledger.scale, move.price_asked) == Status::ok) {
                continue;
            }
            refuse_amount(service, call);
            return Status::absent;
        }
        if (parse_name(word, move.debit) == Status::ok) continue;
        refuse_no_account(call, word);
        return Status::absent;
    }
    return Status::ok;
}

// A till orders for anybody, everybody else from an account of his own.
bool may_pay_from(const Service& service, ServiceCall& call, const Name& account) {
    const Ledger& ledger = service.book->ledger;
    const uint32_t row = ledger_find_account(ledger, account);
    if (row == account_cash || row == account_shop) {
        refuse(call, Status::noperm, "this account belongs to the book itself");
        return false;
    }
    if (call_person(service, call).installed.role == Role::till) return true;
    if (row != row_none && ledger.accounts[row].owner == call.caller->person) return true;
    refuse(call, Status::noperm, "only the own account can pay");
    return false;
}

ServiceNext make_order(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::order;
    move.debit = own_account(service, call);
    if (take_id(call_word(call, 1), move.id) != Status::ok) return refuse_id(call);
    if (parse_name(call_word(call, 2), move.item) != Status::ok) {
        return refuse_no_item(call, Status::state, call_word(call, 2));
    }
    if (take_options(service, call, move) != Status::ok) return ServiceNext::replied;
    if (!may_pay_from(service, call, move.debit)) return ServiceNext::replied;
    return move_money(service, call, move);
}

// What CANCEL and ORDER DONE share: the id, and the number of the order, in words `at` and behind.
Status take_order(ServiceCall& call, uint32_t at, BookMove& move) {
    if (take_id(call_word(call, at), move.id) != Status::ok) {
        refuse_id(call);
        return Status::absent;
    }
    const Status status = parse_decimal(call_word(call, at + 1), move.order);
    if (status == Status::ok && move.order != 0) return Status::ok;
    refuse(call, Status::err, "an order is named by its number, such as 17");
    return Status::absent;
}

bool is_shopkeeper(const Service& service, const ServiceCall& call) {
    const Role role = call_person(service, call).installed.role;
    return role == Role::till || role == Role::treasurer;
}

// An order that is not known belongs to nobody, and who may not touch it learns only that.
bool may_cancel(const Service& service, const ServiceCall& call, uint64_t number) {
    const Ledger& ledger = service.book->ledger;
    if (is_shopkeeper(service, call)) return true;
    const uint32_t slot = orders_find(ledger.orders, number);
    if (slot == pool_none) return true;
    const Order& order = ledger.orders.pool.slots[slot];
    return ledger.accounts[order.account].owner == call.caller->person;
}

ServiceNext hand_over(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::order_done;
    if (call_words(call) != 4) return refuse_syntax(call);
    if (!is_shopkeeper(service, call)) {
        return refuse(call, Status::noperm, "an order is handed over by a till or a treasurer");
    }
    if (take_order(call, 2, move) != Status::ok) return ServiceNext::replied;
    return move_money(service, call, move);
}

// What ORDERS is asked for.
struct OrdersWanted {
    uint32_t account;  // row_none for any that the caller may see
    bool all;          // closed ones too
    bool others;       // the caller may see anybody's
    PageWords page;
};

// The account of the first word. Returns absent after having refused; who may not see others' is
// not told which of them exist.
Status find_account(const Service& service, ServiceCall& call, Slice word, OrdersWanted& out) {
    const Ledger& ledger = service.book->ledger;
    Name name;
    uint32_t row = row_none;
    if (parse_name(word, name) == Status::ok) row = ledger_find_account(ledger, name);
    const bool is_there = row != row_none && row < ledger.accounts_installed;
    const bool is_own = is_there && ledger.accounts[row].owner == call.caller->person;
    if (!is_own && !out.others) {
        refuse(call, Status::noperm, "this is somebody else's account");
        return Status::absent;
    }
    if (!is_there) {
        refuse_no_account(call, word);
        return Status::absent;
    }
    out.account = row;
    return Status::ok;
}

bool is_wanted(const Ledger& ledger, const ServiceCall& call, const OrdersWanted& wanted,
               const Order& order) {
    if (order.installed == OrderState::none || order.number >= wanted.page.before) return false;
    if (!wanted.all && order.installed != OrderState::open) return false;
    if (wanted.account != row_none) return order.account == wanted.account;
    return wanted.others || ledger.accounts[order.account].owner == call.caller->person;
}

void put_name_or_null(Reply& reply, const Name* name) {
    reply_bulk(reply, name == nullptr ? Slice{nullptr, 0} : name_slice(*name));
}

void put_order(const Ledger& ledger, Reply& reply, const Order& order) {
    const bool has_person = order.person != row_none;
    const bool has_terminal = order.terminal != row_none;
    reply_map(reply, 10);
    reply_bulk_text(reply, "order");
    reply_integer(reply, static_cast<int64_t>(order.number));
    reply_bulk_text(reply, "item");
    reply_bulk(reply, name_slice(ledger.items[order.item].name));
    reply_bulk_text(reply, "quantity");
    reply_integer(reply, order.quantity);
    reply_bulk_text(reply, "price");
    reply_minor_bulk(reply, order.price, ledger.scale);
    reply_bulk_text(reply, "amount");
    reply_minor_bulk(reply, order.price * order.quantity, ledger.scale);
    reply_bulk_text(reply, "account");
    reply_bulk(reply, name_slice(ledger.accounts[order.account].name));
    reply_bulk_text(reply, "person");
    put_name_or_null(reply, has_person ? &ledger.people[order.person].name : nullptr);
    reply_bulk_text(reply, "terminal");
    put_name_or_null(reply, has_terminal ? &ledger.terminals[order.terminal] : nullptr);
    reply_bulk_text(reply, "time");
    reply_bulk_begin(reply);
    put_utc(*reply.out, order.time_ms);
    reply_bulk_end(reply);
    reply_bulk_text(reply, "state");
    reply_bulk_text(reply, order_state_name(order.installed));
}

}  // namespace

ServiceNext command_order(Service& service, ServiceCall& call) {
    if (slice_equal_nocase(call_word(call, 1), "DONE")) return hand_over(service, call);
    return make_order(service, call);
}

ServiceNext command_cancel(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::cancel_order;
    if (take_order(call, 1, move) != Status::ok) return ServiceNext::replied;
    if (!may_cancel(service, call, move.order)) {
        return refuse(call, Status::noperm, "this is somebody else's order");
    }
    return move_money(service, call, move);
}

// ORDERS [account] [ALL] [COUNT n] [BEFORE order]: the newest first, a page at a time.
ServiceNext command_orders(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    const Orders& orders = ledger.orders;
    OrdersWanted wanted = {row_none, false, false, {{nullptr, 0}, list_rows_default, UINT64_MAX}};
    PageWords& page = wanted.page;
    wanted.others = role_is_in(roles_reader, call_person(service, call).installed.role);
    if (parse_page(call, page, &wanted.all) != Status::ok) return refuse_syntax(call);
    if (page.count == 0 || page.count > list_rows_max) {
        return refuse_page(call, list_rows_max, "order");
    }
    const bool is_named = page.account.size > 0;
    if (is_named && find_account(service, call, page.account, wanted) != Status::ok) {
        return ServiceNext::replied;
    }
    uint32_t found[list_rows_max];
    uint32_t count = 0;
    for (uint32_t slot = orders.newest; slot != pool_none && count < page.count;
         slot = orders.pool.slots[slot].older) {
        if (is_wanted(ledger, call, wanted, orders.pool.slots[slot])) found[count++] = slot;
    }
    reply_array(call.reply, count);
    for (uint32_t i = 0; i < count; i++) put_order(ledger, call.reply, orders.pool.slots[found[i]]);
    return ServiceNext::replied;
}

bool price_has_risen(const Ledger& ledger, const BookMove& move) {
    if (move.operation != Operation::order) return false;
    const uint32_t row = ledger_find_item(ledger, move.item);
    return row != row_none && ledger.items[row].decided.price > move.price_seen;
}

void put_order_refusal(const Ledger& ledger, const IdRecord& record, Writer& out) {
    const Slice item = record.item == row_none ? name_slice(record.missing)
                                               : name_slice(ledger.items[record.item].name);
    const bool is_of_item = record.operation == Operation::order;
    if (!is_of_item) {
        put_text(out, "order ");
        put_decimal(out, record.order);
    }
    switch (record.reason) {
        case OrderReason::no_item:
            put_text(out, "there is no item '");
            put_bytes(out, item);
            put_text(out, "'");
            return;
        case OrderReason::not_sold:
            put_bytes(out, item);
            put_text(out, " is no longer sold");
            return;
        case OrderReason::price:
            put_text(out, "the price of ");
            put_bytes(out, item);
            put_text(out, " is ");
            put_minor(out, record.asked.number, ledger.scale);
            put_text(out, " now");
            return;
        case OrderReason::stock:
            put_bytes(out, item);
            if (record.asked.number == 0) {
                put_text(out, " is sold out");
                return;
            }
            put_text(out, ": only ");
            put_decimal(out, static_cast<uint64_t>(record.asked.number));
            put_text(out, " left");
            return;
        case OrderReason::unknown:
            put_text(out, " is not known: there is none, or it was closed long ago");
            return;
        case OrderReason::done: put_text(out, " has been handed over"); return;
        case OrderReason::cancelled: put_text(out, " has been cancelled already"); return;
        case OrderReason::none: break;
    }
    CHECK(false);
}
