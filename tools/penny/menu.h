// menu.h - penny --menu: the bank by numbers, for people who type no commands; and what there is on
// a channel of the laboratory, where nobody signs in.
//
//     connect ──► sign in ──► print the choices ──► a number ──► its questions ──► the answer
//                                                      ▲                              │
//                                                      └──── wrong, refused, lost ◄───┘
//
//   W1. A wrong line, a refusal, or a lost connection ends the choice and never the menu; each is
//       one sentence. The end of input where a number is awaited, and `exit`, end it with code 0.
//   W2. Nothing is sent before all questions of a choice are answered; an empty line leaves it.
//   W3. No id is typed, or shown but with an outcome that is unknown. Until that is settled the
//       same bytes with the same id are sent again, when the person wants it.
//   W4. What people wrote reaches the terminal as print.h lets it through.
//   W5. The password is kept while somebody is signed in, for a connection that is made again by
//       itself or reset (N7); signing in as somebody else, a refused login and the end wipe it.
//
// Where standard input is no terminal its lines are the answers, and no question is printed.
#pragma once

#include "penny/client.h"

enum class MenuDetail : uint8_t {
    choices,   // numbers and texts
    commands,  // and what each sends
};

// One menu: its choices, and whether people sign in to it.
struct MenuChoices;
extern const MenuChoices menu_bank;
extern const MenuChoices menu_lab;

// Prints the choices.
void menu_describe(const MenuChoices& choices, MenuDetail detail);

// Runs it to its end. What it returns is an exit code.
ExitCode menu_run(Client& client, Options& options, const MenuChoices& choices);
