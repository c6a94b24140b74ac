"""RECEIPT and RECEIPT VERIFY, and `pennyctl receipt verify`: what the server signs, who may have
it, and that a book which was rolled back or rewritten is noticed."""

import os
import shutil
import subprocess
import tempfile
import unittest

import journal
import receipt
from bank import Bank, BankTest
from resp import Error


def entry_of(reply):
    assert not isinstance(reply, Error), reply
    return dict(zip(reply[::2], reply[1::2]))[b"entry"]


class Verify(unittest.TestCase):
    """The operator's tool, over receipts of a book as it stands in a folder."""

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank()
        cls.addClassCleanup(cls.bank.close)
        wire = cls.bank.wire("alice")
        cls.entry = entry_of(wire.ask("TRANSFER", "a:1", "bob", "12.50", "MEMO", "two beers & \xe4"))
        cls.fields = receipt.expected(cls.bank, wire, "alice", cls.entry, "a:1")
        cls.other_side = receipt.expected(cls.bank, cls.bank.wire("bob"), "bob", cls.entry, "a:1")
        cls.certificate = cls.bank.path("certs", "server.crt")
        cls.key = cls.bank.path("certs", "server.key")
        cls.text = receipt.sign(cls.fields, cls.key)
        cls.bank.stop()

    def verify(self, text, *more, expect=0, cert=None):
        """What the tool says of this text: (standard output, standard error)."""
        path = os.path.join(self.bank.folder, "receipt.txt")
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        done = self.bank.pennyctl("receipt", "verify", path, "--cert", cert or self.certificate,
                                  *more, expect=expect)
        self.assertEqual(done.stdout == "", expect != 0, done.stdout + done.stderr)
        return done.stderr or done.stdout

    def refused(self, text, part, *more, **options):
        said = self.verify(text, *more, expect=1, **options)
        self.assertIn(part, said)
        self.assertEqual(said.count("\n"), 1, said)

    def with_book(self, **changed):
        return receipt.sign({**self.fields, **changed}, self.key)

    def test_a_good_one_is_told_in_plain_words(self):
        said = self.verify(self.text)
        self.assertIn(f"entry {self.entry} of {self.fields['time']}: transfer, alice -12.50 EUR to "
                      f"bob, balance {self.fields['balance'].split()[0]}\n", said)
        self.assertNotIn("book", said)
        said = self.verify(self.text, "--journal", self.bank.home)
        self.assertIn(f"the book says the same, and its head is entry {self.entry}\n", said)
        self.assertIn("bob 12.50 EUR from alice",
                      self.verify(receipt.sign(self.other_side, self.key), "--journal",
                                  self.bank.path("data")))
        self.verify(self.text, "--journal", self.bank.path("pennyd.conf"))

    def test_it_is_read_from_standard_input_too(self):
        argv = ("receipt", "verify", "-", "--cert", self.certificate)
        self.bank.pennyctl(*argv, input=self.text)
        done = self.bank.pennyctl(*argv, input="x" + self.text, expect=1)
        self.assertIn("standard input is no receipt: its line 1", done.stderr)

    def test_it_may_have_been_pasted(self):
        windows = self.text.replace("\n", "\r\n")
        for text in (windows, "\n\n" + self.text + "\n \n", self.text[:-1], self.text + "\r\n"):
            self.verify(text)

    def test_any_changed_byte_is_noticed(self):
        lines = self.text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            for place in (0, len(line) // 2, len(line) - 2):
                for bit in (1, 2):
                    broken = bytearray(line.encode())
                    broken[place] ^= bit
                    text = b"".join([*(l.encode() for l in lines[:number]), bytes(broken),
                                     *(l.encode() for l in lines[number + 1:])])
                    with self.subTest(line=line, place=place, bit=bit):
                        self.verify(text, expect=1)

    def test_what_is_sound_and_not_signed_is_refused(self):
        for change in ({"amount": "-12.51 EUR"}, {"account": "bobby"}, {"entry": "14"},
                       {"memo": "x"}, {"operation": "withdraw"}):
            text = receipt.body({**self.fields, **change}) + self.text.splitlines()[-1] + "\n"
            self.refused(text, "the signature is not good")
        other = receipt.sign(self.fields, self.bank.key("alice"))
        self.refused(other, "the signature is not good")

    def test_lines_that_are_none_are_named(self):
        lines = self.text.splitlines(keepends=True)
        self.refused("", "line 1 is not")
        self.refused("\0" * 100, "line 1 is not")
        self.refused("".join(lines[:5]), "line 6 is not")
        self.refused(self.text + self.text, f"line {len(lines) + 1} is not")
        self.refused("".join(lines[:3] + [lines[2]] + lines[3:]), "line 4 is not")
        self.refused(self.text * 10, "is longer than a receipt can be")

    def test_another_certificate_is_named_by_its_fingerprint(self):
        other = self.bank.cert("bob")
        self.refused(self.text, "signed by another certificate (fingerprint "
                     f"{receipt.fingerprint(self.certificate)}); that of {other} is "
                     f"{receipt.fingerprint(other)}", cert=other)

    def test_a_renewed_certificate_of_the_same_key_is_another_one(self):
        renewed = os.path.join(self.bank.folder, "renewed.crt")
        subprocess.run(["openssl", "req", "-x509", "-new", "-key", self.key, "-subj", "/CN=bank",
                        "-days", "9", "-out", renewed], check=True, timeout=60, capture_output=True)
        self.refused(self.text, "signed by another certificate", cert=renewed)
        again = receipt.sign({**self.fields, "certificate": receipt.fingerprint(renewed)}, self.key)
        self.verify(again, cert=renewed)

    def test_files_that_are_none_are_named(self):
        self.refused(self.text, "nowhere cannot be read", cert="nowhere")
        self.refused(self.text, "holds no readable certificate", cert=self.key)
        done = self.bank.pennyctl("receipt", "verify", "nowhere", "--cert", self.certificate,
                                  expect=1)
        self.assertIn("nowhere cannot be read", done.stderr)
        self.refused(self.text, "nowhere", "--journal", "nowhere")

    def test_words_that_are_not_understood_are_usage(self):
        for words in ((), ("verify",), ("sign",), ("verify", "-"), ("verify", "-", "--cert"),
                      ("verify", "-", "x", "--cert", "y"), ("verify", "-", "--cort", "y"),
                      ("-", "--cert", "y"), ("verify", "-", "--cert", "y", "--journal")):
            done = self.bank.pennyctl("receipt", *words, expect=2, input="")
            self.assertIn("usage: pennyctl receipt verify", done.stderr)

    def test_every_field_is_held_against_the_book(self):
        changes = {"operation": ("operation", "withdraw"), "account": ("account", "carol"),
                   "other": ("other", "carol"), "amount": ("amount", "-12.51 EUR"),
                   "balance": ("balance", "0.00 EUR"), "hold": ("hold", "7"), "id": ("id", "a:2"),
                   "memo": ("memo", "two"), "time": ("time", "2026-01-01T00:00:00.000Z"),
                   "batch": ("batch", "1"), "chain": ("chain", "00" * 32)}
        for field, (name, value) in changes.items():
            text = self.with_book(**{name: value})
            self.verify(text)
            self.refused(text, f"the book was rewritten: its entry {self.entry} differs from the "
                         f"receipt in the {field}", "--journal", self.bank.home)

    def test_a_changed_currency_is_told_as_the_amount(self):
        text = self.with_book(amount="-12.50 CHF", balance="37.50 CHF")
        self.refused(text, "in the amount", "--journal", self.bank.home)
        text = self.with_book(amount="-12.500 EUR", balance="37.500 EUR")
        self.refused(text, "in the amount", "--journal", self.bank.home)

    def test_both_sides_are_told_apart(self):
        # What alice paid, told as if she had got it.
        text = self.with_book(amount="12.50 EUR")
        self.refused(text, "differs from the receipt in the account", "--journal", self.bank.home)

    def test_an_entry_that_is_none_here_is_told(self):
        self.refused(self.with_book(bank="00" * 16), "of another book", "--journal",
                     self.bank.home)
        self.refused(self.with_book(entry="3"), "its entry 3 moves no money", "--journal",
                     self.bank.home)
        self.refused(self.with_book(entry="0"), "line 3 is not")
        self.refused(self.with_book(entry=str(self.entry + 1)),
                     f"the book was rolled back: its head is entry {self.entry}, and the receipt "
                     f"is of entry {self.entry + 1}", "--journal", self.bank.home)

    def test_a_damaged_journal_is_told_as_such(self):
        copy = tempfile.mkdtemp(dir=self.bank.folder)
        shutil.copytree(self.bank.path("data"), os.path.join(copy, "data"), symlinks=True)
        batch = journal.batches(os.path.join(copy, "data"))[1]
        journal.flip(batch.path, batch.offset + 200)
        said = self.verify(self.text, "--journal", os.path.join(copy, "data"), expect=1)
        self.assertRegex(said, r"segment 1, offset \d+, batch 2")
