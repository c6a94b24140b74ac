// status.h - every outcome that a function of src/ can report, as one enum that may not be ignored.
//
// The rows are in status.def. Values are stored in journal entries, so a row is never moved or
// removed; new rows go to the end.
#pragma once

#include <stdint.h>

enum class [[nodiscard]] Status : uint8_t {
#define STATUS(name, word, remembered, meaning) name,
#include "base/status.def"
#undef STATUS
};

inline constexpr uint32_t status_count = 0
#define STATUS(name, word, remembered, meaning) +1
#include "base/status.def"
#undef STATUS
    ;

// The first word of an error reply, "" for a status that never reaches a peer.
const char* status_word(Status status);

// One plain sentence without a full stop.
const char* status_meaning(Status status);

// True where an answer with this status is journaled and remembered under its id (P3).
bool status_is_remembered(Status status);

// Turns a byte read from disk into a status. Returns damaged, with `out` unchanged, for a value
// that no row has.
Status status_from_byte(uint8_t value, Status& out);
