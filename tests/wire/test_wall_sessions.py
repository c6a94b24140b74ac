"""The wall of bad manners: sessions that are slow, silent or gone. Each has its limit of time,
holds up nobody else, loses no reply of its own, and gives back all that was lent (P5)."""

import os
import re
import selectors
import socket
import ssl
import subprocess
import time
import unittest

from bank import Bank, program
from resp import Error, Wire, command, fields
from tls_bytes import TlsBytes
from wall import wait_until_alone, why_ended


class TimeLimits(unittest.TestCase):
    def new_bank(self, *settings):
        bank = Bank(settings=settings)
        self.addCleanup(bank.close)
        return bank

    def test_who_never_logs_in_is_sent_away(self):
        bank = self.new_bank("server.login-ms=300")
        with TlsBytes(bank) as peer:
            peer.shake()
            self.assertEqual(peer.until_end(), b"")
            self.assertTrue(peer.notified)
            self.assertEqual(why_ended(bank, peer.local()), "nobody logged in in time")

    def test_commands_before_the_login_do_not_stretch_the_limit(self):
        bank = self.new_bank("server.login-ms=500")
        with TlsBytes(bank) as peer:
            peer.shake()
            try:
                while not peer.ended and not peer.notified:
                    peer.say(command("TIME"))
                    peer.take()
                    time.sleep(0.02)
            except (ConnectionError, ssl.SSLError):
                pass
            self.assertEqual(why_ended(bank, peer.local()), "nobody logged in in time")

    def test_waiting_for_a_hash_does_not_count(self):
        """The hashes of all together take a good deal longer than the limit."""
        bank = self.new_bank("server.login-ms=1000", "server.password-memory-kib=65536",
                             "server.password-passes=4")
        peers = [TlsBytes(bank, connect=False) for _ in range(8)]
        for peer in peers:
            self.addCleanup(peer.close)
            peer.connect()
            while not peer.established:
                peer.send()
                peer.take()
            # In one piece with the end of the handshake, so that no time passes between.
            peer.tls.write(command("AUTH", "nobody-there", "a long password"))
            peer.send()
        for peer in peers:
            self.assertEqual(peer.listen(10)[:10], b"-WRONGPASS")

    def test_an_idle_session_is_closed_in_order(self):
        bank = self.new_bank("server.idle-s=1")
        with TlsBytes(bank) as peer:
            peer.shake()
            peer.say(command("AUTH", "alice", bank.passwords["alice"]))
            self.assertEqual(peer.until_end(), b"+OK\r\n")
            self.assertTrue(peer.notified)
            self.assertEqual(why_ended(bank, peer.local()), "idle for too long")

    def test_half_a_request_does_not_wait_for_ever(self):
        bank = self.new_bank("server.request-ms=300")
        with TlsBytes(bank) as peer:
            peer.shake()
            peer.say(b"*2\r\n$4\r\nECHO\r\n$9\r\nha")
            self.assertEqual(peer.until_end(), b"")
            self.assertEqual(why_ended(bank, peer.local()), "a request took too long to arrive")

    def test_half_a_record_does_not_wait_for_ever(self):
        bank = self.new_bank("server.request-ms=300", "limits.buffers=2", "limits.handshakes=2")
        peers = [TlsBytes(bank) for _ in range(2)]
        for peer in peers:
            self.addCleanup(peer.close)
            peer.shake()
            peer.say(command("AUTH", "alice", bank.passwords["alice"]))
            self.assertEqual(peer.listen(5), b"+OK\r\n")
            peer.tls.write(command("PING"))
            peer.send(peer.out()[:9])
        with bank.wire("bob") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")


class Leaving(unittest.TestCase):
    """A client that leaves in the middle of any phase leaves nothing behind. The pools are so
    small that a single thing kept for good would stop the next client."""

    def setUp(self):
        self.bank = Bank(settings=("limits.sessions=6", "limits.handshakes=2", "limits.buffers=3",
                                   "limits.hashes=2", "limits.reads=1"))
        self.addCleanup(self.bank.close)
        with self.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "1000", "alice"))

    def logged_in(self, name="alice"):
        peer = TlsBytes(self.bank, name).shake()
        peer.say(command("AUTH", name, self.bank.passwords[name]))
        self.assertEqual(peer.listen(5), b"+OK\r\n")
        peer.taken()
        return peer

    def phases(self, turn):
        """A client in each phase, one after the other."""
        yield "accepted", TlsBytes(self.bank)
        for size in (1, 5, 6, 100):
            peer = TlsBytes(self.bank)
            peer.send(peer.out()[:size])
            yield f"after {size} bytes of the hello", peer
        peer = TlsBytes(self.bank)
        peer.send()
        yield "while its hello is worked on", peer
        peer = TlsBytes(self.bank)
        peer.send()
        peer.take()
        yield "after the server's flight", peer
        for part in (0.3, 0.9):
            peer = TlsBytes(self.bank)
            peer.send()
            while not peer.established:
                peer.take()
            data = peer.out()
            peer.send(data[:int(part * len(data))])
            yield f"after {part} of its own flight", peer
        yield "before the login", TlsBytes(self.bank).shake()
        peer = TlsBytes(self.bank).shake()
        peer.say(command("AUTH", "alice", self.bank.passwords["alice"]))
        yield "while its password is hashed", peer
        peer = self.logged_in()
        peer.say(b"*2\r\n$4\r\nECHO\r\n$5\r\nhe")
        yield "in the middle of a request", peer
        peer = self.logged_in()
        peer.tls.write(command("PING"))
        peer.send(peer.out()[:10])
        yield "in the middle of a record", peer
        peer = self.logged_in()
        peer.say(command("TRANSFER", f"t{turn}", "bob", "0.01"))
        yield "while its money is written", peer
        peer = self.logged_in()
        peer.say(b"".join(command("TRANSFER", f"t{turn}-{i}", "bob", "0.01") for i in range(50)))
        yield "with a full pipeline", peer
        peer = self.logged_in()
        peer.say(command("STATEMENT", "COUNT", 64) * 3)
        yield "while its statement is read", peer
        peer = self.logged_in("admin")
        peer.say(command("CHECKPOINT"))
        yield "while its checkpoint is taken", peer
        peer = self.logged_in("admin")
        peer.say(command("DIGEST") * 2)
        yield "while its digest is taken", peer
        peer = self.logged_in("admin")
        peer.say(command("REGISTER", f"person{turn}", "a long password"))
        yield "while its person is made", peer
        peer = self.logged_in()
        peer.say(command("PASSWD", "wrong password", "another password"))
        yield "while its passwords are hashed", peer
        peer = self.logged_in()
        peer.say(b"*x\r\n")
        yield "while it is told of its mistake", peer
        peer = self.logged_in()
        peer.say(command("QUIT"))
        yield "after QUIT", peer
        peer = self.logged_in()
        peer.socket.setblocking(False)
        try:
            while peer.can_send(0.3):
                peer.say(command("ECHO", "x" * 10000) * 5)
        except BlockingIOError:
            pass
        yield "with replies that it never read", peer

    def leave(self, how):
        turn = 0
        for repeat in range(3):
            for name, peer in self.phases(f"{how}{repeat}"):
                turn += 1
                with self.subTest(name, how=how):
                    if how == "reset":
                        peer.reset()
                    elif how == "half":
                        # Says that nothing more will come, and goes on listening.
                        peer.socket.setblocking(True)
                        peer.socket.shutdown(socket.SHUT_WR)
                        peer.until_end()
                        peer.close()
                    else:
                        peer.close()
        wait_until_alone(self.bank)
        # Every pool is whole: as many as there are of each can be had at once.
        wires = [self.bank.wire("alice") for _ in range(5)]
        for wire in wires:
            wire.send(command("STATEMENT") + command("ECHO", "x"))
        for wire in wires:
            self.assertIsInstance(wire.reply(), list)
            self.assertEqual(wire.reply(), b"x")
            wire.close()
        self.bank.check()

    def test_closing_in_any_phase(self):
        self.leave("close")

    def test_resetting_in_any_phase(self):
        self.leave("reset")

    def test_half_closing_in_any_phase(self):
        self.leave("half")


class Slow(unittest.TestCase):
    """A client that pipelines 10,000 commands and does not read."""

    count = 10000

    def setUp(self):
        self.bank = Bank()
        self.addCleanup(self.bank.close)
        with self.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "1000", "alice"))

    def address_space(self):
        with open(f"/proc/{self.bank.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[0])

    def resident(self):
        with open(f"/proc/{self.bank.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def resident_max(self):
        said = subprocess.run([program("pennyd"), self.bank.path("pennyd.conf"), "-m"], text=True,
                              capture_output=True, timeout=60, check=True).stdout
        return int(re.search(r"resident set.*: (\d+) KiB", said).group(1)) * 1024

    def request(self, number):
        kind = number % 3
        if kind == 0:
            return command("TRANSFER", f"s{number}", "bob", "0.01")
        if kind == 1:
            return command("ECHO", f"{number} " + "x" * 9000)
        return command("PING", number)

    def logged_in(self):
        peer = TlsBytes(self.bank).shake()
        self.addCleanup(peer.close)
        peer.say(command("AUTH", "alice", self.bank.passwords["alice"]))
        self.assertEqual(peer.listen(5), b"+OK\r\n")
        peer.taken()
        return peer

    def push(self, peer, data):
        """Sends until the server takes no more; gives what is left."""
        peer.socket.setblocking(False)
        while data and peer.can_send(1):
            try:
                data = data[peer.socket.send(data):]
            except BlockingIOError:
                pass
        return data

    def test_it_waits_alone_and_gets_every_reply_in_order(self):
        peer = self.logged_in()
        with self.bank.wire("till") as other:
            before = self.address_space()
            peer.tls.write(b"".join(self.request(i) for i in range(self.count)))
            left = self.push(peer, peer.out())
            self.assertNotEqual(left, b"", "the server took everything and keeps it somewhere")
            for number in range(20):
                self.assertEqual(other.ask("PING"), "PONG")
                fields(other.ask("DEPOSIT", f"o{number}", "0.01", "bob"))
            self.assertEqual(self.address_space(), before)
            self.assertLess(self.resident(), self.resident_max() + 16 * 1024 * 1024)
        self.read_all(peer, left)
        self.bank.check()

    def read_all(self, peer, left):
        wire = Wire(_Plain(peer, left))
        entry = 0
        for number in range(self.count):
            reply = wire.reply()
            kind = number % 3
            if kind == 0:
                self.assertGreater(fields(reply)["entry"], entry)
                entry = fields(reply)["entry"]
            elif kind == 1:
                self.assertEqual(reply, b"%d " % number + b"x" * 9000)
            else:
                self.assertEqual(reply, b"%d" % number)

    def test_one_that_never_reads_again_is_dropped_and_its_money_moved_once(self):
        self.bank.settings.append("server.idle-s=1")
        self.bank.restart()
        peer = self.logged_in()
        peer.tls.write(b"".join(self.request(i) for i in range(self.count)))
        self.push(peer, peer.out())
        wait_until_alone(self.bank)
        with self.bank.wire("alice") as wire:
            before = wire.ask("BALANCE")
            first = wire.ask("TRANSFER", "s0", "bob", "0.01")
            self.assertNotIsInstance(first, Error)
            self.assertEqual(wire.ask("BALANCE"), before, "it was remembered")
        self.bank.check()


class _Plain:
    """A TlsBytes as a socket that a Wire can read; sends what is left while it reads."""

    def __init__(self, peer, left):
        self.peer, self.left = peer, left
        peer.socket.setblocking(False)

    def settimeout(self, _):
        pass

    def recv(self, _):
        peer = self.peer
        while not peer.plain:
            with selectors.DefaultSelector() as selector:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.left else 0)
                selector.register(peer.socket, wanted)
                ready = selector.select(60)
            if not ready:
                raise socket.timeout()
            if ready[0][1] & selectors.EVENT_WRITE:
                self.left = self.left[peer.socket.send(self.left):]
            if ready[0][1] & selectors.EVENT_READ and not peer.take():
                return b""
        return peer.taken()


if __name__ == "__main__":
    unittest.main()
