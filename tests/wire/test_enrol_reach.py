"""S3: what can be reached by who has no certificate. Every row of commands.def is asked for on a real
listener of channel enrol, beside the bank's own; afterwards the book is what it was.

So that the proof can fail, a server with one row too many is built and must be caught.
"""

import re
import unittest

from enrolment import EnrolBank
from reach import ROW, TABLE, forms_of, planted_server, rows
from resp import Broken, Error

ALLOWED = {"ENROL", "QUIT"}
REFUSED = "channel enrol carries ENROL and QUIT alone"


def state(bank):
    """The digest of the whole book, and the newest entry."""
    with bank.wire("admin") as admin:
        digest = admin.ask("DIGEST")
        info = admin.ask("INFO", "persistence").decode()
    return digest, re.search(r"^journal_entries:(\d+)", info, re.M).group(1)


def reached(bank, asked):
    """Which of these were not refused there, as sentences."""
    found = []
    with bank.stranger() as wire:
        for words in asked:
            try:
                answer = wire.ask(*words)
            except (Broken, OSError) as why:  # It may even end the server.
                return [*found, f"{words} ended the session: {why}"]
            if not isinstance(answer, Error) or answer.word != "NOPERM" or \
                    REFUSED not in answer.text:
                found.append(f"{words} was answered with {answer!r}")
    return found


def all_forms():
    return [words for name, least, most in rows() if name not in ALLOWED
            for words in forms_of(name, least, most)]


class Reach(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bank = EnrolBank()
        cls.addClassCleanup(cls.bank.close)

    def test_no_row_beside_enrol_and_quit_is_reached(self):
        before = state(self.bank)
        self.assertGreater(len(all_forms()), 150)
        self.assertEqual(reached(self.bank, all_forms()), [])
        self.assertEqual(state(self.bank), before)

    def test_nobody_logs_in_and_nothing_changes_that(self):
        password = self.bank.passwords["alice"]
        start = len(self.bank.log())
        asked = [("HELLO", "3"), ("HELLO", "3", "AUTH", "alice", password),
                 ("AUTH", "alice", password), ("AUTH", password), ("RESET",), ("MULTI",),
                 ("BALANCE",), ("RENEW", "x"), ("WHOAMI",), ("CLIENT", "INFO"), ("COMMAND",),
                 ("SET", "a", "b"), ("",), ("\x00",), ("ENROLL", "x")]
        self.assertEqual(reached(self.bank, asked), [])
        self.assertNotIn("logged in", self.bank.log()[start:])

    def test_a_code_used_there_changes_nothing_for_the_session(self):
        code = self.bank.code("known")
        with self.bank.stranger() as wire:
            self.assertIsInstance(wire.ask("ENROL", code), list)
            self.assertEqual(wire.ask("BALANCE").word, "NOPERM")
            self.assertEqual(wire.ask("QUIT"), "OK")

    def test_enrol_is_refused_to_whoever_has_a_certificate(self):
        with self.bank.wire("admin") as wire:
            answer = wire.ask("ENROL", self.bank.code("known-too"))
        self.assertEqual(answer.word, "NOPERM")
        self.assertIn("a listener of channel enrol", answer.text)

    def test_the_marked_rows_are_those_two(self):
        with open(TABLE, encoding="utf-8") as text:
            marked = {ROW.match(line).group(2) for line in text
                      if line.startswith("COMMAND(") and re.search(r"\b(stranger|leave),", line)}
        self.assertEqual(marked, ALLOWED)

    def test_a_row_too_many_is_caught(self):
        server = planted_server("enrol-row", r'(COMMAND\(time, .*all, +)\w+,', r"\1leave,")
        with PlantedBank(server) as bank:
            found = reached(bank, all_forms())
        self.assertTrue(found, "TIME was reachable, and nobody noticed")
        self.assertTrue(all("['TIME" in line or "['time" in line for line in found), found)


class PlantedBank(EnrolBank):
    def __init__(self, path):
        self.planted = path
        super().__init__(issues=False)

    def server_argv(self, port=0):
        return [self.planted, *super().server_argv(port)[1:]]


if __name__ == "__main__":
    unittest.main()
