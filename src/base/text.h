// text.h - numbers, amounts, names and escapes as text. No locale, no printf, no heap.
//
// Everything parsed here may come from a peer or a file: a refusal is a Status and leaves the
// output as it was. Money is int64 minor units (cents) and decimal text with at most `scale`
// decimals; it never passes through floating point.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

// A name as the rules of the book have it: a letter, then up to 30 of [a-z0-9._-], not ending in
// '.'. The bytes are kept in place so that rows of tables hold them.
struct Name {
    uint8_t size;  // bytes; 0 means none
    char text[name_size_max];
};

// Formatting into a Writer (B2: without room nothing is written and overflow is set).
void put_text(Writer& writer, const char* text);
void put_decimal(Writer& writer, uint64_t value);
void put_signed(Writer& writer, int64_t value);
void put_hex(Writer& writer, Slice bytes);
void put_minor(Writer& writer, int64_t minor, uint32_t scale);  // 1250 at scale 2 is "12.50"

// A moment of the Gregorian calendar, UTC.
struct CivilTime {
    uint64_t year;
    uint8_t month;  // 1 to 12
    uint8_t day;    // 1 to 31
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
};

// Seconds since 1970 as a date: Howard Hinnant, "chrono-compatible low-level date algorithms". The
// C library's own would read the time zone, and allocate for that.
CivilTime civil_time_of(uint64_t unix_s);

// Days since 1970-01-01 of a date of the Gregorian calendar, by the same algorithms.
int64_t civil_days_of(int64_t year, int64_t month, int64_t day);

// Writes a time as RFC 3339 UTC, to the millisecond: 2026-11-20T12:22:01.000Z.
void put_utc(Writer& writer, uint64_t unix_ms);

// The same moment by a clock that is `utc_offset_s` seconds east of UTC, less than a day.
CivilTime civil_local_of(uint64_t unix_s, int32_t utc_offset_s);

// Write a local time as ISO 8601 has it, to the microsecond: 2026-11-20T13:22:01.000000+01:00, and
// its date: 2026-11-20. An offset with seconds, as of times before there were zones, shows them.
void put_local(Writer& writer, uint64_t unix_us, int32_t utc_offset_s);
void put_local_date(Writer& writer, uint64_t unix_us, int32_t utc_offset_s);

// Takes what put_utc wrote for a time up to the end of the year 9999, and nothing else. Returns
// invalid otherwise.
Status parse_utc(Slice text, uint64_t& out_ms);

// The same to the second: 2026-11-20T12:22:01Z. Milliseconds are left out, and none are taken.
void put_utc_seconds(Writer& writer, uint64_t unix_ms);
Status parse_utc_seconds(Slice text, uint64_t& out_ms);

// Writes `bytes` with everything but [A-Za-z0-9._:@/+=,$-] as %XX (RFC 3986), so that free text is
// one word of a text table; get it back with text_unescape.
void put_escaped(Writer& writer, Slice bytes);

// The size in bytes of the well-formed UTF-8 sequence (RFC 3629) at the front of what is not empty;
// 0 when there is none.
uint32_t utf8_size(Slice rest);

// Puts a word of a command line for a shell: as it is, or in quotes where it needs them.
void put_shell_word(Writer& writer, const char* word);

// Writes `bytes` for a log or a terminal: control bytes, quotes, backslashes and invalid UTF-8 as
// \xNN, at most `size_max` bytes of them and then "...".
void put_printable(Writer& writer, Slice bytes, uint32_t size_max);

// Parses a whole slice as an unsigned decimal without sign, blank or leading zero (but "0" itself).
// Returns invalid for anything else and for more than UINT64_MAX.
Status parse_decimal(Slice text, uint64_t& out);

// Parses digits with an optional '-' in front.
Status parse_signed(Slice text, int64_t& out);

// Parses a positive amount such as "12", "12.5" or "12.50" at scale 2. Returns amount for zero, a
// sign, an exponent, too many decimals, an empty side of the point, or more than amount_minor_max.
Status parse_amount(Slice text, uint32_t scale, int64_t& out_minor);

// As parse_amount, but zero and a leading '-' are allowed: balances and floors of text tables.
Status parse_minor(Slice text, uint32_t scale, int64_t& out_minor);

// Reads pairs of hex digits. Returns invalid unless the text is exactly 2 * size digits.
Status parse_hex(Slice text, uint8_t* out, uint32_t size);

// Undoes put_escaped. Returns invalid for a broken escape, full when `out` has no room.
Status text_unescape(Slice text, Writer& out);

// Takes one name. Returns invalid when it breaks the rule above.
Status parse_name(Slice text, Name& out);

// True for names that the book keeps for itself and for the option words of commands.
bool name_is_reserved(const Name& name);

bool name_equal(const Name& a, const Name& b);
Slice name_slice(const Name& name);

// Cuts the next word off the front of `rest` at single `separator` bytes. Returns end when `rest`
// is used up; an empty word between two separators is a word.
Status cut_word(Reader& rest, char separator, Slice& out);

// SipHash-2-4 (Aumasson, Bernstein 2012) of `bytes`: spreads names and ids over hash tables so that
// a peer who does not know the key cannot choose collisions.
uint64_t siphash(const uint8_t key[16], Slice bytes);
