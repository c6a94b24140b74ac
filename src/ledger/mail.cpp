#include "ledger/mail.h"

#include "base/check.h"

namespace {

// Spreads numbers over the table's slots (Fibonacci hashing, Knuth vol. 3, 6.4).
uint64_t hash_of_number(uint64_t number) { return number * 0x9e3779b97f4a7c15; }

// Neighbours begin far apart, so that the mailboxes of many do not grow into one another.
uint64_t hash_of_person(uint32_t person) { return hash_of_number(person + uint64_t{1}); }

}  // namespace

void mail_layout(Mail& mail, Arena& arena, const MailLimits& limits) {
    pool_layout(mail.keys, arena, "message keys", limits.keys);
    table_layout(mail.keys_by_person, arena, "  by person", limits.keys);
    mail.keys_saved = arena_array<MailKey>(arena, "  of a snapshot", limits.keys);
    mail.keys_order = arena_array<uint32_t>(arena, "  in order", limits.keys);
    pool_layout(mail.messages, arena, "messages", limits.messages);
    table_layout(mail.by_number, arena, "  by number", limits.messages);
    table_layout(mail.by_recipient, arena, "  by recipient", limits.messages);
    mail.saved = arena_array<MailSlot>(arena, "  of a snapshot", limits.messages);
}

void mail_init(Mail& mail) {
    pool_init(mail.keys);
    pool_init(mail.messages);
    table_clear(mail.keys_by_person);
    table_clear(mail.by_number);
    table_clear(mail.by_recipient);
    mail.arriving = {};
    mail.keys_saved_count = 0;
    mail.saved_count = 0;
}

uint32_t mail_find_key(const Mail& mail, uint32_t person) {
    TableCursor cursor = table_find(mail.keys_by_person, hash_of_person(person));
    uint32_t slot = 0;
    while (table_next(mail.keys_by_person, cursor, slot)) {
        if (mail.keys.slots[slot].person == person) return slot;
    }
    return pool_none;
}

uint32_t mail_find(const Mail& mail, uint64_t number) {
    TableCursor cursor = table_find(mail.by_number, hash_of_number(number));
    uint32_t slot = 0;
    while (table_next(mail.by_number, cursor, slot)) {
        if (mail.messages.slots[slot].number == number) return slot;
    }
    return pool_none;
}

uint32_t mail_put_key(Mail& mail, const MailKey& key) {
    const uint32_t slot = pool_take(mail.keys);
    CHECK(slot != pool_none);
    mail.keys.slots[slot] = key;
    table_put(mail.keys_by_person, hash_of_person(key.person), slot);
    return slot;
}

void mail_put(Mail& mail, const MailSlot& message) {
    const uint32_t slot = pool_take(mail.messages);
    CHECK(slot != pool_none);
    mail.messages.slots[slot] = message;
    table_put(mail.by_number, hash_of_number(message.number), slot);
    table_put(mail.by_recipient, hash_of_person(message.to), slot);
}

void mail_settle_key(Mail& mail, uint32_t slot) {
    const MailKey& key = pool_at(mail.keys, slot);
    if (key.decided || key.installed || key.in_flight) return;
    table_remove(mail.keys_by_person, hash_of_person(key.person), slot);
    pool_give(mail.keys, slot);
}

void mail_settle(Mail& mail, uint32_t slot) {
    const MailSlot& message = pool_at(mail.messages, slot);
    if (message.decided || message.installed || message.in_flight) return;
    table_remove(mail.by_number, hash_of_number(message.number), slot);
    table_remove(mail.by_recipient, hash_of_person(message.to), slot);
    pool_give(mail.messages, slot);
}

uint32_t mail_count(const Mail& mail, uint32_t person, MailView view) {
    TableCursor cursor = table_find(mail.by_recipient, hash_of_person(person));
    uint32_t slot = 0;
    uint32_t count = 0;
    while (table_next(mail.by_recipient, cursor, slot)) {
        const MailSlot& message = mail.messages.slots[slot];
        if (message.to != person) continue;
        if (view == MailView::decided ? message.decided : message.installed) count++;
    }
    return count;
}

uint32_t mail_list(const Mail& mail, uint32_t person, uint32_t slots[mailbox_max]) {
    TableCursor cursor = table_find(mail.by_recipient, hash_of_person(person));
    const MailSlot* messages = mail.messages.slots;
    uint32_t slot = 0;
    uint32_t count = 0;
    while (table_next(mail.by_recipient, cursor, slot)) {
        if (messages[slot].to != person || !messages[slot].installed) continue;
        CHECK(count < mailbox_max);  // W3
        uint32_t at = count++;
        for (; at > 0 && messages[slots[at - 1]].number > messages[slot].number; at--) {
            slots[at] = slots[at - 1];
        }
        slots[at] = slot;
    }
    return count;
}

namespace {

// The messages of one person in either view: more than W3 allows in one, while some come and go.
void remove_messages(Mail& mail, uint32_t person, MailView view) {
    for (uint32_t slot = 0; slot < mail.messages.count; slot++) {
        if (!pool_is_taken(mail.messages, slot)) continue;
        MailSlot& message = mail.messages.slots[slot];
        if (message.to != person) continue;
        (view == MailView::decided ? message.decided : message.installed) = false;
        mail_settle(mail, slot);
    }
}

void remove_key(Mail& mail, uint32_t person, MailView view) {
    const uint32_t slot = mail_find_key(mail, person);
    if (slot == pool_none) return;
    MailKey& key = mail.keys.slots[slot];
    (view == MailView::decided ? key.decided : key.installed) = false;
    mail_settle_key(mail, slot);
}

}  // namespace

void mail_remove_decided(Mail& mail, uint32_t person) {
    remove_messages(mail, person, MailView::decided);
    remove_key(mail, person, MailView::decided);
}

void mail_remove_installed(Mail& mail, uint32_t person) {
    remove_messages(mail, person, MailView::installed);
    remove_key(mail, person, MailView::installed);
}

void mail_drop(Mail& mail) {
    for (uint32_t slot = 0; slot < mail.messages.count; slot++) {
        if (!pool_is_taken(mail.messages, slot)) continue;
        mail.messages.slots[slot].decided = mail.messages.slots[slot].installed;
        mail.messages.slots[slot].in_flight = false;
        mail_settle(mail, slot);
    }
    for (uint32_t slot = 0; slot < mail.keys.count; slot++) {
        if (!pool_is_taken(mail.keys, slot)) continue;
        mail.keys.slots[slot].decided = mail.keys.slots[slot].installed;
        mail.keys.slots[slot].in_flight = false;
        mail_settle_key(mail, slot);
    }
}

namespace {

// Numbers are sorted before the keys are copied, which are large.
void save_keys(Mail& mail) {
    uint32_t count = 0;
    const MailKey* keys = mail.keys.slots;
    for (uint32_t slot = 0; slot < mail.keys.count; slot++) {
        if (!pool_is_taken(mail.keys, slot) || !keys[slot].installed) continue;
        uint32_t at = count++;
        for (; at > 0 && keys[mail.keys_order[at - 1]].person > keys[slot].person; at--) {
            mail.keys_order[at] = mail.keys_order[at - 1];
        }
        mail.keys_order[at] = slot;
    }
    for (uint32_t i = 0; i < count; i++) mail.keys_saved[i] = keys[mail.keys_order[i]];
    mail.keys_saved_count = count;
}

}  // namespace

void mail_save(Mail& mail) {
    save_keys(mail);
    mail.saved_count = 0;
    for (uint32_t slot = 0; slot < mail.messages.count; slot++) {
        if (!pool_is_taken(mail.messages, slot)) continue;
        const MailSlot& message = mail.messages.slots[slot];
        if (!message.installed) continue;
        // Slots are taken nearly in order, so few are moved.
        uint32_t at = mail.saved_count++;
        for (; at > 0 && mail.saved[at - 1].number > message.number; at--) {
            mail.saved[at] = mail.saved[at - 1];
        }
        mail.saved[at] = message;
    }
}
