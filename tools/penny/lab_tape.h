// lab_tape.h - somebody on the line who only listens: the bytes of both directions, as they passed.
#pragma once

#include "penny/connection.h"

inline constexpr uint32_t lab_tape_size_max = 65536;  // bytes of one direction that are kept

struct LabTape {
    ConnectionTap tap;
    uint32_t sent_size;
    uint32_t received_size;
    bool overflow;  // more passed than is kept
    uint8_t sent[lab_tape_size_max];
    uint8_t received[lab_tape_size_max];
};

// Readies an empty tape, which must not be moved while its tap is in use.
void lab_tape_init(LabTape& tape);
