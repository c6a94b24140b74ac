"""What a release run leaves: a summary with its date, its version and every count, and what the README
makes of it."""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ["PENNY_ROOT"]
SIM = os.path.join(os.environ["PENNY_BUILD"], "host", "sim")


def load_readme_tool():
    loader = importlib.machinery.SourceFileLoader("readme", os.path.join(ROOT, "tools", "readme"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("readme", loader))
    loader.exec_module(module)
    return module


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "sim-summary.txt")
        self.readme = load_readme_tool()
        self.readme.SUMMARY = self.path

    def summarise(self, *words):
        subprocess.run([SIM, *words, "--summary", self.path], check=True, capture_output=True)
        with open(self.path, encoding="utf-8") as text:
            return text.read()

    def test_the_readme_quotes_date_version_and_counts(self):
        said = self.summarise("--seeds", "3", "--images", "1200")
        head = re.match(r"\d{4}-\d\d-\d\d, version \S+\n", said).group(0)
        made = self.readme.make_simulated()
        self.assertTrue(made.startswith(head[:-1] + ", `make sim-release`:\n"), made)
        self.assertIn("| images | 1,200 |\n", made)
        self.assertIn("| seeds | 3 |\n", made)
        cuts = re.search(r"^cuts +(\d+)$", said, re.MULTILINE).group(1)
        self.assertIn(f"| cuts | {int(cuts):,} |\n", made)
        self.assertRegex(made, r"\| simulated days \| \d+ \|\n\Z")

    def test_a_summary_that_lacks_a_count_is_refused(self):
        self.summarise("--images", "50")
        with self.assertRaisesRegex(self.readme.Failed, "does not count seeds"):
            self.readme.make_simulated()

    def release(self, *words):
        argv = [os.path.join(ROOT, "tests", "sim", "release"), SIM, "--jobs", "1", "--parts",
                os.path.join(os.path.dirname(self.path), "parts"), "--summary", self.path, *words]
        return subprocess.run([sys.executable, "-B", *argv], check=False, capture_output=True,
                              text=True)

    def test_a_release_goes_on_where_it_was_stopped(self):
        first = self.release("--images", "300", "--seeds", "3")
        self.assertIn("0 of 2 parts are there already", first.stdout)
        self.assertIn("seeds-000001-3: held", first.stdout)
        with open(self.path, encoding="utf-8") as text:
            summed = text.read()
        self.assertRegex(summed, r"(?m)^seeds +3$")
        self.assertRegex(summed, r"(?m)^images +300$")
        # So few runs leave counts at zero, which a release says and does not pass.
        self.assertEqual(first.returncode, 1)
        self.assertIn("never happened", first.stdout)
        again = self.release("--images", "300", "--seeds", "3")
        self.assertIn("2 of 2 parts are there already", again.stdout)
        self.assertNotIn("held", again.stdout)
        with open(self.path, encoding="utf-8") as text:
            self.assertEqual(text.read(), summed)

    def test_without_a_release_the_readme_says_so(self):
        self.assertIn("No release was run yet", self.readme.make_simulated())


if __name__ == "__main__":
    unittest.main()
