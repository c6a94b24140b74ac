// ACCOUNT OPEN, CLOSE, LIMIT, LIST: accounts beside those that every person has.

#include "base/check.h"
#include "service/handlers.h"

namespace {

constexpr uint32_t list_rows_max = 100;

Status find_account(const Service& service, ServiceCall& call, Slice word, uint32_t& out) {
    Name name;
    const Ledger& ledger = service.book->ledger;
    uint32_t row = row_none;
    if (parse_name(word, name) == Status::ok) row = ledger_find_account(ledger, name);
    if (row == row_none || row >= ledger.accounts_installed) {
        refuse_no_account(call, word);
        return Status::absent;
    }
    out = row;
    return Status::ok;
}

bool is_manager(const Service& service, const ServiceCall& call) {
    const Role role = call_person(service, call).installed.role;
    return role == Role::treasurer || role == Role::admin;
}

ServiceNext refuse_role(ServiceCall& call) {
    return refuse(call, Status::noperm, "accounts are kept by a treasurer or an admin");
}

// ACCOUNT OPEN name [OWNER person]. Opening what is there with that owner again is fine (P10).
ServiceNext open_account(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    Name name;
    Name owner_name;
    uint32_t owner = row_none;
    if (call_words(call) != 3 && call_words(call) != 5) return refuse_syntax(call);
    if (parse_name(call_word(call, 2), name) != Status::ok) {
        return refuse(call, Status::err,
                      "a name is a letter and up to 30 of [a-z0-9._-], not ending in '.'");
    }
    if (call_words(call) == 5) {
        if (!slice_equal_nocase(call_word(call, 3), "OWNER")) return refuse_syntax(call);
        const bool fine = parse_name(call_word(call, 4), owner_name) == Status::ok;
        owner = fine ? ledger_find_person(ledger, owner_name) : row_none;
        if (owner == row_none || owner >= ledger.people_installed) {
            return refuse(call, Status::err, "there is no person of that name");
        }
    }
    const uint32_t row = ledger_find_account(ledger, name);
    const bool is_of_book = row == account_cash || row == account_shop;
    if (row != row_none && ledger.accounts[row].owner == owner && !is_of_book) {
        if (row >= ledger.accounts_installed) return ServiceNext::waiting;
        reply_ok(call.reply);
        return ServiceNext::replied;
    }
    const Status status =
        book_open_account(*service.book, call.wall_ms, call.caller->person, call.caller->terminal,
                          name, owner, call.tag);
    return after_proposal(service, call, status);
}

ServiceNext set_account(Service& service, ServiceCall& call, uint32_t row,
                        AccountOperation operation, const AccountValues& values) {
    const Status status =
        book_set_account(*service.book, call.wall_ms, call.caller->person, call.caller->terminal,
                         row, operation, values, call.tag);
    if (status == Status::state) {
        return refuse(call, Status::state, "an account with money or holds cannot be closed");
    }
    return after_proposal(service, call, status);
}

// What is asked for holds already (P10): as soon as it is durable, since whoever asked for it first
// may still be told that it could not be written (P1).
ServiceNext answer_held(const Service& service, ServiceCall& call, uint32_t row) {
    const Account& account = service.book->ledger.accounts[row];
    const AccountValues& now = account.installed;
    const AccountValues& soon = account.decided;
    if (now.state != soon.state || now.floor != soon.floor || now.ceiling != soon.ceiling) {
        return ServiceNext::waiting;
    }
    reply_ok(call.reply);
    return ServiceNext::replied;
}

ServiceNext close_account(Service& service, ServiceCall& call) {
    uint32_t row = row_none;
    if (call_words(call) != 3) return refuse_syntax(call);
    if (find_account(service, call, call_word(call, 2), row) != Status::ok) {
        return ServiceNext::replied;
    }
    if (row == account_cash || row == account_shop) {
        return refuse(call, Status::noperm, "this account belongs to the book itself");
    }
    AccountValues values = service.book->ledger.accounts[row].decided;
    if (values.state == AccountState::closed) return answer_held(service, call, row);
    values.state = AccountState::closed;
    return set_account(service, call, row, AccountOperation::close, values);
}

// Takes a bound: an amount that may be negative, or `-` for none.
Status take_bound(const Service& service, Slice word, int64_t none, int64_t& out) {
    if (slice_equal_text(word, "-")) {
        out = none;
        return Status::ok;
    }
    return parse_minor(word, service.book->ledger.scale, out);
}

// ACCOUNT LIMIT name floor ceiling.
ServiceNext limit_account(Service& service, ServiceCall& call) {
    uint32_t row = row_none;
    if (call_words(call) != 5) return refuse_syntax(call);
    if (find_account(service, call, call_word(call, 2), row) != Status::ok) {
        return ServiceNext::replied;
    }
    AccountValues values = service.book->ledger.accounts[row].decided;
    const AccountValues before = values;
    const Status floor = take_bound(service, call_word(call, 3), -balance_minor_max, values.floor);
    const Status ceiling =
        take_bound(service, call_word(call, 4), balance_minor_max, values.ceiling);
    if (floor != Status::ok || ceiling != Status::ok) return refuse_amount(service, call);
    if (values.floor > values.ceiling) {
        return refuse(call, Status::err, "the floor is above the ceiling");
    }
    if (row == account_cash) {
        return refuse(call, Status::noperm, "cash has no bounds");
    }
    if (values.floor == before.floor && values.ceiling == before.ceiling) {
        return answer_held(service, call, row);
    }
    return set_account(service, call, row, AccountOperation::limit, values);
}

void put_bound(Reply& reply, int64_t minor, uint32_t scale) {
    if (minor == balance_minor_max || minor == -balance_minor_max) {
        reply_null(reply);
    } else {
        reply_minor_bulk(reply, minor, scale);
    }
}

void put_account(const Ledger& ledger, Reply& reply, const Account& account) {
    const AccountValues& values = account.installed;
    reply_map(reply, 7);
    reply_bulk_text(reply, "account");
    reply_bulk(reply, name_slice(account.name));
    reply_bulk_text(reply, "balance");
    reply_minor_bulk(reply, values.balance, ledger.scale);
    reply_bulk_text(reply, "held");
    reply_minor_bulk(reply, values.held, ledger.scale);
    reply_bulk_text(reply, "floor");
    put_bound(reply, values.floor, ledger.scale);
    reply_bulk_text(reply, "ceiling");
    put_bound(reply, values.ceiling, ledger.scale);
    reply_bulk_text(reply, "owner");
    reply_bulk(reply, account.owner == row_none ? Slice{nullptr, 0}
                                                : name_slice(ledger.people[account.owner].name));
    reply_bulk_text(reply, "state");
    reply_bulk_text(reply, values.state == AccountState::open ? "open" : "closed");
}

// ACCOUNT LIST [AFTER name]: in the order in which they were opened, a page at a time.
ServiceNext list_accounts(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    uint32_t first = 0;
    if (call_words(call) != 2 && call_words(call) != 4) return refuse_syntax(call);
    if (call_words(call) == 4) {
        if (!slice_equal_nocase(call_word(call, 2), "AFTER")) return refuse_syntax(call);
        if (find_account(service, call, call_word(call, 3), first) != Status::ok) {
            return ServiceNext::replied;
        }
        first++;
    }
    const uint32_t left = ledger.accounts_installed - first;
    const uint32_t count = left < list_rows_max ? left : list_rows_max;
    reply_array(call.reply, count);
    for (uint32_t i = 0; i < count; i++) {
        put_account(ledger, call.reply, ledger.accounts[first + i]);
    }
    return ServiceNext::replied;
}

}  // namespace

ServiceNext command_account(Service& service, ServiceCall& call) {
    const Slice verb = call_word(call, 1);
    if (slice_equal_nocase(verb, "LIST")) {
        const Role role = call_person(service, call).installed.role;
        if (!is_manager(service, call) && role != Role::auditor) return refuse_role(call);
        return list_accounts(service, call);
    }
    if (!is_manager(service, call)) return refuse_role(call);
    if (slice_equal_nocase(verb, "OPEN")) return open_account(service, call);
    if (slice_equal_nocase(verb, "CLOSE")) return close_account(service, call);
    if (slice_equal_nocase(verb, "LIMIT")) return limit_account(service, call);
    return refuse(call, Status::err, "unknown subcommand; try OPEN, CLOSE, LIMIT or LIST");
}
