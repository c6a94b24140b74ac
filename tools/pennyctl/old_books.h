// old_books.h - the two files of an older bank: its people with their hashes, and what they had.
//
//     passwd     name:md5hex     or     name md5hex      one person a line
//     balance    name balance    or     name:balance     at most one line for each of these
//
// Pure: no file, no book, no heap. Whoever calls brings the texts and the memory. Every line is
// looked at before anything is done with any; a refusal is one sentence with file and line:
//
//     passwd.txt:12: alice: is in line 3 already
//
// What a line may be:
//   - it ends in a line feed, the last one too, or CR and LF: without its end nobody can tell a
//     whole amount from one that was cut short
//   - it has at most old_line_size_max bytes, its end left out; one of blanks and tabs is skipped
//   - name and value stand apart by one ':' or by blanks and tabs; UTF-8's mark may begin the file
//   - a name is what parse_name takes once A to Z are folded to a to z, and not reserved
//   - a hash is 32 hex digits, of either case, and not that of no password at all
//   - a balance is digits with at most `scale` decimals, 0 to amount_minor_max; none below zero
//
//   O1. After a refusal `people` is not to be used: nothing of it may be imported.
//   O2. No name is there twice, in either file, and no balance without a person.
//   O3. No byte of a hash ever gets into a sentence.
#pragma once

#include "base/arena.h"
#include "base/table.h"
#include "base/text.h"
#include "crypto/password.h"

inline constexpr uint32_t old_line_size_max = 255;  // bytes

struct OldPerson {
    Name name;
    uint8_t md5[password_md5_size];  // lower-case digits
    uint32_t line;          // in passwd, from 1
    int64_t balance;        // minor units, >= 0
    uint32_t balance_line;  // in balance; 0 for none
};

struct OldBooks {
    OldPerson* people;  // in the order of their lines
    uint32_t room;
    uint32_t count;
    uint8_t scale;
    uint8_t key[16];    // of the name hashes
    Table by_name;
};

// What one file is called in sentences, and what it holds.
struct OldFile {
    const char* name;
    Slice text;
};

void old_books_layout(OldBooks& books, Arena& arena, uint32_t people_max);

// Empties them. `key` is one that the files cannot know.
void old_books_init(OldBooks& books, uint8_t scale, const uint8_t key[16]);

// Takes all lines of a file; people before balances. Return ok, or invalid with `error` (O1).
Status old_books_take_people(OldBooks& books, const OldFile& file, Writer& error);
Status old_books_take_balances(OldBooks& books, const OldFile& file, Writer& error);

// Puts "FILE:LINE: " and the name, for what only the book can know. Returns invalid.
Status old_books_refuse(const OldFile& file, uint32_t line, const Name& name, const char* what,
                        Writer& error);
