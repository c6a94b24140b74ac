#include "base/address.h"

#include <string.h>

#include "base/text.h"

namespace {

constexpr uint32_t v4_size = 4;                              // bytes
constexpr uint32_t v4_offset = net_address_size - v4_size;   // where they stand in an address
constexpr uint32_t v4_bits = 8 * v4_offset;                  // of the prefix ::ffff:0:0/96
constexpr uint32_t group_count = 8;                          // of an address of IPv6
constexpr uint32_t source_bits_v6 = 64;
constexpr NetAddress v4_base = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
constexpr NetPrefix link_local = {{{0xfe, 0x80}}, 10};

uint32_t find(Slice text, uint8_t byte) {
    uint32_t i = 0;
    while (i < text.size && text.data[i] != byte) i++;
    return i;
}

Status parse_v4(Slice text, uint8_t out[v4_size]) {
    Reader rest = reader_of(text);
    uint8_t bytes[v4_size];
    uint32_t count = 0;
    Slice part;
    while (cut_word(rest, '.', part) == Status::ok) {
        uint64_t value = 0;
        if (count == v4_size || parse_decimal(part, value) != Status::ok || value > UINT8_MAX) {
            return Status::invalid;
        }
        bytes[count++] = static_cast<uint8_t>(value);
    }
    if (count != v4_size) return Status::invalid;
    memcpy(out, bytes, v4_size);
    return Status::ok;
}

Status parse_group(Slice text, uint16_t& out) {
    uint8_t digits[4] = {'0', '0', '0', '0'};
    uint8_t bytes[2];
    if (text.size == 0 || text.size > sizeof digits) return Status::invalid;
    memcpy(digits + sizeof digits - text.size, text.data, text.size);
    if (parse_hex({digits, sizeof digits}, bytes, sizeof bytes) != Status::ok) {
        return Status::invalid;
    }
    out = static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
    return Status::ok;
}

// Groups between single colons, the last of which may be an address of IPv4. An empty text is none.
Status parse_groups(Slice text, uint8_t* out, uint32_t& size) {
    size = 0;
    if (text.size == 0) return Status::ok;
    if (text.data[text.size - 1] == ':') return Status::invalid;
    Reader rest = reader_of(text);
    Slice part;
    while (cut_word(rest, ':', part) == Status::ok) {
        if (reader_left(rest) == 0 && find(part, '.') < part.size) {
            if (size > v4_offset) return Status::invalid;
            size += v4_size;
            return parse_v4(part, out + size - v4_size);
        }
        uint16_t group = 0;
        if (size == 2 * group_count || parse_group(part, group) != Status::ok) {
            return Status::invalid;
        }
        out[size++] = static_cast<uint8_t>(group >> 8);
        out[size++] = static_cast<uint8_t>(group);
    }
    return Status::ok;
}

// The index of the first "::", or the size when there is none.
uint32_t find_gap(Slice text) {
    for (uint32_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] == ':' && text.data[i + 1] == ':') return i;
    }
    return text.size;
}

Status parse_v6(Slice text, NetAddress& out) {
    uint8_t front[net_address_size];
    uint8_t back[net_address_size];
    uint32_t front_size = 0;
    uint32_t back_size = 0;
    const uint32_t gap = find_gap(text);
    const bool has_gap = gap < text.size;
    if (parse_groups(slice_part(text, 0, gap), front, front_size) != Status::ok) {
        return Status::invalid;
    }
    // Only the end of an address can be one of IPv4.
    if (has_gap && find(slice_part(text, 0, gap), '.') < gap) return Status::invalid;
    if (has_gap &&
        parse_groups(slice_part(text, gap + 2, text.size), back, back_size) != Status::ok) {
        return Status::invalid;
    }
    const uint32_t size = front_size + back_size;
    const bool fits = has_gap ? size < net_address_size : size == net_address_size;
    if (!fits) return Status::invalid;
    out = {};
    memcpy(out.bytes, front, front_size);
    memcpy(out.bytes + net_address_size - back_size, back, back_size);
    return Status::ok;
}

void keep_bits(NetAddress& address, uint32_t bits) {
    for (uint32_t i = 0; i < net_address_size; i++) {
        const uint32_t kept = bits <= 8 * i ? 0 : bits - 8 * i < 8 ? bits - 8 * i : 8;
        address.bytes[i] = static_cast<uint8_t>(address.bytes[i] & (0xff00u >> kept));
    }
}

bool prefix_has(const NetPrefix& prefix, const NetAddress& address) {
    NetAddress kept = address;
    keep_bits(kept, prefix.bits);
    return net_address_equal(kept, prefix.address);
}

bool is_between(uint8_t byte) { return byte == ',' || byte == ' ' || byte == '\t'; }

}  // namespace

Status parse_address(Slice text, NetAddress& out) {
    if (find(text, ':') < text.size) return parse_v6(text, out);
    NetAddress address = v4_base;
    if (parse_v4(text, address.bytes + v4_offset) != Status::ok) return Status::invalid;
    out = address;
    return Status::ok;
}

Status parse_endpoint(Slice text, NetAddress& out) {
    uint32_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':') colon--;
    uint64_t port = 0;
    if (colon == 0) return Status::invalid;
    if (parse_decimal(slice_part(text, colon, text.size), port) != Status::ok ||
        port > UINT16_MAX) {
        return Status::invalid;
    }
    const Slice host = slice_part(text, 0, colon - 1);
    const bool is_quoted = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
    if (!is_quoted) {
        return find(host, ':') < host.size ? Status::invalid : parse_address(host, out);
    }
    return parse_v6(slice_part(host, 1, host.size - 2), out);
}

Status parse_prefix(Slice text, NetPrefix& out) {
    const uint32_t slash = find(text, '/');
    const Slice figures = slice_part(text, 0, slash);
    const bool is_v6 = find(figures, ':') < figures.size;
    const uint32_t before = is_v6 ? 0 : v4_bits;
    uint64_t bits = 8 * net_address_size - before;
    NetPrefix prefix = {};
    if (parse_address(figures, prefix.address) != Status::ok) return Status::invalid;
    if (slash < text.size) {
        const uint64_t most = bits;
        if (parse_decimal(slice_part(text, slash + 1, text.size), bits) != Status::ok ||
            bits > most) {
            return Status::invalid;
        }
    }
    prefix.bits = static_cast<uint8_t>(before + bits);
    keep_bits(prefix.address, prefix.bits);
    out = prefix;
    return Status::ok;
}

Status parse_prefixes(Slice text, NetPrefixes& out) {
    NetPrefixes found = {};
    uint32_t at = 0;
    while (at < text.size) {
        uint32_t end = at;
        while (end < text.size && !is_between(text.data[end])) end++;
        if (end > at) {
            if (found.count == net_prefixes_max) return Status::full;
            NetPrefix& prefix = found.rows[found.count++];
            if (parse_prefix(slice_part(text, at, end - at), prefix) != Status::ok) {
                return Status::invalid;
            }
        }
        at = end + 1;
    }
    out = found;
    return Status::ok;
}

bool net_address_equal(const NetAddress& a, const NetAddress& b) {
    return memcmp(a.bytes, b.bytes, net_address_size) == 0;
}

bool net_prefixes_have(const NetPrefixes& prefixes, const NetAddress& address) {
    for (uint32_t i = 0; i < prefixes.count; i++) {
        if (prefix_has(prefixes.rows[i], address)) return true;
    }
    return false;
}

NetAddress net_source_of(const NetAddress& address) {
    const NetPrefix v4 = {v4_base, v4_bits};
    if (prefix_has(v4, address) || prefix_has(link_local, address)) return address;
    NetAddress source = address;
    keep_bits(source, source_bits_v6);
    return source;
}
