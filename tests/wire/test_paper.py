"""pennyctl statement and report: what a treasurer prints, and the local time that is on it."""

import csv
import io
import os
import re
import subprocess
import tempfile
import unicodedata
import unittest
import zoneinfo
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from bank import Bank, program
from busy import balances_of, busy_day, text_of
from clock import ClockBank, ms_of
from resp import Error

NAMES = ("cash", "shop", "alice", "bob", "till", "admin", "coffee", "summer-trip")
BERLIN = "Europe/Berlin"
USUAL = ("server.refused-per-minute=6000",)
CHARACTER = re.compile(r"\\x([0-9a-f]{2})")


def columns_of(text):
    wide = {"W": 2, "F": 2}
    return sum(0 if unicodedata.combining(c) else wide.get(unicodedata.east_asian_width(c), 1)
               for c in text)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def dictionary(reply):
    return dict(zip((key.decode() for key in reply[::2]), reply[1::2]))


class Papers(unittest.TestCase):
    def print(self, bank, verb, *words, zone=BERLIN, **more):
        zone = () if zone is None else ("--time-zone", zone)
        return bank.pennyctl(verb, bank.home, *words, *zone, **more).stdout

    def assert_on_paper(self, text):
        """80 columns, 60 lines, no control byte but the form feeds, a title on each page."""
        pages = text.split("\f")
        title = pages[0].split("  ")[0]
        for number, page in enumerate(pages, 1):
            lines = page.split("\n")
            self.assertEqual(lines.pop(), "")
            self.assertLessEqual(len(lines), 60)
            self.assertRegex(lines[0], rf"^{re.escape(title)} .*page {number}$")
            for line in lines:
                self.assertLessEqual(columns_of(line), 80, line)
                self.assertTrue(line.isprintable(), repr(line))
        return pages


class BusyDay(Papers):
    """The same random day on paper, in words and as CSV, while the server runs."""

    seed = 20261122

    @classmethod
    def setUpClass(cls):
        cls.bank = ClockBank("2037-05-31T12:00:00Z", settings=USUAL)
        cls.addClassCleanup(cls.bank.close)
        cls.bank.set_clock("2037-06-01T12:00:00Z")
        cls.day = busy_day(cls.bank, cls.seed, 300)
        cls.answers = balances_of(cls.bank, NAMES)

    def statement_over_the_wire(self, name):
        """Every entry of the account, oldest first, as STATEMENT has it."""
        found = []
        with self.bank.wire("alice" if name == "alice" else "bob") as wire:
            before = 2 ** 62
            while True:
                page = [dictionary(row) for row in wire.ask("STATEMENT", "COUNT", "50", "BEFORE",
                                                            before)]
                if not page:
                    return found[::-1]
                found += page
                before = page[-1]["entry"]

    def test_a_statement_is_what_the_bank_says_over_the_wire(self):
        for name in ("alice", "bob"):
            wanted = self.statement_over_the_wire(name)
            rows = rows_of(self.print(self.bank, "statement", name, "--month", "2037-06", "--csv",
                                      zone="UTC"))
            self.assertEqual((rows[0]["operation"], rows[-1]["operation"]), ("opening", "closing"))
            self.assertEqual(rows[0]["time"], "2037-06-01T00:00:00.000+00:00")
            self.assertEqual(rows[-1]["time"], "2037-07-01T00:00:00.000+00:00")
            self.assertEqual(rows[0]["balance"], wanted[0]["balance"].decode())  # The demo's.
            self.assertEqual(Decimal(rows[-1]["balance"]) * 100, self.answers[name])
            for row, one in zip(rows[1:-1], wanted[1:], strict=True):
                self.assertEqual(int(row["entry"]), one["entry"])
                for key in ("operation", "amount", "balance", "account"):
                    self.assertEqual(row[key], one[key].decode(), key)
                self.assertEqual(row["time"].replace("+00:00", "Z"), one["time"].decode())
                self.assertEqual(row["hold"], str(one.get("hold", "")))
                self.assertEqual(row["reverses"], str(self.day.reverses.get(one["entry"], "")))

    def test_a_statement_on_paper_adds_up(self):
        text = self.print(self.bank, "statement", "alice", "--month", "2037-06")
        self.assertGreater(len(self.assert_on_paper(text)), 1)
        entry = re.compile(r"^2037-06-01 14:00:00\+02:00 +(\d+) (\w+) +(-?[\d.]+) +(-?[\d.]+)$", re.M)
        found = entry.findall(text)
        wanted = [one for one in self.statement_over_the_wire("alice")][1:]
        self.assertEqual(found, [(str(one["entry"]), one["operation"].decode(),
                                  one["amount"].decode(), one["balance"].decode())
                                 for one in wanted])
        for entry, reversed_entry in self.day.reverses.items():
            if str(entry) in {one[0] for one in found}:
                self.assertRegex(text, rf" {entry} reverse .*\n    (to|from) cash, "
                                       rf"reverses entry {reversed_entry}\n")
        moved = [m for m in self.day.moved[2:] if "alice" in (m.giver, m.taker)]
        paid_in = sum(m.minor for m in moved if m.taker == "alice")
        paid_out = sum(m.minor for m in moved if m.giver == "alice")
        sums = text[text.rindex("\nopening "):].split()
        entries_in = str(sum(m.taker == "alice" for m in moved))
        entries_out = str(sum(m.giver == "alice" for m in moved))
        self.assertEqual(sums, ["opening", "50.00", "in", entries_in, "entries",
                                f"{Decimal(paid_in).scaleb(-2)}", "out", entries_out, "entries",
                                f"{Decimal(-paid_out).scaleb(-2)}", "closing",
                                f"{Decimal(5000 + paid_in - paid_out).scaleb(-2)}"])

    def test_memos_stand_on_paper_whole_and_harmless(self):
        text = self.print(self.bank, "statement", "alice", "--month", "2037-06")
        text += self.print(self.bank, "statement", "bob", "--month", "2037-06")
        for memo in {m.memo for m in self.day.moved if isinstance(m.memo, str) and m.memo}:
            if set(memo) & set("\\\u202e\u2028\u0085"):
                self.assertNotIn(memo, text)
            else:
                self.assertIn(f": {memo}\n", text)
        self.assertIn(r"a\xe2\x80\xaeb\xe2\x80\xa8c\xc2\x85d", text)
        self.assertIn(r"\xff\xfe not UTF-8 \xc3", text)

    def test_a_report_is_what_happened(self):
        text = self.print(self.bank, "report", "--month", "2037-06")
        self.assert_on_paper(text)
        now = self.day.moved[2:]
        times = Counter(m.operation for m in now)
        paid_in = [m.minor for m in now if m.giver == "cash"]
        paid_out = [m.minor for m in now if m.taker == "cash"]

        def money(minor):
            return str(Decimal(minor).scaleb(-2))

        def line(*words):
            self.assertRegex(text, "(?m)^ *" + " +".join(re.escape(w) for w in words) + "$")
        line("at the beginning", "70.00")
        line("paid in", f"{len(paid_in)} times", money(sum(paid_in)))
        line("paid out", f"{len(paid_out)} times", money(-sum(paid_out)))
        line("expected at the end", money(-self.answers["cash"]))
        for operation in ("deposit", "withdraw", "transfer", "capture", "reverse"):
            minor = sum(m.minor for m in now if m.operation == operation)
            line(operation, f"{times[operation]} times", money(minor))
        for operation in ("hold", "void"):
            line(operation, f"{self.day.reserved[operation]} times", "0.00")
        words = ("FUNDS", "NOACCT", "STATE", "EXECABORT")
        self.assertEqual(set(+self.day.refused), set(words))
        line("all that moved money", f"{len(now)} times")
        line("refused", f"{sum(self.day.refused.values())} times")
        for word in words:
            line(word, f"{self.day.refused[word]} times")
        self.assertEqual(text.count(", agrees\n"), 4)
        self.assertNotIn("NOT AGREE", text)
        together = -self.answers["cash"]
        self.assertEqual(text.count(f"    {money(together)} = {money(together)}\n"), 3)
        self.assertIn("    70.00 = 70.00\n", text)

    def test_a_report_as_csv_has_every_account_and_sums_to_zero(self):
        rows = rows_of(self.print(self.bank, "report", "--month", "2037-06", "--csv"))
        self.assertEqual({row["account"]: row["kind"] for row in rows},
                         {"cash": "cash", "shop": "shop", "coffee": "fund", **dict.fromkeys(
                             ("alice", "bob", "till", "admin", "summer-trip"), "member")})
        opening = {"cash": -7000, "alice": 5000, "bob": 2000}
        for row in rows:
            name = row["account"]
            now = [m for m in self.day.moved[2:] if name in (m.giver, m.taker)]
            self.assertEqual(
                [Decimal(row[key]) * 100 for key in ("opening", "in", "out", "closing")],
                [opening.get(name, 0), sum(m.minor for m in now if m.taker == name),
                 sum(m.minor for m in now if m.giver == name), self.answers[name]], name)
            self.assertEqual(int(row["entries"]), len(now))
        for key in ("opening", "closing"):
            self.assertEqual(sum(Decimal(row[key]) for row in rows), 0)

    def test_a_month_in_which_nobody_moved_money_has_balances_all_the_same(self):
        text = self.print(self.bank, "statement", "alice", "--month", "2037-07")
        self.assert_on_paper(text)
        balance = f"{Decimal(self.answers['alice']).scaleb(-2)}"
        self.assertEqual(re.findall(r"(?m)^(opening|in|out|closing) +(\S+)$", text),
                         [("opening", balance), ("opening", balance), ("in", "0.00"),
                          ("out", "0.00"), ("closing", balance)])
        text = self.print(self.bank, "report", "--month", "2037-07")
        drawer = f"{Decimal(-self.answers['cash']).scaleb(-2)}"
        self.assertRegex(text, rf"at the beginning +{drawer}\n.* 0 times .*\n.* 0 times .*\n"
                               rf"  expected at the end +{drawer}\n")
        self.assertIn("refused                       0 times\n", text)

    def test_before_the_bank_there_was_nothing(self):
        text = self.print(self.bank, "statement", "alice", "--month", "1970-01")
        self.assertRegex(text, r"(?m)^closing +0\.00$")
        text = self.print(self.bank, "report", "--month", "2001-02")
        self.assertRegex(text, r"expected at the end +0\.00\n")
        self.assertIn("\n5 without money or movement\n", text)  # Of the members.
        self.assertIn("\n1 without money or movement\n", text)  # Of the funds.
        text = self.print(self.bank, "report", "--month", "9999-12")
        self.assertIn("9999-12-01 00:00:00+01:00 to 10000-01-01 00:00:00+01:00\n", text)

    def test_the_month_is_the_present_one_unless_another_is_named(self):
        text = self.print(self.bank, "statement", "alice")
        self.assertEqual(text.split("\n")[0].split("  ")[0], "Statement of alice for 2037-06")
        self.assertIn("; the month is not over\n", text)
        # In Honolulu it is still the same day, but the first of June began ten hours later.
        text = self.print(self.bank, "report", zone="Pacific/Honolulu")
        self.assertIn("2037-06-01 00:00:00-10:00 to 2037-07-01 00:00:00-10:00\n", text)
        text = self.print(self.bank, "report", "--month", "2037-05")
        self.assertNotIn("not over", text)

    def test_the_books_own_accounts_have_statements_too(self):
        text = self.print(self.bank, "statement", "cash", "--month", "2037-06")
        self.assertRegex(text, rf"(?m)^closing +{Decimal(self.answers['cash']).scaleb(-2)}$")
        text = self.print(self.bank, "statement", "coffee", "--month", "2037-06", "--csv")
        self.assertEqual(Decimal(rows_of(text)[-1]["balance"]) * 100, self.answers["coffee"])


class LocalTime(Papers):
    """Days end at midnight where the club is."""

    def rows(self, bank, name, month, zone=BERLIN):
        rows = rows_of(self.print(bank, "statement", name, "--month", month, "--csv", zone=zone))
        return [(row["time"], row["amount"]) for row in rows[1:-1] if row["operation"] != "opening"]

    def test_a_month_begins_and_ends_at_local_midnight(self):
        with ClockBank("2037-10-20T12:00:00Z") as bank:
            till = bank.wire("till")
            # Midnight in Berlin is 23:00 in UTC in winter.
            times = ("2037-10-31T22:59:59.999Z", "2037-10-31T23:00:00Z", "2037-11-30T22:59:59.999Z",
                     "2037-11-30T23:00:00Z")
            for minor, moment in enumerate(times, 1):
                bank.set_clock(moment)
                self.assertNotIsInstance(till.ask("DEPOSIT", "+", text_of(minor), "till"), Error)
            self.assertEqual(self.rows(bank, "till", "2037-10"),
                             [("2037-10-31T23:59:59.999+01:00", "0.01")])
            self.assertEqual(self.rows(bank, "till", "2037-11"),
                             [("2037-11-01T00:00:00.000+01:00", "0.02"),
                              ("2037-11-30T23:59:59.999+01:00", "0.03")])
            self.assertEqual(self.rows(bank, "till", "2037-12"),
                             [("2037-12-01T00:00:00.000+01:00", "0.04")])
            self.assertEqual([amount for _, amount in self.rows(bank, "till", "2037-11", "UTC")],
                             ["0.03", "0.04"])
            self.assertEqual(len(self.rows(bank, "till", "2037-10", "America/New_York")), 2)

    def nights(self, year):
        """The moments of that year at which Berlin's clock is set, by python's own reading."""
        zone = zoneinfo.ZoneInfo(BERLIN)
        hour = datetime(year, 1, 1, tzinfo=timezone.utc)
        found = []
        while hour.year == year:
            after = hour + timedelta(hours=1)
            if hour.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
                found.append(after)
            hour = after
        return found

    def test_both_nights_of_daylight_saving(self):
        zone = zoneinfo.ZoneInfo(BERLIN)
        spring, autumn = self.nights(2037)
        quarters = [timedelta(minutes=15 * n) for n in range(-8, 9)]
        with ClockBank((spring - timedelta(days=1)).isoformat()) as bank:
            till = bank.wire("till")
            for night in (spring, autumn):
                for step in quarters:
                    bank.set_clock((night + step).isoformat())
                    reply = till.ask("DEPOSIT", "+", "0.01", "till")
                    self.assertNotIsInstance(reply, Error)
                found = [moment for moment, _ in self.rows(bank, "till", f"2037-{night.month:02}")]
                wanted = [(night + step).astimezone(zone) for step in quarters]
                self.assertEqual(found, [one.isoformat(timespec="milliseconds") for one in wanted])
                # In spring 02:30 is never, in autumn twice.
                half = [moment[-6:] for moment in found if "T02:30" in moment]
                self.assertEqual(half, [] if night is spring else ["+02:00", "+01:00"])
                text = self.print(bank, "statement", "till", "--month", f"2037-{night.month:02}")
                for one in wanted:
                    self.assertIn(f"\n{one.isoformat(sep=' ')} ", text)
            exported = self.print(bank, "export", "--format", "hledger")
            clocks = re.findall(r"time:02:30:00.000(\S+), by:till", exported)
            self.assertEqual(clocks, ["+02:00", "+01:00"])
            with tempfile.NamedTemporaryFile("w", suffix=".journal",
                                             dir=os.environ.get("PENNY_TMP")) as file:
                file.write(exported)
                file.flush()
                subprocess.run(["hledger", "-f", file.name, "check", "-s", "ordereddates"],
                               check=True, timeout=60, stdout=subprocess.DEVNULL)

    def test_the_zone_is_the_options_then_the_configurations_then_the_systems(self):
        def set_zone(line):
            path = bank.path("pennyd.conf")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertIn("\n#time-zone = \n", text)
            with open(bank.path("zoned.conf"), "w", encoding="utf-8") as file:
                file.write(text.replace("\n#time-zone = \n", f"\n{line}\n"))
            return bank.path("zoned.conf")

        def heading(where, *words, **environment):
            env = {k: v for k, v in os.environ.items() if k not in ("TZ", "TZDIR")}
            done = bank.pennyctl("report", where, "--month", "2026-11", *words,
                                 env=dict(env, **environment))
            return done.stdout.split("\n")[1:3]

        with Bank() as bank:
            zoned = set_zone("time-zone = Asia/Kathmandu")
            self.assertEqual(heading(zoned), ["2026-11-01 00:00:00+05:45 to 2026-12-01 "
                                              "00:00:00+05:45", "Asia/Kathmandu, amounts in EUR" +
                                              self.over("2026-12-01")])
            self.assertIn("Asia/Kathmandu", heading(zoned, TZ="Europe/Berlin")[1])
            self.assertIn("Europe/Berlin", heading(zoned, "--time-zone", BERLIN)[1])
            self.assertIn("Europe/Berlin", heading(bank.home, TZ="Europe/Berlin")[1])
            self.assertIn("Europe/Berlin", heading(bank.path("data"), TZ=":Europe/Berlin")[1])
            self.assertIn("UTC", heading(bank.path("data"), "--time-zone", "UTC")[1])
            self.assertIn("+00:00 to", heading(bank.home, TZ="")[0])
            done = bank.pennyctl("report", set_zone("time-zone = ../UTC"), expect=1)
            self.assertIn('time-zone cannot be "../UTC"; it takes a name such as Europe/Berlin',
                          done.stderr)
            checked = subprocess.run([program("pennyd"), "-t", bank.path("zoned.conf")], text=True,
                                     capture_output=True, check=False, timeout=60)
            self.assertEqual(checked.returncode, 1)
            self.assertIn('time-zone cannot be "../UTC"', checked.stderr)

    def over(self, day):
        return "; the month is not over" if ms_of(f"{day}T00:00:00Z") > \
            datetime.now(timezone.utc).timestamp() * 1000 else ""

    def test_what_is_no_zone_is_refused_and_never_taken_for_utc(self):
        with Bank(start=False) as bank:
            for name in ("Europe/Berlni", ":/etc/passwd", "/etc/passwd", "../../etc/passwd", "Mars",
                         "CET-1CEST", "Europe", "right/UTC", "posixrules/", "\x1b[2J", "ä"):
                for words in (("report",), ("statement", "alice"), ("export", "--format", "csv")):
                    done = bank.pennyctl(words[0], bank.home, *words[1:], "--time-zone", name,
                                         expect=1)
                    self.assertEqual(done.stdout, "")
                    self.assertIn("is no time zone", done.stderr)
                    self.assertTrue(done.stderr[:-1].isprintable(), repr(done.stderr))
            done = bank.pennyctl("report", bank.home, expect=1, env=dict(os.environ, TZ="Mars"))
            self.assertIn("TZ says so; --time-zone NAME overrides it", done.stderr)
            bare = dict(os.environ, TZDIR=bank.path("no-zones"))
            done = bank.pennyctl("report", bank.home, "--time-zone", BERLIN, expect=1, env=bare)
            self.assertIn("install tzdata, or take --time-zone UTC", done.stderr)
            done = bank.pennyctl("report", bank.home, "--time-zone", "UTC", env=bare)
            self.assertIn("\nUTC, amounts in EUR", done.stdout)


class Refusals(Papers):
    @classmethod
    def setUpClass(cls):
        cls.bank = Bank(start=False)
        cls.addClassCleanup(cls.bank.close)

    def refused(self, code, *words):
        done = self.bank.pennyctl(*words, expect=code)
        self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1), done.stderr)
        return done.stderr

    def test_an_account_that_is_not_there_is_named(self):
        for name in ("nobody", "Alice", "", "a b", "x" * 200, "\x1b[2J"):
            said = self.refused(1, "statement", self.bank.home, name)
            self.assertTrue(said.startswith('pennyctl: there is no account "'), said)
            self.assertTrue(said[:-1].isprintable(), repr(said))

    def test_wrong_words_are_told_with_the_usage(self):
        home = self.bank.home
        for month in ("2026-13", "2026-00", "2026", "november", "", "2026-11-01"):
            said = self.refused(2, "statement", home, "alice", "--month", month)
            self.assertIn(f'statement: no month "{month}"; one is written as 2026-11; '
                          "usage: pennyctl statement DIR|CONFIG NAME", said)
            self.assertIn(f'report: no month "{month}"',
                          self.refused(2, "report", home, "--month", month))
        for words, why in ((("statement",), "which bank"), (("statement", home), "which account"),
                           (("report",), "which bank"), (("report", home, "alice"), "what is"),
                           (("report", home, "--csv=yes"), "--csv takes no value"),
                           (("report", home, "--month"), "--month needs a value"),
                           (("report", home, "--format", "csv"), "no option"),
                           (("statement", home, "alice", "bob"), "what is")):
            self.assertIn(f"{words[0]}: {why}", self.refused(2, *words))

    def test_every_verb_has_its_help(self):
        for verb in ("export", "statement", "report"):
            text = self.bank.pennyctl(verb, "--help").stdout
            self.assertTrue(text.startswith(f"usage: pennyctl {verb} DIR|CONFIG"), text)
            self.assertIn(f"\n  pennyctl {verb} ", self.bank.pennyctl("--help").stdout)


class LargeNumbers(Papers):
    def test_numbers_that_no_club_has_stay_on_the_paper(self):
        with Bank() as bank, bank.wire("till") as till:
            for _ in range(12):
                reply = till.ask("DEPOSIT", "+", "10000000000000.00", "bob")
                self.assertNotIsInstance(reply, Error)
            text = self.print(bank, "statement", "bob")
            self.assert_on_paper(text)
            self.assertRegex(text, r"(?m) deposit 10000000000000\.00\n {62}120000000000020\.00$")
            text = self.print(bank, "report")
            self.assert_on_paper(text)
            self.assertRegex(text, r"\nbob\n +0\.00 +120000000000020\.00 +0\.00 +"
                                   r"120000000000020\.00\n")

    def test_a_long_memo_goes_on_in_further_lines(self):
        memos = (b"\xff" * 63, "wir haben einen sehr langen Grund, und er passt nicht ganz".encode(),
                 "\u65e5\u672c\u8a9e".encode() * 7, b"x" * 63)
        shown = (r"\xff" * 63, *(memo.decode() for memo in memos[1:]))
        with Bank() as bank, bank.wire("alice") as alice:
            for memo in memos:
                self.assertNotIsInstance(
                    alice.ask("TRANSFER", "+", "shop", "0.01", "MEMO", memo), Error)
            text = self.print(bank, "statement", "alice")
            self.assert_on_paper(text)
            found = []
            for part in re.split(r"(?m)^\d{4}-\d\d-\d\d .* transfer .*\n", text)[1:]:
                found.append(re.match(r"(?:    .*\n)+", part).group(0).split("\n")[:-1])
            # Lines are broken at blanks, or within a word that is longer than a line.
            self.assertEqual(["".join("".join(lines).split()) for lines in found],
                             ["".join(f"to shop: {memo}".split()) for memo in shown])
            self.assertEqual([len(lines) for lines in found], [5, 1, 1, 1])


if __name__ == "__main__":
    unittest.main()
