// Texts of temperatures: every source, every spelling, and whatever else a file may hold (C1).
#include "base/temperature.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/text.h"
#include "unit/slices.h"

namespace {

constexpr const char* sound_lines =
    "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";

// The number that was taken, or why there is none. A refusal leaves the output alone.
std::string taken(SensorKind kind, SensorText text, const std::string& reading) {
    int32_t milli = 4711;
    const char* why = nullptr;
    if (temperature_parse(kind, text, slice_of(reading), milli, why) == Status::ok) {
        EXPECT_EQ(why, nullptr);
        return std::to_string(milli);
    }
    EXPECT_EQ(milli, 4711) << reading;
    EXPECT_NE(why, nullptr) << reading;
    return why == nullptr ? "" : why;
}

std::string from_file(const std::string& reading) {
    return taken(SensorKind::file, SensorText::degrees, reading);
}

std::string from_zone(const std::string& reading) {
    return taken(SensorKind::thermal, SensorText::thousandths, reading);
}

std::string from_device(const std::string& reading) {
    return taken(SensorKind::w1, SensorText::thousandths, reading);
}

std::string from_lines(const std::string& reading) {
    return taken(SensorKind::w1, SensorText::w1_lines, reading);
}

std::string with_t(const std::string& milli) {
    const std::string lines = sound_lines;
    return lines.substr(0, lines.find("t=") + 2) + milli + "\n";
}

std::string shown(int32_t milli) {
    return written([&](Writer& out) { put_temperature(out, milli); });
}

const std::string none = "what its file says is no temperature";
const std::string impossible = "it says what cannot be, less than -273.15 or more than 1000 degrees";
const std::string unmeasurable =
    "it says what it cannot measure, less than -55 or more than 125 degrees";
const std::string unmeasured = "it says 85 degrees, as it does before it has measured";

}  // namespace

TEST(Temperature, DegreesAreDecimalsRoundedToThousandths) {
    EXPECT_EQ(from_file("21.437\n"), "21437");
    EXPECT_EQ(from_file("21"), "21000");
    EXPECT_EQ(from_file(" \t21.5 \r\n\n"), "21500");
    EXPECT_EQ(from_file("-0.5"), "-500");
    EXPECT_EQ(from_file("+3.25"), "3250");
    EXPECT_EQ(from_file("0"), "0");
    EXPECT_EQ(from_file("-0.0"), "0");
    EXPECT_EQ(from_file("007.0"), "7000");
    EXPECT_EQ(from_file("21.4374999"), "21437");
    EXPECT_EQ(from_file("21.4375"), "21438");
    EXPECT_EQ(from_file("-21.4375"), "-21438");
    EXPECT_EQ(from_file("0.9999999"), "1000");
    EXPECT_EQ(from_file("-273.15"), "-273150");
    EXPECT_EQ(from_file("1000"), "1000000");
}

TEST(Temperature, WhatIsNoNumberOfDegreesIsNone) {
    for (const char* text :
         {"", " ", "\n", ".", "-", "+", "21.", ".5", "21,5", "2 1", "21.5.1", "--1", "+-1", "-+1",
          "1e3", "1e-3", "0x10", "nan", "NaN", "inf", "-inf", "21.5 C", "21.5\xc2\xb0", "21.5\n22.5",
          "t=21437", "1234567890", "99999999999999999999999999", "1.1234567890", "\xff", "\xef\xbb\xbf"
          "21"}) {
        EXPECT_EQ(from_file(text), none) << text;
    }
    EXPECT_EQ(from_file(std::string("21\0", 3)), none);
    EXPECT_EQ(from_file(std::string(256, '1')), none);
    EXPECT_EQ(from_file(std::string(256, ' ')), none);
}

TEST(Temperature, WhatCannotBeIsSaidSo) {
    for (const char* text : {"-273.151", "-274", "1000.001", "1001", "999999999"}) {
        EXPECT_EQ(from_file(text), impossible) << text;
    }
    EXPECT_EQ(from_zone("-273151"), impossible);
    EXPECT_EQ(from_zone("1000001"), impossible);
    EXPECT_EQ(from_zone("1000000"), "1000000");
    EXPECT_EQ(from_zone("85000"), "85000");  // A processor may be that hot.
}

TEST(Temperature, AThermalZoneTellsThousandths) {
    EXPECT_EQ(from_zone("48312\n"), "48312");
    EXPECT_EQ(from_zone("-40000\n"), "-40000");
    EXPECT_EQ(from_zone("0\n"), "0");
    for (const char* text : {"", "+1", "48.312", "48312 m", "4 8", "-", "48312\n1", "1234567890"}) {
        EXPECT_EQ(from_zone(text), none) << text;
    }
}

TEST(Temperature, ADeviceOnTheBusIsHeldAgainstWhatItCanMeasure) {
    EXPECT_EQ(from_device("21437\n"), "21437");
    EXPECT_EQ(from_device("-55000"), "-55000");
    EXPECT_EQ(from_device("125000"), "125000");
    EXPECT_EQ(from_device("84937"), "84937");
    EXPECT_EQ(from_device("85062"), "85062");
    EXPECT_EQ(from_device("85000\n"), unmeasured);
    EXPECT_EQ(from_device("-127000"), unmeasurable);
    EXPECT_EQ(from_device("-55001"), unmeasurable);
    EXPECT_EQ(from_device("125001"), unmeasurable);
    EXPECT_EQ(from_device(""), none);
}

TEST(Temperature, TheTwoLinesOfADeviceAreJudgedByTheirChecksum) {
    EXPECT_EQ(from_lines(sound_lines), "23125");
    EXPECT_EQ(from_lines(with_t("-1250")), "-1250");
    EXPECT_EQ(from_lines(with_t("85000")), unmeasured);
    EXPECT_EQ(from_lines(with_t("-127000")), unmeasurable);
    std::string refused = sound_lines;
    refused.replace(refused.find("YES"), 3, "NO");
    EXPECT_EQ(from_lines(refused), "the checksum of its reading is wrong");
    EXPECT_EQ(from_lines("23125"), none);
    EXPECT_EQ(from_lines(with_t("")), none);
    EXPECT_EQ(from_lines(with_t("2 3")), none);
}

TEST(Temperature, NoCutOfTheTwoLinesAndNoOtherByteInThemIsTakenForMore) {
    const std::string lines = sound_lines;
    const size_t value = lines.find("t=") + 2;
    for (size_t size = 0; size <= value; size++) {
        EXPECT_EQ(from_lines(lines.substr(0, size)), none) << size;
    }
    for (size_t i = 0; i < value; i++) {
        for (const char byte : {'x', '\n', '\0', '\xff'}) {
            if (lines[i] == byte) continue;
            std::string other = lines;
            other[i] = byte;
            const std::string said = from_lines(other);
            // The two digits of the checksum are shown by the kernel, which has judged them.
            const size_t crc = lines.find("crc=") + 4;
            EXPECT_EQ(said, i == crc || i == crc + 1 ? "23125" : none) << i;
        }
    }
}

TEST(Temperature, NoRandomBytesAreEverBeyondWhatCanBe) {
    std::mt19937 random(1);
    const std::string alphabet = "0123456789.-+ \n:=tcrYESNOabcdef";
    for (uint32_t i = 0; i < 200'000; i++) {
        std::string text = i % 3 == 0 ? with_t("21437") : "";
        for (size_t left = random() % 12; left > 0; left--) {
            const char byte = i % 2 == 0 ? alphabet[random() % alphabet.size()]
                                         : static_cast<char>(random());
            text.insert(text.size() - random() % (text.size() + 1), 1, byte);
        }
        int32_t milli = 0;
        const char* why = nullptr;
        for (const SensorText form :
             {SensorText::degrees, SensorText::thousandths, SensorText::w1_lines}) {
            for (const SensorKind kind : {SensorKind::file, SensorKind::thermal, SensorKind::w1}) {
                if (temperature_parse(kind, form, slice_of(text), milli, why) != Status::ok) continue;
                EXPECT_GE(milli, kind == SensorKind::w1 ? -55'000 : -273'150) << text;
                EXPECT_LE(milli, kind == SensorKind::w1 ? 125'000 : 1'000'000) << text;
            }
        }
    }
}

TEST(Temperature, IsShownWithOneToThreeDecimals) {
    EXPECT_EQ(shown(21437), "21.437");
    EXPECT_EQ(shown(21430), "21.43");
    EXPECT_EQ(shown(21400), "21.4");
    EXPECT_EQ(shown(21000), "21.0");
    EXPECT_EQ(shown(20000), "20.0");
    EXPECT_EQ(shown(0), "0.0");
    EXPECT_EQ(shown(-500), "-0.5");
    EXPECT_EQ(shown(-7), "-0.007");
    EXPECT_EQ(shown(-100'000), "-100.0");
    EXPECT_EQ(shown(INT32_MIN), "-2147483.648");
    for (int32_t milli = -2000; milli <= 2000; milli++) {
        EXPECT_EQ(from_file(shown(milli)), std::to_string(milli));
    }
}

TEST(Temperature, ASourceIsOneOfSixForms) {
    SensorSource source = {};
    ASSERT_EQ(sensor_parse(slice_of("none"), source), Status::ok);
    EXPECT_EQ(source.kind, SensorKind::none);
    ASSERT_EQ(sensor_parse(slice_of("simulated"), source), Status::ok);
    EXPECT_EQ(source.kind, SensorKind::simulated);
    ASSERT_EQ(sensor_parse(slice_of("thermal"), source), Status::ok);
    EXPECT_EQ(source.kind, SensorKind::thermal);
    EXPECT_EQ(source.zone, 0u);
    ASSERT_EQ(sensor_parse(slice_of("thermal:12"), source), Status::ok);
    EXPECT_EQ(source.zone, 12u);
    ASSERT_EQ(sensor_parse(slice_of("w1:28-0123456789ab"), source), Status::ok);
    EXPECT_EQ(string_of(source.name), "28-0123456789ab");
    ASSERT_EQ(sensor_parse(slice_of("file:/run/t"), source), Status::ok);
    EXPECT_EQ(string_of(source.name), "/run/t");
    for (const char* text :
         {"", "None", "thermal:", "thermal:-1", "thermal:1000", "thermal:01", "thermal:0/../1",
          "thermal0", "w1", "w1:", "w1:28-0123456789AB", "w1:28-0123456789a", "w1:28-0123456789abc",
          "w1:28_0123456789ab", "w1:../../../passwd", "w1:28-012345678/./", "file", "file:", "file:/",
          "file:run/t", "file:../t", "simulated:1", " none", "none "}) {
        SensorSource other = {SensorKind::file, 77, {}};
        EXPECT_EQ(sensor_parse(slice_of(text), other), Status::invalid) << text;
        EXPECT_EQ(other.zone, 77u) << text;
    }
}

TEST(Temperature, ASourceNamesItselfAndItsFile) {
    const struct {
        const char* option;
        const char* name;
        const char* path;
        SensorText text;
    } rows[] = {
        {"thermal", "thermal:0", "/sys/class/thermal/thermal_zone0/temp", SensorText::thousandths},
        {"thermal:7", "thermal:7", "/sys/class/thermal/thermal_zone7/temp", SensorText::thousandths},
        {"w1:28-0123456789ab", "w1:28-0123456789ab",
         "/sys/bus/w1/devices/28-0123456789ab/temperature", SensorText::thousandths},
        {"w1:28-0123456789ab", "w1:28-0123456789ab",
         "/sys/bus/w1/devices/28-0123456789ab/w1_slave", SensorText::w1_lines},
        {"file:/run/t", "file", "/run/t", SensorText::degrees},
    };
    for (const auto& row : rows) {
        SensorSource source = {};
        ASSERT_EQ(sensor_parse(slice_of(row.option), source), Status::ok);
        EXPECT_EQ(written([&](Writer& out) { put_sensor_name(out, source); }), row.name);
        EXPECT_EQ(written([&](Writer& out) { put_sensor_path(out, source, "/sys", row.text); }),
                  row.path);
    }
}
