"""penny with a peer's server that is cut off at any byte: it says so, or asks again, where nothing
hangs on it, and never takes half an answer for one."""

import unittest

from lab import PeerServer, cut_after, cuts, penny, sends_of

STRIDE = 101  # bytes between cuts in the middle of a long message


class Client:
    channel = None

    def test_a_server_that_is_cut_off_anywhere_is_told_or_asked_again(self):
        for limit in cuts(sends_of(self.channel, False), STRIDE):
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


class HybridClient(Client, unittest.TestCase):
    channel = "hybrid"


class DheClient(Client, unittest.TestCase):
    channel = "dhe"


class PskClient(Client, unittest.TestCase):
    channel = "psk"
