// The simulated world: the whole server between two events.

#include "port/sim/world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mbedtls/platform.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "port/sim/kernel.h"
#include "unit/slices.h"
#include "unit/test_port.h"

namespace {

constexpr SimPerson people[] = {
    sim_admin,
    {"alice", "customer", "a-password-of-alice", 5000},
    {"bob", "customer", "a-password-of-bob", 0},
};

constexpr uint64_t second_us = 1'000'000;

// One peer that says lines and keeps what it hears.
struct Peer {
    explicit Peer(const char* terminal = "till-1") {
        link = sim_connect({this, heard, over}, terminal);
    }
    // The world outlives it, and must tell it nothing more.
    ~Peer() {
        if (!is_over) sim_hang_up(link);
    }
    static void heard(void* context, uint32_t, Slice bytes) {
        static_cast<Peer*>(context)->said += string_of(bytes);
    }
    static void over(void* context, uint32_t) { static_cast<Peer*>(context)->is_over = true; }
    void say(const std::string& text) { sim_send(link, slice_of(text)); }
    // What comes within some seconds.
    std::string ask(const std::string& text, uint64_t seconds = 2) {
        said.clear();
        say(text + "\r\n");
        sim_world_run(sim_world_now_us() + seconds * second_us);
        return said;
    }
    uint32_t link;
    std::string said;
    bool is_over = false;
};

struct SimWorldTest : testing::Test {
    void SetUp() override {
        crypto_free();  // Whatever a test before this one left up.
        test_random_from(sim_kernel_random);
    }
    void TearDown() override {
        sim_world_free();
        test_random_from(nullptr);
        test_log_take();
        crypto_free();
        mbedtls_platform_set_calloc_free(calloc, free);
    }
    void begin(uint64_t seed, bool tls = false) {
        plan.seed = seed;
        plan.tls = tls;
        plan.work_us_max = 3000;
        plan.sync_us_max = 8000;
        plan.people = people;
        plan.person_count = 3;
        sim_world_config(config);
        ASSERT_EQ(sim_world_init(plan, config), Status::ok) << sim_world_refusal();
        ASSERT_EQ(sim_world_start(), Status::ok) << sim_world_refusal();
    }
    void restart(SimLoss loss) {
        sim_world_mount(loss);
        ASSERT_EQ(sim_world_start(), Status::ok) << sim_world_refusal();
    }
    std::string balance(const char* terminal = "office") {
        Peer alice(terminal);
        alice.ask("AUTH alice a-password-of-alice");
        const std::string said = alice.ask("BALANCE");
        sim_hang_up(alice.link);
        return said;
    }
    // A small day over a bad network. Returns the world's digest.
    std::string day(uint64_t seed, bool tls) {
        plan.net = {20'000, 30, 1};
        begin(seed, tls);
        for (int i = 0; i < 6; i++) {
            Peer alice(sim_terminals[i % 4]);
            alice.say("AUTH alice a-password-of-alice\r\n");
            for (int j = 0; j < 4; j++) {
                alice.say("TRANSFER t" + std::to_string(i) + std::to_string(j) + " bob 0.10\r\n");
            }
            sim_world_run(sim_world_now_us() + 2 * second_us);
            if (i == 3) {
                sim_world_cut();
                restart(SimLoss::any);
            }
            sim_hang_up(alice.link);
        }
        EXPECT_TRUE(sim_world_stop());
        EXPECT_EQ(sim_world_leak(), nullptr) << sim_world_leak();
        sim_world_mount(SimLoss::keep_all);
        uint8_t digest[32];
        sim_world_digest(digest);
        return string_of({digest, sizeof digest});
    }
    SimWorldPlan plan = {};
    Config config = {};
};

TEST_F(SimWorldTest, GivesTheSameRunForTheSameSeedAndAnotherForAnother) {
    for (const bool tls : {false, true}) {
        const std::string first = day(1, tls);
        const std::string other = day(2, tls);
        EXPECT_EQ(day(1, tls), first) << tls;
        EXPECT_NE(first, other) << tls;
    }
}

TEST_F(SimWorldTest, KeepsWhatWasAcknowledgedThroughACutThatDropsTheRest) {
    for (const bool tls : {false, true}) {
        begin(7, tls);
        Peer alice;
        EXPECT_EQ(alice.ask("AUTH alice a-password-of-alice"), "+OK\r\n");
        const std::string paid = alice.ask("TRANSFER one bob 1.25");
        EXPECT_NE(paid.find("48.75"), std::string::npos) << paid;
        sim_world_cut();
        EXPECT_TRUE(alice.is_over);
        EXPECT_FALSE(sim_world_run(UINT64_MAX));
        restart(SimLoss::drop_all);
        EXPECT_NE(balance().find("48.75"), std::string::npos);
        Peer again;
        again.ask("AUTH alice a-password-of-alice");
        EXPECT_EQ(again.ask("TRANSFER one bob 1.25"), paid);
    }
}

TEST_F(SimWorldTest, ForgetsWhatNobodyWasTold) {
    begin(8);
    Peer alice;
    alice.ask("AUTH alice a-password-of-alice");
    alice.said.clear();
    alice.say("TRANSFER one bob 1.25\r\n");
    const uint64_t writes = sim_world_counts().writes;
    while (sim_world_counts().writes == writes) sim_world_run(sim_world_now_us() + 1);
    sim_world_cut();
    EXPECT_EQ(alice.said, "");
    restart(SimLoss::drop_all);
    EXPECT_NE(balance().find("50.00"), std::string::npos);
}

TEST_F(SimWorldTest, CutsThePowerWithinACallOfTheDisk) {
    uint32_t cuts = 0;
    for (uint64_t call = 0; call < 40; call++) {
        begin(9);
        Peer alice;
        alice.ask("AUTH alice a-password-of-alice");
        sim_disk_plan({.fault = SimFault::cut, .at = call});
        const std::string paid = alice.ask("TRANSFER one bob 1.25", 5);
        if (!sim_world_is_running()) cuts++;
        sim_disk_plan({});
        if (sim_world_is_running()) sim_world_cut();
        restart(SimLoss::drop_all);
        const std::string now = balance();
        if (!paid.empty()) {
            EXPECT_NE(now.find("48.75"), std::string::npos) << call << now;
        }
    }
    EXPECT_GT(cuts, 3u);
}

TEST_F(SimWorldTest, LeavesTheDiskAloneWhenAStartIsRefused) {
    begin(10);
    sim_world_cut();
    sim_world_mount(SimLoss::keep_all);
    uint8_t before[32];
    uint8_t after[32];
    sim_disk_digest(before);
    config.currency[0] = 'X';
    const uint64_t disk_seed = plan.seed;
    ASSERT_EQ(disk_seed, 10u);
    sim_world_set_config(config);
    EXPECT_EQ(sim_world_start(), Status::failed);
    EXPECT_NE(std::string(sim_world_refusal()).find("which never changes"), std::string::npos);
    EXPECT_FALSE(sim_world_is_running());
    sim_world_mount(SimLoss::keep_all);
    sim_disk_digest(after);
    // The lock holds the pid of whoever tried; it is no part of the book.
    EXPECT_EQ(memcmp(before, after, sizeof before), 0);
    sim_world_config(config);
    sim_world_set_config(config);
    EXPECT_EQ(sim_world_start(), Status::ok) << sim_world_refusal();
}

TEST_F(SimWorldTest, StopsInOrderAndGoesOnFromItsCheckpoint) {
    begin(11);
    {
        Peer alice;
        alice.ask("AUTH alice a-password-of-alice");
        alice.ask("TRANSFER one bob 1.25");
        EXPECT_TRUE(sim_world_stop());
        EXPECT_TRUE(alice.is_over);
    }
    EXPECT_EQ(sim_world_leak(), nullptr) << sim_world_leak();
    EXPECT_EQ(sim_connect({nullptr, nullptr, nullptr}, "till-1"), sim_link_none);
    restart(SimLoss::drop_all);
    EXPECT_NE(balance().find("48.75"), std::string::npos);
}

TEST_F(SimWorldTest, TakesAJumpOfTheClock) {
    begin(12);
    Peer alice;
    alice.ask("AUTH alice a-password-of-alice");
    sim_world_jump(500ll * 86'400'000'000);
    EXPECT_NE(alice.ask("TRANSFER one bob 1.25").find("-MISCONF"), std::string::npos);
    sim_world_jump(-500ll * 86'400'000'000);
    EXPECT_NE(alice.ask("TRANSFER two bob 1.25").find("48.75"), std::string::npos);
    sim_world_jump(-3'000'000'000ll * 1'000'000);
    EXPECT_NE(alice.ask("TRANSFER three bob 1.25").find("47.50"), std::string::npos);
}

TEST_F(SimWorldTest, NotesOtherLimitsAsSoonAsTheClockLetsIt) {
    begin(16);
    EXPECT_TRUE(sim_world_stop());
    const uint32_t before = config.ids;
    config.ids = 2 * before;
    sim_world_set_config(config);
    sim_world_jump(500ll * 86'400'000'000);
    restart(SimLoss::keep_all);
    sim_world_run(sim_world_now_us() + 2 * second_us);
    EXPECT_EQ(sim_world_server().book.ledger.limits_known.ids, before);
    sim_world_jump(-500ll * 86'400'000'000);
    sim_world_run(sim_world_now_us() + 2 * second_us);
    EXPECT_EQ(sim_world_server().book.ledger.limits_known.ids, config.ids);
    const uint64_t entry = sim_world_server().book.ledger.seq_installed;
    sim_world_run(sim_world_now_us() + 2 * second_us);
    EXPECT_EQ(sim_world_server().book.ledger.seq_installed, entry);
    EXPECT_TRUE(sim_world_stop());
    restart(SimLoss::drop_all);
    EXPECT_EQ(sim_world_server().book.ledger.limits_known.ids, config.ids);
    EXPECT_EQ(sim_world_server().book.ledger.seq_installed, entry);
}

TEST_F(SimWorldTest, LetsNobodyInTwiceAndTellsTheSurplus) {
    begin(13);
    std::vector<std::unique_ptr<Peer>> peers;
    for (uint32_t i = 0; i < config.sessions + 2; i++) {
        peers.push_back(std::make_unique<Peer>(sim_terminals[i % 4]));  // Each has its address.
        peers.back()->say("PING\r\n");
        sim_world_run(sim_world_now_us() + second_us / 100);
    }
    for (uint32_t i = 0; i < peers.size(); i++) {
        const std::string& said = peers[i]->said;
        if (i < config.sessions) {
            EXPECT_EQ(said, "-NOAUTH Authentication required.\r\n") << i;
        } else {
            EXPECT_EQ(said, "-ERR max number of clients reached\r\n") << i;
            EXPECT_TRUE(peers[i]->is_over);
        }
    }
    EXPECT_TRUE(sim_world_stop());
    EXPECT_EQ(sim_world_leak(), nullptr) << sim_world_leak();
}

// Z5.
TEST_F(SimWorldTest, TurnsStrangersOfOneAddressAwayUntilOneOfThemHasLoggedIn) {
    begin(13);
    std::vector<std::unique_ptr<Peer>> peers;
    const auto connect = [&peers](const char* terminal) -> Peer& {
        peers.push_back(std::make_unique<Peer>(terminal));
        peers.back()->ask("PING", 1);
        return *peers.back();
    };
    for (uint32_t i = 0; i < config.sessions / 2; i++) EXPECT_FALSE(connect("till-1").is_over) << i;
    EXPECT_TRUE(connect("till-1").is_over);
    EXPECT_FALSE(connect("till-2").is_over);
    EXPECT_EQ(peers[0]->ask("AUTH alice a-password-of-alice"), "+OK\r\n");
    EXPECT_FALSE(connect("till-1").is_over);
    EXPECT_EQ(sim_world_server().service.stats.strangers_refused, 1u);
}

// Penalties of people survive a stop on the simulated disk, and one that is damaged is no reason
// not to start.
TEST_F(SimWorldTest, KeepsPenaltiesOverAStopAndStartsWithoutThemWhenTheyAreDamaged) {
    begin(13);
    {
        Peer alice;
        for (int i = 0; i < 4; i++) {
            EXPECT_EQ(alice.ask("AUTH alice another-password").find("-WRONGPASS"), 0u);
        }
        EXPECT_EQ(sim_world_server().service.stats.logins_failed, 4u);
    }
    EXPECT_TRUE(sim_world_stop());
    EXPECT_EQ(sim_world_leak(), nullptr) << sim_world_leak();
    sim_world_mount(SimLoss::drop_all);
    ASSERT_EQ(sim_world_start(), Status::ok) << sim_world_refusal();
    const Server& server = sim_world_server();
    Name name;
    ASSERT_EQ(parse_name(slice_of("alice"), name), Status::ok);
    const uint32_t alice = ledger_find_person(server.book.ledger, name);
    EXPECT_EQ(server.penalties.people[alice].points, 4u);
    EXPECT_TRUE(sim_world_stop());
    sim_world_mount(SimLoss::keep_all);
    const int dir = sim_disk_calls.open(AT_FDCWD, sim_data_dir, O_RDONLY | O_DIRECTORY, 0);
    const int fd = sim_disk_calls.open(dir, "penalties", O_WRONLY, 0);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(sim_disk_calls.pwrite(fd, "X", 1, 0), 1);
    sim_disk_calls.close(fd);
    sim_disk_calls.close(dir);
    ASSERT_EQ(sim_world_start(), Status::ok) << sim_world_refusal();
    EXPECT_EQ(sim_world_server().penalties.people[alice].points, 0u);
}

TEST_F(SimWorldTest, WaitsForAPeerThatDoesNotReadAndGoesOnWhenItDoes) {
    begin(14);
    Peer alice;
    alice.ask("AUTH alice a-password-of-alice");
    sim_read(alice.link, false);
    std::string wall(8000, 'x');
    for (int i = 0; i < 20; i++) alice.ask("*2\r\n$4\r\nECHO\r\n$8000\r\n" + wall, 1);
    EXPECT_EQ(alice.said, "");
    sim_read(alice.link, true);
    sim_world_run(sim_world_now_us() + second_us);
    EXPECT_EQ(alice.said.size(), 20 * (wall.size() + sizeof "$8000\r\n\r\n" - 1));
    EXPECT_FALSE(alice.is_over);
}

TEST_F(SimWorldTest, ClosesTheSessionOfWhoSaysNothing) {
    begin(15);
    Peer alice;
    alice.ask("AUTH alice a-password-of-alice");
    const uint64_t ticks = sim_world_counts().ticks;
    sim_world_run(UINT64_MAX);
    EXPECT_TRUE(alice.is_over);
    EXPECT_LT(sim_world_counts().ticks - ticks, 100u) << "ticks that nothing depends on are left out";
    EXPECT_GT(sim_world_now_us(), 3600 * second_us);
}

}  // namespace
