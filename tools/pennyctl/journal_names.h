// journal_names.h - the names behind the row numbers of a journal, gathered while walking it.
//
// The entries have been proven before (check_sums tells its visitors only such): rows come one
// after the other, and an entry names only rows that are there. The memory comes from malloc and
// is bounded by the accounts, people, terminals and items of the book.
#pragma once

#include "ledger/ledger.h"

struct JournalAccount {
    Name name;
    uint32_t owner;  // person, or row_none
};

struct JournalAccounts {
    JournalAccount* rows;
    uint32_t count;
    uint32_t room;
};

struct JournalRows {
    Name* rows;
    uint32_t count;
    uint32_t room;
};

struct JournalNames {
    JournalAccounts accounts;
    JournalRows people;
    JournalRows terminals;
    JournalRows items;
};

// Notes what an entry adds. Returns ok, or oom.
Status names_note(JournalNames& names, const Entry& entry);
void names_free(JournalNames& names);

// The name of a row; empty for row_none.
Slice names_account(const JournalNames& names, uint32_t row);
Slice names_person(const JournalNames& names, uint32_t row);
Slice names_terminal(const JournalNames& names, uint32_t row);
Slice names_item(const JournalNames& names, uint32_t row);

// The account of that name; row_none when there is none.
uint32_t names_find_account(const JournalNames& names, const Name& name);

// Where an account belongs in the books of others.
enum class AccountPlace : uint8_t { cash, shop, member, fund };
AccountPlace names_place(const JournalNames& names, uint32_t row);
