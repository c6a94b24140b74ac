"""A first password: whoever logs in with it changes it, and reaches nothing else before."""

import json
import os
import unittest

from bank import BankTest
from old_bank import OldBank
from resp import Error, command, fields
from standin import PennyTest
from terminal import converse

FIRST = "a word for a start"
OWN = "a password of my own"
REFUSED = ("NOPERM", "this is a first password; change it: PASSWD old new")


class FirstPassword(BankTest):
    settings = ("listener tls.certificate-is-user=yes",)
    made = 0

    def setUp(self):
        self.admin = self.bank.wire("admin")
        self.addCleanup(self.admin.close)

    def person(self, *more):
        FirstPassword.made += 1
        name = f"first{FirstPassword.made}"
        self.assertEqual(self.admin.ask("USER", "ADD", name, FIRST, *more, "FIRST"), "OK")
        return name

    def log_in(self, name, password=FIRST):
        return self.bank.wire(name, terminal="alice", password=password)

    def test_nothing_else_is_reached_before_it_is_changed(self):
        name = self.person()
        with self.log_in(name) as wire:
            for words in (("BALANCE",), ("STATEMENT",), ("TRANSFER", "t", "bob", "0.01"),
                          ("ITEMS",), ("ORDER", "o", "mate"), ("MULTI",), ("EXEC",), ("INFO",),
                          ("TELL", "x"), ("REGISTER", "somebody", "a long password"),
                          ("PIN", "SET", FIRST, "1234"), ("KEY",), ("INBOX",), ("DIGEST",),
                          ("RECEIPT", 1)):
                self.assert_error(wire.ask(*words), *REFUSED)
            for words in (("PING",), ("ECHO", "x"), ("SELECT", 0), ("TIME",), ("CLOCK",),
                          ("DATE",), ("HELLO", 2)):
                self.assertNotIsInstance(wire.ask(*words), Error, words)
            self.assertEqual(fields(wire.ask("WHOAMI")),
                             {"person": name, "role": "customer", "terminal": "alice",
                              "password": "first"})
            self.assert_error(wire.ask("BREW"), "ERR", "unknown command")
            self.assert_error(wire.ask("AUTH", name, OWN), "WRONGPASS")
            self.assertEqual(wire.ask("AUTH", name, FIRST), "OK")
            self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK")
            self.assertEqual(wire.ask("BALANCE"), b"0.00")
            self.assertEqual(fields(wire.ask("WHOAMI")),
                             {"person": name, "role": "customer", "terminal": "alice"})
            self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK", "P10")
        with self.log_in(name, OWN) as wire:
            self.assertEqual(wire.ask("BALANCE"), b"0.00")
            self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK", "P10, after a new login")
            self.assert_error(wire.ask("AUTH", name, FIRST), "WRONGPASS")

    def test_the_new_one_is_another(self):
        name = self.person()
        with self.log_in(name) as wire:
            for old in (FIRST, "whatever it was"):
                self.assert_error(wire.ask("PASSWD", old, FIRST), "ERR", "choose another one")
            self.assert_error(wire.ask("PASSWD", "whatever it was", OWN), "WRONGPASS")
            self.assert_error(wire.ask("PASSWD", FIRST, "short"), "ERR", "8 to 128")
            self.assert_error(wire.ask("BALANCE"), *REFUSED)
            self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK")

    def test_what_is_sent_behind_the_change_is_answered(self):
        name = self.person()
        with self.log_in(name) as wire:
            wire.send(command("BALANCE") + command("PASSWD", FIRST, OWN) +
                      command("TRANSFER", "t", "bob", "0.01") + command("BALANCE"))
            self.assert_error(wire.reply(), *REFUSED)
            self.assertEqual(wire.reply(), "OK")
            self.assert_error(wire.reply(), "FUNDS")
            self.assertEqual(wire.reply(), b"0.00")

    def test_an_admin_may_set_one_again(self):
        with self.bank.wire("till") as till:
            name = self.person("ROLE", "till")
            with self.log_in(name) as wire:
                self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK")
                again = "another first one"
                for _ in range(2):
                    self.assertEqual(self.admin.ask("USER", "PASSWD", name, again, "first"), "OK")
                self.assert_error(wire.ask("BALANCE"), "NOAUTH")
                self.assertEqual(wire.ask("AUTH", name, again), "OK")
                self.assert_error(wire.ask("DEPOSIT", "d", "1.00", "bob"), *REFUSED)
                # The same password is a lasting one when an admin says so, and a first one again.
                self.assertEqual(self.admin.ask("USER", "PASSWD", name, again), "OK")
                self.assert_error(wire.ask("BALANCE"), "NOAUTH")
                self.assertEqual(wire.ask("AUTH", name, again), "OK")
                self.assertEqual(wire.ask("BALANCE"), b"0.00")
                self.assertEqual(self.admin.ask("USER", "PASSWD", name, again, "FIRST"), "OK")
                self.assert_error(wire.ask("BALANCE"), "NOAUTH")
                self.assertEqual(wire.ask("AUTH", name, again), "OK")
                self.assert_error(wire.ask("BALANCE"), *REFUSED)
            self.assert_error(till.ask("USER", "PASSWD", name, OWN, "FIRST"), "NOPERM")

    def test_the_words(self):
        name = self.person()
        self.assertEqual(self.admin.ask("USER", "ADD", name, FIRST, "FIRST"), "OK", "P10")
        self.assert_error(self.admin.ask("USER", "ADD", name, FIRST), "EXISTS")
        other = self.person("ROLE", "auditor")
        self.assertEqual(self.admin.ask("USER", "ADD", other, FIRST, "role", "auditor", "first"),
                         "OK")
        for words in (("ADD", "x", FIRST, "LAST"), ("ADD", "x", FIRST, "FIRST", "ROLE", "till"),
                      ("ADD", "x", FIRST, "ROLE", "till", "LAST"), ("PASSWD", name, OWN, "LAST"),
                      ("ADD", "x", FIRST, "FIRST", "FIRST"), ("PASSWD", name, "FIRST", "x", "y")):
            self.assert_error(self.admin.ask("USER", *words), "ERR", "syntax error")
        self.assertEqual(self.admin.ask("USER", "ADD", "first", FIRST), "OK", "no reserved name")
        shown = {fields(row)["person"]: fields(row)["state"]
                 for row in self.admin.ask("USER", "LIST")}
        self.assertEqual((shown[name], shown["bob"]), ("active/first", "active"))
        self.assertEqual(self.admin.ask("USER", "LOCK", name), "OK")
        with self.bank.wire(terminal="bob", password="") as wire:
            self.assert_error(wire.ask("AUTH", name, FIRST), "WRONGPASS")

    def test_a_certificate_that_is_a_login_is_bound_by_it(self):
        password = self.bank.passwords["bob"]
        self.addCleanup(self.admin.ask, "USER", "PASSWD", "bob", password)
        self.assertEqual(self.admin.ask("USER", "PASSWD", "bob", FIRST, "FIRST"), "OK")
        with self.bank.wire(terminal="bob") as wire:
            self.assertEqual(fields(wire.ask("WHOAMI"))["password"], "first")
            self.assert_error(wire.ask("BALANCE"), *REFUSED)
            self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK")
            self.assertEqual(wire.ask("BALANCE"), self.bank_balance("bob"))

    def bank_balance(self, name):
        with self.bank.wire("till") as till:
            return till.ask("BALANCE", name)

    def test_it_outlives_a_power_cut_and_a_checkpoint(self):
        name, changed = self.person(), self.person()
        with self.log_in(changed) as wire:
            self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK")
        for end in (self.bank.kill, self.bank.stop):
            end()
            self.bank.start()
            with self.log_in(name) as wire:
                self.assert_error(wire.ask("BALANCE"), *REFUSED)
            with self.log_in(changed, OWN) as wire:
                self.assertEqual(wire.ask("BALANCE"), b"0.00")
        with open(self.bank.path("data", "passwd"), encoding="ascii") as text:
            rows = dict(row.split(":")[0:3:2] for row in text.read().splitlines())
        self.assertEqual((rows[name], rows[changed]), ("active/first", "active"))
        said = self.bank.check()
        self.bank.start()
        self.assertIn("agrees with the journal", said)


class Penny(BankTest):
    """What a person with penny gets to see."""

    NEW, AGAIN = b"New password: ", b"The same password again: "

    def setUp(self):
        self.folder = self.bank.folder
        self.environment = {"HOME": self.folder, "PATH": os.environ["PATH"], "TERM": "dumb"}
        with self.bank.wire("admin") as admin:
            self.assertEqual(admin.ask("USER", "PASSWD", "alice", FIRST, "FIRST"), "OK")

    def menu(self, *steps):
        at = PennyTest.at_terminal(self, *self.bank.cli_options("alice")[:-4], "--menu")
        return converse(self, at, [
            (b"empty for nobody: ", b"alice"), (b"Password for alice: ", FIRST.encode()), *steps,
            (b"Your choice: ", b"2"), (b"Your choice: ", b"0")])

    def test_the_menu_has_it_changed_at_once(self):
        own = OWN.encode()
        shown = self.menu((self.NEW, own), (self.AGAIN, own + b"x"), (self.NEW, FIRST.encode()),
                          (self.AGAIN, FIRST.encode()), (self.NEW, own), (self.AGAIN, own))
        self.assertIn(b"This is a first password: nothing else can be done until it is changed.",
                      shown)
        self.assertIn(b"the two passwords differ", shown)
        self.assertIn(b"that is the first password; choose another one", shown)
        self.assertIn(b"The password is changed.", shown)
        self.assertIn(b"The balance is ", shown)
        for secret in (own, FIRST.encode()):
            self.assertNotIn(secret, shown)
        with self.bank.wire("alice", password=OWN) as wire:
            self.assertNotIsInstance(wire.ask("BALANCE"), Error)

    def test_the_menu_says_what_follows_when_it_is_not_changed(self):
        shown = self.menu(*3 * ((self.NEW, b"short"), (self.AGAIN, b"short")))
        self.assertIn(b"penny: the password was not changed; sign in again to do it", shown)
        self.assertIn(REFUSED[1].encode(), shown)

    def test_a_script_of_the_menu_answers_too(self):
        self.bank.passwords["alice"] = FIRST
        lines = ["1", "alice", FIRST, OWN, OWN, "2", "0"]
        done = self.bank.penny("--menu", name="alice", input="".join(f"{x}\n" for x in lines),
                               options=self.bank.cli_options("alice")[:-4])
        # Who is named by the options signs in before there is anybody to answer.
        self.assertEqual(done.stdout.count("This is a first password"), 2)
        self.assertEqual(done.stdout.count("The password is changed."), 1)
        self.assertIn("The balance is ", done.stdout)

    def test_a_command_is_told_what_to_do_first(self):
        self.bank.passwords["alice"] = FIRST
        done = self.bank.penny("BALANCE", name="alice", expect=1)
        self.assertIn(REFUSED[1], done.stderr)
        lines = f"PASSWD '{FIRST}' '{OWN}'\nBALANCE\n"
        done = self.bank.penny(name="alice", input=lines)
        self.assertRegex(done.stdout, r"\AOK\n\d+\.\d\d\n\Z")


class Tool(unittest.TestCase):
    def setUp(self):
        self.bank = OldBank()
        self.addCleanup(self.bank.close)

    def user(self, verb, *words, expect=0, **more):
        return self.bank.pennyctl("user", verb, *words, self.bank.home, expect=expect, **more)

    def test_the_operator_sets_one(self):
        self.assertEqual(self.user("add", "dora", "--first", input=FIRST).stdout, "dora: added\n")
        for said in ("has a new password", "it is so already"):
            self.assertEqual(self.user("passwd", "bob", "--first", input=FIRST).stdout,
                             f"bob: {said}\n")
        for words in (("bob",), ("bob", "--first")):
            self.assertEqual(self.user("passwd", *words, input=FIRST).stdout,
                             "bob: has a new password\n")
        self.assertIn("no option", self.user("lock", "bob", "--first", expect=2).stderr)
        people = self.bank.people()
        self.assertEqual((people["dora"][:2], people["bob"][:2], people["alice"][:2]),
                         (["customer", "active/first"], ["customer", "active/first"],
                          ["customer", "active"]))
        self.bank.start()
        for name in ("dora", "bob"):
            with self.bank.wire(name, terminal="alice", password=FIRST) as wire:
                self.assert_refused(wire.ask("BALANCE"))
                self.assertEqual(wire.ask("PASSWD", FIRST, OWN), "OK")
        self.bank.stop()
        self.assertIn("agrees with the journal", self.bank.check())

    def assert_refused(self, reply):
        self.assertIsInstance(reply, Error)
        self.assertEqual((reply.word, reply.text), REFUSED)

    def test_audit_and_export_name_it(self):
        self.user("add", "dora", "--first", input=FIRST)
        self.user("passwd", "dora", "--first", input=OWN)
        self.user("passwd", "dora", input=FIRST)
        lines = self.bank.pennyctl("audit", self.bank.home, "--person", "dora").stdout.splitlines()
        self.assertEqual([line.split(": ", 1)[1] for line in lines],
                         ["added dora, customer, first password", "password dora, first password",
                          "password dora"])
        rows = json.loads(self.bank.pennyctl("audit", self.bank.home, "--person", "dora",
                                             "--format", "json").stdout)
        self.assertEqual([row.get("password") for row in rows], ["first", "first", None])
        table = self.bank.pennyctl("audit", self.bank.home, "--person", "dora",
                                   "--format", "csv").stdout.splitlines()
        self.assertEqual([line.rsplit(",", 1)[1].strip('"') for line in table],
                         ["password", "first", "first", ""])


if __name__ == "__main__":
    unittest.main()
