#include "pennyctl/zone.h"

#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint64_t day_s = 86400;

bool is_leap(uint32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

uint32_t days_of(uint32_t year, uint32_t month) {
    constexpr uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// Takes exactly so many digits.
Status take_digits(Slice text, uint32_t from, uint32_t count, uint32_t& out) {
    uint32_t value = 0;
    if (from + count > text.size) return Status::invalid;
    for (uint32_t i = from; i < from + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return Status::invalid;
        value = value * 10 + static_cast<uint32_t>(text.data[i] - '0');
    }
    out = value;
    return Status::ok;
}

bool is_before(const ZoneDay& a, const ZoneDay& b) {
    if (a.year != b.year) return a.year < b.year;
    if (a.month != b.month) return a.month < b.month;
    return a.day < b.day;
}

tm local_of(uint64_t unix_s) {
    tm local = {};
    const time_t when = static_cast<time_t>(unix_s);
    const tm* found = localtime_r(&when, &local);
    CHECK(found != nullptr);  // Every year that milliseconds can reach fits into a tm.
    return local;
}

uint64_t utc_midnight_s(const ZoneDay& day) {
    uint64_t days = 0;
    for (uint32_t year = 1970; year < day.year; year++) days += is_leap(year) ? 366 : 365;
    for (uint32_t month = 1; month < day.month; month++) days += days_of(day.year, month);
    return (days + day.day - 1) * day_s;
}

void put_digits(Writer& writer, uint32_t value, uint32_t count) {
    char text[16];
    snprintf(text, sizeof text, "%0*u", static_cast<int>(count), value);
    put_text(writer, text);
}

void put_clock(Writer& writer, const tm& local) {
    put_digits(writer, static_cast<uint32_t>(local.tm_hour), 2);
    put_u8(writer, ':');
    put_digits(writer, static_cast<uint32_t>(local.tm_min), 2);
    put_u8(writer, ':');
    put_digits(writer, static_cast<uint32_t>(local.tm_sec), 2);
}

void put_offset(Writer& writer, const tm& local) {
    const bool west = local.tm_gmtoff < 0;
    const uint32_t minutes =
        static_cast<uint32_t>((west ? -local.tm_gmtoff : local.tm_gmtoff) / 60);
    put_u8(writer, west ? '-' : '+');
    put_digits(writer, minutes / 60, 2);
    put_u8(writer, ':');
    put_digits(writer, minutes % 60, 2);
}

}  // namespace

Status zone_parse_month(Slice text, ZoneDay& out) {
    ZoneDay found = {0, 0, 1};
    if (text.size != 7 || text.data[4] != '-') return Status::invalid;
    if (take_digits(text, 0, 4, found.year) != Status::ok) return Status::invalid;
    if (take_digits(text, 5, 2, found.month) != Status::ok) return Status::invalid;
    if (found.year < 1970 || found.month < 1 || found.month > 12) return Status::invalid;
    out = found;
    return Status::ok;
}

Status zone_parse_day(Slice text, ZoneDay& out) {
    ZoneDay found = {};
    if (text.size != 10 || text.data[7] != '-') return Status::invalid;
    if (zone_parse_month(slice_part(text, 0, 7), found) != Status::ok) return Status::invalid;
    if (take_digits(text, 8, 2, found.day) != Status::ok) return Status::invalid;
    if (found.day < 1 || found.day > days_of(found.year, found.month)) return Status::invalid;
    out = found;
    return Status::ok;
}

ZoneDay zone_next_day(const ZoneDay& day) {
    if (day.day == days_of(day.year, day.month)) return zone_next_month(day);
    return {day.year, day.month, day.day + 1};
}

ZoneDay zone_next_month(const ZoneDay& day) {
    return day.month == 12 ? ZoneDay{day.year + 1, 1, 1} : ZoneDay{day.year, day.month + 1, 1};
}

ZoneDay zone_day_of(uint64_t ms) {
    const tm local = local_of(ms / 1000);
    return {static_cast<uint32_t>(local.tm_year + 1900), static_cast<uint32_t>(local.tm_mon + 1),
            static_cast<uint32_t>(local.tm_mday)};
}

uint64_t zone_start_ms(const ZoneDay& day) {
    // No zone is further from UTC, and none has set its clock by less than the step.
    constexpr uint64_t offset_max_s = 26 * 3600;
    constexpr uint64_t step_s = 900;
    const uint64_t midnight_s = utc_midnight_s(day);
    uint64_t at_s = midnight_s < offset_max_s ? 0 : midnight_s - offset_max_s;
    const uint64_t end_s = midnight_s + offset_max_s;
    while (at_s < end_s && is_before(zone_day_of(at_s * 1000), day)) at_s += step_s;
    // The first moment is in the last step.
    uint64_t low_s = at_s < step_s ? 0 : at_s - step_s;
    while (low_s < at_s) {
        const uint64_t middle_s = low_s + (at_s - low_s) / 2;
        if (is_before(zone_day_of(middle_s * 1000), day)) {
            low_s = middle_s + 1;
        } else {
            at_s = middle_s;
        }
    }
    return at_s * 1000;
}

void put_zone_month(Writer& writer, const ZoneDay& day) {
    put_digits(writer, day.year, 4);
    put_u8(writer, '-');
    put_digits(writer, day.month, 2);
}

void put_zone_date(Writer& writer, uint64_t ms) {
    const ZoneDay day = zone_day_of(ms);
    put_zone_month(writer, day);
    put_u8(writer, '-');
    put_digits(writer, day.day, 2);
}

void put_zone_clock(Writer& writer, uint64_t ms) {
    const tm local = local_of(ms / 1000);
    put_clock(writer, local);
    put_offset(writer, local);
}

void put_zone_clock_ms(Writer& writer, uint64_t ms) {
    const tm local = local_of(ms / 1000);
    put_clock(writer, local);
    put_u8(writer, '.');
    put_digits(writer, static_cast<uint32_t>(ms % 1000), 3);
    put_offset(writer, local);
}
