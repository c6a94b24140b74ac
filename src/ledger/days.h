// days.h - what each terminal has moved and whom it has registered on its present day.
//
// A day is a local one: the server is told how far local time is from UTC, and each entry that
// counts says its day, so a replay asks no time zone (P4). Only a terminal's newest day is kept.
//
//     day 20778          day 20778           day 20779
//     total 0      ──►   total 1250    ──►   total 300        the next day begins at zero
//             deposit 12.50       midnight, deposit 3.00
//
//   L1. The day of a terminal never goes back: where the clock is set back over midnight, or the
//       operator chooses a zone further west, the later day goes on.
//   L2. A local day is at most one day from that of UTC, so none comes from a time still to come.
//   L3. A total never rises above balance_minor_max, whatever is moved.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

struct TerminalDay {
    uint32_t day;         // since 1970-01-01, which counts as day 1 too; 0: nothing has counted
    uint32_t registered;  // people
    int64_t total;        // minor units
};

// Three views of it, as of all that is decided, installed and saved for a snapshot.
struct TerminalRow {
    uint32_t saved_epoch;
    TerminalDay installed;
    TerminalDay decided;
    TerminalDay saved;
};

// The local day of a moment, by seconds east of UTC.
uint32_t days_at(uint64_t time_ms, int32_t utc_offset_s);

// L2: whether it can be the local day of this moment; of this one or an earlier one.
bool days_fits_time(uint32_t day, uint64_t time_ms);
bool days_is_past(uint32_t day, uint64_t time_ms);

// What the terminal has on `day`, or on its own where that is later (L1).
TerminalDay days_on(const TerminalDay& now, uint32_t day);

// The total after another amount (L3).
int64_t days_add(int64_t total, int64_t amount);
