// What is done to people: judged, journaled, installed, and the same after a replay and a checkpoint.
#include <gtest/gtest.h>
#include <string.h>

#include "unit/test_bank.h"

namespace {

constexpr char pin[] = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdA$cGlu";

// A book with two admins, a till and two customers.
struct TestPeople {
    TestPeople() {
        test_create(bank.book);
        EXPECT_EQ(test_add(bank.book, "admin", Role::admin), Status::ok);
        EXPECT_EQ(test_add(bank.book, "boss", Role::admin), Status::ok);
        EXPECT_EQ(test_add(bank.book, "till", Role::till), Status::ok);
        EXPECT_EQ(test_add(bank.book, "alice"), Status::ok);
        EXPECT_EQ(test_add(bank.book, "bob"), Status::ok);
        commit();
    }
    ~TestPeople() { disk.expect_same_again(bank.book); }
    Book& book() { return bank.book; }
    std::vector<BookDone> commit() { return disk.commit(bank.book); }
    const Person& row(const char* name) {
        return bank.book.ledger.people[ledger_find_person(bank.book.ledger, test_name(name))];
    }
    // Changes and commits.
    Status change(const TestChange& asked) {
        const Status status = test_change(bank.book, asked, &why);
        commit();
        return status;
    }
    Status pay(const char* from, const char* to, int64_t amount, const char* id) {
        return test_move(bank.book, {.operation = Operation::transfer, .debit = from, .credit = to,
                                     .amount = amount, .id = id});
    }
    TestBook bank;
    TestDisk disk;
    std::string why;
};

uint32_t version_of(const TestTables& text) {
    Manifest manifest;
    EXPECT_EQ(manifest_parse(slice_of(text.manifest), manifest), Status::ok);
    return manifest.version;
}

}  // namespace

TEST(People, EveryOperationIsInstalledAndComesBack) {
    TestPeople one;
    EXPECT_EQ(one.change({PersonOperation::role, "alice", Role::auditor}), Status::ok);
    EXPECT_EQ(one.row("alice").installed.role, Role::auditor);
    EXPECT_EQ(one.change({PersonOperation::lock, "alice"}), Status::ok);
    EXPECT_EQ(one.row("alice").installed.state, PersonState::locked);
    EXPECT_EQ(one.change({PersonOperation::unlock, "alice"}), Status::ok);
    EXPECT_EQ(one.row("alice").installed.state, PersonState::active);
    EXPECT_EQ(one.change({.operation = PersonOperation::title, .person = "alice",
                          .title = "Alice \xc3\x96l: 100 %"}), Status::ok);
    EXPECT_EQ(one.row("alice").texts.title.size, 16);
    EXPECT_EQ(one.change({.operation = PersonOperation::pin_set, .person = "alice", .record = pin}),
              Status::ok);
    EXPECT_EQ(one.row("alice").installed.pin, PinState::set);
    EXPECT_EQ(one.change({PersonOperation::pin_lock, "alice"}), Status::ok);
    EXPECT_EQ(one.row("alice").installed.pin, PinState::locked);
    EXPECT_EQ(one.change({PersonOperation::pin_unlock, "alice"}), Status::ok);
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "alice",
                          .record = "new"}), Status::ok);
    EXPECT_EQ(one.row("alice").texts.password.size, 3);
    EXPECT_EQ(one.row("alice").texts.pin.size, strlen(pin)) << "kept apart";
    one.disk.expect_same_again(one.book());
    EXPECT_EQ(one.change({PersonOperation::remove, "alice"}), Status::ok);
    const Person& alice = one.row("alice");
    EXPECT_EQ(alice.installed.state, PersonState::removed);
    EXPECT_EQ(alice.installed.pin, PinState::none);
    EXPECT_EQ(alice.texts.password.size + alice.texts.pin.size + alice.texts.title.size, 0);
    EXPECT_EQ(one.book().ledger.accounts[alice.account].installed.state, AccountState::closed);
}

// P10: what holds already is not written again.
TEST(People, WhatHoldsAlreadyIsAnsweredWithoutAnEntry) {
    TestPeople one;
    const TestChange changes[] = {
        {PersonOperation::role, "bob", Role::till},
        {PersonOperation::lock, "bob"},
        {PersonOperation::unlock, "bob"},
        {.operation = PersonOperation::title, .person = "bob", .title = "Bob"},
    };
    for (const TestChange& change : changes) {
        ASSERT_EQ(test_change(one.book(), change), Status::ok);
        EXPECT_EQ(test_change(one.book(), change), Status::pending) << "not durable yet";
        one.commit();
        const uint64_t entry = one.book().ledger.seq_installed;
        EXPECT_EQ(one.change(change), Status::replayed);
        EXPECT_EQ(one.book().ledger.seq_installed, entry);
    }
    EXPECT_EQ(one.change({PersonOperation::remove, "bob"}), Status::ok);
    EXPECT_EQ(one.change({PersonOperation::remove, "bob"}), Status::replayed);
}

TEST(People, OnlyWhatTakesALoginsRightsMovesTheVersion) {
    TestPeople one;
    const struct {
        TestChange change;
        bool moves;
    } rows[] = {
        {{PersonOperation::role, "bob", Role::till}, true},
        {{PersonOperation::lock, "bob"}, true},
        {{PersonOperation::unlock, "bob"}, false},
        {{.operation = PersonOperation::title, .person = "bob", .title = "x"}, false},
        {{.operation = PersonOperation::pin_set, .person = "bob", .record = pin}, false},
        {{PersonOperation::pin_lock, "bob"}, false},
        {{PersonOperation::pin_unlock, "bob"}, false},
        {{.operation = PersonOperation::password, .person = "bob", .record = "y"}, true},
        {{PersonOperation::remove, "bob"}, true},
    };
    for (const auto& row : rows) {
        const uint32_t before = one.row("bob").installed.version;
        ASSERT_EQ(one.change(row.change), Status::ok) << one.why;
        EXPECT_EQ(one.row("bob").installed.version, before + (row.moves ? 1 : 0));
        EXPECT_EQ(one.row("bob").decided.version, one.row("bob").installed.version);
    }
}

// M7.
TEST(People, TheLastActiveAdminStays) {
    TestPeople one;
    EXPECT_EQ(one.change({PersonOperation::lock, "boss"}), Status::ok);
    for (const TestChange& change : {TestChange{PersonOperation::role, "admin", Role::till},
                                     TestChange{PersonOperation::lock, "admin"},
                                     TestChange{PersonOperation::remove, "admin"}}) {
        EXPECT_EQ(one.change(change), Status::state);
        EXPECT_EQ(one.why, "the last active admin stays; make another one first");
    }
    EXPECT_EQ(one.change({PersonOperation::role, "admin", Role::admin}), Status::replayed);
    // As decided: of two that are there, one batch takes only one.
    EXPECT_EQ(one.change({PersonOperation::unlock, "boss"}), Status::ok);
    EXPECT_EQ(test_change(one.book(), {PersonOperation::lock, "boss"}), Status::ok);
    EXPECT_EQ(test_change(one.book(), {PersonOperation::lock, "admin"}), Status::state);
    one.commit();
    EXPECT_EQ(one.change({PersonOperation::role, "bob", Role::admin}), Status::ok);
    EXPECT_EQ(one.change({PersonOperation::remove, "admin"}), Status::ok);
    EXPECT_EQ(one.change({PersonOperation::role, "bob", Role::till}), Status::state);
    EXPECT_EQ(one.change({PersonOperation::remove, "boss"}), Status::ok) << "locked, so none";
}

TEST(People, WhoIsRemovedHasNoMoneyNoHoldsAndNoOtherAccount) {
    TestPeople one;
    const TestChange remove = {PersonOperation::remove, "alice"};
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit, .debit = "cash",
                                     .credit = "alice", .amount = 100, .id = "d"}), Status::ok);
    EXPECT_EQ(test_change(one.book(), remove, &one.why), Status::state) << "as decided";
    EXPECT_EQ(one.why, "the account still has money");
    one.commit();
    EXPECT_EQ(one.pay("alice", "bob", 100, "t"), Status::ok);
    one.commit();
    // Bob has reserved for alice, then it expires; alice has an account beside her own.
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::hold, .debit = "bob",
                                     .credit = "alice", .amount = 10, .id = "h", .expires_s = 60}),
              Status::ok);
    one.commit();
    EXPECT_EQ(one.change(remove), Status::state);
    EXPECT_EQ(one.why, "the account still has holds");
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::cancel, .id = "v", .hold = 1,
                                     .whole = true}), Status::ok);
    const uint32_t alice = ledger_find_person(one.book().ledger, test_name("alice"));
    EXPECT_EQ(book_open_account(one.book(), 1000, row_none, {}, test_name("fund"), alice,
                                book_tag_none), Status::ok);
    one.commit();
    EXPECT_EQ(one.change(remove), Status::state);
    EXPECT_EQ(one.why, "this person owns other accounts; close them first");
    const uint32_t fund = ledger_find_account(one.book().ledger, test_name("fund"));
    AccountValues values = one.book().ledger.accounts[fund].decided;
    values.state = AccountState::closed;
    EXPECT_EQ(book_set_account(one.book(), 1000, row_none, {}, fund, AccountOperation::close,
                               values, book_tag_none), Status::ok);
    one.commit();
    EXPECT_EQ(one.change(remove), Status::ok) << one.why;
    // The name is never given again, and nothing reaches the account.
    EXPECT_EQ(test_add(one.book(), "alice"), Status::exists);
    EXPECT_EQ(one.pay("bob", "alice", 1, "late"), Status::ok);
    EXPECT_EQ(one.commit().back().entry.status, Status::closed);
    for (const PersonOperation operation :
         {PersonOperation::role, PersonOperation::lock, PersonOperation::unlock,
          PersonOperation::title, PersonOperation::password, PersonOperation::pin_set}) {
        EXPECT_EQ(one.change({.operation = operation, .person = "alice", .role = Role::till,
                              .record = "x", .title = "x"}), Status::state);
        EXPECT_EQ(one.why, "this person was removed");
    }
}

TEST(People, RemovingReleasesAnExpiredHoldFirst) {
    TestPeople one;
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit, .debit = "cash",
                                     .credit = "bob", .amount = 100, .id = "d"}), Status::ok);
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::hold, .debit = "bob",
                                     .credit = "till", .amount = 100, .id = "h", .expires_s = 1}),
              Status::ok);
    one.commit();
    one.book().ledger.accounts[one.row("bob").account].decided.held += 0;
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::withdraw, .debit = "bob",
                                     .credit = "cash", .amount = 100, .id = "w",
                                     .wall_ms = 5000}), Status::ok);
    one.commit();
    EXPECT_EQ(one.change({.operation = PersonOperation::remove, .person = "bob",
                          .wall_ms = 5000}), Status::ok) << one.why;
}

TEST(People, APinIsLockedAndUnlockedOnlyWhereOneIsSet) {
    TestPeople one;
    EXPECT_EQ(one.change({PersonOperation::pin_lock, "bob"}), Status::state);
    EXPECT_EQ(one.why, "no PIN is set");
    EXPECT_EQ(one.change({PersonOperation::pin_unlock, "bob"}), Status::state);
    const TestChange set = {.operation = PersonOperation::pin_set, .person = "bob", .record = pin};
    EXPECT_EQ(one.change(set), Status::ok);
    EXPECT_EQ(one.change({PersonOperation::pin_unlock, "bob"}), Status::replayed);
    EXPECT_EQ(one.change({PersonOperation::pin_lock, "bob"}), Status::ok);
    EXPECT_EQ(one.change({PersonOperation::pin_lock, "bob"}), Status::replayed);
    EXPECT_EQ(one.change(set), Status::state) << "the password is no way around it";
    EXPECT_EQ(one.why, "the PIN is locked; a till or an admin unlocks it");
    EXPECT_EQ(one.change({PersonOperation::pin_unlock, "bob"}), Status::ok);
    EXPECT_EQ(one.change(set), Status::ok);
}

TEST(People, AVersionThatMovedIsRefused) {
    TestPeople one;
    const uint32_t bob = ledger_find_person(one.book().ledger, test_name("bob"));
    BookChange change = {};
    change.operation = PersonOperation::pin_set;
    change.person = bob;
    change.asked_by = row_none;
    change.version = one.row("bob").installed.version;
    change.record = {3, {'p', 'i', 'n'}};
    EXPECT_EQ(test_change(one.book(), {.operation = PersonOperation::password, .person = "bob",
                                       .record = "new"}), Status::ok);
    const char* why = nullptr;
    EXPECT_EQ(book_change_person(one.book(), 1000, change, book_tag_none, why), Status::state);
    EXPECT_STREQ(why, "the person was changed by somebody else meanwhile");
    one.commit();
    change.version = one.row("bob").installed.version;
    EXPECT_EQ(book_change_person(one.book(), 1000, change, book_tag_none, why), Status::ok);
    one.commit();
}

TEST(People, FallBackToWhatIsInstalledWhenABatchFails) {
    TestPeople one;
    EXPECT_EQ(one.change({.operation = PersonOperation::pin_set, .person = "bob", .record = pin}),
              Status::ok);
    const TestTables before = test_tables(one.book());
    for (const TestChange& change : {TestChange{PersonOperation::role, "bob", Role::till},
                                     TestChange{PersonOperation::pin_lock, "bob"},
                                     TestChange{.operation = PersonOperation::title,
                                                .person = "alice", .title = "A"},
                                     TestChange{PersonOperation::remove, "till"}}) {
        EXPECT_EQ(test_change(one.book(), change), Status::ok);
    }
    LogWrite write;
    ASSERT_TRUE(book_write_next(one.book(), write));
    book_write_done(one.book(), Status::failed);
    BookDone done;
    while (book_commit_next(one.book(), done)) EXPECT_FALSE(done.durable);
    const TestTables after = test_tables(one.book());
    EXPECT_EQ(after.tables, before.tables);
    for (uint32_t row = 0; row < one.book().ledger.people_installed; row++) {
        const Person& person = one.book().ledger.people[row];
        EXPECT_EQ(person.decided.state, person.installed.state);
        EXPECT_EQ(person.decided.role, person.installed.role);
        EXPECT_EQ(person.decided.pin, person.installed.pin);
        EXPECT_EQ(person.decided.version, person.installed.version);
        EXPECT_EQ(person.decided.changes, person.installed.changes);
    }
}

TEST(People, ASnapshotShowsThemAsTheyWere) {
    TestPeople one;
    EXPECT_EQ(one.change({.operation = PersonOperation::title, .person = "bob", .title = "Bob"}),
              Status::ok);
    const TestTables before = test_tables(one.book());
    book_snapshot_begin(one.book());
    EXPECT_EQ(one.change({.operation = PersonOperation::title, .person = "bob", .title = ""}),
              Status::ok);
    EXPECT_EQ(one.change({.operation = PersonOperation::pin_set, .person = "alice", .record = pin}),
              Status::ok);
    EXPECT_EQ(one.change({PersonOperation::remove, "till"}), Status::ok);
    const TestTables late = test_tables_of(one.book().snapshot, one.book().ledger);
    EXPECT_EQ(late.tables, before.tables);
    EXPECT_EQ(late.manifest, before.manifest);
}

// T4: a digest moves because of the book alone, never because of the program.
TEST(People, ACheckpointHasTheLowestVersionThatCanSayIt) {
    TestPeople one;
    EXPECT_EQ(version_of(test_tables(one.book())), 1u);
    EXPECT_EQ(test_tables(one.book()).manifest.find("table people"), std::string::npos);
    EXPECT_EQ(one.change({PersonOperation::role, "bob", Role::till}), Status::ok);
    EXPECT_EQ(version_of(test_tables(one.book())), 1u);
    EXPECT_EQ(one.change({.operation = PersonOperation::title, .person = "bob", .title = "B"}),
              Status::ok);
    EXPECT_EQ(version_of(test_tables(one.book())), 2u);
    EXPECT_NE(test_tables(one.book()).manifest.find("\ntable people 12 "), std::string::npos);
    EXPECT_EQ(one.change({.operation = PersonOperation::title, .person = "bob", .title = ""}),
              Status::ok);
    EXPECT_EQ(version_of(test_tables(one.book())), 1u);
    EXPECT_EQ(one.change({PersonOperation::remove, "bob"}), Status::ok);
    EXPECT_EQ(version_of(test_tables(one.book())), 2u);
}

// A first password comes with its person or by a change, and ends with the next change.
TEST(People, AFirstPasswordIsOneUntilItIsChanged) {
    TestPeople one;
    const TestChange first = {.operation = PersonOperation::password, .person = "bob",
                              .record = "new", .term = PasswordTerm::first};
    EXPECT_EQ(one.row("bob").installed.term, PasswordTerm::lasting);
    EXPECT_EQ(test_change(one.book(), first), Status::ok);
    EXPECT_EQ(one.row("bob").installed.term, PasswordTerm::lasting) << "as installed";
    EXPECT_EQ(one.row("bob").decided.term, PasswordTerm::first);
    one.commit();
    const TestChange others[] = {
        {PersonOperation::role, "bob", Role::till},
        {PersonOperation::lock, "bob"},
        {PersonOperation::unlock, "bob"},
        {.operation = PersonOperation::title, .person = "bob", .title = "B"},
        {.operation = PersonOperation::pin_set, .person = "bob", .record = pin},
        {PersonOperation::pin_lock, "bob"},
        {PersonOperation::pin_unlock, "bob"},
    };
    for (const TestChange& change : others) {
        ASSERT_EQ(one.change(change), Status::ok) << one.why;
        EXPECT_EQ(one.row("bob").installed.term, PasswordTerm::first);
        one.disk.expect_same_again(one.book());
    }
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "bob",
                          .record = "own"}), Status::ok);
    EXPECT_EQ(one.row("bob").installed.term, PasswordTerm::lasting);
    EXPECT_EQ(one.change(first), Status::ok);
    one.disk.expect_same_again(one.book());
    EXPECT_EQ(one.change({PersonOperation::remove, "bob"}), Status::ok);
    EXPECT_EQ(one.row("bob").installed.term, PasswordTerm::lasting) << "there is no password";
    PasswordRecord record = {3, {'p', 'h', 'c'}};
    EXPECT_EQ(book_add_person(one.book(), 1000, row_none, {}, test_name("carol"), Role::customer,
                              record, PasswordTerm::first, book_tag_none), Status::ok);
    one.commit();
    EXPECT_EQ(one.row("carol").installed.term, PasswordTerm::first);
    one.disk.expect_same_again(one.book());
}

// T4, and a checkpoint of an older version says nothing of it.
TEST(People, ACheckpointSaysWhosePasswordIsAFirstOne) {
    TestPeople one;
    const uint32_t passwd = static_cast<uint32_t>(TableName::passwd);
    const TestTables plain_tables = test_tables(one.book());
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "bob",
                          .record = "new", .term = PasswordTerm::first}), Status::ok);
    const TestTables good = test_tables(one.book());
    EXPECT_EQ(version_of(good), 4u);
    EXPECT_NE(good.tables[passwd].find("\nbob:customer:active/first:new\n"), std::string::npos)
        << good.tables[passwd];
    one.disk.expect_same_again(one.book());
    EXPECT_EQ(one.change({PersonOperation::lock, "bob"}), Status::ok);
    EXPECT_NE(test_tables(one.book()).tables[passwd].find(":locked/first:"), std::string::npos);
    for (const char* state : {"active", "removed/first", "first", "active/", "active/lasting"}) {
        TestTables bad = good;
        std::string& rows = bad.tables[passwd];
        rows.replace(rows.find("active/first"), 12, state);
        TestBook other;
        EXPECT_EQ(test_load(other.book, bad), Status::damaged) << state;
    }
    TestTables bare = good;
    std::string& row = bare.tables[passwd];
    row.replace(row.find(":active/first:new"), 17, ":active/first:");
    TestBook another;
    EXPECT_EQ(test_load(another.book, bare), Status::damaged) << "of no password";
    TestTables older = plain_tables;
    std::string& rows = older.tables[passwd];
    rows.replace(rows.find("bob:customer:active") + 13, 6, "active/first");
    TestBook other;
    EXPECT_EQ(test_load(other.book, older), Status::damaged) << "not in version 1";
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "bob",
                          .record = "own"}), Status::ok);
    EXPECT_EQ(version_of(test_tables(one.book())), 1u);
}

TEST(People, RowsThatWereNeverWrittenAreRefused) {
    TestPeople one;
    EXPECT_EQ(one.change({.operation = PersonOperation::title, .person = "bob", .title = "B"}),
              Status::ok);
    EXPECT_EQ(one.change({PersonOperation::remove, "alice"}), Status::ok);
    const uint32_t people = static_cast<uint32_t>(TableName::people);
    const TestTables good = test_tables(one.book());
    EXPECT_EQ(good.tables[people], "alice::none:\nbob:B:none:\n");
    for (const char* rows :
         {"alice::none:\nbob::none:\n",           // a row that says nothing
          "bob:B:none:\nalice::none:\n",          // out of order
          "bob:B:none:\n",                        // alice was removed
          "alice::none:\nbob:B:none:\nbob:B:none:\n",
          "alice:A:none:\nbob:B:none:\n",         // somebody removed has no name to show
          "alice::set:x\nbob:B:none:\n",          // nor a PIN
          "alice::none:\nbob:B:none:x\n",         // a record of no PIN
          "alice::none:\nbob:B:set:\n",           // a PIN without one
          "alice::none:\nbob:%07:none:\n", "alice::none:\nbob:%ff:none:\n",
          "alice::none:\nbob:B:lost:\n", "alice::none:\nnobody:B:none:\n",
          "alice::none:\nbob:B:none\n", "alice::none:\nbob:B:none::\n"}) {
        TestTables bad = good;
        bad.tables[people] = rows;
        TestBook other;
        EXPECT_EQ(test_load(other.book, bad), Status::damaged) << rows;
    }
    TestTables passwd = good;
    std::string& rows = passwd.tables[static_cast<uint32_t>(TableName::passwd)];
    rows.replace(rows.find("removed:"), 8, "removed:x");
    TestBook other;
    EXPECT_EQ(test_load(other.book, passwd), Status::damaged);
}

TEST(People, InstallsNoChangeThatDoesNotFit) {
    TestPeople one;
    EXPECT_EQ(test_move(one.book(), {.operation = Operation::deposit, .debit = "cash",
                                     .credit = "bob", .amount = 5, .id = "d"}), Status::ok);
    one.commit();
    EXPECT_EQ(one.change({PersonOperation::remove, "alice"}), Status::ok);
    const auto installs = [&](const char* name, PersonOperation operation, auto change) {
        Ledger& ledger = one.book().ledger;
        const Person& person = one.row(name);
        Entry entry;
        memset(static_cast<void*>(&entry), 0, sizeof entry);
        entry.kind = EntryKind::person;
        entry.person = entry.terminal = row_none;
        entry.seq = ledger.seq_installed + 1;
        entry.row_person.operation = operation;
        entry.row_person.person = ledger_find_person(ledger, test_name(name));
        entry.row_person.account = person.account;
        entry.row_person.role = person.installed.role;
        entry.row_person.state = person.installed.state;
        entry.row_person.name = person.name;
        change(entry.row_person);
        return ledger_install(ledger, entry, position_of(1, 9000), InstallMode::replay);
    };
    const auto as_is = [](PersonEntry&) {};
    EXPECT_EQ(installs("alice", PersonOperation::title, as_is), Status::damaged) << "removed";
    EXPECT_EQ(installs("bob", PersonOperation::remove,
                       [](PersonEntry& entry) { entry.state = PersonState::removed; }),
              Status::damaged) << "with money";
    EXPECT_EQ(installs("bob", PersonOperation::title,
                       [](PersonEntry& entry) { entry.role = Role::admin; }), Status::damaged);
    EXPECT_EQ(installs("bob", PersonOperation::password,
                       [](PersonEntry& entry) { entry.role = Role::admin; }), Status::damaged);
    EXPECT_EQ(installs("bob", PersonOperation::role,
                       [](PersonEntry& entry) { entry.state = PersonState::locked; }),
              Status::damaged);
    EXPECT_EQ(installs("bob", PersonOperation::pin_lock, as_is), Status::damaged) << "no PIN";
    EXPECT_EQ(installs("bob", PersonOperation::title,
                       [](PersonEntry& entry) { entry.name = test_name("till"); }),
              Status::damaged);
    EXPECT_EQ(installs("bob", PersonOperation::title,
                       [](PersonEntry& entry) { entry.account++; }), Status::damaged);
    EXPECT_EQ(installs("bob", PersonOperation::title,
                       [](PersonEntry& entry) { entry.person = 99; }), Status::damaged);
}

// A record that came from an older bank, wrapped, and the plain one that replaces it.
constexpr char wrapped[] = "$argon2id-md5$v=19$m=4096,t=1,p=1$c2FsdHNhbHQ$dGFndGFndGFndGFndGFndA";
constexpr char plain[] = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdHNhbHQ$dGFndGFndGFndGFndGFndA";

TEST(People, AWrappedRecordIsReplacedOnceAndEndsNoLogin) {
    TestPeople one;
    const TestChange rehash = {.operation = PersonOperation::rehash, .person = "bob",
                               .record = plain};
    EXPECT_EQ(one.change(rehash), Status::replayed) << "nothing is wrapped";
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "bob",
                          .record = wrapped}), Status::ok);
    one.disk.expect_same_again(one.book());
    const uint32_t version = one.row("bob").installed.version;
    EXPECT_EQ(test_change(one.book(), rehash), Status::ok);
    EXPECT_EQ(test_change(one.book(), rehash), Status::pending) << "one is in flight";
    one.commit();
    EXPECT_EQ(one.row("bob").installed.version, version) << "every login goes on";
    EXPECT_EQ(std::string(one.row("bob").texts.password.text, one.row("bob").texts.password.size),
              plain);
    EXPECT_EQ(one.change(rehash), Status::replayed);
    one.disk.expect_same_again(one.book());
}

// What was hashed anew is the same password.
TEST(People, AFirstPasswordThatIsHashedAnewIsOneStill) {
    TestPeople one;
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "bob",
                          .record = wrapped, .term = PasswordTerm::first}), Status::ok);
    EXPECT_EQ(one.change({.operation = PersonOperation::rehash, .person = "bob",
                          .record = plain}), Status::ok);
    EXPECT_EQ(one.row("bob").installed.term, PasswordTerm::first);
    one.disk.expect_same_again(one.book());
}

TEST(People, APasswordThatWasSetMeanwhileIsNotUndone) {
    TestPeople one;
    EXPECT_EQ(one.change({.operation = PersonOperation::password, .person = "bob",
                          .record = wrapped}), Status::ok);
    BookChange change = {};
    const char* why = nullptr;
    change.operation = PersonOperation::rehash;
    change.person = ledger_find_person(one.book().ledger, test_name("bob"));
    change.version = one.row("bob").installed.version;
    change.record.size = sizeof plain - 1;
    memcpy(change.record.text, plain, sizeof plain - 1);
    EXPECT_EQ(test_change(one.book(), {.operation = PersonOperation::password, .person = "bob",
                                       .record = "new"}), Status::ok);
    EXPECT_EQ(book_change_person(one.book(), 1, change, book_tag_none, why), Status::state);
    one.commit();
    EXPECT_EQ(book_change_person(one.book(), 1, change, book_tag_none, why), Status::state);
    EXPECT_EQ(one.row("bob").texts.password.size, 3);
    EXPECT_EQ(one.change({PersonOperation::remove, "bob"}), Status::ok);
    change.version = 0;
    EXPECT_EQ(book_change_person(one.book(), 1, change, book_tag_none, why), Status::replayed)
        << "who was removed has none that is wrapped";
}
