"""One seed is one run of the simulated board on every architecture (P4): the same bytes to every
player and on the disk, in plain and over TLS, whatever the size of a word."""

import os
import re
import shlex
import subprocess
import unittest

BUILD = os.environ["PENNY_BUILD"]
SEEDS = (1, 2, 7, 50)  # The last one speaks TLS.


def boards():
    return sorted(name[:-6] for name in os.listdir(BUILD)
                  if name.endswith("-glibc") and os.path.exists(os.path.join(BUILD, name, "sim")))


def runner_of(board):
    with open(os.path.join(BUILD, board, "runner"), encoding="utf-8") as text:
        return shlex.split(text.read())


class SameRuns(unittest.TestCase):
    def digest(self, argv):
        done = subprocess.run(argv, capture_output=True, text=True, check=False, errors="replace")
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        digests = re.findall(r"^seed \d+ digest ([0-9a-f]{64})$", done.stdout, re.MULTILINE)
        self.assertEqual(len(digests), 1, done.stdout[-2000:])
        return digests[0]

    def test_a_seed_is_the_same_run_on_every_board(self):
        found = boards()
        self.assertIn("armv6", found)
        for seed in SEEDS:
            here = self.digest([os.path.join(BUILD, "host", "sim"), "--seed", str(seed)])
            for board in found:
                sim = os.path.join(BUILD, f"{board}-glibc", "sim")
                with self.subTest(board=board, seed=seed):
                    self.assertEqual(self.digest([*runner_of(board), sim, "--seed", str(seed)]),
                                     here)


if __name__ == "__main__":
    unittest.main()
