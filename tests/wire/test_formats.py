"""Banks of earlier formats are read to the digest they had; newer ones are refused by name."""

import hashlib
import os
import re
import struct
import tempfile
import unittest

import formats
import journal
import receipt
from bank import Bank, program, run
from resp import Error, fields


def resummed(text):
    """The same lines with the sum that a program would have written below them."""
    lines = text[:text.rindex("sum ")]
    return f"{lines}sum {hashlib.sha256(lines.encode()).hexdigest()}\n"


class Formats(unittest.TestCase):
    def bank_of(self, name):
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        formats.lay_out(name, bank.path("data"))
        bank.passwords = formats.about(name)["passwords"]
        return bank

    def each(self):
        self.assertTrue(formats.names("journal"))
        for name in formats.names("journal"):
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
            self.assertEqual([fields(row) for row in till.ask("ITEMS")], facts.get("items", []))
            self.assertEqual([fields(row) for row in till.ask("ORDERS", "ALL")],
                             facts.get("orders", []))
        for name, letters in facts.get("letters", {}).items():
            with bank.wire(name) as wire:
                shown = [wire.ask("READ", fields(row)["number"]) for row in wire.ask("INBOX")]
                self.assertEqual([fields(letter) for letter in shown], letters)

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
                text.write(re.sub("^pennybank-checkpoint [0-9]+",
                                  "pennybank-checkpoint 99", content))
            code, said = bank.refused_start()
            self.assertNotEqual(code, 0)
            self.assertIn("newer version", said)
            self.assertIn("MANIFEST", said)


class Archived(unittest.TestCase):
    """Banks of which segments lie elsewhere."""

    def each(self):
        self.assertTrue(formats.names("archived"))
        for name in formats.names("archived"):
            with self.subTest(format=name):
                bank = Bank(start=False)
                self.addCleanup(bank.close)
                attic = os.path.join(bank.folder, "attic")
                formats.lay_out(name, bank.path("data"), attic)
                bank.passwords = formats.about(name)["passwords"]
                yield formats.about(name), bank, attic

    def test_each_is_read_with_and_without_its_archive(self):
        for facts, bank, attic in self.each():
            whole = bank.pennyctl("check", bank.home, "--archive", attic).stdout
            part = bank.check()
            self.assertIn("in the archive attic", part)
            self.assertNotIn("not seen", whole)
            for said in (whole, part):
                self.assertRegex(said, rf"(?m)^digest\s+{facts['digest']}$")
                self.assertRegex(said, rf"(?m)^entries\s+{facts['entries']}$")
                self.assertIn("agrees with the journal", said)

    def test_each_starts_and_goes_on(self):
        for facts, bank, attic in self.each():
            bank.start()
            with bank.wire("admin") as admin:
                self.assertEqual(admin.ask("DIGEST").decode(), facts["digest"])
            with bank.wire("till") as till:
                for name, balance in facts["balances"].items():
                    self.assertEqual(till.ask("BALANCE", name).decode(), balance, name)
            with bank.wire("alice") as alice:
                self.assertNotIsInstance(alice.ask("TRANSFER", "new-1", "bob", "0.01"), Error)
                last = alice.ask("STATEMENT", "COUNT", 64)[-1]
                self.assertEqual(fields(last)["archived"], "attic")
            self.assertIn("the books sum to zero", bank.check())
            bank.pennyctl("check", bank.home, "--archive", attic)

    def test_a_newer_anchor_is_refused_by_name(self):
        for _, bank, attic in self.each():
            path = bank.path("data", "journal", "ARCHIVED")
            with open(path, encoding="ascii") as text:
                content = text.read()
            with open(path, "w", encoding="ascii") as text:
                text.write(resummed(re.sub("^pennybank-archived [0-9]+", "pennybank-archived 99",
                                           content)))
            code, said = bank.refused_start()
            self.assertEqual(code, 1)
            for sentence in (said, bank.pennyctl("check", bank.home, expect=1).stderr,
                             bank.pennyctl("check", bank.home, "--archive", attic,
                                           expect=1).stderr):
                self.assertIn("ARCHIVED: written by a newer version; start the program that wrote "
                              "it", sentence)


class Kept(unittest.TestCase):
    """What is one file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def each(self, kind):
        self.assertTrue(formats.names(kind))
        for name in formats.names(kind):
            with self.subTest(format=name):
                yield name, formats.about(name)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def pennyctl(self, *words, **more):
        return run([program("pennyctl"), *words], **more)


class Backups(Kept):
    def unpack(self, name):
        path = os.path.join(self.folder, f"{name}.tar")
        formats.unpack(formats.path(name, "backup.text"), path)
        return path

    def test_each_is_checked_and_restored(self):
        for name, facts in self.each("backup"):
            path = self.unpack(name)
            new = os.path.join(self.folder, name)
            self.pennyctl("restore", path, new)
            for bank in (path, new):
                said = self.pennyctl("check", bank).stdout
                self.assertRegex(said, rf"(?m)^digest\s+{facts['digest']}$")
                self.assertRegex(said, rf"(?m)^entries\s+{facts['entries']}$")
                self.assertIn("agrees with the journal", said)

    def test_none_holds_a_private_key(self):
        for name, _ in self.each("backup"):
            with open(self.unpack(name), "rb") as file:
                content = file.read()
            self.assertIn(b"without certs/server.key", content)
            self.assertNotIn(b"PRIVATE KEY", content)

    def test_a_newer_one_is_refused_by_name(self):
        for name, _ in self.each("backup"):
            path = self.unpack(name)
            with open(path, "rb") as file:
                content = bytearray(file.read())
            # Version 1 and 9 are as long, so only the text changes and no header of tar.
            start, size = 512, int(content[124:135], 8)
            text = resummed(re.sub("^pennybank-backup [0-9]", "pennybank-backup 9",
                                   content[start:start + size].decode("ascii")))
            content[start:start + size] = text.encode("ascii")
            path = self.write("newer.tar", content)
            for words in (("check", path), ("restore", path, os.path.join(self.folder, "new"))):
                said = self.pennyctl(*words, expect=1).stderr
                self.assertIn("written by a newer version; restore it with the program that wrote "
                              "it", said)
            self.assertFalse(os.path.exists(os.path.join(self.folder, "new")))


class Receipts(Kept):
    def verify(self, name, path, **more):
        return self.pennyctl("receipt", "verify", path, "--cert",
                             formats.path(name, "server.crt"), **more)

    def test_each_verifies_against_its_certificate(self):
        for name, facts in self.each("receipt"):
            path = formats.path(name, "receipt")
            self.assertEqual(self.verify(name, path).stdout, facts["said"])
            with open(path, encoding="ascii") as file:
                self.assertTrue(receipt.openssl_verifies(file.read(),
                                                         formats.path(name, "server.crt")))

    def test_a_newer_one_is_refused_by_name(self):
        with Bank() as bank, bank.wire("alice") as alice:
            for name, _ in self.each("receipt"):
                with open(formats.path(name, "receipt"), encoding="ascii") as file:
                    text = re.sub("^Pennybank receipt [0-9]+", "Pennybank receipt 99", file.read())
                said = self.verify(name, self.write("newer", text.encode()), expect=1).stderr
                self.assertIn("is a receipt of a newer version; verify it with a program of the "
                              "version that wrote it", said)
                reply = alice.ask("RECEIPT", "VERIFY", text)
                self.assertIsInstance(reply, Error)
                self.assertIn("a receipt of a newer version", reply.line)
