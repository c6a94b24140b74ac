"""REVERSE, and ids that the ring over all has lost: what is answered from the journal."""

from bank import BankTest
from resp import Error, command


class Reverse(BankTest):
    settings = ("server.refused-per-minute=6000",)

    def setUp(self):
        self.till = self.bank.wire("till", protocol=3)
        self.alice = self.bank.wire("alice", protocol=3)
        self.addCleanup(self.till.close)
        self.addCleanup(self.alice.close)

    def cents(self, name):
        return round(float(self.till.ask("BALANCE", name)) * 100)

    def test_what_was_moved_is_moved_back_once(self):
        before = self.cents("alice")
        paid_in = self.till.ask("DEPOSIT", "a1", "7.00", "alice")[b"entry"]
        answer = self.till.ask("REVERSE", "a2", paid_in)
        self.assertEqual(answer[b"account"], b"alice")
        self.assertEqual(round(float(answer[b"balance"]) * 100), before)
        self.assertEqual(self.cents("alice"), before)
        self.assertEqual(self.till.ask("REVERSE", "a2", paid_in), answer)
        self.assert_error(self.till.ask("REVERSE", "a2", paid_in + 1), "EXISTS", "entry")
        self.assert_error(self.till.ask("REVERSE", "a3", paid_in), "STATE", "reversed already")
        paid_out = self.till.ask("WITHDRAW", "a4", "1.00", "alice")[b"entry"]
        answer = self.till.ask("REVERSE", "a5", paid_out)
        self.assertEqual((answer[b"account"], self.cents("alice")), (b"alice", before))

    def test_it_shows_in_the_statement(self):
        paid_in = self.till.ask("DEPOSIT", "b1", "7.00", "alice")[b"entry"]
        back = self.till.ask("REVERSE", "b2", paid_in)[b"entry"]
        newest = self.alice.ask("STATEMENT", "COUNT", 1)[0]
        self.assertEqual((newest[b"entry"], newest[b"operation"], newest[b"reversed"],
                          newest[b"amount"], newest[b"account"]),
                         (back, b"reverse", paid_in, b"-7.00", b"cash"))

    def test_not_everything_can_be_reversed(self):
        paid_in = self.till.ask("DEPOSIT", "c1", "3.00", "alice")[b"entry"]
        back = self.till.ask("REVERSE", "c2", paid_in)[b"entry"]
        self.assert_error(self.till.ask("REVERSE", "c3", back), "STATE", "moved no money")
        self.till.ask("WITHDRAW", "c4", "99999.00", "alice")
        refused = back + 2  # The refusal above is an entry, and so is REVERSE's.
        self.assert_error(self.till.ask("REVERSE", "c5", refused), "STATE", "moved no money")
        self.assert_error(self.till.ask("REVERSE", "c6", 999999), "ERR", "no entry 999999")
        for word in ("0", "-1", "x", ""):
            self.assert_error(self.till.ask("REVERSE", "c7", word), "ERR")

    def test_a_till_reverses_its_own_only(self):
        self.alice.ask("DEPOSIT", "+", "1.00")
        theirs = self.alice.ask("TRANSFER", "d1", "bob", "0.50")[b"entry"]
        self.assert_error(self.till.ask("REVERSE", "d2", theirs), "NOPERM", "treasurer")
        self.assert_error(self.till.ask("REVERSE", "d2", 5), "NOPERM", "treasurer")
        self.assert_error(self.alice.ask("REVERSE", "d3", theirs), "NOPERM")
        mine = self.till.ask("DEPOSIT", "d4", "0.50", "alice")[b"entry"]
        with self.bank.wire("till", terminal="kiosk") as other:
            self.assert_error(other.ask("REVERSE", "d5", mine), "NOPERM")
        self.assertNotIsInstance(self.till.ask("REVERSE", "d5", mine), Error)

    def test_a_floor_is_not_broken(self):
        paid_in = self.till.ask("DEPOSIT", "e1", "5.00", "bob")[b"entry"]
        with self.bank.wire("bob") as bob:
            bob.ask("TRANSFER", "+", "alice", bob.ask("BALANCE"))
        refused = self.till.ask("REVERSE", "e2", paid_in)
        self.assert_error(refused, "FUNDS", "the balance is 0.00, not enough for 5.00")
        self.till.ask("DEPOSIT", "e3", "5.00", "bob")
        self.assertEqual(self.till.ask("REVERSE", "e2", paid_in).line, refused.line)
        self.assertNotIsInstance(self.till.ask("REVERSE", "e4", paid_in), Error)

    def test_it_is_reversed_once_in_a_group_too(self):
        entry = self.till.ask("DEPOSIT", "f1", "5.00", "bob")[b"entry"]
        self.assertEqual(self.till.ask("MULTI"), "OK")
        self.assertEqual(self.till.ask("REVERSE", "f2", entry), "QUEUED")
        self.assertEqual(self.till.ask("REVERSE", "f3", entry), "QUEUED")
        self.assert_error(self.till.ask("EXEC"), "EXECABORT",
                          f"2 STATE entry {entry} has been reversed already")
        self.assertEqual(self.till.ask("MULTI"), "OK")
        self.assertEqual(self.till.ask("REVERSE", "f4", entry), "QUEUED")
        self.assertEqual(self.till.ask("DEPOSIT", "f5", "4.00", "bob"), "QUEUED")
        answer = self.till.ask("EXEC")
        self.assertEqual([one[b"entry"] for one in answer],
                         [answer[0][b"entry"], answer[0][b"entry"] + 1])
        self.assert_error(self.till.ask("REVERSE", "f6", entry), "STATE")

    def test_restarts_remember_what_was_reversed(self):
        entry = self.till.ask("DEPOSIT", "g1", "5.00", "bob")[b"entry"]
        answer = self.till.ask("REVERSE", "g2", entry)
        for end in ("kill", "stop"):
            getattr(self.bank, end)()
            self.bank.start()
            with self.bank.wire("till", protocol=3) as till:
                self.assertEqual(till.ask("REVERSE", "g2", entry), answer)
                self.assert_error(till.ask("REVERSE", f"g3-{end}", entry), "STATE")
        self.assertIn("the books sum to zero", self.bank.check())
        self.bank.start()

    def test_reverses_and_payments_in_one_pipeline_are_answered_in_order(self):
        entry = self.till.ask("DEPOSIT", "h1", "5.00", "bob")[b"entry"]
        commands = [("DEPOSIT", "h2", "1.00", "bob"), ("REVERSE", "h3", entry),
                    ("DEPOSIT", "h4", "1.00", "bob"), ("REVERSE", "h5", entry), ("PING",)]
        self.till.send(b"".join(command(*words) for words in commands))
        replies = [self.till.reply() for _ in commands]
        self.assertEqual([replies[i][b"entry"] for i in range(3)],
                         [entry + 1, entry + 2, entry + 3])
        self.assert_error(replies[3], "STATE")
        self.assertEqual(replies[4], "PONG")


class ShortReach(BankTest):
    settings = ("limits.reversible=64", "limits.ids=1024", "server.reverse-minutes=1440")

    def test_the_window_ends_where_it_says(self):
        with self.bank.wire("till", protocol=3) as till:
            first = till.ask("DEPOSIT", "a", "1.00", "bob")[b"entry"]
            second = till.ask("DEPOSIT", "b", "1.00", "bob")[b"entry"]
            newest = second
            while newest < first + 64:
                newest = till.ask("DEPOSIT", "+", "0.01", "bob")[b"entry"]
            refused = till.ask("REVERSE", "c", first)
            self.assert_error(refused, "EXPIRED", f"entry {first} is too old to be reversed")
            self.assert_error(till.ask("REVERSE", "d", second), "EXPIRED")  # `c` was an entry.
            third = till.ask("REVERSE", "e", second + 2)
            self.assertNotIsInstance(third, Error)
            self.assertEqual(till.ask("REVERSE", "c", first).line, refused.line)
        self.assertIn("the books sum to zero", self.bank.check())
        self.bank.start()

    def test_a_person_s_newest_ids_outlive_the_ring(self):
        """1,500 payments of others push alice's ids out of the ring of 1,024."""
        with self.bank.wire("alice", protocol=3) as alice:
            alice.ask("DEPOSIT", "+", "100.00")
            first = [alice.ask("TRANSFER", f"t{i}", "bob", "0.01") for i in range(40)]
            refused = alice.ask("TRANSFER", "poor", "bob", "5000.00")
            self.others_pay(1500)
            info = alice.ask("INFO", "book").decode()
            self.assertRegex(info, r"\bids_forgotten:[1-9]")
            self.assertIn("own_ids_window:32\r\nown_ids_remembered:32\r\nown_ids_forgotten:10", info)
            for restart in (None, "kill", "stop"):
                if restart:
                    alice.close()
                    getattr(self.bank, restart)()
                    self.bank.start()
                    alice = self.bank.wire("alice", protocol=3)
                # The newest 32: `poor`, and t39 back to t9.
                for i in (39, 20, 9):
                    self.assertEqual(alice.ask("TRANSFER", f"t{i}", "bob", "0.01"), first[i], i)
                    self.assert_error(alice.ask("TRANSFER", f"t{i}", "bob", "0.02"), "EXISTS",
                                      "amount")
                self.assertEqual(alice.ask("TRANSFER", "poor", "bob", "5000.00").line,
                                 refused.line)
            # Older ones are new requests again, as the page says.
            again = alice.ask("TRANSFER", "t8", "bob", "0.01")
            self.assertGreater(again[b"entry"], first[39][b"entry"])
            alice.close()
        self.assertIn("the books sum to zero", self.bank.check())
        self.bank.start()

    def others_pay(self, count):
        with self.bank.wire("till", protocol=3) as till:
            for start in range(0, count, 30):
                till.send(b"".join(command("DEPOSIT", f"o{start + i}", "0.01", "bob")
                                   for i in range(30)))
                for _ in range(30):
                    self.assertNotIsInstance(till.reply(), Error)
