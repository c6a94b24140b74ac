"""An enrolment that is cut off: the server killed, or penny killed, at each of their writes. The
same command again comes to its end, and what was handed out is in the register (M3)."""

import os
import shutil
import signal
import unittest

from bank import library, run
from dying import Dying
from enrolment import EnrolBank, certificates, new_key, request, state_of
from resp import Broken

CALLS_MAX = 400


class CutBank(EnrolBank):
    """A bank whose server is killed, or has no room any more, from a call on."""

    def __init__(self, **options):
        self.preloaded = {}
        super().__init__(start=False, **options)
        self.library = library(self.folder, "die_at")

    def start_until(self, name, call):
        """Starts the server; False when it came to its end before it was ready."""
        before = os.environ.get(name)
        os.environ[name] = str(call)
        try:
            self.start(preload=self.library)
            return True
        except AssertionError:
            return False
        finally:
            os.environ.pop(name)
            if before is not None:
                os.environ[name] = before


def ask(bank, code, csr):
    """The answer, or None where there was no server left to give one."""
    try:
        with bank.stranger() as wire:
            return wire.ask_bytes("ENROL", code, csr)
    except (Broken, OSError, AssertionError):
        return None


class Server(unittest.TestCase):
    def first_ready(self, bank, name):
        """The first call that a start survives."""
        low = 1
        for call in range(1, CALLS_MAX):
            if bank.start_until(name, call):
                bank.kill()
                return call
            low = call
        raise AssertionError(f"no start survived {low} calls")

    def each_cut(self, issues):
        """Kills the server at each of its writes while it answers; yields what was answered before
        the end, and after the next start."""
        with CutBank(issues=issues) as bank:
            first = self.first_ready(bank, "DIE_AT")
            for call in range(first, CALLS_MAX):
                code, key = bank.code("cut"), new_key()
                csr = request(key, "cut")
                if not bank.start_until("DIE_AT", call):
                    continue
                before = ask(bank, code, csr)
                survived = before is not None
                bank.kill()
                bank.start()
                after = ask(bank, code, csr)
                other = ask(bank, code, request(new_key()))
                yield bank, before, after, other
                bank.kill()
                shutil.rmtree(bank.path("data", "enrol"))
                if survived:
                    return
            raise AssertionError("it never came to its end")

    def test_killed_at_each_write_while_it_signs(self):
        cuts = 0
        for bank, before, after, other in self.each_cut(True):
            self.assertIsNotNone(after)
            self.assertIn(b"issued", after)
            self.assertTrue(other.startswith(b"-STATE "), other)
            if before is not None:
                self.assertEqual(after, before)
            serial = "%x" % certificates(after)[0].serial_number
            self.assertIn(serial, [row[0] for row in bank.register()])
            self.assertEqual({len(row) for row in bank.register()}, {6})
            cuts += 1
        self.assertGreaterEqual(cuts, 8)  # Register, request and answer: written, synced, renamed.

    def test_killed_at_each_write_while_it_spools(self):
        cuts = 0
        for _, before, after, other in self.each_cut(False):
            self.assertIsNotNone(after)
            self.assertIn(b"waiting", after)
            self.assertTrue(other.startswith(b"-STATE "), other)
            if before is not None:
                self.assertEqual(after, before)
            cuts += 1
        self.assertGreaterEqual(cuts, 3)


class Penny(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bank = EnrolBank()
        cls.addClassCleanup(cls.bank.close)

    def test_killed_at_each_write_it_goes_on_with_the_same_command(self):
        bank, made = self.bank, {}
        folder = os.path.join(bank.folder, "dir")

        def fresh():
            shutil.rmtree(folder, ignore_errors=True)
            made["code"] = bank.code("terminal")
        fresh()
        with Dying() as dying:
            for call in range(1, CALLS_MAX):
                fresh()
                argv = bank.penny_argv("enrol", f"127.0.0.1:{bank.enrol_port()}", made["code"],
                                       "--dir", folder)
                done = dying._run(argv, "DIE_AT", call, {})
                key = self.read(folder, "terminal.key")
                if done.returncode != -signal.SIGKILL:
                    break
                again = run(argv)
                self.assertIn("enrolled terminal", again.stdout)
                if key is not None:  # It was made once, and was not replaced.
                    self.assertEqual(self.read(folder, "terminal.key"), key)
                conf = os.path.join(folder, "client.conf")
                self.assertEqual(run(bank.penny_argv("-c", conf, "ping")).stdout, "PONG\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(call, 10)

    @staticmethod
    def read(folder, name):
        try:
            with open(os.path.join(folder, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None


if __name__ == "__main__":
    unittest.main()
