// capture.h - TCP connections out of a file in which some program recorded packets.
//
// Reads pcap (both byte orders, times to the microsecond and to the nanosecond) and pcapng (both
// byte orders; section, interface, enhanced and simple packet blocks; all others are passed over),
// with the link types of capture.def, IPv4 and IPv6. Fragments of IP packets are not put together:
// they are missing from their connection, and that is noticed.
//
//     capture_read ─► for each of stream_count: capture_join, once for each end ─► bytes
//
// Nothing is copied: segments point into the file, which the caller keeps.
//
//   C1. Every byte of the file is untrusted: nothing in it reaches a CHECK, and no number in it is
//       believed before it was compared with what there is.
//   C2. Each limit below ends the reading with a sentence; nothing is left out in silence.
//   C3. Bytes of a connection come in the order of their sequence numbers. Where two packets carry
//       the same place they must agree.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t capture_file_size_max = 64u << 20;     // bytes
inline constexpr uint32_t capture_packets_max = 1u << 20;
inline constexpr uint32_t capture_packet_size_max = 262144;      // bytes; as libpcap has it
inline constexpr uint32_t capture_interfaces_max = 64;           // of one section
inline constexpr uint32_t capture_segments_max = 1u << 18;       // packets with bytes or a FIN
inline constexpr uint32_t capture_streams_max = 1024;            // connections
inline constexpr uint32_t capture_stream_size_max = 1u << 20;    // bytes of one end
inline constexpr uint32_t capture_end_size_max = 56;             // "[address]:port" and a NUL

struct CaptureEnd {
    uint8_t address[16];   // of IPv4 the first four, and zeros
    uint8_t address_size;  // bytes: 4 or 16
    uint16_t port;
};

// What of a connection one packet carries.
struct CaptureSegment {
    Slice bytes;
    uint32_t packet;  // its number in the file, from 1
    uint32_t seq;     // of the first byte
    uint16_t stream;
    uint8_t end;      // of CaptureStream::ends, the sender
};

struct CaptureStream {
    CaptureEnd ends[2];
    bool has_first[2];     // the SYN was recorded, and so where its end begins to count
    uint32_t first_seq[2];  // then that of its first byte
    bool has_client;       // a SYN has told who opened the connection
    uint8_t client;        // of `ends`; until then who sent the first byte
    bool has_bytes;
    bool left_to_card;     // a packet has only the beginning of a checksum in it
    uint32_t wrong_packet;  // the first whose checksum does not fit, or 0
    uint32_t cut_packet;    // the first that was recorded in part, or 0
};

struct Capture {
    uint32_t packet_count;
    uint32_t segment_count;
    uint32_t stream_count;
    uint32_t cut_packet;  // the first of any connection that was recorded in part, or 0
    char reason[160];     // a sentence, after anything but ok
    CaptureStream streams[capture_streams_max];
    CaptureSegment segments[capture_segments_max];
};

// The bytes that one end sent.
struct CaptureBytes {
    uint32_t size;
    uint8_t bytes[capture_stream_size_max];
    uint8_t has[capture_stream_size_max / 8];  // a bit for each byte that a packet brought
};

// Reads a whole file. Returns ok; invalid for a file that is no recording, or is cut or damaged;
// full for one beyond a limit.
Status capture_read(Capture& capture, Slice file);

// Puts together what an end of a stream sent. Returns ok; invalid where bytes are missing between
// others, or two packets differ about one; full beyond capture_stream_size_max.
Status capture_join(Capture& capture, uint32_t stream, uint8_t end, CaptureBytes& out);

// Writes an end as text: 127.0.0.1:1337, or [::1]:1337.
void capture_end_text(const CaptureEnd& end, char out[capture_end_size_max]);
