// The sensor: who waits, what holds for a second, one read at a time (C2), and never a number for
// what is none (C3). And the file that a worker reads.
#include "service/sensor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <string>

#include "posix/sensor_file.h"
#include "unit/slices.h"
#include "unit/test_port.h"

namespace {

struct TestSensor {
    explicit TestSensor(const char* option) { sensor_init(sensor, slice_of(option), "/sys"); }
    // What is answered: the thousandths, "..." while it waits, or why not.
    std::string ask(uint64_t now_ms) {
        const Status status = sensor_ask(sensor, now_ms);
        if (status == Status::pending) return "...";
        return status == Status::ok ? std::to_string(sensor.milli) : sensor.why;
    }
    // The path that is to be read; "" when none is.
    std::string take() { return sensor_read_take(sensor, read) ? read.path : ""; }
    bool done(const std::string& text, uint64_t now_ms) {
        EXPECT_LE(text.size(), read.size);
        memcpy(read.memory, text.data(), text.size());
        return sensor_read_done(sensor, Status::ok, static_cast<uint32_t>(text.size()), now_ms);
    }
    Sensor sensor;
    SensorRead read = {};
};

constexpr const char* zone_path = "/sys/class/thermal/thermal_zone0/temp";
constexpr const char* device = "w1:28-0123456789ab";

}  // namespace

TEST(Sensor, OneReadAnswersAllWhoAskedAndHoldsForASecond) {
    TestSensor one("thermal");
    EXPECT_EQ(one.take(), "");  // Nobody has asked.
    EXPECT_EQ(one.ask(1000), "...");
    EXPECT_EQ(one.ask(1001), "...");
    EXPECT_EQ(one.take(), zone_path);
    EXPECT_EQ(one.take(), "");
    EXPECT_EQ(one.ask(1002), "...");
    EXPECT_EQ(one.take(), "");
    EXPECT_TRUE(one.done("48312\n", 1100));
    EXPECT_EQ(one.ask(1100), "48312");
    EXPECT_EQ(one.ask(2099), "48312");
    EXPECT_EQ(one.take(), "");
    EXPECT_EQ(one.ask(2100), "...");
    EXPECT_EQ(one.take(), zone_path);
    EXPECT_TRUE(one.done("48313\n", 2101));
    EXPECT_EQ(one.ask(2101), "48313");
}

TEST(Sensor, AFailureHoldsForASecondTooAndIsNeverTheNumberBefore) {
    TestSensor one("thermal");
    one.ask(1000);
    one.take();
    one.done("48312", 1000);
    EXPECT_EQ(one.ask(2000), "...");
    one.take();
    EXPECT_TRUE(sensor_read_done(one.sensor, Status::failed, 0, 2000));
    EXPECT_EQ(one.ask(2000), "its file cannot be read");
    EXPECT_EQ(one.ask(2999), "its file cannot be read");
    EXPECT_EQ(one.take(), "");
    EXPECT_EQ(one.ask(3000), "...");
    one.take();
    one.done("nonsense", 3000);
    EXPECT_EQ(one.ask(3000), "what its file says is no temperature");
    EXPECT_EQ(one.ask(4000), "...");
    one.take();
    one.done("1", 4000);
    EXPECT_EQ(one.ask(4000), "1");
    EXPECT_EQ(one.sensor.why, nullptr);
}

TEST(Sensor, EveryWayAFileCannotBeReadHasItsSentence) {
    const struct {
        Status outcome;
        const char* why;
    } rows[] = {{Status::absent, "its file is not there"},
                {Status::noperm, "its file may not be read"},
                {Status::invalid, "its file is no regular file"},
                {Status::full, "its file is longer than a reading is"},
                {Status::failed, "its file cannot be read"}};
    for (const auto& row : rows) {
        TestSensor one("file:/run/t");
        one.ask(1000);
        EXPECT_EQ(one.take(), "/run/t");
        EXPECT_TRUE(sensor_read_done(one.sensor, row.outcome, 0, 1000));
        EXPECT_EQ(one.ask(1000), row.why);
    }
}

TEST(Sensor, AnOlderKernelsFileIsReadWhereTheNewOneIsNotThere) {
    TestSensor one(device);
    one.ask(1000);
    EXPECT_EQ(one.take(), "/sys/bus/w1/devices/28-0123456789ab/temperature");
    EXPECT_FALSE(sensor_read_done(one.sensor, Status::absent, 0, 1010));
    EXPECT_EQ(one.ask(1010), "...");
    EXPECT_EQ(one.take(), "/sys/bus/w1/devices/28-0123456789ab/w1_slave");
    EXPECT_TRUE(one.done("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
                         "72 01 4b 46 7f ff 0e 10 57 t=23125\n", 1020));
    EXPECT_EQ(one.ask(1020), "23125");
    // Neither is there: the device was pulled.
    EXPECT_EQ(one.ask(2020), "...");
    EXPECT_EQ(one.take(), "/sys/bus/w1/devices/28-0123456789ab/temperature");
    EXPECT_FALSE(sensor_read_done(one.sensor, Status::absent, 0, 2020));
    EXPECT_NE(one.take(), "");
    EXPECT_TRUE(sensor_read_done(one.sensor, Status::absent, 0, 2020));
    EXPECT_EQ(one.ask(2020), "its file is not there");
    // What is there and cannot be read is not looked for elsewhere.
    EXPECT_EQ(one.ask(3020), "...");
    one.take();
    EXPECT_TRUE(sensor_read_done(one.sensor, Status::failed, 0, 3020));
    EXPECT_EQ(one.ask(3020), "its file cannot be read");
}

TEST(Sensor, WhoeverWaitsTooLongIsToldSoWhileTheReadGoesOn) {
    TestSensor one("thermal");
    EXPECT_FALSE(sensor_falls_silent(one.sensor, 1'000'000));  // Nobody waits.
    one.ask(1000);
    one.take();
    EXPECT_FALSE(sensor_falls_silent(one.sensor, 1000 + sensor_wait_ms_max - 1));
    EXPECT_EQ(one.ask(1000 + sensor_wait_ms_max), "...");
    EXPECT_TRUE(sensor_falls_silent(one.sensor, 1000 + sensor_wait_ms_max));
    EXPECT_FALSE(sensor_falls_silent(one.sensor, 1000 + sensor_wait_ms_max));  // Once.
    EXPECT_EQ(one.ask(5000), "it has not answered for 3 seconds");
    EXPECT_EQ(one.ask(100'000), "it has not answered for 3 seconds");
    EXPECT_EQ(one.take(), "");  // C2
    EXPECT_TRUE(one.done("21000", 100'000));
    EXPECT_EQ(one.ask(100'000), "21000");
    // The next silence is told again.
    EXPECT_EQ(one.ask(102'000), "...");
    one.take();
    EXPECT_TRUE(sensor_falls_silent(one.sensor, 102'000 + sensor_wait_ms_max));
}

TEST(Sensor, NoneIsRefusedAndReadsNothing) {
    TestSensor one("none");
    EXPECT_EQ(one.ask(1000), "there is none; [server] temperature names one");
    EXPECT_EQ(one.take(), "");
}

TEST(Sensor, ASimulatedOneIsDrawnOnceASecondAndStaysWithinItsBounds) {
    TestSensor one("simulated");
    std::set<int32_t> drawn;
    for (uint64_t second = 1; second <= 2000; second++) {
        ASSERT_EQ(sensor_ask(one.sensor, second * 1000), Status::ok);
        const int32_t milli = one.sensor.milli;
        ASSERT_GE(milli, -100'000);
        ASSERT_LE(milli, 100'000);
        drawn.insert(milli);
        ASSERT_EQ(sensor_ask(one.sensor, second * 1000 + 999), Status::ok);
        ASSERT_EQ(one.sensor.milli, milli);
    }
    EXPECT_GT(drawn.size(), 1900u);
    EXPECT_LT(*drawn.begin(), -90'000);
    EXPECT_GT(*drawn.rbegin(), 90'000);
    EXPECT_EQ(one.take(), "");
}

TEST(Sensor, WithoutRandomBytesASimulatedOneHasNoNumber) {
    TestSensor one("simulated");
    ASSERT_EQ(sensor_ask(one.sensor, 1000), Status::ok);
    test_random_fail_after(0);
    EXPECT_EQ(one.ask(3000), "the system gives no random bytes");
    test_random_mend();
    EXPECT_EQ(one.ask(3500), "the system gives no random bytes");
    EXPECT_EQ(sensor_ask(one.sensor, 4000), Status::ok);
}

// --- The file -------------------------------------------------------------------------------

namespace {

class SensorFile : public testing::Test {
  protected:
    void SetUp() override {
        const char* base = getenv("PENNY_TMP");
        folder_ = std::string(base == nullptr ? "/tmp" : base) + "/sensor-XXXXXX";
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        path_ = folder_ + "/t";
    }
    void TearDown() override {
        unlink(path_.c_str());
        unlink((folder_ + "/link").c_str());
        rmdir(path_.c_str());
        rmdir(folder_.c_str());
    }
    void put(const std::string& text) {
        FILE* file = fopen(path_.c_str(), "wb");
        ASSERT_NE(file, nullptr);
        EXPECT_EQ(fwrite(text.data(), 1, text.size(), file), text.size());
        fclose(file);
    }
    Status read(const std::string& path, uint32_t room = sensor_text_size_max) {
        memory_.assign(room + 1, '\xee');
        uint32_t size = room;
        const Status status =
            sensor_file_read(path.c_str(), reinterpret_cast<uint8_t*>(memory_.data()), size);
        EXPECT_EQ(memory_[room], '\xee');
        EXPECT_TRUE(status == Status::ok || size == 0);
        memory_.resize(size);
        return status;
    }
    std::string folder_;
    std::string path_;
    std::string memory_;
};

}  // namespace

TEST_F(SensorFile, IsReadWholeOrNotAtAll) {
    for (const uint32_t size : {0u, 1u, 255u, 256u}) {
        put(std::string(size, '7'));
        EXPECT_EQ(read(path_), Status::ok) << size;
        EXPECT_EQ(memory_, std::string(size, '7'));
    }
    put(std::string(257, '7'));
    EXPECT_EQ(read(path_), Status::full);
    put(std::string(1 << 20, '7'));
    EXPECT_EQ(read(path_), Status::full);
    put("21.5\n");
    ASSERT_EQ(symlink("t", (folder_ + "/link").c_str()), 0);
    EXPECT_EQ(read(folder_ + "/link"), Status::ok);
    EXPECT_EQ(memory_, "21.5\n");
    // A file of the kernel's says of itself that it is empty.
    EXPECT_EQ(read("/proc/self/comm"), Status::ok);
    EXPECT_GT(memory_.size(), 0u);
}

TEST_F(SensorFile, OnlyARegularFileIsOpened) {
    EXPECT_EQ(read(path_), Status::absent);
    EXPECT_EQ(read("/dev/zero"), Status::invalid);
    EXPECT_EQ(read(folder_), Status::invalid);
    put("1");
    EXPECT_EQ(read(path_ + "/below"), Status::absent);
    unlink(path_.c_str());
    ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
    EXPECT_EQ(read(path_), Status::invalid);  // And nothing has waited for a writer.
    unlink(path_.c_str());
    ASSERT_EQ(symlink("t", path_.c_str()), 0);
    EXPECT_EQ(read(path_), Status::failed);
}
