// audit: who did what to people, accounts and items, when, and from which terminal.
//
// Every such thing is an entry, so this is the journal itself, told by its entries about people,
// accounts and items. What has neither person nor terminal the operator did, with pennyctl, at the
// machine; what has a terminal alone somebody did there who was not logged in. No name has
// brackets, so nobody can pass for either.
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "pennyctl/paper.h"
#include "pennyctl/paper_text.h"

namespace {

constexpr char operator_name[] = "(pennyctl)";
constexpr char operator_terminal[] = "(local)";
constexpr char nobody_name[] = "(nobody)";

struct Audit {
    Paper* paper;
    PaperSpan span;
    PaperFormat format;
    Slice person;     // only what this one did, or what was done to this one; empty for all
    uint64_t count;   // of lines printed
};

// One entry as it is told. What it does not say is empty.
struct Told {
    Slice by;
    Slice terminal;
    const char* what;
    Slice whom;
    const char* role;
    Slice title;
    bool registered;  // at a terminal, by whoever stood there
    bool is_first;    // the password is a first one
    bool has_bounds;
    int64_t floor;    // minor units
    int64_t ceiling;
    bool is_item;     // with a price, and a stock where that is counted
    bool is_counted;
    int64_t price;    // minor units
    uint32_t stock;
};

Slice or_else(Slice name, const char* instead) {
    return name.size > 0 ? name : slice_of(instead);
}

const char* account_operation_name(AccountOperation operation) {
    switch (operation) {
        case AccountOperation::open: return "account open";
        case AccountOperation::close: return "account close";
        case AccountOperation::limit: return "account limit";
    }
    CHECK(false);
}

void tell_person(const PersonEntry& person, Told& out) {
    out.what = person_operation_name(person.operation);
    out.whom = name_slice(person.name);
    out.title = slice_of_chars(person.title.text, person.title.size);
    out.registered = person.day != 0;
    out.is_first = person.term == PasswordTerm::first;
    const bool has_role = person.operation == PersonOperation::added ||
                          person.operation == PersonOperation::role;
    if (has_role) out.role = role_name(person.role);
}

void tell_item(const ItemEntry& item, Told& out) {
    out.what = item.operation == ItemOperation::set ? "item set" : "item del";
    out.whom = name_slice(item.name);
    out.title = slice_of_chars(item.title.text, item.title.size);
    out.is_item = true;
    out.is_counted = item.counted;
    out.price = item.price;
    out.stock = item.stock;
}

// False for entries that audit is not about.
bool tell(const Audit& audit, const Entry& entry, Told& out) {
    out = {};
    if (entry.kind == EntryKind::person) {
        tell_person(entry.row_person, out);
    } else if (entry.kind == EntryKind::account) {
        const AccountEntry& account = entry.account;
        out.what = account_operation_name(account.operation);
        out.whom = name_slice(account.name);
        out.has_bounds = account.operation == AccountOperation::limit;
        out.floor = account.floor;
        out.ceiling = account.ceiling;
    } else if (entry.kind == EntryKind::item) {
        tell_item(entry.item, out);
    } else {
        return false;
    }
    const JournalNames& names = audit.paper->names;
    const bool is_operator = entry.terminal == row_none;
    out.by = or_else(names_person(names, entry.person), is_operator ? operator_name : nobody_name);
    out.terminal = or_else(names_terminal(names, entry.terminal), operator_terminal);
    return true;
}

bool is_wanted(const Audit& audit, const Entry& entry, const Told& told) {
    if (entry.time_ms < audit.span.start_ms || entry.time_ms >= audit.span.end_ms) return false;
    if (audit.person.size == 0) return true;
    return (!told.is_item && slice_equal(audit.person, told.whom)) ||
           slice_equal(audit.person, told.by);
}

// --- Text -----------------------------------------------------------------------------------

// 2026-11-21 18:40:12+00:00  7  admin at kiosk: role bob, till
void print_text(const Audit& audit, const Entry& entry, const Told& told) {
    uint8_t memory[1024];
    Writer line = writer_of(memory, sizeof memory);
    put_moment(line, entry.time_ms);
    put_text(line, "  ");
    put_decimal(line, entry.seq);
    put_text(line, "  ");
    put_bytes(line, told.by);
    put_text(line, " at ");
    put_bytes(line, told.terminal);
    put_text(line, ": ");
    put_text(line, told.what);
    put_u8(line, ' ');
    put_bytes(line, told.whom);
    if (told.role != nullptr) {
        put_text(line, ", ");
        put_text(line, told.role);
    }
    if (told.registered) put_text(line, ", registered");
    if (told.is_first) put_text(line, ", first password");
    if (told.title.size > 0) {
        put_text(line, ", ");
        put_clean(line, told.title);
    }
    if (told.has_bounds) {
        put_text(line, ", from ");
        put_amount(line, *audit.paper, told.floor);
        put_text(line, " to ");
        put_amount(line, *audit.paper, told.ceiling);
    }
    if (told.is_item) {
        put_text(line, ", price ");
        put_amount(line, *audit.paper, told.price);
    }
    if (told.is_counted) {
        put_text(line, ", stock ");
        put_decimal(line, told.stock);
    }
    CHECK(!line.overflow);
    printf("%.*s\n", static_cast<int>(line.size), reinterpret_cast<char*>(memory));
}

// --- CSV ------------------------------------------------------------------------------------

constexpr char csv_audit_heads[] = "entry,time,by,terminal,operation,name,role,registered,title,"
                                   "floor,ceiling,price,stock,password";

void csv_bound(CsvLine& line, const Paper& paper, const Told& told, int64_t minor) {
    if (!told.has_bounds) return csv_empty(line);
    csv_amount(line, paper, minor);
}

void print_csv(const Audit& audit, const Entry& entry, const Told& told) {
    CsvLine line;
    csv_begin(line);
    csv_number(line, entry.seq);
    csv_time(line, entry.time_ms);
    csv_text(line, told.by);
    csv_text(line, told.terminal);
    csv_text(line, slice_of(told.what));
    csv_text(line, told.whom);
    csv_text(line, slice_of(told.role == nullptr ? "" : told.role));
    csv_text(line, slice_of(told.registered ? "yes" : ""));
    csv_text(line, told.title);
    csv_bound(line, *audit.paper, told, told.floor);
    csv_bound(line, *audit.paper, told, told.ceiling);
    if (told.is_item) {
        csv_amount(line, *audit.paper, told.price);
    } else {
        csv_empty(line);
    }
    if (told.is_counted) {
        csv_number(line, told.stock);
    } else {
        csv_empty(line);
    }
    csv_text(line, slice_of(told.is_first ? "first" : ""));
    csv_end(line);
}

// --- JSON: an array of objects, whose members are the columns of the CSV ----------------------

void put_member(Writer& line, const char* name, Slice text) {
    if (text.size == 0) return;
    put_text(line, ",\"");
    put_text(line, name);
    put_text(line, "\":");
    put_json_string(line, text);
}

// As text, so that no reader makes a floating-point number of money.
void put_member_amount(Writer& line, const char* name, const Audit& audit, int64_t minor) {
    uint8_t memory[32];
    Writer amount = writer_of(memory, sizeof memory);
    put_amount(amount, *audit.paper, minor);
    put_member(line, name, writer_slice(amount));
}

void print_json(const Audit& audit, const Entry& entry, const Told& told) {
    uint8_t memory[2048];
    uint8_t when[40];
    Writer line = writer_of(memory, sizeof memory);
    Writer time = writer_of(when, sizeof when);
    put_zone_date(time, entry.time_ms);
    put_u8(time, 'T');
    put_zone_clock_ms(time, entry.time_ms);
    put_text(line, "{\"entry\":");
    put_decimal(line, entry.seq);
    put_member(line, "time", writer_slice(time));
    put_member(line, "by", told.by);
    put_member(line, "terminal", told.terminal);
    put_member(line, "operation", slice_of(told.what));
    put_member(line, "name", told.whom);
    if (told.role != nullptr) put_member(line, "role", slice_of(told.role));
    if (told.registered) put_text(line, ",\"registered\":true");
    put_member(line, "title", told.title);
    if (told.has_bounds) {
        put_member_amount(line, "floor", audit, told.floor);
        put_member_amount(line, "ceiling", audit, told.ceiling);
    }
    if (told.is_item) put_member_amount(line, "price", audit, told.price);
    if (told.is_counted) {
        put_text(line, ",\"stock\":");
        put_decimal(line, told.stock);
    }
    if (told.is_first) put_member(line, "password", slice_of("first"));
    put_u8(line, '}');
    CHECK(!line.overflow);
    printf("%s%.*s", audit.count == 0 ? "[\n" : ",\n", static_cast<int>(line.size),
           reinterpret_cast<char*>(memory));
}

// --- All ------------------------------------------------------------------------------------

Status print_entry(Check&, void* context, const CheckEntry& at) {
    Audit& audit = *static_cast<Audit*>(context);
    Told told;
    if (!tell(audit, at.entry, told) || !is_wanted(audit, at.entry, told)) return Status::ok;
    switch (audit.format) {
        case PaperFormat::text: print_text(audit, at.entry, told); break;
        case PaperFormat::csv: print_csv(audit, at.entry, told); break;
        case PaperFormat::json: print_json(audit, at.entry, told); break;
        case PaperFormat::none:
        case PaperFormat::hledger: CHECK(false);
    }
    audit.count++;
    return Status::ok;
}

// Somebody of that name is in the book, or it stands for who has none.
bool is_known(const Paper& paper, Slice name) {
    if (slice_equal_text(name, operator_name) || slice_equal_text(name, nobody_name)) return true;
    for (uint32_t row = 0; row < paper.names.people.count; row++) {
        if (slice_equal(names_person(paper.names, row), name)) return true;
    }
    return false;
}

}  // namespace

int verb_audit(int argc, char** argv) {
    static Paper paper;
    PaperWords words;
    ExitCode code = paper_take("audit", paper_audit | paper_from_to, argc, argv, words);
    if (code == exit_done) code = paper_open(paper, words);
    if (code != exit_done) return code;
    Audit audit = {&paper, paper_span_of(words), words.format, {}, 0};
    if (words.person != nullptr) {
        audit.person = tool_slice(words.person);
        if (!is_known(paper, audit.person)) {
            code = paper_close(paper, Status::ok);
            return code == exit_done ? tool_refuse("there is no person %s", words.person) : code;
        }
    }
    if (words.format == PaperFormat::csv) csv_heads(csv_audit_heads);
    const Status status = paper_walk(paper, print_entry, &audit);
    if (words.format == PaperFormat::json) printf("%s]\n", audit.count == 0 ? "[" : "\n");
    return paper_close(paper, status);
}
