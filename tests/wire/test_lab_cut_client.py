"""A peer's client that is cut off at any byte disturbs neither who is with the real server nor who
comes next."""

import unittest

import lab
from lab import LabServer, cut_after, cuts, sends_of, session


class Server:
    channel = None
    stride = 1

    def test_a_client_that_is_cut_off_anywhere_disturbs_nobody(self):
        with LabServer(self.channel) as server:
            with session(self.channel, server.dial(), True) as lasting:
                for limit in cuts(sends_of(self.channel, True), self.stride):
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
    stride = 23  # within its certificate and its key exchange, which take it the longest


class PskServer(Server, unittest.TestCase):
    channel = "psk"
