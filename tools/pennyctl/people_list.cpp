#include "pennyctl/people_list.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr uint32_t shown_size_max = 40;  // bytes of somebody's text in a sentence
constexpr uint8_t mark[] = {0xef, 0xbb, 0xbf};
constexpr uint32_t cells_kept = 2;

// One cell without its quotes. It is never longer than its line.
struct Cell {
    uint8_t bytes[people_line_size_max];
    uint32_t size;
};

// One line on its way.
struct Line {
    PeopleList& list;
    Writer& error;
    uint32_t number;
    Slice rest;              // what is left of it
    Cell cells[cells_kept];
    bool is_empty;           // up to now
    bool has_more;           // a cell behind the second is not empty
};

Slice cell_slice(const Cell& cell) { return {cell.bytes, cell.size}; }

Status refuse(Line& line, Slice about, const char* what) {
    line.error.size = 0;
    put_text(line.error, line.list.file);
    put_u8(line.error, ':');
    put_decimal(line.error, line.number);
    put_text(line.error, ": ");
    if (about.size > 0) {
        put_printable(line.error, about, shown_size_max);
        put_text(line.error, ": ");
    }
    put_text(line.error, what);
    return Status::invalid;
}

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

void skip(Slice& text, uint32_t size) { text = slice_part(text, size, text.size - size); }

void skip_blanks(Slice& text) {
    while (text.size > 0 && is_blank(text.data[0])) skip(text, 1);
}

void add(Cell& cell, uint8_t byte) {
    CHECK(cell.size < sizeof cell.bytes);
    cell.bytes[cell.size++] = byte;
}

Status take_quoted(Line& line, Cell& out) {
    skip(line.rest, 1);
    for (;;) {
        if (line.rest.size == 0) return refuse(line, {}, "a quote is not closed in its line");
        const uint8_t byte = line.rest.data[0];
        skip(line.rest, 1);
        const bool is_quote = byte == '"';
        const bool is_twice = is_quote && line.rest.size > 0 && line.rest.data[0] == '"';
        if (is_quote && !is_twice) break;
        if (is_twice) skip(line.rest, 1);
        add(out, byte);
    }
    skip_blanks(line.rest);
    if (line.rest.size == 0 || line.rest.data[0] == ',') return Status::ok;
    return refuse(line, {}, "a cell goes on behind its closing quote");
}

Status take_plain(Line& line, Cell& out) {
    while (line.rest.size > 0 && line.rest.data[0] != ',') {
        if (line.rest.data[0] == '"') return refuse(line, {}, "a quote stands inside of a cell");
        add(out, line.rest.data[0]);
        skip(line.rest, 1);
    }
    while (out.size > 0 && is_blank(out.bytes[out.size - 1])) out.size--;
    return Status::ok;
}

Status take_cells(Line& line) {
    static Cell other;
    line.is_empty = true;
    line.has_more = false;
    for (Cell& cell : line.cells) cell.size = 0;
    for (uint32_t i = 0;; i++) {
        Cell& cell = i < cells_kept ? line.cells[i] : other;
        cell.size = 0;
        skip_blanks(line.rest);
        const bool is_quoted = line.rest.size > 0 && line.rest.data[0] == '"';
        const Status status = is_quoted ? take_quoted(line, cell) : take_plain(line, cell);
        if (status != Status::ok) return status;
        if (cell.size > 0) line.is_empty = false;
        if (cell.size > 0 && i >= cells_kept) line.has_more = true;
        if (line.rest.size == 0) return Status::ok;
        skip(line.rest, 1);  // The comma; another cell follows, be it an empty one.
    }
}

Status take_person(Line& line) {
    PeopleList& list = line.list;
    const Slice name = cell_slice(line.cells[0]);
    PersonRow row = {};
    row.line = line.number;
    if (name.size == 0) return refuse(line, {}, "the name is missing");
    if (parse_name(name, row.name) != Status::ok) {
        return refuse(line, name, "is no name: a letter and up to 30 of [a-z0-9._-], not ending "
                                  "in '.'");
    }
    if (name_is_reserved(row.name)) return refuse(line, name, "the name is reserved");
    if (line.has_more) return refuse(line, name, "has more than a name and a name to show");
    if (parse_title(cell_slice(line.cells[1]), row.title) != Status::ok) {
        return refuse(line, name, "a name to show is at most 63 bytes of UTF-8 without control "
                                  "characters");
    }
    for (uint32_t i = 0; i < list.count; i++) {
        if (!name_equal(list.rows[i].name, row.name)) continue;
        uint8_t text[48];
        Writer what = writer_of(text, sizeof text);
        put_text(what, "is in line ");
        put_decimal(what, list.rows[i].line);
        put_text(what, " already");
        put_u8(what, 0);
        return refuse(line, name, reinterpret_cast<char*>(text));
    }
    if (list.count == people_list_max) return refuse(line, name, "is one too many: at most 512");
    list.rows[list.count++] = row;
    return Status::ok;
}
static_assert(people_list_max == 512 && title_size_max == 63, "sentences say so");

// Cuts the next line off, without its end.
Slice cut_line(Slice& text) {
    uint32_t size = 0;
    while (size < text.size && text.data[size] != '\n') size++;
    Slice line = slice_part(text, 0, size);
    skip(text, size < text.size ? size + 1 : size);
    if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
    return line;
}

bool needs_quotes(Slice text) {
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == ',' || text.data[i] == '"') return true;
    }
    return text.size > 0 && (is_blank(text.data[0]) || is_blank(text.data[text.size - 1]));
}

}  // namespace

Status people_list_take(PeopleList& list, const char* file, Slice text, Writer& error) {
    Line line = {list, error, 0, {}, {}, true, false};
    list.file = file;
    list.count = 0;
    bool is_first = true;
    if (text.size >= sizeof mark && memcmp(text.data, mark, sizeof mark) == 0) {
        skip(text, sizeof mark);
    }
    while (text.size > 0) {
        line.number++;
        line.rest = cut_line(text);
        if (line.rest.size > people_line_size_max) return refuse(line, {}, "the line is too long");
        Status status = take_cells(line);
        if (status != Status::ok) return status;
        if (line.is_empty) continue;
        const bool is_head = is_first && slice_equal_nocase(cell_slice(line.cells[0]), "name");
        is_first = false;
        if (is_head) continue;
        status = take_person(line);
        if (status != Status::ok) return status;
    }
    if (list.count > 0) return Status::ok;
    error.size = 0;
    put_text(error, file);
    put_text(error, " names nobody");
    return Status::invalid;
}

Status people_list_refuse(const PeopleList& list, uint32_t row, const char* what, Writer& error) {
    error.size = 0;
    put_text(error, list.file);
    put_u8(error, ':');
    put_decimal(error, list.rows[row].line);
    put_text(error, ": ");
    put_bytes(error, name_slice(list.rows[row].name));
    put_text(error, ": ");
    put_text(error, what);
    return Status::invalid;
}

void people_list_put(const PersonRow& row, Writer& out) {
    const Slice title = slice_of_chars(row.title.text, row.title.size);
    const bool quotes = needs_quotes(title);
    put_bytes(out, name_slice(row.name));
    if (title.size > 0) put_u8(out, ',');
    if (quotes) put_u8(out, '"');
    for (uint32_t i = 0; i < title.size; i++) {
        if (title.data[i] == '"') put_u8(out, '"');
        put_u8(out, title.data[i]);
    }
    if (quotes) put_u8(out, '"');
    put_u8(out, '\n');
}
