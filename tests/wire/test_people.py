"""People: made, let in, kept out, and never a reason for the others to wait."""

import itertools
import select
import unittest

from bank import BankTest
from resp import Error, command, fields, wait_until

LOGINS = 50
numbers = itertools.count(1)


def fresh_name():
    return f"person{next(numbers)}"


class Register(BankTest):
    def setUp(self):
        self.admin = self.bank.wire("admin")
        self.addCleanup(self.admin.close)

    def test_a_new_person_has_an_account_and_may_log_in(self):
        name = fresh_name()
        self.assertEqual(self.admin.ask("REGISTER", name, "a long password"), "OK")
        with self.bank.wire(name, terminal="alice", password="a long password") as wire:
            self.assertEqual(fields(wire.ask("WHOAMI")),
                             {"person": name, "role": "customer", "terminal": "alice"})
            self.assertEqual(wire.ask("BALANCE"), b"0.00")
            self.assertEqual(wire.ask("STATEMENT"), [])
            self.assert_error(wire.ask("TRANSFER", "i", "bob", "0.01"), "FUNDS")

    def test_it_may_be_sent_again(self):
        name = fresh_name()
        for _ in range(3):
            self.assertEqual(self.admin.ask("REGISTER", name, "a long password"), "OK")
        self.admin.send(command("REGISTER", name + "x", "a long password") * 3)
        self.assertEqual([self.admin.reply() for _ in range(3)], ["OK"] * 3)

    def test_the_name_of_somebody_else_is_refused(self):
        name = fresh_name()
        self.assertEqual(self.admin.ask("REGISTER", name, "a long password"), "OK")
        self.assert_error(self.admin.ask("REGISTER", name, "another password"), "EXISTS")
        self.assert_error(self.admin.ask("REGISTER", "alice", "another password"), "EXISTS")
        with self.bank.wire(name, terminal="alice", password="a long password") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_one_name_registered_at_once_by_many_is_one_person(self):
        name = fresh_name()
        wires = [self.bank.wire("admin") for _ in range(6)]
        for i, wire in enumerate(wires):
            wire.send(command("REGISTER", name, f"a long password {i}"))
        replies = [wire.reply() for wire in wires]
        for wire in wires:
            wire.close()
        self.assertEqual(replies.count("OK"), 1, replies)
        # The others are guesses at the password of who has the name now: four are looked at.
        words = sorted(reply.word for reply in replies if reply != "OK")
        self.assertEqual(words, ["EXISTS"] * 4 + ["WRONGPASS"])

    def test_names_are_checked(self):
        for name in ("", "A", "Alice", "1a", "a" * 32, "a b", "a.", "-a", "ä", "a\n", "../x"):
            self.assert_error(self.admin.ask("REGISTER", name, "a long password"), "ERR")
        for name in ("cash", "shop", "server", "default", "memo", "from", "count", "before", "pin"):
            self.assertIsInstance(self.admin.ask("REGISTER", name, "a long password"), Error)
        for name in ("a" * 31, "a-b_c.d0"):
            self.assertEqual(self.admin.ask("REGISTER", name, "a long password"), "OK")

    def test_passwords_have_bounds(self):
        for password in ("", "short12", "x" * 129):
            self.assert_error(self.admin.ask("REGISTER", fresh_name(), password), "ERR",
                              "a password has 8 to 128 bytes")
        for password in ("8 bytes!", "x" * 128, b"\0\xff\r\n\x1b[2J"):
            name = fresh_name()
            self.assertEqual(self.admin.ask("REGISTER", name, password), "OK")
            with self.bank.wire(terminal="alice") as wire:
                self.assertEqual(wire.ask("AUTH", name, password), "OK")


class OpenRegister(BankTest):
    settings = ("server.register=open",)

    def test_a_stranger_may_register_and_then_log_in(self):
        name = fresh_name()
        with self.bank.wire() as wire:
            self.assertEqual(wire.ask("REGISTER", name, "a long password"), "OK")
            self.assert_error(wire.ask("PING"), "NOAUTH")
            self.assertEqual(wire.ask("AUTH", name, "a long password"), "OK")
            self.assertEqual(wire.ask("BALANCE"), b"0.00")


class ClosedRegister(BankTest):
    settings = ("server.register=off",)

    def test_only_an_admin_makes_people(self):
        for name in (None, "alice", "till"):
            with self.bank.wire(name) as wire:
                self.assert_error(wire.ask("REGISTER", "stranger", "a long password"), "NOPERM")
        with self.bank.wire("admin") as wire:
            self.assertEqual(wire.ask("REGISTER", "stranger", "a long password"), "OK")


class Passwords(BankTest):
    def new_person(self):
        name = fresh_name()
        with self.bank.wire("admin") as admin:
            self.assertEqual(admin.ask("REGISTER", name, "old password"), "OK")
        return name

    def log_in(self, name, password):
        return self.bank.wire(name, terminal="alice", password=password)

    def test_a_change_may_be_sent_again(self):
        name = self.new_person()
        with self.log_in(name, "old password") as wire:
            for _ in range(3):
                self.assertEqual(wire.ask("PASSWD", "old password", "new password"), "OK")
            self.assertEqual(wire.ask("BALANCE"), b"0.00", "who changed it stays logged in")
        with self.log_in(name, "new password") as wire:
            self.assertEqual(wire.ask("PASSWD", "old password", "new password"), "OK")

    def test_the_old_one_is_worth_nothing_afterwards(self):
        name = self.new_person()
        with self.log_in(name, "old password") as wire, \
                self.log_in(name, "old password") as elsewhere:
            self.assertEqual(wire.ask("PASSWD", "old password", "new password"), "OK")
            self.assert_error(elsewhere.ask("BALANCE"), "NOAUTH")
            self.assert_error(elsewhere.ask("PING"), "NOAUTH")
            self.assert_error(elsewhere.ask("AUTH", name, "old password"), "WRONGPASS")
            self.assertEqual(elsewhere.ask("AUTH", name, "new password"), "OK")

    def test_a_wrong_old_one_changes_nothing(self):
        name = self.new_person()
        with self.log_in(name, "old password") as wire:
            self.assert_error(wire.ask("PASSWD", "wrong password", "new password"), "WRONGPASS")
            self.assert_error(wire.ask("PASSWD", "old password", "short"), "ERR")
            self.assert_error(wire.ask("PASSWD", "old password", "x" * 129), "ERR")
        with self.log_in(name, "old password") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_it_survives_a_restart(self):
        name = self.new_person()
        with self.log_in(name, "old password") as wire:
            self.assertEqual(wire.ask("PASSWD", "old password", "new password"), "OK")
        self.bank.kill()
        self.bank.start()
        with self.log_in(name, "new password") as wire:
            self.assert_error(wire.ask("AUTH", name, "old password"), "WRONGPASS")

    def test_no_password_is_anywhere_in_clear(self):
        name = self.new_person()
        with self.log_in(name, "old password") as wire:
            self.assertEqual(wire.ask("PASSWD", "old password", "a very new password"), "OK")
            wire.ask("AUTH", name, "mistyped password")
        self.bank.restart()
        found = []
        for secret in (b"old password", b"a very new password", b"mistyped password",
                       self.bank.passwords["alice"].encode()):
            for path in self.bank.files():
                with open(path, "rb") as file:
                    if secret in file.read():
                        found.append((secret, path))
        self.assertEqual(found, [])


class Logins(BankTest):
    def test_a_wrong_password_and_an_unknown_name_look_the_same(self):
        with self.bank.wire() as wire:
            replies = {wire.ask_bytes("AUTH", name, "wrong password")
                       for name in ("alice", "nobody", "cash", "Not A Name", "")}
        self.assertEqual(len(replies), 1, replies)
        with self.bank.wire() as wire:
            replies = {wire.ask_bytes("HELLO", 3, "AUTH", name, "wrong password")
                       for name in ("alice", "nobody")}
        self.assertEqual(len(replies), 1, replies)

    def test_many_logins_at_once_keep_nobody_waiting(self):
        """Passwords are hashed elsewhere: a client that is in is answered in between."""
        with self.bank.wire("alice") as inside:
            wires = [self.bank.wire(terminal="bob") for _ in range(LOGINS)]
            for i, wire in enumerate(wires):
                password = self.bank.passwords["bob"] if i % 5 else "wrong password"
                wire.send(command("AUTH", "bob", password) + command("WHOAMI"))
            waiting = {wire.socket: (i, wire) for i, wire in enumerate(wires)}
            pings_meanwhile = 0

            def all_answered():
                nonlocal pings_meanwhile
                self.assertEqual(inside.ask("PING"), "PONG")
                for sock in select.select(list(waiting), [], [], 0)[0]:
                    i, wire = waiting.pop(sock)
                    if i % 5:
                        self.assertEqual(wire.reply(), "OK")
                        self.assertEqual(fields(wire.reply())["person"], "bob")
                    else:
                        self.assert_error(wire.reply(), "WRONGPASS")
                        self.assert_error(wire.reply(), "NOAUTH")
                pings_meanwhile += len(waiting) > 0
                return not waiting

            wait_until("all logins are answered", all_answered, 60)
            self.assertGreater(pings_meanwhile, 0)
            for wire in wires:
                wire.close()

    def test_a_client_that_leaves_during_its_login_does_no_harm(self):
        for _ in range(20):
            wire = self.bank.wire(terminal="bob")
            wire.send(command("AUTH", "bob", self.bank.passwords["bob"]))
            wire.close()
        with self.bank.wire("bob") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")


class Users(BankTest):
    """USER: an admin keeps the people of the book."""

    settings = ("server.password-memory-kib=4096",)

    def setUp(self):
        self.admin = self.bank.wire("admin")
        self.addCleanup(self.admin.close)

    def person(self, *more):
        name = fresh_name()
        self.assertEqual(self.admin.ask("USER", "ADD", name, "a long password", *more), "OK")
        return name

    def log_in(self, name, password="a long password"):
        return self.bank.wire(name, terminal="alice", password=password)

    def row(self, name):
        after = ()
        while True:
            rows = [fields(row) for row in self.admin.ask("USER", "LIST", *after)]
            self.assertTrue(rows, f"{name} is not in the list")
            for row in rows:
                if row["person"] == name:
                    return row
            after = ("AFTER", rows[-1]["person"])

    def test_only_an_admin_may(self):
        for who in ("alice", "till"):
            with self.bank.wire(who) as wire:
                for words in (("LIST",), ("ADD", "x", "a long password"), ("DEL", "bob"),
                              ("ROLE", who, "admin"), ("LOCK", "admin"), ("NAME", who, "x"),
                              ("PASSWD", "admin", "a long password")):
                    self.assert_error(wire.ask("USER", *words), "NOPERM", "your role")

    def test_each_is_listed_with_what_there_is_to_know(self):
        name = self.person("ROLE", "auditor")
        self.assertEqual(self.row(name), {"person": name, "role": "auditor", "state": "active",
                                          "name": "", "pin": "none"})
        self.assertEqual(self.admin.ask("USER", "NAME", name, "Zoë: a & b"), "OK")
        with self.log_in(name) as wire:
            self.assertEqual(wire.ask("PIN", "SET", "a long password", "1234"), "OK")
        self.assertEqual(self.admin.ask("USER", "LOCK", name), "OK")
        row = self.row(name)
        self.assertEqual((row["state"], row["name"], row["pin"]), ("locked", "Zoë: a & b", "set"))
        first = [fields(one)["person"] for one in self.admin.ask("USER", "LIST")]
        self.assertEqual(first[:4], ["alice", "bob", "till", "admin"])
        self.assert_error(self.admin.ask("USER", "LIST", "AFTER", "nobody"), "ERR", "no person")
        self.assert_error(self.admin.ask("USER", "LIST", "BEFORE", "bob"), "ERR", "syntax")

    def test_all_of_it_may_be_sent_again(self):
        """P10."""
        name = fresh_name()
        for words in (("ADD", name, "a long password", "ROLE", "till"), ("ROLE", name, "customer"),
                      ("NAME", name, "Somebody"), ("PASSWD", name, "another password"),
                      ("LOCK", name), ("UNLOCK", name), ("NAME", name, ""), ("DEL", name)):
            for _ in range(3):
                self.assertEqual(self.admin.ask("USER", *words), "OK", words)
        entries = fields(self.admin.ask("CHECKPOINT"))["entry"]
        self.assertEqual(self.admin.ask("USER", "DEL", name), "OK")
        self.assertEqual(fields(self.admin.ask("CHECKPOINT"))["entry"], entries)
        self.assert_error(self.admin.ask("USER", "ADD", name, "another password"), "EXISTS")
        self.assert_error(self.admin.ask("REGISTER", name, "another password"), "EXISTS")

    def test_what_is_added_twice_with_another_role_or_password_exists(self):
        name = self.person("ROLE", "till")
        self.assert_error(self.admin.ask("USER", "ADD", name, "another password", "ROLE", "till"),
                          "EXISTS")
        self.assert_error(self.admin.ask("USER", "ADD", name, "a long password"), "EXISTS")

    def test_a_change_that_takes_rights_ends_open_logins(self):
        for words, again in ((("ROLE", "till"), True), (("PASSWD", "another password"), False),
                             (("LOCK",), False), (("DEL",), False)):
            name = self.person()
            with self.log_in(name) as wire:
                self.assertEqual(wire.ask("PING"), "PONG")
                self.assertEqual(self.admin.ask("USER", words[0], name, *words[1:]), "OK")
                self.assert_error(wire.ask("PING"), "NOAUTH", "log in again")
                reply = wire.ask("AUTH", name, "a long password")
                if again:
                    self.assertEqual(reply, "OK")
                    self.assertEqual(fields(wire.ask("WHOAMI"))["role"], "till")
                else:
                    self.assert_error(reply, "WRONGPASS")
        name = self.person()
        with self.log_in(name) as wire:
            self.assertEqual(self.admin.ask("USER", "NAME", name, "x"), "OK")
            self.assertEqual(self.admin.ask("USER", "UNLOCK", name), "OK")
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_a_login_on_its_way_meets_the_lock(self):
        for _ in range(5):
            name = self.person()
            with self.bank.wire(terminal="alice") as wire:
                wire.send(command("AUTH", name, "a long password") + command("PING"))
                self.assertEqual(self.admin.ask("USER", "LOCK", name), "OK")
                first, second = wire.reply(), wire.reply()
                if first == "OK":  # It was in before, and is out now.
                    second = wire.ask("PING")
                else:
                    self.assert_error(first, "WRONGPASS")
                self.assert_error(second, "NOAUTH")

    def test_an_admins_password_for_somebody_opens_the_account_again(self):
        name = self.person()
        self.assertEqual(self.admin.ask("USER", "PASSWD", name, "given by admin"), "OK")
        with self.bank.wire(terminal="alice") as wire:
            self.assert_error(wire.ask("AUTH", name, "a long password"), "WRONGPASS")
            self.assertEqual(wire.ask("AUTH", name, "given by admin"), "OK")
        for password in ("short", "x" * 129, ""):
            self.assert_error(self.admin.ask("USER", "PASSWD", name, password), "ERR",
                              "a password has")
            self.assert_error(self.admin.ask("USER", "ADD", fresh_name(), password), "ERR",
                              "a password has")

    def test_who_is_removed_is_gone_for_good_and_only_without_money(self):
        name = self.person()
        with self.bank.wire("till") as till:
            self.assertNotIsInstance(till.ask("DEPOSIT", "+", "5.00", name), Error)
            self.assert_error(self.admin.ask("USER", "DEL", name), "STATE", "still has money")
            self.assertNotIsInstance(till.ask("WITHDRAW", "+", "5.00", name), Error)
            self.assertNotIsInstance(till.ask("DEPOSIT", "+", "5.00", "alice"), Error)
            with self.bank.wire("alice") as alice:
                hold = fields(alice.ask("HOLD", "+", name, "1.00"))["hold"]
            self.assert_error(self.admin.ask("USER", "DEL", name), "STATE", "still has holds")
            self.assertNotIsInstance(till.ask("VOID", "+", hold), Error)
            self.assertEqual(self.admin.ask("USER", "DEL", name), "OK")
            self.assert_error(till.ask("DEPOSIT", "+", "5.00", name), "CLOSED")
        self.assertEqual(self.row(name)["state"], "removed")
        for words in (("ROLE", name, "till"), ("LOCK", name), ("UNLOCK", name), ("NAME", name, "x"),
                      ("PASSWD", name, "a long password")):
            self.assert_error(self.admin.ask("USER", *words), "STATE", "was removed")
        self.bank.restart()
        with self.bank.wire(terminal="alice") as wire:
            self.assert_error(wire.ask("AUTH", name, "a long password"), "WRONGPASS")
        with open(self.bank.path("data", "passwd"), encoding="ascii") as file:
            self.assertIn(f"{name}:customer:removed:\n", file.read())

    def test_the_last_active_admin_stays(self):
        last = "the last active admin stays"
        for words in (("DEL", "admin"), ("LOCK", "admin"), ("ROLE", "admin", "customer")):
            self.assert_error(self.admin.ask("USER", *words), "STATE", last)
        name = self.person("ROLE", "admin")
        with self.log_in(name) as other:
            self.assertEqual(other.ask("USER", "ROLE", "admin", "till"), "OK")
            self.assert_error(self.admin.ask("USER", "LIST"), "NOAUTH")
            self.assert_error(other.ask("USER", "LOCK", name), "STATE", last)
            self.assertEqual(other.ask("USER", "ROLE", "admin", "admin"), "OK")

    def test_bad_words_are_named(self):
        name = self.person()
        self.assert_error(self.admin.ask("USER", "ROLE", name, "boss"), "ERR",
                          "a role is one of customer till treasurer auditor admin")
        self.assert_error(self.admin.ask("USER", "ADD", fresh_name(), "a long password", "ROLE",
                                         "boss"), "ERR", "a role is one of")
        self.assert_error(self.admin.ask("USER", "ADD", fresh_name(), "a long password", "till"),
                          "ERR", "syntax")
        self.assert_error(self.admin.ask("USER", "LOCK", "nobody"), "ERR", "no person of that name")
        self.assert_error(self.admin.ask("USER", "LOCK"), "ERR", "syntax")
        self.assert_error(self.admin.ask("USER", "BAN", name), "ERR", "try LIST, ADD, DEL")
        for title in ("a\tb", b"\xff", "x" * 64, "\u0085"):
            self.assert_error(self.admin.ask("USER", "NAME", name, title), "ERR", "63 bytes")
        self.assertEqual(self.admin.ask("USER", "NAME", name, "\u20ac" * 21), "OK")
        for words in (("ADD", "cash", "a long password"), ("ADD", "A", "a long password")):
            self.assertIsInstance(self.admin.ask("USER", *words), Error)

    def test_all_of_it_is_decided_the_same_again(self):
        name = self.person("ROLE", "till")
        for words in (("NAME", name, "x"), ("LOCK", name), ("UNLOCK", name),
                      ("ROLE", name, "customer"), ("PASSWD", name, "another password"),
                      ("DEL", name)):
            self.assertEqual(self.admin.ask("USER", *words), "OK")
        said = self.bank.check()
        self.assertIn("the books sum to zero", said)
        self.assertIn("agrees with the journal", said)
        self.bank.start()


class InAGroup(BankTest):
    settings = ("server.password-memory-kib=4096",)

    def test_nobody_logs_in_between_multi_and_exec(self):
        """P6: what is queued is booked by whoever queued it."""
        with self.bank.wire("alice") as wire:
            wire.ask("DEPOSIT", "+", "10.00")
            self.assertEqual(wire.ask("MULTI"), "OK")
            self.assertEqual(wire.ask("TRANSFER", "g", "bob", "1.00"), "QUEUED")
            for words in (("AUTH", "bob", self.bank.passwords["bob"]),
                          ("HELLO", 3, "AUTH", "bob", self.bank.passwords["bob"]),
                          ("AUTH", "bob", "a wrong password"),
                          ("PASSWD", self.bank.passwords["alice"], "another password"),
                          ("PIN", "SET", self.bank.passwords["alice"], "1234"),
                          ("REGISTER", "x", "a long password")):
                self.assert_error(wire.ask(*words), "ERR",
                                  "only commands that move money may be queued")
            self.assert_error(wire.ask("EXEC"), "EXECABORT")
            self.assertEqual(fields(wire.ask("WHOAMI"))["person"], "alice")

    def test_a_password_of_a_megabyte_is_refused_without_being_taken_in(self):
        with self.bank.wire() as wire:
            wire.send(b"*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$1048576\r\n")
            self.assert_error(wire.reply(), "ERR")
            self.assertTrue(wire.ends())
        with self.bank.wire("admin") as wire:
            wire.send(b"*4\r\n$4\r\nUSER\r\n$6\r\nPASSWD\r\n$3\r\nbob\r\n$1048576\r\n")
            self.assert_error(wire.reply(), "ERR")
        with self.bank.wire("bob") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")


if __name__ == "__main__":
    unittest.main()
