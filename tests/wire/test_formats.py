"""Banks of earlier formats are read to the digest they had; newer ones are refused by name."""

import hashlib
import os
import struct
import unittest

import formats
import journal
from bank import Bank
from resp import Error


class Formats(unittest.TestCase):
    def bank_of(self, name):
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        formats.lay_out(name, bank.path("data"))
        bank.passwords = formats.about(name)["passwords"]
        return bank

    def each(self):
        self.assertTrue(formats.names())
        for name in formats.names():
            with self.subTest(format=name):
                yield name, formats.about(name)

    def take_checkpoints_away(self, bank):
        for entry in os.listdir(bank.path("data")):
            if entry.startswith("checkpoint.") or entry in ("current", "passwd", "balance"):
                os.rename(bank.path("data", entry), os.path.join(bank.folder, entry))

    def assert_same(self, bank, facts):
        with bank.wire("admin") as admin:
            self.assertEqual(admin.ask("DIGEST").decode(), facts["digest"])
        with bank.wire("till") as till:
            for name, balance in facts["balances"].items():
                self.assertEqual(till.ask("BALANCE", name).decode(), balance, name)

    def test_each_is_read_and_decided_again(self):
        for name, facts in self.each():
            said = self.bank_of(name).check()
            self.assertRegex(said, rf"(?m)^digest\s+{facts['digest']}$")
            self.assertRegex(said, rf"(?m)^entries\s+{facts['entries']}$")
            self.assertIn("agrees with the journal", said)

    def test_each_starts_and_goes_on(self):
        for name, facts in self.each():
            bank = self.bank_of(name)
            bank.start()
            self.assert_same(bank, facts)
            with bank.wire("alice") as alice:
                self.assertNotIsInstance(alice.ask("TRANSFER", "new-1", "bob", "0.01"), Error)
            self.assertIn("the books sum to zero", bank.check())

    def test_each_replays_without_its_checkpoints(self):
        for name, facts in self.each():
            bank = self.bank_of(name)
            self.take_checkpoints_away(bank)
            bank.start()
            self.assert_same(bank, facts)

    def test_a_newer_batch_is_refused_by_name(self):
        for name, _ in self.each():
            bank = self.bank_of(name)
            newest = journal.batches(bank.path("data"))[-1]
            with open(newest.path, "r+b") as segment:
                segment.seek(newest.offset + 8)
                segment.write(struct.pack("<I", 99))
            code, said = bank.refused_start()
            self.assertNotEqual(code, 0)
            self.assertIn("newer format", said)
            self.assertIn(f"offset {newest.offset}", said)

    def test_a_newer_entry_is_refused_by_name(self):
        for name, _ in self.each():
            bank = self.bank_of(name)
            self.take_checkpoints_away(bank)
            newest = [batch for batch in journal.batches(bank.path("data")) if batch.entry_count][-1]
            with open(newest.path, "r+b") as segment:
                segment.seek(newest.offset)
                content = bytearray(segment.read(newest.size))
                content[128 + 28] = 99  # Where the first entry has its version.
                content[-32:] = hashlib.sha256(content[:-32]).digest()
                segment.seek(newest.offset)
                segment.write(content)
                segment.write(bytes(4096 * 8))  # The closing batches behind it.
            code, said = bank.refused_start()
            self.assertNotEqual(code, 0)
            self.assertIn(f"entry {newest.entry_first}: an entry of a newer format", said)
            check = bank.pennyctl("check", bank.home, expect=1)
            self.assertIn("newer format", check.stderr)

    def test_a_newer_checkpoint_is_refused_by_name(self):
        for name, facts in self.each():
            bank = self.bank_of(name)
            manifest = bank.path("data", facts["current"], "MANIFEST")
            with open(manifest, encoding="ascii") as text:
                content = text.read()
            with open(manifest, "w", encoding="ascii") as text:
                text.write(content.replace("pennybank-checkpoint 1", "pennybank-checkpoint 99"))
            code, said = bank.refused_start()
            self.assertNotEqual(code, 0)
            self.assertIn("newer version", said)
            self.assertIn("MANIFEST", said)
