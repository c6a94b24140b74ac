"""The wall at the clock: one that jumps back, starts in 1970, leaps ahead, or lives beyond 2038. The
time of the book never decreases, and a leap waits for somebody to look (DESIGN, "Time")."""

import os
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import journal
from clock import ClockBank, ms_of
from resp import Error, fields

CENT = Decimal("0.01")
DAY = timedelta(days=1)
NOON = datetime(2027, 3, 14, 12, tzinfo=timezone.utc)
DAY_MS = 86400000


def moment(time):
    return time.isoformat()


class ClockTest(unittest.TestCase):
    def new_bank(self, time=NOON, **options):
        bank = ClockBank(moment(time), **options)
        self.addCleanup(bank.close)
        return bank

    def pay(self, wire, one):
        return fields(wire.ask("TRANSFER", one, "bob", CENT))

    def times(self, bank):
        """Of all batches, checked to be in order."""
        times = [batch.time_ms for batch in journal.batches(bank.path("data"))]
        self.assertEqual(times, sorted(times))
        return times


class Back(ClockTest):
    def test_a_clock_that_jumps_back_holds_the_time_of_the_book(self):
        bank = self.new_bank()
        wire = bank.wire("alice", 3)
        self.pay(wire, "before")
        newest = self.times(bank)[-1]
        self.assertEqual(newest, ms_of(moment(NOON)))
        bank.set_clock(moment(NOON - 3 * DAY))
        self.pay(wire, "after")
        self.assertEqual(self.times(bank)[-1], newest)
        bank.restart()
        with bank.wire("alice", 3) as wire:
            self.pay(wire, "later")
            rows = [fields(row) for row in wire.ask("STATEMENT", "COUNT", 3)]
            self.assertEqual(len({row["time"] for row in rows}), 1, rows)
        self.assertEqual(self.times(bank)[-1], newest)
        bank.set_clock(moment(NOON + DAY))
        with bank.wire("alice") as wire:
            self.pay(wire, "again")
        self.assertEqual(self.times(bank)[-1], newest + DAY_MS)
        bank.check()

    def test_a_start_in_1970_lets_people_in_and_moves_money(self):
        """As on a board without a clock of its own: no certificate holds yet, to judge by that."""
        bank = self.new_bank(start=False)
        newest = self.times(bank)[-1]
        bank.set_clock("1970-01-01T00:16:40Z")
        bank.start()
        self.assertRegex(bank.log(), r"(?m)^1970-01-01T\S+ warning the clock is not set")
        with bank.wire("alice") as wire:
            self.pay(wire, "then")
        self.assertEqual(self.times(bank)[-1], newest)
        bank.set_clock(moment(NOON + DAY))  # The network has told it.
        with bank.wire("alice") as wire:
            self.pay(wire, "now")
        self.assertEqual(self.times(bank)[-1], newest + DAY_MS)
        bank.check()


class Ahead(ClockTest):
    settings = ("server.clock-step-max-days=2",)

    def refuse(self, wire, one):
        reply = wire.ask("TRANSFER", one, "bob", CENT)
        self.assertIsInstance(reply, Error)
        self.assertEqual(reply.word, "MISCONF", reply.line)
        self.assertRegex(reply.text, "^clock: .*pennyctl clock accept")

    def test_a_leap_stops_money_until_the_clock_is_right(self):
        bank = self.new_bank(settings=self.settings)
        wire = bank.wire("alice")
        self.pay(wire, "before")
        balance, newest = wire.ask("BALANCE"), self.times(bank)[-1]
        for leap in (3 * DAY, 2 * 365 * DAY):
            bank.set_clock(moment(NOON + leap))
            self.refuse(wire, "during")
            self.assertEqual(wire.ask("BALANCE"), balance)
            self.assertEqual(len(wire.ask("DIGEST")), 64)
        bank.set_clock(moment(NOON + 30 * 365 * DAY))  # Nobody's certificate lasts that long.
        self.assertEqual(wire.socket.recv(1), b"")
        bank.set_clock(moment(NOON))
        wire = bank.wire("alice")
        self.pay(wire, "during")
        bank.set_clock(moment(NOON + 2 * DAY))  # No more than it may.
        self.pay(wire, "after")
        self.assertEqual(self.times(bank)[-1], newest + 2 * DAY_MS)
        bank.check()

    def test_a_start_after_a_leap_waits_too_and_ends_in_order(self):
        bank = self.new_bank(start=False, settings=self.settings)
        bank.set_clock(moment(NOON + 3 * DAY))
        bank.start()
        with bank.wire("alice") as wire:
            self.refuse(wire, "during")
            self.assertIsInstance(wire.ask("BALANCE"), bytes)
        count = len(self.times(bank))
        bank.stop()
        self.assertEqual(len(self.times(bank)), count, "a batch was written")
        bank.set_clock(moment(NOON))
        bank.start()
        with bank.wire("alice") as wire:
            self.pay(wire, "during")
        bank.check()

    def test_the_operator_accepts_it(self):
        bank = self.new_bank(start=False, settings=self.settings)
        bank.set_clock(moment(NOON + 3 * DAY))
        bank.start()
        with bank.wire("alice") as wire:
            self.refuse(wire, "during")
            done = bank.pennyctl("clock", "accept", bank.home, expect=1)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(f"in use by process {bank.process.pid}", done.stderr)
            bank.stop()
        before = self.times(bank)
        said = bank.pennyctl("clock", "accept", bank.home).stdout
        self.assertIn("2027-03-17T12:00:00.000Z", said)
        self.assertEqual(self.times(bank), [*before, ms_of(moment(NOON + 3 * DAY))])
        newest = journal.batches(bank.path("data"))[-1]
        self.assertEqual((newest.entry_count, newest.closing), (0, True))
        bank.pennyctl("check", bank.home)
        bank.start()
        with bank.wire("alice") as wire:
            self.pay(wire, "during")
        bank.check()

    def test_it_is_accepted_in_a_new_segment_where_the_last_is_full(self):
        bank = self.new_bank(start=False, settings=self.settings)
        data = bank.path("data")
        room = os.path.getsize(journal.segments(data)[0]) - journal.batches(data)[-1].end
        full, memo = room // journal.BATCH_MAX, b"m" * 63
        count = full * journal.fullest(memo)
        journal.deposits(data, "alice", count, per_batch=journal.fullest(memo), memo=memo)
        self.assertEqual(len(journal.segments(data)), 1)
        bank.set_clock(moment(NOON + 3 * DAY))
        # By the data folder alone, as where there is no configuration.
        bank.pennyctl("clock", "accept", data)
        newest = journal.batches(data)[-1]
        self.assertEqual((newest.segment, newest.offset, newest.closing), (2, 0, True))
        bank.start()
        with bank.wire("alice") as wire:
            self.pay(wire, "during")
        bank.check()

    def test_only_a_clock_that_is_ahead_is_accepted(self):
        bank = self.new_bank(start=False, settings=self.settings)
        before = self.times(bank)
        for time in (NOON, NOON - 3 * DAY):
            bank.set_clock(moment(time))
            done = bank.pennyctl("clock", "accept", bank.home, expect=1)
            self.assertRegex(done.stderr, r"^pennyctl: .*never goes back; set the clock")
            self.assertEqual(self.times(bank), before)
        for words in ((), ("nod", bank.home), ("accept",), ("accept", bank.home, "twice"),
                      ("accept", "--force", bank.home)):
            done = bank.pennyctl("clock", *words, expect=2)
            self.assertRegex(done.stderr, "^pennyctl: clock: ")
        done = bank.pennyctl("clock", "accept", bank.path("certs"), expect=1)
        self.assertIn("there is no book here", done.stderr)


class Beyond2038(ClockTest):
    def test_a_bank_lives_beyond_2038(self):
        """Where seconds since 1970 do not fit into 32 bits with a sign."""
        late = datetime(2041, 6, 1, 12, tzinfo=timezone.utc)
        bank = self.new_bank(late)
        self.assertRegex(bank.log(), r"(?m)^2041-06-01T12:00:00.000Z info the book is open")
        for one in ("one", "two"):
            with bank.wire("alice", 3) as wire:
                self.pay(wire, one)
                rows = wire.ask("STATEMENT", "COUNT", 1)
                self.assertEqual(fields(rows[0])["time"], "2041-06-01T12:00:00.000Z")
            bank.kill()
            bank.start()
        self.assertEqual(self.times(bank)[-1], ms_of(moment(late)))
        bank.check()

    def test_a_bank_lives_through_the_night_in_2038(self):
        before = datetime(2038, 1, 19, 3, 14, 7, tzinfo=timezone.utc)
        bank = self.new_bank(before)
        with bank.wire("alice") as wire:
            self.pay(wire, "before")
            bank.set_clock(moment(before + timedelta(seconds=1)))
            self.pay(wire, "after")
            newest = self.times(bank)[-2:]
            self.assertEqual(newest, [2147483647000, 2147483648000])
        with bank.wire("bob") as wire:
            self.assertIsInstance(wire.ask("BALANCE"), bytes)
        bank.check()

    def test_a_clock_that_leaps_there_is_not_believed(self):
        """By the usual 400 days."""
        bank = self.new_bank()
        wire = bank.wire("alice")
        bank.set_clock("2041-06-01T12:00:00Z")
        reply = wire.ask("TRANSFER", "one", "bob", CENT)
        self.assertEqual(reply.word, "MISCONF", reply.line)
        self.assertIsInstance(wire.ask("BALANCE"), bytes)
        bank.set_clock(moment(NOON))
        self.pay(wire, "one")
        bank.check()


if __name__ == "__main__":
    unittest.main()
