"""Full pools, rude peers and much at once: an answer to everybody, and never a crash (P5, P7)."""

import os
import random
import re
import socket
import ssl
import threading
import unittest

import journal
from bank import Bank, program, run
from resp import Broken, Error, command, fields, wait_until


class LoadTest(unittest.TestCase):
    def new_bank(self, *settings):
        bank = Bank(settings=settings)
        self.addCleanup(bank.close)
        with bank.wire("till") as till:
            fields(till.ask("DEPOSIT", "fund", "100000", "alice"))
        return bank

    def push(self, wire, data):
        """Sends until the server takes no more, and never reads."""
        wire.socket.settimeout(0.5)
        try:
            for _ in range(100000):
                wire.send(data)
        except (TimeoutError, socket.timeout, ssl.SSLWantWriteError):
            return
        self.fail("the server buffers without a bound")


class Full(LoadTest):
    def test_a_client_too_many_is_told_so(self):
        bank = self.new_bank("limits.sessions=6", "limits.handshakes=4", "limits.buffers=8")
        wires = [bank.wire("alice") for _ in range(6)]
        with bank.wire() as surplus:
            self.assertEqual(surplus.reply(), Error("ERR max number of clients reached"))
            self.assertTrue(surplus.ends())
        self.assertTrue(all(wire.ask("PING") == "PONG" for wire in wires))
        wires.pop().close()

        def let_in():
            with bank.wire(terminal="bob") as wire:
                return wire.ask("AUTH", "bob", bank.passwords["bob"]) == "OK"

        wait_until("the place is free again", let_in)

    def test_sessions_share_fewer_buffers(self):
        bank = self.new_bank("limits.sessions=40", "limits.handshakes=2", "limits.buffers=2")
        wires = [bank.wire("alice") for _ in range(30)]
        for turn in range(5):
            for number, wire in enumerate(wires):
                wire.send(command("PING") +
                          command("TRANSFER", f"{turn}-{number}", "bob", "0.01") * 3)
            for wire in wires:
                self.assertEqual(wire.reply(), "PONG")
                first = wire.reply_bytes()
                self.assertEqual([wire.reply_bytes() for _ in range(2)], [first] * 2)

    def test_half_requests_do_not_keep_buffers_for_ever(self):
        bank = self.new_bank("limits.sessions=8", "limits.handshakes=2", "limits.buffers=2",
                             "server.request-ms=500")
        halves = [bank.wire("alice") for _ in range(2)]
        with bank.wire("bob") as wire:
            for half in halves:
                half.send(b"*2\r\n$4\r\nECHO\r\n$5\r\nhe")
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_more_ids_than_are_remembered_forget_the_oldest(self):
        bank = self.new_bank("limits.ids=1024")
        with bank.wire("alice") as wire:
            for start in range(0, 6000, 500):
                ids = [f"i{number}" for number in range(start, start + 500)]
                wire.send(b"".join(command("TRANSFER", one, "bob", "0.01") for one in ids))
                for _ in ids:
                    fields(wire.reply())
            digest, balance = wire.ask("DIGEST"), wire.ask("BALANCE")
        for again in (bank.kill, bank.stop):
            again()
            bank.start()
            with bank.wire("alice") as wire:
                self.assertEqual(wire.ask("DIGEST"), digest)
                fields(wire.ask("TRANSFER", "i5999", "bob", "0.01"))
                self.assertEqual(wire.ask("BALANCE"), balance)
        bank.check()


class Rude(LoadTest):
    def test_bytes_that_are_no_tls_harm_nobody(self):
        bank = self.new_bank("server.penalty-exempt=127.0.0.1")
        chosen = random.Random(1)
        for _ in range(150):
            sock = socket.create_connection((bank.host, bank.port))
            self.addCleanup(sock.close)
            try:
                sock.sendall(b"\x16\x03\x01"[:chosen.randrange(4)] +
                             chosen.randbytes(chosen.randrange(2000)))
            except OSError:
                pass
            if chosen.random() < 0.5:
                sock.close()
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
        bank.stop()

    def test_records_that_are_altered_end_the_session(self):
        bank = self.new_bank()
        chosen = random.Random(2)
        for _ in range(20):
            wire = bank.wire("alice")
            raw = socket.socket(fileno=os.dup(wire.socket.fileno()))
            self.addCleanup(raw.close)
            raw.sendall(b"\x17\x03\x03\x00\x40" + chosen.randbytes(64))
            self.assertFalse(wire._more() and b"PONG" in wire.buffer)
            wire.close()
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_clients_that_leave_at_any_moment_harm_nobody(self):
        bank = self.new_bank()
        request = (command("TRANSFER", "same", "bob", "0.01") + command("STATEMENT") +
                   command("DIGEST") + command("AUTH", "bob", "wrong password") + command("INFO"))
        for cut in range(1, len(request), 5):
            wire = bank.wire("alice")
            wire.send(request[:cut])
            wire.close()
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
        bank.check()

    def test_a_client_that_does_not_read_loses_its_place(self):
        bank = self.new_bank("server.idle-s=1")
        self.push(bank.wire("alice"), command("INFO") * 5)

        def is_alone():
            with bank.wire("bob") as wire:
                return b"connected_clients:1\r\n" in wire.ask("INFO", "clients")

        wait_until("the place of the one that never reads is free", is_alone)

    def test_a_client_that_does_not_read_cannot_hold_up_a_stop(self):
        bank = self.new_bank()
        wire = bank.wire("alice")
        self.push(wire, command("STATEMENT", "COUNT", 64) + command("INFO"))
        with bank.wire("bob") as other:
            self.assertEqual(other.ask("PING"), "PONG")
        bank.stop()


class LongJournal(unittest.TestCase):
    """A start that has much to read says how far it is, and takes no more memory for it."""

    count = 1000000

    def budget_kib(self, bank):
        done = run([program("pennyd"), "-m", bank.path("pennyd.conf")])
        return int(re.search(r"greatest resident set.*: (\d+) KiB", done.stdout).group(1))

    def resident_kib(self, bank):
        """The most that was ever resident, without the pages of the program's own files."""
        with open(f"/proc/{bank.process.pid}/status", encoding="ascii") as file:
            found = dict(re.findall(r"^(VmHWM|RssFile):\s+(\d+) kB", file.read(), re.M))
        return int(found["VmHWM"]) - int(found["RssFile"])

    def test_a_million_entries_since_the_checkpoint(self):
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        data = bank.path("data")
        before = journal.accounts(data)["alice"][1]
        last, offsets = journal.deposits(data, "alice", self.count, segment_size=32 << 20)
        bank.start()
        said = bank.log()
        progress = [(int(done), int(total)) for done, total in
                    re.findall(r" info reading the journal: (\d+) of (\d+) MiB", said)]
        self.assertGreaterEqual(len(progress), 5, said)
        self.assertEqual(progress, sorted(progress))
        self.assertTrue(all(done <= total for done, total in progress), progress)
        self.assertLess(said.index("reading the journal"), said.index("ready "))
        self.assertIn(f"then {self.count} entries in {len(offsets)} batches, up to entry {last}",
                      said)
        with bank.wire("alice") as wire:
            self.assertEqual(wire.ask("BALANCE").decode().replace(".", ""),
                             str(before + self.count))
            self.assertGreater(fields(wire.ask("TRANSFER", "next", "bob", "0.01"))["entry"], last)
        self.assertLess(self.resident_kib(bank), self.budget_kib(bank))
        bank.stop()
        # Nothing of it is read again, since the stop took a checkpoint.
        bank.start()
        self.assertIn(", then 0 entries in 0 batches", bank.log()[len(said):])


class Busy(LoadTest):
    def test_a_stop_in_the_middle_of_everything_is_in_order(self):
        bank = self.new_bank()
        wires = [bank.wire("alice") for _ in range(40)]
        for number, wire in enumerate(wires):
            wire.send(command("TRANSFER", f"s{number}", "bob", "0.01") +
                      command("AUTH", "alice", "wrong password") + command("STATEMENT") +
                      command("DIGEST"))
        bank.stop()
        bank.check()

    def test_people_digests_and_money_in_one_pipeline(self):
        bank = self.new_bank()
        with bank.wire("admin") as admin:
            count = 10
            for number in range(count):
                admin.send(command("REGISTER", f"p{number}", "a long password") +
                           command("DIGEST") + command("BALANCE") + command("CHECKPOINT"))
            digests = set()
            for _ in range(count):
                self.assertEqual(admin.reply(), "OK")
                digests.add(admin.reply())
                self.assertEqual(admin.reply(), b"0.00")
                self.assertEqual(len(fields(admin.reply())["digest"]), 64)
            self.assertEqual(len(digests), count)

    def test_a_kill_during_checkpoints_loses_nothing(self):
        bank = self.new_bank("server.segment-size-kib=512")
        for turn in range(4):
            acked, failures, stop = {}, [], threading.Event()
            threads = [threading.Thread(target=self.money, args=(bank, turn, acked, failures,
                                                                 stop)),
                       threading.Thread(target=self.checkpoints, args=(bank, failures, stop))]
            for thread in threads:
                thread.start()
            wait_until("enough is done", lambda: len(acked) > 500 * (turn + 1) or failures)
            bank.kill()
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            bank.start()
            with bank.wire("alice") as wire:
                for one, reply in acked.items():
                    self.assertEqual(wire.ask_bytes("TRANSFER", one, "bob", "0.01"), reply)
        bank.check()

    def money(self, bank, turn, acked, failures, stop):
        try:
            with bank.wire("alice") as wire:
                number = 0
                while not stop.is_set():
                    ids = [f"c{turn}-{number + i}" for i in range(16)]
                    number += 16
                    wire.send(b"".join(command("TRANSFER", one, "bob", "0.01") for one in ids))
                    for one in ids:
                        acked[one] = wire.reply_bytes()
        except (Broken, OSError):
            pass
        except Exception as why:  # pylint: disable=broad-except
            failures.append(why)

    def checkpoints(self, bank, failures, stop):
        try:
            with bank.wire("admin") as wire:
                while not stop.is_set():
                    fields(wire.ask("CHECKPOINT"))
        except (Broken, OSError):
            pass
        except Exception as why:  # pylint: disable=broad-except
            failures.append(why)


if __name__ == "__main__":
    unittest.main()
