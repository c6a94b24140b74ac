#include "ledger/entry.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr const char* role_names[role_count] = {"customer", "till", "treasurer", "auditor",
                                                "admin"};

constexpr const char* operation_names[] = {"",     "deposit", "withdraw", "transfer",
                                           "hold", "capture", "void",     "release",
                                           "reverse"};
constexpr uint32_t operation_count = sizeof operation_names / sizeof operation_names[0];

// Every entry needs at most this much beside its texts.
static_assert(112 + id_size_max + memo_size_max + name_size_max <= entry_size_max);
static_assert(48 + name_size_max + phc_size_max <= entry_size_max);

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

void encode_person(const PersonEntry& person, Writer& out) {
    put_u32(out, person.person);
    put_u32(out, person.account);
    put_u8(out, static_cast<uint8_t>(person.operation));
    put_u8(out, static_cast<uint8_t>(person.role));
    put_u8(out, static_cast<uint8_t>(person.state));
    put_u8(out, person.name.size);
    put_u8(out, person.password.size);
    put_zeros(out, 3);
    put_bytes(out, name_slice(person.name));
    put_bytes(out, slice_of_chars(person.password.text, person.password.size));
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

void encode_movement(const MovementEntry& movement, Writer& out) {
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

Status decode_person(Reader& reader, PersonEntry& out) {
    out.person = get_u32(reader);
    out.account = get_u32(reader);
    const uint8_t operation = get_u8(reader);
    const uint8_t role = get_u8(reader);
    const uint8_t state = get_u8(reader);
    const uint8_t name_size = get_u8(reader);
    out.password.size = get_u8(reader);
    if (!take_zeros(reader, 3)) return Status::damaged;
    if (operation < 1 || operation > static_cast<uint8_t>(PersonOperation::password)) {
        return Status::damaged;
    }
    if (role >= role_count || state > static_cast<uint8_t>(PersonState::locked)) {
        return Status::damaged;
    }
    out.operation = static_cast<PersonOperation>(operation);
    out.role = static_cast<Role>(role);
    out.state = static_cast<PersonState>(state);
    const Status status = take_name(reader, name_size, out.name);
    if (status != Status::ok) return status;
    return take_text(reader, out.password.size, out.password.text, phc_size_max);
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

// The server's own entries have no id, belong to no group, and are asked for by nobody.
bool fits_release(const MovementEntry& movement) {
    return movement.id.size == 0 && movement.group_size == 0 && movement.asker_previous == 0;
}

Status decode_movement(Reader& reader, MovementEntry& out) {
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
    Status status = decode_hold(reader, out);
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

Status decode_body(Reader& reader, Entry& out) {
    switch (out.kind) {
        case EntryKind::genesis: return decode_genesis(reader, out.genesis);
        case EntryKind::limits: return decode_limits(reader, out.limits);
        case EntryKind::person: return decode_person(reader, out.row_person);
        case EntryKind::account: return decode_account(reader, out.account);
        case EntryKind::movement: return decode_movement(reader, out.movement);
        case EntryKind::terminal: return decode_terminal(reader, out.row_terminal);
    }
    return Status::damaged;
}

void encode_body(const Entry& entry, Writer& out) {
    switch (entry.kind) {
        case EntryKind::genesis: encode_genesis(entry.genesis, out); return;
        case EntryKind::limits: encode_limits(entry.limits, out); return;
        case EntryKind::person: encode_person(entry.row_person, out); return;
        case EntryKind::account: encode_account(entry.account, out); return;
        case EntryKind::movement: encode_movement(entry.movement, out); return;
        case EntryKind::terminal: encode_terminal(entry.row_terminal, out); return;
    }
    CHECK(false);
}

}  // namespace

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

void entry_encode(const Entry& entry, Writer& out) {
    const uint32_t start = out.size;
    CHECK(writer_room(out) >= entry_size_max);
    put_u16(out, 0);
    put_u8(out, static_cast<uint8_t>(entry.kind));
    put_u8(out, static_cast<uint8_t>(entry.status));
    put_u32(out, entry.person);
    put_u64(out, entry.seq);
    put_u64(out, entry.time_ms);
    put_u32(out, entry.terminal);
    put_u32(out, entry_version);
    encode_body(entry, out);
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
    const bool is_newer =
        version > entry_version || kind > static_cast<uint8_t>(EntryKind::terminal);
    if (is_newer) return Status::failed;
    out.kind = static_cast<EntryKind>(kind);
    if (status_from_byte(status_byte, out.status) != Status::ok) return Status::damaged;
    if (out.status != Status::ok && !status_is_remembered(out.status)) return Status::damaged;
    if (out.status != Status::ok && out.kind != EntryKind::movement) return Status::damaged;
    const Status body = decode_body(reader, out);
    if (body != Status::ok) return body;
    // Only who asked for the whole of what is not there named no amount.
    if (out.kind == EntryKind::movement && out.movement.amount == 0 &&
        (out.status == Status::ok || !out.movement.whole)) {
        return Status::damaged;
    }
    const bool aborted = out.status == Status::execabort;
    if (aborted && out.movement.group_size == 0) return Status::damaged;
    return reader.short_read || reader_left(reader) > 0 ? Status::damaged : Status::ok;
}
