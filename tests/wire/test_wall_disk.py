"""The wall at the disk: no room, and journals that were cut or changed. Money that was acknowledged
is there or the start says what is wrong; it is never silently gone (P1, P8)."""

import os
import random
import re
import resource
import shutil
import subprocess
import unittest
from decimal import Decimal

import journal
from bank import Bank, run
from resp import Error, command, fields, wait_until

CENT = Decimal("0.01")
KIB = 1024
SEGMENT_KIB = 1024  # of every segment but the first, which `init` makes


def mount_small(folder, size):
    """Mounts a disk of that size over a folder; False where that is not allowed."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "penny-test", folder],
                          capture_output=True, timeout=60, check=False)
    return done.returncode == 0


class FullDisk(unittest.TestCase):
    """Money waits while there is no room for the next segment, reads go on, and it ends by itself
    when there is room."""

    def new_bank(self):
        bank = Bank(start=False, settings=(f"server.segment-size-kib={SEGMENT_KIB}",))
        self.addCleanup(bank.close)
        return bank

    def segments(self, bank):
        return [os.path.basename(path) for path in journal.segments(bank.path("data"))]

    def fill(self, bank, acked):
        """Moves money, many entries to a batch, until it is refused; gives the refusal."""
        wires = [bank.wire("till") for _ in range(4)]
        turn = 0
        try:
            while True:
                turn += 1
                self.assertLess(turn, 4000, "there was room without end")
                ids = {wire: [f"f{len(acked)}-{turn}-{number}-{i}" for i in range(32)]
                       for number, wire in enumerate(wires)}
                for wire, names in ids.items():
                    wire.send(b"".join(command("DEPOSIT", one, CENT, "alice") for one in names))
                refused = None
                for wire, names in ids.items():
                    for one in names:
                        reply = wire.reply()
                        if isinstance(reply, Error):
                            refused = reply
                        else:
                            acked[one] = fields(reply)["entry"]
                if refused is not None:
                    return refused
        finally:
            for wire in wires:
                wire.close()

    def check_refusing(self, bank, refusal, acked, before):
        self.assertEqual(refusal.word, "MISCONF", refusal.line)
        self.assertRegex(refusal.text, "no room")
        total = before + CENT * len(acked)
        with bank.wire("till", 3) as till, bank.wire("alice") as alice:
            # Everything that changes nothing goes on.
            self.assertEqual(Decimal(till.ask("BALANCE", "alice").decode()), total)
            self.assertEqual(len(alice.ask("STATEMENT", "COUNT", 64)), 64)
            self.assertEqual(len(alice.ask("DIGEST")), 64)
            self.assertIn(b"journal_entries", alice.ask("INFO"))
            for reply in (till.ask("DEPOSIT", "wait", CENT, "alice"),
                          alice.ask("TRANSFER", "wait", "bob", CENT)):
                self.assertEqual(reply.word, "MISCONF", reply.line)
            # An id that was answered before is answered again.
            one, entry = list(acked.items())[-1]
            self.assertEqual(fields(till.ask("DEPOSIT", one, CENT, "alice"))["entry"], entry)
        with bank.wire("admin") as admin:
            self.assertEqual(admin.ask("REGISTER", "newcomer", "a long password").word, "MISCONF")
        self.assertRegex(bank.log(), r" error .*journal/0*\d+\.(journal|making): cannot be made: ")
        with self.subTest("a second server on the same folder is still refused"):
            code, said = bank.refused_start()
            self.assertEqual(code, 1, said)
            self.assertIn(str(bank.process.pid), said)

    def check_again(self, bank, acked, before):
        """There is room again, and nobody told the server so."""
        with bank.wire("till") as till:
            wait_until("money moves again", lambda: not isinstance(
                till.ask("DEPOSIT", "wait", CENT, "alice"), Error))
        acked["wait"] = None
        with bank.wire("admin") as admin:
            self.assertEqual(admin.ask("REGISTER", "newcomer", "a long password"), "OK")
        self.assertEqual(self.balance(bank), before + CENT * len(acked))
        bank.kill()
        bank.start()
        self.assertEqual(self.balance(bank), before + CENT * len(acked))
        bank.check()

    def balance(self, bank):
        with bank.wire("alice") as wire:
            return Decimal(wire.ask("BALANCE").decode())

    def test_a_limit_on_the_size_of_files(self):
        """What anybody can set: files may not grow beyond the first segment's size, and the next
        ones are to be larger."""
        bank = self.new_bank()
        first = os.path.getsize(journal.segments(bank.path("data"))[0])
        bank.settings = [f"server.segment-size-kib={2 * first // KIB}"]
        bank.start(under=["prlimit", f"--fsize={first}:unlimited"])
        before = self.balance(bank)
        acked = {}
        refusal = self.fill(bank, acked)
        self.check_refusing(bank, refusal, acked, before)
        self.assertEqual(self.segments(bank), ["00000001.journal"], "no half of one is left")
        resource.prlimit(bank.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.check_again(bank, acked, before)

    def test_a_disk_without_room(self):
        bank = self.new_bank()
        data = bank.path("data")
        kept = os.path.join(bank.folder, "kept")
        os.rename(data, kept)
        os.mkdir(data, 0o700)
        first = os.path.getsize(journal.segments(kept)[0])
        if not mount_small(data, first + 3 * SEGMENT_KIB * KIB):
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(run, ["umount", "-l", data])
        shutil.copytree(kept, data, symlinks=True, dirs_exist_ok=True)
        os.chmod(data, 0o700)
        bank.start()
        before = self.balance(bank)
        acked = {}
        refusal = self.fill(bank, acked)
        self.check_refusing(bank, refusal, acked, before)
        with bank.wire("admin") as admin:
            reply = admin.ask("CHECKPOINT")
            if isinstance(reply, Error):  # There may be room for one still.
                self.assertEqual(reply.word, "MISCONF")
        self.assertEqual(self.balance(bank), before + CENT * len(acked))
        # To the last byte: a stop cannot take its checkpoint, and a start still reads the book.
        with self.assertRaises(OSError), open(os.path.join(data, "other"), "wb") as other:
            while True:
                other.write(bytes(4096))
                other.flush()
        for stop in (bank.stop, bank.kill):
            stop()
            bank.start()
            self.assertEqual(self.balance(bank), before + CENT * len(acked))
            with bank.wire("till") as till:
                self.assertEqual(till.ask("DEPOSIT", "wait", CENT, "alice").word, "MISCONF")
        self.assertIn(" error checkpoint failed ", bank.log())
        run(["mount", "-o", "remount,size=128m", data])
        self.check_again(bank, acked, before)

    def test_a_disk_full_from_the_start(self):
        """With no room for a second segment at all the server starts, and serves what there is."""
        bank = self.new_bank()
        first = os.path.getsize(journal.segments(bank.path("data"))[0])
        bank.settings = [f"server.segment-size-kib={2 * first // KIB}"]
        bank.start(under=["prlimit", f"--fsize={first}:unlimited"])
        with bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "one", "1", "alice"))
        bank.restart()
        with bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "two", "1", "alice"))
        bank.check()


class FailedWrite(unittest.TestCase):
    """A batch that cannot be written is never tried again on the same pages (P8)."""

    def test_money_stops_until_a_restart_which_settles_every_id(self):
        bank = Bank()
        self.addCleanup(bank.close)
        with bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "10", "alice"))
        alice, bob = bank.wire("alice"), bank.wire("bob")
        fields(alice.ask("TRANSFER", "before", "bob", "1"))
        entries = {name: wire.ask("BALANCE") for name, wire in (("alice", alice), ("bob", bob))}
        end = journal.batches(bank.path("data"))[-1].end
        resource.prlimit(bank.process.pid, resource.RLIMIT_FSIZE, (end, resource.RLIM_INFINITY))
        alice.send(command("TRANSFER", "torn", "bob", "1") +
                   command("TRANSFER", "torn2", "bob", "1") + command("BALANCE"))
        for _ in range(2):
            reply = alice.reply()
            self.assertEqual(reply.word, "MISCONF", reply.line)
        self.assertEqual(alice.reply(), entries["alice"])
        for lift in (False, True):
            if lift:  # Room does not help: what the pages hold is not known any more.
                resource.prlimit(bank.process.pid, resource.RLIMIT_FSIZE,
                                 (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            for wire, name in ((alice, "alice"), (bob, "bob")):
                reply = wire.ask("TRANSFER", "later", "shop", "0.01")
                self.assertEqual(reply.word, "MISCONF", reply.line)
                self.assertRegex(reply.text, "restart")
                self.assertEqual(wire.ask("BALANCE"), entries[name])
                self.assertIsInstance(wire.ask("STATEMENT"), list)
            self.assertIn(b"aof_last_write_status:err", alice.ask("INFO"))
        self.assertRegex(bank.log(), r" error .*/journal/00000001\.journal: cannot be "
                                     rf"written or synced: File too large; at offset {end}\b")
        bank.restart()
        with bank.wire("alice") as alice:
            for one in ("torn", "torn2"):
                fields(alice.ask("TRANSFER", one, "bob", "1"))
            self.assertEqual(Decimal(alice.ask("BALANCE").decode()),
                             Decimal(entries["alice"].decode()) - 2)
        bank.check()


def tracing_is_forbidden():
    """Why strace cannot follow a process here; None when it can."""
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True,
                          timeout=60, check=False)
    return (done.stderr.strip().split("\n")[-1] or "it failed") if done.returncode != 0 else None


class FailedCall(unittest.TestCase):
    """From some batch on every write, or every sync, of the journal's thread fails for good: that
    batch and all money after it is refused, balances can be read, nothing is tried again, and after
    a restart every id settles to what the disk holds."""

    def start_failing(self, bank, call):
        why = tracing_is_forbidden()
        if why is not None:
            self.skipTest(f"ptrace is forbidden here: {why}")
        trace = os.path.join(bank.folder, "trace")
        # -D: the tracer is a grandchild, so that the process started is pennyd itself. The count is
        # each thread's own.
        bank.start(under=["strace", "-D", "-f", "-yy", "-s", "0", "-o", trace,
                          "-e", "trace=pwrite64,fdatasync", "-e", f"inject={call}:error=EIO:when=5+"])
        return trace

    def calls_on_the_journal(self, trace):
        """(call, how it went) of the first segment's writes and syncs, when the trace is whole."""
        def whole():
            with open(trace, "r", encoding="utf-8", errors="replace") as file:
                text = file.read()
            return text if "+++ exited with 0 +++" in text.strip().split("\n")[-1] else None

        for line in wait_until("the trace is whole", whole).split("\n"):
            found = re.match(r"\d+ +(\w+)\(\d+<[^>]*/00000001\.journal>.*\) += (-?\d+)", line)
            if found:
                yield found.group(1), int(found.group(2))

    def pay(self, bank, acked):
        """Moves money, three ids to a turn, until it is refused; gives the ids of that turn."""
        with bank.wire("alice") as wire:
            for turn in range(40):
                ids = [f"t{turn}-{i}" for i in range(3)]
                wire.send(b"".join(command("TRANSFER", one, "bob", CENT) for one in ids))
                replies = {one: wire.reply_bytes() for one in ids}
                good = {one for one, reply in replies.items() if reply.startswith(b"*")}
                acked.update((one, replies[one]) for one in good)
                if len(good) == len(ids):
                    continue
                for one in set(ids) - good:
                    self.assertTrue(replies[one].startswith(b"-MISCONF "), replies[one])
                return ids
        self.fail("no call failed")

    def balance(self, bank, name):
        with bank.wire(name) as wire:
            return Decimal(wire.ask("BALANCE").decode())

    def check(self, call):
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        trace = self.start_failing(bank, call)
        before = {name: self.balance(bank, name) for name in ("alice", "bob")}
        acked = {}
        unknown = self.pay(bank, acked)
        self.assertGreater(len(acked), 0)
        for turn in range(2):
            for name in ("alice", "bob", "till"):
                with bank.wire(name) as wire:
                    reply = wire.ask("TRANSFER", f"late-{turn}", "shop", CENT)
                    self.assertEqual(reply.word, "MISCONF", reply.line)
                    self.assertIn("restart", reply.text)
        for name, sign in (("alice", -1), ("bob", 1)):
            self.assertEqual(self.balance(bank, name), before[name] + sign * CENT * len(acked))
        with bank.wire("alice") as wire:
            for one, reply in acked.items():
                self.assertEqual(wire.ask_bytes("TRANSFER", one, "bob", CENT), reply)
        self.assertRegex(bank.log(), r" error .*/journal/00000001\.journal: cannot be written or "
                                     r"synced: Input/output error; at offset \d+")
        bank.stop()
        calls = list(self.calls_on_the_journal(trace))
        failed = calls.index((call, -1))
        self.assertEqual(calls[failed + 1:], [], "the journal was touched after a failure")
        bank.start()
        with bank.wire("alice") as wire:
            for one in (*acked, *unknown):
                reply = wire.ask_bytes("TRANSFER", one, "bob", CENT)
                self.assertTrue(reply.startswith(b"*4\r\n$5\r\nentry\r\n"), reply)
                self.assertEqual(reply, acked.get(one, reply))
        paid = CENT * len({*acked, *unknown})
        self.assertEqual(self.balance(bank, "alice"), before["alice"] - paid)
        self.assertEqual(self.balance(bank, "bob"), before["bob"] + paid)
        bank.check()

    def test_a_sync_that_fails(self):
        self.check("fdatasync")

    def test_a_write_that_fails(self):
        self.check("pwrite64")


class Cut(unittest.TestCase):
    """A journal that was cut or changed behind the server's back, again and again. Each batch holds
    one payment that was acknowledged."""

    count = 150  # so that what is left would still be long enough for a segment

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank()
        cls.addClassCleanup(cls.bank.close)
        cls.kept = os.path.join(cls.bank.folder, "kept")
        with cls.bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "10", "alice"))
        with cls.bank.wire("alice") as wire:
            cls.before = Decimal(wire.ask("BALANCE").decode())
            for number in range(cls.count):
                fields(wire.ask("TRANSFER", f"p{number}", "bob", CENT))
            cls.bank.kill()
        shutil.copytree(cls.bank.path("data"), cls.kept, symlinks=True)
        cls.batches = journal.batches(cls.kept)

    def fresh(self):
        self.bank.kill()
        data = self.bank.path("data")
        shutil.rmtree(data)
        shutil.copytree(self.kept, data, symlinks=True)
        return journal.segments(data)[0]

    def content(self):
        found = {}
        for path in journal.segments(self.bank.path("data")):
            with open(path, "rb") as file:
                found[path] = file.read()
        return found

    def start_or_refusal(self):
        """None when the server runs, else what it said."""
        before = self.content()
        begin = os.path.getsize(self.bank.log_path)
        try:
            self.bank.start()
            return None
        except AssertionError:
            self.assertEqual(self.content(), before, "a refused start changes nothing")
            return self.bank.log()[begin:]

    def paid(self):
        with self.bank.wire("alice") as wire:
            return self.before - Decimal(wire.ask("BALANCE").decode())

    def assert_refused(self, said, path):
        self.assertIsNotNone(said, "it started, as if nothing was lost")
        refusal = said.strip().split("\n")[-1]
        self.assertTrue(refusal.startswith(f"pennyd: {path}: "), refusal)
        self.assertRegex(refusal, "backup|repair", "what to do")

    def test_a_segment_cut_at_any_byte_of_its_last_batches_is_refused(self):
        cuts = set()
        for batch in self.batches[-3:]:
            cuts |= {batch.offset, batch.offset + 1, batch.offset + 64, batch.offset + 128,
                     batch.offset + batch.size // 2, batch.offset + batch.size - 1,
                     batch.offset + batch.size, batch.end - 1, batch.end}
        cuts |= {batch.offset for batch in self.batches[-12:]}
        for cut in sorted(cuts):
            with self.subTest(cut=cut):
                path = self.fresh()
                os.truncate(path, cut)
                said = self.start_or_refusal()
                self.assert_refused(said, path)
                done = self.bank.pennyctl("check", self.bank.home, expect=1)
                self.assertIn(os.path.basename(path).lstrip("0")[0], done.stderr)

    def test_a_segment_that_is_gone_or_empty_is_refused(self):
        path = self.fresh()
        os.truncate(path, 0)
        self.assert_refused(self.start_or_refusal(), path)
        os.unlink(path)
        self.assert_refused(self.start_or_refusal(), path)

    def test_any_flipped_bit_is_named_or_harmless(self):
        """Only the last batch may be missing after it, as after a power cut: nothing that follows
        vouches for it, and the log says so."""
        chosen = random.Random(23)
        first, last = self.batches[-3], self.batches[-1]
        for _ in range(40):
            place, bit = chosen.randrange(first.offset, last.end), chosen.randrange(8)
            with self.subTest(place=place, bit=bit):
                path = self.fresh()
                journal.flip(path, place, bit)
                begin = len(self.bank.log())
                said = self.start_or_refusal()
                if place < last.offset:
                    self.assert_refused(said, path)
                    self.assertRegex(said, r"at offset \d+, batch \d+")
                    done = self.bank.pennyctl("check", self.bank.home, expect=1)
                    self.assertRegex(done.stdout + done.stderr, r"\boffset \d+")
                    continue
                self.assertIsNone(said)
                self.assertEqual(self.paid(), CENT * (self.count - 1))
                self.assertRegex(self.bank.log()[begin:],
                                 rf" warning {re.escape(path)}: at offset {last.offset}, .*dropped")
                with self.bank.wire("alice") as wire:  # Its owner sends it again.
                    fields(wire.ask("TRANSFER", f"p{self.count - 1}", "bob", CENT))
                self.assertEqual(self.paid(), CENT * self.count)
                self.bank.check()


if __name__ == "__main__":
    unittest.main()
