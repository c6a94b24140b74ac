"""The wall at the start: checkpoints and segments that are not what was once written, tables that a
person changed, disks that may not be written. The start goes on from what is sound and says so, or
it names the file and what to do, and changes nothing (P8)."""

import os
import re
import shlex
import shutil
import subprocess
import unittest
from decimal import Decimal

import journal
from bank import Bank, run
from resp import fields

CENT = Decimal("0.01")
SEGMENT_MIN = 4 * journal.BATCH_MAX


class StartTest(unittest.TestCase):
    """One bank with two checkpoints, copied and damaged again and again."""

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank()
        cls.addClassCleanup(cls.bank.close)
        cls.kept = os.path.join(cls.bank.folder, "kept")
        cls.data = cls.bank.path("data")
        with cls.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "10", "alice"))
        cls.bank.stop()
        cls.bank.start()
        with cls.bank.wire("alice") as wire:
            fields(wire.ask("TRANSFER", "one", "bob", "2"))
            cls.balance = wire.ask("BALANCE")
            cls.digest = wire.ask("DIGEST")
        cls.bank.stop()
        cls.newest, cls.before = [f"checkpoint.{n:08}" for n in cls.numbers(cls.data)]
        shutil.copytree(cls.data, cls.kept, symlinks=True)

    @staticmethod
    def numbers(data):
        names = [name for name in os.listdir(data) if re.fullmatch(r"checkpoint\.\d{8}", name)]
        return sorted((int(name[-8:]) for name in names), reverse=True)

    def setUp(self):
        self.bank.kill()
        shutil.rmtree(self.data)
        shutil.copytree(self.kept, self.data, symlinks=True)

    def path(self, *parts):
        return os.path.join(self.data, *parts)

    def content(self):
        """Every file and link below data/ but the lock, which holds the pid."""
        found = {}
        for folder, folders, names in os.walk(self.data):
            for name in (*folders, *names):
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    found[path] = os.readlink(path)
                elif os.path.isfile(path) and name != "lock":
                    with open(path, "rb") as file:
                        found[path] = file.read()
        return found

    def edit(self, path, pattern, to):
        with open(path, "rb") as file:
            content = file.read()
        edited = re.sub(pattern, to, content, count=1, flags=re.M)
        self.assertNotEqual(edited, content)
        with open(path, "wb") as file:
            file.write(edited)

    def refused(self):
        """What a start said that must not come up, and must change nothing."""
        before = self.content()
        code, said = self.bank.refused_start()
        self.assertEqual(code, 1, said)
        self.assertNotIn("ready", said)
        self.assertEqual(self.content(), before)
        return said.strip().split("\n")[-1]

    def start(self):
        """Starts, expects the book to be whole, and gives what was logged."""
        begin = len(self.bank.log())
        self.bank.start()
        said = self.bank.log()[begin:]
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("DIGEST"), self.digest)
            self.assertEqual(wire.ask("BALANCE"), self.balance)
        return said


class Checkpoints(StartTest):
    """They only spare reading: the journal has all of it."""

    def damages(self):
        """Every way here damages a checkpoint; each gives the file that the log must name."""
        def digest(folder):
            self.edit(self.path(folder, "MANIFEST"), rb"^digest [0-9a-f]{8}", b"digest 00000000")
            return "MANIFEST"

        def gone(folder):
            os.unlink(self.path(folder, "MANIFEST"))
            return "MANIFEST"

        def unreadable(folder):
            self.edit(self.path(folder, "balance"), rb"^alice:", b"alice\0")
            return "balance"

        def cut(folder):
            os.truncate(self.path(folder, "passwd"), os.path.getsize(self.path(folder, "passwd")) - 9)
            return "passwd"

        def emptied(folder):
            os.truncate(self.path(folder, "balance"), 0)
            return "balance"

        return (digest, gone, unreadable, cut, emptied)

    def test_a_damaged_one_is_passed_over_for_the_one_before(self):
        for damage in self.damages():
            with self.subTest(damage.__name__):
                self.setUp()
                named = damage(self.newest)
                said = self.start()
                self.assertRegex(said, rf" warning {re.escape(self.data)}/{self.newest}/{named}: "
                                       r".*; the checkpoint before it is tried")
                self.assertIn(f"the book is open: checkpoint {int(self.before[-8:])}, then", said)
                self.bank.kill()

    def test_without_a_good_one_the_journal_is_read_from_its_first_segment(self):
        for damage in self.damages():
            with self.subTest(damage.__name__):
                self.setUp()
                for folder in (self.newest, self.before):
                    damage(folder)
                said = self.start()
                self.assertIn("; the journal is read from its first segment", said)
                self.assertIn("the book is open: checkpoint 0, then", said)
                self.bank.kill()

    def test_without_a_good_one_and_without_the_first_segment_it_is_refused(self):
        for folder in (self.newest, self.before):
            os.unlink(self.path(folder, "balance"))
        first = self.path("journal", "00000001.journal")
        os.unlink(first)
        self.assertRegex(self.refused(), rf"^pennyd: {re.escape(first)}: is missing; .*backup")

    def test_a_running_server_mends_what_it_passed_over(self):
        os.unlink(self.path(self.newest, "balance"))
        self.start()
        with self.bank.wire("admin") as admin:
            self.assertEqual(fields(admin.ask("CHECKPOINT"))["digest"], self.digest.decode())
        self.bank.stop()
        said = self.start()
        self.assertNotIn("warning", said)
        self.bank.check()


class Edited(StartTest):
    """A table that a person changed is neither believed nor passed over."""

    edits = (("balance", rb"^(alice:)(\d+)", rb"\g<1>9\2", "DEPOSIT, WITHDRAW and TRANSFER"),
             ("balance", rb"^(bob:.*?:.*?):0\.00:", rb"\1:-50.00:", "ACCOUNT LIMIT"),
             ("passwd", rb"^(alice):customer:", rb"\1:admin:", "PASSWD"),
             ("passwd", rb"^(bob:customer):active:", rb"\1:locked:", "PASSWD"))

    def line(self, path, name):
        with open(path, "r", encoding="utf-8") as file:
            return [row.split(":")[0] for row in file].index(name) + 1

    def test_a_changed_table_stops_the_start_and_names_the_command(self):
        for table, pattern, to, command in self.edits:
            with self.subTest(table=table, to=to):
                self.setUp()
                path = self.path(table)
                self.edit(path, pattern, to)
                self.assertTrue(os.path.islink(path))
                line = self.line(path, re.search(rb"\w+", pattern).group().decode())
                said = self.refused()
                self.assertRegex(said, rf"/{self.newest}/{table}: line {line} was changed by hand")
                self.assertIn(command, said)
                self.assertIn(f"`pennyctl repair {shlex.quote(self.data)} --forget-edits`", said)
                done = self.bank.pennyctl("check", self.bank.home, expect=1)
                self.assertIn(f"/{self.newest}/{table}: was changed", done.stderr)
                shutil.copy(os.path.join(self.kept, self.newest, table), path)
                self.start()
                self.bank.kill()

    def test_a_row_too_many_or_too_few_is_named(self):
        path = self.path("balance")
        with open(path, "ab") as file:
            file.write(b"mallory:1.00:0.00:0.00:-:-:open:0.0\n")
        last = self.line(path, "mallory")
        self.assertRegex(self.refused(), rf"/balance: line {last} was changed by hand")
        self.setUp()
        line = self.line(path, "bob")
        self.edit(path, rb"^bob:.*\n", b"")
        self.assertRegex(self.refused(), rf"/balance: line {line} was changed by hand")

    def test_an_editor_that_replaces_the_link_does_not_get_round_it(self):
        path = self.path("balance")
        line = self.line(path, "alice")
        run(["sed", "-i", "s/^alice:/&9/", path])
        self.assertFalse(os.path.islink(path))
        said = self.refused()
        self.assertRegex(said, rf"^pennyd: {re.escape(path)}: line {line} was changed by hand")
        self.assertIn("move this file away", said)
        os.rename(path, path + ".mine")
        self.start()


class Segments(StartTest):
    def write(self, count, memo=b""):
        """Many deposits behind the newest checkpoint, in segments as small as can be."""
        _, offsets = journal.deposits(self.data, "alice", count, memo=memo,
                                      segment_size=SEGMENT_MIN)
        return offsets

    def test_a_journal_written_by_the_test_is_one(self):
        self.write(100000)
        self.assertGreater(len(journal.segments(self.data)), 3)
        self.bank.start()
        with self.bank.wire("alice") as wire:
            self.assertEqual(Decimal(wire.ask("BALANCE").decode()),
                             Decimal(self.balance.decode()) + 100000 * CENT)
        self.bank.check()

    def test_a_missing_segment_in_the_middle_is_named(self):
        self.write(120000)
        paths = journal.segments(self.data)
        self.assertGreater(len(paths), 4)
        for path in paths[1:-1]:
            with self.subTest(os.path.basename(path)):
                os.rename(path, path + ".away")
                self.assertRegex(self.refused(), rf"^pennyd: {re.escape(path)}: is missing; .*backup")
                os.rename(path + ".away", path)
        self.bank.start()

    def test_a_segment_of_another_bank_is_refused(self):
        self.write(100000)
        with Bank(start=False) as other:
            foreign = journal.segments(other.path("data"))[0]
            self.assertGreater(len(journal.segments(self.data)), 3)
            for path in journal.segments(self.data):
                with self.subTest(os.path.basename(path)):
                    os.rename(path, path + ".away")
                    shutil.copy(foreign, path)
                    self.assertRegex(self.refused(), rf"^pennyd: {re.escape(path)}: at offset 0, "
                                                     r"batch \d+: a batch of another bank; .*backup")
                    os.rename(path + ".away", path)

    def test_a_segment_of_an_older_copy_of_this_bank_is_refused(self):
        """It has this bank's name and chain, but not what its successor goes on from."""
        older = os.path.join(self.bank.folder, "older")
        self.write(10000)
        path = journal.segments(self.data)[0]
        shutil.copy(path, older)
        self.setUp()
        self.write(120000)
        shutil.copy(older, path)
        self.assertRegex(self.refused(), rf"^pennyd: {re.escape(path)}: at offset \d+, batch \d+: "
                                         "a hole: a sound batch is behind; nothing was changed; ")

    def test_a_segment_ahead_that_is_not_blank_is_refused_or_cleared(self):
        """The server would go on in it, and then find what it did not write."""
        ahead = journal.segments(self.data)[-1]
        self.assertEqual(os.path.basename(ahead), "00000002.journal")
        with Bank(start=False) as other:
            foreign = journal.segments(other.path("data"))[0]
            shutil.copy(foreign, ahead)
        said = self.refused()
        self.assertRegex(said, rf"^pennyd: {re.escape(ahead)}: holds batches that do not follow")
        done = self.bank.pennyctl("check", self.bank.home, expect=1)
        self.assertRegex(done.stderr, "^pennyctl: segment 2, .*batches that do not follow")
        shutil.copy(journal.segments(self.data)[0], ahead)  # Of this bank, but not from here.
        self.assertRegex(self.refused(), rf"^pennyd: {re.escape(ahead)}: holds batches")
        with open(ahead, "wb") as file:
            file.write(bytes(70000) + b"rot" + bytes(SEGMENT_MIN - 70003))
        self.assertRegex(self.start(), rf" warning {re.escape(ahead)}: was not blank.*cleared")
        self.bank.kill()
        with open(ahead, "rb") as file:
            self.assertFalse(any(file.read()))

    def test_a_segment_cut_exactly_behind_a_full_batch_is_refused(self):
        # As long as can be, so that behind it nothing would be left of the segment.
        count = journal.fullest(b"m" * 63)
        offsets = journal.deposits(self.data, "alice", 8 * count, per_batch=count,
                                   memo=b"m" * 63)[1]
        path = journal.segments(self.data)[0]
        batches = {batch.offset: batch for batch in journal.batches(self.data)}
        for offset in offsets[4:]:
            batch = batches[offset]
            self.assertEqual(batch.end - batch.offset, journal.BATCH_MAX)
            with self.subTest(cut=batch.end):
                os.truncate(path, batch.end)
                said = self.refused()
                self.assertRegex(said, rf"^pennyd: {re.escape(path)}: at offset \d+, batch \d+: "
                                       r"the segment was cut short")
                self.assertIn(f" and has {batch.end};", said)
                done = self.bank.pennyctl("check", self.bank.home, expect=1)
                self.assertIn("the segment was cut short", done.stderr)
                self.setUp()
                journal.deposits(self.data, "alice", 8 * count, per_batch=count, memo=b"m" * 63)

    def test_a_segment_that_has_grown_is_refused(self):
        path = journal.segments(self.data)[0]
        os.truncate(path, os.path.getsize(path) + journal.BLOCK)
        self.assertRegex(self.refused(), "the segment has grown")


class ReadOnly(StartTest):
    def setUp(self):
        super().setUp()
        self.bank.flags = []

    def mount(self):
        if os.geteuid() != 0:
            self.skipTest("a read-only disk cannot be mounted here: only root may")
        shutil.rmtree(self.data)
        os.mkdir(self.data, 0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "penny-test", self.data],
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            os.rmdir(self.data)
            os.mkdir(self.data)
            self.skipTest(f"a read-only disk cannot be mounted here: {done.stderr.strip()}")
        self.addCleanup(self.unmount)
        shutil.copytree(self.kept, self.data, symlinks=True, dirs_exist_ok=True)
        os.chmod(self.data, 0o700)
        run(["mount", "-o", "remount,ro", self.data])

    def unmount(self):
        self.bank.kill()
        run(["umount", "-l", self.data])

    def test_balances_are_read_and_no_money_moves(self):
        self.mount()
        before = self.content()
        said = self.start()
        self.assertRegex(said, rf" error {re.escape(self.data)}/lock: .*Read-only file system; "
                               "the book can be read, and no money moves")
        self.assert_read_alone()
        self.bank.pennyctl("check", self.bank.home)
        self.bank.stop()
        self.assertEqual(self.content(), before)
        run(["mount", "-o", "remount,rw", self.data])
        self.assert_money_moves_again()

    def test_a_start_that_is_told_to_writes_no_byte(self):
        """What a newer program is tried with before it may write anything (tools/deploy)."""
        before = self.content()
        self.bank.flags = ["--read-only"]
        said = self.start()
        self.assertRegex(said, " warning started with --read-only; the book can be read, and no "
                               "money moves")
        self.assert_read_alone()
        self.bank.stop()
        self.assertEqual(self.content(), before)
        self.bank.flags = []
        self.assert_money_moves_again()

    def test_such_a_start_leaves_a_torn_batch_for_one_that_may_write(self):
        self.start()
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "two", "bob", "1"))
            self.bank.kill()
        last = journal.batches(self.data)[-1]
        journal.flip(last.path, last.offset + 100, 3)
        before = self.content()
        self.bank.flags = ["--read-only"]
        self.assertIn("left as it is", self.start())
        self.bank.stop()
        self.assertEqual(self.content(), before)
        self.bank.flags = []
        self.assertIn("dropped", self.start())
        self.bank.check()

    def test_such_a_start_is_refused_beside_another_server(self):
        self.start()
        for option in ([], ["--read-only"]):
            done = run([*self.bank.server_argv(), *option], expect=1)
            self.assertIn(f"in use by process {self.bank.process.pid}", done.stderr)

    def assert_read_alone(self):
        with self.bank.wire("alice", 3) as alice, self.bank.wire("admin") as admin:
            self.assertGreater(len(alice.ask("STATEMENT")), 1)
            # What was answered once is answered again; nothing new is.
            fields(alice.ask("TRANSFER", "one", "bob", "2"))
            for wire, words in ((alice, ("TRANSFER", "two", "bob", "1")),
                                (alice, ("DEPOSIT", "two", "1")),
                                (alice, ("TRANSFER", "two", "bob", "1000000")),
                                (alice, ("PASSWD", self.bank.passwords["alice"], "another word")),
                                (admin, ("REGISTER", "newcomer", "a long password")),
                                (admin, ("CHECKPOINT",))):
                reply = wire.ask(*words)
                self.assertEqual(reply.word, "MISCONF", (words, reply.line))
                self.assertIn("read-only", reply.text)
            self.assertIn(b"aof_last_write_status:err", admin.ask("INFO"))
            self.assertEqual(alice.ask("BALANCE"), self.balance)

    def assert_money_moves_again(self):
        self.start()
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "two", "bob", "1"))
        self.bank.check()

    def test_a_disk_that_another_server_writes_is_refused(self):
        self.mount()
        elsewhere = os.path.join(self.bank.folder, "elsewhere")
        os.makedirs(elsewhere, exist_ok=True)
        run(["mount", "-o", "remount,rw", self.data])
        run(["mount", "--bind", self.data, elsewhere])
        self.addCleanup(run, ["umount", "-l", elsewhere])
        run(["mount", "-o", "remount,bind,ro", elsewhere])
        self.start()
        with self.bank.wire("alice") as alice:
            config = self.bank.path("pennyd.conf")
            done = run([self.bank.server_argv()[0], config, "--port", "0",
                        "--set", f"server.data={elsewhere}"], expect=1)
            self.assertIn(f"in use by process {self.bank.process.pid}", done.stderr)
            fields(alice.ask("TRANSFER", "two", "bob", "1"))


if __name__ == "__main__":
    unittest.main()
