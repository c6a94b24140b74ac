// zone.h - times as people write them: days and months, in local time.
//
// The journal is UTC. The tools turn that into local time with the C library and its zone files.
// The zone is the process's: zone_choose sets it once, before anything is printed (T1). Moments are
// milliseconds since 1970 UTC.
//
//   Z1. A day begins at the first moment of which its date or a later one is the local date, also
//       where the clock is set forward over midnight, or back.
#pragma once

#include "base/bytes.h"
#include "posix/time_zone.h"

struct ZoneDay {
    uint32_t year;   // 1970 to 9999
    uint32_t month;  // 1 to 12
    uint32_t day;    // 1 to 31
};

// Take "2026-11-21" and "2026-11" (whose day is 1). Return invalid for anything else.
Status zone_parse_day(Slice text, ZoneDay& out);
Status zone_parse_month(Slice text, ZoneDay& out);

ZoneDay zone_next_day(const ZoneDay& day);
ZoneDay zone_next_month(const ZoneDay& day);  // its first day

// The local date of a moment.
ZoneDay zone_day_of(uint64_t ms);

// Z1.
uint64_t zone_start_ms(const ZoneDay& day);

// 2026-11, 2026-11-21, 14:55:11+01:00, 14:55:11.284+01:00.
void put_zone_month(Writer& writer, const ZoneDay& day);
void put_zone_date(Writer& writer, uint64_t ms);
void put_zone_clock(Writer& writer, uint64_t ms);
void put_zone_clock_ms(Writer& writer, uint64_t ms);
