// report: cash, accounts and movements of a month, for a printer or as CSV.
//
// The sums of the lower half come from the entries of the month, the balances from what each entry
// left behind; both are printed where they must agree. What the shop sold stands between the
// accounts and what happened: each item with the orders of the month that were not given back in
// it, and in one sum what was given back of orders before it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/page.h"
#include "pennyctl/paper.h"

namespace {

struct ReportAccount {
    AccountPlace place;
    Name name;
    int64_t opening;
    int64_t in;
    int64_t out;
    int64_t closing;
    uint64_t entries;
};

struct ReportItem {
    Slice name;
    uint64_t quantity;
    int64_t sum;       // minor units
};

constexpr uint32_t operations_max = 256;  // as many as a byte can say

struct Report {
    Paper* paper;
    PaperSpan span;
    ZoneDay month;
    bool csv;
    ReportAccount* accounts;  // from malloc, at their rows; by name when the walk is over
    uint32_t account_count;
    ReportItem* items;        // from malloc, at their rows; by name when the walk is over
    uint32_t item_count;
    uint64_t first_entry;     // of the month; 0 before it was met
    ReportItem earlier;       // given back of orders before the month
    uint64_t counts[operations_max];
    int64_t sums[operations_max];
    uint64_t refused[status_count];
    uint64_t deposits;        // movements that paid cash in, and out
    uint64_t withdrawals;
    Page page;
    Line line;
    Line heads;
};

Status note_account(Check& check, const CheckEntry& at, Report& report, uint32_t row,
                    int64_t change, int64_t after) {
    ReportAccount& account = report.accounts[row];
    account.closing = after;
    if (at.entry.time_ms < report.span.start_ms) {
        account.opening = after;
        return Status::ok;
    }
    account.entries++;
    return change < 0 ? paper_add(check, at, -change, account.out)
                      : paper_add(check, at, change, account.in);
}

Status note_order(Check& check, const CheckEntry& at, Report& report) {
    const MovementEntry& movement = at.entry.movement;
    const bool gives_back = movement.operation == Operation::cancel_order;
    ReportItem& item = report.items[movement.order.item];
    if (!gives_back) {
        item.quantity += movement.order.quantity;
        return paper_add(check, at, movement.amount, item.sum);
    }
    const bool is_earlier = movement.order.order < report.first_entry;
    if (is_earlier) {
        report.earlier.quantity += movement.order.quantity;
        return paper_add(check, at, movement.amount, report.earlier.sum);
    }
    item.quantity -= movement.order.quantity;
    return paper_add(check, at, -movement.amount, item.sum);
}

Status note_entry(Check& check, void* context, const CheckEntry& at) {
    Report& report = *static_cast<Report*>(context);
    const Entry& entry = at.entry;
    const MovementEntry& movement = entry.movement;
    const bool is_first = report.first_entry == 0 && entry.time_ms >= report.span.start_ms;
    if (is_first) report.first_entry = entry.seq;
    if (entry.kind != EntryKind::movement || entry.time_ms >= report.span.end_ms) {
        return Status::ok;
    }
    const bool now = entry.time_ms >= report.span.start_ms;
    if (entry.status != Status::ok) {
        if (now) report.refused[static_cast<uint32_t>(entry.status)]++;
        return Status::ok;
    }
    const uint32_t operation = static_cast<uint8_t>(movement.operation);
    if (now) report.counts[operation]++;
    if (!paper_moves(entry)) return Status::ok;
    Status status = Status::ok;
    if (now) {
        status = paper_add(check, at, movement.amount, report.sums[operation]);
        if (status == Status::ok && operation_is_of_order(movement.operation)) {
            status = note_order(check, at, report);
        }
        if (movement.debit == account_cash) report.deposits++;
        if (movement.credit == account_cash) report.withdrawals++;
    }
    if (status == Status::ok) {
        status = note_account(check, at, report, movement.debit, -movement.amount,
                              movement.debit_after);
    }
    if (status != Status::ok) return status;
    return note_account(check, at, report, movement.credit, movement.amount,
                        movement.credit_after);
}

// Members first, then funds, then shop and cash; each by name.
uint32_t rank_of(AccountPlace place) {
    switch (place) {
        case AccountPlace::member: return 0;
        case AccountPlace::fund: return 1;
        case AccountPlace::shop: return 2;
        case AccountPlace::cash: return 3;
    }
    CHECK(false);
}

int compare(const void* a, const void* b) {
    const ReportAccount& left = *static_cast<const ReportAccount*>(a);
    const ReportAccount& right = *static_cast<const ReportAccount*>(b);
    const uint32_t ranks[] = {rank_of(left.place), rank_of(right.place)};
    if (ranks[0] != ranks[1]) return ranks[0] < ranks[1] ? -1 : 1;
    return slice_compare(name_slice(left.name), name_slice(right.name));
}

// --- Text -----------------------------------------------------------------------------------

struct Amounts {
    uint8_t bytes[4][32];
    Slice texts[4];
};

void format(Amounts& amounts, const Paper& paper, const int64_t (&minors)[4]) {
    for (uint32_t i = 0; i < 4; i++) {
        Writer out = writer_of(amounts.bytes[i], sizeof amounts.bytes[i]);
        put_amount(out, paper, minors[i]);
        amounts.texts[i] = writer_slice(out);
    }
}

bool fits(const Amounts& amounts, uint32_t columns) {
    for (const Slice& text : amounts.texts) {
        if (text.size + 1 > columns) return false;
    }
    return true;
}

constexpr const char* sum_names[4] = {"opening", "in", "out", "closing"};

// A name and four amounts: on one line, on two, or on five where numbers are greater than any club
// has.
void print_row(Report& report, Slice name, const int64_t (&minors)[4]) {
    constexpr uint32_t narrow = 13;
    constexpr uint32_t broad = page_columns / 4;
    Amounts amounts;
    Line& line = report.line;
    format(amounts, *report.paper, minors);
    page_keep(report.page, 5);
    put_bytes(line.out, name);
    const bool one = name.size + 4 * narrow < page_columns && fits(amounts, narrow);
    const bool two = fits(amounts, broad);
    const uint32_t columns = one ? narrow : broad;
    if (!one) line_end(line, report.page);
    for (uint32_t i = 0; i < 4; i++) {
        if (!one && !two) {
            put_text(line.out, "  ");
            put_text(line.out, sum_names[i]);
            line_right(line, amounts.texts[i], page_columns);
            line_end(line, report.page);
        } else {
            line_right(line, amounts.texts[i], page_columns - columns * (3 - i));
        }
    }
    if (one || two) line_end(line, report.page);
}

void print_text(Report& report, const char* text) {
    page_line(report.page, slice_of(text));
}

void put_times(Line& line, const char* what, uint64_t times) {
    put_text(line.out, "  ");
    put_text(line.out, what);
    line_to(line, 32);
    put_decimal(line.out, times);
    put_text(line.out, times == 1 ? " time" : " times");
}

void put_right(Line& line, const Paper& paper, int64_t minor) {
    uint8_t memory[32];
    Writer amount = writer_of(memory, sizeof memory);
    put_amount(amount, paper, minor);
    line_right(line, writer_slice(amount), page_columns);
}

void print_balance(Report& report, const char* what, int64_t minor) {
    put_text(report.line.out, "  ");
    put_text(report.line.out, what);
    put_right(report.line, *report.paper, minor);
    line_end(report.line, report.page);
}

void print_sum(Report& report, const char* what, uint64_t times, int64_t minor) {
    put_times(report.line, what, times);
    put_right(report.line, *report.paper, minor);
    line_end(report.line, report.page);
}

void print_head(Report& report) {
    static uint8_t title[80];
    Writer out = writer_of(title, sizeof title);
    Line& line = report.line;
    put_text(out, "Report for ");
    put_zone_month(out, report.month);
    page_open(report.page, writer_slice(out));
    line_begin(line);
    put_moment(line.out, report.span.start_ms);
    put_text(line.out, " to ");
    put_moment(line.out, report.span.end_ms);
    line_end(line, report.page);
    put_text(line.out, report.paper->zone.name);
    put_text(line.out, ", amounts in ");
    put_text(line.out, report.paper->sums.currency);
    if (!paper_is_over(report.span)) put_text(line.out, "; the month is not over");
    line_end(line, report.page);
}

void print_cash(Report& report, const ReportAccount& cash) {
    print_text(report, "");
    print_text(report, "Cash in the drawer");
    print_balance(report, "at the beginning", -cash.opening);
    print_sum(report, "paid in", report.deposits, cash.out);
    print_sum(report, "paid out", report.withdrawals, -cash.in);
    print_balance(report, "expected at the end", -cash.closing);
}

bool is_idle(const ReportAccount& account) {
    return account.entries == 0 && account.opening == 0 && account.closing == 0;
}

// Sums over some accounts. They wrap around, so that no journal can make them overflow.
struct Totals {
    int64_t sums[4];
};

int64_t counted(int64_t opening, int64_t in, int64_t out) {
    return static_cast<int64_t>(static_cast<uint64_t>(opening) + static_cast<uint64_t>(in) -
                                static_cast<uint64_t>(out));
}

void add_account(Totals& totals, const ReportAccount& account) {
    const int64_t minors[4] = {account.opening, account.in, account.out, account.closing};
    for (uint32_t i = 0; i < 4; i++) {
        totals.sums[i] = counted(totals.sums[i], minors[i], 0);
    }
}

Totals totals_of(const Report& report, AccountPlace place) {
    Totals totals = {};
    for (uint32_t i = 0; i < report.account_count; i++) {
        if (report.accounts[i].place == place) add_account(totals, report.accounts[i]);
    }
    return totals;
}

// A title with the heads of columns, which pages to come repeat.
void print_heads(Report& report, const char* title) {
    Line& heads = report.heads;
    report.page.heads = {nullptr, 0};
    page_keep(report.page, 8);
    print_text(report, "");
    line_begin(heads);
    put_text(heads.out, title);
    for (uint32_t i = 0; i < 4; i++) {
        line_right(heads, slice_of(sum_names[i]), page_columns - 13 * (3 - i));
    }
    report.page.heads = writer_slice(heads.out);
    page_line(report.page, report.page.heads);
}

// Accounts of one kind, and their sums; nothing where there is none.
void print_accounts(Report& report, AccountPlace place, const char* title, const char* together) {
    uint32_t count = 0;
    uint32_t idle = 0;
    for (uint32_t i = 0; i < report.account_count; i++) {
        const ReportAccount& account = report.accounts[i];
        if (account.place != place) continue;
        if (count++ == 0) print_heads(report, title);
        if (is_idle(account)) {
            idle++;
        } else {
            print_row(report, name_slice(account.name),
                      {account.opening, account.in, account.out, account.closing});
        }
    }
    if (count == 0) return;
    if (idle > 0) {
        put_decimal(report.line.out, idle);
        put_text(report.line.out, " without money or movement");
        line_end(report.line, report.page);
    }
    print_row(report, slice_of(together), totals_of(report, place).sums);
}

void print_refusals(Report& report) {
    uint64_t all = 0;
    for (const uint64_t count : report.refused) all += count;
    put_times(report.line, "refused", all);
    line_end(report.line, report.page);
    for (uint32_t i = 0; i < status_count; i++) {
        if (report.refused[i] == 0) continue;
        put_text(report.line.out, "  ");
        put_times(report.line, status_word(static_cast<Status>(i)), report.refused[i]);
        line_end(report.line, report.page);
    }
}

void print_happened(Report& report) {
    page_keep(report.page, 20);
    print_text(report, "");
    print_text(report, "What happened");
    uint64_t movements = 0;
    for (uint32_t i = 0; i < operations_max; i++) {
        if (report.counts[i] == 0) continue;
        if (operation_moves_money(static_cast<Operation>(i))) movements += report.counts[i];
        print_sum(report, operation_name(static_cast<Operation>(i)), report.counts[i],
                  report.sums[i]);
    }
    put_times(report.line, "all that moved money", movements);
    line_end(report.line, report.page);
    print_refusals(report);
}

int compare_items(const void* a, const void* b) {
    return slice_compare(static_cast<const ReportItem*>(a)->name,
                         static_cast<const ReportItem*>(b)->name);
}

void print_item(Report& report, Slice name, uint64_t quantity, int64_t sum) {
    put_text(report.line.out, "  ");
    put_bytes(report.line.out, name);
    line_to(report.line, 36);
    put_decimal(report.line.out, quantity);
    put_right(report.line, *report.paper, sum);
    line_end(report.line, report.page);
}

// What the shop sold; nothing where no order is of this month.
void print_items(Report& report) {
    bool is_any = report.earlier.quantity > 0;
    for (uint32_t i = 0; i < report.item_count; i++) is_any |= report.items[i].quantity > 0;
    if (!is_any) return;
    qsort(report.items, report.item_count, sizeof report.items[0], compare_items);
    page_keep(report.page, 5);
    print_text(report, "");
    print_text(report, "Items");
    for (uint32_t i = 0; i < report.item_count; i++) {
        const ReportItem& item = report.items[i];
        if (item.quantity > 0) print_item(report, item.name, item.quantity, item.sum);
    }
    const ReportItem& earlier = report.earlier;
    if (earlier.quantity == 0) return;
    print_item(report, slice_of("given back of earlier months"), earlier.quantity, -earlier.sum);
}

bool print_agreement(Report& report, const char* what, int64_t left, int64_t right) {
    const bool agree = left == right;
    Line& line = report.line;
    put_text(line.out, "  ");
    put_text(line.out, what);
    put_text(line.out, agree ? ", agrees" : ", DOES NOT AGREE");
    line_end(line, report.page);
    put_text(line.out, "   ");
    line_to(line, 4);
    put_amount(line.out, *report.paper, left);
    put_text(line.out, agree ? " = " : " and ");
    put_amount(line.out, *report.paper, right);
    line_end(line, report.page);
    return agree;
}

bool print_agreements(Report& report, const ReportAccount& cash) {
    Totals all = {};
    for (uint32_t i = 0; i < report.account_count; i++) {
        if (report.accounts[i].place != AccountPlace::cash) add_account(all, report.accounts[i]);
    }
    page_keep(report.page, 12);
    print_text(report, "");
    print_text(report, "What must agree");
    bool fine = print_agreement(report, "all accounts and the drawer, at the beginning",
                                all.sums[0], -cash.opening);
    fine &= print_agreement(report, "all accounts and the drawer, at the end", all.sums[3],
                            -cash.closing);
    fine &= print_agreement(report, "the drawer, counted by what was paid in and out",
                            counted(-cash.opening, cash.out, cash.in), -cash.closing);
    fine &= print_agreement(report, "all accounts, counted by what they got and gave",
                            counted(all.sums[0], all.sums[1], all.sums[2]), all.sums[3]);
    return fine;
}

// --- CSV ------------------------------------------------------------------------------------

const char* place_name(AccountPlace place) {
    switch (place) {
        case AccountPlace::member: return "member";
        case AccountPlace::fund: return "fund";
        case AccountPlace::shop: return "shop";
        case AccountPlace::cash: return "cash";
    }
    CHECK(false);
}

void print_csv(const Report& report) {
    csv_heads("account,kind,opening,in,out,closing,entries");
    for (uint32_t i = 0; i < report.account_count; i++) {
        const ReportAccount& account = report.accounts[i];
        CsvLine line;
        csv_begin(line);
        csv_text(line, name_slice(account.name));
        csv_text(line, slice_of(place_name(account.place)));
        csv_amount(line, *report.paper, account.opening);
        csv_amount(line, *report.paper, account.in);
        csv_amount(line, *report.paper, account.out);
        csv_amount(line, *report.paper, account.closing);
        csv_number(line, account.entries);
        csv_end(line);
    }
}

// --- Both -----------------------------------------------------------------------------------

Status take_accounts(Report& report) {
    const JournalNames& names = report.paper->names;
    report.account_count = names.accounts.count;
    report.accounts =
        static_cast<ReportAccount*>(calloc(report.account_count, sizeof report.accounts[0]));
    if (report.accounts == nullptr) {
        return check_wrong_here(report.paper->check, "there is no memory for the accounts");
    }
    for (uint32_t row = 0; row < report.account_count; row++) {
        ReportAccount& account = report.accounts[row];
        account.place = names_place(names, row);
        account.name = names.accounts.rows[row].name;
    }
    return Status::ok;
}

Status take_items(Report& report) {
    report.item_count = report.paper->names.items.count;
    report.items =
        static_cast<ReportItem*>(calloc(report.item_count + size_t{1}, sizeof report.items[0]));
    if (report.items == nullptr) {
        return check_wrong_here(report.paper->check, "there is no memory for the items");
    }
    for (uint32_t row = 0; row < report.item_count; row++) {
        report.items[row].name = names_item(report.paper->names, row);
    }
    return Status::ok;
}

Status print(Report& report) {
    const ReportAccount cash = report.accounts[account_cash];
    qsort(report.accounts, report.account_count, sizeof report.accounts[0], compare);
    if (report.csv) {
        print_csv(report);
        return Status::ok;
    }
    print_head(report);
    print_cash(report, cash);
    print_accounts(report, AccountPlace::member, "Members", "members together");
    print_accounts(report, AccountPlace::fund, "Funds", "funds together");
    print_heads(report, "Shop");
    print_row(report, slice_of("shop"), totals_of(report, AccountPlace::shop).sums);
    report.page.heads = {nullptr, 0};
    print_items(report);
    print_happened(report);
    if (print_agreements(report, cash)) return Status::ok;
    return check_wrong_here(report.paper->check, "the sums of the report do not agree");
}

}  // namespace

int verb_report(int argc, char** argv) {
    static Paper paper;
    static Report report;
    PaperWords words;
    ExitCode code = paper_take("report", paper_month | paper_csv, argc, argv, words);
    if (code == exit_done) code = paper_open(paper, words);
    if (code != exit_done) return code;
    report.paper = &paper;
    report.csv = words.csv;
    report.span = paper_month_of(words, report.month);
    line_begin(report.line);
    Status status = take_accounts(report);
    if (status == Status::ok) status = take_items(report);
    if (status == Status::ok) status = paper_walk(paper, note_entry, &report);
    if (status == Status::ok) status = print(report);
    free(report.accounts);
    free(report.items);
    return paper_close(paper, status);
}
