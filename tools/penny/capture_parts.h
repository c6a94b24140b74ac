// capture_parts.h - what the files of the capture reader share.
//
//     capture.cpp         packets out of pcap and pcapng
//     capture_packet.cpp  a packet down to its TCP segment, and the judgement of its checksum
//     capture_stream.cpp  segments noted by connection, and put together
#pragma once

#include "penny/capture.h"

enum class ByteOrder : uint8_t { little, big };

// As get_u16 and get_u32 (B2), in that order.
uint16_t capture_u16(Reader& in, ByteOrder order);
uint32_t capture_u32(Reader& in, ByteOrder order);

[[gnu::format(printf, 3, 4)]] Status capture_refuse(Capture& capture, Status status,
                                                    const char* format, ...);

// A packet as it was recorded.
struct CapturePacket {
    Slice bytes;
    uint32_t number;  // from 1
    bool cut;         // there was more of it
};

// Whether capture.def has it.
bool capture_has_link(uint32_t link);

// Takes a packet; what is no TCP is passed over. Returns ok, or full at a limit.
Status capture_take_packet(Capture& capture, uint32_t link, const CapturePacket& packet);

enum class CaptureSum : uint8_t {
    right,
    left_to_card,  // only what the card is to go on from: the sum of the pseudo-header
    wrong,
    unknown,       // not all of the packet was recorded
};

// A TCP segment as its packet has it.
struct CaptureTcp {
    CaptureEnd from;
    CaptureEnd to;
    uint32_t packet;
    uint32_t seq;
    bool syn;
    bool ack;
    bool fin;
    CaptureSum sum;
    Slice bytes;
};

// Notes a segment with its connection. Returns ok, or full at a limit.
Status capture_take_tcp(Capture& capture, const CaptureTcp& tcp);
