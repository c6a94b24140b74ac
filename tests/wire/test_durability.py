"""What is acknowledged is on the disk (P1), once (P3), and damage is named, never hidden (P8)."""

import os
import re
import shutil
import threading
import unittest
from decimal import Decimal

import journal
from bank import Bank, run
from resp import Broken, Error, command, fields, wait_until

CENT = Decimal("0.01")


class DurabilityTest(unittest.TestCase):
    def new_bank(self, **options):
        bank = Bank(**options)
        self.addCleanup(bank.close)
        return bank

    def fund(self, bank, amount):
        with bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", amount, "alice"))

    def balance(self, bank, name="alice"):
        with bank.wire(name) as wire:
            return Decimal(wire.ask("BALANCE").decode())

    def data(self, bank):
        return bank.path("data")


class Killed(DurabilityTest):
    def stream(self, bank, ids, acked, wanted):
        """Sends transfers, 16 in flight, until the connection ends; keeps every answer."""
        wire = bank.wire("alice")
        sent = 0
        try:
            for number, one in enumerate(ids):
                while sent < min(number + 16, len(ids)):
                    wire.send(command("TRANSFER", ids[sent], "bob", CENT))
                    sent += 1
                acked[one] = wire.reply_bytes()
                if len(acked) >= 25:
                    wanted.set()
        except (Broken, OSError):
            pass
        finally:
            wanted.set()
            wire.close()

    def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(self):
        bank = self.new_bank()
        self.fund(bank, "1000")
        start = {name: self.balance(bank, name) for name in ("alice", "bob")}
        total = 0
        for turn in range(4):
            acked, wanted = {}, threading.Event()
            ids = [f"k{turn}-{i}" for i in range(4000)]
            thread = threading.Thread(target=self.stream, args=(bank, ids, acked, wanted))
            thread.start()
            self.assertTrue(wanted.wait(60))
            bank.kill()
            thread.join()
            self.assertGreaterEqual(len(acked), 25, "the stream was killed in its middle")
            bank.start()
            again = ids[:len(acked) + 20]  # Some of these may have happened unanswered.
            with bank.wire("alice") as wire:
                for one in again:
                    reply = wire.ask_bytes("TRANSFER", one, "bob", CENT)
                    self.assertTrue(reply.startswith(b"*4\r\n$5\r\nentry\r\n"), reply)
                    self.assertEqual(reply, acked.get(one, reply), f"{one} was answered otherwise")
                total += len(again)
            self.assertEqual(self.balance(bank, "alice"), start["alice"] - CENT * total)
            self.assertEqual(self.balance(bank, "bob"), start["bob"] + CENT * total)
        bank.check()

    def test_a_person_registered_before_the_kill_is_there_after_it(self):
        bank = self.new_bank()
        for turn in range(3):
            with bank.wire("admin") as admin:
                self.assertEqual(admin.ask("REGISTER", f"person{turn}", "a long password"), "OK")
            bank.kill()
            bank.start()
            with bank.wire(f"person{turn}", terminal="alice", password="a long password"):
                pass

    def test_the_digest_is_the_same_after_a_kill_and_after_a_stop(self):
        bank = self.new_bank()
        self.fund(bank, "10")
        with bank.wire("alice") as wire:
            wire.ask("TRANSFER", "one", "bob", "1")
            wire.ask("TRANSFER", "two", "bob", "1000000")
            digest = wire.ask("DIGEST")
        bank.kill()
        bank.start()
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("DIGEST"), digest)
        bank.restart()
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("DIGEST"), digest)
            self.assertEqual(fields(wire.ask("TRANSFER", "one", "bob", "1.00"))["entry"],
                             fields(wire.ask("TRANSFER", "one", "bob", "1"))["entry"])


class Stopped(DurabilityTest):
    def test_it_ends_in_order_and_comes_back_on_the_same_port(self):
        bank = self.new_bank()
        self.fund(bank, "10")
        port = bank.port
        for turn in range(3):
            with bank.wire("alice") as wire:
                fields(wire.ask("TRANSFER", f"t{turn}", "bob", "1"))
                bank.restart(port)  # With a client connected, so that its port lingers.
                self.assertEqual(bank.port, port)
                self.assertTrue(wire.ends())
        self.assertEqual(bank.log().count("ready"), 4)

    def test_what_was_asked_before_the_signal_is_answered_or_not_done(self):
        bank = self.new_bank()
        self.fund(bank, "100")
        before = self.balance(bank)
        ids = [f"s{i}" for i in range(200)]
        wire = bank.wire("alice")
        wire.send(b"".join(command("TRANSFER", one, "bob", CENT) for one in ids))
        acked = {ids[0]: wire.reply_bytes()}
        bank.stop()
        try:
            for one in ids[1:]:
                acked[one] = wire.reply_bytes()
        except (Broken, OSError):
            pass
        bank.start()
        with bank.wire("alice") as wire:
            for one in ids:
                reply = wire.ask_bytes("TRANSFER", one, "bob", CENT)
                self.assertEqual(reply, acked.get(one, reply))
        self.assertEqual(self.balance(bank), before - CENT * len(ids))

    def test_shutdown_is_a_stop_too(self):
        bank = self.new_bank()
        with bank.wire("alice") as wire:
            self.assertIsInstance(wire.ask("SHUTDOWN"), Error)
        with bank.wire("admin") as wire:
            wire.send(command("SHUTDOWN"))
            self.assertEqual(bank.ended(), 0)
        bank.start()

    def test_a_second_server_on_the_same_data_is_refused(self):
        bank = self.new_bank()
        code, said = bank.refused_start()
        self.assertEqual(code, 1, said)
        self.assertIn(str(bank.process.pid), said)
        self.assertNotIn("ready", said)
        self.fund(bank, "1")  # The first one did not mind.
        bank.kill()
        bank.start()


class Order(DurabilityTest):
    """Of the system calls: the batch's write, its sync, and only then the reply's write."""

    calls = "pwrite64,pwritev,pwritev2,fdatasync,fsync,write,writev,sendto,sendmsg"

    def events(self, trace, segment):
        """('write' | 'synced' | 'reply', how it went) in the order of time. Other segments, which
        are filled with zeros meanwhile, are passed over."""
        started = {}
        for line in trace.split("\n"):
            pid, _, rest = line.partition(" ")
            rest = rest.strip()
            resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)", rest)
            if resumed:
                call, arguments = resumed.group(1), started.pop(pid, "") + resumed.group(2)
            else:
                call, _, arguments = rest.partition("(")
                if arguments.endswith("<unfinished ...>"):
                    started[pid] = arguments
            ended = re.search(r"\)\s+= (-?\d+)", arguments)
            on_journal = re.match(rf"\d+<[^>]*/{re.escape(segment)}>", arguments)
            on_socket = re.match(r"\d+<(TCP|socket)", arguments)
            if on_journal and call.startswith("pwrite") and ended:
                yield "write", int(ended.group(1))
            elif on_journal and call in ("fdatasync", "fsync") and ended:
                yield "synced", int(ended.group(1))
            elif on_socket and not resumed:
                yield "reply", 0  # Where it begins, not where it ends.

    def test_a_reply_leaves_only_after_the_sync_of_its_batch(self):
        bank = self.new_bank(start=False)
        trace_path = os.path.join(bank.folder, "trace")
        # -D: the tracer is a grandchild, so that the process started is pennyd itself.
        bank.start(under=["strace", "-D", "-f", "-yy", "-s", "16", "-e", f"trace={self.calls}",
                          "-o", trace_path])
        count = 8
        self.fund(bank, "10")
        with bank.wire("alice") as wire:
            for i in range(count):
                fields(wire.ask("TRANSFER", f"o{i}", "bob", CENT))
            bank.kill()

        def read_trace():
            with open(trace_path, "r", encoding="utf-8", errors="replace") as file:
                trace = file.read()
            return trace if "+++ killed by SIGKILL +++" in trace else None

        segment = os.path.basename(journal.batches(self.data(bank))[-1].path)
        events = list(self.events(wait_until("the trace is whole", read_trace), segment))
        replies = [i for i, event in enumerate(events) if event[0] == "reply"]
        self.assertGreater(len(replies), count)
        for last, this in zip(replies[-count - 1:], replies[-count:]):
            between = events[last + 1:this]
            kinds = [kind for kind, _ in between]
            self.assertIn("write", kinds, f"a reply without a batch: {events}")
            written = kinds.index("write")
            self.assertGreater(between[written][1], 0)
            self.assertEqual(between[written][1] % 4096, 0, "a batch is whole blocks")
            self.assertIn("synced", kinds[written:], f"a reply before its sync: {events}")
            self.assertEqual(between[written + kinds[written:].index("synced")][1], 0)


class Damaged(DurabilityTest):
    """One journal that was never closed in order, copied and damaged again and again."""

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank()
        cls.addClassCleanup(cls.bank.close)
        cls.kept = os.path.join(cls.bank.folder, "kept")
        with cls.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "10", "alice"))
        with cls.bank.wire("alice") as wire:
            cls.before = Decimal(wire.ask("BALANCE").decode())
            for i in range(6):
                fields(wire.ask("TRANSFER", f"d{i}", "bob", "1"))
            cls.bank.kill()
        shutil.copytree(cls.bank.path("data"), cls.kept, symlinks=True)
        cls.batches = journal.batches(cls.kept)

    def setUp(self):
        self.bank.kill()
        shutil.rmtree(self.data(self.bank))
        shutil.copytree(self.kept, self.data(self.bank), symlinks=True)

    def path_of(self, batch):
        return os.path.join(self.data(self.bank), os.path.relpath(batch.path, self.kept))

    def content(self):
        found = {}
        for path in journal.segments(self.data(self.bank)):
            with open(path, "rb") as file:
                found[path] = file.read()
        return found

    def last_movement(self):
        batch = self.batches[-1]
        self.assertEqual((batch.entry_count, batch.closing), (1, False), "killed without a pause")
        return batch

    def assert_refused(self, batch):
        """K3: the start says segment, offset and batch, and changes no byte."""
        before = self.content()
        code, said = self.bank.refused_start()
        self.assertEqual(code, 1, said)
        self.assertNotIn("ready", said)
        for number in (batch.segment, batch.offset, batch.seq):
            self.assertRegex(said, rf"\b0*{number}\b")
        self.assertEqual(self.content(), before)

    def assert_dropped(self, named):
        """The start goes on without the last movement, and says so with these numbers."""
        begin = len(self.bank.log())
        self.bank.start()
        for number in named:
            self.assertRegex(self.bank.log()[begin:], rf"\b{number}\b")
        self.assertEqual(self.balance(self.bank), self.before - 5)
        with self.bank.wire("alice") as wire:
            for i in range(6):
                fields(wire.ask("TRANSFER", f"d{i}", "bob", "1"))
        self.assertEqual(self.balance(self.bank), self.before - 6)
        self.bank.check()

    def test_an_undamaged_one_starts(self):
        self.bank.start()
        self.assertEqual(self.balance(self.bank), self.before - 6)

    def test_a_torn_tail_is_repaired(self):
        batch = self.last_movement()
        half = batch.size // 2
        for start, end in ((0, batch.size), (batch.size - 1, batch.size), (half, batch.size),
                           (0, half)):
            with self.subTest(zeroed=(start, end)):
                self.setUp()
                journal.zero(self.path_of(batch), batch.offset + start, batch.offset + end)
                if start == 0 and end == batch.size:
                    # Nothing is left of it, so there is nothing to say either.
                    self.bank.start()
                    self.assertEqual(self.balance(self.bank), self.before - 5)
                else:
                    self.assert_dropped([batch.offset, batch.seq])

    def test_a_flipped_bit_in_the_last_batch_is_a_torn_tail(self):
        batch = self.last_movement()
        for place in (0, 8, 60, 127, 128, batch.size - 33, batch.size - 1):
            with self.subTest(place=place):
                self.setUp()
                journal.flip(self.path_of(batch), batch.offset + place)
                entry = [batch.entry_first] if place >= journal.HEADER.size else []
                self.assert_dropped([batch.offset, batch.seq, *entry])

    def test_a_flipped_bit_before_the_durable_mark_refuses_the_start(self):
        for batch in self.batches[-3:-1]:
            for place in (0, 8, 16, 40, 48, 60, 96, 127, 128, 150, batch.size - 33,
                          batch.size - 1, batch.size, batch.end - batch.offset - 1):
                with self.subTest(batch=batch.seq, place=place):
                    self.setUp()
                    journal.flip(self.path_of(batch), batch.offset + place, bit=place % 8)
                    self.assert_refused(batch)

    def test_a_flipped_bit_in_any_part_of_an_early_batch_refuses_the_start(self):
        """With the checkpoint that vouches for it, and with nothing but the batches behind it."""
        early = self.batches[:2]
        self.assertEqual(early[0].seq, 1)
        fields_of_header = (0, 8, 12, 16, 32, 40, 44, 48, 56, 64, 68, 72, 80, 84, 88, 96)
        for batch in early:
            entries = (journal.HEADER.size, (journal.HEADER.size + batch.size - 32) // 2,
                       batch.size - 33)
            parts = {"header": fields_of_header, "entries": entries,
                     "hash": (batch.size - 32, batch.size - 1),
                     "padding": (batch.size, batch.end - batch.offset - 1)}
            for vouched in (True, False):
                for part, places in parts.items():
                    for place in places[:1] if vouched else places:
                        with self.subTest(batch=batch.seq, part=part, place=place, vouched=vouched):
                            self.setUp()
                            if not vouched:
                                self.remove_checkpoints()
                            journal.flip(self.path_of(batch), batch.offset + place, bit=place % 7)
                            self.assert_refused(batch)

    def remove_checkpoints(self):
        for name in os.listdir(self.data(self.bank)):
            if name.startswith("checkpoint."):
                shutil.rmtree(os.path.join(self.data(self.bank), name))

    def test_a_hole_before_the_durable_mark_refuses_the_start(self):
        batch = self.batches[-2]
        journal.zero(self.path_of(batch), batch.offset, batch.end)
        self.assert_refused(batch)

    def test_batches_that_changed_places_refuse_the_start(self):
        one, two = self.batches[-3:-1]
        with open(self.path_of(one), "r+b") as file:
            file.seek(one.offset)
            first = file.read(one.end - one.offset)
            file.seek(two.offset)
            second = file.read(two.end - two.offset)
            self.assertEqual(len(first), len(second))
            file.seek(one.offset)
            file.write(second)
            file.seek(two.offset)
            file.write(first)
        self.assert_refused(one)

    def test_the_operators_check_names_the_damage_too(self):
        batch = self.batches[-2]
        journal.flip(self.path_of(batch), batch.offset + 130)
        done = self.bank.pennyctl("check", self.bank.home, expect=1)
        self.assertRegex(done.stdout + done.stderr, rf"\b{batch.offset}\b")


class Programs(unittest.TestCase):
    def test_init_never_overwrites(self):
        with Bank(start=False) as bank:
            before = run(["ls", "-lR", bank.home]).stdout
            done = bank.pennyctl("init", bank.home, "--demo", expect=1)
            self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
            self.assertEqual(run(["ls", "-lR", bank.home]).stdout, before)

    def test_files_are_private(self):
        with Bank() as bank:
            bank.stop()
            for folder, _, names in os.walk(bank.path("data")):
                self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700, folder)
                for name in names:
                    path = os.path.join(folder, name)
                    self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)
            for folder, _, names in os.walk(bank.path("certs")):
                for name in names:
                    if name.endswith(".key"):
                        path = os.path.join(folder, name)
                        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)


if __name__ == "__main__":
    unittest.main()
