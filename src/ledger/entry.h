// entry.h - one entry of the book: what was asked, by whom, and what came of it.
//
// An entry carries its outcome (status, resulting balances, number given), so that a replay copies
// and decides nothing. On disk, little-endian; the journal frames it by the size in front:
//
//     offset  size  field of every entry
//          0     2  size of the whole entry, bytes
//          2     1  kind
//          3     1  status of the outcome (status.def)
//          4     4  person who asked, row number; none = the server or its operator
//          8     8  sequence, from 1 without gaps
//         16     8  time of its batch, ms since 1970 UTC
//         24     4  terminal it came from, row number; none
//         28     4  format version of the kind, 1 to 3 (below)
//
//     kind movement                            kind person
//         32   4  debit account                    32   4  person, row number
//         36   4  credit account                   36   4  account, row number
//         40   8  amount, minor units              40   1  operation
//         48   8  debit balance after              41   1  role
//         56   8  credit balance after             42   1  state
//         64   8  previous entry of debit          43   1  size of name
//         72   8  previous entry of credit         44   1  size of password record
//         80   8  previous request of the person   45   3  zero
//         88   1  operation                        48      name, password record
//         89   1  size of id
//         90   1  size of memo
//         91   1  size of the name not found
//         92   1  place in its group, from 1; 0 when alone
//         93   1  size of its group; 0 when alone
//         94   2  zero
//         96      id, memo, name not found       kind account: operation stands at 58
//
//     a movement about a hold has, from 96 on, before its texts
//         96   8  number of the hold, from 1; 0 in a HOLD that was refused
//        104   4  seconds until it expires, in a HOLD
//        108   1  1 when the whole hold was asked for without naming an amount
//        109   3  zero
//
//     a reversal has, from 96 on, before its texts
//         96   8  sequence of the entry that it reverses
//
// Version 2 of a kind is written where version 1 cannot say it, and only there:
//
//     a movement that counts for a terminal's    a person of whom more is to be said than a role
//     day has, in front of what 96 has in        and a password
//     version 1
//         96   8  total of the day after it          as version 1, but
//        104   8  bound of that total in force;      45   1  size of title
//                 0 for none                         48   4  local day on which a terminal
//        112   4  local day since 1970-01-01,                registered it; 0 when not counted
//                 as days.h has it                   52   4  how many the terminal had registered
//        116   1  1 when the bound refused it                on that day, this one counted
//        117   3  zero                               56   4  bound of that number in force
//                                                    60      name, record, title
//     the record is the PIN's where that was set,
//     and the password's where that was hashed anew
//
// Version 3 of a person is that of a password which is a first one, to be changed at the next
// login: as version 2, but
//
//         46   1  1
//
// Version 3 is that of a movement about an order. In front of its texts it always has the 24 bytes
// of a day, zero where none counts, and behind them
//
//        120   4  item, row number; none where it was not found (the name not found is the item's,
//                 unless the status says that it is an account's)
//        124   4  quantity; 0 where the order that it is about was not found
//        128   8  price of one, minor units; 0 as above
//        136   8  price that was asked for; 0 for none
//        144   8  number of the order that it is about; 0 in an ORDER, whose number is its sequence
//        152   8  number of the closed order that it pushes out of the table; 0 for none
//        160   8  number that the sentence of a refusal has: a price, or what is left
//        168   1  reason of a refusal (OrderReason)
//        169   7  zero
//
//     kind account                             kind terminal
//         32   4  account, row number              32   4  terminal, row number
//         36   4  owner, person or none            36   1  size of name
//         40   8  floor, minor units               37   3  zero
//         48   8  ceiling, minor units             40      name
//         56   1  state
//         57   1  size of name                 kind genesis
//         58   1  operation                        32  16  bank id
//         59   5  zero                             48   1  scale
//         64      name                             49   1  size of currency
//                                                  50      currency
//     kind limits
//         32   4  accounts; 36  4  ids; 40  4  terminals; 44  4  holds; 48  4  reversible
//
// Version 3 has kinds of its own, about what is sold (orders.h), and about messages that are sealed
// (mail.h):
//
//     kind item
//         32   4  item, row number
//         36   4  stock; 0 where it is not counted
//         40   8  price, minor units
//         48   1  operation
//         49   1  1 when the stock is counted
//         50   1  size of name
//         51   1  size of title
//         52      name, title
//
//     kind message, its first part, or a       kind message, a part behind it
//     refused one, which has no other
//         32   1  place among the parts, from      32   1  place, from 2
//                 1; 0 when refused
//         33   1  parts; 0 when refused            33   1  parts
//         34   1  size of id                       34   2  zero
//         35   1  size of the name not found       36      bytes of the envelope
//         36   4  account of the recipient
//         40   4  size of the envelope, bytes  kind key
//         44   4  zero                             32 384  modulus of the person's RSA key, high
//         48   8  previous request of the person           byte first; its exponent is 65537
//         56  32  SHA-256 of the envelope
//         88      id, name not found, bytes of kind forget
//                 the envelope                     32   8  number of the message
//
//     every part but the last has message_part_size_max bytes of the envelope
//
//   E1. entry_decode accepts exactly what entry_encode writes: same size, fields in range, zeros.
//   E2. A refused movement has status other than ok, moves nothing, and joins no account's chain
//       (the previous positions of its accounts are 0), but the chain of its person's requests.
//   E3. Of two versions an entry has the lower one that can say it, so that programs which know no
//       other go on reading the journals of banks that need no other.
//   E4. What KeyEntry and MessageEntry point to lies in the bytes that were decoded.
#pragma once

#include "base/text.h"
#include "journal/log.h"

inline constexpr uint32_t row_none = UINT32_MAX;
inline constexpr uint32_t currency_size_max = 8;  // bytes, upper-case letters
inline constexpr uint32_t entry_version_max = 3;

// An envelope is kept in parts, so that no entry is larger than others are.
inline constexpr uint32_t message_part_size_max = 384;  // bytes
inline constexpr uint32_t message_parts_max =
    (message_sealed_size_max + message_part_size_max - 1) / message_part_size_max;
inline constexpr uint32_t mail_modulus_size = 384;  // bytes of an RSA key of 3072 bits

enum class EntryKind : uint8_t {
    genesis = 1,
    limits,
    person,
    account,
    movement,
    terminal,
    item,
    key,
    message,
    forget,
};

// What moved money. Values are on disk.
enum class Operation : uint8_t {
    deposit = 1,
    withdraw,
    transfer,
    hold,     // reserves an amount of the debit account for the credit account
    capture,  // moves a hold's amount, or part of it, and ends the hold
    cancel,   // ends a hold and moves nothing (VOID)
    release,  // the same, by the server, because the hold has expired
    reverse,  // moves back what an earlier entry moved
    order,         // pays the shop for an item
    cancel_order,  // gives all of it back and ends the order
    order_done,    // ends an order and moves nothing
    message = 32,  // SEND, which moves nothing: in records of ids only, in no entry
};

inline bool operation_is_of_hold(Operation operation) {
    return operation >= Operation::hold && operation <= Operation::release;
}

// CAPTURE, VOID and the release of an expired hold.
inline bool operation_ends_hold(Operation operation) {
    return operation > Operation::hold && operation <= Operation::release;
}

inline bool operation_is_of_order(Operation operation) {
    return operation >= Operation::order && operation <= Operation::order_done;
}

// CANCEL and ORDER DONE.
inline bool operation_ends_order(Operation operation) {
    return operation_is_of_order(operation) && operation != Operation::order;
}

// What is only reserved, given free again or handed over moves nothing.
inline bool operation_moves_money(Operation operation) {
    if (operation == Operation::order_done) return false;
    if (operation == Operation::message) return false;
    return !operation_is_of_hold(operation) || operation == Operation::capture;
}

// The operation's name in tables and replies: "deposit", ..., "capture", "void", "release",
// "reverse", "order", "cancel", "done".
const char* operation_name(Operation operation);
Status parse_operation(Slice text, Operation& out);

// What changed an account. Values are on disk.
enum class AccountOperation : uint8_t { open = 1, close, limit };

// Whether it counts for the day of its terminal: what is only reserved, given free or moved back
// does not.
inline bool operation_counts(Operation operation) {
    return operation_moves_money(operation) && operation != Operation::reverse &&
           operation != Operation::cancel_order;
}

// What changed an item. Values are on disk.
enum class ItemOperation : uint8_t { set = 1, del };

// Why a request about an order was refused with STATE. Values are on disk.
enum class OrderReason : uint8_t {
    none,
    no_item,    // no item was ever called so
    not_sold,   // it is no longer listed
    price,      // the price is another now: the number
    stock,      // fewer are left than were asked for: the number
    unknown,    // no such order, or it was closed long ago
    done,       // the order was handed over
    cancelled,  // the order was given back
};
inline constexpr uint32_t order_reason_count = 8;

// The reason's name in tables: "-", "no-item", ..., "cancelled".
const char* order_reason_name(OrderReason reason);

// What changed a person. Values are on disk.
enum class PersonOperation : uint8_t {
    added = 1,
    password,
    role,
    lock,
    unlock,
    remove,  // for good: the name is never given again
    title,
    pin_set,
    pin_lock,
    pin_unlock,
    rehash,  // the password is as it was, its record is not: a wrapped one was replaced
};
inline constexpr uint32_t person_operation_count = 11;

// The operation's name for people: "added", ..., "pin unlock".
const char* person_operation_name(PersonOperation operation);

// Whether it ends the logins that the person has.
inline bool person_operation_ends_logins(PersonOperation operation) {
    return operation == PersonOperation::password || operation == PersonOperation::role ||
           operation == PersonOperation::lock || operation == PersonOperation::remove;
}

enum class Role : uint8_t { customer, till, treasurer, auditor, admin };
inline constexpr uint32_t role_count = 5;
const char* role_name(Role role);
Status parse_role(Slice text, Role& out);

enum class PersonState : uint8_t { active, locked, removed };

// Whether a password lasts, or is a first one: whoever logs in with it must change it (service.h).
enum class PasswordTerm : uint8_t { lasting, first };

// Both in one word of tables and replies: "active", "locked", "removed", "active/first" or
// "locked/first". Who was removed has no password.
const char* person_state_name(PersonState state, PasswordTerm term);
Status parse_person_state(Slice text, PersonState& state, PasswordTerm& term);

enum class PinState : uint8_t { none, set, locked };
const char* pin_state_name(PinState state);

enum class AccountState : uint8_t { open, closed };

// True for 1 to currency_size_max upper-case letters.
bool currency_is_valid(Slice text);

struct Id {
    uint8_t size;  // bytes; 1 to id_size_max
    char text[id_size_max];
};

struct Memo {
    uint8_t size;
    char text[memo_size_max];
};

// Of a password or a PIN.
struct PasswordRecord {
    uint8_t size;
    char text[phc_size_max];
};

// A name for people to read: UTF-8 without control characters; size 0 for none.
struct Title {
    uint8_t size;
    char text[title_size_max];
};

// Returns invalid for what is too long, no UTF-8, or has control characters.
Status parse_title(Slice text, Title& out);

struct GenesisEntry {
    uint8_t bank_id[bank_id_size];
    uint8_t scale;
    uint8_t currency_size;
    char currency[currency_size_max];
};

struct LimitsEntry {
    uint32_t accounts;
    uint32_t ids;
    uint32_t terminals;
    uint32_t holds;
    uint32_t reversible;  // how many entries REVERSE reaches back
};

struct PersonEntry {
    uint32_t person;
    uint32_t account;
    PersonOperation operation;
    Role role;
    PersonState state;
    PasswordTerm term;      // added, password; else lasting
    Name name;
    PasswordRecord record;  // added, password, rehash: the password's; pin_set: the PIN's; else
                            // size 0
    Title title;            // added, title
    uint32_t day;           // added: local day on which it counts for a terminal; 0 for none
    uint32_t registered;    // that terminal's on that day, this one counted
    uint32_t registered_max;  // the bound of it in force
};

struct AccountEntry {
    uint32_t account;
    uint32_t owner;
    int64_t floor;
    int64_t ceiling;
    AccountState state;
    AccountOperation operation;
    Name name;
};

// What a movement about an order says beside.
struct OrderPart {
    uint32_t item;        // row; row_none when it was not found
    uint32_t quantity;    // 0 when the order was not found
    int64_t price;        // of one, minor units; 0 when it is not known
    int64_t price_asked;  // ORDER: minor units; 0 for none
    uint64_t order;       // CANCEL, ORDER DONE: which; 0 in an ORDER
    uint64_t evicted;     // ORDER: the closed order that it pushes out; 0 for none
    int64_t number;       // of a refusal
    OrderReason reason;
};

struct ItemEntry {
    uint32_t item;
    uint32_t stock;   // 0 where it is not counted
    int64_t price;    // minor units, > 0
    ItemOperation operation;
    bool counted;
    Name name;
    Title title;
};

struct MovementEntry {
    uint32_t debit;    // the account that gives; row_none when it was not found
    uint32_t credit;   // the account that receives
    int64_t amount;    // minor units, > 0 where it is booked; 0 where it moves nothing
    int64_t debit_after;
    int64_t credit_after;
    Position debit_previous;
    Position credit_previous;
    Position asker_previous;  // previous movement that the same person asked for
    Operation operation;
    Id id;
    Memo memo;
    Name missing;      // the name that no account had, for NOACCT
    uint64_t hold;     // number of the hold it is about; 0 for none
    uint32_t expires_s;  // of a HOLD, counted from the entry's time
    bool whole;        // no amount was named: CAPTURE of all, VOID, REVERSE
    uint64_t reversed;   // the entry that it reverses; 0 for none
    uint8_t group_place;  // from 1 to group_size; 0 when alone
    uint8_t group_size;   // movements that are booked or refused together; 0 when alone
    uint32_t day;         // local day for which it counts; 0 when it counts for none
    int64_t day_total;    // of its terminal on that day, after it
    int64_t day_max;      // the bound of that total in force; 0 for none
    bool beyond_day;      // that bound refused it
    OrderPart order;      // of a movement about an order; else zero
};

struct TerminalEntry {
    uint32_t terminal;
    Name name;
};

struct KeyEntry {
    Slice modulus;  // of the person who asked: mail_modulus_size bytes
};

struct MessageEntry {
    uint8_t place;     // from 1 to parts; 0 when refused
    uint8_t parts;
    Slice bytes;       // of the envelope that are in this part
    // Of the first part, and of a refused one:
    uint32_t to;       // account of the recipient; row_none when nobody was found
    uint32_t size;     // bytes of the whole envelope
    Position asker_previous;
    Hash hash;         // of the whole envelope
    Id id;
    Name missing;      // the name that nobody had, for NOACCT
};

struct ForgetEntry {
    uint64_t number;   // of a message to the person who asked
};

struct Entry {
    EntryKind kind;
    Status status;
    uint32_t person;
    uint32_t terminal;
    uint64_t seq;
    uint64_t time_ms;
    union {
        GenesisEntry genesis;
        LimitsEntry limits;
        PersonEntry row_person;
        AccountEntry account;
        MovementEntry movement;
        TerminalEntry row_terminal;
        ItemEntry item;
        KeyEntry key;
        MessageEntry message;
        ForgetEntry forget;
    };
};

// Appends the entry to `out`, which has entry_size_max of room.
void entry_encode(const Entry& entry, Writer& out);

// The version of its kind that an entry needs (E3).
uint32_t entry_version(const Entry& entry);

// True for what was asked for under an id: a movement, and a message's first part.
bool entry_is_request(const Entry& entry);
const Id& entry_request_id(const Entry& entry);
Position entry_asker_previous(const Entry& entry);

// How many parts an envelope of this size has.
uint32_t message_parts_of(uint32_t size);

// Takes a whole entry from untrusted bytes. Returns damaged, with `out` undefined, for anything
// that entry_encode would not have written (E1), failed for a kind or a version of a kind that only
// a newer program knows.
Status entry_decode(Slice bytes, Entry& out);
