#include "base/text.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

constexpr const char* reserved_names[] = {
#define RESERVED(name) name,
#include "base/reserved.def"
#undef RESERVED
};

constexpr uint64_t power_of_ten[scale_max + 1] = {1, 10, 100, 1000, 10000};

constexpr char utc_shape[] = "0000-00-00T00:00:00.000Z";  // '0' stands for a digit

bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

bool is_letter(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool is_plain(uint8_t byte) {
    return is_digit(byte) || is_letter(byte) ||
           (byte != 0 && memchr("._:@/+=,$-", byte, sizeof("._:@/+=,$-") - 1) != nullptr);
}

int hex_value(uint8_t byte) {
    if (is_digit(byte)) return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

// Sets the next digit behind `value`. Returns amount where that is more than balance_minor_max,
// asked before multiplying: ten times the bound wraps around to a small amount.
Status push_digit(uint64_t& value, uint8_t byte) {
    const uint64_t digit = static_cast<uint64_t>(byte - '0');
    if (value > (static_cast<uint64_t>(balance_minor_max) - digit) / 10) return Status::amount;
    value = value * 10 + digit;
    return Status::ok;
}

// Digits, a point and digits; the common part of amounts and balances.
Status parse_fixed_point(Slice text, uint32_t scale, uint64_t& out) {
    uint64_t whole = 0;
    uint32_t i = 0;
    for (; i < text.size && is_digit(text.data[i]); i++) {
        if (push_digit(whole, text.data[i]) != Status::ok) return Status::amount;
    }
    if (i == 0) return Status::amount;
    uint32_t decimals = 0;
    if (i < text.size) {
        if (text.data[i] != '.') return Status::amount;
        for (i++; i < text.size && is_digit(text.data[i]); i++) {
            if (decimals == scale) return Status::amount;
            if (push_digit(whole, text.data[i]) != Status::ok) return Status::amount;
            decimals++;
        }
        if (decimals == 0 || i < text.size) return Status::amount;
    }
    const uint64_t factor = power_of_ten[scale - decimals];
    if (whole > static_cast<uint64_t>(balance_minor_max) / factor) return Status::amount;
    out = whole * factor;
    return Status::ok;
}

// What several puts wrote since `start` is one text: all of it is there or nothing is (B2).
void all_or_nothing(Writer& writer, uint32_t start) {
    if (writer.overflow) writer.size = start;
}

void put_padded(Writer& writer, uint64_t value, uint32_t digits) {
    uint64_t divisor = 1;
    for (uint32_t i = 1; i < digits; i++) divisor *= 10;
    for (; divisor > 0; divisor /= 10) {
        put_u8(writer, static_cast<uint8_t>('0' + value / divisor % 10));
    }
}

uint64_t rotate(uint64_t value, uint32_t bits) { return value << bits | value >> (64 - bits); }

struct SipState {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

void sip_round(SipState& s) {
    s.v0 += s.v1;
    s.v2 += s.v3;
    s.v1 = rotate(s.v1, 13) ^ s.v0;
    s.v3 = rotate(s.v3, 16) ^ s.v2;
    s.v0 = rotate(s.v0, 32) + s.v3;
    s.v2 += s.v1;
    s.v3 = rotate(s.v3, 21) ^ s.v0;
    s.v1 = rotate(s.v1, 17) ^ s.v2;
    s.v2 = rotate(s.v2, 32);
}

void sip_absorb(SipState& s, uint64_t word) {
    s.v3 ^= word;
    sip_round(s);
    sip_round(s);
    s.v0 ^= word;
}

}  // namespace

uint32_t utf8_size(Slice rest) {
    const uint8_t first = rest.data[0];
    uint32_t size = 0;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) size = 2;
    if ((first & 0xf0) == 0xe0) size = 3;
    if (first >= 0xf0 && first <= 0xf4) size = 4;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    if (size == 0 || size > rest.size) return 0;
    if (rest.data[1] < low || rest.data[1] > high) return 0;
    for (uint32_t i = 2; i < size; i++) {
        if ((rest.data[i] & 0xc0) != 0x80) return 0;
    }
    return size;
}

void put_text(Writer& writer, const char* text) { put_bytes(writer, slice_of(text)); }

void put_decimal(Writer& writer, uint64_t value) {
    uint8_t digits[20];
    uint32_t start = sizeof digits;
    do {
        digits[--start] = static_cast<uint8_t>('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put_bytes(writer, {digits + start, static_cast<uint32_t>(sizeof digits) - start});
}

void put_signed(Writer& writer, int64_t value) {
    const uint32_t start = writer.size;
    if (value < 0) put_u8(writer, '-');
    const uint64_t bits = static_cast<uint64_t>(value);
    put_decimal(writer, value < 0 ? 0 - bits : bits);
    all_or_nothing(writer, start);
}

void put_hex(Writer& writer, Slice bytes) {
    const uint32_t start = writer.size;
    for (uint32_t i = 0; i < bytes.size; i++) {
        put_u8(writer, static_cast<uint8_t>(hex_digits[bytes.data[i] >> 4]));
        put_u8(writer, static_cast<uint8_t>(hex_digits[bytes.data[i] & 15]));
    }
    all_or_nothing(writer, start);
}

void put_minor(Writer& writer, int64_t minor, uint32_t scale) {
    CHECK(scale <= scale_max);
    const uint64_t bits = static_cast<uint64_t>(minor);
    const uint64_t size = minor < 0 ? 0 - bits : bits;
    const uint32_t start = writer.size;
    if (minor < 0) put_u8(writer, '-');
    put_decimal(writer, size / power_of_ten[scale]);
    if (scale > 0) put_u8(writer, '.');
    for (uint32_t i = scale; i > 0; i--) {
        put_u8(writer, static_cast<uint8_t>('0' + size / power_of_ten[i - 1] % 10));
    }
    all_or_nothing(writer, start);
}

CivilTime civil_time_of(uint64_t unix_s) {
    const uint64_t days = unix_s / 86400 + 719468;  // from 0000-03-01
    const uint64_t era = days / 146097;
    const uint64_t day_of_era = days % 146097;
    const uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
            .month = static_cast<uint8_t>(month),
            .day = static_cast<uint8_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1),
            .hour = static_cast<uint8_t>(unix_s / 3600 % 24),
            .minute = static_cast<uint8_t>(unix_s / 60 % 60),
            .second = static_cast<uint8_t>(unix_s % 60)};
}

// A year begins in March here, so that the leap day is the last of its year; 400 years are always
// 146,097 days.
int64_t civil_days_of(int64_t year, int64_t month, int64_t day) {
    if (month <= 2) year--;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

CivilTime civil_local_of(uint64_t unix_s, int32_t utc_offset_s) {
    constexpr int64_t day_s = 86400;
    CHECK(utc_offset_s > -day_s && utc_offset_s < day_s);
    const int64_t local_s = static_cast<int64_t>(unix_s) + utc_offset_s;
    if (local_s >= 0) return civil_time_of(static_cast<uint64_t>(local_s));
    // West of Greenwich a clock that was never set stands in the last hours of 1969.
    CivilTime time = civil_time_of(static_cast<uint64_t>(local_s + day_s));
    time.year = 1969;
    time.month = 12;
    time.day = 31;
    return time;
}

namespace {

void put_date(Writer& writer, const CivilTime& time) {
    put_padded(writer, time.year % 10000, 4);
    put_u8(writer, '-');
    put_padded(writer, time.month, 2);
    put_u8(writer, '-');
    put_padded(writer, time.day, 2);
}

void put_hours(Writer& writer, uint64_t hour, uint64_t minute) {
    put_padded(writer, hour, 2);
    put_u8(writer, ':');
    put_padded(writer, minute, 2);
}

void put_seconds(Writer& writer, uint64_t second) {
    put_u8(writer, ':');
    put_padded(writer, second, 2);
}

void put_time(Writer& writer, const CivilTime& time) {
    put_u8(writer, 'T');
    put_hours(writer, time.hour, time.minute);
    put_seconds(writer, time.second);
    put_u8(writer, '.');
}

}  // namespace

void put_utc(Writer& writer, uint64_t unix_ms) {
    const CivilTime time = civil_time_of(unix_ms / 1000);
    put_date(writer, time);
    put_time(writer, time);
    put_padded(writer, unix_ms % 1000, 3);
    put_u8(writer, 'Z');
}

void put_local(Writer& writer, uint64_t unix_us, int32_t utc_offset_s) {
    const CivilTime time = civil_local_of(unix_us / 1'000'000, utc_offset_s);
    const uint32_t away_s = static_cast<uint32_t>(utc_offset_s < 0 ? -utc_offset_s : utc_offset_s);
    put_date(writer, time);
    put_time(writer, time);
    put_padded(writer, unix_us % 1'000'000, 6);
    put_u8(writer, utc_offset_s < 0 ? '-' : '+');
    put_hours(writer, away_s / 3600, away_s / 60 % 60);
    if (away_s % 60 != 0) put_seconds(writer, away_s % 60);
}

void put_local_date(Writer& writer, uint64_t unix_us, int32_t utc_offset_s) {
    put_date(writer, civil_local_of(unix_us / 1'000'000, utc_offset_s));
}

Status parse_utc(Slice text, uint64_t& out_ms) {
    uint32_t numbers[7] = {};  // year, month, day, hour, minute, second, thousandths
    uint32_t at = 0;
    for (uint32_t i = 0; i < text.size && i < sizeof utc_shape - 1; i++) {
        if (utc_shape[i] != '0') {
            at++;
        } else if (is_digit(text.data[i])) {
            numbers[at] = numbers[at] * 10 + static_cast<uint32_t>(text.data[i] - '0');
        }
    }
    if (numbers[0] < 1970) return Status::invalid;
    const int64_t days = civil_days_of(numbers[0], numbers[1], numbers[2]);
    const int64_t second = numbers[3] * 3600 + numbers[4] * 60 + numbers[5];
    const uint64_t unix_ms = static_cast<uint64_t>(days * 86400 + second) * 1000 + numbers[6];
    // Every other spelling, and every day and hour that there is not, ends here.
    uint8_t again[sizeof utc_shape - 1];
    Writer writer = writer_of(again, sizeof again);
    put_utc(writer, unix_ms);
    if (!slice_equal(writer_slice(writer), text)) return Status::invalid;
    out_ms = unix_ms;
    return Status::ok;
}

namespace {

constexpr char utc_end[] = ".000Z";
constexpr uint32_t utc_end_size = sizeof utc_end - 1;
constexpr uint32_t utc_seconds_size = sizeof utc_shape - 1 - utc_end_size;  // before its Z

}  // namespace

void put_utc_seconds(Writer& writer, uint64_t unix_ms) {
    uint8_t text[sizeof utc_shape - 1 + 16];  // A year may have more than four digits.
    Writer whole = writer_of(text, sizeof text);
    put_utc(whole, unix_ms);
    put_bytes(writer, slice_part(writer_slice(whole), 0, whole.size - utc_end_size));
    put_u8(writer, 'Z');
}

Status parse_utc_seconds(Slice text, uint64_t& out_ms) {
    if (text.size != utc_seconds_size + 1 || text.data[utc_seconds_size] != 'Z') {
        return Status::invalid;
    }
    uint8_t bytes[sizeof utc_shape - 1];
    Writer whole = writer_of(bytes, sizeof bytes);
    put_bytes(whole, slice_part(text, 0, utc_seconds_size));
    put_text(whole, utc_end);
    return parse_utc(writer_slice(whole), out_ms);
}

void put_escaped(Writer& writer, Slice bytes) {
    const uint32_t start = writer.size;
    for (uint32_t i = 0; i < bytes.size; i++) {
        if (is_plain(bytes.data[i])) {
            put_u8(writer, bytes.data[i]);
        } else {
            put_u8(writer, '%');
            put_hex(writer, {bytes.data + i, 1});
        }
    }
    all_or_nothing(writer, start);
}

void put_printable(Writer& writer, Slice bytes, uint32_t size_max) {
    const uint32_t shown = bytes.size < size_max ? bytes.size : size_max;
    const uint32_t start = writer.size;
    uint32_t i = 0;
    while (i < shown) {
        const uint8_t byte = bytes.data[i];
        const uint32_t size = utf8_size({bytes.data + i, shown - i});
        const bool c1_control = size == 2 && byte == 0xc2 && bytes.data[i + 1] < 0xa0;
        if (size == 0 || c1_control || byte < 0x20 || byte == 0x7f || byte == '"' ||
            byte == '\\') {
            put_text(writer, "\\x");
            put_hex(writer, {bytes.data + i, 1});
            i++;
        } else {
            put_bytes(writer, {bytes.data + i, size});
            i += size;
        }
    }
    if (shown < bytes.size) put_text(writer, "...");
    all_or_nothing(writer, start);
}

Status parse_decimal(Slice text, uint64_t& out) {
    if (text.size == 0 || text.size > 20) return Status::invalid;
    if (text.size > 1 && text.data[0] == '0') return Status::invalid;
    uint64_t value = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i])) return Status::invalid;
        const uint64_t digit = static_cast<uint64_t>(text.data[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) return Status::invalid;
        value = value * 10 + digit;
    }
    out = value;
    return Status::ok;
}

Status parse_signed(Slice text, int64_t& out) {
    const bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t size = 0;
    const Status status = parse_decimal(slice_part(text, negative ? 1 : 0, text.size), size);
    if (status != Status::ok) return status;
    if (size > static_cast<uint64_t>(INT64_MAX)) return Status::invalid;
    out = negative ? -static_cast<int64_t>(size) : static_cast<int64_t>(size);
    return Status::ok;
}

Status parse_amount(Slice text, uint32_t scale, int64_t& out_minor) {
    CHECK(scale <= scale_max);
    uint64_t minor = 0;
    const Status status = parse_fixed_point(text, scale, minor);
    if (status != Status::ok) return status;
    if (minor == 0 || minor > static_cast<uint64_t>(amount_minor_max)) return Status::amount;
    out_minor = static_cast<int64_t>(minor);
    return Status::ok;
}

Status parse_minor(Slice text, uint32_t scale, int64_t& out_minor) {
    CHECK(scale <= scale_max);
    const bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t minor = 0;
    const Status status =
        parse_fixed_point(slice_part(text, negative ? 1 : 0, text.size), scale, minor);
    if (status != Status::ok) return status;
    out_minor = negative ? -static_cast<int64_t>(minor) : static_cast<int64_t>(minor);
    return Status::ok;
}

Status parse_hex(Slice text, uint8_t* out, uint32_t size) {
    if (text.size != 2 * size) return Status::invalid;
    for (uint32_t i = 0; i < text.size; i++) {
        if (hex_value(text.data[i]) < 0) return Status::invalid;
    }
    for (uint32_t i = 0; i < size; i++) {
        out[i] = static_cast<uint8_t>(hex_value(text.data[2 * i]) * 16 +
                                      hex_value(text.data[2 * i + 1]));
    }
    return Status::ok;
}

Status text_unescape(Slice text, Writer& out) {
    Writer plain = out;  // A copy, so that a refusal moves nothing.
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (parse_hex(slice_part(text, i + 1, 2), &byte, 1) != Status::ok) {
                return Status::invalid;
            }
            i += 2;
        }
        put_u8(plain, byte);
    }
    if (plain.overflow) return Status::full;
    out = plain;
    return Status::ok;
}

Status parse_name(Slice text, Name& out) {
    if (text.size == 0 || text.size > name_size_max) return Status::invalid;
    if (text.data[0] < 'a' || text.data[0] > 'z') return Status::invalid;
    for (uint32_t i = 1; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        const bool fine = (byte >= 'a' && byte <= 'z') || is_digit(byte) || byte == '.' ||
                          byte == '_' || byte == '-';
        if (!fine) return Status::invalid;
    }
    if (text.data[text.size - 1] == '.') return Status::invalid;
    out = {};
    out.size = static_cast<uint8_t>(text.size);
    memcpy(out.text, text.data, text.size);
    return Status::ok;
}

bool name_is_reserved(const Name& name) {
    for (const char* reserved : reserved_names) {
        if (slice_equal_text(name_slice(name), reserved)) return true;
    }
    return false;
}

bool name_equal(const Name& a, const Name& b) { return slice_equal(name_slice(a), name_slice(b)); }

Slice name_slice(const Name& name) {
    return {reinterpret_cast<const uint8_t*>(name.text), name.size};
}

Status cut_word(Reader& rest, char separator, Slice& out) {
    if (rest.offset > rest.size || rest.short_read) return Status::end;
    const Slice left = reader_rest(rest);
    uint32_t size = 0;
    while (size < left.size && left.data[size] != static_cast<uint8_t>(separator)) size++;
    out = {left.data, size};
    rest.offset += size;
    if (size < left.size) {
        rest.offset++;
    } else {
        rest.short_read = true;  // The last word has been cut; the next call says end.
    }
    return Status::ok;
}

uint64_t siphash(const uint8_t key[16], Slice bytes) {
    Reader key_reader = reader_of({key, 16});
    const uint64_t k0 = get_u64(key_reader);
    const uint64_t k1 = get_u64(key_reader);
    SipState s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                  k1 ^ 0x7465646279746573};
    Reader reader = reader_of(bytes);
    while (reader_left(reader) >= 8) sip_absorb(s, get_u64(reader));
    uint64_t last = static_cast<uint64_t>(bytes.size & 0xff) << 56;
    for (uint32_t shift = 0; reader_left(reader) > 0; shift += 8) {
        last |= static_cast<uint64_t>(get_u8(reader)) << shift;
    }
    sip_absorb(s, last);
    s.v2 ^= 0xff;
    for (uint32_t i = 0; i < 4; i++) sip_round(s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

namespace {

bool is_plain_in_shell(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    return letter || digit || c == '/' || c == '.' || c == '_' || c == '-' || c == '+' ||
           c == ':' || c == '@' || c == ',';
}

}  // namespace

void put_shell_word(Writer& writer, const char* word) {
    bool plain = word[0] != '\0';
    for (const char* at = word; *at != '\0'; at++) plain = plain && is_plain_in_shell(*at);
    if (plain) {
        put_text(writer, word);
        return;
    }
    put_u8(writer, '\'');
    for (const char* at = word; *at != '\0'; at++) {
        if (*at == '\'') {
            put_text(writer, "'\\''");
        } else {
            put_u8(writer, static_cast<uint8_t>(*at));
        }
    }
    put_u8(writer, '\'');
}
