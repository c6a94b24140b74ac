"""recording.py - recordings of TCP connections as other programs would write them: pcap and pcapng.

    packets = Conversation().packets([(CLIENT, b"hello"), (SERVER, b"yes")])   # TCP in IP
    write_pcap(packets, link=ETHERNET, order="<")                              # bytes of a file

Written from the specifications and not from the reader's code: RFC 791, RFC 8200, RFC 9293, the
Internet drafts of both formats, and tcpdump.org/linktypes.html.
"""

import socket
import struct

CLIENT, SERVER = 0, 1
FIN, SYN, PUSH, ACK = 1, 2, 8, 16

NULL, ETHERNET, RAW, LOOP, COOKED, IPV4, IPV6, COOKED2 = 0, 1, 101, 108, 113, 228, 229, 276
LINKS = [NULL, ETHERNET, RAW, LOOP, COOKED, COOKED2]

RIGHT, LEFT_TO_CARD = "right", "left to the card"


def ones_sum(data):
    """The sum of RFC 1071, not yet inverted."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Conversation:
    """Two ends, and how their packets look."""

    def __init__(self, version=4, sums=RIGHT, ip_options=b"", tcp_options=b"", extensions=b"",
                 ports=(40000, 1337), numbers=(1000, 0xFFFFFFF0), last_hosts=(1, 2)):
        self.version = version
        self.sums = sums
        self.ip_options = ip_options      # of IPv4
        self.tcp_options = tcp_options
        self.extensions = extensions      # of IPv6: the first header's number, then the headers
        self.ports = ports
        self.first = list(numbers)        # sequence numbers of the two SYNs
        if version == 4:
            self.hosts = [socket.inet_aton(f"192.0.2.{n}") for n in last_hosts]
        else:
            self.hosts = [socket.inet_pton(socket.AF_INET6, f"2001:db8::{n}") for n in last_hosts]

    def packet(self, sender, seq, payload, flags=ACK | PUSH):
        """One packet of IP; seq is absolute."""
        receiver = 1 - sender
        size = 20 + len(self.tcp_options)
        assert size % 4 == 0
        head = struct.pack(">HHIIBBHHH", self.ports[sender], self.ports[receiver],
                           seq % 2 ** 32, 1, size // 4 << 4, flags, 65535, 0, 0)
        tcp = head + self.tcp_options + payload
        pseudo = (self.hosts[sender] + self.hosts[receiver] + struct.pack(">HH", 6, len(tcp)))
        field = ones_sum(pseudo)
        if self.sums == RIGHT:
            field = 0xFFFF - ones_sum(pseudo + tcp)
        tcp = tcp[:16] + struct.pack(">H", field) + tcp[18:]
        if self.version == 6:
            first, headers = (self.extensions[0], self.extensions[1:]) if self.extensions \
                else (6, b"")
            return struct.pack(">IHBB", 6 << 28, len(headers) + len(tcp), first, 64) + \
                self.hosts[sender] + self.hosts[receiver] + headers + tcp
        size = 20 + len(self.ip_options)
        head = struct.pack(">BBHHHBBH", 4 << 4 | size // 4, 0, size + len(tcp), 7, 0x4000, 64, 6,
                           0) + self.hosts[sender] + self.hosts[receiver] + self.ip_options
        return head[:10] + struct.pack(">H", 0xFFFF - ones_sum(head)) + head[12:] + tcp

    def packets(self, said, begin=True, end=True):
        """All packets of a conversation: [(CLIENT or SERVER, bytes), ...]."""
        made = []
        if begin:
            made += [self.packet(CLIENT, self.first[CLIENT], b"", SYN),
                     self.packet(SERVER, self.first[SERVER], b"", SYN | ACK),
                     self.packet(CLIENT, self.first[CLIENT] + 1, b"", ACK)]
        at = [self.first[CLIENT] + 1, self.first[SERVER] + 1]
        for sender, payload in said:
            made.append(self.packet(sender, at[sender], payload))
            at[sender] += len(payload)
        if end:
            made += [self.packet(CLIENT, at[CLIENT], b"", FIN | ACK),
                     self.packet(SERVER, at[SERVER], b"", FIN | ACK)]
        return made

    def data(self, sender, at, payload):
        """A packet with bytes that begin `at` bytes behind the sender's first one."""
        return self.packet(sender, self.first[sender] + 1 + at, payload)


# --- Links ----------------------------------------------------------------------------------------

def is_ipv6(packet):
    return packet[:1] >= b"\x60"


def linked(packet, link, order="<", tags=()):
    """The packet behind the header of its link; Ethernet may have tags of VLANs."""
    kind = struct.pack(">H", 0x86DD if is_ipv6(packet) else 0x0800)
    if link == ETHERNET:
        between = b"".join(struct.pack(">HH", tag, 5) for tag in tags)
        frame = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2" + between + kind + packet
        return frame + b"\0" * max(0, 60 - len(frame))
    if link == NULL:
        return struct.pack(order + "I", 30 if is_ipv6(packet) else 2) + packet
    if link == LOOP:
        return struct.pack(">I", 24 if is_ipv6(packet) else 2) + packet
    if link == COOKED:
        return struct.pack(">HHH8s", 0, 1, 6, b"\2\0\0\0\0\1") + kind + packet
    if link == COOKED2:
        return kind + struct.pack(">HIHBB8s", 0, 2, 1, 0, 6, b"\2\0\0\0\0\1") + packet
    return packet


# --- Files ----------------------------------------------------------------------------------------

def write_pcap(packets, link=ETHERNET, order="<", nano=False, tags=(), size_max=262144):
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    made = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, size_max, link)
    for number, packet in enumerate(packets):
        frame = linked(packet, link, order, tags)
        kept = frame[:size_max]
        made += struct.pack(order + "IIII", 1000 + number, number, len(kept), len(frame)) + kept
    return made


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def write_pcapng(packets, link=ETHERNET, order="<", tags=(), simple=False, more=True):
    """`more` puts blocks and an interface in between that a reader has to pass over."""
    made = section(order)
    if more and not simple:
        made += block(order, 1, struct.pack(order + "HHI", 147, 0, 0))  # Of a link nobody reads.
    made += block(order, 1, struct.pack(order + "HHI", link, 0, 0))
    if more:
        made += block(order, 4, b"\0\0\0\0")  # Names.
    for number, packet in enumerate(packets):
        frame = linked(packet, link, order, tags)
        if simple:
            made += block(order, 3, struct.pack(order + "I", len(frame)) + frame)
            continue
        head = struct.pack(order + "IIIII", 1 if more else 0, 0, number, len(frame), len(frame))
        padded = frame + b"\0" * (-len(frame) % 4)
        options = struct.pack(order + "HH4sHH", 1, 4, b"note", 0, 0) if more else b""
        made += block(order, 6, head + padded + options)
    return made
