#include "pennyctl/page.h"

#include <stdio.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/paper_text.h"

namespace {

// Whether all went well is asked once, at the end (tool_flushed).
void write_line(Slice text) {
    fwrite(text.data, 1, text.size, stdout);
    fputc('\n', stdout);
}

void write_title(Page& page) {
    Line line;
    uint8_t memory[32];
    Writer number = writer_of(memory, sizeof memory);
    put_text(number, "page ");
    put_decimal(number, page.number);
    line_begin(line);
    put_bytes(line.out, page.title);
    line_right(line, writer_slice(number), page_columns);
    write_line(writer_slice(line.out));
    page.lines = 1;
}

void turn(Page& page) {
    fputc('\f', stdout);
    page.number++;
    write_title(page);
    if (page.heads.size == 0) return;
    write_line({nullptr, 0});
    write_line(page.heads);
    page.lines += 2;
}

}  // namespace

void page_open(Page& page, Slice title) {
    page = {.title = title, .heads = {nullptr, 0}, .number = 1, .lines = 0};
    write_title(page);
}

void page_line(Page& page, Slice text) {
    if (page.lines == page_lines_max) turn(page);
    write_line(text);
    page.lines++;
}

void page_keep(Page& page, uint32_t lines) {
    CHECK(lines + 4 < page_lines_max);
    if (page.lines + lines > page_lines_max) turn(page);
}

void line_begin(Line& line) { line.out = writer_of(line.bytes, sizeof line.bytes); }

void line_to(Line& line, uint32_t column) {
    if (line.out.size > 0) put_u8(line.out, ' ');
    uint32_t at = text_columns(writer_slice(line.out));
    for (; at < column; at++) put_u8(line.out, ' ');
}

bool line_has_room(const Line& line, Slice text, uint32_t column) {
    return text_columns(writer_slice(line.out)) + 1 + text_columns(text) <= column;
}

void line_right(Line& line, Slice text, uint32_t column) {
    const uint32_t size = text_columns(text);
    line_to(line, size < column ? column - size : 0);
    put_bytes(line.out, text);
}

void line_end(Line& line, Page& page) {
    CHECK(!line.out.overflow);
    page_line(page, writer_slice(line.out));
    line_begin(line);
}
