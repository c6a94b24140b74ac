"""fuzzing.py - what the test of every fuzz target asks of it.

A target is built twice from tests/fuzz/NAME_fuzz.cpp, and its seeds are in tests/fuzz/corpus/NAME.
FUZZ_SECONDS says how long the fuzzer looks for a broken promise, 10 seconds without it. What it
finds is printed and kept below $PENNY_BUILD until the next run: put it into the corpus under a name
that begins with `found-`, then mend what it shows.

The planted crash is looked for with a fixed seed and a number of runs that never depends on the
clock, so that a slow machine finds it as well.
"""

import os
import re
import shutil
import subprocess
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = int(os.environ.get("FUZZ_SECONDS") or "10")
PLANTED_RUNS_MAX = 2000000
PLANTED_SECONDS_MAX = 90
LOG_LINES_MAX = 60


class Target(unittest.TestCase):
    """Subclasses say which target it is, and how long its inputs may be."""

    name = ""
    size_max = 4096  # bytes

    def setUp(self):
        self.seeds = os.path.join(HERE, "corpus", self.name)
        self.folder = os.path.join(os.environ["PENNY_TMP"], self._testMethodName)
        os.makedirs(self.folder)

    def fuzz(self, program, *options):
        """Runs the fuzzer and returns its exit code and what it said."""
        path = os.path.join(os.environ["PENNY_BUILD"], "fuzz", program)
        command = [path, "-seed=1", f"-max_len={self.size_max}", "-timeout=20",
                   f"-artifact_prefix={self.folder}/", *options]
        words = os.path.join(HERE, "dict", self.name)
        if os.path.exists(words):
            command.append(f"-dict={words}")
        # What the fuzzer finds of interest goes into the first folder, the seeds stay as they are.
        made = os.path.join(self.folder, "made")
        os.makedirs(made, exist_ok=True)
        run = subprocess.run(command + [made, self.seeds], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        shutil.rmtree(made)
        return run.returncode, run.stdout.decode("utf-8", "replace")

    def end_of(self, said):
        return "\n".join(said.rstrip().split("\n")[-LOG_LINES_MAX:])

    def test_runs_clean(self):
        code, said = self.fuzz(self.name, f"-max_total_time={SECONDS}")
        self.assertEqual(code, 0, f"see {self.folder}\n{self.end_of(said)}")
        self.assertRegex(said, r"Done [1-9]\d* runs")

    def test_reaches_the_innermost_decoder_with_a_seed(self):
        code, said = self.fuzz(self.name, "-runs=0")
        self.assertEqual(code, 0, self.end_of(said))
        self.assertRegex(said, r"innermost decoder reached [1-9]\d* times", self.end_of(said))

    def test_finds_the_planted_crash(self):
        code, said = self.fuzz(f"{self.name}_planted", "-runs=0")
        self.assertEqual(code, 0, f"a seed has it already\n{self.end_of(said)}")
        code, said = self.fuzz(f"{self.name}_planted", f"-runs={PLANTED_RUNS_MAX}",
                               f"-max_total_time={PLANTED_SECONDS_MAX}")
        self.assertNotEqual(code, 0, self.end_of(said))
        self.assertTrue(re.search(r"^planted crash$", said, re.M), self.end_of(said))
