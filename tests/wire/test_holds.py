"""HOLD, CAPTURE and VOID: money reserved first and moved later; ACCOUNT: accounts of their own."""

import unittest

from bank import Bank, BankTest
from resp import Error, wait_until


class Holds(BankTest):
    settings = ("server.refused-per-minute=6000",)

    def setUp(self):
        self.alice = self.bank.wire("alice")
        self.bob = self.bank.wire("bob")
        self.till = self.bank.wire("till")
        self.addCleanup(self.alice.close)
        self.addCleanup(self.bob.close)
        self.addCleanup(self.till.close)

    def fresh(self, wire, amount):
        """Ends what other tests left open, empties the account and pays in that much."""
        for number in range(1, 64):
            self.till.ask("VOID", "+", number)
        have = wire.ask("BALANCE").decode()
        if float(have) > 0:
            wire.ask("WITHDRAW", "+", have)
        if amount:
            wire.ask("DEPOSIT", "+", amount)

    def hold(self, name, amount, *more):
        reply = self.alice.ask("HOLD", name, "bob", amount, *more)
        self.assertNotIsInstance(reply, Error, reply)
        return dict(zip(reply[::2], reply[1::2]))[b"hold"]

    def balance(self, wire):
        return wire.ask("BALANCE").decode()

    def test_held_money_cannot_be_spent_and_is_still_there(self):
        self.fresh(self.alice, "10.00")
        self.hold("h1", "7.00")
        self.assertEqual(self.balance(self.alice), "10.00")
        self.assert_error(self.alice.ask("TRANSFER", "h1-t", "bob", "3.01"), "FUNDS")
        self.assert_error(self.alice.ask("HOLD", "h1-h", "bob", "3.01"), "FUNDS")
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "h1-u", "bob", "3.00"), Error)

    def test_a_capture_moves_all_or_a_part_and_frees_the_rest(self):
        self.fresh(self.alice, "10.00")
        self.fresh(self.bob, "0")
        whole = self.hold("c1", "4.00")
        part = self.hold("c2", "5.00")
        self.assertNotIsInstance(self.bob.ask("CAPTURE", "c1-c", whole), Error)
        self.assertEqual((self.balance(self.alice), self.balance(self.bob)), ("6.00", "4.00"))
        self.assertNotIsInstance(self.bob.ask("CAPTURE", "c2-c", part, "1.50"), Error)
        self.assertEqual((self.balance(self.alice), self.balance(self.bob)), ("4.50", "5.50"))
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "c-all", "bob", "4.50"), Error)
        self.assert_error(self.bob.ask("CAPTURE", "c2-again", part), "STATE")

    def test_more_than_was_held_is_not_captured(self):
        self.fresh(self.alice, "10.00")
        number = self.hold("m1", "2.00")
        self.assert_error(self.bob.ask("CAPTURE", "m1-c", number, "2.01"), "AMOUNT")
        self.assertNotIsInstance(self.bob.ask("CAPTURE", "m1-c", number, "2.00"), Error)

    def test_a_void_moves_nothing_and_frees_all(self):
        self.fresh(self.alice, "10.00")
        number = self.hold("v1", "10.00")
        self.assertNotIsInstance(self.bob.ask("VOID", "v1-v", number), Error)
        self.assertEqual(self.balance(self.alice), "10.00")
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "v1-t", "bob", "10.00"), Error)
        self.assert_error(self.bob.ask("VOID", "v1-w", number), "STATE")
        self.assert_error(self.bob.ask("CAPTURE", "v1-c", number), "STATE")

    def test_the_payer_can_end_no_hold_that_runs(self):
        self.fresh(self.alice, "10.00")
        number = self.hold("p1", "1.00")
        self.assert_error(self.alice.ask("CAPTURE", "p1-c", number), "NOPERM")
        self.assert_error(self.alice.ask("VOID", "p1-v", number), "NOPERM")
        self.assertNotIsInstance(self.till.ask("VOID", "p1-v", number), Error)

    def test_every_answer_is_given_again(self):
        self.fresh(self.alice, "10.00")
        first = self.alice.ask("HOLD", "r1", "bob", "2.00", "EXPIRES", "3600")
        self.assertEqual(self.alice.ask("HOLD", "r1", "bob", "2.00", "EXPIRES", "3600"), first)
        self.assert_error(self.alice.ask("HOLD", "r1", "bob", "2.00"), "EXISTS", "expires")
        self.assert_error(self.alice.ask("HOLD", "r1", "till", "2.00", "EXPIRES", "3600"),
                          "EXISTS", "to")
        self.assert_error(self.alice.ask("TRANSFER", "r1", "bob", "2.00"), "EXISTS", "command")
        number = dict(zip(first[::2], first[1::2]))[b"hold"]
        taken = self.bob.ask("CAPTURE", "r1-c", number)
        self.assertNotIsInstance(taken, Error)
        self.assertEqual(self.bob.ask("CAPTURE", "r1-c", number), taken)
        self.assert_error(self.bob.ask("CAPTURE", "r1-c", number, "2.00"), "EXISTS", "amount")
        refused = self.bob.ask("VOID", "r1-v", number)
        self.assert_error(refused, "STATE")
        self.assertEqual(self.bob.ask("VOID", "r1-v", number).line, refused.line)

    def test_a_hold_that_was_never_made_is_not_open(self):
        self.assert_error(self.bob.ask("CAPTURE", "n1", "999999"), "STATE")
        for word in ("0", "-1", "x", "1.0", ""):
            self.assert_error(self.bob.ask("VOID", "n2", word), "ERR")

    def test_bad_words_are_refused(self):
        for words in (("HOLD", "b1", "bob", "1.00", "EXPIRES"),
                      ("HOLD", "b1", "bob", "1.00", "EXPIRES", "0"),
                      ("HOLD", "b1", "bob", "1.00", "EXPIRES", "99999999999"),
                      ("HOLD", "b1", "bob", "1.00", "SOON", "5")):
            self.assert_error(self.alice.ask(*words), "ERR")
        self.assert_error(self.alice.ask("HOLD", "b2", "nobody", "1.00"), "NOACCT")
        self.assert_error(self.alice.ask("HOLD", "b3", "cash", "1.00"), "NOPERM")
        self.assert_error(self.alice.ask("HOLD", "b4", "alice", "1.00"), "ERR")

    def test_an_expired_hold_is_released_before_anything_else(self):
        self.fresh(self.alice, "10.00")
        number = self.hold("e1", "10.00", "EXPIRES", "1")

        def spent():
            reply = self.alice.ask("TRANSFER", "+", "bob", "10.00")
            return not isinstance(reply, Error)

        wait_until("the hold has expired", spent, 60)
        self.assert_error(self.bob.ask("CAPTURE", "e1-c", number), "STATE")
        self.fresh(self.alice, "10.00")
        number = self.hold("e2", "10.00", "EXPIRES", "1")

        def expired():
            reply = self.till.ask("CAPTURE", "+", number, "10.01")
            return isinstance(reply, Error) and reply.word == "EXPIRED"

        wait_until("a capture finds it expired", expired, 60)

    def test_the_statement_shows_holds_that_move_nothing(self):
        self.fresh(self.alice, "10.00")
        number = self.hold("s1", "4.00")
        self.bob.ask("CAPTURE", "s1-c", number, "1.00")
        with self.bank.wire("alice", protocol=3) as wire:
            capture, hold = wire.ask("STATEMENT", "COUNT", "2")
        self.assertEqual((capture[b"operation"], capture[b"amount"], capture[b"balance"]),
                         (b"capture", b"-1.00", self.balance(self.alice).encode()))
        self.assertEqual((hold[b"operation"], hold[b"amount"], hold[b"hold"]),
                         (b"hold", b"0.00", number))


class Kept(unittest.TestCase):
    def test_holds_survive_a_kill_and_a_checkpoint(self):
        with Bank() as bank:
            with bank.wire("alice") as alice:
                one = alice.ask("HOLD", "k1", "bob", "5.00")
                two = alice.ask("HOLD", "k2", "bob", "6.00")
            with bank.wire("bob") as bob:
                refused = bob.ask("VOID", "k9", "99").line
            bank.kill()
            bank.start()
            with bank.wire("admin") as admin:
                digest = admin.ask("DIGEST")
                admin.ask("CHECKPOINT")
            bank.kill()
            bank.start()
            with bank.wire("admin") as admin:
                self.assertEqual(admin.ask("DIGEST"), digest)
            with bank.wire("alice") as alice, bank.wire("bob") as bob:
                self.assertEqual(alice.ask("HOLD", "k1", "bob", "5.00"), one)
                self.assertEqual(bob.ask("VOID", "k9", "99").line, refused)
                bob.ask("CAPTURE", "k1-c", one[5])
                bob.ask("VOID", "k2-v", two[5])
                again = alice.ask("HOLD", "k3", "bob", "1.00")
                self.assertGreater(again[5], two[5], "a number was used again")
            self.assertIn("sum to zero", bank.check())

    def test_a_full_table_of_holds_is_an_answer(self):
        with Bank(settings=("limits.holds=16",)) as bank:
            with bank.wire("alice") as alice, bank.wire("bob") as bob:
                numbers = [alice.ask("HOLD", f"f{i}", "bob", "0.10")[5] for i in range(16)]
                self.assertEqual(alice.ask("HOLD", "f16", "bob", "0.10").word, "OOM")
                bob.ask("VOID", "f-v", numbers[3])
                self.assertNotIsInstance(alice.ask("HOLD", "f16", "bob", "0.10"), Error)
            self.assertIn("sum to zero", bank.check())


class Accounts(BankTest):
    def test_accounts_are_opened_bounded_and_closed(self):
        with self.bank.wire("admin") as admin, self.bank.wire("alice") as alice:
            self.assertEqual(admin.ask("ACCOUNT", "OPEN", "darts", "OWNER", "alice"), "OK")
            self.assertEqual(admin.ask("ACCOUNT", "OPEN", "darts", "OWNER", "alice"), "OK")
            self.assert_error(admin.ask("ACCOUNT", "OPEN", "darts", "OWNER", "bob"), "EXISTS")
            alice.ask("TRANSFER", "a1", "darts", "3.00")
            self.assertEqual(alice.ask("BALANCE", "darts"), b"3.00")
            alice.ask("TRANSFER", "a2", "bob", "1.00", "FROM", "darts")
            self.assertEqual(alice.ask("BALANCE", "darts"), b"2.00")
            self.assert_error(admin.ask("ACCOUNT", "CLOSE", "darts"), "STATE")
            self.assertEqual(admin.ask("ACCOUNT", "LIMIT", "darts", "-5.00", "10.00"), "OK")
            self.assertEqual(admin.ask("ACCOUNT", "LIMIT", "darts", "-5.00", "10.00"), "OK")
            self.assertNotIsInstance(alice.ask("TRANSFER", "a3", "bob", "7.00", "FROM", "darts"),
                                     Error)
            self.assert_error(alice.ask("TRANSFER", "a4", "bob", "0.01", "FROM", "darts"), "FUNDS")
            self.assert_error(alice.ask("TRANSFER", "a5", "darts", "15.01"), "LIMIT")
            self.assertNotIsInstance(alice.ask("TRANSFER", "a6", "darts", "5.00"), Error)
            self.assertEqual(admin.ask("ACCOUNT", "CLOSE", "darts"), "OK")
            self.assertEqual(admin.ask("ACCOUNT", "CLOSE", "darts"), "OK")
            self.assert_error(alice.ask("TRANSFER", "a7", "darts", "1.00"), "CLOSED")
            self.assert_error(alice.ask("TRANSFER", "a7", "darts", "1.00"), "CLOSED")
            listed = [dict(zip(row[::2], row[1::2])) for row in admin.ask("ACCOUNT", "LIST")]
            darts = [row for row in listed if row[b"account"] == b"darts"][0]
            self.assertEqual((darts[b"state"], darts[b"balance"]), (b"closed", b"0.00"))
            self.assertEqual(admin.ask("ACCOUNT", "LIST", "AFTER", "darts"), [])

    def test_only_those_who_keep_accounts_may(self):
        with self.bank.wire("alice") as alice:
            for words in (("OPEN", "x"), ("CLOSE", "bob"), ("LIMIT", "bob", "0", "1"), ("LIST",)):
                self.assert_error(alice.ask("ACCOUNT", *words), "NOPERM")
        with self.bank.wire("admin") as admin:
            for words in (("OPEN", "Bad"), ("OPEN", "cash"), ("OPEN", "z", "OWNER", "nobody"),
                          ("LIMIT", "bob", "5", "1"), ("NOPE",), ("LIST", "AFTER")):
                self.assert_error(admin.ask("ACCOUNT", *words), "ERR")
            self.assert_error(admin.ask("ACCOUNT", "LIMIT", "bob", "x", "1"), "AMOUNT")
            self.assert_error(admin.ask("ACCOUNT", "CLOSE", "nobody"), "NOACCT")
            self.assert_error(admin.ask("ACCOUNT", "CLOSE", "shop"), "NOPERM")
