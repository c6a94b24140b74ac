"""The promises about money, seen from outside: exact, once, in order, and never from nothing."""

import itertools
import threading
import unittest
from decimal import Decimal

from bank import BankTest
from resp import Error, command, fields, text

BAD_AMOUNTS = ("0", "-1", "1e3", "0.001", "9999999999999999999", "184467440737095516.17", "NaN",
               "12,50", "+1", "0x1", "", ".", "1.", ".5", "0.00", " 1", "1 ", "1\n", "\xd9\xa1")
BAD_IDS = ("", "x" * 33, "with blank", "a/b", "ümlaut", "a+b", "++", "\0", "a\n")

numbers = itertools.count(1)


def fresh_id():
    return f"t-{next(numbers)}"


class MoneyTest(BankTest):
    def setUp(self):
        self.alice = self.bank.wire("alice")
        self.addCleanup(self.alice.close)

    def balance(self, name="alice"):
        with self.bank.wire(name) as wire:
            return Decimal(wire.ask("BALANCE").decode())

    def fund(self, name, amount):
        with self.bank.wire("till") as wire:
            fields(wire.ask("DEPOSIT", fresh_id(), amount, name))

    def moved(self, wire, *words):
        """Sends a command that must succeed and gives its fields."""
        return fields(wire.ask(*words))


class Movements(MoneyTest):
    def test_every_movement_answers_entry_and_balance_first(self):
        self.fund("alice", "100")
        for words in (("TRANSFER", "bob", "1.00"), ("transfer", "bob", "1", "MEMO", "for lunch"),
                      ("TRANSFER", "bob", "1", "memo", "ä", "from", "alice")):
            before = self.balance()
            flat = self.alice.ask(words[0], fresh_id(), *words[1:])
            self.assertEqual(flat[0::2], [b"entry", b"balance"])
            self.assertIsInstance(flat[1], int)
            self.assertEqual(Decimal(flat[3].decode()), before - 1)
            self.assertEqual(self.balance(), before - 1)
        with self.bank.wire("till", 3) as till:
            for word, sign in (("DEPOSIT", 1), ("WITHDRAW", -1)):
                before = self.balance()
                real = till.ask(word, fresh_id(), "2.50", "alice")
                self.assertIsInstance(real, dict)
                self.assertEqual(list(real)[:2], [b"entry", b"balance"])
                self.assertEqual(Decimal(real[b"balance"].decode()),
                                 before + sign * Decimal("2.50"))
                self.assertEqual(self.balance(), before + sign * Decimal("2.50"))

    def test_a_transfer_takes_from_one_and_gives_to_the_other(self):
        self.fund("alice", "10")
        before = self.balance("alice"), self.balance("bob")
        self.moved(self.alice, "TRANSFER", fresh_id(), "bob", "3.33")
        after = self.balance("alice"), self.balance("bob")
        self.assertEqual((before[0] - after[0], after[1] - before[1]),
                         (Decimal("3.33"), Decimal("3.33")))

    def test_entries_are_numbered_upwards(self):
        self.fund("alice", "1")
        seen = [self.moved(self.alice, "TRANSFER", fresh_id(), "bob", "0.01")["entry"]
                for _ in range(10)]
        self.assertEqual(seen, sorted(set(seen)))

    def test_what_is_no_amount_moves_nothing_and_is_not_remembered(self):
        self.fund("alice", "5")
        for amount in BAD_AMOUNTS:
            before = self.balance()
            same = fresh_id()
            self.assert_error(self.alice.ask("TRANSFER", same, "bob", amount), "AMOUNT")
            self.assertEqual(self.balance(), before)
            self.moved(self.alice, "TRANSFER", same, "bob", "0.01")

    def test_what_is_no_id_is_refused(self):
        for bad in BAD_IDS:
            self.assert_error(self.alice.ask("TRANSFER", bad, "bob", "0.01"), "ERR", "an id is")
        self.fund("alice", "5")
        for good in ("x" * 32, "A", "0", "a.b_c:d-e", "-", "...", "::"):
            self.moved(self.alice, "TRANSFER", good, "bob", "0.01")

    def test_accounts_that_are_not_there_are_named(self):
        self.fund("alice", "5")
        self.assert_error(self.alice.ask("TRANSFER", fresh_id(), "nobody", "1"), "NOACCT", "nobody")
        self.assert_error(self.alice.ask("TRANSFER", fresh_id(), "No Body", "1"), "NOACCT")
        with self.bank.wire("till") as till:
            self.assert_error(till.ask("DEPOSIT", fresh_id(), "1", "nobody"), "NOACCT", "nobody")
            self.assert_error(till.ask("BALANCE", "nobody"), "NOACCT", "nobody")

    def test_nobody_pays_with_what_is_not_theirs(self):
        for words in (("TRANSFER", fresh_id(), "alice", "1", "FROM", "bob"),
                      ("TRANSFER", fresh_id(), "alice", "1", "FROM", "cash"),
                      ("TRANSFER", fresh_id(), "cash", "1"),
                      ("DEPOSIT", fresh_id(), "1", "bob"), ("WITHDRAW", fresh_id(), "1", "bob"),
                      ("BALANCE", "bob"), ("STATEMENT", "bob"), ("BALANCE", "nobody")):
            self.assert_error(self.alice.ask(*words), "NOPERM")
        with self.bank.wire("admin") as admin:
            self.assert_error(admin.ask("DEPOSIT", fresh_id(), "1", "alice"), "NOPERM")
            self.assert_error(admin.ask("TRANSFER", fresh_id(), "alice", "1"), "NOPERM")

    def test_an_account_cannot_pay_itself(self):
        before = self.balance()
        self.assert_error(self.alice.ask("TRANSFER", fresh_id(), "alice", "0.01"), "ERR")
        self.assertEqual(self.balance(), before)

    def test_options_of_a_transfer_are_checked(self):
        for words in (("MEMO",), ("FROM",), ("FOO", "x"), ("MEMO", "x" * 64), ("MEMO", "a\nb")):
            self.assert_error(self.alice.ask("TRANSFER", fresh_id(), "bob", "1", *words), "ERR")


class Once(MoneyTest):
    def test_the_same_id_gets_the_first_answer_byte_for_byte(self):
        self.fund("alice", "10")
        same = fresh_id()
        first = self.alice.ask_bytes("TRANSFER", same, "bob", "1.50", "MEMO", "x")
        after = self.balance()
        self.moved(self.alice, "TRANSFER", fresh_id(), "bob", "1")  # The balance is another now.
        for _ in range(3):
            self.assertEqual(self.alice.ask_bytes("TRANSFER", same, "bob", "1.5", "MEMO", "x"),
                             first)
        with self.bank.wire("alice") as other:
            self.assertEqual(other.ask_bytes("transfer", same, "bob", "01.50", "memo", "x"), first)
        self.assertEqual(self.balance(), after - 1)

    def test_another_protocol_gets_the_same_values(self):
        self.fund("alice", "10")
        same = fresh_id()
        two = self.alice.ask("TRANSFER", same, "bob", "1")
        with self.bank.wire("alice", 3) as wire:
            three = wire.ask("TRANSFER", same, "bob", "1")
            self.assertIsInstance(three, dict)
            self.assertEqual(fields(three), fields(two))

    def test_other_content_is_refused_naming_the_field(self):
        self.fund("alice", "20")
        same = fresh_id()
        self.moved(self.alice, "TRANSFER", same, "bob", "1", "MEMO", "x")
        after = self.balance()
        for words, field in ((("TRANSFER", same, "bob", "2", "MEMO", "x"), "amount"),
                             (("TRANSFER", same, "shop", "1", "MEMO", "x"), "to"),
                             (("TRANSFER", same, "till", "1", "MEMO", "x"), "to"),
                             (("TRANSFER", same, "nobody", "1", "MEMO", "x"), "to"),
                             (("TRANSFER", same, "bob", "1", "MEMO", "y"), "memo"),
                             (("TRANSFER", same, "bob", "1"), "memo")):
            self.assert_error(self.alice.ask(*words), "EXISTS", f"its {field} differs")
        self.assertEqual(self.balance(), after)
        with self.bank.wire("till") as till:
            same = fresh_id()
            self.moved(till, "DEPOSIT", same, "1", "alice")
            for words, field in ((("WITHDRAW", same, "1", "alice"), "command"),
                                 (("DEPOSIT", same, "1", "bob"), "account"),
                                 (("DEPOSIT", same, "1.01", "alice"), "amount")):
                self.assert_error(till.ask(*words), "EXISTS", f"its {field} differs")

    def test_a_refusal_is_remembered_like_a_success(self):
        same = fresh_id()
        more = self.balance() + 1
        first = self.alice.ask_bytes("TRANSFER", same, "bob", more)
        self.assertTrue(first.startswith(b"-FUNDS "), first)
        self.fund("alice", "1000")
        before = self.balance()
        self.assertEqual(self.alice.ask_bytes("TRANSFER", same, "bob", more), first)
        self.assertEqual(self.balance(), before)
        self.assert_error(self.alice.ask("TRANSFER", same, "bob", more + 1), "EXISTS", "amount")
        self.moved(self.alice, "TRANSFER", fresh_id(), "bob", more)

    def test_a_missing_account_is_remembered_too(self):
        with self.bank.wire("admin") as admin:
            late, same = f"late{next(numbers)}", fresh_id()
            self.fund("alice", "1")
            first = self.alice.ask_bytes("TRANSFER", same, late, "1")
            self.assertTrue(first.startswith(b"-NOACCT "), first)
            self.assertEqual(admin.ask("REGISTER", late, "a long password"), "OK")
            self.assertEqual(self.alice.ask_bytes("TRANSFER", same, late, "1"), first)
            self.moved(self.alice, "TRANSFER", fresh_id(), late, "1")

    def test_ids_belong_to_a_person(self):
        self.fund("alice", "1")
        self.fund("bob", "1")
        same = fresh_id()
        one = self.moved(self.alice, "TRANSFER", same, "bob", "1")
        with self.bank.wire("bob") as bob:
            other = self.moved(bob, "TRANSFER", same, "alice", "1")
        self.assertNotEqual(one["entry"], other["entry"])

    def test_a_plus_lets_the_server_choose(self):
        self.fund("alice", "3")
        before = self.balance()
        for sign in ("+", "*", "+"):
            reply = self.moved(self.alice, "TRANSFER", sign, "bob", "1")
            self.assertEqual(list(reply)[:2], ["entry", "balance"])
            self.assertTrue(reply["id"])
        self.assertEqual(self.balance(), before - 3, "each was a movement of its own")

    def test_a_chosen_id_is_another_each_time_and_nobody_elses(self):
        self.fund("alice", "3")
        self.alice.send(command("TRANSFER", "+", "bob", "1") * 3)
        chosen = [fields(self.alice.reply())["id"] for _ in range(3)]
        self.assertEqual(len(set(chosen)), 3)
        for one in chosen:
            self.assert_error(self.alice.ask("TRANSFER", one, "bob", "1"), "ERR", "an id is")

    def test_the_same_id_in_one_pipeline_is_one_movement(self):
        self.fund("alice", "5")
        before = self.balance()
        same = fresh_id()
        self.alice.send(command("TRANSFER", same, "bob", "1") * 8)
        replies = {self.alice.reply_bytes() for _ in range(8)}
        self.assertEqual(len(replies), 1, replies)
        self.assertEqual(self.balance(), before - 1)

    def test_the_same_id_from_many_sessions_is_one_movement(self):
        self.fund("alice", "5")
        before = self.balance()
        same = fresh_id()
        wires = [self.bank.wire("alice") for _ in range(8)]
        for wire in wires:
            wire.send(command("TRANSFER", same, "bob", "1"))
        replies = {wire.reply_bytes() for wire in wires}
        for wire in wires:
            wire.close()
        self.assertEqual(len(replies), 1, replies)
        self.assertEqual(self.balance(), before - 1)


class Order(MoneyTest):
    def test_a_session_reads_its_own_writes(self):
        self.fund("alice", "100")
        for _ in range(20):
            before = self.balance()
            self.alice.send(command("TRANSFER", fresh_id(), "bob", "1") +
                            command("TRANSFER", fresh_id(), "bob", "2") + command("BALANCE"))
            one, two, read = (self.alice.reply() for _ in range(3))
            self.assertEqual(Decimal(fields(one)["balance"]), before - 1)
            self.assertEqual(Decimal(fields(two)["balance"]), before - 3)
            self.assertEqual(Decimal(read.decode()), before - 3)

    def test_quoted_lines_that_wait_mean_what_they_say(self):
        self.fund("alice", "10")
        self.alice.send(command("TRANSFER", fresh_id(), "bob", "1") +
                        b'ECHO "a \\"b\\"\\x0a" \r\n' +
                        command("TRANSFER", fresh_id(), "bob", "1") +
                        b"TRANSFER %s bob 1 MEMO 'it\\'s'\r\n" % fresh_id().encode() +
                        b"STATEMENT COUNT \"\\x31\"\r\n")
        fields(self.alice.reply())
        self.assertEqual(self.alice.reply(), b'a "b"\n')
        fields(self.alice.reply())
        fields(self.alice.reply())
        (row,) = self.alice.reply()
        self.assertEqual(fields(row)["memo"], "it's")

    def test_more_than_a_pipeline_holds_is_answered_in_order(self):
        self.fund("alice", "100")
        before = self.balance()
        count = 500
        requests = [command("TRANSFER", fresh_id(), "bob", "0.01") for _ in range(count)]
        self.alice.send(b"".join(requests) + command("BALANCE"))
        balances = [Decimal(fields(self.alice.reply())["balance"]) for _ in range(count)]
        self.assertEqual(balances, [before - Decimal("0.01") * (i + 1) for i in range(count)])
        self.assertEqual(Decimal(self.alice.reply().decode()), balances[-1])

    def test_many_sessions_never_lose_or_make_a_cent(self):
        names = ("alice", "bob", "till")
        for name in names:
            self.fund(name, "50")
        before = sum(self.balance(name) for name in names)
        failures = []

        def work(name, to):
            try:
                with self.bank.wire(name) as wire:
                    for _ in range(10):
                        batch = [fresh_id() for _ in range(16)]
                        wire.send(b"".join(command("TRANSFER", i, to, "0.37") for i in batch))
                        for _ in batch:
                            reply = wire.reply()
                            if isinstance(reply, Error) and reply.word not in ("FUNDS", "BUSY"):
                                failures.append(reply)
            except Exception as why:  # pylint: disable=broad-except
                failures.append(why)

        threads = [threading.Thread(target=work, args=(name, names[(i + step) % 3]))
                   for i, name in enumerate(names) for step in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(sum(self.balance(name) for name in names), before)
        self.assertTrue(all(self.balance(name) >= 0 for name in names))


class Statements(MoneyTest):
    def test_rows_are_newest_first_and_add_up(self):
        self.fund("alice", "10")
        self.moved(self.alice, "TRANSFER", fresh_id(), "bob", "1.25", "MEMO", "for lunch")
        rows = [fields(row) for row in self.alice.ask("STATEMENT")]
        self.assertEqual(rows[0]["amount"], "-1.25")
        self.assertEqual(rows[0]["account"], "bob")
        self.assertEqual(rows[0]["memo"], "for lunch")
        self.assertEqual(rows[0]["operation"], "transfer")
        self.assertEqual((rows[1]["amount"], rows[1]["account"], rows[1]["operation"]),
                         ("10.00", "cash", "deposit"))
        self.assertEqual(Decimal(rows[0]["balance"]), self.balance())
        for newer, older in zip(rows, rows[1:]):
            self.assertGreater(newer["entry"], older["entry"])
            self.assertEqual(Decimal(newer["balance"]) - Decimal(newer["amount"]),
                             Decimal(older["balance"]))

    def test_pages_join_without_a_gap(self):
        self.fund("alice", "1")
        for _ in range(70):
            self.moved(self.alice, "TRANSFER", fresh_id(), "bob", "0.01")
        pages, before = [], None
        for _ in range(10):
            words = ["STATEMENT", "COUNT", 7] + ([] if before is None else ["BEFORE", before])
            page = [fields(row)["entry"] for row in self.alice.ask(*words)]
            pages += page
            before = page[-1]
        whole = [fields(row)["entry"] for row in self.alice.ask("STATEMENT", "COUNT", 64)]
        self.assertEqual(pages[:64], whole)
        self.assertEqual(len(set(pages)), 70)

    def test_both_protocols_show_the_same(self):
        self.fund("alice", "1")
        two = [fields(row) for row in self.alice.ask("STATEMENT", "alice")]
        with self.bank.wire("alice", 3) as wire:
            three = wire.ask("STATEMENT")
            self.assertIsInstance(three[0], dict)
            self.assertEqual([text(row) for row in three], two)

    def test_a_refused_movement_is_in_no_statement(self):
        rows = self.alice.ask_bytes("STATEMENT")
        self.assert_error(self.alice.ask("TRANSFER", fresh_id(), "bob", "999999999"), "FUNDS")
        self.assertEqual(self.alice.ask_bytes("STATEMENT"), rows)

    def test_counts_are_checked(self):
        for words in (("COUNT", 0), ("COUNT", 65), ("COUNT", "x"), ("COUNT",), ("BEFORE", -1),
                      ("COUNT", 1, "FOO", 2), ("alice", "bob")):
            self.assert_error(self.alice.ask("STATEMENT", *words), "ERR")
        self.assertEqual(self.alice.ask("STATEMENT", "BEFORE", 1), [])


class Clients(MoneyTest):
    def test_redis_cli_moves_money(self):
        self.fund("alice", "5")
        before = self.balance()
        said = self.bank.redis_cli("TRANSFER", fresh_id(), "bob", "1").stdout
        self.assertEqual(said.split("\n")[0], "entry")
        self.assertIn(f"\nbalance\n{before - 1}\n", said)

    def test_redis_py_moves_money(self):
        self.fund("alice", "5")
        before = self.balance()
        reply = self.bank.client("alice").execute_command("TRANSFER", fresh_id(), "bob", "1")
        self.assertEqual(Decimal(fields(reply)["balance"]), before - 1)

    def test_inline_lines_move_money(self):
        self.fund("alice", "5")
        before = self.balance()
        password = self.bank.passwords["alice"]
        said = self.bank.openssl([f"AUTH alice {password}",
                                  'TRANSFER + bob 1 MEMO "two words"', "BALANCE", "QUIT"])
        self.assertIn(f"{before - 1}\n+OK\n", said)


class WholeBook(MoneyTest):
    """The bank is stopped and looked at by the operator's tool."""

    def test_the_book_of_a_busy_bank_adds_up(self):
        for name in ("alice", "bob"):
            self.fund(name, "100")
        for _ in range(100):
            self.alice.ask("TRANSFER", fresh_id(), "bob", "1")
            self.alice.ask("TRANSFER", fresh_id(), "bob", "1000000")
        digest = self.alice.ask("DIGEST")
        said = self.bank.check()
        self.assertNotIn("error", said.lower())
        self.bank.start()
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("DIGEST"), digest)


if __name__ == "__main__":
    unittest.main()
