#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "penny/capture_parts.h"

namespace {

bool is_same_end(const CaptureEnd& a, const CaptureEnd& b) {
    return a.port == b.port && a.address_size == b.address_size &&
           memcmp(a.address, b.address, sizeof a.address) == 0;
}

// A SYN that begins to count elsewhere opens another connection between the same two ends.
bool is_next(const CaptureStream& stream, uint8_t end, const CaptureTcp& tcp) {
    return tcp.syn && stream.has_first[end] && stream.first_seq[end] != tcp.seq + 1;
}

// Finds the newest connection between these ends, or makes one. Returns full at the limit.
Status find_stream(Capture& capture, const CaptureTcp& tcp, uint16_t& out, uint8_t& out_end) {
    for (uint32_t i = capture.stream_count; i > 0; i--) {
        const CaptureStream& stream = capture.streams[i - 1];
        uint8_t end = 0;
        if (!is_same_end(stream.ends[0], tcp.from)) end = 1;
        if (!is_same_end(stream.ends[end], tcp.from)) continue;
        if (!is_same_end(stream.ends[1 - end], tcp.to)) continue;
        if (is_next(stream, end, tcp) && !tcp.ack) break;
        out = static_cast<uint16_t>(i - 1);
        out_end = end;
        return Status::ok;
    }
    if (capture.stream_count == capture_streams_max) {
        return capture_refuse(capture, Status::full, "the file has more than %u connections",
                              capture_streams_max);
    }
    CaptureStream& stream = capture.streams[capture.stream_count];
    stream = {};
    stream.ends[0] = tcp.from;
    stream.ends[1] = tcp.to;
    out = static_cast<uint16_t>(capture.stream_count++);
    out_end = 0;
    return Status::ok;
}

void note_sum(CaptureStream& stream, const CaptureTcp& tcp) {
    switch (tcp.sum) {
        case CaptureSum::right: return;
        case CaptureSum::left_to_card: stream.left_to_card = true; return;
        case CaptureSum::wrong:
            if (stream.wrong_packet == 0) stream.wrong_packet = tcp.packet;
            return;
        case CaptureSum::unknown:
            if (stream.cut_packet == 0) stream.cut_packet = tcp.packet;
            return;
    }
    CHECK(false);
}

// Who opened the connection and where each end begins to count.
void note_begin(CaptureStream& stream, uint8_t end, const CaptureTcp& tcp) {
    if (tcp.syn) {
        stream.has_first[end] = true;
        stream.first_seq[end] = tcp.seq + 1;
        stream.has_client = true;
        stream.client = tcp.ack ? static_cast<uint8_t>(1 - end) : end;
    } else if (!stream.has_client && !stream.has_bytes && tcp.bytes.size > 0) {
        stream.client = end;
    }
    stream.has_bytes = stream.has_bytes || tcp.bytes.size > 0;
}

// Where an end begins to count: at its SYN, or at the earliest byte that was recorded.
bool find_first(const Capture& capture, uint32_t stream, uint8_t end, uint32_t& out) {
    bool found = capture.streams[stream].has_first[end];
    out = capture.streams[stream].first_seq[end];
    if (found) return true;
    for (uint32_t i = 0; i < capture.segment_count; i++) {
        const CaptureSegment& segment = capture.segments[i];
        if (segment.stream != stream || segment.end != end || segment.bytes.size == 0) continue;
        if (!found || static_cast<int32_t>(segment.seq - out) < 0) out = segment.seq;
        found = true;
    }
    return found;
}

bool has(const CaptureBytes& bytes, uint32_t at) {
    return (bytes.has[at / 8] >> (at % 8) & 1) != 0;
}

// Puts a segment in its place, but for what lies in front of the first byte: with such a one some
// systems ask whether the other end is still there. An empty one, a FIN, has a place as well, and
// shows when bytes in front of it are missing.
Status place(Capture& capture, const CaptureSegment& segment, uint32_t first, CaptureBytes& out,
             uint32_t& end) {
    const int64_t start = static_cast<int32_t>(segment.seq - first);
    const int64_t behind = start + segment.bytes.size;
    if (behind > capture_stream_size_max) {
        return capture_refuse(capture, Status::full,
                              "packet %u is more than %u bytes behind the connection's beginning",
                              segment.packet, capture_stream_size_max);
    }
    for (uint32_t i = 0; i < segment.bytes.size; i++) {
        if (start + i < 0) continue;
        const uint32_t at = static_cast<uint32_t>(start + i);
        if (has(out, at) && out.bytes[at] != segment.bytes.data[i]) {
            return capture_refuse(capture, Status::invalid,
                                  "packet %u has other bytes than an earlier one had for the same "
                                  "place: a byte was changed",
                                  segment.packet);
        }
        out.bytes[at] = segment.bytes.data[i];
        out.has[at / 8] = static_cast<uint8_t>(out.has[at / 8] | 1u << at % 8);
    }
    if (behind > end) end = static_cast<uint32_t>(behind);
    return Status::ok;
}

}  // namespace

Status capture_take_tcp(Capture& capture, const CaptureTcp& tcp) {
    uint16_t number = 0;
    uint8_t end = 0;
    const Status status = find_stream(capture, tcp, number, end);
    if (status != Status::ok) return status;
    CaptureStream& stream = capture.streams[number];
    note_sum(stream, tcp);
    note_begin(stream, end, tcp);
    if (tcp.bytes.size == 0 && !tcp.fin) return Status::ok;
    if (capture.segment_count == capture_segments_max) {
        return capture_refuse(capture, Status::full, "more than %u packets carry bytes",
                              capture_segments_max);
    }
    capture.segments[capture.segment_count++] = {
        .bytes = tcp.bytes,
        .packet = tcp.packet,
        .seq = tcp.syn ? tcp.seq + 1 : tcp.seq,
        .stream = number,
        .end = end,
    };
    return Status::ok;
}

Status capture_join(Capture& capture, uint32_t stream, uint8_t end, CaptureBytes& out) {
    CHECK(stream < capture.stream_count && end < 2);
    memset(out.has, 0, sizeof out.has);
    out.size = 0;
    uint32_t first = 0;
    if (!find_first(capture, stream, end, first)) return Status::ok;
    uint32_t size = 0;
    for (uint32_t i = 0; i < capture.segment_count; i++) {
        const CaptureSegment& segment = capture.segments[i];
        if (segment.stream != stream || segment.end != end) continue;
        const Status status = place(capture, segment, first, out, size);
        if (status != Status::ok) return status;
    }
    while (out.size < size && has(out, out.size)) out.size++;
    if (out.size == size) return Status::ok;
    char sender[capture_end_size_max];
    capture_end_text(capture.streams[stream].ends[end], sender);
    return capture_refuse(capture, Status::invalid,
                          "byte %u of what %s sent was not recorded, but what follows was",
                          out.size, sender);
}

void capture_end_text(const CaptureEnd& end, char out[capture_end_size_max]) {
    char address[INET6_ADDRSTRLEN] = "?";
    const bool is_ipv6 = end.address_size == 16;
    inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, end.address, address, sizeof address);
    snprintf(out, capture_end_size_max, is_ipv6 ? "[%s]:%u" : "%s:%u", address, end.port);
}
