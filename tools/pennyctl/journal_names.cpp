#include "pennyctl/journal_names.h"

#include <stdlib.h>

#include "base/check.h"

namespace {

// Makes room for one row more.
template <typename Rows>
Status grow(Rows& rows) {
    if (rows.count < rows.room) return Status::ok;
    const uint32_t room = rows.room == 0 ? 256 : 2 * rows.room;
    void* grown = realloc(rows.rows, size_t{room} * sizeof rows.rows[0]);
    if (grown == nullptr) return Status::oom;
    rows.rows = static_cast<decltype(rows.rows)>(grown);
    rows.room = room;
    return Status::ok;
}

template <typename Rows, typename Row>
Status add(Rows& rows, const Row& row) {
    const Status status = grow(rows);
    if (status == Status::ok) rows.rows[rows.count++] = row;
    return status;
}

Status note_person(JournalNames& names, const PersonEntry& person) {
    if (person.operation != PersonOperation::added) return Status::ok;
    const Status status = add(names.people, person.name);
    if (status != Status::ok) return status;
    return add(names.accounts, JournalAccount{person.name, person.person});
}

Status note_account(JournalNames& names, const AccountEntry& account) {
    if (account.operation != AccountOperation::open) return Status::ok;
    return add(names.accounts, JournalAccount{account.name, account.owner});
}

Slice name_in(const JournalRows& rows, uint32_t row) {
    if (row == row_none) return {nullptr, 0};
    CHECK(row < rows.count);
    return name_slice(rows.rows[row]);
}

}  // namespace

Status names_note(JournalNames& names, const Entry& entry) {
    if (entry.kind == EntryKind::person) return note_person(names, entry.row_person);
    if (entry.kind == EntryKind::account) return note_account(names, entry.account);
    if (entry.kind == EntryKind::terminal) return add(names.terminals, entry.row_terminal.name);
    const bool is_new_item =
        entry.kind == EntryKind::item && entry.item.item == names.items.count;
    if (is_new_item) return add(names.items, entry.item.name);
    return Status::ok;
}

void names_free(JournalNames& names) {
    free(names.accounts.rows);
    free(names.people.rows);
    free(names.terminals.rows);
    free(names.items.rows);
    names = {};
}

Slice names_account(const JournalNames& names, uint32_t row) {
    if (row == row_none) return {nullptr, 0};
    CHECK(row < names.accounts.count);
    return name_slice(names.accounts.rows[row].name);
}

Slice names_person(const JournalNames& names, uint32_t row) { return name_in(names.people, row); }

Slice names_terminal(const JournalNames& names, uint32_t row) {
    return name_in(names.terminals, row);
}

Slice names_item(const JournalNames& names, uint32_t row) { return name_in(names.items, row); }

uint32_t names_find_account(const JournalNames& names, const Name& name) {
    for (uint32_t row = 0; row < names.accounts.count; row++) {
        if (name_equal(names.accounts.rows[row].name, name)) return row;
    }
    return row_none;
}

AccountPlace names_place(const JournalNames& names, uint32_t row) {
    CHECK(row < names.accounts.count);
    if (row == account_cash) return AccountPlace::cash;
    if (row == account_shop) return AccountPlace::shop;
    return names.accounts.rows[row].owner == row_none ? AccountPlace::fund : AccountPlace::member;
}
