// menu_parts.h - what the files of the menu share.
//
// A function that returns bool has said why when it returns false, and the choice is over.
#pragma once

#include "penny/menu.h"
#include "penny/table.h"

struct ChoiceRow;

struct Menu {
    Client* client;
    Options* options;
    const MenuChoices* choices;
    char role[name_size_max + 1];  // of who is signed in; empty for nobody
    bool person;  // at a terminal; else a script
    bool leaves;
};

inline constexpr uint32_t answer_size_max = 1024;  // bytes; far more than any word may have

struct Answer {
    char text[answer_size_max + 1];
};

// Asks for one thing of menu.def. An answer is empty where it was left out or not asked for.
bool menu_ask(const Menu& menu, const char* field, Answer& out);

// Asks for a yes.
bool menu_agrees(const char* question);

// Asks for a number, 1 to `most`.
bool menu_ask_number(const Menu& menu, const char* field, uint64_t most, uint64_t& out);

// What takes the place of a word of a command, instead of being asked for.
struct Given {
    const char* word;
    Slice text;
};

// Asks for what is not given, sends the command, and settles its outcome as far as it can be. On
// true the reply is there, and nothing of it is printed.
bool menu_send(Menu& menu, const char* command, const Given* given, uint32_t given_count,
               Reply& out);

// After a command or a message whose outcome is unknown: true when it shall be sent again.
bool menu_sends_again(const Client& client);

// Adds every map of a list to the table, as far as there is room.
void menu_fill(Table& table, const Reply& reply);

// Prints `name: value` of a reply, safely, between two texts. Returns false where there is none.
bool menu_print_value(const Reply& reply, const char* before, const char* name, const char* after);

// Prints how long the last answer took, once.
void menu_tell_round_trip(Client& client);

// The choices, one function each.
void menu_sign_in(Menu& menu, const ChoiceRow& row);
void menu_balance(Menu& menu, const ChoiceRow& row);
void menu_booking(Menu& menu, const ChoiceRow& row);
void menu_order(Menu& menu, const ChoiceRow& row);
void menu_orders(Menu& menu, const ChoiceRow& row);
void menu_statement(Menu& menu, const ChoiceRow& row);
void menu_messages(Menu& menu, const ChoiceRow& row);
void menu_text(Menu& menu, const ChoiceRow& row);
void menu_sensor(Menu& menu, const ChoiceRow& row);
void menu_reset(Menu& menu, const ChoiceRow& row);
void menu_print(Menu& menu, const ChoiceRow& row);
void menu_leave(Menu& menu, const ChoiceRow& row);

struct ChoiceRow {
    uint64_t number;
    const char* text;
    const char* command;
    void (*act)(Menu& menu, const ChoiceRow& row);
};

struct MenuChoices {
    const ChoiceRow* rows;
    uint32_t count;
    bool signs_in;
};
