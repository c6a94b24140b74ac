// export: the book for the programs of others, as a journal of hledger or as CSV.
#include <stdio.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/paper.h"
#include "pennyctl/paper_text.h"

namespace {

struct Export {
    Paper* paper;
    PaperSpan span;
    Status (*print)(Export& out, const CheckEntry& at);
};

void print_line(Writer& line) {
    CHECK(!line.overflow);
    fwrite(line.data, 1, line.size, stdout);
    fputc('\n', stdout);
    line.size = 0;
}

// --- hledger --------------------------------------------------------------------------------

// Every amount has the book's sign turned. The book counts what each account has: a member with
// 5.00 has 5.00, and cash has -5.00 when 5.00 were paid in. In double entry, seen from the club,
// what lies in the drawer is an asset and so above zero; what members and funds have is owed to
// them, a liability, and what the shop has got is income, both below zero.
constexpr char hledger_head[] =
    "; Every amount and balance is the book's with its sign turned: what lies in the drawer is an\n"
    "; asset, what members and funds have is owed to them, what the shop got is income.\n"
    ";   assets:cash               the account cash\n"
    ";   income:shop               the account shop\n"
    ";   liabilities:members:NAME  an account with an owner\n"
    ";   liabilities:funds:NAME    an account without one, opened with ACCOUNT OPEN\n"
    "; Only what moved money is here. In comments, control bytes, backslashes and what might be\n"
    "; markup stand as \\xNN.\n";

const char* hledger_parent(AccountPlace place) {
    switch (place) {
        case AccountPlace::cash: return "assets:";
        case AccountPlace::shop: return "income:";
        case AccountPlace::member: return "liabilities:members:";
        case AccountPlace::fund: return "liabilities:funds:";
    }
    CHECK(false);
}

void put_hledger_account(Writer& line, const JournalNames& names, uint32_t row) {
    put_text(line, hledger_parent(names_place(names, row)));
    put_bytes(line, names_account(names, row));
}

void print_hledger_head(const Paper& paper, const PaperWords& words, const PaperSpan& span) {
    uint8_t memory[512];
    Writer line = writer_of(memory, sizeof memory);
    put_text(line, "; Pennybank ");
    put_hex(line, {paper.sums.bank_id, bank_id_size});
    put_text(line, ", up to entry ");
    put_decimal(line, paper.sums.entries);
    put_text(line, "; times are ");
    put_text(line, paper.zone.name);
    print_line(line);
    if (words.from.year != 0 || words.to.year != 0) {
        put_text(line, "; only");
        if (words.from.year != 0) {
            put_text(line, " from ");
            put_moment(line, span.start_ms);
        }
        if (words.to.year != 0) {
            put_text(line, " up to ");
            put_moment(line, span.end_ms);
        }
        put_text(line, ", so sums are changes and no balances");
        print_line(line);
    }
    printf("%s\ndecimal-mark .\n", hledger_head);
    // A sample amount, which shows the decimals; hledger wants the point even where there are none.
    put_text(line, "commodity ");
    put_minor(line, 1000, 0);
    put_u8(line, '.');
    for (uint32_t i = 0; i < paper.sums.scale; i++) put_u8(line, '0');
    put_u8(line, ' ');
    put_text(line, paper.sums.currency);
    print_line(line);
    for (uint32_t row = 0; row < paper.names.accounts.count; row++) {
        put_text(line, "account ");
        put_hledger_account(line, paper.names, row);
        print_line(line);
    }
}

void put_posting(Writer& line, const Paper& paper, uint32_t row, int64_t amount) {
    put_text(line, "    ");
    put_hledger_account(line, paper.names, row);
    while (line.size < 56) put_u8(line, ' ');
    put_text(line, "  ");
    put_amount(line, paper, amount);
    put_u8(line, ' ');
    put_text(line, paper.sums.currency);
}

void put_tag(Writer& line, const char* name, Slice value) {
    if (value.size == 0) return;
    put_text(line, ", ");
    put_text(line, name);
    put_u8(line, ':');
    put_hledger_text(line, value);
}

void put_tag_number(Writer& line, const char* name, uint64_t value) {
    uint8_t memory[24];
    Writer number = writer_of(memory, sizeof memory);
    put_decimal(number, value);
    if (value != 0) put_tag(line, name, writer_slice(number));
}

Status print_hledger(Export& out, const CheckEntry& at) {
    uint8_t memory[1024];
    Writer line = writer_of(memory, sizeof memory);
    const Paper& paper = *out.paper;
    const Entry& entry = at.entry;
    const MovementEntry& movement = entry.movement;
    if (!paper_moves(entry)) return Status::ok;
    print_line(line);
    put_zone_date(line, entry.time_ms);
    put_text(line, " (");
    put_decimal(line, entry.seq);
    put_text(line, ") ");
    put_text(line, operation_name(movement.operation));
    put_text(line, "  ; time:");
    put_zone_clock_ms(line, entry.time_ms);
    put_tag(line, "by", names_person(paper.names, entry.person));
    put_tag(line, "terminal", names_terminal(paper.names, entry.terminal));
    put_tag(line, "id", slice_of_chars(movement.id.text, movement.id.size));
    put_tag_number(line, "hold", movement.hold);
    put_tag_number(line, "reverses", movement.reversed);
    put_tag_number(line, "order", paper_order(entry));
    put_tag(line, "item", paper_item(paper, entry));
    put_tag_number(line, "quantity", movement.order.quantity);
    put_tag_number(line, "group", paper_group(entry));
    print_line(line);
    if (movement.memo.size > 0) {
        put_text(line, "    ; memo: ");
        put_hledger_text(line, slice_of_chars(movement.memo.text, movement.memo.size));
        print_line(line);
    }
    put_posting(line, paper, movement.debit, movement.amount);
    print_line(line);
    put_posting(line, paper, movement.credit, -movement.amount);
    print_line(line);
    return Status::ok;
}

// --- CSV ------------------------------------------------------------------------------------

constexpr char csv_export_heads[] =
    "entry,time,operation,status,from,to,amount,moved,from_balance,to_balance,person,terminal,id,"
    "memo,hold,reverses,group,order,item,quantity";

void csv_balance(CsvLine& line, const Paper& paper, uint32_t row, int64_t minor) {
    if (row == row_none) return csv_empty(line);
    csv_amount(line, paper, minor);
}

// The account's name, or the one that no account has. Of two that were not found, an entry keeps
// the payee's.
void csv_accounts(CsvLine& line, const Paper& paper, const MovementEntry& movement) {
    const Slice missing = name_slice(movement.missing);
    const Slice debit = names_account(paper.names, movement.debit);
    const Slice credit = names_account(paper.names, movement.credit);
    // Of an item that there was not, the name stands with the item.
    const bool is_of_item =
        movement.operation == Operation::order && movement.order.item == row_none;
    const Slice payer = is_of_item ? Slice{nullptr, 0} : missing;
    csv_text(line, debit.size == 0 && credit.size > 0 ? payer : debit);
    csv_text(line, credit.size == 0 ? missing : credit);
}

Status print_csv(Export& out, const CheckEntry& at) {
    const Paper& paper = *out.paper;
    const Entry& entry = at.entry;
    const MovementEntry& movement = entry.movement;
    if (entry.kind != EntryKind::movement) return Status::ok;
    CsvLine line;
    csv_begin(line);
    csv_number(line, entry.seq);
    csv_time(line, entry.time_ms);
    csv_text(line, slice_of(operation_name(movement.operation)));
    csv_text(line, slice_of(entry.status == Status::ok ? "ok" : status_word(entry.status)));
    csv_accounts(line, paper, movement);
    csv_amount(line, paper, movement.amount);
    csv_amount(line, paper, paper_moves(entry) ? movement.amount : 0);
    csv_balance(line, paper, movement.debit, movement.debit_after);
    csv_balance(line, paper, movement.credit, movement.credit_after);
    csv_text(line, names_person(paper.names, entry.person));
    csv_text(line, names_terminal(paper.names, entry.terminal));
    csv_text(line, slice_of_chars(movement.id.text, movement.id.size));
    csv_text(line, slice_of_chars(movement.memo.text, movement.memo.size));
    csv_optional(line, movement.hold);
    csv_optional(line, movement.reversed);
    csv_optional(line, paper_group(entry));
    csv_optional(line, paper_order(entry));
    csv_text(line, paper_item(paper, entry));
    csv_optional(line, movement.order.quantity);
    csv_end(line);
    return Status::ok;
}

// --- Both -----------------------------------------------------------------------------------

Status print_entry(Check&, void* context, const CheckEntry& at) {
    Export& out = *static_cast<Export*>(context);
    if (at.entry.time_ms < out.span.start_ms || at.entry.time_ms >= out.span.end_ms) {
        return Status::ok;
    }
    return out.print(out, at);
}

}  // namespace

int verb_export(int argc, char** argv) {
    static Paper paper;
    PaperWords words;
    ExitCode code = paper_take("export", paper_format | paper_from_to, argc, argv, words);
    if (code == exit_done) code = paper_open(paper, words);
    if (code != exit_done) return code;
    Export out = {&paper, paper_span_of(words), print_csv};
    if (words.format == PaperFormat::hledger) {
        out.print = print_hledger;
        print_hledger_head(paper, words, out.span);
    } else {
        csv_heads(csv_export_heads);
    }
    return paper_close(paper, paper_walk(paper, print_entry, &out));
}
