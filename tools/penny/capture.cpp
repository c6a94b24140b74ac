#include "penny/capture.h"

#include <stdarg.h>
#include <stdio.h>

#include "penny/capture_parts.h"

namespace {

constexpr uint32_t magic_micro = 0xA1B2C3D4;  // pcap, and what it reads as in the other order
constexpr uint32_t magic_nano = 0xA1B23C4D;
constexpr uint32_t magic_section = 0x0A0D0D0A;  // pcapng; the same in both orders
constexpr uint32_t magic_order = 0x1A2B3C4D;
constexpr uint32_t head_size = 24;          // bytes of pcap's head
constexpr uint32_t record_size = 16;        // and in front of each packet
constexpr uint32_t block_size_min = 12;     // bytes: type, size, size again
constexpr uint16_t version_major = 2;       // of pcap; pcapng has 1
constexpr uint16_t version_major_ng = 1;
constexpr uint32_t link_mask = 0xFFFF;      // what is above says how long a checksum Ethernet has

enum BlockType : uint32_t { block_interface = 1, block_simple = 3, block_enhanced = 6 };

struct Interface {
    uint32_t link;
    uint32_t size_max;  // bytes recorded of each packet; 0: all
};

// A section of pcapng has its own byte order, and interfaces that are counted anew.
struct Section {
    ByteOrder order;
    uint32_t interface_count;
    Interface interfaces[capture_interfaces_max];
};

Status take_packet(Capture& capture, uint32_t link, Slice bytes, uint32_t whole_size) {
    if (capture.packet_count == capture_packets_max) {
        return capture_refuse(capture, Status::full, "the file has more than %u packets",
                              capture_packets_max);
    }
    capture.packet_count++;
    if (!capture_has_link(link)) {
        return capture_refuse(capture, Status::invalid,
                              "packet %u has link type %u, which is not read here",
                              capture.packet_count, link);
    }
    const CapturePacket packet = {bytes, capture.packet_count, bytes.size < whole_size};
    if (packet.cut && capture.cut_packet == 0) capture.cut_packet = packet.number;
    return capture_take_packet(capture, link, packet);
}

Status refuse_cut(Capture& capture) {
    return capture_refuse(capture, Status::invalid, "the file ends in the middle of packet %u",
                          capture.packet_count + 1);
}

Status refuse_large(Capture& capture, uint32_t size) {
    return capture_refuse(capture, Status::invalid,
                          "packet %u is said to have %u bytes, more than %u",
                          capture.packet_count + 1, size, capture_packet_size_max);
}

// --- pcap ---

Status read_pcap(Capture& capture, Slice file, ByteOrder order) {
    Reader in = reader_of(file);
    if (file.size < head_size) {
        return capture_refuse(capture, Status::invalid, "the file ends in its head");
    }
    get_bytes(in, 4);
    const uint16_t major = capture_u16(in, order);
    get_bytes(in, 14);
    const uint32_t link = capture_u32(in, order) & link_mask;
    if (major != version_major) {
        return capture_refuse(capture, Status::invalid, "pcap of version %u is not read here",
                              major);
    }
    if (!capture_has_link(link)) {
        return capture_refuse(capture, Status::invalid, "link type %u is not read here", link);
    }
    while (reader_left(in) > 0) {
        if (reader_left(in) < record_size) return refuse_cut(capture);
        get_bytes(in, 8);  // The time.
        const uint32_t size = capture_u32(in, order);
        const uint32_t whole_size = capture_u32(in, order);
        if (size > capture_packet_size_max) return refuse_large(capture, size);
        if (size > reader_left(in)) return refuse_cut(capture);
        const Status status = take_packet(capture, link, get_bytes(in, size), whole_size);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

// --- pcapng ---

Status refuse_block(Capture& capture, uint32_t offset) {
    return capture_refuse(capture, Status::invalid,
                          "the block at byte %u of the file is cut or damaged", offset);
}

Status take_interface(Capture& capture, Section& section, Slice body, uint32_t offset) {
    Reader in = reader_of(body);
    Interface found = {};
    found.link = capture_u16(in, section.order);
    get_bytes(in, 2);
    found.size_max = capture_u32(in, section.order);
    if (in.short_read) return refuse_block(capture, offset);
    if (section.interface_count == capture_interfaces_max) {
        return capture_refuse(capture, Status::full, "a section has more than %u interfaces",
                              capture_interfaces_max);
    }
    section.interfaces[section.interface_count++] = found;
    return Status::ok;
}

Status take_interface_packet(Capture& capture, const Section& section, uint32_t interface,
                             Slice bytes, uint32_t whole_size) {
    if (interface >= section.interface_count) {
        return capture_refuse(capture, Status::invalid,
                              "packet %u is of an interface that the file does not describe",
                              capture.packet_count + 1);
    }
    return take_packet(capture, section.interfaces[interface].link, bytes, whole_size);
}

Status take_enhanced(Capture& capture, const Section& section, Slice body, uint32_t offset) {
    Reader in = reader_of(body);
    const uint32_t interface = capture_u32(in, section.order);
    get_bytes(in, 8);  // The time.
    const uint32_t size = capture_u32(in, section.order);
    const uint32_t whole_size = capture_u32(in, section.order);
    if (in.short_read) return refuse_block(capture, offset);
    if (size > capture_packet_size_max) return refuse_large(capture, size);
    if (size > reader_left(in)) return refuse_block(capture, offset);
    return take_interface_packet(capture, section, interface, get_bytes(in, size), whole_size);
}

// A simple packet does not say how much of it was recorded: as much as its interface takes.
Status take_simple(Capture& capture, const Section& section, Slice body, uint32_t offset) {
    Reader in = reader_of(body);
    const uint32_t whole_size = capture_u32(in, section.order);
    if (in.short_read) return refuse_block(capture, offset);
    const uint32_t size_max = section.interface_count > 0 ? section.interfaces[0].size_max : 0;
    const uint32_t size = size_max > 0 && size_max < whole_size ? size_max : whole_size;
    if (size > capture_packet_size_max) return refuse_large(capture, size);
    if (size > reader_left(in)) return refuse_block(capture, offset);
    return take_interface_packet(capture, section, 0, get_bytes(in, size), whole_size);
}

Status take_block(Capture& capture, Section& section, uint32_t type, Slice body, uint32_t offset) {
    if (type == block_interface) return take_interface(capture, section, body, offset);
    if (type == block_enhanced) return take_enhanced(capture, section, body, offset);
    if (type == block_simple) return take_simple(capture, section, body, offset);
    return Status::ok;
}

// Takes the byte order of the section that begins here. `in` stands behind the block's type.
Status begin_section(Capture& capture, Section& section, Reader in, uint32_t offset) {
    get_bytes(in, 4);  // The size, in an order that is not known yet.
    const uint32_t mark = get_u32(in);
    if (in.short_read) return refuse_block(capture, offset);
    section.interface_count = 0;
    section.order = mark == magic_order ? ByteOrder::little : ByteOrder::big;
    if (mark != magic_order && mark != __builtin_bswap32(magic_order)) {
        return refuse_block(capture, offset);
    }
    const uint16_t major = capture_u16(in, section.order);
    if (in.short_read) return refuse_block(capture, offset);
    if (major == version_major_ng) return Status::ok;
    return capture_refuse(capture, Status::invalid, "pcapng of version %u is not read here", major);
}

Status read_pcapng(Capture& capture, Slice file) {
    Section section = {};
    Reader in = reader_of(file);
    while (reader_left(in) > 0) {
        const uint32_t offset = in.offset;
        if (reader_left(in) < block_size_min) return refuse_block(capture, offset);
        uint32_t type = get_u32(in);
        Status status = Status::ok;
        if (type == magic_section) status = begin_section(capture, section, in, offset);
        if (status != Status::ok) return status;
        if (section.order == ByteOrder::big) type = __builtin_bswap32(type);
        const uint32_t size = capture_u32(in, section.order);
        if (size < block_size_min || size % 4 != 0) return refuse_block(capture, offset);
        if (size - 8 > reader_left(in)) return refuse_block(capture, offset);
        const Slice body = get_bytes(in, size - block_size_min);
        if (capture_u32(in, section.order) != size) return refuse_block(capture, offset);
        status = take_block(capture, section, type, body, offset);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

}  // namespace

uint16_t capture_u16(Reader& in, ByteOrder order) {
    const uint16_t value = get_u16(in);
    return order == ByteOrder::big ? __builtin_bswap16(value) : value;
}

uint32_t capture_u32(Reader& in, ByteOrder order) {
    const uint32_t value = get_u32(in);
    return order == ByteOrder::big ? __builtin_bswap32(value) : value;
}

Status capture_refuse(Capture& capture, Status status, const char* format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(capture.reason, sizeof capture.reason, format, values);
    va_end(values);
    return status;
}

Status capture_read(Capture& capture, Slice file) {
    capture.packet_count = 0;
    capture.segment_count = 0;
    capture.stream_count = 0;
    capture.cut_packet = 0;
    capture.reason[0] = '\0';
    Reader in = reader_of(file);
    const uint32_t magic = get_u32(in);
    const uint32_t turned = __builtin_bswap32(magic);
    if (file.size > capture_file_size_max) {
        return capture_refuse(capture, Status::full, "the file is larger than %u bytes",
                              capture_file_size_max);
    }
    if (magic == magic_section) return read_pcapng(capture, file);
    if (magic == magic_micro || magic == magic_nano) {
        return read_pcap(capture, file, ByteOrder::little);
    }
    if (turned == magic_micro || turned == magic_nano) {
        return read_pcap(capture, file, ByteOrder::big);
    }
    return capture_refuse(capture, Status::invalid, "the file is neither pcap nor pcapng");
}
