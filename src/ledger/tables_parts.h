// tables_parts.h - what writing and reading rows share. Private to ledger/tables*.cpp.
#pragma once

#include "ledger/tables.h"

// Appends one row with its line end, or nothing where the table has none for it.
void tables_put_row(const Ledger& ledger, TableName table, uint64_t row, Writer& out);

// The first version of a checkpoint that may say that an id was used for this.
inline uint32_t tables_since_operation(Operation operation) {
    return operation == Operation::message ? 3 : 1;
}

// The same of a password.
inline uint32_t tables_since_term(PasswordTerm term) {
    return term == PasswordTerm::first ? 4 : 1;
}

// Whether there is more to say of a person than `passwd` does. Who was removed has a row too,
// although `passwd` says so: it keeps programs that know no such state from reading that (T4).
bool tables_has_texts(const PersonValues& values, const PersonTexts& texts);
