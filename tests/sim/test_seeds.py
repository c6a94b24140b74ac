"""Whole-server runs: players against the server, cuts, faults and restarts, judged by the oracle
(run.cpp). The same seed gives the same run, and each run of the seeds that once failed holds."""

import os
import re
import subprocess
import unittest

ROOT = os.environ["PENNY_ROOT"]
BUILD = os.environ["PENNY_BUILD"]
SEEDS = 1000
JOBS = str(os.cpu_count() or 1)
FOUND = os.path.join(ROOT, "tests", "sim", "seeds.txt")


class Seeds(unittest.TestCase):
    def run_sim(self, *words, variant="host"):
        sim = os.path.join(BUILD, variant, "sim")
        done = subprocess.run([sim, *words], capture_output=True, text=True, check=False,
                              errors="replace")
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        return done.stdout

    def test_runs_hold_and_all_that_should_happens(self):
        # Every count of counted.def is above zero.
        said = self.run_sim("--seeds", str(SEEDS), "--jobs", JOBS, "--floors")
        counts = dict(re.findall(r"^(.*?)  +(\d+)$", said, re.MULTILINE))
        self.assertEqual(int(counts["seeds"]), SEEDS)
        for name in ("cuts", "resends", "writes torn", "runs over TLS"):
            self.assertGreater(int(counts[name]), 0, name)
        print(re.search(r"^seeds: .*$", said, re.MULTILINE).group(0))

    def test_a_count_that_never_moves_is_a_failure(self):
        sim = os.path.join(BUILD, "host", "sim")
        done = subprocess.run([sim, "--seeds", "1", "--floors"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: 'runs over TLS' never happened\n", done.stdout)

    def test_seeds_that_found_a_bug_hold(self):
        with open(FOUND, encoding="utf-8") as lines:
            seeds = [line.split()[0] for line in lines if line.strip() and line[0] != "#"]
        self.assertGreaterEqual(len(seeds), 5)
        for seed in seeds:
            self.run_sim("--seed", seed)

    def test_one_seed_is_one_run(self):
        first, again = (re.findall(r"digest ([0-9a-f]{64})", self.run_sim("--seed", "1"))
                        for _ in range(2))
        self.assertEqual((len(first), first), (1, again))
        self.assertNotEqual(first, re.findall(r"digest ([0-9a-f]{64})",
                                              self.run_sim("--seed", "2")))

    def test_some_under_the_sanitizers(self):
        self.run_sim("--seeds", "10", "--jobs", JOBS, variant="asan")


if __name__ == "__main__":
    unittest.main()
