// What is asked beside money: TELL TIME CLOCK DATE TEMPERATURE, for people and for laboratories.

#include "unit/test_port.h"
#include "unit/test_server.h"

namespace {

// What a worker does: takes the one wish for the sensor's file, if there is one.
bool take_sensor(TestServer& one, Wish& wish) {
    return server_wish_take(one.server, wish) && wish.kind == WishKind::sensor;
}

void answer_sensor(TestServer& one, Wish& wish, const std::string& text) {
    memcpy(wish.memory, text.data(), text.size());
    wish.size = static_cast<uint32_t>(text.size());
    wish.outcome = Status::ok;
    server_wish_done(one.server, wish);
}

// As a laboratory channel's session is: nobody's, from no terminal.
uint32_t connect_lab(TestServer& one) {
    const uint32_t index = one.connect("alice");
    one.session(index).caller.lab = true;
    one.session(index).caller.person = row_none;
    one.session(index).caller.terminal = {};
    return index;
}

constexpr const char* warm =
    "*6\r\n$11\r\ntemperature\r\n$6\r\n48.312\r\n$4\r\nunit\r\n$7\r\ncelsius\r\n$6\r\nsource\r\n"
    "$9\r\nthermal:0\r\n";

}  // namespace

TEST(Info, AnswersAllWhoWaitForTheSensorWithOneRead) {
    TestServer one;
    sensor_init(one.server.service.sensor, slice_of("thermal"), "/sys");
    const uint32_t alice = one.connect("alice");
    const uint32_t bob = one.connect("bob");
    const uint32_t lab = connect_lab(one);
    EXPECT_EQ(one.say(alice, "TEMPERATURE\r\nPING\r\n"), "");
    EXPECT_EQ(one.say(bob, "temperature\r\n"), "");
    EXPECT_EQ(one.say(lab, "TEMPERATURE\r\n"), "");
    Wish wish;
    ASSERT_TRUE(take_sensor(one, wish));
    EXPECT_STREQ(wish.path, "/sys/class/thermal/thermal_zone0/temp");
    Wish other;
    EXPECT_FALSE(server_wish_take(one.server, other));
    // A commit in between is not what they wait for.
    one.pay_in("between", "bob", "", 1);
    EXPECT_TRUE(one.commit());
    EXPECT_EQ(one.take(alice), "");
    EXPECT_FALSE(server_wish_take(one.server, other));
    answer_sensor(one, wish, "48312\n");
    EXPECT_EQ(one.take(alice), std::string(warm) + "+PONG\r\n");
    EXPECT_EQ(one.take(bob), warm);
    EXPECT_EQ(one.take(lab), warm);
    // What is known is told at once for a second.
    EXPECT_EQ(one.say(bob, "TEMPERATURE\r\n"), warm);
    server_clock(one.server, 2000, 2'000'000, 0);
    EXPECT_EQ(one.say(bob, "TEMPERATURE\r\n"), "");
    ASSERT_TRUE(take_sensor(one, wish));
    answer_sensor(one, wish, "nothing");
    EXPECT_EQ(one.take(bob), "-ERR sensor thermal:0: what its file says is no temperature\r\n");
}

TEST(Info, LogsAFailingSensorOnceAndWhenItAnswersAgain) {
    TestServer one;
    sensor_init(one.server.service.sensor, slice_of("file:/run/\x7ft"), "/sys");
    const uint32_t alice = one.connect("alice");
    test_log_take();
    std::string lines;
    uint64_t now_ms = 1000;
    for (const char* text : {"21.5", "x", "x", "x", "2000", "21.5", "21.5"}) {
        now_ms += 1000;
        server_clock(one.server, now_ms, now_ms * 1000, 0);
        one.say(alice, "TEMPERATURE\r\n");
        Wish wish;
        ASSERT_TRUE(take_sensor(one, wish));
        answer_sensor(one, wish, text);
        one.take(alice);
    }
    for (const TestLogLine& line : test_log_take()) lines += line.text + "\n";
    const std::string file = "file /run/\\x7ft";
    EXPECT_EQ(lines,
              "the sensor tells no temperature " + file +
                  " because what its file says is no temperature\n"
                  "the sensor tells no temperature " + file +
                  " because it says what cannot be, less than -273.15 or more than 1000 degrees\n"
                  "the sensor answers " + file + "\n");
}

TEST(Info, KeepsNobodyWaitingForASensorThatDoesNotAnswer) {
    TestServer one;
    sensor_init(one.server.service.sensor, slice_of("thermal"), "/sys");
    const uint32_t alice = one.connect("alice");
    const uint32_t bob = one.connect("bob");
    EXPECT_EQ(one.say(alice, "TEMPERATURE\r\n"), "");
    Wish wish;
    ASSERT_TRUE(take_sensor(one, wish));
    server_clock(one.server, 1000 + sensor_wait_ms_max - 1, 1'000'000, 0);
    server_tick(one.server);
    EXPECT_EQ(one.take(alice), "");
    server_clock(one.server, 1000 + sensor_wait_ms_max, 1'000'000, 0);
    server_tick(one.server);
    const std::string silent = "-ERR sensor thermal:0: it has not answered for 3 seconds\r\n";
    EXPECT_EQ(one.take(alice), silent);
    EXPECT_EQ(one.say(bob, "TEMPERATURE\r\n"), silent);
    // Who has gone meanwhile is not answered, and leaves nothing behind.
    server_peer_closed(one.server, alice, "reset");
    one.close(alice);
    answer_sensor(one, wish, "48312\n");
    EXPECT_EQ(one.say(bob, "TEMPERATURE\r\n"), warm);
}

TEST(Info, ASessionThatWaitsForTheSensorMayEnd) {
    TestServer one;
    sensor_init(one.server.service.sensor, slice_of("thermal"), "/sys");
    const uint32_t alice = one.connect("alice");
    const uint32_t bob = one.connect("bob");
    EXPECT_EQ(one.say(alice, "TEMPERATURE\r\n"), "");
    EXPECT_EQ(one.say(bob, "TEMPERATURE\r\n"), "");
    Wish wish;
    ASSERT_TRUE(take_sensor(one, wish));
    server_peer_closed(one.server, alice, "reset");
    one.close(alice);
    const uint32_t carol = one.connect("carol");  // In the slot that alice had.
    EXPECT_EQ(carol, alice);
    answer_sensor(one, wish, "48312\n");
    EXPECT_EQ(one.take(carol), "");
    EXPECT_EQ(one.take(bob), warm);
    EXPECT_EQ(one.say(carol, "PING\r\n"), "+PONG\r\n");
}

TEST(Info, TellsTheLocalTimeByTheOffsetThatThePortTells) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    const uint64_t spring_us = 1'774'745'999'999'999;
    server_clock(one.server, 1000, spring_us, 3600);
    EXPECT_EQ(one.say(alice, "CLOCK\r\n"), "$32\r\n2026-03-29T01:59:59.999999+01:00\r\n");
    EXPECT_EQ(one.say(alice, "DATE\r\n"), "$10\r\n2026-03-29\r\n");
    server_clock(one.server, 1000, spring_us + 1, 7200);
    EXPECT_EQ(one.say(alice, "CLOCK\r\n"), "$32\r\n2026-03-29T03:00:00.000000+02:00\r\n");
    server_clock(one.server, 1000, spring_us, -36'000);
    EXPECT_EQ(one.say(alice, "DATE\r\n"), "$10\r\n2026-03-28\r\n");
    EXPECT_EQ(one.say(alice, "TIME\r\n"), "*2\r\n$10\r\n1774745999\r\n$6\r\n999999\r\n");
    // No port can tell what has no place on a clock.
    server_clock(one.server, 1000, 0, INT32_MIN);
    EXPECT_EQ(one.say(alice, "CLOCK\r\n"), "$35\r\n1969-12-31T00:00:01.000000-23:59:59\r\n");
    server_clock(one.server, 1000, 0, INT32_MAX);
    EXPECT_EQ(one.say(alice, "DATE\r\n"), "$10\r\n1970-01-01\r\n");
}

TEST(Info, LogsWhatIsToldOnOneLineAndNoMoreOfItThanTheBudget) {
    TestServer one;
    const uint32_t alice = one.connect("alice");
    const uint32_t bob = one.connect("bob");
    const uint32_t lab = connect_lab(one);
    const uint32_t other_lab = connect_lab(one);
    test_log_take();
    EXPECT_EQ(one.say(alice, "*2\r\n$4\r\nTELL\r\n$12\r\na\r\nb\" \\\x1b\xff\xc2\x9b!\r\n"),
              "$20\r\nHello from the bank.\r\n");
    EXPECT_EQ(one.say(lab, "TELL hello\r\n"), "$20\r\nHello from the bank.\r\n");
    const std::vector<TestLogLine> lines = test_log_take();
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].text, "told session 1 terminal kiosk person alice text \"a\\x0d\\x0ab\\x22 "
                             "\\x5c\\x1b\\xff\\xc2\\x9b!\"");
    EXPECT_EQ(lines[1].text, "told session 3 text \"hello\"");

    const std::string longest(told_size_max, '\x01');
    const std::string head = "*2\r\n$4\r\nTELL\r\n$";
    EXPECT_EQ(one.say(alice, head + "255\r\n" + longest + "\r\n")[0], '$');
    const std::string line = test_log_take().at(0).text;
    EXPECT_LE(line.size(), port_log_size_max);
    EXPECT_EQ(line.substr(line.size() - 5), "\\x01\"");
    EXPECT_EQ(one.say(alice, head + "256\r\n" + longest + "x\r\n"),
              "-ERR a text of 256 bytes; the log takes at most 255\r\n");
    for (uint32_t i = 2; i < told_per_minute; i++) {
        EXPECT_EQ(one.say(alice, "TELL again\r\n")[0], '$') << i;
    }
    for (uint32_t i = 1; i < told_per_minute; i++) {
        EXPECT_EQ(one.say(other_lab, "TELL again\r\n")[0], '$') << i;
    }
    test_log_take();
    // Those whom nobody knows share one budget, and nobody's is that of a person.
    for (const uint32_t full : {alice, lab, other_lab}) {
        EXPECT_EQ(one.say(full, "TELL more\r\n"),
                  "-BUSY enough was told in this minute; try later\r\n");
    }
    EXPECT_TRUE(test_log_take().empty());
    EXPECT_EQ(one.say(bob, "TELL more\r\n")[0], '$');
    server_clock(one.server, 61'000, 61'000'000, 0);
    EXPECT_EQ(one.say(alice, "TELL more\r\n")[0], '$');
    EXPECT_EQ(one.say(lab, "TELL more\r\n")[0], '$');
}

// P9
TEST(Info, LetsALaboratoryAskWhatIsHarmlessAndNothingElse) {
    TestServer one;
    sensor_init(one.server.service.sensor, slice_of("simulated"), "/sys");
    const uint32_t lab = connect_lab(one);
    for (const char* word : {"TIME", "CLOCK", "DATE", "TEMPERATURE", "TELL x", "PING", "ECHO x"}) {
        EXPECT_NE(one.say(lab, std::string(word) + "\r\n")[0], '-') << word;
    }
    for (const char* word : {"WHOAMI", "BALANCE", "INFO", "TRANSFER a bob 1", "AUTH alice x"}) {
        EXPECT_EQ(one.say(lab, std::string(word) + "\r\n"),
                  "-NOPERM a laboratory channel carries no such command\r\n") << word;
    }
}
