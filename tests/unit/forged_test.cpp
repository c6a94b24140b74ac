// Entries and tables that hash well and were never written by a ledger: each was once believed.
#include <gtest/gtest.h>
#include <string.h>

#include "unit/test_bank.h"

namespace {

Entry blank(EntryKind kind, uint64_t seq) {
    Entry entry;
    memset(static_cast<void*>(&entry), 0, sizeof entry);
    entry.kind = kind;
    entry.person = entry.terminal = row_none;
    entry.seq = seq;
    return entry;
}

Status replay(Ledger& ledger, const Entry& entry) {
    return ledger_install(ledger, entry, position_of(1, 9000), InstallMode::replay);
}

// An empty ledger that knows its bank.
struct TestForged {
    TestForged() { book_init(bank.book, id); }
    Ledger& ledger() { return bank.book.ledger; }
    Entry genesis() const {
        Entry entry = blank(EntryKind::genesis, 1);
        entry.genesis.currency_size = 3;
        memcpy(entry.genesis.currency, "EUR", 3);
        return entry;
    }
    Entry limits() const {
        Entry entry = blank(EntryKind::limits, 2);
        entry.limits = {.accounts = 8, .ids = 8, .terminals = 8, .holds = 0, .reversible = 64};
        return entry;
    }
    Entry account(uint64_t seq, uint32_t row, const char* name) const {
        Entry entry = blank(EntryKind::account, seq);
        entry.account.account = row;
        entry.account.operation = AccountOperation::open;
        entry.account.owner = row_none;
        entry.account.floor = -balance_minor_max;
        entry.account.ceiling = balance_minor_max;
        entry.account.name = test_name(name);
        return entry;
    }
    uint8_t id[bank_id_size] = {};
    TestBook bank;
};

}  // namespace

TEST(Forged, ABookBeginsWithGenesisLimitsCashAndShop) {
    TestForged one;
    Entry early = one.limits();
    early.seq = 1;
    EXPECT_EQ(replay(one.ledger(), early), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), one.genesis()), Status::ok);
    EXPECT_EQ(replay(one.ledger(), one.account(2, 0, "cash")), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), one.limits()), Status::ok);
    Entry person = blank(EntryKind::person, 3);
    person.row_person.operation = PersonOperation::added;
    person.row_person.name = test_name("alice");
    EXPECT_EQ(replay(one.ledger(), person), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), one.account(3, 0, "shop")), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), one.account(3, 0, "cash")), Status::ok);
    EXPECT_EQ(replay(one.ledger(), one.account(4, 1, "till")), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), one.account(4, 1, "shop")), Status::ok);
    Entry again = one.genesis();
    again.seq = 5;
    EXPECT_EQ(replay(one.ledger(), again), Status::damaged);
}

TEST(Forged, AnIdIsNotInstalledTwice) {
    TestBook one;
    test_create(one.book);
    test_commit(one.book);
    Entry entry = blank(EntryKind::movement, one.book.ledger.seq_installed + 1);
    entry.movement = {.debit = 0,
                      .credit = 1,
                      .amount = 5,
                      .debit_after = -5,
                      .credit_after = 5,
                      .debit_previous = 0,
                      .credit_previous = 0,
                      .operation = Operation::transfer,
                      .id = {1, "a"},
                      .memo = {},
                      .missing = {}};
    ASSERT_EQ(replay(one.book.ledger, entry), Status::ok);
    entry.seq++;
    entry.movement.debit_after = -10;
    entry.movement.credit_after = 10;
    entry.movement.debit_previous = entry.movement.credit_previous = position_of(1, 9000);
    EXPECT_EQ(replay(one.book.ledger, entry), Status::damaged);
    EXPECT_EQ(test_balance(one.book, "shop"), 5);
    entry.movement.id.text[0] = 'b';
    EXPECT_EQ(replay(one.book.ledger, entry), Status::ok);
}

TEST(Forged, ARefusalSaysTheBalancesThatThereAre) {
    TestBook one;
    test_create(one.book);
    test_commit(one.book);
    Entry entry = blank(EntryKind::movement, one.book.ledger.seq_installed + 1);
    entry.status = Status::noacct;
    entry.movement.debit = 0;
    entry.movement.credit = row_none;
    entry.movement.amount = 5;
    entry.movement.operation = Operation::transfer;
    entry.movement.id = {1, "a"};
    entry.movement.debit_after = INT64_MIN;
    EXPECT_EQ(replay(one.book.ledger, entry), Status::damaged);
    entry.movement.debit_after = 0;
    entry.movement.credit_after = 1;
    EXPECT_EQ(replay(one.book.ledger, entry), Status::damaged);
    entry.movement.credit_after = 0;
    EXPECT_EQ(replay(one.book.ledger, entry), Status::ok);
}

TEST(Forged, ACurrencyIsLetters) {
    TestForged one;
    for (const char* currency : {"E R", "EU\n", "eur", "E:R"}) {
        Entry entry = one.genesis();
        memcpy(entry.genesis.currency, currency, 3);
        uint8_t bytes[entry_size_max];
        Writer writer = writer_of(bytes, sizeof bytes);
        entry_encode(entry, writer);
        EXPECT_EQ(entry_decode(writer_slice(writer), entry), Status::damaged) << currency;
    }
    EXPECT_TRUE(currency_is_valid(slice_of("EUR")));
    EXPECT_FALSE(currency_is_valid(slice_of("")));
    EXPECT_FALSE(currency_is_valid(slice_of("ABCDEFGHI")));
}

TEST(Forged, ABoundAtTheOtherEndComesBackAsItWas) {
    TestForged one;
    ASSERT_EQ(replay(one.ledger(), one.genesis()), Status::ok);
    ASSERT_EQ(replay(one.ledger(), one.limits()), Status::ok);
    Entry cash = one.account(3, 0, "cash");
    cash.account.floor = balance_minor_max;
    Entry shop = one.account(4, 1, "shop");
    shop.account.ceiling = -balance_minor_max;
    ASSERT_EQ(replay(one.ledger(), cash), Status::ok);
    ASSERT_EQ(replay(one.ledger(), shop), Status::ok);
    Snapshot snapshot = {};
    snapshot_begin(snapshot, one.ledger(), {.entry = 4, .batch = 1, .time_ms = 0, .end = 0,
                                            .salt = 0, .chain = {}});
    const TestTables text = test_tables_of(snapshot, one.ledger());
    TestBook other;
    Manifest manifest;
    ASSERT_EQ(manifest_parse(slice_of(text.manifest), manifest), Status::ok);
    tables_begin(other.book.ledger, manifest);
    const std::string& rows = text.tables[static_cast<uint32_t>(TableName::balance)];
    const size_t end = rows.find('\n');
    const std::string lines[] = {rows.substr(0, end),
                                 rows.substr(end + 1, rows.size() - end - 2)};
    for (const std::string& line : lines) {
        ASSERT_EQ(tables_load(other.book.ledger, TableName::balance, slice_of(line)), Status::ok);
    }
    EXPECT_EQ(other.book.ledger.accounts[0].installed.floor, balance_minor_max);
    EXPECT_EQ(other.book.ledger.accounts[1].installed.ceiling, -balance_minor_max);
}

TEST(Forged, IdsOfACheckpointAreInOrderAndNotFromLater) {
    TestBook one;
    Manifest manifest = {};
    manifest.version = 1;
    manifest.scale = 2;
    manifest.mark.entry = 9;
    manifest.reversible_from = 1;
    manifest.limits = {.accounts = 8, .ids = 8, .terminals = 8, .holds = 0, .reversible = 64};
    const std::string memo(32, '0');
    const auto row = [&](const std::string& seq, const std::string& id, const std::string& amount) {
        const std::string line = seq + ":0:-:deposit:OK:" + id + ":cash:shop:-:" + amount +
                                 ":0.00:" + memo + ":0:0:-:0:0/0";
        return tables_load(one.book.ledger, TableName::ids, slice_of(line));
    };
    tables_begin(one.book.ledger, manifest);
    for (const char* name : {"cash", "shop"}) {
        const std::string line = std::string(name) + ":0.00:0.00:-:-:-:open:0.0";
        ASSERT_EQ(tables_load(one.book.ledger, TableName::balance, slice_of(line)), Status::ok);
    }
    EXPECT_EQ(row("0", "a", "1.00"), Status::damaged);
    EXPECT_EQ(row("8", "a", "-1.00"), Status::damaged);
    EXPECT_EQ(row("8", "a", "1.00"), Status::ok);
    EXPECT_EQ(row("8", "b", "1.00"), Status::damaged);
    EXPECT_EQ(row("9", "b", "1.00"), Status::ok);
    EXPECT_EQ(tables_end(one.book.ledger, manifest), Status::ok);
    EXPECT_EQ(row("10", "c", "1.00"), Status::ok);
    EXPECT_EQ(tables_end(one.book.ledger, manifest), Status::damaged);
}

namespace {

// A book with two people and some money, and the entries that could follow it.
struct TestForgedMoves {
    TestForgedMoves() {
        test_create(bank.book);
        for (const char* name : {"alice", "bob"}) {
            EXPECT_EQ(test_add(bank.book, name), Status::ok);
        }
        EXPECT_EQ(test_move(bank.book, {.operation = Operation::deposit,
                                        .debit = "cash",
                                        .credit = "alice",
                                        .amount = 100,
                                        .id = "opening",
                                        .person = "alice"}),
                  Status::ok);
        test_commit(bank.book);
    }
    Ledger& ledger() { return bank.book.ledger; }
    // The next entry: alice pays bob 5, or is refused.
    Entry next(const char* id, Status status = Status::ok, uint32_t place = 0, uint32_t size = 0) {
        Entry entry = blank(EntryKind::movement, ledger().seq_installed + 1);
        entry.status = status;
        entry.person = 0;
        entry.time_ms = 1000;
        MovementEntry& movement = entry.movement;
        movement.operation = Operation::transfer;
        movement.debit = ledger_find_account(ledger(), test_name("alice"));
        movement.credit = ledger_find_account(ledger(), test_name("bob"));
        movement.amount = 5;
        movement.id.size = static_cast<uint8_t>(strlen(id));
        memcpy(movement.id.text, id, movement.id.size);
        movement.group_place = static_cast<uint8_t>(place);
        movement.group_size = static_cast<uint8_t>(size);
        movement.asker_previous = ledger().asked[0].installed.last;
        const AccountValues& debit = ledger().accounts[movement.debit].installed;
        const AccountValues& credit = ledger().accounts[movement.credit].installed;
        const int64_t amount = status == Status::ok ? 5 : 0;
        movement.debit_after = debit.balance - amount;
        movement.credit_after = credit.balance + amount;
        if (status == Status::ok) movement.debit_previous = debit.last;
        if (status == Status::ok) movement.credit_previous = credit.last;
        return entry;
    }
    TestBook bank;
};

}  // namespace

// Q2: a chain of requests that skips one would make an id of it new again.
TEST(Forged, ARequestNamesTheOneBeforeItOfItsPerson) {
    TestForgedMoves one;
    Entry entry = one.next("a");
    for (const Position wrong : {Position{0}, entry.movement.asker_previous + 1}) {
        Entry other = entry;
        other.movement.asker_previous = wrong;
        EXPECT_EQ(replay(one.ledger(), other), Status::damaged);
    }
    Entry of_bob = entry;
    of_bob.person = 1;
    EXPECT_EQ(replay(one.ledger(), of_bob), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), entry), Status::ok);
    EXPECT_EQ(one.ledger().asked[0].installed.count, 2u);
    EXPECT_EQ(one.ledger().asked[1].installed.count, 0u);
}

// M5, and that what does not fit changes nothing.
TEST(Forged, AGroupIsInOnePieceByOnePersonAndBookedOrRefusedAsAWhole) {
    TestForgedMoves one;
    const auto refuses = [&](const Entry& entry) {
        const GroupInstall before = one.ledger().group;
        const uint64_t seq = one.ledger().seq_installed;
        EXPECT_EQ(replay(one.ledger(), entry), Status::damaged);
        EXPECT_EQ(one.ledger().seq_installed, seq);
        EXPECT_EQ(one.ledger().group.size, before.size);
        EXPECT_EQ(one.ledger().group.place, before.place);
        EXPECT_EQ(one.ledger().group.culprits, before.culprits);
    };
    refuses(one.next("a", Status::ok, 2, 2));
    EXPECT_EQ(replay(one.ledger(), one.next("a", Status::ok, 1, 3)), Status::ok);
    refuses(one.next("b", Status::ok, 1, 3));
    refuses(one.next("b", Status::ok, 3, 3));
    refuses(one.next("b", Status::ok, 2, 2));
    refuses(one.next("b", Status::funds, 2, 3));
    refuses(one.next("b", Status::execabort, 2, 3));
    refuses(one.next("b"));
    Entry of_bob = one.next("b", Status::ok, 2, 3);
    of_bob.person = 1;
    of_bob.movement.asker_previous = 0;
    refuses(of_bob);
    Entry terminal = blank(EntryKind::terminal, one.ledger().seq_installed + 1);
    terminal.row_terminal.name = test_name("door");
    refuses(terminal);
    EXPECT_EQ(replay(one.ledger(), one.next("b", Status::ok, 2, 3)), Status::ok);
    EXPECT_EQ(replay(one.ledger(), one.next("c", Status::ok, 3, 3)), Status::ok);
    EXPECT_EQ(one.ledger().group.size, 0);

    // Refused: exactly one says why.
    EXPECT_EQ(replay(one.ledger(), one.next("d", Status::execabort, 1, 2)), Status::ok);
    refuses(one.next("e", Status::execabort, 2, 2));
    EXPECT_EQ(replay(one.ledger(), one.next("e", Status::funds, 2, 2)), Status::ok);
    EXPECT_EQ(replay(one.ledger(), one.next("f", Status::funds, 1, 2)), Status::ok);
    refuses(one.next("g", Status::funds, 2, 2));
    EXPECT_EQ(replay(one.ledger(), one.next("g", Status::execabort, 2, 2)), Status::ok);
    refuses(one.next("h", Status::execabort, 1, 1));
    EXPECT_EQ(replay(one.ledger(), one.next("h", Status::funds, 1, 1)), Status::ok);
}

TEST(Forged, AReversalIsOfAnOlderEntryThatWasNotReversed) {
    TestForgedMoves one;
    const uint64_t first = one.ledger().seq_installed;
    const auto reversal = [&](const char* id, uint64_t reversed) {
        Entry entry = one.next(id);
        entry.movement.operation = Operation::reverse;
        entry.movement.whole = true;
        entry.movement.reversed = reversed;
        return entry;
    };
    EXPECT_EQ(replay(one.ledger(), reversal("a", first + 1)), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), reversal("a", UINT64_MAX)), Status::damaged);
    EXPECT_EQ(replay(one.ledger(), reversal("a", first)), Status::ok);
    EXPECT_EQ(replay(one.ledger(), reversal("b", first)), Status::damaged);
    EXPECT_EQ(one.ledger().seq_installed, first + 1);
    EXPECT_EQ(replay(one.ledger(), reversal("b", first - 1)), Status::ok);
}

// Rows of the new tables that were never written.
TEST(Forged, RowsOfRequestsAndReversalsSayWhatCanBe) {
    TestBook one;
    Manifest manifest = {};
    manifest.scale = 2;
    manifest.mark.entry = 90;
    manifest.reversible_from = 21;
    manifest.limits = {.accounts = 8, .ids = 8, .terminals = 8, .holds = 0, .reversible = 64};
    Ledger& ledger = one.book.ledger;
    const auto load = [&](TableName table, const std::string& line) {
        return tables_load(ledger, table, slice_of(line));
    };
    const auto begin = [&] {
        tables_begin(ledger, manifest);
        ASSERT_EQ(load(TableName::passwd, "alice:customer:active:x"), Status::ok);
    };
    const char* const wrong[] = {
        "alice:1:0.0:5:00ff",         // a request that stands nowhere
        "alice:0:1.500:0:",           // one that nobody made
        "alice:0:0.0:5:",             // at a time
        "alice:91:1.500:5:00ff",      // more than entries, and prints missing
        "alice:1:1.500:5:00ff00",     // half a print more
        "alice:1:1.500:5:00FF",       // not as it is written
        "alice:1:1.500:5:00ff:",      // a column more
        "bob:0:0.0:0:",               // not the next person
    };
    for (const char* line : wrong) {
        begin();
        EXPECT_EQ(load(TableName::asked, line), Status::damaged) << line;
    }
    begin();
    std::string prints;
    for (uint32_t i = 0; i < asked_max; i++) prints += "0a1b";
    EXPECT_EQ(load(TableName::asked, "alice:91:1.500:5:" + prints), Status::damaged);
    EXPECT_EQ(load(TableName::asked, "alice:90:1.500:5:" + prints), Status::ok);
    EXPECT_EQ(load(TableName::asked, "alice:90:1.500:5:" + prints), Status::damaged);
    for (const char* line : {"20", "91", "0", "030", "x", "", "30:"}) {
        EXPECT_EQ(load(TableName::reversed, line), Status::damaged) << line;
    }
    EXPECT_EQ(load(TableName::reversed, "30"), Status::ok);
    EXPECT_EQ(load(TableName::reversed, "30"), Status::damaged);
    EXPECT_EQ(load(TableName::reversed, "29"), Status::damaged);
    EXPECT_EQ(load(TableName::reversed, "90"), Status::ok);
}
