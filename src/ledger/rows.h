// rows.h - what deciding and installing share: how rows are put, and what a movement does to them.
//
// Private to the room: only ledger.cpp, install.cpp, ordering.cpp, people.cpp and rows.cpp include
// it.
#pragma once

#include "ledger/ledger.h"

uint64_t rows_hash_of_name(const Ledger& ledger, const Name& name);

// The first half of the memo's SHA-256; zero without memo.
void rows_hash_memo(const Memo& memo, uint8_t out[16]);

// M2, for the account that receives and for the one that gives.
bool rows_fits_ceiling(const AccountValues& account, int64_t amount);
bool rows_fits_floor(const AccountValues& account, int64_t amount);

// The accounts that every book has come first, under their names.
bool rows_name_fits(uint32_t row, const Name& name);

// Readies the next row and enters its name. The row is the next one, and there is room.
void rows_put_account(Ledger& ledger, uint32_t row, const Name& name, uint32_t owner);
void rows_put_person(Ledger& ledger, uint32_t row, const Name& name, uint32_t account);
void rows_put_terminal(Ledger& ledger, uint32_t row, const Name& name);

AccountValues rows_member_account();

// Begins the entry of something that is about to be decided.
Entry rows_entry(EntryKind kind, uint32_t person, uint32_t terminal, const LogStamp& stamp);

// What an entry makes of a person; the same for decided and for installed values.
PersonValues rows_change_person(const PersonValues& before, const PersonEntry& entry);
void rows_change_texts(PersonTexts& texts, const PersonEntry& entry);

// The item's values behind an entry that sets or deletes it.
ItemValues rows_item_values(const ItemEntry& entry);

// Readies the next row of the items and enters its name. There is room.
void rows_put_item(Ledger& ledger, uint32_t row, const Name& name);

// ordering.cpp: what concerns orders, of a movement about one. Each is called beside what holds for
// every movement.
//
// Whether it is possible, accounts and all, as decided.
Status rows_judge_order(const Ledger& ledger, const Movement& movement, Refusal& refusal);
const char* rows_order_difference(const Ledger& ledger, const IdRecord& record,
                                  const Movement& movement);
// Moves the decided orders and stock; the entry says then what it pushes out.
void rows_decide_order(Ledger& ledger, Entry& entry);

// What an entry changed of orders and stock, as it was before; and taking it back.
struct OrderUndo {
    uint32_t item;        // row_none for none
    uint32_t stock;
    uint32_t slot;        // of the order that it ended or pushed out; pool_none for none
    OrderState state;
};
OrderUndo rows_order_undo(const Ledger& ledger, const Movement& movement);
void rows_take_back_order(Ledger& ledger, const Movement& movement, const OrderUndo& undo);

// M4 and M8: ok, damaged, or full; then rows_install_order installs it.
Status rows_order_fits(const Ledger& ledger, const Entry& entry, InstallMode mode);
void rows_install_order(Ledger& ledger, const Entry& entry, InstallMode mode);
bool rows_order_refusal_fits(const Ledger& ledger, const MovementEntry& movement);
Status rows_install_item(Ledger& ledger, const ItemEntry& entry, InstallMode mode);

// Lets items and orders fall back to what is installed.
void rows_drop_orders(Ledger& ledger);

// The total of the terminal's day after a movement that is booked or not.
TerminalDay rows_count_movement(const TerminalDay& now, uint32_t day, int64_t amount, bool booked);

// The hold that the entry of a HOLD makes, open as decided.
Hold rows_hold_of(const Entry& entry);

// Adds a movement's request to its person's newest.
void rows_add_asked(const Ledger& ledger, const Entry& entry, Position position, Asked& asked);

// What a movement does to its two accounts; the same for decided and for installed values. Returns
// true when the credit account joins, so that its chain goes on too.
bool rows_apply(Operation operation, int64_t amount, int64_t hold_amount, AccountValues& debit,
                AccountValues& credit);
