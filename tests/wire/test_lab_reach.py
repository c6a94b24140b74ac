"""P9: what can be reached from a channel of the laboratory. Every row of commands.def is asked for on
a real listener of each channel, beside the bank's own; afterwards the book is what it was.

So that the proof can fail, a server with one row too many is built and must be caught.
"""

import os
import re
import unittest

import lab
import wire as peer
from bank import Bank, program
from reach import ROW, TABLE, forms_of, planted_server, rows
from resp import Broken, Error

# DESIGN's list, word for word; not taken from the table that is judged by it.
ALLOWED = set("PING ECHO HELLO COMMAND QUIT RESET TIME CLOCK DATE TEMPERATURE TELL".split())
REFUSED = "a laboratory channel carries no such command"
def settings(folder):
    path = os.path.join(folder, "passphrase")
    with open(path, "wb") as file:
        file.write(lab.PASSPHRASE)
    os.chmod(path, 0o600)
    for name in lab.MODULES:
        yield from (f"listener {name}.channel={name}", f"listener {name}.lab=yes",
                    f"listener {name}.port=0")
    yield f"listener psk.passphrase-file={path}"


class LabBank(Bank):
    """A bank with a listener of each channel beside its own."""

    def __init__(self):
        super().__init__(start=False)
        self.settings = list(settings(self.folder))

    def ports(self):
        found = dict(re.findall(r"^ready (\w+) 127\.0\.0\.1:(\d+)$", self.log(), re.M))
        return {name: int(found[name]) for name in lab.MODULES}

    def state(self):
        """The digest of the whole book, and the newest entry."""
        with self.wire("admin") as admin:
            digest = admin.ask("DIGEST")
            info = admin.ask("INFO", "persistence").decode()
        return digest, re.search(r"^journal_entries:(\d+)", info, re.M).group(1)


def reached(bank, channel):
    """Which rows that the laboratory must not carry were not refused there, as sentences."""
    found = []
    sock = peer.dial("127.0.0.1", bank.ports()[channel])
    with lab.session(channel, sock, True) as asking:
        for name, least, most in rows():
            if name in ALLOWED:
                continue
            for words in forms_of(name, least, most):
                try:
                    answer = asking.command(*words)
                except (peer.Cut, Broken, OSError) as why:  # It may even end the server.
                    return [*found, f"{channel}: {words} ended the session: {why}"]
                if not isinstance(answer, Error) or answer.word != "NOPERM" or \
                        REFUSED not in answer.text:
                    found.append(f"{channel}: {words} was answered with {answer!r}")
    return found


class Reach(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bank = LabBank()
        cls.addClassCleanup(cls.bank.close)
        cls.bank.start()

    def test_no_row_beside_those_of_the_laboratory_is_reached(self):
        before = self.bank.state()
        for channel in lab.MODULES:
            with self.subTest(channel):
                self.assertEqual(reached(self.bank, channel), [])
        self.assertEqual(self.bank.state(), before)

    def test_those_of_the_laboratory_are(self):
        for channel in lab.MODULES:
            with self.subTest(channel):
                sock = peer.dial("127.0.0.1", self.bank.ports()[channel])
                with lab.session(channel, sock, True) as asking:
                    self.assertEqual(asking.command("PING"), "PONG")
                    self.assertEqual(asking.command("ECHO", "x"), b"x")
                    self.assertEqual(len(asking.command("TIME")), 2)
                    self.assertIn(b"T", asking.command("CLOCK"))
                    self.assertEqual(len(asking.command("DATE")), 10)
                    self.assertIn(b"ello", asking.command("TELL", "the fridge is empty"))
                    self.assertEqual(asking.command("RESET"), "RESET")
                    self.assertEqual(asking.command("QUIT"), "OK")

    def test_the_marked_rows_are_those_of_the_design(self):
        with open(TABLE, encoding="utf-8") as text:
            lines = [line for line in text if line.startswith("COMMAND(")]
        marked = {ROW.match(line).group(2) for line in lines
                  if re.search(r"\b(lab(_steer)?(_first)?|leave),", line)}
        self.assertLessEqual(marked, ALLOWED)
        # COMMAND has no row yet, so it is refused as any unknown word is.
        self.assertEqual(ALLOWED - marked, ALLOWED - {name for name, _, _ in rows()})

    def test_nobody_logs_in(self):
        password = self.bank.passwords["alice"]
        for channel in lab.MODULES:
            with self.subTest(channel):
                sock = peer.dial("127.0.0.1", self.bank.ports()[channel])
                with lab.session(channel, sock, True) as asking:
                    for words in (("HELLO", "3", "AUTH", "alice", password),
                                  ("AUTH", "alice", password), ("AUTH", password)):
                        answer = asking.command(*words)
                        self.assertIsInstance(answer, Error, words)
                        self.assertEqual(answer.word, "NOPERM", answer.line)
                    self.assertEqual(asking.command("BALANCE").word, "NOPERM")
        self.assertNotIn("person alice", self.bank.log().split("ready psk")[-1])

    def test_words_that_no_row_has_are_refused_alike(self):
        for channel in lab.MODULES:
            sock = peer.dial("127.0.0.1", self.bank.ports()[channel])
            with lab.session(channel, sock, True) as asking:
                for word in ("SET", "FLUSHALL", "CONFIG", "", "PINGG", "\x00"):
                    answer = asking.command(word, "x")
                    self.assertEqual(answer.word, "NOPERM", (channel, word))


class Planted(unittest.TestCase):
    """A row that somebody marks by mistake is noticed."""

    def test_a_row_too_many_is_caught(self):
        server = planted_server("lab-row", r'(COMMAND\(balance, .*all, +)none,', r"\1lab,")
        with PlantedBank(server) as bank:
            bank.start()
            found = reached(bank, "psk")
        self.assertTrue(found, "BALANCE was reachable, and nobody noticed")
        self.assertTrue(all("'BALANCE'" in line or "'balance'" in line for line in found), found)


class PlantedBank(LabBank):
    def __init__(self, path):
        self.planted = path
        super().__init__()

    def server_argv(self, port=0):
        argv = super().server_argv(port)
        self.assert_program(argv[0])
        return [self.planted, *argv[1:]]

    @staticmethod
    def assert_program(path):
        assert path == program("pennyd"), path


if __name__ == "__main__":
    unittest.main()
