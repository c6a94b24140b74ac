"""Crash images and damage: what a cut may leave of the disk is started and judged, and what a disk
does to a book before the durable mark is refused by name (images.cpp, damage.cpp)."""

import os
import re
import subprocess
import unittest

IMAGES = 20000
DAMAGED_DAYS = 80
KINDS = ("bit", "zeros", "noise", "misdirected", "stale", "lost", "shortened", "table", "unreadable",
         "short reads")
JOBS = str(os.cpu_count() or 1)


class Images(unittest.TestCase):
    def run_sim(self, *words, variant="host"):
        sim = os.path.join(os.environ["PENNY_BUILD"], variant, "sim")
        done = subprocess.run([sim, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        for rate in re.findall(r"^\w+: .* each second$", done.stdout, re.MULTILINE):
            print(rate)
        return {name: int(count)
                for name, count in re.findall(r"^(.*?) +(\d+)$", done.stdout, re.MULTILINE)}

    def test_every_image_of_a_cut_starts_with_all_that_was_acknowledged(self):
        counts = self.run_sim("--images", str(IMAGES), "--jobs", JOBS, "--floors")
        self.assertGreaterEqual(counts["images"], IMAGES)
        self.assertGreater(counts["images cut at a byte"], IMAGES // 50)

    def test_damage_before_the_mark_is_refused_by_name_and_the_rest_is_outlived(self):
        counts = self.run_sim("--damage", str(DAMAGED_DAYS), "--jobs", JOBS, "--floors")
        for kind in KINDS:
            self.assertGreater(counts[f"damage refused: {kind}"], 0, kind)
            self.assertGreater(counts[f"damage outlived: {kind}"], 0, kind)
        self.assertGreater(counts["damage refused: forked"], 0)
        self.assertGreater(counts["lost to a lying disk, seen by a receipt only"], 0)

    def test_some_of_both_under_the_sanitizers(self):
        counts = self.run_sim("--images", "400", "--damage", "6", "--jobs", JOBS, variant="asan")
        self.assertGreaterEqual(counts["images"], 400)


if __name__ == "__main__":
    unittest.main()
