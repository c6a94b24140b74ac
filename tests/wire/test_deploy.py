"""tools/deploy against an sshd on loopback: programs arrive whole or not at all, and the bank stays."""

import os
import subprocess
import threading
import unittest

from bank import ROOT, SECONDS_MAX, run
from board import Board
from packing import BOARD, CENT, NAMES, OnBoard, Packing, content
from resp import fields, wait_until


class Deploying(OnBoard):
    def test_a_first_deploy_installs_and_says_how_to_make_a_bank(self):
        said = self.deploy(self.pack("one")).stdout
        self.assertIn("pennyctl init /etc/pennyd", said)
        self.assertEqual(self.board.starts, [])
        for name in NAMES:
            self.assertTrue(os.access(self.board.bin(name), os.X_OK), name)
            self.assertFalse(os.path.exists(self.board.bin(name) + ".previous"))
        run([self.board.bin("pennyctl"), "init", self.board.path("etc", "pennyd"), "--demo"])
        self.assertTrue(os.path.isdir(self.board.path("var", "lib", "pennybank", "data")))
        self.assertEqual(os.stat(self.board.path("var", "lib", "pennybank")).st_mode & 0o777, 0o700)

    def test_an_upgrade_keeps_the_bank_and_the_previous_programs(self):
        self.make_bank()
        del self.board.starts[:]
        old = self.installed()
        said = self.deploy(self.pack("two")).stdout
        self.assertIn("the new programs serve", said)
        self.assertEqual(self.board.starts, [["--read-only"], []])
        self.assertTrue(self.installed().endswith(b"two"))
        for name in NAMES:
            self.assertTrue(self.installed(name, ".previous").endswith(b"one"), name)
        self.assertEqual(self.installed("pennyd", ".previous"), old)
        self.assertEqual(self.balances(), self.before)
        answer = run([self.board.bin("penny"), "-c", self.board.path("etc/pennyd/client.conf"),
                      "--timeout", "30", "ping"])
        self.assertEqual(answer.stdout, "PONG\n")
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "after", "bob", CENT))
        self.assertIn("no previous program",
                      self.put_back_twice())
        self.board.stop()
        self.assertIn("the books sum to zero", self.bank.check())

    def put_back_twice(self):
        """The second time there is nothing more to put back; gives what was said to that."""
        self.before = self.balances()
        self.board.deploy("--rollback")
        self.assert_old_one_serves()
        self.before = self.balances()
        said = self.board.deploy("--rollback", expect=1).stdout
        self.assert_old_one_serves()
        return said

    def test_a_connection_cut_in_the_tarball_changes_nothing_and_the_next_deploy_works(self):
        self.make_bank()
        two = self.pack("two")
        size = os.path.getsize(two)
        for part in (1, 3):
            del self.board.starts[:]
            # Bytes of the handshake go before those of the tarball.
            self.board.at_bytes = (size * part // 4, lambda link: link.cut())
            said = self.deploy(two, expect=5).stderr
            self.assertIn("the connection was lost; run it again", said)
            self.wait_for_the_lock()
            self.assertEqual(self.board.starts, [])
            self.assertTrue(self.installed().endswith(b"one"))
        self.deploy(two)
        self.assertTrue(self.installed().endswith(b"two"))
        self.assertTrue(self.installed("pennyd", ".previous").endswith(b"one"))

    def wait_for_the_lock(self):
        lock = self.board.path("usr/local/lib/pennybank/lock")
        wait_until("the board is done", lambda: subprocess.run(
            ["flock", "-n", lock, "true"], timeout=SECONDS_MAX, check=False).returncode == 0,
            SECONDS_MAX)

    def test_a_connection_cut_while_it_switches_does_not_stop_it(self):
        self.make_bank()
        restart = self.board.restart

        def cut_and_restart(options):
            self.board.restart = restart
            for link in self.board.links:
                link.cut()
            return restart(options)

        self.board.restart = cut_and_restart
        self.deploy(self.pack("two"), expect=5)
        self.wait_for_the_lock()
        self.assertTrue(self.installed().endswith(b"two"))
        self.assertEqual(self.board.starts[-2:], [["--read-only"], []])
        self.assertEqual(self.balances(), self.before)

    def test_one_of_two_at_once_is_refused(self):
        self.make_bank()
        two = self.pack("two")
        held, go_on = threading.Event(), threading.Event()

        def hold(_):
            held.set()
            go_on.wait(SECONDS_MAX)

        self.board.at_bytes = (os.path.getsize(two) // 2, hold)
        first = subprocess.Popen(self.board.command("--tarball", two), cwd=self.folder, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        try:
            self.assertTrue(held.wait(SECONDS_MAX))
            said = self.deploy(self.pack("three"), expect=6).stderr
            self.assertIn("another deploy to this board is under way", said)
            self.assertTrue(self.installed().endswith(b"one"))
            go_on.set()
            said, _ = first.communicate(timeout=SECONDS_MAX)
            self.assertEqual(first.returncode, 0, said)
        finally:
            go_on.set()
            first.kill()
            first.communicate()
        self.assertTrue(self.installed().endswith(b"two"))


class Refused(Packing):
    """What is wrong is said before anything is changed."""

    def setUp(self):
        super().setUp()
        self.board = Board(os.path.join(self.folder, "board"))
        self.addCleanup(self.board.close)

    def refused(self, *words, expect=1):
        said = self.board.deploy(*words, expect=expect).stderr
        self.assertFalse(os.path.exists(self.board.path("usr", "local", "bin")))
        return said

    def shim(self, name, text):
        path = os.path.join(self.board.first, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def test_a_machine_that_nobody_knows(self):
        done = run([os.path.join(ROOT, "tools", "deploy"), "--ssh-config",
                    os.path.join(self.board.folder, "ssh"), "nobody@nowhere.invalid"], expect=1)
        self.assertIn("nobody@nowhere.invalid cannot be reached; nothing was changed", done.stderr)

    def test_a_machine_with_another_key(self):
        with open(os.path.join(self.board.folder, "known_hosts"), encoding="ascii") as text:
            where = text.read().split()[0]
        key = content(os.path.join(self.board.folder, "user_key.pub")).decode()
        self.board.write("known_hosts", f"{where} {key}")
        self.assertIn("cannot be reached", self.refused("--tarball", self.pack("one")))

    def test_programs_of_another_board(self):
        other = self.pack("other", board="armv6")
        self.assertIn(f"not a tarball for a board {BOARD}", self.refused("--tarball", other))
        self.assertIn("which does not run programs for armv6",
                      self.refused("--tarball", other, "--board", "armv6"))

    def test_each_machine_gets_the_programs_of_its_board(self):
        """A board is known by its processor and by how wide its system's own programs are."""
        for machine, bits, board in (("aarch64", 64, "aarch64"), ("aarch64", 32, "armhf"),
                                     ("armv7l", 32, "armhf"), ("armv6l", 32, "armv6"),
                                     ("x86_64", 64, "x86_64"), ("riscv64", 64, None)):
            with self.subTest(machine=machine, bits=bits):
                self.shim("uname", f"echo {machine}")
                self.shim("getconf", f"echo {bits}")
                said = self.refused("--tarball", os.path.join(self.folder, "absent"))
                self.assertIn(f"there is no {self.folder}/absent; make board BOARD={board}"
                              if board else f"no programs for: {machine} {bits}", said)

    def test_no_room(self):
        self.shim("df", 'printf "disk 1K used free use on\\n/dev/x 9000 8990 10 99%% /\\n"')
        self.assertRegex(self.refused("--tarball", self.pack("one")),
                         r"no room: \d+ KiB are needed and 10 free; nothing was changed")

    def test_a_tarball_that_changed_on_the_way(self):
        self.shim("sha256sum", 'cat >/dev/null; echo "$(printf "%064d" 0)  -"')
        self.assertIn("what arrived is not what was sent; nothing was changed",
                      self.refused("--tarball", self.pack("one")))
        self.assertFalse(os.path.exists(self.board.path("usr/local/lib/pennybank/incoming")))

    def test_no_programs_to_put_back(self):
        self.assertIn("nothing is installed there", self.refused("--rollback"))

    def test_wrong_usage(self):
        for words in ([], ["a", "b"], ["--nosuch", "a"], ["a", "--tries"], ["--tries", "0", "a"],
                      ["--tries", "x", "a"], ["--root", "relative", "--restart", "true", "a"],
                      ["--root", "/tmp/x", "a"], ["--restart", "true", "a"]):
            with self.subTest(words=words):
                done = run([os.path.join(ROOT, "tools", "deploy"), *words], expect=2)
                self.assertRegex(done.stderr, r"\Adeploy: .*\n\Z")


if __name__ == "__main__":
    unittest.main()
