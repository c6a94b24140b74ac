"""A board's own programs, as they would run on it: a bank from the first handshake to the last
check, and one journal with one meaning on every architecture (P4)."""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timedelta
from decimal import Decimal

from bank import ROOT, Bank, program, run, starting
from resp import fields

BOARD = os.environ["PENNY_BOARD"]




class Board(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        cls.addClassCleanup(folder.cleanup)
        sensor = os.path.join(folder.name, "sensor")
        with open(sensor, "w", encoding="ascii") as file:
            file.write("-21.5\n")
        cls.bank = Bank(settings=("server.time-zone=Asia/Kathmandu",
                                  f"server.temperature=file:{sensor}"))
        cls.addClassCleanup(cls.bank.close)

    def setUp(self):
        if self.bank.process is None:
            self.bank.start()

    def balance(self, name):
        with self.bank.wire(name) as wire:
            return Decimal(wire.ask("BALANCE").decode())

    def test_openssl_shakes_hands_and_logs_in(self):
        said = self.bank.openssl([f"AUTH alice {self.bank.passwords['alice']}", "WHOAMI", "QUIT"])
        self.assertRegex(said, r"\A\+OK\n(.*\n)*\$5\nalice\n")

    def test_it_speaks_tls_1_3_and_asks_for_a_certificate(self):
        argv = ["openssl", "s_client", "-connect", f"{self.bank.host}:{self.bank.port}",
                "-CAfile", self.bank.ca(), "-verify_return_error"]
        done = run([*argv, "-cert", self.bank.cert("alice"), "-key", self.bank.key("alice")],
                   expect=None, input="QUIT\r\n")
        self.assertRegex(done.stdout, r"New, TLSv1.3, Cipher is TLS_(AES|CHACHA20)")
        done = run([*argv, "-ign_eof"], expect=None, input="PING\r\n")
        self.assertNotIn("PONG", done.stdout)
        self.assertRegex(done.stderr, r"alert.*certificate required")

    def test_its_own_client_moves_money(self):
        before = self.balance("bob")
        said = self.bank.penny("DEPOSIT", "own-1", "5.00", "alice", name="till").stdout
        self.assertRegex(said, r"(?m)^entry: ")
        said = self.bank.penny("TRANSFER", "own-2", "bob", "1.25").stdout
        self.assertRegex(said, r"(?m)^balance: \d+\.\d\d$")
        self.assertEqual(self.balance("bob"), before + Decimal("1.25"))

    def test_its_c_library_knows_the_zone_and_a_worker_reads_the_sensor(self):
        with self.bank.wire("alice") as wire:
            date = wire.ask("DATE").decode()
            told = datetime.fromisoformat(wire.ask("CLOCK").decode())
            dates = (date, wire.ask("DATE").decode())  # Midnight may be in between.
            self.assertEqual(told.utcoffset(), timedelta(hours=5, minutes=45))
            self.assertIn(told.date().isoformat(), dates)
            self.assertEqual(fields(wire.ask("TEMPERATURE")),
                             {"temperature": "-21.5", "unit": "celsius", "source": "file"})

    def test_nothing_acknowledged_is_lost_by_a_kill_and_a_replay_answers_the_same(self):
        before = self.balance("bob")
        with self.bank.wire("alice") as alice:
            told = [alice.ask("TRANSFER", f"kill-{i}", "bob", "0.01") for i in range(20)]
            for answer in told:
                fields(answer)
            self.bank.kill()
        self.bank.start()
        self.assertEqual(self.balance("bob"), before + Decimal("0.20"))
        with self.bank.wire("alice") as alice:
            again = [alice.ask("TRANSFER", f"kill-{i}", "bob", "0.01") for i in range(20)]
        self.assertEqual(again, told)
        self.assertEqual(self.balance("bob"), before + Decimal("0.20"))

    def test_it_checks_its_book_and_the_host_agrees(self):
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "check-1", "bob", "0.01"))
        with self.bank.wire("admin") as admin:
            fields(admin.ask("CHECKPOINT"))
        here = self.bank.check()
        self.assertIn("the books sum to zero", here)
        self.assertIn("agrees with the journal", here)
        host = run([*starting("pennyctl", host=True), "check", self.bank.home]).stdout
        self.assertEqual(here, host)

    def test_limits_beyond_its_address_space_are_refused_in_words(self):
        """Four GiB and more must not be cut to what a word of 32 bits holds."""
        with open(starting("pennyd")[-1], "rb") as file:
            word_bits = {1: 32, 2: 64}[struct.unpack("5B", file.read(5))[4]]
        bank = Bank(start=False, settings=["limits.ids=16777216", "limits.accounts=1048576",
                                           "limits.sessions=16000", "limits.buffers=16000"])
        self.addCleanup(bank.close)
        argv = bank.server_argv()
        said = run([*argv, "-m"]).stdout
        self.assertGreater(int(re.search(r"(?m)^address space\D*(\d+) KiB", said).group(1)),
                           4 << 20)
        if word_bits == 32:
            code, said = bank.refused_start()
            self.assertEqual(code, 1, said)
            self.assertRegex(said, r"no memory: the limits .* add up to \d+ KiB; lower them")


class OneJournal(unittest.TestCase):
    """A journal that the host's programs wrote."""

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank(host_programs=True)
        cls.addClassCleanup(cls.bank.close)
        with cls.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "d-1", "300", "alice"))
        with cls.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "t-1", "bob", "0.99", "MEMO", "ä"))
            alice.ask("TRANSFER", "t-2", "bob", "1000000")  # Refused, and in the journal.
            hold = fields(alice.ask("HOLD", "h-1", "bob", "20"))["hold"]
            fields(alice.ask("HOLD", "h-2", "bob", "1.01", "EXPIRES", "86400"))
            for i in range(200):
                fields(alice.ask("TRANSFER", f"many-{i}", "bob", f"0.{i % 89 + 1:02}"))
        with cls.bank.wire("bob") as bob:
            fields(bob.ask("CAPTURE", "c-1", hold, "19.50"))
            fields(bob.ask("TRANSFER", "t-3", "alice", "2"))
        with cls.bank.wire("admin") as admin:
            admin.ask("REGISTER", "carol", "a long enough password")
            cls.digest = admin.ask("DIGEST").decode()
        cls.bank.stop()
        cls.said = cls.bank.pennyctl("check", cls.bank.home).stdout

    def copy(self, **options):
        """A bank with a copy of the journal, for the board's programs."""
        bank = Bank(start=False, **options)
        self.addCleanup(bank.close)
        shutil.rmtree(bank.home)
        shutil.copytree(self.bank.home, bank.home, symlinks=True)
        bank.passwords = self.bank.passwords
        return bank

    def test_the_check_says_the_same_in_every_byte(self):
        self.assertIn("the books sum to zero", self.said)
        said = self.copy().pennyctl("check", self.bank.home).stdout
        self.assertEqual(said, self.said)

    def test_the_server_reaches_the_same_state(self):
        bank = self.copy()
        bank.start()
        with bank.wire("admin") as admin:
            digest = admin.ask("DIGEST").decode()
        self.assertEqual(digest, self.digest)

    def test_the_server_reaches_the_same_state_from_the_journal_alone(self):
        bank = self.copy()
        data = bank.path("data")
        for name in os.listdir(data):
            if name == "current" or name in ("passwd", "balance"):
                os.unlink(os.path.join(data, name))
            elif name.startswith("checkpoint."):
                shutil.rmtree(os.path.join(data, name))
        bank.start()
        with bank.wire("admin") as admin:
            digest = admin.ask("DIGEST").decode()
        self.assertEqual(digest, self.digest)


class Program(unittest.TestCase):
    def test_it_needs_nothing_of_the_system(self):
        for name in ("pennyd", "penny", "pennyctl"):
            path = starting(name)[-1]
            said = subprocess.run(["readelf", "-lSW", path], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
            for word in ("INTERP", "DYNAMIC", ".symtab", ".debug_info"):
                self.assertNotIn(word, said, name)

    def test_pages_are_as_large_as_the_kernel_may_want(self):
        least = {"aarch64": 0x4000}.get(BOARD, 0x1000)
        said = subprocess.run(["readelf", "-lW", starting("pennyd")[-1]], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        found = re.findall(r"^\s+LOAD\s.*\s(0x[0-9a-f]+)$", said, re.M)
        self.assertTrue(found, said)
        for align in found:
            self.assertGreaterEqual(int(align, 16), least)

    def test_no_program_asks_a_library_to_change_a_word_that_threads_share(self):
        # The compiler's library does that by way of a page which not every kernel has.
        for name in ("pennyd", "penny", "pennyctl"):
            said = run(["nm", os.path.join(program(BOARD), "whole", name)]).stdout
            self.assertIn(" main\n", said, name)
            self.assertNotRegex(said, r"__sync_\w+|__atomic_\w+", name)

    def test_the_server_weighs_no_more_than_its_budget(self):
        budget_kib = {"aarch64": 600, "armhf": 450, "armv6": 600, "x86_64": 600}[BOARD]
        self.assertLessEqual(os.path.getsize(starting("pennyd")[-1]), budget_kib * 1024)


class Sizes(unittest.TestCase):
    def size(self, folder):
        argv = [sys.executable, "-B", os.path.join(ROOT, "tools", "size"), "--build", folder, BOARD]
        return run(argv, cwd=ROOT).stdout

    def test_figures_are_the_programs_and_differences_to_the_commit_before(self):
        text = int(run(["size", starting("pennyd")[-1]]).stdout.splitlines()[1].split()[0])
        with tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP")) as folder:
            os.symlink(program(BOARD), os.path.join(folder, BOARD))
            said = self.size(folder)
            self.assertRegex(said, rf"(?m)^  pennyd +{text} ")
            self.assertRegex(said, r"functions of pennyd, in bytes\n +\d{4} ")
            self.assertRegex(said, r"stack frames, in bytes\n +\d{4,5} ")
            missing = re.search(r"commit (\w+) was not measured", said)
            self.assertTrue(missing, said)
            kept = os.path.join(folder, "sizes")
            with open(kept, encoding="utf-8") as lines:
                rows = [line.split() for line in lines]
            whole = run(["git", "-c", "safe.directory=*", "rev-parse", missing.group(1)],
                        cwd=ROOT).stdout.strip()
            with open(kept, "a", encoding="utf-8") as out:
                for _, board, name, size, *rest in rows:
                    print(whole, board, name, int(size) - 123, *rest, file=out)
            self.assertRegex(self.size(folder), rf"(?m)^  pennyd +{text} +\+123 ")
