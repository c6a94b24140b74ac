"""Every call fails: a day at the bank with one thing after the other going wrong (faults.cpp)."""

import os
import re
import subprocess
import unittest

KINDS = ("EIO once", "EIO for good", "ENOSPC once", "ENOSPC for good", "a cut", "no session",
         "no buffers", "no password job", "no read", "no group", "no hold", "no random bytes",
         "no memory of the library")
LIBRARY_POINTS_MIN = 500


class Faults(unittest.TestCase):
    def test_nothing_false_is_acknowledged_and_nothing_leaks_whatever_call_fails(self):
        sim = os.path.join(os.environ["PENNY_BUILD"], "host", "sim")
        done = subprocess.run([sim, "--faults", "--jobs", str(os.cpu_count() or 1)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        days = dict(re.findall(r"^days with (.*?) +(\d+)$", done.stdout, re.MULTILINE))
        self.assertEqual(sorted(days), sorted(KINDS))
        self.assertGreaterEqual(int(days["no memory of the library"]), LIBRARY_POINTS_MIN)
        print(re.search(r"^faults: .*$", done.stdout, re.MULTILINE).group(0))


if __name__ == "__main__":
    unittest.main()
