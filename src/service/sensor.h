// sensor.h - one temperature for all who ask, read by a worker when what is known is too old.
//
// Opens no file: it says which one is wanted, and judges the bytes that somebody read. A reading
// holds for a second, and so does a failure, so that no client makes the bus any busier. All who
// ask meanwhile are answered together; who waited too long is told so, however long the file takes.
//
//              sensor_ask              sensor_read_take               sensor_read_done
//     old ───────────────► wanted ───────────────────► reading ───────────────────► fresh
//      ▲                      ▲                           │                           │
//      │                      └── without `temperature`: w1_slave                     │
//      └────────────────────────────────── sensor_fresh_ms ───────────────────────────┘
//
//   C2. At most one read is out, whoever asks and however long it takes.
//   C3. What is not a temperature is never answered with a number: `why` says what is wrong.
#pragma once

#include "base/temperature.h"

inline constexpr uint32_t sensor_fresh_ms = 1000;
inline constexpr uint32_t sensor_wait_ms_max = 3000;  // a DS18B20 takes 750
inline constexpr int32_t sensor_simulated_milli_max = 100'000;  // and as much below zero

struct Sensor {
    SensorSource source;  // its texts are the owner's
    const char* root;     // the owner's
    SensorText text;      // of the file that is wanted or read
    bool wanted;
    bool reading;         // C2
    bool told_silent;     // those who waited were told
    bool known;           // `outcome` is of taken_ms
    uint64_t asked_ms;    // when the first of those who wait asked
    uint64_t taken_ms;
    Status outcome;       // ok or failed
    int32_t milli;
    const char* why;      // a literal about the last failure; nullptr after a reading
    char path[sensor_path_size_max + 1];
    uint8_t bytes[sensor_text_size_max];
};

// What a worker is to read: at most `size` bytes of the file `path` into `memory`.
struct SensorRead {
    const char* path;
    uint8_t* memory;
    uint32_t size;
};

// `option` is a source that sensor_parse takes.
void sensor_init(Sensor& sensor, Slice option, const char* root);

// Returns ok, and `milli` holds; failed, and `why` says why there is none; pending when the answer
// comes with a read: ask again after sensor_read_done or sensor_falls_silent.
Status sensor_ask(Sensor& sensor, uint64_t now_ms);

// The read that is wanted now, if there is one. The memory is lent until sensor_read_done.
bool sensor_read_take(Sensor& sensor, SensorRead& out);

// Takes the outcome of the read: ok, and `size` bytes are in the memory; absent, noperm, invalid
// (it is no regular file), full (it is longer), failed. Returns true when those who wait are to ask
// again, false when another file is wanted first.
bool sensor_read_done(Sensor& sensor, Status outcome, uint32_t size, uint64_t now_ms);

// True once when a read takes so long that those who wait are to ask again.
bool sensor_falls_silent(Sensor& sensor, uint64_t now_ms);
