"""MULTI, EXEC and DISCARD: movements that are booked all or none, and what is remembered of them."""

import random

import redis

from bank import BankTest
from resp import Error, command


def send(wire, *words):
    wire.send(command(*words))


class Groups(BankTest):
    settings = ("server.refused-per-minute=6000", "limits.multi=8", "limits.groups=4")

    def setUp(self):
        self.alice = self.bank.wire("alice", protocol=3)
        self.bob = self.bank.wire("bob", protocol=3)
        self.addCleanup(self.alice.close)
        self.addCleanup(self.bob.close)
        self.alice.ask("DEPOSIT", "+", "100.00")

    def cents(self, wire):
        return round(float(wire.ask("BALANCE")) * 100)

    def group(self, *commands, wire=None):
        wire = wire or self.alice
        self.assertEqual(wire.ask("MULTI"), "OK")
        for words in commands:
            self.assertEqual(wire.ask(*words), "QUEUED", words)
        return wire.ask("EXEC")

    def test_all_are_booked_one_behind_the_other(self):
        before = self.cents(self.alice), self.cents(self.bob)
        answer = self.group(("TRANSFER", "a1", "bob", "1.00"), ("TRANSFER", "a2", "bob", "2.00"),
                            ("HOLD", "a3", "bob", "3.00"))
        self.assertEqual([one[b"entry"] for one in answer],
                         [answer[0][b"entry"] + i for i in range(3)])
        self.assertEqual([float(one[b"balance"]) * 100 for one in answer],
                         [before[0] - 100, before[0] - 300, before[0] - 300])
        self.assertIn(b"hold", answer[2])
        self.assertEqual((self.cents(self.alice), self.cents(self.bob)),
                         (before[0] - 300, before[1] + 300))

    def test_one_refusal_refuses_all_and_says_which(self):
        before = self.cents(self.alice), self.cents(self.bob)
        answer = self.group(("TRANSFER", "b1", "bob", "1.00"), ("TRANSFER", "b2", "bob", "99999.00"),
                            ("TRANSFER", "b3", "nobody", "1.00"))
        self.assert_error(answer, "EXECABORT", "2 FUNDS the balance is ")
        self.assertEqual((self.cents(self.alice), self.cents(self.bob)), before)
        # Money that arrives later changes nothing about an answer that was given.
        self.alice.ask("DEPOSIT", "+", "100000.00")
        again = self.group(("TRANSFER", "b1", "bob", "1.00"), ("TRANSFER", "b2", "bob", "99999.00"),
                           ("TRANSFER", "b3", "nobody", "1.00"))
        self.assertEqual(again.line, answer.line)
        for words in (("TRANSFER", "b1", "bob", "1.00"), ("TRANSFER", "b2", "bob", "99999.00"),
                      ("TRANSFER", "b3", "nobody", "1.00")):
            self.assert_error(self.alice.ask(*words), "EXISTS", "group")
        self.alice.ask("WITHDRAW", "+", "100000.00")

    def test_what_one_brings_the_next_may_spend(self):
        self.bob.ask("TRANSFER", "+", "alice", self.bob.ask("BALANCE"))
        self.assertEqual(self.cents(self.bob), 0)
        till = self.bank.wire("till", protocol=3)
        answer = self.group(("DEPOSIT", "c1", "5.00", "bob"), ("WITHDRAW", "c2", "4.00", "bob"),
                            wire=till)
        self.assertEqual([float(one[b"balance"]) for one in answer], [5.0, 1.0])
        answer = self.group(("WITHDRAW", "c3", "1.01", "bob"), ("DEPOSIT", "c4", "5.00", "bob"),
                            wire=till)
        self.assert_error(answer, "EXECABORT", "1 FUNDS")

    def test_a_group_is_answered_again_as_a_group_only(self):
        commands = (("TRANSFER", "d1", "bob", "1.00"), ("TRANSFER", "d2", "bob", "2.00"))
        first = self.group(*commands)
        before = self.cents(self.alice)
        self.assertEqual(self.group(*commands), first)
        for wrong in (commands[:1], commands[::-1], (*commands, ("TRANSFER", "d3", "bob", "1")),
                      (("TRANSFER", "d9", "bob", "1.00"), commands[1]),
                      (commands[0], ("TRANSFER", "d8", "bob", "1"))):
            self.assert_error(self.group(*wrong), "EXISTS", "group")
        self.assert_error(self.group(("TRANSFER", "d1", "bob", "1.01"), commands[1]), "EXISTS",
                          "amount")
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "d4", "bob", "0.01"), Error)
        self.assert_error(self.group(("TRANSFER", "d4", "bob", "0.01"),
                                     ("TRANSFER", "d5", "bob", "1")), "EXISTS", "group")
        self.assertEqual(self.cents(self.alice), before - 1)

    def test_answers_outlast_a_crash_and_a_checkpoint(self):
        booked = (("TRANSFER", "e1", "bob", "1.00"), ("HOLD", "e2", "bob", "2.00"))
        refused = (("TRANSFER", "e3", "bob", "1.00"), ("TRANSFER", "e4", "nobody", "2.00"))
        first = self.group(*booked)
        denied = self.group(*refused)
        self.assert_error(denied, "EXECABORT", "2 NOACCT no account 'nobody'")
        for end in ("kill", "stop"):
            getattr(self.bank, end)()
            self.bank.start()
            with self.bank.wire("alice", protocol=3) as wire:
                self.assertEqual(self.group(*booked, wire=wire), first)
                self.assertEqual(self.group(*refused, wire=wire).line, denied.line)

    def test_only_commands_with_an_id_are_queued(self):
        for words in (("BALANCE",), ("PING",), ("STATEMENT",), ("WHATEVER",), ("TRANSFER", "f1"),
                      ("TRANSFER", "f1", "bob", "x"), ("AUTH", "alice", "x"),
                      ("REVERSE", "f1", "1")):
            before = self.cents(self.alice)
            self.assertEqual(self.alice.ask("MULTI"), "OK")
            self.assertEqual(self.alice.ask("TRANSFER", "f0", "bob", "1.00"), "QUEUED")
            self.assertIsInstance(self.alice.ask(*words), Error, words)
            self.assert_error(self.alice.ask("EXEC"), "EXECABORT", "previous errors")
            self.assertEqual(self.cents(self.alice), before)
        # Nothing of it is remembered.
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "f0", "bob", "1.00"), Error)

    def test_bounds_are_kept(self):
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        for i in range(8):
            self.assertEqual(self.alice.ask("TRANSFER", f"g{i}", "bob", "0.01"), "QUEUED")
        self.assert_error(self.alice.ask("TRANSFER", "g8", "bob", "0.01"), "ERR", "at most 8")
        self.assert_error(self.alice.ask("EXEC"), "EXECABORT")
        self.assertEqual(len(self.group(*(("TRANSFER", f"g{i}", "bob", "0.01")
                                          for i in range(8)))), 8)

    def test_an_id_stands_in_a_group_once(self):
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        self.assertEqual(self.alice.ask("TRANSFER", "h1", "bob", "0.01"), "QUEUED")
        self.assert_error(self.alice.ask("TRANSFER", "h1", "bob", "0.01"), "EXISTS")
        self.assert_error(self.alice.ask("EXEC"), "EXECABORT")
        chosen = self.group(("TRANSFER", "+", "bob", "0.01"), ("TRANSFER", "+", "bob", "0.01"))
        self.assertEqual(len({one[b"id"] for one in chosen}), 2)

    def test_redis_shapes(self):
        self.assert_error(self.alice.ask("EXEC"), "ERR", "EXEC without MULTI")
        self.assert_error(self.alice.ask("DISCARD"), "ERR", "DISCARD without MULTI")
        self.assert_error(self.alice.ask("WATCH", "x"), "ERR")
        self.assertEqual(self.alice.ask("UNWATCH"), "OK")
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        self.assert_error(self.alice.ask("MULTI"), "ERR", "nested")
        self.assertEqual(self.alice.ask("EXEC"), [])
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        self.assertEqual(self.alice.ask("TRANSFER", "i1", "bob", "0.01"), "QUEUED")
        self.assertEqual(self.alice.ask("DISCARD"), "OK")
        self.assertEqual(self.alice.ask("PING"), "PONG")
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "i1", "bob", "0.01"), Error)

    def test_what_is_impossible_is_not_remembered(self):
        hold = self.alice.ask("HOLD", "j0", "bob", "1.00")[b"hold"]
        answer = self.group(("CAPTURE", "j1", hold, "1.01"), wire=self.bob)
        self.assert_error(answer, "EXECABORT", "1 AMOUNT")
        self.assert_error(self.group(("TRANSFER", "j2", "alice", "1")), "EXECABORT", "1 ERR")
        self.assertNotIsInstance(self.bob.ask("CAPTURE", "j1", hold, "1.00"), Error)
        self.assertNotIsInstance(self.alice.ask("TRANSFER", "j2", "bob", "1"), Error)

    def test_a_hold_is_ended_once_in_a_group_too(self):
        hold = self.alice.ask("HOLD", "k0", "bob", "1.00")[b"hold"]
        answer = self.group(("CAPTURE", "k1", hold), ("VOID", "k2", hold), wire=self.bob)
        self.assert_error(answer, "EXECABORT", f"2 STATE hold {hold} is not open")
        answer = self.group(("CAPTURE", "k3", hold, "0.40"), wire=self.bob)
        self.assertEqual(answer[0][b"hold"], hold)

    def test_a_session_that_ends_gives_its_group_back(self):
        for _ in range(10):
            wire = self.bank.wire("bob")
            self.assertEqual(wire.ask("MULTI"), "OK")
            wire.ask("TRANSFER", "+", "alice", "0.01")
            wire.close()
        for end in (("RESET",), ("DISCARD",), ("EXEC",)):
            for _ in range(5):
                wire = self.bank.wire("bob")
                self.assertEqual(wire.ask("MULTI"), "OK")
                wire.ask(*end)
                self.addCleanup(wire.close)

    def test_one_person_cannot_take_all_groups(self):
        wires = [self.bank.wire("bob") for _ in range(3)]
        self.addCleanup(lambda: [wire.close() for wire in wires])
        self.assertEqual([wires[0].ask("MULTI"), wires[1].ask("MULTI")], ["OK", "OK"])
        self.assert_error(wires[2].ask("MULTI"), "BUSY")
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        self.assertEqual(self.alice.ask("EXEC"), [])

    def test_a_pipelined_group_is_answered_in_order(self):
        send(self.alice, "TRANSFER", "l0", "bob", "0.01")
        send(self.alice, "MULTI")
        for i in range(1, 4):
            send(self.alice, "TRANSFER", f"l{i}", "bob", "0.01")
        send(self.alice, "EXEC")
        send(self.alice, "TRANSFER", "l4", "bob", "0.01")
        send(self.alice, "BALANCE")
        replies = [self.alice.reply() for _ in range(8)]
        self.assertEqual(replies[1:5], ["OK", "QUEUED", "QUEUED", "QUEUED"])
        entries = [replies[0][b"entry"], *(one[b"entry"] for one in replies[5]),
                   replies[6][b"entry"]]
        self.assertEqual(entries, [entries[0] + i for i in range(5)])
        self.assertEqual(replies[7], replies[6][b"balance"])

    def test_redis_clients_transactions_work(self):
        client = self.bank.client("alice")
        with client.pipeline(transaction=True) as pipe:
            pipe.execute_command("TRANSFER", "m1", "bob", "0.50")
            pipe.execute_command("TRANSFER", "m2", "bob", "0.25")
            answers = pipe.execute()
        self.assertEqual([one[0] for one in answers], [b"entry", b"entry"])
        with client.pipeline(transaction=True) as pipe:
            pipe.execute_command("TRANSFER", "m3", "bob", "0.50")
            pipe.execute_command("TRANSFER", "m4", "bob", "99999.00")
            with self.assertRaises(redis.exceptions.RedisError) as caught:
                pipe.execute()
        self.assertIn("2 FUNDS", str(caught.exception))


class ManyGroups(BankTest):
    settings = ("server.refused-per-minute=6000",)

    def test_random_groups_of_many_clients_add_up_and_are_decided_alike_again(self):
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        wires = [self.bank.wire(name, protocol=3) for name in ("alice", "bob", "alice", "bob")]
        self.addCleanup(lambda: [wire.close() for wire in wires])
        for round_number in range(40):
            for number, wire in enumerate(wires):
                other = ("bob", "alice")[number % 2]
                send(wire, "MULTI")
                count = dice.randrange(1, 17)
                for i in range(count):
                    name = f"{round_number}.{number}.{i}"
                    amount = f"{dice.choice((0.01, 0.5, 3, 30)):.2f}"
                    kind = dice.randrange(4)
                    if kind == 0:
                        send(wire, "HOLD", name, other, amount, "EXPIRES", 1 + dice.randrange(3))
                    elif kind == 1:
                        send(wire, "CAPTURE", name, dice.randrange(1, 40))
                    else:
                        send(wire, "TRANSFER", name, other, amount)
                send(wire, "EXEC")
                wire.count = count + 2
            for wire in wires:
                for _ in range(wire.count):
                    wire.reply()
        said = self.bank.check()
        self.bank.start()
        self.assertIn("the books sum to zero", said, f"seed {seed}")
