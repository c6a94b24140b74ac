"""penny lab break xor --from: recordings of xor channels, whole, altered, cut, and none at all."""

import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

from bank import program
from recording import (CLIENT, COOKED, ETHERNET, IPV4, IPV6, LEFT_TO_CARD, LINKS, NULL, RAW, SERVER,
                       Conversation, block, section, write_pcap, write_pcapng)

SECONDS_MAX = 60
REQUEST = b"*1\r\n$5\r\nCLOCK\r\n"
REPLY = b"$32\r\n2026-11-20T13:22:01.000000+01:00\r\n"
KEY = bytes(range(16))
LOCKS = bytes(range(64, 80)), bytes(range(128, 144))
NOP = b"\1"


def mix(data, key=KEY):
    return bytes(byte ^ key[i % 16] for i, byte in enumerate(data))


PASSES = mix(KEY, LOCKS[0]), mix(mix(KEY, LOCKS[0]), LOCKS[1]), mix(KEY, LOCKS[1])
SAID = [(CLIENT, PASSES[0]), (SERVER, PASSES[1]), (CLIENT, PASSES[2] + mix(REQUEST)),
        (SERVER, mix(REPLY))]


class Recordings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="recording-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "capture")

    def read(self, content, code=0):
        """What penny prints about such a file: on exit 0 its output, else its one line."""
        with open(self.path, "wb") as out:
            out.write(content)
        run = subprocess.run([program("penny"), "lab", "break", "xor", "--from", self.path],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX,
                             check=False)
        out, err = run.stdout.decode(), run.stderr.decode()
        self.assertEqual(run.returncode, code, out + err)
        if code == 0:
            self.assertEqual(err, "")
            return out
        self.assertEqual(out, "")
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("penny: "), err)
        return err

    def assert_broken(self, content, key=KEY):
        said = self.read(content)
        self.assertIn(f"X                      {key.hex()}"[-33:], said)
        self.assertIn("client said            *1\\r\\n", said)
        self.assertIn("CLOCK\\r\\n", said)
        self.assertIn("2026-11-20T13:22:01.000000+01:00\\r\\n", said)
        self.assertIn("requests: 1, replies: 1", said)
        return said

    # --- What is read ---

    def test_every_format_link_and_order_is_read(self):
        for version in (4, 6):
            packets = Conversation(version).packets(SAID)
            for link in [*LINKS, IPV6 if version == 6 else IPV4]:
                for order in "<>":
                    for content in (write_pcap(packets, link, order),
                                    write_pcap(packets, link, order, nano=True),
                                    write_pcapng(packets, link, order),
                                    write_pcapng(packets, link, order, simple=True),
                                    write_pcapng(packets, link, order, more=False)):
                        with self.subTest(version=version, link=link, order=order):
                            said = self.assert_broken(content)
                            self.assertIn("checksum of every packet fits", said)
        self.assertIn("[2001:db8::1]:40000 -> [2001:db8::2]:1337", said)

    def test_tags_options_and_extensions_are_passed_over(self):
        tagged = Conversation().packets(SAID)
        self.assert_broken(write_pcap(tagged, tags=(0x8100,)))
        self.assert_broken(write_pcapng(tagged, tags=(0x88A8, 0x8100)))
        options = Conversation(ip_options=NOP * 8, tcp_options=NOP * 12)
        self.assert_broken(write_pcap(options.packets(SAID), RAW))
        hop = b"\0" + bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([6, 1, 1, 12] + [0] * 12)
        self.assert_broken(write_pcap(Conversation(6, extensions=hop).packets(SAID), RAW))

    def test_sections_follow_each_other_in_either_order(self):
        packets = Conversation().packets(SAID)
        other = Conversation(ports=(1, 2)).packets([(CLIENT, b"x")])
        self.assert_broken(write_pcapng(other, order=">") + write_pcapng(packets, COOKED))
        half = len(packets) // 2
        self.assert_broken(write_pcapng(packets[:half], order=">") + write_pcapng(packets[half:]))

    def test_segments_may_come_twice_in_pieces_and_in_any_order(self):
        talk = Conversation()
        client = PASSES[0] + PASSES[2] + mix(REQUEST)
        server = PASSES[1] + mix(REPLY)
        begin = talk.packets([], end=False)
        dice = random.Random(3)
        for _ in range(20):
            pieces = []
            for sender, sent in ((CLIENT, client), (SERVER, server)):
                pieces += [talk.data(sender, at, sent[at:at + 3]) for at in range(0, len(sent), 3)]
                pieces += [talk.data(sender, at, sent[at:at + size]) for at, size in
                           ((dice.randrange(len(sent)), dice.randrange(20)) for _ in range(5))]
            dice.shuffle(pieces)
            self.assert_broken(write_pcap(begin + pieces))
        # Without its beginning, who spoke first was the client.
        first = talk.data(CLIENT, 0, client[:16])
        self.assert_broken(write_pcap([first, *reversed(pieces)]))

    def test_a_place_with_two_contents_is_a_changed_byte(self):
        talk = Conversation()
        packets = talk.packets(SAID)
        packets.insert(6, talk.data(CLIENT, 10, b"not this"))
        self.assertIn("packet 7 has other bytes than an earlier one",
                      self.read(write_pcap(packets), 1))

    def test_the_first_exchange_among_other_connections_is_found(self):
        others = [Conversation(ports=(50000 + n, 80)).packets(
            [(CLIENT, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), (SERVER, b"x" * 99)])
            for n in range(3)]
        mine = Conversation().packets(SAID)
        packets = [packet for turn in zip(*others) for packet in turn]
        for i, packet in enumerate(mine):
            packets.insert(3 * i, packet)
        self.assert_broken(write_pcap(packets))
        self.assert_broken(write_pcap(sum(others, []) + mine))
        said = self.read(write_pcap(sum(others, [])), 1)
        self.assertIn("and 2 other connections are no xor exchange either", said)

    def test_a_port_that_is_used_again_is_another_connection(self):
        early = Conversation(numbers=(5, 6)).packets([(CLIENT, b"a" * 40), (SERVER, b"b" * 40)])
        self.assert_broken(write_pcap(early + Conversation().packets(SAID)))

    # --- What is noticed ---

    def test_every_changed_byte_of_every_payload_is_reported(self):
        for version, link in ((4, ETHERNET), (6, RAW)):
            packets = Conversation(version).packets(SAID)
            for number, packet in enumerate(packets):
                head = 40 if version == 4 else 60
                for at in range(head, len(packet)):
                    changed = bytearray(packet)
                    changed[at] ^= 1 << (at % 8)
                    content = write_pcap([*packets[:number], bytes(changed),
                                          *packets[number + 1:]], link)
                    said = self.read(content, 1)
                    self.assertIn(f"packet {number + 1}: its checksum does not fit: a byte was "
                                  "changed", said)

    def test_what_was_left_to_the_card_is_judged_by_what_it_says(self):
        talk = Conversation(sums=LEFT_TO_CARD)
        said = self.assert_broken(write_pcap(talk.packets(SAID)))
        self.assertIn("left to the network card", said)
        self.assertIn("would not be noticed", said)

        def read_with(place, at, code):
            changed = [(sender, bytearray(sent)) for sender, sent in SAID]
            changed[place][1][at] ^= 0x11
            return self.read(write_pcap(talk.packets([(s, bytes(b)) for s, b in changed])), code)

        # The frame of a message is noticed wherever it is changed, be it by a pass.
        for at in (0, 1, 2, 3, 4, 5, 6, 7, 13, 14):
            for place, offset in ((0, at), (1, at), (2, at), (2, 16 + at)):
                self.assertIn("was changed, at offset", read_with(place, offset, 1))
        for at in (0, 1, 2, 3, 4, len(REPLY) - 2, len(REPLY) - 1):
            said = read_with(3, at, 1)
            self.assertIn("was changed, at offset 0 or behind it of what the server sent", said)
        # A text is not.
        self.assertIn("2026-1 -20T13", read_with(3, 5 + 6, 0))

    def test_missing_bytes_are_no_end(self):
        packets = Conversation().packets(SAID)
        for number, packet in enumerate(packets):
            if len(packet) <= 40:
                continue
            said = self.read(write_pcap(packets[:number] + packets[number + 1:]), 1)
            self.assertIn("was not recorded, but what follows was", said)
        open_end = Conversation().packets(SAID, end=False)
        self.assertIn("no connection has the three passes", self.read(write_pcap(open_end[:4]), 1))
        self.assertIn("was not recorded whole", self.read(write_pcap(packets, size_max=60), 1))
        talk = Conversation()
        cut = talk.packets([*SAID[:3], (SERVER, mix(REPLY)[:-1])], end=False)
        self.assertIn("the recording ends too early", self.read(write_pcap(cut), 1))
        silent = talk.packets([*SAID[:2], (CLIENT, PASSES[2])])
        self.assertIn("nothing was sent behind the three passes", self.read(write_pcap(silent), 1))

    # --- What is no recording ---

    def test_a_file_cut_anywhere_ends_in_one_sentence(self):
        packets = Conversation().packets(SAID, end=False)
        for content in (write_pcap(packets), write_pcap(packets, RAW, ">"),
                        write_pcapng(packets), write_pcapng(packets, NULL, ">", simple=True)):
            whole = 0
            for size in range(len(content)):
                try:
                    self.read(content[:size], 1)
                except AssertionError:  # The request was there, and the file ends behind a packet.
                    self.assertIn("replies: 0", self.read(content[:size]))
                    whole += 1
            self.assertEqual(whole, 1)

    def test_garbage_ends_in_one_sentence(self):
        dice = random.Random(7)
        whole = write_pcap(Conversation().packets(SAID))
        for _ in range(100):
            noise = dice.randbytes(dice.randrange(600))
            self.read(noise, 1)
            self.read(whole[:24] + noise + b"x", 1)
            self.read(section("<") + noise + b"x", 1)
        self.assertIn("neither pcap nor pcapng", self.read(b"", 1))
        self.assertIn("neither pcap nor pcapng", self.read(b"GIF89a" * 9, 1))
        self.assertIn("link type 147 is not read", self.read(write_pcap([], 147), 1))
        self.assertIn("no connection has", self.read(write_pcap([]), 1))
        self.assertIn("no connection has", self.read(section("<"), 1))

    def test_numbers_of_the_file_are_not_believed(self):
        head = write_pcap([])
        for size in (0, 1, 262144, 262145, 2 ** 31, 2 ** 32 - 1):
            self.read(head + struct.pack("<IIII", 0, 0, size, size), 1)
            self.read(section("<") + struct.pack("<II", 6, size) + b"\0" * 12, 1)
            self.read(section("<") + block("<", 1, struct.pack("<HHI", 1, 0, 0)) +
                      block("<", 6, struct.pack("<IIIII", 0, 0, 0, size, size) + b"abc"), 1)
            self.read(section("<") + block("<", 6, struct.pack("<IIIII", size, 0, 0, 0, 0)), 1)
        interfaces = block("<", 1, struct.pack("<HHI", 1, 0, 0)) * 65
        self.assertIn("more than 64 interfaces", self.read(section("<") + interfaces, 1))
        many = [Conversation(ports=(port, 7)).packet(CLIENT, 0, b"x") for port in range(1, 1026)]
        self.assertIn("more than 1024 connections", self.read(write_pcap(many), 1))
        far = Conversation()
        said = self.read(write_pcap(far.packets(SAID) + [far.data(CLIENT, 2 ** 20, b"x")]), 1)
        self.assertIn("behind the connection's beginning", said)

    def test_every_byte_of_a_packets_head_may_be_anything(self):
        dice = random.Random(11)
        packets = [Conversation(version).packets(SAID)[5] for version in (4, 6)]
        for packet in packets:
            for at in range(min(len(packet), 64)):
                for value in (0, 255, dice.randrange(256)):
                    changed = bytearray(packet)
                    changed[at] = value
                    self.read(write_pcap([bytes(changed), bytes(changed)[:at]], RAW), 1)

    def test_usage_is_said_in_one_line(self):
        for words in (["lab"], ["lab", "break"], ["lab", "break", "nothing"],
                      ["lab", "mend", "xor"], ["lab", "break", "xor", "--from"],
                      ["lab", "break", "xor", "from", "x"],
                      ["lab", "break", "xor", "--from", "x", "y"]):
            run = subprocess.run([program("penny"), *words], stdin=subprocess.DEVNULL,
                                 capture_output=True, timeout=SECONDS_MAX, check=False)
            self.assertEqual(run.returncode, 2, run)
            self.assertEqual(run.stderr.count(b"\n"), 1, run)
        run = subprocess.run([program("penny"), "lab", "break", "xor", "--from", "/nonexistent"],
                             capture_output=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"No such file", run.stderr)
