// The commands about several movements at once, booked all or none: MULTI EXEC DISCARD, with
// Redis's shapes. WATCH is refused: a group is judged as a whole when it is booked, so there is
// nothing to watch for.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

bool same_id(const Id& a, const Id& b) {
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

// Which command of the group, as people count.
void put_place(Writer& out, uint32_t index) {
    put_decimal(out, index + 1);
    put_u8(out, ' ');
}

ServiceNext refuse_known(ServiceCall& call, const BookGroup& group) {
    reply_error_begin(call.reply, status_word(Status::exists));
    Writer& out = *call.reply.out;
    put_text(out, group.field);
    put_text(out, " differs: the id of command ");
    put_decimal(out, group.refused_at + 1);
    put_text(out, " was used for another request; nothing was booked");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// What is refused without being remembered.
ServiceNext refuse_impossible(ServiceCall& call, const BookGroup& group, Operation operation) {
    const bool costs = operation == Operation::order;
    const char* why = group.refused != Status::amount ? " the account cannot pay itself"
                      : costs ? " so many cost more than one movement can be"
                              : " the hold has less than that";
    reply_error_begin(call.reply, status_word(Status::execabort));
    Writer& out = *call.reply.out;
    put_place(out, group.refused_at);
    put_text(out, status_word(group.refused));
    put_text(out, why);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// P3: what the person asked elsewhere since the commands were queued may have one of their ids and
// be lost by the ring. Returns ok, or what ledger_look_for_id said of the first such one.
Status look_again(const Ledger& ledger, const Group& group) {
    for (uint32_t i = 0; i < group.count; i++) {
        const BookMove& move = group.moves[i];
        if (move.id.size == 0 || move.was_known) continue;
        const Slice id = slice_of_chars(move.id.text, move.id.size);
        uint32_t steps = 0;
        const Status look = ledger_look_for_id(ledger, move.person, id, move.looked, steps);
        if (look != Status::ok) return look;
    }
    return Status::ok;
}

bool is_known(const Service& service, const BookMove& move) {
    const Slice id = slice_of_chars(move.id.text, move.id.size);
    return move.was_known || ids_find(service.book->ledger.ids, move.person, id) != nullptr;
}

ServiceNext exec(Service& service, ServiceCall& call, const Group& group) {
    const Status look = look_again(service.book->ledger, group);
    if (look == Status::pending) return ServiceNext::waiting;
    if (look == Status::more) {
        return refuse(call, Status::busy, "much was booked meanwhile; send the group again");
    }
    // What its terminal and its PIN permit was judged by what things cost when they were queued. A
    // group that was booked before is answered again, whatever they cost by now.
    for (uint32_t i = 0; i < group.count; i++) {
        const BookMove& move = group.moves[i];
        if (!price_has_risen(service.book->ledger, move) || is_known(service, move)) continue;
        return refuse(call, Status::execabort,
                      "a price has risen since it was queued; nothing was booked");
    }
    BookGroup found;
    const bool may_refuse = access_may_refuse(*service.access, group.person, call.now_ms);
    const Status status = book_move_group(*service.book, call.wall_ms, group.moves, group.count,
                                          may_refuse, call.tag, found);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::exists) return refuse_known(call, found);
    if (status == Status::execabort) {
        return refuse_impossible(call, found, group.moves[found.refused_at].operation);
    }
    if (status == Status::replayed) {
        put_group(service.book->ledger, call.reply, found.records, group.count);
        return ServiceNext::replied;
    }
    if (status == Status::busy) {
        return refuse(call, Status::busy, "too many refused requests this minute");
    }
    CHECK(status == Status::oom);
    return refuse(call, Status::oom, "a table of the book is full; try later");
}

}  // namespace

GroupWatch group_watch(const ServiceCall& call) {
    const bool in_group = call.caller->in_group;
    return {in_group, in_group ? call.group->count : 0};
}

void group_note(ServiceCall& call, const GroupWatch& before, ServiceNext next) {
    if (!before.in_group || !call.caller->in_group || next != ServiceNext::replied) return;
    if (call.group->count == before.count) call.group->broken = true;
}

void leave_group(ServiceCall& call) {
    call.caller->in_group = false;
    call.caller->group_refused = false;
}

void put_group(const Ledger& ledger, Reply& reply, const IdRecord* records, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const IdRecord& record = records[i];
        if (record.status == Status::ok || record.status == Status::execabort) continue;
        reply_error_begin(reply, status_word(Status::execabort));
        put_place(*reply.out, i);
        put_text(*reply.out, status_word(record.status));
        put_u8(*reply.out, ' ');
        put_refusal(ledger, record, *reply.out);
        reply_error_end(reply);
        return;
    }
    reply_array(reply, count);
    for (uint32_t i = 0; i < count; i++) put_movement(ledger, reply, records[i]);
}

ServiceNext queue_move(const Service& service, ServiceCall& call, const BookMove& move) {
    Group& group = *call.group;
    if (group.count >= service.access->rules.multi) {
        reply_error_begin(call.reply, "ERR");
        put_text(*call.reply.out, "a group has at most ");
        put_decimal(*call.reply.out, service.access->rules.multi);
        put_text(*call.reply.out, " commands");
        reply_error_end(call.reply);
        return ServiceNext::replied;
    }
    for (uint32_t i = 0; i < group.count && move.id.size > 0; i++) {
        if (!same_id(group.moves[i].id, move.id)) continue;
        return refuse(call, Status::exists, "this id is in the group already");
    }
    group.moves[group.count++] = move;
    reply_simple(call.reply, "QUEUED");
    return ServiceNext::replied;
}

ServiceNext command_multi(Service& service, ServiceCall& call) {
    (void)service;
    if (call.caller->in_group) return refuse(call, Status::err, "MULTI calls can not be nested");
    call.caller->group_refused = call.group == nullptr;
    if (call.group == nullptr) {
        return refuse(call, Status::busy, "all groups are taken; end one with EXEC or DISCARD");
    }
    call.group->person = call.caller->person;
    call.group->count = 0;
    call.group->broken = false;
    call.caller->in_group = true;
    reply_ok(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_exec(Service& service, ServiceCall& call) {
    if (call.caller->group_refused) {
        leave_group(call);
        return refuse(call, Status::execabort,
                      "Transaction discarded because of previous errors.");
    }
    if (!call.caller->in_group) return refuse(call, Status::err, "EXEC without MULTI");
    const Group& group = *call.group;
    ServiceNext next = ServiceNext::replied;
    if (group.broken) {
        refuse(call, Status::execabort, "Transaction discarded because of previous errors.");
    } else if (group.count == 0) {
        reply_array(call.reply, 0);
    } else {
        next = exec(service, call, group);
    }
    if (next != ServiceNext::waiting) leave_group(call);
    return next;
}

ServiceNext command_discard(Service& service, ServiceCall& call) {
    (void)service;
    if (!call.caller->in_group && !call.caller->group_refused) {
        return refuse(call, Status::err, "DISCARD without MULTI");
    }
    leave_group(call);
    reply_ok(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_watch(Service& service, ServiceCall& call) {
    (void)service;
    return refuse(call, Status::err,
                  "WATCH is not there: a group is judged as a whole when EXEC books it");
}

ServiceNext command_unwatch(Service& service, ServiceCall& call) {
    (void)service;
    reply_ok(call.reply);  // Nothing is watched. Some clients say it after every group.
    return ServiceNext::replied;
}
