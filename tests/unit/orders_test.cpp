// Items and orders: what they cost, what is pushed out, and that all of it follows from the journal.

#include "ledger/rows.h"
#include "unit/test_bank.h"

namespace {

struct OrderBank {
    explicit OrderBank(const LedgerLimits& limits = test_limits) : one(limits) {
        test_create(book());
        for (const char* name : {"alice", "bob"}) {
            EXPECT_EQ(test_add(book(), name), Status::ok);
            EXPECT_EQ(test_move(book(), {.operation = Operation::deposit,
                                         .debit = "cash",
                                         .credit = name,
                                         .amount = 10000,
                                         .id = "in",
                                         .person = name}),
                      Status::ok);
        }
        EXPECT_EQ(test_set_item(book(), "mate", 150, 5, "Club Mate"), Status::ok);
        EXPECT_EQ(test_set_item(book(), "coffee", 100), Status::ok);
        disk.commit(book());
    }
    Book& book() { return one.book; }
    Ledger& ledger() { return one.book.ledger; }
    const Item& item(const std::string& name) {
        return ledger().items[ledger_find_item(ledger(), test_name(name))];
    }
    TestMove order(const std::string& id, const std::string& item, uint32_t quantity = 1) {
        return {.operation = Operation::order, .debit = "alice", .id = id, .person = "alice",
                .terminal = "till", .item = item, .quantity = quantity};
    }
    TestMove end(Operation operation, const std::string& id, uint64_t order) {
        return {.operation = operation, .id = id, .person = "bob", .terminal = "till",
                .order = order};
    }
    // Books one alone; the number of its entry.
    uint64_t book_it(const TestMove& move, Status expected = Status::ok) {
        EXPECT_EQ(test_move(book(), move), Status::ok);
        const std::vector<BookDone> done = disk.commit(book());
        last = done.back().entry;
        EXPECT_EQ(last.status, expected);
        return last.seq;
    }
    OrderState state(uint64_t number) {
        const uint32_t slot = orders_find(ledger().orders, number);
        return slot == pool_none ? OrderState::none : ledger().orders.pool.slots[slot].installed;
    }

    TestBook one;
    TestDisk disk;
    Entry last = {};
};

// Replaying the journal, and loading a checkpoint, give the same book (P4, T2).
void expect_same(OrderBank& bank, const LedgerLimits& limits = test_limits) {
    const TestTables tables = test_tables(bank.book());
    TestBook replayed(limits);
    ASSERT_EQ(bank.disk.replay(replayed.book, bank.disk.batches.size()), Status::ok);
    test_open(replayed.book, bank.book().log);
    EXPECT_EQ(test_tables(replayed.book).manifest, tables.manifest);
    TestBook loaded(limits);
    ASSERT_EQ(test_load(loaded.book, tables), Status::ok);
    test_open(loaded.book, bank.book().log);
    EXPECT_EQ(test_tables(loaded.book).manifest, tables.manifest);
}

}  // namespace

TEST(Orders, AnOrderPaysPriceTimesQuantityAndTakesStock) {
    OrderBank bank;
    const uint64_t number = bank.book_it(bank.order("o", "mate", 3));
    EXPECT_EQ(test_balance(bank.book(), "alice"), 10000 - 450);
    EXPECT_EQ(test_balance(bank.book(), "shop"), 450);
    EXPECT_EQ(bank.item("mate").installed.stock, 2u);
    EXPECT_EQ(bank.state(number), OrderState::open);
    EXPECT_EQ(bank.last.movement.order.price, 150);
    EXPECT_EQ(entry_version(bank.last), 3u);
    EXPECT_EQ(ledger_sum(bank.ledger()), 0);
    expect_same(bank);
}

// B1.
TEST(Orders, AChangedPriceLeavesOldOrdersAsTheyWere) {
    OrderBank bank;
    const uint64_t number = bank.book_it(bank.order("o", "coffee", 2));
    ASSERT_EQ(test_set_item(bank.book(), "coffee", 900), Status::ok);
    bank.disk.commit(bank.book());
    TestMove asked = bank.order("p", "coffee");
    asked.price_asked = 100;
    bank.book_it(asked, Status::state);
    EXPECT_EQ(bank.last.movement.order.reason, OrderReason::price);
    EXPECT_EQ(bank.last.movement.order.number, 900);
    bank.book_it(bank.end(Operation::cancel_order, "c", number));
    EXPECT_EQ(test_balance(bank.book(), "alice"), 10000);
    EXPECT_EQ(bank.last.movement.amount, 200);
    expect_same(bank);
}

TEST(Orders, AnOrderIsGivenBackOnceAndHandedOverOnce) {
    OrderBank bank;
    const uint64_t first = bank.book_it(bank.order("o", "mate", 2));
    const uint64_t second = bank.book_it(bank.order("p", "mate", 3));
    bank.book_it(bank.end(Operation::cancel_order, "c", first));
    EXPECT_EQ(bank.item("mate").installed.stock, 2u);
    bank.book_it(bank.end(Operation::cancel_order, "d", first), Status::state);
    EXPECT_EQ(bank.last.movement.order.reason, OrderReason::cancelled);
    bank.book_it(bank.end(Operation::order_done, "e", first), Status::state);
    bank.book_it(bank.end(Operation::order_done, "f", second));
    EXPECT_EQ(bank.state(second), OrderState::done);
    bank.book_it(bank.end(Operation::cancel_order, "g", second), Status::state);
    EXPECT_EQ(bank.last.movement.order.reason, OrderReason::done);
    bank.book_it(bank.end(Operation::order_done, "h", 999), Status::state);
    EXPECT_EQ(bank.last.movement.order.reason, OrderReason::unknown);
    EXPECT_EQ(test_balance(bank.book(), "alice"), 10000 - 450);
    EXPECT_EQ(ledger_sum(bank.ledger()), 0);
    expect_same(bank);
}

TEST(Orders, SaysWhyAnOrderIsRefused) {
    OrderBank bank;
    struct {
        const char* item;
        uint32_t quantity;
        Status status;
        OrderReason reason;
        int64_t number;
    } rows[] = {{"beer", 1, Status::state, OrderReason::no_item, 0},
                {"mate", 6, Status::state, OrderReason::stock, 5},
                {"coffee", 101, Status::funds, OrderReason::none, 0}};
    for (const auto& row : rows) {
        bank.book_it(bank.order(std::string("r-") + row.item, row.item, row.quantity), row.status);
        EXPECT_EQ(bank.last.movement.order.reason, row.reason) << row.item;
        EXPECT_EQ(bank.last.movement.order.number, row.number) << row.item;
    }
    ASSERT_EQ(test_set_item(bank.book(), "mate", 150, 5, "Club Mate", false), Status::ok);
    bank.book_it(bank.order("gone", "mate"), Status::state);
    EXPECT_EQ(bank.last.movement.order.reason, OrderReason::not_sold);
    TestMove nobody = bank.order("nobody", "coffee");
    nobody.debit = "carol";
    bank.book_it(nobody, Status::noacct);
    EXPECT_EQ(test_balance(bank.book(), "alice"), 10000);
    expect_same(bank);
}

// What costs more than one movement can be is neither booked nor remembered.
TEST(Orders, PriceTimesQuantityDoesNotOverflow) {
    OrderBank bank;
    ASSERT_EQ(test_set_item(bank.book(), "yacht", amount_minor_max), Status::ok);
    ASSERT_EQ(test_set_item(bank.book(), "boat", amount_minor_max / 3 + 1), Status::ok);
    bank.disk.commit(bank.book());
    EXPECT_EQ(test_move(bank.book(), bank.order("a", "yacht", 2)), Status::amount);
    EXPECT_EQ(test_move(bank.book(), bank.order("b", "yacht", quantity_max)), Status::amount);
    EXPECT_EQ(test_move(bank.book(), bank.order("c", "boat", 3)), Status::amount);
    bank.book_it(bank.order("d", "yacht", 1), Status::funds);
    bank.book_it(bank.order("e", "boat", 2), Status::funds);
    expect_same(bank);
}

// B3: what does not fit into a stock any more is not there.
TEST(Orders, StockStaysWithinItsBounds) {
    OrderBank bank;
    const uint64_t counted = bank.book_it(bank.order("o", "mate", 5));
    const uint64_t free_of_count = bank.book_it(bank.order("p", "coffee", 3));
    bank.book_it(bank.order("q", "mate"), Status::state);
    EXPECT_EQ(bank.last.movement.order.number, 0);
    ASSERT_EQ(test_set_item(bank.book(), "mate", 150, stock_max - 2), Status::ok);
    ASSERT_EQ(test_set_item(bank.book(), "coffee", 100, 0), Status::ok);
    bank.disk.commit(bank.book());
    bank.book_it(bank.end(Operation::cancel_order, "c", counted));
    EXPECT_EQ(bank.item("mate").installed.stock, stock_max);
    bank.book_it(bank.end(Operation::cancel_order, "d", free_of_count));
    EXPECT_EQ(bank.item("coffee").installed.stock, 3u);
    expect_same(bank);
}

// P3: the same id with other content is refused by the name of the field.
TEST(Orders, NamesTheFieldThatDiffers) {
    OrderBank bank;
    TestMove first = bank.order("o", "mate", 2);
    first.price_asked = 150;
    const uint64_t number = bank.book_it(first);
    bank.book_it(bank.end(Operation::cancel_order, "c", number));
    std::string field;
    IdRecord answer = {};
    EXPECT_EQ(test_move(bank.book(), first, &answer, &field), Status::replayed);
    EXPECT_EQ(answer.order, number);
    struct {
        const char* field;
        TestMove move;
    } rows[] = {{"item", first}, {"quantity", first}, {"price", first}, {"from", first},
                {"command", first}};
    rows[0].move.item = "coffee";
    rows[1].move.quantity = 3;
    rows[2].move.price_asked = 0;
    rows[3].move.debit = "bob";
    rows[4].move = {.operation = Operation::transfer, .debit = "alice", .credit = "shop",
                    .amount = 300, .id = "o", .person = "alice"};
    for (const auto& row : rows) {
        EXPECT_EQ(test_move(bank.book(), row.move, nullptr, &field), Status::exists) << row.field;
        EXPECT_EQ(field, row.field);
    }
    EXPECT_EQ(test_move(bank.book(), bank.end(Operation::cancel_order, "c", number + 1), nullptr,
                        &field),
              Status::exists);
    EXPECT_EQ(field, "order");
    // An item that there was not is known by its name, even when there is one by now.
    bank.book_it(bank.order("n", "beer"), Status::state);
    ASSERT_EQ(test_set_item(bank.book(), "beer", 200), Status::ok);
    bank.disk.commit(bank.book());
    EXPECT_EQ(test_move(bank.book(), bank.order("n", "beer"), nullptr, &field), Status::replayed);
    EXPECT_EQ(test_move(bank.book(), bank.order("n", "mate"), nullptr, &field), Status::exists);
    EXPECT_EQ(field, "item");
}

TEST(Orders, TheOldestClosedOneIsPushedOut) {
    LedgerLimits limits = test_limits;
    limits.orders = 3;
    OrderBank bank(limits);
    const uint64_t a = bank.book_it(bank.order("a", "coffee"));
    const uint64_t b = bank.book_it(bank.order("b", "coffee"));
    const uint64_t c = bank.book_it(bank.order("c", "coffee"));
    EXPECT_EQ(test_move(bank.book(), bank.order("d", "coffee")), Status::oom);
    bank.book_it(bank.end(Operation::order_done, "c-done", c));
    bank.book_it(bank.end(Operation::cancel_order, "b-gone", b));
    const uint64_t e = bank.book_it(bank.order("e", "coffee"));
    EXPECT_EQ(bank.last.movement.order.evicted, b);
    EXPECT_EQ(bank.state(b), OrderState::none);
    const uint64_t f = bank.book_it(bank.order("f", "coffee"));
    EXPECT_EQ(bank.last.movement.order.evicted, c);
    EXPECT_EQ(test_move(bank.book(), bank.order("g", "coffee")), Status::oom);
    EXPECT_EQ(bank.state(a), OrderState::open);
    EXPECT_EQ(bank.state(e), OrderState::open);
    EXPECT_EQ(bank.state(f), OrderState::open);
    bank.book_it(bank.end(Operation::cancel_order, "late", b), Status::state);
    EXPECT_EQ(bank.last.movement.order.reason, OrderReason::unknown);
    // The bound is no part of the state.
    expect_same(bank, limits);
    expect_same(bank, test_limits);
    LedgerLimits fewer = limits;
    fewer.orders = 2;
    TestBook small(fewer);
    EXPECT_EQ(bank.disk.replay(small.book, bank.disk.batches.size()), Status::full);
    TestBook smaller(fewer);
    EXPECT_EQ(test_load(smaller.book, test_tables(bank.book())), Status::full);
}

// An order may be made, closed and pushed out before any of it is durable.
TEST(Orders, AreDecidedAheadOfTheJournal) {
    LedgerLimits limits = test_limits;
    limits.orders = 1;
    OrderBank bank(limits);
    uint64_t number = bank.book().log.entry_proposed;
    for (uint32_t i = 0; i < 40; i++) {
        TestMove move = bank.order("o" + std::to_string(i), "coffee");
        move.terminal.clear();
        ASSERT_EQ(test_move(bank.book(), move), Status::ok) << i;
        number++;
        TestMove end = bank.end(i % 2 == 0 ? Operation::order_done : Operation::cancel_order,
                                "e" + std::to_string(i), number);
        end.terminal.clear();
        ASSERT_EQ(test_move(bank.book(), end), Status::ok) << i;
        number++;
    }
    bank.disk.commit(bank.book());
    EXPECT_EQ(bank.ledger().orders.pool.taken, 1u);
    EXPECT_EQ(test_balance(bank.book(), "alice"), 10000 - 20 * 100);
    expect_same(bank, limits);
}

// Slots of orders that are pushed out come back with the commit, so nothing waits for ever.
TEST(Orders, WaitForACommitWhenEverySlotIsInFlight) {
    LedgerLimits limits = test_limits;
    limits.orders = 1;
    OrderBank bank(limits);
    uint64_t number = bank.book().log.entry_proposed;
    Status status = Status::ok;
    uint32_t made = 0;
    for (; made < 2 * orders_slack && status == Status::ok; made++) {
        TestMove move = bank.order("o" + std::to_string(made), "coffee");
        move.terminal.clear();
        move.debit = made % 2 == 0 ? "alice" : "bob";
        status = test_move(bank.book(), move);
        if (status != Status::ok) break;
        TestMove end = bank.end(Operation::cancel_order, "e" + std::to_string(made), ++number);
        end.terminal.clear();
        ASSERT_EQ(test_move(bank.book(), end), Status::ok);
        number++;
    }
    EXPECT_EQ(status, Status::pending);
    EXPECT_EQ(made, limits.orders + orders_slack);
    bank.disk.commit(bank.book());
    bank.book_it(bank.order("at-last", "coffee"));
}

TEST(Orders, AFailedBatchTakesEverythingBack) {
    LedgerLimits limits = test_limits;
    limits.orders = 2;
    OrderBank bank(limits);
    const uint64_t a = bank.book_it(bank.order("a", "mate"));
    bank.book_it(bank.order("b", "mate"));
    bank.book_it(bank.end(Operation::order_done, "a-done", a));
    const TestTables before = test_tables(bank.book());
    ASSERT_EQ(test_move(bank.book(), bank.order("c", "mate", 2)), Status::ok);  // Pushes `a` out.
    ASSERT_EQ(test_set_item(bank.book(), "beer", 200), Status::ok);
    ASSERT_EQ(test_set_item(bank.book(), "mate", 999, 77), Status::ok);
    ledger_drop(bank.ledger());
    EXPECT_EQ(bank.ledger().orders.count_decided, 2u);
    EXPECT_EQ(bank.ledger().orders.pool.taken, 2u);
    EXPECT_EQ(bank.item("mate").decided.stock, 3u);
    EXPECT_EQ(bank.item("mate").decided.price, 150);
    EXPECT_EQ(ledger_find_item(bank.ledger(), test_name("beer")), row_none);
    EXPECT_EQ(bank.state(a), OrderState::done);
    EXPECT_EQ(bank.ledger().orders.pool.slots[orders_find(bank.ledger().orders, a)].decided,
              OrderState::done);
}

// M5: what a refused group would have done to stock and orders is taken back.
TEST(Orders, AGroupIsBookedAsAWholeOrNotAtAll) {
    LedgerLimits limits = test_limits;
    limits.orders = 2;
    OrderBank bank(limits);
    const uint64_t a = bank.book_it(bank.order("a", "coffee"));
    bank.book_it(bank.end(Operation::order_done, "a-done", a));
    const auto whole = [&](uint32_t second) {
        return std::vector<TestMove>{bank.order("g1-" + std::to_string(second), "mate", 3),
                                     bank.order("g2-" + std::to_string(second), "mate", second)};
    };
    ASSERT_EQ(test_group(bank.book(), whole(3)), Status::ok);
    const std::vector<BookDone> done = bank.disk.commit(bank.book());
    ASSERT_EQ(done.size(), 2u);
    EXPECT_EQ(done[0].entry.status, Status::execabort);
    EXPECT_EQ(done[1].entry.status, Status::state);
    EXPECT_EQ(done[1].entry.movement.order.reason, OrderReason::stock);
    EXPECT_EQ(done[1].entry.movement.order.number, 2);  // Behind the first one.
    EXPECT_EQ(bank.item("mate").decided.stock, 5u);
    EXPECT_EQ(bank.ledger().orders.count_decided, 1u);
    EXPECT_EQ(bank.state(a), OrderState::done);
    ASSERT_EQ(test_group(bank.book(), whole(2)), Status::ok);
    bank.disk.commit(bank.book());
    EXPECT_EQ(bank.item("mate").installed.stock, 0u);
    EXPECT_EQ(bank.state(a), OrderState::none);  // The second one pushed it out.
    EXPECT_EQ(test_group(bank.book(), {bank.order("h1", "coffee"), bank.order("h2", "coffee")}),
              Status::oom);
    EXPECT_EQ(bank.ledger().orders.count_decided, 2u);
    expect_same(bank, limits);
}

TEST(Orders, AGroupMayEndWhatItFoundOpenOnlyOnce) {
    OrderBank bank;
    const uint64_t a = bank.book_it(bank.order("a", "mate", 4));
    TestMove first = bank.end(Operation::cancel_order, "x", a);
    TestMove second = bank.end(Operation::order_done, "y", a);
    ASSERT_EQ(test_group(bank.book(), {first, second}), Status::ok);
    std::vector<BookDone> done = bank.disk.commit(bank.book());
    EXPECT_EQ(done[1].entry.status, Status::state);
    EXPECT_EQ(done[1].entry.movement.order.reason, OrderReason::cancelled);
    EXPECT_EQ(bank.state(a), OrderState::open);
    EXPECT_EQ(bank.item("mate").decided.stock, 1u);
    // Others of a refused group may have been refused alone, too.
    TestMove nothing = bank.order("n", "beer");
    nothing.person = "bob";
    first.id = "x2";
    second.id = "y2";
    ASSERT_EQ(test_group(bank.book(), {first, second, nothing}), Status::ok);
    done = bank.disk.commit(bank.book());
    EXPECT_EQ(done[2].entry.status, Status::execabort);
    second.id = "z";
    second.operation = Operation::order_done;
    ASSERT_EQ(test_group(bank.book(), {second}), Status::ok);
    bank.disk.commit(bank.book());
    EXPECT_EQ(bank.state(a), OrderState::done);
    expect_same(bank);
}

// A snapshot shows what was there when it began, whatever is booked meanwhile.
TEST(Orders, ASnapshotShowsTheMomentItBegan) {
    LedgerLimits limits = test_limits;
    limits.orders = 2;
    OrderBank bank(limits);
    const uint64_t a = bank.book_it(bank.order("a", "mate"));
    bank.book_it(bank.order("b", "beer"), Status::state);
    bank.book_it(bank.order("c", "mate"));
    bank.book_it(bank.end(Operation::order_done, "a-done", a));
    const TestTables before = test_tables(bank.book());
    book_snapshot_begin(bank.book());
    bank.book_it(bank.order("d", "coffee"));
    ASSERT_EQ(test_set_item(bank.book(), "mate", 777), Status::ok);
    ASSERT_EQ(test_set_item(bank.book(), "beer", 333), Status::ok);
    bank.disk.commit(bank.book());
    const TestTables shown = test_tables_of(bank.book().snapshot, bank.ledger());
    EXPECT_EQ(shown.tables, before.tables);
    EXPECT_EQ(shown.tables[static_cast<uint32_t>(TableName::items)],
              "mate:Club%20Mate:1.50:3:listed\ncoffee::1.00:-:listed\n");
    const std::string& ordered = shown.tables[static_cast<uint32_t>(TableName::ordered)];
    EXPECT_NE(ordered.find(":-:1:0.00:0:no-item:0\n"), std::string::npos) << ordered;
}

// E3, T4: a book without items and orders is written as before there were any.
TEST(Orders, ABookWithoutThemHasTheOldVersions) {
    TestBook one;
    test_create(one.book);
    ASSERT_EQ(test_add(one.book, "alice"), Status::ok);
    test_commit(one.book);
    EXPECT_EQ(test_tables(one.book).manifest.rfind("pennybank-checkpoint 1\n", 0), 0u);
    // One refused order is enough.
    ASSERT_EQ(test_move(one.book, {.operation = Operation::order, .debit = "alice", .id = "x",
                                   .person = "alice", .item = "beer"}),
              Status::ok);
    test_commit(one.book);
    const TestTables tables = test_tables(one.book);
    EXPECT_EQ(tables.manifest.rfind("pennybank-checkpoint 3\n", 0), 0u);
    TestBook loaded;
    EXPECT_EQ(test_load(loaded.book, tables), Status::ok);
    TestTables without = tables;
    without.tables[static_cast<uint32_t>(TableName::ordered)].clear();
    TestBook damaged;
    EXPECT_NE(test_load(damaged.book, without), Status::ok);
}

TEST(Orders, ItemsKeepTheirRowAndTheirName) {
    OrderBank bank;
    EXPECT_EQ(test_set_item(bank.book(), "shop", 100), Status::err);
    for (int i = 0; i < 6; i++) {
        EXPECT_EQ(test_set_item(bank.book(), "item" + std::to_string(i), 100), Status::ok);
    }
    EXPECT_EQ(test_set_item(bank.book(), "one-more", 100), Status::oom);
    EXPECT_EQ(test_set_item(bank.book(), "mate", 150, 5, "Club Mate", false), Status::ok);
    bank.disk.commit(bank.book());
    EXPECT_FALSE(bank.item("mate").installed.listed);
    EXPECT_EQ(test_set_item(bank.book(), "mate", 200, 5, "Club Mate"), Status::ok);
    bank.disk.commit(bank.book());
    EXPECT_EQ(ledger_find_item(bank.ledger(), test_name("mate")), 0u);
    EXPECT_EQ(bank.item("mate").installed.price, 200);
    expect_same(bank);
    LedgerLimits fewer = test_limits;
    fewer.items = 7;
    TestBook small(fewer);
    EXPECT_EQ(bank.disk.replay(small.book, bank.disk.batches.size()), Status::full);
}

// M4. The table of orders keeps the terminal, and names it in checkpoints.
TEST(Orders, OfATerminalThatTheBookDoesNotKnowAreDamage) {
    OrderBank bank;
    bank.book_it(bank.order("o", "mate", 1));
    Ledger& ledger = bank.ledger();
    Entry forged = bank.last;
    MovementEntry& movement = forged.movement;
    forged.seq = ledger.seq_installed + 1;
    movement.id.text[0] = 'p';
    movement.day = 0;
    movement.day_total = movement.day_max = 0;
    movement.debit_after -= movement.amount;
    movement.credit_after += movement.amount;
    movement.debit_previous = ledger.accounts[movement.debit].installed.last;
    movement.credit_previous = ledger.accounts[movement.credit].installed.last;
    movement.asker_previous = ledger.asked[forged.person].installed.last;
    const Position position = movement.debit_previous + 512;
    forged.terminal = ledger.terminals_installed;
    EXPECT_EQ(ledger_install(ledger, forged, position, InstallMode::replay), Status::damaged);
    forged.terminal = row_none;
    EXPECT_EQ(ledger_install(ledger, forged, position, InstallMode::replay), Status::ok);
}
