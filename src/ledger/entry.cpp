#include "ledger/entry.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr const char* role_names[role_count] = {"customer", "till", "treasurer", "auditor",
                                                "admin"};

constexpr const char* operation_names[] = {"",     "deposit", "withdraw", "transfer",
                                           "hold", "capture", "void",     "release",
                                           "reverse", "order", "cancel",
                                           "done"};
constexpr uint32_t operation_count = sizeof operation_names / sizeof operation_names[0];

constexpr const char* order_reason_names[] = {"-",     "no-item", "not-sold", "price",
                                              "stock", "unknown", "done",     "cancelled"};
static_assert(sizeof order_reason_names / sizeof order_reason_names[0] == order_reason_count);

constexpr const char* person_operation_names[] = {
    "",      "added", "password", "role",     "lock",      "unlock",
    "remove", "title", "pin set",  "pin lock", "pin unlock", "rehash"};
static_assert(sizeof person_operation_names / sizeof person_operation_names[0] ==
              person_operation_count + 1);

// Those of a first password behind the others.
constexpr const char* person_state_names[] = {"active", "locked", "removed", "active/first",
                                              "locked/first"};
constexpr uint32_t person_states_lasting = 3;
constexpr const char* pin_state_names[] = {"none", "set", "locked"};

// Every entry needs at most this much beside its texts.
static_assert(176 + id_size_max + memo_size_max + name_size_max <= entry_size_max);
static_assert(60 + name_size_max + phc_size_max + title_size_max <= entry_size_max);
static_assert(88 + id_size_max + message_part_size_max <= entry_size_max);
static_assert(88 + id_size_max + name_size_max <= entry_size_max);
static_assert(message_parts_max <= UINT8_MAX);
static_assert(message_parts_max <= message_sealed_size_max / message_part_size_max + 1);

void encode_genesis(const GenesisEntry& genesis, Writer& out) {
    put_bytes(out, {genesis.bank_id, bank_id_size});
    put_u8(out, genesis.scale);
    put_u8(out, genesis.currency_size);
    put_bytes(out, slice_of_chars(genesis.currency, genesis.currency_size));
}

void encode_limits(const LimitsEntry& limits, Writer& out) {
    put_u32(out, limits.accounts);
    put_u32(out, limits.ids);
    put_u32(out, limits.terminals);
    put_u32(out, limits.holds);
    put_u32(out, limits.reversible);
}

void encode_person(const PersonEntry& person, uint32_t version, Writer& out) {
    put_u32(out, person.person);
    put_u32(out, person.account);
    put_u8(out, static_cast<uint8_t>(person.operation));
    put_u8(out, static_cast<uint8_t>(person.role));
    put_u8(out, static_cast<uint8_t>(person.state));
    put_u8(out, person.name.size);
    put_u8(out, person.record.size);
    put_u8(out, person.title.size);
    put_u8(out, static_cast<uint8_t>(person.term));
    put_u8(out, 0);
    if (version >= 2) {
        put_u32(out, person.day);
        put_u32(out, person.registered);
        put_u32(out, person.registered_max);
    }
    put_bytes(out, name_slice(person.name));
    put_bytes(out, slice_of_chars(person.record.text, person.record.size));
    put_bytes(out, slice_of_chars(person.title.text, person.title.size));
}

void encode_account(const AccountEntry& account, Writer& out) {
    put_u32(out, account.account);
    put_u32(out, account.owner);
    put_i64(out, account.floor);
    put_i64(out, account.ceiling);
    put_u8(out, static_cast<uint8_t>(account.state));
    put_u8(out, account.name.size);
    put_u8(out, static_cast<uint8_t>(account.operation));
    put_zeros(out, 5);
    put_bytes(out, name_slice(account.name));
}

void encode_order(const OrderPart& order, Writer& out) {
    put_u32(out, order.item);
    put_u32(out, order.quantity);
    put_i64(out, order.price);
    put_i64(out, order.price_asked);
    put_u64(out, order.order);
    put_u64(out, order.evicted);
    put_i64(out, order.number);
    put_u8(out, static_cast<uint8_t>(order.reason));
    put_zeros(out, 7);
}

void encode_movement(const MovementEntry& movement, uint32_t version, Writer& out) {
    put_u32(out, movement.debit);
    put_u32(out, movement.credit);
    put_i64(out, movement.amount);
    put_i64(out, movement.debit_after);
    put_i64(out, movement.credit_after);
    put_u64(out, movement.debit_previous);
    put_u64(out, movement.credit_previous);
    put_u64(out, movement.asker_previous);
    put_u8(out, static_cast<uint8_t>(movement.operation));
    put_u8(out, movement.id.size);
    put_u8(out, movement.memo.size);
    put_u8(out, movement.missing.size);
    put_u8(out, movement.group_place);
    put_u8(out, movement.group_size);
    put_zeros(out, 2);
    if (version >= 2) {
        put_i64(out, movement.day_total);
        put_i64(out, movement.day_max);
        put_u32(out, movement.day);
        put_u8(out, movement.beyond_day ? 1 : 0);
        put_zeros(out, 3);
    }
    if (operation_is_of_order(movement.operation)) encode_order(movement.order, out);
    if (movement.operation == Operation::reverse) put_u64(out, movement.reversed);
    if (operation_is_of_hold(movement.operation)) {
        put_u64(out, movement.hold);
        put_u32(out, movement.expires_s);
        put_u8(out, movement.whole ? 1 : 0);
        put_zeros(out, 3);
    }
    put_bytes(out, slice_of_chars(movement.id.text, movement.id.size));
    put_bytes(out, slice_of_chars(movement.memo.text, movement.memo.size));
    put_bytes(out, name_slice(movement.missing));
}

void encode_terminal(const TerminalEntry& terminal, Writer& out) {
    put_u32(out, terminal.terminal);
    put_u8(out, terminal.name.size);
    put_zeros(out, 3);
    put_bytes(out, name_slice(terminal.name));
}

void encode_item(const ItemEntry& item, Writer& out) {
    put_u32(out, item.item);
    put_u32(out, item.stock);
    put_i64(out, item.price);
    put_u8(out, static_cast<uint8_t>(item.operation));
    put_u8(out, item.counted ? 1 : 0);
    put_u8(out, item.name.size);
    put_u8(out, item.title.size);
    put_bytes(out, name_slice(item.name));
    put_bytes(out, slice_of_chars(item.title.text, item.title.size));
}

bool is_later_part(const MessageEntry& message) { return message.place > 1; }

void encode_message(const MessageEntry& message, Writer& out) {
    put_u8(out, message.place);
    put_u8(out, message.parts);
    put_u8(out, is_later_part(message) ? 0 : message.id.size);
    put_u8(out, is_later_part(message) ? 0 : message.missing.size);
    if (!is_later_part(message)) {
        put_u32(out, message.to);
        put_u32(out, message.size);
        put_zeros(out, 4);
        put_u64(out, message.asker_previous);
        put_bytes(out, hash_slice(message.hash));
        put_bytes(out, slice_of_chars(message.id.text, message.id.size));
        put_bytes(out, name_slice(message.missing));
    }
    put_bytes(out, message.bytes);
}

bool take_zeros(Reader& reader, uint32_t count) {
    const Slice zeros = get_bytes(reader, count);
    for (uint32_t i = 0; i < zeros.size; i++) {
        if (zeros.data[i] != 0) return false;
    }
    return true;
}

// Copies `size` bytes into a fixed text of `capacity`. Returns damaged when it does not fit.
Status take_text(Reader& reader, uint32_t size, char* text, uint32_t capacity) {
    if (size > capacity) return Status::damaged;
    const Slice bytes = get_bytes(reader, size);
    if (bytes.size != size) return Status::damaged;
    if (size > 0) memcpy(text, bytes.data, size);
    return Status::ok;
}

Status take_name(Reader& reader, uint32_t size, Name& out) {
    const Slice bytes = get_bytes(reader, size);
    return parse_name(bytes, out) == Status::ok ? Status::ok : Status::damaged;
}

Status decode_genesis(Reader& reader, GenesisEntry& out) {
    const Slice bank_id = get_bytes(reader, bank_id_size);
    if (bank_id.size != bank_id_size) return Status::damaged;
    memcpy(out.bank_id, bank_id.data, bank_id_size);
    out.scale = get_u8(reader);
    out.currency_size = get_u8(reader);
    if (out.scale > scale_max) return Status::damaged;
    const Slice currency = get_bytes(reader, out.currency_size);
    if (!currency_is_valid(currency)) return Status::damaged;
    memcpy(out.currency, currency.data, currency.size);
    return Status::ok;
}

Status decode_limits(Reader& reader, LimitsEntry& out) {
    out.accounts = get_u32(reader);
    out.ids = get_u32(reader);
    out.terminals = get_u32(reader);
    out.holds = get_u32(reader);
    out.reversible = get_u32(reader);
    return Status::ok;
}

// What each operation on a person may say; what it is not about is left out.
bool fits_person(const PersonEntry& person) {
    const PersonOperation operation = person.operation;
    const bool added = operation == PersonOperation::added;
    const bool may_have_record = added || operation == PersonOperation::password;
    const bool needs_record =
        operation == PersonOperation::pin_set || operation == PersonOperation::rehash;
    if (needs_record && person.record.size == 0) return false;
    if (!may_have_record && !needs_record && person.record.size > 0) return false;
    if (!added && operation != PersonOperation::title && person.title.size > 0) return false;
    if (!added && person.day != 0) return false;
    if ((person.day == 0) != (person.registered == 0)) return false;
    if (person.day == 0 && person.registered_max != 0) return false;
    if (person.registered > person.registered_max) return false;
    const bool is_first = person.term == PasswordTerm::first;
    if (is_first && (!may_have_record || person.record.size == 0)) return false;
    if (operation == PersonOperation::lock) return person.state == PersonState::locked;
    if (operation == PersonOperation::unlock) return person.state == PersonState::active;
    const bool removes = operation == PersonOperation::remove;
    return removes == (person.state == PersonState::removed);
}

uint32_t version_of_person(const PersonEntry& person) {
    if (person.term == PasswordTerm::first) return 3;
    const bool is_old = person.operation <= PersonOperation::password;
    return is_old && person.title.size == 0 && person.day == 0 ? 1 : 2;
}

Status decode_person(Reader& reader, uint32_t version, PersonEntry& out) {
    out.person = get_u32(reader);
    out.account = get_u32(reader);
    const uint8_t operation = get_u8(reader);
    const uint8_t role = get_u8(reader);
    const uint8_t state = get_u8(reader);
    const uint8_t name_size = get_u8(reader);
    out.record.size = get_u8(reader);
    out.title.size = get_u8(reader);
    const uint8_t term = get_u8(reader);
    if (term > 1 || !take_zeros(reader, 1)) return Status::damaged;
    out.term = static_cast<PasswordTerm>(term);
    out.day = out.registered = out.registered_max = 0;
    if (version >= 2) {
        out.day = get_u32(reader);
        out.registered = get_u32(reader);
        out.registered_max = get_u32(reader);
    }
    if (operation < 1 || operation > person_operation_count) return Status::damaged;
    if (role >= role_count || state > static_cast<uint8_t>(PersonState::removed)) {
        return Status::damaged;
    }
    out.operation = static_cast<PersonOperation>(operation);
    out.role = static_cast<Role>(role);
    out.state = static_cast<PersonState>(state);
    if (!fits_person(out) || version_of_person(out) != version) return Status::damaged;  // E3
    Status status = take_name(reader, name_size, out.name);
    if (status != Status::ok) return status;
    status = take_text(reader, out.record.size, out.record.text, phc_size_max);
    if (status != Status::ok) return status;
    const Slice title = get_bytes(reader, out.title.size);
    if (title.size != out.title.size) return Status::damaged;
    return parse_title(title, out.title) == Status::ok ? Status::ok : Status::damaged;
}

Status decode_account(Reader& reader, AccountEntry& out) {
    out.account = get_u32(reader);
    out.owner = get_u32(reader);
    out.floor = get_i64(reader);
    out.ceiling = get_i64(reader);
    const uint8_t state = get_u8(reader);
    const uint8_t name_size = get_u8(reader);
    const uint8_t operation = get_u8(reader);
    if (!take_zeros(reader, 5)) return Status::damaged;
    if (operation < 1 || operation > static_cast<uint8_t>(AccountOperation::limit)) {
        return Status::damaged;
    }
    out.operation = static_cast<AccountOperation>(operation);
    if (state > static_cast<uint8_t>(AccountState::closed)) return Status::damaged;
    if (out.floor > out.ceiling) return Status::damaged;
    if (out.floor < -balance_minor_max || out.ceiling > balance_minor_max) return Status::damaged;
    out.state = static_cast<AccountState>(state);
    return take_name(reader, name_size, out.name);
}

// What a movement about a hold has in front of its texts; zero in all others.
Status decode_hold(Reader& reader, MovementEntry& out) {
    out.hold = 0;
    out.expires_s = 0;
    out.whole = false;
    if (!operation_is_of_hold(out.operation)) return Status::ok;
    out.hold = get_u64(reader);
    out.expires_s = get_u32(reader);
    const uint8_t whole = get_u8(reader);
    if (whole > 1 || !take_zeros(reader, 3)) return Status::damaged;
    if (out.expires_s != 0 && out.operation != Operation::hold) return Status::damaged;
    if (out.expires_s > hold_expires_s_max) return Status::damaged;
    out.whole = whole == 1;
    return Status::ok;
}

Status decode_reversal(Reader& reader, MovementEntry& out) {
    out.reversed = 0;
    if (out.operation != Operation::reverse) return Status::ok;
    out.reversed = get_u64(reader);
    out.whole = true;
    return out.reversed == 0 ? Status::damaged : Status::ok;
}

// What a movement that counts for a terminal's day has in front; zero in all others.
Status decode_day(Reader& reader, uint32_t version, MovementEntry& out) {
    out.day_total = out.day_max = 0;
    out.day = 0;
    out.beyond_day = false;
    if (version < 2) return Status::ok;
    out.day_total = get_i64(reader);
    out.day_max = get_i64(reader);
    out.day = get_u32(reader);
    const uint8_t beyond_day = get_u8(reader);
    if (beyond_day > 1 || !take_zeros(reader, 3)) return Status::damaged;
    if (version == 2 && out.day == 0) return Status::damaged;  // E3
    if (out.day != 0 && !operation_counts(out.operation)) return Status::damaged;
    if (out.day == 0 && (out.day_total != 0 || out.day_max != 0 || beyond_day != 0)) {
        return Status::damaged;
    }
    if (out.day_total < 0 || out.day_total > balance_minor_max) return Status::damaged;
    if (out.day_max < 0 || out.day_max > amount_minor_max) return Status::damaged;
    out.beyond_day = beyond_day == 1;
    return Status::ok;
}

// What each operation on an order may say.
bool fits_order(const MovementEntry& movement) {
    const OrderPart& order = movement.order;
    const bool makes = movement.operation == Operation::order;
    if (order.price < 0 || order.price > amount_minor_max) return false;
    if (order.price_asked < 0 || order.price_asked > amount_minor_max) return false;
    if (order.quantity > quantity_max || order.number < 0) return false;
    if (makes != (order.order == 0) || movement.memo.size > 0) return false;
    if (movement.operation == Operation::order_done && movement.amount != 0) return false;
    if (makes && order.quantity == 0) return false;
    return makes || (order.price_asked == 0 && order.evicted == 0);
}

// What a movement about an order has in front of its texts; zero in all others.
Status decode_order(Reader& reader, uint32_t version, MovementEntry& out) {
    out.order = {};
    if (operation_is_of_order(out.operation) != (version == 3)) return Status::damaged;  // E3
    if (version < 3) return Status::ok;
    OrderPart& order = out.order;
    order.item = get_u32(reader);
    order.quantity = get_u32(reader);
    order.price = get_i64(reader);
    order.price_asked = get_i64(reader);
    order.order = get_u64(reader);
    order.evicted = get_u64(reader);
    order.number = get_i64(reader);
    const uint8_t reason = get_u8(reader);
    if (reason >= order_reason_count || !take_zeros(reader, 7)) return Status::damaged;
    order.reason = static_cast<OrderReason>(reason);
    return fits_order(out) ? Status::ok : Status::damaged;
}

// The server's own entries have no id, belong to no group, and are asked for by nobody.
bool fits_release(const MovementEntry& movement) {
    return movement.id.size == 0 && movement.group_size == 0 && movement.asker_previous == 0;
}

Status decode_movement(Reader& reader, uint32_t version, MovementEntry& out) {
    out.debit = get_u32(reader);
    out.credit = get_u32(reader);
    out.amount = get_i64(reader);
    out.debit_after = get_i64(reader);
    out.credit_after = get_i64(reader);
    out.debit_previous = get_u64(reader);
    out.credit_previous = get_u64(reader);
    out.asker_previous = get_u64(reader);
    const uint8_t operation = get_u8(reader);
    out.id.size = get_u8(reader);
    out.memo.size = get_u8(reader);
    const uint8_t missing_size = get_u8(reader);
    out.group_place = get_u8(reader);
    out.group_size = get_u8(reader);
    if (!take_zeros(reader, 2)) return Status::damaged;
    if (out.group_size > group_moves_max || out.group_place > out.group_size) {
        return Status::damaged;
    }
    if ((out.group_place == 0) != (out.group_size == 0)) return Status::damaged;
    if (operation < 1 || operation >= operation_count) {
        return Status::damaged;
    }
    if (out.amount < 0 || out.amount > amount_minor_max) return Status::damaged;
    out.operation = static_cast<Operation>(operation);
    if (out.operation == Operation::release && !fits_release(out)) return Status::damaged;
    if (out.operation != Operation::release && out.id.size == 0) return Status::damaged;
    Status status = decode_day(reader, version, out);
    if (status != Status::ok) return status;
    status = decode_order(reader, version, out);
    if (status != Status::ok) return status;
    status = decode_hold(reader, out);
    if (status != Status::ok) return status;
    status = decode_reversal(reader, out);
    if (status != Status::ok) return status;
    status = take_text(reader, out.id.size, out.id.text, id_size_max);
    if (status != Status::ok) return status;
    status = take_text(reader, out.memo.size, out.memo.text, memo_size_max);
    if (status != Status::ok) return status;
    out.missing = {};
    return missing_size == 0 ? Status::ok : take_name(reader, missing_size, out.missing);
}

Status decode_terminal(Reader& reader, TerminalEntry& out) {
    out.terminal = get_u32(reader);
    const uint8_t name_size = get_u8(reader);
    if (!take_zeros(reader, 3)) return Status::damaged;
    return take_name(reader, name_size, out.name);
}

Status decode_item(Reader& reader, ItemEntry& out) {
    out.item = get_u32(reader);
    out.stock = get_u32(reader);
    out.price = get_i64(reader);
    const uint8_t operation = get_u8(reader);
    const uint8_t counted = get_u8(reader);
    const uint8_t name_size = get_u8(reader);
    const uint8_t title_size = get_u8(reader);
    if (operation < 1 || operation > static_cast<uint8_t>(ItemOperation::del)) {
        return Status::damaged;
    }
    if (counted > 1 || out.stock > stock_max) return Status::damaged;
    if (counted == 0 && out.stock != 0) return Status::damaged;
    if (out.price <= 0 || out.price > amount_minor_max) return Status::damaged;
    out.operation = static_cast<ItemOperation>(operation);
    out.counted = counted == 1;
    const Status status = take_name(reader, name_size, out.name);
    if (status != Status::ok) return status;
    const Slice title = get_bytes(reader, title_size);
    if (title.size != title_size) return Status::damaged;
    return parse_title(title, out.title) == Status::ok ? Status::ok : Status::damaged;
}

// The rest of the entry, which is as many bytes.
Slice take_rest(Reader& reader) { return get_bytes(reader, reader_left(reader)); }

Status decode_key(Reader& reader, KeyEntry& out) {
    out.modulus = take_rest(reader);
    if (out.modulus.size != mail_modulus_size) return Status::damaged;
    const bool has_all_bits = (out.modulus.data[0] & 0x80) != 0;
    const bool is_odd = (out.modulus.data[mail_modulus_size - 1] & 1) != 0;
    return has_all_bits && is_odd ? Status::ok : Status::damaged;
}

Status decode_forget(Reader& reader, ForgetEntry& out) {
    out.number = get_u64(reader);
    return out.number == 0 ? Status::damaged : Status::ok;
}

// What there is once: of the whole message, in its first part.
Status decode_message_head(Reader& reader, uint32_t missing_size, MessageEntry& out) {
    out.to = get_u32(reader);
    out.size = get_u32(reader);
    if (!take_zeros(reader, 4)) return Status::damaged;
    out.asker_previous = get_u64(reader);
    const Slice hash = get_bytes(reader, hash_size);
    if (hash.size != hash_size || out.id.size == 0) return Status::damaged;
    memcpy(out.hash.bytes, hash.data, hash_size);
    if (out.size == 0 || out.size > message_sealed_size_max) return Status::damaged;
    const Status status = take_text(reader, out.id.size, out.id.text, id_size_max);
    if (status != Status::ok) return status;
    return missing_size == 0 ? Status::ok : take_name(reader, missing_size, out.missing);
}

Status decode_message(Reader& reader, MessageEntry& out) {
    out = {};
    out.place = get_u8(reader);
    out.parts = get_u8(reader);
    out.id.size = get_u8(reader);
    const uint8_t missing_size = get_u8(reader);
    if (out.parts > message_parts_max || out.place > out.parts) return Status::damaged;
    if ((out.place == 0) != (out.parts == 0)) return Status::damaged;
    if (is_later_part(out)) {
        if (out.id.size > 0 || missing_size > 0) return Status::damaged;
    } else {
        const Status status = decode_message_head(reader, missing_size, out);
        if (status != Status::ok) return status;
        if (out.parts > 0 && out.parts != message_parts_of(out.size)) return Status::damaged;
    }
    out.bytes = take_rest(reader);
    if (out.parts == 0) return out.bytes.size == 0 ? Status::ok : Status::damaged;
    if (out.place < out.parts) {
        return out.bytes.size == message_part_size_max ? Status::ok : Status::damaged;
    }
    if (out.place == 1) return out.bytes.size == out.size ? Status::ok : Status::damaged;
    const bool fits = out.bytes.size > 0 && out.bytes.size <= message_part_size_max;
    return fits ? Status::ok : Status::damaged;
}

// A message was kept in parts, or refused: then it may name nobody.
bool fits_message(const Entry& entry) {
    const MessageEntry& message = entry.message;
    if (entry.person == row_none) return false;
    const bool is_kept = message.parts > 0;
    if (is_kept != (entry.status == Status::ok)) return false;
    if (is_later_part(message)) return true;
    const bool is_missing = entry.status == Status::noacct;
    if (is_missing != (message.to == row_none)) return false;
    if (is_missing != (message.missing.size > 0)) return false;
    return is_kept || is_missing || entry.status == Status::closed ||
           entry.status == Status::state;
}

Status decode_body(Reader& reader, uint32_t version, Entry& out) {
    switch (out.kind) {
        case EntryKind::genesis: return decode_genesis(reader, out.genesis);
        case EntryKind::limits: return decode_limits(reader, out.limits);
        case EntryKind::person: return decode_person(reader, version, out.row_person);
        case EntryKind::account: return decode_account(reader, out.account);
        case EntryKind::movement: return decode_movement(reader, version, out.movement);
        case EntryKind::terminal: return decode_terminal(reader, out.row_terminal);
        case EntryKind::item: return decode_item(reader, out.item);
        case EntryKind::key: return decode_key(reader, out.key);
        case EntryKind::message: return decode_message(reader, out.message);
        case EntryKind::forget: return decode_forget(reader, out.forget);
    }
    return Status::damaged;
}

void encode_body(const Entry& entry, uint32_t version, Writer& out) {
    switch (entry.kind) {
        case EntryKind::genesis: encode_genesis(entry.genesis, out); return;
        case EntryKind::limits: encode_limits(entry.limits, out); return;
        case EntryKind::person: encode_person(entry.row_person, version, out); return;
        case EntryKind::account: encode_account(entry.account, out); return;
        case EntryKind::movement: encode_movement(entry.movement, version, out); return;
        case EntryKind::terminal: encode_terminal(entry.row_terminal, out); return;
        case EntryKind::item: encode_item(entry.item, out); return;
        case EntryKind::key: put_bytes(out, entry.key.modulus); return;
        case EntryKind::message: encode_message(entry.message, out); return;
        case EntryKind::forget: put_u64(out, entry.forget.number); return;
    }
    CHECK(false);
}

// The oldest and the newest version of the kind that are known here.
struct Versions {
    uint32_t least;
    uint32_t most;
};

Versions versions_of(EntryKind kind) {
    switch (kind) {
        case EntryKind::person: return {1, 3};
        case EntryKind::movement: return {1, 3};
        case EntryKind::item:
        case EntryKind::key:
        case EntryKind::message:
        case EntryKind::forget: return {3, 3};
        case EntryKind::genesis:
        case EntryKind::limits:
        case EntryKind::account:
        case EntryKind::terminal: return {1, 1};
    }
    CHECK(false);
    return {1, 1};
}

// What was refused was asked for under an id; all else is only there when it was done.
bool fits_status(const Entry& entry) {
    if (entry.status == Status::ok) return true;
    if (!status_is_remembered(entry.status)) return false;
    return entry.kind == EntryKind::movement || entry.kind == EntryKind::message;
}

// What a movement has that moves nothing, or that asked for the whole of what is not there.
bool may_have_no_amount(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    if (movement.operation == Operation::order_done) return true;
    if (entry.status == Status::ok) return false;
    return movement.whole || operation_is_of_order(movement.operation);
}

// A day is some terminal's, and its bound was kept or is why the movement was refused.
bool fits_day(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    if (movement.day == 0) return true;
    if (entry.terminal == row_none) return false;
    if (movement.beyond_day) return entry.status == Status::limit && movement.day_max > 0;
    const bool bound = entry.status == Status::ok && movement.day_max > 0;
    return !bound || movement.day_total <= movement.day_max;
}

// What is booked names an item and a price; a refusal has a reason where STATE is why.
bool fits_order_outcome(const Entry& entry) {
    const MovementEntry& movement = entry.movement;
    const OrderPart& order = movement.order;
    if (!operation_is_of_order(movement.operation)) return true;
    const bool has_reason = order.reason != OrderReason::none;
    if (has_reason != (entry.status == Status::state)) return false;
    if (!has_reason && order.number != 0) return false;
    if (entry.status != Status::ok) return order.evicted == 0;
    if (order.item == row_none || order.quantity == 0 || order.price == 0) return false;
    return true;
}

}  // namespace

const char* order_reason_name(OrderReason reason) {
    CHECK(static_cast<uint32_t>(reason) < order_reason_count);
    return order_reason_names[static_cast<uint32_t>(reason)];
}

const char* role_name(Role role) {
    CHECK(static_cast<uint32_t>(role) < role_count);
    return role_names[static_cast<uint32_t>(role)];
}

Status parse_role(Slice text, Role& out) {
    for (uint32_t i = 0; i < role_count; i++) {
        if (!slice_equal_text(text, role_names[i])) continue;
        out = static_cast<Role>(i);
        return Status::ok;
    }
    return Status::invalid;
}

bool currency_is_valid(Slice text) {
    if (text.size == 0 || text.size > currency_size_max) return false;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z') return false;
    }
    return true;
}

const char* operation_name(Operation operation) {
    if (operation == Operation::message) return "message";
    CHECK(static_cast<uint32_t>(operation) < operation_count);
    return operation_names[static_cast<uint32_t>(operation)];
}

Status parse_operation(Slice text, Operation& out) {
    for (uint32_t i = 1; i < operation_count; i++) {
        if (!slice_equal_text(text, operation_names[i])) continue;
        out = static_cast<Operation>(i);
        return Status::ok;
    }
    return Status::invalid;
}

const char* person_operation_name(PersonOperation operation) {
    const uint32_t index = static_cast<uint32_t>(operation);
    CHECK(index >= 1 && index <= person_operation_count);
    return person_operation_names[index];
}

const char* person_state_name(PersonState state, PasswordTerm term) {
    CHECK(state != PersonState::removed || term == PasswordTerm::lasting);
    const uint32_t before = term == PasswordTerm::first ? person_states_lasting : 0;
    return person_state_names[before + static_cast<uint32_t>(state)];
}

Status parse_person_state(Slice text, PersonState& state, PasswordTerm& term) {
    for (uint32_t i = 0; i < sizeof person_state_names / sizeof person_state_names[0]; i++) {
        if (!slice_equal_text(text, person_state_names[i])) continue;
        state = static_cast<PersonState>(i % person_states_lasting);
        term = i < person_states_lasting ? PasswordTerm::lasting : PasswordTerm::first;
        return Status::ok;
    }
    return Status::invalid;
}

const char* pin_state_name(PinState state) {
    return pin_state_names[static_cast<uint32_t>(state)];
}

Status parse_title(Slice text, Title& out) {
    if (text.size > title_size_max) return Status::invalid;
    for (uint32_t i = 0; i < text.size;) {
        const uint32_t size = utf8_size(slice_part(text, i, text.size));
        if (size == 0) return Status::invalid;
        // U+0080 to U+009F are control characters too.
        const bool is_control = size == 1 ? text.data[i] < ' ' || text.data[i] == 0x7f
                                          : text.data[i] == 0xc2 && text.data[i + 1] < 0xa0;
        if (is_control) return Status::invalid;
        i += size;
    }
    Title title = {};
    title.size = static_cast<uint8_t>(text.size);
    if (text.size > 0) memcpy(title.text, text.data, text.size);
    out = title;
    return Status::ok;
}

uint32_t entry_version(const Entry& entry) {
    switch (entry.kind) {
        case EntryKind::person: return version_of_person(entry.row_person);
        case EntryKind::movement:
            if (operation_is_of_order(entry.movement.operation)) return 3;
            return entry.movement.day == 0 ? 1 : 2;
        case EntryKind::genesis:
        case EntryKind::limits:
        case EntryKind::account:
        case EntryKind::terminal: return 1;
        case EntryKind::item:
        case EntryKind::key:
        case EntryKind::message:
        case EntryKind::forget: return 3;
    }
    CHECK(false);
    return 0;
}

bool entry_is_request(const Entry& entry) {
    if (entry.kind == EntryKind::message) return !is_later_part(entry.message);
    return entry.kind == EntryKind::movement && entry.movement.operation != Operation::release;
}

const Id& entry_request_id(const Entry& entry) {
    return entry.kind == EntryKind::message ? entry.message.id : entry.movement.id;
}

Position entry_asker_previous(const Entry& entry) {
    return entry.kind == EntryKind::message ? entry.message.asker_previous
                                            : entry.movement.asker_previous;
}

uint32_t message_parts_of(uint32_t size) {
    return (size + message_part_size_max - 1) / message_part_size_max;
}

void entry_encode(const Entry& entry, Writer& out) {
    const uint32_t start = out.size;
    const uint32_t version = entry_version(entry);
    CHECK(writer_room(out) >= entry_size_max);
    put_u16(out, 0);
    put_u8(out, static_cast<uint8_t>(entry.kind));
    put_u8(out, static_cast<uint8_t>(entry.status));
    put_u32(out, entry.person);
    put_u64(out, entry.seq);
    put_u64(out, entry.time_ms);
    put_u32(out, entry.terminal);
    put_u32(out, version);
    encode_body(entry, version, out);
    CHECK(!out.overflow);
    const uint32_t size = out.size - start;
    CHECK(size <= entry_size_max);
    Writer front = writer_of(out.data + start, 2);
    put_u16(front, static_cast<uint16_t>(size));
}

Status entry_decode(Slice bytes, Entry& out) {
    Reader reader = reader_of(bytes);
    if (get_u16(reader) != bytes.size) return Status::damaged;
    const uint8_t kind = get_u8(reader);
    const uint8_t status_byte = get_u8(reader);
    out.person = get_u32(reader);
    out.seq = get_u64(reader);
    out.time_ms = get_u64(reader);
    out.terminal = get_u32(reader);
    const uint32_t version = get_u32(reader);
    if (reader.short_read || version == 0 || kind < 1) return Status::damaged;
    if (kind > static_cast<uint8_t>(EntryKind::forget)) return Status::failed;
    out.kind = static_cast<EntryKind>(kind);
    if (version > versions_of(out.kind).most) return Status::failed;
    if (version < versions_of(out.kind).least) return Status::damaged;
    if (status_from_byte(status_byte, out.status) != Status::ok) return Status::damaged;
    if (!fits_status(out)) return Status::damaged;
    const Status body = decode_body(reader, version, out);
    if (body != Status::ok) return body;
    if (out.kind == EntryKind::movement) {
        const bool aborted = out.status == Status::execabort;
        if (aborted && out.movement.group_size == 0) return Status::damaged;
        if (out.movement.amount == 0 && !may_have_no_amount(out)) return Status::damaged;
        if (!fits_day(out)) return Status::damaged;
        if (!fits_order_outcome(out)) return Status::damaged;
    }
    if (out.kind == EntryKind::message && !fits_message(out)) return Status::damaged;
    const bool is_own = out.kind == EntryKind::key || out.kind == EntryKind::forget;
    if (is_own && out.person == row_none) return Status::damaged;
    return reader.short_read || reader_left(reader) > 0 ? Status::damaged : Status::ok;
}
