// The server without its port: what sessions borrow comes back, whenever and however they end.

#include "server.h"

#include <string.h>

#include <memory>

#include "unit/test_channel.h"

namespace {

// A server over a small book, whose sessions are logged in over a channel that ciphers nothing.
struct TestServer {
    TestServer() : owner(new Server()), server(*owner) {
        Config config = {};
        config_defaults(config);
        config.sessions = 8;
        config.handshakes = 2;
        config.accounts = 16;
        config.ids = 8;
        config.terminals = 4;
        config.holds = 8;
        config.reversible = 128;
        config.buffers = 8;
        config.groups = 2;
        config.reads = 1;
        config.hashes = 1;
        config.self_service = true;
        Arena arena = {};
        server_layout(server, arena, config);
        memory.resize(arena.used + arena_align);
        const uint64_t size = arena.used;
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena = {};
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = size;
        server_layout(server, arena, config);
        server_init(server, 0);
        test_create(server.book);
        for (const char* name : {"alice", "bob", "carol"}) {
            EXPECT_EQ(test_add(server.book, name), Status::ok);
        }
        EXPECT_EQ(test_add(server.book, "chief", Role::admin), Status::ok);
        EXPECT_EQ(test_add(server.book, "keeper", Role::treasurer), Status::ok);
        pay_in("opening", "alice", "", 1000);
        disk.commit(server.book);
        server_start(server, 0);
        server_clock(server, 1000, 1'000'000);
    }
    // Everything comes back when all sessions have ended.
    ~TestServer() {
        for (uint32_t i = 0; i < server.sessions.count; i++) {
            if (pool_is_taken(server.sessions, i)) {
                server_peer_closed(server, i, "the test ends");
                serve();
                if (pool_is_taken(server.sessions, i)) close(i);
            }
        }
        EXPECT_EQ(server.sessions.taken, 0u);
        EXPECT_EQ(server.groups.taken, 0u);
        EXPECT_EQ(server.reads.taken, 0u);
        EXPECT_EQ(server.hashes.taken, 0u);
        EXPECT_EQ(server.buffers.taken, 0u);
    }
    void pay_in(const std::string& id, const char* to, const char* person, int64_t amount) {
        EXPECT_EQ(test_move(server.book, {.operation = Operation::deposit,
                                          .debit = "cash",
                                          .credit = to,
                                          .amount = amount,
                                          .id = id,
                                          .person = person}),
                  Status::ok);
    }
    uint32_t person(const char* name) {
        return ledger_find_person(server.book.ledger, test_name(name));
    }
    uint32_t connect(const char* name) {
        const uint32_t index = server_accept(server, 0);
        Session& session = server.sessions.slots[index];
        session.phase = SessionPhase::ready;
        session.deadline_ms = UINT64_MAX;
        session.channel.type = &test_plain_channel;
        session.caller.person = person(name);
        session.caller.version =
            server.book.ledger.people[session.caller.person].installed.version;
        session.caller.terminal = test_name("kiosk");
        return index;
    }
    Session& session(uint32_t index) { return server.sessions.slots[index]; }
    // Says something and gives what comes back at once.
    std::string say(uint32_t index, const std::string& text) {
        uint32_t room = 0;
        uint8_t* bytes = server_read_room(server, index, room);
        EXPECT_LE(text.size(), room);
        memcpy(bytes, text.data(), text.size());
        server_received(server, index, static_cast<uint32_t>(text.size()));
        return take(index);
    }
    std::string take(uint32_t index) {
        const SessionPlan plan = server_plan(server, index);
        const std::string text = string_of(plan.out);
        if (plan.out.size > 0) server_sent(server, index, plan.out.size);
        return text;
    }
    // The journal's thread: one write, if there is one.
    bool commit(Status outcome = Status::ok) {
        LogWrite write;
        if (!server_write_take(server, write)) return false;
        if (outcome == Status::ok) outcome = TestDisk::keep(&disk, write);
        server_write_done(server, outcome);
        return true;
    }
    // The workers: one piece of work. Hashes come out as if they had been made.
    bool work() {
        Wish wish;
        if (!server_wish_take(server, wish)) return false;
        wish.outcome = Status::ok;
        if (wish.kind == WishKind::read) {
            const auto at = disk.segments.find(position_segment(wish.position));
            EXPECT_NE(at, disk.segments.end());
            const Slice all = {at->second.data(), static_cast<uint32_t>(at->second.size())};
            const Slice part = slice_part(all, position_offset(wish.position), wish.size);
            memcpy(wish.memory, part.data, part.size);
            wish.size = part.size;
        } else if (wish.kind == WishKind::hash) {
            HashJob& job = server.hashes.slots[wish.slot];
            job.outcome = hashed;
            job.made = {3, {'n', 'e', 'w'}};
        } else if (wish.kind == WishKind::segment) {
            wish.salt = 99;
        }
        server_wish_done(server, wish);
        return true;
    }
    void serve() {
        for (uint32_t i = 0; i < 100; i++) {
            const bool worked = work();
            if (!commit() && !worked) return;
        }
        ADD_FAILURE() << "there is always more to do";
    }
    void close(uint32_t index) {
        for (uint32_t i = 0; i < 4 && !server_plan(server, index).close; i++) take(index);
        EXPECT_TRUE(server_plan(server, index).close);
        if (server_plan(server, index).close) server_closed(server, index);
    }
    // Books until the ring of ids holds nothing else.
    void make_busy() {
        for (uint32_t i = 0; i < 12; i++) pay_in("b" + std::to_string(busy++), "bob", "carol", 1);
        serve();
    }
    // One batch in flight and one that is full: nothing more can be proposed before a commit.
    LogWrite fill_log() {
        pay_in("fly", "bob", "carol", 1);
        LogWrite write;
        EXPECT_TRUE(server_write_take(server, write));
        Status status = Status::ok;
        for (uint32_t i = 0; i < 2 * batch_entries_max && status == Status::ok; i++) {
            status = test_move(server.book, {.operation = Operation::deposit,
                                             .debit = "cash",
                                             .credit = "bob",
                                             .amount = 1,
                                             .id = "full" + std::to_string(i),
                                             .person = "carol"});
        }
        EXPECT_EQ(status, Status::pending);
        // A movement reserves for more entries than others do.
        const uint32_t row = person("carol");
        const Person& carol = server.book.ledger.people[row];
        for (status = Status::ok; status == Status::ok;) {
            status = book_set_password(server.book, 1000, row, {}, row, carol.decided.version,
                                       {3, {'n', 'e', 'w'}}, book_tag_none);
        }
        EXPECT_EQ(status, Status::pending);
        return write;
    }
    void land(const LogWrite& write) {
        server_write_done(server, TestDisk::keep(&disk, write));
    }
    std::unique_ptr<Server> owner;
    Server& server;
    std::vector<uint8_t> memory;
    TestDisk disk;
    uint32_t busy = 0;
    Status hashed = Status::ok;  // what passwords come to
};

}  // namespace

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
    EXPECT_EQ(one.say(carol, "EXEC\r\n").find("-ERR EXEC without MULTI"), 0u);
    EXPECT_EQ(one.say(alice, "DISCARD\r\n"), "+OK\r\n");
    EXPECT_EQ(one.say(carol, "MULTI\r\n"), "+OK\r\n");
    EXPECT_EQ(one.say(bob, "MULTI\r\n").find("-ERR MULTI calls"), 0u);
    EXPECT_EQ(one.server.groups.taken, 2u);
    // What was refused in between broke bob's group only.
    EXPECT_EQ(one.say(carol, "EXEC\r\n"), "*0\r\n");
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

// --- The door -------------------------------------------------------------------------------

// A guess whose answer nobody waits for counts: otherwise leaving early would be free.
TEST(Server, CountsAWrongPasswordOfWhoHasLeft) {
    TestServer one;
    one.hashed = Status::wrongpass;
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
