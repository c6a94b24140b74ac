// menu_mail.cpp - sealed messages in the menu: the verbs of messages.h, and numbers to choose from.

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "penny/ids.h"
#include "penny/menu_parts.h"
#include "penny/messages.h"

namespace {

Table table;

constexpr Column inbox_columns[] = {
    {"number", "", Align::hidden},
    {"from", "from", Align::left},
    {"time", "time (UTC)", Align::moment},
    {"size", "bytes", Align::right},
};

Outcome run(Menu& menu, const Slice* words, uint32_t count) {
    return messages_run(*menu.client, menu.options->messages, words, count);
}

// A person without a key can neither read nor write. Another key than the one that the server has
// makes what is sealed to that one readable only where it lies, so it is not made unasked.
bool need_key(Menu& menu) {
    Client& client = *menu.client;
    if (messages_has_key(client, menu.options->messages)) return true;
    const Slice ask[] = {slice_of("KEY"), {client.login.user, client.login.user_size}};
    Reply reply = {};
    if (client_ask(client, ask, 2, reply) != Outcome::reply) return false;
    const Value* known = reply_find(reply, "jwk");
    const bool replaces = known != nullptr && known->type != ValueType::null;
    puts(replaces ? "Your key for messages is not here, but where you made it. A new one takes its "
                    "place, and\nwhat was sealed to the old one can be read only there."
                  : "You have no key for messages yet.");
    if (!menu_agrees("Make one? (y, or empty for the menu): ")) return false;
    const Slice make[] = {slice_of("key")};
    return run(menu, make, 1) == Outcome::reply;
}

void write_letter(Menu& menu) {
    Answer to;
    Answer text;
    FreshId id = {};
    if (!menu_ask(menu, "to", to) || !menu_ask(menu, "text", text)) return;
    if (strcmp(text.text, "--file") == 0) {
        say("that text is a word of penny's own; write it otherwise");
        return;
    }
    if (ids_make(id) != Status::ok) {
        say("the kernel gives no random bytes, so there is no id; nothing was sent");
        return;
    }
    const Slice words[] = {slice_of("send"), slice_of(to.text), slice_of(text.text),
                           slice_of("--id"), {id.text, sizeof id.text}};
    Outcome outcome = run(menu, words, 5);
    while (outcome == Outcome::none && menu_sends_again(*menu.client)) {
        outcome = run(menu, words, 5);
    }
    if (outcome == Outcome::reply) puts("Sent, signed and sealed.");
}

}  // namespace

void menu_messages(Menu& menu, const ChoiceRow& row) {
    Client& client = *menu.client;
    Reply reply = {};
    Answer answer;
    uint64_t picked = 0;
    if (!menu_send(menu, row.command, nullptr, 0, reply)) return;
    table_init(table, inbox_columns, 4);
    menu_fill(table, reply);
    if (client.login.user_size == 0 || !need_key(menu)) return;
    if (table.row_count > 0) table_print(table, Numbered::yes);
    if (table.row_count == 0) puts("The mailbox is empty.");
    menu_tell_round_trip(client);
    if (!menu_ask(menu, "letter", answer)) return;
    if (strcmp(answer.text, "w") == 0) return write_letter(menu);
    const bool is_number = parse_decimal(slice_of(answer.text), picked) == Status::ok;
    if (!is_number || picked == 0 || picked > table.row_count) {
        say("w, or the number of a message in the list, is wanted");
        return;
    }
    const Slice number = table_cell(table, static_cast<uint32_t>(picked - 1), 0);
    const Slice words[] = {slice_of("read"), number};
    (void)run(menu, words, 2);
}
