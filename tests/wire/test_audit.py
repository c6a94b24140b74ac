"""pennyctl audit: who did what to whom, when, and from which terminal."""

import csv
import io
import json
import os
import re
import unittest

import journal
from old_bank import OldBank

SECRET = "a long password"
HEADS = ["entry", "time", "by", "terminal", "operation", "name", "role", "registered", "title",
         "floor", "ceiling", "price", "stock", "password"]
# What busy() does: by, terminal, operation, name, and what else there is to say.
DONE = [
    ("admin", "kiosk", "added", "dora", {"role": "till"}),
    ("dora", "alice", "password", "dora", {}),
    ("admin", "kiosk", "role", "dora", {"role": "customer"}),
    ("admin", "kiosk", "lock", "dora", {}),
    ("admin", "kiosk", "unlock", "dora", {}),
    ("admin", "admin", "title", "dora", {"title": "Dora \"\u00d6l\", =1+1"}),
    ("admin", "admin", "password", "dora", {}),
    ("alice", "bob", "pin set", "alice", {}),
    ("alice", "bob", "pin lock", "alice", {}),
    ("till", "till", "pin unlock", "alice", {}),
    ("bob", "bob", "added", "emil", {"role": "customer", "registered": "yes"}),
    ("(nobody)", "kiosk", "added", "fritz", {"role": "customer", "registered": "yes"}),
    ("admin", "admin", "remove", "emil", {}),
    ("admin", "admin", "account open", "coffee", {}),
    ("admin", "admin", "account limit", "coffee", {"floor": "-5.00", "ceiling": "100.00"}),
    ("admin", "admin", "account close", "coffee", {}),
    ("admin", "admin", "item set", "tea", {"title": "Tea", "price": "1.30", "stock": "7"}),
    ("admin", "admin", "item del", "tea", {"title": "Tea", "price": "1.30", "stock": "7"}),
    ("(pennyctl)", "(local)", "password", "admin", {}),
]


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bank = OldBank(settings=("server.pin-above=1.00",))
        cls.addClassCleanup(cls.bank.close)
        cls.bank.start()
        cls.busy(cls.bank)
        cls.beside = cls.bank.pennyctl("audit", cls.bank.home, "--format", "csv").stdout
        cls.bank.stop()
        cls.bank.pennyctl("user", "passwd", "admin", cls.bank.home, input=SECRET)

    @staticmethod
    def busy(bank):
        def ask(wire, *words):
            reply = wire.ask(*words)
            assert reply == "OK" or isinstance(reply, list), (words, reply)

        with bank.wire("admin", terminal="kiosk") as admin:
            ask(admin, "USER", "ADD", "dora", SECRET, "ROLE", "till")
            with bank.wire("dora", terminal="alice", password=SECRET) as dora:
                ask(dora, "PASSWD", SECRET, "another password")
            ask(admin, "USER", "ROLE", "dora", "customer")
            ask(admin, "USER", "LOCK", "dora")
            ask(admin, "USER", "UNLOCK", "dora")
        with bank.wire("admin") as admin:
            ask(admin, "USER", "NAME", "dora", "Dora \"\u00d6l\", =1+1")
            ask(admin, "USER", "PASSWD", "dora", SECRET)
            with bank.wire("alice", terminal="bob") as alice:
                ask(alice, "PIN", "SET", bank.passwords["alice"], "1234")
                for i in range(3):
                    alice.ask("TRANSFER", f"i{i}", "bob", "2.00", "PIN", "9999")
            with bank.wire("till") as till:
                ask(till, "PIN", "UNLOCK", "alice")
            with bank.wire("bob") as bob:
                ask(bob, "REGISTER", "emil", SECRET)
            with bank.wire(terminal="kiosk") as stranger:
                ask(stranger, "REGISTER", "fritz", SECRET)
            ask(admin, "USER", "DEL", "emil")
            ask(admin, "ACCOUNT", "OPEN", "coffee")
            ask(admin, "ACCOUNT", "LIMIT", "coffee", "-5.00", "100.00")
            ask(admin, "ACCOUNT", "CLOSE", "coffee")
            ask(admin, "ITEM", "SET", "tea", "1.30", "STOCK", 7, "TITLE", "Tea")
            ask(admin, "ITEM", "DEL", "tea")

    def audit(self, *words, expect=0, **more):
        return self.bank.pennyctl("audit", self.bank.home, *words, expect=expect, **more)

    def rows(self, *words):
        return self.rows_of(self.audit("--format", "csv", *words).stdout)

    def rows_of(self, said):
        rows = list(csv.reader(io.StringIO(said, newline=""), strict=True))
        self.assertEqual(rows[0], HEADS)
        return [dict(zip(HEADS, row)) for row in rows[1:]]

    def told(self, rows):
        plain = ("entry", "time", "by", "terminal", "operation", "name")
        return [(row["by"], row["terminal"], row["operation"], row["name"],
                 {key: value for key, value in row.items() if value and key not in plain})
                for row in rows]

    def test_tells_all_that_was_done(self):
        rows = self.rows()
        told = self.told(rows)
        # What init made stands in front.
        self.assertEqual([row[2] for row in told[:9]],
                         ["account open"] * 2 + ["added"] * 4 + ["item set"] * 3)
        self.assertEqual({row[:2] for row in told[:9]}, {("(pennyctl)", "(local)")})
        self.assertEqual(told[9:], DONE)
        entries = [int(row["entry"]) for row in rows]
        self.assertEqual(entries, sorted(entries))

    def test_beside_a_server_it_tells_as_much(self):
        self.assertEqual(self.told(self.rows_of(self.beside)), self.told(self.rows())[:-1])

    def test_as_json_it_is_the_same(self):
        found = json.loads(self.audit("--format", "json").stdout)
        rows = [{key: value for key, value in row.items() if value} for row in self.rows()]
        for row in rows:
            row["entry"] = int(row["entry"])
            if "registered" in row:
                row["registered"] = True
            if "stock" in row:
                row["stock"] = int(row["stock"])
        self.assertEqual(found, rows)
        self.assertEqual(json.loads(self.audit("--format=json", "--to", "2001-01-01").stdout), [])

    def test_as_text_it_is_a_line_each(self):
        lines = self.audit().stdout.splitlines()
        self.assertEqual(len(lines), len(self.rows()))
        shown = [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d  \d+  ", "", line)
                 for line in lines]
        for line in ("admin at kiosk: added dora, till", "dora at alice: password dora",
                     "admin at admin: title dora, Dora \"\u00d6l\", =1+1",
                     "bob at bob: added emil, customer, registered",
                     "admin at admin: account limit coffee, from -5.00 to 100.00",
                     "admin at admin: item set tea, Tea, price 1.30, stock 7"):
            self.assertIn(line, shown)

    def test_of_one_person(self):
        dora = self.told(self.rows("--person", "dora"))
        self.assertEqual(dora, [row for row in DONE if "dora" in (row[0], row[3])])
        own = self.told(self.rows("--person", "(pennyctl)"))
        self.assertEqual(len(own), 10)
        self.assertEqual(len(self.rows("--person", "(nobody)")), 1)
        done = self.audit("--person", "nobody", expect=1)
        self.assertIn("there is no person nobody", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_of_some_days(self):
        day = self.rows("--time-zone", "UTC")[0]["time"][:10]
        last = self.rows("--time-zone", "UTC")[-1]["time"][:10]
        self.assertEqual(self.rows("--time-zone", "UTC", "--from", day, "--to", last),
                         self.rows("--time-zone", "UTC"))
        self.assertEqual(self.rows("--to", "2001-01-01"), [])
        self.assertEqual(self.rows("--from", "2999-01-01"), [])
        there = self.rows("--time-zone", "Asia/Tokyo")
        self.assertTrue(all(row["time"].endswith("+09:00") for row in there))

    def test_no_secret_is_told(self):
        for words in ((), ("--format", "csv"), ("--format", "json")):
            said = self.audit(*words).stdout
            for secret in ("argon2", SECRET, "1234", "9999"):
                self.assertNotIn(secret, said)

    def test_words_that_are_none(self):
        for words in (("--format", "hledger"), ("--person",), ("--month", "2026-01"), ("x", "y"),
                      ("--from", "2026-02-30"), ("--from", "2026-02-02", "--to", "2026-02-01")):
            self.assertIn("usage: pennyctl audit", self.audit(*words, expect=2).stderr)
        if not os.path.exists("/etc/pennyd/pennyd.conf"):  # Of a bank that is none of ours.
            self.assertIn("usage: pennyctl audit", self.bank.pennyctl("audit", expect=2).stderr)
        self.assertEqual(self.bank.pennyctl("audit", cwd=self.bank.home).stdout,
                         self.audit().stdout)


class Damaged(unittest.TestCase):
    def test_damage_is_told_before_anything(self):
        bank = OldBank()
        self.addCleanup(bank.close)
        batch = journal.batches(bank.path("data"))[1]
        journal.flip(batch.path, batch.offset + 200)
        done = bank.pennyctl("audit", bank.home, expect=1)
        self.assertEqual(done.stdout, "")
        self.assertIn(f"segment 1, offset {batch.offset}, batch {batch.seq}", done.stderr)
