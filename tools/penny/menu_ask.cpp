// menu_ask.cpp - the questions of the menu, and the commands that come of their answers.

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "penny/ids.h"
#include "penny/menu_parts.h"
#include "penny/prompt.h"
#include "posix/system.h"

namespace {

enum class Asked : uint8_t {
    always,
    optional,  // "-" leaves it out
    staff,     // as optional, and customers are not asked
};

struct FieldRow {
    const char* word;
    Asked asked;
    const char* question;
};

constexpr FieldRow fields[] = {
#define CHOICE(number, act, text, command)
#define FIELD(word, asked, question) {#word, Asked::asked, question},
#include "penny/menu.def"
#undef FIELD
#undef CHOICE
};

const FieldRow& find_field(Slice word) {
    const FieldRow* found = nullptr;
    for (const FieldRow& row : fields) {
        if (slice_equal_text(word, row.word)) found = &row;
    }
    CHECK(found != nullptr);
    return *found;
}

// Returns false for an empty line, with nothing said, and for what is no answer.
bool ask_line(const char* question, Answer& out) {
    out.text[0] = '\0';
    fflush(stdout);
    const Status status = prompt_answer(question, out.text, sizeof out.text);
    if (status == Status::end) {
        say("the input ended in the middle of a choice; nothing was sent");
    } else if (status != Status::ok) {
        say("that line is too long, or not text; nothing was sent");
    }
    return status == Status::ok && out.text[0] != '\0';
}

bool ask_field(const Menu& menu, const FieldRow& field, Answer& out) {
    out.text[0] = '\0';
    const bool staff = menu.role[0] != '\0' && strcmp(menu.role, "customer") != 0;
    if (field.asked == Asked::staff && !staff) return true;
    if (!ask_line(field.question, out)) return false;
    if (field.asked != Asked::always && strcmp(out.text, "-") == 0) out.text[0] = '\0';
    return true;
}

bool is_field(Slice word) { return word.data[0] >= 'a' && word.data[0] <= 'z'; }

constexpr uint32_t words_max = 12;   // of a command of menu.def
constexpr uint32_t fields_max = 4;   // of those, that are asked for

// A command as it is put together.
struct Build {
    Slice words[words_max];
    uint32_t count;
    bool ends_in_option;  // the last word is one of the row's own, and not the command
    FreshId id;
    Answer answers[fields_max];
    uint32_t answer_count;
};

void put_word(Build& build, Slice word) {
    CHECK(build.count < words_max);
    build.words[build.count++] = word;
    build.ends_in_option = false;
}

const Given* find_given(Slice word, const Given* given, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal_text(word, given[i].word)) return &given[i];
    }
    return nullptr;
}

// What was left out takes the option word in front of it along.
void put_value(Build& build, Slice value) {
    if (value.size > 0) return put_word(build, value);
    if (build.ends_in_option) build.count--;
    build.ends_in_option = false;
}

bool put_field(const Menu& menu, Build& build, Slice word) {
    CHECK(build.answer_count < fields_max);
    Answer& answer = build.answers[build.answer_count++];
    if (!ask_field(menu, find_field(word), answer)) return false;
    put_value(build, slice_of(answer.text));
    return true;
}

bool put_id(Build& build) {
    if (ids_make(build.id) != Status::ok) {
        say("the kernel gives no random bytes, so there is no id; nothing was sent");
        return false;
    }
    put_word(build, {build.id.text, sizeof build.id.text});
    return true;
}

bool fill(const Menu& menu, Build& build, const char* command, const Given* given,
          uint32_t given_count) {
    Reader rest = reader_of(slice_of(command));
    Slice word;
    build.count = 0;
    build.answer_count = 0;
    while (cut_word(rest, ' ', word) == Status::ok) {
        const Given* known = find_given(word, given, given_count);
        bool fine = true;
        if (known != nullptr) {
            put_value(build, known->text);
        } else if (slice_equal_text(word, "+")) {
            fine = put_id(build);
        } else if (is_field(word)) {
            fine = put_field(menu, build, word);
        } else {
            put_word(build, word);
            build.ends_in_option = build.count > 1;
        }
        if (!fine) return false;
    }
    return true;
}

// The command as a line for a shell, for a person who settles it later.
void tell_line(const Build& build) {
    uint8_t bytes[words_max * (answer_size_max + 8)];
    Writer out = writer_of(bytes, sizeof bytes);
    for (uint32_t i = 0; i < build.count; i++) {
        char word[answer_size_max + 1];
        memcpy(word, build.words[i].data, build.words[i].size);
        word[build.words[i].size] = '\0';
        put_text(out, i > 0 ? " " : "");
        put_shell_word(out, word);
    }
    if (out.overflow) return;
    printf("Before you do it once more, look at the statement; or let penny settle it later:\n"
           "  penny %.*s\n",
           static_cast<int>(out.size), reinterpret_cast<const char*>(bytes));
}

}  // namespace

bool menu_ask(const Menu& menu, const char* field, Answer& out) {
    return ask_field(menu, find_field(slice_of(field)), out);
}

bool menu_agrees(const char* question) {
    Answer answer;
    if (!ask_line(question, answer)) return false;
    return strcmp(answer.text, "y") == 0 || strcmp(answer.text, "yes") == 0;
}

bool menu_ask_number(const Menu& menu, const char* field, uint64_t most, uint64_t& out) {
    Answer answer;
    if (!menu_ask(menu, field, answer)) return false;
    if (parse_decimal(slice_of(answer.text), out) == Status::ok && out > 0 && out <= most) {
        return true;
    }
    say("a number from 1 to %llu is wanted; nothing was sent",
        static_cast<unsigned long long>(most));
    return false;
}

bool menu_sends_again(const Client& client) {
    if (!client.unknown) return false;
    return menu_agrees("Send it again? It is booked once at most. (y, or empty for the menu): ");
}

bool menu_send(Menu& menu, const char* command, const Given* given, uint32_t given_count,
               Reply& out) {
    static Build build;
    Client& client = *menu.client;
    if (!fill(menu, build, command, given, given_count)) return false;
    const uint64_t begun_ms = system_now_ms();
    Outcome outcome = client_ask(client, build.words, build.count, out);
    while (outcome == Outcome::none && menu_sends_again(client)) {
        outcome = client_ask_again(client, build.words, build.count, begun_ms, out);
    }
    if (outcome == Outcome::none && client.unknown) tell_line(build);
    return outcome == Outcome::reply;
}

void menu_fill(Table& table, const Reply& reply) {
    if (reply.values[0].type != ValueType::array) return;
    for (uint32_t at = 1; at < reply.count; at = value_skip(reply.values, reply.count, at)) {
        if (table_add(table, reply, at) == Status::ok) continue;
        say("only the first %u are shown", table.row_count);
        return;
    }
}

void menu_tell_round_trip(Client& client) {
    if (client.round_trip_us > 0) {
        printf("Answered within %.3f ms.\n", static_cast<double>(client.round_trip_us) / 1000.0);
    }
    client.round_trip_us = 0;
    fflush(stdout);
}

bool menu_print_value(const Reply& reply, const char* before, const char* name,
                      const char* after) {
    const Value* value = reply_find(reply, name);
    if (value == nullptr || value->type == ValueType::null) return false;
    fputs(before, stdout);
    print_part(stdout, *value);
    fputs(after, stdout);
    return true;
}
