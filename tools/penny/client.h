// client.h - commands to the server and replies from it, with resending that is safe.
//
//     fresh "+" ids printed ──► send ──► reply ──► print
//                                │ lost
//                                ▼
//                     by_id, reads_only: connect, log in, send the same bytes again until the time
//                     is up; never: say that the outcome is unknown
//
//   N1. A command that may have reached the server is sent again only as its plan allows (ids.h),
//       and then with the same bytes.
//   N2. An id is printed before the command that carries it is sent; where ids are hidden, only
//       when the outcome is unknown.
//   N3. A second sending is for ids that the server still remembers: it is asked how far back it
//       does, and a quarter of that is allowed (P3).
//   N4. Between MULTI and EXEC nothing is sent on another connection: the group ended with its own.
//   N5. Nothing of a password or a PIN is printed.
//   N6. A command that wants a PIN was not looked at any further, so it is sent again with the PIN
//       behind it, and with the same id. In a group it is not: the refusal has broken the group.
//   N7. The password is kept for as long as somebody is logged in, since a lost connection is made
//       again by itself; it is wiped by a refused login, by the next one, and at the end.
#pragma once

#include <stdio.h>

#include "penny/connection.h"
#include "penny/options.h"
#include "penny/print.h"
#include "penny/reply.h"
#include "wire/request.h"
#include "wire/value.h"

struct Login {
    uint8_t user[name_size_max + 1];
    uint32_t user_size;  // 0 for nobody
    Password password;
};

enum class GroupState : uint8_t { none, open, lost };

struct Pin {
    uint8_t digits[pin_size_max];
    uint32_t size;
};

struct Client {
    Connection* connection;
    Login login;
    uint32_t timeout_s;
    Style style;
    FILE* errors;  // where replies that are errors go
    GroupState group;
    Status (*ask_pin)(Pin& out);  // of the person at the terminal; nullptr when there is none
    bool hides_ids;               // from people who never type one: the menu
    void (*tell_connected)(const Connection& connection);  // nullptr where nobody wants to know
    bool (*renew_first)(Client& client);  // on a new connection, before the login; see renew.h.
                                          // True: certificate and key are to be read again
    Status (*reload)(Connection& connection);  // reads certificate and key again; nullptr: never
    bool unknown;                 // the last command has an id and may or may not have been booked
    uint64_t round_trip_us;  // from sending the last command to the end of its reply; 0 without
};

enum class Outcome : uint8_t {
    reply,        // printed
    error_reply,  // printed; the server said no
    misused,      // nothing was sent; the reason is printed
    none,         // no reply; the reason is printed
};

// Connects, if there is no connection, and logs in who is to be. Prints the reason on `none`.
Outcome client_connect(Client& client);

// Logs in as somebody else, on the connection that there is. On anything but `reply` nobody is
// logged in.
Outcome client_sign_in(Client& client, const Login& login);

// Asks whether the server answers, before anybody logs in, and prints PONG.
Outcome client_ping(Client& client);

// Makes a person and an account, before anybody logs in; the reply is printed when it is an error.
// On `reply` the next command logs in as that person.
Outcome client_register(Client& client, const Login& login);

// Sends one command and prints its reply.
Outcome client_run(Client& client, const Slice* words, uint32_t count);

// Sends one command for a verb of penny's own. On `reply`, `out` is the reply, which is not
// printed; everything else is printed as client_run does.
Outcome client_ask(Client& client, const Slice* words, uint32_t count, Reply& out);

// For renew_first: sends a command on the connection that was just made, and waits for its reply,
// which holds until the next command. Returns false with the connection's reason, also for an
// error.
bool client_ask_first(Client& client, const Slice* words, uint32_t count, Reply& out);

// Sends once more what had no answer when client_ask sent it, then or later: `begun_ms` is the
// system_now_ms of the first sending (N3).
Outcome client_ask_again(Client& client, const Slice* words, uint32_t count, uint64_t begun_ms,
                         Reply& out);
