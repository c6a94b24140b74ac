#include "penny/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

namespace {

struct Walk {
    uint8_t header[6];  // and the first byte behind it, which names a handshake message
    uint32_t header_size;
    uint32_t left;      // bytes of the record that have not passed
};

bool on;
timespec started;
Walk walks[2];

const char* message_name(uint8_t type) {
    switch (type) {
        case 1: return "client hello";
        case 2: return "server hello";
        case 11: return "certificate";
        default: return "message";
    }
}

void tell_record(Direction direction, const Walk& walk) {
    const char* arrow = direction == Direction::sent ? "-->" : "<--";
    const unsigned size = static_cast<unsigned>(walk.header[3] << 8 | walk.header[4]);
    switch (walk.header[0]) {
        case 20: explain("%s change of cipher, %u bytes", arrow, size); return;
        case 21: explain("%s alert, %u bytes", arrow, size); return;
        case 22:
            explain("%s handshake: %s, %u bytes", arrow, message_name(walk.header[5]), size);
            return;
        case 23: explain("%s sealed record, %u bytes", arrow, size); return;
        default: explain("%s bytes that are no TLS record", arrow); return;
    }
}

// Takes one byte of the wire.
void step(Direction direction, Walk& walk, uint8_t byte) {
    if (walk.header_size < sizeof walk.header) {
        walk.header[walk.header_size++] = byte;
        if (walk.header_size == 5) {
            walk.left = static_cast<uint32_t>(walk.header[3] << 8 | walk.header[4]);
        }
        if (walk.header_size == sizeof walk.header) {
            tell_record(direction, walk);
            if (walk.left > 0) walk.left--;
        }
    } else {
        walk.left--;
    }
    if (walk.header_size == sizeof walk.header && walk.left == 0) walk.header_size = 0;
}

}  // namespace

void explain_start() {
    on = true;
    clock_gettime(CLOCK_MONOTONIC, &started);
}

bool explain_is_on() { return on; }

void explain(const char* format, ...) {
    if (!on) return;
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double ms = static_cast<double>(now.tv_sec - started.tv_sec) * 1000.0 +
                      static_cast<double>(now.tv_nsec - started.tv_nsec) / 1000000.0;
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%9.1f ms  ", ms);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
}

void explain_connection() {
    walks[0] = {};
    walks[1] = {};
}

void explain_bytes(Direction direction, Slice bytes) {
    if (!on) return;
    Walk& walk = walks[direction == Direction::sent ? 0 : 1];
    for (uint32_t i = 0; i < bytes.size; i++) step(direction, walk, bytes.data[i]);
}
