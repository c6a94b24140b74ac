"""pcapng.py - the file that Wireshark, tshark and dumpcap read and write, as far as TCP needs it.

    Packets are tuples (microseconds since 1970, bytes from the Ethernet header on).

    write(path, packets)
    read(path)                  the packets, of a file by any of these programs
    conversations(packets)      what both ends of each TCP connection said
    Dialogue(...)               makes the packets of a TCP connection of which only the bytes and
                                their times are known

The format is draft-ietf-opsawg-pcapng, IPv4 is RFC 791 and TCP RFC 9293.
"""

import socket
import struct

ETHERNET = 1
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ORDER = 0x1A2B3C4D
IPV4 = 0x0800
TCP = 6
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SEGMENT_MAX = 1460  # bytes of TCP's in one packet, as over a cable
WINDOW = 65535


# --- Files --------------------------------------------------------------------------------------

def padded(data):
    return data + bytes(-len(data) % 4)


def block(kind, body):
    size = struct.pack("=I", 12 + len(body))
    return struct.pack("=I", kind) + size + body + size


def write(path, packets):
    with open(path, "wb") as out:
        out.write(block(SECTION, struct.pack("=IHHq", ORDER, 1, 0, -1)))
        out.write(block(INTERFACE, struct.pack("=HHI", ETHERNET, 0, 0)))
        for moment, data in packets:
            start = struct.pack("=IIIII", 0, moment >> 32, moment & 0xFFFFFFFF, len(data),
                                len(data))
            out.write(block(PACKET, start + padded(data)))


def blocks(content):
    """Each whole block as (type, body, byte order); the last may not be there whole yet."""
    at, order = 0, "="
    while at + 12 <= len(content):
        if content[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if content[at + 8:at + 12] == struct.pack("<I", ORDER) else ">"
        kind, size = struct.unpack_from(f"{order}II", content, at)
        if size < 12 or at + size > len(content):
            return
        yield kind, content[at + 8:at + size - 4], order
        at += size


def read(path):
    """The packets in a file, which may still be written to."""
    with open(path, "rb") as file:
        content = file.read()
    packets = []
    for kind, body, order in blocks(content):
        if kind == INTERFACE and struct.unpack_from(f"{order}H", body)[0] != ETHERNET:
            raise ValueError(f"{path}: a capture of an interface that is none of Ethernet")
        if kind == PACKET:
            _, high, low, size, _ = struct.unpack_from(f"{order}IIIII", body)
            packets.append((high << 32 | low, body[20:20 + size]))
    return packets


# --- Headers ------------------------------------------------------------------------------------

def checksum(data):
    """The Internet checksum of RFC 1071."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Segment:
    """What TCP has in a packet: who, to whom, its number, its flags and its bytes."""

    def __init__(self, packet):
        size = (packet[14] & 0xF) * 4
        ip = packet[14:14 + int.from_bytes(packet[16:18], "big")]
        tcp = ip[size:]
        self.source = (socket.inet_ntoa(ip[12:16]), int.from_bytes(tcp[0:2], "big"))
        self.target = (socket.inet_ntoa(ip[16:20]), int.from_bytes(tcp[2:4], "big"))
        self.number = int.from_bytes(tcp[4:8], "big")
        self.flags = tcp[13]
        self.data = tcp[(tcp[12] >> 4) * 4:]


def segments(packets):
    return [Segment(data) for _, data in packets
            if data[12:14] == struct.pack(">H", IPV4) and data[23] == TCP]


class Stream:
    """What one side said, put together by the numbers of its bytes."""

    def __init__(self, number):
        self.number = number  # of its first byte
        self.pieces = {}

    def add(self, number, data):
        at = (number - self.number) % (1 << 32)
        if len(data) > len(self.pieces.get(at, b"")):
            self.pieces[at] = data

    def bytes(self):
        """All up to the first gap."""
        whole = b""
        for at, data in sorted(self.pieces.items()):
            if at > len(whole):
                break
            whole += data[len(whole) - at:]
        return whole


def conversations(packets):
    """Each TCP connection whose beginning was seen, as (what the client said, what the server
    said)."""
    streams, clients = {}, []
    for segment in segments(packets):
        way = (segment.source, segment.target)
        if segment.flags & SYN:
            streams[way] = Stream(segment.number + 1)
            if not segment.flags & ACK:
                clients.append(way)
        elif way in streams and segment.data:
            streams[way].add(segment.number, segment.data)
    return [(streams[way].bytes(), streams.get(way[::-1], Stream(0)).bytes()) for way in clients]


def are_over(packets):
    """Whether there was a connection, and both sides have ended each, or one has reset it."""
    ends, clients = {}, []
    for segment in segments(packets):
        way = (segment.source, segment.target)
        if segment.flags & SYN and not segment.flags & ACK:
            clients.append(way)
        ends[way] = ends.get(way, 0) | segment.flags & (FIN | RST)
    return clients != [] and all(
        ends[way] & ends.get(way[::-1], 0) & FIN or (ends[way] | ends.get(way[::-1], 0)) & RST
        for way in clients)


# --- A connection from its bytes ----------------------------------------------------------------

class Dialogue:
    """The packets of a TCP connection as they would have been, given what was said and when. The
    ends are pairs of an address and a port, `moment` is in microseconds since 1970."""

    def __init__(self, client, server, moment):
        self.ends = {True: client, False: server}
        self.number = {True: 0, False: 0}  # of the next byte of the client, of the server
        self.packets = []
        self.add(True, moment, SYN)
        self.add(False, moment, SYN | ACK)
        self.add(True, moment, ACK)

    def said(self, by_client, moment, data):
        for at in range(0, len(data), SEGMENT_MAX):
            self.add(by_client, moment, PSH | ACK, data[at:at + SEGMENT_MAX])
            self.add(not by_client, moment, ACK)

    def ended(self, by_client, moment):
        self.add(by_client, moment, FIN | ACK)
        self.add(not by_client, moment, ACK)

    def reset(self, by_client, moment):
        self.add(by_client, moment, RST | ACK)

    def add(self, by_client, moment, flags, data=b""):
        ends = [(socket.inet_aton(host), port) for host, port in
                (self.ends[by_client], self.ends[not by_client])]
        options = struct.pack(">BBH", 2, 4, SEGMENT_MAX) if flags & SYN else b""
        heard = self.number[not by_client] if flags & ACK else 0
        tcp = with_checksum(
            struct.pack(">HHIIBBHHH", ends[0][1], ends[1][1], self.number[by_client], heard,
                        (20 + len(options)) << 2, flags, WINDOW, 0, 0) + options + data, 16,
            ends[0][0] + ends[1][0] + struct.pack(">HH", TCP, 20 + len(options) + len(data)))
        ip = with_checksum(
            struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), len(self.packets) & 0xFFFF,
                        0x4000, 64, TCP, 0, ends[0][0], ends[1][0]), 10)
        self.packets.append((moment, bytes(12) + struct.pack(">H", IPV4) + ip + tcp))
        self.number[by_client] += len(data) + (1 if flags & (SYN | FIN) else 0)


def with_checksum(data, at, before=b""):
    """The bytes with their checksum written into them; it is of those in front as well."""
    return data[:at] + struct.pack(">H", checksum(before + data)) + data[at + 2:]
