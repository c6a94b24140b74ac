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

Status take_id(Slice word, Slice& out) {
    if (slice_equal_text(word, "+") || slice_equal_text(word, "*")) {
        out = {word.data, 0};
        return Status::ok;
    }
    if (word.size == 0 || word.size > id_size_max) return Status::invalid;
    for (uint32_t i = 0; i < word.size; i++) {
        if (!id_byte_is_fine(word.data[i])) return Status::invalid;
    }
    out = word;
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

void put_movement(const Ledger& ledger, Reply& reply, const IdRecord& record) {
    if (record.status == Status::ok) {
        const bool chosen = record.id.text[0] == '+';
        const bool of_hold = record.hold != 0;
        reply_map(reply, 2u + (of_hold ? 1 : 0) + (chosen ? 1 : 0));
        reply_bulk_text(reply, "entry");
        reply_integer(reply, static_cast<int64_t>(record.seq));
        reply_bulk_text(reply, "balance");
        reply_minor_bulk(reply, record.balance, ledger.scale);
        if (of_hold) {
            reply_bulk_text(reply, "hold");
            reply_integer(reply, static_cast<int64_t>(record.hold));
        }
        if (!chosen) return;
        reply_bulk_text(reply, "id");
        reply_bulk(reply, slice_of_chars(record.id.text, record.id.size));
        return;
    }
    reply_error_begin(reply, status_word(record.status));
    Writer& out = *reply.out;
    if (record.status == Status::funds) {
        put_text(out, "the balance is ");
        put_minor(out, record.balance, ledger.scale);
        put_text(out, ", not enough for ");
        put_minor(out, record.amount, ledger.scale);
    } else if (record.status == Status::limit) {
        put_text(out, "the account cannot take ");
        put_minor(out, record.amount, ledger.scale);
        put_text(out, " more");
    } else if (record.status == Status::noacct) {
        put_text(out, "no account '");
        put_bytes(out, name_slice(record.missing));
        put_text(out, "'");
    } else if (record.status == Status::state) {
        put_text(out, "hold ");
        put_decimal(out, record.hold);
        put_text(out, " is not open");
    } else if (record.status == Status::expired) {
        put_text(out, "hold ");
        put_decimal(out, record.hold);
        put_text(out, " has expired and was released");
    } else {
        put_text(out, status_meaning(record.status));
    }
    reply_error_end(reply);
}

ServiceNext move_money(Service& service, ServiceCall& call, BookMove& move) {
    move.person = call.caller->person;
    move.terminal = call.caller->terminal;
    IdRecord answer;
    const char* field = nullptr;
    const bool may_refuse = access_may_refuse(*service.access, move.person, call.now_ms);
    const Status status =
        book_move(*service.book, call.wall_ms, move, may_refuse, call.tag, answer, field);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::replayed) {
        put_movement(service.book->ledger, call.reply, answer);
        return ServiceNext::replied;
    }
    if (status == Status::exists) {
        reply_error_begin(call.reply, status_word(Status::exists));
        put_text(*call.reply.out, "this id was used for another request; its ");
        put_text(*call.reply.out, field);
        put_text(*call.reply.out, " differs");
        reply_error_end(call.reply);
        return ServiceNext::replied;
    }
    if (status == Status::busy) {
        return refuse(call, Status::busy, "too many refused requests this minute");
    }
    if (status == Status::oom) {
        return refuse(call, Status::oom, "a table of the book is full; try later");
    }
    if (status == Status::amount) {
        return refuse(call, Status::amount, "the hold has less than that");
    }
    CHECK(status == Status::err);
    return refuse(call, Status::err, "the account cannot pay itself");
}

Name own_account(const Service& service, const ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    return ledger.accounts[call_person(service, call).account].name;
}

namespace {

Name cash_account(const Service& service) {
    return service.book->ledger.accounts[account_cash].name;
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
    if (name_is_reserved(member)) {
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
    reply_map(reply, row.hold == 0 ? 7 : 8);
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
    reply_bulk_text(reply, "memo");
    reply_bulk(reply, slice_of_chars(row.memo.text, row.memo.size));
}

// True when the position's entry begins inside the window with room for a whole entry, or the
// window ends where the file's sound bytes may end.
bool window_holds(const StatementJob& job) {
    if (job.window_size == 0) return false;
    if (position_segment(job.next) != position_segment(job.window_start)) return false;
    const uint32_t offset = position_offset(job.next);
    const uint32_t start = position_offset(job.window_start);
    return offset >= start && offset - start + entry_size_max <= job.window_size;
}

// Asks for bytes that end behind the next entry, so that those before it come along.
void ask_for_window(StatementJob& job) {
    const uint32_t offset = position_offset(job.next);
    const uint32_t back = statement_window_size - entry_size_max;
    const uint32_t start = offset > back ? offset - back : 0;
    job.window_start = position_of(position_segment(job.next), start);
    job.window_size = statement_window_size;
}

// Takes the entry that job.next names out of the window. Returns damaged when it is not the entry
// that the account's chain promises.
Status take_statement_entry(StatementJob& job) {
    const uint32_t offset = position_offset(job.next) - position_offset(job.window_start);
    const Slice rest = {job.window + offset, job.window_size - offset};
    Reader size_reader = reader_of(rest);
    const uint16_t size = get_u16(size_reader);
    Entry entry;
    if (entry_decode(slice_part(rest, 0, size), entry) != Status::ok) return Status::damaged;
    if (entry.kind != EntryKind::movement || entry.status != Status::ok) return Status::damaged;
    if (entry.seq >= job.seq_below) return Status::damaged;
    const MovementEntry& movement = entry.movement;
    const bool gave = movement.debit == job.account;
    if (!gave && movement.credit != job.account) return Status::damaged;
    // What is only reserved, or given free again, moves nothing.
    const bool moves = !operation_is_of_hold(movement.operation) ||
                       movement.operation == Operation::capture;
    const int64_t amount = moves ? movement.amount : 0;
    if (entry.seq < job.before) {
        job.rows[job.row_count++] = {
            .entry = entry.seq,
            .time_ms = entry.time_ms,
            .amount = gave ? -amount : amount,
            .balance = gave ? movement.debit_after : movement.credit_after,
            .other = gave ? movement.credit : movement.debit,
            .person = entry.person,
            .hold = movement.hold,
            .operation = movement.operation,
            .id = movement.id,
            .memo = movement.memo,
        };
    }
    job.seq_below = entry.seq;
    job.next = gave ? movement.debit_previous : movement.credit_previous;
    return Status::ok;
}

// Reads [account] [COUNT n] [BEFORE entry]. Returns err for anything else.
Status parse_statement(const ServiceCall& call, Slice& account, uint64_t& count, uint64_t& before) {
    account = {nullptr, 0};
    count = statement_rows_default;
    before = UINT64_MAX;
    for (uint32_t i = 1; i < call_words(call); i++) {
        const Slice word = call_word(call, i);
        const bool is_count = slice_equal_nocase(word, "COUNT");
        const bool is_before = slice_equal_nocase(word, "BEFORE");
        if (is_count || is_before) {
            if (++i == call_words(call)) return Status::err;
            uint64_t& value = is_count ? count : before;
            if (parse_decimal(call_word(call, i), value) != Status::ok) return Status::err;
        } else if (i == 1) {
            account = word;
        } else {
            return Status::err;
        }
    }
    return Status::ok;
}

}  // namespace

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
    Slice word;
    uint64_t count = 0;
    uint64_t before = 0;
    if (parse_statement(call, word, count, before) != Status::ok) return refuse_syntax(call);
    if (count == 0 || count > statement_rows_max) {
        reply_error_begin(call.reply, "ERR");
        put_text(*call.reply.out, "COUNT is from 1 to ");
        put_decimal(*call.reply.out, statement_rows_max);
        put_text(*call.reply.out, "; go on with BEFORE the last entry shown");
        reply_error_end(call.reply);
        return ServiceNext::replied;
    }
    uint32_t row = row_none;
    if (find_readable(service, call, word, roles_auditor, row) != Status::ok) {
        return ServiceNext::replied;
    }
    if (call.statement == nullptr) return ServiceNext::waiting;
    StatementJob& job = *call.statement;
    job.account = row;
    job.rows_wanted = static_cast<uint32_t>(count);
    job.before = before;
    job.next = service.book->ledger.accounts[row].installed.last;
    job.seq_below = UINT64_MAX;
    job.outcome = Status::ok;
    job.row_count = 0;
    job.window_size = 0;
    return ServiceNext::reading;
}

Status service_statement_feed(StatementJob& job) {
    while (job.next != 0 && job.row_count < job.rows_wanted && job.outcome == Status::ok) {
        if (!window_holds(job)) {
            ask_for_window(job);
            return Status::more;
        }
        job.outcome = take_statement_entry(job);
    }
    return Status::end;
}

void service_statement_take(StatementJob& job, Status outcome, uint32_t size) {
    CHECK(size <= statement_window_size);
    job.outcome = outcome;
    job.window_size = statement_window_size;
    // What is missing reads as zeros, which no entry is; so the same bytes are never asked for
    // twice.
    memset(job.window + size, 0, statement_window_size - size);
}

void service_statement_done(Service& service, ServiceCall& call) {
    const StatementJob& job = *call.statement;
    if (job.outcome != Status::ok) {
        refuse(call, Status::misconf, "the journal could not be read back; run pennyctl check");
        return;
    }
    reply_array(call.reply, job.row_count);
    for (uint32_t i = 0; i < job.row_count; i++) {
        put_statement_row(service.book->ledger, call.reply, job.rows[i]);
    }
}

void service_committed(Service& service, Caller& caller, Reply& reply, const BookDone& done,
                       uint64_t now_ms) {
    if (!done.durable) {
        reply_error(reply, status_word(Status::misconf),
                    "the journal could not be written; the outcome is unknown until a restart, "
                    "then resend the same id");
        return;
    }
    switch (done.entry.kind) {
        case EntryKind::movement:
            if (done.entry.status != Status::ok) {
                access_note_refusal(*service.access, done.entry.person, now_ms);
            }
            put_movement(service.book->ledger, reply, id_record_of(done.entry));
            return;
        case EntryKind::person: {
            const PersonEntry& entry = done.entry.row_person;
            if (entry.person == caller.person) {
                caller.version = service.book->ledger.people[entry.person].installed.version;
            }
            reply_ok(reply);
            return;
        }
        case EntryKind::account: reply_ok(reply); return;
        case EntryKind::genesis:
        case EntryKind::limits:
        case EntryKind::terminal: break;
    }
    CHECK(false);
}
