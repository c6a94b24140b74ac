#include "penny/menu.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "penny/login.h"
#include "penny/menu_parts.h"
#include "penny/prompt.h"

namespace {

#define CHOICE(number, act, text, command) {number, text, command, menu_##act},
#define FIELD(word, asked, question)
constexpr ChoiceRow bank_rows[] = {
#include "penny/menu.def"
};
constexpr ChoiceRow lab_rows[] = {
#include "penny/lab_menu.def"
};
#undef FIELD
#undef CHOICE

void refuse_choice(const MenuChoices& choices) {
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    uint64_t printing = 0;
    for (uint32_t i = 0; i < choices.count; i++) {
        const ChoiceRow& row = choices.rows[i];
        if (row.number < least) least = row.number;
        if (row.number > most) most = row.number;
        if (row.act == menu_print) printing = row.number;
    }
    say("a choice is a number from %u to %u; %u prints what they are",
        static_cast<unsigned>(least), static_cast<unsigned>(most),
        static_cast<unsigned>(printing));
}

const ChoiceRow* find_choice(const MenuChoices& choices, uint64_t number) {
    for (uint32_t i = 0; i < choices.count; i++) {
        if (choices.rows[i].number == number) return &choices.rows[i];
    }
    return nullptr;
}

void tell_connected(const Connection& connection) {
    printf("Connected from %s to %s; the key exchange took %.3f ms.\n", connection.own_end,
           connection.peer_end, static_cast<double>(connection.handshake_us) / 1000.0);
    fflush(stdout);
}

constexpr uint32_t fresh_tries_max = 3;

// Whose password is a first one is let do nothing before it is another: so that comes at once.
void change_first(Menu& menu) {
    Client& client = *menu.client;
    puts("This is a first password: nothing else can be done until it is changed.");
    fflush(stdout);
    for (uint32_t i = 0; i < fresh_tries_max && prompt_has_person(); i++) {
        Password fresh = {};
        Reply reply = {};
        Outcome outcome = Outcome::misused;
        if (prompt_fresh(fresh) == exit_go_on) {
            Password old = client.login.password;
            const Slice words[] = {slice_of("PASSWD"), {old.bytes, old.size},
                                   {fresh.bytes, fresh.size}};
            outcome = client_ask(client, words, 3, reply);
            wipe(&old, sizeof old);
        }
        wipe(&fresh, sizeof fresh);
        if (outcome == Outcome::reply) {
            puts("The password is changed.");
            return;
        }
        if (outcome == Outcome::none) break;
    }
    say("the password was not changed; sign in again to do it");
}

// What the person may do decides the server; the role says only what is worth asking for.
void greet(Menu& menu) {
    Client& client = *menu.client;
    menu.role[0] = '\0';
    if (client.login.user_size == 0) return;
    const Slice words[] = {slice_of("WHOAMI")};
    Reply reply = {};
    if (client_ask(client, words, 1, reply) != Outcome::reply) return;
    const Value* role = reply_find(reply, "role");
    if (role != nullptr && role->text.size < sizeof menu.role) {
        memcpy(menu.role, role->text.data, role->text.size);
        menu.role[role->text.size] = '\0';
    }
    const bool named = menu_print_value(reply, "Signed in as ", "person", "");
    if (named) menu_print_value(reply, ", ", "role", "");
    if (named) menu_print_value(reply, ", at the terminal ", "terminal", "");
    if (named) puts(".");
    const Value* password = reply_find(reply, "password");
    const bool is_first = password != nullptr && slice_equal_text(password->text, "first");
    if (is_first) change_first(menu);
}

// Signs in who the options or the answers name. Returns false where that failed.
bool sign_in(Menu& menu) {
    Client& client = *menu.client;
    Login login = {};
    bool fine = login_find(*menu.options, client, login) == exit_go_on;
    menu.options->user = nullptr;  // Another time it is asked for.
    const bool named = login.user_size > 0;
    if (fine && named) fine = client_sign_in(client, login) == Outcome::reply;
    if (fine && !named) fine = client_connect(client) == Outcome::reply;
    wipe(&login, sizeof login);
    if (client.login.user_size == 0) menu.role[0] = '\0';
    if (fine) greet(menu);
    return fine;
}

// Returns false when it is over.
bool run_choice(Menu& menu) {
    Answer answer;
    if (menu.person) puts("");
    const Status status = prompt_answer("Your choice: ", answer.text, sizeof answer.text);
    if (status == Status::end) return false;
    uint32_t size = status == Status::ok ? slice_of(answer.text).size : 0;
    while (size > 0 && answer.text[size - 1] == ' ') size--;
    const Slice word = {reinterpret_cast<const uint8_t*>(answer.text), size};
    if (slice_equal_text(word, "exit")) return false;
    uint64_t number = 0;
    const bool is_number = parse_decimal(word, number) == Status::ok;
    const ChoiceRow* row = is_number ? find_choice(*menu.choices, number) : nullptr;
    if (row == nullptr) {
        refuse_choice(*menu.choices);
        return true;
    }
    row->act(menu, *row);
    menu_tell_round_trip(*menu.client);
    return !menu.leaves;
}

}  // namespace

constexpr MenuChoices menu_bank = {bank_rows, sizeof bank_rows / sizeof bank_rows[0], true};
constexpr MenuChoices menu_lab = {lab_rows, sizeof lab_rows / sizeof lab_rows[0], false};

void menu_describe(const MenuChoices& choices, MenuDetail detail) {
    for (uint32_t i = 0; i < choices.count; i++) {
        const ChoiceRow& row = choices.rows[i];
        if (detail == MenuDetail::choices) {
            printf("%4u  %s\n", static_cast<unsigned>(row.number), row.text);
        } else {
            printf("%6u  %-30s %s\n", static_cast<unsigned>(row.number), row.text, row.command);
        }
    }
}

ExitCode menu_run(Client& client, Options& options, const MenuChoices& choices) {
    static Menu menu;
    menu = {};
    menu.client = &client;
    menu.options = &options;
    menu.choices = &choices;
    menu.person = isatty(STDIN_FILENO) != 0;
    client.style = Style::people;
    client.errors = stdout;
    client.hides_ids = true;
    client.tell_connected = tell_connected;
    if (client_connect(client) != Outcome::reply) return exit_refused;
    const bool asked = choices.signs_in && (options.user != nullptr || menu.person);
    const bool fine = !asked || sign_in(menu);
    menu_tell_round_trip(client);
    if (!fine && !menu.person) return exit_refused;
    if (!menu.person) prompt_from_input();
    if (menu.person) menu_describe(choices, MenuDetail::choices);
    while (run_choice(menu)) {
    }
    return exit_done;
}

void menu_sign_in(Menu& menu, const ChoiceRow&) { (void)sign_in(menu); }

// The session before this one ends in order, so that the server forgets it at once.
void menu_reset(Menu& menu, const ChoiceRow&) {
    connection_close(*menu.client->connection);
    if (client_connect(*menu.client) == Outcome::reply) greet(menu);
}

void menu_print(Menu& menu, const ChoiceRow&) {
    menu_describe(*menu.choices, MenuDetail::choices);
}

void menu_leave(Menu& menu, const ChoiceRow&) { menu.leaves = true; }
