"""pennyctl import: an older bank's people and money come along, all of it or nothing."""

import os
import shutil
import unittest

import journal
from bank import Bank, program
from dying import Dying
from old_bank import OldBank, md5, passwd_lines
from resp import Error, text

PEOPLE = {"anna": "geheim", "bert": "1234", "cara": "a longer pass phrase"}
PASSWD = "\ufeffAnna:{anna}\r\n\r\nBERT \t {bert}\ncara:{cara}\n".format(
    anna=md5("geheim"), bert=md5("1234").upper(), cara=md5("a longer pass phrase"))
BALANCE = "anna 12.50\ncara:0.05\r\nbert 0\n"


class ImportTest(unittest.TestCase):
    def setUp(self):
        self.bank = OldBank()
        self.addCleanup(self.bank.close)

    def records(self):
        """What stands in data/passwd: {name: the record's kind}."""
        with open(self.bank.path("data", "passwd"), encoding="utf-8") as file:
            rows = [line.rstrip("\n").split(":") for line in file]
        return {row[0]: row[3].split("$")[1] for row in rows}

    def login(self, name, password):
        return self.bank.wire(name, terminal="alice", password=password)

    def refused_login(self, name, password):
        with self.bank.wire(terminal="alice") as wire:
            reply = wire.ask("AUTH", name, password)
        self.assertIsInstance(reply, Error)
        self.assertEqual(reply.word, "WRONGPASS")
        return reply.text


class Imported(ImportTest):
    def setUp(self):
        super().setUp()
        self.said = self.bank.imported(PASSWD, BALANCE).stdout

    def test_says_what_came(self):
        self.assertEqual(self.said,
                         "imported  3 people, who log in with the passwords that they have\n"
                         "balances  2, 12.55 EUR in all\n")
        self.assertEqual({name: row for name, row in self.bank.people().items() if name in PEOPLE},
                         {name: ["customer", "active", "none"] for name in PEOPLE})

    def test_the_old_hash_is_stored_nowhere(self):
        self.assertEqual({name: kind for name, kind in self.records().items() if name in PEOPLE},
                         {name: "argon2id-md5" for name in PEOPLE})
        for path, content in self.bank.data_files().items():
            for password in PEOPLE.values():
                if isinstance(content, bytes):
                    digits = md5(password).encode()
                    self.assertNotIn(digits, content.lower(), path)
                    self.assertNotIn(bytes.fromhex(digits.decode()), content, path)

    def test_the_books_agree_and_tell_it(self):
        self.assertIn("the books sum to zero", self.bank.check())
        hledger = self.bank.pennyctl("export", self.bank.home, "--format", "hledger").stdout
        self.assertIn("id:import-anna", hledger)
        self.assertIn("; memo: import\n", hledger)
        self.assertRegex(hledger, r"liabilities:members:cara +-0\.05 EUR")
        statement = self.bank.pennyctl("statement", self.bank.home, "anna").stdout
        self.assertIn("from cash: import", statement)
        self.assertRegex(statement, r"closing +12\.50")

    def test_people_log_in_with_the_old_password_and_no_other(self):
        self.bank.start()
        for name, password in PEOPLE.items():
            self.refused_login(name, md5(password))
            self.refused_login(name, password + "x")
            self.refused_login(name, "")
        with self.login("anna", "geheim") as wire:
            self.assertEqual(wire.ask("BALANCE"), b"12.50")
            self.assertEqual(wire.ask("TRANSFER", "t1", "bert", "2.50"), wire.ask(
                "TRANSFER", "t1", "bert", "2.50"))
        with self.login("bert", "1234") as wire:
            self.assertEqual(wire.ask("BALANCE"), b"2.50")
        self.assertIn("the books sum to zero", self.bank.check())

    def test_the_first_right_login_replaces_the_record(self):
        self.bank.start()
        self.refused_login("bert", "4321")
        with self.login("anna", "geheim") as first, self.login("anna", "geheim") as second:
            # Its entry ends no login, and only the first of them made one.
            self.assertEqual(first.ask("DEPOSIT", "d1", "0.50")[0:2], second.ask(
                "DEPOSIT", "d1", "0.50")[0:2])
            self.assertEqual(text(second.ask("BALANCE")), "13.00")
        self.bank.stop()
        self.assertEqual(self.records()["anna"], "argon2id")
        self.assertEqual(self.records()["bert"], "argon2id-md5")
        audit = self.bank.pennyctl("audit", self.bank.home).stdout
        self.assertEqual(audit.count(": rehash "), 1, audit)
        self.assertIn("anna at alice: rehash anna\n", audit)
        self.assertIn("(pennyctl) at (local): added anna, customer\n", audit)
        self.assertIn("the books sum to zero", self.bank.check())
        self.bank.start()
        self.refused_login("anna", md5("geheim"))
        with self.login("anna", "geheim") as wire:
            self.assertEqual(wire.ask("PASSWD", "geheim", "a new password"), "OK")
        with self.login("anna", "a new password") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
        self.refused_login("anna", "geheim")

    def test_a_kill_behind_the_login_loses_nothing(self):
        self.bank.start()
        with self.login("cara", PEOPLE["cara"]) as wire:
            self.assertEqual(wire.ask("DEPOSIT", "d1", "1.00")[0], b"entry")
        self.bank.kill()
        self.bank.start()
        with self.login("cara", PEOPLE["cara"]) as wire:
            self.assertEqual(wire.ask("BALANCE"), b"1.05")
            # To register again what is there is to log in: the right password is OK (P10).
            self.assertEqual(wire.ask("REGISTER", "cara", PEOPLE["cara"]), "OK")
        self.assertIn("the books sum to zero", self.bank.check())

    def test_a_backup_carries_it(self):
        tar = os.path.join(self.bank.folder, "bank.tar")
        self.bank.pennyctl("backup", self.bank.home, tar)
        self.assertIn("the books sum to zero", self.bank.pennyctl("check", tar).stdout)
        shutil.rmtree(self.bank.home)
        self.bank.pennyctl("restore", tar, self.bank.home)
        self.bank.start()
        with self.login("bert", "1234") as wire:
            self.assertEqual(wire.ask("BALANCE"), b"0.00")

    def test_a_second_time_is_refused_and_says_why(self):
        before = self.bank.data_files()
        said = self.bank.imported(PASSWD, BALANCE, expect=1).stderr
        self.assertIn("passwd.txt:1: anna: the book has everybody of this file already", said)
        said = self.bank.imported("dora " + md5("x") + "\n" + PASSWD.lstrip("\ufeff"),
                                  expect=1).stderr
        self.assertIn("passwd.txt:2: anna: the book has a person or an account of this name", said)
        self.assertEqual(self.bank.data_files(), before)
        self.assertIn("balances  1, 3.00 EUR in all",
                      self.bank.imported("dora " + md5("x") + "\n", "dora 3\n").stdout)


class Refused(ImportTest):
    def test_every_bad_line_is_named_and_nothing_changes(self):
        good = f"anna:{md5('geheim')}\n"
        rows = [
            ("passwd.txt:2: ", good + "bert:" + md5("1234")[:31] + "\n", "anna 1\n"),
            ("passwd.txt:2: ", good + "bert\n", ""),
            ("passwd.txt:2: ", good + "bert:" + md5("1234"), ""),
            ("passwd.txt:2: ", good + "Anna:" + md5("1234") + "\n", ""),
            ("passwd.txt:3: ", good + "\r\nalice:" + md5("1234") + "\n", ""),
            ("passwd.txt:1: ", "b\u00e4rt:" + md5("1234") + "\n", ""),
            ("passwd.txt:1: ", "cash:" + md5("1234") + "\n", ""),
            ("passwd.txt:1: ", "bert:" + md5("") + "\n", ""),
            ("passwd.txt:2: ", good + "x" * (1 << 20) + "\n", ""),
            ("passwd.txt:2: ", good.encode() + b"\0\xff:\n", ""),
            ("balance.txt:1: ", good, "bert 1.00\n"),
            ("balance.txt:2: ", good, "\nanna 1.005\n"),
            ("balance.txt:1: ", good, "anna -1.00\n"),
            ("balance.txt:1: ", good, "anna 1,50\n"),
            ("balance.txt:1: ", good, "anna\n"),
            ("balance.txt:1: ", good, "anna 12"),
            ("balance.txt:2: ", good, "anna 1\nANNA 1\n"),
            ("balance.txt:1: ", good, "anna 99999999999999.00\n"),
            ("balance.txt:1: ", good, "alice 1.00\n"),
            ("names nobody", "\n", ""),
        ]
        before = self.bank.data_files()
        for wanted, passwd, balance in rows:
            done = self.bank.imported(passwd, balance, expect=1)
            self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
            self.assertIn(wanted, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertEqual(self.bank.data_files(), before, wanted)
        self.assertNotIn("anna", self.bank.people())

    def test_a_name_that_was_removed_is_not_given_again(self):
        self.bank.imported(passwd_lines({"anna": "geheim"}))
        self.bank.pennyctl("user", "del", "anna", self.bank.home)
        said = self.bank.imported(passwd_lines({"anna": "x", "bert": "y"}), expect=1).stderr
        self.assertIn("passwd.txt:1: anna: the book has a person or an account", said)

    def test_more_than_the_book_has_room_for(self):
        self.bank.conf("accounts", 10)  # Four people of the demo, cash and shop are there.
        people = {f"p{i}": "x" for i in range(5)}
        before = self.bank.data_files()
        said = self.bank.imported(passwd_lines(people), expect=1).stderr
        self.assertIn("passwd.txt:5: p4: the book has room for 4 more people; raise [limits] "
                      "accounts from 10", said)
        self.assertEqual(self.bank.data_files(), before)
        people.pop("p4")
        self.bank.imported(passwd_lines(people))
        self.assertIn("the books sum to zero", self.bank.check())

    def test_beside_a_server(self):
        self.bank.start()
        said = self.bank.imported(PASSWD, BALANCE, expect=1).stderr
        self.assertIn(f"in use by process {self.bank.process.pid}; stop it", said)

    def test_words_that_are_missing(self):
        for words in ((), ("--passwd", "p"), ("--balance", "b"), ("--passwd",), ("a", "b"),
                      ("--passwd", "p", "--passwd", "q"), ("--format", "x")):
            self.assertIn("usage: pennyctl import",
                          self.bank.pennyctl("import", *words, expect=2).stderr)
        gone = os.path.join(self.bank.folder, "gone")
        for words in ((gone, gone), (self.bank.folder, gone)):
            self.bank.pennyctl("import", self.bank.home, "--passwd", words[0], "--balance",
                               words[1], expect=1)
        passwd, balance = self.bank.import_argv(PASSWD, BALANCE)[3::2]
        if not os.path.exists("/etc/pennyd/pennyd.conf"):  # Of a bank that is none of ours.
            said = self.bank.pennyctl("import", "--passwd", passwd, "--balance", balance,
                                      expect=1).stderr
            self.assertIn("which bank?", said)
        self.bank.pennyctl("import", "--passwd", passwd, "--balance", balance, cwd=self.bank.home)


class Cut(ImportTest):
    """Ended at any write of an import, a book has all of it or nothing, and is sound."""

    def setUp(self):
        super().setUp()
        self.kept = os.path.join(self.bank.folder, "kept")
        self.seen = set()

    def again(self):
        shutil.rmtree(self.bank.path("data"))
        shutil.copytree(self.kept, self.bank.path("data"), symlinks=True)

    def judge(self, people):
        there = {name for name in self.bank.people() if name in people}
        self.assertIn(len(there), (0, len(people)))
        self.assertIn("the books sum to zero", self.bank.check())
        self.seen.add(len(there))
        return len(there) > 0

    def cut(self, people, balance, step, full):
        argv = [program("pennyctl"), *self.bank.import_argv(passwd_lines(people), balance)]
        shutil.copytree(self.bank.path("data"), self.kept, symlinks=True)
        with Dying() as dying:
            for _, done in dying.each(argv, self.again, step):
                is_there = self.judge(people)
                if done.returncode == 0:
                    self.assertTrue(is_there)
            for _, done in dying.each_full(argv, self.again, full):
                is_there = self.judge(people)
                if "nothing was imported" in done.stderr:
                    self.assertFalse(is_there, done.stderr)
        self.assertEqual(self.seen, {0, len(people)})

    def test_of_what_fits_into_one_batch(self):
        self.cut(PEOPLE, "anna 12.50\ncara 1.00\n", step=1, full=3)

    def test_of_what_does_not(self):
        people = {f"person{i}": f"{i}" for i in range(470)}
        balance = "".join(f"{name} 1.25\n" for name in people)
        self.bank.conf("segment-size-kib", 512)
        with journal.Journal(self.bank.path("data")) as more:
            room = 5 * 4096
            while len(more.content) - more.offset > journal.BATCH_MAX + room:
                more.batch([], flags=journal.FLAG_CLOSING)
        self.cut(people, balance, step=5, full=17)
        self.assertEqual(len(journal.segments(self.bank.path("data"))), 2)
        self.bank.start()
        with self.login("person469", "469") as wire:
            self.assertEqual(wire.ask("BALANCE"), b"1.25")
        self.assertIn("587.50", self.bank.pennyctl("statement", self.bank.home, "cash").stdout)


class OtherScale(unittest.TestCase):
    def test_decimals_are_those_of_the_ledger(self):
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        shutil.rmtree(bank.home)
        secret = os.path.join(bank.folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("a long password\n")
        bank.pennyctl("init", bank.home, "--currency", "JPY", "--scale", "0", "--password-file",
                      secret)
        passwd = os.path.join(bank.folder, "p")
        balance = os.path.join(bank.folder, "b")
        with open(passwd, "w", encoding="ascii") as file:
            file.write(passwd_lines({"anna": "geheim"}))
        words = ("import", bank.home, "--passwd", passwd, "--balance", balance)
        with open(balance, "w", encoding="ascii") as file:
            file.write("anna 1.5\n")
        self.assertIn("at most 0 decimals", bank.pennyctl(*words, expect=1).stderr)
        with open(balance, "w", encoding="ascii") as file:
            file.write("anna 1500\n")
        self.assertIn("1500 JPY in all", bank.pennyctl(*words).stdout)
        self.assertIn("the books sum to zero", bank.check())
