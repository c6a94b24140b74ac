// paper_text.h - texts that people wrote, on their way to paper and into the files of others.
//
// Pure: no file, no clock, no heap. A memo, an id or a name came from a peer and is data here,
// never markup; what it is written into differs, and so do the escapes.
//
//   X1. Clean text is printable UTF-8 in one line: control bytes, what is not UTF-8, characters
//       that end a line or turn the direction of writing, and the backslash itself stand as \xNN.
//   X2. No cell of a CSV file begins as a formula does (OWASP, "CSV Injection"): in front of
//       = + - @ stands a '. So it does behind a ; which some programs take for the end of a cell.
//   X3. No text ends the comment of an hledger journal or adds a tag to it: ; stands as \x3b, and
//       behind a comma : as \x3a.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t paper_text_size_max = 128;  // bytes of one text, before it is cleaned
inline constexpr uint32_t paper_clean_size_max = 4 * paper_text_size_max;

// X1. Clean text has at most 4 times the bytes.
void put_clean(Writer& writer, Slice text);

// X1 and X2, with the quotes of RFC 4180 where they are needed.
void put_csv_text(Writer& writer, Slice text);

// X1 and X3.
void put_hledger_text(Writer& writer, Slice text);

// The columns that clean text takes where all letters are as wide: two for East Asian ones and
// pictures, none for a mark on the letter before.
uint32_t text_columns(Slice clean);

// Cuts the next line of at most `columns`, at least 2, off clean text: at a blank, which is left
// out, or within a word that is too long. Returns end when nothing is left.
Status cut_line(Reader& rest, uint32_t columns, Slice& out);
