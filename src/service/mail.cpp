// The commands about sealed messages: KEY SEND INBOX READ FORGET. The server keeps and forwards
// what it cannot read; only what is sealed to the server itself is opened, on a worker.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"

namespace {

constexpr char server_party[] = "@server";

ServiceNext refuse_no_person(ServiceCall& call, Slice name) {
    reply_error_begin(call.reply, status_word(Status::noacct));
    put_text(*call.reply.out, "no person '");
    put_printable(*call.reply.out, name, 40);
    put_text(*call.reply.out, "'");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_about(ServiceCall& call, Status status, const char* before, Slice what,
                         const char* behind) {
    reply_error_begin(call.reply, status_word(status));
    put_text(*call.reply.out, before);
    put_printable(*call.reply.out, what, 40);
    put_text(*call.reply.out, behind);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_number(ServiceCall& call, Status status, const char* before, uint64_t number,
                          const char* behind) {
    reply_error_begin(call.reply, status_word(status));
    put_text(*call.reply.out, before);
    put_decimal(*call.reply.out, number);
    put_text(*call.reply.out, behind);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// Only keys with this exponent are published, so that their modulus is all there is to keep.
JoseKey key_of(const uint8_t* modulus) {
    JoseKey key = {};
    memcpy(key.modulus, modulus, sizeof key.modulus);
    key.exponent = jose_exponent_min;
    return key;
}
static_assert(mail_modulus_size == jose_modulus_size);

// The installed key of a person. Returns absent when there is none.
Status find_key(const Ledger& ledger, uint32_t person, JoseKey& out) {
    const uint32_t slot = mail_find_key(ledger.mail, person);
    if (slot == pool_none || !ledger.mail.keys.slots[slot].installed) return Status::absent;
    out = key_of(ledger.mail.keys.slots[slot].modulus);
    return Status::ok;
}

// --- KEY ---

void put_key(Reply& reply, Slice name, const JoseKey* key) {
    reply_map(reply, 2);
    reply_bulk_text(reply, "name");
    reply_bulk(reply, name);
    reply_bulk_text(reply, "jwk");
    if (key == nullptr) {
        reply_null(reply);
        return;
    }
    reply_bulk_begin(reply);
    put_jwk(*reply.out, *key);
    reply_bulk_end(reply);
}

ServiceNext show_key(const Service& service, ServiceCall& call, uint32_t person) {
    const Ledger& ledger = service.book->ledger;
    JoseKey key = {};
    const bool is_there = find_key(ledger, person, key) == Status::ok;
    put_key(call.reply, name_slice(ledger.people[person].name), is_there ? &key : nullptr);
    return ServiceNext::replied;
}

ServiceNext set_key(Service& service, ServiceCall& call) {
    JoseKey key = {};
    const char* reason = "";
    if (jwk_parse(call_word(call, 2), key, reason) != Status::ok) {
        return refuse(call, Status::err, reason);
    }
    if (key.exponent != jose_exponent_min) {
        return refuse(call, Status::err, "the exponent of the key must be 65537 (AQAB)");
    }
    const Status status =
        book_set_key(*service.book, call.wall_ms, call.caller->person, call.caller->terminal,
                     {key.modulus, sizeof key.modulus}, call.tag);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::oom) {
        return refuse(call, Status::oom,
                      "there is no room for more people's keys ([limits] message-keys)");
    }
    if (status == Status::state) return refuse(call, Status::state, "this person was removed");
    CHECK(status == Status::replayed);
    reply_ok(call.reply);
    return ServiceNext::replied;
}

// --- SEND ---

ServiceNext refuse_full(const Service& service, ServiceCall& call, const Name& to,
                        const char* field) {
    if (field == nullptr) {
        return refuse(call, Status::oom, "a table of the book is full; try later");
    }
    if (slice_equal_text(slice_of(field), "messages")) {
        return refuse(call, Status::oom,
                      "the server keeps no more messages ([limits] messages) until some are "
                      "forgotten; nothing was sent");
    }
    reply_error_begin(call.reply, status_word(Status::oom));
    Writer& out = *call.reply.out;
    put_text(out, "the mailbox of ");
    put_bytes(out, name_slice(to));
    put_text(out, " is full: ");
    put_decimal(out, service.book->ledger.limits.mailbox);
    put_text(out, " messages wait there; nothing was sent");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// The answer to SEND, first or again: everything in it comes from the record (P3).
void put_message(const Ledger& ledger, Reply& reply, const IdRecord& record) {
    if (record.status == Status::ok) {
        const bool chosen = record.id.text[0] == '+';
        reply_map(reply, chosen ? 2 : 1);
        reply_bulk_text(reply, "message");
        reply_integer(reply, static_cast<int64_t>(record.seq));
        if (!chosen) return;
        reply_bulk_text(reply, "id");
        reply_bulk(reply, slice_of_chars(record.id.text, record.id.size));
        return;
    }
    reply_error_begin(reply, status_word(record.status));
    Writer& out = *reply.out;
    if (record.status == Status::noacct) {
        put_text(out, "no person '");
        put_bytes(out, name_slice(record.missing));
        put_text(out, "'");
    } else {
        put_bytes(out, name_slice(ledger.accounts[record.credit].name));
        put_text(out, record.status == Status::closed
                          ? " was removed and gets no messages"
                          : " has published no key, so nothing can be sealed for them");
    }
    reply_error_end(reply);
}

// Looks in the journal where the ring no longer remembers the id; the envelope goes along.
ServiceNext look_for_message(const Service& service, ServiceCall& call, const BookMail& mail) {
    BookMove move = {};
    move.operation = Operation::message;
    move.person = mail.person;
    move.id = mail.id;
    move.looked = mail.looked;
    move.was_known = mail.was_known;
    const ServiceNext next = look_for_id(service, call, move);
    if (next != ServiceNext::reading) return next;
    MailJob& job = call.read->mail;
    job.to = mail.to;
    if (mail.envelope.data == job.envelope) return next;
    job.size = mail.envelope.size;
    memcpy(job.envelope, mail.envelope.data, mail.envelope.size);
    return next;
}

ServiceNext send_mail(Service& service, ServiceCall& call, BookMail& mail) {
    mail.person = call.caller->person;
    mail.terminal = call.caller->terminal;
    const ServiceNext look = look_for_message(service, call, mail);
    if (look != ServiceNext::replied) return look;
    IdRecord answer;
    const char* field = nullptr;
    const bool may_refuse = access_may_refuse(*service.access, mail.person, call.now_ms);
    const Status status =
        book_send(*service.book, call.wall_ms, mail, may_refuse, call.tag, answer, field);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::exists) return refuse_other_content(call, field);
    if (status == Status::oom) return refuse_full(service, call, mail.to, field);
    if (status == Status::busy) {
        return refuse(call, Status::busy, "too many refused requests this minute");
    }
    CHECK(status == Status::replayed);
    put_message(service.book->ledger, call.reply, answer);
    return ServiceNext::replied;
}

// To the server itself: not kept, but opened, so it must have been sealed and signed for that.
ServiceNext send_server(Service& service, ServiceCall& call, const Id& id, Slice envelope) {
    const Person& person = call_person(service, call);
    if (service.message_key == nullptr) {
        return refuse(call, Status::state,
                      "this server has no key for messages ([server] message-key)");
    }
    JoseKey sender = {};
    if (find_key(service.book->ledger, call.caller->person, sender) != Status::ok) {
        return refuse(call, Status::state,
                      "you have published no key, so nobody could tell that it is yours");
    }
    if (!may_read_now(call)) return ServiceNext::waiting;
    // Before it is opened: what is no message costs as much.
    if (!access_take_told(*service.access, call.caller->person, call.now_ms)) {
        return refuse(call, Status::busy, "enough was told in this minute; try later");
    }
    MailJob& mail = call.read->mail;
    mail.from = person.name;
    mail.id = id;
    mail.sender = sender;
    mail.time_ms = call.wall_ms;
    mail.step = MailStep::opening;
    mail.size = envelope.size;
    memcpy(mail.envelope, envelope.data, envelope.size);
    read_key(*call.read, ReadUse::server_message);
    return ServiceNext::reading;
}

// Its shape, as far as it can be seen without a key. Returns absent after having refused.
Status check_envelope(ServiceCall& call, Slice envelope) {
    if (envelope.size > message_sealed_size_max) {
        refuse_longer(call, "an envelope", envelope.size, "one may have", message_sealed_size_max);
        return Status::absent;
    }
    Jwe jwe = {};
    if (jwe_split(envelope, jwe) == Status::ok && jwe.header.is_nested) return Status::ok;
    refuse(call, Status::err,
           "this is no envelope: a JWE in its compact form is wanted, RSA-OAEP-256 with A256GCM, "
           "around a JWS (cty JWT)");
    return Status::absent;
}

// Why the server could not take what was sealed to it.
ServiceNext refuse_server_message(ServiceCall& call, const MailJob& mail, Status outcome) {
    if (outcome == Status::failed) {
        return refuse(call, Status::busy, "no message could be opened or sealed now; try later");
    }
    if (mail.step == MailStep::opening) {
        return refuse(call, Status::err,
                      outcome == Status::damaged
                          ? "it was changed, or is not sealed to the key of this server, which "
                            "KEY @server shows"
                          : "what is sealed is not a signed message");
    }
    if (mail.step == MailStep::judging) {
        if (outcome == Status::damaged) {
            return refuse_about(call, Status::err, "it is not signed by the key that ",
                                name_slice(mail.from), " has published");
        }
        return refuse(call, Status::err,
                      outcome == Status::state
                          ? "what is signed is another message: its sender, recipient or id differ"
                          : "what is sealed is not a signed message");
    }
    CHECK(mail.step == MailStep::telling);
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, "a text of ");
    put_decimal(*call.reply.out, mail.told_size);
    put_text(*call.reply.out, " bytes; the log takes at most ");
    put_decimal(*call.reply.out, told_size_max);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// --- INBOX, READ, FORGET ---

// Bytes of one message of INBOX: what its values can have, and 12 around each name and each value.
constexpr uint32_t inbox_row_size_max =
    4 + 2 * 5 * 12 + 20 + name_size_max + id_size_max + 24 + 4;
static_assert(16 + mailbox_max * inbox_row_size_max <= reply_size_max);
static_assert(message_sealed_size_max + inbox_row_size_max + 32 <= reply_size_max);

// What INBOX and READ both say of a message, up to its time.
void put_slot(const Ledger& ledger, Reply& reply, const MailSlot& slot) {
    reply_map(reply, 5);
    reply_bulk_text(reply, "number");
    reply_integer(reply, static_cast<int64_t>(slot.number));
    reply_bulk_text(reply, "from");
    reply_bulk(reply, name_slice(ledger.people[slot.from].name));
    reply_bulk_text(reply, "id");
    reply_bulk(reply, slice_of_chars(slot.id.text, slot.id.size));
    reply_bulk_text(reply, "time");
    reply_bulk_begin(reply);
    put_utc(*reply.out, slot.time_ms);
    reply_bulk_end(reply);
}

// Takes the number of a message. Returns absent after having refused.
Status take_number(ServiceCall& call, uint64_t& out) {
    if (parse_decimal(call_word(call, 1), out) == Status::ok && out > 0) return Status::ok;
    refuse(call, Status::err, "a message is named by its number, such as 17");
    return Status::absent;
}

ServiceNext read_failed(const Service& service, ServiceCall& call) {
    const ReadJob& job = *call.read;
    const bool is_archived = job.outcome == Status::absent && service.archived != nullptr;
    const uint32_t segment = position_segment(job.mail.slot.position);
    const ArchivedPart* part =
        is_archived ? archived_find(*service.archived, segment) : nullptr;
    if (part == nullptr) return refuse_unreadable(call);
    reply_error_begin(call.reply, status_word(Status::state));
    Writer& out = *call.reply.out;
    put_text(out, "message ");
    put_decimal(out, job.mail.slot.number);
    put_text(out, " lies in the archive ");
    put_text(out, part->name);
    put_text(out, "; ask the operator for a bank restored with it, or FORGET the message");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

}  // namespace

ServiceNext command_key(Service& service, ServiceCall& call) {
    if (call_words(call) == 3) {
        return slice_equal_nocase(call_word(call, 1), "SET") ? set_key(service, call)
                                                             : refuse_syntax(call);
    }
    if (call_words(call) == 1) return show_key(service, call, call.caller->person);
    const Slice word = call_word(call, 1);
    if (slice_equal_text(word, server_party)) {
        put_key(call.reply, word, service.message_key);
        return ServiceNext::replied;
    }
    const Ledger& ledger = service.book->ledger;
    Name name;
    if (parse_name(word, name) != Status::ok) return refuse_no_person(call, word);
    const uint32_t person = ledger_find_person(ledger, name);
    const bool is_there = person != row_none && person < ledger.people_installed;
    if (!is_there) return refuse_no_person(call, word);
    return show_key(service, call, person);
}

ServiceNext command_send(Service& service, ServiceCall& call) {
    BookMail mail = {};
    const Slice to = call_word(call, 2);
    const bool is_to_server = slice_equal_text(to, server_party);
    if (take_id(call_word(call, 1), mail.id) != Status::ok) return refuse_id(call);
    mail.envelope = call_word(call, 3);
    if (!is_to_server && parse_name(to, mail.to) != Status::ok) return refuse_no_person(call, to);
    if (check_envelope(call, mail.envelope) != Status::ok) return ServiceNext::replied;
    if (!is_to_server) return send_mail(service, call, mail);
    if (mail.id.size == 0) {
        return refuse(call, Status::err,
                      "a message to @server names its id, which is inside the signature too");
    }
    return send_server(service, call, mail.id, mail.envelope);
}

ServiceNext mail_id_done(Service& service, ServiceCall& call) {
    const ReadJob& job = *call.read;
    BookMail mail = {};
    mail.id = job.move.id;
    mail.to = job.mail.to;
    mail.envelope = {job.mail.envelope, job.mail.size};
    mail.looked = job.walk.looked;
    mail.was_known = job.walk.found;
    mail.known = job.walk.record;
    return send_mail(service, call, mail);
}

ServiceNext server_message_done(Service& service, ServiceCall& call) {
    const ReadJob& job = *call.read;
    const MailJob& mail = job.mail;
    if (job.outcome != Status::ok) return refuse_server_message(call, mail, job.outcome);
    log_told(service, call, {mail.told, mail.told_size});
    reply_map(call.reply, 1);
    reply_bulk_text(call.reply, "envelope");
    reply_bulk(call.reply, {job.window, mail.answer_size});
    return ServiceNext::replied;
}

ServiceNext command_inbox(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    uint32_t slots[mailbox_max];
    const uint32_t count = mail_list(ledger.mail, call.caller->person, slots);
    reply_array(call.reply, count);
    for (uint32_t i = 0; i < count; i++) {
        const MailSlot& slot = ledger.mail.messages.slots[slots[i]];
        put_slot(ledger, call.reply, slot);
        reply_bulk_text(call.reply, "size");
        reply_integer(call.reply, slot.size);
    }
    return ServiceNext::replied;
}

ServiceNext command_read(Service& service, ServiceCall& call) {
    uint64_t number = 0;
    if (take_number(call, number) != Status::ok) return ServiceNext::replied;
    const Mail& mail = service.book->ledger.mail;
    const uint32_t found = mail_find(mail, number);
    const bool is_there = found != pool_none && mail.messages.slots[found].installed &&
                          mail.messages.slots[found].to == call.caller->person;
    if (!is_there) {
        return refuse_number(call, Status::err, "there is no message ", number,
                             " in your mailbox");
    }
    if (!may_read_now(call)) return ServiceNext::waiting;
    read_message(*call.read, mail.messages.slots[found]);
    return ServiceNext::reading;
}

ServiceNext message_done(const Service& service, ServiceCall& call) {
    const ReadJob& job = *call.read;
    if (job.outcome != Status::ok) return read_failed(service, call);
    put_slot(service.book->ledger, call.reply, job.mail.slot);
    reply_bulk_text(call.reply, "envelope");
    reply_bulk(call.reply, {job.mail.envelope, job.mail.size});
    return ServiceNext::replied;
}

ServiceNext command_forget(Service& service, ServiceCall& call) {
    uint64_t number = 0;
    if (take_number(call, number) != Status::ok) return ServiceNext::replied;
    const Status status = book_forget(*service.book, call.wall_ms, call.caller->person,
                                      call.caller->terminal, number, call.tag);
    if (status == Status::ok) return ServiceNext::proposed;
    if (status == Status::pending) return ServiceNext::waiting;
    if (status == Status::misconf) return refuse_misconf(service, call);
    if (status == Status::oom) {
        return refuse(call, Status::oom, "a table of the book is full; try later");
    }
    if (status == Status::absent) {
        return refuse_number(call, Status::err, "there was never a message ", number, "");
    }
    CHECK(status == Status::replayed);  // P10
    reply_ok(call.reply);
    return ServiceNext::replied;
}

void committed_mail(Service& service, Reply& reply, const Entry& entry, uint64_t now_ms) {
    if (entry.kind != EntryKind::message) {
        reply_ok(reply);
        return;
    }
    const Ledger& ledger = service.book->ledger;
    if (entry.status != Status::ok) access_note_refusal(*service.access, entry.person, now_ms);
    // The record of its first part, whose last one has just been installed.
    put_message(ledger, reply, ids_at(ledger.ids, ledger.ids_installed - 1));
}
