"""repair: says what is lost before it drops a named end of a journal, and never drops more."""

import os
import re
import shlex
import shutil
import unittest

import journal
from bank import Bank, program
from dying import Dying
from segments import fill_segment
from resp import fields

PAYMENTS = 10


class RepairTest(unittest.TestCase):
    def new_bank(self, **options):
        bank = Bank(**options)
        self.addCleanup(bank.close)
        return bank

    def paid_bank(self, **options):
        """Ten payments to alice, a batch each, and then a power cut."""
        bank = self.new_bank(**options)
        self.entries = self.pay(bank, "p", PAYMENTS)
        bank.kill()
        return bank

    def pay(self, bank, prefix, count, to="alice"):
        with bank.wire("till") as till:
            return [fields(till.ask("DEPOSIT", f"{prefix}{i}", "0.25", to))["entry"]
                    for i in range(count)]

    def batch_of(self, bank, entry):
        return next(batch for batch in journal.batches(bank.path("data"))
                    if batch.entry_first == entry and batch.entry_count > 0)

    def damage(self, bank, payment=5):
        """Flips a bit in the batch of that payment; gives the batch."""
        batch = self.batch_of(bank, self.entries[payment])
        journal.flip(batch.path, batch.offset + 150)
        return batch

    def repair(self, bank, *words, **more):
        return bank.pennyctl("repair", bank.path("data"), *words, **more)

    def refuse(self, bank, *words):
        before = self.files(bank)
        done = self.repair(bank, *words, expect=1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(self.files(bank), before, "nothing was changed")
        return done.stderr

    def files(self, bank):
        found = {}
        for where, _, names in os.walk(bank.path("data")):
            for name in names:
                path = os.path.join(where, name)
                if name == "lock":
                    continue
                with open(path, "rb") as file:
                    found[os.path.relpath(path, bank.home)] = file.read()
        return found

    def place(self, batch):
        return f"{batch.segment}.{batch.offset}"

    def balance(self, bank, name="alice"):
        with bank.wire(name) as wire:
            return wire.ask("BALANCE")


class Cut(RepairTest):
    def test_says_first_and_drops_when_told(self):
        bank = self.paid_bank()
        batch = self.damage(bank)
        whole = self.files(bank)
        code, said = bank.refused_start()
        self.assertEqual(code, 1)
        self.assertIn("pennyctl repair", said)
        said = self.repair(bank).stdout
        self.assertEqual(self.files(bank), whole, "it only looked")
        self.assertIn(f"offset {batch.offset}, batch {batch.seq}, entry {self.entries[5]}", said)
        self.assertRegex(said, rf"lost     entries {self.entries[5]} to {self.entries[9]} at "
                               r"least; 4 of them can still be read")
        self.assertRegex(said, r"alice +4 entries, balance \+1\.00 EUR")
        self.assertRegex(said, r"cash +4 entries, balance -1\.00 EUR")
        typed = shlex.split(re.search(r"^  pennyctl (repair .*)$", said, re.M).group(1))
        self.assertEqual(typed[-1], self.place(batch))
        said = bank.pennyctl(*typed).stdout
        copies = re.search(r"^copies   (.+)$", said, re.M).group(1)
        self.assertRegex(copies, r"/data/repair\.\d{8}T\d{6}Z$")
        with open(os.path.join(copies, "00000001.journal"), "rb") as copy:
            self.assertEqual(copy.read(), whole["data/journal/00000001.journal"])
        self.assertIn(f"ends with entry {self.entries[4]}", said)
        bank.check()
        bank.start()
        self.assertEqual(self.balance(bank), b"51.25")
        # The dropped ids are new again, and their numbers are given again.
        self.assertEqual(self.pay(bank, "p", PAYMENTS), self.entries)
        self.assertEqual(self.balance(bank), b"52.50")
        bank.check()

    def test_the_batch_may_be_named_and_the_copies_go_where_told(self):
        bank = self.paid_bank()
        batch = self.damage(bank)
        copies = os.path.join(bank.folder, "copies")
        self.repair(bank, "--drop-from", str(batch.seq), "--copies", copies)
        self.assertIn("00000001.journal", os.listdir(copies))
        bank.start()
        self.assertEqual(self.balance(bank), b"51.25")

    def test_checkpoints_that_are_later_go_with_it(self):
        bank = self.paid_bank(settings=("server.segment-size-kib=512",))
        bank.start()
        self.pay(bank, "q", 2, "bob")
        with bank.wire("admin") as admin:
            admin.ask("CHECKPOINT")
        bank.kill()
        batch = self.damage(bank)
        with_checkpoints = {name.split("/")[1] for name in self.files(bank) if "checkpoint" in name}
        self.assertEqual(with_checkpoints, {"checkpoint.00000001", "checkpoint.00000002"})
        code, said = bank.refused_start()
        self.assertEqual(code, 1)
        self.assertIn("a checkpoint vouches for it", said)
        said = self.repair(bank).stdout
        self.assertIn("and checkpoint 2, which is later", said)
        self.assertRegex(said, r"bob +2 entries, balance \+0\.50 EUR")
        said = self.repair(bank, "--drop-from", self.place(batch)).stdout
        copies = re.search(r"^copies   (.+)$", said, re.M).group(1)
        self.assertEqual(sorted(os.listdir(copies)), ["00000001.journal", "00000002.journal", "checkpoint.00000002"])
        self.assertEqual(os.readlink(bank.path("data", "current")), "checkpoint.00000001")
        bank.start()
        self.assertEqual(self.balance(bank), b"51.25")
        self.assertEqual(self.balance(bank, "bob"), b"20.00")
        bank.check()

    def test_a_hole_before_a_later_segment(self):
        bank = self.new_bank(settings=("server.segment-size-kib=512",))
        self.entries = self.pay(bank, "p", PAYMENTS)
        fill_segment(bank)
        bank.kill()
        self.assertGreater(journal.batches(bank.path("data"))[-1].segment, 1)
        batch = self.batch_of(bank, self.entries[5])
        journal.zero(batch.path, batch.offset, batch.end)
        said = self.repair(bank).stdout
        self.assertIn("a later sound batch vouches for it", said)
        self.repair(bank, "--drop-from", self.place(batch))
        self.assertEqual([os.path.basename(path) for path in journal.segments(bank.path("data"))],
                         ["00000001.journal"])
        bank.start()
        self.assertEqual(self.balance(bank), b"51.25")
        fill_segment(bank, "again")
        bank.check()

    def test_killed_at_every_write(self):
        bank = self.paid_bank()
        bank.start()
        self.pay(bank, "q", 2, "bob")
        with bank.wire("admin") as admin:
            admin.ask("CHECKPOINT")
        bank.kill()
        batch = self.damage(bank)
        kept = os.path.join(bank.folder, "kept")
        shutil.copytree(bank.path("data"), kept, symlinks=True)
        copies = os.path.join(bank.folder, "copies")
        argv = [program("pennyctl"), "repair", bank.path("data"), "--drop-from",
                self.place(batch), "--copies", copies]

        def before():
            shutil.rmtree(bank.path("data"))
            shutil.copytree(kept, bank.path("data"), symlinks=True)
            shutil.rmtree(copies, ignore_errors=True)

        with Dying() as dying:
            outcomes = set()
            for _, done in dying.each(argv, before=before, step=7):
                looked = self.repair(bank, expect=None)
                if looked.returncode == 0:
                    self.assertIn(f"--drop-from {self.place(batch)}", looked.stdout)
                    outcomes.add("damaged")
                else:
                    self.assertIn("the journal is sound", looked.stderr)
                    # All that is gone from the book is in the copies.
                    self.assertIn("00000001.journal", os.listdir(copies))
                    outcomes.add("sound")
        self.assertEqual(outcomes, {"damaged", "sound"})
        bank.start()
        self.assertEqual(self.balance(bank), b"51.25")
        bank.check()


class Refused(RepairTest):
    def test_a_sound_journal(self):
        bank = self.paid_bank()
        self.assertIn("the journal is sound; there is nothing to repair", self.refuse(bank))
        batch = self.batch_of(bank, self.entries[5])
        self.assertIn("nothing to repair", self.refuse(bank, "--drop-from", self.place(batch)))

    def test_a_torn_tail(self):
        bank = self.paid_bank()
        last = journal.batches(bank.path("data"))[-1]
        journal.flip(last.path, last.offset + 130)
        said = self.refuse(bank, "--drop-from", self.place(last))
        self.assertIn("a start drops it by itself", said)
        bank.start()
        bank.check()

    def test_another_place(self):
        bank = self.paid_bank()
        batch = self.damage(bank)
        for other in (self.place(batch._replace(offset=batch.offset - 4096)),
                      self.place(batch._replace(segment=2)), str(batch.seq + 1), "x", "1", "1.",
                      f"0{self.place(batch)}", f"{self.place(batch)} "):
            said = self.refuse(bank, "--drop-from", other)
            self.assertIn(f"must name that place, {self.place(batch)}, or batch {batch.seq}", said)

    def test_a_segment_of_another_bank(self):
        bank = self.paid_bank()
        other = self.new_bank(start=False)
        shutil.copy(journal.segments(other.path("data"))[0], journal.segments(bank.path("data"))[0])
        said = self.refuse(bank)
        self.assertIn("restore", said)
        self.assertIn("restore", self.refuse(bank, "--drop-from", "1.0"))

    def test_a_missing_segment(self):
        bank = self.paid_bank()
        os.remove(journal.segments(bank.path("data"))[0])
        said = self.refuse(bank)
        self.assertIn("the segment is missing", said)
        self.assertIn("pennyctl restore", said)

    def test_damage_that_no_start_reads(self):
        """Balances stand in a checkpoint that begins in a later segment; nothing is dropped."""
        bank = self.new_bank(settings=("server.segment-size-kib=512",))
        self.entries = self.pay(bank, "p", 2)
        fill_segment(bank)
        bank.restart()
        bank.stop()
        batch = self.damage(bank, 1)
        said = self.refuse(bank)
        self.assertIn("a start does not read it", said)
        self.assertIn("a start does not read it", self.refuse(bank, "--drop-from",
                                                              self.place(batch)))
        bank.start()

    def test_beside_a_server(self):
        bank = self.paid_bank()
        self.damage(bank)
        other = self.new_bank()
        for words in ((), ("--drop-from", "1.0"), ("--forget-edits",)):
            said = self.repair(other, *words, expect=1).stderr
            self.assertIn(f"in use by process {other.process.pid}", said)
            self.assertIn("SHUTDOWN", said)

    def test_words(self):
        bank = self.new_bank(start=False)
        for words in (["--drop-from"], ["--drop-from", "1.0", "--forget-edits"],
                      ["--copies", "x"], ["--forget-edits=1"], ["--strange"], ["other"]):
            with self.subTest(words):
                self.assertEqual(len(self.repair(bank, *words, expect=2).stderr.splitlines()), 1)


class Edits(RepairTest):
    def edit(self, path):
        with open(path, encoding="ascii") as file:
            text = file.read()
        with open(path, "w", encoding="ascii") as file:
            file.write(re.sub(r"(?m)^(alice:)50\.00:", r"\g<1>90.00:", text))

    def test_an_edited_checkpoint_is_put_aside(self):
        bank = self.new_bank()
        bank.restart()
        bank.stop()
        self.assertEqual(os.readlink(bank.path("data", "current")), "checkpoint.00000003")
        path = bank.path("data", "checkpoint.00000003", "balance")
        self.edit(path)
        with open(path, "rb") as file:
            edited = file.read()
        self.assertIn(b"90.00", edited)
        code, said = bank.refused_start()
        self.assertEqual(code, 1)
        typed = shlex.split(re.search(r"`pennyctl (repair .+ --forget-edits)`", said).group(1))
        said = bank.pennyctl(*typed).stdout
        copies = re.search(r"^copies   (.+)$", said, re.M).group(1)
        with open(os.path.join(copies, "checkpoint.00000003", "balance"), "rb") as file:
            self.assertEqual(file.read(), edited)
        self.assertEqual(os.readlink(bank.path("data", "current")), "checkpoint.00000002")
        self.assertFalse(os.path.exists(bank.path("data", "checkpoint.00000003")))
        bank.start()
        self.assertEqual(self.balance(bank), b"50.00")
        bank.check()

    def test_all_checkpoints_edited(self):
        bank = self.new_bank()
        bank.restart()
        bank.stop()
        for number in (2, 3):
            self.edit(bank.path("data", f"checkpoint.0000000{number}", "balance"))
        self.repair(bank, "--forget-edits")
        self.assertFalse(os.path.lexists(bank.path("data", "current")))
        bank.start()
        self.assertEqual(self.balance(bank), b"50.00")
        bank.check()

    def test_a_file_in_the_place_of_a_link(self):
        bank = self.new_bank()
        bank.stop()
        path = bank.path("data", "balance")
        shutil.copy(path, path + ".new")
        os.replace(path + ".new", path)
        self.edit(path)
        code, said = bank.refused_start()
        self.assertEqual(code, 1)
        self.assertIn("was changed by hand", said)
        said = self.repair(bank, "--forget-edits").stdout
        self.assertIn("put aside balance", said)
        self.assertEqual(os.readlink(path), "current/balance")
        bank.start()
        self.assertEqual(self.balance(bank), b"50.00")
        bank.check()

    def test_nothing_was_edited(self):
        bank = self.new_bank(start=False)
        self.assertIn("no table was changed", self.refuse(bank, "--forget-edits"))
