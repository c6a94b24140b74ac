// Judging, deciding and installing what is about keys and messages (mail.h).

#include <string.h>

#include "base/check.h"
#include "ledger/rows.h"

namespace {

constexpr const char* field_mailbox = "mailbox";
constexpr const char* field_messages = "messages";

// The person whose own account this is, or row_none.
uint32_t person_of(const Ledger& ledger, uint32_t account) {
    const uint32_t owner = ledger.accounts[account].owner;
    if (owner == row_none || ledger.people[owner].account != account) return row_none;
    return owner;
}

// The first field in which a request differs from the one remembered; nullptr when none does.
const char* differing_field(const Ledger& ledger, const IdRecord& record,
                            const MessageAsked& asked) {
    if (record.operation != Operation::message) return "command";
    if (!rows_same_account(ledger, record, record.credit, asked.to, asked.missing)) return "to";
    if (memcmp(record.memo_hash, asked.hash.bytes, sizeof record.memo_hash) != 0) {
        return "envelope";
    }
    return nullptr;
}

Status judge_new(const Ledger& ledger, const MessageAsked& asked, const char*& field) {
    const Mail& mail = ledger.mail;
    if (!rows_has_room_for_ids(ledger, 1)) return Status::oom;
    if (asked.to == row_none) return Status::noacct;
    const uint32_t person = person_of(ledger, asked.to);
    CHECK(person != row_none);
    if (ledger.people[person].decided.state == PersonState::removed) return Status::closed;
    const uint32_t key = mail_find_key(mail, person);
    if (key == pool_none || !mail.keys.slots[key].decided) return Status::state;
    field = field_mailbox;
    if (mail_count(mail, person, MailView::decided) >= ledger.limits.mailbox) return Status::oom;
    field = field_messages;
    if (!pool_has_room(mail.messages)) return Status::oom;
    field = nullptr;
    return Status::ok;
}

MailSlot slot_of(const Ledger& ledger, const Entry& entry, Position position) {
    const MessageEntry& message = entry.message;
    return {.number = entry.seq,
            .time_ms = entry.time_ms,
            .position = position,
            .from = entry.person,
            .to = person_of(ledger, message.to),
            .size = message.size,
            .decided = true,
            .installed = false,
            .in_flight = true,
            .id = message.id};
}

Slice part_of(Slice envelope, uint32_t place) {
    const uint32_t from = (place - 1) * message_part_size_max;
    const uint32_t left = envelope.size - from;
    return slice_part(envelope, from, left < message_part_size_max ? left : message_part_size_max);
}

}  // namespace

uint32_t ledger_find_recipient(const Ledger& ledger, const Name& name) {
    const uint32_t person = ledger_find_person(ledger, name);
    return person == row_none ? row_none : ledger.people[person].account;
}

Status ledger_judge_message(const Ledger& ledger, const MessageAsked& asked,
                            const IdRecord*& known, const char*& field) {
    CHECK(asked.envelope.size > 0 && asked.envelope.size <= message_sealed_size_max);
    known = ids_find(ledger.ids, asked.person, slice_of_chars(asked.id.text, asked.id.size));
    field = nullptr;
    if (known == nullptr) known = asked.remembered;
    if (known == nullptr) return judge_new(ledger, asked, field);
    field = differing_field(ledger, *known, asked);
    if (field != nullptr) return Status::exists;
    // Its other parts are in the same batch.
    return known->seq > ledger.seq_installed ? Status::pending : Status::replayed;
}

void ledger_book_message(Ledger& ledger, const MessageAsked& asked, Status outcome,
                         const LogStamp& stamp, Entry& out) {
    CHECK(outcome == Status::ok || status_is_remembered(outcome));
    CHECK(asked.person != row_none);
    out = rows_entry(EntryKind::message, asked.person, asked.terminal, stamp);
    out.status = outcome;
    MessageEntry& entry = out.message;
    entry.to = asked.to;
    entry.size = asked.envelope.size;
    entry.hash = asked.hash;
    entry.id = asked.id;
    if (outcome == Status::noacct) entry.missing = asked.missing;
    if (outcome == Status::ok) {
        entry.place = 1;
        entry.parts = static_cast<uint8_t>(message_parts_of(asked.envelope.size));
        entry.bytes = part_of(asked.envelope, 1);
        mail_put(ledger.mail, slot_of(ledger, out, stamp.position));
    }
    ids_add(ledger.ids, id_record_of(out));
    Asked& decided = ledger.asked[asked.person].decided;
    entry.asker_previous = decided.last;
    rows_add_asked(ledger, out, stamp.position, decided);
}

void ledger_message_part(const MessageAsked& asked, uint32_t place, const LogStamp& stamp,
                         Entry& out) {
    const uint32_t parts = message_parts_of(asked.envelope.size);
    CHECK(place > 1 && place <= parts);
    out = rows_entry(EntryKind::message, asked.person, asked.terminal, stamp);
    out.message.place = static_cast<uint8_t>(place);
    out.message.parts = static_cast<uint8_t>(parts);
    out.message.bytes = part_of(asked.envelope, place);
}

Status ledger_judge_key(const Ledger& ledger, uint32_t person, const uint8_t* modulus) {
    CHECK(person < ledger.people_decided);
    const Mail& mail = ledger.mail;
    if (ledger.people[person].decided.state == PersonState::removed) return Status::state;
    const uint32_t slot = mail_find_key(mail, person);
    if (slot == pool_none) return pool_has_room(mail.keys) ? Status::ok : Status::oom;
    const MailKey& key = mail.keys.slots[slot];
    if (key.in_flight) return Status::pending;  // W6
    return memcmp(key.modulus, modulus, mail_modulus_size) == 0 ? Status::replayed : Status::ok;
}

void ledger_set_key(Ledger& ledger, uint32_t person, uint32_t terminal, Slice modulus,
                    const LogStamp& stamp, Entry& out) {
    CHECK(modulus.size == mail_modulus_size);
    Mail& mail = ledger.mail;
    uint32_t slot = mail_find_key(mail, person);
    if (slot == pool_none) slot = mail_put_key(mail, {.person = person,
                                                      .decided = true,
                                                      .installed = false,
                                                      .in_flight = true,
                                                      .modulus = {}});
    mail.keys.slots[slot].in_flight = true;
    out = rows_entry(EntryKind::key, person, terminal, stamp);
    out.key.modulus = modulus;
}

Status ledger_judge_forget(const Ledger& ledger, uint32_t person, uint64_t number) {
    if (number == 0 || number > ledger.seq_installed) return Status::absent;
    const uint32_t slot = mail_find(ledger.mail, number);
    if (slot == pool_none) return Status::replayed;
    const MailSlot& message = ledger.mail.messages.slots[slot];
    if (message.to != person) return Status::replayed;
    return message.decided && message.installed ? Status::ok : Status::pending;
}

void ledger_forget(Ledger& ledger, uint32_t person, uint32_t terminal, uint64_t number,
                   const LogStamp& stamp, Entry& out) {
    MailSlot& message = pool_at(ledger.mail.messages, mail_find(ledger.mail, number));
    CHECK(message.to == person && message.decided && message.installed);
    message.decided = false;
    out = rows_entry(EntryKind::forget, person, terminal, stamp);
    out.forget.number = number;
}

namespace {

bool has_key(const Ledger& ledger, uint32_t person) {
    const uint32_t slot = mail_find_key(ledger.mail, person);
    return slot != pool_none && ledger.mail.keys.slots[slot].installed;
}

// Who asked is there, and so is the terminal.
bool asker_fits(const Ledger& ledger, const Entry& entry) {
    if (entry.person >= ledger.people_installed) return false;
    return entry.terminal == row_none || entry.terminal < ledger.terminals_installed;
}

// M4 for the recipient, by the outcome.
bool recipient_fits(const Ledger& ledger, const Entry& entry) {
    const MessageEntry& message = entry.message;
    if (entry.status == Status::noacct) return message.to == row_none;
    if (message.to >= ledger.accounts_installed) return false;
    const uint32_t person = person_of(ledger, message.to);
    if (person == row_none) return false;
    const bool is_removed = ledger.people[person].installed.state == PersonState::removed;
    if (entry.status == Status::closed) return is_removed;
    if (is_removed) return false;
    if (entry.status == Status::state) return !has_key(ledger, person);
    return has_key(ledger, person) &&
           mail_count(ledger.mail, person, MailView::installed) < mailbox_max;
}

// The first part and all that there is once, or a refusal.
Status install_head(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    Mail& mail = ledger.mail;
    const MessageEntry& message = entry.message;
    if (message.asker_previous != rows_asked_before(ledger, entry.person)) return Status::damaged;
    const Slice id = slice_of_chars(message.id.text, message.id.size);
    if (mode == InstallMode::replay && ids_find(ledger.ids, entry.person, id) != nullptr) {
        return Status::damaged;  // P3
    }
    if (!recipient_fits(ledger, entry)) return Status::damaged;
    if (entry.status == Status::ok) {
        if (mode == InstallMode::replay) {
            if (!pool_has_room(mail.messages)) return Status::full;
            mail_put(mail, slot_of(ledger, entry, position));
        }
        MailSlot& slot = mail.messages.slots[mail_find(mail, entry.seq)];
        slot.installed = true;
        slot.in_flight = false;
        MailArriving& arriving = mail.arriving;
        arriving.person = entry.person;
        arriving.terminal = entry.terminal;
        arriving.parts = message.parts;
        arriving.place = 0;
        arriving.size = message.size;
        arriving.hash = message.hash;
        hasher_init(arriving.hasher);
    }
    rows_install_asked(ledger, entry, position, mode);
    if (mode == InstallMode::replay) ids_add(ledger.ids, id_record_of(entry));
    ledger.ids_installed++;
    return Status::ok;
}

// W1: the bytes of one part are those that were to come next.
Status install_part(Mail& mail, const Entry& entry) {
    MailArriving after = mail.arriving;
    const MessageEntry& message = entry.message;
    hasher_feed(after.hasher, message.bytes);
    after.size -= message.bytes.size;
    after.place++;
    if (after.place == after.parts) {
        if (after.size > 0) return Status::damaged;
        if (!hash_equal(hasher_finish(after.hasher), after.hash)) return Status::damaged;
        after.parts = 0;
    }
    mail.arriving = after;
    return Status::ok;
}

// A first part that is whole is judged before anything changes, the others behind it.
bool part_fits(const MailArriving& arriving, const Entry& entry) {
    const MessageEntry& message = entry.message;
    if (message.place <= 1) {
        if (arriving.parts > 0) return false;
        return message.parts != 1 || hash_equal(hash_of(message.bytes), message.hash);
    }
    return message.parts == arriving.parts && message.place == arriving.place + 1 &&
           message.bytes.size <= arriving.size && entry.person == arriving.person &&
           entry.terminal == arriving.terminal;
}

Status install_message(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    const MessageEntry& message = entry.message;
    if (!asker_fits(ledger, entry)) return Status::damaged;
    if (!part_fits(ledger.mail.arriving, entry)) return Status::damaged;
    if (message.place <= 1) {
        const Status status = install_head(ledger, entry, position, mode);
        if (status != Status::ok || message.place == 0) return status;
    }
    return install_part(ledger.mail, entry);
}

Status install_key(Ledger& ledger, const Entry& entry, InstallMode mode) {
    Mail& mail = ledger.mail;
    if (!asker_fits(ledger, entry)) return Status::damaged;
    if (ledger.people[entry.person].installed.state == PersonState::removed) {
        return Status::damaged;
    }
    uint32_t slot = mail_find_key(mail, entry.person);
    const bool is_there = slot != pool_none && mail.keys.slots[slot].installed;
    const Slice known = is_there ? Slice{mail.keys.slots[slot].modulus, mail_modulus_size}
                                 : Slice{nullptr, 0};
    if (is_there && slice_equal(known, entry.key.modulus)) return Status::damaged;  // P10
    if (slot == pool_none) {
        CHECK(mode == InstallMode::replay);
        if (!pool_has_room(mail.keys)) return Status::full;
        slot = mail_put_key(mail, {.person = entry.person,
                                   .decided = true,
                                   .installed = false,
                                   .in_flight = false,
                                   .modulus = {}});
    }
    MailKey& key = mail.keys.slots[slot];
    memcpy(key.modulus, entry.key.modulus.data, mail_modulus_size);
    key.installed = true;
    key.in_flight = false;
    return Status::ok;
}

Status install_forget(Ledger& ledger, const Entry& entry, InstallMode mode) {
    Mail& mail = ledger.mail;
    if (!asker_fits(ledger, entry)) return Status::damaged;
    const uint32_t slot = mail_find(mail, entry.forget.number);
    if (slot == pool_none) return Status::damaged;
    MailSlot& message = mail.messages.slots[slot];
    if (!message.installed || message.to != entry.person) return Status::damaged;
    message.installed = false;
    if (mode == InstallMode::replay) message.decided = false;
    mail_settle(mail, slot);
    return Status::ok;
}

}  // namespace

bool rows_message_goes_on(const Ledger& ledger, const Entry& entry) {
    if (ledger.mail.arriving.parts == 0) return true;
    return entry.kind == EntryKind::message && entry.message.place > 1;
}

Status rows_install_mail(Ledger& ledger, const Entry& entry, Position position, InstallMode mode) {
    if (entry.kind == EntryKind::key) return install_key(ledger, entry, mode);
    if (entry.kind == EntryKind::forget) return install_forget(ledger, entry, mode);
    CHECK(entry.kind == EntryKind::message);
    return install_message(ledger, entry, position, mode);
}
