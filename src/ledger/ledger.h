// ledger.h - who has how much: people, accounts, terminals, and the rules by which money moves.
//
// The ledger reads no clock, no disk and no randomness. It is changed in two steps: a request is
// *decided* against the newest values, which makes an Entry that carries its outcome; when the
// entry is durable it is *installed*, which copies and decides nothing. So each row has its values
// twice: `decided` runs ahead of `installed` by the batch in flight and the batch filling. Readers
// see installed values only.
//
//      request ──judge──► status ──book/add/set──► Entry ──(journal, durable)──► install
//                                  decided moves                        installed follows
//                                        ▲                 │ a batch failed
//                                        └── ledger_drop ◄─┘ decided falls back to installed
//
//   M1. The balances of all accounts, `cash` included, add up to zero after every entry (P2).
//   M2. After a movement the account that gave has floor <= balance - held, and the one that
//       received has balance <= ceiling. Money may leave an account above its ceiling.
//   M3. The state is a pure function of the entries installed (P4): hash order, pointers and the
//       decided columns never show in a digest.
//   M4. ledger_install checks every number against the rows before it copies: bytes of a disk,
//       however well hashed, never reach a CHECK (P7).
//   M5. Movements of one group are booked all or none, one behind the other, by one person.
//   M6. Row numbers are given once, in the order of entries, and never used again.
//   M7. A book that had an active admin keeps one, however people are changed. Who is removed has
//       no money, no holds and no other open account, and stays as a row: no name is given twice.
//   M8. What an order paid is its price times its quantity, that price was the item's when it was
//       made, and what is given back is just that, once.
#pragma once

#include "base/table.h"
#include "ledger/asked.h"
#include "ledger/days.h"
#include "ledger/holds.h"
#include "ledger/ids.h"
#include "ledger/orders.h"
#include "ledger/mail.h"
#include "ledger/reversals.h"

inline constexpr uint32_t account_cash = 0;  // rows that every book has, `cash` and `shop`
inline constexpr uint32_t account_shop = 1;

struct PersonValues {
    Role role;
    PersonState state;
    PinState pin;
    PasswordTerm term;
    uint32_t version;  // counts what ends logins since this process started; at least 1
    uint32_t changes;  // counts all that changes a person
};

// What a person chose. Large and rarely changed, so nothing is decided against it: a request that
// must see the newest waits until no change of the person is in flight.
struct PersonTexts {
    PasswordRecord password;  // size 0 once removed
    PasswordRecord pin;       // size 0 for none
    Title title;
};

struct Person {
    Name name;
    uint32_t account;
    uint32_t saved_epoch;    // when equal to Ledger.epoch, `saved` is what the snapshot shows
    PersonValues installed;
    PersonValues decided;
    PersonValues saved;
    PersonTexts texts;       // as installed
    PersonTexts texts_saved;
};

// The newest ids of one person; beside the people, so that their budget shows.
struct AskedRow {
    uint32_t saved_epoch;
    Asked installed;
    Asked decided;
    Asked saved;
};

struct AccountValues {
    int64_t balance;  // minor units
    int64_t held;     // minor units reserved by holds; >= 0
    int64_t floor;
    int64_t ceiling;
    Position last;    // newest entry of this account; 0 for none
    AccountState state;
};

struct Account {
    Name name;
    uint32_t owner;  // person, or row_none for accounts of the book itself
    uint32_t saved_epoch;
    AccountValues installed;
    AccountValues decided;
    AccountValues saved;
};

struct LedgerLimits {
    uint32_t accounts;   // people have one account each, so this bounds both
    uint32_t ids;
    uint32_t terminals;
    uint32_t holds;
    uint32_t reversible;
    uint32_t items;
    uint32_t orders;
    uint32_t message_keys;
    uint32_t messages;
    uint32_t mailbox;    // messages of one person
};

// The group whose entries are being installed (M5); size 0 between groups.
struct GroupInstall {
    uint8_t size;
    uint8_t place;     // of the newest entry installed
    bool booked;
    uint8_t culprits;  // entries that say why a refused group was refused
    uint32_t person;
};

struct Ledger {
    LedgerLimits limits;
    uint8_t scale;
    char currency[currency_size_max + 1];  // NUL-terminated; empty before the genesis entry

    Person* people;
    AskedRow* asked;       // by person
    uint32_t asked_loaded;  // rows of it that a checkpoint has given
    uint64_t reversed_loaded;  // newest reversed entry that a checkpoint has given
    Account* accounts;
    Name* terminals;
    TerminalRow* days;     // by terminal
    uint32_t days_loaded;  // terminals that rows of a checkpoint have got to
    uint32_t people_loaded;  // the same of its table of people, and how many rows that had
    uint32_t texts_loaded;
    uint32_t version_loaded;  // of a checkpoint that rows of `passwd` or `ids` need
    Table people_by_name;
    Table accounts_by_name;
    Table terminals_by_name;
    uint8_t key[16];  // of the name hashes: the bank id

    uint32_t people_decided;     // rows in use; installed <= decided
    uint32_t people_installed;
    uint32_t accounts_decided;
    uint32_t accounts_installed;
    uint32_t terminals_decided;
    uint32_t terminals_installed;

    Item* items;
    Table items_by_name;
    uint32_t items_decided;
    uint32_t items_installed;
    Orders orders;
    uint64_t ordered_loaded;   // id records behind which rows of a checkpoint have got
    uint64_t order_loaded;     // newest order that a checkpoint has given

    Holds holds;
    Ids ids;
    Reversals reversals;
    Mail mail;
    GroupInstall group;
    uint64_t ids_installed;      // ids.head as of the newest installed entry
    uint64_t seq_installed;      // newest entry installed
    uint64_t movements;          // installed movements that moved money
    uint32_t epoch;              // of the newest snapshot; see tables.h
    uint64_t ids_kept_from;      // a snapshot still needs id records from here on; UINT64_MAX none
    LimitsEntry limits_known;    // from the newest limits entry
};

// One movement of money as it was asked for. Accounts are row numbers; one that has no row is
// row_none and its name is in `missing`.
struct Movement {
    Operation operation;
    uint32_t person;
    uint32_t terminal;
    Id id;
    uint32_t debit;
    uint32_t credit;
    Name missing;
    int64_t amount;  // minor units, 1 to amount_minor_max; 0 with `whole`
    Memo memo;
    uint64_t hold;       // CAPTURE and VOID: which
    uint32_t expires_s;  // HOLD: 1 to hold_expires_s_max
    bool whole;          // no amount was named: CAPTURE of all, VOID, REVERSE
    uint64_t reversed;   // REVERSE: which entry; debit is row_none when it moved nothing
    uint64_t head;       // newest entry before its own, in a group too
    uint8_t group_place;  // from 1 to group_size; 0 when alone
    uint8_t group_size;
    uint32_t day;        // local day, when it comes from a terminal and counts; else 0
    int64_t day_max;     // bound of the terminal's total on that day; 0 for none
    bool beyond_day;     // for ledger_book: that bound is why it was judged `limit`
    OrderPart order;     // ORDER, CANCEL, ORDER DONE; its reason and number are for ledger_book
    Name item_name;      // ORDER: as it was asked for
    const IdRecord* remembered;  // the journal's answer about an older id; nullptr for none
};

// What ledger_judge has to say of a request that is not booked.
struct Refusal {
    const char* field;   // a literal, or nullptr
    OrderReason reason;  // with `state`, of a movement about an order
    int64_t number;      // that belongs to the reason
};

// One message as it was sent.
struct MessageAsked {
    uint32_t person;
    uint32_t terminal;
    Id id;
    uint32_t to;         // account of the recipient; row_none when nobody was found
    Name missing;        // and then the name
    Slice envelope;      // 1 to message_sealed_size_max bytes
    Hash hash;           // of it
    const IdRecord* remembered;  // as in Movement
};

// One change of a person as it was asked for. What the operation is not about is left blank.
struct PersonChange {
    PersonOperation operation;  // not added
    uint32_t person;
    uint32_t asked_by;
    uint32_t terminal;
    Role role;
    PasswordTerm term;      // password
    PasswordRecord record;  // password, rehash: the password's; pin_set: the PIN's
    Title title;
};

// A person to be added as it was asked for.
struct PersonToAdd {
    Name name;
    Role role;
    PasswordRecord password;
    PasswordTerm term;
    uint32_t asked_by;
    uint32_t terminal;
    uint32_t day;             // local day, when it counts for the terminal; else 0
    uint32_t registered_max;  // bound of what the terminal registers on that day
};

void ledger_layout(Ledger& ledger, Arena& arena, const LedgerLimits& limits);

// Empties the ledger. `key` spreads the name tables; it is the bank id.
void ledger_init(Ledger& ledger, const uint8_t key[bank_id_size]);

// Rows by name. They see decided rows; row_none when there is none.
uint32_t ledger_find_person(const Ledger& ledger, const Name& name);
uint32_t ledger_find_account(const Ledger& ledger, const Name& name);
uint32_t ledger_find_terminal(const Ledger& ledger, const Name& name);
uint32_t ledger_find_item(const Ledger& ledger, const Name& name);

// For CAPTURE and VOID: takes accounts, and the amount when none was named, from the hold if it is
// open as decided.
void ledger_resolve_hold(const Ledger& ledger, Movement& movement);

// For ORDER: takes price and amount from the item as decided; the amount is 0 where there is no
// item or it would be more than one movement can be. For CANCEL and ORDER DONE: takes what the
// order says if it is open as decided.
void ledger_resolve_order(const Ledger& ledger, Movement& movement);

// Judges a movement against the decided values and changes nothing. Returns
//   ok         it would be booked
//   replayed   `known` is the durable answer to the same request
//   pending    the same request is in a batch that is not durable yet
//   exists     the id was used for other content; `refusal.field` names what differs
//   oom        no room for another hold or order, or a checkpoint still needs the oldest id record
//   noacct closed funds limit state expired   a refusal, which is booked and remembered like a
//              success
//   amount     more than the hold has, or than one movement can be
//   err        the two accounts are the same one
// With `limit`, the field is "day" when it is the bound of the terminal's day, not the account's.
Status ledger_judge(const Ledger& ledger, const Movement& movement, const IdRecord*& known,
                    Refusal& refusal);

// Judges movements of one group, each as if those before it were booked, and changes nothing.
// `first` is the stamp that the first one will have; their ids are not known yet. Returns ok, or
// what movement `refused_at` comes to; `refusal` then is as ledger_judge has it.
Status ledger_judge_group(Ledger& ledger, const Movement* movements, uint32_t count,
                          const LogStamp& first, uint32_t& refused_at, Refusal& refusal);

// Says whether an id that the ring does not remember may be one of the person's newest requests all
// the same. The person's first `looked` requests have been looked at in the journal. Returns
//   ok       the ring remembers it, or it was never used
//   more     the journal must be read, `steps` requests back from the person's newest installed
//   pending  it may be a request that is not durable yet; ask again after the next commit
Status ledger_look_for_id(const Ledger& ledger, uint32_t person, Slice id, uint64_t looked,
                          uint32_t& steps);

// Makes the entry of a movement that was just judged `outcome` and moves the decided values.
void ledger_book(Ledger& ledger, const Movement& movement, Status outcome, const LogStamp& stamp,
                 Entry& out);

// Makes the entry that releases an expired hold (holds_find_expired) and moves the decided values.
void ledger_release(Ledger& ledger, uint32_t hold_slot, const LogStamp& stamp, Entry& out);

// Says whether a person of this name could be added: ok, exists, oom, or err for a reserved name.
Status ledger_judge_person(const Ledger& ledger, const Name& name);

// Says whether the terminal may register one more person on that day: ok, or limit.
Status ledger_judge_registration(const Ledger& ledger, uint32_t terminal, uint32_t day,
                                 uint32_t registered_max);

// Makes the entry that adds a person and an account of the same name, judged ok before.
void ledger_add_person(Ledger& ledger, const PersonToAdd& asked, const LogStamp& stamp, Entry& out);

// Judges a change of a person against the decided values and changes nothing. Returns
//   ok        it would be made
//   replayed  it holds already
//   pending   it will hold, or what it depends on will be known, after the next commit
//   state     it cannot be: `why` is a sentence for people
Status ledger_judge_change(const Ledger& ledger, const PersonChange& change, const char*& why);

// Makes the entry of a change that was just judged ok. Who is removed loses the account, too.
void ledger_change_person(Ledger& ledger, const PersonChange& change, const LogStamp& stamp,
                          Entry& out);

// Says whether an item of this name could be set: ok, err for a reserved name that none has, oom.
Status ledger_judge_item(const Ledger& ledger, const Name& name);

// Makes the entry that sets an item, which gets a row when it has none, or deletes it, as
// `values.listed` says.
void ledger_set_item(Ledger& ledger, uint32_t asked_by, uint32_t terminal, const Name& name,
                     const ItemValues& values, const LogStamp& stamp, Entry& out);

// The account by which a message names a person; row_none for a name that nobody has.
uint32_t ledger_find_recipient(const Ledger& ledger, const Name& name);

// Judges a message against the decided values and changes nothing. Returns as ledger_judge: ok,
// replayed, pending, exists; oom, with `field` "mailbox" or "messages" where that is what is full;
// noacct for nobody, closed for somebody who was removed, state for somebody without a key, all
// three of which are booked and remembered.
Status ledger_judge_message(const Ledger& ledger, const MessageAsked& asked,
                            const IdRecord*& known, const char*& field);

// Makes the first entry of a message that was just judged `outcome`, and moves the decided values;
// then, when it is ok, the entries of its parts from the second one on.
void ledger_book_message(Ledger& ledger, const MessageAsked& asked, Status outcome,
                         const LogStamp& stamp, Entry& out);
void ledger_message_part(const MessageAsked& asked, uint32_t place, const LogStamp& stamp,
                         Entry& out);

// Says whether a person's key would become this one, of mail_modulus_size bytes: ok; replayed when
// it is; pending while another is in flight; oom; state for somebody who was removed.
Status ledger_judge_key(const Ledger& ledger, uint32_t person, const uint8_t* modulus);
void ledger_set_key(Ledger& ledger, uint32_t person, uint32_t terminal, Slice modulus,
                    const LogStamp& stamp, Entry& out);

// Says whether somebody's message would be forgotten: ok; replayed when it is not in the mailbox;
// pending while it goes; absent for a number that no entry has.
Status ledger_judge_forget(const Ledger& ledger, uint32_t person, uint64_t number);
void ledger_forget(Ledger& ledger, uint32_t person, uint32_t terminal, uint64_t number,
                   const LogStamp& stamp, Entry& out);

// Makes the entry that gives a terminal's name a row. The caller has checked that there is room.
void ledger_add_terminal(Ledger& ledger, const Name& name, const LogStamp& stamp, Entry& out);

// The entries of a new book.
void ledger_genesis(Ledger& ledger, const GenesisEntry& genesis, const LogStamp& stamp, Entry& out);
void ledger_set_limits(Ledger& ledger, const LogStamp& stamp, Entry& out);
void ledger_add_account(Ledger& ledger, uint32_t asked_by, uint32_t terminal, const Name& name,
                        uint32_t owner, int64_t floor, int64_t ceiling, const LogStamp& stamp,
                        Entry& out);

// Makes the entry that gives an account other bounds or another state, as `values` says.
void ledger_set_account(Ledger& ledger, uint32_t asked_by, uint32_t terminal, uint32_t account,
                        AccountOperation operation, const AccountValues& values,
                        const LogStamp& stamp, Entry& out);

// Installs a durable entry that stands at `position`. With `replay` the decided values follow.
// Returns damaged, with the ledger unchanged, when the entry does not fit the rows (M4); full when
// it needs more rows than the limits allow.
enum class InstallMode : uint8_t { commit, replay };
Status ledger_install(Ledger& ledger, const Entry& entry, Position position, InstallMode mode);

// Rows of a checkpoint, in their order, into a ledger that tables_begin readied. Each returns
// damaged for a row that cannot be (a name twice, an owner who is nobody, an id older than the one
// before), full when the limits are too small.
Status ledger_load_person(Ledger& ledger, const Name& name, const PersonValues& values,
                          const PasswordRecord& password);
Status ledger_load_texts(Ledger& ledger, const Name& name, PinState pin,
                         const PasswordRecord& record, const Title& title);
Status ledger_load_day(Ledger& ledger, const Name& terminal, const TerminalDay& day);
Status ledger_load_account(Ledger& ledger, const Name& name, const Name& owner,
                           const AccountValues& values);
Status ledger_load_terminal(Ledger& ledger, const Name& name);
Status ledger_load_id(Ledger& ledger, const IdRecord& record);
Status ledger_load_asked(Ledger& ledger, const Name& name, const Asked& asked);
Status ledger_load_hold(Ledger& ledger, const Hold& hold);
Status ledger_load_item(Ledger& ledger, const Name& name, const ItemValues& values);
Status ledger_load_order(Ledger& ledger, const Order& order);
// The rest of the id record of that entry, which was loaded before.
Status ledger_load_ordered(Ledger& ledger, uint64_t seq, const IdRecord& rest);
Status ledger_load_reversed(Ledger& ledger, uint64_t seq);
Status ledger_load_key(Ledger& ledger, const Name& name, const uint8_t* modulus);
Status ledger_load_message(Ledger& ledger, const MailSlot& message);

// Drops everything decided and not installed: its batch failed or never flew.
void ledger_drop(Ledger& ledger);

// True for a movement that is about the account that receives, as its first answer was; false where
// it is about the one that gives.
bool entry_is_about_credit(const Entry& entry);

// The record that the entry of a movement, or a message's first, leaves behind (P3).
IdRecord id_record_of(const Entry& entry);

// The sum over all installed balances; zero (M1).
int64_t ledger_sum(const Ledger& ledger);
