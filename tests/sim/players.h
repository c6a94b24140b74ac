// players.h - the people of the simulated bank: fake clients that log in, work, make mistakes, lose
// connections, send again, and tell the oracle all that they asked and were answered.
//
// They know the wire and the contract, and nothing of the server. What carries their bytes is a
// table of functions, so that they can be tested against anything that speaks RESP.
//
//      habits.cpp               players.cpp                      audit.cpp
//      what to ask next ──►  requests with ids ──► net      the book as it can be read
//                            answers ──► settled ──► oracle ◄── at a quiet point
//
//   W1. A request with an id is sent until its answer is known for sure: after a lost connection or
//       a cut the same bytes go out again, as redis-py does by itself.
//   W2. An id is sent again only within the window that P3 promises; so no player may have more
//       requests open, or lost on the way, than leave room for that.
//   W3. What is answered to an id again must be what was answered first, byte for byte on the same
//       protocol.
//   W4. A login ends with the password that it was made with.
//   W5. What an admin changes of a person, and a PIN, is changed while none of that person's
//       requests is under way; so each of them was asked for with rights that are known.
//   W6. What the door answers to a password, or to a mistake in it, is what door.h expects.
//   W7. A key and a FORGET are asked for until their answer is known; a key is replaced only when no
//       copy of the one before can still arrive.
//   W8. One change of an item is under way at a time; a copy whose answer got lost may be made
//       until the server has read what was lost, and only then is it sent again.
//   W9. The same seed and the same answers make the same players.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/chance.h"
#include "sim/door.h"
#include "sim/oracle.h"
#include "sim/resp.h"
#include "sim/tally.h"

namespace sim {

inline constexpr uint32_t link_none = UINT32_MAX;

struct PlayerPeer {
    void* context;
    void (*received)(void* context, uint32_t link, const uint8_t* bytes, uint32_t size);
    void (*closed)(void* context, uint32_t link);
};

// What players ask of the world. `after` and `connect` may call back only later.
struct PlayerNet {
    void* context;
    uint32_t (*connect)(void* context, const PlayerPeer& peer, const char* terminal);
    void (*send)(void* context, uint32_t link, const uint8_t* bytes, uint32_t size);
    void (*hang_up)(void* context, uint32_t link);
    void (*read)(void* context, uint32_t link, bool reads);
    void (*after)(void* context, uint64_t delay_us, void (*call)(void* context, uint64_t value),
                  void* call_context, uint64_t value);
    uint64_t (*now_us)(void* context);
};

using Words = std::vector<std::string>;

struct Person;
struct Party;

// A command with an id, or a group, from the first time it is sent to the last.
struct Request {
    Ask ask;
    Person* person = nullptr;
    std::vector<Words> commands;  // one; or MULTI, commands, EXEC
    uint64_t first_id = 0;        // ids that the person had used before
    uint32_t sent = 0;            // copies ever
    uint32_t flying = 0;          // copies whose answer may still come
    bool settled = false;
    bool remembered = false;
    uint64_t retry_us = 0;        // not before
    bool again = false;           // settled, and to be sent once more
    bool unknown = false;         // the server said so; until a restart nothing else is believed
    bool barred = false;          // an id of it may be an archived one
    uint64_t lost_us = 0;         // when a copy was last lost
    Value answer;
    std::string raw[2];           // the answer's bytes in RESP2 and RESP3, as first seen
};

// A request on a connection that is gone: what the server has of it, it may carry out later.
struct LostCopy {
    uint64_t first_id;
    uint64_t until_us;
};

// What somebody does with their key and mailbox (habits_mail.cpp).
struct Post {
    std::string key_next;       // being published
    bool key_flying = false;
    uint64_t key_wait_us = 0;   // until what was lost has met its fate
    uint64_t key_again_us = 0;  // not before
    bool has_key = false;
    std::map<uint64_t, size_t> forgetting;  // numbers, and where the oracle has them
    std::vector<uint64_t> numbers;          // that INBOX showed last
    bool is_audited = false;    // is to read the mailbox at a quiet point
};

struct Person {
    std::string name;
    std::string role;
    std::string password;
    std::string doubt;          // a new password that may hold already; empty for none
    bool passwd_flying = false;
    uint64_t changes = 0;       // PASSWDs sent or answered
    uint64_t changed = 0;       // tick at which the present password was known to hold
    uint64_t ids_used = 0;
    bool is_guest = false;      // made in this run, so an admin may do anything to them
    bool frozen = false;        // an admin is about to change something (W5)
    uint64_t endings = 0;       // such changes that ended every login
    uint64_t ended = 0;         // tick at which the newest of them was known
    // habits_people.cpp: the PIN, and tries with wrong ones
    std::string pin;            // that holds; empty: none
    std::string pin_next;       // being set
    bool pin_busy = false;      // no request with a PIN is begun (W5)
    bool pin_flying = false;
    uint32_t pin_steps = 0;     // left to do before that ends
    uint64_t pin_wait_us = 0;   // until what was lost has met its fate
    bool pin_locked = false;
    bool lock_is_sure = false;  // it was seen to be in the book
    uint32_t tries_min = 0;     // wrong ones in a row that the server has surely counted
    uint32_t tries_max = 0;     // and may have counted
    Post post;
    std::vector<Request*> open;     // oldest first
    std::vector<LostCopy> lost;     // that the server may still come to read
    std::deque<Request*> settled;   // remembered by the server; newest last
};

// An answer that a player waits for.
struct Expect {
    std::function<void(const Value& value, const std::string& raw)> take;
    Request* request = nullptr;
    uint64_t sent_us = 0;
    uint64_t sent = 0;   // tick
    std::string word;    // the command's
    uint64_t guess = 0;  // a try at a password, as the door numbers it; 0: none
};

struct Player {
    Party* party = nullptr;
    Person* person = nullptr;
    std::string terminal;
    uint64_t think_us = 0;       // on average, between two turns

    uint32_t link = link_none;
    uint64_t connection = 0;     // the present one, among all ever
    bool logged_in = false;
    bool logging_in = false;
    bool group_refused = false;  // the newest MULTI of say_multi was
    bool sent_passwd = false;    // and waits for its answer
    bool told_to_leave = false;  // the server is to close, so its answers end here
    std::string login_password;  // of the present login
    uint64_t login_changes = 0;  // Person.changes when the present login was sent
    uint64_t login_endings = 0;  // Person.endings of the login; UINT64_MAX when that is not sure
    uint64_t login_sent = 0;     // tick
    bool sent_pin = false;       // and waits for its answer
    bool sent_key = false;       // and waits for its answer; the same of what follows
    bool sent_forget = false;
    bool sent_inbox = false;
    uint64_t deaf_until_us = 0;  // does not read before
    std::string in;
    std::string out;
    std::deque<Expect> expects;

    void act();
    void connect();
    void login();
    void hang_up(const char* why);
    void lose_expects();
    void flush();
    void say(const Words& words, std::function<void(const Value&, const std::string&)> take,
             Request* request = nullptr);
    void say_exactly(const Words& words, const std::string& answer);
    void say_guess(const Words& words, const std::string& name, GuessKind kind,
                   std::function<void(const Value&, const std::string&)> take);
    void judge_guess(uint64_t guess, const Words& words, const Value& value);
    void say_multi();
    void say_in_group(const Words& words, const std::string& answer, const std::string& refused);
    void send_request(Request& request);
    void answered(Request& request, const Value& value, const std::string& raw);
    void settle(Request& request, const Value& value, const std::string& raw);
    void compare(Request& request, const Value& value, const std::string& raw);
    void check_login(const Expect& expect, const Value& value);
    bool note_common(const Value& value, Request* request);
    void resend();
    bool may_use_ids(size_t count) const;
    std::string new_id();
    Request& new_request(const std::vector<Move>& moves, bool is_group);
    Words words_of(const Move& move, const std::string& id);
    Words words_of_move(const Move& move, const std::string& id);

    // habits.cpp
    void choose();
    void choose_moves();
    void choose_wrong();
    void choose_guess();
    void register_again();
    void choose_reading();
    void choose_connection();
    void choose_replay();
    void choose_admin();
    void register_too();
    void admin_answered(const Value& value);
    void change_password();
    bool choose_move(Move& move, bool sure);

    // habits_people.cpp
    bool is_within(const Move& move) const;
    void add_pin(Move& move);
    bool may_replay(const Request& request) const;
    bool is_kept_out() const;
    bool is_held_back() const;
    bool is_stopped() const { return is_kept_out() || is_held_back(); }
    void check_rights(const Expect& expect, const Value& value);
    bool must_be_refused() const;
    void mistype();
    void play_pin();
    void set_pin();
    void try_wrong_pin();
    void pin_answered();
    void list_people();
    void judge_list(const Value& value, uint64_t sent, uint64_t answered);

    // habits_orders.cpp
    bool choose_order(Move& move, bool sure);
    bool choose_new_order(Move& move, bool sure);
    bool choose_end_of_order(Move& move, bool sure);
    bool is_order_within(const Move& move) const;
    Words words_of_order(const Move& move, const std::string& id);
    void replay_order_changed(Request& request);
    void choose_shop_reading();
    void choose_wrong_order();
    void play_items();
    void item_answered(const Value& value);
    void lose_item_work();

    // habits_mail.cpp
    void play_mail();
    void go_on_with_mail();
    void lose_mail(uint64_t now_us);
    void take_letter(const Request& request, const Value& value);
    void leave_letter_unknown(const Request& request);
    void audit_mail();
    void begin_key();
    void send_key();
    void send_letter();
    void send_changed_letter();
    void send_forget();
    void begin_forget();
    void read_inbox(bool at_rest);
    void read_letter(uint64_t number);
    void show_key();
    void choose_wrong_mail();
};

// A hold or an entry that somebody was answered with, for others to work on.
struct KnownHold {
    uint64_t number;
    std::string debit;
    std::string credit;
    int64_t amount;
};
struct KnownOrder {
    uint64_t number;
    std::string account;
    std::string item;
};
struct KnownEntry {
    uint64_t entry;
    std::string terminal;
};

// One change by the admin at a time, until it is answered.
struct AdminWork {
    bool wanted = false;
    bool flying = false;
    const Player* by = nullptr;  // who sent it last
    Words words;
    Change change;
    std::string verb;            // of USER, or PIN; empty for other work
    Person* target = nullptr;    // of that
    Facts next;                  // what becomes of the target
    bool by_customer = false;    // a registration at a kiosk
    bool is_registration = false;
    Person person;  // of a registration
};

// One change of an item at a time, until it is answered (W8).
struct ItemWork {
    bool wanted = false;
    bool flying = false;
    const Player* by = nullptr;
    Words words;
    ItemChange change;          // the copy under way
    bool in_doubt = false;      // a copy got lost, and may still be made
    uint64_t waits_until_us = 0;
};

struct Audit {
    bool has_items = false;
    bool has_orders = false;
    bool running = false;
    bool done = false;
    Seen seen;
    std::string digest;
    uint64_t head_first = 0;
    std::vector<std::string> left;   // accounts whose statements are still to be read
    uint64_t before = 0;             // BEFORE of the next page
};

struct PartyRules {
    uint64_t seed;
    uint32_t customers;    // 1 to 6
    uint64_t think_us;
    bool self_service;
    uint64_t reversible;
    DoorRules door;
    std::map<std::string, Bounds> bounds = {};  // by terminal
    bool registers = false;                     // whoever comes
    uint32_t register_per_day = 20;
    uint64_t orders = 4096;                     // in the table
    MailRules mail = {};
};

struct Party {
    PlayerNet net;
    Chance chance;
    PartyRules rules;
    Oracle oracle;
    Door door;
    Tally tally;
    std::string failure;  // empty: nothing
    bool quiet = false;   // nothing new is begun
    uint64_t tick = 0;
    uint64_t memos = 0;
    uint64_t connections = 0;
    std::list<Person> people;
    std::list<Request> requests;
    std::list<std::unique_ptr<Player>> players;
    std::vector<std::string> accounts;      // that exist, and some that do not
    std::vector<KnownHold> holds;
    std::vector<KnownOrder> orders;
    std::vector<KnownEntry> entries;
    std::vector<uint64_t> letters;          // numbers of messages
    AdminWork admin;
    ItemWork item_work;
    uint64_t admin_waits_until_us = 0;  // a bound that was lost may still be set before
    std::set<std::string> terminals;  // that have an entry of their own in the book
    size_t terminals_judged = 0;      // of them at the last quiet point
    uint64_t opened = 0;   // accounts and people made so far
    Audit audit;
    Player* auditor = nullptr;
    uint64_t others_max = 0;  // entries since the last quiet point that are no movements, at most
    uint64_t refused = 0;     // refusals since then that are entries
    uint64_t registered = 0;  // by customers, at the kiosk
    uint64_t misconf = 0;     // answers that no money moves
    std::string misconf_text;

    void fail(const std::string& what);
    // A request on its way from a terminal may leave so many entries that are no bookings, and one of
    // the terminal's own. An answer alone proves neither: what holds already is answered with OK too.
    void may_leave(const std::string& terminal, size_t count);
    Person& add_person(const std::string& name, const std::string& role,
                       const std::string& password);
    Player& add_player(Person& person, const std::string& terminal);
    void wake(Player& player, uint64_t delay_us);
    bool is_calm(const Person& person);  // W5
    bool has_mail_to_do(const Person& person) const;
    void begin_mail_audit();
    bool is_mail_read() const;           // by all who could
    bool has_changed(const std::string& name);  // since it was registered
    bool plan_people(AdminWork& work);   // returns false when there is nothing to do
    bool may_send_work(const Player& player);
    void people_changed(AdminWork& work);
    std::string refusal_of_registration() const;
    std::string unsettled() const;  // what is_settled waits for
    bool is_settled() const;     // every request has its answer, and every password is certain
    void ask_again();            // everybody sends once more what the bank remembers of theirs
    void restarted(bool in_order);  // all links and timers are gone; after a stop without faults?
    void archived(uint64_t entry);  // at a quiet point: entries up to this one lie elsewhere
    void begin_audit();
    bool judge();                // after an audit
};

// The people that the bank has from the beginning, and their players.
struct PartyPerson {
    const char* name;
    const char* role;
    const char* password;
};
inline constexpr PartyPerson party_people[] = {
    {"admin", "admin", "password of admin"},     {"anna", "auditor", "password of anna"},
    {"till", "till", "password of till"},        {"theo", "treasurer", "password of theo"},
    {"alice", "customer", "password of alice"},  {"bob", "customer", "password of bob"},
    {"carol", "customer", "password of carol"},  {"dave", "customer", "password of dave"},
};

// Bounds of terminals such as operators write them, with room for what players do beside movements.
std::map<std::string, Bounds> party_bounds(Chance& chance);

void party_begin(Party& party, const PlayerNet& net, const PartyRules& rules);
void audit_step(Party& party);  // audit.cpp: the auditor's next question

// Whether the auditor has asked something about the shop; false when both lists are there
// (audit_orders.cpp).
bool audit_shop(Party& party);

// Reads a time such as 2026-11-20T12:22:01.000Z.
bool audit_time(const std::string& text, uint64_t& out_ms);

// habits_orders.cpp: the rest of an answer, and what is remembered of it.
bool take_ordered(const Value& value, Booked& out);
void note_order(Party& party, const Ask& ask, size_t index);
void note_order_refusal(Party& party, const Ask& ask);
void note_price_rise(Party& party, const Ask& ask);
bool is_order_move(const Move& move);

}  // namespace sim
