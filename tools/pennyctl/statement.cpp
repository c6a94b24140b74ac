// statement: what one account got and gave in a month, for a printer or as CSV.
#include <stdio.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/page.h"
#include "pennyctl/paper.h"
#include "pennyctl/paper_text.h"

namespace {

// Columns behind which things end on the line of an entry.
constexpr uint32_t entry_column = 36;
constexpr uint32_t amount_column = 62;

struct Statement {
    Paper* paper;
    uint32_t account;
    PaperSpan span;
    ZoneDay month;
    bool csv;
    bool begun;        // the opening balance is known and printed
    int64_t opening;
    int64_t in;
    int64_t out;
    int64_t closing;
    uint64_t in_count;
    uint64_t out_count;
    Page page;
    Line line;
};

struct Amount {
    uint8_t bytes[32];
    Slice text;
};

void format(Amount& amount, const Paper& paper, int64_t minor) {
    Writer out = writer_of(amount.bytes, sizeof amount.bytes);
    put_amount(out, paper, minor);
    amount.text = writer_slice(out);
}

// --- Text -----------------------------------------------------------------------------------

void print_sum(Statement& statement, const char* what, uint64_t entries, int64_t minor) {
    Amount amount;
    format(amount, *statement.paper, minor);
    put_text(statement.line.out, what);
    if (entries > 0) {
        line_to(statement.line, 12);
        put_decimal(statement.line.out, entries);
        put_text(statement.line.out, entries == 1 ? " entry" : " entries");
    }
    line_right(statement.line, amount.text, page_columns);
    line_end(statement.line, statement.page);
}

void print_head(Statement& statement) {
    static uint8_t title[80];
    Writer out = writer_of(title, sizeof title);
    const Paper& paper = *statement.paper;
    Line& line = statement.line;
    put_text(out, "Statement of ");
    put_bytes(out, names_account(paper.names, statement.account));
    put_text(out, " for ");
    put_zone_month(out, statement.month);
    page_open(statement.page, writer_slice(out));
    line_begin(line);
    put_moment(line.out, statement.span.start_ms);
    put_text(line.out, " to ");
    put_moment(line.out, statement.span.end_ms);
    line_end(line, statement.page);
    put_text(line.out, paper.zone.name);
    put_text(line.out, ", amounts in ");
    put_text(line.out, paper.sums.currency);
    if (!paper_is_over(statement.span)) put_text(line.out, "; the month is not over");
    line_end(line, statement.page);
    line_end(line, statement.page);
    statement.page.heads = slice_of(
        "date and time                 entry what             amount              balance");
    page_line(statement.page, statement.page.heads);
}

// The other account, what was ordered and the memo, below the line of the entry.
void put_detail(Writer& out, const Statement& statement, const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    const bool gave = movement.debit == statement.account;
    const JournalNames& names = statement.paper->names;
    if (paper_moves(entry)) {
        put_text(out, gave ? "to " : "from ");
    } else {
        put_amount(out, *statement.paper, movement.amount);
        put_text(out, movement.operation == Operation::hold ? " reserved for "
                                                            : " not reserved any more for ");
    }
    put_bytes(out, names_account(names, gave ? movement.credit : movement.debit));
    if (operation_is_of_order(movement.operation)) {
        put_text(out, ", ");
        put_decimal(out, movement.order.quantity);
        put_u8(out, ' ');
        put_bytes(out, names_item(names, movement.order.item));
        put_text(out, ", order ");
        put_decimal(out, paper_order(entry));
    }
    if (movement.hold != 0) {
        put_text(out, ", hold ");
        put_decimal(out, movement.hold);
    }
    if (movement.reversed != 0) {
        put_text(out, ", reverses entry ");
        put_decimal(out, movement.reversed);
    }
    if (movement.memo.size == 0) return;
    put_text(out, ": ");
    put_clean(out, slice_of_chars(movement.memo.text, movement.memo.size));
}

void print_entry(Statement& statement, const Entry& entry, int64_t minor, int64_t balance) {
    constexpr uint32_t indent = 4;
    uint8_t memory[paper_clean_size_max + 256];
    Writer detail = writer_of(memory, sizeof memory);
    Line& line = statement.line;
    Amount amount;
    put_detail(detail, statement, entry);
    CHECK(!detail.overflow);
    page_keep(statement.page, 3);
    put_moment(line.out, entry.time_ms);
    uint8_t number_bytes[24];
    Writer number = writer_of(number_bytes, sizeof number_bytes);
    put_decimal(number, entry.seq);
    line_right(line, writer_slice(number), entry_column);
    put_u8(line.out, ' ');
    put_text(line.out, operation_name(entry.movement.operation));
    format(amount, *statement.paper, minor);
    line_right(line, amount.text, amount_column);
    format(amount, *statement.paper, balance);
    // Greater numbers than any club has take a line of their own.
    if (!line_has_room(line, amount.text, page_columns)) line_end(line, statement.page);
    line_right(line, amount.text, page_columns);
    line_end(line, statement.page);
    Reader rest = reader_of(writer_slice(detail));
    Slice part;
    while (cut_line(rest, page_columns - indent, part) == Status::ok) {
        line_to(line, indent);
        put_bytes(line.out, part);
        line_end(line, statement.page);
    }
}

void print_end(Statement& statement) {
    page_keep(statement.page, 6);
    line_end(statement.line, statement.page);
    print_sum(statement, "opening", 0, statement.opening);
    print_sum(statement, "in", statement.in_count, statement.in);
    print_sum(statement, "out", statement.out_count, -statement.out);
    print_sum(statement, "closing", 0, statement.closing);
}

// --- CSV ------------------------------------------------------------------------------------

void print_csv_balance(const Statement& statement, uint64_t ms, const char* what, int64_t balance) {
    CsvLine line;
    csv_begin(line);
    csv_empty(line);
    csv_time(line, ms);
    csv_text(line, slice_of(what));
    for (uint32_t i = 0; i < 5; i++) csv_empty(line);
    csv_amount(line, *statement.paper, balance);
    for (uint32_t i = 0; i < 3; i++) csv_empty(line);
    csv_end(line);
}

void print_csv_entry(const Statement& statement, const Entry& entry, int64_t minor,
                     int64_t balance) {
    const MovementEntry& movement = entry.movement;
    const bool gave = movement.debit == statement.account;
    CsvLine line;
    csv_begin(line);
    csv_number(line, entry.seq);
    csv_time(line, entry.time_ms);
    csv_text(line, slice_of(operation_name(movement.operation)));
    csv_text(line, names_account(statement.paper->names, gave ? movement.credit : movement.debit));
    csv_text(line, slice_of_chars(movement.memo.text, movement.memo.size));
    csv_optional(line, movement.hold);
    csv_optional(line, movement.reversed);
    csv_amount(line, *statement.paper, minor);
    csv_amount(line, *statement.paper, balance);
    csv_optional(line, paper_order(entry));
    csv_text(line, paper_item(*statement.paper, entry));
    csv_optional(line, movement.order.quantity);
    csv_end(line);
}

// --- Both -----------------------------------------------------------------------------------

// The balance before the month is known when its first entry comes, or none does.
void begin(Statement& statement) {
    if (statement.begun) return;
    statement.begun = true;
    statement.closing = statement.opening;
    if (statement.csv) {
        csv_heads("entry,time,operation,account,memo,hold,reverses,amount,balance,order,item,"
                  "quantity");
        print_csv_balance(statement, statement.span.start_ms, "opening", statement.opening);
        return;
    }
    print_head(statement);
    print_sum(statement, "opening", 0, statement.opening);
}

void end(Statement& statement) {
    begin(statement);
    if (statement.csv) {
        print_csv_balance(statement, statement.span.end_ms, "closing", statement.closing);
    } else {
        print_end(statement);
    }
}

// True where the entry stands in the account's chain: what is only reserved concerns its payer.
bool concerns(const Statement& statement, const Entry& entry) {
    if (entry.kind != EntryKind::movement || entry.status != Status::ok) return false;
    if (entry.movement.debit == statement.account) return true;
    return entry.movement.credit == statement.account && paper_moves(entry);
}

Status note_entry(Check& check, void* context, const CheckEntry& at) {
    Statement& statement = *static_cast<Statement*>(context);
    const Entry& entry = at.entry;
    if (!concerns(statement, entry) || entry.time_ms >= statement.span.end_ms) return Status::ok;
    const MovementEntry& movement = entry.movement;
    const bool gave = movement.debit == statement.account;
    const int64_t balance = gave ? movement.debit_after : movement.credit_after;
    const int64_t amount = paper_moves(entry) ? movement.amount : 0;
    if (entry.time_ms < statement.span.start_ms) {
        statement.opening = balance;
        return Status::ok;
    }
    begin(statement);
    statement.closing = balance;
    if (amount > 0) (gave ? statement.out_count : statement.in_count)++;
    const Status status = paper_add(check, at, amount, gave ? statement.out : statement.in);
    if (status != Status::ok) return status;
    if (statement.csv) {
        print_csv_entry(statement, entry, gave ? -amount : amount, balance);
    } else {
        print_entry(statement, entry, gave ? -amount : amount, balance);
    }
    return Status::ok;
}

}  // namespace

int verb_statement(int argc, char** argv) {
    static Paper paper;
    static Statement statement;
    PaperWords words;
    ExitCode code =
        paper_take("statement", paper_month | paper_csv | paper_name, argc, argv, words);
    if (code == exit_done) code = paper_open(paper, words);
    if (code != exit_done) return code;
    Name name;
    statement.paper = &paper;
    statement.csv = words.csv;
    statement.account = row_none;
    if (parse_name(tool_slice(words.name), name) == Status::ok) {
        statement.account = names_find_account(paper.names, name);
    }
    if (statement.account == row_none) {
        Writer& error = paper.check.error;
        error.size = 0;
        put_text(error, "there is no account \"");
        put_printable(error, tool_slice(words.name), 64);
        put_u8(error, '"');
        return paper_close(paper, Status::absent);
    }
    line_begin(statement.line);
    statement.span = paper_month_of(words, statement.month);
    const Status status = paper_walk(paper, note_entry, &statement);
    if (status == Status::ok) end(statement);
    return paper_close(paper, status);
}
