#include "penny/client.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "penny/explain.h"
#include "penny/ids.h"
#include "posix/system.h"

namespace {

constexpr uint64_t pause_ms_min = 100;   // before the first new attempt; it doubles
constexpr uint64_t pause_ms_max = 2000;
constexpr uint32_t values_max = 32768;   // of one reply
constexpr uint32_t enrol_answer_size_max = 32768;  // bytes of the answer to RENEW

// Every word has a line with its size before it and a line end behind it.
constexpr uint32_t request_bytes_max = request_size_max + request_words_max * 16 + 16;

Value values[values_max];
uint32_t value_count;
uint32_t reply_size;  // bytes of the reply at the front of the connection's plain bytes
uint8_t request_bytes[request_bytes_max];

// A command under way.
struct Command {
    Slice name;
    Slice id;     // empty without one
    Slice bytes;  // what is sent, each time the same (N1)
    Plan plan;
    bool fresh;   // the id was made here
    bool sent;    // some of it may have reached the server
    uint64_t begun_ms;
    uint64_t deadline_ms;
};

void put_command(Writer& out, const Slice* words, uint32_t count) {
    put_u8(out, '*');
    put_decimal(out, count);
    put_text(out, "\r\n");
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, '$');
        put_decimal(out, words[i].size);
        put_text(out, "\r\n");
        put_bytes(out, words[i]);
        put_text(out, "\r\n");
    }
}

Status refuse(Connection& connection, Status status, const char* words, Slice text) {
    Writer out = writer_of(reinterpret_cast<uint8_t*>(connection.reason),
                           sizeof connection.reason - 1);
    put_text(out, words);
    print_put_safe(out, slice_part(text, 0, 100));
    connection.reason[out.size] = '\0';
    return status;
}

// Waits for one whole reply. What the server says unasked is printed on the way.
Status read_reply(Client& client, uint64_t deadline_ms) {
    Connection& connection = *client.connection;
    for (;;) {
        Status status = value_parse({connection.plain, connection.plain_size}, values, values_max,
                                    value_count, reply_size);
        if (status == Status::ok && values[0].type != ValueType::push) return status;
        if (status == Status::ok) {
            print_reply(stdout, values, value_count, client.style);
            connection_consume(connection, reply_size);
        } else if (status == Status::more) {
            status = connection_receive(connection, deadline_ms);
            if (status != Status::ok) return status;
        } else {
            return refuse(connection, Status::invalid, "the answer is no reply of RESP",
                          {nullptr, 0});
        }
    }
}

void drop_reply(Client& client) { connection_consume(*client.connection, reply_size); }

bool is_error() { return values[0].type == ValueType::error; }

bool error_begins(const char* word) {
    const Slice first = slice_part(values[0].text, 0, slice_of(word).size);
    return is_error() && slice_equal_text(first, word);
}

// The server is busy with itself and has not looked at the command.
bool is_passing() {
    return error_begins("LOADING ") || error_begins("BUSY ") || error_begins("OOM ") ||
           error_begins("MISCONF ");
}

// Sends `words` as a part of logging in and waits for the answer.
Status ask(Client& client, const Slice* words, uint32_t count, uint64_t deadline_ms) {
    uint8_t bytes[512];
    Writer out = writer_of(bytes, sizeof bytes);
    put_command(out, words, count);
    Status status = connection_send(*client.connection, writer_slice(out), deadline_ms);
    wipe(bytes, sizeof bytes);
    if (status == Status::ok) status = read_reply(client, deadline_ms);
    return status;
}

Status log_in(Client& client, uint64_t deadline_ms) {
    const Login& login = client.login;
    if (login.user_size == 0) return Status::ok;
    const Slice user = {login.user, login.user_size};
    const Slice password = {login.password.bytes, login.password.size};
    const Slice hello[] = {slice_of("HELLO"), slice_of("3"), slice_of("AUTH"), user, password};
    explain("logging in");
    Status status = ask(client, hello, 5, deadline_ms);
    if (status == Status::ok && (error_begins("ERR ") || error_begins("NOPROTO "))) {
        drop_reply(client);
        const Slice auth[] = {slice_of("AUTH"), user, password};
        status = ask(client, auth, 3, deadline_ms);
    }
    if (status != Status::ok) return status;
    if (is_error()) {
        status = refuse(*client.connection, is_passing() ? Status::failed : Status::invalid,
                        "login refused: ", values[0].text);
    }
    drop_reply(client);
    if (status == Status::ok) explain("logged in");
    return status;
}

// Behind a renewal: the connection stays if it is good for more.
Status open_again(Client& client, bool reloads, uint64_t deadline_ms) {
    Connection& connection = *client.connection;
    const Status status = connection_poll(connection);
    if (!reloads && (status == Status::ok || status == Status::more)) return Status::ok;
    connection_close(connection);
    if (reloads && client.reload != nullptr) {
        const Status read = client.reload(connection);
        if (read != Status::ok) return read;
    }
    return connection_open(connection, deadline_ms);
}

Status open(Client& client, uint64_t deadline_ms) {
    Connection& connection = *client.connection;
    if (connection_is_open(connection)) {
        // An idle connection may have ended meanwhile; then nothing is lost with it.
        const Status status = connection_poll(connection);
        if (status == Status::ok || status == Status::more) return Status::ok;
        explain("%s", connection.reason);
        connection_close(connection);
    }
    Status status = connection_open(connection, deadline_ms);
    if (status == Status::ok && client.renew_first != nullptr) {
        status = open_again(client, client.renew_first(client), deadline_ms);
    }
    if (status == Status::ok && client.tell_connected != nullptr) client.tell_connected(connection);
    if (status == Status::ok) status = log_in(client, deadline_ms);
    if (status != Status::ok) connection_close(connection);
    return status;
}

// The number behind `name:` in what INFO answered; false when it is not there.
bool find_figure(Slice info, const char* name, uint64_t& out) {
    Reader lines = reader_of(info);
    Slice line;
    while (cut_word(lines, '\n', line) == Status::ok) {
        Reader reader = reader_of(line);
        Slice word;
        if (cut_word(reader, ':', word) != Status::ok || !slice_equal_text(word, name)) continue;
        Slice figure = reader_rest(reader);
        if (figure.size > 0 && figure.data[figure.size - 1] == '\r') figure.size--;
        return parse_decimal(figure, out) == Status::ok;
    }
    return false;
}

// N3. A server that does not say how far back it remembers is taken at its word for the id.
bool is_remembered(Slice info, uint64_t waited_ms) {
    uint64_t lost = 0;
    uint64_t age_s = 0;
    uint64_t own_lost = 0;
    uint64_t own_age_s = 0;
    if (!find_figure(info, "ids_forgotten", lost) || lost == 0) return true;
    if (!find_figure(info, "own_ids_forgotten", own_lost) || own_lost == 0) return true;
    if (!find_figure(info, "ids_age_seconds", age_s)) return true;
    if (!find_figure(info, "own_ids_age_seconds", own_age_s)) return true;
    const uint64_t best_s = age_s > own_age_s ? age_s : own_age_s;
    return waited_ms / 250 <= best_s;
}

// Asks before a second sending. Returns expired when the id may have been forgotten.
Status ask_memory(Client& client, const Command& command) {
    const Slice info[] = {slice_of("INFO"), slice_of("book")};
    const Status status = ask(client, info, 2, command.deadline_ms);
    if (status != Status::ok) return status;
    const bool fine = is_error() || is_remembered(values[0].text,
                                                  system_now_ms() - command.begun_ms);
    drop_reply(client);
    if (fine) return Status::ok;
    return refuse(*client.connection, Status::expired,
                  "the server may have forgotten the id by now; look at STATEMENT", {nullptr, 0});
}

// One attempt. `command.sent` is set as soon as the server may have any of it.
Status attempt(Client& client, Command& command) {
    Connection& connection = *client.connection;
    Status status = open(client, command.deadline_ms);
    const bool asks = command.sent && command.plan.resend == Resend::by_id;
    if (status == Status::ok && asks) status = ask_memory(client, command);
    if (status != Status::ok) return status;
    explain("sending %.*s, %u bytes", static_cast<int>(command.name.size),
            reinterpret_cast<const char*>(command.name.data), command.bytes.size);
    const uint64_t before = connection.sent;
    const uint64_t sent_us = system_now_us();
    status = connection_send(connection, command.bytes, command.deadline_ms);
    const bool left = connection.sent > before;
    if (status == Status::ok) status = read_reply(client, command.deadline_ms);
    if (status == Status::ok) client.round_trip_us = system_now_us() - sent_us;
    // A server that refused our certificate has not read on.
    const bool refused = status == Status::invalid && !connection.heard;
    command.sent = command.sent || (left && !refused);
    if (status != Status::ok) connection_close(connection);
    if (status == Status::ok) explain("reply of %u bytes", reply_size);
    return status;
}

// True when another attempt is allowed and may help.
bool may_repeat(const Command& command, Status status, bool was_open) {
    if (status == Status::invalid || status == Status::expired) return false;
    if (!command.sent) return was_open;  // Only the connection that had gone stale is replaced.
    return command.plan.resend != Resend::never;
}

// Says why there is no reply.
Outcome give_up(Client& client, const Command& command) {
    const Connection& connection = *client.connection;
    const int size = static_cast<int>(command.name.size);
    const char* name = reinterpret_cast<const char*>(command.name.data);
    const char* id = reinterpret_cast<const char*>(command.id.data);
    if (!command.sent) {
        say("%s port %s: %s", connection.host, connection.port, connection.reason);
    } else if (client.group == GroupState::open && !slice_equal_nocase(command.name, "EXEC")) {
        say("no answer to %.*s: %s", size, name, connection.reason);  // Queued at most.
    } else if (command.plan.resend == Resend::reads_only) {
        say("no answer to %.*s: %s", size, name, connection.reason);
    } else if (command.plan.resend == Resend::never) {
        say("outcome unknown: %.*s may or may not have been carried out: %s", size, name,
            connection.reason);
    } else {
        client.unknown = true;
        const char* advice = client.hides_ids ? "it can be sent again with this id"
                             : command.fresh  ? "run the same line again with this id for +"
                                              : "run the same line again";
        say("outcome unknown: id %.*s may or may not have been booked; %s: %s",
            static_cast<int>(command.id.size), id, advice, connection.reason);
    }
    return Outcome::none;
}

// Returns false when the time is up.
bool pause(uint64_t& pause_ms, uint64_t deadline_ms) {
    const uint64_t now = system_now_ms();
    if (now >= deadline_ms) return false;
    const uint64_t left = deadline_ms - now;
    const uint64_t ms = pause_ms < left ? pause_ms : left;
    usleep(static_cast<useconds_t>(ms * 1000));
    if (pause_ms < pause_ms_max) pause_ms *= 2;
    return ms < left;
}

Outcome print_answer(Client& client) {
    const bool failed = is_error();
    const bool aside = failed && client.style == Style::text;
    print_reply(aside ? client.errors : stdout, values, value_count, client.style);
    return failed ? Outcome::error_reply : Outcome::reply;
}

void keep(Login& login, Slice user, Slice password) {
    if (user.size > sizeof login.user || password.size > sizeof login.password.bytes) return;
    memmove(login.user, user.data, user.size);
    login.user_size = user.size;
    memcpy(login.password.bytes, password.data, password.size);
    login.password.size = password.size;
}

// A new connection must come as the same person as the old one.
void follow_login(Client& client, const Slice* words, uint32_t count) {
    Login& login = client.login;
    if (is_error()) return;
    if (count == 3 && slice_equal_nocase(words[0], "AUTH")) keep(login, words[1], words[2]);
    if (count == 3 && slice_equal_nocase(words[0], "PASSWD") && login.user_size > 0) {
        keep(login, {login.user, login.user_size}, words[2]);
    }
    if (slice_equal_nocase(words[0], "RESET")) login.user_size = 0;
}

bool ends_group(Slice name) {
    return slice_equal_nocase(name, "EXEC") || slice_equal_nocase(name, "DISCARD") ||
           slice_equal_nocase(name, "RESET");
}

void lose_group(Client& client, Slice name) {
    const bool ended = ends_group(name);
    client.group = ended ? GroupState::none : GroupState::lost;
    if (slice_equal_nocase(name, "EXEC")) {
        say("the group was booked whole or not at all; send all of it again with the same ids");
    } else {
        say("the group ended with its connection, and nothing of it was booked; begin again with "
            "MULTI");
    }
}

// N4. Says why not, when the group of this command is gone.
bool group_allows(Client& client, Slice name) {
    if (client.group == GroupState::open) {
        Connection& connection = *client.connection;
        const Status status = connection_is_open(connection) ? connection_poll(connection)
                                                             : Status::end;
        if (status == Status::ok || status == Status::more) return true;
        connection_close(connection);
        client.group = GroupState::lost;
    }
    if (client.group == GroupState::none || slice_equal_nocase(name, "MULTI")) {
        client.group = GroupState::none;
        return true;
    }
    say("%.*s was not sent: its group ended with its connection, and nothing of it was booked",
        static_cast<int>(name.size), reinterpret_cast<const char*>(name.data));
    if (ends_group(name)) client.group = GroupState::none;
    return false;
}

void follow_group(Client& client, Slice name) {
    if (slice_equal_nocase(name, "MULTI") && !is_error()) client.group = GroupState::open;
    if (ends_group(name)) client.group = GroupState::none;
}

Outcome run(Client& client, Command& command) {
    bool was_open = connection_is_open(*client.connection);
    uint64_t pause_ms = pause_ms_min;
    bool repeated = command.sent;
    for (;;) {
        const Status status = attempt(client, command);
        if (status == Status::ok) {
            // The first sending may have been booked although this one was not looked at.
            const bool settled = !repeated || !(is_passing() || error_begins("NOAUTH "));
            if (settled) return Outcome::reply;
            (void)refuse(*client.connection, Status::failed, "", values[0].text);
            const bool passing = is_passing();
            drop_reply(client);
            if (!passing) return give_up(client, command);
        } else if (!may_repeat(command, status, was_open)) {
            return give_up(client, command);
        }
        explain("%s; trying again", client.connection->reason);
        if (client.hides_ids && command.sent && !repeated) {
            say("no answer yet (%s); it is sent again for up to %u s", client.connection->reason,
                client.timeout_s);
        }
        // Nothing has been sent twice before something has been sent once.
        repeated = command.sent;
        was_open = false;
        if (!pause(pause_ms, command.deadline_ms)) return give_up(client, command);
    }
}

// N6. Sends the command again if the server wants a PIN and the person gives one.
Outcome add_pin(Client& client, Command& command, Slice* words, uint32_t count) {
    Pin pin = {};
    const bool can = client.ask_pin != nullptr && client.group == GroupState::none &&
                     count + 2 <= request_words_max;
    if (!can || !error_begins("NOPERM a PIN is needed ")) return Outcome::reply;
    if (client.ask_pin(pin) != Status::ok || pin.size == 0) return Outcome::reply;
    drop_reply(client);
    words[count] = slice_of("PIN");
    words[count + 1] = {pin.digits, pin.size};
    Writer out = writer_of(request_bytes, sizeof request_bytes);
    put_command(out, words, count + 2);
    CHECK(!out.overflow);
    wipe(&pin, sizeof pin);
    command.bytes = writer_slice(out);
    command.sent = false;
    command.begun_ms = system_now_ms();
    command.deadline_ms = command.begun_ms + uint64_t{client.timeout_s} * 1000;
    return run(client, command);
}

// Sends one command. The reply, an error included, is at the front of the connection's bytes.
// `begun_ms` is not 0 for a command that was sent before, and then since when.
Outcome exchange(Client& client, const Slice* words, uint32_t count, uint64_t begun_ms) {
    Slice sent[request_words_max];
    if (count == 0 || count > request_words_max) {
        say("a command has 1 to %u words", request_words_max);
        return Outcome::misused;
    }
    for (uint32_t i = 0; i < count; i++) sent[i] = words[i];
    Command command = {};
    command.name = sent[0];
    command.plan = ids_plan(sent, count);
    client.unknown = false;
    client.round_trip_us = 0;
    if (!group_allows(client, command.name)) return Outcome::none;
    FreshId fresh = {};
    if (ids_is_wanted(command.plan, sent)) {
        if (ids_make(fresh) != Status::ok) {
            say("the kernel gives no random bytes, so there is no id");
            return Outcome::misused;
        }
        command.fresh = true;
        sent[command.plan.id_at] = {fresh.text, sizeof fresh.text};
        fprintf(stderr, "id %.*s\n", static_cast<int>(sizeof fresh.text),
                reinterpret_cast<const char*>(fresh.text));  // N2
    }
    if (command.plan.resend == Resend::by_id) command.id = sent[command.plan.id_at];
    Writer out = writer_of(request_bytes, sizeof request_bytes);
    put_command(out, sent, count);
    if (out.overflow) {
        say("a command has at most %u bytes", request_size_max);
        return Outcome::misused;
    }
    command.bytes = writer_slice(out);
    const uint64_t now_ms = system_now_ms();
    command.sent = begun_ms != 0;
    command.begun_ms = command.sent ? begun_ms : now_ms;
    command.deadline_ms = now_ms + uint64_t{client.timeout_s} * 1000;
    if (client.group == GroupState::open) command.plan.resend = Resend::never;
    Outcome outcome = run(client, command);
    if (outcome == Outcome::reply) outcome = add_pin(client, command, sent, count);
    wipe(request_bytes, sizeof request_bytes);
    if (outcome != Outcome::reply) {
        if (client.group == GroupState::open) lose_group(client, command.name);
        return outcome;
    }
    follow_group(client, command.name);
    follow_login(client, words, count);
    return is_error() ? Outcome::error_reply : Outcome::reply;
}

Outcome refuse_connection(const Connection& connection) {
    say("%s port %s: %s", connection.host, connection.port, connection.reason);
    return Outcome::none;
}

}  // namespace

Outcome client_connect(Client& client) {
    const uint64_t deadline_ms = system_now_ms() + uint64_t{client.timeout_s} * 1000;
    const Status status = open(client, deadline_ms);
    return status == Status::ok ? Outcome::reply : refuse_connection(*client.connection);
}

Outcome client_sign_in(Client& client, const Login& login) {
    Connection& connection = *client.connection;
    const uint64_t deadline_ms = system_now_ms() + uint64_t{client.timeout_s} * 1000;
    wipe(&client.login, sizeof client.login);
    Status status = open(client, deadline_ms);
    if (status == Status::ok) {
        client.login = login;
        status = log_in(client, deadline_ms);
    }
    if (status == Status::ok) return Outcome::reply;
    connection_close(connection);  // Whoever was logged in there is not any more.
    wipe(&client.login, sizeof client.login);
    return refuse_connection(connection);
}

// PING itself is for those who have logged in, as with Redis; TIME is for all who could connect.
Outcome client_ping(Client& client) {
    static constexpr char time[] = "*1\r\n$4\r\nTIME\r\n";
    Command command = {};
    command.name = slice_of("TIME");
    command.bytes = slice_of(time);
    command.plan.resend = Resend::reads_only;
    command.begun_ms = system_now_ms();
    command.deadline_ms = command.begun_ms + uint64_t{client.timeout_s} * 1000;
    client.errors = stderr;
    const Outcome outcome = run(client, command);
    if (outcome != Outcome::reply) return outcome;
    if (is_error()) return print_answer(client);
    drop_reply(client);
    puts(client.style == Style::json ? "\"PONG\"" : "PONG");
    return Outcome::reply;
}

// P10: it is safe to send again.
Outcome client_register(Client& client, const Login& login) {
    const Slice words[] = {slice_of("REGISTER"), {login.user, login.user_size},
                           {login.password.bytes, login.password.size}};
    Writer out = writer_of(request_bytes, sizeof request_bytes);
    put_command(out, words, 3);
    Command command = {};
    command.name = words[0];
    command.bytes = writer_slice(out);
    command.plan.resend = Resend::reads_only;
    command.begun_ms = system_now_ms();
    command.deadline_ms = command.begun_ms + uint64_t{client.timeout_s} * 1000;
    client.errors = stderr;
    const Outcome outcome = run(client, command);
    wipe(request_bytes, out.size);
    if (outcome != Outcome::reply) return outcome;
    if (is_error()) {
        const Outcome refused = print_answer(client);
        drop_reply(client);
        return refused;
    }
    drop_reply(client);
    connection_close(*client.connection);
    client.login = login;
    return Outcome::reply;
}

Outcome client_run(Client& client, const Slice* words, uint32_t count) {
    const Outcome outcome = exchange(client, words, count, 0);
    if (outcome != Outcome::reply && outcome != Outcome::error_reply) return outcome;
    (void)print_answer(client);
    drop_reply(client);
    return outcome;
}

bool client_ask_first(Client& client, const Slice* words, uint32_t count, Reply& out) {
    static uint8_t bytes[enrol_request_size_max + 64];
    static uint8_t kept[enrol_answer_size_max];
    const uint64_t deadline_ms = system_now_ms() + uint64_t{client.timeout_s} * 1000;
    Connection& connection = *client.connection;
    Writer line = writer_of(bytes, sizeof bytes);
    put_command(line, words, count);
    CHECK(!line.overflow);
    Status status = connection_send(connection, writer_slice(line), deadline_ms);
    if (status == Status::ok) status = read_reply(client, deadline_ms);
    if (status != Status::ok) return false;
    if (is_error()) status = refuse(connection, Status::failed, "", values[0].text);
    if (status == Status::ok && reply_size > sizeof kept) {
        status = refuse(connection, Status::invalid, "the answer is too long", {nullptr, 0});
    }
    if (status == Status::ok) {
        memcpy(kept, connection.plain, reply_size);
        uint32_t size = 0;
        status = value_parse({kept, reply_size}, values, values_max, value_count, size);
        CHECK(status == Status::ok);
        out = {values, value_count};
    }
    drop_reply(client);
    return status == Status::ok;
}

Outcome client_ask(Client& client, const Slice* words, uint32_t count, Reply& out) {
    return client_ask_again(client, words, count, 0, out);
}

Outcome client_ask_again(Client& client, const Slice* words, uint32_t count, uint64_t begun_ms,
                         Reply& out) {
    static uint8_t kept[plain_size_max];
    const Outcome outcome = exchange(client, words, count, begun_ms);
    if (outcome == Outcome::error_reply) (void)print_answer(client);
    if (outcome == Outcome::reply) {
        // A connection that is closed meanwhile forgets its bytes, so a copy of the reply is read.
        memcpy(kept, client.connection->plain, reply_size);
        uint32_t size = 0;
        const Status status =
            value_parse({kept, reply_size}, values, values_max, value_count, size);
        CHECK(status == Status::ok && size == reply_size);
        out = {values, value_count};
    }
    if (outcome == Outcome::reply || outcome == Outcome::error_reply) drop_reply(client);
    return outcome;
}
