#include <string.h>

#include "penny/capture_parts.h"

namespace {

constexpr uint16_t type_ipv4 = 0x0800;  // EtherTypes
constexpr uint16_t type_ipv6 = 0x86DD;
constexpr uint16_t type_vlan = 0x8100;
constexpr uint16_t type_vlan_outer = 0x88A8;
constexpr uint32_t vlan_tags_max = 4;
constexpr uint8_t protocol_tcp = 6;
constexpr uint32_t ipv4_size_min = 20;  // bytes of its header
constexpr uint32_t ipv6_size = 40;
constexpr uint32_t tcp_size_min = 20;
constexpr uint32_t extensions_max = 8;  // headers between IPv6 and TCP
constexpr uint16_t fragment_bits = 0x3FFF;  // more fragments, and the offset, in IPv4

// What IP says about a segment.
struct Carried {
    CaptureEnd from;
    CaptureEnd to;
    Slice bytes;          // header of TCP and all behind it, as far as it was recorded
    uint32_t whole_size;  // as sent
};

uint16_t take_u16(Reader& in) { return capture_u16(in, ByteOrder::big); }
uint32_t take_u32(Reader& in) { return capture_u32(in, ByteOrder::big); }

// --- The checksum (RFC 1071) ---

// Adds bytes as 16-bit numbers; an odd last one has a zero behind it.
uint64_t add(uint64_t sum, Slice bytes) {
    for (uint32_t i = 0; i < bytes.size; i++) {
        sum += i % 2 == 0 ? uint64_t{bytes.data[i]} << 8 : bytes.data[i];
    }
    return sum;
}

uint16_t fold(uint64_t sum) {
    while (sum > UINT16_MAX) sum = (sum & UINT16_MAX) + (sum >> 16);
    return static_cast<uint16_t>(sum);
}

uint64_t sum_of_pseudo_header(const Carried& carried) {
    uint64_t sum = add(0, {carried.from.address, carried.from.address_size});
    sum = add(sum, {carried.to.address, carried.to.address_size});
    return sum + protocol_tcp + (carried.whole_size >> 16) + (carried.whole_size & UINT16_MAX);
}

CaptureSum judge(const Carried& carried, uint16_t field) {
    if (carried.bytes.size < carried.whole_size) return CaptureSum::unknown;
    const uint64_t pseudo = sum_of_pseudo_header(carried);
    if (fold(add(pseudo, carried.bytes)) == UINT16_MAX) return CaptureSum::right;
    return field == fold(pseudo) ? CaptureSum::left_to_card : CaptureSum::wrong;
}

// --- TCP (RFC 9293) ---

Status take_tcp(Capture& capture, Carried& carried, uint32_t number) {
    Reader in = reader_of(carried.bytes);
    carried.from.port = take_u16(in);
    carried.to.port = take_u16(in);
    CaptureTcp tcp = {};
    tcp.packet = number;
    tcp.seq = take_u32(in);
    take_u32(in);  // What it acknowledges.
    const uint32_t head_size = get_u8(in) / 16 * 4u;
    const uint8_t flags = get_u8(in);
    take_u16(in);  // The window.
    const uint16_t field = take_u16(in);
    if (in.short_read || head_size < tcp_size_min || head_size > carried.bytes.size) {
        return Status::ok;
    }
    tcp.from = carried.from;
    tcp.to = carried.to;
    tcp.fin = (flags & 0x01) != 0;
    tcp.syn = (flags & 0x02) != 0;
    tcp.ack = (flags & 0x10) != 0;
    tcp.sum = judge(carried, field);
    tcp.bytes = slice_part(carried.bytes, head_size, carried.bytes.size - head_size);
    return capture_take_tcp(capture, tcp);
}

// --- IP ---

void take_address(Reader& in, uint8_t size, CaptureEnd& out) {
    const Slice bytes = get_bytes(in, size);
    out.address_size = size;
    if (bytes.size == size) memcpy(out.address, bytes.data, size);
}

// What lies behind the header of IP: `size` bytes were sent, and no more than that counts.
void set_carried(Slice rest, uint32_t size, Carried& out) {
    out.whole_size = size;
    out.bytes = slice_part(rest, 0, size);
}

// A card that cuts large packets itself may be handed one whose size does not fit its field, which
// is then 0: it is as large as what was recorded.
uint32_t size_said(uint16_t field, const CapturePacket& packet, uint32_t recorded) {
    if (field != 0) return field;
    return packet.cut ? recorded + 1 : recorded;
}

Status take_ipv4(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    const uint32_t head_size = (get_u8(in) & 15) * 4u;
    get_u8(in);
    const uint32_t size = size_said(take_u16(in), packet, bytes.size);
    take_u16(in);
    const uint16_t fragment = take_u16(in);
    get_u8(in);
    const uint8_t protocol = get_u8(in);
    take_u16(in);
    Carried carried = {};
    take_address(in, 4, carried.from);
    take_address(in, 4, carried.to);
    if (in.short_read || head_size < ipv4_size_min || head_size > bytes.size) return Status::ok;
    if (protocol != protocol_tcp || (fragment & fragment_bits) != 0 || size < head_size) {
        return Status::ok;
    }
    set_carried(slice_part(bytes, head_size, bytes.size), size - head_size, carried);
    return take_tcp(capture, carried, packet.number);
}

// Extension headers that may stand in front of TCP: hop by hop, and for the destination.
bool is_extension(uint8_t protocol) { return protocol == 0 || protocol == 60; }

Status take_ipv6(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    take_u32(in);
    const uint16_t field = take_u16(in);
    uint8_t protocol = get_u8(in);
    get_u8(in);
    Carried carried = {};
    take_address(in, 16, carried.from);
    take_address(in, 16, carried.to);
    if (in.short_read) return Status::ok;
    uint32_t size = size_said(field, packet, bytes.size - ipv6_size);
    for (uint32_t i = 0; is_extension(protocol); i++) {
        protocol = get_u8(in);
        const uint32_t extension_size = (get_u8(in) + 1u) * 8;
        get_bytes(in, extension_size - 2);
        if (in.short_read || extension_size > size || i == extensions_max) return Status::ok;
        size -= extension_size;
    }
    if (protocol != protocol_tcp) return Status::ok;
    set_carried(reader_rest(in), size, carried);
    return take_tcp(capture, carried, packet.number);
}

// --- Links ---

Status take_ip(Capture& capture, Slice bytes, const CapturePacket& packet) {
    if (bytes.size == 0) return Status::ok;
    const uint8_t version = bytes.data[0] >> 4;
    if (version == 4) return take_ipv4(capture, bytes, packet);
    if (version == 6) return take_ipv6(capture, bytes, packet);
    return Status::ok;
}

// What an EtherType announces, behind any tags of VLANs.
Status take_typed(Capture& capture, uint16_t type, Reader in, const CapturePacket& packet) {
    for (uint32_t i = 0; i < vlan_tags_max; i++) {
        if (type != type_vlan && type != type_vlan_outer) break;
        take_u16(in);
        type = take_u16(in);
    }
    if (in.short_read) return Status::ok;
    if (type != type_ipv4 && type != type_ipv6) return Status::ok;
    return take_ip(capture, reader_rest(in), packet);
}

Status take_ethernet(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    get_bytes(in, 12);
    const uint16_t type = take_u16(in);
    return take_typed(capture, type, in, packet);
}

Status take_cooked(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    get_bytes(in, 14);
    const uint16_t type = take_u16(in);
    return take_typed(capture, type, in, packet);
}

Status take_cooked2(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    const uint16_t type = take_u16(in);
    get_bytes(in, 18);
    return take_typed(capture, type, in, packet);
}

// IPv4 has the same family everywhere, IPv6 another one on nearly every system.
bool is_family(uint32_t family) {
    return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

Status take_loop(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    if (!is_family(take_u32(in)) || in.short_read) return Status::ok;
    return take_ip(capture, reader_rest(in), packet);
}

Status take_null(Capture& capture, Slice bytes, const CapturePacket& packet) {
    Reader in = reader_of(bytes);
    const uint32_t family = get_u32(in);
    if (in.short_read) return Status::ok;
    if (!is_family(family) && !is_family(__builtin_bswap32(family))) return Status::ok;
    return take_ip(capture, reader_rest(in), packet);
}

struct LinkRow {
    uint32_t number;
    Status (*take)(Capture& capture, Slice bytes, const CapturePacket& packet);
};

constexpr LinkRow links[] = {
#define LINK(number, symbol) {number, take_##symbol},
#include "penny/capture.def"
#undef LINK
};

}  // namespace

bool capture_has_link(uint32_t link) {
    for (const LinkRow& row : links) {
        if (row.number == link) return true;
    }
    return false;
}

Status capture_take_packet(Capture& capture, uint32_t link, const CapturePacket& packet) {
    for (const LinkRow& row : links) {
        if (row.number == link) return row.take(capture, packet.bytes, packet);
    }
    return Status::ok;
}
