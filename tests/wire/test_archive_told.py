"""What is printed of an archived book: all of it with --archive, nothing without."""

import os
import subprocess
import tempfile

import journal
from archive_bank import ArchiveTest
from resp import fields
from segments import fill_segment


class Told(ArchiveTest):
    """export, statement, report and receipt count from the first entry on."""

    VERBS = (("export", "--format", "hledger"), ("export", "--format", "csv"),
             ("statement", "alice"), ("statement", "alice", "--csv", "--month", "2399-01"),
             ("report",), ("report", "--csv"))

    def tell(self, *folders, expect=0):
        words = [word for folder in folders for word in ("--archive", folder)]
        return [self.bank.pennyctl(verb, self.bank.home, *more, *words, expect=expect)
                for verb, *more in self.VERBS]

    def texts(self, *folders):
        return [done.stdout for done in self.tell(*folders)]

    def refuse(self, said, *folders):
        for done in self.tell(*folders, expect=1):
            self.assertEqual((done.stdout, done.stderr), ("", f"pennyctl: {said}; name the folder "
                             "with --archive FOLDER, or copy them back into journal/\n"))

    def test_the_whole_book_with_the_archive(self):
        before = self.texts()
        self.assertIn("old0", before[0])
        self.archive()
        self.refuse("segments 1 to 3 are in the archive attic")
        empty = os.path.join(self.bank.folder, "empty")
        os.mkdir(empty)
        self.refuse("segments 1 to 3 are in the archive attic", empty)
        self.assertEqual(self.texts(self.dest), before)
        self.assertEqual(self.texts(empty, self.dest), before)
        with tempfile.NamedTemporaryFile("w", suffix=".journal", dir=self.bank.folder) as file:
            file.write(self.texts(self.dest)[0])
            file.flush()
            sums = subprocess.run(["hledger", "-f", file.name, "balance", "-N", "--flat", "alice"],
                                  check=True, capture_output=True, text=True, timeout=60).stdout
        self.assertIn("-52.50 EUR", sums)
        # Beside a server, which writes on.
        self.bank.start()
        self.pay(self.bank, "after", 1)
        self.assertEqual(self.texts(self.dest)[1].splitlines()[:-1], before[1].splitlines())

    def test_two_archives_are_both_named(self):
        self.archive()
        self.bank.start()
        fill_segment(self.bank, "more")
        with self.bank.wire("admin") as admin:
            for number in range(2):
                fields(admin.ask("CHECKPOINT"))
                self.pay(self.bank, f"more{number}-", 1)
        self.bank.stop()
        before = self.texts(self.dest)
        cellar = os.path.join(self.bank.folder, "cellar room")
        self.archive(dest=cellar)
        self.refuse("segments 1 to 3 are in the archive attic and segments 4 to 4 are in the "
                    "archive cellar room")
        self.refuse("segments 1 to 3 are in the archive attic", cellar)
        self.refuse("segments 4 to 4 are in the archive cellar room", self.dest)
        self.assertEqual(self.texts(cellar, self.dest), before)

    def test_an_archive_that_was_changed(self):
        self.archive()
        journal.flip(os.path.join(self.dest, "00000002.journal"), 200)
        for done in self.tell(self.dest, expect=1):
            self.assertEqual(done.stdout, "")
            self.assertIn("segment 2, offset 0", done.stderr)

    def test_a_receipt_of_an_archived_entry(self):
        self.bank.start()
        with self.bank.wire("alice") as alice:
            rows = [fields(row) for row in alice.ask("STATEMENT", "COUNT", 64)]
            old, new = ([row["entry"] for row in rows][i] for i in (-1, 0))
            texts = [alice.ask("RECEIPT", entry) for entry in (old, new)]
        self.bank.stop()
        self.archive()
        certificate = self.bank.path("certs", "server.crt")
        for number, content in enumerate(texts):
            path = os.path.join(self.bank.folder, f"receipt.{number}")
            with open(path, "wb") as file:
                file.write(content)
            words = ["receipt", "verify", path, "--cert", certificate]
            journal_words = [*words, "--journal", self.bank.home]
            said = self.bank.pennyctl(*journal_words, expect=1).stderr
            self.assertIn("segments 1 to 3 are in the archive attic; name the folder with "
                          "--archive FOLDER", said)
            self.assertEqual(len(said.splitlines()), 1)
            said = self.bank.pennyctl(*journal_words, "--archive", self.dest).stdout
            self.assertIn("the book says the same", said)
            said = self.bank.pennyctl(*words, "--archive", self.dest, expect=2).stderr
            self.assertIn("--archive goes with --journal", said)

    def test_words(self):
        for verb, *more in self.VERBS:
            said = self.bank.pennyctl(verb, self.bank.home, *more, "--archive", expect=2).stderr
            self.assertIn("--archive wants a folder", said)
            nowhere = os.path.join(self.bank.folder, "nowhere")
            said = self.bank.pennyctl(verb, self.bank.home, *more, "--archive", nowhere,
                                      expect=1).stderr
            self.assertEqual(said, f"pennyctl: the archive {nowhere}: No such file or directory\n")
