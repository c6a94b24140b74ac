#include "service/sensor.h"

#include "base/check.h"
#include "port.h"

namespace {

void fail(Sensor& sensor, const char* why) {
    sensor.outcome = Status::failed;
    sensor.why = why;
}

// What the outcome of a read means for who asked.
const char* why_unread(Status outcome) {
    if (outcome == Status::absent) return "its file is not there";
    if (outcome == Status::noperm) return "its file may not be read";
    if (outcome == Status::invalid) return "its file is no regular file";
    if (outcome == Status::full) return "its file is longer than a reading is";
    return "its file cannot be read";
}

void take_value(Sensor& sensor, int32_t milli) {
    sensor.milli = milli;
    sensor.why = nullptr;
    sensor.outcome = Status::ok;
}

// P11: the port's one source.
void draw(Sensor& sensor, uint64_t now_ms) {
    constexpr uint64_t count = 2 * static_cast<uint64_t>(sensor_simulated_milli_max) + 1;
    uint8_t bytes[8];
    sensor.known = true;
    sensor.taken_ms = now_ms;
    if (!port_random(bytes, sizeof bytes)) {
        fail(sensor, "the system gives no random bytes");
        return;
    }
    Reader reader = reader_of({bytes, sizeof bytes});
    const int32_t drawn = static_cast<int32_t>(get_u64(reader) % count);
    take_value(sensor, drawn - sensor_simulated_milli_max);
}

void want(Sensor& sensor, SensorText text) {
    Writer path = writer_of(reinterpret_cast<uint8_t*>(sensor.path), sensor_path_size_max);
    put_sensor_path(path, sensor.source, sensor.root, text);
    CHECK(!path.overflow);
    sensor.path[path.size] = '\0';
    sensor.text = text;
    sensor.wanted = true;
}

}  // namespace

void sensor_init(Sensor& sensor, Slice option, const char* root) {
    sensor = {};
    sensor.root = root;
    sensor.outcome = Status::failed;
    const Status status = sensor_parse(option, sensor.source);
    CHECK(status == Status::ok);
}

Status sensor_ask(Sensor& sensor, uint64_t now_ms) {
    if (sensor.source.kind == SensorKind::none) {
        fail(sensor, "there is none; [server] temperature names one");
        return Status::failed;
    }
    if (sensor.known && now_ms - sensor.taken_ms < sensor_fresh_ms) return sensor.outcome;
    if (sensor.source.kind == SensorKind::simulated) {
        draw(sensor, now_ms);
        return sensor.outcome;
    }
    if (sensor.wanted || sensor.reading) {
        return sensor.told_silent ? sensor.outcome : Status::pending;
    }
    sensor.known = false;
    sensor.asked_ms = now_ms;
    sensor.told_silent = false;
    want(sensor, sensor.source.kind == SensorKind::file ? SensorText::degrees
                                                        : SensorText::thousandths);
    return Status::pending;
}

bool sensor_read_take(Sensor& sensor, SensorRead& out) {
    if (!sensor.wanted || sensor.reading) return false;
    sensor.wanted = false;
    sensor.reading = true;
    out = {sensor.path, sensor.bytes, sensor_text_size_max};
    return true;
}

bool sensor_read_done(Sensor& sensor, Status outcome, uint32_t size, uint64_t now_ms) {
    CHECK(sensor.reading && size <= sensor_text_size_max);
    sensor.reading = false;
    const bool has_other =
        sensor.source.kind == SensorKind::w1 && sensor.text == SensorText::thousandths;
    if (outcome == Status::absent && has_other) {
        want(sensor, SensorText::w1_lines);
        return false;
    }
    sensor.known = true;
    sensor.taken_ms = now_ms;
    if (outcome != Status::ok) {
        fail(sensor, why_unread(outcome));
        return true;
    }
    int32_t milli = 0;
    const char* why = nullptr;
    if (temperature_parse(sensor.source.kind, sensor.text, {sensor.bytes, size}, milli, why) ==
        Status::ok) {
        take_value(sensor, milli);
    } else {
        fail(sensor, why);
    }
    return true;
}

bool sensor_falls_silent(Sensor& sensor, uint64_t now_ms) {
    if (!sensor.wanted && !sensor.reading) return false;
    if (sensor.told_silent || now_ms - sensor.asked_ms < sensor_wait_ms_max) return false;
    sensor.told_silent = true;
    sensor.known = false;
    fail(sensor, "it has not answered for 3 seconds");
    return true;
}
