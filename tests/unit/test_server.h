// test_server.h - a whole server without its port: sessions that speak plainly, and a journal and
// workers that do their work when a test says so.
#pragma once

#include "server.h"

#include <string.h>

#include <memory>

#include "unit/test_channel.h"

// A server over a small book, whose sessions are logged in over a channel that ciphers nothing.
struct TestServer {
    explicit TestServer(uint32_t hashes = 1, uint32_t reads = 1) : owner(new Server()), server(*owner) {
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
        config.reads = reads;
        config.hashes = hashes;
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
        EXPECT_EQ(test_add(server.book, "teller", Role::till), Status::ok);
        pay_in("opening", "alice", "", 1000);
        disk.commit(server.book);
        server_start(server, 0);
        server_clock(server, 1000, 1'000'000, 0);
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
            job.outcome = hash_outcome;
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
    Status hash_outcome = Status::ok;  // of what workers hash from now on
};
