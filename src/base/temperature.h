// temperature.h - where a temperature comes from, and the texts in which its sources tell it.
//
// Pure text: no file is opened here. Temperatures are whole thousandths of a degree Celsius. What a
// file says may have been written by anybody, so what is not exactly a reading, and what no such
// sensor can measure, is refused and never taken for a number.
//
//     source       file that is read                          text in it
//     none
//     thermal:N    ROOT/class/thermal/thermal_zoneN/temp      thousandths: 48312
//     w1:ID        ROOT/bus/w1/devices/ID/temperature         thousandths
//                  without that one, ID/w1_slave              w1_lines, the second with t=21437
//     file:PATH    PATH                                       degrees: 21.4
//     simulated
//
// `thermal` alone is zone 0. An ID is as the kernel names a device, 28-0123456789ab. Blanks and
// line ends around a reading do not count.
//
//   C1. A refusal leaves the output as it was and gives a sentence, a literal.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

inline constexpr uint32_t sensor_zone_max = 999;      // of the kernel's thermal zones
inline constexpr uint32_t sensor_text_size_max = 256;  // bytes of a file that tells a temperature
inline constexpr uint32_t sensor_path_size_max = 2 * path_size_max + 64;  // bytes, with ROOT

enum class SensorKind : uint8_t { none, thermal, w1, file, simulated };
enum class SensorText : uint8_t { thousandths, w1_lines, degrees };

struct SensorSource {
    SensorKind kind;
    uint32_t zone;  // thermal
    Slice name;     // w1: the ID; file: the path. Part of the text that was parsed
};

// Takes a source as the configuration has it. Returns invalid for anything else.
Status sensor_parse(Slice text, SensorSource& out);

// The name of a source for replies: "thermal:0", "w1:28-0123456789ab", "file", without its path.
void put_sensor_name(Writer& writer, const SensorSource& source);

// The file to read for a thermal zone, a w1 device or a file.
void put_sensor_path(Writer& writer, const SensorSource& source, const char* root, SensorText text);

// Takes a reading. Returns ok, or invalid with `why` (C1): it is none; its checksum was wrong; it
// cannot be.
Status temperature_parse(SensorKind kind, SensorText text, Slice reading, int32_t& out_milli,
                         const char*& why);

// Decimal degrees with one to three decimals: 21.0, -0.5, 21.437.
void put_temperature(Writer& writer, int32_t milli);
