"""door.py - banks whose passwords are cheap to hash, clients from many addresses, and guesses.

Sources are addresses of 127.0.0.0/8, which are all this machine.
"""

import re
import socket
import unittest

from bank import SECONDS_MAX, Bank
from resp import Error, Wire, command

REFUSED = (b"-WRONGPASS invalid username-password pair or user is disabled, "
           b"or too many tries: wait and try again\r\n")
CHEAP = ("server.password-memory-kib=4096", "server.password-passes=1")
FOR_EVER = "server.penalty-first-ms=3600000"  # as far as a test is concerned
LONGEST = ("server.penalty-s=86400", "server.penalty-shared-s=86400")


class DoorTest(unittest.TestCase):
    def new_bank(self, *settings, lasting=True):
        bank = Bank(settings=(*CHEAP, *((FOR_EVER, *LONGEST) if lasting else ()), *settings))
        self.addCleanup(bank.close)
        return bank

    def plain(self, bank, source="127.0.0.1"):
        sock = socket.create_connection((bank.host, bank.port), SECONDS_MAX, (source, 0))
        self.addCleanup(sock.close)
        return sock

    def wire(self, bank, terminal, source="127.0.0.1"):
        context = bank.tls_context(terminal)
        return Wire(context.wrap_socket(self.plain(bank, source), server_hostname=bank.host))

    def log_in(self, bank, name, terminal, source="127.0.0.1"):
        with self.wire(bank, terminal, source) as wire:
            return wire.ask_bytes("AUTH", name, bank.passwords[name])

    def guess(self, bank, name, count, terminal="kiosk", source="127.0.0.1"):
        with self.wire(bank, terminal, source) as wire:
            wire.send(command("AUTH", name, "wrong password") * count)
            return [wire.reply_bytes() for _ in range(count)]

    def info(self, bank, key, terminal="admin", source="127.0.0.250"):
        """One figure, asked for by the admin from a place of their own."""
        with self.wire(bank, terminal, source) as wire:
            self.assertEqual(wire.ask("AUTH", "admin", bank.passwords["admin"]), "OK")
            return int(re.search(rf"^{key}:(\d+)", wire.ask("INFO").decode(), re.M)[1])

    def assert_word(self, reply, word):
        self.assertIsInstance(reply, Error)
        self.assertEqual(reply.word, word, reply.line)
