"""PINs: what a movement above an amount needs, and what wrong ones come to."""

import itertools
import unittest

from bank import BankTest
from resp import Error, command, fields

numbers = itertools.count(1)


class PinTest(BankTest):
    settings = ("server.password-memory-kib=4096", "server.pin-above=20.00",
                "terminal kiosk.pin-above=5.00", "terminal bob.pin-above=0")

    def person(self, pin=None, role="customer", money="1000.00"):
        """A new person, logged in, with some money and this PIN."""
        name = f"person{next(numbers)}"
        with self.bank.wire("admin") as admin:
            self.assertEqual(admin.ask("USER", "ADD", name, "a long password", "ROLE", role), "OK")
        self.bank.passwords[name] = "a long password"
        wire = self.bank.wire(name, terminal="alice")
        self.addCleanup(wire.close)
        if pin is not None:
            self.assertEqual(wire.ask("PIN", "SET", "a long password", pin), "OK")
        with self.bank.wire("till", terminal="till") as till:
            for _ in range(int(float(money)) // 20):
                self.assertNotIsInstance(till.ask("DEPOSIT", "+", "20.00", name), Error)
        return name, wire

    def balance(self, wire):
        return wire.ask("BALANCE").decode()


class Pins(PinTest):
    def test_a_movement_above_the_amount_needs_it(self):
        name, wire = self.person("1234")
        self.assertNotIsInstance(wire.ask("TRANSFER", "a", "bob", "20.00"), Error)
        needed = "a PIN is needed above 20.00: end the command with PIN and the PIN"
        for words in (("TRANSFER", "b", "bob", "20.01"), ("HOLD", "c", "bob", "20.01"),
                      ("WITHDRAW", "d", "20.01"), ("DEPOSIT", "e", "20.01"),
                      ("TRANSFER", "f", "bob", "20.01", "MEMO", "PIN 1234")):
            self.assert_error(wire.ask(*words), "NOPERM", needed)
        before = self.balance(wire)
        paid = wire.ask("TRANSFER", "b", "bob", "30.00", "MEMO", "rent", "PIN", "1234")
        self.assertEqual(float(fields(paid)["balance"]), float(before) - 30)
        held = wire.ask("HOLD", "c", "bob", "20.01", "EXPIRES", "60", "PIN", "1234")
        self.assertNotIsInstance(held, Error)
        self.assertNotIsInstance(wire.ask("VOID", "v", fields(held)["hold"]), (str,))
        # The PIN is no part of what the id is compared by, and needed again for the first answer.
        self.assert_error(wire.ask("TRANSFER", "b", "bob", "30.00", "MEMO", "rent"), "NOPERM", needed)
        self.assertEqual(wire.ask("TRANSFER", "b", "bob", "30.00", "MEMO", "rent", "pin", "1234"),
                         paid)
        self.assertEqual(self.bank.wire(name, terminal="till").ask(
            "TRANSFER", "b", "bob", "30.00", "MEMO", "rent", "PIN", "1234"), paid)

    def test_the_terminals_bound_goes_before_the_servers(self):
        name, _ = self.person("123456")
        with self.bank.wire(name, terminal="kiosk") as wire:
            self.assertNotIsInstance(wire.ask("TRANSFER", "a", "bob", "5.00"), Error)
            self.assert_error(wire.ask("TRANSFER", "b", "bob", "5.01"), "NOPERM", "above 5.00")
            self.assertNotIsInstance(wire.ask("TRANSFER", "b", "bob", "5.01", "PIN", "123456"),
                                     Error)
        with self.bank.wire(name, terminal="bob") as wire:
            self.assert_error(wire.ask("TRANSFER", "c", "bob", "0.01"), "NOPERM", "above 0.00")
            self.assertNotIsInstance(wire.ask("TRANSFER", "c", "bob", "0.01", "PIN", "123456"),
                                     Error)

    def test_who_has_none_is_told_how_to_set_one(self):
        _, wire = self.person()
        self.assert_error(wire.ask("TRANSFER", "a", "bob", "30.00"), "NOPERM", "a PIN is needed")
        self.assert_error(wire.ask("TRANSFER", "a", "bob", "30.00", "PIN", "1234"), "NOPERM",
                          "no PIN is set; set one with PIN SET and your password")
        self.assertEqual(wire.ask("PIN", "SET", "a long password", "1234"), "OK")
        self.assertNotIsInstance(wire.ask("TRANSFER", "a", "bob", "30.00", "PIN", "1234"), Error)

    def test_setting_one_takes_the_password_and_may_be_sent_again(self):
        _, wire = self.person()
        for text in ("123", "1234567890123", "12345a", "", "-1234", "12 34", "1234\n", "\u0661234"):
            self.assert_error(wire.ask("PIN", "SET", "a long password", text), "ERR",
                              "a PIN has 4 to 12 digits")
        self.assert_error(wire.ask("PIN", "SET", "a wrong password", "1234"), "WRONGPASS")
        self.assert_error(wire.ask("PIN", "SET", "", "1234"), "WRONGPASS")
        self.assert_error(wire.ask("PIN", "SET", "x" * 15000, "1234"), "WRONGPASS")
        for _ in range(3):
            self.assertEqual(wire.ask("PIN", "SET", "a long password", "123456789012"), "OK")
        wire.send(command("PIN", "SET", "a long password", "4711") +
                  command("TRANSFER", "a", "bob", "30.00", "PIN", "4711"))
        self.assertEqual(wire.reply(), "OK")
        self.assertNotIsInstance(wire.reply(), Error)
        self.assert_error(wire.ask("PIN"), "ERR")
        self.assert_error(wire.ask("PIN", "FORGET", "x"), "ERR", "SET or UNLOCK")
        self.assert_error(wire.ask("PIN", "SET", "1234"), "ERR", "syntax")

    def test_three_wrong_ones_in_a_row_lock_it_for_all_sessions(self):
        name, wire = self.person("1234")
        other = self.bank.wire(name, terminal="till")
        right = ("TRANSFER", "r", "bob", "30.00", "PIN", "1234")
        for _ in range(2):  # A right one in between begins the count anew.
            for session in (wire, other):
                self.assert_error(session.ask("TRANSFER", "w", "bob", "30.00", "PIN", "9999"),
                                  "WRONGPASS", "the PIN is wrong")
            self.assertNotIsInstance(wire.ask(*right), Error)
        for session in (wire, other):
            self.assert_error(session.ask("TRANSFER", "w", "bob", "30.00", "PIN", "9999"),
                              "WRONGPASS")
        locked = "the PIN is locked; a till or an admin unlocks it"
        self.assert_error(wire.ask("TRANSFER", "w", "bob", "30.00", "PIN", "9998"), "NOPERM", locked)
        for session in (wire, other):
            self.assert_error(session.ask(*right), "NOPERM", locked)
        self.assertNotIsInstance(wire.ask("TRANSFER", "s", "bob", "1.00"), Error)
        # Neither a new PIN nor a restart is a way around it.
        self.assert_error(wire.ask("PIN", "SET", "a long password", "5555"), "NOPERM", locked)
        self.bank.restart()
        with self.bank.wire(name, terminal="alice") as session:
            self.assert_error(session.ask(*right), "NOPERM", locked)
            self.assert_error(session.ask("PIN", "UNLOCK", name), "NOPERM", "a till or an admin")
            for who in ("till", "admin"):
                with self.bank.wire(who) as keeper:
                    for _ in range(2):
                        self.assertEqual(keeper.ask("PIN", "UNLOCK", name), "OK")
                self.assertNotIsInstance(session.ask(*right), Error)
                for number in range(3):
                    self.assertIsInstance(session.ask("TRANSFER", "w", "bob", "30.00", "PIN",
                                                      "9999"), Error)
                self.assert_error(session.ask(*right), "NOPERM", locked)
        with self.bank.wire("admin") as admin:
            rows = {fields(row)["person"]: fields(row)["pin"] for row in admin.ask("USER", "LIST")}
            self.assertEqual(rows[name], "locked")
            self.assert_error(admin.ask("PIN", "UNLOCK", "nobody"), "ERR", "no person")
            self.assert_error(admin.ask("PIN", "UNLOCK", "bob"), "STATE", "no PIN is set")

    def test_nobody_unlocks_the_own(self):
        """Else whoever may unlock would have as many guesses as there is time for."""
        own = "somebody else unlocks your PIN"
        for role in ("till", "admin"):
            name, wire = self.person("1234", role=role)
            self.assert_error(wire.ask("PIN", "UNLOCK", name), "NOPERM", own)
            if role == "admin":  # Admins move no money: that PIN is never asked for.
                continue
            for _ in range(3):
                self.assertIsInstance(wire.ask("DEPOSIT", "w", "30.00", "bob", "PIN", "9999"), Error)
            self.assert_error(wire.ask("PIN", "UNLOCK", name), "NOPERM", own)
            self.assert_error(wire.ask("DEPOSIT", "r", "30.00", "bob", "PIN", "1234"), "NOPERM",
                              "the PIN is locked")
            with self.bank.wire("admin") as admin:
                self.assertEqual(admin.ask("PIN", "UNLOCK", name), "OK")
            self.assertNotIsInstance(wire.ask("DEPOSIT", "r", "30.00", "bob", "PIN", "1234"), Error)

    def test_many_guesses_at_once_are_no_more_than_three(self):
        name, _ = self.person("4321")
        wires = [self.bank.wire(name, terminal="alice") for _ in range(12)]
        for i, wire in enumerate(wires):
            guess = "4321" if i == len(wires) - 1 else f"000{i % 10}"
            wire.send(command("TRANSFER", f"g{i}", "bob", "30.00", "PIN", guess))
        replies = [wire.reply() for wire in wires]
        for wire in wires:
            wire.close()
        words = [reply.word if isinstance(reply, Error) else "paid" for reply in replies]
        self.assertLessEqual(words.count("WRONGPASS"), 3, words)
        self.assertNotIn("paid", words, "it was locked before that one")

    def test_in_a_group_it_is_looked_at_when_queued(self):
        _, wire = self.person("1234")
        before = float(self.balance(wire))
        self.assertEqual(wire.ask("MULTI"), "OK")
        self.assertEqual(wire.ask("TRANSFER", "m1", "bob", "30.00", "PIN", "1234"), "QUEUED")
        self.assertEqual(wire.ask("TRANSFER", "m2", "bob", "1.00"), "QUEUED")
        self.assertEqual(len(wire.ask("EXEC")), 2)
        self.assertEqual(float(self.balance(wire)), before - 31)
        for words, word in ((("TRANSFER", "m3", "bob", "30.00"), "NOPERM"),
                            (("TRANSFER", "m3", "bob", "30.00", "PIN", "9999"), "WRONGPASS")):
            self.assertEqual(wire.ask("MULTI"), "OK")
            self.assertEqual(wire.ask("TRANSFER", "m4", "bob", "1.00"), "QUEUED")
            self.assert_error(wire.ask(*words), word)
            self.assert_error(wire.ask("EXEC"), "EXECABORT")
        self.assertEqual(float(self.balance(wire)), before - 31)

    def test_captures_and_reversals_need_it_by_what_they_move(self):
        name, wire = self.person("1234", role="treasurer")
        hold = fields(wire.ask("HOLD", "h", "till", "30.00", "PIN", "1234"))["hold"]
        small = fields(wire.ask("HOLD", "s", "till", "3.00"))["hold"]
        with self.bank.wire("till") as till:
            self.assertEqual(till.ask("PIN", "SET", self.bank.passwords["till"], "8888"), "OK")
            self.assertNotIsInstance(till.ask("CAPTURE", "c0", small), Error)
            self.assert_error(till.ask("CAPTURE", "c1", hold), "NOPERM", "a PIN is needed")
            self.assert_error(till.ask("CAPTURE", "c1", hold, "PIN", "1234"), "WRONGPASS")
            done = till.ask("CAPTURE", "c1", hold, "PIN", "8888")
            self.assertNotIsInstance(done, Error)
            self.assert_error(till.ask("CAPTURE", "c1", hold), "NOPERM", "a PIN is needed")
            self.assertEqual(till.ask("CAPTURE", "c1", hold, "PIN", "8888"), done)
            self.assert_error(till.ask("CAPTURE", "c2", hold), "STATE", "is not open")
        paid = fields(wire.ask("TRANSFER", "t", "bob", "25.00", "PIN", "1234"))["entry"]
        less = fields(wire.ask("TRANSFER", "u", "bob", "2.00"))["entry"]
        self.assert_error(wire.ask("REVERSE", "v", paid), "NOPERM", "a PIN is needed above 20.00")
        self.assert_error(wire.ask("REVERSE", "v", paid, "PIN", "4321"), "WRONGPASS")
        back = wire.ask("REVERSE", "v", paid, "PIN", "1234")
        self.assertEqual(fields(back)["account"], name)
        self.assert_error(wire.ask("REVERSE", "v", paid), "NOPERM")
        self.assertEqual(wire.ask("REVERSE", "v", paid, "PIN", "1234"), back)
        self.assertNotIsInstance(wire.ask("REVERSE", "w", less), Error)

    def test_commands_behind_it_wait_and_replies_keep_their_order(self):
        _, wire = self.person("1234")
        wire.send(command("TRANSFER", "p1", "bob", "1.00") +
                  command("TRANSFER", "p2", "bob", "30.00", "PIN", "1234") +
                  command("TRANSFER", "p3", "bob", "2.00") + command("PING") +
                  command("TRANSFER", "p4", "bob", "30.00", "PIN", "1111") + command("PING"))
        balances = [float(fields(wire.reply())["balance"]) for _ in range(3)]
        self.assertEqual([balances[0] - 30, balances[1] - 2], balances[1:])
        self.assertEqual(wire.reply(), "PONG")
        self.assert_error(wire.reply(), "WRONGPASS")
        self.assertEqual(wire.reply(), "PONG")

    def test_it_is_nowhere_in_clear(self):
        name, wire = self.person("918273645")
        self.assertNotIsInstance(wire.ask("TRANSFER", "z", "bob", "30.00", "PIN", "918273645"), Error)
        self.assert_error(wire.ask("TRANSFER", "y", "bob", "30.00", "PIN", "564738291"), "WRONGPASS")
        wire.ask("PIN", "SET", "918273645 wrong", "564738291")
        self.bank.restart()
        for path in self.bank.files():
            with open(path, "rb") as file:
                content = file.read()
            for secret in (b"918273645", b"564738291", b"a long password"):
                self.assertNotIn(secret, content, path)
        with open(self.bank.path("data", "current", "people"), encoding="ascii") as file:
            self.assertIn(f"{name}::set:$argon2id$", file.read())

    def test_all_of_it_is_decided_the_same_again(self):
        _, wire = self.person("1234")
        for _ in range(3):
            wire.ask("TRANSFER", "q", "bob", "30.00", "PIN", "9999")
        said = self.bank.check()
        self.assertIn("the books sum to zero", said)
        self.assertIn("agrees with the journal", said)
        self.bank.start()


class WithoutRule(BankTest):
    settings = ("server.password-memory-kib=4096",)

    def test_where_none_is_needed_one_that_is_given_is_only_looked_at_as_text(self):
        with self.bank.wire("alice") as wire:
            self.assertNotIsInstance(wire.ask("DEPOSIT", "a", "900.00", "PIN", "0000"), Error)
            self.assert_error(wire.ask("DEPOSIT", "b", "9.00", "PIN", "none"), "ERR", "a PIN has")
            self.assertNotIsInstance(wire.ask("TRANSFER", "PIN", "bob", "1.00"), Error)


if __name__ == "__main__":
    unittest.main()
