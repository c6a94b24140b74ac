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
        for reply in replies:
            if reply != "OK":
                self.assert_error(reply, "EXISTS")

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


if __name__ == "__main__":
    unittest.main()
