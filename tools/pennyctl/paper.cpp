#include "pennyctl/paper.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/offline.h"
#include "pennyctl/paper_text.h"

namespace {

bool is_option_named(const char* word, const char* name, uint32_t options, uint32_t option) {
    return (options & option) != 0 && strcmp(word, name) == 0;
}

// The formats of export and those of audit.
ExitCode take_format(const char* value, uint32_t options, PaperWords& out) {
    const bool is_audit = (options & paper_audit) != 0;
    out.format = PaperFormat::none;
    if (strcmp(value, "csv") == 0) out.format = PaperFormat::csv;
    if (!is_audit && strcmp(value, "hledger") == 0) out.format = PaperFormat::hledger;
    if (is_audit && strcmp(value, "text") == 0) out.format = PaperFormat::text;
    if (is_audit && strcmp(value, "json") == 0) out.format = PaperFormat::json;
    if (out.format != PaperFormat::none) return exit_done;
    return tool_misused_verb(out.verb, "no format \"%s\"; there are %s", value,
                             is_audit ? "text, csv and json" : "hledger and csv");
}

ExitCode take_day(const PaperWords& words, const char* value, ZoneDay& out) {
    if (zone_parse_day(tool_slice(value), out) == Status::ok) return exit_done;
    return tool_misused_verb(words.verb, "no day \"%s\"; one is written as 2026-11-21", value);
}

ExitCode take_month(const char* value, PaperWords& out) {
    if (zone_parse_month(tool_slice(value), out.month) == Status::ok) return exit_done;
    return tool_misused_verb(out.verb, "no month \"%s\"; one is written as 2026-11", value);
}

ExitCode take_option(const char* word, uint32_t options, ToolWords& words, PaperWords& out) {
    if (is_option_named(word, "--csv", options, paper_csv)) {
        out.csv = true;
        if (tool_value_is_absent(words)) return exit_done;
        return tool_misused_verb(out.verb, "--csv takes no value");
    }
    if (strcmp(word, "--archive") == 0) return archive_take(out.archives, out.verb, words);
    const bool is_format = is_option_named(word, "--format", options, paper_format | paper_audit);
    const bool is_person = is_option_named(word, "--person", options, paper_audit);
    const bool is_from = is_option_named(word, "--from", options, paper_from_to);
    const bool is_to = is_option_named(word, "--to", options, paper_from_to);
    const bool is_month = is_option_named(word, "--month", options, paper_month);
    const bool is_zone = strcmp(word, "--time-zone") == 0;
    if (!is_format && !is_from && !is_to && !is_month && !is_zone && !is_person) {
        return tool_misused_verb(out.verb, "no option \"%s\"", word);
    }
    const char* value = tool_value(words);
    if (value == nullptr) return tool_misused_verb(out.verb, "%s needs a value", word);
    if (is_format) return take_format(value, options, out);
    if (is_from) return take_day(out, value, out.from);
    if (is_to) return take_day(out, value, out.to);
    if (is_month) return take_month(value, out);
    (is_person ? out.person : out.time_zone) = value;
    return exit_done;
}

ExitCode take_word(const char* word, uint32_t options, PaperWords& out) {
    if (out.bank == nullptr) {
        out.bank = word;
    } else if ((options & paper_name) != 0 && out.name == nullptr) {
        out.name = word;
    } else {
        return tool_misused_verb(out.verb, "what is \"%s\"", word);
    }
    return exit_done;
}

bool is_later(const ZoneDay& a, const ZoneDay& b) {
    if (a.year != b.year) return a.year > b.year;
    if (a.month != b.month) return a.month > b.month;
    return a.day > b.day;
}

Status note_names(Check& check, void* context, const CheckEntry& at) {
    const Status status = names_note(*static_cast<JournalNames*>(context), at.entry);
    if (status == Status::ok) return status;
    return check_wrong(check, at, "there is no memory for more names");
}

Status walk_past_batch(Check&, void*) { return Status::ok; }

// The first walk (R1).
Status prove(Paper& paper) {
    const CheckVisitor visitor = {note_names, walk_past_batch, &paper.names};
    const Status status = check_sums(paper.check, nullptr, paper.sums, &visitor);
    if (status != Status::ok) return status;
    if (paper.names.accounts.count > account_shop) return status;
    return check_wrong_here(paper.check, "the book has no accounts of its own");
}

}  // namespace

ExitCode paper_take(const char* verb, uint32_t options, int argc, char** argv, PaperWords& out) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    out = {};
    out.verb = verb;
    out.time_zone = "";
    for (const char* word = nullptr; (word = tool_next(words, is_option)) != nullptr;) {
        const ExitCode code = is_option ? take_option(word, options, words, out)
                                        : take_word(word, options, out);
        if (code != exit_done) return code;
    }
    if ((options & paper_audit) != 0) {
        if (out.bank == nullptr) out.bank = offline_default();
        if (out.format == PaperFormat::none) out.format = PaperFormat::text;
    }
    if (out.bank == nullptr) return tool_misused_verb(verb, "which bank");
    if ((options & paper_name) != 0 && out.name == nullptr) {
        return tool_misused_verb(verb, "which account");
    }
    if ((options & paper_format) != 0 && out.format == PaperFormat::none) {
        return tool_misused_verb(verb, "which format");
    }
    if (out.to.year != 0 && is_later(out.from, out.to)) {
        return tool_misused_verb(verb, "--from is later than --to");
    }
    return exit_done;
}

ExitCode paper_open(Paper& paper, const PaperWords& words) {
    static uint8_t said[2048];
    Writer error = writer_of(said, sizeof said);
    ToolData data;
    const StoreCalls* calls = nullptr;
    ExitCode code = data_find(words.bank, data);
    if (code == exit_done) code = archive_mount(words.archives, calls);
    if (code != exit_done) return code;
    const char* zone = words.time_zone[0] != '\0' ? words.time_zone : data.time_zone;
    if (zone_choose(zone, "--time-zone ", paper.zone, error) != Status::ok) {
        return tool_refuse_said(error);
    }
    if (check_open(paper.check, *calls, data.folder.text) != Status::ok) {
        return tool_refuse_said(paper.check.error);
    }
    const Status status = prove(paper);
    if (status != Status::ok) return paper_close(paper, status);
    if (paper.check.has_torn_tail) {
        fprintf(stderr, "pennyctl: the last batch is not complete and was never acknowledged; "
                        "a start drops it\n");
    }
    return exit_done;
}

Status paper_walk(Paper& paper, Status (*entry)(Check&, void*, const CheckEntry&), void* context) {
    const CheckVisitor visitor = {entry, walk_past_batch, context};
    paper.check.batch_last = paper.check.recovery.batch_seq;
    return check_walk(paper.check, visitor);
}

ExitCode paper_close(Paper& paper, Status status) {
    check_close(paper.check);
    check_sums_free(paper.sums);
    names_free(paper.names);
    return status == Status::ok ? tool_flushed(exit_done) : tool_refuse_said(paper.check.error);
}

bool paper_moves(const Entry& entry) {
    return entry.kind == EntryKind::movement && entry.status == Status::ok &&
           operation_moves_money(entry.movement.operation);
}

uint64_t paper_group(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    return movement.group_size == 0 ? 0 : entry.seq - movement.group_place + 1;
}

uint64_t paper_order(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    const bool makes = movement.operation == Operation::order && entry.status == Status::ok;
    return makes ? entry.seq : movement.order.order;
}

Slice paper_item(const Paper& paper, const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    if (!operation_is_of_order(movement.operation)) return {nullptr, 0};
    const bool is_missing =
        movement.operation == Operation::order && movement.order.item == row_none;
    if (is_missing) return name_slice(movement.missing);
    return names_item(paper.names, movement.order.item);
}

Status paper_add(Check& check, const CheckEntry& at, int64_t amount, int64_t& sum) {
    if (!__builtin_add_overflow(sum, amount, &sum)) return Status::ok;
    const Status status = check_wrong(check, at, "more was moved than can be added up");
    CHECK(status == Status::damaged);
    return Status::full;
}

PaperSpan paper_span_of(const PaperWords& words) {
    PaperSpan span = {0, UINT64_MAX};
    if (words.from.year != 0) span.start_ms = zone_start_ms(words.from);
    if (words.to.year != 0) span.end_ms = zone_start_ms(zone_next_day(words.to));
    return span;
}

PaperSpan paper_month_of(const PaperWords& words, ZoneDay& month) {
    month = words.month;
    if (month.year == 0) {
        month = zone_day_of(tool_wall_ms());
        month.day = 1;
    }
    return {zone_start_ms(month), zone_start_ms(zone_next_month(month))};
}

bool paper_is_over(const PaperSpan& span) { return span.end_ms <= tool_wall_ms(); }

void put_amount(Writer& out, const Paper& paper, int64_t minor) {
    put_minor(out, minor, paper.sums.scale);
}

void put_moment(Writer& out, uint64_t ms) {
    put_zone_date(out, ms);
    put_u8(out, ' ');
    put_zone_clock(out, ms);
}

// --- CSV ------------------------------------------------------------------------------------

namespace {

void next_cell(CsvLine& line) {
    if (line.begun) put_u8(line.out, ',');
    line.begun = true;
}

}  // namespace

void csv_begin(CsvLine& line) {
    line.out = writer_of(line.bytes, sizeof line.bytes);
    line.begun = false;
}

void csv_text(CsvLine& line, Slice text) {
    next_cell(line);
    put_csv_text(line.out, text);
}

void csv_number(CsvLine& line, uint64_t value) {
    next_cell(line);
    put_decimal(line.out, value);
}

void csv_optional(CsvLine& line, uint64_t value) {
    if (value == 0) return csv_empty(line);
    csv_number(line, value);
}

void csv_amount(CsvLine& line, const Paper& paper, int64_t minor) {
    next_cell(line);
    put_amount(line.out, paper, minor);
}

void csv_time(CsvLine& line, uint64_t ms) {
    next_cell(line);
    put_zone_date(line.out, ms);
    put_u8(line.out, 'T');
    put_zone_clock_ms(line.out, ms);
}

void csv_empty(CsvLine& line) { next_cell(line); }

void csv_end(CsvLine& line) {
    put_text(line.out, "\r\n");
    CHECK(!line.out.overflow);
    fwrite(line.out.data, 1, line.out.size, stdout);
    csv_begin(line);
}

void csv_heads(const char* heads) { printf("%s\r\n", heads); }
