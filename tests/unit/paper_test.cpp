// What people wrote, on its way to paper (X1 to X3), and months and days (T1, Z1).

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <string>
#include <vector>

#include "pennyctl/paper_text.h"
#include "pennyctl/zone.h"

namespace {

using Put = void (*)(Writer&, Slice);

std::string put(Put function, const std::string& text) {
    uint8_t memory[4096];
    Writer out = writer_of(memory, sizeof memory);
    function(out, slice_of_chars(text.data(), static_cast<uint32_t>(text.size())));
    EXPECT_FALSE(out.overflow);
    return {reinterpret_cast<char*>(memory), out.size};
}

Slice slice(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

std::vector<std::string> lines_of(const std::string& text, uint32_t columns) {
    std::vector<std::string> lines;
    Reader rest = reader_of(slice(text));
    Slice line;
    while (cut_line(rest, columns, line) == Status::ok && lines.size() < 100) {
        lines.emplace_back(reinterpret_cast<const char*>(line.data), line.size);
    }
    return lines;
}

}  // namespace

TEST(Paper, CleanTextIsOneLineOfPrintableUtf8) {
    for (const char* text : {"a round of drinks", "\"Öl\" & 日本", "\xf0\x9f\x8d\xba", "e\xcc\x81", ""}) {
        EXPECT_EQ(put(put_clean, text), text);
    }
    EXPECT_EQ(put(put_clean, "a\nb\tc\rd\x1b[2Je\x7f"), "a\\x0ab\\x09c\\x0dd\\x1b[2Je\\x7f");
    EXPECT_EQ(put(put_clean, "a\\x0a"), "a\\x5cx0a");
    EXPECT_EQ(put(put_clean, "\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(put(put_clean, "\xc2\x85"), "\\xc2\\x85") << "a next line of C1";
    EXPECT_EQ(put(put_clean, "\xe2\x80\xae" "1"), "\\xe2\\x80\\xae1") << "right to left";
    EXPECT_EQ(put(put_clean, "\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "a line separator";
    for (int byte = 0; byte < 256; byte++) {
        const std::string clean = put(put_clean, std::string(1, static_cast<char>(byte)));
        EXPECT_EQ(put(put_clean, clean).find_first_of("\r\n\t"), std::string::npos);
        EXPECT_EQ(clean.size() == 1, byte >= 0x20 && byte < 0x7f && byte != '\\') << byte;
    }
}

TEST(Paper, NoCellOfACsvFileBeginsAsAFormula) {
    for (const char first : {'=', '+', '-', '@'}) {
        const std::string text = std::string(1, first) + "1";
        EXPECT_EQ(put(put_csv_text, text), "'" + text);
        EXPECT_EQ(put(put_csv_text, "a;" + text), "\"a;'" + text + "\"");
        EXPECT_EQ(put(put_csv_text, "a" + text), "a" + text);
    }
    EXPECT_EQ(put(put_csv_text, "\t=1"), "\\x09=1");
    EXPECT_EQ(put(put_csv_text, "\r=1"), "\\x0d=1");
    EXPECT_EQ(put(put_csv_text, "\n=1"), "\\x0a=1");
}

TEST(Paper, ACellOfACsvFileIsQuotedWhereItMustBe) {
    EXPECT_EQ(put(put_csv_text, ""), "");
    EXPECT_EQ(put(put_csv_text, "a round"), "a round");
    EXPECT_EQ(put(put_csv_text, "a, b"), "\"a, b\"");
    EXPECT_EQ(put(put_csv_text, "say \"hi\""), "\"say \"\"hi\"\"\"");
    EXPECT_EQ(put(put_csv_text, "=\"1\""), "\"'=\"\"1\"\"\"");
    // Every byte needs four at most, whatever is in it.
    EXPECT_EQ(put(put_csv_text, std::string(paper_text_size_max, '\xff')).size(),
              4 * paper_text_size_max);
}

TEST(Paper, NoMemoEndsTheCommentOfAnHledgerJournalOrAddsATag) {
    EXPECT_EQ(put(put_hledger_text, "a\n2026-01-01 x\n    a  1"),
              "a\\x0a2026-01-01 x\\x0a    a  1");
    EXPECT_EQ(put(put_hledger_text, "a; b"), "a\\x3b b");
    EXPECT_EQ(put(put_hledger_text, "table 4: beer"), "table 4: beer");
    EXPECT_EQ(put(put_hledger_text, "x: y, by:admin, z:"), "x: y, by\\x3aadmin, z\\x3a");
}

TEST(Paper, ColumnsCountWhatIsSeen) {
    EXPECT_EQ(text_columns(slice("abc")), 3u);
    EXPECT_EQ(text_columns(slice("Äöü€")), 4u);
    EXPECT_EQ(text_columns(slice("日本")), 4u);
    EXPECT_EQ(text_columns(slice("e\xcc\x81")), 1u);
    EXPECT_EQ(text_columns(slice("\xf0\x9f\x8d\xba")), 2u);
    EXPECT_EQ(text_columns(slice("")), 0u);
}

TEST(Paper, LinesAreCutAtBlanksAndNeverWithinACharacter) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(lines_of("one two three", 7), (Lines{"one two", "three"}));
    EXPECT_EQ(lines_of("one two three", 8), (Lines{"one two", "three"}));
    EXPECT_EQ(lines_of("one two three", 6), (Lines{"one", "two", "three"}));
    EXPECT_EQ(lines_of("abcdefgh", 3), (Lines{"abc", "def", "gh"}));
    EXPECT_EQ(lines_of("日本日本", 5), (Lines{"日本", "日本"}));
    EXPECT_EQ(lines_of("  a  ", 5), (Lines{"a  "}));
    EXPECT_EQ(lines_of("", 5), Lines{});
    EXPECT_EQ(lines_of("   ", 2), Lines{});
    for (uint32_t columns = 2; columns < 20; columns++) {
        for (const std::string& line : lines_of("to bob: Öl für 日本 und noch viel mehr Wörter", columns)) {
            EXPECT_LE(text_columns(slice(line)), columns);
            EXPECT_EQ(put(put_clean, line), line);
        }
    }
}

// --- Days -----------------------------------------------------------------------------------

namespace {

// Sets a zone for one test, and gives the one before back.
class Zones : public testing::Test {
  protected:
    void SetUp() override {
        const char* zone = getenv("TZ");
        had_zone_ = zone != nullptr;
        if (had_zone_) before_ = zone;
    }
    void TearDown() override {
        unsetenv("TZDIR");
        if (had_zone_) {
            setenv("TZ", before_.c_str(), 1);
        } else {
            unsetenv("TZ");
        }
        tzset();
    }

    std::string choose(const char* name) {
        uint8_t memory[1024];
        Writer error = writer_of(memory, sizeof memory);
        const Status status = zone_choose(name, "--time-zone ", zone_, error);
        EXPECT_EQ(status == Status::ok, error.size == 0);
        return {reinterpret_cast<char*>(memory), error.size};
    }

    Zone zone_;
    bool had_zone_;
    std::string before_;
};

uint64_t start_of(const char* day) {
    ZoneDay found = {};
    EXPECT_EQ(zone_parse_day(slice_of(day), found), Status::ok);
    return zone_start_ms(found) / 1000;
}

std::string moment(uint64_t unix_s) {
    uint8_t memory[64];
    Writer out = writer_of(memory, sizeof memory);
    put_zone_date(out, unix_s * 1000);
    put_u8(out, ' ');
    put_zone_clock(out, unix_s * 1000);
    return {reinterpret_cast<char*>(memory), out.size};
}

}  // namespace

TEST(Days, AMonthAndADayAreWrittenInOneWay) {
    ZoneDay day = {};
    ASSERT_EQ(zone_parse_month(slice_of("2026-11"), day), Status::ok);
    EXPECT_EQ(day.year, 2026u);
    EXPECT_EQ(day.month, 11u);
    EXPECT_EQ(day.day, 1u);
    for (const char* text : {"", "2026", "2026-1", "2026-13", "2026-00", "26-11", "2026/11",
                             "2026-11-", "2026-1x", "+026-11", "1969-12", "2026-111", " 2026-11"}) {
        EXPECT_EQ(zone_parse_month(slice_of(text), day), Status::invalid) << text;
    }
    EXPECT_EQ(zone_parse_day(slice_of("2024-02-29"), day), Status::ok);
    EXPECT_EQ(zone_parse_day(slice_of("2000-02-29"), day), Status::ok);
    for (const char* text : {"2026-02-29", "2100-02-29", "2026-04-31", "2026-01-00", "2026-01-32",
                             "2026-1-01", "2026-01-1", "2026-01-011", "2026-01x01", "2026-13-01"}) {
        EXPECT_EQ(zone_parse_day(slice_of(text), day), Status::invalid) << text;
    }
}

TEST(Days, TheNextDayAndMonthFollowTheCalendar) {
    const ZoneDay after_leap = zone_next_day({2024, 2, 29});
    EXPECT_EQ(after_leap.month, 3u);
    EXPECT_EQ(after_leap.day, 1u);
    const ZoneDay year = zone_next_day({2026, 12, 31});
    EXPECT_EQ(year.year, 2027u);
    EXPECT_EQ(year.month, 1u);
    EXPECT_EQ(zone_next_month({2026, 12, 1}).year, 2027u);
    EXPECT_EQ(zone_next_month({2026, 1, 31}).day, 1u);
}

TEST_F(Zones, UtcNeedsNoFileOfAZone) {
    setenv("TZDIR", "/nowhere", 1);
    ASSERT_EQ(choose("UTC"), "");
    EXPECT_STREQ(zone_.name, "UTC");
    EXPECT_EQ(moment(0), "1970-01-01 00:00:00+00:00");
    EXPECT_EQ(start_of("2026-11-01"), 1793491200u);
    EXPECT_EQ(start_of("1970-01-01"), 0u);
    EXPECT_EQ(choose("Europe/Berlin"),
              "the time zone Europe/Berlin cannot be found, since this machine has no /nowhere; "
              "install tzdata, or take --time-zone UTC");
}

TEST_F(Zones, WhatIsNoZoneIsRefusedAndNeverTakenForUtc) {
    for (const char* name : {"Europe/Berlni", "Europe", ":/etc/passwd", "/etc/passwd",
                             "../../../etc/passwd", "Europe/../UTC", "right/Europe/Berlin",
                             "CET-1CEST", "tzdata.zi", "zone1970", "Etc/GMT+99", " UTC", "utc "}) {
        EXPECT_NE(choose(name).find("is no time zone"), std::string::npos) << name;
    }
}

TEST_F(Zones, TheSystemsZoneIsTheOneThatTzNames) {
    setenv("TZ", ":Europe/Berlin", 1);
    ASSERT_EQ(choose(""), "");
    EXPECT_STREQ(zone_.name, "Europe/Berlin");
    EXPECT_EQ(moment(1774746000), "2026-03-29 03:00:00+02:00");
    setenv("TZ", "", 1);
    ASSERT_EQ(choose(""), "");
    EXPECT_STREQ(zone_.name, "UTC");
    setenv("TZ", "Mars/Olympus", 1);
    EXPECT_NE(choose("").find("\"Mars/Olympus\" is no time zone that this machine knows"),
              std::string::npos);
    EXPECT_NE(choose("").find("TZ says so"), std::string::npos);
}

TEST_F(Zones, BothNightsOfDaylightSavingAreToldApart) {
    ASSERT_EQ(choose("Europe/Berlin"), "");
    EXPECT_EQ(moment(1774745999), "2026-03-29 01:59:59+01:00");
    EXPECT_EQ(moment(1774746000), "2026-03-29 03:00:00+02:00");
    EXPECT_EQ(moment(1792888200), "2026-10-25 02:30:00+02:00");
    EXPECT_EQ(moment(1792891800), "2026-10-25 02:30:00+01:00");
    EXPECT_EQ(start_of("2026-04-01") - start_of("2026-03-01"), 31u * 86400 - 3600);
    EXPECT_EQ(start_of("2026-11-01") - start_of("2026-10-01"), 31u * 86400 + 3600);
    EXPECT_EQ(moment(start_of("2026-03-29")), "2026-03-29 00:00:00+01:00");
    EXPECT_EQ(moment(start_of("2026-03-30")), "2026-03-30 00:00:00+02:00");
}

TEST_F(Zones, ADayBeginsAtItsFirstMomentWhereverTheClockIsSet) {
    ASSERT_EQ(choose("America/Sao_Paulo"), "");  // Set forward at midnight.
    EXPECT_EQ(moment(start_of("2018-11-04")), "2018-11-04 01:00:00-02:00");
    EXPECT_EQ(moment(start_of("2018-11-04") - 1), "2018-11-03 23:59:59-03:00");
    EXPECT_EQ(moment(start_of("2018-02-18")), "2018-02-18 00:00:00-03:00");  // Back at midnight.
    ASSERT_EQ(choose("Pacific/Apia"), "");  // Had no 30 December 2011.
    EXPECT_EQ(moment(start_of("2011-12-30")), "2011-12-31 00:00:00+14:00");
    ASSERT_EQ(choose("Asia/Kathmandu"), "");
    EXPECT_EQ(moment(start_of("2026-11-01")), "2026-11-01 00:00:00+05:45");
    ASSERT_EQ(choose("Pacific/Kiritimati"), "");
    EXPECT_EQ(moment(start_of("2026-11-01")), "2026-11-01 00:00:00+14:00");
    ASSERT_EQ(choose("Etc/GMT+12"), "");
    EXPECT_EQ(moment(start_of("9999-12-31")), "9999-12-31 00:00:00-12:00");
}
