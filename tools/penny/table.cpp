#include "penny/table.h"

#include <stdio.h>

#include "base/check.h"
#include "base/text.h"
#include "penny/print.h"

namespace {

// How many characters a terminal shows of a text that is UTF-8.
uint32_t width_of(Slice text) {
    uint32_t width = 0;
    for (uint32_t i = 0; i < text.size; i++) width += (text.data[i] & 0xc0) != 0x80 ? 1 : 0;
    return width;
}

// "2026-11-21T16:09:14.729Z" as "2026-11-21 16:09:14"; anything else stays as it is.
void put_moment(Writer& out, Slice text) {
    uint64_t ms = 0;
    if (parse_utc(text, ms) != Status::ok) return print_put_safe(out, text);
    put_bytes(out, slice_part(text, 0, 10));
    put_u8(out, ' ');
    put_bytes(out, slice_part(text, 11, 8));
}

void put_cell(Writer& out, const Value& value, Align align) {
    switch (value.type) {
        case ValueType::integer:
        case ValueType::boolean: return put_signed(out, value.integer);
        case ValueType::simple:
        case ValueType::error:
        case ValueType::bulk:
        case ValueType::real:
        case ValueType::verbatim:
        case ValueType::big:
            if (align == Align::moment) return put_moment(out, value.text);
            return print_put_safe(out, value.text);
        case ValueType::null:
        case ValueType::array:
        case ValueType::map:
        case ValueType::set:
        case ValueType::push: return;
    }
}

// 0 for a column that is not shown.
uint32_t column_width(const Table& table, uint32_t column) {
    if (table.columns[column].align == Align::hidden) return 0;
    uint32_t widest = 0;
    for (uint32_t row = 0; row < table.row_count; row++) {
        const uint32_t width = width_of(table.cells[row][column]);
        if (width > widest) widest = width;
    }
    const uint32_t title = slice_of(table.columns[column].title).size;
    return widest > 0 && title > widest ? title : widest;
}

void print_cell(Slice text, uint32_t width, Align align, bool is_last) {
    const int blanks = static_cast<int>(width - width_of(text));
    if (align == Align::right) printf("%*s", blanks, "");
    fwrite(text.data, 1, text.size, stdout);
    if (align != Align::right && !is_last) printf("%*s", blanks, "");
}

void print_line(const Table& table, const uint32_t* widths, const Slice* cells) {
    uint32_t last = 0;  // No blanks end the line.
    for (uint32_t i = 0; i < table.column_count; i++) {
        if (widths[i] > 0 && cells[i].size > 0) last = i;
    }
    for (uint32_t i = 0; i <= last; i++) {
        if (widths[i] == 0) continue;
        fputs("  ", stdout);
        print_cell(cells[i], widths[i], table.columns[i].align, i == last);
    }
    fputs("\n", stdout);
}

}  // namespace

void table_init(Table& table, const Column* columns, uint32_t count) {
    CHECK(count > 0 && count <= table_columns_max);
    table.columns = columns;
    table.column_count = count;
    table.row_count = 0;
    table.size = 0;
}

Status table_add(Table& table, const Reply& reply, uint32_t at) {
    if (table.row_count == table_rows_max) return Status::full;
    Slice* cells = table.cells[table.row_count];
    Writer out = writer_of(table.bytes, sizeof table.bytes);
    out.size = table.size;
    for (uint32_t i = 0; i < table.column_count; i++) {
        const uint32_t start = out.size;
        const Value* value = reply_find_in(reply, at, table.columns[i].key);
        if (value != nullptr) put_cell(out, *value, table.columns[i].align);
        cells[i] = {table.bytes + start, out.size - start};
    }
    if (out.overflow) return Status::full;
    table.size = out.size;
    table.row_count++;
    return Status::ok;
}

Slice table_cell(const Table& table, uint32_t row, uint32_t column) {
    CHECK(row < table.row_count);
    CHECK(column < table.column_count);
    return table.cells[row][column];
}

void table_print(const Table& table, Numbered numbered) {
    uint32_t widths[table_columns_max];
    Slice titles[table_columns_max];
    for (uint32_t i = 0; i < table.column_count; i++) {
        widths[i] = column_width(table, i);
        titles[i] = slice_of(table.columns[i].title);
    }
    const bool has_numbers = numbered == Numbered::yes;
    if (has_numbers) fputs("    ", stdout);
    print_line(table, widths, titles);
    for (uint32_t row = 0; row < table.row_count; row++) {
        if (has_numbers) printf("%4u", row + 1);
        print_line(table, widths, table.cells[row]);
    }
    fflush(stdout);
}
