// The server without its port: what sessions borrow comes back, whenever and however they end.

#include "unit/test_server.h"

TEST(Server, AnswersAGroupWithOneReplyBehindItsCommit) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    EXPECT_EQ(one.say(alice, "MULTI\r\n"), "+OK\r\n");
    EXPECT_EQ(one.server.groups.taken, 1u);
    EXPECT_EQ(one.say(alice, "TRANSFER a bob 1\r\nTRANSFER b bob 2\r\n"),
              "+QUEUED\r\n+QUEUED\r\n");
    EXPECT_EQ(one.say(alice, "EXEC\r\n"), "");
    EXPECT_EQ(one.server.groups.taken, 0u);
    one.serve();
    const std::string said = one.take(alice);
    EXPECT_EQ(said.find("*2\r\n"), 0u);
    EXPECT_NE(said.find("7.00"), std::string::npos);
}

TEST(Server, TakesAGroupBackHoweverItEnds) {
    TestServer one;
    const char* ends[] = {"DISCARD\r\n", "EXEC\r\n", "RESET\r\n", "QUIT\r\n", "PING\r\nEXEC\r\n"};
    for (const char* end : ends) {
        const uint32_t alice = one.connect("alice");
        EXPECT_EQ(one.say(alice, "MULTI\r\nTRANSFER a" + std::to_string(alice) + " bob 1\r\n"),
                  "+OK\r\n+QUEUED\r\n");
        EXPECT_EQ(one.server.groups.taken, 1u);
        one.say(alice, end);
        one.serve();
        EXPECT_EQ(one.server.groups.taken, 0u) << end;
        EXPECT_EQ(one.session(alice).group, pool_none);
        server_peer_closed(one.server, alice, "reset");
        one.close(alice);
    }
    // The peer goes, the time is up, or the password is changed from elsewhere.
    uint32_t alice = one.connect("alice");
    one.say(alice, "MULTI\r\n");
    server_peer_closed(one.server, alice, "reset");
    EXPECT_EQ(one.server.groups.taken, 0u);
    one.close(alice);
    alice = one.connect("alice");
    one.say(alice, "MULTI\r\n");
    one.session(alice).deadline_ms = 0;
    server_tick(one.server);
    EXPECT_EQ(one.server.groups.taken, 0u);
    one.close(alice);
    alice = one.connect("alice");
    one.say(alice, "MULTI\r\n");
    const uint32_t row = one.person("alice");
    ASSERT_EQ(book_set_password(one.server.book, 1000, row, {}, row, 1, {3, {'n', 'e', 'w'}},
                                book_tag_none),
              Status::ok);
    one.serve();
    const std::string said = one.say(alice, "TRANSFER z bob 1\r\n");
    EXPECT_EQ(said.find("-NOAUTH the password"), 0u) << said;
    EXPECT_EQ(one.server.groups.taken, 0u);
    EXPECT_FALSE(one.session(alice).caller.in_group);
}

TEST(Server, LendsNobodyMoreThanHalfOfTheGroupsAndSaysWhenThereIsNone) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    const uint32_t again = one.connect("alice");
    const uint32_t bob = one.connect("bob");
    const uint32_t carol = one.connect("carol");
    EXPECT_EQ(one.say(alice, "MULTI\r\n"), "+OK\r\n");
    EXPECT_EQ(one.say(again, "MULTI\r\n").find("-BUSY"), 0u);
    EXPECT_EQ(one.say(bob, "MULTI\r\n"), "+OK\r\n");
    EXPECT_EQ(one.say(carol, "MULTI\r\n").find("-BUSY"), 0u);
    EXPECT_EQ(one.say(carol, "EXEC\r\n").find("-EXECABORT"), 0u);
    EXPECT_EQ(one.say(alice, "DISCARD\r\n"), "+OK\r\n");
    EXPECT_EQ(one.say(carol, "MULTI\r\n"), "+OK\r\n");
    EXPECT_EQ(one.say(bob, "MULTI\r\n").find("-ERR MULTI calls"), 0u);
    EXPECT_EQ(one.server.groups.taken, 2u);
    // What was refused in between broke bob's group only.
    EXPECT_EQ(one.say(carol, "EXEC\r\n"), "*0\r\n");
}

// A client that sends a whole group at once has sent its movements before it reads the refusal.
TEST(Server, BooksNothingSinglyOfAGroupThatFoundNoRoom) {
    for (const char* end : {"EXEC\r\n", "DISCARD\r\n", "RESET\r\n"}) {
        TestServer one;
        for (const char* name : {"carol", "bob"}) {
            EXPECT_EQ(one.say(one.connect(name), "MULTI\r\n"), "+OK\r\n");
        }
        const uint32_t alice = one.connect("alice");
        const std::string said =
            one.say(alice, "MULTI\r\nTRANSFER a bob 1\r\nTRANSFER b bob 2\r\nBALANCE\r\n" +
                               std::string(end));
        one.serve();
        EXPECT_EQ(said.find("-BUSY all groups are taken"), 0u);
        EXPECT_NE(said.find("-BUSY the group was refused"), std::string::npos) << said;
        EXPECT_NE(said.find("10.00"), std::string::npos) << "reading is no part of a group";
        const std::string last = said.substr(said.rfind("\r\n", said.size() - 3) + 2);
        EXPECT_EQ(last.find(end[0] == 'E' ? "-EXECABORT" : "+"), 0u) << last;
        EXPECT_EQ(test_balance(one.server.book, "alice"), 1000);
        if (end[0] == 'R') continue;
        EXPECT_EQ(one.say(alice, "EXEC\r\n").find("-ERR EXEC without MULTI"), 0u);
        one.say(alice, "TRANSFER a bob 1\r\n");
        one.serve();
        EXPECT_EQ(test_balance(one.server.book, "alice"), 900) << "the next one is on its own";
    }
}

// Another MULTI may find room.
TEST(Server, BeginsAGroupBehindOneThatWasRefused) {
    TestServer one;
    const uint32_t bob = one.connect("bob");
    one.say(bob, "MULTI\r\n");
    one.say(one.connect("carol"), "MULTI\r\n");
    const uint32_t alice = one.connect("alice");
    EXPECT_EQ(one.say(alice, "MULTI\r\n").find("-BUSY"), 0u);
    one.say(bob, "DISCARD\r\n");
    EXPECT_EQ(one.say(alice, "MULTI\r\nTRANSFER a bob 1\r\n"), "+OK\r\n+QUEUED\r\n");
    one.say(alice, "EXEC\r\n");
    one.serve();
    EXPECT_EQ(test_balance(one.server.book, "alice"), 900);
}

// A start after a cut may find its segment nearly full and the next one not made yet.
TEST(Server, WaitsForTheNextSegmentAndStopsMoneyOnlyWhenItCannotBeMade) {
    for (const bool has_room : {true, false}) {
        TestServer one;
        Log& log = one.server.book.log;
        log.offset = log.segment_size - batch_size_max + block_size;
        log.next_segment = 0;
        const uint32_t alice = one.connect("alice");
        EXPECT_EQ(one.say(alice, "TRANSFER a bob 1\r\n"), "");
        Wish wish;
        ASSERT_TRUE(server_wish_take(one.server, wish));
        ASSERT_EQ(wish.kind, WishKind::segment);
        EXPECT_EQ(one.take(alice), "") << "while the segment is being made";
        wish.outcome = has_room ? Status::ok : Status::full;
        server_wish_done(one.server, wish);
        one.serve();
        const std::string said = one.take(alice);
        EXPECT_EQ(said.find(has_room ? "*4" : "-MISCONF no room"), 0u) << said;
        if (has_room) continue;
        server_clock(one.server, 3000, 3'000'000, 0);
        EXPECT_EQ(one.say(alice, "TRANSFER b bob 1\r\n").find("-MISCONF no room"), 0u);
        one.serve();
        one.say(alice, "TRANSFER b bob 1\r\n");
        one.serve();
        EXPECT_EQ(one.take(alice).find("*4"), 0u) << "there is room again";
    }
}

TEST(Server, ReadsForARequestAndAnswersItAgain) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    one.say(alice, "TRANSFER a bob 1\r\n");
    one.serve();
    const std::string first = one.take(alice);
    one.make_busy();
    EXPECT_EQ(one.say(alice, "TRANSFER a bob 1\r\n"), "");
    EXPECT_EQ(one.server.reads.taken, 1u);
    one.serve();
    EXPECT_EQ(one.take(alice), first);
    EXPECT_EQ(one.server.reads.taken, 0u);
    // The only job there is serves one after the other.
    const uint32_t bob = one.connect("bob");
    EXPECT_EQ(one.say(alice, "STATEMENT\r\n"), "");
    EXPECT_EQ(one.say(bob, "STATEMENT\r\n"), "");
    one.serve();
    EXPECT_EQ(one.take(alice).find("*"), 0u);
    EXPECT_EQ(one.take(bob).find("*"), 0u);
}

// The login is looked at again when a worker returns (S2).
TEST(Server, EndsTheLoginOfWhoseRecordChangedWhileTheJournalWasRead) {
    for (const bool in_group : {false, true}) {
        TestServer one;
        const uint32_t alice = one.connect("alice");
        const uint32_t row = one.person("alice");
        const auto [first, second] = test_collision(one.server.book.ledger, row);
        one.say(alice, "TRANSFER " + first + " bob 1\r\n");
        one.serve();
        one.take(alice);
        one.make_busy();
        const int64_t before = test_balance(one.server.book, "alice");
        if (in_group) one.say(alice, "MULTI\r\n");
        EXPECT_EQ(one.say(alice, "TRANSFER " + second + " bob 1\r\n"), "");
        ASSERT_EQ(one.session(alice).block, SessionBlock::read);
        ASSERT_EQ(book_set_password(one.server.book, 1000, row, {}, row, 1, {3, {'n', 'e', 'w'}},
                                    book_tag_none),
                  Status::ok);
        ASSERT_TRUE(one.commit());
        one.serve();
        const std::string said = one.take(alice);
        EXPECT_EQ(said.find("-NOAUTH the password"), 0u) << said;
        EXPECT_EQ(one.session(alice).phase, SessionPhase::login);
        EXPECT_EQ(one.session(alice).pending, 0u);
        EXPECT_EQ(test_balance(one.server.book, "alice"), before);
        EXPECT_EQ(one.server.groups.taken, 0u);
    }
}

TEST(Server, SaysThatALoginEndedBehindTheRepliesThatAreOwed) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    const uint32_t row = one.person("alice");
    ASSERT_EQ(book_set_password(one.server.book, 1000, row, {}, row, 1, {3, {'n', 'e', 'w'}},
                                book_tag_none),
              Status::ok);
    LogWrite write;
    ASSERT_TRUE(server_write_take(one.server, write));
    EXPECT_EQ(one.say(alice, "TRANSFER a bob 1\r\n"), "");
    one.land(write);
    EXPECT_EQ(one.say(alice, "TRANSFER b bob 1\r\n"), "");
    one.serve();
    const std::string said = one.take(alice);
    EXPECT_EQ(said.find("*4"), 0u) << said;
    EXPECT_NE(said.find("-NOAUTH the password"), std::string::npos) << said;
    EXPECT_EQ(one.session(alice).phase, SessionPhase::login);
}

TEST(Server, TakesAReadBackOfASessionThatEndsBeforeItIsDone) {
    for (const bool in_group : {false, true}) {
        TestServer one;
        const uint32_t alice = one.connect("alice");
        one.say(alice, "TRANSFER a bob 1\r\n");
        one.serve();
        one.take(alice);
        one.make_busy();
        if (in_group) one.say(alice, "MULTI\r\n");
        EXPECT_EQ(one.say(alice, "TRANSFER a bob 1\r\n"), "");
        EXPECT_EQ(one.server.reads.taken, 1u);
        server_peer_closed(one.server, alice, "reset");
        EXPECT_FALSE(server_plan(one.server, alice).close);
        one.serve();
        EXPECT_EQ(one.server.reads.taken, 0u);
        EXPECT_EQ(one.server.groups.taken, 0u);
        one.close(alice);
    }
}

TEST(Server, TakesAReadBackOfASessionThatEndsWhileItWaitsForACommit) {
    for (const bool is_gone : {true, false}) {
        TestServer one;
        const uint32_t alice = one.connect("alice");
        const auto [first, second] =
            test_collision(one.server.book.ledger, one.person("alice"));
        one.say(alice, "TRANSFER " + first + " bob 1\r\n");
        one.serve();
        one.take(alice);
        one.make_busy();
        const LogWrite write = one.fill_log();
        EXPECT_EQ(one.say(alice, "TRANSFER " + second + " bob 1\r\n"), "");
        while (one.work()) continue;
        EXPECT_TRUE(one.session(alice).job_waits);
        EXPECT_EQ(one.server.reads.taken, 1u);
        if (is_gone) server_peer_closed(one.server, alice, "reset");
        const int64_t before = test_balance(one.server.book, "alice");
        one.land(write);
        EXPECT_EQ(one.server.reads.taken, is_gone ? 0u : 1u) << "the full batch has not flown yet";
        one.serve();
        EXPECT_EQ(before - test_balance(one.server.book, "alice"), is_gone ? 0 : 100);
        EXPECT_EQ(one.take(alice).find("*4"), is_gone ? std::string::npos : 0u);
    }
}

TEST(Server, TakesAReadBackWhenTheCommitThatItWaitsForFails) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    const auto [first, second] = test_collision(one.server.book.ledger, one.person("alice"));
    one.say(alice, "TRANSFER " + first + " bob 1\r\n");
    one.serve();
    one.take(alice);
    one.make_busy();
    one.fill_log();
    EXPECT_EQ(one.say(alice, "TRANSFER " + second + " bob 1\r\n"), "");
    while (one.work()) continue;
    EXPECT_EQ(one.server.reads.taken, 1u);
    server_write_done(one.server, Status::failed);
    EXPECT_EQ(one.server.reads.taken, 0u);
    EXPECT_EQ(one.take(alice).find("-MISCONF"), 0u);
    // What was answered before is still looked for.
    EXPECT_EQ(one.say(alice, "TRANSFER " + first + " bob 1\r\n"), "");
    while (one.work()) continue;
    EXPECT_EQ(one.take(alice).find("*4"), 0u);
}

TEST(Server, TakesAHashBackOfASessionThatEndsWhileItWaitsForACommit) {
    for (const bool is_gone : {true, false}) {
        TestServer one;
        const uint32_t chief = one.connect("chief");
        const LogWrite write = one.fill_log();
        EXPECT_EQ(one.say(chief, "REGISTER dora a-long-password\r\n"), "");
        while (one.work()) continue;
        EXPECT_TRUE(one.session(chief).job_waits);
        EXPECT_EQ(one.server.hashes.taken, 1u);
        if (is_gone) server_peer_closed(one.server, chief, "reset");
        one.land(write);
        EXPECT_EQ(one.server.hashes.taken, is_gone ? 0u : 1u) << "the full batch has not flown yet";
        one.serve();
        EXPECT_EQ(one.person("dora") == row_none, is_gone);
        EXPECT_EQ(one.take(chief), is_gone ? "" : "+OK\r\n");
    }
}

// P3: between the queueing and EXEC the ring may lose what made an id known.
TEST(Server, BooksNoGroupWhoseIdWasUsedSinceItWasQueued) {
    for (const bool before : {true, false}) {
        TestServer one;
        const uint32_t alice = one.connect("alice");
        const uint32_t other = one.connect("alice");
        if (before) {
            one.say(other, "TRANSFER a bob 1\r\n");
            one.serve();
        }
        EXPECT_EQ(one.say(alice, "MULTI\r\nTRANSFER a bob 1\r\n"), "+OK\r\n+QUEUED\r\n");
        if (!before) {
            one.say(other, "TRANSFER a bob 1\r\n");
            one.serve();
        }
        one.make_busy();
        EXPECT_EQ(one.say(alice, "EXEC\r\n").find("-BUSY"), 0u);
        EXPECT_EQ(one.server.groups.taken, 0u);
        one.say(alice, "MULTI\r\nTRANSFER a bob 1\r\n");
        one.serve();
        EXPECT_EQ(one.take(alice), "+QUEUED\r\n");
        EXPECT_EQ(one.say(alice, "EXEC\r\n").find("-EXISTS group differs"), 0u);
        EXPECT_EQ(test_balance(one.server.book, "alice"), 900);
    }
}

TEST(Server, ReversesWhatWasBookedOnceForATreasurerAndSaysWhatCannotBe) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    const uint32_t keeper = one.connect("keeper");
    one.say(alice, "TRANSFER a bob 1\r\n");
    one.serve();
    one.take(alice);
    const std::string entry = std::to_string(one.server.book.ledger.seq_installed);
    const auto ask = [&](const std::string& id, const std::string& number) {
        std::string said = one.say(keeper, "REVERSE " + id + " " + number + "\r\n");
        one.serve();
        return said + one.take(keeper);
    };
    const std::string first = ask("r1", entry);
    EXPECT_EQ(first.find("*"), 0u) << first;
    EXPECT_EQ(test_balance(one.server.book, "alice"), 1000);
    EXPECT_EQ(ask("r2", entry).find("-STATE"), 0u);
    EXPECT_EQ(ask("r1", entry), first);
    EXPECT_EQ(ask("r1", "3").find("-EXISTS"), 0u);
    EXPECT_EQ(ask("r3", "1").find("-STATE"), 0u) << "the genesis entry moved nothing";
    EXPECT_EQ(ask("r4", "9999").find("-ERR there is no entry"), 0u);
    EXPECT_EQ(ask("r5", "0").find("-ERR"), 0u);
    one.make_busy();
    EXPECT_EQ(ask("r1", entry), first);
    EXPECT_EQ(ask("r2", entry).find("-STATE"), 0u);
    EXPECT_EQ(test_balance(one.server.book, "alice"), 1000);
    // What is in flight is no entry yet, and a customer reverses nothing.
    EXPECT_EQ(one.say(alice, "REVERSE x " + entry + "\r\n").find("-NOPERM"), 0u);
}

// P3: what a till reversed in time is answered the same when the time has passed, also where only
// the journal remembers the id, and what it was too late for stays so.
TEST(Server, AnswersAReversalTheSameWhenItsTimeHasPassed) {
    TestServer one;
    const uint32_t teller = one.connect("teller");
    const auto ask = [&](const std::string& text) {
        std::string said = one.say(teller, text + "\r\n");
        one.serve();
        return said + one.take(teller);
    };
    ask("DEPOSIT d1 5 alice");
    const std::string entry = std::to_string(one.server.book.ledger.seq_installed);
    const std::string first = ask("REVERSE r1 " + entry);
    ASSERT_EQ(first.find("*"), 0u) << first;
    const uint64_t later_ms = 1000 + 16 * 60'000;  // One minute more than tills have.
    server_clock(one.server, later_ms, later_ms * 1000, 0);
    EXPECT_EQ(ask("REVERSE r1 " + entry), first);
    one.make_busy();
    EXPECT_EQ(ask("REVERSE r1 " + entry), first);
    EXPECT_EQ(ask("REVERSE r1 3").find("-EXISTS"), 0u);
    EXPECT_EQ(ask("REVERSE r2 " + entry).find("-NOPERM"), 0u);
    EXPECT_EQ(test_balance(one.server.book, "alice"), 1000);
}

// P3: nor is it too late for what was asked for in time, while nobody knows whether it was written.
TEST(Server, CallsNoReversalTooLateThatMayHaveBeenWritten) {
    TestServer one;
    const uint32_t teller = one.connect("teller");
    one.say(teller, "DEPOSIT d1 5 alice\r\n");
    one.serve();
    one.take(teller);
    const std::string text =
        "REVERSE r1 " + std::to_string(one.server.book.ledger.seq_installed) + "\r\n";
    one.say(teller, text);
    while (one.work()) continue;
    EXPECT_TRUE(one.commit(Status::failed));
    EXPECT_EQ(one.take(teller).find("-MISCONF"), 0u);
    const uint64_t later_ms = 1000 + 16 * 60'000;
    server_clock(one.server, later_ms, later_ms * 1000, 0);
    one.say(teller, text);
    one.serve();
    EXPECT_EQ(one.take(teller).find("-MISCONF"), 0u);
}

// Of two copies that read the entry at once, the later one is a replay, however late it is.
TEST(Server, AnswersACopyOfAReversalThatWasReadBesideTheFirst) {
    TestServer one(1, 2);
    const uint32_t teller = one.connect("teller");
    const uint32_t again = one.connect("teller");
    one.say(teller, "DEPOSIT d1 5 alice\r\n");
    one.serve();
    one.take(teller);
    const std::string text =
        "REVERSE r1 " + std::to_string(one.server.book.ledger.seq_installed) + "\r\n";
    one.say(teller, text);
    one.say(again, text);
    bool committed = false;
    for (uint32_t i = 0; i < 10 && !committed; i++) {
        ASSERT_TRUE(one.work());
        committed = one.commit();
    }
    const std::string first = one.take(teller);
    ASSERT_EQ(first.find("*"), 0u) << first;
    const uint64_t later_ms = 1000 + 16 * 60'000;
    server_clock(one.server, later_ms, later_ms * 1000, 0);
    one.serve();
    EXPECT_EQ(one.take(again), first);
    EXPECT_EQ(test_balance(one.server.book, "alice"), 1000);
}

// P10: two copies of one registration, of which the second is hashed before the first is booked.
TEST(Server, AnswersARegistrationThatIsSentAgainWhileTheFirstIsHashed) {
    for (const bool commits_between : {false, true}) {
        TestServer one(2);
        const uint32_t first = one.connect("chief");
        const uint32_t second = one.connect("chief");
        EXPECT_EQ(one.say(first, "REGISTER dora a-long-password\r\n"), "");
        EXPECT_EQ(one.say(second, "REGISTER dora a-long-password\r\n"), "");
        EXPECT_EQ(one.server.hashes.taken, 2u);
        EXPECT_TRUE(one.work());
        if (commits_between) {
            EXPECT_TRUE(one.commit());
        }
        one.serve();
        EXPECT_EQ(one.take(first), "+OK\r\n");
        EXPECT_EQ(one.take(second), "+OK\r\n");
        EXPECT_NE(one.person("dora"), row_none);
    }
}

// Somebody else's password for the same name does not make it a resend.
TEST(Server, SaysThatANameIsTakenToWhoeverRegistersItSecondWithAnotherPassword) {
    TestServer one(2);
    const uint32_t first = one.connect("chief");
    const uint32_t second = one.connect("chief");
    one.say(first, "REGISTER dora a-long-password\r\n");
    one.say(second, "REGISTER dora another-password\r\n");
    EXPECT_TRUE(one.work());
    EXPECT_TRUE(one.work());
    one.hash_outcome = Status::wrongpass;
    one.serve();
    EXPECT_EQ(one.take(first), "+OK\r\n");
    EXPECT_EQ(one.take(second).find("-EXISTS"), 0u);
}

// A loop that turns without pause while a disk is slow would heat the board for nothing.
TEST(Server, StopsWithoutHurryWhileItsDiskAndWorkersAreBusy) {
    TestServer one;
    one.pay_in("late", "alice", "", 5);
    one.hash_outcome = Status::wrongpass;  // So that there are penalties to write, too.
    const uint32_t bob = one.connect("bob");
    EXPECT_EQ(one.say(bob, "AUTH alice wrong-password\r\n"), "");
    EXPECT_TRUE(one.work());
    EXPECT_EQ(one.take(bob).find("-WRONGPASS"), 0u);
    server_peer_closed(one.server, bob, "gone");
    one.close(bob);
    server_stop(one.server, "SIGTERM");
    uint32_t waits = 0;
    uint32_t turns = 0;
    while (!server_is_stopped(one.server) && turns < 1000) {
        turns++;
        if (server_is_hurried(one.server)) {
            server_tick(one.server);
            continue;
        }
        LogWrite write;
        Wish wish;
        if (server_write_take(one.server, write)) {
            EXPECT_FALSE(server_is_hurried(one.server));
            server_write_done(one.server, TestDisk::keep(&one.disk, write));
        } else {
            ASSERT_TRUE(server_wish_take(one.server, wish)) << "it waits for nothing";
            EXPECT_FALSE(server_is_hurried(one.server));
            wish.outcome = Status::ok;
            server_wish_done(one.server, wish);
        }
        waits++;
    }
    EXPECT_TRUE(server_is_stopped(one.server));
    EXPECT_GT(waits, 5u) << "two batches, a checkpoint and penalties";
}

// P1, P10: who asks for what another's request is just doing hears of it when it is durable, and not
// when it never comes to be.
TEST(Server, AnswersWhatHoldsAlreadyOnlyWhenItIsDurable) {
    for (const char* text : {"ACCOUNT LIMIT bob -5.00 -\r\n", "ACCOUNT CLOSE bob\r\n"}) {
        for (const bool is_kept : {true, false}) {
            SCOPED_TRACE(text);
            TestServer one;
            const uint32_t chief = one.connect("chief");
            const uint32_t keeper = one.connect("keeper");
            EXPECT_EQ(one.say(chief, text), "");
            EXPECT_EQ(one.say(keeper, text), "");
            EXPECT_TRUE(one.commit(is_kept ? Status::ok : Status::failed));
            one.serve();
            const std::string first = one.take(chief);
            const std::string second = one.take(keeper);
            EXPECT_EQ(first == "+OK\r\n", is_kept) << first;
            EXPECT_EQ(second == "+OK\r\n", is_kept) << second;
            EXPECT_EQ(second.find("-MISCONF") == 0, !is_kept) << second;
        }
    }
}

// --- The door -------------------------------------------------------------------------------

// A guess whose answer nobody waits for counts: otherwise leaving early would be free.
TEST(Server, CountsAWrongPasswordOfWhoHasLeft) {
    TestServer one;
    one.hash_outcome = Status::wrongpass;
    for (uint64_t count = 1; count <= 4; count++) {
        const uint32_t bob = one.connect("bob");
        EXPECT_EQ(one.say(bob, "AUTH alice wrong-password\r\n"), "");
        server_peer_closed(one.server, bob, "reset");
        one.serve();
        EXPECT_EQ(one.server.service.stats.logins_failed, count);
        one.close(bob);
    }
    const uint32_t carol = one.connect("carol");
    EXPECT_EQ(one.say(carol, "AUTH alice wrong-password\r\n").find("-WRONGPASS"), 0u);
    EXPECT_EQ(one.server.service.stats.logins_refused, 1u);
    EXPECT_EQ(one.server.service.stats.logins_failed, 4u);
}

// Who left in time, or had the right password, has guessed nothing.
TEST(Server, HoldsNothingAgainstWhoLeavesWithTheRightPassword) {
    TestServer one;
    const uint32_t bob = one.connect("bob");
    EXPECT_EQ(one.say(bob, "AUTH alice right-password\r\n"), "");
    server_peer_closed(one.server, bob, "reset");
    one.serve();
    one.close(bob);
    EXPECT_EQ(one.server.service.stats.logins_failed, 0u);
}

// Z5, with addresses of both kinds and one that cannot be told.
TEST(Server, TurnsStrangersOfOneSourceAway) {
    const struct {
        std::vector<const char*> same;
        const char* other;
    } rows[] = {
        {{"192.0.2.1:1", "192.0.2.1:2", "[::ffff:192.0.2.1]:3", "192.0.2.1:4", "192.0.2.1:5"},
         "192.0.2.2:1"},
        {{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4]:1",
          "[2001:db8::5]:1"},
         "[2001:db8:0:1::1]:1"},
        {{"unknown:0", "unknown:0", "unknown:0", "unknown:0", "unknown:0"}, "192.0.2.1:1"},
    };
    for (const auto& row : rows) {
        TestServer one;
        for (size_t i = 0; i < row.same.size(); i++) {
            const uint32_t index = server_accept(one.server, 0);
            server_set_address(one.server, index, row.same[i]);
            const SessionPlan plan = server_plan(one.server, index);
            EXPECT_EQ(plan.cut, i == 4) << row.same[i];
            if (plan.cut) server_closed(one.server, index);
        }
        EXPECT_EQ(one.server.service.stats.strangers_refused, 1u);
        const uint32_t index = server_accept(one.server, 0);
        server_set_address(one.server, index, row.other);
        EXPECT_FALSE(server_plan(one.server, index).cut);
    }
}
