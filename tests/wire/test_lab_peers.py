"""The laboratory's channels as their page has them: the peers of tests/peers, which were written
from it alone, with each other, with the real server, and with the real client."""

import functools
import os
import re
import subprocess
import sys
import unittest
from datetime import datetime

import lab
from bank import ROOT, Bank
from lab import (MODULES, LabServer, PeerServer, dhe, in_pieces, meanings, penny, rsa, session,
                 slow, wire)
from lab_faults import CLIENT, FAULTS, SERVER
from resp import Error, command, wait_until
from wire import Type

MESSAGE = "Grüße aus dem Labor"
MESSAGE_MAX = 1024
WORD_MAX = 512
CLOCK = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$"


class Answers:
    """What a server says, be it a peer's or the real one: `self.server`."""

    channel = None
    is_real = True

    @classmethod
    def setUpClass(cls):
        if cls.is_real:
            cls.server = LabServer(cls.channel, "--message", MESSAGE)
        else:
            cls.server = PeerServer(cls.channel)
        cls.addClassCleanup(cls.server.close)

    def client(self, kind=None):
        one = session(self.channel, self.server.dial(), True, kind)
        self.addCleanup(one.close)
        return one

    def check_answers(self, one):
        self.assertEqual(one.command("PING"), "PONG")
        self.assertEqual(one.command("PING", "twice"), b"twice")
        self.assertEqual(one.command("ECHO", "Käse"), "Käse".encode())
        self.assertRegex(one.command("CLOCK").decode(), CLOCK)
        self.assertRegex(one.command("DATE").decode(), r"^\d{4}-\d\d-\d\d$")
        seconds, micros = (int(part) for part in one.command("TIME"))
        self.assertLess(abs(datetime.now().timestamp() - seconds), 60)
        self.assertLess(micros, 1_000_000)
        told = one.command("TELL", f"from {self.channel}")
        self.assertIsInstance(told, bytes)
        if self.is_real:
            self.assertEqual(told.decode(), MESSAGE)
        answer = one.command("TEMPERATURE")
        self.assertFalse(isinstance(answer, Error) and answer.word == "NOPERM", answer)

    def test_it_answers_in_both_forms_of_resp(self):
        with self.client() as one:
            self.check_answers(one)
            hello = one.command("HELLO", 3)
            self.assertEqual(hello[b"proto"], 3)
            self.check_answers(one)
            self.assertIsInstance(one.command("HELLO", 2), list)
            self.check_answers(one)
            self.assertEqual(one.command("RESET"), "RESET")
            self.assertEqual(one.command("QUIT"), "OK")
            self.assertEqual(one.recv(), b"")
        if self.is_real:
            self.assertIn(f"from {self.channel}", self.server.log())

    def test_what_is_not_of_the_laboratory_is_refused_before_anything_is_looked_at(self):
        with self.client() as one:
            for words in ("BALANCE", "DEPOSIT x 1", "DEPOSIT", "AUTH alice x", "INFO", "MULTI",
                          "TRANSFER x bob 1.00", "SHUTDOWN", "REGISTER bob x", "SELECT 0", "NONE"):
                for form in (2, 3):
                    one.command("HELLO", form)
                    answer = one.command(*words.split())
                    self.assertIsInstance(answer, Error, words)
                    self.assertEqual(answer.word, "NOPERM", answer.line)
            self.assertEqual(one.command("PING"), "PONG")

    def test_long_texts_come_back_and_messages_may_be_full(self):
        with self.client() as one:
            for size in (0, 1, 15, 16, 189, 190, 191, 380, WORD_MAX):
                text = os.urandom(size)
                self.assertEqual(one.command("ECHO", text), text, size)
            first, second = os.urandom(480), os.urandom(500)
            both = command("ECHO", first) + command("ECHO", second)
            self.assertEqual(len(both), MESSAGE_MAX)
            one.send(both)
            self.assertEqual([one.wire.reply(), one.wire.reply()], [first, second])
            one.finish()

    def test_bytes_may_come_one_by_one(self):
        with self.client(slow(self.channel)) as one:
            self.assertEqual(one.command("ECHO", "one by one"), b"one by one")
            one.finish()

    def test_a_message_is_no_command_nor_a_command_a_message(self):
        with self.client() as one:
            two = command("ECHO", "a") + command("ECHO", "b")
            one.send(two)
            self.assertEqual([one.wire.reply(), one.wire.reply()], [b"a", b"b"])
            for cut in (1, 5, 14, len(two) // 2, len(two) - 1):
                one.send(two[:cut])
                one.send(two[cut:])
                self.assertEqual([one.wire.reply(), one.wire.reply()], [b"a", b"b"], cut)
            one.finish()
        with self.client(in_pieces(self.channel)) as one:
            self.assertEqual(one.command("ECHO", "x"), b"x")
            one.finish()

    def test_a_message_of_nothing_says_nothing(self):
        if self.channel in ("xor", "rsa"):
            return  # Which have no such message.
        with self.client() as one:
            for _ in range(3):
                one.put(b"")
                self.assertEqual(one.command("PING"), "PONG")
            one.finish()

    def test_a_session_ends_in_order(self):
        with self.client() as one:
            self.assertEqual(one.command("PING"), "PONG")
            one.finish()

    def test_clients_do_not_mix(self):
        several = [self.client() for _ in range(3)]
        for turn in range(3):
            for number, one in enumerate(several):
                one.send(command("ECHO", f"{number}.{turn}"))
            for number, one in reversed(list(enumerate(several))):
                self.assertEqual(one.wire.reply().decode(), f"{number}.{turn}")
        for one in several:
            one.finish()

    # --- What it refuses ---

    def commit(self, fault):
        """Does what is wrong to the server, and gives the number of its alert."""
        sock = self.server.dial()
        with sock.dup() as left:
            with self.assertRaises(wire.Alerted, msg=fault.title) as caught:
                with session(self.channel, sock, True, fault.kind) as one:
                    one.send(command("PING"))
                    if getattr(one, "wrong", None) == Type.END:
                        one.end()
                    while one.recv():
                        pass
            left.settimeout(wire.SECONDS_MAX)
            try:
                self.assertEqual(left.recv(1), b"", fault.title)
            except ConnectionError:
                pass  # As it ends when something was not read.
        return caught.exception.number

    def test_what_is_wrong_is_answered_with_its_alert_and_a_close(self):
        with self.client() as lasting:
            for fault in FAULTS[self.channel]:
                if fault.by == SERVER:
                    continue
                with self.subTest(fault.title):
                    self.assertEqual(self.commit(fault), fault.failure)
                    self.assertEqual(lasting.command("PING"), "PONG")
            lasting.finish()

    def test_an_alert_is_not_answered(self):
        if self.channel == "xor":
            return
        sock = self.server.dial()
        sock.sendall(wire.message(Type.ALERT, b"\x01"))
        self.assertEqual(sock.recv(1), b"")
        sock.close()


class Alone(Answers):
    """Peers with each other: whoever takes the real programs for right can begin here."""

    is_real = False

    def commit(self, fault):
        while not self.server.outcomes.empty():
            self.server.outcome()
        number = super().commit(fault)
        outcome = self.server.outcome()
        while not hasattr(outcome, "failure"):  # Of a session before, which ended late.
            outcome = self.server.outcome()
        self.assertEqual(outcome.failure, fault.failure, fault.title)
        return number

    def test_a_server_that_does_wrong_is_refused(self):
        for fault in FAULTS[self.channel]:
            if fault.by == CLIENT:
                continue
            with self.subTest(fault.title), PeerServer(self.channel, fault.kind) as peer:
                with self.assertRaises(wire.Refused) as caught:
                    with session(self.channel, peer.dial(), True) as one:
                        one.command("PING")
                self.assertEqual(caught.exception.failure, fault.failure)
                self.assertEqual(peer.outcome().number, fault.failure)


class AloneXor(Alone, unittest.TestCase):
    channel = "xor"


class AloneRsa(Alone, unittest.TestCase):
    channel = "rsa"


class AloneHybrid(Alone, unittest.TestCase):
    channel = "hybrid"


class AloneDhe(Alone, unittest.TestCase):
    channel = "dhe"

    def test_a_certificate_is_signed_by_the_ca_and_within_its_dates(self):
        good, bad = lab.certificates(False)
        for title, certificate in [("good", good), *bad.items()]:
            with self.subTest(title), PeerServer("dhe", certified(certificate)) as peer:
                if title == "good":
                    with session("dhe", peer.dial(), True, trusting()) as one:
                        self.assertEqual(one.command("PING"), "PONG")
                        one.finish()
                    continue
                with self.assertRaises(wire.Refused) as caught:
                    session("dhe", peer.dial(), True, trusting())
                self.assertEqual(caught.exception.failure, wire.Failure.CERTIFICATE)
                self.assertEqual(peer.outcome().number, wire.Failure.CERTIFICATE)


def certified(certificate):
    """A class of sessions with that certificate."""
    return functools.partial(dhe.Session, certificate=certificate)


def trusting(certificate=None):
    """A class of sessions that trusts the CA alone."""
    return functools.partial(dhe.Session, certificate=certificate, ca=lab.authority()[1])


class AlonePsk(Alone, unittest.TestCase):
    channel = "psk"


class Written(unittest.TestCase):
    """What the peers have in them, against where it comes from."""

    def test_failures_are_those_of_the_table(self):
        table = {number: symbol for number, (symbol, _) in meanings().items()}
        self.assertEqual(table, {f.value: f.name.lower() for f in wire.Failure})

    def test_the_group_is_that_of_the_rfc(self):
        digits = f"{dhe.P:X}"
        self.assertTrue(digits.startswith("FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1"))
        self.assertTrue(digits.endswith("34A26C1B2EFFA886B423861285C97FFFFFFFFFFFFFFFF"))
        self.assertEqual(len(digits), 512)
        for base in (2, 3, 5, 7, 11, 13):  # p = 2q + 1, and both are prime, as far as Fermat knows.
            self.assertEqual(pow(base, dhe.P - 1, dhe.P), 1)
            self.assertEqual(pow(base, dhe.P // 2 - 1, dhe.P // 2), 1)
        self.assertEqual(pow(dhe.G, dhe.P // 2, dhe.P), 1)

    def test_each_is_a_program_on_both_sides(self):
        folder = lab.Folder()
        self.addCleanup(folder.remove)
        for name in MODULES:
            with self.subTest(name):
                argv = [sys.executable, "-B", os.path.join(ROOT, "tests", "peers", f"{name}.py")]
                more = [folder.passphrase(lab.PASSPHRASE + b"\n")] if name == "psk" else []
                with subprocess.Popen([*argv, "serve", "0", *more], stdout=subprocess.PIPE,
                                      text=True) as server:
                    port = server.stdout.readline().strip().split(":")[1]
                    done = lab.run([*argv, "127.0.0.1", port, *more, "CLOCK"])
                self.assertRegex(done.stdout, CLOCK.replace("$", "\n$"))
                self.assertEqual((server.returncode, done.stderr), (0, ""))


# --- The real server ----------------------------------------------------------------------------

class RealServer(Answers):
    def test_a_request_is_no_longer_than_it_may_be(self):
        for words in (["x" * (WORD_MAX + 1)], ["x" * WORD_MAX] * 2):
            with self.client() as one:
                answer = one.command("ECHO", *words)
                self.assertIsInstance(answer, Error)
                self.assertEqual(one.recv(), b"")
        with self.client() as one:
            self.assertEqual(one.command("PING"), "PONG")

    def test_nobody_logs_in(self):
        with self.client() as one:
            answer = one.command("HELLO", 3, "AUTH", "alice", "x")
            self.assertIsInstance(answer, Error)
            self.assertEqual(answer.word, "NOPERM")

    def test_it_stops_in_order_with_a_client_there(self):
        with LabServer(self.channel) as server:
            with session(self.channel, server.dial(), True) as one:
                self.assertEqual(one.command("PING"), "PONG")
                server.stop()


class XorServer(RealServer, unittest.TestCase):
    channel = "xor"


class RsaServer(RealServer, unittest.TestCase):
    channel = "rsa"


class HybridServer(RealServer, unittest.TestCase):
    channel = "hybrid"


class DheServer(RealServer, unittest.TestCase):
    channel = "dhe"

    def test_a_certificate_is_signed_by_the_ca_and_within_its_dates(self):
        with Bank(start=False) as bank:
            keys = lab.Folder()
            self.addCleanup(keys.remove)
            keys.write_key("server.key", lab.key(False))
            keys.write_certificate("server.crt", lab.certificates(False)[0])
            keys.write_certificate("ca.crt", lab.authority()[1])
            with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
                conf.write("\n[listener dhe]\nchannel = dhe\nlab = yes\nport = 0\n"
                           f"lab-keys = {keys.folder}\n")
            bank.start()
            ready = wait_until("the listener is ready", lambda: re.search(
                r"^ready dhe 127\.0\.0\.1:(\d+)$", bank.log(), re.M))
            good, bad = lab.certificates(True)
            for title, certificate in [*bad.items(), ("good", good)]:
                sock = wire.dial("127.0.0.1", ready.group(1))
                if title == "good":
                    with session("dhe", sock, True, trusting(certificate)) as one:
                        self.assertEqual(one.command("PING"), "PONG")
                        self.assertEqual(one.command("BALANCE").word, "NOPERM")
                        one.finish()
                    continue
                with self.subTest(title), self.assertRaises(wire.Alerted) as caught:
                    session("dhe", sock, True, trusting(certificate))
                self.assertEqual(caught.exception.number, wire.Failure.CERTIFICATE)
            bank.stop()


class PskServer(RealServer, unittest.TestCase):
    channel = "psk"


# --- The real client ----------------------------------------------------------------------------

class RealClient:
    """`penny` with a peer's server."""

    channel = None

    def ask(self, peer, *words, **more):
        return penny(self.channel, peer.port, *words, **more)

    def test_it_asks_and_prints_what_it_is_told(self):
        with PeerServer(self.channel) as peer:
            self.assertRegex(self.ask(peer, "CLOCK", own_key=True).stdout,
                             CLOCK.replace("$", "\n$"))
            self.assertEqual(self.ask(peer, "TELL", "Käse ist aus").stdout,
                             "This peer has noted it.\n")
            ended = [peer.outcome(), peer.outcome()]
            self.assertEqual([getattr(one, "told", one) for one in ended],
                             [[], ["Käse ist aus".encode()]])

    def test_long_texts_and_pieces_of_one_byte(self):
        for kind in (None, slow(self.channel), in_pieces(self.channel, 7)):
            with self.subTest(kind=kind), PeerServer(self.channel, kind) as peer:
                for size in (1, 190, 900):
                    self.assertEqual(self.ask(peer, "ECHO", "x" * size).stdout, "x" * size + "\n")

    def test_what_is_not_of_the_laboratory_is_told(self):
        with PeerServer(self.channel) as peer:
            done = self.ask(peer, "BALANCE", expect=None)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("NOPERM this is a laboratory", done.stdout + done.stderr)

    def test_what_is_wrong_ends_it_with_its_name(self):
        for fault in FAULTS[self.channel]:
            if fault.by == CLIENT:
                continue
            with self.subTest(fault.title), PeerServer(self.channel, fault.kind) as peer:
                done = self.ask(peer, "PING", expect=1)
                self.assertIn(meanings()[fault.failure][1], done.stderr)
                self.assertEqual(done.stdout, "")
                said = peer.outcome()
                self.assertIsInstance(said, wire.Alerted)
                self.assertEqual(said.number, fault.failure)

    def test_an_alert_is_told_with_its_meaning(self):
        if self.channel == "xor":
            return

        def talk(one):
            one.recv()
            one.write_message(Type.ALERT, bytes([number]))

        for number, (_, meaning) in meanings().items():
            with self.subTest(number), PeerServer(self.channel, talk=talk) as peer:
                done = self.ask(peer, "PING", expect=1)
                self.assertIn(meaning, done.stderr)
                self.assertEqual(done.stdout, "")


class XorClient(RealClient, unittest.TestCase):
    channel = "xor"


class Pinned(RealClient):
    def test_the_server_is_the_pinned_one_or_nobody(self):
        pin = rsa.fingerprint(lab.key(False).public_key()).hex()
        with PeerServer(self.channel) as peer:
            done = self.ask(peer, "PING", options=["--pin", pin])
            self.assertEqual(done.stdout, "PONG\n")
        other = ("0" if pin[0] != "0" else "1") + pin[1:]
        with PeerServer(self.channel) as peer:
            done = self.ask(peer, "PING", options=["--pin", other], expect=1)
            self.assertIn(meanings()[wire.Failure.PIN][1], done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertEqual(peer.outcome().number, wire.Failure.PIN)


class RsaClient(Pinned, unittest.TestCase):
    channel = "rsa"


class HybridClient(Pinned, unittest.TestCase):
    channel = "hybrid"


class DheClient(Pinned, unittest.TestCase):
    channel = "dhe"

    def test_a_certificate_is_signed_by_the_ca_and_within_its_dates(self):
        good, bad = lab.certificates(False)
        for title, certificate in [("good", good), *bad.items()]:
            with self.subTest(title), PeerServer("dhe", certified(certificate)) as peer:
                done = self.ask(peer, "PING", ca=lab.authority()[1], expect=None)
                if title == "good":
                    self.assertEqual((done.returncode, done.stdout), (0, "PONG\n"), done.stderr)
                    continue
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(meanings()[wire.Failure.CERTIFICATE][1], done.stderr)
                self.assertEqual(peer.outcome().number, wire.Failure.CERTIFICATE)


class PskClient(RealClient, unittest.TestCase):
    channel = "psk"

    def test_another_passphrase_is_noticed_by_whoever_hears_of_it_first(self):
        with PeerServer("psk") as peer:
            done = self.ask(peer, "PING", passphrase=b"another of these", expect=1)
            self.assertIn(meanings()[wire.Failure.PASSPHRASE][1], done.stderr)
            self.assertEqual(peer.outcome().number, wire.Failure.PASSPHRASE)
