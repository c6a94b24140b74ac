"""penny lab break: each attack on the real programs, and that nothing is left behind by any."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import uuid

from bank import program
from recording import (CLIENT, COOKED2, LEFT_TO_CARD, RAW, SERVER, Conversation, write_pcap,
                       write_pcapng)
from resp import wait_until

SECONDS_MAX = 120
CLOCK = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d"


class LabTest(unittest.TestCase):
    """Runs penny with a mark in its environment, by which its children are known."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.places = os.path.join(self.folder, "tmp")
        os.mkdir(self.places)
        self.mark = f"PENNY_TEST_MARK={uuid.uuid4().hex}"
        name, value = self.mark.split("=")
        self.environment = dict(os.environ, TMPDIR=self.places, **{name: value})

    def marked(self):
        """The processes of this test that still run."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as text:
                    if self.mark.encode() in text.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def run_penny(self, *words, code=0, path=None):
        run = subprocess.run([path or program("penny"), *words], env=self.environment,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX,
                             check=False)
        out, err = run.stdout.decode(), run.stderr.decode()
        self.assertEqual(run.returncode, code, out + err)
        self.assertEqual(os.listdir(self.places), [])
        self.assertEqual(self.marked(), [])
        if code == 0:
            self.assertEqual(err, "")
            return out
        return out + err

    def rows(self, *words):
        """The table that an attack prints: {channel: (what happened and the verdict)}."""
        said = self.run_penny("lab", "break", *words)
        table = re.split(r"^channel +what happened +verdict\n", said, flags=re.M)[1]
        return dict(re.match(r"(\S+) +(.*)", line).groups() for line in table.splitlines())


class Attacks(LabTest):
    def test_xor_is_read_by_who_has_seen_it(self):
        said = self.run_penny("lab", "break", "xor")
        passes = [bytes.fromhex(digits) for digits in re.findall(r" ([0-9a-f]{32})$", said, re.M)]
        self.assertEqual(len(passes), 4, said)
        mixed = bytes(a ^ b ^ c for a, b, c in zip(*passes[:3]))
        self.assertEqual(mixed, passes[3])
        self.assertIn("client said            *1\\r\\n", said)
        read = re.search(rf"\$32\\r\\n\s+({CLOCK})\\r\\n", said).group(1)
        self.assertIn(f'was answered "{read}" as well', said)

    def test_what_was_sent_is_sent_again(self):
        rows = self.rows("replay")
        self.assertEqual(list(rows), ["rsa", "hybrid", "dhe", "psk", "tls"])
        for channel in ("rsa", "hybrid"):
            self.assertRegex(rows[channel], r"answered again, with \d+ sealed bytes; told twice +"
                                            r"carried out again$")
        self.assertRegex(rows["dhe"], r"^alert 4: the signature does not fit the message; "
                                      r"told once +withstood$")
        self.assertRegex(rows["psk"], r"^alert 11: the other side has another passphrase.*; "
                                      r"told once +withstood$")
        self.assertRegex(rows["tls"], r"^hung up: a record was altered.*; told once +withstood$")

    def test_a_bit_is_turned_on_its_way(self):
        rows = self.rows("flip")
        self.assertEqual(list(rows), ["xor", "rsa", "hybrid", "dhe", "psk", "tls"])
        self.assertRegex(rows.pop("xor"), r'^the server said "pay 1000", the client had '
                                          r'"pay 9000" +forged$')
        for channel, row in rows.items():
            with self.subTest(channel=channel):
                self.assertRegex(row, r"^refused: .* (fit|altered).* noticed$")

    def test_who_is_in_the_middle_reads_rsa_until_the_key_is_pinned(self):
        said = self.run_penny("lab", "break", "middle")
        self.assertRegex(said, r"read of the client +\*2\\r\\n\n +\$4\\r\\n\n +ECHO\\r\\n\n"
                               r" +\$24\\r\\n\n +the safe is open at noon\\r\\n\n")
        self.assertRegex(said, r"read of the server +\$24\\r\\n\n"
                               r" +the safe is open at noon\\r\\n\n")
        self.assertIn('was answered "the safe is open at noon", and noticed nothing', said)
        self.assertRegex(said, r"--pin [0-9a-f]{64}\n +the client refused: "
                               r"the server's key is not the pinned one\n$")

    def test_usage_is_said_in_one_line(self):
        for words in (["lab", "break", "replay", "x"], ["lab", "break", "flip", "--from", "x"],
                      ["lab", "break", "middle", "127.0.0.1"], ["-h", "::1", "lab", "break", "xor"],
                      ["--channel", "rsa", "lab", "break", "flip"], ["192.0.2.1:1337", "lab",
                                                                     "break", "xor"]):
            with self.subTest(words=words):
                said = self.run_penny(*words, code=2)
                self.assertEqual(said.count("\n"), 1, said)
        said = self.run_penny("--help")
        for attack in ("xor [--from CAPTURE]", "replay", "flip", "middle"):
            self.assertIn(f"    lab break {attack}\n", said)


class Surroundings(LabTest):
    """Attacks that cannot be played say why, and clean up too."""

    def alone(self, **programs):
        """A folder with penny in it, and other programs as scripts of a shell."""
        folder = os.path.join(self.folder, "alone")
        os.makedirs(folder, exist_ok=True)
        penny = os.path.join(folder, "penny")
        if not os.path.exists(penny):
            shutil.copy(program("penny"), penny)
        for name, script in programs.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(f"#!/bin/sh\n{script}\n")
            os.chmod(out.name, 0o755)
        return penny

    def test_without_a_server_there_is_no_attack(self):
        self.environment["PATH"] = self.folder
        said = self.run_penny("lab", "break", "xor", path=self.alone(), code=1)
        self.assertEqual(said, "penny: pennyd is neither beside penny nor along $PATH\n")
        said = self.run_penny("lab", "break", "replay", path=self.alone(), code=1)
        self.assertEqual(said.count("neither beside penny nor along $PATH"), 5)
        said = self.run_penny("lab", "break", "middle", path=self.alone(), code=1)
        self.assertEqual(said.count("\n"), 1)

    def test_a_server_along_the_path_will_do(self):
        self.environment["PATH"] = os.path.dirname(program("pennyd")) + ":/usr/bin:/bin"
        self.assertIn("broken:", self.run_penny("lab", "break", "xor", path=self.alone()))

    def test_a_server_of_no_use_ends_in_one_sentence(self):
        for script, why in (
                ("exit 3", "pennyd ended with 3"),
                ("printf 'no \\033[2Jroom\\n'; exit 1", r"pennyd ended with 1: no \x1b[2Jroom"),
                ("kill -9 $$", "pennyd ended with 137"),
                ("echo ready; echo 'ready xor 127.0.0.1:x'; exec sleep 99", "named no port"),
                ("echo 'ready xor 127.0.0.1:0'; exec sleep 99", "named no port"),
                ("echo 'ready xor'; exec sleep 99", "named no port"),
                ("echo 'ready xor 127.0.0.1:1'; exec sleep 99", "refused"),
                ("head -c 999999 /dev/zero; exit 4", "pennyd ended with 4")):
            with self.subTest(script=script):
                said = self.run_penny("lab", "break", "xor", path=self.alone(pennyd=script), code=1)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(why, said)

    def test_a_bank_that_cannot_be_made_leaves_nothing(self):
        path = self.alone(pennyd=f"exec '{program('pennyd')}' \"$@\"",
                          pennyctl="mkdir \"$2\"; echo all >\"$2/of-it\"; exit 1")
        said = self.run_penny("lab", "break", "flip", path=path, code=1)
        self.assertRegex(said, r"(?m)^tls +pennyctl ended with 1")
        self.assertRegex(said, r"(?m)^xor .* forged$")

    def interrupt(self, number):
        """Sends a signal while the attack on TLS is played, whose folder is there then."""
        with subprocess.Popen([program("penny"), "lab", "break", "flip"], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            wait_until("there is a folder and a child of penny",
                       lambda: os.listdir(self.places) and len(self.marked()) > 1, SECONDS_MAX)
            process.send_signal(number)
            code = process.wait(SECONDS_MAX)
        wait_until("all have ended", lambda: not self.marked(), SECONDS_MAX)
        return code

    def test_a_signal_leaves_nothing_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number=number):
                self.assertEqual(self.interrupt(number), 1)
                self.assertEqual(os.listdir(self.places), [])

    def test_no_server_outlives_penny(self):
        self.assertEqual(self.interrupt(signal.SIGKILL), -signal.SIGKILL)


class Relay:
    """Stands between penny and a server of xor, and keeps what passes, as pieces in order."""

    def __init__(self, port):
        self.port = port
        self.pieces = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def copy(self, sender, source, target):
        while piece := source.recv(4096):
            with self.lock:
                self.pieces.append((sender, piece))
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)

    def run(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            back = threading.Thread(target=self.copy, args=(SERVER, server, client), daemon=True)
            back.start()
            self.copy(CLIENT, client, server)
            back.join(SECONDS_MAX)

    def close(self):
        self.thread.join(SECONDS_MAX)
        self.listener.close()


class RealRecordings(LabTest):
    def test_what_was_really_said_is_read_out_of_a_recording(self):
        with subprocess.Popen([program("pennyd"), "--lab", "xor", "--port", "0"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as server:
            self.addCleanup(server.wait, SECONDS_MAX)
            self.addCleanup(server.terminate)
            ready = server.stdout.readline().decode()
            relay = Relay(int(re.match(r"ready xor 127\.0\.0\.1:(\d+)$", ready).group(1)))
            client = subprocess.run([program("penny"), "--channel", "xor", "-p",
                                     str(relay.own_port), "CLOCK"], stdin=subprocess.DEVNULL,
                                    capture_output=True, timeout=SECONDS_MAX, check=True)
            relay.close()
            server.terminate()
        answer = client.stdout.decode().strip()
        self.assertRegex(answer, CLOCK)
        path = os.path.join(self.folder, "capture")
        for content in (write_pcap(Conversation().packets(relay.pieces)),
                        write_pcapng(Conversation(6).packets(relay.pieces), RAW, ">"),
                        write_pcap(Conversation(sums=LEFT_TO_CARD).packets(relay.pieces), COOKED2)):
            with open(path, "wb") as out:
                out.write(content)
            said = self.run_penny("lab", "break", "xor", "--from", path)
            self.assertIn("CLOCK\\r\\n", said)
            self.assertIn(answer + "\\r\\n", said)
