// paper.h - what export, statement, report and audit share: their words, and the way through the
// journal.
//
//     paper_take ──► paper_open: find, choose the zone, prove the whole journal, gather the names
//                         │
//                         └──► paper_walk: tell every entry again, up to where the proof ended
//                                   │
//                                   └──► paper_close
//
// Nothing is written but standard output, and a server may run meanwhile. All of it is one Paper,
// too large for a stack.
//
//   R1. Damage anywhere in the journal is told, as `check` tells it, before anything is printed.
//   R2. Amounts of entries, sums and balances are minor units with the book's sign: an account is
//       above zero when it has money, and `cash` below zero by what lies in the drawer.
//   R3. They tell the book from its first entry on, so what was archived must be named too.
#pragma once

#include "pennyctl/archive.h"
#include "pennyctl/check.h"
#include "pennyctl/data.h"
#include "pennyctl/journal_names.h"
#include "pennyctl/tool.h"
#include "pennyctl/zone.h"

// The options that a verb takes, as bits.
enum PaperOption : uint32_t {
    paper_format = 1,
    paper_from_to = 2,
    paper_month = 4,
    paper_csv = 8,
    paper_name = 16,   // a second word, an account's name
    paper_audit = 32,  // --format text|csv|json, by default text; --person; no bank need be named
};

enum class PaperFormat : uint8_t { none, hledger, csv, text, json };

struct PaperWords {
    const char* verb;
    const char* bank;
    const char* name;
    const char* person;     // nullptr when not given
    const char* time_zone;  // "" for what the bank says
    PaperFormat format;
    ZoneDay from;           // year 0 when not given, as in all below
    ZoneDay to;
    ZoneDay month;
    bool csv;
    ArchiveFolders archives;
};

struct Paper {
    Check check;
    CheckSums sums;
    JournalNames names;
    Zone zone;
};

// Takes the words of a verb. Returns exit_done, or exit_usage with the sentence printed.
ExitCode paper_take(const char* verb, uint32_t options, int argc, char** argv, PaperWords& out);

// Returns exit_done, or exit_refused with the sentence printed and nothing left open.
ExitCode paper_open(Paper& paper, const PaperWords& words);

// Tells the entries. Returns ok, or what `entry` or the walk returned, with paper.check.error.
Status paper_walk(Paper& paper, Status (*entry)(Check&, void*, const CheckEntry&), void* context);

// Frees everything, tells what went wrong, and gives the exit code.
ExitCode paper_close(Paper& paper, Status status);

// True where the entry moved money: not refused, and more than a reservation.
bool paper_moves(const Entry& entry);

// The first entry of the group that a movement belongs to; 0 when it was booked alone.
uint64_t paper_group(const Entry& entry);

// The number of the order that a movement makes or ends, 0 for none; and the item's name, as it was
// asked for where there is no such item, empty in all other movements.
uint64_t paper_order(const Entry& entry);
Slice paper_item(const Paper& paper, const Entry& entry);

// Adds an amount. Returns full when the sum is more than can be kept, with the sentence put.
Status paper_add(Check& check, const CheckEntry& at, int64_t amount, int64_t& sum);

// A span of local days, and its moments.
struct PaperSpan {
    uint64_t start_ms;
    uint64_t end_ms;  // the first behind it
};

// Of --from and --to, as far as they were given.
PaperSpan paper_span_of(const PaperWords& words);

PaperSpan paper_month_of(const PaperWords& words, ZoneDay& month);
bool paper_is_over(const PaperSpan& span);

// An amount with the book's scale; the currency stands in a heading.
void put_amount(Writer& out, const Paper& paper, int64_t minor);

// 2026-11-01 00:00:00+01:00.
void put_moment(Writer& out, uint64_t ms);

// One line of a CSV file, cell by cell; commas and the line's end are put here. RFC 4180.
struct CsvLine {
    uint8_t bytes[4096];
    Writer out;
    bool begun;
};

void csv_begin(CsvLine& line);
void csv_text(CsvLine& line, Slice text);         // X2
void csv_number(CsvLine& line, uint64_t value);
void csv_optional(CsvLine& line, uint64_t value);  // empty for 0
void csv_amount(CsvLine& line, const Paper& paper, int64_t minor);
void csv_time(CsvLine& line, uint64_t ms);        // RFC 3339, with the offset
void csv_empty(CsvLine& line);
void csv_end(CsvLine& line);                      // to standard output
void csv_heads(const char* heads);                // a whole line
