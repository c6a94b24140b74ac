#include "session.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr uint64_t never = UINT64_MAX;

ServiceCall call_of(Session& session, SessionTools& tools, const Request* request) {
    return {.request = request,
            .caller = &session.caller,
            .reply = {&session.plain_out, session.caller.protocol, 0},
            .tag = session.tag,
            .wall_ms = tools.wall_us / 1000,
            .wall_us = tools.wall_us,
            .now_ms = tools.now_ms,
            .alone = session.pending == 0,
            .hash = tools.hash,
            .read = tools.read,
            .enrol = tools.enrol,
            .group = tools.group};
}

// Decrypts what there is.
Status open_cipher(Session& session) {
    Reader cipher = reader_of(writer_slice(session.cipher_in));
    const Status status = channel_read(session.channel, cipher, session.plain_in);
    writer_drop(session.cipher_in, cipher.offset);
    return status;
}

// Encrypts what there is room for.
Status seal_plain(Session& session) {
    Reader plain = reader_of(writer_slice(session.plain_out));
    const Status status = channel_write(session.channel, plain, session.cipher_out);
    wipe(session.plain_out.data, plain.offset);
    writer_drop(session.plain_out, plain.offset);
    return status;
}

// What follows from either.
void note_channel(Session& session, Status status) {
    if (status == Status::end) {
        session.peer_closed = true;
    } else if (status == Status::failed) {
        const char* reason = session.channel.reason;
        session_end(session, reason == nullptr ? "the channel failed" : reason);
    }
}

// Returns true when plain bytes were added.
bool take_plain(Session& session) {
    const uint32_t before = session.plain_in.size;
    if (session.cipher_in.size == 0 && channel_is_idle(session.channel)) return false;
    note_channel(session, open_cipher(session));
    return session.plain_in.size > before;
}

// Replies that will not be sealed; they may tell of money.
void drop_plain(Session& session) {
    wipe(session.plain_out.data, session.plain_out.size);
    session.plain_out.size = 0;
}

// What nobody is left to read is dropped.
void drop_unread(Session& session) {
    if (!session.peer_gone) return;
    drop_plain(session);
    session.cipher_out.size = 0;
}

void give_plain(Session& session) {
    if (session.plain_out.size == 0) return;
    const Status status = seal_plain(session);
    if (status != Status::failed) return;
    drop_plain(session);
    note_channel(session, status);
}

bool is_slow(const Session& session) {
    return session.channel.type != nullptr && session.channel.type->slow;
}

// Whether a slow channel has something to do. The port may still be sending from cipher_out, which
// a worker must not touch then.
bool wants_worker(const Session& session) {
    if (session.cipher_out.size > 0) return false;
    const bool opens = session_is_established(session) && session.cipher_in.size > 0 &&
                       session.block == SessionBlock::none && writer_room(session.plain_in) > 0;
    return opens || session.plain_out.size > 0;
}

// N3: room for the largest reply that the next request can have, and for all that are pending.
bool has_reply_room(const Session& session) {
    const uint32_t pending = session.pending * reply_money_size_max;
    const uint32_t next = session.pending == 0 ? reply_size_max : reply_money_size_max;
    return writer_room(session.plain_out) >= pending + next;
}

void consume(Session& session, uint32_t size) {
    wipe(session.plain_in.data, size);  // A request may hold a password.
    writer_drop(session.plain_in, size);
    session.request_since_ms = 0;
}

void refuse_framing(Session& session, const Writer& text) {
    Reply reply = {&session.plain_out, session.caller.protocol, 0};
    reply_error_begin(reply, "ERR");
    put_bytes(session.plain_out, writer_slice(text));
    reply_error_end(reply);
    session_end(session, "the protocol was broken");
}

// Whether a terminal of these rights needs nobody who logs in (access.h).
bool needs_nobody(const Session& session, const SessionTools& tools) {
    const Caller& caller = session.caller;
    return !caller.renew_only && !tools.service->access->terminals[caller.rights].login;
}

void note_login(Session& session, const SessionTools& tools, uint32_t person_before) {
    if (session.caller.enrol) return;  // N5
    const bool is_known = session.caller.person != row_none;
    if (session.caller.lab || is_known || needs_nobody(session, tools)) {
        session.phase = SessionPhase::ready;
        session.deadline_ms = tools.now_ms + tools.idle_ms;
    } else if (person_before != row_none) {
        session.phase = SessionPhase::login;
        session.deadline_ms = tools.now_ms + tools.login_ms;
    }
}

// Executes one parsed request. Returns false when no further one may be taken now.
bool execute(Session& session, SessionTools& tools, const Request& request, SessionNeed& need) {
    ServiceCall call = call_of(session, tools, &request);
    const uint32_t out_before = session.plain_out.size;
    const uint32_t person_before = session.caller.person;
    ServiceNext next = service_execute(*tools.service, call);
    CHECK(!session.plain_out.overflow);
    // N1: a reply that is known at once must not overtake the ones that wait for their commit.
    if (next == ServiceNext::replied && session.pending > 0) {
        session.plain_out.size = out_before;
        next = ServiceNext::waiting;
    }
    if (next == ServiceNext::waiting) {
        session.block = SessionBlock::commit;
        session.wants_commit = true;
        return false;
    }
    consume(session, request.size);
    session.commands++;
    tools.service->stats.commands++;
    session.active_ms = tools.now_ms;
    note_login(session, tools, person_before);
    switch (next) {
        case ServiceNext::replied: break;
        case ServiceNext::proposed: session.pending++; break;
        case ServiceNext::hashing:
            session.block = SessionBlock::hash;
            session.deadline_ms = never;
            need = SessionNeed::hash;
            return false;
        case ServiceNext::reading:
            session.block = SessionBlock::read;
            need = SessionNeed::read;
            return false;
        case ServiceNext::enrolling:
            session.block = SessionBlock::enrol;
            need = SessionNeed::enrol;
            return false;
        case ServiceNext::checkpoint:
            session.block = SessionBlock::snapshot;
            need = SessionNeed::checkpoint;
            return false;
        case ServiceNext::digest:
            session.block = SessionBlock::snapshot;
            need = SessionNeed::digest;
            return false;
        case ServiceNext::reload:
            session.block = SessionBlock::snapshot;
            need = SessionNeed::reload;
            return false;
        case ServiceNext::shutdown: need = SessionNeed::shutdown; break;
        case ServiceNext::waiting: break;
    }
    if (session.caller.wants_close) session_end(session, "the client said QUIT");
    return session.phase != SessionPhase::ending;
}

// Before a login only what carries a certificate request may be long.
RequestLimits limits_of(const Session& session) {
    if (session.caller.person != row_none) return request_limits_ready();
    static constexpr char renew[] = "*2\r\n$5\r\nRENEW\r\n";
    const Slice begin = slice_part(writer_slice(session.plain_in), 0, sizeof renew - 1);
    const bool is_long = session.caller.enrol || slice_equal_nocase(begin, renew);
    return is_long ? request_limits_enrol() : request_limits_login();
}

// Takes the next request from plain_in. Returns false when there is none to take now.
bool take_request(Session& session, SessionTools& tools, SessionNeed& need) {
    if (session.block != SessionBlock::none || !session_is_established(session)) return false;
    if (session.plain_in.size == 0) return false;
    if (session.pending >= pipeline_max || !has_reply_room(session)) return false;
    uint8_t text[request_error_size_max];
    Writer error = writer_of(text, sizeof text);
    Request request;
    const RequestLimits limits = limits_of(session);
    const Status status = request_parse(session.plain_in.data, session.plain_in.size, limits,
                                        request, error);
    if (status == Status::more) {
        if (session.request_since_ms == 0) session.request_since_ms = tools.now_ms;
        return false;
    }
    if (status != Status::ok) {
        // N1: the pending replies come first; the broken request is met again after them.
        if (session.pending == 0) refuse_framing(session, error);
        return false;
    }
    if (request.count == 0) {
        consume(session, request.size);
        return true;
    }
    if (request_is_cross_protocol(request)) {
        if (session.pending == 0) session_end(session, "the peer speaks HTTP");
        return false;
    }
    return execute(session, tools, request, need);
}

void finish_ending(Session& session) {
    if (session.phase != SessionPhase::ending || session.pending > 0) return;
    if (session.plain_out.size > 0 && session.buffers != UINT32_MAX) return;
    if (!session.end_sent && !session.peer_gone && session.buffers != UINT32_MAX) {
        channel_close(session.channel, session.cipher_out);
    }
    session.end_sent = true;
}

void unblock(Session& session, const SessionTools& tools) {
    session.block = SessionBlock::none;
    // Whoever may do nothing but ask for a certificate does not stay by asking again.
    if (session.caller.enrol || session.caller.renew_only) return;
    if (session.phase == SessionPhase::login) session.deadline_ms = tools.now_ms + tools.login_ms;
    if (session.phase == SessionPhase::ready) session.deadline_ms = tools.now_ms + tools.idle_ms;
}

}  // namespace

void session_lend(Session& session, uint32_t index, SessionBuffers& buffers) {
    CHECK(session.buffers == UINT32_MAX);
    session.buffers = index;
    session.cipher_in = writer_of(buffers.cipher_in, cipher_in_size);
    session.plain_in = writer_of(buffers.plain_in, request_size_max);
    session.plain_out = writer_of(buffers.plain_out, plain_out_size);
    session.cipher_out = writer_of(buffers.cipher_out, cipher_out_size);
}

bool session_is_idle(const Session& session) {
    return !session.lent && session.block == SessionBlock::none && session.pending == 0 &&
           session.phase != SessionPhase::handshake && session.cipher_in.size == 0 &&
           session.plain_in.size == 0 && session.plain_out.size == 0 &&
           session.cipher_out.size == 0;
}

SessionNeed session_step(Session& session, SessionTools& tools) {
    if (session.lent || session.buffers == UINT32_MAX) return SessionNeed::none;
    SessionNeed need = SessionNeed::none;
    if (session.phase == SessionPhase::handshake) {
        // The port may still be sending from cipher_out, which a worker must not touch then.
        const bool can_run = session.cipher_in.size > 0 || session.wants_room;
        return can_run && session.cipher_out.size == 0 ? SessionNeed::channel
                                                       : SessionNeed::none;
    }
    bool progress = true;
    while (progress && need == SessionNeed::none) {
        progress = false;
        while (take_request(session, tools, need)) progress = true;
        drop_unread(session);
        if (is_slow(session)) {
            if (need == SessionNeed::none && wants_worker(session)) need = SessionNeed::channel;
            progress = progress && session.peer_gone;  // Room was made, for nobody.
            continue;
        }
        if (session_is_established(session) && need == SessionNeed::none &&
            writer_room(session.plain_in) > 0 && take_plain(session)) {
            progress = true;
        }
        const uint32_t out_before = session.plain_out.size;
        give_plain(session);
        if (session.plain_out.size < out_before && session.plain_in.size > 0 &&
            session.block == SessionBlock::none) {
            progress = true;
        }
    }
    const bool opened = need == SessionNeed::none &&
                        !(is_slow(session) && session.cipher_in.size > 0);
    const bool drained = session.plain_in.size == 0 || session.request_since_ms != 0;
    if (session.peer_closed && session_is_established(session) && opened && drained &&
        session.block == SessionBlock::none && session.pending == 0) {
        session_end(session, "the client closed");
    }
    finish_ending(session);
    return need;
}

namespace {

Status run_records(Session& session) {
    Status status = Status::ok;
    if (session.cipher_in.size > 0) status = open_cipher(session);
    if (status == Status::failed || session.plain_out.size == 0) return status;
    const Status sealed = seal_plain(session);
    return sealed == Status::failed ? sealed : status;
}

}  // namespace

Status session_channel_run(Session& session) {
    CHECK(session.lent);
    if (!session.lent_to_shake) return run_records(session);
    Reader cipher = reader_of(writer_slice(session.cipher_in));
    const Status status = channel_advance(session.channel, cipher, session.cipher_out);
    writer_drop(session.cipher_in, cipher.offset);
    session.wants_room =
        status == Status::more && writer_room(session.cipher_out) < cipher_out_size / 2;
    return status;
}

namespace {

// Behind a handshake: whose terminal it is. Returns false when it is nobody's: the session ends.
bool note_terminal(Session& session, const SessionTools& tools) {
    const char* name = session.channel.peer.name;
    if (parse_name(slice_of(name), session.caller.terminal) != Status::ok) {
        session_end(session, "the certificate names no terminal");
        return false;
    }
    session.caller.renew_only = session.channel.peer.is_expired;
    session.caller.rights = access_find_terminal(*tools.service->access, session.caller.terminal);
    const bool logs_in = tools.certificate_is_user && !session.caller.renew_only;
    if (logs_in) service_login_by_certificate(*tools.service, session.caller);
    session.phase = SessionPhase::login;
    session.deadline_ms = tools.now_ms + tools.login_ms;
    note_login(session, tools, row_none);
    return true;
}

}  // namespace

void session_channel_done(Session& session, SessionTools& tools, Status status) {
    if (session.phase != SessionPhase::handshake) {
        if (status == Status::failed) drop_plain(session);
        if (session_is_established(session)) note_channel(session, status);
        return;
    }
    if (status == Status::more) return;
    if (status != Status::ok) {
        const char* reason = session.channel.reason;
        session_end(session, reason == nullptr ? "the handshake failed" : reason);
        session.end_sent = true;  // The alert was all that is owed.
        return;
    }
    session.active_ms = tools.now_ms;
    if (session.channel.type->lab) {  // N5: nobody logs in, so nobody is waited for.
        CHECK(session.caller.lab);
        note_login(session, tools, row_none);
    } else if (session.caller.enrol) {
        session.phase = SessionPhase::login;
        session.deadline_ms = tools.now_ms + tools.login_ms;
    } else if (!note_terminal(session, tools)) {
        return;
    }
    if (!session.surplus) return;
    put_text(session.plain_out, "-ERR max number of clients reached\r\n");
    session_end(session, "all sessions are taken");
}

bool session_hash_done(Session& session, SessionTools& tools, SessionNeed& need) {
    const Request none = {};
    need = SessionNeed::none;
    ServiceCall call = call_of(session, tools, &none);
    const uint32_t person_before = session.caller.person;
    if (session.phase == SessionPhase::ending) {
        service_hash_dropped(*tools.service, *tools.hash, tools.now_ms, tools.wall_us / 1000);
        wipe(tools.hash, sizeof *tools.hash);
        session.block = SessionBlock::none;
        return true;
    }
    const ServiceNext next = service_hashed(*tools.service, call);
    if (next == ServiceNext::hashing) return false;
    if (next == ServiceNext::waiting) {
        session.wants_commit = true;
        session.job_waits = true;
        return false;
    }
    unblock(session, tools);
    note_login(session, tools, person_before);
    if (next == ServiceNext::proposed) session.pending++;
    if (next == ServiceNext::reading) {
        session.block = SessionBlock::read;
        need = SessionNeed::read;
    }
    return true;
}

bool session_read_done(Session& session, SessionTools& tools) {
    const Request none = {};
    ServiceCall call = call_of(session, tools, &none);
    const uint32_t person_before = session.caller.person;
    if (session.phase == SessionPhase::ending) {
        session.block = SessionBlock::none;
        return true;
    }
    const ServiceNext next = service_read_done(*tools.service, call);
    if (next == ServiceNext::reading) return false;
    if (next == ServiceNext::waiting) {
        session.wants_commit = true;
        session.job_waits = true;
        return false;
    }
    unblock(session, tools);
    note_login(session, tools, person_before);
    if (next == ServiceNext::proposed) session.pending++;
    return true;
}

void session_enrol_done(Session& session, SessionTools& tools) {
    const Request none = {};
    ServiceCall call = call_of(session, tools, &none);
    service_enrol_settle(*tools.service, call);
    if (session.phase == SessionPhase::ending) {
        session.block = SessionBlock::none;
        return;
    }
    const ServiceNext next = service_enrolled(*tools.service, call);
    CHECK(next == ServiceNext::replied);
    unblock(session, tools);
    if (session.caller.wants_close) session_end(session, "too many tries to enrol");
}

void session_snapshot_done(Session& session, SessionTools& tools, bool was_checkpoint,
                           Status outcome, const Hash& digest, uint64_t entry) {
    const Request none = {};
    ServiceCall call = call_of(session, tools, &none);
    service_snapshot_done(call, was_checkpoint, outcome, digest, entry);
    unblock(session, tools);
}

void session_reload_done(Session& session, SessionTools& tools, Status outcome, Slice why) {
    const Request none = {};
    ServiceCall call = call_of(session, tools, &none);
    service_reload_done(call, outcome, why);
    unblock(session, tools);
}

void session_rights_changed(Session& session, const SessionTools& tools) {
    Caller& caller = session.caller;
    if (caller.lab || caller.enrol || caller.terminal.size == 0) return;
    caller.rights = access_find_terminal(*tools.service->access, caller.terminal);
    // What is queued was judged by what held then.
    if (caller.in_group && tools.group != nullptr) tools.group->broken = true;
    if (!session_is_established(session)) return;
    if (caller.person != row_none) return;
    const bool is_ready = needs_nobody(session, tools);
    if (is_ready == (session.phase == SessionPhase::ready)) return;
    session.phase = is_ready ? SessionPhase::ready : SessionPhase::login;
    session.deadline_ms = tools.now_ms + (is_ready ? tools.idle_ms : tools.login_ms);
}

void session_committed(Session& session, SessionTools& tools, const BookDone& done) {
    CHECK(session.pending > 0);
    session.pending--;
    Reply reply = {&session.plain_out, session.caller.protocol, 0};
    service_committed(*tools.service, session.caller, reply, done, tools.now_ms);
    CHECK(!session.plain_out.overflow);
}

bool session_is_established(const Session& session) {
    return session.phase == SessionPhase::login || session.phase == SessionPhase::ready;
}

void session_end(Session& session, const char* reason) {
    if (session.phase == SessionPhase::ending || session.phase == SessionPhase::ended) return;
    const bool established = session_is_established(session);
    session.phase = SessionPhase::ending;
    session.end_reason = reason;
    session.wants_commit = false;
    if (session.block == SessionBlock::commit) session.block = SessionBlock::none;
    if (!established) session.end_sent = true;  // No channel, so no closing message.
}

bool session_is_over(const Session& session) {
    return session.phase == SessionPhase::ending && session.end_sent && !session.lent &&
           session.pending == 0 && session.block == SessionBlock::none &&
           (session.buffers == UINT32_MAX || session.cipher_out.size == 0);
}

bool session_wants_bytes(const Session& session) {
    if (session.lent || session.peer_closed || session.phase == SessionPhase::ending) return false;
    return session.buffers == UINT32_MAX || writer_room(session.cipher_in) > 0;
}

void session_tick(Session& session, uint64_t now_ms, uint32_t request_ms) {
    if (session.phase == SessionPhase::ending) return;
    const uint64_t since_ms = session.request_since_ms;
    if (since_ms != 0 && now_ms - since_ms >= request_ms) {
        session_end(session, "a request took too long to arrive");
        return;
    }
    if (now_ms < session.deadline_ms) return;
    switch (session.phase) {
        case SessionPhase::waiting:
            session_end(session, session.wants_slot ? "no handshake slot was free in time"
                                                    : "no byte came in time");
            return;
        case SessionPhase::handshake: session_end(session, "the handshake took too long"); return;
        case SessionPhase::login: session_end(session, "nobody logged in in time"); return;
        case SessionPhase::ready: session_end(session, "idle for too long"); return;
        case SessionPhase::ending:
        case SessionPhase::ended: return;
    }
}
