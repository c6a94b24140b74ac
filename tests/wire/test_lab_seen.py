"""What somebody on the way sees of each channel: tools/lab-capture, and what is in its files."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import pcapng
from bank import ROOT, program, run
from lab import PeerServer, session, wire
from relay import Relay

CHANNELS = ("xor", "rsa", "hybrid", "dhe", "psk", "tls")
SECONDS_MAX = 150
PASS = 16  # bytes of each pass of xor


def tshark(path, *options):
    """The lines that tshark prints of a file, each split at its tabs."""
    done = subprocess.run(["tshark", "-n", "-r", path, *options], capture_output=True, text=True,
                          timeout=SECONDS_MAX, check=False)
    if done.returncode != 0:
        raise AssertionError(f"tshark does not read {path}: {done.stderr}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def may_capture():
    return shutil.which("dumpcap") is not None and subprocess.run(
        ["dumpcap", "-q", "-i", "lo", "-a", "duration:0", "-w", os.devnull],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX,
        check=False).returncode == 0


class SeenTest(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="seen-", dir=os.environ.get("PENNY_TMP"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        done = subprocess.run([sys.executable, "-B", os.path.join(ROOT, "tools", "lab-capture"),
                               "--build", os.path.dirname(program("penny")),
                               "--folder", cls.folder, *cls.options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=SECONDS_MAX, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.said = re.findall(r"^\S*?(\w+)\.pcapng: (captured|relayed), (\d+) packets, CLOCK (.*)$",
                              done.stdout, re.M)
        cls.answers = {name: answer.encode() for name, _, _, answer in cls.said}

    def path(self, channel):
        return os.path.join(self.folder, f"{channel}.pcapng")

    def seen(self, channel):
        """What the client said and what the server said, and that there was something."""
        found = pcapng.conversations(pcapng.read(self.path(channel)))
        self.assertEqual(len(found), 1)
        client, server = found[0]
        self.assertGreater(len(client), 30)
        self.assertGreater(len(server), 30)
        return client, server

    def whole(self, channel):
        with open(self.path(channel), "rb") as file:
            return file.read()


class Seen:
    how = None

    def test_each_channel_has_its_file_and_a_line_that_says_how_it_came_about(self):
        self.assertEqual([name for name, *_ in self.said], list(CHANNELS))
        self.assertEqual(sorted(os.listdir(self.folder)),
                         sorted(f"{name}.pcapng" for name in CHANNELS))
        for name, how, packets, answer in self.said:
            self.assertEqual(how, self.how)
            self.assertEqual(int(packets), len(pcapng.read(self.path(name))))
            self.assertRegex(answer, r"^\d{4}-\d\d-\d\dT[0-9:.]{15}[+-]\d\d:\d\d$")

    def test_what_was_asked_and_answered_is_nowhere_to_be_read(self):
        for channel in CHANNELS:
            with self.subTest(channel):
                client, server = self.seen(channel)
                for said in (client, server, self.whole(channel)):
                    self.assertNotIn(self.answers[channel], said)
                    self.assertNotIn(self.answers[channel][:13], said)
                    self.assertNotIn(b"CLOCK", said)

    def test_but_who_has_the_passes_of_xor_has_all_of_it(self):
        client, server = self.seen("xor")
        passes = client[:PASS], server[:PASS], client[PASS:2 * PASS]
        key = [a ^ b ^ c for a, b, c in zip(*passes)]
        asked, answered = (bytes(byte ^ key[i % PASS] for i, byte in enumerate(said))
                           for said in (client[2 * PASS:], server[PASS:]))
        self.assertIn(b"CLOCK\r\n", asked)
        self.assertIn(self.answers["xor"] + b"\r\n", answered)
        self.assertEqual(asked[:1], b"*")

    def test_penny_reads_xor_and_no_other(self):
        for channel in CHANNELS:
            done = run([program("penny"), "lab", "break", "xor", "--from", self.path(channel)],
                       expect=0 if channel == "xor" else 1)
            self.assertEqual(self.answers[channel].decode() in done.stdout, channel == "xor")

    def test_tshark_finds_in_it_what_is_read_here(self):
        if shutil.which("tshark") is None:
            self.skipTest("there is no tshark")
        for channel in CHANNELS:
            with self.subTest(channel):
                client = server = b""
                for line in tshark(self.path(channel), "-q", "-z", "follow,tcp,raw,0"):
                    # A line in hexadecimal is of who spoke first; behind a tab, of the other.
                    if re.fullmatch("([0-9a-f]{2})+", line[-1]):
                        said = bytes.fromhex(line[-1])
                        client, server = ((client + said, server) if len(line) == 1
                                          else (client, server + said))
                self.assertEqual((client, server), self.seen(channel))
                self.assertEqual(tshark(self.path(channel), "-Y", "_ws.malformed"), [])


class Relayed(Seen, SeenTest):
    options = ("--relay",)
    how = "relayed"


class Captured(Seen, SeenTest):
    """The same of the packets themselves, or of the relay once more where nobody may see them."""

    how = "captured" if may_capture() else "relayed"


class Files(unittest.TestCase):
    """The relay and its files, of what is known to have gone through."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="relay-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "seen.pcapng")

    def relay(self, texts):
        """Two sessions of xor through a relay; gives what each wrote, in the order of its ends."""
        with PeerServer("xor") as peer, Relay("127.0.0.1", peer.port) as relay:
            several = [session("xor", wire.dial("127.0.0.1", relay.port), True) for _ in range(2)]
            for one in several:
                for text in texts:
                    self.assertEqual(one.command("ECHO", text), text)
                one.finish()
            relay.wait()
            relay.write(self.path)
            return relay.packets()

    def test_what_was_written_is_what_is_read(self):
        packets = self.relay([b"x" * 5000, b""])
        self.assertEqual(pcapng.read(self.path), packets)
        self.assertTrue(pcapng.are_over(packets))
        found = pcapng.conversations(packets)
        self.assertEqual(len(found), 2)
        for client, server in found:
            self.assertEqual(len(client), 2 * PASS + len(b"*2\r\n$4\r\nECHO\r\n") * 2 + len(
                b"$5000\r\n" + b"\r\n" + b"$0\r\n\r\n") + 5000)
            self.assertEqual(len(server), PASS + len(b"$5000\r\n\r\n$0\r\n\r\n") + 5000)

    def test_half_a_file_gives_the_packets_that_are_whole(self):
        packets = self.relay([b"some text"])
        with open(self.path, "rb") as file:
            content = file.read()
        for size in range(0, len(content), 31):
            with open(self.path, "wb") as file:
                file.write(content[:size])
            found = pcapng.read(self.path)
            self.assertEqual(found, packets[:len(found)])
            self.assertFalse(pcapng.are_over(found) and len(found) < len(packets) - 1)

    def test_tshark_finds_nothing_wrong_in_it(self):
        if shutil.which("tshark") is None:
            self.skipTest("there is no tshark")
        packets = self.relay([os.urandom(size) for size in (1, 2, 1460, 1461, 5000)])
        options = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
        good = tshark(self.path, *options, "-T", "fields", "-e", "ip.checksum.status", "-e",
                      "tcp.checksum.status")
        self.assertEqual(good, [["1", "1"]] * len(packets))  # 1 is what it calls good.
        for wrong in ("tcp.analysis.flags", "_ws.malformed", "_ws.expert.severity >= 0x600000"):
            self.assertEqual(tshark(self.path, *options, "-Y", wrong), [], wrong)
        # It would say so: one bit of the data of one packet.
        broken = [(moment, data) for moment, data in packets]
        at = next(i for i, (_, data) in enumerate(broken) if len(data) > 1000)
        moment, data = broken[at]
        broken[at] = (moment, data[:-1] + bytes([data[-1] ^ 1]))
        pcapng.write(self.path, broken)
        good = tshark(self.path, *options, "-T", "fields", "-e", "ip.checksum.status", "-e",
                      "tcp.checksum.status")
        self.assertEqual([i for i, row in enumerate(good) if row != ["1", "1"]], [at])
        self.assertEqual(good[at], ["1", "0"])
