// address.h - where a peer is: addresses of the network in figures, and prefixes of them.
//
// An address is 16 bytes, as IPv6 has it; IPv4 is kept as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so
// that both are compared in the same way, and a peer that reaches an IPv6 socket over IPv4 is the
// same peer. No name is ever looked up, and no zone (fe80::1%eth0) is taken. Texts come from
// configurations and ports: a refusal is a Status and leaves the output as it was.
//
//   D1. Nobody has the source `::`: it stands for peers whose address cannot be told.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t net_address_size = 16;  // bytes
inline constexpr uint32_t net_prefixes_max = 16;  // of one list

struct NetAddress {
    uint8_t bytes[net_address_size];
};

struct NetPrefix {
    NetAddress address;  // the bits behind `bits` are 0
    uint8_t bits;        // 0 to 128
};

struct NetPrefixes {
    uint32_t count;
    NetPrefix rows[net_prefixes_max];
};

// Takes "192.0.2.1" or "2001:db8::1" (RFC 4291, 2.2). Returns invalid for anything else.
Status parse_address(Slice text, NetAddress& out);

// Takes an address with a port behind it: "192.0.2.1:5050" or "[2001:db8::1]:5050".
Status parse_endpoint(Slice text, NetAddress& out);

// Takes an address, or one with the length of a prefix: "192.0.2.0/24", "2001:db8::/32".
Status parse_prefix(Slice text, NetPrefix& out);

// Takes a list of those, with commas or blanks between them; an empty text is an empty list.
// Returns full for more than net_prefixes_max.
Status parse_prefixes(Slice text, NetPrefixes& out);

bool net_address_equal(const NetAddress& a, const NetAddress& b);
bool net_prefixes_have(const NetPrefixes& prefixes, const NetAddress& address);

// What counts as one source: an address of IPv4, and 64 bits of one of IPv6, since whoever has one
// of these mostly has them all; on the local link (fe80::/10) the whole address.
NetAddress net_source_of(const NetAddress& address);
