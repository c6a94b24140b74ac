// Groups of movements: booked all or none, judged without a trace, remembered as a whole.

#include <gtest/gtest.h>

#include "unit/test_bank.h"

namespace {

struct GroupBank {
    explicit GroupBank(const LedgerLimits& limits = test_limits) : one(limits) {
        test_create(book());
        for (const char* name : {"alice", "bob", "carol"}) {
            EXPECT_EQ(test_add(book(), name), Status::ok);
        }
        for (const char* name : {"alice", "bob"}) {
            EXPECT_EQ(test_move(book(), {.operation = Operation::deposit,
                                         .debit = "cash",
                                         .credit = name,
                                         .amount = 10'000,
                                         .id = std::string("opening-") + name}),
                      Status::ok);
        }
        commit();
    }
    Book& book() { return one.book; }
    Ledger& ledger() { return one.book.ledger; }
    std::vector<BookDone> commit() { return disk.commit(book()); }
    AccountValues& decided(const char* name) {
        return ledger().accounts[ledger_find_account(ledger(), test_name(name))].decided;
    }
    TestBook one;
    TestDisk disk;
};

TestMove pay(const std::string& id, int64_t amount, const char* to = "bob") {
    return {.operation = Operation::transfer,
            .debit = "alice",
            .credit = to,
            .amount = amount,
            .id = id,
            .person = "alice"};
}

TestMove hold(const std::string& id, int64_t amount, uint32_t expires_s = 60) {
    TestMove move = pay(id, amount);
    move.operation = Operation::hold;
    move.expires_s = expires_s;
    return move;
}

TestMove end(const std::string& id, Operation operation, uint64_t number, int64_t amount = 0) {
    return {.operation = operation,
            .amount = amount,
            .id = id,
            .person = "alice",
            .hold = number,
            .whole = amount == 0};
}

TestMove reverse(const std::string& id, uint64_t entry, const char* debit, const char* credit,
                 int64_t amount) {
    return {.operation = Operation::reverse,
            .debit = debit,
            .credit = credit,
            .amount = amount,
            .id = id,
            .person = "alice",
            .reversed = entry};
}

std::vector<Status> outcomes(const std::vector<BookDone>& done) {
    std::vector<Status> all;
    for (const BookDone& each : done) all.push_back(each.entry.status);
    return all;
}

// All that a judgement must leave as it was, in words.
std::string state_of(const Ledger& ledger) {
    std::string text;
    const auto add = [&text](uint64_t number) { text += std::to_string(number) + " "; };
    for (uint32_t row = 0; row < ledger.accounts_decided; row++) {
        for (const AccountValues& values :
             {ledger.accounts[row].decided, ledger.accounts[row].installed}) {
            add(static_cast<uint64_t>(values.balance));
            add(static_cast<uint64_t>(values.held));
            add(values.last);
        }
    }
    for (uint32_t row = 0; row < ledger.people_decided; row++) {
        for (const Asked& asked : {ledger.asked[row].decided, ledger.asked[row].installed}) {
            add(asked.count);
            add(asked.last);
            add(asked.turned_ms);
            for (const uint16_t print : asked.prints) add(print);
        }
    }
    text += "\nholds ";
    add(ledger.holds.pool.taken);
    add(ledger.holds.given_decided);
    add(ledger.holds.given_installed);
    for (uint64_t number = 1; number <= ledger.holds.given_decided + group_moves_max; number++) {
        const uint32_t slot = holds_find(ledger.holds, number);
        if (slot == pool_none) continue;
        const Hold& row = ledger.holds.pool.slots[slot];
        add(number);
        add(row.decided);
        add(row.installed);
        add(static_cast<uint64_t>(row.amount));
    }
    text += "\nreversals ";
    add(ledger.reversals.head);
    for (uint32_t i = 0; i < ledger.reversals.pending_count; i++) add(ledger.reversals.pending[i]);
    for (uint64_t seq = 1; seq <= ledger.reversals.head; seq++) {
        if (seq + ledger.reversals.window <= ledger.reversals.head) continue;
        if (reversals_is_set(ledger.reversals, seq)) add(seq);
    }
    text += "\nids ";
    add(ledger.ids.head);
    add(ledger.ids.table.used);
    for (uint64_t number = ids_first(ledger.ids); number < ledger.ids.head; number++) {
        const IdRecord& record = ids_at(ledger.ids, number);
        const Slice id = slice_of_chars(record.id.text, record.id.size);
        add(record.seq);
        EXPECT_EQ(ids_find(ledger.ids, record.person, id), &record) << number;
    }
    return text;
}

Movement movement_of(const Book& book, const TestMove& move, uint32_t place, uint32_t size) {
    const BookMove asked = test_book_move(book, move);
    Movement movement = {};
    movement.operation = asked.operation;
    movement.person = asked.person;
    movement.terminal = row_none;
    movement.id = asked.id;
    movement.amount = asked.amount;
    movement.hold = asked.hold;
    movement.expires_s = asked.expires_s;
    movement.whole = asked.whole;
    movement.head = book.log.entry_proposed;
    movement.group_place = static_cast<uint8_t>(place);
    movement.group_size = static_cast<uint8_t>(size);
    if (asked.operation == Operation::reverse) {
        movement.reversed = asked.reversed;
        movement.debit = asked.reversed_credit;
        movement.credit = asked.reversed_debit;
    } else if (operation_ends_hold(asked.operation)) {
        ledger_resolve_hold(book.ledger, movement);
    } else {
        movement.debit = ledger_find_account(book.ledger, asked.debit);
        movement.credit = ledger_find_account(book.ledger, asked.credit);
        if (movement.debit == row_none) movement.missing = asked.debit;
        if (movement.credit == row_none) movement.missing = asked.credit;
    }
    return movement;
}

// Judges only, and expects that nothing shows it.
Status judge(Book& book, const std::vector<TestMove>& moves, uint32_t& refused_at) {
    std::vector<Movement> movements;
    const uint32_t count = static_cast<uint32_t>(moves.size());
    for (uint32_t i = 0; i < count; i++) {
        movements.push_back(movement_of(book, moves[i], i + 1, count));
    }
    const std::string before = state_of(book.ledger);
    const LogStamp first = {book.log.entry_proposed + 1, moves[0].wall_ms, position_of(9, 128)};
    Refusal refusal = {};
    const Status status =
        ledger_judge_group(book.ledger, movements.data(), count, first, refused_at, refusal);
    EXPECT_EQ(state_of(book.ledger), before);
    return status;
}

// A movement of any kind about whatever may be there.
TestMove random_move(TestRandom& random, const Book& book, const std::string& id) {
    const char* names[] = {"cash", "shop", "alice", "bob", "carol", "nobody"};
    TestMove move;
    move.id = id;
    move.person = "alice";
    move.operation = static_cast<Operation>(1 + random.below(8));
    if (move.operation == Operation::release) move.operation = Operation::transfer;
    move.amount = 1 + random.below(3000);
    const uint32_t debit = random.below(6);
    move.debit = names[debit];
    move.credit = names[(debit + 1 + random.below(5)) % 6];
    if (move.operation == Operation::hold) move.expires_s = 3600;
    if (operation_ends_hold(move.operation)) {
        move.debit = move.credit = "";
        const uint64_t given = book.ledger.holds.given_decided;
        move.hold = 1 + random.below(static_cast<uint32_t>(given + 2));
        move.whole = move.operation == Operation::cancel || random.below(2) == 0;
        if (move.whole) move.amount = 0;
    }
    return move;
}

// The same, but for a REVERSE it names an entry that moved money and its accounts.
struct Moved {
    uint64_t seq;
    std::string debit;
    std::string credit;
    int64_t amount;
};

TestMove random_reversal(TestRandom& random, const std::vector<Moved>& moved, TestMove move) {
    if (move.operation != Operation::reverse) return move;
    if (moved.empty()) {
        move.operation = Operation::transfer;
        return move;
    }
    const uint32_t newest = moved.size() < 12 ? static_cast<uint32_t>(moved.size()) : 12;
    const uint32_t back = random.below(newest);
    const Moved& one = moved[moved.size() - 1 - back];
    return reverse(move.id, one.seq, one.debit.c_str(), one.credit.c_str(), one.amount);
}

void note_moved(const Book& book, const std::vector<BookDone>& done, std::vector<Moved>& moved) {
    for (const BookDone& each : done) {
        const MovementEntry& movement = each.entry.movement;
        if (each.entry.kind != EntryKind::movement || each.entry.status != Status::ok) continue;
        if (!operation_moves_money(movement.operation)) continue;
        if (movement.operation == Operation::reverse) continue;
        const auto name = [&](uint32_t row) {
            return string_of(name_slice(book.ledger.accounts[row].name));
        };
        moved.push_back(
            {each.entry.seq, name(movement.debit), name(movement.credit), movement.amount});
    }
}

}  // namespace

TEST(Group, IsBookedInOneBatchAndAnsweredOnce) {
    GroupBank bank;
    std::vector<TestMove> moves = {pay("a", 100), pay("b", 200, "carol"), hold("c", 300)};
    moves[0].tag = {7, 1};
    ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
    const std::vector<BookDone> done = bank.commit();
    ASSERT_EQ(done.size(), 3u);
    for (uint32_t i = 0; i < 3; i++) {
        EXPECT_EQ(done[i].entry.status, Status::ok);
        EXPECT_EQ(done[i].entry.movement.group_place, i + 1);
        EXPECT_EQ(done[i].entry.movement.group_size, 3);
        EXPECT_EQ(done[i].tag.session, i < 2 ? book_tag_none.session : 7u);
    }
    EXPECT_EQ(test_balance(bank.book(), "alice"), 9'700);
    EXPECT_EQ(bank.decided("alice").held, 300);
}

TEST(Group, ThatIsRefusedMovesNothingAndIsRememberedByEveryId) {
    GroupBank bank;
    const std::vector<TestMove> moves = {pay("a", 100), pay("b", 99'000), pay("c", 1)};
    ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
    EXPECT_EQ(outcomes(bank.commit()),
              (std::vector<Status>{Status::execabort, Status::funds, Status::execabort}));
    EXPECT_EQ(test_balance(bank.book(), "alice"), 10'000);
    BookGroup again;
    EXPECT_EQ(test_group(bank.book(), moves, &again), Status::replayed);
    EXPECT_EQ(again.records[0].status, Status::execabort);
    EXPECT_EQ(again.records[1].status, Status::funds);
    EXPECT_EQ(again.records[2].status, Status::execabort);
    // Outside of its group an id is known for other content.
    for (const TestMove& move : moves) {
        std::string field;
        EXPECT_EQ(test_move(bank.book(), move, nullptr, &field), Status::exists);
        EXPECT_EQ(field, "group");
    }
}

TEST(Group, IsKnownAsAWholeOnly) {
    GroupBank bank;
    const std::vector<TestMove> moves = {pay("a", 100), pay("b", 200), pay("c", 300)};
    ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
    bank.commit();
    ASSERT_EQ(test_move(bank.book(), pay("alone", 5)), Status::ok);
    ASSERT_EQ(test_group(bank.book(), {pay("d", 1), pay("e", 2)}), Status::ok);
    const std::vector<BookDone> second = bank.commit();
    BookGroup found;
    ASSERT_EQ(test_group(bank.book(), moves, &found), Status::replayed);
    for (uint32_t i = 0; i < 3; i++) {
        EXPECT_EQ(found.records[i].seq, found.records[0].seq + i);
        EXPECT_EQ(found.records[i].amount, 100 * (i + 1));
    }
    const std::vector<std::vector<TestMove>> mixtures = {
        {moves[0], moves[1]},
        {moves[0], moves[1], moves[2], pay("new", 1)},
        {moves[0], moves[1], pay("new", 1)},
        {pay("new", 1), moves[1], moves[2]},
        {moves[1], moves[0], moves[2]},
        {pay("alone", 5)},
        {moves[0], pay("e", 2), moves[2]},
        {pay("d", 1), moves[1]},
    };
    for (const std::vector<TestMove>& mixture : mixtures) {
        BookGroup other;
        EXPECT_EQ(test_group(bank.book(), mixture, &other), Status::exists);
        EXPECT_STREQ(other.field, "group");
    }
    BookGroup other;
    EXPECT_EQ(test_group(bank.book(), {moves[0], pay("b", 201), moves[2]}, &other),
              Status::exists);
    EXPECT_STREQ(other.field, "amount");
    EXPECT_EQ(other.refused_at, 1u);
    // Another person's ids are others.
    std::vector<TestMove> of_bob = moves;
    for (TestMove& move : of_bob) move.person = "bob";
    EXPECT_EQ(test_group(bank.book(), of_bob), Status::ok);
    EXPECT_EQ(second.size(), 3u);
}

TEST(Group, ThatIsInFlightIsPending) {
    GroupBank bank;
    const std::vector<TestMove> moves = {pay("a", 100), pay("b", 200)};
    ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
    EXPECT_EQ(test_group(bank.book(), moves), Status::pending);
    LogWrite write;
    ASSERT_TRUE(book_write_next(bank.book(), write));
    EXPECT_EQ(test_group(bank.book(), moves), Status::pending);
    book_write_done(bank.book(), Status::ok);
    BookDone done;
    while (book_commit_next(bank.book(), done)) EXPECT_TRUE(done.durable);
    EXPECT_EQ(test_group(bank.book(), moves), Status::replayed);
    EXPECT_EQ(test_balance(bank.book(), "alice"), 9'700);
}

TEST(Group, IsJudgedOneMovementBehindTheOther) {
    GroupBank bank;
    // Carol has nothing before alice pays her.
    TestMove on = pay("b", 500, "bob");
    on.debit = "carol";
    ASSERT_EQ(test_group(bank.book(), {pay("a", 500, "carol"), on}), Status::ok);
    EXPECT_EQ(outcomes(bank.commit()), (std::vector<Status>{Status::ok, Status::ok}));
    on.id = "d";
    ASSERT_EQ(test_group(bank.book(), {on, pay("c", 500, "carol")}), Status::ok);
    EXPECT_EQ(outcomes(bank.commit()), (std::vector<Status>{Status::funds, Status::execabort}));
}

TEST(Group, WhoseMovementCannotBeIsNotWritten) {
    GroupBank bank;
    BookGroup found;
    EXPECT_EQ(test_group(bank.book(), {pay("a", 1), pay("b", 1, "alice")}, &found),
              Status::execabort);
    EXPECT_EQ(found.refused, Status::err);
    EXPECT_EQ(found.refused_at, 1u);
    ASSERT_EQ(test_move(bank.book(), hold("h", 100)), Status::ok);
    bank.commit();
    EXPECT_EQ(test_group(bank.book(), {pay("a", 1), end("b", Operation::capture, 1, 101)}, &found),
              Status::execabort);
    EXPECT_EQ(found.refused, Status::amount);
    std::vector<TestMove> poor = {pay("a", 99'000), pay("b", 1)};
    poor[0].may_refuse = false;
    EXPECT_EQ(test_group(bank.book(), poor), Status::busy);
    EXPECT_EQ(bank.book().log.entry_proposed, bank.book().log.entry_durable);
    EXPECT_EQ(test_group(bank.book(), {pay("a", 1), pay("b", 1)}), Status::ok);
}

TEST(Group, MayEndAHoldThatItOpened) {
    GroupBank bank;
    ASSERT_EQ(test_group(bank.book(), {hold("h", 1000), end("c", Operation::capture, 1, 400)}),
              Status::ok);
    EXPECT_EQ(outcomes(bank.commit()), (std::vector<Status>{Status::ok, Status::ok}));
    EXPECT_EQ(test_balance(bank.book(), "bob"), 10'400);
    EXPECT_EQ(bank.decided("alice").held, 0);
    EXPECT_EQ(bank.ledger().holds.pool.taken, 0u);
    // Twice the end of one hold is STATE, and the hold stays.
    ASSERT_EQ(test_move(bank.book(), hold("h2", 1000)), Status::ok);
    bank.commit();
    ASSERT_EQ(test_group(bank.book(), {end("v1", Operation::cancel, 2),
                                       end("v2", Operation::cancel, 2)}),
              Status::ok);
    EXPECT_EQ(outcomes(bank.commit()), (std::vector<Status>{Status::execabort, Status::state}));
    EXPECT_EQ(bank.decided("alice").held, 1000);
    EXPECT_TRUE(bank.ledger().holds.pool.slots[holds_find(bank.ledger().holds, 2)].decided);
}

TEST(Group, ReversesAnEntryOnce) {
    GroupBank bank;
    ASSERT_EQ(test_move(bank.book(), pay("p", 700)), Status::ok);
    const uint64_t entry = bank.commit().back().entry.seq;
    const TestMove back = reverse("r1", entry, "alice", "bob", 700);
    TestMove again = back;
    again.id = "r2";
    ASSERT_EQ(test_group(bank.book(), {back, again}), Status::ok);
    EXPECT_EQ(outcomes(bank.commit()), (std::vector<Status>{Status::execabort, Status::state}));
    EXPECT_EQ(test_balance(bank.book(), "bob"), 10'700);
    EXPECT_EQ(bank.ledger().reversals.pending_count, 0u);
    TestMove other = back;
    other.id = "r3";
    ASSERT_EQ(test_group(bank.book(), {other, pay("q", 1)}), Status::ok);
    EXPECT_EQ(outcomes(bank.commit()), (std::vector<Status>{Status::ok, Status::ok}));
    EXPECT_EQ(test_balance(bank.book(), "bob"), 10'001);
}

TEST(Group, ReleasesExpiredHoldsAndNamesItsTerminalFirst) {
    GroupBank bank;
    ASSERT_EQ(test_move(bank.book(), hold("h1", 4'000, 1)), Status::ok);
    ASSERT_EQ(test_move(bank.book(), hold("h2", 4'000, 1)), Status::ok);
    bank.commit();
    std::vector<TestMove> moves = {pay("a", 9'000), pay("b", 1'000)};
    for (TestMove& move : moves) {
        move.wall_ms = 5'000;
        move.terminal = "door";
    }
    ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
    const std::vector<BookDone> done = bank.commit();
    ASSERT_EQ(done.size(), 5u);
    EXPECT_EQ(done[0].entry.movement.operation, Operation::release);
    EXPECT_EQ(done[1].entry.movement.operation, Operation::release);
    EXPECT_EQ(done[2].entry.kind, EntryKind::terminal);
    EXPECT_EQ(done[3].entry.status, Status::ok);
    EXPECT_EQ(done[4].entry.status, Status::ok);
    EXPECT_EQ(done[4].entry.terminal, 0u);
}

// Whichever movement of the group led to the release.
TEST(Group, SaysOfAHoldThatExpiredThatItDid) {
    for (const bool others_first : {false, true}) {
        GroupBank bank;
        ASSERT_EQ(test_move(bank.book(), hold("h1", 4'000, 1)), Status::ok);
        bank.commit();
        std::vector<TestMove> moves = {end("c", Operation::capture, 1, 100)};
        if (others_first) moves.insert(moves.begin(), pay("p", 1));
        for (TestMove& move : moves) move.wall_ms = 5'000;
        ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
        const std::vector<BookDone> done = bank.commit();
        EXPECT_EQ(done[0].entry.movement.operation, Operation::release);
        EXPECT_EQ(done.back().entry.status, Status::expired) << others_first;
    }
}

TEST(Group, IsDroppedAsAWholeWhenItsBatchFails) {
    for (const bool refused : {false, true}) {
        GroupBank bank;
        ASSERT_EQ(test_move(bank.book(), pay("p", 700)), Status::ok);
        ASSERT_EQ(test_move(bank.book(), hold("h", 100)), Status::ok);
        const std::vector<BookDone> before = bank.commit();
        const TestTables tables = test_tables(bank.book());
        const std::string state = state_of(bank.ledger());
        std::vector<TestMove> moves = {pay("a", 100), hold("b", 200),
                                       end("c", Operation::capture, 1),
                                       reverse("d", before[0].entry.seq, "alice", "bob", 700)};
        if (refused) moves.push_back(pay("e", 99'000));
        ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
        const std::vector<BookDone> done = test_commit(
            bank.book(), [](void*, const LogWrite&) { return Status::failed; }, nullptr);
        for (const BookDone& each : done) EXPECT_FALSE(each.durable);
        EXPECT_EQ(done.size(), moves.size());
        EXPECT_EQ(state_of(bank.ledger()), state);
        const TestTables after = test_tables(bank.book());
        EXPECT_EQ(after.tables, tables.tables);
        EXPECT_EQ(after.manifest, tables.manifest);
    }
}

TEST(Group, LeavesNoTraceOfAJudgementWhateverItComesTo) {
    const LedgerLimits small = {
        .accounts = 16, .ids = 24, .terminals = 4, .holds = 6, .reversible = 64,
    .message_keys = 8, .messages = 16, .mailbox = 4};
    uint32_t booked = 0;
    uint32_t refused = 0;
    uint32_t late = 0;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        TestRandom random(seed);
        GroupBank bank(small);
        std::vector<Moved> moved;
        for (uint32_t round = 0; round < 40; round++) {
            std::vector<TestMove> moves;
            const uint32_t count = 1 + random.below(random.below(4) == 0 ? group_moves_max : 4);
            for (uint32_t i = 0; i < count; i++) {
                const std::string id = "g" + std::to_string(round) + "-" + std::to_string(i);
                moves.push_back(
                    random_reversal(random, moved, random_move(random, bank.book(), id)));
            }
            uint32_t refused_at = 0;
            const Status judged = judge(bank.book(), moves, refused_at);
            if (refused_at > 0 && judged != Status::ok) late++;
            BookGroup found;
            const Status status = test_group(bank.book(), moves, &found);
            if (judged == Status::ok || status_is_remembered(judged)) {
                ASSERT_EQ(status, Status::ok) << seed << " " << round;
            } else {
                ASSERT_EQ(status, judged == Status::oom ? Status::oom : Status::execabort);
            }
            if (random.below(3) == 0) continue;
            const std::vector<BookDone> done = bank.commit();
            note_moved(bank.book(), done, moved);
            for (const BookDone& each : done) {
                booked += each.entry.status == Status::ok;
                refused += each.entry.status == Status::execabort;
            }
            ASSERT_EQ(ledger_sum(bank.ledger()), 0);
        }
        bank.commit();
        const TestTables lived = test_tables(bank.book());
        TestBook again(small);
        ASSERT_EQ(bank.disk.replay(again.book, bank.disk.batches.size()), Status::ok);
        test_open(again.book, bank.book().log);
        const TestTables replayed = test_tables(again.book);
        ASSERT_EQ(replayed.tables, lived.tables) << seed;
        ASSERT_EQ(replayed.manifest, lived.manifest) << seed;
        TestBook loaded(small);
        ASSERT_EQ(test_load(loaded.book, lived), Status::ok);
        test_open(loaded.book, bank.book().log);
        ASSERT_EQ(test_tables(loaded.book).manifest, lived.manifest) << seed;
    }
    EXPECT_GT(booked, 300u);
    EXPECT_GT(refused, 300u);
    EXPECT_GT(late, 100u);
}

// Groups and single movements, holds that expire, terminals, batches of any length.
TEST(Group, ReplaysToTheSameTablesWhateverExpiresMeanwhile) {
    uint32_t released = 0;
    uint32_t expired = 0;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        TestRandom random(seed);
        GroupBank bank;
        std::vector<Moved> moved;
        uint64_t now_ms = 1000;
        for (uint32_t round = 0; round < 60; round++) {
            now_ms += random.below(700);
            std::vector<TestMove> moves;
            for (uint32_t i = 0; i < 1 + random.below(4); i++) {
                const std::string id = "e" + std::to_string(round) + "-" + std::to_string(i);
                moves.push_back(
                    random_reversal(random, moved, random_move(random, bank.book(), id)));
                moves.back().wall_ms = now_ms;
                if (moves.back().expires_s > 0) moves.back().expires_s = 1 + random.below(3);
                if (random.below(9) == 0) moves.back().terminal = "door";
            }
            const Status status = random.below(3) == 0 ? test_move(bank.book(), moves[0])
                                                       : test_group(bank.book(), moves);
            EXPECT_NE(status, Status::replayed);
            EXPECT_NE(status, Status::exists);
            if (random.below(3) == 0) continue;
            const std::vector<BookDone> done = bank.commit();
            note_moved(bank.book(), done, moved);
            for (const BookDone& each : done) {
                uint8_t bytes[2][entry_size_max];
                Writer first = writer_of(bytes[0], entry_size_max);
                Writer again = writer_of(bytes[1], entry_size_max);
                Entry decoded;
                entry_encode(each.entry, first);
                ASSERT_EQ(entry_decode(writer_slice(first), decoded), Status::ok);
                entry_encode(decoded, again);
                ASSERT_TRUE(slice_equal(writer_slice(first), writer_slice(again)));  // E1
                const bool moves_money = each.entry.kind == EntryKind::movement;
                released += moves_money && each.entry.movement.operation == Operation::release;
                expired += each.entry.status == Status::expired;
            }
            ASSERT_EQ(ledger_sum(bank.ledger()), 0);
        }
        bank.commit();
        const TestTables lived = test_tables(bank.book());
        for (size_t count : {bank.disk.batches.size() / 2, bank.disk.batches.size()}) {
            // A checkpoint in the middle and the batches behind it come to the same.
            TestBook again;
            ASSERT_EQ(bank.disk.replay(again.book, count), Status::ok);
            Snapshot snapshot = {};
            snapshot_begin(snapshot, again.book.ledger,
                           {.entry = again.book.ledger.seq_installed});
            TestBook loaded;
            ASSERT_EQ(test_load(loaded.book, test_tables_of(snapshot, again.book.ledger)),
                      Status::ok);
            for (size_t i = count; i < bank.disk.batches.size(); i++) {
                RecoveryBatch batch;
                const std::vector<uint8_t>& bytes = bank.disk.batches[i];
                ASSERT_EQ(batch_find({bytes.data(), static_cast<uint32_t>(bytes.size())}, nullptr,
                                     batch.header, batch.entries, batch.hash),
                          BatchFind::whole);
                uint64_t bad_seq = 0;
                ASSERT_EQ(book_replay(loaded.book, batch, bad_seq), Status::ok) << bad_seq;
            }
            test_open(loaded.book, bank.book().log);
            const TestTables replayed = test_tables(loaded.book);
            ASSERT_EQ(replayed.tables, lived.tables) << seed;
            ASSERT_EQ(replayed.manifest, lived.manifest) << seed;
        }
    }
    EXPECT_GT(released, 50u);
    EXPECT_GT(expired, 5u);
}

TEST(Group, IsJudgedWhileASnapshotIsMadeOfTheStateBefore) {
    GroupBank bank;
    ASSERT_EQ(test_move(bank.book(), hold("h", 100)), Status::ok);
    const uint64_t entry = bank.commit().back().entry.seq;
    ASSERT_EQ(test_move(bank.book(), pay("p", 100)), Status::ok);
    bank.commit();
    const TestTables before = test_tables(bank.book());
    book_snapshot_begin(bank.book());
    const std::vector<TestMove> moves = {
        pay("a", 100), hold("b", 200), end("c", Operation::capture, 1),
        reverse("d", entry + 1, "alice", "bob", 100)};
    uint32_t refused_at = 0;
    EXPECT_EQ(judge(bank.book(), moves, refused_at), Status::ok);
    ASSERT_EQ(test_group(bank.book(), moves), Status::ok);
    bank.commit();
    const TestTables frozen = test_tables_of(bank.book().snapshot, bank.ledger());
    EXPECT_EQ(frozen.tables, before.tables);
    EXPECT_EQ(frozen.manifest, before.manifest);
}

// I3: every record of a refused group takes the place of an older one.
TEST(Group, WaitsRatherThanLoseAnIdThatIsStillToBeWritten) {
    const LedgerLimits small = {
        .accounts = 16, .ids = 24, .terminals = 4, .holds = 6, .reversible = 64,
    .message_keys = 8, .messages = 16, .mailbox = 4};
    GroupBank bank(small);
    for (uint32_t i = 0; i < 30; i++) {
        ASSERT_EQ(test_move(bank.book(), pay("w" + std::to_string(i), 1)), Status::ok);
    }
    bank.commit();
    const TestTables before = test_tables(bank.book());
    book_snapshot_begin(bank.book());
    const Ids& ids = bank.ledger().ids;
    // Until exactly one record more can be added.
    for (uint32_t i = 0; ids.head - ids.capacity + 1 != bank.ledger().ids_kept_from; i++) {
        ASSERT_LT(i, ids.capacity);
        ASSERT_EQ(test_move(bank.book(), pay("x" + std::to_string(i), 1)), Status::ok);
        if (i % 50 == 0) bank.commit();
    }
    bank.commit();
    const std::string state = state_of(bank.ledger());
    BookGroup found;
    EXPECT_EQ(test_group(bank.book(), {pay("a", 99'000), pay("b", 1), pay("c", 1)}, &found),
              Status::oom);
    EXPECT_EQ(test_group(bank.book(), {pay("a", 1), pay("b", 1), pay("c", 1)}, &found),
              Status::oom);
    EXPECT_EQ(state_of(bank.ledger()), state);
    const TestTables frozen = test_tables_of(bank.book().snapshot, bank.ledger());
    EXPECT_EQ(frozen.tables, before.tables);
    EXPECT_EQ(test_group(bank.book(), {pay("a", 99'000), pay("b", 1), pay("c", 1)}, &found),
              Status::ok);
}

TEST(Group, IsWholeWhereverTheJournalEnds) {
    GroupBank bank;
    for (uint32_t i = 0; i < 6; i++) {
        const std::string n = std::to_string(i);
        ASSERT_EQ(test_group(bank.book(), {pay("a" + n, 10), pay("b" + n, i % 2 ? 99'000 : 20)}),
                  Status::ok);
        bank.commit();
    }
    for (size_t count = 1; count <= bank.disk.batches.size(); count++) {
        TestBook again;
        ASSERT_EQ(bank.disk.replay(again.book, count), Status::ok);
        EXPECT_EQ(again.book.ledger.group.size, 0);
        EXPECT_EQ(ledger_sum(again.book.ledger), 0);
        const int64_t groups = static_cast<int64_t>(count) - 1;
        EXPECT_EQ(test_balance(again.book, "alice"), 10'000 - 30 * ((groups + 1) / 2));
    }
}
