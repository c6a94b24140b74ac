#include "base/temperature.h"

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t digits_max = 9;  // before and behind a point: more say nothing about the weather
constexpr int64_t milli_min = -273'150;  // absolute zero
constexpr int64_t milli_max = 1'000'000;
constexpr int64_t w1_milli_min = -55'000;  // what a DS18B20 measures
constexpr int64_t w1_milli_max = 125'000;
constexpr int64_t w1_milli_unmeasured = 85'000;  // in its register from power-on to its first one
constexpr uint32_t w1_bytes = 9;  // that the first line of w1_slave shows, the last their checksum

constexpr char not_a_reading[] = "what its file says is no temperature";

bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

bool is_hex(uint8_t byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f'); }

bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

Slice trim(Slice text) {
    while (text.size > 0 && is_blank(text.data[0])) text = slice_part(text, 1, text.size);
    while (text.size > 0 && is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

// Takes `word` off the front of `rest`.
bool take_word(Slice& rest, const char* word) {
    const uint32_t size = slice_of(word).size;
    if (!slice_equal_text(slice_part(rest, 0, size), word)) return false;
    rest = slice_part(rest, size, rest.size);
    return true;
}

// Takes digits off the front of `rest`. Returns how many; none, or too many, is for the caller.
uint32_t take_digits(Slice& rest, int64_t& value) {
    uint32_t count = 0;
    value = 0;
    while (count < rest.size && is_digit(rest.data[count])) {
        if (count < digits_max) value = value * 10 + (rest.data[count] - '0');
        count++;
    }
    rest = slice_part(rest, count, rest.size);
    return count;
}

bool take_sign(Slice& rest, bool allow_plus) {
    if (allow_plus && take_word(rest, "+")) return false;
    return take_word(rest, "-");
}

// A whole number of thousandths.
Status parse_thousandths(Slice text, int64_t& out) {
    int64_t value = 0;
    const bool negative = take_sign(text, false);
    const uint32_t count = take_digits(text, value);
    if (count == 0 || count > digits_max || text.size > 0) return Status::invalid;
    out = negative ? -value : value;
    return Status::ok;
}

// Degrees with decimals, rounded to thousandths, halves away from zero.
Status parse_degrees(Slice text, int64_t& out) {
    int64_t whole = 0;
    int64_t part = 0;
    const bool negative = take_sign(text, true);
    const uint32_t count = take_digits(text, whole);
    if (count == 0 || count > digits_max) return Status::invalid;
    if (take_word(text, ".")) {
        uint32_t decimals = take_digits(text, part);
        if (decimals == 0 || decimals > digits_max) return Status::invalid;
        for (; decimals < digits_max; decimals++) part *= 10;
    }
    if (text.size > 0) return Status::invalid;
    const int64_t milli = whole * 1000 + (part + 500'000) / 1'000'000;
    out = negative ? -milli : milli;
    return Status::ok;
}

// Two lines, each of which shows the nine bytes that came over the bus:
//     72 01 4b 46 7f ff 0e 10 57 : crc=57 YES
//     72 01 4b 46 7f ff 0e 10 57 t=23125
Status parse_w1_lines(Slice text, int64_t& out, const char*& why) {
    for (uint32_t line = 0; line < 2; line++) {
        for (uint32_t i = 0; i < w1_bytes; i++) {
            if (text.size < 3 || text.data[2] != ' ') return Status::invalid;
            if (!is_hex(text.data[0]) || !is_hex(text.data[1])) return Status::invalid;
            text = slice_part(text, 3, text.size);
        }
        if (line == 1) break;
        if (!take_word(text, ": crc=") || text.size < 2) return Status::invalid;
        text = slice_part(text, 2, text.size);
        if (take_word(text, " NO")) {
            why = "the checksum of its reading is wrong";
            return Status::invalid;
        }
        if (!take_word(text, " YES\n")) return Status::invalid;
    }
    return take_word(text, "t=") ? parse_thousandths(text, out) : Status::invalid;
}

// Why no such sensor can have measured this; nullptr when it can.
const char* doubt(SensorKind kind, int64_t milli) {
    if (kind == SensorKind::w1 && milli == w1_milli_unmeasured) {
        return "it says 85 degrees, as it does before it has measured";
    }
    if (kind == SensorKind::w1 && (milli < w1_milli_min || milli > w1_milli_max)) {
        return "it says what it cannot measure, less than -55 or more than 125 degrees";
    }
    if (milli < milli_min || milli > milli_max) {
        return "it says what cannot be, less than -273.15 or more than 1000 degrees";
    }
    return nullptr;
}

bool is_w1_id(Slice text) {
    if (text.size != 15 || text.data[2] != '-') return false;
    for (uint32_t i = 0; i < text.size; i++) {
        if (i != 2 && !is_hex(text.data[i])) return false;
    }
    return true;
}

}  // namespace

Status sensor_parse(Slice text, SensorSource& out) {
    Slice rest = text;
    uint64_t zone = 0;
    if (slice_equal_text(text, "none")) {
        out = {SensorKind::none, 0, {}};
    } else if (slice_equal_text(text, "simulated")) {
        out = {SensorKind::simulated, 0, {}};
    } else if (slice_equal_text(text, "thermal")) {
        out = {SensorKind::thermal, 0, {}};
    } else if (take_word(rest, "thermal:")) {
        if (parse_decimal(rest, zone) != Status::ok || zone > sensor_zone_max) {
            return Status::invalid;
        }
        out = {SensorKind::thermal, static_cast<uint32_t>(zone), {}};
    } else if (take_word(rest, "w1:")) {
        if (!is_w1_id(rest)) return Status::invalid;
        out = {SensorKind::w1, 0, rest};
    } else if (take_word(rest, "file:")) {
        if (rest.size < 2 || rest.size > path_size_max || rest.data[0] != '/') {
            return Status::invalid;
        }
        out = {SensorKind::file, 0, rest};
    } else {
        return Status::invalid;
    }
    return Status::ok;
}

void put_sensor_name(Writer& writer, const SensorSource& source) {
    switch (source.kind) {
        case SensorKind::none: put_text(writer, "none"); return;
        case SensorKind::simulated: put_text(writer, "simulated"); return;
        case SensorKind::file: put_text(writer, "file"); return;
        case SensorKind::thermal:
            put_text(writer, "thermal:");
            put_decimal(writer, source.zone);
            return;
        case SensorKind::w1:
            put_text(writer, "w1:");
            put_bytes(writer, source.name);
            return;
    }
    CHECK(false);
}

void put_sensor_path(Writer& writer, const SensorSource& source, const char* root,
                     SensorText text) {
    switch (source.kind) {
        case SensorKind::file: put_bytes(writer, source.name); return;
        case SensorKind::thermal:
            put_text(writer, root);
            put_text(writer, "/class/thermal/thermal_zone");
            put_decimal(writer, source.zone);
            put_text(writer, "/temp");
            return;
        case SensorKind::w1:
            put_text(writer, root);
            put_text(writer, "/bus/w1/devices/");
            put_bytes(writer, source.name);
            put_text(writer, text == SensorText::w1_lines ? "/w1_slave" : "/temperature");
            return;
        case SensorKind::none:
        case SensorKind::simulated: break;
    }
    CHECK(false);
}

Status temperature_parse(SensorKind kind, SensorText text, Slice reading, int32_t& out_milli,
                         const char*& why) {
    const Slice trimmed = trim(reading);
    int64_t milli = 0;
    Status status = Status::invalid;
    const char* found = not_a_reading;
    switch (text) {
        case SensorText::thousandths: status = parse_thousandths(trimmed, milli); break;
        case SensorText::degrees: status = parse_degrees(trimmed, milli); break;
        case SensorText::w1_lines: status = parse_w1_lines(trimmed, milli, found); break;
    }
    if (status == Status::ok) found = doubt(kind, milli);
    if (found != nullptr) {
        why = found;
        return Status::invalid;
    }
    out_milli = static_cast<int32_t>(milli);
    return Status::ok;
}

void put_temperature(Writer& writer, int32_t milli) {
    uint8_t text[16];
    Writer digits = writer_of(text, sizeof text);
    put_minor(digits, milli, 3);
    for (uint32_t i = 0; i < 2 && text[digits.size - 1] == '0'; i++) digits.size--;
    put_bytes(writer, writer_slice(digits));
}
