"""The wall of bad input, at the socket: whoever sends it is told in TLS or not at all, the log says
why, nobody else notices, and nothing is kept that was lent (P5, P7)."""

import random
import re
import resource
import selectors
import socket
import ssl
import subprocess
import time
import unittest

from bank import Bank, BankTest
from resp import command, fields, wait_until
from tls_bytes import TlsBytes, not_tls
from wall import connected, ended_because, wait_until_alone, why_ended

TOO_MANY = b"-ERR max number of clients reached\r\n"
CONNECTIONS = 1000


class Garbage(BankTest):
    settings = ("server.handshake-ms=2000",)  # for those who wait for more than they will get
    chosen = random.Random(7)
    payloads = {
        "plain RESP": command("PING"),
        "an inline command": b"PING\r\n",
        "a browser": b"GET / HTTP/1.1\r\nHost: bank\r\n\r\n",
        "a form": b"POST /transfer HTTP/1.1\r\nHost: bank\r\nContent-Length: 9\r\n\r\nto=mallory",
        "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
        "zeros": bytes(5000),
        "ones": b"\xff" * 5000,
        "noise": chosen.randbytes(5000),
        "SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + chosen.randbytes(40),
        "a record too long": b"\x16\x03\x01\xff\xff" + chosen.randbytes(400),
        "an empty record": b"\x16\x03\x01\x00\x00" * 40,
        "noise in a record": b"\x16\x03\x01\x02\x00" + chosen.randbytes(512),
        "a hello of zeros": b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c" + bytes(60),
        "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
        "data before a hello": b"\x17\x03\x03\x00\x40" + chosen.randbytes(64),
    }

    def answer(self, sent):
        """All that the server says to these bytes before it closes, and what its log says."""
        with socket.create_connection((self.bank.host, self.bank.port), 60) as plain:
            local = "%s:%d" % plain.getsockname()
            said = b""
            try:
                plain.sendall(sent)
                while True:
                    data = plain.recv(65536)
                    if not data:
                        break
                    said += data
            except ConnectionError:
                pass  # It need not read what it does not want.
        return said, why_ended(self.bank, local)

    def test_what_is_no_tls_is_told_in_tls_or_not_at_all(self):
        for name, sent in self.payloads.items():
            with self.subTest(name):
                said, reason = self.answer(sent)
                self.assertEqual(not_tls(said), b"", said)
                self.assertIn(said[:1], (b"", b"\x15"), "an alert at most")
                self.assertRegex(reason, "TLS|handshake|record|message|alert|certificate")
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
        wait_until_alone(self.bank)

    def test_plain_text_is_named_for_what_it_is(self):
        for name in ("plain RESP", "an inline command", "a browser", "ssh"):
            self.assertIn("not a TLS record", self.answer(self.payloads[name])[1])

    def test_failed_handshakes_are_counted(self):
        def failed():
            with self.bank.wire("alice") as wire:
                info = wire.ask("INFO", "stats").decode()
            return int(re.search(r"handshakes_failed:(\d+)", info).group(1))

        before = failed()
        for _ in range(3):
            self.answer(b"PING\r\n")
        self.assertEqual(failed(), before + 3)

    def refused(self, context):
        """A client whose handshake must fail: what the library heard, and what the log says."""
        with TlsBytes(self.bank, context=context) as peer:
            local = peer.local()
            while peer.error is None and not peer.ended:
                peer.send()
                if not peer.take():
                    break
            if peer.established and peer.error is None:
                peer.say(command("PING"))
                peer.until_end()
            self.assertEqual(peer.plain, b"")
            self.assertEqual(not_tls(peer.raw), b"")
        return str(peer.error), why_ended(self.bank, local)

    def test_a_client_without_a_certificate_is_told_that_it_needs_one(self):
        error, reason = self.refused(ssl.create_default_context(cafile=self.bank.ca()))
        self.assertIn("certificate required", error.lower().replace("_", " "))
        self.assertEqual(reason, "no certificate")

    def test_a_client_of_another_bank_is_told_that_its_authority_is_unknown(self):
        with Bank(start=False) as other:
            context = ssl.create_default_context(cafile=self.bank.ca())
            context.load_cert_chain(other.cert("alice"), other.key("alice"))
            error, reason = self.refused(context)
        self.assertIn("unknown ca", error.lower().replace("_", " "))
        self.assertEqual(reason, "certificate not signed by our CA")

    def test_the_servers_own_certificate_makes_no_terminal(self):
        context = ssl.create_default_context(cafile=self.bank.ca())
        context.load_cert_chain(self.bank.path("certs", "server.crt"),
                                self.bank.path("certs", "server.key"))
        self.assertEqual(self.refused(context)[1],
                         "certificate lacks the extended key usage clientAuth")

    def test_older_versions_of_tls_are_told_so(self):
        context = self.bank.tls_context("alice")
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        error, reason = self.refused(context)
        self.assertIn("version", error.lower())
        self.assertRegex(reason, "no version of TLS in common")


class OneByte(BankTest):
    def test_a_whole_session_may_come_one_byte_of_tls_at_a_time(self):
        with TlsBytes(self.bank) as peer:
            peer.shake(each=1)
            peer.say(command("AUTH", "alice", self.bank.passwords["alice"]), each=1)
            self.assertEqual(peer.listen(5), b"+OK\r\n")
            peer.taken()
            peer.say(command("ECHO", "x" * 1000) + b"PING\r\n" + command("QUIT"), each=1)
            self.assertEqual(peer.until_end(), b"$1000\r\n" + b"x" * 1000 + b"\r\n+PONG\r\n+OK\r\n")
            self.assertTrue(peer.notified, "TLS was closed in order")
        wait_until_alone(self.bank)

    def test_any_cut_of_the_clients_bytes_makes_the_same_session(self):
        chosen = random.Random(11)
        for _ in range(12):
            with TlsBytes(self.bank) as peer:
                while not peer.established:
                    data = peer.out()
                    cut = chosen.randrange(len(data) + 1)
                    peer.send(data[:cut])
                    peer.send(data[cut:])
                    peer.take()
                peer.tls.write(command("TIME"))
                data = peer.out()
                cut = chosen.randrange(len(data) + 1)
                peer.send(data[:cut])
                peer.send(data[cut:])
                self.assertEqual(peer.listen(4)[:4], b"*2\r\n")


class Crowd(unittest.TestCase):
    """Many more clients than there are places, all at once."""

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = CONNECTIONS + 200
        if soft < wanted and (hard >= wanted or hard == resource.RLIM_INFINITY):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # Here the places run out, and not what one address may have of them: see test_door_crowd.
        self.bank = Bank(settings=("server.login-ms=600000", "server.handshake-ms=600000",
                                   "server.penalty-exempt=127.0.0.1"))
        self.addCleanup(self.bank.close)

    def serve(self, peers, until):
        """Lets all peers shake hands and read, until the condition holds."""
        with selectors.DefaultSelector() as selector:
            for peer in peers:
                peer.socket.setblocking(False)
                peer.send()
                selector.register(peer.socket, selectors.EVENT_READ, peer)
            end = time.monotonic() + 120
            while not until():
                self.assertLess(time.monotonic(), end, "somebody is never answered")
                for key, _ in selector.select(1):
                    peer = key.data
                    if not peer.take():
                        selector.unregister(peer.socket)
                        peer.close()
                        continue
                    peer.send()

    def test_a_thousand_connections_at_once(self):
        context = self.bank.tls_context("alice")
        peers = []
        for _ in range(CONNECTIONS):
            peers.append(TlsBytes(self.bank, context=context))
            self.addCleanup(peers[-1].close)
        places = 256
        self.serve(peers, lambda: sum(p.ended for p in peers) == CONNECTIONS - places and
                   all(p.established or p.ended for p in peers))
        for peer in peers:
            self.assertEqual(not_tls(peer.raw), b"")
            self.assertIsNone(peer.error)
            self.assertTrue(peer.established)
        told = [peer for peer in peers if peer.ended]
        for peer in told:
            self.assertEqual(peer.plain, TOO_MANY)
            self.assertTrue(peer.notified, "TLS is closed before TCP is")
        kept = [peer for peer in peers if not peer.ended]
        self.assertEqual([peer.plain for peer in kept], [b""] * places)
        # Those who have a place have a whole one.
        for peer in kept:
            peer.socket.setblocking(True)
            peer.say(command("TIME"))
        for peer in kept:
            self.assertEqual(peer.listen(4)[:4], b"*2\r\n")
        wait_until("the log has them all", lambda: self.bank.log().count(
            "because all sessions are taken") == len(told))
        for peer in peers:
            peer.close()

        def place_is_free():
            try:
                return connected(self.bank) == 0
            except (AssertionError, OSError):
                return False  # Some of the places are not free yet.

        wait_until("all have left", place_is_free, 60)
        with self.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "after", "1", "alice"))
        self.bank.check()

    def test_a_thousand_that_only_connect_are_let_go_of(self):
        self.bank.settings += ["server.login-ms=300"]
        self.bank.restart()
        silent = []
        for _ in range(CONNECTIONS):
            silent.append(socket.create_connection((self.bank.host, self.bank.port), 60))
            self.addCleanup(silent[-1].close)
        for plain in silent:
            self.assertEqual(plain.recv(1), b"", "nothing is said to who says nothing")
            plain.close()
        self.assertGreaterEqual(self.bank.log().count("because no byte came in time"), 700)
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")


class FewFiles(unittest.TestCase):
    def test_too_few_open_files_for_the_sessions_refuse_the_start(self):
        with Bank(start=False, settings=("limits.sessions=300",)) as bank:
            done = subprocess.run(["prlimit", "--nofile=100:100", *bank.server_argv()], text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                  check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, r"open files.*\b100\b.*\[limits\] sessions")

    def test_a_low_soft_limit_is_raised_to_what_the_sessions_need(self):
        bank = Bank(start=False, settings=("limits.sessions=300",
                                           "server.penalty-exempt=127.0.0.1"))
        self.addCleanup(bank.close)
        bank.start(under=["prlimit", "--nofile=100:2000"])
        peers = []
        for _ in range(150):
            peers.append(TlsBytes(bank))
            self.addCleanup(peers[-1].close)
            peers[-1].shake()
        for peer in peers:
            peer.say(command("TIME"))
            self.assertEqual(peer.listen(4)[:4], b"*2\r\n")


class Slots(unittest.TestCase):
    """Handshakes that never end hold nobody up for longer than handshake-ms."""

    def new_bank(self, *settings):
        bank = Bank(settings=settings)
        self.addCleanup(bank.close)
        return bank

    def half_open(self, bank, count, source="127.0.0.1"):
        """Clients that have sent the beginning of a hello."""
        peers = []
        for _ in range(count):
            peers.append(TlsBytes(bank, source=source))
            self.addCleanup(peers[-1].close)
            peers[-1].send(peers[-1].out()[:100])
        return peers

    def test_another_source_is_let_in_when_the_first_slot_is_free(self):
        bank = self.new_bank("limits.handshakes=4", "server.handshake-ms=1000",
                             "server.login-ms=60000")
        half = self.half_open(bank, 8)
        with TlsBytes(bank, "bob", source="127.0.0.2") as peer:
            peer.shake()
            peer.say(command("TIME"))
            self.assertEqual(peer.listen(4)[:4], b"*2\r\n")
            # It did not have to wait until the whole crowd was over.
            self.assertGreaterEqual(sum(ended_because(bank, one.local()) is None for one in half),
                                    4)
        for one in half:
            self.assertEqual(not_tls(one.raw), b"")
            self.assertEqual(why_ended(bank, one.local()), "the handshake took too long")
        wait_until_alone(bank)

    def test_a_crowd_of_one_source_leaves_half_of_the_slots_to_others(self):
        bank = self.new_bank("limits.handshakes=4", "server.handshake-ms=600000",
                             "server.login-ms=600000")
        half = self.half_open(bank, 3)
        with TlsBytes(bank, "bob", source="127.0.0.2") as peer:
            peer.shake()
        half += self.half_open(bank, 4)
        for one in half:
            one.close()
        wait_until_alone(bank)

    def test_who_got_no_slot_in_time_is_told_apart_from_the_silent(self):
        bank = self.new_bank("limits.handshakes=1", "server.handshake-ms=600000",
                             "server.login-ms=500")
        first, second = self.half_open(bank, 2)
        self.assertEqual(second.until_end(), b"")
        self.assertEqual(why_ended(bank, second.local()), "no handshake slot was free in time")
        first.close()

    def test_bytes_that_trickle_do_not_stretch_the_limit(self):
        bank = self.new_bank("server.handshake-ms=300")
        with TlsBytes(bank) as peer:
            hello = peer.out()
            try:
                for at in range(len(hello)):
                    peer.send(hello[at:at + 1])
                    if ended_because(bank, peer.local()):
                        break
                    time.sleep(0.05)
            except ConnectionError:
                pass
            self.assertEqual(why_ended(bank, peer.local()), "the handshake took too long")

    def test_every_slot_comes_back(self):
        bank = self.new_bank("limits.handshakes=2", "limits.buffers=2", "limits.sessions=4",
                             "server.handshake-ms=200", "server.penalty-exempt=127.0.0.1")
        for _ in range(6):
            for one in self.half_open(bank, 3):
                why_ended(bank, one.local())
        wait_until_alone(bank)


if __name__ == "__main__":
    unittest.main()
