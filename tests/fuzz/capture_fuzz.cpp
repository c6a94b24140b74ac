// capture_fuzz.cpp - recordings of other programs, and xor channels in them. Input: a file.
#include <string.h>

#include "fuzz/fuzz.h"
#include "penny/capture.h"
#include "penny/lab_eavesdrop.h"

namespace {

Capture capture;
CaptureBytes client;
CaptureBytes server;
XorSpoils spoils;

// Every refusal has a sentence.
void check_reason(const char* reason, size_t size) {
    CHECK(reason[0] != '\0' && memchr(reason, '\0', size) != nullptr);
}

void check_segments(Slice file) {
    CHECK(capture.segment_count <= capture.packet_count);
    for (uint32_t i = 0; i < capture.segment_count; i++) {
        const CaptureSegment& segment = capture.segments[i];
        CHECK(segment.stream < capture.stream_count && segment.end < 2);
        CHECK(segment.packet >= 1 && segment.packet <= capture.packet_count);
        if (segment.bytes.size == 0) continue;
        CHECK(segment.bytes.data >= file.data);
        CHECK(segment.bytes.data + segment.bytes.size <= file.data + file.size);
    }
}

// C3: no more comes out than the packets of that end brought.
void check_joined(uint32_t stream, uint8_t end, const CaptureBytes& bytes) {
    uint64_t brought = 0;
    for (uint32_t i = 0; i < capture.segment_count; i++) {
        const CaptureSegment& segment = capture.segments[i];
        if (segment.stream == stream && segment.end == end) brought += segment.bytes.size;
    }
    CHECK(bytes.size <= brought && bytes.size <= capture_stream_size_max);
}

bool join(uint32_t stream, uint8_t end, CaptureBytes& bytes) {
    const Status status = capture_join(capture, stream, end, bytes);
    if (status != Status::ok) check_reason(capture.reason, sizeof capture.reason);
    if (status == Status::ok) check_joined(stream, end, bytes);
    return status == Status::ok;
}

void try_stream(uint32_t stream) {
    char text[capture_end_size_max];
    for (const CaptureEnd& end : capture.streams[stream].ends) capture_end_text(end, text);
    const uint8_t end = capture.streams[stream].client;
    CHECK(end < 2);
    if (!join(stream, end, client) || !join(stream, static_cast<uint8_t>(1 - end), server)) return;
    const Overheard overheard = {client.bytes, client.size, server.bytes, server.size};
    const Status status = xor_break(overheard, spoils);
    CHECK((status == Status::more) != xor_has_passes(client.size, server.size));
    if (status == Status::invalid) check_reason(spoils.reason, sizeof spoils.reason);
    if (status != Status::ok) return;
    fuzz_mark_reached();
#if PLANT
    // The seeds' key counts from 0.
    for (uint8_t i = 0; i < xor_key_size; i++) {
        if (spoils.key[i] != i) fuzz_mark_planted();
    }
#endif
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Slice file = {data, static_cast<uint32_t>(size)};
    const Status status = capture_read(capture, file);
    if (status != Status::ok) check_reason(capture.reason, sizeof capture.reason);
    check_segments(file);
    if (status != Status::ok) return 0;
    for (uint32_t i = 0; i < capture.stream_count; i++) try_stream(i);
    return 0;
}
