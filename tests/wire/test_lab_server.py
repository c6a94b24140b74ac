"""The laboratory's server: pennyd --lab, which has no bank, and a bank with its channels beside TLS."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from bank import SECONDS_MAX, Bank, run, starting
from lab_process import LabProcess
from laboratory import CHANNELS, PASSPHRASE
from resp import Error, Wire, wait_until

PORTS = {"xor": 1337, "rsa": 3405, "hybrid": 3406, "dhe": 5050, "psk": 6227}
HELLO = 1  # the type of a client's first message


class Xor:
    """A client of channel xor over a socket, as README.md beside the channels has it; a Wire takes
    it for a socket."""

    def __init__(self, port, passes=3):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX)
        self.key = secrets.token_bytes(16)
        self.at = {"up": 0, "down": 0}
        padlock = secrets.token_bytes(16)
        self.socket.sendall(self.crossed(self.key, padlock))
        if passes < 3:
            return
        both = b""
        while len(both) < 16:
            more = self.socket.recv(16 - len(both))
            if not more:
                self.socket.close()
                raise ConnectionError("the server closed within the passes")
            both += more
        self.socket.sendall(self.crossed(both, padlock))

    @staticmethod
    def crossed(a, b):
        return bytes(x ^ y for x, y in zip(a, b))

    def stream(self, way, data):
        begin = self.at[way]
        self.at[way] += len(data)
        return bytes(x ^ self.key[(begin + i) % 16] for i, x in enumerate(data))

    def sendall(self, data):
        self.socket.sendall(self.stream("up", data))

    def recv(self, size):
        return self.stream("down", self.socket.recv(size))

    def settimeout(self, seconds):
        self.socket.settimeout(seconds)

    def close(self):
        self.socket.close()


def xor_wire(port):
    return Wire(Xor(port))


class Alone(unittest.TestCase):
    """Servers in an empty folder of their own, whose log lies elsewhere."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.empty = os.path.join(self.folder, "empty")
        os.mkdir(self.empty)
        self.log_path = os.path.join(self.folder, "log")
        self.passphrase = os.path.join(self.folder, "passphrase")
        self.write_passphrase(PASSPHRASE)
        self.lab = None
        self.addCleanup(self.kill)

    def write_passphrase(self, text, mode=0o600):
        with open(self.passphrase, "wb") as file:
            file.write(text)
        os.chmod(self.passphrase, mode)

    def words(self, channel, *more):
        words = [*starting("pennyd"), "--lab", channel, *more]
        return words + (["--passphrase-file", self.passphrase] if channel == "psk" else [])

    def start(self, channel, *more, port=0):
        options = ("--passphrase-file", self.passphrase) if channel == "psk" else ()
        self.lab = LabProcess(channel, self.empty, self.log_path, *options)
        return self.lab.start(*more, port=port)

    def stop(self, number=signal.SIGTERM):
        self.lab.stop(number)

    def kill(self):
        if self.lab is not None:
            self.lab.kill()

    def log(self):
        return self.lab.log() if self.lab is not None else ""

    def refused(self, *words, code=2):
        """A start that fails with one line and no file; gives the line."""
        done = run([*starting("pennyd"), *words], expect=code, cwd=self.empty)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apennyd: [^\n]+\n\Z")
        self.assertEqual(os.listdir(self.empty), [])
        return done.stderr

    def test_each_channel_starts_and_stops_and_makes_no_file(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.start(channel)
                self.stop(signal.SIGINT if channel == "rsa" else signal.SIGTERM)
                self.assertEqual(os.listdir(self.empty), [])
        self.assertNotIn(" warning ", self.log())
        self.assertNotIn(" error ", self.log())
        self.assertNotIn("the book", self.log())

    def test_a_server_whose_client_is_connected_starts_again_at_once_on_its_port(self):
        port = self.start("xor")
        with xor_wire(port) as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
            self.stop()
            self.assertTrue(wire.ends())
            self.assertEqual(self.start("xor", port=port), port)
            with xor_wire(port) as other:
                self.assertEqual(other.ask("PING"), "PONG")
        self.stop()

    def test_a_client_that_takes_nothing_holds_up_no_stop(self):
        port = self.start("xor")
        silent = socket.create_connection(("127.0.0.1", port))
        half = Xor(port, passes=1)
        self.addCleanup(silent.close)
        self.addCleanup(half.close)
        self.stop()

    def test_commands_are_answered_and_those_of_a_bank_are_not(self):
        port = self.start("xor", "--message", "Greetings from the laboratory.")
        with xor_wire(port) as wire:
            self.assertEqual(wire.ask("TELL", "hello").decode(), "Greetings from the laboratory.")
            self.assertRegex(wire.ask("CLOCK").decode(), r"^20\d\d-\d\d-\d\dT")
            self.assertRegex(wire.ask("DATE").decode(), r"^20\d\d-\d\d-\d\d$")
            self.assertIn(b"simulated", wire.ask("TEMPERATURE"))
            for words in (("BALANCE",), ("AUTH", "a", "b"), ("HELLO", "3", "AUTH", "a", "b"),
                          ("CHECKPOINT",), ("DIGEST",), ("STATEMENT",), ("INFO",), ("MULTI",),
                          ("SHUTDOWN",), ("REGISTER", "a", "b")):
                reply = wire.ask(*words)
                self.assertIsInstance(reply, Error, words)
                self.assertEqual(reply.word, "NOPERM", words)
            self.assertEqual(wire.ask("PING"), "PONG")
        self.stop()
        self.assertEqual(os.listdir(self.empty), [])

    def test_the_log_tells_who_came_what_was_said_and_why_it_ended(self):
        port = self.start("xor")
        with xor_wire(port) as wire:
            address = "127.0.0.1:%d" % wire.socket.socket.getsockname()[1]
            wire.ask("PING")
        wait_until("the end is told", lambda: " ended session 1 " in self.log())
        self.stop()
        lines = [line.split(" ", 1)[1] for line in self.log().split("\n") if " session 1" in line]
        self.assertEqual(lines[0], f"info connection received session 1 from {address}")
        self.assertRegex(lines[1], r"^info explain session 1 <-- first pass: .*16 bytes$")
        self.assertIn(f"info connected session 1 from {address} channel xor", lines)
        self.assertEqual(lines[-1], f"info ended session 1 from {address} commands 1 because the "
                                    "client closed")

    def test_nothing_is_explained_where_that_is_switched_off(self):
        port = self.start("xor", "--set", "listener xor.explain=no")
        with xor_wire(port) as wire:
            wire.ask("PING")
        self.stop()
        self.assertNotIn("explain", self.log())

    def test_options_are_of_its_one_listener(self):
        done = run(self.words("psk", "-t", "--host", "::1", "--port", "7000", "--threads", "1"),
                   cwd=self.empty)
        self.assertEqual(done.stdout, "the configuration is fine\n")
        self.assertIn("port cannot be \"65536\"", self.refused("--lab", "xor", "--port", "65536"))
        self.assertIn("address cannot be \"here\"", self.refused("--lab", "xor", "--host", "here"))

    def test_what_it_cannot_be_is_said_in_one_line(self):
        self.assertIn('--lab has no channel "tls"; this build has xor, rsa, hybrid, dhe, psk',
                      self.refused("--lab", "tls"))
        self.assertIn('--lab has no channel "Xor"', self.refused("--lab", "Xor"))
        self.assertIn("--lab needs a value", self.refused("--lab"))
        self.assertIn("one --lab, not two", self.refused("--lab", "xor", "--lab", "rsa"))
        self.assertIn("--lab takes no configuration file",
                      self.refused("--lab", "xor", "pennyd.conf"))
        self.assertIn("--lab takes no --read-only", self.refused("--lab", "xor", "--read-only"))
        self.assertIn("--message goes with --lab", self.refused("--message", "x"))
        self.assertIn("--passphrase-file goes with --lab", self.refused("--passphrase-file", "x"))
        self.assertIn("only channel psk takes a passphrase-file",
                      self.refused("--lab", "xor", "--passphrase-file", "x", code=1))
        self.assertIn("a laboratory channel takes no certificate",
                      self.refused("--lab", "xor", "--set", "listener xor.certificate=x", code=1))
        self.assertIn("it needs lab = yes",
                      self.refused("--lab", "xor", "--set", "listener xor.lab=no", code=1))
        self.assertIn("--lab has no bank behind it", self.refused(
            "--lab", "xor", *(word for key in ("certificate", "key", "ca") for word in
                              ("--set", f"listener tls.{key}=x")), code=1))

    def test_a_passphrase_has_16_bytes_and_one_reader(self):
        self.assertIn("channel psk needs --passphrase-file, a file of exactly 16 bytes",
                      self.refused("--lab", "psk", code=1))
        words = ("--lab", "psk", "--port", "0", "--passphrase-file", self.passphrase)
        for text in (PASSPHRASE[:15], PASSPHRASE + b"!"):
            self.write_passphrase(text)
            self.assertIn(self.passphrase, self.refused(*words, code=1))
        self.write_passphrase(b"")
        self.assertIn("is empty", self.refused(*words, code=1))
        self.write_passphrase(PASSPHRASE, mode=0o644)
        self.assertIn("can be read by others", self.refused(*words, code=1))
        for end in (b"", b"\n", b"\r\n"):
            self.write_passphrase(PASSPHRASE + end)
            run(self.words("psk", "-t"), cwd=self.empty)
        os.remove(self.passphrase)
        self.assertIn(f"{self.passphrase}: channel psk needs a passphrase of exactly 16 bytes",
                      self.refused(*words, code=1))

    def test_a_check_and_a_budget_are_there_without_a_bank(self):
        for channel in CHANNELS:
            done = run(self.words(channel, "-m"), cwd=self.empty)
            resident = int(re.search(r"greatest resident set, .*: (\d+) KiB", done.stdout).group(1))
            self.assertLess(resident, 16384, channel)
            self.assertRegex(done.stdout, r"(?m)^password hash +1 +0 +0$")
        self.assertEqual(os.listdir(self.empty), [])

    def test_the_help_names_the_channels(self):
        shown = run([*starting("pennyd"), "--help"]).stdout
        self.assertIn("pennyd --lab CHANNEL [options]", shown)
        self.assertIn("CHANNEL is one of xor, rsa, hybrid, dhe, psk\n", shown)


class Beside(unittest.TestCase):
    """A bank that has a listener of each channel beside TLS, with keys that pennyctl lab made."""

    def open_bank(self, settings=(), channels=CHANNELS, keys=True, lines=""):
        bank = Bank(start=False, settings=settings)
        self.addCleanup(bank.close)
        if keys:
            bank.pennyctl("lab", bank.home)
        with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
            for channel in channels:
                conf.write(f"\n[listener {channel}]\nchannel = {channel}\nlab = yes\nport = 0\n"
                           f"{lines}")
        return bank

    @staticmethod
    def ports(bank):
        newest = bank.log()[max(0, bank.log().rfind("ready tls ")):]
        return {name: int(port)
                for name, port in re.findall(r"^ready (\S+) 127\.0\.0\.1:(\d+)$", newest, re.M)}

    def start(self, bank, channels=CHANNELS):
        bank.start()
        return wait_until("all listeners are told", lambda: set(channels) <= self.ports(bank).keys()
                          and self.ports(bank))

    def penny(self, bank, channel, port, *words, **more):
        return run([*starting("penny"), "-c", bank.path("client.conf"), "--channel", channel, "-p",
                    str(port), *words], cwd=bank.folder, **more)

    @staticmethod
    def public_key(path):
        """SubjectPublicKeyInfo of a private key, DER."""
        return subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"],
                              capture_output=True, check=True, timeout=SECONDS_MAX).stdout

    def hello(self, bank, channel):
        """What a client of that channel says first."""
        if channel == "xor":
            return secrets.token_bytes(16)
        body = self.public_key(bank.path("lab", "client.key"))
        if channel in ("dhe", "psk"):
            body = secrets.token_bytes(48 if channel == "dhe" else 32)
        return bytes([HELLO]) + len(body).to_bytes(2, "big") + body

    def test_keys_are_found_and_every_channel_answers_beside_tls(self):
        bank = self.open_bank()
        run([*starting("pennyd"), "-t", bank.path("pennyd.conf")])
        ports = self.start(bank)
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                shown = self.penny(bank, channel, ports[channel], "CLOCK").stdout
                self.assertRegex(shown, r"^20\d\d-")
                refused = self.penny(bank, channel, ports[channel], "BALANCE", expect=None)
                self.assertIn("NOPERM", refused.stdout + refused.stderr)
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
            self.assertEqual(bank.port, ports["tls"])
            self.assertIn(b"tcp_port:%d" % ports["tls"], wire.ask("INFO"))
        key = self.public_key(bank.path("lab", "server.key"))
        for channel in ("rsa", "hybrid"):
            with socket.create_connection(("127.0.0.1", ports[channel]), SECONDS_MAX) as plain:
                plain.sendall(self.hello(bank, channel))
                answer = b""
                while len(answer) < 3 + len(key):
                    more = plain.recv(4096)
                    self.assertTrue(more)
                    answer += more
                self.assertEqual(answer[3:], key)
        self.assertNotIn("explain", bank.log())
        bank.restart()
        bank.check()

    def test_whoever_the_laboratory_s_ca_did_not_sign_is_refused_on_dhe(self):
        bank = self.open_bank(channels=("dhe",))
        port = self.start(bank, ("dhe",))["dhe"]
        # The bank's own certificates are not of this CA, and the other way round.
        conf = bank.path("client.conf")
        with open(conf, encoding="utf-8") as file:
            text = file.read()
        other = tempfile.mkdtemp(dir=bank.folder)
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30",
             "-subj", "/CN=x", "-keyout", "x.key", "-out", "x.crt"], cwd=other)
        with open(conf, "w", encoding="utf-8") as file:
            file.write(text.replace("lab/client.key", f"{other}/x.key")
                       .replace("lab/client.crt", f"{other}/x.crt"))
        self.penny(bank, "dhe", port, "CLOCK", expect=1)
        with open(conf, "w", encoding="utf-8") as file:
            file.write(text)
        self.penny(bank, "dhe", port, "CLOCK")
        alice = run([*starting("penny"), *bank.cli_options("alice")[:4], "--cert",
                     bank.path("lab", "client.crt"), "--key", bank.path("lab", "client.key"),
                     "--cacert", bank.ca(), "CLOCK"], expect=None)
        self.assertNotEqual(alice.returncode, 0)

    def test_without_keys_they_are_made_but_a_passphrase_is_not(self):
        bank = self.open_bank(channels=("rsa", "dhe"), keys=False)
        self.start(bank, ("rsa", "dhe"))
        bank.stop()
        self.assertFalse(os.path.exists(bank.path("lab")))
        bank = self.open_bank(channels=("psk",), keys=False)
        code, said = bank.refused_start()
        self.assertEqual(code, 1)
        self.assertIn("lab/passphrase: channel psk needs a passphrase of exactly 16 bytes there; "
                      "pennyctl lab DIR makes one", said)

    def test_keys_that_are_not_what_they_should_be_stop_the_start(self):
        bank = self.open_bank(channels=("dhe",))
        with open(bank.path("lab", "server.key"), encoding="utf-8") as file:
            sound = file.read()

        def refusal(said):
            code, text = bank.refused_start()
            self.assertEqual(code, 1)
            self.assertIn("listener dhe: ", text)
            self.assertIn(said, text)

        os.chmod(bank.path("lab", "server.key"), 0o640)
        refusal("lab/server.key: the key can be read by others")
        os.chmod(bank.path("lab", "server.key"), 0o600)
        shutil.copy(bank.path("lab", "client.key"), bank.path("lab", "server.key"))
        refusal("lab/server.key")
        for text in ("", "no key"):
            with open(bank.path("lab", "server.key"), "w", encoding="utf-8") as file:
                file.write(text)
            refusal("lab/server.key")
        with open(bank.path("lab", "server.key"), "w", encoding="utf-8") as file:
            file.write(sound)
        self.start(bank, ("dhe",))

    def test_who_falls_silent_is_dropped_and_blocks_nobody_meanwhile(self):
        bank = self.open_bank(settings=("server.handshake-ms=4000",))
        ports = self.start(bank)
        silent = {}
        for channel in CHANNELS:
            hello = self.hello(bank, channel)
            if channel in ("rsa", "hybrid"):
                hello = hello[:-1]  # The whole of it would be all that they have to say.
            silent[channel] = socket.create_connection(("127.0.0.1", ports[channel]), SECONDS_MAX)
            self.addCleanup(silent[channel].close)
            silent[channel].sendall(hello)
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
        for channel in CHANNELS:
            self.assertRegex(self.penny(bank, channel, ports[channel], "CLOCK").stdout, r"^20\d\d-")
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                while silent[channel].recv(4096):  # Its answer, and perhaps an alert.
                    pass
                address = "127.0.0.1:%d" % silent[channel].getsockname()[1]
                self.assertRegex(bank.log(), rf"ended session \d+ from {address} .*because ")
        bank.stop()

    def test_a_laboratory_that_is_full_turns_away_and_serves_again_later(self):
        bank = self.open_bank(settings=("limits.lab-sessions=2",), channels=("xor", "psk"))
        ports = self.start(bank, ("xor", "psk"))
        first, second = xor_wire(ports["xor"]), xor_wire(ports["xor"])
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        for wire in (first, second):
            self.assertEqual(wire.ask("PING"), "PONG")
        self.assertIsNone(self.answer(ports["xor"]))
        self.penny(bank, "psk", ports["psk"], "CLOCK", expect=1)
        self.assertIn("because all laboratory sessions are taken", bank.log())
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
        self.assertEqual(first.ask("PING"), "PONG")
        first.close()
        self.assertEqual(wait_until("a place is free", lambda: self.answer(ports["xor"])), "PONG")
        self.assertEqual(second.ask("PING"), "PONG")
        bank.stop()

    @staticmethod
    def answer(port):
        """What a new client is answered, or None when it is turned away."""
        try:
            with xor_wire(port) as wire:
                return wire.ask("PING")
        except (OSError, AssertionError):
            return None

    def test_explain_tells_the_messages_of_that_listener_alone(self):
        bank = self.open_bank(channels=("xor", "psk"))
        with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
            conf.write("explain = yes\n")  # of the last one, psk
        ports = self.start(bank, ("xor", "psk"))
        with xor_wire(ports["xor"]) as wire:
            wire.ask("PING")
        self.assertNotIn(" explain ", bank.log())
        self.penny(bank, "psk", ports["psk"], "CLOCK")
        with open(bank.path("lab", "passphrase"), encoding="utf-8") as file:
            passphrase = file.read().strip()
        wait_until("it is explained", lambda: " explain session " in bank.log())
        self.assertNotIn(passphrase, bank.log())

    def test_what_does_not_fit_is_refused_by_t(self):
        bank = self.open_bank(channels=())
        argv = [*starting("pennyd"), "-t", bank.path("pennyd.conf")]
        for settings, said in (
                (("channel=xor",), "it needs lab = yes"),
                (("lab=yes", "certificate=a", "key=b", "ca=c"), "it takes no lab = yes"),
                (("channel=xor", "lab=yes", "ca=c"), "a laboratory channel takes no ca"),
                (("channel=xor", "lab=yes", "certificate-is-user=yes"),
                 "a laboratory channel takes no certificate-is-user"),
                (("channel=xor", "lab=yes", "passphrase-file=c"), "only channel psk takes"),
                (("explain=yes", "certificate=a", "key=b", "ca=c", "port=1"),
                 "channel tls takes no explain")):
            words = [w for setting in settings for w in ("--set", f"listener x.{setting}")]
            self.assertIn(said, run([*argv, *words], expect=1).stderr)
        for channel, port in PORTS.items():
            words = ["--set", f"listener x.channel={channel}", "--set", "listener x.lab=yes"]
            run([*argv, *words])
            done = run([*argv, *words, "--set", f"listener tls.port={port}"], expect=1)
            self.assertIn("its address and port are already those of listener tls", done.stderr)


if __name__ == "__main__":
    unittest.main()
