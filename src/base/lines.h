// lines.h - small text files of ours, line by line: "word value ...\n", single blanks between.
//
// Manifests and such are written by put_line_ and read back by take_, which believe nothing: any
// other spelling of the same thing (a blank more, a zero in front, upper-case hex) is damaged, so
// that a text has one spelling only and its hash means something. No memory is kept.
#pragma once

#include "base/text.h"

void put_line_number(Writer& out, const char* word, uint64_t value);
void put_line_hex(Writer& out, const char* word, Slice bytes);

// These take the next word of a line. All return ok or damaged.
Status take_word(Reader& line, const char* word);
Status take_number(Reader& line, uint64_t maximum, uint64_t& out);
Status take_hex(Reader& line, uint8_t* out, uint32_t size);  // lower-case only
Status take_text(Reader& line, Writer& out);                 // as put_escaped writes it
Status take_end(Reader& line);                               // nothing is left of it

// These take the next whole line of a text. All return ok or damaged.
Status take_line(Reader& text, const char* word, Reader& rest);  // its first word
Status take_line_number(Reader& text, const char* word, uint64_t maximum, uint64_t& out);
Status take_line_hex(Reader& text, const char* word, uint8_t* out, uint32_t size);
