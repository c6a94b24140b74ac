"""RECEIPT and RECEIPT VERIFY, and `pennyctl receipt verify`: what the server signs, who may have
it, and that a book which was rolled back or rewritten is noticed."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import journal
import receipt
from bank import ROOT, Bank, BankTest
from resp import Error, Verbatim, command


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


def info(wire, name):
    found = re.search(rf"^{name}:(\d+)\r?$", wire.ask("INFO").decode(), re.M)
    assert found, f"INFO does not say {name}"
    return int(found.group(1))


def pairs(reply):
    assert not isinstance(reply, Error), reply
    return {name.decode(): value for name, value in zip(reply[::2], reply[1::2])}


class Receipts(BankTest):
    settings = ("server.refused-per-minute=6000",)

    def setUp(self):
        self.alice = self.bank.wire("alice")
        self.bob = self.bank.wire("bob")
        self.till = self.bank.wire("till")
        self.admin = self.bank.wire("admin")
        for wire in (self.alice, self.bob, self.till, self.admin):
            self.addCleanup(wire.close)
        self.certificate = self.bank.path("certs", "server.crt")
        self.key = self.bank.path("certs", "server.key")
        self.alice.ask("DEPOSIT", "+", "20.00")

    def take(self, wire, entry):
        reply = wire.ask("RECEIPT", entry)
        self.assertNotIsInstance(reply, Error, reply)
        text = reply.decode()
        self.assertTrue(receipt.openssl_verifies(text, self.certificate), text)
        return text

    def assert_is(self, text, fields):
        found = receipt.fields(text)
        found.pop("signature")
        self.assertEqual(found, fields)

    def number(self):
        """An id that no other test has."""
        Receipts.count = getattr(Receipts, "count", 0) + 1
        return f"r{Receipts.count}"

    def pay(self, amount="1.00", *more):
        number = self.number()
        return number, entry_of(self.alice.ask("TRANSFER", number, "bob", amount, *more))

    def test_each_side_is_told_its_own(self):
        number, entry = self.pay("12.50", "MEMO", "100% \xe4 round")
        self.assert_is(self.take(self.alice, entry),
                       receipt.expected(self.bank, self.alice, "alice", entry, number))
        self.assert_is(self.take(self.bob, entry),
                       receipt.expected(self.bank, self.bob, "bob", entry, number))

    def test_every_operation_has_one(self):
        said = {}

        def book(operation, wire, *words):
            number = self.number()
            reply = pairs(wire.ask(words[0], number, *words[1:]))
            for name in ("alice", "bob"):
                asker = self.alice if name == "alice" else self.bob
                if operation in ("deposit", "withdraw") and asker is not wire:
                    continue
                text = self.take(asker, reply["entry"])
                fields = receipt.fields(text)
                if operation in ("hold", "void"):
                    wanted = self.of_hold(name, reply, number, fields["amount"])
                else:
                    wanted = receipt.expected(self.bank, asker, name, reply["entry"], number)
                self.assert_is(text, wanted)
                self.assertEqual(fields["operation"], operation)
                said[operation, name] = fields["amount"]
            return reply

        book("deposit", self.alice, "DEPOSIT", "5.00")
        book("withdraw", self.alice, "WITHDRAW", "1.00")
        book("transfer", self.alice, "TRANSFER", "bob", "1.00")
        first = book("hold", self.alice, "HOLD", "bob", "3.00")["hold"]
        book("capture", self.bob, "CAPTURE", first, "2.00")
        second = book("hold", self.alice, "HOLD", "bob", "4.00")["hold"]
        book("void", self.bob, "VOID", second)
        self.assertEqual(said, {
            ("deposit", "alice"): "5.00 EUR", ("withdraw", "alice"): "-1.00 EUR",
            ("transfer", "alice"): "-1.00 EUR", ("transfer", "bob"): "1.00 EUR",
            ("hold", "alice"): "-4.00 EUR", ("hold", "bob"): "4.00 EUR",
            ("capture", "alice"): "-2.00 EUR", ("capture", "bob"): "2.00 EUR",
            ("void", "alice"): "-4.00 EUR", ("void", "bob"): "4.00 EUR"})

    def test_a_reversal_names_what_it_reverses(self):
        entry = entry_of(self.till.ask("DEPOSIT", self.number(), "1.00", "bob"))
        number = self.number()
        back = entry_of(self.till.ask("REVERSE", number, entry))
        text = self.take(self.bob, back)
        self.assert_is(text, receipt.expected(self.bank, self.bob, "bob", back, number))
        fields = receipt.fields(text)
        self.assertEqual((fields["operation"], fields["amount"], fields["reversed"]),
                         ("reverse", "-1.00 EUR", str(entry)))
        self.assertEqual(entry_of(self.bob.ask("RECEIPT", "VERIFY", text)), back)

    def of_hold(self, name, reply, number, amount):
        """What is only reserved is in the statement of the one who gives, and moved nothing."""
        wanted = receipt.expected(self.bank, self.alice, "alice", reply["entry"], number)
        self.assertEqual(wanted["amount"], "0.00 EUR")
        self.assertEqual(wanted["hold"], str(reply["hold"]))
        asker = self.alice if name == "alice" else self.bob
        other = "bob" if name == "alice" else "alice"
        return {**wanted, "account": name, "other": other, "amount": amount,
                "balance": asker.ask("BALANCE").decode() + " EUR"}

    def test_those_who_read_all_are_told_the_side_of_the_first_answer(self):
        number, entry = self.pay()
        self.assert_is(self.take(self.till, entry),
                       receipt.expected(self.bank, self.alice, "alice", entry, number))
        number = self.number()
        entry = entry_of(self.till.ask("DEPOSIT", number, "1.00", "bob"))
        fields = receipt.expected(self.bank, self.bob, "bob", entry, number)
        self.assert_is(self.take(self.till, entry), fields)
        self.assert_is(self.take(self.bob, entry), fields)

    def test_nobody_else_may_have_it(self):
        entry = entry_of(self.till.ask("DEPOSIT", self.number(), "1.00", "bob"))
        self.assert_error(self.alice.ask("RECEIPT", entry), "NOPERM", "an entry of others")
        self.assert_error(self.admin.ask("RECEIPT", entry), "NOPERM", "an entry of others")
        # Nor are others told which entries are no movements.
        self.assert_error(self.alice.ask("RECEIPT", 3), "NOPERM", "an entry of others")
        stranger = self.bank.wire()
        self.assert_error(stranger.ask("RECEIPT", entry), "NOAUTH")
        self.assert_error(stranger.ask("RECEIPT", "VERIFY", "x"), "NOAUTH")

    def test_what_moved_no_money_has_none(self):
        self.assert_error(self.till.ask("RECEIPT", 3), "STATE", "entry 3 is not about money")
        self.assert_error(self.alice.ask("TRANSFER", self.number(), "bob", "99999.00"), "FUNDS")
        head = info(self.alice, "journal_entries")
        for wire in (self.alice, self.till):
            self.assert_error(wire.ask("RECEIPT", head), "STATE",
                              f"entry {head} is a request that was refused")

    def test_words_that_name_no_entry_are_refused(self):
        head = info(self.alice, "journal_entries")
        self.assert_error(self.alice.ask("RECEIPT", head + 1), "ERR", f"no entry {head + 1}")
        self.assert_error(self.alice.ask("RECEIPT", 2 ** 64 - 1), "ERR", "no entry")
        for word in ("0", "-1", "x", "1.0", "", "007", "18446744073709551616", "VERIFY"):
            self.assert_error(self.alice.ask("RECEIPT", word), "ERR", "named by its number")
        self.assert_error(self.alice.ask("RECEIPT", "SIGN", "x"), "ERR", "syntax")
        self.assert_error(self.alice.ask("RECEIPT"), "ERR", "wrong number of arguments")
        self.assert_error(self.alice.ask("RECEIPT", 1, 2, 3), "ERR", "wrong number of arguments")

    def test_both_protocols_carry_it(self):
        _, entry = self.pay()
        text = self.take(self.alice, entry)
        with self.bank.wire("alice", protocol=3) as wire:
            reply = wire.ask("RECEIPT", entry)
            self.assertIsInstance(reply, Verbatim)
            self.assertEqual((reply.decode(), reply.format), (text, "txt"))
            said = wire.ask("RECEIPT", "VERIFY", text)
            self.assertIsInstance(said, dict)
        flat = self.alice.ask("RECEIPT", "VERIFY", text)
        self.assertEqual(list(said.items()), list(zip(flat[::2], flat[1::2])))
        client = self.bank.client("alice")
        self.assertEqual(client.execute_command("RECEIPT", entry).decode(), text)
        self.assertEqual(client.execute_command("RECEIPT", "VERIFY", text), flat)
        self.assertIn(text.strip(), self.bank.penny("RECEIPT", str(entry)).stdout)

    def test_the_operators_tool_agrees(self):
        _, entry = self.pay()
        path = os.path.join(self.bank.folder, "receipt.txt")
        with open(path, "w", encoding="ascii") as out:
            out.write(self.take(self.alice, entry))
        self.bank.pennyctl("receipt", "verify", path, "--cert", self.certificate, "--journal",
                           self.bank.home)

    def test_one_is_told_in_the_order_of_requests(self):
        number = self.number()
        head = info(self.alice, "journal_entries")
        self.alice.send(command("TRANSFER", number, "bob", "1.00") + command("RECEIPT", head + 1) +
                        command("BALANCE") + command("RECEIPT", 3) +
                        command("TRANSFER", self.number(), "bob", "1.00"))
        self.assertEqual(entry_of(self.alice.reply()), head + 1)
        self.assertEqual(receipt.fields(self.alice.reply().decode())["entry"], str(head + 1))
        self.assertIsInstance(self.alice.reply(), bytes)
        self.assert_error(self.alice.reply(), "NOPERM")
        self.assertEqual(entry_of(self.alice.reply()), head + 2)

    def test_a_group_queues_none(self):
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        self.assertIsInstance(self.alice.ask("RECEIPT", 3), Error)
        self.assert_error(self.alice.ask("EXEC"), "EXECABORT")

    def test_many_at_once_are_all_answered(self):
        entries = [self.pay()[1] for _ in range(8)]
        wires = [self.bank.wire("alice") for _ in range(12)]
        for wire in wires:
            self.addCleanup(wire.close)
            wire.send(b"".join(command("RECEIPT", entry) for entry in entries))
        for wire in wires:
            texts = [wire.reply().decode() for _ in entries]
            self.assertEqual([receipt.fields(text)["entry"] for text in texts],
                             [str(entry) for entry in entries])
        for wire in wires:
            wire.send(b"".join(command("RECEIPT", "VERIFY", text) for text in texts))
        for wire in wires:
            for entry in entries:
                self.assertEqual(entry_of(wire.reply()), entry)

    def test_those_who_leave_meanwhile_harm_nobody(self):
        _, entry = self.pay()
        text = self.take(self.alice, entry)
        for _ in range(20):
            wire = self.bank.wire("alice")
            wire.send(command("RECEIPT", entry) + command("RECEIPT", "VERIFY", text))
            wire.close()
        self.take(self.alice, entry)

    def test_a_sound_one_is_told_what_it_says(self):
        number, entry = self.pay("2.50")
        text = self.take(self.alice, entry)
        fields = receipt.fields(text)
        wanted = {"entry": entry, "time": fields["time"].encode(), "operation": b"transfer",
                  "account": b"alice", "other": b"bob", "amount": b"-2.50",
                  "balance": fields["balance"].split()[0].encode()}
        for asker in (self.alice, self.bob, self.till, self.admin):
            self.assertEqual(pairs(asker.ask("RECEIPT", "VERIFY", text)), wanted)
        pasted = "\r\n" + text.replace("\n", " \r\n") + "\r\n\r\n"
        self.assertEqual(pairs(self.alice.ask("RECEIPT", "verify", pasted)), wanted)
        self.assertEqual(pairs(self.alice.ask("RECEIPT", "VERIFY", text[:-1])), wanted)

    def test_who_did_not_get_it_from_here_raises_no_alarm(self):
        _, entry = self.pay("3.00")
        text = self.take(self.alice, entry)
        for place in range(len(text)):
            broken = bytearray(text.encode())
            broken[place] ^= 1
            self.assert_error(self.bob.ask("RECEIPT", "VERIFY", bytes(broken)), "ERR")
        lines = text.splitlines(keepends=True)
        self.assert_error(self.bob.ask("RECEIPT", "VERIFY", "".join(lines[1:])), "ERR", "line 1 ")
        self.assert_error(self.bob.ask("RECEIPT", "VERIFY", ""), "ERR", "line 1 ")
        self.assert_error(self.bob.ask("RECEIPT", "VERIFY", "x" * 4097), "ERR", "longer than")
        self.assert_error(self.bob.ask("RECEIPT", "VERIFY", "\n" * 4096), "ERR", "line 1 ")
        newer = receipt.changed(text, self.bank.key("bob"), entry=str(entry + 1000))
        self.assert_error(self.bob.ask("RECEIPT", "VERIFY", newer), "ERR",
                          "the signature is not good")
        other = receipt.fingerprint(self.bank.cert("bob"))
        newer = receipt.changed(text, self.bank.key("bob"), entry=str(entry + 1000),
                                certificate=other)
        self.assert_error(self.bob.ask("RECEIPT", "VERIFY", newer), "ERR",
                          f"signed by another certificate (fingerprint {other})")
        self.assertEqual(info(self.alice, "receipt_alarms"), 0)
        self.assertNotIn("receipt alarm", self.bank.log())


class Alarms(unittest.TestCase):
    """Books that are not what the server once signed."""

    def bank_of(self, **more):
        bank = Bank(**more)
        self.addCleanup(bank.close)
        return bank

    def transfer(self, bank, number, amount):
        """The text of a receipt of a payment that is made now."""
        wire = bank.wire("alice")
        return wire.ask("RECEIPT", entry_of(wire.ask("TRANSFER", number, "bob", amount))).decode()

    def assert_alarm(self, bank, text, alarms, *parts):
        reply = bank.wire("bob").ask("RECEIPT", "VERIFY", text)
        self.assertIsInstance(reply, Error, reply)
        self.assertEqual(reply.word, "STATE", reply.line)
        for part in (*parts, "an alarm was raised"):
            self.assertIn(part, reply.text)
        self.assertEqual(info(bank.wire("alice"), "receipt_alarms"), alarms)
        lines = [line for line in bank.log().splitlines() if "receipt alarm" in line]
        self.assertEqual(len(lines), alarms, lines)
        self.assertRegex(lines[-1], r"^\S+ error receipt alarm .*person bob")
        self.assertIn(f"entry {receipt.fields(text)['entry']} ", lines[-1])

    def verify(self, bank, text, expect=1):
        done = bank.pennyctl("receipt", "verify", "-", "--cert", bank.path("certs", "server.crt"),
                             "--journal", bank.home, input=text, expect=expect)
        return done.stderr

    def test_a_book_that_was_rolled_back_is_noticed(self):
        bank = self.bank_of()
        first = self.transfer(bank, "n1", "1.00")
        bank.stop()
        shutil.copytree(bank.path("data"), bank.path("copy"), symlinks=True)
        bank.start()
        second = self.transfer(bank, "n2", "2.00")
        third = self.transfer(bank, "n3", "3.00")
        bank.stop()
        shutil.rmtree(bank.path("data"))
        os.rename(bank.path("copy"), bank.path("data"))
        bank.start()
        entry = int(receipt.fields(first)["entry"])
        self.assertEqual(info(bank.wire("alice"), "receipt_alarms"), 0)
        self.assertEqual(entry_of(bank.wire("alice").ask("RECEIPT", "VERIFY", first)), entry)
        self.assertIn(f"its head is entry {entry}, and the receipt is of entry {entry + 2}",
                      self.verify(bank, third))
        self.assert_alarm(bank, third, 1, "the book was rolled back",
                          f"the receipt of entry {entry + 2}, and the book ends at entry {entry};")
        self.assert_alarm(bank, second, 2, "rolled back", f"entry {entry + 1},")
        self.assertEqual(info(bank.wire("alice"), "receipt_alarm_entry"), entry + 2)
        # The book goes on, with other payments under the same numbers.
        self.transfer(bank, "n4", "4.00")
        self.transfer(bank, "n5", "3.00")
        self.assertIn(f"its entry {entry + 1} differs from the receipt in the amount",
                      self.verify(bank, second))
        self.assert_alarm(bank, second, 3, "the book was rewritten", "another amount")
        self.assert_alarm(bank, third, 4, "the book was rewritten", "another balance")
        self.verify(bank, first, expect=0)
        self.assertEqual(info(bank.wire("alice"), "receipt_alarms"), 4)
        self.assertEqual(info(bank.wire("alice"), "receipt_alarm_entry"), entry + 2)

    def test_the_same_payment_in_another_batch_is_not_the_same(self):
        bank = self.bank_of()
        text = self.transfer(bank, "n1", "1.00")
        key = bank.path("certs", "server.key")
        self.assert_alarm(bank, receipt.changed(text, key, chain="5a" * 32), 1, "another chain")
        self.assert_alarm(bank, receipt.changed(text, key, batch="1"), 2, "another batch")
        self.assert_alarm(bank, receipt.changed(text, key, time="2026-01-01T00:00:00.000Z"), 3,
                          "another time")
        self.assert_alarm(bank, receipt.changed(text, key, id="n2"), 4, "another id")
        self.assert_alarm(bank, receipt.changed(text, key, account="till"), 5, "another account")
        self.assert_alarm(bank, receipt.changed(text, key, amount="1.00 EUR"), 6,
                          "another account")
        self.assert_alarm(bank, receipt.changed(text, key, bank="5a" * 16), 7, "another bank")
        self.assert_alarm(bank, receipt.changed(text, key, entry="3"), 8, "another operation")

    def test_a_new_book_under_the_old_key_is_noticed(self):
        bank = self.bank_of()
        text = self.transfer(bank, "n1", "1.00")
        bank.stop()
        shutil.rmtree(bank.path("data"))
        other = self.bank_of(start=False)
        shutil.copytree(other.path("data"), bank.path("data"), symlinks=True)
        bank.passwords = other.passwords
        bank.start()
        self.assertIn("of another book", self.verify(bank, text))
        self.assert_alarm(bank, text, 1, "another bank")

    def test_receipts_outlive_a_kill_and_a_checkpoint(self):
        bank = self.bank_of()
        text = self.transfer(bank, "n1", "1.00")
        bank.kill()
        bank.start()
        bank.wire("admin").ask("CHECKPOINT")
        entry = int(receipt.fields(text)["entry"])
        self.assertEqual(entry_of(bank.wire("alice").ask("RECEIPT", "VERIFY", text)), entry)
        again = bank.wire("alice").ask("RECEIPT", entry).decode()
        self.assertEqual(receipt.body(receipt.fields(again)), receipt.body(receipt.fields(text)))

    def test_a_server_with_an_rsa_certificate_signs_too(self):
        bank = self.bank_of(start=False)
        certs = bank.path("certs")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        "server.key", "-out", "server.crt", "-CA", "ca.crt", "-CAkey", "ca.key",
                        "-subj", "/CN=localhost", "-days", "9", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext",
                        "extendedKeyUsage=serverAuth", "-addext",
                        "basicConstraints=critical,CA:FALSE"], cwd=certs, check=True, timeout=60,
                       capture_output=True)
        bank.start()
        text = self.transfer(bank, "n1", "1.00")
        entry = int(receipt.fields(text)["entry"])
        self.assertEqual(entry_of(bank.wire("bob").ask("RECEIPT", "VERIFY", text)), entry)
        self.verify(bank, text, expect=0)
        newer = receipt.changed(text, bank.path("certs", "server.key"), entry=str(entry + 1))
        reply = bank.wire("bob").ask("RECEIPT", "VERIFY", newer)
        self.assertIn("the signature is not good", reply.text)  # openssl signs without PSS.

    def test_without_randomness_nothing_is_signed(self):
        bank = self.bank_of(start=False)
        library = os.path.join(bank.folder, "fail_random.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library,
                        os.path.join(ROOT, "tests", "lib", "fail_random.c")], check=True,
                       timeout=60)
        flag = os.path.join(bank.folder, "fail")
        os.environ["FAIL_RANDOM"] = flag
        self.addCleanup(os.environ.pop, "FAIL_RANDOM")
        bank.start(preload=library)
        wire = bank.wire("alice")
        entry = entry_of(wire.ask("TRANSFER", "n1", "bob", "1.00"))
        with open(flag, "w", encoding="ascii"):
            pass
        reply = wire.ask("RECEIPT", entry)
        self.assertIsInstance(reply, Error)
        self.assertEqual(reply.word, "BUSY")
        os.remove(flag)
        self.assertIn(b"signature: ", wire.ask("RECEIPT", entry))
