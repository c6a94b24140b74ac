"""archive_bank.py - what the tests of archived segments share: a bank of four segments."""

import os
import re
import shutil
import unittest

from bank import Bank
from resp import fields
from segments import fill_segment, newest

SETTINGS = ("server.segment-size-kib=512",)
LATER = "2399-01-01"


class ArchiveTest(unittest.TestCase):
    """All tests begin with copies of one bank: four segments, of which three may go."""

    @classmethod
    def setUpClass(cls):
        cls.made = Bank(settings=SETTINGS)
        cls.addClassCleanup(cls.made.close)
        bank = cls.made
        cls.pay(bank, "old", 5)
        for number in range(3):
            fill_segment(bank, f"f{number}")
        cls.pay(bank, "new", 3)
        with bank.wire("admin") as admin:
            for number in range(2):
                fields(admin.ask("CHECKPOINT"))
                cls.pay(bank, f"between{number}-", 1)
        bank.stop()
        bank.check()
        assert newest(bank) == 4, "the tests know where segments end"

    @staticmethod
    def pay(bank, prefix, count, to="alice"):
        with bank.wire("till") as till:
            return [fields(till.ask("DEPOSIT", f"{prefix}{i}", "0.25", to))["entry"]
                    for i in range(count)]

    def setUp(self):
        self.bank = Bank(start=False, settings=SETTINGS)
        self.addCleanup(self.bank.close)
        shutil.rmtree(self.bank.home)
        shutil.copytree(self.made.home, self.bank.home, symlinks=True)
        self.bank.passwords = self.made.passwords
        self.data = self.bank.path("data")
        self.dest = os.path.join(self.bank.folder, "attic")

    def archive(self, *words, bank=None, dest=None, before=LATER, **more):
        bank = bank or self.bank
        return bank.pennyctl("archive", bank.home, "--before", before, dest or self.dest, *words,
                             **more)

    def names(self):
        return sorted(os.listdir(os.path.join(self.data, "journal")))

    def check(self, *words, **more):
        return self.bank.pennyctl("check", self.bank.home, *words, **more)

    def digest(self, said):
        return re.search(r"^digest\s+(\S+)$", said, re.M).group(1)

    def content(self, folder):
        found = {}
        for where, _, names in os.walk(folder):
            for name in names:
                if name == "lock" or os.path.islink(os.path.join(where, name)):
                    continue
                with open(os.path.join(where, name), "rb") as file:
                    found[os.path.relpath(os.path.join(where, name), folder)] = file.read()
        return found
