// Penalties: who waits and who does not, with the time given, and what survives a restart.
#include "access/penalties.h"

#include <string>
#include <vector>

#include "unit/test_bank.h"

namespace {

constexpr uint64_t second = 1000;
constexpr uint64_t minute = 60 * second;
constexpr uint64_t day = 24 * 60 * minute;
constexpr uint64_t calendar = 1'800'000'000'000;
constexpr PenaltyLimits limits = {.people = 64, .sources = 16, .terminals = 8, .pairs = 4};

struct TestPenalties {
    explicit TestPenalties(const PenaltyLimits& bounds = limits) {
        Arena measured = {};
        penalties_layout(penalties, measured, bounds);
        memory.resize(measured.used + arena_align);
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = measured.used;
        penalties_layout(penalties, arena, bounds);
        arena_seal(arena);  // G4
        init();
    }
    void init() {
        PenaltyRules rules = {};
        rules.own = {3, 15 * minute};
        rules.shared = {30, minute};
        rules.first_ms = second;
        rules.half_life_ms = 10 * minute;
        EXPECT_EQ(parse_prefixes(slice_of("10.0.0.0/8"), rules.exempt), Status::ok);
        const uint8_t key[16] = {1, 2, 3};
        penalties_init(penalties, rules, key);
    }
    Attempt attempt(uint32_t person, const std::string& source, const std::string& terminal,
                    const std::string& name = "") {
        Attempt out = {};
        NetAddress address = {};
        EXPECT_EQ(parse_address(slice_of(source.c_str()), address), Status::ok) << source;
        out.source = net_source_of(address);
        out.is_exempt = net_prefixes_have(penalties.rules.exempt, address);
        out.terminal = test_name(terminal);
        out.person = person;
        if (person == row_none) {
            out.stranger = penalties_print(penalties, slice_of(name.c_str()));
        }
        return out;
    }
    bool waits(const Attempt& one) {
        return penalties_judge(penalties, one, now, calendar + now) == Status::busy;
    }
    void fail(const Attempt& one) { penalties_fail(penalties, one, now, calendar + now); }
    void succeed(const Attempt& one) { penalties_succeed(penalties, one, calendar + now); }
    // Guesses `count` times as fast as it may; gives how often it was let through.
    uint32_t hammer(const Attempt& one, uint32_t count) {
        uint32_t looked_at = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (waits(one)) continue;
            looked_at++;
            fail(one);
        }
        return looked_at;
    }
    // The time that passes before the attempt is let through.
    uint64_t wait_of(const Attempt& one) {
        const uint64_t before = now;
        while (waits(one) && now < before + day) now += 500;
        return now - before;
    }
    Penalties penalties = {};
    Arena arena = {};
    std::vector<uint8_t> memory;
    uint64_t now = minute;
};

constexpr uint32_t alice = 0;
constexpr uint32_t bob = 1;

}  // namespace

TEST(Penalties, WaitsDoubleAboveTheFreeFailures) {
    TestPenalties one;
    const Attempt guess = one.attempt(alice, "192.0.2.1", "kiosk");
    for (int i = 0; i < 3; i++) {
        EXPECT_FALSE(one.waits(guess));
        one.fail(guess);
    }
    EXPECT_FALSE(one.waits(guess));
    for (const uint64_t seconds : {1u, 2u, 4u, 8u, 16u, 32u}) {
        one.fail(guess);
        EXPECT_EQ(one.wait_of(guess), seconds * second);
    }
}

// G1, G5.
TEST(Penalties, EndWhenStatedHoweverLongSomebodyKnocks) {
    TestPenalties one;
    const Attempt guess = one.attempt(alice, "192.0.2.1", "kiosk");
    EXPECT_EQ(one.hammer(guess, 10000), 4u);
    EXPECT_EQ(one.wait_of(guess), second);
    for (int i = 0; i < 1000; i++) one.fail(guess);
    EXPECT_EQ(one.wait_of(guess), 15 * minute);
    one.now += 50 * minute;
    for (int i = 0; i < 3; i++) one.fail(guess);
    EXPECT_FALSE(one.waits(guess));
}

TEST(Penalties, PointsHalve) {
    TestPenalties one;
    const Attempt guess = one.attempt(alice, "192.0.2.1", "kiosk");
    for (int i = 0; i < 4; i++) one.fail(guess);
    one.now += 10 * minute - 1;
    one.fail(guess);
    EXPECT_EQ(one.penalties.people[alice].points, 5u);
    one.now += 1;
    one.fail(guess);
    EXPECT_EQ(one.penalties.people[alice].points, 3u);
    one.now += 400 * minute;
    one.fail(guess);
    EXPECT_EQ(one.penalties.people[alice].points, 1u);
}

TEST(Penalties, FiveWhoMistypeHoldUpNoneOfThirtyBehindOneAddress) {
    for (const bool one_terminal : {false, true}) {
        TestPenalties one;
        const auto of = [&](uint32_t person) {
            const std::string terminal = one_terminal ? "kiosk" : "t" + std::to_string(person);
            return one.attempt(person, "192.0.2.1", terminal);
        };
        for (uint32_t person = 0; person < 5; person++) {
            for (int i = 0; i < 3; i++) {
                EXPECT_FALSE(one.waits(of(person)));
                one.fail(of(person));
            }
        }
        for (uint32_t person = 0; person < 30; person++) {
            EXPECT_FALSE(one.waits(of(person))) << person;
            one.succeed(of(person));
        }
    }
}

TEST(Penalties, TwoHundredForOnePersonAreNoMatterToAnother) {
    TestPenalties one;
    const Attempt guess = one.attempt(alice, "192.0.2.1", "kiosk");
    EXPECT_LT(one.hammer(guess, 200), 5u);
    EXPECT_FALSE(one.waits(one.attempt(bob, "192.0.2.2", "till")));
    EXPECT_TRUE(one.waits(one.attempt(alice, "192.0.2.2", "till")));
    EXPECT_EQ(one.wait_of(one.attempt(alice, "192.0.2.2", "till")), second);
}

TEST(Penalties, OneAddressMayNotGoThroughAllNames) {
    TestPenalties one;
    uint32_t looked_at = 0;
    for (uint32_t person = 0; person < 60; person++) {
        const std::string terminal = "t" + std::to_string(person % 7);
        looked_at += one.hammer(one.attempt(person, "192.0.2.1", terminal), 2);
    }
    EXPECT_EQ(looked_at, 31u);
    EXPECT_TRUE(one.waits(one.attempt(row_none, "192.0.2.1", "new", "somebody")));
    EXPECT_FALSE(one.waits(one.attempt(bob, "192.0.2.2", "new")));
}

TEST(Penalties, OneTerminalMayNotEither) {
    TestPenalties one;
    uint32_t looked_at = 0;
    for (uint32_t person = 0; person < 60; person++) {
        const std::string source = "192.0.2." + std::to_string(person % 14);
        looked_at += one.hammer(one.attempt(person, source, "kiosk"), 2);
    }
    EXPECT_EQ(looked_at, 31u);
    EXPECT_TRUE(one.waits(one.attempt(63, "192.0.2.100", "kiosk")));
    EXPECT_FALSE(one.waits(one.attempt(63, "192.0.2.100", "till")));
}

// G4.
TEST(Penalties, TenThousandAddressesTakeNoMoreMemoryAndFindAliceGuarded) {
    TestPenalties one;
    const Attempt worst = one.attempt(bob, "192.0.2.1", "t1");
    one.fail(worst);
    for (int i = 0; i < 40; i++) one.fail(one.attempt(bob, "192.0.2.1", "t1"));
    uint32_t looked_at = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        const std::string source = "198." + std::to_string(i >> 16) + "." +
                                   std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
        looked_at += one.hammer(one.attempt(alice, source, "t" + std::to_string(i)), 3);
    }
    EXPECT_EQ(looked_at, 4u);
    EXPECT_EQ(one.penalties.sources.count, limits.sources);
    EXPECT_TRUE(one.waits(one.attempt(row_none, "192.0.2.1", "t2", "x"))) << "the worst stays";
    for (uint32_t i = 0; i < 10000; i++) {
        one.now += 2 * minute;
        const std::string name = "nobody" + std::to_string(i);
        const std::string source =
            "198.51." + std::to_string(i >> 8) + "." + std::to_string(i & 255);
        one.fail(one.attempt(row_none, source, "t" + std::to_string(i), name));
    }
    EXPECT_EQ(one.penalties.sources.used, limits.sources);
    EXPECT_EQ(one.penalties.terminals.used, limits.terminals);
    EXPECT_EQ(one.penalties.strangers.used, limits.sources);
}

TEST(Penalties, TheLeastGuiltyGoesFirstAndAmongEqualsTheOldest) {
    TestPenalties one;
    const auto from = [&](uint32_t i, uint32_t person = row_none) {
        return one.attempt(person, "192.0.2." + std::to_string(i), "t1", std::to_string(i));
    };
    for (uint32_t i = 0; i < limits.sources; i++) {
        one.now++;
        for (uint32_t j = 0; j < (i == 5 ? 1u : i == 6 ? 1u : 3u); j++) one.fail(from(i));
    }
    const auto known = [&](uint32_t i) {
        const PenaltyTable& table = one.penalties.sources;
        for (uint32_t row = 0; row < table.used; row++) {
            if (memcmp(table.rows[row].key, from(i).source.bytes, net_address_size) == 0) {
                return true;
            }
        }
        return false;
    };
    EXPECT_TRUE(known(5));
    one.fail(from(100));
    EXPECT_FALSE(known(5));
    EXPECT_TRUE(known(6));
    one.fail(from(101));
    EXPECT_FALSE(known(6));
    one.fail(from(102));
    EXPECT_FALSE(known(100));
    EXPECT_TRUE(known(0));
}

// G2.
TEST(Penalties, ANameThatNobodyHasWaitsAsAPersonDoes) {
    TestPenalties one;
    const Attempt person = one.attempt(alice, "192.0.2.1", "t1");
    const Attempt nobody = one.attempt(row_none, "192.0.2.2", "t2", "alicia");
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(one.waits(person), one.waits(nobody)) << i;
        one.fail(person);
        one.fail(nobody);
        TestPenalties later = one;
        EXPECT_EQ(later.wait_of(person), one.wait_of(nobody)) << i;
        EXPECT_FALSE(one.waits(person));
    }
    EXPECT_FALSE(one.waits(one.attempt(row_none, "192.0.2.3", "t3", "alicib")));
}

// G3.
TEST(Penalties, WhoIsFamiliarWaitsForNobodyElse) {
    TestPenalties one;
    const Attempt home = one.attempt(alice, "192.0.2.1", "kitchen");
    one.succeed(home);
    for (int i = 0; i < 100; i++) one.fail(one.attempt(alice, "192.0.2.9", "evil"));
    for (int i = 0; i < 100; i++) one.fail(one.attempt(bob, "192.0.2.1", "evil"));
    EXPECT_TRUE(one.waits(one.attempt(alice, "192.0.2.3", "t3")));
    EXPECT_TRUE(one.waits(one.attempt(63, "192.0.2.1", "kitchen")));
    EXPECT_FALSE(one.waits(home));
    // The pair has an allowance of its own, and a success begins it anew.
    for (int i = 0; i < 3; i++) one.fail(home);
    EXPECT_FALSE(one.waits(home));
    one.succeed(home);
    for (int i = 0; i < 4; i++) one.fail(home);
    EXPECT_EQ(one.wait_of(home), second);
    // What others do on that terminal is not elsewhere.
    for (int i = 0; i < 40; i++) one.fail(one.attempt(bob, "192.0.2.77", "kitchen"));
    EXPECT_TRUE(one.waits(home));
}

TEST(Penalties, ThirtyDaysLaterNobodyIsFamiliar) {
    TestPenalties one;
    const Attempt home = one.attempt(alice, "192.0.2.1", "kitchen");
    const auto attacked = [&] {
        for (int i = 0; i < 10; i++) one.fail(one.attempt(alice, "192.0.2.9", "evil"));
        return one.waits(home);
    };
    one.succeed(home);
    one.now += 30 * day;
    EXPECT_FALSE(attacked());
    one.now += 1;
    EXPECT_TRUE(attacked());
    one.now += day;
    one.succeed(home);
    one.now += 29 * day;
    EXPECT_FALSE(attacked());
    one.succeed(home);
    one.now += 29 * day;
    EXPECT_FALSE(attacked());
    // A clock that is set back makes nobody a stranger.
    EXPECT_EQ(penalties_judge(one.penalties, home, one.now, 0), Status::ok);
}

TEST(Penalties, OfPairsTheOneWhoseLoginIsLongestAgoGoesFirst) {
    TestPenalties one;
    for (uint32_t person = 0; person < limits.pairs; person++) {
        one.succeed(one.attempt(person, "192.0.2.1", "kitchen"));
        one.now += day;
    }
    one.succeed(one.attempt(0, "192.0.2.1", "kitchen"));
    one.succeed(one.attempt(9, "192.0.2.1", "kitchen"));
    for (uint32_t person = 0; person < 10; person++) {
        for (int i = 0; i < 10; i++) {
            one.fail(one.attempt(person, "192.0.2." + std::to_string(person), "evil"));
        }
    }
    for (const uint32_t person : {0u, 2u, 3u, 9u}) {
        EXPECT_FALSE(one.waits(one.attempt(person, "192.0.2.1", "kitchen"))) << person;
    }
    EXPECT_TRUE(one.waits(one.attempt(1, "192.0.2.1", "kitchen")));
}

// G6.
TEST(Penalties, AnExemptSourceIsNoSourceButItsPeopleAreGuarded) {
    TestPenalties one;
    for (uint32_t person = 0; person < 60; person++) {
        const Attempt guess = one.attempt(person, "10.1.2.3", "t" + std::to_string(person));
        EXPECT_EQ(one.hammer(guess, 1), 1u);
    }
    EXPECT_EQ(one.hammer(one.attempt(alice, "10.1.2.3", "t99"), 100), 3u);
    EXPECT_TRUE(one.waits(one.attempt(alice, "10.1.2.4", "t100")));
}

TEST(Penalties, TheLogHearsOfASourceOnceInAWhile) {
    TestPenalties one;
    const NetAddress source = one.attempt(alice, "192.0.2.1", "t1").source;
    const NetAddress other = one.attempt(alice, "192.0.2.2", "t1").source;
    const auto tells = [&](const NetAddress& whom, PenaltyNews news) {
        return penalties_may_tell(one.penalties, whom, news, one.now, minute);
    };
    EXPECT_TRUE(tells(source, PenaltyNews::refused));
    EXPECT_FALSE(tells(source, PenaltyNews::refused));
    EXPECT_TRUE(tells(source, PenaltyNews::turned_away));
    EXPECT_TRUE(tells(other, PenaltyNews::refused));
    one.now += minute - 1;
    EXPECT_FALSE(tells(source, PenaltyNews::refused));
    one.now += 1;
    EXPECT_TRUE(tells(source, PenaltyNews::refused));
    EXPECT_FALSE(tells(source, PenaltyNews::refused));
}

TEST(Penalties, AreCountedWhileTheyHold) {
    TestPenalties one;
    EXPECT_EQ(penalties_in_force(one.penalties, one.now), 0u);
    for (int i = 0; i < 4; i++) one.fail(one.attempt(alice, "192.0.2.1", "t1"));
    EXPECT_EQ(penalties_in_force(one.penalties, one.now), 1u);
    for (int i = 0; i < 40; i++) one.fail(one.attempt(bob, "192.0.2.2", "t2"));
    EXPECT_EQ(penalties_in_force(one.penalties, one.now), 4u);
    EXPECT_EQ(penalties_in_force(one.penalties, one.now + minute), 1u);
    EXPECT_EQ(penalties_in_force(one.penalties, one.now + day), 0u);
}

// --- As text --------------------------------------------------------------------------------

namespace {

struct TestPeople {
    TestPeople() {
        test_create(book.book);
        for (const char* name : {"alice", "bob", "carol"}) {
            EXPECT_EQ(test_add(book.book, name), Status::ok);
        }
        test_commit(book.book);
    }
    const Ledger& ledger() { return book.book.ledger; }
    std::string save(TestPenalties& one, uint32_t rows_max = 100, uint32_t room = 4096) {
        std::string text;
        std::vector<uint8_t> memory(room);
        Writer out = writer_of(memory.data(), room);
        PenaltiesSave save = {};
        penalties_save_begin(one.penalties, save, calendar + one.now, out);
        while (save.active) {
            penalties_save_step(one.penalties, save, ledger(), one.now, rows_max, out);
            text += string_of(writer_slice(out));
            out.size = 0;
        }
        EXPECT_FALSE(out.overflow);
        return text;
    }
    Status load(TestPenalties& one, const std::string& text, size_t piece = SIZE_MAX) {
        PenaltiesLoad load;
        penalties_load_begin(one.penalties, load, one.now, calendar + one.now);
        for (size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
            const std::string part = text.substr(at, piece);
            const Status status = penalties_load_feed(
                one.penalties, load, ledger(),
                slice_of_chars(part.data(), static_cast<uint32_t>(part.size())));
            if (status != Status::ok) {
                EXPECT_EQ(penalties_load_end(one.penalties, load), status);
            }
        }
        return penalties_load_end(one.penalties, load);
    }
    static std::string with_sum(const std::string& text) {
        const Hash sum = hash_of(slice_of(text.c_str()));
        uint8_t digits[2 * hash_size];
        Writer out = writer_of(digits, sizeof digits);
        put_hex(out, hash_slice(sum));
        return text + "sum " + string_of(writer_slice(out)) + "\n";
    }
    static bool is_empty(const TestPenalties& one) {
        for (uint32_t i = 0; i < one.penalties.people_max; i++) {
            const Guilt& guilt = one.penalties.people[i];
            if (guilt.points != 0 || guilt.until_ms != 0) return false;
        }
        return one.penalties.pairs.used == 0;
    }
    TestBook book;
};

// A bit of everything: alice waits, bob has points, carol is familiar in two places.
void do_wrong(TestPenalties& one) {
    for (int i = 0; i < 8; i++) one.fail(one.attempt(0, "192.0.2.1", "evil"));
    one.fail(one.attempt(1, "192.0.2.1", "evil"));
    one.succeed(one.attempt(2, "192.0.2.2", "kitchen"));
    one.succeed(one.attempt(2, "192.0.2.2", "till-1"));
    one.fail(one.attempt(2, "192.0.2.2", "till-1"));
    one.now += 7 * second;
}

}  // namespace

TEST(PenaltiesText, IsWhatTheHeaderSays) {
    TestPeople people;
    TestPenalties one;
    do_wrong(one);
    EXPECT_EQ(people.save(one), TestPeople::with_sum("pennybank-penalties 1\n"
                                                     "time 1800000067000\n"
                                                     "person alice 8 7000 9000\n"
                                                     "person bob 1 7000 0\n"
                                                     "person carol 1 7000 0\n"
                                                     "pair carol kitchen 1800000060000 0 0 0\n"
                                                     "pair carol till-1 1800000060000 1 7000 0\n"));
}

TEST(PenaltiesText, ComesBackTheSameInWhateverPieces) {
    TestPeople people;
    TestPenalties one;
    do_wrong(one);
    const std::string text = people.save(one);
    for (const uint32_t rows : {1u, 2u, 3u, 100u}) EXPECT_EQ(people.save(one, rows), text);
    EXPECT_EQ(people.save(one, 100, penalties_line_size_max + 60), text);
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{100}, SIZE_MAX}) {
        TestPenalties other;
        other.now = one.now;
        EXPECT_EQ(people.load(other, text, piece), Status::ok);
        EXPECT_EQ(people.save(other), text);
        EXPECT_EQ(other.wait_of(other.attempt(0, "192.0.2.50", "t50")), 9 * second);
    }
}

TEST(PenaltiesText, TimeGoesOnWhileNobodyCounts) {
    TestPeople people;
    TestPenalties one;
    do_wrong(one);
    const std::string text = people.save(one);
    TestPenalties later;
    later.now = one.now + 5 * second;
    EXPECT_EQ(people.load(later, text), Status::ok);
    EXPECT_EQ(later.wait_of(later.attempt(0, "192.0.2.50", "t50")), 4 * second);
    TestPenalties much_later;
    much_later.now = one.now + 10 * minute - 7 * second;
    EXPECT_EQ(people.load(much_later, text), Status::ok);
    EXPECT_EQ(much_later.penalties.people[0].points, 4u);
    EXPECT_FALSE(much_later.waits(much_later.attempt(0, "192.0.2.50", "t50")));
    // A board without a clock comes back in the past: then everything still holds.
    TestPenalties before;
    before.now = 1;
    EXPECT_EQ(people.load(before, text), Status::ok);
    EXPECT_EQ(before.wait_of(before.attempt(0, "192.0.2.50", "t50")), 9 * second);
    EXPECT_FALSE(before.waits(before.attempt(2, "192.0.2.50", "kitchen")));
}

TEST(PenaltiesText, KeepsToTheRulesThatHoldNow) {
    TestPeople people;
    TestPenalties one;
    const std::string text = TestPeople::with_sum(
        "pennybank-penalties 1\ntime 1800000060000\nperson alice 4000000000 4000000000 4000000000\n"
        "person nobody 9 0 9000\npair nobody kitchen 1800000060000 9 0 0\n"
        "person bob 4000000000 0 4000000000\n");
    EXPECT_EQ(people.load(one, text), Status::ok);
    EXPECT_EQ(one.penalties.people[0].points, 0u);
    EXPECT_EQ(one.wait_of(one.attempt(0, "192.0.2.50", "t50")), 15 * minute);
    EXPECT_LE(one.penalties.people[1].points, 20u);
    EXPECT_EQ(one.penalties.pairs.used, 0u);
}

TEST(PenaltiesText, OtherTextsLeaveNothingBehind) {
    TestPeople people;
    const std::string head = "pennybank-penalties 1\ntime 5\n";
    const std::vector<std::string> texts = {
        "", "\n", "x", head, TestPeople::with_sum(""), TestPeople::with_sum("time 5\n"),
        TestPeople::with_sum("pennybank-penalties 1\n"),
        TestPeople::with_sum("pennybank-penalties 0\ntime 5\n"),
        TestPeople::with_sum(head + "person alice 1 0\n"),
        TestPeople::with_sum(head + "person alice 1 0 0 0\n"),
        TestPeople::with_sum(head + "person alice 01 0 0\n"),
        TestPeople::with_sum(head + "person alice 1  0 0\n"),
        TestPeople::with_sum(head + "person Alice 1 0 0\n"),
        TestPeople::with_sum(head + "person alice -1 0 0\n"),
        TestPeople::with_sum(head + "person alice 4294967296 0 0\n"),
        TestPeople::with_sum(head + "pair alice kitchen 0 1 0 0\n"),
        TestPeople::with_sum(head + "pair alice 7 1 0 0\n"),
        TestPeople::with_sum(head + "time 5\n"),
        TestPeople::with_sum(head + std::string(penalties_line_size_max + 1, 'x') + "\n"),
        TestPeople::with_sum(head) + "x",
        TestPeople::with_sum(head) + "\n",
        TestPeople::with_sum(TestPeople::with_sum(head)),
        head + "person alice 9 0 9000\nsum " + std::string(64, '0') + "\n",
        head + "person alice 9 0 9000\nsum x\n",
    };
    for (const std::string& text : texts) {
        for (const size_t piece : {size_t{1}, SIZE_MAX}) {
            TestPenalties one;
            EXPECT_EQ(people.load(one, text, piece), Status::damaged) << text;
            EXPECT_TRUE(TestPeople::is_empty(one)) << text;
        }
    }
    TestPenalties one;
    EXPECT_EQ(people.load(one, "pennybank-penalties 2\nwhat nobody knows\n"), Status::failed);
    std::string endless = head;
    for (int i = 0; i < 200; i++) endless += "person alice 9 0 9000\n";
    EXPECT_EQ(people.load(one, TestPeople::with_sum(endless)), Status::damaged);
    EXPECT_TRUE(TestPeople::is_empty(one));
}

// G7, and no CHECK: every cut, every flipped bit, and lines changed under a sum that is right.
TEST(PenaltiesText, NoMutationDoesHarm) {
    TestPeople people;
    TestPenalties one;
    do_wrong(one);
    const std::string text = people.save(one);
    TestPenalties other;
    const auto try_it = [&](const std::string& changed) {
        other.init();
        const Status status = people.load(other, changed, 50);
        if (status != Status::ok) {
            EXPECT_TRUE(TestPeople::is_empty(other));
        }
        return status;
    };
    for (size_t size = 0; size < text.size(); size++) {
        ASSERT_EQ(try_it(text.substr(0, size)), Status::damaged) << size;
    }
    for (size_t i = 0; i < text.size(); i++) {
        for (int bit = 0; bit < 8; bit++) {
            std::string changed = text;
            changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
            ASSERT_NE(try_it(changed), Status::ok) << i;
        }
    }
    const std::string lines = text.substr(0, text.rfind("sum "));
    TestRandom random(1);
    uint32_t taken = 0;
    for (int i = 0; i < 20000; i++) {
        std::string changed = lines;
        for (uint32_t j = random.below(4) + 1; j > 0; j--) {
            const size_t at = random.below(static_cast<uint32_t>(changed.size()));
            const char* const pieces[] = {"9",  " ", "\n", "a",
                                          "0", "person ", "18446744073709551615"};
            const std::string piece = pieces[random.below(7)];
            if (random.below(2) == 0) {
                changed.replace(at, 1, piece);
            } else {
                changed.insert(at, piece);
            }
        }
        if (try_it(TestPeople::with_sum(changed)) != Status::ok) continue;
        taken++;
        for (uint32_t person = 0; person < 3; person++) {
            EXPECT_LE(other.penalties.people[person].points, 20u);
            EXPECT_LE(other.penalties.people[person].until_ms, other.now + 15 * minute);
        }
        people.save(other);  // It can be written again.
    }
    EXPECT_GT(taken, 1000u);
}

TEST(PenaltiesText, OnlyWhatSurvivesCountsAsAChange) {
    TestPenalties one;
    const Attempt home = one.attempt(alice, "192.0.2.1", "kitchen");
    const auto changes = [&] { return one.penalties.changes; };
    one.fail(one.attempt(row_none, "192.0.2.1", "kitchen", "nobody"));
    EXPECT_EQ(changes(), 0u);
    one.succeed(home);
    EXPECT_EQ(changes(), 1u);
    one.succeed(home);
    one.now += day - 1;
    one.succeed(home);
    EXPECT_EQ(changes(), 1u);
    one.now += 1;
    one.succeed(home);
    EXPECT_EQ(changes(), 2u);
    one.fail(home);
    EXPECT_EQ(changes(), 3u);
    one.succeed(home);
    EXPECT_EQ(changes(), 4u);
}
