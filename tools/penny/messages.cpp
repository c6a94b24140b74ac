#include "penny/messages.h"

#include "base/text.h"
#include "penny/mail.h"

namespace {

struct VerbRow {
    const char* name;
    uint32_t least;  // words, its name included
    uint32_t most;
    const char* usage;
    Outcome (*run)(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count);
};

constexpr VerbRow rows[] = {
#define MAIL(name, least, most, usage, help) {#name, least, most, usage, verb_##name},
#include "penny/mail.def"
#undef MAIL
};

const VerbRow* find_row(Slice name) {
    for (const VerbRow& row : rows) {
        if (slice_equal_text(name, row.name)) return &row;
    }
    return nullptr;
}

Outcome misuse(const VerbRow& row) {
    say("it is used so: penny %s", row.usage);
    return Outcome::misused;
}

}  // namespace

bool messages_has(Slice name) { return find_row(name) != nullptr; }

Outcome messages_run(Client& client, const char* messages, const Slice* words, uint32_t count) {
    const VerbRow& row = *find_row(words[0]);
    if (count < row.least || count > row.most) return misuse(row);
    if (client.group != GroupState::none) {
        say("%s is no part of a group; EXEC or DISCARD first", row.name);
        return Outcome::misused;
    }
    Name person = {};
    if (client.login.user_size == 0 || parse_name(own_name(client), person) != Status::ok) {
        say("%s needs to know whose messages: log in, with --user NAME", row.name);
        return Outcome::misused;
    }
    KeyFolder folder = {};
    if (folder_open(folder, messages, own_name(client)) != exit_go_on) return Outcome::error_reply;
    const Outcome outcome = row.run(client, folder, words, count);
    folder_close(folder);
    return outcome == Outcome::misused ? misuse(row) : outcome;
}

bool messages_has_key(const Client& client, const char* messages) {
    KeyFolder folder = {};
    Name person = {};
    if (parse_name(own_name(client), person) != Status::ok) return false;
    if (folder_open(folder, messages, own_name(client)) != exit_go_on) return false;
    const bool found = folder_has(folder, key_file);
    folder_close(folder);
    return found;
}
