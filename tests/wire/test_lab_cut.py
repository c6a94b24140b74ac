"""A connection that is cut at any byte disturbs neither who is there nor who comes next: the peers'
clients with the real server, and its client with the peers' servers."""

import unittest

import lab
from lab import LabServer, PeerServer, cut_after, penny, sends_of, session, wire

WHOLE = 64       # bytes of a message that is cut at each of them
STRIDE = 23      # between cuts in the middle of a longer one
CLIENT_STRIDE = 101


def cuts(sizes, stride):
    """Where to cut a session of these writes: at every byte of short ones, and of others at every
    byte near the ends and at some between."""
    at = 0
    for size in sizes:
        for within in range(size):
            if size <= WHOLE or not WHOLE // 4 <= within < size - WHOLE // 4 or within % stride == 0:
                yield at + within
        at += size
    yield at


class Server:
    channel = None

    def test_a_client_that_is_cut_off_anywhere_disturbs_nobody(self):
        with LabServer(self.channel) as server:
            with session(self.channel, server.dial(), True) as lasting:
                for limit in cuts(sends_of(self.channel, True), STRIDE):
                    self.assertTrue(self.cut(server, limit))
                    self.assertEqual(lasting.command("ECHO", limit), str(limit).encode())
                lasting.finish()
            with session(self.channel, server.dial(), True) as after:
                self.assertEqual(after.command("PING"), "PONG")
                after.finish()
            server.stop()

    def cut(self, server, limit):
        """Whether the session was cut there."""
        try:
            with session(self.channel, server.dial(), True, cut_after(self.channel, limit)) as one:
                one.command("PING")
                one.finish()
        except lab.Stopped:
            return True
        return False


class XorServer(Server, unittest.TestCase):
    channel = "xor"


class RsaServer(Server, unittest.TestCase):
    channel = "rsa"


class HybridServer(Server, unittest.TestCase):
    channel = "hybrid"


class DheServer(Server, unittest.TestCase):
    channel = "dhe"


class PskServer(Server, unittest.TestCase):
    channel = "psk"


class Client:
    """Where the client makes a key first it takes its time, so that it meets fewer cuts."""

    channel = None
    stride = 1

    def test_a_server_that_is_cut_off_anywhere_is_told_or_asked_again(self):
        for limit in list(cuts(sends_of(self.channel, False), CLIENT_STRIDE))[::self.stride]:
            with self.subTest(limit):
                with PeerServer(self.channel, first=cut_after(self.channel, limit)) as peer:
                    done = penny(self.channel, peer.port, "PING", expect=None)
                if done.returncode == 0:
                    self.assertEqual((done.stdout, done.stderr), ("PONG\n", ""))
                else:
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertNotEqual(done.stderr, "")


class XorClient(Client, unittest.TestCase):
    channel = "xor"


class RsaClient(Client, unittest.TestCase):
    channel = "rsa"
    stride = 16


class HybridClient(Client, unittest.TestCase):
    channel = "hybrid"
    stride = 16


class DheClient(Client, unittest.TestCase):
    channel = "dhe"
    stride = 32


class PskClient(Client, unittest.TestCase):
    channel = "psk"
