"""tools/demo as somebody runs it: in a folder with blanks in its path, twice, at a terminal; and
with entries lost between the kill and the start, which it must notice."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

from bank import ROOT, program

SECONDS_MAX = 120  # for one demo, beside other work
LIB = os.path.join(ROOT, "tests", "lib")

# Zeroes the batch of the newest acknowledged entry, and all behind it: as if the disk had lied.
LOSE = """
    import glob, os, re, sys
    sys.path.insert(0, {lib!r})
    import journal
    home = sys.argv[1]
    newest = 0
    for path in glob.glob(os.path.join(home, "answers-*")):
        with open(path, encoding="utf-8") as answers:
            entries = re.findall(r'"entry": ([0-9]+)', answers.read())
        newest = max([newest] + [int(n) for n in entries])
    losing = False
    for path in journal.segments(os.path.join(home, "bank", "data")):
        with open(path, "rb") as segment:
            content = segment.read()
        for offset in range(0, len(content), journal.BLOCK):
            if content[offset:offset + 8] != b"PNYBATCH":
                continue
            row = journal.HEADER.unpack_from(content, offset)
            first, count = row[8], row[9]
            if losing or first <= newest < first + count:
                losing = True
                journal.zero(path, offset, len(content))
                break
    assert losing, newest
    print("lost entry", newest)
"""

# Flips a bit in the middle of what is durable.
FLIP = """
    import os, sys
    sys.path.insert(0, {lib!r})
    import journal
    path = journal.segments(os.path.join(sys.argv[1], "bank", "data"))[0]
    journal.flip(path, 8 * journal.BLOCK + 200)
"""


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="demo-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.checkout = os.path.join(self.folder, "with some blanks")
        self.demo = os.path.join(self.checkout, "tools", "demo")
        self.home = os.path.join(self.checkout, "build", "demo")
        os.makedirs(os.path.join(self.checkout, "tools"))
        os.makedirs(os.path.join(self.checkout, "build"))
        shutil.copy(os.path.join(ROOT, "tools", "demo"), self.demo)
        for name in ("pennyd", "penny", "pennyctl"):
            shutil.copy(program(name), os.path.join(self.checkout, "build", name))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PENNY_")}
        self.environment["TERM"] = "xterm"

    def hook(self, text):
        path = os.path.join(self.folder, "hook")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!{sys.executable} -B\n" + textwrap.dedent(text).format(lib=LIB))
        os.chmod(path, 0o755)
        self.environment["PENNY_DEMO_HOOK"] = path

    def run_demo(self, code=0):
        process = subprocess.Popen([self.demo], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment,
                                   cwd=self.folder, start_new_session=True)
        try:
            out, err = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            self.fail(f"the demo does not end\n{out}{err}")
        self.assertEqual(process.returncode, code, out + err)
        self.assert_no_server_is_left()
        return out, err

    def assert_no_server_is_left(self):
        with open(os.path.join(self.home, "pennyd.pid"), encoding="utf-8") as file:
            pid = int(file.read())
        self.assertFalse(os.path.exists(f"/proc/{pid}"), "its server still runs")

    def count(self, out, pattern):
        match = re.search(pattern, out, re.M)
        self.assertIsNotNone(match, f"{pattern}\n{out}")
        return int(match.group(1))


class Tour(DemoTest):
    def test_it_runs_twice_in_a_row_in_a_path_with_blanks(self):
        for _ in range(2):
            out, err = self.run_demo()
            self.assertEqual(err, "")
            self.assert_transcript(out)

    def assert_transcript(self, out):
        for line in ("person: alice", "50.00", "250.00", "237.50", "operation: transfer",
                     "(error) FUNDS the balance is 237.50, not enough for 1000.00",
                     "source: simulated", "Hello from the bank.",
                     "the books sum to zero", "All of it held."):
            self.assertIn(line, out)
        answers = re.findall(r"TRANSFER round-1 .*\n(.*\n.*\n)", out)
        self.assertEqual(len(answers), 2, out)
        self.assertEqual(answers[0], answers[1])
        self.assertNotIn("\033", out, "colours, and no terminal")
        acknowledged = self.count(out, r"^(\d+) payments had been acknowledged")
        waiting = self.count(out, r"; (\d+) were waiting for an answer\.$")
        self.assertGreaterEqual(acknowledged, 80)
        self.assertGreaterEqual(waiting, 1)
        self.assertEqual(self.count(out, r"^ *(\d+) acknowledged before the kill"), acknowledged)
        settled = (self.count(out, r"^ *(\d+) were in the book although") +
                   self.count(out, r"^ *(\d+) had not reached the book"))
        self.assertGreaterEqual(settled, waiting)
        self.assertEqual(self.count(out, r"and (\d+) payments of 0\.01"), acknowledged + settled)

    def test_a_second_one_at_the_same_time_is_refused(self):
        lock = subprocess.Popen(["flock", os.path.join(self.checkout, "build", "demo.lock"),
                                 "sh", "-c", "echo locked; read line"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with lock:
            self.assertEqual(lock.stdout.readline(), "locked\n")
            done = subprocess.run([self.demo], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, env=self.environment, timeout=SECONDS_MAX, check=False)
            lock.stdin.close()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("another demo runs in", done.stderr)

    def test_without_programs_it_says_what_to_run(self):
        os.remove(os.path.join(self.checkout, "build", "penny"))
        done = subprocess.run([self.demo], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=self.environment, timeout=SECONDS_MAX, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "demo: there is no penny yet; run: make demo\n")


class Proof(DemoTest):
    """The demo fails where the bank would not have kept its word."""

    def test_a_lost_entry_is_noticed(self):
        self.hook(LOSE)
        out, err = self.run_demo(code=1)
        self.assertIn("lost entry ", out)
        self.assertRegex(err, r"demo: (entry \d+ was acknowledged, and the book had come back with "
                              r"\d+ entries|acknowledged answers of \d+ clients came otherwise)\n$")
        self.assertNotIn("All of it held", out)

    def test_a_damaged_journal_is_noticed(self):
        self.hook(FLIP)
        out, err = self.run_demo(code=1)
        self.assertIn("demo: pennyd did not start: ", err)
        self.assertIn("00000001.journal", err)
        self.assertNotIn("All of it held", out)

    def test_a_kill_with_nothing_outstanding_proves_nothing(self):
        # A penny whose streams end with the ten answers that the demo waits for.
        penny = os.path.join(self.checkout, "build", "penny")
        os.rename(penny, penny + ".real")
        with open(penny, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\ncase " $* " in\n'
                       '*" --timeout "*) head -n 10 | "$0.real" "$@" ;;\n'
                       '*) exec "$0.real" "$@" ;;\nesac\n')
        os.chmod(penny, 0o755)
        out, err = self.run_demo(code=1)
        self.assertIn("80 payments had been acknowledged; 0 were waiting", out)
        self.assertIn("demo: no answer was outstanding at the kill", err)


class Terminal(DemoTest):
    def setUp(self):
        super().setUp()
        self.shown = ""
        self.at = 0  # How much of it was looked at.
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(self.demo, [self.demo], self.environment)
        self.addCleanup(self.hang_up)

    def hang_up(self):
        """Closes the terminal, which must end everything at it; gives the demo's exit code."""
        if self.pid == 0:
            return None
        os.close(self.terminal)
        pid, self.pid = self.pid, 0
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return self.fail(f"the demo does not end with its terminal\n{self.shown}")

    def test_a_terminal_ends_at_the_prompt_and_leaving_it_ends_the_server(self):
        self.read_until("Your turn")
        self.read_until(r"127\.0\.0\.1:\d+> ")
        os.write(self.terminal, b"BALANCE\n")
        self.read_until(r"\n\d+\.\d\d\r?\n")
        os.write(self.terminal, b"exit\n")
        self.read_until(None)
        self.assertEqual(self.hang_up(), 0, self.shown)
        self.assertIn("\033[1m", self.shown)
        self.assert_no_server_is_left()

    def test_closing_the_terminal_ends_the_server(self):
        self.read_until("Your turn")
        self.read_until(r"127\.0\.0\.1:\d+> ")
        # Whether the demo sees the end of its input or the signal first is the kernel's choice, and
        # nobody is left to see its exit code.
        self.assertIn(self.hang_up(), (0, 143, -signal.SIGHUP))
        self.assert_no_server_is_left()

    def read_until(self, pattern):
        """Reads on until `pattern` stands in what was not looked at yet; None: to the end."""
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            found = pattern and re.compile(pattern).search(self.shown, self.at)
            if found:
                self.at = found.end()
                return
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                self.fail(f"waited for {pattern}\n{self.shown}")
            try:
                piece = os.read(self.terminal, 65536).decode("utf-8", "replace")
            except OSError:  # How a terminal ends when nobody holds its other side.
                piece = ""
            if not piece:
                self.assertIsNone(pattern, f"it ended before this\n{self.shown}")
                return
            self.shown += piece
