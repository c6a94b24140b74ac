"""pennyctl export: the journal for hledger, which no one here wrote, and as CSV."""

import csv
import io
import os
import re
import subprocess
import tempfile
import unittest
from collections import Counter
from decimal import Decimal

import journal
from bank import Bank, program, run
from busy import BAD_MEMO, balances_of, busy_day, text_of
from clock import ClockBank
from resp import Error

NAMES = ("cash", "shop", "alice", "bob", "till", "admin", "coffee", "summer-trip")
PLACES = {"cash": "assets:cash", "shop": "income:shop", "coffee": "liabilities:funds:coffee"}
CHECKS = ("check", "-s", "ordereddates", "accounts", "commodities")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
USUAL = ("server.refused-per-minute=6000",)


def place_of(name):
    return PLACES.get(name, f"liabilities:members:{name}")


def rows_of(text):
    """The rows of a CSV file, judged as strictly as python can, by the heads of columns."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    heads = next(reader)
    rows = list(reader)
    for row in rows:
        assert len(row) == len(heads), row
    return [dict(zip(heads, row)) for row in rows]


def unescaped(text):
    """Clean text as the bytes that were sent."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m.group(1), 16)]), text.encode())


class Exports(unittest.TestCase):
    def export(self, bank, *words):
        command = [program("pennyctl"), "export", bank.home, *words, "--time-zone", "UTC"]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        return done.stdout.decode()  # As it is, since line ends count.

    def hledger(self, text, *words, expect=0):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".journal",
                                         dir=os.environ.get("PENNY_TMP")) as file:
            file.write(text)
            file.flush()
            environment = dict(os.environ, LC_ALL="C.UTF-8")
            return run(["hledger", "-f", file.name, *words], expect=expect, env=environment).stdout

    def balances(self, text, currency="EUR"):
        """What hledger adds up, with the sign turned back."""
        rows = csv.DictReader(io.StringIO(self.hledger(text, "balance", "--flat", "-N", "-E",
                                                       "-O", "csv")))
        found = Counter()
        for row in rows:
            amount = re.fullmatch(rf"(-?[0-9.]+)(?: {currency})?", row["balance"])
            self.assertTrue(amount, row)
            found[row["account"]] = -Decimal(amount.group(1))
        return found


class BusyDay(Exports):
    """The same random day, exported while the server runs."""

    seed = 20261121

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank(settings=USUAL)
        cls.addClassCleanup(cls.bank.close)
        cls.day = busy_day(cls.bank, cls.seed, 400)
        cls.answers = balances_of(cls.bank, NAMES)

    def test_the_day_is_one_that_shows_something(self):
        for operation in ("deposit", "withdraw", "transfer", "capture", "reverse"):
            self.assertIn(operation, {moved.operation for moved in self.day.moved})
        self.assertGreater(self.day.refused["FUNDS"], 0)
        self.assertGreater(self.day.refused["NOACCT"], 0)
        self.assertGreater(self.day.refused["EXECABORT"], 0)
        self.assertGreater(len(self.day.groups), 0)
        self.assertGreater(self.day.reserved["void"], 0)
        self.assertIn(BAD_MEMO, {moved.memo for moved in self.day.moved})
        for name in NAMES:
            self.assertEqual(self.day.balances[name], self.answers[name], name)

    def test_hledger_accepts_it_and_comes_to_the_same_balances(self):
        text = self.export(self.bank, "--format", "hledger")
        self.hledger(text, *CHECKS)
        found = self.balances(text)
        self.assertEqual({name: found[place_of(name)] * 100 for name in NAMES}, self.answers)
        self.assertEqual(set(found) - {place_of(name) for name in NAMES}, set())

    def test_hledger_would_have_said_so(self):
        text = self.export(self.bank, "--format", "hledger")
        for broken in (text.replace("account income:shop\n", "", 1),
                       text.replace("commodity 1000.00 EUR\n", "", 1),
                       re.sub(r" -(\d+)\.(\d\d) EUR\n", r" -1\1.\2 EUR\n", text, count=1),
                       re.sub(r"\n20", "\n21", text, count=1)):
            self.assertNotEqual(broken, text)
            with self.assertRaises(AssertionError):
                self.hledger(broken, *CHECKS)

    def test_each_movement_is_one_transaction_whatever_its_memo_says(self):
        text = self.export(self.bank, "--format", "hledger")
        rows = list(csv.DictReader(io.StringIO(self.hledger(text, "print", "-O", "csv"))))
        self.assertEqual(len(rows), 2 * len(self.day.moved))
        pairs = zip(self.day.moved, rows[::2], rows[1::2])
        for moved, debit, credit in pairs:
            sides = [(row["code"], row["description"], row["account"], Decimal(row["amount"]))
                     for row in (debit, credit)]
            code = str(moved.entry)
            amount = Decimal(moved.minor) / 100
            self.assertEqual(sides, [(code, moved.operation, place_of(moved.giver), amount),
                                     (code, moved.operation, place_of(moved.taker), -amount)])
        tags = set(self.hledger(text, "tags").split())
        self.assertEqual(tags, {"time", "by", "terminal", "id", "memo", "hold", "reverses",
                                "group"})
        self.assertEqual(set(self.hledger(text, "tags", "by", "--values").split()),
                         {"alice", "bob", "till"})

    def test_csv_has_every_movement_with_the_memo_as_it_was_sent(self):
        text = self.export(self.bank, "--format", "csv")
        rows = rows_of(text)
        moved = [row for row in rows if Decimal(row["moved"])]
        self.assertEqual(
            [(int(row["entry"]), row["operation"], row["from"], row["to"], row["moved"])
             for row in moved],
            [(m.entry, m.operation, m.giver, m.taker, str(Decimal(m.minor).scaleb(-2)))
             for m in self.day.moved])
        for row, one in zip(moved, self.day.moved):
            memo = one.memo if isinstance(one.memo, bytes) else one.memo.encode()
            said = unescaped(row["memo"])
            self.assertEqual(re.sub(rb"(^|;)'(?=[=+@-])", rb"\1", said), memo)
            self.assertEqual((row["status"], row["amount"]), ("ok", row["moved"]))
        words = Counter(row["status"] for row in rows if row["status"] != "ok")
        self.assertEqual(words, +self.day.refused)
        for key, wanted in (("reverses", self.day.reverses), ("group", self.day.groups)):
            self.assertEqual({int(row["entry"]): int(row[key]) for row in moved if row[key]}, wanted)
        operations = Counter(row["operation"] for row in rows if row["status"] == "ok")
        for operation in ("hold", "void"):
            self.assertEqual(operations[operation], self.day.reserved[operation])

    def test_csv_follows_the_balances_entry_by_entry(self):
        balances = Counter()
        for row in rows_of(self.export(self.bank, "--format", "csv")):
            balances[row["from"]] -= Decimal(row["moved"])
            balances[row["to"]] += Decimal(row["moved"])
            self.assertEqual(Decimal(row["from_balance"]), balances[row["from"]], row)
            if row["status"] == "NOACCT":
                self.assertEqual((row["to"], row["to_balance"]), ("nobody", ""))
            else:
                self.assertEqual(Decimal(row["to_balance"]), balances[row["to"]], row)

    def test_no_cell_of_csv_is_a_formula(self):
        text = self.export(self.bank, "--format", "csv")
        self.assertEqual(text.count("\n"), text.count("\r\n"))
        seen = Counter()
        for row in rows_of(text):
            for head, cell in row.items():
                if head in ("amount", "moved", "from_balance", "to_balance"):
                    self.assertRegex(cell, r"^(-?[0-9]+\.[0-9]{2})?$")
                    continue
                self.assertFalse(cell.startswith(FORMULA), (head, cell))
                self.assertIsNone(re.search(r";[=+@-]", cell), cell)
                seen[head, cell[:2]] += 1
        self.assertTrue(seen["id", "'-"] and seen["id", "b"] == 0 and seen["memo", "'="], seen)


class Stopped(unittest.TestCase):
    def test_a_bank_is_named_in_three_ways_and_no_byte_of_it_changes(self):
        with Bank(start=False) as bank:
            def content():
                return {path: open(path, "rb").read() for path in bank.files()}
            before = content()
            for verb, *words in (("export", "--format", "hledger"), ("export", "--format=csv"),
                                 ("statement", "alice"), ("report",), ("report", "--csv")):
                said = set()
                for where in (bank.home, bank.path("pennyd.conf"), bank.path("data")):
                    done = bank.pennyctl(verb, where, *words)
                    self.assertEqual(done.stderr, "")
                    said.add(done.stdout)
                self.assertEqual(len(said), 1)
            self.assertEqual(content().keys(), before.keys())
            self.assertTrue(content() == before)


class OtherMoney(Exports):
    def test_a_currency_with_other_decimals_is_exported_as_exactly(self):
        class Other(Bank):
            def pennyctl(self, *words, **more):
                made = ("--currency", "XTS", "--scale", self.scale) if words[0] == "init" else ()
                return super().pennyctl(*words, *made, **more)
        for scale, amount in (("0", "7"), ("4", "0.0001"), ("3", "1.005")):
            with self.subTest(scale=scale):
                kind = type("Scaled", (Other,), {"scale": scale})
                with kind() as bank, bank.wire("till") as till:
                    self.assertNotIsInstance(till.ask("DEPOSIT", "+", amount, "bob"), Error)
                    had = Decimal(till.ask("BALANCE", "bob").decode())
                    text = self.export(bank, "--format", "hledger")
                    self.hledger(text, *CHECKS)
                    self.assertEqual(self.balances(text, "XTS")[place_of("bob")], had)
                    self.assertEqual(rows_of(self.export(bank, "--format", "csv"))[-1]["moved"],
                                     amount)


class Days(unittest.TestCase):
    def test_from_and_to_are_whole_local_days(self):
        with ClockBank("2037-06-01T00:00:00Z") as bank:
            till = bank.wire("till")
            times = ("2037-06-09T14:59:59.999Z", "2037-06-09T15:00:00Z", "2037-06-10T14:59:59.999Z",
                     "2037-06-10T15:00:00Z")  # Midnight in Tokyo is 15:00 in UTC.
            for minor, moment in enumerate(times, 1):
                bank.set_clock(moment)
                till.ask("DEPOSIT", "+", text_of(minor), "alice")

            def exported(*words):
                done = bank.pennyctl("export", bank.home, "--format", "csv", "--time-zone",
                                     "Asia/Tokyo", *words)
                return [row["moved"] for row in rows_of(done.stdout) if row["person"] == "till"]
            day = "2037-06-10"
            self.assertEqual(exported(), ["0.01", "0.02", "0.03", "0.04"])
            self.assertEqual(exported("--from", day), ["0.02", "0.03", "0.04"])
            self.assertEqual(exported("--to", day), ["0.01", "0.02", "0.03"])
            self.assertEqual(exported("--from", day, "--to", day), ["0.02", "0.03"])
            self.assertEqual(exported("--from", "2037-06-12"), [])
            done = bank.pennyctl("export", bank.home, "--format", "hledger", "--from", day, "--to",
                                 day, "--time-zone", "Asia/Tokyo")
            self.assertIn("; only from 2037-06-10 00:00:00+09:00 up to 2037-06-11 00:00:00+09:00",
                          done.stdout)
            self.assertIn("\n2037-06-10 (17) deposit  ; time:23:59:59.999+09:00, by:till",
                          done.stdout)
            self.assertEqual(done.stdout.count("\n2037"), 2)


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bank = Bank()
        cls.addClassCleanup(cls.bank.close)

    def refused(self, code, *words, **more):
        done = self.bank.pennyctl(*words, expect=code, **more)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_wrong_words_are_told_with_the_usage(self):
        home = self.bank.home
        cases = (((), "which bank"), ((home,), "which format"),
                 ((home, "--format"), "--format needs a value"),
                 ((home, "--format", "xml"), 'no format "xml"'),
                 ((home, "--format", "csv", "--format", "xml"), 'no format "xml"'),
                 ((home, "--format", "csv", "--from", "2026-02-29"), 'no day "2026-02-29"'),
                 ((home, "--format", "csv", "--from", "2026-02-02", "--to", "2026-02-01"),
                  "--from is later than --to"),
                 ((home, "--format", "csv", "--month", "2026-01"), 'no option "--month"'),
                 ((home, "alice", "--format", "csv"), 'what is "alice"'))
        for words, why in cases:
            said = self.refused(2, "export", *words)
            self.assertIn(f"export: {why}", said)
            self.assertIn("usage: pennyctl export DIR|CONFIG --format hledger|csv", said)

    def test_a_bank_that_is_not_there_is_named(self):
        self.assertIn("/nowhere", self.refused(1, "export", "/nowhere", "--format", "csv"))

    def test_an_output_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            command = [program("pennyctl"), "export", self.bank.home, "--format", "csv"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output cannot be written", done.stderr)


class Damaged(unittest.TestCase):
    def setUp(self):
        self.bank = Bank()
        self.addCleanup(self.bank.close)
        with self.bank.wire("alice") as alice:
            for i in range(6):
                alice.ask("TRANSFER", f"paid-{i}", "bob", "1")
        self.bank.kill()
        self.batches = [b for b in journal.batches(self.bank.path("data")) if not b.closing]

    def all_verbs(self):
        return (("export", self.bank.home, "--format", "hledger"),
                ("export", self.bank.home, "--format", "csv"),
                ("statement", self.bank.home, "alice"), ("report", self.bank.home))

    def test_damage_is_told_as_check_tells_it_and_nothing_is_printed(self):
        batch = self.batches[-3]
        journal.flip(batch.path, batch.offset + batch.size // 2)
        told = self.bank.pennyctl("check", self.bank.home, expect=1).stderr
        self.assertIn(f"offset {batch.offset}, batch {batch.seq}", told)
        for words in self.all_verbs():
            done = self.bank.pennyctl(*words, expect=1)
            self.assertEqual((done.stdout, done.stderr), ("", told), words)

    def test_a_torn_tail_is_told_and_left_out(self):
        batch = self.batches[-1]
        journal.flip(batch.path, batch.offset + batch.size - 1)
        checked = self.bank.pennyctl("check", self.bank.home).stdout
        told = "the last batch is not complete and was never acknowledged; a start drops it"
        self.assertIn(told, checked)
        for words in self.all_verbs():
            done = self.bank.pennyctl(*words)
            self.assertEqual(done.stderr, f"pennyctl: {told}\n", words)
            self.assertNotIn("paid-5", done.stdout)
        self.assertIn("paid-4", self.bank.pennyctl(*self.all_verbs()[1]).stdout)


if __name__ == "__main__":
    unittest.main()
