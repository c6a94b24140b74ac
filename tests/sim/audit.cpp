// The auditor's work at a quiet point: reads the whole book as a client can, for the oracle.
//
//     INFO ─► ACCOUNT LIST, page by page ─► STATEMENT of each account ─► ITEMS, ORDERS ─► DIGEST ─► INFO
//
// A connection that is lost on the way begins it anew. The two INFOs must agree, or something moved
// money that should have been quiet.

#include <stdlib.h>

#include "sim/players.h"

namespace sim {

namespace {

using std::string;

constexpr char statement_rows[] = "64";

uint64_t head_of(const Value& info) {
    const string field = "journal_entries:";
    const size_t at = info.text.find(field);
    if (at == string::npos) return UINT64_MAX;
    return strtoull(info.text.c_str() + at + field.size(), nullptr, 10);
}

bool take_bound(const Value* value, int64_t none, int64_t& out) {
    if (value == nullptr) return false;
    if (value->type == '_') {
        out = none;
        return true;
    }
    return oracle_minor(value->text, out);
}

bool take_listed(const Value& row, Listed& out) {
    const Value* account = resp_field(row, "account");
    const Value* balance = resp_field(row, "balance");
    const Value* held = resp_field(row, "held");
    const Value* owner = resp_field(row, "owner");
    const Value* state = resp_field(row, "state");
    if (account == nullptr || balance == nullptr || held == nullptr || state == nullptr) {
        return false;
    }
    out.account = account->text;
    out.owner = owner == nullptr ? "" : owner->text;
    out.closed = state->text == "closed";
    return oracle_minor(balance->text, out.balance) && oracle_minor(held->text, out.held) &&
           take_bound(resp_field(row, "floor"), -oracle_unbounded, out.floor) &&
           take_bound(resp_field(row, "ceiling"), oracle_unbounded, out.ceiling);
}

uint64_t days_of(uint64_t year, uint64_t month, uint64_t day) {
    uint64_t days = 0;
    const auto leap = [](uint64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; };
    for (uint64_t y = 1970; y < year; y++) days += leap(y) ? 366 : 365;
    static const uint64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (uint64_t m = 1; m < month; m++) days += lengths[m - 1] + (m == 2 && leap(year) ? 1 : 0);
    return days + day - 1;
}

}  // namespace

// 2026-11-20T12:22:01.000Z, a day at a time so that anybody can follow.
bool audit_time(const string& text, uint64_t& out_ms) {
    unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
    char end = 0;
    if (sscanf(text.c_str(), "%4u-%2u-%2uT%2u:%2u:%2u.%3u%c", &year, &month, &day, &hour, &minute,
               &second, &ms, &end) != 8 ||
        end != 'Z' || month < 1 || month > 12) {
        return false;
    }
    out_ms = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + ms;
    return true;
}

namespace {

uint64_t number_of(const Value* value) {
    return value == nullptr ? 0 : strtoull(value->text.c_str(), nullptr, 10);
}

bool take_line(const Value& row, StatementLine& out) {
    const Value* time = resp_field(row, "time");
    const Value* operation = resp_field(row, "operation");
    const Value* amount = resp_field(row, "amount");
    const Value* balance = resp_field(row, "balance");
    const Value* other = resp_field(row, "account");
    const Value* memo = resp_field(row, "memo");
    if (time == nullptr || operation == nullptr || amount == nullptr || balance == nullptr ||
        other == nullptr || memo == nullptr) {
        return false;
    }
    out.entry = number_of(resp_field(row, "entry"));
    out.operation = operation->text;
    out.other = other->text;
    out.memo = memo->text;
    out.hold = number_of(resp_field(row, "hold"));
    out.reversed = number_of(resp_field(row, "reversed"));
    out.order = number_of(resp_field(row, "order"));
    out.quantity = static_cast<uint32_t>(number_of(resp_field(row, "quantity")));
    const Value* item = resp_field(row, "item");
    if (item != nullptr) out.item = item->text;
    return out.entry > 0 && audit_time(time->text, out.time_ms) &&
           oracle_minor(amount->text, out.amount) && oracle_minor(balance->text, out.balance);
}

void take_list(Party& party, const Value& value) {
    Audit& audit = party.audit;
    for (const Value& row : value.items) {
        Listed listed;
        if (!take_listed(row, listed)) return party.fail("ACCOUNT LIST has a strange row");
        audit.left.push_back(listed.account);
        audit.seen.accounts.push_back(listed);
    }
}

void take_statement(Party& party, const string& account, const Value& value) {
    Audit& audit = party.audit;
    bool older = value.items.size() < static_cast<size_t>(atoi(statement_rows));
    for (const Value& row : value.items) {
        if (party.oracle.rules.archived > 0 && resp_field(row, "archived") != nullptr) {
            party.tally.add("statements that end at an archive");
            older = true;
            break;
        }
        StatementLine line;
        if (!take_line(row, line)) return party.fail("STATEMENT of " + account + " is strange");
        if (line.entry <= party.oracle.judged) {
            older = true;
            break;
        }
        audit.seen.lines[account].push_back(line);
        audit.before = line.entry;
    }
    party.tally.add("statement pages");
    if (!older) return;
    audit.left.pop_back();
    audit.before = 0;
}

}  // namespace

void Party::begin_audit() {
    audit = {};
    audit.running = true;
    begin_mail_audit();
    wake(*auditor, 1);
}

void audit_step(Party& party) {
    Audit& audit = party.audit;
    Player& player = *party.auditor;
    const auto ask = [&](const Words& words, void (*take)(Party&, const Value&)) {
        player.say(words, [&party, &player, take](const Value& value, const string&) {
            if (!player.note_common(value, nullptr)) {
                if (value.is_error()) return party.fail("the auditor was told: " + value.text);
                take(party, value);
            }
        });
    };
    if (!party.failure.empty() || audit.done) return;
    if (audit.head_first == 0) {
        ask({"INFO", "persistence"}, [](Party& of, const Value& value) {
            of.audit.head_first = head_of(value);
        });
    } else if (audit.seen.accounts.empty()) {
        ask({"ACCOUNT", "LIST"}, take_list);
    } else if (audit.seen.accounts.size() % 100 == 0) {
        ask({"ACCOUNT", "LIST", "AFTER", audit.seen.accounts.back().account}, take_list);
    } else if (!audit.left.empty()) {
        Words words = {"STATEMENT", audit.left.back(), "COUNT", statement_rows};
        if (audit.before != 0) words.insert(words.end(), {"BEFORE", std::to_string(audit.before)});
        const string account = audit.left.back();
        player.say(words, [&party, &player, account](const Value& value, const string&) {
            if (player.note_common(value, nullptr)) return;
            if (value.is_error()) {
                return party.fail("STATEMENT of " + account + ": " + value.text);
            }
            take_statement(party, account, value);
        });
    } else if (audit_shop(party)) {
        return;
    } else if (!party.is_mail_read()) {
        return;
    } else if (audit.digest.empty()) {
        ask({"DIGEST"}, [](Party& of, const Value& value) { of.audit.digest = value.text; });
    } else {
        ask({"INFO", "persistence"}, [](Party& of, const Value& value) {
            of.audit.seen.head = head_of(value);
            of.audit.running = false;
            of.audit.done = true;
            if (of.audit.seen.head != of.audit.head_first) {
                of.fail("entries were made at a quiet point");
            }
        });
    }
}

bool Party::judge() {
    string why;
    audit.seen.others_max = others_max + terminals.size() - terminals_judged;
    audit.seen.refused = refused;
    if (!oracle.judge(audit.seen, why)) {
        fail(why);
        return false;
    }
    if (!oracle.mail.judge(oracle.people, audit.seen.head, why)) {
        fail(why);
        return false;
    }
    others_max = 0;
    terminals_judged = terminals.size();
    refused = 0;
    tally.add("quiet points judged");
    return true;
}

}  // namespace sim
