"""The door, for those who never log in, and what the log says of it: nobody fills the house with
clients, and fail2ban reads who guesses. Sources are addresses of 127.0.0.0/8."""

import os
import re
import shutil
import subprocess
import unittest

from bank import ROOT, SECONDS_MAX
from door import DoorTest
from resp import wait_until

REFUSED_LINE = r" warning login refused session \d+ from ([\d.]+):\d+ terminal (\S+) name (\S*)\n"


class Strangers(DoorTest):
    def closed(self, sock):
        """True when the server has closed this silent client; no limit of time does so here."""
        sock.settimeout(SECONDS_MAX)
        try:
            return sock.recv(1) == b""
        except ConnectionError:
            return True

    def test_the_silent_of_one_address_leave_places_to_others(self):
        bank = self.new_bank("limits.strangers-per-source=4", "server.login-ms=600000")
        silent = [self.plain(bank, "127.0.0.1") for _ in range(4)]
        for _ in range(20):
            self.assertTrue(self.closed(self.plain(bank, "127.0.0.1")))
        self.assertEqual(self.log_in(bank, "alice", "alice", "127.0.0.2"), b"+OK\r\n")
        self.assertEqual(self.info(bank, "strangers_refused"), 20)
        turned_away = re.findall(r"turned away session \d+ from (\S+):\d+ strangers 4\n",
                                 bank.log())
        self.assertEqual(turned_away, ["127.0.0.1"], "one line in a minute")
        for sock in silent:
            sock.setblocking(False)
            with self.assertRaises(BlockingIOError, msg="who was let in stays"):
                sock.recv(1)
        silent.pop().close()
        wait_until("a place is free", lambda: self.is_let_in(bank, "127.0.0.1"))
        bank.check()

    def is_let_in(self, bank, source):
        try:
            return self.log_in(bank, "bob", "bob", source) == b"+OK\r\n"
        except OSError:
            return False

    def test_who_logged_in_is_no_stranger(self):
        bank = self.new_bank("limits.strangers-per-source=2", "server.login-ms=600000")
        inside = []
        for _ in range(10):
            inside.append(self.wire(bank, "alice"))
            self.assertEqual(inside[-1].ask("AUTH", "alice", bank.passwords["alice"]), "OK")
        outside = [self.wire(bank, "alice") for _ in range(2)]
        self.assertTrue(self.closed(self.plain(bank)))
        for wire in outside:
            self.assertIsInstance(wire.ask("TIME"), list)
        for wire in inside:
            self.assertEqual(wire.ask("PING"), "PONG")
        self.assertEqual(inside[0].ask("RESET"), "RESET")  # A third, but it was there before.
        self.assertEqual(inside[0].ask("AUTH", "alice", bank.passwords["alice"]), "OK")

    def test_it_is_never_more_than_half_of_all(self):
        bank = self.new_bank("limits.sessions=6", "limits.handshakes=2", "server.login-ms=600000")
        silent = [self.plain(bank) for _ in range(3)]
        self.assertTrue(self.closed(self.plain(bank)))
        for number in range(3):
            self.assertEqual(self.log_in(bank, "alice", "alice", f"127.0.0.{number + 2}"),
                             b"+OK\r\n")
        for sock in silent:
            sock.close()

    def test_an_exempt_address_has_no_bound(self):
        bank = self.new_bank("limits.strangers-per-source=2", "server.penalty-exempt=127.0.0.7",
                             "server.login-ms=600000")
        wires = [self.wire(bank, "alice", "127.0.0.7") for _ in range(20)]
        for wire in wires:
            self.assertIsInstance(wire.ask("TIME"), list)
            wire.close()

    def test_a_source_gets_its_places_back_when_their_time_is_up(self):
        bank = self.new_bank("limits.strangers-per-source=2", "server.login-ms=300")
        for _ in range(3):
            silent = [self.plain(bank) for _ in range(2)]
            for sock in silent:
                self.assertTrue(self.closed(sock))
                sock.close()
            wait_until("a place is free", lambda: self.is_let_in(bank, "127.0.0.1"))


class Log(DoorTest):
    names = ("alice", "nobody", "", "two words", "x from 6.6.6.6:1 terminal y name z",
             "line\r\n2026-11-21T13:08:57.426Z warning login refused session 1 from 6.6.6.6:1 "
             "terminal t name n", "\x1b[2J\0\xff", "n" * 200)

    def setUp(self):
        self.bank = self.new_bank()
        for number, name in enumerate(self.names):
            self.guess(self.bank, name, 1, source=f"127.0.4.{number + 1}")
        self.sources = [f"127.0.4.{number + 1}" for number in range(len(self.names))]

    def test_each_failure_is_one_line_of_one_shape(self):
        found = re.findall(REFUSED_LINE, self.bank.log())
        self.assertEqual([source for source, _, _ in found], self.sources)
        self.assertEqual({terminal for _, terminal, _ in found}, {"kiosk"})
        self.assertEqual([name for _, _, name in found][:4], ["alice", "nobody", "", "two%20words"])
        self.assertNotIn("wrong password", self.bank.log())

    def test_what_is_refused_without_a_look_is_told_now_and_then(self):
        self.guess(self.bank, "alice", 1000, source="127.0.0.6")
        lines = re.findall(REFUSED_LINE, self.bank.log())
        self.assertGreater(len([1 for source, _, _ in lines if source == "127.0.0.6"]), 3)
        self.assertLess(len(lines), 500)

    def fail2ban(self, text):
        """The addresses that fail2ban reads out of a log, with the filter that is shipped."""
        path = os.path.join(self.bank.folder, "lines.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        # By a path from here: it takes one with a blank for an expression.
        done = subprocess.run(["fail2ban-regex", "-o", "<ip>", path,
                               "tools/packaging/fail2ban/filter.d/pennyd.conf"], cwd=ROOT,
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.split()

    def test_fail2ban_reads_the_real_lines(self):
        self.log_in(self.bank, "bob", "bob", "127.0.0.5")
        log = self.bank.log()
        self.assertEqual(self.fail2ban(log), self.sources)
        # As the system's journal hands them on, and for addresses of IPv6.
        journal = "".join(f"{line[:24]} board pennyd[7]: {line}\n" for line in log.splitlines()
                          if line[:2] == "20")
        self.assertEqual(self.fail2ban(journal), self.sources)
        line = next(line for line in log.splitlines() if "login refused" in line)
        for written, read in (("[2001:db8::7]:", "2001:db8::7"),
                              ("[::ffff:10.0.0.7]:", "10.0.0.7")):
            self.assertEqual(self.fail2ban(line.replace("127.0.4.1:", written) + "\n"), [read])

    def test_fail2ban_takes_the_jail(self):
        folder = os.path.join(self.bank.folder, "fail2ban")
        shutil.copytree("/etc/fail2ban", folder)
        shutil.rmtree(os.path.join(folder, "jail.d"))
        shutil.copytree(os.path.join(ROOT, "tools/packaging/fail2ban"), folder, dirs_exist_ok=True)
        done = subprocess.run(["fail2ban-client", "-c", folder, "-d"], capture_output=True,
                              text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("['add', 'pennyd', 'systemd']", done.stdout)
        self.assertIn("login refused session", done.stdout)


if __name__ == "__main__":
    unittest.main()
