// The commands that show and move money: BALANCE DEPOSIT WITHDRAW TRANSFER STATEMENT.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

bool id_byte_is_fine(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == ':' ||
           byte == '-';
}

Status take_memo(Slice word, Memo& out) {
    if (word.size > memo_size_max) return Status::invalid;
    for (uint32_t i = 0; i < word.size; i++) {
        if (word.data[i] < ' ' || word.data[i] == 0x7f) return Status::invalid;
    }
    out.size = static_cast<uint8_t>(word.size);
    if (word.size > 0) memcpy(out.text, word.data, word.size);
    return Status::ok;
}

}  // namespace

Status take_id(Slice word, Id& out) {
    out = {};
    if (slice_equal_text(word, "+") || slice_equal_text(word, "*")) return Status::ok;
    if (word.size == 0 || word.size > id_size_max) return Status::invalid;
    for (uint32_t i = 0; i < word.size; i++) {
        if (!id_byte_is_fine(word.data[i])) return Status::invalid;
    }
    out.size = static_cast<uint8_t>(word.size);
    memcpy(out.text, word.data, word.size);
    return Status::ok;
}

ServiceNext refuse_id(ServiceCall& call) {
    return refuse(call, Status::err,
                  "an id is 1 to 32 of [A-Za-z0-9._:-], or + to have one chosen");
}

ServiceNext refuse_amount(const Service& service, ServiceCall& call) {
    reply_error_begin(call.reply, status_word(Status::amount));
    Writer& out = *call.reply.out;
    const uint32_t scale = service.book->ledger.scale;
    put_text(out, "an amount is decimal text from ");
    put_minor(out, 1, scale);
    put_text(out, " to ");
    put_minor(out, amount_minor_max, scale);
    put_text(out, ", such as ");
    put_minor(out, 1250, scale);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_no_account(ServiceCall& call, Slice name) {
    reply_error_begin(call.reply, status_word(Status::noacct));
    put_text(*call.reply.out, "no account '");
    put_printable(*call.reply.out, name, 40);
    put_text(*call.reply.out, "'");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

Name own_account(const Service& service, const ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    return ledger.accounts[call_person(service, call).account].name;
}

namespace {

Name cash_account(const Service& service) {
    return service.book->ledger.accounts[account_cash].name;
}

// Accounts that were opened before their name became an option word are as good as any.
bool is_of_book(const Service& service, const Name& name) {
    const Ledger& ledger = service.book->ledger;
    return name_equal(name, ledger.accounts[account_cash].name) ||
           name_equal(name, ledger.accounts[account_shop].name) ||
           (name_is_reserved(name) && ledger_find_account(ledger, name) == row_none);
}

// The parts that DEPOSIT and WITHDRAW share: id, amount, and the member whose account it is.
ServiceNext move_cash(Service& service, ServiceCall& call, Operation operation) {
    BookMove move = {};
    const Role role = call_person(service, call).installed.role;
    Name member = own_account(service, call);
    if (take_id(call_word(call, 1), move.id) != Status::ok) return refuse_id(call);
    const Status amount =
        parse_amount(call_word(call, 2), service.book->ledger.scale, move.amount);
    if (amount != Status::ok) return refuse_amount(service, call);
    if (call_words(call) == 4 && parse_name(call_word(call, 3), member) != Status::ok) {
        return refuse_no_account(call, call_word(call, 3));
    }
    const bool own = name_equal(member, own_account(service, call));
    if (role != Role::till && !(own && service.access->rules.self_service)) {
        return refuse(call, Status::noperm,
                      own ? "cash is paid in and out at a till"
                          : "this is somebody else's account");
    }
    if (is_of_book(service, member)) {
        return refuse(call, Status::noperm, "this account belongs to the book itself");
    }
    move.operation = operation;
    move.debit = operation == Operation::deposit ? cash_account(service) : member;
    move.credit = operation == Operation::deposit ? member : cash_account(service);
    return move_money(service, call, move);
}

// True when the caller may see this account.
bool may_read(const Service& service, const ServiceCall& call, uint32_t account, RoleSet others) {
    const Person& person = call_person(service, call);
    if (service.book->ledger.accounts[account].owner == call.caller->person) return true;
    return role_is_in(others, person.installed.role);
}

// Finds the account of an optional word. Returns absent after having refused.
Status find_readable(const Service& service, ServiceCall& call, Slice word, RoleSet others,
                     uint32_t& out) {
    const Ledger& ledger = service.book->ledger;
    Name name;
    uint32_t row = call_person(service, call).account;
    if (word.size > 0) {
        row = parse_name(word, name) == Status::ok ? ledger_find_account(ledger, name) : row_none;
    }
    const bool there = row != row_none && row < ledger.accounts_installed;
    // Who may not see others' accounts is not told which of them exist.
    if (there ? !may_read(service, call, row, others)
              : !role_is_in(others, call_person(service, call).installed.role)) {
        refuse(call, Status::noperm, "this is somebody else's account");
        return Status::absent;
    }
    if (!there) {
        refuse_no_account(call, word);
        return Status::absent;
    }
    out = row;
    return Status::ok;
}

void put_statement_row(const Ledger& ledger, Reply& reply, const StatementRow& row) {
    reply_map(reply, 7u + (row.hold == 0 ? 0 : 1) + (row.reversed == 0 ? 0 : 1) +
                         (row.order == 0 ? 0 : 3));
    reply_bulk_text(reply, "entry");
    reply_integer(reply, static_cast<int64_t>(row.entry));
    reply_bulk_text(reply, "time");
    reply_bulk_begin(reply);
    put_utc(*reply.out, row.time_ms);
    reply_bulk_end(reply);
    reply_bulk_text(reply, "operation");
    reply_bulk_text(reply, operation_name(row.operation));
    reply_bulk_text(reply, "amount");
    reply_minor_bulk(reply, row.amount, ledger.scale);
    reply_bulk_text(reply, "balance");
    reply_minor_bulk(reply, row.balance, ledger.scale);
    reply_bulk_text(reply, "account");
    reply_bulk(reply, name_slice(ledger.accounts[row.other].name));
    if (row.hold != 0) {
        reply_bulk_text(reply, "hold");
        reply_integer(reply, static_cast<int64_t>(row.hold));
    }
    if (row.reversed != 0) {
        reply_bulk_text(reply, "reversed");
        reply_integer(reply, static_cast<int64_t>(row.reversed));
    }
    if (row.order != 0) {
        reply_bulk_text(reply, "order");
        reply_integer(reply, static_cast<int64_t>(row.order));
        reply_bulk_text(reply, "item");
        reply_bulk(reply, name_slice(ledger.items[row.item].name));
        reply_bulk_text(reply, "quantity");
        reply_integer(reply, row.quantity);
    }
    reply_bulk_text(reply, "memo");
    reply_bulk(reply, slice_of_chars(row.memo.text, row.memo.size));
}

// What stands in the place of all older rows.
void put_archive_row(Reply& reply, const ArchivedPart& part) {
    reply_map(reply, 2);
    reply_bulk_text(reply, "archived");
    reply_bulk_text(reply, part.name);
    reply_bulk_text(reply, "before");
    reply_integer(reply, static_cast<int64_t>(part.entry_next));
}

}  // namespace

Status parse_page(const ServiceCall& call, PageWords& out, bool* all) {
    for (uint32_t i = 1; i < call_words(call); i++) {
        const Slice word = call_word(call, i);
        const bool is_count = slice_equal_nocase(word, "COUNT");
        const bool is_before = slice_equal_nocase(word, "BEFORE");
        if (all != nullptr && slice_equal_nocase(word, "ALL")) {
            *all = true;
        } else if (is_count || is_before) {
            if (++i == call_words(call)) return Status::err;
            uint64_t& value = is_count ? out.count : out.before;
            if (parse_decimal(call_word(call, i), value) != Status::ok) return Status::err;
        } else if (i == 1) {
            out.account = word;
        } else {
            return Status::err;
        }
    }
    return Status::ok;
}

ServiceNext refuse_page(ServiceCall& call, uint32_t rows_max, const char* what) {
    reply_error_begin(call.reply, "ERR");
    put_text(*call.reply.out, "COUNT is from 1 to ");
    put_decimal(*call.reply.out, rows_max);
    put_text(*call.reply.out, "; go on with BEFORE the last ");
    put_text(*call.reply.out, what);
    put_text(*call.reply.out, " shown");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_balance(Service& service, ServiceCall& call) {
    const Slice word = call_words(call) == 2 ? call_word(call, 1) : Slice{nullptr, 0};
    const Ledger& ledger = service.book->ledger;
    uint32_t row = row_none;
    if (find_readable(service, call, word, roles_reader, row) != Status::ok) {
        return ServiceNext::replied;
    }
    reply_minor_bulk(call.reply, ledger.accounts[row].installed.balance, ledger.scale);
    return ServiceNext::replied;
}

ServiceNext command_deposit(Service& service, ServiceCall& call) {
    return move_cash(service, call, Operation::deposit);
}

ServiceNext command_withdraw(Service& service, ServiceCall& call) {
    return move_cash(service, call, Operation::withdraw);
}

ServiceNext command_transfer(Service& service, ServiceCall& call) {
    BookMove move = {};
    move.operation = Operation::transfer;
    move.debit = own_account(service, call);
    if (take_id(call_word(call, 1), move.id) != Status::ok) return refuse_id(call);
    if (parse_name(call_word(call, 2), move.credit) != Status::ok) {
        return refuse_no_account(call, call_word(call, 2));
    }
    const Status amount =
        parse_amount(call_word(call, 3), service.book->ledger.scale, move.amount);
    if (amount != Status::ok) return refuse_amount(service, call);
    for (uint32_t i = 4; i < call_words(call); i += 2) {
        if (i + 1 == call_words(call)) return refuse_syntax(call);
        if (slice_equal_nocase(call_word(call, i), "FROM")) {
            if (parse_name(call_word(call, i + 1), move.debit) != Status::ok) {
                return refuse_no_account(call, call_word(call, i + 1));
            }
        } else if (slice_equal_nocase(call_word(call, i), "MEMO")) {
            if (take_memo(call_word(call, i + 1), move.memo) != Status::ok) {
                return refuse(call, Status::err,
                              "a memo is at most 63 bytes without control bytes");
            }
        } else {
            return refuse_syntax(call);
        }
    }
    const Ledger& ledger = service.book->ledger;
    const uint32_t debit = ledger_find_account(ledger, move.debit);
    if (debit == row_none || ledger.accounts[debit].owner != call.caller->person) {
        return refuse(call, Status::noperm, "only the own account can pay");
    }
    if (name_is_reserved(move.credit) && ledger_find_account(ledger, move.credit) == account_cash) {
        return refuse(call, Status::noperm, "cash is paid in and out with DEPOSIT and WITHDRAW");
    }
    return move_money(service, call, move);
}

ServiceNext command_statement(Service& service, ServiceCall& call) {
    PageWords page = {{nullptr, 0}, statement_rows_default, UINT64_MAX};
    if (parse_page(call, page, nullptr) != Status::ok) return refuse_syntax(call);
    if (page.count == 0 || page.count > statement_rows_max) {
        return refuse_page(call, statement_rows_max, "entry");
    }
    uint32_t row = row_none;
    if (find_readable(service, call, page.account, roles_auditor, row) != Status::ok) {
        return ServiceNext::replied;
    }
    if (call.read == nullptr) return ServiceNext::waiting;
    const Position last = service.book->ledger.accounts[row].installed.last;
    read_statement(*call.read, row, last, static_cast<uint32_t>(page.count), page.before);
    return ServiceNext::reading;
}

ServiceNext statement_done(const Service& service, ServiceCall& call) {
    const ReadJob& job = *call.read;
    // A chain that leads into an archive ends with its name.
    const bool is_archived = job.outcome == Status::absent && service.archived != nullptr;
    const ArchivedPart* part =
        is_archived ? archived_find(*service.archived, position_segment(job.next)) : nullptr;
    if (job.outcome != Status::ok && part == nullptr) return refuse_unreadable(call);
    const StatementWalk& walk = job.statement;
    for (uint32_t i = 0; i < walk.row_count; i++) {
        const StatementRow& row = walk.rows[i];
        const bool is_there = row.item < service.book->ledger.items_installed;
        if (row.order != 0 && !is_there) return refuse_unreadable(call);
    }
    reply_array(call.reply, walk.row_count + (part == nullptr ? 0 : 1));
    for (uint32_t i = 0; i < walk.row_count; i++) {
        put_statement_row(service.book->ledger, call.reply, walk.rows[i]);
    }
    if (part != nullptr) put_archive_row(call.reply, *part);
    return ServiceNext::replied;
}
