#include "ledger/entry.h"

#include <gtest/gtest.h>
#include <string.h>

#include <vector>

#include "unit/test_bank.h"

namespace {

Entry blank(EntryKind kind) {
    Entry entry;
    memset(&entry, 0, sizeof entry);
    entry.kind = kind;
    entry.person = 3;
    entry.terminal = row_none;
    entry.seq = 0x0102030405060708;
    entry.time_ms = 1'700'000'000'000;
    return entry;
}

void set_id(Id& id, const std::string& text) {
    memcpy(id.text, text.data(), text.size());
    id.size = static_cast<uint8_t>(text.size());
}

Entry movement(Status status) {
    Entry entry = blank(EntryKind::movement);
    entry.status = status;
    entry.movement.debit = 1;
    entry.movement.credit = status == Status::noacct ? row_none : 2;
    entry.movement.amount = amount_minor_max;
    entry.movement.debit_after = -5;
    entry.movement.credit_after = 99;
    entry.movement.debit_previous = position_of(1, 4242);
    entry.movement.operation = Operation::transfer;
    set_id(entry.movement.id, "a-client's:id");
    memcpy(entry.movement.memo.text, "two beers", 9);
    entry.movement.memo.size = 9;
    if (status == Status::noacct) entry.movement.missing = test_name("nobody");
    return entry;
}

std::vector<Entry> samples() {
    std::vector<Entry> all;
    Entry entry = blank(EntryKind::genesis);
    entry.genesis.scale = 2;
    entry.genesis.currency_size = 3;
    memcpy(entry.genesis.currency, "EUR", 3);
    all.push_back(entry);
    entry = blank(EntryKind::limits);
    entry.limits = {.accounts = 5, .ids = 6, .terminals = 7, .holds = 8, .reversible = 9};
    all.push_back(entry);
    entry = blank(EntryKind::person);
    entry.row_person.person = 4;
    entry.row_person.account = 6;
    entry.row_person.operation = PersonOperation::password;
    entry.row_person.role = Role::auditor;
    entry.row_person.name = test_name("a.long-name_with.thirty.1.byte5");
    memset(entry.row_person.record.text, 'x', phc_size_max);
    entry.row_person.record.size = phc_size_max;
    all.push_back(entry);
    for (uint32_t i = 3; i <= person_operation_count; i++) {
        const PersonOperation operation = static_cast<PersonOperation>(i);
        entry = blank(EntryKind::person);
        entry.row_person.operation = operation;
        entry.row_person.name = test_name("a");
        if (operation == PersonOperation::lock) entry.row_person.state = PersonState::locked;
        if (operation == PersonOperation::remove) entry.row_person.state = PersonState::removed;
        if (operation == PersonOperation::pin_set) entry.row_person.record = {3, {'p', 'i', 'n'}};
        if (operation == PersonOperation::title) entry.row_person.title = {3, "J\xc3\xb6"};
        if (operation == PersonOperation::rehash) entry.row_person.record = {3, {'p', 'h', 'c'}};
        all.push_back(entry);
    }
    entry.row_person = {};
    entry.row_person.operation = PersonOperation::added;
    entry.row_person.name = test_name("b");
    entry.row_person.record = {1, {'x'}};
    entry.row_person.day = 20'778;
    entry.row_person.registered = 7;
    entry.row_person.registered_max = 20;
    all.push_back(entry);
    entry.row_person = {};
    entry.row_person.term = PasswordTerm::first;
    entry.row_person.name = test_name("c");
    entry.row_person.record = {1, {'x'}};
    for (const auto operation : {PersonOperation::added, PersonOperation::password}) {
        entry.row_person.operation = operation;
        all.push_back(entry);
    }
    entry = movement(Status::ok);
    entry.terminal = 2;
    entry.movement.day = 20'778;
    entry.movement.day_total = amount_minor_max;
    entry.movement.day_max = amount_minor_max;
    all.push_back(entry);
    entry.status = Status::limit;
    entry.movement.beyond_day = true;
    entry.movement.day_max = 1;
    all.push_back(entry);
    entry = movement(Status::state);
    entry.terminal = 2;
    entry.movement.operation = Operation::capture;
    entry.movement.day = 1;
    all.push_back(entry);
    static const std::string bytes = "\xff" + std::string(mail_modulus_size - 1, '\x01');
    entry = blank(EntryKind::key);
    entry.key.modulus = slice_of(bytes);
    all.push_back(entry);
    entry = blank(EntryKind::forget);
    entry.forget.number = UINT64_MAX;
    all.push_back(entry);
    entry = blank(EntryKind::message);
    entry.message.place = 1;
    entry.message.parts = 2;
    entry.message.to = 5;
    entry.message.size = message_part_size_max + 17;
    entry.message.asker_previous = position_of(1, 4242);
    entry.message.hash.bytes[31] = 7;
    set_id(entry.message.id, std::string(id_size_max, 'i'));
    entry.message.bytes = slice_of(bytes);
    static_assert(mail_modulus_size == message_part_size_max);
    all.push_back(entry);
    Entry refused = entry;
    refused.status = Status::state;
    refused.message.place = refused.message.parts = 0;
    refused.message.bytes = {nullptr, 0};
    all.push_back(refused);
    refused.status = Status::noacct;
    refused.message.to = row_none;
    refused.message.missing = test_name("a.long-name_with.thirty.1.byte5");
    all.push_back(refused);
    entry = blank(EntryKind::message);
    entry.message.place = entry.message.parts = 2;
    entry.message.bytes = slice_part(slice_of(bytes), 0, 17);
    all.push_back(entry);
    entry = blank(EntryKind::account);
    entry.account = {.account = 1,
                     .owner = row_none,
                     .floor = -balance_minor_max,
                     .ceiling = balance_minor_max,
                     .state = AccountState::closed,
                     .operation = AccountOperation::close,
                     .name = test_name("till2")};
    all.push_back(entry);
    all.push_back(movement(Status::ok));
    all.push_back(movement(Status::funds));
    all.push_back(movement(Status::noacct));
    entry = movement(Status::ok);
    entry.movement.operation = Operation::hold;
    entry.movement.hold = 77;
    entry.movement.expires_s = hold_expires_s_max;
    all.push_back(entry);
    entry = movement(Status::state);
    entry.movement.operation = Operation::capture;
    entry.movement.hold = 78;
    entry.movement.whole = true;
    entry.movement.amount = 0;
    all.push_back(entry);
    entry = movement(Status::ok);
    entry.movement.operation = Operation::release;
    entry.movement.hold = 79;
    entry.movement.id = {};
    entry.movement.asker_previous = 0;
    all.push_back(entry);
    entry = movement(Status::ok);
    entry.movement.operation = Operation::reverse;
    entry.movement.reversed = 7;
    entry.movement.whole = true;
    all.push_back(entry);
    entry = movement(Status::execabort);
    entry.movement.group_place = 2;
    entry.movement.group_size = group_moves_max;
    all.push_back(entry);
    for (const Operation operation : {Operation::order, Operation::cancel_order,
                                      Operation::order_done}) {
        for (const Status status : {Status::ok, Status::state, Status::funds}) {
            const bool makes = operation == Operation::order;
            const bool is_refused = status == Status::state;
            const bool done = operation == Operation::order_done;
            entry = movement(status);
            entry.movement.operation = operation;
            entry.movement.memo = {};
            if (done) entry.movement.amount = 0;
            entry.movement.order = {.item = 3,
                                    .quantity = 7,
                                    .price = 150,
                                    .price_asked = makes ? 140 : 0,
                                    .order = makes ? 0u : 99u,
                                    .evicted = makes && status == Status::ok ? 11u : 0u,
                                    .number = is_refused ? 5 : 0,
                                    .reason = is_refused ? OrderReason::stock : OrderReason::none};
            all.push_back(entry);
        }
    }
    entry.terminal = 4;
    entry.movement.operation = Operation::order;
    entry.movement.order.order = 0;
    entry.movement.day = 20778;
    entry.movement.day_total = 1200;
    entry.movement.day_max = 5000;
    all.push_back(entry);
    for (const ItemOperation operation : {ItemOperation::set, ItemOperation::del}) {
        entry = blank(EntryKind::item);
        entry.item = {.item = 2,
                      .stock = operation == ItemOperation::set ? 9u : 0u,
                      .price = 150,
                      .operation = operation,
                      .counted = operation == ItemOperation::set,
                      .name = test_name("mate"),
                      .title = {4, {'M', 'a', 't', 'e'}}};
        all.push_back(entry);
    }
    entry = blank(EntryKind::terminal);
    entry.row_terminal = {.terminal = 2, .name = test_name("kiosk")};
    all.push_back(entry);
    return all;
}

std::string encoded(const Entry& entry) {
    return written([&](Writer& out) { entry_encode(entry, out); }, entry_size_max);
}

}  // namespace

TEST(Entry, ComesBackAsItWasEncoded) {
    for (const Entry& entry : samples()) {
        const std::string bytes = encoded(entry);
        ASSERT_LE(bytes.size(), entry_size_max);
        Entry decoded;
        ASSERT_EQ(entry_decode(slice_of(bytes), decoded), Status::ok);
        EXPECT_EQ(decoded.kind, entry.kind);
        EXPECT_EQ(decoded.status, entry.status);
        EXPECT_EQ(decoded.seq, entry.seq);
        EXPECT_EQ(decoded.time_ms, entry.time_ms);
        EXPECT_EQ(decoded.person, entry.person);
        EXPECT_EQ(decoded.terminal, entry.terminal);
        EXPECT_EQ(encoded(decoded), bytes);
    }
}

TEST(Entry, IsRefusedWhenCutOrLengthenedAnywhere) {
    for (const Entry& entry : samples()) {
        const std::string bytes = encoded(entry);
        Entry decoded;
        for (size_t size = 0; size < bytes.size(); size++) {
            EXPECT_EQ(entry_decode(slice_of(bytes.substr(0, size)), decoded), Status::damaged);
            // Also where the size in front agrees.
            std::string shorter = bytes.substr(0, size);
            if (size >= 2) {
                shorter[0] = static_cast<char>(size & 0xff);
                shorter[1] = static_cast<char>(size >> 8);
            }
            const Status status = entry_decode(slice_of(shorter), decoded);
            EXPECT_TRUE(status == Status::damaged || encoded(decoded) == shorter) << size;
        }
        const std::string longer = bytes + '\0';
        EXPECT_EQ(entry_decode(slice_of(longer), decoded), Status::damaged);
    }
}

// E1: what is accepted is exactly what would have been written.
TEST(Entry, IsRefusedOrTheSameForEveryValueOfEveryByte) {
    for (const Entry& entry : samples()) {
        const std::string good = encoded(entry);
        for (size_t at = 0; at < good.size(); at++) {
            std::string bad = good;
            for (uint32_t value = 0; value < 256; value++) {
                bad[at] = static_cast<char>(value);
                Entry decoded;
                if (entry_decode(slice_of(bad), decoded) != Status::ok) continue;
                ASSERT_EQ(encoded(decoded), bad)
                    << "kind " << static_cast<int>(entry.kind) << " byte " << at;
            }
        }
    }
}

TEST(Entry, TellsANewerFormatFromDamage) {
    Entry decoded;
    std::string bytes = encoded(movement(Status::ok));
    bytes[28] = static_cast<char>(entry_version_max + 1);
    EXPECT_EQ(entry_decode(slice_of(bytes), decoded), Status::failed);
    bytes[28] = 0;
    EXPECT_EQ(entry_decode(slice_of(bytes), decoded), Status::damaged);
    bytes[28] = 1;
    bytes[2] = static_cast<char>(static_cast<int>(EntryKind::forget) + 1);
    EXPECT_EQ(entry_decode(slice_of(bytes), decoded), Status::failed);
    bytes[2] = 0;
    EXPECT_EQ(entry_decode(slice_of(bytes), decoded), Status::damaged);
}

TEST(Entry, AcceptsNoStatusThatIsNotRemembered) {
    for (uint32_t i = 0; i < 256; i++) {
        // What aborts a group is no status of a movement that was alone.
        const bool aborts = i == static_cast<uint32_t>(Status::execabort);
        Entry entry = movement(Status::ok);
        entry.movement.group_place = aborts ? 2 : 0;
        entry.movement.group_size = aborts ? 3 : 0;
        std::string bytes = encoded(entry);
        bytes[3] = static_cast<char>(i);
        Entry decoded;
        const bool expected =
            i < status_count && (static_cast<Status>(i) == Status::ok ||
                                 status_is_remembered(static_cast<Status>(i)));
        EXPECT_EQ(entry_decode(slice_of(bytes), decoded) == Status::ok, expected) << i;
    }
}

// E3: what version 1 can say is said in version 1, whose layout never moves.
TEST(Entry, HasTheLowestVersionThatCanSayIt) {
    for (const Entry& entry : samples()) {
        std::string bytes = encoded(entry);
        const bool is_new_person =
            entry.kind == EntryKind::person &&
            (entry.row_person.operation > PersonOperation::password || entry.row_person.day != 0);
        const bool counts = entry.kind == EntryKind::movement && entry.movement.day != 0;
        const bool orders = entry.kind == EntryKind::movement &&
                            operation_is_of_order(entry.movement.operation);
        const bool is_first = entry.kind == EntryKind::person &&
                              entry.row_person.term == PasswordTerm::first;
        const bool is_of_three = orders || is_first || entry.kind >= EntryKind::item;
        EXPECT_EQ(bytes[28], is_of_three ? 3 : is_new_person || counts ? 2 : 1);
        // Another version of the same bytes is none that was written.
        const char version = bytes[28];
        for (char other = 1; other <= static_cast<char>(entry_version_max); other++) {
            bytes[28] = other;
            Entry decoded;
            EXPECT_EQ(entry_decode(slice_of(bytes), decoded) == Status::ok, other == version);
        }
    }
    Entry person = blank(EntryKind::person);
    person.row_person.operation = PersonOperation::added;
    person.row_person.name = test_name("ab");
    person.row_person.record = {2, {'p', 'q'}};
    EXPECT_EQ(encoded(person).substr(32), std::string("\0\0\0\0\0\0\0\0\1\0\0\2\2\0\0\0abpq", 20));
    person.row_person.term = PasswordTerm::first;
    EXPECT_EQ(encoded(person).substr(40),
              std::string("\1\0\0\2\2\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0abpq", 24));
    Entry paid = movement(Status::ok);
    EXPECT_EQ(encoded(paid).substr(96), "a-client's:idtwo beers");
}

TEST(Entry, OfAPersonSaysNothingThatItsOperationIsNotAbout) {
    Entry good = blank(EntryKind::person);
    good.row_person.operation = PersonOperation::role;
    good.row_person.name = test_name("a");
    const auto decodes = [&](auto change) {
        Entry entry = good;
        change(entry.row_person);
        Entry decoded;
        return entry_decode(slice_of(encoded(entry)), decoded);
    };
    EXPECT_EQ(decodes([](PersonEntry&) {}), Status::ok);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.record = {1, {'x'}}; }), Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.title = {1, "x"}; }), Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.day = 5; }), Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.state = PersonState::removed; }),
              Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.operation = PersonOperation::remove; }),
              Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.operation = PersonOperation::lock; }),
              Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.operation = PersonOperation::pin_set; }),
              Status::damaged);
    EXPECT_EQ(decodes([](PersonEntry& person) { person.operation = PersonOperation::rehash; }),
              Status::damaged);
    good.row_person.operation = PersonOperation::password;
    good.row_person.term = PasswordTerm::first;
    EXPECT_EQ(decodes([](PersonEntry&) {}), Status::damaged) << "without a password";
    good.row_person.record = {1, {'x'}};
    EXPECT_EQ(decodes([](PersonEntry&) {}), Status::ok);
    for (const auto operation : {PersonOperation::rehash, PersonOperation::pin_set,
                                 PersonOperation::title, PersonOperation::unlock}) {
        EXPECT_EQ(decodes([&](PersonEntry& person) { person.operation = operation; }),
                  Status::damaged);
    }
    std::string bytes = encoded(good);
    for (char value : {'\0', '\2', '\xff'}) {
        bytes[46] = value;
        Entry decoded;
        EXPECT_EQ(entry_decode(slice_of(bytes), decoded), Status::damaged);
    }
    good.row_person.term = PasswordTerm::lasting;
    good.row_person.record = {};
    good.row_person.operation = PersonOperation::title;
    for (const char* title : {"a\tb", "\x7f", "\xc2\x85", "\xff", "\xc3", "\xed\xa0\x80"}) {
        EXPECT_EQ(decodes([&](PersonEntry& person) {
                      person.title.size = static_cast<uint8_t>(strlen(title));
                      memcpy(person.title.text, title, strlen(title));
                  }),
                  Status::damaged);
    }
    good.row_person.operation = PersonOperation::added;
    const auto registered = [&](uint32_t day, uint32_t count, uint32_t most) {
        return decodes([&](PersonEntry& person) {
            person.day = day;
            person.registered = count;
            person.registered_max = most;
        });
    };
    EXPECT_EQ(registered(9, 3, 3), Status::ok);
    EXPECT_EQ(registered(9, 0, 3), Status::damaged);
    EXPECT_EQ(registered(9, 4, 3), Status::damaged);
}

TEST(Entry, NamesRolesBothWays) {
    for (uint32_t i = 0; i < role_count; i++) {
        Role role = Role::customer;
        ASSERT_EQ(parse_role(slice_of(role_name(static_cast<Role>(i))), role), Status::ok);
        EXPECT_EQ(static_cast<uint32_t>(role), i);
    }
    Role role = Role::till;
    EXPECT_EQ(parse_role(slice_of("Till"), role), Status::invalid);
    EXPECT_EQ(parse_role(slice_of(""), role), Status::invalid);
    EXPECT_EQ(role, Role::till);
}
