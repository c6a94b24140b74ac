// menu_bank.cpp - the choices of the menu that are about money, orders and the server's house.

#include <stdio.h>

#include "base/text.h"
#include "penny/menu_parts.h"

namespace {

Table table;

// --- What things cost ---

uint32_t scale_of(Slice amount) {
    for (uint32_t i = 0; i < amount.size; i++) {
        if (amount.data[i] == '.') return amount.size - i - 1;
    }
    return 0;
}

// Price times quantity. Returns amount where there is no such sum.
Status total_of(Slice price, uint64_t quantity, Writer& out) {
    const uint32_t scale = scale_of(price);
    int64_t minor = 0;
    if (parse_amount(price, scale, minor) != Status::ok) return Status::amount;
    if (quantity > static_cast<uint64_t>(amount_minor_max / minor)) return Status::amount;
    put_minor(out, minor * static_cast<int64_t>(quantity), scale);
    return Status::ok;
}

// --- Orders ---

enum ItemColumn : uint32_t { item_name, item_title, item_price, item_stock };
constexpr Column item_columns[] = {
    {"item", "item", Align::left},
    {"title", "", Align::left},
    {"price", "price", Align::right},
    {"stock", "left", Align::right},
};

// Asks page by page. Returns false where the server refused.
bool list_items(Menu& menu) {
    table_init(table, item_columns, 4);
    Slice after = {nullptr, 0};
    for (uint32_t page = 0; page < table_rows_max; page++) {
        const Given given[] = {{"name", after}};
        Reply reply = {};
        if (!menu_send(menu, "ITEMS AFTER name", given, 1, reply)) return false;
        const uint32_t before = table.row_count;
        menu_fill(table, reply);
        if (table.row_count == before) return true;
        after = table_cell(table, table.row_count - 1, item_name);
    }
    return true;
}

void print_slice(Slice text) { fwrite(text.data, 1, text.size, stdout); }

// Shows what it comes to. Returns false where it comes to nothing that can be paid.
bool show_total(uint32_t row, uint64_t quantity, Writer& total) {
    const Slice price = table_cell(table, row, item_price);
    if (total_of(price, quantity, total) != Status::ok) {
        say("that is more than can be paid; nothing was sent");
        return false;
    }
    printf("%llu x ", static_cast<unsigned long long>(quantity));
    print_slice(table_cell(table, row, item_name));
    printf(" at ");
    print_slice(price);
    printf(" is ");
    print_slice(writer_slice(total));
    printf(".\n");
    return true;
}

constexpr Column order_columns[] = {
    {"order", "", Align::hidden},       {"time", "time (UTC)", Align::moment},
    {"item", "item", Align::left},      {"quantity", "quantity", Align::right},
    {"amount", "amount", Align::right}, {"account", "account", Align::left},
    {"state", "", Align::left},
};

// --- The statement ---

constexpr Column statement_columns[] = {
    {"entry", "entry", Align::right},     {"time", "time (UTC)", Align::moment},
    {"operation", "what", Align::left},   {"amount", "amount", Align::right},
    {"balance", "balance", Align::right}, {"account", "with", Align::left},
    {"item", "item", Align::left},        {"quantity", "quantity", Align::right},
    {"memo", "what for", Align::left},
};

}  // namespace

void menu_balance(Menu& menu, const ChoiceRow& row) {
    Reply reply = {};
    if (!menu_send(menu, row.command, nullptr, 0, reply)) return;
    printf("The balance is ");
    print_part(stdout, reply.values[0]);
    puts(".");
}

void menu_booking(Menu& menu, const ChoiceRow& row) {
    Reply reply = {};
    if (!menu_send(menu, row.command, nullptr, 0, reply)) return;
    menu_print_value(reply, "Booked as entry ", "entry", ".\n");
    menu_print_value(reply, "The balance is ", "balance", ".\n");
}

void menu_order(Menu& menu, const ChoiceRow& row) {
    uint64_t picked = 0;
    uint64_t quantity = 0;
    Answer account;
    if (!list_items(menu)) return;
    if (table.row_count == 0) {
        puts("There is nothing to order.");
        return;
    }
    table_print(table, Numbered::yes);
    menu_tell_round_trip(*menu.client);
    if (!menu_ask_number(menu, "item", table.row_count, picked)) return;
    if (!menu_ask_number(menu, "quantity", UINT32_MAX, quantity)) return;
    const uint32_t item = static_cast<uint32_t>(picked - 1);
    uint8_t total_bytes[32];
    Writer total = writer_of(total_bytes, sizeof total_bytes);
    if (!show_total(item, quantity, total)) return;
    if (!menu_ask(menu, "account", account)) return;
    if (!menu_agrees("Order it? (y, or empty for the menu): ")) return;
    uint8_t bytes[24];
    Writer number = writer_of(bytes, sizeof bytes);
    put_decimal(number, quantity);
    const Given given[] = {{"item", table_cell(table, item, item_name)},
                           {"quantity", writer_slice(number)},
                           {"account", slice_of(account.text)},
                           {"price", table_cell(table, item, item_price)}};
    Reply reply = {};
    if (!menu_send(menu, row.command, given, 4, reply)) return;
    printf("Ordered for ");
    print_slice(writer_slice(total));
    puts(".");
    menu_print_value(reply, "The balance is ", "balance", ".\n");
}

void menu_orders(Menu& menu, const ChoiceRow& row) {
    Reply reply = {};
    uint64_t picked = 0;
    if (!menu_send(menu, "ORDERS whose", nullptr, 0, reply)) return;
    table_init(table, order_columns, 7);
    menu_fill(table, reply);
    if (table.row_count == 0) {
        puts("No order is open.");
        return;
    }
    table_print(table, Numbered::yes);
    menu_tell_round_trip(*menu.client);
    if (!menu_ask_number(menu, "order", table.row_count, picked)) return;
    const Given given[] = {{"order", table_cell(table, static_cast<uint32_t>(picked - 1), 0)}};
    if (!menu_send(menu, row.command, given, 1, reply)) return;
    puts("The order is cancelled.");
    menu_print_value(reply, "The balance is ", "balance", ".\n");
}

void menu_statement(Menu& menu, const ChoiceRow& row) {
    Reply reply = {};
    if (!menu_send(menu, row.command, nullptr, 0, reply)) return;
    table_init(table, statement_columns, 9);
    menu_fill(table, reply);
    if (table.row_count == 0) {
        puts("Nothing was booked yet.");
    } else {
        table_print(table, Numbered::no);
    }
}

void menu_text(Menu& menu, const ChoiceRow& row) {
    Reply reply = {};
    if (!menu_send(menu, row.command, nullptr, 0, reply)) return;
    print_part(stdout, reply.values[0]);
    puts("");
}

void menu_sensor(Menu& menu, const ChoiceRow& row) {
    Reply reply = {};
    if (!menu_send(menu, row.command, nullptr, 0, reply)) return;
    const bool told = menu_print_value(reply, "", "temperature", "");
    if (told) menu_print_value(reply, " degrees ", "unit", "");
    if (told) menu_print_value(reply, " (", "source", ")");
    puts(told ? "." : "The server's answer has no temperature.");
}
