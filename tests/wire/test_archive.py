"""archive: old segments lie elsewhere, nothing of the book is lost, and it says where they are."""

import os
import re
import shutil

import journal
from archive_bank import LATER, ArchiveTest
from bank import program
from dying import Dying
from resp import fields, text
from segments import fill_segment


class Moved(ArchiveTest):
    def test_a_start_a_check_and_statements(self):
        whole = self.check().stdout
        before = self.content(os.path.join(self.data, "journal"))
        first_kept = next(b for b in journal.batches(self.data) if b.segment == 4)
        said = self.archive().stdout
        self.assertIn("archived segments 1 to 3", said)
        self.assertIn(f"from segment 4, batch {first_kept.seq}, entry {first_kept.entry_first} on",
                      said)
        self.assertEqual([name for name in self.names() if name < "00000005"],
                         ["00000004.journal"])
        self.assertIn("ARCHIVED", self.names())
        moved = self.content(self.dest)
        self.assertEqual(moved, {name: before[name] for name in moved})
        self.assertEqual(sorted(moved), [f"0000000{n}.journal" for n in (1, 2, 3)])
        with open(os.path.join(self.data, "journal", "ARCHIVED"), encoding="ascii") as file:
            anchor = file.read()
        self.assertIn(f"chain {first_kept.previous.hex()}\n", anchor)

        part = self.check().stdout
        self.assertEqual(self.digest(part), self.digest(whole))
        self.assertIn(f"not seen: segments 1 to 3, entries 1 to {first_kept.entry_first - 1}, in "
                      "the archive attic", part)
        self.assertRegex(part, rf"entries {first_kept.entry_first} to \d+: their chain alone")
        self.assertIn("the books sum to zero", part)
        self.assertEqual(re.findall("(?m)^entries +(.*)$", part),
                         re.findall("(?m)^entries +(.*)$", whole) +
                         re.findall("(?m)^entries +(.*)$", part)[1:])
        self.assertEqual(self.check("--archive", self.dest).stdout, whole)

        self.bank.start()
        for protocol in (2, 3):
            with self.bank.wire("alice", protocol) as alice:
                rows = alice.ask("STATEMENT", "COUNT", 64)
                self.assertEqual(len(rows), 6)
                self.assertEqual([fields(row)["amount"] for row in rows[:5]], ["0.25"] * 5)
                last = text(rows[5]) if protocol == 3 else fields(rows[5])
                self.assertEqual(last, {"archived": "attic", "before": first_kept.entry_first})
                # What was wanted is there: the archive is not named.
                self.assertEqual(len(alice.ask("STATEMENT", "COUNT", 5)), 5)
                rows = alice.ask("STATEMENT", "BEFORE", first_kept.entry_first)
                self.assertEqual(len(rows), 1)
                self.assertEqual(fields(rows[0])["archived"], "attic")
                self.assertEqual(alice.ask("BALANCE"), b"52.50")
        self.pay(self.bank, "after", 2)
        self.bank.restart()
        self.bank.check()
        self.check("--archive", self.dest)

    def test_twice_into_one_folder_and_once_into_another(self):
        self.archive()
        self.bank.start()
        fill_segment(self.bank, "more")
        with self.bank.wire("admin") as admin:
            for number in range(2):
                admin.ask("CHECKPOINT")
                self.pay(self.bank, f"more{number}-", 1)
        self.bank.stop()
        self.archive()
        with open(os.path.join(self.data, "journal", "ARCHIVED"), encoding="ascii") as file:
            self.assertEqual(re.findall(r"(?m)^part (\d+ \d+) \d+ (\S+)$", file.read()),
                             [("1 4", "attic")])
        self.bank.start()
        fill_segment(self.bank, "most")
        self.bank.restart()
        self.bank.restart()
        self.bank.stop()
        cellar = os.path.join(self.bank.folder, "cellar room")
        self.archive(dest=cellar)
        with open(os.path.join(self.data, "journal", "ARCHIVED"), encoding="ascii") as file:
            self.assertEqual(re.findall(r"(?m)^part (\d+ \d+) \d+ (\S+)$", file.read()),
                             [("1 4", "attic"), ("5 5", "cellar%20room")])
        said = self.check().stdout
        self.assertEqual(len(re.findall("(?m)^not seen", said)), 2)
        said = self.check("--archive", self.dest, "--archive", cellar).stdout
        self.assertNotIn("not seen", said)
        self.bank.start()
        with self.bank.wire("alice", 3) as alice:
            self.assertEqual(fields(alice.ask("STATEMENT")[-1])["archived"], "cellar room")

    def test_a_backup_of_what_is_left(self):
        self.archive()
        whole = self.check().stdout
        file = os.path.join(self.bank.folder, "b.tar")
        self.bank.pennyctl("backup", self.bank.home, file)
        self.assertIn("not seen", self.bank.pennyctl("check", file).stdout)
        new = os.path.join(self.bank.folder, "new")
        self.bank.pennyctl("restore", file, new)
        self.assertEqual(self.digest(self.bank.pennyctl("check", new).stdout), self.digest(whole))
        self.bank.home = new
        self.bank.start()
        with self.bank.wire("alice", 3) as alice:
            self.assertEqual(fields(alice.ask("STATEMENT")[-1])["archived"], "attic")

    def test_segments_copied_back(self):
        self.archive()
        for name in os.listdir(self.dest):
            shutil.copy(os.path.join(self.dest, name), os.path.join(self.data, "journal", name))
        self.assertNotIn("not seen", self.check().stdout)
        self.bank.start()
        with self.bank.wire("alice", 3) as alice:
            self.assertNotIn("archived", fields(alice.ask("STATEMENT", "COUNT", 64)[-1]))


class Damaged(ArchiveTest):
    def test_some_archived_segments_are_there(self):
        """A power cut may keep any of the names that were being removed."""
        whole = self.check().stdout
        self.archive()
        part = self.check().stdout
        for kept in ((1,), (1, 3), (2,), (1, 2)):
            for number in kept:
                name = f"0000000{number}.journal"
                shutil.copy(os.path.join(self.dest, name),
                            os.path.join(self.data, "journal", name))
            self.assertEqual(self.check().stdout, part, kept)
            self.assertEqual(self.check("--archive", self.dest).stdout, whole, kept)
            self.assertNotIn("damage", self.bank.pennyctl("repair", self.data, expect=None).stdout)
            said = self.archive(expect=1).stderr
            self.assertIn("segment 4 stays", said)
            self.assertEqual([name for name in self.names() if name < "00000004"], [], kept)

    def spoil_checkpoints(self):
        for name in os.listdir(self.data):
            if name.startswith("checkpoint."):
                shutil.rmtree(os.path.join(self.data, name))
        os.remove(os.path.join(self.data, "current"))

    def test_no_checkpoint_is_left(self):
        self.archive()
        self.spoil_checkpoints()
        code, said = self.bank.refused_start()
        self.assertEqual(code, 1)
        self.assertRegex(said, r"no checkpoint is sound, and segments 1 to 3 are archived; copy "
                               r"them back into journal/ from attic")
        self.assertIn("attic", self.check(expect=1).stderr)
        for name in os.listdir(self.dest):
            shutil.copy(os.path.join(self.dest, name), os.path.join(self.data, "journal", name))
        self.bank.start()
        with self.bank.wire("alice") as alice:
            self.assertEqual(alice.ask("BALANCE"), b"52.50")

    def test_one_checkpoint_is_enough(self):
        self.archive()
        newest = os.readlink(os.path.join(self.data, "current"))
        os.remove(os.path.join(self.data, newest, "MANIFEST"))
        self.bank.start()
        with self.bank.wire("alice") as alice:
            self.assertEqual(alice.ask("BALANCE"), b"52.50")
        self.bank.check()

    def test_repair_does_not_drop_what_no_checkpoint_ends_before(self):
        self.archive()
        first = next(b for b in journal.batches(self.data) if b.segment == 4)
        journal.flip(first.path, first.offset + 150)
        said = self.bank.pennyctl("repair", self.data, expect=1).stderr
        self.assertIn("attic", said)
        self.assertIn("copy them back", said)

    def test_the_anchor_is_damaged(self):
        self.archive()
        path = os.path.join(self.data, "journal", "ARCHIVED")
        for offset in range(0, os.path.getsize(path), 17):
            journal.flip(path, offset)
            self.assertIn("ARCHIVED", self.check(expect=1).stderr)
            journal.flip(path, offset)
        journal.flip(path, 100)
        code, said = self.bank.refused_start()
        self.assertEqual(code, 1)
        self.assertIn("ARCHIVED", said)

    def test_another_segment_in_place_of_the_first_kept_one(self):
        """The anchor holds the chain: what begins elsewhere is noticed."""
        self.archive()
        kept = os.path.join(self.data, "journal", "00000004.journal")
        shutil.copy(os.path.join(self.dest, "00000003.journal"), kept)
        self.assertIn("segment 4, offset 0", self.check(expect=1).stderr)

    def test_an_archive_that_was_changed(self):
        self.archive()
        journal.flip(os.path.join(self.dest, "00000002.journal"), 200)
        self.assertIn("segment 2, offset 0", self.check("--archive", self.dest, expect=1).stderr)
        self.check()


class Refused(ArchiveTest):
    def refuse(self, *words, **more):
        before = self.content(self.data)
        said = self.archive(*words, expect=1, **more).stderr
        self.assertEqual(self.content(self.data), before)
        self.assertEqual(len(said.splitlines()), 1)
        return said

    def test_nothing_is_that_old(self):
        self.assertIn("segment 1 stays: it is not older", self.refuse(before="2001-02-28"))

    def test_what_a_checkpoint_needs_stays(self):
        self.archive()
        self.assertIn("segment 4 stays: it is the newest", self.refuse())
        self.bank.start()
        fill_segment(self.bank, "more")
        self.bank.kill()
        self.assertIn("segment 4 stays: a checkpoint begins in it", self.refuse())

    def test_beside_a_server(self):
        self.bank.start()
        said = self.archive(expect=1).stderr
        self.assertIn(f"in use by process {self.bank.process.pid}", said)
        self.assertIn("SHUTDOWN", said)

    def test_one_checkpoint_is_not_enough(self):
        newest = os.readlink(os.path.join(self.data, "current"))
        for name in os.listdir(self.data):
            if name.startswith("checkpoint.") and name != newest:
                shutil.rmtree(os.path.join(self.data, name))
        self.assertIn("two sound checkpoints are needed", self.refuse())

    def test_another_file_in_the_folder(self):
        os.mkdir(self.dest)
        with open(os.path.join(self.dest, "00000002.journal"), "wb") as file:
            file.write(b"something else")
        self.assertIn("with other content", self.refuse())

    def test_the_journal_itself_as_folder(self):
        self.assertIn("the journal's own folder",
                      self.refuse(dest=os.path.join(self.data, "journal")))

    def test_a_link_to_the_segment_is_no_copy(self):
        os.mkdir(self.dest)
        own = os.path.join(self.data, "journal", "00000001.journal")
        os.symlink(own, os.path.join(self.dest, "00000001.journal"))
        self.refuse()
        os.remove(os.path.join(self.dest, "00000001.journal"))
        os.link(own, os.path.join(self.dest, "00000001.journal"))
        self.refuse()

    def test_words(self):
        home = self.bank.home
        for words in ([home], [home, self.dest], [home, self.dest, "--before"],
                      [home, self.dest, "--before", "2026-02-30"],
                      [home, self.dest, "--before", "yesterday"],
                      [home, self.dest, "--before", "2026-1-1"],
                      [home, "..", "--before", LATER], [home, self.dest, "--strange"],
                      [home, self.dest, "x", "--before", LATER]):
            with self.subTest(words):
                done = self.bank.pennyctl("archive", *words, expect=2)
                self.assertEqual(len(done.stderr.splitlines()), 1)


class Killed(ArchiveTest):
    def test_killed_at_every_write(self):
        """The book is whole in one place or in both, it starts, and the same command ends it."""
        kept = os.path.join(self.bank.folder, "kept")
        shutil.copytree(self.data, kept, symlinks=True)
        whole = self.check().stdout
        argv = [program("pennyctl"), "archive", self.bank.home, "--before", LATER, self.dest]

        def before():
            shutil.rmtree(self.data)
            shutil.copytree(kept, self.data, symlinks=True)
            shutil.rmtree(self.dest, ignore_errors=True)

        states = set()
        with Dying() as dying:
            for call, _ in dying.each(argv, before=before, step=41):
                self.look(call, whole, states)
            # The interesting calls are the last ones: after the copies.
            total = call
            for call in range(max(1, total - 41), total + 1):
                before()
                done = dying._run(argv, "DIE_AT", call, {})
                self.look(call, whole, states)
                if done.returncode == 0:
                    break
        self.assertEqual(states, {"not archived", "archived, not all removed", "done"})
        self.bank.start()
        self.pay(self.bank, "after", 1)
        self.bank.check()

    def look(self, call, whole, states):
        segments = [name for name in self.names() if name.endswith(".journal")]
        if "ARCHIVED" not in self.names():
            states.add("not archived")
            self.assertEqual(self.check().stdout, whole, call)
        else:
            removed = "00000003.journal" not in segments
            states.add("done" if removed else "archived, not all removed")
            self.assertEqual(self.digest(self.check().stdout), self.digest(whole), call)
            self.assertEqual(self.check("--archive", self.dest).stdout, whole, call)
        again = self.archive(expect=None)
        if again.returncode != 0:
            self.assertIn("segment 4 stays: it is the newest", again.stderr)
        self.assertEqual([name for name in self.names() if name < "00000004"], [])
        self.assertEqual(self.check("--archive", self.dest).stdout, whole, call)
        self.assertEqual([n for n in os.listdir(self.dest) if n.endswith(".making")], [])
