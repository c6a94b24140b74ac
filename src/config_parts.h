// config_parts.h - what the files of the configuration share. Private to src/config*.cpp.
//
//     config.cpp         sections, keys and files
//     config_values.cpp  the rows of config.def, and what one value may be
//     config_check.cpp   whether the options fit together
#pragma once

#include "config.h"

inline constexpr uint32_t config_rows_max = 0
#define OPTION(section, key, type, field, value_default, min, max, unit, help) +1
#include "config.def"
#undef OPTION
    ;

// Whether this build has any channel of the laboratory.
inline constexpr bool config_has_lab = false
#define LAB_BUILT(symbol) || true
#include "lab_built.def"
#undef LAB_BUILT
    ;

// Stores a value. Returns invalid, with the field as it was, for what the row does not allow.
Status config_store(const ConfigRow& row, uint8_t* fields, Slice value);

bool config_is_blank(uint8_t byte);

// Without the blanks around it.
Slice config_trim(Slice text);

// The index of the first such byte, or the size when there is none.
uint32_t config_find_byte(Slice text, uint8_t byte);
