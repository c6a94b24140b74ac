// table.h - lists of maps as a table for people: columns as wide as their widest cell, amounts
// right-aligned, so that points stand below each other.
//
// A cell is kept as it is shown: nothing in it is obeyed by a terminal. The table lies in the
// memory of whoever declares it.
#pragma once

#include "penny/reply.h"

inline constexpr uint32_t table_columns_max = 9;
inline constexpr uint32_t table_rows_max = 512;
inline constexpr uint32_t table_bytes_max = 1u << 18;

enum class Align : uint8_t {
    left,
    right,   // amounts and numbers
    moment,  // a time of RFC 3339, shown to the second
    hidden,  // kept for table_cell
};

struct Column {
    const char* key;    // in the maps
    const char* title;
    Align align;
};

struct Table {
    const Column* columns;
    uint32_t column_count;
    uint32_t row_count;
    Slice cells[table_rows_max][table_columns_max];
    uint8_t bytes[table_bytes_max];
    uint32_t size;
};

void table_init(Table& table, const Column* columns, uint32_t count);

// Adds the map at `at` of a reply; a value that is missing leaves its cell empty. Returns full,
// with nothing added, without room.
Status table_add(Table& table, const Reply& reply, uint32_t at);

Slice table_cell(const Table& table, uint32_t row, uint32_t column);

// Prints it on standard output; each row begins with its number if `numbered`. A column that is
// empty in every row is left out.
enum class Numbered : uint8_t { no, yes };
void table_print(const Table& table, Numbered numbered);
