// temperature_fuzz.cpp - what a sensor's file may hold. Input: a source as the configuration has it,
// alone in its line, and the bytes of the file.
#include "base/temperature.h"

#include <string.h>

#include "fuzz/fuzz.h"

namespace {

// C1: within what can be, and the same again as it is shown.
void check_taken(SensorKind kind, int32_t milli) {
    uint8_t text[16];
    int32_t again = 0;
    const char* why = nullptr;
    CHECK(milli >= (kind == SensorKind::w1 ? -55'000 : -273'150));
    CHECK(milli <= (kind == SensorKind::w1 ? 125'000 : 1'000'000));
    CHECK(kind != SensorKind::w1 || milli != 85'000);
    Writer shown = writer_of(text, sizeof text);
    put_temperature(shown, milli);
    CHECK(!shown.overflow);
    CHECK(temperature_parse(kind, SensorText::degrees, writer_slice(shown), again, why) ==
          Status::ok);
    CHECK(again == milli);
    fuzz_mark_reached();
#if PLANT
    if (milli != 21'437 && milli != 48'312 && milli != 23'125) fuzz_mark_planted();
#endif
}

void check_source(const SensorSource& source) {
    uint8_t text[sensor_path_size_max];
    Writer name = writer_of(text, sizeof text);
    put_sensor_name(name, source);
    CHECK(!name.overflow && name.size > 0 && name.size < 32);
    if (source.kind == SensorKind::none || source.kind == SensorKind::simulated) return;
    for (const SensorText form : {SensorText::thousandths, SensorText::w1_lines}) {
        Writer path = writer_of(text, sizeof text);
        put_sensor_path(path, source, "/sys", form);
        CHECK(!path.overflow && text[0] == '/');
        // No device's name leads out of its folder.
        if (source.kind == SensorKind::file) continue;
        for (uint32_t i = 0; i + 1 < path.size; i++) CHECK(text[i] != '.' || text[i + 1] != '.');
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const void* end = size == 0 ? nullptr : memchr(data, '\n', size);
    if (end == nullptr) return 0;
    const uint32_t head = static_cast<uint32_t>(static_cast<const uint8_t*>(end) - data);
    const Slice reading = {data + head + 1, static_cast<uint32_t>(size) - head - 1};
    SensorSource source = {};
    if (sensor_parse({data, head}, source) != Status::ok) return 0;
    check_source(source);
    for (const SensorText form :
         {SensorText::thousandths, SensorText::w1_lines, SensorText::degrees}) {
        int32_t milli = INT32_MIN;
        const char* why = nullptr;
        if (temperature_parse(source.kind, form, reading, milli, why) == Status::ok) {
            check_taken(source.kind, milli);
        } else {
            CHECK(milli == INT32_MIN && why != nullptr);
        }
    }
    return 0;
}
