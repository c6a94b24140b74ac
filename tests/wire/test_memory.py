"""P5: after `ready` nobody in the process asks for memory, and the budget says what there is."""

import os
import re
import struct
import subprocess
import tempfile
import threading
import unittest

import enrolment
from bank import Bank, library, program, run
from resp import wait_until

NAMES = ("malloc", "calloc", "realloc", "aligned", "mmap", "brk")
CONNECTS = 1000
COMMANDS = 100000


class Counted:
    """A bank whose server counts what it asks the C library and the kernel for."""

    def __init__(self, plant=False):
        self.folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.counts = os.path.join(self.folder.name, "counts")
        with open(self.counts, "wb") as file:
            file.write(bytes(8 * len(NAMES)))
        counter = library(self.folder.name, "count_memory")
        sensor = os.path.join(self.folder.name, "sensor")
        with open(sensor, "w", encoding="ascii") as file:
            file.write("21.5\n")
        self.bank = Bank(start=False, settings=(
            "limits.sessions=128", "limits.buffers=128", "server.time-zone=Europe/Berlin",
            f"server.temperature=file:{sensor}"))
        os.environ["COUNT_MEMORY"] = self.counts
        if plant:
            os.environ["COUNT_MEMORY_PLANT"] = "1"
        try:
            self.bank.start(preload=counter)
        finally:
            os.environ.pop("COUNT_MEMORY")
            os.environ.pop("COUNT_MEMORY_PLANT", None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bank.close()
        self.folder.cleanup()

    def read(self):
        with open(self.counts, "rb") as file:
            return dict(zip(NAMES, struct.unpack(f"<{len(NAMES)}Q", file.read(8 * len(NAMES)))))

    def maps(self):
        """The process's mappings, without how much of each is touched."""
        with open(f"/proc/{self.bank.process.pid}/maps", encoding="ascii") as file:
            return [line.split()[0] for line in file]


class MemoryTest(unittest.TestCase):
    def log_in_often(self, bank, count):
        """Connects, shakes hands, logs in and leaves, from a few threads; each a new session."""
        errors = []

        def work(share):
            try:
                for _ in range(share):
                    with bank.wire("alice") as wire:
                        wire.ask("BALANCE")
            except BaseException as why:  # a thread's error must reach the test
                errors.append(why)

        threads = [threading.Thread(target=work, args=(count // 4,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def reload(self, bank, wire):
        """Taken, refused and renewed: what is read and parsed lies in memory that there was."""
        for _ in range(3):
            self.assertEqual(wire.ask("RELOAD"), "OK")
        os.rename(bank.path("certs", "crl.pem"), bank.path("certs", "away"))
        self.assertIn("crl.pem", wire.ask("RELOAD").line)
        os.rename(bank.path("certs", "away"), bank.path("certs", "crl.pem"))
        self.assertEqual(wire.ask("RENEW", enrolment.request(enrolment.new_key()))[b"state"],
                         b"waiting")

    def test_nothing_is_allocated_after_ready(self):
        with Counted() as counted:
            bank = counted.bank
            before, maps = counted.read(), counted.maps()
            self.assertGreater(before["malloc"] + before["calloc"], 0, "the counter counts nothing")
            self.log_in_often(bank, CONNECTS)
            with bank.wire("alice") as wire:
                wire.ask("DEPOSIT", "much", "100000")
            bench = ["redis-benchmark", "--tls", *bank.cli_options("alice"), "-c", "32", "-q"]
            bench = ["-a" if word == "--pass" else word for word in bench]
            run([*bench, "-n", str(COMMANDS // 2), "PING"], timeout=None)
            run([*bench, "-n", str(COMMANDS // 2), "-P", "16", "-r", "1000000000",
                 "TRANSFER", "m__rand_int__", "bob", "0.01"])
            with bank.wire("admin", protocol=3) as wire:
                for words in (("CHECKPOINT",), ("DIGEST",), ("INFO",), ("WHOAMI",),
                              ("STATEMENT", "COUNT", "64"), ("REGISTER", "carol", "carol-secret"),
                              ("PASSWD", bank.passwords["admin"], "another-secret"), ("NOPE",),
                              ("TELL", "x" * 255), ("CLOCK",), ("DATE",)):
                    wire.ask(*words)
                self.assertEqual(wire.ask("TEMPERATURE")[b"temperature"], b"21.5")
                self.reload(bank, wire)
            with bank.wire("alice") as wire:
                rows = wire.ask("STATEMENT", "COUNT", "64")
                for _ in range(20):
                    text = wire.ask("RECEIPT", rows[0][1])
                    self.assertIn(b"balance", wire.ask("RECEIPT", "VERIFY", text))
                info = wire.ask("INFO").decode()
            self.assertGreaterEqual(int(re.search(r"total_commands_processed:(\d+)", info)[1]),
                                    COMMANDS)
            self.assertGreaterEqual(int(re.search(r"total_connections_received:(\d+)", info)[1]),
                                    CONNECTS)
            self.assertEqual(counted.read(), before)
            self.assertEqual(counted.maps(), maps)

    def test_a_planted_allocation_is_found(self):
        with Counted(plant=True) as counted:
            before = counted.read()
            self.log_in_often(counted.bank, 8)
            grown = {name: count - before[name] for name, count in counted.read().items()}
            self.assertEqual(grown["malloc"], 8, grown)

    def test_the_memory_of_a_password_hash_is_given_back(self):
        def resident(bank):
            with open(f"/proc/{bank.process.pid}/status", encoding="ascii") as file:
                return int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1])

        with Bank() as bank:
            for _ in range(3):
                bank.wire("alice").close()
                # Without the 19 MiB that one hash fills, the server has touched far less.
                wait_until("the hash's memory is given back",
                           lambda: resident(bank) < 19456, 60)

    def test_the_budget_adds_up_and_is_what_the_server_reserves(self):
        with Bank() as bank:
            done = run([program("pennyd"), "-m", bank.path("pennyd.conf")])
            rows = re.findall(r"^(\S.*?|  \S.*?)\s+(\d+)\s+(\d+)\s+(\d+)$", done.stdout, re.M)
            self.assertGreater(len(rows), 20, done.stdout)
            for name, count, size, total in rows:
                self.assertLessEqual(int(count) * int(size), int(total), name)
                self.assertLess(int(total) - int(count) * int(size), 64, name)
            total = sum(int(row[3]) for row in rows)
            said = int(re.search(r"address space reserved.*: (\d+) KiB", done.stdout)[1])
            self.assertEqual(total // 1024, said)
            for name in ("sessions", "accounts", "ids remembered", "password hash"):
                self.assertIn(name, [row[0] for row in rows])

    def test_the_kernel_is_asked_for_no_memory_either(self):
        with Bank() as bank, tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            tracer = subprocess.Popen(["strace", "-f", "-p", str(bank.process.pid), "-o", trace,
                                       "-e", "trace=mmap,brk,mremap,munmap,clone,clone3"],
                                      stderr=subprocess.PIPE, text=True)
            try:
                self.assertIn("attached", tracer.stderr.readline())
                self.log_in_often(bank, 40)
                with bank.wire("alice") as wire:
                    for i in range(200):
                        wire.ask("TRANSFER", f"k-{i}", "bob", "0.01")
                    wire.ask("DIGEST")
            finally:
                tracer.terminate()
                tracer.wait()
                tracer.stderr.close()
            with open(trace, encoding="utf-8") as file:
                calls = [line for line in file if re.search(r"\b(mmap|brk|mremap|clone3?)\(", line)]
            self.assertEqual(calls, [])
