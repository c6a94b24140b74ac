"""The example of a port (port/README.md), on the host and on a bare ARM: the same from the core."""

import os
import re
import subprocess
import unittest

from bank import ROOT, program

LINES_MAX = 200
SAID = "booked 2080\nforgotten 0\nrecovered 2080\ndamage is refused\n"  # 1 + 2 + ... + 64


def run_example(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


class Example(unittest.TestCase):
    def test_it_runs_on_the_host(self):
        done = run_example(program("host/example"))
        self.assertEqual((done.returncode, done.stdout), (0, SAID), done.stderr)

    def test_it_runs_where_there_is_no_system(self):
        done = run_example("qemu-arm", "-cpu", "cortex-a7", program("freestanding/example"))
        self.assertEqual((done.returncode, done.stderr), (0, SAID))  # Where a debugger prints.

    def test_the_bare_one_needs_nothing_else(self):
        said = run_example("nm", "--undefined-only", program("freestanding/example"))
        self.assertEqual((said.returncode, said.stdout), (0, ""), said.stderr)

    def test_it_is_short_and_calls_no_system(self):
        with open(os.path.join(ROOT, "port", "example", "main.cpp"), encoding="utf-8") as file:
            text = file.read()
        self.assertLess(len(text.splitlines()), LINES_MAX)
        self.assertEqual(re.findall(r"#include <(.*)>", text), ["string.h"])
