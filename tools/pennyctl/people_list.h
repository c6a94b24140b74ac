// people_list.h - the people of a class or a club, as a table in a text file has them.
//
//     name,display name
//     anna,"Anna Berg, 7b"
//     bert
//
// Pure: no file, no book, no heap. Every line is looked at before anything is done with any; a
// refusal is one sentence with file and line:
//
//     people.csv:12: anna: is in line 3 already
//
// What a line may be:
//   - it ends in a line feed or CR and LF, the last one in the end of the file too; it has at most
//     people_line_size_max bytes; UTF-8's mark may begin the file
//   - its cells stand apart by commas; blanks around one are no part of it; one in quotes may hold
//     commas, and a quote twice for one of it, but no end of a line
//   - a line whose cells are all empty is skipped, and so is the first other one where its first
//     cell is `name`, in whatever case
//   - the first cell is what parse_name takes, and not reserved; the second, where there is one, is
//     what parse_title takes; cells behind it are empty
//
//   P1. After a refusal `rows` is not to be used.
//   P2. No name is there twice.
//   P3. What people_list_put writes is read as the same people, whatever they were read from.
#pragma once

#include "base/text.h"
#include "ledger/entry.h"

inline constexpr uint32_t people_list_max = 512;  // as many as can be revoked at once
inline constexpr uint32_t people_line_size_max = 511;  // bytes
inline constexpr uint32_t people_put_size_max = name_size_max + 2 * title_size_max + 4;  // a row

struct PersonRow {
    Name name;
    Title title;    // size 0 for none
    uint32_t line;  // from 1
};

struct PeopleList {
    const char* file;  // as sentences have it
    PersonRow rows[people_list_max];
    uint32_t count;
};

// Takes all lines of a text. Returns ok; invalid with `error` (P1), for a text without anybody too.
Status people_list_take(PeopleList& list, const char* file, Slice text, Writer& error);

// Puts "FILE:LINE: " and the name, for what only a book can know. Returns invalid.
Status people_list_refuse(const PeopleList& list, uint32_t row, const char* what, Writer& error);

// Puts a row as a line (P3).
void people_list_put(const PersonRow& row, Writer& out);
