#include "penny/lab_tape.h"

#include <string.h>

namespace {

void keep(LabTape& tape, uint8_t* bytes, uint32_t& size, Slice in) {
    if (in.size > lab_tape_size_max - size) {
        tape.overflow = true;
        return;
    }
    memcpy(bytes + size, in.data, in.size);
    size += in.size;
}

void pass_sent(void* context, Slice in, Writer& out) {
    LabTape& tape = *static_cast<LabTape*>(context);
    keep(tape, tape.sent, tape.sent_size, in);
    put_bytes(out, in);
}

void pass_received(void* context, Slice in, Writer& out) {
    LabTape& tape = *static_cast<LabTape*>(context);
    keep(tape, tape.received, tape.received_size, in);
    put_bytes(out, in);
}

}  // namespace

void lab_tape_init(LabTape& tape) {
    tape.tap = {pass_sent, pass_received, &tape};
    tape.sent_size = 0;
    tape.received_size = 0;
    tape.overflow = false;
}
