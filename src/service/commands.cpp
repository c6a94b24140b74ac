#include "base/check.h"
#include "service/handlers.h"

namespace {

// What the column `roles` of commands.def may name.
constexpr RoleSet role_set_all = roles_all;
constexpr RoleSet role_set_member = roles_member;
constexpr RoleSet role_set_reverser = roles_reverser;
constexpr RoleSet role_set_manager = roles_manager;
constexpr RoleSet role_set_admin = roles_admin;

constexpr CommandRow rows[] = {
#define COMMAND(symbol, name, least, most, phase, roles, flags, group, usage, summary)        \
    {name,  least, most,  CommandPhase::phase, role_set_##roles, command_##flags,            \
     CommandGroup::group, usage, summary, command_##symbol},
#include "service/commands.def"
#undef COMMAND
};

constexpr uint32_t row_count = sizeof rows / sizeof rows[0];

// Redis's text, so that clients that look for it find it.
ServiceNext refuse_unknown(ServiceCall& call) {
    reply_error_begin(call.reply, "ERR");
    Writer& out = *call.reply.out;
    put_text(out, "unknown command '");
    put_printable(out, call_word(call, 0), 64);
    put_text(out, "', with args beginning with: ");
    for (uint32_t i = 1; i < call_words(call) && i < 4; i++) {
        put_text(out, "'");
        put_printable(out, call_word(call, i), 32);
        put_text(out, "' ");
    }
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_words(ServiceCall& call, const CommandRow& row) {
    reply_error_begin(call.reply, "ERR");
    Writer& out = *call.reply.out;
    put_text(out, "wrong number of arguments for '");
    for (const char* c = row.name; *c != '\0'; c++) {
        put_u8(out, static_cast<uint8_t>(*c - 'A' + 'a'));
    }
    put_text(out, "' command");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

}  // namespace

bool login_holds(const Service& service, const Caller& caller) {
    const PersonValues& values = service.book->ledger.people[caller.person].installed;
    return values.state == PersonState::active && values.version == caller.version;
}

ServiceNext end_login(ServiceCall& call) {
    call.caller->person = row_none;
    leave_group(call);
    return refuse(call, Status::noauth,
                  "the password or the account was changed; log in again");
}

uint32_t command_count() { return row_count; }

const CommandRow& command_row(uint32_t index) {
    CHECK(index < row_count);
    return rows[index];
}

const char* command_group_name(CommandGroup group) {
    switch (group) {
        case CommandGroup::connection: return "connection";
        case CommandGroup::identity: return "identity";
        case CommandGroup::bank: return "bank";
        case CommandGroup::orders: return "orders";
        case CommandGroup::messages: return "messages";
        case CommandGroup::info: return "info";
        case CommandGroup::admin: return "admin";
    }
    CHECK(false);
    return "";
}

const CommandRow* command_find(Slice word) {
    for (const CommandRow& row : rows) {
        if (slice_equal_nocase(word, row.name)) return &row;
    }
    return nullptr;
}

namespace {

// Takes `PIN text` off the end of a movement that has words enough without it. Returns invalid for
// a text that cannot be a PIN.
Status take_pin(ServiceCall& call, const CommandRow& row, Request& rest) {
    const uint32_t count = call_words(call);
    if ((row.flags & command_money) == 0 || count < row.words_min + 2u) return Status::ok;
    if (!slice_equal_nocase(call_word(call, count - 2), "PIN")) return Status::ok;
    call.pin = call_word(call, count - 1);
    rest = *call.request;
    rest.count = count - 2;
    call.request = &rest;
    return pin_is_fine(call.pin) ? Status::ok : Status::invalid;
}

// Whether row, role and terminal permit it (P6); false after having refused.
bool may_execute(const Service& service, ServiceCall& call, const CommandRow& row) {
    const Caller& caller = *call.caller;
    const bool logged_in = caller.person != row_none;
    const Role role = logged_in ? call_person(service, call).installed.role : Role::customer;
    switch (access_may(row.phase, row.roles, call_rights(service, call), logged_in, role)) {
        case AccessVerdict::yes: return true;
        case AccessVerdict::needs_login:
            refuse(call, Status::noauth, "Authentication required.");
            return false;
        case AccessVerdict::not_from_here:
            refuse(call, Status::noperm, "this terminal does not permit your role");
            return false;
        case AccessVerdict::not_this_role:
            refuse(call, Status::noperm, "your role does not permit this command");
            return false;
    }
    CHECK(false);
    return false;
}

// S8: whether a first password stands in the way of the row.
bool is_held_back(const Service& service, const ServiceCall& call, const CommandRow& row) {
    if (call.caller->person == row_none) return false;
    if ((row.flags & (command_first | command_expired)) != 0) return false;
    return call_person(service, call).installed.term == PasswordTerm::first;
}

// Everything that is true of the row, and then what it does. `pin` says whether the words that were
// taken off the end can be a PIN.
ServiceNext execute_words(Service& service, ServiceCall& call, const CommandRow& row, Status pin) {
    Caller& caller = *call.caller;
    const bool is_money = (row.flags & command_money) != 0;
    if (call_words(call) < row.words_min || call_words(call) > row.words_max) {
        return refuse_words(call, row);
    }
    const bool is_stranger = caller.lab || caller.enrol;
    if (!is_stranger && !may_execute(service, call, row)) return ServiceNext::replied;
    if (is_held_back(service, call, row)) {
        // A PASSWD of this session may be on its way.
        if (!call.alone) return ServiceNext::waiting;
        return refuse(call, Status::noperm,
                      "this is a first password; change it: PASSWD old new");
    }
    if (pin != Status::ok) return refuse_pin_text(call);
    if (caller.in_group && !is_money && (row.flags & command_steer) == 0) {
        return refuse(call, Status::err, "only commands that move money may be queued in a group");
    }
    // Its client may have sent all of the group at once, and must not see half of it booked.
    if (caller.group_refused && is_money) {
        return refuse(call, Status::busy, "the group was refused; end it with EXEC or DISCARD");
    }
    return row.handler(service, call);
}

ServiceNext execute_row(Service& service, ServiceCall& call, const CommandRow& row) {
    const Request* const whole = call.request;
    Request rest;
    const Status pin = take_pin(call, row, rest);
    const ServiceNext next = execute_words(service, call, row, pin);
    call.request = whole;
    return next;
}

}  // namespace

ServiceNext service_execute(Service& service, ServiceCall& call) {
    CHECK(call_words(call) > 0);
    Caller& caller = *call.caller;
    const CommandRow* row = command_find(call_word(call, 0));
    const uint32_t flags = row == nullptr ? command_none : row->flags;
    if (caller.lab && (flags & command_lab) == 0) {  // S3
        return refuse(call, Status::noperm, "a laboratory channel carries no such command");
    }
    if (caller.enrol && (flags & command_stranger) == 0) {
        return refuse(call, Status::noperm, "channel enrol carries ENROL and QUIT alone");
    }
    if (caller.renew_only && (flags & command_expired) == 0) {
        return refuse(call, Status::noperm,
                      "the certificate has expired; it can be renewed, and nothing else");
    }
    if (!call.alone && (row == nullptr || (row->flags & command_money) == 0)) {
        return ServiceNext::waiting;
    }
    if (caller.person != row_none && !login_holds(service, caller)) {
        return call.alone ? end_login(call) : ServiceNext::waiting;
    }
    const GroupWatch watch = group_watch(call);
    const ServiceNext next =
        row == nullptr ? refuse_unknown(call) : execute_row(service, call, *row);
    const bool steers = row != nullptr && (row->flags & command_steer) != 0;
    if (!steers) group_note(call, watch, next);
    return next;
}

const Person& call_person(const Service& service, const ServiceCall& call) {
    CHECK(call.caller->person < service.book->ledger.people_installed);
    return service.book->ledger.people[call.caller->person];
}

ServiceNext refuse(ServiceCall& call, Status status, const char* text) {
    reply_error(call.reply, status_word(status), text);
    return ServiceNext::replied;
}

ServiceNext refuse_plainly(ServiceCall& call, Status status) {
    return refuse(call, status, status_meaning(status));
}

ServiceNext refuse_misconf(const Service& service, ServiceCall& call) {
    switch (service.book->log.blocked) {
        case LogBlock::failed:
            return refuse(call, Status::misconf,
                          "the journal could not be written; no money moves until a restart");
        case LogBlock::read_only:
            return refuse(call, Status::misconf,
                          "the book is open read-only; no money moves until the disk can be "
                          "written and the server is started again, without --read-only");
        case LogBlock::no_room:
            return refuse(call, Status::misconf,
                          "no room for the next journal segment; make room on the disk");
        case LogBlock::clock:
            return refuse(call, Status::misconf,
                          "clock: the time is too far ahead of the last entry; set the clock, or "
                          "stop the server and run `pennyctl clock accept`");
        case LogBlock::none: break;
    }
    return refuse(call, Status::misconf, "the journal cannot be written at present");
}

ServiceNext refuse_syntax(ServiceCall& call) { return refuse(call, Status::err, "syntax error"); }
