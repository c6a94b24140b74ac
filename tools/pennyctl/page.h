// page.h - lines of 80 columns on pages of a printer, written to standard output.
//
// A page is page_lines_max lines; a form feed stands between two. Each begins with the title, its
// number, and the heads of columns. Texts are clean (paper_text.h).
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t page_columns = 80;
inline constexpr uint32_t page_lines_max = 60;  // A4 at six lines an inch has 66 or more

struct Page {
    Slice title;
    Slice heads;      // repeated on each page, below the title; empty for none
    uint32_t number;  // counts from 1
    uint32_t lines;   // on this page
};

// Begins the first page with its title line. `title` stays the caller's.
void page_open(Page& page, Slice title);

// Writes one line; begins a page when this one is full.
void page_line(Page& page, Slice text);

// Puts the next lines on one page.
void page_keep(Page& page, uint32_t lines);

// A line under construction.
struct Line {
    uint8_t bytes[1024];
    Writer out;
};

void line_begin(Line& line);
// Puts blanks up to this column, at least one behind a text.
void line_to(Line& line, uint32_t column);
// Puts a text so that it ends before this column; one blank at least is in front.
void line_right(Line& line, Slice text, uint32_t column);
// True when a text fits in front of the column.
bool line_has_room(const Line& line, Slice text, uint32_t column);
void line_end(Line& line, Page& page);
