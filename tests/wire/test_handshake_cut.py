"""Handshakes of a client that no one here wrote, cut behind every byte and altered in every byte,
either way. None of them is let in or takes anybody's place; each is one line of the log; and what
was lent to it comes back: the server has memory for a few sessions, and thousands come."""

import itertools
import re
import socket
import unittest

from bank import Bank
from resp import command, wait_until
from tls_bytes import TlsBytes, not_tls
from wall import wait_until_alone

SESSIONS = 4
SECONDS_MAX = 20
LEFT = "the peer left during the handshake"
LINE = re.compile(r"(connected|ended) session \d+ from (127\.\S+):\d+ .*?(?:because (.*))?$", re.M)


class Sessions:
    """What the log says of sessions since this was made."""

    def __init__(self, bank):
        self.bank = bank
        self.begin = len(bank.log())

    def lines(self):
        return LINE.findall(self.bank.log()[self.begin:])

    def ended(self, sources):
        """The reason for the end of each session, by its source, when all are over."""
        wanted = set(sources)

        def all_over():
            ends = [(source, why) for what, source, why in self.lines() if what == "ended"]
            return {source for source, _ in ends} >= wanted and ends

        ends = [(source, why) for source, why in wait_until("all are over", all_over)
                if source in wanted]
        assert len(ends) == len(wanted), "somebody has ended twice"
        return dict(ends)

    def let_in(self):
        return {source for what, source, _ in self.lines() if what == "connected"}


class CutTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # What is left of a limit of time is somebody else's test.
        cls.bank = Bank(settings=(
            f"limits.sessions={SESSIONS}", "limits.buffers=4", "limits.handshakes=2",
            "server.handshake-ms=20000", "server.login-ms=60000",
            "server.penalty-exempt=127.0.0.0/8"))
        cls.addClassCleanup(cls.bank.close)
        cls.context = cls.bank.tls_context("alice")
        cls.sources = (f"127.{32 + n // 62500}.{n // 250 % 250 + 1}.{n % 250 + 1}"
                       for n in itertools.count())

    def setUp(self):
        self.sessions = Sessions(self.bank)

    def peer(self, **options):
        return TlsBytes(self.bank, source=next(self.sources), context=self.context, **options)

    def hello(self):
        return self.peer(connect=False).out()

    def answering(self):
        """A client that has read what the server said to its hello, and its answer."""
        peer = self.peer()
        peer.send()
        while not peer.established:
            self.assertTrue(peer.take(), peer.error)
        return peer, peer.out()

    def assert_sound(self):
        """Nobody is there any more, and all places can be had at once."""
        wait_until_alone(self.bank)
        peers = [self.peer() for _ in range(SESSIONS)]
        for peer in peers:
            self.addCleanup(peer.close)
            peer.shake()
            peer.say(command("TIME"))
        for peer in peers:
            self.assertEqual(peer.listen(4)[:4], b"*2\r\n", self.bank.log()[-500:])
            peer.close()
        wait_until_alone(self.bank)

    def finish(self, plain):
        """Says that no more comes, and gives all that the server still says."""
        said = b""
        try:
            plain.shutdown(socket.SHUT_WR)
            while True:
                data = plain.recv(65536)
                if not data:
                    return said
                said += data
        except ConnectionError:
            return said


class Cut(CutTest):
    def test_a_hello_behind_every_byte(self):
        hello = self.hello()
        sources = []
        for size in range(len(hello)):
            source = next(self.sources)
            sources.append(source)
            with socket.create_connection((self.bank.host, self.bank.port), SECONDS_MAX,
                                          (source, 0)) as plain:
                plain.sendall(hello[:size])
                self.assertEqual(self.finish(plain), b"", size)
        self.assertEqual(set(self.sessions.ended(sources).values()), {LEFT})
        self.assertEqual(self.sessions.let_in() & set(sources), set())
        self.assert_sound()

    def cut_answer(self, ending, step=1):
        """The reasons that the log has for clients that end so behind every `step` bytes."""
        sources = []
        for size in itertools.count(0, step):
            peer, answer = self.answering()
            with peer:
                if size >= len(answer):
                    break
                sources.append(peer.source)
                peer.send(answer[:size])
                ending(peer)
        self.assertGreater(len(sources), 600 // step)
        ends = self.sessions.ended(sources)
        self.assertEqual(self.sessions.let_in() & set(sources), set())
        self.assert_sound()
        return set(ends.values())

    def test_an_answer_behind_every_byte(self):
        def close(peer):
            self.assertEqual(not_tls(self.finish(peer.socket)), b"")

        self.assertEqual(self.cut_answer(close), {LEFT})

    def test_an_answer_behind_many_a_byte_by_a_reset(self):
        self.assertEqual(self.cut_answer(lambda peer: peer.reset(), step=5), {LEFT})

    def test_what_the_server_says_behind_every_byte(self):
        """The client hears that much of it and goes; it has no handshake either."""
        sources = []
        for size in itertools.count():
            with self.peer() as peer:
                peer.send()
                while len(peer.raw) < size and not peer.established:
                    peer.feed(peer.socket.recv(size - len(peer.raw)))
                    self.assertFalse(peer.ended)
                sources.append(peer.source)
                if peer.established:
                    break
        self.assertGreater(len(sources), 600)
        self.assertEqual(set(self.sessions.ended(sources).values()), {LEFT})
        self.assertEqual(self.sessions.let_in() & set(sources), set())
        self.assert_sound()


class Late(CutTest):
    def test_each_byte_of_both_sides_may_come_alone(self):
        with self.peer() as peer:
            while not peer.established:
                peer.send(each=1)
                data = peer.socket.recv(65536)
                for at in range(len(data)):
                    peer.feed(data[at:at + 1])
            peer.send(each=1)
            peer.say(command("TIME"), each=1)
            self.assertEqual(peer.listen(4)[:4], b"*2\r\n")

    def test_a_client_that_stops_at_a_byte_holds_nobody_up_and_goes_on(self):
        """One waits in the middle of its hello and one in that of its answer; others come."""
        waiting = self.peer()
        self.addCleanup(waiting.close)
        hello = waiting.out()
        waiting.send(hello[:100])
        for _ in range(8):
            with self.peer() as peer:
                peer.shake()
                peer.say(command("TIME"))
                self.assertEqual(peer.listen(4)[:4], b"*2\r\n")
        waiting.send(hello[100:])
        while not waiting.established:
            self.assertTrue(waiting.take(), waiting.error)
        answer = waiting.out()
        waiting.send(answer[:200])
        with self.peer() as peer:
            peer.shake()
        waiting.send(answer[200:])
        waiting.say(command("TIME"))
        self.assertEqual(waiting.listen(4)[:4], b"*2\r\n")


class Altered(CutTest):
    def test_a_hello_in_every_byte(self):
        """Much of a hello may be anything: random bytes, a session, a name. It never gets far."""
        hello = self.hello()
        sources = []
        for at in range(len(hello)):
            source = next(self.sources)
            sources.append(source)
            altered = hello[:at] + bytes([hello[at] ^ 1 << at % 8]) + hello[at + 1:]
            with socket.create_connection((self.bank.host, self.bank.port), SECONDS_MAX,
                                          (source, 0)) as plain:
                plain.sendall(altered)
                said = self.finish(plain)
                self.assertEqual(not_tls(said), b"", at)
        ends = self.sessions.ended(sources)
        self.assertEqual(self.sessions.let_in() & set(sources), set())
        for why in ends.values():
            self.assertRegex(why, "TLS|handshake|record|message|in common|" + LEFT)
        self.assert_sound()

    def test_an_answer_in_every_byte(self):
        """What is sealed may not be altered, nor the record that looks like an older version."""
        sources, alerts = {}, {}
        for at in itertools.count():
            peer, answer = self.answering()
            with peer:
                if at >= len(answer):
                    break
                sources[peer.source] = at
                peer.send(answer[:at] + bytes([answer[at] ^ 1 << at % 8]) + answer[at + 1:])
                peer.socket.shutdown(socket.SHUT_WR)
                while not peer.ended and peer.take():
                    pass
                self.assertEqual(peer.plain, b"")
                self.assertEqual(not_tls(peer.raw), b"", at)
                alerts[at] = peer.error
        ends = self.sessions.ended(sources)
        self.assertEqual(answer[:1], b"\x14")
        self.assertEqual(self.sessions.let_in() & set(sources), set())
        for source, why in ends.items():
            at = sources[source]
            self.assertRegex(why, "a record was altered|not a TLS record|came out of turn|"
                                  "longer than TLS|" + LEFT, at)
            if "altered" in why:
                self.assertRegex(str(alerts[at]).lower(), "bad record mac|decryption failed", at)
        self.assertGreater(sum("altered" in why for why in ends.values()), 600)
        self.assert_sound()


if __name__ == "__main__":
    unittest.main()
